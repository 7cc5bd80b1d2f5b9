#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Feeds recorded runs to the report: what is void, missing or over a limit must be said."""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
import xml.dom.minidom

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import report
import scenarios
import targets
from results import Results, gap_ms, return_ms

ROWS = scenarios.load()
ARMS = ("pmctl", "minrtt", "default", "tcp-wifi", "tcp-lte")
# Seconds of S1 256k and p50 of R3, by arm; both within every limit.
GOOD = {
    "S1": {"pmctl": 0.20, "minrtt": 0.21, "default": 0.22, "tcp-wifi": 0.30, "tcp-lte": 0.30},
    "R3": {"pmctl": 43.0, "minrtt": 44.0, "default": 45.0, "tcp-wifi": 46.0, "tcp-lte": 43.0},
}


def line(row, arm, pair, value, **more):
    size = {"S1": "256k", "R3": "1400"}.get(row, "auto")
    run = {"row": row, "size": size, "arm": arm, "pair": pair, "ok": True, "error": ""}
    run |= {"mptcp": not arm.startswith("tcp-"), "subflows": 2, "bytes": 262144, "busy_ms": 100}
    if row == "S1":
        run |= {"seconds": value, "mbit_s": 2.1 / value}
    elif row == "R3":
        run |= {"seconds": 10, "p50_ms": value, "p95_ms": value + 2, "p99_ms": value + 4}
    elif row == "bulk":
        run |= {"seconds": 1, "mbit_s": value}
    return run | more


def good_runs(pairs=4):
    return [
        line(row, arm, pair, value)
        for row, arms in GOOD.items()
        for pair in range(pairs)
        for arm, value in arms.items()
    ]


def plan_of(runs):
    return [(r["row"], r["size"], r["arm"], r["pair"]) for r in runs]


def results(runs, plan=None):
    return Results(ROWS, plan or plan_of(runs), runs, {"kernel": "test"})


def change(runs, row, arm, pair, **values):
    for run in runs:
        if (run["row"], run["arm"], run["pair"]) == (row, arm, pair):
            run.update(values)


def quietly(function, *arguments):
    """What it returned and what it printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = function(*arguments)
    return code, out.getvalue()


class Judged(unittest.TestCase):
    def test_good_runs_reach_everything(self):
        found = results(good_runs())
        self.assertEqual(found.missing(), [])
        self.assertEqual(found.insane(), [])
        verdicts = {j[3] for _, _, judged in found.verdicts() for j in judged}
        self.assertEqual(verdicts, {"reached"})
        self.assertEqual(quietly(report.judge, "pmctl", "best-path", found)[0], 0)

    def test_row_over_the_limit(self):
        runs = good_runs()
        for pair in range(4):
            change(runs, "S1", "pmctl", pair, seconds=0.33)
        code, said = quietly(report.judge, "pmctl", "best-path", results(runs))
        self.assertEqual(code, 1)
        self.assertIn("S1 256k: 1.100 (≤ 1.05): missed", said)
        self.assertIn("R3 1400: 1.000 (≤ 1.05): reached", said)

    def test_tail_over_the_limit(self):
        runs = good_runs()
        for pair in range(4):
            change(runs, "R3", "pmctl", pair, p95_ms=90.0)
        code, said = quietly(report.judge, "pmctl", "tail", results(runs))
        self.assertEqual(code, 1)
        self.assertIn("missed", said)

    def test_one_bad_pair_does_not_decide(self):
        runs = good_runs()
        change(runs, "S1", "pmctl", 2, seconds=3.0)
        self.assertEqual(quietly(report.judge, "pmctl", "best-path", results(runs))[0], 0)

    def test_void_control(self):
        runs = good_runs()
        for pair, seconds in enumerate((0.30, 0.31, 0.29, 0.32)):
            change(runs, "S1", "tcp-lte", pair, seconds=seconds)
        found = results(runs)
        self.assertIn("S1 256k is void: the control tcp-lte", found.void("S1", "256k"))
        self.assertEqual(found.void("R3", "1400"), "")
        code, said = quietly(report.judge, "pmctl", "best-path", found)
        self.assertEqual(code, 77)
        self.assertIn("void", said)

    def test_lossy_control_may_spread(self):
        runs = good_runs()
        for pair in range(4):
            change(runs, "R3", "tcp-wifi", pair, p50_ms=46.0 + 5 * pair)
        self.assertEqual(results(runs).void("R3", "1400"), "")

    def test_few_runs_are_judged_by_their_extremes(self):
        runs = good_runs(2)
        change(runs, "S1", "tcp-wifi", 1, seconds=0.304)
        self.assertIn("1.3%", results(runs).void("S1", "256k"))

    def test_missing_pair(self):
        runs = good_runs()
        plan = plan_of(runs)
        runs = [r for r in runs if (r["row"], r["arm"], r["pair"]) != ("S1", "minrtt", 3)]
        self.assertEqual(
            report.check("complete", results(runs, plan)),
            ["S1 256k minrtt, pair 3: planned, not measured"],
        )

    def test_failed_run_is_missing_and_named(self):
        runs = good_runs()
        change(runs, "S1", "pmctl", 0, error="Connection timed out")
        found = results(runs)
        self.assertEqual(found.missing(), [("S1", "256k", "pmctl", 0)])
        self.assertIn("Connection timed out", found.insane()[0])

    def test_wrong_bytes_and_lost_subflow(self):
        runs = good_runs()
        change(runs, "S1", "pmctl", 0, ok=False)
        change(runs, "S1", "minrtt", 1, subflows=1)
        self.assertEqual(len(results(runs).insane()), 2)

    def test_control_unlike_its_path(self):
        runs = good_runs()
        for pair in range(4):
            change(runs, "S1", "tcp-wifi", pair, seconds=0.1)
        self.assertIn("not as described", report.check("controls", results(runs))[0])

    def test_best_path_not_measured(self):
        runs = [r for r in good_runs() if not r["arm"].startswith("tcp-")]
        self.assertEqual(quietly(report.judge, "pmctl", "best-path", results(runs))[0], 77)

    def test_sum_of_the_paths(self):
        found = results(good_runs())
        # 2.1 Mbit in 0.2 s against twice the same in 0.3 s.
        self.assertAlmostEqual(found.goodput_to_sum("S1", "256k", "pmctl"), 0.75)
        shown = [e["arm"] for e in report.summary(found) if e["figure"] == "goodput_to_sum"]
        self.assertEqual(shown, ["pmctl", "minrtt", "default"])

    def test_duplicates(self):
        runs = [line("bulk", a, p, 100) for a in ("pmctl", "default") for p in range(2)]
        for pair in range(2):
            change(runs, "bulk", "pmctl", pair, sent_bytes=1000000, reinjected_bytes=20000)
        self.assertEqual(quietly(report.judge, "pmctl", "duplicates", results(runs))[0], 1)
        self.assertEqual(quietly(report.judge, "pmctl", "goodput", results(runs))[0], 0)

    def test_decision_against_the_reference(self):
        runs = [
            line("decision", arm, 0, 0, decision_ns=ns)
            for arm, ns in (("pmctl", 500), ("minrtt", 200))
        ]
        code, said = quietly(report.judge, "pmctl", "decision", results(runs))
        self.assertEqual(code, 1)
        self.assertIn("2.500", said)


class Handover(unittest.TestCase):
    """Answers every 100 ms; the path goes at 1 s and heals at 3 s."""

    def run_of(self, rtts):
        samples = [[i * 100000, int(rtt * 1000)] for i, rtt in enumerate(rtts)]
        return {"samples": samples, "event_us": 1000000, "heal_us": 3000000}

    def test_gap(self):
        rtts = [40.0] * 10 + [540.0] + [40.0] * 20
        self.assertAlmostEqual(gap_ms(self.run_of(rtts)), 600.0)

    def test_gap_before_the_event_does_not_count(self):
        rtts = [40.0, 640.0] + [40.0] * 20
        self.assertAlmostEqual(gap_ms(self.run_of(rtts)), 100.0)

    def test_return(self):
        # One stray answer of the better path is no return, three in a row are.
        rtts = [40.0] * 10 + [120.0] * 25 + [40.0] + [120.0] * 4 + [40.0] * 5
        self.assertEqual(return_ms(self.run_of(rtts), ROWS["H3"]), (1040.0, True))

    def test_never_back_is_a_lower_bound(self):
        rtts = [40.0] * 10 + [120.0] * 70
        self.assertEqual(return_ms(self.run_of(rtts), ROWS["H3"]), (5020.0, False))


class Planned(unittest.TestCase):
    def plan(self, words, *more):
        return report.make_plan(ROWS, ["--rows", words, "--schedulers", "pmctl,minrtt", *more])

    def runs(self, plan, arm, size):
        return sum(r.arm == arm and r.size == size for r in plan.runs)

    def test_every_arm_in_every_pair(self):
        plan = self.plan("S1", "--pairs", "5")
        for arm in ARMS:
            self.assertEqual(self.runs(plan, arm, "2M"), 5)

    def test_virtual_time_needs_few_pairs_unless_chance_is_in_it(self):
        few = scenarios.VIRTUAL_PAIRS
        for row, size, pairs in (("S1", "2M", few), ("S9", "2M", 10), ("H2", "200", 10)):
            plan = self.plan(row, "--virtual")
            self.assertEqual(self.runs(plan, "pmctl", size), pairs)
            self.assertFalse(any("pmctl" in note for note in plan.notes))

    def test_order_changes_and_is_repeatable(self):
        arms = list(ARMS)
        first = {scenarios.in_order(arms, pair)[0] for pair in range(10)}
        self.assertEqual(first, set(arms))
        self.assertEqual(self.plan("S1").runs, self.plan("S1").runs)

    def test_slow_control_once_at_the_smallest_size(self):
        plan = self.plan("S4")
        self.assertEqual([self.runs(plan, "tcp-wifi", s) for s in ("256k", "2M", "6M")], [1, 0, 0])
        self.assertTrue(any("S4 2M tcp-wifi" in note for note in plan.notes))

    def test_sum_rows_have_both_controls(self):
        self.assertEqual(self.runs(self.plan("S2"), "tcp-lte", "6M"), scenarios.SUM_PAIRS)

    def test_too_long_is_left_out_with_a_note(self):
        plan = self.plan("S4", "--sizes", "6M")
        self.assertEqual(self.runs(plan, "tcp-wifi", "6M"), 0)
        self.assertTrue(any("it would take" in note for note in plan.notes))

    def test_decision_has_its_reference(self):
        plan = report.make_plan(ROWS, ["--rows", "decision", "--schedulers", "pmctl"])
        self.assertEqual({r.arm for r in plan.runs}, {"pmctl", scenarios.REFERENCE})

    def test_groups_and_unknown_rows(self):
        self.assertEqual({r.row for r in self.plan("handover").runs}, {"H1", "H2", "H3"})
        with self.assertRaises(ValueError):
            self.plan("S99")

    def test_targets_name_rows_that_are_there(self):
        for target in targets.COMMON + targets.TABLE:
            for row in target.rows:
                self.assertIn(row, ROWS)
                self.assertTrue(not target.size or {target.size, "auto"} & set(ROWS[row].sizes))
            self.assertTrue(hasattr(Results, target.figure))


class Written(unittest.TestCase):
    def test_files(self):
        runs = good_runs()
        change(runs, "S1", "tcp-lte", 0, seconds=0.5)
        change(runs, "S1", "tcp-lte", 1, seconds=0.6)
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/plan.tsv", "w", encoding="utf-8") as out:
                for row, size, arm, pair in plan_of(runs):
                    kind = ROWS[row].kind
                    out.write(f"{row}\t{kind}\t{size}\t1\t{arm}\t{pair}\t60\t1\n")
            with open(f"{folder}/runs.jsonl", "w", encoding="utf-8") as out:
                out.writelines(json.dumps(run) + "\n" for run in runs)
            with open(f"{folder}/env.tsv", "w", encoding="utf-8") as out:
                out.write("kernel\t7.0 <test>\nmachine\ta <b>\n")
            self.assertEqual(quietly(report.main, ["write", folder])[0], 0)
            code, said = quietly(report.main, ["table", folder])
            self.assertEqual(code, 0)
            self.assertIn("void:", said)
            with open(f"{folder}/results.json", encoding="utf-8") as file:
                self.assertEqual(len(json.load(file)["void"]), 1)
            xml.dom.minidom.parse(f"{folder}/bench.svg")
            with open(f"{folder}/bench.html", encoding="utf-8") as file:
                page = file.read()
        self.assertIn("7.0 &lt;test&gt;", page)
        self.assertIn("a &lt;b&gt;", page)
        self.assertIn("S1 256k is void", page)
        self.assertNotIn("http://", page.replace("http://www.w3.org/2000/svg", ""))
        self.assertNotIn("<script", page)
        self.assertNotIn("https://", page)
        for part in page.split("<svg ")[1:]:
            xml.dom.minidom.parseString("<svg " + part.split("</svg>")[0] + "</svg>")


if __name__ == "__main__":
    unittest.main()
