// SPDX-License-Identifier: Apache-2.0
// The walk: first login, first data, then each page as people use it. What a page shows is held against the
// API's answer and against what the demo captures are known to hold.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { until } from './node.mjs';
import { advice, close, count, drag, expected, list, login, number, param, person, rows, settled, tab, text, toast } from './page.mjs';

const known = expected();
const alertsInAll = [...known.alerts.values()].reduce((a, b) => a + b, 0);
const heading = (p, key) => p.getByRole('heading', { name: text(key), level: 1 }).waitFor();
/** The range on screen, for asking the API the same. */
const range = (p) => ({ from: param(p, 'from'), to: param(p, 'to') ?? 'now' });
const kpi = (p, key) => p.locator('.kpi', { has: p.getByText(text(key), { exact: true }) }).locator('.kpi-value').innerText();

export const steps = [];
const step = (name, run) => steps.push([name, run]);

step('first login: a wrong password is told, the one printed at the start leads in', async (w) => {
  w.c = await person(w);
  w.p = await tab(w, w.c, '/');
  await login(w.p, 'admin', 'certainly-wrong');
  await w.p.getByText(text('login.wrong')).waitFor();
  await login(w.p, 'admin', w.password);
  await heading(w.p, 'start.first');
});

step('first run: the three ways to data, with the interfaces that the machine has', async (w) => {
  const { p } = w;
  for (const k of ['start.demo', 'start.file', 'start.iface']) await p.getByRole('heading', { name: text(k) }).waitFor();
  const { interfaces } = await w.node.get('/interfaces');
  await p.locator('.ifs .if').first().waitFor();
  assert.deepEqual((await p.locator('.ifs .if b').allInnerTexts()).sort(), interfaces.map((i) => i.name).sort());
  await p.getByRole('radio', { name: /^lo / }).check();
  await p.getByRole('button', { name: text('start.watch', { name: 'lo' }) }).waitFor();
});

step('first data: one click on the demonstration leads to an overview of exactly its time', async (w) => {
  const { p, node } = w;
  await p.getByRole('button', { name: text('start.demo.go') }).click();
  await p.locator('.job progress').waitFor();
  await p.waitForURL(/\/overview\?.*from=/, { timeout: 180000 });
  await settled(p);
  const { jobs } = await node.get('/jobs');
  assert.equal(jobs.length, known.captures);
  assert.deepEqual([...new Set(jobs.map((j) => j.state))], ['done'], 'the page waits for every capture');
  const all = await node.get('/events', { from: '1970-01-01T00:00:00Z', limit: 1, order: 'asc' });
  assert.ok(Date.parse(param(p, 'from')) < Date.parse(all.events[0].timestamp));
  assert.equal((await until(async () => (await node.get('/overview', range(p))).totals.alerts === alertsInAll, 20)), true);
  await p.reload();
  await settled(p);
});

step('overview: the figures are those of the API and the alerts those of the captures', async (w) => {
  const { p, node } = w;
  const o = await node.get('/overview', range(p));
  assert.equal(o.totals.alerts, alertsInAll);
  assert.equal(number(await kpi(p, 'kpi.open')), o.totals.open_groups);
  assert.equal(o.totals.open_groups, known.alerts.size);
  assert.equal(number(await kpi(p, 'kpi.critical')), o.totals.critical);
  assert.equal(number(await kpi(p, 'kpi.hosts')), o.totals.hosts);
  assert.deepEqual(await list(p, text('overview.sources')), o.top_sources.map((x) => [x.value, count(x.count)]).slice(0, (await list(p, text('overview.sources'))).length));
  const shown = await list(p, text('overview.signatures'));
  assert.ok(shown.length >= 5);
  for (const [name, n] of shown) assert.equal(number(n), known.alerts.get(o.top_signatures.find((s) => s.value.toLowerCase().endsWith(name.toLowerCase()))?.signature_id), name);
  assert.deepEqual((await list(p, text('overview.protocols'))).map((x) => x[0]).sort(), o.protocols.map((x) => x.value).sort());
  assert.equal((await list(p, text('overview.targets'))).length, Math.min(o.top_targets.length, (await list(p, text('overview.targets'))).length));
  const feed = await p.locator('.feed li').allInnerTexts();
  assert.equal(feed.length, alertsInAll);
  assert.ok(await p.locator('.trend .bar').count() >= 3, 'a trend of at least three severities');
  const width = await p.locator('.trend .histo svg').evaluate((s) => [s.clientWidth, Math.max(...[...s.querySelectorAll('.bar')].map((b) => b.getBBox().width))]);
  assert.ok(width[1] > 0 && width[1] < width[0], `bars stand apart in time: ${width}`);
  const line = await p.locator('.line-chart .line-0').evaluate((l) => ({ width: l.getBBox().width, height: l.getBBox().height }));
  assert.ok(line.width > 100 && line.height > 5, `traffic is drawn: ${JSON.stringify(line)}`);
});

step('overview: a range dragged on the trend answers for the lists, and stands in the address', async (w) => {
  const { p, node } = w;
  await drag(p, p.locator('.trend .histo'), 0.3, 0.55);
  await p.waitForURL(/sel=/);
  const [a, b] = param(p, 'sel').split('~');
  const o = await node.get('/overview', { from: a, to: b });
  // Some of the alerts, and exactly those of these seconds.
  assert.ok(o.totals.alerts > 0 && o.totals.alerts < alertsInAll, `${o.totals.alerts} alerts`);
  assert.equal(o.totals.alerts, (await node.get('/events/histogram', { from: a, to: b, q: 'event_type:alert' })).total);
  assert.equal(o.top_signatures.reduce((n, x) => n + x.count, 0), o.totals.alerts);
  await p.waitForFunction((n) => [...document.querySelectorAll('.kpi-value')].some((k) => k.textContent === n), count(o.totals.hosts));
  await p.locator('.selection .icon-btn').click();
  await p.waitForFunction(() => !location.search.includes('sel='));
});

step('without a range in the address, data of another time is shown and the page says so', async (w) => {
  const o = await w.node.get('/overview', { from: 'now-24h' });
  for (const [path, name, rows, n] of [
    ['/', 'nav.overview', '.feed li', alertsInAll],
    ['/inbox', 'nav.inbox', '[id^=inbox-].g-row', known.alerts.size],
  ]) {
    const p = await tab(w, w.c, path);
    await heading(p, name);
    // The captures may have been recorded within the last day.
    if (o.totals.events === 0) {
      await p.waitForURL(/from=/);
      await p.getByText(text('range.moved')).waitFor();
    }
    await p.waitForFunction(([q, k]) => document.querySelectorAll(q).length === k, [rows, n]);
    await close(w, p);
  }
});

step('inbox: j and k move, o opens, e archives a whole group, u takes it back, s escalates', async (w) => {
  const { node } = w;
  const { from, to } = range(w.p);
  const p = (w.inbox = await tab(w, w.c, `/inbox?from=${from}&to=${to}`));
  const before = await node.get('/alerts', { from, to, limit: 100 });
  assert.equal(before.totals.groups, known.alerts.size);
  await p.getByText(text('inbox.sub', { groups: before.totals.groups, alerts: before.totals.alerts })).waitFor();
  assert.equal((await rows(p)).length, known.alerts.size);
  for (const k of ['j', 'j', 'k']) await p.keyboard.press(k);
  assert.equal(await p.locator('.g-row.cursor').getAttribute('id'), 'inbox-1');
  const second = before.groups[1];
  await p.keyboard.press('e');
  await toast(p, text('inbox.done.archive', { n: 1 }));
  const status = async (g) => (await node.get('/alerts/' + encodeURIComponent(g.id))).group.status;
  assert.equal(await status(second), 'archived');
  assert.ok(!(await rows(p)).join().includes(second.signature));
  await p.keyboard.press('u');
  await toast(p, text('inbox.undone'));
  assert.equal(await status(second), 'new');
  await p.locator('.g-row', { hasText: second.signature }).waitFor();
  await p.keyboard.press('s');
  await toast(p, text('inbox.done.escalate', { n: 1 }));
  assert.equal((await node.get('/alerts', { from, to, status: 'escalated' })).totals.groups, 1);
  await p.getByRole('button', { name: text('status.escalated'), exact: true }).click();
  await p.waitForFunction(() => document.querySelectorAll('.g-body .g-row').length === 1);
  await p.keyboard.press('Shift+e');
  await toast(p, text('inbox.done.reopen', { n: 1 }));
  assert.equal((await node.get('/alerts', { from, to, status: 'new' })).totals.groups, known.alerts.size);
  await p.getByRole('button', { name: text('status.new'), exact: true }).click();
  await p.waitForFunction((n) => document.querySelectorAll('.g-body .g-row').length === n, known.alerts.size);
});

step('inbox: the drawer of every group says what happened and what to do, in both languages', async (w) => {
  const p = w.inbox;
  const words = advice();
  const { groups } = await w.node.get('/alerts', { ...range(p), limit: 100 });
  await p.keyboard.press('Shift+h');
  await p.keyboard.press('o');
  for (const [i, g] of groups.entries()) {
    await p.waitForFunction((id) => new URL(location.href).searchParams.get('open') === id, g.id);
    await p.locator('.drawer h2.what', { hasText: g.signature }).waitFor();
    for (const kind of ['what', 'todo']) await p.locator('.drawer', { hasText: words[g.signature_id][kind].en }).waitFor();
    await p.locator('.drawer .hex, .drawer .evidence-line, .drawer .sample-row').first().waitFor();
    if (i < groups.length - 1) await p.keyboard.press('j');
  }
  await p.getByRole('button', { name: /切换到中文/ }).click();
  const last = words[groups[groups.length - 1].signature_id];
  await p.locator('.drawer', { hasText: last.what.zh }).waitFor();
  await p.locator('.drawer', { hasText: last.todo.zh }).waitFor();
  await p.getByRole('button', { name: /switch to English/ }).click();
  await p.getByText(text('drawer.todo'), { exact: true }).waitFor();
  await p.getByRole('button', { name: text('drawer.raw') }).click();
  const raw = JSON.parse(await p.locator('.drawer pre.json').first().innerText());
  assert.equal(raw.alert.signature_id, groups[groups.length - 1].signature_id);
  await p.keyboard.press('Escape');
  await p.locator('.drawer').waitFor({ state: 'detached' });
});

step('inbox: a note given with a decision stands in the history', async (w) => {
  const p = w.inbox;
  await p.keyboard.press('Shift+h');
  const first = (await w.node.get('/alerts', { ...range(p), limit: 1 })).groups[0];
  await p.keyboard.press('o');
  await p.locator('.drawer-foot').getByRole('button', { name: text('inbox.note') }).click();
  await p.getByLabel(text('inbox.note.text')).fill('asked the owner; a planned test');
  await p.getByRole('dialog').getByRole('button', { name: text('inbox.escalate') }).click();
  await toast(p, text('inbox.done.escalate', { n: 1 }));
  const page = await w.node.get('/alerts/' + encodeURIComponent(first.id));
  assert.equal(page.group.note, 'asked the owner; a planned test');
  await p.getByRole('button', { name: text('status.escalated'), exact: true }).click();
  await p.waitForFunction(() => document.querySelectorAll('.g-body .g-row').length === 1);
  await p.locator('#inbox-0').click({ position: { x: 300, y: 10 } });
  await p.locator('.drawer .history', { hasText: 'asked the owner; a planned test' }).waitFor();
  await p.keyboard.press('Shift+e');
  await toast(p, text('inbox.done.reopen', { n: 1 }));
  await p.getByRole('button', { name: text('status.new'), exact: true }).click();
  await p.waitForFunction((n) => document.querySelectorAll('.g-body .g-row').length === n, known.alerts.size);
});

step('inbox: select several, decide them with one key, undo all', async (w) => {
  const p = w.inbox;
  for (const k of ['*', 'a']) await p.keyboard.press(k);
  await p.getByText(text('inbox.selected', { n: known.alerts.size })).waitFor();
  await p.keyboard.press('F8');
  await toast(p, text('inbox.done.archive', { n: known.alerts.size }));
  await p.getByText(text('inbox.empty')).waitFor();
  assert.equal((await w.node.get('/alerts', { ...range(p) })).totals.groups, 0);
  await p.keyboard.press('u');
  await toast(p, text('inbox.undone'));
  await p.waitForFunction((n) => document.querySelectorAll('.g-body .g-row').length === n, known.alerts.size);
  assert.equal((await w.node.get('/alerts', { ...range(p) })).totals.groups, known.alerts.size);
  await close(w, p);
});

step('search: text, field counts, pivot, brush, columns, raw JSON; each number is the API\'s', async (w) => {
  const { node } = w;
  const span = range(w.p);
  const p = (w.search = await tab(w, w.c, `/events?from=${span.from}&to=${span.to}`));
  const total = async (q) => (await node.get('/events/histogram', { ...span, q })).total;
  const says = (n) => p.locator('.page-head .sub', { hasText: new RegExp('^' + count(n) + ' event') }).waitFor();
  await says(await total(''));
  const facets = await p.locator('.facet li').evaluateAll((all) => all.map((li) => [li.querySelector('.facet-v')?.innerText, li.querySelector('.facet-n')?.innerText]));
  const top = await node.get('/events/top', { ...span, field: 'event_type', limit: 10 });
  assert.deepEqual(facets.filter((f) => f[0]), top.values.map((v) => [v.value, count(v.count)]));
  await p.keyboard.press('/');
  await p.keyboard.type('event_type:http portal');
  await p.keyboard.press('Enter');
  await p.waitForURL(/q=event_type/);
  const http = await total('event_type:http portal');
  assert.ok(http > 0 && http < (await total('event_type:http')));
  await says(http);
  await p.locator('.facet-v', { hasText: 'http' }).waitFor();
  await p.getByRole('button', { name: 'dest_ip', exact: true }).click();
  const dest = await node.get('/events/top', { ...span, q: 'event_type:http portal', field: 'dest_ip', limit: 10 });
  await p.locator('.facet-v', { hasText: dest.values[0].value }).click();
  await p.waitForURL(/dest_ip/);
  await says(dest.values[0].count);
  await p.locator('#events-0 .pivot').nth(1).click();
  await p.getByRole('menuitem', { name: text('pivot.out') }).click();
  await p.waitForURL(/-src_ip/);
  await says(await total(param(p, 'q')));
  await p.goBack();
  await says(dest.values[0].count);
  await drag(p, p.locator('.events-histo .histo'), 0.01, 0.99);
  await p.waitForURL(/sel=/);
  await p.locator('.selection').waitFor();
  await p.locator('.selection .icon-btn').click();
  await p.waitForFunction(() => !location.search.includes('sel='));
  await p.locator('#events-0').click({ position: { x: 600, y: 12 } });
  await p.locator('.drawer h2.what').waitFor();
  await p.getByRole('button', { name: 'JSON', exact: true }).click();
  const raw = JSON.parse(await p.locator('.drawer pre.json').innerText());
  const one = (await node.get('/events/' + encodeURIComponent(param(p, 'row')))).event;
  assert.equal(raw.http.url, one.http.url);
  assert.equal(raw.flow_id, one.flow_id);
});

step('search: the address is the state: reload, back and forward keep it', async (w) => {
  const p = w.search;
  const state = async () => [p.url(), await rows(p), await p.locator('.drawer h2.what').innerText()];
  await settled(p);
  const before = await state();
  await p.reload();
  await settled(p);
  await p.locator('.drawer h2.what').waitFor();
  assert.deepEqual(await state(), before);
  await p.goBack();
  await p.locator('.drawer').waitFor({ state: 'detached' });
  await p.goForward();
  await p.locator('.drawer h2.what').waitFor();
  assert.deepEqual(await state(), before);
});

step('search: all that match are exported; an alert leads to its flow and to its group', async (w) => {
  const { node } = w;
  const span = range(w.p);
  const p = await tab(w, w.c, `/events?from=${span.from}&to=${span.to}`);
  const { total } = await node.get('/events/histogram', span);
  await p.getByRole('button', { name: text('events.export') }).click();
  const [d] = await Promise.all([p.waitForEvent('download'), p.getByRole('menuitem', { name: text('events.alljson', { n: total }) }).click()]);
  const all = readFileSync(await d.path(), 'utf8').trim().split('\n').map((l) => JSON.parse(l));
  assert.equal(all.length, total);
  assert.equal(new Set(all.map((e) => e._id)).size, total);
  const alert = all.find((e) => e.event_type === 'alert' && all.some((f) => f.event_type === 'flow' && f.flow_id === e.flow_id));
  await p.goto(`${node.url}/events?from=${span.from}&to=${span.to}&row=${encodeURIComponent(alert._id)}`);
  await p.getByRole('link', { name: text('event.sameflow') }).click();
  await p.locator('.page-head .sub', { hasText: new RegExp('^' + count(all.filter((e) => e.flow_id === alert.flow_id).length) + ' event') }).waitFor();
  await p.goBack();
  await p.getByRole('link', { name: text('event.alertgroup') }).click();
  await p.locator('.drawer h2.what', { hasText: alert.alert.signature }).waitFor();
  await close(w, p);
});

step('search: the time picker narrows and widens; no data in the range leads on', async (w) => {
  const p = w.search;
  await p.goto(w.node.url + '/events');
  await settled(p);
  await p.locator('#time-range').click();
  await p.getByRole('button', { name: text('range.last.m', { n: 15 }) }).click();
  await p.waitForURL(/from=now-15m/);
  await p.getByText(text('overview.nothing')).waitFor();
  await p.getByRole('button', { name: text('range.all') }).click();
  await p.waitForURL(/from=20/);
  await p.locator('#events-0').waitFor();
  const n = (await w.node.get('/events/histogram', range(p))).total;
  await p.locator('.page-head .sub', { hasText: count(n) }).waitFor();
});

step('search: a mistake is marked at its place, also behind Chinese, and examples show the way', async (w) => {
  const p = w.search;
  p.expect = /status of 4/;
  for (const q of ['event_type:dns (http.url', '端口 nofield:1']) {
    await p.goto(w.node.url + '/events?q=' + encodeURIComponent(q));
    const r = await w.node.request('GET', '/api/v1/events?q=' + encodeURIComponent(q));
    const at = JSON.parse(r.text).error.position;
    const mark = Buffer.from(q).subarray(0, at).toString();
    await p.locator('.query-error').waitFor();
    const marked = await p.locator('.query-mirror').evaluate((m) => m.firstChild?.nodeType === 3 ? m.firstChild.data : '');
    assert.equal(marked, mark);
    assert.match(await p.locator('.query-error').innerText(), new RegExp(`\\b${mark.length + 1}\\b`));
  }
  await p.locator('.state .try').first().click();
  await p.locator('.query-error').waitFor({ state: 'detached' });
  await close(w, p);
});

step('host: the attacked server, its services, names, alerts and peers', async (w) => {
  const { node } = w;
  const span = range(w.p);
  const { groups } = await node.get('/alerts', { ...span, limit: 100, status: 'all' });
  const ip = groups.find((g) => g.signature_id === 9000001).dest_ip;
  const h = await node.get('/hosts/' + ip, span);
  // A thousand ports were tried on it; two of them are services.
  assert.deepEqual(h.services.map((s) => s.port).sort((x, y) => x - y), [80, 443]);
  const p = await tab(w, w.c, `/hosts/${ip}/?from=${span.from}&to=${span.to}`);
  await p.getByRole('heading', { name: ip, level: 1 }).waitFor();
  assert.equal(number(await kpi(p, 'unit.alerts')), h.totals.alerts);
  assert.equal(number(await kpi(p, 'host.flows')), h.totals.flows);
  assert.equal(await p.locator('.lines li').count(), h.alerts.length);
  assert.ok((await p.locator('table').innerText()).includes('tcp/80'));
  const bars = await p.locator('.histo .bar').evaluateAll((all) => all.map((b) => b.getAttribute('class')));
  assert.ok(bars.some((b) => /critical|high/.test(b)), `the timeline shows alerts: ${bars}`);
  await p.locator('.lines a').first().click();
  await p.locator('.drawer h2.what').waitFor();
  await p.goBack();
  await p.getByRole('heading', { name: ip, level: 1 }).waitFor();
  await close(w, p);
  for (const path of [`/hosts/${ip}`, `/host/${ip}`]) {
    const q = await tab(w, w.c, path);
    await q.getByRole('heading', { name: ip, level: 1 }).waitFor();
    await close(w, q);
  }
});

step('sensors: every capture is there with its books, and they balance', async (w) => {
  const { sensors } = await w.node.get('/sensors');
  const p = await tab(w, w.c, '/sensors');
  assert.equal(sensors.length, known.captures);
  for (const s of sensors) {
    const row = p.locator('tr, .sensor', { hasText: s.id }).first();
    await row.waitFor();
    assert.ok((await row.innerText()).includes(count(s.totals.packets)), s.id);
    assert.equal(s.ledger.reconciles, true);
    assert.equal(s.ledger.seen, s.ledger.carried + s.ledger.lost);
  }
  await close(w, p);
});

step('system: health, users, tokens, settings; what is made is there and works', async (w) => {
  const { node } = w;
  const p = (w.system = await tab(w, w.c, '/system'));
  const health = await node.get('/health');
  await p.getByText(health.version, { exact: true }).waitFor();
  await p.getByRole('button', { name: text('system.users'), exact: true }).click();
  await p.waitForURL(/tab=users/);
  await p.getByRole('button', { name: text('users.new') }).click();
  await p.getByRole('dialog').getByLabel(text('login.user')).fill('reader');
  await p.getByRole('dialog').getByLabel(text('login.password')).fill('only-to-look-at');
  await p.getByRole('dialog').getByLabel(text('users.role')).selectOption('viewer');
  await p.getByRole('dialog').getByRole('button', { name: text('users.add') }).click();
  await toast(p, text('users.added', { name: 'reader' }));
  assert.equal((await node.get('/users')).users.find((u) => u.name === 'reader').role, 'viewer');
  await p.getByRole('button', { name: text('system.tokens'), exact: true }).click();
  await p.getByLabel(text('tokens.name')).fill('a script');
  await p.getByRole('button', { name: text('tokens.new') }).click();
  const token = (await p.getByRole('dialog').locator('pre').innerText()).trim();
  const answer = await fetch(node.url + '/api/v1/events?limit=1', { headers: { Authorization: 'Bearer ' + token } });
  assert.equal(answer.status, 200);
  await p.keyboard.press('Escape');
  await p.getByRole('button', { name: text('tokens.revoke') }).click();
  await p.getByRole('dialog').getByRole('button', { name: text('tokens.revoke') }).click();
  await p.getByText(text('tokens.none')).waitFor();
  assert.equal((await fetch(node.url + '/api/v1/events?limit=1', { headers: { Authorization: 'Bearer ' + token } })).status, 401);
  await p.getByRole('button', { name: text('system.settings'), exact: true }).click();
  await p.getByLabel(text('settings.retention'), { exact: false }).fill('200');
  await p.getByRole('button', { name: text('action.save') }).click();
  await toast(p, text('settings.saved'));
  assert.equal((await node.get('/settings')).retention_days, 200);
  await close(w, p);
});

step('a viewer looks, and is not offered what the role does not allow', async (w) => {
  const c = await person(w);
  const p = await tab(w, c, `/inbox?${new URLSearchParams(range(w.p))}`);
  await login(p, 'reader', 'only-to-look-at');
  await p.locator('#inbox-0').waitFor();
  assert.equal(await p.getByRole('button', { name: text('inbox.archive'), exact: true }).count(), 0);
  const before = await rows(p);
  await p.keyboard.press('e');
  await toast(p, text('role.mayonly'));
  assert.deepEqual(await rows(p), before);
  assert.equal((await w.node.get('/alerts', range(w.p))).totals.groups, known.alerts.size);
  await p.goto(w.node.url + '/start');
  await p.getByText(text('start.reader')).waitFor();
  assert.equal(await p.getByRole('button', { name: text('start.demo.go') }).isDisabled(), true);
  await p.goto(w.node.url + '/system');
  await settled(p);
  assert.equal(await p.getByRole('button', { name: text('system.users'), exact: true }).count(), 0);
  await close(w, p);
  await c.close();
});

step('by keyboard alone: the skip link, focus that is seen, no motion where none is wanted', async (w) => {
  const p = await tab(w, w.c, `/overview?${new URLSearchParams(range(w.p))}`);
  await p.keyboard.press('Tab');
  const skip = await p.evaluate(() => [document.activeElement.className, document.activeElement.getBoundingClientRect().top >= 0]);
  assert.deepEqual(skip, ['skip', true]);
  await p.keyboard.press('Enter');
  assert.equal(await p.evaluate(() => document.activeElement.id), 'main');
  for (let i = 0; i < 12; i++) {
    await p.keyboard.press('Tab');
    const [what, seen] = await p.evaluate(() => {
      const s = getComputedStyle(document.activeElement);
      return [document.activeElement.outerHTML.slice(0, 80), (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none'];
    });
    assert.ok(seen, `the focus is seen on ${what}`);
  }
  await p.emulateMedia({ reducedMotion: 'reduce' });
  assert.equal(await p.evaluate(() => parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--motion'))), 0);
  await close(w, p);
});

step('navigation in both languages: every page by its link and by its keys', async (w) => {
  for (const lang of ['en', 'zh-CN']) {
    const c = await person(w, { lang, context: { storageState: await w.c.storageState().then((s) => ({ ...s, origins: [] })) } });
    const p = await tab(w, c, `/overview?${new URLSearchParams(range(w.p))}`);
    for (const [key, keys] of [['inbox', 'i'], ['events', 'e'], ['hosts', 'h'], ['sensors', 's'], ['start', 'a'], ['system', 'y'], ['overview', 'o']]) {
      const name = text('nav.' + key, {}, lang);
      const title = () => p.getByRole('heading', { name, level: 1 });
      await p.getByRole('navigation').getByRole('link', { name: new RegExp('^' + name) }).click();
      await title().waitFor();
      assert.match(await p.title(), new RegExp(name));
      assert.equal(await p.locator('[aria-current=page]').count(), 1);
      await p.goBack();
      await title().waitFor({ state: 'detached' });
      await p.keyboard.press('g');
      await p.keyboard.press(keys);
      await title().waitFor();
    }
    await p.keyboard.press('?');
    await p.getByRole('dialog', { name: text('help.title', {}, lang) }).waitFor();
    await p.keyboard.press('Escape');
    await close(w, p);
    await c.close();
  }
});
