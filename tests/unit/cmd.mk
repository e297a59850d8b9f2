# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/near_test
tests_unit_near_test_SOURCES = tests/unit/near_test.c
tests_unit_near_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_near_test_LDADD = libbase.la $(CMOCKA_LIBS)
