#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures a whole node as its callers meet it: an EVE file of N made events is followed until all of it
can be queried, then the HTTP API is asked what the console asks, every time with other values.
usage: bench/api.py [EVENTS (10000000)] [--no-raw] [--rounds N] [--keep DIR] [--only WORD]
--keep DIR leaves the node's data there, or asks those that are there. Wall times mean something on a
quiet machine only; CPU times (node + store) always do. Prints tables."""
import argparse
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests'))
from unix_http import UnixConnection  # noqa: E402

BUILD = os.path.join(ROOT, 'build/release')
DAY = 86400
REACH_MS = 150


def rfc3339(t):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(t))


class Process:
    def __init__(self, pid):
        self.pid = pid

    def cpu(self):
        with open(f'/proc/{self.pid}/stat') as f:
            x = f.read().rsplit(') ', 1)[1].split()
        return (int(x[11]) + int(x[12])) / os.sysconf('SC_CLK_TCK')

    def memory(self, what):
        with open(f'/proc/{self.pid}/status') as f:
            return next(int(x.split()[1]) // 1024 for x in f if x.startswith(what))


class Node:
    def __init__(self, data, *args):
        env = dict(os.environ)
        env.setdefault('DAIZONG_LIBCHDB', os.path.join(ROOT, 'build/third_party/libchdb/libchdb.so'))
        for name in ('DAIZONG_DATA', 'DAIZONG_LISTEN', 'DAIZONG_URL', 'DAIZONG_TOKEN'):
            env.pop(name, None)
        self.socket = os.path.join(data, 'daizong.sock')
        self.log = open(data + '.log', 'a')
        self.process = subprocess.Popen([os.path.join(BUILD, 'daizong'), 'up', '--data', data, '--listen', '127.0.0.1:0', '--json', *args],
                                        stdout=subprocess.PIPE, stderr=self.log, env=env)
        if not self.process.stdout.readline():
            sys.exit(f'bench: the node did not start, see {data}.log')
        self.node, self.store = Process(self.process.pid), None
        self.connection = UnixConnection(self.socket, 120)
        while not self.store:
            with open(f'/proc/{self.node.pid}/task/{self.node.pid}/children') as f:
                first = f.read().split()
            children = first or subprocess.run(['pgrep', '-P', str(self.node.pid)], capture_output=True, text=True).stdout.split()
            self.store = Process(int(children[0])) if children else None
            time.sleep(0.05)

    def request(self, method, path, body=None):
        try:
            self.connection.request(method, path, body, {'Content-Type': 'application/json'} if body else {})
            r = self.connection.getresponse()
            return r.status, r.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def get(self, path, late_ok=False, **params):
        query = urllib.parse.urlencode({k: v for k, v in params.items() if v is not None})
        status, body = self.request('GET', '/api/v1' + path + ('?' + query if query else ''))
        if status == 504 and late_ok:
            return None
        if status != 200:
            sys.exit(f'bench: {path}?{query}: {status} {body[:400]}')
        return json.loads(body)

    def metric(self, name):
        for line in self.request('GET', '/metrics')[1].decode().splitlines():
            if line.startswith('daizong_' + name + ' ') or line.startswith(name + ' '):
                return float(line.split()[-1])
        sys.exit(f'bench: no figure {name}')

    def cpu(self):
        return self.node.cpu() + self.store.cpu()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)
        self.log.close()


def row(*cells):
    print('| ' + ' | '.join(str(c) for c in cells) + ' |', flush=True)


def set_up(data, raw):
    """The setting that the node reads when it starts."""
    node = Node(data)
    status, body = node.request('PUT', '/api/v1/settings', json.dumps({'keep_raw': raw}))
    assert status == 200, body
    node.stop()


def ingest(data, n, raw):
    eve = os.path.join(os.path.dirname(data), 'eve.json')
    set_up(data, raw)
    with open(eve, 'wb') as f:
        subprocess.run([os.path.join(BUILD, 'tests/store/eve_make'), str(n), '1', str(int(time.time()) - DAY)], stdout=f, check=True)
    start = moved = time.time()
    quarter, seen = [], 0
    node = Node(data, '--follow', eve)
    while True:
        stored = int(node.metric('ingest_stored_total'))
        if stored * 4 >= (len(quarter) + 1) * n:
            quarter.append(node.node.memory('VmRSS') + node.store.memory('VmRSS'))
        if stored >= n:
            break
        if stored == seen and time.time() - moved > 120:
            sys.exit('bench: the intake stands still')
        if stored != seen:
            seen, moved = stored, time.time()
        time.sleep(0.1)
    wall = time.time() - start
    assert node.metric('ingest_quarantined_total') == 0
    a, b = node.node.cpu(), node.store.cpu()
    row('what', 'measured', 'reach')
    row('---', '---', '---')
    row('events followed from an EVE file', f'{n:,}' + (', raw line kept' if raw else ''), '')
    row('line to queryable, wall', f'{n / wall:,.0f} events/s', '250,000 on two quiet cores')
    row('CPU an event: node + store', f'{a / n * 1e6:.2f} + {b / n * 1e6:.2f} us', '8 us')
    row('most memory: node + store', f"{node.node.memory('VmHWM')} + {node.store.memory('VmHWM')} MB", '800 MB')
    row('both at each quarter of the way', ', '.join(f'{q} MB' for q in quarter), 'does not grow')
    os.unlink(eve)
    time.sleep(1)
    settle = node.store.cpu()
    while True:  # merges go on for a while
        time.sleep(2)
        now = node.store.cpu()
        if now - settle < 0.1:
            break
        settle = now
    row('store with the merges that follow', f'{settle / n * 1e6:.2f} us', '')
    c = UnixConnection(os.path.join(data, 'store.sock'), 120)
    c.request('POST', '/', "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'daizong'")
    size = int(c.getresponse().read())
    c.close()
    row("disk an event, roll-ups and indexes included", f'{size / n:.1f} bytes', '120' if raw else '60')
    return node


def samples(node, span):
    """Values that are there, from frequent to rare, of every field that is asked for."""
    out = {}
    for field in ('src_ip', 'dest_ip', 'http.hostname', 'tls.sni', 'alert.signature_id', 'http.url', 'dns.queries.rrname', 'tls.ja4',
                  'http.http_user_agent', 'fileinfo.sha256'):
        out[field] = [v['value'] for v in node.get('/events/top', field=field, limit=200, **span)['values']] or ['nothing']
    page = node.get('/events', limit=200, q='event_type:flow', **span)['events']
    out['flow_id'] = [e['flow_id'] for e in page] or [1]
    return out


def cases(end, s):
    """(what, path, function of the round that gives the parameters)"""
    hour, day, week = ({'from': rfc3339(end - t), 'to': rfc3339(end)} for t in (3600, DAY, 7 * DAY))
    def pick(field, i):
        v = s[field]
        return v[i * 7 % len(v)]
    quote = lambda v: '"' + str(v).replace('"', '') + '"'
    for name, span in (('1 h', hour), ('24 h', day), ('7 d', week), ('all', {})):
        yield f'overview: {name}', '/overview', lambda i, span=span: span
    for name, q, by in (('all by type', None, 'event_type'), ('alerts by severity', 'event_type:alert', 'severity'),
                        ('one address', 'ip:{src_ip}', 'event_type'), ('one host name', 'http.hostname:{http.hostname}', 'event_type'),
                        ('a port', 'dest_port:443', 'event_type')):
        def ask(i, q=q, by=by):
            text = q
            for field in s:
                text = text and text.replace('{' + field + '}', str(pick(field, i)))
            return dict(day, q=text, by=by)
        yield f'histogram: {name}', '/events/histogram', ask
    for field in ('event_type', 'src_ip', 'dest_ip', 'dest_port', 'app_proto', 'alert.signature', 'http.hostname', 'http.url',
                  'dns.queries.rrname', 'tls.sni', 'tls.ja4', 'http.status'):
        yield f'top: {field}', '/events/top', lambda i, field=field: dict(day, field=field, limit=10)
    yield 'top: src_ip of alerts', '/events/top', lambda i: dict(day, field='src_ip', q='event_type:alert', limit=10)
    yield 'top: http.url of one host', '/events/top', lambda i: dict(day, field='http.url', q='http.hostname:' + pick('http.hostname', i), limit=10)
    yield 'top: dest_ip by bytes', '/events/top', lambda i: dict(day, field='dest_ip', sum='flow.bytes_toclient', q='event_type:flow', limit=10)
    searches = [('everything, newest', lambda i: None), ('one type', lambda i: 'event_type:alert'),
                ('src_ip', lambda i: f"src_ip:{pick('src_ip', i)}"), ('ip (either side)', lambda i: f"ip:{pick('dest_ip', i)}"),
                ('a network', lambda i: f'src_ip:10.{i % 4}.{i * 11 % 256}.0/24'),
                ('dest_port', lambda i: f'dest_port:{1000 + i}'),
                ('http.hostname', lambda i: f"http.hostname:{pick('http.hostname', i)}"), ('tls.sni', lambda i: f"tls.sni:{pick('tls.sni', i)}"),
                ('dns.queries.rrname', lambda i: f"dns.queries.rrname:{pick('dns.queries.rrname', i)}"),
                ('signature id', lambda i: f"alert.signature_id:{pick('alert.signature_id', i)}"),
                ('http.url', lambda i: f"http.url:{quote(pick('http.url', i))}"), ('a word of the URL', lambda i: f'http.url:*item{4000 + i * 7}*'),
                ('user agent', lambda i: 'http.http_user_agent:*curl*'), ('http.status', lambda i: 'http.status:404'),
                ('flow_id', lambda i: f"flow_id:{s['flow_id'][i * 5 % len(s['flow_id'])]}"), ('app_proto', lambda i: 'app_proto:http'),
                ('tls.ja4', lambda i: f"tls.ja4:{pick('tls.ja4', i)}"), ('file hash', lambda i: f"fileinfo.sha256:{pick('fileinfo.sha256', i)}"),
                ('technique', lambda i: f'daizong.techniques:T1{i % 200:03d}'), ('unit', lambda i: 'daizong.unit:default'),
                ('a field without column', lambda i: f'pkt_src:wire/pcap dns.id:{i * 37}'),
                ('not there', lambda i: f'http.hostname:www.nowhere{i}.example')]
    for name, q in searches:
        yield f'search: {name}', '/events', lambda i, q=q: dict(day, q=q(i), limit=100)
    yield 'free text: a frequent word', '/events', lambda i: dict(day, q='wget' if i % 2 else 'curl', limit=100)
    yield 'free text: a rare word', '/events', lambda i: dict(day, q=f'item{4100 + i * 3}', limit=100)
    yield 'free text: not there', '/events', lambda i: dict(day, q=f'nowhere{i}', limit=100)
    yield 'alert groups: first page', '/alerts', lambda i: dict(day, limit=50)
    yield 'alert groups: of one address', '/alerts', lambda i: dict(day, limit=50, q=f"ip:{pick('src_ip', i)}")
    yield 'hosts: first page', '/hosts', lambda i: dict(day, limit=50)
    yield 'hosts: by name', '/hosts', lambda i: dict(day, limit=50, q=f'site{i * 17}.example')
    yield 'one host', '/hosts/{dest_ip}', lambda i: day


def ask(node, span, end, rounds, only):
    s = samples(node, span)
    print(f'\nThe HTTP API over these events, {rounds} rounds each; reach: p95 <= {REACH_MS} ms\n')
    row('what', 'p50', 'p95', 'CPU', '')
    row('---', '--:', '--:', '--:', '---')
    for what, path, params in cases(end, s):
        if only and only not in what:
            continue
        walls, late, before = [], 0, node.cpu()
        for i in range(rounds):
            at = path.replace('{dest_ip}', s['dest_ip'][i * 7 % len(s['dest_ip'])])
            start = time.time()
            late += node.get(at, late_ok=True, **params(i)) is None
            walls.append((time.time() - start) * 1000)
        walls.sort()
        p95 = walls[min(len(walls) - 1, int(len(walls) * 0.95))]
        row(what, f'{walls[len(walls) // 2]:.0f} ms', f'{p95:.0f} ms', f'{(node.cpu() - before) / rounds * 1000:.0f} ms',
            (f'{late} of {rounds} met the ceiling of time' if late else '') if p95 <= REACH_MS or late else 'above')


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('events', type=int, nargs='?', default=10000000)
    ap.add_argument('--no-raw', action='store_true')
    ap.add_argument('--rounds', type=int, default=20)
    ap.add_argument('--keep')
    ap.add_argument('--only')
    a = ap.parse_args()
    folder = os.path.abspath(a.keep) if a.keep else tempfile.mkdtemp(prefix='dz-bench-', dir='/tmp')
    data = os.path.join(folder, 'node')
    there = os.path.exists(data)
    os.makedirs(data, exist_ok=True)
    node = None
    try:
        node = Node(data) if there else ingest(data, a.events, not a.no_raw)
        while node.get('/health')['store']['state'] != 'ready':
            time.sleep(0.2)
        times = node.get('/overview')['alerts']
        end = times['times'][-1] + times['interval_s']
        ask(node, {'from': rfc3339(end - DAY), 'to': rfc3339(end)}, end, a.rounds, a.only)
    finally:
        if node:
            node.stop()
        if not a.keep:
            shutil.rmtree(folder, ignore_errors=True)


main()
