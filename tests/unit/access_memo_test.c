// SPDX-License-Identifier: Apache-2.0
/* What policies said about inodes is remembered, and never outlives what it follows from. Each
 * question is asked twice: over NFS, whose answers are remembered, and as by the server itself,
 * whose answers are not. */
#include <pthread.h>
#include <sys/wait.h>
#include <gemel/account.h>
#include <gemel/acl.h>
#include <gemel/iam.h>
#include <gemel/policy.h>
#include "gateway/base/calendar.h"
#include "gateway/iam/access_memo.h"
#include "gateway/iam/authorize.h"
#include "ns_support.h"

#define UID 1000
#define OWNER 1001
#define GUEST 2000

static struct gml_op admin = GML_OP_LOCAL;
static const struct gml_identity ann = {GML_IDENTITY_USER, "ann"},
				 team = {GML_IDENTITY_GROUP, "team"},
				 role = {GML_IDENTITY_ROLE, "night"};

#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define STATEMENT(effect, action, keys, more)                                                      \
	"{\"Effect\":\"" effect "\",\"Action\":\"" action                                          \
	"\",\"Resource\":\"arn:aws:s3:::bucket/" keys "\"" more "}"
#define READ(keys) STATEMENT("Allow", "s3:GetObject", keys, "")
#define FOR(who) ",\"Principal\":" who
#define WHEN(test, key, value) ",\"Condition\":{\"" test "\":{\"" key "\":\"" value "\"}}"

/* pub/deep/f, secret/: OWNER's. */
struct world {
	struct ns *ns;
	gml_ino root, pub, deep, secret, f;
	struct gml_file *file; /* f, open */
};

static void own(struct gml_store *store, gml_ino ino, uint32_t mode)
{
	const struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_UID | GML_SET_GID,
					.mode = mode,
					.uid = OWNER,
					.gid = OWNER};
	assert_ok(gml_inode_setattr(&admin, store, ino, &set, NULL));
}

static void user_new(struct ns *ns, const char *name, uint32_t uid)
{
	struct gml_user user = {.uid = uid, .gid = uid};
	snprintf(user.name, sizeof(user.name), "%s", name);
	assert_ok(gml_user_create(&admin, ns->store, &user));
}

static void file_open(struct world *w)
{
	assert_ok(gml_file_open(&admin, w->ns->store, w->f, GML_OPEN_READ | GML_OPEN_WRITE,
				&w->file));
}

static struct world world_of(void **state)
{
	struct world w = {.ns = *state};
	struct gml_store *store = w.ns->store;
	w.root = w.ns->bucket;
	w.pub = ns_mkdir(w.ns, w.root, "pub");
	w.deep = ns_mkdir(w.ns, w.pub, "deep");
	w.secret = ns_mkdir(w.ns, w.root, "secret");
	w.f = ns_put(w.ns, w.deep, "f", "content");
	own(store, w.root, 0755);
	own(store, w.pub, 0755);
	own(store, w.deep, 0755);
	own(store, w.secret, 0755);
	own(store, w.f, 0600);
	user_new(w.ns, "ann", UID);
	user_new(w.ns, "owner", OWNER);
	file_open(&w);
	return w;
}

static void world_end(struct world *w)
{
	assert_ok(gml_file_close(&admin, w->file));
}

/* ---- questions ---- */

static struct gml_op op_of(struct gml_store *store, uint32_t uid, enum gml_protocol protocol)
{
	const struct gml_cred cred = {.uid = uid, .gid = uid};
	struct gml_op op = {.context = {.protocol = protocol}};
	gml_principal_of_uid(store, &cred, GML_AUTHN_SYS, &op.principal);
	return op;
}

static int op_read(struct gml_op *op, struct gml_file *file)
{
	char byte[1];
	size_t got;
	bool eof;
	return gml_file_read(op, file, 0, (struct gml_buf){byte, 1}, &got, &eof);
}

static bool op_count(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	(void)name, (void)attr;
	++*(int *)arg;
	return true;
}

/* What a caller may of an inode, and of a directory what it shows. */
struct seen {
	int getattr, access, lookup, opens[2], list;
	unsigned granted;
};

static struct seen op_sees(struct gml_op *op, struct gml_store *store, gml_ino ino)
{
	struct seen seen = {.granted = 0};
	const struct gml_dir_query query = {.each = op_count, .arg = &seen.list};
	struct gml_file *file;
	struct gml_attr attr;
	bool eof;
	seen.getattr = gml_inode_getattr(op, store, ino, &attr);
	seen.lookup = gml_dir_lookup(op, store, ino, ns_span("deep"), &attr);
	seen.access = gml_inode_access(op, store, ino, GML_MAY_ALL, &seen.granted);
	for (unsigned i = 0; i < 2; i++) {
		seen.opens[i] = gml_file_open(op, store, ino, GML_OPEN_READ << i, &file);
		(void)gml_file_close(op, file);
	}
	if (gml_dir_read(op, store, ino, &query, &eof) != 0)
		seen.list = -1;
	return seen;
}

/* The same answers, remembered or not. */
static struct seen sees(struct gml_store *store, uint32_t uid, gml_ino ino)
{
	struct gml_op over_nfs = op_of(store, uid, GML_PROTOCOL_NFS),
		      anew = op_of(store, uid, GML_PROTOCOL_LOCAL);
	struct seen first = op_sees(&over_nfs, store, ino), second = op_sees(&over_nfs, store, ino),
		    want = op_sees(&anew, store, ino);
	assert_memory_equal(&first, &want, sizeof(want));
	assert_memory_equal(&second, &want, sizeof(want));
	return want;
}

/* May the caller read the file that is open? */
static bool reads(struct world *w, uint32_t uid)
{
	struct gml_op over_nfs = op_of(w->ns->store, uid, GML_PROTOCOL_NFS),
		      anew = op_of(w->ns->store, uid, GML_PROTOCOL_LOCAL);
	int rc = op_read(&over_nfs, w->file);
	assert_rc(op_read(&over_nfs, w->file), rc);
	assert_rc(op_read(&anew, w->file), rc);
	if (rc != 0)
		assert_rc(rc, GML_ERR_ACCESS);
	return rc == 0;
}

/* ---- changes ---- */

static int managed(struct gml_store *store, const char *name, const char *document)
{
	struct gml_policy policy = {.created = 0};
	snprintf(policy.name, sizeof(policy.name), "%s", name);
	return gml_policy_put(&admin, store, &policy, ns_span(document));
}

static int inlined(struct gml_store *store, const char *document)
{
	return document != NULL
		       ? gml_policy_inline_put(&admin, store, &ann, "own", ns_span(document))
		       : gml_policy_inline_delete(&admin, store, &ann, "own");
}

static int bucket_set(struct gml_store *store, enum gml_bucket_document kind, const char *text)
{
	return gml_bucket_document_set(&admin, store, ns_span("bucket"), kind,
				       text != NULL ? ns_span(text) : (struct gml_span){NULL, 0});
}

static int disable(struct gml_store *store, bool yes)
{
	struct gml_user user;
	int rc = gml_user_get(store, "ann", &user);
	user.flags = yes ? GML_USER_DISABLED : 0;
	return rc == 0 ? gml_user_update(&admin, store, &user) : rc;
}

static int tag(struct gml_store *store, const char *value)
{
	const struct gml_meta_pair pair = {ns_span("project"), ns_span(value)};
	return gml_tags_set(&admin, store, &ann, &pair, 1);
}

static int object_tag(const struct world *w, struct gml_store *store, const char *value)
{
	return gml_xattr_set(&admin, store, w->f, ns_span("user.s3.tag.colour"), ns_span(value),
			     GML_XATTR_EITHER);
}

static int move(struct gml_store *store, gml_ino from, const char *name, gml_ino to,
		const char *new_name)
{
	return gml_dir_rename(&admin, store, from, ns_span(name), to, ns_span(new_name));
}

static int chmod_to(const struct world *w, struct gml_store *store, uint32_t mode)
{
	const struct gml_setattr set = {.mask = GML_SET_MODE, .mode = mode};
	return gml_inode_setattr(&admin, store, w->f, &set, NULL);
}

static int chown_to(const struct world *w, struct gml_store *store, uint32_t uid)
{
	const struct gml_setattr set = {.mask = GML_SET_UID, .uid = uid};
	return gml_inode_setattr(&admin, store, w->f, &set, NULL);
}

static int acl_for_ann(const struct world *w, struct gml_store *store, bool yes)
{
	static struct gml_acl acl;
	const struct gml_setattr set = {.mask = GML_SET_ACL, .acl = &acl};
	acl.count = 1;
	acl.aces[0] = (struct gml_ace){.type = GML_ACE_ALLOW,
				       .who = GML_ACE_UID,
				       .id = yes ? UID : OWNER,
				       .mask = GML_ACE_READ_DATA};
	return gml_inode_setattr(&admin, store, w->f, &set, NULL);
}

static int root_mode(const struct world *w, struct gml_store *store, uint32_t mode)
{
	const struct gml_setattr set = {.mask = GML_SET_MODE, .mode = mode};
	return gml_inode_setattr(&admin, store, w->root, &set, NULL);
}

static int role_new(struct gml_store *store)
{
	struct gml_role made = {.name = "night"};
	int rc = gml_role_create(&admin, store, &made, (struct gml_span){NULL, 0});
	return rc == 0 ? gml_policy_attach(&admin, store, &role, "Read") : rc;
}

#define RESTRICT GML_RESTRICT_PUBLIC_BUCKETS
#define EVERYONE READ_FOR("\"*\"")
#define READ_FOR(who) STATEMENT("Allow", "s3:GetObject", "*", FOR(who))
#define NOT_ANN                                                                                    \
	STATEMENT("Deny", "s3:GetObject", "*",                                                     \
		  FOR("{\"AWS\":\"arn:aws:iam::000000000000:"                                      \
		      "user/ann\"}"))
#define PROJECT                                                                                    \
	STATEMENT("Allow", "s3:GetObject", "pub/*",                                                \
		  WHEN("StringEquals", "aws:PrincipalTag/project", "atlas"))
#define COLOUR                                                                                     \
	STATEMENT("Allow", "s3:GetObject", "pub/*",                                                \
		  WHEN("StringEquals", "s3:ExistingObjectTag/colour", "blue"))
#define PREFIX                                                                                     \
	STATEMENT("Allow", "s3:GetObject", "*", WHEN("StringEquals", "s3:prefix", "pub/deep/"))
#define BUT_SECRET READ("pub/*") "," STATEMENT("Deny", "s3:GetObject", "secret/*", "")

/* STEP(what is done, may ann read the open file then, may a guest) */
#define STEPS(STEP)                                                                                \
	STEP(managed(s, "Read", POLICY(READ("pub/*"))), false, false)                              \
	STEP(gml_group_create(&admin, s, "team", NULL), false, false)                              \
	STEP(gml_policy_attach(&admin, s, &team, "Read"), false, false)                            \
	STEP(gml_group_add(&admin, s, "team", "ann"), true, false)                                 \
	STEP(gml_group_remove(&admin, s, "team", "ann"), false, false)                             \
	STEP(gml_group_add(&admin, s, "team", "ann"), true, false)                                 \
	STEP(gml_policy_detach(&admin, s, &team, "Read"), false, false)                            \
	STEP(gml_policy_attach(&admin, s, &ann, "Read"), true, false)                              \
	STEP(managed(s, "Read", POLICY(READ("secret/*"))), false, false)                           \
	STEP(managed(s, "Read", POLICY(READ("pub/*"))), true, false)                               \
	STEP(managed(s, "Limit", POLICY(READ("secret/*"))), true, false)                           \
	STEP(gml_policy_boundary_set(&admin, s, &ann, "Limit"), false, false)                      \
	STEP(managed(s, "Limit", POLICY(READ("*"))), true, false)                                  \
	STEP(managed(s, "Limit", POLICY(READ("secret/*"))), false, false)                          \
	STEP(gml_policy_boundary_set(&admin, s, &ann, NULL), true, false)                          \
	STEP(role_new(s), true, false)                                                             \
	STEP(gml_policy_detach(&admin, s, &ann, "Read"), false, false)                             \
	STEP(inlined(s, POLICY(READ("pub/*"))), true, false)                                       \
	STEP(inlined(s, NULL), false, false)                                                       \
	STEP(root_mode(w, s, 0700), false, false)                                                  \
	STEP(bucket_set(s, GML_BUCKET_POLICY, POLICY(EVERYONE)), true, true)                       \
	STEP(bucket_set(s, GML_BUCKET_PUBLIC_ACCESS_BLOCK, "RestrictPublicBuckets"), true, false)  \
	STEP(bucket_set(s, GML_BUCKET_PUBLIC_ACCESS_BLOCK, NULL), true, true)                      \
	STEP(gml_account_set(&admin, s, &(struct gml_account){RESTRICT}), true, false)             \
	STEP(gml_account_set(&admin, s, &(struct gml_account){0}), true, true)                     \
	STEP(bucket_set(s, GML_BUCKET_OWNERSHIP, "ObjectWriter"), true, true)                      \
	STEP(bucket_set(s, GML_BUCKET_POLICY, POLICY(EVERYONE "," NOT_ANN)), false, true)          \
	STEP(bucket_set(s, GML_BUCKET_POLICY, NULL), false, false)                                 \
	STEP(root_mode(w, s, 0755), false, false)                                                  \
	STEP(inlined(s, POLICY(PREFIX)), false, false)                                             \
	STEP(inlined(s, POLICY(PROJECT)), false, false)                                            \
	STEP(tag(s, "atlas"), true, false)                                                         \
	STEP(tag(s, "other"), false, false)                                                        \
	STEP(inlined(s, POLICY(COLOUR)), false, false)                                             \
	STEP(object_tag(w, s, "blue"), true, false)                                                \
	STEP(object_tag(w, s, "red"), false, false)                                                \
	STEP(inlined(s, POLICY(READ("pub/*"))), true, false)                                       \
	STEP(disable(s, true), false, false)                                                       \
	STEP(disable(s, false), true, false)                                                       \
	STEP(move(s, w->root, "pub", w->root, "public"), false, false)                             \
	STEP(move(s, w->root, "public", w->root, "pub"), true, false)                              \
	STEP(move(s, w->pub, "deep", w->secret, "deep"), false, false)                             \
	STEP(move(s, w->secret, "deep", w->pub, "deep"), true, false)                              \
	STEP(move(s, w->deep, "f", w->secret, "f"), false, false)                                  \
	STEP(move(s, w->secret, "f", w->deep, "f"), true, false)                                   \
	STEP(inlined(s, POLICY(BUT_SECRET)), true, false)                                          \
	STEP(gml_dir_link(&admin, s, w->f, w->secret, ns_span("g"), NULL), false, false)           \
	STEP(move(s, w->secret, "g", w->pub, "g"), true, false)                                    \
	STEP(move(s, w->pub, "g", w->secret, "g"), false, false)                                   \
	STEP(move(s, w->root, "secret", w->root, "open"), true, false)                             \
	STEP(move(s, w->root, "open", w->root, "secret"), false, false)                            \
	STEP(gml_dir_remove(&admin, s, w->secret, ns_span("g"), GML_REMOVE_FILE), true, false)     \
	STEP(chmod_to(w, s, 0604), true, true)                                                     \
	STEP(bucket_set(s, GML_BUCKET_ACCESS, "both"), true, false)                                \
	STEP(chmod_to(w, s, 0600), false, false)                                                   \
	STEP(chmod_to(w, s, 0604), true, false)                                                    \
	STEP(inlined(s, NULL), false, false)                                                       \
	STEP(bucket_set(s, GML_BUCKET_ACCESS, NULL), true, true)                                   \
	STEP(chmod_to(w, s, 0604), true, true)                                                     \
	STEP(chmod_to(w, s, 0600), false, false)                                                   \
	STEP(acl_for_ann(w, s, true), true, false)                                                 \
	STEP(acl_for_ann(w, s, false), false, false)                                               \
	STEP(chown_to(w, s, UID), true, false)                                                     \
	STEP(chown_to(w, s, OWNER), false, false)                                                  \
	STEP(inlined(s, POLICY(READ("pub/*"))), true, false)                                       \
	STEP(gml_dir_remove(&admin, s, w->deep, ns_span("f"), GML_REMOVE_FILE), false, false)      \
	STEP(inlined(s, POLICY(READ("*"))), true, false)

#define STEP_ONE(what, ann_reads, guest_reads) {#what, ann_reads, guest_reads},
static const struct step {
	const char *what;
	bool ann, guest;
} steps[] = {STEPS(STEP_ONE)};
#define STEP_COUNT ((int)(sizeof(steps) / sizeof(steps[0])))

#define STEP_RUN(what, ann_reads, guest_reads)                                                     \
	if (number-- == 0)                                                                         \
		return what;
static int step_run(const struct world *w, struct gml_store *s, int number)
{
	STEPS(STEP_RUN)
	return GML_ERR_INVAL;
}

static void step_expect(struct world *w, int number)
{
	const struct step *step = &steps[number];
	if (reads(w, UID) != step->ann || reads(w, GUEST) != step->guest)
		fail_msg("%s: ann %d, guest %d", step->what, !step->ann, !step->guest);
	(void)reads(w, OWNER);
	(void)sees(w->ns->store, UID, w->deep);
	(void)sees(w->ns->store, UID, w->root);
	(void)sees(w->ns->store, GUEST, w->pub);
	if (number < STEP_COUNT - 2) { /* it has a name */
		(void)sees(w->ns->store, UID, w->f);
		(void)sees(w->ns->store, GUEST, w->f);
	}
}

static void test_changes(void **state)
{
	struct world w = world_of(state);
	for (int i = 0; i < STEP_COUNT; i++) {
		assert_ok(step_run(&w, w.ns->store, i));
		step_expect(&w, i);
	}
	world_end(&w);
}

/* Does each step as it is told, and says when it has. */
static void other_process(const struct world *w, int in, int out)
{
	struct gml_store_options opt = {.meta_capacity = (uint64_t)1 << 30};
	struct gml_store *store;
	int step, rc;
	if (gml_store_open(w->ns->path, &opt, &store) != 0)
		_exit(1);
	while (read(in, &step, sizeof(step)) == sizeof(step)) {
		rc = step_run(w, store, step);
		if (write(out, &rc, sizeof(rc)) != sizeof(rc))
			_exit(2);
	}
	gml_store_close(store);
	_exit(0);
}

static void test_changes_of_another_process(void **state)
{
	struct world w = world_of(state);
	int in[2], out[2], status;
	pid_t pid;
	world_end(&w);
	ns_close(w.ns);
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(in[1]);
		close(out[0]);
		other_process(&w, in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
	ns_open(w.ns);
	file_open(&w);
	for (int i = 0; i < STEP_COUNT; i++) {
		int rc = -1;
		assert_int_equal(write(in[1], &i, sizeof(i)), sizeof(i));
		assert_int_equal(read(out[0], &rc, sizeof(rc)), sizeof(rc));
		assert_ok(rc);
		step_expect(&w, i);
	}
	world_end(&w);
	close(in[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(out[0]);
}

/* ---- what takes part in an answer that nobody changes ---- */

static void test_time(void **state)
{
	char document[512], until[25];
	struct world w = world_of(state);
	int64_t end = gml_seconds_of_ns(gml_now()) + 2;
	struct gml_op op;
	gml_date_iso(end, until);
	snprintf(document, sizeof(document),
		 POLICY(STATEMENT("Allow", "s3:GetObject", "*",
				  WHEN("DateLessThan", "aws:CurrentTime", "%s"))),
		 until);
	assert_ok(inlined(w.ns->store, document));
	op = op_of(w.ns->store, UID, GML_PROTOCOL_NFS);
	for (bool before = true; before;) {
		int rc = op_read(&op, w.file);
		before = gml_seconds_of_ns(gml_now()) < end;
		if (before)
			assert_ok(rc);
	}
	assert_rc(op_read(&op, w.file), GML_ERR_ACCESS);
	world_end(&w);
}

static void test_source(void **state)
{
	struct world w = world_of(state);
	struct gml_op near = op_of(w.ns->store, UID, GML_PROTOCOL_NFS), far = near;
	near.context.source_len = far.context.source_len = 4;
	near.context.source[0] = 10;
	far.context.source[0] = 11;
	assert_ok(inlined(w.ns->store,
			  POLICY(STATEMENT("Allow", "s3:GetObject", "*",
					   WHEN("IpAddress", "aws:SourceIp", "10.0.0.0/8")))));
	for (int i = 0; i < 2; i++) {
		assert_ok(op_read(&near, w.file));
		assert_rc(op_read(&far, w.file), GML_ERR_ACCESS);
	}
	/* A condition of which the answer makes no use. */
	assert_ok(inlined(w.ns->store, POLICY(READ("pub/*") "," STATEMENT(
					       "Deny", "s3:GetObject", "secret/*",
					       WHEN("IpAddress", "aws:SourceIp", "10.0.0.0/8")))));
	assert_ok(op_read(&near, w.file));
	assert_ok(op_read(&far, w.file));
	world_end(&w);
}

/* ---- it is remembered ---- */

/* Changes of the names of an inode that no epoch and no change attribute tells of. */
struct behind {
	gml_ino ino;
	const char *name;
};

static int behind_fn(struct gml_txn *txn, void *argp)
{
	struct behind *arg = argp;
	struct gml_inode inode;
	int rc = gml_rec_inode_get(txn, arg->ino, &inode);
	return rc == 0 ? gml_inode_save_named(txn, &inode, inode.parent, ns_span(arg->name)) : rc;
}

static void behind(struct world *w, gml_ino ino, const char *name)
{
	struct behind arg = {ino, name};
	assert_ok(gml_meta_update(w->ns->store->meta, behind_fn, &arg));
}

static void test_remembered(void **state)
{
	struct world w = world_of(state);
	struct gml_op over_nfs = op_of(w.ns->store, UID, GML_PROTOCOL_NFS),
		      anew = op_of(w.ns->store, UID, GML_PROTOCOL_LOCAL);
	assert_ok(inlined(w.ns->store, POLICY(READ("pub/deep/f"))));
	assert_true(reads(&w, UID));
	behind(&w, w.pub, "elsewhere/");
	assert_rc(op_read(&anew, w.file), GML_ERR_ACCESS);
	assert_ok(op_read(&over_nfs, w.file));
	assert_ok(move(w.ns->store, w.root, "secret", w.root, "hidden")); /* paths changed */
	assert_rc(op_read(&over_nfs, w.file), GML_ERR_ACCESS);
	behind(&w, w.pub, "pub/");
	assert_rc(op_read(&over_nfs, w.file), GML_ERR_ACCESS);
	assert_ok(move(w.ns->store, w.root, "hidden", w.root, "secret"));
	assert_true(reads(&w, UID));
	behind(&w, w.f, "g");
	assert_rc(op_read(&anew, w.file), GML_ERR_ACCESS);
	assert_ok(op_read(&over_nfs, w.file));
	assert_ok(chmod_to(&w, w.ns->store, 0600)); /* the record changed */
	assert_rc(op_read(&over_nfs, w.file), GML_ERR_ACCESS);
	behind(&w, w.f, "f");
	world_end(&w);
}

/* Of all files in a directory, also of those about which nobody has asked. */
static void test_directory(void **state)
{
	struct world w = world_of(state);
	gml_ino g = ns_put(w.ns, w.deep, "g", "content"), h = ns_put(w.ns, w.deep, "h", "content");
	struct gml_op over_nfs = op_of(w.ns->store, UID, GML_PROTOCOL_NFS),
		      anew = op_of(w.ns->store, UID, GML_PROTOCOL_LOCAL);
	own(w.ns->store, g, 0600);
	own(w.ns->store, h, 0600);
	assert_ok(gml_dir_link(&admin, w.ns->store, h, w.deep, ns_span("i"), NULL));
	assert_ok(inlined(w.ns->store, POLICY(READ("pub/*"))));
	assert_int_equal(sees(w.ns->store, UID, w.f).opens[0], 0);
	behind(&w, w.pub, "elsewhere/");
	assert_int_equal(op_sees(&anew, w.ns->store, g).opens[0], GML_ERR_ACCESS);
	assert_int_equal(op_sees(&over_nfs, w.ns->store, g).opens[0], 0);
	assert_int_equal(op_sees(&over_nfs, w.ns->store, h).opens[0], GML_ERR_ACCESS);
	behind(&w, w.pub, "pub/");
	world_end(&w);
}

/* A snapshot from before a rename says where a file was; that is not kept as what is. */
static void test_old_snapshot(void **state)
{
	struct world w = world_of(state);
	struct gml_op over_nfs = op_of(w.ns->store, UID, GML_PROTOCOL_NFS);
	const struct gml_inode inode = ns_record(w.ns, w.f);
	const struct gml_target about = {.inode = &inode};
	struct gml_txn *old;
	assert_ok(inlined(w.ns->store, POLICY(READ("pub/*"))));
	assert_ok(gml_meta_read_begin(w.ns->store->meta, &old));
	assert_ok(move(w.ns->store, w.root, "pub", w.root, "public"));
	assert_ok(gml_may(old, &over_nfs, GML_ACTION_READ, &about));
	gml_meta_read_end(old);
	assert_false(reads(&w, UID));
	world_end(&w);
}

/* A file was never in the directory as that is called since: what is remembered of the directory is
 * not for a snapshot in which the file was there. */
static void test_old_snapshot_of_a_directory(void **state)
{
	struct world w = world_of(state);
	struct gml_op over_nfs = op_of(w.ns->store, UID, GML_PROTOCOL_NFS);
	gml_ino g = ns_put(w.ns, w.deep, "g", "content");
	const struct gml_inode inode = ns_record(w.ns, w.f);
	const struct gml_target about = {.inode = &inode};
	struct gml_txn *old;
	own(w.ns->store, g, 0600);
	assert_ok(inlined(w.ns->store, POLICY(READ("pub/open/*"))));
	assert_ok(gml_meta_read_begin(w.ns->store->meta, &old));
	assert_ok(move(w.ns->store, w.deep, "f", w.secret, "f"));
	assert_ok(move(w.ns->store, w.pub, "deep", w.pub, "open"));
	assert_int_equal(sees(w.ns->store, UID, g).opens[0], 0);
	assert_rc(gml_may(old, &over_nfs, GML_ACTION_READ, &about), GML_ERR_ACCESS);
	gml_meta_read_end(old);
	assert_false(reads(&w, UID));
	world_end(&w);
}

static void test_removed_directory(void **state)
{
	struct world w = world_of(state);
	struct gml_op op = op_of(w.ns->store, UID, GML_PROTOCOL_NFS);
	gml_ino gone = ns_mkdir(w.ns, w.pub, "gone");
	struct gml_attr attr;
	op.handle.found = true; /* the request has looked it up */
	assert_ok(inlined(w.ns->store,
			  POLICY("{\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Resource\":"
				 "[\"arn:aws:s3:::bucket\",\"arn:aws:s3:::bucket/pub/*\"]}")));
	for (int i = 0; i < 2; i++)
		assert_rc(gml_inode_getattr(&op, w.ns->store, gone, &attr), GML_ERR_ACCESS);
	assert_ok(gml_dir_remove(&admin, w.ns->store, w.pub, ns_span("gone"), GML_REMOVE_DIR));
	assert_ok(gml_inode_getattr(&op, w.ns->store, gone, &attr));
	world_end(&w);
}

/* No place gives another's answer, whatever meets in it. */
static void test_table(void **state)
{
	struct gml_memo *memo = gml_memo_new();
	unsigned kept = 0;
	(void)state;
	assert_non_null(memo);
	for (int pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < 100000; i++) {
			const struct gml_memo_key key = {.access = i % 3,
							 .paths = i % 5,
							 .ino = {i % 2, 1 + i / 7},
							 .uid = i % 11,
							 .question = (uint16_t)(i % 7),
							 .kind = GML_MEMO_INODE};
			uint64_t found = 0;
			uint16_t answer = 0;
			if (pass == 0)
				gml_memo_put(memo, &key, i, (uint16_t)(i % 251));
			if (gml_memo_find(memo, &key, &found, &answer)) {
				assert_int_equal(found, i);
				assert_int_equal(answer, i % 251);
				kept++;
			} else {
				assert_int_equal(pass, 1);
			}
		}
	assert_true(kept > 100000 + 1000);
	gml_memo_free(memo);
}

/* Several threads write to one place, and read there. */
struct race {
	struct gml_memo *memo;
	unsigned number, found;
	bool wrong;
};

static void *race_run(void *arg)
{
	struct race *race = arg;
	for (unsigned i = 0; i < 200000; i++) {
		const struct gml_memo_key key = {
			.access = (i + race->number) % 3, .ino = {0, 1}, .kind = GML_MEMO_INODE};
		uint64_t found;
		uint16_t answer;
		if (i % 4 == 0)
			gml_memo_put(race->memo, &key, key.access * 1000, (uint16_t)key.access);
		if (!gml_memo_find(race->memo, &key, &found, &answer))
			continue;
		race->found++;
		if (found != key.access * 1000 || answer != key.access)
			race->wrong = true;
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct gml_memo *memo = gml_memo_new();
	struct race races[3];
	pthread_t threads[3];
	unsigned found = 0;
	(void)state;
	assert_non_null(memo);
	for (unsigned i = 0; i < 3; i++) {
		races[i] = (struct race){.memo = memo, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL, race_run, &races[i]), 0);
	}
	for (unsigned i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_false(races[i].wrong);
		found += races[i].found;
	}
	assert_true(found > 0);
	gml_memo_free(memo);
}

/* ---- at random ---- */

#define DIRS 7
#define FILES 10

/* Directories a to g, each in the root or in one that was made before; files and links in any. */
struct jungle {
	struct ns *ns;
	uint64_t seed;
	gml_ino dirs[DIRS + 1]; /* the last: the root */
	gml_ino files[FILES];
	struct gml_file *open[FILES];
	unsigned granted, refused, changed;
};

static unsigned jungle_roll(struct jungle *j, unsigned of)
{
	j->seed = j->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(j->seed >> 33) % of;
}

/* Names are few, so that what is renamed comes to where others were. */
static const char *jungle_name(struct jungle *j)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "k"};
	return names[jungle_roll(j, 10)];
}

static gml_ino jungle_dir(struct jungle *j)
{
	return j->dirs[jungle_roll(j, DIRS + 1)];
}

static void jungle_statement(struct jungle *j, char *out, size_t room, const char *principal)
{
	static const char *const actions[] = {"\"s3:GetObject\"", "\"s3:PutObject\"",
					      "\"s3:ListBucket\"", "\"s3:*\"",
					      "[\"s3:GetObject\",\"s3:DeleteObject\"]"};
	static const char *const tails[] = {"*", "/*", "", "/a*", "/?/*"};
	static const char *const conditions[] = {
		"",
		"",
		"",
		WHEN("StringLike", "s3:prefix", "a/*"),
		WHEN("StringEquals", "s3:ExistingObjectTag/colour", "blue"),
		WHEN("IpAddress", "aws:SourceIp", "10.0.0.0/8")};
	snprintf(out, room,
		 "{\"Effect\":\"%s\",\"Action\":%s,\"Resource\":[\"arn:aws:s3:::bucket\","
		 "\"arn:aws:s3:::bucket/%s%s\"]%s%s}",
		 jungle_roll(j, 3) == 0 ? "Deny" : "Allow", actions[jungle_roll(j, 5)],
		 jungle_name(j), tails[jungle_roll(j, 5)], conditions[jungle_roll(j, 6)],
		 principal);
}

static void jungle_policy(struct jungle *j)
{
	char document[2048], one[512];
	bool bucket = jungle_roll(j, 3) == 0;
	unsigned count = 1 + jungle_roll(j, 3);
	strcpy(document, "{\"Version\":\"2012-10-17\",\"Statement\":[");
	for (unsigned i = 0; i < count; i++) {
		jungle_statement(j, one, sizeof(one), bucket ? FOR("\"*\"") : "");
		strcat(strcat(document, i > 0 ? "," : ""), one);
	}
	strcat(document, "]}");
	if (bucket)
		assert_ok(bucket_set(j->ns->store, GML_BUCKET_POLICY,
				     jungle_roll(j, 4) == 0 ? NULL : document));
	else
		assert_ok(inlined(j->ns->store, document));
}

/* Renames, links and removals may fail: of names that are not there, or are. */
static void jungle_change(struct jungle *j)
{
	struct gml_store *store = j->ns->store;
	gml_ino dir = jungle_dir(j), other = jungle_dir(j);
	const char *name = jungle_name(j), *second = jungle_name(j);
	unsigned file = jungle_roll(j, FILES);
	const struct gml_setattr mode = {.mask = GML_SET_MODE,
					 .mode = jungle_roll(j, 2) ? 0750 : 0755};
	int rc = 0;
	switch (jungle_roll(j, 7)) {
	case 0:
		jungle_policy(j);
		break;
	case 1:
	case 2:
		rc = move(store, dir, name, other, second);
		break;
	case 3:
		rc = gml_dir_link(&admin, store, j->files[file], dir, ns_span(name), NULL);
		break;
	case 4:
		rc = gml_dir_remove(&admin, store, dir, ns_span(name), GML_REMOVE_FILE);
		break;
	case 5:
		rc = gml_inode_setattr(&admin, store, j->files[file], &mode, NULL);
		break;
	case 6:
		rc = gml_xattr_set(&admin, store, j->files[file], ns_span("user.s3.tag.colour"),
				   ns_span(jungle_roll(j, 2) ? "blue" : "red"), GML_XATTR_EITHER);
		break;
	}
	j->changed += rc == 0;
}

static void jungle_ask(struct jungle *j)
{
	static const uint32_t uids[] = {UID, OWNER, GUEST, 0};
	uint32_t uid = uids[jungle_roll(j, 4)];
	unsigned file = jungle_roll(j, FILES);
	gml_ino ino = jungle_roll(j, 2) ? j->files[file] : jungle_dir(j);
	struct gml_op over_nfs = op_of(j->ns->store, uid, GML_PROTOCOL_NFS),
		      anew = op_of(j->ns->store, uid, GML_PROTOCOL_LOCAL);
	int rc = op_read(&over_nfs, j->open[file]);
	struct seen seen = sees(j->ns->store, uid, ino);
	assert_rc(op_read(&anew, j->open[file]), rc);
	j->granted += (rc == 0) + (seen.getattr == 0);
	j->refused += (rc != 0) + (seen.getattr != 0);
}

static void test_at_random(void **state)
{
	const char *seed = getenv("GML_TEST_SEED");
	struct jungle j = {.ns = *state, .seed = seed != NULL ? strtoull(seed, NULL, 10) : 1};
	user_new(j.ns, "ann", UID);
	user_new(j.ns, "owner", OWNER);
	j.dirs[DIRS] = j.ns->bucket;
	for (int i = 0; i < DIRS; i++) {
		char name[2] = {(char)('a' + i), '\0'};
		j.dirs[i] = ns_mkdir(
			j.ns, i == 0 ? j.ns->bucket : j.dirs[jungle_roll(&j, (unsigned)i)], name);
		own(j.ns->store, j.dirs[i], 0750);
	}
	for (int i = 0; i < FILES; i++) {
		char name[3] = {"abcdefghik"[i], '\0'};
		j.files[i] = ns_put(j.ns, j.dirs[i % DIRS], strcat(name, "x"), "content");
		own(j.ns->store, j.files[i], 0640);
		assert_ok(
			gml_file_open(&admin, j.ns->store, j.files[i], GML_OPEN_READ, &j.open[i]));
	}
	own(j.ns->store, j.ns->bucket, 0750);
	assert_ok(inlined(j.ns->store, POLICY(READ("*"))));
	for (int i = 0; i < 3000; i++) {
		jungle_change(&j);
		for (int k = 0; k < 4; k++)
			jungle_ask(&j);
	}
	assert_true(j.changed > 500 && j.granted > 1000 && j.refused > 1000);
	for (int i = 0; i < FILES; i++)
		assert_ok(gml_file_close(&admin, j.open[i]));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		T(test_changes),
		T(test_changes_of_another_process),
		T(test_time),
		T(test_source),
		T(test_remembered),
		T(test_old_snapshot),
		T(test_old_snapshot_of_a_directory),
		T(test_directory),
		T(test_removed_directory),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_threads),
		T(test_at_random),
	};
	return cmocka_run_group_tests_name("access_memo", tests, NULL, NULL);
}
