// SPDX-License-Identifier: Apache-2.0
#include "record_internal.h"

int gml_rec_count(struct gml_txn *txn, enum gml_table table, uint64_t *count_out)
{
	struct gml_cursor *cursor;
	struct gml_span key, value;
	int rc = gml_txn_count(txn, table, count_out);
	if (rc != GML_ERR_NOTSUP)
		return rc;
	rc = gml_cursor_open(txn, table, &cursor);
	if (rc != 0)
		return rc;
	*count_out = 0;
	for (rc = gml_cursor_seek(cursor, GML_SPAN(NULL, 0), &key, &value); rc == 0;
	     rc = gml_cursor_next(cursor, &key, &value))
		++*count_out;
	gml_cursor_close(cursor);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_rec_scan(struct gml_txn *txn, enum gml_table table, struct gml_span from,
		 struct gml_span prefix, gml_rec_scan_fn each, void *arg)
{
	struct gml_cursor *cursor;
	struct gml_span key, value;
	int rc = gml_cursor_open(txn, table, &cursor);
	if (rc != 0)
		return rc;
	for (rc = gml_cursor_seek(cursor, from, &key, &value); rc == 0;
	     rc = gml_cursor_next(cursor, &key, &value)) {
		if (key.len < prefix.len ||
		    (prefix.len > 0 && memcmp(key.ptr, prefix.ptr, prefix.len) != 0))
			break;
		rc = each(arg, key, value);
		if (rc != 0)
			break;
	}
	gml_cursor_close(cursor);
	return rc == GML_ERR_NOENT || rc == GML_REC_STOP ? 0 : rc;
}
