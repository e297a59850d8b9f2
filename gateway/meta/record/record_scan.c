#include "record_internal.h"

int gml_rec_scan(struct gml_txn *txn, enum gml_table table, struct gml_span from, struct gml_span prefix,
		 gml_rec_scan_fn each, void *arg)
{
	struct gml_cursor *cursor;
	struct gml_span key, value;
	int rc = gml_cursor_open(txn, table, &cursor);
	if (rc != 0)
		return rc;
	for (rc = gml_cursor_seek(cursor, from, &key, &value); rc == 0; rc = gml_cursor_next(cursor, &key, &value)) {
		if (key.len < prefix.len || (prefix.len > 0 && memcmp(key.ptr, prefix.ptr, prefix.len) != 0))
			break;
		rc = each(arg, key, value);
		if (rc != 0)
			break;
	}
	gml_cursor_close(cursor);
	return rc == GML_ERR_NOENT || rc == GML_REC_STOP ? 0 : rc;
}
