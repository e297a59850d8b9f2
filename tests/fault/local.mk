# SPDX-License-Identifier: Apache-2.0
# Failing allocations and system calls (README.md here). inject.c defines libc's names: it must be in the program, not in a library.
if HAVE_CMOCKA
check_PROGRAMS += tests/fault/fault
tests_fault_fault_SOURCES = tests/fault/fault.c tests/fault/inject.c tests/fault/inject.h tests/fault/fixture.c tests/fault/fixture_make.c tests/fault/operation_data.c tests/fault/operation.h tests/fault/fixture.h \
	tests/crash/model.c tests/crash/model.h tests/crash/disk_log.c tests/crash/disk_log.h tests/crash/disk.h
tests_fault_fault_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(OPENSSL_CFLAGS)
tests_fault_fault_LDADD = libgemeltest.la $(CMOCKA_LIBS) $(OPENSSL_LIBS) -ldl
endif
EXTRA_DIST += tests/fault/README.md
