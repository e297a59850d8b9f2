// SPDX-License-Identifier: Apache-2.0
/* Steps with names, attributes, records and multipart uploads. */
#include <string.h>
#include <gemel/inode.h>
#include <gemel/principal.h>
#include <gemel/upload.h>
#include "worker.h"

/* Two names, of which one is there: renamed from the first to the second. */
static struct model_item *workload_pair(struct worker *w, const char *from, const char *to)
{
	struct model_item *item = workload_file(w, from);
	model_slot(item, MODEL_FILE, to, NULL);
	return item;
}

static void workload_rename(struct worker *w, struct model_item *item, const char *from,
			    const char *to)
{
	struct model_state *state = model_next(item);
	state->values[1] = state->values[0];
	state->values[0] = (struct model_value){.there = false};
	workload_request(w, item);
	MUST(gml_dir_rename(&w->op, w->store, workload_dir_of(w, from), STR(workload_name(from)),
			    workload_dir_of(w, to), STR(workload_name(to))));
	workload_acknowledge(w, item);
}

static struct model_item *workload_mkdir(struct worker *w, const char *path)
{
	struct model_item *item = workload_item(w, MODEL_DIR, path, NULL);
	struct gml_attr attr;
	WORKLOAD_FACT(w, item, "",
		      gml_dir_mkdir(&w->op, w->store, workload_dir_of(w, path),
				    STR(workload_name(path)), NULL, &attr));
	return item;
}

static void workload_remove(struct worker *w, struct model_item *item, enum gml_remove_kind kind)
{
	const char *path = item->slots[0].path;
	workload_gone(item);
	workload_request(w, item);
	MUST(gml_dir_remove(&w->op, w->store, workload_dir_of(w, path), STR(workload_name(path)),
			    kind));
	workload_acknowledge(w, item);
}

static void workload_xattrs(struct worker *w, const char *path)
{
	struct model_item *item = workload_item(w, MODEL_XATTR, path, "user.color");
	struct gml_span name = STR("user.color");
	gml_ino ino = workload_attr(w, path).ino;
	WORKLOAD_FACT(w, item, "red",
		      gml_xattr_set(&w->op, w->store, ino, name, STR("red"), GML_XATTR_CREATE));
	WORKLOAD_FACT(w, item, "green",
		      gml_xattr_set(&w->op, w->store, ino, name, STR("green"), GML_XATTR_REPLACE));
	workload_gone(item);
	workload_request(w, item);
	MUST(gml_xattr_remove(&w->op, w->store, ino, name));
	workload_acknowledge(w, item);
}

/* A directory with a file in it goes to d2 under another name. */
static void workload_rename_dir(struct worker *w, struct model_item *dir, struct model_item *file,
				const char *name)
{
	const char *from = dir->slots[0].path;
	struct model_state *state = model_next(file);
	state->values[1] = state->values[0];
	state->values[0] = (struct model_value){.there = false};
	workload_gone(dir);
	workload_request(w, file);
	workload_request(w, dir);
	MUST(gml_dir_rename(&w->op, w->store, workload_dir_of(w, from), STR(workload_name(from)),
			    workload_dir_of(w, "d2/"), STR(name)));
	workload_acknowledge(w, file);
	workload_acknowledge(w, dir);
}

void workload_names(struct worker *w)
{
	struct model_item *moved, *link = workload_item(w, MODEL_LINK, "link", NULL),
				  *mode = workload_item(w, MODEL_MODE, "d1/other", NULL), *inside,
				  *removed = workload_file(w, "removed"), *sub;
	struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_UID, .mode = 0640, .uid = 77};
	struct gml_attr attr;
	workload_mkdir(w, "d1");
	workload_mkdir(w, "d2");
	sub = workload_mkdir(w, "d1/sub");
	moved = workload_pair(w, "d1/x", "d2/y");
	workload_put(w, moved, 6000);
	WORKLOAD_FACT(w, mode, "644 0 0 1", workload_put(w, workload_file(w, "d1/other"), 5));
	workload_rename(w, moved, "d1/x", "d2/y");
	inside = workload_pair(w, "d1/sub/f", "d2/sub2/f");
	workload_put(w, inside, 700);
	workload_rename_dir(w, sub, inside, "sub2");
	WORKLOAD_FACT(w, link, "d2/y",
		      gml_dir_mknod(&w->op, w->store, w->bucket, STR("link"),
				    &(struct gml_node){.type = GML_LNK, .target = STR("d2/y")},
				    &attr));
	WORKLOAD_FACT(
		w, mode, "640 77 0 1",
		gml_inode_setattr(&w->op, w->store, workload_attr(w, "d1/other").ino, &set, NULL));
	WORKLOAD_FACT(w, mode, "640 77 0 2",
		      gml_dir_link(&w->op, w->store, workload_attr(w, "d1/other").ino, w->bucket,
				   STR("hard"), NULL));
	workload_xattrs(w, "d2/y");
	workload_close(w, removed, workload_create(w, removed));
	workload_remove(w, removed, GML_REMOVE_FILE);
	workload_remove(w, link, GML_REMOVE_ANY);
}

/* ---- records and uploads --------------------------------------------------------------------- */

void workload_records(struct worker *w)
{
	struct model_item *quota = workload_item(w, MODEL_BUCKET, "second", NULL),
			  *user = workload_item(w, MODEL_USER, "alice", NULL), *secret;
	struct gml_user alice = {.name = "alice", .uid = 501, .gid = 501};
	struct gml_key key = {.user = "alice", .id = "GKAAAAAAAAAAAAAAAAAA"};
	struct gml_bucket bucket;
	strcpy(key.secret, "abcdefghijklmnopqrstuvwxyz0123456789abcd");
	WORKLOAD_FACT(w, quota, "0",
		      gml_bucket_create(&w->op, w->store, STR("second"), NULL, &bucket));
	WORKLOAD_FACT(w, quota, "5", gml_bucket_set_quota(&w->op, w->store, STR("second"), 0, 5));
	WORKLOAD_FACT(w, user, "501", gml_user_create(&w->op, w->store, &alice));
	secret = workload_item(w, MODEL_KEY, key.id, NULL);
	WORKLOAD_FACT(w, secret, key.secret, gml_key_create(&w->op, w->store, &key));
	workload_gone(quota);
	workload_request(w, quota);
	MUST(gml_bucket_delete(&w->op, w->store, STR("second")));
	workload_acknowledge(w, quota);
}

static void workload_part(struct worker *w, struct model_item *item, const uint8_t *bytes,
			  size_t len, const char *parts)
{
	const struct model_slot *slot = &item->slots[1];
	struct gml_put *put;
	struct gml_part part;
	workload_set_text(w, &model_next(item)->values[1], parts);
	workload_request(w, item);
	MUST(gml_part_begin(&w->op, w->store,
			    UPLOAD_REF(workload_bucket(), STR(slot->path), STR(slot->arg)), 1, len,
			    &put));
	MUST(gml_put_write(put, bytes, len));
	MUST(gml_part_finish(&w->op, put, bytes, NULL, &part));
	workload_acknowledge(w, item);
}

static struct model_item *workload_upload(struct worker *w, const char *key)
{
	static const struct gml_object_new what;
	struct model_item *item = workload_file(w, key);
	size_t before = disk_now(w->workload->log);
	char id[GML_UPLOAD_ID_LEN + 1];
	MUST(gml_upload_create(&w->op, w->store, OBJECT_REF(workload_bucket(), STR(key)),
			       &(struct gml_upload_options){.attrs = &what}, id));
	model_slot(item, MODEL_UPLOAD, key, id);
	workload_set_text(w, &model_next(item)->values[1], "");
	workload_request(w, item);
	item->states[1].asked = before; /* its id is known only now */
	workload_acknowledge(w, item);
	return item;
}

void workload_uploads(struct worker *w)
{
	static const size_t lens[2] = {3000, 90000};
	struct model_item *item;
	struct model_state *state;
	const uint8_t *bytes;
	char text[64];
	for (int i = 0; i < 2; i++) {
		struct gml_part_ref ref = {.number = 1};
		bytes = workload_bytes(w, lens[i]);
		item = workload_upload(w, i == 0 ? "up-small" : "up-big");
		snprintf(text, sizeof(text), "1:16:%02x ", bytes[0]);
		workload_part(w, item, bytes, 16, text);
		snprintf(text, sizeof(text), "1:%zu:%02x ", lens[i], bytes[0]);
		workload_part(w, item, bytes, lens[i], text);
		for (int b = 0; b < 16; b++)
			sprintf(ref.etag + 2 * b, "%02x", bytes[b]);
		state = model_next(item);
		state->values[0] =
			(struct model_value){.there = true, .bytes = bytes, .len = lens[i]};
		state->values[1] = (struct model_value){.there = false};
		workload_request(w, item);
		MUST(gml_upload_complete(&w->op, w->store,
					 UPLOAD_REF(workload_bucket(), STR(item->slots[0].path),
						    STR(item->slots[1].arg)),
					 &(struct gml_complete_options){.parts = &ref, .nparts = 1},
					 NULL));
		workload_acknowledge(w, item);
	}
	item = workload_upload(w, "up-aborted");
	bytes = workload_bytes(w, 70000);
	snprintf(text, sizeof(text), "1:70000:%02x ", bytes[0]);
	workload_part(w, item, bytes, 70000, text);
	model_next(item)->values[1] = (struct model_value){.there = false};
	workload_request(w, item);
	MUST(gml_upload_abort(
		&w->op, w->store,
		UPLOAD_REF(workload_bucket(), STR("up-aborted"), STR(item->slots[1].arg))));
	workload_acknowledge(w, item);
}
