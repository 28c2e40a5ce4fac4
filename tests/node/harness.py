# SPDX-License-Identifier: Apache-2.0
"""What the node's tests share: a node on its own folder, its API over the Unix socket, commands as a
user types them, network namespaces of their own, and counting checks."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests'))
from unix_http import UnixConnection  # noqa: E402 (its folder is known now)
RELEASE = os.path.join(ROOT, 'build/release')
BUILD = os.path.join(ROOT, os.environ.get('BUILD', 'build/check'))
LIBCHDB = os.path.join(ROOT, 'build/third_party/libchdb/libchdb.so')
os.environ.setdefault('DAIZONG_LIBCHDB', LIBCHDB)
for variable in ('DAIZONG_DATA', 'DAIZONG_LISTEN', 'DAIZONG_URL', 'DAIZONG_TOKEN', 'DAIZONG_CA'):
    os.environ.pop(variable, None)
# A shell starts what it puts into the background with Ctrl-C ignored; the commands here shall hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)
passed = failed = skipped = 0


class Skip(Exception):
    pass


def program(name, build=BUILD):
    folder = {'daizong': 'cli', 'daizong-sensor': 'sensor', 'daizong-store': 'embedded'}.get(name)
    path = os.path.join(build, 'src', folder, name) if folder else os.path.join(build, name)
    if not os.path.exists(path):
        raise SystemExit(f'{path} is not built')
    return path


def check(ok, what, seen=''):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        where = traceback.extract_stack(limit=2)[0]
        print(f'FAILED {os.path.basename(where.filename)}:{where.lineno}: {what}: {str(seen)[:1500]}', flush=True)
    return bool(ok)


def run_tests(module, one=''):
    """Runs every function test_* of a module; an exception is one failure, Skip one that was left out."""
    global skipped
    for name, function in list(vars(module).items()):
        if not name.startswith('test_') or not callable(function) or (one and name != one):
            continue
        start = time.monotonic()
        try:
            function()
        except Skip as reason:
            skipped += 1
            print(f'  SKIPPED {module.__name__}.{name}: {reason}', flush=True)
        except Exception:  # a broken test is a failed one
            check(False, f'{name}: {traceback.format_exc()}')
        print(f'  {module.__name__}.{name} {time.monotonic() - start:.1f} s', flush=True)


def until(condition, seconds=60, pause=0.1):
    """Whether the condition came true in time; what it raises for a node that is away is a no."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return True
        except (OSError, KeyError, TypeError, ValueError, http.client.HTTPException):
            pass
        time.sleep(pause)
    return False


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def sh(*command, check_status=True, **kw):
    done = subprocess.run(command, capture_output=True, text=True, timeout=kw.pop('timeout', 120),
                          stdin=subprocess.DEVNULL, **kw)
    if check_status and done.returncode:
        raise RuntimeError(f'{command}: {done.returncode}: {done.stdout}{done.stderr}')
    return done


class Node:
    """`daizong up` on a folder of its own below /tmp."""

    def __init__(self, *args, data=None, build=BUILD, env=None, prefix=()):
        self.prefix = list(prefix)
        self.folder = tempfile.mkdtemp(prefix='dz-node-', dir='/tmp') if data is None else None
        self.data = data or os.path.join(self.folder, 'data')
        self.args, self.build, self.port, self.password = args, build, 0, None
        self.log_path = self.data.rstrip('/') + '.log'
        self.env = dict(os.environ, **(env or {}))
        self.process, self.verb = None, 'up'

    def start(self, wait=True):
        with open(self.log_path, 'a') as log:
            self.process = subprocess.Popen(
                [*self.prefix, program('daizong', self.build), self.verb, '--data', self.data, '--listen',
                 f'127.0.0.1:{self.port}', '--json', *self.args], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=log, text=True, env=self.env)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f'the node did not start: {self.log()[-800:]}')
        self.hello = json.loads(line)
        self.port = int(self.hello['url'].rstrip('/').rsplit(':', 1)[1])
        self.password = self.hello.get('password') or self.password
        if wait and not until(lambda: self.get('/health')['status'] in ('ok', 'degraded')):
            raise RuntimeError(f'the store did not come up: {self.get("/health")} {self.log()[-800:]}')
        return self

    __enter__ = start

    def __exit__(self, *_):
        self.stop()
        log = self.log()
        check('Sanitizer' not in log and 'runtime error' not in log, 'no finding of the sanitizers', log[-3000:])
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        with open(self.log_path, errors='replace') as f:
            return f.read()

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def stop(self, how=signal.SIGTERM):
        """Exit status, or None when it does not run."""
        if not self.process:
            return None
        self.process.send_signal(how)
        code = self.process.wait(90)
        self.process.stdout.close()
        self.process = None
        return code

    def call(self, method, path, body=None):
        c = UnixConnection(self.data + '/daizong.sock')
        try:
            headers = {'Content-Type': 'application/json'} if body is not None else {}
            c.request(method, '/api/v1' + path, json.dumps(body) if body is not None else None, headers)
            r = c.getresponse()
            text = r.read()
            return r.status, json.loads(text) if text else None
        finally:
            c.close()

    def get(self, path, **params):
        return self.call('GET', path + ('?' + urllib.parse.urlencode(params) if params else ''))[1]

    def count(self, q=''):
        return self.get('/events/histogram', by='none', **({'q': q} if q else {}))['total']

    def events(self, q='', most=1 << 30):
        """All events that match, over pages."""
        found, cursor = [], None
        while len(found) < most:
            page = self.get('/events', limit=1000, **({'q': q} if q else {}), **({'cursor': cursor} if cursor else {}))
            found += page['events']
            cursor = page['next_cursor']
            if not cursor:
                break
        return found

    def run(self, *args, **kw):
        """A command of the user on the node's machine."""
        return command(*args, '--data', self.data, build=self.build, **kw)

    def child(self, name):
        """Process of a child, 0 when there is none."""
        done = sh('pgrep', '-P', str(self.process.pid), '-f', f'/{name} ', check_status=False)
        return int(done.stdout.split()[0]) if done.stdout.strip() else 0


def command(*args, build=BUILD, **kw):
    return sh(program('daizong', build), *args, check_status=False, **kw)


def eve_lines(n, seed=1, start=None):
    """Events as a Suricata writes them."""
    make = sh(os.path.join(RELEASE, 'tests/store/eve_make'), str(n), str(seed), str(start or int(time.time()) - 86400))
    return make.stdout.splitlines()


class Namespace:
    """A network namespace with a pair v0 (10.9.0.1, the sender) and v1 (nobody; what a sensor watches)."""
    counter = 0

    def __init__(self):
        Namespace.counter += 1
        self.name = f'dzt{os.getpid()}-{Namespace.counter}'

    def __enter__(self):
        if os.geteuid() != 0:
            raise Skip('network namespaces need root')
        made = sh('ip', 'netns', 'add', self.name, check_status=False)
        if made.returncode:
            raise Skip('no network namespaces here: ' + made.stderr.strip())
        for words in ('link add v0 type veth peer name v1', 'link set lo up', 'addr add 10.9.0.1/24 dev v0',
                      'link set v0 up', 'link set v1 up',
                      'neigh replace 10.9.0.2 lladdr 02:00:00:00:00:09 dev v0'):
            sh('ip', '-n', self.name, *words.split())
        return self

    def __exit__(self, *_):
        sh('ip', 'netns', 'del', self.name, check_status=False)

    def wrap(self, *words):
        return ['ip', 'netns', 'exec', self.name, *words]

    def send(self, n, first=0, pause=0.0):
        """n DNS requests, q<first> up, of which nobody answers one; returns when they are out."""
        text = (f'import socket,time\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n'
                f'for i in range({first},{first + n}):\n'
                f'  q=b"".join(bytes([len(p)])+p for p in (b"q%d"%i,b"example",b"org"))+b"\\0"\n'
                f'  s.sendto((i&65535).to_bytes(2,"big")+b"\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0"+q+b"\\0\\1\\0\\1",("10.9.0.2",53))\n'
                f'  time.sleep({pause})\n')
        sh(*self.wrap(sys.executable, '-c', text))


class Terminal:
    """A command on a terminal of its own, so that it draws and Ctrl-C reaches it as from a keyboard."""

    def __init__(self, *words, env=None, prefix=()):
        import pty
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execvpe(words[0] if not prefix else prefix[0], [*prefix, *words], dict(os.environ, **(env or {})))
        self.text = ''

    def read(self, pause=0.2):
        import select
        if not select.select([self.fd], [], [], pause)[0]:
            return True
        try:
            more = os.read(self.fd, 65536)
        except OSError:
            more = b''
        self.text += more.decode(errors='replace')
        return bool(more)

    def expect(self, words, seconds=120):
        end = time.monotonic() + seconds
        while words not in self.text:
            if not self.read() or time.monotonic() > end:
                return words in self.text
        return True

    def press(self, key='\x03'):
        os.write(self.fd, key.encode())

    def end(self, seconds=60):
        """Exit status when it ends in time."""
        end = time.monotonic() + seconds
        while self.read() and time.monotonic() < end:
            pass
        if time.monotonic() >= end:
            os.kill(self.pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return status

    def plain(self):
        """What stands there in the end: no colours, no overwritten lines."""
        text = re.sub(r'\x1b\[[0-9;]*[A-Za-z]', '', self.text).replace('\r\n', '\n')
        return '\n'.join(l.rsplit('\r', 1)[-1] for l in text.split('\n'))
