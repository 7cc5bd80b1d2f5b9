// SPDX-License-Identifier: GPL-2.0-only
/* Loading and replacing struct_ops tables; see attach.h. */
#include "loader/attach.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "loader/bpflog.h"
#include "loader/checkpoint.h"
#include "loader/ops.h"
#include "util/cleanup.h"

void attach_link_close(struct bpf_link **link)
{
	bpf_link__destroy(*link);
	*link = NULL;
}

int attach_load(struct attach *a, struct error *e)
{
	const char *why;
	int err;

	bpflog_start();
	err = bpf_object__load(a->obj);
	if (err == 0)
		return 0;
	why = bpflog_summary();
	if (err == -EPERM && geteuid() != 0) {
		error_set(e, -EPERM, "not allowed to load %s %s", a->kind, a->name);
		return error_hint(e, "CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN are needed");
	}
	/* A verifier's -EACCES is no matter of permissions. */
	error_set(e, err == -EPERM || err == -EACCES ? -EINVAL : err,
		  "the kernel refused %s %s: %s", a->kind, a->name, why[0] ? why : strerror(-err));
	return error_hint(e, "mptcp-pmctl doctor says what this kernel supports");
}

bool attach_is_running(const struct attach *a, int old_map_fd)
{
	_cleanup_free_ struct ops *both = calloc(2, sizeof(*both));

	return both && ops_from_object(a->obj, a->map, &both[0]) == 0 &&
	       ops_from_kernel(old_map_fd, &both[1]) == 0 && ops_equal(&both[0], &both[1]);
}

/* libbpf fills the kernel's side of a struct_ops map only on attaching; attaching under a name that
 * is taken fails with EEXIST after that, and the map is then ready to be put behind the link that
 * holds the name. */
int attach_swap(struct attach *a, int link_fd, int old_map_fd, struct error *e)
{
	LIBBPF_OPTS(bpf_link_update_opts, opts, .flags = BPF_F_REPLACE,
		    .old_map_fd = (uint32_t)old_map_fd);
	_cleanup_(attach_link_close) struct bpf_link *link = NULL;

	bpflog_start();
	link = bpf_map__attach_struct_ops(a->map);
	if (link)
		return error_set(e, -EAGAIN, "%s %s went away while it was being replaced", a->kind,
				 a->name);
	if (errno != EEXIST)
		return error_set(e, -errno, "cannot prepare %s %s: %s", a->kind, a->name,
				 strerror(errno));
	loader_checkpoint("attached");
	if (bpf_link_update(link_fd, bpf_map__fd(a->map), &opts) < 0)
		return error_set(e, -errno, "cannot replace %s %s: %s; the former one still runs",
				 a->kind, a->name, strerror(errno));
	loader_checkpoint("updated");
	return 0;
}
