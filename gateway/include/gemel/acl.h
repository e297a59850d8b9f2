// SPDX-License-Identifier: Apache-2.0
/* Access control lists as NFSv4 has them (RFC 8881 6.2.1): values that the public API carries.
 *
 * An ACL is an ordered list of entries. An entry allows or denies rights to some callers. Numbers
 * are those of the protocol where it has them. */
#ifndef GEMEL_ACL_H
#define GEMEL_ACL_H

#include <stdint.h>

/* Entries that a client may set. chmod splits an entry that is both applied and inherited in two,
 * and adds up to six that say what the mode says: so an ACL may come to have twice as many and
 * six. */
#define GML_ACL_ENTRIES_MAX 500
#define GML_ACL_ENTRIES_ROOM 1024

/* Audit and alarm entries are refused. */
enum gml_ace_type { GML_ACE_ALLOW, GML_ACE_DENY };

/* Whom an entry is about. OWNER, GROUP and EVERYONE are OWNER@, GROUP@ and EVERYONE@ of RFC 8881
 * 6.2.1.5: the inode's owner, its group, and every caller but anonymous ones. AUTHENTICATED is
 * AUTHENTICATED@ (S3's group AuthenticatedUsers), ANONYMOUS is ANONYMOUS@: requests without any
 * credentials. S3's group AllUsers is EVERYONE and ANONYMOUS together. */
enum gml_ace_who {
	GML_ACE_OWNER = 1,
	GML_ACE_GROUP,
	GML_ACE_EVERYONE,
	GML_ACE_UID, /* `id` */
	GML_ACE_GID, /* `id` */
	GML_ACE_AUTHENTICATED,
	GML_ACE_ANONYMOUS,
};

/* Flags (RFC 8881 6.2.1.4). ACE4_IDENTIFIER_GROUP is part of `who`; the flags of audit and alarm
 * entries are refused. */
enum {
	GML_ACE_FILE_INHERIT = 0x01,
	GML_ACE_DIRECTORY_INHERIT = 0x02,
	GML_ACE_NO_PROPAGATE = 0x04,
	GML_ACE_INHERIT_ONLY = 0x08,
	GML_ACE_INHERITED = 0x80, /* came from the directory */
};
#define GML_ACE_INHERIT (GML_ACE_FILE_INHERIT | GML_ACE_DIRECTORY_INHERIT)
#define GML_ACE_FLAGS                                                                              \
	(GML_ACE_INHERIT | GML_ACE_NO_PROPAGATE | GML_ACE_INHERIT_ONLY | GML_ACE_INHERITED)

/* Rights (RFC 8881 6.2.1.3). READ_ATTRIBUTES and SYNCHRONIZE are stored and shown, and granted to
 * every caller that reaches the inode: as in POSIX, stat(2) needs no right on the inode. Where no
 * entry names the rights to extended attributes, those to the data decide. */
enum {
	GML_ACE_READ_DATA = 0x1,
	GML_ACE_LIST_DIRECTORY = 0x1,
	GML_ACE_WRITE_DATA = 0x2,
	GML_ACE_ADD_FILE = 0x2,
	GML_ACE_APPEND_DATA = 0x4,
	GML_ACE_ADD_SUBDIRECTORY = 0x4,
	GML_ACE_READ_NAMED_ATTRS = 0x8, /* extended attributes, S3's metadata and tags */
	GML_ACE_WRITE_NAMED_ATTRS = 0x10,
	GML_ACE_EXECUTE = 0x20, /* search, for a directory */
	GML_ACE_DELETE_CHILD = 0x40,
	GML_ACE_READ_ATTRIBUTES = 0x80,
	GML_ACE_WRITE_ATTRIBUTES = 0x100,
	GML_ACE_WRITE_RETENTION = 0x200,
	GML_ACE_WRITE_RETENTION_HOLD = 0x400,
	GML_ACE_DELETE = 0x10000,
	GML_ACE_READ_ACL = 0x20000,
	GML_ACE_WRITE_ACL = 0x40000,
	GML_ACE_WRITE_OWNER = 0x80000,
	GML_ACE_SYNCHRONIZE = 0x100000,
};
#define GML_ACE_RIGHTS 0x1f07ff

struct gml_ace {
	uint8_t type;  /* enum gml_ace_type */
	uint8_t who;   /* enum gml_ace_who */
	uint8_t flags; /* GML_ACE_*INHERIT* and NO_PROPAGATE */
	uint32_t id;   /* of UID and GID; else 0 */
	uint32_t mask; /* rights */
};

struct gml_acl {
	uint32_t count;
	struct gml_ace aces[GML_ACL_ENTRIES_ROOM];
};

#endif
