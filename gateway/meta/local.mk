libgemel_la_SOURCES += \
	gateway/meta/engine.h \
	gateway/meta/err.c \
	gateway/meta/errmap.c \
	gateway/meta/errmap.h
include gateway/meta/lmdb/local.mk
include gateway/meta/record/local.mk
