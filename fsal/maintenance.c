// SPDX-License-Identifier: Apache-2.0
/* The maintenance thread, one per process: it makes unwritten files clean, closes idle shared
 * files, keeps the coherence settings, and frees orphans. */
#include "fsal.h"
#include "mdcache_ext.h"

#define MAINTENANCE_TICK_NS 250000000
#define MAINTENANCE_SECOND 4	  /* ticks */
#define MAINTENANCE_IDLE_S 2	  /* an idle shared file stays open for this long */
#define MAINTENANCE_REAP_S 2	  /* seconds between two searches for orphans */
#define MAINTENANCE_REAP_MAX 1000 /* in one transaction */
/* from create_export to the start of grace, and for its end to be noticed */
#define MAINTENANCE_GRACE_SLACK_S 10

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool running, stop;
	bool recovered; /* atomic */
} maintenance = {.lock = PTHREAD_MUTEX_INITIALIZER};

void gml_fsal_maintenance_enforce(struct gsh_export *exp)
{
	mdcache_param.dir.avl_chunk = 0;
	/* io_read2 reports the end of the file */
	nfs_param.core_param.getattrs_in_complete_read = false;
	exp->export_perms.expire_time_attr = 0;
	exp->export_perms.set |= EXPORT_OPTION_EXPIRE_SET;
}

/* A reload of the configuration replaces an export's settings after update_export has returned. */
static void maintenance_enforce_all(void)
{
	struct glist_head *each;
	PTHREAD_RWLOCK_rdlock(gml_fsal_exports_lock(&gml_fsal.module));
	glist_for_each(each, &gml_fsal.module.exports)
	{
		struct fsal_export *exp = glist_entry(each, struct fsal_export, exports);
		gml_fsal_maintenance_enforce(exp->owning_export);
	}
	PTHREAD_RWLOCK_unlock(gml_fsal_exports_lock(&gml_fsal.module));
}

static void maintenance_reap(void)
{
	const struct gml_reap reap = {.min_age_ns = GML_ORPHAN_AGE_NS,
				      .max = MAINTENANCE_REAP_MAX,
				      .is_open = gml_store_file_is_open,
				      .arg = gml_fsal.store};
	unsigned freed = 0;
	struct gml_op op;
	int rc;
	gml_fsal_op_root(&op);
	do {
		rc = gml_store_reap(&op, gml_fsal.store, &reap, &freed);
		gml_assert(rc != 0 || freed <= MAINTENANCE_REAP_MAX);
		if (rc != 0)
			LogWarn(COMPONENT_FSAL, "cannot remove orphans: %s; it is tried again",
				gml_err_text(rc));
	} while (rc == 0 && freed == MAINTENANCE_REAP_MAX);
}

/* True when the clients of the server's last run have reclaimed their open files, or lost them.
 * ganesha has no function for this, so the time is computed from its settings. */
static bool maintenance_grace_over(time_t elapsed)
{
	return nfs_param.nfsv4_param.graceless ||
	       elapsed > (time_t)nfs_param.nfsv4_param.grace_period + MAINTENANCE_GRACE_SLACK_S;
}

bool gml_fsal_maintenance_recovering(void)
{
	return !__atomic_load_n(&maintenance.recovered, __ATOMIC_RELAXED);
}

/* False when it is time to end. */
static bool maintenance_sleep(void)
{
	struct timespec until;
	bool stop;
	clock_gettime(CLOCK_MONOTONIC, &until);
	timespec_add_nsecs(MAINTENANCE_TICK_NS, &until);
	PTHREAD_MUTEX_lock(&maintenance.lock);
	while (!maintenance.stop &&
	       pthread_cond_timedwait(&maintenance.wake, &maintenance.lock, &until) == 0)
		;
	stop = maintenance.stop;
	PTHREAD_MUTEX_unlock(&maintenance.lock);
	return !stop;
}

static void maintenance_second(time_t second)
{
	maintenance_enforce_all();
	gml_fsal_file_expire(MAINTENANCE_IDLE_S);
	if (!maintenance_grace_over(second))
		return;
	__atomic_store_n(&maintenance.recovered, true, __ATOMIC_RELAXED);
	if (second % MAINTENANCE_REAP_S == 0)
		maintenance_reap();
}

static void *maintenance_main(void *arg)
{
	struct gml_op op;
	SetNameFunction("gemel_maint");
	gml_fsal_op_root(&op);
	for (time_t tick = 1; maintenance_sleep(); tick++) {
		gml_store_finalize(&op, gml_fsal.store);
		if (tick % MAINTENANCE_SECOND == 0)
			maintenance_second(tick / MAINTENANCE_SECOND);
	}
	return NULL;
}

int gml_fsal_maintenance_start(void)
{
	pthread_condattr_t attr;
	int rc;
	gml_assert(!maintenance.running); /* one per process */
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&maintenance.wake, &attr);
	pthread_condattr_destroy(&attr);
	maintenance.stop = false;
	__atomic_store_n(&maintenance.recovered, maintenance_grace_over(0), __ATOMIC_RELAXED);
	rc = pthread_create(&maintenance.thread, NULL, maintenance_main, NULL);
	maintenance.running = rc == 0;
	return rc;
}

void gml_fsal_maintenance_stop(void)
{
	if (!maintenance.running)
		return;
	PTHREAD_MUTEX_lock(&maintenance.lock);
	maintenance.stop = true;
	pthread_cond_signal(&maintenance.wake);
	PTHREAD_MUTEX_unlock(&maintenance.lock);
	pthread_join(maintenance.thread, NULL);
	pthread_cond_destroy(&maintenance.wake);
	maintenance.running = false;
}
