libgemel_la_SOURCES += gateway/ns/internal.h gateway/ns/access.c gateway/ns/time.c gateway/ns/live.c gateway/ns/etag.c \
	gateway/ns/extent.c gateway/ns/link.c
