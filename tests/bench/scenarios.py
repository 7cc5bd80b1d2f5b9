# SPDX-License-Identifier: GPL-2.0-only
"""The rows of scenarios.tsv, how long a run should take, and the plan of a whole measurement."""

import math
import os
from dataclasses import dataclass

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scenarios.tsv")
CONTROLS = ("tcp-wifi", "tcp-lte")
GROUPS = {"S": "get", "R": "rr", "handover": "handover"}
REFERENCE = "minrtt"  # whose decision others are compared with
MSS_BYTES, INITIAL_WINDOW, PACKET_BITS = 1448, 10, 12112
# A control this much slower than the other is measured once, at the smallest size.
SLOW_CONTROL = 3.0
LONGEST_S = 60
# Rows whose goodput is compared with the sum of both paths' need the slow control as well.
SUM_ROWS, SUM_SIZE, SUM_PAIRS = ("S1", "S2"), "6M", 3
# In virtual time what nothing random happens in repeats to a thousandth.
VIRTUAL_PAIRS = 3
REQUEST_PERIOD_S = 0.1
# Exchanges with an event, from connecting to putting right what was broken.
EVENT_S = {"down": 11, "blackhole": 11, "heal": 18}
SHAPING_S = 5  # a row
# What a run costs beside the traffic, and all before the first and after the last: processes are
# slow under emulation.
OVERHEAD_S, AROUND_S = 2.0, 90
WARM_UPS = {"rr": 10}


@dataclass(frozen=True)
class Path:
    mbit: float
    rtt_ms: float
    queue: int
    loss: float

    def goodput_mbit(self):
        """What cubic can be expected to reach: with loss, the root law with its usual constant."""
        payload = self.mbit * MSS_BYTES * 8 / PACKET_BITS
        if not self.loss:
            return payload
        limit = 1.22 * MSS_BYTES * 8 / (self.rtt_ms * 1e3 * math.sqrt(self.loss / 100))
        return min(payload, limit)

    def seconds(self, size):
        """One download: a round trip to ask, slow start, the rest at the goodput."""
        rate = self.goodput_mbit() * 1e6 / 8
        window = min(size, rate * self.rtt_ms / 1e3)
        rounds = max(0.0, math.log2(max(1.0, window / (INITIAL_WINDOW * MSS_BYTES))))
        return self.rtt_ms / 1e3 * (1 + rounds) + size / rate


@dataclass(frozen=True)
class Row:
    id: str
    kind: str
    event: str
    paths: tuple
    sizes: tuple
    title: str

    def words(self):
        """The parameters for people."""
        return " | ".join(
            f"{p.mbit:g} Mbit/s {p.rtt_ms:g} ms queue {p.queue}"
            + (f" loss {p.loss:g} %" if p.loss else "")
            for p in self.paths
        )


@dataclass(frozen=True)
class Run:
    row: str
    kind: str
    size: str
    bytes: int
    arm: str
    pair: int
    seconds: float

    def line(self, seed):
        timeout = max(60, math.ceil(self.seconds * 5))
        what = (self.row, self.kind, self.size, self.bytes, self.arm, self.pair, timeout, seed)
        return "\t".join(str(w) for w in what)


def in_bytes(size):
    """"256k" in bytes; 0 for a size that is found out when it runs."""
    if size == "auto":
        return 0
    unit = {"k": 1024, "M": 1024 * 1024}.get(size[-1], 1)
    return int(size.rstrip("kM")) * unit


def load(name=FILE):
    rows = {}
    with open(name, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#") or not line.strip():
                continue
            f = line.rstrip("\n").split("\t")
            if len(f) != 13:
                raise ValueError(f"{name}: {len(f)} fields instead of 13: {line.strip()}")
            paths = tuple(
                Path(float(f[i]), float(f[i + 1]), int(f[i + 2]), float(f[i + 3]))
                for i in (3, 7)
                if f[i] != "-"
            )
            rows[f[0]] = Row(f[0], f[1], f[2], paths, tuple(f[11].split(",")), f[12])
    return rows


def select(rows, wanted):
    """Rows by id or by group (S, R, handover), in the order of the file."""
    if not wanted:
        return list(rows.values())
    chosen = set()
    for word in wanted.split(","):
        found = [r.id for r in rows.values() if word == r.id or GROUPS.get(word) == r.kind]
        if not found:
            known = ", ".join([*GROUPS, *rows])
            raise ValueError(f"no row {word}; there are: {known}")
        chosen.update(found)
    return [r for r in rows.values() if r.id in chosen]


def in_order(arms, pair):
    """Every pair begins with another arm, and every second one goes the other way round, so that
    neither a drift of the machine nor a neighbour favours an arm. The same in every measurement."""
    turn = pair // 2 % len(arms)
    turned = arms[turn:] + arms[:turn]
    return turned if pair % 2 == 0 else turned[::-1]


class Plan:
    """The runs of a measurement, in order; `notes` says what is left out and why."""

    def __init__(self, schedulers, pairs, count, bulk_s, virtual=False):
        self.schedulers = [s for s in schedulers if s != "default"]
        self.pairs = pairs
        self.virtual = virtual
        self.count = count
        self.bulk_s = bulk_s
        self.runs = []
        self.notes = []

    def expected(self, row, size, arm):
        if row.kind in ("bulk", "decision"):
            return self.bulk_s
        if row.kind == "handover":
            return EVENT_S[row.event]
        times = [p.seconds(in_bytes(size)) for p in row.paths]
        each = times[CONTROLS.index(arm)] if arm in CONTROLS else min(times)
        if row.kind == "rr":
            return self.count * max(REQUEST_PERIOD_S, each)
        return each

    def repeats(self, row, sizes, size, arm):
        """In how many pairs an arm is measured."""
        pairs = self.pairs
        if self.virtual and row.event == "-" and not any(p.loss for p in row.paths):
            pairs = min(pairs, VIRTUAL_PAIRS)
        if arm not in CONTROLS:
            return pairs
        mine, other = (row.paths[i].seconds(in_bytes(size)) for i in self._both(arm))
        if mine <= SLOW_CONTROL * other:
            return pairs
        if row.id in SUM_ROWS and size == SUM_SIZE:
            return min(pairs, SUM_PAIRS)
        return 1 if size == sizes[0] else 0

    @staticmethod
    def _both(arm):
        i = CONTROLS.index(arm)
        return i, 1 - i

    def arms(self, row):
        if row.kind == "decision":
            return list(dict.fromkeys([*self.schedulers, REFERENCE]))
        arms = [*self.schedulers, "default"]
        return arms + list(CONTROLS) if row.kind in ("get", "rr") else arms

    def add(self, row, wanted_sizes=None):
        sizes = [s for s in row.sizes if row.kind != "get" or not wanted_sizes or s in wanted_sizes]
        for size in sizes:
            arms = self.arms(row)
            repeats = {a: self.repeats(row, sizes, size, a) for a in arms}
            for arm in arms:
                seconds = self.expected(row, size, arm)
                if repeats[arm] and seconds > LONGEST_S:
                    repeats[arm] = 0
                    self.notes.append(
                        f"{row.id} {size} {arm}: left out, it would take {seconds:.0f} s a run"
                    )
                elif repeats[arm] < max(repeats.values()):
                    often = f"measured {repeats[arm]} times" if repeats[arm] else "left out"
                    self.notes.append(f"{row.id} {size} {arm}: much slower, {often}")
            for pair in range(self.pairs):
                for arm in in_order(arms, pair):
                    if pair < repeats[arm]:
                        self._add_run(row, size, arm, pair)

    def _add_run(self, row, size, arm, pair):
        seconds = self.expected(row, size, arm)
        self.runs.append(Run(row.id, row.kind, size, in_bytes(size), arm, pair, seconds))

    def cost(self, run, row):
        """Seconds of a run with connecting and warming up."""
        rtts = [p.rtt_ms / 1e3 for p in row.paths] or [0]
        rtt = rtts[CONTROLS.index(run.arm)] if run.arm in CONTROLS else max(rtts)
        warm = WARM_UPS.get(row.kind, 5) * (rtt + 0.02)
        # Many schedulers are slower than the best path where the paths differ.
        slower = 1.0 if run.arm in CONTROLS or run.kind != "get" else 1.3
        return run.seconds * slower + warm + OVERHEAD_S
