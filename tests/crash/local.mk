# SPDX-License-Identifier: Apache-2.0
# Power cuts (README.md here). disk.c defines libc's names: it must be in the program, not in a library.
if HAVE_CMOCKA
check_PROGRAMS += tests/crash/power
tests_crash_power_SOURCES = tests/crash/power.c tests/crash/disk.c tests/crash/disk_log.c tests/crash/disk_image.c tests/crash/disk.h tests/crash/disk_log.h tests/crash/model.c tests/crash/model.h \
	tests/crash/workload.c tests/crash/workload_file.c tests/crash/workload_name.c tests/crash/workload.h tests/crash/worker.h
tests_crash_power_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_crash_power_LDADD = libgemeltest.la $(CMOCKA_LIBS) -ldl
check_PROGRAMS += tests/crash/relaxed_power
tests_crash_relaxed_power_SOURCES = tests/crash/relaxed_power.c tests/crash/disk.c tests/crash/disk_log.c tests/crash/disk_image.c tests/crash/disk.h tests/crash/disk_log.h
tests_crash_relaxed_power_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_crash_relaxed_power_LDADD = libgemeltest.la $(CMOCKA_LIBS) -ldl
endif
EXTRA_DIST += tests/crash/README.md
