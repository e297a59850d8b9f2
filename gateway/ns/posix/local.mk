# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += \
	gateway/ns/posix/dir.c \
	gateway/ns/posix/dir.h \
	gateway/ns/posix/file.c \
	gateway/ns/posix/finalize.c \
	gateway/ns/posix/finalize.h \
	gateway/ns/posix/handle.c \
	gateway/ns/posix/handle.h \
	gateway/ns/posix/inode.c \
	gateway/ns/posix/inode.h \
	gateway/ns/posix/open_inode.c \
	gateway/ns/posix/open_inode.h \
	gateway/ns/posix/readdir.c \
	gateway/ns/posix/rename.c \
	gateway/ns/posix/rename_tree.c \
	gateway/ns/posix/seek.c \
	gateway/ns/posix/setattr.c \
	gateway/ns/posix/setattr.h \
	gateway/ns/posix/unwritten.c \
	gateway/ns/posix/unwritten.h \
	gateway/ns/posix/write.c \
	gateway/ns/posix/write.h \
	gateway/ns/posix/xattr.c \
	gateway/ns/posix/xattr.h
