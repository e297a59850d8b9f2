// SPDX-License-Identifier: Apache-2.0
/* Failures on demand: the n-th allocation or system call of one thread fails.
 *
 * inject.c defines malloc, openat, pwrite and their like in the test program; symbols of the
 * program come before those of libc for every library in it. Only the thread that armed sees
 * failures, and only until it disarms. */
#ifndef TESTS_FAULT_INJECT_H
#define TESTS_FAULT_INJECT_H

#include <stdbool.h>
#include <stddef.h>

enum inject_kind {
	INJECT_MEMORY, /* allocations answer NULL */
	INJECT_IO, /* every kind of system call: EIO, or what it answers when it lacks something */
	INJECT_FULL,   /* calls that take room on the disk: ENOSPC */
	INJECT_FILES,  /* calls that make a descriptor: EMFILE */
	INJECT_THIN,   /* syncs: ENOSPC, as a thin volume answers when it is full; pages are lost */
	INJECT_SIGNAL, /* calls that a signal may interrupt: EINTR */
	INJECT_SHORT,  /* transfers move only a part */
	INJECT_KINDS,
};
const char *inject_kind_name(enum inject_kind kind);
/* Can this build make it fail? (A sanitizer brings its own allocator.) */
bool inject_can(enum inject_kind kind);

/* The n-th eligible call from now (from 0) fails; lasting: all from there on. */
void inject_arm(enum inject_kind kind, unsigned n, bool lasting);
/* False: there were not so many calls, nothing failed. */
bool inject_disarm(void);
/* For the test's own needs: zeroed memory that never fails. */
void *inject_spare(size_t size);
/* Name of the call that failed last. */
const char *inject_what(void);
/* Allocations of the whole program that were not freed yet; 0 when unknown. */
long inject_live(void);

#endif
