// SPDX-License-Identifier: Apache-2.0
/* Documents of policies, and those of buckets that decide about rights. */
#ifndef GML_IAM_DOCUMENT_H
#define GML_IAM_DOCUMENT_H

#include <gemel/bucket.h>
#include <gemel/policy.h>
#include "auth/policy/policy.h"
#include "gateway/meta/record/record.h"

enum auth_policy_kind gml_document_kind(enum gml_policy_kind kind);
/* Is the document valid, of whatever bucket it is? 0, BADPOLICY, NOMEM. Any thread. Blocks: no. */
int gml_document_check(enum gml_policy_kind kind, struct gml_span document);
/* A copy on the heap, which the caller frees; never NULL when it returns 0. NOMEM. */
int gml_document_copy(struct gml_span document, void **buf_out, size_t *len_out);

/* What is known of a new document of a bucket before its transaction. */
struct gml_document_facts {
	int rc;		/* 0, BADPOLICY, INVAL, NOMEM: what setting it answers, behind the rights */
	bool decides;	/* such documents decide about rights: setting it moves the access epoch */
	bool is_public; /* a policy that allows something to everyone */
};
/* `bucket`: its name. A document of another kind, or none (NULL ptr): rc 0. Any thread. Blocks:
 * no. */
void gml_document_look(enum gml_bucket_document kind, struct gml_span bucket,
		       struct gml_span document, struct gml_document_facts *out);
/* In the transaction, behind the rights: may the document be set on the bucket with that root? 0,
 * facts->rc; ACCESS: a public access block forbids it. */
int gml_document_may(struct gml_txn *txn, gml_ino root, const struct gml_document_facts *facts);

/* The public access block that holds for a bucket: the account's and its own together. */
int gml_document_public_access(struct gml_txn *txn, gml_ino root, uint32_t *settings_out);

#endif
