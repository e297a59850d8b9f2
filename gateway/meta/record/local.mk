# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += \
	gateway/meta/record/codec.c \
	gateway/meta/record/codec.h \
	gateway/meta/record/dirent.h \
	gateway/meta/record/dirent_cursor.c \
	gateway/meta/record/record.h \
	gateway/meta/record/record_blob.c \
	gateway/meta/record/record_bucket.c \
	gateway/meta/record/record_config.c \
	gateway/meta/record/record_dirent.c \
	gateway/meta/record/record_extent.c \
	gateway/meta/record/record_headers.c \
	gateway/meta/record/record_iam.c \
	gateway/meta/record/record_iam.h \
	gateway/meta/record/record_inode.c \
	gateway/meta/record/record_internal.h \
	gateway/meta/record/record_lease.c \
	gateway/meta/record/record_line.c \
	gateway/meta/record/record_link.c \
	gateway/meta/record/record_orphan.c \
	gateway/meta/record/record_paths.c \
	gateway/meta/record/record_policy.c \
	gateway/meta/record/record_scan.c \
	gateway/meta/record/record_secret.c \
	gateway/meta/record/record_sum.c \
	gateway/meta/record/record_upload.c \
	gateway/meta/record/record_user.c \
	gateway/meta/record/record_xattr.c
