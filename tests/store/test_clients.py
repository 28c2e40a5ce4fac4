# SPDX-License-Identifier: Apache-2.0
"""The clients that people use, unchanged: clickhouse-connect (Python) and @clickhouse/client (Node)."""
import datetime
import ipaddress
import os
import subprocess

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError

from harness import ROOT, Store, check

TABLE = '''CREATE TABLE shop.t (ts DateTime64(6, 'UTC'), name LowCardinality(String), n UInt64,
  tags Array(String), ip IPv6, note Nullable(String)) ENGINE = MergeTree ORDER BY (name, ts)'''


def test_clickhouse_connect():
    with Store(writable=True) as s:
        c = clickhouse_connect.get_client(host='127.0.0.1', port=s.port)
        check(c.server_version.startswith('26.7'), c.server_version)
        c.command('CREATE DATABASE shop')
        c.command(TABLE)
        t0 = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=datetime.timezone.utc)
        rows = [[t0 + datetime.timedelta(seconds=i), f'n{i % 7}', 2**63 + i, [f'a{i}', ''],
                 ipaddress.IPv6Address(i), None if i % 3 else 'é' * (i % 50)] for i in range(20000)]
        summary = c.insert('shop.t', rows, column_names=['ts', 'name', 'n', 'tags', 'ip', 'note'])
        check(summary.written_rows == 20000, f'written_rows {summary.written_rows}')
        r = c.query('SELECT count(), min(n), max(n), uniqExact(name), countIf(note IS NULL), sum(length(tags)) FROM shop.t')
        check(r.result_rows == [(20000, 2**63, 2**63 + 19999, 7, 13333, 40000)], r.result_rows)
        r = c.query('SELECT ts, name, n, tags, ip, note FROM shop.t ORDER BY n LIMIT 3')
        check([list(x)[1:] for x in r.result_rows] == [x[1:] for x in rows[:3]], r.result_rows)
        check(r.result_rows[0][0].replace(tzinfo=datetime.timezone.utc) == t0, r.result_rows[0][0])
        # Server-side parameters, settings, another format, a raw stream.
        r = c.query('SELECT n FROM shop.t WHERE name = {name:String} AND n < {n:UInt64} ORDER BY n',
                    parameters={'name': "n1", 'n': 2**63 + 10}, settings={'max_threads': 1})
        check([x[0] for x in r.result_rows] == [2**63 + 1, 2**63 + 8], r.result_rows)
        r = c.query("SELECT {x:String} AS x", parameters={'x': "a'b\\c\td\n"})
        check(r.result_rows == [("a'b\\c\td\n",)], r.result_rows)
        raw = c.raw_query('SELECT number FROM numbers(3)', fmt='JSONEachRow')
        check(raw.count(b'\n') == 3 and b'"number"' in raw, raw)
        total = 0
        with c.query_row_block_stream('SELECT number FROM numbers(500000)') as stream:
            for block in stream:
                total += sum(x[0] for x in block)
        check(total == 500000 * 499999 // 2, total)
        raw = c.raw_insert('shop.t', ['name', 'n'], b'{"name":"j","n":1}\n{"name":"j","n":2}\n', fmt='JSONEachRow')
        check(c.command("SELECT count() FROM shop.t WHERE name = 'j'") == 2, 'JSONEachRow')
        c.raw_insert('shop.t', ['name', 'n'], b'c,5\nc,6\nc,7\n', fmt='CSV', compression=None)
        check(c.command("SELECT sum(n) FROM shop.t WHERE name = 'c'") == 18, 'CSV')
        for sql, code in (('SELEC 1', 62), ('SELECT * FROM shop.nope', 60), ('SELECT nope FROM shop.t', 47),
                          ("SELECT throwIf(number = 3) FROM numbers(5)", 395)):
            try:
                c.query(sql)
                check(False, f'{sql} did not fail')
            except DatabaseError as e:
                check(f'Code: {code}' in str(e) or f'code {code}' in str(e), f'{sql}: {e}')
        try:
            c.insert('shop.t', [['x', -1]], column_names=['name', 'nope'])
            check(False, 'insert into a column that is not there')
        except Exception as e:
            check('nope' in str(e), e)
        c.command('CREATE TEMPORARY TABLE tmp1 (a UInt8)')
        c.insert('tmp1', [[1], [2]], column_names=['a'])
        check(c.command('SELECT sum(a) FROM tmp1') == 3, 'temporary table in a session')
        c.close()


def test_clickhouse_connect_reader():
    with Store(writable=False) as s:
        s.value('CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a')
        s.value('INSERT INTO t SELECT number FROM numbers(1000)')
        c = clickhouse_connect.get_client(host='127.0.0.1', port=s.port)
        check(c.query('SELECT sum(a) FROM t').result_rows == [(499500,)], 'reads')
        for statement in (lambda: c.command('DROP TABLE t'), lambda: c.insert('t', [[1]], column_names=['a']),
                          lambda: c.command('CREATE TABLE u (a UInt8) ENGINE = Memory')):
            try:
                statement()
                check(False, 'a reader wrote')
            except DatabaseError as e:
                check('READONLY' in str(e) or '164' in str(e), e)
        check(s.value('SELECT count() FROM t') == '1000', 'untouched')


def test_node_client():
    with Store(writable=True) as s:
        env = dict(os.environ, STORE_URL=f'http://127.0.0.1:{s.port}')
        r = subprocess.run(['node', os.path.join(ROOT, 'tests/store/client.mjs'),
                            os.path.join(ROOT, 'build/node-store/node_modules/@clickhouse/client/dist/index.js')],
                           env=env, capture_output=True, text=True, timeout=120)
        for line in r.stdout.splitlines():
            if line.startswith('not ok'):
                check(False, line)
            elif line.startswith('ok'):
                check(True, line)
        check(r.returncode == 0, r.stderr[-2000:])
