/* SPDX-License-Identifier: GPL-2.0-only */
/* What is written on the command line about subflows and addresses of a connection. */
#ifndef CLI_CONN_ARGS_H
#define CLI_CONN_ARGS_H

#include "pm/request.h"

/* A decimal number from min to max; `what` is its name in the error. -EINVAL. */
int conn_arg_number(const char *what, const char *text, unsigned int min, unsigned int max,
		    unsigned int *out, struct error *e);

/* ADDR or, with_port, ADDR[:PORT]; `what` as before, "--local". NULL text leaves *out alone. */
int conn_arg_end(const char *what, const char *text, bool with_port, struct pm_endpoint *out,
		 struct error *e);

/* Address ids as `conn show` has them, LOCID[:REMID]. */
int conn_arg_subflow_id(const char *text, struct pm_request *r, struct error *e);

#endif
