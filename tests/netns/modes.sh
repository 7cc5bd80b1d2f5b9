# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Modes, engines and rules as `apply` leaves them without a daemon. Sourced by tests/netns/run.
# Functions are called by name, through run_test:
# shellcheck disable=SC2317

# A policy of the userspace engine adds no endpoints; what is static is applied, and it says so.
shipped_userspace() { # NAME, SUBFLOWS, ADD_ADDR_ACCEPTED
	local before
	world
	policy aggregate
	apply "$TMP/policy.yaml"
	before=$(endpoints)
	sed 's/scheduler: pmctl/scheduler: default/' "policies/$1.yaml" >"$TMP/policy.yaml"
	apply "$TMP/policy.yaml" >"$TMP/out"
	cat "$TMP/out"
	grep -q 'mptcp-pmctl daemon. has to run: it opens the subflows' "$TMP/out" ||
		die 'nothing about the daemon'
	is "$(endpoints)" "$before" 'endpoints of before'
	is "$(ip netns exec "$C" sysctl -n net.mptcp.pm_type)" 1 'pm_type, userspace'
	is "$(limits)" "add_addr_accepted $3 subflows $2" limits
	apply "$TMP/policy.yaml" -j | grep -q 'has to run' || die 'nothing about the daemon in JSON'
	grep -q '"changed":false' <(apply "$TMP/policy.yaml" -j) || die 'the second apply changed something'
}

cheapest_and_paths() {
	world
	policy cheapest
	apply "$TMP/policy.yaml"
	is "$(endpoints)" "$(want_endpoints subflow - | grep -v wwan0)" 'the cheapest path'
	ip -n "$C" link set wlan0 down
	wait_for 5 no_carrier wlan0
	apply "$TMP/policy.yaml"
	is "$(endpoints)" "$(want_endpoints - subflow | grep -v wlan0)" 'the cheapest that is there'
	ip -n "$C" link set wlan0 up
	wait_for 5 carrier wlan0
	ip -n "$C" addr replace fd77:1::1/64 dev wlan0 nodad
	policy 'aggregate, paths: [lte]'
	sed -i 's/- mode: \(.*\)/- { mode: \1 }/' "$TMP/policy.yaml"
	apply "$TMP/policy.yaml"
	is "$(endpoints)" "$(want_endpoints - subflow | grep -v wlan0)" 'paths of the default rule'
}
no_carrier() { ! carrier "$1"; }

kernel_engine_refused() {
	local before
	world
	policy handover
	apply "$TMP/policy.yaml"
	before=$(snapshot)
	policy interactive
	echo 'engine: kernel' >>"$TMP/policy.yaml"
	exits 1 apply "$TMP/policy.yaml"
	grep -q 'engine kernel cannot do what the default rule asks: mode interactive' "$TMP/out" ||
		die 'the rule or the reason is not named'
	exits 1 pmctl check "$TMP/policy.yaml"
	is "$(snapshot)" "$before" 'refused policy'
}

# Rules for modes and paths need no BPF scheduler, and no module.
rules_without_schedulers() {
	world
	policy handover
	sed -i 's/^connections:/&\n  - { match: { port: 22 }, mode: interactive, paths: [wifi] }/' \
		"$TMP/policy.yaml"
	apply "$TMP/policy.yaml"
	is "$(scheduler)" default scheduler
	pmctl check "$TMP/policy.yaml" -j | python3 -c '
import json, sys
p, = json.load(sys.stdin)
assert p["engine"] == "userspace", p
assert p["engine_reason"] == "rule 1 has a mode of its own, interactive", p
assert p["needs_daemon"] is True, p'
}
