// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record of what was counted: lines of key=value, "end" being the last one. It lies where a
 * reboot does not reach, unlike the record of what is ours (state.h).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pm/caps_ledger.h"
#include "pm/state.h"
#include "util/cleanup.h"

#define FOLDER	   "/var/lib/mptcp-pm"
#define BYTES_MAX  (1 << 20)
#define PATH_BYTES 512

void pm_caps_file(const char *name, char *out, size_t size)
{
	const char *folder = getenv("MPTCP_PM_STATE_DIR");

	if (!folder || !*folder)
		folder = getenv("STATE_DIRECTORY");
	if (!folder || !*folder)
		folder = FOLDER;
	/* systemd separates several with colons. */
	snprintf(out, size, "%.*s/caps%s%s", (int)strcspn(folder, ":"), folder, *name ? "-" : "",
		 name);
}

static void encode(FILE *out, const struct pm_caps *c, const char *boot)
{
	fprintf(out, "version=1\nboot=%s\nbelieved=%lld\n", boot, (long long)c->believed);
	for (size_t i = 0; i < c->nr_baselines; i++)
		fprintf(out, "counter=%s ifindex %d bytes %" PRIu64 "\n", c->baselines[i].interface,
			c->baselines[i].ifindex, c->baselines[i].bytes);
	for (size_t i = 0; i < c->nr_entries; i++) {
		const struct caps_entry *x = &c->entries[i];

		fprintf(out, "used=%s %s %u bytes %" PRIu64 " told %" PRIu64 "\n", x->path,
			x->per == POLICY_PER_DAY ? "day" : "month", x->period, x->bytes,
			x->told_bytes);
	}
	fputs("end\n", out);
}

static int decode_counter(const char *value, bool same_boot, struct pm_caps *c)
{
	struct caps_baseline b = { 0 };
	char rest;

	if (sscanf(value, "%15s ifindex %d bytes %" SCNu64 "%c", b.interface, &b.ifindex, &b.bytes,
		   &rest) != 3 ||
	    b.ifindex < 0)
		return -EBADMSG;
	if (!same_boot) {
		b.ifindex = 0;
		b.bytes = 0;
	}
	return caps_add_baseline(c, &b);
}

static int decode_used(const char *value, struct pm_caps *c)
{
	struct caps_entry x = { 0 };
	char per[6], rest;

	if (sscanf(value, "%63s %5s %u bytes %" SCNu64 " told %" SCNu64 "%c", x.path, per,
		   &x.period, &x.bytes, &x.told_bytes, &rest) != 5)
		return -EBADMSG;
	if (strcmp(per, "day") == 0)
		x.per = POLICY_PER_DAY;
	else if (strcmp(per, "month") == 0)
		x.per = POLICY_PER_MONTH;
	else
		return -EBADMSG;
	return caps_add_entry(c, &x);
}

static int decode_line(const char *key, const char *value, const char *boot, bool *same_boot,
		       struct pm_caps *c)
{
	long long believed;
	char rest;

	if (strcmp(key, "version") == 0)
		return strcmp(value, "1") == 0 ? 0 : -EBADMSG;
	if (strcmp(key, "boot") == 0) {
		*same_boot = strcmp(value, boot) == 0;
		return 0;
	}
	if (strcmp(key, "counter") == 0)
		return decode_counter(value, *same_boot, c);
	if (strcmp(key, "used") == 0)
		return decode_used(value, c);
	if (strcmp(key, "believed") != 0 || sscanf(value, "%lld%c", &believed, &rest) != 1)
		return -EBADMSG;
	c->believed = (time_t)believed;
	return 0;
}

static int decode(char *text, const char *boot, struct pm_caps *c)
{
	size_t size = strlen(text);
	bool same_boot = false;
	char *line, *position = NULL;

	/* With its newline: a file that was cut short must not pass. */
	if (size < 4 || strcmp(text + size - 4, "end\n") != 0)
		return -EBADMSG;
	text[size - 4] = '\0';
	for (line = strtok_r(text, "\n", &position); line; line = strtok_r(NULL, "\n", &position)) {
		char *value = strchr(line, '=');
		int err;

		if (!value)
			return -EBADMSG;
		*value++ = '\0';
		err = decode_line(line, value, boot, &same_boot, c);
		if (err < 0)
			return err;
	}
	return 0;
}

static int read_text(const char *file, char **out)
{
	_cleanup_fclose_ FILE *f = fopen(file, "re");
	_cleanup_free_ char *text = NULL;
	size_t nr;

	if (!f)
		return -errno;
	text = malloc(BYTES_MAX + 1);
	if (!text)
		return -ENOMEM;
	nr = fread(text, 1, BYTES_MAX, f);
	if (ferror(f))
		return -EIO;
	text[nr] = '\0';
	/* A NUL byte or too much of it: not a file of ours. */
	if (strlen(text) != nr || !feof(f))
		text[0] = '\0';
	*out = TAKE_PTR(text);
	return 0;
}

static int put_aside(const char *file, struct error *e)
{
	char bad[PATH_BYTES];

	snprintf(bad, sizeof(bad), "%s.bad", file);
	if (rename(file, bad) < 0)
		return error_set(e, -errno, "%s is damaged and cannot be moved aside: %s", file,
				 strerror(errno));
	error_set(e, -EBADMSG, "%s is damaged: counting starts anew", file);
	return error_hint(e, "it is kept as %s", bad);
}

int pm_caps_load(struct pm_caps *c, const char *file, const char *boot, struct error *e)
{
	_cleanup_free_ char *text = NULL;
	int err = read_text(file, &text);

	caps_forget(c);
	if (err == -ENOENT)
		return 0;
	if (text)
		err = decode(text, boot, c);
	if (err == 0)
		return 0;
	caps_forget(c);
	if (err == -EBADMSG)
		return put_aside(file, e);
	return error_set(e, err, "cannot read %s: %s", file, strerror(-err));
}

static int make_folder(const char *file)
{
	char folder[PATH_BYTES];

	snprintf(folder, sizeof(folder), "%s", file);
	*strrchr(folder, '/') = '\0';
	return mkdir(folder, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int write_fresh(const struct pm_caps *c, const char *fresh, const char *boot)
{
	_cleanup_fclose_ FILE *f = fopen(fresh, "we");

	if (!f)
		return -errno;
	errno = 0;
	encode(f, c, boot);
	if (fflush(f) != 0 || ferror(f) || fsync(fileno(f)) < 0)
		return errno ? -errno : -EIO;
	return 0;
}

int pm_caps_save(struct pm_caps *c, const char *file, const char *boot, struct error *e)
{
	char fresh[PATH_BYTES];
	int err;

	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", file) >= sizeof(fresh) ||
	    !strchr(file, '/'))
		return error_set(e, -ENAMETOOLONG, "cannot write %s: not a path to a file", file);
	err = make_folder(file);
	if (err == 0)
		err = write_fresh(c, fresh, boot);
	if (err == 0 && rename(fresh, file) < 0)
		err = -errno;
	if (err == 0) {
		c->changed = false;
		return 0;
	}
	unlink(fresh);
	error_set(e, err, "cannot write what paths have moved to %s: %s", file, strerror(-err));
	return error_hint(e,
			  err == -ENOSPC || err == -EDQUOT
				  ? "make room; the counts are kept in memory until then"
				  : "the counts are kept in memory; the former file is untouched");
}
