# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += \
	gateway/iam/access.c \
	gateway/iam/access.h \
	gateway/iam/principal.c \
	gateway/iam/roster.c \
	gateway/iam/roster.h
