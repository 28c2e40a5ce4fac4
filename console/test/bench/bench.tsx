// SPDX-License-Identifier: Apache-2.0
// Mounts the console's grid with 100,000 rows as the inbox has them, and measures it on request. Built by the
// grid test alone, never shipped.
import { render } from 'preact';
import { useState } from 'preact/hooks';
import { setLang } from '../../src/app/i18n';
import { Spark } from '../../src/ui/charts';
import { Grid, type Column } from '../../src/ui/grid';
import { SeverityMark } from '../../src/ui/icons';
import { Pivot } from '../../src/ui/pivot';
import { SEVERITIES, type Severity } from '../../src/app/types';
import '../../src/styles/tokens.css';
import '../../src/styles/base.css';
import '../../src/styles/frame.css';
import '../../src/styles/parts.css';
import '../../src/styles/pages.css';

interface Row {
  id: string;
  severity: Severity;
  name: string;
  src: string;
  dest: string;
  count: number;
  spark: number[];
}

const N = 100000;
const rows: Row[] = Array.from({ length: N }, (_, i) => ({
  id: 'r' + i,
  severity: SEVERITIES[i % 5],
  name: 'Signature number ' + (i % 977),
  src: `192.0.${(i >> 8) % 256}.${i % 256}`,
  dest: `10.8.${(i >> 7) % 256}.${(i * 7) % 256}`,
  count: (i * 31) % 9000,
  spark: Array.from({ length: 24 }, (_x, k) => (i * (k + 3)) % 9),
}));

const columns: Column<Row>[] = [
  { id: 'severity', head: 'Severity', width: '82px', cell: (r) => <SeverityMark severity={r.severity} /> },
  { id: 'count', head: 'Count', width: '64px', end: true, cell: (r) => String(r.count) },
  { id: 'name', head: 'Alert', width: 'minmax(180px, 1fr)', cell: (r) => r.name },
  { id: 'src', head: 'Source', width: '128px', cell: (r) => <Pivot tab={false} field="src_ip" value={r.src} /> },
  { id: 'dest', head: 'Target', width: '128px', cell: (r) => <Pivot tab={false} field="dest_ip" value={r.dest} /> },
  { id: 'spark', head: '24 h', width: '92px', cell: (r) => <Spark values={r.spark} /> },
];

function Bench() {
  const [cursor, setCursor] = useState(0);
  return (
    <div class="pane fill">
      <Grid id="bench" label="Bench" rows={rows} columns={columns} rowKey={(r) => r.id} cursor={cursor} onCursor={setCursor} />
    </div>
  );
}

const host = document.getElementById('main')!;
host.style.height = '100vh';

/** Milliseconds from the call until the rows are laid out. */
function mount(): number {
  const box = document.createElement('div');
  box.className = 'bench-box';
  box.style.cssText = 'display:flex;flex-direction:column;height:90vh';
  host.querySelector('.bench-box')?.remove();
  host.append(box);
  const t0 = performance.now();
  render(<Bench />, box);
  box.querySelector('.g-body')!.getBoundingClientRect();
  return performance.now() - t0;
}

/** Jumps through all rows for `ms`: frames a second, and the time of script per frame. */
async function scroll(ms: number, still = false): Promise<{ fps: number; worst: number; rows: number }> {
  const el = document.querySelector('.grid') as HTMLElement;
  const max = el.scrollHeight - el.clientHeight;
  let frames = 0;
  let worst = 0;
  let last = performance.now();
  const start = last;
  let most = 0;
  return new Promise((done) => {
    const step = (now: number) => {
      const f = performance.now();
      worst = Math.max(worst, f - last);
      last = f;
      frames++;
      most = Math.max(most, document.querySelectorAll('.g-body .g-row').length);
      if (!still) el.scrollTop = (((frames * 7919) % 1000) / 1000) * max;
      if (now - start < ms) requestAnimationFrame(step);
      else done({ fps: (frames * 1000) / (performance.now() - start), worst, rows: most });
    };
    requestAnimationFrame(step);
  });
}

void setLang('en', false).then(() => Object.assign(window, { bench: { mount, scroll, N } }));
