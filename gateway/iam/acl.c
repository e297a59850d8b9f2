// SPDX-License-Identifier: Apache-2.0
/* Access control lists: which may be set, their bytes, and what they answer. */
#include <string.h>
#include <gemel/acl.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include "acl.h"
#include "cred.h"

#define ACL_VERSION 1

/* An encoded entry begins with a byte: the type in bit 0, `who` in bits 1 to 3, and whether flags
 * follow in bit 4. */
#define ACL_HEAD_FLAGS 0x10
#define ACL_HEAD_MAX 0x1f

static bool acl_who_has_id(unsigned who)
{
	return who == GML_ACE_UID || who == GML_ACE_GID;
}

/* Flags that belong together, wherever the entry is. */
static bool acl_flags_fit(unsigned flags)
{
	return (flags & GML_ACE_INHERIT) ||
	       !(flags & (GML_ACE_NO_PROPAGATE | GML_ACE_INHERIT_ONLY));
}

static bool acl_ace_known(const struct gml_ace *ace)
{
	return ace->type <= GML_ACE_DENY && ace->who >= GML_ACE_OWNER &&
	       ace->who <= GML_ACE_ANONYMOUS && !(ace->flags & ~(unsigned)GML_ACE_FLAGS) &&
	       !(ace->mask & ~(uint32_t)GML_ACE_RIGHTS);
}

int gml_acl_check(const struct gml_acl *acl, bool directory)
{
	if (acl->count > GML_ACL_ENTRIES_MAX)
		return GML_ERR_TOOBIG;
	for (uint32_t i = 0; i < acl->count; i++) {
		const struct gml_ace *ace = &acl->aces[i];
		if (!acl_ace_known(ace))
			return GML_ERR_NOTSUP;
		if ((!directory && (ace->flags & GML_ACE_INHERIT)) || !acl_flags_fit(ace->flags))
			return GML_ERR_INVAL;
		if (acl_who_has_id(ace->who) ? ace->id == UINT32_MAX : ace->id != 0)
			return GML_ERR_INVAL;
	}
	return 0;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static uint8_t *acl_put(uint8_t *p, uint32_t value)
{
	for (; value >= 0x80; value >>= 7)
		*p++ = (uint8_t)(value | 0x80);
	*p++ = (uint8_t)value;
	return p;
}

size_t gml_acl_encode(const struct gml_acl *acl, uint8_t out[GML_ACL_BYTES_MAX])
{
	uint8_t *p = out;
	*p++ = ACL_VERSION;
	p = acl_put(p, acl->count);
	for (uint32_t i = 0; i < acl->count; i++) {
		const struct gml_ace *ace = &acl->aces[i];
		*p++ = (uint8_t)(ace->type | ace->who << 1 | (ace->flags ? ACL_HEAD_FLAGS : 0));
		p = acl_put(p, ace->mask);
		if (ace->flags != 0)
			*p++ = ace->flags;
		if (acl_who_has_id(ace->who))
			p = acl_put(p, ace->id);
	}
	return (size_t)(p - out);
}

/* Entries of an ACL that apply to its inode, and that are inherited. An entry may be both. chmod of
 * an ACL within these bounds stays within GML_ACL_ENTRIES_ROOM, since it adds six at most. */
#define ACL_APPLIED_MAX (GML_ACL_ENTRIES_MAX + 6)
#define ACL_HERITAGE_MAX GML_ACL_ENTRIES_MAX
_Static_assert(ACL_APPLIED_MAX + ACL_HERITAGE_MAX + 6 <= GML_ACL_ENTRIES_ROOM, "chmod needs room");

/* Sticky: after the first byte that is missing or wrong, everything is 0, and `bad`. */
struct acl_reader {
	const uint8_t *p, *end;
	uint32_t left; /* entries */
	unsigned applied, heritage;
	bool bad;
};

static uint8_t acl_byte(struct acl_reader *in)
{
	if (in->bad || in->p == in->end) {
		in->bad = true;
		return 0;
	}
	return *in->p++;
}

static uint32_t acl_number(struct acl_reader *in)
{
	uint32_t value = 0;
	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint8_t byte = acl_byte(in);
		if (shift == 28 && byte > 0x0f)
			break;
		value |= (uint32_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	in->bad = true;
	return 0;
}

static void acl_read_begin(struct acl_reader *in, struct gml_span encoded)
{
	const uint8_t *p = encoded.ptr;
	*in = (struct acl_reader){.p = p, .end = encoded.len == 0 ? p : p + encoded.len};
	in->bad = acl_byte(in) != ACL_VERSION;
	in->left = acl_number(in);
}

/* The next entry; false at the end, and when what follows is none (`bad`). */
static bool acl_read(struct acl_reader *in, struct gml_ace *out)
{
	uint8_t head;
	if (in->bad || in->left == 0) {
		in->bad |= in->p != in->end;
		return false;
	}
	in->left--;
	head = acl_byte(in);
	out->type = head & 1;
	out->who = head >> 1 & 7;
	out->mask = acl_number(in);
	out->flags = head & ACL_HEAD_FLAGS ? acl_byte(in) : 0;
	out->id = acl_who_has_id(out->who) ? acl_number(in) : 0;
	in->applied += !(out->flags & GML_ACE_INHERIT_ONLY);
	in->heritage += (out->flags & GML_ACE_INHERIT) != 0;
	if (head > ACL_HEAD_MAX || !acl_ace_known(out) || !acl_flags_fit(out->flags) ||
	    ((head & ACL_HEAD_FLAGS) && out->flags == 0) || in->applied > ACL_APPLIED_MAX ||
	    in->heritage > ACL_HERITAGE_MAX)
		in->bad = true;
	return !in->bad;
}

int gml_acl_decode(struct gml_span encoded, struct gml_acl *out)
{
	struct acl_reader in;
	struct gml_ace ace;
	out->count = 0;
	acl_read_begin(&in, encoded);
	while (acl_read(&in, &ace))
		out->aces[out->count++] = ace;
	return in.bad ? GML_ERR_CORRUPT : 0;
}

/* ---- evaluation ------------------------------------------------------------------------------ */

/* Is the entry about the caller? An anonymous caller has no uid: what its credentials say is the
 * number that a server works under. */
static bool acl_matches(const struct gml_ace *ace, const struct gml_acl_question *question)
{
	const struct gml_cred *cred = &question->who->cred;
	bool anonymous = question->who->authn == GML_AUTHN_ANONYMOUS;
	switch ((enum gml_ace_who)ace->who) {
	case GML_ACE_OWNER:
		return !anonymous && cred->uid == question->uid;
	case GML_ACE_GROUP:
		return !anonymous && gml_cred_in_group(cred, question->gid);
	case GML_ACE_EVERYONE:
	case GML_ACE_AUTHENTICATED:
		return !anonymous;
	case GML_ACE_UID:
		return !anonymous && cred->uid == ace->id;
	case GML_ACE_GID:
		return !anonymous && gml_cred_in_group(cred, ace->id);
	case GML_ACE_ANONYMOUS:
		return anonymous;
	}
	return false;
}

/* The same for an entry that allows something as a grant of S3. */
static bool acl_grants(const struct gml_ace *ace, const struct gml_acl_question *question)
{
	switch ((enum gml_ace_who)ace->who) {
	case GML_ACE_OWNER:
	case GML_ACE_UID:
		return acl_matches(ace, question);
	case GML_ACE_AUTHENTICATED:
		return !question->ignore_public && acl_matches(ace, question);
	case GML_ACE_ANONYMOUS:
		return !question->ignore_public;
	case GML_ACE_GROUP:
	case GML_ACE_EVERYONE:
	case GML_ACE_GID:
		break;
	}
	return false;
}

static bool acl_counts(const struct gml_ace *ace, const struct gml_acl_question *question)
{
	if (ace->flags & GML_ACE_INHERIT_ONLY)
		return false;
	return question->grants && ace->type == GML_ACE_ALLOW ? acl_grants(ace, question)
							      : acl_matches(ace, question);
}

int gml_acl_ask(struct gml_span encoded, const struct gml_acl_question *question,
		struct gml_acl_answer *out)
{
	uint32_t open = question->want;
	struct acl_reader in;
	struct gml_ace ace;
	*out = (struct gml_acl_answer){0, 0};
	acl_read_begin(&in, encoded);
	while (open != 0 && acl_read(&in, &ace)) {
		uint32_t decides = ace.mask & open;
		if (decides == 0 || !acl_counts(&ace, question))
			continue;
		*(ace.type == GML_ACE_ALLOW ? &out->allowed : &out->denied) |= decides;
		open &= ~decides;
	}
	if (!in.bad)
		return 0;
	*out = (struct gml_acl_answer){0, 0};
	return GML_ERR_CORRUPT;
}

bool gml_acl_allows_any(struct gml_span encoded, uint32_t rights)
{
	struct acl_reader in;
	struct gml_ace ace;
	bool any = false;
	acl_read_begin(&in, encoded);
	while (acl_read(&in, &ace))
		any |= ace.type == GML_ACE_ALLOW && !(ace.flags & GML_ACE_INHERIT_ONLY) &&
		       (ace.mask & rights) != 0;
	return any && !in.bad;
}
