// SPDX-License-Identifier: Apache-2.0
/* READ, WRITE, COMMIT, SEEK, ALLOCATE, DEALLOCATE. All are synchronous: the callback runs before
 * the operation returns. */
#include "fsal.h"

/* ganesha 4.3 answers READ_PLUS from a structure that no code fills: success with no data. 6.5
 * passes `info` and requires it filled. NOTSUPP makes the client use READ. */
static bool io_is_read_plus(const struct fsal_io_arg *arg)
{
	const compound_data_t *compound = gml_fsal_compound();
	return arg->info || (compound && compound->opcode == NFS4_OP_READ_PLUS);
}

static int io_read_all(struct gml_op *op, struct gml_file *file, struct fsal_io_arg *arg)
{
	uint64_t off = arg->offset;
	arg->io_amount = 0;
	arg->end_of_file = false;
	for (int i = 0; i < arg->iov_count && !arg->end_of_file; i++) {
		size_t n = 0;
		bool eof = false;
		int rc = gml_file_read(op, file, off,
				       (struct gml_buf){arg->iov[i].iov_base, arg->iov[i].iov_len},
				       &n, &eof);
		if (rc != 0)
			return rc;
		gml_assert(n <= arg->iov[i].iov_len && (eof || n == arg->iov[i].iov_len));
		arg->io_amount += n;
		off += n;
		arg->end_of_file = eof;
	}
	return 0;
}

static void io_read2(struct fsal_obj_handle *handle, bool bypass, fsal_async_cb done,
		     struct fsal_io_arg *arg, void *caller_arg)
{
	struct gml_fsal_file *f;
	struct gml_op op;
	fsal_status_t status;
	if (io_is_read_plus(arg)) {
		done(handle, fsalstat(ERR_FSAL_NOTSUPP, 0), arg, caller_arg);
		return;
	}
	status = gml_fsal_file_get(gml_fsal_obj_of(handle), arg->state, GML_OPEN_READ, bypass, &f);
	if (FSAL_IS_SUCCESS(status)) {
		gml_fsal_op(&op, 0);
		status = gml_fsal_status(io_read_all(&op, f->file, arg));
		(void)gml_fsal_file_put(f);
	}
	done(handle, status, arg, caller_arg);
}

static void io_write2(struct fsal_obj_handle *handle, bool bypass, fsal_async_cb done,
		      struct fsal_io_arg *arg, void *caller_arg)
{
	struct gml_fsal_file *f;
	struct gml_op op;
	size_t total = 0;
	fsal_status_t status;
	int rc;
	gml_fsal_op(&op, EXPORT_OPTION_WRITE_ACCESS);
	status = gml_fsal_file_get(gml_fsal_obj_of(handle), arg->state, GML_OPEN_WRITE, bypass, &f);
	if (FSAL_IS_SUCCESS(status)) {
		for (int i = 0; i < arg->iov_count; i++)
			total += arg->iov[i].iov_len;
		rc = gml_file_write(&op, f->file, arg->offset, arg->iov, arg->iov_count,
				    arg->fsal_stable);
		arg->io_amount = rc == 0 ? total : 0;
		(void)gml_fsal_file_put(f);
		status = gml_fsal_status(rc);
	}
	done(handle, status, arg, caller_arg);
}

/* A file that is not open for writing was synced by its last close. If that close failed to write
 * data, the write verifier has changed. */
static fsal_status_t io_commit2(struct fsal_obj_handle *handle, off_t offset, size_t len)
{
	struct gml_fsal_obj *obj = gml_fsal_obj_of(handle);
	struct gml_fsal_file *f = gml_fsal_file_writer(obj);
	unsigned granted;
	struct gml_op op;
	int rc;
	gml_fsal_op(&op, 0);
	if (f == NULL) {
		rc = gml_inode_access(&op, gml_fsal.store, obj->ino, 0, &granted);
		return gml_fsal_status(rc == 0 ? gml_store_flush(gml_fsal.store) : rc);
	}
	rc = gml_file_commit(&op, f->file);
	/* those did nothing */
	if (rc != 0 && rc != GML_ERR_ACCESS && rc != GML_ERR_STALE && rc != GML_ERR_AGAIN)
		gml_fsal_file_lost();
	(void)gml_fsal_file_put(f);
	return gml_fsal_status(rc);
}

static fsal_status_t io_seek2(struct fsal_obj_handle *handle, struct state_t *state,
			      struct io_info *info)
{
	enum gml_seek kind;
	struct gml_fsal_file *f;
	struct gml_op op;
	uint64_t off;
	bool eof;
	fsal_status_t status;
	int rc;
	if (info->io_content.what == NFS4_CONTENT_DATA)
		kind = GML_SEEK_DATA;
	else if (info->io_content.what == NFS4_CONTENT_HOLE)
		kind = GML_SEEK_HOLE;
	else
		return fsalstat(ERR_FSAL_UNION_NOTSUPP, 0);
	status = gml_fsal_file_get(gml_fsal_obj_of(handle), state, GML_OPEN_READ, true, &f);
	if (FSAL_IS_ERROR(status))
		return status;
	gml_fsal_op(&op, 0);
	rc = gml_file_seek(&op, f->file, kind, info->io_content.hole.di_offset, &off, &eof);
	(void)gml_fsal_file_put(f);
	gml_assert(rc != 0 || eof || off >= info->io_content.hole.di_offset);
	if (rc == 0) {
		info->io_content.hole.di_offset = off;
		info->io_eof = eof;
	}
	return gml_fsal_status(rc);
}

static fsal_status_t io_fallocate(struct fsal_obj_handle *handle, struct state_t *state,
				  uint64_t offset, uint64_t length, bool allocate)
{
	struct gml_fsal_file *f;
	struct gml_op op;
	fsal_status_t status;
	int rc;
	gml_fsal_op(&op, EXPORT_OPTION_WRITE_ACCESS);
	status = gml_fsal_file_get(gml_fsal_obj_of(handle), state, GML_OPEN_WRITE, false, &f);
	if (FSAL_IS_ERROR(status))
		return status;
	rc = allocate ? gml_file_allocate(&op, f->file, offset, length)
		      : gml_file_deallocate(&op, f->file, offset, length);
	(void)gml_fsal_file_put(f);
	return gml_fsal_status(rc);
}

static fsal_status_t io_advise(struct fsal_obj_handle *handle, struct io_hints *hints)
{
	hints->hints = 0; /* no hint is used, and the reply says so */
	return fsalstat(ERR_FSAL_NO_ERROR, 0);
}

void gml_fsal_io_ops(struct fsal_obj_ops *ops)
{
	ops->read2 = io_read2;
	ops->write2 = io_write2;
	ops->commit2 = io_commit2;
	ops->seek2 = io_seek2;
	ops->fallocate = io_fallocate;
	ops->io_advise = io_advise;
}
