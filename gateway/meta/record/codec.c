// SPDX-License-Identifier: Apache-2.0
#include "codec.h"
#include <stdlib.h>
#include "record_internal.h"
#include "gateway/base/span.h"

uint64_t gml_dec_varint_long(struct gml_dec *dec)
{
	const uint8_t *p = dec->p;
	uint64_t value = 0;
	for (unsigned shift = 0; !dec->bad && shift < 64 && p < dec->end; shift += 7) {
		uint8_t byte = *p++;
		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			dec->p = p;
			return value;
		}
	}
	dec->bad = true;
	return 0;
}

void gml_enc_release(struct gml_enc *enc)
{
	if (enc->buf != enc->local)
		free(enc->buf);
	enc->buf = enc->local;
	enc->len = 0;
	enc->cap = sizeof(enc->local);
}

uint8_t *gml_enc_room(struct gml_enc *enc, size_t len)
{
	uint8_t *p;
	if (enc->bad || len > GML_REC_VALUE_MAX || enc->len > GML_REC_VALUE_MAX) {
		enc->bad = true;
		return NULL;
	}
	if (enc->cap - enc->len < len) {
		size_t cap = enc->cap * 2 > enc->len + len ? enc->cap * 2 : enc->len + len;
		p = enc->buf == enc->local ? malloc(cap) : realloc(enc->buf, cap);
		if (p == NULL) {
			enc->bad = true;
			return NULL;
		}
		if (enc->buf == enc->local)
			memcpy(p, enc->local, enc->len);
		enc->buf = p;
		enc->cap = cap;
	}
	p = enc->buf + enc->len;
	enc->len += len;
	return p;
}

void gml_enc_raw(struct gml_enc *enc, const void *buf, size_t len)
{
	uint8_t *p = len == 0 ? NULL : gml_enc_room(enc, len);
	if (p != NULL)
		memcpy(p, buf, len);
}

void gml_enc_u8(struct gml_enc *enc, uint8_t value)
{
	gml_enc_raw(enc, &value, 1);
}

void gml_enc_u32(struct gml_enc *enc, uint32_t value)
{
	gml_enc_raw(enc, &value, 4);
}

void gml_enc_u64(struct gml_enc *enc, uint64_t value)
{
	gml_enc_raw(enc, &value, 8);
}

void gml_enc_varint(struct gml_enc *enc, uint64_t value)
{
	uint8_t bytes[10];
	size_t n = 0;
	while (value >= 0x80) {
		bytes[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	bytes[n++] = (uint8_t)value;
	gml_enc_raw(enc, bytes, n);
}

void gml_enc_delta(struct gml_enc *enc, int64_t value, int64_t base)
{
	uint64_t diff = (uint64_t)value - (uint64_t)base;
	gml_enc_varint(enc, diff << 1 ^ (0 - (diff >> 63)));
}

void gml_enc_span(struct gml_enc *enc, struct gml_span span)
{
	gml_enc_varint(enc, span.len);
	gml_enc_raw(enc, span.ptr, span.len);
}

int gml_enc_put(struct gml_enc *enc, struct gml_txn *txn, enum gml_table table, struct gml_span key)
{
	uint32_t seal = gml_rec_seal(table, key, gml_span_of(enc->buf, enc->len));
	int rc;
	gml_enc_u32(enc, seal);
	rc = enc->bad ? GML_ERR_NOMEM
		      : gml_txn_put(txn, table, key, gml_span_of(enc->buf, enc->len));
	gml_enc_release(enc);
	return rc;
}

size_t gml_rec_checksum_size(uint8_t algorithm)
{
	switch (algorithm) {
	case GML_CHECKSUM_CRC32:
	case GML_CHECKSUM_CRC32C:
		return 4;
	case GML_CHECKSUM_CRC64NVME:
		return 8;
	case GML_CHECKSUM_SHA1:
		return 20;
	case GML_CHECKSUM_SHA256:
		return 32;
	}
	return 0;
}

void gml_enc_checksum(struct gml_enc *enc, const struct gml_object_checksum *checksum)
{
	gml_assert(checksum->algorithm <= GML_CHECKSUM_SHA256); /* or it could not be read again */
	gml_enc_u8(enc, (uint8_t)(checksum->algorithm | (checksum->composite ? 0x80 : 0)));
	gml_enc_raw(enc, checksum->value, gml_rec_checksum_size(checksum->algorithm));
}

void gml_dec_checksum(struct gml_dec *dec, struct gml_object_checksum *out)
{
	uint8_t byte = gml_dec_u8(dec);
	memset(out, 0, sizeof(*out));
	out->algorithm = byte & 0x7f;
	out->composite = byte >> 7;
	if (out->algorithm > GML_CHECKSUM_SHA256)
		dec->bad = true;
	gml_dec_copy(dec, out->value, gml_rec_checksum_size(out->algorithm));
}

size_t gml_rec_ino_of_key(struct gml_span key, gml_ino *ino_out)
{
	return gml_ino_key_read(key, ino_out);
}

void gml_enc_ino(struct gml_enc *enc, gml_ino ino)
{
	gml_assert(ino.num < GML_INO_NUM_END && ino.view < GML_INO_NUM_END);
	gml_enc_varint(enc, ino.view);
	gml_enc_varint(enc, ino.num);
}

gml_ino gml_dec_ino(struct gml_dec *dec)
{
	return gml_dec_ino_of(dec, gml_dec_max(dec, GML_INO_NUM_END - 1));
}

void gml_enc_owner(struct gml_enc *enc, const struct gml_owner *owner)
{
	gml_enc_varint(enc, owner->gateway);
	gml_enc_u32(enc, owner->pid);
	gml_enc_u64(enc, owner->start);
	gml_enc_u64(enc, owner->boot);
}

void gml_dec_owner(struct gml_dec *dec, struct gml_owner *out)
{
	out->gateway = (uint32_t)gml_dec_max(dec, UINT32_MAX);
	out->pid = gml_dec_u32(dec);
	out->start = gml_dec_u64(dec);
	out->boot = gml_dec_u64(dec);
}
