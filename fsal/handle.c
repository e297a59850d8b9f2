// SPDX-License-Identifier: Apache-2.0
/* Object handles, and the operations on names and attributes. */
#include "fsal.h"

struct gml_fsal_obj *gml_fsal_obj_new(const struct gml_attr *attr, struct fsal_attrlist *attrs_out)
{
	struct gml_fsal_obj *obj = gsh_calloc(1, sizeof(*obj));
	obj->ino = attr->ino;
	gml_handle_encode(gml_fsal.store, attr->ino, obj->key);
	glist_init(&obj->files);
	glist_init(&obj->idle);
	gml_fsal_handle_init(&obj->handle, op_ctx->fsal_export, gml_fsal_type(attr->type));
	gml_assert(obj->handle.type != NO_FILE_TYPE);
	obj->handle.fsid = gml_fsal.fsid;
	obj->handle.fileid = gml_ino_fileid(attr->ino);
	obj->handle.obj_ops = &gml_fsal.handle_ops;
	if (attrs_out)
		gml_fsal_attr_encode(attr, attrs_out);
	return obj;
}

static void handle_release(struct fsal_obj_handle *handle)
{
	struct gml_fsal_obj *obj = gml_fsal_obj_of(handle);
	gml_fsal_file_forget(obj);
	gml_fsal_handle_fini(handle);
	gsh_free(obj);
}

fsal_status_t gml_fsal_key_decode(const struct gsh_buffdesc *desc, gml_ino *ino_out)
{
	int rc = gml_handle_decode(gml_fsal.store, (struct gml_span){desc->addr, desc->len},
				   ino_out);
	return rc == GML_ERR_INVAL ? fsalstat(ERR_FSAL_BADHANDLE, 0) : gml_fsal_status(rc);
}

static fsal_status_t handle_to_wire(const struct fsal_obj_handle *handle, fsal_digesttype_t type,
				    struct gsh_buffdesc *desc)
{
	if (desc->len < GML_FSAL_KEY_LEN)
		return fsalstat(ERR_FSAL_TOOSMALL, 0);
	memcpy(desc->addr, gml_fsal_obj_of(handle)->key, GML_FSAL_KEY_LEN);
	desc->len = GML_FSAL_KEY_LEN;
	return fsalstat(ERR_FSAL_NO_ERROR, 0);
}

static void handle_to_key(struct fsal_obj_handle *handle, struct gsh_buffdesc *desc)
{
	desc->addr = gml_fsal_obj_of(handle)->key;
	desc->len = GML_FSAL_KEY_LEN;
}

/* `dupe` was just made for the object that `orig` stands for; its opens become orig's. DENIED
 * leaves both as they were. */
static fsal_status_t handle_merge(struct fsal_obj_handle *orig_handle,
				  struct fsal_obj_handle *dupe_handle)
{
	struct gml_fsal_obj *orig = gml_fsal_obj_of(orig_handle),
			    *dupe = gml_fsal_obj_of(dupe_handle);
	fsal_status_t status;
	/* No I/O has come to dupe: it has no files but those that states opened. */
	gml_assert(gml_ino_equal(orig->ino, dupe->ino));
	gml_assert(orig == dupe || (dupe->shared[0] == NULL && dupe->shared[1] == NULL));
	if (orig == dupe || orig_handle->type != REGULAR_FILE || dupe_handle->type != REGULAR_FILE)
		return fsalstat(ERR_FSAL_NO_ERROR, 0);
	if (dupe->states == 0 && dupe->creates == 0)
		return fsalstat(ERR_FSAL_NO_ERROR, 0);
	status = merge_share(orig_handle, &orig->share, &dupe->share);
	if (FSAL_IS_ERROR(status))
		return status;
	PTHREAD_RWLOCK_wrlock(&orig_handle->obj_lock);
	glist_splice_tail(&orig->files, &dupe->files);
	orig->states += dupe->states;
	orig->creates += dupe->creates;
	PTHREAD_RWLOCK_unlock(&orig_handle->obj_lock);
	dupe->states = dupe->creates = 0;
	return status;
}

/* ---- names ---- */

/* The last step of every operation that finds or makes an object. */
static fsal_status_t handle_result(int rc, const struct gml_attr *attr,
				   struct fsal_obj_handle **out, struct fsal_attrlist *attrs_out)
{
	*out = rc == 0 ? &gml_fsal_obj_new(attr, attrs_out)->handle : NULL;
	return gml_fsal_status(rc);
}

static fsal_status_t handle_lookup(struct fsal_obj_handle *dir, const char *name,
				   struct fsal_obj_handle **out, struct fsal_attrlist *attrs_out)
{
	gml_ino parent = gml_fsal_obj_of(dir)->ino;
	struct gml_attr attr;
	struct gml_op op;
	int rc;
	gml_fsal_op(&op, 0);
	if (strcmp(name, "..") == 0)
		rc = gml_dir_parent(&op, gml_fsal.store, parent, &attr);
	else
		rc = gml_dir_lookup(&op, gml_fsal.store, parent, gml_fsal_span(name), &attr);
	return handle_result(rc, &attr, out, attrs_out);
}

static fsal_status_t handle_mkdir(struct fsal_obj_handle *dir, const char *name,
				  struct fsal_attrlist *attrs_in, struct fsal_obj_handle **out,
				  struct fsal_attrlist *attrs_out GML_FSAL_DIR_ATTRS)
{
	struct gml_fsal_set set;
	struct gml_attr attr;
	struct gml_op op;
	fsal_status_t status = gml_fsal_attr_decode_new(attrs_in, &set);
	*out = NULL;
	if (FSAL_IS_ERROR(status))
		return status;
	gml_fsal_op(&op, EXPORT_OPTION_MD_WRITE_ACCESS);
	return handle_result(gml_dir_mkdir(&op, gml_fsal.store, gml_fsal_obj_of(dir)->ino,
					   gml_fsal_span(name), &set.set, &attr),
			     &attr, out, attrs_out);
}

static fsal_status_t handle_symlink(struct fsal_obj_handle *dir, const char *name,
				    const char *target, struct fsal_attrlist *attrs_in,
				    struct fsal_obj_handle **out,
				    struct fsal_attrlist *attrs_out GML_FSAL_DIR_ATTRS)
{
	struct gml_fsal_set set;
	struct gml_attr attr;
	struct gml_op op;
	fsal_status_t status = gml_fsal_attr_decode_new(attrs_in, &set);
	int rc;
	*out = NULL;
	if (FSAL_IS_ERROR(status))
		return status;
	gml_fsal_op(&op, EXPORT_OPTION_MD_WRITE_ACCESS);
	rc = gml_dir_mknod(&op, gml_fsal.store, gml_fsal_obj_of(dir)->ino, gml_fsal_span(name),
			   &(struct gml_node){.type = GML_LNK,
					      .target = gml_fsal_span(target),
					      .set = &set.set},
			   &attr);
	return handle_result(rc, &attr, out, attrs_out);
}

static fsal_status_t handle_mknode(struct fsal_obj_handle *dir, const char *name,
				   object_file_type_t nodetype, struct fsal_attrlist *attrs_in,
				   struct fsal_obj_handle **out,
				   struct fsal_attrlist *attrs_out GML_FSAL_DIR_ATTRS)
{
	struct gml_fsal_set set;
	struct gml_node node = {.set = &set.set};
	struct gml_attr attr;
	struct gml_op op;
	fsal_status_t status = gml_fsal_attr_decode_new(attrs_in, &set);
	int rc;
	*out = NULL;
	if (FSAL_IS_ERROR(status))
		return status;
	switch (nodetype) {
	case CHARACTER_FILE:
		node.type = GML_CHR;
		break;
	case BLOCK_FILE:
		node.type = GML_BLK;
		break;
	case FIFO_FILE:
		node.type = GML_FIFO;
		break;
	case SOCKET_FILE:
		node.type = GML_SOCK;
		break;
	default:
		return fsalstat(ERR_FSAL_BADTYPE, 0);
	}
	if ((node.type == GML_CHR || node.type == GML_BLK) && (attrs_in->valid_mask & ATTR_RAWDEV))
		node.rdev = attrs_in->rawdev.major << 32 | (attrs_in->rawdev.minor & UINT32_MAX);
	gml_fsal_op(&op, EXPORT_OPTION_MD_WRITE_ACCESS);
	rc = gml_dir_mknod(&op, gml_fsal.store, gml_fsal_obj_of(dir)->ino, gml_fsal_span(name),
			   &node, &attr);
	return handle_result(rc, &attr, out, attrs_out);
}

static fsal_status_t handle_link(struct fsal_obj_handle *handle, struct fsal_obj_handle *dir,
				 const char *name GML_FSAL_DIR_ATTRS)
{
	struct gml_op op;
	gml_fsal_op(&op, EXPORT_OPTION_MD_WRITE_ACCESS);
	return gml_fsal_status(gml_dir_link(&op, gml_fsal.store, gml_fsal_obj_of(handle)->ino,
					    gml_fsal_obj_of(dir)->ino, gml_fsal_span(name), NULL));
}

static fsal_status_t handle_rename(struct fsal_obj_handle *handle, struct fsal_obj_handle *old_dir,
				   const char *old_name, struct fsal_obj_handle *new_dir,
				   const char *new_name GML_FSAL_DIRS_ATTRS)
{
	struct gml_op op;
	gml_fsal_op(&op, EXPORT_OPTION_MD_WRITE_ACCESS);
	return gml_fsal_status(gml_dir_rename(
		&op, gml_fsal.store, gml_fsal_obj_of(old_dir)->ino, gml_fsal_span(old_name),
		gml_fsal_obj_of(new_dir)->ino, gml_fsal_span(new_name)));
}

static fsal_status_t handle_unlink(struct fsal_obj_handle *dir, struct fsal_obj_handle *handle,
				   const char *name GML_FSAL_DIR_ATTRS)
{
	struct gml_op op;
	gml_fsal_op(&op, EXPORT_OPTION_MD_WRITE_ACCESS);
	return gml_fsal_status(
		gml_dir_remove(&op, gml_fsal.store, gml_fsal_obj_of(dir)->ino, gml_fsal_span(name),
			       handle->type == DIRECTORY ? GML_REMOVE_DIR : GML_REMOVE_FILE));
}

/* ---- attributes ---- */

/* With the ACL. ganesha asks for it also for its own checks, of callers that may not read it: they
 * have an empty one then, and access.c decides. */
static fsal_status_t handle_getattrs_acl(gml_ino ino, struct fsal_attrlist *attrs_out)
{
	struct gml_attr attr;
	struct gml_acl acl;
	struct gml_op op;
	int rc;
	gml_fsal_op(&op, 0);
	rc = gml_inode_getattr_acl(&op, gml_fsal.store, ino, &attr, &acl);
	if (rc == 0)
		gml_fsal_attr_encode_acl(&attr, &acl, attrs_out);
	else if (attrs_out->request_mask & ATTR_RDATTR_ERR)
		attrs_out->valid_mask = ATTR_RDATTR_ERR;
	return gml_fsal_status(rc);
}

fsal_status_t gml_fsal_handle_getattrs(struct fsal_obj_handle *handle,
				       struct fsal_attrlist *attrs_out)
{
	gml_ino ino = gml_fsal_obj_of(handle)->ino;
	struct gml_attr attr;
	struct gml_op op;
	int rc;
	if (attrs_out->request_mask & ATTR_ACL)
		return handle_getattrs_acl(ino, attrs_out);
	gml_fsal_op(&op, 0);
	rc = gml_inode_getattr(&op, gml_fsal.store, ino, &attr);
	if (rc == 0)
		gml_fsal_attr_encode(&attr, attrs_out);
	else if (attrs_out->request_mask & ATTR_RDATTR_ERR)
		attrs_out->valid_mask = ATTR_RDATTR_ERR;
	return gml_fsal_status(rc);
}

static fsal_status_t handle_readlink(struct fsal_obj_handle *handle, struct gsh_buffdesc *link,
				     bool refresh)
{
	char *buf = gsh_malloc(GML_SYMLINK_MAX + 1);
	struct gml_op op;
	size_t len;
	int rc;
	gml_fsal_op(&op, 0);
	rc = gml_inode_readlink(&op, gml_fsal.store, gml_fsal_obj_of(handle)->ino, buf,
				GML_SYMLINK_MAX, &len);
	if (rc != 0) {
		gsh_free(buf);
		return gml_fsal_status(rc);
	}
	gml_assert(len <= GML_SYMLINK_MAX);
	buf[len] = 0;
	link->addr = buf;
	link->len = len + 1;
	return gml_fsal_status(0);
}

/* When an ordinary user changes the owner or group, ganesha adds a mode without setuid and setgid
 * to the request, also for a directory, which must keep them. The core clears them: only a mode
 * that the client sent counts. */
static bool handle_mode_is_added(void)
{
	const compound_data_t *compound = gml_fsal_compound();
	return compound != NULL && compound->opcode == NFS4_OP_SETATTR &&
	       !gml_fsal_attr_mode_is_stated();
}

static fsal_status_t handle_setattr2(struct fsal_obj_handle *handle, bool bypass,
				     struct state_t *state, struct fsal_attrlist *attrs)
{
	struct gml_fsal_obj *obj = gml_fsal_obj_of(handle);
	struct gml_fsal_set decoded;
	struct gml_setattr *set = &decoded.set;
	struct gml_op op;
	fsal_status_t status = gml_fsal_attr_decode(attrs, &decoded);
	if (FSAL_IS_ERROR(status))
		return status;
	if (handle_mode_is_added())
		set->mask &= ~(uint32_t)GML_SET_MODE;
	if ((set->mask & GML_SET_SIZE) && handle->type == REGULAR_FILE) {
		status = gml_fsal_file_share_check(obj, state, FSAL_O_WRITE, bypass);
		if (FSAL_IS_ERROR(status))
			return status;
	}
	gml_fsal_op(&op, set->mask & GML_SET_SIZE ? EXPORT_OPTION_WRITE_ACCESS
						  : EXPORT_OPTION_MD_WRITE_ACCESS);
	/* ftruncate(2) carries the open file; truncate(2), by path, does not, and means the inode
	 * that has the name now. */
	if ((set->mask & GML_SET_SIZE) && state == NULL)
		op.handle.client = GML_CLIENT_NONE;
	return gml_fsal_status(gml_inode_setattr(&op, gml_fsal.store, obj->ino, set, NULL));
}

/* The default takes a sticky directory without execute bits for a referral, and reads attributes
 * each time to find out. */
static bool handle_is_referral(struct fsal_obj_handle *handle, struct fsal_attrlist *attrs,
			       bool cache_attrs)
{
	return false;
}

void gml_fsal_handle_ops(struct fsal_obj_ops *ops)
{
	fsal_default_obj_ops_init(ops);
	ops->release = handle_release;
	ops->merge = handle_merge;
	ops->handle_to_wire = handle_to_wire;
	ops->handle_to_key = handle_to_key;
	ops->lookup = handle_lookup;
	ops->readdir = gml_fsal_readdir;
	ops->mkdir = handle_mkdir;
	ops->mknode = handle_mknode;
	ops->symlink = handle_symlink;
	ops->readlink = handle_readlink;
	ops->link = handle_link;
	ops->rename = handle_rename;
	ops->unlink = handle_unlink;
	ops->getattrs = gml_fsal_handle_getattrs;
	ops->setattr2 = handle_setattr2;
	ops->is_referral = handle_is_referral;
	gml_fsal_open_ops(ops);
	gml_fsal_io_ops(ops);
	gml_fsal_xattr_ops(ops);
}
