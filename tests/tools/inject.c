// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host on the path that speaks for someone else: watches an interface, picks up a TCP flow to an
 * address, and sends segments into it with the right sequence numbers, timestamps and checksum and
 * an MPTCP option of its own making.
 *
 *   inject --dev s1 --to 10.77.1.1 --port 7777 --option 1e0351 [--count 100] [--interval-ms 10]
 *
 * --port is the sender's. --option is the option in hexadecimal; it is padded with NOPs, before it
 * when --pad-first is given. --extension puts a destination options header before TCP (IPv6);
 * --fragment sends the first 8 bytes of the TCP header in one packet and the rest in another
 * (IPv4). Ends with the number of segments sent, or fails when no flow was seen for --timeout
 * seconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_BYTES    2048
#define OPTIONS_MAX    40
#define TIMESTAMP_KIND 8
#define FIRST_BYTES    8 /* of the TCP header, in the first of two fragments */

static struct {
	const char *dev;
	uint8_t to[16];
	bool v6, pad_first, extension, fragment, ethernet;
	uint16_t port;
	uint8_t option[OPTIONS_MAX];
	unsigned int option_bytes, count, interval_ms, timeout_s;
} opt = { .count = 1, .interval_ms = 10, .timeout_s = 10, .ethernet = true };

/* What was last seen of the flow. */
static struct {
	bool seen;
	uint8_t link[ETH_HLEN], ip[40];
	uint16_t source, destination; /* network byte order */
	uint32_t seq, ack, ts, ts_echo;
	bool timestamps;
	uint16_t window;
} flow;

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint32_t sum(const uint8_t *p, size_t n, uint32_t start)
{
	for (size_t i = 0; i < n; i++)
		start += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return start;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void take_timestamps(const uint8_t *at, size_t n)
{
	for (size_t i = 0; i + 1 < n && at[i] != TCPOPT_EOL;) {
		if (at[i] == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (at[i + 1] < 2 || i + at[i + 1] > n)
			return;
		if (at[i] == TIMESTAMP_KIND && at[i + 1] == 10) {
			flow.timestamps = true;
			flow.ts = get32(at + i + 2);
			flow.ts_echo = get32(at + i + 6);
		}
		i += at[i + 1];
	}
}

/* A frame from the one we speak for: how far it got. */
static void look_at(const uint8_t *frame, size_t n)
{
	size_t link = opt.ethernet ? ETH_HLEN : 0, ip = opt.v6 ? 40 : 20, head, payload;
	const uint8_t *l3 = frame + link, *tcp = l3 + ip;

	if (n < link + ip + 20 || l3[0] >> 4 != (opt.v6 ? 6 : 4) || (!opt.v6 && l3[0] != 0x45) ||
	    l3[opt.v6 ? 6 : 9] != IPPROTO_TCP ||
	    memcmp(l3 + (opt.v6 ? 24 : 16), opt.to, opt.v6 ? 16 : 4) != 0 ||
	    (uint16_t)(tcp[0] << 8 | tcp[1]) != opt.port)
		return;
	head = (size_t)(tcp[12] >> 4) * 4;
	payload = opt.v6 ? (size_t)(l3[4] << 8 | l3[5]) : (size_t)(l3[2] << 8 | l3[3]) - ip;
	/* No SYN: the flow has to be established. */
	if (head < 20 || n < link + ip + head || payload < head || !(tcp[13] & 0x10) ||
	    (tcp[13] & 0x07))
		return;
	memcpy(flow.link, frame, link);
	memcpy(flow.ip, l3, ip);
	memcpy(&flow.source, tcp, 2);
	memcpy(&flow.destination, tcp + 2, 2);
	flow.seq = get32(tcp + 4) + (uint32_t)(payload - head);
	flow.ack = get32(tcp + 8);
	memcpy(&flow.window, tcp + 14, 2);
	take_timestamps(tcp + 20, head - 20);
	flow.seen = true;
}

/* The TCP header with its options; returns its length. */
static size_t make_tcp(uint8_t *tcp)
{
	size_t n = 20, padding;

	memset(tcp, 0, 60);
	memcpy(tcp, &flow.source, 2);
	memcpy(tcp + 2, &flow.destination, 2);
	put32(tcp + 4, flow.seq);
	put32(tcp + 8, flow.ack);
	tcp[13] = 0x10;
	memcpy(tcp + 14, &flow.window, 2);
	if (flow.timestamps) {
		memcpy(tcp + n, (uint8_t[]){ TCPOPT_NOP, TCPOPT_NOP, TIMESTAMP_KIND, 10 }, 4);
		put32(tcp + n + 4, flow.ts);
		put32(tcp + n + 8, flow.ts_echo);
		n += 12;
	}
	padding = (4 - opt.option_bytes % 4) % 4;
	memset(tcp + n, TCPOPT_NOP, opt.option_bytes + padding);
	memcpy(tcp + n + (opt.pad_first ? padding : 0), opt.option, opt.option_bytes);
	n += opt.option_bytes + padding;
	tcp[12] = (uint8_t)(n / 4 << 4);
	return n;
}

static void finish_tcp(uint8_t *tcp, size_t n, const uint8_t *ip)
{
	uint32_t s = sum(ip + (opt.v6 ? 8 : 12), opt.v6 ? 32 : 8, IPPROTO_TCP + (uint32_t)n);

	put16(tcp + 16, 0);
	put16(tcp + 16, fold(sum(tcp, n, s)));
}

static void finish_ipv4(uint8_t *ip, size_t total, uint16_t fragment)
{
	put16(ip + 2, (uint32_t)total);
	put16(ip + 6, fragment);
	ip[8] = 64;
	put16(ip + 10, 0);
	put16(ip + 10, fold(sum(ip, 20, 0)));
}

static bool send_frame(int fd, const uint8_t *frame, size_t n)
{
	return send(fd, frame, n, 0) == (ssize_t)n;
}

static bool inject_v6(int fd, uint8_t *frame, size_t link)
{
	static const uint8_t padding[8] = { IPPROTO_TCP, 0, 1, 4 }; /* PadN */
	uint8_t *ip = frame + link, *tcp = ip + 40 + (opt.extension ? sizeof(padding) : 0);
	size_t n = make_tcp(tcp), payload = n + (opt.extension ? sizeof(padding) : 0);

	if (opt.extension) {
		memcpy(ip + 40, padding, sizeof(padding));
		ip[6] = IPPROTO_DSTOPTS;
	}
	put16(ip + 4, (uint32_t)payload);
	ip[7] = 64;
	finish_tcp(tcp, n, ip);
	return send_frame(fd, frame, link + 40 + payload);
}

static bool inject_v4(int fd, uint8_t *frame, size_t link)
{
	static uint16_t id = 0x4242;
	uint8_t *ip = frame + link, *tcp = ip + 20;
	size_t n = make_tcp(tcp);

	finish_tcp(tcp, n, ip);
	put16(ip + 4, id++);
	if (!opt.fragment) {
		finish_ipv4(ip, 20 + n, 0x4000);
		return send_frame(fd, frame, link + 20 + n);
	}
	finish_ipv4(ip, 20 + FIRST_BYTES, 0x2000);
	if (!send_frame(fd, frame, link + 20 + FIRST_BYTES))
		return false;
	memmove(tcp, tcp + FIRST_BYTES, n - FIRST_BYTES);
	finish_ipv4(ip, 20 + n - FIRST_BYTES, FIRST_BYTES / 8);
	return send_frame(fd, frame, link + 20 + n - FIRST_BYTES);
}

static bool inject(int fd)
{
	size_t link = opt.ethernet ? ETH_HLEN : 0;
	uint8_t frame[FRAME_BYTES];

	memcpy(frame, flow.link, link);
	memcpy(frame + link, flow.ip, opt.v6 ? 40 : 20);
	return opt.v6 ? inject_v6(fd, frame, link) : inject_v4(fd, frame, link);
}

static bool watch(int fd, uint64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	static uint8_t frame[1 << 17];

	for (;;) {
		uint64_t now = now_ms();
		ssize_t n = recv(fd, frame, sizeof(frame), MSG_DONTWAIT);

		if (n > 0)
			look_at(frame, (size_t)n);
		else if (now >= until)
			return true;
		else if (errno != EAGAIN && errno != EINTR)
			return false;
		else
			poll(&p, 1, (int)(until - now));
		if (now >= until)
			return true;
	}
}

static int open_socket(void)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), big = 1 << 22;

	at.sll_ifindex = (int)if_nametoindex(opt.dev);
	if (fd < 0 || !at.sll_ifindex || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		fprintf(stderr, "inject: cannot watch %s: %s\n", opt.dev, strerror(errno));
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	return fd;
}

static bool parse_hex(const char *text)
{
	size_t n = strlen(text);

	if (n % 2 || n / 2 > sizeof(opt.option))
		return false;
	for (size_t i = 0; i < n / 2; i++) {
		unsigned int byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		opt.option[i] = (uint8_t)byte;
	}
	opt.option_bytes = (unsigned int)(n / 2);
	return n > 0;
}

static bool parse(int argc, char **argv)
{
	static const struct option names[] = {
		{ "dev", 1, NULL, 'd' },	 { "to", 1, NULL, 't' },
		{ "port", 1, NULL, 'p' },	 { "option", 1, NULL, 'o' },
		{ "count", 1, NULL, 'c' },	 { "interval-ms", 1, NULL, 'i' },
		{ "timeout", 1, NULL, 'T' },	 { "pad-first", 0, NULL, 'P' },
		{ "extension", 0, NULL, 'e' },	 { "fragment", 0, NULL, 'f' },
		{ "no-ethernet", 0, NULL, 'n' }, { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'd')
			opt.dev = optarg;
		else if (c == 't' && inet_pton(AF_INET6, optarg, opt.to) == 1)
			opt.v6 = true;
		else if (c == 't' && inet_pton(AF_INET, optarg, opt.to) == 1)
			opt.v6 = false;
		else if (c == 'p')
			opt.port = (uint16_t)atoi(optarg);
		else if (c == 'c')
			opt.count = (unsigned int)atoi(optarg);
		else if (c == 'i')
			opt.interval_ms = (unsigned int)atoi(optarg);
		else if (c == 'T')
			opt.timeout_s = (unsigned int)atoi(optarg);
		else if (c == 'P' || c == 'e' || c == 'f' || c == 'n')
			*(c == 'P'   ? &opt.pad_first
			  : c == 'e' ? &opt.extension
			  : c == 'f' ? &opt.fragment
				     : &opt.ethernet) = c != 'n';
		else if (c != 'o' || !parse_hex(optarg))
			return false;
	}
	return opt.dev && opt.port && opt.option_bytes && optind == argc;
}

int main(int argc, char **argv)
{
	uint64_t end;
	int fd;

	if (!parse(argc, argv)) {
		fprintf(stderr, "usage: inject --dev DEV --to ADDR --port N --option HEX ...\n");
		return 2;
	}
	fd = open_socket();
	for (end = now_ms() + opt.timeout_s * 1000; !flow.seen && now_ms() < end;)
		watch(fd, now_ms() + 10);
	if (!flow.seen) {
		fprintf(stderr, "inject: no flow from port %u to that address on %s\n", opt.port,
			opt.dev);
		return 1;
	}
	for (unsigned int i = 0; i < opt.count; i++) {
		if (!inject(fd) || !watch(fd, now_ms() + opt.interval_ms)) {
			fprintf(stderr, "inject: %s: %s\n", opt.dev, strerror(errno));
			return 1;
		}
	}
	printf("injected %u\n", opt.count);
	return 0;
}
