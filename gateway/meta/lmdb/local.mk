# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += \
	gateway/meta/lmdb/checkpoint.c \
	gateway/meta/lmdb/checkpoint.h \
	gateway/meta/lmdb/commit.c \
	gateway/meta/lmdb/cursor.c \
	gateway/meta/lmdb/env.c \
	gateway/meta/lmdb/errmap.c \
	gateway/meta/lmdb/lmdb_internal.h \
	gateway/meta/lmdb/replay.c \
	gateway/meta/lmdb/redo.c \
	gateway/meta/lmdb/redo.h \
	gateway/meta/lmdb/redo_check.c \
	gateway/meta/lmdb/reserve.c \
	gateway/meta/lmdb/reserve.h \
	gateway/meta/lmdb/slots.c \
	gateway/meta/lmdb/tables.c \
	gateway/meta/lmdb/tables.h \
	gateway/meta/lmdb/txn.c
