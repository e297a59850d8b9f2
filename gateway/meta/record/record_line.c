// SPDX-License-Identifier: Apache-2.0
/* Tables line: number of a bucket's root (u64) -> state of the bucket's timeline, its name; usage:
 * the same key -> counters. They stand apart because every change reads the former, and every
 * change of content puts the latter.
 *
 * A write transaction keeps the lines and the usage that it has seen, by root modulo LINE_NOTES: a
 * batch of closures reads each of them once. */
#include "record_internal.h"

enum { LINE_FORMAT = 1, USAGE_FORMAT = 1 };

/* Fields for snapshots: until there are any, all lines are in their first epoch, and have no
 * snapshot. */
enum { LINE_EPOCH = GML_EPOCH_FIRST, LINE_NEWEST = 0 };

struct line_note {
	struct gml_line line; /* id 0: not known */
	struct gml_usage_rec usage;
	uint64_t usage_of; /* whose; 0: not known */
};
#define LINE_NOTES (GML_TXN_LOCAL / sizeof(struct line_note))
_Static_assert(LINE_NOTES >= 4, "GML_TXN_LOCAL is too small");

const struct gml_line gml_line_none = {.epoch = LINE_EPOCH, .newest = LINE_NEWEST};

/* NULL in a read transaction. */
static struct line_note *line_note(struct gml_txn *txn, uint64_t id)
{
	struct line_note *notes = gml_txn_local(txn);
	return notes == NULL ? NULL : &notes[id % LINE_NOTES];
}

static void line_keep(struct gml_txn *txn, const struct gml_line *line)
{
	struct line_note *note = line_note(txn, line->id);
	gml_assert(line->id != 0 && line->newest < line->epoch);
	if (note != NULL)
		note->line = *line;
}

static void line_forget(struct gml_txn *txn, uint64_t id)
{
	struct line_note *note = line_note(txn, id);
	if (note != NULL && note->line.id == id)
		note->line = (struct gml_line){0};
}

static bool line_decode(struct gml_span value, struct gml_line *out, struct gml_span *name_out)
{
	struct gml_dec dec;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, LINE_FORMAT);
	*name_out = gml_dec_span(&dec, GML_BUCKET_NAME_MAX);
	out->flags = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->epoch = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->newest = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->quota_bytes = gml_dec_varint(&dec);
	out->quota_objects = gml_dec_varint(&dec);
	out->next = gml_dec_varint(&dec);
	return gml_dec_end(&dec) && name_out->len > 0 && (out->flags & ~GML_LINE_FLAGS) == 0 &&
	       out->epoch == LINE_EPOCH && out->newest == LINE_NEWEST;
}

static int line_read(struct gml_txn *txn, uint64_t id, struct gml_line *out,
		     struct gml_span *name_out)
{
	struct gml_span value;
	int rc = gml_rec_num_get(txn, GML_TABLE_LINE, id, &value);
	if (rc != 0)
		return rc;
	*out = (struct gml_line){.id = id};
	if (!line_decode(value, out, name_out))
		return gml_rec_num_corrupt(txn, GML_TABLE_LINE, id);
	line_keep(txn, out);
	return 0;
}

int gml_rec_line_get(struct gml_txn *txn, uint64_t id, struct gml_line *out)
{
	const struct line_note *note = line_note(txn, id);
	struct gml_span name;
	if (id == 0) {
		*out = gml_line_none;
		return 0;
	}
	if (note != NULL && note->line.id == id) {
		*out = note->line;
		return 0;
	}
	return line_read(txn, id, out, &name);
}

int gml_rec_line_of(struct gml_txn *txn, gml_ino bucket, struct gml_line *out)
{
	int rc = gml_rec_line_get(txn, gml_line_id(bucket), out);
	if (rc == GML_ERR_NOENT)
		*out = gml_line_none;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_rec_line_name(struct gml_txn *txn, uint64_t id, char name_out[GML_BUCKET_NAME_MAX + 1])
{
	struct gml_line line;
	struct gml_span name;
	int rc = line_read(txn, id, &line, &name);
	if (rc != 0)
		return rc;
	if (name.len > 0)
		memcpy(name_out, name.ptr, name.len);
	name_out[name.len] = 0;
	return 0;
}

int gml_rec_line_put(struct gml_txn *txn, const struct gml_line *line, struct gml_span name)
{
	struct gml_enc enc;
	if (line->id == 0 || line->epoch != LINE_EPOCH || line->newest != LINE_NEWEST ||
	    (line->flags & ~GML_LINE_FLAGS) != 0 || name.len == 0 || name.len > GML_BUCKET_NAME_MAX)
		return GML_ERR_INVAL;
	gml_enc_init(&enc, LINE_FORMAT);
	gml_enc_span(&enc, name);
	gml_enc_varint(&enc, line->flags);
	gml_enc_varint(&enc, line->epoch);
	gml_enc_varint(&enc, line->newest);
	gml_enc_varint(&enc, line->quota_bytes);
	gml_enc_varint(&enc, line->quota_objects);
	gml_enc_varint(&enc, line->next);
	line_keep(txn, line);
	return gml_rec_num_put(txn, GML_TABLE_LINE, line->id, &enc);
}

int gml_rec_line_del(struct gml_txn *txn, uint64_t id)
{
	line_forget(txn, id);
	return gml_rec_num_del(txn, GML_TABLE_LINE, id);
}

/* ---- usage ---- */
static bool usage_decode(struct gml_span value, struct gml_usage_rec *out)
{
	struct gml_dec dec;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, USAGE_FORMAT);
	out->bytes = gml_dec_varint(&dec);
	out->objects = gml_dec_varint(&dec);
	return gml_dec_end(&dec);
}

int gml_rec_usage_get(struct gml_txn *txn, uint64_t id, struct gml_usage_rec *out)
{
	struct line_note *note = line_note(txn, id);
	struct gml_span value;
	int rc;
	if (note != NULL && note->usage_of == id) {
		*out = note->usage;
		return 0;
	}
	rc = gml_rec_num_get(txn, GML_TABLE_USAGE, id, &value);
	if (rc != 0)
		return rc;
	if (!usage_decode(value, out))
		return gml_rec_num_corrupt(txn, GML_TABLE_USAGE, id);
	if (note != NULL) {
		note->usage = *out;
		note->usage_of = id;
	}
	return 0;
}

int gml_rec_usage_put(struct gml_txn *txn, uint64_t id, const struct gml_usage_rec *usage)
{
	struct line_note *note = line_note(txn, id);
	struct gml_enc enc;
	gml_assert(id != 0); /* what is in no bucket has no usage, and no note */
	gml_enc_init(&enc, USAGE_FORMAT);
	gml_enc_varint(&enc, usage->bytes);
	gml_enc_varint(&enc, usage->objects);
	if (note != NULL) {
		note->usage = *usage;
		note->usage_of = id;
	}
	return gml_rec_num_put(txn, GML_TABLE_USAGE, id, &enc);
}

int gml_rec_usage_del(struct gml_txn *txn, uint64_t id)
{
	struct line_note *note = line_note(txn, id);
	if (note != NULL && note->usage_of == id)
		note->usage_of = 0;
	return gml_rec_num_del(txn, GML_TABLE_USAGE, id);
}

/* ---- all of them ---- */
struct line_each {
	struct gml_txn *txn;
	bool (*each)(void *arg, const struct gml_line *line);
	void *arg;
};

static int line_each_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct line_each *walk = arg;
	struct gml_line line;
	struct gml_span name;
	if (key.len != 8 || !line_decode(value, &line, &name))
		return gml_txn_corrupt(walk->txn, GML_TABLE_LINE, key);
	line.id = gml_key_read_u64(key.ptr);
	return walk->each(walk->arg, &line) ? 0 : GML_REC_STOP;
}

int gml_rec_line_each(struct gml_txn *txn, bool (*each)(void *arg, const struct gml_line *line),
		      void *arg)
{
	struct line_each walk = {txn, each, arg};
	return gml_rec_scan(txn, GML_TABLE_LINE, gml_span_of(NULL, 0), gml_span_of(NULL, 0),
			    line_each_one, &walk);
}

struct usage_each {
	struct gml_txn *txn;
	bool (*each)(void *arg, uint64_t line, const struct gml_usage_rec *usage);
	void *arg;
};

static int usage_each_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct usage_each *walk = arg;
	struct gml_usage_rec usage;
	if (key.len != 8 || !usage_decode(value, &usage))
		return gml_txn_corrupt(walk->txn, GML_TABLE_USAGE, key);
	return walk->each(walk->arg, gml_key_read_u64(key.ptr), &usage) ? 0 : GML_REC_STOP;
}

int gml_rec_usage_each(struct gml_txn *txn,
		       bool (*each)(void *arg, uint64_t line, const struct gml_usage_rec *usage),
		       void *arg)
{
	struct usage_each walk = {txn, each, arg};
	return gml_rec_scan(txn, GML_TABLE_USAGE, gml_span_of(NULL, 0), gml_span_of(NULL, 0),
			    usage_each_one, &walk);
}
