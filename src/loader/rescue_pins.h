/* SPDX-License-Identifier: GPL-2.0-only */
/* BPFFS/mptcp-pm/rescue/COOKIE: what is pinned of SYN rescue for one network namespace. */
#ifndef LOADER_RESCUE_PINS_H
#define LOADER_RESCUE_PINS_H

#include "loader/pins.h"
#include "loader/rescue.h"

/* NULL: the folder. */
void rescue_pin_path(const struct loader_config *c, uint64_t cookie, const char *name,
		     char out[PINS_PATH_BYTES]);

/* A map or link. -ENOENT. */
int rescue_pin_open(const struct loader_config *c, uint64_t cookie, const char *name);
int rescue_pin_make(const struct loader_config *c, uint64_t cookie, const char *name, int fd,
		    struct error *e);
/* Nothing to remove is no error. */
int rescue_pin_remove(const struct loader_config *c, uint64_t cookie, const char *name,
		      struct error *e);

/* Makes BPFFS/mptcp-pm/rescue and waits until no other loader is at work. Returns a descriptor that
 * holds the lock. */
int rescue_pin_lock(const struct loader_config *c, struct error *e);

int rescue_pin_folder_make(const struct loader_config *c, uint64_t cookie, struct error *e);
/* With everything in it. */
int rescue_pin_folder_remove(const struct loader_config *c, uint64_t cookie, struct error *e);

/* Calls `each` with every namespace's cookie. */
void rescue_pin_each_folder(const struct loader_config *c,
			    void (*each)(uint64_t cookie, void *data), void *data);

/* Calls `each` for every pinned hook of an interface, which gets its name and ifindex, and may
 * remove it. */
void rescue_pin_each_hook(const struct loader_config *c, uint64_t cookie,
			  void (*each)(const char *name, uint32_t ifindex, void *data), void *data);

/* The link of an interface that was deleted; its ifindex may have come back. */
bool rescue_pin_leads_nowhere(int link_fd);

/* Frees what is pinned for namespaces that are gone: they took their interfaces along. `here` is
 * that of the thread and stays. */
void rescue_pin_tidy(const struct loader_config *c, uint64_t here);

#endif
