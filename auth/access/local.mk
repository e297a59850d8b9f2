# SPDX-License-Identifier: Apache-2.0
libpolicy_la_SOURCES += \
	auth/access/access.c auth/access/access.h \
	auth/access/action.c auth/access/action.h auth/access/action_table.h \
	auth/access/arena.c auth/access/arena.h \
	auth/access/key.c auth/access/key.h \
	auth/access/pattern.c auth/access/pattern.h \
	auth/access/value.c auth/access/value.h
EXTRA_DIST += auth/access/README.md
