// SPDX-License-Identifier: Apache-2.0
/* Table lease: kind (u8), first (u64) -> count, owner; table super, GML_SUPER_LEASE + kind -> first
 * number that was never leased. */
#include "record_internal.h"

enum { LEASE_FORMAT = 2, LEASE_COUNTER_FORMAT = 1, LEASE_KINDS = 2 };

/* Largest number of each kind: 56 bits of a blob file's id, 28 of a segment's (data/blob.h). */
static const uint64_t lease_last[LEASE_KINDS] = {(UINT64_C(1) << 56) - 1, (UINT64_C(1) << 28) - 1};

static void lease_key(uint8_t key[9], uint8_t kind, uint64_t first)
{
	key[0] = kind;
	gml_key_u64(key + 1, first);
}

static int lease_counter_get(struct gml_txn *txn, uint8_t kind, uint64_t *next_out)
{
	uint8_t key[2] = {GML_SUPER_LEASE, kind};
	struct gml_span value;
	struct gml_dec dec;
	int rc = gml_rec_get(txn, GML_TABLE_SUPER, gml_span_of(key, 2), &value);
	*next_out = 1;
	if (rc == GML_ERR_NOENT)
		return 0;
	if (rc != 0)
		return rc;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, LEASE_COUNTER_FORMAT);
	*next_out = gml_dec_u64(&dec);
	return gml_dec_end(&dec) && *next_out != 0
		       ? 0
		       : gml_txn_corrupt(txn, GML_TABLE_SUPER, gml_span_of(key, 2));
}

int gml_rec_lease_take(struct gml_txn *txn, uint8_t kind, uint64_t count,
		       const struct gml_owner *owner, struct gml_lease *out)
{
	uint8_t counter_key[2] = {GML_SUPER_LEASE, kind}, key[9];
	struct gml_enc enc;
	uint64_t next;
	int rc;
	if (kind >= LEASE_KINDS || count == 0)
		return GML_ERR_INVAL;
	rc = lease_counter_get(txn, kind, &next);
	if (rc != 0)
		return rc;
	if (next > lease_last[kind] || count > lease_last[kind] - next + 1)
		return GML_ERR_NOSPC;
	gml_enc_init(&enc, LEASE_COUNTER_FORMAT);
	gml_enc_u64(&enc, next + count);
	rc = gml_enc_put(&enc, txn, GML_TABLE_SUPER, gml_span_of(counter_key, 2));
	if (rc != 0)
		return rc;
	lease_key(key, kind, next);
	gml_enc_init(&enc, LEASE_FORMAT);
	gml_enc_varint(&enc, count);
	gml_enc_owner(&enc, owner);
	rc = gml_enc_put(&enc, txn, GML_TABLE_LEASE, gml_span_of(key, 9));
	*out = (struct gml_lease){kind, next, count, *owner};
	return rc;
}

int gml_rec_lease_del(struct gml_txn *txn, uint8_t kind, uint64_t first)
{
	uint8_t key[9];
	gml_assert(kind < LEASE_KINDS && first != 0);
	lease_key(key, kind, first);
	return gml_txn_del(txn, GML_TABLE_LEASE, gml_span_of(key, 9));
}

struct lease_each {
	struct gml_txn *txn;
	bool (*each)(void *arg, const struct gml_lease *lease);
	void *arg;
};

static int lease_each_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct lease_each *walk = arg;
	struct gml_lease lease;
	struct gml_dec dec;
	if (key.len != 9)
		return gml_txn_corrupt(walk->txn, GML_TABLE_LEASE, key);
	lease.kind = ((const uint8_t *)key.ptr)[0];
	lease.first = gml_key_read_u64((const uint8_t *)key.ptr + 1);
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, LEASE_FORMAT);
	lease.count = gml_dec_varint(&dec);
	gml_dec_owner(&dec, &lease.owner);
	if (!gml_dec_end(&dec) || lease.count == 0)
		return gml_txn_corrupt(walk->txn, GML_TABLE_LEASE, key);
	return walk->each(walk->arg, &lease) ? 0 : GML_REC_STOP;
}

int gml_rec_lease_each(struct gml_txn *txn, bool (*each)(void *arg, const struct gml_lease *lease),
		       void *arg)
{
	struct lease_each walk = {txn, each, arg};
	return gml_rec_scan(txn, GML_TABLE_LEASE, gml_span_of(NULL, 0), gml_span_of(NULL, 0),
			    lease_each_one, &walk);
}
