// SPDX-License-Identifier: Apache-2.0
/* The LMDB environment: creation, opening and the format record.
 *
 * Invariants
 *  1. Every process maps the store with the size that its creator recorded (LMDB keeps it in the
 *     meta page), so no process meets pages beyond its map.
 *  2. A process opens a store once: LMDB's claim on its reader slots is a lock that closing any
 *     second descriptor would drop, and other processes would then clear the slots of living
 *     readers.
 *  3. Environments are opened with MDB_NOSYNC: a commit flushes nothing. The redo log (redo.h) and
 *     the last checkpoint (checkpoint.h) are durable.
 *  4. One process at a time holds the gate, while it opens or closes. The first opener is alone: it
 *     recovers before another process passes the gate. Every opener holds the lock ALIVE until it
 *     has closed. A process that dies drops both. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lmdb_internal.h"
#include "gateway/base/span.h"

#define META_TABLES_MAX 64 /* named databases that LMDB makes room for */
#define META_MAP_DEFAULT ((uint64_t)1 << 40)
#define META_MAP_LEAST ((uint64_t)64 << 20)
#define META_READERS_DEFAULT 4096
#define META_ENV_FLAGS (MDB_NOTLS | MDB_NORDAHEAD)

_Static_assert(GML_TABLE_COUNT_ <= META_TABLES_MAX, "META_TABLES_MAX is too small");

/* An environment without handles; map_size 0 adopts the recorded size. flags: MDB_NOSYNC, or 0
 * while there is no log. */
static int meta_env_open(struct gml_lmdb *meta, const char *dir, uint64_t map_size, unsigned flags)
{
	uint32_t readers = meta->opt.snapshots ? meta->opt.snapshots : META_READERS_DEFAULT;
	int rc = mdb_env_create(&meta->env);
	if (rc != 0) {
		meta->env = NULL;
		return rc;
	}
	rc = mdb_env_get_maxkeysize(meta->env) < GML_LMDB_KEY_MAX ? MDB_INCOMPATIBLE : 0;
	if (rc == 0)
		rc = mdb_env_set_maxdbs(meta->env, META_TABLES_MAX);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(meta->env, readers);
	if (rc == 0 && map_size != 0)
		rc = mdb_env_set_mapsize(meta->env, map_size);
	if (rc == 0)
		rc = mdb_env_open(meta->env, dir, META_ENV_FLAGS | flags, 0600);
	if (rc != 0) {
		mdb_env_close(meta->env);
		meta->env = NULL;
	}
	return rc;
}

/* Format record: version (u32 little-endian), then the uuid. It is read before the tables are
 * opened: a store of another version may have other ones. NOENT, FORMAT, CORRUPT. */
static int meta_format_read(struct gml_lmdb *meta)
{
	uint8_t key = GML_SUPER_FORMAT;
	MDB_val k = {1, &key}, v;
	MDB_txn *txn = NULL;
	MDB_dbi super;
	uint32_t version;
	int rc = mdb_txn_begin(meta->env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return gml_lmdb_err(rc);
	rc = mdb_dbi_open(txn, gml_table_name(GML_TABLE_SUPER), 0, &super);
	if (rc == 0)
		rc = mdb_get(txn, super, &k, &v);
	rc = gml_lmdb_err(rc);
	if (rc == 0 && v.mv_size < 4)
		rc = GML_ERR_CORRUPT;
	if (rc != 0)
		goto out;
	memcpy(&version, v.mv_data, 4);
	if (version != GML_STORE_VERSION) {
		gml_meta_log(&meta->head, GML_LOG_ERROR,
			     "the metadata is of store version %u, this program reads version %u",
			     version, GML_STORE_VERSION);
		rc = GML_ERR_FORMAT;
		goto out;
	}
	if (v.mv_size != 20)
		rc = GML_ERR_CORRUPT;
	else
		memcpy(meta->head.uuid, (const uint8_t *)v.mv_data + 4, 16);
out:
	mdb_txn_abort(txn);
	return rc;
}

/* Makes the first table, and begins the counter. Durable: the environment is not in MDB_NOSYNC
 * yet. */
static int meta_format_write(struct gml_lmdb *meta, const uint8_t uuid[16])
{
	uint8_t format_key = GML_SUPER_FORMAT, id_key = GML_SUPER_NEXT_ID;
	uint8_t format[20] = {GML_STORE_VERSION},
		id[9] = {1, 1}; /* format; the last number given: inode 1 is the root */
	MDB_val k = {1, &format_key}, v = {sizeof(format), format};
	MDB_txn *txn = NULL;
	MDB_dbi super;
	int rc;
	memcpy(format + 4, uuid, 16);
	rc = mdb_txn_begin(meta->env, NULL, 0, &txn);
	if (rc != 0)
		return rc;
	rc = mdb_dbi_open(txn, gml_table_name(GML_TABLE_SUPER), MDB_CREATE, &super);
	if (rc == 0)
		rc = mdb_put(txn, super, &k, &v, 0);
	k.mv_data = &id_key;
	v = (MDB_val){sizeof(id), id};
	if (rc == 0)
		rc = mdb_put(txn, super, &k, &v, 0);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

/* LMDB makes its files but does not sync the directory that names them. */
static int meta_dir_sync(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	if (fd < 0)
		return errno;
	if (fsync(fd) != 0)
		rc = errno;
	close(fd);
	return rc;
}

static void meta_free(struct gml_lmdb *meta)
{
	gml_checkpoint_pins_drop(meta);
	if (meta->env != NULL)
		mdb_env_close(meta->env);
	gml_redo_release(&meta->redo);
	if (meta->data_fd >= 0) /* last: the claims end with it */
		close(meta->data_fd);
	gml_checkpoint_release(&meta->checkpoint);
	gml_commit_release(&meta->commit);
	gml_tables_release(&meta->tables);
	free(meta);
}

static struct gml_lmdb *meta_new(const struct gml_meta_options *opt)
{
	struct gml_lmdb *meta = aligned_alloc(64, sizeof(*meta));
	if (meta == NULL)
		return NULL;
	memset(meta, 0, sizeof(*meta));
	meta->data_fd = -1;
	gml_redo_init(&meta->redo);
	gml_meta_head_init(&meta->head, &gml_engine_lmdb, opt);
	if (opt != NULL)
		meta->opt = *opt;
	meta->opt.engine = NULL; /* the caller's */
	if (gml_commit_init(&meta->commit) != 0)
		goto no_commit;
	if (gml_checkpoint_init(&meta->checkpoint) != 0)
		goto no_checkpoint;
	if (gml_tables_init(&meta->tables) != 0)
		goto no_tables;
	return meta;
no_tables:
	gml_checkpoint_release(&meta->checkpoint);
no_checkpoint:
	gml_commit_release(&meta->commit);
no_commit:
	free(meta);
	return NULL;
}

/* ---- stores that this process has open (invariant 2) ---- */
/* held while one is opened or closed */
static pthread_mutex_t meta_open_lock = PTHREAD_MUTEX_INITIALIZER;
static struct gml_lmdb *meta_open_list;
static pid_t meta_open_pid; /* whose list it is: a forked child has opened nothing yet */

/* Opens ->data_fd, fills ->dev and ->ino. errno. */
static int meta_identify(struct gml_lmdb *meta, const char *dir, int flags)
{
	char path[4096];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/data.mdb", dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return ENAMETOOLONG;
	meta->data_fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
	if (meta->data_fd < 0 || fstat(meta->data_fd, &st) != 0)
		return errno;
	meta->dev = st.st_dev;
	meta->ino = st.st_ino;
	return 0;
}

static bool meta_is_open(const struct gml_lmdb *meta)
{
	if (meta_open_pid != getpid()) {
		meta_open_pid = getpid();
		meta_open_list = NULL;
	}
	for (const struct gml_lmdb *m = meta_open_list; m != NULL; m = m->next_open) {
		if (m->dev == meta->dev && m->ino == meta->ino)
			return true;
	}
	return false;
}

static void meta_forget(struct gml_lmdb *meta)
{
	struct gml_lmdb **link = &meta_open_list;
	while (*link != NULL && *link != meta)
		link = &(*link)->next_open;
	if (*link != NULL)
		*link = meta->next_open;
}

/* ---- create, open, close ---- */
/* The largest map that the address space allows. Tried without LMDB, which would record the first
 * size even if it could not map it. */
static uint64_t meta_map_size(void)
{
	uint64_t size = META_MAP_DEFAULT;
	for (; size > META_MAP_LEAST; size /= 2) {
		void *probe = mmap(NULL, size, PROT_READ,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (probe != MAP_FAILED) {
			munmap(probe, size);
			break;
		}
	}
	return size;
}

/* 0: this process is alone and has everything to itself; EAGAIN: others have the store open, and it
 * is alive. Either way the gate is held. */
static int meta_enter(struct gml_lmdb *meta)
{
	int rc = gml_file_lock(meta->data_fd, GML_FILE_LOCK_GATE, F_WRLCK, true);
	return rc != 0 ? rc : gml_file_lock(meta->data_fd, GML_FILE_LOCK_ALIVE, F_WRLCK, false);
}

/* Alive from here on, as others may be. */
static int meta_entered(struct gml_lmdb *meta)
{
	int rc = gml_file_lock(meta->data_fd, GML_FILE_LOCK_ALIVE, F_RDLCK, true);
	return rc != 0 ? rc : gml_file_lock(meta->data_fd, GML_FILE_LOCK_GATE, F_UNLCK, false);
}

/* The environment is open and flushing: makes the log, then the format record, then the first whole
 * slot, with which the creation is complete. Cut short, it is done again: until then the log says
 * MAKING. */
static int meta_make(struct gml_lmdb *meta, const char *dir, const uint8_t uuid[16])
{
	struct gml_redo_slot slot = {.seq = 1, .state = GML_REDO_MAKING};
	MDB_stat stat;
	int rc = mdb_env_stat(meta->env, &stat);
	if (rc == 0)
		rc = mdb_env_sync(meta->env, 1);
	if (rc == 0)
		rc = gml_redo_make(&meta->redo, dir, stat.ms_psize);
	if (rc == 0)
		rc = meta_dir_sync(dir);
	if (rc == 0)
		rc = meta_format_write(meta, uuid);
	if (rc == 0)
		rc = gml_tables_open(meta);
	if (rc == 0)
		rc = mdb_env_set_flags(meta->env, MDB_NOSYNC, 1);
	if (rc == 0)
		rc = gml_redo_seed(&slot.chain);
	if (rc == 0)
		rc = gml_redo_share(&meta->redo, dir, &slot);
	return rc != 0 ? gml_lmdb_err(rc) : gml_checkpoint_make(meta, 0);
}

/* The newest slot of the log, if there is a log; ENOENT, EILSEQ. */
static int meta_log_open(struct gml_lmdb *meta, const char *dir, struct gml_redo_slot *slot)
{
	int rc = gml_redo_open(&meta->redo, dir);
	return rc != 0 ? rc : gml_redo_slot_read(&meta->redo, slot);
}

static int meta_create_alone(struct gml_lmdb *meta, const char *dir, const uint8_t uuid[16])
{
	struct gml_redo_slot slot;
	int rc = meta_log_open(meta, dir, &slot);
	bool unfinished = rc == 0 && slot.state == GML_REDO_MAKING;
	if (rc == EILSEQ || (rc == 0 && !unfinished))
		return GML_ERR_EXIST;
	if (rc == 0 || rc == ENOENT)
		rc = meta_env_open(meta, dir,
				   meta->opt.capacity ? meta->opt.capacity : meta_map_size(), 0);
	if (rc != 0)
		return gml_lmdb_err(rc);
	/* Without a log there is a format record only in a store that has lost its log. */
	rc = unfinished ? GML_ERR_NOENT : meta_format_read(meta);
	if (rc != GML_ERR_NOENT)
		return rc == 0 || rc == GML_ERR_FORMAT ? GML_ERR_EXIST : rc;
	rc = meta_make(meta, dir, uuid);
	return rc == 0 ? gml_checkpoint_close(meta) : rc;
}

int gml_lmdb_create(const char *dir, const uint8_t uuid[16], const struct gml_meta_options *opt)
{
	struct gml_lmdb *meta = meta_new(opt);
	int rc;
	if (meta == NULL)
		return GML_ERR_NOMEM;
	pthread_mutex_lock(&meta_open_lock);
	rc = meta_identify(meta, dir, O_CREAT);
	if (rc == 0 && meta_is_open(meta))
		rc = EEXIST;
	if (rc == 0)
		rc = meta_enter(meta);
	if (rc == EAGAIN)
		rc = EEXIST;
	rc = rc != 0 ? gml_lmdb_err(rc) : meta_create_alone(meta, dir, uuid);
	if (rc != 0 && rc != GML_ERR_EXIST)
		gml_meta_log(&meta->head, GML_LOG_ERROR, "%s: cannot create the metadata store: %s",
			     dir, gml_err_text(rc));
	meta_free(meta);
	pthread_mutex_unlock(&meta_open_lock);
	return rc;
}

/* A larger map than the recorded one is adopted and recorded with the next commit, and a
 * checkpoint, for a recovery maps what the checkpoint says; every process must be opened anew for
 * it. */
static int meta_grow(struct gml_lmdb *meta)
{
	struct gml_lmdb_txn txn;
	MDB_envinfo info;
	uint8_t key = GML_SUPER_FORMAT;
	struct gml_span format;
	int rc = gml_lmdb_err(mdb_env_info(meta->env, &info));
	if (rc != 0 || meta->opt.capacity <= info.me_mapsize)
		return rc;
	rc = gml_lmdb_err(mdb_env_set_mapsize(meta->env, meta->opt.capacity));
	if (rc == 0)
		rc = gml_lmdb_write_begin(meta, &txn, NULL);
	if (rc != 0)
		return rc;
	rc = gml_lmdb_get(&txn.head, GML_TABLE_SUPER, gml_span_of(&key, 1), &format);
	if (rc == 0) {
		uint8_t copy[20];
		memcpy(copy, format.ptr, sizeof(copy)); /* its length was checked */
		rc = gml_lmdb_put(&txn.head, GML_TABLE_SUPER, gml_span_of(&key, 1),
				  gml_span_of(copy, sizeof(copy)));
	}
	if (rc == 0)
		rc = gml_lmdb_write_commit(&txn);
	else
		gml_lmdb_write_abort(&txn);
	return rc != 0 ? rc : gml_checkpoint_make(meta, 0);
}

static int meta_open_env(struct gml_lmdb *meta, const char *dir)
{
	int rc = gml_lmdb_err(meta_env_open(meta, dir, 0, MDB_NOSYNC));
	if (rc == 0)
		rc = meta_format_read(meta);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? GML_ERR_CORRUPT : rc;
	return gml_lmdb_err(gml_tables_open(meta));
}

/* Others have it open: the log and its shared tail are in order. */
static int meta_open_joined(struct gml_lmdb *meta, const char *dir)
{
	int rc = gml_redo_open(&meta->redo, dir);
	if (rc == 0)
		rc = gml_redo_share(&meta->redo, dir, NULL);
	if (rc != 0)
		return rc == EILSEQ ? GML_ERR_CORRUPT : gml_lmdb_err(rc);
	if (meta->redo.shared->layout != GML_REDO_LAYOUT) /* another version of this program */
		return GML_ERR_FORMAT;
	return meta_open_env(meta, dir);
}

/* Without its log it is unknown whether data.mdb is whole. */
static int meta_open_without_log(struct gml_lmdb *meta, const char *dir)
{
	int rc = meta_open_env(meta, dir);
	if (rc != 0)
		return rc;
	gml_meta_log(&meta->head, GML_LOG_ERROR, "%s: the metadata log (redo) is missing", dir);
	return GML_ERR_CORRUPT;
}

/* Before anything is changed. CORRUPT, NOMEM, IO. */
static int meta_log_verify(struct gml_lmdb *meta, const char *dir, const struct gml_redo_slot *slot)
{
	struct gml_redo_damage damage;
	int rc = gml_redo_verify(&meta->redo, slot, &damage);
	if (slot->copies == 1 && slot->closed)
		gml_meta_log(&meta->head, GML_LOG_WARN,
			     "%s: one of the two copies of the last checkpoint in the metadata log "
			     "(redo) was damaged; the other one is taken",
			     dir);
	if (rc == GML_ERR_CORRUPT)
		gml_meta_log(&meta->head, GML_LOG_ERROR,
			     "%s: the metadata log (redo) is damaged at byte %llu: change %llu "
			     "cannot be read, though it was on the disk; %llu changes behind it "
			     "are whole, and cannot be run without it. Nothing was changed. "
			     "Put back the bytes, or a copy of the whole store",
			     dir, (unsigned long long)damage.off, (unsigned long long)damage.txnid,
			     (unsigned long long)damage.later);
	return rc;
}

/* This process is alone: when it is done, the store is whole and of this program's version. A
 * change of format is adopted here, after the replay and before others get in
 * (docs/on-disk-format.md, "Changes of format"). */
static int meta_open_alone(struct gml_lmdb *meta, const char *dir)
{
	struct gml_redo_slot slot;
	int rc = meta_log_open(meta, dir, &slot);
	if (rc == ENOENT || (rc == 0 && slot.state == GML_REDO_MAKING))
		return meta_open_without_log(meta, dir);
	if (rc == EILSEQ)
		gml_meta_log(&meta->head, GML_LOG_ERROR,
			     "%s: the header or both checkpoints of the metadata log (redo) are "
			     "damaged",
			     dir);
	if (rc != 0)
		return rc == EILSEQ ? GML_ERR_CORRUPT : gml_lmdb_err(rc);
	rc = meta_log_verify(meta, dir, &slot);
	if (rc != 0)
		return rc;
	rc = gml_recover_restore(meta, &slot);
	if (rc == 0)
		rc = gml_redo_share(&meta->redo, dir, &slot);
	if (rc != 0)
		return rc == EILSEQ ? GML_ERR_CORRUPT : gml_lmdb_err(rc);
	rc = meta_open_env(meta, dir);
	return rc != 0 ? rc : gml_recover_replay(meta, &slot);
}

static int meta_open(struct gml_lmdb *meta, const char *dir)
{
	int rc = meta_identify(meta, dir, 0);
	if (rc == 0 && meta_is_open(meta))
		rc = EBUSY;
	if (rc == 0)
		rc = meta_enter(meta);
	if (rc != 0 && rc != EAGAIN)
		return gml_lmdb_err(rc);
	rc = rc == 0 ? meta_open_alone(meta, dir) : meta_open_joined(meta, dir);
	if (rc == 0)
		rc = meta_grow(meta);
	return rc != 0 ? rc : gml_lmdb_err(meta_entered(meta));
}

int gml_lmdb_open(const char *dir, const struct gml_meta_options *opt, struct gml_meta **meta_out)
{
	struct gml_lmdb *meta = meta_new(opt);
	int rc;
	*meta_out = NULL;
	if (meta == NULL)
		return GML_ERR_NOMEM;
	pthread_mutex_lock(&meta_open_lock);
	rc = meta_open(meta, dir);
	if (rc != 0) {
		if (rc != GML_ERR_NOENT && rc != GML_ERR_BUSY)
			gml_meta_log(&meta->head, GML_LOG_ERROR,
				     "%s: cannot open the metadata store: %s", dir,
				     gml_err_text(rc));
		gml_checkpoint_stop(meta);
		meta_free(meta);
	} else {
		meta->next_open = meta_open_list;
		meta_open_list = meta;
	}
	pthread_mutex_unlock(&meta_open_lock);
	if (rc != 0)
		return rc;
	gml_lmdb_housekeep(&meta->head);
	*meta_out = &meta->head;
	return 0;
}

/* Relaxed updates are durable after an orderly end, and after that of the last one there is nothing
 * to replay. The next opener can tell. */
static void meta_leave(struct gml_lmdb *meta)
{
	struct gml_redo_shared *shared = meta->redo.shared;
	struct gml_redo_place seen = {.pos = atomic_load(&shared->committed)};
	if (atomic_load(&shared->broken) != 0 || atomic_load(&meta->commit.broken) != 0)
		return;
	if (meta_enter(meta) == 0)
		/* it has logged why not; the log holds everything */
		(void)gml_checkpoint_close(meta);
	else
		(void)gml_checkpoint_wait_durable(meta, &seen);
}

void gml_lmdb_close(struct gml_meta *head)
{
	struct gml_lmdb *meta = gml_lmdb_of(head);
	gml_lmdb_pool_drain(meta);
	gml_checkpoint_stop(meta);
	pthread_mutex_lock(&meta_open_lock);
	meta_leave(meta);
	meta_forget(meta);
	meta_free(meta);
	pthread_mutex_unlock(&meta_open_lock);
}

/* Reader slots of processes that died. */
int gml_lmdb_housekeep(struct gml_meta *head)
{
	struct gml_lmdb *meta = gml_lmdb_of(head);
	int dead = 0, rc = mdb_reader_check(meta->env, &dead);
	if (rc == 0 && dead > 0)
		gml_meta_log(&meta->head, GML_LOG_INFO, "cleared %d reader slots of dead processes",
			     dead);
	return gml_lmdb_err(rc);
}

bool gml_lmdb_lost(struct gml_lmdb *meta)
{
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(meta->env, NULL, MDB_RDONLY, &txn);
	if (rc == 0)
		mdb_txn_abort(txn);
	/* LMDB gives the environment up when a meta page fails. A failed flush it reports like a
	 * write that found no room; but the kernel tells every descriptor of pages that it lost,
	 * once. */
	if (fdatasync(meta->data_fd) != 0) {
		atomic_store(&meta->redo.shared->broken, 1);
		return true;
	}
	return rc == MDB_PANIC;
}
