// SPDX-License-Identifier: Apache-2.0
/* S3's grants as a view of ACLs, what they decide, and what new objects get. */
#include <gemel/account.h>
#include <gemel/grant.h>
#include <gemel/upload.h>
#include "gateway/iam/acl.h"
#include "gateway/iam/grant.h"
#include "object_support.h"

#define OWNER 1001 /* of the bucket */
#define BOB 1002
#define CAROL 1003
#define ALL GML_GRANT_FULL_CONTROL

/* ---- values ---------------------------------------------------------------------------------- */

static void ace(struct gml_acl *acl, uint8_t type, uint8_t who, uint32_t id, uint32_t mask,
		uint8_t flags)
{
	acl->aces[acl->count++] =
		(struct gml_ace){.type = type, .who = who, .id = id, .mask = mask, .flags = flags};
}

static void grant(struct gml_grants *grants, enum gml_grantee who, uint32_t uid, uint32_t permits)
{
	grants->grants[grants->count++] = (struct gml_grant){who, uid, permits};
}

static bool shows(const struct gml_acl *acl, bool directory, enum gml_grantee who, uint32_t uid,
		  uint32_t permits)
{
	static struct gml_grants grants;
	gml_grants_of_acl(acl, directory, &grants);
	for (uint32_t i = 0; i < grants.count; i++)
		if (grants.grants[i].who == who && grants.grants[i].uid == uid &&
		    grants.grants[i].permits == permits)
			return true;
	return false;
}

static bool has(const struct gml_acl *acl, struct gml_ace wanted)
{
	for (uint32_t i = 0; i < acl->count; i++) {
		const struct gml_ace *ace = &acl->aces[i];
		if (ace->type == wanted.type && ace->who == wanted.who &&
		    ace->flags == wanted.flags && ace->id == wanted.id && ace->mask == wanted.mask)
			return true;
	}
	return false;
}

static void test_view(void **state)
{
	static struct gml_acl acl;
	static struct gml_grants grants;
	(void)state;
	/* A mode shows its owner alone. */
	gml_acl_of_mode(0644, false, &acl);
	gml_grants_of_acl(&acl, false, &grants);
	assert_int_equal(grants.count, 1);
	assert_true(shows(&acl, false, GML_GRANTEE_OWNER, 0, ALL));
	gml_acl_of_mode(0755, true, &acl);
	gml_grants_of_acl(&acl, true, &grants);
	assert_int_equal(grants.count, 1);
	assert_true(shows(&acl, true, GML_GRANTEE_OWNER, 0, ALL));
	gml_acl_of_mode(0400, false, &acl);
	assert_true(shows(&acl, false, GML_GRANTEE_OWNER, 0,
			  GML_GRANT_READ | GML_GRANT_READ_ACP | GML_GRANT_WRITE_ACP));
	/* What S3 has no word for. */
	acl.count = 0;
	ace(&acl, GML_ACE_ALLOW, GML_ACE_GID, 7, GML_ACE_READ_DATA, 0);
	ace(&acl, GML_ACE_ALLOW, GML_ACE_EVERYONE, 0, GML_ACE_READ_DATA, 0);
	ace(&acl, GML_ACE_ALLOW, GML_ACE_UID, BOB, GML_ACE_EXECUTE | GML_ACE_WRITE_DATA, 0);
	ace(&acl, GML_ACE_ALLOW, GML_ACE_UID, CAROL, GML_ACE_READ_DATA,
	    GML_ACE_FILE_INHERIT | GML_ACE_INHERIT_ONLY);
	gml_grants_of_acl(&acl, true, &grants);
	assert_int_equal(grants.count, 0);
	/* What was denied before is not shown. */
	ace(&acl, GML_ACE_DENY, GML_ACE_UID, BOB, GML_ACE_READ_DATA, 0);
	ace(&acl, GML_ACE_ALLOW, GML_ACE_UID, BOB, GML_ACE_READ_DATA | GML_ACE_READ_ACL, 0);
	assert_true(shows(&acl, true, GML_GRANTEE_UID, BOB, GML_GRANT_READ_ACP));
}

/* Each combination of permissions and grantees is shown as it was set. */
static void test_round_trip(void **state)
{
	static const enum gml_grantee whos[] = {GML_GRANTEE_OWNER, GML_GRANTEE_UID,
						GML_GRANTEE_AUTHENTICATED, GML_GRANTEE_EVERYONE};
	static struct gml_acl base, acl;
	static struct gml_grants grants, shown;
	(void)state;
	for (unsigned n = 0; n < 2 * 4 * 16; n++) {
		bool directory = n & 1;
		enum gml_grantee who = whos[n >> 1 & 3];
		uint32_t permits = n >> 3, uid = who == GML_GRANTEE_UID ? BOB : 0;
		grants.count = 0;
		if (permits != 0)
			grant(&grants, who, uid, permits);
		gml_acl_of_mode(directory ? 0755 : 0644, directory, &base);
		assert_ok(gml_grants_apply(&base, &grants, directory, &acl));
		gml_grants_of_acl(&acl, directory, &shown);
		assert_int_equal(shown.count, grants.count);
		if (permits != 0)
			assert_true(shows(&acl, directory, who, uid, permits));
		/* The mode follows AllUsers, and others keep what the mode gave them. */
		assert_int_equal(gml_acl_mode(&acl) & 4, 4);
		/* Again, and nothing changes. */
		assert_ok(gml_grants_apply(&acl, &grants, directory, &base));
		assert_int_equal(base.count, acl.count);
		assert_memory_equal(base.aces, acl.aces, acl.count * sizeof(acl.aces[0]));
	}
}

static void test_keeps_what_is_not_shown(void **state)
{
	const uint32_t bits = GML_ACE_READ_DATA | GML_ACE_EXECUTE;
	static struct gml_acl acl, changed;
	static struct gml_grants grants;
	(void)state;
	acl.count = grants.count = 0;
	ace(&acl, GML_ACE_DENY, GML_ACE_GID, 7, GML_ACE_WRITE_DATA, 0);
	ace(&acl, GML_ACE_ALLOW, GML_ACE_UID, BOB, bits, GML_ACE_INHERIT);
	ace(&acl, GML_ACE_ALLOW, GML_ACE_UID, CAROL, bits, GML_ACE_INHERIT);
	ace(&acl, GML_ACE_ALLOW, GML_ACE_GID, 8, bits, GML_ACE_INHERIT);
	ace(&acl, GML_ACE_ALLOW, GML_ACE_EVERYONE, 0, GML_ACE_EXECUTE, 0);
	/* Bob keeps what he has; carol goes, but what is made below still is hers to read. */
	grant(&grants, GML_GRANTEE_UID, BOB, GML_GRANT_READ);
	grant(&grants, GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ);
	assert_ok(gml_grants_apply(&acl, &grants, true, &changed));
	assert_true(has(&changed, acl.aces[0]) && has(&changed, acl.aces[1]));
	assert_true(has(&changed, acl.aces[3]) && has(&changed, acl.aces[4]));
	assert_false(has(&changed, acl.aces[2]));
	assert_true(
		has(&changed, (struct gml_ace){.who = GML_ACE_UID,
					       .id = CAROL,
					       .mask = bits,
					       .flags = GML_ACE_INHERIT | GML_ACE_INHERIT_ONLY}));
	assert_int_equal(gml_acl_mode(&changed) & 7, 5);
	/* AllUsers lose what they got, and others keep the rest. */
	grants.count = 1;
	assert_ok(gml_grants_apply(&changed, &grants, true, &acl));
	assert_int_equal(gml_acl_mode(&acl) & 7, 1);
	assert_false(shows(&acl, true, GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ));
}

static void test_private_is_a_mode(void **state)
{
	static struct gml_acl base, acl;
	static struct gml_grants grants;
	(void)state;
	gml_grants_private(&grants);
	gml_acl_of_mode(0600, false, &base);
	assert_ok(gml_grants_apply(&base, &grants, false, &acl));
	assert_true(gml_acl_says_mode(&acl, false));
	gml_acl_of_mode(0700, true, &base);
	assert_ok(gml_grants_apply(&base, &grants, true, &acl));
	assert_true(gml_acl_says_mode(&acl, true));
}

static void test_limits(void **state)
{
	static struct gml_acl acl, changed;
	static struct gml_grants grants;
	(void)state;
	acl.count = grants.count = 0;
	for (uint32_t i = 0; i < GML_ACL_ENTRIES_MAX; i++)
		ace(&acl, GML_ACE_ALLOW, GML_ACE_GID, i, GML_ACE_READ_DATA, 0);
	assert_ok(gml_grants_apply(&acl, &grants, false, &changed));
	grant(&grants, GML_GRANTEE_UID, BOB, GML_GRANT_READ);
	assert_rc(gml_grants_apply(&acl, &grants, false, &changed), GML_ERR_TOOBIG);
	acl.count = 0;
	for (uint32_t i = 0; i < GML_ACL_ENTRIES_MAX; i++)
		ace(&acl, GML_ACE_ALLOW, GML_ACE_UID, i, GML_ACE_READ_DATA, GML_ACE_INHERIT);
	grants.count = 0;
	for (uint32_t i = 0; i < GML_GRANTS_MAX; i++)
		grant(&grants, GML_GRANTEE_EVERYONE, 0, GML_GRANT_WRITE);
	assert_rc(gml_grants_apply(&acl, &grants, true, &changed), GML_ERR_TOOBIG);
}

static void test_resolve(void **state)
{
	static struct gml_grants grants, named;
	(void)state;
	grants.count = 0;
	grant(&grants, GML_GRANTEE_OWNER, 0, ALL);
	grant(&grants, GML_GRANTEE_BUCKET_OWNER, 0, ALL);
	grant(&grants, GML_GRANTEE_UID, BOB, ALL);
	gml_grants_resolve(&grants, OWNER, OWNER, &named);
	assert_int_equal(named.count, 2);
	gml_grants_resolve(&grants, OWNER, BOB, &named);
	assert_int_equal(named.count, 2);
	assert_int_equal(named.grants[1].uid, OWNER);
	assert_false(gml_grants_plain(&grants, OWNER));
	assert_true(gml_grants_plain(&grants, BOB));
	assert_false(gml_grants_public(&grants));
	grant(&grants, GML_GRANTEE_AUTHENTICATED, 0, GML_GRANT_READ);
	assert_true(gml_grants_public(&grants));
	grants.count = 0;
	assert_false(gml_grants_plain(&grants, OWNER));
}

static void test_bytes(void **state)
{
	static struct gml_grants grants, again;
	uint8_t bytes[GML_GRANTS_BYTES_MAX];
	size_t len;
	(void)state;
	gml_grants_private(&grants);
	grants.for_bucket_owner = true;
	grant(&grants, GML_GRANTEE_UID, 4000000000u, GML_GRANT_READ_ACP);
	grant(&grants, GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ);
	len = gml_grants_encode(&grants, bytes);
	assert_ok(gml_grants_decode(gml_span_of(bytes, len), &again));
	assert_int_equal(again.count, 3);
	assert_true(again.for_bucket_owner);
	assert_memory_equal(grants.grants, again.grants, 3 * sizeof(grants.grants[0]));
	for (size_t cut = 0; cut < len; cut++)
		assert_rc(gml_grants_decode(gml_span_of(bytes, cut), &again), GML_ERR_CORRUPT);
	for (size_t at = 0; at < len; at++) { /* no byte is without meaning */
		uint8_t was = bytes[at];
		bytes[at] = 0xff;
		if (at < 3 || (at - 3) % 6 == 0 || (at - 3) % 6 == 5)
			assert_rc(gml_grants_decode(gml_span_of(bytes, len), &again),
				  GML_ERR_CORRUPT);
		bytes[at] = was;
	}
}

/* ---- in a store ------------------------------------------------------------------------------ */

static struct gml_op owner, bob, anonymous;

static struct gml_op s3_user(uint32_t uid)
{
	struct gml_op op = ns_user(uid, uid);
	op.principal.authn = GML_AUTHN_SIGV4;
	op.context.protocol = GML_PROTOCOL_S3;
	return op;
}

static int set_document(struct ns *ns, enum gml_bucket_document kind, const char *text)
{
	return gml_bucket_document_set(&ns->op, ns->store, B, kind, ns_span(text));
}

static int grants_setup(void **state)
{
	const struct gml_setattr set = {
		.mask = GML_SET_UID | GML_SET_MODE, .uid = OWNER, .mode = 0700};
	int rc = ns_setup(state);
	struct ns *ns = *state;
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ns->bucket, &set, NULL));
	assert_ok(set_document(ns, GML_BUCKET_OWNERSHIP, "ObjectWriter"));
	owner = s3_user(OWNER);
	bob = s3_user(BOB);
	anonymous = s3_user(BOB);
	gml_principal_anonymous(&anonymous.principal);
	return rc;
}

static const struct gml_grants *one(enum gml_grantee who, uint32_t uid, uint32_t permits)
{
	static struct gml_grants grants;
	gml_grants_private(&grants);
	grant(&grants, who, uid, permits);
	return &grants;
}

static int put_with(struct ns *ns, struct gml_op *op, const char *key,
		    const struct gml_grants *grants)
{
	struct gml_put *put = NULL;
	int rc = gml_put_begin(op, ns->store, OBJECT_REF(B, ns_span(key)), 3, &put);
	if (rc == 0)
		rc = gml_put_write(put, "abc", 3);
	if (rc != 0) {
		gml_put_abort(put);
		return rc;
	}
	return gml_put_finish(op, put, &(struct gml_put_options){.grants = grants}, NULL);
}

static int get(struct ns *ns, struct gml_op *op, const char *key)
{
	struct gml_object *object;
	int rc = gml_object_open(op, ns->store, OBJECT_REF(B, ns_span(key)), GML_OBJECT_CONTENT,
				 &object);
	if (rc == 0)
		gml_object_close(object);
	return rc;
}

static int get_grants(struct ns *ns, struct gml_op *op, const char *key, struct gml_grants *out,
		      uint32_t *uid)
{
	return gml_object_grants_get(op, ns->store, OBJECT_REF(B, ns_span(key)), out, uid);
}

static int set_grants(struct ns *ns, struct gml_op *op, const char *key,
		      const struct gml_grants *grants)
{
	return gml_object_grants_set(op, ns->store, OBJECT_REF(B, ns_span(key)), grants);
}

static bool list_each(void *arg, const struct gml_list_entry *entry)
{
	(void)entry;
	++*(unsigned *)arg;
	return true;
}

static int list(struct ns *ns, struct gml_op *op, unsigned *count)
{
	const struct gml_list_query query = {.bucket = B, .max = 100};
	bool truncated;
	*count = 0;
	return gml_object_list(op, ns->store, &query, list_each, count, &truncated);
}

static void test_object(void **state)
{
	struct ns *ns = *state;
	static struct gml_grants grants;
	uint32_t uid;
	assert_ok(put_with(ns, &owner, "a/b/key", NULL));
	/* the default is private, wherever the object is */
	assert_rc(get(ns, &bob, "a/b/key"), GML_ERR_ACCESS);
	assert_rc(get(ns, &anonymous, "a/b/key"), GML_ERR_ACCESS);
	assert_ok(set_grants(ns, &owner, "a/b/key", one(GML_GRANTEE_UID, BOB, GML_GRANT_READ)));
	assert_ok(get(ns, &bob, "a/b/key"));
	assert_rc(get(ns, &anonymous, "a/b/key"), GML_ERR_ACCESS);
	assert_rc(get_grants(ns, &bob, "a/b/key", &grants, &uid), GML_ERR_ACCESS);
	assert_rc(set_grants(ns, &bob, "a/b/key", one(GML_GRANTEE_UID, BOB, ALL)), GML_ERR_ACCESS);
	assert_ok(set_grants(ns, &owner, "a/b/key", one(GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ)));
	assert_ok(get(ns, &bob, "a/b/key"));
	assert_ok(get(ns, &anonymous, "a/b/key"));
	assert_ok(set_grants(ns, &owner, "a/b/key",
			     one(GML_GRANTEE_AUTHENTICATED, 0, GML_GRANT_READ)));
	assert_ok(get(ns, &bob, "a/b/key"));
	assert_rc(get(ns, &anonymous, "a/b/key"), GML_ERR_ACCESS);
	assert_ok(set_grants(ns, &owner, "a/b/key", one(GML_GRANTEE_UID, BOB, ALL)));
	assert_ok(get_grants(ns, &bob, "a/b/key", &grants, &uid));
	assert_int_equal(uid, OWNER);
	assert_int_equal(grants.count, 2);
	assert_ok(set_grants(ns, &bob, "a/b/key", one(GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ)));
	assert_rc(get_grants(ns, &bob, "a/b/key", &grants, &uid), GML_ERR_ACCESS);
	/* no right to the key */
	assert_rc(put_with(ns, &bob, "a/b/key", NULL), GML_ERR_ACCESS);
	assert_rc(gml_object_delete(&bob, ns->store, OBJECT_REF(B, ns_span("a/b/key")), NULL, NULL),
		  GML_ERR_ACCESS);
	/* NFS has to get there as well. */
	bob.context.protocol = GML_PROTOCOL_NFS;
	assert_rc(get(ns, &bob, "a/b/key"), GML_ERR_ACCESS);
}

/* The mode's `other` is nobody without a name, and no grant. */
static void test_modes_are_no_grants(void **state)
{
	const struct gml_setattr open = {.mask = GML_SET_MODE, .mode = 0777};
	struct ns *ns = *state;
	unsigned count;
	assert_ok(put_with(ns, &owner, "key", NULL));
	assert_int_equal(ns_attr(ns, ns_lookup(ns, ns->bucket, "key")).mode, 0644);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ns->bucket, &open, NULL));
	assert_ok(get(ns, &bob, "key"));
	assert_rc(get(ns, &anonymous, "key"), GML_ERR_ACCESS);
	assert_rc(get(ns, &anonymous, "none"), GML_ERR_ACCESS);
	assert_rc(list(ns, &anonymous, &count), GML_ERR_ACCESS);
	assert_rc(put_with(ns, &anonymous, "key", NULL), GML_ERR_ACCESS);
	assert_rc(gml_bucket_head(&anonymous, ns->store, B, &(struct gml_bucket){0}),
		  GML_ERR_ACCESS);
	assert_rc(gml_bucket_create(&anonymous, ns->store, ns_span("other"), NULL, NULL),
		  GML_ERR_ACCESS);
}

static void test_bucket(void **state)
{
	struct ns *ns = *state;
	static struct gml_grants grants;
	unsigned count;
	uint32_t uid;
	assert_ok(put_with(ns, &owner, "a/b/key", NULL));
	assert_rc(list(ns, &bob, &count), GML_ERR_ACCESS);
	assert_ok(gml_bucket_grants_set(&owner, ns->store, B,
					one(GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ)));
	assert_ok(list(ns, &bob, &count));
	assert_int_equal(count, 1); /* what is in directories, too */
	assert_ok(list(ns, &anonymous, &count));
	assert_int_equal(count, 1);
	assert_rc(get(ns, &bob, "a/b/key"), GML_ERR_ACCESS); /* an object has grants of its own */
	assert_rc(get(ns, &bob, "a/b/none"), GML_ERR_NOENT);
	assert_rc(
		gml_bucket_grants_get(&bob, ns->store, B, GML_ACTION_GET_BUCKET_ACL, &grants, &uid),
		GML_ERR_ACCESS);
	assert_rc(put_with(ns, &bob, "of-bob", NULL), GML_ERR_ACCESS);
	assert_ok(gml_bucket_grants_set(&owner, ns->store, B,
					one(GML_GRANTEE_UID, BOB, GML_GRANT_WRITE)));
	assert_ok(put_with(ns, &bob, "a/b/of-bob", NULL));
	assert_ok(put_with(ns, &bob, "new/dir/of-bob", NULL));
	assert_rc(list(ns, &bob, &count), GML_ERR_ACCESS);
	assert_ok(get(ns, &bob, "a/b/of-bob"));
	assert_rc(get(ns, &bob, "a/b/none"), GML_ERR_ACCESS);
	assert_ok(put_with(ns, &bob, "a/b/key", NULL)); /* and what has the key goes */
	assert_ok(
		gml_object_delete(&bob, ns->store, OBJECT_REF(B, ns_span("a/b/key")), NULL, NULL));
	/* The bucket is its owner's all the same, however deep. */
	assert_ok(put_with(ns, &owner, "new/dir/of-owner", NULL));
	assert_ok(gml_object_delete(&owner, ns->store, OBJECT_REF(B, ns_span("new/dir/of-bob")),
				    NULL, NULL));
	/* Also when no grant says so. */
	grants.count = 0;
	grant(&grants, GML_GRANTEE_UID, BOB, ALL);
	assert_ok(gml_bucket_grants_set(&owner, ns->store, B, &grants));
	assert_ok(list(ns, &owner, &count));
	assert_ok(gml_bucket_grants_get(&bob, ns->store, B, GML_ACTION_GET_BUCKET_ACL, &grants,
					&uid));
	assert_int_equal(grants.count, 1);
	assert_ok(gml_bucket_grants_set(&bob, ns->store, B, one(GML_GRANTEE_UID, CAROL, ALL)));
	assert_rc(
		gml_bucket_grants_get(&bob, ns->store, B, GML_ACTION_GET_BUCKET_ACL, &grants, &uid),
		GML_ERR_ACCESS);
}

static void test_enforced(void **state)
{
	struct ns *ns = *state;
	static struct gml_grants grants;
	const struct gml_grants *reads = one(GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ);
	char id[GML_UPLOAD_ID_LEN + 1];
	uint32_t uid;
	assert_ok(put_with(ns, &owner, "key", reads));
	assert_ok(get(ns, &anonymous, "key"));
	assert_ok(set_document(ns, GML_BUCKET_OWNERSHIP, "BucketOwnerEnforced"));
	assert_rc(get(ns, &anonymous, "key"), GML_ERR_ACCESS);
	assert_ok(get_grants(ns, &owner, "key", &grants, &uid));
	assert_int_equal(grants.count, 1);
	assert_rc(put_with(ns, &owner, "new", reads), GML_ERR_NOACL);
	assert_rc(set_grants(ns, &owner, "key", reads), GML_ERR_NOACL);
	assert_rc(gml_bucket_grants_set(&owner, ns->store, B, reads), GML_ERR_NOACL);
	assert_rc(gml_upload_create(&owner, ns->store, OBJECT_REF(B, ns_span("up")),
				    &(struct gml_upload_options){.grants = reads}, id),
		  GML_ERR_NOACL);
	assert_rc(gml_grants_check(ns->store, B, reads), GML_ERR_NOACL);
	gml_grants_private(&grants);
	assert_ok(put_with(ns, &owner, "new", &grants));
	assert_ok(set_grants(ns, &owner, "key", &grants));
	assert_ok(gml_grants_check(ns->store, B, &grants));
	/* They are there again when ACLs are. */
	assert_ok(set_document(ns, GML_BUCKET_OWNERSHIP, "ObjectWriter"));
	assert_ok(get(ns, &anonymous, "key"));
}

static void test_public_access_block(void **state)
{
	struct ns *ns = *state;
	const struct gml_grants *reads = one(GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ);
	static struct gml_grants to_bob;
	unsigned count;
	assert_ok(put_with(ns, &owner, "key", reads));
	assert_ok(gml_bucket_grants_set(&owner, ns->store, B, reads));
	assert_ok(set_document(ns, GML_BUCKET_PUBLIC_ACCESS_BLOCK, "IgnorePublicAcls"));
	assert_rc(get(ns, &anonymous, "key"), GML_ERR_ACCESS);
	assert_rc(get(ns, &bob, "key"), GML_ERR_ACCESS);
	assert_rc(list(ns, &bob, &count), GML_ERR_ACCESS);
	assert_ok(get(ns, &owner, "key"));
	assert_ok(set_grants(ns, &owner, "key", reads)); /* ignored, not refused */
	assert_ok(set_document(ns, GML_BUCKET_PUBLIC_ACCESS_BLOCK, "BlockPublicAcls"));
	assert_ok(get(ns, &anonymous, "key"));
	assert_rc(set_grants(ns, &owner, "key", reads), GML_ERR_ACCESS);
	assert_rc(put_with(ns, &owner, "new", reads), GML_ERR_ACCESS);
	assert_rc(gml_bucket_grants_set(&owner, ns->store, B, reads), GML_ERR_ACCESS);
	to_bob = *one(GML_GRANTEE_UID, BOB, GML_GRANT_READ);
	assert_ok(set_grants(ns, &owner, "key", &to_bob));
	assert_ok(get(ns, &bob, "key"));
	assert_rc(get(ns, &anonymous, "key"), GML_ERR_ACCESS);
	/* the account's counts as well */
	assert_ok(set_document(ns, GML_BUCKET_PUBLIC_ACCESS_BLOCK, ""));
	assert_ok(gml_account_set(&ns->op, ns->store,
				  &(struct gml_account){.public_access = GML_BLOCK_PUBLIC_ACLS}));
	reads = one(GML_GRANTEE_AUTHENTICATED, 0, GML_GRANT_READ);
	assert_rc(put_with(ns, &owner, "new", reads), GML_ERR_ACCESS);
}

static gml_ino ino_of(struct ns *ns, const char *key)
{
	struct gml_object_info info = {0};
	assert_ok(object_head(ns, ns_span(key), &info));
	return info.ino;
}

/* What states its grants has these and no others; what states none has those of its directory. */
static void test_new_objects(void **state)
{
	struct ns *ns = *state;
	static struct gml_grants private;
	static struct gml_acl acl;
	const struct gml_setattr set = {.mask = GML_SET_ACL, .acl = &acl};
	gml_ino dir = ns_mkdir(ns, ns->bucket, "d");
	gml_acl_of_mode(0755, true, &acl);
	ace(&acl, GML_ACE_ALLOW, GML_ACE_UID, BOB, GML_ACE_READ_DATA, GML_ACE_FILE_INHERIT);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, dir, &set, NULL));
	assert_ok(put_with(ns, &owner, "d/inherits", NULL));
	assert_ok(get(ns, &bob, "d/inherits"));
	gml_grants_private(&private);
	assert_ok(put_with(ns, &owner, "d/private", &private));
	assert_rc(get(ns, &bob, "d/private"), GML_ERR_ACCESS);
	assert_int_equal(ns_attr(ns, ino_of(ns, "d/private")).mode, 0600);
	assert_int_equal(ns_record(ns, ino_of(ns, "d/private")).acl.len, 0);
	assert_ok(put_with(ns, &owner, "public", one(GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ)));
	assert_int_equal(ns_attr(ns, ino_of(ns, "public")).mode, 0644);
	/* New content without grants is private again, as in S3. */
	assert_ok(put_with(ns, &owner, "public", NULL));
	assert_rc(get(ns, &anonymous, "public"), GML_ERR_ACCESS);
	assert_rc(get(ns, &bob, "public"), GML_ERR_ACCESS);
}

static void test_copies(void **state)
{
	struct ns *ns = *state;
	const struct gml_grants *reads = one(GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ);
	const struct gml_object_ref *from = OBJECT_REF(B, ns_span("from"));
	assert_ok(put_with(ns, &owner, "from", reads));
	assert_ok(gml_object_copy(&owner, ns->store, from, OBJECT_REF(B, ns_span("plain")),
				  &(struct gml_copy_options){0}, NULL));
	assert_rc(get(ns, &anonymous, "plain"), GML_ERR_ACCESS); /* they are not copied */
	assert_ok(gml_object_copy(&owner, ns->store, from, OBJECT_REF(B, ns_span("public")),
				  &(struct gml_copy_options){.grants = reads}, NULL));
	assert_ok(get(ns, &anonymous, "public"));
}

static void upload(struct ns *ns, struct gml_op *op, const char *key,
		   const struct gml_grants *grants)
{
	const struct gml_upload_options options = {.grants = grants};
	char id[GML_UPLOAD_ID_LEN + 1];
	struct gml_upload_ref ref = {.object = {.bucket = B, .key = ns_span(key)}};
	struct gml_part_ref part = {.number = 1};
	struct gml_put *put;
	uint8_t md5[16];
	assert_ok(gml_upload_create(op, ns->store, &ref.object, &options, id));
	ref.id = ns_span(id);
	assert_ok(gml_part_begin(op, ns->store, &ref, 1, 3, &put));
	assert_ok(gml_put_write(put, "abc", 3));
	object_md5("abc", 3, md5);
	assert_ok(gml_part_finish(op, put, md5, NULL, NULL));
	for (int i = 0; i < 16; i++)
		(void)snprintf(part.etag + 2 * i, 3, "%02x", md5[i]);
	assert_ok(gml_upload_complete(op, ns->store, &ref,
				      &(struct gml_complete_options){.parts = &part, .nparts = 1},
				      NULL));
}

static void test_uploads(void **state)
{
	struct ns *ns = *state;
	upload(ns, &owner, "public", one(GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ));
	assert_ok(get(ns, &anonymous, "public"));
	upload(ns, &owner, "plain", NULL);
	assert_rc(get(ns, &anonymous, "plain"), GML_ERR_ACCESS);
}

/* The canned ACL bucket-owner-full-control. */
static void test_bucket_owner(void **state)
{
	struct ns *ns = *state;
	static struct gml_grants to_owner;
	assert_ok(gml_bucket_grants_set(&owner, ns->store, B,
					one(GML_GRANTEE_UID, BOB, GML_GRANT_WRITE)));
	to_owner = *one(GML_GRANTEE_BUCKET_OWNER, 0, ALL);
	to_owner.for_bucket_owner = true;
	assert_ok(put_with(ns, &bob, "writer", &to_owner));
	assert_int_equal(ns_attr(ns, ino_of(ns, "writer")).uid, BOB);
	assert_ok(get(ns, &owner, "writer"));
	assert_ok(get(ns, &bob, "writer"));
	assert_ok(set_document(ns, GML_BUCKET_OWNERSHIP, "BucketOwnerPreferred"));
	assert_ok(put_with(ns, &bob, "preferred", &to_owner));
	assert_int_equal(ns_attr(ns, ino_of(ns, "preferred")).uid, OWNER);
	assert_ok(get(ns, &owner, "preferred"));
	assert_rc(get(ns, &bob, "preferred"), GML_ERR_ACCESS);
	upload(ns, &bob, "upload", &to_owner);
	assert_int_equal(ns_attr(ns, ino_of(ns, "upload")).uid, OWNER);
	assert_ok(put_with(ns, &bob, "own", NULL));
	assert_int_equal(ns_attr(ns, ino_of(ns, "own")).uid, BOB);
}

/* Entries that deny count, wherever they are from. */
static void test_denied(void **state)
{
	struct ns *ns = *state;
	static struct gml_acl acl;
	const struct gml_setattr set = {.mask = GML_SET_ACL, .acl = &acl};
	assert_ok(put_with(ns, &owner, "key", NULL));
	acl.count = 0;
	ace(&acl, GML_ACE_DENY, GML_ACE_UID, BOB, GML_ACE_READ_DATA, 0);
	ace(&acl, GML_ACE_DENY, GML_ACE_OWNER, 0, GML_ACE_READ_DATA, 0);
	ace(&acl, GML_ACE_ALLOW, GML_ACE_ANONYMOUS, 0, GML_ACE_READ_DATA, 0);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino_of(ns, "key"), &set, NULL));
	assert_rc(get(ns, &bob, "key"), GML_ERR_ACCESS);
	assert_rc(get(ns, &owner, "key"), GML_ERR_ACCESS);
	assert_ok(get(ns, &anonymous, "key"));
}

static void test_create_bucket(void **state)
{
	struct ns *ns = *state;
	struct gml_bucket_new settings = {.has_ownership = true,
					  .ownership = GML_OBJECT_WRITER,
					  .grants = one(GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ)};
	static struct gml_grants grants;
	const struct gml_user user = {.name = "owner", .uid = OWNER};
	struct gml_bucket bucket;
	uint32_t uid;
	assert_ok(gml_user_create(&ns->op, ns->store, &user));
	assert_ok(gml_bucket_create(&owner, ns->store, ns_span("open"), &settings, &bucket));
	assert_int_equal(bucket.mode, 0744);
	assert_ok(gml_bucket_grants_get(&owner, ns->store, ns_span("open"),
					GML_ACTION_GET_BUCKET_ACL, &grants, &uid));
	assert_int_equal(grants.count, 2);
	assert_ok(gml_bucket_head(&anonymous, ns->store, ns_span("open"), &bucket));
	settings.ownership = GML_BUCKET_OWNER_ENFORCED;
	assert_rc(gml_bucket_create(&owner, ns->store, ns_span("closed"), &settings, NULL),
		  GML_ERR_NOACL);
	settings.grants = NULL;
	assert_ok(gml_bucket_create(&owner, ns->store, ns_span("closed"), &settings, &bucket));
	assert_int_equal(bucket.mode, 0700);
	assert_ok(gml_account_set(&ns->op, ns->store,
				  &(struct gml_account){.public_access = GML_BLOCK_PUBLIC_ACLS}));
	settings.ownership = GML_OBJECT_WRITER;
	settings.grants = one(GML_GRANTEE_EVERYONE, 0, GML_GRANT_READ);
	assert_rc(gml_bucket_create(&owner, ns->store, ns_span("blocked"), &settings, NULL),
		  GML_ERR_ACCESS);
}

#define grants_test(name) cmocka_unit_test_setup_teardown(name, grants_setup, ns_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_view),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_keeps_what_is_not_shown),
		cmocka_unit_test(test_private_is_a_mode),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_bytes),
		grants_test(test_object),
		grants_test(test_modes_are_no_grants),
		grants_test(test_bucket),
		grants_test(test_enforced),
		grants_test(test_public_access_block),
		grants_test(test_new_objects),
		grants_test(test_copies),
		grants_test(test_uploads),
		grants_test(test_bucket_owner),
		grants_test(test_denied),
		grants_test(test_create_bucket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
