// SPDX-License-Identifier: GPL-2.0-only
/* The congestion control of each interface; see congestion.h. */
#include "pm/congestion.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "pm/path.h"
#include "util/cleanup.h"

#define SYSCTL	   "/proc/sys/net/ipv4/tcp_available_congestion_control"
#define LIST_BYTES 512

_Static_assert(POLICY_CA_NAME_BYTES == MPTCP_CONGESTION_BYTES, "names have one length");

bool pm_congestion_wanted(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nr_paths; i++) {
		if (policy->paths[i].congestion[0])
			return true;
	}
	return false;
}

bool pm_congestion_listed(const char *available, const char *name)
{
	const size_t size = strlen(name);

	for (const char *at = available; (at = strstr(at, name)); at += size) {
		if ((at == available || at[-1] == ' ') && strchr(" \n", at[size]))
			return true;
	}
	return false;
}

static void read_list(char list[LIST_BYTES])
{
	_cleanup_close_ int fd = open(SYSCTL, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, list, LIST_BYTES - 1);

	list[n > 0 ? n : 0] = '\0';
	list[strcspn(list, "\n")] = '\0';
}

/* The kernel loads the module of an algorithm that a privileged socket asks for. */
static bool load_module(const char *name)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);

	return fd >= 0 &&
	       setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) == 0;
}

int pm_congestion_find(const struct policy_path *path, struct error *e)
{
	char list[LIST_BYTES];

	read_list(list);
	if (pm_congestion_listed(list, path->congestion) || load_module(path->congestion))
		return 0;
	error_set(e, -EOPNOTSUPP, "path \"%s\": the kernel has no congestion control \"%s\"",
		  path->name, path->congestion);
	return error_hint(e, "available: %.160s; others come with modprobe tcp_NAME", list);
}

static int by_ifindex(const void *a, const void *b)
{
	const struct loader_congestion *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

int pm_congestion_make(const struct policy *policy, uint32_t without,
		       const struct pm_interface *interfaces, size_t nr,
		       struct loader_congestion out[MPTCP_CONGESTION_IFS], size_t *nr_out,
		       struct error *e)
{
	size_t n = 0;

	*nr_out = 0;
	for (size_t i = 0; policy && i < nr; i++) {
		const struct policy_path *path = pm_path_of(policy, &interfaces[i]);

		if (!path || !path->congestion[0] || (without >> (path - policy->paths) & 1))
			continue;
		if (n == MPTCP_CONGESTION_IFS)
			return error_set(e, -E2BIG,
					 "more than %d interfaces belong to paths with "
					 "\"congestion-control\"",
					 MPTCP_CONGESTION_IFS);
		out[n].ifindex = (uint32_t)interfaces[i].ifindex;
		memcpy(out[n++].name, path->congestion, sizeof(path->congestion));
	}
	qsort(out, n, sizeof(*out), by_ifindex);
	*nr_out = n;
	return 0;
}

void pm_congestion_describe(const struct loader_congestion *c, char *out, size_t size)
{
	char name[IF_NAMESIZE];

	if (!if_indextoname(c->ifindex, name))
		snprintf(name, sizeof(name), "if%u", c->ifindex);
	snprintf(out, size, "congestion control of subflows on %s: %.*s", name,
		 MPTCP_CONGESTION_BYTES, c->name);
}
