// SPDX-License-Identifier: Apache-2.0
/* Scenes with names, attributes, records and multipart uploads. */
#include <string.h>
#include <gemel/inode.h>
#include <gemel/principal.h>
#include <gemel/upload.h>
#include "teller.h"

/* Two names, of which one is there: renamed from the first to the second. */
static struct story_item *tale_pair(struct teller *t, const char *from, const char *to)
{
	struct story_item *item = tale_file(t, from);
	story_slot(item, STORY_FILE, to, NULL);
	return item;
}

static void tale_rename(struct teller *t, struct story_item *item, const char *from, const char *to)
{
	struct story_state *state = story_next(item);
	state->values[1] = state->values[0];
	state->values[0] = (struct story_value){.there = false};
	tale_ask(t, item);
	MUST(gml_dir_rename(&t->op, t->store, tale_dir_of(t, from), tale_span(tale_name(from)),
			    tale_dir_of(t, to), tale_span(tale_name(to))));
	tale_ack(t, item);
}

static struct story_item *tale_mkdir(struct teller *t, const char *path)
{
	struct story_item *item = tale_item(t, STORY_DIR, path, NULL);
	struct gml_attr attr;
	TALE_FACT(t, item, "",
		  gml_dir_mkdir(&t->op, t->store, tale_dir_of(t, path), tale_span(tale_name(path)),
				NULL, &attr));
	return item;
}

static void tale_remove(struct teller *t, struct story_item *item, enum gml_remove_what what)
{
	const char *path = item->slots[0].path;
	tale_gone(item);
	tale_ask(t, item);
	MUST(gml_dir_remove(&t->op, t->store, tale_dir_of(t, path), tale_span(tale_name(path)),
			    what));
	tale_ack(t, item);
}

static void tale_xattrs(struct teller *t, const char *path)
{
	struct story_item *item = tale_item(t, STORY_XATTR, path, "user.color");
	struct gml_span name = tale_span("user.color");
	gml_ino ino = tale_attr(t, path).ino;
	TALE_FACT(t, item, "red",
		  gml_xattr_set(&t->op, t->store, ino, name, tale_span("red"), GML_XATTR_CREATE));
	TALE_FACT(
		t, item, "green",
		gml_xattr_set(&t->op, t->store, ino, name, tale_span("green"), GML_XATTR_REPLACE));
	tale_gone(item);
	tale_ask(t, item);
	MUST(gml_xattr_remove(&t->op, t->store, ino, name));
	tale_ack(t, item);
}

/* A directory with a file in it goes to d2 under another name. */
static void tale_rename_dir(struct teller *t, struct story_item *dir, struct story_item *file,
			    const char *name)
{
	const char *from = dir->slots[0].path;
	struct story_state *state = story_next(file);
	state->values[1] = state->values[0];
	state->values[0] = (struct story_value){.there = false};
	tale_gone(dir);
	tale_ask(t, file);
	tale_ask(t, dir);
	MUST(gml_dir_rename(&t->op, t->store, tale_dir_of(t, from), tale_span(tale_name(from)),
			    tale_dir_of(t, "d2/"), tale_span(name)));
	tale_ack(t, file);
	tale_ack(t, dir);
}

void tale_names(struct teller *t)
{
	struct story_item *moved, *link = tale_item(t, STORY_LINK, "link", NULL),
				  *mode = tale_item(t, STORY_MODE, "d1/other", NULL), *inside,
				  *removed = tale_file(t, "removed"), *sub;
	struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_UID, .mode = 0640, .uid = 77};
	struct gml_attr attr;
	tale_mkdir(t, "d1");
	tale_mkdir(t, "d2");
	sub = tale_mkdir(t, "d1/sub");
	moved = tale_pair(t, "d1/x", "d2/y");
	tale_put(t, moved, 6000);
	TALE_FACT(t, mode, "644 0 0 1", tale_put(t, tale_file(t, "d1/other"), 5));
	tale_rename(t, moved, "d1/x", "d2/y");
	inside = tale_pair(t, "d1/sub/f", "d2/sub2/f");
	tale_put(t, inside, 700);
	tale_rename_dir(t, sub, inside, "sub2");
	TALE_FACT(t, link, "d2/y",
		  gml_dir_symlink(&t->op, t->store, t->bucket, tale_span("link"), tale_span("d2/y"),
				  NULL, &attr));
	TALE_FACT(t, mode, "640 77 0 1",
		  gml_inode_setattr(&t->op, t->store, tale_attr(t, "d1/other").ino, &set, NULL));
	TALE_FACT(t, mode, "640 77 0 2",
		  gml_dir_link(&t->op, t->store, tale_attr(t, "d1/other").ino, t->bucket,
			       tale_span("hard"), NULL));
	tale_xattrs(t, "d2/y");
	tale_close(t, removed, tale_create(t, removed));
	tale_remove(t, removed, GML_REMOVE_FILE);
	tale_remove(t, link, GML_REMOVE_ANY);
}

/* ---- records and uploads ----------------------------------------------------------------------------------------- */

void tale_records(struct teller *t)
{
	struct story_item *quota = tale_item(t, STORY_BUCKET, "second", NULL),
			  *user = tale_item(t, STORY_USER, "alice", NULL), *secret;
	struct gml_user alice = {.name = "alice", .uid = 501, .gid = 501};
	struct gml_key key = {.user = "alice", .id = "GKAAAAAAAAAAAAAAAAAA"};
	struct gml_bucket bucket;
	strcpy(key.secret, "abcdefghijklmnopqrstuvwxyz0123456789abcd");
	TALE_FACT(t, quota, "0",
		  gml_bucket_create(&t->op, t->store, tale_span("second"), NULL, &bucket));
	TALE_FACT(t, quota, "5", gml_bucket_set_quota(&t->op, t->store, tale_span("second"), 0, 5));
	TALE_FACT(t, user, "501", gml_user_create(&t->op, t->store, &alice));
	secret = tale_item(t, STORY_KEY, key.id, NULL);
	TALE_FACT(t, secret, key.secret, gml_key_create(&t->op, t->store, &key));
	tale_gone(quota);
	tale_ask(t, quota);
	MUST(gml_bucket_delete(&t->op, t->store, tale_span("second")));
	tale_ack(t, quota);
}

static void tale_part(struct teller *t, struct story_item *item, const uint8_t *bytes, size_t len,
		      const char *parts)
{
	const struct story_slot *slot = &item->slots[1];
	struct gml_put *put;
	struct gml_part part;
	tale_set_text(t, &story_next(item)->values[1], parts);
	tale_ask(t, item);
	MUST(gml_part_begin(&t->op, t->store, tale_bucket(), tale_span(slot->path),
			    tale_span(slot->arg), 1, len, &put));
	MUST(gml_put_write(put, bytes, len));
	MUST(gml_part_finish(&t->op, put, bytes, NULL, &part));
	tale_ack(t, item);
}

static struct story_item *tale_upload(struct teller *t, const char *key)
{
	static const struct gml_object_new what;
	struct story_item *item = tale_file(t, key);
	size_t before = disk_now(t->tale->log);
	char id[GML_UPLOAD_ID_LEN + 1];
	MUST(gml_upload_create(&t->op, t->store, tale_bucket(), tale_span(key), &what,
			       GML_CHECKSUM_NONE, false, id));
	story_slot(item, STORY_UPLOAD, key, id);
	tale_set_text(t, &story_next(item)->values[1], "");
	tale_ask(t, item);
	item->states[1].asked = before; /* its id is known only now */
	tale_ack(t, item);
	return item;
}

void tale_uploads(struct teller *t)
{
	static const size_t lens[2] = {3000, 90000};
	struct story_item *item;
	struct story_state *state;
	const uint8_t *bytes;
	char text[64];
	for (int i = 0; i < 2; i++) {
		struct gml_part_ref ref = {.number = 1};
		bytes = tale_bytes(t, lens[i]);
		item = tale_upload(t, i == 0 ? "up-small" : "up-big");
		snprintf(text, sizeof(text), "1:16:%02x ", bytes[0]);
		tale_part(t, item, bytes, 16, text);
		snprintf(text, sizeof(text), "1:%zu:%02x ", lens[i], bytes[0]);
		tale_part(t, item, bytes, lens[i], text);
		for (int b = 0; b < 16; b++)
			sprintf(ref.etag + 2 * b, "%02x", bytes[b]);
		state = story_next(item);
		state->values[0] =
			(struct story_value){.there = true, .bytes = bytes, .len = lens[i]};
		state->values[1] = (struct story_value){.there = false};
		tale_ask(t, item);
		MUST(gml_upload_complete(
			&t->op, t->store, tale_bucket(), tale_span(item->slots[0].path),
			tale_span(item->slots[1].arg), &ref, 1, NULL, UINT64_MAX, NULL, NULL));
		tale_ack(t, item);
	}
	item = tale_upload(t, "up-aborted");
	bytes = tale_bytes(t, 70000);
	snprintf(text, sizeof(text), "1:70000:%02x ", bytes[0]);
	tale_part(t, item, bytes, 70000, text);
	story_next(item)->values[1] = (struct story_value){.there = false};
	tale_ask(t, item);
	MUST(gml_upload_abort(&t->op, t->store, tale_bucket(), tale_span("up-aborted"),
			      tale_span(item->slots[1].arg)));
	tale_ack(t, item);
}
