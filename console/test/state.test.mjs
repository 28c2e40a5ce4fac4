// SPDX-License-Identifier: Apache-2.0
// The URL is the state; the stream is one per browser; live and paused; failed and stale; first run; export.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cpuOf, quiet } from './cpu.mjs';
import { context, launch, node, open, settled } from './env.mjs';

const browser = await launch();
const n = await node({ mock: true });
test.after(async () => {
  await browser.close();
  await n.close();
});
const m = n.mock;
const url = (p) => new URL(p.url());
const rowsText = (p) => p.evaluate(() => [...document.querySelectorAll('.g-body .g-row')].map((r) => [Number(r.getAttribute('aria-rowindex')), r.innerText]).sort((a, b) => a[0] - b[0]).map((x) => x[1]).join('\n'));

test('search: query, range, selection, columns and open event survive a reload and the back key', async () => {
  const c = await context(browser, n, { lang: 'en' });
  const p = await open(c, n, '/events');
  await p.keyboard.press('/');
  await p.keyboard.type('event_type:http');
  await p.keyboard.press('Escape');
  await p.keyboard.press('Enter');
  await p.waitForURL(/q=event_type/);
  await p.locator('#time-range').click();
  await p.getByRole('button', { name: 'Last 6 hours' }).click();
  await p.waitForURL(/from=now-6h/);
  await settled(p);
  const box = await p.locator('.events-histo .histo').boundingBox();
  await p.mouse.move(box.x + box.width * 0.5, box.y + 40);
  await p.mouse.down();
  await p.mouse.move(box.x + box.width * 0.8, box.y + 40, { steps: 5 });
  await p.mouse.up();
  await p.waitForURL(/sel=/);
  await p.getByText('selected ').waitFor();
  await p.getByRole('button', { name: 'Columns' }).click();
  await p.locator('.chooser-list label', { hasText: 'http.hostname' }).click();
  await p.keyboard.press('Escape');
  await p.waitForURL(/cols=.*http\.hostname/);
  await settled(p);
  await p.locator('#events-1').click({ position: { x: 400, y: 10 } });
  await p.waitForURL(/row=/);
  await p.locator('.drawer h2.what').waitFor();
  const before = [await rowsText(p), await p.locator('.drawer h2.what').innerText(), await p.locator('.selection').innerText(), p.url()];
  await p.reload();
  await settled(p);
  await p.locator('.drawer h2.what').waitFor();
  const after = [await rowsText(p), await p.locator('.drawer h2.what').innerText(), await p.locator('.selection').innerText(), p.url()];
  assert.deepEqual(after, before);
  assert.ok(before[0].includes('.example.'), 'the column shows host names');
  await p.goBack();
  await p.locator('.drawer').waitFor({ state: 'detached' });
  assert.equal(url(p).searchParams.get('row'), null);
  assert.ok(url(p).searchParams.get('sel'));
  await p.keyboard.press('g');
  await p.keyboard.press('i');
  await p.waitForURL(/\/inbox\?from=now-6h/);
  assert.deepEqual(p.problems, []);
  await c.close();
});

test('histogram by keyboard: arrows, Shift selects, Enter applies, Escape clears', async () => {
  const c = await context(browser, n, { lang: 'en' });
  const p = await open(c, n, '/overview');
  await p.locator('.trend .histo').focus();
  for (const k of ['End', 'ArrowLeft', 'Shift+ArrowLeft', 'Shift+ArrowLeft', 'Enter']) await p.keyboard.press(k);
  await p.waitForURL(/sel=/);
  const [a, b] = url(p).searchParams.get('sel').split('~').map(Date.parse);
  assert.ok(b - a > 0);
  await p.getByText('selected ').waitFor();
  await p.keyboard.press('Escape');
  await p.waitForFunction(() => !location.search.includes('sel='));
  assert.deepEqual(p.problems, []);
  await c.close();
});

test('pivot: a value in a row filters for, filters out, opens the host', async () => {
  const c = await context(browser, n, { lang: 'en' });
  const p = await open(c, n, '/events?q=event_type:dns');
  await p.locator('#events-0 .pivot').nth(1).click();
  await p.getByRole('menuitem', { name: 'Filter for' }).click();
  await p.waitForURL(/src_ip/);
  await settled(p);
  assert.match(url(p).searchParams.get('q'), /^event_type:dns src_ip:10\.8\.\d+\.\d+$/);
  await p.locator('.chips .chip-text').nth(1).click();
  await p.waitForURL(/-src_ip/);
  await p.locator('.chips .chip-x').nth(1).click();
  await p.waitForFunction(() => new URL(location.href).searchParams.get('q') === 'event_type:dns');
  await settled(p);
  await p.locator('#events-0 .pivot').nth(1).click();
  await p.getByRole('menuitem', { name: 'Open host' }).click();
  await p.waitForURL(/\/hosts\/10\.8\./);
  await p.reload();
  await settled(p);
  assert.match(await p.locator('h1').innerText(), /^10\.8\./);
  assert.deepEqual(p.problems, []);
  await c.close();
});

test('a mistake in the query is marked where it is', async () => {
  const c = await context(browser, n, { lang: 'en' });
  const p = await open(c, n, '/events');
  await p.locator('#query').fill('event_type:dns (http.url');
  await p.keyboard.press('Escape');
  await p.keyboard.press('Enter');
  await p.locator('.query-error').waitFor();
  assert.match(await p.locator('.query-error').innerText(), /character 16/);
  assert.equal(await p.locator('.query-mirror u').textContent(), '(http.url');
  assert.equal(await p.locator('#query').getAttribute('aria-invalid'), 'true');
  await p.locator('#query').fill('水泵 (http.url');
  await p.keyboard.press('Escape');
  await p.keyboard.press('Enter');
  await p.locator('.query-error', { hasText: 'character 4' }).waitFor();
  assert.equal(await p.locator('.query-mirror u').textContent(), '(http.url');
  await c.close();
});

test('completion offers fields, then values, by keyboard', async () => {
  const c = await context(browser, n, { lang: 'en' });
  const p = await open(c, n, '/events');
  await p.keyboard.press('/');
  await p.keyboard.type('event_ty');
  await p.locator('.choices li', { hasText: 'event_type' }).waitFor();
  await p.keyboard.press('Tab');
  assert.equal(await p.locator('#query').inputValue(), 'event_type:');
  await p.locator('.choices li', { hasText: 'alert' }).waitFor();
  await p.keyboard.press('ArrowDown');
  await p.keyboard.press('Enter');
  const got = await p.locator('#query').inputValue();
  assert.match(got, /^event_type:\w+$/);
  await p.keyboard.press('Enter');
  await p.waitForURL(/q=event_type/);
  assert.deepEqual(p.problems, []);
  await c.close();
});

test('CSV and JSON hold what is shown', async () => {
  const c = await context(browser, n, { lang: 'en' });
  const p = await open(c, n, '/events?q=event_type:http&cols=time,source,http.hostname');
  const grab = async (name) => {
    await p.getByRole('button', { name: 'Export' }).click();
    const [d] = await Promise.all([p.waitForEvent('download'), p.getByRole('menuitem', { name }).click()]);
    return readFileSync(await d.path(), 'utf8');
  };
  const csv = (await grab(/rows loaded, as CSV/)).replace(/^\ufeff/, '').split('\r\n');
  assert.equal(csv[0], 'time,source,http.hostname');
  assert.equal(csv.length, 201);
  assert.match(csv[1], /^\d{4}-.*,10\.8\..*:\d+,\w+\.example\.\w+$/);
  const json = (await grab(/rows loaded, as JSON/)).trim().split('\n').map((l) => JSON.parse(l));
  assert.equal(json.length, 200);
  assert.ok(json.every((e) => e.event_type === 'http'));
  await c.close();
});

for (const [how, script] of [
  ['shared worker', null],
  ['web lock, where there is no shared worker', () => delete window.SharedWorker],
]) {
  test(`one event stream for eight tabs (${how})`, async () => {
    const c = await context(browser, n);
    if (script) await c.addInitScript(script);
    for (let i = 0; i < 50 && m.state.streams.size; i++) await new Promise((r) => setTimeout(r, 100));
    const ever = m.state.streamsEver;
    const tabs = [];
    for (let i = 0; i < 8; i++) tabs.push(await open(c, n, i % 2 ? '/overview' : '/inbox'));
    assert.equal(m.state.streams.size, 1);
    assert.equal(m.state.streamsEver - ever, 1);
    const e = m.addAlert({ src_ip: '192.0.2.200' });
    await tabs[7].bringToFront();
    await tabs[7].locator('.feed li', { hasText: e.src_ip }).first().waitFor();
    await tabs[0].close();
    await tabs[1].bringToFront();
    for (let i = 0; i < 50 && m.state.streams.size !== 1; i++) await new Promise((r) => setTimeout(r, 100));
    const e2 = m.addAlert({ src_ip: '192.0.2.201' });
    await tabs[1].locator('.feed li', { hasText: e2.src_ip }).first().waitFor();
    assert.equal(m.state.streams.size, 1);
    for (const t of tabs.slice(1)) assert.deepEqual(t.problems, []);
    await c.close();
  });
}

test('paused: new alerts are counted, not shown, until asked for', async () => {
  const c = await context(browser, n, { lang: 'en' });
  const p = await open(c, n, '/overview');
  await p.locator('.live.on').waitFor();
  await p.keyboard.press('p');
  await p.getByRole('button', { name: /Paused/ }).waitFor();
  m.addAlert({ src_ip: '192.0.2.210' });
  m.addAlert({ src_ip: '192.0.2.211' });
  await p.getByRole('button', { name: 'Show 2 new alerts' }).waitFor();
  assert.equal(await p.locator('.feed li', { hasText: '192.0.2.211' }).count(), 0);
  await p.getByRole('button', { name: 'Show 2 new alerts' }).click();
  await p.locator('.feed li', { hasText: '192.0.2.211' }).first().waitFor();
  assert.deepEqual(p.problems, []);
  await c.close();
});

test('store away: failed says what to do, data at hand stay and are called stale', async () => {
  const c = await context(browser, n, { lang: 'en' });
  m.state.fail = (key) => key === 'GET /overview';
  const p = await open(c, n, '/overview');
  await p.getByText('The store is not answering').waitFor();
  await p.getByText('starts it again by itself').waitFor();
  m.state.fail = null;
  await p.getByRole('button', { name: 'Retry' }).click();
  await p.locator('.kpi-value').first().waitFor();
  m.state.fail = (key) => key === 'GET /overview';
  await p.locator('.stale-line').waitFor({ timeout: 15000 });
  assert.ok(await p.locator('.kpi-value').first().isVisible());
  m.state.fail = null;
  await c.close();
});

test('a session that ends shows the login and comes back to the page', async () => {
  const c = await context(browser, n, { lang: 'en' });
  const p = await open(c, n, '/hosts');
  m.state.logged.clear();
  await p.keyboard.press('r');
  await p.locator('input[name=password]').waitFor();
  await p.fill('input[name=password]', m.state.password);
  await p.keyboard.press('Enter');
  await p.getByRole('heading', { name: 'Hosts', level: 1 }).waitFor();
  await c.close();
});

test('first run: the demonstration shows progress and ends on an overview with data', async () => {
  const blank = await node({ mock: true, empty: true });
  const c = await context(browser, blank, { lang: 'en' });
  const p = await open(c, blank, '/');
  await p.getByRole('heading', { name: 'Welcome to Daizong' }).waitFor();
  await p.getByRole('button', { name: 'Load the demonstration' }).click();
  await p.locator('progress').waitFor();
  await p.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  await p.locator('.kpi-value').first().waitFor();
  assert.ok(url(p).searchParams.get('from'));
  assert.deepEqual(p.problems, []);
  await c.close();
  await blank.close();
});

test('first run: a capture file is sent as it is', async () => {
  const blank = await node({ mock: true, empty: true });
  const c = await context(browser, blank, { lang: 'en' });
  const p = await open(c, blank, '/');
  await p.locator('input[type=file]').setInputFiles({ name: 'a b.pcap', mimeType: 'application/octet-stream', buffer: Buffer.from([0xd4, 0xc3, 0xb2, 0xa1]) });
  await p.locator('progress').waitFor();
  assert.ok(blank.mock.state.requests.some((r) => r === 'POST /captures?name=a+b.pcap'));
  await p.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  assert.deepEqual(p.problems, []);
  await c.close();
  await blank.close();
});

test('first paint of the overview: 400 ms of CPU at most, and on a quiet machine of the clock (best of five)', async () => {
  let best = Infinity;
  let least = Infinity;
  for (let i = 0; i < 5 && (best > 300 || least > 300); i++) {
    const c = await context(browser, n);
    const p = await c.newPage();
    const cpu = await cpuOf(p);
    await p.goto(n.url + '/overview');
    await settled(p);
    least = Math.min(least, await cpu());
    const lcp = await p.evaluate(
      () => new Promise((r) => new PerformanceObserver((l) => r(Math.max(...l.getEntries().map((e) => e.startTime)))).observe({ type: 'largest-contentful-paint', buffered: true })),
    );
    best = Math.min(best, lcp);
    await c.close();
  }
  console.log(`     largest paint ${best.toFixed(0)} ms, ${least.toFixed(0)} ms of CPU until the page stands`);
  assert.ok(least <= 400, `${least} ms of CPU`);
  assert.ok(best <= 400 || !quiet(), `${best} ms`);
});
