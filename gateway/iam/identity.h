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
/* Before it is deleted: removes what belongs to it, the memberships of a user included. */
int gml_identity_drop(struct gml_txn *txn, const struct gml_rec_identity *identity);

#endif
