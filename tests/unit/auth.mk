# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/auth_test
tests_unit_auth_test_SOURCES = tests/unit/auth_test.c tests/unit/auth_vectors.h
tests_unit_auth_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_auth_test_LDADD = libauth.la $(CMOCKA_LIBS)
EXTRA_DIST += tests/unit/tools/make-auth-vectors

check_PROGRAMS += tests/unit/chunked_test
tests_unit_chunked_test_SOURCES = tests/unit/chunked_test.c s3api/proto/chunked.c
tests_unit_chunked_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_chunked_test_LDADD = libauth.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/checksum_test
tests_unit_checksum_test_SOURCES = tests/unit/checksum_test.c
tests_unit_checksum_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_checksum_test_LDADD = libgemeltest.la $(CMOCKA_LIBS)
