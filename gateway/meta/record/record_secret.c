// SPDX-License-Identifier: Apache-2.0
/* Table super, GML_SUPER_SECRET -> format byte + the secret of the store's file handles. */
#include "record_internal.h"

enum { SECRET_FORMAT = 1 };

static const uint8_t secret_key[1] = {GML_SUPER_SECRET};

int gml_rec_secret_get(struct gml_txn *txn, uint8_t out[GML_REC_SECRET])
{
	struct gml_span value, key = gml_span_of(secret_key, sizeof(secret_key));
	struct gml_dec dec;
	int rc = gml_rec_get(txn, GML_TABLE_SUPER, key, &value);
	if (rc != 0)
		return rc;
	gml_dec_init(&dec, value);
	gml_dec_format(&dec, SECRET_FORMAT);
	gml_dec_copy(&dec, out, GML_REC_SECRET);
	return gml_dec_end(&dec) ? 0 : gml_txn_corrupt(txn, GML_TABLE_SUPER, key);
}

int gml_rec_secret_put(struct gml_txn *txn, const uint8_t secret[GML_REC_SECRET])
{
	struct gml_enc enc;
	int rc;
	gml_enc_init(&enc, SECRET_FORMAT);
	gml_enc_raw(&enc, secret, GML_REC_SECRET);
	rc = gml_enc_put(&enc, txn, GML_TABLE_SUPER, gml_span_of(secret_key, sizeof(secret_key)));
	explicit_bzero(enc.local, sizeof(enc.local));
	return rc;
}
