#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the C file that holds rules/advice.json: embed_advice.py OUT.c advice.json"""
import json
import sys

out, source = sys.argv[1:]
with open(source, encoding='utf-8') as f:
    text = f.read()
json.loads(text)
lines = ['/* Made by src/api/embed_advice.py. */', '#include "api/advice.h"', '', 'const char advice_shipped[] =']
for line in text.splitlines():
    escaped = line.replace('\\', '\\\\').replace('"', '\\"').replace('??', '?\\?')
    lines.append(f'    "{escaped}\\n"')
with open(out, 'w', encoding='utf-8') as f:
    f.write('\n'.join(lines) + ';\n')
