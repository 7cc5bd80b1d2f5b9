#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Plans the measurement of tests/bench/run and turns its runs into verdicts and pages.

report.py estimate [OPTIONS]     seconds that the measurement will take
report.py plan DIR [OPTIONS]     writes plan.tsv (runs in order) and rows.tsv, says what is left out
report.py check WHAT DIR         complete, controls or sane; exit 1 and the reasons if not
report.py verdicts DIR           a line for each target: arm, id, title
report.py judge ARM ID DIR       exit 1 and the reasons if missed, 77 if nothing can be said
report.py void DIR               the void rows, with the reason
report.py table DIR
report.py write DIR              results.json, bench.html, bench.svg

A folder holds plan.tsv, runs.jsonl (a line a run) and env.tsv (kernel, date and the like).
"""

import argparse
import json
import sys

import chart
import page
import scenarios
from results import Results


def options(argv):
    p = argparse.ArgumentParser(prog="report.py", add_help=False)
    p.add_argument("--rows", default="")
    p.add_argument("--sizes", default="")
    p.add_argument("--schedulers", default="")
    p.add_argument("--pairs", type=int, default=10)
    p.add_argument("--virtual", action="store_true")
    p.add_argument("--count", type=int, default=100)
    p.add_argument("--bulk-seconds", type=float, default=3)
    return p.parse_args(argv)


def make_plan(rows, argv):
    o = options(argv)
    schedulers = [s for s in o.schedulers.split(",") if s]
    plan = scenarios.Plan(schedulers, o.pairs, o.count, o.bulk_seconds, o.virtual)
    for row in scenarios.select(rows, o.rows):
        plan.add(row, [s for s in o.sizes.split(",") if s])
    if not plan.runs:
        raise ValueError("these rows, sizes and schedulers leave nothing to measure")
    return plan


def clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"


def estimates(plan, rows):
    """Seconds by row."""
    out = {}
    for run in plan.runs:
        out.setdefault(run.row, scenarios.SHAPING_S)
        out[run.row] += plan.cost(run, rows[run.row])
    return out


def total(seconds):
    return sum(seconds.values()) + scenarios.AROUND_S


def write_plan(folder, plan, rows):
    seconds = estimates(plan, rows)
    with open(f"{folder}/plan.tsv", "w", encoding="utf-8") as out:
        for run in plan.runs:
            # All arms of a pair meet the same losses; another pair meets others.
            out.write(run.line(1 + run.pair) + "\n")
    with open(f"{folder}/rows.tsv", "w", encoding="utf-8") as out:
        for row in seconds:
            count = sum(r.row == row for r in plan.runs)
            shape = [f"{p.mbit:g} {p.rtt_ms:g} {p.queue} {p.loss:g}" for p in rows[row].paths]
            fields = [row, rows[row].kind, rows[row].event, str(count), f"{seconds[row]:.0f}"]
            out.write("\t".join(fields + (shape or ["-", "-"]) + [rows[row].title]) + "\n")
    for note in plan.notes:
        print(f"note: {note}")
    for row, spent in seconds.items():
        print(f"plan: {row:9} about {clock(spent):>6}  {rows[row].title}")
    print(f"plan: {len(plan.runs)} runs, about {clock(total(seconds))} in all")


def check(what, results):
    if what == "complete":
        return [f"{r} {s} {a}, pair {p}: planned, not measured" for r, s, a, p in results.missing()]
    if what == "controls":
        return [why for row, size in results.groups() for why in results.unlike(row, size)]
    if what == "sane":
        return results.insane()
    raise ValueError(f"nothing to check is called {what}")


def judge(arm, ident, results):
    for owner, target, judged in results.verdicts():
        if (owner, target.id) != (arm, ident):
            continue
        for row, size, value, verdict, why in judged:
            shown = "-" if value is None else f"{value:.3f}"
            print(f"{row} {size}: {shown} ({target.limit()}): {verdict} {why}".rstrip())
        verdicts = {j[3] for j in judged}
        if "missed" in verdicts:
            return 1
        return 0 if verdicts == {"reached"} else 77
    print(f"{arm} has no target {ident} in this measurement")
    return 1


SHOWN = {
    "get": (("seconds", "s"), ("mbit_s", "Mbit/s"), ("duplicates", "dup/sent")),
    "rr": (("p50_ms", "ms p50"), ("p95_ms", "ms p95"), ("p99_ms", "ms p99")),
    "handover": (("gap_ms", "ms gap"), ("return_ms", "ms return")),
    "bulk": (("mbit_s", "Mbit/s"), ("busy_ms_per_mb", "cpu ms/MB"), ("duplicates", "dup/sent")),
    "decision": (("decision_ns", "ns"),),
}


# Figures that need more than the runs of one arm.
DERIVED = {"get": (("goodput_to_sum", "÷ sum"),), "decision": (("decision_ratio", "÷ minrtt"),)}


def derived(results, row, size, arm):
    if arm in scenarios.CONTROLS:
        return []
    out = []
    for name, unit in DERIVED.get(results.rows[row].kind, ()):
        value = getattr(results, name)(row, size, arm)
        if value is not None:
            entry = {"row": row, "size": size, "arm": arm, "figure": name, "unit": unit}
            out.append(entry | {"median": value, "to_best_tcp": None, "to_default": None})
    return out


def summary(results):
    """A dict for each row, size, arm and figure."""
    out = []
    for row, size in results.groups():
        for arm in results.arms(row, size):
            for name, unit in SHOWN[results.rows[row].kind]:
                middle = results.median(row, size, arm, name)
                if middle is None:
                    continue
                best = results.best_control(row, size)
                entry = {"row": row, "size": size, "arm": arm, "figure": name, "unit": unit}
                entry["median"] = middle
                entry["to_best_tcp"] = results.ratio(row, size, arm, best, name) if best else None
                entry["to_default"] = results.ratio(row, size, arm, "default", name)
                entry["note"] = ""
                if name == "return_ms":
                    back = list(results.values(row, size, arm, "came_back").values())
                    entry["note"] = f"came back in {sum(back)} of {len(back)}"
                out.append(entry)
            out += [e | {"note": ""} for e in derived(results, row, size, arm)]
    return out


def table(results):
    def ratio(value):
        return "" if value is None else f"{value:.2f}"

    print(f"\n{'row':15}{'arm':13}{'median':>10} {'':9}{'÷ best TCP':>11}{'÷ default':>11}")
    before = ""
    for e in summary(results):
        name = results.name(e["row"], e["size"])
        if before and name != before:
            print()
        before = name
        void = f"{name} void" if results.void(e["row"], e["size"]) else name
        digits = 4 if e["figure"] == "duplicates" else 2 if e["median"] < 100 else 0
        print(
            f"{void:15}{e['arm']:13}{e['median']:10.{digits}f} {e['unit']:9}"
            f"{ratio(e['to_best_tcp']):>11}{ratio(e['to_default']):>11}  {e['note']}".rstrip()
        )
    print()
    for arm, target, judged in results.verdicts():
        worst = page.worst(target, judged)
        print(f"{arm:10} {target.title:46} {target.limit():>10}  {page.verdict_words(results, worst)}")
    print()


def write(folder, results):
    document = {
        "env": results.env,
        "missing": results.missing(),
        "void": [why for g in results.groups() for why in [results.void(*g)] if why],
        "verdicts": [
            {"scheduler": arm, "target": t.id, "title": t.title, "limit": t.limit(), "rows": judged}
            for arm, t, judged in results.verdicts()
        ],
        "medians": summary(results),
        "runs": results.runs,
    }
    with open(f"{folder}/results.json", "w", encoding="utf-8") as out:
        json.dump(document, out, indent=1)
        out.write("\n")
    with open(f"{folder}/bench.html", "w", encoding="utf-8") as out:
        out.write(page.html(results, summary(results)))
    with open(f"{folder}/bench.svg", "w", encoding="utf-8") as out:
        out.write(chart.overview(results))


def main(argv):
    rows = scenarios.load()
    verb = argv[0] if argv else ""
    if verb == "estimate":
        print(round(total(estimates(make_plan(rows, argv[1:]), rows))))
        return 0
    if verb == "plan" and len(argv) > 1:
        write_plan(argv[1], make_plan(rows, argv[2:]), rows)
        return 0
    if not (verb, len(argv)) in {
        ("check", 3),
        ("verdicts", 2),
        ("judge", 4),
        ("void", 2),
        ("table", 2),
        ("write", 2),
    }:
        print(__doc__, file=sys.stderr)
        return 2
    results = Results.read(argv[-1], rows)
    if verb == "check":
        reasons = check(argv[1], results)
        print("\n".join(reasons))
        return 1 if reasons else 0
    if verb == "judge":
        return judge(argv[1], argv[2], results)
    if verb == "verdicts":
        for arm, target, _ in results.verdicts():
            print(f"{arm}\t{target.id}\t{target.title} {target.limit()}")
    elif verb == "void":
        for why in (results.void(*g) for g in results.groups()):
            if why:
                print(why)
    elif verb == "table":
        table(results)
    else:
        write(argv[-1], results)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ValueError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)
