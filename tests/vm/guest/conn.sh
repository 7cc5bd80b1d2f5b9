# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Connections: listed, shown, given another scheduler by hand and by rule. Sourced by run.

SELECT=/sys/fs/bpf/mptcp-pm/select
DEAD=dead$$
CGROUP=/sys/fs/cgroup/pmctl-test
OTHER_PORT=5002

# One key of the only connection to PORT (of this side or the other); "-" when it is not there.
# NETNS PORT KEY
conn_key() {
	pmctl -j conn list --netns "$1" | python3 -c '
import json, sys
port, key = int(sys.argv[1]), sys.argv[2]
conns = [c for c in json.load(sys.stdin) if port in (c["sport"], c["dport"]) and "token" in c]
assert len(conns) == 1, conns
print(conns[0].get(key, "-"))' "$2" "$3"
}

# TOKEN EXPRESSION: a Python expression about the connection `c` holds.
conn_holds() {
	pmctl -j conn show "$1" --netns "$NET_CLIENT" | python3 -c '
import json, sys
c = json.load(sys.stdin)
s = c["subflows"]
print(json.dumps(c))
assert eval(sys.argv[1]), sys.argv[1]' "$2"
}

has_key() { [ "$(conn_key "$1" "$2" "$3" 2>/dev/null)" = "$4" ]; }

# A connection with small requests for as long as the test needs it; options of the client follow.
# AS is a wrapper of the client, AS_OUTSIDE one that has to run outside of the namespace. Not by
# net_client: the process to kill has to be the client itself.
chat() {
	# shellcheck disable=SC2086,SC2153 # wrappers are words; PORT is run's
	${AS_OUTSIDE:-} ip netns exec "$NET_CLIENT" ${AS:-} "$TRAFFIC" client echo \
		--host 10.1.9.1 --port "$PORT" --bytes 2000 --count 3000 --interval-ms 20 \
		--timeout 100 "$@" >/dev/null 2>&1 &
	CHAT=$!
}

no_chat() {
	kill "$CHAT"
	wait "$CHAT" || :
}

live_connection() {
	local token sent before
	load minrtt
	load roundrobin
	use_scheduler minrtt
	before=$(($(sent_bytes wifi) + $(sent_bytes lte)))
	chat --warm 1 --subflows 1
	wait_for 20 has_key "$NET_CLIENT" "$PORT" nr_subflows 2
	token=$(conn_key "$NET_CLIENT" "$PORT" token)
	pmctl conn list --netns "$NET_CLIENT"
	pmctl conn show "$token" --netns "$NET_CLIENT"
	conn_holds "$token" 'c["scheduler"] == "minrtt" and c["by"] == "sysctl" and "rule" not in c'
	conn_holds "$token" 'c["role"] == "client" and c["decisions"] > 0'
	conn_holds "$token" '{f["saddr"] for f in s} == {"10.1.1.1", "10.1.2.1"}'
	conn_holds "$token" 'all(f["srtt_us"] > 15000 and f["cwnd"] > 0 for f in s)'
	has_key "$NET_SERVER" "$PORT" scheduler default || die 'the server has a scheduler'
	pmctl conn set "$token" --scheduler roundrobin --netns "$NET_CLIENT"
	wait_for 10 has_key "$NET_CLIENT" "$PORT" scheduler roundrobin
	conn_holds "$token" 'c["by"] == "hand" and c["sched_state"] == "ok"'
	wait_for 10 decides roundrobin
	[ "$(counter minrtt connections)" -eq 0 ] || die 'minrtt still has the connection'
	pmctl conn set "$token" --scheduler default --netns "$NET_CLIENT"
	wait_for 10 has_key "$NET_CLIENT" "$PORT" scheduler default
	fails 'is not loaded' pmctl conn set "$token" --scheduler none --netns "$NET_CLIENT"
	fails 'no MPTCP connection' pmctl conn set 1 --scheduler minrtt --netns "$NET_CLIENT"
	fails "own scheduler" pmctl conn set "$(conn_key "$NET_SERVER" "$PORT" token)" \
		--scheduler minrtt --netns "$NET_SERVER"
	sent=$(conn_key "$NET_CLIENT" "$PORT" sent_bytes)
	before=$(($(sent_bytes wifi) + $(sent_bytes lte) - before))
	printf 'sent %s bytes, %s on the wire\n' "$sent" "$before"
	[ "$sent" -gt 2000 ] && [ "$sent" -lt "$before" ] || die 'more sent than left the machine'
	[ $((sent * 2)) -gt "$before" ] || die 'less than half of what left the machine'
	no_chat
	use_scheduler default
	pmctl sched unload minrtt
	pmctl sched unload roundrobin
}

decides() { [ "$(counter "$1" decisions)" -gt 0 ]; }

# WORDS COMMAND...: exit 1, with these words.
fails() {
	local words=$1 rc=0 out
	shift
	out=$("$@" 2>&1) || rc=$?
	printf '%s\n' "$out"
	[ "$rc" -eq 1 ] || die "exit $rc, not 1"
	case $out in *"$words"*) ;; *) die "no \"$words\" in it" ;; esac
}

rules_policy() {
	cat >"$1" <<-EOF
		version: 1
		name: rules
		scheduler: minrtt
		connections:
		  - match: { port: [4000, $OTHER_PORT] }
		    scheduler: roundrobin
		  - match: { cgroup: ${CGROUP#/sys/fs/cgroup} }
		    scheduler: roundrobin
		  - match: { uid: 1234 }
		    scheduler: roundrobin
		  - match: { prefix: "fd00:1:9::/64", role: client }
		    scheduler: roundrobin
		  - match: { prefix: "fd00::/8" }
		    scheduler: default
		  - mode: aggregate
	EOF
}

# NUMBER OF THE RULE (or -) PORT OPTIONS...
decided_by() {
	local rule=$1 port=$2 want=roundrobin
	shift 2
	[ "$rule" != - ] || want=minrtt
	chat --port "$port" "$@"
	wait_for 20 has_key "$NET_CLIENT" "$port" scheduler "$want"
	wait_for 10 has_key "$NET_CLIENT" "$port" rule "$rule"
	no_chat
	wait_for 20 no_connection "$port"
}

no_connection() {
	pmctl -j conn list --netns "$NET_CLIENT" | python3 -c '
import json, sys
sys.exit(any(int(sys.argv[1]) == c["dport"] for c in json.load(sys.stdin)))' "$1"
}

mount_cgroups() {
	mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup
	grep -q 'cgroup2 /sys/fs/cgroup ' <(awk '{ print $3, $2, "" }' /proc/mounts) ||
		die 'no cgroup v2 on /sys/fs/cgroup'
}

as_in_cgroup() {
	printf '%s\n' '#!/bin/sh' "echo \$\$ >$CGROUP/inner/cgroup.procs" 'exec "$@"' >"$1"
	chmod 755 "$1"
}

rules_decide() {
	local dir
	dir=$(mktemp -d)
	chmod 755 "$dir"
	mount_cgroups
	rules_policy "$dir/policy.yaml"
	as_in_cgroup "$dir/as"
	cp "$TRAFFIC" "$dir/traffic" # where any user can run it
	TRAFFIC=$dir/traffic
	net_server "$TRAFFIC" server --port "$OTHER_PORT" >/dev/null 2>&1 </dev/null &
	wait_for 20 net_listens "$OTHER_PORT"
	pmctl apply "$dir/policy.yaml" --netns "$NET_CLIENT" --module "$MODULE" | tee "$dir/out"
	grep -q 'notice: rule 2: there is no cgroup' "$dir/out" || die 'nothing said of the cgroup'
	! grep -q '+ rule 2' "$dir/out" || die 'a rule for a cgroup that is not there'
	mkdir -p "$CGROUP/inner"
	pmctl apply "$dir/policy.yaml" --netns "$NET_CLIENT" --dry-run | tee "$dir/out"
	grep -q '+ rule 2: scheduler roundrobin for cgroup /pmctl-test$' "$dir/out"
	pmctl apply "$dir/policy.yaml" --netns "$NET_CLIENT"
	pmctl apply "$dir/policy.yaml" --netns "$NET_CLIENT" | grep 'nothing to change'
	[ "$(pmctl status --netns "$NET_CLIENT" | grep -c '^rule [1-5]: ')" -eq 6 ] || die 'rules in status'
	pmctl -j status --netns "$NET_SERVER" | grep '"rules":\[\]'
	decided_by - "$PORT"
	decided_by 1 "$OTHER_PORT"
	AS_OUTSIDE=$dir/as decided_by 2 "$PORT"
	AS='setpriv --reuid 1234 --clear-groups' decided_by 3 "$PORT"
	decided_by 4 "$PORT" --host fd00:1:9::1
	pmctl unload --netns "$NET_CLIENT" | tee "$dir/out"
	[ "$(grep -c '^- rule' "$dir/out")" -eq 6 ] || die 'not all rules went'
	[ -z "$(ls -A "$SELECT" 2>/dev/null)" ] || die 'the selector stayed'
	rmdir "$CGROUP/inner" "$CGROUP"
	rm -r "$dir"
}

# A namespace that goes without unload: what was its in the selector goes with the next change.
rules_of_a_dead_namespace() {
	local policy
	policy=$(mktemp)
	mount_cgroups
	rules_policy "$policy"
	ip netns add "$DEAD"
	pmctl apply "$policy" --netns "$DEAD" --module "$MODULE"
	ip netns del "$DEAD"
	[ -n "$(ls -A "$SELECT" 2>/dev/null)" ] || die 'there was no selector'
	pmctl apply "$policy" --netns "$NET_CLIENT"
	pmctl unload --netns "$NET_CLIENT"
	[ -z "$(ls -A "$SELECT" 2>/dev/null)" ] || die 'the selector stayed'
	nothing_loaded
	rm "$policy"
}

# What the server sends is the server's to schedule: by its rule, not by its listener's scheduler.
server_rule() {
	local dir server
	dir=$(mktemp -d)
	cat >"$dir/policy.yaml" <<-EOF
		version: 1
		name: server-rules
		scheduler: minrtt
		connections:
		  - { match: { role: client }, scheduler: default }
		  - { match: { role: server, local-port: 5000-5010 }, scheduler: roundrobin }
		  - mode: aggregate
	EOF
	pmctl apply "$dir/policy.yaml" --netns "$NET_SERVER" --module "$MODULE"
	ip netns exec "$NET_SERVER" "$TRAFFIC" server --port 5003 >/dev/null 2>&1 </dev/null &
	server=$!
	wait_for 20 net_listens 5003
	chat --port 5003
	wait_for 20 has_key "$NET_SERVER" 5003 scheduler roundrobin
	has_key "$NET_SERVER" 5003 rule 2 || die 'not by the second rule'
	has_key "$NET_SERVER" 5003 role server || die 'not a server'
	wait_for 10 decides roundrobin
	has_key "$NET_CLIENT" 5003 scheduler default || die 'the other namespace got a rule'
	no_chat
	kill "$server"
	pmctl unload --netns "$NET_SERVER"
	[ -z "$(ls -A "$SELECT" 2>/dev/null)" ] || die 'the selector stayed'
	rm -r "$dir"
}

# Two connections, one traced; and no instance of tracefs is left, by whatever end.
trace_one() {
	local token other out rc=0 pid
	out=$(mktemp)
	load minrtt
	use_scheduler minrtt
	chat --warm 1 --subflows 1
	other=$CHAT
	chat --host fd00:1:9::1
	wait_for 20 two_connections
	token=$(pmctl -j conn list --netns "$NET_CLIENT" | python3 -c '
import json, sys
print([c["token"] for c in json.load(sys.stdin) if c["daddr"] == "10.1.9.1"][0])')
	pmctl -j sched trace --token "$token" --seconds 4 >"$out"
	head -n 2 "$out"
	python3 - "$token" "$out" <<-'EOF'
		import json, sys
		token, decisions = sys.argv[1], [json.loads(line) for line in open(sys.argv[2])]
		assert len(decisions) > 10, len(decisions)
		assert {d["token"] for d in decisions} == {token}
		assert {d["scheduler"] for d in decisions} == {"minrtt"}
		assert max(len(d["paths"]) for d in decisions) == 2
		assert any(d["chosen"] in [p["id"] for p in d["paths"]] for d in decisions)
		assert all(p["srtt_us"] > 0 and p["cwnd"] > 0 for d in decisions for p in d["paths"])
		assert any("room" in p["flags"] for d in decisions for p in d["paths"])
		# The clocks of emulated CPUs are not quite one.
		times = [d["time_us"] for d in decisions]
		assert all(b > a - 20000 for a, b in zip(times, times[1:])), times
	EOF
	pmctl sched trace --netns "$NET_CLIENT" --seconds 2 >"$out"
	head -n 4 "$out"
	[ "$(awk '/^[0-9]/ { print $2 }' "$out" | sort -u | wc -l)" -eq 2 ] || die 'not both connections'
	grep -q '^    \*[0-9]*  srtt [0-9]* us' "$out" || die 'no path was chosen'
	pmctl sched trace --netns "$NET_SERVER" --seconds 1 >"$out"
	[ ! -s "$out" ] || die 'decisions of another namespace'
	"$PMCTL" sched trace >"$out" &
	pid=$!
	wait_for 10 test -s "$out"
	kill -INT "$pid"
	wait "$pid" || rc=$?
	[ "$rc" -eq 0 ] || die "exit $rc after SIGINT"
	"$PMCTL" sched trace >"$out" &
	pid=$!
	wait_for 10 test -s "$out"
	kill -KILL "$pid"
	wait "$pid" || :
	pmctl sched trace --seconds 1 >/dev/null
	[ -z "$(find /sys/kernel/tracing/instances -maxdepth 1 -name 'mptcp-pmctl-*')" ] ||
		die 'an instance is left'
	kill "$other"
	no_chat
	rm "$out"
	unload minrtt
}

two_connections() {
	pmctl -j conn list --netns "$NET_CLIENT" | python3 -c '
import json, sys
assert [c["nr_subflows"] for c in json.load(sys.stdin)] == [2, 2]'
}

# The commands of the guide, as they are written, in a copy of the checkout.
guide() {
	local dir bin
	dir=$(mktemp -d)
	bin=$dir/bin
	mkdir "$bin" "$dir/build"
	load minrtt
	pmctl sched unload minrtt
	printf '%s\n' '#!/bin/sh' "exec $PWD/$O/mptcp-pmctl --color=never \"\$@\"" >"$bin/mptcp-pmctl"
	# shellcheck disable=SC2016
	printf '%s\n' '#!/bin/sh' 'exec "$@"' >"$bin/sudo"
	chmod 755 "$bin"/*
	cp -a Makefile configure scripts bpf "$dir/"
	cp -a "$O/config.mk" "$O/bpf" "$O/tools" "$dir/build/"
	awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' docs/writing-a-scheduler.md >"$dir/commands"
	[ "$(wc -l <"$dir/commands")" -gt 20 ] || die 'the guide has no commands'
	# Tools are not built again: their sources are not here.
	(cd "$dir" && env -u O -u MPTCP_PM_BPF_DIR PATH="$bin:$PATH" bash -eu commands) 2>&1 | tee "$dir/out"
	grep -q 'loss_us = 5000' "$dir/out" || die 'it was not edited'
	grep -qE '^[0-9a-f]{8} +(client|server).* mine ' "$dir/out" || die 'no connection with it'
	grep -qE 'FASTEST +[1-9]' "$dir/out" || die 'nothing counted by reason'
	grep -qE '^[0-9.]+ [0-9a-f]{8} mine get_send fastest -> ' "$dir/decisions.txt"
	rm -r "$dir"
	nothing_loaded
}

clean_up_rules() {
	pmctl unload --force --netns "$NET_CLIENT" || :
	pmctl unload --force --netns "$NET_SERVER" || :
	rm -f "$SELECT"/*
	[ ! -d "$CGROUP" ] || rmdir "$CGROUP/inner" "$CGROUP" || :
}

conn_t() {
	want "$2" || return 0
	t "$@"
	clean_up_rules >/dev/null 2>&1
}

# Far more subflows than a scheduler is shown: it chooses among those that it sees.
many_subflows() {
	local token listener n client
	load pmctl
	use_scheduler pmctl
	net_client sysctl -qw net.mptcp.pm_type=1
	net_server sysctl -qw net.mptcp.pm_type=1
	# Joins are taken only while somebody listens.
	ip netns exec "$NET_SERVER" "$PMCTL" monitor >/dev/null &
	listener=$!
	for ((n = 10; n < 72; n++)); do printf 'addr add 10.1.1.%s/24 dev wlan0\n' "$n"; done |
		ip -n "$NET_CLIENT" -batch -
	ip netns exec "$NET_CLIENT" "$TRAFFIC" client echo --host 10.1.9.1 --port "$PORT" \
		--warm 1 --subflows 63 --bytes 20000 --count 200 --interval-ms 20 --timeout 300 \
		>/dev/null &
	client=$!
	wait_for 20 has_key "$NET_CLIENT" "$PORT" nr_subflows 1
	token=$(conn_key "$NET_CLIENT" "$PORT" token)
	for ((n = 10; n < 72; n++)); do
		pmctl -q conn subflow add "$token" --local "10.1.1.$n" --dev wlan0 --netns "$NET_CLIENT"
	done
	pmctl -q conn subflow add "$token" --dev wwan0 --netns "$NET_CLIENT"
	conn_holds "$token" 'len(s) == 64 and all(x["state"] == "ESTAB" for x in s)' | tail -c 300
	wait "$client" || die 'an exchange did not come back whole'
	kill "$listener"
	cat /proc/mptcp_bpf
	[ "$(counter pmctl scheduled)" -gt 200 ] || die "only $(counter pmctl scheduled) decisions"
	[ "$(counter pmctl stalls)" -eq 0 ] || die "$(counter pmctl stalls) stalls"
	for ((n = 10; n < 72; n++)); do printf 'addr del 10.1.1.%s/24 dev wlan0\n' "$n"; done |
		ip -n "$NET_CLIENT" -batch -
	net_client sysctl -qw net.mptcp.pm_type=0
	net_server sysctl -qw net.mptcp.pm_type=0
	unload pmctl
}

conn_tests() {
	conn_t 'a live connection is shown and gets another scheduler' live_connection
	conn_t 'rules decide by port, cgroup, uid and prefix' rules_decide
	conn_t 'rules of a namespace that is gone' rules_of_a_dead_namespace
	conn_t 'an accepted connection follows its rule' server_rule
	conn_t 'a connection of 64 subflows' many_subflows
	conn_t 'decisions are traced for one connection' trace_one
	conn_t 'the guide to a scheduler of your own' guide
}
