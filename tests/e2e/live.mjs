// SPDX-License-Identifier: Apache-2.0
// What happens while pages are open: captures replayed, the node killed, the session ended; and the way out.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { moved, pause, until } from './node.mjs';
import { capture, close, count, drop, login, param, person, settled, tab, text, toast } from './page.mjs';

export const later = [];
const step = (name, run) => later.push([name, run]);
const streams = (w) => w.node.metric('daizong_http_streams');

/** Brings a demo capture, as if recorded just now, through the page's drop field. */
async function bring(p, name) {
  await drop(p, '.drop', name + '.pcap', moved(capture(name)));
  await p.waitForURL(/\/overview\?/, { timeout: 60000 });
}

step('live: a capture dropped in one tab appears in the others without a reload', async (w) => {
  w.overview = await tab(w, w.c, '/overview?from=now-1h');
  w.list = await tab(w, w.c, '/inbox?from=now-1h');
  await w.list.getByText(text('inbox.empty')).waitFor();
  await w.overview.getByText(text('overview.nothing')).waitFor();
  for (const p of [w.overview, w.list]) await p.evaluate(() => (window.stillHere = true));
  w.start = await tab(w, w.c, '/start');
  await drop(w.start, '.drop', 'log4shell.pcap', moved(capture('04-log4shell')));
  await w.start.locator('.job').waitFor();
  await w.overview.locator('.feed li', { hasText: 'Log4Shell' }).first().waitFor({ timeout: 60000 });
  await w.overview.locator('.kpi').first().waitFor();
  await w.list.locator('#inbox-0', { hasText: 'Log4Shell' }).waitFor({ timeout: 60000 });
  for (const p of [w.overview, w.list]) assert.equal(await p.evaluate(() => window.stillHere), true);
  // Streamed and asked for, an alert stands there once.
  assert.equal(await w.overview.locator('.feed li').count(), (await w.node.get('/events/histogram', { from: 'now-1h', q: 'event_type:alert' })).total);
});

step('live: paused, the pages stand still and count; resumed, they show', async (w) => {
  const p = w.overview;
  await p.bringToFront();
  const before = await p.locator('.feed li').count();
  await p.keyboard.press('p');
  await p.locator('.btn.live', { hasText: text('live.off') }).waitFor();
  await w.start.goto(w.node.url + '/start');
  await settled(w.start);
  await drop(w.start, '.drop', 'sql.pcap', moved(capture('03-sql-injection')));
  await p.locator('.btn.live', { hasText: text('live.new', { n: 1 }) }).waitFor({ timeout: 60000 });
  assert.equal(await p.locator('.feed li').count(), before);
  await p.keyboard.press('p');
  await p.locator('.feed li', { hasText: 'SQL injection' }).first().waitFor();
});

step('live: one key decides a group of several alerts', async (w) => {
  const { node } = w;
  const log4 = async (query) => (await node.get('/alerts', { from: 'now-1h', limit: 100, ...query })).groups.find((g) => g.signature_id === 9000002);
  for (const n of [2, 3]) {
    await w.start.goto(w.node.url + '/start');
    await settled(w.start);
    await bring(w.start, '04-log4shell');
    assert.ok(await until(async () => (await log4({})).count >= n, 30), `${n} alerts in the group`);
  }
  const p = w.list;
  await p.bringToFront();
  await p.reload();
  await settled(p);
  const row = p.locator('.g-row', { hasText: 'Log4Shell' });
  await row.locator('.g-cell', { hasText: /^3$/ }).waitFor();
  await row.click({ position: { x: 300, y: 10 } });
  await p.keyboard.press('e');
  await toast(p, text('inbox.done.archive', { n: 1 }));
  assert.equal((await log4({ status: 'archived' })).count, 3);
  assert.equal(await log4({ status: 'new' }), undefined);
  await p.keyboard.press('u');
  await toast(p, text('inbox.undone'));
});

step('one stream a browser, however many tabs; also where there are no shared workers', async (w) => {
  assert.ok([...w.pages].filter((p) => !p.isClosed()).length >= 3);
  assert.equal(await until(async () => (await streams(w)) === 1, 10), true, `${await streams(w)} streams`);
  const c = await person(w, { context: { storageState: await w.c.storageState().then((s) => ({ ...s, origins: [] })) } });
  await c.addInitScript(() => delete window.SharedWorker);
  const tabs = [];
  for (let i = 0; i < 3; i++) tabs.push(await tab(w, c, '/overview?from=now-1h'));
  await tabs[2].locator('.btn.live.on').waitFor();
  await pause(500);
  assert.equal(await streams(w), 2);
  // The tab that held the stream goes; another takes over.
  await close(w, tabs[0]);
  assert.equal(await until(async () => (await streams(w)) === 2 && (await tabs[1].locator('.btn.live.on').count()) === 1, 15), true);
  await c.close();
  assert.equal(await until(async () => (await streams(w)) === 1, 15), true);
  for (const p of tabs) w.pages.delete(p);
});

step('the node is killed: the page says so, keeps what it has, and recovers by itself', async (w) => {
  const p = w.overview;
  await p.bringToFront();
  p.expect = /ERR_|status of|Failed to fetch/;
  for (const x of [w.list, w.start, w.p]) x.expect = p.expect;
  await w.node.stop('SIGKILL');
  await p.locator('.trouble', { hasText: text('trouble.unreachable') }).waitFor({ timeout: 30000 });
  await p.locator('.btn.live.down').waitFor();
  assert.ok((await p.locator('.feed li').count()) > 0, 'what was there stays');
  await w.node.start();
  await p.locator('.trouble').waitFor({ state: 'detached', timeout: 60000 });
  await p.locator('.btn.live.on').waitFor({ timeout: 60000 });
  assert.equal(await p.evaluate(() => window.stillHere), true);
  await w.start.goto(w.node.url + '/start');
  await settled(w.start);
  await drop(w.start, '.drop', 'eicar.pcap', moved(capture('06-eicar')));
  await p.locator('.feed li', { hasText: 'EICAR' }).first().waitFor({ timeout: 60000 });
});

step('the store is killed: what is asked meanwhile is told, and it comes back', async (w) => {
  const pid = w.node.process.pid;
  const store = readdirSync('/proc').filter((d) => /^\d+$/.test(d)).find((d) => {
    try {
      const stat = readFileSync(`/proc/${d}/stat`, 'utf8');
      return stat.includes('(daizong-store') && Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
    } catch {
      return false;
    }
  });
  assert.ok(store, 'the store is a child of the node');
  for (const x of w.pages) x.expect = /ERR_|status of/;
  process.kill(Number(store), 'SIGKILL');
  assert.ok(await until(async () => (await w.node.get('/health')).store.restarts >= 1, 30));
  assert.ok(await until(async () => (await w.node.get('/health')).store.state === 'ready', 60));
  const p = await tab(w, w.c, '/events?from=now-1h', { expect: /status of 50[34]/ });
  const { total } = await w.node.get('/events/histogram', { from: 'now-1h' });
  await p.locator('.page-head .sub', { hasText: count(total) }).waitFor();
  await p.goto(w.node.url + '/system');
  await p.locator('.card', { hasText: text('system.restarts') }).getByText(String((await w.node.get('/health')).store.restarts), { exact: true }).waitFor();
  await close(w, p);
});

step('an ended session leads to the login, which leads back to the same page', async (w) => {
  const c = await person(w);
  await w.node.send('PUT', '/users/reader/password', { password: 'first-password-of-it' });
  const p = await tab(w, c, '/hosts?sort=bytes&from=now-1h');
  await login(p, 'reader', 'first-password-of-it');
  await p.getByRole('heading', { name: text('nav.hosts'), level: 1 }).waitFor();
  await w.node.send('PUT', '/users/reader/password', { password: 'second-password-of-it' });
  await p.keyboard.press('r');
  await p.getByText(text('login.ended')).waitFor();
  await login(p, 'reader', 'second-password-of-it');
  await p.getByRole('heading', { name: text('nav.hosts'), level: 1 }).waitFor();
  assert.equal(param(p, 'sort'), 'bytes');
  await close(w, p);
  await c.close();
});

step('an interface is watched and stopped from the page', async (w) => {
  if (process.getuid() !== 0) return;
  const p = w.start;
  await p.goto(w.node.url + '/start');
  await settled(p);
  await p.getByRole('radio', { name: /^lo / }).check();
  await p.getByRole('button', { name: text('start.watch', { name: 'lo' }) }).click();
  await p.getByText(text('start.watching', { name: 'lo' })).waitFor();
  assert.ok(await until(async () => (await w.node.get('/sensors')).sensors.some((s) => s.id === 'lo' && s.state === 'online' && s.totals.packets > 0), 30));
  await p.goto(w.node.url + '/sensors');
  const card = p.locator('.sensor', { hasText: 'lo' }).first();
  await card.getByText(text('sensor.online')).waitFor();
  await card.getByRole('button', { name: text('sensor.stop') }).click();
  await p.getByRole('dialog').getByRole('button', { name: text('sensor.stop') }).click();
  assert.ok(await until(async () => (await w.node.get('/sensors')).sensors.find((s) => s.id === 'lo').state !== 'online', 30));
  await card.getByText(text('sensor.online')).waitFor({ state: 'detached' });
});

step('logout ends the session in every tab; nothing left the machine; no page had an error', async (w) => {
  const cookies = await w.c.cookies();
  await w.overview.bringToFront();
  await w.overview.locator('.user-btn').click();
  await w.overview.getByRole('menuitem', { name: text('user.logout') }).click();
  await w.overview.locator('input[name=password]').waitFor();
  const cookie = cookies.find((x) => x.name === 'daizong_session');
  assert.ok(cookie.httpOnly);
  const r = await fetch(w.node.url + '/api/v1/session', { headers: { Cookie: `${cookie.name}=${cookie.value}` } });
  assert.equal(r.status, 401);
  await w.list.bringToFront();
  await w.list.locator('input[name=password]').waitFor({ timeout: 30000 });
  assert.deepEqual(w.outside, []);
  for (const p of w.pages) if (!p.isClosed()) assert.deepEqual(p.problems, [], p.url());
  await w.c.close();
});
