// SPDX-License-Identifier: GPL-2.0-only
/* A tracefs instance with the module's events on; see trace.h. */
#include "loader/trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "loader/names.h"
#include "util/cleanup.h"

#define TRACEFS	 "/sys/kernel/tracing"
#define FOLDER	 TRACEFS "/instances"
#define INSTANCE "mptcp-pmctl-"

static void close_folder(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int mounted(struct error *e)
{
	struct statfs fs;

	if (statfs(TRACEFS, &fs) == 0 && fs.f_type == TRACEFS_MAGIC)
		return 0;
	if (mount("tracefs", TRACEFS, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") == 0)
		return 0;
	if (errno == EPERM || errno == EACCES) {
		error_set(e, -EPERM, "no permission to mount tracefs on " TRACEFS);
		return error_hint(e, "run it with sudo");
	}
	error_set(e, -EOPNOTSUPP, "this machine has no tracefs on " TRACEFS ": %s",
		  strerror(errno));
	return error_hint(e, "mount -t tracefs tracefs " TRACEFS);
}

/* Leftovers of runs that were killed. */
static void remove_stale(void)
{
	_cleanup_(close_folder) DIR *d = opendir(FOLDER);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		char path[TRACE_PATH_BYTES];
		long pid;

		if (strncmp(entry->d_name, INSTANCE, strlen(INSTANCE)) != 0)
			continue;
		pid = strtol(entry->d_name + strlen(INSTANCE), NULL, 10);
		if (pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
			continue;
		snprintf(path, sizeof(path), FOLDER "/%.200s", entry->d_name);
		rmdir(path);
	}
}

static int write_file(const struct trace *t, const char *name, const char *text, struct error *e)
{
	_cleanup_close_ int fd = -1;
	char path[TRACE_PATH_BYTES + 64];

	snprintf(path, sizeof(path), "%s/%s", t->instance, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return error_set(e, -errno, "cannot write \"%s\" to %s: %s", text, path,
				 strerror(errno));
	return 0;
}

static int make_instance(struct trace *t, struct error *e)
{
	char path[TRACE_PATH_BYTES];

	snprintf(path, sizeof(path), FOLDER "/" INSTANCE "%d", (int)getpid());
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		error_set(e, errno == EACCES ? -EPERM : -errno, "cannot make %s: %s", path,
			  strerror(errno));
		return error_hint(e, "run it with sudo");
	}
	memcpy(t->instance, path, sizeof(path));
	snprintf(path, sizeof(path), "%.200s/events/" LOADER_MODULE, t->instance);
	if (access(path, F_OK) == 0)
		return 0;
	error_set(e, -EOPNOTSUPP,
		  "there are no trace events of the module " LOADER_MODULE
		  ": it is not loaded, or too old");
	return error_hint(e, "mptcp-pmctl sched load NAME; mptcp-pmctl doctor");
}

static int start(struct trace *t, const uint32_t *token, struct error *e)
{
	char text[TRACE_PATH_BYTES + 32];
	int err = make_instance(t, e);

	if (err == 0 && token) {
		snprintf(text, sizeof(text), "token == 0x%x", *token);
		err = write_file(t, "events/" LOADER_MODULE "/filter", text, e);
	}
	if (err < 0)
		return err;
	/* So that the times can be compared with those of other tools. */
	err = write_file(t, "trace_clock", "mono", e);
	if (err < 0)
		return err;
	snprintf(text, sizeof(text), "%s/trace_pipe", t->instance);
	t->pipe = open(text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (t->pipe < 0)
		return error_set(e, -errno, "cannot open %s: %s", text, strerror(errno));
	return write_file(t, "events/" LOADER_MODULE "/enable", "1", e);
}

int trace_open(struct trace *t, const uint32_t *token, struct error *e)
{
	int err;

	*t = (struct trace){ .pipe = -1 };
	err = mounted(e);
	if (err < 0)
		return err;
	remove_stale();
	err = start(t, token, e);
	if (err < 0)
		trace_close(t);
	return err;
}

void trace_close(struct trace *t)
{
	if (t->pipe >= 0)
		close(t->pipe);
	t->pipe = -1;
	if (t->instance[0])
		rmdir(t->instance);
	t->instance[0] = '\0';
}
