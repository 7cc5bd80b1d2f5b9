# SPDX-License-Identifier: GPL-2.0-only
"""Charts as SVG text. A chart is a list of groups, a group a title and one bar an arm."""

import math
from html import escape

import scenarios

LABEL, WIDTH, RIGHT, BAR, GAP = 190, 470, 170, 15, 20
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.g{font-weight:600}.n{fill:#555}"
    ".h{font-size:15px;font-weight:600}.l{stroke:#222;stroke-width:1.5}"
    ".m{stroke:#b00020;stroke-width:1.5;stroke-dasharray:4 3}.x{stroke:#ddd}"
    ".a0{fill:#1b6ca8}.a1{fill:#2a9d8f}.a2{fill:#8a5fbf}.a3{fill:#4c78a8}"
    ".d{fill:#9a9a9a}.w{fill:#e0a050}.v{fill:#c07a2c}.p95{opacity:.55}.p99{opacity:.28}"
)


def colour(results, arm):
    fixed = {"default": "d", "tcp-wifi": "w", "tcp-lte": "v"}
    return fixed.get(arm) or f"a{results.schedulers().index(arm) % 4}"


def text(x, y, words, css="", anchor=""):
    css = f' class="{css}"' if css else ""
    anchor = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text{css} x="{x:.1f}" y="{y:.1f}"{anchor}>{escape(words)}</text>'


def rect(x, y, width, css, hint):
    return (
        f'<rect class="{css}" x="{x:.1f}" y="{y:.1f}" width="{max(1.0, width):.1f}" '
        f'height="{BAR - 2}" rx="1.5"><title>{escape(hint)}</title></rect>'
    )


def line(x, top, bottom, css):
    return f'<line class="{css}" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'


def wrap(body, height, label):
    width = LABEL + WIDTH + RIGHT
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" '
            f'width="{width}" height="{height:.0f}" role="img" aria-label="{escape(label)}">',
            f"<style>{STYLE}</style>",
            '<rect width="100%" height="100%" fill="#fff"/>',
            *body,
            "</svg>",
        ]
    )


def legend(results, arms):
    out, x = [], 10
    for arm in arms:
        out += [rect(x, 8, 12, colour(results, arm), arm), text(x + 17, 19, arm)]
        x += 35 + 7.2 * len(arm)
    return out


def ratios(results, groups, figure):
    """Times as multiples of the best single path's, on a logarithmic scale around 1."""
    values = {
        (row, size, arm): figure(row, size, arm)
        for row, size in groups
        for arm in results.arms(row, size)
        if arm not in scenarios.CONTROLS
    }
    values = {k: v for k, v in values.items() if v}
    if not values:
        return ""
    low = min(0.5, *values.values()) / 1.1
    high = max(2.0, *values.values()) * 1.1

    def place(v):
        return LABEL + WIDTH * math.log(v / low) / math.log(high / low)

    bars, y = [], 62
    for row, size in groups:
        arms = [a for a in results.arms(row, size) if (row, size, a) in values]
        if not arms:
            continue
        void = " (void)" if results.void(row, size) else ""
        bars.append(text(10, y + 12, results.name(row, size) + void, "g"))
        for arm in arms:
            v = values[row, size, arm]
            left, right = sorted((place(1), place(v)))
            bars.append(text(LABEL - 8, y + 12, arm, "n", "end"))
            bars.append(rect(left, y, right - left, colour(results, arm), f"{row} {arm} {v:.3f}"))
            bars.append(text(right + 5, y + 12, f"{v:.2f}"))
            y += BAR
        y += GAP - 8
    axis = [text(LABEL - 8, 45, "time ÷ best single path", "n", "end")]
    for mark in (0.25, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50):
        if low <= mark <= high:
            axis.append(line(place(mark), 52, y, "x"))
            axis.append(text(place(mark), 45, f"{mark:g}×", "n", "middle"))
    axis.append(line(place(1), 50, y, "l"))
    arms = list(dict.fromkeys(k[2] for k in values))
    label = "Time as a multiple of the best single path's"
    return wrap(legend(results, arms) + axis + bars, y + 8, label)


def plain(results, groups, figure, unit, limits=None, parts=()):
    """Values from 0; each group has a scale of its own. `limits` are marked by a line; `parts` are
    further figures that are drawn behind, longer and paler."""
    body, y, seen = [], 34, {}
    for row, size in groups:
        arms, values = results.arms(row, size), {}
        for arm in arms:
            found = [results.median(row, size, arm, f) for f in (figure, *parts)]
            if found[0] is not None:
                values[arm] = [v for v in found if v is not None]
        if not values:
            continue
        limit = (limits or {}).get(row)
        longest = max([v for vs in values.values() for v in vs] + [limit or 0]) or 1
        void = " (void)" if results.void(row, size) else ""
        body.append(text(10, y + 12, results.name(row, size) + void, "g"))
        top = y
        for arm, vs in values.items():
            seen[arm] = True
            words = " / ".join(f"{v:.{0 if v >= 100 else 1}f}" for v in vs)
            body.append(text(LABEL - 8, y + 12, arm, "n", "end"))
            for css, v in reversed(list(zip(("", " p95", " p99"), vs))):
                hint = f"{row} {size} {arm}: {words} {unit}"
                body.append(
                    rect(LABEL, y, WIDTH * v / longest, colour(results, arm) + css, hint)
                )
            body.append(text(LABEL + WIDTH * max(vs) / longest + 5, y + 12, f"{words} {unit}"))
            y += BAR
        if limit:
            body.append(line(LABEL + WIDTH * limit / longest, top - 2, y + 2, "m"))
        y += GAP - 6
    if not seen:
        return ""
    return wrap(legend(results, list(seen)) + body, y + 6, f"{figure} in {unit}")


def of_kind(results, kind):
    return [g for g in results.groups() if results.rows[g[0]].kind == kind]


def overview(results):
    """The one chart that says most, for a README: ratios, or what else was measured."""
    both = of_kind(results, "get") + of_kind(results, "rr")
    found = ratios(results, both, results.time_to_best)
    if not found:
        found = plain(results, of_kind(results, "bulk"), "mbit_s", "Mbit/s")
    return found or plain(results, of_kind(results, "handover"), "gap_ms", "ms") or wrap([], 20, "")
