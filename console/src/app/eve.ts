// SPDX-License-Identifier: Apache-2.0
// Reading EVE events: a field by its dotted name, the severity word, and one line that says what happened.
import { t, word } from './i18n';
import { bytes, int } from './format';
import { SEVERITIES, type Event, type Severity } from './types';

export function field(ev: Event, name: string): unknown {
  let v: unknown = ev;
  for (const part of name.split('.')) {
    if (Array.isArray(v)) v = v.map((x) => (x as Event)?.[part]).filter((x) => x !== undefined);
    else if (v && typeof v === 'object') v = (v as Event)[part];
    else return undefined;
  }
  return Array.isArray(v) && v.length === 0 ? undefined : v;
}

export function show(v: unknown): string {
  if (v === undefined || v === null) return '';
  if (Array.isArray(v)) return v.map(show).join(', ');
  if (typeof v === 'object') return JSON.stringify(v);
  return String(v);
}

export function severityWord(key: string | number | undefined | null): Severity | null {
  const s = String(key ?? '').toLowerCase();
  if ((SEVERITIES as string[]).includes(s)) return s as Severity;
  const n = Number(s);
  if (!s || !Number.isFinite(n) || n < 1) return null;
  return n === 1 ? 'high' : n === 2 ? 'medium' : n === 3 ? 'low' : 'info';
}

export function severity(ev: Event): Severity | null {
  const a = ev.alert;
  if (!a) return null;
  if (ev.daizong?.severity) return severityWord(ev.daizong.severity);
  const m = a.metadata ?? {};
  const says = [...[m.signature_severity ?? []].flat(), ...[m.daizong_severity ?? []].flat()].map((x) => String(x).toLowerCase());
  if (Number(a.severity) === 1 && says.includes('critical')) return 'critical';
  return severityWord(a.severity);
}

export function endpoint(ev: Event, side: 'src' | 'dest'): string {
  const ip = ev[side + '_ip'];
  if (!ip) return '';
  const port = ev[side + '_port'];
  if (port === undefined || port === null || port === 0) return String(ip);
  return String(ip).includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** A signature's name for a tight place: without the maker's name, which our own rules all begin with. */
export function shortName(signature: string): string {
  const s = signature.replace(/^Daizong /, '');
  return s.charAt(0).toUpperCase() + s.slice(1);
}

/** One line of what happened, in the terms of the event's protocol. */
export function summary(ev: Event): string {
  const j = (...parts: unknown[]) => parts.filter((p) => p !== undefined && p !== null && p !== false && p !== '').join(' ');
  switch (ev.event_type) {
    case 'alert':
      return show(ev.alert?.signature);
    case 'http': {
      const h = ev.http ?? {};
      return j(h.http_method, (h.hostname ?? '') + (h.url ?? ''), h.status && '→ ' + h.status);
    }
    case 'dns': {
      const d = ev.dns ?? {};
      const q = d.queries?.[0] ?? d.query?.[0] ?? {};
      const answers = (d.answers ?? []).map((a: Event) => show(a.rdata)).filter(Boolean);
      return j(q.rrtype ?? d.rrtype, q.rrname ?? d.rrname, d.rcode && d.rcode !== 'NOERROR' && d.rcode, answers.length && '→ ' + answers.join(', '));
    }
    case 'tls':
      return j(ev.tls?.version, ev.tls?.sni, ev.tls?.subject);
    case 'ssh':
      return j(ev.ssh?.client?.software_version, '→', ev.ssh?.server?.software_version);
    case 'flow': {
      const f = ev.flow ?? {};
      return j(
        ev.app_proto && ev.app_proto !== 'failed' ? ev.app_proto : ev.proto,
        f.state && word('flowstate.', f.state),
        t('events.flowbytes', { up: bytes(f.bytes_toserver ?? 0), down: bytes(f.bytes_toclient ?? 0), n: int((f.pkts_toserver ?? 0) + (f.pkts_toclient ?? 0)) }),
      );
    }
    case 'fileinfo':
      return j(ev.fileinfo?.filename, ev.fileinfo?.magic, bytes(ev.fileinfo?.size));
    case 'anomaly':
      return j(ev.anomaly?.type, ev.anomaly?.event, ev.anomaly?.layer);
    case 'arp':
      return j(ev.arp?.opcode, ev.arp?.src_ip, '→', ev.arp?.dest_ip);
    case 'stats':
      return t('events.stats', { n: Number(ev.stats?.decoder?.pkts ?? 0) });
    default: {
      const body = ev[ev.event_type];
      if (!body || typeof body !== 'object') return '';
      return Object.entries(body)
        .filter(([, v]) => typeof v !== 'object')
        .slice(0, 4)
        .map(([k, v]) => `${k}=${show(v)}`)
        .join(' ');
    }
  }
}

/** All leaf fields of an event as dotted names, in their order. */
export function flatten(ev: Event, prefix = ''): [string, unknown][] {
  const out: [string, unknown][] = [];
  for (const [k, v] of Object.entries(ev)) {
    const name = prefix + k;
    if (v && typeof v === 'object' && !Array.isArray(v)) out.push(...flatten(v as Event, name + '.'));
    else if (Array.isArray(v) && v.some((x) => x && typeof x === 'object'))
      v.forEach((x, i) => out.push(...(typeof x === 'object' ? flatten(x as Event, `${name}[${i}].`) : [[`${name}[${i}]`, x] as [string, unknown]])));
    else out.push([name, v]);
  }
  return out;
}
