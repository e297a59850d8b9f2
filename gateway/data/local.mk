# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += \
	gateway/data/blob.c \
	gateway/data/blob.h \
	gateway/data/cache.c \
	gateway/data/checksum.c \
	gateway/data/data.c \
	gateway/data/data.h \
	gateway/data/pack.c \
	gateway/data/punch.c \
	gateway/data/sums.c \
	gateway/data/sums.h
