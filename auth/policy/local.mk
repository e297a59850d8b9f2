# SPDX-License-Identifier: Apache-2.0
# Without libbase: what links it has the base already, or adds it.
noinst_LTLIBRARIES += libpolicy.la
libpolicy_la_SOURCES = \
	auth/policy/access.c auth/policy/access.h \
	auth/policy/action.c auth/policy/action.h auth/policy/action_table.h \
	auth/policy/arena.c auth/policy/arena.h \
	auth/policy/condition.c auth/policy/condition.h \
	auth/policy/decide.c \
	auth/policy/key.c auth/policy/key.h \
	auth/policy/parse.c auth/policy/policy.h auth/policy/statement.h \
	auth/policy/pattern.c auth/policy/pattern.h \
	auth/policy/principal.c auth/policy/principal.h \
	auth/policy/reader.c auth/policy/reader.h \
	auth/policy/resource.c auth/policy/resource.h \
	auth/policy/value.c auth/policy/value.h
libpolicy_la_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
libpolicy_la_LIBADD = $(JANSSON_LIBS)
EXTRA_DIST += auth/policy/README.md
