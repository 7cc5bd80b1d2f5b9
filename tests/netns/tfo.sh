# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Data in SYNs (TCP Fast Open) in the network of tests/net.sh; sourced by tests/netns/run after
# rescue.sh, whose helpers it uses. The client asks for it, the server never does.
# shellcheck disable=SC2317 # called by name

# tfo_world CLIENT SERVER: what the section tfo of each side says; empty: there is no policy
tfo_world() {
	net_new
	trap tfo_cleanup EXIT
	[ -z "$1" ] || tfo_apply "$1"
	if [ -n "$2" ]; then
		printf 'version: 1\nname: server\ntfo: { %s }\n' "$2" >"$TMP/server.yaml"
		pmctl apply "$TMP/server.yaml" --netns "$NET_SERVER"
	fi
	net_server ip mptcp limits set subflows 4 add_addr_accepted 4
	: >"$TMP/accepts"
	tfo_serve 10.1.9.1
	tfo_serve fd00:1:9::1
}
tfo_cleanup() {
	[ -z "${DAEMON:-}" ] || kill "$DAEMON" 2>/dev/null || : # it ended
	pmctl unload --netns "$NET_CLIENT" -q --force || :
	net_cleanup
}
tfo_policy() { # TFO [LINES OF establish]
	cat >"$TMP/policy.yaml" <<-END
		version: 1
		name: tfo
		paths:
		  - name: wifi
		    match: { interface: "wlan*" }
		  - name: lte
		    match: { interface: "wwan*" }
		    cost: 10
		connections:
		  - mode: aggregate
		limits: { subflows: 4, add-addr-accepted: 4 }
		tfo: { $1 }
	END
	[ -z "${2:-}" ] || echo "establish: { $2 }" >>"$TMP/policy.yaml"
}
tfo_apply() {
	tfo_policy "$@"
	pmctl apply "$TMP/policy.yaml" --netns "$NET_CLIENT"
}
tfo_serve() {
	net_server python3 "$RESCUE_PEER" server "$1" 7777 "$TMP/accepts" --unasked &
	wait_for 5 rescue_listens "$1"
}
# tfo_connect ADDRESS EXPRESSION: about what the client says
tfo_connect() {
	rescue_connect "$1" --bytes 300 --fastopen
	rescue_said "$2"
}
TFO_QUICK='c["mptcp"] and c["connect_ms"] < 500'
TFO_PLAIN='not c["mptcp"] and c["connect_ms"] < 500'
TFO_LATE='not c["mptcp"] and c["connect_ms"] > 900'

# Of the SYNs on wlan0, as tcpdump prints them: with data, with the option.
tfo_syns() { rescue_packets wlan0 'tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn or ip6[53] & 18 == 2'; }
tfo_data() { tfo_syns | grep -vc 'length 0$' || :; } # none is no failure
tfo_options() { tfo_syns | grep -c 'tfo ' || :; }
tfo_sees_syns() { [ "$(tfo_syns | wc -l)" -ge "$1" ]; }
tfo_server_counter() { net_server nstat -asz "$1" | awk -v n="$1" '$1 == n { print $2 }'; }
tfo_cookies() { net_client ip tcp_metrics show | grep -c fo_cookie || :; }
tfo_no_cookies() { [ "$(tfo_cookies)" = 0 ]; }
tfo_sysctl() { "net_$1" cat /proc/sys/net/ipv4/tcp_fastopen; }
# tfo_status EXPRESSION: about what `status` says of it
tfo_status() {
	pmctl status --netns "$NET_CLIENT" -j >"$TMP/status"
	python3 -c 'import json,sys; s = json.load(open(sys.argv[1]))["tfo"]; assert eval(sys.argv[2]), s' \
		"$TMP/status" "$1"
}

# A middlebox that drops SYNs with data.
tfo_middlebox() {
	net_router nft -f - <<-END
		table inet middlebox {
			chain forward {
				type filter hook forward priority 0
				tcp flags & (syn|ack) == syn meta length > 120 counter drop
			}
		}
	END
}
tfo_honest() { net_router nft delete table inet middlebox; }

# With a cookie, which the first connection gets; and without, from the first connection on.
tfo_on_wire() { # ADDRESS WITH OR WITHOUT
	local no_cookie='' first=0
	if [ "$2" = without ]; then
		no_cookie=', no-cookie:'
		first=1
	fi
	tfo_world "client: on${no_cookie:+$no_cookie [client]}" "server: all${no_cookie:+$no_cookie [server]}"
	rescue_capture wlan0 'tcp port 7777'
	tfo_connect "$1" "$TFO_QUICK"
	wait_for 5 tfo_sees_syns 1
	is "$(tfo_data)" "$first" 'first SYN with data'
	tfo_connect "$1" "$TFO_QUICK"
	wait_for 5 tfo_sees_syns 2
	is "$(tfo_data)" $((first + 1)) 'SYNs with data'
	is "$(tfo_server_counter TcpExtTCPFastOpenPassive)" $((first + 1)) 'data the server took'
	is "$(rescue_counter TcpExtTCPFastOpenActive)" $((first + 1)) 'data of the client'
	is "$(tfo_server_counter TcpExtTCPFastOpenCookieReqd)" $((1 - first)) 'cookies'
	is "$(rescue_counter MPTcpExtMPCapableSYNACKRX)" 2 'MPTCP connections'
	is "$(rescue_counter MPTcpExtMPCapableDataFallback)" 0 fallbacks
	tfo_status "s['client'] and s['active'] == $((first + 1)) and s['client_no_cookie'] == (${first} == 1)"
}

# What the kernel does alone, where data in SYNs is lost: each connection waits, and is plain TCP.
tfo_stock() {
	tfo_world '' 'server: all'
	tfo_connect 10.1.9.1 "$TFO_QUICK"
	tfo_middlebox
	for _ in 1 2; do tfo_connect 10.1.9.1 "$TFO_LATE"; done
	is "$(rescue_counter TcpExtTCPFastOpenBlackhole)" 0 'black holes the kernel saw'
}

# By the programs alone: no more waiting, although the cookie that is left costs MPTCP.
tfo_watched() { # ADDRESS
	tfo_lost "$1" 1h
	tfo_status 's["nr_held"] == 1 and s["held"][0]["dev"] == "wlan0" and 3500000 < s["held"][0]["remaining_ms"] <= 3600000'
	pmctl status --netns "$NET_CLIENT" | grep -qF "none to $1 by wlan0 for " || die 'not in status'
	tfo_connect "$1" "$TFO_PLAIN"
	is "$(rescue_count data_lost)" 2 'SYNs with data that were lost'
	is "$(rescue_count data_held)" 1 'SYNs whose data was taken out'
}
tfo_lost() { # ADDRESS TIME
	tfo_world "client: on, blackhole: $2" 'server: all'
	net_client ethtool -K wlan0 tx off >/dev/null # so that sums are looked at
	tfo_connect "$1" "$TFO_QUICK"
	tfo_middlebox
	tfo_connect "$1" "$TFO_LATE"
	tfo_status 's["watched"] and not s["held"]'
	tfo_connect "$1" "$TFO_LATE"
}

# Several at a time may be lost for one cause, which is gone then.
tfo_at_once() {
	tfo_world 'client: on' 'server: all'
	tfo_connect 10.1.9.1 "$TFO_QUICK"
	tfo_middlebox
	net_client python3 - <<-END
		import socket, threading
		def connect():
		    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
		    s.sendto(b"x" * 300, socket.MSG_FASTOPEN, ("10.1.9.1", 7777))
		    s.recv(1)
		all_of_them = [threading.Thread(target=connect) for _ in range(4)]
		for t in all_of_them:
		    t.start()
		for t in all_of_them:
		    t.join()
	END
	is "$(rescue_count data_lost)" 4 'SYNs with data that were lost'
	tfo_status 's["nr_held"] == 0'
	tfo_connect 10.1.9.1 "$TFO_LATE"
	tfo_status 's["nr_held"] == 1'
}

# The time is over: tried again, and one loss is enough then.
tfo_again() {
	tfo_lost 10.1.9.1 1s
	wait_for 5 tfo_status 's["nr_held"] == 0'
	tfo_connect 10.1.9.1 "$TFO_LATE"
	is "$(rescue_count data_holds)" 2 'times that the destination was given up'
	tfo_honest
	wait_for 5 tfo_status 's["nr_held"] == 0'
	tfo_connect 10.1.9.1 "$TFO_QUICK"
	is "$(rescue_counter TcpExtTCPFastOpenActive)" 1 'data that was taken'
	tfo_middlebox
	tfo_connect 10.1.9.1 "$TFO_LATE"
	tfo_status 's["nr_held"] == 0'
}

# With a daemon the cookie goes as well, and MPTCP stays.
tfo_by_daemon() {
	tfo_world '' 'server: all'
	tfo_policy 'client: on, blackhole: 1h'
	"$PMCTL" daemon --netns "$NET_CLIENT" --policy "$TMP/policy.yaml" >"$TMP/daemon" 2>&1 &
	DAEMON=$!
	wait_for 15 pmctl path list --netns "$NET_CLIENT" || die "no daemon: $(cat "$TMP/daemon")"
	wait_for 5 tfo_status 's["watched"]'
	rescue_capture wlan0 'tcp port 7777'
	tfo_connect 10.1.9.1 "$TFO_QUICK"
	tfo_middlebox
	for _ in 1 2; do tfo_connect 10.1.9.1 "$TFO_LATE"; done
	wait_for 5 tfo_no_cookies
	grep -q 'send no data in SYNs to 10.1.9.1 by wlan0' "$TMP/daemon" || die "$(cat "$TMP/daemon")"
	for _ in 1 2 3; do tfo_connect 10.1.9.1 "$TFO_QUICK"; done
	is "$(tfo_cookies)" 0 'cookies, which are not asked for'
	is "$(rescue_count data_held)" 0 'SYNs whose data had to be taken out'
	wait_for 5 tfo_sees_syns 8 # two of them sent again
	is "$(tfo_data)" 2 'SYNs with data'
	kill "$DAEMON"
	wait "$DAEMON" || die "the daemon ended with $?"
}

# Others than those listed are not asked for a cookie, and one that is there is forgotten.
tfo_listed() {
	tfo_world 'client: on, to: [ { prefix: 10.1.9.0/24, port: 7777 } ], blackhole: 0s' 'server: all'
	tfo_connect 10.1.9.1 "$TFO_QUICK"
	tfo_connect fd00:1:9::1 "$TFO_QUICK"
	is "$(tfo_cookies)" 1 cookies
	rescue_capture wlan0 'tcp port 7777'
	tfo_connect fd00:1:9::1 "$TFO_QUICK"
	wait_for 5 tfo_sees_syns 1
	is "$(tfo_options)" 0 'SYNs that ask for a cookie'
	is "$(rescue_count data_cookies)" 2 'requests that were taken out'
	tfo_connect 10.1.9.1 "$TFO_QUICK"
	wait_for 5 tfo_sees_syns 2
	is "$(tfo_data)" 1 'SYNs with data'
	tfo_apply 'client: on, to: [ { prefix: 192.0.2.0/24 } ]'
	is "$(tfo_cookies)" 0 'cookies of what is not listed any more'
	tfo_connect 10.1.9.1 "$TFO_QUICK"
	wait_for 5 tfo_sees_syns 3
	is "$(tfo_data)" 1 'SYNs with data'
	# A route that does without cookies: MPTCP is lost, as with a server that takes no data.
	tfo_route_without
	tfo_connect 10.1.9.1 "$TFO_PLAIN"
	is "$(rescue_count data_unlisted)" 1 'SYNs whose data was taken out'
}

# For packets from wlan0's address, which connections have when their second look at routes comes.
tfo_route_without() { net_client ip route add 10.1.9.1 via 10.1.1.254 dev wlan0 table 101 fastopen_no_cookie 1; }

# A route that does without cookies to a destination that is listed.
tfo_route() {
	tfo_world 'client: on, to: [ { prefix: 10.1.9.1 } ]' 'server: all, no-cookie: [server]'
	tfo_route_without
	tfo_connect 10.1.9.1 "$TFO_QUICK"
	is "$(rescue_counter TcpExtTCPFastOpenActive)" 1 'data in the first SYN'
	is "$(tfo_server_counter TcpExtTCPFastOpenCookieReqd)" 0 cookies
}

# A SYN with data is not raced; where there is to be none, there is none, and it is.
tfo_not_raced() {
	tfo_world '' 'server: all'
	tfo_apply 'client: on' 'robe: [sim]'
	tfo_connect 10.1.9.1 "c['mptcp']"
	is "$(rescue_count copies)" 1 'copies of a SYN that asks for a cookie'
	tfo_connect 10.1.9.1 "c['mptcp']"
	is "$(rescue_count copies)" 1 'copies, none of the SYN with data'
	is "$(rescue_count not_data)" 1 'left alone because of data'
	is "$(tfo_server_counter TcpExtTCPFastOpenPassive)" 1 'data the server took'
	is "$(rescue_accepts)" 2 accepts
	tfo_apply 'client: on, to: [ { prefix: 192.0.2.0/24 } ]' 'robe: [sim]'
	tfo_connect 10.1.9.1 "c['mptcp']"
	is "$(rescue_count copies)" 2 'copies of a SYN without data'
	wait_for 2 rescue_no_half_open
}

tfo_unload() {
	tfo_world '' ''
	net_client sysctl -qw net.ipv4.tcp_fastopen=0x2
	tfo_apply 'client: on, server: all, no-cookie: [server]'
	is "$(tfo_sysctl client)" $((0x603)) 'of both sides'
	tfo_apply 'client: on'
	is "$(tfo_sysctl client)" $((0x3)) 'the server as before'
	exits 0 pmctl apply "$TMP/policy.yaml" --netns "$NET_CLIENT"
	grep -q 'nothing to change' "$TMP/out" || die "$(cat "$TMP/out")"
	pmctl unload --netns "$NET_CLIENT"
	is "$(tfo_sysctl client)" $((0x2)) 'as before'
	exits 1 rescue_list
	tfo_apply 'client: on'
	net_client sysctl -qw net.ipv4.tcp_fastopen=0x1 # by someone else
	pmctl unload --netns "$NET_CLIENT"
	is "$(tfo_sysctl client)" 1 'as someone else left it'
}

# Killed at any message to the kernel, it leaves what the next run puts back.
tfo_killed() {
	local n rc
	command -v strace >/dev/null || skip 'strace is not installed'
	tfo_world '' ''
	tfo_policy 'client: on, server: all, blackhole: 0s'
	for n in $(seq 60); do
		rc=0
		strace -f -o /dev/null -e trace=sendto -e "inject=sendto:signal=KILL:when=$n" \
			"$PMCTL" apply "$TMP/policy.yaml" --netns "$NET_CLIENT" >/dev/null 2>&1 || rc=$?
		[ "$rc" -ne 0 ] || break
		pmctl unload --netns "$NET_CLIENT" >/dev/null
		is "$(tfo_sysctl client)" 1 "unloaded after message $n"
	done
	echo "messages: $n"
	[ "$rc" -eq 0 ] || die 'the program never ran to its end'
	is "$(tfo_sysctl client)" $((0x403)) 'when it was not killed'
	[ "$n" -gt 8 ] || die "killed at $n messages only"
}
