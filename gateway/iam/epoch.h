// SPDX-License-Identifier: Apache-2.0
/* The access epoch: how often it was changed who may do what, in all processes of a store
 * (run/access). Users, groups, roles, keys, policies, their attachments, and the settings of
 * buckets that decide about rights move it.
 *
 * It lets a process remember answers that follow from these records without asking the store again,
 * and forget them at once.
 *
 * Beside it the path epoch: how often a directory got another path. A rename of a directory moves
 * it, if anybody has a policy then: others speak of no paths. It is a number of its own so that
 * such a rename does not make all processes compile all policies again.
 *
 * Invariants, of each of the two
 *  1. `begun` grows inside the transaction of each change (under the writers' lock), to a number of
 *     its own. `done` becomes that number when the change is committed and visible, and never
 *     shrinks.
 *     Inside, because numbers have to be in the order of the commits. Were they taken before the
 *     transaction, a change with number 6 could become visible before that with number 5, and set
 *     `done` to 6: invariant 2 would be broken while 5 is on its way. And gml_access_epoch_resolve,
 *     which takes the writers' lock after it has read `begun`, could not know that no change up to
 *     there waits for the lock. What a closure does depends on the number in nothing; one that runs
 *     again takes another, and the number of the run before, which no commit has, is below it.
 *  2. begun == done: every change up to that number is visible. What is read after both were seen
 *     to be equal holds all of them, and is good for as long as `begun` stays.
 *  3. begun > done: a change is on its way, or its process died. Then each question goes to the
 *     store. The next change ends that, the first process that opens the store, and each recovery
 *     (gml_access_epoch_resolve), at start and from time to time: a change has its number from
 *     inside its transaction, so when the writers' lock was taken after `begun` was read, all
 *     changes up to there are visible or never will be.
 *  4. The file needs no durability: a process that opens the store knows nothing yet, and reads. */
#ifndef GML_IAM_EPOCH_H
#define GML_IAM_EPOCH_H

#include <stdbool.h>
#include <stdint.h>
#include <gemel/store.h>
#include "gateway/meta/engine.h"

struct gml_access_epoch;

/* run/access below the store's directory, whose `run` is there: mapped shared, and made when
 * missing if no other process has the store open. Lives as long as the open store, and dirfd,
 * which gets a shared flock. Errors: NOENT (missing, and others have it open), NOMEM, NOSPC, IO. */
int gml_access_epoch_open(int dirfd, struct gml_access_epoch **out);
void gml_access_epoch_close(struct gml_access_epoch *epoch); /* NULL is fine */

/* The present number: what was remembered as of it is good. One load. Any thread. Blocks: no. */
uint64_t gml_access_epoch_now(const struct gml_access_epoch *epoch);
/* Is every change up to `now` visible? Only what is read after a yes may be remembered as of it.
 * Any thread. Blocks: no. */
bool gml_access_epoch_settled(const struct gml_access_epoch *epoch, uint64_t now);
/* The same of the path epoch. */
uint64_t gml_path_epoch_now(const struct gml_access_epoch *epoch);
bool gml_path_epoch_settled(const struct gml_access_epoch *epoch, uint64_t now);

/* ---- changes ---- */

/* A change on its way through a transaction. Set `store` and `paths`, and zero the number. */
struct gml_access_change {
	struct gml_store *store;
	bool paths;	 /* of the path epoch */
	uint64_t number; /* 0: it has not begun */
};
/* In the closure, after the last check and before the first put. */
void gml_access_change_begin(struct gml_access_change *change);
/* gml_meta_update, for a closure that begins `change`, or finds nothing to change. Its epoch has
 * moved when it returns 0: no process answers by what was before. After IO it is unknown whether
 * the change will become visible: the epoch stays open. As gml_meta_update otherwise. */
int gml_access_change_commit(struct gml_access_change *change, gml_meta_fn fn, void *arg);

/* Changes of both that were begun before the call by processes that died count as done: if one is
 * not visible now, it never will be. Any thread, not in a transaction. Blocks on other writers
 * while a change is open. Durability: none. */
int gml_access_epoch_resolve(struct gml_store *store);

#endif
