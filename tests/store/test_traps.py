# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with the embedded engine when nobody watches, and what the store does about it."""
import datetime
import gzip
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import zlib

from harness import LIBCHDB, Store, check, program


def test_binary_inserts_keep_every_row():
    with Store() as s:
        s.value('CREATE TABLE b (a UInt8) ENGINE = MergeTree ORDER BY a')
        a = s.sql('INSERT INTO b FORMAT RowBinary', body=b'\n' * 1000)
        check(a.status == 200, a.text)
        check(s.value('SELECT count() FROM b') == '1000', 'a thousand line feeds are a thousand rows')
        a = s.request('POST', '/', b'INSERT INTO b FORMAT RowBinary\n' + b'\n' * 500)
        check(a.status == 200 and s.value('SELECT count() FROM b') == '1500', 'data behind the SQL')
        summary = json.loads(a.headers['X-ClickHouse-Summary'])
        check(summary['written_rows'] == '500', summary)
        check(s.value("SELECT value FROM system.settings WHERE name = 'async_insert'") == '0', 'async_insert')
        # Rows that are cut off are an error, not a shorter insert.
        s.value('CREATE TABLE w (a UInt32) ENGINE = MergeTree ORDER BY a')
        a = s.sql('INSERT INTO w FORMAT RowBinary', body=b'\1' * 403)
        check(a.status != 200 and 'Code: 33' in a.text, a.text)


def native(values):
    """One Native block with a column a UInt64."""
    n = len(values)
    head = bytes([1]) + (bytes([n]) if n < 128 else bytes([n & 127 | 128, n >> 7]))
    return head + b'\1a\6UInt64' + b''.join(struct.pack('<Q', v) for v in values)


def test_native_and_body_cut_anywhere():
    with Store() as s:
        s.value('CREATE TABLE n (a UInt64) ENGINE = MergeTree ORDER BY a')
        body = b"INSERT INTO n (a) -- FORMAT CSV\n /* ' */ FORMAT Native\n" + native(range(100)) + native(range(3))
        for size in (1, 2, 7, 63, 1000000):
            pieces = (body[i:i + size] for i in range(0, len(body), size))
            a = s.request('POST', '/', iter(pieces))
            check(a.status == 200, f'{size}: {a.text}')
        check(s.value('SELECT count(), sum(a) FROM n') == f'{5 * 103}\t{5 * 4953}', 'rows')


def lz4_stored(data):
    """A frame with one uncompressed block, and one with a compressed run."""
    return (b'\x04\x22\x4d\x18\x60\x40\x82' + struct.pack('<I', len(data) | 1 << 31) + data + b'\0\0\0\0')


def test_content_codings():
    import backports.zstd as zstd
    import lz4.frame
    with Store() as s:
        s.value('CREATE TABLE c (a UInt64) ENGINE = MergeTree ORDER BY a')
        data = b''.join(b'%d\n' % i for i in range(100000))
        coded = {'gzip': gzip.compress(data), 'deflate': zlib.compress(data), 'zstd': zstd.compress(data),
                 'lz4': lz4.frame.compress(data)}
        for name, body in coded.items():
            a = s.sql('INSERT INTO c FORMAT TSV', body=body, headers={'Content-Encoding': name})
            check(a.status == 200, f'{name}: {a.text}')
            bad = s.sql('INSERT INTO c FORMAT TSV', body=body[:-9], headers={'Content-Encoding': name})
            check(bad.status == 400 and 'Code: 354' in bad.text, f'{name} cut: {bad.status} {bad.text}')
            broken = bytearray(body)
            broken[len(body) // 2:len(body) // 2 + 40] = bytes(40)
            bad = s.sql('INSERT INTO c FORMAT TSV', body=bytes(broken), headers={'Content-Encoding': name})
            check(bad.status == 400, f'{name} broken: {bad.status} {bad.text[:200]}')
        for kw in ({'block_linked': False}, {'block_linked': True, 'block_size': lz4.frame.BLOCKSIZE_MAX64KB},
                   {'store_size': True, 'content_checksum': True, 'block_checksum': True}):
            a = s.sql('INSERT INTO c FORMAT TSV', body=lz4.frame.compress(data, **kw),
                      headers={'Content-Encoding': 'lz4'})
            check(a.status == 200, f'{kw}: {a.text}')
        a = s.sql('INSERT INTO c FORMAT TSV', body=lz4_stored(b'1\n2\n'), headers={'Content-Encoding': 'lz4'})
        check(a.status == 200, a.text)
        check(s.sql('INSERT INTO c FORMAT TSV', body=b'x', headers={'Content-Encoding': 'br'}).status == 501, 'br')
        want = b''.join(b'%d\n' % i for i in range(1000000))
        for name, undo in (('gzip', lambda b: zlib.decompressobj(31).decompress(b)), ('zstd', lambda b: zstd.ZstdDecompressor().decompress(b)),
                           ('deflate', zlib.decompress)):
            a = s.sql('SELECT number FROM numbers(1000000)', '&enable_http_compression=1',
                      headers={'Accept-Encoding': name})
            check(a.headers['Content-Encoding'] == name and undo(a.body) == want, f'answer in {name}')
        a = s.sql('SELECT 1', headers={'Accept-Encoding': 'gzip'})
        check(a.headers['Content-Encoding'] is None and a.text == '1\n', 'not asked for')


def test_signals_cores_and_exit():
    with Store() as s:
        s.value('CREATE TABLE e (a UInt64) ENGINE = MergeTree ORDER BY a')
        s.value('INSERT INTO e SELECT number FROM numbers(100000)')
        s.sql('CREATE TEMPORARY TABLE x (a UInt8)', '&session_id=abc')  # keeps a connection open
        with open(f'/proc/{s.process.pid}/status') as f:
            caught = int(next(x.split()[1] for x in f if x.startswith('SigCgt')), 16)
        for name in ('SIGABRT', 'SIGSEGV', 'SIGILL', 'SIGBUS', 'SIGSYS', 'SIGFPE', 'SIGTSTP', 'SIGTRAP'):
            check(not caught >> (getattr(signal, name) - 1) & 1, f'{name} is caught by the engine')
        with open(f'/proc/{s.process.pid}/limits') as f:
            core = next(x for x in f if x.startswith('Max core'))
        check(core.split()[4] == '0', core)
        with open(f'/proc/{s.process.pid}/status') as f:
            text = f.read()
        check('NoNewPrivs:\t1' in text and 'Seccomp:\t2' in text, 'confined')
        check(s.stop() == 0, 'the exit status with tables and a session open')


def test_one_process_on_a_folder():
    with Store() as s:
        p = subprocess.run(s.args, capture_output=True, text=True, timeout=30)
        check(p.returncode == 75 and 'another daizong-store uses the folder' in p.stderr, p.stderr)
        check(len(p.stderr.strip().splitlines()) == 1, p.stderr)
        check(s.value('SELECT 1') == '1', 'the first goes on')
        check(os.stat(s.socket).st_mode & 0o777 == 0o600, 'mode of the socket')


REACHING = [
    "SELECT * FROM file('/etc/hostname')", "SELECT file('/etc/hostname')", "SELECT `file`('/etc/hostname')",
    'SELECT "file"(\'/etc/hostname\')', "SELECT FILE /* x */ ('/etc/hostname')",
    "SELECT $$'$$, file('/etc/hostname')", 'SELECT \u2018\'\u2019, file(\'/etc/hostname\')',
    "DESCRIBE TABLE file('/etc/hostname')", "SELECT 1 INTO OUTFILE '/tmp/dz-outfile'",
    "SELECT * FROM url('http://127.0.0.1:1/')", "SELECT * FROM remote('127.0.0.1', system.one)",
    "SELECT * FROM s3('http://127.0.0.1:1/b/a')", "SELECT * FROM executable('id', 'TSV', 'a String')",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')", "SELECT * FROM sqlite('/tmp/x', 'y')",
    "SELECT `fi\\x6ce`('/etc/hostname')",
    "INSERT INTO FUNCTION file('/tmp/dz-outfile') SELECT 1", "BACKUP DATABASE default TO File('/tmp/dz-outfile')",
    "CREATE TABLE x (a UInt8) ENGINE = Memory", "DROP TABLE r", "INSERT INTO r VALUES (1)", "ALTER TABLE r DELETE WHERE 1",
    "TRUNCATE TABLE r", "SET max_memory_usage = 0", "SET readonly = 0", "SELECT 1; DROP TABLE r", "KILL QUERY WHERE 1",
    "SYSTEM SHUTDOWN", "SELECT 1 SETTINGS readonly = 0", "SELECT 1 SETTINGS max_execution_time = 0",
    "CREATE FUNCTION f AS (x) -> x", "USE system", "CREATE TEMPORARY TABLE x (a UInt8)", "SELECT 1; SELECT 2",
    "ATTACH TABLE x", "OPTIMIZE TABLE r", "DETACH TABLE r",
]


def test_readers_reach_nothing():
    with Store() as s:
        s.value('CREATE TABLE r (a UInt64) ENGINE = MergeTree ORDER BY a')
        s.value('INSERT INTO r SELECT number FROM numbers(10)')
        for sql in REACHING:
            for kw in ({'tcp': True}, {'params': '&readonly=1'}):
                start = time.time()
                a = s.sql(sql, timeout=20, **kw)
                check(a.status >= 400 and 'Code: ' in a.text and 'vm' not in a.text, f'{sql}: {a.status} {a.text[:200]}')
                check(time.time() - start < 5, f'{sql} took long')
        check(s.sql('INSERT INTO r FORMAT CSV', body=b'1\n', tcp=True).status == 403, 'insert by a reader')
        a = s.get('/?query=DROP+TABLE+r')
        check(a.status == 403, 'GET changes nothing')
        check(s.value('SELECT count() FROM r') == '10' and not os.path.exists('/tmp/dz-outfile'), 'nothing happened')
        # What the engine's own rules would let through still meets the process's limits.
        for sql in ("SELECT file('/etc/hostname')", "SELECT * FROM file('/etc/hostname', 'TSV', 'a String')",
                    "SELECT 1 INTO OUTFILE '/tmp/dz-outfile'", "SELECT * FROM url('http://127.0.0.1:1/', 'TSV', 'a String')",
                    "SELECT * FROM executable('id', 'TSV', 'a String')"):
            start = time.time()
            a = s.sql(sql, timeout=30)
            check(a.status >= 400 and time.time() - start < 10, f'{sql}: {a.status} {a.text[:200]}')
        check(not os.path.exists('/tmp/dz-outfile') and s.value('SELECT 1') == '1', 'alive')


def test_readers_have_ceilings():
    with Store('--query-memory-mb', '100', '--query-time-s', '1') as s:
        def code(sql, params=''):
            a = s.sql(sql, params, tcp=True)
            return a.headers.get('X-ClickHouse-Exception-Code'), a.status
        check(code('SELECT count() FROM (SELECT number FROM numbers(100000000) GROUP BY number)') == ('241', 500), 'memory')
        start = time.time()
        check(code('SELECT count() FROM numbers(1e12) WHERE NOT ignore(sipHash64(number))')[0] == '159', 'time')
        check(time.time() - start < 4, 'stopped in time')
        check(code('SELECT number FROM numbers(3000000) FORMAT JSON')[0] == '396', 'rows')
        # A reader may lower its ceilings but not lift them.
        check(code('SELECT count() FROM (SELECT number FROM numbers(100000000) GROUP BY number)', '&max_memory_usage=0')[0] == '241', 'lifted to 0')
        check(code('SELECT count() FROM numbers(1e12) WHERE NOT ignore(sipHash64(number))', '&max_execution_time=100')[0] == '159', 'time lifted')
        check(code('SELECT number FROM numbers(30)', '&max_result_rows=10')[0] == '396', 'lowered')
        check(code('SELECT 1', '&nosuchsetting=1') == ('115', 404), 'unknown setting')
        check(code('SELECT 1') == (None, 200), 'and goes on')


def test_tokens_make_repeats_harmless():
    with Store() as s:
        s.value('CREATE TABLE d (day Date, a UInt64) ENGINE = MergeTree PARTITION BY day ORDER BY a '
                'SETTINGS non_replicated_deduplication_window = 1000')
        body = b''.join(b'2026-01-%02d\t%d\n' % (i % 28 + 1, i) for i in range(1000))
        for _ in range(3):
            check(s.sql('INSERT INTO d FORMAT TSV', '&insert_deduplication_token=t1', body=body).status == 200, 'insert')
        check(s.value('SELECT count() FROM d') == '1000', 'three times the same token')
        s.sql('INSERT INTO d FORMAT TSV', '&insert_deduplication_token=t2', body=body)
        check(s.value('SELECT count() FROM d') == '2000', 'another token')
        s.kill()
        s.start()
        s.sql('INSERT INTO d FORMAT TSV', '&insert_deduplication_token=t1', body=body)
        check(s.value('SELECT count() FROM d') == '2000', 'the token outlives the process')


def test_many_days_in_one_insert():
    with Store() as s:
        s.value('CREATE TABLE p (day Date, a UInt64) ENGINE = MergeTree PARTITION BY day ORDER BY a')
        body = b''.join(b'%s\t%d\n' % (str(datetime.date(2020, 1, 1) + datetime.timedelta(days=3 * i)).encode(), i) for i in range(400))
        a = s.sql('INSERT INTO p FORMAT TSV', body=body)
        check(a.status != 200 and 'Code: 252' in a.text, 'the engine allows 100 partitions')
        a = s.sql('INSERT INTO p FORMAT TSV', '&max_partitions_per_insert_block=0', body=body)
        check(a.status == 200 and s.value('SELECT count() FROM p') == '400', a.text)


def test_acknowledged_rows_survive_kill():
    with Store() as s:
        s.value('CREATE TABLE k (a UInt64) ENGINE = MergeTree ORDER BY a')
        acked = 0
        for turn in range(4):
            threading.Timer(0.3 + 0.15 * turn, s.kill).start()
            while True:
                body = b''.join(struct.pack('<Q', acked + i) for i in range(5000))
                try:
                    if s.sql('INSERT INTO k FORMAT RowBinary', '&insert_deduplication_token=%d' % acked, body=body).status != 200:
                        break
                except OSError:
                    break
                except Exception:
                    break
                acked += 5000
            s.process.wait()
            s.start()
            rows = int(s.value(f'SELECT uniqExact(a) FROM k WHERE a < {acked}'))
            check(rows == acked, f'{rows} found of {acked} acknowledged')
        check(acked > 0 and s.value('CHECK TABLE k SETTINGS check_query_single_value_result = 1') == '1', 'parts are whole')


def test_interface():
    with Store(writable=True) as s:
        check(s.get('/ping').text == 'Ok.\n' and s.get('/', tcp=True).text == 'Ok.\n', 'ping')
        check(s.get('/nope').status == 404 and s.request('DELETE', '/').status == 405, 'paths and methods')
        a = s.sql('SELECT 1 AS x')
        check(a.text == '1\n' and a.headers['X-ClickHouse-Format'] == 'TabSeparated', a.text)
        for h in ('X-ClickHouse-Query-Id', 'X-ClickHouse-Server-Display-Name', 'X-ClickHouse-Summary'):
            check(a.headers[h], h)
        check(a.headers['X-ClickHouse-Timezone'] == 'UTC', 'timezone')
        check(s.sql('SELECT 1 AS x', '&default_format=JSONEachRow').text == '{"x":1}\n', 'default_format')
        check(s.sql('SELECT 1 AS x', headers={'X-ClickHouse-Format': 'CSV'}).headers['X-ClickHouse-Format'] == 'CSV', 'header')
        check(s.sql('SELECT 1 AS format FORMAT JSONCompact').headers['Content-Type'].startswith('application/json'), 'type')
        check(s.sql("SELECT 'FORMAT CSV' AS a -- FORMAT Native").text == 'FORMAT CSV\n', 'FORMAT in a string')
        check(s.sql('SELECT {a:Array(String)}, {b:Nullable(UInt8)}', "&param_a=['x','y']&param_b=\\N").text == "['x','y']\t\\N\n", 'param_')
        check(s.request('POST', '/?query=SELECT+1+%2B', b' 41').text == '42\n', 'SQL goes on in the body')
        s.value('CREATE DATABASE other')
        s.sql('CREATE TABLE t (a UInt8) ENGINE = Memory', '&database=other')
        check(s.sql('EXISTS TABLE other.t').text == '1\n', 'database')
        check(s.sql('SELECT 1', '&database=nope').status == 404, 'unknown database')
        check('Code: 62' in s.sql('').text and s.sql('SELECT 1', '&compress=1').status == 501, 'refusals')
        # A session keeps its temporary tables, one statement at a time; without it nothing is left.
        s.sql('CREATE TEMPORARY TABLE tt (a UInt8)', '&session_id=s1')
        check(s.sql('SELECT count() FROM tt', '&session_id=s1&max_threads=1').text == '0\n', 'session')
        check(s.sql('SELECT count() FROM tt').status == 404, 'no session')
        check(s.sql("SELECT value, changed FROM system.settings WHERE name = 'max_threads'", '&session_id=s1').text.endswith('\t0\n'), 'setting of a request does not stay')
        t = threading.Thread(target=lambda: s.sql('SELECT sleep(1)', '&session_id=s1'))
        t.start()
        time.sleep(0.3)
        check('Code: 373' in s.sql('SELECT 1', '&session_id=s1').text, 'locked session')
        t.join()
        big = s.request('POST', '/', b'SELECT ' + b'1+' * 3000000 + b'1')
        check(big.status == 400 and 'longer than' in big.text, 'long statement')


def test_a_stream_that_breaks_is_seen():
    with Store() as s:
        import http.client
        broke = False
        try:
            a = s.sql('SELECT throwIf(number = 900000, \'stop here\') FROM numbers(1000000)')
            broke = 'stop here' in a.text and 'Code: 395' in a.text
        except http.client.IncompleteRead as e:
            broke = b'stop here' in e.partial and b'__exception__' in e.partial
        check(broke, 'the reason stands at the end of what came')
        check(s.sql("SELECT throwIf(number = 900000, 'x') FROM numbers(1000000)", '&wait_end_of_query=1').status == 500, 'waited for')
        # A client that goes away in the middle frees its slot.
        for _ in range(12):
            c = socket.socket(socket.AF_UNIX)
            c.connect(s.socket)
            c.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 46\r\n\r\nSELECT number FROM numbers(1000000000000000000')
            c.sendall(b')')
            c.recv(1000)
            c.close()
        check(s.value('SELECT 1') == '1', 'slots are free')


def test_password_and_full_queue():
    with tempfile.NamedTemporaryFile('w') as f:
        f.write('secret\n')
        f.flush()
        with Store('--password-file', f.name, '--slots', '2', '--queue', '2') as s:
            check(s.get('/?query=SELECT+1', tcp=True).headers['X-ClickHouse-Exception-Code'] == '516', 'no password')
            check(s.get('/?query=SELECT+1', tcp=True, headers={'X-ClickHouse-Key': 'secre'}).status == 403, 'wrong')
            for h in ({'X-ClickHouse-User': 'default', 'X-ClickHouse-Key': 'secret'},
                      {'Authorization': 'Basic ZGVmYXVsdDpzZWNyZXQ='}):
                check(s.get('/?query=SELECT+1', tcp=True, headers=h).text == '1\n', 'right')
            check(s.get('/?query=SELECT+1&password=secret', tcp=True).text == '1\n', 'parameter')
            check(s.value('SELECT 1') == '1', 'the socket needs none')
            status = []
            threads = [threading.Thread(target=lambda: status.append(s.sql('SELECT sleep(1)').status)) for _ in range(8)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            check(status.count(200) == 4 and status.count(503) == 4, f'2 run, 2 wait, 4 are refused: {status}')


def start_fails(*args, env=None):
    folder = tempfile.mkdtemp(prefix='dz-store-')
    p = subprocess.run([program('daizong-store', 'src/embedded'), '--data', os.path.join(folder, 's'), *args],
                       capture_output=True, text=True, timeout=60, env=dict(os.environ, **(env or {})))
    shutil.rmtree(folder)
    check(p.returncode != 0, 'started')
    check(len(p.stderr.strip().splitlines()) == 1, f'one line: {p.stderr}')
    return p.stderr


def test_wrong_or_missing_engine():
    check('cannot be opened' in start_fails('--libchdb', '/nonexistent/libchdb.so'), 'missing')
    with tempfile.NamedTemporaryFile() as f:
        f.write(b'not a library')
        f.flush()
        check('not the expected one' in start_fails('--libchdb', f.name), 'wrong checksum')
        check('cannot be loaded' in start_fails('--libchdb', f.name, '--libchdb-sha256', 'any'), 'not a library')
    libc = next(p for p in ('/lib/x86_64-linux-gnu/libz.so.1', '/lib/aarch64-linux-gnu/libz.so.1') if os.path.exists(p))
    check('lacks chdb_' in start_fails('--libchdb', libc, '--libchdb-sha256', 'any'), 'another library')
    check('not an option' in start_fails('x', '--libchdb', LIBCHDB), 'usage')
    check('only loopback' in start_fails('--listen', '0.0.0.0:1', '--libchdb', LIBCHDB), 'loopback')
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen()
        check('cannot listen on' in start_fails('--listen', f'127.0.0.1:{s.getsockname()[1]}', '--libchdb', LIBCHDB), 'port in use')
    check('cannot make the folder' in start_fails('--data', '/proc/nope', '--libchdb', LIBCHDB), 'folder')
