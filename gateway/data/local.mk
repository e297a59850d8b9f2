libgemel_la_SOURCES += \
	gateway/data/blob.c \
	gateway/data/blob.h \
	gateway/data/cache.c \
	gateway/data/data.c \
	gateway/data/data.h \
	gateway/data/pack.c \
	gateway/data/punch.c
libgemel_la_SOURCES += gateway/data/checksum.c gateway/data/crc.c gateway/data/crc.h
