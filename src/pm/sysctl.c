// SPDX-License-Identifier: GPL-2.0-only
/*
 * net.mptcp sysctls, and net.ipv4.tcp_fastopen. A path under /proc/sys/net is looked up in the
 * network namespace of the task that opens it, so opening after setns() is enough and no /proc has
 * to be mounted.
 */
#include "pm/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

#define SYSCTL_FOLDER "/proc/sys/net/mptcp"
#define FASTOPEN      "/proc/sys/net/ipv4/tcp_fastopen"

static int sysctl_open(const char *name, int flags, struct error *e)
{
	char path[128];
	int fd, code;

	snprintf(path, sizeof(path), "%s/%s", SYSCTL_FOLDER, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	code = -errno;
	if (code == -ENOENT) {
		error_set(e, -EOPNOTSUPP, "this kernel has no sysctl net.mptcp.%s", name);
		error_hint(e, "boot a kernel with MPTCP that has it, such as Debian's "
			      "linux-image-amd64 of bookworm-backports");
		return -EOPNOTSUPP;
	}
	if (code == -EPERM || code == -EACCES) {
		error_set(e, -EPERM,
			  "cannot open sysctl net.mptcp.%s: permission denied, "
			  "CAP_NET_ADMIN is missing",
			  name);
		error_hint(e, "run it as root, e.g. with sudo");
		return -EPERM;
	}
	return error_set(e, code, "cannot open %s: %s", path, strerror(-code));
}

int pm_sysctl_read(const char *name, char *out, size_t size, struct error *e)
{
	_cleanup_close_ int fd = sysctl_open(name, O_RDONLY, e);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, out, size - 1);
	if (n < 0)
		return error_set(e, -errno, "cannot read sysctl net.mptcp.%s: %s", name,
				 strerror(errno));
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

int pm_sysctl_write(const char *name, const char *value, struct error *e)
{
	_cleanup_close_ int fd = sysctl_open(name, O_WRONLY, e);

	if (fd < 0)
		return fd;
	if (write(fd, value, strlen(value)) >= 0)
		return 0;
	return error_set(e, -errno, "cannot set net.mptcp.%s to %s: %s", name, value,
			 strerror(errno));
}

int pm_sysctl_set_scheduler(const char *scheduler, struct error *e)
{
	_cleanup_close_ int fd = sysctl_open("scheduler", O_WRONLY, e);
	char available[192] = "";
	int code;

	if (fd < 0)
		return fd;
	if (write(fd, scheduler, strlen(scheduler)) >= 0)
		return 0;
	code = -errno;
	if (code != -ENOENT && code != -EINVAL)
		return error_set(e, code, "cannot set net.mptcp.scheduler to \"%s\": %s", scheduler,
				 strerror(-code));
	error_set(e, code, "cannot set net.mptcp.scheduler: the kernel has no scheduler \"%s\"",
		  scheduler);
	if (pm_sysctl_read("available_schedulers", available, sizeof(available), NULL) == 0)
		error_hint(e, "available: %s", available);
	return code;
}

void pm_sysctl_fastopen(int *out)
{
	_cleanup_close_ int fd = open(FASTOPEN, O_RDONLY | O_CLOEXEC);
	char value[16] = "";

	*out = -1;
	if (fd >= 0 && read(fd, value, sizeof(value) - 1) > 0)
		*out = atoi(value);
}

int pm_sysctl_set_fastopen(int bits, struct error *e)
{
	_cleanup_close_ int fd = open(FASTOPEN, O_WRONLY | O_CLOEXEC);
	char value[16];

	snprintf(value, sizeof(value), "%d", bits);
	if (fd >= 0 && write(fd, value, strlen(value)) >= 0)
		return 0;
	return error_set(e, -errno, "cannot set net.ipv4.tcp_fastopen to %s: %s", value,
			 strerror(errno));
}

/* Values of pm_type. */
static const char *const managers[] = { "kernel", "userspace" };

int pm_sysctl_manager(char out[PM_MANAGER_BYTES], struct error *e)
{
	char type[PM_MANAGER_BYTES];
	int err = pm_sysctl_read("path_manager", out, PM_MANAGER_BYTES, NULL);

	if (err != -EOPNOTSUPP)
		return err < 0 ? error_set(e, err, "cannot read sysctl net.mptcp.path_manager: %s",
					   strerror(-err))
			       : 0;
	err = pm_sysctl_read("pm_type", type, sizeof(type), e);
	if (err < 0)
		return err;
	snprintf(out, PM_MANAGER_BYTES, "%s", managers[type[0] == '1']);
	return 0;
}

int pm_sysctl_set_manager(const char *manager, struct error *e)
{
	_cleanup_close_ int fd = sysctl_open("path_manager", O_WRONLY, NULL);
	const char *value = manager;
	struct error ignored;

	if (fd < 0) {
		value = strcmp(manager, managers[1]) == 0 ? "1" : "0";
		fd = sysctl_open("pm_type", O_WRONLY, e ? e : &ignored);
	}
	if (fd < 0)
		return e ? e->code : ignored.code;
	if (write(fd, value, strlen(value)) >= 0)
		return 0;
	return error_set(e, -errno, "cannot set net.mptcp.path_manager to \"%s\": %s", manager,
			 strerror(errno));
}
