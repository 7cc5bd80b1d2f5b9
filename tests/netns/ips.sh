# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Connections that begin on the path that works (establish.robe ips). Sourced by tests/netns/run.
# The server's addresses are behind both paths; what connects is in a cgroup of its own.

FAR=192.0.2.80
FAR6=2001:db8:80::1

CGROUP2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
CG=$CGROUP2/pmctl-netns-$$
export MPTCP_PM_CGROUP=/pmctl-netns-$$ MPTCP_PM_BPFFS=$TMP/bpffs

# Everything the programs of a test left behind, were there any.
ips_cleanup() {
	mountpoint -q "$MPTCP_PM_BPFFS" && umount "$MPTCP_PM_BPFFS"
	[ ! -d "$CG" ] || rmdir "$CG"
}

far_world() {
	world
	ip -n "$S" addr add "$FAR/32" dev lo
	ip -n "$S" addr add "$FAR6/128" dev lo nodad
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	mkdir -p "$CG" "$MPTCP_PM_BPFFS"
	mountpoint -q "$MPTCP_PM_BPFFS" || mount -t bpf bpf "$MPTCP_PM_BPFFS"
	export -f far_server begin
	ip netns exec "$S" bash -c far_server &
	wait_for 30 listening
}

far_server() {
	exec python3 - <<-'END'
		import socket, threading
		s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 262)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		s.bind(("::", 7777))
		s.listen(512)
		def serve(c):
		    while c.recv(4096):
		        c.sendall(b"y")
		    c.close()
		while True:
		    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
	END
}

# begin TCP|MPTCP HOST [COUNT [PREPARATION]]: connects COUNT times, one after the other; a line
# each, "SOURCE MICROSECONDS MPTCP|TCP". PREPARATION is Python that may use the socket s. With
# COUNT "talk" the one connection exchanges data until standard input ends.
begin() {
	exec python3 - "$@" 3<&0 <<-'END'
		import os, select, socket, sys, time
		kind, host, count = sys.argv[1], sys.argv[2], (sys.argv + ["1"])[3]
		family = socket.AF_INET6 if ":" in host else socket.AF_INET
		for _ in range(1 if count == "talk" else int(count)):
		    s = socket.socket(family, socket.SOCK_STREAM, 262 if kind == "MPTCP" else 6)
		    exec(sys.argv[4] if len(sys.argv) > 4 else "")
		    began = time.perf_counter()
		    s.connect((host, 7777))
		    us = (time.perf_counter() - began) * 1e6
		    try:
		        s.getsockopt(284, 1, 256)  # SOL_MPTCP, MPTCP_INFO: refused after a fallback
		        kind_now = "MPTCP"
		    except OSError:
		        kind_now = "TCP"
		    print(s.getsockname()[0].removeprefix("::ffff:"), int(us), kind_now, flush=True)
		    while count == "talk" and not select.select([3], [], [], 0.02)[0]:
		        s.sendall(b"x")
		        s.recv(1)
		    s.close()
	END
}
# In the cgroup.
client() (
	echo "$BASHPID" >"$CG/cgroup.procs"
	exec ip netns exec "$C" bash -c 'begin "$@"' - "$@"
)
sources() { cut -d ' ' -f 1 | sort | uniq -c | sed -E 's/^ *([0-9]+) /\1x /' | paste -s -d ' '; }
median() { awk '{ print $2 }' | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# Packets from the path of wlan0 vanish at the server; SYNs are counted.
blackhole() {
	ip netns exec "$S" nft -f - <<-'END'
		table inet hole {
			counter dropped { }
			chain in {
				type filter hook prerouting priority -300
				iifname "s1" tcp flags & (syn | ack) == syn counter name dropped drop
				iifname "s1" drop
			}
		}
	END
}
dropped() {
	ip netns exec "$S" nft list counter inet hole dropped |
		sed -n 's/.*packets \([0-9]*\) .*/\1/p'
}
dropped_at_least() { [ "$(dropped)" -ge "$1" ]; }
heal() { ip netns exec "$S" nft delete table inet hole; }

ips_policy() { # EXPLORE [EXTRA KEYS OF establish]
	policy aggregate
	echo "establish: { robe: [ips], learn: { explore: $1 }${2:-} }" >>"$TMP/policy.yaml"
}
# state DEV TO
state() {
	pmctl path learn show --netns "$C" -j | python3 -c '
import json, sys
print(*(r["state"] for r in json.load(sys.stdin) if [r["dev"], r["to"]] == sys.argv[1:]))' "$@"
}
state_is() { [ "$(state "$2" "${3:-any}")" = "$1" ]; }

# A connection that finds the first path dead, given up once that was noticed.
find_dead() { # [ADDRESS PREFIX]
	(
		echo "$BASHPID" >"$CG/cgroup.procs"
		exec ip netns exec "$C" bash -c "begin TCP ${1:-$FAR}"
	) &
	wait_for 30 state_is failing wlan0 "${2:-192.0.2.0/24}"
	kill $!
	wait $! || : # killed
}

# The kernel alone: 3 s, plain TCP, and MPTCP is off for the namespace.
ips_stock() {
	local us source kind
	far_world
	blackhole
	client MPTCP "$FAR" >"$TMP/client" &
	wait_for 30 dropped_at_least 3
	heal
	wait $!
	read -r source us kind <"$TMP/client"
	echo "connect: $us us, $kind, from $source"
	[ "$us" -gt 2500000 ] || die 'the kernel did not wait'
	is "$kind $source" 'TCP 10.77.1.1' 'the connection'
	is "$(counter MPTcpExtBlackhole)" 1 MPTcpExtBlackhole
	is "$(client MPTCP "$FAR" | cut -d ' ' -f 3)" TCP 'the next one'
	is "$(counter MPTcpExtMPCapableSYNTXDisabled)" 1 MPTcpExtMPCapableSYNTXDisabled
}

ips_dead_path() { # FAR ADDRESS, SOURCES ON WLAN0 AND WWAN0, PREFIX
	local good us before
	far_world
	ips_policy 0%
	apply "$TMP/policy.yaml"
	is "$(client MPTCP "$1" 3 | sources)" "3x $2" 'with both paths up'
	blackhole
	find_dead "$1" "$4"
	before=$(dropped)
	rm -f "$TMP/learned" "$TMP/good"
	# Ten for warming up, and then by turns: the machine may have other things to do.
	client MPTCP "$1" 10
	for _ in 1 2 3 4 5; do
		client MPTCP "$1" 100 >>"$TMP/learned"
		client MPTCP "$1" 100 "s.setsockopt(1, 25, b'wwan0')" >>"$TMP/good"
	done
	is "$(sources <"$TMP/learned")" "500x $3" 'after learning'
	is "$(cut -d ' ' -f 3 "$TMP/learned" | sort -u)" MPTCP 'after learning'
	is "$(dropped)" "$before" 'packets on the dead path'
	is "$(counter MPTcpExtBlackhole)" 0 MPTcpExtBlackhole
	is "$(counter MPTcpExtMPCapableSYNTXDrop)" 0 MPTcpExtMPCapableSYNTXDrop
	us=$(median <"$TMP/learned")
	good=$(median <"$TMP/good")
	echo "connect: $us us, on the good path by hand: $good us"
	# The path has no delay worth the name; 50 us are what a tenth is of 0.5 ms.
	[ "$us" -le $((good * 11 / 10 + 50)) ] || die 'it takes longer than on the good path'
}

# wlan0 works again, but is not trusted yet: everything that is not ours to choose still takes it.
ips_stands_aside() {
	local bind
	far_world
	ips_policy 0%
	apply "$TMP/policy.yaml"
	client TCP "$FAR" >"$TMP/client"
	blackhole
	find_dead
	heal
	is "$(client TCP "$FAR" | sources)" '1x 10.77.2.1' 'TCP'
	is "$(client MPTCP "::ffff:$FAR" | sources)" '1x 10.77.2.1' 'a mapped address'
	ip -n "$C" route add 192.0.2.0/24 via 10.77.1.2 dev wlan0
	apply "$TMP/policy.yaml"
	is "$(client TCP "$FAR" | sources)" '1x 10.77.1.1' 'a route of its own'
	ip -n "$C" route del 192.0.2.0/24
	apply "$TMP/policy.yaml"
	is "$(client TCP "$FAR" | sources)" '1x 10.77.2.1' 'and without'
	for bind in 's.bind(("10.77.1.1", 0))' 's.setsockopt(1, 25, b"wlan0")' \
		's.setsockopt(1, 36, 5)' 's.bind(("0.0.0.0", 4711))'; do
		is "$(client MPTCP "$FAR" 1 "$bind" | sources)" '1x 10.77.1.1' "$bind"
	done
	is "$(client TCP 10.77.1.2 | sources)" '1x 10.77.1.1' 'a neighbour'
	# Out of the cgroup, and in a namespace without a policy.
	is "$(ip netns exec "$C" bash -c "begin TCP $FAR" | sources)" '1x 10.77.1.1' 'no cgroup'
	(
		echo "$BASHPID" >"$CG/cgroup.procs"
		ip netns exec "$S" bash -c 'begin TCP 127.0.0.1'
	) | grep -q '^127.0.0.1 ' || die 'loopback of another namespace'
}

# Further subflows are left alone, and show at no cost that the path works again.
ips_joins() {
	local talk
	far_world
	ips_policy 0%
	apply "$TMP/policy.yaml"
	blackhole
	find_dead
	heal
	mkfifo "$TMP/hold"
	client MPTCP "$FAR" talk <"$TMP/hold" >"$TMP/client" &
	talk=$!
	exec 9>"$TMP/hold"
	wait_for 30 two_subflows 9>&-
	pmctl conn list --netns "$C" 9>&-
	is "$(cut -d ' ' -f 1 "$TMP/client")" 10.77.2.1 'the first subflow'
	[ "$(counter MPTcpExtMPJoinSynAckRx)" -ge 1 ] || die 'no join'
	wait_for 30 state_is ok wlan0 9>&-
	exec 9>&-
	wait "$talk"
}

# TCP has no joins: only a trial finds the path again, and without trials nobody does.
ips_explores() {
	far_world
	ips_policy 0%
	apply "$TMP/policy.yaml"
	client TCP "$FAR" >"$TMP/client"
	blackhole
	find_dead
	heal
	is "$(client TCP "$FAR" 50 | sources)" '50x 10.77.2.1' 'without trials'
	ips_policy 50%
	apply "$TMP/policy.yaml"
	wait_for 30 tried_again
	is "$(counter MPTcpExtMPCapableSYNTX)" 0 'MPTCP connections'
}
tried_again() { client TCP "$FAR" 5 | grep -q '^10.77.1.1 '; }

ips_cost() {
	local with without
	rm -f "$TMP/with" "$TMP/without"
	far_world
	ips_policy 2%
	apply "$TMP/policy.yaml"
	ip -n "$C" mptcp endpoint flush
	client MPTCP "$FAR" 20
	for _ in 1 2 3 4 5 6; do
		client MPTCP "$FAR" 100 >>"$TMP/with"
		ip netns exec "$C" bash -c "begin MPTCP $FAR 100" >>"$TMP/without"
	done
	with=$(median <"$TMP/with")
	without=$(median <"$TMP/without")
	echo "connect p50: $with us, not in the cgroup: $without us"
	[ $((with - without)) -le 20 ] || die 'more than a fiftieth of 1 ms'
}

ips_persists() {
	far_world
	ips_policy 0%
	apply "$TMP/policy.yaml"
	client TCP "$FAR" >"$TMP/client"
	blackhole
	find_dead
	pmctl unload --netns "$C"
	pmctl path learn show --netns "$C" -j >"$TMP/out"
	is "$(cat "$TMP/out")" '[]' 'after unload'
	apply "$TMP/policy.yaml"
	is "$(state wlan0 192.0.2.0/24)" failing 'after apply'
	is "$(client MPTCP "$FAR" | sources)" '1x 10.77.2.1' 'after apply'
	pmctl path learn forget --netns "$C" --dev wlan0
	is "$(state wlan0 any)" '' 'after forget'
	is "$(state wwan0 any)" ok 'after forget'
	pmctl unload --netns "$C"
	echo garbage >"$(find "$TMP/state" -name 'learned-*')"
	apply "$TMP/policy.yaml" >"$TMP/out"
	grep -q '^notice: .*learned-.* is not what was learned' "$TMP/out" || die "$(cat "$TMP/out")"
	is "$(pmctl path learn show --netns "$C" -j)" '[]' 'after garbage'
}

pins() { find "$MPTCP_PM_BPFFS/mptcp-pm/establish" -type f 2>/dev/null | wc -l; }
attached() { bpftool cgroup show "$CG" 2>/dev/null | grep -cE 'ips_connect|learn_sockops'; }

# Killed after each step; connections go on, the next apply completes it, unload leaves nothing.
ips_killed() {
	local step rc
	far_world
	ips_policy 0%
	for step in maps pinned; do
		rc=0
		MPTCP_PM_KILL_AT=$step "$PMCTL" apply "$TMP/policy.yaml" --netns "$C" || rc=$?
		is "$rc" 137 "killed at $step"
		client MPTCP "$FAR" | grep -q 'MPTCP$' || die "after $step"
		[ "$step" = pinned ] || apply "$TMP/policy.yaml"
		pmctl unload --netns "$C"
		is "$(pins) $(attached || :)" '0 0' "what is left after $step"
	done
	apply "$TMP/policy.yaml"
	is "$(pins) $(attached)" '8 3' 'pins and programs'
	apply "$TMP/policy.yaml" | grep -q 'nothing to change' || die 'twice changes something'
	sed -i '/^establish/d' "$TMP/policy.yaml"
	apply "$TMP/policy.yaml"
	is "$(pins) $(attached || :)" '0 0' 'without ips'
}

# The interface goes away with state about it, and a namespace dies that never unloaded.
ips_gone() {
	far_world
	ips_policy 0%
	apply "$TMP/policy.yaml"
	client MPTCP "$FAR" 2
	ip -n "$C" link del wlan0
	is "$(client MPTCP "$FAR" | sources)" '1x 10.77.2.1' 'without wlan0'
	apply "$TMP/policy.yaml"
	is "$(client MPTCP "$FAR" | sources)" '1x 10.77.2.1' 'without wlan0'
	drop_namespaces
	far_world
	apply "$TMP/policy.yaml"
	pmctl unload --netns "$C"
	is "$(pins) $(attached || :)" '0 0' 'what is left'
}

# Without cgroup v2 in sight it is refused by name, or left out.
ips_refused() {
	local before
	far_world
	ips_policy 0%
	before=$(snapshot)
	exits 3 unshare -m bash -c \
		"umount '$CGROUP2' && exec '$PMCTL' apply '$TMP/policy.yaml' --netns '$C'"
	grep -q 'establish.robe needs cgroup2' "$TMP/out" || die 'the missing part is not named'
	is "$(snapshot)" "$before" 'refused'
	echo 'fallback: allow' >>"$TMP/policy.yaml"
	exits 0 unshare -m bash -c \
		"umount '$CGROUP2' && exec '$PMCTL' apply '$TMP/policy.yaml' --netns '$C'"
	grep -q 'left out: establish.robe' "$TMP/out" || die 'not said to be left out'
	is "$(endpoints)" "$(want_endpoints subflow subflow)" 'the rest'
	is "$(pins)" 0 pins
}

syn_retries() {
	local file=/proc/sys/net/mptcp/syn_retrans_before_tcp_fallback
	world
	policy aggregate
	echo 'establish: { fallback-syn-retries: 4 }' >>"$TMP/policy.yaml"
	apply "$TMP/policy.yaml"
	is "$(ip netns exec "$C" cat "$file")" 4 'after apply'
	pmctl unload --netns "$C"
	is "$(ip netns exec "$C" cat "$file")" 2 'after unload'
}

# A network that lets TCP through, but no SYN with MPTCP.
middlebox() {
	ip netns exec "$S" nft -f - <<-'END'
		table inet hole {
			counter dropped { }
			chain in {
				type filter hook prerouting priority -300
				iifname "s1" tcp flags & (syn | ack) == syn tcp option mptcp subtype 0 counter name dropped drop
			}
		}
	END
}
# The kernel switches MPTCP off; apply, as the daemon would, gives it back, since wwan0 is known to
# let it through, and MPTCP connections begin there. While wlan0 is all there is it stays off.
ips_middlebox() {
	local talk by_hand="s.setsockopt(1, 25, b'wlan0')"
	far_world
	ips_policy 0%
	apply "$TMP/policy.yaml"
	mkfifo "$TMP/say"
	client MPTCP "$FAR" talk <"$TMP/say" >"$TMP/client" &
	talk=$!
	exec 9>"$TMP/say"
	wait_for 30 two_subflows 9>&-
	exec 9>&-
	wait "$talk"
	middlebox
	is "$(client MPTCP "$FAR" 1 "$by_hand" | cut -d ' ' -f 3)" TCP 'the first one'
	is "$(counter MPTcpExtBlackhole)" 1 MPTcpExtBlackhole
	is "$(client MPTCP "$FAR" | cut -d ' ' -f 3)" TCP 'MPTCP is off'
	apply "$TMP/policy.yaml" --dry-run >"$TMP/out"
	is "$(client MPTCP "$FAR" | cut -d ' ' -f 3)" TCP 'a dry run changes nothing'
	apply "$TMP/policy.yaml" >"$TMP/out"
	cat "$TMP/out"
	grep -q '^~ restore MPTCP.*: wwan0 let it through' "$TMP/out" || die 'not said'
	is "$(client MPTCP "$FAR" 1 's.setsockopt(1, 25, b"wwan0")' | cut -d ' ' -f 1,3)" \
		'10.77.2.1 MPTCP' 'MPTCP is on again'
	apply "$TMP/policy.yaml" | grep -q 'nothing to change' || die 'restored twice'
	# Once more, and it is no outage.
	is "$(client MPTCP "$FAR" 1 "$by_hand" | cut -d ' ' -f 3)" TCP 'the second one'
	client TCP "$FAR" 5 "$by_hand" >"$TMP/client"
	is "$(state wlan0 any)" breaks-mptcp 'wlan0'
	ip -n "$C" link set wwan0 down
	apply "$TMP/policy.yaml" >"$TMP/out"
	cat "$TMP/out"
	grep -q 'no path is known to let it through' "$TMP/out" || die 'restored without a path'
	is "$(client MPTCP "$FAR" | cut -d ' ' -f 3)" TCP 'left alone'
	ip -n "$C" link set wwan0 up
	ip -n "$C" route add default via 10.77.2.2 dev wwan0 metric 102
	wait_for 30 carrier wwan0
	apply "$TMP/policy.yaml" -j | grep -q '"mptcp_restored":"restore' || die 'not in JSON'
	is "$(client MPTCP "$FAR" | cut -d ' ' -f 1,3)" '10.77.2.1 MPTCP' 'MPTCP'
	is "$(client TCP "$FAR" | cut -d ' ' -f 1)" 10.77.1.1 'TCP'
	is "$(counter MPTcpExtMPCapableSYNTXDrop)" 2 MPTcpExtMPCapableSYNTXDrop
}
