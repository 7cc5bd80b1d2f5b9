#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What scripts/demo-handover measured, as a chart in the terminal and as a page.

    handover.py FOLDER PAGE KERNEL

FOLDER holds for each arm: ARM.rounds (when sent and round trip, in us), ARM.samples (seconds, bytes
received by Wi-Fi and by LTE), ARM.facts (silent, healed: seconds; lte_subflows), and ARM.log of the
daemon.
"""

import math
import os
import sys
from html import escape

import chart
import page

ARMS = {
    "kernel": (
        "the kernel alone",
        "LTE is open all the time, as a backup. Wi-Fi is left when TCP has timed out on it and MPTCP "
        "after that; nobody remembers that it is bad.",
    ),
    "handover": (
        "mode handover",
        "Costs nothing on LTE: it is not opened before Wi-Fi has proved bad, which takes some "
        "patience and then a handshake. For what can wait, with a metered path.",
    ),
    "interactive": (
        "mode interactive",
        "LTE is held ready, and Wi-Fi is left at the first sign of silence; the way back is taken with "
        "care, when Wi-Fi has been well for a while. For what a person waits for.",
    ),
}
LINES = (
    ".kernel{fill:none;stroke:#9a9a9a}.handover{fill:none;stroke:#1b6ca8}"
    ".interactive{fill:none;stroke:#2a9d8f}.c{stroke-width:1.6;stroke-linejoin:round}"
    ".hole{fill:#b00020;fill-opacity:.08}"
)
BLOCKS = "▁▂▃▄▅▆▇█"
STEPS_MS = (25, 50, 100, 200, 400, 800, 1600)  # the block below each
CELLS = 64
LOW_MS, HIGH_MS = 0.1, 10000.0
PANEL, STRIP = 96, 7
LEFT, WIDE = 70, 740


class Arm:
    def __init__(self, folder, name):
        def lines(end):
            with open(os.path.join(folder, f"{name}.{end}"), encoding="ascii") as f:
                return [line.split() for line in f]

        self.name, (self.title, self.words) = name, ARMS[name]
        facts = {key: float(value) for key, value in lines("facts")}
        self.silent, self.healed = facts["silent"], facts["healed"]
        self.lte_subflows = int(facts["lte_subflows"])
        self.rounds = [(int(t) / 1e6, int(rtt) / 1e3) for t, rtt in lines("rounds")]
        samples = [tuple(map(float, s)) for s in lines("samples") if len(s) == 3]
        # Between two samples, what came over either path.
        self.moved = [(a[0], b[0], b[1] - a[1], b[2] - a[2]) for a, b in zip(samples, samples[1:])]
        self.start = self.rounds[0][0]
        self.end = self.rounds[-1][0] + self.rounds[-1][1] / 1e3

    def usual_ms(self):
        before = sorted(ms for t, ms in self.rounds if t + ms / 1e3 < self.silent)
        return before[len(before) // 2]

    def worst_ms(self):
        return max(ms for t, ms in self.rounds if t + ms / 1e3 > self.silent)

    def slow(self):
        return sum(ms >= 200 for _, ms in self.rounds)

    def path(self, since, until):
        """Over which path most came meanwhile; an answer is some 270 bytes, a bare ack less than
        half of it."""
        wifi = sum(w for a, b, w, _ in self.moved if a < until and b > since)
        lte = sum(v for a, b, _, v in self.moved if a < until and b > since)
        if max(wifi, lte) < 200:
            return ""
        return "wifi" if wifi >= lte else "lte"

    def back_s(self):
        """From healing until Wi-Fi carries the answers again; None: it did not meanwhile."""
        for since, until, wifi, lte in self.moved:
            is_wifi = wifi >= 200 and wifi > lte and self.path(since, since + 0.5) == "wifi"
            if is_wifi and since >= self.healed:
                return until - self.healed
        return None


def seconds(value):
    return "not yet" if value is None else f"{value:.1f} s"


def facts(arm):
    return (
        f"{arm.worst_ms():.0f} ms",
        str(arm.slow()),
        str(arm.lte_subflows),
        seconds(arm.back_s()),
    )


FACTS = (
    "longest wait for an answer",
    "answers that took 200 ms or more",
    "subflows open on LTE while Wi-Fi was well",
    "back on Wi-Fi, after it healed",
)


def block(ms):
    return BLOCKS[sum(ms >= step for step in STEPS_MS)]


def text_chart(arms):
    first = arms[0]
    cell = max(a.end - a.start for a in arms) / CELLS
    out = []
    for arm in arms:
        waits, paths = [], []
        for i in range(CELLS):
            since, until = arm.start + i * cell, arm.start + (i + 1) * cell
            found = [ms for t, ms in arm.rounds if t < until and t + ms / 1e3 > since]
            waits.append(block(max(found)) if found else " ")
            paths.append({"wifi": "w", "lte": "L", "": "."}[arm.path(since, until)])
        out.append(f"{arm.name:>11} {''.join(waits)}  longest {arm.worst_ms():.0f} ms")
        out.append(f"{'path':>11} {''.join(paths)}")
    marks = [" "] * (CELLS + 24)
    for when, words in ((first.silent, "│wifi silent"), (first.healed, "│wifi well")):
        at = int((when - first.start) / cell)
        marks[at : at + len(words)] = words
    out.append(" " * 12 + "".join(marks).rstrip())
    out.append("")
    scale = " ".join(f"{BLOCKS[i]} <{step}" for i, step in enumerate(STEPS_MS))
    out.append(f"One column is {cell:.2f} s; its height is the longest wait for an answer, in ms:")
    out.append(f"  {scale} {BLOCKS[-1]} more      path: w wifi, L lte, . neither")
    return "\n".join(out)


def text_table(arms):
    out = [f"  {'':42}" + "".join(f"{a.name:>13}" for a in arms)]
    for i, name in enumerate(FACTS):
        out.append(f"  {name:42}" + "".join(f"{facts(a)[i]:>13}" for a in arms))
    return "\n".join(out)


def box(x, y, width, height, css, hint=""):
    hint = f"<title>{escape(hint)}</title>" if hint else ""
    return (
        f'<rect class="{css}" x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" '
        f'height="{height}">{hint}</rect>'
    )


def panel(arm, top, length):
    def across(t):
        return LEFT + WIDE * (t - arm.start) / length

    def up(ms):
        ms = min(HIGH_MS, max(LOW_MS, ms))
        return top + PANEL * (1 - math.log(ms / LOW_MS) / math.log(HIGH_MS / LOW_MS))

    out = [
        chart.text(LEFT, top - 8, f"{arm.title}: longest wait {arm.worst_ms():.0f} ms", "g"),
        box(across(arm.silent), top, across(arm.healed) - across(arm.silent), PANEL + STRIP + 2, "hole"),
    ]
    for ms in (1, 10, 100, 1000, 10000):
        words = f"{ms} ms" if ms < 1000 else f"{ms // 1000} s"
        out.append(chart.text(LEFT - 6, up(ms) + 4, words, "n", "end"))
        out.append(f'<line class="x" x1="{LEFT}" x2="{LEFT + WIDE}" y1="{up(ms):.1f}" y2="{up(ms):.1f}"/>')
    # A wait begins when it is asked and ends with the answer.
    points = []
    for t, ms in arm.rounds:
        points += [(across(t), up(ms)), (across(t + ms / 1e3), up(ms))]
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    out.append(f'<polyline class="c {arm.name}" points="{drawn}"/>')
    for since, until, *_ in arm.moved:
        path = arm.path(since - 0.1, until + 0.1)
        if path and arm.start <= since and until <= arm.end:
            css = {"wifi": "a0", "lte": "w"}[path]
            out.append(box(across(since), top + PANEL + 2, across(until) - across(since) + 0.5, STRIP, css, path))
    out.append(chart.text(LEFT - 6, top + PANEL + STRIP + 2, "path", "n", "end"))
    return out


def svg(arms):
    length = max(a.end - a.start for a in arms)
    body, y = [f"<style>{LINES}</style>"], 40
    body += [box(LEFT, 6, 12, STRIP, "a0"), chart.text(LEFT + 17, 14, "over Wi-Fi")]
    body += [box(LEFT + 100, 6, 12, STRIP, "w"), chart.text(LEFT + 117, 14, "over LTE")]
    body += [box(LEFT + 200, 4, 12, 11, "hole"), chart.text(LEFT + 217, 14, "Wi-Fi is silent")]
    for arm in arms:
        body += panel(arm, y, length)
        y += PANEL + STRIP + 40
    for at in range(0, int(length) + 1, 2):
        body.append(chart.text(LEFT + WIDE * at / length, y - 18, f"{at} s", "n", "middle"))
    return chart.wrap(body, y, "How long each answer took, under three path managers")


def html(arms, kernel):
    first = arms[0]
    title = "When Wi-Fi falls silent: the kernel, mode handover and mode interactive"
    hole = first.healed - first.silent
    intro = (
        "Two hundred bytes go to a server and back ten times a second, over Multipath TCP with two "
        f"paths, Wi-Fi and LTE. After {first.silent - first.start:.0f} seconds packets over Wi-Fi "
        "vanish, though its link stays up: what happens at the edge of a network. After "
        f"{hole:.0f} seconds more they get through again. The same was done at the same time in three "
        "networks on this machine, which differ in who decides which path is used."
    )
    how = (
        "Each curve shows how long every answer took, against the time it was asked for; the usual "
        f"one takes {first.usual_ms():.1f} ms here. The scale is logarithmic: a line up is ten times "
        "as long. While nothing is answered the curve stays up, so its widest step is the wait that "
        "a person would notice. The strip below it shows the path that carried the answers."
    )
    arms_words = "".join(f"<dt>{escape(a.title)}</dt><dd>{escape(a.words)}</dd>" for a in arms)
    rows = [
        [page.cell(name), *(page.cell(facts(a)[i], "n") for a in arms)] for i, name in enumerate(FACTS)
    ]
    return "\n".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{escape(title)}</title><style>{page.STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1><p>{escape(intro)}</p>",
            f"<p>{escape(how)}</p>",
            svg(arms),
            page.grid(("", *(a.title for a in arms)), rows),
            f"<h2>What is compared</h2><dl>{arms_words}</dl>",
            f"<p>Measured on Linux {escape(kernel)}. The modes and what they can be told are in "
            "docs/modes.md; <code>mode: interactive</code> in a policy asks for one.</p>",
            "</body></html>",
            "",
        ]
    )


def main(folder, where, kernel):
    arms = [Arm(folder, name) for name in ARMS]
    with open(where, "w", encoding="utf-8") as f:
        f.write(html(arms, kernel))
    print()
    print(text_chart(arms))
    print()
    print(text_table(arms))
    print(f"\nThe same as a page: {where}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
