# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Links, addresses, silence, policies and the daemon itself come and go at random under live
# connections. Sourced by run, whose world() and helpers, and those of daemon.sh, it uses.
#
#   CHAOS_S     how long, in seconds; 180 is what the project promises
#   CHAOS_SEED  another sequence of troubles

CHAOS_S=${CHAOS_S:-20}
CHAOS_SEED=${CHAOS_SEED:-4711}
CHAOS_TALKS=6

# The number in the addresses of a link.
chaos_number() {
	case $1 in
	wlan0) echo 1 ;;
	wwan0) echo 2 ;;
	*) echo 3 ;;
	esac
}

# One trouble at a time and link; what it is now is TROUBLE[link].
chaos_begin() { # LINK TROUBLE
	local n
	n=$(chaos_number "$1")
	case $2 in
	down) ip -n "$C" link set "$1" down ;;
	address) ip -n "$C" addr del "10.77.$n.1/24" dev "$1" ;;
	gone) ip -n "$C" link del "$1" ;;
	by-hand) pmctl path down "$(chaos_path "$1")" --netns "$C" || return 0 ;; # no daemon now
	hole)
		ip netns exec "$S" nft "add table inet hole$n; add chain inet hole$n in { type filter hook prerouting priority -300; };
			add rule inet hole$n in iifname s$n drop"
		;;
	esac
	TROUBLE[$1]=$2
}
chaos_path() { [ "$1" = wwan0 ] && echo lte || echo wifi; }
chaos_route() { # LINK NUMBER: the kernel forgets it with the address
	ip -n "$C" route replace default via "10.77.$2.2" dev "$1" metric "10$2"
}
chaos_end() { # LINK
	local n
	n=$(chaos_number "$1")
	case ${TROUBLE[$1]} in
	down) ip -n "$C" link set "$1" up && chaos_route "$1" "$n" ;;
	address) ip -n "$C" addr add "10.77.$n.1/24" dev "$1" && chaos_route "$1" "$n" ;;
	gone) link "$1" "$n" ;;
	by-hand) pmctl path up "$(chaos_path "$1")" --netns "$C" || : ;; # a new daemon has not heard of it
	hole) ip netns exec "$S" nft delete table inet "hole$n" ;;
	none) ;;
	esac
	TROUBLE[$1]=none
}

chaos_daemon() { # WHAT
	case $1 in
	kill)
		kill -9 "$DAEMON"
		wait "$DAEMON" || :
		DAEMON=''
		KILLED=$((KILLED + 1))
		;;
	start) start_daemon ;;
	reload)
		sed -i "s/^  - mode: .*/  - mode: $(chaos_any aggregate handover interactive)/" "$TMP/policy.yaml"
		pmctl reload --netns "$C"
		;;
	esac
}

chaos_any() {
	shift $((RANDOM % $#))
	printf '%s\n' "$1"
}

chaos_step() {
	local name
	case $((RANDOM % 8)) in
	0) if [ -n "$DAEMON" ]; then chaos_daemon kill; else chaos_daemon start; fi ;;
	1) if [ -n "$DAEMON" ]; then chaos_daemon reload; else chaos_daemon start; fi ;;
	*)
		# shellcheck disable=SC2086 # a list
		name=$(chaos_any $LINKS)
		if [ "${TROUBLE[$name]}" = none ]; then
			chaos_begin "$name" "$(chaos_any down address gone hole by-hand)"
		else
			chaos_end "$name"
		fi
		;;
	esac
	printf '%s: %s\n' "$SECONDS" "${TROUBLE[*]} ${DAEMON:-no daemon}" >>"$TMP/chaos"
}

# Seconds that have passed, or the traffic gets on.
chaos_rounds() { cat "$TMP"/rounds.* 2>/dev/null | wc -l; }
chaos_moved() { [ "$(chaos_rounds)" -gt "$1" ]; }

# Each connection has one active subflow from each link, which both ends know, and so does the daemon.
# One that was closed on a device that is gone waits for an answer to its FIN: no matter. What is
# missing is in $TMP/missing.
chaos_settled() {
	{
		ip netns exec "$C" ss -Htn state syn-sent
		same_connections || echo 'the daemon knows others'
		ip netns exec "$S" ss -Htn state established sport = :7777 | awk '{ print $NF }' |
			sed 's/\[::ffff:\(.*\)\]/\1/' >"$TMP/server"
		chaos_subflows
	} >"$TMP/missing" 2>&1
	[ ! -s "$TMP/missing" ]
}
chaos_subflows() {
	local token tokens
	tokens=$(pmctl conn list --netns "$C" -j | python3 -c 'import json,sys; print(*[c["token"] for c in json.load(sys.stdin)])')
	[ "$(wc -w <<<"$tokens")" -eq "$CHAOS_TALKS" ] || echo "connections: $tokens"
	for token in $tokens; do
		pmctl conn show "$token" --netns "$C" -j | python3 -c '
import json, sys
s = [f for f in json.load(sys.stdin)["subflows"] if f["state"] == "ESTAB"]
peer = open(sys.argv[1]).read().split()
is_right = sorted(f["saddr"] for f in s) == ["10.77.1.1", "10.77.2.1", "10.77.3.1"] and \
    not any(f.get("backup_requested") for f in s) and \
    all("%s:%s" % (f["saddr"], f["sport"]) in peer for f in s)
if not is_right:
    print("wrong:", s, "server:", peer)' "$TMP/server"
	done
}

chaos() {
	local name i end troubles=0 talks=()
	declare -A TROUBLE=()
	LINKS='wlan0 wlan1 wwan0'
	KILLED=0
	RANDOM=$CHAOS_SEED
	world
	link wlan1 3
	wait_for 5 carrier wlan1
	rm -f "$TMP/daemon" "$TMP/chaos" "$TMP"/rounds.* "$TMP"/talk.*
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	daemon_policy aggregate
	start_daemon
	SERVE_S=$((CHAOS_S * 2 + 150)) serve
	for ((i = 0; i < CHAOS_TALKS; i++)); do
		ip netns exec "$C" "$TRAFFIC" client echo --host "10.77.$((i % 3 + 1)).2" --port 7777 \
			--bytes 4000 --seed "$i" --interval-ms 50 --count 1000000 --json \
			--timeout $((CHAOS_S * 2 + 150)) --out "$TMP/rounds.$i" >"$TMP/talk.$i" &
		talks+=($!)
	done
	wait_for 30 conns_with "$CHAOS_TALKS" 3
	for name in $LINKS; do
		TROUBLE[$name]=none
	done
	end=$((SECONDS + CHAOS_S))
	while [ "$SECONDS" -lt "$end" ]; do
		i=$(chaos_rounds)
		chaos_step
		troubles=$((troubles + 1))
		wait_for 1 chaos_moved "$((i + CHAOS_TALKS * (RANDOM % 8)))" 2>/dev/null || : # all may be dead
	done
	for name in $LINKS; do
		chaos_end "$name"
	done
	[ -n "$DAEMON" ] || start_daemon
	for name in wifi lte; do
		pmctl path up "$name" --netns "$C"
	done
	sed -i 's/^  - mode: .*/  - mode: aggregate/' "$TMP/policy.yaml"
	pmctl reload --netns "$C"
	echo "$troubles troubles in $CHAOS_S s, the daemon killed $KILLED times"
	wait_for 20 chaos_settled || die "not what the policy says: $(cat "$TMP/missing")"
	[ "$KILLED" -gt 0 ] || die 'the daemon was never killed'
	kill "${talks[@]}"
	for i in "${talks[@]}"; do
		wait "$i" || die "an exchange did not come back whole: $(cat "$TMP"/talk.*)"
	done
	grep -hc '"ok":true.*"mptcp":true' "$TMP"/talk.* | grep -qvx 1 && die "$(cat "$TMP"/talk.*)"
	# Nothing stays.
	wait_for 15 is "$(daemon_number connections)" 0 'connections that the daemon knows'
	! grep -q ' error: ' "$TMP/daemon" || die "$(grep ' error: ' "$TMP/daemon")"
	stop_daemon
	pmctl unload --netns "$C"
	is "$(endpoints)" '' endpoints
	is "$(ip netns exec "$C" sysctl -n net.mptcp.pm_type)" 0 'pm_type after unload'
	is "$(find "$TMP/state" -name 'control-*' -o -name 'netns-*')" '' 'files'
	drop_namespaces
}

run_test 'daemon: chaos' chaos
