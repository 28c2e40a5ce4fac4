// SPDX-License-Identifier: Apache-2.0
// A small node for developing and testing the console alone: serves the built files under the node's security
// headers and the API's contract over generated data. `startMock()` for tests; run directly for a browser.
import { createServer } from 'node:http';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { extname, join, dirname, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate, groupsOf, scatter, severityOf, RULES, rulePair } from './data.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const SEV = ['critical', 'high', 'medium', 'low', 'info'];

class Bad extends Error {
  constructor(status, code, message, extra = {}) {
    super(message);
    Object.assign(this, { status, code, extra });
  }
}

const UNITS = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
function when(text, fallback) {
  if (!text) return fallback;
  if (text === 'now') return Date.now();
  const m = /^now-(\d+)([smhd])$/.exec(text);
  if (m) return Date.now() - m[1] * UNITS[m[2]];
  const t = Date.parse(text);
  if (Number.isNaN(t)) throw new Bad(400, 'bad_request', 'not a time: ' + text);
  return t;
}

function get(e, name) {
  return name.split('.').reduce((v, k) => (Array.isArray(v) ? v.map((x) => x?.[k]) : v?.[k]), e);
}

/** Enough of the query language: terms, fields, negation, wildcards, ranges, OR lists. */
function compile(q) {
  const tests = [];
  const re = /\s+|(-?)(?:([\w.]+):)?("(?:[^"\\]|\\.)*"|\([^()]*\)|\[[^\]]*\]|[^\s"()[\]]+)/y;
  let at = 0;
  while (at < q.length) {
    re.lastIndex = at;
    const m = re.exec(q);
    if (!m || (m[3] === undefined && m[0].trim())) throw new Bad(400, 'bad_request', q[at] === '"' ? 'the quote is not closed' : q[at] === '(' ? 'the parenthesis is not closed' : 'not understood: ' + q.slice(at, at + 10), { position: Buffer.byteLength(q.slice(0, at)) });
    if (m[3] !== undefined) {
      if (m[3].endsWith(':') || m[3].startsWith(':')) throw new Bad(400, 'bad_request', 'a value is missing', { position: Buffer.byteLength(q.slice(0, at + m[0].length - 1)) });
      tests.push(one(m[1] === '-', m[2], m[3]));
    }
    at = re.lastIndex;
  }
  return (e) => tests.every((t) => t(e));
}

function one(not, name, raw) {
  if (raw.startsWith('(')) {
    const parts = raw.slice(1, -1).split(/\s+OR\s+/).map((p) => one(false, ...(p.includes(':') && !name ? [p.slice(0, p.indexOf(':')), p.slice(p.indexOf(':') + 1)] : [name, p])));
    return (e) => parts.some((t) => t(e)) !== not;
  }
  const v = raw.startsWith('"') ? raw.slice(1, -1).replace(/\\(.)/g, '$1') : raw;
  const match = (x) => {
    if (Array.isArray(x)) return x.some(match);
    if (x === undefined || x === null) return false;
    if (v === '*') return true;
    const range = /^\[(\S+) TO (\S+)\]$/.exec(v);
    if (range) return Number(x) >= Number(range[1]) && Number(x) <= Number(range[2]);
    if (v.startsWith('>')) return Number(x) > Number(v.slice(1));
    if (v.endsWith('*')) return String(x).toLowerCase().startsWith(v.slice(0, -1).toLowerCase());
    return String(x).toLowerCase() === v.toLowerCase();
  };
  if (!name) return (e) => JSON.stringify(e).toLowerCase().includes(v.toLowerCase()) !== not;
  const names = { ip: ['src_ip', 'dest_ip'], port: ['src_port', 'dest_port'], sid: ['alert.signature_id'] }[name] ?? [name];
  return (e) => names.some((n) => match(get(e, n))) !== not;
}

function buckets(from, to, interval) {
  const span = (to - from) / 1000;
  const step = interval && interval !== 'auto' ? Number(interval) : ([1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 10800, 86400].find((s) => span / s <= 100) ?? 86400);
  const start = Math.floor(from / 1000 / step) * step;
  const times = [];
  for (let t = start; t < to / 1000; t += step) times.push(t);
  return { step, start, times };
}

export async function startMock(o = {}) {
  const dist = o.dist ?? join(here, '..', 'dist');
  const s = {
    events: o.empty ? [] : generate({ events: o.events ?? 6000 }),
    groups: [],
    streams: new Set(),
    streamsEver: 0,
    requests: [],
    password: o.password ?? 'secret-of-tests',
    jobs: {},
    logged: new Map(),
    undo: new Map(),
    users: [{ name: 'admin', role: 'admin', language: null, created: '2026-11-01T08:00:00Z', last_login: '2026-11-24T08:00:00Z' }],
    tokens: [{ id: 't1', name: 'nightly-report', role: 'viewer', created: '2026-11-02T08:00:00Z', last_used: null }],
    settings: { retention_days: 180, keep_raw: true, home_net: ['10.0.0.0/8', '192.168.0.0/16'], language: 'zh' },
    fail: o.fail ?? null,
    seq: 0,
  };
  if (!o.empty) s.groups = [...groupsOf(s.events), ...scatter(o.groups ?? 240)];
  const window = (p) => {
    const from = when(p.get('from'), Date.now() - 864e5);
    const to = when(p.get('to'), Date.now());
    const test = compile(p.get('q') ?? '');
    const a = new Date(from).toISOString();
    const b = new Date(to).toISOString();
    return { from, to, list: s.events.filter((e) => e.timestamp >= a && e.timestamp <= b && test(e)) };
  };
  const top = (list, name, limit) => {
    const n = new Map();
    for (const e of list) for (const v of [get(e, name)].flat()) if (v !== undefined && typeof v !== 'object') n.set(v, (n.get(v) ?? 0) + 1);
    const all = [...n].sort((x, y) => y[1] - x[1]);
    return { values: all.slice(0, limit).map(([value, count]) => ({ value, count })), other: all.slice(limit).reduce((x, y) => x + y[1], 0), distinct: all.length };
  };
  const severitySeries = (list, b) => {
    const series = SEV.map((key) => ({ key, values: new Array(b.times.length).fill(0) }));
    const other = { key: '', values: new Array(b.times.length).fill(0) };
    for (const e of list) {
      const i = Math.floor((Date.parse(e.timestamp) / 1000 - b.start) / b.step);
      const row = e.alert ? series[SEV.indexOf(severityOf(e))] : other;
      if (i >= 0 && i < b.times.length) row.values[i]++;
    }
    return [...series, other].filter((x) => x.values.some(Boolean));
  };
  const groupList = (p) => {
    const status = p.get('status') || 'new';
    const sev = (p.get('severity') || '').split(',').filter(Boolean);
    const words = (p.get('q') || '').toLowerCase().split(/\s+/).filter(Boolean);
    const from = when(p.get('from'), 0);
    const to = when(p.get('to'), Date.now());
    return s.groups.filter(
      (g) =>
        (status === 'all' || g.status === status) &&
        (!sev.length || sev.includes(g.severity)) &&
        Date.parse(g.last) >= from &&
        Date.parse(g.first) <= to &&
        words.every((w) => {
          const m = /^(?:(\w+(?:\.\w+)?)):"?([^"]*)"?$/.exec(w);
          const at = m && { src_ip: g.src_ip, dest_ip: g.dest_ip, ip: g.src_ip + ' ' + g.dest_ip, sid: g.signature_id, 'alert.signature_id': g.signature_id }[m[1]];
          return m ? String(at ?? '').includes(m[2]) : JSON.stringify(g).toLowerCase().includes(w);
        }),
    );
  };
  const openGroups = () => s.groups.filter((g) => g.status === 'new').length;
  const send = (type, data) => {
    for (const res of s.streams) res.write(`id: ${++s.seq}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const stats = () => ({ events_per_s: o.empty ? 0 : 42.5, alerts_new: 1, packets_per_s: 18400, bits_per_s: 142e6, sensors_online: o.empty ? 0 : 2, as_of: new Date().toISOString() });
  const job = (name) => {
    const j = { id: 'j' + (Object.keys(s.jobs).length + 1), kind: 'replay', name, state: 'running', progress: 0, detail: '', events: 0, alerts: 0 };
    s.jobs[j.id] = j;
    const id = setInterval(() => {
      j.progress = Math.min(1, j.progress + 0.25);
      j.events += 1500;
      j.alerts += 80;
      if (j.progress >= 1) {
        j.state = 'done';
        clearInterval(id);
        if (!s.events.length) {
          s.events = generate({ events: 6000 });
          s.groups = groupsOf(s.events);
        }
      }
      send('job', j);
    }, 300);
    timers.push(id);
    return j;
  };
  const timers = [setInterval(() => send('stats', stats()), 2000)];
  const addAlert = (patch = {}) => {
    const src = s.events.find((e) => e.alert);
    const e = { ...structuredClone(src), ...patch, timestamp: new Date().toISOString(), _id: 'x' + Math.random().toString(36).slice(2) };
    s.events.unshift(e);
    send('event', e);
    return e;
  };

  const routes = {
    'GET /health': () => ({
      status: 'ok', version: '0.1.0', uptime_s: 93600, store: { state: 'ready', backend: 'embedded', restarts: 0, detail: '' },
      ingest: { events_per_s: 42.5, queued: 0, last_event: new Date().toISOString(), lag_s: 0.8, quarantined: 3 }, disk: { free_bytes: 412e9, data_bytes: 3.2e9 }, ...(s.health ?? {}),
    }),
    'GET /fields': () => ({
      fields: [
        ['timestamp', 'time', '', 'when it happened', '发生时间'], ['event_type', 'string', '', 'kind of event', '事件类型'], ['src_ip', 'ip', '', 'source address', '源地址'], ['src_port', 'uint', '', 'source port', '源端口'],
        ['dest_ip', 'ip', '', 'destination address', '目的地址'], ['dest_port', 'uint', '', 'destination port', '目的端口'], ['proto', 'string', '', 'transport protocol', '传输协议'], ['app_proto', 'string', '', 'application protocol', '应用协议'],
        ['flow_id', 'uint', '', 'identifies the flow', '流编号'], ['in_iface', 'string', '', 'interface', '网卡'], ['alert.signature', 'string', 'alert', 'name of the rule', '规则名称'], ['alert.signature_id', 'uint', 'alert', 'number of the rule', '规则号'],
        ['alert.category', 'string', 'alert', 'category of the rule', '规则类别'], ['alert.severity', 'uint', 'alert', '1 is the most severe', '级别，1 最高'], ['dns.rcode', 'string', 'dns', 'answer code', '应答码'], ['dns.queries.rrname', 'string', 'dns', 'name asked for', '查询的域名'],
        ['dns.queries.rrtype', 'string', 'dns', 'record type', '记录类型'], ['http.hostname', 'string', 'http', 'Host header', '主机名'], ['http.url', 'string', 'http', 'path and query', '路径'], ['http.http_method', 'string', 'http', 'method', '方法'], ['http.status', 'uint', 'http', 'status', '状态码'],
        ['http.http_user_agent', 'string', 'http', 'User-Agent', '用户代理'], ['tls.sni', 'string', 'tls', 'server name asked for', '请求的服务器名'], ['tls.version', 'string', 'tls', 'version', '版本'], ['tls.ja4', 'string', 'tls', 'client fingerprint', '客户端指纹'], ['tls.subject', 'string', 'tls', 'certificate subject', '证书主体'],
        ['ssh.client.software_version', 'string', 'ssh', 'client software', '客户端软件'], ['flow.bytes_toserver', 'uint', 'flow', 'bytes to server', '发往服务端字节'], ['flow.bytes_toclient', 'uint', 'flow', 'bytes to client', '发往客户端字节'], ['flow.state', 'string', 'flow', 'state of the flow', '流状态'],
      ].map(([name, type, event, en, zh]) => ({ name, type, event, column: true, help: { en, zh } })),
      events: ['alert', 'flow', 'dns', 'http', 'tls', 'ssh'].map((name) => ({ name, title: { en: name, zh: name } })),
    }),
    'GET /events': (p) => {
      const { list } = window(p);
      const limit = Number(p.get('limit') || 100);
      const at = Number(p.get('cursor') || 0);
      const all = p.get('order') === 'asc' ? [...list].reverse() : list;
      return { events: all.slice(at, at + limit), next_cursor: at + limit < all.length ? String(at + limit) : null, took_ms: 4 };
    },
    'GET /events/histogram': (p) => {
      const { from, to, list } = window(p);
      const b = buckets(from, to, p.get('interval'));
      return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), interval_s: b.step, times: b.times, series: severitySeries(list, b), total: list.length, took_ms: 6 };
    },
    'GET /events/top': (p) => {
      const { list } = window(p);
      return { field: p.get('field'), ...top(list, p.get('field'), Number(p.get('limit') || 10)), took_ms: 3 };
    },
    'GET /overview': (p) => {
      const { from, to, list } = window(p);
      const b = buckets(from, to);
      const alerts = list.filter((e) => e.alert);
      const flows = list.filter((e) => e.flow && e.event_type === 'flow');
      const wave = (k, ph) => b.times.map((t, i) => Math.round((k + Math.sin(i / 9 + ph) * k * 0.45 + Math.sin(i * 2.3) * k * 0.06) * b.step * 1e6));
      const sigs = top(alerts, 'alert.signature', 10).values.map((v) => {
        const e = alerts.find((a) => a.alert.signature === v.value);
        return { ...v, signature_id: e.alert.signature_id, severity: severityOf(e) };
      });
      return {
        totals: { events: list.length, alerts: alerts.length, open_groups: openGroups(), critical: alerts.filter((e) => severityOf(e) === 'critical').length, hosts: new Set(list.map((e) => e.src_ip)).size, sensors_online: 2, sensors_total: 2, bytes: list.length ? 812e9 : 0, packets: 4e8 },
        previous: { alerts: Math.round(alerts.length * 0.8), events: list.length, open_groups: Math.max(0, openGroups() - 31) },
        alerts: { times: b.times, interval_s: b.step, series: severitySeries(alerts, b) },
        traffic: { times: b.times, interval_s: b.step, to_server: wave(9, 0), to_client: wave(4, 2) },
        top_sources: top(alerts, 'src_ip', 10).values, top_targets: top(alerts, 'dest_ip', 10).values, top_signatures: sigs,
        protocols: top(flows, 'app_proto', 10).values.map((v) => ({ ...v, bytes: v.count * 1e6 })), as_of: new Date().toISOString(), lost: { packets: list.length ? 1204 : 0, events: 0 }, took_ms: 12,
      };
    },
    'GET /alerts': (p) => {
      const list = groupList(p);
      const sort = p.get('sort') || 'last';
      const by = { last: (x, y) => (x.last < y.last ? 1 : -1), count: (x, y) => y.count - x.count, severity: (x, y) => SEV.indexOf(x.severity) - SEV.indexOf(y.severity) || (x.last < y.last ? 1 : -1) }[sort];
      list.sort(by);
      const limit = Number(p.get('limit') || 100);
      const at = Number(p.get('cursor') || 0);
      const n = {};
      for (const g of list) n[g.severity] = (n[g.severity] ?? 0) + 1;
      return { groups: list.slice(at, at + limit), next_cursor: at + limit < list.length ? String(at + limit) : null, totals: { groups: list.length, alerts: list.reduce((x, g) => x + g.count, 0), by_severity: n } };
    },
    'POST /alerts/decide': (_p, body) => {
      const want = { archive: 'archived', escalate: 'escalated', reopen: 'new' }[body.action];
      if (!want) throw new Bad(422, 'invalid', 'action: archive, escalate or reopen');
      const list = body.ids ? s.groups.filter((g) => body.ids.includes(g.id)) : groupList(new URLSearchParams(Object.entries(body.query ?? {}).filter(([, v]) => v)));
      const token = 'u' + ++s.seq;
      s.undo.set(token, list.map((g) => [g, g.status]));
      for (const g of list) Object.assign(g, { status: want, note: body.note ?? g.note, decided_by: 'admin', decided_at: new Date().toISOString() });
      send('stats', stats());
      return { changed: list.length, undo: token };
    },
    'POST /alerts/undo': (_p, body) => {
      const list = s.undo.get(body.undo);
      if (!list) throw new Bad(404, 'not_found', 'nothing to undo');
      for (const [g, status] of list) g.status = status;
      s.undo.delete(body.undo);
      send('stats', stats());
      return { changed: list.length };
    },
    'GET /hosts': (p) => {
      const { list } = window(new URLSearchParams([...p].filter(([k]) => k !== 'q')));
      const q = (p.get('q') ?? '').toLowerCase();
      const by = new Map();
      for (const e of list)
        for (const [side, ip] of [['src', e.src_ip], ['dest', e.dest_ip]]) {
          let h = by.get(ip);
          if (!h) by.set(ip, (h = { ip, names: [], first: e.timestamp, last: e.timestamp, events: 0, alerts: 0, bytes_in: 0, bytes_out: 0, services: [], internal: ip.startsWith('10.') }));
          h.events++;
          if (e.alert) h.alerts++;
          if (e.timestamp < h.first) h.first = e.timestamp;
          const f = e.event_type === 'flow' ? e.flow : null;
          if (f) {
            h.bytes_out += side === 'src' ? f.bytes_toserver : f.bytes_toclient;
            h.bytes_in += side === 'src' ? f.bytes_toclient : f.bytes_toserver;
          }
          if (side === 'dest' && e.app_proto && e.app_proto !== 'failed' && !h.services.some((x) => x.port === e.dest_port) && h.services.length < 6) h.services.push({ proto: e.proto, port: e.dest_port, app_proto: e.app_proto });
          const name = side === 'dest' && (e.http?.hostname ?? e.tls?.sni);
          if (name && !h.names.includes(name) && h.names.length < 3) h.names.push(name);
        }
      let all = [...by.values()].filter((h) => !q || (h.ip + h.names.join()).toLowerCase().includes(q));
      const sort = p.get('sort') || 'alerts';
      const key = { alerts: (h) => h.alerts, events: (h) => h.events, bytes: (h) => h.bytes_in + h.bytes_out, last: (h) => Date.parse(h.last) }[sort] ?? ((h) => h.alerts);
      all.sort((x, y) => key(y) - key(x));
      const limit = Number(p.get('limit') || 100);
      const at = Number(p.get('cursor') || 0);
      return { hosts: all.slice(at, at + limit), next_cursor: at + limit < all.length ? String(at + limit) : null };
    },
    'GET /sensors': () => ({
      sensors: o.empty ? [] : [
        { id: 'edge-1', unit: 'default', version: '0.1.0', state: 'online', source: 'eth1', started: new Date(Date.now() - 86e6).toISOString(), last_seen: new Date().toISOString(), rates: { packets_per_s: 18400, bits_per_s: 142e6, events_per_s: 40 }, totals: { packets: 4.1e8, bytes: 8.1e11, events: 512000, alerts: 8151 },
          loss: [{ stage: 'kernel', reason: 'ring_full', packets: 0, bytes: 0, events: 0, help: { en: 'The kernel dropped packets because the sensor did not read fast enough.', zh: '探针读取不及时，内核丢弃了包。' } }, { stage: 'reassembly', reason: 'gap', packets: 124, bytes: 180000, events: 0, help: { en: 'Segments were missing from TCP streams, usually lost before the mirror port.', zh: 'TCP 流中缺少报文段，通常在镜像口之前就已丢失。' } }], ledger: { seen: 410000124, carried: 410000000, lost: 124, reconciles: true }, rules: { loaded: 186, failed: 0 } },
        { id: 'plant-2', unit: 'default', version: '0.1.0', state: 'stale', source: 'eth0', started: new Date(Date.now() - 86e6).toISOString(), last_seen: new Date(Date.now() - 95e3).toISOString(), rates: { packets_per_s: 0, bits_per_s: 0, events_per_s: 0 }, totals: { packets: 9e6, bytes: 2e9, events: 12000, alerts: 31 }, loss: [{ stage: 'link', reason: 'node_away', packets: 0, bytes: 0, events: 12, help: { en: 'Events waited longer than the sensor could keep them.', zh: '事件等待时间超过探针能保存的时间。' } }], ledger: { seen: 9000000, carried: 8999000, lost: 12, reconciles: false }, rules: { loaded: 185, failed: 1 } },
        { id: 'demo', unit: 'default', version: '0.1.0', state: 'done', source: 'attack.pcapng', started: new Date(Date.now() - 4e6).toISOString(), last_seen: new Date(Date.now() - 3.9e6).toISOString(), rates: { packets_per_s: 0, bits_per_s: 0, events_per_s: 0 }, totals: { packets: 48212, bytes: 3.1e7, events: 6000, alerts: 320 }, loss: [], ledger: { seen: 48212, carried: 48212, lost: 0, reconciles: true }, rules: { loaded: 186, failed: 0 } },
      ],
    }),
    'GET /interfaces': () => ({ interfaces: [{ name: 'eth0', up: true, address: '192.0.2.10', speed_mbit: 1000, packets: 182736 }, { name: 'eth1', up: true, address: null, speed_mbit: 10000, packets: 99182736 }, { name: 'lo', up: true, address: '127.0.0.1', speed_mbit: null, packets: 1200 }] }),
    'POST /captures': (p) => [202, { job: job(p.get('name') || 'capture') }],
    'POST /demo': (_p, body) => {
      if (body && Object.keys(body).length) throw new Bad(413, 'too_large', 'the body is larger than this route takes');
      return [202, { job: job('demo') }];
    },
    'POST /capture/start': (_p, body) => ({ sensor: body.interface }),
    'POST /capture/stop': () => null,
    'GET /jobs': () => ({ jobs: Object.values(s.jobs) }),
    'GET /users': () => ({ users: s.users }),
    'POST /users': (_p, body) => {
      if (s.users.some((u) => u.name === body.name)) throw new Bad(409, 'conflict', 'user exists: ' + body.name);
      s.users.push({ name: body.name, role: body.role, created: new Date().toISOString(), last_login: null });
      return [201, s.users.at(-1)];
    },
    'GET /tokens': () => ({ tokens: s.tokens }),
    'POST /tokens': (_p, body) => {
      const t = { id: 't' + (s.tokens.length + 1), name: body.name, role: body.role ?? 'viewer', created: new Date().toISOString(), last_used: null };
      s.tokens.push(t);
      return [201, { ...t, token: 'dz_0123456789abcdef0123456789abcdef' }];
    },
    'GET /settings': () => s.settings,
    'PUT /settings': (_p, body) => {
      if (body.language !== undefined && !['zh', 'en'].includes(body.language)) throw new Bad(422, 'invalid', 'language: must be zh or en');
      return Object.assign(s.settings, body);
    },
    'PUT /session/password': (_p, body) => {
      if (body.old !== s.password) throw new Bad(422, 'invalid', 'the old password is wrong');
      s.password = body.new;
      return null;
    },
  };

  const pattern = [
    [/^GET \/events\/(e[^/]+|x[^/]+)$/, (id) => {
      const e = s.events.find((x) => x._id === id);
      if (!e) throw new Bad(404, 'not_found', 'event ' + id);
      return { event: e };
    }],
    [/^GET \/alerts\/([gs]\d+)$/, (id) => {
      const g = s.groups.find((x) => x.id === id);
      if (!g) throw new Bad(404, 'not_found', 'alert group ' + id);
      const mine = s.events.filter((e) => e.alert?.signature_id === g.signature_id && e.src_ip === g.src_ip && e.dest_ip === g.dest_ip);
      const mid = Date.parse(g.last);
      const b = buckets(mid - 3e5, mid + 3e5, 15);
      const near = s.events.filter((e) => Math.abs(Date.parse(e.timestamp) - mid) < 3e5);
      return {
        group: g, rule: { text: RULES[g.signature_id] ?? `alert ip any any -> any any (msg:"${g.signature}"; sid:${g.signature_id}; rev:1;)`, file: 'rules/daizong.rules', line: 12, ...rulePair(g.signature_id), references: [{ url: 'https://attack.mitre.org/techniques/T1190/' }] },
        samples: mine.slice(0, 20), around: { times: b.times, interval_s: b.step, series: severitySeries(near, b) }, history: g.decided_at ? [{ at: g.decided_at, by: g.decided_by, action: g.status === 'archived' ? 'archive' : 'escalate', note: g.note }] : [],
      };
    }],
    [/^GET \/hosts\/([^/]+)$/, (raw, p) => {
      const ip = decodeURIComponent(raw);
      const { from, to, list } = window(new URLSearchParams([...p].filter(([k]) => k !== 'q')));
      const mine = list.filter((e) => e.src_ip === ip || e.dest_ip === ip);
      const b = buckets(from, to);
      const peers = top(mine.map((e) => ({ p: e.src_ip === ip ? e.dest_ip : e.src_ip })), 'p', 8).values;
      const at = mine[0]?.timestamp ?? new Date().toISOString();
      return {
        ip, internal: ip.startsWith('10.'), names: mine.length ? [{ name: 'portal.example.com', source: 'tls', count: 41, last: at }, { name: 'oa.example.com', source: 'http', count: 12, last: at }] : [],
        services: top(mine.filter((e) => e.dest_ip === ip), 'dest_port', 6).values.map((v) => ({ proto: 'TCP', port: v.value, app_proto: { 80: 'http', 443: 'tls', 22: 'ssh', 53: 'dns' }[v.value] ?? '', flows: v.count, bytes: v.count * 91000, first: mine.at(-1).timestamp, last: at, detail: v.value === 22 ? 'OpenSSH_9.2p1' : '' })),
        software: mine.length ? [{ name: 'nginx/1.22.1', source: 'server', count: 40, last: at }, { name: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)', source: 'user_agent', count: 31, last: at }, { name: 't13d1516h2_8daaf6152771_b186095e22b6', source: 'ja4', count: 22, last: at }] : [],
        macs: ['02:42:0a:08:03:15'], peers: peers.map((v) => ({ ip: v.value, flows: v.count, bytes: v.count * 120000 })),
        totals: { flows: mine.filter((e) => e.event_type === 'flow').length, alerts: mine.filter((e) => e.alert).length, bytes_in: 8.1e9, bytes_out: 9.2e8, first: mine.at(-1)?.timestamp ?? at, last: at },
        alerts: s.groups.filter((g) => g.src_ip === ip || g.dest_ip === ip).slice(0, 20), timeline: { times: b.times, interval_s: b.step, series: severitySeries(mine, b) },
      };
    }],
    [/^GET \/jobs\/(j\d+)$/, (id) => s.jobs[id]],
    [/^DELETE \/users\/(.+)$/, (name) => ((s.users = s.users.filter((u) => u.name !== decodeURIComponent(name))), null)],
    [/^PUT \/users\/(.+)\/password$/, () => null],
    [/^DELETE \/tokens\/(.+)$/, (id) => ((s.tokens = s.tokens.filter((t) => t.id !== id)), null)],
  ];

  const session = () => ({ user: { name: 'admin', role: 'admin', language: null }, csrf: 'csrf-of-tests', unit: { id: 'default', name: 'Jinan · Water Group' }, units: [{ id: 'default', name: 'Jinan · Water Group' }] });

  async function handle(req, res) {
    const u = new URL(req.url, 'http://mock');
    const csp = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";
    res.setHeader('Content-Security-Policy', csp);
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.setHeader('Referrer-Policy', 'no-referrer');
    if (!u.pathname.startsWith('/api/')) {
      let file = normalize(join(dist, u.pathname));
      if (!file.startsWith(dist) || !existsSync(file) || statSync(file).isDirectory()) {
        if (/\.[^/]*$/.test(u.pathname)) {
          res.writeHead(404).end();
          return;
        }
        file = join(dist, 'index.html');
      }
      res.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
      createReadStream(file).pipe(res);
      return;
    }
    const p = u.pathname.slice('/api/v1'.length);
    const key = `${req.method} ${p}`;
    s.requests.push(key + u.search);
    const reply = (status, body) => {
      if (body === null || body === undefined) res.writeHead(204).end();
      else res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    };
    const refuse = (status, code, message, extra) => reply(status, { error: { code, message, hint: '', ...extra } });
    const chunks = [];
    for await (const c of req) chunks.push(c);
    const isJson = (req.headers['content-type'] ?? '').includes('json');
    const body = isJson && chunks.length ? JSON.parse(Buffer.concat(chunks)) : {};
    const cookie = /daizong_session=(\w+)/.exec(req.headers.cookie ?? '')?.[1];
    if (key === 'POST /session') {
      if (body.username !== 'admin' || body.password !== s.password) return refuse(401, 'unauthenticated', 'wrong');
      const id = 'c' + Math.random().toString(36).slice(2);
      s.logged.set(id, true);
      res.setHeader('Set-Cookie', `daizong_session=${id}; HttpOnly; SameSite=Strict; Path=/`);
      return reply(200, session());
    }
    if (p !== '/health' && !s.logged.has(cookie)) return refuse(401, 'unauthenticated', 'log in first');
    if (key === 'GET /session') return reply(200, session());
    if (key === 'DELETE /session') {
      s.logged.delete(cookie);
      return reply(204, null);
    }
    if (req.method !== 'GET' && req.headers['x-csrf-token'] !== 'csrf-of-tests') return refuse(403, 'csrf', 'no token');
    if (key === 'GET /stream') {
      s.streamsEver++;
      s.streams.add(res);
      res.on('close', () => s.streams.delete(res));
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      res.write(`event: hello\ndata: {"as_of":"${new Date().toISOString()}"}\n\nevent: stats\ndata: ${JSON.stringify(stats())}\n\n`);
      return;
    }
    if (s.fail && s.fail(key)) return refuse(503, 'store_unavailable', 'The store is not answering', { hint: 'Wait a moment; the node starts it again by itself.' });
    try {
      if (routes[key]) {
        const out = routes[key](u.searchParams, body);
        return Array.isArray(out) ? reply(out[0], out[1]) : reply(200, out);
      }
      for (const [re, fn] of pattern) {
        const m = re.exec(key);
        if (m) return reply(200, fn(m[1], u.searchParams, body));
      }
      return refuse(404, 'not_found', 'no route ' + key);
    } catch (e) {
      if (e instanceof Bad) return refuse(e.status, e.code, e.message, e.extra);
      console.error(e);
      return refuse(500, 'internal', String(e));
    }
  }

  const server = createServer((req, res) => void handle(req, res));
  server.keepAliveTimeout = 120000;
  await new Promise((r) => server.listen(o.port ?? 0, '127.0.0.1', r));
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    state: s,
    send,
    addAlert,
    close: async () => {
      timers.forEach(clearInterval);
      for (const r of s.streams) r.destroy();
      server.closeAllConnections?.();
      await new Promise((r) => server.close(r));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const m = await startMock({ port: Number(process.env.PORT || 8601), empty: process.argv.includes('--empty') });
  setInterval(() => m.addAlert(), 4000);
  console.log(`${m.url}  admin / ${m.state.password}`);
}
