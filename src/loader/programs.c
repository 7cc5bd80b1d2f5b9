// SPDX-License-Identifier: GPL-2.0-only
/* Rules for programs; see programs.h. */
#include "loader/programs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "loader/tool.h"
#include "util/cleanup.h"

#define HOOK	"update_socket_protocol"
#define MAP	"programs"
#define PROGRAM "mptcpify"
#define TRIES	3

static const struct tool tool = {
	.name = "mptcpify",
	.object = "select/mptcpify",
	.precious = true,
	.needs = "it takes BPF programs that modify a return value (fmod_ret): "
		 "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS, and no lockdown of tracing",
};

static void cleanup_btf(struct btf **btf)
{
	btf__free(*btf);
}

int loader_programs_try(const struct loader_config *c, struct error *e)
{
	_cleanup_(cleanup_btf) struct btf *btf = btf__load_vmlinux_btf();
	enum loader_outcome outcome;

	if (!btf) {
		error_set(e, -EOPNOTSUPP, "mptcpify needs BTF, which this kernel lacks");
		return error_hint(e, "a kernel built with CONFIG_DEBUG_INFO_BTF");
	}
	if (btf__find_by_name_kind(btf, HOOK, BTF_KIND_FUNC) >= 0)
		return tool_try(&tool, c, &outcome, e);
	error_set(e, -EOPNOTSUPP, "mptcpify needs " HOOK "() in the kernel, which this one lacks");
	return error_hint(e, "Linux 6.6 or newer, with CONFIG_MPTCP and CONFIG_BPF_SYSCALL");
}

static struct mptcp_program_key key_of(uint64_t cookie, size_t index)
{
	return (struct mptcp_program_key){ .netns_cookie = cookie, .index = (uint32_t)index };
}

static size_t read_all(int fd, uint64_t cookie, struct mptcp_program *rules)
{
	size_t n = 0;

	for (; n < MPTCP_PROGRAMS_MAX; n++) {
		struct mptcp_program_key key = key_of(cookie, n);

		if (bpf_map_lookup_elem(fd, &key, &rules[n]) < 0)
			break;
	}
	return n;
}

int loader_programs_read(const struct loader_config *c, uint64_t cookie,
			 struct mptcp_program rules[MPTCP_PROGRAMS_MAX], size_t *nr,
			 struct error *e)
{
	_cleanup_close_ int fd = tool_map(&tool, c, MAP);

	*nr = 0;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return error_set(e, fd, "cannot open the rules for programs: %s", strerror(-fd));
	*nr = read_all(fd, cookie, rules);
	return 0;
}

/* From the first one on; what is beyond them is cut. */
static int put(int fd, uint64_t cookie, const struct mptcp_program *rules, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct mptcp_program_key key = key_of(cookie, i);

		if (bpf_map_update_elem(fd, &key, &rules[i], BPF_ANY) < 0)
			return -errno;
	}
	for (size_t i = nr; i < MPTCP_PROGRAMS_MAX; i++) {
		struct mptcp_program_key key = key_of(cookie, i);

		if (bpf_map_delete_elem(fd, &key) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int write_once(const struct loader_config *c, uint64_t cookie,
		      const struct mptcp_program *rules, size_t nr, struct error *e)
{
	struct mptcp_program before[MPTCP_PROGRAMS_MAX];
	enum loader_outcome outcome;
	_cleanup_close_ int fd = -1;
	size_t nr_before;
	int err = nr ? tool_load(&tool, c, &outcome, e) : 0;

	if (err < 0)
		return err;
	fd = tool_map(&tool, c, MAP);
	if (fd == -ENOENT)
		return nr ? -EAGAIN : 0;
	if (fd < 0)
		return error_set(e, fd, "cannot open the rules for programs: %s", strerror(-fd));
	nr_before = read_all(fd, cookie, before);
	err = put(fd, cookie, rules, nr);
	if (err == 0 && nr)
		return tool_loaded(&tool, c, PROGRAM) ? 0 : -EAGAIN;
	if (err == 0) {
		err = tool_unload_unused(&tool, c, MAP, e);
		return err < 0 ? err : 0;
	}
	error_set(e, err, "cannot write the rules for programs: %s", strerror(-err));
	if (put(fd, cookie, before, nr_before) < 0)
		error_hint(e, "the former rules could not be put back: mptcp-pmctl unload");
	return err;
}

int loader_programs_write(const struct loader_config *c, uint64_t cookie,
			  const struct mptcp_program *rules, size_t nr, struct error *e)
{
	int err = -EAGAIN;

	/* Another namespace's last rule may have taken it out in between. */
	for (int i = 0; err == -EAGAIN && i < TRIES; i++)
		err = write_once(c, cookie, rules, nr, e);
	if (err == -EAGAIN)
		error_set(e, err,
			  "mptcpify is unloaded by another process as often as it is loaded");
	return err;
}
