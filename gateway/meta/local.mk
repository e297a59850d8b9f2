libgemel_la_SOURCES += \
	gateway/meta/assert.c \
	gateway/meta/assert.h \
	gateway/meta/engine.c \
	gateway/meta/engine.h \
	gateway/meta/engines.h \
	gateway/meta/err.c \
	gateway/meta/errmap.c \
	gateway/meta/errmap.h
include gateway/meta/lmdb/local.mk
include gateway/meta/memory/local.mk
include gateway/meta/record/local.mk
