# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Why a subflow ends: what is on the wire, what the peer hears, what is done about it. Sourced by
# run, whose world() and helpers, and those of monitor.sh, conn.sh, guard.sh and daemon.sh, it uses.

EMIT='unacceptable-performance: { transient: true }, administratively-prohibited: { transient: false }'

# reset_policy INTERFACE GLOB, SECTION reset:
reset_policy() {
	cat >"$TMP/reset.yaml" <<-END
		version: 1
		name: netns-reset
		paths: [ { name: any, match: { interface: "$1" }, endpoint: [signal] } ]
		reset: $2
	END
}

# What the server has on one device from now on: resets, and SYNs, to $TMP/wire; and its events, to
# $TMP/events.
reset_watch() { # DEV
	rm -f "$TMP/tcpdump" "$TMP/wire" "$TMP/events" # what an earlier one said
	ip netns exec "$S" tcpdump -l --immediate-mode -nnttvvxi "$1" \
		'(ip proto 6 and tcp[13] & 6 != 0) or (ip6 proto 6 and ip6[53] & 6 != 0)' >"$TMP/wire" 2>"$TMP/tcpdump" &
	CAPTURE=$!
	ip netns exec "$S" ip mptcp monitor >"$TMP/events" &
	EVENTS=$!
	wait_for 15 grep -q 'listening on' "$TMP/tcpdump"
	wait_for 15 monitored
}
reset_unwatch() {
	kill "$EVENTS" "$CAPTURE"
	wait "$EVENTS" "$CAPTURE" || : # by the signal
}

# wire EXPRESSION: python about what was seen, r: (time, MP_TCPRST in hex or None) of each reset that
# has it, j: (time, B bit) of each SYN with MP_JOIN
wire() {
	python3 - "$TMP/wire" "$1" <<-'END'
		import re, sys
		r, j = [], []
		for packet in re.split(r"(?m)^(?=\d+\.\d+ )", open(sys.argv[1]).read())[1:]:
		    when = float(packet.split(None, 1)[0])
		    b = bytes.fromhex("".join(re.findall(r"(?m)^\t0x[0-9a-f]+: +(.*)$", packet)))
		    tcp = b[40:] if b[0] >> 4 == 6 else b[4 * (b[0] & 15):]
		    options, mptcp = tcp[20:4 * (tcp[12] >> 4)], {}
		    while options and options[0]:
		        size = 1 if options[0] == 1 else options[1]
		        if options[0] == 30:
		            mptcp[options[2] >> 4] = options[:size]
		        options = options[size:]
		    if tcp[13] & 4 and 8 in mptcp:
		        r.append((when, mptcp[8].hex()))
		    if tcp[13] & 18 == 2 and 1 in mptcp:
		        j.append((when, mptcp[1][2] & 1))
		print("resets", r, "joins", j)
		sys.exit(not eval(sys.argv[2]))
	END
}
peer_hears() { # REASON, FLAGS
	grep -q "SF_CLOSED.* reset_reason=$1 reset_flags=0x$2\b" "$TMP/events"
}
# resets_are EXPRESSION: python about the list r of resets in `conn show`
resets_are() {
	pmctl conn show "$CLIENT" --netns "$C" -j |
		python3 -c 'import json,sys; r = json.load(sys.stdin)["resets"]; sys.exit(not ('"$1"'))'
}
# counted DEV: resets of the client that left with a reason
counted() {
	pmctl status --netns "$C" -j | python3 -c '
import json, sys
n = {x["dev"]: x for x in json.load(sys.stdin)["resets"]}
print(n[sys.argv[1]]["with_reason"] if not n[sys.argv[1]]["failed"] else "failed")' "$1"
}
has_egress() { ip netns exec "$C" bpftool net show dev "$1" | grep -q 'tcx/egress reset'; }
reset_folder() { guard_folder | sed 's|/guard/|/reset/|'; }

# A second subflow over wwan0, deleted by hand: REMOTE, MP_TCPRST, REASON, T, OPTIONS
reset_one() {
	local local=10.77.2.1 before
	[[ $1 != *:* ]] || local=fd77:2::1
	pmctl conn subflow add "$CLIENT" --dev wwan0 --local "$local" --netns "$C"
	wait_for 30 subflows "$S" "$SERVER" 'len(s) == 2'
	before=$(server_counter MPTcpExtMPRstRx)
	reset_watch s2
	pmctl conn subflow del "$CLIENT" --local "$local" --netns "$C" "${@:5}"
	wait_for 30 peer_hears "$3" "$4" || die "the peer: $(cat "$TMP/events")"
	wait_for 30 wire "[x[1] for x in r] == ['1e04$2']" || die "on the wire: $(cat "$TMP/wire")"
	is "$(server_counter MPTcpExtMPRstRx)" $((before + 1)) 'MP_TCPRST received'
	wait_for 30 subflows "$C" "$CLIENT" 'len(s) == 1'
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
	grep -q 'cksum.*(correct)' "$TMP/wire" || die "checksum: $(cat "$TMP/wire")"
	ip netns exec "$C" ethtool -K wwan0 tx on >/dev/null 2>&1 || :
	reset_one "$1" 8003 3 0 --reset administratively-prohibited
	is "$(counted wwan0) $(counted wlan0)" '2 0' 'resets with a reason'
	exits 2 pmctl conn subflow del "$CLIENT" 0 --reset lack --netns "$C"
	exits 2 pmctl conn subflow del "$CLIENT" 0 --transient --netns "$C"
	pmctl unload --netns "$C"
	exits 1 pmctl conn subflow del "$CLIENT" 0 --reset lack-of-resources --netns "$C"
	hang_up
}

# A server that says nothing more while a path is silent for the client.
reset_mute() {
	ip netns exec "$C" nft -f - <<-'END'
		table inet hole {
			chain in { type filter hook input priority 0; iifname "wlan0" tcp sport 7777 drop; }
		}
	END
}

# What the daemon drops: a path that a person takes down; one that is not needed, of which nothing is
# said; one that is bad, the connection's first. What is sent meanwhile goes on.
reset_by_policy() {
	local before
	world
	rm -f "$TMP/daemon" "$TMP/rounds"
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	daemon_policy aggregate "reset: { emit: { $EMIT } }" \
		'modes: { pure-handover: { hold: 1s, switch: { timeouts: 2 } } }'
	start_daemon
	ip netns exec "$S" "$TRAFFIC" server --port 7777 &
	wait_for 30 listening
	ip netns exec "$C" "$TRAFFIC" client echo --host 10.77.1.2 --port 7777 --bytes 200 \
		--interval-ms 50 --count 100000 --timeout 100 --json --out "$TMP/rounds" >"$TMP/talk" &
	TALK=$!
	wait_for 30 rounds 2
	CLIENT=$(token_in "$C")
	wait_for 30 subflows "$C" "$CLIENT" 'len(s) == 2'
	reset_watch s2
	exits 0 pmctl path down lte --netns "$C"
	wait_for 30 peer_hears 3 0 || die "the peer: $(cat "$TMP/events")"
	wait_for 30 wire "[x[1] for x in r] == ['1e048003']" || die "on the wire: $(cat "$TMP/wire")"
	wait_for 30 grep -q 'reset the subflow from 10.77.2.1.*lte was taken down by hand' "$TMP/daemon"
	reset_unwatch
	exits 0 pmctl path up lte --netns "$C"
	wait_for 30 subflows "$C" "$CLIENT" 'len(s) == 2 and all(f["state"] == "ESTAB" for f in s)'
	sed -i 's/mode: aggregate/mode: pure-handover/' "$TMP/policy.yaml"
	exits 0 pmctl reload --netns "$C"
	wait_for 30 subflows "$C" "$CLIENT" 'len(s) == 1'
	grep -q 'delete the subflow from 10.77.2.1.*lte is not needed any more' "$TMP/daemon" || die 'not deleted'
	reset_watch s1
	reset_mute
	wait_for 30 peer_hears 5 1 || die "the peer: $(cat "$TMP/events")"
	wait_for 30 wire "[x[1] for x in r] == ['1e048105']" || die "on the wire: $(cat "$TMP/wire")"
	grep -q 'reset the subflow from 10.77.1.1' "$TMP/daemon" || die 'not in the log'
	is "$(counted wlan0) $(counted wwan0)" '1 1' 'resets with a reason'
	is "$(server_counter MPTcpExtMPRstRx)" 2 'MP_TCPRST received'
	before=$(grep -c "" "$TMP/rounds")
	wait_for 30 rounds $((before + 10)) || die 'the connection does not go on'
	reset_unwatch
	kill "$TALK"
	stop_daemon
	drop_namespaces
}

# A client with a daemon and two subflows, and a server that can say why it ends one: that takes the
# userspace path manager, which lets nobody join unless somebody listens.
reset_server() { # SECTION reset: OF THE CLIENT
	world
	rm -f "$TMP/daemon"
	reset_policy 's*' "{ emit: { $EMIT } }"
	exits 0 pmctl apply "$TMP/reset.yaml" --netns "$S"
	ip netns exec "$S" ip mptcp monitor >/dev/null &
	LISTENER=$!
	wait_for 30 monitored
	daemon_policy aggregate "${1:+reset: $1}"
	start_daemon
	connect_to 10.77.1.2
	wait_for 30 subflows "$C" "$CLIENT" 'len(s) == 2'
	wait_for 30 subflows "$S" "$SERVER" 'len(s) == 2'
}
reset_server_ends() {
	kill "$LISTENER"
	wait "$LISTENER" || : # by the signal
	stop_daemon
	hang_up
}
server_resets() { # REASON [--transient]
	exits 0 pmctl conn subflow del "$SERVER" --remote 10.77.2.1 --netns "$S" --reset "$@"
	says "reset: "
}
rejoined() { # HOW OFTEN
	wire "len(r) == len(j) == $1" && subflows "$S" "$SERVER" 'len(s) == 2'
}

# Each reset is heard, remembered, and answered when and how the policy says.
reset_heard() {
	local text
	reset_server '{ react: { unacceptable-performance: { retry: 1s, as-backup: true }, lack-of-resources: { retry: 2s } } }'
	watch text "$C" 4>&-
	text=$WATCHER
	reset_watch s2
	# How late it may be is no more than what the machine needs, when it is busy.
	# As without a policy: with the T bit soon, without it not any more, see below.
	server_resets unspecified --transient
	wait_for 30 rejoined 1 || die "on the wire: $(cat "$TMP/wire")"
	wire '0.7 <= j[0][0] - r[0][0] < 20 and r[0][1] == "1e048100" and j[0][1] == 0' || die 'no back-off'

	server_resets unacceptable-performance --transient
	wait_for 30 rejoined 2 || die "on the wire: $(cat "$TMP/wire")"
	wire '1 <= j[1][0] - r[1][0] < 20 and r[1][1] == "1e048105" and j[1][1] == 1' ||
		die 'not after 1 s, or not as a backup'
	resets_are '[(x["reset_reason"], x["reset_reason_text"], x["transient"], x["path"], x["reaction"]) for x in r[1:]] == [(5, "unacceptable performance", True, "lte", "again after 1s, as a backup")]' ||
		die "$(pmctl conn show "$CLIENT" --netns "$C")"
	saw text SF_CLOSED "token=$CLIENT .* reset_reason=5 reset_reason_text=\"unacceptable performance\" reset_flags=1 transient$" ||
		die "monitor: $(cat "$TMP/text")"
	wait_for 30 saw text ACTION "token=$CLIENT .*reason=\"lte: the peer reset it \(unacceptable performance, transient\): again after 1s, as a backup\""

	server_resets lack-of-resources
	wait_for 30 rejoined 3 || die "on the wire: $(cat "$TMP/wire")"
	wire '2 <= j[2][0] - r[2][0] < 20 and r[2][1] == "1e048002"' || die 'not after 2 s'

	server_resets unspecified
	wait_for 30 resets_are 'len(r) == 4 and r[3]["reaction"] == "not again"'
	is "$(counter MPTcpExtMPRstRx)" 4 'MP_TCPRST received'
	is "$(counter MPTcpExtMPJoinSynTx)" 4 'joins'
	pmctl conn show "$CLIENT" --netns "$C" | grep -q 'lack of resources' || die 'not in the table'
	kill "$text"
	finishes "$text"
	reset_unwatch
	reset_server_ends
}

# The host said that it wants no more: other connections to that address know, until the daemon ends.
reset_remembered() {
	local other same
	reset_server ''
	server_resets administratively-prohibited
	wait_for 30 resets_are 'r and r[0]["reaction"] == "not again"'
	is "$(counter MPTcpExtMPJoinSynTx)" 1 'joins before'
	for host in 10.77.1.2 10.77.2.2; do
		ip netns exec "$C" "$TRAFFIC" client echo --host "$host" --port 7777 --bytes 200 \
			--interval-ms 50 --count 100000 --warm 1 --timeout 60 4>&- &
		same=${other:-}
		other=$!
		wait_for 30 counts counter MPTcpExtMPCapableSYNACKRX $((same ? 3 : 2))
	done
	# Whoever came last has its second subflow; the one before it had more time, and has none.
	wait_for 30 counts counter MPTcpExtMPJoinSynAckRx 2
	is "$(counter MPTcpExtMPJoinSynTx)" 2 'joins'
	pmctl conn list --netns "$C" -j | python3 -c '
import json, sys
n = sorted((c["daddr"], c["nr_subflows"]) for c in json.load(sys.stdin))
assert n == [("10.77.1.2", 1), ("10.77.1.2", 1), ("10.77.2.2", 2)], n'
	kill "$same" "$other"
	reset_server_ends
}

# The program comes with the policy and the interfaces, and goes without a trace.
reset_life() {
	local folder step
	world
	rm -f "$TMP/daemon"
	folder=$(reset_folder)
	daemon_policy aggregate "reset: { emit: { $EMIT } }"
	exits 0 apply "$TMP/policy.yaml" --dry-run
	says '+ give resets their reason on wlan0, wwan0'
	[ ! -e "$folder" ] || die 'a dry run left something'
	exits 4 setpriv --bounding-set=-bpf --inh-caps=-bpf "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
	says CAP_BPF
	for step in attached pinned; do
		exits 137 env MPTCP_PM_KILL_AT=$step "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
		[ "$step" = attached ] || apply "$TMP/policy.yaml"
		[ "$step" = attached ] || has_egress wwan0 || die 'not healed'
		exits 0 pmctl unload --netns "$C"
		[ ! -e "$folder" ] || die "left after $step: $(find "$folder")"
	done
	start_daemon
	has_egress wlan0 || die 'no program on wlan0'
	ip -n "$C" link del wwan0
	wait_for 30 grep -q 'give resets their reason on wlan0:' "$TMP/daemon"
	link wwan0 2
	wait_for 30 has_egress wwan0
	sed -i '/^reset:/d' "$TMP/policy.yaml"
	exits 0 pmctl reload --netns "$C"
	[ ! -e "$folder" ] || die 'a policy without it left something'
	printf '%s\n' "reset: { emit: { $EMIT } }" >>"$TMP/policy.yaml"
	exits 0 pmctl reload --netns "$C"
	has_egress wlan0 || die 'not there again'
	kill -9 "$DAEMON"
	wait "$DAEMON" || : # killed
	has_egress wlan0 || die 'gone with the daemon'
	exits 0 pmctl unload --netns "$C"
	[ ! -e "$folder" ] || die "left: $(find "$folder")"
	! has_egress wlan0 && ! has_egress wwan0 || die 'still attached'
	drop_namespaces
}

# Where nothing can be written on the wire the policy is refused, or applied without it; the daemon
# closes subflows as any other then.
reset_unsupported() {
	# Expanded by the shell inside.
	# shellcheck disable=SC2016
	local hidden='mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"'
	world
	rm -f "$TMP/daemon"
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	daemon_policy aggregate "reset: { emit: { $EMIT } }"
	exits 3 unshare -m bash -c "$hidden" "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
	says 'reset.emit needs btf'
	sed -i 's/^name:.*/&\nfallback: allow/' "$TMP/policy.yaml"
	exits 0 unshare -m bash -c "$hidden" "$PMCTL" apply "$TMP/policy.yaml" --netns "$C"
	says 'left out: reset.emit'
	ip netns exec "$C" setpriv --inh-caps=-all --bounding-set=-all,+net_admin,+dac_read_search \
		"$PMCTL" daemon --policy "$TMP/policy.yaml" >>"$TMP/daemon" 2>&1 &
	DAEMON=$!
	wait_for 30 pmctl path list --netns "$C"
	is "$(grep -c 'no permission to give resets their reason: CAP_BPF' "$TMP/daemon")" 1 'times it is said'
	connect_to 10.77.1.2
	wait_for 30 subflows "$C" "$CLIENT" 'len(s) == 2'
	exits 0 pmctl path down lte --netns "$C"
	wait_for 30 subflows "$C" "$CLIENT" 'len(s) == 1'
	grep -q 'delete the subflow from 10.77.2.1' "$TMP/daemon" || die 'not told as it was'
	is "$(counter MPTcpExtMPRstTx)" 0 'MP_TCPRST sent'
	stop_daemon
	hang_up
}
