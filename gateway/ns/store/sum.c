// SPDX-License-Identifier: Apache-2.0
/* Checksums of clean content: write blobs that have not changed for a while are read and summed.
 *
 * States of a file: DIRTY -> clean: pending, with a new mark (core/blob_sums.h) -> its bytes are
 * read in steps without a lock; each step's checksums are put by a transaction that finds the
 * pending record as it was read before -> summed. A write, or a change of size, takes the pending
 * record away or gives it another mark: what was read meanwhile is dropped. A step that is put is
 * done: the next one, of any process, continues after it.
 *
 * The transactions are relaxed: one that a crash undoes is repeated. The bytes were durable before
 * the file became clean. */
#include <stdlib.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include <gemel/store.h>
#include "gateway/base/assert.h"
#include "gateway/base/clock.h"
#include "gateway/data/data.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "gateway/ns/core/blob_sums.h"
#include "store.h"

#define SUM_BATCH 64	       /* blobs of one transaction */
#define SUM_BATCH_BLOCKS 16384 /* blocks of one: 1 GiB, 64 rows */
_Static_assert(SUM_BATCH_BLOCKS % GML_SUM_CHUNK == 0, "a batch has whole rows");
#define SUM_LOOKS 4096 /* pending records looked at in one call */

struct sum_step {
	uint64_t blob;
	struct gml_sum_pending seen;
	uint32_t *sums; /* of blocks seen.next.. */
	uint32_t count;
};

struct sum {
	struct gml_store *store;
	int64_t until;	/* what became clean after this is left alone */
	uint64_t bytes; /* that may still be read in this call */
	uint64_t done;	/* that were read */
	uint64_t from;	/* the next pending record */
	uint8_t *buf;
	uint32_t *sums; /* SUM_BATCH_BLOCKS */
	uint32_t used;
	unsigned count;
	struct sum_step steps[SUM_BATCH];
};

/* ---- putting --------------------------------------------------------------------------------- */

static bool sum_all_zeros(const struct sum_step *step, uint32_t first, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t block = step->seen.next + first + i;
		size_t len = gml_sums_block_len(step->seen.size, block);
		if (step->sums[first + i] != gml_sum_of_zeros(len))
			return false;
	}
	return true;
}

/* Steps begin and end at rows, but for the last row of a blob. *rows: of the blob, put so far. */
static int sum_put_rows(struct gml_txn *txn, const struct sum_step *step, uint32_t *rows)
{
	int rc = 0;
	gml_assert(step->seen.next % GML_SUM_CHUNK == 0);
	gml_assert(step->count % GML_SUM_CHUNK == 0 ||
		   step->seen.next + step->count == gml_sums_blocks(step->seen.size));
	for (uint32_t at = 0; rc == 0 && at < step->count; at += GML_SUM_CHUNK) {
		uint32_t chunk = (uint32_t)((step->seen.next + at) / GML_SUM_CHUNK);
		unsigned n = step->count - at < GML_SUM_CHUNK ? step->count - at : GML_SUM_CHUNK;
		if (!sum_all_zeros(step, at, n)) {
			rc = gml_rec_sums_put(txn, step->blob, chunk, step->sums + at, n);
			++*rows;
			continue;
		}
		rc = gml_rec_sums_del(txn, step->blob, chunk);
		rc = rc == GML_ERR_NOENT ? 0 : rc;
	}
	return rc;
}

static int sum_put_last(struct gml_txn *txn, const struct sum_step *step, uint32_t rows)
{
	uint64_t blocks = gml_sums_blocks(step->seen.size);
	struct gml_blob_rec rec;
	int rc = gml_rec_blob_get(txn, step->blob, &rec);
	/* Only write blobs are summed here, and none is pending and summed at once. */
	if (rc == GML_ERR_NOENT || (rc == 0 && (rec.summed != 0 || !gml_blob_is_write(step->blob))))
		rc = GML_ERR_CORRUPT;
	if (rc != 0)
		return rc;
	rec.summed = step->seen.size;
	rec.crc = step->sums[0];
	rec.rows = rows;
	rc = gml_rec_blob_put(txn, step->blob, &rec);
	/* Rows of when it was longer. */
	if (rc == 0)
		rc = gml_rec_sums_drop(txn, step->blob,
				       blocks == 1 ? 0
						   : (uint32_t)((blocks - 1) / GML_SUM_CHUNK + 1));
	return rc == 0 ? gml_rec_sum_pending_del(txn, step->blob) : rc;
}

static int sum_put_step(struct gml_txn *txn, const struct sum_step *step)
{
	uint64_t blocks = gml_sums_blocks(step->seen.size);
	struct gml_sum_pending now;
	int rc = gml_rec_sum_pending_get(txn, step->blob, &now);
	if (rc == GML_ERR_NOENT ||
	    (rc == 0 && (now.mark != step->seen.mark || now.next != step->seen.next ||
			 now.size != step->seen.size)))
		return 0; /* other bytes, or another process was faster */
	if (rc == 0 && blocks > 1)
		rc = sum_put_rows(txn, step, &now.rows);
	now.next += step->count;
	gml_assert(rc != 0 || (step->count > 0 && now.next <= blocks));
	if (rc == 0)
		rc = now.next == blocks ? sum_put_last(txn, step, now.rows)
					: gml_rec_sum_pending_put(txn, step->blob, &now);
	return rc;
}

static int sum_put_fn(struct gml_txn *txn, void *arg)
{
	const struct sum *sum = arg;
	int rc = 0;
	for (unsigned i = 0; rc == 0 && i < sum->count; i++)
		rc = sum_put_step(txn, &sum->steps[i]);
	return rc;
}

static int sum_flush(struct sum *sum)
{
	int rc = sum->count == 0 ? 0 : gml_meta_update_relaxed(sum->store->meta, sum_put_fn, sum);
	sum->count = 0;
	sum->used = 0;
	return rc;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Blocks from seen.next on, as many as the batch and the call have room for. */
static int sum_read(struct sum *sum, struct gml_blob *blob, struct sum_step *step)
{
	uint64_t size = step->seen.size, blocks = gml_sums_blocks(size), data = 0;
	uint32_t max = SUM_BATCH_BLOCKS - sum->used;
	int rc = 0;
	gml_assert(max >= GML_SUM_CHUNK); /* else a step would never end */
	for (uint64_t block = step->seen.next; rc == 0 && block < blocks; block++) {
		uint64_t off = block * GML_SUM_BLOCK;
		size_t len = gml_sums_block_len(size, block);
		bool row = block % GML_SUM_CHUNK == 0;
		if (step->count == max || (row && step->count > 0 && sum->bytes == 0))
			break;
		if (gml_blob_in_hole(blob, off, len, &data)) {
			step->sums[step->count++] = gml_sum_of_zeros(len);
			continue;
		}
		rc = gml_blob_sum(blob, step->blob, off, len, sum->buf, &step->sums[step->count]);
		step->count += rc == 0;
		sum->bytes -= sum->bytes < len ? sum->bytes : len;
		sum->done += len;
	}
	/* Only whole rows, unless it is the end. */
	if (rc == 0 && step->seen.next + step->count < blocks)
		step->count -= step->count % GML_SUM_CHUNK;
	return rc;
}

/* False: a part of it is left. What cannot be read stays pending: the check of content, and a later
 * call, meet it again. */
static bool sum_blob(struct sum *sum, uint64_t id, const struct gml_sum_pending *seen)
{
	struct sum_step *step = &sum->steps[sum->count];
	struct gml_blob *blob = NULL;
	int rc = gml_blob_open(sum->store->data, id, 0, &blob);
	gml_assert(sum->count < SUM_BATCH);
	*step = (struct sum_step){.blob = id, .seen = *seen, .sums = sum->sums + sum->used};
	if (rc == 0)
		rc = sum_read(sum, blob, step);
	gml_blob_unref(blob);
	if (rc == 0 && step->count > 0) {
		sum->used += step->count;
		sum->count++;
	}
	if (rc != 0 && rc != GML_ERR_NOENT && rc != GML_ERR_CORRUPT)
		gml_store_log(sum->store, GML_LOG_WARN,
			      "blob %016llx: cannot be read to be summed: %s",
			      (unsigned long long)id, gml_err_text(rc));
	return rc != 0 || step->seen.next + step->count == gml_sums_blocks(seen->size);
}

/* ---- frame ----------------------------------------------------------------------------------- */

struct sum_look {
	uint64_t blob;
	struct gml_sum_pending seen;
};

/* Up to SUM_BATCH pending blobs that are old enough, from sum->from on. *looks: what may still be
 * looked at. */
static int sum_look(struct sum *sum, struct sum_look found[SUM_BATCH], unsigned *count_out,
		    unsigned *looks, bool *end_out)
{
	struct gml_txn *txn = NULL;
	unsigned n = 0;
	int rc = gml_meta_read_begin(sum->store->meta, &txn);
	while (rc == 0 && n<SUM_BATCH && * looks> 0) {
		rc = gml_rec_sum_pending_next(txn, sum->from, &found[n].blob, &found[n].seen);
		if (rc != 0)
			break;
		sum->from = found[n].blob + 1;
		--*looks;
		/* One that is dated in the future, by a clock that was set back since, counts as
		 * old. */
		if (found[n].seen.since <= sum->until || found[n].seen.since > gml_now())
			n++;
	}
	gml_meta_read_end(txn);
	*end_out = rc == GML_ERR_NOENT;
	*count_out = n;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static bool sum_is_full(const struct sum *sum)
{
	return sum->count == SUM_BATCH || SUM_BATCH_BLOCKS - sum->used < GML_SUM_CHUNK;
}

static int sum_run(struct sum *sum, bool *end_out)
{
	struct sum_look found[SUM_BATCH];
	unsigned looks = SUM_LOOKS, n = 0;
	int rc = 0;
	*end_out = false;
	while (rc == 0 && !*end_out && looks > 0 && sum->bytes > 0) {
		bool whole = true;
		rc = sum_look(sum, found, &n, &looks, end_out);
		for (unsigned i = 0; rc == 0 && whole && i < n; i++) {
			if (sum_is_full(sum))
				rc = sum_flush(sum);
			whole = sum->bytes > 0 && rc == 0 &&
				sum_blob(sum, found[i].blob, &found[i].seen);
			if (!whole) { /* the next look, or call, goes on here */
				sum->from = found[i].blob;
				*end_out = false;
			}
		}
		if (rc == 0)
			rc = sum_flush(sum);
	}
	return rc;
}

int gml_store_sum(struct gml_op *op, struct gml_store *store, int64_t min_age_ns,
		  uint64_t max_bytes, uint64_t *summed_out, bool *more_out)
{
	struct sum *sum = calloc(1, sizeof(*sum));
	bool end = true;
	int rc = GML_ERR_NOMEM;
	(void)op;
	*summed_out = 0;
	*more_out = false;
	if (sum == NULL)
		return rc;
	sum->store = store;
	sum->until = gml_now() - min_age_ns;
	sum->bytes = max_bytes;
	sum->from = atomic_load(&store->sum_next);
	sum->buf = malloc(GML_SUM_BLOCK);
	sum->sums = calloc(SUM_BATCH_BLOCKS, sizeof(*sum->sums));
	if (sum->buf != NULL && sum->sums != NULL)
		rc = sum_run(sum, &end);
	atomic_store(&store->sum_next, end ? 0 : sum->from);
	*summed_out = sum->done;
	*more_out = rc == 0 && !end;
	free(sum->buf);
	free(sum->sums);
	free(sum);
	return rc;
}
