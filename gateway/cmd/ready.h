// SPDX-License-Identifier: Apache-2.0
/* Ready roles: what `gemel grant` can give to somebody on a place, as a policy. */
#ifndef GML_CMD_READY_H
#define GML_CMD_READY_H

#include <gemel/iam.h>
#include <jansson.h>

#define READY_PREFIX_MAX 1024

struct ready_role {
	const char *name, *help; /* static */
};
/* All of them; ended by a NULL name. */
extern const struct ready_role ready_roles[];
/* NULL: there is no such role. */
const struct ready_role *ready_role_find(const char *name);

/* A place: a bucket, and keys in it. */
struct ready_place {
	char bucket[64];		   /* "*": every bucket */
	char prefix[READY_PREFIX_MAX + 1]; /* the keys that begin with it; "": all */
	/* The key `prefix` and what is below it as a directory, not keys such as prefix2. */
	bool directory;
};
/* "s3://BUCKET", "s3://BUCKET/DIRECTORY", "…/PREFIX*". false: *problem_out (static) says why. */
bool ready_place_parse(const char *text, struct ready_place *out, const char **problem_out);
/* The same place in one spelling, which is also unique. `out` has READY_PREFIX_MAX + 80 bytes. */
void ready_place_format(const struct ready_place *place, char *out);

/* The name of the policy that holds the role on the place: different ones do not have the same
 * by chance (64 bits of a hash). */
void ready_policy_name(const struct ready_role *role, const struct ready_place *place,
		       char out[GML_POLICY_NAME_MAX + 1]);
/* Its document, on the heap; NULL: out of memory. */
char *ready_policy(const struct ready_role *role, const struct ready_place *place);

#endif
