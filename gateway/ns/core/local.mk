# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += \
	gateway/ns/core/attr.c \
	gateway/ns/core/attr.h \
	gateway/ns/core/backref.c \
	gateway/ns/core/backref.h \
	gateway/ns/core/blob_sums.c \
	gateway/ns/core/blob_sums.h \
	gateway/ns/core/etag.c \
	gateway/ns/core/etag.h \
	gateway/ns/core/extent.c \
	gateway/ns/core/extent.h \
	gateway/ns/core/inode_acl.c \
	gateway/ns/core/inode_acl.h \
	gateway/ns/core/link.c \
	gateway/ns/core/link.h \
	gateway/ns/core/may_change.c \
	gateway/ns/core/may_change.h \
	gateway/ns/core/name.c \
	gateway/ns/core/name.h \
	gateway/ns/core/path.c \
	gateway/ns/core/path.h \
	gateway/ns/core/supersede.c \
	gateway/ns/core/supersede.h
