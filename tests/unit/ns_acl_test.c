// SPDX-License-Identifier: Apache-2.0
/* ACLs of inodes: set and shown, changed by modes, inherited, kept, and obeyed. */
#include "gateway/iam/acl.h"
#include "object_support.h"

#define ALICE 1001
#define BOB 1002
#define CAROL 1003
#define TEAM 5000

#define READ GML_ACE_READ_DATA
#define WRITE (GML_ACE_WRITE_DATA | GML_ACE_APPEND_DATA)
#define EXEC GML_ACE_EXECUTE
#define F GML_ACE_FILE_INHERIT
#define D GML_ACE_DIRECTORY_INHERIT
#define ALL_OF_A_DIRECTORY (READ | WRITE | EXEC | GML_ACE_DELETE_CHILD)

static struct gml_op alice, bob, carol;

static int acl_setup(void **state)
{
	const struct gml_setattr open = {.mask = GML_SET_MODE, .mode = 0777};
	struct ns *ns;
	int rc = ns_setup(state);
	ns = *state;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ns->bucket, &open, NULL));
	alice = ns_user(ALICE, ALICE);
	bob = ns_user(BOB, BOB);
	carol = ns_user(CAROL, TEAM);
	return rc;
}

static void add(struct gml_acl *acl, uint8_t type, uint8_t who, uint32_t id, uint32_t mask,
		uint8_t flags)
{
	acl->aces[acl->count++] =
		(struct gml_ace){.type = type, .who = who, .id = id, .mask = mask, .flags = flags};
}

static int set_acl(struct ns *ns, struct gml_op *op, gml_ino ino, const struct gml_acl *acl)
{
	const struct gml_setattr set = {.mask = GML_SET_ACL, .acl = acl};
	return gml_inode_setattr(op, ns->store, ino, &set, NULL);
}

static int set_mode(struct ns *ns, struct gml_op *op, gml_ino ino, uint32_t mode)
{
	const struct gml_setattr set = {.mask = GML_SET_MODE, .mode = mode};
	return gml_inode_setattr(op, ns->store, ino, &set, NULL);
}

static const struct gml_acl *get_acl(struct ns *ns, gml_ino ino)
{
	static struct gml_acl acl;
	struct gml_attr attr;
	assert_ok(gml_inode_getattr_acl(&ns->op, ns->store, ino, &attr, &acl));
	assert_int_equal(gml_acl_mode(&acl), attr.mode & 0777);
	return &acl;
}

static bool has_acl(struct ns *ns, gml_ino ino)
{
	return ns_record(ns, ino).acl.len != 0;
}

static bool same(const struct gml_acl *a, const struct gml_acl *b)
{
	uint8_t of_a[GML_ACL_BYTES_MAX], of_b[GML_ACL_BYTES_MAX];
	size_t len = gml_acl_encode(a, of_a);
	return len == gml_acl_encode(b, of_b) && memcmp(of_a, of_b, len) == 0;
}

/* What everybody has who may do anything at all: alice's file, and bob in its ACL. */
static struct gml_acl acl_of_bob(uint32_t mask)
{
	static struct gml_acl acl;
	acl.count = 0;
	add(&acl, GML_ACE_ALLOW, GML_ACE_UID, BOB, mask, 0);
	add(&acl, GML_ACE_ALLOW, GML_ACE_OWNER, 0, READ | WRITE, 0);
	return acl;
}

static gml_ino file_of_alice(struct ns *ns, const char *name)
{
	const struct gml_setattr set = {
		.mask = GML_SET_MODE | GML_SET_UID | GML_SET_GID, .mode = 0640, .uid = ALICE};
	gml_ino ino = ns_put(ns, ns->bucket, name, "text");
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino, &set, NULL));
	return ino;
}

static int open_file(struct ns *ns, struct gml_op *op, gml_ino ino, unsigned access)
{
	struct gml_file *file;
	int rc = gml_file_open(op, ns->store, ino, access, &file);
	if (rc == 0)
		assert_ok(gml_file_close(op, file));
	return rc;
}

/* ---- set and shown --------------------------------------------------------------------------- */

static void test_set(void **state)
{
	struct ns *ns = *state;
	gml_ino file = file_of_alice(ns, "f");
	struct gml_acl acl = acl_of_bob(READ), shown;
	struct gml_attr before = ns_attr(ns, file), after;
	assert_false(has_acl(ns, file));
	gml_acl_of_mode(0640, false, &shown);
	assert_true(same(get_acl(ns, file), &shown));
	assert_rc(open_file(ns, &bob, file, GML_OPEN_READ), GML_ERR_ACCESS);
	assert_rc(set_acl(ns, &bob, file, &acl), GML_ERR_PERM);
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_true(same(get_acl(ns, file), &acl));
	after = ns_attr(ns, file);
	assert_int_equal(after.mode, 0600);
	assert_true(after.change > before.change && after.ctime >= before.ctime);
	assert_ok(open_file(ns, &bob, file, GML_OPEN_READ));
	assert_rc(open_file(ns, &bob, file, GML_OPEN_WRITE), GML_ERR_ACCESS);
	assert_rc(open_file(ns, &carol, file, GML_OPEN_READ), GML_ERR_ACCESS);
	/* It outlives changes of the inode, and the process. */
	assert_ok(gml_xattr_set(&alice, ns->store, file, ns_span("user.a"), ns_span("b"),
				GML_XATTR_EITHER));
	ns_close(ns);
	ns_open(ns);
	assert_true(same(get_acl(ns, file), &acl));
}

static void test_shown(void **state)
{
	struct ns *ns = *state;
	gml_ino file = file_of_alice(ns, "f");
	struct gml_acl acl = acl_of_bob(READ), seen;
	struct gml_attr attr;
	assert_ok(gml_inode_acl(&carol, ns->store, file, &seen)); /* the mode is no secret */
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_ok(gml_inode_acl(&alice, ns->store, file, &seen));
	assert_rc(gml_inode_acl(&bob, ns->store, file, &seen), GML_ERR_ACCESS);
	assert_ok(gml_inode_getattr_acl(&bob, ns->store, file, &attr, &seen));
	assert_int_equal(seen.count, 0);
	assert_int_equal(attr.mode, 0600);
	acl.aces[0].mask = GML_ACE_READ_ACL;
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_ok(gml_inode_acl(&bob, ns->store, file, &seen));
	assert_true(same(&seen, &acl));
}

static void test_says_mode(void **state)
{
	struct ns *ns = *state;
	gml_ino file = file_of_alice(ns, "f");
	struct gml_acl acl = acl_of_bob(READ);
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_true(has_acl(ns, file));
	gml_acl_of_mode(0604, false, &acl);
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_false(has_acl(ns, file));
	assert_int_equal(ns_attr(ns, file).mode, 0604);
	/* One that denies everything is another thing than none. */
	acl.count = 0;
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_true(has_acl(ns, file));
	assert_int_equal(ns_attr(ns, file).mode, 0);
	assert_rc(open_file(ns, &alice, file, GML_OPEN_READ), GML_ERR_ACCESS);
	assert_ok(set_mode(ns, &alice, file, 0600));
	assert_ok(open_file(ns, &alice, file, GML_OPEN_READ));
}

static void test_refused(void **state)
{
	struct ns *ns = *state;
	gml_ino file = file_of_alice(ns, "f"), dir = ns_mkdir(ns, ns->bucket, "d");
	struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_UMASK, .mode = 0644};
	static struct gml_acl acl;
	acl = acl_of_bob(READ);
	acl.aces[0].flags = F;
	assert_rc(set_acl(ns, &alice, file, &acl), GML_ERR_INVAL);
	assert_ok(set_acl(ns, &ns->op, dir, &acl));
	acl.aces[0].flags = 0;
	acl.aces[0].type = 2; /* audit */
	assert_rc(set_acl(ns, &alice, file, &acl), GML_ERR_NOTSUP);
	acl.count = 0;
	for (unsigned i = 0; i < GML_ACL_ENTRIES_MAX; i++)
		add(&acl, GML_ACE_ALLOW, GML_ACE_UID, i, READ, 0);
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_true(same(get_acl(ns, file), &acl));
	add(&acl, GML_ACE_ALLOW, GML_ACE_UID, 0, READ, 0);
	assert_rc(set_acl(ns, &alice, file, &acl), GML_ERR_TOOBIG);
	assert_rc(gml_inode_setattr(&alice, ns->store, file, &set, NULL), GML_ERR_INVAL);
	assert_rc(gml_dir_mkdir(&ns->op, ns->store, ns->bucket, ns_span("e"),
				&(struct gml_setattr){.mask = GML_SET_ACL, .acl = &acl}, NULL),
		  GML_ERR_TOOBIG);
	assert_true(gml_ino_is_none(ns_lookup(ns, ns->bucket, "e")));
}

/* ---- modes ----------------------------------------------------------------------------------- */

static void test_chmod(void **state)
{
	struct ns *ns = *state;
	gml_ino file = file_of_alice(ns, "f");
	struct gml_acl acl = acl_of_bob(READ | WRITE);
	struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_ACL, .mode = 01640, .acl = &acl};
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_ok(set_mode(ns, &alice, file, 0644));
	assert_int_equal(ns_attr(ns, file).mode, 0644);
	assert_ok(open_file(ns, &bob, file, GML_OPEN_READ));
	assert_rc(open_file(ns, &bob, file, GML_OPEN_WRITE), GML_ERR_ACCESS);
	/* Both: the mode, then the ACL, which decides about the low bits. */
	assert_ok(gml_inode_setattr(&alice, ns->store, file, &set, NULL));
	assert_int_equal(ns_attr(ns, file).mode, 01600);
	assert_true(same(get_acl(ns, file), &acl));
	/* Without bob, the mode is all that is left. */
	set.mask = GML_SET_MODE;
	acl.count = 0;
	gml_acl_of_mode(0777, false, &acl);
	acl.aces[1].mask |= GML_ACE_DELETE;
	assert_ok(set_acl(ns, &alice, file, &acl));
	acl.aces[1].mask &= ~(uint32_t)GML_ACE_DELETE;
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_false(has_acl(ns, file));
}

/* chmod together with a change of size of a file that is being written: other writes of the same
 * transaction come first. */
static void test_chmod_and_size(void **state)
{
	struct ns *ns = *state;
	struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_SIZE, .mode = 0640, .size = 2};
	gml_ino ino = file_of_alice(ns, "f");
	struct gml_acl acl = acl_of_bob(READ | WRITE);
	struct gml_file *file;
	assert_ok(set_acl(ns, &alice, ino, &acl));
	assert_ok(gml_file_open(&alice, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_ok(ns_write(ns, file, 0, "longer than before"));
	assert_ok(gml_inode_setattr(&alice, ns->store, ino, &set, NULL));
	assert_ok(gml_file_close(&alice, file));
	assert_int_equal(ns_attr(ns, ino).mode, 0640);
	assert_int_equal(ns_attr(ns, ino).size, 2);
	assert_int_equal(get_acl(ns, ino)->aces[0].mask, READ);
}

static void test_chown(void **state)
{
	struct ns *ns = *state;
	gml_ino file = file_of_alice(ns, "f");
	struct gml_acl acl = acl_of_bob(READ | GML_ACE_WRITE_OWNER);
	struct gml_setattr set = {.mask = GML_SET_UID, .uid = BOB};
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_rc(gml_inode_setattr(&carol, ns->store, file, &set, NULL), GML_ERR_PERM);
	assert_ok(gml_inode_setattr(&bob, ns->store, file, &set, NULL)); /* bob takes it */
	assert_true(same(get_acl(ns, file), &acl));
	assert_ok(open_file(ns, &bob, file, GML_OPEN_WRITE)); /* as the owner */
	assert_rc(open_file(ns, &alice, file, GML_OPEN_READ), GML_ERR_ACCESS);
}

static void test_times(void **state)
{
	struct ns *ns = *state;
	const struct gml_setattr set = {.mask = GML_SET_MTIME, .mtime = 5},
				 now = {.mask = GML_SET_MTIME_NOW};
	gml_ino file = file_of_alice(ns, "f");
	struct gml_acl acl = acl_of_bob(GML_ACE_WRITE_ATTRIBUTES);
	assert_rc(gml_inode_setattr(&bob, ns->store, file, &set, NULL), GML_ERR_PERM);
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_ok(gml_inode_setattr(&bob, ns->store, file, &set, NULL));
	assert_int_equal(ns_attr(ns, file).mtime, 5);
	assert_ok(gml_inode_setattr(&bob, ns->store, file, &now, NULL));
	assert_rc(set_mode(ns, &bob, file, 0777), GML_ERR_PERM);
}

/* ---- inheritance ----------------------------------------------------------------------------- */

/* A directory of alice's: what is made in it is bob's to read and write, the team's to read. */
static gml_ino shared_dir(struct ns *ns, gml_ino parent, const char *name)
{
	static struct gml_acl acl;
	gml_ino dir = ns_mkdir(ns, parent, name);
	const struct gml_setattr set = {
		.mask = GML_SET_UID | GML_SET_ACL, .uid = ALICE, .acl = &acl};
	acl.count = 0;
	add(&acl, GML_ACE_ALLOW, GML_ACE_UID, BOB, ALL_OF_A_DIRECTORY, F | D);
	add(&acl, GML_ACE_ALLOW, GML_ACE_GID, TEAM, READ | EXEC, F | D);
	add(&acl, GML_ACE_ALLOW, GML_ACE_OWNER, 0, ALL_OF_A_DIRECTORY, 0);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, dir, &set, NULL));
	return dir;
}

static gml_ino make_file(struct ns *ns, gml_ino parent, const char *name,
			 const struct gml_setattr *set)
{
	struct gml_file *file;
	gml_ino ino;
	assert_ok(gml_file_create(&alice, ns->store, parent, ns_span(name),
				  &(struct gml_create){.access = GML_OPEN_WRITE,
						       .disposition = GML_CREATE_GUARDED,
						       .set = set},
				  &file));
	ino = gml_file_ino(file);
	assert_ok(gml_file_close(&alice, file));
	return ino;
}

/* What is inherited first: bob's entry. */
static void assert_bob(struct ns *ns, gml_ino ino, uint32_t mask, unsigned flags)
{
	const struct gml_ace *ace = &get_acl(ns, ino)->aces[0];
	assert_int_equal(ace->who, GML_ACE_UID);
	assert_int_equal(ace->id, BOB);
	assert_int_equal(ace->mask, mask);
	assert_int_equal(ace->flags, flags | GML_ACE_INHERITED);
}

static void test_inherit(void **state)
{
	struct ns *ns = *state;
	const struct gml_setattr mode = {.mask = GML_SET_MODE, .mode = 0644},
				 umask = {.mask = GML_SET_MODE | GML_SET_UMASK,
					  .mode = 0666,
					  .umask = 022},
				 umask_dir = {.mask = GML_SET_MODE | GML_SET_UMASK,
					      .mode = 0777,
					      .umask = 077};
	gml_ino dir = shared_dir(ns, ns->bucket, "d"), sub, ino;
	struct gml_attr attr;
	/* A mode alone is applied (RFC 8881 6.4.3). */
	ino = make_file(ns, dir, "mode", &mode);
	assert_bob(ns, ino, READ | GML_ACE_DELETE_CHILD, 0);
	assert_int_equal(ns_attr(ns, ino).mode, 0644);
	/* A umask of its own is not, where something is inherited. */
	ino = make_file(ns, dir, "umask", &umask);
	assert_bob(ns, ino, READ | WRITE | GML_ACE_DELETE_CHILD, 0);
	assert_int_equal(ns_attr(ns, ino).mode, 0644);
	assert_ok(open_file(ns, &bob, ino, GML_OPEN_READ | GML_OPEN_WRITE));
	assert_ok(open_file(ns, &carol, ino, GML_OPEN_READ));
	assert_rc(open_file(ns, &carol, ino, GML_OPEN_WRITE), GML_ERR_ACCESS);
	ino = make_file(ns, ns->bucket, "elsewhere", &umask);
	assert_false(has_acl(ns, ino));
	assert_int_equal(ns_attr(ns, ino).mode, 0644);
	/* None at all. */
	ino = make_file(ns, dir, "none", NULL);
	assert_bob(ns, ino, READ | WRITE | GML_ACE_DELETE_CHILD, 0);
	/* Directories hand it on. */
	assert_ok(gml_dir_mkdir(&alice, ns->store, dir, ns_span("sub"), &umask_dir, &attr));
	sub = attr.ino;
	assert_bob(ns, sub, ALL_OF_A_DIRECTORY, F | D);
	assert_int_equal(attr.mode, 0700);
	assert_ok(gml_dir_mkdir(&bob, ns->store, sub, ns_span("bobs"), &umask_dir, &attr));
	assert_bob(ns, attr.ino, ALL_OF_A_DIRECTORY, F | D);
	ino = make_file(ns, sub, "f", &umask);
	assert_bob(ns, ino, READ | WRITE | GML_ACE_DELETE_CHILD, 0);
	/* Everything else that has a name. */
	assert_ok(gml_dir_mknod(&alice, ns->store, dir, ns_span("link"),
				&(struct gml_node){.type = GML_LNK, .target = ns_span("x")},
				&attr));
	assert_bob(ns, attr.ino, READ | WRITE | EXEC | GML_ACE_DELETE_CHILD, 0);
	assert_int_equal(attr.mode, 0777);
	assert_ok(gml_dir_mknod(&alice, ns->store, dir, ns_span("fifo"),
				&(struct gml_node){.type = GML_FIFO, .set = &umask}, &attr));
	assert_bob(ns, attr.ino, READ | WRITE | GML_ACE_DELETE_CHILD, 0);
}

/* An ACL in a create counts alone. */
static void test_create_with_acl(void **state)
{
	struct ns *ns = *state;
	struct gml_acl acl = acl_of_bob(READ | GML_ACE_DELETE);
	const struct gml_setattr set = {
		.mask = GML_SET_MODE | GML_SET_ACL, .mode = 01777, .acl = &acl};
	gml_ino dir = shared_dir(ns, ns->bucket, "d"), ino = make_file(ns, dir, "f", &set);
	struct gml_attr attr;
	assert_true(same(get_acl(ns, ino), &acl));
	assert_int_equal(ns_attr(ns, ino).mode, 01600);
	assert_ok(gml_dir_mkdir(&alice, ns->store, dir, ns_span("sub"), &set, &attr));
	assert_true(same(get_acl(ns, attr.ino), &acl));
	/* A bucket. */
	assert_ok(gml_dir_mkdir(&ns->op, ns->store, GML_INO_ROOT, ns_span("other"), &set, &attr));
	assert_true(same(get_acl(ns, attr.ino), &acl));
	assert_int_equal(ns_attr(ns, attr.ino).mode, 01600);
}

static int put(struct ns *ns, struct gml_op *op, const char *key)
{
	return object_put_full(ns, op, ns_span(key), "new", 3, 3, 3, NULL, NULL, NULL);
}

static gml_ino ino_of(struct ns *ns, const char *key)
{
	struct gml_object_info info = {0};
	assert_ok(object_head(ns, ns_span(key), &info));
	return info.ino;
}

/* Objects, and the directories on their way. */
static void test_inherit_objects(void **state)
{
	struct ns *ns = *state;
	const struct gml_object_ref *from = OBJECT_REF(B, ns_span("d/a/b/c")),
				    *to = OBJECT_REF(B, ns_span("d/x/copy"));
	gml_ino dir = shared_dir(ns, ns->bucket, "d"), a, ino;
	struct gml_object_info info;
	assert_ok(set_mode(ns, &ns->op, ns->bucket, 02777));
	assert_ok(put(ns, &alice, "d/a/b/c"));
	a = ns_lookup(ns, dir, "a");
	assert_bob(ns, a, ALL_OF_A_DIRECTORY, F | D);
	assert_int_equal(ns_attr(ns, a).mode & 0777, 0755);
	assert_bob(ns, ns_lookup(ns, a, "b"), ALL_OF_A_DIRECTORY, F | D);
	ino = ino_of(ns, "d/a/b/c");
	assert_bob(ns, ino, READ | WRITE | GML_ACE_DELETE_CHILD, 0);
	assert_int_equal(ns_attr(ns, ino).mode, 0644);
	assert_int_equal(ns_attr(ns, ino).uid, ALICE);
	assert_ok(gml_object_copy(&bob, ns->store, from, to, &(struct gml_copy_options){0}, &info));
	assert_bob(ns, info.ino, READ | WRITE | GML_ACE_DELETE_CHILD, 0);
	assert_int_equal(ns_attr(ns, info.ino).uid, BOB);
	assert_bob(ns, ns_lookup(ns, dir, "x"), ALL_OF_A_DIRECTORY, F | D);
	/* carol may read what alice and bob make, and add nothing. */
	assert_ok(object_head(ns, ns_span("d/x/copy"), &info));
	assert_rc(put(ns, &carol, "d/x/more"), GML_ERR_ACCESS);
	assert_rc(put(ns, &carol, "d/y/more"), GML_ERR_ACCESS);
}

/* The group of a setgid directory, down the path of a key. */
static void test_setgid(void **state)
{
	struct ns *ns = *state;
	const struct gml_setattr set = {
		.mask = GML_SET_GID | GML_SET_MODE, .gid = TEAM, .mode = 02777};
	gml_ino dir = ns_mkdir(ns, ns->bucket, "d");
	assert_ok(gml_inode_setattr(&ns->op, ns->store, dir, &set, NULL));
	assert_ok(put(ns, &alice, "d/a/b/c"));
	assert_int_equal(ns_attr(ns, ns_lookup(ns, dir, "a")).gid, TEAM);
	assert_int_equal(ns_attr(ns, ns_lookup(ns, dir, "a")).mode, 02755);
	assert_int_equal(ns_attr(ns, ino_of(ns, "d/a/b/c")).gid, TEAM);
	assert_int_equal(ns_attr(ns, ino_of(ns, "d/a/b/c")).mode, 0644);
}

/* ---- what keeps an ACL ----------------------------------------------------------------------- */

static void test_replace(void **state)
{
	struct ns *ns = *state;
	struct gml_acl acl = acl_of_bob(READ | WRITE);
	gml_ino file = file_of_alice(ns, "f"), now;
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_ok(put(ns, &bob, "f")); /* may write it: as cp over it */
	now = ino_of(ns, "f");
	assert_false(gml_ino_equal(now, file));
	assert_true(same(get_acl(ns, now), &acl));
	assert_int_equal(ns_attr(ns, now).uid, ALICE);
	assert_ok(put(ns, &carol, "f")); /* may not: as mv over it */
	now = ino_of(ns, "f");
	assert_false(has_acl(ns, now));
	assert_int_equal(ns_attr(ns, now).uid, CAROL);
}

/* A file without ACL stays so where it would inherit one. */
static void test_replace_in_shared(void **state)
{
	struct ns *ns = *state;
	gml_ino dir = shared_dir(ns, ns->bucket, "d"), file = ns_put(ns, dir, "f", "text");
	const struct gml_setattr set = {.mask = GML_SET_UID, .uid = ALICE};
	struct gml_acl acl;
	gml_acl_of_mode(0660, false, &acl);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, file, &set, NULL));
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_ok(put(ns, &alice, "d/f"));
	assert_false(has_acl(ns, ino_of(ns, "d/f")));
	assert_int_equal(ns_attr(ns, ino_of(ns, "d/f")).mode, 0660);
}

static void test_names(void **state)
{
	struct ns *ns = *state;
	struct gml_acl acl = acl_of_bob(READ);
	gml_ino file = file_of_alice(ns, "f"), dir = shared_dir(ns, ns->bucket, "d");
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_ok(gml_dir_link(&alice, ns->store, file, dir, ns_span("second"), NULL));
	assert_true(same(get_acl(ns, file), &acl));
	assert_ok(gml_dir_rename(&alice, ns->store, dir, ns_span("second"), ns->bucket,
				 ns_span("third")));
	assert_ok(gml_dir_remove(&alice, ns->store, ns->bucket, ns_span("f"), GML_REMOVE_FILE));
	assert_true(same(get_acl(ns, file), &acl));
	assert_ok(
		gml_dir_rename(&alice, ns->store, ns->bucket, ns_span("third"), dir, ns_span("f")));
	assert_true(same(get_acl(ns, file), &acl));
	/* The directory's own survives its entries. */
	assert_int_equal(get_acl(ns, dir)->count, 3);
}

/* ---- what obeys it --------------------------------------------------------------------------- */

static int get(struct ns *ns, struct gml_op *op, const char *key)
{
	struct gml_object *object;
	int rc = gml_object_open(op, ns->store, OBJECT_REF(B, ns_span(key)), GML_OBJECT_CONTENT,
				 &object);
	if (rc == 0)
		gml_object_close(object);
	return rc;
}

static int delete (struct ns *ns, struct gml_op *op, const char *key)
{
	return gml_object_delete(op, ns->store, OBJECT_REF(B, ns_span(key)), NULL, NULL);
}

/* The same questions of both protocols. */
static void test_both(void **state)
{
	struct ns *ns = *state;
	struct gml_acl acl = acl_of_bob(READ);
	gml_ino dir = shared_dir(ns, ns->bucket, "d"), file = make_file(ns, dir, "f", NULL);
	struct gml_attr attr;
	unsigned may;
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_ok(get(ns, &bob, "d/f"));
	assert_ok(gml_dir_lookup(&bob, ns->store, dir, ns_span("f"), &attr));
	assert_ok(open_file(ns, &bob, file, GML_OPEN_READ));
	assert_rc(get(ns, &carol, "d/f"), GML_ERR_ACCESS);
	assert_rc(open_file(ns, &carol, file, GML_OPEN_READ), GML_ERR_ACCESS);
	assert_ok(gml_inode_access(&carol, ns->store, dir, 7, &may));
	assert_int_equal(may, GML_MAY_READ | GML_MAY_EXEC);
	assert_ok(gml_inode_access(&bob, ns->store, file, 7, &may));
	assert_int_equal(may, GML_MAY_READ);
	assert_rc(delete (ns, &carol, "d/f"), GML_ERR_ACCESS);
	assert_rc(gml_dir_remove(&carol, ns->store, dir, ns_span("f"), GML_REMOVE_FILE),
		  GML_ERR_ACCESS);
	/* The right to delete may be the file's own. */
	add(&acl, GML_ACE_ALLOW, GML_ACE_UID, CAROL, GML_ACE_DELETE, 0);
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_ok(delete (ns, &carol, "d/f"));
	file = make_file(ns, dir, "f", NULL);
	assert_ok(set_acl(ns, &alice, file, &acl));
	assert_ok(gml_dir_remove(&carol, ns->store, dir, ns_span("f"), GML_REMOVE_FILE));
	assert_rc(delete (ns, &carol, "d/f"), GML_ERR_ACCESS); /* nothing there to be hers */
}

static int write_at(struct ns *ns, struct gml_file *file, uint64_t off, const char *text)
{
	struct iovec iov = {(void *)text, strlen(text)};
	return gml_file_write(&bob, file, off, &iov, 1, false);
}

/* The right to append (RFC 8881 6.2.1.3.1). */
static void test_append(void **state)
{
	struct ns *ns = *state;
	const struct gml_setattr empty = {.mask = GML_SET_SIZE};
	gml_ino ino = file_of_alice(ns, "f");
	struct gml_acl acl = acl_of_bob(GML_ACE_APPEND_DATA);
	struct gml_file *file;
	unsigned may;
	assert_ok(set_acl(ns, &alice, ino, &acl));
	assert_ok(gml_inode_access(&bob, ns->store, ino, GML_MAY_WRITE | GML_MAY_EXTEND, &may));
	assert_int_equal(may, GML_MAY_EXTEND);
	assert_ok(gml_file_open(&bob, ns->store, ino, GML_OPEN_WRITE, &file));
	assert_rc(write_at(ns, file, 3, "x"), GML_ERR_ACCESS);
	assert_ok(write_at(ns, file, 4, " and more"));
	assert_rc(write_at(ns, file, 12, "x"), GML_ERR_ACCESS); /* of what it wrote itself */
	assert_ok(write_at(ns, file, 13, "!"));
	assert_rc(gml_inode_setattr(&bob, ns->store, ino, &empty, NULL), GML_ERR_ACCESS);
	assert_ok(gml_file_close(&bob, file));
	ns_assert_content(ns, ino, "text and more!", 14);
	assert_rc(put(ns, &carol, "f"), 0); /* the directory lets her replace it */
}

/* What ACCESS tells apart. */
static void test_access(void **state)
{
	struct ns *ns = *state;
	const unsigned all = GML_MAY_READ | GML_MAY_WRITE | GML_MAY_EXEC | GML_MAY_EXTEND |
			     GML_MAY_DELETE | GML_MAY_READ_ACL;
	gml_ino dir = ns_mkdir(ns, ns->bucket, "d");
	static struct gml_acl acl;
	unsigned may;
	assert_ok(gml_inode_access(&bob, ns->store, dir, all, &may));
	assert_int_equal(may, GML_MAY_READ | GML_MAY_EXEC | GML_MAY_READ_ACL);
	acl.count = 0;
	add(&acl, GML_ACE_ALLOW, GML_ACE_UID, BOB, GML_ACE_ADD_SUBDIRECTORY, 0);
	add(&acl, GML_ACE_ALLOW, GML_ACE_UID, CAROL, GML_ACE_DELETE_CHILD, 0);
	add(&acl, GML_ACE_ALLOW, GML_ACE_UID, ALICE, GML_ACE_ADD_FILE, 0);
	assert_ok(set_acl(ns, &ns->op, dir, &acl));
	assert_ok(gml_inode_access(&bob, ns->store, dir, all, &may));
	assert_int_equal(may, GML_MAY_EXTEND);
	assert_ok(gml_inode_access(&carol, ns->store, dir, all, &may));
	assert_int_equal(may, GML_MAY_DELETE);
	assert_ok(gml_inode_access(&alice, ns->store, dir, all, &may));
	assert_int_equal(may, GML_MAY_WRITE | GML_MAY_EXTEND | GML_MAY_DELETE);
}

/* mkdir and files are two rights. */
static void test_subdirectories(void **state)
{
	struct ns *ns = *state;
	gml_ino dir = ns_mkdir(ns, ns->bucket, "d");
	static struct gml_acl acl;
	acl.count = 0;
	add(&acl, GML_ACE_ALLOW, GML_ACE_UID, BOB, GML_ACE_ADD_FILE | EXEC, 0);
	add(&acl, GML_ACE_ALLOW, GML_ACE_UID, CAROL, GML_ACE_ADD_SUBDIRECTORY | EXEC, 0);
	assert_ok(set_acl(ns, &ns->op, dir, &acl));
	assert_rc(gml_dir_mkdir(&bob, ns->store, dir, ns_span("s"), NULL, NULL), GML_ERR_ACCESS);
	assert_rc(put(ns, &bob, "d/s/f"), GML_ERR_ACCESS);
	assert_ok(put(ns, &bob, "d/f"));
	assert_rc(put(ns, &carol, "d/g"), GML_ERR_ACCESS);
	assert_ok(put(ns, &carol, "d/s/f"));
	assert_ok(gml_dir_mkdir(&carol, ns->store, dir, ns_span("t"), NULL, NULL));
	assert_rc(gml_dir_rename(&bob, ns->store, dir, ns_span("f"), dir, ns_span("g")), 0);
	assert_rc(gml_dir_rename(&carol, ns->store, dir, ns_span("t"), dir, ns_span("u")),
		  GML_ERR_ACCESS); /* it may not go */
	acl.aces[1].mask |= GML_ACE_DELETE_CHILD;
	assert_ok(set_acl(ns, &ns->op, dir, &acl));
	assert_ok(gml_dir_rename(&carol, ns->store, dir, ns_span("t"), dir, ns_span("u")));
	assert_rc(gml_dir_rename(&carol, ns->store, dir, ns_span("g"), dir, ns_span("h")),
		  GML_ERR_ACCESS); /* to a new file */
}

/* A bucket that is closed to all but one. */
static void test_bucket(void **state)
{
	struct ns *ns = *state;
	gml_ino file = file_of_alice(ns, "f");
	static struct gml_acl acl;
	acl.count = 0;
	add(&acl, GML_ACE_ALLOW, GML_ACE_UID, ALICE, READ | EXEC, 0);
	assert_ok(set_acl(ns, &ns->op, ns->bucket, &acl));
	assert_int_equal(ns_attr(ns, ns->bucket).mode & 0777, 0);
	assert_ok(get(ns, &alice, "f"));
	assert_ok(open_file(ns, &alice, file, GML_OPEN_READ));
	assert_rc(get(ns, &bob, "f"), GML_ERR_ACCESS);
	assert_rc(gml_inode_getattr(&bob, ns->store, file, &(struct gml_attr){0}), GML_ERR_ACCESS);
	assert_ok(gml_bucket_may(&alice, ns->store, B, GML_ACTION_HEAD_BUCKET, NULL));
	assert_rc(gml_bucket_may(&bob, ns->store, B, GML_ACTION_HEAD_BUCKET, NULL), GML_ERR_ACCESS);
}

#define acl_test(name) cmocka_unit_test_setup_teardown(name, acl_setup, ns_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		acl_test(test_set),
		acl_test(test_shown),
		acl_test(test_says_mode),
		acl_test(test_refused),
		acl_test(test_chmod),
		acl_test(test_chmod_and_size),
		acl_test(test_chown),
		acl_test(test_times),
		acl_test(test_inherit),
		acl_test(test_create_with_acl),
		acl_test(test_inherit_objects),
		acl_test(test_setgid),
		acl_test(test_replace),
		acl_test(test_replace_in_shared),
		acl_test(test_names),
		acl_test(test_both),
		acl_test(test_append),
		acl_test(test_access),
		acl_test(test_subdirectories),
		acl_test(test_bucket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
