#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the store: events a second from EVE lines to queryable, bytes an event on disk, memory, and
queries over many events. usage: bench/store.py [EVENTS (1000000)] [--raw] [--queries] [--keep DIR]
(--queries: also SQL against the store itself; bench/api.py asks through the node.)
Wall times mean something on a quiet machine only; CPU times always do. Prints a table."""
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests/store'))
from harness import Store, program  # noqa: E402

START = 1770000000
DAY = "timestamp >= '2026-02-02 02:40:00' AND timestamp < '2026-02-03 02:40:00'"
QUERIES = {
    'overview: events by minute and type': "SELECT minute, event_type, sum(events) FROM events_minute GROUP BY minute, event_type FORMAT JSONCompact",
    'overview: alerts by hour and severity': "SELECT hour, daizong_severity, sum(events) FROM alerts_hour GROUP BY hour, daizong_severity FORMAT JSONCompact",
    'overview: traffic by 5 minutes': "SELECT toStartOfInterval(minute, INTERVAL 5 MINUTE) AS t, sum(bytes_toserver), sum(bytes_toclient) FROM events_minute GROUP BY t ORDER BY t FORMAT JSONCompact",
    'overview: top talkers': "SELECT ip, sum(bytes_out) + sum(bytes_in) AS b FROM hosts_hour GROUP BY ip ORDER BY b DESC LIMIT 10 FORMAT JSONCompact",
    'overview: top signatures': "SELECT alert_signature_id, any(alert_signature), sum(events) AS n FROM alerts_hour GROUP BY alert_signature_id ORDER BY n DESC LIMIT 10 FORMAT JSONCompact",
    'alerts: groups, first page': "SELECT alert_signature_id, src_ip, dest_ip, sum(events) AS n, max(last) AS l FROM alerts_hour GROUP BY 1, 2, 3 ORDER BY l DESC LIMIT 50 FORMAT JSONCompact",
    'histogram: all': "SELECT toStartOfInterval(minute, INTERVAL 5 MINUTE) AS t, event_type, sum(events) FROM events_minute GROUP BY t, event_type FORMAT JSONCompact",
    'histogram: all, by rows (no roll-up)': f"SELECT toStartOfInterval(timestamp, INTERVAL 5 MINUTE) AS t, event_type, count() FROM events WHERE {DAY} GROUP BY t, event_type FORMAT JSONCompact",
    'histogram: alerts, by rows': f"SELECT toStartOfInterval(timestamp, INTERVAL 5 MINUTE) AS t, count() FROM events WHERE event_type = 'alert' AND {DAY} GROUP BY t FORMAT JSONCompact",
    'top: signatures, by rows': "SELECT alert_signature, count() AS n FROM events WHERE event_type = 'alert' GROUP BY 1 ORDER BY n DESC LIMIT 10 FORMAT JSONCompact",
    'top: src_ip of alerts': "SELECT src_ip, count() AS n FROM events WHERE event_type = 'alert' GROUP BY 1 ORDER BY n DESC LIMIT 10 FORMAT JSONCompact",
    'top: http hosts': "SELECT http_hostname, count() AS n FROM events WHERE event_type = 'http' GROUP BY 1 ORDER BY n DESC LIMIT 10 FORMAT JSONCompact",
    'top: src_ip of everything': "SELECT ip, sum(events_out) AS n FROM hosts_hour GROUP BY ip ORDER BY n DESC LIMIT 10 FORMAT JSONCompact",
    'search: latest 100 of one type': "SELECT * FROM events WHERE event_type = 'alert' ORDER BY timestamp DESC LIMIT 100 FORMAT JSONCompact",
    'search: latest 100 of all': "SELECT * FROM events WHERE timestamp >= (SELECT max(minute) FROM (SELECT minute, sum(sum(events)) OVER (ORDER BY minute DESC) AS n FROM events_minute GROUP BY minute) WHERE n >= 100) ORDER BY timestamp DESC LIMIT 100 FORMAT JSONCompact",
    'search: one address': "SELECT * FROM events WHERE src_ip = toIPv6('10.3.48.67') AND timestamp >= (SELECT min(timestamp) FROM (SELECT timestamp FROM events WHERE src_ip = toIPv6('10.3.48.67') ORDER BY timestamp DESC LIMIT 100)) ORDER BY timestamp DESC LIMIT 100 FORMAT JSONCompact",
    'search: one host name': "SELECT timestamp, http_url FROM events WHERE http_hostname = 'www.site2811.example.com' ORDER BY timestamp DESC LIMIT 100 FORMAT JSONCompact",
    'search: one signature': "SELECT timestamp, src_ip FROM events WHERE event_type = 'alert' AND alert_signature_id = 2000777 ORDER BY timestamp DESC LIMIT 100 FORMAT JSONCompact",
    'search: a word in the URL': "SELECT timestamp, http_url FROM events WHERE hasToken(http_url, 'item4777') ORDER BY timestamp DESC LIMIT 100 FORMAT JSONCompact",
    'search: one flow': "SELECT timestamp FROM events WHERE flow_id = 4002432008702041 FORMAT JSONCompact",
    'count: all': 'SELECT count() FROM events FORMAT JSONCompact',
}


def cpu_s(pid):
    with open(f'/proc/{pid}/stat') as f:
        x = f.read().rsplit(') ', 1)[1].split()
    return (int(x[11]) + int(x[12])) / os.sysconf('SC_CLK_TCK')


def row(what, value, goal=''):
    print(f'| {what} | {value} | {goal} |', flush=True)


def ingest(s, n, raw):
    make = subprocess.Popen([program('eve_make', 'tests/store'), str(n), '1', str(START)], stdout=subprocess.PIPE)
    path = os.path.join(s.dir, 'eve.json')
    with open(path, 'wb') as f:
        for block in iter(lambda: make.stdout.read(1 << 20), b''):
            f.write(block)
    make.wait()
    before = cpu_s(s.process.pid)
    start = time.time()
    p = subprocess.Popen([program('feed', 'tests/store'), f'unix:{s.socket}', os.path.join(s.dir, 'spool'), 's1', '7', '--drain', '3000000',
                        *(['--raw'] if raw else [])], stdin=open(path), stdout=subprocess.PIPE, text=True)
    said = p.stdout.read()
    _, status, usage = os.wait4(p.pid, 0)
    wall = time.time() - start
    assert status == 0, said
    node = usage.ru_utime + usage.ru_stime
    store = cpu_s(s.process.pid) - before
    assert re.search(rf'stored {n} ', said), said
    os.unlink(path)
    row('events', f'{n:,}' + (' with the raw line' if raw else ''))
    row('EVE line to queryable, wall', f'{n / wall:,.0f} events/s', '250,000 on two quiet cores')
    row('CPU an event: ingest, store', f'{node / n * 1e6:.2f} + {store / n * 1e6:.2f} us', '8 us = 250,000 on two cores')
    row('memory: ingest, store', f'{usage.ru_maxrss // 1024} + {s.rss_kb() // 1024} MB', '800 MB')


def queries(s, rounds):
    slow = 0.0
    for what, sql in QUERIES.items():
        walls, before = [], cpu_s(s.process.pid)
        for _ in range(rounds):
            start = time.time()
            a = s.sql(sql, '&database=daizong&readonly=1&use_query_condition_cache=0')
            walls.append(time.time() - start)
            assert a.status == 200, a.text
        walls.sort()
        cpu = (cpu_s(s.process.pid) - before) / rounds * 1000
        p95 = walls[int(len(walls) * 0.95)] * 1000
        slow = max(slow, p95)
        row(what, f'p50 {walls[len(walls) // 2] * 1000:.0f} ms, p95 {p95:.0f} ms, CPU {cpu:.0f} ms', 'p95 150 ms')


def main():
    args = [a for a in sys.argv[1:] if not a.startswith('--')]
    n = int(args[0]) if args else 1000000
    data = None
    if '--keep' in sys.argv:
        data = args.pop()
        n = int(args[0]) if args and args[0].isdigit() else n
    print('| what | measured | goal |\n|---|---|---|')
    with Store(data=data, listen=False) as s:
        have = 0
        if data:
            a = s.sql('SELECT count() FROM daizong.events')
            have = int(a.text) if a.status == 200 else 0
        if not have:
            ingest(s, n, '--raw' in sys.argv)
            start = time.time()
            while time.time() - start < 120 and s.value("SELECT count() FROM system.merges WHERE database = 'daizong'") != '0':
                time.sleep(1)
        disk = s.value("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'daizong'")
        rows = s.value('SELECT count() FROM daizong.events')
        row('disk an event, roll-ups and indexes included', f'{int(disk) / int(rows):.1f} bytes', '60, with the raw line 120')
        if '--queries' in sys.argv:
            queries(s, 30)


main()
