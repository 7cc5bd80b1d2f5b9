# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Shared by every shell suite: results, waiting, cleaning up. A suite sources this file, sets
# SUITE, calls run_test for each of its functions and ends with finish.
#
#   run_test NAME FUNCTION [ARGS]   runs in a subshell under `set -eu`; non-zero is a failure,
#                                   exit 77 is a skip (a failure when EXPECT_ALL_FEATURES=1);
#                                   ONLY=REGEX in the environment: those whose name matches
#   wait_for SECONDS COMMAND...     until the command succeeds; says what it waited for if not
#   die TEXT                        fails the current test
#   skip TEXT                       skips the current test

# Debian's python3 and tools: the shim of a version manager takes ten times as long to start, which a
# test that measures time would measure too.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH

PASSED=0
FAILED=0
SKIPPED=0

die() {
	printf 'FAIL: %s\n' "$*" >&2
	exit 1
}

skip() {
	printf 'SKIP: %s\n' "$*" >&2
	exit 77
}

wait_for() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			printf 'timed out waiting for: %s\n' "$*" >&2
			return 1
		fi
		sleep 0.05
	done
}

# Overridden by a suite that can say more about its world.
on_failure() { :; }

run_test() {
	local name=$1 log rc=0 t0=$SECONDS
	shift
	[[ $name =~ ${ONLY:-} ]] || return 0
	log=$(mktemp)
	(
		set -eu
		"$@"
	) >"$log" 2>&1 </dev/null &
	wait $! || rc=$?
	case $rc in
	0)
		PASSED=$((PASSED + 1))
		printf 'ok   %s: %s (%s s)\n' "$SUITE" "$name" "$((SECONDS - t0))"
		;;
	77)
		if [ "${EXPECT_ALL_FEATURES:-0}" = 1 ]; then
			FAILED=$((FAILED + 1))
			printf 'FAIL %s: %s: skipped, but EXPECT_ALL_FEATURES=1\n' "$SUITE" "$name"
		else
			SKIPPED=$((SKIPPED + 1))
			printf 'skip %s: %s\n' "$SUITE" "$name"
		fi
		sed 's/^/     | /' "$log"
		;;
	*)
		FAILED=$((FAILED + 1))
		printf 'FAIL %s: %s (exit %s)\n' "$SUITE" "$name" "$rc"
		tail -n 60 "$log" | sed 's/^/     | /'
		on_failure 2>&1 | tail -n 120 | sed 's/^/     > /'
		;;
	esac
	rm -f "$log"
}

# Prints the closing line and exits.
finish() {
	local skipped=
	[ "$SKIPPED" -eq 0 ] || skipped=", $SKIPPED skipped"
	printf '%s: %s passed, %s failed%s\n' "$SUITE" "$PASSED" "$FAILED" "$skipped"
	[ "$FAILED" -eq 0 ]
	exit $?
}
