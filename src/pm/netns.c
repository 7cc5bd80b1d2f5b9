// SPDX-License-Identifier: GPL-2.0-only
/* Network namespaces: entering one, and telling one from another. */
#include "pm/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pm/pm.h"
#include "util/cleanup.h"

#define NETNS_FOLDER	 "/run/netns"
#define NETNS_PATH_BYTES 512

#ifndef SO_NETNS_COOKIE /* include/uapi/asm-generic/socket.h, since 5.14 */
#define SO_NETNS_COOKIE 71
#endif

static void close_folder(DIR **d)
{
	if (*d)
		closedir(*d);
}

int pm_netns_enter(const char *name, struct error *e)
{
	_cleanup_close_ int fd = -1;
	char path[512];
	int code;

	if (!name)
		return 0;
	if (snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : NETNS_FOLDER "/", name) >=
	    (int)sizeof(path))
		return error_set(e, -ENAMETOOLONG, "network namespace name is too long: %s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		code = -errno;
		error_set(e, code, "cannot open network namespace \"%s\" (%s): %s", name, path,
			  strerror(-code));
		if (code == -ENOENT)
			error_hint(e, "list them: ip netns list");
		return code;
	}
	if (setns(fd, CLONE_NEWNET) == 0)
		return 0;
	code = -errno;
	if (code == -EPERM) {
		error_set(e, code,
			  "cannot enter network namespace \"%s\": permission denied, "
			  "CAP_SYS_ADMIN is missing",
			  name);
		error_hint(e, "run it as root, e.g. with sudo");
		return code;
	}
	if (code == -EINVAL)
		return error_set(e, code, "cannot enter \"%s\": it is not a network namespace",
				 path);
	return error_set(e, code, "cannot enter network namespace \"%s\": %s", name,
			 strerror(-code));
}

int pm_netns_identify(struct pm_netns *out, struct error *e)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(out->cookie);
	struct stat st;

	if (stat("/proc/thread-self/ns/net", &st) < 0)
		return error_set(e, -errno, "cannot identify the network namespace: %s",
				 strerror(errno));
	out->inode = st.st_ino;
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &out->cookie, &size) < 0)
		out->cookie = 0;
	return 0;
}

void pm_netns_name(uint64_t inode, char *out, size_t size)
{
	_cleanup_(close_folder) DIR *d = opendir("/run/netns");
	struct dirent *entry;
	struct stat st;
	char path[512];

	out[0] = '\0';
	while (d && (entry = readdir(d))) {
		snprintf(path, sizeof(path), "/run/netns/%s", entry->d_name);
		if (entry->d_name[0] != '.' && stat(path, &st) == 0 && st.st_ino == inode)
			snprintf(out, size, "%s", entry->d_name);
	}
}

static bool folder_has(const char *folder, const char *suffix, uint64_t inode,
		       char path[NETNS_PATH_BYTES])
{
	_cleanup_(close_folder) DIR *d = opendir(folder);
	struct dirent *entry;
	struct stat st;

	while (d && (entry = readdir(d))) {
		snprintf(path, NETNS_PATH_BYTES, "%s/%s%s", folder, entry->d_name, suffix);
		if (stat(path, &st) == 0 && st.st_ino == inode)
			return true;
	}
	return false;
}

static bool mounts_have(uint64_t inode)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	char name[48];

	snprintf(name, sizeof(name), "net:[%" PRIu64 "]", inode);
	while (f && getline(&line, &size, f) > 0)
		if (strstr(line, name))
			return true;
	return false;
}

bool pm_netns_alive(uint64_t inode)
{
	char path[NETNS_PATH_BYTES];

	return folder_has(NETNS_FOLDER, "", inode, path) ||
	       folder_has("/proc", "/ns/net", inode, path) || mounts_have(inode);
}

/* In a process of its own, since a thread that cannot go back would be lost. */
static bool has_cookie(const char *path, uint64_t cookie)
{
	pid_t child = fork();
	int status = 1;

	if (child == 0) {
		struct pm_netns ns = { 0 };

		_exit(pm_netns_enter(path, NULL) < 0 || pm_netns_identify(&ns, NULL) < 0 ||
		      ns.cookie != cookie);
	}
	/* When it cannot be told, it is taken to be alive. */
	if (child < 0)
		return true;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}

bool pm_netns_alive_as(uint64_t inode, uint64_t cookie)
{
	char path[NETNS_PATH_BYTES];

	if (folder_has(NETNS_FOLDER, "", inode, path) ||
	    folder_has("/proc", "/ns/net", inode, path))
		return has_cookie(path, cookie);
	return mounts_have(inode);
}
