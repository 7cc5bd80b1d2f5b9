// SPDX-License-Identifier: GPL-2.0-only
/* A lock file that says whose it is; see lock.h. */
#include "daemon/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "pm/state.h"
#include "util/cleanup.h"

void daemon_path(const char *name, const struct pm_netns *ns, char *out, size_t size)
{
	snprintf(out, size, "%s/%s-%" PRIu64, pm_state_folder(), name, ns->inode);
}

static int refused(const char *path, int code, struct error *e)
{
	error_set(e, code, "cannot lock %s: %s", path, strerror(-code));
	if (code == -EACCES || code == -EPERM)
		error_hint(e, "run it as root");
	return code;
}

static int busy(int fd, struct error *e)
{
	char pid[24] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	error_set(e, -EBUSY, "a daemon runs in this network namespace already (process %s)", pid);
	return error_hint(e, "give it another policy: mptcp-pmctl apply FILE; or stop it first: "
			     "systemctl stop mptcp-pm");
}

int daemon_lock(const struct pm_netns *ns, struct error *e)
{
	_cleanup_close_ int fd = -1;
	char path[512];

	if (mkdir(pm_state_folder(), 0755) < 0 && errno != EEXIST)
		return refused(pm_state_folder(), -errno, e);
	daemon_path("daemon", ns, path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return refused(path, -errno, e);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? busy(fd, e) : refused(path, -errno, e);
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return refused(path, -errno, e);
	return TAKE_FD(fd);
}
