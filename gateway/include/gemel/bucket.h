// SPDX-License-Identifier: Apache-2.0
/* Buckets. A bucket is a directory of the namespace root with a record of its own. */
#ifndef GEMEL_BUCKET_H
#define GEMEL_BUCKET_H

#include <gemel/action.h>
#include <gemel/store.h>
#include <gemel/visibility.h>

GML_API_BEGIN

struct gml_bucket {
	char name[GML_BUCKET_NAME_MAX + 1];
	gml_ino root;
	uint32_t uid;  /* owner */
	uint32_t mode; /* of its root directory */
	int64_t created;
	uint64_t bytes, objects; /* usage: content bytes and regular files (settled state) */
	uint64_t quota_bytes, quota_objects; /* 0 = INT64_MAX; exceeded: DQUOT */
	bool relaxed;			     /* gml_bucket_set_relaxed */
};

/* S3's naming rules (3-63 of [a-z0-9.-], no IP address, no "..", ".-", no xn-- prefix …). 0 or
 * BUCKETNAME. */
int gml_bucket_name_check(struct gml_span name);

/* Documents of a bucket's configuration: bytes that the caller understands, the core keeps. They go
 * with their bucket. X(name, number): the number is on disk, so none is ever used for another
 * kind. */
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
	X(INTELLIGENT_TIERING, 20)
enum gml_bucket_document {
#define GML_BUCKET_DOCUMENT_ENUM(name, number) GML_BUCKET_##name = number,
	GML_BUCKET_DOCUMENT_MAP(GML_BUCKET_DOCUMENT_ENUM)
#undef GML_BUCKET_DOCUMENT_ENUM
};
#define GML_BUCKET_DOCUMENT_MAX ((size_t)1 << 20) /* bytes */

/* What a bucket has from the start. Zero: the defaults. The span is borrowed for the call. */
struct gml_bucket_new {
	bool has_mode; /* else 0700 */
	uint32_t mode; /* of its root directory */
	bool relaxed;  /* gml_bucket_set_relaxed; administrators only */
	enum gml_bucket_document kind;
	struct gml_span document; /* NULL ptr: none */
};

/* Creates the bucket with owner op->principal.cred.uid and its group, and all that `what` (NULL:
 * the defaults) says: in one transaction, all of it or nothing. Who may: uid 0, administrators, and
 * users without GML_USER_NO_BUCKETS (by uid); else ACCESS. BUCKETNAME; BUCKETOWNED if the caller
 * has a bucket of this name, BUCKETEXISTS if another has; PERM for what is the administrator's;
 * TOOBIG, ROFS, NOSPC. *out (may be NULL): as it is then. Any thread. Blocks on commit. Durable,
 * relaxed buckets too. */
int gml_bucket_create(struct gml_op *op, struct gml_store *store, struct gml_span name,
		      const struct gml_bucket_new *what, struct gml_bucket *out);
/* May the caller do `action`, a row of gemel/action.h about buckets, to the bucket?
 * Errors: ACCESS, PERM, ROFS (it may not); NOBUCKET.
 * Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
int gml_bucket_may(struct gml_op *op, struct gml_store *store, struct gml_span name,
		   enum gml_action action);
/* Owner or uid 0. NOTEMPTY while a key or a directory is in it; unfinished uploads go with it
 * (many: in several transactions, of which the last removes the bucket). Durable. */
int gml_bucket_delete(struct gml_op *op, struct gml_store *store, struct gml_span name);
/* Any caller with `r` or `x` on its root, the owner, or uid 0; else ACCESS. NOBUCKET. No
 * blocking. */
int gml_bucket_head(struct gml_op *op, struct gml_store *store, struct gml_span name,
		    struct gml_bucket *out);
/* Bytewise order from after `after`; those the caller owns (all for an administrator). */
int gml_bucket_list(struct gml_op *op, struct gml_store *store, struct gml_span after,
		    bool (*each)(void *arg, const struct gml_bucket *bucket), void *arg);
int gml_bucket_set_quota(struct gml_op *op, struct gml_store *store, struct gml_span name,
			 uint64_t bytes, uint64_t objects); /* admin only */
/* Relaxed: changes in the bucket are answered before they are durable, from now on; a new bucket is
 * strict. Admin only (PERM). NOBUCKET. Blocks on commit. Durable itself, with all that the bucket
 * answered before.
 *
 * What a relaxed bucket may lose, and when: after a power cut or a crash of the kernel, what was
 * answered in about the last second: names, attributes and published objects. Never by the death of
 * processes, and never after an orderly end. What is left is a state that the bucket went through:
 * the first so many of its changes, whole, each file with the right bytes. Other buckets lose
 * nothing. Durable all the same are: what gml_file_commit, a stable gml_file_write,
 * gml_file_allocate and gml_file_deallocate return for, with every change that was answered before;
 * uploads and their parts until they are completed; the bucket itself, its owner and quota. Bytes
 * that NFS writes are durable from gml_file_commit on, as in any bucket; what of them reaches the
 * disk before may outlive changes that were answered before them. */
int gml_bucket_set_relaxed(struct gml_op *op, struct gml_store *store, struct gml_span name,
			   bool relaxed);

/* A copy on the heap, which the caller frees; not NUL-terminated. NOENT: there is none. NOBUCKET;
 * ACCESS as in gml_bucket_head; NOMEM. Any thread. No blocking. */
int gml_bucket_document_get(struct gml_op *op, struct gml_store *store, struct gml_span name,
			    enum gml_bucket_document kind, void **buf_out, size_t *len_out);
/* Replaces the document, whole or not at all; NULL ptr: removes it, and is content when there is
 * none. Owner or uid 0; else ACCESS. NOBUCKET, ROFS, TOOBIG, NOSPC. Any thread. Blocks on commit.
 * Durable, in relaxed buckets as well. On failure nothing changed. */
int gml_bucket_document_set(struct gml_op *op, struct gml_store *store, struct gml_span name,
			    enum gml_bucket_document kind, struct gml_span document);

GML_API_END

#endif
