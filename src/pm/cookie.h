/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cookies that servers gave this machine for data in SYNs (TCP Fast Open). The kernel keeps
 * them with what it knows of a destination address (`ip tcp_metrics`), and one that it has is used;
 * where data is not to be in SYNs, it is better to have none: see bpf/establish/data.bpf.h.
 */
#ifndef PM_COOKIE_H
#define PM_COOKIE_H

#include "loader/rescue.h"
#include "pm/pm.h"

#define PM_COOKIES_HELD_MAX 256

struct pm_cookie_view {
	const struct rescue_config *settings;
	const struct loader_rescue_lost *held; /* destinations that data does not reach now */
	size_t nr_held;
};

/* Is a cookie of this address of no use? Ports do not count: a cookie is for all of them. Pure. */
bool pm_cookie_is_unwanted(const struct pm_cookie_view *v, const struct pm_address *remote);

/* Makes the kernel of the thread's network namespace forget those, and what else it measured of
 * these destinations. *nr: how many. */
int pm_cookie_forget(const struct pm_cookie_view *v, size_t *nr, struct error *e);

/* With what the programs of the namespace say. Nothing is done when they are not loaded. */
int pm_cookie_tidy(const struct loader_config *c, uint64_t cookie, struct error *e);

#endif
