// SPDX-License-Identifier: Apache-2.0
/* Names and directories over NFS: gateway/ns/posix/{dir,rename,readdir}.c, core/{name,link}.c. */
#include "gateway/ns/posix/open_inode.h"
#include "ns_support.h"

/* ---- what a directory shows ------------------------------------------------------------------ */

struct listing {
	unsigned count, stop;
	char names[64][GML_NFS_NAME_MAX + 1];
	uint64_t cookies[64];
	gml_ino inos[64];
};

static bool list_each(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	struct listing *list = arg;
	assert_true(list->count < 64);
	memcpy(list->names[list->count], name.ptr, name.len);
	list->names[list->count][name.len] = '\0';
	list->cookies[list->count] = attr->cookie;
	list->inos[list->count] = attr->ino;
	list->count++;
	return list->count != list->stop;
}

static void list_dir(struct ns *ns, struct gml_op *op, gml_ino dir, struct listing *list)
{
	bool eof;
	memset(list, 0, sizeof(*list));
	assert_ok(gml_dir_read(op, ns->store, dir,
			       &(struct gml_dir_query){.each = list_each, .arg = list}, &eof));
	assert_true(eof);
}

static bool list_has(const struct listing *list, const char *name)
{
	for (unsigned i = 0; i < list->count; i++)
		if (strcmp(list->names[i], name) == 0)
			return true;
	return false;
}

static void test_mkdir_lookup(void **state)
{
	struct ns *ns = *state;
	gml_ino a = ns_mkdir(ns, ns->bucket, "a"), b = ns_mkdir(ns, a, "b");
	struct gml_op someone = ns_user(1000, 100);
	struct gml_attr attr, root;
	assert_ino_equal(ns_lookup(ns, ns->bucket, "a"), a);
	assert_ino_equal(ns_lookup(ns, a, "b"), b);
	assert_int_equal(ns_attr(ns, a).nlink, 3);
	assert_int_equal(ns_attr(ns, b).nlink, 2);
	assert_int_equal(ns_attr(ns, ns->bucket).nlink, 3);
	assert_ok(gml_dir_parent(&ns->op, ns->store, b, &attr));
	assert_ino_equal(attr.ino, a);
	assert_ok(gml_dir_parent(&ns->op, ns->store, ns->bucket, &attr));
	assert_ino_equal(attr.ino, GML_INO_ROOT);
	assert_rc(gml_dir_parent(&ns->op, ns->store, GML_INO_ROOT, &attr), GML_ERR_NOENT);
	/* Each caller's listing of the root has its own change attribute, whatever is asked. */
	assert_ok(gml_dir_parent(&someone, ns->store, ns->bucket, &attr));
	assert_ok(gml_inode_getattr(&someone, ns->store, GML_INO_ROOT, &root));
	assert_int_equal(attr.change, root.change);
	assert_int_not_equal(attr.change, ns_attr(ns, GML_INO_ROOT).change);
	assert_rc(gml_dir_mkdir(&ns->op, ns->store, ns->bucket, ns_span("a"), NULL, &attr),
		  GML_ERR_EXIST);
	assert_rc(gml_dir_lookup(&ns->op, ns->store, INO(999999), ns_span("a"), &attr),
		  GML_ERR_STALE);
	assert_rc(gml_dir_lookup(&ns->op, ns->store, ns->bucket, ns_span("none"), &attr),
		  GML_ERR_NOENT);
	ns_put(ns, a, "f", "x");
	assert_rc(gml_dir_lookup(&ns->op, ns->store, ns_lookup(ns, a, "f"), ns_span("x"), &attr),
		  GML_ERR_NOTDIR);
}

static void test_parent_times(void **state)
{
	struct ns *ns = *state;
	struct gml_attr before = ns_attr(ns, ns->bucket), after;
	usleep(20000);
	ns_mkdir(ns, ns->bucket, "d");
	after = ns_attr(ns, ns->bucket);
	assert_true(after.mtime > before.mtime && after.ctime > before.ctime &&
		    after.change > before.change);
	before = after;
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("d"), GML_REMOVE_DIR));
	assert_true(ns_attr(ns, ns->bucket).change > before.change);
	assert_int_equal(ns_attr(ns, ns->bucket).nlink, 2);
}

static void test_bad_names(void **state)
{
	struct ns *ns = *state;
	char longest[257];
	struct gml_attr attr;
	memset(longest, 'n', sizeof(longest));
	assert_ok(gml_dir_mkdir(&ns->op, ns->store, ns->bucket, (struct gml_span){longest, 255},
				NULL, &attr));
	assert_rc(gml_dir_mkdir(&ns->op, ns->store, ns->bucket, (struct gml_span){longest, 256},
				NULL, &attr),
		  GML_ERR_NAMETOOLONG);
	assert_rc(gml_dir_mkdir(&ns->op, ns->store, ns->bucket, ns_span(""), NULL, &attr),
		  GML_ERR_INVAL);
	assert_rc(gml_dir_mkdir(&ns->op, ns->store, ns->bucket, ns_span("."), NULL, &attr),
		  GML_ERR_INVAL);
	assert_rc(gml_dir_mkdir(&ns->op, ns->store, ns->bucket, ns_span(".."), NULL, &attr),
		  GML_ERR_INVAL);
	assert_rc(gml_dir_mkdir(&ns->op, ns->store, ns->bucket, ns_span("a/b"), NULL, &attr),
		  GML_ERR_INVAL);
	assert_rc(gml_dir_mkdir(&ns->op, ns->store, ns->bucket, (struct gml_span){"a\0b", 3}, NULL,
				&attr),
		  GML_ERR_INVAL);
	assert_rc(gml_dir_mkdir(&ns->op, ns->store, ns->bucket, ns_span(".gml~f~x"), NULL, &attr),
		  GML_ERR_INVAL);
	assert_rc(gml_dir_lookup(&ns->op, ns->store, ns->bucket, ns_span(".gml~f~x"), &attr),
		  GML_ERR_NOENT);
	assert_rc(gml_dir_lookup(&ns->op, ns->store, ns->bucket, ns_span(".gml~"), &attr),
		  GML_ERR_NOENT);
}

static void test_symlink_mknod(void **state)
{
	struct ns *ns = *state;
	struct gml_op user = ns_user(1000, 1000);
	char target[GML_SYMLINK_MAX + 1], buf[64];
	struct gml_attr attr;
	size_t len;
	memset(target, 't', sizeof(target));
	assert_ok(gml_dir_mknod(
		&ns->op, ns->store, ns->bucket, ns_span("l"),
		&(struct gml_node){.type = GML_LNK, .target = ns_span("some/where")}, &attr));
	assert_int_equal(attr.size, 10);
	assert_int_equal(ns_attr(ns, attr.ino).size, 10);
	assert_ok(gml_inode_readlink(&ns->op, ns->store, attr.ino, buf, sizeof(buf), &len));
	assert_int_equal(len, 10);
	assert_memory_equal(buf, "some/where", 10);
	assert_rc(gml_inode_readlink(&ns->op, ns->store, attr.ino, buf, 9, &len), GML_ERR_TOOBIG);
	assert_rc(gml_inode_readlink(&ns->op, ns->store, ns->bucket, buf, 9, &len), GML_ERR_INVAL);
	assert_rc(gml_dir_mknod(&ns->op, ns->store, ns->bucket, ns_span("m"),
				&(struct gml_node){
					.type = GML_LNK,
					.target = (struct gml_span){target, GML_SYMLINK_MAX + 1}},
				&attr),
		  GML_ERR_NAMETOOLONG);
	assert_rc(gml_dir_mknod(&ns->op, ns->store, ns->bucket, ns_span("m"),
				&(struct gml_node){.type = GML_LNK, .target = ns_span("")}, &attr),
		  GML_ERR_INVAL);
	assert_ok(gml_dir_mknod(&ns->op, ns->store, ns->bucket, ns_span("p"),
				&(struct gml_node){.type = GML_FIFO}, &attr));
	assert_int_equal(attr.type, GML_FIFO);
	assert_ok(gml_dir_mknod(&ns->op, ns->store, ns->bucket, ns_span("c"),
				&(struct gml_node){.type = GML_CHR, .rdev = 0x103}, &attr));
	assert_int_equal(ns_attr(ns, attr.ino).rdev, 0x103);
	assert_rc(gml_dir_mknod(&user, ns->store, ns->bucket, ns_span("b"),
				&(struct gml_node){.type = GML_BLK, .rdev = 1}, &attr),
		  GML_ERR_PERM);
	assert_rc(gml_dir_mknod(&ns->op, ns->store, ns->bucket, ns_span("r"),
				&(struct gml_node){.type = GML_REG}, &attr),
		  GML_ERR_INVAL);
	/* A symlink is renamed whole, target included, past other writes of the same
	 * transaction. */
	assert_ok(gml_dir_rename(&ns->op, ns->store, ns->bucket, ns_span("l"), ns->bucket,
				 ns_span("l2")));
	assert_ok(gml_inode_readlink(&ns->op, ns->store, ns_lookup(ns, ns->bucket, "l2"), buf,
				     sizeof(buf), &len));
	assert_memory_equal(buf, "some/where", 10);
}

static void test_link(void **state)
{
	struct ns *ns = *state;
	gml_ino d = ns_mkdir(ns, ns->bucket, "d"), f = ns_put(ns, ns->bucket, "f", "hello"), other;
	struct gml_setattr set = {.mask = GML_SET_MODE, .mode = 0755};
	struct gml_attr attr;
	assert_ino_equal(ns_attr(ns, f).parent, ns->bucket);
	assert_ok(gml_dir_link(&ns->op, ns->store, f, d, ns_span("g"), &attr));
	assert_int_equal(attr.nlink, 2);
	assert_ino_equal(attr.parent, GML_INO_NONE);
	assert_rc(gml_dir_link(&ns->op, ns->store, f, d, ns_span("g"), &attr), GML_ERR_EXIST);
	assert_rc(gml_dir_link(&ns->op, ns->store, d, ns->bucket, ns_span("dd"), &attr),
		  GML_ERR_PERM);
	assert_ok(gml_dir_mkdir(&ns->op, ns->store, GML_INO_ROOT, ns_span("other"), &set, &attr));
	other = attr.ino;
	assert_rc(gml_dir_link(&ns->op, ns->store, f, other, ns_span("g"), &attr), GML_ERR_XDEV);
	assert_rc(gml_dir_link(&ns->op, ns->store, f, GML_INO_ROOT, ns_span("g"), &attr),
		  GML_ERR_XDEV);
	/* rename(2): two names of one file: nothing happens. */
	assert_ok(gml_dir_rename(&ns->op, ns->store, ns->bucket, ns_span("f"), d, ns_span("g")));
	assert_ino_equal(ns_lookup(ns, ns->bucket, "f"), f);
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("f"), GML_REMOVE_FILE));
	assert_int_equal(ns_attr(ns, f).nlink, 1);
	ns_assert_content(ns, f, "hello", 5);
	assert_ok(gml_dir_rename(&ns->op, ns->store, d, ns_span("g"), d, ns_span("h")));
	assert_ino_equal(ns_attr(ns, f).parent, d);
	assert_ok(gml_dir_remove(&ns->op, ns->store, d, ns_span("h"), GML_REMOVE_ANY));
	assert_int_equal(ns_record(ns, f).nlink, 0); /* an orphan: still there, but not by handle */
	assert_rc(gml_dir_link(&ns->op, ns->store, f, d, ns_span("back"), &attr), GML_ERR_STALE);
}

static void test_remove(void **state)
{
	struct ns *ns = *state;
	gml_ino d = ns_mkdir(ns, ns->bucket, "d");
	unsigned freed;
	ns_put(ns, d, "f", "x");
	assert_rc(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("d"), GML_REMOVE_DIR),
		  GML_ERR_NOTEMPTY);
	assert_rc(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("d"), GML_REMOVE_FILE),
		  GML_ERR_ISDIR);
	assert_rc(gml_dir_remove(&ns->op, ns->store, d, ns_span("f"), GML_REMOVE_DIR),
		  GML_ERR_NOTDIR);
	assert_rc(gml_dir_remove(&ns->op, ns->store, d, ns_span("g"), GML_REMOVE_ANY),
		  GML_ERR_NOENT);
	assert_ok(gml_dir_remove(&ns->op, ns->store, d, ns_span("f"), GML_REMOVE_FILE));
	assert_ino_equal(ns_lookup(ns, ns->bucket, "d"), d); /* explicit: it stays */
	assert_ok(gml_dir_remove(&ns->op, ns->store, ns->bucket, ns_span("d"), GML_REMOVE_DIR));
	assert_rc(gml_dir_mkdir(&ns->op, ns->store, d, ns_span("x"), NULL, &(struct gml_attr){0}),
		  GML_ERR_STALE);
	assert_ok(gml_store_reap(
		&ns->op, ns->store,
		&(struct gml_reap){.max = 100, .is_open = gml_store_file_is_open, .arg = ns->store},
		&freed));
	assert_true(freed >= 2);
	assert_rc(gml_inode_getattr(&ns->op, ns->store, d, &(struct gml_attr){0}), GML_ERR_STALE);
}

/* ---- rename ---------------------------------------------------------------------------------- */

static int mv(struct ns *ns, gml_ino from_dir, const char *from, gml_ino to_dir, const char *to)
{
	return gml_dir_rename(&ns->op, ns->store, from_dir, ns_span(from), to_dir, ns_span(to));
}

static void test_rename_rules(void **state)
{
	struct ns *ns = *state;
	gml_ino b = ns->bucket, d = ns_mkdir(ns, b, "d"), e = ns_mkdir(ns, b, "e"),
		dd = ns_mkdir(ns, d, "dd"), f = ns_put(ns, b, "f", "f"),
		g = ns_put(ns, b, "g", "g");
	uint64_t cookie;
	struct gml_attr attr;
	assert_ok(gml_dir_lookup(&ns->op, ns->store, b, ns_span("g"), &attr));
	cookie = attr.cookie;
	assert_rc(mv(ns, b, "none", b, "x"), GML_ERR_NOENT);
	assert_rc(mv(ns, b, "f", b, "d"), GML_ERR_ISDIR);
	assert_rc(mv(ns, b, "d", b, "f"), GML_ERR_NOTDIR);
	assert_rc(mv(ns, b, "d", dd, "x"), GML_ERR_INVAL);
	assert_rc(mv(ns, b, "d", d, "x"), GML_ERR_INVAL);
	assert_rc(mv(ns, b, "e", b, "d"), GML_ERR_NOTEMPTY);
	assert_rc(mv(ns, b, "f", b, ".gml~f~q"), GML_ERR_INVAL);
	assert_rc(mv(ns, GML_INO_ROOT, "bucket", GML_INO_ROOT, "other"), GML_ERR_XDEV);
	assert_rc(mv(ns, b, "f", GML_INO_ROOT, "other"), GML_ERR_XDEV);
	assert_ok(mv(ns, b, "f", b, "f"));
	assert_ok(mv(ns, b, "f", b, "g")); /* replaces */
	assert_ino_equal(ns_lookup(ns, b, "g"), f);
	assert_ino_equal(ns_lookup(ns, b, "f"), GML_INO_NONE);
	assert_int_equal(ns_record(ns, g).nlink, 0);
	assert_ok(gml_dir_lookup(&ns->op, ns->store, b, ns_span("g"), &attr));
	assert_int_equal(attr.cookie, cookie); /* the name's, whatever it denotes */
	/* A directory to another parent: link counts and "..". */
	assert_ok(mv(ns, d, "dd", e, "moved"));
	assert_int_equal(ns_attr(ns, d).nlink, 2);
	assert_int_equal(ns_attr(ns, e).nlink, 3);
	assert_ok(gml_dir_parent(&ns->op, ns->store, dd, &attr));
	assert_ino_equal(attr.ino, e);
	/* Over an empty directory. */
	assert_ok(mv(ns, e, "moved", b, "d"));
	assert_ino_equal(ns_lookup(ns, b, "d"), dd);
	assert_int_equal(ns_attr(ns, e).nlink, 2);
	assert_int_equal(ns_attr(ns, b).nlink, 4); /* d and e */
}

static void test_rename_implicit(void **state)
{
	struct ns *ns = *state;
	gml_ino b = ns->bucket, i = ns_raw(ns, b, "i/", 2, GML_DIR, NULL, 0),
		j = ns_raw(ns, i, "j/", 2, GML_DIR, NULL, 0);
	ns_raw(ns, j, "f", 1, GML_REG, "abc", 3);
	assert_ok(mv(ns, j, "f", b, "f"));
	assert_ino_equal(ns_lookup(ns, i, "j"), j); /* a client worked in it: it stays */
	assert_rc(gml_dir_remove(&ns->op, ns->store, b, ns_span("i"), GML_REMOVE_DIR),
		  GML_ERR_NOTEMPTY);
	assert_ok(gml_dir_remove(&ns->op, ns->store, i, ns_span("j"), GML_REMOVE_DIR));
	assert_ok(gml_dir_remove(&ns->op, ns->store, b, ns_span("i"), GML_REMOVE_DIR));
	ns_assert_content(ns, ns_lookup(ns, b, "f"), "abc", 3);
	/* Renaming makes a directory explicit. */
	i = ns_raw(ns, b, "i/", 2, GML_DIR, NULL, 0);
	ns_raw(ns, i, "f", 1, GML_REG, "abc", 3);
	assert_ok(mv(ns, b, "i", b, "k"));
	assert_ok(gml_dir_remove(&ns->op, ns->store, i, ns_span("f"), GML_REMOVE_ANY));
	assert_ino_equal(ns_lookup(ns, b, "k"), i);
	/* So does making an entry in it. */
	i = ns_raw(ns, b, "m/", 2, GML_DIR, NULL, 0);
	ns_raw(ns, i, "f", 1, GML_REG, "abc", 3);
	ns_put(ns, i, "g", "");
	assert_ok(gml_dir_remove(&ns->op, ns->store, i, ns_span("f"), GML_REMOVE_ANY));
	assert_ok(gml_dir_remove(&ns->op, ns->store, i, ns_span("g"), GML_REMOVE_ANY));
	assert_ino_equal(ns_lookup(ns, b, "m"), i);
	/* One that S3 alone used goes with its last entry, and those above it. */
	i = ns_raw(ns, b, "n/", 2, GML_DIR, NULL, 0);
	j = ns_raw(ns, i, "o/", 2, GML_DIR, NULL, 0);
	ns_raw(ns, j, "f", 1, GML_REG, "abc", 3);
	assert_ok(gml_object_delete(&ns->op, ns->store,
				    OBJECT_REF(ns_span("bucket"), ns_span("n/o/f")), NULL, NULL));
	assert_ino_equal(ns_lookup(ns, b, "n"), GML_INO_NONE);
}

/* ---- escapes --------------------------------------------------------------------------------- */

static void test_escapes(void **state)
{
	struct ns *ns = *state;
	gml_ino b = ns->bucket, dir, file, odd;
	struct listing list;
	dir = ns_raw(ns, b, "a/", 2, GML_DIR, NULL, 0);
	ns_raw(ns, dir, "in", 2, GML_REG, "x", 1);
	file = ns_raw(ns, b, "a", 1, GML_REG, "file", 4);
	assert_ino_equal(ns_lookup(ns, b, "a"), dir);
	assert_ino_equal(ns_lookup(ns, b, ".gml~f~a"), file);
	assert_ino_equal(ns_lookup(ns, b, ".gml~d~a"), GML_INO_NONE); /* shown plainly */
	assert_rc(gml_dir_mkdir(&ns->op, ns->store, b, ns_span("a"), NULL, &(struct gml_attr){0}),
		  GML_ERR_EXIST);
	odd = ns_raw(ns, b, "/", 1, GML_DIR, NULL, 0);
	assert_ino_equal(ns_lookup(ns, b, ".gml~d~"), odd);
	ns_raw(ns, odd, "x", 1, GML_REG, "1", 1);
	odd = ns_raw(ns, b, "../", 3, GML_DIR, NULL, 0);
	assert_ino_equal(ns_lookup(ns, b, ".gml~d~.."), odd);
	ns_raw(ns, odd, "x", 1, GML_REG, "1", 1);
	odd = ns_raw(ns, b, ".", 1, GML_REG, "dot", 3);
	assert_ino_equal(ns_lookup(ns, b, ".gml~f~."), odd);
	odd = ns_raw(ns, b, ".gml~f~a", 8, GML_REG, "r", 1);
	assert_ino_equal(ns_lookup(ns, b, ".gml~f~.gml~f~a"), odd);
	assert_ino_equal(ns_lookup(ns, b, ".gml~f~a"), file);
	list_dir(ns, &ns->op, b, &list);
	assert_int_equal(list.count, 6);
	for (unsigned i = 0; i < list.count; i++)
		assert_ino_equal(ns_lookup(ns, b, list.names[i]), list.inos[i]);
	/* What is shown can be renamed, replaced and removed. */
	ns_put(ns, b, "tmp", "new");
	assert_ok(mv(ns, b, "tmp", b, ".gml~f~a"));
	ns_assert_content(ns, ns_lookup(ns, b, ".gml~f~a"), "new", 3);
	assert_ok(mv(ns, b, ".gml~f~.", b, "dot"));
	ns_assert_content(ns, ns_lookup(ns, b, "dot"), "dot", 3);
	assert_ok(
		gml_dir_remove(&ns->op, ns->store, b, ns_span(".gml~f~.gml~f~a"), GML_REMOVE_FILE));
	/* Without the directory the file has its plain name. */
	assert_ok(gml_dir_remove(&ns->op, ns->store, dir, ns_span("in"), GML_REMOVE_FILE));
	assert_ok(gml_dir_remove(&ns->op, ns->store, b, ns_span("a"), GML_REMOVE_DIR));
	assert_ino_equal(ns_lookup(ns, b, ".gml~f~a"), GML_INO_NONE);
	ns_assert_content(ns, ns_lookup(ns, b, "a"), "new", 3);
}

static void test_long_names(void **state)
{
	struct ns *ns = *state;
	gml_ino b = ns->bucket, first, second, dir, edge;
	struct listing list;
	char name[GML_KEY_MAX + 1];
	memset(name, 'L', sizeof(name));
	first = ns_raw(ns, b, name, 1000, GML_REG, "1", 1);
	second = ns_raw(ns, b, name, 1001, GML_REG, "22", 2);
	name[600] = '/';
	dir = ns_raw(ns, b, name, 601, GML_DIR, NULL, 0);
	ns_raw(ns, dir, "f", 1, GML_REG, "f", 1);
	memcpy(name, ".gml~", 5);
	edge = ns_raw(ns, b, name, 250, GML_REG, "e", 1); /* short, but its escape would not fit */
	list_dir(ns, &ns->op, b, &list);
	assert_int_equal(list.count, 4);
	for (unsigned i = 0; i < list.count; i++) {
		assert_int_equal(strlen(list.names[i]), 240);
		assert_int_equal(strncmp(list.names[i],
					 gml_ino_equal(list.inos[i], dir) ? ".gml~D~" : ".gml~F~",
					 7),
				 0);
		assert_ino_equal(ns_lookup(ns, b, list.names[i]), list.inos[i]);
		if (gml_ino_equal(list.inos[i], first))
			assert_ok(mv(ns, b, list.names[i], b, "short"));
		else if (!gml_ino_equal(list.inos[i], dir))
			assert_ok(gml_dir_remove(&ns->op, ns->store, b, ns_span(list.names[i]),
						 GML_REMOVE_FILE));
	}
	assert_ino_equal(ns_lookup(ns, b, "short"), first);
	assert_int_equal(ns_record(ns, second).nlink, 0);
	assert_int_equal(ns_record(ns, edge).nlink, 0);
	list.names[0][10] ^= 1;
	assert_ino_equal(ns_lookup(ns, b, list.names[0]), GML_INO_NONE);
}

static void test_marker(void **state)
{
	struct ns *ns = *state;
	gml_ino b = ns->bucket, d = ns_raw(ns, b, "d/", 2, GML_DIR, NULL, 0), m;
	struct listing list;
	m = ns_raw(ns, d, "", 0, GML_REG, NULL, 0);
	list_dir(ns, &ns->op, d, &list);
	assert_int_equal(list.count, 0);
	assert_ino_equal(ns_lookup(ns, d, ".gml~f~"), GML_INO_NONE);
	assert_ok(gml_dir_remove(&ns->op, ns->store, b, ns_span("d"), GML_REMOVE_DIR));
	assert_int_equal(ns_record(ns, m).nlink, 0);
	/* With data it is shown, and keeps the directory. */
	d = ns_raw(ns, b, "d/", 2, GML_DIR, NULL, 0);
	(void)ns_raw(ns, d, "", 0, GML_REG, "data", 4);
	list_dir(ns, &ns->op, d, &list);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.names[0], ".gml~f~");
	assert_rc(gml_dir_remove(&ns->op, ns->store, b, ns_span("d"), GML_REMOVE_DIR),
		  GML_ERR_NOTEMPTY);
	assert_ok(gml_dir_remove(&ns->op, ns->store, d, ns_span(".gml~f~"), GML_REMOVE_FILE));
	assert_ok(gml_dir_remove(&ns->op, ns->store, b, ns_span("d"), GML_REMOVE_DIR));
	/* A hidden marker does not keep a directory from being replaced. */
	d = ns_raw(ns, b, "d/", 2, GML_DIR, NULL, 0);
	ns_raw(ns, d, "", 0, GML_REG, NULL, 0);
	ns_mkdir(ns, b, "e");
	assert_ok(mv(ns, b, "e", b, "d"));
}

/* ---- readdir --------------------------------------------------------------------------------- */

static void test_readdir_resume(void **state)
{
	struct ns *ns = *state;
	gml_ino d = ns_mkdir(ns, ns->bucket, "d");
	struct listing all, page = {.stop = 4};
	char name[16];
	bool eof;
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "f%d", 9 - i);
		ns_put(ns, d, name, "x");
	}
	list_dir(ns, &ns->op, d, &all);
	assert_int_equal(all.count, 10);
	for (unsigned i = 1; i < all.count; i++)
		assert_true(all.cookies[i] > all.cookies[i - 1]);
	assert_ok(gml_dir_read(&ns->op, ns->store, d,
			       &(struct gml_dir_query){.each = list_each, .arg = &page}, &eof));
	assert_int_equal(page.count, 4);
	assert_false(eof);
	/* What comes and goes between two pages disturbs nobody: none repeated, none left out. */
	assert_ok(gml_dir_remove(&ns->op, ns->store, d, ns_span(page.names[3]), GML_REMOVE_FILE));
	ns_put(ns, d, "late", "x");
	page.stop = 0;
	assert_ok(gml_dir_read(
		&ns->op, ns->store, d,
		&(struct gml_dir_query){.cookie = page.cookies[3], .each = list_each, .arg = &page},
		&eof));
	assert_true(eof);
	assert_int_equal(page.count, 11);
	for (unsigned i = 4; i < 10; i++)
		assert_string_equal(page.names[i], all.names[i]);
	assert_string_equal(page.names[10], "late");
	assert_rc(gml_dir_read(&ns->op, ns->store, page.inos[10],
			       &(struct gml_dir_query){.each = list_each, .arg = &page}, &eof),
		  GML_ERR_NOTDIR);
}

static void test_readdir_live(void **state)
{
	struct ns *ns = *state;
	struct gml_file *file = ns_new(ns, ns->bucket, "growing");
	struct listing list;
	struct gml_attr attr;
	assert_ok(ns_write(ns, file, 100, "x"));
	list_dir(ns, &ns->op, ns->bucket, &list);
	assert_int_equal(list.count, 1);
	assert_ok(gml_dir_lookup(&ns->op, ns->store, ns->bucket, ns_span("growing"), &attr));
	assert_int_equal(attr.size, 101);
	assert_ok(gml_file_close(&ns->op, file));
}

/* ---- rights ---------------------------------------------------------------------------------- */

static void test_rights(void **state)
{
	struct ns *ns = *state;
	struct gml_op owner = ns_user(1000, 100), other = ns_user(2000, 200),
		      member = ns_user(3000, 300), ro;
	uint32_t group = 100;
	struct gml_setattr set = {.mask = GML_SET_MODE | GML_SET_UID | GML_SET_GID,
				  .mode = 0750,
				  .uid = 1000,
				  .gid = 100};
	struct gml_attr attr;
	struct listing list;
	bool eof;
	gml_ino d;
	member.principal.cred.ngroups = 1;
	member.principal.cred.groups = &group;
	assert_ok(gml_dir_mkdir(&ns->op, ns->store, ns->bucket, ns_span("d"), &set, &attr));
	d = attr.ino;
	assert_int_equal(attr.uid, 1000);
	assert_ok(gml_dir_mkdir(&owner, ns->store, d, ns_span("x"), NULL, &attr));
	assert_int_equal(attr.gid, 100);
	assert_rc(gml_dir_mkdir(&member, ns->store, d, ns_span("y"), NULL, &attr), GML_ERR_ACCESS);
	assert_rc(gml_dir_mkdir(&member, ns->store, d, ns_span("x"), NULL, &attr), GML_ERR_EXIST);
	assert_ok(gml_dir_lookup(&member, ns->store, d, ns_span("x"), &attr));
	assert_rc(gml_dir_lookup(&other, ns->store, d, ns_span("x"), &attr), GML_ERR_ACCESS);
	memset(&list, 0, sizeof(list));
	assert_rc(gml_dir_read(&other, ns->store, d,
			       &(struct gml_dir_query){.each = list_each, .arg = &list}, &eof),
		  GML_ERR_ACCESS);
	assert_rc(gml_dir_remove(&member, ns->store, d, ns_span("x"), GML_REMOVE_DIR),
		  GML_ERR_ACCESS);
	ro = owner;
	ro.context.read_only = true;
	assert_rc(gml_dir_mkdir(&ro, ns->store, d, ns_span("y"), NULL, &attr), GML_ERR_ROFS);
	assert_rc(gml_dir_remove(&ro, ns->store, d, ns_span("x"), GML_REMOVE_DIR), GML_ERR_ROFS);
	assert_rc(gml_dir_rename(&ro, ns->store, d, ns_span("x"), d, ns_span("z")), GML_ERR_ROFS);
	/* Only uid 0 gives files away. */
	set.uid = 2000;
	assert_rc(gml_dir_mkdir(&owner, ns->store, d, ns_span("gift"), &set, &attr), GML_ERR_PERM);
	/* setgid: the group is inherited, by directories with the bit. */
	set = (struct gml_setattr){.mask = GML_SET_MODE | GML_SET_GID, .mode = 02777, .gid = 777};
	assert_ok(gml_dir_mkdir(&ns->op, ns->store, d, ns_span("sg"), &set, &attr));
	assert_ok(gml_dir_mkdir(&owner, ns->store, attr.ino, ns_span("sub"), NULL, &attr));
	assert_int_equal(attr.gid, 777);
	assert_int_equal(attr.mode, 02755);
}

static void test_sticky(void **state)
{
	struct ns *ns = *state;
	struct gml_op alice = ns_user(1000, 100), bob = ns_user(2000, 200);
	struct gml_setattr set = {.mask = GML_SET_MODE, .mode = 01777};
	struct gml_attr attr;
	gml_ino t;
	assert_ok(gml_dir_mkdir(&ns->op, ns->store, ns->bucket, ns_span("t"), &set, &attr));
	t = attr.ino;
	assert_ok(gml_dir_mkdir(&alice, ns->store, t, ns_span("a"), NULL, NULL));
	assert_ok(gml_dir_mkdir(&bob, ns->store, t, ns_span("b"), NULL, NULL));
	assert_rc(gml_dir_remove(&bob, ns->store, t, ns_span("a"), GML_REMOVE_ANY), GML_ERR_PERM);
	assert_rc(gml_dir_rename(&bob, ns->store, t, ns_span("a"), t, ns_span("c")), GML_ERR_PERM);
	assert_rc(gml_dir_rename(&bob, ns->store, t, ns_span("b"), t, ns_span("a")), GML_ERR_PERM);
	assert_ok(gml_dir_remove(&alice, ns->store, t, ns_span("a"), GML_REMOVE_ANY));
}

static void test_root(void **state)
{
	struct ns *ns = *state;
	struct gml_op user = ns_user(1000, 100);
	struct gml_setattr set = {.mask = GML_SET_MODE, .mode = 0700};
	struct listing list;
	struct gml_attr attr;
	struct gml_file *file;
	bool eof;
	assert_rc(gml_dir_mkdir(&ns->op, ns->store, GML_INO_ROOT, ns_span("Not A Bucket"), NULL,
				&attr),
		  GML_ERR_BUCKETNAME);
	assert_rc(gml_dir_mkdir(&ns->op, ns->store, GML_INO_ROOT, ns_span("bucket"), NULL, &attr),
		  GML_ERR_EXIST);
	assert_ok(gml_dir_mkdir(&ns->op, ns->store, GML_INO_ROOT, ns_span("private"), &set, &attr));
	list_dir(ns, &user, GML_INO_ROOT, &list);
	assert_int_equal(list.count, 1);
	assert_true(list_has(&list, "bucket"));
	/* Found by its name all the same, or nobody could mount it with root squashed; what is in
	 * it is not. */
	assert_ok(gml_dir_lookup(&user, ns->store, GML_INO_ROOT, ns_span("private"), &attr));
	assert_int_equal(attr.mode, 0700);
	assert_rc(gml_dir_read(&user, ns->store, attr.ino,
			       &(struct gml_dir_query){.each = list_each, .arg = &list}, &eof),
		  GML_ERR_ACCESS);
	assert_rc(gml_dir_lookup(&user, ns->store, attr.ino, ns_span("x"), &attr), GML_ERR_ACCESS);
	assert_rc(gml_dir_lookup(&user, ns->store, GML_INO_ROOT, ns_span("none"), &attr),
		  GML_ERR_NOENT);
	assert_rc(gml_file_create(&ns->op, ns->store, GML_INO_ROOT, ns_span("file"),
				  &(struct gml_create){.access = GML_OPEN_WRITE,
						       .disposition = GML_CREATE_UNCHECKED},
				  &file),
		  GML_ERR_PERM);
	ns_mkdir(ns, ns->bucket, "d");
	assert_rc(
		gml_dir_remove(&ns->op, ns->store, GML_INO_ROOT, ns_span("bucket"), GML_REMOVE_DIR),
		GML_ERR_NOTEMPTY);
	assert_ok(gml_dir_remove(&ns->op, ns->store, GML_INO_ROOT, ns_span("private"),
				 GML_REMOVE_DIR));
	assert_rc(gml_dir_remove(&ns->op, ns->store, GML_INO_ROOT, ns_span("private"),
				 GML_REMOVE_DIR),
		  GML_ERR_NOENT);
}

/* Changes the view that the record of a bucket says. */
static int root_view_txn(struct gml_txn *txn, void *arg)
{
	struct gml_bucket_rec rec;
	int rc = gml_rec_bucket_get(txn, ns_span("bucket"), &rec);
	rec.root.view = *(const uint64_t *)arg;
	return rc == 0 ? gml_rec_bucket_put(txn, ns_span("bucket"), &rec) : rc;
}

static void set_root_view(struct ns *ns, uint64_t view)
{
	assert_ok(gml_meta_update(ns->store->meta, root_view_txn, &view));
}

/* The entry of a bucket says a number, its record the view as well. */
static void test_root_view(void **state)
{
	struct ns *ns = *state;
	const uint64_t view = ns->bucket.view ^ 77;
	struct ns_far far = {.op = &ns->op, .view = view, .name = "far"};
	struct gml_attr attr;
	struct listing list;
	bool eof;
	assert_ok(gml_meta_update(ns->store->meta, ns_far_txn, &far));
	assert_int_equal(far.root.view, view);
	assert_ino_equal(ns_lookup(ns, GML_INO_ROOT, "far"), far.root);
	assert_ok(gml_dir_parent(&ns->op, ns->store, far.root, &attr));
	assert_ino_equal(attr.ino, GML_INO_ROOT);
	list_dir(ns, &ns->op, GML_INO_ROOT, &list);
	assert_int_equal(list.count, 2);
	assert_ino_equal(list.inos[0], ns->bucket);
	assert_ino_equal(list.inos[1], far.root);
	assert_ino_equal(ns_lookup(ns, far.root, "d"), GML_INO_NONE);
	assert_int_equal(ns_mkdir(ns, far.root, "d").view, view);
	assert_int_equal(ns_lookup(ns, far.root, "d").view, view);
	/* A record without the directory that it names: damage, not another directory. */
	set_root_view(ns, ns->bucket.view ^ 1);
	assert_rc(gml_dir_lookup(&ns->op, ns->store, GML_INO_ROOT, ns_span("bucket"), &attr),
		  GML_ERR_CORRUPT);
	assert_rc(gml_dir_read(&ns->op, ns->store, GML_INO_ROOT,
			       &(struct gml_dir_query){.each = list_each, .arg = &list}, &eof),
		  GML_ERR_CORRUPT);
	set_root_view(ns, ns->bucket.view);
	assert_ok(gml_dir_remove(&ns->op, ns->store, far.root, ns_span("d"), GML_REMOVE_DIR));
	ns_check(ns);
	assert_ok(gml_dir_remove(&ns->op, ns->store, GML_INO_ROOT, ns_span("far"), GML_REMOVE_DIR));
	assert_ino_equal(ns_lookup(ns, GML_INO_ROOT, "far"), GML_INO_NONE);
}

/* An engine that keeps no count of inodes: the objects of the buckets are the files that are
 * known. */
static void test_statfs_files(void **state)
{
	struct ns *ns = *state;
	struct gml_statfs st;
	ns_put(ns, ns->bucket, "a", "0123456789");
	ns_put(ns, ns->bucket, "b", "01234");
	assert_ok(gml_store_statfs(&ns->op, ns->store, GML_INO_ROOT, &st));
	assert_int_equal(st.used, 15);
	assert_int_equal(st.files, gml_meta_engine(ns->store->meta)->caps.cheap_count ? 4 : 2);
}

int main(void)
{
#define NS_TEST(name) cmocka_unit_test_setup_teardown(name, ns_setup, ns_teardown)
	const struct CMUnitTest tests[] = {
		NS_TEST(test_mkdir_lookup), NS_TEST(test_parent_times),
		NS_TEST(test_bad_names),    NS_TEST(test_symlink_mknod),
		NS_TEST(test_link),	    NS_TEST(test_remove),
		NS_TEST(test_rename_rules), NS_TEST(test_rename_implicit),
		NS_TEST(test_escapes),	    NS_TEST(test_long_names),
		NS_TEST(test_marker),	    NS_TEST(test_readdir_resume),
		NS_TEST(test_readdir_live), NS_TEST(test_rights),
		NS_TEST(test_sticky),	    NS_TEST(test_root),
		NS_TEST(test_root_view),    NS_TEST(test_statfs_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
