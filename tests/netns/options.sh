# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Socket options of subflows: congestion control by path. Sourced by run, whose world() and helpers,
# and those of ips.sh, it uses. Both ends are in the cgroup of ips.sh.

options_world() {
	world
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	mkdir -p "$CG" "$MPTCP_PM_BPFFS"
	mountpoint -q "$MPTCP_PM_BPFFS" || mount -t bpf bpf "$MPTCP_PM_BPFFS"
	export -f far_server begin
	in_group "$S" far_server &
	wait_for 30 listening
}
in_group() (
	echo "$BASHPID" >"$CG/cgroup.procs"
	exec ip netns exec "$1" bash -c "$2"
)
# congestion_policy WIFI LTE [LINES]: the keys of the paths
congestion_policy() {
	cat >"$TMP/policy.yaml" <<-END
		version: 1
		name: options
		paths:
		  - { name: wifi, match: { interface: "wlan*" }$1 }
		  - { name: lte, match: { interface: "wwan*" }$2 }
		connections:
		  - mode: aggregate
	END
	printf '%s\n' "${@:3}" >>"$TMP/policy.yaml"
}
# A connection that goes on until released(): TCP|MPTCP HOST [PREPARATION]
hold() {
	rm -f "$TMP/hold"
	mkfifo "$TMP/hold"
	client "$1" "$2" talk "${3:-}" <"$TMP/hold" >"$TMP/client" &
	HELD=$!
	exec 9>"$TMP/hold"
	wait_for 30 sockets_are "$([ "$1" = TCP ] && echo 1 || echo 2)" 9>&-
}
released() {
	exec 9>&-
	wait "$HELD"
	wait_for 10 sockets_are 0
}
sockets_are() { [ "$(ip netns exec "$C" ss -tnH state established | wc -l)" -eq "$1" ]; }
# Congestion control by local address, "ADDRESS NAME" a line: NAMESPACE
controls() {
	ip netns exec "$1" ss -tinHO state established |
		sed -E 's/\[::ffff:([0-9.]*)\]/\1/g; s/^[0-9]+ +[0-9]+ +([^ %]*[^ %:])(%[^ ]*)?:[0-9]+ .* (reno|cubic|bbr) .*/\1 \3/' | sort
}
controls_are() { # NAMESPACE LINE...
	is "$(controls "$1")" "$(printf '%s\n' "${@:2}")" "congestion control in $1"
}
usual_control() { ip netns exec "$1" sysctl -qw net.ipv4.tcp_congestion_control="$2"; }
congestion_pins() { find "$MPTCP_PM_BPFFS/mptcp-pm/congestion" -type f 2>/dev/null | wc -l; }
congestion_programs() { bpftool cgroup show "$CG" 2>/dev/null | grep -c ' congestion' || :; }

# Subflows of one connection differ, IPv4 and IPv6, first ones and joins, whichever end opens them.
congestion_by_path() {
	options_world
	usual_control "$C" reno
	usual_control "$S" reno
	congestion_policy ', congestion-control: cubic' ''
	apply "$TMP/policy.yaml" | grep -q '^+ congestion control of subflows on wlan0: cubic$' ||
		die 'apply does not say it'
	apply "$TMP/policy.yaml" | grep -q 'nothing to change' || die 'the same is a change'
	hold MPTCP 10.77.1.2
	controls_are "$C" '10.77.1.1 cubic' '10.77.2.1 reno'
	controls_are "$S" '10.77.1.2 reno' '10.77.1.2 reno'
	released
	hold MPTCP fd77:1::2
	controls_are "$C" '[fd77:1::1] cubic' '[fd77:2::1] reno'
	released
	hold TCP 10.77.1.2
	controls_are "$C" '10.77.1.1 reno'
	released
	# The other path, and the end that accepts.
	congestion_policy '' ', congestion-control: cubic'
	apply "$TMP/policy.yaml" | grep -q '^- congestion control of subflows on wlan0: cubic$' ||
		die 'apply does not say it'
	sed 's/wwan\*/s2/' "$TMP/policy.yaml" >"$TMP/server.yaml"
	pmctl apply "$TMP/server.yaml" --netns "$S"
	hold MPTCP 10.77.1.2
	controls_are "$C" '10.77.1.1 reno' '10.77.2.1 cubic'
	controls_are "$S" '10.77.1.2 cubic' '10.77.1.2 reno'
	# What there is stays as it is.
	congestion_policy '' ''
	apply "$TMP/policy.yaml"
	is "$(congestion_programs)" 1 'programs while the other namespace has some'
	controls_are "$C" '10.77.1.1 reno' '10.77.2.1 cubic'
	released
	hold MPTCP 10.77.1.2
	controls_are "$C" '10.77.1.1 reno' '10.77.2.1 reno'
	released
	pmctl unload --netns "$S"
	is "$(congestion_pins) $(congestion_programs)" '0 0' 'what is left'
	drop_namespaces
}

# An application that asked for another one keeps it; one that sets other options did not ask.
congestion_of_application() {
	options_world
	usual_control "$C" reno
	congestion_policy ', congestion-control: reno' ', congestion-control: cubic'
	apply "$TMP/policy.yaml"
	hold MPTCP 10.77.1.2 's.setsockopt(1, 9, 1)'
	controls_are "$C" '10.77.1.1 reno' '10.77.2.1 cubic'
	released
	hold MPTCP 10.77.1.2 's.setsockopt(6, 13, b"cubic")'
	controls_are "$C" '10.77.1.1 cubic' '10.77.2.1 cubic'
	released
	pmctl unload --netns "$C"
	drop_namespaces
}

# One the kernel lacks is refused, or left out, and nothing else.
congestion_refused() {
	local before
	options_world
	congestion_policy ', congestion-control: nosuch' ', congestion-control: cubic'
	before=$(snapshot)
	exits 3 apply "$TMP/policy.yaml"
	grep -q 'path "wifi": the kernel has no congestion control "nosuch"' "$TMP/out" || die 'no reason'
	grep -q 'available: .*reno' "$TMP/out" || die 'not what there is'
	is "$(snapshot) $(congestion_pins)" "$before 0" 'refused'
	echo 'fallback: allow' >>"$TMP/policy.yaml"
	exits 0 apply "$TMP/policy.yaml"
	grep -q '^left out: .*"nosuch"' "$TMP/out" || die 'it is not said to be left out'
	grep -q '^+ congestion control of subflows on wwan0: cubic$' "$TMP/out" || die 'the other path'
	! grep -q 'wlan0: nosuch' "$TMP/out" || die 'it was not left out'
	pmctl unload --netns "$C"
	congestion_policy ', congestion-control: cubic' ''
	exits 3 unshare -m bash -c \
		"umount '$CGROUP2' && exec '$PMCTL' apply '$TMP/policy.yaml' --netns '$C'"
	grep -q 'needs cgroup v2' "$TMP/out" || die 'no reason'
	exits 4 setpriv --bounding-set=-bpf --inh-caps=-bpf "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
	is "$(snapshot) $(congestion_pins)" "$before 0" 'refused'
	drop_namespaces
}

# Killed after each step; the next apply completes it, unload leaves nothing.
congestion_killed() {
	local step
	options_world
	usual_control "$C" reno
	congestion_policy ', congestion-control: cubic' ''
	for step in attached pinned; do
		exits 137 env MPTCP_PM_KILL_AT=$step "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
		[ "$step" = pinned ] || apply "$TMP/policy.yaml"
		pmctl unload --netns "$C"
		is "$(congestion_pins) $(congestion_programs)" '0 0' "what is left after $step"
	done
	exits 137 env MPTCP_PM_KILL_AT=pinned "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
	apply "$TMP/policy.yaml"
	hold MPTCP 10.77.1.2
	controls_are "$C" '10.77.1.1 cubic' '10.77.2.1 reno'
	released
	exits 137 env MPTCP_PM_KILL_AT=unpinned "$PMCTL" unload --netns "$C"
	pmctl unload --netns "$C"
	is "$(congestion_pins) $(congestion_programs)" '0 0' 'what is left'
	drop_namespaces
}

# The daemon: interfaces that come later, another policy, one that the kernel lacks.
congestion_by_daemon() {
	options_world
	rm -f "$TMP/daemon"
	usual_control "$C" reno
	congestion_policy ', congestion-control: nosuch' ', congestion-control: cubic'
	start_daemon
	is "$(grep -c 'path "wifi": the kernel has no congestion control "nosuch"' "$TMP/daemon")" 1 'times it is said'
	ip -n "$C" link del wwan0
	wait_for 10 congestion_is_empty
	link wwan0 2
	wait_for 10 grep -q 'congestion control of subflows on wwan0: cubic.*the policy has it' <(tail -n +5 "$TMP/daemon")
	wait_for 10 carrier wwan0
	wait_for 10 has_endpoint 10.77.2.1
	hold MPTCP 10.77.1.2
	controls_are "$C" '10.77.1.1 reno' '10.77.2.1 cubic'
	released
	is "$(grep -c nosuch "$TMP/daemon")" 1 'times it is said'
	congestion_policy ', congestion-control: cubic' ''
	exits 0 pmctl reload --netns "$C"
	grep -q 'leave congestion control on wwan0 to the kernel' "$TMP/daemon" || die 'not taken back'
	stop_daemon
	hold MPTCP 10.77.1.2
	controls_are "$C" '10.77.1.1 cubic' '10.77.2.1 reno'
	released
	pmctl unload --netns "$C"
	is "$(congestion_pins) $(congestion_programs)" '0 0' 'what is left'
	drop_namespaces
}
has_endpoint() { endpoints | grep -q "$1"; }
congestion_is_empty() { [ "$(congestion_pins)" -eq 0 ]; }

run_test 'congestion control by path' congestion_by_path
run_test 'congestion control of an application' congestion_of_application
run_test 'congestion control that cannot be had' congestion_refused
run_test 'congestion control, killed at every step' congestion_killed
run_test 'congestion control and the daemon' congestion_by_daemon
