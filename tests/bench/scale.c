// SPDX-License-Identifier: Apache-2.0
/* What an operation costs in a directory of N entries: scale [--entries N] [--home DIR] [--json
 * FILE] [--shuffle] [--keep].
 *
 * Fills one directory of one bucket through the public API, as an upload of N small objects does:
 * empty objects, PUTs from many threads, each acknowledged when it is durable. At 10 thousand, 1
 * million and N entries it measures single operations at random places of the directory, with warm
 * caches. What is created for a measurement is deleted again. The B-trees get one level deeper for
 * about every hundredfold of entries; nothing else may grow. */
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <gemel/bucket.h>
#include <gemel/dir.h>
#include <gemel/object.h>
#include <gemel/store.h>
#include "tests/object_ref.h"
#include "scale.h"
#include "tests/spans.h"

#define SCALE_BUCKET "scale"
#define SCALE_DIR "data"
#define SCALE_ENTRIES 10000000
#define SCALE_FILLERS 128 /* threads: the more wait, the more share a commit */
#define SCALE_THREADS 64
#define SCALE_PAGE 1000
#define SCALE_SINGLES 5000 /* samples of single operations */
#define SCALE_CREATES 1000
#define SCALE_PAGES 400
/* disk that one entry takes, with what commits have in flight; measured, rounded up */
#define SCALE_ENTRY_BYTES 1024

static struct scale {
	struct gml_store *store;
	gml_ino dir;
	uint64_t entries;
	bool shuffle, keep;
	const char *home, *json;
	char path[PATH_MAX];
	_Atomic uint64_t next, until, filled;
	_Atomic int failed; /* a gml_err */
	struct scale_result result;
} scale = {.entries = SCALE_ENTRIES, .home = "."};

static volatile sig_atomic_t scale_stop;

static void scale_on_signal(int sig)
{
	(void)sig;
	scale_stop = 1;
}

static double scale_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t scale_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void scale_log(void *arg, enum gml_log_level level, const char *line)
{
	(void)arg;
	if (level <= GML_LOG_WARN)
		fprintf(stderr, "scale: %s\n", line);
}

static struct gml_op scale_op(enum gml_protocol protocol)
{
	struct gml_op op = GML_OP_LOCAL;
	op.context.protocol = protocol;
	op.log = scale_log;
	return op;
}

/* Names of equal length; the prefix makes keys of the directory. */
#define SCALE_NAME_FORMAT "img_%010" PRIu64 ".jpg"

/* --shuffle: the i-th name made is another one, so that keys arrive in no order (a bijection of
 * 0..entries-1). */
static uint64_t scale_place(uint64_t i)
{
	uint64_t bits = 1, x = i;
	if (!scale.shuffle)
		return i;
	while (bits < scale.entries)
		bits <<= 1;
	do { /* walk the cycle until it is inside again */
		x = (x * 0x9e3779b97f4a7c15u + 0x7f4a7c15u) & (bits - 1);
		x ^= x >> 7;
		x = (x * 0xbf58476d1ce4e5b9u) & (bits - 1);
	} while (x >= scale.entries);
	return x;
}

static void scale_key(uint64_t i, char out[64])
{
	snprintf(out, 64, SCALE_DIR "/" SCALE_NAME_FORMAT, scale_place(i));
}

/* A random existing name's key; the name begins behind the directory's. */
static void scale_pick(uint64_t entries, uint64_t *seed, char out[64])
{
	scale_key(scale_random(seed) % entries, out);
}

static int scale_put(const char *key)
{
	static const uint8_t md5[16] = {0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0,    0xb2, 4,
					0xe9, 0x80, 9,	  0x98, 0xec, 0xf8, 0x42, 0x7e};
	static const struct gml_object_new what;
	struct gml_op op = scale_op(GML_PROTOCOL_S3);
	struct gml_put *put;
	int rc = gml_put_begin(&op, scale.store, OBJECT_REF(STR(SCALE_BUCKET), STR(key)), 0, &put);
	return rc != 0 ? rc
		       : gml_put_finish(&op, put,
					&(struct gml_put_options){.md5 = md5, .attrs = &what},
					NULL);
}

/* ---- fill ------------------------------------------------------------------------------------ */

static void *scale_filler(void *arg)
{
	char key[64];
	uint64_t i;
	int rc;
	(void)arg;
	while (!scale_stop && scale.failed == 0 &&
	       (i = atomic_fetch_add(&scale.next, 1)) < scale.until) {
		scale_key(i, key);
		rc = scale_put(key);
		if (rc != 0)
			scale.failed = rc;
		atomic_fetch_add_explicit(&scale.filled, 1, memory_order_relaxed);
	}
	return NULL;
}

static void scale_bar(double started, uint64_t from)
{
	uint64_t done = scale.filled;
	double seconds = scale_now() - started,
	       rate = seconds > 0 ? (double)(done - from) / seconds : 0;
	int width = (int)(40 * done / scale.entries);
	fprintf(stderr, "\r[%.*s%*s] %3d %%  %" PRIu64 " entries  %.0f/s  %.0f s left ", width,
		"########################################", 40 - width, "",
		(int)(100 * done / scale.entries), done, rate,
		rate > 0 ? (double)(scale.entries - done) / rate : 0);
}

static int scale_threads(unsigned count, void *(*run)(void *), void *args, size_t size, bool bar)
{
	pthread_t threads[SCALE_FILLERS];
	unsigned started = 0;
	double begun = scale_now();
	uint64_t from = scale.filled;
	while (started < count &&
	       pthread_create(&threads[started], NULL, run, (char *)args + started * size) == 0)
		started++;
	if (started < count)
		scale.failed = GML_ERR_NOMEM;
	while (bar && !scale_stop && scale.failed == 0 && scale.filled < scale.until) {
		struct timespec pause = {0, 200000000};
		nanosleep(&pause, NULL);
		scale_bar(begun, from);
	}
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (bar)
		fprintf(stderr, "\r%*s\r", 79, "");
	return scale.failed;
}

static int scale_fill(struct scale_stage *stage, uint64_t from)
{
	double begun = scale_now();
	int rc;
	scale.next = scale.filled = from;
	scale.until = stage->entries;
	rc = scale_threads(SCALE_FILLERS, scale_filler, NULL, 0, isatty(STDERR_FILENO));
	stage->fill_seconds = scale_now() - begun;
	stage->filled = stage->entries - from;
	return rc;
}

/* ---- measurements ---------------------------------------------------------------------------- */

static int scale_order(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static void scale_sum_up(double *samples, unsigned count, double each, struct scale_figure *out)
{
	qsort(samples, count, sizeof(*samples), scale_order);
	*out = (struct scale_figure){samples[count / 2], samples[count * 99 / 100], each, count};
}

static bool scale_count_entry(void *arg, const struct gml_list_entry *entry)
{
	uint64_t *count = arg;
	(void)entry;
	++*count;
	return true;
}

struct scale_page {
	uint64_t count, max, cookie;
};

static bool scale_count_name(void *arg, struct gml_span name, const struct gml_attr *attr)
{
	struct scale_page *page = arg;
	(void)name;
	page->cookie = attr->cookie;
	return ++page->count < page->max;
}

static int scale_lookup(const char *key, uint64_t *cookie_out)
{
	struct gml_op op = scale_op(GML_PROTOCOL_NFS);
	struct gml_attr attr;
	int rc = gml_dir_lookup(&op, scale.store, scale.dir, STR(key + sizeof(SCALE_DIR)), &attr);
	*cookie_out = attr.cookie;
	return rc;
}

static int scale_open(const char *key)
{
	struct gml_op op = scale_op(GML_PROTOCOL_S3);
	struct gml_object *object;
	int rc = gml_object_open(&op, scale.store, OBJECT_REF(STR(SCALE_BUCKET), STR(key)), true,
				 &object);
	if (rc == 0)
		gml_object_close(object);
	return rc;
}

static int scale_list(const char *prefix, const char *delimiter, const char *after,
		      uint64_t *count_out)
{
	struct gml_op op = scale_op(GML_PROTOCOL_S3);
	struct gml_list_query query = {.bucket = STR(SCALE_BUCKET),
				       .prefix = STR(prefix),
				       .delimiter = STR(delimiter),
				       .after = STR(after),
				       .max = SCALE_PAGE};
	bool truncated;
	*count_out = 0;
	return gml_object_list(&op, scale.store, &query, scale_count_entry, count_out, &truncated);
}

static int scale_readdir(uint64_t cookie, uint64_t max, struct scale_page *page)
{
	struct gml_op op = scale_op(GML_PROTOCOL_NFS);
	bool eof;
	*page = (struct scale_page){.max = max};
	return gml_dir_read(
		&op, scale.store, scale.dir,
		&(struct gml_dir_query){.cookie = cookie, .each = scale_count_name, .arg = page},
		&eof);
}

/* One operation at a random place; the time is that of the operation alone. */
static int scale_once(enum scale_what what, uint64_t entries, uint64_t *seed, unsigned number,
		      double *us_out)
{
	struct scale_page page = {0};
	uint64_t count = 0, cookie = 0;
	char key[64], fresh[96];
	double begun;
	int rc = 0;
	scale_pick(entries, seed, key);
	snprintf(fresh, sizeof(fresh), "%s-%u", key, number);
	if (what == READDIR)
		rc = scale_lookup(key, &cookie);
	if (rc != 0)
		return rc;
	begun = scale_now();
	switch (what) {
	case LOOKUP:
		rc = scale_lookup(key, &cookie);
		break;
	case OPEN:
		rc = scale_open(key);
		break;
	case CREATE:
	case CREATE_MANY:
		rc = scale_put(fresh);
		break;
	case LIST:
		rc = scale_list("", "", key, &count);
		break;
	case LIST_DELIMITER:
		rc = scale_list(SCALE_DIR "/", "/", key, &count);
		break;
	case LIST_FOLDED:
		rc = scale_list("", "/", "", &count);
		rc = rc == 0 && count != 1 ? GML_ERR_CORRUPT : rc;
		break;
	case READDIR:
		rc = scale_readdir(cookie, SCALE_PAGE, &page);
		break;
	case WHAT_COUNT:
		break;
	}
	*us_out = (scale_now() - begun) * 1e6;
	return rc;
}

static int scale_delete(const char *key)
{
	struct gml_op op = scale_op(GML_PROTOCOL_S3);
	bool existed = false;
	int rc = gml_object_delete(&op, scale.store, OBJECT_REF(STR(SCALE_BUCKET), STR(key)), NULL,
				   &existed);
	return rc == 0 && !existed ? GML_ERR_CORRUPT : rc;
}

/* A thread's share of one measurement: numbers [first, first + count). */
struct scale_share {
	enum scale_what what;
	uint64_t entries, seed;
	unsigned first, count;
	double *samples;
};

static void *scale_work(void *arg)
{
	struct scale_share *share = arg;
	uint64_t seed = share->seed;
	for (unsigned i = 0; i < share->count && !scale_stop && scale.failed == 0; i++) {
		int rc = scale_once(share->what, share->entries, &seed, share->first + i,
				    &share->samples[i]);
		if (rc != 0)
			scale.failed = rc;
	}
	return NULL;
}

/* The same names again. */
static void *scale_undo(void *arg)
{
	struct scale_share *share = arg;
	uint64_t seed = share->seed;
	char key[64], fresh[96];
	for (unsigned i = 0; i < share->count && !scale_stop && scale.failed == 0; i++) {
		int rc;
		scale_pick(share->entries, &seed, key);
		snprintf(fresh, sizeof(fresh), "%s-%u", key, share->first + i);
		rc = scale_delete(fresh);
		if (rc != 0)
			scale.failed = rc;
	}
	return NULL;
}

static int scale_reap(void)
{
	struct gml_op op = scale_op(GML_PROTOCOL_LOCAL);
	unsigned freed;
	return gml_store_reap(&op, scale.store, &(struct gml_reap){.max = UINT_MAX}, &freed);
}

static int scale_measure(enum scale_what what, uint64_t entries, uint64_t seed,
			 struct scale_figure *out)
{
	unsigned total = what == CREATE ? SCALE_CREATES : what < LIST ? SCALE_SINGLES : SCALE_PAGES;
	unsigned threads = what == CREATE_MANY ? SCALE_THREADS : 1;
	struct scale_share shares[SCALE_THREADS];
	double *samples = calloc(total, sizeof(*samples)), begun;
	int rc;
	if (samples == NULL)
		return GML_ERR_NOMEM;
	for (unsigned t = 0; t < threads; t++) {
		unsigned first = total * t / threads;
		shares[t] = (struct scale_share){.what = what,
						 .entries = entries,
						 .seed = seed + t * 0x9e3779b97f4a7c15u,
						 .first = first,
						 .count = total * (t + 1) / threads - first,
						 .samples = samples + first};
	}
	begun = scale_now();
	rc = scale_threads(threads, scale_work, shares, sizeof(shares[0]), false);
	if (rc == 0 && !scale_stop)
		scale_sum_up(samples, total, (scale_now() - begun) * 1e6 / total, out);
	free(samples);
	if (rc == 0 && (what == CREATE || what == CREATE_MANY))
		rc = scale_threads(threads, scale_undo, shares, sizeof(shares[0]), false);
	return rc;
}

struct scale_walk {
	uint64_t count;
	char last[GML_KEY_MAX + 1];
};

static bool scale_walk_entry(void *arg, const struct gml_list_entry *entry)
{
	struct scale_walk *walk = arg;
	walk->count++;
	memcpy(walk->last, entry->key.ptr, entry->key.len);
	walk->last[entry->key.len] = '\0';
	return true;
}

/* Every page of the trees that reading touches is in memory and mapped; and every entry is
 * there. */
static int scale_warm(uint64_t entries)
{
	struct gml_op op = scale_op(GML_PROTOCOL_S3);
	struct gml_list_query query = {.bucket = STR(SCALE_BUCKET), .max = SCALE_PAGE};
	struct scale_page page = {0};
	struct scale_walk walk = {0};
	uint64_t seen = 0;
	bool more = true;
	int rc;
	do {
		rc = scale_readdir(page.cookie, 10000, &page);
		seen += page.count;
	} while (rc == 0 && page.count == 10000 && !scale_stop);
	while (rc == 0 && more && !scale_stop) {
		query.after = STR(walk.last);
		rc = gml_object_list(&op, scale.store, &query, scale_walk_entry, &walk, &more);
	}
	return rc == 0 && !scale_stop && (seen != entries || walk.count != entries)
		       ? GML_ERR_CORRUPT
		       : rc;
}

static int scale_run_stage(struct scale_stage *stage, uint64_t from)
{
	struct scale_figure warm;
	struct stat st;
	char data[PATH_MAX + 16];
	int rc = scale_fill(stage, from);
	if (rc == 0 && !scale_stop)
		rc = scale_warm(stage->entries);
	for (int what = 0; rc == 0 && !scale_stop && what < WHAT_COUNT; what++) {
		rc = scale_measure(what, stage->entries, 0x2545f4914f6cdd1du, &warm);
		if (rc == 0 && !scale_stop)
			rc = scale_measure(what, stage->entries, 0x9e3779b97f4a7c15u,
					   &stage->figures[what]);
		if (rc == 0 && (what == CREATE || what == CREATE_MANY))
			rc = scale_reap();
	}
	snprintf(data, sizeof(data), "%s/meta/data.mdb", scale.path);
	if (stat(data, &st) == 0)
		stage->disk = (uint64_t)st.st_blocks * 512;
	return rc;
}

/* ---- program --------------------------------------------------------------------------------- */

static int scale_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int scale_setup(void)
{
	struct gml_store_options opt = {.log = scale_log};
	struct gml_op op = scale_op(GML_PROTOCOL_LOCAL);
	struct gml_bucket bucket;
	struct gml_statfs fs;
	struct gml_attr attr;
	uint64_t need = scale.entries * SCALE_ENTRY_BYTES;
	int rc = gml_store_create(scale.path, &opt);
	if (rc == 0)
		rc = gml_store_open(scale.path, &opt, &scale.store);
	if (rc == 0)
		rc = gml_bucket_create(&op, scale.store, STR(SCALE_BUCKET), NULL, &bucket);
	if (rc == 0)
		rc = gml_dir_mkdir(&op, scale.store, bucket.root, STR(SCALE_DIR), NULL, &attr);
	scale.dir = attr.ino;
	if (rc == 0)
		rc = gml_store_statfs(&op, scale.store, GML_INO_ROOT, &fs);
	if (rc != 0)
		return rc;
	fprintf(stderr, "scale: %" PRIu64 " entries need up to %.1f GB in %s; %.1f GB are free\n",
		scale.entries, (double)need / 1e9, scale.home, (double)fs.avail / 1e9);
	return fs.avail < need ? GML_ERR_NOSPC : 0;
}

static int scale_run(void)
{
	static const uint64_t sizes[] = {10000, 1000000, 10000000};
	uint64_t from = 0;
	int rc = scale_setup();
	for (unsigned s = 0; rc == 0 && !scale_stop && from < scale.entries; s++) {
		struct scale_stage *stage = &scale.result.stages[scale.result.nstages];
		stage->entries = s < 3 && sizes[s] < scale.entries ? sizes[s] : scale.entries;
		rc = scale_run_stage(stage, from);
		from = stage->entries;
		scale.result.nstages += rc == 0 && !scale_stop;
	}
	return rc;
}

static int scale_usage(void)
{
	fprintf(stderr,
		"usage: scale [--entries N] [--home DIR] [--json FILE] [--shuffle] [--keep]\n");
	return 2;
}

static bool scale_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"entries", required_argument, NULL, 'e'}, {"home", required_argument, NULL, 'd'},
		{"json", required_argument, NULL, 'j'},	   {"shuffle", no_argument, NULL, 's'},
		{"keep", no_argument, NULL, 'k'},	   {NULL, 0, NULL, 0}};
	char *end;
	int c;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'e':
			scale.entries = strtoull(optarg, &end, 10);
			if (*end != '\0' || scale.entries < 1000 || scale.entries > 9999999999u)
				return false;
			break;
		case 'd':
			scale.home = optarg;
			break;
		case 'j':
			scale.json = optarg;
			break;
		case 's':
			scale.shuffle = true;
			break;
		case 'k':
			scale.keep = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = scale_on_signal};
	int rc, n;
	if (!scale_options(argc, argv))
		return scale_usage();
	n = snprintf(scale.path, sizeof(scale.path), "%s/scale-XXXXXX", scale.home);
	if (n < 0 || (size_t)n >= sizeof(scale.path) || mkdtemp(scale.path) == NULL) {
		fprintf(stderr, "scale: %s: %s\n", scale.home, strerror(errno));
		return 1;
	}
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	rc = scale_run();
	gml_store_close(scale.store);
	if (!scale.keep)
		nftw(scale.path, scale_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (rc != 0 || scale_stop) {
		fprintf(stderr, "scale: %s\n", rc != 0 ? gml_err_text(rc) : "stopped");
		return 1;
	}
	scale.result.entries = scale.entries;
	scale.result.shuffle = scale.shuffle;
	scale_print(&scale.result);
	if (scale.json != NULL && scale_write_json(&scale.result, scale.json) != 0) {
		fprintf(stderr, "scale: %s: cannot be written\n", scale.json);
		return 1;
	}
	return 0;
}
