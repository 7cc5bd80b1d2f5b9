# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# `mptcp-pmctl monitor`: events of real connections. Sourced by tests/netns/run.

# One MPTCP connection: ROLE server | client. The client closes when its standard input ends.
conversation() {
	exec python3 - "$1" 3<&0 <<-'END'
		import os, socket, sys
		if sys.argv[1] == "server":
		    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		    s.bind(("0.0.0.0", 7777))
		    s.listen()
		    c, _ = s.accept()
		    while c.recv(1):
		        c.sendall(b"y")
		else:
		    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
		    s.connect(("10.77.1.2", 7777))
		    for _ in range(10):
		        s.sendall(b"x")
		        s.recv(1)
		    print("up", flush=True)
		    os.read(3, 1)
		    s.close()
	END
}

# Short connections over loopback until both of the netlink sockets among these have dropped one.
flood() { # INODE...
	python3 - "$@" <<-'END'
		import socket, sys
		def dropped():
		    rows = [l.split() for l in open("/proc/thread-self/net/netlink")]
		    drops = [int(r[8]) for r in rows if r[9] in sys.argv[1:]]
		    return len(drops) == 2 and all(drops)
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
		s.bind(("127.0.0.1", 0))
		s.listen()
		for _ in range(200):
		    for _ in range(100):
		        c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
		        c.connect(s.getsockname())
		        c.sendall(b"x")
		        p, _ = s.accept()
		        p.recv(1)
		        p.close()
		        c.recv(1)
		        c.close()
		    if dropped():
		        sys.exit(0)
		sys.exit("no message was dropped")
	END
}

# Joined: the signals are caught after that.
watches() { (($(awk '/^SigCgt/ { print "0x" $2 }' "/proc/$1/status") & 0x4000)); }
# watch NAME NAMESPACE [OPTIONS]: a monitor that writes to $TMP/NAME; its process is $WATCHER.
watch() {
	"$PMCTL" monitor --netns "$2" "${@:3}" >"$TMP/$1" &
	WATCHER=$!
	wait_for 30 watches "$WATCHER" || die "the monitor $1 does not run"
}
ended() { ! [ -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }
finishes() { # PROCESS: with exit 0, soon
	wait_for 30 ended "$1" || die 'the monitor does not end'
	wait "$1" || die "the monitor ended with $?"
}
# saw NAME EVENT [PATTERN OF WHAT FOLLOWS]
saw() { grep -qE "^20[0-9-]+T[0-9:.]+Z \[ *$2\]${3:+ $3}" "$TMP/$1"; }
names() { sed -E 's/^[^[]*\[ *([A-Z_]+)\].*/\1/' "$TMP/$1" | tr '\n' ' ' | sed 's/ $//'; }
json_names() {
	python3 -c '
import json, sys
e = [json.loads(l) for l in sys.stdin]
assert all(x["time_us"] > 1.7e15 for x in e), e
print(*(x["event"] for x in e))' <"$TMP/$1"
}
inode() { readlink "/proc/$1/fd/"* | sed -n 's/^socket:\[\([0-9]*\)\]$/\1/p'; }

# A connection that stays until file descriptor 9 is closed. TOKEN is the client's.
converse() {
	export -f conversation
	mkfifo "$TMP/hold"
	ip netns exec "$S" bash -c 'conversation server' &
	wait_for 30 listening
	ip netns exec "$C" bash -c 'conversation client' <"$TMP/hold" >"$TMP/client" &
	exec 9>"$TMP/hold"
	rm "$TMP/hold"
	wait_for 30 grep -q up "$TMP/client"
	TOKEN=$(pmctl conn list --netns "$C" -j 9>&- |
		python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["token"])')
}

monitor_events() {
	local text json one other two server watcher
	world
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	ip -n "$C" mptcp limits set subflow 8 add_addr_accepted 0
	watch text "$C"
	text=$WATCHER
	watch json "$C" -j
	json=$WATCHER
	watch two "$C" --count 2
	two=$WATCHER
	watch server "$S"
	server=$WATCHER
	converse
	wait_for 30 saw text ESTABLISHED
	finishes "$two"
	is "$(names two)" 'CREATED ESTABLISHED' '--count 2'
	watch one "$C" --token "0x$TOKEN" 9>&-
	one=$WATCHER
	watch other "$C" --token 1 9>&-
	other=$WATCHER

	ip -n "$C" mptcp endpoint add 10.77.2.1 dev wwan0 id 9 subflow
	wait_for 30 saw text SF_ESTABLISHED "token=$TOKEN remid=0 locid=9 saddr4=10.77.2.1 daddr4=10.77.1.2 sport=[0-9]+ dport=7777 backup=0 dev=wwan0"
	wait_for 30 saw server SF_ESTABLISHED
	ip -n "$C" mptcp endpoint change id 9 backup
	wait_for 30 saw server SF_PRIO '.* backup=1'
	ip -n "$S" mptcp endpoint add 10.77.2.2 port 8888 id 5 signal
	wait_for 30 saw server LISTENER_CREATED 'saddr4=10.77.2.2 sport=8888$'
	wait_for 30 saw text ANNOUNCED "token=$TOKEN remid=5 daddr4=10.77.2.2 dport=8888"
	ip -n "$S" mptcp endpoint delete id 5
	wait_for 30 saw server LISTENER_CLOSED 'saddr4=10.77.2.2 sport=8888$'
	wait_for 30 saw text REMOVED "token=$TOKEN remid=5"
	ip -n "$C" mptcp endpoint delete id 9
	wait_for 30 saw text SF_CLOSED "token=$TOKEN .*saddr4=10.77.2.1 .*dev=wwan0"
	exec 9>&-
	wait_for 30 saw text CLOSED "token=$TOKEN"
	wait_for 30 saw one CLOSED
	wait_for 30 grep -q '"CLOSED"' "$TMP/json"
	wait_for 30 saw server CLOSED

	kill -INT "$text"
	kill "$json" "$one" "$other" "$server"
	for watcher in "$text" "$json" "$one" "$other" "$server"; do
		finishes "$watcher"
	done
	cat "$TMP/text" "$TMP/json" "$TMP/server"
	saw text CREATED "token=$TOKEN .*saddr4=10.77.1.1 daddr4=10.77.1.2 sport=[0-9]+ dport=7777$" ||
		die 'CREATED is not as it should be'
	saw server CREATED '.* server_side$' || die 'the server is not one'
	is "$(names text | sed 's/ SF_PRIO//')" \
		'CREATED ESTABLISHED SF_ESTABLISHED ANNOUNCED REMOVED SF_CLOSED CLOSED' 'order of events'
	is "$(json_names json)" "$(names text)" 'events in JSON'
	is "$(names one)" "$(names text | cut -d ' ' -f 3-)" "events of $TOKEN"
	is "$(names other)" '' 'events of another connection'
}

# The server resets a subflow.
monitor_reset() {
	local text
	world
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	watch text "$C"
	text=$WATCHER
	converse
	ip -n "$C" mptcp endpoint add 10.77.2.1 dev wwan0 subflow
	wait_for 30 saw text SF_ESTABLISHED
	ip netns exec "$S" ss -KHtn dst 10.77.2.1
	[ -z "$(ip netns exec "$S" ss -Htn dst 10.77.2.1)" ] ||
		skip 'this kernel cannot destroy sockets: CONFIG_INET_DIAG_DESTROY'
	wait_for 30 saw text SF_CLOSED "token=$TOKEN .* error=104 error_text=\"Connection reset by peer\" dev=wwan0 reset_reason=0 reset_reason_text=\"unspecified error\" reset_flags=0$"
	exec 9>&-
	kill "$text"
	finishes "$text"
}

monitor_ends() {
	world
	exits 0 timeout 20 "$PMCTL" monitor --netns "$C" --seconds 1
	is "$(cat "$TMP/out")" '' 'events of an idle namespace'
	exits 2 pmctl monitor --seconds 0
	exits 2 pmctl monitor --count none
	exits 2 pmctl monitor --token xyz
	exits 1 pmctl monitor --netns "$C-none"
	exits 4 ip netns exec "$C" setpriv --bounding-set -net_admin --inh-caps -net_admin \
		"$PMCTL" monitor
	grep -q 'no permission to watch MPTCP events: CAP_NET_ADMIN missing' "$TMP/out" ||
		die 'the capability is not named'
	exits 4 ip netns exec "$C" setpriv --bounding-set -net_admin --inh-caps -net_admin \
		"$PMCTL" monitor -j
	python3 -c 'import json,sys; assert "CAP_NET_ADMIN" in json.load(sys.stdin)["error"]' <"$TMP/out"
}

# Stopped until the kernel had no room for more: it says so, begins anew and goes on.
monitor_overflow() {
	local text json
	world
	converse
	watch text "$C" --current 9>&-
	text=$WATCHER
	watch json "$C" --current -j 9>&-
	json=$WATCHER
	wait_for 30 saw text CURRENT "token=$TOKEN saddr4=10.77.1.1 .* dport=7777 state=ESTAB nr_subflows=1$"
	wait_for 30 grep -q CURRENT "$TMP/json"
	# A stopped one would take no other signal.
	trap 'kill -CONT "$text" "$json" 2>/dev/null' EXIT
	kill -STOP "$text" "$json"
	export -f flood
	ip netns exec "$C" bash -c "flood $(inode "$text") $(inode "$json")" 9>&-
	kill -CONT "$text" "$json"
	trap - EXIT
	wait_for 30 saw text OVERFLOW "lost events: the kernel's buffer was full connections="
	wait_for 30 grep -q '"event":"OVERFLOW"' "$TMP/json"
	exec 9>&-
	wait_for 30 saw text CLOSED "token=$TOKEN"
	wait_for 30 grep -q "\"event\":\"CLOSED\",\"token\":\"$TOKEN\"" "$TMP/json"
	kill "$text" "$json"
	finishes "$text"
	finishes "$json"
	grep -A 3 OVERFLOW "$TMP/text"
	python3 -c '
import json, sys
e = [json.loads(l) for l in sys.stdin]
at = [i for i, x in enumerate(e) if x["event"] == "OVERFLOW"]
nr = e[at[0]]["connections"]
follow = e[at[0] + 1:at[0] + 1 + nr]
assert e[0]["event"] == "CURRENT" and e[0]["token"] == sys.argv[1], e[0]
assert at[0] > 1000, at
assert [x["event"] for x in follow] == ["CURRENT"] * nr, follow
assert sys.argv[1] in {x["token"] for x in follow}, follow
assert all(x["event"] != "CURRENT" for x in e[1:at[0]]), "CURRENT before"
assert e[-1]["event"] == "CLOSED", e[-1]' "$TOKEN" <"$TMP/json"
}
