# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += \
	gateway/iam/authorize.c \
	gateway/iam/authorize.h \
	gateway/iam/epoch.c \
	gateway/iam/epoch.h \
	gateway/iam/principal.c \
	gateway/iam/resolve.c \
	gateway/iam/roster.c \
	gateway/iam/roster.h \
	gateway/iam/store.h
