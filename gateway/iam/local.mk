# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += \
	gateway/iam/access.c \
	gateway/iam/access.h \
	gateway/iam/access_cache.c \
	gateway/iam/access_cache.h \
	gateway/iam/access_load.c \
	gateway/iam/access_load.h \
	gateway/iam/access_memo.c \
	gateway/iam/access_memo.h \
	gateway/iam/access_values.c \
	gateway/iam/access_values.h \
	gateway/iam/account.c \
	gateway/iam/acl.c \
	gateway/iam/acl.h \
	gateway/iam/acl_mode.c \
	gateway/iam/attach.c \
	gateway/iam/authorize.c \
	gateway/iam/authorize.h \
	gateway/iam/authorize_ask.h \
	gateway/iam/authorize_link.c \
	gateway/iam/authorize_memo.c \
	gateway/iam/authorize_policy.c \
	gateway/iam/authorize_policy.h \
	gateway/iam/way.c \
	gateway/iam/way.h \
	gateway/iam/cred.h \
	gateway/iam/document.c \
	gateway/iam/document.h \
	gateway/iam/epoch.c \
	gateway/iam/epoch.h \
	gateway/iam/grant.c \
	gateway/iam/grant.h \
	gateway/iam/grant_decide.c \
	gateway/iam/group.c \
	gateway/iam/identity.c \
	gateway/iam/identity.h \
	gateway/iam/key.c \
	gateway/iam/lint.c \
	gateway/iam/name.c \
	gateway/iam/name.h \
	gateway/iam/policy.c \
	gateway/iam/principal.c \
	gateway/iam/resolve.c \
	gateway/iam/role.c \
	gateway/iam/roster.c \
	gateway/iam/roster.h \
	gateway/iam/simulate.c \
	gateway/iam/store.h \
	gateway/iam/tag.c
# The language of policies: a part of the core.
libgemel_la_LIBADD += libpolicy.la
