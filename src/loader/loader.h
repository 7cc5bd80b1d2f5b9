/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Schedulers in the kernel: the module, BPF objects, pins.
 *
 * A loaded scheduler is one pinned struct_ops link, BPFFS/mptcp-pm/sched/NAME. The link is the
 * only state there is: publishing it (pin), replacing what is behind it (link update) and removing
 * it (unlink) are single steps, so a loader killed at any instant leaves the old or the new state;
 * what was loaded but not yet pinned disappears with the process. Who loaded it, when, and whether
 * an object on disk is what runs is read back from the kernel (program info, program tags and the
 * contents of .rodata), never from a note of ours.
 */
#ifndef LOADER_LOADER_H
#define LOADER_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define LOADER_NAME_BYTES      16 /* MPTCP_SCHED_NAME_MAX, NUL included */
#define LOADER_KNOB_VALUES_MAX 16

struct loader_knob {
	const char *name;	/* a `const volatile` variable of the object */
	const uint64_t *values; /* one for a scalar, more for an array */
	size_t nr_values;
};

/* Where things are. NULL members take the defaults below. All strings are borrowed. */
struct loader_config {
	const char *module_path; /* mptcp_bpf.ko; NULL: modprobe mptcp_bpf */
	const char *object_dir;	 /* NULL: $MPTCP_PM_BPF_DIR, bpf/ beside the program, LIBDIR */
	const char *bpffs;	 /* NULL: $MPTCP_PM_BPFFS, /sys/fs/bpf; mounted when it is not */
};

enum loader_outcome {
	LOADER_LOADED,	  /* was not there before */
	LOADER_SWAPPED,	  /* replaced live; connections kept */
	LOADER_UNCHANGED, /* the same code and settings already run */
};

struct loader_sched {
	char name[LOADER_NAME_BYTES];
	bool pinned;	 /* under our directory, so ours to unload */
	bool registered; /* known to the module */
	uint32_t link_id, map_id;
	uint32_t uid;	      /* who loaded the programs */
	uint64_t loaded_at_s; /* UNIX time */
	/* counters from /proc/mptcp_bpf, since this scheduler was registered */
	uint64_t connections, decisions, scheduled, waited, retransmits, stalls, refused, errors,
		slow, ejected;
	/* decisions by reason (enum mptcp_bpf_reason), and what they sent */
	uint64_t fastest, spilled, backup, deferred, redundant, reinjected, probe;
	uint64_t sent_bytes, reinjected_bytes;
	char state[16]; /* "ok" or why the module stopped calling it */
};

/* A connection that has a scheduler of the module, from /proc/net/mptcp_bpf. */
struct loader_conn {
	uint32_t token;
	char scheduler[LOADER_NAME_BYTES];
	char state[16]; /* "ok", or why the built-in scheduler decides instead */
	char by[8];	/* who chose it: sysctl, rule, hand */
	uint32_t rule;	/* number of the rule in the policy; 0: none */
	uint64_t decisions, sent_bytes, reinjected_bytes;
};

/* Those of the thread's network namespace; *known is false when the module is not loaded. The
 * caller frees *out. */
int loader_conn_list(struct loader_conn **out, size_t *nr, bool *known, struct error *e);

/*
 * Gives a live connection another scheduler from its next decision on. -ESRCH: the module knows no
 * connection of this token in the namespace of this cookie (SO_NETNS_COOKIE); -ENOENT: no such
 * scheduler is loaded; -EOPNOTSUPP: no module, or one that cannot do it.
 */
int loader_conn_set(const struct loader_config *c, uint64_t netns_cookie, uint32_t token,
		    const char *scheduler, struct error *e);

/* Makes the module present: nothing if it is, insmod of module_path, or modprobe. */
int loader_module_ensure(const struct loader_config *c, struct error *e);
bool loader_module_loaded(void);
/* rmmod; -EBUSY with the schedulers and connections that hold it named in `e`. */
int loader_module_unload(const struct loader_config *c, struct error *e);

/*
 * Loads a scheduler by name (looked up in object_dir) or from a path containing a slash or ending
 * in ".bpf.o". A file that is group- or world-writable is refused (-EPERM). When a scheduler of
 * that name runs already, it is replaced live, or left alone if it is the same.
 * `name` gets the scheduler's own name (from its ops table). With `dry_run` nothing is changed;
 * the outcome is what would happen, judged by presence alone when the module is not loaded.
 */
int loader_sched_load(const struct loader_config *c, const char *name_or_path,
		      const struct loader_knob *knobs, size_t nr_knobs, bool dry_run,
		      char name[LOADER_NAME_BYTES], enum loader_outcome *outcome, struct error *e);

/* -ENOENT when no such scheduler is loaded, -EPERM when it is not ours and `force` is not set. */
int loader_sched_unload(const struct loader_config *c, const char *name, bool force,
			struct error *e);

/* Every scheduler that is pinned by us or registered with the module, by name; caller frees. */
int loader_sched_list(const struct loader_config *c, struct loader_sched **out, size_t *nr,
		      struct error *e);

/* All that libbpf and the verifier said in this thread about the last object that was opened or
 * loaded; "" if nothing. The error carries only the lines that matter. */
const char *loader_log(void);

/* What this kernel supports, each feature with the command that brings it when missing. */
enum loader_feature_id {
	FEATURE_MPTCP,	    /* level 0: the kernel has MPTCP and it is enabled here */
	FEATURE_NETLINK_PM, /* level 0: generic netlink family mptcp_pm */
	FEATURE_BTF,	    /* level 1 */
	FEATURE_CGROUP2,    /* level 1: mounted cgroup v2 */
	FEATURE_TCX,	    /* level 1 */
	FEATURE_BPFFS,	    /* level 1: mounted or mountable bpffs, for pins */
	FEATURE_STRUCT_OPS, /* level 2: struct_ops in modules: kernel symbol and libbpf */
	FEATURE_MODULE,	    /* level 2: mptcp_bpf loaded or installed */
	FEATURE_NR,
};

struct loader_feature {
	const char *name; /* static */
	int level;
	bool present;
	char detail[160]; /* what was seen */
	char fix[160];	  /* the one command that helps; empty when present */
};

struct loader_support {
	struct loader_feature features[FEATURE_NR];
	int level; /* highest level all of whose features are present; -1: none */
};

/* Never fails: a feature that cannot be looked at is reported missing with the reason. */
void loader_probe(const struct loader_config *c, struct loader_support *out);

#endif
