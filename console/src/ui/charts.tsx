// SPDX-License-Identifier: Apache-2.0
// The console's charts, own SVG drawn to the measured width (never scaled, so text and lines stay crisp):
// histogram stacked by severity with range selection by pointer and keyboard, line chart, spark line, and the
// top list whose bars lie behind the text.
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { int, short } from '../app/format';
import { lang, t } from '../app/i18n';
import { brief, spanWords, ticks } from '../app/time';
import { severityWord } from '../app/eve';
import { SEVERITIES, type Series, type TopItem } from '../app/types';
import { useSize } from './hooks';
import { SeverityMark } from './icons';

export type Span = [number, number];

interface Stack {
  key: string;
  values: number[];
}

/** Bottom to top: info … critical, with everything that has no severity lowest. */
function stack(series: Series[], n: number): Stack[] {
  const by = new Map<string, number[]>();
  for (const s of series) {
    const key = severityWord(s.key) ?? 'other';
    const sum = by.get(key) ?? new Array(n).fill(0);
    s.values.forEach((v, i) => (sum[i] += v));
    by.set(key, sum);
  }
  return ['other', ...[...SEVERITIES].reverse()].filter((k) => by.has(k)).map((key) => ({ key, values: by.get(key)! }));
}

function nice(max: number): number {
  if (max <= 2) return 2;
  if (max <= 4) return 4;
  const p = 10 ** Math.floor(Math.log10(max));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((f) => f * p).find((v) => v >= max) ?? max;
}

export function Legend({ series }: { series: Series[] }) {
  const n = Math.max(0, ...series.map((s) => s.values.length));
  const seen = stack(series, n).filter((s) => s.values.some((v) => v > 0));
  return (
    <span class="legend">
      {SEVERITIES.filter((k) => seen.some((s) => s.key === k)).map((k) => (
        <SeverityMark key={k} severity={k} />
      ))}
      {seen.some((s) => s.key === 'other') && (
        <span class="legend-other">
          <i /> {t('severity.none')}
        </span>
      )}
    </span>
  );
}

export function Histogram(p: {
  label: string;
  times: number[];
  interval: number;
  series: Series[];
  /** Range shown, in milliseconds; the times' own extent when absent. */
  range?: Span;
  selection?: Span | null;
  onSelect?: (s: Span | null) => void;
  height?: number;
  small?: boolean;
}) {
  const [box, width] = useSize<HTMLDivElement>();
  const [hover, setHover] = useState<number | null>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  const dragging = useRef(false);
  const height = p.height ?? 132;
  const axis = p.small ? 16 : 20;
  const h = height - axis;
  const n = p.times.length;
  const step = (p.interval || 60) * 1000;
  const a = p.range?.[0] ?? (p.times[0] ?? 0) * 1000;
  const b = Math.max(p.range?.[1] ?? 0, ((p.times[n - 1] ?? 0) + (p.interval || 60)) * 1000);
  const x = (ms: number) => ((Math.max(a, Math.min(b, ms)) - a) / (b - a || 1)) * width;
  const stacks = stack(p.series, n);
  const totals = p.times.map((_, i) => stacks.reduce((s, k) => s + (k.values[i] ?? 0), 0));
  const top = nice(Math.max(0, ...totals));
  const base = new Array(n).fill(0);
  const paths = stacks.map((s) => {
    let d = '';
    for (let i = 0; i < n; i++) {
      const v = s.values[i] ?? 0;
      if (!v) continue;
      const x0 = x(p.times[i] * 1000);
      const x1 = x(p.times[i] * 1000 + step);
      const gap = x1 - x0 > 4 ? 1 : x1 - x0 > 2 ? 0.5 : 0;
      const y0 = h - (base[i] / top) * (h - 4);
      const y1 = h - ((base[i] + v) / top) * (h - 4);
      base[i] += v;
      d += `M${x0.toFixed(1)} ${y0.toFixed(1)}V${Math.min(y1, y0 - 1).toFixed(1)}H${Math.max(x1 - gap, x0 + 1).toFixed(1)}V${y0.toFixed(1)}z`;
    }
    return { key: s.key, d };
  });
  const indexAt = (clientX: number) => {
    const r = box.current!.getBoundingClientRect();
    const ms = a + ((clientX - r.left) / (r.width || 1)) * (b - a);
    let i = Math.round((ms - p.times[0] * 1000 - step / 2) / step);
    i = Math.max(0, Math.min(n - 1, i));
    return i;
  };
  const spanOf = (i: number, j: number): Span => [p.times[Math.min(i, j)] * 1000, p.times[Math.max(i, j)] * 1000 + step];
  const sel: Span | null = drag ? spanOf(drag[0], drag[1]) : (p.selection ?? null);
  const pick = !!p.onSelect && n > 0;

  const onKey = (e: KeyboardEvent) => {
    if (!pick) return;
    const move = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : e.key === 'Home' ? -n : e.key === 'End' ? n : 0;
    if (move) {
      const at = Math.max(0, Math.min(n - 1, (hover ?? (move > 0 ? -1 : n)) + move));
      if (e.shiftKey) setDrag((d) => [d ? d[0] : (hover ?? at), at]);
      else setDrag(null);
      setHover(at);
    } else if (e.key === 'Enter' && hover !== null) {
      p.onSelect!(drag ? spanOf(drag[0], drag[1]) : spanOf(hover, hover));
      setDrag(null);
    } else if (e.key === 'Escape' && (drag || p.selection)) {
      setDrag(null);
      p.onSelect!(null);
    } else return;
    e.preventDefault();
    e.stopPropagation();
  };

  const words = (i: number) =>
    spanWords(p.times[i] * 1000, p.times[i] * 1000 + step) +
    ' ' +
    (stacks.length === 1 && stacks[0].key === 'other'
      ? int(totals[i])
      : stacks
          .filter((s) => s.values[i])
          .map((s) => (s.key === 'other' ? t('severity.none') : t('severity.' + s.key)) + ' ' + int(s.values[i]))
          .reverse()
          .join(' · ') || '0');
  void lang.value;
  const marks = ticks(a, b, Math.max(2, Math.floor(width / 96)));
  return (
    <div
      class={`histo ${pick ? 'pickable' : ''}`}
      ref={box}
      role={pick ? 'group' : 'img'}
      aria-label={p.label + (pick ? ' ' + t('histo.keys') : '')}
      tabIndex={pick ? 0 : undefined}
      onKeyDown={onKey}
      onBlur={() => setHover(null)}
      onPointerDown={(e) => {
        if (!pick || e.button !== 0) return;
        dragging.current = true;
        box.current!.setPointerCapture(e.pointerId);
        const i = indexAt(e.clientX);
        setDrag([i, i]);
      }}
      onPointerMove={(e) => {
        if (!n) return;
        const i = indexAt(e.clientX);
        setHover(i);
        if (dragging.current) setDrag((d) => (d ? [d[0], i] : [i, i]));
      }}
      onPointerUp={() => {
        if (!dragging.current) return;
        dragging.current = false;
        if (drag) p.onSelect?.(spanOf(drag[0], drag[1]));
        setDrag(null);
      }}
      onPointerLeave={() => {
        if (!dragging.current) setHover(null);
      }}
    >
      {width > 0 && (
        <svg width={width} height={height} aria-hidden="true" focusable="false">
          {!p.small && (
            <>
              <path class="gridline" d={`M0 ${4.5}H${width}M0 ${Math.round(h / 2 + 2) + 0.5}H${width}`} />
              {totals.some((v) => v > 0) && (
                <text class="axis" x={width} y={15} text-anchor="end">
                  {short(top)}
                </text>
              )}
            </>
          )}
          {sel && <rect class="sel" x={x(sel[0])} y={0} width={Math.max(2, x(sel[1]) - x(sel[0]))} height={h} />}
          {paths.map((s) => (
            <path key={s.key} class={`bar bar-${s.key}`} d={s.d} />
          ))}
          <path class="baseline" d={`M0 ${h + 0.5}H${width}`} />
          {sel && <path class="sel-edge" d={`M${x(sel[0])} 0V${h}M${x(sel[1])} 0V${h}`} />}
          {hover !== null && hover < n && (
            <path class="cursor" d={`M${x(p.times[hover] * 1000 + step / 2)} 0V${h}`} />
          )}
          {marks.map((m) => {
            const at = x(m.at);
            const side = at < 18 ? 'start' : at > width - 18 ? 'end' : 'middle';
            return (
              <text key={m.at} class="axis" x={at} y={height - 4} text-anchor={side}>
                {m.text}
              </text>
            );
          })}
        </svg>
      )}
      {hover !== null && hover < n && (
        <div
          class="tip"
          role="status"
          ref={(el) => {
            if (el) el.style.left = Math.max(0, Math.min(width - el.offsetWidth, x(p.times[hover] * 1000) - el.offsetWidth / 2)) + 'px';
          }}
        >
          {words(hover)}
        </div>
      )}
    </div>
  );
}

export interface Line {
  name: string;
  values: number[];
}

export function LineChart(p: { label: string; times: number[]; interval: number; lines: Line[]; format(v: number): string; height?: number }) {
  const [box, width] = useSize<HTMLDivElement>();
  const [hover, setHover] = useState<number | null>(null);
  const height = p.height ?? 152;
  const axis = 20;
  const h = height - axis;
  const n = p.times.length;
  const a = (p.times[0] ?? 0) * 1000;
  const b = (p.times[n - 1] ?? 0) * 1000;
  const x = (i: number) => (n < 2 ? 0 : ((p.times[i] * 1000 - a) / (b - a)) * width);
  const top = nice(Math.max(1, ...p.lines.flatMap((l) => l.values)));
  const y = (v: number) => h - (v / top) * (h - 6);
  const line = (l: Line) => l.values.map((v, i) => `${i ? 'L' : 'M'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join('');
  void lang.value;
  return (
    <div
      class="line-chart"
      ref={box}
      role="img"
      aria-label={p.label}
      onPointerMove={(e) => {
        const r = box.current!.getBoundingClientRect();
        const ms = (a + ((e.clientX - r.left) / r.width) * (b - a)) / 1000;
        setHover(Math.max(0, Math.min(n - 1, Math.round((ms - p.times[0]) / (p.interval || 1)))));
      }}
      onPointerLeave={() => setHover(null)}
    >
      {width > 0 && n > 0 && (
        <svg width={width} height={height} aria-hidden="true" focusable="false">
          {[0, 1, 2, 3].map((k) => (
            <path key={k} class="gridline" d={`M0 ${Math.round(6 + ((h - 6) * k) / 4) + 0.5}H${width}`} />
          ))}
          {p.lines[0] && n > 1 && <path class="area" d={line(p.lines[0]) + `L${x(n - 1)} ${h}L0 ${h}z`} />}
          {p.lines.map((l, i) => (
            <path key={l.name} class={`line line-${i}`} d={line(l)} />
          ))}
          <path class="baseline" d={`M0 ${h + 0.5}H${width}`} />
          <text class="axis" x={width} y={18} text-anchor="end">
            {p.format(top)}
          </text>
          {ticks(a, b, Math.max(2, Math.floor(width / 96))).map((m) => {
            const at = ((m.at - a) / (b - a || 1)) * width;
            return (
              <text key={m.at} class="axis" x={at} y={height - 4} text-anchor={at < 18 ? 'start' : at > width - 18 ? 'end' : 'middle'}>
                {m.text}
              </text>
            );
          })}
          {hover !== null && hover < n && <path class="cursor" d={`M${x(hover)} 0V${h}`} />}
        </svg>
      )}
      {hover !== null && hover < n && (
        <div
          class="tip"
          ref={(el) => {
            if (el) el.style.left = Math.max(0, Math.min(width - el.offsetWidth, x(hover) - el.offsetWidth / 2)) + 'px';
          }}
        >
          {brief(p.times[hover] * 1000)} {p.lines.map((l) => `${l.name} ${p.format(l.values[hover] ?? 0)}`).join(' · ')}
        </div>
      )}
    </div>
  );
}

export function Spark({ values, width = 92, height = 16 }: { values: number[]; width?: number; height?: number }) {
  const n = values.length || 1;
  const max = Math.max(1, ...values);
  const w = width / n;
  let d = '';
  values.forEach((v, i) => {
    const y = v ? Math.max(1.5, (v / max) * height) : 0.5;
    d += `M${(i * w).toFixed(1)} ${height}v${-y.toFixed(1)}h${Math.max(1, w - 1).toFixed(1)}v${y.toFixed(1)}z`;
  });
  return (
    <svg class="spark" width={width} height={height} aria-hidden="true" focusable="false">
      <path d={d} />
    </svg>
  );
}

/** Bars behind text, the number at the right. `render` draws the text (usually a pivot). */
export function TopList(p: {
  items: TopItem[];
  value?: (i: TopItem) => number;
  text?: (i: TopItem) => string;
  render: (i: TopItem) => ComponentChildren;
  empty: string;
  mono?: boolean;
}) {
  const of = p.value ?? ((i: TopItem) => i.count);
  const max = Math.max(1, ...p.items.map(of));
  if (!p.items.length) return <p class="none">{p.empty}</p>;
  return (
    <ol class={`toplist ${p.mono ? 'mono' : ''}`}>
      {p.items.map((i) => (
        <li key={String(i.value)}>
          <span class="toplist-bar" style={{ width: Math.max(1, (of(i) / max) * 100) + '%' }} aria-hidden="true" />
          <span class="toplist-text">{p.render(i)}</span>
          <span class="toplist-n">{p.text ? p.text(i) : int(of(i))}</span>
        </li>
      ))}
    </ol>
  );
}

