// SPDX-License-Identifier: Apache-2.0
#include "gateway/base/errmap.h"
#include "lmdb_internal.h"

static int errmap_lmdb(int code)
{
	switch (code) {
	case MDB_NOTFOUND:
		return GML_ERR_NOENT;
	case MDB_KEYEXIST:
		return GML_ERR_EXIST;
	case MDB_MAP_FULL:
		return GML_ERR_NOSPC;
	case MDB_TXN_FULL:
		return GML_ERR_TOOBIG;
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
		return GML_ERR_FORMAT;
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_PAGE_FULL:
	case MDB_CURSOR_FULL:
		return GML_ERR_CORRUPT;
	case MDB_READERS_FULL:
	case MDB_TLS_FULL:
		return GML_ERR_AGAIN;
	case MDB_BAD_VALSIZE:
		return GML_ERR_INVAL;
	case MDB_DBS_FULL:
	case MDB_BAD_DBI:
	case MDB_BAD_TXN:
	case MDB_BAD_RSLOT:
	case MDB_MAP_RESIZED:
	case MDB_PANIC:
		return GML_ERR_IO;
	}
	return GML_ERR_IO;
}

int gml_lmdb_err(int code)
{
	return code < 0 ? errmap_lmdb(code) : gml_err_map(code);
}
