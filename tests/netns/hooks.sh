# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the daemon has in the kernel: the oracle, the guard, SYN rescue, what connections learned.
# Sourced by run, whose world() and helpers, and those of daemon.sh, it uses.

gap_of() { python3 -c 'import json,sys; print(round(json.load(open(sys.argv[1]))["gap_ms"]))' "$TMP/talk"; }

# A path dies silently under the kernel alone, with a second subflow that stands by.
stock_blackhole() {
	world
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	ip -n "$C" mptcp limits set subflow 4 add_addr_accepted 4
	ip -n "$C" mptcp endpoint add 10.77.2.1 dev wwan0 subflow backup
	serve
	talk 40
	wait_for 5 both_used
	drops
	talked 5000
	echo "stock: longest gap $(gap_of) ms"
	[ "$(gap_of)" -gt 400 ] || die 'stock is as fast: the other test shows nothing'
	drop_namespaces
}

# The same with the daemon, which hears of it from the oracle.
oracle_heard() {
	daemon_world interactive
	grep -q 'the oracle tells how paths do' "$TMP/daemon" || die 'no oracle'
	talk 40
	drops
	talked 400
	echo "with the oracle: longest gap $(gap_of) ms"
	grep -q 'wifi is bad' "$TMP/daemon" || die 'no reason in the log'
	# Watched as long as the policy looks at paths, and no longer.
	exits 0 watched
	sed -i 's/mode: interactive/mode: aggregate/' "$TMP/policy.yaml"
	exits 0 pmctl reload --netns "$C"
	exits 1 watched
	sed -i 's/mode: aggregate/mode: interactive/' "$TMP/policy.yaml"
	exits 0 pmctl reload --netns "$C"
	exits 0 watched
	stop_daemon
	exits 1 watched
	drop_namespaces
}
