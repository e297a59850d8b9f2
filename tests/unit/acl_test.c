// SPDX-License-Identifier: Apache-2.0
/* Access control lists as values: the rules of RFC 8881 6, a second evaluator, bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <gemel/acl.h>
#include <gemel/err.h>
#include "gateway/iam/acl.h"

#define ALLOW GML_ACE_ALLOW
#define DENY GML_ACE_DENY
#define READ GML_ACE_READ_DATA
#define WRITE (GML_ACE_WRITE_DATA | GML_ACE_APPEND_DATA)
#define EXEC GML_ACE_EXECUTE
#define F GML_ACE_FILE_INHERIT
#define D GML_ACE_DIRECTORY_INHERIT
#define N GML_ACE_NO_PROPAGATE
#define I GML_ACE_INHERIT_ONLY
#define INHERITED GML_ACE_INHERITED
#define OWNER_UID 1000
#define OWNING_GID 50

#define assert_rc(call, expected) assert_string_equal(gml_err_name(call), gml_err_name(expected))

static uint64_t test_seed = 0x9e3779b97f4a7c15;

static uint32_t test_random(uint32_t below)
{
	test_seed ^= test_seed << 13;
	test_seed ^= test_seed >> 7;
	test_seed ^= test_seed << 17;
	return (uint32_t)((test_seed >> 20) % below);
}

static void add(struct gml_acl *acl, uint8_t type, uint8_t who, uint32_t id, uint32_t mask)
{
	acl->aces[acl->count++] =
		(struct gml_ace){.type = type, .who = who, .id = id, .mask = mask};
}

static struct gml_span encode(const struct gml_acl *acl)
{
	static uint8_t bytes[GML_ACL_BYTES_MAX];
	return (struct gml_span){bytes, gml_acl_encode(acl, bytes)};
}

static bool same(const struct gml_acl *a, const struct gml_acl *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct gml_ace *x = &a->aces[i], *y = &b->aces[i];
		if (x->type != y->type || x->who != y->who || x->flags != y->flags ||
		    x->id != y->id || x->mask != y->mask)
			return false;
	}
	return true;
}

static struct gml_acl_answer ask(const struct gml_acl *acl, const struct gml_principal *who,
				 uint32_t want)
{
	struct gml_acl_question question = {
		.who = who, .uid = OWNER_UID, .gid = OWNING_GID, .want = want};
	struct gml_acl_answer answer;
	assert_rc(gml_acl_ask(encode(acl), &question, &answer), 0);
	return answer;
}

static const uint32_t caller_groups[] = {OWNING_GID, 60};
/* The owner, outside and inside the owning group; a member; others; nobody. */
static const struct gml_principal callers[] = {
	{.cred = {.uid = OWNER_UID, .gid = 7}, .authn = GML_AUTHN_SYS},
	{.cred = {.uid = OWNER_UID, .gid = OWNING_GID}, .authn = GML_AUTHN_SIGV4},
	{.cred = {.uid = 2000, .gid = 7, .ngroups = 2, .groups = caller_groups},
	 .authn = GML_AUTHN_KRB5},
	{.cred = {.uid = 2000, .gid = OWNING_GID}, .authn = GML_AUTHN_SYS},
	{.cred = {.uid = 2001, .gid = 60}, .authn = GML_AUTHN_SYS},
	{.cred = {.uid = 2002, .gid = 8}, .authn = GML_AUTHN_SIGV4},
	{.cred = {.uid = OWNER_UID, .gid = OWNING_GID}, .authn = GML_AUTHN_ANONYMOUS},
};
#define CALLERS (sizeof(callers) / sizeof(callers[0]))

/* ---- evaluation ------------------------------------------------------------------------------ */

/* The first entry that names a right decides it. */
static void test_order(void **state)
{
	struct gml_acl acl = {0};
	struct gml_acl_answer answer;
	(void)state;
	add(&acl, DENY, GML_ACE_UID, 2000, WRITE);
	add(&acl, ALLOW, GML_ACE_GID, 60, READ | WRITE);
	add(&acl, DENY, GML_ACE_EVERYONE, 0, EXEC | READ);
	add(&acl, ALLOW, GML_ACE_EVERYONE, 0, EXEC | GML_ACE_DELETE);
	answer = ask(&acl, &callers[2], GML_ACE_RIGHTS); /* 2000, in 60 */
	assert_int_equal(answer.allowed, READ | GML_ACE_DELETE);
	assert_int_equal(answer.denied, WRITE | EXEC);
	answer = ask(&acl, &callers[4], READ | EXEC | GML_ACE_READ_ACL); /* 2001, in 60 */
	assert_int_equal(answer.allowed, READ);
	assert_int_equal(answer.denied, EXEC);
	/* What is not asked about is not answered. */
	answer = ask(&acl, &callers[4], GML_ACE_READ_ACL);
	assert_int_equal(answer.allowed | answer.denied, 0);
}

static void test_who(void **state)
{
	static const struct {
		uint8_t who;
		uint32_t id;
		bool matches[CALLERS];
	} rows[] = {
		{GML_ACE_OWNER, 0, {1, 1, 0, 0, 0, 0, 0}},
		{GML_ACE_GROUP, 0, {0, 1, 1, 1, 0, 0, 0}},
		{GML_ACE_EVERYONE, 0, {1, 1, 1, 1, 1, 1, 0}},
		{GML_ACE_UID, 2000, {0, 0, 1, 1, 0, 0, 0}},
		{GML_ACE_UID, OWNER_UID, {1, 1, 0, 0, 0, 0, 0}},
		{GML_ACE_GID, 60, {0, 0, 1, 0, 1, 0, 0}},
		{GML_ACE_GID, 7, {1, 0, 1, 0, 0, 0, 0}},
		{GML_ACE_AUTHENTICATED, 0, {1, 1, 1, 1, 1, 1, 0}},
		{GML_ACE_ANONYMOUS, 0, {0, 0, 0, 0, 0, 0, 1}},
	};
	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
		for (size_t i = 0; i < CALLERS; i++) {
			struct gml_acl acl = {0};
			add(&acl, ALLOW, rows[row].who, rows[row].id, READ);
			assert_int_equal(ask(&acl, &callers[i], READ).allowed != 0,
					 rows[row].matches[i]);
			acl.aces[0].flags = F | I; /* does not apply here */
			assert_int_equal(ask(&acl, &callers[i], READ).allowed, 0);
		}
}

static void test_allows_any(void **state)
{
	struct gml_acl acl = {0};
	(void)state;
	assert_false(gml_acl_allows_any(encode(&acl), GML_ACE_RIGHTS));
	add(&acl, DENY, GML_ACE_EVERYONE, 0, EXEC);
	add(&acl, ALLOW, GML_ACE_UID, 5, EXEC);
	assert_true(gml_acl_allows_any(encode(&acl), EXEC));
	assert_false(gml_acl_allows_any(encode(&acl), READ));
	acl.aces[1].flags = D | I;
	assert_false(gml_acl_allows_any(encode(&acl), EXEC));
}

/* ---- random ACLs, and a second evaluator ----------------------------------------------------- */

static uint32_t random_mask(void)
{
	static const uint32_t some[] = {READ,
					WRITE,
					EXEC,
					READ | EXEC,
					GML_ACE_WRITE_DATA,
					GML_ACE_DELETE | GML_ACE_READ_ACL};
	return test_random(2) ? some[test_random(6)] : test_random(1 << 21) & GML_ACE_RIGHTS;
}

static void random_acl(struct gml_acl *acl, unsigned entries, bool directory)
{
	static const uint8_t flags[] = {0,	   0,
					0,	   F,
					D,	   F | D,
					F | N,	   D | N,
					F | I,	   D | I,
					F | D | I, F | D | N | I,
					INHERITED, F | D | INHERITED};
	static const uint32_t ids[] = {OWNER_UID, 2000, 2001, 60, OWNING_GID, 7, 0, UINT32_MAX - 1};
	acl->count = 0;
	for (unsigned i = 0; i < entries; i++) {
		uint8_t who = (uint8_t)(1 + test_random(7));
		bool has_id = who == GML_ACE_UID || who == GML_ACE_GID;
		add(acl, (uint8_t)test_random(2), who, has_id ? ids[test_random(8)] : 0,
		    random_mask());
		if (directory)
			acl->aces[i].flags = flags[test_random(14)];
	}
	assert_rc(gml_acl_check(acl, directory), 0);
}

static bool second_member(const struct gml_principal *who, uint32_t gid)
{
	bool member = who->cred.gid == gid;
	for (uint32_t i = 0; i < who->cred.ngroups; i++)
		member |= who->cred.groups[i] == gid;
	return member;
}

static bool second_matches(const struct gml_ace *ace, const struct gml_principal *who)
{
	if (who->authn == GML_AUTHN_ANONYMOUS)
		return ace->who == GML_ACE_ANONYMOUS;
	return ace->who == GML_ACE_EVERYONE || ace->who == GML_ACE_AUTHENTICATED ||
	       (ace->who == GML_ACE_OWNER && who->cred.uid == OWNER_UID) ||
	       (ace->who == GML_ACE_UID && who->cred.uid == ace->id) ||
	       (ace->who == GML_ACE_GROUP && second_member(who, OWNING_GID)) ||
	       (ace->who == GML_ACE_GID && second_member(who, ace->id));
}

/* One right, as 6.2.1 describes it: 1 allowed, 0 denied, -1 neither. */
static int second_answer(const struct gml_acl *acl, const struct gml_principal *who, uint32_t right)
{
	for (uint32_t i = 0; i < acl->count; i++) {
		const struct gml_ace *ace = &acl->aces[i];
		if (!(ace->flags & I) && (ace->mask & right) && second_matches(ace, who))
			return ace->type == ALLOW;
	}
	return -1;
}

static void test_second_evaluator(void **state)
{
	static struct gml_acl acl;
	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		uint32_t want = test_random(2) ? GML_ACE_RIGHTS : random_mask();
		random_acl(&acl, test_random(12), test_random(2));
		for (size_t i = 0; i < CALLERS; i++) {
			struct gml_acl_answer answer = ask(&acl, &callers[i], want);
			for (uint32_t right = 1; right <= GML_ACE_SYNCHRONIZE; right <<= 1) {
				int second =
					want & right ? second_answer(&acl, &callers[i], right) : -1;
				assert_int_equal((answer.allowed & right) != 0, second == 1);
				assert_int_equal((answer.denied & right) != 0, second == 0);
			}
		}
	}
}

/* ---- ACLs and modes -------------------------------------------------------------------------- */

static void test_mode(void **state)
{
	struct gml_acl acl = {0};
	(void)state;
	assert_int_equal(gml_acl_mode(&acl), 0);
	add(&acl, ALLOW, GML_ACE_EVERYONE, 0, READ);
	assert_int_equal(gml_acl_mode(&acl), 0444);
	add(&acl, ALLOW, GML_ACE_OWNER, 0, GML_ACE_WRITE_DATA); /* half of `w` */
	assert_int_equal(gml_acl_mode(&acl), 0444);
	add(&acl, ALLOW, GML_ACE_OWNER, 0, GML_ACE_APPEND_DATA);
	assert_int_equal(gml_acl_mode(&acl), 0644);
	add(&acl, ALLOW, GML_ACE_UID, 2000, WRITE | EXEC); /* no class of a mode */
	add(&acl, ALLOW, GML_ACE_AUTHENTICATED, 0, WRITE | EXEC);
	assert_int_equal(gml_acl_mode(&acl), 0644);
	add(&acl, DENY, GML_ACE_GROUP, 0, EXEC);
	add(&acl, ALLOW, GML_ACE_EVERYONE, 0, EXEC);
	assert_int_equal(gml_acl_mode(&acl), 0745);
	acl.aces[0].flags = F | D | I;
	assert_int_equal(gml_acl_mode(&acl), 0301);
}

/* The bits of the caller's class, as POSIX chooses it. */
static unsigned posix_bits(uint32_t mode, const struct gml_principal *who)
{
	if (who->cred.uid == OWNER_UID)
		return mode >> 6 & 7;
	return second_member(who, OWNING_GID) ? mode >> 3 & 7 : mode & 7;
}

/* Every mode: the ACL that says it gives it back, and gives each caller what POSIX gives. */
static void test_every_mode(void **state)
{
	static struct gml_acl acl, again;
	(void)state;
	for (uint32_t mode = 0; mode < 01000; mode++)
		for (int directory = 0; directory < 2; directory++) {
			uint32_t all = gml_acl_rights_of(7, directory);
			gml_acl_of_mode(mode | 07000, directory, &acl);
			assert_int_equal(gml_acl_mode(&acl), mode);
			assert_true(gml_acl_says_mode(&acl, directory));
			for (size_t i = 0; i < CALLERS - 1; i++)
				assert_int_equal(ask(&acl, &callers[i], all).allowed,
						 gml_acl_rights_of(posix_bits(mode, &callers[i]),
								   directory));
			gml_acl_of_mode((mode * 73 + 5) & 0777, directory, &again);
			gml_acl_chmod(&again, mode, directory, &acl);
			gml_acl_of_mode(mode, directory, &again);
			assert_true(same(&acl, &again));
		}
}

static void test_says_mode(void **state)
{
	static struct gml_acl acl;
	(void)state;
	gml_acl_of_mode(0640, false, &acl);
	assert_true(gml_acl_says_mode(&acl, false));
	acl.aces[0].mask |= GML_ACE_DELETE;
	assert_false(gml_acl_says_mode(&acl, false));
	gml_acl_of_mode(0755, true, &acl);
	assert_true(gml_acl_says_mode(&acl, true));
	assert_false(gml_acl_says_mode(&acl, false)); /* DELETE_CHILD */
	acl.aces[2].flags = F;
	assert_false(gml_acl_says_mode(&acl, true));
	gml_acl_of_mode(0755, true, &acl);
	add(&acl, ALLOW, GML_ACE_UID, 5, READ);
	assert_false(gml_acl_says_mode(&acl, true));
}

/* chmod where people meet it. */
static void test_chmod(void **state)
{
	static struct gml_acl acl, out, again;
	(void)state;
	gml_acl_of_mode(0664, false, &acl);
	memmove(&acl.aces[1], acl.aces, 3 * sizeof(acl.aces[0]));
	acl.count = 0;
	add(&acl, ALLOW, GML_ACE_UID, 2000, READ | WRITE | GML_ACE_DELETE);
	acl.count = 4;
	gml_acl_chmod(&acl, 0644, false, &out);
	assert_int_equal(out.count, 4);
	assert_int_equal(out.aces[0].mask, READ | GML_ACE_DELETE); /* what the group has */
	assert_int_equal(gml_acl_mode(&out), 0644);
	gml_acl_chmod(&out, 0600, false, &again);
	assert_int_equal(again.aces[0].mask, GML_ACE_DELETE);
	/* A group that has less than others; a member who is named is not let in either. */
	gml_acl_chmod(&acl, 0604, false, &out);
	assert_int_equal(gml_acl_mode(&out), 0604);
	assert_int_equal(ask(&out, &callers[3], READ).allowed, 0);
	assert_int_equal(ask(&out, &callers[1], READ | WRITE).allowed, READ | WRITE);
	assert_int_equal(ask(&out, &callers[5], READ).allowed, READ);
	/* Entries that only deny stay. */
	acl.aces[0].type = DENY;
	gml_acl_chmod(&acl, 0666, false, &out);
	assert_int_equal(out.aces[0].mask, READ | WRITE | GML_ACE_DELETE);
	assert_int_equal(ask(&out, &callers[2], READ | WRITE).allowed, 0);
}

/* The public is no member of the group. */
static void test_chmod_anonymous(void **state)
{
	static struct gml_acl acl, out;
	(void)state;
	gml_acl_of_mode(0644, false, &acl);
	add(&acl, ALLOW, GML_ACE_ANONYMOUS, 0, READ);
	add(&acl, ALLOW, GML_ACE_AUTHENTICATED, 0, READ | WRITE);
	gml_acl_chmod(&acl, 0644, false, &out);
	assert_int_equal(out.aces[3].mask, READ);
	assert_int_equal(out.aces[4].mask, READ);
	gml_acl_chmod(&acl, 0640, false, &out);
	assert_int_equal(out.count, 3);
}

/* What the mode does not speak about. */
static uint32_t beside(const struct gml_acl *acl, const struct gml_principal *who)
{
	return ask(acl, who, GML_ACE_RIGHTS & ~gml_acl_rights_of(7, true)).allowed;
}

static void check_limits(const struct gml_acl *acl, uint32_t mode, bool directory)
{
	uint32_t group = gml_acl_rights_of(mode >> 3 & 7, directory),
		 other = gml_acl_rights_of(mode & 7, directory),
		 all = gml_acl_rights_of(7, directory);
	for (uint32_t i = 0; i < acl->count; i++) {
		const struct gml_ace *ace = &acl->aces[i];
		if ((ace->flags & I) || ace->type == DENY || ace->who <= GML_ACE_EVERYONE)
			continue;
		assert_int_equal(ace->mask & all & ~group, 0);
		if (ace->who >= GML_ACE_AUTHENTICATED)
			assert_int_equal(ace->mask & all & ~other, 0);
	}
}

static void check_heritage(const struct gml_acl *a, const struct gml_acl *b, bool directory)
{
	static struct gml_acl from_a, from_b;
	const struct gml_new_mode mode = {.mode = 0777, .umask = 022, .has_umask = true};
	bool any = gml_acl_inherit(a, &mode, directory, &from_a);
	assert_int_equal(gml_acl_inherit(b, &mode, directory, &from_b), any);
	if (any)
		assert_true(same(&from_a, &from_b));
}

static void test_chmod_random(void **state)
{
	static struct gml_acl acl, out, again;
	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		bool directory = test_random(2);
		uint32_t mode = test_random(01000);
		random_acl(&acl, test_random(12), directory);
		gml_acl_chmod(&acl, mode | 01000, directory, &out);
		assert_int_equal(gml_acl_mode(&out), mode);
		check_limits(&out, mode, directory);
		gml_acl_chmod(&out, mode, directory, &again);
		assert_true(same(&out, &again));
		assert_true(out.count <= 2 * acl.count + 6);
		for (size_t i = 0; i < CALLERS; i++)
			assert_int_equal(beside(&acl, &callers[i]), beside(&out, &callers[i]));
		check_heritage(&acl, &out, false);
		check_heritage(&acl, &out, true);
	}
}

/* A long row of chmods neither grows the ACL nor loses what modes do not speak about. */
static void test_chmod_many(void **state)
{
	static struct gml_acl acl, out;
	uint32_t most = 0;
	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		random_acl(&acl, GML_ACL_ENTRIES_MAX, true);
		for (unsigned i = 0; i < 100; i++) {
			gml_acl_chmod(&acl, test_random(01000), true, &out);
			assert_rc(gml_acl_decode(encode(&out), &acl), 0);
			assert_true(same(&acl, &out));
			most = out.count > most ? out.count : most;
		}
	}
	assert_true(most <= 2 * GML_ACL_ENTRIES_MAX + 6);
}

/* ---- inheritance ----------------------------------------------------------------------------- */

static void test_inherit_flags(void **state)
{
	static const struct {
		uint8_t flags;
		int file, directory; /* flags in the child; -1: not inherited */
	} rows[] = {
		{0, -1, -1},
		{F, INHERITED, INHERITED | F | I},
		{D, -1, INHERITED | D},
		{F | D, INHERITED, INHERITED | F | D},
		{F | N, INHERITED, -1},
		{D | N, -1, INHERITED},
		{F | D | N, INHERITED, INHERITED},
		{F | I, INHERITED, INHERITED | F | I},
		{D | I, -1, INHERITED | D},
		{F | D | I, INHERITED, INHERITED | F | D},
		{F | D | N | I | INHERITED, INHERITED, INHERITED},
		{INHERITED, -1, -1},
	};
	static struct gml_acl acl, out;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int directory = 0; directory < 2; directory++) {
			const struct gml_new_mode mode = {.mode = 0777, .has_umask = true};
			int expected = directory ? rows[i].directory : rows[i].file;
			acl.count = 0;
			add(&acl, ALLOW, GML_ACE_UID, 5, READ | GML_ACE_DELETE);
			acl.aces[0].flags = rows[i].flags;
			assert_int_equal(gml_acl_inherit(&acl, &mode, directory, &out),
					 expected >= 0);
			if (expected >= 0) {
				assert_int_equal(out.aces[0].flags, expected);
				assert_int_equal(out.aces[0].mask, READ | GML_ACE_DELETE);
			}
		}
}

/* 6.4.3: a mode alone is applied to what is inherited. */
static void test_inherit_mode(void **state)
{
	const struct gml_new_mode mode = {.mode = 0640};
	static struct gml_acl acl, out;
	(void)state;
	acl.count = 0;
	add(&acl, ALLOW, GML_ACE_UID, 2000, READ | WRITE | EXEC);
	add(&acl, ALLOW, GML_ACE_OWNER, 0, READ | WRITE | EXEC);
	acl.aces[0].flags = F;
	assert_true(gml_acl_inherit(&acl, &mode, false, &out));
	assert_int_equal(gml_acl_mode(&out), 0640);
	assert_int_equal(out.aces[0].mask, READ);
}

/* RFC 8275: what is inherited counts, the umask does not. */
static void test_inherit_umask(void **state)
{
	struct gml_new_mode mode = {.mode = 0666, .umask = 077, .has_umask = true};
	static struct gml_acl acl, out;
	(void)state;
	acl.count = 0;
	add(&acl, ALLOW, GML_ACE_UID, 2000, READ | WRITE | EXEC);
	acl.aces[0].flags = F | D;
	/* Nothing for the classes of a mode is inherited: the mode speaks for them. */
	assert_true(gml_acl_inherit(&acl, &mode, false, &out));
	assert_int_equal(gml_acl_mode(&out), 0600);
	assert_int_equal(out.aces[0].mask, READ | WRITE); /* 0666 has no x */
	mode.mode = 0600; /* a program that wants a private file gets one */
	assert_true(gml_acl_inherit(&acl, &mode, false, &out));
	assert_int_equal(ask(&out, &callers[2], READ | WRITE).allowed, 0);
	mode.mode = 0777;
	add(&acl, ALLOW, GML_ACE_GROUP, 0, READ | WRITE | EXEC);
	acl.aces[1].flags = F | D | I;
	assert_true(gml_acl_inherit(&acl, &mode, false, &out));
	assert_int_equal(out.count, 2);
	assert_int_equal(gml_acl_mode(&out), 0070);
	mode.mode = 0707;
	assert_true(gml_acl_inherit(&acl, &mode, true, &out));
	assert_int_equal(gml_acl_mode(&out), 0);
	assert_int_equal(out.count, 2); /* both are left to what is made below */
	assert_int_equal(out.aces[0].flags, F | D | I | INHERITED);
	assert_int_equal(out.aces[0].mask, READ | WRITE | EXEC);
}

/* ---- form ------------------------------------------------------------------------------------ */

static void test_check(void **state)
{
	static struct gml_acl acl;
	struct gml_ace *ace = &acl.aces[0];
	(void)state;
	acl.count = 0;
	assert_rc(gml_acl_check(&acl, false), 0); /* denies everything */
	add(&acl, ALLOW, GML_ACE_OWNER, 0, READ);
	for (unsigned i = 0; i < 256; i++) {
		*ace = (struct gml_ace){.type = (uint8_t)i, .who = GML_ACE_OWNER};
		assert_rc(gml_acl_check(&acl, true), i <= 1 ? 0 : GML_ERR_NOTSUP);
		*ace = (struct gml_ace){.who = (uint8_t)i};
		assert_rc(gml_acl_check(&acl, true), i >= 1 && i <= 7 ? 0 : GML_ERR_NOTSUP);
		*ace = (struct gml_ace){.who = GML_ACE_OWNER, .flags = (uint8_t)i};
		assert_rc(gml_acl_check(&acl, true), i & ~GML_ACE_FLAGS ? GML_ERR_NOTSUP
						     : i & (F | D) || !(i & (N | I))
							     ? 0
							     : GML_ERR_INVAL);
		assert_rc(gml_acl_check(&acl, false), i & ~GML_ACE_FLAGS    ? GML_ERR_NOTSUP
						      : i & (F | D | N | I) ? GML_ERR_INVAL
									    : 0);
	}
	for (uint32_t right = 1; right != 0; right <<= 1) {
		*ace = (struct gml_ace){.who = GML_ACE_OWNER, .mask = right};
		assert_rc(gml_acl_check(&acl, true), right & GML_ACE_RIGHTS ? 0 : GML_ERR_NOTSUP);
	}
	*ace = (struct gml_ace){.who = GML_ACE_GROUP, .id = 1};
	assert_rc(gml_acl_check(&acl, true), GML_ERR_INVAL);
	*ace = (struct gml_ace){.who = GML_ACE_GID, .id = UINT32_MAX};
	assert_rc(gml_acl_check(&acl, true), GML_ERR_INVAL);
	random_acl(&acl, GML_ACL_ENTRIES_MAX, true);
	add(&acl, ALLOW, GML_ACE_OWNER, 0, READ);
	assert_rc(gml_acl_check(&acl, true), GML_ERR_TOOBIG);
}

static void test_bytes(void **state)
{
	static struct gml_acl acl, out;
	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		random_acl(&acl, round < 1990 ? test_random(20) : GML_ACL_ENTRIES_MAX, true);
		assert_true(encode(&acl).len <= GML_ACL_BYTES_MAX);
		assert_rc(gml_acl_decode(encode(&acl), &out), 0);
		assert_true(same(&acl, &out));
	}
}

/* Every shortening, and every bit turned over: an error or another ACL, which has bytes too. */
static void test_damage(void **state)
{
	static uint8_t bytes[GML_ACL_BYTES_MAX];
	static struct gml_acl acl, out, again;
	struct gml_span span;
	(void)state;
	random_acl(&acl, 12, true);
	span = (struct gml_span){bytes, gml_acl_encode(&acl, bytes)};
	for (size_t len = 0; len < span.len; len++)
		assert_rc(gml_acl_decode((struct gml_span){bytes, len}, &out), GML_ERR_CORRUPT);
	assert_rc(gml_acl_decode((struct gml_span){NULL, 0}, &out), GML_ERR_CORRUPT);
	for (size_t bit = 0; bit < 8 * span.len; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (gml_acl_decode(span, &out) == 0) {
			assert_rc(gml_acl_decode(encode(&out), &again), 0);
			assert_true(same(&out, &again));
		}
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	bytes[0] = 2; /* another version */
	assert_rc(gml_acl_decode(span, &out), GML_ERR_CORRUPT);
}

/* Nothing is granted by what cannot be read. */
static void test_damage_grants_nothing(void **state)
{
	struct gml_acl_question question = {
		.who = &callers[0], .uid = OWNER_UID, .gid = 1, .want = GML_ACE_RIGHTS};
	struct gml_acl_answer answer;
	struct gml_acl acl = {0};
	struct gml_span span;
	(void)state;
	add(&acl, ALLOW, GML_ACE_EVERYONE, 0, GML_ACE_RIGHTS & ~GML_ACE_DELETE);
	add(&acl, ALLOW, GML_ACE_UID, 70000, READ);
	span = encode(&acl);
	span.len--;
	assert_rc(gml_acl_ask(span, &question, &answer), GML_ERR_CORRUPT);
	assert_int_equal(answer.allowed, 0);
	assert_false(gml_acl_allows_any(span, READ));
}

/* More entries than the functions make are no ACL: they have no room for what chmod adds. */
static void test_too_many(void **state)
{
	static struct gml_acl acl, out;
	(void)state;
	acl.count = 0;
	for (unsigned i = 0; i < GML_ACL_ENTRIES_MAX + 7; i++)
		add(&acl, ALLOW, GML_ACE_UID, i, READ);
	assert_rc(gml_acl_decode(encode(&acl), &out), GML_ERR_CORRUPT);
	acl.count--;
	assert_rc(gml_acl_decode(encode(&acl), &out), 0);
	for (unsigned i = 0; i < GML_ACL_ENTRIES_MAX; i++)
		acl.aces[i].flags = F;
	assert_rc(gml_acl_decode(encode(&acl), &out), 0);
	gml_acl_chmod(&out, 0, true, &acl);
	assert_int_equal(acl.count, GML_ACL_ENTRIES_MAX);
	acl = out;
	acl.aces[GML_ACL_ENTRIES_MAX].flags = F;
	assert_rc(gml_acl_decode(encode(&acl), &out), GML_ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_allows_any),
		cmocka_unit_test(test_second_evaluator),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_every_mode),
		cmocka_unit_test(test_says_mode),
		cmocka_unit_test(test_chmod),
		cmocka_unit_test(test_chmod_anonymous),
		cmocka_unit_test(test_chmod_random),
		cmocka_unit_test(test_chmod_many),
		cmocka_unit_test(test_inherit_flags),
		cmocka_unit_test(test_inherit_mode),
		cmocka_unit_test(test_inherit_umask),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_damage_grants_nothing),
		cmocka_unit_test(test_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
