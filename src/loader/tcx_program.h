/* SPDX-License-Identifier: GPL-2.0-only */
/* A tcx program of our own and its maps, loaded for a network namespace: what is pinned already is
 * gone on with. */
#ifndef LOADER_TCX_PROGRAM_H
#define LOADER_TCX_PROGRAM_H

#include <bpf/libbpf.h>
#include <stdbool.h>

#include "loader/tcx_pins.h"

#define TCX_MAPS_MAX 8

struct tcx_program {
	struct tcx_pins pins;
	const char *object;	 /* "guard/guard" */
	const char *name;	 /* of the program */
	const char *const *maps; /* those that are pinned, at most TCX_MAPS_MAX */
	size_t nr_maps;
	struct bpf_object *obj;
	struct bpf_program *program;
	bool fresh; /* the maps are new */
};

/* Loads it with the maps there are, or with new ones when those do not fit. */
int tcx_program_load(struct tcx_program *p, struct error *e);
/* Idempotent. */
void tcx_program_close(struct tcx_program *p);

/* The descriptor stays the object's. */
int tcx_program_map(const struct tcx_program *p, const char *name);

/* Makes the folder and pins new maps in it, in the place of what was there. */
int tcx_program_pin(const struct tcx_program *p, struct error *e);

/* Is what runs behind a link the program that was loaded? */
bool tcx_program_is_running(const struct tcx_program *p, uint32_t prog_id);

/* Before all others of the interface, unless it is there; another version is replaced live. The
 * calling thread is in the namespace. */
int tcx_program_attach(const struct tcx_program *p, uint32_t ifindex, struct error *e);

#endif
