# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += \
	gateway/ns/store/check.c \
	gateway/ns/store/check.h \
	gateway/ns/store/check_content.c \
	gateway/ns/store/check_data.c \
	gateway/ns/store/check_iam.c \
	gateway/ns/store/check_names.c \
	gateway/ns/store/check_owner.c \
	gateway/ns/store/collect.c \
	gateway/ns/store/collect.h \
	gateway/ns/store/compact.c \
	gateway/ns/store/create.c \
	gateway/ns/store/handle_bytes.c \
	gateway/ns/store/lease.c \
	gateway/ns/store/lease.h \
	gateway/ns/store/reap.c \
	gateway/ns/store/reap.h \
	gateway/ns/store/recover.c \
	gateway/ns/store/store.c \
	gateway/ns/store/store.h \
	gateway/ns/store/sum.c
