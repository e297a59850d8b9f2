// SPDX-License-Identifier: Apache-2.0
/* The check of content: every byte that has a checksum is read and compared with it.
 *
 * Blobs are taken from short snapshots, in the order of their ids, and read without one. What does
 * not match is looked at again between two snapshots that name the same checksum: it may have been
 * freed, or written to, in between, and is no damage then. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/store.h>
#include "gateway/base/assert.h"
#include "gateway/data/data.h"
#include "gateway/data/sums.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "check.h"

#define CONTENT_BATCH 64      /* blobs of one snapshot */
#define CONTENT_TRIES 4	      /* of one block, while its checksum changes */
#define CONTENT_DAMAGES 10000 /* kept to be named; of more, only how many */

struct content_blob {
	uint64_t id;
	struct gml_blob_rec rec;
};

struct content {
	/* store, problem, progress, report->problems; txn while the owners are sought */
	struct check c;
	struct gml_check_report problems;
	struct gml_content_report *report;
	uint64_t unnamed;
	uint8_t *buf; /* GML_SUM_BLOCK */
	uint32_t sums[GML_SUM_CHUNK];
	unsigned nsums;	  /* of them; 0: there is no such row */
	uint64_t counted; /* the blob whose rows were counted last; 0: none */
	bool lost;	  /* some of them are missing that were not left out */
};

/* ---- damages --------------------------------------------------------------------------------- */

static int content_damage(struct content *ct, uint64_t blob, uint64_t off, uint64_t len,
			  const char *what)
{
	struct check_damage *last = ct->c.damages.count == 0
					    ? NULL
					    : gml_check_at(&ct->c.damages, ct->c.damages.count - 1);
	if (last != NULL && last->blob == blob && last->what == what &&
	    last->off + last->len == off) {
		last->len += len;
		return 0;
	}
	/* gml_check_owners searches by halves. */
	gml_assert(last == NULL || last->blob < blob || (last->blob == blob && last->off < off));
	if (ct->c.damages.count == CONTENT_DAMAGES) {
		ct->unnamed++;
		return 0;
	}
	last = gml_check_push(&ct->c, &ct->c.damages);
	if (last == NULL)
		return ct->c.rc;
	*last = (struct check_damage){.blob = blob, .off = off, .len = len, .what = what};
	return 0;
}

/* ---- checksums ------------------------------------------------------------------------------- */

/* The checksums of the blob's blocks from `chunk` * GML_SUM_CHUNK on, as they are in `txn`. */
static int content_sums(struct content *ct, struct gml_txn *txn, const struct content_blob *blob,
			uint32_t chunk)
{
	int rc;
	ct->nsums = 1;
	ct->sums[0] = blob->rec.crc;
	if (blob->rec.summed <= GML_SUM_BLOCK)
		return 0;
	rc = gml_rec_sums_get(txn, blob->id, chunk, ct->sums, &ct->nsums);
	if (rc == GML_ERR_NOENT)
		ct->nsums = 0;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

/* The row of the block is one of those that were left out, because all its blocks are zeros. */
static bool content_left_out(const struct content *ct, const struct gml_blob_rec *rec)
{
	return ct->nsums == 0 && rec->rows < gml_sums_rows(rec->summed);
}

/* That of one block; CORRUPT when the row has none of it. */
static int content_sum(const struct content *ct, const struct gml_blob_rec *rec, uint64_t block,
		       uint32_t *out)
{
	unsigned at = (unsigned)(block % GML_SUM_CHUNK);
	if (content_left_out(ct, rec))
		*out = gml_sum_of_zeros(gml_sums_block_len(rec->summed, block));
	else if (at < ct->nsums)
		*out = ct->sums[at];
	else
		return GML_ERR_CORRUPT;
	return 0;
}

/* The record and the block's checksum now. AGAIN: freed, or other bytes are its content by now. */
static int content_again(struct content *ct, const struct content_blob *blob, uint64_t block,
			 uint32_t *out)
{
	struct gml_txn *txn = NULL;
	struct gml_blob_rec rec;
	int rc = gml_meta_read_begin(ct->c.store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_blob_get(txn, blob->id, &rec);
	if (rc == GML_ERR_NOENT || (rc == 0 && rec.summed != blob->rec.summed))
		rc = GML_ERR_AGAIN;
	if (rc == 0)
		rc = content_sums(ct, txn, &(struct content_blob){blob->id, rec},
				  (uint32_t)(block / GML_SUM_CHUNK));
	if (rc == 0)
		rc = content_sum(ct, &rec, block, out);
	gml_meta_read_end(txn);
	return rc;
}

static const char content_mismatch[] = "not what was written";
static const char content_missing[] = "missing";
static const char content_unreadable[] = "cannot be read";
static const char content_sumless[] = "without a checksum";

/* Bytes are not what their checksum says. Where their row was left out they should be zeros: then a
 * lost row is more likely than other bytes, if one of the blob's is missing. AGAIN as above. */
static int content_doubt(struct content *ct, const struct content_blob *blob,
			 const char **wrong_out)
{
	struct gml_txn *txn = NULL;
	struct gml_blob_rec rec;
	uint32_t rows;
	int rc = 0;
	if (ct->nsums != 0)
		return 0;
	if (ct->counted != blob->id) {
		rc = gml_meta_read_begin(ct->c.store->meta, &txn);
		if (rc == 0)
			rc = gml_rec_blob_get(txn, blob->id, &rec);
		if (rc == 0 && rec.summed == blob->rec.summed)
			rc = gml_rec_sums_count(txn, blob->id, rec.summed, &rows);
		else if (rc == 0 || rc == GML_ERR_NOENT)
			rc = GML_ERR_AGAIN;
		gml_meta_read_end(txn);
		ct->lost = rc == 0 && rows < rec.rows;
		ct->counted = rc == 0 ? blob->id : 0;
	}
	if (ct->lost)
		*wrong_out = content_sumless;
	return rc;
}

/* 0: as its checksum has it. AGAIN: the blob is not what it was. Else what is wrong. */
static int content_block(struct content *ct, struct gml_blob *file, const struct content_blob *blob,
			 uint64_t block, const char **wrong_out)
{
	size_t len = gml_sums_block_len(blob->rec.summed, block);
	uint64_t off = block * GML_SUM_BLOCK;
	uint32_t want = 0, then, have = 0;
	int rc = content_sum(ct, &blob->rec, block, &want), read = 0;
	for (unsigned i = 0; i < CONTENT_TRIES; i++) {
		if (rc == 0)
			read = gml_blob_sum(file, blob->id, off, len, ct->buf, &have);
		if (rc == 0 && read == 0 && have == want)
			return 0;
		then = want;
		if (rc != 0 && rc != GML_ERR_CORRUPT)
			return rc;
		*wrong_out = rc != 0		       ? content_sumless
			     : read == GML_ERR_CORRUPT ? content_missing
			     : read != 0	       ? content_unreadable
						       : content_mismatch;
		rc = content_again(ct, blob, block, &want);
		if (rc == GML_ERR_AGAIN)
			return rc;
		if (*wrong_out == content_sumless ? rc == GML_ERR_CORRUPT
						  : rc == 0 && want == then && i > 0) {
			rc = *wrong_out == content_mismatch ? content_doubt(ct, blob, wrong_out)
							    : 0;
			return rc == 0 ? GML_ERR_CORRUPT : rc;
		}
	}
	return rc == 0 ? GML_ERR_AGAIN : rc;
}

static int content_file(struct content *ct, struct gml_blob *file, const struct content_blob *blob)
{
	uint64_t blocks = gml_sums_blocks(blob->rec.summed), data = 0;
	bool packed = blob->id & GML_BLOB_PACKED;
	int rc = 0;
	for (uint64_t block = 0; rc == 0 && block < blocks; block++) {
		const char *wrong = content_mismatch;
		size_t len = gml_sums_block_len(blob->rec.summed, block);
		if (block % GML_SUM_CHUNK == 0) {
			uint32_t ignored;
			rc = content_again(ct, blob, block, &ignored);
			if (rc != 0 && rc != GML_ERR_CORRUPT)
				break;
		}
		if (content_left_out(ct, &blob->rec) && !packed &&
		    gml_blob_in_hole(file, block * GML_SUM_BLOCK, len, &data))
			rc = 0; /* zeros, as they should be */
		else
			rc = content_block(ct, file, blob, block, &wrong);
		ct->report->bytes += len;
		if (rc == GML_ERR_CORRUPT)
			rc = content_damage(ct, blob->id, block * GML_SUM_BLOCK, len, wrong);
	}
	return rc == GML_ERR_AGAIN ? 0 : rc;
}

static int content_one(struct content *ct, const struct content_blob *blob)
{
	struct gml_blob *file = NULL;
	uint32_t ignored;
	int rc;
	ct->report->blobs++;
	if (blob->rec.summed == 0) {
		ct->report->unsummed += gml_blob_is_write(blob->id);
		return gml_blob_is_write(blob->id) || !gml_blob_known(blob->id)
			       ? 0
			       : content_damage(ct, blob->id, 0, blob->rec.len, content_sumless);
	}
	rc = gml_blob_open(ct->c.store->data, blob->id, 0, &file);
	if (rc == GML_ERR_NOENT) {
		rc = content_again(ct, blob, 0, &ignored);
		return rc == GML_ERR_AGAIN ? 0
		       : rc != 0
			       ? rc
			       : content_damage(ct, blob->id, 0, blob->rec.summed, content_missing);
	}
	if (rc == GML_ERR_IO)
		return content_damage(ct, blob->id, 0, blob->rec.summed, content_unreadable);
	if (rc == 0)
		rc = content_file(ct, file, blob);
	gml_blob_unref(file);
	return rc;
}

/* ---- frame ----------------------------------------------------------------------------------- */

static int content_batch(struct content *ct, uint64_t from, struct content_blob *out,
			 unsigned *count_out)
{
	struct gml_txn *txn = NULL;
	unsigned n = 0;
	int rc = gml_meta_read_begin(ct->c.store->meta, &txn);
	while (rc == 0 && n < CONTENT_BATCH) {
		rc = gml_rec_blob_next(txn, from, &out[n].id, &out[n].rec);
		if (rc != 0)
			break;
		from = out[n].id + 1;
		n++;
		if (from == 0)
			break;
	}
	gml_meta_read_end(txn);
	*count_out = n;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static int content_walk(struct content *ct)
{
	struct content_blob blobs[CONTENT_BATCH];
	unsigned n = 0;
	uint64_t from = 0;
	int rc;
	do {
		rc = content_batch(ct, from, blobs, &n);
		for (unsigned i = 0; rc == 0 && i < n; i++) {
			rc = content_one(ct, &blobs[i]);
			gml_check_step(&ct->c);
		}
		if (n > 0)
			from = blobs[n - 1].id + 1;
	} while (rc == 0 && n == CONTENT_BATCH && from != 0);
	return rc;
}

static void content_tell(struct content *ct)
{
	for (size_t i = 0; i < ct->c.damages.count; i++) {
		const struct check_damage *damage = gml_check_at(&ct->c.damages, i);
		char path[GML_BLOB_PATH];
		uint64_t base = 0;
		gml_blob_path(gml_blob_key(damage->blob), path);
		if (damage->blob & GML_BLOB_PACKED)
			base = gml_pack_offset(damage->blob);
		gml_check_problem(
			&ct->c, "data/%s: bytes %" PRIu64 " to %" PRIu64 " are %s (%s%s%s)", path,
			base + damage->off, base + damage->off + damage->len - 1, damage->what,
			damage->owners[0] != '\0' ? "content of "
						  : "nothing that was found uses them",
			damage->owners, damage->more ? " and others" : "");
	}
	if (ct->unnamed > 0)
		gml_check_problem(&ct->c, "%" PRIu64 " more damaged ranges", ct->unnamed);
}

int gml_store_check_content(struct gml_op *op, struct gml_store *store,
			    void (*problem)(void *arg, const char *text),
			    void (*progress)(void *arg, uint64_t done, uint64_t total), void *arg,
			    struct gml_content_report *report_out)
{
	struct content ct = {
		.c = {.store = store,
		      .problem = problem,
		      .progress = progress,
		      .arg = arg,
		      .damages.size = sizeof(struct check_damage)},
		.report = report_out,
		.buf = malloc(GML_SUM_BLOCK),
	};
	struct gml_txn *txn = NULL;
	int rc = ct.buf == NULL ? GML_ERR_NOMEM : 0;
	(void)op;
	ct.c.report = &ct.problems;
	*report_out = (struct gml_content_report){0};
	if (rc == 0)
		rc = gml_meta_read_begin(store->meta, &txn);
	if (rc == 0)
		rc = gml_rec_count(txn, GML_TABLE_BLOB, &ct.c.total);
	gml_meta_read_end(txn);
	if (rc == 0)
		rc = content_walk(&ct);
	if (rc == 0 && ct.c.damages.count > 0)
		rc = gml_check_owners(&ct.c);
	if (rc == 0 && progress != NULL)
		progress(arg, ct.c.total, ct.c.total);
	if (rc == 0)
		content_tell(&ct);
	report_out->problems = ct.problems.problems;
	free(ct.c.damages.items);
	free(ct.buf);
	return rc;
}
