// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random packets through the guard's program, by BPF_PROG_TEST_RUN: what comes out has to be, byte
 * for byte, what a plain reading of RFC 8684 says, with the sum over the segment as it was.
 *
 *   guard_packets OBJECT [COUNT [SEED]]
 *
 * Packets are IPv4 (with options, fragments) and IPv6 (with extension headers), with VLAN tags of
 * VLAN 0 and others, options in any order, some with a length or a byte that is wrong, some cut,
 * some with a checksum that was wrong before. Actions that need a socket find none here and have to
 * let everything pass.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>
#include <net/ethernet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mptcp_guard.h"

#define PACKET_MAX    600
#define LOOPBACK      1
#define BATCH	      1000 /* packets with the same configuration */
#define DROP	      2
#define NEXT	      0xffffffffu
#define FRAGMENT_MORE 0x2000

struct packet {
	uint8_t bytes[PACKET_MAX];
	size_t n;
	size_t tcp; /* where its header begins; 0: it is none to look at */
	size_t end; /* of the IP packet, as its header has it */
	bool hidden, first, v6;
};

static uint64_t state;

static uint32_t rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below ? (uint32_t)(state >> 32) % below : 0;
}

static void put(struct packet *p, const void *from, size_t n)
{
	memcpy(p->bytes + p->n, from, n);
	p->n += n;
}

static void put8(struct packet *p, uint32_t v)
{
	p->bytes[p->n++] = (uint8_t)v;
}

static void put16(struct packet *p, uint32_t v)
{
	put8(p, v >> 8);
	put8(p, v);
}

static void put_random(struct packet *p, size_t n)
{
	while (n--)
		put8(p, rnd(256));
}

static uint32_t sum(const uint8_t *b, size_t n)
{
	uint64_t s = 0;

	for (size_t i = 0; i < n; i++)
		s += i % 2 ? b[i] : (uint32_t)b[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint32_t)s;
}

/* One option of a size that fits, or none. */
static void put_option(struct packet *p, size_t room)
{
	static const uint8_t sizes[16][4] = {
		{ 4, 12, 20, 22 },  { 12, 12, 16, 24 }, { 8, 12, 20, 26 },
		{ 16, 18, 28, 30 }, { 4, 5, 7, 11 },	{ 3, 3, 3, 4 },
		{ 12, 12, 12, 12 }, { 20, 20, 20, 20 }, { 4, 4, 4, 4 },
	};
	uint32_t subtype = rnd(4) ? (uint32_t[]){ 1, 2, 3, 4, 5, 5 }[rnd(6)] : rnd(9), size;

	switch (rnd(6)) {
	case 0:
		put8(p, 1);
		return;
	case 1:
		if (room < 10)
			return;
		put(p, (uint8_t[]){ 8, 10 }, 2);
		put_random(p, 8);
		return;
	default:
		size = rnd(12) ? sizes[subtype][rnd(4)] : 2 + rnd(14);
		if (size > room)
			return;
		put8(p, 30);
		put8(p, rnd(60) ? size : rnd(256));
		if (size > 2)
			put8(p, subtype << 4 | rnd(16));
		if (size > 3)
			put_random(p, size - 3);
	}
}

static void put_tcp(struct packet *p)
{
	size_t head = p->n, options = head + 20, payload = rnd(3) ? rnd(200) : 0;

	p->tcp = head;
	put_random(p, 20);
	if (rnd(3))
		p->bytes[head + 13] = 0x10;
	for (uint32_t i = rnd(7); i > 0; i--)
		put_option(p, options + 40 - p->n);
	while ((p->n - options) % 4)
		put8(p, rnd(8) ? 1 : 0);
	p->bytes[head + 12] = (uint8_t)((rnd(40) ? (p->n - head) / 4 : rnd(16)) << 4);
	put_random(p, payload);
}

static void put_ethernet(struct packet *p, bool *tagged)
{
	put_random(p, 12);
	*tagged = false;
	for (uint32_t i = rnd(8) ? 0 : 1 + rnd(2); i > 0; i--) {
		uint32_t id = rnd(2) ? 0 : 1 + rnd(4094);

		put16(p, rnd(2) ? ETHERTYPE_VLAN : 0x88a8);
		put16(p, rnd(8) << 13 | id);
		*tagged |= id != 0;
	}
	put16(p, p->v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
}

static void put_ipv4(struct packet *p)
{
	size_t at = p->n, words = rnd(4) ? 5 : 5 + rnd(11), total;
	uint32_t fragment = rnd(10) ? 0 : (uint32_t[]){ FRAGMENT_MORE, 1 + rnd(100) }[rnd(2)];
	uint32_t protocol = rnd(20) ? 6 : rnd(256);

	put8(p, 0x40 | (uint32_t)words);
	put_random(p, 5);
	put16(p, fragment);
	put8(p, 64);
	put8(p, protocol);
	put_random(p, 10 + (words - 5) * 4);
	put_tcp(p);
	total = rnd(30) ? p->n - at : rnd((uint32_t)(p->n - at));
	p->bytes[at + 2] = (uint8_t)(total >> 8);
	p->bytes[at + 3] = (uint8_t)total;
	p->end = total ? at + total : p->n;
	p->first = fragment == FRAGMENT_MORE;
	if (protocol != 6 || (fragment & 0x1fff))
		p->tcp = 0;
}

static void put_ipv6(struct packet *p)
{
	static const uint8_t kinds[] = { 0, 43, 60 };
	size_t at = p->n, headers = rnd(3) ? 0 : 1 + rnd(9), kind_at = p->n + 6;
	bool later = false;

	put8(p, 0x60);
	put_random(p, 39);
	for (size_t i = 0; i < headers; i++) {
		size_t words = rnd(2);

		if (i == 0 && !rnd(4)) {
			uint32_t offset = rnd(2) ? 0 : rnd(8191) << 3;

			p->bytes[kind_at] = 44;
			kind_at = p->n;
			put16(p, 0);
			p->first = rnd(2);
			put16(p, offset | p->first);
			put_random(p, 4);
			later = offset != 0;
			continue;
		}
		p->bytes[kind_at] = kinds[rnd(3)];
		kind_at = p->n;
		put8(p, 0);
		put8(p, (uint32_t)words);
		put_random(p, 6 + words * 8);
	}
	p->bytes[kind_at] = 6;
	put_tcp(p);
	p->bytes[at + 4] = (uint8_t)((p->n - at - 40) >> 8);
	p->bytes[at + 5] = (uint8_t)(p->n - at - 40);
	p->end = p->n;
	p->hidden = headers > 8 && !later;
	if (later || headers > 8)
		p->tcp = 0;
}

static void make(struct packet *p)
{
	bool tagged;

	memset(p, 0, sizeof(*p));
	p->v6 = rnd(2);
	put_ethernet(p, &tagged);
	if (p->v6)
		put_ipv6(p);
	else
		put_ipv4(p);
	if (tagged) {
		p->tcp = 0;
		p->hidden = false;
	}
	if (p->tcp && !rnd(50))
		p->n = p->tcp + rnd((uint32_t)(p->n - p->tcp));
}

static bool listed(const struct mptcp_guard_config *c, const uint8_t *address, uint16_t port)
{
	const struct mptcp_guard_prefix *x = &c->prefixes[0];

	/* The one that configure() makes: 0.0.0.0/1 or ::/1, ports below 32768. */
	return !((address[x->bits > 8 ? 12 : 0] ^ x->address[x->bits > 8 ? 12 : 0]) & 0x80) &&
	       port >= x->port_first && port <= x->port_last &&
	       (x->bits < 96 || memcmp(address, x->address, 12) == 0);
}

static bool add_is_refused(const struct mptcp_guard_config *c, const uint8_t *o, size_t n,
			   uint16_t source_port)
{
	uint8_t address[16] = { [10] = 0xff, [11] = 0xff };
	bool v6 = n == 28 || n == 30;
	uint16_t port = source_port;

	if (!c->nr_prefixes || (o[2] & 1) || !(n == 16 || n == 18 || v6))
		return false;
	memcpy(address + (v6 ? 0 : 12), o + 4, v6 ? 16 : 4);
	if (n == 18 || n == 30)
		memcpy(&port, o + (v6 ? 20 : 8), 2);
	port = n == 18 || n == 30 ? ntohs(port) : source_port;
	/* Port 0 in the option is no port. */
	return !listed(c, address, port ? port : source_port);
}

static bool is_refused(const struct mptcp_guard_config *c, const uint8_t *o, size_t n,
		       uint16_t port)
{
	switch (o[2] >> 4) {
	case 3:
		return add_is_refused(c, o, n, port);
	case 4:
		return n > 3 && n <= 11 && c->remove == MPTCP_GUARD_REMOVE_IGNORE;
	case 5:
		return n == 3 && (c->prio == MPTCP_GUARD_PRIO_IGNORE_ALL ||
				  (c->prio == MPTCP_GUARD_PRIO_IGNORE_BACKUP && (o[2] & 1)));
	default:
		return false;
	}
}

/* What the guard should make of it, but for the checksum; returns the verdict. */
static uint32_t expect(const struct packet *in, const struct mptcp_guard_config *c,
		       struct packet *out, bool *changed)
{
	size_t end = in->end < in->n ? in->end : in->n, head, at;
	const uint8_t *tcp = in->bytes + in->tcp;

	*out = *in;
	*changed = false;
	if (in->hidden)
		return DROP;
	if (!in->tcp)
		return NEXT;
	if (in->tcp + 20 > end)
		return in->first ? DROP : NEXT;
	head = (size_t)(tcp[12] >> 4) * 4;
	if (head <= 20)
		return NEXT;
	if (in->tcp + head > end)
		return in->first ? DROP : NEXT;
	for (at = 20; at < head && tcp[at];) {
		if (tcp[at] == 1) {
			at++;
			continue;
		}
		if (at + 1 >= head || tcp[at + 1] < 2 || at + tcp[at + 1] > head)
			break;
		if (tcp[at] == 30 && tcp[at + 1] > 2 &&
		    is_refused(c, tcp + at, tcp[at + 1], (uint16_t)(tcp[0] << 8 | tcp[1]))) {
			memset(out->bytes + in->tcp + at, 1, tcp[at + 1]);
			*changed = true;
		}
		at += tcp[at + 1];
	}
	return NEXT;
}

static void configure(struct mptcp_guard_config *c)
{
	static const uint8_t actions[] = { MPTCP_GUARD_PRIO_ACCEPT, MPTCP_GUARD_PRIO_IGNORE_BACKUP,
					   MPTCP_GUARD_PRIO_IGNORE_ALL,
					   MPTCP_GUARD_PRIO_NEVER_EMPTY };

	memset(c, 0, sizeof(*c));
	c->prio = actions[rnd(4)];
	c->remove = (uint8_t)rnd(3);
	c->nr_prefixes = (uint8_t)rnd(2);
	c->prefixes[0].bits = rnd(2) ? 97 : 1;
	c->prefixes[0].port_first = 1;
	c->prefixes[0].port_last = 32767;
	if (c->prefixes[0].bits == 97)
		c->prefixes[0].address[10] = c->prefixes[0].address[11] = 0xff;
}

static void dump(const char *what, const struct packet *p, size_t n)
{
	printf("%s:", what);
	for (size_t i = 0; i < n; i++)
		printf("%s%02x", i == p->tcp ? " | " : i % 4 ? "" : " ", p->bytes[i]);
	printf("\n");
}

/* Equal but for the checksum, and the sum over the segment is what it was. */
static bool is_right(const struct packet *in, const struct packet *want, const uint8_t *out,
		     bool changed)
{
	size_t check = in->tcp + 16;

	if (!changed)
		return memcmp(out, in->bytes, in->n) == 0;
	return memcmp(out, want->bytes, check) == 0 &&
	       memcmp(out + check + 2, want->bytes + check + 2, in->n - check - 2) == 0 &&
	       sum(out + in->tcp, in->n - in->tcp) % 0xffff ==
		       sum(in->bytes + in->tcp, in->n - in->tcp) % 0xffff;
}

static int run(int prog, int config_map, unsigned long count)
{
	unsigned long changed_nr = 0, dropped = 0, refused = 0;
	struct mptcp_guard_config config = { 0 };
	uint32_t loopback = LOOPBACK;

	for (unsigned long i = 0; i < count; i++) {
		uint8_t got[PACKET_MAX + 64];
		struct packet in, want;
		bool changed;
		uint32_t verdict;
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.bytes, .data_out = got,
			    .data_size_out = sizeof(got));

		if (i % BATCH == 0) {
			configure(&config);
			bpf_map_update_elem(config_map, &loopback, &config, BPF_ANY);
		}
		make(&in);
		opts.data_size_in = (uint32_t)in.n;
		verdict = expect(&in, &config, &want, &changed);
		/* The kernel takes no packets that end within what it looks at itself. */
		if (bpf_prog_test_run_opts(prog, &opts) < 0) {
			refused++;
			continue;
		}
		changed_nr += changed;
		dropped += verdict == DROP;
		if (opts.retval == verdict && opts.data_size_out == in.n &&
		    (verdict == DROP || is_right(&in, &want, got, changed)))
			continue;
		printf("packet %lu: verdict %d, want %d; mp-prio %d, rm-addr %d, add-addr %d\n", i,
		       (int)opts.retval, (int)verdict, config.prio, config.remove,
		       config.nr_prefixes);
		dump("in  ", &in, in.n);
		dump("want", &want, in.n);
		memcpy(want.bytes, got, in.n);
		dump("got ", &want, in.n);
		return 1;
	}
	printf("%lu packets: %lu changed, %lu dropped, %lu not taken by the kernel\n", count,
	       changed_nr, dropped, refused);
	/* A generator that makes nothing of interest proves nothing. */
	return changed_nr < count / 50 || dropped < count / 1000 || refused > count / 10;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
	struct mptcp_guard_counters *zero;
	uint32_t loopback = LOOPBACK;
	struct bpf_object *obj;
	int rc, config, counters;

	if (argc < 2)
		return 2;
	state = (argc > 3 ? strtoull(argv[3], NULL, 10) : 1) * 0x9e3779b97f4a7c15ull + 1;
	obj = bpf_object__open(argv[1]);
	zero = calloc((size_t)libbpf_num_possible_cpus(), sizeof(*zero));
	if (!obj || !zero || bpf_object__load(obj) < 0) {
		fprintf(stderr, "guard_packets: cannot load %s\n", argv[1]);
		return 1;
	}
	config = bpf_object__find_map_fd_by_name(obj, "guard_config");
	counters = bpf_object__find_map_fd_by_name(obj, "guard_counters");
	bpf_map_update_elem(counters, &loopback, zero, BPF_ANY);
	rc = run(bpf_program__fd(bpf_object__find_program_by_name(obj, "guard")), config, count);
	free(zero);
	bpf_object__close(obj);
	return rc;
}
