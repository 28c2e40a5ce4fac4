// SPDX-License-Identifier: Apache-2.0
// The one time range of the page (`from`, `to` in the URL) and how times are written.
import { computed, signal } from '@preact/signals';
import { param, setParams } from './route';
import { lang, t } from './i18n';

export const DEFAULT_FROM = 'now-24h';
export const from = computed(() => param('from', DEFAULT_FROM));
export const to = computed(() => param('to', 'now'));
export const isLiveRange = computed(() => to.value === 'now');

export const QUICK = ['now-15m', 'now-1h', 'now-6h', 'now-24h', 'now-7d', 'now-30d'];
/** The range that was chosen for the reader because the usual one holds nothing. */
const movedTo = signal('');
const here = () => from.value + ' ' + to.value;
export const isMoved = computed(() => movedTo.value === here());
/** Marks the range in force as one that nobody asked for, so that the page's head says so. */
export function markMoved(): void {
  movedTo.value = here();
}

const UNIT: Record<string, number> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };

/** Milliseconds since the epoch of `now`, `now-24h` or an RFC 3339 time; NaN when it is neither. */
export function resolve(text: string, now = Date.now()): number {
  if (text === 'now') return now;
  const m = /^now-(\d+)([smhdw])$/.exec(text);
  if (m) return now - Number(m[1]) * UNIT[m[2]];
  return Date.parse(text);
}

/** A range that was chosen stands in the address, also the usual one: then it is kept even if it is empty. */
export function setRange(f: string, u: string, replace = false): void {
  setParams({ from: f, to: u === 'now' ? null : u, sel: null }, replace);
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Widens the range around its middle, as a step back from a zoom. */
export function zoomOut(): void {
  const a = resolve(from.value);
  const b = resolve(to.value);
  const half = Math.max((b - a) / 2, 1000);
  const now = Date.now();
  setRange(iso(a - half), b + half >= now ? 'now' : iso(b + half));
}

const cache = new Map<string, Intl.DateTimeFormat>();
function fmt(opts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = lang.value + JSON.stringify(opts);
  let f = cache.get(key);
  if (!f) cache.set(key, (f = new Intl.DateTimeFormat(lang.value === 'en' ? 'en-GB' : lang.value, opts)));
  return f;
}

const two = (n: number) => String(n).padStart(2, '0');

export function clock(ms: number, seconds = true): string {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}` + (seconds ? ':' + two(d.getSeconds()) : '');
}

export function day(ms: number): string {
  return fmt({ month: lang.value === 'en' ? 'short' : 'numeric', day: 'numeric' }).format(ms);
}

export function fullDay(ms: number): string {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** `2026-11-24 12:00:00.123` in the reader's zone. */
export function stamp(ms: number, fraction = true): string {
  if (!Number.isFinite(ms)) return '–';
  const frac = fraction ? '.' + String(new Date(ms).getMilliseconds()).padStart(3, '0') : '';
  return `${fullDay(ms)} ${clock(ms)}${frac}`;
}

/** The shortest wording that is unambiguous today: a clock time, or a date with it. */
export function brief(ms: number, seconds = true): string {
  if (!Number.isFinite(ms)) return '–';
  const today = fullDay(Date.now()) === fullDay(ms);
  if (today) return clock(ms, seconds);
  const sameYear = new Date().getFullYear() === new Date(ms).getFullYear();
  return (sameYear ? day(ms) : fullDay(ms)) + ' ' + clock(ms, seconds);
}

export function duration(s: number): string {
  if (!Number.isFinite(s)) return '–';
  if (s < 1) return t('time.ms', { n: Math.round(s * 1000) });
  if (s < 90) return t('time.s', { n: Math.round(s) });
  if (s < 5400) return t('time.m', { n: Math.round(s / 60) });
  if (s < 129600) return t('time.h', { n: Math.round(s / 3600) });
  return t('time.d', { n: Math.round(s / 86400) });
}

export function ago(ms: number, now = Date.now()): string {
  if (!Number.isFinite(ms)) return '–';
  const s = (now - ms) / 1000;
  if (s < 5) return t('time.now');
  if (s > 30 * 86400) return fullDay(ms);
  return t('time.ago', { d: duration(s) });
}

export function rangeWords(f: string, u: string): string {
  const m = /^now-(\d+)([smhdw])$/.exec(f);
  if (m && u === 'now') return t('range.last.' + m[2], { n: Number(m[1]) });
  const a = resolve(f);
  const b = resolve(u);
  if (!Number.isFinite(a) || !Number.isFinite(b)) return `${f} – ${u}`;
  return spanWords(a, b);
}

/** `05:30–07:45`, or with dates when the days differ or are not today. */
export function spanWords(a: number, b: number): string {
  const secs = b - a < 600e3;
  if (fullDay(a) === fullDay(b)) return `${brief(a, secs)}–${clock(b, secs)}`;
  // Two days: each with its date, lest a bare clock time be read as the other's day.
  const year = new Date(a).getFullYear() !== new Date(b).getFullYear() || new Date(b).getFullYear() !== new Date().getFullYear();
  const dated = (ms: number) => `${year ? fullDay(ms) : day(ms)} ${clock(ms, secs)}`;
  return `${dated(a)} – ${dated(b)}`;
}

export interface Tick {
  at: number;
  text: string;
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];

const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600];

/** Firsts of months, every so many, where days are too fine. */
function monthTicks(a: number, b: number, max: number): Tick[] {
  const month = (ms: number) => new Date(ms).getFullYear() * 12 + new Date(ms).getMonth();
  const every = MONTHS.find((m) => (month(b) - month(a)) / m <= max) ?? 1200;
  const out: Tick[] = [];
  for (let m = Math.ceil(month(a) / every) * every; m <= month(b) + 1; m += every) {
    const at = new Date(Math.floor(m / 12), m % 12, 1).getTime();
    if (at >= a && at <= b) out.push({ at, text: every >= 12 ? String(Math.floor(m / 12)) : fullDay(at).slice(0, 7) });
  }
  return out;
}

/** At most `max` round times between two instants (milliseconds), in the reader's zone. */
export function ticks(a: number, b: number, max: number): Tick[] {
  const span = (b - a) / 1000;
  if (!(span > 0)) return [];
  if (span > 60 * 86400 && span / max > 7 * 86400) return monthTicks(a, b, max);
  const step = (STEPS.find((s) => span / s <= max) ?? Math.ceil(span / max)) * 1000;
  const offset = new Date(a).getTimezoneOffset() * 60e3;
  const out: Tick[] = [];
  for (let at = Math.ceil((a - offset) / step) * step + offset; at <= b && out.length < 50; at += step) {
    const text = step >= 864e5 ? day(at) : clock(at, step < 60e3);
    out.push({ at, text: step < 864e5 && span > 86400 * 1.5 && text.startsWith('00:00') ? day(at) : text });
  }
  return out;
}
