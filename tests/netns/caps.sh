# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Caps and schedules under the daemon. Sourced by run after daemon.sh.
# Functions are called by name, through run_test:
# shellcheck disable=SC2317

only_wifi() { paths_used 's == ["10.77.1.1"]'; }
# move_on_lte KILOBYTES: not by the connection, as all traffic counts
move_on_lte() {
	ip netns exec "$C" python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(int(sys.argv[1]) // 50):
    s.sendto(bytes(50000), ("10.77.2.2", 9))' "$1"
}

# Ten more requests are answered.
goes_on() {
	local nr
	nr=$(wc -l <"$TMP/rounds")
	wait_for 15 rounds $((nr + 10)) || die 'the exchange stopped'
}

# The path is closed, stays so for a daemon that was killed, and opens with another policy.
cap_closes_path() {
	daemon_world aggregate 'caps: [ { path: lte, bytes: 200kB, per: month, then: close } ]'
	talk 600
	wait_for 15 both_used
	move_on_lte 250
	wait_for 15 only_wifi || die 'lte was not closed'
	grep -q 'path "lte" is closed: .* of 200.0 kB this month' "$TMP/daemon" || die 'no reason in the log'
	told 'any(p["path"] == "lte" and p["state"] == "closed" for p in o)' path list ||
		die 'path list does not say so'
	[ -s "$TMP/state/caps-$C" ] || die 'nothing was saved'
	kill -9 "$DAEMON"
	wait "$DAEMON" || :
	start_daemon
	wait_for 15 logged_twice 'path "lte" is closed'
	goes_on
	only_wifi || die 'lte was opened again'
	sed -i 's/200kB/200MB/' "$TMP/policy.yaml"
	pmctl reload --netns "$C"
	wait_for 15 both_used || die 'lte was not opened again'
	kill "$TALK"
	end_world
}
logged_twice() { [ "$(grep -c "$1" "$TMP/daemon")" -ge 2 ]; }

# At its cap a path is a backup, and takes over when the other one goes.
cap_makes_backup() {
	daemon_world aggregate 'caps: [ { path: lte, bytes: 200kB, per: day } ]'
	talk 600
	wait_for 15 both_used
	move_on_lte 250
	wait_for 15 lte_is_backup || die 'lte is no backup'
	take_down wlan0
	goes_on
	kill "$TALK"
	end_world
}
lte_is_backup() {
	pmctl conn show "$(sole_token)" --netns "$C" -j | python3 -c '
import json, sys
s = [f["saddr"].split(":")[-1] for f in json.load(sys.stdin)["subflows"] if f.get("backup_requested")]
sys.exit(s != ["10.77.2.1"])'
}

schedule_of_path() {
	local today tomorrow
	today=$(date +%a | tr '[:upper:]' '[:lower:]')
	tomorrow=$(date -d tomorrow +%a | tr '[:upper:]' '[:lower:]')
	daemon_world aggregate
	sed -i "s/cost: 10/&\n    when: { days: [$tomorrow] }/" "$TMP/policy.yaml"
	pmctl reload --netns "$C"
	talk 600
	rounds 8 || wait_for 15 rounds 8
	only_wifi || die 'lte is open on the wrong day'
	sed -i "s/days: \[$tomorrow\]/days: [$today]/" "$TMP/policy.yaml"
	pmctl reload --netns "$C"
	wait_for 15 both_used || die 'lte is not open on its day'
	kill "$TALK"
	end_world
}

run_test 'caps: a path is closed' cap_closes_path
run_test 'caps: a path becomes a backup' cap_makes_backup
run_test 'schedule of a path' schedule_of_path
