# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The userspace path manager by hand: conn subflow, conn announce, conn withdraw. Sourced by run,
# whose world() and helpers it uses.

# Fetches as many bytes as each line of its input says, over one connection: FAMILY ADDRESS
fetcher() {
	python3 - "$@" 3<"$TMP/fetch" <<-'END'
		import os, socket, sys
		family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
		s = socket.socket(family, socket.SOCK_STREAM, 262)
		s.connect((sys.argv[1], 7777))
		for line in os.fdopen(3):
		    left = int(line)
		    s.sendall(b"get %d 1\n" % left)
		    while left:
		        block = s.recv(min(left, 1 << 16))
		        if not block:
		            sys.exit("closed early")
		        left -= len(block)
		    print("got", line.strip(), flush=True)
	END
}

# One connection to ADDRESS; $CLIENT and $SERVER are its tokens.
connect_to() {
	ip netns exec "$S" "$TRAFFIC" server --port 7777 &
	wait_for 15 listening
	rm -f "$TMP/fetch"
	mkfifo "$TMP/fetch"
	export -f fetcher
	export TMP
	ip netns exec "$C" bash -c "fetcher $1" >>"$TMP/fetched" 2>&1 &
	exec 4>"$TMP/fetch"
	fetch 1000
	CLIENT=$(token_in "$C")
	SERVER=$(token_in "$S")
}
fetch() {
	: >"$TMP/fetched"
	echo "$1" >&4
	wait_for 60 grep -qx "got $1" "$TMP/fetched" || die "fetched: $(cat "$TMP/fetched")"
}
hang_up() {
	exec 4>&-
	drop_namespaces
}

token_in() { pmctl conn list --netns "$1" -j | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["token"])'; }
userspace_pm() { ip netns exec "$1" sysctl -qw net.mptcp.pm_type=1; }
server_counter() { ip netns exec "$S" nstat -asz "$1" | awk -v n="$1" '$1 == n { print $2 }'; }
received() { ip -n "$C" -s -j link show "$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["stats64"]["rx"]["bytes"])'; }
# subflows NAMESPACE TOKEN EXPRESSION: python about the list s of `conn show`
subflows() {
	pmctl conn show "$2" --netns "$1" -j |
		python3 -c 'import json,sys; s = json.load(sys.stdin)["subflows"]; sys.exit(not ('"$3"'))'
}
# Is there a generic netlink socket (protocol 16) in the server that is in a group?
monitored() {
	# shellcheck disable=SC2016 # for awk
	ip netns exec "$S" awk '$2 == 16 && $4 !~ /^0+$/ { found = 1 } END { exit !found }' /proc/net/netlink
}
# counts SIDE COUNTER NUMBER
counts() { [ "$("$1" "$2")" -ge "$3" ]; }
says() { grep -qF -- "$1" "$TMP/out" || die "does not say \"$1\""; }
# json EXPRESSION: python about the object o in $TMP/out
json() { python3 -c 'import json,sys; o = json.load(open(sys.argv[1])); assert '"$1"', o' "$TMP/out"; }

subflow_by_hand() {
	local before
	world
	userspace_pm "$C"
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	connect_to 10.77.1.2
	exits 0 pmctl conn subflow add "$CLIENT" --dev wwan0 --netns "$C" -j
	json 'o["command"] == "subflow add" and o["state"] == "ESTAB" and o["locid"] == 1 and o["remid"] == 0'
	json 'o["saddr"] == "10.77.2.1" and o["daddr"] == "10.77.1.2" and o["dport"] == 7777 and o["dev"] == "wwan0"'
	subflows "$C" "$CLIENT" 'len(s) == 2 and {f["saddr"] for f in s} == {"10.77.1.1", "10.77.2.1"}' ||
		die 'no second subflow'
	[ -n "$(ip netns exec "$C" ss -Htn state established src 10.77.2.1)" ] || die 'ss does not see it'
	before=$(received wwan0)
	fetch 8000000
	[ $(($(received wwan0) - before)) -gt 200000 ] || die 'wwan0 carried nothing'

	exits 1 pmctl conn subflow add "$CLIENT" --local 10.77.2.1 --netns "$C"
	says 'has a subflow from 10.77.2.1 to 10.77.1.2:7777 already'

	# The first path becomes a backup: the server leaves it alone.
	exits 0 pmctl conn subflow backup "$CLIENT" on 0 --netns "$C"
	wait_for 15 counts server_counter MPTcpExtMPPrioRx 1
	subflows "$C" "$CLIENT" '[f.get("backup_requested", False) for f in s] == [True, False]' ||
		die 'no backup on this side'
	subflows "$S" "$SERVER" '[f["daddr"][-9:] for f in s if f.get("backup_received")] == ["10.77.1.1"]' ||
		die 'no backup at the server'
	before=$(received wlan0)
	fetch 4000000
	[ $(($(received wlan0) - before)) -lt 400000 ] || die 'the backup was used'
	exits 0 pmctl conn subflow backup "$CLIENT" off --local 10.77.1.1 --remote 10.77.1.2:7777 --netns "$C" -j
	json 'o["command"] == "subflow backup" and o["backup"] is False and o["locid"] == 0'
	wait_for 15 counts server_counter MPTcpExtMPPrioRx 2

	exits 0 pmctl conn subflow del "$CLIENT" 1 --netns "$C"
	wait_for 15 subflows "$C" "$CLIENT" 'len(s) == 1 and s[0]["saddr"] == "10.77.1.1"'
	wait_for 15 subflows "$S" "$SERVER" 'len(s) == 1'
	exits 1 pmctl conn subflow del "$CLIENT" 1 --netns "$C"
	says 'no such subflow'
	fetch 100000
	exits 0 pmctl conn subflow add "$CLIENT" --local 10.77.2.1 --dev wwan0 --local-id 9 --backup --netns "$C"
	wait_for 15 subflows "$S" "$SERVER" '[f["remid"] for f in s if f.get("backup_received")] == [9]'
	hang_up
}

subflow_errors() {
	local before
	world
	userspace_pm "$C"
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	ip -n "$C" addr add 10.77.2.7/24 dev wwan0
	connect_to 10.77.1.2
	before=$(ip netns exec "$C" nstat -asz MPTcpExtMPJoinSynTx MPTcpExtAddAddrTx MPTcpExtRmAddrTx)
	pmctl_c() { pmctl conn "$1" "${@:2}" --netns "$C"; }
	exits 1 pmctl_c subflow add 12345678 --local 10.77.2.1
	says 'no MPTCP connection with token 12345678'
	says "mptcp-pmctl conn list --netns $C"
	exits 1 pmctl_c subflow add "$CLIENT" --local 192.0.2.1
	says '192.0.2.1 is not one of this host'
	exits 1 pmctl_c subflow add "$CLIENT" --dev wwan0
	says 'wwan0 has 2 usable IPv4 addresses'
	exits 1 pmctl_c subflow add "$CLIENT" --dev lo
	says 'lo has no usable IPv4 address'
	exits 1 pmctl_c subflow add "$CLIENT" --dev nothing0
	says 'no device nothing0'
	exits 1 pmctl_c subflow add "$CLIENT" --local fd77:2::1
	says 'made by an IPv4 socket'
	exits 1 pmctl_c subflow add "$CLIENT" --local 10.77.2.1 --remote '[fd77:1::2]:7777'
	says 'is IPv4, but remote address'
	exits 1 pmctl_c subflow add "$CLIENT" --local 10.77.2.1 --local-id 0
	says 'id 0 is in use'
	says 'the lowest free id is 1'
	exits 1 pmctl_c subflow add "$CLIENT" --local 10.77.1.1 --remote-port 7778 --local-id 5
	says '10.77.1.1 has the id 0'
	exits 1 pmctl_c subflow del "$CLIENT" 7
	exits 1 pmctl_c subflow backup "$CLIENT" on --local 10.77.1.1:1
	exits 2 pmctl_c subflow add "$CLIENT"
	exits 2 pmctl_c subflow add "$CLIENT" --local 10.77.2.1 --local-id 256
	says 'a number from 0 to 255'
	exits 2 pmctl_c subflow add "$CLIENT" --local 10.77.2.1 --remote 10.77.1.2:0
	exits 2 pmctl_c subflow add "$CLIENT" --local 10.77.2.1 --remote 10.77.1.2:1 --remote-port 1
	exits 2 pmctl_c subflow del "$CLIENT"
	exits 2 pmctl_c subflow backup "$CLIENT" maybe 0
	exits 2 pmctl_c announce "$CLIENT" 10.77.2.1 --id 0
	says 'a number from 1 to 255'
	exits 2 pmctl_c announce "$CLIENT" 10.77.2.1:80
	exits 2 pmctl_c subflow
	says 'conn subflow needs another word: add, del, backup'
	exits 1 pmctl_c withdraw "$CLIENT" 7
	says 'not found'
	exits 4 ip netns exec "$C" setpriv --bounding-set=-net_admin --inh-caps=-net_admin \
		"$PMCTL" conn subflow add "$CLIENT" --dev wwan0
	says CAP_NET_ADMIN
	is "$(ip netns exec "$C" nstat -asz MPTcpExtMPJoinSynTx MPTcpExtAddAddrTx MPTcpExtRmAddrTx)" "$before" \
		'what was sent'

	# Nobody listens there; then one that nobody answers.
	exits 1 pmctl_c subflow add "$CLIENT" --local 10.77.2.1 --dev wwan0 --remote-port 9
	says 'the peer refused it'
	ip -n "$S" route add blackhole 10.77.2.1
	exits 0 pmctl_c subflow add "$CLIENT" --local 10.77.2.1 --dev wwan0
	says 'not answered yet'
	exits 0 pmctl_c subflow del "$CLIENT" --local 10.77.2.1
	wait_for 15 subflows "$C" "$CLIENT" 'len(s) == 1'
	hang_up
}

announce_by_hand() {
	local one_left='len([f for f in s if f["state"] == "ESTAB"]) == 1'
	world
	userspace_pm "$S"
	ip -n "$C" mptcp limits set subflow 4 add_addr_accepted 4
	connect_to 10.77.1.2
	# Joins are let in only while someone listens to the events.
	ip netns exec "$S" ip mptcp monitor >"$TMP/events" &
	wait_for 15 monitored
	exits 0 pmctl conn announce "$SERVER" 10.77.2.2 --netns "$S" -j
	json 'o == {"token": "'"$SERVER"'", "command": "announce", "saddr": "10.77.2.2", "locid": 1}'
	wait_for 15 counts counter MPTcpExtAddAddr 1
	# The client's own path manager takes the offer.
	wait_for 15 subflows "$C" "$CLIENT" '[(f["daddr"], f["remid"]) for f in s][1:] == [("10.77.2.2", 1)]'
	# The server's sockets are dual-stack: its IPv4 addresses are mapped ones.
	exits 0 pmctl conn subflow backup "$SERVER" on --local 10.77.2.2 --netns "$S"
	wait_for 15 counts counter MPTcpExtMPPrioRx 1
	exits 1 pmctl conn announce "$SERVER" 10.77.2.9 --id 1 --netns "$S"
	says 'id 1 is in use'
	exits 0 pmctl conn announce "$SERVER" 10.77.2.9 --netns "$S"
	says 'announced 10.77.2.9, id 2'
	says 'note: address 10.77.2.9 is not one of this host'
	exits 0 pmctl conn withdraw "$SERVER" 1 --netns "$S"
	says 'address id 1 withdrawn'
	wait_for 15 counts counter MPTcpExtRmAddr 1
	wait_for 15 subflows "$C" "$CLIENT" "$one_left"
	exits 0 pmctl conn announce "$SERVER" 10.77.2.2 --port 7777 --id 77 --netns "$S"
	says 'announced 10.77.2.2:7777, id 77'
	wait_for 15 counts counter MPTcpExtAddAddr 3
	wait_for 15 subflows "$S" "$SERVER" '[f["locid"] for f in s if f["state"] == "ESTAB"] == [0, 77]'
	exits 0 pmctl conn subflow del "$SERVER" 77 --netns "$S"
	wait_for 15 subflows "$C" "$CLIENT" "$one_left"
	fetch 100000
	hang_up
}

subflow_by_hand_v6() {
	local before
	world
	userspace_pm "$C"
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	connect_to fd77:1::2
	exits 0 pmctl conn subflow add "$CLIENT" --local fd77:2::1 --dev wwan0 \
		--remote '[fd77:2::2]:7777' --remote-id 3 --netns "$C"
	says 'subflow [fd77:2::1]:'
	says '-> [fd77:2::2]:7777, id 1, established'
	before=$(received wwan0)
	fetch 8000000
	[ $(($(received wwan0) - before)) -gt 200000 ] || die 'wwan0 carried nothing'
	exits 0 pmctl conn subflow backup "$CLIENT" on 1:1 --netns "$C"
	wait_for 15 counts server_counter MPTcpExtMPPrioRx 1
	exits 0 pmctl conn subflow del "$CLIENT" --local fd77:2::1 --remote '[fd77:2::2]:7777' --netns "$C"
	wait_for 15 subflows "$C" "$CLIENT" 'len(s) == 1'
	hang_up
}

kernel_managed() {
	world
	connect_to 10.77.1.2
	for words in "subflow add $CLIENT --dev wwan0" "subflow del $CLIENT 0" \
		"subflow backup $CLIENT on 0" "announce $CLIENT 10.77.2.1" "withdraw $CLIENT 1"; do
		# shellcheck disable=SC2086 # words
		exits 1 pmctl conn $words --netns "$C"
		says "managed by the kernel's own path manager"
		says 'net.mptcp.pm_type=1'
	done
	subflows "$C" "$CLIENT" 'len(s) == 1 and not s[0].get("backup_requested")' || die 'changed'
	hang_up
}

run_test 'subflow by hand' subflow_by_hand
run_test 'subflow by hand, IPv6' subflow_by_hand_v6
run_test 'subflow by hand: errors' subflow_errors
run_test 'announce and withdraw' announce_by_hand
run_test 'the kernel manages it' kernel_managed
