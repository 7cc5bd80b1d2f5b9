// SPDX-License-Identifier: GPL-2.0-only
/* Another scheduler for a live connection: one run of a syscall program. */
#include "loader/loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/types.h>
#include <string.h>

#include "loader/bpflog.h"
#include "loader/object.h"
#include "mptcp_connset.h"
#include "util/cleanup.h"

#define TOOL	"select/connset"
#define PROGRAM "connset"

static int run(struct bpf_object *obj, struct mptcp_connset *ctx, int *answer, struct error *e)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx, .ctx_size_in = sizeof(*ctx));
	struct bpf_program *p = bpf_object__find_program_by_name(obj, PROGRAM);
	int err;

	if (!p)
		return error_set(e, -EINVAL, "the object " TOOL " has no program " PROGRAM);
	bpflog_start();
	err = bpf_object__load(obj);
	if (err < 0) {
		error_set(e, err == -EPERM ? err : -EOPNOTSUPP, "the kernel refused " TOOL ": %s",
			  bpflog_summary());
		return error_hint(e, "is the module loaded, and as new as this program? "
				     "mptcp-pmctl doctor");
	}
	err = bpf_prog_test_run_opts(bpf_program__fd(p), &opts);
	if (err < 0)
		return error_set(e, err, "cannot run " TOOL ": %s", strerror(-err));
	*answer = (int)opts.retval;
	return 0;
}

int loader_conn_set(const struct loader_config *c, uint64_t netns_cookie, uint32_t token,
		    const char *scheduler, struct error *e)
{
	struct mptcp_connset ctx = { .netns_cookie = netns_cookie, .token = token };
	_cleanup_(object_close) struct bpf_object *obj = NULL;
	_cleanup_free_ char *path = NULL;
	int answer = 0, err;

	if (!scheduler_name_valid(scheduler))
		return error_set(e, -EINVAL, "\"%s\" is not a scheduler name", scheduler);
	snprintf(ctx.scheduler, sizeof(ctx.scheduler), "%s", scheduler);
	if (!loader_module_loaded()) {
		error_set(e, -EOPNOTSUPP,
			  "the module mptcp_bpf is not loaded, so no connection has "
			  "a BPF scheduler");
		return error_hint(e, "mptcp-pmctl sched load %s", scheduler);
	}
	err = object_find_tool(c, TOOL, &path, e);
	if (err == 0)
		err = object_open(path, &obj, e);
	if (err == 0)
		err = run(obj, &ctx, &answer, e);
	if (err < 0)
		return err;
	if (answer == -ENOENT) {
		error_set(e, answer, "scheduler %s is not loaded", scheduler);
		return error_hint(e, "mptcp-pmctl sched load %s", scheduler);
	}
	if (answer < 0)
		return error_set(e, answer, "cannot give connection %08x scheduler %s: %s", token,
				 scheduler, strerror(-answer));
	return 0;
}
