// SPDX-License-Identifier: Apache-2.0
// Fails on a key that one language lacks, that the code uses and no table has, or that nothing uses; also when
// the two texts of a key do not fill the same names. Composed keys (`t('severity.' + s)`, `t(`x.${y}`)`) count
// for every key that begins so.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');
const tables = { 'zh-CN': {}, en: {} };
for (const l of Object.keys(tables)) tables[l] = JSON.parse(readFileSync(join(root, 'i18n', l + '.json'), 'utf8'));

function* sources(dir) {
  for (const f of readdirSync(dir)) {
    const p = join(dir, f);
    if (statSync(p).isDirectory()) yield* sources(p);
    else if (/\.tsx?$/.test(f)) yield p;
  }
}

const problems = [];
const all = new Set([...Object.keys(tables.en), ...Object.keys(tables['zh-CN'])]);
for (const k of all)
  for (const l of Object.keys(tables)) if (!(k in tables[l])) problems.push(`${l}: missing ${k}`);

const used = new Set();
const prefixes = new Set();
for (const file of sources(root)) {
  const text = readFileSync(file, 'utf8');
  for (const m of text.matchAll(/\bt\(\s*'([^']+)'(\s*\+)?/g)) {
    if (m[2]) prefixes.add(m[1]);
    else if (!all.has(m[1])) problems.push(`${file.slice(root.length + 1)}: no text for ${m[1]}`);
  }
  for (const m of text.matchAll(/\bword\(\s*'([^']+)'/g)) prefixes.add(m[1]);
  for (const m of text.matchAll(/\bt\(\s*`([^`$]+)\$\{/g)) prefixes.add(m[1]);
  for (const m of text.matchAll(/'([a-z][\w]*(?:\.[\w-]+)*)'/g)) if (all.has(m[1])) used.add(m[1]);
  for (const m of text.matchAll(/label: '([a-z]+\.[\w.]+)'/g)) if (!all.has(m[1])) problems.push(`${file.slice(root.length + 1)}: no text for ${m[1]}`);
}
for (const k of all) {
  if (!used.has(k) && ![...prefixes].some((p) => k.startsWith(p))) problems.push(`unused ${k}`);
  const names = (s) => [...new Set([...(s ?? '').matchAll(/\{(\w+)/g)].map((m) => m[1]))].sort().join();
  if (names(tables.en[k]) !== names(tables['zh-CN'][k])) problems.push(`${k}: the two texts fill different names`);
  for (const l of Object.keys(tables)) if (tables[l][k] === '') problems.push(`${l}: empty ${k}`);
}
for (const p of prefixes) if (![...all].some((k) => k.startsWith(p))) problems.push(`no key begins with ${p}`);

if (problems.length) {
  console.error(problems.join('\n'));
  console.error(`i18n: ${problems.length} problem(s)`);
  process.exit(1);
}
console.log(`i18n: ${all.size} keys, both languages complete`);
