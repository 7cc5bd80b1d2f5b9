// SPDX-License-Identifier: GPL-2.0-only
/* Rules for programs; see programs.h. */
#include "loader/programs.h"

#include <bpf/btf.h>
#include <errno.h>

#include "loader/ruleset.h"
#include "util/cleanup.h"

#define HOOK "update_socket_protocol"

static const struct ruleset programs = {
	.tool = {
		.name = "mptcpify",
		.object = "select/mptcpify",
		.precious = true,
		.needs = "it takes BPF programs that modify a return value (fmod_ret): "
			 "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS, and no lockdown of tracing",
	},
	.map = "programs",
	.program = "mptcpify",
	.what = "rules for programs",
	.bytes = sizeof(struct mptcp_program),
	.max = MPTCP_PROGRAMS_MAX,
};

_Static_assert(sizeof(struct mptcp_program_key) == sizeof(struct mptcp_select_key),
	       "one form of keys");

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
		return tool_try(&programs.tool, c, &outcome, e);
	error_set(e, -EOPNOTSUPP, "mptcpify needs " HOOK "() in the kernel, which this one lacks");
	return error_hint(e, "Linux 6.6 or newer, with CONFIG_MPTCP and CONFIG_BPF_SYSCALL");
}

int loader_programs_read(const struct loader_config *c, uint64_t cookie,
			 struct mptcp_program rules[MPTCP_PROGRAMS_MAX], size_t *nr,
			 struct error *e)
{
	return ruleset_read(&programs, c, cookie, rules, nr, e);
}

int loader_programs_write(const struct loader_config *c, uint64_t cookie,
			  const struct mptcp_program *rules, size_t nr, struct error *e)
{
	return ruleset_write(&programs, c, cookie, rules, nr, e);
}
