// SPDX-License-Identifier: Apache-2.0
#include "lock.h"

#ifdef GML_ASSERT
#include <string.h>

#define LOCKS_HELD 1024 /* a batch of unwritten files holds many */

static _Thread_local struct lock_held {
	const void *lock;
	enum gml_lock_kind kind;
} lock_held[LOCKS_HELD];
static _Thread_local unsigned lock_count;

static bool lock_holds(enum gml_lock_kind kind)
{
	for (unsigned i = 0; i < lock_count; i++)
		if (lock_held[i].kind == kind)
			return true;
	return false;
}

void gml_lock_wanted(const void *lock, enum gml_lock_kind kind)
{
	gml_assert(!lock_holds(GML_LOCK_LEAF));
	if (kind == GML_LOCK_LEAF)
		return;
	gml_assert(!lock_holds(GML_LOCK_SHARED));
	gml_assert(!lock_holds(GML_LOCK_EXCLUSIVE));
	gml_assert_outside_closures();
}

void gml_lock_taken(const void *lock, enum gml_lock_kind kind)
{
	gml_assert(lock_count < LOCKS_HELD);
	if (lock_count < LOCKS_HELD)
		lock_held[lock_count++] = (struct lock_held){lock, kind};
}

void gml_lock_dropped(const void *lock)
{
	unsigned at = lock_count;
	while (at > 0 && lock_held[at - 1].lock != lock)
		at--;
	gml_assert(at > 0);
	if (at == 0)
		return;
	lock_count--;
	memmove(&lock_held[at - 1], &lock_held[at], (lock_count - at + 1) * sizeof(lock_held[0]));
}

bool gml_lock_held(const void *lock, bool exclusive)
{
	for (unsigned i = 0; i < lock_count; i++)
		if (lock_held[i].lock == lock)
			return !exclusive || lock_held[i].kind == GML_LOCK_EXCLUSIVE;
	return false;
}
#else
typedef int gml_locks_are_plain; /* a translation unit is not empty */
#endif
