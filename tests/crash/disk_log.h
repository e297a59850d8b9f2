// SPDX-License-Identifier: Apache-2.0
/* The record: written by disk.c, read by disk_image.c. */
#ifndef TESTS_CRASH_DISK_LOG_H
#define TESTS_CRASH_DISK_LOG_H

#include <pthread.h>
#include <sys/types.h>
#include "disk.h"

#define DISK_EVENTS 60000
#define DISK_NODES 1024
#define DISK_BYTES ((size_t)1 << 30) /* address space; memory as it is used */

enum disk_what {
	DISK_LINK,
	DISK_UNLINK,
	DISK_WRITE,
	DISK_TRUNCATE,
	DISK_PUNCH,
	DISK_ALLOCATE,
	DISK_MTIME,
	DISK_SYNC
};

struct disk_event {
	uint8_t what;
	bool dsync;	 /* write: durable by itself (O_DSYNC) */
	bool datasync;	 /* sync: fdatasync */
	bool grew;	 /* size or blocks changed */
	uint32_t node;	 /* the file or directory */
	uint32_t parent; /* link, unlink: the directory */
	uint32_t covers; /* sync: events before this one */
	uint64_t off, len;
	int64_t mtime; /* ns, afterwards */
	size_t bytes;  /* write: in the log's bytes; link, unlink: the name */
	bool zeros;    /* write: only zeros, no bytes kept */
};

struct disk_node {
	dev_t dev;
	ino_t ino;
	uint64_t size;
	bool dir;
};

struct disk_log {
	pthread_mutex_t lock;
	size_t nevents, first, nnodes, nbytes;
	struct disk_event events[DISK_EVENTS];
	struct disk_node nodes[DISK_NODES]; /* 0: the root */
	uint8_t bytes[];
};

#endif
