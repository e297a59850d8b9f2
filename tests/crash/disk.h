// SPDX-License-Identifier: Apache-2.0
/* A disk that loses power. The record holds every change of the files below one directory. From it
 * the image of what the disk may hold after a cut at any moment is built.
 *
 * disk.c defines open, pwrite, fdatasync and their like in the test program; symbols of the program
 * come before those of libc for every library in it, so LMDB's calls pass here as well. Nothing is
 * really synced: the record decides what is safe.
 *
 * What a cut leaves, by the rules that ext4, xfs and btrfs have in common (where they differ, the
 * weaker promise counts):
 *  1. fsync and fdatasync of a file keep its bytes, its size, and its own name; fsync of a
 *     directory keeps the names in it. Nothing else keeps anything: a name of a directory is lost
 *     with a directory above it that was not synced.
 *  2. A sync covers what had returned when it began.
 *  3. Bytes that no sync covers are kept or lost by sectors of 512 bytes, in any combination.
 *  4. Truncations, punches and allocations of one file that no sync covers are kept in order: one
 *     that is lost takes the later ones, and later bytes in the range that it had freed, with it.
 *  5. fdatasync keeps the mtime only if the file's size or blocks changed since the last sync.
 *
 * Left out: run/, lock.mdb and redo.tail (shared memory that no power cut keeps), reordering of a
 * write with itself, and disks that lie about flushes. */
#ifndef TESTS_CRASH_DISK_H
#define TESTS_CRASH_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk_log; /* in memory that is shared with forked children */

/* Every function here ends the program when the test itself cannot go on, as without memory. */
struct disk_log *disk_log_new(void);
/* Empty the record and record this process from now on. What is below `root` now counts as safe. */
void disk_record(struct disk_log *log, const char *root);
void disk_stop(void);
/* Number of events so far: a moment of model.h. A cut at n comes after event n-1 and before event
 * n. */
size_t disk_now(const struct disk_log *log);
/* The first event after disk_record: the events before it describe the initial content. */
size_t disk_first(const struct disk_log *log);
/* True if event `at` is a sync. A cut just before a sync loses most. */
bool disk_is_sync(const struct disk_log *log, size_t at);

enum disk_cut_mode {
	DISK_NONE, /* what no sync covers is lost */
	DISK_ALL,  /* nothing is lost: the process was killed */
	DISK_HARM, /* removals, truncations and punches are kept, new names and bytes are lost */
	DISK_SOME, /* each change by chance */
	DISK_CUT_MODES,
};
const char *disk_cut_mode_name(enum disk_cut_mode mode);
/* Replace the directory `root` by what a cut leaves. */
void disk_build(const struct disk_log *log, size_t cut, enum disk_cut_mode mode, uint64_t seed,
		const char *root);

/* Print what went wrong in the test itself and end the program. */
void disk_die(const char *what) __attribute__((noreturn));
void disk_remove_tree(const char *root);
uint64_t disk_random(uint64_t *seed);

#endif
