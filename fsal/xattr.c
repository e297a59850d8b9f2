/* Extended attributes (RFC 8276). On the wire, names lack the "user." that the core's have. */
#include "fsal.h"

#define XATTR_PREFIX "user."
#define XATTR_PREFIX_LEN (sizeof(XATTR_PREFIX) - 1)
#define XATTR_FIRST_TRY 1024 /* the buffer that GETXATTR offers first */

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

/* ganesha calls with 1 KiB; on XATTR2BIG without a buffer for the size; then with that much. It frees its buffer only
 * after XATTR2BIG and success. */
static fsal_status_t xattr_get(struct fsal_obj_handle *handle, xattrkey4 *key, xattrvalue4 *value)
{
	size_t cap = value->utf8string_val ? value->utf8string_len : 0, len = 0;
	struct xattr_name name;
	struct gml_op op;
	int rc = xattr_name_init(&name, key);

	gml_fsal_op(&op, 0);
	if (rc == 0)
		rc = gml_xattr_get(&op, gml_fsal.store, gml_fsal_obj_of(handle)->ino, name.span, value->utf8string_val,
				   cap, &len);
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

static fsal_status_t xattr_set(struct fsal_obj_handle *handle, setxattr_option4 option, xattrkey4 *key,
			       xattrvalue4 *value)
{
	struct gml_span bytes = {value->utf8string_val, value->utf8string_len};
	enum gml_xattr_how how = GML_XATTR_EITHER;
	struct xattr_name name;
	struct gml_op op;
	int rc = xattr_name_init(&name, key);

	switch (option) {
	case SETXATTR4_EITHER:
		break;
	case SETXATTR4_CREATE:
		how = GML_XATTR_CREATE;
		break;
	case SETXATTR4_REPLACE:
		how = GML_XATTR_REPLACE;
		break;
	default:
		return fsalstat(ERR_FSAL_INVAL, 0);
	}
	gml_fsal_op(&op, EXPORT_OPTION_MD_WRITE_ACCESS);
	if (rc == 0)
		rc = gml_xattr_set(&op, gml_fsal.store, gml_fsal_obj_of(handle)->ino, name.span, bytes, how);
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

/* ---- LISTXATTRS: by cookie, as much as the client and ganesha take ---- */

#define XATTR_LIST_COUNT XDR_ARRAY_MAXLEN /* names that ganesha can encode; with more, the connection would be lost */
#define XATTR_LIST_HEAD                                                                                                \
	(sizeof(nfs_opnum4) + sizeof(nfsstat4) + sizeof(nfs_cookie4) + sizeof(count4) + BYTES_PER_XDR_UNIT)
#define XATTR_LIST_NEXT (sizeof(nfs_opnum4) + sizeof(nfsstat4)) /* ganesha keeps room for one more result */

struct xattr_list {
	nfs_cookie4 from, seen;		  /* a cookie is the number of names up to here, in the core's order */
	uint32_t client_room, reply_room; /* bytes that are left for names */
	xattrlist4 names;
	count4 cap;
	bool more;
};

/* What is left of the session's largest reply. */
static uint32_t xattr_list_room(void)
{
	const compound_data_t *compound = gml_fsal_compound();
	uint32_t max, used;

	if (compound == NULL || compound->session == NULL)
		return UINT32_MAX;
	max = compound->session->fore_channel_attrs.ca_maxresponsesize;
	if (compound->sa_cachethis && compound->session->fore_channel_attrs.ca_maxresponsesize_cached < max)
		max = compound->session->fore_channel_attrs.ca_maxresponsesize_cached;
	used = compound->resp_size + XATTR_LIST_HEAD + XATTR_LIST_NEXT;
	return max > used ? max - used : 0;
}

/* One name at least is taken when the client has room for it: ganesha then says that the reply would be too big. */
static bool xattr_list_each(void *arg, struct gml_span name)
{
	struct xattr_list *list = arg;
	uint32_t len = (uint32_t)(name.len - XATTR_PREFIX_LEN), size = sizeof(uint32_t) + RNDUP(len);
	xattrlist4 *names = &list->names;

	if (list->seen < list->from) {
		list->seen++;
		return true;
	}
	list->more = size > list->client_room || names->xl4_count == XATTR_LIST_COUNT ||
		     (size > list->reply_room && names->xl4_count > 0);
	if (list->more)
		return false;
	if (names->xl4_count == list->cap) {
		list->cap = list->cap ? 2 * list->cap : 16;
		names->xl4_entries = gsh_realloc(names->xl4_entries, list->cap * sizeof(*names->xl4_entries));
	}
	names->xl4_entries[names->xl4_count++] = (xattrkey4){
		.utf8string_len = len, .utf8string_val = gsh_memdup((const char *)name.ptr + XATTR_PREFIX_LEN, len)};
	list->seen++;
	list->client_room -= size;
	list->reply_room -= size < list->reply_room ? size : list->reply_room;
	return true;
}

static void xattr_list_free(xattrlist4 *names)
{
	for (count4 i = 0; i < names->xl4_count; i++)
		gsh_free(names->xl4_entries[i].utf8string_val);
	gsh_free(names->xl4_entries);
	*names = (xattrlist4){0};
}

/* `maxcount` is what the client has for the result but for cookie and eof; the count of names is part of it as well. */
static fsal_status_t xattr_list(struct fsal_obj_handle *handle, count4 maxcount, nfs_cookie4 *cookie, bool_t *eof,
				xattrlist4 *names)
{
	struct xattr_list list = {
		.from = *cookie,
		.client_room = maxcount > sizeof(count4) ? maxcount - sizeof(count4) : 0,
		.reply_room = xattr_list_room(),
	};
	struct gml_op op;
	int rc;

	gml_fsal_op(&op, 0);
	rc = gml_xattr_list(&op, gml_fsal.store, gml_fsal_obj_of(handle)->ino, xattr_list_each, &list);
	if (rc != 0) {
		xattr_list_free(&list.names);
		return gml_fsal_status(rc);
	}
	if (list.names.xl4_count == 0 && list.more)
		return fsalstat(ERR_FSAL_TOOSMALL, 0);
	if (list.seen < list.from)
		return fsalstat(ERR_FSAL_BADCOOKIE, 0);
	*cookie = list.seen;
	*eof = !list.more;
	*names = list.names;
	return gml_fsal_status(0);
}

void gml_fsal_xattr_ops(struct fsal_obj_ops *ops)
{
	ops->getxattrs = xattr_get;
	ops->setxattrs = xattr_set;
	ops->removexattrs = xattr_remove;
	ops->listxattrs = xattr_list;
}
