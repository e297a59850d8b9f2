// SPDX-License-Identifier: Apache-2.0
/* Unreferenced blob files: a process died between the commit that freed them and their removal.
 *
 * A directory is listed first, leases and records are read from a snapshot taken after. A listed
 * file was made under a lease that was there before; if neither the lease nor a record is there
 * now, the file was published and freed, or dropped, for good: ids are never reused. */
#include <stdatomic.h>
#include <stdlib.h>
#include <gemel/err.h>
#include "gateway/base/assert.h"
#include "gateway/data/blob.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "collect.h"
#include "store.h"

#define COLLECT_LEAVES 16 /* directories per call, 4096 files each */

struct collect_file {
	uint64_t id, size;
};

struct collect {
	struct collect_file *files;
	size_t count, cap;
	struct gml_txn *txn;
	uint64_t number; /* whose lease is asked about */
	bool leased;
	bool waited; /* gml_collect_wait_durable, for `txn` */
	int rc;
};

int gml_collect_wait_durable(struct gml_store *store, bool *waited)
{
	int rc = *waited ? 0 : gml_meta_refresh(store->meta);
	*waited = rc == 0;
	return rc;
}

static bool collect_add(void *arg, uint64_t id, uint64_t size)
{
	struct collect *c = arg;
	if (c->count == c->cap) {
		size_t cap = c->cap != 0 ? c->cap * 2 : 4096;
		void *files = reallocarray(c->files, cap, sizeof(*c->files));
		if (files == NULL) {
			c->rc = GML_ERR_NOMEM;
			return false;
		}
		c->files = files;
		c->cap = cap;
	}
	c->files[c->count++] = (struct collect_file){id, size};
	return true;
}

static bool collect_lease(void *arg, const struct gml_lease *lease)
{
	struct collect *c = arg;
	c->leased = lease->kind == 0 && c->number >= lease->first &&
		    c->number - lease->first < lease->count;
	return !c->leased;
}

static int collect_one(struct gml_store *store, struct collect *c, const struct collect_file *file,
		       uint64_t *freed)
{
	struct gml_blob_rec rec;
	int rc = gml_rec_blob_get(c->txn, file->id, &rec);
	gml_assert(!(file->id & GML_BLOB_PACKED)); /* segments have no lease of their own */
	if (rc != GML_ERR_NOENT)
		return rc;
	c->number = gml_blob_number(file->id);
	c->leased = false;
	rc = gml_rec_lease_each(c->txn, collect_lease, c);
	if (rc != 0 || c->leased)
		return rc;
	rc = gml_collect_wait_durable(store, &c->waited);
	if (rc == 0)
		rc = gml_blob_remove(store->data, file->id, 0);
	if (rc == 0)
		*freed += file->size;
	return rc;
}

static int collect_leaf(struct gml_store *store, struct collect *c, unsigned leaf, uint64_t *freed)
{
	int rc;
	c->count = 0;
	rc = gml_blob_each_leaf(store->data, leaf, collect_add, c);
	if (rc == 0)
		rc = c->rc;
	if (rc != 0)
		return rc;
	c->waited = false;
	gml_assert(c->txn == NULL); /* the snapshot is younger than the listing */
	rc = gml_meta_read_begin(store->meta, &c->txn);
	for (size_t i = 0; rc == 0 && i < c->count; i++)
		rc = collect_one(store, c, &c->files[i], freed);
	gml_meta_read_end(c->txn);
	c->txn = NULL;
	return rc;
}

int gml_collect_unreferenced(struct gml_store *store, uint64_t *freed)
{
	unsigned leaf = gml_blob_leaf_next(store->data, atomic_load(&store->collect_next));
	struct collect c = {0};
	int rc = 0;
	for (unsigned walked = 0; walked < COLLECT_LEAVES && leaf < GML_BLOB_LEAVES; walked++) {
		rc = collect_leaf(store, &c, leaf, freed);
		if (rc != 0 && rc != GML_ERR_NOENT)
			break;
		rc = 0;
		leaf = gml_blob_leaf_next(store->data, leaf + 1);
	}
	atomic_store(&store->collect_next,
		     leaf % GML_BLOB_LEAVES); /* the last one was passed: from the start */
	free(c.files);
	return rc;
}

int gml_blob_discard(struct gml_store *store, uint64_t blob, uint64_t len)
{
	struct gml_txn *txn = NULL;
	struct gml_blob_rec rec;
	int rc = gml_meta_read_begin(store->meta, &txn);
	if (rc != 0)
		return rc;
	rc = gml_rec_blob_get(txn, blob, &rec);
	gml_meta_read_end(txn);
	if (rc == GML_ERR_NOENT)
		return gml_blob_remove(store->data, blob, len);
	return rc == 0 ? GML_ERR_BUSY : rc;
}
