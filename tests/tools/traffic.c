// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traffic over MPTCP or TCP whose every byte is checked.
 *
 * A connection carries commands, one line each, answered in turn, so that it can be warmed up
 * before it is timed:
 *
 *   get BYTES SEED           the server sends that much of the stream
 *   put BYTES SEED           the client sends it, the server answers "SUM ok" or "SUM bad"
 *   rr COUNT REQUEST ANSWER  COUNT times: the client sends REQUEST bytes and is sent ANSWER bytes
 *   GET /bytes/N HTTP/1.1    HTTP for other people's clients: N bytes of stream 1
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>

#include "traffic.h"
#include "traffic-result.h"
#include "traffic-serve.h"

#define WARM_BYTES     1400
#define WARM_PERIOD_US 20000
#define MAX_ROUNDS     1000000

/* SIGTERM: no more exchanges after the one that is under way. */
static volatile sig_atomic_t enough;

static void on_term(int signo)
{
	(void)signo;
	enough = 1;
}

static int client_connect(uint64_t deadline)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai, *from;
	int fd, err = 0;
	socklen_t len = sizeof(err);

	if (getaddrinfo(opt.host, opt.port, &hints, &ai))
		return -EHOSTUNREACH;
	fd = open_socket(ai);
	if (fd < 0 || socket_tune(fd, opt.cc) < 0)
		return -errno;
	if (opt.bind_to) {
		if (getaddrinfo(opt.bind_to, NULL, &hints, &from))
			return -EADDRNOTAVAIL;
		if (bind(fd, from->ai_addr, from->ai_addrlen) < 0)
			return -errno;
		freeaddrinfo(from);
	}
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0 && errno != EINPROGRESS)
		return -errno;
	freeaddrinfo(ai);
	err = wait_io(fd, POLLOUT, deadline);
	if (err)
		return err;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err ? -err : fd;
}

/* Reads `bytes` (UINT64_MAX: to the end) of the stream, checks them, copies them to `out`. */
static int receive(int fd, uint64_t bytes, uint64_t seed, FILE *out, struct result *r,
		   uint64_t deadline)
{
	struct stream_sum s = { .seed = seed, .ok = true };
	char *buf = malloc(CHUNK_BYTES);
	uint64_t got = 0, last = now_us();
	size_t have = 0;
	ssize_t n = 1;

	if (!buf)
		return -ENOMEM;
	while (got < bytes) {
		size_t room = CHUNK_BYTES - have;

		n = read_some(fd, buf + have, bytes - got < room ? bytes - got : room, deadline);
		if (n <= 0)
			break;
		if (!got)
			last = now_us();
		note_gap(r, &last);
		if (out && fwrite(buf + have, 1, (size_t)n, out) != (size_t)n) {
			n = -errno;
			break;
		}
		got += (size_t)n;
		have += (size_t)n;
		if (have == CHUNK_BYTES || got == bytes) {
			stream_check(&s, buf, have);
			have = 0;
		}
	}
	stream_check(&s, buf, have);
	free(buf);
	r->bytes += got;
	r->sum = s.sum;
	r->ok = s.ok;
	if (n < 0)
		return (int)n;
	return got == bytes || bytes == UINT64_MAX ? 0 : -EPIPE;
}

static int do_get(int fd, struct result *r, uint64_t deadline)
{
	char line[LINE_BYTES];
	int rc;

	snprintf(line, sizeof(line), "get %" PRIu64 " %" PRIu64 "\n", opt.bytes, opt.seed);
	rc = write_all(fd, line, strlen(line), deadline);
	return rc ? rc : receive(fd, opt.bytes, opt.seed, NULL, r, deadline);
}

static int do_put(int fd, struct result *r, uint64_t deadline)
{
	char line[LINE_BYTES], word[8];
	int rc;

	snprintf(line, sizeof(line), "put %" PRIu64 " %" PRIu64 "\n", opt.bytes, opt.seed);
	rc = write_all(fd, line, strlen(line), deadline);
	if (!rc)
		rc = write_stream(fd, opt.seed, opt.bytes, deadline);
	if (!rc)
		rc = read_line(fd, line, deadline);
	if (rc != 1)
		return rc ? rc : -EPIPE;
	r->bytes = opt.bytes;
	r->ok = sscanf(line, "%" SCNx64 " %7s", &r->sum, word) == 2 && !strcmp(word, "ok");
	return 0;
}

/* One request and its answer after another; a late answer delays the next request. */
static int rounds(int fd, uint64_t count, size_t request, size_t answer, uint64_t period_us,
		  struct result *r, uint64_t deadline)
{
	static char buf[MAX_ANSWER];
	char line[LINE_BYTES];
	uint64_t next = now_us(), last = next;
	bool waits;
	int rc;

	snprintf(line, sizeof(line), "rr %" PRIu64 " %zu %zu\n", count, request, answer);
	rc = write_all(fd, line, strlen(line), deadline);
	for (uint64_t i = 0; !rc && i < count && !enough; i++) {
		struct stream_sum s = { .seed = i, .ok = true };
		uint64_t sent, t = now_us();

		/* Late for no fault of the network: the answer before was there in time. */
		waits = t < next || last < next;
		if (t < next)
			usleep((useconds_t)(next - t));
		sent = now_us();
		if (waits && sent - next > r->late_us)
			r->late_us = sent - next;
		next += period_us;
		rc = write_all(fd, buf, request, deadline);
		if (!rc)
			rc = read_exactly(fd, buf, answer, deadline);
		if (rc)
			break;
		note_gap(r, &last);
		rc = note_sample(r, sent, last);
		stream_check(&s, buf, answer);
		r->ok = r->ok && s.ok;
		r->bytes += answer;
	}
	return rc;
}

static bool enough_subflows(int fd)
{
	return opt.tcp || opt.subflows < 0 || mptcp_extra_subflows(fd) >= opt.subflows;
}

/* Small exchanges before the timing starts, until the subflows asked for are there. */
static int warm_up(int fd, uint64_t deadline)
{
	struct result r = { .rtt_us = calloc(1, sizeof(*r.rtt_us)), .ok = true };
	int rc = r.rtt_us ? 0 : -ENOMEM;

	for (uint64_t i = 0; !rc && !enough && (i < opt.warm || !enough_subflows(fd)); i++) {
		r.nr_rtt = 0;
		rc = rounds(fd, 1, 64, WARM_BYTES, 0, &r, deadline);
		usleep(WARM_PERIOD_US);
	}
	free(r.rtt_us);
	return rc;
}

static int client(const char *mode)
{
	uint64_t deadline = now_us() + opt.timeout_s * 1000000, start, cpu;
	struct result r = { .ok = true, .subflows = -1 };
	bool echo = !strcmp(mode, "echo");
	int fd, rc;

	r.rtt_us = calloc(opt.count + 1, sizeof(*r.rtt_us));
	if (!r.rtt_us)
		return 1;
	if (opt.out)
		r.samples = fopen(opt.out, "w");
	if (opt.out && !r.samples) {
		fprintf(stderr, "traffic: %s: %s\n", opt.out, strerror(errno));
		return 1;
	}
	if (echo || !strcmp(mode, "rr"))
		signal(SIGTERM, on_term);
	fd = client_connect(deadline);
	rc = fd < 0 ? fd : warm_up(fd, deadline);
	start = now_us();
	cpu = cpu_now_us();
	if (rc == 0 && !strcmp(mode, "get"))
		rc = do_get(fd, &r, deadline);
	else if (rc == 0 && !strcmp(mode, "put"))
		rc = do_put(fd, &r, deadline);
	else if (rc == 0)
		rc = rounds(fd, opt.count, echo ? opt.bytes : 64, opt.bytes, opt.interval_ms * 1000,
			    &r, deadline);
	r.duration_us = now_us() - start;
	r.cpu_us = cpu_now_us() - cpu;
	if (fd >= 0 && !opt.tcp)
		r.subflows = mptcp_extra_subflows(fd);
	if (r.samples && fclose(r.samples) && !rc)
		rc = -errno;
	rc = report(&r, rc);
	free(r.rtt_us);
	return rc;
}

/* To every client of this process group; from then on the parent only waits. */
static void pass_on(int signo)
{
	signal(signo, SIG_IGN);
	kill(0, signo);
}

/* So many at once, each with a seed of its own; a process for each would take longer to start than
 * the test takes, under emulation. */
static int clients(const char *mode)
{
	int status, rc = 0;

	if (setpgid(0, 0) < 0) {
		perror("traffic: setpgid");
		return 1;
	}
	signal(SIGTERM, pass_on);
	for (uint64_t i = 0; i < opt.parallel; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("traffic: fork");
			return 1;
		}
		if (pid == 0) {
			signal(SIGTERM, SIG_DFL);
			opt.seed += i;
			exit(client(mode));
		}
	}
	while (wait(&status) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			rc = 1;
	return rc;
}

/* Standard input from somebody else's client: checked as it comes, longest gap measured. */
static int sink(void)
{
	struct result r = { .ok = true, .subflows = -1 };
	uint64_t start = now_us();
	FILE *out = opt.out ? fopen(opt.out, "w") : NULL;
	int rc;

	if (opt.out && !out) {
		fprintf(stderr, "traffic: %s: %s\n", opt.out, strerror(errno));
		return 1;
	}
	rc = receive(STDIN_FILENO, UINT64_MAX, HTTP_SEED, out, &r, UINT64_MAX);
	if (out && fclose(out))
		rc = -errno;
	r.duration_us = now_us() - start;
	if (!rc && r.bytes != opt.bytes)
		rc = -EPIPE;
	return report(&r, rc);
}

/* The bytes that GET /bytes/N answers, for comparison with what a client stored. */
static int body(void)
{
	char *buf = malloc(CHUNK_BYTES);

	if (!buf)
		return 1;
	for (uint64_t at = 0; at < opt.bytes; at += CHUNK_BYTES) {
		size_t n = opt.bytes - at < CHUNK_BYTES ? (size_t)(opt.bytes - at) : CHUNK_BYTES;

		stream_fill(HTTP_SEED, at, buf, n);
		if (fwrite(buf, 1, n, stdout) != n)
			break;
	}
	free(buf);
	return fflush(stdout) || ferror(stdout);
}

static int usage(void)
{
	fputs("usage: traffic server|http --port P [--bind A] [--tcp] [--cc NAME] [--bytes N]\n"
	      "       traffic client get|put|rr|echo --host A --port P [--bind A] [--tcp]\n"
	      "               [--bytes N] [--seed N] [--count N] [--interval-ms I] [--cc NAME]\n"
	      "               [--warm N] [--subflows N] [--timeout S] [--parallel N] [--json]\n"
	      "               [--out FILE]    rr, echo: a line an answer, when sent and round trip in us\n"
	      "               rr and echo end after --count exchanges, or with SIGTERM after the next answer\n"
	      "       traffic sink --bytes N [--out FILE] [--json]    checks standard input\n"
	      "       traffic body --bytes N                          writes what http serves\n",
	      stderr);
	return 2;
}

static const struct option options[] = {
	{ "host", 1, NULL, 'h' },  { "port", 1, NULL, 'p' },	    { "bind", 1, NULL, 'B' },
	{ "cc", 1, NULL, 'c' },	   { "bytes", 1, NULL, 'b' },	    { "seed", 1, NULL, 's' },
	{ "count", 1, NULL, 'n' }, { "interval-ms", 1, NULL, 'i' }, { "timeout", 1, NULL, 't' },
	{ "warm", 1, NULL, 'w' },  { "subflows", 1, NULL, 'S' },    { "out", 1, NULL, 'o' },
	{ "tcp", 0, NULL, 'T' },   { "json", 0, NULL, 'j' },	    { "parallel", 1, NULL, 'P' },
	{ NULL, 0, NULL, 0 },
};

static bool set_option(int c, const char *arg)
{
	uint64_t n = arg ? strtoull(arg, NULL, 10) : 0;

	switch (c) {
	case 'h':
		opt.host = arg;
		break;
	case 'p':
		opt.port = arg;
		break;
	case 'B':
		opt.bind_to = arg;
		break;
	case 'c':
		opt.cc = arg;
		break;
	case 'o':
		opt.out = arg;
		break;
	case 'b':
		opt.bytes = n;
		break;
	case 's':
		opt.seed = n;
		break;
	case 'n':
		opt.count = n;
		break;
	case 'i':
		opt.interval_ms = n;
		break;
	case 't':
		opt.timeout_s = n;
		break;
	case 'w':
		opt.warm = n;
		break;
	case 'S':
		opt.subflows = (int)n;
		break;
	case 'P':
		opt.parallel = n;
		break;
	case 'T':
		opt.tcp = true;
		break;
	case 'j':
		opt.json = true;
		break;
	default:
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static const char *const modes[] = { "get", "put", "rr", "echo" };
	const char *verb, *mode;
	int c;

	signal(SIGPIPE, SIG_IGN);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!set_option(c, optarg))
			return usage();
	verb = optind < argc ? argv[optind] : "";
	mode = optind + 1 < argc ? argv[optind + 1] : "";
	if (!strcmp(verb, "sink"))
		return sink();
	if (!strcmp(verb, "body"))
		return body();
	if (opt.count > MAX_ROUNDS || !opt.port)
		return usage();
	if (!strcmp(verb, "server") || !strcmp(verb, "http"))
		return server();
	for (size_t i = 0; !strcmp(verb, "client") && i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(mode, modes[i]))
			return opt.parallel ? clients(mode) : client(mode);
	return usage();
}
