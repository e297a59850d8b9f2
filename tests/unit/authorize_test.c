// SPDX-License-Identifier: Apache-2.0
/* Every action of gemel/action.h, asked of the one decision itself: callers of all kinds, one
 * target. What the core's operations make of it is in rights_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <gemel/err.h>
#include <gemel/principal.h>
#include "gateway/iam/authorize.h"

enum { OWNER = 1001, MEMBER = 1002, OTHER = 1003, INITIATOR = 1004, GROUP = 2001 };

static const uint32_t authorize_groups[] = {7, GROUP};

struct authorize_caller {
	uint32_t uid, gid;
	bool refused, admin, read_only, barred;
};

static const struct authorize_caller authorize_callers[] = {
	{OWNER, 9, false, false, false, false},	     /* o: of all but the upload */
	{MEMBER, GROUP, false, false, false, false}, /* g: of the group */
	{INITIATOR, 9, false, false, false, false},  /* i: of the upload */
	{OTHER, 9, false, false, false, false},	     /* t */
	{0, 0, false, false, false, false},	     /* r: root */
	{OWNER, 9, true, false, false, false},	     /* x: the owner, refused */
	{OWNER, 9, false, false, false, true},	     /* w: the owner, and the way is barred */
	{OTHER, 9, false, true, false, false},	     /* a: an administrator with a uid */
	{OWNER, 9, false, false, true, false}, /* p: the owner, where nothing may be changed */
};
#define AUTHORIZE_CALLERS (sizeof(authorize_callers) / sizeof(authorize_callers[0]))

static struct gml_op authorize_op(const struct authorize_caller *caller)
{
	struct gml_op op = {
		.context = {.protocol = GML_PROTOCOL_NFS, .read_only = caller->read_only}};
	if (caller->admin)
		op = (struct gml_op)GML_OP_LOCAL;
	gml_principal_for(&op.principal, caller->uid, caller->gid);
	op.principal.cred.groups = authorize_groups;
	op.principal.cred.ngroups = caller->uid == MEMBER ? 2 : 0;
	op.principal.refused = caller->refused;
	return op;
}

/* A file 0751 of the owner's and the group, in a sticky directory 01777 of the owner's. */
static void authorize_ask(enum gml_action action, char *out)
{
	const struct gml_inode dir = {.type = GML_DIR, .mode = 01777, .uid = OWNER, .gid = GROUP};
	const struct gml_inode file = {.type = GML_REG, .mode = 0751, .uid = OWNER, .gid = GROUP};
	const struct gml_bucket_rec bucket = {.uid = OWNER};
	const struct gml_upload_rec upload = {.uid = INITIATOR};
	for (size_t i = 0; i < AUTHORIZE_CALLERS; i++) {
		const struct authorize_caller *caller = &authorize_callers[i];
		struct gml_target target = {.dir = &dir,
					    .inode = &file,
					    .bucket = &bucket,
					    .upload = &upload,
					    .uid = OWNER,
					    .gid = GROUP,
					    .barred = caller->barred};
		struct gml_op op = authorize_op(caller);
		struct gml_verdict verdict;
		int rc = gml_authorize(NULL, &op.principal, action, &target, &op.context, &verdict);
		bool granted = verdict.reason == GML_REASON_PRIVILEGE ||
			       verdict.reason == GML_REASON_OWNER ||
			       verdict.reason == GML_REASON_MODE ||
			       verdict.reason == GML_REASON_REACH;
		assert_int_equal(rc == 0, granted);
		*out++ = rc == 0		? '.'
			 : rc == GML_ERR_ACCESS ? 'A'
			 : rc == GML_ERR_PERM	? 'P'
						: 'R';
	}
	*out = '\0';
}

static const struct authorize_row {
	enum gml_action action;
	const char *name,
		*answers; /* a letter for each of authorize_callers, as in rights_table.h */
} authorize_rows[] = {
#include "authorize_table.h"
};

static void test_actions(void **state)
{
	char got[AUTHORIZE_CALLERS + 1];
	enum gml_action next = GML_ACTION_NONE + 1;
	unsigned wrong = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(authorize_rows) / sizeof(authorize_rows[0]); i++) {
		const struct authorize_row *row = &authorize_rows[i];
		assert_int_equal(row->action, next++); /* no row is missing */
		if (row->answers == NULL)
			continue;
		authorize_ask(row->action, got);
		if ((strcmp(got, row->answers) != 0 ||
		     strcmp(gml_action_name(row->action, false), row->name) != 0) &&
		    ++wrong)
			fprintf(stderr, "%s (%d): %s %s, not %s\n", row->name, (int)row->action,
				gml_action_name(row->action, false), got, row->answers);
	}
	assert_int_equal(next, GML_ACTION_COUNT);
	assert_int_equal(wrong, 0);
}

/* What a directory is asked for is to be listed. */
static void test_names(void **state)
{
	(void)state;
	assert_string_equal(gml_action_name(GML_ACTION_GETATTR, true), "s3:ListBucket");
	assert_string_equal(gml_action_name(GML_ACTION_GETATTR, false), "s3:GetObject");
	assert_string_equal(gml_action_name(GML_ACTION_CREATE, true), "s3:PutObject");
	assert_string_equal(gml_action_name(GML_ACTION_COUNT, false), "");
}

/* Zero is nobody: no uid gives a privilege by itself, and what is no action is nobody's. */
static void test_nothing(void **state)
{
	const struct gml_inode file = {.type = GML_REG, .mode = 0600, .uid = OWNER};
	const struct gml_target target = {.inode = &file};
	const struct gml_op nobody = {0}, local = GML_OP_LOCAL;
	(void)state;
	assert_int_equal(gml_may(NULL, &nobody, GML_ACTION_GET_OBJECT, &target), GML_ERR_ACCESS);
	assert_int_equal(gml_may(NULL, &nobody, GML_ACTION_MAKE_DEVICE, &target), GML_ERR_PERM);
	assert_int_equal(gml_may(NULL, &nobody, GML_ACTION_NONE, &target), GML_ERR_PERM);
	assert_int_equal(gml_may(NULL, &local, GML_ACTION_GET_OBJECT, &target), 0);
}

/* Where a principal's privileges come from. */
static void test_privileges(void **state)
{
	struct gml_user user = {.name = "ann", .uid = 0, .flags = GML_USER_DISABLED};
	struct gml_principal who;
	struct gml_op op = GML_OP_LOCAL;
	(void)state;
	gml_principal_of_user(&user, (struct gml_span){"GK", 2}, GML_AUTHN_SIGV4, &who);
	assert_int_equal(who.privileges, GML_PRIVILEGE_ROOT);
	assert_true(who.refused);
	assert_string_equal(who.user, "ann");
	user.uid = 5;
	user.flags = 0;
	gml_principal_of_user(&user, (struct gml_span){"GK", 2}, GML_AUTHN_SIGV2, &who);
	assert_int_equal(who.privileges, 0);
	assert_false(who.refused);
	assert_int_equal(who.authn, GML_AUTHN_SIGV2);
	gml_principal_server(&who);
	assert_int_equal(who.privileges, GML_PRIVILEGE_ROOT);
	gml_principal_for(&op.principal, 5, 6);
	assert_int_equal(op.principal.privileges, GML_PRIVILEGE_ADMIN);
	gml_principal_for(&op.principal, 0, 0);
	assert_int_equal(op.principal.privileges, GML_PRIVILEGE_ADMIN | GML_PRIVILEGE_ROOT);
	gml_principal_for(&who, 5, 6);
	assert_int_equal(who.privileges, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_privileges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
