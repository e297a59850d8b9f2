// SPDX-License-Identifier: Apache-2.0
/* Bytes of records: one writer, one bounds-checked reader, for every table.
 *
 * Integers are little-endian fixed (u32, u64, i64) or varint: seven bits a byte, least significant
 * first, top bit = more follows; at most ten bytes, the shortest form only when written. Byte
 * strings are a varint length and the bytes. The reader is sticky: after the first overrun it
 * answers zeros and empty spans, and gml_dec_end says CORRUPT. */
#ifndef GML_META_CODEC_H
#define GML_META_CODEC_H

#include <string.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "../engine.h"

/* The longest key and the largest value of a record: the on-disk format fixes them (dirent.h cuts
 * names by the former), and every engine offers as much. */
#define GML_REC_KEY_MAX ((size_t)511)
#define GML_REC_VALUE_MAX ((size_t)4 << 20)
_Static_assert(GML_REC_KEY_MAX <= GML_ENGINE_KEY_LEAST &&
		       GML_REC_VALUE_MAX <= GML_ENGINE_VALUE_LEAST,
	       "engines may offer less than the records need");

/* ---- reader ---- */
struct gml_dec {
	const uint8_t *p, *end;
	bool bad;
};

static inline void gml_dec_init(struct gml_dec *dec, struct gml_span span)
{
	dec->p = span.ptr;
	dec->end = dec->p == NULL ? NULL : dec->p + span.len;
	dec->bad = false;
}

/* `len` bytes, borrowed; NULL when fewer are left. */
static inline const uint8_t *gml_dec_bytes(struct gml_dec *dec, size_t len)
{
	const uint8_t *p = dec->p;
	if (dec->bad || (size_t)(dec->end - p) < len) {
		dec->bad = true;
		return NULL;
	}
	dec->p += len;
	return p;
}

static inline uint8_t gml_dec_u8(struct gml_dec *dec)
{
	const uint8_t *p = gml_dec_bytes(dec, 1);
	return p == NULL ? 0 : *p;
}

static inline uint32_t gml_dec_u32(struct gml_dec *dec)
{
	const uint8_t *p = gml_dec_bytes(dec, 4);
	return p == NULL ? 0
			 : (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
				   (uint32_t)p[3] << 24;
}

static inline uint64_t gml_dec_u64(struct gml_dec *dec)
{
	uint64_t low = gml_dec_u32(dec);
	return low | (uint64_t)gml_dec_u32(dec) << 32;
}

uint64_t gml_dec_varint_long(struct gml_dec *dec);
static inline uint64_t gml_dec_varint(struct gml_dec *dec)
{
	if (!dec->bad && dec->p < dec->end && *dec->p < 0x80)
		return *dec->p++;
	return gml_dec_varint_long(dec);
}

/* Varint that must not exceed `max`. */
static inline uint64_t gml_dec_max(struct gml_dec *dec, uint64_t max)
{
	uint64_t value = gml_dec_varint(dec);
	if (value <= max)
		return value;
	dec->bad = true;
	return 0;
}

/* Signed difference (zigzag) added to `base`, modulo 2^64. */
static inline int64_t gml_dec_delta(struct gml_dec *dec, int64_t base)
{
	uint64_t z = gml_dec_varint(dec);
	return (int64_t)((uint64_t)base + ((z >> 1) ^ (0 - (z & 1))));
}

/* Length-prefixed bytes of at most `max`; borrowed. */
static inline struct gml_span gml_dec_span(struct gml_dec *dec, size_t max)
{
	size_t len = (size_t)gml_dec_max(dec, max);
	const uint8_t *p = gml_dec_bytes(dec, len);
	return p == NULL ? gml_span_of(NULL, 0) : gml_span_of(p, len);
}

/* Copy of `len` bytes; zeros on overrun. */
static inline void gml_dec_copy(struct gml_dec *dec, void *out, size_t len)
{
	const uint8_t *p = gml_dec_bytes(dec, len);
	if (p != NULL)
		memcpy(out, p, len);
	else
		memset(out, 0, len);
}

/* The format byte that every record begins with. */
static inline void gml_dec_format(struct gml_dec *dec, uint8_t format)
{
	if (gml_dec_u8(dec) != format)
		dec->bad = true;
}

/* True when everything was there and nothing is left. */
static inline bool gml_dec_end(const struct gml_dec *dec)
{
	return !dec->bad && dec->p == dec->end;
}

/* ---- writer ---- */
/* Grows from the stack to the heap. Sticky as well: gml_enc_put answers NOMEM at the end. Release
 * in any case. */
struct gml_enc {
	uint8_t *buf;
	size_t len, cap;
	bool bad;
	uint8_t local[512];
};

static inline void gml_enc_init(struct gml_enc *enc, uint8_t format)
{
	enc->buf = enc->local;
	enc->local[0] = format;
	enc->len = 1;
	enc->cap = sizeof(enc->local);
	enc->bad = false;
}
void gml_enc_release(struct gml_enc *enc);
/* Room for `len` more bytes, or NULL (and bad). The caller fills all of it. */
uint8_t *gml_enc_room(struct gml_enc *enc, size_t len);
void gml_enc_u8(struct gml_enc *enc, uint8_t value);
void gml_enc_u32(struct gml_enc *enc, uint32_t value);
void gml_enc_u64(struct gml_enc *enc, uint64_t value);
void gml_enc_varint(struct gml_enc *enc, uint64_t value);
void gml_enc_delta(struct gml_enc *enc, int64_t value, int64_t base);
void gml_enc_raw(struct gml_enc *enc, const void *buf, size_t len);
void gml_enc_span(struct gml_enc *enc, struct gml_span span);
/* gml_txn_put of what was written and its seal; releases the writer. The key may be borrowed. */
int gml_enc_put(struct gml_enc *enc, struct gml_txn *txn, enum gml_table table,
		struct gml_span key);

/* ---- keys: big-endian ---- */
static inline void gml_key_u64(uint8_t *out, uint64_t value)
{
	value = __builtin_bswap64(value);
	memcpy(out, &value, 8);
}
static inline void gml_key_u32(uint8_t *out, uint32_t value)
{
	value = __builtin_bswap32(value);
	memcpy(out, &value, 4);
}
static inline uint64_t gml_key_read_u64(const void *p)
{
	uint64_t value;
	memcpy(&value, p, 8);
	return __builtin_bswap64(value);
}
static inline uint32_t gml_key_read_u32(const void *p)
{
	uint32_t value;
	memcpy(&value, p, 4);
	return __builtin_bswap32(value);
}
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "keys are written for little-endian hosts"
#endif

/* ---- keys that begin with an inode ----
 * In the present: u64 number. In another view: u64 2^63 | view, u64 number. So the keys of the
 * present come first, then those of each view in one piece. */
#define GML_INO_KEY_MAX ((size_t)16)
#define GML_INO_KEY_VIEW ((uint64_t)1 << 63)

static inline size_t gml_ino_key_len(gml_ino ino)
{
	return ino.view == 0 ? 8 : 16;
}

/* Returns the length. */
static inline size_t gml_ino_key(uint8_t *out, gml_ino ino)
{
	gml_assert(ino.num < GML_INO_NUM_END && ino.view < GML_INO_NUM_END);
	if (ino.view == 0) {
		gml_key_u64(out, ino.num);
		return 8;
	}
	gml_key_u64(out, ino.view | GML_INO_KEY_VIEW);
	gml_key_u64(out + 8, ino.num);
	return 16;
}

/* Does the key begin with this inode? */
static inline bool gml_ino_key_is(struct gml_span key, gml_ino ino)
{
	const uint8_t *p = key.ptr;
	if (ino.view == 0)
		return key.len >= 8 && gml_key_read_u64(p) == ino.num;
	return key.len >= 16 && gml_key_read_u64(p) == (ino.view | GML_INO_KEY_VIEW) &&
	       gml_key_read_u64(p + 8) == ino.num;
}

/* The inode that the key begins with. Returns its length; 0: the key begins with none. */
static inline size_t gml_ino_key_read(struct gml_span key, gml_ino *out)
{
	const uint8_t *p = key.ptr;
	*out = GML_INO_NONE;
	if (key.len < 8)
		return 0;
	out->num = gml_key_read_u64(p);
	if (out->num & GML_INO_KEY_VIEW) {
		if (key.len < 16)
			return 0;
		out->view = out->num ^ GML_INO_KEY_VIEW;
		out->num = gml_key_read_u64(p + 8);
		if (out->view == 0 || out->view >= GML_INO_NUM_END)
			return 0;
	}
	return out->num == 0 || out->num >= GML_INO_NUM_END ? 0 : gml_ino_key_len(*out);
}

/* ---- shared record parts ---- */
struct gml_object_checksum;
struct gml_owner;
/* An inode of any view: varint view, varint number. What has the view of the row that names it is
 * stored as a varint number alone, and read with gml_dec_ino_of: number 1 is the namespace root,
 * which every view shares. */
void gml_enc_ino(struct gml_enc *enc, gml_ino ino);
gml_ino gml_dec_ino(struct gml_dec *dec);
static inline gml_ino gml_dec_ino_of(struct gml_dec *dec, uint64_t view)
{
	uint64_t num = gml_dec_max(dec, GML_INO_NUM_END - 1);
	return num == GML_INO_ROOT.num ? GML_INO_ROOT : gml_ino_of(view, num);
}
/* Can a row of `row` name `other` by its number alone? */
static inline bool gml_ino_beside(gml_ino row, gml_ino other)
{
	return gml_ino_is_none(other) ||
	       other.view == (other.num == GML_INO_ROOT.num ? GML_INO_ROOT.view : row.view);
}
/* algorithm | composite << 7, then the value's bytes; one zero byte when there is none. */
void gml_enc_checksum(struct gml_enc *enc, const struct gml_object_checksum *checksum);
void gml_dec_checksum(struct gml_dec *dec, struct gml_object_checksum *out);
void gml_enc_owner(struct gml_enc *enc, const struct gml_owner *owner);
void gml_dec_owner(struct gml_dec *dec, struct gml_owner *out);
/* Value of a checksum algorithm in bytes; 0 for NONE and unknown ones. */
size_t gml_rec_checksum_size(uint8_t algorithm);

#define GML_REC_HEADERS_MAX ((size_t)16 << 10)
#define GML_REC_PAIRS_MAX ((size_t)64 << 10)
#define GML_REC_NAME_MAX (GML_KEY_MAX + 1 + 32 + 1) /* a key, NUL and an upload id */

#endif
