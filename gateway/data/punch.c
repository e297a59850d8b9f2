// SPDX-License-Identifier: Apache-2.0
/* Freed segments, on their way to being punched out of their packs.
 *
 * A punch is a transaction of the file system, 0.1 to 1 ms: too much for each object of 4 KiB that
 * is deleted. So ranges are listed, and every few seconds the sweeper sorts them, joins neighbours
 * (segments that were written together tend to be removed together, and two that share a block free
 * it together) and punches whole blocks. Compaction finds ranges that a crash loses or that do not
 * fit here. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "gateway/base/assert.h"
#include "data.h"

#define PUNCH_MAX 65536

void gml_punches_init(struct gml_punches *punches)
{
	pthread_mutex_init(&punches->lock, NULL);
}

void gml_punches_release(struct gml_punches *punches)
{
	free(punches->list);
	pthread_mutex_destroy(&punches->lock);
}

void gml_punch_add(struct gml_data *data, uint64_t id, uint64_t len)
{
	struct gml_punches *punches = &data->punches;
	uint64_t off = gml_pack_offset(id);
	gml_assert((id & GML_BLOB_PACKED) && len > 0 && len <= GML_PACK_SEGMENT_MAX);
	gml_leaf_lock(&punches->lock);
	if (punches->count == punches->cap && punches->cap < PUNCH_MAX) {
		size_t cap = punches->cap != 0 ? punches->cap * 2 : 256;
		void *list = reallocarray(punches->list, cap, sizeof(*punches->list));
		if (list != NULL) {
			punches->list = list;
			punches->cap = cap;
		}
	}
	/* Segments begin at multiples of 64 bytes: the rest of the last unit is unused. */
	if (punches->count < punches->cap)
		punches->list[punches->count++] =
			(struct gml_punch){gml_pack_number(id), off, off + (len + 63) / 64 * 64};
	gml_leaf_unlock(&punches->lock);
}

static int punch_order(const void *a, const void *b)
{
	const struct gml_punch *x = a, *y = b;
	if (x->pack != y->pack)
		return x->pack < y->pack ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* Best effort: compaction repeats it later. */
static void punch_blocks(struct gml_data *data, const struct gml_punch *run)
{
	uint64_t start = (run->start + GML_BLOCK - 1) / GML_BLOCK * GML_BLOCK,
		 end = run->end / GML_BLOCK * GML_BLOCK;
	if (start < end)
		(void)gml_pack_punch(data, run->pack, start, end - start);
}

void gml_pack_flush_removed(struct gml_data *data)
{
	struct gml_punches *punches = &data->punches;
	struct gml_punch *list;
	size_t count;
	gml_leaf_lock(&punches->lock);
	list = punches->list;
	count = punches->count;
	punches->list = NULL;
	punches->count = punches->cap = 0;
	gml_leaf_unlock(&punches->lock);

	if (count > 1)
		qsort(list, count, sizeof(*list), punch_order);
	for (size_t i = 0; i < count;) {
		struct gml_punch run = list[i++];
		for (; i < count && list[i].pack == run.pack && list[i].start <= run.end; i++)
			run.end = list[i].end > run.end ? list[i].end : run.end;
		gml_assert(run.start < run.end && run.start % 64 == 0);
		punch_blocks(data, &run);
	}
	free(list);
}
