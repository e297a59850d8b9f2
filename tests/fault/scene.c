// SPDX-License-Identifier: Apache-2.0
/* See scene.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gemel/checksum.h>
#include <gemel/dir.h>
#include <gemel/file.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/principal.h>
#include <gemel/upload.h>
#include "act.h"
#include "inject.h"

struct gml_span scene_span(const char *text)
{
	return (struct gml_span){text, strlen(text)};
}

struct gml_span scene_bucket(void)
{
	return scene_span(STORY_BUCKET_NAME);
}

struct gml_store_options scene_options(void)
{
	return (struct gml_store_options){.meta_capacity = (uint64_t)64 << 20};
}

int scene_done(struct scene *scene, struct story_item *item, int rc)
{
	if (rc == 0)
		story_ack(scene->story, item);
	else if (rc != GML_ERR_IO && !story_last(item)->mixed)
		story_refuse(item);
	return rc;
}

void scene_wrong(struct scene *scene, const char *what)
{
	if (scene->wrong == NULL)
		scene->wrong = what;
}

struct story_value scene_content(struct scene *scene, size_t len, uint64_t seed)
{
	uint8_t *buf = inject_spare(len + 1);
	struct story_value value = {.there = true, .len = len};
	seed = seed * 2 + 1;
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(disk_random(&seed) | 1);
	value.bytes = story_keep(scene->story, buf, len);
	free(buf);
	return value;
}

void scene_text(struct scene *scene, struct story_item *item, const char *text)
{
	story_next(item)->values[0] =
		(struct story_value){.there = true,
				     .bytes = story_keep(scene->story, text, strlen(text)),
				     .len = strlen(text)};
	story_ask(scene->story, item);
}

void scene_gone(struct scene *scene, struct story_item *item)
{
	story_next(item)->values[0] = (struct story_value){.there = false};
	story_ask(scene->story, item);
}

/* The directory that holds it: the bucket's root or nfs/. */
static gml_ino scene_dir(const struct scene *scene, const char *path)
{
	return strchr(path, '/') == NULL ? scene->bucket : scene->nfs;
}

static struct gml_span scene_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return scene_span(slash == NULL ? path : slash + 1);
}

int scene_ino(struct scene *scene, const struct story_item *item, gml_ino *ino_out)
{
	const char *path = item->slots[0].path;
	struct gml_attr attr = {0};
	int rc = gml_dir_lookup(&scene->op, scene->store, scene_dir(scene, path), scene_name(path),
				&attr);
	*ino_out = attr.ino;
	return rc;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static int act_rename(struct scene *scene)
{
	struct story_item *item = scene->pair;
	struct story_state *state = story_next(item);
	state->values[1] = state->values[0];
	state->values[0] = (struct story_value){.there = false};
	story_ask(scene->story, item);
	return scene_done(scene, item,
			  gml_dir_rename(&scene->op, scene->store, scene->bucket,
					 scene_span("pair-from"), scene->nfs,
					 scene_span("pair-to")));
}

static int act_mkdir(struct scene *scene)
{
	struct gml_attr attr;
	int rc;
	scene_text(scene, scene->made, "");
	rc = scene_done(scene, scene->made,
			gml_dir_mkdir(&scene->op, scene->store, scene->bucket, scene_span("made"),
				      NULL, &attr));
	if (rc != 0)
		return rc;
	scene_text(scene, scene->link, "made/x");
	return scene_done(scene, scene->link,
			  gml_dir_symlink(&scene->op, scene->store, scene->bucket,
					  scene_span("link"), scene_span("made/x"), NULL, &attr));
}

static int act_link(struct scene *scene)
{
	gml_ino ino;
	int rc = scene_ino(scene, scene->other, &ino);
	if (rc != 0)
		return rc;
	scene_text(scene, scene->mode, "644 0 0 2");
	return scene_done(scene, scene->mode,
			  gml_dir_link(&scene->op, scene->store, ino, scene->bucket,
				       scene_span("hard"), NULL));
}

static int act_remove(struct scene *scene)
{
	scene_gone(scene, scene->plain);
	return scene_done(scene, scene->plain,
			  gml_dir_remove(&scene->op, scene->store, scene->nfs, scene_span("plain"),
					 GML_REMOVE_FILE));
}

static bool scene_any(void *arg, struct gml_span name)
{
	(void)arg, (void)name;
	return true;
}

static int act_xattr(struct scene *scene)
{
	struct gml_span name = scene_span("user.color");
	char buf[100];
	size_t len;
	gml_ino ino;
	int rc = scene_ino(scene, scene->other, &ino);
	if (rc != 0)
		return rc;
	scene_text(scene, scene->xattr, "blue");
	rc = scene_done(scene, scene->xattr,
			gml_xattr_set(&scene->op, scene->store, ino, name, scene_span("blue"),
				      GML_XATTR_EITHER));
	if (rc == 0)
		rc = gml_xattr_get(&scene->op, scene->store, ino, name, buf, sizeof(buf), &len);
	if (rc == 0)
		rc = gml_xattr_list(&scene->op, scene->store, ino, scene_any, NULL);
	if (rc != 0)
		return rc;
	scene_gone(scene, scene->xattr);
	return scene_done(scene, scene->xattr,
			  gml_xattr_remove(&scene->op, scene->store, ino, name));
}

/* ---- records and uploads ----------------------------------------------------------------------------------------- */

static int act_records(struct scene *scene)
{
	struct gml_user bob = {.name = "bob", .uid = 502, .gid = 502};
	struct gml_key key = {.user = "bob"};
	struct gml_bucket bucket;
	int rc;
	scene_text(scene, scene->second, "0");
	rc = scene_done(
		scene, scene->second,
		gml_bucket_create(&scene->op, scene->store, scene_span("second"), NULL, &bucket));
	if (rc != 0)
		return rc;
	scene_text(scene, scene->user, "502");
	rc = scene_done(scene, scene->user, gml_user_create(&scene->op, scene->store, &bob));
	if (rc == 0)
		rc = gml_key_create(&scene->op, scene->store, &key);
	if (rc != 0)
		return rc;
	scene_gone(scene, scene->user);
	rc = scene_done(scene, scene->user, gml_user_delete(&scene->op, scene->store, "bob"));
	if (rc != 0)
		return rc;
	scene_gone(scene, scene->second);
	return scene_done(scene, scene->second,
			  gml_bucket_delete(&scene->op, scene->store, scene_span("second")));
}

/* Another part in place of the one that is there, then the whole. */
static int act_complete(struct scene *scene)
{
	struct story_item *item = scene->up;
	struct story_value content = scene_content(scene, 80000, 300);
	struct gml_span key = scene_span("up"), id = scene_span(item->slots[1].arg);
	struct gml_part_ref ref = {.number = 1};
	struct story_state *state = story_next(item);
	struct gml_put *put;
	struct gml_part part;
	char text[40];
	int rc = gml_part_begin(&scene->op, scene->store, scene_bucket(), key, id, 1, 80000, &put);
	if (rc != 0)
		return rc;
	snprintf(text, sizeof(text), "1:80000:%02x ", content.bytes[0]);
	state->values[1].bytes = story_keep(scene->story, text, strlen(text));
	state->values[1].len = strlen(text);
	story_ask(scene->story, item);
	rc = gml_put_write(put, content.bytes, content.len);
	if (rc != 0)
		gml_put_abort(put);
	else
		rc = gml_part_finish(&scene->op, put, content.bytes, NULL, &part);
	if (scene_done(scene, item, rc) != 0)
		return rc;
	for (int i = 0; i < 16; i++)
		sprintf(ref.etag + 2 * i, "%02x", content.bytes[i]);
	state = story_next(item);
	state->values[0] = content;
	state->values[1] = (struct story_value){.there = false};
	story_ask(scene->story, item);
	return scene_done(scene, item,
			  gml_upload_complete(&scene->op, scene->store, scene_bucket(), key, id,
					      &ref, 1, NULL, UINT64_MAX, NULL, NULL));
}

static int act_abort(struct scene *scene)
{
	struct story_item *item = scene->up;
	story_next(item)->values[1] = (struct story_value){.there = false};
	story_ask(scene->story, item);
	return scene_done(scene, item,
			  gml_upload_abort(&scene->op, scene->store, scene_bucket(),
					   scene_span("up"), scene_span(item->slots[1].arg)));
}

/* ---- the store as a whole ---------------------------------------------------------------------------------------- */

int scene_open(struct scene *scene)
{
	struct gml_store_options opt = scene_options();
	struct gml_attr attr;
	int rc = gml_store_open(scene->path, &opt, &scene->store);
	if (rc != 0)
		return rc;
	rc = gml_dir_lookup(&scene->op, scene->store, GML_INO_ROOT, scene_bucket(), &attr);
	scene->bucket = attr.ino;
	if (rc == 0)
		rc = gml_dir_lookup(&scene->op, scene->store, scene->bucket, scene_span("nfs"),
				    &attr);
	scene->nfs = attr.ino;
	return rc;
}

static int act_open(struct scene *scene)
{
	int rc = scene_open(scene);
	gml_store_close(scene->store);
	scene->store = NULL;
	return rc;
}

static int act_close(struct scene *scene)
{
	gml_store_close(scene->store);
	scene->store = NULL;
	return 0;
}

static int act_recover(struct scene *scene)
{
	return gml_store_recover(&scene->op, scene->store);
}

static int act_clean_up(struct scene *scene)
{
	uint64_t bytes;
	unsigned freed;
	int rc = gml_store_reap(&scene->op, scene->store, 0, 100, gml_store_file_is_open,
				scene->store, &freed);
	return rc == 0 ? gml_store_compact(&scene->op, scene->store, &bytes) : rc;
}

static void scene_problem(void *arg, const char *text)
{
	static char problem[200];
	snprintf(problem, sizeof(problem), "check reports: %s", text);
	scene_wrong(arg, problem);
}

static int act_check(struct scene *scene)
{
	struct gml_check_report report;
	struct gml_statfs fs;
	int rc = gml_store_check(&scene->op, scene->store, scene_problem, NULL, scene, &report);
	return rc == 0 ? gml_store_statfs(&scene->op, scene->store, scene->bucket, &fs) : rc;
}

/* A second store beside the first. What fails leaves nothing behind. */
static int act_create(struct scene *scene)
{
	struct gml_store_options opt = scene_options();
	char path[200];
	snprintf(path, sizeof(path), "%s-2", scene->path);
	return gml_store_create(path, &opt);
}

int scene_follow(struct scene *scene, bool packed)
{
	return scene_put(scene, scene->follow, packed ? 300 : 0, 400);
}

const struct scene_act scene_acts[] = {
	{"open and close", act_open, SCENE_CLOSED},
	{"close", act_close, SCENE_UNSETTLED},
	{"create a store", act_create, 0},
	{"recover", act_recover, SCENE_UNSETTLED},
	{"clean up", act_clean_up, 0},
	{"check", act_check, 0},
	{"put a new key", act_put_new, SCENE_PACKS},
	{"put with headers", act_put_headers, SCENE_PACKS},
	{"put a large object", act_put_big, 0},
	{"delete", act_delete, 0},
	{"copy", act_copy, 0},
	{"copy with checksum", act_copy_checksum, 0},
	{"list", act_list, 0},
	{"read", act_read, 0},
	{"write a file", act_file, 0},
	{"make an empty file", act_file_empty, 0},
	{"write over an object", act_overwrite, 0},
	{"truncate", act_truncate, 0},
	{"sparse", act_sparse, 0},
	{"attributes", act_attributes, 0},
	{"rename", act_rename, 0},
	{"mkdir, symlink", act_mkdir, 0},
	{"link", act_link, 0},
	{"remove", act_remove, 0},
	{"xattr", act_xattr, 0},
	{"records", act_records, 0},
	{"complete an upload", act_complete, 0},
	{"abort an upload", act_abort, 0},
};
const unsigned scene_acts_count = sizeof(scene_acts) / sizeof(scene_acts[0]);
