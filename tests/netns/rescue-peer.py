#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Both ends of a connection, for tests of SYN rescue.

  server ADDRESS PORT LOG [--unasked]
                                    echoes; one line in LOG for each accept; asks for data in SYNs
                                    unless --unasked
  client ADDRESS PORT [OPTION...]   one connection, every byte of its echo checked; prints JSON:
                                    connect_ms, mptcp (still, at the end), bytes
     --bytes N     to send at once (default 100000)
     --until FILE  go on with a few bytes every 20 ms until FILE exists
     --dev NAME    bind to a device
     --fastopen    data in the SYN
     --port N      from this port, and end with RST, so that the port is free at once
     --times N     N connections, one after the other; prints mptcp (how many), p99_ms
  pipe NS1 DEV1 NS2 DEV2            two TUN devices, one in each namespace, joined
"""
import ctypes
import fcntl
import json
import os
import select
import socket
import struct
import sys
import threading
import time

MPTCP = 262
SOL_TCP_IS_MPTCP = 43
TCP_FASTOPEN = 23
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
CLONE_NEWNET = 0x40000000


def make(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.socket(family, socket.SOCK_STREAM, MPTCP)


def echo(conn):
    with conn:
        try:
            while data := conn.recv(1 << 16):
                conn.sendall(data)
        except ConnectionResetError:  # by a client that wants its port back
            pass


def server(address, port, log, *args):
    s = make(address)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if "--unasked" not in args:
        s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 8)
    s.bind((address, int(port)))
    s.listen(64)
    while True:
        conn, _ = s.accept()
        with open(log, "a", encoding="ascii") as out:
            out.write("accept\n")
        threading.Thread(target=echo, args=(conn,), daemon=True).start()


def exchange(s, data):
    got = bytearray()
    sender = threading.Thread(target=s.sendall, args=(data,))
    sender.start()
    while len(got) < len(data):
        block = s.recv(1 << 16)
        if not block:
            sys.exit(f"the connection ended after {len(got)} bytes of {len(data)}")
        got += block
    sender.join()
    if got != data:
        sys.exit("what came back is not what was sent")
    return len(data)


def option(args, name, default=None):
    return args[args.index(name) + 1] if name in args else default


def once(address, port, args):
    s = make(address)
    s.settimeout(30)
    if dev := option(args, "--dev"):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, dev.encode())
    if port_here := option(args, "--port"):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("::" if ":" in address else "0.0.0.0", int(port_here)))
    data = os.urandom(int(option(args, "--bytes", "100000")))
    begin = time.monotonic()
    total = 0
    if "--fastopen" in args:
        s.setblocking(True)  # or else it is an error to have no cookie yet
        sent = s.sendto(data, socket.MSG_FASTOPEN, (address, int(port)))
        connect_ms = (time.monotonic() - begin) * 1000
        s.settimeout(30)
        got = bytearray()
        while len(got) < sent:
            got += s.recv(1 << 16)
        if got != data[:sent]:
            sys.exit("what came back is not what was sent")
        total += sent
    else:
        s.connect((address, int(port)))
        connect_ms = (time.monotonic() - begin) * 1000
        total += exchange(s, data)
    until = option(args, "--until")
    while until and not os.path.exists(until):
        total += exchange(s, os.urandom(2000))
        time.sleep(0.02)
    mptcp = s.getsockopt(socket.IPPROTO_TCP, SOL_TCP_IS_MPTCP)
    if port_here:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
        return {"connect_ms": connect_ms, "mptcp": bool(mptcp), "bytes": total}
    s.shutdown(socket.SHUT_WR)
    if s.recv(1):
        sys.exit("more came back than was sent")
    s.close()
    return {"connect_ms": connect_ms, "mptcp": bool(mptcp), "bytes": total}


def client(address, port, *args):
    times = int(option(args, "--times", "0"))
    if not times:
        print(json.dumps(once(address, port, args)))
        return
    all_of_them = [once(address, port, args) for _ in range(times)]
    took = sorted(c["connect_ms"] for c in all_of_them)
    print(json.dumps({"mptcp": sum(c["mptcp"] for c in all_of_them),
                      "p50_ms": took[times // 2], "p99_ms": took[times * 99 // 100]}))


def tun(namespace, name):
    with open(f"/run/netns/{namespace}", encoding="ascii") as ns:
        if ctypes.CDLL(None, use_errno=True).setns(ns.fileno(), CLONE_NEWNET):
            sys.exit(f"cannot enter {namespace}: {os.strerror(ctypes.get_errno())}")
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def pipe(ns1, dev1, ns2, dev2):
    ends = [tun(ns1, dev1), tun(ns2, dev2)]
    while True:
        for fd in select.select(ends, [], [])[0]:
            try:
                os.write(ends[1 - ends.index(fd)], os.read(fd, 1 << 16))
            except OSError:  # the other end is down
                pass


if __name__ == "__main__":
    {"server": server, "client": client, "pipe": pipe}[sys.argv[1]](*sys.argv[2:])
