# SPDX-License-Identifier: Apache-2.0
"""From EVE lines to rows: what is acknowledged is stored, once, whoever dies; bad input and bad days."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from harness import BUILD, Store, check, program

FEED = program('feed', 'tests/store')


def lines(n, start=0, day=86400.0):
    out = []
    for i in range(start, start + n):
        t = time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(1770000000 + i % 86400))
        kind = ('flow', 'alert', 'dns', 'http')[i % 4]
        e = {'timestamp': f'{t}.{i % 1000000:06d}+0000', 'flow_id': i + 1, 'event_type': kind, 'src_ip': f'10.0.{i % 7}.{i % 250}',
             'src_port': 1024 + i % 60000, 'dest_ip': '2001:db8::1' if i % 5 == 0 else '192.0.2.1', 'dest_port': 80, 'proto': 'TCP'}
        if kind == 'flow':
            e['flow'] = {'bytes_toserver': 10, 'bytes_toclient': 20, 'pkts_toserver': 1, 'pkts_toclient': 2, 'alerted': i % 8 == 0}
        elif kind == 'alert':
            e['alert'] = {'signature_id': 1 + i % 3, 'signature': 'a "quoted" \u00e9', 'severity': 1,
                          'metadata': {'signature_severity': ['Critical' if i % 8 == 1 else 'Major'], 'mitre_technique_id': ['T1190', 'T1059']}}
        elif kind == 'dns':
            e['dns'] = {'version': 3, 'type': 'request', 'queries': [{'rrname': f'h{i}.example', 'rrtype': 'A'}, {'rrname': 'x', 'rrtype': 'NS'}]}
        else:
            e['http'] = {'hostname': 'h.example', 'url': f'/a/b{i}', 'status': 200, 'length': 5}
        out.append(json.dumps(e))
    return out


def feed(store, text, *args, sensor='s1', stream=7, spool='spool', **kw):
    return subprocess.run([FEED, f'unix:{store.socket}', os.path.join(store.dir, spool), sensor, str(stream), *args],
                          input=text, capture_output=True, text=True, timeout=240, **kw)


def counters(p):
    last = p.stdout.strip().splitlines()[-1]
    return {k: int(v) for k, v in re.findall(r'(\w+) (\d+)', last)}


def count(store, sql):
    return int(store.value(sql))


def test_fields_arrive():
    with Store() as s:
        text = '\n'.join(lines(4000)) + '\n'
        c = counters(feed(s, text, '--raw', '--drain', '30000'))
        check(c['stored'] == 4000 and c['quarantined'] == 0, c)
        v = s.value
        check(v('SELECT count(), uniqExact(stream_seq), min(timestamp), max(daizong_sensor), max(daizong_unit) FROM daizong.events')
              == '4000\t4000\t2026-02-02 02:40:00.000000\ts1\tdefault', 'events')
        check(v("SELECT count(), any(alert_signature), groupUniqArray(daizong_techniques) FROM daizong.events WHERE event_type = 'alert'")
              == "1000\ta \"quoted\" \u00e9\t[['T1190','T1059']]", 'alerts')
        check(v("SELECT countIf(daizong_severity = 'critical'), countIf(daizong_severity = 'high') FROM daizong.events") == '500\t500', 'severity')
        check(v("SELECT dns_queries_rrname, dns_queries_rrtype FROM daizong.events WHERE stream_seq = 3") == "['h2.example','x']\t['A','NS']", 'dns')
        check(v("SELECT http_hostname, http_url, http_status, http_length, src_ip, dest_ip FROM daizong.events WHERE stream_seq = 4")
              == "h.example\t/a/b3\t200\t5\t::ffff:10.0.3.3\t::ffff:192.0.2.1", 'http')
        check(v("SELECT dest_ip FROM daizong.events WHERE stream_seq = 6") == '2001:db8::1', 'IPv6')
        check(v("SELECT sum(flow_alerted), sum(flow_bytes_toclient) FROM daizong.events") == '500\t20000', 'flow')
        check(v("SELECT line FROM daizong.events ORDER BY stream_seq FORMAT TSVRaw") == text.strip(), 'the lines, byte for byte')
        check(v("SELECT count() FROM daizong.events WHERE raw != '' OR raw_form = ''") == '0', 'lines in two parts')
        check(v("SELECT sum(events), sum(bytes_toserver), sum(packets) FROM daizong.events_minute") == '4000\t10000\t3000', 'minute')
        check(v("SELECT sum(events), uniqExact(alert_signature_id), max(daizong_severity) FROM daizong.alerts_hour") == '1000\t3\thigh', 'alerts_hour')
        check(v("SELECT sum(events), sum(flows_out), sum(alerts_in), sum(bytes_in), sum(bytes_out) FROM daizong.hosts_hour") == '8000\t1000\t1000\t30000\t30000', 'hosts_hour')
        check(v("SELECT count() FROM daizong.events WHERE hasToken(http_url, 'b3')") == '1', 'text index')



def test_lines_come_back_as_they_were():
    """However a line is kept: in two parts, with words among its values once there are too many forms, or whole."""
    stem = '{"timestamp":"2026-02-02T02:40:00.000001+0000","event_type":"dns","x":'
    odd = [stem + '"a\\u0001b \\" \\\\"}', stem + '[ 1.50, -0, "", "tab\\t" ] , "y" : null }', stem + '"é中"}',
           stem + '[' + '1,' * 1100 + '1]}', stem + '{"' + 'k' * 5000 + '":1}}']
    def letters(i):
        return ''.join(chr(97 + int(c)) for c in str(i))
    many = [f'{stem}"{letters(i)}"}}' for i in range(5000)] + [f'{stem}{{"k{i}":1}}}}' for i in range(9000)]
    with Store() as s:
        text = '\n'.join(odd + many)
        c = counters(feed(s, text + '\n', '--raw', '--drain', '30000'))
        check(c['stored'] == len(odd) + len(many), c)
        check(s.value('SELECT line FROM daizong.events ORDER BY stream_seq FORMAT TSVRaw') == text, 'lines')
        check(count(s, "SELECT count() FROM daizong.events WHERE raw != '' AND stream_seq <= 5") == 2, 'two are no form')
        check(count(s, "SELECT countIf(raw != '') FROM daizong.events") > 500, 'too many forms')
        check(count(s, 'SELECT uniqExact(raw_form) FROM daizong.events') > 8000, 'forms')
        # Lines of before there were two parts.
        s.value("INSERT INTO daizong.events (timestamp, ingest_ts, event_type, raw, stream_seq) VALUES ('2026-02-02 00:00:00', now(), 'dns', '{\"x\":1}', 77777)")
        check(s.value('SELECT line FROM daizong.events WHERE stream_seq = 77777') == '{"x":1}', 'a whole one')


def test_older_tables_are_brought_up_to_date():
    """The events table of before whole seconds had a column: everything it lacks comes, its rows stay and get it too."""
    with Store() as s:
        text = '\n'.join(lines(3000)) + '\n'
        feed(s, text, '--raw', '--drain', '30000')
        now = "SELECT name FROM system.projections WHERE database = 'daizong' UNION ALL SELECT name FROM system.data_skipping_indices WHERE database = 'daizong'"
        new = set(s.value(now).split('\n'))
        for change in ('DROP PROJECTION by_src_v2', 'DROP PROJECTION by_dest_v2', 'DROP INDEX bf_alert_signature_id', 'DROP COLUMN timestamp_s',
                       'DROP COLUMN same_ip', 'DROP COLUMN line', 'DROP COLUMN raw_form', 'DROP COLUMN raw_values', 'DROP COLUMN tls_ja4',
                       'ADD PROJECTION by_src (SELECT src_ip, timestamp, _part_offset ORDER BY src_ip, timestamp)', 'MATERIALIZE PROJECTION by_src'):
            s.value(f'ALTER TABLE daizong.events {change} SETTINGS mutations_sync = 1')
        check('by_src' in s.value(now).split('\n'), 'the old table')
        c = counters(feed(s, '\n'.join(lines(1000, 3000)) + '\n', '--raw', '--drain', '30000', stream=8))
        check(c['stored'] == 1000, c)
        check(set(s.value(now).split('\n')) == new, 'indexes and projections are those of a new table')
        check(s.value('SELECT count(), countIf(timestamp_s = toDateTime(timestamp)), countIf(same_ip = 0), sum(length(tls_ja4)) FROM daizong.events')
              == '4000\t4000\t4000\t0', 'columns that are filled from others')
        until = time.time() + 60
        while count(s, 'SELECT count() FROM system.mutations WHERE NOT is_done') and time.time() < until:
            time.sleep(0.1)
        check(s.value("SELECT sum(rows) FROM system.projection_parts WHERE active AND database = 'daizong' AND name = 'by_src_v2'") == '4000',
              'rows of before are in the projection')
        check(count(s, "SELECT count() FROM daizong.events WHERE src_ip = toIPv6('10.0.3.3')")
              == sum('"10.0.3.3"' in x for x in lines(4000)), 'an address')


def test_readers_get_both_cores():
    """Of the node's little memory the engine would keep a gigabyte for each thread and so use one."""
    with Store() as s:
        plan = s.sql('EXPLAIN PIPELINE SELECT sum(cityHash64(number)) FROM numbers_mt(100000000)', '&max_threads=2&readonly=1').text
        check('NumbersRange × 2' in plan, plan)


def test_resend_is_stored_once():
    with Store() as s:
        all_lines = lines(5000)
        c = counters(feed(s, '\n'.join(all_lines[:3000]) + '\n', '--drain', '30000'))
        check(c['stored'] == 3000, c)
        # The sensor sends from the start again, to another batching; then another stream with the same numbers.
        c = counters(feed(s, '\n'.join(all_lines) + '\n', '--drain', '30000', '--batch', '700'))
        check(c['stored'] == 2000 and c['lines'] == 2000, c)
        feed(s, '\n'.join(all_lines) + '\n', '--drain', '30000', stream=8)
        feed(s, '\n'.join(all_lines) + '\n', '--drain', '30000', sensor='s2')
        check(s.value('SELECT count(), uniqExact(stream_id, stream_seq), uniqExact(stream_id) FROM daizong.events') == '15000\t15000\t3', 'rows')


def test_malformed_lines_are_kept():
    bad = ['', 'x', '{', '[1]', '{"a":1}', '{"timestamp":"yesterday","event_type":"dns"}', '{"timestamp":"2026-01-01T00:00:00.000000+0000"}',
           '{"timestamp":"2026-01-01T00:00:00.000000+0000","event_type":7}', '{"timestamp":"2026-01-01T00:00:00.000000+0000","event_type":"a b"}',
           '{"timestamp":"2026-01-01T00:00:00.000000+0000","event_type":"dns","src_ip":"300.1.1.1"}',
           '{"timestamp":"2026-01-01T00:00:00.000000+0000","event_type":"dns","src_port":70000}',
           '{"timestamp":"2026-01-01T00:00:00.000000+0000","event_type":"dns"} x', '{"timestamp":"2026-01-01T00:00:00.000000+0000","event_type":"dns","a":' + '[' * 100 + ']' * 100 + '}',
           '{"timestamp":"2026-01-01T00:00:00.000000+0000","event_type":"dns","a":"\x01"}', '"' + 'a' * 2000000 + '"']
    good = ['{"timestamp":"2026-01-01T00:00:00.000000+0000","event_type":"mqtt"}',
            '{"timestamp":"2026-01-01T08:00:00.5+0800","event_type":"dns","dns":7,"http":[1,{"a":2}],"alert":{"severity":"x"},"unknown":{"b":[{}]}}']
    with Store() as s:
        c = counters(feed(s, '\n'.join(bad + good) + '\n', '--drain', '30000'))
        check(c['quarantined'] == len(bad) and c['taken'] == 2 and c['stored'] == len(bad) + 2 and c['mismatches'] >= 1, c)
        check(count(s, "SELECT count() FROM daizong.quarantine WHERE reason != '' AND daizong_sensor = 's1'") == len(bad), 'quarantine')
        check(count(s, "SELECT uniqExact(reason) FROM daizong.quarantine") >= 10, s.value('SELECT groupUniqArray(reason) FROM daizong.quarantine'))
        check(s.value("SELECT groupArray(toString(timestamp)) FROM (SELECT timestamp FROM daizong.events ORDER BY timestamp)")
              == "['2026-01-01 00:00:00.000000','2026-01-01 00:00:00.500000']", 'good ones')
        # Any bytes at all: every line is taken or kept.
        rnd = random.Random(5)
        base = lines(300)
        noisy = []
        for x in base:
            b = bytearray(x.encode())
            for _ in range(rnd.randrange(4)):
                b[rnd.randrange(len(b))] = rnd.choice(b'{}[]",:\\0\x00\xff1e-')
            noisy.append(bytes(b).replace(b'\n', b' '))
        p = subprocess.run([FEED, f'unix:{s.socket}', os.path.join(s.dir, 'spool'), 'noise', '1', '--drain', '30000'],
                           input=b'\n'.join(noisy) + b'\n', capture_output=True, timeout=60)
        c = counters(subprocess.CompletedProcess([], 0, p.stdout.decode(), ''))
        check(c['taken'] + c['quarantined'] == 300 == c['stored'], c)


def test_old_captures_of_many_days():
    with Store() as s:
        text = ''.join('{"timestamp":"%s.000000+0000","event_type":"dns","src_ip":"10.0.0.1"}\n'
                       % time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(1200000000 + i * 86400 * 3)) for i in range(150))
        c = counters(feed(s, text, '--drain', '60000'))
        check(c['stored'] == 150 and c['failures'] == 0, c)
        s.value('OPTIMIZE TABLE daizong.events')
        check(count(s, 'SELECT count() FROM daizong.events') == 150, 'retention counts from arrival')


def test_nothing_lost_nothing_twice_over_kills():
    n = 60000
    text = '\n'.join(lines(n)) + '\n'
    rnd = random.Random(11)
    with Store() as s:
        path = os.path.join(s.dir, 'eve.json')
        with open(path, 'w') as f:
            f.write(text)
        stop = threading.Event()

        def kill_store():
            while not stop.is_set():
                time.sleep(0.3 + rnd.random() * 0.7)
                s.kill()
                s.start(wait=False)

        t = threading.Thread(target=kill_store)
        t.start()
        acked = kills = 0
        for turn in range(200):
            rate = '30000' if turn < 8 else '0'
            p = subprocess.Popen([FEED, f'unix:{s.socket}', os.path.join(s.dir, 'spool'), 's1', '7', '--batch', '1500', '--drain', '60000',
                                  *(['--rate', rate] if rate != '0' else [])],
                                 stdin=open(path), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            if turn < 8:
                time.sleep(0.3 + rnd.random() * 0.8)
                p.kill()
                kills += 1
            if turn == 7:
                stop.set()
            out = p.communicate()[0]
            got = [int(x) for x in re.findall(r'durable (\d+)\n', out)]
            if got:
                check(max(got) >= acked, 'acknowledged numbers rise')
                acked = max(got)
            if p.returncode == 0:
                break
        t.join()
        s.wait()
        check(kills == 8 and acked == n, f'{kills} kills, {acked} acknowledged')
        if p.returncode != 0 or 'failures' not in out:
            check(False, 'the last feed did not end well')
        check(s.value('SELECT count(), uniqExact(stream_seq), max(stream_seq) FROM daizong.events') == f'{n}\t{n}\t{n}', s.value('SELECT count(), uniqExact(stream_seq) FROM daizong.events'))
        # The roll-ups agree with the rows.
        check(s.value('SELECT sum(events), sum(bytes_toserver) FROM daizong.events_minute') == f'{n}\t{n // 4 * 10}', s.value('SELECT sum(events), sum(bytes_toserver) FROM daizong.events_minute'))
        check(count(s, 'SELECT sum(events) FROM daizong.alerts_hour') == n // 4, s.value('SELECT sum(events) FROM daizong.alerts_hour'))
        check(count(s, 'SELECT sum(events_out) FROM daizong.hosts_hour') == n, s.value('SELECT sum(events) FROM daizong.hosts_hour'))
        left = [x for x in os.listdir(os.path.join(s.dir, 'spool')) if x.endswith('.seg')]
        check(len(left) == 1, f'confirmed segments are gone: {left}')


def test_store_away():
    with Store() as s:
        s.process.terminate()
        s.process.wait()
        text = '\n'.join(lines(3000)) + '\n'
        p = feed(s, text, '--rate', '1000', '--patience', '1')  # without a store: durable all the same
        check(p.returncode == 0 and 'durable 3000' in p.stdout, p.stdout + p.stderr)
        check('wait in the spool' in p.stderr and 'not reachable' in p.stderr and len(p.stderr.strip().splitlines()) == 1, p.stderr)
        s.start()
        c = counters(feed(s, '', '--drain', '30000'))
        check(c['stored'] == 3000 and count(s, 'SELECT count() FROM daizong.events') == 3000, c)
        # Another process on the same spool is refused.
        hold = subprocess.Popen([FEED, f'unix:{s.socket}', os.path.join(s.dir, 'spool'), 'a', '1'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        time.sleep(0.5)
        p = feed(s, '')
        check(p.returncode == 75 and 'another process uses' in p.stderr, p.stderr)
        hold.communicate(b'')


def test_torn_tail_and_damage():
    with Store() as s:
        s.process.terminate()
        s.process.wait()
        feed(s, '\n'.join(lines(3000)) + '\n', '--batch', '1000')
        seg = next(os.path.join(s.dir, 'spool', x) for x in os.listdir(os.path.join(s.dir, 'spool')) if x.endswith('.seg'))
        with open(seg, 'r+b') as f:
            f.truncate(os.path.getsize(seg) - 100)
        s.start()
        p = feed(s, '\n'.join(lines(3000)) + '\n', '--drain', '30000')
        c = counters(p)
        check('cut off' in p.stderr and c['lines'] == 1000 and c['stored'] == 3000, f'{c} {p.stderr}')
        check(s.value('SELECT count(), uniqExact(stream_seq) FROM daizong.events') == '3000\t3000', 'rows')


def mounted(kind, options):
    folder = tempfile.mkdtemp(prefix='dz-mount-')
    r = subprocess.run(['mount', '-t', kind, '-o', options, kind, folder], capture_output=True)
    return folder if r.returncode == 0 else None


def test_disk_full_and_read_only():
    folder = mounted('tmpfs', 'size=1m')
    if not folder:
        print('  (not root: the disk-full test needs mount)')
        return
    try:
        with Store() as s:
            text = '\n'.join(lines(60000)) + '\n'
            with open(os.path.join(s.dir, 'eve'), 'w') as f:
                f.write(text)
            s.process.terminate()
            s.process.wait()
            # The spool's disk fills up while the store is away: it waits, says so once, loses nothing.
            p = subprocess.Popen([FEED, f'unix:{s.socket}', os.path.join(folder, 'spool'), 's1', '7', '--batch', '2000', '--drain', '60000'],
                                 stdin=open(os.path.join(s.dir, 'eve')), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(3)
            check(p.poll() is None, 'it waits')
            s.start()
            out, err = p.communicate(timeout=90)
            check(1 <= err.count('cannot be made durable') == err.count('durable again') <= 3 and 'No space left' in err and 'durable again' in err, err)
            c = counters(subprocess.CompletedProcess([], 0, out, ''))
            check(c['stored'] == 60000, f'{c} {err}')
            check(s.value('SELECT count(), uniqExact(stream_seq) FROM daizong.events') == '60000\t60000', 'rows')
        subprocess.run(['mount', '-o', 'remount,ro', folder], check=True)
        r = subprocess.run([FEED, 'unix:/nonexistent', os.path.join(folder, 'spool'), 's1', '7'], input='', capture_output=True, text=True)
        check(r.returncode != 0 and 'Read-only' in r.stderr and len(r.stderr.strip().splitlines()) == 1, r.stderr)
        r = subprocess.run([program('daizong-store', 'src/embedded'), '--data', os.path.join(folder, 's')], capture_output=True, text=True)
        check(r.returncode != 0 and 'Read-only' in r.stderr and len(r.stderr.strip().splitlines()) == 1, r.stderr)
    finally:
        if p.poll() is None:
            p.kill()
            p.communicate()
        subprocess.run(['umount', folder])
        shutil.rmtree(folder, ignore_errors=True)


def test_store_disk_full():
    folder = mounted('tmpfs', 'size=40m')
    if not folder:
        return
    try:
        with Store(data=folder) as s:
            spool = tempfile.mkdtemp(prefix='dz-spool-')
            ballast = os.path.join(folder, 'ballast')
            c = counters(feed(s, '\n'.join(lines(1000)) + '\n', '--drain', '30000', spool=spool))
            check(c['stored'] == 1000, c)
            with open(ballast, 'wb', buffering=0) as f:
                try:
                    while True:
                        f.write(b'x' * 65536)
                except OSError:
                    pass
            p = feed(s, '\n'.join(lines(30000)) + '\n', '--drain', '2000', spool=spool)
            check(p.returncode != 0 and 'wait for the store' in p.stderr and 'durable 30000' in p.stdout, p.stdout[-300:] + p.stderr)
            os.unlink(ballast)
            p = feed(s, '', '--drain', '60000', spool=spool)
            check(p.returncode == 0, p.stderr)
            check(s.value('SELECT count(), uniqExact(stream_seq) FROM daizong.events') == '30000\t30000', s.value('SELECT count(), uniqExact(stream_seq) FROM daizong.events'))
            shutil.rmtree(spool)
    finally:
        subprocess.run(['umount', folder])
        shutil.rmtree(folder, ignore_errors=True)
