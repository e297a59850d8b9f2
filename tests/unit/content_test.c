// SPDX-License-Identifier: Apache-2.0
/* Checksums of content: made with S3 content and for settled NFS content, gone before bytes change,
 * and what they find. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include "gateway/data/sums.h"
#include "object_support.h"

#define BLOCK ((uint64_t)GML_SUM_BLOCK)
#define MIB ((size_t)1 << 20)

/* ---- what happens while a blob is being summed ----------------------------------------------- */

static void (*on_pread)(struct ns *ns);
static struct ns *on_pread_ns;

ssize_t pread(int fd, void *buf, size_t len, off_t off)
{
	void (*now)(struct ns * ns) = on_pread;
	ssize_t n = syscall(SYS_pread64, fd, buf, len, off);
	on_pread = NULL;
	if (now != NULL)
		now(on_pread_ns);
	return n;
}

/* ---- helpers --------------------------------------------------------------------------------- */

static char *noise(size_t len, uint32_t x)
{
	char *bytes = malloc(len + 1);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
	return bytes;
}

struct heard {
	unsigned count;
	char text[512]; /* the last one */
};

static void hear(void *arg, const char *text)
{
	struct heard *heard = arg;
	heard->count++;
	snprintf(heard->text, sizeof(heard->text), "%s", text);
}

static struct gml_content_report content(struct ns *ns, struct heard *heard)
{
	struct gml_content_report report;
	*heard = (struct heard){0};
	assert_ok(gml_store_check_content(&ns->op, ns->store, hear, NULL, heard, &report));
	assert_int_equal(report.problems, heard->count);
	return report;
}

/* No damage, `bytes` bytes compared, `unsummed` blobs without checksums. */
static void expect_good(struct ns *ns, uint64_t bytes, uint64_t unsummed)
{
	struct heard heard;
	struct gml_content_report report = content(ns, &heard);
	if (report.problems != 0)
		fail_msg("%s", heard.text);
	assert_int_equal(report.bytes, bytes);
	assert_int_equal(report.unsummed, unsummed);
	ns_check(ns);
}

/* Exactly one damage, told with these words. */
static void expect_damage(struct ns *ns, const char *what, const char *whose)
{
	struct heard heard;
	content(ns, &heard);
	if (heard.count != 1 || strstr(heard.text, what) == NULL ||
	    strstr(heard.text, whose) == NULL)
		fail_msg("%u problems, the last: %s\nwanted: %s, %s", heard.count, heard.text, what,
			 whose);
}

/* So many, the last told with these words. */
static void expect_damages(struct ns *ns, unsigned count, const char *what)
{
	struct heard heard;
	content(ns, &heard);
	assert_int_equal(heard.count, count);
	assert_non_null(strstr(heard.text, what));
}

static void blob_file(struct ns *ns, uint64_t blob, char path[128])
{
	char name[GML_BLOB_PATH];
	gml_blob_path(gml_blob_key(blob), name);
	snprintf(path, 128, "%s/data/%s", ns->path, name);
}

/* Inverts a byte of a blob, past all that the store knows. */
static void flip(struct ns *ns, uint64_t blob, uint64_t off)
{
	char path[128], byte;
	int fd;
	blob_file(ns, blob, path);
	off += gml_blob_base(blob);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)off), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)off), 1);
	close(fd);
}

static struct gml_inode record_of(struct ns *ns, struct gml_span key)
{
	struct gml_object_info info = {0};
	assert_ok(object_head(ns, key, &info));
	return ns_record(ns, info.ino);
}

static struct gml_blob_rec blob_record(struct ns *ns, uint64_t blob)
{
	struct gml_blob_rec rec;
	struct gml_txn *txn;
	assert_ok(gml_meta_read_begin(ns->store->meta, &txn));
	assert_ok(gml_rec_blob_get(txn, blob, &rec));
	gml_meta_read_end(txn);
	return rec;
}

static void put(struct ns *ns, const char *key, const char *bytes, size_t len)
{
	assert_ok(object_put_full(ns, &ns->op, ns_span(key), bytes, len, 50000, len, NULL, NULL,
				  NULL));
}

/* Sums all that is settled; returns bytes read. */
static uint64_t sum_all(struct ns *ns)
{
	uint64_t bytes = 0, one;
	bool more;
	do {
		assert_ok(gml_store_sum(&ns->op, ns->store, 0, UINT64_MAX, &one, &more));
		bytes += one;
	} while (more);
	return bytes;
}

static void write_at(struct ns *ns, struct gml_file *file, uint64_t off, const char *bytes,
		     size_t len)
{
	struct iovec iov = {(void *)(uintptr_t)bytes, len};
	assert_ok(gml_file_write(&ns->op, file, off, &iov, 1, false));
}

static gml_ino nfs_file(struct ns *ns, const char *name, const char *bytes, size_t len)
{
	struct gml_file *file = ns_new(ns, ns->bucket, name);
	gml_ino ino = gml_file_ino(file);
	write_at(ns, file, 0, bytes, len);
	assert_ok(gml_file_close(&ns->op, file));
	return ino;
}

static struct gml_file *reopen(struct ns *ns, gml_ino ino)
{
	struct gml_file *file;
	assert_ok(gml_file_open(&ns->op, ns->store, ino, GML_OPEN_READ | GML_OPEN_WRITE, &file));
	return file;
}

/* ---- S3 content ------------------------------------------------------------------------------ */

/* Sizes around every boundary; the first, the last and a middle byte of each is found when it
 * flips. */
static void test_objects(void **state)
{
	static const size_t sizes[] = {1,	  4096,		 BLOCK - 1,   BLOCK,
				       BLOCK + 1, 2 * BLOCK - 1, 2 * BLOCK,   2 * BLOCK + 1,
				       3 * MIB,	  16 * MIB,	 16 * MIB + 1};
	struct ns *ns = *state;
	char *bytes = noise(16 * MIB + 1, 5), want[128];
	put(ns, "empty", bytes, 0);
	expect_good(ns, 0, 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t size = sizes[i], at[] = {0, size / 2, size - 1};
		struct gml_inode inode;
		uint64_t blob, base;
		put(ns, "dir/key", bytes, size);
		object_reap(ns);
		expect_good(ns, size, 0);
		inode = record_of(ns, ns_span("dir/key"));
		blob = inode.extents[0].blob;
		base = gml_blob_base(blob);
		assert_int_equal(blob & GML_BLOB_PACKED ? 1 : 0, size <= BLOCK);
		for (int n = 0; n < 3; n++) {
			uint64_t first = at[n] / BLOCK * BLOCK,
				 last = first + BLOCK < size ? first + BLOCK : size;
			flip(ns, blob, at[n]);
			snprintf(want, sizeof(want), "bytes %llu to %llu are not what was written",
				 (unsigned long long)(base + first),
				 (unsigned long long)(base + last - 1));
			expect_damage(ns, want, "content of bucket/dir/key");
			flip(ns, blob, at[n]);
		}
	}
	object_assert(ns, ns_span("dir/key"), bytes, 16 * MIB + 1);
	assert_ok(object_del(ns, ns_span("dir/key")));
	assert_ok(object_del(ns, ns_span("empty")));
	object_assert_empty(ns);
	free(bytes);
}

/* One range for neighbours; a file that ends early; a file that is gone; whose it is, when several
 * share it. */
static void test_ways_to_be_damaged(void **state)
{
	struct ns *ns = *state;
	char *bytes = noise(MIB, 6), path[128];
	uint64_t blob;
	put(ns, "a", bytes, MIB);
	assert_ok(gml_object_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("a")),
				  OBJECT_REF(B, ns_span("b/c")),
				  &(struct gml_copy_options){.src_cond = NULL}, NULL));
	blob = record_of(ns, ns_span("a")).extents[0].blob;
	flip(ns, blob, 3 * BLOCK);
	flip(ns, blob, 5 * BLOCK - 1);
	expect_damage(ns, "/0100",
		      "bytes 196608 to 327679 are not what was written (content of "
		      "bucket/a, bucket/b/c)");
	flip(ns, blob, 3 * BLOCK);
	flip(ns, blob, 5 * BLOCK - 1);
	expect_good(ns, MIB, 0);
	blob_file(ns, blob, path);
	assert_int_equal(truncate(path, (off_t)(15 * BLOCK + 5)), 0);
	expect_damage(ns, "bytes 983040 to 1048575 are missing", "bucket/a");
	assert_int_equal(unlink(path), 0);
	ns_close(ns); /* it has a descriptor */
	ns_open(ns);
	expect_damage(ns, "bytes 0 to 1048575 are missing", "bucket/a");
	free(bytes);
	ns_close(ns);
}

struct lost {
	uint64_t blob;
	uint32_t row;
};

static int lose_sums(struct gml_txn *txn, void *arg)
{
	const struct lost *lost = arg;
	return gml_rec_sums_del(txn, lost->blob, lost->row);
}

/* The check that reads no content finds it as well: its one problem. */
static void expect_lost_rows(struct ns *ns, uint64_t blob, const char *what)
{
	struct gml_check_report report = {0};
	struct heard heard = {0};
	char want[128];
	snprintf(want, sizeof(want), "blob %016llx: %s", (unsigned long long)blob, what);
	assert_ok(gml_store_check(&ns->op, ns->store, hear, NULL, &heard, &report));
	assert_int_equal(heard.count, 1);
	assert_string_equal(heard.text, want);
}

static int shorten_sums(struct gml_txn *txn, void *arg)
{
	uint32_t sums[GML_SUM_CHUNK];
	unsigned count;
	int rc = gml_rec_sums_get(txn, *(uint64_t *)arg, 0, sums, &count);
	return rc == 0 ? gml_rec_sums_put(txn, *(uint64_t *)arg, 0, sums, count - 1) : rc;
}

/* Checksums that are gone are no proof. */
static void test_lost_checksums(void **state)
{
	struct ns *ns = *state;
	char *bytes = noise(MIB, 7);
	uint64_t blob;
	put(ns, "a", bytes, MIB);
	blob = record_of(ns, ns_span("a")).extents[0].blob;
	assert_ok(gml_meta_update(ns->store->meta, shorten_sums, &blob));
	expect_damage(ns, "bytes 983040 to 1048575 are without a checksum", "bucket/a");
	assert_ok(gml_meta_update(ns->store->meta, lose_sums, &(struct lost){blob, 0}));
	expect_damage(ns, "bytes 0 to 1048575 are without a checksum", "bucket/a");
	expect_lost_rows(ns, blob, "1 rows with its checksums are lost");
	free(bytes);
	ns_close(ns);
}

/* A row may be left out where all is zeros. One that was not left out, and is gone, is no sign of
 * wrong content; and wrong content is no lost row. */
static void test_lost_row_beside_holes(void **state)
{
	const uint64_t row = GML_SUM_CHUNK * BLOCK, size = 4 * row;
	struct ns *ns = *state;
	struct gml_file *file = ns_new(ns, ns->bucket, "sparse");
	gml_ino ino = gml_file_ino(file);
	char *bytes = noise(MIB, 14), want[128];
	uint64_t blob;
	write_at(ns, file, row + 3 * BLOCK, bytes, MIB);
	write_at(ns, file, size - MIB, bytes, MIB);
	assert_ok(gml_file_close(&ns->op, file));
	blob = ns_record(ns, ino).wblob;
	sum_all(ns);
	assert_int_equal(blob_record(ns, blob).rows, 2); /* of 4 */
	expect_good(ns, size, 0);
	flip(ns, blob, 2 * row + 5); /* in a hole */
	snprintf(want, sizeof(want), "bytes %llu to %llu are not what was written",
		 (unsigned long long)(2 * row), (unsigned long long)(2 * row + BLOCK - 1));
	expect_damage(ns, want, "content of bucket/sparse");
	flip(ns, blob, 2 * row + 5);
	expect_good(ns, size, 0);
	assert_ok(gml_meta_update(ns->store->meta, lose_sums, &(struct lost){blob, 1}));
	snprintf(want, sizeof(want), "bytes %llu to %llu are without a checksum",
		 (unsigned long long)(row + 3 * BLOCK),
		 (unsigned long long)(row + 3 * BLOCK + MIB - 1));
	expect_damage(ns, want, "content of bucket/sparse");
	expect_lost_rows(ns, blob, "1 rows with its checksums are lost");
	/* What still has a checksum is compared with it. */
	flip(ns, blob, size - 1);
	expect_damages(ns, 2, "are not what was written");
	flip(ns, blob, size - 1);
	/* Content that is written again gets all of them. */
	file = reopen(ns, ino);
	write_at(ns, file, 0, bytes, 1);
	assert_ok(gml_file_close(&ns->op, file));
	sum_all(ns);
	assert_int_equal(blob_record(ns, blob).rows, 3);
	expect_good(ns, size, 0);
	free(bytes);
}

static int add_row(struct gml_txn *txn, void *arg)
{
	uint32_t sum = 1;
	return gml_rec_sums_put(txn, *(const uint64_t *)arg, 0, &sum, 1);
}

/* A row too many is found as well; one behind the content means nothing. */
static void test_rows_too_many(void **state)
{
	const uint64_t row = GML_SUM_CHUNK * BLOCK;
	struct ns *ns = *state;
	struct gml_file *file = ns_new(ns, ns->bucket, "sparse");
	gml_ino ino = gml_file_ino(file);
	uint64_t blob;
	write_at(ns, file, 2 * row - 1, "e", 1);
	assert_ok(gml_file_close(&ns->op, file));
	blob = ns_record(ns, ino).wblob;
	sum_all(ns);
	assert_int_equal(blob_record(ns, blob).rows, 1);
	assert_ok(gml_meta_update(ns->store->meta, add_row, &blob));
	expect_lost_rows(ns, blob, "has more rows with checksums than its record says (1)");
	assert_ok(gml_meta_update(ns->store->meta, lose_sums, &(struct lost){blob, 0}));
	expect_good(ns, 2 * row, 0);
}

static int part_of(struct ns *ns, const char *id, uint32_t number, const char *bytes, size_t len,
		   struct gml_part_ref *ref)
{
	struct gml_put *put = NULL;
	struct gml_part part;
	uint8_t md5[16];
	int rc = gml_part_begin(&ns->op, ns->store, UPLOAD_REF(B, ns_span("big"), ns_span(id)),
				number, len, &put);
	if (rc == 0)
		rc = gml_put_write(put, bytes, len);
	object_md5(bytes, len, md5);
	if (rc == 0)
		rc = gml_part_finish(&ns->op, put, md5, NULL, &part);
	*ref = (struct gml_part_ref){.number = number};
	for (int i = 0; i < 16; i++)
		snprintf(ref->etag + 2 * i, 3, "%02x", md5[i]);
	return rc;
}

static void test_uploads(void **state)
{
	struct ns *ns = *state;
	size_t five = 5 * MIB;
	char *bytes = noise(five + 100, 8), id[GML_UPLOAD_ID_LEN + 1];
	struct gml_part_ref refs[2];
	uint64_t blob;
	assert_ok(gml_upload_create(&ns->op, ns->store, OBJECT_REF(B, ns_span("big")),
				    &(struct gml_upload_options){.attrs = NULL}, id));
	assert_ok(part_of(ns, id, 1, bytes, five, &refs[0]));
	assert_ok(part_of(ns, id, 2, bytes + five, 100, &refs[1]));
	expect_good(ns, five + 100, 0);
	assert_ok(part_of(ns, id, 1, bytes, five, &refs[0])); /* once more: the old one goes */
	expect_good(ns, five + 100, 0);
	assert_ok(gml_upload_complete(
		&ns->op, ns->store, UPLOAD_REF(B, ns_span("big"), ns_span(id)),
		&(struct gml_complete_options){.parts = refs, .nparts = 2}, NULL));
	expect_good(ns, five + 100, 0);
	blob = record_of(ns, ns_span("big")).extents[1].blob;
	flip(ns, blob, 99);
	expect_damage(ns, "data/pack/", "are not what was written (content of bucket/big)");
	flip(ns, blob, 99);
	assert_ok(object_del(ns, ns_span("big")));
	assert_ok(gml_upload_create(&ns->op, ns->store, OBJECT_REF(B, ns_span("big")),
				    &(struct gml_upload_options){.attrs = NULL}, id));
	assert_ok(part_of(ns, id, 7, bytes, MIB, &refs[0]));
	object_reap(ns);
	expect_good(ns, MIB, 0);
	blob = (uint64_t)GML_BLOB_PLAIN << GML_BLOB_NUMBER_BITS;
	{
		struct gml_txn *txn;
		struct gml_blob_rec rec;
		assert_ok(gml_meta_read_begin(ns->store->meta, &txn));
		assert_ok(gml_rec_blob_next(txn, blob, &blob, &rec));
		gml_meta_read_end(txn);
	}
	flip(ns, blob, BLOCK);
	expect_damage(ns, "bytes 65536 to 131071", "(content of part 7 of an upload of big)");
	flip(ns, blob, BLOCK);
	assert_ok(gml_upload_abort(&ns->op, ns->store, UPLOAD_REF(B, ns_span("big"), ns_span(id))));
	object_assert_empty(ns);
	free(bytes);
}

/* ---- settled NFS content --------------------------------------------------------------------- */

static void test_settled_file(void **state)
{
	static const size_t sizes[] = {1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * MIB + 7};
	struct ns *ns = *state;
	char *bytes = noise(3 * MIB + 7, 9);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		gml_ino ino = nfs_file(ns, "file", bytes, sizes[i]);
		uint64_t blob = ns_record(ns, ino).wblob;
		assert_true(gml_blob_is_write(blob));
		expect_good(ns, 0, 1); /* settled, not summed */
		assert_int_equal(sum_all(ns), sizes[i]);
		expect_good(ns, sizes[i], 0);
		assert_int_equal(sum_all(ns), 0);
		flip(ns, blob, sizes[i] - 1);
		expect_damage(ns, "are not what was written", "content of bucket/file)");
		flip(ns, blob, sizes[i] - 1);
		assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("file"),
					 GML_REMOVE_FILE));
		object_reap(ns);
	}
	object_assert_empty(ns);
	free(bytes);
}

/* What is written again loses its checksums before the first byte, and gets them again. */
static void test_written_again(void **state)
{
	struct ns *ns = *state;
	char *bytes = noise(MIB, 10);
	gml_ino ino = nfs_file(ns, "file", bytes, MIB);
	uint64_t blob = ns_record(ns, ino).wblob;
	struct gml_file *file;
	sum_all(ns);
	assert_int_equal(blob_record(ns, blob).summed, MIB);
	file = reopen(ns, ino);
	assert_int_equal(blob_record(ns, blob).summed, MIB); /* an open changes nothing */
	write_at(ns, file, 5 * BLOCK, "changed", 7);
	assert_int_equal(blob_record(ns, blob).summed, 0);
	assert_int_equal(sum_all(ns), 0);
	expect_good(ns, 0, 1);
	assert_ok(gml_file_commit(&ns->op, file));
	assert_int_equal(sum_all(ns), 0);
	assert_ok(gml_file_close(&ns->op, file));
	assert_int_equal(ns_record(ns, ino).wblob, blob);
	assert_int_equal(sum_all(ns), MIB);
	expect_good(ns, MIB, 0);
	/* Shorter than its checksums were, and again one block. */
	file = reopen(ns, ino);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino,
				    &(struct gml_setattr){.mask = GML_SET_SIZE, .size = 100000},
				    NULL));
	assert_ok(gml_file_close(&ns->op, file));
	assert_int_equal(sum_all(ns), 100000);
	expect_good(ns, 100000, 0);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino,
				    &(struct gml_setattr){.mask = GML_SET_SIZE, .size = 10}, NULL));
	expect_good(ns, 0, 1);
	assert_int_equal(sum_all(ns), 10);
	expect_good(ns, 10, 0);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino,
				    &(struct gml_setattr){.mask = GML_SET_SIZE, .size = 4 * BLOCK},
				    NULL));
	sum_all(ns);
	expect_good(ns, 4 * BLOCK, 0);
	/* A mode is no content. */
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino,
				    &(struct gml_setattr){.mask = GML_SET_MODE, .mode = 0600},
				    NULL));
	expect_good(ns, 4 * BLOCK, 0);
	assert_ok(gml_inode_setattr(&ns->op, ns->store, ino,
				    &(struct gml_setattr){.mask = GML_SET_SIZE, .size = 0}, NULL));
	object_reap(ns);
	expect_good(ns, 0, 0);
	assert_int_equal(object_count(ns, GML_TABLE_SUM), 0);
	free(bytes);
}

/* Holes are zeros: they cost neither reading nor rows, and a byte that gets into one is found. */
static void test_holes(void **state)
{
	struct ns *ns = *state;
	uint64_t size = ((uint64_t)9 << 30) + 123, at = ((uint64_t)5 << 30) + 7, blob;
	struct gml_file *file = ns_new(ns, ns->bucket, "sparse");
	gml_ino ino = gml_file_ino(file);
	char *bytes = noise(BLOCK, 11), want[128];
	write_at(ns, file, at, bytes, BLOCK);
	write_at(ns, file, size - 1, "e", 1);
	assert_ok(gml_file_close(&ns->op, file));
	blob = ns_record(ns, ino).wblob;
	assert_in_range(sum_all(ns), 1, 16 * MIB);
	assert_int_equal(blob_record(ns, blob).summed, size);
	assert_int_equal(object_count(ns, GML_TABLE_SUM), 2);
	ns_check(ns);
	flip(ns, blob, at + 1);
	snprintf(want, sizeof(want), "bytes %llu to %llu are not what was written",
		 (unsigned long long)(at / BLOCK * BLOCK),
		 (unsigned long long)(at / BLOCK * BLOCK + BLOCK - 1));
	expect_damage(ns, want, "bucket/sparse");
	flip(ns, blob, at + 1);
	flip(ns, blob, (uint64_t)2 << 30);
	expect_damage(ns, "bytes 2147483648 to 2147549183 are not what was written",
		      "bucket/sparse");
	free(bytes);
	ns_close(ns);
}

/* A little at a time, and by whoever comes: each call goes on where the last one ended. */
static void test_in_steps(void **state)
{
	struct ns *ns = *state;
	size_t size = 50 * MIB + 5;
	char *bytes = noise(size, 12);
	uint64_t one, bytes_read = 0;
	unsigned calls = 0;
	bool more = true;
	nfs_file(ns, "big", bytes, size);
	nfs_file(ns, "small", bytes, 1000);
	assert_ok(gml_store_sum(&ns->op, ns->store, (int64_t)3600 * 1000000000, UINT64_MAX, &one,
				&more));
	assert_int_equal(one, 0); /* too young */
	assert_false(more);
	do {
		assert_ok(gml_store_sum(&ns->op, ns->store, 0, MIB, &one, &more));
		bytes_read += one;
		calls++;
		if (calls == 2) {
			ns_close(ns);
			ns_open(ns);
		}
	} while (more && calls < 100);
	assert_in_range(calls, 4, 8);
	assert_int_equal(bytes_read, size + 1000); /* no byte twice */
	expect_good(ns, size + 1000, 0);
	free(bytes);
}

static gml_ino changing;

static void change_it(struct ns *ns)
{
	struct gml_file *file = reopen(ns, changing);
	write_at(ns, file, 0, "other", 5);
	assert_ok(gml_file_close(&ns->op, file));
}

static void keep_it_open(struct ns *ns)
{
	struct gml_file *file = reopen(ns, changing);
	write_at(ns, file, 70000, "open", 4);
	assert_ok(gml_file_commit(&ns->op, file));
	assert_int_equal(sum_all(ns), 0);
	assert_ok(gml_file_close(&ns->op, file));
}

static void cut_it(struct ns *ns)
{
	struct gml_setattr shorter = {.mask = GML_SET_SIZE, .size = 1000},
			   longer = {.mask = GML_SET_SIZE, .size = 200000};
	assert_ok(gml_inode_setattr(&ns->op, ns->store, changing, &shorter, NULL));
	assert_ok(gml_inode_setattr(&ns->op, ns->store, changing, &longer, NULL));
}

static void remove_it(struct ns *ns)
{
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("file"), GML_REMOVE_FILE));
	object_reap(ns);
}

/* Whatever happens to a file between the reading and the putting, no checksum of before is put. */
static void test_changed_while_summed(void **state)
{
	static void (*const changes[])(struct ns *) = {change_it, keep_it_open, cut_it, remove_it};
	struct ns *ns = *state;
	char *bytes = noise(200000, 13);
	uint64_t one;
	bool more;
	on_pread_ns = ns;
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		uint64_t blob;
		changing = nfs_file(ns, "file", bytes, 200000);
		blob = ns_record(ns, changing).wblob;
		on_pread = changes[i];
		assert_ok(gml_store_sum(&ns->op, ns->store, 0, UINT64_MAX, &one, &more));
		assert_null(on_pread);
		if (changes[i] == remove_it)
			break;
		assert_int_equal(blob_record(ns, blob).summed, 0);
		expect_good(ns, 0, 1);
		/* Without what is a hole now. */
		assert_int_equal(sum_all(ns), changes[i] == cut_it ? BLOCK : 200000);
		expect_good(ns, 200000, 0);
		remove_it(ns);
	}
	object_assert_empty(ns);
	free(bytes);
}

/* The check is no less careful: what changes while it reads is no damage. */
static void test_changed_while_checked(void **state)
{
	static void (*const changes[])(struct ns *) = {change_it, cut_it, remove_it};
	struct ns *ns = *state;
	char *bytes = noise(200000, 14);
	struct heard heard;
	on_pread_ns = ns;
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		changing = nfs_file(ns, "file", bytes, 200000);
		sum_all(ns);
		on_pread = changes[i];
		content(ns, &heard);
		assert_null(on_pread);
		assert_int_equal(heard.count, 0);
		if (changes[i] != remove_it)
			remove_it(ns);
	}
	free(bytes);
}

/* What S3 shares of NFS's content keeps its checksums, or gets them; in-place writes go elsewhere
 * then. */
static void test_shared_with_s3(void **state)
{
	struct ns *ns = *state;
	char *bytes = noise(3 * BLOCK, 15);
	gml_ino early = nfs_file(ns, "early", bytes, 3 * BLOCK);
	gml_ino late = nfs_file(ns, "late", bytes, 3 * BLOCK);
	struct gml_file *file;
	uint64_t blob = ns_record(ns, early).wblob;
	assert_ok(gml_object_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("late")),
				  OBJECT_REF(B, ns_span("late2")),
				  &(struct gml_copy_options){.src_cond = NULL}, NULL));
	assert_int_equal(ns_record(ns, late).wblob, 0);
	sum_all(ns);
	expect_good(ns, 6 * BLOCK, 0);
	assert_ok(gml_object_copy(&ns->op, ns->store, OBJECT_REF(B, ns_span("early")),
				  OBJECT_REF(B, ns_span("early2")),
				  &(struct gml_copy_options){.src_cond = NULL}, NULL));
	expect_good(ns, 6 * BLOCK, 0);
	file = reopen(ns, early);
	write_at(ns, file, 10, "mine", 4);
	assert_ok(gml_file_close(&ns->op, file));
	assert_int_equal(blob_record(ns, blob).summed, 3 * BLOCK);
	sum_all(ns);
	ns_check(ns);
	object_reap(ns); /* what it had of it */
	flip(ns, blob, 2 * BLOCK);
	expect_damage(ns, "bytes 131072 to 196607", "content of bucket/early2)");
	flip(ns, blob, 2 * BLOCK);
	object_assert(ns, ns_span("early2"), bytes, 3 * BLOCK);
	free(bytes);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		T(test_objects),
		T(test_ways_to_be_damaged),
		T(test_lost_checksums),
		T(test_lost_row_beside_holes),
		T(test_rows_too_many),
		T(test_uploads),
		T(test_settled_file),
		T(test_written_again),
		T(test_holes),
		T(test_in_steps),
		T(test_changed_while_summed),
		T(test_changed_while_checked),
		T(test_shared_with_s3),
	};
	return cmocka_run_group_tests_name("content", tests, NULL, NULL);
}
