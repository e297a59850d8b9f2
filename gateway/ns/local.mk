libgemel_la_SOURCES += gateway/ns/internal.h gateway/ns/access.c gateway/ns/time.c gateway/ns/live.c gateway/ns/etag.c \
	gateway/ns/extent.c gateway/ns/link.c
libgemel_la_SOURCES += gateway/ns/store.c gateway/ns/owner.c gateway/ns/lease.c gateway/ns/principal.c gateway/ns/roster.c gateway/ns/bucket.c gateway/ns/bucket_document.c gateway/ns/bucket_txn.h
libgemel_la_SOURCES += gateway/ns/objects.h gateway/ns/path.c gateway/ns/conditions.c gateway/ns/attach.c gateway/ns/publish.c gateway/ns/keep.c \
	gateway/ns/put.c gateway/ns/object_open.h gateway/ns/object.c gateway/ns/object_run.c gateway/ns/object_delete.c gateway/ns/reader.c
libgemel_la_SOURCES += gateway/ns/dir.h gateway/ns/onode.h gateway/ns/name.c gateway/ns/onode.c gateway/ns/settle.c gateway/ns/unwritten.c gateway/ns/setattr.c \
	gateway/ns/inode.c gateway/ns/handle.c gateway/ns/xattr.c gateway/ns/dir.c gateway/ns/rename.c gateway/ns/readdir.c gateway/ns/file.c \
	gateway/ns/write.c gateway/ns/seek.c
libgemel_la_SOURCES += gateway/ns/recover.c gateway/ns/reap.c gateway/ns/compact.c gateway/ns/collect.c
libgemel_la_SOURCES += gateway/ns/bound.c gateway/ns/list.c gateway/ns/share.c gateway/ns/scan.c gateway/ns/copy.c \
	gateway/ns/upload.c gateway/ns/part.c gateway/ns/complete.c
libgemel_la_SOURCES += gateway/ns/check.c gateway/ns/check.h gateway/ns/check_data.c gateway/ns/check_names.c
