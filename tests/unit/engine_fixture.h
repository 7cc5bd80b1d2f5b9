/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small world for the tests of the engine: a policy, interfaces, and a kernel that does at once
 * what the engine asks for.
 *
 * Paths: wifi (wlan0, 10.0.1.2, cost 1), lte (wwan0, 10.0.2.2, cost 10), cable (eth0, 10.0.3.2,
 * cost 1), sat (sat0, 10.0.4.2, cost 20); wifi and lte are up. The peer is 10.9.0.1 port 443.
 */
#ifndef ENGINE_FIXTURE_H
#define ENGINE_FIXTURE_H

#include "pm/engine.h"

#define WORLD_PATHS    4
#define WORLD_MODES    (POLICY_MODE_TARGET + 1)
#define WORLD_FLOWS    64
#define WORLD_PEER     "10.9.0.1"
#define WORLD_HOLD_MS  2000
#define WORLD_LOG_SIZE 4096

enum world_path { WIFI, LTE, CABLE, SAT };

/* What the kernel does with a join from a path. */
enum world_join { JOIN_WORKS, JOIN_HANGS, JOIN_REFUSED, JOIN_FAILS, JOIN_EARLY, JOIN_FOREIGN };

struct world_flow {
	uint32_t token;
	struct pm_socket_pair at;
	uint8_t local_id, remote_id;
	bool established, backup, server;
	uint64_t since_ms; /* asked for, then established */
};

struct world {
	struct policy policy;
	struct policy_path paths[WORLD_PATHS];
	struct policy_mode modes[WORLD_MODES];
	struct policy_rule rules[4];
	struct pm_interface interfaces[WORLD_PATHS];
	struct pm_address addresses[WORLD_PATHS][2];
	enum world_join join[WORLD_PATHS];
	enum pm_allowed allowed[WORLD_PATHS];
	struct pm_engine *e;
	struct pm_decisions out;
	uint64_t now;
	struct world_flow flows[WORLD_FLOWS];
	size_t nr_flows;
	struct pm_event events[WORLD_FLOWS]; /* to be told after the requests at hand */
	size_t nr_events;
	uint16_t next_port;
	char log[WORLD_LOG_SIZE];     /* see world_run() */
	char reason[PM_REASON_BYTES]; /* of the last request */
	size_t nr_requests;
	bool deaf;	    /* what the kernel closes when asked to it does not tell */
	bool deny_join_id0; /* connections made from now on */
	uint32_t log_token; /* requests of other connections are not logged; 0: all are */
	void (*watch)(struct world *w, const struct pm_decision *d); /* before it is carried out */
};

struct pm_address world_address(const char *text);
void world_init(struct world *w, enum policy_mode_kind mode);
/* The engine, with the interfaces as they are. */
void world_start(struct world *w);
void world_clear(struct world *w);

/* Gives the input, logs what is decided and carries it out, and so on until nothing is. */
void world_input(struct world *w, const struct pm_input *in);
void world_event(struct world *w, const struct pm_event *ev);
void world_interfaces(struct world *w);
void world_tick(struct world *w);
/* Time passes; each time something is due the engine is told. */
void world_wait(struct world *w, uint64_t ms);
void world_health(struct world *w, unsigned int path, struct pm_health h);
/* `local` may be an address of no path. */
void world_connect(struct world *w, uint32_t token, const char *local, const char *remote,
		   bool server);
void world_close(struct world *w, uint32_t token);
/* A subflow ends that the engine did not end; `reason` negative: without MP_TCPRST. */
void world_lose(struct world *w, size_t flow, int reason, bool transient);
/* A join that hung is established after all. */
void world_establish(struct world *w, size_t flow);
/* All connections as sock_diag has them. Free with pm_connections_clear(). */
void world_snapshot(const struct world *w, struct pm_connections *out);
int world_path_of(const struct world *w, const struct pm_address *local);

/*
 * Words, one after the other; W is a path:
 *
 *   c:W s:W   connection 1, of a client or a server, is made over W
 *   W- W+     its interface goes down, up
 *   W! W.     it becomes bad (timeouts), good (50 ms)
 *   bad:W good:W   one such sample
 *   rtt:W=MS rate:W=MBPS loss:W=PERMILLE rto:W=MS stall:W=MS resent:W=PERMILLE  two samples
 *   works:W hangs:W refused:W fails:W early:W foreign:W   what becomes of joins from now on
 *   up:W      a join that hangs is established
 *   lost:W lost:W=N lost:W=Nt   its subflow ends, with a reset of reason N, transient
 *   prio:W=1  the peer asks to use it as a backup
 *   down:W=1  a person takes it down
 *   cap:W=N   a cap or schedule leaves it as backup (1), not at all (2), or again (0)
 *   peer:ADDR=ID gone:ID   the peer announces an address, takes it back
 *   t:MS      time passes
 *   |         the log is emptied
 *
 * The log: +W added, +W/b as backup, W>a W>b priority, -W deleted, -W=N -W=Nt with a reset of
 * reason N, transient, ~W withdrawn, !W announced, W>>a endpoints; an address in place of W when it
 * is no path's, ADDR after @ when the remote side is not the peer's own; ?: identity; resync;
 * notice.
 */
void world_run(struct world *w, const char *script);

#endif
