// SPDX-License-Identifier: Apache-2.0
// Events as files: CSV with the columns on screen, or one JSON object a line; the rows at hand, or all that match.
import { api } from './api';
import { endpoint, field, show, summary } from './eve';
import type { Event, EventList } from './types';

/** The most events that one export holds: they pass through the memory of the browser. */
export const MOST = 100000;

export function csv(rows: Event[], cols: string[]): string {
  // A cell that a spreadsheet would take for a formula gets an apostrophe before it.
  const cell = (v: string) => (/[",\r\n]/.test(v) || /^[=+\-@]/.test(v) ? '"' + (/^[=+\-@]/.test(v) ? "'" : '') + v.replace(/"/g, '""') + '"' : v);
  const text = (e: Event, c: string) =>
    c === 'time' ? String(e.timestamp)
    : c === 'type' ? String(e.event_type)
    : c === 'source' ? endpoint(e, 'src')
    : c === 'target' ? endpoint(e, 'dest')
    : c === 'summary' ? summary(e)
    : show(field(e, c));
  return [cols.join(','), ...rows.map((e) => cols.map((c) => cell(text(e, c))).join(','))].join('\r\n');
}

export const ndjson = (rows: Event[]) => rows.map((x) => JSON.stringify(x)).join('\n') + '\n';

export function save(name: string, text: string, type: string): void {
  const a = document.createElement('a');
  a.href = URL.createObjectURL(new Blob([text], { type }));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}

/** All events that a search finds, newest first, page by page up to MOST; `told` hears how many are there. */
export async function fetchAll(query: string, told: (n: number) => void): Promise<Event[]> {
  const out: Event[] = [];
  let cursor: string | null = null;
  do {
    const r: EventList = await api<EventList>(`/events?${query}&limit=1000${cursor ? '&cursor=' + encodeURIComponent(cursor) : ''}`);
    out.push(...r.events);
    cursor = r.events.length ? r.next_cursor : null;
    told(out.length);
  } while (cursor && out.length < MOST);
  return out.slice(0, MOST);
}
