# SPDX-License-Identifier: Apache-2.0
"""Runs the node's test modules and closes with the count."""
import glob
import importlib
import os
import sys

import harness

here = os.path.dirname(os.path.abspath(__file__))
names = sys.argv[1:] or sorted(os.path.basename(p)[:-3] for p in glob.glob(os.path.join(here, 'test_*.py')))
for name in names:
    module, _, one = name.partition('.')
    harness.run_tests(importlib.import_module(module), one)
print(f'{harness.passed} passed, {harness.failed} failed, {harness.skipped} skipped')
sys.exit(1 if harness.failed or not harness.passed else 0)
