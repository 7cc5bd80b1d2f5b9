# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Why a subflow ends, on the wire and at the peer. Sourced by run, whose world() and helpers, and
# those of conn.sh and daemon.sh, it uses.

EMIT='unacceptable-performance: { transient: true }'

# reset_policy INTERFACE GLOB, SECTION reset:
reset_policy() {
	cat >"$TMP/reset.yaml" <<-END
		version: 1
		name: netns-reset
		paths: [ { name: any, match: { interface: "$1" }, endpoint: [signal] } ]
		reset: $2
	END
}

# What the server gets on s2 from now on: resets, to $TMP/resets; and its events, to $TMP/events.
reset_watch() {
	: >"$TMP/resets"
	: >"$TMP/events"
	ip netns exec "$S" tcpdump -l --immediate-mode -nnvvxi s2 \
		'(ip and tcp[13] & 4 != 0) or (ip6 and ip6[53] & 4 != 0)' >"$TMP/resets" 2>"$TMP/tcpdump" &
	CAPTURE=$!
	ip netns exec "$S" ip mptcp monitor >"$TMP/events" &
	EVENTS=$!
	wait_for 5 grep -q 'listening on' "$TMP/tcpdump"
	wait_for 5 monitored
}
reset_unwatch() {
	kill "$EVENTS" "$CAPTURE"
	wait "$EVENTS" "$CAPTURE" || : # by the signal
}
# MP_TCPRST as it is in the dump: 1e04 and 8T, the reason
wire_has() {
	sed -nE 's/^\t0x[0-9a-f]+: *//p' "$TMP/resets" | tr -d ' \n' | grep -q "1e04$1"
}
peer_hears() { # REASON, FLAGS
	grep -q "SF_CLOSED.* reset_reason=$1 reset_flags=0x$2\b" "$TMP/events"
}

# A second subflow over wwan0, deleted by hand: REMOTE, MP_TCPRST, REASON, T, OPTIONS
reset_one() {
	local local=10.77.2.1
	[[ $1 != *:* ]] || local=fd77:2::1
	pmctl conn subflow add "$CLIENT" --dev wwan0 --local "$local" --netns "$C"
	wait_for 10 subflows "$S" "$SERVER" 'len(s) == 2'
	reset_watch
	pmctl conn subflow del "$CLIENT" --local "$local" --netns "$C" "${@:5}"
	wait_for 10 peer_hears "$3" "$4" || die "the peer: $(cat "$TMP/events")"
	wait_for 10 wire_has "$2" || die "on the wire: $(cat "$TMP/resets")"
	wait_for 10 subflows "$C" "$CLIENT" 'len(s) == 1'
	fetch 100000
	reset_unwatch
}

reset_by_hand() { # SERVER
	world
	userspace_pm "$C"
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	ip netns exec "$C" ethtool -K wwan0 tx off >/dev/null 2>&1 || : # so that the dump can judge checksums
	connect_to "$1"
	exits 1 pmctl conn subflow del "$CLIENT" 0 --reset lack-of-resources --netns "$C"
	says 'apply a policy that has "reset"'
	reset_one "$1" 8000 0 0 --reset unspecified
	reset_policy 'w*' "{ emit: { $EMIT } }"
	exits 0 pmctl apply "$TMP/reset.yaml" --netns "$C"
	says 'give resets their reason on wlan0, wwan0'
	exits 0 pmctl apply "$TMP/reset.yaml" --netns "$C"
	says 'nothing to change'
	reset_one "$1" 8105 5 1 --reset unacceptable-performance --transient
	grep -q 'cksum.*(correct)' "$TMP/resets" || die "checksum: $(cat "$TMP/resets")"
	ip netns exec "$C" ethtool -K wwan0 tx on >/dev/null 2>&1 || :
	reset_one "$1" 8003 3 0 --reset administratively-prohibited
	exits 2 pmctl conn subflow del "$CLIENT" 0 --reset lack --netns "$C"
	exits 2 pmctl conn subflow del "$CLIENT" 0 --transient --netns "$C"
	pmctl unload --netns "$C"
	exits 1 pmctl conn subflow del "$CLIENT" 0 --reset lack-of-resources --netns "$C"
	hang_up
}
