check_PROGRAMS += tests/unit/data_test
tests_unit_data_test_SOURCES = tests/unit/data_test.c
tests_unit_data_test_LDADD = libgemeltest.la $(CMOCKA_LIBS)
tests_unit_data_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
