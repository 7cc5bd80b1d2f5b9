# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Rules with mptcpify. Sourced by run, whose world() and helpers it uses.

# An unmodified TCP client, in a cgroup: CGROUP COMMAND...
in_cgroup() {
	local group=$1
	shift
	# shellcheck disable=SC2016 # for that shell
	bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$group" ip netns exec "$C" "$@"
}
python_client() { printf '%s\n' 'import socket' 's = socket.create_connection(("10.77.1.2", 7777))' 's.sendall(b"get 10 1\n")' 'assert len(s.recv(10)) == 10'; }
bash_client() { printf '%s\n' 'exec 3<>/dev/tcp/10.77.1.2/7777' 'echo get 10 1 >&3' 'head -c 10 <&3 >/dev/null'; }
# asks_for NUMBER COMMAND...: so many more SYNs ask for MPTCP
asks_for() {
	local want=$1 before
	shift
	before=$(counter MPTcpExtMPCapableSYNTX)
	"$@"
	is "$(($(counter MPTcpExtMPCapableSYNTX) - before))" "$want" "SYNs with MP_CAPABLE of $*"
}
program_policy() {
	cat >"$TMP/policy.yaml" <<-END
		version: 1
		name: programs
		connections:
		$(printf '  - %s\n' "$@")
		  - mode: aggregate
	END
}

# A kernel that cannot: it is said, nothing is changed, and it is left out where that is allowed.
mptcpify_refused() {
	local before
	before=$(snapshot)
	exits 3 apply "$TMP/policy.yaml"
	is "$(snapshot)" "$before" 'refused'
	exits 3 apply "$TMP/policy.yaml" --dry-run
	sed -i 's/^name:.*/&\nfallback: allow/' "$TMP/policy.yaml"
	exits 0 apply "$TMP/policy.yaml"
	grep -q '^left out: mptcpify: ' "$TMP/out" || die 'it is not said to be left out'
	is "$(endpoints | wc -l)" "$(endpoints | grep -c subflow)" 'the rest of the policy'
}

mptcpify() {
	local root group rc=0
	world
	root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$root" ] || skip 'cgroup v2 is not mounted'
	group=$root/$C
	program_policy "{ match: { cgroup: /$C }, mptcpify: on }"
	# shellcheck disable=SC2064 # the group of now
	trap "rmdir $group 2>/dev/null || :" EXIT
	mkdir "$group"
	apply "$TMP/policy.yaml" >"$TMP/out" 2>&1 || rc=$?
	cat "$TMP/out"
	if [ "$rc" -eq 3 ]; then
		mptcpify_refused
	else
		is "$rc" 0 'exit status of apply'
		mptcpify_applied "$group"
	fi
}

mptcpify_applied() {
	local group=$1
	ip netns exec "$S" "$TRAFFIC" server --port 7777 &
	wait_for 15 listening
	asks_for 1 in_cgroup "$group" python3 -c "$(python_client)"
	asks_for 0 ip netns exec "$C" python3 -c "$(python_client)"
	program_policy "{ match: { cgroup: /$C, executable: bash }, mptcpify: off }" \
		'{ match: { executable: bash }, mptcpify: on }'
	apply "$TMP/policy.yaml"
	asks_for 1 ip netns exec "$C" bash -c "$(bash_client)"
	asks_for 0 in_cgroup "$group" bash -c "$(bash_client)"
	asks_for 0 ip netns exec "$C" python3 -c "$(python_client)"
	program_policy '{ match: { uid: 65534 }, mptcpify: on }'
	apply "$TMP/policy.yaml"
	asks_for 1 ip netns exec "$C" setpriv --reuid 65534 bash -c "$(bash_client)"
	asks_for 0 ip netns exec "$C" python3 -c "$(python_client)"
	apply "$TMP/policy.yaml" | grep -q 'nothing to change' || die 'the same is a change'
	pmctl unload --netns "$C" | grep -q 'mptcpify on for uid 65534' || die 'unload does not say it'
	asks_for 0 ip netns exec "$C" setpriv --reuid 65534 bash -c "$(bash_client)"
}
