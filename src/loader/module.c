// SPDX-License-Identifier: GPL-2.0-only
/* The kernel module: present, made present, removed. */
#include "loader/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "loader/names.h"
#include "loader/proc.h"
#include "util/cleanup.h"

static int insert_error(const char *path, int err, struct error *e)
{
	struct utsname u;

	uname(&u);
	switch (err) {
	case ENOSYS:
		error_set(e, -EOPNOTSUPP, "cannot load %s: this kernel has no loadable modules",
			  path);
		return error_hint(e, "boot a kernel built with CONFIG_MODULES=y");
	case ENOEXEC:
		error_set(e, -EOPNOTSUPP, "%s was not built for this kernel (%s)", path, u.release);
		return error_hint(e, "make kmod KVER=%s", u.release);
	case EPERM:
		error_set(e, -EPERM, "the kernel refused to load %s: %s", path, strerror(err));
		return error_hint(e, "CAP_SYS_MODULE is needed; with Secure Boot the module has "
				     "to be signed");
	case EKEYREJECTED:
		error_set(e, -EPERM, "the kernel does not trust the signature of %s", path);
		return error_hint(e, "sign it with a key enrolled by mokutil");
	default:
		error_set(e, -err, "cannot load %s: %s", path, strerror(err));
		return error_hint(e, "dmesg | tail says what the kernel disliked");
	}
}

static int insert(const char *path, struct error *e)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(e, -errno, "cannot open module %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(e, -EINVAL, "module %s is not a regular file", path);
	if (st.st_uid != 0) {
		error_set(e, -EPERM, "module %s does not belong to root", path);
		return error_hint(e, "chown root %s", path);
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		error_set(e, -EPERM, "module %s can be written by others than its owner", path);
		return error_hint(e, "chmod go-w %s", path);
	}
	if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
		return insert_error(path, errno, e);
	return 0;
}

/* Runs modprobe; the first line it complains with goes to `complaint`. Its status, or -errno. */
static int run_modprobe(char *complaint, size_t size)
{
	static const char *const places[] = { "/usr/sbin/modprobe", "/sbin/modprobe" };
	char *argv[] = { "modprobe", LOADER_MODULE, NULL };
	char *envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	_cleanup_close_ int in = -1, out = -1;
	posix_spawn_file_actions_t fa;
	int pipefd[2], rc = ENOENT, status;
	ssize_t n;
	pid_t pid;

	complaint[0] = '\0';
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return -errno;
	in = pipefd[0];
	out = pipefd[1];
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&fa, out, STDERR_FILENO);
	for (size_t i = 0; rc == ENOENT && i < sizeof(places) / sizeof(places[0]); i++)
		rc = posix_spawn(&pid, places[i], &fa, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&fa);
	if (rc)
		return -rc;
	close(TAKE_FD(out));
	n = read(in, complaint, size - 1);
	complaint[n > 0 ? n : 0] = '\0';
	complaint[strcspn(complaint, "\n")] = '\0';
	/* Nothing more is wanted; a full pipe must not keep modprobe from ending. */
	close(TAKE_FD(in));
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

static int modprobe(struct error *e)
{
	char complaint[256];
	int rc = run_modprobe(complaint, sizeof(complaint));

	if (rc == 0)
		return 0;
	if (rc < 0)
		error_set(e, -EOPNOTSUPP,
			  "module " LOADER_MODULE " is not loaded, and modprobe "
			  "cannot be run: %s",
			  strerror(-rc));
	else
		error_set(e, strstr(complaint, "not permitted") ? -EPERM : -EOPNOTSUPP,
			  "module " LOADER_MODULE " is not loaded, and modprobe failed: %s",
			  complaint);
	return error_hint(e, "sudo make install-dkms in the source tree, or --module PATH");
}

bool loader_module_loaded(void)
{
	return access(LOADER_MODULE_SYSFS, F_OK) == 0;
}

int loader_module_ensure(const struct loader_config *c, struct error *e)
{
	int err;

	if (loader_module_loaded())
		return 0;
	err = c && c->module_path ? insert(c->module_path, e) : modprobe(e);
	if (err < 0)
		return err;
	if (!loader_module_loaded())
		return error_set(e, -EIO, "module " LOADER_MODULE " was loaded but did not stay");
	return 0;
}

static int busy(struct error *e)
{
	_cleanup_free_ struct loader_sched *list = NULL;
	char names[256] = "";
	size_t nr = 0, at = 0;

	if (loader_proc_read(&list, &nr, NULL) < 0)
		nr = 0;
	for (size_t i = 0; i < nr && at < sizeof(names); i++) {
		int n = snprintf(names + at, sizeof(names) - at, "%s%s (%llu connections)",
				 i ? ", " : "", list[i].name,
				 (unsigned long long)list[i].connections);

		at += n > 0 ? (size_t)n : 0;
	}
	if (nr == 0)
		return error_set(e, -EBUSY, "module " LOADER_MODULE " is in use");
	error_set(e, -EBUSY, "module " LOADER_MODULE " is in use by scheduler%s %s",
		  nr > 1 ? "s" : "", names);
	return error_hint(e, "mptcp-pmctl sched unload NAME");
}

int loader_module_unload(const struct loader_config *c, struct error *e)
{
	(void)c;
	if (!loader_module_loaded())
		return 0;
	if (syscall(SYS_delete_module, LOADER_MODULE, O_NONBLOCK) == 0)
		return 0;
	if (errno == EBUSY || errno == EWOULDBLOCK)
		return busy(e);
	if (errno == EPERM) {
		error_set(e, -EPERM, "not allowed to remove module " LOADER_MODULE);
		return error_hint(e, "CAP_SYS_MODULE is needed");
	}
	return error_set(e, -errno, "cannot remove module " LOADER_MODULE ": %s", strerror(errno));
}
