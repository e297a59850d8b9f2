// SPDX-License-Identifier: Apache-2.0
/* Table inode: ino -> attributes, then optional parts, each announced by a presence bit.
 * docs/on-disk-format.md, "inode". */
#include "gateway/base/assert.h"
#include "record_internal.h"

enum {
	INODE_FORMAT = 2,

	INODE_HAS_PARENT = 1 << 0,
	INODE_HAS_ATIME = 1 << 1, /* differs from mtime; the others as well */
	INODE_HAS_CTIME = 1 << 2,
	INODE_HAS_BTIME = 1 << 3,
	INODE_HAS_EXTENTS = 1 << 4,
	INODE_HAS_MD5 = 1 << 5,
	INODE_HAS_NAME = 1 << 6, /* bits up to here fit the common object into one byte */
	INODE_HAS_HEADERS = 1 << 7,
	INODE_HAS_CHECKSUM = 1 << 8,
	INODE_HAS_WBLOB = 1 << 9,
	INODE_HAS_VERIFIER = 1 << 10,
	INODE_HAS_NPARTS = 1 << 11,
	INODE_HAS_PARTS = 1 << 12,
	INODE_HAS_TARGET = 1 << 13,
	INODE_HAS_RDEV = 1 << 14,
	/* 15 to 19 and 21 are kept (docs/on-disk-format.md) */
	INODE_HAS_ACL = 1 << 20,
	INODE_HAS_ALL = ((1 << 15) - 1) | INODE_HAS_ACL,
};

#define INODE_WBLOB_MAX ((UINT64_C(1) << 56) - 1) /* an id of kind 0 (gateway/data/blob.h) */
#define INODE_PARTS_MAX ((size_t)10000 * (8 + GML_CHECKSUM_SIZE_MAX))

static const uint8_t inode_zero[16];
_Static_assert(sizeof(((struct gml_inode *)NULL)->md5) <= sizeof(inode_zero) &&
		       sizeof(((struct gml_inode *)NULL)->verifier) <= sizeof(inode_zero),
	       "both are compared with it");
_Static_assert(INODE_PARTS_MAX + GML_REC_HEADERS_MAX + GML_SYMLINK_MAX + GML_REC_NAME_MAX <
		       GML_REC_VALUE_MAX / 2,
	       "an inode is one record");

static uint32_t inode_presence(const struct gml_inode *inode)
{
	uint32_t has = 0;
	has |= !gml_ino_is_none(inode->parent) ? INODE_HAS_PARENT : 0;
	has |= inode->atime != inode->mtime ? INODE_HAS_ATIME : 0;
	has |= inode->ctime != inode->mtime ? INODE_HAS_CTIME : 0;
	has |= inode->btime != inode->mtime ? INODE_HAS_BTIME : 0;
	has |= inode->nextents != 0 ? INODE_HAS_EXTENTS : 0;
	has |= memcmp(inode->md5, inode_zero, sizeof(inode->md5)) != 0 ? INODE_HAS_MD5 : 0;
	has |= inode->name.ptr != NULL ? INODE_HAS_NAME : 0;
	has |= inode->headers.len != 0 ? INODE_HAS_HEADERS : 0;
	has |= inode->checksum.algorithm != GML_CHECKSUM_NONE ? INODE_HAS_CHECKSUM : 0;
	has |= inode->wblob != 0 ? INODE_HAS_WBLOB : 0;
	has |= memcmp(inode->verifier, inode_zero, sizeof(inode->verifier)) != 0
		       ? INODE_HAS_VERIFIER
		       : 0;
	has |= inode->nparts != 0 ? INODE_HAS_NPARTS : 0;
	has |= inode->parts.len != 0 ? INODE_HAS_PARTS : 0;
	has |= inode->target.len != 0 ? INODE_HAS_TARGET : 0;
	has |= inode->rdev != 0 ? INODE_HAS_RDEV : 0;
	has |= inode->acl.len != 0 ? INODE_HAS_ACL : 0;
	return has;
}

static void inode_put_extents(struct gml_enc *enc, const struct gml_inode *inode)
{
	uint64_t end = 0;
	gml_enc_varint(enc, inode->nextents);
	for (uint32_t i = 0; i < inode->nextents; i++) {
		const struct gml_extent *extent = &inode->extents[i];
		gml_assert(extent->off >= end && extent->len > 0);
		gml_enc_varint(enc, extent->off - end);
		gml_enc_varint(enc, extent->len);
		gml_enc_blob(enc, extent->blob);
		gml_enc_varint(enc, extent->blob_off);
		end = extent->off + extent->len;
	}
}

static void inode_get_extents(struct gml_dec *dec, struct gml_inode *inode)
{
	uint64_t end = 0;
	inode->nextents = (uint32_t)gml_dec_max(dec, GML_INLINE_EXTENTS);
	for (uint32_t i = 0; i < inode->nextents; i++) {
		struct gml_extent *extent = &inode->extents[i];
		extent->off = end + gml_dec_max(dec, UINT64_MAX - end);
		extent->len = gml_dec_varint(dec);
		extent->blob = gml_dec_blob(dec);
		extent->blob_off = gml_dec_varint(dec);
		if (!gml_extent_ok(extent))
			dec->bad = true;
		end = extent->off + extent->len;
	}
}

static bool inode_ok(const struct gml_inode *inode)
{
	uint64_t end = 0;
	if (gml_ino_is_none(inode->ino) || !gml_ino_beside(inode->ino, inode->bucket) ||
	    !gml_ino_beside(inode->ino, inode->parent) || inode->nextents > GML_INLINE_EXTENTS ||
	    inode->type < GML_REG || inode->type > GML_SOCK || inode->flags > GML_INODE_FLAGS ||
	    inode->born != GML_EPOCH_FIRST)
		return false;
	for (uint32_t i = 0; i < inode->nextents; i++) {
		if (!gml_extent_ok(&inode->extents[i]) || inode->extents[i].off < end)
			return false;
		end = inode->extents[i].off + inode->extents[i].len;
	}
	return inode->name.len <= GML_REC_NAME_MAX && inode->target.len <= GML_SYMLINK_MAX &&
	       inode->headers.len <= GML_REC_HEADERS_MAX && inode->parts.len <= INODE_PARTS_MAX &&
	       inode->acl.len <= GML_REC_ACL_MAX &&
	       inode->checksum.algorithm <= GML_CHECKSUM_SHA256;
}

/* Does a record agree with itself? The code that gets an inode relies on it, as on the seal: what
 * does not agree is damage. (Names, parents and link counts are compared by the check, and by the
 * changes that use them.) */
static bool inode_agrees(const struct gml_inode *inode)
{
	const bool root = gml_ino_equal(inode->ino, GML_INO_ROOT), file = inode->type == GML_REG,
		   dirty = inode->flags & GML_INODE_DIRTY, table = inode->flags & GML_INODE_EXTENTS,
		   md5 = inode->flags & GML_INODE_MD5;
	return root == gml_ino_is_none(inode->bucket) && inode->change > 0 &&
	       inode->wblob <= INODE_WBLOB_MAX &&
	       (file || (inode->wblob == 0 && inode->nextents == 0 && !table)) &&
	       (!dirty || (inode->wblob != 0 && !md5)) && (inode->nextents == 0 || !table) &&
	       (inode->nparts == 0 || md5);
}

static void inode_encode(struct gml_enc *enc, const struct gml_inode *inode, uint32_t stamp)
{
	uint32_t has = inode_presence(inode);
	gml_enc_varint(enc, has);
	gml_enc_u8(enc, inode->type);
	gml_enc_varint(enc, inode->flags);
	gml_enc_varint(enc, inode->mode);
	gml_enc_varint(enc, inode->uid);
	gml_enc_varint(enc, inode->gid);
	gml_enc_varint(enc, inode->nlink);
	gml_enc_varint(enc, inode->size);
	gml_enc_varint(enc, inode->bucket.num);
	gml_enc_u64(enc, (uint64_t)inode->mtime);
	gml_enc_delta(enc, (int64_t)inode->change, inode->mtime);
	gml_enc_varint(enc, inode->born);
	gml_enc_varint(enc, stamp);
	if (has & INODE_HAS_PARENT)
		gml_enc_varint(enc, inode->parent.num);
	if (has & INODE_HAS_ATIME)
		gml_enc_delta(enc, inode->atime, inode->mtime);
	if (has & INODE_HAS_CTIME)
		gml_enc_delta(enc, inode->ctime, inode->mtime);
	if (has & INODE_HAS_BTIME)
		gml_enc_delta(enc, inode->btime, inode->mtime);
	if (has & INODE_HAS_EXTENTS)
		inode_put_extents(enc, inode);
	if (has & INODE_HAS_MD5)
		gml_enc_raw(enc, inode->md5, sizeof(inode->md5));
	if (has & INODE_HAS_NAME)
		gml_enc_span(enc, inode->name);
	if (has & INODE_HAS_HEADERS)
		gml_enc_span(enc, inode->headers);
	if (has & INODE_HAS_CHECKSUM)
		gml_enc_checksum(enc, &inode->checksum);
	if (has & INODE_HAS_WBLOB)
		gml_enc_blob(enc, inode->wblob);
	if (has & INODE_HAS_VERIFIER)
		gml_enc_raw(enc, inode->verifier, sizeof(inode->verifier));
	if (has & INODE_HAS_NPARTS)
		gml_enc_varint(enc, inode->nparts);
	if (has & INODE_HAS_PARTS)
		gml_enc_span(enc, inode->parts);
	if (has & INODE_HAS_TARGET)
		gml_enc_span(enc, inode->target);
	if (has & INODE_HAS_RDEV)
		gml_enc_varint(enc, inode->rdev);
	if (has & INODE_HAS_ACL)
		gml_enc_span(enc, inode->acl);
}

/* An empty one says something else than none. */
static void inode_get_acl(struct gml_dec *dec, struct gml_inode *inode)
{
	inode->acl = gml_dec_span(dec, GML_REC_ACL_MAX);
	if (inode->acl.len == 0)
		dec->bad = true;
}

/* The optional parts, in the order in which they are written. */
static void inode_decode_parts(struct gml_dec *dec, uint32_t has, struct gml_inode *out)
{
	if (has & INODE_HAS_EXTENTS)
		inode_get_extents(dec, out);
	if (has & INODE_HAS_MD5)
		gml_dec_copy(dec, out->md5, sizeof(out->md5));
	if (has & INODE_HAS_NAME)
		out->name = gml_dec_span(dec, GML_REC_NAME_MAX);
	if (has & INODE_HAS_HEADERS)
		out->headers = gml_dec_span(dec, GML_REC_HEADERS_MAX);
	if (has & INODE_HAS_CHECKSUM)
		gml_dec_checksum(dec, &out->checksum);
	if (has & INODE_HAS_WBLOB)
		out->wblob = gml_dec_blob(dec);
	if (has & INODE_HAS_VERIFIER)
		gml_dec_copy(dec, out->verifier, sizeof(out->verifier));
	if (has & INODE_HAS_NPARTS)
		out->nparts = (uint32_t)gml_dec_max(dec, UINT32_MAX);
	if (has & INODE_HAS_PARTS)
		out->parts = gml_dec_span(dec, INODE_PARTS_MAX);
	if (has & INODE_HAS_TARGET)
		out->target = gml_dec_span(dec, GML_SYMLINK_MAX);
	if (has & INODE_HAS_RDEV)
		out->rdev = gml_dec_varint(dec);
	if (has & INODE_HAS_ACL)
		inode_get_acl(dec, out);
}

static bool inode_decode(struct gml_span value, struct gml_inode *out)
{
	struct gml_dec dec;
	uint32_t has;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, INODE_FORMAT);
	has = (uint32_t)gml_dec_max(&dec, INODE_HAS_ALL);
	if (has & ~(uint32_t)INODE_HAS_ALL)
		dec.bad = true;
	out->type = gml_dec_u8(&dec);
	out->flags = (uint32_t)gml_dec_max(&dec, GML_INODE_FLAGS);
	out->mode = (uint32_t)gml_dec_max(&dec, 07777);
	out->uid = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->gid = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->nlink = (uint32_t)gml_dec_max(&dec, UINT32_MAX);
	out->size = gml_dec_varint(&dec);
	out->bucket = gml_dec_ino_of(&dec, out->ino.view);
	out->mtime = (int64_t)gml_dec_u64(&dec);
	out->change = (uint64_t)gml_dec_delta(&dec, out->mtime);
	gml_dec_epoch(&dec);
	gml_dec_epoch(&dec);
	out->born = out->stamp = GML_EPOCH_FIRST;
	out->parent = has & INODE_HAS_PARENT ? gml_dec_ino_of(&dec, out->ino.view) : GML_INO_NONE;
	out->atime = has & INODE_HAS_ATIME ? gml_dec_delta(&dec, out->mtime) : out->mtime;
	out->ctime = has & INODE_HAS_CTIME ? gml_dec_delta(&dec, out->mtime) : out->mtime;
	out->btime = has & INODE_HAS_BTIME ? gml_dec_delta(&dec, out->mtime) : out->mtime;
	inode_decode_parts(&dec, has, out);
	return gml_dec_end(&dec) && out->type >= GML_REG && out->type <= GML_SOCK &&
	       inode_agrees(out);
}

int gml_rec_inode_get(struct gml_txn *txn, gml_ino ino, struct gml_inode *out)
{
	struct gml_span value;
	uint8_t key[GML_INO_KEY_MAX];
	size_t len = gml_ino_key(key, ino);
	int rc = gml_rec_get(txn, GML_TABLE_INODE, gml_span_of(key, len), &value);
	if (rc != 0)
		return rc;
	memset(out, 0, sizeof(*out));
	out->ino = ino;
	return inode_decode(value, out)
		       ? 0
		       : gml_txn_corrupt(txn, GML_TABLE_INODE, gml_span_of(key, len));
}

int gml_rec_inode_named(struct gml_txn *txn, const struct gml_dirent *dirent, struct gml_inode *out)
{
	uint8_t key[GML_INO_KEY_MAX];
	int rc = gml_rec_inode_get(txn, dirent->ino, out);
	if (rc == GML_ERR_NOENT || (rc == 0 && out->type != dirent->type))
		rc = gml_txn_corrupt(txn, GML_TABLE_INODE,
				     gml_span_of(key, gml_ino_key(key, dirent->ino)));
	return rc;
}

int gml_rec_inode_put(struct gml_txn *txn, const struct gml_line *line,
		      const struct gml_inode *inode)
{
	struct gml_enc enc;
	uint8_t key[GML_INO_KEY_MAX];
	size_t len;
	if (!inode_ok(inode))
		return GML_ERR_INVAL;
	gml_assert(line->id == 0 || line->id == gml_line_id(inode->bucket));
	len = gml_ino_key(key, inode->ino);
	gml_enc_init(&enc, INODE_FORMAT);
	inode_encode(&enc, inode, line->epoch);
	return gml_enc_put(&enc, txn, GML_TABLE_INODE, gml_span_of(key, len));
}

int gml_rec_inode_del(struct gml_txn *txn, const struct gml_line *line, gml_ino ino)
{
	uint8_t key[GML_INO_KEY_MAX];
	size_t len = gml_ino_key(key, ino);
	gml_assert(line->newest < line->epoch);
	return gml_txn_del(txn, GML_TABLE_INODE, gml_span_of(key, len));
}
