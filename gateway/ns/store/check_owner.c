// SPDX-License-Identifier: Apache-2.0
/* Whose the damaged bytes are: bucket and key, inode number where a file has no name or several. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <gemel/err.h>
#include "gateway/base/assert.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "check.h"

#define OWNER_DEPTH 256 /* directories of a path that is printed */

/* The first damage of a blob >= `blob`. */
static size_t owner_first(const struct check_array *damages, uint64_t blob)
{
	size_t lo = 0, hi = damages->count;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct check_damage *damage = gml_check_at(damages, mid);
		if (damage->blob < blob)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* "bucket/key", from its end to its beginning; false: it has no name that its records know. */
static bool owner_path(struct check *c, const struct gml_inode *of, char out[160])
{
	struct gml_inode inode = *of;
	char text[160], name[128];
	out[0] = '\0';
	for (int depth = 0; depth < OWNER_DEPTH && !gml_ino_is_none(inode.parent); depth++) {
		gml_check_name(name, inode.name);
		if (snprintf(text, sizeof(text), "%s%s", name, out) >= (int)sizeof(text))
			snprintf(text, sizeof(text), "...%.150s", out);
		memcpy(out, text, sizeof(text));
		if (gml_ino_equal(inode.parent, GML_INO_ROOT))
			return true;
		if (gml_rec_inode_get(c->txn, inode.parent, &inode) != 0)
			return false;
	}
	return false;
}

static void owner_note(struct check_damage *damage, const char *text)
{
	size_t used = strlen(damage->owners), len = strlen(text);
	gml_assert(used < sizeof(damage->owners) && len > 0);
	if (used + len + 3 > sizeof(damage->owners)) {
		damage->more = true;
		return;
	}
	if (used > 0)
		memcpy(damage->owners + used, ", ", 2);
	memcpy(damage->owners + (used > 0 ? used + 2 : 0), text, len + 1);
}

struct owner {
	struct check *c;
	const struct gml_inode *inode; /* NULL: of a part */
	char text[192];		       /* "": not made yet */
};

static void owner_text(struct owner *owner)
{
	char path[160];
	if (owner->text[0] != '\0')
		return;
	if (owner_path(owner->c, owner->inode, path))
		snprintf(owner->text, sizeof(owner->text), "%s", path);
	else
		snprintf(owner->text, sizeof(owner->text), "inode %s",
			 gml_ino_text(owner->inode->ino));
}

/* It has [off, off + len) of `blob`. */
static void owner_range(struct owner *owner, uint64_t blob, uint64_t off, uint64_t len)
{
	struct check_array *damages = &owner->c->damages;
	for (size_t i = owner_first(damages, blob); i < damages->count; i++) {
		struct check_damage *damage = gml_check_at(damages, i);
		if (damage->blob != blob)
			break;
		if (damage->off >= off + len || off >= damage->off + damage->len)
			continue;
		owner_text(owner);
		owner_note(damage, owner->text);
	}
}

static int owner_inode(struct check *c, struct gml_span key)
{
	struct gml_inode inode;
	struct owner owner = {.c = c, .inode = &inode};
	struct gml_extent extent;
	uint64_t off = 0;
	gml_ino ino;
	int rc = 0;
	if (!gml_check_ino(key, 0, &ino) || gml_rec_inode_get(c->txn, ino, &inode) != 0)
		return 0; /* damaged: the check of the records says so */
	for (uint32_t i = 0; i < inode.nextents; i++)
		owner_range(&owner, inode.extents[i].blob, inode.extents[i].blob_off,
			    inode.extents[i].len);
	while (inode.flags & GML_INODE_EXTENTS &&
	       (rc = gml_rec_extent_find(c->txn, inode.ino, off, &extent)) == 0) {
		owner_range(&owner, extent.blob, extent.blob_off, extent.len);
		off = extent.off + extent.len;
	}
	if (inode.wblob != 0)
		owner_range(&owner, inode.wblob, 0, inode.size);
	return rc == GML_ERR_NOENT || rc == GML_ERR_CORRUPT ? 0 : rc;
}

struct owner_upload {
	struct owner owner;
	char key[128];
};

static bool owner_part(void *arg, uint32_t number, const struct gml_part_rec *rec)
{
	struct owner_upload *upload = arg;
	struct gml_extent extent;
	snprintf(upload->owner.text, sizeof(upload->owner.text), "part %u of an upload of %s",
		 number, upload->key);
	for (uint32_t i = 0; i < rec->nextents; i++)
		if (gml_rec_part_extent(rec, i, &extent) == 0)
			owner_range(&upload->owner, extent.blob, extent.blob_off, extent.len);
	return true;
}

static bool owner_each_upload(void *arg, const uint8_t id[16], const struct gml_upload_rec *rec)
{
	struct check *c = arg;
	struct owner_upload upload = {.owner.c = c};
	gml_check_name(upload.key, rec->key);
	c->rc = gml_rec_part_each(c->txn, id, 0, owner_part, &upload);
	return c->rc == 0 || c->rc == GML_ERR_CORRUPT;
}

int gml_check_owners(struct check *c)
{
	int rc = gml_meta_read_begin(c->store->meta, &c->txn);
	if (rc != 0)
		return rc;
	rc = gml_check_keys(c, GML_TABLE_INODE, owner_inode);
	if (rc == 0)
		rc = gml_rec_upload_each(c->txn, owner_each_upload, c);
	if (rc == 0)
		rc = c->rc;
	gml_meta_read_end(c->txn);
	c->txn = NULL;
	return rc == GML_ERR_CORRUPT ? 0 : rc;
}
