// SPDX-License-Identifier: Apache-2.0
/* Users, groups and roles, as what tags and policies belong to. */
#ifndef GML_IAM_IDENTITY_H
#define GML_IAM_IDENTITY_H

#include <gemel/iam.h>
#include "gateway/meta/record/record.h"

/* The identity of an argument; borrows its name. */
struct gml_rec_identity gml_identity_of(const struct gml_identity *identity);
/* Is it there? 0, NOUSER, NOGROUP, NOROLE; INVAL: of no kind. */
int gml_identity_find(struct gml_txn *txn, const struct gml_rec_identity *identity);
/* Its name as it is spelled. As gml_identity_find. */
int gml_identity_name(struct gml_txn *txn, const struct gml_rec_identity *identity,
		      char out[GML_GROUP_NAME_MAX + 1]);
/* Has it managed or inline policies? */
int gml_identity_has_policies(struct gml_txn *txn, const struct gml_rec_identity *identity,
			      bool *out);
/* Before it is deleted: removes what belongs to it, the memberships of a user included. */
int gml_identity_drop(struct gml_txn *txn, const struct gml_rec_identity *identity);

#endif
