# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The health oracle: path watch, path health. Sourced by run, whose world() and helpers it uses.

# Asks for 200 bytes every 100 ms, COUNT times, and prints when it asked and was answered, in ms of
# CLOCK_MONOTONIC: COUNT [LOCAL PORT]
asker() {
	python3 - "$@" <<-'END'
		import select, socket, sys, time
		now = lambda: int(time.monotonic() * 1000)
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
		if len(sys.argv) > 2:
		    s.bind(("", int(sys.argv[2])))
		s.connect(("10.77.1.2", 7777))
		s.setblocking(False)
		due, got = time.monotonic(), 0
		for _ in range(int(sys.argv[1])):
		    print("sent", now(), flush=True)
		    s.send(b"get 200 1\n")
		    due += 0.1
		    while time.monotonic() < due:
		        if not select.select([s], [], [], max(0, due - time.monotonic()))[0]:
		            break
		        got += len(s.recv(65536))
		        for _ in range(got // 200):
		            print("answered", now(), flush=True)
		        got %= 200
	END
}
# Makes so many connections, and sends without end on all when FIFO is opened: COUNT FIFO
pusher() {
	python3 - "$@" <<-'END'
		import select, socket, sys
		def connect():
		    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
		    s.connect(("10.77.1.2", 7778))
		    s.setblocking(False)
		    return s
		all = [connect() for _ in range(int(sys.argv[1]))]
		open(sys.argv[2]).read()
		while True:
		    for s in select.select([], all, [])[1]:
		        s.send(b"x" * 20000)
	END
}
sink() {
	python3 - <<-'END'
		import select, socket
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		s.bind(("", 7778))
		s.listen(64)
		all = [s]
		while True:
		    for x in select.select(all, [], [])[0]:
		        if x is s:
		            all.append(s.accept()[0])
		        elif not x.recv(1 << 16):
		            all.remove(x)
	END
}
export -f asker pusher sink

# In the server, both ways at s1: an nft match, e.g. "tcp sport 1234", and a verdict.
drops() {
	ip netns exec "$S" nft -f - <<-END
		table inet oracle {
			chain from {
				type filter hook prerouting priority -300;
				iifname "s1" ${1:-} drop
			}
			chain to {
				type filter hook output priority 0;
				oifname "s1" ${2:-} drop
			}
		}
	END
}
heals() { ip netns exec "$S" nft delete table inet oracle; }

# watch_paths OPTIONS: in the background, to $TMP/crossed; wait for what it says with crossed.
watch_paths() {
	: >"$TMP/crossed"
	"$PMCTL" path watch --netns "$C" -j "$@" >"$TMP/crossed" 2>&1 &
	WATCHER=$!
	wait_for 15 watched || die "not watched: $(cat "$TMP/crossed")"
}
watched() { pmctl path health --netns "$C"; }
crossed() { grep -q "\"event\":\"$1\".*\"trigger\":\"$2\"" "$TMP/crossed"; }
lines() { [ "$(grep -c "$1" "$TMP/asked")" -ge "$2" ]; }
# health EXPRESSION: python about the rows h of `path health`
health() { pmctl path health --netns "$C" -j | python3 -c 'import json,sys; h = json.load(sys.stdin); sys.exit(not ('"$1"'))'; }
oracle_world() {
	world
	ip netns exec "$S" "$TRAFFIC" server --port 7777 &
	wait_for 15 listening
}

# A path that dies silently: how long after the first request without an answer?
oracle_blackhole() {
	oracle_world
	# Less than between requests, so that the path is idle when it is looked at.
	watch_paths --when stall=60 --when timeouts=1 --when loss=90
	ip netns exec "$C" bash -c 'asker 60' >"$TMP/asked" &
	wait_for 10 lines answered 8
	health 'len(h) == 1 and h[0]["dev"] == "wlan0" and h[0]["local"] == "10.77.1.1" and h[0]["remote"] == "10.77.1.0/24"' ||
		die 'the path is not known'
	health '0 < h[0]["srtt_us"] < 100000 and h[0]["stall_ms"] == h[0]["timeouts"] == 0 and "bad" not in h[0]' ||
		die 'the path is not well'
	drops
	wait_for 5 crossed PATH_BAD stall
	wait_for 5 crossed PATH_BAD timeouts
	heals
	wait_for 10 crossed PATH_GOOD stall
	wait_for 10 crossed PATH_GOOD timeouts
	python3 - "$TMP/asked" "$TMP/crossed" <<-'END'
		import json, sys
		asked = [l.split() for l in open(sys.argv[1])]
		sent = [int(t) for what, t in asked if what == "sent"]
		answered = [int(t) for what, t in asked if what == "answered"]
		events = [json.loads(l) for l in open(sys.argv[2])]
		bad = [e["time_ms"] for e in events if e["event"] == "PATH_BAD" and e["trigger"] == "stall"]
		rto = [e["time_ms"] for e in events if e["event"] == "PATH_BAD" and e["trigger"] == "timeouts"]
		# The answers that came are those to the first requests.
		first = sent[sum(t < bad[0] for t in answered)]
		print("stall told after %d ms, timeout after %d ms" % (bad[0] - first, rto[0] - first))
		assert len(bad) == 1 and len(events) == 4, events
		assert 60 <= bad[0] - first <= 110, (bad[0], first)
		# What was delivered before is no part of the wait; the second timer to expire is the RTO.
		assert 60 <= [e["value"] for e in events if e["time_ms"] == bad[0]][0] <= 110, events
		assert 200 <= rto[0] - first <= 500, (rto[0], first)
	END
	kill "$WATCHER"
	drop_namespaces
}

# What is counted as lost and sent again, against TCP's own counters, over many connections.
oracle_loss() {
	oracle_world
	ip netns exec "$S" bash -c sink &
	wait_for 5 listens 7778
	watch_paths --when loss=20:15 --when resent=20:15 --period 200 --alpha 5
	mkfifo "$TMP/go"
	ip netns exec "$C" bash -c "pusher 40 $TMP/go" &
	exec 4>"$TMP/go"
	# A SYN that is lost would make it plain TCP.
	drops 'numgen random mod 100 < 30' 'numgen random mod 100 < 0'
	exec 4>&-
	wait_for 30 segments 6000
	wait_for 10 crossed PATH_BAD loss
	wait_for 10 crossed PATH_BAD resent
	ip netns exec "$C" ss -Htni dport = :7778 >"$TMP/ss"
	pmctl path health --netns "$C" -j >"$TMP/health"
	python3 - "$TMP/ss" "$TMP/health" <<-'END'
		import json, re, sys
		ss = open(sys.argv[1]).read()
		count = lambda what: sum(map(int, re.findall(what, ss)))
		sent, resent = count(r"data_segs_out:(\d+)"), count(r"retrans:\d+/(\d+)")
		[h] = json.load(open(sys.argv[2]))
		assert ss.count("data_segs_out") == 40, ss
		print("ss: %d of %d sent again; oracle: resent %d, lost %d permille" %
		      (resent, sent, h["resent_permille"], h["loss_permille"]))
		want = 1000 * resent / sent
		assert abs(h["resent_permille"] - want) < 60, want
		assert abs(h["loss_permille"] - 300) < 90, h
	END
	kill "$WATCHER"
	rm "$TMP/go"
	drop_namespaces
}
listens() { ip netns exec "$S" ss -Mltn | grep -q ":$1"; }
segments() { [ "$(ip netns exec "$C" ss -Htni dport = :7778 | grep -o 'data_segs_out:[0-9]*' | awk -F: '{ n += $2 } END { print n + 0 }')" -ge "$1" ]; }

# One connection's bad news is the other's; that the other is answered is good news for both.
oracle_shared() {
	oracle_world
	watch_paths --when stall=300 --when timeouts=1
	ip netns exec "$C" bash -c 'asker 200 5001' >"$TMP/asked" &
	wait_for 10 lines answered 5
	drops 'tcp sport 5001' 'tcp dport 5001'
	wait_for 5 crossed PATH_BAD stall
	wait_for 5 crossed PATH_BAD timeouts
	: >"$TMP/asked"
	ip netns exec "$C" bash -c 'asker 200 5002' >"$TMP/asked.other" &
	wait_for 10 crossed PATH_GOOD stall
	wait_for 10 crossed PATH_GOOD timeouts
	health 'len(h) == 1 and h[0]["stall_ms"] < 300' || die 'not one path'
	! grep -q answered "$TMP/asked" || die 'the first connection is well'
	kill "$WATCHER"
	drop_namespaces
}

# A download that stops: nothing of ours is outstanding. It is cut behind segmentation, where the
# rest of a mapping is missing; a cut between two mappings cannot be told from an end.
oracle_receive_stall() {
	local round before
	oracle_world
	# Without a bottleneck it comes in bursts, with nothing but pauses to cut.
	ip netns exec "$S" tc qdisc add dev s1 root tbf rate 20mbit burst 5kb latency 200ms
	watch_paths --when stall=200
	ip netns exec "$C" bash -c 'echo get 4000000000 1 | downloader' &
	for round in 1 2 3 4; do
		before=$(received wlan0)
		wait_for 20 flowed $((before + 500000))
		ip netns exec "$C" nft -f - <<-END
			table inet oracle {
				chain from {
					type filter hook prerouting priority -300;
					iifname "wlan0" drop
				}
			}
		END
		! wait_for 2 crossed PATH_BAD stall || break
		ip netns exec "$C" nft delete table inet oracle
	done
	echo "told in round $round"
	crossed PATH_BAD stall || die 'the stall was not told'
	! ip netns exec "$C" ss -Htni dport = :7777 | grep -q unacked: || die 'something is outstanding'
	health 'h[0]["stall_ms"] >= 200 and h[0]["timeouts"] == 0' || die 'not a stall on this side alone'
	ip netns exec "$C" nft delete table inet oracle
	wait_for 20 crossed PATH_GOOD stall
	kill "$WATCHER"
	drop_namespaces
}
flowed() { [ "$(received wlan0)" -ge "$1" ]; }
downloader() {
	python3 - 3<&0 <<-'END'
		import os, socket
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
		s.connect(("10.77.1.2", 7777))
		s.sendall(os.fdopen(3).readline().encode())
		while s.recv(1 << 16):
		    pass
	END
}
export -f downloader

# With a BPF file system of its own: what is loaded, what stays, what goes.
oracle_life() {
	world
	export PMCTL C TMP
	# shellcheck disable=SC2016 # for that shell
	env -u MPTCP_PM_BPFFS unshare -m bash -eu -c '
		folder=/sys/fs/bpf/mptcp-pm/oracle
		is() { [ "$1" = "$2" ] || { echo "got <$1>, want <$2>: $3"; exit 1; }; }
		ids() { for link in sent arrived resent destroyed; do bpftool -j link show pinned $folder/$link | grep -o "prog_id\":[0-9]*"; done; }
		mount -t bpf bpf /sys/fs/bpf
		"$PMCTL" path health --netns "$C" && exit 1
		"$PMCTL" path watch --netns "$C" --seconds 60 >"$TMP/watching" &
		until "$PMCTL" path health --netns "$C" >/dev/null 2>&1; do kill -0 $!; done
		before=$(ids)
		rc=0
		"$PMCTL" path watch --netns "$C" --seconds 1 >"$TMP/out" 2>&1 || rc=$?
		is $rc 1 "a second watcher"
		grep -q "watched by another process" "$TMP/out"
		"$PMCTL" unload --netns "$C"
		is "$(ids)" "$before" "unload while it is watched"
		kill -9 $!
		wait $! || :
		"$PMCTL" path health --netns "$C"
		is "$(ids)" "$before" "after a kill"
		"$PMCTL" path watch --netns "$C" --seconds 1
		is "$(ids)" "$before" "the next watcher"
		rc=0
		"$PMCTL" path health --netns "$C" || rc=$?
		is $rc 1 "nobody watches"
		"$PMCTL" unload --netns "$C"
		[ ! -e $folder ]
		for step in attached pinned; do
			rc=0
			MPTCP_PM_KILL_AT=$step "$PMCTL" path watch --netns "$C" --seconds 1 || rc=$?
			is $rc 137 "killed when $step"
			"$PMCTL" path watch --netns "$C" --seconds 1
			is "$(ids | wc -l)" 4 "healed after $step"
			MPTCP_PM_KILL_AT=unpinned "$PMCTL" unload --netns "$C" || :
			"$PMCTL" unload --netns "$C"
			[ ! -e $folder ]
		done'
	exits 2 pmctl path watch --when speed=3
	exits 2 pmctl path watch --when rtt=300:400
	exits 2 pmctl path watch --when timeouts=0
	exits 2 pmctl path watch --policy x --when rtt=3
	exits 4 setpriv --bounding-set=-bpf --inh-caps=-bpf "$PMCTL" path health
	grep -q CAP_BPF "$TMP/out" || die "$(cat "$TMP/out")"
}
