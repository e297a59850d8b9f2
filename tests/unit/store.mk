check_PROGRAMS += tests/unit/store_test tests/unit/check_test
tests_unit_store_test_SOURCES = tests/unit/store_test.c tests/unit/ns_support.h
tests_unit_store_test_LDADD = libgemeltest.la $(CMOCKA_LIBS)
tests_unit_store_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_check_test_SOURCES = tests/unit/check_test.c tests/unit/ns_support.h
tests_unit_check_test_LDADD = libgemeltest.la $(CMOCKA_LIBS)
tests_unit_check_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
