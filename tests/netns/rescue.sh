# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# SYN rescue in the network of tests/net.sh; sourced by tests/netns/run.
# shellcheck disable=SC2317 # called by name
# shellcheck source=tests/net.sh
. tests/net.sh

RESCUE_PEER=$PWD/tests/netns/rescue-peer.py
RESCUE_SLACK_MS=40 # of two cores that others use too

# rescue_world ROBE: robe may be "" for a world without
rescue_world() {
	net_new
	trap net_cleanup EXIT
	rescue_policy "$1"
	[ -z "$1" ] || rescue_apply
	net_server ip mptcp limits set subflows 4 add_addr_accepted 4
	rescue_serve 10.1.9.1
	rescue_serve fd00:1:9::1
}
rescue_policy() { # ROBE [LINES OF establish]
	cat >"$TMP/policy.yaml" <<-END
		version: 1
		name: rescue
		paths:
		  - name: wifi
		    match: { interface: "wlan*" }
		  - name: lte
		    match: { interface: "wwan*" }
		    cost: 10
		connections:
		  - mode: aggregate
		limits: { subflows: 4, add-addr-accepted: 4 }
		${1:+establish:
		  robe: [$1]
		  timer: 250ms
		  ${2:-}}
	END
}
rescue_apply() { pmctl apply "$TMP/policy.yaml" --netns "$NET_CLIENT"; }
rescue_serve() {
	: >"$TMP/accepts"
	net_server python3 "$RESCUE_PEER" server "$1" 7777 "$TMP/accepts" &
	wait_for 5 rescue_listens "$1"
}
rescue_listens() { net_server ss -Hltn | grep -qF "$1"; }
# rescue_connect ADDRESS [OPTION...]: what the client says is left in $TMP/client
rescue_connect() { net_client python3 "$RESCUE_PEER" client "$1" 7777 "${@:2}" >"$TMP/client"; }
# rescue_said EXPRESSION: over what the client said
rescue_said() {
	cat "$TMP/client"
	python3 -c 'import json,sys; c = json.load(open(sys.argv[1])); assert eval(sys.argv[2]), c' \
		"$TMP/client" "$1" || die "not so: $1"
}
rescue_counter() { net_client nstat -asz "$1" | awk -v n="$1" '$1 == n { print $2 }'; }
rescue_list() { pmctl establish list --netns "$NET_CLIENT" "$@"; }
# rescue_count NAME: of the programs
rescue_count() { rescue_list -j | python3 -c 'import json,sys; print(json.load(sys.stdin)["counters"][sys.argv[1]])' "$1"; }
# Half-open connections at the server.
rescue_half_open() { net_server ss -Htn state syn-recv | wc -l; }
rescue_no_half_open() { [ "$(rescue_half_open)" -eq 0 ]; }
rescue_accepts() { wc -l <"$TMP/accepts"; }
# rescue_capture DEV FILTER: to $TMP/DEV.pcap until the test ends
rescue_capture() {
	net_client tcpdump --immediate-mode -U -nn -i "$1" -w "$TMP/$1.pcap" "$2" 2>"$TMP/$1.log" &
	wait_for 5 grep -q listening "$TMP/$1.log"
}
rescue_packets() { tcpdump -nn -r "$TMP/$1.pcap" "$2" 2>/dev/null; }
rescue_seen() { rescue_packets "$@" | grep -q .; }
# Nothing is pinned any more for this namespace.
rescue_clean() {
	pmctl unload --netns "$NET_CLIENT" -q
	exits 1 rescue_list
	grep -q 'not loaded' "$TMP/out" || die "$(cat "$TMP/out")"
}
rescue_is_mptcp() {
	rescue_said "c['mptcp'] and c['connect_ms'] <= 250 + $RESCUE_SLACK_MS"
	is "$(rescue_counter MPTcpExtBlackhole)" 0 'blackhole counter'
	is "$(rescue_counter MPTcpExtMPCapableSYNTXDrop)" 0 'SYNs without MPTCP'
	is "$(rescue_accepts)" 1 accepts
	wait_for 2 rescue_no_half_open
}

# What the kernel does alone.
rescue_stock() {
	rescue_world ''
	net_blackhole wifi
	rescue_connect 10.1.9.1 --bytes 1000 &
	wait_for 5 rescue_third_syn
	net_heal wifi
	wait $! || die 'no connection'
	rescue_said "not c['mptcp'] and c['connect_ms'] > 2900"
	is "$(rescue_counter MPTcpExtBlackhole)" 1 'blackhole counter'
}
# The third SYN, the last with MPTCP, was retransmitted.
rescue_third_syn() { [ "$(rescue_counter TcpExtTCPSynRetrans)" -ge 2 ]; }

rescue_timer() { # ADDRESS OF THE SERVER, of wwan0
	rescue_world timer
	rescue_capture wlan0 'tcp port 7777'
	rescue_capture wwan0 'tcp port 7777'
	net_blackhole wifi
	rescue_connect "$1"
	rescue_is_mptcp
	rescue_seen wlan0 'tcp[tcpflags] == tcp-syn or ip6[53] == 2' || die 'no SYN on wlan0'
	rescue_packets wwan0 "src $2" | grep 'Flags \[S\]' | grep -q 'capable' || die 'no copy on wwan0'
	is "$(rescue_packets wwan0 "src not $2 and src not $1")" '' 'foreign addresses on wwan0'
	is "$(rescue_count rescued)" 1 rescued
	pmctl status --netns "$NET_CLIENT" | grep -q '^rescue  *timer; asked 1, rescued 1, ' ||
		die "$(pmctl status --netns "$NET_CLIENT")"
	rescue_clean
	is "$(rescue_retries)" 2 'SYNs with MPTCP, as before'
}
rescue_retries() { net_client cat /proc/sys/net/mptcp/syn_retrans_before_tcp_fallback; }

# Although SYNs are repeated sooner, neither MPTCP nor the connection is given up sooner.
rescue_late() {
	rescue_world timer
	net_client sysctl -qw net.ipv4.tcp_syn_retries=1 # more by 4 that are not counted
	net_blackhole wifi
	net_blackhole lte
	rescue_connect 10.1.9.1 &
	wait_for 5 rescue_sixth_retransmission
	net_heal lte
	wait $! || die 'no connection'
	rescue_said "c['mptcp'] and c['connect_ms'] > 2000"
	is "$(rescue_counter MPTcpExtBlackhole)" 0 'blackhole counter'
	is "$(rescue_accepts)" 1 accepts
	rescue_clean
}
rescue_sixth_retransmission() { [ "$(rescue_counter TcpExtTCPSynRetrans)" -ge 6 ]; }

# Packets to wlan0 are lost, those from it are not: the server has a half-open connection there.
rescue_one_way() { # PROGRAM WITH OR WITHOUT: timer or ''
	rescue_world "$1"
	net_router ip rule add pref 11 to 10.1.1.0/24 blackhole
	rescue_capture wlan0 'tcp port 7777'
	rescue_connect 10.1.9.1 --bytes 1000 --until "$TMP/stop" &
	if [ -z "$1" ]; then
		wait_for 5 rescue_third_syn
		is "$(rescue_half_open)" 1 'half-open connections of the stock kernel'
		net_router ip rule del pref 11
		touch "$TMP/stop"
		wait $! || die 'no connection'
		rm "$TMP/stop"
		return
	fi
	wait_for 5 rescue_counted resets
	wait_for 2 rescue_no_half_open
	touch "$TMP/stop"
	wait $! || die 'no connection'
	rm "$TMP/stop"
	rescue_is_mptcp
	python3 - "$(rescue_packets wlan0 'tcp[tcpflags] & (tcp-syn|tcp-rst) != 0' | tee "$TMP/resets")" <<-'END' || die "$(cat "$TMP/resets")"
		import re, sys
		syn = {int(n) for n in re.findall(r"Flags \[S\], seq (\d+)", sys.argv[1])}
		rst = [int(n) for n in re.findall(r"Flags \[R\], seq (\d+)", sys.argv[1])]
		assert len(syn) == 1 and rst == [syn.pop() + 1], (syn, rst)
	END
}
rescue_counted() { [ "$(rescue_count "$1")" -ge 1 ]; }

# Both paths work: the copy is sent at once, one connection comes of it.
rescue_race() {
	rescue_world sim
	rescue_capture wwan0 'tcp port 7777'
	rescue_connect "$1"
	rescue_said "c['mptcp'] and c['connect_ms'] < 100"
	is "$(rescue_accepts)" 1 accepts
	wait_for 2 rescue_no_half_open
	is "$(rescue_count copies)" 1 copies
	is "$(($(rescue_count rescued) + $(rescue_count kept)))" 1 decisions
	wait_for 2 rescue_counted resets
	net_blackhole wifi
	rescue_connect "$1"
	rescue_said "c['mptcp'] and c['connect_ms'] < 100"
	is "$(rescue_accepts)" 2 accepts
	is "$(rescue_count rescued)" 1 'rescued by the copy'
	rescue_clean
}

# Much data in both directions, by large packets the device cuts and by small ones it does not sum.
rescue_bulk() { # ADDRESS on|off
	local dev
	rescue_world timer
	for dev in wlan0 wwan0; do
		net_client ethtool -K $dev tso "$2" gso "$2" gro "$2" tx "$2" >/dev/null 2>&1
		net_router ethtool -K "$([ $dev = wlan0 ] && echo wifi || echo lte)" \
			tso "$2" gso "$2" gro "$2" tx "$2" >/dev/null 2>&1
	done
	net_server ethtool -K eth0 tx "$2" >/dev/null 2>&1
	net_client ip mptcp endpoint flush # the translated subflow alone
	net_blackhole wifi
	rescue_connect "$1" --bytes 8000000
	rescue_is_mptcp
	rescue_said "c['bytes'] == 8000000"
	is "$(net_server nstat -asz TcpInCsumErrors | awk '/Csum/ { print $2 }')" 0 'wrong checksums'
	is "$(rescue_counter TcpInCsumErrors)" 0 'wrong checksums at the client'
	is "$(rescue_counter MPTcpExtMPJoinSynTx)" 0 'joins'
	wait_for 2 rescue_closed
	rescue_clean
}
rescue_closed() { rescue_list -j | grep -q '"state":"closed"'; }

rescue_riders() { rescue_list -j | grep -o '"state":"rescued"' | wc -l; }
rescue_on() { net_client ss -Htn state established | awk '{ print $3 }' | grep -c "^$1[%:]"; }
rescue_is_on() { [ "$(rescue_on "$1")" -ge 1 ]; }
rescue_nobody_rides() { [ "$(rescue_riders)" -eq 0 ]; }
rescue_watch() {
	"$PMCTL" establish watch --netns "$NET_CLIENT" -j >"$TMP/watch" &
	WATCH=$!
}
rescue_hold() {
	rm -f "$TMP/stop"
	rescue_connect "$1" --until "$TMP/stop" &
	CLIENT=$!
}
rescue_release() {
	touch "$TMP/stop"
	wait "$CLIENT" || die 'the connection broke'
	rescue_said "c['mptcp']"
}

# A proper subflow takes the place of the translated one, and the first path is used once it works.
rescue_real() { # ADDRESS, OF wlan0, OF wwan0
	rescue_world timer
	net_blackhole wifi
	"$PMCTL" monitor -j --netns "$NET_CLIENT" >"$TMP/events" &
	rescue_watch
	rescue_hold "$1"
	wait_for 5 rescue_is_on "$3"
	wait_for 5 grep -q '"action":"close"' "$TMP/watch"
	wait_for 2 rescue_nobody_rides
	is "$(rescue_on "$2")" 0 'subflows from wlan0'
	# 5 RTT of 20 ms; the paths here have none to speak of.
	python3 - "$TMP/events" <<-'END' || die 'the translated subflow stayed for too long'
		import json, sys
		at = {}
		for e in map(json.loads, open(sys.argv[1])):
		    at.setdefault(e["event"], e["time_us"])
		took = at["SF_CLOSED"] - at["SF_ESTABLISHED"]
		print(f"closed {took} us after the join")
		assert 0 < took < 100000, at
	END
	net_heal wifi
	rescue_healed=$(date +%s%N)
	wait_for 2 rescue_is_on "$2"
	rescue_healed=$((($(date +%s%N) - rescue_healed) / 1000000))
	echo "a subflow on the healed path after $rescue_healed ms"
	[ "$rescue_healed" -le $((1000 + RESCUE_SLACK_MS)) ] || die 'the healed path was found too late'
	rescue_release
	kill "$WATCH"
	rescue_is_mptcp
	rescue_clean
}

rescue_cookie() { net_client python3 -c 'import socket; print("%x" % int.from_bytes(socket.socket().getsockopt(socket.SOL_SOCKET, 71, 8), "little"))'; }

# The hooks torn out and put back: what comes meanwhile for the alias is refused by the kernel, so the
# first subflow may end, but the connection does not.
rescue_torn() {
	rescue_world timer
	net_blackhole wifi
	rescue_hold 10.1.9.1
	wait_for 5 rescue_counted rescued
	wait_for 5 rescue_is_on 10.1.2.1
	rm "${MPTCP_PM_BPFFS:-/sys/fs/bpf}"/mptcp-pm/rescue/"$(rescue_cookie)"/{in,out}-*
	rescue_list >/dev/null || die 'what is known went with the hooks'
	rescue_apply
	is "$(find "${MPTCP_PM_BPFFS:-/sys/fs/bpf}"/mptcp-pm/rescue/"$(rescue_cookie)" -name '*-*' | wc -l)" 4 hooks
	rescue_release
	rescue_clean
}

# Killed in between, the next one goes on.
rescue_killed() {
	rescue_world timer
	net_client ip mptcp endpoint delete id "$(net_client ip mptcp endpoint show | awk '$1 == "10.1.2.1" { print $3 }')"
	net_blackhole wifi
	rescue_watch
	rescue_hold 10.1.9.1
	wait_for 5 rescue_counted rescued
	is "$(rescue_riders)" 1 'connections with an alias'
	kill -9 "$WATCH"
	# Programs of another build, or the same: in their place in one step.
	rescue_apply >"$TMP/out"
	is "$(rescue_riders)" 1 'connections with an alias after apply'
	wait_for 5 rescue_is_on 10.1.2.1
	# No longer wanted: it stays for those who need it.
	rescue_policy ''
	rescue_apply >"$TMP/out"
	grep -q '1 connection still uses' "$TMP/out" || die "$(cat "$TMP/out")"
	is "$(rescue_riders)" 1 'connections with an alias after it was switched off'
	is "$(rescue_list -j | grep -o '"robe":"[a-z]*"')" '"robe":"off"' 'what is done for others'
	rescue_watch
	wait_for 5 grep -q '"action":"close"' "$TMP/watch"
	rescue_release
	kill "$WATCH"
	rescue_clean
}

# A third path by a TUN device, which has no link layer header: 10.1.3.1 and fd00:1:3::1.
rescue_tun() {
	local ns
	python3 "$RESCUE_PEER" pipe "$NET_CLIENT" tun0 "$NET_ROUTER" tun0 &
	for ns in "$NET_CLIENT" "$NET_ROUTER"; do
		wait_for 5 ip -n "$ns" link show tun0
	done
	net_batch "$NET_CLIENT" <<-END
		addr add 10.1.3.1/24 dev tun0
		addr add fd00:1:3::1/64 dev tun0 nodad
		link set tun0 up mtu 1300
		route add default dev tun0 metric ${1:-300}
		rule add from 10.1.3.1 table 103
		route add default dev tun0 table 103
	END
	net_batch "$NET_CLIENT" -6 <<-END
		route add default dev tun0 metric ${1:-300}
		rule add from fd00:1:3::1 table 103
		route add default dev tun0 table 103
	END
	net_batch "$NET_ROUTER" <<-END
		addr add 10.1.3.254/24 dev tun0
		addr add fd00:1:3::fe/64 dev tun0 nodad
		link set tun0 up mtu 1300
	END
}

# From a path with Ethernet to one without: MSS and GSO have to fit the smaller packets.
rescue_to_tun() {
	rescue_world ''
	rescue_tun
	rescue_policy timer
	sed -i 's/"wwan\*"/"tun0"/' "$TMP/policy.yaml"
	rescue_apply
	net_client ip mptcp endpoint flush
	net_blackhole wifi
	rescue_capture tun0 'tcp port 7777'
	rescue_connect "$1" --bytes 1000000
	rescue_is_mptcp
	is "$(rescue_packets tun0 "src $3" | grep -o 'mss [0-9]*' | sort -u)" "mss $2" 'MSS of the copy'
	rescue_seen tun0 "src $3 and greater 1000" || die 'no full packets on tun0'
	rescue_seen tun0 'greater 1301' && die 'packets that the tunnel cannot take'
	rescue_clean
}

# The reverse.
rescue_from_tun() {
	rescue_world ''
	rescue_tun 10
	rescue_policy timer
	sed -i 's/"wlan\*"/"tun0"/' "$TMP/policy.yaml"
	rescue_apply
	net_client ip mptcp endpoint flush
	net_router ip link set tun0 down
	rescue_connect "$1" --bytes 1000000
	rescue_is_mptcp
	rescue_clean
}

# Netfilter sees a connection between the addresses the socket has, on both paths.
rescue_netfilter() {
	rescue_world timer
	net_client nft -f - <<-END
		table inet t {
			chain in {
				type filter hook input priority 0; policy drop;
				iifname lo accept
				meta l4proto { icmp, ipv6-icmp } accept
				ct state invalid counter drop
				ct state established,related accept
			}
			chain nat {
				type nat hook postrouting priority 100;
				oifname "wlan0" masquerade random
			}
		}
	END
	net_blackhole wifi
	rescue_connect "$1" --bytes 1000000
	rescue_is_mptcp
	is "$(rescue_count rescued)" 1 rescued
	rescue_connect "$1"
	rescue_clean
}

rescue_aside() {
	rescue_world timer
	net_blackhole wifi
	rescue_connect 10.1.9.1 --dev wlan0 --bytes 1000 &
	wait_for 5 rescue_counted not_bound
	wait_for 5 rescue_third_syn
	is "$(rescue_count copies)" 0 'copies for a socket bound to a device'
	net_heal wifi
	wait $! || die 'no connection'
	net_client sysctl -qw net.mptcp.blackhole_timeout=0 # or there would be no more MPTCP
	# The router's own address is on the network of wlan0.
	net_router nft 'table ip t { chain i { type filter hook input priority 0; tcp dport 7777 drop; }; }'
	rescue_connect 10.1.1.254 2>/dev/null &
	wait_for 5 rescue_counted not_link
	kill $! 2>/dev/null
	is "$(rescue_count copies)" 0 'copies to a neighbour'
	net_client sysctl -qw net.ipv4.conf.wwan0.rp_filter=1
	rescue_apply >"$TMP/out"
	grep -q 'leaves out IPv4 on wwan0: its reverse path filter is strict' "$TMP/out" ||
		die "$(cat "$TMP/out")"
	net_blackhole wifi
	rescue_connect fd00:1:9::1
	rescue_said "c['mptcp']"
	rescue_connect 10.1.9.1 --bytes 1000 &
	wait_for 5 rescue_counted not_path
	net_heal wifi
	wait $! || die 'no connection'
	rescue_clean
}

# Data in the SYN: never twice, but where the policy says that it does no harm.
rescue_fastopen() {
	rescue_world ''
	rescue_policy sim "$1"
	rescue_apply
	net_server sysctl -qw net.ipv4.tcp_fastopen=0x202
	net_client sysctl -qw net.ipv4.tcp_fastopen=0x5 # without a cookie
	rescue_connect 10.1.9.1 --bytes 500 --fastopen
	is "$(rescue_count copies)" "$2" copies
	is "$(rescue_count not_data)" $((1 - $2)) 'left alone because of data'
	is "$(rescue_accepts)" "$3" accepts
	rescue_clean
}

# The SYN that is sent again has no data, but the first one had and may have arrived.
rescue_fastopen_timer() {
	rescue_world timer
	net_client sysctl -qw net.ipv4.tcp_fastopen=0x5
	net_blackhole wifi
	rescue_connect 10.1.9.1 --bytes 500 --fastopen &
	wait_for 5 rescue_third_syn
	is "$(rescue_count not_data)" 1 'left alone because of data'
	is "$(rescue_count copies)" 0 copies
	net_heal wifi
	wait $! || die 'no connection'
	rescue_clean
}

# The same port again, when nothing needs a rescue any more.
rescue_again() {
	rescue_world timer
	net_blackhole wifi
	rescue_connect 10.1.9.1 --port 45678
	rescue_said "c['mptcp'] and c['connect_ms'] > 200"
	net_heal wifi
	rescue_connect 10.1.9.1 --port 45678
	rescue_said "c['mptcp'] and c['connect_ms'] < 200"
	is "$(rescue_count rescued)" 1 rescued
	rescue_clean
}

# Interfaces that are renamed or go away while connections ride them.
rescue_interfaces() {
	rescue_world timer
	net_client ip mptcp endpoint flush
	net_blackhole wifi
	rescue_hold 10.1.9.1
	wait_for 5 rescue_counted rescued
	net_client ip link set wwan0 down # a name can only be changed then, and the routes go
	net_client ip link set wwan0 name wwan7
	net_client ip link set wwan7 up
	net_batch "$NET_CLIENT" <<-END
		route replace default via 10.1.2.254 dev wwan7 metric 200
		route replace default via 10.1.2.254 dev wwan7 table 102 metric 100
	END
	rescue_release
	rescue_list -j | grep -q '"alias_dev":"wwan7"' || die 'the new name is not shown'
	rescue_hold 10.1.9.1
	wait_for 5 rescue_riding
	# A path that is not used: nothing happens to the connection.
	net_client ip link del wlan0
	kill "$CLIENT" 2>/dev/null || : # its address is gone, with or without a rescue
	wait "$CLIENT" 2>/dev/null || :
	net_client ip link del wwan7
	rescue_apply
	is "$(rescue_list -j | grep -o '"devs":\[[^]]*\]')" '"devs":[]' 'interfaces'
	rescue_clean
}
rescue_riding() { [ "$(rescue_riders)" -ge 1 ]; }

# SYNs are lost on the first path at random; nobody loses MPTCP. RESCUE_CONNECTS: how many, by hand.
rescue_loss() {
	local times=${RESCUE_CONNECTS:-40}
	rescue_world timer
	net_router nft -f - <<-END
		table inet t {
			chain f {
				type filter hook forward priority 0;
				iifname "wifi" tcp flags & (syn | ack) == syn numgen random mod 100 < 30 drop
			}
		}
	END
	rescue_connect 10.1.9.1 --times "$times" --bytes 100
	rescue_said "c['mptcp'] == $times and c['p99_ms'] <= 1000"
	is "$(rescue_accepts)" "$times" accepts
	is "$(rescue_counter MPTcpExtBlackhole)" 0 'blackhole counter'
	rescue_clean
}
