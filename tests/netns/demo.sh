# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# scripts/demo-handover, shorter than people see it. Sourced by run.

demo_handover() {
	local page=$TMP/handover.html
	exits 2 scripts/demo-handover --before never
	exits 2 scripts/demo-handover --pace 1
	exits 4 setpriv --reuid 65534 --regid 65534 --clear-groups scripts/demo-handover
	exits 0 scripts/demo-handover --page "$page" --before 2 --silent 3 --after 2
	python3 - "$page" "$TMP/out" <<-'END'
		import re, sys
		import xml.etree.ElementTree as tree
		page, text = (open(f, encoding="utf-8").read() for f in sys.argv[1:])
		assert page.count("<svg") == 1
		# Nothing comes from elsewhere.
		assert not re.search(r'(src|href)=|url\(|<script|@import', page)
		arms = ("kernel", "handover", "interactive")
		svg = tree.fromstring(re.search(r"<svg.*</svg>", page, re.S).group(0))
		curves = {}
		for c in svg.iter("{http://www.w3.org/2000/svg}polyline"):
		    curves[c.get("class").split()[-1]] = [tuple(map(float, p.split(","))) for p in c.get("points").split()]
		assert sorted(curves) == sorted(arms), sorted(curves)
		width, height = (float(svg.get(n)) for n in ("width", "height"))
		for points in curves.values():
		    assert len(points) >= 2 * 70, len(points)
		    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
		    assert all(a[0] <= b[0] for a, b in zip(points, points[1:])), "time goes back"
		# Each wait is in the chart as wide as the words say.
		row = lambda name: re.search("^  " + name + r" *(.+)$", text, re.M).group(1)
		waits = dict(zip(arms, map(float, re.findall(r"([0-9.]+) ms", row("longest wait for an answer")))))
		print(waits)
		assert len(waits) == 3 and all("longest %.0f ms" % w in text for w in waits.values())
		# The axis is labelled every 2 seconds.
		marks = {t.text: float(t.get("x")) for t in svg.iter("{http://www.w3.org/2000/svg}text")}
		second = (marks["2 s"] - marks["0 s"]) / 2
		for arm, points in curves.items():
		    widest = max(b[0] - a[0] for a, b in zip(points, points[1:]) if a[1] == b[1]) / second
		    assert abs(widest * 1000 - waits[arm]) < 20, (arm, widest, waits)
		assert waits["interactive"] < waits["kernel"] and waits["interactive"] < waits["handover"], waits
		assert 100 < waits["interactive"] < 1000 and 400 < waits["kernel"] < 3000, waits
		assert row("subflows open on LTE while Wi-Fi was well").split() == ["1", "0", "1"], text
		for arm in arms:
		    cells = re.search("^ *" + arm + " (.{64})  longest", text, re.M).group(1)
		    paths = text.split(cells)[1].splitlines()[1].split()[1]
		    assert set(cells) <= set("▁▂▃▄▅▆▇█ ") and "w" in paths and "L" in paths, (cells, paths)
	END
}

run_test 'demo: handover' demo_handover
