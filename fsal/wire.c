// SPDX-License-Identifier: Apache-2.0
/* Values of extended attributes on the wire. ganesha decodes and encodes none much longer than 8
 * KiB: it rejects a SETXATTR with a longer one as garbage, which a user of the client sees as EIO,
 * and a GETXATTR with a longer one would end the connection. Linux allows 64 KiB.
 *
 * The functions that decode a COMPOUND and encode its results are in a table of the library, which
 * every request points to. Loading the plugin puts ours there, before the first request. Ours call
 * ganesha's and add only what those cannot do: a COMPOUND that cannot be decoded is decoded again,
 * with longer values allowed; names with a byte 00 are refused; results that hold a long value are
 * encoded here. */
#include "fsal.h"

/* a longer value than the core accepts is decoded, and refused as too big */
#define WIRE_ARGS_MAX XDR_BYTES_MAXLEN
/* ganesha's own limits: xdr_utf8string_decode accepts less than XDR_STRING_MAXLEN, xdr_bytes_encode
 * at most that. */
#define WIRE_DECODE_MAX (XDR_STRING_MAXLEN - 1)
#define WIRE_ENCODE_MAX XDR_STRING_MAXLEN
_Static_assert(WIRE_ARGS_MAX > GML_XATTR_VALUE_MAX && WIRE_ENCODE_MAX < GML_XATTR_VALUE_MAX,
	       "ganesha's own limits are below the core's, and those here above");

typedef bool (*wire_decode_fn)(XDR *xdrs, COMPOUND4args *args);
typedef bool (*wire_encode_fn)(XDR *xdrs, struct COMPOUND4res_extended **res);

static wire_decode_fn wire_decode_before;
static wire_encode_fn wire_encode_before;
static nfs_function_desc_t *wire_hooked;

static bool wire_setxattr_args(XDR *xdrs, SETXATTR4args *args)
{
	return inline_xdr_enum(xdrs, (enum_t *)&args->sxa_option) &&
	       xdr_component4(xdrs, &args->sxa_key) &&
	       inline_xdr_utf8string(xdrs, &args->sxa_value, WIRE_ARGS_MAX);
}

static bool wire_argop(XDR *xdrs, nfs_argop4 *op)
{
	u_int start = XDR_GETPOS(xdrs);
	uint32_t number;

	if (!XDR_GETUINT32(xdrs, &number))
		return false;
	if (number != NFS4_OP_SETXATTR)
		return XDR_SETPOS(xdrs, start) && xdr_nfs_argop4(xdrs, op);
	op->argop = NFS4_OP_SETXATTR;
	return wire_setxattr_args(xdrs, &op->nfs_argop4_u.opsetxattr);
}

/* ganesha takes a name for a string in many places, so one with a byte 00 would be the name before
 * it. As an empty one it is INVAL. */
static void wire_refuse_zero(utf8string *name)
{
	if (name->utf8string_val != NULL &&
	    memchr(name->utf8string_val, 0, name->utf8string_len) != NULL)
		name->utf8string_len = 0;
}

static void wire_check_names(nfs_argop4 *op)
{
	CREATE4args *create = &op->nfs_argop4_u.opcreate;
	open_claim4 *claim = &op->nfs_argop4_u.opopen.claim;

	switch (op->argop) {
	case NFS4_OP_LOOKUP:
		wire_refuse_zero(&op->nfs_argop4_u.oplookup.objname);
		break;
	case NFS4_OP_OPEN:
		if (claim->claim == CLAIM_NULL)
			wire_refuse_zero(&claim->open_claim4_u.file);
		break;
	case NFS4_OP_CREATE:
		wire_refuse_zero(&create->objname);
		if (create->objtype.type == NF4LNK)
			wire_refuse_zero(&create->objtype.createtype4_u.linkdata);
		break;
	case NFS4_OP_REMOVE:
		wire_refuse_zero(&op->nfs_argop4_u.opremove.target);
		break;
	case NFS4_OP_RENAME:
		wire_refuse_zero(&op->nfs_argop4_u.oprename.oldname);
		wire_refuse_zero(&op->nfs_argop4_u.oprename.newname);
		break;
	case NFS4_OP_LINK:
		wire_refuse_zero(&op->nfs_argop4_u.oplink.newname);
		break;
	case NFS4_OP_SECINFO:
		wire_refuse_zero(&op->nfs_argop4_u.opsecinfo.name);
		break;
	default:
		break;
	}
}

static bool wire_decode_any(XDR *xdrs, COMPOUND4args *args)
{
	u_int start = XDR_GETPOS(xdrs);
	if (wire_decode_before(xdrs, args))
		return true;
	(void)xdr_free((xdrproc_t)wire_decode_before, args);
	memset(args, 0, sizeof(*args));
	return XDR_SETPOS(xdrs, start) && xdr_utf8str_cs(xdrs, &args->tag) &&
	       inline_xdr_u_int32_t(xdrs, &args->minorversion) &&
	       xdr_array(xdrs, (char **)&args->argarray.argarray_val, &args->argarray.argarray_len,
			 XDR_ARRAY_MAXLEN, sizeof(nfs_argop4), (xdrproc_t)wire_argop);
}

static bool wire_decode(XDR *xdrs, COMPOUND4args *args)
{
	if (xdrs->x_op != XDR_DECODE)
		return wire_decode_before(xdrs, args);
	if (!wire_decode_any(xdrs, args))
		return false;
	for (u_int i = 0; i < args->argarray.argarray_len; i++)
		wire_check_names(&args->argarray.argarray_val[i]);
	return true;
}

static xattrvalue4 *wire_long_value(nfs_resop4 *op)
{
	GETXATTR4res *res = &op->nfs_resop4_u.opgetxattr;
	xattrvalue4 *value = &res->GETXATTR4res_u.resok4.gxr_value;

	if (op->resop != NFS4_OP_GETXATTR || res->status != NFS4_OK ||
	    value->utf8string_len <= WIRE_ENCODE_MAX)
		return NULL;
	return value;
}

static bool wire_resop(XDR *xdrs, nfs_resop4 *op)
{
	xattrvalue4 *value = wire_long_value(op);

	if (value == NULL)
		return xdr_nfs_resop4(xdrs, op);
	gml_assert(value->utf8string_len <= GML_XATTR_VALUE_MAX); /* gml_fsal_wire_value_max */
	return XDR_PUTUINT32(xdrs, NFS4_OP_GETXATTR) && XDR_PUTUINT32(xdrs, NFS4_OK) &&
	       inline_xdr_bytes(xdrs, &value->utf8string_val, &value->utf8string_len,
				GML_XATTR_VALUE_MAX);
}

static bool wire_encode(XDR *xdrs, struct COMPOUND4res_extended **res)
{
	COMPOUND4res *all = &(*res)->res_compound4;
	bool any = false;

	for (u_int i = 0; xdrs->x_op == XDR_ENCODE && !any && i < all->resarray.resarray_len; i++)
		any = wire_long_value(&all->resarray.resarray_val[i]) != NULL;
	if (!any)
		return wire_encode_before(xdrs, res);
	return xdr_nfsstat4(xdrs, &all->status) && xdr_utf8str_cs(xdrs, &all->tag) &&
	       xdr_array(xdrs, (char **)&all->resarray.resarray_val, &all->resarray.resarray_len,
			 XDR_ARRAY_MAXLEN, sizeof(nfs_resop4), (xdrproc_t)wire_resop);
}

#define WIRE_NAME "NFS4_COMP"

static bool wire_is_entry(const struct dl_phdr_info *info, const void *at)
{
	const nfs_function_desc_t *desc = at;
	return gml_fsal_table_is_code(info, (uintptr_t)desc->service_function) &&
	       gml_fsal_table_is_code(info, (uintptr_t)desc->free_function) &&
	       gml_fsal_table_is_code(info, (uintptr_t)desc->xdr_decode_func) &&
	       gml_fsal_table_is_code(info, (uintptr_t)desc->xdr_encode_func) &&
	       gml_fsal_table_is_text(info, desc->funcname, WIRE_NAME);
}

static bool wire_replace(nfs_function_desc_t *desc, xdrproc_t decode, xdrproc_t encode)
{
	nfs_function_desc_t changed = *desc;
	changed.xdr_decode_func = decode;
	changed.xdr_encode_func = encode;
	return gml_fsal_table_write(desc, &changed, sizeof(changed));
}

void gml_fsal_wire_hook(void)
{
	nfs_function_desc_t *desc = gml_fsal_table_find(sizeof(*desc), wire_is_entry);
	gml_assert(wire_hooked == NULL); /* else ours would call themselves */
	if (desc != NULL) {
		wire_decode_before = (wire_decode_fn)desc->xdr_decode_func;
		wire_encode_before = (wire_encode_fn)desc->xdr_encode_func;
		if (wire_replace(desc, (xdrproc_t)wire_decode, (xdrproc_t)wire_encode)) {
			wire_hooked = desc;
			return;
		}
	}
	LogWarn(COMPONENT_FSAL,
		"clients cannot set values of extended attributes of more than %d bytes, nor get "
		"any of more than %d: "
		"ganesha's table of requests %s. Report this, with the version of the package",
		WIRE_DECODE_MAX, WIRE_ENCODE_MAX, desc ? "cannot be changed" : "was not found");
}

void gml_fsal_wire_unhook(void)
{
	nfs_function_desc_t *desc = wire_hooked;
	if (desc != NULL &&
	    wire_replace(desc, (xdrproc_t)wire_decode_before, (xdrproc_t)wire_encode_before))
		wire_hooked = NULL;
}

size_t gml_fsal_wire_value_max(void)
{
	return wire_hooked != NULL ? GML_XATTR_VALUE_MAX : WIRE_ENCODE_MAX;
}
