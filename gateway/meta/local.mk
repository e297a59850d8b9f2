# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += \
	gateway/meta/engine.c \
	gateway/meta/engine.h \
	gateway/meta/engines.h
include gateway/meta/lmdb/local.mk
include gateway/meta/memory/local.mk
include gateway/meta/record/local.mk
