/* SPDX-License-Identifier: GPL-2.0-only */
/* For verbs that print what happens until they are stopped: by a signal, a time or a number. */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

#define FOLLOW_WAIT_MS	   100 /* the longest poll(): a signal may come right before it */
#define FOLLOW_SECONDS_MAX 86400

/* SIGINT, SIGTERM and SIGHUP end it; a reader that goes away makes writing fail. */
void follow_catch_signals(void);
bool follow_stopped(void);

/* CLOCK_MONOTONIC. */
uint64_t follow_now_ms(void);
/* When `seconds` will have passed; 0 seconds: never. */
uint64_t follow_end_ms(uint64_t seconds);

/* The value of an option, 1 to `max`; `text` NULL leaves *out alone. -EINVAL. */
int follow_parse_number(const char *option, const char *text, uint64_t max, uint64_t *out,
			struct error *e);

#endif
