// SPDX-License-Identifier: Apache-2.0
// The virtual grid: role=grid, one focus stop, rows recycled by slot so that 100,000 rows cost what the screen
// shows. The cursor row is announced by aria-activedescendant; rows carry their true index.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { token, useSize } from './hooks';

export interface Column<T> {
  id: string;
  head: ComponentChildren;
  /** A grid track: `90px`, `minmax(200px, 1fr)`. */
  width: string;
  cell(row: T, index: number): ComponentChildren;
  end?: boolean;
  class?: string;
}

export interface GridProps<T> {
  id: string;
  label: string;
  rows: readonly T[];
  columns: Column<T>[];
  rowKey(row: T): string;
  cursor: number;
  onCursor(i: number): void;
  onOpen?(i: number): void;
  selected?: ReadonlySet<string>;
  /** The number of rows that exist, when more can be fetched. */
  total?: number;
  onEnd?(): void;
  rowHeight?: number;
  rowClass?(row: T): string;
}

/** The least a row needs: the first pixel figure of each track, the gaps, the sides. */
function leastWidth(tracks: string[]): number {
  return tracks.reduce((w, x) => w + Number(/(\d+)px/.exec(x)?.[1] ?? 0), 0) + 12 * (tracks.length - 1) + 24;
}

export function Grid<T>(p: GridProps<T>) {
  const [box, , height] = useSize<HTMLDivElement>();
  const [first, setFirst] = useState(0);
  const rh = p.rowHeight ?? token('--row', 36);
  const head = token('--row', 36);
  const pool = Math.ceil((height || 600) / rh) + 6;
  const n = p.rows.length;
  const start = Math.max(0, Math.min(first - 2, n - pool));
  const end = Math.min(n, start + pool);
  const asked = useRef(-1);

  const onScroll = () => {
    const el = box.current!;
    setFirst(Math.floor(el.scrollTop / rh));
  };
  useEffect(() => {
    if (p.onEnd && n > 0 && end >= n - 10 && asked.current !== n) {
      asked.current = n;
      p.onEnd();
    }
  });
  useEffect(() => {
    if (n === 0) asked.current = -1;
  }, [n]);
  const moved = useRef(p.cursor);
  useLayoutEffect(() => {
    const el = box.current;
    if (!el || p.cursor < 0) return;
    if (moved.current === p.cursor && el.scrollTop > 0) return;
    moved.current = p.cursor;
    const y = p.cursor * rh;
    const view = el.clientHeight - head;
    if (y < el.scrollTop) el.scrollTop = y;
    else if (y + rh > el.scrollTop + view) el.scrollTop = y + rh - view;
  }, [p.cursor, height]);

  const onKey = (e: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(((height || 400) - head) / rh) - 1);
    const by: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -n, End: n };
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key in by) {
      e.preventDefault();
      e.stopPropagation();
      p.onCursor(Math.max(0, Math.min(n - 1, p.cursor + by[e.key])));
    } else if (e.key === 'Enter' && p.onOpen && p.cursor >= 0 && e.target === box.current) {
      e.preventDefault();
      e.stopPropagation();
      p.onOpen(p.cursor);
    }
  };

  const tracks = p.columns.map((c) => c.width).join(' ');
  const least = leastWidth(p.columns.map((c) => c.width)) + 'px';
  const slots: ComponentChildren[] = [];
  for (let s = 0; s < pool; s++) {
    const i = start + ((s - (start % pool) + pool) % pool);
    if (i >= end) continue;
    const row = p.rows[i];
    const key = p.rowKey(row);
    const on = p.selected?.has(key);
    slots.push(
      <div
        key={s}
        id={`${p.id}-${i}`}
        role="row"
        aria-rowindex={i + 2}
        aria-selected={p.selected ? !!on : i === p.cursor}
        class={`g-row ${i === p.cursor ? 'cursor' : ''} ${on ? 'on' : ''} ${p.rowClass?.(row) ?? ''}`}
        style={{ transform: `translateY(${i * rh}px)`, height: rh + 'px', gridTemplateColumns: tracks }}
        onClick={(e) => {
          if ((e.target as Element).closest('button, a, .g-check')) return;
          p.onCursor(i);
          p.onOpen?.(i);
        }}
      >
        {p.columns.map((c, k) => (
          <div key={c.id} role="gridcell" aria-colindex={k + 1} class={`g-cell ${c.end ? 'end' : ''} ${c.class ?? ''}`}>
            {c.cell(row, i)}
          </div>
        ))}
      </div>,
    );
  }
  return (
    <div
      class="grid"
      id={p.id}
      ref={box}
      role="grid"
      tabIndex={0}
      aria-label={p.label}
      aria-rowcount={(p.total ?? n) + 1}
      aria-colcount={p.columns.length}
      aria-multiselectable={p.selected ? 'true' : undefined}
      aria-activedescendant={p.cursor >= start && p.cursor < end ? `${p.id}-${p.cursor}` : undefined}
      onScroll={onScroll}
      onKeyDown={onKey}
    >
      <div class="g-head" role="rowgroup" style={{ minWidth: least }}>
        <div class="g-row" role="row" aria-rowindex={1} style={{ gridTemplateColumns: tracks, height: head + 'px' }}>
          {p.columns.map((c, k) => (
            <div key={c.id} role="columnheader" aria-colindex={k + 1} class={`g-cell ${c.end ? 'end' : ''}`}>
              {c.head}
            </div>
          ))}
        </div>
      </div>
      <div class="g-body" role="rowgroup" style={{ height: n * rh + 'px', minWidth: least }}>
        {slots}
      </div>
    </div>
  );
}
