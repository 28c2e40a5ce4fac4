# SPDX-License-Identifier: Apache-2.0
"""No acknowledged event is lost and none is there twice, whoever is killed when: the real sensor over the
real link (Unix socket, TCP, TLS), live and replay, with kill -9 at seeded random times."""
import json
import os
import random
import signal
import struct
import subprocess
import time

from harness import BUILD, Namespace, Node, check, free_port, program, sh, until


def capture(path, n):
    """n DNS requests q0.example.org and on, twenty to a flow, a millisecond apart."""
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(n):
            name = b''.join(bytes([len(p)]) + p for p in (b'q%d' % i, b'example', b'org')) + b'\0'
            dns = struct.pack('>HHHHHH', i & 0xffff, 0x0100, 1, 0, 0, 0) + name + b'\0\1\0\1'
            udp = struct.pack('>HHHH', 1024 + i // 20 % 60000, 53, 8 + len(dns), 0) + dns
            ip = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes([10, 9, 0, 1]),
                             bytes([10, 9, 0, 2]))
            s = sum(struct.unpack('>10H', ip))
            s = (s & 0xffff) + (s >> 16)
            ip = ip[:10] + struct.pack('>H', ~(s + (s >> 16)) & 0xffff) + ip[12:]
            frame = b'\2\0\0\0\0\2\2\0\0\0\0\1\x08\0' + ip + udp
            f.write(struct.pack('<IIII', 1790000000 + i // 1000, i % 1000 * 1000, len(frame), len(frame)) + frame)


def pids(*words):
    """Processes of this test alone: those whose command line names all the words."""
    found = []
    for p in filter(str.isdigit, os.listdir('/proc')):
        try:
            line = open(f'/proc/{p}/cmdline').read().split('\0')
        except OSError:
            continue
        if line and os.path.basename(line[0]) == words[0] and all(any(w in a for a in line) for w in words[1:]):
            found.append(int(p))
    return found


def kill(*words):
    for p in pids(*words):
        os.kill(p, signal.SIGKILL)


def names(node):
    return sorted(int(e['dns']['queries'][0]['rrname'].split('.')[0][1:]) for e in node.events('type:dns'))


def strike(node, draw, victims):
    victim = draw.choice(victims)
    if victim in ('sensor', 'all'):
        kill('daizong-sensor', node.data)
    if victim in ('store', 'all'):
        kill('daizong-store', node.data)
    if victim in ('node', 'all'):
        node.kill()
        time.sleep(draw.random())
        node.start(wait=False)
    return victim


def test_replay():
    n = 40000
    for seed in (1, 2):
        draw = random.Random(seed)
        with Node() as node:
            capture(node.folder + '/c.pcap', n)
            sh(program('daizong-sensor'), '-r', node.folder + '/c.pcap', '-l', node.folder)
            with open(node.folder + '/eve.json') as f:
                want = len(f.readlines())
            done = node.run('replay', '--no-wait', node.folder + '/c.pcap')
            check(done.returncode == 0, 'the capture is taken', done.stderr)
            struck = []
            for i in range(6):
                time.sleep(0.1 + draw.random() * (0.5 if i < 3 else 1.5))
                state = node.get('/jobs')['jobs'][0]['state']
                struck.append((state, strike(node, draw, ('sensor', 'node', 'store', 'all'))))
            check(any(state == 'running' and who != 'store' for state, who in struck), f'seed {seed}: struck on its way', struck)
            until(lambda: node.get('/jobs')['jobs'][0]['state'] in ('done', 'failed'), 180)
            job = node.get('/jobs')['jobs'][0]
            check(job['state'] == 'done', f'seed {seed}: the job comes to its end', (struck, job))
            check(until(lambda: node.count() == want), f'seed {seed}: every event is there', (struck, node.count(), want))
            check(names(node) == list(range(n)), f'seed {seed}: each once', struck)


def test_replay_of_events():
    """The same with a file of EVE lines, which the node itself reads."""
    from harness import eve_lines
    draw = random.Random(5)
    with Node() as node:
        lines = eve_lines(60000)
        with open(node.folder + '/eve.json', 'w') as f:
            f.write('\n'.join(lines) + '\n')
        node.run('replay', '--no-wait', node.folder + '/eve.json')
        for _ in range(4):
            time.sleep(0.1 + draw.random())
            strike(node, draw, ('node', 'store', 'all'))
        check(until(lambda: node.get('/jobs')['jobs'][0]['state'] == 'done', 120), 'the job comes to its end', node.get('/jobs'))
        check(until(lambda: node.count() == len(lines)), 'every event, once', (node.count(), len(lines)))


def certificate(folder):
    sh('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
       '-keyout', folder + '/key.pem', '-out', folder + '/cert.pem', '-subj', '/CN=node.test',
       '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1')
    return folder + '/cert.pem', folder + '/key.pem'


class Sensor:
    """A sensor of its own on v1, as on another machine."""

    def __init__(self, node, ns, where, *more):
        self.words = ns.wrap(program('daizong-sensor'), '-i', 'v1', '--workers', '1', '--sensor-name', 'far',
                             '-l', node.folder, '--set', 'outputs=', '--node', where, *more)
        self.node, self.log_path = node, node.folder + '/sensor.log'

    def start(self):
        before = open(self.log_path).read().count('watching') if os.path.exists(self.log_path) else 0
        with open(self.log_path, 'a') as log:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not until(lambda: open(self.log_path).read().count('watching') > before, 30):
            raise RuntimeError('the sensor did not start: ' + self.log())

    def log(self):
        with open(self.log_path, errors='replace') as f:
            return f.read()

    def end(self):
        self.process.terminate()
        return self.process.wait(90)


def live(seed, kind):
    draw, n = random.Random(seed), 0
    with Namespace() as ns:
        port, args, more = free_port(), [], []
        node = Node(prefix=ns.wrap())
        where = node.data + '/sensor.sock'
        if kind != 'unix':
            where = f'tcp://127.0.0.1:{port}' if kind == 'tcp' else f'tls://localhost:{port}'
            args += ['--sensor-listen', f'127.0.0.1:{port}']
            more += ['--set', f'daizong.token-file={node.folder}/token']
        if kind == 'tls':
            cert, key = certificate(node.folder)
            args += ['--certificate', cert, '--key', key]
            more += ['--set', f'daizong.ca-file={cert}']
        node.args = args
        with node:
            if kind != 'unix':
                with open(node.folder + '/token', 'w') as f:
                    f.write(node.run('user', 'token', 'far', '--sensor').stdout)
            sensor = Sensor(node, ns, where, *more)
            sensor.start()
            struck = []
            for _ in range(5):
                for _ in range(3):
                    some = draw.randrange(100, 400)
                    ns.send(some, n, pause=0.0005)
                    n += some
                    time.sleep(draw.random() * 0.5)
                struck.append(strike(node, draw, ('node', 'store', 'node')))
            check(sensor.end() == 0, f'{kind}: the sensor ends well', sensor.log()[-800:])
            check(until(lambda: node.count('type:dns') >= n), f'{kind}: every event is there', (struck, node.count('type:dns'), n, sensor.log()[-600:]))
            check(names(node) == list(range(n)), f'{kind}: each once', struck)
            # The sensor itself is killed: what it could not hand over is gone, what is there is whole.
            kill_sensor(node, ns, sensor, n, draw, kind)


def kill_sensor(node, ns, sensor, n, draw, kind):
    sensor.start()
    first = n
    for _ in range(3):
        ns.send(200, n, pause=0.001)
        n += 200
    time.sleep(draw.random() * 1.5)
    kill('daizong-sensor', node.folder)
    sensor.process.wait()
    strike(node, draw, ('node', 'store', 'all'))
    sensor.start()
    second = n
    ns.send(100, n)
    n += 100
    check(until(lambda: set(range(second, n)) <= set(names(node))), f'{kind}: the next sensor\'s events are there')
    check(sensor.end() == 0, f'{kind}: it ends well', sensor.log()[-800:])
    got = [x for x in names(node) if first <= x < second]
    check(got == list(range(first, first + len(got))), f'{kind}: a whole beginning of the killed one\'s', (first, len(got), got[:5], got[-5:]))


def test_live_unix():
    live(11, 'unix')


def test_live_tcp():
    live(12, 'tcp')


def test_live_tls():
    live(13, 'tls')


def test_doors():
    """Wrong token, no TLS, a certificate that nobody vouches for: the reason is said, nothing gets in."""
    port = free_port()
    with Node('--sensor-listen', f'127.0.0.1:{port}') as node:
        cert, key = certificate(node.folder)
        capture(node.folder + '/c.pcap', 100)
        with open(node.folder + '/token', 'w') as f:
            f.write('dz_' + '0' * 48)

        def send(where, *more):
            return sh(program('daizong-sensor'), '-r', node.folder + '/c.pcap', '--set', 'outputs=', '--node', where, *more,
                      check_status=False, timeout=100)

        done = send(f'tcp://127.0.0.1:{port}', '--set', f'daizong.token-file={node.folder}/token')
        check(done.returncode and 'token is not valid' in done.stderr, 'a wrong token', (done.returncode, done.stderr))
        done = send(f'tcp://127.0.0.1:{port}')
        check(done.returncode and 'token is not valid' in done.stderr, 'no token', (done.returncode, done.stderr))
        done = send('tls://127.0.0.1:1', '--set', f'daizong.ca-file={node.folder}/none.pem')
        check(done.returncode and 'none.pem' in done.stderr, 'no authorities', (done.returncode, done.stderr))
        done = send('tcp://127.0.0.1:notaport')
        check(done.returncode and 'tcp://HOST:PORT' in done.stderr, 'no address', (done.returncode, done.stderr))
        done = send(f'tcp://127.0.0.1:{port}', '--set', 'daizong.token-file=/nowhere')
        check(done.returncode and '/nowhere' in done.stderr, 'no token file', (done.returncode, done.stderr))
        check(node.count() == 0, 'nothing got in', node.count())
        with open(node.folder + '/token', 'w') as f:
            f.write(node.run('user', 'token', 'good', '--sensor').stdout)
        done = send(f'tcp://127.0.0.1:{port}', '--set', f'daizong.token-file={node.folder}/token')
        check(done.returncode == 0 and until(lambda: node.count('type:dns') == 100), 'a right token', done.stderr)
        done = send(f'tcp://127.0.0.1:{port}', '--set', f'daizong.token-file={node.folder}/token', '--set', 'daizong.unit=south')
        check(done.returncode == 0 and until(lambda: node.count('unit:south') > 0), "an administrator's, for any unit", done.stderr)
        node.call('POST', '/users', {'name': 'ana', 'role': 'analyst', 'password': 'long-enough'})
        with open(node.folder + '/token', 'w') as f:
            f.write(node.call('POST', '/tokens', {'name': 'hers', 'user': 'ana', 'kind': 'sensor'})[1]['token'])
        held = node.count('unit:south')
        done = send(f'tcp://127.0.0.1:{port}', '--set', f'daizong.token-file={node.folder}/token', '--set', 'daizong.unit=south')
        check(done.returncode and 'not for this unit' in done.stderr and node.count('unit:south') == held,
              'a token fills no unit that its owner does not see', (done.returncode, done.stderr))
        node.stop()
        node.args = (*node.args, '--certificate', cert, '--key', key)
        node.start()
        s = subprocess.Popen([program('daizong-sensor'), '-r', node.folder + '/c.pcap', '--set', 'outputs=', '--node', f'tls://127.0.0.1:{port}',
                              '--set', f'daizong.token-file={node.folder}/token'], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        line = s.stderr.readline()
        check('self-signed' in line or 'self signed' in line, 'a certificate that nobody vouches for', line)
        s.kill()
        s.wait()
        before = node.count('type:dns')
        done = send(f'tls://localhost:{port}', '--set', f'daizong.token-file={node.folder}/token', '--set', f'daizong.ca-file={cert}')
        check(done.returncode == 0 and until(lambda: node.count('type:dns') == before + 100), 'over TLS', (done.stderr, before, node.count('type:dns')))
