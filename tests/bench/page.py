# SPDX-License-Identifier: GPL-2.0-only
"""One HTML page with everything in it, for somebody who knows neither the bench nor the project."""

from html import escape

import chart
import targets

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:60rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.2rem}svg{max-width:100%;height:auto}
table{border-collapse:collapse;font-size:13px;margin:.8rem 0}
th,td{padding:.25rem .6rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}
th{background:#f4f4f4}td.n{text-align:right;font-variant-numeric:tabular-nums}
.reached{color:#11693a;font-weight:600}.missed{color:#b00020;font-weight:600}
.void,.not{color:#8a5a00;font-weight:600}dt{font-weight:600}dd{margin:0 0 .4rem 1rem}
"""
INTRO = (
    "Multipath TCP sends one connection over several paths; its packet scheduler decides which "
    "segment takes which path. These are measurements of schedulers on a network of two emulated "
    "paths, path 1 “wifi” and path 2 “lte”, next to the kernel's own scheduler and to plain TCP "
    "over either path alone."
)
HOW = (
    (
        "Arms",
        "What is compared: each scheduler by its name; “default” is the kernel's own scheduler; "
        "“tcp-wifi” and “tcp-lte” are plain TCP on one path, the controls.",
    ),
    (
        "÷ best TCP",
        "The time as a multiple of what plain TCP needs on the better of the two paths. 1.0 means "
        "that MPTCP neither helped nor hurt; 0.5 that it took half the time; above 1.0 it hurt.",
    ),
    (
        "Median of pairs",
        "All arms run one after another in one boot, again and again in a changing order that is "
        "the same in every measurement. A ratio is taken within each round, and the median of the "
        "rounds counts.",
    ),
    (
        "Void",
        "A row is void, and proves nothing, when plain TCP on a path without loss did not repeat "
        "within 1 % (distance of the quartiles over the median; up to three runs: the extremes).",
    ),
    (
        "p50, p95, p99",
        "Of the answers of one run, half, 95 % and 99 % came within that time; the median of the "
        "runs is shown.",
    ),
)


def worst(target, judged):
    """The judgement that speaks for a target: a miss, else what could not be said, else the value
    nearest to the limit."""
    for verdict in ("missed", "void", "not measured"):
        found = [j for j in judged if j[3] == verdict]
        if found:
            break
    else:
        found = judged
    known = [j for j in found if j[2] is not None]
    if not known:
        return found[0]
    pick = max if target.high is not None else min
    return pick(known, key=lambda j: j[2])


def verdict_words(results, judgement):
    row, size, value, verdict, _ = judgement
    shown = "" if value is None else f" {value:.3f},"
    return f"{verdict}:{shown} {results.name(row, size)}"


def cell(words, css=""):
    css = f' class="{css}"' if css else ""
    return f"<td{css}>{escape(words)}</td>"


def grid(head, rows):
    out = ["<table><tr>" + "".join(f"<th>{escape(h)}</th>" for h in head) + "</tr>"]
    out += ["<tr>" + "".join(r) + "</tr>" for r in rows]
    return "\n".join(out + ["</table>"])


def target_table(results):
    rows = []
    for arm, target, judged in results.verdicts():
        found = worst(target, judged)
        good = sum(j[3] == "reached" for j in judged)
        rows.append(
            [
                cell(arm),
                cell(target.title),
                cell(target.limit(), "n"),
                cell(found[3], found[3].split()[0]),
                cell("-" if found[2] is None else f"{found[2]:.3f}", "n"),
                cell(results.name(*found[:2])),
                cell(f"{good} of {len(judged)}", "n"),
                cell(", ".join(results.name(*j[:2]) for j in judged if j[3] != "reached")),
            ]
        )
    if not rows:
        return "<p>This measurement has no rows that a target is set for.</p>"
    head = ("scheduler", "target", "wanted", "verdict", "worst value", "in row", "rows reached", "not in")
    return grid(head, rows)


def row_table(results):
    rows = []
    for row in dict.fromkeys(r for r, _ in results.groups()):
        what = results.rows[row]
        sizes = [s for r, s in results.groups() if r == row and s != "auto"]
        paths = [x.strip() for x in what.words().split("|")] if what.paths else ["not shaped"] * 2
        rows.append([cell(row), cell(what.title), *map(cell, paths), cell(", ".join(sizes))])
    return grid(("row", "what", "path 1: wifi", "path 2: lte", "bytes"), rows)


def medians_table(results, summary):
    def number(value, digits=3):
        return cell("" if value is None else f"{value:.{digits}f}", "n")

    rows = [
        [
            cell(results.name(e["row"], e["size"])),
            cell(e["arm"]),
            cell(f"{e['unit']}, {e['note']}" if e["note"] else e["unit"]),
            number(e["median"], 4 if e["figure"] == "duplicates" else 3),
            number(e["to_best_tcp"], 2),
            number(e["to_default"], 2),
            cell(str(len(results.good[e["row"], e["size"], e["arm"]])), "n"),
        ]
        for e in summary
    ]
    return grid(("row", "arm", "unit", "median", "÷ best TCP", "÷ default", "runs"), rows)


def section(title, words, svg):
    return f"<h2>{escape(title)}</h2>\n<p>{escape(words)}</p>\n{svg}\n" if svg else ""


def limit_of(ident):
    return next(t.high for t in targets.TABLE if t.id == ident)


def charts(results):
    handover = chart.of_kind(results, "handover")
    return [
        section(
            "Downloads: time against the best single path",
            "Left of the line MPTCP is faster than the best single path, right of it slower.",
            chart.ratios(results, chart.of_kind(results, "get"), results.time_to_best),
        ),
        section(
            "Request and answer: p50 against the best single path",
            "Ten requests a second. Left of the line is faster, right of it slower.",
            chart.ratios(results, chart.of_kind(results, "rr"), results.time_to_best),
        ),
        section(
            "Request and answer: p50 / p95 / p99",
            "Dark p50, paler p95 and p99; less is better. Every row has a scale of its own.",
            chart.plain(
                results, chart.of_kind(results, "rr"), "p50_ms", "ms", None, ("p95_ms", "p99_ms")
            ),
        ),
        section(
            "Handover: longest time without an answer",
            "200 bytes every 100 ms, so 100 ms is the least there can be; less is better. The "
            "dashed line is the target.",
            chart.plain(results, handover, "gap_ms", "ms", {"H2": limit_of("gap")}),
        ),
        section(
            "Handover: back on the healed better path",
            "Time from healing until the answers come over the better path again; one that never "
            "came back counts with the time it was watched. The dashed line is the target.",
            chart.plain(results, handover, "return_ms", "ms", {"H3": limit_of("return")}),
        ),
        section(
            "Bulk over paths without limits",
            "How fast the machine can go; more is better.",
            chart.plain(results, chart.of_kind(results, "bulk"), "mbit_s", "Mbit/s"),
        ),
        section(
            "CPU time of bulk",
            "Busy time of the whole machine for a megabyte; less is better.",
            chart.plain(results, chart.of_kind(results, "bulk"), "busy_ms_per_mb", "ms/MB"),
        ),
        section(
            "Time of a decision",
            "From the kernel's BPF statistics, in another run of bulk; less is better.",
            chart.plain(results, chart.of_kind(results, "decision"), "decision_ns", "ns"),
        ),
    ]


def troubles(results):
    found = [why for g in results.groups() for why in [results.void(*g)] if why]
    found += [f"{r} {s} {a}, pair {p}: planned, not measured" for r, s, a, p in results.missing()]
    if not found:
        return "<p>Every planned run was measured, and no row is void.</p>"
    return "<ul>" + "".join(f"<li>{escape(f)}</li>" for f in found) + "</ul>"


def html(results, summary):
    title = f"MPTCP schedulers on Linux {results.env.get('kernel', '?')}"
    env = grid(
        ("measured on", ""), [[cell(name), cell(value)] for name, value in results.env.items()]
    )
    how = "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in HOW)
    return "\n".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1><p>{escape(INTRO)}</p>",
            env,
            "<h2>Targets</h2>",
            target_table(results),
            "<h2>How to read it</h2>",
            f"<dl>{how}</dl>",
            *charts(results),
            "<h2>The rows</h2>",
            row_table(results),
            "<h2>What cannot be relied on</h2>",
            troubles(results),
            "<h2>All medians</h2>",
            medians_table(results, summary),
            "</body></html>",
            "",
        ]
    )
