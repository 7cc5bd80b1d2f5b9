# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The guard, against a host on the path that forges options. Sourced by tests/netns/run.

INJECT=$(realpath -m "${O:-build}/tools/inject")
BACKUP=1e0351      # MP_PRIO, B=1
REMOVE_5=1e044005  # REMOVE_ADDR of id 5, that of 10.77.2.2

# guard_policy KEYS OF guard:, or nothing for the kernel as it is. Addresses are announced only, so
# that the one more subflow is to the server's second address.
guard_policy() {
	cat >"$TMP/policy.yaml" <<-END
		version: 1
		name: netns-guard
		paths:
		  - name: wifi
		    match: { interface: "wlan*" }
		    endpoint: [signal]
		    trust: low
		  - name: lte
		    match: { interface: "wwan*" }
		    endpoint: [signal]
		    trust: ${TRUST_OF_LTE:-low}
		limits: { subflows: 8, add-addr-accepted: 8 }
		${1:+guard: { $1 \}}
	END
}

# The kernel lets go of a subflow at once; that its last bytes are still tried for a while is TCP's.
established_are() { [ "$(ip netns exec "$C" ss -Htn state established | wc -l)" -eq "$1" ]; }

# Two subflows, one to each address of the server; wlan0 carries everything. SERVER INTERVAL_MS
guard_traffic() {
	local second=10.77.2.2
	[[ $1 != *:* ]] || second=fd77:2::2
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 0
	# An address that found no room in a segment is announced again soon.
	ip netns exec "$S" sysctl -qw net.mptcp.add_addr_timeout=1
	ip -n "$S" mptcp endpoint add "$second" dev s2 id 5 signal
	ip netns exec "$S" "$TRAFFIC" server --port 7777 &
	wait_for 30 listening
	ip netns exec "$C" "$TRAFFIC" client echo --host "$1" --port 7777 --bytes 3000 \
		--count 100000 --interval-ms "$2" --warm 1 --subflows 1 --timeout 100 &
	wait_for 30 established_are 2
}

guard_world() { # KEYS OF guard:, SERVER, INTERVAL_MS
	world
	guard_policy "$1"
	apply "$TMP/policy.yaml"
	# Addresses that both sides announce at once can get into each other's way.
	ip -n "$C" mptcp endpoint flush
	guard_traffic "${2:-10.77.1.2}" "${3:-20}"
}

# inject OPTION COUNT [OPTIONS]: into the flow over wlan0
inject() {
	local to=10.77.1.1
	ip netns exec "$C" ss -Htn | grep -q '\[fd77' && to=fd77:1::1
	ip netns exec "$S" "$INJECT" --dev s1 --to "$to" --port 7777 --option "$1" --count "$2" \
		"${@:3}"
}

# One that counts: the numbers of a flow that goes on may be old when a segment is sent.
# takes OPTION COUNTER VALUE [OPTIONS]: until the counter of the connection says so
takes() {
	local end=$((SECONDS + 30))
	until counter_is "$2" "$3"; do
		[ $SECONDS -lt $end ] || return 1
		inject "$1" 1 "${@:4}"
	done
}

# guarded KEY [DEV]: a counter of the guard
guarded() {
	pmctl status --netns "$C" -j | python3 -c '
import json, sys
g = {x["dev"]: x for x in json.load(sys.stdin)["guard"]}
print(g[sys.argv[2]][sys.argv[1]])' "$1" "${2:-wlan0}"
}
guarded_is() { [ "$(guarded "$1" "${3:-wlan0}")" -eq "$2" ]; }
counter_is() { [ "$(counter "$1")" -eq "$2" ]; }
# Since MARK was set: which of the two carries the traffic? More than 60 kB are 10 rounds or more.
mark() { MARK=("$(sent wlan0)" "$(sent wwan0 2>/dev/null || echo 0)"); }
carries() {
	local n=$1 other=$((1 - $1)) now
	now=("$(sent wlan0)" "$(sent wwan0 2>/dev/null || echo 0)")
	[ $((now[n] - MARK[n])) -gt 60000 ] && [ $((now[other] - MARK[other])) -lt 20000 ]
}
subflows_are() {
	pmctl conn list --netns "$C" -j |
		python3 -c 'import json,sys; assert [c["nr_subflows"] for c in json.load(sys.stdin)] == [int(sys.argv[1])]' "$1"
}

# One forged MP_PRIO moves the traffic of a stock kernel; of a hundred, none reaches a guarded one.
guard_prio() { # SERVER
	guard_world '' "$1"
	mark
	wait_for 30 carries 0 || die 'wlan0 does not carry the traffic'
	takes $BACKUP MPTcpExtMPPrioRx 1 || die 'a stock kernel ignored it'
	mark
	wait_for 30 carries 1 || die 'the traffic of a stock kernel was not moved'
	guard_world 'mp-prio: { action: ignore-backup, trust-below: normal }' "$1"
	inject $BACKUP 100 --interval-ms 5
	is "$(guarded mp_prio_ignored)" 100 'MP_PRIO taken out'
	is "$(counter MPTcpExtMPPrioRx)" 0 'MP_PRIO that reached the connection'
	mark
	wait_for 30 carries 0 || die 'the traffic was moved'
	# No longer being a backup is no harm.
	takes 1e0350 MPTcpExtMPPrioRx 1 || die 'B=0 was taken out as well'
}

guard_remove() { # SERVER
	guard_world '' "$1"
	takes $REMOVE_5 MPTcpExtRmAddr 1 || die 'a stock kernel ignored it'
	wait_for 30 subflows_are 1 || die 'a stock kernel kept the subflow'
	guard_world 'rm-addr: probe' "$1"
	inject $REMOVE_5 100 --interval-ms 5
	is "$(guarded rm_addr_ignored)" 100 'REMOVE_ADDR taken out'
	is "$(counter MPTcpExtRmAddr)" 0 'REMOVE_ADDR that reached the connection'
	subflows_are 2 || die 'the subflow was closed'
	# Of several ids only those of living paths are taken out: nobody has 9.
	takes 1e05400905 MPTcpExtRmAddr 1 || die 'the id that is nobody'\''s did not get through'
	[ "$(guarded rm_addr_ignored)" -gt 100 ] || die 'the other id was not taken out'
	subflows_are 2 || die 'the subflow was closed by the second of two ids'
}

# A subflow may become a backup as long as another is none.
guard_never_empty() {
	guard_world 'mp-prio: never-empty'
	takes $BACKUP MPTcpExtMPPrioRx 1 || die 'the first of two was refused'
	mark
	wait_for 30 carries 1 || die 'the traffic did not move'
	ip netns exec "$S" "$INJECT" --dev s2 --to 10.77.2.1 --port 7777 --option $BACKUP --count 20
	is "$(counter MPTcpExtMPPrioRx)" 1 'the last one became a backup'
	is "$(guarded mp_prio_ignored wwan0)" 20 'MP_PRIO taken out'
	# The peer means it, but what would be left is no better.
	ip -n "$S" mptcp endpoint change id 5 backup
	wait_for 30 guarded_is mp_prio 21 wwan0
	is "$(counter MPTcpExtMPPrioRx)" 1 "the peer's own MP_PRIO for the last one"
}

guard_rate() {
	guard_world 'mp-prio: { action: rate, per-minute: 3 }' 10.77.1.2 500
	inject $BACKUP 10
	wait_for 30 guarded_is mp_prio 10
	is "$(counter MPTcpExtMPPrioRx)" 3 'MP_PRIO obeyed'
	is "$(guarded mp_prio_ignored)" 7 'MP_PRIO taken out'
	inject 1e045103 1
	is "$(guarded mp_prio_old)" 1 'MP_PRIO of the old draft'
}

# The server announces 10.77.2.2, without a port: that of the connection is meant.
guard_add_addr() {
	world
	guard_policy 'add-addr: [ { prefix: 10.77.2.0/24, port: 7776 }, { prefix: 10.78.0.0/16 } ]'
	apply "$TMP/policy.yaml"
	ip -n "$C" mptcp endpoint flush
	guard_traffic 10.77.1.2 20 >/dev/null 2>&1 &
	taken_out() { [ "$(guarded add_addr_ignored)" -ge 1 ]; }
	wait_for 30 taken_out || die 'it was not taken out'
	is "$(counter MPTcpExtAddAddr)" 0 'an address that is not listed'
	guard_world 'add-addr: [ { prefix: 10.77.2.0/24, port: 7000-7777 }, { prefix: "fd00::/8" } ]'
	[ "$(counter MPTcpExtAddAddr)" -ge 1 ] || die 'an address that is listed did not get through'
	is "$(guarded add_addr_ignored)" 0 'taken out'
}

# The server is guarded: of four subflows the client asks for, one gets in.
guard_joins() {
	world
	cat >"$TMP/policy.yaml" <<-END
		version: 1
		name: netns-guard
		paths: [ { name: all, match: { interface: "s*" }, endpoint: [signal] } ]
		limits: { subflows: 8 }
		guard: { join-rate: 1 }
	END
	pmctl apply "$TMP/policy.yaml" --netns "$S"
	ip -n "$C" mptcp limits set subflow 8 add_addr_accepted 0
	for i in 3 4 5 6; do
		ip -n "$C" addr add "10.77.1.$i/24" dev wlan0
		ip -n "$C" mptcp endpoint add "10.77.1.$i" dev wlan0 subflow
	done
	ip netns exec "$S" "$TRAFFIC" server --port 7777 &
	wait_for 30 listening
	ip netns exec "$C" "$TRAFFIC" client echo --host 10.77.1.2 --port 7777 --bytes 3000 \
		--count 100000 --interval-ms 20 --timeout 100 &
	joined() { [ "$(pmctl status --netns "$S" -j | python3 -c '
import json, sys
g = {x["dev"]: x for x in json.load(sys.stdin)["guard"]}["s1"]
print(g["join"] >= 4 and g["join"] - g["join_dropped"])')" = 1 ]; }
	wait_for 30 joined || die "$(pmctl status --netns "$S")"
	is "$(ip netns exec "$S" nstat -asz MPTcpExtMPJoinSynRx | awk '/Join/ { print $2 }')" 1 \
		'joins that reached the server'
}

# Headers that a look at the first bytes would miss: what a stock kernel obeys is obeyed here not.
guard_hidden() {
	guard_world ''
	takes $BACKUP MPTcpExtMPPrioRx 1 --fragment || die 'a stock kernel did not put it together'
	guard_world 'mp-prio: ignore-all'
	inject $BACKUP 5 --fragment
	is "$(guarded hidden)" 5 'fragments dropped'
	is "$(counter MPTcpExtMPPrioRx)" 0 'MP_PRIO in fragments'
	guard_world '' fd77:1::2
	takes $BACKUP MPTcpExtMPPrioRx 1 --extension || die 'a stock kernel did not step over the header'
	guard_world 'mp-prio: ignore-all' fd77:1::2
	inject $BACKUP 5 --extension
	inject 1e021e0351 5 # behind an option without a subtype
	is "$(guarded mp_prio_ignored)" 10 'MP_PRIO behind something else'
	is "$(counter MPTcpExtMPPrioRx)" 0 'MP_PRIO behind something else that got through'
}

# Nothing passes between the two ends of the second path any more. wlan0 stays.
black_hole() {
	ip netns exec "$S" nft -f - <<-END
		table inet hole {
			chain in { type filter hook prerouting priority -300; iifname "s2" drop; }
			chain out { type filter hook output priority -300; oifname "s2" drop; }
		}
	END
}
watcher() {
	MPTCP_PM_BPF_DIR=${O:-build}/bpf "${O:-build}/tools/guard_watch" "$C" >"$TMP/watch" &
	wait_for 30 grep -q ready "$TMP/watch"
}
keepalives() { ip netns exec "$C" ss -Htno | grep -c keepalive || :; }

# The path died, and the peer says so: the subflow is closed within two seconds, whether data was on
# its way (the guard sees for itself, and lets it through) or not (the watcher finds out).
guard_genuine() { # idle | busy
	local t0
	guard_world 'rm-addr: probe'
	watcher
	if [ "$1" = busy ]; then
		# The second path carries the traffic when it dies.
		takes $BACKUP MPTcpExtMPPrioRx 1
		mark
		wait_for 30 carries 1 || die 'the second path is not used'
		black_hole
		wait_for 30 timed_out || die 'no retransmission timeout on the dead path'
	else
		black_hole
	fi
	watch json "$C" -j
	t0=$(date +%s%6N)
	ip -n "$S" mptcp endpoint del id 5
	wait_for 30 grep -q SF_CLOSED "$TMP/json" || die 'it was not closed'
	kill "$WATCHER"
	# From when it came in, where the guard told; or else from before it was sent.
	python3 - "$TMP/json" "$t0" <<-'END'
		import json, sys
		e = [json.loads(l) for l in open(sys.argv[1])]
		seen = [x["time_us"] for x in e if x["event"] == "GUARD"] or [int(sys.argv[2])]
		ms = [(x["time_us"] - seen[0]) / 1e3 for x in e if x["event"] == "SF_CLOSED"][0]
		print(f"closed after {ms:.0f} ms")
		sys.exit(ms > 2000)
	END
	established_are 1 || die 'it is still established'
	is "$(guarded rm_addr)" 1 'REMOVE_ADDR of the peer'
	if [ "$1" = busy ]; then
		is "$(guarded rm_addr_ignored)" 0 'taken out, though the path was dead'
	else
		wait_for 30 grep -q '^dead .*id=5$' "$TMP/watch" || die "the watcher says: $(cat "$TMP/watch")"
	fi
	is "$(counter TcpInCsumErrors)" 0 'wrong checksums'
	mark
	wait_for 30 carries 0 || die 'the connection did not go on'
}
# At least one timeout in a row, and nothing received for two of them.
timed_out() {
	ip netns exec "$C" ss -Htni dst 10.77.2.2 | grep -qE 'backoff:[2-9]'
}

# With the watcher there, forged ones for an idle path still do nothing, and leave no trace.
guard_watched() {
	guard_world 'rm-addr: probe'
	watcher
	inject $REMOVE_5 100 --interval-ms 25
	wait_for 30 grep -q '^alive .*id=5$' "$TMP/watch" || die "the watcher says: $(cat "$TMP/watch")"
	grep -q dead "$TMP/watch" && die 'a living subflow was held for dead'
	subflows_are 2 || die 'a living subflow was closed'
	is "$(guarded rm_addr_ignored)" 100 'REMOVE_ADDR taken out'
	wait_for 30 no_keepalives || die 'keepalive stayed on'
}
no_keepalives() { [ "$(keepalives)" -eq 0 ]; }

guard_monitor() {
	local text json
	guard_world 'mp-prio: ignore-backup, rm-addr: probe'
	watch text "$C" --count 2
	text=$WATCHER
	watch json "$C" -j --count 2
	json=$WATCHER
	inject $BACKUP 1
	inject $REMOVE_5 1
	finishes "$text"
	finishes "$json"
	saw text GUARD 'token=[0-9a-f]{8} option=mp-prio saddr4=10.77.1.1 daddr4=10.77.1.2 sport=[0-9]+ dport=7777 dev=wlan0 reason="the policy ignores it"$' ||
		die "$(cat "$TMP/text")"
	saw text GUARD 'token=[0-9a-f]{8} option=rm-addr remid=5 saddr4=10.77.2.1 daddr4=10.77.2.2 sport=[0-9]+ dport=7777 dev=wlan0 reason="its path (is alive|shows no sign of being dead)"$' ||
		die "$(cat "$TMP/text")"
	python3 - "$TMP/json" "$(date +%s)" <<-'END'
		import json, sys
		e = [json.loads(l) for l in open(sys.argv[1])]
		assert [x["option"] for x in e] == ["mp-prio", "rm-addr"], e
		assert e[0]["token"] == e[1]["token"] and e[1]["remid"] == 5, e
		assert all(x["event"] == "GUARD" and abs(x["time_us"] / 1e6 - int(sys.argv[2])) < 60 for x in e), e
	END
	# More than the log holds between two looks.
	watch text "$C"
	kill -STOP "$WATCHER"
	inject $BACKUP 400 --interval-ms 0
	kill -CONT "$WATCHER"
	wait_for 30 saw text OVERFLOW 'lost events of the guard lost=144' || die "$(head -n 3 "$TMP/text")"
	told_256() { [ "$(grep -c GUARD "$TMP/text")" -eq 256 ]; }
	wait_for 30 told_256 || die "told $(grep -c GUARD "$TMP/text") events of 256"
	kill "$WATCHER"
}

offload() { # on | off
	ip netns exec "$C" ethtool -K wlan0 rx "$1" tx "$1" gro "$1" >/dev/null 2>&1 || :
	ip netns exec "$S" ethtool -K s1 rx "$1" tx "$1" gso "$1" tso "$1" >/dev/null 2>&1 || :
}

# What is left of the packet arrives, with a checksum that a host without offloads checks itself.
guard_checksums() {
	local before mode
	command -v ethtool >/dev/null || skip 'ethtool is not installed'
	guard_world 'mp-prio: ignore-all, rm-addr: ignore' 10.77.1.2 500
	for mode in off on; do
		offload $mode
		before=$(counter TcpExtTCPPureAcks)
		inject $BACKUP 60 --interval-ms 2
		inject $REMOVE_5 60 --interval-ms 2 --pad-first
		# The server's own, on packets whose checksum is still to be made when offloads are on.
		ip -n "$S" mptcp endpoint change id 5 backup
		ip -n "$S" mptcp endpoint change id 5 nobackup
		[ $(($(counter TcpExtTCPPureAcks) - before)) -ge 120 ] ||
			die "offloads $mode: $(($(counter TcpExtTCPPureAcks) - before)) of 120 segments arrived"
		is "$(counter TcpInCsumErrors)" 0 "offloads $mode: wrong checksums"
	done
	is "$(guarded mp_prio_ignored)" 120 'MP_PRIO taken out'
	is "$(guarded rm_addr_ignored)" 120 'REMOVE_ADDR taken out'
	wait_for 30 guarded_is mp_prio_ignored 4 wwan0 || die "the server's own MP_PRIO was not seen"
	is "$(counter MPTcpExtMPPrioRx)" 0 'MP_PRIO that reached the connection'
	subflows_are 2 || die 'a subflow was closed'
}

# One more host, behind the client, that checks every checksum itself; what is wrong in a packet that
# the client would believe comes out there.
behind() {
	ip netns add "$D"
	ip -n "$C" link add behind type veth peer name eth0 netns "$D"
	ip -n "$C" addr add 10.77.9.2/24 dev behind
	ip -n "$D" addr add 10.77.9.1/24 dev eth0
	ip -n "$C" link set behind up
	ip -n "$D" link set eth0 up
	ip -n "$D" route add default via 10.77.9.2
	ip -n "$S" route add 10.77.9.0/24 via "$1"
	ip netns exec "$C" sysctl -qw net.ipv4.ip_forward=1
	ip netns exec "$C" ethtool -K behind tx off >/dev/null 2>&1 || :
	ip netns exec "$D" ethtool -K eth0 rx off >/dev/null 2>&1 || :
	guard_policy 'mp-prio: ignore-all'
	apply "$TMP/policy.yaml"
	ip netns exec "$S" "$TRAFFIC" server --port 7777 &
	wait_for 30 listening
	ip netns exec "$D" "$TRAFFIC" client echo --host "$2" --port 7777 --bytes 3000 \
		--count 100000 --interval-ms 500 --warm 1 --timeout 100 &
	established() { ip netns exec "$S" ss -HMtn state established | grep -q 10.77.9.1; }
	wait_for 30 established
}
counter_behind() { ip netns exec "$D" nstat -asz "$1" | awk -v n="$1" '$1 == n { print $2 }'; }
arrived() { [ $(($(counter_behind TcpExtTCPPureAcks) - BEFORE)) -ge "$1" ]; }

# A tunnel whose outer checksum covers everything: the kernel hands on the sum it has got already
# (CHECKSUM_COMPLETE), so that only the next host finds out what is wrong.
guard_complete() {
	world
	ip -n "$C" link add wlan7 type vxlan id 7 remote 10.77.2.2 dev wwan0 dstport 4789 udpcsum ||
		skip 'this kernel has no vxlan'
	ip -n "$S" link add s7 type vxlan id 7 remote 10.77.2.1 dev s2 dstport 4789 udpcsum
	ip -n "$C" addr add 10.77.7.1/24 dev wlan7
	ip -n "$S" addr add 10.77.7.2/24 dev s7
	ip -n "$C" link set wlan7 up
	ip -n "$S" link set s7 up
	ip netns exec "$C" ethtool -K wwan0 rx off gro off >/dev/null 2>&1 || :
	ip netns exec "$S" ethtool -K s2 tx off >/dev/null 2>&1 || :
	behind 10.77.7.1 10.77.7.2
	BEFORE=$(counter_behind TcpExtTCPPureAcks)
	ip netns exec "$S" "$INJECT" --dev s7 --to 10.77.9.1 --port 7777 --option $BACKUP --count 100 --interval-ms 2
	wait_for 30 guarded_is mp_prio_ignored 100 wlan7 || die 'not all were seen'
	wait_for 30 arrived 100 || die 'not all arrived'
	is "$(counter_behind TcpInCsumErrors)" 0 'wrong checksums'
	is "$(counter_behind MPTcpExtMPPrioRx)" 0 'MP_PRIO that got through'
}

# A checksum that is still to be made (CHECKSUM_PARTIAL): the guard leaves what there is of it alone,
# or the client would send out a wrong one.
guard_partial() {
	world
	behind 10.77.1.1 10.77.1.2
	ip -n "$S" mptcp endpoint add 10.77.1.2 dev s1 id 4 subflow
	BEFORE=$(counter_behind TcpExtTCPPureAcks)
	for _ in 1 2 3 4 5; do
		ip -n "$S" mptcp endpoint change id 4 backup
		ip -n "$S" mptcp endpoint change id 4 nobackup
	done
	wait_for 30 guarded_is mp_prio_ignored 10 || die "not all were seen: $(guarded mp_prio)"
	wait_for 30 arrived 10 || die 'not all arrived'
	is "$(counter_behind TcpInCsumErrors)" 0 'wrong checksums'
}

# One end of a tunnel of tun devices: what comes out of the device goes to the other end.
tun_end() { # DEVICE OWN_SOCKET OTHER_SOCKET
	exec python3 - "$@" <<-'END'
		import fcntl, os, select, socket, struct, sys
		tun = os.open("/dev/net/tun", os.O_RDWR)
		fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH", sys.argv[1].encode(), 0x1001))
		wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		wire.bind(sys.argv[2])
		while True:
		    for fd in select.select([tun, wire], [], [])[0]:
		        try:
		            if fd == tun:
		                wire.sendto(os.read(tun, 65536), sys.argv[3])
		            else:
		                os.write(tun, wire.recv(65536))
		        except OSError:
		            pass
	END
}

# An interface without Ethernet: packets begin with the header of IP.
guard_tun() {
	[ -c /dev/net/tun ] || skip 'this kernel has no tun'
	world
	export -f tun_end
	ip netns exec "$C" bash -c "tun_end wlan8 $TMP/tun-c $TMP/tun-s" &
	ip netns exec "$S" bash -c "tun_end s8 $TMP/tun-s $TMP/tun-c" &
	wait_for 30 ip -n "$C" addr add 10.77.8.1/24 dev wlan8
	wait_for 30 ip -n "$S" addr add 10.77.8.2/24 dev s8
	ip -n "$C" link set wlan8 up
	ip -n "$S" link set s8 up
	guard_policy 'mp-prio: ignore-all'
	apply "$TMP/policy.yaml"
	ip netns exec "$S" "$TRAFFIC" server --port 7777 &
	wait_for 30 listening
	ip netns exec "$C" "$TRAFFIC" client echo --host 10.77.8.2 --port 7777 --bytes 3000 \
		--count 100000 --interval-ms 500 --timeout 100 &
	BEFORE=$(counter TcpExtTCPPureAcks)
	ip netns exec "$S" "$INJECT" --dev s8 --no-ethernet --to 10.77.8.1 --port 7777 \
		--option $BACKUP --count 50 --interval-ms 2
	wait_for 30 guarded_is mp_prio_ignored 50 wlan8 || die 'not all were seen'
	arrived_here() { [ $(($(counter TcpExtTCPPureAcks) - BEFORE)) -ge 50 ]; }
	wait_for 30 arrived_here || die 'not all arrived'
	is "$(counter TcpInCsumErrors)" 0 'wrong checksums'
	is "$(counter MPTcpExtMPPrioRx)" 0 'MP_PRIO that got through'
}

guard_folder() { printf '%s/mptcp-pm/guard/%s' "$MPTCP_PM_BPFFS" "$(ip netns exec "$C" python3 -c '
import socket, struct
s = socket.socket()
print(struct.unpack("Q", s.getsockopt(socket.SOL_SOCKET, 71, 8))[0])')"; }

# Programs that are detached come back, interfaces that go leave nothing, and traffic goes on.
guard_comes_and_goes() {
	local folder
	guard_world 'mp-prio: ignore-backup'
	folder=$(guard_folder)
	apply "$TMP/policy.yaml" >/dev/null # endpoints
	exits 0 apply "$TMP/policy.yaml"
	grep -q 'nothing to change' "$TMP/out" || die 'a second apply changed something'
	rm "$folder"/link-*
	takes $BACKUP MPTcpExtMPPrioRx 1 || die 'not guarded without a link, and yet it does nothing'
	exits 0 apply "$TMP/policy.yaml"
	grep -q '+ guard wlan0' "$TMP/out" || die 'the guard was not attached again'
	inject $BACKUP 5
	is "$(counter MPTcpExtMPPrioRx)" 1 'MP_PRIO after it was attached again'
	is "$(guarded mp_prio_ignored)" 5 'counted'
	subflows_are 2 || die 'the connection lost a subflow'
	guard_policy 'mp-prio: ignore-all, rm-addr: ignore'
	apply "$TMP/policy.yaml"
	is "$(guarded mp_prio_ignored)" 5 'counters are kept'
	ip -n "$C" link set wwan0 name wwan9 2>/dev/null || {
		ip -n "$C" link set wwan0 down
		ip -n "$C" link set wwan0 name wwan9
		ip -n "$C" link set wwan9 up
	}
	ip netns exec "$C" bpftool net show | grep -q 'wlan0.* tcx/ingress guard' ||
		die 'bpftool does not show the guard'
	guarded_is mp_prio_ignored 0 wwan9 || die 'a renamed interface is not guarded any more'
	ip -n "$C" link del wwan9
	mark
	wait_for 30 carries 0 2>/dev/null || die 'the connection did not go on'
	exits 0 pmctl status --netns "$C"
	exits 0 apply "$TMP/policy.yaml"
	is "$(find "$folder" -name 'link-*' | wc -l)" 1 'links'
	exits 0 pmctl unload --netns "$C"
	[ ! -e "$folder" ] || die "left: $(find "$folder")"
	if ip netns exec "$C" bpftool net show | grep -q 'tcx/ingress guard'; then
		die 'still attached after unload'
	fi
}

# All or nothing: tried, refused, killed on the way, failed later.
guard_apply() {
	local folder step i
	world
	folder=$(guard_folder)
	guard_policy 'mp-prio: ignore-all'
	exits 0 apply "$TMP/policy.yaml" --dry-run
	grep -q '+ guard wwan0: mp-prio ignore-all' "$TMP/out" || die 'the diff does not show the guard'
	[ ! -e "$folder" ] || die 'a dry run left something'
	exits 4 setpriv --bounding-set=-bpf --inh-caps=-bpf "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
	grep -q CAP_BPF "$TMP/out" || die 'the capability is not named'
	exits 1 env MPTCP_PM_BPFFS="$TMP/no/such" "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
	grep -q "cannot make $TMP/no/such" "$TMP/out" || die 'it is not said that nothing can be pinned'
	is "$(endpoints)" '' 'endpoints after a failure'
	for step in attached pinned; do
		exits 137 env MPTCP_PM_KILL_AT=$step "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
		[ "$step" = attached ] || apply "$TMP/policy.yaml" # heals
		[ "$step" = attached ] || guarded_is mp_prio 0 wwan0
		exits 0 pmctl unload --netns "$C"
		[ ! -e "$folder" ] || die "left after $step: $(find "$folder")"
	done
	# Ids of endpoints are a byte, so this many fail after the guard was attached.
	for i in $(seq 256); do
		echo "addr add 10.78.$((i / 128)).$((i % 128 + 1))/32 dev wwan0"
	done | ip -n "$C" -batch -
	exits 1 apply "$TMP/policy.yaml"
	[ ! -e "$folder" ] || die "left after a failure: $(find "$folder")"
	ip -n "$C" link del wwan0
	apply "$TMP/policy.yaml"
	link wwan0 3
	wait_for 30 carrier wwan0
	exits 0 apply "$TMP/policy.yaml"
	grep -q '+ guard wwan0' "$TMP/out" || die 'one that appears later is not guarded'
	# One whose interfaces are all gone is swept up by the next run elsewhere.
	ip -n "$C" link del wlan0
	ip -n "$C" link del wwan0
	ip -n "$S" link add s9 type veth peer name other
	sed 's/"wlan\*"/"s*"/' "$TMP/policy.yaml" >"$TMP/other.yaml"
	[ -e "$folder" ] || die 'gone by itself'
	pmctl apply "$TMP/other.yaml" --netns "$S"
	[ ! -e "$folder" ] || die 'the folder of a namespace without interfaces stayed'
}

# Without what it needs the policy is refused, or applied without the guard.
guard_unsupported() {
	# Expanded by the shell inside.
	# shellcheck disable=SC2016
	local hidden='mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"'
	world
	guard_policy 'mp-prio: ignore-all'
	exits 3 unshare -m bash -c "$hidden" "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
	grep -q 'guard needs btf' "$TMP/out" || die 'the missing part is not named'
	is "$(endpoints)" '' 'endpoints of a policy that was refused'
	sed -i 's/^name:.*/&\nfallback: allow/' "$TMP/policy.yaml"
	exits 0 unshare -m bash -c "$hidden" "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
	grep -q 'left out: guard' "$TMP/out" || die 'what was left out is not named'
	[ ! -e "$(guard_folder)" ] || die 'guarded all the same'
	endpoints | grep -q 10.77.1.1 || die 'the rest was not applied'
}

# A long run: ip netns exec NAME build/tools/guard_packets build/bpf/guard/guard.bpf.o 10000000 SEED
guard_packets() {
	world
	ip netns exec "$C" "${O:-build}/tools/guard_packets" "${O:-build}/bpf/guard/guard.bpf.o" 200000 $$
}

run_test 'guard: random packets' guard_packets
run_test 'guard: forged MP_PRIO, IPv4' guard_prio 10.77.1.2
run_test 'guard: forged MP_PRIO, IPv6' guard_prio fd77:1::2
run_test 'guard: forged REMOVE_ADDR, IPv4' guard_remove 10.77.1.2
run_test 'guard: forged REMOVE_ADDR, IPv6' guard_remove fd77:1::2
run_test 'guard: never the last one' guard_never_empty
run_test 'guard: so many MP_PRIO a minute' guard_rate
run_test 'guard: announced addresses' guard_add_addr
run_test 'guard: so many joins a minute' guard_joins
run_test 'guard: hidden headers' guard_hidden
run_test 'guard: a genuine REMOVE_ADDR, the path was in use' guard_genuine busy
run_test 'guard: a genuine REMOVE_ADDR, the path was idle' guard_genuine idle
run_test 'guard: forged REMOVE_ADDR are looked into' guard_watched
run_test 'guard: monitor' guard_monitor
run_test 'guard: checksums with and without offloads' guard_checksums
run_test 'guard: checksums that are summed up already' guard_complete
run_test 'guard: checksums that are still to be made' guard_partial
run_test 'guard: an interface without Ethernet' guard_tun
run_test 'guard: programs and interfaces come and go' guard_comes_and_goes
run_test 'guard: all or nothing' guard_apply
run_test 'guard: not supported' guard_unsupported
