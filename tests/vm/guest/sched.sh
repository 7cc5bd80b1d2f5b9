# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Schedulers under pressure, and what a peer's MP_PRIO may do. Sourced by run.
# CHAOS_S: how long paths come and go; the project's promise was proved with 180.

CHAOS_S=${CHAOS_S:-30}
CHAOS_CONNECTIONS=${CHAOS_CONNECTIONS:-50}
SCHEDULERS='minrtt roundrobin blest ecf redundant backup target pmctl'

load_all() {
	local name
	for name in $SCHEDULERS; do
		load "$name"
	done
}

unload_all() {
	local name
	use_scheduler default
	for name in $SCHEDULERS; do
		pmctl -q sched unload "$name"
	done
	nothing_loaded
}

# A random one of the words.
any_of() {
	shift $((RANDOM % $#))
	printf '%s\n' "$1"
}

# Something happens to a path, in SHELL's arrays DOWN and HOLE; both may be gone for a while.
trouble() {
	local path
	path=$(any_of wifi lte)
	case ${TROUBLE[$path]:-none} in
	down) net_link_up "$path" && TROUBLE[$path]=none ;;
	hole) net_heal "$path" && TROUBLE[$path]=none ;;
	none)
		if [ $((RANDOM % 2)) -eq 0 ]; then
			net_link_down "$path" && TROUBLE[$path]=down
		else
			net_blackhole "$path" && TROUBLE[$path]=hole
		fi
		;;
	esac
}

heal_all() {
	local path
	for path in wifi lte; do
		case ${TROUBLE[$path]:-none} in
		down) net_link_up "$path" ;;
		hole) net_heal "$path" ;;
		none) ;;
		esac
		TROUBLE[$path]=none
	done
}

# Runs in the client's namespace until it is killed: one live connection after another gets another
# scheduler. A process takes long under emulation, so there is one a swap.
swap_for_ever() {
	local line tokens
	while true; do
		mapfile -t tokens < <(while read -r line _; do [ "$line" = '#' ] || printf '%s\n' "$line"; done </proc/net/mptcp_bpf)
		[ ${#tokens[@]} -gt 0 ] || continue
		# shellcheck disable=SC2086 # a list
		"$PMCTL" -q conn set "${tokens[RANDOM % ${#tokens[@]}]}" \
			--scheduler "$(any_of $SCHEDULERS)" 2>/dev/null && printf 'swap\n'
	done
}

connections_are() { [ "$(counter pmctl connections)" -ge "$1" ]; }

# LOG-OF-SWAPS TROUBLES
enough_chaos() { [ "$(wc -l <"$1")" -gt 10 ] && [ "$2" -gt 10 ]; }

# Connections under every scheduler, paths coming and going at random, schedulers changing under
# live connections: every byte arrives.
chaos() {
	local client end troubles=0 name log swapper said
	declare -A TROUBLE=()
	RANDOM=4711
	log=$(mktemp)
	said=$(mktemp)
	load_all
	use_scheduler pmctl
	ip netns exec "$NET_CLIENT" "$TRAFFIC" client echo --host 10.1.9.1 --port "$PORT" --cc cubic \
		--timeout $((CHAOS_S + 400)) --bytes 8000 --interval-ms 1000 --count 10000 \
		--parallel "$CHAOS_CONNECTIONS" >"$said" &
	client=$!
	wait_for 60 connections_are "$CHAOS_CONNECTIONS"
	# Before the traffic, which takes most of an emulated CPU.
	renice -n -10 -p "$BASHPID" >/dev/null
	end=$((SECONDS + CHAOS_S))
	export PMCTL SCHEDULERS
	# shellcheck disable=SC2016 # expanded inside
	ip netns exec "$NET_CLIENT" bash -c "$(declare -f any_of swap_for_ever); swap_for_ever" >"$log" &
	swapper=$!
	# shellcheck disable=SC2064 # while it is known
	trap "kill $swapper $client || :; heal_all" EXIT
	# Longer where things take long.
	while [ "$SECONDS" -lt "$end" ] || ! enough_chaos "$log" "$troubles"; do
		[ "$SECONDS" -lt $((end + 240)) ] || die "after 240 s more: $(wc -l <"$log") swaps, $troubles troubles"
		kill -0 "$client" || die "the traffic ended: $(cat "$said")"
		trouble && troubles=$((troubles + 1))
		sleep 1 # lint: pace
	done
	heal_all
	printf '%s swaps, %s changes of a path in %s s\n' "$(wc -l <"$log")" "$troubles" \
		$((SECONDS - end + CHAOS_S))
	kill "$swapper" "$client"
	rm -f "$log"
	wait "$client" || die "an exchange did not come back whole: $(grep -v 'right: true.* subflows $' "$said")"
	rm -f "$said"
	trap - EXIT
	cat /proc/mptcp_bpf
	for name in $SCHEDULERS; do
		[ "$(counter "$name" ejected)" -eq 0 ] || die "$name was ejected"
		[ "$(counter "$name" state)" = ok ] || die "$name is $(counter "$name" state)"
	done
	unload_all
}

subflow_ports() { net_client ss -Htn state established dport ":$PORT" | awk '{ print $3 }' | sort; }
answers_are() { [ "$(wc -l <"$1")" -ge "$2" ]; }

# TCP counts its window probes and gives up after so many, 15 by default; those of a subflow that is
# tried again often must not end it while its interface is down.
link_stays_down() {
	local pid rounds before name=$1
	rounds=$(mktemp)
	load "$name"
	use_scheduler "$name"
	net_client "$TRAFFIC" client echo --host 10.1.9.1 --port "$PORT" --cc cubic --timeout 120 \
		--bytes 200 --interval-ms 100 --count 1000 --warm 1 --subflows 1 --out "$rounds" &
	pid=$!
	# shellcheck disable=SC2064 # while it is known
	trap "end_client $pid; net_link_up wifi; rm -f $rounds" EXIT
	wait_for 20 answers_are "$rounds" 5
	before=$(subflow_ports)
	[ "$(printf '%s\n' "$before" | wc -l)" -eq 2 ] || die "subflows: $before"
	net_link_down wifi
	wait_for 60 answers_are "$rounds" 120
	net_link_up wifi
	[ "$(subflow_ports)" = "$before" ] || die "were $before, are $(subflow_ports)"
	unload "$name"
}

mib() { ip netns exec "$1" nstat -asz "MPTcpExt$2" | awk -v n="MPTcpExt$2" '$1 == n { print $2 }'; }

prio_received() { [ "$(mib "$NET_CLIENT" MPPrioRx)" -gt "$1" ]; }

# What an emulated CPU carries with ease on both paths, for as long as MP_PRIO takes.
steady_paths() {
	net_shape wifi 4 20 100
	net_shape lte 4 20 100
}

both_paths_busy() { [ "$(sent_bytes wifi)" -gt $(($1 + 150000)) ] && [ "$(sent_bytes lte)" -gt $(($2 + 150000)) ]; }

# What was measured while the paths were slow must not keep one of them idle when they are not.
paths_get_faster() {
	local pid wifi lte
	trap as_before EXIT
	slow_paths
	load pmctl
	use_scheduler pmctl
	wifi=$(sent_bytes wifi) lte=$(sent_bytes lte)
	upload 10.1.9.1 --bytes 12000000 --warm 1 --subflows 1 &
	pid=$!
	wait_for 30 both_paths_busy "$wifi" "$lte"
	wifi=$(sent_bytes wifi) lte=$(sent_bytes lte)
	steady_paths
	wait "$pid"
	both_paths_since "$wifi" "$lte"
	unload pmctl
}

requests() {
	net_client "$TRAFFIC" client rr --host 10.1.9.1 --port "$PORT" --cc cubic --timeout 60 --bytes 200 \
		--count 10 --interval-ms 100 --warm 0 --subflows 1
}

# Each request of a young connection leaves on both paths, and on one when that is not asked for. The
# kernel counts calls of get_retrans to find a path stale: the short timer makes many in a round trip.
first_flight() {
	local scheduler=$1 lte stale
	trap usual_paths EXIT
	net_shape wifi 16 120 100
	net_shape lte 16 120 100
	use_scheduler default
	load "$scheduler" --set first_flight_ms=60000
	use_scheduler "$scheduler"
	lte=$(sent_bytes lte) stale=$(mib "$NET_CLIENT" SubflowStale)
	requests
	stale=$(($(mib "$NET_CLIENT" SubflowStale) - stale))
	[ "$stale" -eq 0 ] || die "$stale times a path was found stale"
	[ "$(counter "$scheduler" redundant)" -ge 10 ] || die "$(counter "$scheduler" redundant) copies"
	lte=$(($(sent_bytes lte) - lte))
	[ "$lte" -gt $((10 * 64)) ] || die "only $lte bytes left by lte"
	unload "$scheduler"
	load "$scheduler"
	use_scheduler "$scheduler"
	requests
	[ "$(counter "$scheduler" redundant)" -eq 0 ] || die "$(counter "$scheduler" redundant) copies"
	unload "$scheduler"
}

# more_than BYTES BEFORE COMMAND...: does it say so many more by now?
more_than() { [ $(($("${@:3}") - $2)) -gt "$1" ]; }

# The client, by the process id of the shell that waits for it.
end_client() {
	ip netns pids "$NET_CLIENT" | xargs -r kill
	wait "$1" || :
}

# The server makes the first path a backup under an upload: what the client's scheduler makes of
# that follows from its trust in the path. TRUST WIFI-IS-USED
peer_demotes() {
	local trust=$1 used=$2 wifi lte rx pid
	trap as_before EXIT
	load pmctl --set "trust=$trust"
	use_scheduler pmctl
	ip -n "$NET_SERVER" mptcp endpoint add 10.1.9.1 dev eth0 subflow
	rx=$(mib "$NET_CLIENT" MPPrioRx)
	steady_paths
	upload 10.1.9.1 --bytes 30000000 --warm 1 --subflows 1 &
	pid=$!
	wait_for 20 decides_often pmctl
	ip -n "$NET_SERVER" mptcp endpoint change 10.1.9.1 backup
	wait_for 10 prio_received "$rx"
	wifi=$(sent_bytes wifi) lte=$(sent_bytes lte)
	wait_for 60 more_than 1500000 "$lte" sent_bytes lte
	wifi=$(($(sent_bytes wifi) - wifi)) lte=$(($(sent_bytes lte) - lte))
	kill -0 "$pid" || die 'the transfer was over too soon to tell'
	end_client "$pid"
	printf 'after MP_PRIO: wifi %s, lte %s bytes; trust %s\n' "$wifi" "$lte" "$trust"
	if [ "$used" = yes ]; then
		[ $((wifi * 4)) -gt "$lte" ] || die 'wifi was left although the peer is not trusted'
	else
		# What was in flight and queued, and acknowledgements.
		[ $((wifi * 4)) -lt "$lte" ] || die 'wifi was not left'
	fi
	unload pmctl
}

decides_often() { [ "$(counter "$1" scheduled)" -gt 30 ]; }

as_before() {
	usual_paths
	net_server sysctl -qw net.mptcp.scheduler=default
	ip netns exec "$NET_CLIENT" ip mptcp endpoint flush
	ip netns exec "$NET_SERVER" ip mptcp endpoint flush
	net_endpoints
}

# The client makes its second path a backup under a download: the server's scheduler sees it.
we_demote() {
	local wifi lte pid rx server
	trap as_before EXIT
	load pmctl
	net_server sysctl -qw net.mptcp.scheduler=pmctl
	ip netns exec "$NET_SERVER" "$TRAFFIC" server --port 5004 >/dev/null 2>&1 </dev/null &
	server=$!
	# shellcheck disable=SC2064 # while it is known
	trap "as_before; kill $server" EXIT
	wait_for 20 net_listens 5004
	rx=$(mib "$NET_SERVER" MPPrioRx)
	steady_paths
	net_client "$TRAFFIC" client get --host 10.1.9.1 --port 5004 --cc cubic --timeout 120 \
		--bytes 30000000 --warm 1 --subflows 1 &
	pid=$!
	wait_for 20 decides_often pmctl
	ip -n "$NET_CLIENT" mptcp endpoint change "$NET_CLIENT_LTE" backup
	wait_for 10 server_heard "$rx"
	wifi=$(net_bytes wifi) lte=$(net_bytes lte)
	wait_for 60 more_than 1500000 "$wifi" net_bytes wifi
	wifi=$(($(net_bytes wifi) - wifi)) lte=$(($(net_bytes lte) - lte))
	kill -0 "$pid" || die 'the transfer was over too soon to tell'
	end_client "$pid"
	printf 'after MP_PRIO: received %s by wifi, %s by lte\n' "$wifi" "$lte"
	[ $((lte * 4)) -lt "$wifi" ] || die 'lte was not left'
	unload pmctl
}

server_heard() { [ "$(mib "$NET_SERVER" MPPrioRx)" -gt "$1" ]; }

sched_tests() {
	t 'MP_PRIO from the peer is obeyed' peer_demotes 0 no
	t 'MP_PRIO from the peer is ignored on a path that is not trusted' peer_demotes 1 yes
	t 'MP_PRIO to the peer: its scheduler leaves the path' we_demote
	t 'minrtt: first flight' first_flight minrtt
	t 'pmctl: first flight' first_flight pmctl
	t 'paths that get faster are both used' paths_get_faster
	t 'pmctl: a link stays down, its subflow stays' link_stays_down pmctl
	t 'backup: a link stays down, its subflow stays' link_stays_down backup
	t "$CHAOS_CONNECTIONS connections while paths come and go and schedulers change" chaos
}
