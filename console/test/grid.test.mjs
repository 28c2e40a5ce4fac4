// SPDX-License-Identifier: Apache-2.0
// The grid with 100,000 rows: mounts within 150 ms, scrolls at 55 frames a second or more, shows what it should,
// and stays accessible. The best of a few tries counts, and where even a page at rest gets fewer than 58 frames,
// scrolling must reach 92 % of what rest gets. Where other work keeps the machine busy the clock says nothing: the
// figures are then told, not judged.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { axe } from './axe.mjs';
import { quiet } from './cpu.mjs';
import { launch } from './env.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'daizong-bench-'));
await build({ root: join(here, '..'), mode: 'bench', logLevel: 'error', build: { outDir: out } });
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const server = createServer((req, res) => {
  try {
    const file = join(out, req.url === '/' ? 'test/bench/index.html' : req.url);
    const body = readFileSync(file);
    res.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' }).end(body);
  } catch {
    res.writeHead(404).end();
  }
});
await new Promise((r) => server.listen(0, '127.0.0.1', r));
const browser = await launch();
test.after(async () => {
  await browser.close();
  server.close();
  rmSync(out, { recursive: true, force: true });
});

test('100,000 rows: mount <= 150 ms, >= 55 frames a second, few elements, axe clean', async () => {
  const p = await browser.newPage({ viewport: { width: 1366, height: 768 } });
  await p.goto(`http://127.0.0.1:${server.address().port}/`);
  await p.waitForFunction(() => window.bench);
  assert.equal(await p.evaluate(() => window.bench.N), 100000);
  let mount = Infinity;
  for (let i = 0; i < 5 && mount > 60; i++) mount = Math.min(mount, await p.evaluate(() => window.bench.mount()));
  let best = { fps: 0, worst: Infinity, rows: 0 };
  let rest = 0;
  let need = 55;
  for (let i = 0; i < 8 && best.fps < Math.max(need, 50); i++) {
    rest = (await p.evaluate(() => window.bench.scroll(1000, true))).fps;
    need = rest >= 58 ? 55 : Math.min(55, rest * 0.92);
    const r = await p.evaluate(() => window.bench.scroll(2000));
    if (!quiet() && i > 0) break;
    if (r.fps > best.fps) best = r;
  }
  console.log(`     mount ${mount.toFixed(0)} ms, ${best.fps.toFixed(1)} frames a second, (at rest ${rest.toFixed(1)}), worst frame ${best.worst.toFixed(0)} ms, ${best.rows} rows in the page`);
  assert.ok(mount <= 150 || !quiet(), `mount took ${mount} ms`);
  assert.ok(best.fps >= need || !quiet(), `only ${best.fps} frames a second of ${rest} at rest`);
  assert.ok(best.rows < 80, `${best.rows} rows in the page`);
  // The last row can be reached and says what it is.
  await p.locator('.grid').focus();
  await p.keyboard.press('End');
  await p.locator('#bench-99999').waitFor();
  assert.equal(await p.locator('#bench-99999').getAttribute('aria-rowindex'), '100001');
  assert.match(await p.locator('#bench-99999').innerText(), new RegExp('Signature number ' + (99999 % 977)));
  assert.equal(await p.locator('.grid').getAttribute('aria-activedescendant'), 'bench-99999');
  const tall = await p.evaluate(() => document.querySelector('#bench-99999').getBoundingClientRect().bottom <= document.querySelector('.grid').getBoundingClientRect().bottom + 1);
  assert.ok(tall, 'the last row is below the edge');
  assert.deepEqual(await axe(p), []);
});
