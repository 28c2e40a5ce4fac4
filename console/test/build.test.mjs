// SPDX-License-Identifier: Apache-2.0
// The build itself: script and style budgets, texts complete, nothing inline, no other host, and the query and
// time helpers that have no page of their own.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const run = (script) => execFileSync(process.execPath, [join(root, 'scripts', script)], { encoding: 'utf8' });

test('budgets hold: first page <= 90 KB, all script <= 250 KB, styles <= 20 KB', () => {
  const out = run('budget.mjs');
  assert.ok(!out.includes('OVER'), out);
});

test('both languages are complete and every key is used', () => {
  assert.match(run('i18n-lint.mjs'), /both languages complete/);
});

test('the lock file names no registry', () => {
  assert.ok(!/"resolved"|https?:\/\/[^"]*registry/.test(readFileSync(join(root, 'package-lock.json'), 'utf8')));
});
