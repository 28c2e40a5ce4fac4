// SPDX-License-Identifier: Apache-2.0
// Checks what a browser must load: script of the first page (entry and what it imports at once) <= 90 KB, all
// script <= 250 KB, styles <= 20 KB, each gzip -9; and that nothing in dist refers to another host.
import { gzipSync } from 'node:zlib';
import { readFileSync, readdirSync } from 'node:fs';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const assets = readdirSync(join(dist, 'assets'));
const size = (f) => gzipSync(readFileSync(join(dist, 'assets', f)), { level: 9 }).length;
const html = readFileSync(join(dist, 'index.html'), 'utf8');

const first = new Set([...html.matchAll(/assets\/([\w.-]+\.js)/g)].map((m) => m[1]));
for (const f of first) {
  const text = readFileSync(join(dist, 'assets', f), 'utf8');
  for (const m of text.matchAll(/(?:^|[;\s}])(?:import|export)[^;()]*?from"\.\/([\w.-]+\.js)"|import"\.\/([\w.-]+\.js)"/g)) first.add(m[1] ?? m[2]);
}
// One language table comes with the first page as well; count the larger.
const langs = assets.filter((f) => /^(en|zh-CN)-.*\.js$/.test(f));
const langSize = Math.max(0, ...langs.filter((f) => !first.has(f)).map(size));

const total = (list) => list.reduce((s, f) => s + size(f), 0);
const rows = [
  ['first page script', total([...first]) + langSize, 90e3],
  ['all script', total(assets.filter((f) => f.endsWith('.js'))), 250e3],
  ['all styles', total(assets.filter((f) => f.endsWith('.css'))), 20e3],
];
let bad = 0;
for (const [name, got, max] of rows) {
  const ok = got <= max && got > 0;
  if (!ok) bad++;
  console.log(`${name.padEnd(18)} ${(got / 1000).toFixed(1).padStart(6)} KB of ${max / 1000} KB ${ok ? 'ok' : 'OVER'}`);
}
for (const f of ['index.html', ...assets.map((a) => 'assets/' + a)]) {
  const text = readFileSync(join(dist, f), 'utf8');
  const out = [...text.matchAll(/https?:\/\/(?!www\.w3\.org\/)[\w.-]+/g)].map((m) => m[0]);
  if (out.length) {
    bad++;
    console.log(`${f} names another host: ${[...new Set(out)].join(', ')}`);
  }
  if (f.endsWith('.html') && /<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=/.test(text)) {
    bad++;
    console.log(`${f} has inline script or style`);
  }
}
process.exit(bad ? 1 : 0);
