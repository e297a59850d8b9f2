// SPDX-License-Identifier: Apache-2.0
/* Extended attributes: limits that other files use as well. */
#ifndef GML_NS_POSIX_XATTR_H
#define GML_NS_POSIX_XATTR_H

/* Bytes of all names of an inode, each with a NUL: what listxattr(2) can return. */
#define GML_XATTR_NAMES_MAX 65536

#endif
