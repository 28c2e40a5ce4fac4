// SPDX-License-Identifier: Apache-2.0
// Payload as hex and text, with the bytes that the rule looked for marked in both.
import { useLayoutEffect } from 'preact/hooks';
import { useSize } from './hooks';

export interface Mark {
  from: number;
  to: number;
}

export function decodeBase64(s: string): Uint8Array {
  try {
    return Uint8Array.from(atob(s), (c) => c.charCodeAt(0));
  } catch {
    return new Uint8Array(0);
  }
}

/** The contents a rule asks for, as bytes: `"GET |0d 0a|"` with |hex| and escapes; negated ones left out. */
export function contents(rule: string): { bytes: number[]; nocase: boolean; text: string; buffer: string; not: boolean }[] {
  const body = rule.slice(rule.indexOf('(') + 1);
  const out: { bytes: number[]; nocase: boolean; text: string; buffer: string; not: boolean }[] = [];
  let buffer = '';
  for (const m of body.matchAll(/([a-z_0-9.]+)\s*(?::\s*((?:"(?:[^"\\]|\\.)*"|[^;"\\]|\\.)*))?;/gi)) {
    const [, key, value = ''] = m;
    if (/^(http[._]|dns[._]|tls[._]|ssh[._]|file[._]|pkt_data|ja3|ja4|http2)/.test(key)) buffer = key === 'pkt_data' ? '' : key;
    if (key === 'nocase' && out.length) out[out.length - 1].nocase = true;
    if (key !== 'content') continue;
    const not = value.trim().startsWith('!');
    const text = value.trim().replace(/^!/, '').replace(/^"|"$/g, '');
    const bytes: number[] = [];
    for (let i = 0, hex = false; i < text.length; i++) {
      if (text[i] === '|') hex = !hex;
      else if (hex) {
        if (/\s/.test(text[i])) continue;
        bytes.push(parseInt(text.slice(i, i + 2), 16));
        i++;
      } else {
        if (text[i] === '\\') i++;
        bytes.push(text.charCodeAt(i) & 255);
      }
    }
    out.push({ bytes, nocase: false, text, buffer, not });
  }
  return out;
}

const low = (b: number) => (b >= 65 && b <= 90 ? b + 32 : b);

export function find(data: Uint8Array, rule: string): Mark[] {
  const marks: Mark[] = [];
  for (const c of contents(rule)) {
    if (c.not || !c.bytes.length) continue;
    const same = (a: number, b: number) => (c.nocase ? low(a) === low(b) : a === b);
    for (let i = 0; i + c.bytes.length <= data.length && marks.length < 40; i++)
      if (c.bytes.every((b, k) => same(data[i + k], b))) {
        // One byte matches nearly anywhere; mark single bytes only where the packet is small.
        if (c.bytes.length > 1 || data.length <= 64) marks.push({ from: i, to: i + c.bytes.length });
      }
  }
  return marks;
}

const LIMIT = 512;

export function HexView({ data, marks, label }: { data: Uint8Array; marks: Mark[]; label: string }) {
  const [box, width] = useSize<HTMLPreElement>();
  // Sixteen bytes a line need 72 characters; a narrow drawer takes eight.
  const per = width === 0 || width >= 532 ? 16 : 8;
  const n = Math.min(data.length, Math.max(LIMIT, ...marks.slice(0, 1).map((m) => m.to + 64)));
  // What the rule looked for is in view from the start.
  useLayoutEffect(() => {
    const el = box.current;
    const mark = el?.querySelector('mark');
    if (el && mark) el.scrollTop = Math.max(0, mark.offsetTop - el.offsetTop - 54);
  }, [data, per]);
  const on = new Uint8Array(n);
  for (const m of marks) for (let i = m.from; i < Math.min(m.to, n); i++) on[i] = 1;
  const rows = [];
  for (let r = 0; r < n; r += per) {
    const hex = [];
    const text = [];
    for (let i = r; i < r + per; i++) {
      const h = i < n ? data[i].toString(16).padStart(2, '0') : '  ';
      const c = i < n ? (data[i] >= 32 && data[i] < 127 ? String.fromCharCode(data[i]) : '.') : '';
      hex.push(i < n && on[i] ? <mark>{h}</mark> : h, ' ');
      text.push(i < n && on[i] ? <mark>{c}</mark> : c);
    }
    rows.push(
      <div key={r}>
        <span class="off">{r.toString(16).padStart(4, '0')}</span> {hex} {text}
      </div>,
    );
  }
  return (
    <pre class="hex" ref={box} tabIndex={0} aria-label={label}>
      {rows}
      {data.length > n && <div class="off">… +{data.length - n}</div>}
    </pre>
  );
}
