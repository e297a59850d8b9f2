// SPDX-License-Identifier: Apache-2.0
/* GET /healthz, for load balancers and the like: unsigned, under any host name, 200 or 503, and a
 * line of JSON.
 *
 * A bucket may be called healthz: requests that are signed, in the header or in the query, are its
 * own, and do not come here. Without a signature it cannot be listed, even where it is public.
 *
 * States of an examination: none ─ the first request starts the thread ─► running ─► ended, fresh
 * for HEALTH_FRESH ─► stale. */
#include "health.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <gemel/probe.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "call.h"

#define HEALTH_SECOND ((int64_t)1000000000)
#define HEALTH_FRESH HEALTH_SECOND
#define HEALTH_PATIENCE (2 * HEALTH_SECOND)
#define HEALTH_PROBE_MS 1500
/* who asks meanwhile keeps no thread: the last answer, or that there is none yet */
#define HEALTH_WAITING_MAX 4

struct s3_health {
	struct gml_store *store;
	char *nfs_address;
	unsigned nfs_port;
	pthread_mutex_t lock;
	pthread_cond_t ended_one;
	pthread_t thread;
	bool running, joinable, known; /* known: some look has ended */
	unsigned waiting;
	int64_t began, ended; /* of the last look; CLOCK_MONOTONIC, ns */
	struct s3_health_state state;
};

struct s3_health *s3_health_new(struct gml_store *store, const char *nfs_address, unsigned nfs_port)
{
	struct s3_health *health = calloc(1, sizeof(*health));
	pthread_condattr_t attr;
	if (!health)
		return NULL;
	health->store = store;
	health->nfs_port = nfs_port;
	health->nfs_address = nfs_address ? strdup(nfs_address) : NULL;
	if (nfs_address && !health->nfs_address) {
		free(health);
		return NULL;
	}
	pthread_mutex_init(&health->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&health->ended_one, &attr);
	pthread_condattr_destroy(&attr);
	return health;
}

void s3_health_free(struct s3_health *health)
{
	if (!health)
		return;
	gml_assert(health->waiting == 0);
	if (health->joinable)
		pthread_join(health->thread, NULL);
	pthread_cond_destroy(&health->ended_one);
	pthread_mutex_destroy(&health->lock);
	free(health->nfs_address);
	free(health);
}

/* ---- one look ---- */

static enum s3_health_store health_of_store(struct gml_store *store)
{
	switch (gml_store_ready(store)) {
	case 0:
		return S3_HEALTH_OK;
	case GML_ERR_NOSPC:
	case GML_ERR_DQUOT:
		return S3_HEALTH_FULL;
	case GML_ERR_ROFS:
		return S3_HEALTH_READ_ONLY;
	default: /* every other result means the same to who asks */
		return S3_HEALTH_FAILED;
	}
}

static void *health_run(void *arg)
{
	struct s3_health *health = arg;
	struct s3_health_state state = {.nfs_wanted = health->nfs_address != NULL};
	if (state.nfs_wanted)
		state.nfs_answers =
			gml_probe_nfs(health->nfs_address, health->nfs_port, HEALTH_PROBE_MS);
	state.store = health_of_store(health->store);
	pthread_mutex_lock(&health->lock);
	health->state = state;
	health->known = true;
	health->running = false;
	health->ended = gml_monotonic();
	pthread_cond_broadcast(&health->ended_one);
	pthread_mutex_unlock(&health->lock);
	return NULL;
}

static void health_start_locked(struct s3_health *health)
{
	sigset_t all, old;
	gml_assert(!health->running); /* else the join waits under the lock that the thread needs */
	if (health->joinable)
		pthread_join(health->thread, NULL); /* it has given up the lock for the last time */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the host's business */
	health->began = gml_monotonic();
	health->joinable = health->running =
		pthread_create(&health->thread, NULL, health_run, health) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (health->running)
		return;
	health->state = (struct s3_health_state){.store = S3_HEALTH_FAILED,
						 .nfs_wanted = health->nfs_address != NULL};
	health->known = true;
	health->ended = health->began;
}

/* ---- who asks ---- */

static void health_stalled(const struct s3_health *health, struct s3_health_state *out)
{
	*out = health->state;
	out->nfs_wanted = health->nfs_address != NULL;
	out->store = S3_HEALTH_STALLED;
}

static bool health_known_locked(const struct s3_health *health, struct s3_health_state *out)
{
	int64_t now = gml_monotonic();
	if (health->running && now - health->began >= HEALTH_PATIENCE) {
		health_stalled(health, out);
		return true;
	}
	*out = health->state;
	if (!health->known) {
		out->nfs_wanted = health->nfs_address != NULL;
		out->store = S3_HEALTH_UNKNOWN;
	}
	if (health->running)
		return health->waiting >= HEALTH_WAITING_MAX;
	return health->known && now - health->ended < HEALTH_FRESH;
}

bool s3_health_known(struct s3_health *health, struct s3_health_state *out)
{
	bool known;
	pthread_mutex_lock(&health->lock);
	known = health_known_locked(health, out);
	pthread_mutex_unlock(&health->lock);
	return known;
}

/* False: it is not there in time. */
static bool health_wait_locked(struct s3_health *health)
{
	int64_t until = health->began + HEALTH_PATIENCE;
	struct timespec at = {.tv_sec = until / HEALTH_SECOND, .tv_nsec = until % HEALTH_SECOND};
	int rc = 0;
	health->waiting++;
	while (health->running && rc == 0)
		rc = pthread_cond_timedwait(&health->ended_one, &health->lock, &at);
	health->waiting--;
	return !health->running && health->known;
}

void s3_health_look(struct s3_health *health, struct s3_health_state *out)
{
	pthread_mutex_lock(&health->lock);
	if (!health_known_locked(health, out)) {
		if (!health->running)
			health_start_locked(health);
		if (health_wait_locked(health))
			*out = health->state;
		else
			health_stalled(health, out);
	}
	pthread_mutex_unlock(&health->lock);
}

/* ---- the request ---- */

static const struct s3_operation health_operation = {.name = "Health",
						     .method = S3_GET,
						     .scope = S3_SERVICE,
						     .mode = S3_MODE_NOW,
						     .handler = s3_get_health};

bool s3_health_asked(struct s3_call *call)
{
	if ((call->method != S3_GET && call->method != S3_HEAD) ||
	    !gml_span_is(call->path, "/healthz") || call->query.len > 0 ||
	    s3_has_header(call, "authorization"))
		return false;
	call->scope = S3_SERVICE;
	call->operation = &health_operation;
	return true;
}

static const char *health_nfs_text(const struct s3_health_state *state)
{
	if (!state->nfs_wanted)
		return "off";
	if (state->nfs_answers)
		return "ok";
	return state->store == S3_HEALTH_UNKNOWN ? "unknown" : "no answer";
}

static enum s3_error health_answer(struct s3_call *call, const struct s3_health_state *state)
{
	static const char *const stores[] = {[S3_HEALTH_OK] = "ok",
					     [S3_HEALTH_FULL] = "full",
					     [S3_HEALTH_READ_ONLY] = "read-only",
					     [S3_HEALTH_FAILED] = "failed",
					     [S3_HEALTH_STALLED] = "stalled",
					     [S3_HEALTH_UNKNOWN] = "unknown"};
	bool nfs = state->nfs_answers || !state->nfs_wanted,
	     good = nfs && state->store == S3_HEALTH_OK;
	gml_assert(stores[state->store] != NULL);
	call->text = gml_span_text(s3_arena_printf(
		&call->arena, "{\"status\":\"%s\",\"s3\":\"ok\",\"nfs\":\"%s\",\"store\":\"%s\"}\n",
		good ? "ok" : "unavailable", health_nfs_text(state), stores[state->store]));
	s3_answer_text(call, good ? 200 : 503, "application/json");
	s3_answer_own_header(call, "Cache-Control", GML_LIT("no-store"));
	return S3_OK;
}

enum s3_error s3_get_health(struct s3_call *call)
{
	struct s3_health *health = call->config->health;
	struct s3_health_state state;
	if (call->step == S3_WORK) {
		s3_health_look(health, &state);
	} else if (!s3_health_known(health, &state)) {
		call->work = s3_get_health;
		call->step = S3_WORK;
		return S3_OK;
	}
	return health_answer(call, &state);
}
