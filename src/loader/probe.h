/* SPDX-License-Identifier: GPL-2.0-only */
/* Probing under another root, so that the probes of files can be tested. */
#ifndef LOADER_PROBE_H
#define LOADER_PROBE_H

#include "loader/loader.h"

/* loader_probe() with every path taken below `root` ("" for the real one) and `release` as the
 * kernel's release. */
void loader_probe_at(const char *root, const char *release, const struct loader_config *c,
		     struct loader_support *out);

/* The level a set of features amounts to. */
int loader_support_level(const struct loader_support *s);

#endif
