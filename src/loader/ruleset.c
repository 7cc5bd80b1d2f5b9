// SPDX-License-Identifier: GPL-2.0-only
/* Rules in the map of a tool; see ruleset.h. */
#include "loader/ruleset.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define TRIES 3

static struct mptcp_select_key key_of(uint64_t cookie, size_t index)
{
	return (struct mptcp_select_key){ .netns_cookie = cookie, .index = (uint32_t)index };
}

static size_t read_all(const struct ruleset *s, int fd, uint64_t cookie, void *rules)
{
	size_t n = 0;

	for (; n < s->max; n++) {
		struct mptcp_select_key key = key_of(cookie, n);

		if (bpf_map_lookup_elem(fd, &key, (char *)rules + n * s->bytes) < 0)
			break;
	}
	return n;
}

int ruleset_read(const struct ruleset *s, const struct loader_config *c, uint64_t cookie,
		 void *rules, size_t *nr, struct error *e)
{
	_cleanup_close_ int fd = tool_map(&s->tool, c, s->map);

	*nr = 0;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return error_set(e, fd, "cannot open the %s: %s", s->what, strerror(-fd));
	*nr = read_all(s, fd, cookie, rules);
	return 0;
}

/* From the first one on; what is beyond them is cut. */
static int put(const struct ruleset *s, int fd, uint64_t cookie, const void *rules, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct mptcp_select_key key = key_of(cookie, i);

		if (bpf_map_update_elem(fd, &key, (const char *)rules + i * s->bytes, BPF_ANY) < 0)
			return -errno;
	}
	for (size_t i = nr; i < s->max; i++) {
		struct mptcp_select_key key = key_of(cookie, i);

		if (bpf_map_delete_elem(fd, &key) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int replace(const struct ruleset *s, int fd, uint64_t cookie, const void *rules, size_t nr,
		   struct error *e)
{
	_cleanup_free_ void *before = calloc(s->max, s->bytes);
	size_t nr_before;
	int err;

	if (!before)
		return error_set(e, -ENOMEM, "cannot write the %s: out of memory", s->what);
	nr_before = read_all(s, fd, cookie, before);
	err = put(s, fd, cookie, rules, nr);
	if (err == 0)
		return 0;
	error_set(e, err, "cannot write the %s: %s", s->what, strerror(-err));
	if (put(s, fd, cookie, before, nr_before) < 0)
		error_hint(e, "the former rules could not be put back: mptcp-pmctl unload");
	return err;
}

static int write_once(const struct ruleset *s, const struct loader_config *c, uint64_t cookie,
		      const void *rules, size_t nr, struct error *e)
{
	enum loader_outcome outcome;
	_cleanup_close_ int fd = -1;
	int err = nr ? tool_load(&s->tool, c, &outcome, e) : 0;

	if (err < 0)
		return err;
	fd = tool_map(&s->tool, c, s->map);
	if (fd == -ENOENT && nr)
		return -EAGAIN;
	if (fd < 0 && fd != -ENOENT)
		return error_set(e, fd, "cannot open the %s: %s", s->what, strerror(-fd));
	err = fd < 0 ? 0 : replace(s, fd, cookie, rules, nr, e);
	if (err < 0)
		return err;
	if (nr)
		return tool_loaded(&s->tool, c, s->program) ? 0 : -EAGAIN;
	err = tool_unload_unused(&s->tool, c, s->map, e);
	return err < 0 ? err : 0;
}

int ruleset_write(const struct ruleset *s, const struct loader_config *c, uint64_t cookie,
		  const void *rules, size_t nr, struct error *e)
{
	int err = -EAGAIN;

	/* Another namespace's last rule may have taken it out in between. */
	for (int i = 0; err == -EAGAIN && i < TRIES; i++)
		err = write_once(s, c, cookie, rules, nr, e);
	if (err == -EAGAIN)
		error_set(e, err, "%s is unloaded by another process as often as it is loaded",
			  s->tool.name);
	return err;
}
