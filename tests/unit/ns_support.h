// SPDX-License-Identifier: Apache-2.0
/* What the tests of gateway/ns share: a fresh store in a temporary directory, short names for
 * common calls. */
#ifndef GML_TEST_NS_SUPPORT_H
#define GML_TEST_NS_SUPPORT_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <gemel/bucket.h>
#include <gemel/dir.h>
#include <gemel/file.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/principal.h>
#include <gemel/store.h>
#include <gemel/upload.h>
#include "gateway/ns/core/extent.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/posix/open_inode.h"
#include "gateway/base/presence.h"
#include "gateway/ns/store/store.h"
#include "ino_support.h"
#include "tests/object_ref.h"
#include "tests/spans.h"

#define ns_span STR

#define assert_rc(call, want)                                                                      \
	do {                                                                                       \
		int got_rc = (call);                                                               \
		if (got_rc != (want))                                                              \
			fail_msg("%s: %s, not %s", #call, gml_err_name(got_rc),                    \
				 gml_err_name(want));                                              \
	} while (0)
#define assert_ok(call) assert_rc(call, 0)

struct ns {
	char path[64];
	struct gml_store *store;
	struct gml_op op; /* the administrator, and root */
	gml_ino bucket;
};

/* The inode of that number in the bucket's view. */
__attribute__((unused)) static gml_ino ns_ino(const struct ns *ns, uint64_t num)
{
	return gml_ino_of(ns->bucket.view, num);
}

/* A reader's place that another process took. */
__attribute__((unused)) static int ns_reader_of(struct ns *ns, const struct gml_owner *owner,
						gml_ino ino)
{
	struct gml_presence *presence = ns->store->presence;
	struct gml_owner self = presence->self;
	int place;
	presence->self = *owner;
	place = gml_presence_reader_add(presence, ino);
	presence->self = self;
	return place;
}

static int ns_rm_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

__attribute__((unused)) static void ns_rm(const char *path)
{
	nftw(path, ns_rm_one, 16, FTW_DEPTH | FTW_PHYS);
}

__attribute__((unused)) static void ns_log(void *arg, enum gml_log_level level, const char *line)
{
	(void)arg;
	if (level <= GML_LOG_WARN)
		fprintf(stderr, "%s\n", line);
}

__attribute__((unused)) static void ns_open(struct ns *ns)
{
	struct gml_store_options opt = {.engine = getenv("GML_TEST_ENGINE"),
					.meta_capacity = (uint64_t)1 << 30,
					.log = ns_log};

	assert_ok(gml_store_open(ns->path, &opt, &ns->store));
}

__attribute__((unused)) static void ns_close(struct ns *ns)
{
	gml_store_close(ns->store);
	ns->store = NULL;
}

__attribute__((unused)) static void ns_create(struct ns *ns)
{
	struct gml_store_options opt = {.engine = getenv("GML_TEST_ENGINE"),
					.meta_capacity = (uint64_t)1 << 30,
					.log = ns_log};

	memset(ns, 0, sizeof(*ns));
	ns->op = (struct gml_op)GML_OP_LOCAL;
	snprintf(ns->path, sizeof(ns->path), "/tmp/ns-test-XXXXXX");
	assert_non_null(mkdtemp(ns->path));
	assert_ok(gml_store_create(ns->path, &opt));
}

/* A bucket in another view, as a clone will be: it differs from one of the present by the view that
 * its record says. */
struct ns_far {
	struct gml_op *op;
	const char *name;
	uint64_t view;
	gml_ino root;
};

__attribute__((unused)) static int ns_far_txn(struct gml_txn *txn, void *argp)
{
	struct ns_far *far = argp;
	const struct gml_span name = ns_span(far->name);
	char stored[GML_BUCKET_NAME_MAX + 2];
	struct gml_bucket_rec rec = {0};
	struct gml_line line = gml_line_none;
	struct gml_inode top, root;
	int rc = gml_rec_inode_get(txn, GML_INO_ROOT, &top);

	if (rc == 0)
		rc = gml_inode_init(txn, far->op, &top, GML_DIR, &GML_NEW_DIRECTORY_MODE, &root);
	if (rc != 0)
		return rc;
	root.ino.view = far->view;
	root.flags |= GML_INODE_EXPLICIT;
	far->root = rec.root = root.bucket = root.ino;
	rec.uploads = gml_ino_of(far->view, gml_txn_next_id(txn));
	rec.created = root.btime;
	line.id = gml_line_id(root.ino);
	snprintf(stored, sizeof(stored), "%s/", far->name);
	rc = gml_rec_line_put(txn, &line, name);
	if (rc == 0)
		rc = gml_rec_usage_put(txn, line.id, &(struct gml_usage_rec){0});
	if (rc == 0)
		rc = gml_link_add(txn, &top, ns_span(stored), &root);
	return rc == 0 ? gml_rec_bucket_put(txn, name, &rec) : rc;
}

/* GML_TEST_VIEW: the bucket is in that view. */
__attribute__((unused)) static void ns_mkbucket(struct ns *ns)
{
	struct gml_setattr set = {.mask = GML_SET_MODE, .mode = 0755};
	const char *view = getenv("GML_TEST_VIEW");
	struct gml_attr attr;

	if (view != NULL) {
		struct ns_far far = {
			.op = &ns->op, .name = "bucket", .view = strtoull(view, NULL, 10)};

		assert_ok(gml_meta_update(ns->store->meta, ns_far_txn, &far));
		ns->bucket = far.root;
		return;
	}
	assert_ok(gml_dir_mkdir(&ns->op, ns->store, GML_INO_ROOT, ns_span("bucket"), &set, &attr));
	ns->bucket = attr.ino;
}

__attribute__((unused)) static int ns_setup(void **state)
{
	struct ns *ns = calloc(1, sizeof(*ns));

	ns_create(ns);
	ns_open(ns);
	ns_mkbucket(ns);
	*state = ns;
	return 0;
}

static bool ns_problem_seen;

static void ns_problem(void *arg, const char *text)
{
	(void)arg;
	ns_problem_seen = true;
	fprintf(stderr, "store check: %s\n", text);
}

/* Every invariant of the store holds. */
__attribute__((unused)) static void ns_check(struct ns *ns)
{
	struct gml_check_report report = {0};
	struct gml_content_report content;

	ns_problem_seen = false;
	assert_ok(gml_store_check(&ns->op, ns->store, ns_problem, NULL, NULL, &report));
	assert_ok(gml_store_check_content(&ns->op, ns->store, ns_problem, NULL, NULL, &content));
	assert_false(ns_problem_seen);
	assert_int_equal(report.problems, 0);
	assert_int_equal(content.problems, 0);
}

__attribute__((unused)) static int ns_teardown(void **state)
{
	struct ns *ns = *state;

	if (ns->store != NULL) {
		ns_check(ns);
		ns_close(ns);
	}
	ns_rm(ns->path);
	free(ns);
	return 0;
}

__attribute__((unused)) static struct gml_op ns_user(uint32_t uid, uint32_t gid)
{
	struct gml_op op = {.context = {.protocol = GML_PROTOCOL_NFS}};
	gml_principal_server(&op.principal);
	gml_principal_for(&op.principal, uid, gid);
	return op;
}

__attribute__((unused)) static gml_ino ns_mkdir(struct ns *ns, gml_ino parent, const char *name)
{
	struct gml_attr attr;

	assert_ok(gml_dir_mkdir(&ns->op, ns->store, parent, ns_span(name), NULL, &attr));
	return attr.ino;
}

__attribute__((unused)) static struct gml_file *ns_new(struct ns *ns, gml_ino parent,
						       const char *name)
{
	struct gml_file *file;

	assert_ok(gml_file_create(&ns->op, ns->store, parent, ns_span(name),
				  &(struct gml_create){.access = GML_OPEN_READ | GML_OPEN_WRITE,
						       .disposition = GML_CREATE_GUARDED},
				  &file));
	return file;
}

__attribute__((unused)) static int ns_write(struct ns *ns, struct gml_file *file, uint64_t off,
					    const char *text)
{
	struct iovec iov = {(void *)text, strlen(text)};

	return gml_file_write(&ns->op, file, off, &iov, 1, false);
}

/* A file with this content, closed and clean. */
__attribute__((unused)) static gml_ino ns_put(struct ns *ns, gml_ino parent, const char *name,
					      const char *text)
{
	struct gml_file *file = ns_new(ns, parent, name);
	gml_ino ino = gml_file_ino(file);

	assert_ok(ns_write(ns, file, 0, text));
	assert_ok(gml_file_close(&ns->op, file));
	gml_store_finalize(&ns->op, ns->store);
	return ino;
}

__attribute__((unused)) static gml_ino ns_lookup(struct ns *ns, gml_ino parent, const char *name)
{
	struct gml_attr attr;
	int rc = gml_dir_lookup(&ns->op, ns->store, parent, ns_span(name), &attr);

	if (rc == GML_ERR_NOENT)
		return GML_INO_NONE;
	assert_ok(rc);
	return attr.ino;
}

/* The record as it stands; what it borrows is gone. */
__attribute__((unused)) static struct gml_inode ns_record(struct ns *ns, gml_ino ino)
{
	struct gml_inode inode;
	struct gml_txn *txn;

	assert_ok(gml_meta_read_begin(ns->store->meta, &txn));
	assert_ok(gml_rec_inode_get(txn, ino, &inode));
	gml_meta_read_end(txn);
	return inode;
}

__attribute__((unused)) static struct gml_attr ns_attr(struct ns *ns, gml_ino ino)
{
	struct gml_attr attr;

	assert_ok(gml_inode_getattr(&ns->op, ns->store, ino, &attr));
	return attr;
}

__attribute__((unused)) static void ns_assert_content(struct ns *ns, gml_ino ino, const char *text,
						      size_t len)
{
	struct gml_file *file;
	char *buf = malloc(len + 1);
	size_t got;
	bool eof;

	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_READ, &file));
	assert_ok(gml_file_read(&ns->op, file, 0, (struct gml_buf){buf, len + 1}, &got, &eof));
	assert_int_equal(got, len);
	assert_true(eof);
	assert_memory_equal(buf, text, len);
	assert_ok(gml_file_close(&ns->op, file));
	free(buf);
}

/* A stored name put as S3 would: implicit or marker entries that NFS cannot make. */
struct ns_raw {
	gml_ino parent, ino;
	struct gml_span name;
	enum gml_type type;
	const void *bytes; /* a pack segment's, at most 64 KiB */
	size_t len;
	uint64_t blob;
	struct gml_fresh_blob fresh;
};

static int ns_raw_txn(struct gml_txn *txn, void *argp)
{
	struct ns_raw *raw = argp;
	struct gml_op op = {.context = {.protocol = GML_PROTOCOL_S3}};
	struct gml_inode dir, inode;
	struct gml_extent extent = {0, raw->blob, 0, raw->len};
	int rc = gml_rec_inode_get(txn, raw->parent, &dir);

	if (rc == 0)
		rc = gml_inode_init(txn, &op, &dir, raw->type,
				    raw->type == GML_DIR ? &GML_NEW_DIRECTORY_MODE
							 : &GML_NEW_FILE_MODE,
				    &inode);
	if (rc != 0)
		return rc;
	inode.size = raw->len;
	inode.flags |= raw->type == GML_REG ? GML_INODE_MD5 : 0;
	inode.md5[0] = 1;
	if (raw->len > 0)
		rc = gml_extent_add(txn, &inode, &extent, &raw->fresh);
	raw->ino = inode.ino;
	return rc == 0 ? gml_link_add(txn, &dir, raw->name, &inode) : rc;
}

__attribute__((unused)) static gml_ino ns_raw(struct ns *ns, gml_ino parent, const void *name,
					      size_t name_len, enum gml_type type,
					      const void *bytes, size_t len)
{
	struct ns_raw raw = {.parent = parent,
			     .name = {name, name_len},
			     .type = type,
			     .bytes = bytes,
			     .len = len};

	raw.fresh.len = len;
	if (len > 0)
		assert_ok(gml_pack_append(ns->store->data, bytes, len, &raw.blob, &raw.fresh.crc));
	assert_ok(gml_meta_update(ns->store->meta, ns_raw_txn, &raw));
	return raw.ino;
}

#endif
