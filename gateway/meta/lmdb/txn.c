// SPDX-License-Identifier: Apache-2.0
/* Transactions.
 *
 * Invariant: the place of a value in the map is valid for every transaction on the snapshot in
 * which it was found. While that snapshot is the newest, its pages are not reused; once it is not
 * the newest, no new transaction is on it.
 *
 * Read transactions are parked in slots after use: LMDB's reset keeps the reader slot in the lock
 * file, so taking a parked one needs neither a lock nor a system call. A slot is taken and filled
 * with one atomic exchange; a thread begins its search where it last succeeded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lmdb_internal.h"
#include "gateway/base/span.h"

/* Pages that a transaction writes besides one leaf for each change: branches, roots, the list of
 * free pages. */
#define TXN_WORK 10
#define TXN_PAGE 4096

/* The counter's record: a format byte, u64 little-endian. */
#define TXN_ID_FORMAT 1
#define TXN_ID_LEN 9

static _Thread_local unsigned txn_slot_hint;
static _Atomic unsigned txn_slot_spread;

static void txn_free(struct gml_lmdb_txn *txn)
{
	for (int i = 0; i < GML_TABLE_COUNT_; i++)
		gml_lmdb_cursor_free(txn->idle[i]);
	if (txn->mdb != NULL)
		mdb_txn_abort(txn->mdb);
	free(txn->hints);
	free(txn);
}

static struct gml_lmdb_txn *txn_unpark(struct gml_lmdb *meta)
{
	if (txn_slot_hint == 0)
		txn_slot_hint =
			1 + atomic_fetch_add_explicit(&txn_slot_spread, 7, memory_order_relaxed);
	for (unsigned i = 0; i < GML_LMDB_READ_SLOTS; i++) {
		struct gml_read_slot *slot =
			&meta->slots[(txn_slot_hint + i) % GML_LMDB_READ_SLOTS];
		if (atomic_load_explicit(&slot->txn, memory_order_relaxed) == NULL)
			continue;
		struct gml_lmdb_txn *txn =
			atomic_exchange_explicit(&slot->txn, NULL, memory_order_acquire);
		if (txn != NULL) {
			txn_slot_hint += i;
			return txn;
		}
	}
	return NULL;
}

static bool txn_park(struct gml_lmdb *meta, struct gml_lmdb_txn *txn)
{
	gml_assert(!txn->head.writable && txn->head.op == NULL); /* the next user begins anew */
	for (unsigned i = 0; i < GML_LMDB_READ_SLOTS; i++) {
		struct gml_read_slot *slot =
			&meta->slots[(txn_slot_hint + i) % GML_LMDB_READ_SLOTS];
		struct gml_lmdb_txn *none = NULL;
		if (atomic_load_explicit(&slot->txn, memory_order_relaxed) == NULL &&
		    atomic_compare_exchange_strong_explicit(
			    &slot->txn, &none, txn, memory_order_release, memory_order_relaxed)) {
			txn_slot_hint += i;
			return true;
		}
	}
	return false;
}

/* LMDB's reader reads the newest number N, then copies the meta page of N. If N + 2 is committed in
 * between, that page belongs to N + 2: the snapshot differs from its number, and hints of N are
 * wrong for it. A commit is announced in the shared tail before it begins: while N + 2 is not, the
 * copy is N's. */
static bool txn_is_exact(const struct gml_lmdb_txn *txn)
{
	const struct gml_redo_shared *shared = txn->meta->redo.shared;
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&shared->next.txnid, memory_order_acquire) <= txn->seq + 1 &&
	       atomic_load_explicit(&shared->tail.txnid, memory_order_acquire) <= txn->seq + 1;
}

static struct gml_lmdb_txn *txn_read_new(struct gml_lmdb *meta)
{
	struct gml_lmdb_txn *txn = calloc(1, sizeof(*txn));
	if (txn == NULL)
		return NULL;
	txn->head = (struct gml_txn){.engine = meta->head.engine, .meta = &meta->head};
	txn->meta = meta;
	/* without them every key is searched for */
	txn->hints = calloc(GML_HINT_SLOTS, sizeof(*txn->hints));
	return txn;
}

static int txn_snapshot(struct gml_lmdb_txn *txn)
{
	MDB_env *env = txn->meta->env;
	int dead, rc;
	gml_tables_see(txn->meta, &txn->tables);
	if (txn->mdb != NULL) {
		rc = mdb_txn_renew(txn->mdb);
	} else {
		rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn->mdb);
		if (rc == MDB_READERS_FULL && mdb_reader_check(env, &dead) == 0 && dead > 0)
			rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn->mdb);
	}
	if (rc == 0)
		txn->seq = mdb_txn_id(txn->mdb);
	return rc;
}

/* Each further attempt follows a commit that was announced meanwhile, or one that made a table. */
static int txn_begin_read(struct gml_lmdb_txn *txn)
{
	int rc, strange = 0;
	while ((rc = txn_snapshot(txn)) == 0) {
		bool exact = txn_is_exact(txn);
		if (exact && gml_tables_match(txn->meta, &txn->tables, txn->mdb))
			return 0;
		mdb_txn_reset(txn->mdb);
		if (!exact)
			continue;
		rc = strange++ < GML_TABLE_COUNT_ ? gml_tables_open(txn->meta) : MDB_CORRUPTED;
		if (rc != 0)
			return rc;
	}
	return rc;
}

int gml_lmdb_read_begin(struct gml_meta *head, struct gml_txn **txn_out)
{
	struct gml_lmdb *meta = gml_lmdb_of(head);
	struct gml_lmdb_txn *txn = txn_unpark(meta);
	int rc;
	*txn_out = NULL;
	atomic_fetch_add_explicit(&meta->slots[txn_slot_hint % GML_LMDB_READ_SLOTS].reads, 1,
				  memory_order_relaxed);
	if (txn == NULL)
		txn = txn_read_new(meta);
	if (txn == NULL)
		return GML_ERR_NOMEM;
	rc = txn_begin_read(txn);
	if (rc != 0) {
		gml_meta_log(&meta->head, GML_LOG_ERROR, "cannot begin a read transaction: %s",
			     mdb_strerror(rc));
		txn_free(txn);
		return gml_lmdb_err(rc);
	}
	*txn_out = &txn->head;
	return 0;
}

void gml_lmdb_read_end(struct gml_txn *head)
{
	struct gml_lmdb_txn *txn = gml_lmdb_txn_of(head);
	gml_assert(head->cursors == 0);
	head->op = NULL; /* the next reader is another's */
	mdb_txn_reset(txn->mdb);
	if (!txn_park(txn->meta, txn))
		txn_free(txn);
}

void gml_lmdb_pool_drain(struct gml_lmdb *meta)
{
	for (int i = 0; i < GML_LMDB_READ_SLOTS; i++) {
		struct gml_lmdb_txn *txn = atomic_exchange(&meta->slots[i].txn, NULL);
		if (txn != NULL)
			txn_free(txn);
	}
}

/* ---- write transactions ---- */
static int txn_begin_write(struct gml_lmdb_txn *txn)
{
	int rc = 0;
	for (int strange = 0; rc == 0; strange++) {
		gml_tables_see(txn->meta, &txn->tables);
		rc = mdb_txn_begin(txn->meta->env, NULL, 0, &txn->mdb);
		if (rc != 0 || gml_tables_match(txn->meta, &txn->tables, txn->mdb))
			return rc;
		mdb_txn_abort(txn->mdb);
		txn->mdb = NULL;
		rc = strange < GML_TABLE_COUNT_ ? gml_tables_open(txn->meta) : MDB_CORRUPTED;
	}
	return rc;
}

int gml_lmdb_write_begin(struct gml_lmdb *meta, struct gml_lmdb_txn *txn, void *local)
{
	int rc;
	gml_assert((uintptr_t)local % 8 == 0);
	memset(txn, 0, sizeof(*txn));
	txn->head = (struct gml_txn){
		.engine = meta->head.engine, .meta = &meta->head, .writable = true, .local = local};
	txn->meta = meta;
	if (atomic_load(&meta->redo.shared->broken) != 0)
		return GML_ERR_IO;
	rc = gml_checkpoint_pin(meta);
	if (rc != 0)
		return rc;
	rc = txn_begin_write(txn);
	if (rc != 0) {
		gml_meta_log(&meta->head, GML_LOG_ERROR, "cannot begin a write transaction: %s",
			     mdb_strerror(rc));
		return gml_lmdb_err(rc);
	}
	rc = gml_redo_resolve(&meta->redo, mdb_txn_id(txn->mdb));
	if (rc != 0) {
		gml_meta_log(&meta->head, GML_LOG_ERROR,
			     "cannot wipe out a record of the metadata log: %s", mdb_strerror(rc));
		gml_lmdb_write_abort(txn);
		return GML_ERR_IO;
	}
	gml_redo_begin(&meta->redo);
	txn->place = meta->redo.shared->tail;
	return 0;
}

/* The counter lives in memory during a batch and is written once. */
static int txn_store_id(struct gml_lmdb_txn *txn)
{
	uint8_t key = GML_SUPER_NEXT_ID, value[TXN_ID_LEN] = {TXN_ID_FORMAT};
	gml_assert(txn->last_id < GML_ENGINE_ID_END);
	if (!txn->id_changed)
		return 0;
	memcpy(value + 1, &txn->last_id, 8); /* little-endian, as all hosts that codec.h admits */
	return gml_lmdb_put(&txn->head, GML_TABLE_SUPER, gml_span_of(&key, 1),
			    gml_span_of(value, sizeof(value)));
}

/* Its record is after the tail and must not be found after a power cut. The next holder of the
 * writers' lock erases it, perhaps in another process; but this must happen before the failure is
 * reported. */
static int txn_commit_failed(struct gml_lmdb *meta, int code)
{
	struct gml_lmdb_txn again;
	int rc;
	gml_meta_log(&meta->head, GML_LOG_ERROR, "commit failed: %s", mdb_strerror(code));
	if (gml_lmdb_lost(meta))
		return GML_ERR_IO;
	rc = gml_lmdb_write_begin(meta, &again, NULL);
	if (rc != 0)
		return GML_ERR_IO;
	gml_lmdb_write_abort(&again);
	/* LMDB's code for a write that was cut short, so also for a disk that becomes full in the
	 * middle of one. All commits are on the disk, as was just checked. */
	return code == EIO ? GML_ERR_NOSPC : gml_lmdb_err(code);
}

int gml_lmdb_write_commit(struct gml_lmdb_txn *txn)
{
	struct gml_lmdb *meta = txn->meta;
	uint64_t before;
	int rc = txn->failed ? txn->failed : txn_store_id(txn);
	gml_assert(txn->mdb != NULL && txn->head.cursors == 0);
	if (rc != 0) {
		gml_lmdb_write_abort(txn);
		return rc;
	}
	before = txn->place.pos;
	rc = gml_redo_append(&meta->redo, mdb_txn_id(txn->mdb), TXN_WORK + txn->work, &txn->place);
	if (rc != 0)
		mdb_txn_abort(txn->mdb);
	else
		rc = mdb_txn_commit(txn->mdb);
	txn->mdb = NULL;
	gml_tables_end(meta, &txn->tables, rc == 0);
	if (rc != 0)
		return txn_commit_failed(meta, rc);
	gml_redo_committed(&meta->redo, &txn->place);
	atomic_fetch_add_explicit(&meta->log_bytes, txn->place.pos - before, memory_order_relaxed);
	gml_checkpoint_nudge(meta, &txn->place);
	return 0;
}

void gml_lmdb_write_abort(struct gml_lmdb_txn *txn)
{
	if (txn->mdb != NULL)
		mdb_txn_abort(txn->mdb);
	txn->mdb = NULL;
	gml_tables_end(txn->meta, &txn->tables, false);
}

static int txn_id_damaged(struct gml_lmdb_txn *txn)
{
	uint8_t key = GML_SUPER_NEXT_ID;
	return gml_txn_corrupt(&txn->head, GML_TABLE_SUPER, gml_span_of(&key, 1));
}

static bool txn_load_id(struct gml_lmdb_txn *txn)
{
	uint8_t key = GML_SUPER_NEXT_ID;
	struct gml_span value = {0};
	int rc;
	if (txn->last_id != 0)
		return true;
	rc = gml_lmdb_get(&txn->head, GML_TABLE_SUPER, gml_span_of(&key, 1), &value);
	if (rc == 0 && value.len == TXN_ID_LEN && *(const uint8_t *)value.ptr == TXN_ID_FORMAT)
		memcpy(&txn->last_id, (const uint8_t *)value.ptr + 1, 8);
	if (txn->last_id != 0 && txn->last_id < GML_ENGINE_ID_END)
		return true;
	txn->last_id = 0;
	txn->failed = txn->failed ? txn->failed : txn_id_damaged(txn);
	return false;
}

uint64_t gml_lmdb_next_id(struct gml_txn *head)
{
	struct gml_lmdb_txn *txn = gml_lmdb_txn_of(head);
	if (!txn_load_id(txn))
		return 0;
	if (txn->last_id + 1 >= GML_ENGINE_ID_END) {
		int rc = gml_txn_ids_end(head);
		txn->failed = txn->failed ? txn->failed : rc;
		return 0;
	}
	txn->id_changed = true;
	return ++txn->last_id;
}

int gml_lmdb_skip_ids(struct gml_lmdb_txn *txn, uint64_t count)
{
	if (!txn_load_id(txn))
		return txn->failed;
	/* Near their end all that are left: a store without numbers can still be read. */
	if (count >= GML_ENGINE_ID_END - txn->last_id)
		count = GML_ENGINE_ID_END - 1 - txn->last_id;
	txn->last_id += count;
	txn->id_changed = true;
	return txn_store_id(txn);
}

uint64_t gml_lmdb_txn_seq(const struct gml_txn *head)
{
	return mdb_txn_id(((const struct gml_lmdb_txn *)head)->mdb);
}

/* ---- keys and values ---- */
static bool txn_key_ok(struct gml_span key)
{
	return key.len > 0 && key.len <= GML_LMDB_KEY_MAX;
}

int gml_lmdb_error(struct gml_lmdb_txn *txn, int code)
{
	int rc = gml_lmdb_err(code);
	if (code != MDB_NOTFOUND) {
		gml_txn_log(&txn->head, GML_LOG_ERROR, "metadata engine: %s", mdb_strerror(code));
		if (txn->head.writable && txn->failed == 0)
			txn->failed = rc;
	}
	return rc;
}

/* ---- what was found lately ---- */
/* The multiplication carries upwards only, and keys end in the bytes that differ (big-endian
 * numbers): fold back down. */
static uint64_t hint_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

/* The two slots that a key may have, the later find first; NULL: it has none. */
static struct gml_hint *hint_slot(struct gml_lmdb_txn *txn, enum gml_table table,
				  struct gml_span key)
{
	uint64_t hash = (uint64_t)table + 1, word = 0;
	const uint8_t *p = key.ptr;
	size_t left = key.len;
	if (txn->hints == NULL || key.len > GML_HINT_KEY_MAX)
		return NULL;
	for (; left >= 8; p += 8, left -= 8) {
		memcpy(&word, p, 8);
		hash = hint_mix(hash, word);
	}
	word = 0;
	memcpy(&word, p, left);
	hash = hint_mix(hash, word ^ (uint64_t)key.len << 56);
	return &txn->hints[hash & (GML_HINT_SLOTS - 2)];
}

static bool hint_holds(const struct gml_hint *hint, const struct gml_lmdb_txn *txn,
		       enum gml_table table, struct gml_span key)
{
	return hint->seq == txn->seq && hint->table == table && hint->key_len == key.len &&
	       memcmp(hint->key, key.ptr, key.len) == 0;
}

static void hint_note(struct gml_hint *hint, const struct gml_lmdb_txn *txn, enum gml_table table,
		      struct gml_span key, struct gml_span value)
{
	gml_assert(!txn->head.writable && txn->seq != 0); /* the invariant above */
	hint[1] = hint[0];
	hint->seq = txn->seq;
	hint->value = value;
	hint->table = (uint8_t)table;
	hint->key_len = (uint8_t)key.len;
	memcpy(hint->key, key.ptr, key.len);
}

int gml_lmdb_get(struct gml_txn *head, enum gml_table table, struct gml_span key,
		 struct gml_span *value_out)
{
	struct gml_lmdb_txn *txn = gml_lmdb_txn_of(head);
	MDB_val k = {key.len, (void *)key.ptr}, v;
	struct gml_hint *hint;
	int rc;
	if (!txn_key_ok(key))
		return GML_ERR_INVAL;
	if (!gml_tables_have(&txn->tables, table))
		return GML_ERR_NOENT;
	hint = hint_slot(txn, table, key);
	for (int i = 0; hint != NULL && i < 2; i++)
		if (hint_holds(&hint[i], txn, table, key)) {
			*value_out = hint[i].value;
			return 0;
		}
	rc = mdb_get(txn->mdb, txn->meta->tables.handle[table], &k, &v);
	if (rc != 0)
		return gml_lmdb_error(txn, rc);
	*value_out = gml_span_of(v.mv_data, v.mv_size);
	if (hint != NULL)
		hint_note(hint, txn, table, key, *value_out);
	return 0;
}

int gml_lmdb_put(struct gml_txn *head, enum gml_table table, struct gml_span key,
		 struct gml_span value)
{
	struct gml_lmdb_txn *txn = gml_lmdb_txn_of(head);
	uint8_t copy[GML_LMDB_KEY_MAX]; /* the key may be borrowed from a page that this changes */
	MDB_val k = {key.len, copy}, v = {value.len, (void *)value.ptr};
	int rc;
	if (!txn_key_ok(key))
		return GML_ERR_INVAL;
	if (value.len > GML_LMDB_VALUE_MAX)
		return GML_ERR_TOOBIG;
	memcpy(copy, key.ptr, key.len);
	txn->writes++;
	txn->work += 1 + value.len / TXN_PAGE;
	gml_redo_add(&txn->meta->redo, true, table, gml_span_of(copy, key.len), value);
	rc = gml_tables_need(txn->meta, &txn->tables, txn->mdb, table);
	if (rc == 0)
		rc = mdb_put(txn->mdb, txn->meta->tables.handle[table], &k, &v, 0);
	return rc == 0 ? 0 : gml_lmdb_error(txn, rc);
}

int gml_lmdb_del(struct gml_txn *head, enum gml_table table, struct gml_span key)
{
	struct gml_lmdb_txn *txn = gml_lmdb_txn_of(head);
	uint8_t copy[GML_LMDB_KEY_MAX];
	MDB_val k = {key.len, copy};
	int rc;
	if (!txn_key_ok(key))
		return GML_ERR_INVAL;
	if (!gml_tables_have(&txn->tables, table))
		return GML_ERR_NOENT;
	memcpy(copy, key.ptr, key.len);
	rc = mdb_del(txn->mdb, txn->meta->tables.handle[table], &k, NULL);
	if (rc != 0)
		return gml_lmdb_error(txn, rc);
	txn->writes++;
	txn->work++;
	gml_redo_add(&txn->meta->redo, false, table, gml_span_of(copy, key.len),
		     gml_span_of(NULL, 0));
	return 0;
}

int gml_lmdb_count(struct gml_txn *head, enum gml_table table, uint64_t *count_out)
{
	struct gml_lmdb_txn *txn = gml_lmdb_txn_of(head);
	MDB_stat stat = {0};
	int rc = 0;
	if (gml_tables_have(&txn->tables, table))
		rc = mdb_stat(txn->mdb, txn->meta->tables.handle[table], &stat);
	if (rc != 0)
		return gml_lmdb_error(txn, rc);
	*count_out = stat.ms_entries;
	return 0;
}
