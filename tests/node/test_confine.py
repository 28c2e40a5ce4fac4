# SPDX-License-Identifier: Apache-2.0
"""The node confines itself and its children, and everything still works: seen from /proc and from use."""
import ctypes
import os
import shutil
import signal
import time

from harness import RELEASE, ROOT, Namespace, Node, Skip, check, sh, until

CAPS = {'DAC_OVERRIDE': 1, 'DAC_READ_SEARCH': 2, 'NET_ADMIN': 12, 'NET_RAW': 13}


def status(pid, task=None):
    path = f'/proc/{pid}/task/{task}/status' if task else f'/proc/{pid}/status'
    return dict(line.rstrip('\n').split(':\t', 1) for line in open(path) if ':\t' in line)


def caps(s, kind):
    bits = int(s['Cap' + kind], 16)
    return {name for name, bit in CAPS.items() if bits >> bit & 1} | ({'other'} if bits & ~sum(1 << b for b in CAPS.values()) else set())


def confined(node):
    for task in os.listdir(f'/proc/{node.process.pid}/task'):
        s = status(node.process.pid, task)
        if s['NoNewPrivs'] != '1' or s['Seccomp'] != '2' or 'other' in caps(s, 'Prm') or caps(s, 'Eff') & {'NET_RAW', 'NET_ADMIN'}:
            return s
    return None


def test_confined():
    root = os.geteuid() == 0
    with Node('-v', build=RELEASE) as node:
        check(confined(node) is None, 'every thread of the node', confined(node))
        s = status(node.process.pid)
        check(not root or caps(s, 'Eff') == {'DAC_READ_SEARCH'} and caps(s, 'Bnd') == {'DAC_READ_SEARCH', 'NET_RAW', 'NET_ADMIN'},
              'root keeps reading, and capturing for its sensors', s)
        store = status(node.child('daizong-store'))
        check(store['NoNewPrivs'] == '1' and store['Seccomp'] == '2' and not caps(store, 'Eff') - {'DAC_READ_SEARCH'}, 'the store', store)
        abi = ctypes.CDLL(None).syscall(444, 0, 0, 1)
        check(f'Landlock {abi}' in node.log() if abi >= 2 else 'no Landlock' in node.log(), 'files', (abi, node.log()[-500:]))
        store = node.child('daizong-store')
        os.kill(store, signal.SIGKILL)
        check(until(lambda: node.child('daizong-store') not in (0, store) and node.get('/health')['status'] == 'ok'), 'the store is started again', node.log()[-500:])
        done = node.run('replay', ROOT + '/demo/captures/02-port-scan.pcap')
        check(done.returncode == 0 and '1004 events' in done.stdout, 'a capture', done.stdout + done.stderr)
        check(until(lambda: node.count() == 1004), 'its events', node.count())
        check(node.stop() == 0, 'a clean end')
        node.args = ('-v', '--no-confine')
        node.start()
        check(status(node.process.pid)['Seccomp'] == '0', 'only --no-confine leaves it out')


def test_without_sensors():
    """`daizong node` captures nothing and keeps no capability for it."""
    if os.geteuid() != 0:
        raise Skip('needs root')
    with Node(build=RELEASE) as node:
        node.stop()
        node.verb = 'node'
        node.start()
        s = status(node.process.pid)
        check(not caps(s, 'Prm') - {'DAC_READ_SEARCH'} and not caps(s, 'Amb') - {'DAC_READ_SEARCH'}, 'no capability', s)


def test_interface():
    with Namespace() as ns, Node('--interface', 'v1', build=RELEASE, prefix=ns.wrap()) as node:
        sensor = status(node.child('daizong-sensor'))
        check(caps(sensor, 'Eff') - {'DAC_READ_SEARCH'} == {'NET_RAW', 'NET_ADMIN'}, 'the sensor gets what capturing takes', sensor)

        def traffic():
            ns.send(20)
            return node.count('type:dns') > 0

        check(until(traffic, 30), 'it captures', node.log()[-500:])
        check(confined(node) is None, 'the node does not', confined(node))
        pid = node.child('daizong-sensor')
        os.kill(pid, signal.SIGKILL)
        check(until(lambda: node.child('daizong-sensor') not in (0, pid)), 'it is started again')
        before = node.count('type:dns')
        check(until(lambda: traffic() and node.count('type:dns') > before, 30), 'and captures')


def test_somebody_elses_folder():
    """Root on a data folder in a user's closed home."""
    if os.geteuid() != 0:
        raise Skip('needs root')
    with Node(build=RELEASE) as node:
        node.stop()
        home = node.folder + '/home'
        os.mkdir(home, 0o700)
        shutil.move(node.data, home + '/data')
        for at, folders, files in os.walk(home):
            for name in ['.', *folders, *files]:
                os.chown(os.path.join(at, name), 1, 1)
        node.data = home + '/data'
        node.start()
        done = node.run('replay', ROOT + '/demo/captures/03-sql-injection.pcap')
        check(done.returncode == 0, 'it works', done.stderr + node.log()[-500:])
        check(until(lambda: node.count('type:alert') == 1), 'events are there')
