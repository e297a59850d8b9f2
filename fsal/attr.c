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
	out->valid_mask = GML_FSAL_ATTRS;
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

fsal_status_t gml_fsal_attr_decode(const struct fsal_attrlist *in, struct gml_setattr *out)
{
	const attrmask_t known = ATTR_MODE | ATTR_OWNER | ATTR_GROUP | ATTR_SIZE | ATTRS_SET_TIME |
				 ATTR_TYPE | ATTR_RAWDEV;
	memset(out, 0, sizeof(*out));
	if (in->valid_mask & ~known)
		return fsalstat(ERR_FSAL_ATTRNOTSUPP, 0);
	if (in->valid_mask & ATTR_MODE) {
		out->mask |= GML_SET_MODE;
		out->mode = in->mode & 07777;
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
