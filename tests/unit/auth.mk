check_PROGRAMS += tests/unit/auth_test
tests_unit_auth_test_SOURCES = tests/unit/auth_test.c tests/unit/auth_vectors.h
tests_unit_auth_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_auth_test_LDADD = libauth.la $(CMOCKA_LIBS)
EXTRA_DIST += tests/unit/tools/make-auth-vectors
