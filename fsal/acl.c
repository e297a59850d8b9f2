// SPDX-License-Identifier: Apache-2.0
/* ACLs, in both directions. Types, flags and rights have the numbers of RFC 8881 on both sides. */
#include "fsal.h"

#include "nfs4_acls.h"

static const struct {
	enum gml_ace_who who;
	uint32_t special;
} acl_special[] = {{GML_ACE_OWNER, FSAL_ACE_SPECIAL_OWNER},
		   {GML_ACE_GROUP, FSAL_ACE_SPECIAL_GROUP},
		   {GML_ACE_EVERYONE, FSAL_ACE_SPECIAL_EVERYONE},
		   {GML_ACE_AUTHENTICATED, GML_FSAL_ACE_AUTHENTICATED},
		   {GML_ACE_ANONYMOUS, GML_FSAL_ACE_ANONYMOUS}};
#define ACL_SPECIALS (sizeof(acl_special) / sizeof(acl_special[0]))

static void acl_ace_encode(const struct gml_ace *in, fsal_ace_t *out)
{
	out->type = in->type;
	out->perm = in->mask;
	out->flag = in->flags;
	if (in->who == GML_ACE_GROUP || in->who == GML_ACE_GID)
		out->flag |= FSAL_ACE_FLAG_GROUP_ID;
	if (in->who == GML_ACE_GID)
		out->who.gid = in->id;
	else
		out->who.uid = in->id;
	for (size_t i = 0; i < ACL_SPECIALS; i++)
		if (acl_special[i].who == in->who) {
			out->iflag = FSAL_ACE_IFLAG_SPECIAL_ID;
			out->who.uid = acl_special[i].special;
		}
}

fsal_acl_t *gml_fsal_acl_encode(const struct gml_acl *acl)
{
	fsal_acl_data_t data = {.naces = acl->count};
	fsal_acl_status_t status;
	data.aces = gsh_calloc(acl->count + 1, sizeof(*data.aces));
	for (uint32_t i = 0; i < acl->count; i++)
		acl_ace_encode(&acl->aces[i], &data.aces[i]);
	return nfs4_acl_new_entry(&data, &status);
}

/* False for what the core has no name for. */
static bool acl_ace_decode(const fsal_ace_t *in, struct gml_ace *out)
{
	const uint32_t flags = in->flag & ~(uint32_t)FSAL_ACE_FLAG_GROUP_ID;
	const bool special = IS_FSAL_ACE_SPECIAL_ID(*in);
	*out = (struct gml_ace){.type = (uint8_t)in->type,
				.flags = (uint8_t)flags,
				.mask = in->perm,
				.who = IS_FSAL_ACE_GROUP_ID(*in) ? GML_ACE_GID : GML_ACE_UID,
				.id = GET_FSAL_ACE_WHO(*in)};
	if (special) {
		out->who = 0;
		out->id = 0;
	}
	for (size_t i = 0; special && i < ACL_SPECIALS; i++)
		if (acl_special[i].special == GET_FSAL_ACE_USER(*in))
			out->who = (uint8_t)acl_special[i].who;
	return in->type <= GML_ACE_DENY && (flags & ~(uint32_t)GML_ACE_FLAGS) == 0 &&
	       (in->perm & ~(uint32_t)GML_ACE_RIGHTS) == 0 && out->who != 0;
}

fsal_status_t gml_fsal_acl_decode(const fsal_acl_t *in, struct gml_acl *out)
{
	uint32_t count = in != NULL ? in->naces : 0;
	out->count = 0;
	if (count > GML_ACL_ENTRIES_MAX)
		return fsalstat(ERR_FSAL_FBIG, 0);
	for (; out->count < count; out->count++)
		if (!acl_ace_decode(&in->aces[out->count], &out->aces[out->count]))
			return fsalstat(ERR_FSAL_ATTRNOTSUPP, 0);
	return fsalstat(ERR_FSAL_NO_ERROR, 0);
}
