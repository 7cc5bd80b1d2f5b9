# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Socket options of subflows: congestion control by path, marks by rule. Sourced by run, whose
# world() and helpers, and those of ips.sh, it uses. Both ends are in the cgroup of ips.sh.

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
	rm -f "$TMP/held"
	mkfifo "$TMP/held"
	client "$1" "$2" talk "${3:-}" <"$TMP/held" >"$TMP/client" &
	HELD=$!
	exec 9>"$TMP/held"
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
congestion_pins() { find "$MPTCP_PM_BPFFS/mptcp-pm/congestion-control" -type f 2>/dev/null | wc -l; }
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
	# With the rights that its unit gives it, where cgroups are to be seen, as by `ip netns exec` they
	# are not.
	nsenter --net="/run/netns/$C" setpriv --inh-caps=-all \
		--bounding-set=-all,+net_admin,+dac_read_search,+net_raw,+bpf,+perfmon \
		"$PMCTL" daemon --policy "$TMP/policy.yaml" >>"$TMP/daemon" 2>&1 &
	# shellcheck disable=SC2034 # for stop_daemon
	DAEMON=$!
	wait_for 15 pmctl path list --netns "$C" || die "no daemon: $(cat "$TMP/daemon")"
	is "$(grep -c 'path "wifi": the kernel has no congestion control "nosuch"' "$TMP/daemon")" 1 'times it is said'
	wait_for 10 has_endpoint 10.77.2.1
	hold MPTCP 10.77.1.2
	ip -n "$C" link del wwan0
	wait_for 10 congestion_is_empty
	wait_for 10 sockets_are 1
	# The connection that goes on joins as soon as it can, and by then it is known.
	link wwan0 2
	wait_for 10 carrier wwan0
	wait_for 10 sockets_are 2
	controls_are "$C" '10.77.1.1 reno' '10.77.2.1 cubic'
	released
	is "$(grep -c 'congestion control of subflows on wwan0: cubic.*the policy has it' "$TMP/daemon")" 2 'times it is set'
	is "$(grep -c nosuch "$TMP/daemon")" 1 'times it is said'
	congestion_policy ', congestion-control: cubic' ''
	exits 0 pmctl reload --netns "$C"
	grep -q 'leave congestion control on wwan0 to the kernel' "$TMP/daemon" || die 'not taken back'
	told '{(p["path"], p.get("congestion_control")) for p in o["paths"]} == {("wifi", "cubic"), ("lte", None)}' \
		explain --to 10.77.1.2:443 || die "$(pmctl explain --to 10.77.1.2:443 --netns "$C")"
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

# marks_policy LINE...: rules
marks_policy() {
	cat >"$TMP/policy.yaml" <<-END
		version: 1
		name: options
		paths:
		  - { name: wifi, match: { interface: "wlan*" } }
		  - { name: lte, match: { interface: "wwan*" } }
		connections:
		$(printf '  - %s\n' "$@")
	END
}
# One more cgroup, $APP, and a count of what leaves, by mark.
marks_world() {
	options_world
	APP=$CG/app
	# shellcheck disable=SC2064 # the group of now
	trap "drop_namespaces; rmdir $APP" EXIT
	mkdir "$APP"
	ip netns exec "$C" nft -f - <<-'END'
		table inet marks {
			chain out {
				type filter hook output priority 0
				tcp flags & (syn | ack) == syn meta mark 0 counter comment "0"
				tcp flags & (syn | ack) == syn meta mark 16 counter comment "16"
				tcp flags & (syn | ack) == syn meta mark 17 counter comment "17"
				tcp flags & (syn | ack) == syn meta mark 18 counter comment "18"
			}
		}
	END
}
# SYNs that left with the mark
syns() {
	ip netns exec "$C" nft list chain inet marks out | sed -n "s/.*counter packets \([0-9]*\) .*comment \"$1\"/\1/p"
}
# A connection of two subflows has so many SYNs with the mark: COUNT MARK hold's ARGUMENTS
marks_syns() {
	local before
	before=$(syns "$2")
	hold "${@:3}"
	is "$(($(syns "$2") - before))" "$1" "SYNs with mark $2 of $*"
	released
}
# Marks by local address, "ADDRESS MARK" a line: NAMESPACE
marks() {
	ip netns exec "$1" ss -tenHO state established | sed -E 's/\[::ffff:([0-9.]*)\]/\1/g' |
		awk '{ sub(/(%[^ ]*)?:[0-9]+$/, "", $3); print $3, match($0, /fwmark:[0-9a-fx]*/) ? substr($0, RSTART + 7, RLENGTH - 7) : 0 }' | sort
}
AS_NOBODY='import os; os.setuid(65534); s.close(); s = socket.socket(family, socket.SOCK_STREAM, 262)'

# The first subflow and joins, of those that match alone; IPv4 and IPv6.
marks_by_rule() {
	marks_world
	marks_policy "{ match: { cgroup: /${APP#"$CGROUP2"/} }, mark: 16 }" '{ match: { uid: 65534 }, mark: 17 }' \
		'{ match: { port: 7777, prefix: fd77:1::2, role: client }, mark: 18 }' '{ mode: aggregate }'
	apply "$TMP/policy.yaml" >"$TMP/out"
	grep -q "^+ rule 1: mark 16 (0x10) for cgroup /${APP#"$CGROUP2"/}\$" "$TMP/out" || die "$(cat "$TMP/out")"
	apply "$TMP/policy.yaml" | grep -q 'nothing to change' || die 'the same is a change'
	CG=$APP marks_syns 2 16 MPTCP 10.77.1.2
	CG=$APP marks_syns 2 16 MPTCP fd77:1::2 's.setsockopt(1, 9, 1)'
	marks_syns 2 17 MPTCP 10.77.1.2 "$AS_NOBODY"
	marks_syns 2 18 MPTCP fd77:1::2
	marks_syns 2 0 MPTCP 10.77.1.2
	CG=$APP marks_syns 1 0 TCP 10.77.1.2
	# An application's own mark stays, as that of its joins.
	CG=$APP marks_syns 2 18 MPTCP 10.77.1.2 's.setsockopt(1, 36, 18)'
	# The default rule, and one without.
	marks_policy "{ match: { cgroup: /${APP#"$CGROUP2"/} }, mark: 0 }" '{ mode: aggregate, mark: 17 }'
	apply "$TMP/policy.yaml"
	CG=$APP marks_syns 2 0 MPTCP 10.77.1.2
	marks_syns 2 17 MPTCP 10.77.1.2
	pmctl unload --netns "$C" | grep -q '^- default rule: mark 17 (0x11)$' || die 'unload does not say it'
	is "$(mark_pins) $(mark_programs)" '0 0' 'what is left'
	options_endpoints
	marks_syns 2 0 MPTCP 10.77.1.2
	drop_namespaces
}
# Joins without a policy.
options_endpoints() { ip -n "$C" mptcp endpoint add 10.77.2.1 dev wwan0 subflow; }
mark_pins() { find "$MPTCP_PM_BPFFS/mptcp-pm/mark" -type f 2>/dev/null | wc -l; }
mark_programs() { bpftool cgroup show "$CG" 2>/dev/null | grep -c ' mark_' || :; }

# It is there when the route is looked up; and what is accepted has it from the SYN/ACK on.
marks_and_routes() {
	marks_world
	marks_policy "{ match: { cgroup: /${APP#"$CGROUP2"/} }, mark: 16 }" '{ mode: aggregate }'
	apply "$TMP/policy.yaml"
	ip -n "$C" route add default via 10.77.2.2 dev wwan0 table 100
	ip -n "$C" route add default via fd77:2::2 dev wwan0 table 100
	ip -n "$C" rule add fwmark 16 lookup 100
	ip -n "$C" -6 rule add fwmark 16 lookup 100
	ip -n "$S" addr add "$FAR/32" dev lo
	ip -n "$S" addr add "$FAR6/128" dev lo nodad
	is "$(CG=$APP client MPTCP "$FAR" | sources) $(CG=$APP client MPTCP "$FAR6" | sources)" \
		'1x 10.77.2.1 1x fd77:2::1' 'first subflows with the mark'
	is "$(client MPTCP "$FAR" | sources) $(client MPTCP "$FAR6" | sources)" \
		'1x 10.77.1.1 1x fd77:1::1' 'first subflows without it'
	wait_for 10 sockets_are 0
	marks_policy '{ match: { role: client, port: 1-65535 }, mark: 5 }' \
		'{ match: { local-port: 7777, role: server, prefix: 10.77.1.1 }, mark: 32 }' '{ mode: aggregate }'
	pmctl apply "$TMP/policy.yaml" --netns "$S"
	ip netns exec "$S" nft -f - <<-'END'
		table inet marks {
			chain out {
				type filter hook output priority 0
				tcp sport 7777 tcp flags & (syn | ack) == (syn | ack) meta mark 0 counter comment "SYN/ACK"
				tcp sport 7777 tcp flags & syn == 0 meta mark != 32 counter comment "rest"
			}
		}
	END
	hold MPTCP 10.77.1.2
	is "$(marks "$S")" "$(printf '%s\n' '10.77.1.2 0x20' '10.77.1.2 0x20')" 'marks of the server'
	is "$(ip netns exec "$S" nft list chain inet marks out | sed -n 's/.*counter packets \([0-9]*\) .*comment "\(.*\)"/\2: \1/p' | paste -s -d ' ')" \
		'SYN/ACK: 2 rest: 0' 'what the server sent'
	released
	hold MPTCP fd77:1::2
	is "$(marks "$S" | cut -d ' ' -f 2 | paste -s -d ' ')" '0 0' 'marks of another prefix'
	released
	pmctl unload --netns "$S"
	pmctl unload --netns "$C"
	is "$(mark_pins) $(mark_programs)" '0 0' 'what is left'
	drop_namespaces
}

# Killed after each step; and where it cannot be had.
marks_killed() {
	local step before
	marks_world
	before=$(snapshot)
	marks_policy '{ mode: aggregate, mark: 16 }'
	exits 3 unshare -m bash -c \
		"umount '$CGROUP2' && exec '$PMCTL' apply '$TMP/policy.yaml' --netns '$C'"
	grep -q 'needs cgroup v2' "$TMP/out" || die 'no reason'
	exits 4 setpriv --bounding-set=-bpf --inh-caps=-bpf "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
	is "$(snapshot) $(mark_pins)" "$before 0" 'refused'
	for step in attached pinned; do
		exits 137 env MPTCP_PM_KILL_AT=$step "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
		[ "$step" = pinned ] || apply "$TMP/policy.yaml"
		pmctl unload --netns "$C"
		is "$(mark_pins) $(mark_programs)" '0 0' "what is left after $step"
	done
	exits 137 env MPTCP_PM_KILL_AT=pinned "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
	apply "$TMP/policy.yaml"
	is "$(mark_programs)" 3 'programs'
	marks_syns 2 16 MPTCP 10.77.1.2
	exits 137 env MPTCP_PM_KILL_AT=unpinned "$PMCTL" unload --netns "$C"
	pmctl unload --netns "$C"
	is "$(mark_pins) $(mark_programs)" '0 0' 'what is left'
	drop_namespaces
}

# As they are shipped; the kernel may have no BBR.
shipped_options() {
	options_world
	apply policies/mobile-bbr.yaml >"$TMP/out"
	cat "$TMP/out"
	grep -q '^+ congestion control of subflows on wlan0: cubic$' "$TMP/out" || die 'not cubic'
	grep -qE '^\+ congestion control of subflows on wwan0: bbr$|^left out: .*"bbr"' "$TMP/out" || die 'not bbr'
	is "$(endpoints)" "$(want_endpoints subflow subflow)" endpoints
	apply policies/marked.yaml >"$TMP/out"
	cat "$TMP/out"
	grep -q '^+ rule 2: mark 16 (0x10) for port 873$' "$TMP/out" || die 'no mark'
	is "$(congestion_pins)" 0 'pins of the other policy'
	pmctl unload --netns "$C"
	is "$(mark_pins) $(mark_programs)" '0 0' 'what is left'
	drop_namespaces
}

run_test 'congestion control by path' congestion_by_path
run_test 'congestion control of an application' congestion_of_application
run_test 'congestion control that cannot be had' congestion_refused
run_test 'congestion control, killed at every step' congestion_killed
run_test 'congestion control and the daemon' congestion_by_daemon
run_test 'marks by rule' marks_by_rule
run_test 'marks, routes and what is accepted' marks_and_routes
run_test 'marks, killed at every step' marks_killed
run_test 'policies/mobile-bbr.yaml and marked.yaml' shipped_options
