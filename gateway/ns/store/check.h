// SPDX-License-Identifier: Apache-2.0
/* Declarations shared by the files of the store check.
 *
 * The content directory is read first, then everything else from one snapshot. So a file without a
 * record is not published yet (leased by a living process), or was freed since (it is gone when
 * checked again), or is a problem. Memory: 32 bytes per inode and 24 per blob, 16 more per blob
 * file for a while. */
#ifndef GML_NS_CHECK_H
#define GML_NS_CHECK_H

#include <gemel/err.h>
#include <gemel/store.h>
#include <gemel/types.h>
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "store.h"

enum { CHECK_DIRTY = 1, CHECK_ORPHAN = 2, CHECK_EXTENTS = 4, CHECK_XATTRS = 8, CHECK_SEEN = 16 };

struct check_inode {
	gml_ino ino;
	uint32_t nlink; /* as recorded */
	uint32_t names; /* dirents found; 0 or 1 for a good directory */
	uint32_t subdirs;
	uint32_t links;	    /* rows of table link found */
	uint8_t type, bits; /* CHECK_* */
};

struct check_blob {
	uint64_t id;
	uint64_t size; /* bytes on disk; UINT64_MAX: no file */
	uint32_t refs; /* found */
	uint32_t rows; /* of checksums, not found yet */
};

struct check_bucket {
	char name[GML_BUCKET_NAME_MAX + 1];
	struct gml_bucket_rec rec;
	uint64_t bytes, objects; /* found */
};

struct check_file {
	uint64_t id, size;
};

/* Bytes of a blob that are not what they should be. */
struct check_damage {
	uint64_t blob, off, len;
	const char *what;
	char owners[200]; /* names of files that have them, or "" */
	bool more;	  /* there are others */
};

/* Growing array. */
struct check_array {
	void *items;
	size_t count, cap, size;
};

struct check {
	struct gml_store *store;
	struct gml_txn *txn;
	void (*problem)(void *arg, const char *text);
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *arg;
	struct gml_check_report *report;
	uint64_t done, total;
	int rc;			    /* first error inside a callback */
	struct check_array files;   /* struct check_file, by id; until the blob table was read */
	struct check_array strays;  /* struct check_file without record */
	struct check_array inodes;  /* struct check_inode, by ino */
	struct check_array blobs;   /* struct check_blob, by id */
	struct check_array buckets; /* struct check_bucket, by root */
	struct check_array leases;  /* struct gml_lease of living processes */
	struct check_array damages; /* struct check_damage, by blob and offset (check_content.c) */
	uint64_t dirent_records, cookies, dirty, extents_flags;
	uint64_t bucket_rows;
	gml_ino extent_ino; /* the last extent of table extent, and where it ended */
	uint64_t extent_end;
};

/* ---- check.c --------------------------------------------------------------------------------- */
/* A failure that proves nothing about the store (no memory, the disk): the result of the check. */
bool gml_check_failed(struct check *c, int rc);
void gml_check_problem(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void gml_check_step(struct check *c);
/* A new zeroed element; NULL: out of memory (c->rc is set). */
void *gml_check_push(struct check *c, struct check_array *array);
struct check_inode *gml_check_inode(struct check *c, gml_ino ino);    /* NULL: none */
struct check_bucket *gml_check_bucket(struct check *c, gml_ino root); /* NULL: none */
struct check_bucket *gml_check_line(struct check *c, uint64_t line);  /* NULL: none */
struct check_blob *gml_check_blob(struct check *c, uint64_t id);      /* NULL: none */
/* Calls `each` with every key of a table; 0 = go on. */
int gml_check_keys(struct check *c, enum gml_table table,
		   int (*each)(struct check *c, struct gml_span key));
uint64_t gml_check_u64(const void *key);
/* Views in ascending order, the present first; in each, by number: the order of keys. */
int gml_check_order(gml_ino a, gml_ino b);
/* The inode that a key begins with, and `rest` bytes more. False: it is none (*ino_out is what
 * there is, for messages). */
bool gml_check_ino(struct gml_span key, size_t rest, gml_ino *ino_out);
/* Printable form of a name, cut when long. */
const char *gml_check_name(char out[128], struct gml_span name);
static inline void *gml_check_at(const struct check_array *array, size_t i)
{
	return (char *)array->items + i * array->size;
}

/* ---- check_data.c ---------------------------------------------------------------------------- */
int gml_check_read_disk(struct check *c);
int gml_check_blobs(struct check *c);
/* One extent of `what` `number` (for messages; of an inode, or a part of the present): the blob
 * exists and is long enough; counts the reference. */
void gml_check_extent(struct check *c, const char *what, gml_ino number,
		      const struct gml_extent *extent);
int gml_check_sums(struct check *c);
void gml_check_wblob(struct check *c, const struct gml_inode *inode);
int gml_check_extents(struct check *c);
void gml_check_refs(struct check *c);
int gml_check_unreferenced(struct check *c);

/* ---- check_owner.c --------------------------------------------------------------------------- */
/* Names whose damaged bytes c->damages are: files, objects, parts. Reads all content maps, in one
 * snapshot. */
int gml_check_owners(struct check *c);

/* ---- check_names.c --------------------------------------------------------------------------- */
int gml_check_load_buckets(struct check *c);
int gml_check_inodes(struct check *c);
int gml_check_dirents(struct check *c);
int gml_check_backrefs(struct check *c);
int gml_check_uploads(struct check *c);
void gml_check_links(struct check *c);
int gml_check_lines(struct check *c);
void gml_check_usage(struct check *c);

/* ---- check_iam.c ----------------------------------------------------------------------------- */
/* Groups and roles, and what belongs to them and to users. */
int gml_check_iam(struct check *c);
/* A document of a bucket that is there. */
void gml_check_document(struct check *c, const struct check_bucket *bucket, uint8_t kind,
			struct gml_span document);

#endif
