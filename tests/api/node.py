# SPDX-License-Identifier: Apache-2.0
"""A node for tests: starts `daizong up` on a folder, calls its API as a browser, a script or the
owner does, and stops it. The build is the caller's first argument or build/check; the engine's
library is looked for where tools/fetch-libchdb puts it, or DAIZONG_LIBCHDB names it."""
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', '..'))
sys.path.insert(0, os.path.join(ROOT, 'tests'))
from unix_http import UnixConnection  # noqa: E402 (its folder is known now)
BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'build', 'check'))
PROGRAM = next(p for p in (os.path.join(BUILD, 'daizong'), os.path.join(BUILD, 'src/cli/daizong'))
               if os.path.exists(p))
SENSOR = next((p for p in (os.path.join(BUILD, 'daizong-sensor'), os.path.join(BUILD, 'src/sensor/daizong-sensor'))
               if os.path.exists(p)), None)
LIBRARY = os.path.join(ROOT, 'build', 'third_party', 'libchdb', 'libchdb.so')
if os.path.exists(LIBRARY):
    os.environ.setdefault('DAIZONG_LIBCHDB', LIBRARY)
for name in ('DAIZONG_DATA', 'DAIZONG_LISTEN', 'DAIZONG_URL', 'DAIZONG_TOKEN'):
    os.environ.pop(name, None)


CALLS = set()  # (method, path, was it answered with success) of all calls
HINTLESS = set()  # errors that do not say what to do


class Node:
    def __init__(self, data, *args):
        self.data, self.args, self.port, self.password = data, args, 0, None
        self.cookie = self.csrf = None
        self.local = False # all calls over the Unix socket

    def start(self):
        self.log = open(self.data + '.log', 'a')
        self.process = subprocess.Popen(
            [PROGRAM, 'up', '--data', self.data, '--listen', f'127.0.0.1:{self.port}', '--json',
             *self.args], stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        hello = json.loads(line) if line else {}
        self.port = int(hello['url'].rstrip('/').rsplit(':', 1)[1]) if hello else self.port
        self.password = hello.get('password') or self.password
        return hello

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(60)
        self.process.stdout.close()
        self.log.close()
        return code

    def call(self, method, path, body=None, local=False, headers=None, raw=None):
        local = local or self.local
        if local:
            c = UnixConnection(self.data + '/daizong.sock')
        else:
            c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=30)
        h = dict(headers or {})
        if body is not None:
            h.setdefault('Content-Type', 'application/json')
        if self.cookie and not local and 'Authorization' not in h:
            h.setdefault('Cookie', 'daizong_session=' + self.cookie)
            if self.csrf:
                h.setdefault('X-CSRF-Token', self.csrf)
        data = raw if raw is not None else json.dumps(body) if body is not None else None
        c.request(method, path if path.startswith('/metrics') or path.startswith('/x/') or path == '/'
                  else '/api/v1' + path, data, h)
        r = c.getresponse()
        text = r.read()
        c.close()
        CALLS.add((method, urllib.parse.urlsplit(path).path, r.status < 400))
        try:
            answer = json.loads(text) if text else None
        except ValueError:
            answer = text.decode('utf-8', 'replace')
        if r.status >= 400 and not (answer['error']['message'] and answer['error']['hint']):
            HINTLESS.add((method, path, text))
        return r.status, answer, r

    def raw(self, method, path, headers=None):
        """(status, answer, bytes) without login and without any header but these."""
        c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=30)
        c.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            c.putheader(name, value)
        c.endheaders()
        r = c.getresponse()
        body = r.read()
        c.close()
        return r.status, r, body

    def get(self, path, **params):
        query = urllib.parse.urlencode(params)
        return self.call('GET', path + ('?' + query if query else ''))[:2]

    def wait(self, condition, seconds=60):
        end = time.time() + seconds
        while time.time() < end:
            try:
                if condition():
                    return True
            except (OSError, KeyError, TypeError, http.client.HTTPException):
                pass
            time.sleep(0.2)
        return False


def replay(node, path):
    with open(path, 'rb') as f:
        body = f.read()
    status, answer, _ = node.call('POST', '/captures?name=' + os.path.basename(path), raw=body,
                                  headers={'Content-Type': 'application/octet-stream'})
    if status != 202:
        return {'state': status, 'answer': answer}
    job = '/jobs/' + answer['job']['id']
    node.wait(lambda: node.get(job)[1]['state'] in ('done', 'failed'))
    return node.get(job)[1]


class Stream:
    """A live stream over the owner's socket, message by message."""

    def __init__(self, node, query='', last=None, headers=None, tcp=False):
        self.connection = http.client.HTTPConnection('127.0.0.1', node.port, timeout=30) if tcp else \
            UnixConnection(node.data + '/daizong.sock')
        more = dict(headers or {}, **({'Last-Event-ID': str(last)} if last is not None else {}))
        self.connection.request('GET', '/api/v1/stream' + query, headers=more)
        self.answer = self.connection.getresponse()

    def message(self):
        """(id or None, event, data) of the next message; heartbeats are passed over."""
        identity, event, data = None, None, None
        while True:
            line = self.answer.readline()
            if not line:
                return None, 'end', None
            name, _, value = line.decode().rstrip('\n').partition(': ')
            if not name and event:
                return identity, event, data
            identity = int(value) if name == 'id' else identity
            event = value if name == 'event' else event
            data = json.loads(value) if name == 'data' else data

    def until(self, enough, seconds=30):
        """All messages up to the one where enough(messages) holds."""
        got, end = [], time.time() + seconds
        while time.time() < end and not (got and enough(got)):
            got.append(self.message())
        return got

    def close(self):
        self.answer.close()
        self.connection.close()
