// SPDX-License-Identifier: Apache-2.0
/* Everything at once on a handful of keys: both protocols, copies, uploads, the reaper. Afterwards
 * the store is whole, and empty once the names are gone. Content is made of runs that tell torn
 * reads: each object is one byte value, repeated, unless NFS wrote into it (those keys begin with
 * "n"). */
#include <pthread.h>
#include "gateway/ns/object/object_open.h"
#include "gateway/ns/posix/open_inode.h"
#include "object_support.h"

#define THREADS 6
#define ROUNDS 150
#define LARGE ((size_t)150000)
#define PART ((size_t)5 << 20)
#define REAP_AGE (1000 * 1000000ll) /* far above what a thread may be kept waiting */

struct stress {
	struct ns *ns;
	uint64_t seed;
	char *buf;
};

static uint32_t stress_random(struct stress *s, uint32_t n)
{
	s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(s->seed >> 33) % n;
}

static const char *const stress_keys[] = {"a", "d/b", "d/c", "d/e/f", "d/", "n1", "n2", "d/n3"};
#define KEYS 8

static bool stress_may_fail(int rc)
{
	return rc == 0 || rc == GML_ERR_NOENT || rc == GML_ERR_CONFLICT || rc == GML_ERR_BUSY ||
	       rc == GML_ERR_AGAIN || rc == GML_ERR_STALE || rc == GML_ERR_EXIST ||
	       rc == GML_ERR_NOTDIR || rc == GML_ERR_INVAL;
}

static void stress_check(int rc, const char *what)
{
	if (!stress_may_fail(rc))
		fail_msg("%s: %s", what, gml_err_name(rc));
}

static void stress_put(struct stress *s, const char *key)
{
	size_t len = stress_random(s, 3) == 0 ? LARGE : stress_random(s, 5000);
	memset(s->buf, 'A' + (int)stress_random(s, 26), len);
	stress_check(object_put_full(s->ns, &s->ns->op, ns_span(key), s->buf, len, 65536, len, NULL,
				     NULL, NULL),
		     "put");
}

static int stress_sink(void *arg, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	int *first = arg;
	for (size_t i = 0; i < len; i++) {
		if (*first == 0)
			*first = p[i];
		if (p[i] != *first)
			fail_msg("torn content");
	}
	return 0;
}

static int stress_ignore(void *arg, const void *buf, size_t len)
{
	(void)arg, (void)buf, (void)len;
	return 0;
}

static void stress_get(struct stress *s, const char *key)
{
	bool mixed = strchr(key, 'n') != NULL;
	struct gml_object *object;
	int rc = gml_object_open(&s->ns->op, s->ns->store, OBJECT_REF(B, ns_span(key)), true,
				 &object),
	    first = 0;
	stress_check(rc, "open");
	if (rc != 0)
		return;
	rc = gml_object_each(object, 0, gml_object_info(object)->size,
			     mixed ? stress_ignore : stress_sink, &first);
	/* What NFS changes meanwhile may end early, never anything else. */
	if (rc != 0 && !(mixed && rc == GML_ERR_IO))
		fail_msg("get %s: %s", key, gml_err_name(rc));
	gml_object_close(object);
}

static void stress_nfs(struct stress *s, const char *name)
{
	struct gml_file *file;
	struct iovec iov = {s->buf, 1 + stress_random(s, 3000)};
	int rc = gml_file_create(&s->ns->op, s->ns->store, s->ns->bucket, ns_span(name),
				 &(struct gml_create){.access = GML_OPEN_READ | GML_OPEN_WRITE,
						      .disposition = GML_CREATE_UNCHECKED},
				 &file);
	stress_check(rc, "create");
	if (rc != 0)
		return;
	for (int i = 0; i < 3; i++)
		stress_check(gml_file_write(&s->ns->op, file, stress_random(s, (uint32_t)LARGE),
					    &iov, 1, false),
			     "write");
	stress_check(gml_file_close(&s->ns->op, file), "close");
}

static void stress_copy(struct stress *s, const char *from, const char *to)
{
	enum gml_checksum algorithm =
		stress_random(s, 3) == 0 ? GML_CHECKSUM_CRC32C : GML_CHECKSUM_NONE;
	struct gml_object_new what = {0};
	if (strchr(from, 'n') != NULL && strchr(to, 'n') == NULL)
		return; /* mixed content stays under its names */
	stress_check(gml_object_copy(
			     &s->ns->op, s->ns->store, OBJECT_REF(B, ns_span(from)),
			     OBJECT_REF(B, ns_span(to)),
			     &(struct gml_copy_options){.attrs = stress_random(s, 2) ? &what : NULL,
							.checksum = algorithm},
			     NULL),
		     "copy");
}

/* Six parts over one source: a map in table extent. */
static void stress_upload(struct stress *s, const char *key)
{
	struct gml_part_ref refs[6];
	struct gml_part part;
	char id[33];
	int rc = 0;
	assert_ok(gml_upload_create(&s->ns->op, s->ns->store, OBJECT_REF(B, ns_span(key)),
				    &(struct gml_upload_options){.attrs = NULL}, id));
	for (uint32_t i = 0; rc == 0 && i < 6; i++) {
		rc = gml_part_copy(&s->ns->op, s->ns->store, OBJECT_REF(B, ns_span("source")),
				   UPLOAD_REF(B, ns_span(key), ns_span(id)),
				   &(struct gml_part_copy_options){
					   .number = i + 1, .off = 0, .len = UINT64_MAX},
				   &part);
		refs[i] = (struct gml_part_ref){.number = i + 1};
		for (int k = 0; k < 16; k++)
			snprintf(refs[i].etag + 2 * k, 3, "%02x", part.md5[k]);
	}
	if (rc == 0 && stress_random(s, 3) > 0)
		rc = gml_upload_complete(
			&s->ns->op, s->ns->store, UPLOAD_REF(B, ns_span(key), ns_span(id)),
			&(struct gml_complete_options){.parts = refs, .nparts = 6}, NULL);
	else
		rc = gml_upload_abort(&s->ns->op, s->ns->store,
				      UPLOAD_REF(B, ns_span(key), ns_span(id)));
	stress_check(rc, "upload");
}

static bool stress_entry(void *arg, const struct gml_list_entry *entry)
{
	(void)entry;
	++*(unsigned *)arg;
	return true;
}

static void stress_list(struct stress *s)
{
	struct gml_list_query query = {.bucket = B, .max = 1 + stress_random(s, 10)};
	unsigned n = 0;
	bool truncated;
	if (stress_random(s, 2))
		query.delimiter = ns_span("/");
	assert_ok(gml_object_list(&s->ns->op, s->ns->store, &query, stress_entry, &n, &truncated));
	assert_true(n <= query.max);
}

static void *stress_run(void *arg)
{
	struct stress *s = arg;
	for (int i = 0; i < ROUNDS; i++) {
		const char *key = stress_keys[stress_random(s, KEYS)];
		unsigned freed;
		switch (stress_random(s, 10)) {
		case 0:
		case 1:
			stress_put(s, key);
			break;
		case 2:
		case 3:
			stress_get(s, key);
			break;
		case 4:
			stress_copy(s, key, stress_keys[stress_random(s, KEYS)]);
			break;
		case 5:
			stress_check(object_del(s->ns, ns_span(key)), "delete");
			break;
		case 6:
			stress_nfs(s, stress_random(s, 2) ? "n1" : "n2");
			break;
		case 7:
			stress_list(s);
			break;
		case 8:
			stress_upload(s, key);
			break;
		default:
			stress_check(
				gml_store_reap(&s->ns->op, s->ns->store,
					       &(struct gml_reap){.min_age_ns = REAP_AGE,
								  .max = 100,
								  .is_open = gml_store_file_is_open,
								  .arg = s->ns->store},
					       &freed),
				"reap");
		}
	}
	return NULL;
}

static void test_stress(void **state)
{
	struct ns *ns = *state;
	struct stress stress[THREADS];
	pthread_t thread[THREADS];
	char *source = malloc(PART);
	memset(source, 'S', PART);
	assert_ok(object_put_full(ns, &ns->op, ns_span("source"), source, PART, PART, PART, NULL,
				  NULL, NULL));
	for (unsigned i = 0; i < THREADS; i++) {
		stress[i] = (struct stress){.ns = ns, .seed = i + 1, .buf = malloc(LARGE)};
		memset(stress[i].buf, 'w', LARGE);
		pthread_create(&thread[i], NULL, stress_run, &stress[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		free(stress[i].buf);
	}
	free(source);
	ns_check(ns);
	for (unsigned i = 0; i < KEYS; i++)
		assert_ok(object_del(ns, ns_span(stress_keys[i])));
	assert_ok(object_del(ns, ns_span("source")));
	object_assert_empty(ns);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stress, ns_setup, ns_teardown)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
