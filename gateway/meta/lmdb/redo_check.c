// SPDX-License-Identifier: Apache-2.0
/* The log's part of the store check. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "checkpoint.h"
#include "lmdb_internal.h"

#define REDO_CHECK_META_TXNID 144 /* where LMDB's meta page has the number of its transaction */

struct redo_check {
	void (*problem)(void *arg, const char *text);
	void *arg;
};

static void redo_problem(const struct redo_check *check, const char *what, uint64_t txnid)
{
	char text[160];
	snprintf(text, sizeof(text), "metadata log: %s (transaction %llu)", what,
		 (unsigned long long)txnid);
	check->problem(check->arg, text);
}

static void redo_check_slot(const struct redo_check *check, const struct gml_redo_slot *slot)
{
	uint64_t txnid;
	memcpy(&txnid, slot->meta[slot->txnid & 1] + REDO_CHECK_META_TXNID, sizeof(txnid));
	if (slot->copies != 2)
		redo_problem(check, "one copy of the last checkpoint is damaged", slot->txnid);
	if (slot->state != GML_REDO_WHOLE || txnid != slot->txnid)
		redo_problem(check, "the last checkpoint is not of its transaction", slot->txnid);
}

/* From the checkpoint to the tail at the start of the check. */
static int redo_check_records(struct gml_lmdb *meta, const struct redo_check *check,
			      const struct gml_redo_slot *slot, const struct gml_redo_place *tail)
{
	struct gml_redo_record record = {
		.txnid = slot->txnid, .pos = slot->pos, .chain = slot->chain};
	while (record.txnid < tail->txnid) {
		int rc = gml_redo_read(&meta->redo, record.pos, record.chain, record.txnid + 1,
				       &record);
		if (rc == GML_ERR_NOENT) {
			/* Those after a gap wait for a checkpoint. */
			if (tail->gap <= slot->txnid)
				redo_problem(check, "the record is missing or damaged",
					     record.txnid + 1);
			return 0;
		}
		if (rc != 0)
			return rc;
		free(record.payload);
	}
	if (record.pos != tail->pos || record.chain != tail->chain)
		redo_problem(check, "the tail is not where the records end", record.txnid);
	return 0;
}

/* Waits for the writers' lock and for a running checkpoint; writers continue. */
int gml_lmdb_check(struct gml_meta *head, void (*problem)(void *arg, const char *text), void *arg)
{
	struct gml_lmdb *meta = gml_lmdb_of(head);
	struct redo_check check = {problem, arg};
	struct gml_redo_slot slot, now;
	struct gml_redo_place tail;
	int rc = gml_lmdb_err(gml_checkpoint_lock(meta));
	if (rc != 0)
		return rc;
	rc = gml_redo_slot_read(&meta->redo, &slot);
	if (rc == EILSEQ) {
		redo_problem(&check, "no checkpoint is whole", 0);
		rc = 0;
		goto out;
	}
	if (rc == 0)
		rc = gml_checkpoint_capture(meta, &now, &tail);
	rc = gml_lmdb_err(rc);
	if (rc == 0) {
		redo_check_slot(&check, &slot);
		rc = redo_check_records(meta, &check, &slot, &tail);
	}
out:
	gml_checkpoint_unlock(meta);
	return rc;
}
