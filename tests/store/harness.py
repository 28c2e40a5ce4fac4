# SPDX-License-Identifier: Apache-2.0
"""What the store's tests share: a store process on its own folder, raw HTTP, and counting checks."""
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests'))
from unix_http import UnixConnection  # noqa: E402

BUILD = os.path.join(ROOT, os.environ.get('BUILD', 'build/release'))
LIBCHDB = os.path.join(ROOT, 'build/third_party/libchdb/libchdb.so')
passed = failed = 0


def program(name, folder):
    for path in (os.path.join(BUILD, name), os.path.join(BUILD, folder, name)):
        if os.path.exists(path):
            return path
    raise SystemExit(f'{name} is not built in {BUILD}')


def check(ok, what):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        where = traceback.extract_stack(limit=2)[0]
        print(f'FAILED {os.path.basename(where.filename)}:{where.lineno}: {what}', flush=True)
    return ok


def run_tests(module):
    """Runs every function test_* of a module; an exception is one failure."""
    for name, function in sorted(vars(module).items()):
        if name.startswith('test_') and callable(function):
            start = time.time()
            try:
                function()
            except Exception:  # a broken test is a failed one
                check(False, f'{name}: {traceback.format_exc()}')
            print(f'  {module.__name__}.{name} {time.time() - start:.1f} s', flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        self.text = self.body.decode('utf-8', 'replace')


class Store:
    def __init__(self, *args, data=None, listen=True, writable=False, wait=True, env=None):
        self.own = data is None
        self.dir = data or tempfile.mkdtemp(prefix='dz-store-', dir='/tmp')
        self.port = free_port()
        self.socket = os.path.join(self.dir, 'store.sock')
        self.args = [program('daizong-store', 'src/embedded'), '--data', os.path.join(self.dir, 'store'),
                     '--socket', self.socket, '--libchdb', LIBCHDB]
        if listen:
            self.args += ['--listen', f'127.0.0.1:{self.port}']
        if writable:
            self.args += ['--writable']
        self.args += args
        self.env = dict(os.environ, **(env or {}))
        self.log = os.path.join(self.dir, 'log')
        self.start(wait)

    def start(self, wait=True):
        self.process = subprocess.Popen(self.args, env=self.env, stdin=subprocess.DEVNULL,
                                        stdout=open(self.log, 'ab'), stderr=subprocess.STDOUT)
        if wait:
            self.wait()

    def wait(self):
        for _ in range(300):
            try:
                if self.get('/ping').status == 200:
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f'the store did not come up: {open(self.log).read()}')

    def request(self, method, path, body=None, headers=None, tcp=False, timeout=60):
        c = (http.client.HTTPConnection('127.0.0.1', self.port, timeout=timeout) if tcp
             else UnixConnection(self.socket, timeout))
        try:
            c.request(method, path, body, headers or {})
            return Answer(c.getresponse())
        finally:
            c.close()

    def get(self, path, **kw):
        return self.request('GET', path, **kw)

    def sql(self, sql, params='', body=b'', **kw):
        """SQL as the body, or with `body` as the parameter."""
        from urllib.parse import quote
        if body:
            return self.request('POST', f'/?query={quote(sql)}{params}', body, **kw)
        return self.request('POST', f'/?{params.lstrip("&")}', sql.encode(), **kw)

    def value(self, sql):
        a = self.sql(sql)
        if a.status != 200:
            raise RuntimeError(a.text)
        return a.text.strip()

    def rss_kb(self):
        with open(f'/proc/{self.process.pid}/status') as f:
            return next(int(x.split()[1]) for x in f if x.startswith('VmRSS'))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        if self.own:
            shutil.rmtree(self.dir, ignore_errors=True)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
