// SPDX-License-Identifier: GPL-2.0-only
/* The cgroup of programs for sockets; see hook.h. */
#include "loader/hook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cgroup.h"
#include "util/cleanup.h"

int hook_cgroup_open(const char *what, uint64_t *id, struct error *e)
{
	const char *env = secure_getenv("MPTCP_PM_CGROUP");
	const char *path = env && env[0] ? env : "/";
	_cleanup_close_ int fd = cgroup_open(path);
	uint32_t level;
	int err = fd < 0 ? fd : cgroup_find(path, id, &level);

	if (err == 0)
		return TAKE_FD(fd);
	if (err == -EOPNOTSUPP) {
		error_set(e, err, "%s needs cgroup v2, which is not mounted", what);
		return error_hint(e, "mount -t cgroup2 none /sys/fs/cgroup");
	}
	return error_set(e, err, "cannot open cgroup %s: %s", path, strerror(-err));
}
