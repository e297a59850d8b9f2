libgemel_la_SOURCES += \
	gateway/meta/codec.c \
	gateway/meta/codec.h \
	gateway/meta/commit.c \
	gateway/meta/dirent.h \
	gateway/meta/dirent_cursor.c \
	gateway/meta/engine.h \
	gateway/meta/engine_internal.h \
	gateway/meta/engine_lmdb.c \
	gateway/meta/err.c \
	gateway/meta/errmap.c \
	gateway/meta/errmap.h \
	gateway/meta/record.h \
	gateway/meta/record_blob.c \
	gateway/meta/record_bucket.c \
	gateway/meta/record_dirent.c \
	gateway/meta/record_extent.c \
	gateway/meta/record_headers.c \
	gateway/meta/record_inode.c \
	gateway/meta/record_internal.h \
	gateway/meta/record_lease.c \
	gateway/meta/record_orphan.c \
	gateway/meta/record_scan.c \
	gateway/meta/record_upload.c \
	gateway/meta/record_user.c \
	gateway/meta/record_xattr.c \
	gateway/meta/txn_lmdb.c
