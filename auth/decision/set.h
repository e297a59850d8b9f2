// SPDX-License-Identifier: Apache-2.0
/* Policies that are decided together, arranged so that a request costs little when they have many
 * statements: for each action the statements by the literal beginning of their resources.
 *
 * A set never changes once it is made: any number of threads may use it. No locks, no blocking, no
 * allocation but in auth_policy_set_new. Questions take several sets, because what a caller brings
 * (identity, boundary, session, key) and what a bucket has are compiled at different times. */
#ifndef GML_AUTH_DECISION_SET_H
#define GML_AUTH_DECISION_SET_H

#include "auth/policy/policy.h"

struct auth_policy_set;

/* A policy, and where it comes from, for people: "user ann: reports". */
struct auth_policy_source {
	struct auth_policy *policy;
	const char *origin;
};

/* Makes a set of policies that speak of requests: not AUTH_POLICY_TRUST. Takes a reference to each
 * policy, and copies the origins. NULL: out of memory. Its size is at most the number of resources
 * of all statements, times the number of actions that some statement tells apart, times some 50
 * bytes. */
struct auth_policy_set *auth_policy_set_new(const struct auth_policy_source *sources, size_t count);
/* NULL is allowed. No thread may still use it. */
void auth_policy_set_free(struct auth_policy_set *set);
/* Bytes of memory that it takes, with its policies. */
size_t auth_policy_set_size(const struct auth_policy_set *set);
/* The keys that a question may ask for. */
auth_key_set auth_policy_set_needs(const struct auth_policy_set *set);
/* Has it no policy at all? */
bool auth_policy_set_is_empty(const struct auth_policy_set *set);

/* Within one account (IAM User Guide: Policy evaluation logic): a Deny that matches ends it. A
 * boundary, session policies and a key's policies are caps: where there are any of one kind, one of
 * that kind must allow. Then an Allow of an identity's or a bucket's policy grants.
 *
 * Two things differ from AWS: a bucket's policy that names a user or a session directly is capped
 * as well, and one that names the account grants to everyone in it. */
enum auth_verdict {
	AUTH_VERDICT_NONE, /* nothing matches */
	AUTH_VERDICT_ALLOW,
	AUTH_VERDICT_DENY,   /* a Deny matches */
	AUTH_VERDICT_CAPPED, /* a cap does not allow it */
};

/* A verdict, and what made it: the statement that denied or granted; of CAPPED a policy of the kind
 * that does not allow. */
struct auth_decision {
	enum auth_verdict verdict;
	const char *origin; /* borrowed from the set; NULL: nothing decided */
	enum auth_policy_kind kind;
	int statement;	     /* from 0; -1: none */
	struct gml_span sid; /* borrowed from the set; empty: it has none */
};

/* A request without a resource is denied, with no origin: its ARN had no room. */
struct auth_decision auth_policy_evaluate(const struct auth_policy_set *const *sets, size_t count,
					  const struct auth_access *access);

/* What holds for all keys of a bucket that begin with a prefix (the empty one: for all keys). */
enum auth_below {
	AUTH_BELOW_NONE,    /* none of them is allowed */
	AUTH_BELOW_DEPENDS, /* ask for each */
	AUTH_BELOW_ALL,	    /* each of them is allowed */
};

/* The answer for an action on objects. access->resource is not looked at; access->values may answer
 * AUTH_VALUES_VARY, and is not asked for what objects have of their own (AUTH_KEY_RESOURCE); if it
 * is NULL, nothing but the principal is taken as known. ALL and NONE are certain: for each key
 * auth_policy_evaluate says the same, as long as the values that were used are the same.
 * DEPENDS may be answered where ALL or NONE were right, and is for a prefix that no key of S3 can
 * have. */
enum auth_below auth_policy_below(const struct auth_policy_set *const *sets, size_t count,
				  const struct auth_access *access, struct gml_span bucket,
				  struct gml_span prefix);
/* Could any action on a key that begins with the prefix be allowed; with the empty prefix, any on
 * the bucket or on anything in it? false is certain. access->action and access->resource are not
 * looked at; values as for auth_policy_below. */
bool auth_policy_could(const struct auth_policy_set *const *sets, size_t count,
		       const struct auth_access *access, struct gml_span bucket,
		       struct gml_span prefix);

/* A key, or with `below` all keys that begin with it. */
struct auth_range {
	struct gml_span bucket, key;
	bool below;
};

/* What holds for an action on objects, for all keys of a range: MAYBE where it is not the same for
 * each, or not known. refused: whatever else grants it, by a Deny or by a cap. Values as for
 * auth_policy_below. */
struct auth_spread {
	enum auth_truth allowed, refused;
};
struct auth_spread auth_policy_spread(const struct auth_policy_set *const *sets, size_t count,
				      const struct auth_access *access,
				      const struct auth_range *range);

/* What holds for all actions of S3 on objects together. could: one of them is allowed for some key,
 * or may be (false is certain). sure: one of them is allowed for every key (true is certain). shut:
 * each of them is refused for every key (true is certain). access->action is not looked at; values
 * as for auth_policy_below. */
struct auth_reach {
	bool could, sure, shut;
};
struct auth_reach auth_policy_reach(const struct auth_policy_set *const *sets, size_t count,
				    const struct auth_access *access,
				    const struct auth_range *range);

#endif
