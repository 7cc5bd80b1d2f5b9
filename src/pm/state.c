// SPDX-License-Identifier: GPL-2.0-only
/* The record of what is ours, as text and in /run. */
#include "pm/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "pm/address.h"
#include "util/cleanup.h"

#define STATE_FOLDER	"/run/mptcp-pm"
#define STATE_BYTES_MAX (1 << 20)

const char *pm_state_folder(void)
{
	const char *path = getenv("MPTCP_PM_STATE_DIR");

	return path && *path ? path : STATE_FOLDER;
}

void pm_state_boot(char out[PM_BOOT_BYTES])
{
	_cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f || !fgets(out, PM_BOOT_BYTES, f))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

void pm_state_clear(struct pm_state *s)
{
	free(s->endpoints);
	*s = (struct pm_state){ 0 };
}

int pm_state_add_endpoint(struct pm_state *s, const struct pm_endpoint *ep)
{
	struct pm_endpoint *bigger =
		reallocarray(s->endpoints, s->nr_endpoints + 1, sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	s->endpoints = bigger;
	s->endpoints[s->nr_endpoints++] = *ep;
	return 0;
}

bool pm_state_owns(const struct pm_state *s, const struct pm_endpoint *ep)
{
	for (size_t i = 0; i < s->nr_endpoints; i++) {
		const struct pm_endpoint *ours = &s->endpoints[i];

		if (pm_address_equal(&ours->address, &ep->address) && ours->port == ep->port &&
		    ours->ifindex == ep->ifindex && (!ours->id || ours->id == ep->id))
			return true;
	}
	return false;
}

void pm_state_encode(FILE *out, const struct pm_state *s)
{
	char text[INET6_ADDRSTRLEN];

	fprintf(out, "version=1\nboot=%s\ncookie=%" PRIu64 "\ngeneration=%" PRIu64 "\n", s->boot,
		s->cookie, s->generation);
	fprintf(out, "policy=%s\nscheduler=%s\n", s->policy, s->scheduler);
	fprintf(out, "saved-limits=%u %u\nsaved-scheduler=%s\n", s->saved_limits.subflows,
		s->saved_limits.add_addr_accepted, s->saved_scheduler);
	for (size_t i = 0; i < s->nr_set_limits; i++)
		fprintf(out, "set-limits=%u %u\n", s->set_limits[i].subflows,
			s->set_limits[i].add_addr_accepted);
	for (size_t i = 0; i < s->nr_set_scheduler; i++)
		fprintf(out, "set-scheduler=%s\n", s->set_scheduler[i]);
	if (s->nr_set_syn_retries)
		fprintf(out, "saved-syn-retries=%d\n", s->saved_syn_retries);
	for (size_t i = 0; i < s->nr_set_syn_retries; i++)
		fprintf(out, "set-syn-retries=%d\n", s->set_syn_retries[i]);
	if (s->nr_set_fastopen)
		fprintf(out, "saved-fastopen=%d\n", s->saved_fastopen);
	for (size_t i = 0; i < s->nr_set_fastopen; i++)
		fprintf(out, "set-fastopen=%d\n", s->set_fastopen[i]);
	if (s->saved_manager[0])
		fprintf(out, "saved-path-manager=%s\n", s->saved_manager);
	for (size_t i = 0; i < s->nr_set_manager; i++)
		fprintf(out, "set-path-manager=%s\n", s->set_manager[i]);
	for (size_t i = 0; i < s->nr_endpoints; i++)
		fprintf(out, "endpoint=%s id %u ifindex %d port %u flags %u\n",
			pm_address_text(&s->endpoints[i].address, text), s->endpoints[i].id,
			s->endpoints[i].ifindex, s->endpoints[i].port, s->endpoints[i].flags);
	fputs("end\n", out);
}

static int copy(char *out, size_t size, const char *value)
{
	return snprintf(out, size, "%s", value) < (int)size ? 0 : -EBADMSG;
}

static int decode_u64(const char *value, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(value, &end, 10);
	return errno || end == value || *end ? -EBADMSG : 0;
}

static int decode_int(const char *value, int most, int *out)
{
	uint64_t number;

	if (decode_u64(value, &number) < 0 || number > (uint64_t)most)
		return -EBADMSG;
	*out = (int)number;
	return 0;
}

static int decode_limits(const char *value, struct pm_limits *out)
{
	char rest;

	return sscanf(value, "%" SCNu32 " %" SCNu32 "%c", &out->subflows, &out->add_addr_accepted,
		      &rest) == 2
		       ? 0
		       : -EBADMSG;
}

static int decode_endpoint(const char *value, struct pm_state *s)
{
	struct pm_endpoint ep = { .owned = true };
	char text[INET6_ADDRSTRLEN], rest;
	unsigned int id, port;

	if (sscanf(value, "%45s id %u ifindex %d port %u flags %" SCNu32 "%c", text, &id,
		   &ep.ifindex, &port, &ep.flags, &rest) != 5)
		return -EBADMSG;
	if (id > UINT8_MAX || port > UINT16_MAX || ep.ifindex < 0 ||
	    pm_address_parse(text, &ep.address) < 0)
		return -EBADMSG;
	ep.id = (uint8_t)id;
	ep.port = (uint16_t)port;
	return pm_state_add_endpoint(s, &ep);
}

static int decode_pair(const char *key, const char *value, struct pm_state *s)
{
	if (strcmp(key, "version") == 0)
		return strcmp(value, "1") == 0 ? 0 : -EBADMSG;
	if (strcmp(key, "boot") == 0)
		return copy(s->boot, sizeof(s->boot), value);
	if (strcmp(key, "cookie") == 0)
		return decode_u64(value, &s->cookie);
	if (strcmp(key, "generation") == 0)
		return decode_u64(value, &s->generation);
	if (strcmp(key, "policy") == 0)
		return copy(s->policy, sizeof(s->policy), value);
	if (strcmp(key, "scheduler") == 0)
		return copy(s->scheduler, sizeof(s->scheduler), value);
	if (strcmp(key, "saved-limits") == 0)
		return decode_limits(value, &s->saved_limits);
	if (strcmp(key, "saved-scheduler") == 0)
		return copy(s->saved_scheduler, sizeof(s->saved_scheduler), value);
	if (strcmp(key, "set-limits") == 0 && s->nr_set_limits < PM_SET_MAX)
		return decode_limits(value, &s->set_limits[s->nr_set_limits++]);
	if (strcmp(key, "set-scheduler") == 0 && s->nr_set_scheduler < PM_SET_MAX)
		return copy(s->set_scheduler[s->nr_set_scheduler++], POLICY_SCHEDULER_BYTES, value);
	if (strcmp(key, "saved-syn-retries") == 0)
		return decode_int(value, UINT8_MAX, &s->saved_syn_retries);
	if (strcmp(key, "set-syn-retries") == 0 && s->nr_set_syn_retries < PM_SET_MAX)
		return decode_int(value, UINT8_MAX, &s->set_syn_retries[s->nr_set_syn_retries++]);
	if (strcmp(key, "saved-fastopen") == 0)
		return decode_int(value, INT32_MAX, &s->saved_fastopen);
	if (strcmp(key, "set-fastopen") == 0 && s->nr_set_fastopen < PM_SET_MAX)
		return decode_int(value, INT32_MAX, &s->set_fastopen[s->nr_set_fastopen++]);
	if (strcmp(key, "saved-path-manager") == 0)
		return copy(s->saved_manager, sizeof(s->saved_manager), value);
	if (strcmp(key, "set-path-manager") == 0 && s->nr_set_manager < PM_SET_MAX)
		return copy(s->set_manager[s->nr_set_manager++], PM_MANAGER_BYTES, value);
	if (strcmp(key, "endpoint") == 0)
		return decode_endpoint(value, s);
	return -EBADMSG;
}

int pm_state_decode(char *text, struct pm_state *out)
{
	_cleanup_(pm_state_clear) struct pm_state s = { 0 };
	size_t size = strlen(text);
	char *line, *position = NULL;
	bool end = false;

	/* With its newline: a file cut short within "endpoint" must not pass. */
	if (size < 4 || strcmp(text + size - 4, "end\n") != 0)
		return -EBADMSG;
	for (line = strtok_r(text, "\n", &position); line; line = strtok_r(NULL, "\n", &position)) {
		char *value = strchr(line, '=');
		int r;

		if (end)
			return -EBADMSG;
		if (strcmp(line, "end") == 0) {
			end = true;
			continue;
		}
		if (!value)
			return -EBADMSG;
		*value++ = '\0';
		r = decode_pair(line, value, &s);
		if (r < 0)
			return r;
	}
	if (!end)
		return -EBADMSG;
	*out = s;
	s = (struct pm_state){ 0 };
	return 0;
}

/* -ENOENT also when the file is not ours to understand or from another boot. */
static int read_file(const char *path, struct pm_state *out)
{
	_cleanup_(pm_state_clear) struct pm_state s = { 0 };
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *text = NULL;
	char boot[PM_BOOT_BYTES];
	size_t n;

	if (!f)
		return -errno;
	text = malloc(STATE_BYTES_MAX + 1);
	if (!text)
		return -ENOMEM;
	n = fread(text, 1, STATE_BYTES_MAX, f);
	text[n] = '\0';
	pm_state_boot(boot);
	if (pm_state_decode(text, &s) < 0 || strcmp(s.boot, boot) != 0)
		return -ENOENT;
	*out = s;
	s = (struct pm_state){ 0 };
	return 0;
}

static void state_path(const struct pm_netns *ns, const char *suffix, char *out, size_t size)
{
	snprintf(out, size, "%s/netns-%" PRIu64 "%s", pm_state_folder(), ns->inode, suffix);
}

int pm_state_read(const struct pm_netns *ns, struct pm_state *out, struct error *e)
{
	struct pm_state s = { 0 };
	char path[512];
	int r;

	state_path(ns, "", path, sizeof(path));
	r = read_file(path, &s);
	if (r < 0 && r != -ENOENT)
		return error_set(e, r, "cannot read %s: %s", path, strerror(-r));
	if (r == 0 && s.cookie != ns->cookie)
		pm_state_clear(&s);
	*out = s;
	return 0;
}

static int refused(const char *verb, const char *path, int code, struct error *e)
{
	error_set(e, code, "cannot %s %s: %s", verb, path, strerror(-code));
	if (code == -EACCES || code == -EPERM)
		error_hint(e, "run it as root, e.g. with sudo: CAP_NET_ADMIN is needed too");
	return code;
}

int pm_state_write(const struct pm_netns *ns, struct pm_state *s, struct error *e)
{
	char path[512], fresh[512];
	FILE *f;
	bool bad;

	state_path(ns, "", path, sizeof(path));
	state_path(ns, ".new", fresh, sizeof(fresh));
	pm_state_boot(s->boot);
	s->cookie = ns->cookie;
	f = fopen(fresh, "we");
	if (!f)
		return refused("write", fresh, -errno, e);
	pm_state_encode(f, s);
	bad = ferror(f);
	if (fclose(f) != 0 || bad) {
		int code = errno ? -errno : -EIO;

		unlink(fresh);
		return refused("write", fresh, code, e);
	}
	if (rename(fresh, path) < 0)
		return refused("write", path, -errno, e);
	return 0;
}

int pm_state_remove(const struct pm_netns *ns, struct error *e)
{
	char path[512];

	state_path(ns, "", path, sizeof(path));
	if (unlink(path) < 0 && errno != ENOENT)
		return refused("remove", path, -errno, e);
	return 0;
}

int pm_state_lock(struct error *e)
{
	_cleanup_close_ int fd = -1;
	char path[512];

	if (mkdir(pm_state_folder(), 0755) < 0 && errno != EEXIST)
		return refused("create", pm_state_folder(), -errno, e);
	snprintf(path, sizeof(path), "%s/lock", pm_state_folder());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return refused("open", path, -errno, e);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return TAKE_FD(fd);
	if (errno != EWOULDBLOCK)
		return refused("lock", path, -errno, e);
	error_set(e, -EBUSY, "another mptcp-pmctl is changing the path manager");
	error_hint(e, "try again when it is done (lock: %s)", path);
	return -EBUSY;
}

static void close_folder(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* The next state file: 1 and its namespace's state in *out, 0 when there is none, or -errno. Files
 * of an earlier boot are removed on the way. */
static int next_state(DIR *d, char *path, size_t size, uint64_t *inode, struct pm_state *out,
		      struct error *e)
{
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		int r;

		if (strncmp(entry->d_name, "netns-", 6) != 0 ||
		    decode_u64(entry->d_name + 6, inode) < 0)
			continue;
		snprintf(path, size, "%s/%s", pm_state_folder(), entry->d_name);
		r = read_file(path, out);
		if (r == 0)
			return 1;
		if (r != -ENOENT)
			return error_set(e, r, "cannot read %s: %s", path, strerror(-r));
		unlink(path);
	}
	return 0;
}

int pm_state_forget_dead(int (*gone)(uint64_t cookie, struct error *e), struct error *e)
{
	_cleanup_(close_folder) DIR *d = opendir(pm_state_folder());
	char path[512];
	uint64_t inode;

	for (;;) {
		_cleanup_(pm_state_clear) struct pm_state s = { 0 };
		int r = next_state(d, path, sizeof(path), &inode, &s, e);

		if (r <= 0)
			return r;
		if (pm_netns_alive(inode))
			continue;
		r = gone(s.cookie, e);
		if (r < 0)
			return r;
		unlink(path);
	}
}

int pm_state_schedulers(char ***out, struct error *e)
{
	_cleanup_(close_folder) DIR *d = opendir(pm_state_folder());
	char names[1024][POLICY_SCHEDULER_BYTES], path[512], **list, *strings;
	uint64_t inode;
	size_t nr = 0;

	while (nr < sizeof(names) / sizeof(names[0])) {
		_cleanup_(pm_state_clear) struct pm_state s = { 0 };
		int r = next_state(d, path, sizeof(path), &inode, &s, e);
		size_t i;

		if (r < 0)
			return r;
		if (r == 0)
			break;
		for (i = 0; i < nr && strcmp(names[i], s.scheduler) != 0; i++)
			;
		if (i == nr && s.scheduler[0])
			memcpy(names[nr++], s.scheduler, sizeof(names[0]));
	}
	list = malloc((nr + 1) * sizeof(*list) + nr * sizeof(names[0]));
	if (!list)
		return error_set(e, -ENOMEM, "cannot list the schedulers in use: out of memory");
	strings = (char *)(list + nr + 1);
	for (size_t i = 0; i < nr; i++)
		list[i] = memcpy(strings + i * sizeof(names[0]), names[i], sizeof(names[0]));
	list[nr] = NULL;
	*out = list;
	return 0;
}
