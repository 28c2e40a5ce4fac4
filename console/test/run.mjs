// SPDX-License-Identifier: Apache-2.0
// Runs every *.test.mjs beside it with node:test, prints each failure and, last, `N passed, N failed`.
import { run } from 'node:test';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const only = process.argv.slice(2);
const files = readdirSync(here)
  .filter((f) => f.endsWith('.test.mjs') && (!only.length || only.some((o) => f.includes(o))))
  .map((f) => join(here, f));

let passed = 0;
let failed = 0;
let skipped = 0;
const leaf = (d) => d.details?.type !== 'suite' && !files.includes(d.name) && !files.some((f) => f.endsWith(d.name));
run({ files, concurrency: 1, timeout: 600000 })
  .on('test:pass', (d) => {
    if (!leaf(d)) return;
    if (d.skip !== undefined) skipped++;
    else {
      passed++;
      console.log(`ok   ${d.name} (${Math.round(d.details.duration_ms)} ms)`);
    }
  })
  .on('test:fail', (d) => {
    const cause = d.details?.error?.cause ?? d.details?.error;
    if (d.details?.error?.failureType === 'subtestsFailed') return;
    failed++;
    console.log(`FAIL ${d.name}\n     ${String(cause?.stack ?? cause).split('\n').slice(0, 60).join('\n     ')}`);
  })
  .on('test:stdout', (d) => /^ {5}\w/.test(d.message) && process.stdout.write(d.message))
  .on('test:stderr', (d) => process.stderr.write(d.message))
  .on('data', () => undefined)
  .on('end', () => {
    if (skipped) console.log(`${skipped} skipped`);
    if (passed + failed === 0) failed = 1;
    console.log(`${passed} passed, ${failed} failed`);
    process.exit(failed ? 1 : 0);
  });
