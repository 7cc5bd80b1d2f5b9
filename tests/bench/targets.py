# SPDX-License-Identifier: GPL-2.0-only
"""What must be reached: each target is judged in every row it names that was measured."""

from dataclasses import dataclass

import scenarios

S_ROWS = tuple(f"S{i}" for i in range(1, 10))
R_ROWS = tuple(f"R{i}" for i in range(1, 6))


@dataclass(frozen=True)
class Target:
    id: str
    title: str
    rows: tuple
    size: str  # or "" for all of a row
    figure: str  # a method of results.Results: (row, size, arm) → number or None
    unit: str
    low: float = None
    high: float = None

    def holds(self, value):
        return (self.low is None or value >= self.low) and (
            self.high is None or value <= self.high
        )

    def limit(self):
        text = f"≥ {self.low:g}" if self.low is not None else f"≤ {self.high:g}"
        return f"{text} {self.unit}".rstrip()


# For every scheduler that is measured; the first is in the table of the safe one as well.
COMMON = (
    Target(
        "goodput",
        "bulk: goodput ÷ kernel default",
        ("bulk",),
        "",
        "goodput_to_default",
        "",
        low=0.97,
    ),
    Target(
        "cpu",
        "bulk: CPU time a MB ÷ kernel default",
        ("bulk",),
        "",
        "cpu_to_default",
        "",
        high=1.05,
    ),
    Target("r1", "R1: p50 ÷ best single path", ("R1",), "", "time_to_best", "", high=1.1),
)
# For the scheduler that is to be the safe choice everywhere.
SAFE = "pmctl"
TABLE = (
    Target(
        "best-path",
        "every S and R row: time ÷ best single path",
        S_ROWS + R_ROWS,
        "",
        "time_to_best",
        "",
        high=1.05,
    ),
    Target(
        "sum",
        "S1, S2 6M: goodput ÷ sum of both paths'",
        scenarios.SUM_ROWS,
        scenarios.SUM_SIZE,
        "goodput_to_sum",
        "",
        low=0.95,
    ),
    Target(
        "lossy",
        "S6, S9 6M: goodput ÷ kernel default",
        ("S6", "S9"),
        "6M",
        "goodput_to_default",
        "",
        low=1.0,
    ),
    Target(
        "tail", "R3, R4: p95 ÷ best single path", ("R3", "R4"), "", "p95_to_best", "", high=1.5
    ),
    Target("gap", "silent blackhole: longest gap", ("H2",), "", "gap_ms", "ms", high=250),
    Target("return", "return to a healed better path", ("H3",), "", "return_ms", "ms", high=1000),
    Target(
        "duplicates",
        "duplicate ÷ sent bytes, 6M downloads and bulk",
        S_ROWS + ("bulk",),
        "6M",
        "duplicates",
        "",
        high=0.01,
    ),
    Target(
        "decision",
        "time of a decision ÷ minrtt's",
        ("decision",),
        "",
        "decision_ratio",
        "",
        high=2.0,
    ),
)


def of(arm):
    """The targets of a scheduler."""
    if arm == "default":
        return ()
    return COMMON + TABLE if arm == SAFE else COMMON
