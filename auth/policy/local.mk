# SPDX-License-Identifier: Apache-2.0
# The three folders of the language are one library. It is without libbase: what links it has the
# base already, or adds it.
noinst_LTLIBRARIES += libpolicy.la
libpolicy_la_SOURCES = \
	auth/policy/condition.c auth/policy/condition.h \
	auth/policy/cover.c auth/policy/cover.h \
	auth/policy/decide.c \
	auth/policy/lint.c auth/policy/lint.h \
	auth/policy/near.c auth/policy/near.h \
	auth/policy/parse.c auth/policy/parse_condition.c auth/policy/parse_principal.c \
	auth/policy/parse_inside.h auth/policy/policy.h auth/policy/statement.h \
	auth/policy/place.c auth/policy/place.h \
	auth/policy/position.c auth/policy/position.h \
	auth/policy/principal.c auth/policy/principal.h \
	auth/policy/public.c \
	auth/policy/reader.c auth/policy/reader.h \
	auth/policy/resource.c auth/policy/resource.h
libpolicy_la_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
libpolicy_la_LIBADD = $(JANSSON_LIBS)
EXTRA_DIST += auth/policy/README.md
