#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# The router and resolver of a network with a NAT64, on one interface. A router solicitation gets an
# advertisement with the prefix (RFC 8781) and the resolver's address; the resolver knows
# ipv4only.arpa alone (RFC 7050), and answers with the prefix of the /96 in FILE.
#
#   nat64-router.py ra INTERFACE PREFIX LIFETIME_S RESOLVER   PREFIX and RESOLVER may be "-"
#   nat64-router.py dns ADDRESS FILE TTL_S
import ipaddress
import socket
import struct
import sys

RA, RS = 134, 133
PLC = {96: 0, 64: 1, 56: 2, 48: 3, 40: 4, 32: 5}
ALL_NODES = "ff02::1"


def advertisement(prefix, lifetime_s, resolver):
    out = struct.pack("!BBHBBHII", RA, 0, 0, 64, 0, 1800, 0, 0)
    if prefix != "-":
        net = ipaddress.IPv6Network(prefix)
        scaled = lifetime_s // 8 << 3 | PLC[net.prefixlen]
        out += struct.pack("!BBH", 38, 2, scaled) + net.network_address.packed[:12]
    if resolver != "-":
        out += struct.pack("!BBHI", 25, 3, 0, 600) + ipaddress.IPv6Address(resolver).packed
    return out


def advertise(interface, prefix, lifetime_s, resolver):
    s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    index = socket.if_nametoindex(interface)
    group = socket.inet_pton(socket.AF_INET6, "ff02::2") + struct.pack("@I", index)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    message = advertisement(prefix, int(lifetime_s), resolver)
    while True:
        s.sendto(message, (ALL_NODES, 0, 0, index))
        while s.recv(1500)[0] != RS:
            pass


def name_end(data, at):
    while data[at]:
        at += 1 + data[at]
    return at + 1


def resolve(address, file, ttl_s):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind((address, 53))
    while True:
        query, peer = s.recvfrom(1500)
        end = name_end(query, 12) + 4
        question = query[12:end]
        known = question == b"\x08ipv4only\x04arpa\x00\x00\x1c\x00\x01"
        answers = b""
        for v4 in ("192.0.0.170", "192.0.0.171"):
            net = ipaddress.IPv6Network(open(file).read().strip())
            data = net.network_address.packed[:12] + ipaddress.IPv4Address(v4).packed
            answers += struct.pack("!HHHIH", 0xC00C, 28, 1, int(ttl_s), 16) + data
        head = query[:2] + struct.pack("!HHHHH", 0x8180 if known else 0x8183, 1, 2 * known, 0, 0)
        s.sendto(head + question + answers * known, peer)


{"ra": advertise, "dns": resolve}[sys.argv[1]](*sys.argv[2:])
