# SPDX-License-Identifier: Apache-2.0
"""EVE from a Suricata: a file that grows, is put aside or emptied, with and without the node; sockets of
both kinds; lines that are none."""
import json
import os
import random
import re
import shutil
import signal
import socket
import time
import urllib.parse

from harness import Node, UnixConnection, check, command, eve_lines, until


def lines(first, n):
    """Events with the flow ids first, first + 1, …"""
    return [re.sub(r'"flow_id":\d+', f'"flow_id":{first + i}', line) for i, line in enumerate(eve_lines(n, seed=first + 1))]


def flows(node, q=''):
    return sorted(e['flow_id'] for e in node.events(q))


def all_of(node, n, q=''):
    return until(lambda: node.count(q) >= n) and flows(node, q) == list(range(1, n + 1))


def quarantine(node):
    """Reason and first characters of what was put aside, from the store itself."""
    c = UnixConnection(node.data + '/store.sock')
    sql = 'SELECT reason, substring(line, 1, 20), stream_seq FROM daizong.quarantine ORDER BY stream_seq FORMAT JSONCompactEachRow'
    c.request('GET', '/?query=' + urllib.parse.quote(sql))
    found = [json.loads(l) for l in c.getresponse().read().decode(errors='replace').splitlines()]
    c.close()
    return found


class Writer:
    """Appends lines in pieces that end anywhere, as a buffered log does."""

    def __init__(self, path, seed):
        self.path, self.draw, self.kept = path, random.Random(seed), b''
        self.file = open(path, 'ab', buffering=0)

    def write(self, some):
        data = self.kept + ('\n'.join(some) + '\n').encode()
        while data:
            n = self.draw.randrange(1, 200000)
            self.file.write(data[:n])
            data = data[n:]
            time.sleep(self.draw.random() * 0.01)
        self.kept = b''

    def reopen(self):
        self.file.close()
        self.file = open(self.path, 'ab', buffering=0)


def test_file():
    with Node() as node:
        node.stop()
        path = node.folder + '/eve.json'
        node.args = ('--follow', path)
        node.start()
        time.sleep(0.3)  # it is not there yet
        w, n = Writer(path, 1), 0

        def more(k):
            nonlocal n
            w.write(lines(n + 1, k))
            n += k

        more(3000)
        check(all_of(node, n), 'a file that appears', node.count())
        node.stop()
        more(2000)
        node.start()
        more(1000)
        check(all_of(node, n), 'behind the last line after a restart', node.count())
        os.rename(path, path + '.1')  # put aside; the writer learns of it later
        open(path, 'a').close()
        more(1000)
        w.reopen()
        more(1000)
        check(all_of(node, n), 'put aside while it is written', (node.count(), n))
        node.kill()
        more(500)
        os.rename(path, path + '.2')
        w.reopen()
        more(700)
        node.start()
        check(all_of(node, n), 'put aside while the node was away', (node.count(), n))
        shutil.copy(path, path + '.copy')  # copytruncate
        os.truncate(path, 0)
        more(300)
        check(all_of(node, n), 'emptied', (node.count(), n))
        node.kill()
        os.truncate(path, 0)
        more(200)
        node.start()
        check(all_of(node, n), 'emptied while the node was away', (node.count(), n))
        more(100)
        check(all_of(node, n), 'and goes on', (node.count(), n))
        check({e['daizong']['sensor'] for e in node.events(most=1000)} == {'eve.json'}, 'the file names the sensor')
        check(node.get('/health')['ingest']['quarantined'] == 0, 'nothing was put aside', quarantine(node))


def test_kills_while_following():
    draw = random.Random(7)
    with Node() as node:
        node.stop()
        path = node.folder + '/eve.json'
        node.args = ('--follow', 'gate=' + path)
        node.start()
        w, n = Writer(path, 2), 0
        for _ in range(5):
            for _ in range(4):
                k = draw.randrange(100, 1500)
                w.write(lines(n + 1, k))
                n += k
                time.sleep(draw.random() * 0.4)
            if draw.random() < 0.5:
                store = node.child('daizong-store')
                if store:
                    os.kill(store, signal.SIGKILL)
            node.kill()
            node.start(wait=False)
        check(all_of(node, n, 'sensor:gate'), 'each event once', (node.count(), n))


def test_lines_that_are_none():
    good = lines(1, 50)
    bad = ['{', 'no json at all', '{"timestamp":"yesterday","event_type":"flow"}', '{"event_type":"flow"}', '[]', '"x"',
           '{"timestamp":"2026-01-02T03:04:05.000000+0000"}', good[0][:40], '\x00\x01\x02', '{"a":' * 200]
    with Node() as node:
        node.stop()
        path = node.folder + '/eve.json'
        node.args = ('--follow', path)
        node.start()
        with open(path, 'wb') as f:
            for i, line in enumerate(good):
                f.write(line.encode() + b'\n')
                if i < len(bad):
                    f.write(bad[i].encode() + b'\n')
            f.write(b'\xff\xfe{}\n\n\n' + b'x' * (3 << 20) + b'\n')  # blank lines are nothing
            f.write(b'{"timestamp":"' + b'y' * (5 << 20) + b'"}\n' + lines(51, 1)[0].encode() + b'\n')
        check(all_of(node, 51), 'the good ones are there', node.count())
        check(until(lambda: node.get('/health')['ingest']['quarantined'] == len(bad) + 3), 'the others are counted',
              node.get('/health')['ingest'])
        found = quarantine(node)
        check(len(found) == len(bad) + 3 and all(r for r, _, _ in found), 'they are kept with a reason', found)
        check([l for r, l, _ in found if r == 'line longer than 1 MB'] == ['x' * 20, '{"timestamp":"yyyyyy'], 'long ones too', found)
        shown = node.run('query', '--count').stdout.strip()
        check(shown == '51', 'the command counts the good ones', shown)
        node.stop()
        node.start()
        time.sleep(1)
        check(len(quarantine(node)) == len(found) and node.count() == 51, 'none comes again after a restart')


def test_sockets():
    with Node() as node:
        node.stop()
        stream, dgram = node.folder + '/s.sock', node.folder + '/d.sock'
        node.args = ('--eve-socket', 'suri=' + stream, '--eve-socket', 'dgram:' + dgram)
        node.start()
        text = [l.encode() for l in lines(1, 3000)]
        one, two = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        one.connect(stream)
        two.connect(stream)
        both = ((one, b'\n'.join(text[:1500]) + b'\n'), (two, b'\n'.join(text[1500:])))  # the last has no line feed
        draw = random.Random(3)
        at = [0, 0]
        while at[0] < len(both[0][1]) or at[1] < len(both[1][1]):
            i = draw.randrange(2)
            k = draw.randrange(1, 30000)
            both[i][0].sendall(both[i][1][at[i]:at[i] + k])
            at[i] += k
        one.close()
        two.close()
        check(all_of(node, 3000, 'sensor:suri'), 'two writers on a stream', node.count())
        d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        d.connect(dgram)
        for i, line in enumerate(lines(1, 2000)):
            d.send(line.encode() + (b'\n' if i % 2 else b''))
        d.send(b'nothing')
        check(all_of(node, 2000, 'sensor:d.sock'), 'datagrams', node.count('sensor:d.sock'))
        check(until(lambda: node.get('/health')['ingest']['quarantined'] == 1), 'a bad one is counted')
        check(oct(os.stat(stream).st_mode & 0o777) == '0o660' or oct(os.stat(stream).st_mode & 0o077) == '0o0', 'not for everybody')
        node.kill()  # the sockets' files stay behind
        node.start()
        one = socket.socket(socket.AF_UNIX)
        one.connect(stream)
        one.sendall('\n'.join(lines(3001, 100)).encode())
        one.close()
        check(all_of(node, 3100, 'sensor:suri'), 'after kill -9 of the node', node.count('sensor:suri'))
        other = command('up', '--data', node.folder + '/other', '--listen', '127.0.0.1:0', '--eve-socket', stream, timeout=30)
        check(other.returncode == 75 and 'another process listens' in other.stderr, 'a socket in use', other.stderr)
        other = command('up', '--data', node.folder + '/other', '--listen', '127.0.0.1:0', '--eve-socket', '/nowhere/s.sock', timeout=30)
        check(other.returncode and '/nowhere/s.sock' in other.stderr, 'a folder that is not there', other.stderr)
