libgemel_la_SOURCES += \
	gateway/iam/access.c \
	gateway/iam/access.h \
	gateway/iam/principal.c \
	gateway/iam/roster.c \
	gateway/iam/roster.h
