// SPDX-License-Identifier: Apache-2.0
/* Policies in AWS's language, as documents. The labels of the contracts are explained in README.md
 * here; docs/access.md describes the language. */
#ifndef GEMEL_POLICY_H
#define GEMEL_POLICY_H

#include <gemel/types.h>

GML_API_BEGIN

/* What a policy is attached to, which decides what its grammar is. */
enum gml_policy_kind {
	GML_POLICY_IDENTITY, /* a user, a group or a role */
	GML_POLICY_BUCKET,
	GML_POLICY_BOUNDARY, /* what a user or a role can have at most */
	GML_POLICY_SESSION,  /* temporary credentials */
	GML_POLICY_KEY,	     /* an access key */
	GML_POLICY_KINDS,
};

/* Something that is wrong with a document, or hardly meant. */
struct gml_policy_finding {
	bool error;	       /* the document is refused; else a warning */
	const char *place;     /* "Statement[2].Action[0]"; "" for the whole */
	const char *text;      /* a sentence */
	unsigned line, column; /* from 1, where the document is no JSON; else 0 */
};

/* Check a document: at most one error is found, and warnings only where there is none.
 *
 * `bucket`: for BUCKET, the bucket whose policy it is to be; empty: any. `each` is called for each
 * finding, which is borrowed during the call.
 * Errors: INVAL: an error was found; NOMEM. Threads: any. Blocks: no. Durable: n/a. On failure:
 * n/a. */
int gml_policy_lint(enum gml_policy_kind kind, struct gml_span document, struct gml_span bucket,
		    void (*each)(void *arg, const struct gml_policy_finding *finding), void *arg);

GML_API_END

#endif
