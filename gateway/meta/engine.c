// SPDX-License-Identifier: Apache-2.0
/* Code that all engines share: the list of engines, the engine that a store names, log lines,
 * checks of callers.
 *
 * The file `engine` of a store's directory holds the name of its engine and a newline. It is
 * written, durably, before the engine makes anything, so the engine of an existing store is always
 * known. Without the file, or with one that a crash cut short, it is "lmdb". */
#include "engine.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "gateway/base/assert.h"
#include "engines.h"
#include "gateway/base/errmap.h"
#include "gateway/base/small_file.h"
#include "gateway/base/log.h"

#define ENGINE_DEFAULT "lmdb"
#define ENGINE_NAME_MAX 31
#define ENGINE_LOG_LINES 30

static const struct gml_engine *const engine_list[] = {
	&gml_engine_lmdb,
#ifdef GML_TESTING
	&gml_engine_memory,
	&gml_engine_memory_plain,
#endif
};

const struct gml_engine *gml_engine_find(const char *name)
{
	for (size_t i = 0; i < sizeof(engine_list) / sizeof(*engine_list); i++)
		if (strcmp(engine_list[i]->name, name) == 0)
			return engine_list[i];
	return NULL;
}

const char *gml_table_name(enum gml_table table)
{
	static const char *const names[GML_TABLE_COUNT_] = {
#define ENGINE_TABLE_NAME(name) #name,
		GML_TABLE_MAP(ENGINE_TABLE_NAME)
#undef ENGINE_TABLE_NAME
	};
	gml_assert(table < GML_TABLE_COUNT_);
	return names[table];
}

/* ---- the name in the store ---- */
static int engine_path(char path[4096], const char *dir)
{
	int n = snprintf(path, 4096, "%s/engine", dir);
	return n < 0 || n >= 4096 ? GML_ERR_NAMETOOLONG : 0;
}

/* An empty name: the store has no engine file. FORMAT: its content is not a name. */
static int engine_read(const char *dir, char name[ENGINE_NAME_MAX + 1])
{
	char path[4096], text[ENGINE_NAME_MAX + 2];
	size_t len;
	int code, rc = engine_path(path, dir);
	name[0] = 0;
	if (rc != 0)
		return rc;
	code = gml_small_file_read(AT_FDCWD, path, text, sizeof(text), &len);
	if (code != 0 || len == 0)
		return code == ENOENT ? 0 : gml_err_map(code);
	if (text[len - 1] != '\n')
		return len < sizeof(text) ? 0 : GML_ERR_FORMAT; /* cut short; too long */
	memcpy(name, text, len - 1);
	name[len - 1] = 0;
	return 0;
}

static int engine_write(const char *dir, const char *name)
{
	char path[4096], text[ENGINE_NAME_MAX + 2];
	int len = snprintf(text, sizeof(text), "%s\n", name), code, rc = engine_path(path, dir);
	if (rc != 0)
		return rc;
	code = gml_small_file_write(AT_FDCWD, path, text, (size_t)len, false);
	if (code == 0)
		code = gml_small_file_sync_dir(AT_FDCWD, dir);
	return gml_err_map(code);
}

/* For log lines before there is a store. */
__attribute__((format(printf, 3, 4))) static void
engine_log(const struct gml_meta_options *opt, const char *dir, const char *format, ...)
{
	char text[GML_LOG_LINE];
	va_list ap;
	if (opt == NULL)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	gml_log_line(opt->log, opt->log_arg, GML_LOG_ERROR, "%.200s: %s", dir, text);
}

/* FORMAT: this program cannot use it. */
static int engine_usable(const struct gml_meta_options *opt, const char *dir, const char *name,
			 const struct gml_engine **engine_out)
{
	const struct gml_engine *engine = gml_engine_find(name);
	*engine_out = engine;
	if (engine == NULL) {
		engine_log(opt, dir,
			   "the metadata store uses the engine '%s', which this program does not "
			   "have; "
			   "use a program that was built with it",
			   name);
		return GML_ERR_FORMAT;
	}
	if (engine->abi != GML_ENGINE_ABI || engine->caps.key_max < GML_ENGINE_KEY_LEAST ||
	    engine->caps.value_max < GML_ENGINE_VALUE_LEAST) {
		engine_log(opt, dir,
			   "the engine '%s' does not offer what the metadata store needs (keys of "
			   "%zu bytes, "
			   "values of %zu bytes); choose another engine",
			   name, GML_ENGINE_KEY_LEAST, GML_ENGINE_VALUE_LEAST);
		return GML_ERR_FORMAT;
	}
	return 0;
}

int gml_meta_create(const char *dir, const uint8_t uuid[16], const struct gml_meta_options *opt)
{
	const char *want = opt != NULL && opt->engine != NULL ? opt->engine : ENGINE_DEFAULT;
	char name[ENGINE_NAME_MAX + 1];
	const struct gml_engine *engine;
	int rc = engine_usable(opt, dir, want, &engine);
	if (rc == 0)
		rc = engine_read(dir, name);
	if (rc == 0 && name[0] != 0 && strcmp(name, want) != 0) {
		engine_log(opt, dir,
			   "a metadata store of the engine '%s' is there already, or its creation "
			   "was cut short; "
			   "create the new one in an empty directory",
			   name);
		return GML_ERR_EXIST;
	}
	if (rc == 0 && name[0] == 0)
		rc = engine_write(dir, want);
	return rc != 0 ? rc : engine->create(dir, uuid, opt);
}

int gml_meta_open(const char *dir, const struct gml_meta_options *opt, struct gml_meta **meta_out)
{
	const char *want = opt != NULL ? opt->engine : NULL;
	char name[ENGINE_NAME_MAX + 1];
	const struct gml_engine *engine;
	int rc = engine_read(dir, name);
	*meta_out = NULL;
	if (rc != 0)
		return rc;
	if (name[0] != 0 && want != NULL && strcmp(want, name) != 0) {
		engine_log(opt, dir,
			   "the metadata store uses the engine '%s', not '%s'; open it without "
			   "naming one",
			   name, want);
		return GML_ERR_FORMAT;
	}
	rc = engine_usable(opt, dir,
			   name[0] != 0	  ? name
			   : want != NULL ? want
					  : ENGINE_DEFAULT,
			   &engine);
	return rc != 0 ? rc : engine->open(dir, opt, meta_out);
}

/* ---- one call of the table each ---- */
void gml_meta_close(struct gml_meta *meta)
{
	if (meta != NULL)
		meta->engine->close(meta);
}

const uint8_t *gml_meta_uuid(const struct gml_meta *meta)
{
	return meta->uuid;
}

const struct gml_engine *gml_meta_engine(const struct gml_meta *meta)
{
	return meta->engine;
}

uint64_t gml_meta_seq(struct gml_meta *meta)
{
	return meta->engine->seq != NULL ? meta->engine->seq(meta) : 0;
}

int gml_meta_housekeep(struct gml_meta *meta)
{
	return meta->engine->housekeep != NULL ? meta->engine->housekeep(meta) : 0;
}

int gml_meta_check(struct gml_meta *meta, void (*problem)(void *arg, const char *text), void *arg)
{
	return meta->engine->check != NULL ? meta->engine->check(meta, problem, arg) : 0;
}

void gml_meta_stats_get(struct gml_meta *meta, struct gml_meta_stats *out)
{
	*out = (struct gml_meta_stats){0};
	meta->engine->stats(meta, out);
}

int gml_meta_update(struct gml_meta *meta, gml_meta_fn fn, void *arg)
{
	gml_assert_outside_closures();
	return meta->engine->update(meta, fn, arg, false);
}

int gml_meta_update_relaxed(struct gml_meta *meta, gml_meta_fn fn, void *arg)
{
	gml_assert_outside_closures();
	return meta->engine->update(meta, fn, arg, true);
}

int gml_meta_flush(struct gml_meta *meta)
{
	gml_assert_outside_closures();
	return meta->engine->flush(meta);
}

int gml_meta_refresh(struct gml_meta *meta)
{
	gml_assert_outside_closures();
	return meta->engine->refresh(meta);
}

bool gml_meta_is_short(struct gml_meta *meta)
{
	return meta->engine->is_short != NULL && meta->engine->is_short(meta);
}

/* The other keys of table SUPER are the engine's (engine.h, invariant 6). */
static bool engine_is_key_of_records(enum gml_table table, struct gml_span key)
{
	return table < GML_TABLE_COUNT_ && (table != GML_TABLE_SUPER || key.len == 0 ||
					    *(const uint8_t *)key.ptr >= GML_SUPER_RECORDS);
}

int gml_txn_put(struct gml_txn *txn, enum gml_table table, struct gml_span key,
		struct gml_span value)
{
	gml_assert(txn->writable);
	gml_assert(engine_is_key_of_records(table, key));
	return txn->writable ? txn->engine->put(txn, table, key, value) : GML_ERR_INVAL;
}

int gml_txn_del(struct gml_txn *txn, enum gml_table table, struct gml_span key)
{
	gml_assert(txn->writable);
	gml_assert(engine_is_key_of_records(table, key));
	return txn->writable ? txn->engine->del(txn, table, key) : GML_ERR_INVAL;
}

uint64_t gml_txn_next_id(struct gml_txn *txn)
{
	gml_assert(txn->writable);
	return txn->writable ? txn->engine->next_id(txn) : 0;
}

uint64_t gml_txn_seq(const struct gml_txn *txn)
{
	return txn->engine->txn_seq != NULL ? txn->engine->txn_seq(txn) : 0;
}

int gml_txn_count(struct gml_txn *txn, enum gml_table table, uint64_t *count_out)
{
	*count_out = 0;
	return txn->engine->count != NULL ? txn->engine->count(txn, table, count_out)
					  : GML_ERR_NOTSUP;
}

void gml_txn_durability(struct gml_txn *txn, bool relaxed)
{
	gml_assert(txn->writable);
	txn->declared_relaxed = txn->declared_relaxed || relaxed;
	txn->declared_strict = txn->declared_strict || !relaxed;
}

void gml_txn_serve(struct gml_txn *txn, const struct gml_op *op)
{
	txn->op = op;
}

/* All slots but those that may be NULL. */
static bool engine_is_whole(const struct gml_engine *engine)
{
	return engine->create && engine->open && engine->close && engine->stats && engine->update &&
	       engine->flush && engine->refresh && engine->read_begin && engine->read_end &&
	       engine->get && engine->put && engine->del && engine->next_id &&
	       (engine->count || !engine->caps.cheap_count) && engine->cursor_open &&
	       engine->cursor_close && engine->cursor_seek && engine->cursor_next &&
	       engine->cursor_before;
}

/* ---- log lines ---- */
void gml_meta_head_init(struct gml_meta *meta, const struct gml_engine *engine,
			const struct gml_meta_options *opt)
{
	gml_assert(engine_is_whole(engine));
	meta->engine = engine;
	if (opt != NULL) {
		meta->log = opt->log;
		meta->log_arg = opt->log_arg;
	}
}

/* Clients can provoke errors (a full disk answers each of their changes with one): at most
 * ENGINE_LOG_LINES a second. */
static bool meta_log_admit(struct gml_meta *meta, uint64_t *dropped_out)
{
	struct timespec now;
	uint64_t window, next;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	window = atomic_load_explicit(&meta->log_window, memory_order_relaxed);
	do { /* high half: the second; low half: lines wanted in it */
		next = window >> 32 == (uint32_t)now.tv_sec
			       ? window + 1
			       : (uint64_t)(uint32_t)now.tv_sec << 32 | 1;
	} while (!atomic_compare_exchange_weak(&meta->log_window, &window, next));
	*dropped_out = 0;
	if ((uint32_t)next == 1 && (uint32_t)window > ENGINE_LOG_LINES)
		*dropped_out = (uint32_t)window - ENGINE_LOG_LINES;
	return (uint32_t)next <= ENGINE_LOG_LINES;
}

/* Where a line goes, and whose it is. */
struct meta_sink {
	gml_log_fn log;
	void *arg;
	const char *request_id; /* "": nobody's */
};

__attribute__((format(printf, 4, 0))) static void meta_vlog(struct gml_meta *meta,
							    const struct meta_sink *sink,
							    enum gml_log_level level,
							    const char *format, va_list ap)
{
	char line[GML_LOG_LINE];
	uint64_t dropped;
	if (sink->log == NULL || !meta_log_admit(meta, &dropped))
		return;
	if (dropped > 0)
		gml_log_line(sink->log, sink->arg, GML_LOG_WARN,
			     "%llu messages of the metadata store were left out",
			     (unsigned long long)dropped);
	if (sink->request_id[0] == '\0') {
		gml_log_va(sink->log, sink->arg, level, format, ap);
		return;
	}
	vsnprintf(line, sizeof(line), format, ap);
	gml_log_line(sink->log, sink->arg, level, "request %s: %s", sink->request_id, line);
}

void gml_meta_log(struct gml_meta *meta, enum gml_log_level level, const char *format, ...)
{
	const struct meta_sink sink = {meta->log, meta->log_arg, ""};
	va_list ap;
	va_start(ap, format);
	meta_vlog(meta, &sink, level, format, ap);
	va_end(ap);
}

static struct meta_sink meta_sink_of(const struct gml_meta *meta, const struct gml_op *op)
{
	struct meta_sink sink = {meta->log, meta->log_arg, op != NULL ? op->request_id : ""};
	if (op != NULL && op->log != NULL) {
		sink.log = op->log;
		sink.arg = op->log_arg;
	}
	return sink;
}

void gml_meta_log_of(struct gml_meta *meta, const struct gml_op *op, enum gml_log_level level,
		     const char *format, ...)
{
	const struct meta_sink sink = meta_sink_of(meta, op);
	va_list ap;
	va_start(ap, format);
	meta_vlog(meta, &sink, level, format, ap);
	va_end(ap);
}

void gml_txn_log(struct gml_txn *txn, enum gml_log_level level, const char *format, ...)
{
	const struct meta_sink sink = meta_sink_of(txn->meta, txn->op);
	va_list ap;
	va_start(ap, format);
	meta_vlog(txn->meta, &sink, level, format, ap);
	va_end(ap);
}

struct gml_txn_block {
	struct gml_txn_block *next;
	_Alignas(max_align_t) unsigned char bytes[];
};

void *gml_txn_memory(struct gml_txn *txn, size_t len)
{
	struct gml_txn_block *block;
	gml_assert(txn->writable);
	block = len > SIZE_MAX - sizeof(*block) ? NULL : malloc(sizeof(*block) + len);
	if (block == NULL)
		return NULL;
	block->next = txn->memory;
	txn->memory = block;
	return block->bytes;
}

static void txn_memory_end(struct gml_txn *txn)
{
	while (txn->memory != NULL) {
		struct gml_txn_block *block = txn->memory;
		txn->memory = block->next;
		free(block);
	}
}

int gml_txn_call(struct gml_txn *txn, gml_meta_fn fn, void *arg)
{
	int rc;
	gml_assert(txn->writable && txn->memory == NULL);
	gml_assert_outside_closures();
#ifdef GML_ASSERT
	gml_in_closure = true;
#endif
	rc = fn(txn, arg);
#ifdef GML_ASSERT
	gml_in_closure = false;
#endif
	gml_assert(txn->cursors == 0);
	if (txn->memory != NULL)
		txn_memory_end(txn);
	return rc;
}

/* Printable bytes as they are, others as \xNN; "…" when it is cut. */
static void corrupt_key(char *out, size_t cap, struct gml_span key)
{
	const uint8_t *p = key.ptr;
	size_t at = 0, i;
	for (i = 0; i < key.len && at + 8 < cap; i++) {
		if (p[i] > ' ' && p[i] <= '~' && p[i] != '\\')
			out[at++] = (char)p[i];
		else
			at += (size_t)snprintf(out + at, 5, "\\x%02x", p[i]);
	}
	snprintf(out + at, cap - at, "%s", i < key.len ? "..." : "");
}

int gml_txn_corrupt(struct gml_txn *txn, enum gml_table table, struct gml_span key)
{
	uint64_t hash = (uint64_t)table + 1;
	char text[256];
	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ ((const uint8_t *)key.ptr)[i]) * 0x100000001b3u;
	if (atomic_exchange(&txn->meta->corrupt_logged, hash) == hash)
		return GML_ERR_CORRUPT;
	corrupt_key(text, sizeof(text), key);
	gml_txn_log(txn, GML_LOG_ERROR, "metadata: the record of table %s at key %s is damaged",
		    gml_table_name(table), text);
	return GML_ERR_CORRUPT;
}

int gml_txn_ids_end(struct gml_txn *txn)
{
	gml_txn_log(
		txn, GML_LOG_ERROR,
		"metadata: all numbers for inodes and names are used; what is there can be read, "
		"changed and removed: copy the buckets to a new store");
	return GML_ERR_NOSPC;
}
