# SPDX-License-Identifier: GPL-2.0-only
"""What was measured, and the figures made of it: medians, ratios within a pair, void rows."""

import json
import os
import statistics

import scenarios
import targets

CONTROL_SPREAD_MAX = 0.01
BACK_IN_A_ROW = 3  # answers over the healed path that make a return


def arrivals(run):
    return [sent + rtt for sent, rtt in run["samples"]]


def gap_ms(run):
    """The longest time without an answer from the last one before the event on."""
    times = arrivals(run)
    begin = max((i for i, t in enumerate(times) if t <= run["event_us"]), default=0)
    times = times[begin:]
    return max((b - a for a, b in zip(times, times[1:])), default=0) / 1e3


def return_ms(run, row):
    """From healing to the first of some answers in a row whose round trip is the better path's,
    and whether it came; if not, how long it was waited for: a lower bound."""
    better, worse = sorted(p.rtt_ms for p in row.paths)
    limit_us = (better + (worse - better) / 4) * 1e3
    streak = 0
    for i, (sent, rtt) in enumerate(run["samples"]):
        streak = streak + 1 if sent >= run["heal_us"] and rtt <= limit_us else 0
        if streak == BACK_IN_A_ROW:
            first = i - BACK_IN_A_ROW + 1
            return (arrivals(run)[first] - run["heal_us"]) / 1e3, True
    return (max(arrivals(run), default=run["heal_us"]) - run["heal_us"]) / 1e3, False


class Results:
    def __init__(self, rows, plan, runs, env):
        self.rows = rows
        self.plan = plan  # (row, size, arm, pair) as planned
        self.env = env
        self.runs = runs
        self.errors = [r for r in runs if r.get("error")]
        self.good = {}
        for run in runs:
            if not run.get("error"):
                key = (run["row"], run["size"], run["arm"])
                self.good.setdefault(key, {})[run["pair"]] = run

    @classmethod
    def read(cls, folder, rows):
        def lines(name):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                return [line.rstrip("\n") for line in file if line.strip()]

        plan = []
        for line in lines("plan.tsv"):
            f = line.split("\t")
            plan.append((f[0], f[2], f[4], int(f[5])))
        runs = []
        for number, line in enumerate(lines("runs.jsonl"), 1):
            try:
                runs.append(json.loads(line))
            except ValueError as error:
                raise ValueError(f"{folder}/runs.jsonl:{number}: {error}") from error
        env = dict(line.split("\t", 1) for line in lines("env.tsv"))
        return cls(rows, plan, runs, env)

    def groups(self):
        """(row, size) in the order of the plan."""
        return list(dict.fromkeys((row, size) for row, size, _, _ in self.plan))

    def arms(self, row, size):
        order = [*self.schedulers(), "default", *scenarios.CONTROLS]
        planned = {a for r, s, a, _ in self.plan if (r, s) == (row, size)}
        return [a for a in order if a in planned]

    def schedulers(self):
        found = dict.fromkeys(a for _, _, a, _ in self.plan)
        return [a for a in found if a not in (*scenarios.CONTROLS, "default")]

    def name(self, row, size):
        """Of a row for people: with the size where there are several."""
        return row if len(self.rows[row].sizes) == 1 else f"{row} {size}"

    def missing(self):
        return [p for p in self.plan if p[3] not in self.good.get(p[:3], {})]

    # Values of single runs.

    def metric(self, run, name):
        if name == "time":
            return run["p50_ms"] / 1e3 if self.rows[run["row"]].kind == "rr" else run["seconds"]
        if name == "busy_ms_per_mb":
            return run["busy_ms"] / (run["bytes"] / 1e6)
        if name == "duplicates":
            sent = run.get("sent_bytes")
            return run["reinjected_bytes"] / sent if sent else None
        if name == "gap_ms" and "samples" in run:
            return gap_ms(run)
        if name in ("return_ms", "came_back"):
            if not run.get("heal_us"):
                return None
            return return_ms(run, self.rows[run["row"]])[name == "came_back"]
        return run.get(name)

    def values(self, row, size, arm, name):
        """By pair."""
        runs = self.good.get((row, size, arm), {})
        found = {pair: self.metric(run, name) for pair, run in runs.items()}
        return {pair: v for pair, v in found.items() if v is not None}

    def median(self, row, size, arm, name):
        found = self.values(row, size, arm, name).values()
        return statistics.median(found) if found else None

    def ratio(self, row, size, arm, reference, name):
        """Median of the ratios within each pair. A reference that is measured in fewer pairs on
        purpose stands for the others with its median; None without anything to compare."""
        mine = self.values(row, size, arm, name)
        theirs = self.values(row, size, reference, name)
        if not mine or not theirs:
            return None
        middle = statistics.median(theirs.values())
        pairs = [v / theirs.get(pair, middle) for pair, v in mine.items() if middle]
        return statistics.median(pairs) if pairs else None

    def best_control(self, row, size):
        medians = {a: self.median(row, size, a, "time") for a in scenarios.CONTROLS}
        found = [a for a in medians if medians[a] is not None]
        return min(found, key=medians.get, default=None)

    # Figures that targets name.

    def time_to_best(self, row, size, arm, name="time"):
        best = self.best_control(row, size)
        return self.ratio(row, size, arm, best, name) if best else None

    def p95_to_best(self, row, size, arm):
        return self.time_to_best(row, size, arm, "p95_ms")

    def goodput_to_default(self, row, size, arm):
        return self.ratio(row, size, arm, "default", "mbit_s")

    def time_to_default(self, row, size, arm):
        return self.ratio(row, size, arm, "default", "time")

    def cpu_to_default(self, row, size, arm):
        return self.ratio(row, size, arm, "default", "busy_ms_per_mb")

    def goodput_to_sum(self, row, size, arm):
        controls = [self.median(row, size, a, "mbit_s") for a in scenarios.CONTROLS]
        mine = self.median(row, size, arm, "mbit_s")
        return mine / sum(controls) if mine and all(controls) else None

    def gap_ms(self, row, size, arm):
        return self.median(row, size, arm, "gap_ms")

    def return_ms(self, row, size, arm):
        return self.median(row, size, arm, "return_ms")

    def duplicates(self, row, size, arm):
        return self.median(row, size, arm, "duplicates")

    def decision_ratio(self, row, size, arm):
        return self.ratio(row, size, arm, scenarios.REFERENCE, "decision_ns")

    # Whether what was measured can be relied on.

    def spread(self, row, size, arm):
        """How far apart a control's runs lie, as a share of the median: of all of them, from four
        on of the middle half, which one hiccup of the machine does not widen."""
        found = sorted(self.values(row, size, arm, "time").values())
        if len(found) < 2:
            return 0.0
        if len(found) < 4:
            width = found[-1] - found[0]
        else:
            low, _, high = statistics.quantiles(found, n=4, method="inclusive")
            width = high - low
        return width / statistics.median(found)

    def void(self, row, size):
        """Why nothing may be concluded from a row, or ""."""
        for i, arm in enumerate(scenarios.CONTROLS):
            if not self.rows[row].paths or self.rows[row].paths[i].loss:
                continue
            spread = self.spread(row, size, arm)
            if spread > CONTROL_SPREAD_MAX:
                return (
                    f"{row} {size} is void: the control {arm}, on a path without loss, spreads "
                    f"{spread:.1%} (at most {CONTROL_SPREAD_MAX:.0%})"
                )
        return ""

    def unlike(self, row, size):
        """Controls that took what their path cannot explain: [reason]."""
        out = []
        for arm, path in zip(scenarios.CONTROLS, self.rows[row].paths):
            got = self.median(row, size, arm, "time")
            want = path.seconds(scenarios.in_bytes(size))
            if self.rows[row].kind == "rr":
                # Warm: no slow start for an answer of a few packets.
                want = path.rtt_ms / 1e3 + scenarios.in_bytes(size) * 8e-6 / path.mbit
            least = max(path.rtt_ms / 1e3, scenarios.in_bytes(size) * 8e-6 / path.mbit)
            most = want * 1.5 + 0.05
            if got is not None and (got < least or (got > most and not path.loss)):
                out.append(
                    f"{row} {size} {arm} took {got:.3f} s, expected {least:.3f} to {most:.3f}: "
                    "the network is not as described"
                )
        return out

    def insane(self):
        """Runs that do not show what they should: [reason]."""
        out = []
        for run in self.runs:
            name = "{row} {size} {arm}, pair {pair}".format(**run)
            if run.get("error"):
                out.append(f"{name}: {run['error']}")
            elif not run["ok"]:
                out.append(f"{name}: the bytes that arrived are not the ones sent")
            elif run["arm"] in scenarios.CONTROLS:
                continue
            elif not run["mptcp"] or (run["subflows"] < 2 and run["row"] != "H1"):
                out.append(f"{name}: not MPTCP over two subflows")
        return out

    # Verdicts.

    def judge(self, target, arm):
        """[(row, size, value, "reached" | "missed" | "void" | "not measured", reason)]."""
        out = []
        for row, size in self.groups():
            if row not in target.rows or (target.size and size not in (target.size, "auto")):
                continue
            value = getattr(self, target.figure)(row, size, arm)
            void = self.void(row, size)
            if value is None:
                verdict, why = "not measured", f"{row} {size}: nothing to compare {arm} with"
            elif void:
                verdict, why = "void", void
            elif target.holds(value):
                verdict, why = "reached", ""
            else:
                verdict = "missed"
                why = f"{row} {size}: {arm} {value:.3f}, wanted {target.limit()}"
            out.append((row, size, value, verdict, why))
        return out

    def verdicts(self):
        """[(arm, target, judgements)] of all that this measurement has rows for."""
        found = [
            (arm, target, self.judge(target, arm))
            for arm in self.schedulers()
            for target in targets.of(arm)
        ]
        return [v for v in found if v[2]]
