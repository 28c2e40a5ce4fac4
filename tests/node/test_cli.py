# SPDX-License-Identifier: Apache-2.0
"""The commands as a user types them: help, completion in three shells, the manual page, searching over
pages, following, a node elsewhere, and errors that say what, where and what to do."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import BUILD, ROOT, Node, Skip, check, command, eve_lines, program, sh, until
from test_eve import flows, lines
from test_loss import certificate

COMMANDS = [m.replace('\\"', '"') for m in re.findall(r'COMMAND\(\.name = "([^"]+)"', open(ROOT + '/src/cli/commands.def').read())]


def shell(words, script):
    if not shutil.which(words[0]):
        raise Skip(f'no {words[0]} here')
    env = dict(os.environ, PATH=os.path.dirname(program('daizong')) + ':' + os.environ['PATH'])
    return sh(*words, script, env=env, check_status=False)


def test_help():
    for name in COMMANDS:
        done = command(*name.split(), '--help')
        check(done.returncode == 0 and f'usage: daizong {name}' in done.stdout and not done.stderr, f'{name} --help', done.stderr)
        check(all(len(l) <= 140 for l in done.stdout.splitlines()), f'{name} --help fits', max(done.stdout.splitlines(), key=len))
        check(command('help', *name.split()).stdout == done.stdout, f'help {name}')
    done = command()
    check(done.returncode == 2 and all(n in done.stdout for n in COMMANDS), 'no command')
    for words, want in [(('qurey',), 'did you mean query'), (('query', '--limt', '3'), 'did you mean --limit'),
                        (('user', 'ad'), 'did you mean user add'), (('query', '-n'), '--limit needs N'),
                        (('query', '-n', 'x'), 'a number'), (('rules', 'check'), 'needs FILE'),
                        (('query', '--top', 'src_ip', '--count'), 'exclude'), (('status', 'x'), 'too much'),
                        (('up', '--json=1'), 'takes no value')]:
        done = command(*words)
        check(done.returncode == 2 and want in done.stderr and len(done.stderr.splitlines()) == 1, words, done.stderr)


def test_bash():
    for typed, want in [('daizong que', ['query']), ('daizong user t', ['token']), ('daizong query --fo', ['--follow']),
                        ('daizong completion z', ['zsh']), ('daizong up --no-c', ['--no-confine'])]:
        words = typed.split()
        script = (f'source <(daizong completion bash); COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _daizong; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = shell(['bash', '-c'], script)
        check(done.stdout.split() == want and not done.stderr, typed, done.stdout + done.stderr)


def test_zsh():
    # A terminal inside zsh, on which Tab is pressed.
    script = '''zmodload zsh/zpty; zpty t zsh -f -i
zpty -w t 'PS1=; autoload -U compinit; compinit -D -u; source <(daizong completion zsh)'
sleep 1; zpty -w t $'daizong que\\t \\b'; zpty -w t 'x'; zpty -n -w t $'daizong query --old\\t'; sleep 1; zpty -r -t t out
print -r -- "$out"; while zpty -r -t t out; do print -r -- "$out"; done; zpty -d t'''
    done = shell(['zsh', '-fc'], 'autoload -U compinit; compinit -D -u; source <(daizong completion zsh); print $_comps[daizong]')
    check(done.stdout.strip() == '_daizong' and not done.stderr, 'the script is taken', done.stdout + done.stderr)
    done = shell(['zsh', '-fc'], script)
    check('--oldest-first' in done.stdout, 'Tab', done.stdout[-800:] + done.stderr)


def test_fish():
    for typed, want in [('daizong que', ['query']), ('daizong user pas', ['passwd']), ('daizong query --fo', ['--follow'])]:
        done = shell(['fish', '-c'], f"daizong completion fish | source; complete -C '{typed}'")
        check([l.split('\t')[0] for l in done.stdout.splitlines()] == want and not done.stderr, typed, done.stdout + done.stderr)


def test_manual():
    page = command('man').stdout
    check(all(n.replace('-', '\\-') in page or n in page for n in COMMANDS), 'every command is in the manual')
    found = 0
    for words in (['mandoc', '-Tlint', '-Wwarning'], ['groff', '-man', '-Tutf8', '-ww']):
        if shutil.which(words[0]):
            found += 1
            done = subprocess.run(words, input=page, capture_output=True, text=True)
            check(done.returncode == 0 and not done.stderr and (words[0] != 'mandoc' or not done.stdout), words[0], done.stdout[:500] + done.stderr[:500])
    if not found:
        raise Skip('neither mandoc nor groff here')


def test_queries():
    n = 2500
    with Node() as node:
        path = node.folder + '/events.json'
        with open(path, 'w') as f:
            f.write('\n'.join(lines(1, n)) + '\n')
        done = node.run('replay', '--json', path)
        check(done.returncode == 0 and json.loads(done.stdout)['events'] == n, 'replay --json', done.stdout + done.stderr)
        check(until(lambda: node.count() == n), 'events are there')

        def ids(*words):
            done = node.run('query', '--json', *words)
            return [json.loads(l)['flow_id'] for l in done.stdout.splitlines()]

        check(len(ids()) == 100, 'a hundred when nothing is said')
        check(len(ids('-n', '1700')) == len(set(ids('-n', '1700'))) == 1700, 'over pages')
        everything = ids('-n', '0')
        check(sorted(everything) == list(range(1, n + 1)), 'all of them', len(everything))
        check(ids('-n', '3', '--oldest-first') == everything[::-1][:3] or len(set(ids('-n', '3', '--oldest-first'))) == 3, 'oldest first')
        stamps = [json.loads(l)['timestamp'] for l in node.run('query', '--json', '-n', '0').stdout.splitlines()]
        check(stamps == sorted(stamps, reverse=True), 'newest first')
        middle = stamps[n // 2][:19] + 'Z'  # a whole second
        a = int(node.run('query', '--count', '--from', middle).stdout)
        b = int(node.run('query', '--count', '--to', middle).stdout)
        check(a + b == n and a > 0 and b > 0, 'ranges of time', (a, b))
        check(len(ids('-n', '0', '--from', middle)) == a, 'and their events')
        alerts = int(node.run('query', '--count', 'type:alert').stdout)
        check(0 < alerts == len(ids('-n', '0', 'type:alert')) and n - alerts == int(node.run('query', '--count', '-type:alert').stdout),
              'a query and its negation', alerts)
        top = node.run('query', '--top', 'event_type', '--json')
        check(sum(v['count'] for v in json.loads(top.stdout)['values']) == n, 'top', top.stdout)
        check('alert' in node.run('query', '--top', 'event_type').stdout, 'top as a table')
        check(json.loads(node.run('query', '--count', '--json').stdout) == {'count': n}, 'count as JSON')
        for words, at in [(['type:alert', 'nofield:1'], 11), (['"open'], 0), (['中文', 'nofield:1'], 5)]:
            done = node.run('query', *words)
            text = done.stderr.splitlines()
            check(done.returncode == 65 and len(text) == 3 and text[1].strip() == ' '.join(words) and text[2] == '  ' + ' ' * at + '^',
                  f'a caret below {words}', done.stderr)
        done = node.run('query', 'nofield:1', '--json')
        check(json.loads(done.stderr)['error']['code'] and done.stdout == '', 'errors as JSON', done.stderr)
        follow(node, path)


def follow(node, path):
    """query --follow and tail while events come in: each once, none missing."""
    first = 100001

    def bring(k, n):
        with open(node.folder + '/later.json', 'w') as f:
            f.write('\n'.join(lines(k, n)) + '\n')
        node.run('replay', node.folder + '/later.json')

    bring(first - 5, 5)
    until(lambda: node.count('sensor:later.json') == 5)
    words = [program('daizong'), 'query', '--data', node.data, '--json', '--follow', '-n', '5', 'sensor:later.json']
    seen = subprocess.Popen(words, stdout=open(node.folder + '/follow.txt', 'w'), stderr=subprocess.STDOUT)
    tail = subprocess.Popen([program('daizong'), 'tail', '--data', node.data, '--json', '-t', 'alert'], stdout=open(node.folder + '/tail.txt', 'w'))
    def got(name):
        return [json.loads(l)['flow_id'] for l in open(node.folder + '/' + name) if l.startswith('{')]

    check(until(lambda: len(got('follow.txt')) == 5, 20), 'the last ones first', got('follow.txt'))
    for i in range(6):  # no burst, of which a sample would be shown
        bring(first + i * 10, 10)
    missing = lambda: sorted(set(range(first - 5, first + 60)) - set(got('follow.txt')))
    check(until(lambda: not missing(), 20), 'all are followed', [e for e in node.events('sensor:later.json') if e['flow_id'] in missing()][:2])
    time.sleep(1)
    check(sorted(got('follow.txt')) == list(range(first - 5, first + 60)), 'each once', (len(got('follow.txt')), len(set(got('follow.txt')))))
    until(lambda: node.count('sensor:later.json') == 65)
    want = int(node.run('query', '--count', f'sensor:later.json type:alert flow_id:>={first}').stdout)
    check(until(lambda: len(got('tail.txt')) == want, 20), 'tail shows the alerts', (len(got('tail.txt')), want))
    for p in (seen, tail):
        p.send_signal(signal.SIGINT)
        check(p.wait(10) in (-2, 0, 130), 'Ctrl-C ends it')
    done = subprocess.run(f'{program("daizong")} query --data {node.data} -n 0 | head -1', shell=True, capture_output=True, text=True)
    check(done.stdout.count('\n') == 1 and not done.stderr, 'a pipe that closes', done.stderr)


def test_elsewhere():
    with Node() as node:
        node.stop()
        cert, key = certificate(node.folder)
        node.args = ('--certificate', cert, '--key', key)
        node.start()
        url = f'https://localhost:{node.port}'
        token = node.run('user', 'token', 'scripts').stdout.strip()
        ca = dict(os.environ, DAIZONG_CA=cert)
        done = command('query', '--url', url, '--token', token, '--count', env=ca)
        check(done.returncode == 0 and done.stdout.strip() == '0', 'a token over TLS', done.stderr)
        done = command('status', '--json', env=dict(ca, DAIZONG_URL=url, DAIZONG_TOKEN=token))
        check(done.returncode == 0 and json.loads(done.stdout)['status'] in ('ok', 'degraded'), 'from the environment', done.stderr)
        done = command('query', '--url', url, '--token', 'dz_' + 'f' * 48, env=ca)
        check(done.returncode == 77 and 'token' in done.stderr, 'a wrong token', done.stderr)
        done = command('query', '--url', url, '--token', token)
        check(done.returncode == 77 and 'self' in done.stderr and 'signed' in done.stderr, 'a certificate that nobody vouches for', done.stderr)
        done = command('query', '--url', f'http://localhost:{node.port}', '--token', token)
        check(done.returncode in (69, 76) and done.stderr, 'http to an https port', done.stderr)
        done = command('query', '--url', 'localhost')
        check(done.returncode == 2 and 'https://HOST:PORT' in done.stderr, 'no URL', done.stderr)
        done = command('query', '--url', 'http://127.0.0.1:1')
        check(done.returncode == 69 and '127.0.0.1 port 1' in done.stderr, 'nobody there', done.stderr)
        done = command('user', 'list', '--url', url, '--token', token, env=ca)
        check(done.returncode == 77, 'a viewer may not', done.stderr)


def test_status():
    with tempfile.TemporaryDirectory() as d:
        done = command('status', '--data', d)
        check(done.returncode == 69 and 'no node runs' in done.stderr and 'daizong up' in done.stderr, 'no node', done.stderr)
    with Node() as node:
        check(node.run('status').returncode == 0 and 'store' in node.run('status').stdout, 'a node', node.run('status').stdout)
        node.stop()
        node.env['DAIZONG_LIBCHDB'] = '/nowhere/libchdb.so'
        node.start(wait=False)
        check(until(lambda: node.run('status').returncode == 69), 'its store is down', node.run('status').stdout)
        check('libchdb' in node.run('status').stdout, 'with the reason', node.run('status').stdout)


def test_service():
    unit = open(ROOT + '/packaging/daizong.service').read()
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with Node() as node:
        node.stop()
        for path in (node.folder + '/notify', '@' + os.path.basename(node.folder)):
            told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            told.bind(path if path[0] == '/' else '\0' + path[1:])
            told.settimeout(30)
            node.env['NOTIFY_SOCKET'] = path
            node.start(wait=False)
            check(told.recv(100) == b'READY=1', 'ready is told')
            check(node.get('/health')['version'], 'and true')
            check(node.stop() == 0 and told.recv(100) == b'STOPPING=1', 'and the end')
            told.close()
        if not shutil.which('systemd-analyze'):
            raise Skip('no systemd here')
        with open(node.folder + '/daizong.service', 'w') as f:
            f.write(unit.replace('/usr/bin/daizong', program('daizong')).replace('Documentation=man:daizong(1)\n', ''))
        done = sh('systemd-analyze', 'verify', '--man=no', node.folder + '/daizong.service', check_status=False)
        own = [l for l in (done.stdout + done.stderr).splitlines() if 'daizong' in l]
        check(done.returncode == 0 or not own, 'systemd takes the unit', own)
        check(not own, 'without a word', own)
