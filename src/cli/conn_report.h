/* SPDX-License-Identifier: GPL-2.0-only */
/* What a request to the userspace path manager did, in words and in JSON with the keys of `conn
 * show`. `s` is the subflow that was added, otherwise unused; `dev` may be NULL. */
#ifndef CLI_CONN_REPORT_H
#define CLI_CONN_REPORT_H

#include "cli/cli.h"
#include "pm/request.h"

void conn_report(struct cli *c, const struct pm_request *r, const struct pm_subflow *s);
void conn_report_json(struct cli *c, const struct pm_request *r, const struct pm_subflow *s,
		      const char *dev);
/* As on the command line, behind `conn`. */
const char *conn_report_name(enum pm_request_kind kind);

#endif
