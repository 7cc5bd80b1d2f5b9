/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers that are written with their unit: "250ms", "2.5%", "2GB", "5mbit". Pure. */
#ifndef POLICY_QUANTITY_H
#define POLICY_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

enum quantity {
	QUANTITY_MS,	/* a time: ms, s, min, h, d; whole numbers */
	QUANTITY_PPM,	/* a share: %, up to four decimals, 100% is 1000000 */
	QUANTITY_BYTES, /* B, kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB; whole numbers */
	QUANTITY_BPS,	/* a rate: bit, kbit, mbit, gbit (powers of 1000) a second; whole numbers */
};

#define QUANTITY_TEXT_BYTES 32

/* The whole text. -EINVAL: not such a quantity; -ERANGE: does not fit. *out is set on success. */
int quantity_parse(enum quantity q, const char *text, uint64_t *out);

/* In the largest unit that needs no rounding: quantity_parse() reads it back. */
void quantity_format(enum quantity q, uint64_t value, char out[QUANTITY_TEXT_BYTES]);

/* What is well formed, as a regular expression that both POSIX and JSON schema understand. */
const char *quantity_pattern(enum quantity q);

/* "a time", and the units to choose from. */
const char *quantity_name(enum quantity q);
const char *quantity_units(enum quantity q);

#endif
