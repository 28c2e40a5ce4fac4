#!/usr/bin/env python3
"""What the sensor costs: CPU seconds of the whole process, user and system, as a ratio to
`gzip -1 -c` on the same capture in the same run; medians of several runs.

The capture is composed by make-mix out of the shared corpus, the rules are its Emerging Threats
set of 2024-09; both are looked for in DAIZONG_CORPUS or ../shared beside the checkout.

usage: bench/sensor.py [--runs N]
"""
import argparse, gzip, json, os, resource, statistics, subprocess, sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
SHARED = os.environ.get("DAIZONG_CORPUS") or os.path.join(ROOT, "../shared")
SENSOR = os.path.join(ROOT, "build/release/daizong-sensor")
OUT = os.path.join(ROOT, "build/bench")


def cpu(command):
    """CPU seconds and peak resident MB of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode:
        sys.exit(f"bench: {' '.join(command)}: exit {p.returncode}")
    del before
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--runs", type=int, default=5)
    a = ap.parse_args()
    if not os.path.isdir(os.path.join(SHARED, "corpus")):
        print("bench: no shared corpus: skipped")
        return 0
    os.makedirs(OUT, exist_ok=True)
    mix, rules, cache = (os.path.join(OUT, n) for n in ("mix.pcap", "et.rules", "cache"))
    if not os.path.exists(mix):
        subprocess.run([os.path.join(SHARED, "tools/make-mix"), mix], check=True)
    with gzip.open(os.path.join(SHARED, "corpus/rules/et-open-2024-09.rules.gz")) as f:
        open(rules, "wb").write(f.read())
    os.makedirs(cache, exist_ok=True)
    base = [SENSOR, "-k", "none", "-l", OUT, "-r", mix]
    cached = ["--set", f"detect.sgh-mpm-caching-path={cache}"]
    cpu([SENSOR, "-T", "-S", rules, *cached])
    rows = {"no rules": [], "ET rules, start-up apart": [], "start-up, s CPU": [],
            "start-up from the cache, s CPU": [], "resident with ET rules, MB": [],
            "resident from the cache, MB": []}
    for _ in range(a.runs):
        unit, _ = cpu(["gzip", "-1", "-c", mix])
        plain, _ = cpu([*base, "--disable-detection"])
        start, _ = cpu([SENSOR, "-T", "-S", rules])
        warm, _ = cpu([SENSOR, "-T", "-S", rules, *cached])
        whole, resident = cpu([*base, "-S", rules])
        _, small = cpu([*base, "-S", rules, *cached])
        for name, value in zip(rows, (plain / unit, (whole - start) / unit, start, warm, resident,
                                      small)):
            rows[name].append(value)
    print(f"| figure | median of {a.runs} | least | most |\n|---|--:|--:|--:|")
    for name, values in rows.items():
        print(f"| {name} | {statistics.median(values):.3g} | {min(values):.3g} | {max(values):.3g} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
