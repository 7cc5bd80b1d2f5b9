// SPDX-License-Identifier: GPL-2.0-only
/* Congestion control by interface; see congestion.h. */
#include "loader/congestion.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "loader/tool.h"
#include "util/cleanup.h"

#define MAP	"interfaces"
#define PROGRAM "congestion"
#define TRIES	3

static const struct tool tool = {
	.name = "congestion-control",
	.object = "select/congestion",
	.precious = true,
	.cgroup = true,
	.needs = "congestion control by path takes BTF and BPF programs of type sockops "
		 "(CONFIG_CGROUP_BPF)",
};

int loader_congestion_try(const struct loader_config *c, enum loader_outcome *outcome,
			  struct error *e)
{
	return tool_try(&tool, c, outcome, e);
}

static struct mptcp_congestion_key key_of(uint64_t cookie, uint32_t ifindex)
{
	return (struct mptcp_congestion_key){ .netns_cookie = cookie, .ifindex = ifindex };
}

static int by_ifindex(const void *a, const void *b)
{
	const struct loader_congestion *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

static size_t read_all(int fd, uint64_t cookie, struct loader_congestion *list)
{
	struct mptcp_congestion_key key;
	void *last = NULL;
	size_t n = 0;

	for (; n < MPTCP_CONGESTION_IFS && bpf_map_get_next_key(fd, last, &key) == 0; last = &key) {
		struct mptcp_congestion value;

		if (key.netns_cookie != cookie || bpf_map_lookup_elem(fd, &key, &value) < 0)
			continue;
		list[n].ifindex = key.ifindex;
		memcpy(list[n++].name, value.name, sizeof(value.name));
	}
	qsort(list, n, sizeof(*list), by_ifindex);
	return n;
}

int loader_congestion_read(const struct loader_config *c, uint64_t cookie,
			   struct loader_congestion list[MPTCP_CONGESTION_IFS], size_t *nr,
			   struct error *e)
{
	_cleanup_close_ int fd = tool_map(&tool, c, MAP);

	*nr = 0;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return error_set(e, fd, "cannot open the map of congestion control: %s",
				 strerror(-fd));
	*nr = read_all(fd, cookie, list);
	return 0;
}

static bool has(const struct loader_congestion *list, size_t nr, uint32_t ifindex)
{
	return bsearch(&(struct loader_congestion){ .ifindex = ifindex }, list, nr, sizeof(*list),
		       by_ifindex);
}

/* Both lists by ifindex. */
static int put(int fd, uint64_t cookie, const struct loader_congestion *list, size_t nr,
	       const struct loader_congestion *before, size_t nr_before)
{
	for (size_t i = 0; i < nr; i++) {
		struct mptcp_congestion_key key = key_of(cookie, list[i].ifindex);
		struct mptcp_congestion value;

		memcpy(value.name, list[i].name, sizeof(value.name));
		if (bpf_map_update_elem(fd, &key, &value, BPF_ANY) < 0)
			return -errno;
	}
	for (size_t i = 0; i < nr_before; i++) {
		struct mptcp_congestion_key key = key_of(cookie, before[i].ifindex);

		if (!has(list, nr, before[i].ifindex) && bpf_map_delete_elem(fd, &key) < 0 &&
		    errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int write_once(const struct loader_config *c, uint64_t cookie,
		      const struct loader_congestion *list, size_t nr, struct error *e)
{
	struct loader_congestion before[MPTCP_CONGESTION_IFS];
	enum loader_outcome outcome;
	_cleanup_close_ int fd = -1;
	size_t nr_before;
	int err = nr ? tool_load(&tool, c, &outcome, e) : 0;

	if (err < 0)
		return err;
	fd = tool_map(&tool, c, MAP);
	if (fd == -ENOENT && nr)
		return -EAGAIN;
	if (fd < 0 && fd != -ENOENT)
		return error_set(e, fd, "cannot open the map of congestion control: %s",
				 strerror(-fd));
	nr_before = fd < 0 ? 0 : read_all(fd, cookie, before);
	err = fd < 0 ? 0 : put(fd, cookie, list, nr, before, nr_before);
	if (err == 0 && nr)
		return tool_loaded(&tool, c, PROGRAM) ? 0 : -EAGAIN;
	if (err == 0) {
		err = tool_unload_unused(&tool, c, MAP, e);
		return err < 0 ? err : 0;
	}
	error_set(e, err, "cannot write the map of congestion control: %s", strerror(-err));
	if (put(fd, cookie, before, nr_before, list, nr) < 0)
		error_hint(e, "what it held could not be put back: mptcp-pmctl unload");
	return err;
}

int loader_congestion_write(const struct loader_config *c, uint64_t cookie,
			    const struct loader_congestion *list, size_t nr, struct error *e)
{
	int err = -EAGAIN;

	/* Another namespace's last one may have taken it out in between. */
	for (int i = 0; err == -EAGAIN && i < TRIES; i++)
		err = write_once(c, cookie, list, nr, e);
	if (err == -EAGAIN)
		error_set(e, err,
			  "congestion control is unloaded by another process as often as it is "
			  "loaded");
	return err;
}
