# SPDX-License-Identifier: Apache-2.0
"""`make run`'s part that starts: tools/run on a terminal, first and later starts, captures, interfaces,
and what can be wrong with them."""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

from harness import RELEASE, ROOT, Namespace, Skip, Terminal, check, command, free_port, sh, until


@contextlib.contextmanager
def folder():
    path = tempfile.mkdtemp(prefix='dz-run-', dir='/tmp')
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def start(data, prefix=(), **settings):
    settings.setdefault('LISTEN', f'127.0.0.1:{free_port()}')
    return Terminal('tools/run', env=dict(DATA=data, **settings), prefix=prefix)


def finish(t):
    t.press()
    code = t.end()
    check(code in (0, -2) and t.plain().rstrip().endswith('^Cdaizong: stopping'), 'Ctrl-C ends it well', (code, t.plain()[-500:]))


def query(data, *words):
    return command('query', '--data', data, *words, build=RELEASE).stdout.strip()


def becomes(data, count, *words):
    """What was taken can be found within moments: a job ends when its events are safe, not when they are indexed."""
    end = time.monotonic() + 20
    while (seen := query(data, '--count', *words)) != count and time.monotonic() < end:
        time.sleep(0.1)
    return seen == count


def test_first_and_second_start():
    with folder() as d:
        data = d + '/data'
        t = start(data)
        check(t.expect('Ctrl-C ends it'), 'the demo is shown', t.plain())
        banner = t.plain().split('Daizong is at')[-1]
        login = re.search(r'user admin, password ([A-Za-z0-9-]{23})', banner)
        check(login and t.text.count('password') == 1, 'the first login is in the banner, once', t.plain())
        check('warning' not in t.text, 'no false alarm', t.plain())
        check('#' in t.text and '100%' in t.text, 'a bar is drawn')
        lines = [l for l in t.plain().splitlines() if '03-sql-injection' in l]
        check(len(lines) == 1 and ' 1 alerts' in lines[0], 'one line for a capture', lines)
        check(login and sh('grep', '-rlF', login.group(1), d, check_status=False).stdout == '',
              'the password is in no file')
        counts = [None, query(data, '--count')]
        while counts[-1] != counts[-2]:
            time.sleep(1)
            counts.append(query(data, '--count'))
        events = int(counts[-1] or 0)
        check(events > 1000, 'events are there', events)
        finish(t)
        t = start(data)
        check(t.expect('Ctrl-C ends it', 60), 'the second start', t.plain())
        check('shown before' in t.text and f'there are {events} events' in t.text and 'password of the first start' in t.text,
              'it says what is there', t.plain())
        check(int(query(data, '--count')) == events, 'nothing twice')
        finish(t)


def test_own_captures():
    with folder() as d:
        os.mkdir(d + '/captures')
        for name in ('03-sql-injection.pcap', '04-log4shell.pcap'):
            shutil.copy(f'{ROOT}/demo/captures/{name}', d + '/captures')
        with open(d + '/captures/bad.pcap', 'wb') as f:
            f.write(b'this is no capture at all\n' * 10)
        with open(d + '/cut.pcap', 'wb') as f:
            f.write(open(f'{ROOT}/demo/captures/03-sql-injection.pcap', 'rb').read()[:-7])
        t = start(d + '/data', PCAP=d + '/captures')
        check(t.expect('Ctrl-C ends it'), 'a folder of captures', t.plain())
        text = t.plain()
        check(re.search(r'03-sql-injection.pcap +\d+ events +1 alerts', text) and
              re.search(r'04-log4shell.pcap +\d+ events +1 alerts', text), 'each is shown', text)
        bad = [l for l in text.splitlines() if 'bad.pcap' in l]
        check(len(bad) == 1 and 'not a capture file' in bad[0] and d not in bad[0], 'a file that is none is named with the reason', bad)
        check(becomes(d + '/data', '2', 'type:alert'), 'alerts are there')
        finish(t)
        t = start(d + '/data', PCAP=d + '/cut.pcap')
        check(t.expect('Ctrl-C ends it'), 'a damaged capture', t.plain())
        check('cut.pcap: byte 2525: the file is cut off' in t.text and becomes(d + '/data', '5', 'type:http'), 'what was readable is kept',
              (t.plain(), query(d + '/data', '--count', 'type:http')))
        finish(t)


def refused(words, what, **settings):
    done = subprocess.run(['tools/run'], cwd=ROOT, env=dict(os.environ, **settings), capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60)
    lines = (done.stdout + done.stderr).strip().splitlines()
    check(done.returncode not in (0, 124) and len(lines) == 1 and all(w in lines[0] for w in words), what,
          (done.returncode, lines))


def test_refusals():
    with folder() as d:
        refused(['there is no', '/nowhere.pcap'], 'a missing capture', DATA=d + '/a', PCAP='/nowhere.pcap')
        os.mkdir(d + '/empty')
        refused(['no captures', '/empty'], 'an empty folder', DATA=d + '/a', PCAP=d + '/empty')
        refused(['no interface none0', ' lo'], 'a missing interface', DATA=d + '/a', IFACE='none0')
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            s.listen()
            port = s.getsockname()[1]
            refused(['in use', str(port)], 'a port in use', DATA=d + '/b', LISTEN=f'127.0.0.1:{port}')
        refused(['cannot write', 'DATA='], 'a folder that cannot be written', DATA='/proc/nowhere')
        if os.geteuid() == 0:
            os.mkdir(d + '/ro')
            if sh('mount', '-t', 'tmpfs', '-o', 'ro', 'tmpfs', d + '/ro', check_status=False).returncode == 0:
                refused(['cannot write', '/ro', 'DATA='], 'a read-only folder', DATA=d + '/ro')
                sh('umount', d + '/ro')


def test_interface():
    with folder() as d, Namespace() as ns:
        t = start(d + '/data', prefix=ns.wrap(), IFACE='v1')
        check(t.expect('Ctrl-C ends it'), 'an interface is watched', t.plain())
        check('It watches v1' in t.text, 'it says so', t.plain())
        seen = 0

        def traffic():
            nonlocal seen
            seen += 20
            ns.send(20)
            return int(query(d + '/data', '--count', 'type:dns')) > 0

        check(until(traffic, 30), 'its traffic is seen')
        check(until(lambda: 0 < int(query(d + '/data', '--count', 'type:dns')) <= seen), 'no more than was sent')
        finish(t)


def test_interface_as_a_user():
    """Somebody else than root, with sudo: the node and its data are theirs, the sensor may capture."""
    if os.geteuid() != 0 or not shutil.which('setpriv'):
        raise Skip('needs root to act as a user')
    with folder() as d, Namespace() as ns:
        os.chmod(d, 0o755)
        os.mkdir(d + '/data')
        os.chown(d + '/data', 1, 1)
        if sh('setpriv', '--reuid', '1', '--regid', '1', '--clear-groups', 'test', '-x', RELEASE + '/daizong', check_status=False).returncode:
            raise Skip('this tree is not readable by another user')
        # What tools/run hands to sudo.
        words = re.search(r'sudo -- (setpriv .*?) -- "', open(ROOT + '/tools/run').read().replace('\n', ' '), re.S).group(1)
        words = words.replace('"$(id -u)"', '1').replace('"$(id -g)"', '1').replace('--init-groups', '--clear-groups').split()
        port = free_port()
        t = Terminal(*words, RELEASE + '/daizong', 'up', '--data', d + '/data', '--listen', f'127.0.0.1:{port}',
                     '--interface', 'v1', prefix=ns.wrap())
        check(t.expect('password'), 'it starts', t.plain())

        def traffic():
            ns.send(20)
            return int(query(d + '/data', '--count', 'type:dns')) > 0

        check(until(traffic, 30), 'its traffic is seen', t.plain())
        owners = {os.stat(os.path.join(at, f)).st_uid for at, _, files in os.walk(d + '/data') for f in files}
        check(owners == {1}, 'all files are the user\'s', owners)
        finish(t)
