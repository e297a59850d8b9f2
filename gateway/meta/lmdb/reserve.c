// SPDX-License-Identifier: Apache-2.0
/* See reserve.h. */
#include "reserve.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "lmdb_internal.h"

#define RESERVE_STEP ((uint64_t)1 << 20) /* allocated on the disk at once, beyond the need */

/* LMDB's list of free pages: number of the transaction that freed them -> how many, and which. Only
 * read transactions may read it. Pages of the last checkpoint are not free yet. */
static int reserve_free_pages(struct gml_lmdb *meta, uint64_t want, bool *enough_out)
{
	MDB_cursor *cursor = NULL;
	MDB_val key, value;
	struct gml_txn *txn;
	uint64_t pages = 0, pinned;
	size_t seq = 0, count;
	int rc = gml_checkpoint_pin(meta);
	if (rc == 0)
		rc = gml_lmdb_read_begin(&meta->head, &txn);
	if (rc != 0)
		return rc;
	pinned = gml_checkpoint_pinned(meta);
	rc = mdb_cursor_open(gml_lmdb_txn_of(txn)->mdb, 0, &cursor);
	while (rc == 0 && pages < want) {
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
		if (rc != 0 || key.mv_size != sizeof(seq) || value.mv_size < sizeof(count))
			break;
		memcpy(&seq, key.mv_data, sizeof(seq));
		memcpy(&count, value.mv_data, sizeof(count));
		if (seq >= pinned)
			break;
		pages += count;
	}
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	gml_lmdb_read_end(txn);
	*enough_out = pages >= want;
	return rc == MDB_NOTFOUND ? 0 : gml_lmdb_err(rc);
}

static int reserve_fallocate(struct gml_lmdb *meta, uint64_t from, uint64_t end)
{
	int rc;
	gml_assert(from < end);
	do
		rc = fallocate(meta->data_fd, FALLOC_FL_KEEP_SIZE, (off_t)from,
			       (off_t)(end - from)) == 0
			     ? 0
			     : errno;
	while (rc == EINTR);
	return rc;
}

/* NOSPC: the disk has none. */
static int reserve_disk(struct gml_lmdb *meta, uint64_t used, uint64_t want)
{
	struct gml_reserve *reserve = &meta->reserve;
	uint64_t from = reserve->end > used ? reserve->end : used, end = used + want + RESERVE_STEP;
	int rc = reserve_fallocate(meta, from, end);
	if (rc == ENOSPC || rc == EDQUOT) {
		end = used + want;
		rc = reserve_fallocate(meta, from, end);
	}
	if (rc == EOPNOTSUPP) { /* not with this file system */
		rc = 0;
		end = UINT64_MAX;
	}
	if (rc == 0)
		reserve->end = end;
	return gml_lmdb_err(rc);
}

int gml_reserve_keep(struct gml_lmdb *meta, bool *short_out)
{
	struct gml_reserve *reserve = &meta->reserve;
	uint64_t want, used, page = meta->redo.page_size;
	bool enough = true;
	MDB_envinfo info;
	int rc = gml_lmdb_err(mdb_env_info(meta->env, &info));
	if (rc != 0)
		return rc;
	want = info.me_mapsize / 8 < GML_RESERVE ? info.me_mapsize / 8 : GML_RESERVE;
	used = ((uint64_t)info.me_last_pgno + 1) * page;
	if (used + want > info.me_mapsize)
		rc = GML_ERR_NOSPC;
	else if (used + want > reserve->end)
		rc = reserve_disk(meta, used, want);
	if (rc == GML_ERR_NOSPC)
		rc = reserve_free_pages(meta, want / page, &enough);
	*short_out = !enough;
	atomic_store(&reserve->is_short, !enough);
	return rc;
}

int gml_reserve_records(struct gml_lmdb_txn *txn, uint64_t *count_out)
{
	int rc = 0;
	*count_out = 0;
	for (int i = 0; rc == 0 && i < GML_TABLE_COUNT_; i++) {
		uint64_t count = 0;
		rc = gml_lmdb_count(&txn->head, (enum gml_table)i, &count);
		*count_out += count;
	}
	return rc;
}
