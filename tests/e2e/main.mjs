// SPDX-License-Identifier: Apache-2.0
// Runs the steps of the walk in order, then the console's own page tests against the same node with the real
// data. A step that fails is told and the next goes on.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from '../../console/test/env.mjs';
import { Node, ROOT } from './node.mjs';
import { steps } from './walk.mjs';
import { later } from './live.mjs';

const only = process.argv.slice(2);
const shots = join(ROOT, 'build/e2e');
mkdirSync(shots, { recursive: true });
let passed = 0;
let failed = 0;

const node = new Node();
const browser = await launch();
const w = { node, browser, pages: new Set(), outside: [] };

async function run(name, step) {
  const began = Date.now();
  try {
    await step(w);
    passed++;
    console.log(`ok   ${name} (${Date.now() - began} ms)`);
  } catch (e) {
    failed++;
    console.log(`FAIL ${name}\n     ${String(e.stack ?? e).split('\n').slice(0, 14).join('\n     ')}`);
    let i = 0;
    for (const p of w.pages) if (!p.isClosed()) await p.screenshot({ path: join(shots, `${name.replace(/\W+/g, '-').slice(0, 60)}-${i++}.png`) }).catch(() => undefined);
  }
}

/** The tests of console/ that can drive a real node: every page, theme, language and size, with axe. */
function pageTests() {
  const r = spawnSync(process.execPath, ['console/test/run.mjs', 'basic', 'pages'], {
    cwd: ROOT,
    env: { ...process.env, DAIZONG_URL: node.url, DAIZONG_PASSWORD: w.password, DAIZONG_SHOTS: join(shots, 'pages') },
    encoding: 'utf8',
    timeout: 480000,
  });
  const sum = /(\d+) passed, (\d+) failed\s*$/.exec(r.stdout ?? '');
  if (!sum || Number(sum[2])) console.log((r.stdout ?? '').slice(-6000) + (r.stderr ?? '').slice(-2000));
  passed += Number(sum?.[1] ?? 0);
  failed += sum ? Number(sum[2]) : 1;
}

try {
  await node.start();
  w.password = node.password;
  for (const [name, step] of steps) if (!only.length || only.some((o) => name.includes(o)) || name.startsWith('first')) await run(name, step);
  if (!only.length || only.includes('pages')) pageTests();
  for (const [name, step] of later) if (!only.length || only.some((o) => name.includes(o))) await run(name, step);
} catch (e) {
  failed++;
  console.log(`FAIL ${e.stack ?? e}\n${node.log()}`);
} finally {
  await browser.close();
  if (node.process) await node.stop();
  if (!failed) node.remove();
  else console.log(`the node's folder is kept: ${node.data}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
