// SPDX-License-Identifier: Apache-2.0
/* Who may do what: every operation of the core, by callers of all kinds, on buckets, directories
 * and files of seven modes. The answers are in rights_table.h, as one letter for each caller; they
 * are what clients rely on. */
#include <gemel/account.h>
#include <gemel/policy.h>
#include "gateway/base/span.h"
#include "object_support.h"

/* ---- callers ---- */

static const uint32_t rights_groups[] = {5, 2001};

static const struct rights_caller {
	char letter;
	uint32_t uid, gid, ngroups;
	bool refused, admin, read_only;
} rights_callers[] = {
	{'o', 1001, 2001, 0, false, false, false}, /* owns the bucket and all in it but d/g */
	{'g', 1002, 2001, 0, false, false,
	 false}, /* the files' group is his first; may make no buckets */
	{'s', 1004, 3000, 2, false, false, false}, /* ... or one of the others */
	{'t', 1003, 2003, 0, false, false, false}, /* anybody else; no user has the uid; owns d/g */
	{'r', 0, 0, 0, false, false, false},	   /* root */
	{'x', 1001, 2001, 0, true, false, false},  /* the owner, refused */
	{'z', 0, 0, 0, true, false, false},	   /* root, refused */
	{'a', 0, 0, 0, false, true, false},	   /* an administrator */
	{'b', 1005, 1005, 0, false, true, false},  /* an administrator who bears another's uid */
	{'p', 1001, 2001, 0, false, false, true},  /* the owner, where nothing may be changed */
	{'q', 0, 0, 0, false, false, true},	   /* root there */
};
#define RIGHTS_CALLERS (sizeof(rights_callers) / sizeof(rights_callers[0]))

static struct gml_op rights_op(const struct rights_caller *caller)
{
	struct gml_op op = {
		.context = {.protocol = GML_PROTOCOL_NFS, .read_only = caller->read_only}};
	if (caller->admin)
		op = (struct gml_op)GML_OP_LOCAL;
	gml_principal_for(&op.principal, caller->uid, caller->gid);
	op.principal.cred.ngroups = caller->ngroups;
	op.principal.cred.groups = rights_groups;
	op.principal.refused = caller->refused;
	return op;
}

/* ---- what they meet ---- */

static const struct rights_modes {
	uint32_t bucket, dir, file;
} rights_modes[] = {
	{0755, 0755, 0644},  {0750, 0750, 0640}, {0755, 0707, 0606}, /* for all but the group */
	{0777, 01777, 0666},					     /* sticky */
	{0711, 0711, 0711},					     /* to be found, and executed */
	{0755, 0077, 0066},					     /* for all but the owner */
	{0700, 0777, 0666}, /* open, in a bucket that is not */
};
#define RIGHTS_MODES (sizeof(rights_modes) / sizeof(rights_modes[0]))

struct rights {
	struct ns *ns;
	unsigned made;
	char name[32];
	struct gml_span bucket;
	gml_ino root, d, e, f, l;
	char upload[GML_UPLOAD_ID_LEN + 1];
	unsigned shown; /* what the last operation counted; 0: nothing */
};

static void rights_set(struct rights *w, gml_ino ino, uint32_t mode, uint32_t uid, uint32_t gid)
{
	struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_UID | GML_SET_GID,
				  .mode = mode,
				  .uid = uid,
				  .gid = gid};
	assert_ok(gml_inode_setattr(&w->ns->op, w->ns->store, ino, &set, NULL));
}

/* A new bucket; the old one stays. */
static void rights_make(struct rights *w, const struct rights_modes *modes)
{
	struct gml_op admin = rights_op(&rights_callers[7]), owner = rights_op(&rights_callers[0]);
	struct gml_bucket_new what = {.has_mode = true, .mode = 0755, .relaxed = true};
	struct gml_span tag = ns_span("user.tag"), value = ns_span("v");
	struct gml_bucket bucket;
	struct gml_attr attr;
	struct ns *ns = w->ns;
	snprintf(w->name, sizeof(w->name), "bucket-%u", w->made++);
	w->bucket = ns_span(w->name);
	assert_ok(gml_bucket_create(&admin, ns->store, w->bucket, &what, &bucket));
	w->root = bucket.root;
	rights_set(w, w->root, 0755, 1001, 2001);
	w->d = ns_mkdir(ns, w->root, "d");
	w->e = ns_mkdir(ns, w->d, "e");
	w->f = ns_put(ns, w->d, "f", "content");
	assert_ok(gml_xattr_set(&ns->op, ns->store, w->f, tag, value, GML_XATTR_EITHER));
	assert_ok(gml_dir_mknod(&ns->op, ns->store, w->d, ns_span("l"),
				&(struct gml_node){.type = GML_LNK, .target = ns_span("f")},
				&attr));
	w->l = attr.ino;
	rights_set(w, w->l, 0777, 1001, 2001);
	rights_set(w, w->f, modes->file, 1001, 2001);
	rights_set(w, ns_put(ns, w->d, "g", "another's"), modes->file, 1003, 2003);
	rights_set(w, w->e, 0755, 1001, 2001);
	rights_set(w, w->d, modes->dir | 0700, 1001, 2001);
	assert_ok(gml_upload_create(&owner, ns->store, OBJECT_REF(w->bucket, ns_span("d/up")),
				    &(struct gml_upload_options){.attrs = NULL}, w->upload));
	rights_set(w, w->d, modes->dir, 1001, 2001);
	rights_set(w, w->root, modes->bucket, 1001, 2001);
}

static void rights_user(struct ns *ns, const char *name, uint32_t uid, uint32_t flags)
{
	struct gml_op admin = rights_op(&rights_callers[7]);
	struct gml_user user = {.uid = uid, .gid = uid, .flags = flags};
	snprintf(user.name, sizeof(user.name), "%s", name);
	assert_ok(gml_user_create(&admin, ns->store, &user));
}

/* ---- objects ---- */

static int rights_open(struct rights *w, struct gml_op *op, const char *key,
		       enum gml_object_want want)
{
	struct gml_object *object = NULL;
	int rc = gml_object_open(op, w->ns->store, OBJECT_REF(w->bucket, ns_span(key)), want,
				 &object);
	gml_object_close(object);
	return rc;
}

static int object_content(struct rights *w, struct gml_op *op)
{
	return rights_open(w, op, "d/f", GML_OBJECT_CONTENT);
}

static int object_present(struct rights *w, struct gml_op *op)
{
	return rights_open(w, op, "d/f", GML_OBJECT_PRESENT);
}

static int object_facts(struct rights *w, struct gml_op *op)
{
	return rights_open(w, op, "d/f", GML_OBJECT_FACTS);
}

static int object_missing(struct rights *w, struct gml_op *op)
{
	return rights_open(w, op, "d/none", GML_OBJECT_CONTENT);
}

static int object_missing_deep(struct rights *w, struct gml_op *op)
{
	return rights_open(w, op, "d/no/ne", GML_OBJECT_CONTENT);
}

static int object_directory(struct rights *w, struct gml_op *op)
{
	return rights_open(w, op, "d/e/", GML_OBJECT_CONTENT);
}

static int rights_find(struct rights *w, struct gml_op *op, enum gml_action action)
{
	struct gml_object *object = NULL;
	int rc = gml_object_find(op, w->ns->store, OBJECT_REF(w->bucket, ns_span("d/f")), action,
				 &object);
	gml_object_close(object);
	return rc;
}

static int object_get_acl(struct rights *w, struct gml_op *op)
{
	return rights_find(w, op, GML_ACTION_GET_OBJECT_ACL);
}

static int object_put_acl(struct rights *w, struct gml_op *op)
{
	return rights_find(w, op, GML_ACTION_PUT_OBJECT_ACL);
}

static int rights_put(struct rights *w, struct gml_op *op, const char *key, const char *begin)
{
	struct gml_put *put = NULL;
	uint8_t md5[16] = {1};
	int rc = gml_put_begin(begin != NULL ? &w->ns->op : op, w->ns->store,
			       OBJECT_REF(w->bucket, ns_span(key)), 1, &put);
	if (rc == 0)
		rc = gml_put_write(put, "y", 1);
	return rc != 0 ? rc : gml_put_finish(op, put, &(struct gml_put_options){.md5 = md5}, NULL);
}

static int object_put_new(struct rights *w, struct gml_op *op)
{
	return rights_put(w, op, "d/new", NULL);
}

static int object_put_deep(struct rights *w, struct gml_op *op)
{
	return rights_put(w, op, "d/x/y", NULL);
}

static int object_put_over(struct rights *w, struct gml_op *op)
{
	return rights_put(w, op, "d/f", NULL);
}

static int object_put_others(struct rights *w, struct gml_op *op)
{
	return rights_put(w, op, "d/g", NULL);
}

/* The right went between a PUT's begin and its end. */
static int object_put_finish(struct rights *w, struct gml_op *op)
{
	return rights_put(w, op, "d/f", "root began it");
}

/* Whose file is it after a PUT? 1: whose it was. */
static int object_put_keeps(struct rights *w, struct gml_op *op)
{
	int rc = rights_put(w, op, "d/g", NULL);
	if (rc == 0)
		w->shown = ns_attr(w->ns, ns_lookup(w->ns, w->d, "g")).uid == 1003 ? 1 : 2;
	return rc;
}

static int rights_delete(struct rights *w, struct gml_op *op, const char *key)
{
	return gml_object_delete(op, w->ns->store, OBJECT_REF(w->bucket, ns_span(key)), NULL, NULL);
}

static int object_delete(struct rights *w, struct gml_op *op)
{
	return rights_delete(w, op, "d/f");
}

static int object_delete_others(struct rights *w, struct gml_op *op)
{
	return rights_delete(w, op, "d/g");
}

static int object_delete_none(struct rights *w, struct gml_op *op)
{
	return rights_delete(w, op, "d/none");
}

static int object_delete_directory(struct rights *w, struct gml_op *op)
{
	return rights_delete(w, op, "d/e/");
}

static int object_copy(struct rights *w, struct gml_op *op)
{
	return gml_object_copy(op, w->ns->store, OBJECT_REF(w->bucket, ns_span("d/f")),
			       OBJECT_REF(w->bucket, ns_span("copy")),
			       &(struct gml_copy_options){.src_cond = NULL}, NULL);
}

static bool rights_list_each(void *arg, const struct gml_list_entry *entry)
{
	(void)entry;
	++*(unsigned *)arg;
	return true;
}

static int rights_list(struct rights *w, struct gml_op *op, const char *prefix,
		       const char *delimiter)
{
	struct gml_list_query query = {.bucket = w->bucket,
				       .prefix = ns_span(prefix),
				       .delimiter = ns_span(delimiter),
				       .max = 100};
	bool truncated;
	return gml_object_list(op, w->ns->store, &query, rights_list_each, &w->shown, &truncated);
}

static int object_list(struct rights *w, struct gml_op *op)
{
	return rights_list(w, op, "", "");
}

static int object_list_prefix(struct rights *w, struct gml_op *op)
{
	return rights_list(w, op, "d/", "");
}

static int object_list_common(struct rights *w, struct gml_op *op)
{
	return rights_list(w, op, "", "/");
}

static bool rights_tag_each(void *arg, struct gml_span name, struct gml_span value)
{
	(void)arg, (void)name, (void)value;
	return true;
}

static int tags_get(struct rights *w, struct gml_op *op)
{
	return gml_tags_each(op, w->ns->store, w->f, rights_tag_each, NULL);
}

static int tags_set(struct rights *w, struct gml_op *op)
{
	return gml_tags_replace(op, w->ns->store, w->f, NULL, 0);
}

/* ---- uploads ---- */

static bool rights_upload_each(void *arg, const struct gml_upload *upload)
{
	(void)upload;
	++*(unsigned *)arg;
	return true;
}

static int upload_list(struct rights *w, struct gml_op *op)
{
	struct gml_list_query query = {.bucket = w->bucket, .max = 100};
	bool truncated;
	return gml_upload_list(op, w->ns->store, &query, rights_upload_each, &w->shown, &truncated);
}

static int upload_create(struct rights *w, struct gml_op *op)
{
	char id[GML_UPLOAD_ID_LEN + 1];
	return gml_upload_create(op, w->ns->store, OBJECT_REF(w->bucket, ns_span("d/up")),
				 &(struct gml_upload_options){.attrs = NULL}, id);
}

static int upload_get(struct rights *w, struct gml_op *op)
{
	struct gml_upload upload;
	return gml_upload_get(op, w->ns->store,
			      UPLOAD_REF(w->bucket, ns_span("d/up"), ns_span(w->upload)),
			      GML_ACTION_SEE_UPLOAD, &upload);
}

static int upload_part(struct rights *w, struct gml_op *op)
{
	struct gml_put *put = NULL;
	int rc = gml_part_begin(op, w->ns->store,
				UPLOAD_REF(w->bucket, ns_span("d/up"), ns_span(w->upload)), 1, 0,
				&put);
	gml_put_abort(put);
	return rc;
}

static int upload_abort(struct rights *w, struct gml_op *op)
{
	return gml_upload_abort(op, w->ns->store,
				UPLOAD_REF(w->bucket, ns_span("d/up"), ns_span(w->upload)));
}

/* ---- buckets ---- */

static int bucket_head(struct rights *w, struct gml_op *op)
{
	struct gml_bucket bucket;
	return gml_bucket_head(op, w->ns->store, w->bucket, &bucket);
}

static int bucket_document(struct rights *w, struct gml_op *op)
{
	size_t len;
	void *buf = NULL;
	int rc = gml_bucket_document_get(op, w->ns->store, w->bucket, GML_BUCKET_TAGGING, &buf,
					 &len);
	free(buf);
	return rc;
}

static int bucket_document_set(struct rights *w, struct gml_op *op)
{
	return gml_bucket_document_set(op, w->ns->store, w->bucket, GML_BUCKET_TAGGING,
				       ns_span("k\tv\n"));
}

static int bucket_delete(struct rights *w, struct gml_op *op)
{
	return gml_bucket_delete(op, w->ns->store, w->bucket);
}

static int rights_bucket(struct rights *w, struct gml_op *op, const struct gml_bucket_new *what)
{
	char name[40];
	snprintf(name, sizeof(name), "made-%u", w->made++);
	return gml_bucket_create(op, w->ns->store, ns_span(name), what, NULL);
}

static int bucket_create(struct rights *w, struct gml_op *op)
{
	return rights_bucket(w, op, NULL);
}

static int bucket_create_relaxed(struct rights *w, struct gml_op *op)
{
	struct gml_bucket_new what = {.relaxed = true};
	return rights_bucket(w, op, &what);
}

struct rights_seen {
	const char *name;
	unsigned count;
};

static bool rights_bucket_each(void *arg, const struct gml_bucket *bucket)
{
	struct rights_seen *seen = arg;
	seen->count += strcmp(bucket->name, seen->name) == 0;
	return true;
}

static int bucket_list(struct rights *w, struct gml_op *op)
{
	struct rights_seen seen = {w->name, 0};
	int rc = gml_bucket_list(op, w->ns->store, ns_span(""), rights_bucket_each, &seen);
	w->shown = seen.count;
	return rc;
}

static int bucket_quota(struct rights *w, struct gml_op *op)
{
	return gml_bucket_set_quota(op, w->ns->store, w->bucket, 0, 0);
}

static int bucket_relaxed(struct rights *w, struct gml_op *op)
{
	return gml_bucket_set_relaxed(op, w->ns->store, w->bucket, true);
}

/* ---- names ---- */

static int rights_lookup(struct rights *w, struct gml_op *op, gml_ino dir, const char *name)
{
	struct gml_attr attr;
	return gml_dir_lookup(op, w->ns->store, dir, ns_span(name), &attr);
}

static int dir_lookup(struct rights *w, struct gml_op *op)
{
	return rights_lookup(w, op, w->d, "f");
}

static int dir_lookup_none(struct rights *w, struct gml_op *op)
{
	return rights_lookup(w, op, w->d, "none");
}

static int dir_lookup_bucket(struct rights *w, struct gml_op *op)
{
	return rights_lookup(w, op, GML_INO_ROOT, w->name);
}

static int dir_parent(struct rights *w, struct gml_op *op)
{
	struct gml_attr attr;
	return gml_dir_parent(op, w->ns->store, w->e, &attr);
}

static bool rights_read_each(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	struct rights_seen *seen = arg;
	(void)attr;
	seen->count += seen->name == NULL || gml_span_equal(name, ns_span(seen->name));
	return true;
}

static int rights_read(struct rights *w, struct gml_op *op, gml_ino dir, const char *name)
{
	struct rights_seen seen = {name, 0};
	bool eof;
	int rc =
		gml_dir_read(op, w->ns->store, dir,
			     &(struct gml_dir_query){.each = rights_read_each, .arg = &seen}, &eof);
	w->shown = seen.count;
	return rc;
}

static int dir_read(struct rights *w, struct gml_op *op)
{
	return rights_read(w, op, w->d, NULL);
}

static int dir_read_root(struct rights *w, struct gml_op *op)
{
	return rights_read(w, op, GML_INO_ROOT, w->name);
}

static int dir_mkdir(struct rights *w, struct gml_op *op)
{
	return gml_dir_mkdir(op, w->ns->store, w->d, ns_span("new"), NULL, NULL);
}

static int dir_mkdir_exists(struct rights *w, struct gml_op *op)
{
	return gml_dir_mkdir(op, w->ns->store, w->d, ns_span("e"), NULL, NULL);
}

static int dir_mkdir_others(struct rights *w, struct gml_op *op)
{
	struct gml_setattr set = {.mask = GML_SET_UID, .uid = 1003};
	return gml_dir_mkdir(op, w->ns->store, w->d, ns_span("new"), &set, NULL);
}

static int rights_mkbucket(struct rights *w, struct gml_op *op, uint32_t uid)
{
	struct gml_setattr set = {.mask = uid != 0 ? GML_SET_UID : 0, .uid = uid};
	char name[40];
	snprintf(name, sizeof(name), "made-%u", w->made++);
	return gml_dir_mkdir(op, w->ns->store, GML_INO_ROOT, ns_span(name), &set, NULL);
}

static int dir_mkdir_bucket(struct rights *w, struct gml_op *op)
{
	return rights_mkbucket(w, op, 0);
}

static int dir_mkdir_bucket_others(struct rights *w, struct gml_op *op)
{
	return rights_mkbucket(w, op, 1003);
}

static int dir_symlink(struct rights *w, struct gml_op *op)
{
	return gml_dir_mknod(op, w->ns->store, w->d, ns_span("new"),
			     &(struct gml_node){.type = GML_LNK, .target = ns_span("f")}, NULL);
}

static int dir_fifo(struct rights *w, struct gml_op *op)
{
	return gml_dir_mknod(op, w->ns->store, w->d, ns_span("new"),
			     &(struct gml_node){.type = GML_FIFO}, NULL);
}

static int dir_device(struct rights *w, struct gml_op *op)
{
	return gml_dir_mknod(op, w->ns->store, w->d, ns_span("new"),
			     &(struct gml_node){.type = GML_CHR, .rdev = 1}, NULL);
}

static int dir_link(struct rights *w, struct gml_op *op)
{
	return gml_dir_link(op, w->ns->store, w->f, w->d, ns_span("new"), NULL);
}

static int rights_remove(struct rights *w, struct gml_op *op, gml_ino dir, const char *name)
{
	return gml_dir_remove(op, w->ns->store, dir, ns_span(name), GML_REMOVE_ANY);
}

static int dir_remove(struct rights *w, struct gml_op *op)
{
	return rights_remove(w, op, w->d, "f");
}

static int dir_remove_others(struct rights *w, struct gml_op *op)
{
	return rights_remove(w, op, w->d, "g");
}

static int dir_remove_none(struct rights *w, struct gml_op *op)
{
	return rights_remove(w, op, w->d, "none");
}

static int dir_remove_dir(struct rights *w, struct gml_op *op)
{
	return rights_remove(w, op, w->d, "e");
}

static int dir_remove_bucket(struct rights *w, struct gml_op *op)
{
	return rights_remove(w, op, GML_INO_ROOT, w->name);
}

static int rights_rename(struct rights *w, struct gml_op *op, const char *from, gml_ino to_dir,
			 const char *to)
{
	return gml_dir_rename(op, w->ns->store, w->d, ns_span(from), to_dir, ns_span(to));
}

static int dir_rename(struct rights *w, struct gml_op *op)
{
	return rights_rename(w, op, "f", w->d, "new");
}

static int dir_rename_others(struct rights *w, struct gml_op *op)
{
	return rights_rename(w, op, "g", w->d, "new");
}

static int dir_rename_over(struct rights *w, struct gml_op *op)
{
	return rights_rename(w, op, "f", w->d, "g");
}

static int dir_rename_up(struct rights *w, struct gml_op *op)
{
	return rights_rename(w, op, "f", w->root, "f");
}

static int dir_rename_dir_up(struct rights *w, struct gml_op *op)
{
	return rights_rename(w, op, "e", w->root, "e");
}

/* ---- inodes ---- */

static int rights_getattr(struct rights *w, struct gml_op *op, gml_ino ino)
{
	struct gml_attr attr;
	return gml_inode_getattr(op, w->ns->store, ino, &attr);
}

static int inode_getattr(struct rights *w, struct gml_op *op)
{
	return rights_getattr(w, op, w->f);
}

static int inode_getattr_bucket(struct rights *w, struct gml_op *op)
{
	return rights_getattr(w, op, w->root);
}

static int inode_getattr_root(struct rights *w, struct gml_op *op)
{
	return rights_getattr(w, op, GML_INO_ROOT);
}

static int inode_readlink(struct rights *w, struct gml_op *op)
{
	char target[16];
	size_t len;
	return gml_inode_readlink(op, w->ns->store, w->l, target, sizeof(target), &len);
}

static int rights_access(struct rights *w, struct gml_op *op, gml_ino ino)
{
	return gml_inode_access(op, w->ns->store, ino, GML_MAY_READ | GML_MAY_WRITE | GML_MAY_EXEC,
				&w->shown);
}

static int inode_access(struct rights *w, struct gml_op *op)
{
	return rights_access(w, op, w->f);
}

static int inode_access_dir(struct rights *w, struct gml_op *op)
{
	return rights_access(w, op, w->d);
}

static int inode_access_bucket(struct rights *w, struct gml_op *op)
{
	return rights_access(w, op, w->root);
}

static int rights_setattr(struct rights *w, struct gml_op *op, struct gml_setattr set)
{
	return gml_inode_setattr(op, w->ns->store, w->f, &set, NULL);
}

static int setattr_mode(struct rights *w, struct gml_op *op)
{
	return rights_setattr(w, op, (struct gml_setattr){.mask = GML_SET_MODE, .mode = 0600});
}

/* 1: setgid is kept. */
static int setattr_setgid(struct rights *w, struct gml_op *op)
{
	int rc = rights_setattr(w, op, (struct gml_setattr){.mask = GML_SET_MODE, .mode = 02750});
	if (rc == 0)
		w->shown = ns_attr(w->ns, w->f).mode & 02000 ? 1 : 2;
	return rc;
}

static int setattr_owner(struct rights *w, struct gml_op *op)
{
	return rights_setattr(w, op, (struct gml_setattr){.mask = GML_SET_UID, .uid = 1003});
}

static int setattr_same_owner(struct rights *w, struct gml_op *op)
{
	return rights_setattr(w, op, (struct gml_setattr){.mask = GML_SET_UID, .uid = 1001});
}

static int setattr_group(struct rights *w, struct gml_op *op)
{
	return rights_setattr(w, op, (struct gml_setattr){.mask = GML_SET_GID, .gid = 2003});
}

static int setattr_size(struct rights *w, struct gml_op *op)
{
	return rights_setattr(w, op, (struct gml_setattr){.mask = GML_SET_SIZE, .size = 1});
}

static int setattr_time(struct rights *w, struct gml_op *op)
{
	return rights_setattr(w, op, (struct gml_setattr){.mask = GML_SET_ATIME, .atime = 1});
}

static int setattr_now(struct rights *w, struct gml_op *op)
{
	return rights_setattr(w, op, (struct gml_setattr){.mask = GML_SET_MTIME_NOW});
}

static int setattr_mode_now(struct rights *w, struct gml_op *op)
{
	return rights_setattr(
		w, op,
		(struct gml_setattr){.mask = GML_SET_MODE | GML_SET_ATIME_NOW, .mode = 0600});
}

static int xattr_get(struct rights *w, struct gml_op *op)
{
	char buf[8];
	size_t len;
	return gml_xattr_get(op, w->ns->store, w->f, ns_span("user.tag"),
			     (struct gml_buf){buf, sizeof(buf)}, &len);
}

static int xattr_set(struct rights *w, struct gml_op *op)
{
	return gml_xattr_set(op, w->ns->store, w->f, ns_span("user.tag"), ns_span("w"),
			     GML_XATTR_EITHER);
}

static int xattr_remove(struct rights *w, struct gml_op *op)
{
	return gml_xattr_remove(op, w->ns->store, w->f, ns_span("user.tag"));
}

static bool rights_name_each(void *arg, struct gml_span name)
{
	(void)arg, (void)name;
	return true;
}

static int xattr_list(struct rights *w, struct gml_op *op)
{
	return gml_xattr_list(op, w->ns->store, w->f, rights_name_each, NULL);
}

/* ---- files ---- */

static int rights_file(struct rights *w, struct gml_op *op, unsigned how)
{
	struct gml_file *file = NULL;
	int rc = gml_file_open(op, w->ns->store, w->f, how, &file);
	assert_ok(gml_file_close(op, file));
	return rc;
}

static int file_open(struct rights *w, struct gml_op *op)
{
	return rights_file(w, op, 0);
}

static int file_open_write(struct rights *w, struct gml_op *op)
{
	return rights_file(w, op, GML_OPEN_WRITE);
}

static int file_open_both(struct rights *w, struct gml_op *op)
{
	return rights_file(w, op, GML_OPEN_READ | GML_OPEN_WRITE);
}

static int rights_create(struct rights *w, struct gml_op *op, const char *name,
			 enum gml_create_disposition how)
{
	struct gml_setattr set = {.mask = GML_SET_SIZE};
	struct gml_file *file = NULL;
	int rc = gml_file_create(
		op, w->ns->store, w->d, ns_span(name),
		&(struct gml_create){.access = GML_OPEN_WRITE, .disposition = how, .set = &set},
		&file);
	assert_ok(gml_file_close(op, file));
	return rc;
}

static int file_create(struct rights *w, struct gml_op *op)
{
	return rights_create(w, op, "new", GML_CREATE_GUARDED);
}

static int file_create_exists(struct rights *w, struct gml_op *op)
{
	return rights_create(w, op, "f", GML_CREATE_GUARDED);
}

static int file_create_empties(struct rights *w, struct gml_op *op)
{
	return rights_create(w, op, "f", GML_CREATE_UNCHECKED);
}

/* By a caller who brings an open file of somebody else's. */
static int rights_io(struct rights *w, struct gml_op *op,
		     int (*io)(struct gml_op *, struct gml_file *))
{
	struct gml_file *file = NULL;
	int rc;
	assert_ok(gml_file_open(&w->ns->op, w->ns->store, w->f, GML_OPEN_READ | GML_OPEN_WRITE,
				&file));
	rc = io(op, file);
	assert_ok(gml_file_close(&w->ns->op, file));
	return rc;
}

static int io_read(struct gml_op *op, struct gml_file *file)
{
	char buf[8];
	size_t n;
	bool eof;
	return gml_file_read(op, file, 0, (struct gml_buf){buf, sizeof(buf)}, &n, &eof);
}

static int file_read(struct rights *w, struct gml_op *op)
{
	return rights_io(w, op, io_read);
}

static int io_write(struct gml_op *op, struct gml_file *file)
{
	struct iovec iov = {(void *)(uintptr_t) "z", 1};
	return gml_file_write(op, file, 0, &iov, 1, false);
}

static int file_write(struct rights *w, struct gml_op *op)
{
	return rights_io(w, op, io_write);
}

static int io_seek(struct gml_op *op, struct gml_file *file)
{
	uint64_t off;
	bool eof;
	return gml_file_seek(op, file, GML_SEEK_DATA, 0, &off, &eof);
}

static int file_seek(struct rights *w, struct gml_op *op)
{
	return rights_io(w, op, io_seek);
}

static int io_allocate(struct gml_op *op, struct gml_file *file)
{
	return gml_file_allocate(op, file, 0, 4);
}

static int file_allocate(struct rights *w, struct gml_op *op)
{
	return rights_io(w, op, io_allocate);
}

static int io_deallocate(struct gml_op *op, struct gml_file *file)
{
	return gml_file_deallocate(op, file, 0, 4);
}

static int file_deallocate(struct rights *w, struct gml_op *op)
{
	return rights_io(w, op, io_deallocate);
}

/* ---- users ---- */

static int user_create(struct rights *w, struct gml_op *op)
{
	struct gml_user user = {.uid = 7000 + w->made, .gid = 1};
	snprintf(user.name, sizeof(user.name), "user%u", w->made++);
	return gml_user_create(op, w->ns->store, &user);
}

static int user_update(struct rights *w, struct gml_op *op)
{
	struct gml_user user = {.name = "owner", .uid = 1001, .gid = 2001};
	return gml_user_update(op, w->ns->store, &user);
}

static int user_delete(struct rights *w, struct gml_op *op)
{
	return gml_user_delete(op, w->ns->store, "owner"); /* owns buckets */
}

static int key_create(struct rights *w, struct gml_op *op)
{
	struct gml_key key = {.user = "owner"};
	return gml_key_create(op, w->ns->store, &key);
}

static int key_update(struct rights *w, struct gml_op *op)
{
	return gml_key_update(op, w->ns->store, "GKNONE", 0, 0); /* NOKEY */
}

static int key_rotate(struct rights *w, struct gml_op *op)
{
	struct gml_key key = {0};
	return gml_key_rotate(op, w->ns->store, "GKNONE", 1, &key); /* NOKEY */
}

static int key_delete(struct rights *w, struct gml_op *op)
{
	return gml_key_delete(op, w->ns->store, "GKNONE");
}

/* ---- groups, roles, tags: what there is not ---- */

static int group_create_nss(struct rights *w, struct gml_op *op)
{
	char name[40];
	snprintf(name, sizeof(name), "nss%u", w->made++);
	return gml_group_create_nss(op, w->ns->store, name, 6001);
}

static int group_create(struct rights *w, struct gml_op *op)
{
	char name[32];
	snprintf(name, sizeof(name), "group%u", w->made++);
	return gml_group_create(op, w->ns->store, name, NULL);
}

static int group_delete(struct rights *w, struct gml_op *op)
{
	return gml_group_delete(op, w->ns->store, "none");
}

static int group_add(struct rights *w, struct gml_op *op)
{
	return gml_group_add(op, w->ns->store, "none", "owner");
}

static int group_remove(struct rights *w, struct gml_op *op)
{
	return gml_group_remove(op, w->ns->store, "none", "owner");
}

static int role_create(struct rights *w, struct gml_op *op)
{
	struct gml_role role = {.max_session = 3600};
	snprintf(role.name, sizeof(role.name), "role%u", w->made++);
	return gml_role_create(op, w->ns->store, &role, (struct gml_span){NULL, 0});
}

static int role_update(struct rights *w, struct gml_op *op)
{
	struct gml_role role = {.name = "none", .max_session = 3600};
	return gml_role_update(op, w->ns->store, &role);
}

static int role_delete(struct rights *w, struct gml_op *op)
{
	return gml_role_delete(op, w->ns->store, "none");
}

static const struct gml_identity rights_owner = {GML_IDENTITY_USER, "owner"},
				 rights_role = {GML_IDENTITY_ROLE, "none"};
static const struct gml_meta_pair rights_tag = {{"k", 1}, {"v", 1}};

static int user_tag(struct rights *w, struct gml_op *op)
{
	return gml_tags_set(op, w->ns->store, &rights_owner, &rights_tag, 1);
}

static int user_untag(struct rights *w, struct gml_op *op)
{
	return gml_tags_remove(op, w->ns->store, &rights_owner, &rights_tag, 1);
}

static int role_tag(struct rights *w, struct gml_op *op)
{
	return gml_tags_set(op, w->ns->store, &rights_role, &rights_tag, 1);
}

static int role_untag(struct rights *w, struct gml_op *op)
{
	return gml_tags_remove(op, w->ns->store, &rights_role, &rights_tag, 1);
}

/* ---- policies: of what there is not ---- */

#define RIGHTS_POLICY                                                                              \
	"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}}"
static const struct gml_identity rights_group = {GML_IDENTITY_GROUP, "none"};

static int policy_put(struct rights *w, struct gml_op *op)
{
	struct gml_policy policy = {.name = "policy"};
	return gml_policy_put(op, w->ns->store, &policy, ns_span(RIGHTS_POLICY));
}

static int policy_delete(struct rights *w, struct gml_op *op)
{
	return gml_policy_delete(op, w->ns->store, "none");
}

static int policy_attach(struct rights *w, struct gml_op *op)
{
	return gml_policy_attach(op, w->ns->store, &rights_group, "none");
}

static int policy_detach(struct rights *w, struct gml_op *op)
{
	return gml_policy_detach(op, w->ns->store, &rights_role, "none");
}

static int policy_inline_put(struct rights *w, struct gml_op *op)
{
	return gml_policy_inline_put(op, w->ns->store, &rights_owner, "own",
				     ns_span(RIGHTS_POLICY));
}

static int policy_inline_delete(struct rights *w, struct gml_op *op)
{
	return gml_policy_inline_delete(op, w->ns->store, &rights_group, "own");
}

static int policy_boundary(struct rights *w, struct gml_op *op)
{
	return gml_policy_boundary_set(op, w->ns->store, &rights_role, "none");
}

static int policy_boundary_remove(struct rights *w, struct gml_op *op)
{
	return gml_policy_boundary_set(op, w->ns->store, &rights_owner, NULL);
}

static int role_trust(struct rights *w, struct gml_op *op)
{
	return gml_role_trust_set(op, w->ns->store, "none", ns_span(""));
}

static int account_set(struct rights *w, struct gml_op *op)
{
	struct gml_account account = {0};
	return gml_account_set(op, w->ns->store, &account);
}

static int rights_document(struct rights *w, struct gml_op *op, enum gml_bucket_document kind)
{
	size_t len;
	void *buf;
	int rc = gml_bucket_document_get(op, w->ns->store, w->bucket, kind, &buf, &len);
	free(buf);
	return rc;
}

static int bucket_policy(struct rights *w, struct gml_op *op)
{
	return rights_document(w, op, GML_BUCKET_POLICY);
}

static int bucket_policy_status(struct rights *w, struct gml_op *op)
{
	bool is_public;
	return gml_bucket_policy_status(op, w->ns->store, w->bucket, &is_public);
}

static int bucket_policy_set(struct rights *w, struct gml_op *op)
{
	char text[300];
	snprintf(text, sizeof(text),
		 "{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:"
		 "GetObject\","
		 "\"Resource\":\"arn:aws:s3:::%s/none\"}}",
		 w->name);
	return gml_bucket_document_set(op, w->ns->store, w->bucket, GML_BUCKET_POLICY,
				       ns_span(text));
}

static int bucket_policy_delete(struct rights *w, struct gml_op *op)
{
	return gml_bucket_document_set(op, w->ns->store, w->bucket, GML_BUCKET_POLICY,
				       (struct gml_span){NULL, 0});
}

static int bucket_public_access(struct rights *w, struct gml_op *op)
{
	return rights_document(w, op, GML_BUCKET_PUBLIC_ACCESS_BLOCK);
}

static int bucket_public_access_set(struct rights *w, struct gml_op *op)
{
	return gml_bucket_document_set(op, w->ns->store, w->bucket, GML_BUCKET_PUBLIC_ACCESS_BLOCK,
				       ns_span("BlockPublicAcls"));
}

static int bucket_access(struct rights *w, struct gml_op *op)
{
	return rights_document(w, op, GML_BUCKET_ACCESS);
}

static int bucket_access_set(struct rights *w, struct gml_op *op)
{
	return gml_bucket_document_set(op, w->ns->store, w->bucket, GML_BUCKET_ACCESS,
				       (struct gml_span){NULL, 0});
}

static int bucket_ownership(struct rights *w, struct gml_op *op)
{
	return rights_document(w, op, GML_BUCKET_OWNERSHIP);
}

static int bucket_ownership_set(struct rights *w, struct gml_op *op)
{
	return gml_bucket_document_set(op, w->ns->store, w->bucket, GML_BUCKET_OWNERSHIP,
				       ns_span("ObjectWriter"));
}

/* ---- the table ---- */

struct rights_row {
	const char *name;
	int (*run)(struct rights *w, struct gml_op *op);
	const char *answers; /* for each of rights_modes a letter for each of rights_callers */
};
#define RIGHTS_ROW(name, answers) {#name, name, answers},
static const struct rights_row rights_rows[] = {
#include "rights_table.h"
};

static char rights_letter(int rc, unsigned shown)
{
	switch (rc) {
	case 0:
		return shown == 0 ? '.' : (char)('0' + shown);
	case GML_ERR_ACCESS:
		return 'A';
	case GML_ERR_PERM:
		return 'P';
	case GML_ERR_ROFS:
		return 'R';
	case GML_ERR_NOENT:
		return 'N';
	case GML_ERR_NOTEMPTY:
		return 'T';
	case GML_ERR_EXIST:
		return 'E';
	case GML_ERR_NOKEY:
		return 'K';
	case GML_ERR_NOGROUP:
		return 'G';
	case GML_ERR_NOROLE:
		return 'O';
	case GML_ERR_NOPOLICY:
		return 'Y';
	default:
		fail_msg("unexpected: %s", gml_err_name(rc));
		return '?';
	}
}

/* All callers in one bucket as long as nothing changes. */
static void rights_run(struct rights *w, const struct rights_row *row, char *out)
{
	for (size_t m = 0; m < RIGHTS_MODES; m++) {
		bool fresh = false;
		for (size_t c = 0; c < RIGHTS_CALLERS; c++) {
			struct gml_op op = rights_op(&rights_callers[c]);
			int rc;
			if (!fresh)
				rights_make(w, &rights_modes[m]);
			w->shown = 0;
			rc = row->run(w, &op);
			*out = rights_letter(rc, w->shown);
			fresh = *out >= 'A';
			out++;
		}
		*out++ = m + 1 < RIGHTS_MODES ? ' ' : '\0';
	}
}

static void test_rights(void **state)
{
	char got[RIGHTS_MODES * (RIGHTS_CALLERS + 1)];
	struct rights w = {.ns = *state};
	bool print = getenv("GML_TEST_PRINT") != NULL;
	unsigned wrong = 0;
	size_t n = sizeof(rights_rows) / sizeof(rights_rows[0]);
	rights_user(w.ns, "owner", 1001, 0);
	rights_user(w.ns, "group", 1002, GML_USER_NO_BUCKETS);
	rights_user(w.ns, "another", 1004, 0);
	for (size_t i = 0; i < n; i++) {
		rights_run(&w, &rights_rows[i], got);
		if (print)
			printf("RIGHTS_ROW(%s,\n\t   \"%s\")\n", rights_rows[i].name, got);
		else if (strcmp(got, rights_rows[i].answers) != 0 && ++wrong)
			fprintf(stderr, "%s\n  want %s\n  got  %s\n", rights_rows[i].name,
				rights_rows[i].answers, got);
	}
	assert_int_equal(wrong, 0);
	assert_true(n > 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rights, ns_setup, ns_teardown),
	};
	/* Rights are the same on every engine; in memory the thousands of buckets are quick. */
	setenv("GML_TEST_ENGINE", "memory-plain", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
