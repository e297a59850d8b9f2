// SPDX-License-Identifier: Apache-2.0
/* Table config: line of a bucket (u64) + kind (u8) -> format byte + document. Policies of
 * buckets, and what they demand, have a row in table iam besides. */
#include "record_iam.h"

enum { CONFIG_FORMAT = 1, CONFIG_KEY = 9 };

static struct gml_span config_key(uint8_t key[CONFIG_KEY], gml_ino root, uint8_t kind)
{
	gml_key_u64(key, gml_line_id(root));
	key[8] = kind;
	return gml_span_of(key, CONFIG_KEY);
}

int gml_rec_config_get(struct gml_txn *txn, gml_ino root, uint8_t kind, struct gml_span *out)
{
	uint8_t key[CONFIG_KEY];
	struct gml_span value;
	struct gml_dec dec;
	int rc = gml_rec_get(txn, GML_TABLE_CONFIG, config_key(key, root, kind), &value);
	if (rc != 0)
		return rc;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, CONFIG_FORMAT);
	*out = gml_span_of(dec.p, (size_t)(dec.end - dec.p));
	return dec.bad || out->len > GML_BUCKET_DOCUMENT_MAX
		       ? gml_txn_corrupt(txn, GML_TABLE_CONFIG, gml_span_of(key, CONFIG_KEY))
		       : 0;
}

int gml_rec_config_put(struct gml_txn *txn, gml_ino root, uint8_t kind, struct gml_span document)
{
	uint8_t key[CONFIG_KEY];
	struct gml_enc enc;
	int rc;
	if (document.len > GML_BUCKET_DOCUMENT_MAX)
		return GML_ERR_TOOBIG;
	gml_enc_init(&enc, CONFIG_FORMAT);
	gml_enc_raw(&enc, document.ptr, document.len);
	rc = gml_enc_put(&enc, txn, GML_TABLE_CONFIG, config_key(key, root, kind));
	return rc == 0 ? gml_iam_bucket_put(txn, gml_line_id(root), kind) : rc;
}

int gml_rec_config_del(struct gml_txn *txn, gml_ino root, uint8_t kind)
{
	uint8_t key[CONFIG_KEY];
	int rc = gml_txn_del(txn, GML_TABLE_CONFIG, config_key(key, root, kind));
	return rc == 0 ? gml_iam_bucket_del(txn, gml_line_id(root), kind) : rc;
}

static int config_first(void *arg, struct gml_span key, struct gml_span value)
{
	(void)value;
	if (key.len == CONFIG_KEY)
		*(int *)arg = ((const uint8_t *)key.ptr)[CONFIG_KEY - 1];
	return GML_REC_STOP;
}

/* With the kinds that only later versions of the program know. */
int gml_rec_config_drop(struct gml_txn *txn, gml_ino root)
{
	uint8_t key[CONFIG_KEY];
	struct gml_span bucket = config_key(key, root, 0);
	int rc, kind;
	bucket.len--;
	do {
		kind = -1;
		rc = gml_rec_scan(txn, GML_TABLE_CONFIG, bucket, bucket, config_first, &kind);
		if (rc == 0 && kind >= 0)
			rc = gml_rec_config_del(txn, root, (uint8_t)kind);
	} while (rc == 0 && kind >= 0);
	return rc;
}
