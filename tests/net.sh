# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A two-path test network in namespaces of its own, to be sourced.
#
#   client                     router                      server
#   wlan0 10.1.1.1 ---- wifi   10.1.1.254
#                              10.1.9.254  uplink ---- eth0 10.1.9.1
#   wwan0 10.1.2.1 ---- lte    10.1.2.254
#
# and the same in fd00:1:N::/64. The client prefers wlan0; what is sent from an address leaves by
# the link of that address or not at all. Paths are named wifi and lte.
#
#   net_new                          make it; sets NET_CLIENT, NET_ROUTER, NET_SERVER
#   net_shape PATH MBIT RTT_MS QUEUE [LOSS]
#                                    queue in packets beyond those in flight, loss in percent of
#                                    what the server sends, half the RTT each way;
#                                    netem if the kernel has it, else tbf: the rate alone
#   net_fresh [SEED]                 empties the queues to the client, restarts the loss
#   net_unshape PATH
#   net_link_down PATH, net_link_up PATH      the client's interface goes or comes back
#   net_blackhole PATH, net_heal PATH         packets vanish in the router, links stay up
#   net_endpoints [FLAGS]            client endpoints by iproute2 (no policy): subflow on lte
#   net_bytes PATH                   bytes received on the path's client interface
#   net_client COMMAND..., net_server COMMAND..., net_router COMMAND...
#   net_cleanup                      end what runs inside, delete the namespaces

# shellcheck disable=SC2034 # for the suites
NET_CLIENT_WIFI=10.1.1.1 NET_CLIENT_LTE=10.1.2.1 NET_SERVER_IP=10.1.9.1
# shellcheck disable=SC2034
NET_CLIENT_WIFI6=fd00:1:1::1 NET_CLIENT_LTE6=fd00:1:2::1 NET_SERVER_IP6=fd00:1:9::1
NET_CLIENT=''
NET_ROUTER=''
NET_SERVER=''

net_client() { ip netns exec "$NET_CLIENT" "$@"; }
net_router() { ip netns exec "$NET_ROUTER" "$@"; }
net_server() { ip netns exec "$NET_SERVER" "$@"; }

net_device() {
	case $1 in
	wifi) echo wlan0 ;;
	lte) echo wwan0 ;;
	*)
		printf 'net.sh: no path is called %s, only wifi and lte\n' "$1" >&2
		return 2
		;;
	esac
}

net_number() {
	case $1 in
	wifi) echo 1 ;;
	*) echo 2 ;;
	esac
}

net_has_netem() {
	if [ -z "${NET_NETEM:-}" ]; then
		modprobe -q sch_netem 2>/dev/null || :
		NET_NETEM=no
		if net_router tc qdisc add dev lo root netem delay 1ms 2>/dev/null; then
			net_router tc qdisc del dev lo root
			NET_NETEM=yes
		fi
	fi
	[ "$NET_NETEM" = yes ]
}

net_sysctls() {
	local ns=$1
	ip netns exec "$ns" sysctl -qw net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.all.accept_dad=0 \
		net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.keep_addr_on_down=1 \
		net.ipv6.conf.default.keep_addr_on_down=1 net.mptcp.enabled=1
}

# Under emulation a process costs a third of a second, so addresses and routes go in by batches.
net_batch() {
	local ns=$1
	shift
	ip -n "$ns" "$@" -batch -
}

# The routes of one path, for `ip` and for `ip -6`; the kernel forgets them when the link goes down.
net_route_lines() {
	local n=$1 dev=$2 gateway=$3
	cat <<-EOF
		route replace default via $gateway dev $dev metric ${n}00
		route replace default via $gateway dev $dev table 10$n metric 100
	EOF
}

net_routes() {
	local n dev
	n=$(net_number "$1")
	dev=$(net_device "$1")
	net_route_lines "$n" "$dev" "10.1.$n.254" | net_batch "$NET_CLIENT"
	net_route_lines "$n" "$dev" "fd00:1:$n::fe" | net_batch "$NET_CLIENT" -6
}

net_path() {
	local path=$1 n dev
	n=$(net_number "$path")
	dev=$(net_device "$path")
	net_batch "$NET_CLIENT" <<-EOF
		link add $dev type veth peer name $path netns $NET_ROUTER
		addr add 10.1.$n.1/24 dev $dev
		addr add fd00:1:$n::1/64 dev $dev nodad
		link set $dev up
		rule add from 10.1.$n.1 table 10$n
		route add unreachable default table 10$n metric 9999
	EOF
	net_batch "$NET_ROUTER" <<-EOF
		addr add 10.1.$n.254/24 dev $path
		addr add fd00:1:$n::fe/64 dev $path nodad
		link set $path up
	EOF
	# Without "unreachable", packets of a path that is down would leave by the other one.
	net_batch "$NET_CLIENT" -6 <<-EOF
		rule add from fd00:1:$n::1 table 10$n
		route add unreachable default table 10$n metric 9999
	EOF
	net_routes "$path"
}

# Neighbours are asked for from the link-local address, which the kernel gives a new device when it
# gets round to it; until then they are not asked for at all.
net_has_link_local() { # NAMESPACE DEVICE
	ip -n "$1" -6 -o addr show dev "$2" scope link | grep -qv tentative
}
net_is_ready() {
	net_has_link_local "$NET_SERVER" eth0 && net_has_link_local "$NET_ROUTER" uplink &&
		net_has_link_local "$NET_CLIENT" wlan0 && net_has_link_local "$NET_ROUTER" wifi &&
		net_has_link_local "$NET_CLIENT" wwan0 && net_has_link_local "$NET_ROUTER" lte
}

net_new() {
	local id ns
	id=$$-$RANDOM
	declare -gA NET_OFFLOAD=() # path → on|off, as last set
	declare -gA NET_DOWN=()    # path → its shape towards the client
	NET_CLIENT=pmc-$id NET_ROUTER=pmr-$id NET_SERVER=pms-$id
	for ns in "$NET_CLIENT" "$NET_ROUTER" "$NET_SERVER"; do
		ip netns add "$ns"
		net_sysctls "$ns"
	done
	net_router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	net_batch "$NET_SERVER" <<-EOF
		link set lo up
		link add eth0 type veth peer name uplink netns $NET_ROUTER
		addr add 10.1.9.1/24 dev eth0
		addr add fd00:1:9::1/64 dev eth0 nodad
		link set eth0 up
	EOF
	net_batch "$NET_ROUTER" <<-EOF
		link set lo up
		addr add 10.1.9.254/24 dev uplink
		addr add fd00:1:9::fe/64 dev uplink nodad
		link set uplink up
	EOF
	net_batch "$NET_SERVER" <<-EOF
		route add default via 10.1.9.254
		route add default via fd00:1:9::fe
	EOF
	ip -n "$NET_CLIENT" link set lo up
	net_path wifi
	net_path lte
	wait_for 20 net_is_ready
}

# A rate like 8.6 Mbit/s in kbit/s; the shell knows no fractions.
net_kbit() {
	local whole=${1%.*} part=000
	[ "$whole" = "$1" ] || part=${1#*.}00
	echo $((10#$whole * 1000 + 10#${part:0:3}))
}

# The queueing discipline of one direction, in tc's words.
net_qdisc() {
	local kbit rtt=$2 queue=$3 loss=$4
	kbit=$(net_kbit "$1")
	if net_has_netem; then
		# In flight and queued packets share netem's limit.
		local limit=$((queue + (kbit * rtt / 2 + 12111) / 12112))
		printf 'netem rate %skbit delay %sus limit %s' "$kbit" $((rtt * 500)) "$limit"
		[ "$loss" = 0 ] || printf ' loss %s%%' "$loss"
	else
		printf 'tbf rate %skbit burst 5kb limit %s' "$kbit" $((queue * 1514))
	fi
}

net_shape() {
	local path=$1 mbit=$2 rtt=$3 queue=$4 loss=${5:-0} dev
	dev=$(net_device "$path")
	# Segmentation offload would make queues and losses of 64 kB "packets".
	net_offload "$path" off
	NET_DOWN[$path]=$(net_qdisc "$mbit" "$rtt" "$queue" "$loss")
	# shellcheck disable=SC2046 # words
	tc -n "$NET_CLIENT" qdisc replace dev "$dev" root $(net_qdisc "$mbit" "$rtt" "$queue" 0)
	# shellcheck disable=SC2086
	tc -n "$NET_ROUTER" qdisc replace dev "$path" root ${NET_DOWN[$path]}
}

# What an earlier connection left in a long queue would slow the next one down; a replaced netem
# keeps it, so the discipline goes and comes.
net_fresh() {
	local path words
	for path in "${!NET_DOWN[@]}"; do
		words=${NET_DOWN[$path]}
		[ -z "${1:-}" ] || [[ $words != *loss* ]] || words="$words seed $1"
		printf 'qdisc del dev %s root\nqdisc add dev %s root %s\n' "$path" "$path" "$words"
	done | tc -n "$NET_ROUTER" -batch -
}

net_offload() {
	local path=$1 dev
	dev=$(net_device "$path")
	command -v ethtool >/dev/null 2>&1 || return 0
	[ "${NET_OFFLOAD[$path]:-}" != "$2" ] || return 0
	NET_OFFLOAD[$path]=$2
	net_client ethtool -K "$dev" tso "$2" gso "$2" gro "$2" >/dev/null 2>&1 || :
	net_router ethtool -K "$path" tso "$2" gso "$2" gro "$2" >/dev/null 2>&1 || :
	net_router ethtool -K uplink tso "$2" gso "$2" gro "$2" >/dev/null 2>&1 || :
	net_server ethtool -K eth0 tso "$2" gso "$2" gro "$2" >/dev/null 2>&1 || :
}

net_unshape() {
	local dev
	dev=$(net_device "$1")
	unset "NET_DOWN[$1]"
	net_offload "$1" on
	net_client tc qdisc del dev "$dev" root 2>/dev/null || :
	net_router tc qdisc del dev "$1" root 2>/dev/null || :
}

net_link_down() { ip -n "$NET_CLIENT" link set "$(net_device "$1")" down; }

net_link_up() {
	local n dev
	n=$(net_number "$1")
	dev=$(net_device "$1")
	{
		printf 'link set %s up\n' "$dev"
		net_route_lines "$n" "$dev" "10.1.$n.254"
	} | net_batch "$NET_CLIENT"
	net_route_lines "$n" "$dev" "fd00:1:$n::fe" | net_batch "$NET_CLIENT" -6
}

# Routes of higher preference than the real ones: packets to and from the path vanish silently.
# net_blackhole_lines add|del PATH, for `ip -batch` in the router; net_blackhole6_lines for `ip -6`.
net_blackhole_lines() {
	printf 'rule %s pref 10 iif %s blackhole\n' "$1" "$2"
	printf 'rule %s pref 11 to 10.1.%s.0/24 blackhole\n' "$1" "$(net_number "$2")"
}

net_blackhole6_lines() {
	printf 'rule %s pref 10 iif %s blackhole\n' "$1" "$2"
	printf 'rule %s pref 11 to fd00:1:%s::/64 blackhole\n' "$1" "$(net_number "$2")"
}

net_blackhole() {
	net_blackhole_lines add "$1" | net_batch "$NET_ROUTER"
	net_blackhole6_lines add "$1" | net_batch "$NET_ROUTER" -6
}

net_heal() {
	net_blackhole_lines del "$1" | net_batch "$NET_ROUTER"
	net_blackhole6_lines del "$1" | net_batch "$NET_ROUTER" -6
}

net_endpoints() {
	ip -n "$NET_CLIENT" mptcp limits set subflows 4 add_addr_accepted 4
	ip -n "$NET_SERVER" mptcp limits set subflows 4 add_addr_accepted 4
	# shellcheck disable=SC2086 # flags are words
	ip -n "$NET_CLIENT" mptcp endpoint add "$NET_CLIENT_LTE" dev wwan0 subflow ${1:-}
	# shellcheck disable=SC2086
	ip -n "$NET_CLIENT" mptcp endpoint add "$NET_CLIENT_LTE6" dev wwan0 subflow ${1:-}
}

# The file is read in the namespace of the process that mounted /sys, so a fresh one is needed;
# `ip netns exec` mounts it.
net_bytes() {
	net_client cat "/sys/class/net/$(net_device "$1")/statistics/rx_bytes"
}

# Is something listening on this TCP port of the server?
net_listens() {
	[ -n "$(ip netns exec "$NET_SERVER" ss -Hltn "sport = :$1")" ]
}

net_cleanup() {
	local ns pids
	for ns in "$NET_CLIENT" "$NET_ROUTER" "$NET_SERVER"; do
		if [ -z "$ns" ] || [ ! -e "/run/netns/$ns" ]; then
			continue
		fi
		pids=$(ip netns pids "$ns")
		# shellcheck disable=SC2086 # a list
		[ -z "$pids" ] || kill $pids 2>/dev/null || :
		ip netns del "$ns"
	done
	NET_CLIENT='' NET_ROUTER='' NET_SERVER=''
}
