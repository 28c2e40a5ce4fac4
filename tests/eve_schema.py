# SPDX-License-Identifier: Apache-2.0
"""Checks event lines against schema/eve.json. Used by every suite that runs the sensor.

The validator is compiled (PyPI jsonschema-rs), so that each of millions of events can be checked; it
lives in build/venv-schema and is brought there when first asked for.
"""
import fcntl, glob, json, os, subprocess, sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
VENV = os.path.join(ROOT, "build/venv-schema")
PINNED = "jsonschema-rs==0.61.0"
SCHEMA = os.path.join(ROOT, "schema/eve.json")


def bring():
    """The validator's module, installed below build/ if it is not there."""
    os.makedirs(VENV, exist_ok=True)
    with open(os.path.join(ROOT, "build/venv-schema.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = os.path.join(VENV, "pinned")
        if not os.path.exists(mark) or open(mark).read() != PINNED:
            subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
            subprocess.run([VENV + "/bin/pip", "install", "--quiet", PINNED], check=True)
            with open(mark, "w") as f:
                f.write(PINNED)
    sys.path[:0] = glob.glob(VENV + "/lib/python3*/site-packages")
    import jsonschema_rs
    return jsonschema_rs


def no_doubles(pairs):
    """An object's members; a name that stands twice is an error, which json alone passes over."""
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [k for k, _ in pairs]
        raise ValueError(f"a member stands twice: {[k for k in members if names.count(k) > 1]}")
    return members


class Checker:
    """Counts the lines it saw and keeps the first of each kind of fault, at most `keep` kinds."""

    def __init__(self, keep=40):
        with open(SCHEMA) as f:
            self.validator = bring().validator_for(json.load(f))
        self.keep, self.seen, self.wrong, self.kinds, self.types = keep, 0, 0, {}, {}

    def line(self, line, where=""):
        """Checks one line (bytes or text). True when it is well-formed and valid."""
        self.seen += 1
        try:
            event = json.loads(line, object_pairs_hook=no_doubles)
        except ValueError as e:
            return self.fault(where, f"not JSON: {e}", line)
        if self.validator.is_valid(event):
            kind = event["event_type"]
            self.types[kind] = self.types.get(kind, 0) + 1
            return True
        e = next(iter(self.validator.iter_errors(event)))
        path = "/".join("*" if isinstance(p, int) else str(p) for p in e.instance_path)
        kind = event.get("event_type") if isinstance(event, dict) else None
        what = f"{path or 'event'}: {e.message[:200]}"
        return self.fault(where, what, line, (kind, path, what if not path else ""))

    def fault(self, where, what, line, kind=None):
        self.wrong += 1
        kind = kind or what
        text = line if isinstance(line, str) else line.decode("utf-8", "replace")
        if kind in self.kinds:
            self.kinds[kind][1] += 1
        elif len(self.kinds) < self.keep:
            self.kinds[kind] = [f"{where}: {what}: {text[:400].rstrip()}", 1]
        return False

    @property
    def faults(self):
        return [f"{n} times, first {text}" for text, n in self.kinds.values()]

    def file(self, path, where=None):
        """Checks all lines of a file; returns its events."""
        with open(path, "rb") as f:
            lines = f.read().splitlines()
        for i, line in enumerate(lines):
            self.line(line, f"{where or path}:{i + 1}")
        return [json.loads(line) for line in lines]


def main():
    """usage: tests/eve_schema.py FILE...    (checks event files; - is standard input)"""
    checker = Checker()
    for path in sys.argv[1:] or ["-"]:
        for i, line in enumerate(sys.stdin.buffer if path == "-" else open(path, "rb")):
            checker.line(line, f"{path}:{i + 1}")
    print("\n".join(checker.faults))
    print(f"{checker.seen - checker.wrong} valid, {checker.wrong} not")
    return checker.wrong != 0 or checker.seen == 0


if __name__ == "__main__":
    sys.exit(main())
