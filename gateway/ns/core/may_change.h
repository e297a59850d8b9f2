// SPDX-License-Identifier: Apache-2.0
/* The one place that is asked before an inode changes in place.
 *
 * Bytes written over bytes, a new size, attributes, extended attributes and tags of an inode that
 * exists: each such change asks here, in the transaction that decides it, beside the rights
 * (gateway/iam). What keeps an inode as it is, whoever asks, is decided here and nowhere else. A
 * new inode that takes a name does not change the old one (supersede.h). */
#ifndef GML_NS_CORE_MAY_CHANGE_H
#define GML_NS_CORE_MAY_CHANGE_H

#include <gemel/op.h>
#include "gateway/meta/record/record.h"

/* What is about to change. */
enum gml_change {
	GML_CHANGE_BYTES = 1, /* written, allocated, deallocated; a clean file becomes DIRTY */
	GML_CHANGE_SIZE,      /* truncated or extended */
	GML_CHANGE_ATTRS,     /* owner, group, mode, times */
	GML_CHANGE_XATTRS,    /* user attributes, S3's metadata among them */
	GML_CHANGE_TAGS,      /* S3's tags, as one set */
};

/* 0: it may. BYTES and SIZE: ISDIR of a directory, INVAL of all else that is no file. XATTRS and
 * TAGS: PERM of what is neither file nor directory, as Linux has it. Pure; any thread; no
 * blocking. */
int gml_may_change(const struct gml_op *op, const struct gml_inode *inode, enum gml_change change);

#endif
