// SPDX-License-Identifier: Apache-2.0
/* Record codecs: every field of an inode comes back, damaged values are refused. */
#include "meta_support.h"
#include "gateway/meta/record/record_internal.h"

/* ---- inode ---- */
static bool inode_equal(const struct gml_inode *a, const struct gml_inode *b)
{
	if (!gml_ino_equal(a->ino, b->ino) || !gml_ino_equal(a->bucket, b->bucket) ||
	    !gml_ino_equal(a->parent, b->parent) || a->type != b->type)
		return false;
	if (a->flags != b->flags || a->mode != b->mode || a->uid != b->uid || a->gid != b->gid ||
	    a->nlink != b->nlink)
		return false;
	if (a->size != b->size || a->rdev != b->rdev || a->change != b->change ||
	    a->wblob != b->wblob)
		return false;
	if (a->atime != b->atime || a->mtime != b->mtime || a->ctime != b->ctime ||
	    a->btime != b->btime)
		return false;
	if (a->born != b->born || memcmp(a->verifier, b->verifier, 8) != 0 ||
	    memcmp(a->md5, b->md5, 16) != 0)
		return false;
	if (a->nparts != b->nparts || a->checksum.algorithm != b->checksum.algorithm ||
	    a->checksum.composite != b->checksum.composite ||
	    memcmp(a->checksum.value, b->checksum.value, 32) != 0)
		return false;
	if (a->nextents != b->nextents)
		return false;
	for (uint32_t i = 0; i < a->nextents; i++) {
		const struct gml_extent *x = &a->extents[i], *y = &b->extents[i];
		if (x->off != y->off || x->blob != y->blob || x->blob_off != y->blob_off ||
		    x->len != y->len)
			return false;
	}
	return gml_span_equal(a->name, b->name) && gml_span_equal(a->target, b->target) &&
	       gml_span_equal(a->acl, b->acl) && gml_span_equal(a->headers, b->headers) &&
	       gml_span_equal(a->parts, b->parts);
}

static const uint8_t inode_bytes[410000] = {7, 6, 5, 4};

static uint64_t inode_number(uint64_t *seed)
{
	uint64_t value = meta_random(seed);
	return value >> (meta_random(seed) % 64);
}

static gml_ino inode_of(uint64_t view, uint64_t *seed)
{
	uint64_t num = inode_number(seed) % GML_INO_NUM_END;
	return num == GML_INO_ROOT.num ? GML_INO_ROOT : gml_ino_of(view, num);
}

/* Makes the record agree with itself. */
static void inode_agree(struct gml_inode *inode)
{
	if (gml_ino_is_none(inode->bucket))
		inode->bucket = gml_ino_of(inode->ino.view, 2);
	if (gml_ino_equal(inode->ino, GML_INO_ROOT))
		inode->bucket = GML_INO_NONE;
	inode->mode &= 07777;
	inode->change |= 1;
	inode->wblob >>= 8;
	if (inode->type != GML_REG) {
		inode->wblob = inode->nextents = 0;
		inode->flags &= ~(uint32_t)(GML_INODE_DIRTY | GML_INODE_EXTENTS);
	}
	if (inode->nextents > 0)
		inode->flags &= ~(uint32_t)GML_INODE_EXTENTS;
	if (inode->nparts > 0)
		inode->flags |= GML_INODE_MD5;
	if (inode->wblob == 0 || (inode->flags & GML_INODE_MD5))
		inode->flags &= ~(uint32_t)GML_INODE_DIRTY;
}

/* Any legal inode. */
static void inode_make(struct gml_inode *inode, uint64_t *seed)
{
	uint64_t has = meta_random(seed), end = 0;
	uint64_t view = has & 256 ? inode_number(seed) % GML_INO_NUM_END : 0;
	*inode = (struct gml_inode){.ino = gml_ino_of(view, 1 + inode_number(seed) / 8),
				    .type = (uint8_t)(1 + meta_random(seed) % 7)};
	inode->bucket = inode_of(view, seed);
	inode->parent = has & 1 ? inode_of(view, seed) : GML_INO_NONE;
	inode->flags = (uint32_t)inode_number(seed) & GML_INODE_FLAGS;
	inode->mode = (uint32_t)inode_number(seed);
	inode->uid = (uint32_t)inode_number(seed);
	inode->gid = UINT32_MAX;
	inode->nlink = (uint32_t)inode_number(seed);
	inode->size = inode_number(seed);
	inode->rdev = has & 2 ? inode_number(seed) : 0;
	inode->change = inode_number(seed);
	inode->wblob = has & 4 ? inode_number(seed) : 0;
	inode->mtime = (int64_t)inode_number(seed);
	inode->atime = has & 8 ? -(int64_t)(inode_number(seed) / 2) : inode->mtime;
	inode->ctime = has & 16 ? INT64_MIN : inode->mtime;
	inode->btime = has & 32 ? INT64_MAX : inode->mtime;
	inode->born = 1;
	if (has & 64)
		memset(inode->verifier, (int)has, 8);
	if (has & 128)
		memset(inode->md5, 0xab, 16);
	inode->nparts = has & 256 ? (uint32_t)inode_number(seed) : 0;
	if (has & 512) {
		inode->checksum.algorithm = (uint8_t)(1 + meta_random(seed) % GML_CHECKSUM_SHA256);
		inode->checksum.composite = has >> 10 & 1;
		memset(inode->checksum.value, 0x5a,
		       gml_rec_checksum_size(inode->checksum.algorithm));
	}
	inode->nextents = has >> 11 & 7;
	if (inode->nextents > GML_INLINE_EXTENTS)
		inode->nextents = 0;
	for (uint32_t i = 0; i < inode->nextents; i++) {
		struct gml_extent *extent = &inode->extents[i];
		extent->off = end + inode_number(seed) / 64;
		extent->len = 1 + inode_number(seed) / 64;
		extent->blob = meta_random(seed) | 1;
		extent->blob_off = inode_number(seed) / 2;
		end = extent->off + extent->len;
	}
	if (has >> 14 & 1)
		inode->name = SPAN(inode_bytes, inode_number(seed) % (GML_REC_NAME_MAX + 1));
	if (has >> 15 & 1)
		inode->target = SPAN(inode_bytes, inode_number(seed) % (GML_SYMLINK_MAX + 1));
	if (has >> 16 & 1)
		inode->headers = SPAN(inode_bytes, inode_number(seed) % 8192);
	/* few: pages of large values are not used twice in one transaction */
	if ((has >> 17 & 31) == 0)
		inode->parts = SPAN(inode_bytes, inode_number(seed) % 400000);
	if (has >> 22 & 1)
		inode->acl = SPAN(inode_bytes, inode_number(seed) % (GML_REC_ACL_MAX + 1));
	inode_agree(inode);
}

/* A seal is right, and the record is not: damage, not a failed assertion. */
static int inodes_disagree(struct gml_txn *txn, void *arg)
{
	const struct gml_inode whole = {.ino = INO(7),
					.bucket = INO(5),
					.type = GML_REG,
					.mode = 07777,
					.change = 1,
					.wblob = 9,
					.born = 1};
	struct gml_inode wrong[9], got;
	(void)arg;
	CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &whole) == 0);
	CLOSURE_CHECK(gml_rec_inode_get(txn, whole.ino, &got) == 0);
	for (int i = 0; i < 9; i++)
		wrong[i] = whole;
	wrong[0].mode = 010000;
	wrong[1].change = 0;
	wrong[2].bucket = GML_INO_NONE;
	wrong[3].wblob = UINT64_C(1) << 56;
	wrong[4].type = GML_DIR;
	wrong[5].flags = GML_INODE_DIRTY | GML_INODE_MD5;
	wrong[6].flags = GML_INODE_DIRTY;
	wrong[6].wblob = 0;
	wrong[7].flags = GML_INODE_EXTENTS;
	wrong[7].nextents = 1;
	wrong[7].extents[0] = (struct gml_extent){.blob = 3, .len = 1};
	wrong[8].nparts = 1;
	for (int i = 0; i < 9; i++) {
		CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &wrong[i]) == 0);
		CLOSURE_CHECK(gml_rec_inode_get(txn, whole.ino, &got) == GML_ERR_CORRUPT);
	}
	return 0;
}

static int inodes_round_trip(struct gml_txn *txn, void *arg)
{
	uint64_t seed = 2463534242u;
	(void)arg;
	for (int i = 0; i < 3000; i++) {
		struct gml_inode inode, got;
		inode_make(&inode, &seed);
		CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &inode) == 0);
		CLOSURE_CHECK(gml_rec_inode_get(txn, inode.ino, &got) == 0);
		CLOSURE_CHECK(inode_equal(&inode, &got));
		CLOSURE_CHECK(got.stamp == 1);
		/* The spans are borrowed from the record that is replaced. */
		got.size++;
		inode.size++;
		CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &got) == 0);
		CLOSURE_CHECK(gml_rec_inode_get(txn, inode.ino, &got) == 0 &&
			      inode_equal(&inode, &got));
		CLOSURE_CHECK(gml_rec_inode_del(txn, &gml_line_none, inode.ino) == 0);
		CLOSURE_CHECK(gml_rec_inode_get(txn, inode.ino, &got) == GML_ERR_NOENT);
		CLOSURE_CHECK(gml_rec_inode_del(txn, &gml_line_none, inode.ino) == GML_ERR_NOENT);
	}
	return 0;
}

static void object_make(struct gml_inode *inode)
{
	const int64_t now = 1700000000123456789;
	*inode = (struct gml_inode){.ino = INO(4711),
				    .bucket = INO(1000),
				    .parent = INO(123456),
				    .type = GML_REG,
				    .flags = GML_INODE_MD5};
	inode->mode = 0644;
	inode->uid = inode->gid = 1000;
	inode->nlink = 1;
	inode->size = 4096;
	inode->change = (uint64_t)now + 1;
	inode->atime = inode->mtime = inode->ctime = inode->btime = now;
	inode->born = 1;
	memset(inode->md5, 0xcd, 16);
	inode->checksum.algorithm = GML_CHECKSUM_CRC64NVME;
	inode->nextents = 1;
	inode->extents[0] =
		(struct gml_extent){0, UINT64_C(1) << 63 | UINT64_C(5) << 32 | 77777, 0, 4096};
	inode->name = STR("part-00000-of-00100.snappy.parquet");
	inode->headers = STR("\1\30application/octet-stream");
}

static int inode_limits(struct gml_txn *txn, void *arg)
{
	struct gml_inode inode, bad;
	struct gml_span value;
	uint8_t key[8];
	(void)arg;
	object_make(&inode);
	CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &inode) == 0);
	gml_key_u64(key, inode.ino.num);
	CLOSURE_CHECK(gml_txn_get(txn, GML_TABLE_INODE, SPAN(key, 8), &value) == 0);
	CLOSURE_CHECK(value.len < 150);
	/* A blob file's kind costs next to nothing. */
	{
		size_t len = value.len;
		inode.extents[0].blob = UINT64_C(1) << 56 | 77777;
		CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &inode) == 0);
		CLOSURE_CHECK(gml_txn_get(txn, GML_TABLE_INODE, SPAN(key, 8), &value) == 0);
		CLOSURE_CHECK(value.len < len);
		CLOSURE_CHECK(gml_rec_inode_get(txn, inode.ino, &bad) == 0);
		CLOSURE_CHECK(bad.extents[0].blob == inode.extents[0].blob);
	}
	bad = inode;
	bad.type = 0;
	CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &bad) == GML_ERR_INVAL);
	bad = inode;
	bad.flags = GML_INODE_FLAGS + 1;
	CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &bad) == GML_ERR_INVAL);
	bad = inode;
	bad.born = 2;
	CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &bad) == GML_ERR_INVAL);
	bad = inode;
	bad.nextents = GML_INLINE_EXTENTS + 1;
	CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &bad) == GML_ERR_INVAL);
	bad = inode;
	bad.nextents = 2;
	bad.extents[1] = (struct gml_extent){4095, 1, 0, 10}; /* overlaps */
	CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &bad) == GML_ERR_INVAL);
	bad.extents[1] = (struct gml_extent){5000, 1, 0, 0};
	CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &bad) == GML_ERR_INVAL);
	bad.extents[1] = (struct gml_extent){5000, 1, UINT64_MAX, 2};
	CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &bad) == GML_ERR_INVAL);
	bad = inode;
	bad.bucket = gml_ino_of(5, 1000); /* of another view */
	CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &bad) == GML_ERR_INVAL);
	bad = inode;
	bad.parent = gml_ino_of(5, 1000);
	CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &bad) == GML_ERR_INVAL);
	bad = inode;
	bad.name.len = GML_REC_NAME_MAX + 1;
	bad.name.ptr = inode_bytes;
	CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &bad) == GML_ERR_INVAL);
	return 0;
}

static void test_inode(void **state)
{
	meta_env_update(*state, inodes_round_trip, NULL);
	meta_env_update(*state, inodes_disagree, NULL);
	meta_env_update(*state, inode_limits, NULL);
}

/* ---- damage ---- */
static bool any_pair(void *arg, struct gml_span name, struct gml_span value)
{
	const uint8_t *p = name.ptr, *q = value.ptr;
	unsigned *sum = arg;
	for (size_t i = 0; i < name.len; i++)
		*sum += p[i];
	for (size_t i = 0; i < value.len; i++)
		*sum += q[i];
	return true;
}

static int read_inode(struct gml_txn *txn)
{
	struct gml_inode inode;
	struct gml_span headers[GML_HDR_COUNT];
	unsigned sum = 0;
	int rc = gml_rec_inode_get(txn, INO(4711), &inode);
	if (rc == 0) {
		gml_rec_headers_decode(inode.headers, headers);
		gml_rec_pairs_each(inode.headers, any_pair, &sum);
		any_pair(&sum, inode.name, inode.parts);
	}
	return rc;
}

static int read_dirent(struct gml_txn *txn)
{
	struct gml_dirent dirent;
	return gml_rec_dirent_get(txn, INO(50), STR("some name"), &dirent);
}

static int read_extent(struct gml_txn *txn)
{
	struct gml_extent extent;
	return gml_rec_extent_find(txn, INO(60), 4096, &extent);
}

static int read_blob(struct gml_txn *txn)
{
	struct gml_blob_rec rec;
	return gml_rec_blob_get(txn, 70, &rec);
}

static int read_bucket(struct gml_txn *txn)
{
	struct gml_bucket_rec rec;
	return gml_rec_bucket_get(txn, STR("photos"), &rec);
}

static int read_line(struct gml_txn *txn)
{
	char name[GML_BUCKET_NAME_MAX + 1];
	return gml_rec_line_name(txn, 100, name);
}

static bool any_usage(void *arg, uint64_t line, const struct gml_usage_rec *usage)
{
	(void)arg;
	return line == 101 && usage->objects > 0;
}

static int read_usage(struct gml_txn *txn)
{
	return gml_rec_usage_each(txn, any_usage, NULL);
}

static bool any_link(void *arg, gml_ino parent, uint64_t cookie)
{
	(void)arg;
	return parent.num + cookie > 0;
}

static int read_link(struct gml_txn *txn)
{
	return gml_rec_link_each(txn, INO(95), any_link, NULL);
}

static int read_config(struct gml_txn *txn)
{
	struct gml_span document;
	return gml_rec_config_get(txn, INO(100), GML_BUCKET_TAGGING, &document);
}

static const uint8_t upload_id[16] = {0xfe, 2, 3};

static int read_upload(struct gml_txn *txn)
{
	struct gml_upload_rec rec;
	unsigned sum = 0;
	int rc = gml_rec_upload_get(txn, upload_id, &rec);
	if (rc == 0)
		gml_rec_pairs_each(rec.meta, any_pair, &sum);
	return rc;
}

static int read_part(struct gml_txn *txn)
{
	struct gml_part_rec rec;
	struct gml_extent extent;
	int rc = gml_rec_part_get(txn, upload_id, 10000, &rec);
	for (uint32_t i = 0; rc == 0 && i < rec.nextents; i++)
		gml_rec_part_extent(&rec, i, &extent);
	return rc;
}

static int read_user(struct gml_txn *txn)
{
	struct gml_user user;
	return gml_rec_user_get(txn, STR("ada"), &user);
}

static int read_iam(struct gml_txn *txn)
{
	struct gml_group group;
	return gml_rec_group_get(txn, STR("TEAM"), &group);
}

static int read_key(struct gml_txn *txn)
{
	struct gml_key key;
	return gml_rec_key_get(txn, STR("GKABC"), &key);
}

static int read_dirty(struct gml_txn *txn)
{
	struct gml_owner owner;
	return gml_rec_dirty_get(txn, INO(80), &owner);
}

static int read_orphan(struct gml_txn *txn)
{
	int64_t since;
	return gml_rec_orphan_get(txn, INO(90), &since);
}

static bool any_lease(void *arg, const struct gml_lease *lease)
{
	(void)arg;
	return lease->count > 0;
}

static int read_lease(struct gml_txn *txn)
{
	return gml_rec_lease_each(txn, any_lease, NULL);
}

static int put_samples(struct gml_txn *txn, void *arg)
{
	struct gml_inode inode;
	struct gml_dirent dirent = {INO(4711), 0, GML_REG};
	struct gml_extent extents[2] = {{4096, 300, 0, 1 << 20}, {2 << 20, 301, 5, 7}};
	struct gml_blob_rec blob = {3, 1 << 20};
	struct gml_bucket_rec bucket = {INO(100), INO(101), 1000, 1700000000};
	struct gml_line line = gml_line_none;
	struct gml_usage_rec usage = {123456789, 17};
	struct gml_upload_rec upload = {
		.bucket = INO(100), .uid = 1, .checksum_algorithm = 2, .key = STR("some/key")};
	struct gml_part_rec part = {
		.size = 9, .checksum.algorithm = GML_CHECKSUM_SHA256, .nextents = 2};
	struct gml_user user = {.name = "ada",
				.id = "AIDAABCDEFGHIJKLMNOPQ",
				.uid = 1000,
				.gid = 1000,
				.ngroups = 2,
				.groups = {27, 100000}};
	struct gml_group group = {.name = "Team", .id = "AGPAABCDEFGHIJKLMNOPQ", .created = 5};
	struct gml_key key = {.id = "GKABC", .secret = "not so secret", .user = "ada"};
	struct gml_owner owner = {.gateway = 3, .pid = 4242, .start = 1234567, .boot = 0xdeadbeef};
	struct gml_lease lease;
	(void)arg;
	object_make(&inode);
	upload.headers = STR("\1\2ab");
	upload.meta = STR("\1a\2bc");
	CLOSURE_CHECK(gml_rec_inode_put(txn, &gml_line_none, &inode) == 0);
	CLOSURE_CHECK(gml_rec_dirent_put(txn, &gml_line_none, INO(50), STR("some name"), &dirent) ==
		      0);
	CLOSURE_CHECK(gml_rec_extent_put(txn, &gml_line_none, INO(60), &extents[0]) == 0);
	CLOSURE_CHECK(gml_rec_blob_put(txn, 70, &blob) == 0);
	CLOSURE_CHECK(gml_rec_bucket_put(txn, STR("photos"), &bucket) == 0);
	line.id = 100;
	CLOSURE_CHECK(gml_rec_line_put(txn, &line, STR("photos")) == 0);
	CLOSURE_CHECK(gml_rec_usage_put(txn, 101, &usage) == 0);
	CLOSURE_CHECK(gml_rec_config_put(txn, INO(100), GML_BUCKET_TAGGING, STR("<Tagging/>")) ==
		      0);
	CLOSURE_CHECK(gml_rec_upload_put(txn, upload_id, &upload) == 0);
	CLOSURE_CHECK(gml_rec_part_put(txn, upload_id, 10000, &part, extents) == 0);
	CLOSURE_CHECK(gml_rec_user_put(txn, &user) == 0);
	CLOSURE_CHECK(gml_rec_group_put(txn, &group) == 0);
	CLOSURE_CHECK(gml_rec_key_put(txn, &key) == 0);
	CLOSURE_CHECK(gml_rec_dirty_put(txn, INO(80), &owner) == 0);
	CLOSURE_CHECK(gml_rec_orphan_put(txn, &gml_line_none, INO(90), 5) == 0);
	CLOSURE_CHECK(gml_rec_link_put(txn, &gml_line_none, INO(95), INO(96), 97) == 0);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 0, 1024, &owner, &lease) == 0);
	return 0;
}

struct damage {
	enum gml_table table;
	int (*read)(struct gml_txn *txn);
	bool open_end; /* the last field is what is left of the record */
};

/* What stands in the record itself is `bytes` then, with the checksum that fits. */
static int damage_sealed(struct gml_txn *txn, enum gml_table table, struct gml_span key,
			 struct gml_span bytes)
{
	uint32_t seal = gml_rec_seal(table, key, bytes);
	uint8_t *exact = malloc(bytes.len + 4); /* LMDB's pages would hide an overrun */
	int rc;
	if (bytes.len > 0)
		memcpy(exact, bytes.ptr, bytes.len);
	memcpy(exact + bytes.len, &seal, 4);
	rc = gml_txn_put(txn, table, key, SPAN(exact, bytes.len + 4));
	free(exact);
	return rc;
}

static int damage_decoder(struct gml_txn *txn, const struct damage *damage, struct gml_span key,
			  struct gml_span good)
{
	uint8_t bad[512];
	for (size_t cut = 0; cut < good.len; cut++) {
		CLOSURE_CHECK(damage_sealed(txn, damage->table, key, SPAN(good.ptr, cut)) == 0);
		CLOSURE_CHECK(damage->read(txn) == GML_ERR_CORRUPT || damage->open_end);
	}
	memcpy(bad, good.ptr, good.len);
	bad[good.len] = 0;
	CLOSURE_CHECK(damage_sealed(txn, damage->table, key, SPAN(bad, good.len + 1)) == 0);
	CLOSURE_CHECK(damage->read(txn) == GML_ERR_CORRUPT || damage->open_end);
	for (size_t bit = 0; bit < good.len * 8; bit++) {
		int rc;
		memcpy(bad, good.ptr, good.len);
		bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CLOSURE_CHECK(damage_sealed(txn, damage->table, key, SPAN(bad, good.len)) == 0);
		rc = damage->read(txn);
		CLOSURE_CHECK(rc == 0 || rc == GML_ERR_CORRUPT || rc == GML_ERR_NOENT);
		CLOSURE_CHECK(bit >= 8 || rc == GML_ERR_CORRUPT); /* the format byte */
	}
	return 0;
}

/* Every cut, one more byte and every flipped bit are found by the checksum. With a checksum that
 * fits, the decoder still refuses every cut, one more byte and another format, and reads all else
 * within bounds (the sanitizer watches). */
static int damage_record(struct gml_txn *txn, void *arg)
{
	struct damage *damage = arg;
	struct gml_cursor *cursor;
	struct gml_span key, value;
	uint8_t k[511], good[512], bad[512];
	size_t k_len, len;
	CLOSURE_CHECK(gml_cursor_open(txn, damage->table, &cursor) == 0);
	CLOSURE_CHECK(gml_cursor_seek(cursor, SPAN(NULL, 0), &key, &value) == 0);
	k_len = key.len;
	len = value.len;
	CLOSURE_CHECK(len < sizeof(good));
	memcpy(k, key.ptr, k_len);
	memcpy(good, value.ptr, len);
	gml_cursor_close(cursor);
	CLOSURE_CHECK(damage->read(txn) == 0);
	for (size_t cut = 0; cut < len; cut++) {
		CLOSURE_CHECK(gml_txn_put(txn, damage->table, SPAN(k, k_len), SPAN(good, cut)) ==
			      0);
		CLOSURE_CHECK(damage->read(txn) == GML_ERR_CORRUPT);
	}
	memcpy(bad, good, len);
	bad[len] = 0;
	CLOSURE_CHECK(gml_txn_put(txn, damage->table, SPAN(k, k_len), SPAN(bad, len + 1)) == 0);
	CLOSURE_CHECK(damage->read(txn) == GML_ERR_CORRUPT);
	for (size_t bit = 0; bit < len * 8; bit++) {
		memcpy(bad, good, len);
		bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CLOSURE_CHECK(gml_txn_put(txn, damage->table, SPAN(k, k_len), SPAN(bad, len)) == 0);
		CLOSURE_CHECK(damage->read(txn) == GML_ERR_CORRUPT);
	}
	CLOSURE_CHECK(damage_decoder(txn, damage, SPAN(k, k_len), SPAN(good, len - 4)) == 0);
	return gml_txn_put(txn, damage->table, SPAN(k, k_len), SPAN(good, len));
}

static void test_damage(void **state)
{
	struct meta_env *env = *state;
	struct damage damage[] = {
		{GML_TABLE_INODE, read_inode, false},	{GML_TABLE_DIRENT, read_dirent, false},
		{GML_TABLE_EXTENT, read_extent, false}, {GML_TABLE_BLOB, read_blob, false},
		{GML_TABLE_BUCKET, read_bucket, false}, {GML_TABLE_UPLOAD, read_upload, false},
		{GML_TABLE_PART, read_part, false},	{GML_TABLE_USER, read_user, false},
		{GML_TABLE_KEY, read_key, false},	{GML_TABLE_DIRTY, read_dirty, false},
		{GML_TABLE_ORPHAN, read_orphan, false}, {GML_TABLE_LEASE, read_lease, false},
		{GML_TABLE_LINE, read_line, false},	{GML_TABLE_USAGE, read_usage, false},
		{GML_TABLE_LINK, read_link, false},	{GML_TABLE_CONFIG, read_config, true},
		{GML_TABLE_IAM, read_iam, false},
	};
	meta_env_update(env, put_samples, NULL);
	assert_int_equal(env->log_errors, 0);
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++)
		meta_env_update(env, damage_record, &damage[i]);
	assert_int_equal(env->log_errors,
			 sizeof(damage) / sizeof(*damage)); /* one for each record */
}

/* The reader alone, on exactly sized heap blocks of random bytes. */
static void test_reader(void **state)
{
	uint64_t seed = 1234567;
	(void)state;
	for (int i = 0; i < 200000; i++) {
		size_t len = meta_random(&seed) % 24;
		uint8_t *bytes = malloc(len + 1);
		struct gml_dec dec;
		for (size_t j = 0; j < len; j++)
			bytes[j] = (uint8_t)(meta_random(&seed) >> 20 |
					     (meta_random(&seed) & 1 ? 0x80 : 0));
		bytes = realloc(bytes, len ? len : 1);
		gml_dec_init(&dec, SPAN(bytes, len));
		while (!dec.bad && dec.p != dec.end) {
			uint8_t buf[40];
			switch (meta_random(&seed) % 6) {
			case 0:
				gml_dec_varint(&dec);
				break;
			case 1:
				gml_dec_u64(&dec);
				break;
			case 2:
				gml_dec_span(&dec, 30);
				break;
			case 3:
				gml_dec_copy(&dec, buf, meta_random(&seed) % 40);
				break;
			case 4:
				gml_dec_delta(&dec, INT64_MAX);
				break;
			case 5:
				gml_dec_u8(&dec);
				break;
			}
			assert_true(dec.p >= bytes && dec.p <= bytes + len);
		}
		free(bytes);
	}
	/* Numbers at the edges, and one that is too long. */
	for (unsigned shift = 0; shift < 64; shift++) {
		for (int off = -1; off <= 1; off++) {
			uint64_t value = (UINT64_C(1) << shift) + (uint64_t)off;
			struct gml_enc enc;
			struct gml_dec dec;
			gml_enc_init(&enc, 1);
			gml_enc_varint(&enc, value);
			gml_enc_delta(&enc, (int64_t)value, -3);
			gml_dec_init(&dec, SPAN(enc.buf + 1, enc.len - 1));
			assert_int_equal(gml_dec_varint(&dec), value);
			assert_int_equal((uint64_t)gml_dec_delta(&dec, -3), value);
			assert_true(gml_dec_end(&dec));
			gml_enc_release(&enc);
		}
	}
	struct gml_dec dec;
	gml_dec_init(&dec, SPAN("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
	assert_int_equal(gml_dec_varint(&dec), 0);
	assert_true(dec.bad);
}

/* ---- attributes with long names ---- */

#define LONG_NAMES 4
static char long_names[LONG_NAMES][GML_REC_XATTR_NAME_MAX + 2];
static const size_t long_sizes[LONG_NAMES] = {255, 256, 256, GML_REC_XATTR_NAME_MAX};

static struct gml_span long_name(int i)
{
	return SPAN(long_names[i], long_sizes[i]);
}

static void long_init(void)
{
	for (int i = 0; i < LONG_NAMES; i++)
		memset(long_names[i], 'n', sizeof(long_names[i]));
	long_names[2][255] = 'z'; /* differs from 1 at the end only */
}

static int long_put(struct gml_txn *txn, void *arg)
{
	struct gml_span too_long = SPAN(long_names[3], GML_REC_XATTR_NAME_MAX + 1);
	(void)arg;
	for (int i = 0; i < LONG_NAMES; i++)
		CLOSURE_CHECK(gml_rec_xattr_put(txn, &gml_line_none, INO(7), long_name(i),
						SPAN(&"abcd"[i], 1)) == 0);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, &gml_line_none, INO(7), STR("a"), STR("first")) == 0);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, &gml_line_none, INO(7), STR("z"), STR("last")) == 0);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, &gml_line_none, INO(8), long_name(1), STR("other")) ==
		      0);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, &gml_line_none, INO(7), too_long, STR("x")) ==
		      GML_ERR_NAMETOOLONG);
	CLOSURE_CHECK(gml_rec_xattr_del(txn, &gml_line_none, INO(7), too_long) == GML_ERR_NOENT);
	return 0;
}

struct long_walk {
	char values[16]; /* first letters, in the order met */
	unsigned n;
	char last[GML_REC_XATTR_NAME_MAX];
	size_t last_len;
	bool one;
};

static bool long_each(void *arg, struct gml_span name, struct gml_span value)
{
	struct long_walk *walk = arg;
	walk->values[walk->n++] = *(const char *)value.ptr;
	memcpy(walk->last, name.ptr, name.len);
	walk->last_len = name.len;
	return !walk->one && walk->n < sizeof(walk->values) - 1;
}

static int long_del(struct gml_txn *txn, void *arg)
{
	(void)arg;
	CLOSURE_CHECK(gml_rec_xattr_del(txn, &gml_line_none, INO(7), long_name(1)) == 0);
	CLOSURE_CHECK(gml_rec_xattr_del(txn, &gml_line_none, INO(7), long_name(1)) ==
		      GML_ERR_NOENT);
	return 0;
}

/* A name that no key could hold is found, walked over, resumed after and removed like any other. */
static void test_long_xattrs(void **state)
{
	struct meta_env *env = *state;
	struct long_walk walk = {.one = true}, all = {{0}};
	struct gml_span value, after = SPAN(NULL, 0);
	struct gml_txn *txn;
	long_init();
	meta_env_update(env, long_put, NULL);
	txn = meta_env_read(env);
	for (int i = 0; i < LONG_NAMES; i++) {
		assert_int_equal(gml_rec_xattr_get(txn, INO(7), long_name(i), &value), 0);
		assert_true(gml_span_equal(value, SPAN(&"abcd"[i], 1)));
	}
	assert_int_equal(gml_rec_xattr_get(txn, INO(7), SPAN(long_names[0], 257), &value),
			 GML_ERR_NOENT);
	assert_int_equal(gml_rec_xattr_each(txn, INO(7), after, long_each, &all), 0);
	assert_int_equal(all.n, 6);
	assert_int_equal(all.values[0], 'f');
	assert_int_equal(all.values[5], 'l');
	for (unsigned i = 0; i < 6; i++) { /* one at a time, each after the one before */
		walk.n = i;
		assert_int_equal(gml_rec_xattr_each(txn, INO(7), after, long_each, &walk), 0);
		assert_int_equal(walk.n, i + 1);
		after = SPAN(walk.last, walk.last_len);
	}
	assert_string_equal(walk.values, all.values);
	gml_meta_read_end(txn);
	meta_env_update(env, long_del, NULL);
	txn = meta_env_read(env);
	assert_int_equal(gml_rec_xattr_get(txn, INO(7), long_name(1), &value), GML_ERR_NOENT);
	assert_int_equal(gml_rec_xattr_get(txn, INO(7), long_name(2), &value), 0);
	assert_int_equal(gml_rec_xattr_get(txn, INO(8), long_name(1), &value), 0);
	gml_meta_read_end(txn);
}

/* ---- documents of buckets ---- */

static int documents_put(struct gml_txn *txn, void *arg)
{
	(void)arg;
	CLOSURE_CHECK(gml_rec_config_drop(txn, INO(5)) == 0);
	CLOSURE_CHECK(gml_rec_config_put(txn, INO(5), 1, STR("one")) == 0);
	CLOSURE_CHECK(gml_rec_config_put(txn, INO(5), 255, SPAN(NULL, 0)) == 0);
	CLOSURE_CHECK(gml_rec_config_put(txn, INO(6), 1, STR("other")) == 0);
	CLOSURE_CHECK(gml_rec_config_put(txn, INO(5), 2,
					 SPAN(inode_bytes, GML_BUCKET_DOCUMENT_MAX + 1)) ==
		      GML_ERR_TOOBIG);
	CLOSURE_CHECK(gml_rec_config_del(txn, INO(5), 3) == GML_ERR_NOENT);
	return 0;
}

static int documents_drop(struct gml_txn *txn, void *arg)
{
	(void)arg;
	return gml_rec_config_drop(txn, INO(5));
}

static void test_documents(void **state)
{
	struct meta_env *env = *state;
	struct gml_span value;
	struct gml_txn *txn;
	meta_env_update(env, documents_put, NULL);
	txn = meta_env_read(env);
	assert_int_equal(gml_rec_config_get(txn, INO(5), 1, &value), 0);
	assert_true(gml_span_equal(value, STR("one")));
	assert_int_equal(gml_rec_config_get(txn, INO(5), 255, &value), 0);
	assert_int_equal(value.len, 0);
	assert_int_equal(gml_rec_config_get(txn, INO(5), 2, &value), GML_ERR_NOENT);
	gml_meta_read_end(txn);
	meta_env_update(env, documents_drop, NULL);
	txn = meta_env_read(env);
	assert_int_equal(gml_rec_config_get(txn, INO(5), 1, &value), GML_ERR_NOENT);
	assert_int_equal(gml_rec_config_get(txn, INO(5), 255, &value), GML_ERR_NOENT);
	assert_int_equal(gml_rec_config_get(txn, INO(6), 1, &value), 0);
	gml_meta_read_end(txn);
}

static void test_headers(void **state)
{
	struct gml_span in[GML_HDR_COUNT] = {{0}}, out[GML_HDR_COUNT], one;
	struct gml_meta_pair pairs[2] = {{STR("name"), STR("value")}, {STR("b"), SPAN("", 0)}};
	uint8_t buf[9000];
	size_t len;
	unsigned sum = 0;
	(void)state;
	assert_int_equal(gml_rec_headers_encode(in, buf, sizeof(buf), &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(gml_rec_headers_decode(SPAN(buf, 0), out), 0);
	assert_null(out[0].ptr);
	in[GML_HDR_CONTENT_TYPE] = STR("text/plain");
	in[GML_HDR_REDIRECT] = STR("");
	in[GML_HDR_EXPIRES] = SPAN(inode_bytes, 8000);
	assert_int_equal(gml_rec_headers_encode(in, buf, sizeof(buf), &len), 0);
	assert_int_equal(gml_rec_headers_decode(SPAN(buf, len), out), 0);
	for (int i = 0; i < GML_HDR_COUNT; i++) {
		assert_true(gml_span_equal(in[i], out[i]));
		assert_int_equal(in[i].ptr == NULL, out[i].ptr == NULL);
		assert_int_equal(gml_rec_header_one(SPAN(buf, len), (enum gml_header)i, &one), 0);
		assert_true(gml_span_equal(in[i], one));
		assert_int_equal(in[i].ptr == NULL, one.ptr == NULL);
	}
	assert_int_equal(gml_rec_header_one(SPAN(buf, len - 1), GML_HDR_CONTENT_TYPE, &one),
			 GML_ERR_CORRUPT);
	assert_int_equal(gml_rec_header_one(SPAN(NULL, 0), GML_HDR_CONTENT_TYPE, &one), 0);
	assert_null(one.ptr);
	assert_int_equal(gml_rec_headers_decode(SPAN(buf, len - 1), out), GML_ERR_CORRUPT);
	assert_int_equal(gml_rec_headers_decode(SPAN("\x80", 1), out), GML_ERR_CORRUPT);
	for (size_t cap = 0; cap < len; cap += 100)
		assert_int_equal(gml_rec_headers_encode(in, buf, cap, &len), GML_ERR_TOOBIG);
	assert_int_equal(gml_rec_pairs_encode(pairs, 2, buf, sizeof(buf), &len), 0);
	assert_int_equal(gml_rec_pairs_each(SPAN(buf, len), any_pair, &sum), 0);
	assert_true(sum > 0);
	assert_int_equal(gml_rec_pairs_each(SPAN(buf, len - 1), any_pair, &sum), GML_ERR_CORRUPT);
	assert_int_equal(gml_rec_pairs_each(SPAN(NULL, 0), any_pair, &sum), 0);
	assert_int_equal(gml_rec_pairs_encode(pairs, 2, buf, 11, &len), GML_ERR_TOOBIG);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, meta_env_setup, meta_env_teardown)
	const struct CMUnitTest tests[] = {
		WITH_STORE(test_inode),	       WITH_STORE(test_damage),
		WITH_STORE(test_long_xattrs),  WITH_STORE(test_documents),
		cmocka_unit_test(test_reader), cmocka_unit_test(test_headers),
	};
	return cmocka_run_group_tests_name("meta_record", tests, NULL, NULL);
}
