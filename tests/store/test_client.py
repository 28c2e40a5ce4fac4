# SPDX-License-Identifier: Apache-2.0
"""The node's store client over the Unix socket and over TCP: the same answers."""
import subprocess

from harness import Store, check, program
from test_ingest import feed, lines


def test_client():
    with Store(writable=True) as s:
        feed(s, '\n'.join(lines(4000)) + '\n', '--drain', '30000')
        for url in (f'unix:{s.socket}', f'http://127.0.0.1:{s.port}'):
            p = subprocess.run([program('ask', 'tests/store'), url], capture_output=True, text=True, timeout=60)
            for line in p.stdout.splitlines():
                if not line.startswith('#'):
                    check(line.startswith('ok'), f'{url}: {line}\n{p.stdout}')
            check(p.returncode == 0 and 'goes on' in p.stdout, p.stderr)
