// SPDX-License-Identifier: GPL-2.0-only
/* SYN rescue taken away without breaking what depends on it; see rescue.h. */
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "loader/rescue.h"
#include "loader/rescue_pins.h"
#include "util/cleanup.h"

static int stop_copying(const struct loader_config *c, uint64_t cookie, struct error *e)
{
	_cleanup_free_ struct rescue_config *now = calloc(1, sizeof(*now));
	_cleanup_close_ int fd = rescue_pin_open(c, cookie, "settings");
	uint32_t zero = 0;
	int err;

	if (!now)
		return error_set(e, -ENOMEM, "out of memory");
	if (fd < 0 || bpf_map_lookup_elem(fd, &zero, now) < 0)
		return 0;
	now->on = 0;
	now->data_listed = 0;
	now->data_hold_ms = 0;
	if (bpf_map_update_elem(fd, &zero, now, BPF_ANY) < 0)
		return error_set(e, -errno, "cannot write the settings of SYN rescue: %s",
				 strerror(errno));
	err = rescue_pin_remove(c, cookie, "timer", e);
	return err < 0 ? err : rescue_pin_remove(c, cookie, "data", e);
}

/* Without its interface nothing of it is left to break. */
static bool would_break(const struct rescue_flow *f)
{
	char name[IF_NAMESIZE];

	return loader_rescue_rides(f) &&
	       if_indextoname(f->routes[f->winner - 1].ifindex, name) != NULL;
}

int loader_rescue_unload(const struct loader_config *c, uint64_t cookie, bool force,
			 struct error *e)
{
	_cleanup_free_ struct loader_rescue_flow *flows = NULL;
	_cleanup_close_ int lock = -1;
	size_t nr = 0, riding = 0;
	int err;

	lock = rescue_pin_lock(c, e);
	if (lock < 0)
		return lock;
	rescue_pin_tidy(c, cookie);
	err = stop_copying(c, cookie, e);
	if (err == 0)
		err = loader_rescue_flows(c, cookie, &flows, &nr, e);
	if (err < 0)
		return err;
	for (size_t i = 0; i < nr; i++)
		riding += would_break(&flows[i].flow);
	if (riding && !force) {
		error_set(e, -EBUSY,
			  "%zu connection%s still use%s the address of another path, so SYN "
			  "rescue stays until they are closed; no further one is rescued",
			  riding, riding == 1 ? "" : "s", riding == 1 ? "s" : "");
		return error_hint(e, "mptcp-pmctl establish list; unload --force cuts them off");
	}
	return rescue_pin_folder_remove(c, cookie, e);
}
