// SPDX-License-Identifier: Apache-2.0
/* The first opener of a store restores it. data.mdb has the pages that the kernel happened to
 * write. Its meta pages are taken from the last checkpoint, whose pages no process has reused, and
 * the records after it are run again. This is right after a power cut and after the death of all
 * processes alike, so it is done always. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "checkpoint.h"
#include "lmdb_internal.h"

/* Before LMDB opens the file. errno; EILSEQ: this is not the file that the log belongs to. */
int gml_recover_restore(struct gml_lmdb *meta, const struct gml_redo_slot *slot)
{
	uint8_t there[GML_REDO_META];
	struct stat st;
	if (fstat(meta->data_fd, &st) != 0)
		return errno;
	if ((uint64_t)st.st_size < slot->data_size) {
		gml_meta_log(&meta->head, GML_LOG_ERROR,
			     "data.mdb was cut: it has %llu bytes, and the last checkpoint needs "
			     "%llu; put back a copy of meta/ of one moment",
			     (unsigned long long)st.st_size, (unsigned long long)slot->data_size);
		return EILSEQ;
	}
	for (unsigned i = 0; i < 2; i++) {
		off_t off = (off_t)i * meta->redo.page_size;
		ssize_t n = pread(meta->data_fd, there, sizeof(there), off);
		if (n < 0)
			return errno;
		if (n != GML_REDO_META || memcmp(there, slot->meta[i], GML_REDO_META_FIXED) != 0)
			return EILSEQ;
	}
	for (unsigned i = 0; i < 2; i++) {
		ssize_t n = pwrite(meta->data_fd, slot->meta[i], GML_REDO_META,
				   (off_t)i * meta->redo.page_size);
		if (n != GML_REDO_META)
			return n < 0 ? errno : EIO;
	}
	return 0;
}

struct recover_apply {
	struct gml_lmdb *meta;
	MDB_txn *txn;
	struct gml_txn_tables tables;
};

static int recover_apply(void *arg, bool put, enum gml_table table, struct gml_span key,
			 struct gml_span value)
{
	struct recover_apply *apply = arg;
	MDB_val k = {key.len, (void *)key.ptr}, v = {value.len, (void *)value.ptr};
	const MDB_dbi *handle = &apply->meta->tables.handle[table];
	int rc = MDB_NOTFOUND;
	if (put) {
		rc = gml_tables_need(apply->meta, &apply->tables, apply->txn, table);
		if (rc == 0)
			rc = mdb_put(apply->txn, *handle, &k, &v, 0);
	} else if (gml_tables_have(&apply->tables, table)) {
		rc = mdb_del(apply->txn, *handle, &k, NULL);
	}
	return rc == MDB_NOTFOUND ? GML_ERR_CORRUPT : gml_lmdb_err(rc);
}

/* A transaction of its own, because transaction numbers are in records and must not return. */
static int recover_record(struct gml_lmdb *meta, const struct gml_redo_record *record)
{
	struct recover_apply apply = {.meta = meta};
	int rc;
	gml_tables_see(meta, &apply.tables);
	rc = gml_lmdb_err(mdb_txn_begin(meta->env, NULL, 0, &apply.txn));
	if (rc != 0)
		return rc;
	rc = mdb_txn_id(apply.txn) == record->txnid ? gml_redo_walk(record, recover_apply, &apply)
						    : GML_ERR_CORRUPT;
	if (rc == 0)
		rc = gml_lmdb_err(mdb_txn_commit(apply.txn));
	else
		mdb_txn_abort(apply.txn);
	gml_tables_end(meta, &apply.tables, rc == 0);
	return rc;
}

static int recover_records(struct gml_lmdb *meta, const struct gml_redo_slot *slot,
			   uint64_t *count_out)
{
	struct gml_redo_place *tail = &meta->redo.shared->tail;
	struct gml_redo_record record = {
		.txnid = slot->txnid, .pos = slot->pos, .chain = slot->chain};
	int rc;
	*count_out = 0;
	while ((rc = gml_redo_read(&meta->redo, record.pos, record.chain, record.txnid + 1,
				   &record)) == 0) {
		rc = recover_record(meta, &record);
		free(record.payload);
		if (rc != 0)
			return rc;
		tail->txnid = record.txnid;
		tail->pos = record.pos;
		++*count_out;
	}
	meta->redo.shared->committed = tail->pos;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

/* Numbers of a lost transaction are in handles and cookies of clients, and must not return.
 * Acknowledged changes that can be lost are in the ring, and each number is in a change of a record
 * there, with 8 bytes of head and a key or value of 8: so at most a sixteenth of its bytes are
 * numbers. The rest of the skip is for transactions without a record, whose names a reader may have
 * seen for a moment. */
static int recover_skip_ids(struct gml_lmdb *meta)
{
	struct gml_lmdb_txn txn = {
		.head = {.engine = meta->head.engine, .meta = &meta->head, .writable = true},
		.meta = meta};
	int rc;
	gml_tables_see(meta, &txn.tables);
	rc = gml_lmdb_err(mdb_txn_begin(meta->env, NULL, 0, &txn.mdb));
	if (rc != 0)
		return rc;
	gml_redo_begin(&meta->redo); /* not written to the log: a checkpoint follows */
	rc = gml_lmdb_skip_ids(&txn, meta->redo.size / 4);
	if (rc != 0) {
		gml_lmdb_write_abort(&txn);
		return rc;
	}
	return gml_lmdb_err(mdb_txn_commit(txn.mdb));
}

/* LMDB is open at the checkpoint, the shared tail was made from the slot. Ends with a checkpoint
 * that begins a new chain: bytes after the last record continue no chain any more. */
int gml_recover_replay(struct gml_lmdb *meta, const struct gml_redo_slot *slot)
{
	uint64_t seed, count = 0;
	int rc = gml_lmdb_err(gml_redo_seed(&seed));
	if (rc == 0)
		rc = gml_checkpoint_pins_move(meta);
	if (rc == 0)
		rc = recover_records(meta, slot, &count);
	if (rc == 0 && !slot->closed)
		rc = recover_skip_ids(meta);
	if (rc == 0) {
		meta->redo.shared->tail.chain = seed;
		rc = gml_checkpoint_make(meta, 0);
	}
	gml_checkpoint_pins_drop(meta); /* a process that only reads needs none */
	if (rc == 0 && count > 0)
		gml_meta_log(&meta->head, GML_LOG_INFO, "replayed %llu changes of the metadata log",
			     (unsigned long long)count);
	return rc;
}
