// SPDX-License-Identifier: Apache-2.0
// Numbers in words: grouped integers, decimal byte and bit units, shares.
import { lang } from './i18n';

let cached: { l: string; f: Intl.NumberFormat } | null = null;
export function int(n: number | undefined | null): string {
  if (n === undefined || n === null || !Number.isFinite(n)) return '–';
  if (!cached || cached.l !== lang.value) cached = { l: lang.value, f: new Intl.NumberFormat(lang.value) };
  return cached.f.format(Math.round(n));
}

function scaled(n: number | undefined | null, units: string[]): string {
  if (n === undefined || n === null || !Number.isFinite(n)) return '–';
  let i = 0;
  let v = n;
  while (Math.abs(v) >= 999.5 && i < units.length - 1) {
    v /= 1000;
    i++;
  }
  const digits = i === 0 || v >= 100 ? 0 : v >= 10 ? 1 : 2;
  return `${v.toFixed(digits)} ${units[i]}`;
}

export const bytes = (n: number | undefined | null) => scaled(n, ['B', 'KB', 'MB', 'GB', 'TB', 'PB']);
export const bits = (n: number | undefined | null) => scaled(n, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s']);

export function rate(n: number | undefined | null): string {
  if (n === undefined || n === null || !Number.isFinite(n)) return '–';
  return n < 10 ? String(Math.round(n * 10) / 10) : int(n);
}

/** A large count made short for a tight place: 1,204 stays, 128,400 becomes 128k. */
export function short(n: number): string {
  if (n < 10000) return int(n);
  return scaled(n, ['', 'k', 'M', 'G']).replace(' ', '').replace(/\.0+(?=\D)/, '');
}

export function share(part: number, whole: number): string {
  if (!whole) return '–';
  const p = (part / whole) * 100;
  return (p >= 99.95 || p === 0 ? p.toFixed(0) : p < 0.1 ? '<0.1' : p.toFixed(1)) + ' %';
}
