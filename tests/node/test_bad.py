# SPDX-License-Identifier: Apache-2.0
"""A bad environment as somebody meets it who types `daizong up`: one clear line, nothing corrupted."""
import os
import shutil
import socket
import tempfile
import time

from harness import Node, Skip, check, command, sh, until
from test_eve import lines


def refused(what, words, status, *args, env=None):
    done = command('up', '--listen', '127.0.0.1:0', *args, timeout=60, env=dict(os.environ, **(env or {})))
    text = done.stderr.strip().splitlines()
    check(done.returncode in status and len(text) == 1 and all(w in text[0] for w in words), what, (done.returncode, text))


def test_start():
    with tempfile.TemporaryDirectory(prefix='dz-bad-', dir='/tmp') as d:
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            s.listen()
            port = s.getsockname()[1]
            refused('a port in use', [f'127.0.0.1:{port}', 'in use'], (75,), '--data', d + '/a', '--listen', f'127.0.0.1:{port}')
            refused('a sensors\' port in use', [f'127.0.0.1:{port}', 'in use'], (75,), '--data', d + '/a', '--sensor-listen', f'127.0.0.1:{port}')
        open(d + '/file', 'w').close()
        refused('a file for a folder', [d + '/file', 'not a folder'], (78,), '--data', d + '/file')
        refused('an address that is none', ['nowhere'], (2, 69, 74), '--data', d + '/a', '--listen', 'nowhere')
        refused('a certificate that is not there', ['/none.pem'], (78,), '--data', d + '/a', '--certificate', d + '/none.pem')
        refused('no interface', ['none0'], (66,), '--data', d + '/a', '--interface', 'none0')
        refused('a long path', ['too long'], (78,), '--data', d + '/' + 'x' * 120)
        os.mkdir(d + '/b')
        with open(d + '/b/state.db', 'w') as f:
            f.write('this is no database, whatever its name says' * 100)
        refused('a state file that is none', ['state.db'], (65, 70, 74, 78), '--data', d + '/b')
        check(open(d + '/b/state.db').read().startswith('this is no'), 'which stays as it is')


def test_two_nodes():
    with Node() as node:
        refused('a second node', ['another node', f'process {node.process.pid}', node.data], (75,), '--data', node.data)
        check(node.run('status').returncode == 0 and node.run('query', '--count').stdout.strip() == '0', 'the first goes on')


def mounted(d, options):
    os.mkdir(d)
    if os.geteuid() != 0 or sh('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', d, check_status=False).returncode:
        raise Skip('mounting needs root')


def test_read_only():
    with tempfile.TemporaryDirectory(prefix='dz-bad-', dir='/tmp') as d:
        mounted(d + '/m', 'size=1m,ro')
        try:
            refused('a read-only folder', [d + '/m', '--data DIR'], (74, 77), '--data', d + '/m/data')
            refused('one that is there', [d + '/m', '--data DIR'], (74, 77), '--data', d + '/m')
        finally:
            sh('umount', d + '/m')


def test_disk_full():
    """No room on the way: events wait with their sender, and all are there when there is room again."""
    with tempfile.TemporaryDirectory(prefix='dz-bad-', dir='/tmp') as d:
        mounted(d + '/m', 'size=1g')
        try:
            with Node(data=d + '/m/data') as node:
                node.stop()
                path, n = d + '/eve.json', 4000
                node.args, node.log_path = ('--follow', path), d + '/log'
                node.start()
                with open(path, 'w') as f:
                    f.write('\n'.join(lines(1, n)) + '\n')
                check(until(lambda: node.count() == n), 'with room', node.count())
                with open(d + '/m/filler', 'wb', buffering=0) as f:
                    try:
                        while True:
                            f.write(b'\0' * (1 << 16))
                    except OSError:
                        pass
                with open(path, 'a') as f:
                    f.write('\n'.join(lines(n + 1, n)) + '\n')
                check(until(lambda: any(w in node.log() for w in ('No space', 'not enough space')), 60), 'the log says why', node.log()[-800:])
                check(node.run('status').stdout.splitlines()[0].split()[-1] in ('degraded', 'down'), 'so does status', node.run('status').stdout)
                check(len([l for l in node.log().splitlines() if 'durable' in l and 'error' in l]) <= 2, 'not again and again', node.log()[-800:])
                os.unlink(d + '/m/filler')
                check(until(lambda: node.count() == 2 * n, 90), 'all are there when there is room', (node.count(), node.log()[-800:]))
                got = sorted(e['flow_id'] for e in node.events())
                check(got == list(range(1, 2 * n + 1)), 'each once')
                node.stop()
                node.start()
                check(until(lambda: node.count() == 2 * n), 'after a restart too')
        finally:
            for _ in range(20):
                if sh('umount', d + '/m', check_status=False).returncode == 0:
                    break
                time.sleep(0.5)


def test_store_that_dies():
    """Without its engine the node is up, says why, takes events, and has them when the engine is back."""
    with tempfile.TemporaryDirectory(prefix='dz-bad-', dir='/tmp') as d, Node() as node:
        with open(d + '/libchdb.so', 'wb') as f:
            f.write(b'not an engine' * 100)
        good = node.env['DAIZONG_LIBCHDB']
        path, n = node.folder + '/eve.json', 0
        node.stop()
        node.args = ('--follow', path)
        for what, library in (('a missing engine', d + '/none.so'), ('a wrong engine', d + '/libchdb.so')):
            before = len(node.log())
            node.env['DAIZONG_LIBCHDB'] = library
            node.start(wait=False)
            check(until(lambda: node.get('/health')['store']['state'] == 'down'), what, node.get('/health'))
            check(library in node.get('/health')['store']['detail'], f'{what}: which', node.get('/health')['store'])
            with open(path, 'a') as f:
                f.write('\n'.join(lines(n + 1, 500)) + '\n')
            n += 500
            check(until(lambda: node.get('/health')['ingest']['queued'] >= 500), f'{what}: events wait', node.get('/health'))
            done = node.run('query')
            check(done.returncode == 69 and 'store' in done.stderr, f'{what}: a query says so', done.stderr)
            check(node.stop() == 0, f'{what}: a clean end')
            log = node.log()[before:].splitlines()
            check(any('the store ended' in l and library in l for l in log), f'{what}: the log', log[-5:])
        node.env['DAIZONG_LIBCHDB'] = good
        node.start()
        check(until(lambda: node.count() == n), 'with the engine all are there', node.count())
