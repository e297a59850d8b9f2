// SPDX-License-Identifier: Apache-2.0
/* NFS names <-> stored names.
 *
 * A stored name is an S3 key's component; a directory's ends with '/'. Names that POSIX does not
 * allow are shown under an escape that begins with ".gml~" (docs/architecture.md, "Names"). Every
 * dirent has exactly one NFS name at a time: gml_name_show computes it, and gml_name_resolve
 * accepts no other. */
#include <string.h>
#include <gemel/checksum.h>
#include <gemel/err.h>
#include <gemel/types.h>
#include "gateway/base/assert.h"
#include "gateway/base/hex.h"
#include "gateway/base/span.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "name.h"

#define NAME_ESCAPE ".gml~"
#define NAME_ESCAPE_LEN 5
#define NAME_SHORT_LEN (NAME_ESCAPE_LEN + 2) /* ".gml~f~" */
#define NAME_HASH_LEN 32		     /* hex digits */
#define NAME_PREFIX_LEN 200
#define NAME_LONG_LEN (NAME_SHORT_LEN + NAME_HASH_LEN + 1 + NAME_PREFIX_LEN)
_Static_assert(NAME_LONG_LEN <= GML_NFS_NAME_MAX, "every escape is a name over NFS");
_Static_assert(sizeof(NAME_ESCAPE) - 1 == NAME_ESCAPE_LEN, "the length of what is put");
_Static_assert(NAME_HASH_LEN / 2 <= GML_CHECKSUM_SIZE_MAX, "digits of one hash");

/* The name that Linux gives a file that is removed while it has it open: .nfs, the fileid, a
 * counter. */
#define NAME_SILLY ".nfs"
#define NAME_SILLY_INO 16
#define NAME_SILLY_COUNT 8
#define NAME_SILLY_LEN (sizeof(NAME_SILLY) - 1 + NAME_SILLY_INO + NAME_SILLY_COUNT)

static bool name_reserved(struct gml_span name)
{
	return name.len >= NAME_ESCAPE_LEN && memcmp(name.ptr, NAME_ESCAPE, NAME_ESCAPE_LEN) == 0;
}

static bool name_dots(struct gml_span name)
{
	const char *p = name.ptr;
	return (name.len == 1 && p[0] == '.') || (name.len == 2 && p[0] == '.' && p[1] == '.');
}

int gml_name_check(struct gml_span nfs)
{
	if (nfs.len > GML_NFS_NAME_MAX)
		return GML_ERR_NAMETOOLONG;
	if (nfs.len == 0 || name_dots(nfs) || memchr(nfs.ptr, '/', nfs.len) != NULL ||
	    memchr(nfs.ptr, '\0', nfs.len) != NULL)
		return GML_ERR_INVAL;
	return 0;
}

int gml_name_check_new(struct gml_span nfs)
{
	int rc = gml_name_check(nfs);
	return rc == 0 && name_reserved(nfs) ? GML_ERR_INVAL : rc;
}

bool gml_name_silly(struct gml_span stored, gml_ino ino)
{
	const char *text = stored.ptr;
	char hex[NAME_SILLY_INO];
	if (stored.len != NAME_SILLY_LEN || memcmp(text, NAME_SILLY, sizeof(NAME_SILLY) - 1) != 0)
		return false;
	text += sizeof(NAME_SILLY) - 1;
	gml_hex_u64(gml_ino_fileid(ino), NAME_SILLY_INO, hex);
	return memcmp(text, hex, NAME_SILLY_INO) == 0 &&
	       gml_hex_is_lower(text + NAME_SILLY_INO, NAME_SILLY_COUNT);
}

static void name_hash(struct gml_span component, char out[NAME_HASH_LEN])
{
	uint8_t hash[GML_CHECKSUM_SIZE_MAX];
	gml_sha256(component.ptr, component.len, hash);
	gml_hex_digits(hash, NAME_HASH_LEN / 2, out);
}

/* A stored name without a directory's slash. */
static struct gml_span name_component(struct gml_span stored, const struct gml_dirent *dirent)
{
	if (dirent->type == GML_DIR && stored.len > 0)
		stored.len--;
	return stored;
}

static size_t name_escape(struct gml_span component, bool dir, char *out)
{
	bool is_long = component.len > GML_NFS_NAME_MAX - NAME_SHORT_LEN;
	size_t n = NAME_SHORT_LEN;
	memcpy(out,
	       is_long ? (dir ? NAME_ESCAPE "D~" : NAME_ESCAPE "F~")
		       : (dir ? NAME_ESCAPE "d~" : NAME_ESCAPE "f~"),
	       n);
	if (is_long) {
		name_hash(component, out + n);
		n += NAME_HASH_LEN;
		out[n++] = '~';
		component.len = NAME_PREFIX_LEN;
	}
	gml_assert(n + component.len <= GML_NFS_NAME_MAX);
	if (component.len > 0)
		memcpy(out + n, component.ptr, component.len);
	return n + component.len;
}

/* Has a directory of the same parent the component's name? */
static bool name_shadowed(struct gml_txn *txn, gml_ino dir, struct gml_span component)
{
	char stored[GML_NFS_NAME_MAX + 1];
	struct gml_dirent dirent;
	gml_assert(component.len <= GML_NFS_NAME_MAX); /* a longer one is escaped in any case */
	memcpy(stored, component.ptr, component.len);
	stored[component.len] = '/';
	return gml_rec_dirent_get(txn, dir, gml_span_of(stored, component.len + 1), &dirent) == 0;
}

static bool name_hidden_marker(struct gml_txn *txn, const struct gml_dirent *dirent)
{
	struct gml_inode inode;
	return dirent->type == GML_REG && gml_rec_inode_get(txn, dirent->ino, &inode) == 0 &&
	       inode.size == 0 && !(inode.flags & GML_INODE_DIRTY);
}

bool gml_name_show(struct gml_txn *txn, gml_ino dir, struct gml_span stored,
		   const struct gml_dirent *dirent, char *out, size_t *len_out)
{
	struct gml_span component = name_component(stored, dirent);
	bool is_dir = dirent->type == GML_DIR;
	if (stored.len == 0 && name_hidden_marker(txn, dirent))
		return false;
	if (gml_name_check(component) != 0 || name_reserved(component) ||
	    (!is_dir && name_shadowed(txn, dir, component))) {
		*len_out = name_escape(component, is_dir, out);
		return true;
	}
	memcpy(out, component.ptr, component.len);
	*len_out = component.len;
	return true;
}

/* The dirent after ".gml~F~HASH~PREFIX": all of it is in the range of its prefix. */
static int name_find_long(struct gml_txn *txn, gml_ino dir, struct gml_span nfs, bool is_dir,
			  char *stored_out, size_t *stored_len_out, struct gml_dirent *out)
{
	const char *text = nfs.ptr, *prefix = text + NAME_LONG_LEN - NAME_PREFIX_LEN;
	struct gml_span at = {prefix, NAME_PREFIX_LEN}, name;
	struct gml_dirent_cursor *cursor;
	char hash[NAME_HASH_LEN];
	int rc;
	if (nfs.len != NAME_LONG_LEN || prefix[-1] != '~')
		return GML_ERR_NOENT;
	rc = gml_dirent_cursor_open(txn, dir, &cursor);
	if (rc != 0)
		return rc;
	rc = gml_dirent_cursor_seek(cursor, at, true, &name, out);
	for (; rc == 0; rc = gml_dirent_cursor_next(cursor, &name, out)) {
		struct gml_span component = name_component(name, out);
		if (name.len < NAME_PREFIX_LEN || memcmp(name.ptr, prefix, NAME_PREFIX_LEN) != 0) {
			rc = GML_ERR_NOENT;
			break;
		}
		if ((out->type == GML_DIR) != is_dir ||
		    component.len <= GML_NFS_NAME_MAX - NAME_SHORT_LEN)
			continue;
		name_hash(component, hash);
		if (memcmp(hash, text + NAME_SHORT_LEN, NAME_HASH_LEN) == 0) {
			memcpy(stored_out, name.ptr, name.len);
			*stored_len_out = name.len;
			break;
		}
	}
	gml_dirent_cursor_close(cursor);
	return rc;
}

static int name_find_escaped(struct gml_txn *txn, gml_ino dir, struct gml_span nfs,
			     char *stored_out, size_t *stored_len_out, struct gml_dirent *out)
{
	const char *text = nfs.ptr;
	char kind = nfs.len >= NAME_SHORT_LEN ? text[NAME_ESCAPE_LEN] : '\0';
	char shown[GML_NFS_NAME_MAX + 1];
	size_t len, shown_len;
	int rc;
	if (kind == '\0' || text[NAME_ESCAPE_LEN + 1] != '~')
		return GML_ERR_NOENT;
	switch (kind) {
	case 'f':
	case 'd':
		len = nfs.len - NAME_SHORT_LEN;
		memcpy(stored_out, text + NAME_SHORT_LEN, len);
		if (kind == 'd')
			stored_out[len++] = '/';
		*stored_len_out = len;
		rc = gml_rec_dirent_get(txn, dir, gml_span_of(stored_out, len), out);
		break;
	case 'F':
	case 'D':
		rc = name_find_long(txn, dir, nfs, kind == 'D', stored_out, stored_len_out, out);
		break;
	default:
		rc = GML_ERR_NOENT;
	}
	if (rc != 0)
		return rc;
	/* Only the one name that it is shown under counts. */
	if (!gml_name_show(txn, dir, gml_span_of(stored_out, *stored_len_out), out, shown,
			   &shown_len) ||
	    shown_len != nfs.len || memcmp(shown, text, shown_len) != 0)
		return GML_ERR_NOENT;
	return 0;
}

int gml_name_resolve(struct gml_txn *txn, gml_ino dir, struct gml_span nfs, char *stored_out,
		     size_t *stored_len_out, struct gml_dirent *out)
{
	int rc = gml_name_check(nfs);
	if (rc != 0)
		return rc;
	if (name_reserved(nfs))
		return name_find_escaped(txn, dir, nfs, stored_out, stored_len_out, out);
	memcpy(stored_out, nfs.ptr, nfs.len);
	stored_out[nfs.len] = '/';
	*stored_len_out = nfs.len + 1;
	rc = gml_rec_dirent_get(txn, dir, gml_span_of(stored_out, nfs.len + 1), out);
	if (rc != GML_ERR_NOENT)
		return rc;
	*stored_len_out = nfs.len;
	return gml_rec_dirent_get(txn, dir, nfs, out);
}
