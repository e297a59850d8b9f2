// SPDX-License-Identifier: Apache-2.0
/* Multipart uploads. */
#include <pthread.h>
#include "gateway/ns/object/object_open.h"
#include "gateway/ns/object/put.h"
#include "gateway/ns/posix/open_inode.h"
#include "object_support.h"

#define MIB ((size_t)1 << 20)
#define FIVE (5 * MIB)

static void upload_id(struct ns *ns, struct gml_span key, enum gml_checksum algorithm,
		      bool composite, char id[33])
{
	assert_ok(gml_upload_create(
		&ns->op, ns->store, OBJECT_REF(B, key),
		&(struct gml_upload_options){.checksum = algorithm, .composite = composite}, id));
	assert_int_equal(strlen(id), 32);
}

static int upload_part(struct ns *ns, struct gml_span key, const char *id, uint32_t number,
		       const void *buf, size_t len, int algorithm, struct gml_part *out)
{
	struct gml_object_checksum sum = {0};
	struct gml_put *put = NULL;
	uint8_t md5[16];
	int rc = gml_part_begin(&ns->op, ns->store, UPLOAD_REF(B, key, ns_span(id)), number, len,
				&put);
	if (rc == 0)
		rc = gml_put_write(put, buf, len);
	if (rc != 0) {
		gml_put_abort(put);
		return rc;
	}
	object_md5(buf, len, md5);
	if (algorithm != GML_CHECKSUM_NONE)
		sum = object_sum(algorithm, buf, len);
	return gml_part_finish(&ns->op, put, md5, &sum, out);
}

static struct gml_part_ref upload_ref(const struct gml_part *part)
{
	struct gml_part_ref ref = {.number = part->number, .checksum = part->checksum};
	for (int i = 0; i < 16; i++)
		snprintf(ref.etag + 2 * i, 3, "%02x", part->md5[i]);
	return ref;
}

static int upload_complete(struct ns *ns, struct gml_span key, const char *id,
			   const struct gml_part_ref *refs, uint32_t n,
			   const struct gml_object_checksum *claim, struct gml_object_info *info)
{
	return gml_upload_complete(
		&ns->op, ns->store, UPLOAD_REF(B, key, ns_span(id)),
		&(struct gml_complete_options){.parts = refs, .nparts = n, .checksum = claim},
		info);
}

static char *upload_bytes(size_t len, unsigned seed)
{
	char *buf = malloc(len);
	for (size_t i = 0; i < len; i++)
		buf[i] = (char)((i * 2654435761u + seed) >> 11);
	return buf;
}

static void test_whole(void **state)
{
	struct ns *ns = *state;
	struct gml_span key = ns_span("dir/big");
	size_t len = 2 * FIVE + 1000;
	char *buf = upload_bytes(len, 1), id[33], want[80];
	struct gml_object_checksum whole = object_sum(GML_CHECKSUM_CRC64NVME, buf, len), sum;
	struct gml_part_ref refs[3];
	struct gml_object_info info;
	struct gml_object *object;
	struct gml_part part;
	uint8_t md5s[48], md5[16];
	uint64_t off, plen;
	upload_id(ns, key, GML_CHECKSUM_CRC64NVME, false, id);
	for (uint32_t i = 0; i < 3; i++) { /* out of order, with gaps, one twice */
		uint32_t k = 2 - i;

		if (k == 1)
			assert_ok(upload_part(ns, key, id, 20, buf, 70000, GML_CHECKSUM_CRC64NVME,
					      NULL));
		assert_ok(upload_part(ns, key, id, 10 * (k + 1), buf + k * FIVE,
				      k < 2 ? FIVE : 1000, GML_CHECKSUM_CRC64NVME, &part));
		refs[k] = upload_ref(&part);
		memcpy(md5s + 16 * k, part.md5, 16);
	}
	assert_ok(upload_part(ns, key, id, 15, "unlisted", 8, GML_CHECKSUM_CRC64NVME, &part));
	assert_rc(object_head(ns, key, NULL), GML_ERR_NOENT);
	whole.value[0] ^= 1;
	assert_rc(upload_complete(ns, key, id, refs, 3, &whole, NULL), GML_ERR_BADDIGEST);
	whole.value[0] ^= 1;
	assert_ok(upload_complete(ns, key, id, refs, 3, &whole, &info));
	object_md5(md5s, 48, md5);
	for (int i = 0; i < 16; i++)
		snprintf(want + 2 * i, 3, "%02x", md5[i]);
	strcat(want, "-3");
	assert_string_equal(info.etag, want);
	assert_int_equal(info.size, len);
	assert_memory_equal(&info.checksum, &whole, 2 + 8);
	object_assert(ns, key, buf, len);
	/* Again, as by a client that lost the answer; not with other parts. */
	assert_ok(upload_complete(ns, key, id, refs, 3, &whole, &info));
	assert_string_equal(info.etag, want);
	whole.value[0] ^= 1;
	assert_rc(upload_complete(ns, key, id, refs, 3, &whole, NULL), GML_ERR_BADDIGEST);
	whole.value[0] ^= 1;
	assert_rc(upload_complete(ns, key, id, refs, 2, NULL, NULL), GML_ERR_NOUPLOAD);
	assert_rc(gml_upload_abort(&ns->op, ns->store, UPLOAD_REF(B, key, ns_span(id))),
		  GML_ERR_NOUPLOAD);
	/* Parts of the object. */
	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, key), true, &object));
	assert_int_equal(gml_object_info(object)->nparts, 3);
	assert_ok(gml_object_part(object, 2, &off, &plen, &sum));
	assert_int_equal(off, FIVE);
	assert_int_equal(plen, FIVE);
	assert_memory_equal(sum.value, refs[1].checksum.value, 8);
	assert_ok(gml_object_part(object, 3, &off, &plen, &sum));
	assert_int_equal(plen, 1000);
	object_assert_bytes(object, off, buf + off, plen);
	assert_rc(gml_object_part(object, 4, &off, &plen, &sum), GML_ERR_INVAL);
	assert_rc(gml_object_part(object, 0, &off, &plen, &sum), GML_ERR_INVAL);
	gml_object_close(object);
	assert_int_equal(object_count(ns, GML_TABLE_PART), 0);
	assert_int_equal(object_count(ns, GML_TABLE_UPLOAD), 0);
	assert_ok(object_del(ns, key));
	object_assert_empty(ns);
	free(buf);
}

static void test_refusals(void **state)
{
	struct ns *ns = *state;
	struct gml_span key = ns_span("k");
	struct gml_op alice = ns_user(1001, 1001);
	struct gml_conditions none = {.if_none_match = ns_span("*")};
	struct gml_part_ref refs[3];
	struct gml_part part[3];
	struct gml_upload upload;
	struct gml_put *put;
	char *buf = upload_bytes(FIVE, 2), id[33];
	upload_id(ns, key, GML_CHECKSUM_SHA256, true, id);
	assert_ok(upload_part(ns, key, id, 1, buf, FIVE, GML_CHECKSUM_SHA256, &part[0]));
	assert_ok(upload_part(ns, key, id, 2, buf, 100, GML_CHECKSUM_SHA256, &part[1]));
	assert_ok(upload_part(ns, key, id, 3, buf, 50, GML_CHECKSUM_SHA256, &part[2]));
	assert_rc(upload_part(ns, key, id, 3, buf, 50, GML_CHECKSUM_CRC32, NULL), GML_ERR_INVAL);
	for (int i = 0; i < 3; i++)
		refs[i] = upload_ref(&part[i]);
	assert_rc(upload_complete(ns, key, id, refs, 3, NULL, NULL), GML_ERR_PARTSMALL);
	assert_rc(upload_complete(ns, key, id, refs, 0, NULL, NULL), GML_ERR_INVAL);
	assert_rc(upload_complete(ns, key, id, (struct gml_part_ref[]){refs[2], refs[0]}, 2, NULL,
				  NULL),
		  GML_ERR_PARTORDER);
	assert_rc(upload_complete(ns, key, id, (struct gml_part_ref[]){refs[0], refs[0]}, 2, NULL,
				  NULL),
		  GML_ERR_PARTORDER);
	refs[1].etag[0] ^= 1;
	assert_rc(upload_complete(ns, key, id, refs, 2, NULL, NULL), GML_ERR_BADPART);
	refs[1].etag[0] ^= 1;
	refs[1].checksum.value[31] ^= 1;
	assert_rc(upload_complete(ns, key, id, refs, 2, NULL, NULL), GML_ERR_BADPART);
	refs[1].checksum.value[31] ^= 1;
	refs[1].number = 4;
	assert_rc(upload_complete(ns, key, id, refs, 2, NULL, NULL), GML_ERR_BADPART);
	refs[1].number = 2;
	assert_rc(gml_upload_complete(
			  &ns->op, ns->store, UPLOAD_REF(B, key, ns_span(id)),
			  &(struct gml_complete_options){
				  .parts = refs, .nparts = 2, .has_size = true, .size = FIVE},
			  NULL),
		  GML_ERR_INVAL);
	assert_ok(object_put(ns, key, "there"));
	assert_rc(gml_upload_complete(&ns->op, ns->store, UPLOAD_REF(B, key, ns_span(id)),
				      &(struct gml_complete_options){.parts = refs,
								     .nparts = 2,
								     .has_size = true,
								     .size = FIVE + 100,
								     .cond = &none},
				      NULL),
		  GML_ERR_PRECONDITION);
	object_assert(ns, key, "there", 5);
	/* Who, where, what number. */
	assert_rc(gml_upload_get(&alice, ns->store, UPLOAD_REF(B, key, ns_span(id)),
				 GML_ACTION_LIST_PARTS, &upload),
		  GML_ERR_ACCESS);
	assert_rc(gml_upload_get(&ns->op, ns->store, UPLOAD_REF(B, ns_span("other"), ns_span(id)),
				 GML_ACTION_LIST_PARTS, &upload),
		  GML_ERR_NOUPLOAD);
	assert_rc(gml_upload_get(&ns->op, ns->store, UPLOAD_REF(B, key, ns_span("x")),
				 GML_ACTION_LIST_PARTS, &upload),
		  GML_ERR_NOUPLOAD);
	assert_rc(gml_upload_get(&ns->op, ns->store,
				 UPLOAD_REF(ns_span("nobucket"), key, ns_span(id)),
				 GML_ACTION_LIST_PARTS, &upload),
		  GML_ERR_NOBUCKET);
	assert_rc(gml_part_begin(&ns->op, ns->store, UPLOAD_REF(B, key, ns_span(id)), 0, 1, &put),
		  GML_ERR_INVAL);
	assert_rc(
		gml_part_begin(&ns->op, ns->store, UPLOAD_REF(B, key, ns_span(id)), 10001, 1, &put),
		GML_ERR_INVAL);
	assert_rc(gml_part_begin(&ns->op, ns->store, UPLOAD_REF(B, key, ns_span(id)), 1,
				 GML_PART_SIZE_MAX + 1, &put),
		  GML_ERR_FBIG);
	assert_rc(gml_upload_create(&alice, ns->store, OBJECT_REF(B, key),
				    &(struct gml_upload_options){.checksum = 0}, id),
		  GML_ERR_ACCESS);
	/* A part that finishes after the abort. */
	assert_ok(
		gml_part_begin(&ns->op, ns->store, UPLOAD_REF(B, key, ns_span(id)), 5, 100, &put));
	assert_ok(gml_put_write(put, buf, 100));
	assert_ok(gml_upload_abort(&ns->op, ns->store, UPLOAD_REF(B, key, ns_span(id))));
	assert_rc(gml_part_finish(&ns->op, put, part[1].md5, NULL, NULL), GML_ERR_NOUPLOAD);
	assert_ok(object_del(ns, key));
	object_assert_empty(ns);
	free(buf);
}

/* COMPOSITE: digest of the digests. */
static void test_composite(void **state)
{
	struct ns *ns = *state;
	struct gml_span key = ns_span("c");
	char *buf = upload_bytes(FIVE, 3), id[33];
	struct gml_object_checksum want;
	struct gml_object_info info;
	struct gml_part_ref refs[2];
	struct gml_part part;
	uint8_t both[64];
	upload_id(ns, key, GML_CHECKSUM_SHA256, true, id);
	for (uint32_t i = 0; i < 2; i++) {
		assert_ok(upload_part(ns, key, id, i + 1, buf, i == 0 ? FIVE : 0,
				      GML_CHECKSUM_SHA256, &part));
		refs[i] = upload_ref(&part);
		memcpy(both + 32 * i, part.checksum.value, 32);
	}
	want = object_sum(GML_CHECKSUM_SHA256, both, 64);
	assert_ok(upload_complete(ns, key, id, refs, 2, &want, &info));
	assert_int_equal(info.checksum.composite, 1);
	assert_memory_equal(info.checksum.value, want.value, 32);
	object_assert(ns, key, buf, FIVE);
	assert_ok(object_del(ns, key));
	object_assert_empty(ns);
	free(buf);
}

static bool upload_list_each(void *arg, const struct gml_upload *upload)
{
	char *text = arg;
	strncat(text, upload->common_prefix ? ">" : "", 2);
	strncat(text, upload->key.ptr, upload->key.len);
	strcat(strcat(strcat(text, ":"), upload->id), " ");
	return true;
}

static bool part_list_each(void *arg, const struct gml_part *part)
{
	char *text = arg;
	sprintf(text + strlen(text), "%u:%u ", part->number, (unsigned)part->size);
	return true;
}

static void test_lists(void **state)
{
	struct ns *ns = *state;
	static const char *const keys[] = {"a", "b", "b", "d/1", "d/2", "dd"};
	static const char *const wrong[] = {"x", "0123456789abcdef0123456789abcde",
					    "0123456789abcdef0123456789abcdefa",
					    "0123456789abcdef0123456789ABCDEF"};
	struct gml_list_query query = {.bucket = B, .max = 100};
	char id[6][33], text[2048], want[2048];
	bool truncated;
	for (int i = 0; i < 6; i++)
		upload_id(ns, ns_span(keys[i]), 0, false, id[i]);
	*text = '\0';
	assert_ok(gml_upload_list(&ns->op, ns->store, &query, upload_list_each, text, &truncated));
	snprintf(want, sizeof(want), "a:%s b:%s b:%s d/1:%s d/2:%s dd:%s ", id[0], id[1], id[2],
		 id[3], id[4], id[5]);
	assert_string_equal(text, want);
	assert_false(truncated);
	query = (struct gml_list_query){.bucket = B,
					.max = 2,
					.delimiter = ns_span("/"),
					.after = ns_span("b"),
					.after_id = ns_span(id[1])};
	*text = '\0';
	assert_ok(gml_upload_list(&ns->op, ns->store, &query, upload_list_each, text, &truncated));
	snprintf(want, sizeof(want), "b:%s >d/:%s ", id[2], id[3]);
	assert_string_equal(text, want);
	assert_true(truncated);
	query.after = ns_span("d/");
	for (int i = 0; i < 2; i++) { /* with the prefix's id, and without */
		*text = '\0';
		query.after_id = ns_span(i ? id[3] : "");
		assert_ok(gml_upload_list(&ns->op, ns->store, &query, upload_list_each, text,
					  &truncated));
		snprintf(want, sizeof(want), "dd:%s ", id[5]);
		assert_string_equal(text, want);
	}
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		query.after_id = ns_span(wrong[i]);
		assert_rc(gml_upload_list(&ns->op, ns->store, &query, upload_list_each, text,
					  &truncated),
			  GML_ERR_NOUPLOAD);
	}
	query.after_id = ns_span("0123456789abcdef0123456789abcdef");
	*text = '\0';
	assert_ok(gml_upload_list(&ns->op, ns->store, &query, upload_list_each, text,
				  &truncated)); /* an upload may go between two pages */
	snprintf(want, sizeof(want), "dd:%s ", id[5]);
	assert_string_equal(text, want);
	query = (struct gml_list_query){.bucket = B, .max = 2, .after = ns_span("b")};
	*text = '\0';
	assert_ok(gml_upload_list(&ns->op, ns->store, &query, upload_list_each, text, &truncated));
	snprintf(want, sizeof(want), "d/1:%s d/2:%s ", id[3], id[4]);
	assert_string_equal(text, want);
	query = (struct gml_list_query){.bucket = B, .max = 9, .prefix = ns_span("d/")};
	*text = '\0';
	assert_ok(gml_upload_list(&ns->op, ns->store, &query, upload_list_each, text, &truncated));
	assert_string_equal(text, want);
	/* Parts. */
	for (uint32_t i = 5; i > 0; i--)
		assert_ok(upload_part(ns, ns_span("a"), id[0], i * 100, "parts", i, 0, NULL));
	*text = '\0';
	assert_ok(gml_part_list(
		&ns->op, ns->store,
		&(struct gml_part_query){.upload = {{B, ns_span("a"), {NULL, 0}}, ns_span(id[0])},
					 .after = 100,
					 .max = 3},
		part_list_each, text, &truncated));
	assert_string_equal(text, "200:2 300:3 400:4 ");
	assert_true(truncated);
	*text = '\0';
	assert_ok(gml_part_list(
		&ns->op, ns->store,
		&(struct gml_part_query){.upload = {{B, ns_span("a"), {NULL, 0}}, ns_span(id[0])},
					 .after = 400,
					 .max = 3},
		part_list_each, text, &truncated));
	assert_string_equal(text, "500:5 ");
	assert_false(truncated);
	for (int i = 3; i < 6; i++)
		assert_ok(gml_upload_abort(&ns->op, ns->store,
					   UPLOAD_REF(B, ns_span(keys[i]), ns_span(id[i]))));
	for (int i = 0; i < 40; i++)
		upload_id(ns, ns_span("many"), GML_CHECKSUM_NONE, false, id[3]);
	/* A key holds the bucket and them; alone they go with it, whatever they have. */
	assert_ok(object_put(ns, ns_span("x"), "x"));
	assert_rc(gml_bucket_delete(&ns->op, ns->store, B), GML_ERR_NOTEMPTY);
	assert_int_equal(object_count(ns, GML_TABLE_UPLOAD), 43);
	assert_ok(object_del(ns, ns_span("x")));
	assert_ok(gml_bucket_delete(&ns->op, ns->store, B));
	assert_ok(gml_bucket_create(&ns->op, ns->store, B, NULL, NULL));
	object_assert_empty(ns);
}

/* The largest number of parts, all over one blob. */
/* An object whose digests are known, so that a copy of it as a part need not read it. */
static void upload_source(struct ns *ns, struct gml_span key, const void *buf, size_t len)
{
	struct gml_object_checksum sum = object_sum(GML_CHECKSUM_CRC64NVME, buf, len);
	struct gml_put *put = NULL;
	uint8_t md5[16];
	object_md5(buf, len, md5);
	assert_ok(gml_put_begin(&ns->op, ns->store, OBJECT_REF(B, key), len, &put));
	assert_ok(gml_put_write(put, buf, len));
	assert_ok(gml_put_finish(&ns->op, put,
				 &(struct gml_put_options){.md5 = md5, .checksum = &sum}, NULL));
}

static void test_ten_thousand(void **state)
{
	struct ns *ns = *state;
	struct gml_span key = ns_span("huge"), src = ns_span("src");
	struct gml_part_ref *refs = calloc(GML_PART_MAX, sizeof(*refs));
	char *buf = upload_bytes(FIVE, 4), id[33];
	struct gml_object_checksum sum;
	struct gml_object_info info;
	struct gml_object *object;
	struct gml_part part;
	uint64_t off, len;
	upload_source(ns, src, buf, FIVE);
	upload_id(ns, key, GML_CHECKSUM_NONE, false, id);
	for (uint32_t i = 0; i < GML_PART_MAX; i++) {
		assert_ok(gml_part_copy(&ns->op, ns->store, OBJECT_REF(B, src),
					UPLOAD_REF(B, key, ns_span(id)),
					&(struct gml_part_copy_options){
						.number = i + 1, .off = 0, .len = UINT64_MAX},
					&part));
		refs[i] = upload_ref(&part);
	}
	assert_int_equal(object_count(ns, GML_TABLE_BLOB), 1);
	assert_ok(upload_complete(ns, key, id, refs, GML_PART_MAX, NULL, &info));
	assert_int_equal(info.size, (uint64_t)GML_PART_MAX * FIVE);
	assert_int_equal(info.nparts, GML_PART_MAX);
	assert_int_equal(object_count(ns, GML_TABLE_EXTENT), GML_PART_MAX);
	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, key), true, &object));
	assert_ok(gml_object_part(object, 7777, &off, &len, &sum));
	assert_int_equal(off, (uint64_t)7776 * FIVE);
	object_assert_bytes(object, off + 5, buf + 5, 1000);
	/* Deleted and reaped while it is read: the reader keeps it. */
	assert_ok(object_del(ns, key));
	assert_ok(object_del(ns, src));
	object_reap(ns);
	object_assert_bytes(object, off - 7, buf + FIVE - 7, 7);
	gml_object_close(object);
	object_assert_empty(ns);
	free(refs);
	free(buf);
}

/* Many extents, each its own blob: windows, and fds that are given back. */
static void test_windows(void **state)
{
	struct ns *ns = *state;
	struct gml_span key = ns_span("w");
	enum { PARTS = 21 };
	size_t last = 70001, len = (PARTS - 1) * FIVE + last;
	char *buf = upload_bytes(len, 5), id[33];
	struct gml_part_ref refs[PARTS];
	struct gml_object *object;
	struct gml_part part;
	struct gml_run run;

	upload_id(ns, key, GML_CHECKSUM_NONE, false, id);
	for (uint32_t i = 0; i < PARTS; i++) {
		assert_ok(upload_part(ns, key, id, i + 1, buf + i * FIVE,
				      i + 1 < PARTS ? FIVE : last, 0, &part));
		refs[i] = upload_ref(&part);
	}
	assert_ok(upload_complete(ns, key, id, refs, PARTS, NULL, NULL));
	object_assert(ns, key, buf, len);
	assert_ok(gml_object_open(&ns->op, ns->store, OBJECT_REF(B, key), true, &object));
	for (int i = PARTS - 1; i >= 0;
	     i--) { /* backwards, nothing released: all runs stay borrowed */
		assert_ok(gml_object_run(object, i * FIVE + 1, 100, &run));
		assert_true(run.fd >= 0);
		assert_int_equal(run.len, 100);
		object_assert_bytes(object, i * FIVE + 1, buf + i * FIVE + 1, 100);
	}
	/* Content that changes in place ends the reading. */
	struct gml_file *file;
	assert_ok(gml_file_open(&ns->op, ns->store, gml_object_info(object)->ino, GML_OPEN_WRITE,
				&file));
	assert_ok(ns_write(ns, file, 3, "changed"));
	assert_rc(gml_object_run(object, 12 * FIVE, 100, &run), GML_ERR_IO);
	gml_object_close(object);
	memcpy(buf + 3, "changed", 7);
	object_assert(ns, key, buf, len);
	assert_ok(gml_file_close(&ns->op, file));
	object_assert(ns, key, buf, len);
	assert_ok(object_del(ns, key));
	object_assert_empty(ns);
	free(buf);
}

/* ---- many at once ---------------------------------------------------------------------------- */

#define THREADS 8

struct racer {
	struct ns *ns;
	const char *id;
	const struct gml_part_ref *refs;
	struct gml_object_info info;
	int rc;
};

static void *complete_run(void *arg)
{
	struct racer *racer = arg;
	racer->rc = upload_complete(racer->ns, ns_span("k"), racer->id, racer->refs, 2, NULL,
				    &racer->info);
	return NULL;
}

static void test_complete_race(void **state)
{
	struct ns *ns = *state;
	char *buf = upload_bytes(FIVE, 6), id[33];
	struct gml_part_ref refs[2];
	struct racer racer[THREADS];
	pthread_t thread[THREADS];
	struct gml_part part;
	upload_id(ns, ns_span("k"), GML_CHECKSUM_NONE, false, id);
	for (uint32_t i = 0; i < 2; i++) {
		assert_ok(upload_part(ns, ns_span("k"), id, i + 1, buf, FIVE, 0, &part));
		refs[i] = upload_ref(&part);
	}
	for (int i = 0; i < THREADS; i++) {
		racer[i] = (struct racer){.ns = ns, .id = id, .refs = refs};
		pthread_create(&thread[i], NULL, complete_run, &racer[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		assert_ok(racer[i].rc);
		assert_ino_equal(racer[i].info.ino,
				 racer[0].info.ino); /* one made it, the others found it */
	}
	assert_ok(object_del(ns, ns_span("k")));
	object_assert_empty(ns);
	free(buf);
}

#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_whole),	 T(test_refusals),     T(test_composite),    T(test_lists),
		T(test_windows), T(test_ten_thousand), T(test_complete_race)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
