// SPDX-License-Identifier: Apache-2.0
/* Grants: the ACL of a bucket or an object in S3's words (S3 User Guide, "Access control list (ACL)
 * overview"). They are a view: an entry of the ACL that allows something to the owner, a uid,
 * AUTHENTICATED@ or ANONYMOUS@ is shown as grants, and no other entry is. AllUsers are EVERYONE@
 * and ANONYMOUS@ together. README.md here explains the labels of the contracts. */
#ifndef GEMEL_GRANT_H
#define GEMEL_GRANT_H

#include <gemel/acl.h>
#include <gemel/action.h>
#include <gemel/object.h>
#include <gemel/visibility.h>

GML_API_BEGIN

#define GML_GRANTS_MAX 100 /* that can be set */

enum {
	GML_GRANT_READ = 1,
	GML_GRANT_WRITE = 2,
	GML_GRANT_READ_ACP = 4,
	GML_GRANT_WRITE_ACP = 8,
	GML_GRANT_FULL_CONTROL = 15,
};
enum gml_grantee {
	GML_GRANTEE_OWNER = 1,	   /* of the bucket or the object */
	GML_GRANTEE_BUCKET_OWNER,  /* only in what is to be set */
	GML_GRANTEE_UID,	   /* a canonical user */
	GML_GRANTEE_AUTHENTICATED, /* the group AuthenticatedUsers */
	GML_GRANTEE_EVERYONE,	   /* the group AllUsers */
};
struct gml_grant {
	enum gml_grantee who;
	uint32_t uid;	  /* GML_GRANTEE_UID */
	uint32_t permits; /* GML_GRANT_* */
};
struct gml_grants {
	uint32_t count;
	/* The canned ACL bucket-owner-full-control: where the bucket's owner is preferred, a new
	 * object becomes its own. */
	bool for_bucket_owner;
	struct gml_grant grants[GML_ACL_ENTRIES_ROOM];
};

/* The grants of an object (GetObjectAcl), for callers that s3:GetObjectAcl is allowed to. Of a
 * bucket without ACLs (gemel/account.h): full control for the owner. *uid_out: the owner.
 * Errors: those of gml_object_find. Threads: any. Blocks: no. Durable: n/a. On failure: *out is
 * undefined. */
int gml_object_grants_get(struct gml_op *op, struct gml_store *store,
			  const struct gml_object_ref *ref, struct gml_grants *out,
			  uint32_t *uid_out);
/* Replace the grants of an object (PutObjectAcl). Entries that are no grants stay, and so do those
 * of grantees whose grants do not change.
 * Errors: those of gml_object_find; NOACL (the bucket has no ACLs, and these are others than full
 * control for the owners); ACCESS (also: public grants are blocked); INVAL (more than
 * GML_GRANTS_MAX), TOOBIG, CONFLICT (the key changes faster than it can be read).
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_object_grants_set(struct gml_op *op, struct gml_store *store,
			  const struct gml_object_ref *ref, const struct gml_grants *grants);
/* The grants of a bucket, for who may do `action`: GET_BUCKET_ACL, or what depends on them.
 * Errors: NOBUCKET, ACCESS, ROFS, CORRUPT. Threads: any. Blocks: no. Durable: n/a. On failure: *out
 * is undefined. */
int gml_bucket_grants_get(struct gml_op *op, struct gml_store *store, struct gml_span name,
			  enum gml_action action, struct gml_grants *out, uint32_t *uid_out);
/* Replace the grants of a bucket (PutBucketAcl), as gml_object_grants_set.
 * Errors: NOBUCKET, ACCESS, ROFS, NOACL, INVAL, TOOBIG, NOSPC.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_bucket_grants_set(struct gml_op *op, struct gml_store *store, struct gml_span name,
			  const struct gml_grants *grants);
/* May objects of the bucket get these grants? A look before the content of a new object is sent;
 * whoever publishes it asks again.
 * Errors: NOBUCKET, NOACL, ACCESS (public grants are blocked), CORRUPT. Threads: any. Blocks: no.
 * Durable: n/a. On failure: n/a. */
int gml_grants_check(struct gml_store *store, struct gml_span bucket,
		     const struct gml_grants *grants);

GML_API_END

#endif
