# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += \
	gateway/ns/object/bucket.c \
	gateway/ns/object/bucket_document.c \
	gateway/ns/object/bucket_txn.h \
	gateway/ns/object/complete.c \
	gateway/ns/object/conditions.c \
	gateway/ns/object/copy.c \
	gateway/ns/object/explain.c \
	gateway/ns/object/keep.c \
	gateway/ns/object/keep.h \
	gateway/ns/object/list.c \
	gateway/ns/object/list_start.c \
	gateway/ns/object/list_start.h \
	gateway/ns/object/object.c \
	gateway/ns/object/object_delete.c \
	gateway/ns/object/object_grants.c \
	gateway/ns/object/object_grants.h \
	gateway/ns/object/object_meta.c \
	gateway/ns/object/object_meta.h \
	gateway/ns/object/object_open.h \
	gateway/ns/object/object_run.c \
	gateway/ns/object/part.c \
	gateway/ns/object/publish.c \
	gateway/ns/object/publish.h \
	gateway/ns/object/put.c \
	gateway/ns/object/put.h \
	gateway/ns/object/reflink.c \
	gateway/ns/object/reflink.h \
	gateway/ns/object/scan.c \
	gateway/ns/object/scan.h \
	gateway/ns/object/upload.c \
	gateway/ns/object/upload.h
