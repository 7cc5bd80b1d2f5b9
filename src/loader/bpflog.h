/* SPDX-License-Identifier: GPL-2.0-only */
/* libbpf tells why something failed only through its print callback. It is kept here, so that it
 * ends up in the one error the user sees and never on the terminal by itself. */
#ifndef LOADER_BPFLOG_H
#define LOADER_BPFLOG_H

/* Installs the callback and forgets what was said before. */
void bpflog_start(void);

/* The line that started the trouble and, after a verifier log, its verdict; "" if nothing. */
const char *bpflog_summary(void);

/* Feeds a text to the summary, as libbpf would. */
void bpflog_feed(const char *text);

#endif
