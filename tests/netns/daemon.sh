# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The daemon: paths followed over live connections. Sourced by run, whose world() and helpers, and
# those of conn.sh, it uses.

# daemon_policy MODE [LINES]: wifi before lte, by the userspace path manager
daemon_policy() {
	policy "$1"
	printf '%s\n' 'engine: userspace' "${@:2}" >>"$TMP/policy.yaml"
}

# start_daemon: its process is $DAEMON, its log $TMP/daemon
start_daemon() {
	"$PMCTL" daemon --netns "$C" --policy "$TMP/policy.yaml" >>"$TMP/daemon" 2>&1 &
	DAEMON=$!
	wait_for 15 pmctl path list --netns "$C" || die "no daemon: $(cat "$TMP/daemon")"
}
stop_daemon() {
	kill "$DAEMON"
	wait "$DAEMON" || die "the daemon ended with $?"
}
# daemon_world MODE [LINES]: a world with a daemon, and a server that takes any number of subflows
daemon_world() {
	world
	rm -f "$TMP/daemon"
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	daemon_policy "$@"
	start_daemon
	serve
}
# Both ends are not to be late for want of a processor: what is measured is the path manager.
serve() { # for $SERVE_S seconds a command at most
	chrt -f 1 ip netns exec "$S" "$TRAFFIC" server --port 7777 --timeout "${SERVE_S:-120}" &
	wait_for 15 listening
}
end_world() {
	stop_daemon
	drop_namespaces
}

# One JSON object or list of `mptcp-pmctl ARGUMENTS -j` in the client: EXPRESSION about o, ARGUMENTS
told() {
	local expression=$1
	shift
	pmctl "$@" --netns "$C" -j | python3 -c 'import json,sys; o = json.load(sys.stdin); sys.exit(not ('"$expression"'))'
}
# A number of the daemon's own, by its socket: NAME
daemon_number() {
	ask '{"request":"status"}' | python3 -c 'import json,sys; print(json.loads(sys.stdin.readline())[sys.argv[1]])' "$1"
}
control_socket() { echo "$TMP/state/control-$(stat -Lc %i "/run/netns/$C")"; }
ask() { # LINE...: what is answered, up to the last line of each answer
	python3 - "$(control_socket)" "$@" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		f = s.makefile("rw", encoding="latin-1", newline="\n")
		for line in sys.argv[2:]:
		    f.write(line + "\n")
		    f.flush()
		    for answer in f:
		        print(answer, end="")
		        if answer.startswith(('{"ok"', '{"error"')):
		            break
	END
}

# A busy machine, or one that runs elsewhere, lets a processor stand still now and then for longer
# than what is measured. A clock that ticks on each of them in the foreground sees it; what the
# longest pause was, in ms, is in $TMP/stall at its end, which is that of the test at the latest.
metronome() {
	chrt -f 2 python3 - "$TMP/stall" <<-'END' &
		import os, signal, sys, threading, time
		end, parent = threading.Event(), os.getppid()
		signal.signal(signal.SIGTERM, lambda *_: end.set())
		worst = []
		def tick(cpu):
		    os.sched_setaffinity(0, {cpu})
		    longest = 0
		    while not end.is_set() and os.getppid() == parent:
		        t = time.monotonic()
		        time.sleep(0.002)
		        longest = max(longest, time.monotonic() - t - 0.002)
		    worst.append(round(longest * 1000))
		threads = [threading.Thread(target=tick, args=(c,)) for c in os.sched_getaffinity(0)]
		for t in threads:
		    t.start()
		for t in threads:
		    t.join()
		print(max(worst) if max(worst) > 5 else 0, file=open(sys.argv[1], "w"))
	END
	METRONOME=$!
}
# talk COUNT [OPTIONS]: 200 bytes there and back every 100 ms; the result is $TMP/talk
talk() {
	metronome
	rm -f "$TMP/rounds"
	chrt -f 1 ip netns exec "$C" "$TRAFFIC" client echo --host 10.77.1.2 --port 7777 --bytes 200 \
		--interval-ms 100 --timeout 60 --json --out "$TMP/rounds" --count "$@" >"$TMP/talk" &
	TALK=$!
	wait_for 15 rounds 5
}
rounds() { [ "$(grep -c "" "$TMP/rounds" 2>/dev/null)" -ge "$1" ]; }
talked() { # LONGEST GAP in ms that is allowed, should the machine not stand still
	local stall
	wait "$TALK" || die "the exchange failed: $(cat "$TMP/talk")"
	kill "$METRONOME"
	wait "$METRONOME"
	stall=$(cat "$TMP/stall")
	echo "the machine stood still for up to $stall ms"
	cat "$TMP/talk"
	python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
assert r["ok"] and r["mptcp"], r
assert r["gap_ms"] - r["late_ms"] <= float(sys.argv[2]), "longest gap %s ms" % r["gap_ms"]' "$TMP/talk" "$(($1 + stall))"
}
# The kernel takes one link down at a time, on the whole machine, and waits meanwhile; how long that
# was, in ms, is $TOOK, and no fault of who hears of it.
take_down() {
	local start=${EPOCHREALTIME/./}
	ip -n "$C" link set "$1" down
	TOOK=$(((${EPOCHREALTIME/./} - start) / 1000))
	echo "link down: $TOOK ms"
	[ "$TOOK" -lt 10 ] && TOOK=0
	return 0
}
sole_token() { token_in "$C"; }
# Subflows of the only connection: EXPRESSION about the list s, of those established
paths_used() {
	pmctl conn show "$(sole_token)" --netns "$C" -j | python3 -c '
import json,sys
s = [f["saddr"].split(":")[-1] for f in json.load(sys.stdin)["subflows"] if f.get("state") == "ESTAB"]
sys.exit(not ('"$1"'))'
}
both_used() { paths_used 'sorted(s) == ["10.77.1.1", "10.77.2.1"]'; }

# Packets of connections that leave by wwan0, counted by the firewall: neighbour discovery is not
# traffic.
count_lte() {
	ip netns exec "$C" nft -f - <<-'END'
		table inet count {
			chain out {
				type filter hook output priority 0
				oifname "wwan0" tcp dport 7777 counter
			}
		}
	END
}
lte_bytes() { ip netns exec "$C" nft list table inet count | sed -n 's/.*counter packets [0-9]* bytes \([0-9]*\).*/\1/p'; }

# The whole of a link's end: nothing on LTE before, a gap of little more than the 100 ms between
# requests when Wi-Fi goes, and nothing lost.
handover_link_down() {
	daemon_world handover
	count_lte
	talk 30
	paths_used 's == ["10.77.1.1"]' || die 'not on Wi-Fi alone'
	is "$(lte_bytes)" 0 'bytes on LTE with Wi-Fi healthy'
	is "$(ip netns exec "$C" nstat -asz MPTcpExtMPJoinSynTx | awk '/MPJoin/ { print $2 }')" 0 joins
	take_down wlan0
	talked $((120 + TOOK))
	[ "$(lte_bytes)" -gt 1000 ] || die 'LTE did not take over'
	grep -q 'add a subflow from 10.77.2.1.*lte takes over' "$TMP/daemon" || die 'no reason in the log'
	end_world
}

# The same with endpoints and no daemon, as people have it today.
stock_link_down() {
	world
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	ip -n "$C" mptcp limits set subflow 4 add_addr_accepted 4
	ip -n "$C" mptcp endpoint add 10.77.2.1 dev wwan0 subflow backup
	serve
	count_lte
	talk 30
	wait_for 15 both_used
	[ "$(lte_bytes)" -gt 0 ] || die 'a backup subflow that costs nothing: the other test shows nothing'
	ip -n "$C" link set wlan0 down
	talked 5000
	python3 -c 'import json,sys; g = json.load(open(sys.argv[1]))["gap_ms"]; print("stock:", g, "ms"); sys.exit(g <= 120)' \
		"$TMP/talk" || die 'stock is as fast: the other test shows nothing'
	drop_namespaces
}

# The kernel's path manager under the daemon: the endpoint of LTE comes and goes.
handover_by_endpoints() {
	daemon_world handover
	stop_daemon
	sed -i 's/^engine: userspace/engine: kernel/' "$TMP/policy.yaml"
	start_daemon
	is "$(endpoints | grep -c wwan0 || :)" 0 'endpoints of LTE'
	count_lte
	talk 30
	is "$(lte_bytes)" 0 'bytes on LTE with Wi-Fi healthy'
	take_down wlan0
	talked $((120 + TOOK))
	endpoints | grep -q '10.77.2.1 subflow' || die 'no endpoint of LTE'
	end_world
}

drop_lte() { # of either direction, silently
	ip netns exec "$C" nft -f - <<-'END'
		table inet hole {
			chain in { type filter hook input priority 0; iifname "wwan0" tcp sport 7777 drop; }
			chain out { type filter hook output priority 0; oifname "wwan0" tcp dport 7777 drop; }
		}
	END
}

lost_subflow() {
	local start back
	daemon_world aggregate
	watch json "$C" -j
	talk 110
	wait_for 15 both_used
	drop_lte
	ip netns exec "$C" ss -K -t src 10.77.2.1 >"$TMP/killed"
	grep -q 10.77.2.1 "$TMP/killed" || die 'no subflow was killed'
	wait_for 15 paths_used 's == ["10.77.1.1"]'
	wait_for 15 grep -q 'add a subflow from 10.77.2.1.*attempt 2' "$TMP/daemon"
	wait_for 15 rounds "$(($(wc -l <"$TMP/rounds") + 7))"
	ip netns exec "$C" nft delete table inet hole
	start=${EPOCHREALTIME/./}
	wait_for 15 both_used || die 'the subflow did not come back'
	back=$(sed -n 's/^{"time_us":\([0-9]*\),"event":"SF_ESTABLISHED".*/\1/p' "$TMP/json" | tail -n 1)
	echo "came back after $(((back - start) / 1000)) ms"
	[ $((back - start)) -le 1000000 ] || die 'too late'
	talked 400
	end_world
}

# watch_syns: lines "SECONDS WHAT PORT" of the client's side of wwan0, S asked or S. answered, are in
# $TMP/syns
watch_syns() {
	ip netns exec "$C" tcpdump --immediate-mode -l -nn -tt -i wwan0 'tcp port 7777 and tcp[tcpflags] & tcp-syn != 0' \
		2>"$TMP/tcpdump" | sed -uE 's/^([0-9.]+) IP [0-9.]+\.([0-9]+) > [0-9.]+\.([0-9]+): Flags \[(S\.?)\].*/\1 \4 \2 \3/; s/ 7777//' >"$TMP/syns" &
	wait_for 15 grep -q 'listening on' "$TMP/tcpdump"
}
# A port has asked so often: NUMBER. SYNs of one join come at 0, 1, 3 and 7 s.
asked_by_one() { awk '$2 == "S" && ++n[$3] >= '"$1"' { found = 1 } END { exit !found }' "$TMP/syns"; }

# The path heals while the kernel would not try it for seconds: found by one connection, used by all.
silent_path() {
	local start
	command -v tcpdump >/dev/null || skip 'tcpdump is not installed'
	daemon_world aggregate
	chrt -f -p 1 "$DAEMON" # as both ends: see serve()
	ip netns exec "$C" sysctl -qw net.ipv4.tcp_syn_linear_timeouts=0
	ip netns exec "$C" "$TRAFFIC" client echo --host 10.77.1.2 --port 7777 --bytes 200 \
		--interval-ms 100 --count 900 --timeout 90 --parallel 5 >"$TMP/talk" &
	TALK=$!
	wait_for 15 conns_with 5 2
	watch_syns
	ip netns exec "$S" nft -f - <<-'END'
		table inet hole {
			chain in { type filter hook prerouting priority -300; iifname "s2" tcp dport 7777 drop; }
		}
	END
	ip netns exec "$C" ss -K -t src 10.77.2.1 >/dev/null
	wait_for 15 asked_by_one 3
	ip netns exec "$S" nft delete table inet hole
	start=$EPOCHREALTIME
	wait_for 15 answered 5 || die 'they did not come back'
	awk -v start="$start" '
		$2 == "S." { if (!n++) first = $1; last = $1 }
		!n && $2 == "S" && !seen[$3]++ { ports++ }
		END {
			printf "%d ports asked in the hole; answers after %.0f to %.0f ms\n", ports,
				(first - start) * 1000, (last - start) * 1000
			exit !(n >= 5 && last - start <= 1 && ports >= 5 + 3 && ports <= 5 + 5)
		}' "$TMP/syns" || die "$(cat "$TMP/syns")"
	# None is left over, at either end.
	wait_for 15 conns_with 5 2
	is "$(ip netns exec "$C" ss -Htn state syn-sent)" '' 'joins that still wait'
	! grep -q 'warning' "$TMP/daemon" || die "$(grep warning "$TMP/daemon")"
	kill "$TALK"
	end_world
}
answered() { [ "$(grep -c ' S\. ' "$TMP/syns")" -ge "$1" ]; }

killed_daemon() {
	daemon_world handover
	talk 80
	kill -9 "$DAEMON"
	wait "$DAEMON" 2>/dev/null || :
	rounds 10 || wait_for 15 rounds 10
	exits 1 pmctl path list --netns "$C"
	grep -q 'no daemon runs in this network namespace' "$TMP/out" || die 'does not say so'
	start_daemon
	told 'o["mode"] == "handover" and [f["local"][:9] for f in o["subflows"]] == ["10.77.1.1"]' \
		explain "$(sole_token)" || die 'the connection was not found again'
	is "$(daemon_number requests)" 0 'requests after the start'
	take_down wlan0
	wait_for 15 paths_used 's == ["10.77.2.1"]'
	kill -9 "$DAEMON"
	wait "$DAEMON" 2>/dev/null || :
	start_daemon
	is "$(daemon_number requests)" 0 'requests after the second start'
	talked $((130 + TOOK))
	end_world
}

two_daemons() {
	daemon_world handover
	exits 1 pmctl daemon --netns "$C" --policy "$TMP/policy.yaml"
	grep -q "a daemon runs in this network namespace already (process $DAEMON)" "$TMP/out" || die 'does not say so'
	told 'o[0]["path"] == "wifi"' path list || die 'the first one is gone'
	exits 1 pmctl unload --netns "$C"
	grep -q 'systemctl stop mptcp-pm' "$TMP/out" || die 'unload does not say what to do'
	# Another namespace is another matter; a scheduler that is not loaded is for apply.
	{ cat "$TMP/policy.yaml" && printf 'fallback: allow\nscheduler: roundrobin\n'; } >"$TMP/other.yaml"
	"$PMCTL" daemon --netns "$S" --policy "$TMP/other.yaml" >"$TMP/other" 2>&1 &
	wait_for 15 pmctl path list --netns "$S"
	wait_for 15 grep -q 'warning: the scheduler of new connections is default, the policy asks for roundrobin' "$TMP/other"
	kill $!
	wait $! || die 'the other one ended badly'
	end_world
	exits 0 pmctl daemon --help
	exits 2 pmctl daemon --log loud
}

# What the server saw of subflows that came and went.
server_joins() { server_counter MPTcpExtMPJoinAckRx; }
server_removed() { server_counter MPTcpExtRmSubflow; }
conns_with() { # NUMBER of connections with SUBFLOWS each
	pmctl conn list --netns "$C" -j | python3 -c '
import json,sys; o = [c["nr_subflows"] for c in json.load(sys.stdin)]; sys.exit(o != [int(sys.argv[2])] * int(sys.argv[1]))' "$@"
}

reload_undisturbed() {
	local before
	daemon_world aggregate
	ip netns exec "$C" "$TRAFFIC" client echo --host 10.77.1.2 --port 7777 --bytes 200 \
		--interval-ms 100 --count 110 --timeout 60 --parallel 20 --json >"$TMP/talk" &
	TALK=$!
	wait_for 15 conns_with 20 2
	before=$(daemon_number requests)
	# What changes is no concern of connections.
	sed -i 's/^name: .*/name: another/; s/cost: 10/cost: 11/' "$TMP/policy.yaml"
	exits 0 pmctl reload --netns "$C"
	is "$(daemon_number policy)" another 'the policy after reload'
	kill -HUP "$DAEMON"
	is "$(daemon_number requests)" "$before" 'requests for a policy that asks for the same'
	is "$(server_removed)" 0 'subflows removed'
	sed -i 's/cost: 11/kost: 11/' "$TMP/policy.yaml"
	exits 1 pmctl reload --netns "$C"
	grep -q 'policy.yaml:[0-9]*:[0-9]*: unknown key "kost"' "$TMP/out" || die 'no position'
	is "$(daemon_number policy)" another 'the policy after a wrong one'
	! grep -q ' debug: ' "$TMP/daemon" || die 'says more than it was asked to'
	echo 'observe: { log: debug }' >>"$TMP/policy.yaml"
	sed -i 's/kost: 11/cost: 11/; s/aggregate/handover/' "$TMP/policy.yaml"
	exits 0 apply "$TMP/policy.yaml"
	grep -q 'the daemon follows it' "$TMP/out" || die 'apply says nothing of the daemon'
	wait_for 15 conns_with 20 1
	grep -q ' debug: event SF_CLOSED' "$TMP/daemon" || die 'says less than it was asked to'
	conns_lose_nothing
	end_world
}
conns_lose_nothing() {
	wait "$TALK" || die "the exchange failed: $(cat "$TMP/talk")"
	python3 -c '
import json, sys
r = [json.loads(l) for l in open(sys.argv[1])]
assert len(r) == 20 and all(c["ok"] and c["mptcp"] for c in r), r
print("longest gap %.0f ms" % max(c["gap_ms"] for c in r))' "$TMP/talk"
}

path_by_hand() {
	daemon_world handover
	talk 70
	exits 0 pmctl path down wifi --netns "$C"
	wait_for 15 paths_used 's == ["10.77.2.1"]'
	told '[(p["path"], p["state"]) for p in o] == [("wifi", "down"), ("wifi", "down"), ("lte", "good"), ("lte", "good")]' \
		path list || die "$(pmctl path list --netns "$C")"
	exits 0 pmctl path up wifi --netns "$C"
	wait_for 15 paths_used '"10.77.1.1" in s'
	exits 1 pmctl path down dsl --netns "$C"
	grep -q 'policy "netns-test" has no path "dsl"' "$TMP/out" || die "$(cat "$TMP/out")"
	exits 2 pmctl path down --netns "$C"
	exits 1 pmctl explain 12345678 --netns "$C"
	grep -q 'no MPTCP connection with token 12345678' "$TMP/out" || die "$(cat "$TMP/out")"
	exits 2 pmctl explain xyz --netns "$C"
	exits 2 pmctl explain --netns "$C"
	told 'o["mode"] == "handover" and o["rule"] == 0 and o["daddr4"] == "10.77.1.2" and o["saddr4"] == "10.77.1.1"' \
		explain --to 10.77.1.2:443 || die 'explain --to'
	exits 2 pmctl explain --to 10.77.1.2 --netns "$C"
	talked 250
	end_world
}

rules_by_identity() {
	local group=/pmctl-test-$$
	daemon_world handover
	mkdir "/sys/fs/cgroup/unified$group" 2>/dev/null || mkdir "/sys/fs/cgroup$group" || skip 'no cgroup v2'
	sed -i "s,^  - mode: handover,  - match: { cgroup: $group }\n    mode: aggregate\n    mark: 16\n&," "$TMP/policy.yaml"
	exits 0 pmctl reload --netns "$C"
	told 'o["rule"] == 1 and o["mode"] == "aggregate" and o["mark"] == 16' \
		explain --to 10.77.1.2:443 --cgroup "$group" || die 'explain --cgroup'
	pmctl explain --to 10.77.1.2:443 --cgroup "$group" --netns "$C" | grep -qx 'mark     0x10' || die 'explain does not say the mark'
	told 'o["rule"] == 0 and "mark" not in o' explain --to 10.77.1.2:443 --cgroup /other || die 'explain, another cgroup'
	(
		echo "$BASHPID" >"$(find /sys/fs/cgroup -maxdepth 2 -name "${group#/}")/cgroup.procs"
		exec ip netns exec "$C" "$TRAFFIC" client echo --host 10.77.1.2 --port 7777 --bytes 200 \
			--interval-ms 100 --count 40 --timeout 60 --json --out "$TMP/rounds" >"$TMP/talk"
	) &
	TALK=$!
	metronome
	wait_for 15 grep -q 'add a subflow from 10.77.2.1' "$TMP/daemon"
	wait_for 15 both_used || die 'the rule of the cgroup was not followed'
	told 'o["rule"] == 1' explain "$(sole_token)" || die 'explain names another rule'
	talked 250
	rmdir "$(find /sys/fs/cgroup -maxdepth 2 -name "${group#/}")"
	end_world
}

actions_told() {
	daemon_world handover
	watch text "$C"
	watch json "$C" -j
	talk 20
	take_down wlan0
	wait_for 15 grep -q 'ACTION.*subflow-add' "$TMP/text"
	grep -qE '^20[0-9-]+T[0-9:.]+Z \[ *ACTION\] token=[0-9a-f]{8} action=subflow-add path=lte .*saddr4=10.77.2.1 .*reason="' \
		"$TMP/text" || die "$(grep ACTION "$TMP/text")"
	wait_for 15 grep -q subflow-add "$TMP/json"
	json_names json | grep -q 'ACTION' || die 'no ACTION in JSON'
	talked $((130 + TOOK))
	end_world
}

# More than it should have to bear; afterwards it answers, and has not grown.
control_garbage() {
	local before
	daemon_world handover
	before=$(daemon_number memory_kb)
	ask 'nonsense' '{}' '{"request":7}' '{"request":"fly"}' '[]' '{"request":"status"' \
		'{"request":"path-down"}' '{"request":"apply","file":"x","text":"version: 2"}' \
		'{"request":"explain","token":"zz"}' '{"request":"explain","to":"nowhere"}' >"$TMP/out"
	cat "$TMP/out"
	is "$(grep -c '^{"error":' "$TMP/out")" 10 'errors'
	is "$(grep -vc '^{"error":' "$TMP/out" || :)" 0 'other answers'
	python3 - "$(control_socket)" <<-'END'
		import os, socket, sys
		def connect():
		    s = socket.socket(socket.AF_UNIX)
		    s.settimeout(20)
		    s.connect(sys.argv[1])
		    return s
		s = connect()
		s.sendall(b"\x00\xff{\n" + os.urandom(5000).replace(b"\n", b" ") + b"\n")
		got = b""
		while got.count(b"\n") < 2:
		    got += s.recv(65536)
		assert got.count(b'"error"') == 2, got
		# Nine megabytes without an end.
		s = connect()
		try:
		    for _ in range(144):
		        s.sendall(b"x" * 65536)
		except OSError:
		    pass
		try:
		    got = s.recv(65536)
		    assert b"too long" in got, got
		    assert s.recv(65536) == b""
		except ConnectionResetError:
		    pass
		# Those that ask and do not read, or half a request; one too many is told so.
		many = [connect() for _ in range(32)]
		for s in many[:16]:
		    s.sendall(b'{"request":"paths"}\n' * 2000)
		for s in many[16:]:
		    s.sendall(b'{"req')
		s = connect()
		assert b"too many clients" in s.recv(65536)
		for s in many:
		    s.close()
	END
	wait_for 15 pmctl path list --netns "$C"
	chmod 755 "$TMP" # that others get as far as the socket
	python3 - "$(control_socket)" <<-'END'
		import os, socket, sys
		os.setgroups([])
		os.setgid(65534)
		os.setuid(65534)
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		assert b"no permission" in s.recv(65536)
		assert s.recv(1) == b""
	END
	echo "memory: $before KB before, $(daemon_number memory_kb) KB after"
	[ $(($(daemon_number memory_kb) - before)) -lt 12000 ] || die 'it has grown'
	end_world
}

# short_connections SECONDS: as many as this machine can, over loopback; says how many
short_connections() {
	ip netns exec "$C" python3 - "$1" <<-'END'
		import socket, sys, time
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
		s.bind(("127.0.0.1", 0))
		s.listen(64)
		n, end = 0, time.monotonic() + float(sys.argv[1])
		while time.monotonic() < end:
		    c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
		    c.connect(s.getsockname())
		    p, _ = s.accept()
		    p.close()
		    c.close()
		    n += 1
		print(n)
	END
}
# The daemon knows as many connections as the kernel has, and which.
same_connections() {
	ask '{"request":"connections"}' | grep -c '"kind":"connection"' >"$TMP/known" || :
	[ "$(daemon_number connections)" -eq "$(cat "$TMP/known")" ] &&
		[ "$(pmctl conn list --netns "$C" -j | python3 -c 'import json,sys; print(len([c for c in json.load(sys.stdin) if "token" in c]))')" -eq "$(cat "$TMP/known")" ]
}

flood_of_connections() {
	local made
	daemon_world handover
	talk 60
	made=$(short_connections 3)
	echo "$made connections in 3 s, $(daemon_number events) events, $(daemon_number overflows) times some were lost, $(daemon_number resyncs) resyncs"
	[ "$(daemon_number overflows)" -eq 0 ] || wait_for 15 resynced 2
	[ "$(daemon_number overflows)" -ne 0 ] || [ "$(daemon_number events)" -ge $((made * 4)) ] || die 'events are missing'
	wait_for 15 same_connections || die 'the daemon has lost track'
	talked 250
	end_world
}
resynced() { [ "$(daemon_number resyncs)" -ge "$1" ]; }
# Has a generic netlink socket (protocol 16) of the client dropped messages?
dropped_events() {
	# shellcheck disable=SC2016 # for awk
	ip netns exec "$C" awk '$2 == 16 && $9 > 0 { found = 1 } END { exit !found }' /proc/net/netlink
}

# It sleeps until the kernel has dropped events, and finds out all that it missed.
lost_events() {
	daemon_world handover
	kill -STOP "$DAEMON"
	talk 60
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		short_connections 1 >/dev/null
		! dropped_events || break
	done
	ip -n "$C" link set wlan0 down
	kill -CONT "$DAEMON"
	wait_for 15 paths_used 's == ["10.77.2.1"]' || die 'the connection was not found'
	echo "$(daemon_number overflows) times events were lost, $(daemon_number resyncs) resyncs"
	[ "$(daemon_number overflows)" -ge 1 ] || die 'no event was lost: the test shows nothing'
	[ "$(daemon_number resyncs)" -ge 2 ] || die 'no resync'
	wait_for 15 same_connections || die 'the daemon has lost track'
	talked 20000
	end_world
}

# What systemd would hear on $NOTIFY_SOCKET, one message a line, written to $TMP/notified
listen_to_service() {
	rm -f "$TMP/notify"
	python3 - "$TMP/notify" >"$TMP/notified" <<-'END' &
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		while True:
		    print(s.recv(4096).decode().replace("\n", " "), flush=True)
	END
	LISTENER=$!
	wait_for 15 test -S "$TMP/notify"
}

# As the unit file starts it: settings by apply, the daemon with four capabilities, /proc/sys
# read-only.
as_a_service() {
	world
	rm -f "$TMP/daemon"
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	daemon_policy handover
	exits 0 apply "$TMP/policy.yaml" --for-daemon
	is "$(ip netns exec "$C" sysctl -n net.mptcp.pm_type)" 1 pm_type
	listen_to_service
	mkdir -p "$MPTCP_PM_BPFFS"
	mountpoint -q "$MPTCP_PM_BPFFS" || mount -t bpf bpf "$MPTCP_PM_BPFFS"
	NOTIFY_SOCKET=$TMP/notify WATCHDOG_USEC=200000 ip netns exec "$C" sh -c '
		mount --bind /proc/sys /proc/sys
		mount -o remount,ro,bind /proc/sys
		exec setpriv --no-new-privs --inh-caps=-all \
			--bounding-set=-all,+net_admin,+dac_read_search,+bpf,+perfmon "$@"' - \
		"$PMCTL" daemon --policy "$TMP/policy.yaml" >>"$TMP/daemon" 2>&1 &
	DAEMON=$!
	wait_for 15 grep -q '^READY=1 STATUS=policy "netns-test", engine userspace$' "$TMP/notified"
	serve
	talk 60
	ip -n "$C" link set wlan0 down
	wait_for 15 paths_used 's == ["10.77.2.1"]'
	sed -i 's/^name: .*/name: another/' "$TMP/policy.yaml"
	kill -HUP "$DAEMON"
	wait_for 15 grep -q '^READY=1 STATUS=policy "another"' "$TMP/notified"
	grep -qE '^RELOADING=1 MONOTONIC_USEC=[0-9]+$' "$TMP/notified" || die 'no RELOADING'
	wait_for 15 grep -q '^WATCHDOG=1$' "$TMP/notified"
	talked 250
	kill "$DAEMON"
	wait "$DAEMON" || die "ended with $?"
	wait_for 15 grep -q '^STOPPING=1$' "$TMP/notified"
	kill "$LISTENER"
	grep -q 'the oracle tells how paths do' "$TMP/daemon" || die 'no oracle'
	! grep -qE ' (error|warning): ' "$TMP/daemon" || die "$(cat "$TMP/daemon")"
	pmctl unload --netns "$C"
	is "$(ip netns exec "$C" sysctl -n net.mptcp.pm_type)" 0 'pm_type after unload'
	drop_namespaces
}

# A policy without a path that connections had: its subflows go, and what is left is told.
dropped_path() {
	world
	rm -f "$TMP/daemon"
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	daemon_policy aggregate
	start_daemon
	connect_to 10.77.1.2
	wait_for 30 subflows "$C" "$CLIENT" 'len(s) == 2'
	sed -i '/- name: lte/,/cost: 10/d' "$TMP/policy.yaml"
	exits 0 pmctl reload --netns "$C"
	wait_for 30 subflows "$C" "$CLIENT" 'len(s) == 1'
	told '{p["path"] for p in o["paths"]} == {"wifi"}' explain "$CLIENT" || die "$(pmctl explain "$CLIENT" --netns "$C")"
	stop_daemon
	hang_up
}

run_test 'daemon: handover, a link goes down' handover_link_down
run_test 'daemon: the same without it' stock_link_down
run_test 'daemon: handover by endpoints' handover_by_endpoints
run_test 'daemon: a lost subflow comes back' lost_subflow
run_test 'daemon: a silent path heals' silent_path
run_test 'daemon: killed' killed_daemon
run_test 'daemon: as a service' as_a_service
run_test 'daemon: a second one' two_daemons
run_test 'daemon: reload' reload_undisturbed
run_test 'daemon: a path by hand, explain' path_by_hand
run_test 'daemon: rules by cgroup' rules_by_identity
run_test 'daemon: monitor tells actions' actions_told
run_test 'daemon: garbage at the control socket' control_garbage
run_test 'daemon: many new connections' flood_of_connections
run_test 'daemon: events are lost' lost_events
run_test 'daemon: a policy without a path' dropped_path
