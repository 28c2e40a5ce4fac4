// SPDX-License-Identifier: Apache-2.0
// Every page in both languages, both themes, wide and narrow: it stands without an error or an outside request,
// nothing is wider than the window, no text of the other language is left, axe finds nothing. A picture of each
// is kept in build/console for a person to look at.
import test from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { axe } from './axe.mjs';
import { LOOKS, context, everything, launch, look, node, open, SHOTS } from './env.mjs';

const browser = await launch();
const n = await node();
const blank = await node({ mock: true, empty: true });
test.after(async () => {
  await browser.close();
  await n.close();
  await blank.close();
});

/** Addresses that exist on the node under test, taken from its own answers. */
async function places() {
  const wide = await everything(browser, n);
  const c = await context(browser, n);
  const ask = async (path) => {
    const r = await c.request.get(n.url + '/api/v1' + path);
    return r.ok() ? r.json() : {};
  };
  const span = wide ? '&' + wide : '';
  const host = (await ask('/hosts?limit=1' + span)).hosts?.[0]?.ip ?? '192.0.2.1';
  const group = (await ask('/alerts?limit=1&status=all' + span)).groups?.[0]?.id;
  const event = (await ask('/events?limit=1' + span)).events?.[0]?._id;
  await c.close();
  return [
    ['login', '/overview', { login: false }],
    ['overview', '/overview?' + wide],
    ['inbox', '/inbox?' + wide],
    ...(group ? [['inbox-open', `/inbox?status=all&open=${encodeURIComponent(group)}&${wide}`]] : []),
    ['events', '/events?' + wide],
    ...(event ? [['events-open', `/events?row=${encodeURIComponent(event)}&f=event_type,src_ip&${wide}`]] : []),
    ['events-mistake', '/events?q=' + encodeURIComponent('event_type:dns (http.url')],
    ['hosts', '/hosts?' + wide],
    ['host', `/hosts/${encodeURIComponent(host)}/?${wide}`],
    ['sensors', '/sensors'],
    ['start', '/start'],
    ['system', '/system'],
    ['system-users', '/system?tab=users'],
    ['system-tokens', '/system?tab=tokens'],
    ['system-settings', '/system?tab=settings'],
    ['system-account', '/system?tab=account'],
    ['about', '/about'],
    ['nowhere', '/no-such-page'],
    ['first-run', '/overview', { node: blank }],
    ['empty-inbox', '/inbox', { node: blank }],
    ['empty-events', '/events', { node: blank }],
    ['empty-sensors', '/sensors', { node: blank }],
  ];
}

const SIZES = [
  ['1080p', 1920, 1080],
  ['narrow', 390, 844],
];

/** What is wider than the window, or a control whose text does not fit. */
const misfits = () => {
  const out = [];
  if (document.scrollingElement.scrollWidth > innerWidth + 1) out.push(`page is ${document.scrollingElement.scrollWidth} wide`);
  const main = document.querySelector('main');
  if (main && main.scrollWidth > main.clientWidth + 1) out.push(`main is ${main.scrollWidth} of ${main.clientWidth}`);
  for (const el of document.querySelectorAll('.btn, h1, h2, .kpi-value, .kpi-label, .segments button, th, .tag, label, .popover, .menu, dialog'))
    if (el.clientWidth && el.scrollWidth > el.clientWidth + 1 && !el.querySelector('.clip, input, .sr') && !el.closest('.sr')) out.push(`clipped: ${el.className || el.tagName} "${el.textContent.slice(0, 40)}"`);
  for (const el of document.querySelectorAll('body *')) {
    if (el.children.length || !/^[a-z]+(\.[a-z0-9]+)+$/.test(el.textContent.trim())) continue;
    if (!el.closest('.mono, code, pre, input, .toplist, .facts, .g-cell, .tag, .sub, .two-line, td, .choices')) out.push(`untranslated: ${el.textContent}`);
  }
  return out;
};

for (const [name, path, o = {}] of await places()) {
  test(`page ${name}: both languages, both themes, wide and narrow`, async () => {
    const wrong = [];
    const at = o.node ?? n;
    for (const [size, width, height] of SIZES) {
      const c = await context(browser, at, { width, height, login: o.login });
      try {
        const p = await open(c, at, path);
        for (const [lang, theme] of LOOKS) {
          const tag = `${name}-${lang}-${theme}-${size}`;
          await look(p, lang, theme);
          await p.screenshot({ path: join(SHOTS, tag + '.png') });
          for (const m of await p.evaluate(misfits)) wrong.push(`${tag}: ${m}`);
          for (const m of await axe(p)) wrong.push(`${tag}: axe ${m}`);
        }
        for (const m of p.problems) wrong.push(`${name} ${size}: ${m}`);
      } catch (e) {
        wrong.push(`${name} ${size}: ${e.message.split('\n')[0]}`);
      } finally {
        await c.close();
      }
    }
    assert.deepEqual(wrong, []);
  });
}

test('what opens over a page: menu, time range, columns, completion, help; axe finds nothing', async () => {
  const wrong = [];
  for (const [size, width, height] of SIZES) {
    const c = await context(browser, n, { width, height });
    const p = await open(c, n, '/events?' + (await everything(browser, n)));
    const inspect = async (what) => {
      for (const [lang, theme] of LOOKS) {
        await look(p, lang, theme);
        const tag = `over-${what}-${lang}-${theme}-${size}`;
        await p.screenshot({ path: join(SHOTS, tag + '.png') });
        for (const m of await axe(p)) wrong.push(`${tag}: axe ${m}`);
        for (const m of await p.evaluate(misfits)) wrong.push(`${tag}: ${m}`);
        const out = await p.evaluate(() =>
          [...document.querySelectorAll('.menu, .popover, dialog[open], .choices:not([hidden])')]
            .filter((el) => {
              const r = el.getBoundingClientRect();
              return r.left < 0 || r.right > innerWidth + 1 || r.top < 0 || r.bottom > innerHeight + 1;
            })
            .map((el) => el.className),
        );
        if (out.length) wrong.push(`${tag}: outside the window: ${out}`);
      }
    };
    await p.locator('#time-range').click();
    await inspect('time');
    await p.keyboard.press('Escape');
    await p.locator('.user-btn').click();
    await inspect('user');
    await p.keyboard.press('Escape');
    await p.locator('.page-tools [aria-haspopup=dialog]:has(.icon + .wide-only + .narrow-only)').click();
    await inspect('columns');
    await p.keyboard.press('Escape');
    await p.locator('#query').click();
    await p.keyboard.type('http');
    await p.locator('.choices li').first().waitFor();
    await inspect('complete');
    await p.keyboard.press('Escape');
    await p.keyboard.press('Escape');
    await p.keyboard.press('?');
    await p.locator('dialog[open]').waitFor();
    await inspect('help');
    await p.keyboard.press('Escape');
    await p.locator('dialog[open]').waitFor({ state: 'detached' });
    for (const m of p.problems) wrong.push(m);
    await c.close();
  }
  assert.deepEqual(wrong, []);
});

test('4K, 1366 x 768 and 200 % text: nothing is cut off', async () => {
  const wrong = [];
  for (const [w, h, label] of [
    [3840, 2160, '4k'],
    [1366, 768, 'laptop'],
    [960, 540, 'zoom200'],
    [1280, 720, 'small'],
  ]) {
    const c = await context(browser, n, { width: w, height: h, lang: 'en' });
    for (const path of ['/overview', '/inbox', '/events', '/hosts', '/sensors']) {
      const p = await open(c, n, path);
      await p.screenshot({ path: join(SHOTS, `size-${label}-${path.slice(1)}.png`) });
      for (const m of await p.evaluate(misfits)) wrong.push(`${label} ${path}: ${m}`);
      await p.close();
    }
    await c.close();
  }
  assert.deepEqual(wrong, []);
});
