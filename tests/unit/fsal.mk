# SPDX-License-Identifier: Apache-2.0
# NFS's mapping of errors; the rest needs ganesha (tests/integration).
check_PROGRAMS += tests/unit/fsal_test
tests_unit_fsal_test_SOURCES = tests/unit/fsal_test.c fsal/errmap.c
tests_unit_fsal_test_CPPFLAGS = $(libfsalgemel_la_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_fsal_test_LDADD = libgemeltest.la $(CMOCKA_LIBS)
$(tests_unit_fsal_test_OBJECTS): $(GANESHA_HEADERS)/stamp
# docs/errors.md against the tables.
check_PROGRAMS += tests/unit/errors_doc_test
tests_unit_errors_doc_test_SOURCES = tests/unit/errors_doc_test.c fsal/errmap.c
tests_unit_errors_doc_test_CPPFLAGS = $(libfsalgemel_la_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_errors_doc_test_LDADD = libs3.la libauth.la libgemel.la $(CMOCKA_LIBS)
$(tests_unit_errors_doc_test_OBJECTS): $(GANESHA_HEADERS)/stamp
