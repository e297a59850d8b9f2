// SPDX-License-Identifier: Apache-2.0
/* The table of the engine over LMDB. */
#include "lmdb_internal.h"

static uint64_t lmdb_seq(struct gml_meta *head)
{
	MDB_envinfo info;
	return mdb_env_info(gml_lmdb_of(head)->env, &info) == 0 ? info.me_last_txnid : 0;
}

static bool lmdb_is_short(struct gml_meta *head)
{
	return atomic_load(&gml_lmdb_of(head)->reserve.is_short);
}

static void lmdb_stats(struct gml_meta *head, struct gml_meta_stats *out)
{
	struct gml_lmdb *meta = gml_lmdb_of(head);
	MDB_envinfo info;
	MDB_stat stat;
	out->commits = atomic_load_explicit(&meta->commits, memory_order_relaxed);
	out->updates = atomic_load_explicit(&meta->updates, memory_order_relaxed);
	out->syncs = atomic_load_explicit(&meta->syncs, memory_order_relaxed);
	out->log_bytes = atomic_load_explicit(&meta->log_bytes, memory_order_relaxed);
	out->checkpoints = atomic_load_explicit(&meta->checkpoint.made, memory_order_relaxed);
	for (int i = 0; i < GML_LMDB_READ_SLOTS; i++)
		out->reads += atomic_load_explicit(&meta->slots[i].reads, memory_order_relaxed);
	if (mdb_env_info(meta->env, &info) == 0 && mdb_env_stat(meta->env, &stat) == 0) {
		out->capacity = info.me_mapsize;
		out->used = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
	}
}

const struct gml_engine gml_engine_lmdb = {
	.abi = GML_ENGINE_ABI,
	.name = "lmdb",
	.caps = {.snapshot_reads = true,
		 .cheap_seq = true,
		 .cheap_count = true,
		 .local = true,
		 .durable = true,
		 .key_max = GML_LMDB_KEY_MAX,
		 .value_max = GML_LMDB_VALUE_MAX},
	.create = gml_lmdb_create,
	.open = gml_lmdb_open,
	.close = gml_lmdb_close,
	.housekeep = gml_lmdb_housekeep,
	.check = gml_lmdb_check,
	.stats = lmdb_stats,
	.seq = lmdb_seq,
	.update = gml_lmdb_update,
	.flush = gml_lmdb_flush,
	.refresh = gml_lmdb_refresh,
	.is_short = lmdb_is_short,
	.read_begin = gml_lmdb_read_begin,
	.read_end = gml_lmdb_read_end,
	.txn_seq = gml_lmdb_txn_seq,
	.get = gml_lmdb_get,
	.put = gml_lmdb_put,
	.del = gml_lmdb_del,
	.next_id = gml_lmdb_next_id,
	.count = gml_lmdb_count,
	.cursor_open = gml_lmdb_cursor_open,
	.cursor_close = gml_lmdb_cursor_close,
	.cursor_seek = gml_lmdb_cursor_seek,
	.cursor_next = gml_lmdb_cursor_next,
	.cursor_before = gml_lmdb_cursor_before,
};
