/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the guard of a network namespace is pinned. */
#ifndef LOADER_GUARD_PINS_H
#define LOADER_GUARD_PINS_H

#include "loader/tcx_pins.h"

#define PINS(config, cookie) (&(const struct tcx_pins){ config, "guard", cookie })

#endif
