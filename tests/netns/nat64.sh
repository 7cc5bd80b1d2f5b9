# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A client with IPv6 alone, a network with a NAT64 (tayga, in the namespace $D), and a server that
# announces an IPv4 address. Sourced by run after daemon.sh.
# Functions are called by name, through run_test:
# shellcheck disable=SC2317

NAT64=2001:db8:64:0
OTHER64=2001:db8:65:0
ROUTER=fd77:64::fe

# nat64_link NAME IN NAME IN: no waiting for addresses to be found unique
nat64_link() {
	ip -n "$2" link add "$1" type veth peer name "$3" netns "$4"
	ip netns exec "$2" sysctl -qw "net.ipv6.conf.$1.accept_dad=0" "net.ipv6.conf.$1.accept_ra=0"
	ip netns exec "$4" sysctl -qw "net.ipv6.conf.$3.accept_dad=0" "net.ipv6.conf.$3.accept_ra=0"
	ip -n "$2" link set "$1" up
	ip -n "$4" link set "$3" up
}

# nat64_tayga NUMBER PREFIX: one translator, from PREFIX::/96 to 192.168.24N.0/24
nat64_tayga() {
	mkdir -p "$TMP/tayga$1"
	printf '%s\n' "tun-device nat64-$1" "ipv4-addr 192.168.24$1.1" "prefix $2::/96" \
		"dynamic-pool 192.168.24$1.0/24" "data-dir $TMP/tayga$1" >"$TMP/tayga$1.conf"
	ip netns exec "$D" tayga -c "$TMP/tayga$1.conf" --mktun >"$TMP/tayga$1.log"
	ip -n "$D" link set "nat64-$1" up
	ip -n "$D" route add "$2::/96" dev "nat64-$1"
	ip -n "$D" route add "192.168.24$1.0/24" dev "nat64-$1"
	ip -n "$S" route add "192.168.24$1.0/24" via 10.77.3.254
	ip netns exec "$D" tayga -c "$TMP/tayga$1.conf" -d >>"$TMP/tayga$1.log" 2>&1 &
}

# The server has IPv6 on the path of wlan0, and 10.77.3.2, which it announces. What comes to that
# is counted by translator.
nat64_world() {
	command -v tayga >/dev/null || skip 'tayga is not installed'
	[ -c /dev/net/tun ] || skip 'no TUN devices here'
	drop_namespaces
	rm -rf "$TMP/state" "$TMP/daemon" "$TMP/rounds"
	ip netns add "$C"
	ip netns add "$S"
	ip netns add "$D"
	nat64_link wlan0 "$C" s1 "$S"
	nat64_link wwan0 "$C" d0 "$D"
	nat64_link d1 "$D" s3 "$S"
	ip -n "$C" addr add fd77:1::1/64 dev wlan0
	ip -n "$S" addr add fd77:1::2/64 dev s1
	ip -n "$C" addr add fd77:64::1/64 dev wwan0
	ip -n "$D" addr add "$ROUTER/64" dev d0
	ip -n "$C" route add default via "$ROUTER" dev wwan0
	ip -n "$D" addr add 10.77.3.254/24 dev d1
	ip -n "$S" addr add 10.77.3.2/24 dev s3
	ip netns exec "$D" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "$D" route add unreachable fd77:1::/64
	nat64_tayga 1 "$NAT64"
	nat64_tayga 2 "$OTHER64"
	wait_for 5 nat64_settled
	ip -n "$S" mptcp limits set subflow 8 add_addr_accepted 8
	ip -n "$S" mptcp endpoint add 10.77.3.2 signal
	ip netns exec "$S" nft -f - <<-'END'
		table ip t {
			counter one { }
			counter two { }
			chain in {
				type filter hook input priority 0
				ip saddr 192.168.241.0/24 tcp dport 7777 counter name one
				ip saddr 192.168.242.0/24 tcp dport 7777 counter name two
			}
		}
	END
	serve
}
nat64_settled() {
	local ns
	for ns in "$C" "$D" "$S"; do
		[ "$(ip -n "$ns" -6 -br addr show scope link | wc -l)" -ge 2 ] || return 1
		[ -z "$(ip -n "$ns" -6 -br addr show tentative)" ] || return 1
	done
}
nat64_came() { # COUNTER BYTES: at least so many since NAT64_BEFORE
	[ "$(($(nat64_counted "$1") - NAT64_BEFORE))" -ge "$2" ]
}
nat64_counted() { ip netns exec "$S" nft list counter ip t "$1" | sed -n 's/.* bytes \([0-9]*\).*/\1/p'; }
# nat64_carries COUNTER: all of the exchange, once there is nothing else
nat64_carries() {
	NAT64_BEFORE=$(nat64_counted "$1")
	ip -n "$C" link set wlan0 down
	wait_for 15 nat64_came "$1" 1000000 || die 'no bytes through the NAT64'
	ip -n "$C" link set wlan0 up
	ip -n "$C" addr replace fd77:1::1/64 dev wlan0
	wait_for 15 paths_used 'len(s) == 2' || die 'wlan0 is not used again'
}

# The router advertises; the one before it is gone.
nat64_router() { # PREFIX/96 or "-", LIFETIME, RESOLVER or "-"
	[ -z "${RA:-}" ] || kill "$RA"
	ip netns exec "$D" python3 tests/netns/nat64-router.py ra d0 "$@" &
	RA=$!
}
nat64_policy() { # SECTION
	daemon_policy aggregate "nat64: $1"
	start_daemon
}
nat64_talk() {
	ip netns exec "$C" "$TRAFFIC" client echo --host fd77:1::2 --port 7777 --bytes 20000 \
		--interval-ms 20 --timeout 60 --json --out "$TMP/rounds" --count 100000 >"$TMP/talk" &
	TALK=$!
	wait_for 15 rounds 5
}
# nat64_goes_to PREFIX...: the subflows from wwan0, up, lead there and nowhere else
nat64_goes_to() {
	pmctl conn show "$(sole_token)" --netns "$C" -j | python3 -c '
import ipaddress, json, sys
want = [ipaddress.ip_address(p + "::a4d:302") for p in sys.argv[1:]]
all = [f for f in json.load(sys.stdin)["subflows"] if f["saddr"].startswith("[fd77:64::1]") or f["saddr"] == "fd77:64::1"]
to = [ipaddress.ip_address(f["daddr"].strip("[]")) for f in all if f.get("state") == "ESTAB"]
sys.exit(to != want or len(all) != len(to))' "$@"
}
nat64_prefix_is() { # TEXT; empty: none
	told '[p.get("nat64", "") for p in o if p["interface"] == "wwan0"] == ["'"$1"'"]' path list
}
nat64_end() {
	kill "$TALK"
	end_world
}

nat64_join_failed() { [ "$(counter MPTcpExtMPJoinSynTxConnectErr)" -ge 1 ]; }
nat64_stock() {
	nat64_world
	ip -n "$C" mptcp limits set subflow 4 add_addr_accepted 4
	ip -n "$C" mptcp endpoint add fd77:64::1 dev wwan0 subflow
	nat64_talk
	wait_for 15 nat64_join_failed
	is "$(counter MPTcpExtAddAddr)" 1 'addresses announced'
	is "$(nat64_counted one)" 0 'bytes to the announced address'
	kill "$TALK"
	drop_namespaces
}

nat64_by_router() {
	nat64_world
	nat64_router "$NAT64::/96" 1800 -
	nat64_policy '{ discover: [ra] }'
	nat64_talk
	wait_for 15 nat64_goes_to "$NAT64" || die 'no subflow through the NAT64'
	grep -q "wwan0: NAT64 2001:db8:64::/96, from a router advertisement" "$TMP/daemon" || die 'not told'
	wait_for 5 nat64_prefix_is 2001:db8:64::/96
	nat64_carries one
	# Another prefix: the new subflow, and not the old one.
	nat64_router "$OTHER64::/96" 1800 -
	wait_for 15 nat64_goes_to "$OTHER64" || die 'the subflow did not follow the prefix'
	nat64_carries two
	# No prefix.
	nat64_router "$OTHER64::/96" 0 -
	wait_for 15 nat64_goes_to || die 'the subflow outlived the NAT64'
	wait_for 5 nat64_prefix_is ''
	rounds 8 || die 'the exchange did not go on'
	# One that does not last.
	nat64_router "$NAT64::/96" 8 -
	wait_for 15 nat64_goes_to "$NAT64" || die 'no subflow with a prefix that comes back'
	wait_for 15 nat64_goes_to || die 'the subflow outlived the lifetime of the prefix'
	nat64_end
}

nat64_resolves() { ip netns exec "$D" ss -6Hlun | grep -q :53; }
nat64_by_dns() {
	nat64_world
	echo "$NAT64::/96" >"$TMP/prefix"
	ip netns exec "$D" python3 tests/netns/nat64-router.py dns "$ROUTER" "$TMP/prefix" 1 &
	wait_for 15 nat64_resolves
	nat64_router - 0 "$ROUTER"
	nat64_policy '{ discover: [ra, dns] }'
	nat64_talk
	wait_for 15 nat64_goes_to "$NAT64" || die 'no subflow through the NAT64'
	grep -q "wwan0: NAT64 2001:db8:64::/96, from ipv4only.arpa" "$TMP/daemon" || die 'not told'
	# It is asked again while the answer lasts.
	echo "$OTHER64::/96" >"$TMP/prefix"
	wait_for 15 nat64_goes_to "$OTHER64" || die 'the subflow did not follow the prefix'
	# The policy says so: at once, and without asking.
	sed -i "s,^nat64:.*,nat64: { prefix: '2001:db8:64::/96' }," "$TMP/policy.yaml"
	pmctl reload --netns "$C"
	wait_for 5 nat64_goes_to "$NAT64" || die 'the policy is not followed'
	# The same again changes nothing; none ends it.
	sed -i 's/^name: .*/name: renamed/' "$TMP/policy.yaml"
	pmctl reload --netns "$C"
	is "$(daemon_number policy)" renamed policy
	nat64_goes_to "$NAT64" || die 'a reload disturbed the subflow'
	is "$(grep -c 'wwan0: NAT64.*from the policy' "$TMP/daemon")" 1 'times that the prefix was told'
	sed -i '/^nat64:/d' "$TMP/policy.yaml"
	pmctl reload --netns "$C"
	wait_for 5 nat64_goes_to || die 'the subflow outlived the policy'
	nat64_end
}

run_test 'nat64: the stock kernel' nat64_stock
run_test 'nat64: from router advertisements' nat64_by_router
run_test 'nat64: from ipv4only.arpa, and the policy' nat64_by_dns
