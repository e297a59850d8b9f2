// SPDX-License-Identifier: Apache-2.0
/* Operations on names and records; the table of all operations. See fixture.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gemel/checksum.h>
#include <gemel/dir.h>
#include <gemel/file.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/policy.h>
#include <gemel/principal.h>
#include <gemel/upload.h>
#include "operation.h"
#include "inject.h"

struct gml_span fixture_bucket(void)
{
	return STR(MODEL_BUCKET_NAME);
}

struct gml_store_options fixture_options(void)
{
	return (struct gml_store_options){.meta_capacity = (uint64_t)64 << 20};
}

int fixture_result(struct fixture *fixture, struct model_item *item, int rc)
{
	if (rc == 0)
		model_acknowledge(fixture->model, item);
	else if (rc != GML_ERR_IO && !model_last(item)->mixed)
		model_refuse(item);
	return rc;
}

void fixture_wrong(struct fixture *fixture, const char *what)
{
	if (fixture->wrong == NULL)
		fixture->wrong = what;
}

struct model_value fixture_content(struct fixture *fixture, size_t len, uint64_t seed)
{
	uint8_t *buf = inject_spare(len + 1);
	struct model_value value = {.there = true, .len = len};
	seed = seed * 2 + 1;
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(disk_random(&seed) | 1);
	value.bytes = model_copy(fixture->model, buf, len);
	free(buf);
	return value;
}

void fixture_text(struct fixture *fixture, struct model_item *item, const char *text)
{
	model_next(item)->values[0] =
		(struct model_value){.there = true,
				     .bytes = model_copy(fixture->model, text, strlen(text)),
				     .len = strlen(text)};
	model_request(fixture->model, item);
}

void fixture_gone(struct fixture *fixture, struct model_item *item)
{
	model_next(item)->values[0] = (struct model_value){.there = false};
	model_request(fixture->model, item);
}

/* The directory that holds it: the bucket's root or nfs/. */
static gml_ino fixture_dir(const struct fixture *fixture, const char *path)
{
	return strchr(path, '/') == NULL ? fixture->bucket : fixture->nfs;
}

static struct gml_span fixture_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return STR(slash == NULL ? path : slash + 1);
}

int fixture_ino(struct fixture *fixture, const struct model_item *item, gml_ino *ino_out)
{
	const char *path = item->slots[0].path;
	struct gml_attr attr = {0};
	int rc = gml_dir_lookup(&fixture->op, fixture->store, fixture_dir(fixture, path),
				fixture_name(path), &attr);
	*ino_out = attr.ino;
	return rc;
}

/* ---- names ----------------------------------------------------------------------------------- */

static int operation_rename(struct fixture *fixture)
{
	struct model_item *item = fixture->pair;
	struct model_state *state = model_next(item);
	state->values[1] = state->values[0];
	state->values[0] = (struct model_value){.there = false};
	model_request(fixture->model, item);
	return fixture_result(fixture, item,
			      gml_dir_rename(&fixture->op, fixture->store, fixture->bucket,
					     STR("pair-from"), fixture->nfs, STR("pair-to")));
}

static int operation_mkdir(struct fixture *fixture)
{
	struct gml_attr attr;
	int rc;
	fixture_text(fixture, fixture->made, "");
	rc = fixture_result(fixture, fixture->made,
			    gml_dir_mkdir(&fixture->op, fixture->store, fixture->bucket,
					  STR("made"), NULL, &attr));
	if (rc != 0)
		return rc;
	fixture_text(fixture, fixture->link, "made/x");
	return fixture_result(
		fixture, fixture->link,
		gml_dir_mknod(&fixture->op, fixture->store, fixture->bucket, STR("link"),
			      &(struct gml_node){.type = GML_LNK, .target = STR("made/x")}, &attr));
}

static int operation_link(struct fixture *fixture)
{
	gml_ino ino;
	int rc = fixture_ino(fixture, fixture->other, &ino);
	if (rc != 0)
		return rc;
	fixture_text(fixture, fixture->mode, "644 0 0 2");
	return fixture_result(fixture, fixture->mode,
			      gml_dir_link(&fixture->op, fixture->store, ino, fixture->bucket,
					   STR("hard"), NULL));
}

static int operation_remove(struct fixture *fixture)
{
	fixture_gone(fixture, fixture->plain);
	return fixture_result(fixture, fixture->plain,
			      gml_dir_remove(&fixture->op, fixture->store, fixture->nfs,
					     STR("plain"), GML_REMOVE_FILE));
}

static bool fixture_any(void *arg, struct gml_span name)
{
	(void)arg, (void)name;
	return true;
}

static int operation_xattr(struct fixture *fixture)
{
	struct gml_span name = STR("user.color");
	char buf[100];
	size_t len;
	gml_ino ino;
	int rc = fixture_ino(fixture, fixture->other, &ino);
	if (rc != 0)
		return rc;
	fixture_text(fixture, fixture->xattr, "blue");
	rc = fixture_result(fixture, fixture->xattr,
			    gml_xattr_set(&fixture->op, fixture->store, ino, name, STR("blue"),
					  GML_XATTR_EITHER));
	if (rc == 0)
		rc = gml_xattr_get(&fixture->op, fixture->store, ino, name,
				   (struct gml_buf){buf, sizeof(buf)}, &len);
	if (rc == 0)
		rc = gml_xattr_list(&fixture->op, fixture->store, ino, fixture_any, NULL);
	if (rc != 0)
		return rc;
	fixture_gone(fixture, fixture->xattr);
	return fixture_result(fixture, fixture->xattr,
			      gml_xattr_remove(&fixture->op, fixture->store, ino, name));
}

/* ---- records and uploads --------------------------------------------------------------------- */

/* Groups, roles, tags and policies; a group, a role and a policy are left. */
static int fixture_identities(struct fixture *fixture)
{
	const struct gml_identity bob = {GML_IDENTITY_USER, "bob"};
	const struct gml_meta_pair tag = {STR("team"), STR("blue")};
	const struct gml_span document =
		STR("{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\","
		    "\"Resource\":\"*\"}}");
	struct gml_policy policy = {.name = "read"};
	struct gml_role role = {.name = "reader"};
	int rc = gml_group_create(&fixture->op, fixture->store, "team", NULL);
	if (rc == 0)
		rc = gml_group_add(&fixture->op, fixture->store, "team", "bob");
	if (rc == 0)
		rc = gml_tags_set(&fixture->op, fixture->store, &bob, &tag, 1);
	if (rc == 0)
		rc = gml_policy_put(&fixture->op, fixture->store, &policy, document);
	if (rc == 0)
		rc = gml_policy_attach(&fixture->op, fixture->store, &bob, "read");
	if (rc == 0)
		rc = gml_policy_inline_put(&fixture->op, fixture->store, &bob, "own", document);
	if (rc == 0)
		rc = gml_policy_boundary_set(&fixture->op, fixture->store, &bob, "read");
	return rc == 0 ? gml_role_create(&fixture->op, fixture->store, &role,
					 (struct gml_span){NULL, 0})
		       : rc;
}

static int operation_records(struct fixture *fixture)
{
	struct gml_user bob = {.name = "bob", .uid = 502, .gid = 502};
	struct gml_key key = {.user = "bob"};
	struct gml_bucket bucket;
	int rc;
	fixture_text(fixture, fixture->second, "0");
	rc = fixture_result(
		fixture, fixture->second,
		gml_bucket_create(&fixture->op, fixture->store, STR("second"), NULL, &bucket));
	if (rc != 0)
		return rc;
	fixture_text(fixture, fixture->user, "502");
	rc = fixture_result(fixture, fixture->user,
			    gml_user_create(&fixture->op, fixture->store, &bob));
	if (rc == 0)
		rc = gml_key_create(&fixture->op, fixture->store, &key);
	if (rc == 0)
		rc = fixture_identities(fixture);
	if (rc != 0)
		return rc;
	fixture_gone(fixture, fixture->user);
	rc = fixture_result(fixture, fixture->user,
			    gml_user_delete(&fixture->op, fixture->store, "bob"));
	if (rc != 0)
		return rc;
	fixture_gone(fixture, fixture->second);
	return fixture_result(fixture, fixture->second,
			      gml_bucket_delete(&fixture->op, fixture->store, STR("second")));
}

/* Another part in place of the one that is there, then the whole. */
static int operation_complete(struct fixture *fixture)
{
	struct model_item *item = fixture->up;
	struct model_value content = fixture_content(fixture, 80000, 300);
	struct gml_span key = STR("up"), id = STR(item->slots[1].arg);
	struct gml_part_ref ref = {.number = 1};
	struct model_state *state = model_next(item);
	struct gml_put *put;
	struct gml_part part;
	char text[40];
	int rc = gml_part_begin(&fixture->op, fixture->store, UPLOAD_REF(fixture_bucket(), key, id),
				1, 80000, &put);
	if (rc != 0)
		return rc;
	snprintf(text, sizeof(text), "1:80000:%02x ", content.bytes[0]);
	state->values[1].bytes = model_copy(fixture->model, text, strlen(text));
	state->values[1].len = strlen(text);
	model_request(fixture->model, item);
	rc = gml_put_write(put, content.bytes, content.len);
	if (rc != 0)
		gml_put_abort(put);
	else
		rc = gml_part_finish(&fixture->op, put, content.bytes, NULL, &part);
	if (fixture_result(fixture, item, rc) != 0)
		return rc;
	for (int i = 0; i < 16; i++)
		sprintf(ref.etag + 2 * i, "%02x", content.bytes[i]);
	state = model_next(item);
	state->values[0] = content;
	state->values[1] = (struct model_value){.there = false};
	model_request(fixture->model, item);
	return fixture_result(
		fixture, item,
		gml_upload_complete(
			&fixture->op, fixture->store, UPLOAD_REF(fixture_bucket(), key, id),
			&(struct gml_complete_options){.parts = &ref, .nparts = 1}, NULL));
}

static int operation_abort(struct fixture *fixture)
{
	struct model_item *item = fixture->up;
	model_next(item)->values[1] = (struct model_value){.there = false};
	model_request(fixture->model, item);
	return fixture_result(
		fixture, item,
		gml_upload_abort(&fixture->op, fixture->store,
				 UPLOAD_REF(fixture_bucket(), STR("up"), STR(item->slots[1].arg))));
}

/* ---- the store as a whole -------------------------------------------------------------------- */

int fixture_open(struct fixture *fixture)
{
	struct gml_store_options opt = fixture_options();
	struct gml_attr attr;
	int rc = gml_store_open(fixture->path, &opt, &fixture->store);
	if (rc != 0)
		return rc;
	rc = gml_dir_lookup(&fixture->op, fixture->store, GML_INO_ROOT, fixture_bucket(), &attr);
	fixture->bucket = attr.ino;
	if (rc == 0)
		rc = gml_dir_lookup(&fixture->op, fixture->store, fixture->bucket, STR("nfs"),
				    &attr);
	fixture->nfs = attr.ino;
	return rc;
}

static int operation_open(struct fixture *fixture)
{
	int rc = fixture_open(fixture);
	gml_store_close(fixture->store);
	fixture->store = NULL;
	return rc;
}

static int operation_close(struct fixture *fixture)
{
	gml_store_close(fixture->store);
	fixture->store = NULL;
	return 0;
}

static int operation_recover(struct fixture *fixture)
{
	return gml_store_recover(&fixture->op, fixture->store);
}

static int operation_clean_up(struct fixture *fixture)
{
	uint64_t bytes;
	unsigned freed;
	bool more;
	int rc = gml_store_sum(&fixture->op, fixture->store, 0, UINT64_MAX, &bytes, &more);
	if (rc == 0)
		rc = gml_store_reap(&fixture->op, fixture->store,
				    &(struct gml_reap){.max = 100,
						       .is_open = gml_store_file_is_open,
						       .arg = fixture->store},
				    &freed);
	return rc == 0 ? gml_store_compact(&fixture->op, fixture->store, &bytes) : rc;
}

static void fixture_problem(void *arg, const char *text)
{
	static char problem[200];
	if (strstr(text, "cannot be read") != NULL)
		return; /* the call that was made to fail */
	snprintf(problem, sizeof(problem), "check reports: %s", text);
	fixture_wrong(arg, problem);
}

static int operation_check(struct fixture *fixture)
{
	struct gml_content_report content;
	struct gml_check_report report;
	struct gml_statfs fs;
	int rc = gml_store_check(&fixture->op, fixture->store, fixture_problem, NULL, fixture,
				 &report);
	if (rc == 0)
		rc = gml_store_check_content(&fixture->op, fixture->store, fixture_problem, NULL,
					     fixture, &content);
	return rc == 0 ? gml_store_statfs(&fixture->op, fixture->store, fixture->bucket, &fs) : rc;
}

/* A second store beside the first. What fails leaves nothing behind. */
static int operation_create(struct fixture *fixture)
{
	struct gml_store_options opt = fixture_options();
	char path[200];
	snprintf(path, sizeof(path), "%s-2", fixture->path);
	return gml_store_create(path, &opt);
}

int fixture_follow(struct fixture *fixture, bool packed)
{
	return fixture_put(fixture, fixture->follow, packed ? 300 : 0, 400);
}

const struct operation operations[] = {
	{"open and close", operation_open, FIXTURE_CLOSED},
	{"close", operation_close, FIXTURE_DIRTY},
	{"create a store", operation_create, 0},
	{"recover", operation_recover, FIXTURE_DIRTY},
	{"clean up", operation_clean_up, 0},
	{"check", operation_check, 0},
	{"put a new key", operation_put_new, FIXTURE_PACKS},
	{"put with headers", operation_put_headers, FIXTURE_PACKS},
	{"put a large object", operation_put_big, 0},
	{"delete", operation_delete, 0},
	{"copy", operation_copy, 0},
	{"copy with checksum", operation_copy_checksum, 0},
	{"list", operation_list, 0},
	{"read", operation_read, 0},
	{"write a file", operation_file, 0},
	{"make an empty file", operation_file_empty, 0},
	{"write over an object", operation_overwrite, 0},
	{"truncate", operation_truncate, 0},
	{"sparse", operation_sparse, 0},
	{"attributes", operation_attributes, 0},
	{"rename", operation_rename, 0},
	{"mkdir, symlink", operation_mkdir, 0},
	{"link", operation_link, 0},
	{"remove", operation_remove, 0},
	{"xattr", operation_xattr, 0},
	{"records", operation_records, 0},
	{"complete an upload", operation_complete, 0},
	{"abort an upload", operation_abort, 0},
};
const unsigned operations_count = sizeof(operations) / sizeof(operations[0]);
