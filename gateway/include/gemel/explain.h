// SPDX-License-Identifier: Apache-2.0
/* Why somebody may do something, or may not: for people. The labels of the contracts are explained
 * in README.md here. */
#ifndef GEMEL_EXPLAIN_H
#define GEMEL_EXPLAIN_H

#include <gemel/object.h>
#include <gemel/op.h>
#include <gemel/store.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* What would be asked. All is borrowed for the call. */
struct gml_explain_question {
	struct gml_principal principal;
	struct gml_context context; /* the protocol, the address, … */
	/* An action of S3 about objects, or s3:ListBucket: "s3:GetObject". Over NFS it is what a
	 * program does that reads, writes, deletes or lists. */
	const char *action;
	struct gml_object_ref place; /* of s3:ListBucket the key is the prefix, a directory */
};

/* The answer. */
struct gml_explanation {
	int rc;			 /* 0: it may; else the error that the caller would get */
	bool exists;		 /* the key is there, as a file or a directory */
	const char *reason;	 /* a static sentence */
	const char *would_help;	 /* what would change the answer; static; "" */
	char origin[320];	 /* the policy that decided, "user ann: reports"; "": none */
	int statement;		 /* of it, from 0; -1: none */
	uint32_t mode, uid, gid; /* of what decided if no policy did; 0 if there is nothing */
	bool acl;		 /* it has an ACL */
	bool of_directory;	 /* they are those of the directory that holds the name */
};

/* Decides the question as an operation would, in one snapshot, and says what decided it.
 * Errors: INVAL (an action that it does not know), NOBUCKET, NAMETOOLONG, CORRUPT, NOMEM, IO.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_explain(struct gml_store *store, const struct gml_explain_question *question,
		struct gml_explanation *out);

GML_API_END

#endif
