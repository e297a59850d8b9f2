// SPDX-License-Identifier: Apache-2.0
/* OPEN, CLOSE and share reservations. One function per way of opening: by handle, by name, by
 * creating. */
#include "fsal.h"

static unsigned open_access(fsal_openflags_t openflags)
{
	return (openflags & FSAL_O_READ ? GML_OPEN_READ : 0) |
	       (openflags & FSAL_O_WRITE ? GML_OPEN_WRITE : 0);
}

static struct gml_fsal_state *open_state(struct state_t *state)
{
	return container_of(state, struct gml_fsal_state, state);
}

static int open_file(struct gml_op *op, gml_ino ino, unsigned access, struct gml_fsal_file **out)
{
	struct gml_file *file;
	int rc = gml_file_open(op, gml_fsal.store, ino, access, &file);
	if (rc == 0)
		*out = gml_fsal_file_new(file, access & (GML_OPEN_READ | GML_OPEN_WRITE));
	return rc;
}

/* The truncation in an OPEN, which asks for more than a SETATTR does. */
static int open_truncate(struct gml_fsal_file *file)
{
	struct gml_op op;
	gml_fsal_op(&op, EXPORT_OPTION_WRITE_ACCESS);
	return gml_file_empty(&op, file->file);
}

/* The truncation in an NFSv3 CREATE, after which nothing is open. */
static int open_truncate_unopened(gml_ino ino)
{
	struct gml_fsal_file *file;
	struct gml_op op;
	int rc, closed;
	gml_fsal_op(&op, EXPORT_OPTION_WRITE_ACCESS);
	rc = open_file(&op, ino, 0, &file);
	if (rc != 0)
		return rc;
	rc = open_truncate(file);
	closed = gml_fsal_file_put(file);
	return rc != 0 ? rc : closed;
}

static bool open_check_verifier(struct fsal_obj_handle *handle, fsal_verifier_t verifier)
{
	static const fsal_verifier_t none; /* the verifier of files that were made in another way */
	struct gml_attr attr;
	struct gml_op op;
	gml_fsal_op(&op, 0);
	return memcmp(verifier, none, sizeof(none)) != 0 &&
	       gml_inode_getattr(&op, gml_fsal.store, gml_fsal_obj_of(handle)->ino, &attr) == 0 &&
	       memcmp(attr.verifier, verifier, sizeof(attr.verifier)) == 0;
}

/* Takes the reservation before the file is opened, so that no other open can intervene. */
static fsal_status_t open_share_begin(struct gml_fsal_obj *obj, struct gml_fsal_state *state,
				      fsal_openflags_t openflags)
{
	fsal_status_t status;
	PTHREAD_RWLOCK_wrlock(&obj->handle.obj_lock);
	gml_assert(state->file == NULL && state->openflags == FSAL_O_CLOSED); /* else reopen2 */
	status = check_share_conflict(&obj->share, openflags, false);
	if (FSAL_IS_SUCCESS(status)) {
		update_share_counters(&obj->share, FSAL_O_CLOSED, openflags);
		state->openflags = FSAL_O_NFS_FLAGS(openflags);
		obj->states++;
	}
	PTHREAD_RWLOCK_unlock(&obj->handle.obj_lock);
	return status;
}

static void open_share_abort(struct gml_fsal_obj *obj, struct gml_fsal_state *state)
{
	PTHREAD_RWLOCK_wrlock(&obj->handle.obj_lock);
	gml_assert(obj->states > 0 && state->file == NULL); /* begun, not committed */
	update_share_counters(&obj->share, state->openflags, FSAL_O_CLOSED);
	state->openflags = FSAL_O_CLOSED;
	obj->states--;
	PTHREAD_RWLOCK_unlock(&obj->handle.obj_lock);
}

static void open_share_commit(struct gml_fsal_obj *obj, struct gml_fsal_state *state,
			      struct gml_fsal_file *file)
{
	PTHREAD_RWLOCK_wrlock(&obj->handle.obj_lock);
	gml_assert(obj->states > 0 && state->file == NULL);
	state->file = file;
	glist_add_tail(&obj->files, &file->link);
	PTHREAD_RWLOCK_unlock(&obj->handle.obj_lock);
}

/* Opens obj for `state`; without one (NFSv3 CREATE) nothing stays open, but an open that ganesha
 * counts is recorded for close. */
static fsal_status_t open_obj(struct gml_fsal_obj *obj, struct state_t *state_t,
			      fsal_openflags_t openflags, bool reclaim)
{
	struct gml_fsal_state *state = state_t ? open_state(state_t) : NULL;
	struct gml_fsal_file *file = NULL;
	struct gml_op op;
	fsal_status_t status;
	int rc = 0;
	if (state == NULL) {
		if (openflags & FSAL_O_TRUNC)
			rc = open_truncate_unopened(obj->ino);
		if (rc == 0) {
			PTHREAD_RWLOCK_wrlock(&obj->handle.obj_lock);
			obj->creates++;
			PTHREAD_RWLOCK_unlock(&obj->handle.obj_lock);
		}
		return gml_fsal_status(rc);
	}
	status = open_share_begin(obj, state, openflags);
	if (FSAL_IS_ERROR(status))
		return status;
	gml_fsal_op(&op, openflags & FSAL_O_WRITE ? EXPORT_OPTION_WRITE_ACCESS : 0);
	rc = open_file(&op, obj->ino, open_access(openflags) | (reclaim ? GML_OPEN_RECLAIM : 0),
		       &file);
	if (rc == 0 && (openflags & FSAL_O_TRUNC))
		rc = open_truncate(file);
	if (rc == 0) {
		open_share_commit(obj, state, file);
	} else {
		open_share_abort(obj, state);
		(void)gml_fsal_file_put(file);
	}
	return gml_fsal_status(rc);
}

static fsal_status_t open_by_handle(struct gml_fsal_obj *obj, struct state_t *state,
				    fsal_openflags_t openflags, enum fsal_create_mode mode,
				    fsal_verifier_t verifier, struct fsal_attrlist *attrs_out)
{
	bool exclusive = mode == FSAL_EXCLUSIVE || mode == FSAL_EXCLUSIVE_41;
	fsal_status_t status;
	if (obj->handle.type == DIRECTORY)
		return fsalstat(ERR_FSAL_ISDIR, 0);
	if (obj->handle.type != REGULAR_FILE)
		return fsalstat(ERR_FSAL_SYMLINK, 0);
	if (mode == FSAL_GUARDED || (exclusive && !open_check_verifier(&obj->handle, verifier)))
		return fsalstat(ERR_FSAL_EXIST, 0);
	status = open_obj(obj, state, openflags, exclusive || (openflags & FSAL_O_RECLAIM));
	if (FSAL_IS_SUCCESS(status) && attrs_out &&
	    FSAL_IS_ERROR(gml_fsal_handle_getattrs(&obj->handle, attrs_out)))
		attrs_out->valid_mask = ATTR_RDATTR_ERR;
	return status;
}

static fsal_status_t open_by_name(gml_ino parent, struct state_t *state, fsal_openflags_t openflags,
				  const char *name, struct fsal_obj_handle **new_obj,
				  struct fsal_attrlist *attrs_out)
{
	struct gml_fsal_obj *obj;
	struct gml_attr attr;
	struct gml_op op;
	fsal_status_t status;
	int rc;
	gml_fsal_op(&op, 0);
	rc = gml_dir_lookup(&op, gml_fsal.store, parent, gml_fsal_span(name), &attr);
	if (rc != 0)
		return gml_fsal_status(rc);
	obj = gml_fsal_obj_new(&attr, NULL);
	status = open_by_handle(obj, state, openflags, FSAL_NO_CREATE, NULL, attrs_out);
	if (FSAL_IS_SUCCESS(status))
		*new_obj = &obj->handle;
	else
		obj->handle.obj_ops->release(&obj->handle);
	return status;
}

static enum gml_create_disposition open_create_disposition(enum fsal_create_mode mode)
{
	switch (mode) {
	case FSAL_EXCLUSIVE:
	case FSAL_EXCLUSIVE_41:
		return GML_CREATE_EXCLUSIVE;
	case FSAL_GUARDED:
	case FSAL_EXCLUSIVE_9P:
		return GML_CREATE_GUARDED;
	case FSAL_NO_CREATE:
	case FSAL_UNCHECKED:
		break;
	}
	return GML_CREATE_UNCHECKED;
}

/* No other thread has the new handle yet: no reservation can conflict here; merge finds those of a
 * file that another client just made. */
static void open_adopt(struct gml_fsal_obj *obj, struct state_t *state_t,
		       fsal_openflags_t openflags, struct gml_file *file)
{
	struct gml_fsal_state *state = state_t ? open_state(state_t) : NULL;
	struct gml_fsal_file *f = gml_fsal_file_new(file, open_access(openflags));
	gml_assert(obj->states == 0 && obj->creates == 0);
	if (state == NULL) {
		obj->creates = 1;
		(void)gml_fsal_file_put(f);
		return;
	}
	update_share_counters(&obj->share, FSAL_O_CLOSED, openflags);
	state->openflags = FSAL_O_NFS_FLAGS(openflags);
	obj->states = 1;
	open_share_commit(obj, state, f);
}

static fsal_status_t open_create(gml_ino parent, struct state_t *state, fsal_openflags_t openflags,
				 enum fsal_create_mode mode, const char *name,
				 struct fsal_attrlist *attrs_in, fsal_verifier_t verifier,
				 struct fsal_obj_handle **new_obj, struct fsal_attrlist *attrs_out,
				 bool *caller_perm_check)
{
	uint32_t need = EXPORT_OPTION_MD_WRITE_ACCESS |
			(state && (openflags & FSAL_O_WRITE) ? EXPORT_OPTION_WRITE_ACCESS : 0);
	struct gml_fsal_set decoded;
	struct gml_setattr *set = &decoded.set;
	struct gml_fsal_obj *obj;
	struct gml_file *file;
	struct gml_attr attr;
	struct gml_op op;
	bool created;
	struct gml_create create = {.disposition = open_create_disposition(mode),
				    .verifier = (const uint8_t *)verifier,
				    .set = set,
				    .attr_out = &attr,
				    .created_out = &created};
	fsal_status_t status = {ERR_FSAL_NO_ERROR, 0};
	int rc;
	set->mask = 0;
	if (attrs_in)
		status = gml_fsal_attr_decode_new(attrs_in, &decoded);
	if (FSAL_IS_ERROR(status))
		return status;
	if (openflags & FSAL_O_TRUNC) {
		set->mask |= GML_SET_SIZE;
		set->size = 0;
	}
	if (state == NULL)
		openflags &= ~FSAL_O_RDWR;
	gml_fsal_op(&op, need);
	create.access = open_access(openflags);
	rc = gml_file_create(&op, gml_fsal.store, parent, gml_fsal_span(name), &create, &file);
	if (rc != 0)
		return gml_fsal_status(rc);
	obj = gml_fsal_obj_new(&attr, attrs_out);
	open_adopt(obj, state, openflags, file);
	*caller_perm_check = !created;
	*new_obj = &obj->handle;
	return status;
}

static fsal_status_t open2(struct fsal_obj_handle *handle, struct state_t *state,
			   fsal_openflags_t openflags, enum fsal_create_mode mode, const char *name,
			   struct fsal_attrlist *attrs_in, fsal_verifier_t verifier,
			   struct fsal_obj_handle **new_obj, struct fsal_attrlist *attrs_out,
			   bool *caller_perm_check GML_FSAL_DIR_ATTRS)
{
	struct gml_fsal_obj *obj = gml_fsal_obj_of(handle);
	*caller_perm_check = true;
	if (name == NULL)
		return open_by_handle(obj, state, openflags, mode, verifier, attrs_out);
	if (mode == FSAL_NO_CREATE)
		return open_by_name(obj->ino, state, openflags, name, new_obj, attrs_out);
	return open_create(obj->ino, state, openflags, mode, name, attrs_in, verifier, new_obj,
			   attrs_out, caller_perm_check);
}

static fsal_openflags_t open_status2(struct fsal_obj_handle *handle, struct state_t *state)
{
	return open_state(state)->openflags;
}

/* In an OPEN: does ganesha revert the upgrade, because a later step failed? The access of an
 * upgrade includes the state's present one. An upgrade may be refused; its reversal must not be, or
 * the state would keep access that the client never got. */
static bool open_is_takeback(fsal_openflags_t openflags, fsal_openflags_t old)
{
	return (old & ~openflags) != 0;
}

/* The access that an upgrading OPEN requests; ganesha passes only the union with the state's
 * present one. None for a reclaimed upgrade, a downgrade, and a reverted upgrade. */
static fsal_openflags_t open_asked(fsal_openflags_t openflags, fsal_openflags_t old)
{
	const compound_data_t *compound = gml_fsal_compound();
	const OPEN4args *args;
	if (compound == NULL || compound->opcode != NFS4_OP_OPEN || (openflags & FSAL_O_RECLAIM) ||
	    open_is_takeback(openflags, old))
		return FSAL_O_CLOSED;
	args = &compound->argarray[compound->oppos].nfs_argop4_u.opopen;
	return (args->share_access & OPEN4_SHARE_ACCESS_READ ? FSAL_O_READ : 0) |
	       (args->share_access & OPEN4_SHARE_ACCESS_WRITE ? FSAL_O_WRITE : 0) |
	       (args->share_deny & OPEN4_SHARE_DENY_READ ? FSAL_O_DENY_READ : 0) |
	       (args->share_deny & OPEN4_SHARE_DENY_WRITE ? FSAL_O_DENY_WRITE_MAND : 0);
}

/* Replaces the state's reservation. The access of an OPEN must not conflict with any open, the
 * state's own reservation included (RFC 7530 9.9 and 16.16.5, RFC 8881 9.7): an owner that denies
 * writing is refused when it opens for writing again. Access that is held already conflicts with
 * none. Else the state's old reservation is no conflict. */
static fsal_status_t open_share_change(struct gml_fsal_obj *obj, struct gml_fsal_state *state,
				       fsal_openflags_t openflags, fsal_openflags_t asked)
{
	fsal_openflags_t old = state->openflags;
	fsal_status_t status = {ERR_FSAL_NO_ERROR, 0};
	PTHREAD_RWLOCK_wrlock(&obj->handle.obj_lock);
	if (asked != FSAL_O_CLOSED)
		status = check_share_conflict(&obj->share, asked, false);
	update_share_counters(&obj->share, old, FSAL_O_CLOSED);
	if (FSAL_IS_SUCCESS(status))
		status = check_share_conflict(&obj->share, openflags, false);
	if (FSAL_IS_ERROR(status))
		openflags = old;
	update_share_counters(&obj->share, FSAL_O_CLOSED, openflags);
	state->openflags = FSAL_O_NFS_FLAGS(openflags);
	PTHREAD_RWLOCK_unlock(&obj->handle.obj_lock);
	return status;
}

/* ganesha (4.3 and 6.5) does not record the new mode of a downgraded state, and would let it write
 * on. The caller holds the state's lock. */
static void open_note_mode(struct state_t *state, fsal_openflags_t openflags)
{
	struct state_share *share = &state->state_data.share;
	if (state->state_type != STATE_TYPE_SHARE)
		return;
	share->share_access = (openflags & FSAL_O_READ ? OPEN4_SHARE_ACCESS_READ : 0) |
			      (openflags & FSAL_O_WRITE ? OPEN4_SHARE_ACCESS_WRITE : 0);
	share->share_deny =
		(openflags & FSAL_O_DENY_READ ? OPEN4_SHARE_DENY_READ : 0) |
		(openflags & (FSAL_O_DENY_WRITE | FSAL_O_DENY_WRITE_MAND) ? OPEN4_SHARE_DENY_WRITE
									  : 0);
}

/* An OPEN by an owner that has the file open: by the handle that the client remembers (CLAIM_FH),
 * of a file that lost all its names, it is STALE like any other (docs/adr/0002). */
static int open_again(gml_ino ino, fsal_openflags_t openflags, fsal_openflags_t old)
{
	const compound_data_t *compound = gml_fsal_compound();
	unsigned granted;
	struct gml_op op;
	if (compound == NULL || compound->opcode != NFS4_OP_OPEN ||
	    open_is_takeback(openflags, old))
		return 0;
	gml_fsal_op(&op, 0);
	op.handle.client = GML_CLIENT_NONE;
	return gml_inode_access(&op, gml_fsal.store, ino, 0, &granted);
}

/* The caller for a change of the state's mode. With `more` access than before the caller must have
 * the rights. With less, the server acts for the client, whatever happened to the caller's rights
 * or the file's name. */
static void open_reopen_op(struct gml_op *op, bool more, fsal_openflags_t openflags)
{
	uint64_t client;
	gml_fsal_op(op, more && (openflags & FSAL_O_WRITE) ? EXPORT_OPTION_WRITE_ACCESS : 0);
	if (more)
		return;
	client = op->handle.client;
	gml_fsal_op_root(op);
	op->handle.client = client;
}

/* OPEN upgrade and OPEN_DOWNGRADE. ganesha checks rights for neither: this function checks them for
 * an upgrade; a downgrade cannot fail. */
static fsal_status_t open_reopen2(struct fsal_obj_handle *handle, struct state_t *state_t,
				  fsal_openflags_t openflags)
{
	struct gml_fsal_obj *obj = gml_fsal_obj_of(handle);
	struct gml_fsal_state *state = open_state(state_t);
	fsal_openflags_t old = state->openflags;
	struct gml_fsal_file *file = NULL, *before = NULL;
	unsigned access = open_access(openflags);
	bool more = access & ~open_access(old),
	     change = state->file == NULL || state->file->access != access;
	struct gml_op op;
	fsal_status_t status;
	int rc;
	rc = open_again(obj->ino, openflags, old);
	if (rc != 0)
		return gml_fsal_status(rc);
	status = open_share_change(obj, state, openflags, open_asked(openflags, old));
	if (FSAL_IS_ERROR(status))
		return status;
	open_reopen_op(&op, more, openflags);
	if (change)
		rc = open_file(&op, obj->ino,
			       access | (openflags & FSAL_O_RECLAIM ? GML_OPEN_RECLAIM : 0), &file);
	if (rc == 0 && (openflags & FSAL_O_TRUNC))
		rc = open_truncate(change ? file : state->file);
	if (rc != 0) {
		(void)open_share_change(obj, state, old, FSAL_O_CLOSED);
		(void)gml_fsal_file_put(file);
		return gml_fsal_status(rc);
	}
	open_note_mode(state_t, openflags);
	if (change) {
		PTHREAD_RWLOCK_wrlock(&obj->handle.obj_lock);
		before = state->file;
		if (before)
			glist_del(&before->link);
		state->file = file;
		glist_add_tail(&obj->files, &file->link);
		PTHREAD_RWLOCK_unlock(&obj->handle.obj_lock);
	}
	return gml_fsal_status(gml_fsal_file_put(before));
}

/* The last state closes the shared files as well, so that CLOSE finalizes the file. */
static fsal_status_t open_close2(struct fsal_obj_handle *handle, struct state_t *state_t)
{
	struct gml_fsal_obj *obj = gml_fsal_obj_of(handle);
	struct gml_fsal_state *state = open_state(state_t);
	struct gml_fsal_file *file, *shared[2] = {NULL, NULL};
	int rc, rc2, rc3;
	PTHREAD_RWLOCK_wrlock(&handle->obj_lock);
	file = state->file;
	state->file = NULL;
	if (file) {
		glist_del(&file->link);
		gml_assert(obj->states > 0);
		update_share_counters(&obj->share, state->openflags, FSAL_O_CLOSED);
		state->openflags = FSAL_O_CLOSED;
		if (--obj->states == 0)
			gml_fsal_file_unshare_locked(obj, shared);
	}
	PTHREAD_RWLOCK_unlock(&handle->obj_lock);
	rc = gml_fsal_file_put(file);
	rc2 = gml_fsal_file_put(shared[0]);
	rc3 = gml_fsal_file_put(shared[1]);
	return gml_fsal_status(rc ? rc : rc2 ? rc2 : rc3);
}

/* ganesha 4.3 counts an open descriptor for each stateless create, and one less for each close that
 * does not answer NOT_OPENED. 6.5 counts nothing, and treats both answers as success. */
static fsal_status_t open_close(struct fsal_obj_handle *handle)
{
	struct gml_fsal_obj *obj = gml_fsal_obj_of(handle);
	bool counted;
	PTHREAD_RWLOCK_wrlock(&handle->obj_lock);
	counted = obj->creates > 0;
	if (counted)
		obj->creates--;
	PTHREAD_RWLOCK_unlock(&handle->obj_lock);
	return fsalstat(counted ? ERR_FSAL_NO_ERROR : ERR_FSAL_NOT_OPENED, 0);
}

void gml_fsal_open_ops(struct fsal_obj_ops *ops)
{
	ops->open2 = open2;
	ops->check_verifier = open_check_verifier;
	ops->status2 = open_status2;
	ops->reopen2 = open_reopen2;
	ops->close2 = open_close2;
	ops->close = open_close;
}
