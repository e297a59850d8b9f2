# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/ns_dir_test tests/unit/ns_file_test
NS_TEST_LDADD = libgemeltest.la $(CMOCKA_LIBS)
NS_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_ns_dir_test_SOURCES = tests/unit/ns_dir_test.c tests/unit/ns_support.h
tests_unit_ns_dir_test_LDADD = $(NS_TEST_LDADD)
tests_unit_ns_dir_test_CPPFLAGS = $(NS_TEST_CPPFLAGS)
tests_unit_ns_file_test_SOURCES = tests/unit/ns_file_test.c tests/unit/ns_support.h
tests_unit_ns_file_test_LDADD = $(NS_TEST_LDADD)
tests_unit_ns_file_test_CPPFLAGS = $(NS_TEST_CPPFLAGS)
check_PROGRAMS += tests/unit/ns_oracle_test tests/unit/ns_thread_test tests/unit/ns_crash_test
tests_unit_ns_oracle_test_SOURCES = tests/unit/ns_oracle_test.c tests/unit/ns_support.h
tests_unit_ns_oracle_test_LDADD = $(NS_TEST_LDADD)
tests_unit_ns_oracle_test_CPPFLAGS = $(NS_TEST_CPPFLAGS)
tests_unit_ns_thread_test_SOURCES = tests/unit/ns_thread_test.c tests/unit/ns_support.h
tests_unit_ns_thread_test_LDADD = $(NS_TEST_LDADD)
tests_unit_ns_thread_test_CPPFLAGS = $(NS_TEST_CPPFLAGS)
tests_unit_ns_crash_test_SOURCES = tests/unit/ns_crash_test.c tests/unit/ns_support.h tests/unit/child_support.h
tests_unit_ns_crash_test_LDADD = $(NS_TEST_LDADD)
tests_unit_ns_crash_test_CPPFLAGS = $(NS_TEST_CPPFLAGS)
check_PROGRAMS += tests/unit/ns_handle_test
tests_unit_ns_handle_test_SOURCES = tests/unit/ns_handle_test.c tests/unit/ns_support.h
tests_unit_ns_handle_test_LDADD = $(NS_TEST_LDADD)
tests_unit_ns_handle_test_CPPFLAGS = $(NS_TEST_CPPFLAGS)
check_PROGRAMS += tests/unit/ns_race_test
tests_unit_ns_race_test_SOURCES = tests/unit/ns_race_test.c tests/unit/ns_support.h tests/unit/object_support.h
tests_unit_ns_race_test_LDADD = $(NS_TEST_LDADD)
tests_unit_ns_race_test_CPPFLAGS = $(NS_TEST_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_unit_ns_race_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=gml_blob_open,--wrap=gml_owner_alive,--wrap=open
check_PROGRAMS += tests/unit/ns_xattr_test
tests_unit_ns_xattr_test_SOURCES = tests/unit/ns_xattr_test.c tests/unit/ns_support.h
tests_unit_ns_xattr_test_LDADD = $(NS_TEST_LDADD)
tests_unit_ns_xattr_test_CPPFLAGS = $(NS_TEST_CPPFLAGS)
check_PROGRAMS += tests/unit/ns_link_test
tests_unit_ns_link_test_SOURCES = tests/unit/ns_link_test.c tests/unit/ns_support.h tests/unit/object_support.h tests/object_ref.h
tests_unit_ns_link_test_LDADD = $(NS_TEST_LDADD)
tests_unit_ns_link_test_CPPFLAGS = $(NS_TEST_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_unit_ns_link_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=gml_txn_put,--wrap=gml_txn_del,--wrap=gml_supersede
check_PROGRAMS += tests/unit/ns_change_test
tests_unit_ns_change_test_SOURCES = tests/unit/ns_change_test.c tests/unit/ns_support.h tests/unit/object_support.h
tests_unit_ns_change_test_LDADD = $(NS_TEST_LDADD)
tests_unit_ns_change_test_CPPFLAGS = $(NS_TEST_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_unit_ns_change_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=gml_may_change
check_PROGRAMS += tests/unit/ns_numbers_test
tests_unit_ns_numbers_test_SOURCES = tests/unit/ns_numbers_test.c tests/unit/child_support.h tests/unit/ns_support.h tests/unit/object_support.h
tests_unit_ns_numbers_test_LDADD = $(NS_TEST_LDADD)
tests_unit_ns_numbers_test_CPPFLAGS = $(NS_TEST_CPPFLAGS) -I$(top_srcdir)/tests/unit
