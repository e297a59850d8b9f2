// SPDX-License-Identifier: Apache-2.0
/* Attributes, in both directions. */
#include "fsal.h"

#define NS_PER_S 1000000000

object_file_type_t gml_fsal_type(enum gml_type type)
{
	switch (type) {
	case GML_REG:
		return REGULAR_FILE;
	case GML_DIR:
		return DIRECTORY;
	case GML_LNK:
		return SYMBOLIC_LINK;
	case GML_CHR:
		return CHARACTER_FILE;
	case GML_BLK:
		return BLOCK_FILE;
	case GML_FIFO:
		return FIFO_FILE;
	case GML_SOCK:
		return SOCKET_FILE;
	}
	return NO_FILE_TYPE;
}

static struct timespec attr_time(int64_t ns)
{
	struct timespec ts = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
	if (ts.tv_nsec < 0) {
		ts.tv_nsec += NS_PER_S;
		ts.tv_sec--;
	}
	gml_assert(ts.tv_nsec >= 0 && ts.tv_nsec < NS_PER_S);
	return ts;
}

void gml_fsal_attr_encode(const struct gml_attr *in, struct fsal_attrlist *out)
{
	out->valid_mask = GML_FSAL_ATTRS_ALWAYS;
	out->supported = GML_FSAL_ATTRS;
	out->type = gml_fsal_type(in->type);
	out->filesize = in->size;
	out->fsid = gml_fsal.fsid;
	/* READDIRPLUS copies attributes that passed no other code which would set this. */
	out->fsid3 = squash_fsid(&gml_fsal.fsid);
	out->fileid = gml_ino_fileid(in->ino);
	out->mode = in->mode & 07777;
	out->numlinks = in->nlink;
	out->owner = in->uid;
	out->group = in->gid;
	out->rawdev.major = in->rdev >> 32;
	out->rawdev.minor = in->rdev & UINT32_MAX;
	out->atime = attr_time(in->atime);
	out->creation = attr_time(in->btime);
	out->ctime = attr_time(in->ctime);
	out->mtime = attr_time(in->mtime);
	out->spaceused = in->space;
	out->change = in->change;
	out->generation = 0;
	out->expire_time_attr = 0;
}

void gml_fsal_attr_encode_acl(const struct gml_attr *in, const struct gml_acl *acl,
			      struct fsal_attrlist *out)
{
	gml_fsal_attr_encode(in, out);
	out->acl = gml_fsal_acl_encode(acl);
	if (out->acl != NULL)
		out->valid_mask |= ATTR_ACL;
}

/* Nanoseconds in 64 bits reach from 1677 to 2262. A time outside becomes the nearest whole second
 * inside, as local file systems do with times that their inodes cannot hold: tools that copy
 * sentinel dates (0001, 9999) must not fail. */
static bool attr_ns(const struct timespec *ts, int64_t *ns_out)
{
	const int64_t last = INT64_MAX / NS_PER_S, first = INT64_MIN / NS_PER_S;
	if (ts->tv_nsec < 0 || ts->tv_nsec >= NS_PER_S)
		return false;
	if (ts->tv_sec >= last)
		*ns_out = last * NS_PER_S;
	else if (ts->tv_sec <= first)
		*ns_out = first * NS_PER_S;
	else
		*ns_out = (int64_t)ts->tv_sec * NS_PER_S + ts->tv_nsec;
	return true;
}

static fsal_status_t attr_decode(const struct fsal_attrlist *in, struct gml_setattr *out)
{
	const attrmask_t known = ATTR_MODE | ATTR_OWNER | ATTR_GROUP | ATTR_SIZE | ATTRS_SET_TIME |
				 ATTR_TYPE | ATTR_RAWDEV | ATTR_ACL;
	memset(out, 0, sizeof(*out));
	if (in->valid_mask & ~known)
		return fsalstat(ERR_FSAL_ATTRNOTSUPP, 0);
	if (in->valid_mask & ATTR_MODE) {
		out->mask |= GML_SET_MODE;
		out->mode = in->mode & 07777;
	}
	if ((in->valid_mask & ATTR_MODE) && (in->generation & GML_FSAL_HAS_UMASK)) {
		out->mask |= GML_SET_UMASK;
		out->umask = in->generation & 0777;
	}
	if (in->valid_mask & ATTR_OWNER) {
		out->mask |= GML_SET_UID;
		out->uid = (uint32_t)in->owner;
	}
	if (in->valid_mask & ATTR_GROUP) {
		out->mask |= GML_SET_GID;
		out->gid = (uint32_t)in->group;
	}
	/* The largest id means "leave it" to chown(2). */
	if (((in->valid_mask & ATTR_OWNER) && in->owner >= UINT32_MAX) ||
	    ((in->valid_mask & ATTR_GROUP) && in->group >= UINT32_MAX))
		return fsalstat(ERR_FSAL_INVAL, 0);
	if (in->valid_mask & ATTR_SIZE) {
		out->mask |= GML_SET_SIZE;
		out->size = in->filesize;
	}
	if (in->valid_mask & ATTR_ATIME_SERVER) {
		out->mask |= GML_SET_ATIME_NOW;
	} else if (in->valid_mask & ATTR_ATIME) {
		out->mask |= GML_SET_ATIME;
		if (!attr_ns(&in->atime, &out->atime))
			return fsalstat(ERR_FSAL_INVAL, 0);
	}
	if (in->valid_mask & ATTR_MTIME_SERVER) {
		out->mask |= GML_SET_MTIME_NOW;
	} else if (in->valid_mask & ATTR_MTIME) {
		out->mask |= GML_SET_MTIME;
		if (!attr_ns(&in->mtime, &out->mtime))
			return fsalstat(ERR_FSAL_INVAL, 0);
	}
	return fsalstat(ERR_FSAL_NO_ERROR, 0);
}

fsal_status_t gml_fsal_attr_decode(const struct fsal_attrlist *in, struct gml_fsal_set *out)
{
	fsal_status_t status = attr_decode(in, &out->set);
	if (!FSAL_IS_ERROR(status) && (in->valid_mask & ATTR_ACL)) {
		out->set.mask |= GML_SET_ACL;
		out->set.acl = &out->acl;
		status = gml_fsal_acl_decode(in->acl, &out->acl);
	}
	return status;
}

/* The attributes in the request, of an operation that sets some. NULL: none; an exclusive create of
 * NFSv4.0 makes a file that is its owner's alone, until a SETATTR (RFC 8881 6.4.3). */
static const struct bitmap4 *attr_requested(const compound_data_t *compound)
{
	const nfs_argop4 *arg = &compound->argarray[compound->oppos];
	const createhow4 *how = &arg->nfs_argop4_u.opopen.openhow.openflag4_u.how;
	switch (compound->opcode) {
	case NFS4_OP_SETATTR:
		return &arg->nfs_argop4_u.opsetattr.obj_attributes.attrmask;
	case NFS4_OP_CREATE:
		return &arg->nfs_argop4_u.opcreate.createattrs.attrmask;
	case NFS4_OP_OPEN:
		if (arg->nfs_argop4_u.opopen.openhow.opentype != OPEN4_CREATE ||
		    how->mode == EXCLUSIVE4)
			return NULL;
		return how->mode == EXCLUSIVE4_1
			       ? &how->createhow4_u.ch_createboth.cva_attrs.attrmask
			       : &how->createhow4_u.createattrs.attrmask;
	default:
		return NULL;
	}
}

static bool attr_has(const struct bitmap4 *mask, unsigned attribute)
{
	return mask->bitmap4_len > attribute / 32 &&
	       (mask->map[attribute / 32] & 1u << attribute % 32) != 0;
}

bool gml_fsal_attr_mode_is_stated(void)
{
	const compound_data_t *compound = gml_fsal_compound();
	const struct bitmap4 *mask;
	mask = compound != NULL ? attr_requested(compound) : NULL;
	return mask == NULL || attr_has(mask, FATTR4_MODE) ||
	       attr_has(mask, GML_FSAL_FATTR_MODE_UMASK);
}

fsal_status_t gml_fsal_attr_decode_new(const struct fsal_attrlist *in, struct gml_fsal_set *out)
{
	fsal_status_t status = gml_fsal_attr_decode(in, out);
	struct gml_setattr *set = &out->set;
	if (FSAL_IS_ERROR(status) || !(set->mask & GML_SET_MODE) || gml_fsal_attr_mode_is_stated())
		return status;
	set->umask = ~set->mode & 0777;
	set->mode = 0777;
	set->mask |= GML_SET_UMASK;
	return status;
}
