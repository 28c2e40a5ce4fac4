// SPDX-License-Identifier: Apache-2.0
// What the tests stand on: one Chromium, and either the mock node or the node that DAIZONG_URL names. A page
// opened here fails its test on a script error, a console error and a request to any other host.
import { chromium } from 'playwright-core';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startMock } from './mock.mjs';

const here = dirname(fileURLToPath(import.meta.url));
export const REAL = process.env.DAIZONG_URL ?? '';
const OF_MOCK = 'secret-of-tests';
export const PASSWORD = process.env.DAIZONG_PASSWORD ?? OF_MOCK;
export const USER = process.env.DAIZONG_USER ?? 'admin';
export const SHOTS = process.env.DAIZONG_SHOTS ?? join(here, '..', '..', 'build', 'console');
mkdirSync(SHOTS, { recursive: true });

export async function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** The node under test: {url, mock|null, close()}. */
export async function node(o = {}) {
  if (REAL && !o.mock) return { url: REAL.replace(/\/$/, ''), mock: null, close: async () => undefined };
  const mock = await startMock(o);
  return { url: mock.url, mock, close: mock.close };
}

export async function context(browser, n, o = {}) {
  const c = await browser.newContext({
    viewport: { width: o.width ?? 1920, height: o.height ?? 1080 },
    timezoneId: 'Asia/Shanghai',
    reducedMotion: 'reduce',
    ...(o.context ?? {}),
  });
  c.setDefaultTimeout(15000);
  await c.addInitScript(
    ([lang, theme]) => {
      if (!localStorage.getItem('daizong.lang')) localStorage.setItem('daizong.lang', lang);
      if (!localStorage.getItem('daizong.theme')) localStorage.setItem('daizong.theme', theme);
    },
    [o.lang ?? 'zh-CN', o.theme ?? 'light'],
  );
  if (o.login !== false) {
    const r = await c.request.post(n.url + '/api/v1/session', { data: n.mock ? { username: 'admin', password: OF_MOCK } : { username: USER, password: PASSWORD } });
    if (!r.ok()) throw new Error(`login: ${r.status()} ${await r.text()}`);
  }
  return c;
}

/** Opens a page and waits until it stands; `problems` fills with whatever went wrong on it. */
export async function open(c, n, path) {
  const p = await c.newPage();
  p.problems = [];
  p.on('pageerror', (e) => p.problems.push('script error: ' + (e.stack ?? e)));
  p.on('console', (m) => {
    if (m.type() === 'error' && !/status of (401|400|404)/.test(m.text())) p.problems.push('console: ' + m.text());
  });
  p.on('request', (r) => {
    const u = r.url();
    if (!u.startsWith(n.url) && !u.startsWith('blob:') && !u.startsWith('data:')) p.problems.push('outside request: ' + u);
  });
  await p.goto(n.url + path);
  await settled(p);
  return p;
}

/** `from=…&to=…` of all data on the node under test; empty for the mock, whose data are of today. */
export async function everything(browser, n) {
  if (n.mock) return '';
  const c = await context(browser, n);
  const at = async (order) => {
    const r = await c.request.get(`${n.url}/api/v1/events?from=1970-01-01T00:00:00Z&to=now&limit=1&order=${order}`);
    return Date.parse((await r.json()).events?.[0]?.timestamp ?? '');
  };
  const [a, b] = [await at('asc'), await at('desc')];
  await c.close();
  if (!(a <= b)) return '';
  return `from=${encodeURIComponent(new Date(a - 1000).toISOString())}&to=${encodeURIComponent(new Date(b + 1000).toISOString())}`;
}

export async function settled(p) {
  await p.waitForFunction(() => document.querySelector('h1') && !document.querySelector('.skeleton'), null, { timeout: 20000 });
  await p.evaluate(() => document.fonts.ready);
  await p.waitForTimeout(120);
}

/** Both languages in both themes. */
export const LOOKS = [
  ['zh-CN', 'light'],
  ['zh-CN', 'dark'],
  ['en', 'light'],
  ['en', 'dark'],
];

/** Switches language and theme as another tab of the browser would. */
export async function look(p, lang, theme) {
  await p.evaluate(
    ([l, th]) => {
      dispatchEvent(new StorageEvent('storage', { key: 'daizong.lang', newValue: l }));
      dispatchEvent(new StorageEvent('storage', { key: 'daizong.theme', newValue: th }));
    },
    [lang, theme],
  );
  await p.waitForFunction(([l, th]) => document.documentElement.lang === l && document.documentElement.dataset.theme === th, [lang, theme]);
  await p.waitForTimeout(60);
}
