// SPDX-License-Identifier: GPL-2.0-only
/* Capabilities; see caps.h. */
#include "util/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	enum cap bit;
	int number;
	const char *name;
} known[] = {
	{ CAP_BIT_NET_ADMIN, CAP_NET_ADMIN, "CAP_NET_ADMIN" },
	{ CAP_BIT_BPF, CAP_BPF, "CAP_BPF" },
	{ CAP_BIT_PERFMON, CAP_PERFMON, "CAP_PERFMON" },
	{ CAP_BIT_SYS_ADMIN, CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
	{ CAP_BIT_SYS_MODULE, CAP_SYS_MODULE, "CAP_SYS_MODULE" },
};

int caps_check(uint64_t effective, unsigned int needed, const char *what, struct error *e)
{
	char missing[128] = "";

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t n = strlen(missing);

		if ((needed & known[i].bit) && !(effective >> known[i].number & 1))
			snprintf(missing + n, sizeof(missing) - n, "%s%s", n ? ", " : "",
				 known[i].name);
	}
	if (!missing[0])
		return 0;
	error_set(e, -EPERM, "no permission to %s: %s missing", what, missing);
	return error_hint(e, "run it with sudo");
}

int caps_need(unsigned int needed, const char *what, struct error *e)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };

	if (syscall(SYS_capget, &h, d) < 0)
		return error_set(e, -errno, "cannot read the capabilities of this process: %s",
				 strerror(errno));
	return caps_check((uint64_t)d[1].effective << 32 | d[0].effective, needed, what, e);
}
