/* SPDX-License-Identifier: GPL-2.0-only */
/* What the engine sees, as lines of JSON: one flat object each. */
#ifndef DAEMON_ANSWERS_H
#define DAEMON_ANSWERS_H

#include <stdio.h>

#include "daemon/daemon.h"

/* A line for each address of the path; one that says so when there is none. */
void answer_path(struct daemon *d, unsigned int path, FILE *out);
/* `at` may be NULL: its first subflow's. */
void answer_connection(struct daemon *d, const struct pm_connection_view *v,
		       const struct pm_socket_pair *at, FILE *out);
/* Lines that say what is wanted of each address, then the subflows there are. */
void answer_details(struct daemon *d, const struct pm_connection_view *v, FILE *out);

void answer_clear_view(struct pm_connection_view *v);

#endif
