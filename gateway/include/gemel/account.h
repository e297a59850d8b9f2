// SPDX-License-Identifier: Apache-2.0
/* Public access blocks, which the account and each bucket have, and the object ownership of a
 * bucket (S3 User Guide: Blocking public access; Controlling ownership of objects). The account is
 * the whole store. The labels of the contracts are explained in README.md here. */
#ifndef GEMEL_ACCOUNT_H
#define GEMEL_ACCOUNT_H

#include <gemel/store.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* The settings of a public access block; those of the account and of a bucket add up. */
enum {
	GML_BLOCK_PUBLIC_ACLS = 1,	 /* refuse new ACLs that are public */
	GML_IGNORE_PUBLIC_ACLS = 2,	 /* ACLs grant nothing to the public */
	GML_BLOCK_PUBLIC_POLICY = 4,	 /* refuse new bucket policies that are public */
	GML_RESTRICT_PUBLIC_BUCKETS = 8, /* public bucket policies grant nothing to the public */
	GML_PUBLIC_ACCESS_ALL = 15,
};

/* The settings of the account. */
struct gml_account {
	uint32_t public_access; /* GML_BLOCK_PUBLIC_ACLS, … */
};

/* The settings of the account; zeros until they are set.
 * Errors: none of its own. Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined.
 * */
int gml_account_get(struct gml_store *store, struct gml_account *out);
/* Replace the settings of the account (PutPublicAccessBlock of S3 Control). For administrators.
 * Errors: INVAL, PERM, NOSPC. Threads: any. Blocks: commit. Durable: yes. On failure: nothing
 * changed. */
int gml_account_set(struct gml_op *op, struct gml_store *store, const struct gml_account *account);

/* A bucket's public access block is its document GML_BUCKET_PUBLIC_ACCESS_BLOCK (gemel/bucket.h):
 * the names of what is on, as S3 spells them, with commas between; may be empty. */
#define GML_PUBLIC_ACCESS_TEXT 80 /* bytes of the longest one, and its zero */
/* Writes the document of settings.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
void gml_public_access_format(uint32_t settings, char out[GML_PUBLIC_ACCESS_TEXT]);
/* Reads one.
 * Errors: INVAL (a name that is none). Threads: any. Blocks: no. Durable: n/a. On failure:
 * *settings_out is undefined. */
int gml_public_access_parse(struct gml_span document, uint32_t *settings_out);

/* A bucket's object ownership is its document GML_BUCKET_OWNERSHIP: the name of one of these. */
enum gml_ownership {
	GML_BUCKET_OWNER_ENFORCED, /* ACLs are off; what a bucket without the document has */
	GML_BUCKET_OWNER_PREFERRED,
	GML_OBJECT_WRITER,
};
/* S3's name of an ownership; static.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
const char *gml_ownership_format(enum gml_ownership ownership);
/* The ownership of a name.
 * Errors: INVAL. Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_ownership_parse(struct gml_span document, enum gml_ownership *out);

GML_API_END

#endif
