#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the C file that holds the state's migrations: embed_sql.py OUT.c FILE.sql..."""
import os
import re
import sys

out, files = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
lines = ['/* Made by src/store/embed_sql.py. */', '#include "store/migrations.h"', '',
         'const struct migration migrations[] = {']
for number, path in enumerate(files, 1):
    name = os.path.basename(path)
    match = re.fullmatch(r'(\d{4})_[a-z0-9_]+\.sql', name)
    if not match or int(match.group(1)) != number:
        sys.exit(f'{path}: migrations are NNNN_name.sql without a gap, expected {number:04d}_')
    lines.append(f'    {{{number}, "{name}",')
    with open(path, encoding='utf-8') as f:
        for line in f.read().splitlines():
            text = line.replace('\\', '\\\\').replace('"', '\\"')
            lines.append(f'     "{text}\\n"')
    lines.append('    },')
lines += ['};', f'const size_t migrations_n = {len(files)};', '']
with open(out, 'w', encoding='utf-8') as f:
    f.write('\n'.join(lines))
