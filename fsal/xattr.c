/* Extended attributes (RFC 8276). On the wire, names lack the "user." that the core's have. */
#include "fsal.h"

#define XATTR_PREFIX "user."
#define XATTR_PREFIX_LEN (sizeof(XATTR_PREFIX) - 1)
#define XATTR_FIRST_TRY 1024		  /* the buffer that GETXATTR offers first */
#define XATTR_VALUE_MAX XDR_STRING_MAXLEN /* ganesha neither reads nor writes longer ones: the reply would be lost */
#define XATTR_NAMES_MAX (16u << 20)

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
	if (rc == 0 && len > XATTR_VALUE_MAX) {
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

struct xattr_list {
	char *buf; /* names, each with a NUL */
	size_t len, cap;
	int rc;
};

static bool xattr_list_each(void *arg, struct gml_span name)
{
	struct xattr_list *list = arg;

	if (list->len + name.len + 1 > list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 4096;
		if (cap > XATTR_NAMES_MAX) {
			list->rc = GML_ERR_TOOBIG;
			return false;
		}
		list->buf = gsh_realloc(list->buf, cap);
		list->cap = cap;
	}
	memcpy(list->buf + list->len, name.ptr, name.len);
	list->len += name.len;
	list->buf[list->len++] = 0;
	return true;
}

static fsal_status_t xattr_list(struct fsal_obj_handle *handle, count4 maxcount, nfs_cookie4 *cookie, bool_t *eof,
				xattrlist4 *names)
{
	struct xattr_list list = {NULL};
	struct gml_op op;
	fsal_status_t status;
	int rc;

	gml_fsal_op(&op, 0);
	rc = gml_xattr_list(&op, gml_fsal.store, gml_fsal_obj_of(handle)->ino, xattr_list_each, &list);
	if (rc == 0)
		rc = list.rc;
	status =
		rc == 0 ? fsal_listxattr_helper(list.buf, list.len, maxcount, cookie, eof, names) : gml_fsal_status(rc);
	gsh_free(list.buf);
	return status;
}

void gml_fsal_xattr_ops(struct fsal_obj_ops *ops)
{
	ops->getxattrs = xattr_get;
	ops->setxattrs = xattr_set;
	ops->removexattrs = xattr_remove;
	ops->listxattrs = xattr_list;
}
