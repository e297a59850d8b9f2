# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/data_test tests/unit/pack_test tests/unit/sums_test
tests_unit_sums_test_SOURCES = tests/unit/sums_test.c tests/unit/data_support.h
tests_unit_sums_test_LDADD = libgemeltest.la $(CMOCKA_LIBS)
tests_unit_sums_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_data_test_SOURCES = tests/unit/data_test.c tests/unit/data_support.h
tests_unit_data_test_LDADD = libgemeltest.la $(CMOCKA_LIBS)
tests_unit_data_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_pack_test_SOURCES = tests/unit/pack_test.c tests/unit/data_support.h
tests_unit_pack_test_LDADD = libgemeltest.la $(CMOCKA_LIBS)
tests_unit_pack_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
