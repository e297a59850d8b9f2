# SPDX-License-Identifier: Apache-2.0
# A program for other tests: it reads requests and writes decisions.
noinst_PROGRAMS += tests/unit/policy_eval
tests_unit_policy_eval_SOURCES = tests/unit/policy_eval.c
tests_unit_policy_eval_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_unit_policy_eval_LDADD = libpolicy.la libbase.la $(JANSSON_LIBS)

check_PROGRAMS += tests/unit/policy_test tests/unit/policy_set_test tests/unit/policy_lint_test
tests_unit_policy_test_SOURCES = tests/unit/policy_test.c tests/unit/policy_support.h
tests_unit_policy_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_policy_test_LDADD = libpolicy.la libbase.la $(CMOCKA_LIBS)
tests_unit_policy_set_test_SOURCES = tests/unit/policy_set_test.c tests/unit/policy_support.h
tests_unit_policy_set_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_policy_set_test_LDADD = libpolicy.la libbase.la $(CMOCKA_LIBS)
tests_unit_policy_lint_test_SOURCES = tests/unit/policy_lint_test.c tests/unit/policy_support.h
tests_unit_policy_lint_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_policy_lint_test_LDADD = libpolicy.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/policy_kinds_test
tests_unit_policy_kinds_test_SOURCES = tests/unit/policy_kinds_test.c
tests_unit_policy_kinds_test_LDADD = libpolicy.la libbase.la $(CMOCKA_LIBS)
tests_unit_policy_kinds_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
