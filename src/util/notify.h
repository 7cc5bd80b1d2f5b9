/* SPDX-License-Identifier: GPL-2.0-only */
/* Telling the service manager how one is: the protocol of sd_notify(3). */
#ifndef UTIL_NOTIFY_H
#define UTIL_NOTIFY_H

#include <stdint.h>

/* E.g. "READY=1" or "STATUS=...", lines separated by newlines. 0, also when nobody wants to know
 * (no $NOTIFY_SOCKET), or -errno. */
int notify_send(const char *text);

/* How often the manager wants to hear "WATCHDOG=1" at most, in milliseconds; 0: not at all. */
uint64_t notify_watchdog_ms(void);

#endif
