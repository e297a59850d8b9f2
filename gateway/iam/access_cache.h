// SPDX-License-Identifier: Apache-2.0
/* Remembered policies of callers and buckets, as access.c finds them and access_load.c reads
 * them. */
#ifndef GML_IAM_ACCESS_CACHE_H
#define GML_IAM_ACCESS_CACHE_H

#include <stdatomic.h>
#include "access.h"

/* What an entry is about; its key is the kind and a name or a number. */
enum access_kind {
	ACCESS_USER,   /* a user, by name */
	ACCESS_UID,    /* the user that has a uid, or its guest */
	ACCESS_BUCKET, /* a bucket, by its root */
	/* a managed policy, by name in lower case, parsed for those that have it */
	ACCESS_POLICY,
	ACCESS_BOUNDARY, /* the same as a boundary */
};
struct access_key {
	uint8_t bytes[1 + GML_POLICY_NAME_MAX];
	size_t len;
};

struct access_entry {
	struct access_key key;
	uint64_t asof;
	atomic_uint references;
	_Atomic uint64_t used; /* when it was asked for last, in installations */
	struct access_entry *next;
	size_t bytes;
	/* a caller's, or a bucket's; NULL: no policies */
	struct auth_policy_set *set;
	/* a caller's */
	struct auth_principal who; /* its texts are below */
	char arn[64 + GML_USER_NAME_MAX], userid[GML_UNIQUE_ID + 1],
		username[GML_USER_NAME_MAX + 1], canonical[16];
	/* on the heap; a user's: pairs; a bucket's: its document of tags (gateway/base/tags.h) */
	void *tags;
	size_t tags_len;
	/* a bucket's */
	char bucket[GML_BUCKET_NAME_MAX + 1];
	struct gml_access_bucket facts;
	/* a policy's; NULL: there is none */
	struct auth_policy *policy;
};

/* A new entry with one reference; NULL: no memory. */
struct access_entry *gml_access_entry_new(const struct access_key *key);
void gml_access_entry_unref(struct access_entry *entry); /* NULL is fine */

/* With a reference of the caller's; NULL: nothing is remembered as of the epoch `now`. */
struct access_entry *gml_access_find(struct gml_access *access, const struct access_key *key,
				     uint64_t now);
/* Remembers the entry as of entry->asof, in place of older ones of its key; takes a reference.
 * Others are forgotten for its room. */
void gml_access_install(struct gml_access *access, struct access_entry *entry);

/* The table of answers about inodes. Borrowed. */
struct gml_memo *gml_access_memo(struct gml_access *access);

/* Bytes of all policies that are remembered. */
size_t gml_access_size(const struct gml_access *access);

/* Whether anybody has a policy, as of the epoch `now`: a yes, a no, or nothing is known. */
enum access_any { ACCESS_ANY_UNKNOWN, ACCESS_ANY_NONE, ACCESS_ANY_SOME };
enum access_any gml_access_any(const struct gml_access *access, uint64_t now);
void gml_access_any_set(struct gml_access *access, uint64_t now, bool some);

#endif
