// SPDX-License-Identifier: Apache-2.0
/* Buckets. A bucket is a directory of the namespace root with a record of its own. The labels of
 * the contracts are explained in README.md here. */
#ifndef GEMEL_BUCKET_H
#define GEMEL_BUCKET_H

#include <gemel/action.h>
#include <gemel/account.h>
#include <gemel/store.h>
#include <gemel/visibility.h>

GML_API_BEGIN

struct gml_bucket {
	char name[GML_BUCKET_NAME_MAX + 1];
	gml_ino root;
	uint32_t uid;  /* owner */
	uint32_t mode; /* of its root directory */
	int64_t created;
	uint64_t bytes, objects; /* usage: content bytes and files; DIRTY ones as last clean */
	uint64_t quota_bytes, quota_objects; /* 0 = INT64_MAX; exceeded: DQUOT */
	bool relaxed;			     /* gml_bucket_set_relaxed */
};

/* Does the name follow S3's rules (3 to 63 of [a-z0-9.-], no IP address, no "..", ".-", no prefix
 * xn-- …)?
 * Errors: BUCKETNAME. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
int gml_bucket_name_check(struct gml_span name);

/* Documents of a bucket's configuration: bytes that the caller understands, the core keeps. They go
 * with their bucket. X(name, number): the number is on disk, so none is ever used for another kind.
 * In use are these, and the core takes valid ones only: POLICY (gemel/policy.h),
 * PUBLIC_ACCESS_BLOCK and OWNERSHIP (gemel/account.h); TAGGING, a line "KEY TAB VALUE LF" for each
 * tag; ACCESS, the word GML_ACCESS_BOTH: the bucket demands that a policy allows what is done in
 * it, and ACL, mode bits or ownership as well. */
#define GML_BUCKET_DOCUMENT_MAP(X)                                                                 \
	X(TAGGING, 1)                                                                              \
	X(POLICY, 2)                                                                               \
	X(LIFECYCLE, 3)                                                                            \
	X(CORS, 4)                                                                                 \
	X(ENCRYPTION, 5)                                                                           \
	X(NOTIFICATION, 6)                                                                         \
	X(WEBSITE, 7)                                                                              \
	X(LOGGING, 8)                                                                              \
	X(OWNERSHIP, 9)                                                                            \
	X(PUBLIC_ACCESS_BLOCK, 10)                                                                 \
	X(VERSIONING, 11)                                                                          \
	X(OBJECT_LOCK, 12)                                                                         \
	X(REPLICATION, 13)                                                                         \
	X(ACL, 14)                                                                                 \
	X(REQUEST_PAYMENT, 15)                                                                     \
	X(ACCELERATE, 16)                                                                          \
	X(ANALYTICS, 17)                                                                           \
	X(INVENTORY, 18)                                                                           \
	X(METRICS, 19)                                                                             \
	X(INTELLIGENT_TIERING, 20)                                                                 \
	X(ACCESS, 21)
enum gml_bucket_document {
#define GML_BUCKET_DOCUMENT_ENUM(name, number) GML_BUCKET_##name = number,
	GML_BUCKET_DOCUMENT_MAP(GML_BUCKET_DOCUMENT_ENUM)
#undef GML_BUCKET_DOCUMENT_ENUM
};
#define GML_ACCESS_BOTH "both"
#define GML_BUCKET_DOCUMENT_MAX ((size_t)1 << 20) /* bytes */

struct gml_grants;
/* What a bucket has from the start. Zero: the defaults. The span is borrowed for the call. */
struct gml_bucket_new {
	bool has_mode; /* else 0700 */
	uint32_t mode; /* of its root directory */
	bool relaxed;  /* gml_bucket_set_relaxed; administrators only */
	enum gml_bucket_document kind;
	struct gml_span document; /* NULL ptr: none */
	bool has_ownership;
	enum gml_ownership ownership;	 /* else it has none: as "bucket owner enforced" */
	const struct gml_grants *grants; /* gemel/grant.h; NULL: as the mode says */
};

/* Make a bucket with the caller's uid as owner and its group, and with all of `settings`
 * (NULL: the defaults), in one transaction (CreateBucket). Allowed for uid 0, the administrator,
 * and users without GML_USER_NO_BUCKETS (by uid). *out (may be NULL): the new bucket.
 * Errors: BUCKETNAME, BUCKETOWNED (the caller has a bucket of this name), BUCKETEXISTS (another
 * user has), ACCESS, PERM (a setting of the administrator), TOOBIG, INVAL and BADPOLICY (the
 * document), ROFS, NOSPC.
 * Threads: any. Blocks: commit. Durable: yes, relaxed buckets too. On failure: nothing changed. */
int gml_bucket_create(struct gml_op *op, struct gml_store *store, struct gml_span name,
		      const struct gml_bucket_new *settings, struct gml_bucket *out);
/* May the caller do `action`, a row of gemel/action.h about buckets, to the bucket? *out (may be
 * NULL): its facts.
 * Errors: ACCESS, PERM, ROFS (it may not); NOBUCKET.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_bucket_may(struct gml_op *op, struct gml_store *store, struct gml_span name,
		   enum gml_action action, struct gml_bucket *out);
/* Who owns the bucket. It asks for no right, as S3 tells everybody whether a bucket is there: for
 * x-amz-expected-bucket-owner, and NoSuchBucket before a body is read.
 * Errors: NOBUCKET, CORRUPT.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *uid_out is undefined. */
int gml_bucket_owner(struct gml_store *store, struct gml_span name, uint32_t *uid_out);
/* Delete a bucket (DeleteBucket); for its owner or uid 0. Unfinished uploads are deleted with it,
 * many of them in several transactions, of which the last removes the bucket.
 * Errors: NOBUCKET, NOTEMPTY (it has a key or a directory), ACCESS, ROFS, NOMEM.
 * Threads: any. Blocks: commit and disk. Durable: yes. On failure: some unfinished uploads may be
 * gone. */
int gml_bucket_delete(struct gml_op *op, struct gml_store *store, struct gml_span name);
/* The facts of a bucket (HeadBucket); for its owner, uid 0, and callers with `r` or `x` on its
 * root.
 * Errors: NOBUCKET, ACCESS.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *out is undefined. */
int gml_bucket_head(struct gml_op *op, struct gml_store *store, struct gml_span name,
		    struct gml_bucket *out);
/* Call `each` for the buckets after the name `after`, in bytewise order, until it returns false
 * (ListBuckets): those that the caller owns or a policy lets it list, for the administrator all.
 * Buckets are borrowed for the call.
 * Errors: ACCESS (a policy denies it), CORRUPT.
 * Threads: any; `each` must not call the core. Blocks: no. Durable: n/a. On failure: `each` may
 * have been called. */
int gml_bucket_list(struct gml_op *op, struct gml_store *store, struct gml_span after,
		    bool (*each)(void *arg, const struct gml_bucket *bucket), void *arg);
/* Limit the bytes and objects of a bucket; 0 removes a limit. For the administrator.
 * Errors: NOBUCKET, PERM, NOSPC.
 * Threads: any. Blocks: commit. Durable: yes. On failure: nothing changed. */
int gml_bucket_set_quota(struct gml_op *op, struct gml_store *store, struct gml_span name,
			 uint64_t bytes, uint64_t objects);
/* Make a bucket relaxed, or strict again. For the administrator; a new bucket is strict. Changes of
 * a relaxed bucket are acknowledged before they are durable: a power cut or a crash of the kernel
 * may lose those of about the last second. docs/architecture.md, "Durability", says which, and what
 * is durable all the same: gml_file_commit, a stable gml_file_write, gml_file_allocate and
 * gml_file_deallocate, with every change acknowledged before.
 * Errors: NOBUCKET, PERM, NOSPC.
 * Threads: any. Blocks: commit. Durable: yes, with every change that the bucket acknowledged
 * before. On failure: nothing changed. */
int gml_bucket_set_relaxed(struct gml_op *op, struct gml_store *store, struct gml_span name,
			   bool relaxed);

/* Copy a document of the bucket's configuration. TAGGING: for callers that gml_bucket_head admits;
 * others: for the owner, an administrator, or uid 0.
 * Ownership: *buf_out is on the heap and freed by the caller; not NUL-terminated.
 * Errors: NOENT (there is none), NOBUCKET, ACCESS, INVAL (a kind that is not in use), CORRUPT,
 * NOMEM.
 * Threads: any. Blocks: no. Durable: n/a. On failure: *buf_out is NULL. */
int gml_bucket_document_get(struct gml_op *op, struct gml_store *store, struct gml_span name,
			    enum gml_bucket_document kind, void **buf_out, size_t *len_out);
/* Replace a document of the bucket's configuration, or remove it (NULL ptr; an absent one is no
 * error). For the owner, an administrator, or uid 0; ACCESS for an administrator.
 * Errors: PERM (ACCESS, by others), ACCESS (or a public access block forbids a policy that is
 * public), NOBUCKET, ROFS, BADPOLICY, INVAL (it is not valid, or of a kind that is not in use),
 * TOOBIG, NOSPC.
 * Threads: any. Blocks: commit. Durable: yes, in relaxed buckets too. On failure: nothing changed.
 * */
int gml_bucket_document_set(struct gml_op *op, struct gml_store *store, struct gml_span name,
			    enum gml_bucket_document kind, struct gml_span document);
/* Does the bucket's policy allow something to everyone (GetBucketPolicyStatus)? For the owner, an
 * administrator, or uid 0.
 * Errors: NOENT (it has no policy), NOBUCKET, ACCESS, CORRUPT, NOMEM. Threads: any. Blocks: no.
 * Durable: n/a. On failure: *public_out is undefined. */
int gml_bucket_policy_status(struct gml_op *op, struct gml_store *store, struct gml_span name,
			     bool *public_out);

GML_API_END

#endif
