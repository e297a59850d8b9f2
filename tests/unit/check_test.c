// SPDX-License-Identifier: Apache-2.0
/* gml_store_check finds each kind of damage. Every case breaks one thing in a sound store by hand,
 * and names what must be said. */
#include <fcntl.h>
#include "gateway/iam/acl.h"
#include "gateway/ns/core/link.h"
#include "gateway/ns/posix/open_inode.h"
#include "gateway/meta/record/record_internal.h"
#include "ns_support.h"

struct said {
	const char *want;
	unsigned count;
	bool found;
	char all[4096];
};

static void hear(void *arg, const char *text)
{
	struct said *said = arg;
	said->count++;
	said->found = said->found || strstr(text, said->want) != NULL;
	if (strlen(said->all) + strlen(text) + 2 < sizeof(said->all))
		strcat(strcat(said->all, text), "\n");
}

static void expect_problem(struct ns *ns, const char *want)
{
	struct said said = {.want = want};
	struct gml_check_report report;
	assert_ok(gml_store_check(&ns->op, ns->store, hear, NULL, &said, &report));
	assert_int_equal(report.problems, said.count);
	if (!said.found)
		fail_msg("not said: %s\nsaid:\n%s", want, said.all);
}

/* A damaged store: the teardown's check would complain. */
static void done(struct ns *ns)
{
	ns_close(ns);
}

/* ---- the sound store ------------------------------------------------------------------------- */

struct world {
	struct ns *ns;
	gml_ino dir, file, packed;
	struct gml_inode inode; /* `file`, as recorded (scalars) */
	uint64_t segment;
};

static void world_make(struct ns *ns, struct world *w)
{
	struct gml_txn *txn;
	struct gml_inode packed;
	char name[600];
	*w = (struct world){.ns = ns};
	w->dir = ns_mkdir(ns, ns->bucket, "dir");
	w->file = ns_put(ns, w->dir, "file", "0123456789");
	memset(name, 'l', sizeof(name));
	w->packed = ns_raw(ns, w->dir, name, sizeof(name), GML_REG, "packed", 6);
	name[599] = 'm';
	ns_raw(ns, w->dir, name, sizeof(name), GML_REG, "more", 4);
	ns_raw(ns, w->dir, name, 550, GML_REG, "more", 4);
	assert_ok(gml_dir_link(&ns->op, ns->store, w->file, ns->bucket, ns_span("second"), NULL));
	assert_ok(gml_xattr_set(&ns->op, ns->store, w->file, ns_span("user.a"), ns_span("b"),
				GML_XATTR_EITHER));
	ns_put(ns, ns->bucket, "gone", "x");
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("gone"), GML_REMOVE_FILE));
	ns_check(ns);
	assert_ok(gml_meta_read_begin(ns->store->meta, &txn));
	assert_ok(gml_rec_inode_get(txn, w->file, &w->inode));
	assert_ok(gml_rec_inode_get(txn, w->packed, &packed));
	w->segment = packed.extents[0].blob;
	gml_meta_read_end(txn);
}

static void test_report(void **state)
{
	struct ns *ns = *state;
	struct gml_check_report r;
	struct world w;
	world_make(ns, &w);
	assert_ok(gml_store_check(&ns->op, ns->store, NULL, NULL, NULL, &r));
	assert_int_equal(r.problems, 0);
	assert_int_equal(r.inodes, 8);
	assert_int_equal(r.directories, 3);
	assert_int_equal(r.dirents, 7);
	assert_int_equal(r.extents, 3);
	assert_int_equal(r.blobs, 5);
	assert_int_equal(r.xattrs, 1);
	assert_int_equal(r.buckets, 1);
	assert_int_equal(r.orphans, 1);
	assert_int_equal(r.bytes, 24);
}

static uint64_t progress_last;

static void progress(void *arg, uint64_t done_count, uint64_t total)
{
	assert_true(done_count <= total && done_count >= progress_last);
	progress_last = done_count;
}

static void test_progress(void **state)
{
	struct ns *ns = *state;
	struct gml_check_report r;
	progress_last = 0;
	assert_ok(gml_store_check(&ns->op, ns->store, NULL, progress, NULL, &r));
	assert_true(progress_last > 0);
}

/* ---- damage ---------------------------------------------------------------------------------- */

typedef int (*damage_fn)(struct gml_txn *txn, struct world *w);

struct damage {
	damage_fn fn;
	struct world *w;
};

static int damage_txn(struct gml_txn *txn, void *arg)
{
	struct damage *d = arg;
	return d->fn(txn, d->w);
}

static int change_inode(struct gml_txn *txn, gml_ino ino, void (*change)(struct gml_inode *inode))
{
	struct gml_inode inode;
	int rc = gml_rec_inode_get(txn, ino, &inode);
	change(&inode);
	return rc == 0 ? gml_rec_inode_put(txn, &gml_line_none, &inode) : rc;
}

static void set_nlink(struct gml_inode *i)
{
	i->nlink = 7;
}
static void set_parent(struct gml_inode *i)
{
	i->parent = INO(1);
}
static void set_orphan(struct gml_inode *i)
{
	i->flags |= GML_INODE_ORPHAN;
}
static void set_dirty(struct gml_inode *i)
{
	i->flags |= GML_INODE_DIRTY;
}
static void set_extents(struct gml_inode *i)
{
	i->flags |= GML_INODE_EXTENTS, i->nextents = 0;
}
static void set_no_xattrs(struct gml_inode *i)
{
	i->flags &= ~(uint32_t)GML_INODE_XATTRS;
}
static void set_implicit(struct gml_inode *i)
{
	i->flags &= ~(uint32_t)GML_INODE_EXPLICIT;
}
static void set_bucket(struct gml_inode *i)
{
	i->bucket = INO(999);
}
static void set_size(struct gml_inode *i)
{
	i->size = 5000;
}
static void set_small(struct gml_inode *i)
{
	i->size = 2;
}
static void set_uid(struct gml_inode *i)
{
	i->uid = 12;
}
static void set_far(struct gml_inode *i)
{
	i->extents[0].blob_off = 100;
}

/* An ACL of one entry: for the owner, or what a mode says. */
static uint8_t set_acl_bytes[GML_ACL_BYTES_MAX];
static void set_acl(struct gml_inode *i, uint32_t mode, bool of_mode)
{
	struct gml_acl acl = {.count = 1,
			      .aces = {{.who = GML_ACE_OWNER, .mask = GML_ACE_READ_DATA}}};
	if (of_mode)
		gml_acl_of_mode(mode, false, &acl);
	i->mode = mode;
	i->acl = (struct gml_span){set_acl_bytes, gml_acl_encode(&acl, set_acl_bytes)};
}
static void set_acl_damaged(struct gml_inode *i)
{
	set_acl(i, 0400, false);
	set_acl_bytes[0] = 2;
}
static void set_acl_mode(struct gml_inode *i)
{
	set_acl(i, 0600, false);
}
static void set_acl_idle(struct gml_inode *i)
{
	set_acl(i, 0640, true);
}

static int d_nlink(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->file, set_nlink);
}
static int d_dir_nlink(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->dir, set_nlink);
}
static int d_parent(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->dir, set_parent);
}
static int d_orphan(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->file, set_orphan);
}
static int d_dirty(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->file, set_dirty);
}
static int d_extents(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->file, set_extents);
}
static int d_xattrs(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->file, set_no_xattrs);
}
static int d_bucket(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->dir, set_bucket);
}
static int d_size(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->file, set_size);
}
static int d_small(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->packed, set_small);
}
static int d_owner(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->ns->bucket, set_uid);
}
static int d_far(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->packed, set_far);
}
static int d_inode(struct gml_txn *t, struct world *w)
{
	return gml_rec_inode_del(t, &gml_line_none, w->file);
}
static int d_root(struct gml_txn *t, struct world *w)
{
	return gml_rec_inode_del(t, &gml_line_none, GML_INO_ROOT);
}
static int d_dirent(struct gml_txn *t, struct world *w)
{
	return gml_rec_dirent_del(t, &gml_line_none, w->dir, ns_span("file"), NULL);
}
static int d_blob_kind(struct gml_txn *t, struct world *w)
{
	(void)w;
	return gml_rec_blob_put(t, UINT64_C(2) << 56 | 7,
				&(struct gml_blob_rec){.refs = 1, .len = 6});
}

static int d_blob(struct gml_txn *t, struct world *w)
{
	return gml_rec_blob_del(t, w->segment);
}
static int d_orphan_row(struct gml_txn *t, struct world *w)
{
	return gml_rec_orphan_put(t, &gml_line_none, w->file, 5);
}
static int d_orphan_none(struct gml_txn *t, struct world *w)
{
	return gml_rec_orphan_put(t, &gml_line_none, INO(4242), 5);
}
static int d_bucket_row(struct gml_txn *t, struct world *w)
{
	return gml_rec_bucket_del(t, ns_span("bucket"));
}

static int d_overlap(struct gml_txn *t, struct world *w)
{
	int rc = change_inode(t, w->packed, set_extents);
	if (rc == 0)
		rc = gml_rec_extent_put(t, &gml_line_none, w->packed,
					&(struct gml_extent){0, w->segment, 0, 6});
	return rc == 0 ? gml_rec_extent_put(t, &gml_line_none, w->packed,
					    &(struct gml_extent){3, w->segment, 0, 3})
		       : rc;
}

static int d_acl(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->file, set_acl_damaged);
}
static int d_acl_mode(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->file, set_acl_mode);
}
static int d_acl_idle(struct gml_txn *t, struct world *w)
{
	return change_inode(t, w->file, set_acl_idle);
}

static int d_implicit(struct gml_txn *t, struct world *w)
{
	struct gml_op op = {0};
	struct gml_inode dir, inode;
	int rc = gml_rec_inode_get(t, w->dir, &dir);
	if (rc == 0)
		rc = gml_inode_init(t, &op, &dir, GML_DIR, &GML_NEW_DIRECTORY_MODE, &inode);
	set_implicit(&inode);
	return rc == 0 ? gml_link_add(t, &dir, ns_span("empty/"), &inode) : rc;
}

static int d_refs(struct gml_txn *t, struct world *w)
{
	return gml_rec_blob_put(t, w->segment,
				&(struct gml_blob_rec){.refs = 2, .len = 6, .summed = 6});
}

static int d_unreferenced(struct gml_txn *t, struct world *w)
{
	return gml_rec_blob_put(t, 77777, &(struct gml_blob_rec){.refs = 1, .len = 6});
}

static int d_pack_missing(struct gml_txn *t, struct world *w)
{
	struct gml_inode inode;
	int rc = gml_rec_inode_get(t, w->packed, &inode);
	if (rc == 0)
		rc = gml_rec_blob_del(t, w->segment);
	if (rc == 0)
		rc = gml_rec_blob_put(t, gml_pack_id(99, 0),
				      &(struct gml_blob_rec){.refs = 1, .len = 6});
	if (rc == 0)
		rc = gml_rec_inode_get(t, w->packed, &inode);
	inode.extents[0].blob = gml_pack_id(99, 0);
	return rc == 0 ? gml_rec_inode_put(t, &gml_line_none, &inode) : rc;
}

static int d_segments(struct gml_txn *t, struct world *w)
{
	return gml_rec_blob_put(t, w->segment, &(struct gml_blob_rec){.refs = 1, .len = 100});
}

static int d_dangling(struct gml_txn *t, struct world *w)
{
	struct gml_dirent dirent = {
		.ino = INO(4242), .cookie = gml_txn_next_id(t), .type = GML_REG};
	return gml_rec_dirent_put(t, &gml_line_none, w->dir, ns_span("dangling"), &dirent);
}

static int d_type(struct gml_txn *t, struct world *w)
{
	struct gml_dirent dirent = {.ino = w->file, .cookie = gml_txn_next_id(t), .type = GML_FIFO};
	return gml_rec_dirent_put(t, &gml_line_none, w->dir, ns_span("file"), &dirent);
}

static int d_slash(struct gml_txn *t, struct world *w)
{
	struct gml_dirent dirent = {.ino = w->file, .cookie = gml_txn_next_id(t), .type = GML_REG};
	return gml_rec_dirent_put(t, &gml_line_none, w->dir, ns_span("x/"), &dirent);
}

static int d_no_cookie(struct gml_txn *t, struct world *w)
{
	struct gml_dirent dirent = {.ino = w->file, .type = GML_REG};
	return gml_rec_dirent_put(t, &gml_line_none, w->dir, ns_span("file"), &dirent);
}

static int d_cookie_row(struct gml_txn *t, struct world *w)
{
	uint8_t key[GML_INO_KEY_MAX + 8];
	struct gml_dirent dirent;
	size_t len = gml_ino_key(key, w->dir);
	int rc = gml_rec_dirent_get(t, w->dir, ns_span("file"), &dirent);
	gml_key_u64(key + len, dirent.cookie);
	return rc == 0 ? gml_txn_del(t, GML_TABLE_COOKIE, (struct gml_span){key, len + 8}) : rc;
}

static int d_stray_dirent(struct gml_txn *t, struct world *w)
{
	struct gml_dirent dirent = {.ino = w->file, .type = GML_REG};
	return gml_rec_dirent_put(t, &gml_line_none, INO(4242), ns_span("nowhere"), &dirent);
}

static int d_usage(struct gml_txn *t, struct world *w)
{
	struct gml_usage_rec usage;
	int rc = gml_rec_usage_get(t, gml_line_id(w->ns->bucket), &usage);
	usage.bytes++;
	return rc == 0 ? gml_rec_usage_put(t, gml_line_id(w->ns->bucket), &usage) : rc;
}

static int d_backref_stray(struct gml_txn *t, struct world *w)
{
	return gml_rec_link_put(t, &gml_line_none, w->file, w->dir, 4242);
}

static int d_backref_wrong(struct gml_txn *t, struct world *w)
{
	struct gml_dirent dirent;
	int rc = gml_rec_dirent_get(t, w->dir, ns_span("file"), &dirent);
	return rc == 0 ? gml_rec_link_put(t, &gml_line_none, w->packed, w->dir, dirent.cookie) : rc;
}

static int d_backref_missing(struct gml_txn *t, struct world *w)
{
	struct gml_dirent dirent;
	int rc = gml_rec_dirent_get(t, w->dir, ns_span("file"), &dirent);
	return rc == 0 ? gml_rec_link_del(t, &gml_line_none, w->file, w->dir, dirent.cookie) : rc;
}

static int d_no_usage(struct gml_txn *t, struct world *w)
{
	return gml_rec_usage_del(t, gml_line_id(w->ns->bucket));
}

static int d_no_line(struct gml_txn *t, struct world *w)
{
	return gml_rec_line_del(t, gml_line_id(w->ns->bucket));
}

static int d_line_row(struct gml_txn *t, struct world *w)
{
	struct gml_line line = gml_line_none;
	line.id = 4242;
	return gml_rec_line_put(t, &line, ns_span("ghost"));
}

static int d_usage_row(struct gml_txn *t, struct world *w)
{
	return gml_rec_usage_put(t, 4242, &(struct gml_usage_rec){0});
}

static int d_dirty_row(struct gml_txn *t, struct world *w)
{
	return gml_rec_dirty_put(t, w->file, &w->ns->store->self);
}

static int d_dirty_dead(struct gml_txn *t, struct world *w)
{
	struct gml_owner owner = w->ns->store->self;
	int rc = change_inode(t, w->file, set_dirty);
	owner.start++;
	return rc == 0 ? gml_rec_dirty_put(t, w->file, &owner) : rc;
}

static int d_xattr_row(struct gml_txn *t, struct world *w)
{
	return gml_rec_xattr_put(t, &gml_line_none, INO(4242), ns_span("user.x"), ns_span("y"));
}

/* A record of any bytes, with the checksum that fits them. */
static int sealed_put(struct gml_txn *t, enum gml_table table, struct gml_span key,
		      const char *value)
{
	struct gml_enc enc;
	gml_enc_init(&enc, (uint8_t)value[0]);
	gml_enc_raw(&enc, value + 1, strlen(value) - 1);
	return gml_enc_put(&enc, t, table, key);
}

static int d_document_row(struct gml_txn *t, struct world *w)
{
	return gml_rec_config_put(t, INO(4242), GML_BUCKET_TAGGING, ns_span("x"));
}

static int d_document_damaged(struct gml_txn *t, struct world *w)
{
	uint8_t key[9];
	gml_key_u64(key, gml_line_id(w->ns->bucket));
	key[8] = GML_BUCKET_TAGGING;
	return sealed_put(t, GML_TABLE_CONFIG, (struct gml_span){key, sizeof(key)}, "\x07x");
}

static int d_extent_row(struct gml_txn *t, struct world *w)
{
	return gml_rec_extent_put(t, &gml_line_none, w->packed,
				  &(struct gml_extent){50, w->segment, 0, 5});
}

static int d_upload(struct gml_txn *t, struct world *w)
{
	struct gml_upload_rec rec = {.bucket = w->ns->bucket, .key = ns_span("key")};
	return gml_rec_upload_put(t, (const uint8_t *)"0123456789abcdef", &rec);
}

static int d_part(struct gml_txn *t, struct world *w)
{
	return gml_rec_part_put(t, (const uint8_t *)"0123456789abcdef", 3,
				&(struct gml_part_rec){.size = 0}, NULL);
}

static int d_upload_entry(struct gml_txn *t, struct world *w)
{
	struct gml_bucket_rec rec;
	struct gml_dirent dirent = {.ino = INO(1), .type = GML_REG};
	int rc = gml_rec_bucket_get(t, ns_span("bucket"), &rec);
	return rc == 0 ? gml_rec_dirent_put(t, &gml_line_none, rec.uploads,
					    (struct gml_span){"key\0"
							      "0123456789abcdef0123456789abcdef",
							      36},
					    &dirent)
		       : rc;
}

static int d_key(struct gml_txn *t, struct world *w)
{
	return gml_rec_key_put(
		t, &(struct gml_key){.id = "GKX", .secret = "hidden", .user = "nobody"});
}

static int d_group(struct gml_txn *t)
{
	return gml_rec_group_put(
		t, &(struct gml_group){.name = "Team", .id = "AGPAABCDEFGHIJKLMNOPQ"});
}

static int d_member_user(struct gml_txn *t, struct world *w)
{
	int rc = d_group(t);
	return rc == 0 ? gml_rec_member_put(t, ns_span("team"), ns_span("ghost")) : rc;
}

static int d_member_group(struct gml_txn *t, struct world *w)
{
	const struct gml_user ann = {.name = "ann", .id = "AIDAABCDEFGHIJKLMNOPQ"};
	int rc = gml_rec_user_put(t, &ann);
	return rc == 0 ? gml_rec_member_put(t, ns_span("none"), ns_span("ann")) : rc;
}

static int iam_put(struct gml_txn *t, const char *key, size_t len, const char *value)
{
	return sealed_put(t, GML_TABLE_IAM, (struct gml_span){key, len}, value);
}

static int d_member_of(struct gml_txn *t, struct world *w)
{
	int rc = d_member_group(t, w);
	if (rc == 0)
		rc = d_group(t);
	return rc == 0 ? iam_put(t,
				 "\x11"
				 "ann\0team",
				 9, "\1")
		       : rc;
}

static int d_tags(struct gml_txn *t, struct world *w)
{
	int rc = d_member_group(t, w);
	return rc == 0 ? iam_put(t, "\x30\1ann", 5, "\1\3\2k=") : rc;
}

static int d_attached(struct gml_txn *t, struct world *w)
{
	int rc = d_group(t);
	return rc == 0 ? gml_rec_attached_put(
				 t, &(struct gml_rec_identity){GML_IDENTITY_GROUP, ns_span("team")},
				 ns_span("none"))
		       : rc;
}

static int policy_put(struct gml_txn *t, const char *document)
{
	return gml_rec_policy_put(
		t, &(struct gml_policy){.name = "Read", .id = "ANPAABCDEFGHIJKLMNOPQ"},
		ns_span(document));
}

static int d_policy(struct gml_txn *t, struct world *w)
{
	return policy_put(t, "{}");
}

/* "used by user x", who does not know. */
static int d_used(struct gml_txn *t, struct world *w)
{
	int rc = policy_put(t, "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","
			       "\"Resource\":\"*\"}}");
	return rc == 0 ? iam_put(t, "\x21read\0\1\1x", 9, "\1") : rc;
}

static int d_inline(struct gml_txn *t, struct world *w)
{
	const struct gml_rec_identity team = {GML_IDENTITY_GROUP, ns_span("team")};
	int rc = d_group(t);
	return rc == 0 ? gml_rec_inline_put(t, &team, ns_span("Own"), ns_span("{}")) : rc;
}

static int d_trust(struct gml_txn *t, struct world *w)
{
	return gml_rec_role_put(t,
				&(struct gml_role){.name = "Reader", .id = "AROAABCDEFGHIJKLMNOPQ"},
				ns_span("{}"));
}

static int d_bucket_policy(struct gml_txn *t, struct world *w)
{
	return gml_rec_config_put(t, w->ns->bucket, GML_BUCKET_POLICY, ns_span("{}"));
}

static int d_bucket_policy_row(struct gml_txn *t, struct world *w)
{
	int rc = d_bucket_policy(t, w);
	uint8_t key[9] = {0x24};
	gml_key_u64(key + 1, gml_line_id(w->ns->bucket));
	return rc == 0 ? gml_txn_del(t, GML_TABLE_IAM, (struct gml_span){key, sizeof(key)}) : rc;
}

static int d_bucket_access(struct gml_txn *t, struct world *w)
{
	return gml_rec_config_put(t, w->ns->bucket, GML_BUCKET_ACCESS, ns_span("neither"));
}

static int d_bucket_access_row(struct gml_txn *t, struct world *w)
{
	int rc = gml_rec_config_put(t, w->ns->bucket, GML_BUCKET_ACCESS, ns_span(GML_ACCESS_BOTH));
	uint8_t key[9] = {0x25};
	gml_key_u64(key + 1, gml_line_id(w->ns->bucket));
	return rc == 0 ? gml_txn_del(t, GML_TABLE_IAM, (struct gml_span){key, sizeof(key)}) : rc;
}

static int d_iam_row(struct gml_txn *t, struct world *w)
{
	return iam_put(t, "\x7f", 1, "\1");
}

static int d_group_damaged(struct gml_txn *t, struct world *w)
{
	return iam_put(t, "\1team", 5, "\1\4Tean");
}

static int d_garbage(struct gml_txn *t, struct world *w)
{
	uint8_t key[GML_INO_KEY_MAX];
	size_t len = gml_ino_key(key, w->file);
	return sealed_put(t, GML_TABLE_INODE, (struct gml_span){key, len}, "\x7fgarbage");
}

static int d_unsealed(struct gml_txn *t, struct world *w)
{
	return gml_txn_put(t, GML_TABLE_USER, ns_span("ada"), ns_span("\1whatever"));
}

static int d_index(struct gml_txn *t, struct world *w)
{
	return sealed_put(t, GML_TABLE_SUPER, (struct gml_span){"\x11\0\0\0\5ghost", 10}, "\1");
}

static int super_put(struct gml_txn *t, const char *key, size_t len, const char *value)
{
	return sealed_put(t, GML_TABLE_SUPER, (struct gml_span){key, len}, value);
}

static int d_retired_short(struct gml_txn *t, struct world *w)
{
	return super_put(t, "\x13\0\0\5", 4, "\1");
}

static int d_retired_long(struct gml_txn *t, struct world *w)
{
	return super_put(t, "\x13\0\0\0\5\6", 6, "\1");
}

static int d_retired_value(struct gml_txn *t, struct world *w)
{
	return gml_txn_put(t, GML_TABLE_SUPER, (struct gml_span){"\x13\0\0\0\5", 5}, ns_span("\2"));
}

static int d_super(struct gml_txn *t, struct world *w)
{
	return super_put(t, "\x10\0\0\5", 4, "\1");
}

static void test_damage(void **state)
{
	static const struct {
		damage_fn fn;
		const char *want;
	} cases[] = {
		{d_nlink, "link count 7, 2 names"},
		{d_dir_nlink, "link count 7, 1 names"},
		{d_parent, "has no entry dir/ for it"},
		{d_orphan, "orphan, link count"},
		{d_dirty, "in the dirty table"},
		{d_extents, "marked EXTENTS, but have none"},
		{d_xattrs, "has xattrs, but is not marked"},
		{d_bucket, "in bucket 999"},
		{d_size, "is too short, the file has 5000"},
		{d_small, "its extents end at 6, the file at 2"},
		{d_owner, "belongs to uid 0, its root to 12"},
		{d_overlap, "extent at 3 overlaps the one before"},
		{d_far, "ends at byte 106"},
		{d_inode, "which there is not"},
		{d_root, "the namespace root is missing"},
		{d_dirent, "link count 2, 1 names"},
		{d_blob, "has no record"},
		{d_blob_kind, "blob 0200000000000007: of a kind that this program does not know"},
		{d_orphan_row, "but not marked ORPHAN"},
		{d_orphan_none, "orphan 4242: no such inode"},
		{d_bucket_row, "there are 0 buckets"},
		{d_implicit, "implicit and empty"},
		{d_acl, "its ACL cannot be read"},
		{d_acl_mode, "mode 0600, but its ACL gives 0400"},
		{d_acl_idle, "has an ACL that says no more than its mode"},
		{d_refs, "2 references recorded, 1 found"},
		{d_unreferenced, "1 references recorded, 0 found"},
		{d_pack_missing, "are missing"},
		{d_segments, "overlaps the one before it"},
		{d_dangling, "entry dangling names inode 4242"},
		{d_type, "says type 6"},
		{d_slash, "a name that its type cannot have"},
		{d_no_cookie, "has no cookie"},
		{d_cookie_row, "not found by its cookie"},
		{d_stray_dirent, "table dirent has"},
		{d_usage, "25 bytes in 4 files recorded, 24 in 4 found"},
		{d_dirty_row, "but not marked DIRTY"},
		{d_dirty_dead, "which is gone"},
		{d_xattr_row, "xattr of inode 4242"},
		{d_document_row, "document 1 of bucket 4242: no such bucket"},
		{d_document_damaged, ": damaged"},
		{d_extent_row, "not marked EXTENTS"},
		{d_upload, "not in its bucket's list"},
		{d_part, "table part has 1 records"},
		{d_upload_entry, "names no upload"},
		{d_key, "access key GKX: no user nobody"},
		{d_member_user, "group team: has member ghost, which is no user"},
		{d_member_group, "user ann: in group none, which does not have it"},
		{d_member_of, "user ann: in group team, which does not have it"},
		{d_tags, "user ann: damaged tags"},
		{d_attached, "group team: has policy none, which there is not"},
		{d_policy, "policy read is not valid"},
		{d_used, "identities have 0 policies, policies are used 1 times"},
		{d_inline, "group team: its policy Own is not valid"},
		{d_trust, "role reader: its trust policy is not valid"},
		{d_bucket_policy, "bucket bucket: its document 2 is not valid"},
		{d_bucket_policy_row, "bucket bucket: has a policy, and is not among those"},
		{d_bucket_access, "bucket bucket: its document 21 is not valid"},
		{d_bucket_access_row, "bucket bucket: demands a policy, and is not among those"},
		{d_iam_row,
		 "table iam has 1 records, users, groups, roles and policies account for 0"},
		{d_group_damaged, "table iam: a damaged record"},
		{d_garbage, "damaged record"},
		{d_index, "index of uids: 5 is not user ghost"},
		{d_retired_short, "retired uids: a damaged record, key \\x13\\x00\\x00\\x05"},
		{d_retired_long,
		 "retired uids: a damaged record, key \\x13\\x00\\x00\\x00\\x05\\x06"},
		{d_retired_value,
		 "table SUPER: the record at key \\x13\\x00\\x00\\x00\\x05 is damaged"},
		{d_unsealed, "table USER: the record at key ada is damaged"},
		{d_backref_stray, "leads to no name of it"},
		{d_backref_wrong, "leads to no name of it"},
		{d_backref_missing, "2 names found, 1 back references, 2 wanted"},
		{d_no_usage, "its usage is not recorded"},
		{d_no_line, "bucket bucket: not found by its root"},
		{d_line_row, "table line: 4242 is no bucket's root"},
		{d_usage_row, "table usage: 4242 is no bucket's root"},
		{d_super, "table super: key \\x10\\x00\\x00\\x05 is of no kind"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct damage d;
		struct world w;
		struct ns ns;
		ns_create(&ns);
		ns_open(&ns);
		ns_mkbucket(&ns);
		world_make(&ns, &w);
		d = (struct damage){cases[i].fn, &w};
		if (gml_meta_update(ns.store->meta, damage_txn, &d) != 0)
			fail_msg("cannot do the damage: %s", cases[i].want);
		expect_problem(&ns, cases[i].want);
		ns_close(&ns);
		ns_rm(ns.path);
	}
}

/* ---- files ----------------------------------------------------------------------------------- */

static void test_missing_file(void **state)
{
	struct ns *ns = *state;
	struct world w;
	world_make(ns, &w);
	assert_ok(gml_blob_remove(ns->store->data, w.inode.wblob, 0));
	expect_problem(ns, "is missing, the file has 10 bytes");
	done(ns);
}

static void test_short_pack(void **state)
{
	struct ns *ns = *state;
	struct world w;
	char path[128];
	world_make(ns, &w);
	snprintf(path, sizeof(path), "%s/data/pack/%08x", ns->path,
		 (unsigned)gml_pack_number(w.segment));
	assert_int_equal(truncate(path, 3), 0);
	expect_problem(ns, "are missing");
	done(ns);
}

static void test_stray_file(void **state)
{
	struct ns *ns = *state;
	char path[GML_BLOB_PATH], from[128], to[128];
	struct gml_blob *blob;
	uint64_t id;
	assert_ok(gml_blob_create(ns->store->data, &id,
				  &blob)); /* leased by this process: in order */
	gml_blob_unref(blob);
	ns_check(ns);
	assert_ok(gml_blob_open(ns->store->data, 0x7654321, GML_BLOB_CREATE, &blob));
	gml_blob_unref(blob);
	expect_problem(ns, "blob file 0000000007654321: 0 bytes that nothing references");
	gml_blob_path(0x7654321, path);
	snprintf(from, sizeof(from), "%s/data/%s", ns->path, path);
	snprintf(to, sizeof(to), "%s/data/%.5s/0300000007654321", ns->path, path);
	assert_int_equal(rename(from, to), 0);
	expect_problem(ns, "file 0300000007654321: of a kind that this program does not know");
	done(ns);
}

/* While it is written to, a file is sound at any moment. */
static void test_while_dirty(void **state)
{
	struct ns *ns = *state;
	struct gml_file *file = ns_new(ns, ns->bucket, "f");
	ns_check(ns);
	assert_ok(ns_write(ns, file, 100000, "late"));
	ns_check(ns);
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("f"), GML_REMOVE_FILE));
	ns_check(ns);
	assert_ok(gml_file_close(&ns->op, file));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		T(test_report),	      T(test_progress),	  cmocka_unit_test(test_damage),
		T(test_missing_file), T(test_short_pack), T(test_stray_file),
		T(test_while_dirty),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
