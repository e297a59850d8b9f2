// SPDX-License-Identifier: Apache-2.0
/* Random sequences of operations on a store and on a directory of the file system below it: the
 * results, the trees and the bytes must be the same. From time to time what lies in write blobs
 * becomes extents, as CopyObject makes it, orphans are reaped, and the store is closed and opened
 * again. NS_SEED and NS_STEPS choose another run. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include "gateway/ns/core/extent.h"
#include "gateway/ns/object/reflink.h"
#include "gateway/ns/posix/open_inode.h"
#include "ns_support.h"

#define NAMES 5
#define DEPTH 3
#define HANDLES 4
#define SIZE_MAX_TEST ((uint64_t)5 << 19)

struct handle {
	struct gml_file *file;
	int fd;
};

/* A name of the bucket's root, as READDIR should know it. */
struct known {
	uint64_t cookie; /* 0: there is none */
	unsigned since;	 /* the step that made it */
};

/* A READDIR of the bucket's root that takes its time. */
struct reader {
	uint64_t after;
	unsigned since; /* step of its first page */
	unsigned seen[NAMES];
};

struct oracle {
	struct ns *ns;
	char root[80];
	unsigned seed, step;
	unsigned writes, shares, puts, readings; /* that really happened */
	struct known known[NAMES];
	uint64_t newest; /* of all cookies */
	struct reader reader;
	struct handle handles[HANDLES];
	char *buf, *buf2;
};

static unsigned rnd(struct oracle *o, unsigned n)
{
	return (unsigned)rand_r(&o->seed) / 7 % n;
}

/* "a/b" and the like; components from a small set so that operations meet. */
static void random_path(struct oracle *o, char out[64])
{
	unsigned depth = rnd(o, 3) ? 1 : 1 + rnd(o, DEPTH);
	size_t n = 0;
	for (unsigned i = 0; i < depth; i++)
		n += (size_t)snprintf(out + n, 64 - n, "%s%c", i ? "/" : "",
				      (int)('a' + rnd(o, NAMES)));
}

static void real_path(struct oracle *o, const char *path, char out[160])
{
	snprintf(out, 160, "%s/%s", o->root, path);
}

static int to_rc(int err)
{
	switch (err) {
	case 0:
		return 0;
	case ENOENT:
		return GML_ERR_NOENT;
	case EEXIST:
		return GML_ERR_EXIST;
	case ENOTDIR:
		return GML_ERR_NOTDIR;
	case EISDIR:
		return GML_ERR_ISDIR;
	case ENOTEMPTY:
		return GML_ERR_NOTEMPTY;
	case EINVAL:
		return GML_ERR_INVAL;
	case EPERM:
		return GML_ERR_PERM;
	case ENXIO:
		return GML_ERR_NXIO;
	default:
		return -err;
	}
}

static int real_rc(int result)
{
	return result < 0 ? to_rc(errno) : 0;
}

/* The directory of a path's last component. */
static int walk(struct oracle *o, const char *path, gml_ino *dir_out, struct gml_span *name_out)
{
	gml_ino dir = o->ns->bucket;
	struct gml_attr attr;
	const char *slash;
	for (; (slash = strchr(path, '/')) != NULL; path = slash + 1) {
		int rc = gml_dir_lookup(&o->ns->op, o->ns->store, dir,
					(struct gml_span){path, (size_t)(slash - path)}, &attr);
		if (rc == 0 && attr.type != GML_DIR)
			rc = attr.type == GML_LNK ? GML_ERR_NOENT
						  : GML_ERR_NOTDIR; /* links dangle */
		if (rc != 0)
			return rc;
		dir = attr.ino;
	}
	*dir_out = dir;
	*name_out = ns_span(path);
	return 0;
}

static int lookup(struct oracle *o, const char *path, struct gml_attr *attr)
{
	struct gml_span name;
	gml_ino dir;
	int rc = walk(o, path, &dir, &name);
	return rc == 0 ? gml_dir_lookup(&o->ns->op, o->ns->store, dir, name, attr) : rc;
}

static void expect(struct oracle *o, const char *what, const char *path, const char *path2, int got,
		   int want)
{
	if (got != want)
		fail_msg("step %u: %s %s %s: %s, the file system says %s", o->step, what, path,
			 path2 ? path2 : "", gml_err_name(got), gml_err_name(want));
}

/* ---- operations on names --------------------------------------------------------------------- */

static void do_mkdir(struct oracle *o)
{
	char path[64], real[160];
	struct gml_span name;
	gml_ino dir;
	int rc;
	random_path(o, path);
	real_path(o, path, real);
	rc = walk(o, path, &dir, &name);
	if (rc == 0)
		rc = gml_dir_mkdir(&o->ns->op, o->ns->store, dir, name, NULL, NULL);
	expect(o, "mkdir", path, NULL, rc, real_rc(mkdir(real, 0755)));
}

static void do_symlink(struct oracle *o)
{
	char path[64], target[64], real[160];
	struct gml_span name;
	gml_ino dir;
	int rc;
	random_path(o, path);
	random_path(o, target);
	target[0] = '0'; /* dangling: paths are not followed here */
	real_path(o, path, real);
	rc = walk(o, path, &dir, &name);
	if (rc == 0)
		rc = gml_dir_mknod(&o->ns->op, o->ns->store, dir, name,
				   &(struct gml_node){.type = GML_LNK, .target = ns_span(target)},
				   NULL);
	expect(o, "symlink", path, NULL, rc, real_rc(symlink(target, real)));
}

static void do_remove(struct oracle *o, bool dirs)
{
	char path[64], real[160];
	struct gml_span name;
	gml_ino dir;
	int rc;
	random_path(o, path);
	real_path(o, path, real);
	rc = walk(o, path, &dir, &name);
	if (rc == 0)
		rc = gml_dir_remove(&o->ns->op, o->ns->store, dir, name,
				    dirs ? GML_REMOVE_DIR : GML_REMOVE_FILE);
	expect(o, dirs ? "rmdir" : "unlink", path, NULL, rc,
	       real_rc(dirs ? rmdir(real) : unlink(real)));
}

static void do_rename(struct oracle *o)
{
	char path[64], path2[64], real[160], real2[160];
	struct gml_span from, to;
	gml_ino from_dir, to_dir;
	int rc, want;
	random_path(o, path);
	random_path(o, path2);
	real_path(o, path, real);
	real_path(o, path2, real2);
	rc = walk(o, path, &from_dir, &from);
	if (rc == 0)
		rc = walk(o, path2, &to_dir, &to);
	if (rc == 0)
		rc = gml_dir_rename(&o->ns->op, o->ns->store, from_dir, from, to_dir, to);
	want = real_rc(rename(real, real2));
	/* Linux tells of a target above the source before it looks at types. */
	if (want == GML_ERR_NOTEMPTY && rc == GML_ERR_ISDIR)
		want = rc;
	/* Which of two missing paths is told is nobody's promise. */
	if (want != 0 && (rc == GML_ERR_NOENT || rc == GML_ERR_NOTDIR))
		rc = want;
	expect(o, "rename", path, path2, rc, want);
}

static void do_link(struct oracle *o)
{
	char path[64], path2[64], real[160], real2[160];
	struct gml_attr attr;
	struct gml_span to;
	gml_ino to_dir;
	int rc, want;
	random_path(o, path);
	random_path(o, path2);
	real_path(o, path, real);
	real_path(o, path2, real2);
	rc = lookup(o, path, &attr);
	if (rc == 0)
		rc = walk(o, path2, &to_dir, &to);
	if (rc == 0)
		rc = gml_dir_link(&o->ns->op, o->ns->store, attr.ino, to_dir, to, NULL);
	want = real_rc(linkat(AT_FDCWD, real, AT_FDCWD, real2, 0));
	if (want != 0 && rc == GML_ERR_PERM)
		want = rc; /* a directory: told before a name that exists */
	expect(o, "link", path, path2, rc, want);
}

/* S3's PUT is open(O_EXCL) of another file and rename(2) over the name. Where a directory has the
 * name, or there is none to hold it, S3 has rules of its own. */
static void do_put(struct oracle *o)
{
	char path[64], real[160], real2[160], key[64];
	size_t len = rnd(o, 3) ? rnd(o, 5000) : rnd(o, 1 << 17);
	uint8_t md5[16] = {0};
	struct gml_put *put;
	struct stat st;
	int fd, rc;
	random_path(o, path);
	real_path(o, path, real);
	snprintf(key, sizeof(key), "%s", path);
	snprintf(real2, sizeof(real2), "%s-put", o->root);
	*(strrchr(real, '/') + 1) = '\0';
	rc = stat(real, &st);
	real_path(o, path, real);
	if (rc != 0 || (lstat(real, &st) == 0 && S_ISDIR(st.st_mode)))
		return;
	memset(o->buf, (int)(1 + rnd(o, 255)), len);
	md5[0] = (uint8_t)o->step;
	assert_ok(gml_put_begin(&o->ns->op, o->ns->store,
				OBJECT_REF(ns_span("bucket"), ns_span(key)), len, &put));
	assert_ok(gml_put_write(put, o->buf, len));
	assert_ok(gml_put_finish(&o->ns->op, put, &(struct gml_put_options){.md5 = md5}, NULL));
	fd = open(real2, O_WRONLY | O_CREAT | O_EXCL, 0644);
	assert_int_equal(write(fd, o->buf, len), len);
	close(fd);
	assert_int_equal(rename(real2, real), 0);
	o->puts++;
}

/* ---- operations on files --------------------------------------------------------------------- */

static void close_handle(struct oracle *o, struct handle *h)
{
	if (h->file == NULL)
		return;
	assert_ok(gml_file_close(&o->ns->op, h->file));
	close(h->fd);
	h->file = NULL;
}

static void do_open(struct oracle *o)
{
	struct handle *h = &o->handles[rnd(o, HANDLES)];
	unsigned kind = rnd(o, 3);
	struct gml_setattr set = {.mask = GML_SET_SIZE};
	char path[64], real[160];
	struct gml_span name;
	gml_ino dir;
	int rc;
	close_handle(o, h);
	random_path(o, path);
	real_path(o, path, real);
	rc = walk(o, path, &dir, &name);
	if (rc == 0)
		rc = gml_file_create(
			&o->ns->op, o->ns->store, dir, name,
			&(struct gml_create){.access = GML_OPEN_READ | GML_OPEN_WRITE,
					     .disposition = kind == 0 ? GML_CREATE_GUARDED
								      : GML_CREATE_UNCHECKED,
					     .set = kind == 2 ? &set : NULL},
			&h->file);
	h->fd = open(real,
		     O_RDWR | O_CREAT | O_NOFOLLOW | (kind == 0 ? O_EXCL : 0) |
			     (kind == 2 ? O_TRUNC : 0),
		     0644);
	if (h->fd < 0 && errno == ELOOP)
		errno = EINVAL;
	expect(o, "open", path, NULL, rc, real_rc(h->fd));
}

static struct handle *any_handle(struct oracle *o)
{
	for (unsigned i = rnd(o, HANDLES), n = 0; n < HANDLES; n++)
		if (o->handles[(i + n) % HANDLES].file != NULL)
			return &o->handles[(i + n) % HANDLES];
	return NULL;
}

static void do_write(struct oracle *o)
{
	struct handle *h = any_handle(o);
	uint64_t off = rnd(o, SIZE_MAX_TEST);
	size_t len = rnd(o, 4) ? rnd(o, 5000) : rnd(o, 1 << 20);
	struct iovec iov = {o->buf, len};
	if (h == NULL)
		return;
	memset(o->buf, (int)(1 + rnd(o, 255)), len);
	assert_ok(gml_file_write(&o->ns->op, h->file, off, &iov, 1, rnd(o, 8) == 0));
	assert_int_equal(pwrite(h->fd, o->buf, len, (off_t)off), len);
	o->writes++;
}

static void compare_file(struct oracle *o, struct gml_file *file, int fd, const char *what)
{
	struct stat st;
	uint64_t off = 0;
	bool eof = false;
	assert_int_equal(fstat(fd, &st), 0);
	while (!eof) {
		size_t want = 1 + rnd(o, 1 << 20), got, real;
		assert_ok(gml_file_read(&o->ns->op, file, off, (struct gml_buf){o->buf, want}, &got,
					&eof));
		real = (size_t)pread(fd, o->buf2, want, (off_t)off);
		if (got != real || memcmp(o->buf, o->buf2, got) != 0 ||
		    eof != (off + got >= (uint64_t)st.st_size))
			fail_msg("step %u: %s: read at %llu: %zu bytes, the file system has %zu",
				 o->step, what, (unsigned long long)off, got, real);
		off += got;
	}
	assert_int_equal(off, st.st_size);
}

static void do_read(struct oracle *o)
{
	struct handle *h = any_handle(o);
	if (h != NULL)
		compare_file(o, h->file, h->fd, "open file");
}

static void do_truncate(struct oracle *o)
{
	struct handle *h = any_handle(o);
	struct gml_setattr set = {.mask = GML_SET_SIZE,
				  .size = rnd(o, 3) ? rnd(o, SIZE_MAX_TEST) : 0};
	struct gml_attr attr;
	if (h == NULL)
		return;
	assert_ok(gml_inode_setattr(&o->ns->op, o->ns->store, gml_file_ino(h->file), &set, &attr));
	assert_int_equal(attr.size, set.size);
	assert_int_equal(ftruncate(h->fd, (off_t)set.size), 0);
}

static void do_punch(struct oracle *o)
{
	struct handle *h = any_handle(o);
	uint64_t off = rnd(o, SIZE_MAX_TEST), len = 1 + rnd(o, 1 << 20);
	if (h == NULL)
		return;
	if (rnd(o, 2)) {
		assert_ok(gml_file_deallocate(&o->ns->op, h->file, off, len));
		assert_int_equal(fallocate(h->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					   (off_t)off, (off_t)len),
				 0);
	} else {
		assert_ok(gml_file_allocate(&o->ns->op, h->file, off, len));
		assert_int_equal(fallocate(h->fd, 0, (off_t)off, (off_t)len), 0);
	}
}

/* Every byte that is not zero is within data; data and holes alternate; both end. */
static void do_seek(struct oracle *o)
{
	struct handle *h = any_handle(o);
	uint64_t off = 0, at, size;
	struct gml_attr attr;
	bool eof;
	if (h == NULL)
		return;
	assert_ok(gml_inode_getattr(&o->ns->op, o->ns->store, gml_file_ino(h->file), &attr));
	size = attr.size;
	while (off < size) {
		assert_ok(gml_file_seek(&o->ns->op, h->file, GML_SEEK_DATA, off, &at, &eof));
		assert_true(at >= off && at <= size);
		for (uint64_t pos = off; pos < at;) { /* a hole: zeros below */
			size_t n = at - pos < (1 << 20) ? (size_t)(at - pos) : 1 << 20;
			ssize_t got = pread(h->fd, o->buf2, n, (off_t)pos);

			assert_int_equal(got, n);
			for (size_t i = 0; i < n; i++)
				if (o->buf2[i] != 0)
					fail_msg("step %u: data at %llu in a hole", o->step,
						 (unsigned long long)(pos + i));
			pos += n;
		}
		if (eof)
			break;
		assert_ok(gml_file_seek(&o->ns->op, h->file, GML_SEEK_HOLE, at, &off, &eof));
		assert_true(off > at && off <= size);
	}
}

/* ---- what others do meanwhile ---------------------------------------------------------------- */

struct reflink_arg {
	gml_ino ino;
	struct gml_deferred_frees *freed;
	bool shared;
};

static int reflink_txn(struct gml_txn *txn, void *argp)
{
	struct reflink_arg *arg = argp;
	struct gml_inode inode;
	int rc = gml_rec_inode_get(txn, arg->ino, &inode);
	gml_deferred_frees_reset(arg->freed);
	arg->shared = rc == 0 && inode.wblob != 0;
	return rc == 0 ? gml_reflink_extents(txn, &inode, arg->freed) : rc;
}

static void do_share(struct oracle *o)
{
	char path[64];
	struct gml_attr attr;
	struct reflink_arg arg;
	int rc;
	for (int i = 0; i < 10; i++) {
		random_path(o, path);
		rc = lookup(o, path, &attr);
		if (rc == 0 && attr.type == GML_REG)
			break;
	}
	if (rc != 0 || attr.type != GML_REG)
		return;
	arg = (struct reflink_arg){.ino = attr.ino, .freed = gml_deferred_frees_new()};
	rc = gml_meta_update(o->ns->store->meta, reflink_txn, &arg);
	if (rc != 0)
		assert_rc(rc, GML_ERR_AGAIN); /* DIRTY */
	o->shares += rc == 0 && arg.shared;
	gml_deferred_frees_apply(o->ns->store, arg.freed);
}

static void do_reap(struct oracle *o)
{
	unsigned freed;
	assert_ok(gml_store_reap(&o->ns->op, o->ns->store,
				 &(struct gml_reap){.max = 1000,
						    .is_open = gml_store_file_is_open,
						    .arg = o->ns->store},
				 &freed));
}

static void do_reopen(struct oracle *o)
{
	for (int i = 0; i < HANDLES; i++)
		close_handle(o, &o->handles[i]);
	ns_check(o->ns);
	ns_close(o->ns);
	ns_open(o->ns);
	assert_ok(gml_store_recover(&o->ns->op, o->ns->store));
}

/* ---- READDIR's cookies ----------------------------------------------------------------------- */

struct root_list {
	struct oracle *o;
	uint64_t cookies[NAMES];
};

static bool root_each(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	struct root_list *list = arg;
	unsigned i = (unsigned)(*(const char *)name.ptr - 'a');
	assert_true(name.len == 1 && i < NAMES);
	list->cookies[i] = attr->cookie;
	return true;
}

/* After each step: a name that was there before has the cookie that it had, whatever it denotes by
 * now; a new one has a cookie that never was. */
static void check_cookies(struct oracle *o)
{
	struct root_list list = {.o = o};
	uint64_t newest = o->newest;
	bool eof;
	assert_ok(gml_dir_read(&o->ns->op, o->ns->store, o->ns->bucket,
			       &(struct gml_dir_query){.each = root_each, .arg = &list}, &eof));
	for (unsigned i = 0; i < NAMES; i++) {
		struct known *known = &o->known[i];
		uint64_t cookie = list.cookies[i];
		if (cookie != 0 && known->cookie == 0)
			known->since = o->step;
		if (cookie != 0 && known->cookie == 0 ? cookie <= o->newest
						      : cookie != 0 && cookie != known->cookie)
			fail_msg("step %u: %c has cookie %llu, had %llu, newest %llu", o->step,
				 (int)('a' + i), (unsigned long long)cookie,
				 (unsigned long long)known->cookie, (unsigned long long)o->newest);
		known->cookie = cookie;
		newest = cookie > newest ? cookie : newest;
	}
	o->newest = newest;
}

static bool reader_each(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	struct oracle *o = arg;
	o->reader.seen[*(const char *)name.ptr - 'a']++;
	o->reader.after = attr->cookie;
	return false; /* one a page */
}

/* At its end: what was there all the time was shown once. What came and went may be shown or not,
 * each life once. */
static void do_reading(struct oracle *o)
{
	struct reader *reader = &o->reader;
	bool eof;
	if (reader->after == 0)
		reader->since = o->step;
	assert_ok(gml_dir_read(
		&o->ns->op, o->ns->store, o->ns->bucket,
		&(struct gml_dir_query){.cookie = reader->after, .each = reader_each, .arg = o},
		&eof));
	if (!eof)
		return;
	for (unsigned i = 0; i < NAMES; i++) {
		const struct known *known = &o->known[i];
		bool always = known->cookie != 0 && known->since < reader->since;
		if (always && reader->seen[i] != 1)
			fail_msg("step %u: %c was shown %u times", o->step, (int)('a' + i),
				 reader->seen[i]);
	}
	o->readings++;
	*reader = (struct reader){.after = 0};
}

/* ---- the whole tree -------------------------------------------------------------------------- */

struct tree {
	struct oracle *o;
	unsigned count;
	char names[NAMES + 1][8];
	gml_ino inos[NAMES + 1];
};

static bool tree_each(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	struct tree *tree = arg;
	assert_true(tree->count < NAMES && name.len < 8);
	memcpy(tree->names[tree->count], name.ptr, name.len);
	tree->names[tree->count][name.len] = '\0';
	tree->inos[tree->count++] = attr->ino;
	return true;
}

static void compare_entry(struct oracle *o, gml_ino ino, const char *real);

static void compare_dir(struct oracle *o, gml_ino ino, const char *real)
{
	struct tree tree = {.o = o};
	unsigned entries = 0;
	char path[400];
	bool eof;
	DIR *dir = opendir(real);
	assert_ok(gml_dir_read(&o->ns->op, o->ns->store, ino,
			       &(struct gml_dir_query){.each = tree_each, .arg = &tree}, &eof));
	assert_true(eof);
	while (readdir(dir) != NULL)
		entries++;
	closedir(dir);
	assert_int_equal(tree.count, entries - 2);
	for (unsigned i = 0; i < tree.count; i++) {
		snprintf(path, sizeof(path), "%s/%s", real, tree.names[i]);
		compare_entry(o, tree.inos[i], path);
	}
}

/* Of all paths that the inode says it has. */
struct paths_of {
	const char *want;
	gml_ino bucket;
	unsigned count, found;
};

static bool paths_each(void *arg, gml_ino bucket, struct gml_span path)
{
	struct paths_of *of = arg;
	assert_true(gml_ino_equal(bucket, of->bucket));
	of->count++;
	of->found += path.len == strlen(of->want) && memcmp(path.ptr, of->want, path.len) == 0;
	return true;
}

static bool paths_stop(void *arg, gml_ino bucket, struct gml_span path)
{
	(void)bucket;
	(void)path;
	++*(unsigned *)arg;
	return false;
}

static void compare_paths(struct oracle *o, gml_ino ino, const char *real, unsigned names)
{
	char want[400];
	struct paths_of of = {.want = want, .bucket = o->ns->bucket};
	struct gml_attr attr = ns_attr(o->ns, ino);
	struct gml_txn *txn;
	unsigned first = 0;
	snprintf(want, sizeof(want), "%s%s", real + strlen(o->root) + 1,
		 attr.type == GML_DIR ? "/" : "");
	assert_ok(gml_meta_read_begin(o->ns->store->meta, &txn));
	assert_ok(gml_inode_paths(txn, ino, paths_each, &of));
	assert_int_equal(of.found, 1);
	assert_int_equal(of.count, names);
	assert_ok(gml_inode_paths(txn, ino, paths_stop, &first));
	assert_int_equal(first, 1);
	gml_meta_read_end(txn);
}

static void compare_entry(struct oracle *o, gml_ino ino, const char *real)
{
	struct gml_attr attr = ns_attr(o->ns, ino);
	struct gml_file *file;
	struct stat st;
	int fd;
	assert_int_equal(lstat(real, &st), 0);
	assert_int_equal(attr.nlink, st.st_nlink);
	compare_paths(o, ino, real, S_ISDIR(st.st_mode) ? 1 : (unsigned)st.st_nlink);
	if (S_ISDIR(st.st_mode)) {
		assert_int_equal(attr.type, GML_DIR);
		compare_dir(o, ino, real);
		return;
	}
	assert_int_equal(attr.size, st.st_size);
	assert_int_equal(attr.type, S_ISLNK(st.st_mode) ? GML_LNK : GML_REG);
	if (attr.type == GML_LNK)
		return;
	fd = open(real, O_RDONLY);
	assert_ok(gml_file_open(&o->ns->op, o->ns->store, ino, GML_OPEN_READ, &file));
	compare_file(o, file, fd, real);
	assert_ok(gml_file_close(&o->ns->op, file));
	close(fd);
}

static void one_step(struct oracle *o)
{
	unsigned dice = rnd(o, 110);
	if (dice >= 104)
		do_put(o);
	else if (dice >= 100)
		do_reading(o);
	else if (dice < 6)
		do_mkdir(o);
	else if (dice < 8)
		do_symlink(o);
	else if (dice < 13)
		do_remove(o, false);
	else if (dice < 17)
		do_remove(o, true);
	else if (dice < 24)
		do_rename(o);
	else if (dice < 28)
		do_link(o);
	else if (dice < 45)
		do_open(o);
	else if (dice < 66)
		do_write(o);
	else if (dice < 72)
		do_truncate(o);
	else if (dice < 76)
		do_punch(o);
	else if (dice < 80)
		do_seek(o);
	else if (dice < 86)
		do_read(o);
	else if (dice < 95)
		do_share(o);
	else if (dice < 97)
		close_handle(o, &o->handles[rnd(o, HANDLES)]);
	else if (dice < 99)
		do_reap(o);
	else if (rnd(o, 3) == 0)
		do_reopen(o);
}

static unsigned env_number(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);
	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void test_random(void **state)
{
	struct oracle o = {.ns = *state, .seed = env_number("NS_SEED", 1)};
	unsigned steps = env_number("NS_STEPS", 3000);
	print_message("seed %u, %u steps\n", o.seed, steps);
	snprintf(o.root, sizeof(o.root), "%s-real", o.ns->path);
	assert_int_equal(mkdir(o.root, 0755), 0);
	o.buf = malloc((size_t)2 << 20);
	o.buf2 = malloc((size_t)2 << 20);
	for (o.step = 0; o.step < steps; o.step++) {
		one_step(&o);
		check_cookies(&o);
		if (o.step % 200 == 199)
			compare_dir(&o, o.ns->bucket, o.root);
	}
	do_reopen(&o);
	compare_dir(&o, o.ns->bucket, o.root);
	do_reap(&o);
	compare_dir(&o, o.ns->bucket, o.root);
	ns_rm(o.root);
	print_message("%u writes, %u files shared, %u PUTs, %u readings\n", o.writes, o.shares,
		      o.puts, o.readings);
	assert_true(o.writes > steps / 20 && o.shares > steps / 200);
	assert_true(o.puts > steps / 100 && o.readings > steps / 300);
	free(o.buf);
	free(o.buf2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random, ns_setup, ns_teardown)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
