// SPDX-License-Identifier: Apache-2.0
// What the steps share: browsers of people, pages that note what goes wrong on them, texts in both languages.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settled } from '../../console/test/env.mjs';
import { ROOT } from './node.mjs';

export { settled };
const read = (path) => readFileSync(join(ROOT, path), 'utf8');
const tables = { en: JSON.parse(read('console/src/i18n/en.json')), 'zh-CN': JSON.parse(read('console/src/i18n/zh-CN.json')) };

/** The console's text, filled as it fills it. */
export function text(key, args = {}, lang = 'en') {
  const raw = tables[lang][key];
  assert.ok(raw !== undefined, `no text ${key}`);
  return raw.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_m, name, one, other) => {
    const v = args[name];
    if (one !== undefined) return Number(v) === 1 ? one : other;
    return typeof v === 'number' ? count(v, lang) : String(v ?? '');
  });
}
export const count = (n, lang = 'en') => new Intl.NumberFormat(lang).format(n);
export const number = (s) => Number(String(s).replace(/[^\d.-]/g, ''));

/** sid → alerts that the demo captures are known to hold; and how many captures. */
export function expected() {
  const alerts = new Map();
  const rows = read('tests/demo/expected.tsv').split('\n').filter((l) => l && !l.startsWith('#')).map((l) => l.split('\t'));
  for (const [, sid, n] of rows) if (sid !== '-') alerts.set(Number(sid), (alerts.get(Number(sid)) ?? 0) + Number(n));
  return { alerts, captures: new Set(rows.map((r) => r[0])).size };
}
export const advice = () => JSON.parse(read('rules/advice.json'));
export const capture = (name) => readFileSync(join(ROOT, 'demo/captures', name + '.pcap'));

/** A browser of its own: nobody is logged in. */
export async function person(w, o = {}) {
  const c = await w.browser.newContext({ viewport: { width: 1600, height: 900 }, timezoneId: 'Asia/Shanghai', ...o.context });
  c.setDefaultTimeout(20000);
  await c.addInitScript((l) => localStorage.getItem('daizong.lang') ?? localStorage.setItem('daizong.lang', l), o.lang ?? 'en');
  return c;
}

/** A tab that notes script errors, console errors other than `expect`, and requests that leave the node. */
export async function tab(w, c, path, o = {}) {
  const p = await c.newPage();
  p.problems = [];
  p.expect = o.expect ?? /status of 401/;
  w.pages.add(p);
  p.on('pageerror', (e) => p.problems.push('script error: ' + (e.stack ?? e)));
  p.on('console', (m) => {
    if (m.type() === 'error' && !p.expect.test(m.text())) p.problems.push('console: ' + m.text());
  });
  p.on('request', (r) => {
    const u = new URL(r.url());
    if (u.origin !== w.node.url && u.protocol !== 'blob:' && u.protocol !== 'data:') w.outside.push(r.url());
  });
  await p.goto(w.node.url + path);
  if (o.settle !== false) await settled(p);
  return p;
}

export async function close(w, p) {
  assert.deepEqual(p.problems, []);
  w.pages.delete(p);
  await p.close();
}

export async function login(p, user, password) {
  await p.fill('input[name=username]', user);
  await p.fill('input[name=password]', password);
  await p.keyboard.press('Enter');
}

/** Drags over a chart, from and to as shares of its width. */
export async function drag(p, locator, a, b) {
  const box = await locator.boundingBox();
  await p.mouse.move(box.x + box.width * a, box.y + box.height / 2);
  await p.mouse.down();
  await p.mouse.move(box.x + box.width * b, box.y + box.height / 2, { steps: 6 });
  await p.mouse.up();
}

/** Lets a file fall on an element, as from the desktop. */
export async function drop(p, selector, name, bytes) {
  const data = await p.evaluateHandle(
    ([n, b64]) => {
      const dt = new DataTransfer();
      dt.items.add(new File([Uint8Array.from(atob(b64), (x) => x.charCodeAt(0))], n));
      return dt;
    },
    [name, bytes.toString('base64')],
  );
  await p.dispatchEvent(selector, 'dragover', { dataTransfer: data });
  await p.dispatchEvent(selector, 'drop', { dataTransfer: data });
}

export const param = (p, name) => new URL(p.url()).searchParams.get(name);
export const toast = (p, what) => p.locator('.toast', { hasText: what }).last().waitFor();
/** Rows of a grid from top to bottom, as text. */
export const rows = (p) =>
  p.evaluate(() =>
    [...document.querySelectorAll('.g-body .g-row')]
      .sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))
      .map((r) => r.innerText),
  );
/** A top list as [text, number] pairs, by the title of its card. */
export const list = (p, title) =>
  p.locator('.card', { has: p.getByRole('heading', { name: title, exact: true }) }).locator('.toplist li').evaluateAll((all) =>
    all.map((li) => [li.querySelector('.toplist-text').innerText.trim().split('\n').pop(), li.querySelector('.toplist-n').innerText]),
  );
