// SPDX-License-Identifier: Apache-2.0
/* The one decision about inodes that have ACLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <gemel/err.h>
#include <gemel/principal.h>
#include "gateway/iam/acl.h"
#include "gateway/iam/authorize.h"

enum { OWNER = 1001, MEMBER = 1002, OTHER = 1003, ROOT = 0, GROUP = 2001 };

#define ALLOW GML_ACE_ALLOW
#define DENY GML_ACE_DENY

static const uint32_t acl_groups[] = {7, GROUP};

static struct gml_op acl_op(uint32_t uid)
{
	struct gml_op op = {.principal = {.authn = GML_AUTHN_SYS}};
	gml_principal_for(&op.principal, uid, 9);
	op.principal.cred.groups = acl_groups;
	op.principal.cred.ngroups = uid == MEMBER ? 2 : 0;
	return op;
}

/* An inode of the owner's and the group. */
struct acl_inode {
	struct gml_inode inode;
	uint8_t bytes[GML_ACL_BYTES_MAX];
};

static struct gml_acl acl_now;

static void acl_set(struct acl_inode *out, enum gml_type type, const struct gml_acl *acl)
{
	out->inode = (struct gml_inode){
		.type = (uint8_t)type, .uid = OWNER, .gid = GROUP, .mode = gml_acl_mode(acl)};
	out->inode.acl = (struct gml_span){out->bytes, gml_acl_encode(acl, out->bytes)};
}

/* Of entries that were added since the last one. */
static void acl_make(struct acl_inode *out, enum gml_type type)
{
	acl_set(out, type, &acl_now);
	acl_now.count = 0;
}

static void acl_add(uint8_t type, uint8_t who, uint32_t id, uint32_t mask)
{
	acl_now.aces[acl_now.count++] =
		(struct gml_ace){.type = type, .who = who, .id = id, .mask = mask};
}

static int acl_ask(uint32_t uid, enum gml_action action, const struct gml_target *target)
{
	struct gml_op op = acl_op(uid);
	return gml_may(NULL, &op, action, target);
}

static int acl_ask_inode(uint32_t uid, enum gml_action action, const struct acl_inode *inode)
{
	const struct gml_target target = {.inode = &inode->inode};
	return acl_ask(uid, action, &target);
}

#define assert_rc(call, expected) assert_string_equal(gml_err_name(call), gml_err_name(expected))
#define assert_may(uid, action, inode) assert_rc(acl_ask_inode(uid, action, inode), 0)
#define assert_access(uid, action, inode)                                                          \
	assert_rc(acl_ask_inode(uid, action, inode), GML_ERR_ACCESS)
#define assert_perm(uid, action, inode) assert_rc(acl_ask_inode(uid, action, inode), GML_ERR_PERM)

/* ---- an ACL that says what a mode says answers what the mode answers ------------------------- */

struct same_case {
	struct acl_inode dir, file;
	struct gml_inode plain_dir, plain_file;
};

static void same_make(struct same_case *c, uint32_t dir_mode, uint32_t mode)
{
	static struct gml_acl acl;
	gml_acl_of_mode(dir_mode, true, &acl);
	acl_set(&c->dir, GML_DIR, &acl);
	gml_acl_of_mode(mode, false, &acl);
	acl_set(&c->file, GML_REG, &acl);
	c->dir.inode.mode |= dir_mode & 07000;
	c->plain_dir = c->dir.inode;
	c->plain_file = c->file.inode;
	c->plain_dir.acl = c->plain_file.acl = (struct gml_span){NULL, 0};
}

static void same_compare(const struct same_case *c, uint32_t uid, enum gml_action action)
{
	const struct gml_bucket_rec bucket = {.uid = OWNER};
	const struct gml_upload_rec upload = {.uid = MEMBER};
	struct gml_target plain = {.dir = &c->plain_dir,
				   .inode = &c->plain_file,
				   .bucket = &bucket,
				   .upload = &upload,
				   .uid = OWNER,
				   .gid = GROUP};
	struct gml_target with = plain;
	int rc = acl_ask(uid, action, &plain);
	with.dir = &c->dir.inode;
	with.inode = &c->file.inode;
	assert_rc(acl_ask(uid, action, &with), rc);
	with.inode = &c->plain_file;
	assert_rc(acl_ask(uid, action, &with), rc);
	with.dir = &c->plain_dir;
	with.inode = &c->file.inode;
	assert_rc(acl_ask(uid, action, &with), rc);
}

static void test_says_mode(void **state)
{
	static const uint32_t dir_modes[] = {0777, 0755, 01777, 0300, 0707, 0070, 0222, 01733};
	static const uint32_t uids[] = {OWNER, MEMBER, OTHER, ROOT};
	static struct same_case c;
	(void)state;
	for (uint32_t mode = 0; mode < 01000; mode++) {
		same_make(&c, dir_modes[mode % 8], mode);
		for (unsigned action = GML_ACTION_NONE + 1; action < GML_ACTION_COUNT; action++)
			for (unsigned i = 0; i < 4; i++)
				if (action != GML_ACTION_CREATE_BUCKET) /* reads the store */
					same_compare(&c, uids[i], action);
	}
}

/* ---- what only an ACL can say ---------------------------------------------------------------- */

static void test_named(void **state)
{
	static struct acl_inode file;
	(void)state;
	acl_add(DENY, GML_ACE_UID, MEMBER, GML_ACE_WRITE_DATA);
	acl_add(ALLOW, GML_ACE_GROUP, 0, GML_ACE_READ_DATA | GML_ACE_WRITE_DATA);
	acl_add(ALLOW, GML_ACE_UID, OTHER, GML_ACE_READ_DATA);
	acl_make(&file, GML_REG);
	assert_may(MEMBER, GML_ACTION_GET_OBJECT, &file);
	assert_access(MEMBER, GML_ACTION_OPEN_WRITE, &file);
	assert_may(OTHER, GML_ACTION_OPEN_READ, &file);
	assert_access(OTHER, GML_ACTION_OPEN_WRITE, &file);
	/* Nothing is said of the owner, but what is an owner's in any case. */
	assert_access(OWNER, GML_ACTION_OPEN_READ, &file);
	assert_may(OWNER, GML_ACTION_READ, &file); /* of a file that is open */
	assert_may(OWNER, GML_ACTION_GET_ACL, &file);
	assert_may(OWNER, GML_ACTION_GET_OBJECT_ACL, &file);
	assert_may(OWNER, GML_ACTION_SET_ACL, &file);
	assert_may(OWNER, GML_ACTION_SET_MODE, &file);
	assert_may(OWNER, GML_ACTION_SET_TIMES, &file);
	assert_access(OTHER, GML_ACTION_GET_ACL, &file);
	assert_may(MEMBER, GML_ACTION_GET_XATTR, &file);
	assert_access(MEMBER, GML_ACTION_SET_XATTR, &file);
	assert_may(ROOT, GML_ACTION_OPEN_WRITE, &file);
	assert_access(ROOT, GML_ACTION_ACCESS_EXECUTE, &file); /* nobody may */
}

/* Rights that modes give to owners only. */
static void test_given(void **state)
{
	static const struct {
		uint32_t right;
		enum gml_action action;
	} rows[] = {
		{GML_ACE_WRITE_ACL, GML_ACTION_SET_MODE},
		{GML_ACE_WRITE_ACL, GML_ACTION_SET_ACL},
		{GML_ACE_WRITE_ACL, GML_ACTION_PUT_OBJECT_ACL},
		{GML_ACE_WRITE_ATTRIBUTES, GML_ACTION_SET_TIMES},
	};
	static struct acl_inode file;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		acl_add(ALLOW, GML_ACE_UID, OTHER, rows[i].right);
		acl_make(&file, GML_REG);
		assert_may(OTHER, rows[i].action, &file);
		assert_perm(MEMBER, rows[i].action, &file);
		acl_add(ALLOW, GML_ACE_UID, OTHER, GML_ACE_RIGHTS & ~rows[i].right);
		acl_make(&file, GML_REG);
		assert_perm(OTHER, rows[i].action, &file);
	}
	acl_add(ALLOW, GML_ACE_UID, OTHER, GML_ACE_WRITE_ATTRIBUTES);
	acl_add(ALLOW, GML_ACE_UID, MEMBER, GML_ACE_READ_ACL | GML_ACE_EXECUTE);
	acl_make(&file, GML_REG);
	assert_may(OTHER, GML_ACTION_SET_TIMES_NOW, &file);
	assert_access(OTHER, GML_ACTION_SET_SIZE, &file);
	assert_may(MEMBER, GML_ACTION_GET_ACL, &file);
	assert_may(ROOT, GML_ACTION_ACCESS_EXECUTE, &file); /* somebody may */
}

/* Extended attributes and tags follow the data, unless an entry names them. */
static void test_attrs(void **state)
{
	static struct acl_inode file;
	(void)state;
	acl_add(ALLOW, GML_ACE_UID, OTHER, GML_ACE_READ_DATA | GML_ACE_WRITE_DATA);
	acl_make(&file, GML_REG);
	assert_may(OTHER, GML_ACTION_GET_XATTR, &file);
	assert_may(OTHER, GML_ACTION_PUT_OBJECT_TAGGING, &file);
	acl_add(DENY, GML_ACE_UID, OTHER, GML_ACE_WRITE_NAMED_ATTRS);
	acl_add(ALLOW, GML_ACE_UID, OTHER, GML_ACE_READ_DATA | GML_ACE_WRITE_DATA);
	acl_make(&file, GML_REG);
	assert_may(OTHER, GML_ACTION_GET_OBJECT_TAGGING, &file);
	assert_access(OTHER, GML_ACTION_SET_XATTR, &file);
	acl_add(ALLOW, GML_ACE_UID, OTHER, GML_ACE_READ_NAMED_ATTRS);
	acl_make(&file, GML_REG);
	assert_may(OTHER, GML_ACTION_GET_XATTR, &file);
	assert_access(OTHER, GML_ACTION_GET_OBJECT, &file);
}

static int chown_to(uint32_t caller, const struct acl_inode *inode, uint32_t uid, uint32_t gid)
{
	const struct gml_target target = {.inode = &inode->inode, .uid = uid, .gid = gid};
	return acl_ask(caller, GML_ACTION_SET_OWNER, &target);
}

/* WRITE_OWNER is to take, not to give. */
static void test_take(void **state)
{
	static struct acl_inode file;
	(void)state;
	acl_add(ALLOW, GML_ACE_UID, OTHER, GML_ACE_WRITE_OWNER);
	acl_make(&file, GML_REG);
	assert_rc(chown_to(OTHER, &file, OTHER, GROUP), 0);
	assert_rc(chown_to(OTHER, &file, OTHER, 9), 0);
	assert_rc(chown_to(OTHER, &file, OWNER, 9), 0);
	assert_rc(chown_to(OTHER, &file, MEMBER, GROUP), GML_ERR_PERM);
	assert_rc(chown_to(OTHER, &file, OTHER, 8), GML_ERR_PERM);
	assert_rc(chown_to(MEMBER, &file, MEMBER, GROUP), GML_ERR_PERM);
	assert_rc(chown_to(OWNER, &file, OWNER, 9), 0);
	assert_rc(chown_to(OWNER, &file, OTHER, GROUP), GML_ERR_PERM);
	assert_rc(chown_to(ROOT, &file, OTHER, 8), 0);
}

/* ---- names ----------------------------------------------------------------------------------- */

static void test_add(void **state)
{
	static struct acl_inode dir;
	struct gml_target target = {.dir = &dir.inode};
	(void)state;
	acl_add(ALLOW, GML_ACE_UID, OTHER, GML_ACE_ADD_FILE | GML_ACE_EXECUTE);
	acl_add(ALLOW, GML_ACE_UID, MEMBER, GML_ACE_ADD_SUBDIRECTORY | GML_ACE_EXECUTE);
	acl_add(ALLOW, GML_ACE_OWNER, 0, GML_ACE_ADD_FILE);
	acl_make(&dir, GML_DIR);
	assert_rc(acl_ask(OTHER, GML_ACTION_CREATE, &target), 0);
	assert_rc(acl_ask(OTHER, GML_ACTION_PUT_OBJECT, &target), 0);
	assert_rc(acl_ask(OTHER, GML_ACTION_MAKE_DIRECTORY, &target), GML_ERR_ACCESS);
	assert_rc(acl_ask(MEMBER, GML_ACTION_CREATE, &target), GML_ERR_ACCESS);
	assert_rc(acl_ask(MEMBER, GML_ACTION_MAKE_DIRECTORY, &target), 0);
	assert_rc(acl_ask(OWNER, GML_ACTION_CREATE, &target), GML_ERR_ACCESS); /* no search */
	target.directory = true;
	assert_rc(acl_ask(OTHER, GML_ACTION_RENAME_TO, &target), GML_ERR_ACCESS);
	assert_rc(acl_ask(OTHER, GML_ACTION_PUT_OBJECT, &target), GML_ERR_ACCESS);
	assert_rc(acl_ask(MEMBER, GML_ACTION_RENAME_TO, &target), 0);
	assert_rc(acl_ask(ROOT, GML_ACTION_RENAME_TO, &target), 0);
}

/* RFC 8881 6.2.1.3.2: what the directory says of DELETE_CHILD, and the inode of DELETE, each +
 * (allowed), - (denied) or 0 (nothing); if it may then be removed with and without ADD_FILE. */
static void test_remove(void **state)
{
	static const struct {
		char child, self;
		bool plain, add_file;
	} rows[] = {
		{'+', '+', true, true}, {'+', '0', true, true},	  {'+', '-', true, true},
		{'0', '+', true, true}, {'0', '0', false, true},  {'0', '-', false, false},
		{'-', '+', true, true}, {'-', '0', false, false}, {'-', '-', false, false},
	};
	static struct acl_inode dir, file;
	const struct gml_target target = {.dir = &dir.inode, .inode = &file.inode};
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		bool add = i % 2, may = add ? rows[i / 2].add_file : rows[i / 2].plain;
		if (rows[i / 2].child != '0')
			acl_add(rows[i / 2].child == '-', GML_ACE_UID, OTHER, GML_ACE_DELETE_CHILD);
		acl_add(ALLOW, GML_ACE_UID, OTHER, GML_ACE_EXECUTE | (add ? GML_ACE_ADD_FILE : 0));
		acl_make(&dir, GML_DIR);
		acl_add(ALLOW, GML_ACE_OWNER, 0, GML_ACE_READ_DATA);
		if (rows[i / 2].self != '0')
			acl_add(rows[i / 2].self == '-', GML_ACE_EVERYONE, 0, GML_ACE_DELETE);
		acl_make(&file, GML_REG);
		assert_rc(acl_ask(OTHER, GML_ACTION_REMOVE, &target), may ? 0 : GML_ERR_ACCESS);
		assert_rc(acl_ask(OTHER, GML_ACTION_DELETE_OBJECT, &target),
			  may ? 0 : GML_ERR_ACCESS);
		assert_rc(acl_ask(OTHER, GML_ACTION_PUT_OBJECT, &target),
			  may && add ? 0 : GML_ERR_ACCESS);
	}
}

/* The sticky bit stands against the right to the directory, not against that to the inode. */
static void test_sticky(void **state)
{
	static struct acl_inode dir, file;
	struct gml_target target = {.dir = &dir.inode, .inode = &file.inode};
	struct gml_inode plain;
	(void)state;
	acl_add(ALLOW, GML_ACE_EVERYONE, 0,
		GML_ACE_EXECUTE | GML_ACE_ADD_FILE | GML_ACE_DELETE_CHILD);
	acl_make(&dir, GML_DIR);
	dir.inode.mode |= 01000;
	acl_add(ALLOW, GML_ACE_UID, MEMBER, GML_ACE_DELETE);
	acl_make(&file, GML_REG);
	assert_rc(acl_ask(OTHER, GML_ACTION_REMOVE, &target), GML_ERR_PERM);
	assert_rc(acl_ask(MEMBER, GML_ACTION_REMOVE, &target), 0);
	assert_rc(acl_ask(OWNER, GML_ACTION_REMOVE, &target), 0);
	/* A directory without ACL. */
	plain = dir.inode;
	plain.acl.len = 0;
	plain.mode = 01777;
	target.dir = &plain;
	assert_rc(acl_ask(OTHER, GML_ACTION_REMOVE, &target), GML_ERR_PERM);
	assert_rc(acl_ask(MEMBER, GML_ACTION_REMOVE, &target), 0);
	plain.mode = 0755;
	assert_rc(acl_ask(OTHER, GML_ACTION_REMOVE, &target), GML_ERR_ACCESS);
	assert_rc(acl_ask(MEMBER, GML_ACTION_REMOVE, &target), 0);
	plain.mode = 0754; /* no search */
	assert_rc(acl_ask(OTHER, GML_ACTION_REMOVE, &target), GML_ERR_ACCESS);
}

static void test_search(void **state)
{
	static struct acl_inode dir;
	struct gml_op other = acl_op(OTHER), member = acl_op(MEMBER), root = acl_op(ROOT);
	struct gml_verdict verdict;
	const struct gml_target target = {.inode = &dir.inode,
					  .bucket = &(struct gml_bucket_rec){.uid = OWNER}};
	(void)state;
	acl_add(ALLOW, GML_ACE_UID, OTHER, GML_ACE_EXECUTE);
	acl_make(&dir, GML_DIR);
	assert_false(gml_search_barred(&other.principal, &dir.inode));
	assert_true(gml_search_barred(&member.principal, &dir.inode));
	assert_false(gml_search_barred(&root.principal, &dir.inode));
	assert_rc(gml_authorize(NULL, &other.principal, GML_ACTION_SHOW_BUCKET, &target,
				&other.context, &verdict),
		  0);
	assert_int_equal(verdict.reason, GML_REASON_ACL);
	assert_rc(acl_ask(MEMBER, GML_ACTION_SHOW_BUCKET, &target), GML_ERR_ACCESS);
}

/* What cannot be read grants nothing, and says so. */
static void test_unreadable(void **state)
{
	static struct acl_inode file, dir;
	const struct gml_target target = {.dir = &dir.inode, .inode = &file.inode};
	struct gml_op other = acl_op(OTHER);
	(void)state;
	acl_add(ALLOW, GML_ACE_EVERYONE, 0, GML_ACE_RIGHTS);
	acl_make(&file, GML_REG);
	acl_add(ALLOW, GML_ACE_EVERYONE, 0, GML_ACE_RIGHTS);
	acl_make(&dir, GML_DIR);
	file.bytes[0] = dir.bytes[0] = 9;
	assert_rc(acl_ask_inode(OTHER, GML_ACTION_GET_OBJECT, &file), GML_ERR_CORRUPT);
	assert_rc(acl_ask_inode(OTHER, GML_ACTION_SET_MODE, &file), GML_ERR_CORRUPT);
	assert_rc(acl_ask(OTHER, GML_ACTION_REMOVE, &target), GML_ERR_CORRUPT);
	assert_true(gml_search_barred(&other.principal, &dir.inode));
	assert_may(OWNER, GML_ACTION_SET_ACL, &file); /* who can mend it */
	assert_may(ROOT, GML_ACTION_GET_OBJECT, &file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says_mode), cmocka_unit_test(test_named),
		cmocka_unit_test(test_given),	  cmocka_unit_test(test_take),
		cmocka_unit_test(test_attrs),	  cmocka_unit_test(test_add),
		cmocka_unit_test(test_remove),	  cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_search),	  cmocka_unit_test(test_unreadable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
