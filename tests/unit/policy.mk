# SPDX-License-Identifier: Apache-2.0
# A program for other tests: it reads requests and writes decisions.
noinst_PROGRAMS += tests/unit/policy_eval
tests_unit_policy_eval_SOURCES = tests/unit/policy_eval.c
tests_unit_policy_eval_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_unit_policy_eval_LDADD = libpolicy.la libbase.la $(JANSSON_LIBS)
