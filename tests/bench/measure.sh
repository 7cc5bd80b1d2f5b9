# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# One run of the bench, to be sourced by tests/bench/run: an arm, in a row, in a pair.
#
#   start_servers ARMS...      a listener for each
#   measure ROW KIND SIZE BYTES ARM PAIR TIMEOUT SEED EVENT
#                              appends a line to $OUT/runs.jsonl, of the error if it fails
#
# Under emulation a process costs a third of a second, so what the shell can do it does itself.

declare -A PORT_OF=() COUNTER=()
TCP_PORT=5002
SAMPLES=$OUT/samples

# Sets PAUSE to a file that never has anything to read: a pause without a process.
exec {PAUSE}<> <(:)
pause() { read -rt 0.05 -u "$PAUSE" _ || :; }

# Busy time of the whole machine in ms: work for a packet is done in anybody's time.
busy_ms() {
	local user nice system irq softirq steal
	read -r _ user nice system _ _ irq softirq steal _ </proc/stat
	BUSY_MS=$(((user + nice + system + irq + softirq + steal) * 1000 / CLK_TCK))
}

# CLOCK_MONOTONIC of traffic, to 10 ms: nothing is suspended here.
uptime_us() {
	local seconds
	read -r seconds _ </proc/uptime
	UPTIME_US=$((10#${seconds/./} * 10000))
}

# Fills COUNTER with the module's columns of one scheduler.
read_counters() {
	local words head=() i
	COUNTER=()
	while read -ra words; do
		if [ "${words[0]}" = '#' ]; then
			head=("${words[@]:1}")
		elif [ "${words[0]}" = "$1" ]; then
			for i in "${!head[@]}"; do COUNTER[${head[i]}]=${words[i]}; done
		fi
	done </proc/mptcp_bpf
}

# A listener keeps the scheduler of its birth, and what it accepts inherits it.
start_server() {
	local port=$1 scheduler=$2
	shift 2
	net_server sysctl -qw net.mptcp.scheduler="$scheduler"
	ip netns exec "$NET_SERVER" "$TRAFFIC" server --port "$port" --cc "$CC" "$@" &
	wait_for 10 net_listens "$port"
}

start_servers() {
	local arm port=5010
	start_server "$TCP_PORT" default --tcp
	for arm; do
		PORT_OF[$arm]=$port
		start_server "$port" "$arm"
		port=$((port + 1))
	done
}

# Sets RAN_NS and RAN to the time in and the number of runs of a scheduler's get_send.
read_cost() {
	read -r RAN_NS RAN < <(bpftool prog show | awk -v name="$1_get_send" '
		{
			for (i = 1; i < NF; i++) {
				if ($i == "name") hit = $(i + 1) == name
				if (hit && $i == "run_time_ns") ns += $(i + 1)
				if (hit && $i == "run_cnt") n += $(i + 1)
			}
		}
		END { print ns + 0, n + 0 }')
}

client() {
	local scheduler=$1
	shift
	# shellcheck disable=SC2016
	ip netns exec "$NET_CLIENT" sh -ec '
		echo "$1" >/proc/sys/net/mptcp/scheduler
		shift
		exec "$@"' - "$scheduler" "$TRAFFIC" client "$@"
}

# The path that carried more of what came during the last answers: sets ACTIVE.
more_bytes() {
	local before after
	wait_for 60 answers_reach $((EVENT_AFTER / 2))
	before=$(net_client cat /sys/class/net/{wlan0,wwan0}/statistics/rx_bytes)
	wait_for 60 answers_reach "$EVENT_AFTER"
	after=$(net_client cat /sys/class/net/{wlan0,wwan0}/statistics/rx_bytes)
	# shellcheck disable=SC2086 # two numbers each
	set -- $before $after
	ACTIVE=wifi
	[ $(($3 - $1)) -ge $(($4 - $2)) ] || ACTIVE=lte
}

answers_reach() { [ "$(wc -l <"$SAMPLES")" -ge "$1" ]; }

passed() {
	uptime_us
	[ "$UPTIME_US" -ge "$1" ]
}

# What happens to a path in the middle of an exchange; sets EVENT_US, HEAL_US, ACTIVE. Commands go
# to an `ip` that is running already, so that the times noted here are the times they take effect.
make_it_happen() {
	local event=$1 to_router to_client
	HEAL_US=0
	exec {to_router}> >(ip -n "$NET_ROUTER" -batch -) {to_client}> >(ip -n "$NET_CLIENT" -batch -)
	more_bytes
	# The way back can only be told where the better path is the one that goes.
	[ "$event" != heal ] || ACTIVE=wifi
	uptime_us
	EVENT_US=$UPTIME_US
	if [ "$event" = down ]; then
		printf 'link set %s down\n' "$(net_device "$ACTIVE")" >&"$to_client"
	else
		net_blackhole_lines add "$ACTIVE" >&"$to_router"
	fi
	if [ "$event" = heal ]; then
		wait_for 60 passed $((EVENT_US + EVENT_LASTS_S * 1000000))
		uptime_us
		HEAL_US=$UPTIME_US
		net_blackhole_lines del "$ACTIVE" >&"$to_router"
	fi
	exec {to_router}>&- {to_client}>&-
}

put_right() {
	case $1 in
	down) net_link_up "$ACTIVE" ;;
	blackhole) net_blackhole_lines del "$ACTIVE" | net_batch "$NET_ROUTER" ;;
	esac
}

# An exchange with an event. Prints the client's line, with what happened when and every answer.
handover() {
	local event=$1 rc=0 line sent rtt list='' pid
	shift
	: >"$SAMPLES"
	client "$@" --out "$SAMPLES" >"$OUT/line" &
	pid=$!
	make_it_happen "$event" || rc=$?
	wait "$pid" || rc=$?
	[ -z "${ACTIVE:-}" ] || put_right "$event"
	line=$(cat "$OUT/line")
	[ "$rc" -eq 0 ] || {
		printf '%s\n' "$line"
		return "$rc"
	}
	while read -r sent rtt; do
		list="$list${list:+,}[$sent,$rtt]"
	done <"$SAMPLES"
	printf '{"event_us":%s,"heal_us":%s,"active":"%s","samples":[%s],%s\n' "$EVENT_US" "$HEAL_US" \
		"$ACTIVE" "$list" "${line#\{}"
}

# The module adds a connection's bytes when it is released, some time after its end.
counted() {
	local arm=$1 connections=$2 deadline=$((SECONDS + 10))
	while :; do
		read_counters "$arm"
		[ "${COUNTER[connections]:-0}" -gt "$connections" ] || return 0
		[ "$SECONDS" -lt "$deadline" ] || break
		pause
	done
	printf '%s: a connection is still there 10 s after its end, its bytes are not counted\n' "$arm" >&2
	return 1
}

measure() {
	local row=$1 kind=$2 size=$3 bytes=$4 arm=$5 pair=$6 timeout=$7 seed=$8 event=$9
	local scheduler=default line rc=0 extra='' head before_ms ours=no ns ran connections sent again
	set -- --host "$NET_SERVER_IP" --cc "$CC" --timeout "$timeout" --json --bytes "$bytes"
	case $kind in
	rr) set -- rr "$@" --count "$COUNT" --interval-ms 100 --warm 10 ;;
	handover) set -- echo "$@" --count "$(event_count "$event")" --interval-ms 100 --warm 5 ;;
	*) set -- get "$@" --warm 5 ;;
	esac
	case $arm in
	tcp-wifi) set -- "$@" --port "$TCP_PORT" --tcp --bind "$NET_CLIENT_WIFI" ;;
	tcp-lte) set -- "$@" --port "$TCP_PORT" --tcp --bind "$NET_CLIENT_LTE" ;;
	*)
		scheduler=$arm
		set -- "$@" --port "${PORT_OF[$arm]}" --subflows 1
		[ "$arm" = default ] || ours=yes
		;;
	esac
	[ "${#NET_DOWN[@]}" -eq 0 ] || net_fresh "$seed"
	if [ $ours = yes ]; then
		read_counters "$arm"
		connections=${COUNTER[connections]} sent=${COUNTER[sent_bytes]}
		again=${COUNTER[reinjected_bytes]}
	fi
	[ "$kind" != decision ] || { read_cost "$arm" && ns=$RAN_NS ran=$RAN; }
	busy_ms
	before_ms=$BUSY_MS
	if [ "$kind" = handover ]; then
		line=$(handover "$event" "$scheduler" "$@") || rc=$?
	else
		line=$(client "$scheduler" "$@") || rc=$?
	fi
	busy_ms
	printf -v head '{"row":"%s","size":"%s","arm":"%s","pair":%s' "$row" "$size" "$arm" "$pair"
	[[ $line == '{'*'}' ]] || rc=1
	if [ "$rc" -ne 0 ]; then
		printf '%s %s %s, pair %s: exit %s: %s\n' "$row" "$size" "$arm" "$pair" "$rc" "$line"
		line=${line##*\"error\":\"}
		line=${line%%\"*}
		printf '%s,"error":"%s"}\n' "$head" "${line:-nothing was measured}" >>"$OUT/runs.jsonl"
		return 1
	fi
	if [ "$kind" = decision ]; then
		read_cost "$arm"
		[ "$RAN" -gt "$ran" ] || die "BPF statistics know no runs of ${arm}_get_send"
		extra=",\"decisions\":$((RAN - ran)),\"decision_ns\":$(((RAN_NS - ns) / (RAN - ran)))"
	fi
	if [ $ours = yes ] && counted "$arm" "$connections"; then
		extra="$extra,\"sent_bytes\":$((COUNTER[sent_bytes] - sent))"
		extra="$extra,\"reinjected_bytes\":$((COUNTER[reinjected_bytes] - again))"
	fi
	printf '%s,"busy_ms":%s%s,%s\n' "$head" $((BUSY_MS - before_ms)) "$extra" "${line#\{}" \
		>>"$OUT/runs.jsonl"
}
