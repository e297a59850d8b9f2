// SPDX-License-Identifier: Apache-2.0
/* Principals: the only place that grants privileges. */
#include <gemel/op.h>
#include <gemel/principal.h>
#include "gateway/base/assert.h"

_Static_assert(GML_USER_GROUPS_MAX <= GML_GROUPS_MAX, "all groups of a user are considered");

static uint32_t resolve_privileges(uint32_t uid)
{
	return uid == 0 ? GML_PRIVILEGE_ROOT : 0;
}

void gml_principal_anonymous(struct gml_principal *out)
{
	*out = (struct gml_principal){.cred = {.uid = GML_UID_ANONYMOUS, .gid = GML_UID_ANONYMOUS},
				      .authn = GML_AUTHN_ANONYMOUS};
}

void gml_principal_server(struct gml_principal *out)
{
	*out = (struct gml_principal){.privileges = GML_PRIVILEGE_ROOT, .authn = GML_AUTHN_LOCAL};
}

void gml_principal_of_user(const struct gml_user *user, struct gml_span key, enum gml_authn authn,
			   struct gml_principal *out)
{
	gml_assert(user->name[0] != '\0' && user->ngroups <= GML_USER_GROUPS_MAX);
	gml_assert(authn >= GML_AUTHN_SIGV4 && authn <= GML_AUTHN_SIGV2_PRESIGNED);
	*out = (struct gml_principal){
		.cred = {.uid = user->uid,
			 .gid = user->gid,
			 .ngroups = user->ngroups,
			 .groups = user->groups},
		.user = user->name,
		.key = key,
		.privileges = resolve_privileges(user->uid),
		.authn = authn,
		.refused = user->flags & GML_USER_DISABLED,
	};
}

void gml_principal_of_uid(struct gml_store *store, const struct gml_cred *cred,
			  enum gml_authn authn, struct gml_principal *out)
{
	gml_assert(authn == GML_AUTHN_ANONYMOUS || authn >= GML_AUTHN_SYS); /* those of NFS */
	*out = (struct gml_principal){
		.cred = *cred,
		.privileges = resolve_privileges(cred->uid),
		.authn = authn,
		.refused = gml_uid_refused(store, cred->uid),
	};
}

void gml_principal_for(struct gml_principal *principal, uint32_t uid, uint32_t gid)
{
	principal->cred = (struct gml_cred){.uid = uid, .gid = gid};
	principal->privileges &= GML_PRIVILEGE_ADMIN;
	principal->privileges |= resolve_privileges(uid);
	gml_assert(!(principal->privileges & GML_PRIVILEGE_ROOT) || uid == 0);
}
