/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BPF objects that the loader runs for the program itself, without the module: each of their
 * programs is attached by a link pinned as BPFFS/mptcp-pm/NAME/PROGRAM, each of their maps is
 * pinned beside them. A pin is published by rename, so a loader killed at any instant leaves the
 * old or the new program; the next load finishes what it began.
 */
#ifndef LOADER_TOOL_H
#define LOADER_TOOL_H

#include "loader/loader.h"

struct tool {
	const char *name;   /* of the folder, e.g. "oracle" */
	const char *object; /* e.g. "oracle/oracle" */
	const char *needs;  /* what a kernel that refuses it may lack, for a hint */
	bool precious;	    /* its maps hold what nobody else knows */
	bool cgroup;	    /* its programs are for the sockets of a cgroup, see hook.h */
};

/* Through the verifier, and nothing more; *outcome is what a load would do. */
int tool_try(const struct tool *t, const struct loader_config *c, enum loader_outcome *outcome,
	     struct error *e);
/* Maps keep their contents when they are of the same form; else all of it is made anew, or, where
 * they are precious, it is an error. */
int tool_load(const struct tool *t, const struct loader_config *c, enum loader_outcome *outcome,
	      struct error *e);
/* Unless the map `users` has an entry: 1 then. Idempotent. Who makes an entry looks afterwards
 * whether it is still loaded. */
int tool_unload_unused(const struct tool *t, const struct loader_config *c, const char *users,
		       struct error *e);
/* A pinned map: its descriptor, -ENOENT when the tool is not loaded, or -errno. */
int tool_map(const struct tool *t, const struct loader_config *c, const char *name);
bool tool_loaded(const struct tool *t, const struct loader_config *c, const char *program);

#endif
