// SPDX-License-Identifier: Apache-2.0
// The query language's surface, as far as the console must touch it: quoting a value, adding and taking away
// top-level terms, and telling which term the caret stands in. The node alone decides what a query means.
export interface Term {
  text: string;
  start: number;
  end: number;
}

/** Splits at blanks outside quotes and brackets. */
export function terms(q: string): Term[] {
  const out: Term[] = [];
  let depth = 0;
  let quoted = false;
  let start = -1;
  for (let i = 0; i <= q.length; i++) {
    const c = q[i];
    if (c === '\\' && quoted) {
      i++;
      continue;
    }
    if (c === '"') quoted = !quoted;
    else if (!quoted && (c === '(' || c === '[')) depth++;
    else if (!quoted && (c === ')' || c === ']')) depth--;
    const blank = c === undefined || (/\s/.test(c) && !quoted && depth <= 0);
    if (blank && start >= 0) {
      out.push({ text: q.slice(start, i), start, end: i });
      start = -1;
    } else if (!blank && start < 0) start = i;
  }
  if (start >= 0 && !out.some((x) => x.start === start)) out.push({ text: q.slice(start), start, end: q.length });
  return out;
}

export function quote(value: string | number | boolean): string {
  const s = String(value);
  return /^[\w.:/@%+-]+$/.test(s) && !s.startsWith('-') && !/^(OR|AND|NOT)$/.test(s) && s !== ''
    ? s
    : '"' + s.replace(/[\\"]/g, '\\$&') + '"';
}

export function term(field: string, value: string | number | boolean, not = false): string {
  return `${not ? '-' : ''}${field}:${quote(value)}`;
}

export function addTerm(q: string, piece: string): string {
  const list = terms(q).map((x) => x.text);
  const opposite = piece.startsWith('-') ? piece.slice(1) : '-' + piece;
  const kept = list.filter((x) => x !== opposite);
  if (!kept.includes(piece)) kept.push(piece);
  return kept.join(' ');
}

export function replaceTerm(q: string, index: number, piece: string | null): string {
  const list = terms(q).map((x) => x.text);
  if (piece === null) list.splice(index, 1);
  else list[index] = piece;
  return list.join(' ');
}

/** The node counts a mistake's place in bytes of UTF-8; a string counts UTF-16 units. */
export function indexOfByte(q: string, byte: number): number {
  return new TextDecoder().decode(new TextEncoder().encode(q).slice(0, byte)).length;
}

export function isIp(s: string): boolean {
  return /^(\d{1,3}\.){3}\d{1,3}$/.test(s) || (/^[0-9a-f:.]+$/i.test(s) && s.split(':').length > 2);
}
