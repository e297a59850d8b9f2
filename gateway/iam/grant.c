// SPDX-License-Identifier: Apache-2.0
/* ACLs as S3's grants: each from the other. */
#include "grant.h"
#include <string.h>
#include <gemel/err.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"

/* ---- entries and grants ---------------------------------------------------------------------- */

static uint32_t grant_write(bool directory)
{
	return GML_ACE_WRITE_DATA | GML_ACE_APPEND_DATA | (directory ? GML_ACE_DELETE_CHILD : 0);
}

/* What the rights permit in S3's words. */
static uint32_t grant_permits(uint32_t rights, bool directory)
{
	return (rights & GML_ACE_READ_DATA ? GML_GRANT_READ : 0) |
	       ((rights & grant_write(directory)) == grant_write(directory) ? GML_GRANT_WRITE : 0) |
	       (rights & GML_ACE_READ_ACL ? GML_GRANT_READ_ACP : 0) |
	       (rights & GML_ACE_WRITE_ACL ? GML_GRANT_WRITE_ACP : 0);
}

/* The owner also gets what the same permissions mean in a mode. */
static uint32_t grant_rights(const struct gml_grant *grant, bool directory)
{
	uint32_t permits = grant->permits;
	uint32_t rights = (permits & GML_GRANT_READ ? GML_ACE_READ_DATA : 0) |
			  (permits & GML_GRANT_WRITE ? grant_write(directory) : 0) |
			  (permits & GML_GRANT_READ_ACP ? GML_ACE_READ_ACL : 0) |
			  (permits & GML_GRANT_WRITE_ACP ? GML_ACE_WRITE_ACL : 0);
	if (grant->who != GML_GRANTEE_OWNER)
		return rights;
	if (permits & GML_GRANT_READ)
		rights |= GML_ACE_READ_NAMED_ATTRS | GML_ACE_READ_ATTRIBUTES | GML_ACE_SYNCHRONIZE |
			  (directory ? GML_ACE_EXECUTE : 0);
	if (permits & GML_GRANT_WRITE)
		rights |= GML_ACE_WRITE_NAMED_ATTRS | GML_ACE_WRITE_ATTRIBUTES;
	return rights;
}

/* Is the entry one that S3 shows, and about whom? */
static bool grant_of_ace(const struct gml_ace *ace, struct gml_grant *out)
{
	*out = (struct gml_grant){.uid = 0};
	if (ace->type != GML_ACE_ALLOW || (ace->flags & GML_ACE_INHERIT_ONLY))
		return false;
	switch ((enum gml_ace_who)ace->who) {
	case GML_ACE_OWNER:
		out->who = GML_GRANTEE_OWNER;
		return true;
	case GML_ACE_UID:
		out->who = GML_GRANTEE_UID;
		out->uid = ace->id;
		return true;
	case GML_ACE_AUTHENTICATED:
		out->who = GML_GRANTEE_AUTHENTICATED;
		return true;
	case GML_ACE_ANONYMOUS:
		out->who = GML_GRANTEE_EVERYONE;
		return true;
	case GML_ACE_GROUP:
	case GML_ACE_EVERYONE:
	case GML_ACE_GID:
		break;
	}
	return false;
}

static bool grant_same_grantee(const struct gml_grant *a, const struct gml_grant *b)
{
	return a->who == b->who && a->uid == b->uid;
}

/* What earlier entries deny to the same grantee. */
static uint32_t grant_denied(const struct gml_acl *acl, uint32_t at)
{
	const struct gml_ace *ace = &acl->aces[at];
	uint32_t denied = 0;
	for (uint32_t i = 0; i < at; i++)
		if (acl->aces[i].type == GML_ACE_DENY && acl->aces[i].who == ace->who &&
		    acl->aces[i].id == ace->id && !(acl->aces[i].flags & GML_ACE_INHERIT_ONLY))
			denied |= acl->aces[i].mask;
	return denied;
}

void gml_grants_of_acl(const struct gml_acl *acl, bool directory, struct gml_grants *out)
{
	struct gml_grant grant;
	out->count = 0;
	out->for_bucket_owner = false;
	for (uint32_t i = 0; i < acl->count; i++) {
		if (!grant_of_ace(&acl->aces[i], &grant))
			continue;
		grant.permits = grant_permits(acl->aces[i].mask & ~grant_denied(acl, i), directory);
		if (grant.permits != 0)
			out->grants[out->count++] = grant;
	}
}

/* ---- setting --------------------------------------------------------------------------------- */

/* Are all grants of `a` to this grantee among those of `b`? */
static bool grants_within(const struct gml_grants *a, const struct gml_grants *b,
			  const struct gml_grant *grantee)
{
	for (uint32_t i = 0; i < a->count; i++) {
		bool found = !grant_same_grantee(&a->grants[i], grantee);
		for (uint32_t j = 0; j < b->count && !found; j++)
			found = grant_same_grantee(&b->grants[j], grantee) &&
				a->grants[i].permits == b->grants[j].permits;
		if (!found)
			return false;
	}
	return true;
}

static bool grants_keep(const struct gml_grants *a, const struct gml_grants *b,
			const struct gml_grant *grantee)
{
	return grants_within(a, b, grantee) && grants_within(b, a, grantee);
}

static uint32_t grants_rights_of(const struct gml_grants *grants, enum gml_grantee who,
				 bool directory)
{
	uint32_t rights = 0;
	for (uint32_t i = 0; i < grants->count; i++)
		if (grants->grants[i].who == who)
			rights |= grant_rights(&grants->grants[i], directory);
	return rights;
}

struct grants_apply {
	const struct gml_grants *old, *new;
	bool directory;
	uint32_t public; /* rights that AllUsers lose as EVERYONE@ */
	struct gml_acl *out;
};

static int grants_add(struct gml_acl *out, struct gml_ace ace)
{
	if (ace.mask == 0)
		return 0;
	if (out->count == GML_ACL_ENTRIES_ROOM)
		return GML_ERR_TOOBIG;
	out->aces[out->count++] = ace;
	return 0;
}

/* An entry that was there, with the rights that it keeps. What it hands down stays. */
static int grants_carry(struct gml_acl *out, const struct gml_ace *ace, uint32_t mask)
{
	struct gml_ace heritage = *ace, kept = *ace;
	int rc = 0;
	if (mask != ace->mask && (ace->flags & GML_ACE_INHERIT)) {
		heritage.flags |= GML_ACE_INHERIT_ONLY;
		kept.flags &= GML_ACE_INHERITED;
		rc = grants_add(out, heritage);
	}
	kept.mask = mask;
	return rc == 0 ? grants_add(out, kept) : rc;
}

static int grants_carry_all(const struct gml_acl *acl, const struct grants_apply *work)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < acl->count; i++) {
		const struct gml_ace *ace = &acl->aces[i];
		struct gml_grant grantee;
		uint32_t mask = ace->mask;
		if (grant_of_ace(ace, &grantee))
			mask = grants_keep(work->old, work->new, &grantee) ? mask : 0;
		else if (ace->type == GML_ACE_ALLOW && ace->who == GML_ACE_EVERYONE &&
			 !(ace->flags & GML_ACE_INHERIT_ONLY))
			mask &= ~work->public;
		rc = grants_carry(work->out, ace, mask);
	}
	return rc;
}

static int grants_add_new(const struct grants_apply *work, const struct gml_grant *grant)
{
	static const uint8_t whos[] = {[GML_GRANTEE_OWNER] = GML_ACE_OWNER,
				       [GML_GRANTEE_UID] = GML_ACE_UID,
				       [GML_GRANTEE_AUTHENTICATED] = GML_ACE_AUTHENTICATED,
				       [GML_GRANTEE_EVERYONE] = GML_ACE_ANONYMOUS};
	struct gml_ace ace = {.type = GML_ACE_ALLOW,
			      .who = whos[grant->who],
			      .id = grant->uid,
			      .mask = grant_rights(grant, work->directory)};
	int rc = grants_add(work->out, ace);
	if (rc != 0 || grant->who != GML_GRANTEE_EVERYONE)
		return rc;
	ace.who = GML_ACE_EVERYONE;
	return grants_add(work->out, ace);
}

int gml_grants_apply(const struct gml_acl *acl, const struct gml_grants *grants, bool directory,
		     struct gml_acl *out)
{
	const struct gml_grant everyone = {.who = GML_GRANTEE_EVERYONE};
	struct gml_grants old;
	struct grants_apply work = {.old = &old, .new = grants, .directory = directory, .out = out};
	int rc;
	gml_grants_of_acl(acl, directory, &old);
	if (!grants_keep(&old, grants, &everyone))
		work.public = grants_rights_of(&old, GML_GRANTEE_EVERYONE, directory);
	out->count = 0;
	rc = grants_carry_all(acl, &work);
	for (uint32_t i = 0; rc == 0 && i < grants->count; i++)
		if (!grants_keep(&old, grants, &grants->grants[i]))
			rc = grants_add_new(&work, &grants->grants[i]);
	return rc == 0 && out->count > GML_ACL_ENTRIES_MAX ? GML_ERR_TOOBIG : rc;
}

static void grants_put(struct gml_grants *out, struct gml_grant grant)
{
	for (uint32_t i = 0; i < out->count; i++)
		if (grant_same_grantee(&out->grants[i], &grant) &&
		    out->grants[i].permits == grant.permits)
			return;
	out->grants[out->count++] = grant;
}

void gml_grants_resolve(const struct gml_grants *grants, uint32_t bucket_uid, uint32_t owner,
			struct gml_grants *out)
{
	out->count = 0;
	out->for_bucket_owner = grants->for_bucket_owner;
	for (uint32_t i = 0; i < grants->count; i++) {
		struct gml_grant grant = grants->grants[i];
		if (grant.who == GML_GRANTEE_BUCKET_OWNER)
			grant = (struct gml_grant){GML_GRANTEE_UID, bucket_uid, grant.permits};
		if (grant.who == GML_GRANTEE_UID && grant.uid == owner)
			grant = (struct gml_grant){GML_GRANTEE_OWNER, 0, grant.permits};
		grants_put(out, grant);
	}
}

bool gml_grants_public(const struct gml_grants *grants)
{
	for (uint32_t i = 0; i < grants->count; i++)
		if (grants->grants[i].who == GML_GRANTEE_AUTHENTICATED ||
		    grants->grants[i].who == GML_GRANTEE_EVERYONE)
			return true;
	return false;
}

bool gml_grants_plain(const struct gml_grants *grants, uint32_t bucket_uid)
{
	for (uint32_t i = 0; i < grants->count; i++) {
		const struct gml_grant *grant = &grants->grants[i];
		bool owner = grant->who == GML_GRANTEE_OWNER ||
			     grant->who == GML_GRANTEE_BUCKET_OWNER ||
			     (grant->who == GML_GRANTEE_UID && grant->uid == bucket_uid);
		if (!owner || grant->permits != GML_GRANT_FULL_CONTROL)
			return false;
	}
	return grants->count > 0;
}

void gml_grants_private(struct gml_grants *out)
{
	out->count = 1;
	out->for_bucket_owner = false;
	out->grants[0] = (struct gml_grant){GML_GRANTEE_OWNER, 0, GML_GRANT_FULL_CONTROL};
}

/* ---- bytes ----------------------------------------------------------------------------------- */

#define GRANTS_VERSION 1

/* u8 version, u8 for_bucket_owner, u8 count; each: u8 who, u32 uid (little-endian), u8 permits. */
size_t gml_grants_encode(const struct gml_grants *grants, uint8_t out[GML_GRANTS_BYTES_MAX])
{
	uint8_t *p = out;
	gml_assert(grants->count <= GML_GRANTS_MAX);
	*p++ = GRANTS_VERSION;
	*p++ = grants->for_bucket_owner;
	*p++ = (uint8_t)grants->count;
	for (uint32_t i = 0; i < grants->count; i++) {
		const struct gml_grant *grant = &grants->grants[i];
		*p++ = (uint8_t)grant->who;
		for (unsigned shift = 0; shift < 32; shift += 8)
			*p++ = (uint8_t)(grant->uid >> shift);
		*p++ = (uint8_t)grant->permits;
	}
	return (size_t)(p - out);
}

static bool grants_decode_one(const uint8_t *p, struct gml_grant *out)
{
	*out = (struct gml_grant){.who = (enum gml_grantee)p[0], .permits = p[5]};
	for (unsigned i = 0; i < 4; i++)
		out->uid |= (uint32_t)p[1 + i] << 8 * i;
	return p[0] >= GML_GRANTEE_OWNER && p[0] <= GML_GRANTEE_EVERYONE && p[5] != 0 &&
	       p[5] <= GML_GRANT_FULL_CONTROL &&
	       (out->who == GML_GRANTEE_UID ? out->uid != UINT32_MAX : out->uid == 0);
}

int gml_grants_decode(struct gml_span encoded, struct gml_grants *out)
{
	const uint8_t *p = encoded.ptr;
	bool ok = encoded.len >= 3 && p[0] == GRANTS_VERSION && p[1] <= 1 &&
		  p[2] <= GML_GRANTS_MAX && encoded.len == 3 + (size_t)6 * p[2];
	out->count = 0;
	if (!ok)
		return GML_ERR_CORRUPT;
	out->for_bucket_owner = p[1];
	for (; ok && out->count < p[2]; out->count++)
		ok = grants_decode_one(p + 3 + (size_t)6 * out->count, &out->grants[out->count]);
	return ok ? 0 : GML_ERR_CORRUPT;
}
