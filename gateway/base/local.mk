# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += \
	gateway/base/assert.c \
	gateway/base/assert.h \
	gateway/base/base64.c \
	gateway/base/base64.h \
	gateway/base/calendar.c \
	gateway/base/calendar.h \
	gateway/base/clock.c \
	gateway/base/clock.h \
	gateway/base/crc.c \
	gateway/base/crc.h \
	gateway/base/err.c \
	gateway/base/errmap.c \
	gateway/base/errmap.h \
	gateway/base/hex.c \
	gateway/base/hex.h \
	gateway/base/http_header.h \
	gateway/base/ino.c \
	gateway/base/lock.c \
	gateway/base/lock.h \
	gateway/base/log.c \
	gateway/base/log.h \
	gateway/base/map.c \
	gateway/base/map.h \
	gateway/base/near.c \
	gateway/base/near.h \
	gateway/base/owner.c \
	gateway/base/owner.h \
	gateway/base/percent.c \
	gateway/base/percent.h \
	gateway/base/presence.c \
	gateway/base/presence.h \
	gateway/base/siphash.c \
	gateway/base/siphash.h \
	gateway/base/small_file.c \
	gateway/base/small_file.h \
	gateway/base/span.h \
	gateway/base/tags.h

# The pure part, for auth and the S3 protocol: libgemel exports none of it.
noinst_LTLIBRARIES += libbase.la
libbase_la_SOURCES = \
	gateway/base/assert.c gateway/base/assert.h \
	gateway/base/base64.c gateway/base/base64.h \
	gateway/base/calendar.c gateway/base/calendar.h \
	gateway/base/clock.c gateway/base/clock.h \
	gateway/base/hex.c gateway/base/hex.h \
	gateway/base/http_header.h \
	gateway/base/near.c gateway/base/near.h \
	gateway/base/percent.c gateway/base/percent.h \
	gateway/base/span.h
