// SPDX-License-Identifier: Apache-2.0
/* Reading the policies of a caller or a bucket from the store, and compiling them. */
#ifndef GML_IAM_ACCESS_LOAD_H
#define GML_IAM_ACCESS_LOAD_H

#include "access_cache.h"

/* Where to read, and as of which epoch it may be remembered. */
struct access_source {
	struct gml_access *access;
	struct gml_txn *txn;
	uint64_t now;
	bool remember; /* false: a change is on its way */
};

/* Fill a new entry. CORRUPT, NOMEM, errors of the store. */
int gml_access_load_user(const struct access_source *source, struct gml_span name,
			 struct access_entry *entry);
int gml_access_load_uid(const struct access_source *source, uint32_t uid,
			struct access_entry *entry);
/* NOENT: no bucket has that root. */
int gml_access_load_bucket(const struct access_source *source, gml_ino root,
			   struct access_entry *entry);

#endif
