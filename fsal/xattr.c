// SPDX-License-Identifier: Apache-2.0
/* Extended attributes (RFC 8276). On the wire, names lack the prefix "user." that the core uses. */
#include "fsal.h"

#define XATTR_PREFIX "user."
#define XATTR_PREFIX_LEN (sizeof(XATTR_PREFIX) - 1)
#define XATTR_FIRST_TRY 1024 /* the first buffer of GETXATTR */

struct xattr_name {
	char text[GML_XATTR_NAME_MAX];
	struct gml_span span;
};

static int xattr_name_init(struct xattr_name *name, const xattrkey4 *key)
{
	if (key->utf8string_len == 0)
		return GML_ERR_INVAL;
	if (key->utf8string_len > sizeof(name->text) - XATTR_PREFIX_LEN)
		return GML_ERR_NAMETOOLONG;
	memcpy(name->text, XATTR_PREFIX, XATTR_PREFIX_LEN);
	memcpy(name->text + XATTR_PREFIX_LEN, key->utf8string_val, key->utf8string_len);
	name->span = (struct gml_span){name->text, XATTR_PREFIX_LEN + key->utf8string_len};
	return 0;
}

/* ganesha calls with 1 KiB; on XATTR2BIG without a buffer for the size; then with that much. It
 * frees its buffer only after XATTR2BIG and success. */
static fsal_status_t xattr_get(struct fsal_obj_handle *handle, xattrkey4 *key, xattrvalue4 *value)
{
	size_t cap = value->utf8string_val ? value->utf8string_len : 0, len = 0;
	struct xattr_name name;
	struct gml_op op;
	int rc = xattr_name_init(&name, key);
	gml_fsal_op(&op, 0);
	if (rc == 0)
		rc = gml_xattr_get(&op, gml_fsal.store, gml_fsal_obj_of(handle)->ino, name.span,
				   (struct gml_buf){value->utf8string_val, cap}, &len);
	if (rc == 0 && len > gml_fsal_wire_value_max()) { /* the reply would be lost */
		gsh_free(value->utf8string_val);
		value->utf8string_val = NULL;
		return fsalstat(ERR_FSAL_XATTR2BIG, 0);
	}
	if (rc == 0) {
		value->utf8string_len = (uint32_t)len;
		return gml_fsal_status(0);
	}
	if (rc == GML_ERR_TOOBIG && cap == XATTR_FIRST_TRY)
		return gml_fsal_status(rc);
	gsh_free(value->utf8string_val);
	value->utf8string_val = NULL;
	value->utf8string_len = 0;
	/* The value grew between two of the calls. */
	return rc == GML_ERR_TOOBIG ? fsalstat(ERR_FSAL_DELAY, 0) : gml_fsal_status(rc);
}

static fsal_status_t xattr_set(struct fsal_obj_handle *handle, setxattr_option4 option,
			       xattrkey4 *key, xattrvalue4 *value)
{
	struct gml_span bytes = {value->utf8string_val, value->utf8string_len};
	enum gml_xattr_disposition disposition = GML_XATTR_EITHER;
	struct xattr_name name;
	struct gml_op op;
	int rc = xattr_name_init(&name, key);
	switch (option) {
	case SETXATTR4_EITHER:
		break;
	case SETXATTR4_CREATE:
		disposition = GML_XATTR_CREATE;
		break;
	case SETXATTR4_REPLACE:
		disposition = GML_XATTR_REPLACE;
		break;
	default:
		return fsalstat(ERR_FSAL_INVAL, 0);
	}
	gml_fsal_op(&op, EXPORT_OPTION_MD_WRITE_ACCESS);
	if (rc == 0)
		rc = gml_xattr_set(&op, gml_fsal.store, gml_fsal_obj_of(handle)->ino, name.span,
				   bytes, disposition);
	return gml_fsal_status(rc);
}

static fsal_status_t xattr_remove(struct fsal_obj_handle *handle, xattrkey4 *key)
{
	struct xattr_name name;
	struct gml_op op;
	int rc = xattr_name_init(&name, key);
	gml_fsal_op(&op, EXPORT_OPTION_MD_WRITE_ACCESS);
	if (rc == 0)
		rc = gml_xattr_remove(&op, gml_fsal.store, gml_fsal_obj_of(handle)->ino, name.span);
	return gml_fsal_status(rc);
}

/* ---- LISTXATTRS: by cookie, as much as the client and ganesha take ----
 *
 * Names may come and go between two replies of one listing, and each name that stays must be listed
 * once. Linux turns BAD_COOKIE into a failed listxattr(2), so a cookie must be valid in any case:
 * names are listed in the order of a number that each name has by itself, and a cookie is that
 * number of the last listed name. */

/* names that ganesha can encode; with more, the connection would be lost */
#define XATTR_LIST_COUNT XDR_ARRAY_MAXLEN
#define XATTR_LIST_HEAD                                                                            \
	(sizeof(nfs_opnum4) + sizeof(nfsstat4) + sizeof(nfs_cookie4) + sizeof(count4) +            \
	 BYTES_PER_XDR_UNIT)
/* ganesha keeps space for one more result */
#define XATTR_LIST_NEXT (sizeof(nfs_opnum4) + sizeof(nfsstat4))

struct xattr_listed {
	nfs_cookie4 position;
	uint32_t len;
	char *name; /* without its prefix */
};

struct xattr_list {
	nfs_cookie4 from;
	struct xattr_listed *names; /* those after `from` */
	size_t count, cap;
};

/* FNV-1a, 64 bits. Never 0, which is the first cookie of a listing. */
static nfs_cookie4 xattr_position(const char *name, uint32_t len)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (uint32_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)name[i]) * 0x100000001b3;
	return hash ? hash : 1;
}

static bool xattr_list_each(void *arg, struct gml_span span)
{
	struct xattr_list *list = arg;
	const char *name = (const char *)span.ptr + XATTR_PREFIX_LEN;
	uint32_t len = (uint32_t)(span.len - XATTR_PREFIX_LEN);
	nfs_cookie4 position = xattr_position(name, len);
	gml_assert(span.len > XATTR_PREFIX_LEN &&
		   memcmp(span.ptr, XATTR_PREFIX, XATTR_PREFIX_LEN) == 0);
	if (position <= list->from)
		return true;
	if (list->count == list->cap) {
		list->cap = list->cap ? 2 * list->cap : 16;
		list->names = gsh_realloc(list->names, list->cap * sizeof(*list->names));
	}
	list->names[list->count++] = (struct xattr_listed){
		.position = position, .len = len, .name = gsh_memdup(name, len)};
	return true;
}

static int xattr_list_compare(const void *a, const void *b)
{
	const struct xattr_listed *x = a, *y = b;
	return x->position < y->position ? -1 : x->position > y->position;
}

static void xattr_list_free(struct xattr_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		gsh_free(list->names[i].name);
	gsh_free(list->names);
}

/* What is left of the session's largest reply. */
static uint32_t xattr_list_room(void)
{
	const compound_data_t *compound = gml_fsal_compound();
	uint32_t max, used;
	if (compound == NULL || compound->session == NULL)
		return UINT32_MAX;
	max = compound->session->fore_channel_attrs.ca_maxresponsesize;
	if (compound->sa_cachethis &&
	    compound->session->fore_channel_attrs.ca_maxresponsesize_cached < max)
		max = compound->session->fore_channel_attrs.ca_maxresponsesize_cached;
	used = compound->resp_size + XATTR_LIST_HEAD + XATTR_LIST_NEXT;
	return max > used ? max - used : 0;
}

/* The number of names that this reply holds. One at least when the client has space for it: ganesha
 * then reports that the reply would be too big. Names that share a position are not separated: the
 * cookie could not say which were sent. */
static size_t xattr_list_fit(const struct xattr_list *list, uint32_t client_room)
{
	uint32_t reply_room = xattr_list_room(), size;
	size_t n = 0;
	for (; n < list->count && n < XATTR_LIST_COUNT; n++) {
		size = sizeof(uint32_t) + RNDUP(list->names[n].len);
		if (size > client_room || (size > reply_room && n > 0))
			break;
		client_room -= size;
		reply_room -= size < reply_room ? size : reply_room;
	}
	while (n > 0 && n < list->count && list->names[n].position == list->names[n - 1].position)
		n--;
	return n;
}

/* Moves the first `n` of the list to `names`. */
static void xattr_list_give(struct xattr_list *list, size_t n, xattrlist4 *names)
{
	names->xl4_count = (count4)n;
	names->xl4_entries = n > 0 ? gsh_calloc(n, sizeof(*names->xl4_entries)) : NULL;
	for (size_t i = 0; i < n; i++) {
		names->xl4_entries[i] = (xattrkey4){.utf8string_len = list->names[i].len,
						    .utf8string_val = list->names[i].name};
		list->names[i].name = NULL;
	}
}

/* `maxcount` is the client's limit for the result without cookie and eof; the count of names is
 * part of it. */
static fsal_status_t xattr_list(struct fsal_obj_handle *handle, count4 maxcount,
				nfs_cookie4 *cookie, bool_t *eof, xattrlist4 *names)
{
	struct xattr_list list = {.from = *cookie};
	fsal_status_t status;
	struct gml_op op;
	size_t n;
	gml_fsal_op(&op, 0);
	status = gml_fsal_status(gml_xattr_list(&op, gml_fsal.store, gml_fsal_obj_of(handle)->ino,
						xattr_list_each, &list));
	if (FSAL_IS_SUCCESS(status)) {
		if (list.count > 0)
			qsort(list.names, list.count, sizeof(*list.names), xattr_list_compare);
		n = xattr_list_fit(&list,
				   maxcount > sizeof(count4) ? maxcount - sizeof(count4) : 0);
		if (n == 0 && list.count > 0) {
			status = fsalstat(ERR_FSAL_TOOSMALL, 0);
		} else {
			*eof = n == list.count;
			*cookie = n > 0 ? list.names[n - 1].position : list.from;
			gml_assert(n == 0 || *cookie > list.from); /* a listing ends */
			xattr_list_give(&list, n, names);
		}
	}
	xattr_list_free(&list);
	return status;
}

void gml_fsal_xattr_ops(struct fsal_obj_ops *ops)
{
	ops->getxattrs = xattr_get;
	ops->setxattrs = xattr_set;
	ops->removexattrs = xattr_remove;
	ops->listxattrs = xattr_list;
}
