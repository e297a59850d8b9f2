// SPDX-License-Identifier: Apache-2.0
/* FSAL_MDCACHE answers ACCESS, and checks rights before each operation, from cached attributes, and
 * admits an owner from its cache. It never calls the FSAL below. So its table of operations gets
 * our check; objects of other FSALs still get the old one. The table and the cache's entries are
 * private to one release of ganesha: module.c refuses any other. */
#include "fsal.h"

#include "mdcache_int.h"

static fsal_status_t (*access_before)(struct fsal_obj_handle *, fsal_accessflags_t,
				      fsal_accessflags_t *, fsal_accessflags_t *, bool);

/* A check before an operation. The operation decides itself, so what it needs is asked for in its
 * widest sense: to write is also to write behind the end, or to add a name. Rights to change
 * attributes are not asked for: the answer to a request that lacks them is not always ACCESS. */
static unsigned access_want_check(fsal_accessflags_t access)
{
	return (access & FSAL_R_OK ? GML_MAY_READ : 0) | (access & FSAL_W_OK ? GML_MAY_EXTEND : 0) |
	       (access & FSAL_X_OK ? GML_MAY_EXEC : 0) |
	       (access & FSAL_ACE_PERM_READ_ACL ? GML_MAY_READ_ACL : 0);
}

/* The operation ACCESS. ganesha translates the bits of ACCESS to rights and back, each right for
 * itself: those of ACLs, where the mode's `w` says less. */
static unsigned access_want_op(fsal_accessflags_t access, bool directory)
{
	const unsigned change = directory ? GML_MAY_DELETE : GML_MAY_WRITE;
	return (access & FSAL_R_OK ? GML_MAY_READ : 0) |
	       (access & FSAL_W_OK ? change | GML_MAY_EXTEND : 0) |
	       (access & FSAL_X_OK ? GML_MAY_EXEC : 0);
}

static fsal_accessflags_t access_granted(unsigned may, bool directory)
{
	uint32_t flags =
		(may & GML_MAY_READ ? FSAL_R_OK : 0) | (may & GML_MAY_EXEC ? FSAL_X_OK : 0);
	if (may & GML_MAY_EXTEND)
		flags |= directory ? FSAL_ACE_PERM_ADD_FILE : FSAL_ACE_PERM_APPEND_DATA;
	if (may & (GML_MAY_DELETE | GML_MAY_WRITE))
		flags |= directory ? FSAL_ACE_PERM_DELETE_CHILD : FSAL_ACE_PERM_WRITE_DATA;
	return (fsal_accessflags_t)flags;
}

static fsal_status_t access_test(struct fsal_obj_handle *handle, fsal_accessflags_t access,
				 fsal_accessflags_t *allowed, fsal_accessflags_t *denied,
				 bool owner_skip)
{
	mdcache_entry_t *entry = container_of(handle, mdcache_entry_t, obj_handle);
	struct fsal_obj_handle *sub = entry->sub_handle;
	bool directory = handle->type == DIRECTORY;
	unsigned want, granted;
	struct gml_op op;
	int rc;

	if (sub->obj_ops != &gml_fsal.handle_ops || IS_FSAL_ACE4_REQ(access))
		return access_before(handle, access, allowed, denied, owner_skip);
	if (allowed)
		*allowed = 0;
	if (denied)
		*denied = 0;
	want = allowed ? access_want_op(access, directory) : access_want_check(access);
	/* owner_skip: READ, WRITE, ALLOCATE, a reclaim or a repeated exclusive create. The
	 * operation itself decides afterwards. */
	if (want == 0 || owner_skip)
		return fsalstat(ERR_FSAL_NO_ERROR, 0);
	gml_fsal_op(&op, 0);
	rc = gml_inode_access(&op, gml_fsal.store, gml_fsal_obj_of(sub)->ino, want, &granted);
	if (rc != 0)
		return gml_fsal_status(rc);
	gml_assert((granted & ~want) == 0);
	if (allowed)
		*allowed = access_granted(granted, directory);
	if (denied)
		*denied = access_granted(want & ~granted, directory);
	return fsalstat(granted == want ? ERR_FSAL_NO_ERROR : ERR_FSAL_ACCESS, 0);
}

void gml_fsal_access_hook(struct fsal_export *exp)
{
	struct fsal_export *super = exp->super_export;
	struct fsal_obj_ops *ops;
	if (super == NULL || super->fsal == NULL || super->fsal->name == NULL ||
	    strcmp(super->fsal->name, "MDCACHE") != 0) {
		LogCrit(COMPONENT_FSAL, "the GEMEL FSAL is not stacked under FSAL_MDCACHE: ACCESS "
					"is answered from mode bits only");
		return;
	}
	ops = &container_of(super->fsal, struct mdcache_fsal_module, module)->handle_ops;
	PTHREAD_MUTEX_lock(&gml_fsal.lock);
	if (ops->test_access != access_test) {
		access_before = ops->test_access;
		gml_assert(access_before != NULL);
		__atomic_store_n(&ops->test_access, access_test, __ATOMIC_RELEASE);
	}
	PTHREAD_MUTEX_unlock(&gml_fsal.lock);
}
