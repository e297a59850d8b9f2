# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += \
	gateway/base/assert.c \
	gateway/base/assert.h \
	gateway/base/crc.c \
	gateway/base/crc.h \
	gateway/base/err.c \
	gateway/base/errmap.c \
	gateway/base/errmap.h \
	gateway/base/span.h
