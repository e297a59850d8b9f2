// SPDX-License-Identifier: Apache-2.0
/* Credentials, as decisions read them. */
#ifndef GML_IAM_CRED_H
#define GML_IAM_CRED_H

#include <gemel/op.h>
#include "gateway/base/assert.h"

static inline bool gml_cred_in_group(const struct gml_cred *cred, uint32_t gid)
{
	gml_assert(cred->ngroups == 0 || cred->groups != NULL);
	if (cred->gid == gid)
		return true;
	for (uint32_t i = 0; i < cred->ngroups && i < GML_GROUPS_MAX; i++)
		if (cred->groups[i] == gid)
			return true;
	return false;
}

#endif
