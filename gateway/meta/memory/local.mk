# SPDX-License-Identifier: Apache-2.0
# Test builds only.
libgemeltest_la_SOURCES += \
	gateway/meta/memory/memory.c \
	gateway/meta/memory/memory.h \
	gateway/meta/memory/memory_txn.c \
	gateway/meta/memory/memory_update.c \
	gateway/meta/memory/tree.c \
	gateway/meta/memory/tree.h
