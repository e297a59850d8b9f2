// SPDX-License-Identifier: Apache-2.0
/* Access control lists and modes: each from the other, and both from the directory's. */
#include <string.h>
#include <gemel/acl.h>
#include <gemel/op.h>
#include <gemel/types.h>
#include "acl.h"

/* What inodes without ACL grant besides their mode: to everybody, and to the owner. */
#define MODE_EVERYONE (GML_ACE_READ_ATTRIBUTES | GML_ACE_READ_ACL | GML_ACE_SYNCHRONIZE)
#define MODE_OWNER (GML_ACE_WRITE_ATTRIBUTES | GML_ACE_WRITE_ACL | GML_ACE_WRITE_OWNER)

uint32_t gml_acl_rights_of(unsigned bits, bool directory)
{
	return (bits & 4 ? GML_ACE_READ_DATA | GML_ACE_READ_NAMED_ATTRS : 0) |
	       (bits & 2 ? GML_ACE_WRITE_DATA | GML_ACE_APPEND_DATA | GML_ACE_WRITE_NAMED_ATTRS |
				   (directory ? GML_ACE_DELETE_CHILD : 0)
			 : 0) |
	       (bits & 1 ? GML_ACE_EXECUTE : 0);
}

static bool mode_applies(const struct gml_ace *ace)
{
	return !(ace->flags & GML_ACE_INHERIT_ONLY);
}

static bool mode_is_special(const struct gml_ace *ace)
{
	return ace->who <= GML_ACE_EVERYONE;
}

/* The bits of OWNER, GROUP or EVERYONE: entries about it and about EVERYONE count. */
static unsigned mode_bits(const struct gml_acl *acl, enum gml_ace_who who)
{
	const uint32_t write = GML_ACE_WRITE_DATA | GML_ACE_APPEND_DATA;
	uint32_t allowed = 0, denied = 0;
	for (uint32_t i = 0; i < acl->count; i++) {
		const struct gml_ace *ace = &acl->aces[i];
		if (!mode_applies(ace) || (ace->who != who && ace->who != GML_ACE_EVERYONE))
			continue;
		if (ace->type == GML_ACE_ALLOW)
			allowed |= ace->mask & ~denied;
		else
			denied |= ace->mask & ~allowed;
	}
	return (allowed & GML_ACE_READ_DATA ? 4u : 0) | ((allowed & write) == write ? 2u : 0) |
	       (allowed & GML_ACE_EXECUTE ? 1u : 0);
}

uint32_t gml_acl_mode(const struct gml_acl *acl)
{
	return mode_bits(acl, GML_ACE_OWNER) << 6 | mode_bits(acl, GML_ACE_GROUP) << 3 |
	       mode_bits(acl, GML_ACE_EVERYONE);
}

/* ---- from a mode ----------------------------------------------------------------------------- */

static void mode_add(struct gml_acl *out, struct gml_ace ace)
{
	if (ace.mask != 0)
		out->aces[out->count++] = ace;
}

/* The rights that a mode means, of one kind of inode. */
struct mode_rights {
	uint32_t of[GML_ACE_EVERYONE + 1]; /* of OWNER, GROUP, EVERYONE */
	uint32_t all;			   /* that modes speak about */
	bool directory;
};

static void mode_rights(uint32_t mode, bool directory, struct mode_rights *out)
{
	out->of[GML_ACE_OWNER] = gml_acl_rights_of(mode >> 6 & 7, directory);
	out->of[GML_ACE_GROUP] = gml_acl_rights_of(mode >> 3 & 7, directory);
	out->of[GML_ACE_EVERYONE] = gml_acl_rights_of(mode & 7, directory);
	out->all = gml_acl_rights_of(7, directory);
	out->directory = directory;
}

/* A class of a mode does not have what only a later one has. The owner may belong to the group, and
 * both to everyone, so their entries need these in front. */
static void mode_add_front(struct gml_acl *out, const struct mode_rights *rights)
{
	uint32_t owner = rights->of[GML_ACE_OWNER], group = rights->of[GML_ACE_GROUP],
		 other = rights->of[GML_ACE_EVERYONE];
	mode_add(out,
		 (struct gml_ace){GML_ACE_DENY, GML_ACE_OWNER, .mask = (group | other) & ~owner});
	mode_add(out,
		 (struct gml_ace){GML_ACE_ALLOW, GML_ACE_OWNER, .mask = owner & other & ~group});
	mode_add(out, (struct gml_ace){GML_ACE_DENY, GML_ACE_GROUP, .mask = other & ~group});
}

void gml_acl_of_mode(uint32_t mode, bool directory, struct gml_acl *out)
{
	struct mode_rights rights;
	mode_rights(mode, directory, &rights);
	out->count = 0;
	mode_add_front(out, &rights);
	for (unsigned who = GML_ACE_OWNER; who <= GML_ACE_EVERYONE; who++)
		mode_add(out, (struct gml_ace){GML_ACE_ALLOW, (uint8_t)who,
					       .mask = MODE_EVERYONE | rights.of[who] |
						       (who == GML_ACE_OWNER ? MODE_OWNER : 0)});
}

bool gml_acl_says_mode(const struct gml_acl *acl, bool directory)
{
	struct gml_acl mode;
	if (acl->count < 3 || acl->count > 6)
		return false;
	gml_acl_of_mode(gml_acl_mode(acl), directory, &mode);
	if (acl->count != mode.count)
		return false;
	for (uint32_t i = 0; i < acl->count; i++) {
		const struct gml_ace *a = &acl->aces[i], *b = &mode.aces[i];
		if (a->type != b->type || a->who != b->who || a->flags != 0 || a->mask != b->mask)
			return false;
	}
	return true;
}

/* ---- chmod ----------------------------------------------------------------------------------- */

/* What the mode leaves of an entry about callers that modes do not know. */
static uint32_t mode_limit(const struct gml_ace *ace, const struct mode_rights *rights)
{
	uint32_t limit = rights->of[GML_ACE_GROUP];
	if (ace->type == GML_ACE_DENY)
		return ace->mask;
	if (ace->who == GML_ACE_AUTHENTICATED || ace->who == GML_ACE_ANONYMOUS)
		limit &= rights->of[GML_ACE_EVERYONE];
	return ace->mask & ~(rights->all & ~limit);
}

/* The entry with another mask. What it hands down stays as it was, in an entry of its own. */
static void mode_add_changed(struct gml_acl *out, const struct gml_ace *ace, uint32_t mask)
{
	struct gml_ace changed = *ace;
	if (mask != ace->mask && (ace->flags & GML_ACE_INHERIT)) {
		struct gml_ace heritage = *ace;
		heritage.flags |= GML_ACE_INHERIT_ONLY;
		mode_add(out, heritage);
		changed.flags &= GML_ACE_INHERITED;
	}
	changed.mask = mask;
	mode_add(out, changed);
}

/* The entries that get the rights of the mode: the last ones that allow something to OWNER, GROUP
 * and EVERYONE. An earlier one might precede an entry that denies. */
static void mode_find_last(const struct gml_acl *acl, uint32_t last[GML_ACE_EVERYONE + 1])
{
	for (unsigned who = 0; who <= GML_ACE_EVERYONE; who++)
		last[who] = UINT32_MAX;
	for (uint32_t i = 0; i < acl->count; i++) {
		const struct gml_ace *ace = &acl->aces[i];
		if (mode_applies(ace) && mode_is_special(ace) && ace->type == GML_ACE_ALLOW)
			last[ace->who] = i;
	}
}

void gml_acl_chmod(const struct gml_acl *acl, uint32_t mode, bool directory, struct gml_acl *out)
{
	uint32_t last[GML_ACE_EVERYONE + 1];
	struct mode_rights rights;
	mode_rights(mode, directory, &rights);
	mode_find_last(acl, last);
	out->count = 0;
	mode_add_front(out, &rights);
	for (uint32_t i = 0; i < acl->count; i++) {
		const struct gml_ace *ace = &acl->aces[i];
		uint32_t mask = ace->mask;
		if (mode_applies(ace) && !mode_is_special(ace))
			mask = mode_limit(ace, &rights);
		else if (mode_applies(ace))
			mask = (mask & ~rights.all) |
			       (last[ace->who] == i ? rights.of[ace->who] : 0);
		mode_add_changed(out, ace, mask);
	}
	for (unsigned who = GML_ACE_OWNER; who <= GML_ACE_EVERYONE; who++)
		if (last[who] == UINT32_MAX)
			mode_add(out, (struct gml_ace){GML_ACE_ALLOW, (uint8_t)who,
						       .mask = rights.of[who]});
}

/* ---- inheritance ----------------------------------------------------------------------------- */

/* The flags in a new inode of an entry of its directory; false: it is not inherited. */
static bool inherit_flags(unsigned flags, bool directory, uint8_t *out)
{
	const unsigned passed = GML_ACE_INHERIT;
	if (!directory) {
		*out = GML_ACE_INHERITED;
		return flags & GML_ACE_FILE_INHERIT;
	}
	*out = (uint8_t)(GML_ACE_INHERITED | (flags & GML_ACE_NO_PROPAGATE ? 0 : flags & passed));
	if (flags & GML_ACE_DIRECTORY_INHERIT)
		return true;
	/* on the way to files of directories below */
	*out |= GML_ACE_INHERIT_ONLY;
	return (flags & GML_ACE_FILE_INHERIT) && !(flags & GML_ACE_NO_PROPAGATE);
}

static bool inherit_entries(const struct gml_acl *dir, bool directory, struct gml_acl *out)
{
	out->count = 0;
	for (uint32_t i = 0; i < dir->count; i++) {
		struct gml_ace ace = dir->aces[i];
		if (inherit_flags(dir->aces[i].flags, directory, &ace.flags))
			mode_add(out, ace);
	}
	return out->count > 0;
}

/* Where nothing is inherited that modes speak about, the mode speaks. */
static void inherit_complete(uint32_t mode, bool directory, struct gml_acl *acl)
{
	struct gml_acl rest;
	for (uint32_t i = 0; i < acl->count; i++)
		if (mode_applies(&acl->aces[i]) && mode_is_special(&acl->aces[i]))
			return;
	gml_acl_of_mode(mode, directory, &rest);
	memcpy(&acl->aces[acl->count], rest.aces, rest.count * sizeof(rest.aces[0]));
	acl->count += rest.count;
}

/* The mode as an upper bound. */
static void inherit_bound(const struct gml_acl *acl, const struct mode_rights *rights,
			  struct gml_acl *out)
{
	out->count = 0;
	for (uint32_t i = 0; i < acl->count; i++) {
		const struct gml_ace *ace = &acl->aces[i];
		uint32_t mask = ace->mask;
		if (mode_applies(ace) && !mode_is_special(ace))
			mask = mode_limit(ace, rights);
		else if (mode_applies(ace) && ace->type == GML_ACE_ALLOW)
			mask &= ~(rights->all & ~rights->of[ace->who]);
		mode_add_changed(out, ace, mask);
	}
}

bool gml_acl_inherit(const struct gml_acl *dir, const struct gml_new_mode *mode, bool directory,
		     struct gml_acl *out)
{
	struct mode_rights rights;
	struct gml_acl heritage;
	if (!inherit_entries(dir, directory, &heritage))
		return false;
	if (!mode->has_umask) {
		gml_acl_chmod(&heritage, mode->mode & ~mode->umask, directory, out);
		return true;
	}
	inherit_complete(mode->mode & ~mode->umask, directory, &heritage);
	mode_rights(mode->mode, directory, &rights);
	inherit_bound(&heritage, &rights, out);
	return true;
}
