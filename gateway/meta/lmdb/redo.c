// SPDX-License-Identifier: Apache-2.0
/* The file of the redo log, its records and its shared tail. See redo.h. */
#include "redo.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "gateway/base/crc.h"
#include "gateway/base/map.h"
#include "gateway/base/span.h"
#include "lmdb_internal.h"

#define REDO_MAGIC "GMLREDO"
#define REDO_SLOT_MAGIC "GMLSLOT"
#define REDO_RECORD_MAGIC UINT32_C(0x524c4d47) /* "GMLR" */
#define REDO_VERSION 2
#define REDO_CLOSED 1  /* flag of a slot */
#define REDO_PAGE 4096 /* of the header and of each slot; the checksum is in its last eight bytes */
#define REDO_RING 16384
#define REDO_HEAD 40 /* of a record: magic, length, transaction, chain before, durable, checksum */
#define REDO_SUM 32  /* where its checksum stands */
#define REDO_OP 8    /* of a change */
/* so many pages past the checkpoint, writers wait for the next one */
#define REDO_WORK_HARD 16384

uint64_t gml_redo_size = (uint64_t)4 << 20;

_Static_assert(sizeof(struct gml_redo_shared) <= REDO_PAGE, "the shared tail is one page");
_Static_assert(REDO_RING >= 3 * REDO_PAGE, "the header and two slots stand before the ring");
_Static_assert(64 + 2 * GML_REDO_META + 8 <= REDO_PAGE, "a slot is one page");
_Static_assert(GML_TABLE_COUNT_ <= UINT8_MAX && GML_LMDB_KEY_MAX <= UINT16_MAX,
	       "a change has one byte for the table and two for the key's length");

/* ---- integers ---- */
static void redo_store(uint8_t *p, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t redo_load(const uint8_t *p, unsigned bytes)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)p[i] << 8 * i;
	return value;
}

/* ---- whole reads and writes ---- */
static int redo_pwrite(int fd, const void *buf, size_t len, uint64_t off)
{
	const uint8_t *p = buf;
	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : EIO;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int redo_pread(int fd, void *buf, size_t len, uint64_t off)
{
	uint8_t *p = buf;
	while (len > 0) {
		ssize_t n = pread(fd, p, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : EILSEQ; /* shorter than it was made */
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* `pos` counts from the beginning of the log; bytes that reach the end of the ring continue at its
 * beginning. */
static int redo_ring(const struct gml_redo *redo, bool write, void *buf, size_t len, uint64_t pos)
{
	uint64_t at = pos % redo->size;
	size_t first = redo->size - at < len ? (size_t)(redo->size - at) : len;
	int rc = write ? redo_pwrite(redo->fd, buf, first, REDO_RING + at)
		       : redo_pread(redo->fd, buf, first, REDO_RING + at);
	gml_assert(len <= redo->size); /* longer, it would overwrite its own beginning */
	if (rc != 0 || first == len)
		return rc;
	return write ? redo_pwrite(redo->fd, (uint8_t *)buf + first, len - first, REDO_RING)
		     : redo_pread(redo->fd, (uint8_t *)buf + first, len - first, REDO_RING);
}

/* ---- header and slots ---- */
static void redo_page_seal(uint8_t *page)
{
	redo_store(page + REDO_PAGE - 8, gml_crc_update(GML_CRC_64NVME, 0, page, REDO_PAGE - 8), 8);
}

static bool redo_page_whole(const uint8_t *page, const char *magic)
{
	return memcmp(page, magic, 8) == 0 &&
	       redo_load(page + REDO_PAGE - 8, 8) ==
		       gml_crc_update(GML_CRC_64NVME, 0, page, REDO_PAGE - 8);
}

static int redo_file_open(struct gml_redo *redo, const char *dir, int flags)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/redo", dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return ENAMETOOLONG;
	redo->fd = open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	return redo->fd < 0 ? errno : 0;
}

static int redo_zero(const struct gml_redo *redo)
{
	static const uint8_t zeros[65536];
	uint64_t end = REDO_RING + redo->size;
	int rc = 0;
	for (uint64_t off = 0; rc == 0 && off < end; off += sizeof(zeros))
		rc = redo_pwrite(redo->fd, zeros,
				 end - off < sizeof(zeros) ? (size_t)(end - off) : sizeof(zeros),
				 off);
	return rc;
}

int gml_redo_make(struct gml_redo *redo, const char *dir, uint32_t page_size)
{
	struct gml_redo_slot slot = {.seq = 1, .state = GML_REDO_MAKING};
	uint8_t page[REDO_PAGE] = REDO_MAGIC;
	int rc = redo->fd >= 0 ? 0 : redo_file_open(redo, dir, O_CREAT);
	if (rc != 0)
		return rc;
	rc = gml_redo_seed(&redo->salt);
	if (rc != 0)
		return rc;
	redo->size = gml_redo_size;
	redo->page_size = page_size;
	/* Written, not just allocated: a flush of bytes that overwrite written ones needs no change
	 * of the file system's own records. */
	rc = redo_zero(redo);
	if (rc == 0)
		rc = gml_redo_slot_write(redo, &slot);
	redo_store(page + 8, REDO_VERSION, 4);
	redo_store(page + 12, page_size, 4);
	redo_store(page + 16, redo->size, 8);
	redo_store(page + 24, redo->salt, 8);
	redo_page_seal(page);
	if (rc == 0) /* last: a file without it is unfinished */
		rc = redo_pwrite(redo->fd, page, sizeof(page), 0);
	if (rc == 0 && fsync(redo->fd) != 0)
		rc = errno;
	return rc;
}

int gml_redo_open(struct gml_redo *redo, const char *dir)
{
	uint8_t page[REDO_PAGE];
	int rc = redo_file_open(redo, dir, 0);
	if (rc == 0)
		rc = redo_pread(redo->fd, page, sizeof(page), 0);
	if (rc == EILSEQ ||
	    (rc == 0 && page[0] == 0 && memcmp(page, page + 1, sizeof(page) - 1) == 0))
		return ENOENT; /* its making was cut short */
	if (rc != 0)
		return rc;
	redo->page_size = (uint32_t)redo_load(page + 12, 4);
	redo->size = redo_load(page + 16, 8);
	redo->salt = redo_load(page + 24, 8);
	if (!redo_page_whole(page, REDO_MAGIC) || redo_load(page + 8, 4) != REDO_VERSION)
		return EILSEQ;
	/* The checksum does not rule out a mistake of a program; it must not cause a division by
	 * zero. */
	return redo->size < REDO_PAGE || redo->size % 8 != 0 || redo->page_size < GML_REDO_META
		       ? EILSEQ
		       : 0;
}

static bool redo_slot_decode(const uint8_t *page, struct gml_redo_slot *slot)
{
	if (!redo_page_whole(page, REDO_SLOT_MAGIC))
		return false;
	slot->seq = redo_load(page + 8, 8);
	slot->txnid = redo_load(page + 16, 8);
	slot->pos = redo_load(page + 24, 8);
	slot->chain = redo_load(page + 32, 8);
	slot->state = (enum gml_redo_state)redo_load(page + 40, 4);
	slot->closed = redo_load(page + 44, 4) & REDO_CLOSED;
	slot->data_size = redo_load(page + 48, 8);
	memcpy(slot->meta, page + 64, sizeof(slot->meta));
	return (slot->state == GML_REDO_MAKING || slot->state == GML_REDO_WHOLE) &&
	       slot->pos % 8 == 0;
}

int gml_redo_slot_read(struct gml_redo *redo, struct gml_redo_slot *out)
{
	struct gml_redo_slot slot;
	uint8_t page[REDO_PAGE];
	bool found = false;
	for (unsigned i = 0; i < 2; i++) {
		int rc = redo_pread(redo->fd, page, sizeof(page), REDO_PAGE + i * REDO_PAGE);
		if (rc != 0)
			return rc;
		if (!redo_slot_decode(page, &slot))
			continue;
		slot.copies = found && slot.seq == out->seq ? 2 : 1;
		if (found && slot.seq < out->seq)
			continue;
		slot.at = i;
		*out = slot;
		found = true;
	}
	return found ? 0 : EILSEQ;
}

static int redo_slot_put(struct gml_redo *redo, const uint8_t page[REDO_PAGE], unsigned at)
{
	int rc = redo_pwrite(redo->fd, page, REDO_PAGE, REDO_PAGE + (uint64_t)at * REDO_PAGE);
	return rc == 0 && fdatasync(redo->fd) != 0 ? errno : rc;
}

int gml_redo_slot_write(struct gml_redo *redo, const struct gml_redo_slot *slot)
{
	uint8_t page[REDO_PAGE] = REDO_SLOT_MAGIC;
	int rc;
	gml_assert(slot->seq > 0 && slot->pos % 8 == 0); /* as redo_slot_decode wants it */
	gml_assert(slot->state == GML_REDO_MAKING || slot->state == GML_REDO_WHOLE);
	redo_store(page + 8, slot->seq, 8);
	redo_store(page + 16, slot->txnid, 8);
	redo_store(page + 24, slot->pos, 8);
	redo_store(page + 32, slot->chain, 8);
	redo_store(page + 40, slot->state, 4);
	redo_store(page + 44, slot->closed ? REDO_CLOSED : 0, 4);
	redo_store(page + 48, slot->data_size, 8);
	memcpy(page + 64, slot->meta, sizeof(slot->meta));
	redo_page_seal(page);
	rc = redo_slot_put(redo, page, slot->seq & 1);
	return rc == 0 ? redo_slot_put(redo, page, ~slot->seq & 1) : rc;
}

int gml_redo_seed(uint64_t *seed_out)
{
	return getrandom(seed_out, sizeof(*seed_out), 0) == (ssize_t)sizeof(*seed_out) ? 0 : EIO;
}

/* ---- the shared tail ---- */
static void redo_share_fill(struct gml_redo_shared *shared, const struct gml_redo_slot *slot)
{
	memset((void *)shared, 0, sizeof(*shared));
	shared->layout = GML_REDO_LAYOUT;
	shared->tail.txnid = slot->txnid;
	shared->tail.pos = slot->pos;
	shared->tail.chain = slot->chain;
	shared->committed = slot->pos;
	shared->flushed = slot->pos;
	shared->relaxed = slot->pos;
	shared->k_txnid = slot->txnid;
	shared->k_pos = slot->pos;
	shared->k_chain = slot->chain;
	/* The next one is not written first into the slot that may be the only whole one. */
	shared->k_seq = slot->seq + (slot->at != (slot->seq & 1));
}

int gml_redo_share(struct gml_redo *redo, const char *dir, const struct gml_redo_slot *slot)
{
	char path[4096];
	void *map;
	int n = snprintf(path, sizeof(path), "%s/redo.tail", dir), rc;
	if (n < 0 || (size_t)n >= sizeof(path))
		return ENAMETOOLONG;
	rc = gml_shared_map(AT_FDCWD, path, REDO_PAGE,
			    slot != NULL ? GML_MAP_FRESH : GML_MAP_EXISTING, &map);
	if (rc != 0)
		return rc;
	redo->shared = map;
	if (slot != NULL)
		redo_share_fill(redo->shared, slot);
	return 0;
}

void gml_redo_init(struct gml_redo *redo)
{
	*redo = (struct gml_redo){.fd = -1};
}

void gml_redo_release(struct gml_redo *redo)
{
	gml_shared_unmap(redo->shared, REDO_PAGE);
	if (redo->fd >= 0)
		close(redo->fd);
	free(redo->buf);
	gml_redo_init(redo);
}

/* ---- under the writer lock ---- */
static void redo_place_copy(struct gml_redo_place *to, const struct gml_redo_place *from,
			    uint64_t txnid)
{
	to->pos = from->pos;
	to->chain = from->chain;
	to->work = from->work;
	to->gap = from->gap;
	atomic_store_explicit(&to->txnid, txnid, memory_order_release);
}

/* The record at the tail belongs to a transaction that was not committed, and must never be
 * replayed: a process may act on its absence before another record takes its place. */
static int redo_wipe(struct gml_redo *redo)
{
	uint64_t nothing = 0;
	int rc = redo_ring(redo, true, &nothing, sizeof(nothing), redo->shared->tail.pos);
	if (rc == 0 && fdatasync(redo->fd) != 0)
		rc = errno;
	return rc;
}

int gml_redo_resolve(struct gml_redo *redo, uint64_t txnid)
{
	struct gml_redo_place *tail = &redo->shared->tail, *next = &redo->shared->next;
	uint64_t pending = atomic_load_explicit(&next->txnid, memory_order_acquire);
	if (pending != 0 && pending == txnid - 1) {
		redo_place_copy(tail, next, pending);
	} else if (pending >= txnid) {
		int rc = next->pos == tail->pos ? 0 : redo_wipe(redo);
		if (rc != 0) {
			atomic_store(&redo->shared->broken, 1);
			return rc;
		}
		atomic_store_explicit(&next->txnid, 0, memory_order_release);
	}
	if (tail->txnid != txnid - 1) { /* a program changed the store without the log */
		tail->gap = txnid - 1;
		atomic_store_explicit(&tail->txnid, txnid - 1, memory_order_release);
	}
	return 0;
}

void gml_redo_begin(struct gml_redo *redo)
{
	redo->len = REDO_HEAD;
	redo->skip = false;
}

static bool redo_grow(struct gml_redo *redo, size_t len)
{
	size_t want = redo->len + len + 8, cap = redo->cap;
	uint8_t *buf;
	if (redo->skip || want > redo->size / 4) {
		redo->skip = true;
		return false;
	}
	if (want <= cap)
		return true;
	for (cap = cap == 0 ? REDO_PAGE : cap; cap < want;)
		cap *= 2;
	buf = realloc(redo->buf, cap);
	if (buf == NULL) {
		redo->skip = true; /* a checkpoint will do instead */
		return false;
	}
	redo->buf = buf;
	redo->cap = cap;
	return true;
}

void gml_redo_add(struct gml_redo *redo, bool put, enum gml_table table, struct gml_span key,
		  struct gml_span value)
{
	uint8_t *p;
	if (!redo_grow(redo, REDO_OP + key.len + value.len))
		return;
	p = redo->buf + redo->len;
	p[0] = put ? 1 : 2;
	p[1] = (uint8_t)table;
	redo_store(p + 2, key.len, 2);
	redo_store(p + 4, value.len, 4);
	memcpy(p + REDO_OP, key.ptr, key.len);
	if (value.len > 0)
		memcpy(p + REDO_OP + key.len, value.ptr, value.len);
	redo->len += REDO_OP + key.len + value.len;
}

/* Begins with a number that only this log has: bytes that a client stores do not look like a record
 * of it. Covers all of the record but itself, so also the chain before. */
static uint64_t redo_sum(const struct gml_redo *redo, const uint8_t *record, size_t len)
{
	uint64_t crc = gml_crc_update(GML_CRC_64NVME, redo->salt, record, REDO_SUM);
	return gml_crc_update(GML_CRC_64NVME, crc, record + REDO_HEAD, len - REDO_HEAD);
}

static void redo_seal(struct gml_redo *redo, uint64_t txnid, struct gml_redo_place *place)
{
	while (redo->len % 8 != 0)
		redo->buf[redo->len++] = 0;
	redo_store(redo->buf, REDO_RECORD_MAGIC, 4);
	redo_store(redo->buf + 4, redo->len, 4);
	redo_store(redo->buf + 8, txnid, 8);
	redo_store(redo->buf + 16, place->chain, 8);
	redo_store(redo->buf + 24, atomic_load(&redo->shared->flushed), 8);
	place->chain = redo_sum(redo, redo->buf, redo->len);
	redo_store(redo->buf + REDO_SUM, place->chain, 8);
	place->pos += redo->len;
}

/* True if the record fits and the checkpoint is not so far behind that writers must wait for it. */
static bool redo_fits(const struct gml_redo *redo, const struct gml_redo_place *place)
{
	const struct gml_redo_shared *shared = redo->shared;
	return !redo->skip && place->pos + redo->len + 8 - shared->k_pos <= redo->size &&
	       place->work - shared->k_work <= REDO_WORK_HARD;
}

int gml_redo_append(struct gml_redo *redo, uint64_t txnid, uint64_t work,
		    struct gml_redo_place *out)
{
	struct gml_redo_shared *shared = redo->shared;
	uint64_t at = shared->tail.pos;
	bool fits;
	gml_assert(redo->len >= REDO_HEAD && at % 8 == 0); /* gml_redo_begin */
	redo_place_copy(out, &shared->tail, txnid);
	out->work += work;
	fits = redo_fits(redo, out);
	if (fits)
		redo_seal(redo, txnid, out);
	else
		out->gap = txnid;
	/* Zero while the record is half written: a writer that dies in between has written no
	 * record. */
	atomic_store_explicit(&shared->next.txnid, 0, memory_order_release);
	atomic_thread_fence(memory_order_release);
	redo_place_copy(&shared->next, out, txnid);
	return fits ? redo_ring(redo, true, redo->buf, redo->len, at) : 0;
}

/* ---- any thread ---- */
static void redo_raise(_Atomic uint64_t *mark, uint64_t value)
{
	uint64_t old = atomic_load(mark);
	while (old < value && !atomic_compare_exchange_weak(mark, &old, value))
		;
}

void gml_redo_committed(struct gml_redo *redo, const struct gml_redo_place *place)
{
	redo_raise(&redo->shared->committed, place->pos);
}

bool gml_redo_logged(const struct gml_redo *redo, const struct gml_redo_place *place)
{
	return place->gap <= redo->shared->k_txnid;
}

bool gml_redo_durable(struct gml_redo *redo, const struct gml_redo_place *place)
{
	const struct gml_redo_shared *shared = redo->shared;
	return gml_redo_logged(redo, place) &&
	       (place->pos <= shared->flushed || place->pos <= shared->k_pos);
}

void gml_redo_relaxed(struct gml_redo *redo, const struct gml_redo_place *place)
{
	redo_raise(&redo->shared->relaxed, place->pos);
}

bool gml_redo_lags(const struct gml_redo *redo)
{
	const struct gml_redo_shared *shared = redo->shared;
	uint64_t pos = atomic_load(&shared->relaxed);
	return pos > shared->flushed && pos > shared->k_pos;
}

int gml_redo_flush(struct gml_redo *redo)
{
	/* Committed, not just written: a record whose commit failed is replaced by another at the
	 * same place. */
	uint64_t covered = atomic_load(&redo->shared->committed);
	if (fdatasync(redo->fd) != 0)
		return errno;
	redo_raise(&redo->shared->flushed, covered);
	return 0;
}

/* ---- reading ---- */
/* 0: the head cannot be one. */
static size_t redo_head_len(const struct gml_redo *redo, const uint8_t *head)
{
	size_t len = redo_load(head + 4, 4);
	bool may_be = redo_load(head, 4) == REDO_RECORD_MAGIC && len >= REDO_HEAD &&
		      len <= redo->size / 4 && len % 8 == 0;
	return may_be ? len : 0;
}

/* The whole record at `pos`, whatever it continues. NOENT, NOMEM, IO. */
static int redo_read_any(struct gml_redo *redo, uint64_t pos, struct gml_redo_record *out)
{
	uint8_t head[REDO_HEAD], *record;
	size_t len;
	int rc;
	if (redo_ring(redo, false, head, sizeof(head), pos) != 0)
		return GML_ERR_IO;
	len = redo_head_len(redo, head);
	if (len == 0)
		return GML_ERR_NOENT;
	record = malloc(len);
	if (record == NULL)
		return GML_ERR_NOMEM;
	rc = redo_ring(redo, false, record, len, pos) != 0 ? GML_ERR_IO : 0;
	if (rc == 0 && redo_load(record + REDO_SUM, 8) != redo_sum(redo, record, len))
		rc = GML_ERR_NOENT;
	if (rc != 0) {
		free(record);
		return rc;
	}
	*out = (struct gml_redo_record){.txnid = redo_load(record + 8, 8),
					.pos = pos + len,
					.chain = redo_load(record + REDO_SUM, 8),
					.before = redo_load(record + 16, 8),
					.payload = record,
					.len = len};
	return 0;
}

int gml_redo_read(struct gml_redo *redo, uint64_t pos, uint64_t chain, uint64_t txnid,
		  struct gml_redo_record *out)
{
	struct gml_redo_record record;
	int rc = redo_read_any(redo, pos, &record);
	if (rc != 0)
		return rc;
	if (record.before != chain || record.txnid != txnid) {
		free(record.payload);
		return GML_ERR_NOENT;
	}
	*out = record;
	return 0;
}

/* A transaction before the record at the end has none: all behind it waited for a checkpoint. */
static int redo_ends_in_gap(struct gml_redo *redo, const struct gml_redo_record *last)
{
	struct gml_redo_record next;
	int rc = redo_read_any(redo, last->pos, &next);
	if (rc != 0)
		return rc;
	free(next.payload);
	return next.before == last->chain && next.txnid > last->txnid ? 0 : GML_ERR_NOENT;
}

/* Whole records of one lap from `pos` on that were written when the log was durable beyond it.
 * Those of earlier laps, or from before a recovery, were not: their positions are smaller. */
static int redo_count_later(struct gml_redo *redo, uint64_t pos, uint64_t *count_out)
{
	uint8_t *ring = malloc(redo->size);
	int rc = ring == NULL ? GML_ERR_NOMEM : 0;
	*count_out = 0;
	if (rc == 0 && redo_ring(redo, false, ring, redo->size, pos) != 0)
		rc = GML_ERR_IO;
	for (uint64_t off = 0; rc == 0 && off + REDO_HEAD <= redo->size;) {
		const uint8_t *record = ring + off;
		size_t len = redo_head_len(redo, record);
		if (len == 0 || len > redo->size - off ||
		    redo_load(record + REDO_SUM, 8) != redo_sum(redo, record, len)) {
			off += 8;
			continue;
		}
		*count_out += redo_load(record + 24, 8) > pos;
		off += len;
	}
	free(ring);
	return rc;
}

int gml_redo_verify(struct gml_redo *redo, const struct gml_redo_slot *slot,
		    struct gml_redo_damage *out)
{
	struct gml_redo_record last = {
		.txnid = slot->txnid, .pos = slot->pos, .chain = slot->chain};
	int rc;
	if (slot->closed) /* nothing follows it, and what stands behind it is old */
		return 0;
	while ((rc = gml_redo_read(redo, last.pos, last.chain, last.txnid + 1, &last)) == 0)
		free(last.payload);
	if (rc == GML_ERR_NOENT)
		rc = redo_ends_in_gap(redo, &last);
	if (rc != GML_ERR_NOENT)
		return rc;
	rc = redo_count_later(redo, last.pos, &out->later);
	out->txnid = last.txnid + 1;
	out->off = REDO_RING + last.pos % redo->size;
	return rc == 0 && out->later > 0 ? GML_ERR_CORRUPT : rc;
}

int gml_redo_walk(const struct gml_redo_record *record, gml_redo_apply_fn apply, void *arg)
{
	const uint8_t *p = record->payload + REDO_HEAD, *end = record->payload + record->len;
	while (end - p >= REDO_OP) {
		size_t key_len = redo_load(p + 2, 2), value_len = redo_load(p + 4, 4),
		       rest = (size_t)(end - p) - REDO_OP;
		int rc;
		if (p[0] < 1 || p[0] > 2 || p[1] >= GML_TABLE_COUNT_ || key_len > rest ||
		    value_len > rest - key_len)
			return GML_ERR_CORRUPT;
		rc = apply(arg, p[0] == 1, (enum gml_table)p[1], gml_span_of(p + REDO_OP, key_len),
			   gml_span_of(p + REDO_OP + key_len, value_len));
		if (rc != 0)
			return rc;
		p += REDO_OP + key_len + value_len;
	}
	return 0;
}
