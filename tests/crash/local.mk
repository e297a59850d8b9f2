# SPDX-License-Identifier: Apache-2.0
# Power cuts (README.md here). disk.c defines libc's names: it must be in the program, not in a library.
if HAVE_CMOCKA
check_PROGRAMS += tests/crash/power
tests_crash_power_SOURCES = tests/crash/power.c tests/crash/disk.c tests/crash/disk_log.c tests/crash/disk_image.c tests/crash/disk.h tests/crash/disk_log.h tests/crash/story.c tests/crash/story.h \
	tests/crash/tale.c tests/crash/tale_file.c tests/crash/tale_name.c tests/crash/tale.h tests/crash/teller.h
tests_crash_power_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_crash_power_LDADD = libgemeltest.la $(CMOCKA_LIBS) -ldl
check_PROGRAMS += tests/crash/scratch
tests_crash_scratch_SOURCES = tests/crash/scratch.c tests/crash/disk.c tests/crash/disk_log.c tests/crash/disk_image.c tests/crash/disk.h tests/crash/disk_log.h
tests_crash_scratch_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_crash_scratch_LDADD = libgemeltest.la $(CMOCKA_LIBS) -ldl
endif
EXTRA_DIST += tests/crash/README.md
