// SPDX-License-Identifier: Apache-2.0
/* Locks that know their owner and their order, in test builds.
 *
 * A thread that waits for a gml_rwlock holds no other one and no leaf (it may try for more);
 * closures of gml_meta_update wait for none. A leaf is a mutex under which no other lock of this
 * file is taken. Test builds (GML_ASSERT) keep a list of the locks that each thread holds and
 * assert this, and that a thread that unlocks holds the lock. In the installed library the
 * functions are the pthread calls. */
#ifndef GML_BASE_LOCK_H
#define GML_BASE_LOCK_H

#include <pthread.h>
#include "assert.h"

/* Writers go first: a stream of readers must not block a writer for ever. */
struct gml_rwlock {
	pthread_rwlock_t lock;
};

#ifdef GML_ASSERT
enum gml_lock_kind { GML_LOCK_SHARED, GML_LOCK_EXCLUSIVE, GML_LOCK_LEAF };
/* Before a thread waits for the lock; when it holds it; before it unlocks. */
void gml_lock_wanted(const void *lock, enum gml_lock_kind kind);
void gml_lock_taken(const void *lock, enum gml_lock_kind kind);
void gml_lock_dropped(const void *lock);
/* Does this thread hold the lock (exclusively, if `exclusive`)? */
bool gml_lock_held(const void *lock, bool exclusive);
#define gml_assert_locked(rwlock) gml_assert(gml_lock_held((rwlock), false))
#define gml_assert_locked_exclusive(rwlock) gml_assert(gml_lock_held((rwlock), true))
#else
#define gml_lock_wanted(lock, kind) ((void)0)
#define gml_lock_taken(lock, kind) ((void)0)
#define gml_lock_dropped(lock) ((void)0)
#define gml_assert_locked(rwlock) ((void)0)
#define gml_assert_locked_exclusive(rwlock) ((void)0)
#endif

static inline void gml_rwlock_init(struct gml_rwlock *lock)
{
	pthread_rwlockattr_t attr;
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&lock->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

static inline void gml_rwlock_destroy(struct gml_rwlock *lock)
{
	pthread_rwlock_destroy(&lock->lock);
}

static inline void gml_rwlock_shared(struct gml_rwlock *lock)
{
	gml_lock_wanted(lock, GML_LOCK_SHARED);
	pthread_rwlock_rdlock(&lock->lock);
	gml_lock_taken(lock, GML_LOCK_SHARED);
}

static inline void gml_rwlock_exclusive(struct gml_rwlock *lock)
{
	gml_lock_wanted(lock, GML_LOCK_EXCLUSIVE);
	pthread_rwlock_wrlock(&lock->lock);
	gml_lock_taken(lock, GML_LOCK_EXCLUSIVE);
}

static inline bool gml_rwlock_try_exclusive(struct gml_rwlock *lock)
{
	if (pthread_rwlock_trywrlock(&lock->lock) != 0)
		return false;
	gml_lock_taken(lock, GML_LOCK_EXCLUSIVE);
	return true;
}

static inline void gml_rwlock_unlock(struct gml_rwlock *lock)
{
	gml_lock_dropped(lock);
	pthread_rwlock_unlock(&lock->lock);
}

static inline void gml_leaf_lock(pthread_mutex_t *leaf)
{
	gml_lock_wanted(leaf, GML_LOCK_LEAF);
	pthread_mutex_lock(leaf);
	gml_lock_taken(leaf, GML_LOCK_LEAF);
}

static inline void gml_leaf_unlock(pthread_mutex_t *leaf)
{
	gml_lock_dropped(leaf);
	pthread_mutex_unlock(leaf);
}

#endif
