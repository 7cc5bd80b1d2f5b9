# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What needs BPF but not the module, on the kernel of the guest: it loads, works and goes. How well
# it works is tested in tests/netns. Sourced by run.

BPFFS=/sys/fs/bpf/mptcp-pm

level1_policy() {
	cat >"$1" <<-EOF
		version: 1
		name: level1
		paths:
		  - name: wifi
		    match: { interface: "wlan*" }
		  - name: lte
		    match: { interface: "wwan*" }
		connections:
		  - mode: aggregate
		guard:
		  mp-prio: never-empty
		  rm-addr: probe
		  join-rate: 600
		establish:
		  robe: [ips, timer]
	EOF
}

rescued() {
	local line
	line=$(pmctl status --netns "$NET_CLIENT" | grep '^rescue')
	printf '%s\n' "$line"
	[[ $line =~ asked\ [1-9][0-9]*,\ rescued\ 1, ]]
}

# Programs of tcx, cgroup, sockops, tracepoints and iterators, while bytes pass them.
level1_applies() {
	local policy wifi lte watch
	policy=$(mktemp)
	mount_cgroups
	level1_policy "$policy"
	ip netns exec "$NET_CLIENT" ip mptcp endpoint flush
	pmctl apply "$policy" --netns "$NET_CLIENT"
	pmctl apply "$policy" --netns "$NET_CLIENT" | grep 'nothing to change'
	"$PMCTL" path watch --netns "$NET_CLIENT" --seconds 60 &
	watch=$!
	wait_for 20 pmctl path health --netns "$NET_CLIENT"
	wifi=$(sent_bytes wifi) lte=$(sent_bytes lte)
	upload 10.1.9.1 --bytes 2000000 --warm 1 --subflows 1
	both_paths_since "$wifi" "$lte"
	pmctl path health --netns "$NET_CLIENT" | grep -E 'wlan0 +10\.1\.1\.1'
	pmctl -j status --netns "$NET_CLIENT" | python3 -c '
import json, sys
guards = json.load(sys.stdin)["guard"]
assert {g["dev"] for g in guards} == {"wlan0", "wwan0"}, guards'
	pmctl path learn show --netns "$NET_CLIENT" | grep -E 'wlan0 .*10\.1\.9\.0/24'
	# Else what was learned may have it begin on the other path at once.
	sed -i 's/robe: .*/robe: [timer]/' "$policy"
	pmctl apply "$policy" --netns "$NET_CLIENT"
	net_blackhole wifi
	upload 10.1.9.1 --bytes 1000
	rescued || die 'the other path was not asked, or did not answer first'
	net_heal wifi
	kill "$watch"
	wait "$watch" || :
	pmctl unload --force --netns "$NET_CLIENT"
	[ -z "$(find "$BPFFS" -type f)" ] || die "left pinned: $(find "$BPFFS" -type f)"
	net_endpoints
	rm "$policy"
}

asks_for_mptcp() { # NUMBER COMMAND...: so many more SYNs have MP_CAPABLE
	local want=$1 before
	shift
	before=$(mib "$NET_CLIENT" MPCapableSYNTX)
	"$@"
	[ $(($(mib "$NET_CLIENT" MPCapableSYNTX) - before)) -eq "$want" ] ||
		die "$(($(mib "$NET_CLIENT" MPCapableSYNTX) - before)) SYNs ask for MPTCP, not $want: $*"
}

tcp_request() { net_client bash -c 'exec 3<>/dev/tcp/10.1.9.1/'"$PORT"'; echo get 10 1 >&3; head -c 10 <&3 >/dev/null'; }

# A program that asks for TCP gets MPTCP, by its name.
programs_get_mptcp() {
	local policy
	policy=$(mktemp)
	mount_cgroups
	printf '%s\n' 'version: 1' 'name: programs' 'connections:' \
		'  - match: { executable: bash }' '    mptcpify: on' '  - mode: aggregate' >"$policy"
	asks_for_mptcp 0 tcp_request
	pmctl apply "$policy" --netns "$NET_CLIENT"
	asks_for_mptcp 1 tcp_request
	pmctl unload --netns "$NET_CLIENT"
	asks_for_mptcp 0 tcp_request
	rm "$policy"
}

# Congestion control by path and marks by rule, on the sockets of a connection.
socket_options() {
	local policy client
	policy=$(mktemp)
	mount_cgroups
	net_client sysctl -qw net.ipv4.tcp_congestion_control=reno
	net_client ip mptcp endpoint flush
	cat >"$policy" <<-EOF
		version: 1
		name: options
		paths:
		  - { name: wifi, match: { interface: "wlan*" }, congestion-control: cubic }
		  - { name: lte, match: { interface: "wwan*" } }
		connections:
		  - { match: { port: $PORT }, mark: 16 }
		  - mode: aggregate
	EOF
	pmctl apply "$policy" --netns "$NET_CLIENT"
	pmctl apply "$policy" --netns "$NET_CLIENT" | grep 'nothing to change'
	net_client "$TRAFFIC" client echo --host 10.1.9.1 --port "$PORT" --bytes 200 --count 200 \
		--interval-ms 100 --timeout 60 --warm 1 --subflows 1 &
	client=$!
	wait_for 30 options_are 10.1.1.1 cubic || die "wifi: $(net_client ss -tineHO)"
	wait_for 30 options_are 10.1.2.1 reno || die "lte: $(net_client ss -tineHO)"
	kill "$client"
	wait "$client" || : # killed
	pmctl unload --netns "$NET_CLIENT"
	[ -z "$(find "$BPFFS" -type f)" ] || die "left pinned: $(find "$BPFFS" -type f)"
	net_endpoints
	rm "$policy"
}
options_are() { # ADDRESS CONGESTION CONTROL
	net_client ss -tineHO state established src "$1" | grep "fwmark:0x10 .* $2 "
}

resets_have_reasons() {
	local policy
	policy=$(mktemp)
	printf '%s\n' 'version: 1' 'name: resets' 'paths:' '  - name: any' '    match: { interface: "w*" }' \
		'reset: { emit: { unacceptable-performance: { transient: true } } }' >"$policy"
	pmctl apply "$policy" --netns "$NET_CLIENT"
	pmctl -j status --netns "$NET_CLIENT" | python3 -c '
import json, sys
resets = json.load(sys.stdin)["resets"]
assert {r["dev"] for r in resets} == {"wlan0", "wwan0"}, resets'
	pmctl unload --netns "$NET_CLIENT"
	[ -z "$(find "$BPFFS/reset" -type f)" ] || die "left pinned: $(find "$BPFFS/reset" -type f)"
	rm "$policy"
}

level1_tests() {
	t 'guard, establishment and oracle' level1_applies
	t 'a program gets MPTCP unasked' programs_get_mptcp
	t 'congestion control and marks' socket_options
	t 'resets with a reason' resets_have_reasons
}
