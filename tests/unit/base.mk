# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/base_test
tests_unit_base_test_SOURCES = tests/unit/base_test.c
tests_unit_base_test_CPPFLAGS = $(AM_CPPFLAGS) -DGML_ASSERT $(CMOCKA_CFLAGS)
tests_unit_base_test_LDADD = libgemeltest.la $(CMOCKA_LIBS)
