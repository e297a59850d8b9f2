// SPDX-License-Identifier: Apache-2.0
/* What policies let callers do and keep them from doing, over both protocols: the ways of NFS, its
 * listings, hard links, renames, and open files whose right ends. */
#include <sys/stat.h>
#include <sys/uio.h>
#include <gemel/explain.h>
#include <gemel/policy.h>
#include "gateway/iam/authorize.h"
#include "object_support.h"

#define UID 1000
#define OWNER 1001

static struct gml_op admin = GML_OP_LOCAL;
static const struct gml_identity ann = {GML_IDENTITY_USER, "ann"};

#define ARN "arn:aws:s3:::bucket"
#define STATEMENT(effect, actions, resources)                                                      \
	"{\"Effect\":\"" effect "\",\"Action\":[" actions "],\"Resource\":[" resources "]}"
#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define ALLOW(actions, resources) STATEMENT("Allow", actions, resources)
#define DENY(actions, resources) STATEMENT("Deny", actions, resources)
#define KEYS(keys) "\"" ARN "/" keys "\""
#define EVERYTHING "\"" ARN "\",\"" ARN "/*\""

/* home/ann/f, home/bob/f, pub/f, secret/f: OWNER's, and closed to all others. */
struct world {
	struct ns *ns;
	gml_ino root, home, ann, bob, pub, secret;
	gml_ino ann_f, bob_f, pub_f, secret_f;
};

static struct gml_op op_of(uint32_t uid)
{
	struct gml_op op = {.context = {.protocol = GML_PROTOCOL_NFS}};
	const struct gml_cred cred = {.uid = uid, .gid = uid};
	op.principal = (struct gml_principal){.cred = cred,
					      .privileges = uid == 0 ? GML_PRIVILEGE_ROOT : 0,
					      .authn = GML_AUTHN_SYS};
	return op;
}

static void own(struct world *w, gml_ino ino, uint32_t mode)
{
	const struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_UID | GML_SET_GID,
					.mode = mode,
					.uid = OWNER,
					.gid = OWNER};
	assert_ok(gml_inode_setattr(&admin, w->ns->store, ino, &set, NULL));
}

static gml_ino directory(struct world *w, gml_ino parent, const char *name)
{
	gml_ino ino = ns_mkdir(w->ns, parent, name);
	own(w, ino, 0700);
	return ino;
}

static gml_ino file(struct world *w, gml_ino parent, const char *name)
{
	gml_ino ino = ns_put(w->ns, parent, name, "content");
	own(w, ino, 0600);
	return ino;
}

static void user(struct world *w, const char *name, uint32_t uid)
{
	struct gml_user user = {.uid = uid, .gid = uid};
	snprintf(user.name, sizeof(user.name), "%s", name);
	assert_ok(gml_user_create(&admin, w->ns->store, &user));
}

static struct world world_of(void **state)
{
	struct world w = {.ns = *state};
	w.root = w.ns->bucket;
	w.home = directory(&w, w.root, "home");
	w.ann = directory(&w, w.home, "ann");
	w.bob = directory(&w, w.home, "bob");
	w.pub = directory(&w, w.root, "pub");
	w.secret = directory(&w, w.root, "secret");
	w.ann_f = file(&w, w.ann, "f");
	w.bob_f = file(&w, w.bob, "f");
	w.pub_f = file(&w, w.pub, "f");
	w.secret_f = file(&w, w.secret, "f");
	own(&w, w.root, 0700);
	user(&w, "ann", UID);
	user(&w, "owner", OWNER);
	return w;
}

static void policy(struct world *w, const char *document)
{
	assert_ok(gml_policy_inline_put(&admin, w->ns->store, &ann, "own", ns_span(document)));
}

static void bucket_policy(struct world *w, const char *document)
{
	assert_ok(gml_bucket_document_set(&admin, w->ns->store, ns_span("bucket"),
					  GML_BUCKET_POLICY, ns_span(document)));
}

/* ---- what callers do ---- */

static int s3_get(struct world *w, uint32_t uid, const char *key)
{
	struct gml_object *object = NULL;
	struct gml_op op = op_of(uid);
	int rc;
	op.context.protocol = GML_PROTOCOL_S3;
	rc = gml_object_open(&op, w->ns->store, OBJECT_REF(B, ns_span(key)), GML_OBJECT_CONTENT,
			     &object);
	gml_object_close(object);
	return rc;
}

static int s3_put(struct world *w, uint32_t uid, const char *key)
{
	struct gml_op op = op_of(uid);
	op.context.protocol = GML_PROTOCOL_S3;
	return object_put_full(w->ns, &op, ns_span(key), "new", 3, 3, 3, NULL, NULL, NULL);
}

static bool s3_count(void *arg, const struct gml_list_entry *entry)
{
	(void)entry;
	++*(int *)arg;
	return true;
}

/* How many keys; or an error, as a negative number. */
static int s3_list_of(struct world *w, uint32_t uid, const char *prefix, bool versions)
{
	const struct gml_list_query query = {
		.bucket = B, .prefix = ns_span(prefix), .max = 100, .versions = versions};
	struct gml_op op = op_of(uid);
	bool truncated;
	int count = 0, rc;
	op.context.protocol = GML_PROTOCOL_S3;
	rc = gml_object_list(&op, w->ns->store, &query, s3_count, &count, &truncated);
	return rc != 0 ? -rc : count;
}

static int s3_list(struct world *w, uint32_t uid, const char *prefix)
{
	return s3_list_of(w, uid, prefix, false);
}

static int nfs_lookup(struct world *w, uint32_t uid, gml_ino dir, const char *name)
{
	struct gml_op op = op_of(uid);
	struct gml_attr attr;
	return gml_dir_lookup(&op, w->ns->store, dir, ns_span(name), &attr);
}

static int nfs_open(struct world *w, uint32_t uid, gml_ino ino, unsigned access)
{
	struct gml_op op = op_of(uid);
	struct gml_file *file;
	int rc = gml_file_open(&op, w->ns->store, ino, access, &file);
	return rc != 0 ? rc : gml_file_close(&op, file);
}

static int nfs_getattr(struct world *w, uint32_t uid, gml_ino ino)
{
	struct gml_op op = op_of(uid);
	struct gml_attr attr;
	return gml_inode_getattr(&op, w->ns->store, ino, &attr);
}

static int nfs_create(struct world *w, uint32_t uid, gml_ino dir, const char *name)
{
	const struct gml_create create = {.access = GML_OPEN_WRITE,
					  .disposition = GML_CREATE_GUARDED};
	struct gml_op op = op_of(uid);
	struct gml_file *file;
	int rc = gml_file_create(&op, w->ns->store, dir, ns_span(name), &create, &file);
	return rc != 0 ? rc : gml_file_close(&op, file);
}

static unsigned nfs_access(struct world *w, uint32_t uid, gml_ino ino)
{
	struct gml_op op = op_of(uid);
	unsigned granted = 0;
	if (gml_inode_access(&op, w->ns->store, ino, GML_MAY_READ | GML_MAY_WRITE | GML_MAY_EXEC,
			     &granted) != 0)
		return 0;
	return granted;
}

static bool nfs_name(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	char *text = arg;
	(void)attr;
	sprintf(text + strlen(text), "%.*s ", (int)name.len, (const char *)name.ptr);
	return true;
}

/* The names, in the order of their making; or what went wrong. */
static const char *nfs_list(struct world *w, uint32_t uid, gml_ino dir)
{
	static char text[256];
	const struct gml_dir_query query = {.each = nfs_name, .arg = text};
	struct gml_op op = op_of(uid);
	bool eof;
	int rc;
	text[0] = '\0';
	rc = gml_dir_read(&op, w->ns->store, dir, &query, &eof);
	return rc != 0 ? gml_err_text(rc) : text;
}

static int nfs_rename(struct world *w, uint32_t uid, gml_ino from, const char *name, gml_ino to,
		      const char *new_name)
{
	struct gml_op op = op_of(uid);
	return gml_dir_rename(&op, w->ns->store, from, ns_span(name), to, ns_span(new_name));
}

static int nfs_link(struct world *w, uint32_t uid, gml_ino ino, gml_ino to, const char *name)
{
	struct gml_op op = op_of(uid);
	return gml_dir_link(&op, w->ns->store, ino, to, ns_span(name), NULL);
}

static int nfs_remove(struct world *w, uint32_t uid, gml_ino dir, const char *name)
{
	struct gml_op op = op_of(uid);
	return gml_dir_remove(&op, w->ns->store, dir, ns_span(name), GML_REMOVE_ANY);
}

#define assert_refused(rc) assert_rc((rc), GML_ERR_ACCESS)

/* ---- grants ---- */

static void test_a_file_and_the_way_to_it(void **state)
{
	struct world w = world_of(state);
	assert_refused(s3_get(&w, UID, "home/ann/f"));
	assert_refused(nfs_lookup(&w, UID, w.root, "home"));
	policy(&w, POLICY(ALLOW("\"s3:GetObject\"", KEYS("home/ann/*"))));
	assert_ok(s3_get(&w, UID, "home/ann/f"));
	assert_refused(s3_get(&w, UID, "home/bob/f"));
	assert_refused(s3_get(&w, UID, "home/ann/none"));
	/* The way leads there, and nowhere else. */
	assert_ok(nfs_lookup(&w, UID, w.root, "home"));
	assert_ok(nfs_lookup(&w, UID, w.home, "ann"));
	assert_ok(nfs_lookup(&w, UID, w.ann, "f"));
	assert_rc(nfs_lookup(&w, UID, w.ann, "none"), GML_ERR_NOENT);
	assert_refused(nfs_lookup(&w, UID, w.home, "bob"));
	assert_refused(nfs_lookup(&w, UID, w.home, "none"));
	assert_refused(nfs_lookup(&w, UID, w.root, "pub"));
	assert_ok(nfs_getattr(&w, UID, w.home));
	assert_ok(nfs_getattr(&w, UID, w.ann_f));
	assert_refused(nfs_getattr(&w, UID, w.pub_f));
	assert_refused(nfs_getattr(&w, UID, w.pub));
	assert_string_equal(nfs_list(&w, UID, w.root), "home ");
	assert_string_equal(nfs_list(&w, UID, w.home), "ann ");
	assert_string_equal(nfs_list(&w, UID, w.ann), "f ");
	assert_string_equal(nfs_list(&w, UID, w.pub), "permission denied");
	assert_string_equal(nfs_list(&w, OWNER, w.root), "home pub secret ");
	assert_string_equal(nfs_list(&w, UID, GML_INO_ROOT), "bucket ");
	assert_string_equal(nfs_list(&w, UID + 5, GML_INO_ROOT), "");
	assert_ok(nfs_open(&w, UID, w.ann_f, GML_OPEN_READ));
	assert_refused(nfs_open(&w, UID, w.ann_f, GML_OPEN_WRITE));
	assert_refused(nfs_open(&w, UID, w.bob_f, GML_OPEN_READ));
	assert_int_equal(nfs_access(&w, UID, w.ann_f), GML_MAY_READ | GML_MAY_EXEC);
	assert_int_equal(nfs_access(&w, UID, w.ann), GML_MAY_READ | GML_MAY_EXEC);
	assert_int_equal(nfs_access(&w, UID, w.pub), 0);
	assert_int_equal(s3_list(&w, UID, "home/ann/"), -GML_ERR_ACCESS);
}

static void test_listings(void **state)
{
	struct world w = world_of(state);
	policy(&w,
	       POLICY("{\"Effect\":\"Allow\",\"Action\":\"s3:ListBucket\",\"Resource\":\"" ARN
		      "\",\"Condition\":{\"StringEquals\":{\"s3:prefix\":[\"home/\",\"pub/\"]}}}"));
	assert_int_equal(s3_list(&w, UID, "home/"), 2);
	assert_int_equal(s3_list(&w, UID, "home/ann/"), -GML_ERR_ACCESS);
	assert_string_equal(nfs_list(&w, UID, w.home), "ann bob ");
	assert_string_equal(nfs_list(&w, UID, w.pub), "f ");
	assert_string_equal(nfs_list(&w, UID, w.ann), "permission denied");
	assert_ok(nfs_lookup(&w, UID, w.pub, "f"));
	assert_refused(nfs_open(&w, UID, w.pub_f, GML_OPEN_READ));
	assert_int_equal(nfs_access(&w, UID, w.pub), GML_MAY_READ | GML_MAY_EXEC);
}

/* Only a listing has s3:prefix; over NFS it is the directory. */
static void test_prefixes_are_of_listings(void **state)
{
	struct world w = world_of(state);
	policy(&w, "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
		   "\"Action\":\"s3:*\",\"Resource\":[" EVERYTHING "],\"Condition\":"
		   "{\"StringLike\":{\"s3:prefix\":\"pub/*\"}}}]}");
	assert_string_equal(nfs_list(&w, UID, w.pub), "f ");
	assert_string_equal(nfs_list(&w, UID, w.home), "permission denied");
	assert_int_equal(s3_list(&w, UID, "pub/"), 1);
	assert_refused(nfs_open(&w, UID, w.pub_f, GML_OPEN_READ));
	assert_refused(s3_get(&w, UID, "pub/f"));
	assert_refused(nfs_create(&w, UID, w.pub, "new"));
}

/* Tags of the bucket hold for what is in it; a change of them holds at once. */
static void test_tags_of_buckets(void **state)
{
	struct world w = world_of(state);
	struct gml_span bucket = ns_span("bucket");
	policy(&w, "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
		   "\"Action\":\"s3:GetObject\",\"Resource\":[" EVERYTHING "],\"Condition\":"
		   "{\"StringEquals\":{\"s3:BucketTag/Stage\":\"test\"}}},{\"Effect\":\"Allow\","
		   "\"Action\":\"s3:ListBucket\",\"Resource\":[" EVERYTHING "],\"Condition\":"
		   "{\"StringEquals\":{\"aws:ResourceTag/Stage\":\"test\"}}}]}");
	for (int round = 0; round < 2; round++) {
		assert_refused(nfs_open(&w, UID, w.pub_f, GML_OPEN_READ));
		assert_refused(s3_get(&w, UID, "pub/f"));
		assert_int_equal(s3_list(&w, UID, "pub/"), -GML_ERR_ACCESS);
		assert_ok(gml_bucket_document_set(&admin, w.ns->store, bucket, GML_BUCKET_TAGGING,
						  ns_span("a\t\nStage\ttest\n")));
		assert_ok(nfs_open(&w, UID, w.pub_f, GML_OPEN_READ));
		assert_ok(s3_get(&w, UID, "pub/f"));
		assert_int_equal(s3_list(&w, UID, "pub/"), 1);
		assert_string_equal(nfs_list(&w, UID, w.pub), "f ");
		assert_ok(gml_bucket_document_set(&admin, w.ns->store, bucket, GML_BUCKET_TAGGING,
						  round == 0 ? ns_span("Stage\tlive\n")
							     : gml_span_of(NULL, 0)));
	}
	assert_refused(nfs_open(&w, UID, w.pub_f, GML_OPEN_READ));
}

static void test_listings_of_versions(void **state)
{
	struct world w = world_of(state);
	policy(&w, POLICY(ALLOW("\"s3:ListBucketVersions\"", "\"" ARN "\"")));
	assert_int_equal(s3_list_of(&w, UID, "home/", true), 2);
	assert_int_equal(s3_list_of(&w, UID, "none/", true), 0);
	assert_int_equal(s3_list_of(&w, UID, "home/", false), -GML_ERR_ACCESS);
	policy(&w, POLICY(ALLOW("\"s3:ListBucket\"", "\"" ARN "\"")));
	assert_int_equal(s3_list_of(&w, UID, "home/", false), 2);
	assert_int_equal(s3_list_of(&w, UID, "home/", true), -GML_ERR_ACCESS);
}

static void test_changes(void **state)
{
	struct world w = world_of(state);
	struct gml_op op = op_of(UID);
	const struct gml_setattr setuid = {.mask = GML_SET_MODE, .mode = 06755};
	struct gml_attr attr;
	policy(&w, POLICY(ALLOW("\"s3:PutObject\",\"s3:PutObjectAcl\"", KEYS("pub/*"))));
	assert_ok(s3_put(&w, UID, "pub/new"));
	assert_ok(s3_put(&w, UID, "pub/deep/new"));
	assert_ok(s3_put(&w, UID, "pub/f"));
	assert_refused(s3_put(&w, UID, "home/new"));
	w.pub_f = ns_lookup(w.ns, w.pub, "f");
	assert_ok(nfs_create(&w, UID, w.pub, "made"));
	assert_ok(gml_dir_mkdir(&op, w.ns->store, w.pub, ns_span("sub"), NULL, &attr));
	assert_ok(nfs_create(&w, UID, attr.ino, "made"));
	assert_refused(nfs_create(&w, UID, w.home, "made"));
	assert_refused(gml_dir_mkdir(&op, w.ns->store, w.root, ns_span("sub"), NULL, &attr));
	assert_ok(nfs_open(&w, UID, w.pub_f, GML_OPEN_WRITE));
	assert_refused(nfs_open(&w, UID, w.pub_f, GML_OPEN_READ));
	assert_refused(nfs_remove(&w, UID, w.pub, "f"));
	/* The mode of another's file, without what runs it as its owner. */
	assert_ok(gml_inode_setattr(&op, w.ns->store, w.pub_f, &setuid, NULL));
	assert_int_equal(ns_attr(w.ns, w.pub_f).mode, 0755);
	assert_refused(gml_inode_setattr(&op, w.ns->store, w.ann_f, &setuid, NULL));
	policy(&w, POLICY(ALLOW("\"s3:DeleteObject\"", KEYS("pub/f"))));
	assert_ok(nfs_remove(&w, UID, w.pub, "f"));
	assert_refused(nfs_remove(&w, UID, w.pub, "new"));
}

static int s3_state(struct world *w, uint32_t uid, const char *key, bool grants, bool tags)
{
	struct gml_op op = op_of(uid);
	op.context.protocol = GML_PROTOCOL_S3;
	return gml_put_may(&op, w->ns->store, OBJECT_REF(B, ns_span(key)), grants, tags);
}

/* Grants and tags of a new object take rights of their own, whoever may write it. */
static void test_what_a_new_object_states(void **state)
{
	struct world w = world_of(state);
	policy(&w, POLICY(ALLOW("\"s3:PutObject\"", KEYS("pub/*"))));
	assert_ok(s3_state(&w, UID, "pub/new", false, false));
	assert_refused(s3_state(&w, UID, "pub/new", true, false));
	assert_refused(s3_state(&w, UID, "pub/new", false, true));
	policy(&w, POLICY(ALLOW("\"s3:PutObject*\"", KEYS("pub/*"))));
	assert_ok(s3_state(&w, UID, "pub/new", true, true));
	assert_refused(s3_state(&w, UID, "home/new", true, false));
	assert_ok(s3_state(&w, OWNER, "home/new", true, true));
	bucket_policy(&w, POLICY("{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:"
				 "PutObjectTagging\",\"Resource\":\"" ARN "/*\"}"));
	assert_ok(s3_state(&w, OWNER, "home/new", true, false));
	assert_refused(s3_state(&w, OWNER, "home/new", false, true));
}

static bool count_bucket(void *arg, const struct gml_bucket *bucket)
{
	(void)bucket;
	++*(int *)arg;
	return true;
}

static void test_the_list_of_buckets(void **state)
{
	struct world w = world_of(state);
	struct gml_op op = op_of(UID);
	int buckets = 0;
	assert_ok(gml_bucket_list(&op, w.ns->store, ns_span(""), count_bucket, &buckets));
	assert_int_equal(buckets, 0);
	policy(&w, POLICY(ALLOW("\"s3:ListAllMyBuckets\"", "\"*\"")));
	assert_ok(gml_bucket_list(&op, w.ns->store, ns_span(""), count_bucket, &buckets));
	assert_int_equal(buckets, 1);
	policy(&w, POLICY(DENY("\"s3:ListAllMyBuckets\"", "\"*\"")));
	assert_refused(gml_bucket_list(&op, w.ns->store, ns_span(""), count_bucket, &buckets));
	assert_int_equal(buckets, 1);
}

/* ---- refusals ---- */

static void test_denials_bind_owners_and_root(void **state)
{
	struct world w = world_of(state);
	assert_ok(nfs_open(&w, OWNER, w.secret_f, GML_OPEN_READ));
	bucket_policy(&w,
		      POLICY("{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\","
			     "\"Resource\":\"" ARN "/secret/*\"}"));
	for (uint32_t uid = 0; uid <= OWNER; uid += OWNER) {
		assert_refused(nfs_open(&w, uid, w.secret_f, GML_OPEN_READ));
		assert_refused(s3_get(&w, uid, "secret/f"));
		assert_ok(nfs_open(&w, uid, w.secret_f, GML_OPEN_WRITE));
		assert_ok(nfs_open(&w, uid, w.pub_f, GML_OPEN_READ));
	}
	/* Who opened the store's files is bound by none: the way out. */
	assert_ok(gml_inode_getattr(&admin, w.ns->store, w.secret_f, &(struct gml_attr){0}));
	bucket_policy(&w, POLICY("{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\","
				 "\"Resource\":[" EVERYTHING "]}"));
	assert_refused(nfs_lookup(&w, OWNER, w.root, "pub"));
	assert_refused(nfs_getattr(&w, OWNER, w.pub_f));
	assert_string_equal(nfs_list(&w, OWNER, w.root), "permission denied");
	assert_string_equal(nfs_list(&w, OWNER, GML_INO_ROOT), "");
	assert_ok(nfs_getattr(&w, OWNER, w.root)); /* a mount point answers */
	assert_int_equal(s3_list(&w, OWNER, ""), -GML_ERR_ACCESS);
	assert_ok(gml_bucket_document_set(&admin, w.ns->store, ns_span("bucket"), GML_BUCKET_POLICY,
					  (struct gml_span){NULL, 0}));
	assert_ok(nfs_open(&w, OWNER, w.secret_f, GML_OPEN_READ));
}

static void test_a_boundary_caps_owners(void **state)
{
	const struct gml_identity owner = {GML_IDENTITY_USER, "owner"};
	struct gml_policy cap = {.name = "cap"};
	struct world w = world_of(state);
	assert_ok(gml_policy_put(&admin, w.ns->store, &cap,
				 ns_span(POLICY(ALLOW("\"s3:GetObject\"", KEYS("pub/*"))))));
	assert_ok(gml_policy_boundary_set(&admin, w.ns->store, &owner, "cap"));
	assert_ok(nfs_open(&w, OWNER, w.pub_f, GML_OPEN_READ));
	assert_ok(s3_get(&w, OWNER, "pub/f"));
	/* The way to it is open to who owns it, as it is over S3. */
	assert_ok(nfs_lookup(&w, OWNER, w.root, "pub"));
	assert_refused(nfs_lookup(&w, OWNER, w.root, "home"));
	assert_refused(nfs_open(&w, OWNER, w.pub_f, GML_OPEN_WRITE));
	assert_refused(nfs_open(&w, OWNER, w.ann_f, GML_OPEN_READ));
	assert_refused(s3_get(&w, OWNER, "home/ann/f"));
}

/* ---- several paths ---- */

static void test_hard_links(void **state)
{
	struct world w = world_of(state);
	assert_ok(gml_dir_link(&admin, w.ns->store, w.secret_f, w.pub, ns_span("g"), NULL));
	policy(&w, POLICY(ALLOW("\"s3:GetObject\"", KEYS("pub/*"))));
	assert_ok(nfs_open(&w, UID, w.secret_f, GML_OPEN_READ));
	assert_ok(s3_get(&w, UID, "pub/g"));
	assert_ok(s3_get(&w, UID, "secret/f"));
	policy(&w, POLICY(ALLOW("\"s3:GetObject\"", KEYS("pub/*")) "," DENY("\"s3:GetObject\"",
									    KEYS("secret/*"))));
	assert_refused(nfs_open(&w, UID, w.secret_f, GML_OPEN_READ));
	assert_refused(s3_get(&w, UID, "pub/g"));
	assert_refused(s3_get(&w, UID, "secret/f"));
	assert_ok(nfs_open(&w, UID, w.pub_f, GML_OPEN_READ));
	/* A name that is not denied can be replaced: the file keeps the other one. */
	policy(&w, POLICY(ALLOW("\"s3:PutObject\"", KEYS("pub/*")) "," DENY("\"s3:PutObject\"",
									    KEYS("secret/*"))));
	assert_ok(s3_put(&w, UID, "pub/g"));
	assert_refused(s3_put(&w, UID, "secret/f"));
	policy(&w, POLICY(ALLOW("\"s3:GetObject\"", KEYS("pub/*")) "," DENY("\"s3:GetObject\"",
									    KEYS("secret/*"))));
	assert_ok(s3_get(&w, UID, "pub/g"));
	assert_ok(gml_dir_remove(&admin, w.ns->store, w.pub, ns_span("g"), GML_REMOVE_FILE));
	assert_ok(gml_dir_link(&admin, w.ns->store, w.secret_f, w.pub, ns_span("g"), NULL));
	assert_refused(s3_get(&w, UID, "pub/g"));
	/* The name that was denied is gone. */
	assert_ok(gml_dir_remove(&admin, w.ns->store, w.secret, ns_span("f"), GML_REMOVE_FILE));
	assert_ok(nfs_open(&w, UID, w.secret_f, GML_OPEN_READ));
	assert_ok(s3_get(&w, UID, "pub/g"));
}

#define MOVES "\"s3:PutObject\",\"s3:DeleteObject\""

/* A policy that leads into a closed directory opens nothing else there. */
static void test_a_way_opens_no_modes(void **state)
{
	struct world w = world_of(state);
	gml_ino box = directory(&w, w.ann, "box"), f = file(&w, box, "f");
	own(&w, box, 0755);
	own(&w, f, 0666);
	own(&w, w.root, 0755);
	own(&w, w.home, 0755);
	policy(&w, POLICY(ALLOW("\"s3:PutObject\"", KEYS("home/ann/box/new*"))));
	assert_ok(nfs_create(&w, UID, box, "new"));
	assert_refused(nfs_open(&w, UID, f, GML_OPEN_READ));
	assert_refused(nfs_open(&w, UID, f, GML_OPEN_WRITE));
	assert_refused(s3_get(&w, UID, "home/ann/box/f"));
	assert_refused(nfs_remove(&w, UID, box, "f"));
	own(&w, w.ann, 0711);
	assert_ok(nfs_open(&w, UID, f, GML_OPEN_READ));
	/* One of two ways is enough. */
	own(&w, w.ann, 0700);
	own(&w, w.pub, 0711);
	assert_ok(gml_dir_link(&admin, w.ns->store, f, w.pub, ns_span("g"), NULL));
	assert_ok(nfs_open(&w, UID, f, GML_OPEN_READ));
	own(&w, w.pub, 0700);
	assert_refused(nfs_open(&w, UID, f, GML_OPEN_READ));
}

static bool tag_seen(void *arg, struct gml_span name, struct gml_span value)
{
	(void)name, (void)value;
	++*(int *)arg;
	return true;
}

static void test_tags_are_apart_from_content(void **state)
{
	static const struct gml_meta_pair tag = {GML_LIT("class"), GML_LIT("red")};
	struct world w = world_of(state);
	struct gml_op op = op_of(UID);
	int seen = 0;
	assert_ok(gml_tags_replace(&admin, w.ns->store, w.ann_f, &tag, 1));
	policy(&w, POLICY(ALLOW("\"s3:GetObjectTagging\",\"s3:PutObjectTagging\"",
				KEYS("home/ann/*"))));
	assert_ok(gml_tags_each(&op, w.ns->store, w.ann_f, tag_seen, &seen));
	assert_int_equal(seen, 1);
	assert_refused(s3_get(&w, UID, "home/ann/f"));
	/* A set of no tags is one; its deletion is another action. */
	assert_ok(gml_tags_replace(&op, w.ns->store, w.ann_f, &tag, 0));
	assert_refused(gml_tags_replace(&op, w.ns->store, w.ann_f, NULL, 0));
	policy(&w, POLICY(ALLOW("\"s3:GetObject\"", KEYS("home/ann/*"))));
	assert_refused(gml_tags_each(&op, w.ns->store, w.ann_f, tag_seen, &seen));
	assert_ok(s3_get(&w, UID, "home/ann/f"));
}

static void test_nobody_gains_by_moving(void **state)
{
	struct world w = world_of(state);
	policy(&w, POLICY(ALLOW(MOVES, KEYS("*")) "," ALLOW("\"s3:GetObject\"", KEYS("pub/*"))));
	assert_refused(nfs_rename(&w, UID, w.bob, "f", w.pub, "g"));
	assert_refused(nfs_link(&w, UID, w.bob_f, w.pub, "g"));
	/* To where nothing lets the caller read it; and what it may read. */
	assert_ok(nfs_rename(&w, UID, w.bob, "f", w.bob, "g"));
	assert_ok(nfs_link(&w, UID, w.bob_f, w.ann, "g"));
	assert_ok(nfs_rename(&w, UID, w.pub, "f", w.pub, "g"));
	own(&w, w.secret_f, 0604);
	assert_refused(nfs_rename(&w, UID, w.secret, "f", w.pub, "h"));
	own(&w, w.root, 0755);
	own(&w, w.secret, 0755);
	assert_ok(nfs_rename(&w, UID, w.secret, "f", w.pub, "h"));
	/* Out of what denies. */
	policy(&w, POLICY(ALLOW(MOVES, KEYS("*")) "," DENY("\"s3:GetObject\"", KEYS("home/*"))));
	assert_refused(nfs_rename(&w, UID, w.bob, "g", w.pub, "i"));
	assert_refused(nfs_link(&w, UID, w.bob_f, w.pub, "i"));
}

/* What a policy allows by the new name is nothing that the old one did not. */
static void test_nobody_gains_by_a_further_name(void **state)
{
	struct world w = world_of(state);
	own(&w, w.root, 0755);
	own(&w, w.secret, 0755);
	own(&w, w.secret_f, 0644);
	policy(&w, POLICY(ALLOW("\"s3:PutObject\"", KEYS("pub/*"))));
	assert_refused(nfs_open(&w, UID, w.secret_f, GML_OPEN_WRITE));
	assert_refused(nfs_link(&w, UID, w.secret_f, w.pub, "g"));
	assert_ok(nfs_link(&w, OWNER, w.secret_f, w.pub, "owners"));
	assert_ok(gml_dir_remove(&admin, w.ns->store, w.pub, ns_span("owners"), GML_REMOVE_FILE));
	/* By mode bits the name may be made, and a policy would give the rest. */
	own(&w, w.pub, 0777);
	policy(&w, POLICY(ALLOW("\"s3:PutObjectAcl\"", KEYS("pub/*"))));
	assert_refused(nfs_link(&w, UID, w.secret_f, w.pub, "g"));
	policy(&w, POLICY(ALLOW("\"gemel:Chown\"", KEYS("pub/*"))));
	assert_refused(nfs_link(&w, UID, w.secret_f, w.pub, "g"));
	policy(&w, POLICY(ALLOW("\"s3:PutObjectTagging\"", KEYS("pub/*"))));
	assert_refused(nfs_link(&w, UID, w.secret_f, w.pub, "g"));
	/* What is allowed at both places, or by mode bits. */
	policy(&w, POLICY(ALLOW("\"s3:PutObject\"", KEYS("*"))));
	assert_ok(nfs_link(&w, UID, w.secret_f, w.pub, "g"));
	policy(&w, POLICY(ALLOW("\"s3:PutObject\"", KEYS("home/*"))));
	assert_ok(nfs_link(&w, UID, w.secret_f, w.pub, "h"));
	/* A file that is moved away from one of its names. */
	policy(&w, POLICY(ALLOW("\"s3:DeleteObject\"", KEYS("secret/*")) "," ALLOW(
			   "\"s3:PutObject\"", KEYS("home/ann/*"))));
	assert_refused(nfs_rename(&w, UID, w.secret, "f", w.ann, "mine"));
	assert_ok(nfs_remove(&w, OWNER, w.pub, "g"));
	assert_ok(nfs_remove(&w, OWNER, w.pub, "h"));
	assert_ok(nfs_rename(&w, UID, w.secret, "f", w.ann, "mine"));
}

/* Over NFS the root of a bucket is a directory, and for policies it is the bucket. */
static void test_the_root_is_no_object(void **state)
{
	const struct gml_setattr open = {.mask = GML_SET_MODE, .mode = 0777},
				 take = {.mask = GML_SET_UID, .uid = UID};
	struct world w = world_of(state);
	struct gml_op op = op_of(UID), owner = op_of(OWNER);
	policy(&w,
	       POLICY(ALLOW("\"s3:PutObjectAcl\",\"s3:PutObject\",\"gemel:Chown\"", KEYS("*"))));
	assert_ok(gml_inode_setattr(&op, w.ns->store, w.pub, &open, NULL));
	assert_rc(gml_inode_setattr(&op, w.ns->store, w.root, &open, NULL), GML_ERR_PERM);
	assert_ok(gml_inode_setattr(&op, w.ns->store, w.pub, &take, NULL));
	assert_rc(gml_inode_setattr(&op, w.ns->store, w.root, &take, NULL), GML_ERR_PERM);
	policy(&w, POLICY(ALLOW("\"s3:PutBucketAcl\"", "\"" ARN "\"")));
	assert_ok(gml_inode_setattr(&op, w.ns->store, w.root, &open, NULL));
	bucket_policy(&w, POLICY("{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:"
				 "PutBucketAcl\",\"Resource\":\"" ARN "\"}"));
	assert_refused(gml_inode_setattr(&owner, w.ns->store, w.root, &open, NULL));
	assert_ok(gml_inode_setattr(&owner, w.ns->store, w.home, &open, NULL));
}

static void test_uploads_ask_for_what_they_do(void **state)
{
	const struct gml_object_ref ref = {.bucket = B, .key = ns_span("pub/up")};
	struct world w = world_of(state);
	char id[GML_UPLOAD_ID_LEN + 1];
	struct gml_op op = op_of(UID);
	struct gml_put *put = NULL;
	op.context.protocol = GML_PROTOCOL_S3;
	policy(&w, POLICY(ALLOW("\"s3:PutObject\"", KEYS("pub/*")) "," DENY(
			   "\"s3:ListBucketMultipartUploads\"", "\"*\"")));
	assert_ok(gml_upload_create(&op, w.ns->store, &ref,
				    &(struct gml_upload_options){.attrs = NULL}, id));
	const struct gml_upload_ref upload = {ref, ns_span(id)};
	assert_ok(gml_part_begin(&op, w.ns->store, &upload, 1, 0, &put));
	gml_put_abort(put);
	/* Whoever may write the key may fill an upload of it. */
	user(&w, "bob", UID + 2);
	op = op_of(UID + 2);
	op.context.protocol = GML_PROTOCOL_S3;
	assert_refused(gml_part_begin(&op, w.ns->store, &upload, 1, 0, &put));
	bucket_policy(&w, POLICY("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::"
				 "000000000000:user/bob\"},\"Action\":\"s3:PutObject\","
				 "\"Resource\":\"" ARN "/pub/*\"}"));
	assert_ok(gml_part_begin(&op, w.ns->store, &upload, 1, 0, &put));
	gml_put_abort(put);
	assert_refused(gml_upload_abort(&op, w.ns->store, &upload));
}

static void test_directories_move_whole(void **state)
{
	struct world w = world_of(state);
	policy(&w, POLICY(ALLOW(MOVES, KEYS("home/*"))));
	assert_ok(nfs_rename(&w, UID, w.home, "bob", w.home, "bill"));
	assert_refused(nfs_rename(&w, UID, w.root, "pub", w.home, "pub"));
	assert_refused(nfs_rename(&w, UID, w.home, "bill", w.root, "bill"));
	/* Where single keys decide. */
	policy(&w, POLICY(ALLOW(MOVES, KEYS("home/*")) "," DENY("\"s3:DeleteObject\"",
								KEYS("home/bill/f*"))));
	assert_refused(nfs_rename(&w, UID, w.home, "bill", w.home, "bob"));
	policy(&w, POLICY(ALLOW(MOVES, KEYS("home/*")) "," ALLOW("\"s3:GetObject\"",
								 KEYS("home/read/*"))));
	assert_refused(nfs_rename(&w, UID, w.home, "bill", w.home, "read"));
	bucket_policy(
		&w, POLICY("{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\","
			   "\"Resource\":\"" ARN "/home/root/*\"}"));
	assert_ok(nfs_rename(&w, 0, w.home, "bill", w.home, "root")); /* which gains nothing */
	assert_ok(nfs_rename(&w, 0, w.home, "root", w.home, "bill"));
	assert_ok(nfs_rename(&w, UID, w.home, "bill", w.home, "bob"));
	/* The owner moves by mode bits, unless something is refused. */
	assert_ok(nfs_rename(&w, OWNER, w.root, "pub", w.root, "public"));
	bucket_policy(&w,
		      POLICY("{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\","
			     "\"Resource\":\"" ARN "/public/x\"}"));
	assert_refused(nfs_rename(&w, OWNER, w.root, "public", w.root, "pub"));
}

/* ---- what is open ---- */

static void test_open_files_ask_again(void **state)
{
	struct world w = world_of(state);
	struct gml_op op = op_of(UID), owner = op_of(OWNER);
	struct iovec iov = {"x", 1};
	struct gml_file *file, *theirs;
	char byte[1];
	bool eof;
	size_t got;
	policy(&w, POLICY(ALLOW("\"s3:GetObject\",\"s3:PutObject\"", KEYS("*"))));
	assert_ok(gml_file_open(&op, w.ns->store, w.pub_f, GML_OPEN_READ | GML_OPEN_WRITE, &file));
	assert_ok(gml_file_open(&owner, w.ns->store, w.pub_f, GML_OPEN_READ, &theirs));
	for (int i = 0; i < 3; i++) {
		assert_ok(gml_file_read(&op, file, 0, (struct gml_buf){byte, 1}, &got, &eof));
		assert_ok(gml_file_write(&op, file, 0, &iov, 1, false));
	}
	policy(&w, POLICY(ALLOW("\"s3:PutObject\"", KEYS("*"))));
	assert_refused(gml_file_read(&op, file, 0, (struct gml_buf){byte, 1}, &got, &eof));
	assert_ok(gml_file_write(&op, file, 0, &iov, 1, false));
	/* The right ends with the name that gave it. */
	policy(&w, POLICY(ALLOW("\"s3:GetObject\"", KEYS("pub/f"))));
	assert_ok(gml_file_read(&op, file, 0, (struct gml_buf){byte, 1}, &got, &eof));
	assert_refused(gml_file_write(&op, file, 0, &iov, 1, false));
	assert_ok(nfs_rename(&w, OWNER, w.pub, "f", w.pub, "g"));
	assert_refused(gml_file_read(&op, file, 0, (struct gml_buf){byte, 1}, &got, &eof));
	assert_ok(nfs_rename(&w, OWNER, w.pub, "g", w.pub, "f"));
	assert_ok(gml_file_read(&op, file, 0, (struct gml_buf){byte, 1}, &got, &eof));
	assert_ok(nfs_rename(&w, OWNER, w.root, "pub", w.root, "public"));
	assert_refused(gml_file_read(&op, file, 0, (struct gml_buf){byte, 1}, &got, &eof));
	assert_ok(gml_file_read(&owner, theirs, 0, (struct gml_buf){byte, 1}, &got, &eof));
	assert_ok(gml_file_close(&op, file));
	assert_ok(gml_file_close(&owner, theirs));
}

/* ---- buckets that demand both ---- */

static void demand(struct world *w, const char *what)
{
	const struct gml_span none = {NULL, 0};
	assert_ok(gml_bucket_document_set(&admin, w->ns->store, ns_span("bucket"),
					  GML_BUCKET_ACCESS, what != NULL ? ns_span(what) : none));
}

/* Everybody may read pub/f by its mode, and OWNER may do all. */
static struct world open_world_of(void **state)
{
	struct world w = world_of(state);
	own(&w, w.root, 0755);
	own(&w, w.pub, 0755);
	own(&w, w.pub_f, 0644);
	assert_ok(s3_get(&w, UID, "pub/f"));
	demand(&w, GML_ACCESS_BOTH);
	return w;
}

static void test_both_without_a_policy(void **state)
{
	struct world w = open_world_of(state);
	struct gml_op owner = op_of(OWNER);
	int buckets = 0;
	for (uint32_t uid = 0; uid <= OWNER; uid = uid == 0 ? UID : uid + 1) {
		assert_refused(s3_get(&w, uid, "pub/f"));
		assert_refused(s3_put(&w, uid, "pub/f"));
		assert_int_equal(s3_list(&w, uid, ""), -GML_ERR_ACCESS);
		assert_refused(nfs_open(&w, uid, w.pub_f, GML_OPEN_READ));
		assert_refused(nfs_lookup(&w, uid, w.root, "pub"));
		assert_refused(nfs_lookup(&w, uid, w.root, "none"));
		assert_refused(nfs_getattr(&w, uid, w.pub_f));
		assert_int_equal(nfs_access(&w, uid, w.pub), 0);
		assert_string_equal(nfs_list(&w, uid, w.root), "permission denied");
		assert_string_equal(nfs_list(&w, uid, GML_INO_ROOT), "");
		assert_ok(nfs_getattr(&w, uid, w.root)); /* a mount point answers */
	}
	assert_refused(gml_bucket_delete(&owner, w.ns->store, ns_span("bucket")));
	assert_ok(gml_bucket_list(&owner, w.ns->store, ns_span(""), count_bucket, &buckets));
	assert_int_equal(buckets, 1);
	assert_ok(gml_inode_getattr(&admin, w.ns->store, w.secret_f, &(struct gml_attr){0}));
	demand(&w, NULL);
	assert_ok(s3_get(&w, UID, "pub/f"));
	assert_ok(nfs_open(&w, OWNER, w.secret_f, GML_OPEN_READ));
}

static void test_both_with_a_policy(void **state)
{
	struct world w = open_world_of(state);
	policy(&w, POLICY(ALLOW("\"s3:*Object\"", KEYS("pub/*") "," KEYS("secret/*"))));
	assert_ok(s3_get(&w, UID, "pub/f"));
	assert_ok(nfs_open(&w, UID, w.pub_f, GML_OPEN_READ));
	assert_ok(nfs_lookup(&w, UID, w.root, "pub"));
	assert_ok(nfs_lookup(&w, UID, w.pub, "f"));
	assert_refused(nfs_lookup(&w, UID, w.root, "home"));
	assert_string_equal(nfs_list(&w, UID, GML_INO_ROOT), "bucket ");
	assert_string_equal(nfs_list(&w, UID, w.root), "pub secret ");
	/* The policy allows these, and the modes do not. */
	assert_refused(s3_get(&w, UID, "secret/f"));
	assert_refused(nfs_open(&w, UID, w.secret_f, GML_OPEN_READ));
	assert_refused(nfs_lookup(&w, UID, w.secret, "f"));
	assert_string_equal(nfs_list(&w, UID, w.secret), "permission denied");
	assert_refused(s3_put(&w, UID, "pub/f"));
	assert_refused(s3_put(&w, UID, "pub/new"));
	assert_refused(nfs_open(&w, UID, w.pub_f, GML_OPEN_WRITE));
	assert_refused(nfs_remove(&w, UID, w.pub, "f"));
	own(&w, w.pub, 0777);
	own(&w, w.pub_f, 0666);
	assert_ok(nfs_open(&w, UID, w.pub_f, GML_OPEN_WRITE));
	assert_ok(nfs_create(&w, UID, w.pub, "new"));
	assert_ok(s3_put(&w, UID, "pub/deep/new"));
	assert_ok(nfs_remove(&w, UID, w.pub, "f"));
	/* `r` or the policy alone list nothing. */
	assert_int_equal(s3_list(&w, UID, "pub/"), -GML_ERR_ACCESS);
	policy(&w, POLICY(ALLOW("\"s3:ListBucket\"", "\"" ARN "\"")));
	assert_int_equal(s3_list(&w, UID, "pub/"), 2);
	assert_int_equal(s3_list(&w, UID, "home/"), -GML_ERR_ACCESS);
	assert_string_equal(nfs_list(&w, UID, w.root), "home pub secret ");
	assert_string_equal(nfs_list(&w, UID, w.home), "permission denied");
}

/* Ownership is the other side: of the owner, a policy has to allow what it does. */
static void test_both_for_the_owner(void **state)
{
	struct world w = open_world_of(state);
	struct gml_op owner = op_of(OWNER), other = op_of(UID);
	bucket_policy(&w, POLICY("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":"
				 "\"000000000000\"},\"Action\":\"s3:*\",\"Resource\":[" EVERYTHING
				 "]}"));
	assert_ok(s3_get(&w, OWNER, "secret/f"));
	assert_ok(s3_put(&w, OWNER, "secret/f"));
	assert_ok(s3_put(&w, OWNER, "a/b/c"));
	assert_ok(nfs_create(&w, OWNER, w.home, "made"));
	assert_ok(nfs_rename(&w, OWNER, w.root, "pub", w.root, "public"));
	assert_ok(nfs_rename(&w, OWNER, w.home, "made", w.secret, "made"));
	assert_ok(nfs_link(&w, OWNER, w.ann_f, w.secret, "linked"));
	assert_string_equal(nfs_list(&w, OWNER, w.secret), "f made linked ");
	assert_ok(gml_bucket_may(&owner, w.ns->store, ns_span("bucket"),
				 GML_ACTION_PUT_BUCKET_POLICY, NULL));
	assert_refused(gml_bucket_may(&other, w.ns->store, ns_span("bucket"),
				      GML_ACTION_PUT_BUCKET_POLICY, NULL));
	assert_refused(s3_get(&w, UID, "secret/f"));
	bucket_policy(&w, POLICY("{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:"
				 "GetObject\",\"Resource\":\"" ARN "/secret/*\"}"));
	assert_refused(s3_get(&w, OWNER, "secret/f"));
}

/* What the mode bits of a file grant counts only where the way to it is open. */
static void test_the_way_grants_nothing_else(void **state)
{
	const struct gml_create create = {.access = GML_OPEN_READ,
					  .disposition = GML_CREATE_UNCHECKED};
	struct world w = world_of(state);
	struct gml_op op = op_of(UID);
	struct gml_file *opened;
	own(&w, w.root, 0755);
	own(&w, w.ann_f, 0644);
	policy(&w, POLICY(ALLOW("\"s3:PutObject\"", KEYS("home/ann/*"))));
	assert_ok(nfs_lookup(&w, UID, w.ann, "f"));
	assert_refused(s3_get(&w, UID, "home/ann/f"));
	assert_refused(gml_file_create(&op, w.ns->store, w.ann, ns_span("f"), &create, &opened));
	assert_null(opened);
}

/* As many statements as a policy may have can ask for one value. */
static void test_a_value_that_many_ask_for(void **state)
{
	static const struct gml_meta_pair team = {{"team", 4}, {"pub", 3}};
	static const char head[] = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":"
				   "\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\","
				   "\"Resource\":[";
	struct world w = world_of(state);
	char text[20480];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", head);
	assert_ok(gml_tags_set(&admin, w.ns->store, &ann, &team, 1));
	for (int i = 0; i < 200; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"\"" ARN "/${aws:PrincipalTag/team}/%d\",", i);
	snprintf(text + len, sizeof(text) - len, "\"" ARN "/${aws:PrincipalTag/team}/f\"]}]}");
	bucket_policy(&w, text);
	assert_ok(s3_get(&w, UID, "pub/f"));
	assert_refused(s3_get(&w, UID, "secret/f"));
}

static int explained(struct world *w, const char *action, const char *key, enum gml_protocol door,
		     struct gml_explanation *out)
{
	const struct gml_explain_question question = {.principal = op_of(UID).principal,
						      .context.protocol = door,
						      .action = action,
						      .place = {.bucket = B, .key = ns_span(key)}};
	return gml_explain(w->ns->store, &question, out);
}

static int damage_fn(struct gml_txn *txn, void *arg)
{
	const struct gml_rec_identity user = {GML_IDENTITY_USER, ns_span("ann")};
	(void)arg;
	return gml_rec_inline_put(txn, &user, ns_span("own"), ns_span("{"));
}

/* What cannot be read allows nothing, and is no refusal that a policy could change. */
static void test_a_damaged_policy(void **state)
{
	struct world w = world_of(state);
	struct gml_explanation why;
	policy(&w, POLICY(ALLOW("\"s3:*\"", EVERYTHING)));
	assert_ok(gml_meta_update(w.ns->store->meta, damage_fn, NULL));
	assert_rc(s3_get(&w, UID, "pub/f"), GML_ERR_CORRUPT);
	assert_rc(nfs_open(&w, UID, w.pub_f, GML_OPEN_READ), GML_ERR_CORRUPT);
	assert_rc(explained(&w, "s3:GetObject", "pub/f", GML_PROTOCOL_S3, &why), GML_ERR_CORRUPT);
	assert_ok(s3_get(&w, OWNER, "pub/f"));
	policy(&w, POLICY(ALLOW("\"s3:GetObject\"", EVERYTHING)));
	assert_ok(s3_get(&w, UID, "pub/f"));
}

static void test_explained_as_it_is_asked(void **state)
{
	struct world w = world_of(state);
	struct gml_explanation why;
	policy(&w, POLICY(ALLOW("\"s3:GetObject\"", KEYS("pub/*"))));
	assert_ok(explained(&w, "s3:GetObjectAcl", "pub/f", GML_PROTOCOL_NFS, &why));
	assert_refused(why.rc);
	policy(&w, POLICY(ALLOW("\"s3:GetObjectAcl\"", KEYS("pub/*"))));
	assert_ok(explained(&w, "s3:GetObjectAcl", "pub/f", GML_PROTOCOL_NFS, &why));
	assert_ok(why.rc);
	assert_int_equal(why.statement, 0);
}

static void test_reasons(void **state)
{
	static const struct {
		const char *document;
		enum gml_reason reason;
	} table[] = {
		{POLICY(ALLOW("\"s3:GetObject\"", KEYS("pub/f"))), GML_REASON_POLICY},
		{POLICY(DENY("\"s3:GetObject\"", KEYS("pub/f"))), GML_REASON_DENIED},
		{POLICY(ALLOW("\"s3:GetObject\"", KEYS("pub/g"))), GML_REASON_BARRED},
	};
	struct world w = world_of(state);
	struct gml_op op = op_of(UID);
	struct gml_inode inode = ns_record(w.ns, w.pub_f);
	const struct gml_target target = {.inode = &inode, .barred = true};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct gml_verdict verdict;
		struct gml_txn *txn;
		int rc;
		policy(&w, table[i].document);
		assert_ok(gml_meta_read_begin(w.ns->store->meta, &txn));
		rc = gml_authorize(txn, &op.principal, GML_ACTION_OPEN_READ, &target, &op.context,
				   &verdict);
		gml_meta_read_end(txn);
		assert_int_equal(verdict.reason, table[i].reason);
		assert_int_equal(rc, table[i].reason == GML_REASON_POLICY ? 0 : GML_ERR_ACCESS);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_file_and_the_way_to_it),
		T(test_listings),
		T(test_prefixes_are_of_listings),
		T(test_tags_of_buckets),
		T(test_listings_of_versions),
		T(test_changes),
		T(test_what_a_new_object_states),
		T(test_the_list_of_buckets),
		T(test_denials_bind_owners_and_root),
		T(test_a_boundary_caps_owners),
		T(test_hard_links),
		T(test_a_way_opens_no_modes),
		T(test_tags_are_apart_from_content),
		T(test_nobody_gains_by_moving),
		T(test_nobody_gains_by_a_further_name),
		T(test_the_root_is_no_object),
		T(test_uploads_ask_for_what_they_do),
		T(test_directories_move_whole),
		T(test_open_files_ask_again),
		T(test_both_without_a_policy),
		T(test_both_with_a_policy),
		T(test_both_for_the_owner),
		T(test_the_way_grants_nothing_else),
		T(test_a_value_that_many_ask_for),
		T(test_a_damaged_policy),
		T(test_explained_as_it_is_asked),
		T(test_reasons),
	};
	return cmocka_run_group_tests_name("policy_rights", tests, NULL, NULL);
}
