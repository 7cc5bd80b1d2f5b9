#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Turns the runs of tests/bench/run into verdicts, a table, JSON and an SVG chart.

report.py check WHAT RUNS     exit 1 and the reason if it does not hold
report.py table RUNS
report.py write DIR KERNEL SCHEDULER < RUNS
"""

import json
import statistics
import sys

ARMS = ["scheduler", "default", "tcp-wifi", "tcp-lte"]
GOODPUT_MIN, CPU_MAX, R1_MAX = 0.97, 1.05, 1.1
CONTROL_SPREAD_MAX = 0.01
BASE_RTT_MS = {"tcp-wifi": 200, "tcp-lte": 40}


def read(lines):
    return [json.loads(line) for line in lines]


def values(runs, test, arm, key):
    """One value a pair, by pair."""
    out = {}
    for run in runs:
        if run["test"] == test and run["arm"] == arm:
            if key == "busy_ms_per_mb":
                out[run["pair"]] = run["busy_ms"] / (run["bytes"] / 1e6)
            else:
                out[run["pair"]] = run[key]
    return out


def ratio(runs, test, key, arm, reference):
    """Median of the ratios within each pair; None without a complete pair."""
    a, b = values(runs, test, arm, key), values(runs, test, reference, key)
    pairs = [a[i] / b[i] for i in a if i in b and b[i]]
    return statistics.median(pairs) if pairs else None


def median(runs, test, arm, key):
    found = values(runs, test, arm, key).values()
    return statistics.median(found) if found else None


def spread(runs, arm):
    """How far apart the control's medians lie, as a share of the middle one."""
    found = list(values(runs, "R1", arm, "p50_ms").values())
    return (max(found) - min(found)) / statistics.median(found) if found else None


def best_tcp(runs):
    medians = {a: median(runs, "R1", a, "p50_ms") for a in BASE_RTT_MS}
    return min((a for a in medians if medians[a] is not None), key=medians.get, default=None)


def ratios(runs):
    best = best_tcp(runs)
    out = {
        "bulk goodput, scheduler / default": ratio(runs, "bulk", "mbit_s", "scheduler", "default"),
        "bulk CPU a MB, scheduler / default": ratio(
            runs, "bulk", "busy_ms_per_mb", "scheduler", "default"
        ),
    }
    if best:
        for arm in ("scheduler", "default"):
            out[f"R1 p50, {arm} / best TCP"] = ratio(runs, "R1", "p50_ms", arm, best)
    return out


def check_sane(runs):
    bulk = [r for r in runs if r["test"] == "bulk"]
    bad = [r for r in bulk if not (r["ok"] and r["mptcp"] and r["subflows"] >= 2)]
    if not bulk:
        return "no bulk run was recorded"
    return f"not MPTCP over two subflows: {bad[0]}" if bad else ""


def check_controls(runs):
    for arm, rtt in BASE_RTT_MS.items():
        p50 = median(runs, "R1", arm, "p50_ms")
        if p50 is None or not rtt <= p50 <= 1.25 * rtt + 10:
            return f"{arm} took {p50} ms on a path of {rtt} ms: the network is not as described"
        if len(values(runs, "R1", arm, "p50_ms")) > 2 and spread(runs, arm) > CONTROL_SPREAD_MAX:
            return f"{arm} spreads {spread(runs, arm):.1%} (at most 1 %): this run is void"
    return ""


def check_limit(name, value, low=None, high=None):
    if value is None:
        return f"{name}: no complete pair"
    print(f"{name}: {value:.3f}")
    if (low is not None and value < low) or (high is not None and value > high):
        return f"{name} is {value:.3f}, wanted {'at least' if low else 'at most'} {low or high}"
    return ""


def check(what, runs):
    got = ratios(runs)
    if what == "bulk-sane":
        return check_sane(runs)
    if what == "controls":
        return check_controls(runs)
    name, low, high = {
        "goodput": ("bulk goodput, scheduler / default", GOODPUT_MIN, None),
        "cpu": ("bulk CPU a MB, scheduler / default", None, CPU_MAX),
        "r1": ("R1 p50, scheduler / best TCP", None, R1_MAX),
    }[what]
    return check_limit(name, got.get(name), low, high)


def summary(runs):
    rows = []
    for test, keys in (
        ("bulk", ["mbit_s", "busy_ms_per_mb"]),
        ("R1", ["p50_ms", "p95_ms", "p99_ms"]),
    ):
        for arm in ARMS:
            for key in keys:
                middle = median(runs, test, arm, key)
                if middle is not None:
                    rows.append({"test": test, "arm": arm, "what": key, "median": middle})
    return rows


def table(runs):
    print(f"\n{'test':6}{'arm':12}{'what':18}{'median':>10}")
    for row in summary(runs):
        print(f"{row['test']:6}{row['arm']:12}{row['what']:18}{row['median']:10.3f}")
    print()
    for name, value in ratios(runs).items():
        if value is not None:
            print(f"{name:40}{value:8.3f}")
    print()


def bars(title, data, top):
    """One group of horizontal bars: lines of SVG and the y below them."""
    out = [f'<text class="t" x="20" y="{top}">{title}</text>']
    longest = max((v for _, v in data), default=0) or 1
    y = top + 12
    for i, (name, value) in enumerate(data):
        width = max(1, 360 * value / longest)
        out.append(f'<text x="110" y="{y + 13}" text-anchor="end">{name}</text>')
        out.append(f'<rect class="b{i}" x="120" y="{y}" width="{width:.1f}" height="18" rx="2"/>')
        out.append(f'<text x="{126 + width:.1f}" y="{y + 13}">{value:.2f}</text>')
        y += 24
    return out, y + 26


def svg(runs, kernel, scheduler):
    groups = [
        ("bulk", "mbit_s", "Bulk over unshaped veth, Mbit/s (more is better)"),
        ("bulk", "busy_ms_per_mb", "CPU time of the whole machine, ms per MB (less is better)"),
        ("R1", "p50_ms", "R1 request/response, p50 ms (less is better)"),
        ("R1", "p99_ms", "R1 request/response, p99 ms (less is better)"),
    ]
    body, y = [], 60
    for test, key, title in groups:
        data = [(a, median(runs, test, a, key)) for a in ARMS]
        data = [(scheduler if a == "scheduler" else a, v) for a, v in data if v is not None]
        if data:
            lines, y = bars(title, data, y)
            body += lines
    style = (
        "text{font:12px sans-serif;fill:#222}.t{font-weight:bold}.h{font-size:15px}"
        ".b0{fill:#2a6f97}.b1{fill:#a9a9a9}.b2{fill:#e0b070}.b3{fill:#c98b3a}"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="580" height="{y}">'
    return "\n".join(
        [head, f"<style>{style}</style>", '<rect width="100%" height="100%" fill="#fff"/>']
        + [f'<text class="h" x="20" y="28">{scheduler} on Linux {kernel}, cubic</text>']
        + body
        + ["</svg>", ""]
    )


def write(folder, kernel, scheduler, runs):
    result = {
        "kernel": kernel,
        "scheduler": scheduler,
        "congestion_control": "cubic",
        "pairs": 1 + max((r["pair"] for r in runs), default=-1),
        "ratios": ratios(runs),
        "control_spread": {a: spread(runs, a) for a in BASE_RTT_MS},
        "medians": summary(runs),
        "runs": runs,
    }
    with open(f"{folder}/results.json", "w", encoding="utf-8") as out:
        json.dump(result, out, indent=1)
        out.write("\n")
    with open(f"{folder}/bench.svg", "w", encoding="utf-8") as out:
        out.write(svg(runs, kernel, scheduler))


def main(argv):
    if len(argv) == 3 and argv[0] == "check":
        with open(argv[2], encoding="utf-8") as lines:
            reason = check(argv[1], read(lines))
        if reason:
            print(reason)
        return 1 if reason else 0
    if len(argv) == 2 and argv[0] == "table":
        with open(argv[1], encoding="utf-8") as lines:
            table(read(lines))
        return 0
    if len(argv) == 4 and argv[0] == "write":
        write(argv[1], argv[2], argv[3], read(sys.stdin))
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
