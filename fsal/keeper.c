// SPDX-License-Identifier: Apache-2.0
/* One background thread per process. */
#include "fsal.h"
#include "mdcache_ext.h"

#define KEEPER_TICK_NS 250000000
#define KEEPER_SECOND 4	     /* ticks */
#define KEEPER_IDLE_S 2	     /* a shared file stays open for so long */
#define KEEPER_REAP_S 2	     /* orphans are looked for this often */
#define KEEPER_REAP_MAX 1000 /* in one transaction */
#define KEEPER_ORPHAN_AGE_NS                                                                       \
	15000000000 /* a client between LOOKUP and OPEN finds what was replaced meanwhile */
#define KEEPER_GRACE_SLACK_S                                                                       \
	10 /* from create_export to the start of grace, and for its end to be noticed */

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool running, stop;
	bool recovered; /* atomic */
} keeper = {.lock = PTHREAD_MUTEX_INITIALIZER};

void gml_fsal_keeper_enforce(struct gsh_export *exp)
{
	mdcache_param.dir.avl_chunk = 0;
	nfs_param.core_param.getattrs_in_complete_read =
		false; /* io_read2 tells the end of the file */
	exp->export_perms.expire_time_attr = 0;
	exp->export_perms.set |= EXPORT_OPTION_EXPIRE_SET;
}

/* A reload of the configuration replaces an export's settings after update_export has returned. */
static void keeper_enforce_all(void)
{
	struct glist_head *each;
	PTHREAD_RWLOCK_rdlock(gml_fsal_exports_lock(&gml_fsal.module));
	glist_for_each(each, &gml_fsal.module.exports)
	{
		struct fsal_export *exp = glist_entry(each, struct fsal_export, exports);
		gml_fsal_keeper_enforce(exp->owning_export);
	}
	PTHREAD_RWLOCK_unlock(gml_fsal_exports_lock(&gml_fsal.module));
}

static void keeper_reap(void)
{
	unsigned freed = 0;
	struct gml_op op;
	int rc;
	gml_fsal_op_root(&op);
	do {
		rc = gml_store_reap(&op, gml_fsal.store, KEEPER_ORPHAN_AGE_NS, KEEPER_REAP_MAX,
				    gml_store_file_is_open, gml_fsal.store, &freed);
		if (rc != 0)
			LogWarn(COMPONENT_FSAL, "removing orphans: %s", gml_err_text(rc));
	} while (rc == 0 && freed == KEEPER_REAP_MAX);
}

/* The clients of the last run of the server have told which files they had open, or lost them. ganesha exports no
 * question for this, so it is told from its settings. */
static bool keeper_grace_over(time_t elapsed)
{
	return nfs_param.nfsv4_param.graceless ||
	       elapsed > (time_t)nfs_param.nfsv4_param.grace_period + KEEPER_GRACE_SLACK_S;
}

bool gml_fsal_keeper_recovering(void)
{
	return !__atomic_load_n(&keeper.recovered, __ATOMIC_RELAXED);
}

/* False when it is time to end. */
static bool keeper_sleep(void)
{
	struct timespec until;
	bool stop;
	clock_gettime(CLOCK_MONOTONIC, &until);
	timespec_add_nsecs(KEEPER_TICK_NS, &until);
	PTHREAD_MUTEX_lock(&keeper.lock);
	while (!keeper.stop && pthread_cond_timedwait(&keeper.wake, &keeper.lock, &until) == 0)
		;
	stop = keeper.stop;
	PTHREAD_MUTEX_unlock(&keeper.lock);
	return !stop;
}

static void keeper_second(time_t second)
{
	keeper_enforce_all();
	gml_fsal_file_expire(KEEPER_IDLE_S);
	if (!keeper_grace_over(second))
		return;
	__atomic_store_n(&keeper.recovered, true, __ATOMIC_RELAXED);
	if (second % KEEPER_REAP_S == 0)
		keeper_reap();
}

static void *keeper_main(void *arg)
{
	struct gml_op op;
	SetNameFunction("gemel_keeper");
	gml_fsal_op_root(&op);
	for (time_t tick = 1; keeper_sleep(); tick++) {
		gml_store_finalize(&op, gml_fsal.store);
		if (tick % KEEPER_SECOND == 0)
			keeper_second(tick / KEEPER_SECOND);
	}
	return NULL;
}

int gml_fsal_keeper_start(void)
{
	pthread_condattr_t attr;
	int rc;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&keeper.wake, &attr);
	pthread_condattr_destroy(&attr);
	keeper.stop = false;
	__atomic_store_n(&keeper.recovered, keeper_grace_over(0), __ATOMIC_RELAXED);
	rc = pthread_create(&keeper.thread, NULL, keeper_main, NULL);
	keeper.running = rc == 0;
	return rc;
}

void gml_fsal_keeper_stop(void)
{
	if (!keeper.running)
		return;
	PTHREAD_MUTEX_lock(&keeper.lock);
	keeper.stop = true;
	pthread_cond_signal(&keeper.wake);
	PTHREAD_MUTEX_unlock(&keeper.lock);
	pthread_join(keeper.thread, NULL);
	pthread_cond_destroy(&keeper.wake);
	keeper.running = false;
}
