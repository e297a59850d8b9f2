// SPDX-License-Identifier: Apache-2.0
/* The open store. */
#ifndef GML_NS_STORE_STORE_H
#define GML_NS_STORE_STORE_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <gemel/op.h>
#include "gateway/data/data.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"

struct gml_access;
struct gml_access_epoch;
struct gml_open_inodes;
struct gml_presence;
struct gml_roster;
struct gml_unwritten;

#define GML_HELD_PACKS 64
/* a file that is there until the store is whole */
#define GML_STORE_MAKING "making"

struct gml_store {
	struct gml_meta *meta;
	struct gml_data *data;
	struct gml_presence *presence;
	struct gml_open_inodes *open_inodes;
	struct gml_access_epoch *access_epoch;
	struct gml_access *access;
	struct gml_roster *roster;
	struct gml_unwritten *unwritten;
	struct gml_owner self;
	uint8_t handle_secret[GML_REC_SECRET]; /* handle_bytes.c; set by open */
	int dirfd;
	pthread_mutex_t lease_lock;
	struct gml_lease lease[2]; /* unused rest of the current leases, by kind */
	/* packs this process has leased, newest last; an old one's lease is dropped (lease.c) */
	struct gml_held_pack {
		uint64_t pack;
		int64_t since; /* when the next one was leased; CLOCK_MONOTONIC, ns; 0: current */
	} held_packs[GML_HELD_PACKS];
	unsigned nheld_packs;
	pthread_mutex_t reap_lock;
	struct gml_reaping *reaping;   /* orphans that are being freed (reap.c); reap_lock */
	_Atomic uint64_t compact_next; /* pack at which the next gml_store_compact begins */
	/* directory of blob files at which its search for unreferenced files begins */
	_Atomic uint32_t collect_next;
	_Atomic uint64_t sum_next; /* blob at which the next gml_store_sum begins to look */
	gml_log_fn log;
	void *log_arg;
};

void gml_store_log(const struct gml_store *store, enum gml_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* path/sub. NAMETOOLONG. */
int gml_store_sub(char out[PATH_MAX], const char *path, const char *sub);

#endif
