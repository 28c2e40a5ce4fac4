// SPDX-License-Identifier: Apache-2.0
// Runs axe-core (WCAG 2.0 and 2.1, A and AA) in a page and gives the findings as lines of text.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function axe(p) {
  if (!(await p.evaluate(() => 'axe' in window))) await p.evaluate(source);
  return p.evaluate(async () => {
    const r = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations'] });
    return r.violations.flatMap((v) => v.nodes.map((x) => `${v.id}: ${x.target.join(' ')} ${x.failureSummary?.split('\n')[1]?.trim() ?? ''}`));
  });
}
