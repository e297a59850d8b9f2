// SPDX-License-Identifier: Apache-2.0
/* Attributes on the wire that ganesha does not carry as the core has them.
 *
 * ACLs: ganesha knows OWNER@, GROUP@ and EVERYONE@ alone, and makes any name that it cannot map
 * the anonymous user, to whom an entry would then grant what was meant for somebody else.
 * mode_umask (RFC 8275): without it a client applies its umask itself, and takes from an inherited
 * ACL what the umask takes from modes.
 *
 * Loading the plugin changes two rows of ganesha's table of attributes, before the first request.
 * The rest of the entry of an ACL, its users and groups, is left to the rows of owner and group. */
#include "fsal.h"

/* It declares functions for NFSv3's ACLs, which want the headers of another library. */
#undef USE_NFSACL3
#include "nfs_proto_tools.h"

#define FATTR_ACES_MAX 4096 /* as in ganesha; the core takes fewer, and says so */
#define FATTR_WHO_MAX 1024

static const struct fattr4_dent *fattr_table; /* while it is changed */
static struct fattr4_dent fattr_acl_before, fattr_umask_before;

static const struct {
	const char *name;
	uint32_t who; /* of an ace that is marked as special */
} fattr_special[] = {{"OWNER@", FSAL_ACE_SPECIAL_OWNER},
		     {"GROUP@", FSAL_ACE_SPECIAL_GROUP},
		     {"EVERYONE@", FSAL_ACE_SPECIAL_EVERYONE},
		     {"AUTHENTICATED@", GML_FSAL_ACE_AUTHENTICATED},
		     {"ANONYMOUS@", GML_FSAL_ACE_ANONYMOUS}};
#define FATTR_SPECIALS (sizeof(fattr_special) / sizeof(fattr_special[0]))

/* ---- ACL ---- */

/* By the row of owner or group: a name, or a number. */
static bool fattr_put_who(XDR *xdr, const fsal_ace_t *ace)
{
	struct fsal_attrlist attrs = {.owner = GET_FSAL_ACE_USER(*ace),
				      .group = GET_FSAL_ACE_GROUP(*ace)};
	struct xdr_attrs_args args = {.attrs = &attrs};
	int row = IS_FSAL_ACE_GROUP_ID(*ace) ? FATTR4_OWNER_GROUP : FATTR4_OWNER;
	if (!IS_FSAL_ACE_SPECIAL_ID(*ace))
		return fattr_table[row].encode(xdr, &args) == FATTR_XDR_SUCCESS;
	for (size_t i = 0; i < FATTR_SPECIALS; i++) {
		char *name = (char *)fattr_special[i].name;
		uint32_t len = (uint32_t)strlen(name);
		if (fattr_special[i].who == GET_FSAL_ACE_USER(*ace))
			return inline_xdr_bytes(xdr, &name, &len, FATTR_WHO_MAX);
	}
	return false;
}

static fattr_xdr_result fattr_acl_encode(XDR *xdr, struct xdr_attrs_args *args)
{
	const fsal_acl_t *acl = args->attrs->acl;
	uint32_t count = acl != NULL ? acl->naces : 0;
	if (!inline_xdr_u_int32_t(xdr, &count))
		return FATTR_XDR_FAILED;
	for (uint32_t i = 0; i < count; i++) {
		fsal_ace_t *ace = &acl->aces[i];
		if (!inline_xdr_u_int32_t(xdr, &ace->type) ||
		    !inline_xdr_u_int32_t(xdr, &ace->flag) ||
		    !inline_xdr_u_int32_t(xdr, &ace->perm) || !fattr_put_who(xdr, ace))
			return FATTR_XDR_FAILED;
	}
	return FATTR_XDR_SUCCESS;
}

/* Is the text the anonymous id itself, or its usual name? */
static bool fattr_means_anonymous(const char *text, size_t len, uint32_t id)
{
	char number[12];
	size_t digits = (size_t)snprintf(number, sizeof(number), "%" PRIu32, id);
	return (len == digits && memcmp(text, number, len) == 0) ||
	       (len >= 6 && memcmp(text, "nobody", 6) == 0 && (len == 6 || text[6] == '@')) ||
	       (len >= 7 && memcmp(text, "nogroup", 7) == 0 && (len == 7 || text[7] == '@'));
}

/* A user or group, by the row of owner or group, which reads from the length on. */
static bool fattr_get_id(XDR *xdr, struct xdr_attrs_args *args, const char *text, uint32_t len,
			 fsal_ace_t *ace)
{
	const bool group = IS_FSAL_ACE_GROUP_ID(*ace);
	struct fsal_attrlist attrs = {.owner = 0};
	struct xdr_attrs_args one = {.attrs = &attrs, .data = args->data};
	uint32_t id, anonymous;
	if (fattr_table[group ? FATTR4_OWNER_GROUP : FATTR4_OWNER].decode(xdr, &one) !=
	    FATTR_XDR_SUCCESS) {
		args->nfs_status = one.nfs_status != NFS4_OK ? one.nfs_status : NFS4ERR_BADOWNER;
		return false;
	}
	id = (uint32_t)(group ? attrs.group : attrs.owner);
	anonymous = group ? op_ctx->export_perms.anonymous_gid : op_ctx->export_perms.anonymous_uid;
	if (id == UINT32_MAX || (id == anonymous && !fattr_means_anonymous(text, len, id))) {
		args->nfs_status = NFS4ERR_BADOWNER;
		return false;
	}
	if (group)
		ace->who.gid = id;
	else
		ace->who.uid = id;
	return true;
}

static bool fattr_get_who(XDR *xdr, struct xdr_attrs_args *args, fsal_ace_t *ace)
{
	u_int start = XDR_GETPOS(xdr), end;
	const char *text;
	uint32_t len;
	if (!inline_xdr_u_int32_t(xdr, &len) || len == 0 || len > FATTR_WHO_MAX)
		return false;
	text = (const char *)xdr_inline_decode(xdr, (len + 3) & ~3u);
	end = XDR_GETPOS(xdr);
	if (text == NULL)
		return false;
	for (size_t i = 0; i < FATTR_SPECIALS; i++)
		if (strlen(fattr_special[i].name) == len &&
		    memcmp(fattr_special[i].name, text, len) == 0) {
			ace->flag &= ~FSAL_ACE_FLAG_GROUP_ID;
			ace->iflag |= FSAL_ACE_IFLAG_SPECIAL_ID;
			ace->who.uid = fattr_special[i].who;
			return true;
		}
	return XDR_SETPOS(xdr, start) && fattr_get_id(xdr, args, text, len, ace) &&
	       XDR_SETPOS(xdr, end);
}

static fattr_xdr_result fattr_acl_decode(XDR *xdr, struct xdr_attrs_args *args)
{
	fsal_acl_data_t data = {.naces = 0};
	fsal_acl_status_t status;
	if (!inline_xdr_u_int32_t(xdr, &data.naces) || data.naces > FATTR_ACES_MAX)
		return FATTR_XDR_FAILED;
	data.aces = gsh_calloc(data.naces + 1, sizeof(*data.aces));
	for (uint32_t i = 0; i < data.naces; i++) {
		fsal_ace_t *ace = &data.aces[i];
		if (!inline_xdr_u_int32_t(xdr, &ace->type) ||
		    !inline_xdr_u_int32_t(xdr, &ace->flag) ||
		    !inline_xdr_u_int32_t(xdr, &ace->perm) || !fattr_get_who(xdr, args, ace)) {
			gsh_free(data.aces);
			return FATTR_XDR_FAILED;
		}
	}
	args->attrs->acl = nfs4_acl_new_entry(&data, &status);
	if (args->attrs->acl != NULL)
		return FATTR_XDR_SUCCESS;
	args->nfs_status = NFS4ERR_SERVERFAULT;
	return FATTR_XDR_FAILED;
}

/* ---- mode_umask ---- */

static fattr_xdr_result fattr_umask_encode(XDR *xdr, struct xdr_attrs_args *args)
{
	return FATTR_XDR_NOOP; /* it can only be set */
}

/* The umask travels in a member that no client can set. */
static fattr_xdr_result fattr_umask_decode(XDR *xdr, struct xdr_attrs_args *args)
{
	uint32_t mode, umask;
	if (!inline_xdr_u_int32_t(xdr, &mode) || !inline_xdr_u_int32_t(xdr, &umask))
		return FATTR_XDR_FAILED;
	if ((mode & ~07777u) || (umask & ~0777u) || (args->attrs->valid_mask & ATTR_MODE)) {
		args->nfs_status = NFS4ERR_INVAL;
		return FATTR_XDR_FAILED;
	}
	args->attrs->mode = mode;
	args->attrs->generation = GML_FSAL_HAS_UMASK | umask;
	return FATTR_XDR_SUCCESS;
}

/* ---- ganesha's table ---- */

static bool fattr_is_row(const struct dl_phdr_info *info, const struct fattr4_dent *row,
			 const char *name)
{
	return gml_fsal_table_is_code(info, (uintptr_t)row->encode) &&
	       gml_fsal_table_is_code(info, (uintptr_t)row->decode) &&
	       gml_fsal_table_is_text(info, row->name, name);
}

/* The row of ACLs, among its neighbours. */
static bool fattr_is_acl(const struct dl_phdr_info *info, const void *at)
{
	const struct fattr4_dent *row = at;
	if (!fattr_is_row(info, row, "FATTR4_ACL"))
		return false;
	row -= FATTR4_ACL;
	return fattr_is_row(info, &row[FATTR4_OWNER], "FATTR4_OWNER") &&
	       fattr_is_row(info, &row[FATTR4_OWNER_GROUP], "FATTR4_OWNER_GROUP") &&
	       fattr_is_row(info, &row[FATTR4_XATTR_SUPPORT], "FATTR4_XATTR_SUPPORT");
}

static bool fattr_put_rows(const struct fattr4_dent *acl, const struct fattr4_dent *umask)
{
	return gml_fsal_table_write((void *)&fattr_table[FATTR4_ACL], acl, sizeof(*acl)) &&
	       gml_fsal_table_write((void *)&fattr_table[GML_FSAL_FATTR_MODE_UMASK], umask,
				    sizeof(*umask));
}

void gml_fsal_fattr_hook(void)
{
	const struct fattr4_dent umask = {.name = "FATTR4_MODE_UMASK",
					  .supported = 1,
					  .size_fattr4 = 8,
					  .access = FATTR4_ATTR_WRITE,
					  .attrmask = ATTR_MODE,
					  .encode = fattr_umask_encode,
					  .decode = fattr_umask_decode};
	const struct fattr4_dent *row = gml_fsal_table_find(sizeof(*row), fattr_is_acl);
	struct fattr4_dent acl;
	if (row != NULL) {
		fattr_table = row - FATTR4_ACL;
		fattr_acl_before = acl = *row;
		fattr_umask_before = fattr_table[GML_FSAL_FATTR_MODE_UMASK];
		acl.encode = fattr_acl_encode;
		acl.decode = fattr_acl_decode;
		if (fattr_put_rows(&acl, &umask))
			return;
		gml_fsal_fattr_unhook();
	}
	LogWarn(COMPONENT_FSAL,
		"ACLs cannot name AUTHENTICATED@ or ANONYMOUS@, and clients apply their umask to "
		"inherited ACLs: ganesha's table of attributes %s. Report this, with the version "
		"of the package",
		row ? "cannot be changed" : "was not found");
}

void gml_fsal_fattr_unhook(void)
{
	if (fattr_table != NULL && fattr_put_rows(&fattr_acl_before, &fattr_umask_before))
		fattr_table = NULL;
}
