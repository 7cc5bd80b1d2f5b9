// SPDX-License-Identifier: GPL-2.0-only
/* Learned paths as text and on disk; see learned.h. */
#include "pm/learned.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "util/cleanup.h"

#define FOLDER	       "/var/lib/mptcp-pm"
#define FILE_BYTES_MAX (8u << 20)
#define ROWS_MAX       8192

static const char *folder(void)
{
	const char *path = getenv("MPTCP_PM_STATE_DIR");

	return path && *path ? path : FOLDER;
}

static uint64_t to_wall(const struct pm_learned_facts *f, uint64_t ms)
{
	return ms ? ms + (uint64_t)f->offset_ms : 0;
}

/* What is too far back for the clock of the rows happened at its beginning. */
static uint64_t from_wall(const struct pm_learned_facts *f, uint64_t ms)
{
	return ms > (uint64_t)f->offset_ms ? ms - (uint64_t)f->offset_ms : ms != 0;
}

void pm_learned_encode(FILE *out, const struct pm_learned_facts *f,
		       const struct loader_learn_row *rows, size_t nr)
{
	char prefix[INET6_ADDRSTRLEN], buffer[IF_NAMESIZE];

	fprintf(out, "version=1\nboot=%s\ncookie=%" PRIu64 "\n", f->origin->boot,
		f->origin->cookie);
	for (size_t i = 0; i < nr; i++) {
		const struct mptcp_learn_stat *s = &rows[i].stat;
		const char *name = f->name(rows[i].key.ifindex, buffer);

		if (!name)
			continue;
		inet_ntop(AF_INET6, rows[i].key.prefix, prefix, sizeof(prefix));
		fprintf(out,
			"row=%s %" PRIu32 " %s %llu %llu %" PRIu64 " %" PRIu64 " %" PRIu64
			" %u %u %u %u %" PRIu64 " %" PRIu64 " %u\n",
			name, rows[i].key.network, prefix, s->ok, s->fail, to_wall(f, s->ok_ms),
			to_wall(f, s->fail_ms), to_wall(f, s->trial_ms), s->handshake_us,
			s->srtt_us, s->fail_ppm, s->failures, to_wall(f, s->mptcp_ok_ms),
			to_wall(f, s->mptcp_drop_ms), s->mptcp_drops);
	}
	fputs("end\n", out);
}

/* 1: the row is of an interface that is not there. */
static int decode_row(const char *value, const struct pm_learned_facts *f,
		      struct loader_learn_row *out)
{
	struct mptcp_learn_stat *s = &out->stat;
	char name[IF_NAMESIZE], prefix[INET6_ADDRSTRLEN], rest;
	uint64_t times[5];

	memset(out, 0, sizeof(*out));
	if (sscanf(value,
		   "%15s %" SCNu32 " %45s %llu %llu %" SCNu64 " %" SCNu64 " %" SCNu64
		   " %u %u %u %u %" SCNu64 " %" SCNu64 " %u%c",
		   name, &out->key.network, prefix, &s->ok, &s->fail, &times[0], &times[1],
		   &times[2], &s->handshake_us, &s->srtt_us, &s->fail_ppm, &s->failures, &times[3],
		   &times[4], &s->mptcp_drops, &rest) != 15)
		return -EBADMSG;
	if (inet_pton(AF_INET6, prefix, out->key.prefix) != 1 || s->fail_ppm > MPTCP_LEARN_PPM)
		return -EBADMSG;
	out->key.netns_cookie = f->cookie;
	out->key.ifindex = f->number(name);
	s->ok_ms = from_wall(f, times[0]);
	s->fail_ms = from_wall(f, times[1]);
	s->trial_ms = from_wall(f, times[2]);
	s->mptcp_ok_ms = from_wall(f, times[3]);
	s->mptcp_drop_ms = from_wall(f, times[4]);
	return out->key.ifindex ? 0 : 1;
}

static int decode_head(char **position, const struct pm_learned_facts *f)
{
	struct pm_learned_origin o = { 0 };
	char *line = strtok_r(NULL, "\n", position), *end;

	if (!line || strncmp(line, "boot=", 5) != 0 || strlen(line + 5) >= sizeof(o.boot))
		return -EBADMSG;
	memcpy(o.boot, line + 5, strlen(line + 5) + 1);
	line = strtok_r(NULL, "\n", position);
	if (!line || strncmp(line, "cookie=", 7) != 0)
		return -EBADMSG;
	o.cookie = strtoull(line + 7, &end, 10);
	if (*end)
		return -EBADMSG;
	return strcmp(o.boot, f->origin->boot) != 0 || o.cookie != f->origin->cookie ? -ESTALE : 0;
}

int pm_learned_decode(char *text, const struct pm_learned_facts *f, struct loader_learn_row **out,
		      size_t *nr)
{
	_cleanup_free_ struct loader_learn_row *rows = NULL;
	size_t size = strlen(text), n = 0;
	char *line, *position = NULL;
	int err;

	if (size < 4 || strcmp(text + size - 4, "end\n") != 0)
		return -EBADMSG;
	line = strtok_r(text, "\n", &position);
	if (!line || strcmp(line, "version=1") != 0)
		return -EBADMSG;
	err = decode_head(&position, f);
	if (err < 0)
		return err;
	rows = calloc(ROWS_MAX, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	while ((line = strtok_r(NULL, "\n", &position)) && strcmp(line, "end") != 0) {
		if (strncmp(line, "row=", 4) != 0 || n == ROWS_MAX)
			return -EBADMSG;
		err = decode_row(line + 4, f, &rows[n]);
		if (err < 0)
			return err;
		n += err == 0;
	}
	if (!line || strtok_r(NULL, "\n", &position))
		return -EBADMSG;
	*out = TAKE_PTR(rows);
	*nr = n;
	return 0;
}

static unsigned int number(const char *name)
{
	return if_nametoindex(name);
}

static const char *name_of(unsigned int index, char *buffer)
{
	return if_indextoname(index, buffer);
}

/* Of the machine itself, whose namespace is the same after a reboot. */
static bool is_first(const struct pm_netns *ns)
{
	struct stat st;

	return stat("/proc/1/ns/net", &st) == 0 && st.st_ino == ns->inode;
}

static void describe(const struct pm_netns *ns, struct pm_learned_origin *o,
		     struct pm_learned_facts *f, char *path, size_t size)
{
	_cleanup_fclose_ FILE *boot = NULL;
	struct timespec now;

	memset(o, 0, sizeof(*o));
	if (is_first(ns)) {
		snprintf(path, size, "%s/learned", folder());
	} else {
		snprintf(path, size, "%s/learned-%" PRIu64, folder(), ns->inode);
		boot = fopen("/proc/sys/kernel/random/boot_id", "re");
		if (boot && fgets(o->boot, sizeof(o->boot), boot))
			o->boot[strcspn(o->boot, "\n")] = '\0';
		o->cookie = ns->cookie;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	*f = (struct pm_learned_facts){
		.origin = o,
		.offset_ms =
			now.tv_sec * 1000 + now.tv_nsec / 1000000 - (int64_t)loader_learn_now_ms(),
		.cookie = ns->cookie,
		.number = number,
		.name = name_of,
	};
}

int pm_learned_load(const struct pm_netns *ns, struct loader_learn_row **out, size_t *nr,
		    struct error *e)
{
	_cleanup_fclose_ FILE *in = NULL;
	_cleanup_free_ char *text = NULL;
	struct pm_learned_origin o;
	struct pm_learned_facts f;
	char path[512];
	size_t n;
	int err;

	*out = NULL;
	*nr = 0;
	describe(ns, &o, &f, path, sizeof(path));
	in = fopen(path, "re");
	if (!in)
		return errno == ENOENT
			       ? 0
			       : error_set(e, -errno, "cannot read %s: %s", path, strerror(errno));
	text = malloc(FILE_BYTES_MAX + 1);
	if (!text)
		return error_set(e, -ENOMEM, "cannot read %s: out of memory", path);
	n = fread(text, 1, FILE_BYTES_MAX, in);
	text[n] = '\0';
	err = pm_learned_decode(text, &f, out, nr);
	if (err == -ESTALE)
		return 0;
	if (err == -EBADMSG)
		return error_set(e, err, "%s is not what was learned about paths, or is cut short",
				 path);
	return err < 0 ? error_set(e, err, "cannot read %s: %s", path, strerror(-err)) : 0;
}

/* Files of namespaces that are gone. */
static void tidy(void)
{
	DIR *d = opendir(folder());
	struct dirent *entry;
	char path[512];

	while (d && (entry = readdir(d))) {
		uint64_t inode;
		char rest;

		if (sscanf(entry->d_name, "learned-%" SCNu64 "%c", &inode, &rest) != 1 ||
		    pm_netns_alive(inode))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder(), entry->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
}

int pm_learned_save(const struct pm_netns *ns, const struct loader_learn_row *rows, size_t nr,
		    struct error *e)
{
	struct pm_learned_origin o;
	struct pm_learned_facts f;
	char path[512], fresh[520];
	FILE *out;
	bool bad;

	describe(ns, &o, &f, path, sizeof(path));
	if (mkdir(folder(), 0755) < 0 && errno != EEXIST)
		return error_set(e, -errno, "cannot make %s: %s", folder(), strerror(errno));
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	out = fopen(fresh, "we");
	if (!out)
		return error_set(e, -errno, "cannot write %s: %s", fresh, strerror(errno));
	pm_learned_encode(out, &f, rows, nr);
	bad = ferror(out);
	if (fclose(out) != 0 || bad || rename(fresh, path) < 0) {
		error_set(e, errno ? -errno : -EIO, "cannot write %s: %s", path, strerror(errno));
		unlink(fresh);
		return -EIO;
	}
	tidy();
	return 0;
}
