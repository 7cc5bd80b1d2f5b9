#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Prints a kernel build directory that has a vmlinux to take BTF from.
# usage: gen-kdir.sh KDIR RELEASE SHADOW
# Where KDIR has none, SHADOW becomes a folder of links to KDIR plus the running kernel's BTF, which
# is right only when RELEASE is the running kernel.
set -eu

kdir=$1
release=$2
shadow=$3

if [ -e "$kdir/vmlinux" ]; then
	echo "$kdir"
	exit 0
fi
if [ "$release" != "$(uname -r)" ] || [ ! -r /sys/kernel/btf/vmlinux ]; then
	echo "no BTF of kernel $release: $kdir/vmlinux is missing, and /sys/kernel/btf/vmlinux is not its BTF" >&2
	echo "build on that kernel, or install its debug symbols and link vmlinux into $kdir" >&2
	exit 1
fi
rm -rf "$shadow"
mkdir -p "$shadow"
for f in "$kdir"/* "$kdir"/.config; do
	[ ! -e "$f" ] || ln -s "$(readlink -f "$f")" "$shadow/"
done
ln -s /sys/kernel/btf/vmlinux "$shadow/vmlinux"
echo "$shadow"
