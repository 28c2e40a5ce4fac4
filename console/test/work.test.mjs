// SPDX-License-Identifier: Apache-2.0
// What an operator works with beside the lists: an event's fields and links, kept searches, whole exports; and how
// the console bears what is wrong: a page's mistake, a wrong clock, very long values, addresses of IPv6.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { axe } from './axe.mjs';
import { LOOKS, context, launch, look, node, open, settled } from './env.mjs';

const browser = await launch();
const n = await node({ mock: true });
test.after(async () => {
  await browser.close();
  await n.close();
});
const m = n.mock;
const url = (p) => new URL(p.url());

/** axe in both languages and themes. */
async function looks(p, what) {
  const wrong = [];
  for (const [lang, theme] of LOOKS) {
    await look(p, lang, theme);
    for (const f of await axe(p)) wrong.push(`${what} ${lang} ${theme}: ${f}`);
  }
  await p.evaluate(() => dispatchEvent(new StorageEvent('storage', { key: 'daizong.lang', newValue: 'en' })));
  assert.deepEqual(wrong, []);
}

test('an event shows its own fields first and in groups, with the meaning; links lead to its flow and its alert group', async () => {
  const c = await context(browser, n, { lang: 'en' });
  const g = m.state.groups.find((x) => m.state.events.some((e) => e.alert?.signature_id === x.signature_id && e.src_ip === x.src_ip && e.dest_ip === x.dest_ip));
  const ev = m.state.events.find((e) => e.alert?.signature_id === g.signature_id && e.src_ip === g.src_ip && e.dest_ip === g.dest_ip);
  const p = await open(c, n, `/events?q=flow_id:${ev.flow_id}&row=${ev._id}`);
  const heads = await p.locator('.drawer h3').allInnerTexts();
  assert.ok(heads.indexOf('alert') >= 0 && heads.indexOf('alert') < heads.indexOf('General'), heads.join());
  assert.equal(heads[heads.length - 1], 'General');
  const dt = p.locator('.drawer section', { has: p.getByRole('heading', { name: 'alert', exact: true }) }).locator('dt', { hasText: /^signature$/ });
  assert.match(await dt.getAttribute('title'), /^alert\.signature\n?/);
  await p.locator('.drawer-foot').getByRole('link', { name: 'Alert group' }).click();
  await p.waitForURL(/\/inbox\?.*open=/);
  await settled(p);
  assert.equal(url(p).searchParams.get('open'), `${g.signature_id}-${g.src_ip}-${g.dest_ip}`);
  assert.deepEqual(p.problems, []);
  await c.close();
});

test('a search is kept under a name, found again after a reload, deleted; Tab stays in the panel', async () => {
  const c = await context(browser, n, { lang: 'en' });
  const p = await open(c, n, '/events?q=event_type:dns&cols=time,dns.rcode&from=now-6h');
  const button = p.getByRole('button', { name: 'Saved searches' });
  await button.focus();
  await p.keyboard.press('Enter');
  const panel = p.getByRole('dialog', { name: 'Saved searches' });
  await panel.waitFor();
  assert.equal(await panel.getByRole('textbox', { name: 'Name' }).inputValue(), 'event_type:dns');
  await p.keyboard.press('Control+a');
  await p.keyboard.type('names of today');
  await p.keyboard.press('Enter');
  await panel.getByRole('button', { name: 'names of today', exact: true }).waitFor();
  for (let i = 0; i < 8; i++) {
    await p.keyboard.press('Tab');
    assert.ok(await panel.evaluate((el) => el.contains(document.activeElement)), `Tab ${i + 1} leaves the panel`);
  }
  await looks(p, 'saved');
  await p.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });
  assert.ok(await button.evaluate((el) => el === document.activeElement), 'the focus is back');
  await p.goto(n.url + '/events');
  await settled(p);
  await button.click();
  await panel.getByRole('button', { name: 'names of today', exact: true }).click();
  await p.waitForURL(/q=event_type/);
  const at = url(p).searchParams;
  assert.deepEqual([at.get('q'), at.get('cols'), at.get('from')], ['event_type:dns', 'time,dns.rcode', 'now-6h']);
  await button.click();
  await panel.getByRole('button', { name: 'Delete names of today' }).click();
  await panel.getByText('None yet.').waitFor();
  assert.deepEqual(p.problems, []);
  await c.close();
});

test('all that match are exported, not only the rows at hand', async () => {
  const c = await context(browser, n, { lang: 'en' });
  const p = await open(c, n, '/events?cols=time,type,source');
  const total = Number((await p.locator('.page-head .sub').innerText()).replace(/ events.*/, '').replace(/\D/g, ''));
  assert.ok(total > 1000, `${total} events`);
  const grab = async (name) => {
    await p.getByRole('button', { name: 'Export' }).click();
    const [d] = await Promise.all([p.waitForEvent('download'), p.getByRole('menuitem', { name }).click()]);
    return readFileSync(await d.path(), 'utf8');
  };
  const lines = (await grab(/^All .* JSON/)).trim().split('\n').map((l) => JSON.parse(l));
  assert.ok(Math.abs(lines.length - total) <= 5, `${lines.length} of ${total}`);
  assert.equal(new Set(lines.map((e) => e._id)).size, lines.length, 'none twice');
  assert.equal((await grab(/^All .* CSV/)).split('\r\n').length, lines.length + 1);
  assert.deepEqual(p.problems, []);
  await c.close();
});

test('a page that fails leaves the frame, says what happened and can be tried again', async () => {
  const c = await context(browser, n, { lang: 'en' });
  const p = await c.newPage();
  let broken = true;
  await p.route('**/api/v1/sensors', (r) => (broken ? r.fulfill({ json: { sensors: [{ id: 'x', state: 'online', source: 'eth0', loss: null }] } }) : r.continue()));
  await p.goto(n.url + '/sensors');
  await p.getByText('This page ran into an error').waitFor();
  await looks(p, 'broken');
  assert.ok(await p.getByRole('button', { name: 'Copy the error' }).isVisible());
  broken = false;
  await p.getByRole('button', { name: 'Retry' }).click();
  await p.locator('.sensor').first().waitFor();
  broken = true;
  await p.reload();
  await p.getByText('This page ran into an error').waitFor();
  await p.keyboard.press('g');
  await p.keyboard.press('h');
  await p.getByRole('heading', { name: 'Hosts', level: 1 }).waitFor();
  await p.evaluate(() => setTimeout(() => {
    throw new Error('a handler failed');
  }));
  await p.locator('.toast.bad', { hasText: 'a handler failed' }).waitFor();
  await c.close();
});

test('a clock that is wrong is told; one that is right is not', async () => {
  for (const [minutes, told] of [
    [0, false],
    [37, true],
    [-37, true],
  ]) {
    const c = await context(browser, n, { lang: 'en' });
    const p = await c.newPage();
    await p.route('**/api/v1/**', async (r) => {
      if (r.request().url().includes('/stream')) return r.continue();
      const got = await r.fetch();
      await r.fulfill({ response: got, headers: { ...got.headers(), date: new Date(Date.now() + minutes * 6e4).toUTCString() } });
    });
    await p.goto(n.url + '/overview');
    await settled(p);
    const line = p.locator('.trouble', { hasText: /differ by 37 min/ });
    if (told) await line.waitFor();
    else assert.equal(await p.locator('.trouble').count(), 0);
    if (minutes > 0) await looks(p, 'clock');
    await c.close();
  }
});

test('very long values and addresses of IPv6: nothing is wider than the window, addresses stay whole', async () => {
  const long = 'x'.repeat(4000);
  const six = '2001:db8::53';
  const e = m.addAlert({ src_ip: six, dest_ip: '2001:db8:ffff:ffff:ffff:ffff:ffff:fffe' });
  const g = { ...m.state.groups[0], id: 'long', signature: long, category: long, src_ip: e.src_ip, dest_ip: e.dest_ip, sensor: long, techniques: [long], status: 'new', last: new Date().toISOString() };
  const odd = { ...m.state.events[0], _id: 'odd', timestamp: new Date(Date.now() - 1000).toISOString(), src_ip: six, src_port: 53, event_type: 'http', alert: undefined, http: { hostname: long, url: '/' + long, http_method: long, http_user_agent: long }, daizong: { sensor: long } };
  m.state.groups.unshift(g);
  m.state.events.unshift(odd);
  try {
    for (const [width, height] of [
      [1280, 800],
      [390, 844],
    ]) {
      const c = await context(browser, n, { lang: 'en', width, height });
      for (const path of ['/overview', '/inbox', '/inbox?open=long', '/events', '/events?row=odd', '/events?row=odd&view=json', '/events?cols=time,http.hostname,http.url', '/events?q=' + long, '/hosts', `/hosts/${encodeURIComponent(six)}/`]) {
        const p = await open(c, n, path);
        const wide = await p.evaluate(() => {
          const main = document.querySelector('main');
          const drawer = document.querySelector('.drawer-body');
          return [document.scrollingElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth, drawer ? drawer.scrollWidth - drawer.clientWidth : 0];
        });
        assert.ok(wide.every((w) => w <= 1), `${width} ${path.slice(0, 40)}: ${wide}`);
        if (path === '/overview') await p.locator('.feed-who', { hasText: `${six} → ${e.dest_ip}` }).first().waitFor();
        if (path.startsWith('/hosts/')) assert.equal(await p.locator('h1').innerText(), six);
        if (path === '/events?row=odd') assert.equal(await p.locator('.drawer .who .pivot').first().innerText(), `[${six}]:53`);
        assert.deepEqual(p.problems, []);
        await p.close();
      }
      await c.close();
    }
  } finally {
    m.state.groups.shift();
    m.state.events.shift();
  }
});

test('the inbox says which time a count and the trend are of', async () => {
  const c = await context(browser, n, { lang: 'en' });
  const g = m.state.groups.find((x) => x.status === 'new');
  const p = await c.newPage();
  await p.route('**/api/v1/alerts/*', async (r) => {
    const got = await r.fetch();
    const d = await got.json();
    await r.fulfill({ response: got, json: { ...d, group: { ...d.group, count: d.group.count + 1000 } } });
  });
  await p.goto(n.url + `/inbox?from=now-7d&open=${encodeURIComponent(g.id)}`);
  await settled(p);
  await p.locator('.drawer', { hasText: 'in this time' }).waitFor();
  await p.keyboard.press('Escape');
  assert.match(await p.locator('.g-head [title*="Last 7 days" i]').innerText(), /Trend/);
  await c.close();
});
