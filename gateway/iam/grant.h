// SPDX-License-Identifier: Apache-2.0
/* ACLs as S3's grants (gemel/grant.h), and what they decide. */
#ifndef GML_IAM_GRANT_H
#define GML_IAM_GRANT_H

#include <gemel/action.h>
#include <gemel/grant.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "acl.h"
#include "authorize.h"

/* Which permission is which rights: READ is READ_DATA (LIST_DIRECTORY), WRITE is WRITE_DATA and
 * APPEND_DATA (ADD_FILE, ADD_SUBDIRECTORY and DELETE_CHILD), READ_ACP is READ_ACL, WRITE_ACP is
 * WRITE_ACL. A grant of a bucket to others than its owner is no right to search it: what is in it
 * has grants of its own. */

/* The grants that an ACL shows, in the order of its entries. Pure. */
void gml_grants_of_acl(const struct gml_acl *acl, bool directory, struct gml_grants *out);
/* The ACL afterwards. No grant is BUCKET_OWNER (gml_grants_resolve). TOOBIG: more entries than an
 * ACL may have. Pure; `out` may not be `acl`. */
int gml_grants_apply(const struct gml_acl *acl, const struct gml_grants *grants, bool directory,
		     struct gml_acl *out);
/* The same grants with BUCKET_OWNER named, in a bucket of that uid, of an inode of `owner`. */
void gml_grants_resolve(const struct gml_grants *grants, uint32_t bucket_uid, uint32_t owner,
			struct gml_grants *out);
/* Do they grant something to AllUsers or AuthenticatedUsers? Pure. */
bool gml_grants_public(const struct gml_grants *grants);
/* Nothing but full control for owners, in a bucket of that uid? Every bucket accepts it. Pure. */
bool gml_grants_plain(const struct gml_grants *grants, uint32_t bucket_uid);
/* Full control for the owner alone: what is shown without ACLs, and the canned ACL `private`. */
void gml_grants_private(struct gml_grants *out);

/* The object ownership of a bucket; ENFORCED: it has no ACLs. CORRUPT: it cannot be read. */
int gml_grants_ownership(struct gml_txn *txn, gml_ino root, enum gml_ownership *out);
/* May these be set in the bucket? NOACL, ACCESS (public ones are blocked), CORRUPT. */
int gml_grants_may(struct gml_txn *txn, const struct gml_bucket_rec *bucket,
		   enum gml_ownership ownership, const struct gml_grants *grants);

/* Do grants allow what nothing else does (authorize.c)? For requests of S3 in buckets with ACLs:
 * those of an object decide about it, those of a bucket about its list and its keys, whatever the
 * directories on the way say. ACCESS: no. */
int gml_grants_decide(struct gml_txn *txn, const struct gml_principal *who, enum gml_action action,
		      const struct gml_target *target);

/* Encoded, for records. Never empty. CORRUPT: `encoded` is none. */
#define GML_GRANTS_BYTES_MAX ((size_t)4 + (size_t)7 * GML_GRANTS_MAX)
size_t gml_grants_encode(const struct gml_grants *grants, uint8_t out[GML_GRANTS_BYTES_MAX]);
int gml_grants_decode(struct gml_span encoded, struct gml_grants *out);

#endif
