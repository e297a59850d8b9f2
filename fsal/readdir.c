// SPDX-License-Identifier: Apache-2.0
/* READDIR. The callback may ask for attributes or release handles, and the core's iterator must not
 * be re-entered; so entries are read in batches, and the callback is called between two reads. */
#include "fsal.h"

#define READDIR_FIRST 32 /* enough for a small reply */
#define READDIR_MAX 128

struct readdir_entry {
	struct gml_attr attr;
	char name[GML_NFS_NAME_MAX + 1];
};

struct readdir_batch {
	unsigned count, limit;
	struct readdir_entry entry[READDIR_MAX];
};

static bool readdir_each(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	struct readdir_batch *batch = arg;
	struct readdir_entry *entry = &batch->entry[batch->count];
	gml_assert(batch->count < batch->limit && batch->limit <= READDIR_MAX);
	if (name.len > GML_NFS_NAME_MAX) /* the core shows no such name */
		return true;
	memcpy(entry->name, name.ptr, name.len);
	entry->name[name.len] = 0;
	entry->attr = *attr;
	return ++batch->count < batch->limit;
}

/* 0, 1 and 2 are reserved by NFS; cookies of the core are at least 1. */
static fsal_cookie_t readdir_cookie(uint64_t cookie)
{
	gml_assert(cookie > 0 && cookie <= UINT64_MAX - FIRST_COOKIE);
	return cookie + FIRST_COOKIE;
}

/* Who asks for the ACLs of all entries pays a look at each. */
static void readdir_add_acl(const struct gml_attr *attr, struct fsal_attrlist *attrs)
{
	struct gml_acl acl;
	struct gml_op op;
	gml_fsal_op(&op, 0);
	if (gml_inode_acl(&op, gml_fsal.store, attr->ino, &acl) == 0)
		gml_fsal_attr_encode_acl(attr, &acl, attrs);
}

/* False when the caller takes no more entries. */
static bool readdir_hand_on(const struct readdir_batch *batch, void *dir_state, fsal_readdir_cb cb,
			    attrmask_t mask)
{
	for (unsigned i = 0; i < batch->count; i++) {
		struct fsal_attrlist attrs;
		struct gml_fsal_obj *obj;
		enum fsal_dir_result result;
		fsal_prepare_attrs(&attrs, mask);
		obj = gml_fsal_obj_new(&batch->entry[i].attr, &attrs);
		if (mask & ATTR_ACL)
			readdir_add_acl(&batch->entry[i].attr, &attrs);
		result = cb(batch->entry[i].name, &obj->handle, &attrs, dir_state,
			    readdir_cookie(batch->entry[i].attr.cookie));
		fsal_release_attrs(&attrs);
		if (result >= DIR_TERMINATE)
			return false;
	}
	return true;
}

fsal_status_t gml_fsal_readdir(struct fsal_obj_handle *dir, fsal_cookie_t *whence, void *dir_state,
			       fsal_readdir_cb cb, attrmask_t mask, bool *eof)
{
	struct readdir_batch *batch = gsh_malloc(sizeof(*batch));
	struct gml_dir_query query = {
		.cookie = whence && *whence > FIRST_COOKIE ? *whence - FIRST_COOKIE : 0,
		.each = readdir_each,
		.arg = batch};
	bool more = true, end = false;
	struct gml_op op;
	int rc = 0;
	gml_fsal_op(&op, 0);
	batch->limit = READDIR_FIRST;
	while (more && !end) {
		batch->count = 0;
		rc = gml_dir_read(&op, gml_fsal.store, gml_fsal_obj_of(dir)->ino, &query, &end);
		if (rc != 0)
			break;
		if (batch->count == 0) {
			end = true;
			break;
		}
		/* Cookies rise: a listing ends, and shows no name twice. */
		gml_assert(batch->entry[batch->count - 1].attr.cookie > query.cookie);
		more = readdir_hand_on(batch, dir_state, cb, mask);
		query.cookie = batch->entry[batch->count - 1].attr.cookie;
		batch->limit = READDIR_MAX;
	}
	*eof = more && end;
	gsh_free(batch);
	return gml_fsal_status(rc);
}
