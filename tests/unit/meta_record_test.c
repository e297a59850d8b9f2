/* Record codecs: every field comes back, damaged values are refused, secondary keys follow. */
#include "meta_support.h"
#include "gateway/meta/codec.h"
#include "gateway/meta/engine_internal.h"

/* ---- inode
 * ------------------------------------------------------------------------------------------------------------------------------
 */
static bool span_equal(struct gml_span a, struct gml_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static bool inode_equal(const struct gml_inode *a, const struct gml_inode *b)
{
	if (a->ino != b->ino || a->bucket != b->bucket || a->parent != b->parent || a->type != b->type)
		return false;
	if (a->flags != b->flags || a->mode != b->mode || a->uid != b->uid || a->gid != b->gid || a->nlink != b->nlink)
		return false;
	if (a->size != b->size || a->rdev != b->rdev || a->change != b->change || a->wblob != b->wblob)
		return false;
	if (a->atime != b->atime || a->mtime != b->mtime || a->ctime != b->ctime || a->btime != b->btime)
		return false;
	if (a->birth_seq != b->birth_seq || memcmp(a->verifier, b->verifier, 8) != 0 || memcmp(a->md5, b->md5, 16) != 0)
		return false;
	if (a->nparts != b->nparts || a->checksum.algorithm != b->checksum.algorithm ||
	    a->checksum.composite != b->checksum.composite || memcmp(a->checksum.value, b->checksum.value, 32) != 0)
		return false;
	if (a->nextents != b->nextents)
		return false;
	for (uint32_t i = 0; i < a->nextents; i++) {
		const struct gml_extent *x = &a->extents[i], *y = &b->extents[i];
		if (x->off != y->off || x->blob != y->blob || x->blob_off != y->blob_off || x->len != y->len)
			return false;
	}
	return span_equal(a->name, b->name) && span_equal(a->target, b->target) && span_equal(a->headers, b->headers) &&
	       span_equal(a->parts, b->parts);
}

static const uint8_t inode_bytes[410000] = {7, 6, 5, 4};

static uint64_t inode_number(uint64_t *seed)
{
	uint64_t value = meta_random(seed);
	return value >> (meta_random(seed) % 64);
}

/* Any legal inode. */
static void inode_make(struct gml_inode *inode, uint64_t *seed)
{
	uint64_t has = meta_random(seed), end = 0;
	*inode = (struct gml_inode){.ino = 1 + inode_number(seed) / 2, .type = (uint8_t)(1 + meta_random(seed) % 7)};
	inode->bucket = inode_number(seed);
	inode->parent = has & 1 ? inode_number(seed) : 0;
	inode->flags = (uint32_t)inode_number(seed);
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
	inode->birth_seq = inode_number(seed);
	if (has & 64)
		memset(inode->verifier, (int)has, 8);
	if (has & 128)
		memset(inode->md5, 0xab, 16);
	inode->nparts = has & 256 ? (uint32_t)inode_number(seed) : 0;
	if (has & 512) {
		inode->checksum.algorithm = (uint8_t)(1 + meta_random(seed) % GML_CHECKSUM_SHA256);
		inode->checksum.composite = has >> 10 & 1;
		memset(inode->checksum.value, 0x5a, gml_rec_checksum_size(inode->checksum.algorithm));
	}
	inode->nextents = has >> 11 & 7;
	if (inode->nextents > GML_INLINE_EXTENTS)
		inode->nextents = 0;
	for (uint32_t i = 0; i < inode->nextents; i++) {
		struct gml_extent *extent = &inode->extents[i];
		extent->off = end + inode_number(seed) / 64;
		extent->len = 1 + inode_number(seed) / 64;
		extent->blob = meta_random(seed);
		extent->blob_off = inode_number(seed) / 2;
		end = extent->off + extent->len;
	}
	if (has >> 14 & 1)
		inode->name = SPAN(inode_bytes, inode_number(seed) % (GML_REC_NAME_MAX + 1));
	if (has >> 15 & 1)
		inode->target = SPAN(inode_bytes, inode_number(seed) % (GML_SYMLINK_MAX + 1));
	if (has >> 16 & 1)
		inode->headers = SPAN(inode_bytes, inode_number(seed) % 8192);
	if ((has >> 17 & 31) == 0) /* few: pages of large values are not used twice in one transaction */
		inode->parts = SPAN(inode_bytes, inode_number(seed) % 400000);
}

static int inodes_round_trip(struct gml_txn *txn, void *arg)
{
	uint64_t seed = 2463534242u;
	(void)arg;
	for (int i = 0; i < 3000; i++) {
		struct gml_inode inode, got;
		inode_make(&inode, &seed);
		CLOSURE_CHECK(gml_rec_inode_put(txn, &inode) == 0);
		CLOSURE_CHECK(gml_rec_inode_get(txn, inode.ino, &got) == 0);
		CLOSURE_CHECK(inode_equal(&inode, &got));
		CLOSURE_CHECK(got.change_seq == gml_txn_seq(txn));
		/* The spans are borrowed from the record that is replaced. */
		got.size++;
		inode.size++;
		CLOSURE_CHECK(gml_rec_inode_put(txn, &got) == 0);
		CLOSURE_CHECK(gml_rec_inode_get(txn, inode.ino, &got) == 0 && inode_equal(&inode, &got));
		CLOSURE_CHECK(gml_rec_inode_del(txn, inode.ino) == 0);
		CLOSURE_CHECK(gml_rec_inode_get(txn, inode.ino, &got) == GML_ERR_NOENT);
		CLOSURE_CHECK(gml_rec_inode_del(txn, inode.ino) == GML_ERR_NOENT);
	}
	return 0;
}

static void object_make(struct gml_inode *inode)
{
	const int64_t now = 1700000000123456789;
	*inode = (struct gml_inode){
		.ino = 4711, .bucket = 1000, .parent = 123456, .type = GML_REG, .flags = GML_INODE_MD5};
	inode->mode = 0644;
	inode->uid = inode->gid = 1000;
	inode->nlink = 1;
	inode->size = 4096;
	inode->change = (uint64_t)now + 1;
	inode->atime = inode->mtime = inode->ctime = inode->btime = now;
	inode->birth_seq = 1000000;
	memset(inode->md5, 0xcd, 16);
	inode->checksum.algorithm = GML_CHECKSUM_CRC64NVME;
	inode->nextents = 1;
	inode->extents[0] = (struct gml_extent){0, UINT64_C(1) << 63 | UINT64_C(5) << 32 | 77777, 0, 4096};
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
	CLOSURE_CHECK(gml_rec_inode_put(txn, &inode) == 0);
	gml_key_u64(key, inode.ino);
	CLOSURE_CHECK(gml_txn_get(txn, GML_TABLE_INODE, SPAN(key, 8), &value) == 0);
	CLOSURE_CHECK(value.len < 150);
	bad = inode;
	bad.type = 0;
	CLOSURE_CHECK(gml_rec_inode_put(txn, &bad) == GML_ERR_INVAL);
	bad = inode;
	bad.nextents = GML_INLINE_EXTENTS + 1;
	CLOSURE_CHECK(gml_rec_inode_put(txn, &bad) == GML_ERR_INVAL);
	bad = inode;
	bad.nextents = 2;
	bad.extents[1] = (struct gml_extent){4095, 1, 0, 10}; /* overlaps */
	CLOSURE_CHECK(gml_rec_inode_put(txn, &bad) == GML_ERR_INVAL);
	bad.extents[1] = (struct gml_extent){5000, 1, 0, 0};
	CLOSURE_CHECK(gml_rec_inode_put(txn, &bad) == GML_ERR_INVAL);
	bad.extents[1] = (struct gml_extent){5000, 1, UINT64_MAX, 2};
	CLOSURE_CHECK(gml_rec_inode_put(txn, &bad) == GML_ERR_INVAL);
	bad = inode;
	bad.name.len = GML_REC_NAME_MAX + 1;
	bad.name.ptr = inode_bytes;
	CLOSURE_CHECK(gml_rec_inode_put(txn, &bad) == GML_ERR_INVAL);
	return 0;
}

static void test_inode(void **state)
{
	meta_env_update(*state, inodes_round_trip, NULL);
	meta_env_update(*state, inode_limits, NULL);
}

/* ---- damage
 * ------------------------------------------------------------------------------------------------------------------------------
 */
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
	int rc = gml_rec_inode_get(txn, 4711, &inode);
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
	return gml_rec_dirent_get(txn, 50, STR("some name"), &dirent);
}

static int read_extent(struct gml_txn *txn)
{
	struct gml_extent extent;
	return gml_rec_extent_find(txn, 60, 4096, &extent);
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

static int read_key(struct gml_txn *txn)
{
	struct gml_key key;
	return gml_rec_key_get(txn, STR("GKABC"), &key);
}

static int read_dirty(struct gml_txn *txn)
{
	struct gml_owner owner;
	return gml_rec_dirty_get(txn, 80, &owner);
}

static int read_orphan(struct gml_txn *txn)
{
	int64_t since;
	return gml_rec_orphan_get(txn, 90, &since);
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
	struct gml_dirent dirent = {4711, 0, GML_REG};
	struct gml_extent extents[2] = {{4096, 300, 0, 1 << 20}, {2 << 20, 301, 5, 7}};
	struct gml_blob_rec blob = {3, 1 << 20};
	struct gml_bucket_rec bucket = {100, 101, 1000, 1700000000, 5, 6, 7, 8};
	struct gml_upload_rec upload = {.bucket = 100, .uid = 1, .checksum_algorithm = 2, .key = STR("some/key")};
	struct gml_part_rec part = {.size = 9, .checksum.algorithm = GML_CHECKSUM_SHA256, .nextents = 2};
	struct gml_user user = {.name = "ada", .uid = 1000, .gid = 1000, .ngroups = 2, .groups = {27, 100000}};
	struct gml_key key = {.id = "GKABC", .secret = "not so secret", .user = "ada"};
	struct gml_owner owner = {4242, 1234567, 0xdeadbeef};
	struct gml_lease lease;
	(void)arg;
	object_make(&inode);
	upload.headers = STR("\1\2ab");
	upload.meta = STR("\1a\2bc");
	CLOSURE_CHECK(gml_rec_inode_put(txn, &inode) == 0);
	CLOSURE_CHECK(gml_rec_dirent_put(txn, 50, STR("some name"), &dirent) == 0);
	CLOSURE_CHECK(gml_rec_extent_put(txn, 60, &extents[0]) == 0);
	CLOSURE_CHECK(gml_rec_blob_put(txn, 70, &blob) == 0);
	CLOSURE_CHECK(gml_rec_bucket_put(txn, STR("photos"), &bucket) == 0);
	CLOSURE_CHECK(gml_rec_upload_put(txn, upload_id, &upload) == 0);
	CLOSURE_CHECK(gml_rec_part_put(txn, upload_id, 10000, &part, extents) == 0);
	CLOSURE_CHECK(gml_rec_user_put(txn, &user) == 0);
	CLOSURE_CHECK(gml_rec_key_put(txn, &key) == 0);
	CLOSURE_CHECK(gml_rec_dirty_put(txn, 80, &owner) == 0);
	CLOSURE_CHECK(gml_rec_orphan_put(txn, 90, 5) == 0);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 0, 1024, &owner, &lease) == 0);
	return 0;
}

struct damage {
	enum gml_table table;
	int (*read)(struct gml_txn *txn);
	int undetected;
};

/* Every cut and one more byte must be refused; any flipped bit must at least be read within bounds (the sanitizer
 * watches). */
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
		uint8_t *exact = malloc(cut + 1); /* LMDB's pages would hide an overrun */
		memcpy(exact, good, cut);
		CLOSURE_CHECK(gml_txn_put(txn, damage->table, SPAN(k, k_len), SPAN(exact, cut)) == 0);
		free(exact);
		CLOSURE_CHECK(damage->read(txn) == GML_ERR_CORRUPT);
	}
	memcpy(bad, good, len);
	bad[len] = 0;
	CLOSURE_CHECK(gml_txn_put(txn, damage->table, SPAN(k, k_len), SPAN(bad, len + 1)) == 0);
	CLOSURE_CHECK(damage->read(txn) == GML_ERR_CORRUPT);
	for (size_t bit = 0; bit < len * 8; bit++) {
		int rc;
		memcpy(bad, good, len);
		bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CLOSURE_CHECK(gml_txn_put(txn, damage->table, SPAN(k, k_len), SPAN(bad, len)) == 0);
		rc = damage->read(txn);
		CLOSURE_CHECK(rc == 0 || rc == GML_ERR_CORRUPT || rc == GML_ERR_NOENT);
		CLOSURE_CHECK(bit >= 8 || rc == GML_ERR_CORRUPT); /* the format byte */
	}
	return gml_txn_put(txn, damage->table, SPAN(k, k_len), SPAN(good, len));
}

static void test_damage(void **state)
{
	struct meta_env *env = *state;
	struct damage damage[] = {
		{GML_TABLE_INODE, read_inode, 0},   {GML_TABLE_DIRENT, read_dirent, 0},
		{GML_TABLE_EXTENT, read_extent, 0}, {GML_TABLE_BLOB, read_blob, 0},
		{GML_TABLE_BUCKET, read_bucket, 0}, {GML_TABLE_UPLOAD, read_upload, 0},
		{GML_TABLE_PART, read_part, 0},	    {GML_TABLE_USER, read_user, 0},
		{GML_TABLE_KEY, read_key, 0},	    {GML_TABLE_DIRTY, read_dirty, 0},
		{GML_TABLE_ORPHAN, read_orphan, 0}, {GML_TABLE_LEASE, read_lease, 0},
	};
	meta_env_update(env, put_samples, NULL);
	assert_int_equal(env->log_errors, 0);
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++)
		meta_env_update(env, damage_record, &damage[i]);
	assert_true(env->log_errors >= 12); /* logged, once per table */
	assert_true(env->log_errors <= GML_TABLE_COUNT_);
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
			bytes[j] = (uint8_t)(meta_random(&seed) >> 20 | (meta_random(&seed) & 1 ? 0x80 : 0));
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

/* ---- the other nouns
 * --------------------------------------------------------------------------------------------------------------------
 */
static int extents_find(struct gml_txn *txn, void *arg)
{
	struct gml_extent got, extent = {0, UINT64_C(1) << 63 | 5, 1, 100};
	(void)arg;
	for (uint64_t off = 1000; off < 10000; off += 1000) {
		extent.off = off;
		extent.blob_off = off * 3;
		CLOSURE_CHECK(gml_rec_extent_put(txn, 8, &extent) == 0);
		CLOSURE_CHECK(gml_rec_extent_put(txn, 10, &extent) == 0);
	}
	CLOSURE_CHECK(gml_rec_extent_find(txn, 9, 0, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_extent_find(txn, 7, 0, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_extent_find(txn, 11, 5, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_extent_find(txn, 10, 0, &got) == 0 && got.off == 1000);
	CLOSURE_CHECK(gml_rec_extent_find(txn, 10, 1000, &got) == 0 && got.off == 1000 && got.blob_off == 3000);
	CLOSURE_CHECK(gml_rec_extent_find(txn, 10, 1099, &got) == 0 && got.off == 1000 && got.blob == extent.blob);
	CLOSURE_CHECK(gml_rec_extent_find(txn, 10, 1100, &got) == 0 && got.off == 2000);
	CLOSURE_CHECK(gml_rec_extent_find(txn, 10, 9099, &got) == 0 && got.off == 9000);
	CLOSURE_CHECK(gml_rec_extent_find(txn, 10, 9100, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_extent_find(txn, 10, UINT64_MAX, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_extent_del(txn, 10, 2000) == 0);
	CLOSURE_CHECK(gml_rec_extent_del(txn, 10, 2001) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_extent_find(txn, 10, 1100, &got) == 0 && got.off == 3000);
	extent.len = 0;
	CLOSURE_CHECK(gml_rec_extent_put(txn, 10, &extent) == GML_ERR_INVAL);
	return 0;
}

struct walk {
	char text[200];
	int left;
};

static bool walk_add(struct walk *walk, const void *text, size_t len)
{
	size_t at = strlen(walk->text);
	memcpy(walk->text + at, text, len);
	walk->text[at + len] = ' ';
	walk->text[at + len + 1] = 0;
	return --walk->left != 0;
}

static bool walk_xattr(void *arg, struct gml_span name, struct gml_span value)
{
	(void)value;
	return walk_add(arg, name.ptr, name.len);
}

static int xattrs(struct gml_txn *txn, void *arg)
{
	char name[256];
	struct gml_span value;
	struct walk walk = {{0}, 0};
	(void)arg;
	memset(name, 'n', sizeof(name));
	CLOSURE_CHECK(gml_rec_xattr_put(txn, 5, STR("user.b"), STR("bee")) == 0);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, 5, STR("user.a"), SPAN(NULL, 0)) == 0);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, 5, STR("user.c"), SPAN(inode_bytes, 65536)) == 0);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, 6, STR("user.d"), STR("other")) == 0);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, 5, STR("user.c"), SPAN(inode_bytes, 65537)) == GML_ERR_TOOBIG);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, 5, SPAN(name, 256), STR("x")) == GML_ERR_NAMETOOLONG);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, 5, SPAN(name, 0), STR("x")) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_xattr_put(txn, 4, SPAN(name, 255), STR("x")) == 0);
	CLOSURE_CHECK(gml_rec_xattr_get(txn, 5, STR("user.a"), &value) == 0 && value.len == 0);
	CLOSURE_CHECK(gml_rec_xattr_get(txn, 5, STR("user.c"), &value) == 0 && value.len == 65536);
	CLOSURE_CHECK(gml_rec_xattr_get(txn, 5, STR("user.d"), &value) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_xattr_each(txn, 5, SPAN(NULL, 0), walk_xattr, &walk) == 0);
	CLOSURE_CHECK(strcmp(walk.text, "user.a user.b user.c ") == 0);
	walk = (struct walk){{0}, 1};
	CLOSURE_CHECK(gml_rec_xattr_each(txn, 5, STR("user.a"), walk_xattr, &walk) == 0);
	CLOSURE_CHECK(strcmp(walk.text, "user.b ") == 0);
	CLOSURE_CHECK(gml_rec_xattr_del(txn, 5, STR("user.b")) == 0);
	CLOSURE_CHECK(gml_rec_xattr_del(txn, 5, STR("user.b")) == GML_ERR_NOENT);
	return 0;
}

static bool walk_bucket(void *arg, struct gml_span name, const struct gml_bucket_rec *rec)
{
	(void)rec;
	return walk_add(arg, name.ptr, name.len);
}

static int buckets(struct gml_txn *txn, void *arg)
{
	struct gml_bucket_rec rec = {10, 11, 1000, -5, 1, 2, 3, 4}, got;
	struct walk walk = {{0}, 0};
	char name[GML_BUCKET_NAME_MAX + 1];
	uint64_t count;
	(void)arg;
	CLOSURE_CHECK(gml_rec_bucket_put(txn, STR("photos"), &rec) == 0);
	rec.root = 20;
	CLOSURE_CHECK(gml_rec_bucket_put(txn, STR("backup"), &rec) == 0);
	CLOSURE_CHECK(gml_rec_bucket_get(txn, STR("photos"), &got) == 0 && got.root == 10 && got.created == -5);
	CLOSURE_CHECK(gml_rec_bucket_by_root(txn, 20, name, &got) == 0 && strcmp(name, "backup") == 0);
	CLOSURE_CHECK(gml_rec_bucket_by_root(txn, 30, name, &got) == GML_ERR_NOENT);
	rec.root = 30; /* a bucket with a new root: the old key goes */
	CLOSURE_CHECK(gml_rec_bucket_put(txn, STR("backup"), &rec) == 0);
	CLOSURE_CHECK(gml_rec_bucket_by_root(txn, 20, name, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_bucket_by_root(txn, 30, name, &got) == 0);
	CLOSURE_CHECK(gml_txn_count(txn, GML_TABLE_BUCKET, &count) == 0 && count == 2);
	CLOSURE_CHECK(gml_rec_bucket_each(txn, SPAN(NULL, 0), walk_bucket, &walk) == 0);
	CLOSURE_CHECK(strcmp(walk.text, "backup photos ") == 0);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_bucket_each(txn, STR("backup"), walk_bucket, &walk) == 0);
	CLOSURE_CHECK(strcmp(walk.text, "photos ") == 0);
	CLOSURE_CHECK(gml_rec_bucket_each(txn, SPAN(inode_bytes, 4000), walk_bucket, &walk) == 0);
	CLOSURE_CHECK(gml_rec_bucket_get(txn, SPAN(inode_bytes, 4000), &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_bucket_get(txn, SPAN(NULL, 0), &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_bucket_put(txn, SPAN(inode_bytes, 64), &rec) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_bucket_del(txn, STR("photos")) == 0);
	CLOSURE_CHECK(gml_rec_bucket_del(txn, STR("photos")) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_bucket_by_root(txn, 10, name, &got) == GML_ERR_NOENT);
	return 0;
}

static bool walk_user(void *arg, const struct gml_user *user)
{
	return walk_add(arg, user->name, strlen(user->name));
}

static bool walk_key(void *arg, const struct gml_key *key)
{
	return walk_add(arg, key->id, strlen(key->id));
}

static int users(struct gml_txn *txn, void *arg)
{
	struct gml_user user = {.name = "bob", .uid = 1000, .gid = 5, .flags = GML_USER_DISABLED, .created = 77}, got;
	struct gml_key key = {.id = "GK1", .secret = "s", .user = "bob", .flags = GML_KEY_SIGV2, .created = 3}, key_got;
	struct walk walk = {{0}, 0};
	(void)arg;
	user.ngroups = GML_USER_GROUPS_MAX;
	for (uint32_t i = 0; i < GML_USER_GROUPS_MAX; i++)
		user.groups[i] = i * 1000003;
	CLOSURE_CHECK(gml_rec_user_put(txn, &user) == 0);
	CLOSURE_CHECK(gml_rec_user_get(txn, STR("bob"), &got) == 0 && memcmp(&got, &user, sizeof(user)) == 0);
	user.ngroups = 0;
	strcpy(user.name, "ada"); /* the same uid */
	CLOSURE_CHECK(gml_rec_user_put(txn, &user) == 0);
	CLOSURE_CHECK(gml_rec_user_by_uid(txn, 1000, &got) == 0 && strcmp(got.name, "ada") == 0);
	user.uid = 256000; /* changes uid: the index follows */
	CLOSURE_CHECK(gml_rec_user_put(txn, &user) == 0);
	CLOSURE_CHECK(gml_rec_user_by_uid(txn, 1000, &got) == 0 && strcmp(got.name, "bob") == 0);
	CLOSURE_CHECK(gml_rec_user_by_uid(txn, 256000, &got) == 0 && strcmp(got.name, "ada") == 0);
	CLOSURE_CHECK(gml_rec_user_by_uid(txn, 999, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_user_each(txn, walk_user, &walk) == 0 && strcmp(walk.text, "ada bob ") == 0);
	CLOSURE_CHECK(gml_rec_user_del(txn, STR("bob")) == 0);
	CLOSURE_CHECK(gml_rec_user_by_uid(txn, 1000, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_user_del(txn, STR("bob")) == GML_ERR_NOENT);
	user.name[0] = 0;
	CLOSURE_CHECK(gml_rec_user_put(txn, &user) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_key_put(txn, &key) == 0);
	CLOSURE_CHECK(gml_rec_key_get(txn, STR("GK1"), &key_got) == 0 && memcmp(&key_got, &key, sizeof(key)) == 0);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_key_each(txn, walk_key, &walk) == 0 && strcmp(walk.text, "GK1 ") == 0);
	CLOSURE_CHECK(gml_rec_key_get(txn, SPAN(inode_bytes, 3000), &key_got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_key_get(txn, SPAN(NULL, 0), &key_got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_key_del(txn, STR("GK1")) == 0 && gml_rec_key_del(txn, STR("GK1")) == GML_ERR_NOENT);
	return 0;
}

static bool walk_part(void *arg, uint32_t number, const struct gml_part_rec *rec)
{
	char text[16];
	snprintf(text, sizeof(text), "%u:%u", number, rec->nextents);
	return walk_add(arg, text, strlen(text));
}

static bool walk_upload(void *arg, const uint8_t id[16], const struct gml_upload_rec *rec)
{
	(void)id;
	return walk_add(arg, rec->key.ptr, rec->key.len);
}

static int uploads(struct gml_txn *txn, void *arg)
{
	struct gml_upload_rec rec = {100, 1, 2, 1234, GML_CHECKSUM_SHA1, 1, STR("k\x01y"), STR("h"), STR("m")}, got;
	struct gml_part_rec part = {.size = 7, .mtime = -1, .md5 = {9}}, part_got;
	struct gml_extent extents[3] = {{0, 5, 6, 7}, {7, UINT64_MAX, 8, 9}, {16, 1, 2, 3}}, extent;
	uint8_t a[16] = {1}, b[16] = {2};
	struct walk walk = {{0}, 0};
	(void)arg;
	CLOSURE_CHECK(gml_rec_upload_put(txn, a, &rec) == 0);
	CLOSURE_CHECK(gml_rec_upload_get(txn, a, &got) == 0 && got.initiated == 1234 && got.gid == 2);
	CLOSURE_CHECK(got.checksum_algorithm == GML_CHECKSUM_SHA1 && got.checksum_composite == 1);
	CLOSURE_CHECK(span_equal(got.key, rec.key) && span_equal(got.headers, rec.headers) &&
		      span_equal(got.meta, rec.meta));
	CLOSURE_CHECK(gml_rec_upload_put(txn, b, &got) == 0); /* borrowed spans */
	CLOSURE_CHECK(gml_rec_upload_each(txn, walk_upload, &walk) == 0 && strcmp(walk.text, "k\x01y k\x01y ") == 0);
	part.nextents = 3;
	CLOSURE_CHECK(gml_rec_part_put(txn, a, 300, &part, extents) == 0);
	part.nextents = 0;
	CLOSURE_CHECK(gml_rec_part_put(txn, a, 1, &part, NULL) == 0);
	CLOSURE_CHECK(gml_rec_part_put(txn, b, 2, &part, NULL) == 0);
	CLOSURE_CHECK(gml_rec_part_get(txn, a, 300, &part_got) == 0 && part_got.mtime == -1 && part_got.md5[0] == 9);
	CLOSURE_CHECK(gml_rec_part_extent(&part_got, 1, &extent) == 0 && extent.blob == UINT64_MAX && extent.len == 9);
	CLOSURE_CHECK(gml_rec_part_extent(&part_got, 3, &extent) == GML_ERR_INVAL);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_part_each(txn, a, 0, walk_part, &walk) == 0 && strcmp(walk.text, "1:0 300:3 ") == 0);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_part_each(txn, a, 1, walk_part, &walk) == 0 && strcmp(walk.text, "300:3 ") == 0);
	CLOSURE_CHECK(gml_rec_part_del(txn, a, 1) == 0 && gml_rec_part_del(txn, a, 1) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_upload_del(txn, a) == 0 && gml_rec_upload_get(txn, a, &got) == GML_ERR_NOENT);
	return 0;
}

static bool walk_owner(void *arg, gml_ino ino, const struct gml_owner *owner)
{
	char text[32];
	snprintf(text, sizeof(text), "%d:%u", (int)ino, owner->pid);
	return walk_add(arg, text, strlen(text));
}

static bool walk_orphan(void *arg, gml_ino ino, int64_t since)
{
	char text[32];
	snprintf(text, sizeof(text), "%d:%d", (int)ino, (int)since);
	return walk_add(arg, text, strlen(text));
}

static bool walk_lease(void *arg, const struct gml_lease *lease)
{
	char text[64];
	snprintf(text, sizeof(text), "%d:%d+%d", lease->kind, (int)lease->first, (int)lease->count);
	return walk_add(arg, text, strlen(text));
}

static int small_tables(struct gml_txn *txn, void *arg)
{
	struct gml_owner owner = {7, 8, 9}, got;
	struct gml_lease lease;
	struct gml_blob_rec blob = {1, 2};
	struct walk walk = {{0}, 0};
	uint64_t id;
	int64_t since;
	(void)arg;
	CLOSURE_CHECK(gml_rec_dirty_put(txn, 300, &owner) == 0 && gml_rec_dirty_put(txn, 5, &owner) == 0);
	CLOSURE_CHECK(gml_rec_dirty_get(txn, 300, &got) == 0 && got.start == 8 && got.boot == 9);
	CLOSURE_CHECK(gml_rec_dirty_each(txn, 0, walk_owner, &walk) == 0 && strcmp(walk.text, "5:7 300:7 ") == 0);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_dirty_each(txn, 5, walk_owner, &walk) == 0 && strcmp(walk.text, "300:7 ") == 0);
	CLOSURE_CHECK(gml_rec_dirty_del(txn, 5) == 0 && gml_rec_dirty_get(txn, 5, &got) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_orphan_put(txn, 9, -4) == 0 && gml_rec_orphan_get(txn, 9, &since) == 0 && since == -4);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_orphan_each(txn, 0, walk_orphan, &walk) == 0 && strcmp(walk.text, "9:-4 ") == 0);
	CLOSURE_CHECK(gml_rec_orphan_del(txn, 9) == 0 && gml_rec_orphan_del(txn, 9) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 0, 1000, &owner, &lease) == 0 && lease.first == 1);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 0, 10, &owner, &lease) == 0 && lease.first == 1001 && lease.count == 10);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 1, 1, &owner, &lease) == 0 && lease.first == 1 && lease.kind == 1);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 2, 1, &owner, &lease) == GML_ERR_INVAL);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 1, INT32_MAX, &owner, &lease) == GML_ERR_NOSPC);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 1, INT32_MAX - 1, &owner, &lease) == 0);
	CLOSURE_CHECK(gml_rec_lease_take(txn, 1, 1, &owner, &lease) == GML_ERR_NOSPC);
	CLOSURE_CHECK(gml_rec_lease_del(txn, 1, 2) == 0 && gml_rec_lease_del(txn, 1, 2) == GML_ERR_NOENT);
	walk.text[0] = 0;
	CLOSURE_CHECK(gml_rec_lease_each(txn, walk_lease, &walk) == 0);
	CLOSURE_CHECK(strcmp(walk.text, "0:1+1000 0:1001+10 1:1+1 ") == 0);
	CLOSURE_CHECK(gml_rec_blob_put(txn, UINT64_C(1) << 63, &blob) == 0 && gml_rec_blob_put(txn, 6, &blob) == 0);
	CLOSURE_CHECK(gml_rec_blob_next(txn, 0, &id, &blob) == 0 && id == 6);
	CLOSURE_CHECK(gml_rec_blob_next(txn, 7, &id, &blob) == 0 && id == UINT64_C(1) << 63 && blob.len == 2);
	CLOSURE_CHECK(gml_rec_blob_next(txn, UINT64_MAX, &id, &blob) == GML_ERR_NOENT);
	CLOSURE_CHECK(gml_rec_blob_del(txn, 6) == 0 && gml_rec_blob_get(txn, 6, &blob) == GML_ERR_NOENT);
	return 0;
}

static void test_headers(void **state)
{
	struct gml_span in[GML_HDR_COUNT] = {{0}}, out[GML_HDR_COUNT];
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
		assert_true(span_equal(in[i], out[i]));
		assert_int_equal(in[i].ptr == NULL, out[i].ptr == NULL);
	}
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

static void test_nouns(void **state)
{
	meta_env_update(*state, extents_find, NULL);
	meta_env_update(*state, xattrs, NULL);
	meta_env_update(*state, buckets, NULL);
	meta_env_update(*state, users, NULL);
	meta_env_update(*state, uploads, NULL);
	meta_env_update(*state, small_tables, NULL);
	assert_int_equal(((struct meta_env *)*state)->log_errors, 0);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, meta_env_setup, meta_env_teardown)
	const struct CMUnitTest tests[] = {
		WITH_STORE(test_inode),		WITH_STORE(test_damage), cmocka_unit_test(test_reader),
		cmocka_unit_test(test_headers), WITH_STORE(test_nouns),
	};
	return cmocka_run_group_tests_name("meta_record", tests, NULL, NULL);
}
