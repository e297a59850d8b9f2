// SPDX-License-Identifier: Apache-2.0
/* A request as policies see it: who, what, on which resource, and the values of condition keys.
 *
 * Pure; any thread; no blocking, but for what the caller's function of values does. Spans are
 * borrowed while the request is decided. */
#ifndef GML_AUTH_ACCESS_ACCESS_H
#define GML_AUTH_ACCESS_ACCESS_H

#include "auth/access/action.h"
#include "auth/access/key.h"

enum auth_principal_type {
	AUTH_PRINCIPAL_ANONYMOUS,
	AUTH_PRINCIPAL_USER,
	AUTH_PRINCIPAL_SESSION, /* of a role: AWS's AssumedRole */
	AUTH_PRINCIPAL_ACCOUNT, /* AWS's root user */
};

/* Who asks. What a type does not have is empty: an anonymous caller has nothing, only a user has a
 * username, only a session has a role. */
struct auth_principal {
	enum auth_principal_type type;
	struct gml_span arn;	   /* of the user, the session, or "…:root" */
	struct gml_span role;	   /* the ARN of the session's role */
	struct gml_span userid;	   /* aws:userid */
	struct gml_span username;  /* aws:username */
	struct gml_span account;   /* twelve digits */
	struct gml_span canonical; /* S3's canonical user id */
};

/* The values of one key: none means that the request does not have it. AUTH_VALUES_VARY as count:
 * the value is not known, because the question is about more than one resource
 * (auth_policy_below). */
#define AUTH_VALUES_VARY SIZE_MAX
struct auth_values {
	const struct gml_span *list;
	size_t count;
};
/* Gives the values of `key`, whose whole name in the policy's spelling is `name` (the tag's name
 * after the slash). Called only when a statement asks for it, perhaps several times for the same
 * key; what it returns must stay as it is until the request is decided. Not called for the keys
 * that struct auth_principal answers. */
typedef struct auth_values (*auth_values_fn)(void *arg, enum auth_key key, struct gml_span name);

/* A resource is an ARN: of a bucket arn:aws:s3:::BUCKET, of an object arn:aws:s3:::BUCKET/KEY. For
 * actions on the account it is what the service has for "all": arn:aws:s3:::* for
 * s3:ListAllMyBuckets, "*" else. */
struct auth_access {
	const struct auth_principal *principal;
	int action; /* a row of the table of actions */
	struct gml_span resource;
	auth_values_fn values; /* NULL: the request has no key but the principal's */
	void *arg;
};

#define AUTH_ARN_MAX (13 + GML_BUCKET_NAME_MAX + 1 + GML_KEY_MAX) /* of what S3 can name */
/* Writes the ARN of a bucket, or with `object` that of a key (which may be empty: of what begins
 * with "BUCKET/") into buf, which has room for `cap` bytes. Paths over NFS may be longer than S3's
 * keys. Returns the ARN, borrowing buf; empty if there is no room for it: a request for that is
 * refused. */
struct gml_span auth_access_arn(char *buf, size_t cap, struct gml_span bucket, bool object,
				struct gml_span key);

/* Values of a key, the principal's included. */
struct auth_values auth_access_values(const struct auth_access *access, enum auth_key key,
				      struct gml_span name);

/* Whether something holds; MAYBE when it differs between the resources that the question is
 * about. The order is that of the numbers, so that AND is the least and OR the greatest. */
enum auth_truth { AUTH_FALSE, AUTH_MAYBE, AUTH_TRUE };

static inline enum auth_truth auth_truth_not(enum auth_truth truth)
{
	return (enum auth_truth)(AUTH_TRUE - truth);
}

#endif
