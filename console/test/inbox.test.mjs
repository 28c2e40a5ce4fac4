// SPDX-License-Identifier: Apache-2.0
// The inbox by keyboard alone: move, open, decide one and many, undo, select; and what the node was told.
import test from 'node:test';
import assert from 'node:assert/strict';
import { context, everything, launch, node, open, REAL } from './env.mjs';

const browser = await launch();
const n = await node({ mock: true });
test.after(async () => {
  await browser.close();
  await n.close();
});
const s = n.mock.state;
const count = (status) => s.groups.filter((g) => g.status === status).length;
const reset = () => s.groups.forEach((g) => (g.status = 'new'));

async function inbox(query = '') {
  reset();
  const c = await context(browser, n, { lang: 'en' });
  const p = await open(c, n, '/inbox' + query);
  await p.locator('#inbox-0').waitFor();
  p.key = async (...keys) => {
    for (const k of keys) await p.keyboard.press(k);
  };
  p.cursor = () => p.locator('.g-row.cursor').getAttribute('id');
  p.done = async () => {
    assert.deepEqual(p.problems, []);
    await c.close();
  };
  return p;
}

const toast = (p, text) => p.locator('.toast', { hasText: text }).waitFor();

test('j and k move, o opens the drawer, keys act there, Escape closes', async () => {
  const p = await inbox();
  await p.key('j', 'j', 'k');
  assert.equal(await p.cursor(), 'inbox-1');
  await p.key('o');
  const title = await p.locator('.drawer h2.what').innerText();
  assert.ok((await p.locator('#inbox-1').innerText()).includes(title));
  await p.key('j');
  assert.equal(await p.cursor(), 'inbox-2');
  await p.waitForFunction((id) => new URL(location.href).searchParams.get('open') !== id, 'x');
  await p.key('Escape');
  await p.locator('.drawer').waitFor({ state: 'detached' });
  assert.equal(new URL(p.url()).searchParams.get('open'), null);
  await p.done();
});

test('e archives the group under the cursor, u takes it back', async () => {
  const p = await inbox();
  const first = await p.locator('#inbox-0').innerText();
  await p.key('e');
  await toast(p, 'Archived 1 group');
  assert.equal(count('archived'), 1);
  assert.notEqual(await p.locator('#inbox-0').innerText(), first);
  await p.key('u');
  await toast(p, 'Taken back');
  assert.equal(count('archived'), 0);
  await p.waitForFunction((t) => document.querySelector('#inbox-0')?.innerText.split('\n')[1] === t.split('\n')[1], first);
  await p.done();
});

test('F8 archives, s escalates, F9 and Shift+s escalate and archive', async () => {
  const p = await inbox();
  await p.key('F8');
  await toast(p, 'Archived 1 group');
  await p.key('s');
  await toast(p, 'Escalated 1 group');
  assert.deepEqual([count('archived'), count('escalated')], [1, 1]);
  await p.key('F9');
  await toast(p, 'Escalated and archived');
  assert.deepEqual([count('archived'), count('escalated')], [2, 1]);
  await p.key('Shift+S');
  await p.waitForTimeout(400);
  assert.deepEqual([count('archived'), count('escalated')], [3, 1]);
  const told = s.requests.filter((r) => r.startsWith('POST /alerts/decide')).length;
  assert.ok(told >= 6);
  await p.done();
});

test('x selects, * 1 selects the same signature, * a all, * n none; one key decides all selected', async () => {
  const p = await inbox();
  await p.key('x', 'j', 'j', 'x');
  await p.getByText('2 groups selected').waitFor();
  await p.key('e');
  await toast(p, 'Archived 2 groups');
  assert.equal(count('archived'), 2);
  await p.key('*', '1');
  const n1 = await p.locator('.bulk b').innerText();
  assert.match(n1, /^\d+ groups? selected$/);
  await p.key('*', 'n');
  await p.locator('.bulk').waitFor({ state: 'detached' });
  await p.key('*', 'a');
  await p.getByText(/(19\d|200) groups selected/).waitFor();
  await p.getByRole('button', { name: /Select all \d+ that match/ }).click();
  const all = count('new');
  await p.key('s');
  await toast(p, `Escalated ${all} groups`);
  assert.equal(count('new'), 0);
  await p.getByText('Nothing to decide').waitFor();
  await p.key('u');
  await toast(p, 'Taken back');
  assert.equal(count('new'), all);
  await p.done();
});

test('the head counts groups and alerts along; a refresh that fails keeps the list and says so', async () => {
  const p = await inbox();
  const sub = async () => (await p.locator('.page-head .sub').innerText()).split(/ groups?,/).map((x) => Number(x.replace(/\D/g, '')));
  const [g0, a0] = await sub();
  const n0 = Number((await p.locator('#inbox-0 .g-cell').nth(2).innerText()).replace(/\D/g, ''));
  await p.key('e');
  await toast(p, 'Archived 1 group');
  assert.deepEqual(await sub(), [g0 - 1, a0 - n0]);
  s.fail = (k) => k === 'GET /alerts';
  try {
    await p.key('r');
    await p.locator('.stale-line', { hasText: 'The store is not answering' }).waitFor();
    assert.ok(await p.locator('#inbox-0').isVisible());
    s.fail = null;
    await p.locator('.stale-line button').click();
    await p.locator('.stale-line').waitFor({ state: 'detached' });
  } finally {
    s.fail = null;
  }
  p.problems = p.problems.filter((x) => !/status of 503/.test(x));
  await p.done();
});

test('a decision that fails is said and the list is as before', async () => {
  const p = await inbox();
  const first = await p.locator('#inbox-0').innerText();
  s.fail = (key) => key === 'POST /alerts/decide';
  await p.key('e');
  await toast(p, 'The decision did not go through');
  s.fail = null;
  const who = (text) => text.split('\n').slice(0, 6).join();
  assert.equal(who(await p.locator('#inbox-0').innerText()), who(first));
  p.problems = p.problems.filter((x) => !x.includes('503'));
  await p.done();
});

test('single-key shortcuts can be switched off', async () => {
  const p = await inbox();
  await p.key('?');
  await p.getByLabel('Single-key shortcuts on').uncheck();
  await p.key('Escape');
  await p.key('e');
  await p.waitForTimeout(200);
  assert.equal(count('archived'), 0);
  await p.done();
});

test('the same row everywhere: the grid by Tab and arrows, focus is visible', async () => {
  const p = await inbox();
  await p.locator('.grid').focus();
  await p.key('ArrowDown', 'PageDown', 'Home', 'ArrowDown');
  assert.equal(await p.cursor(), 'inbox-1');
  assert.equal(await p.locator('.grid').getAttribute('aria-activedescendant'), 'inbox-1');
  const ring = await p.evaluate(() => getComputedStyle(document.querySelector('.grid')).outlineStyle);
  assert.equal(ring, 'solid');
  await p.key('Enter');
  await p.locator('.drawer h2.what').waitFor();
  await p.done();
});

test('the real node: groups move, open and close by keyboard', { skip: !REAL && 'no DAIZONG_URL' }, async () => {
  const r = await node();
  const c = await context(browser, r, { lang: 'en' });
  const p = await open(c, r, '/inbox?status=all&' + (await everything(browser, r)));
  await p.locator('#inbox-0').waitFor();
  await p.keyboard.press('o');
  await p.locator('.drawer h2.what').waitFor();
  await p.keyboard.press('Escape');
  await p.locator('.drawer').waitFor({ state: 'detached' });
  assert.deepEqual(p.problems, []);
  await c.close();
});
