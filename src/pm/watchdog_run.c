// SPDX-License-Identifier: GPL-2.0-only
/* The watchdog's eyes and hands; see watchdog.h. */
#include "pm/watchdog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "pm/counters.h"
#include "pm/netns.h"
#include "pm/sysctl.h"
#include "util/cleanup.h"

#define TIMEOUT	   "blackhole_timeout"
#define PROBE_MS   200
#define INFO_BYTES 256

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif
#ifndef MPTCP_INFO
#define MPTCP_INFO 1
#endif

int pm_watchdog_blackholes(uint64_t *out, struct error *e)
{
	static const char *const name[] = { "Blackhole" };

	return pm_counters_read("MPTcpExt", name, out, 1, e);
}

static int mptcp_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_MPTCP);
}

void pm_watchdog_probe(bool *off)
{
	_cleanup_close_ int listener = mptcp_socket(), client = mptcp_socket();
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct pollfd wait = { .fd = client, .events = POLLOUT };
	char info[INFO_BYTES];
	socklen_t size = sizeof(a), info_size = sizeof(info);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || client < 0 || bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(listener, 1) < 0 || getsockname(listener, (struct sockaddr *)&a, &size) < 0)
		return;
	if (connect(client, (struct sockaddr *)&a, size) < 0 && errno != EINPROGRESS)
		return;
	if (poll(&wait, 1, PROBE_MS) != 1 || (wait.revents & POLLERR))
		return;
	/* Refused after a fallback to TCP. */
	*off = getsockopt(client, SOL_MPTCP, MPTCP_INFO, info, &info_size) < 0;
}

static int restore(struct error *e)
{
	char seconds[16];
	int err = pm_sysctl_read(TIMEOUT, seconds, sizeof(seconds), e);

	/* Writing it forgets how often MPTCP was switched off, and that it is. */
	return err < 0 ? err : pm_sysctl_write(TIMEOUT, seconds, e);
}

/* Those of paths as a whole that connections can begin on come first. */
static size_t pick(const struct loader_learn_space *s, struct loader_learn_row *rows, size_t nr)
{
	static const uint8_t any[sizeof(rows->key.prefix)];
	size_t kept = 0;

	for (size_t i = 0; i < nr; i++) {
		if (memcmp(rows[i].key.prefix, any, sizeof(any)) != 0)
			continue;
		for (size_t p = 0; p < s->nr_paths; p++)
			if (s->paths[p].ifindex == rows[i].key.ifindex &&
			    s->paths[p].network == rows[i].key.network) {
				rows[kept++] = rows[i];
				break;
			}
	}
	return kept;
}

static void describe(enum pm_watch_verdict v, const struct loader_learn_row *proof, uint64_t now_ms,
		     bool was_off, char text[PM_WATCH_TEXT_BYTES])
{
	char name[IF_NAMESIZE];

	text[0] = '\0';
	switch (v) {
	case PM_WATCH_ON:
	case PM_WATCH_WAIT:
		break;
	case PM_WATCH_LEAVE:
		if (!was_off)
			snprintf(text, PM_WATCH_TEXT_BYTES,
				 "the kernel took an outage for a network that drops MPTCP and "
				 "switched it off; no path is known to let it through");
		break;
	case PM_WATCH_RESTORE:
		snprintf(text, PM_WATCH_TEXT_BYTES,
			 "restore MPTCP, which the kernel switched off after an outage: %s let it "
			 "through %" PRIu64 " s ago",
			 if_indextoname(proof->key.ifindex, name) ?: "a path",
			 (uint64_t)(now_ms - proof->stat.mptcp_ok_ms) / 1000);
		break;
	}
}

int pm_watchdog_run(struct pm_watchdog *w, const struct loader_config *c, bool dry_run,
		    char text[PM_WATCH_TEXT_BYTES], struct error *e)
{
	_cleanup_free_ struct loader_learn_space *space = NULL;
	_cleanup_free_ struct loader_learn_row *rows = NULL;
	const uint64_t now_ms = loader_learn_now_ms();
	const struct loader_learn_row *proof;
	bool off = w->off, was_off = w->off;
	enum pm_watch_verdict verdict;
	struct pm_netns ns;
	uint64_t blackholes;
	size_t nr = 0;
	int err = pm_watchdog_blackholes(&blackholes, e);

	text[0] = '\0';
	if (err < 0 || (blackholes == w->blackholes && !w->off))
		return err < 0 ? err : PM_WATCH_ON;
	w->blackholes = blackholes;
	pm_watchdog_probe(&off);
	space = malloc(sizeof(*space));
	if (!space)
		return error_set(e, -ENOMEM, "out of memory");
	err = pm_netns_identify(&ns, e);
	if (err == 0)
		err = loader_learn_read(c, ns.cookie, space, e);
	if (err == 0)
		err = loader_learn_rows(c, ns.cookie, &rows, &nr, e);
	if (err < 0)
		return err;
	nr = pick(space, rows, nr);
	verdict = pm_watchdog_decide(w, off, rows, nr, now_ms, &proof);
	describe(verdict, proof, now_ms, was_off, text);
	if (verdict == PM_WATCH_RESTORE && !dry_run)
		err = restore(e);
	w->off |= err < 0;
	return err < 0 ? err : (int)verdict;
}
