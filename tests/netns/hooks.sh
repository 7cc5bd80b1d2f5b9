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

# Without the rights that the oracle takes: said once, and the path is left by what the sockets show,
# later.
oracle_missing() {
	world
	rm -f "$TMP/daemon"
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	daemon_policy interactive
	ip netns exec "$C" setpriv --inh-caps=-all --bounding-set=-all,+net_admin,+dac_read_search \
		"$PMCTL" daemon --policy "$TMP/policy.yaml" >>"$TMP/daemon" 2>&1 &
	DAEMON=$!
	wait_for 15 pmctl path list --netns "$C"
	is "$(grep -c 'no oracle, paths are sampled each 500 ms instead' "$TMP/daemon")" 1 'times it is said'
	serve
	talk 40
	drops
	talked 2500
	echo "without the oracle: longest gap $(gap_of) ms"
	grep -q 'wifi is bad' "$TMP/daemon" || die 'no reason in the log'
	end_world
}

# guard EXPRESSION: python about what is guarded, g, by device
guard_is() {
	pmctl status --netns "$C" -j | python3 -c '
import json, sys
g = {x["dev"]: x for x in json.load(sys.stdin).get("guard", [])}
sys.exit(not ('"$1"'))'
}
# Attached, as the kernel has it.
has_tcx() { ip netns exec "$C" bpftool net show dev "$1" | grep -q 'tcx/ingress'; }

# The daemon alone: it guards, finishes what the guard began, follows interfaces and the policy.
guard_by_daemon() {
	world
	rm -f "$TMP/daemon"
	guard_policy 'rm-addr: probe'
	start_daemon
	guard_is 'sorted(g) == ["wlan0", "wwan0"]' || die 'not guarded'
	guard_traffic 10.77.1.2 20
	# One that is forged, for a path that lives: refused, looked into, and left.
	inject "$REMOVE_5" 1
	wait_for 30 grep -q 'address id 5 was withdrawn, but is alive: its subflow stays' "$TMP/daemon"
	established_are 2 || die 'the subflow did not stay'
	# One that is meant.
	black_hole
	ip -n "$S" mptcp endpoint del id 5
	wait_for 30 grep -q 'close the subflow from 10.77.[12].1:[0-9]* to 10.77.2.2:7777 .*the peer withdrew address id 5' "$TMP/daemon"
	wait_for 5 established_are 1
	# An interface that comes later.
	ip -n "$C" link del wwan0
	ip netns exec "$S" nft delete table inet hole
	wait_for 10 guard_is 'sorted(g) == ["wlan0"]' || die 'one that is gone'
	link wwan0 2
	wait_for 10 has_tcx wwan0
	wait_for 5 grep -q 'guard wwan0: .*rm-addr probe.*: the policy guards its path' <(tail -n +2 "$TMP/daemon")
	# Another policy, and the first one again.
	sed -i '/^guard:/d' "$TMP/policy.yaml"
	exits 0 pmctl reload --netns "$C"
	guard_is 'not g' || die 'still guarded'
	! has_tcx wlan0 || die 'still attached'
	guard_policy 'rm-addr: probe'
	exits 0 pmctl reload --netns "$C"
	has_tcx wlan0 || die 'not guarded again'
	# What guards does not go with the daemon, nor does the connection.
	stop_daemon
	has_tcx wlan0 || die 'unguarded when the daemon ended'
	established_are 1 || die 'a connection was lost'
	drop_namespaces
}

rescue_daemon() {
	"$PMCTL" daemon --netns "$NET_CLIENT" --policy "$TMP/policy.yaml" >>"$TMP/daemon" 2>&1 &
	# shellcheck disable=SC2034 # for stop_daemon
	DAEMON=$!
	wait_for 15 pmctl path list --netns "$NET_CLIENT" || die "no daemon: $(cat "$TMP/daemon")"
}
# A rescued connection gets its proper subflow, and the first path is used once it works.
rescue_by_daemon() { # ENGINE MODE ADDRESS, OF wlan0, OF wwan0
	rm -f "$TMP/daemon"
	rescue_world ''
	rescue_policy timer
	sed -i "s/mode: aggregate/mode: $2/" "$TMP/policy.yaml"
	echo "engine: $1" >>"$TMP/policy.yaml"
	rescue_daemon
	is "$(rescue_list -j | grep -o '"devs":\[[^]]*\]')" '"devs":["wlan0","wwan0"]' 'interfaces'
	net_blackhole wifi
	rescue_hold "$3"
	wait_for 5 rescue_is_on "$5"
	wait_for 5 rescue_nobody_rides
	is "$(rescue_on "$4")" 0 'subflows from wlan0'
	grep -q 'close the first subflow.*rescue: a proper subflow is on the path that it rode' "$TMP/daemon" ||
		die 'no reason in the log'
	net_heal wifi
	wait_for 10 rescue_is_on "$4"
	rescue_release # and it was MPTCP
	is "$(rescue_counter MPTcpExtMPCapableSYNTXDrop)" 0 'SYNs without MPTCP'
	is "$(rescue_accepts)" 1 accepts
	# Interfaces come and go.
	net_client ip link set wwan0 down
	net_client ip link set wwan0 name eth7
	net_client ip link set eth7 up
	wait_for 5 rescue_devs_are '"wlan0"'
	net_client ip link set eth7 down
	net_client ip link set eth7 name wwan0
	net_client ip link set wwan0 up
	wait_for 5 rescue_devs_are '"wlan0","wwan0"'
	sed -i '/^establish:/,/timer: /d' "$TMP/policy.yaml"
	exits 0 pmctl reload --netns "$NET_CLIENT"
	exits 1 rescue_list
	stop_daemon
}
rescue_devs_are() { rescue_list -j | grep -qF "\"devs\":[$1]"; }

# What connections taught is in the file when the daemon has ended; MPTCP that the kernel switched
# off is on again; connections begin on interfaces that came later.
learn_by_daemon() {
	local talk file
	far_world
	rm -f "$TMP/daemon" "$TMP/say"
	ips_policy 0%
	apply "$TMP/policy.yaml"
	start_daemon
	mkfifo "$TMP/say"
	client MPTCP "$FAR" talk <"$TMP/say" >"$TMP/client" &
	talk=$!
	exec 9>"$TMP/say"
	wait_for 30 two_subflows 9>&-
	exec 9>&-
	wait "$talk"
	wait_for 30 state_is ok wwan0
	middlebox
	is "$(client MPTCP "$FAR" 1 "s.setsockopt(1, 25, b'wlan0')" | cut -d ' ' -f 3)" TCP 'the first one'
	is "$(counter MPTcpExtBlackhole)" 1 MPTcpExtBlackhole
	wait_for 5 grep -q 'restore MPTCP, .*: wwan0 let it through' "$TMP/daemon"
	is "$(client MPTCP "$FAR" 1 's.setsockopt(1, 25, b"wwan0")' | cut -d ' ' -f 1,3)" \
		'10.77.2.1 MPTCP' 'MPTCP is on again'
	ip -n "$C" link del wwan0
	link wwan0 2
	wait_for 10 grep -q 'connections may begin on wwan0' "$TMP/daemon"
	stop_daemon
	file=$(find "$TMP/state" -name 'learned-*')
	[ -n "$file" ] && grep -q wlan0 "$file" || die 'nothing was saved'
	pmctl unload --netns "$C"
	drop_namespaces
}
