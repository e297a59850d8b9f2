#include "errmap.h"
#include <errno.h>
#include <lmdb.h>

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

static int errmap_errno(int code)
{
	switch (code) {
	case ENOENT:
		return GML_ERR_NOENT;
	case EEXIST:
		return GML_ERR_EXIST;
	case ENOTDIR:
	case ELOOP: /* everything is opened O_NOFOLLOW: a link stands where a directory should */
		return GML_ERR_NOTDIR;
	case EISDIR:
		return GML_ERR_ISDIR;
	case ENOTEMPTY:
		return GML_ERR_NOTEMPTY;
	case EACCES:
		return GML_ERR_ACCESS;
	case EPERM:
		return GML_ERR_PERM;
	case EINVAL:
		return GML_ERR_INVAL;
	case ENAMETOOLONG:
		return GML_ERR_NAMETOOLONG;
	case ENOSPC:
		return GML_ERR_NOSPC;
	case EDQUOT: /* the quota of the gateway's own account on the disk: for clients the store is full */
		return GML_ERR_NOSPC;
	case EROFS:
		return GML_ERR_ROFS;
	case EXDEV:
		return GML_ERR_XDEV;
	case ESTALE:
		return GML_ERR_STALE;
	case EFBIG:
	case EOVERFLOW:
		return GML_ERR_FBIG;
	case EMLINK:
		return GML_ERR_MLINK;
	case ENOMEM:
		return GML_ERR_NOMEM;
	case ENODATA:
		return GML_ERR_NOXATTR;
	case E2BIG:
	case ERANGE:
	case EMSGSIZE:
		return GML_ERR_TOOBIG;
	case ENXIO:
		return GML_ERR_NXIO;
	case EBUSY:
	case ETXTBSY:
		return GML_ERR_BUSY;
	case EAGAIN:
	case EMFILE:
	case ENFILE:
	case EINTR:
		return GML_ERR_AGAIN;
	case EOPNOTSUPP:
	case ENOSYS:
		return GML_ERR_NOTSUP;
	case ECANCELED:
		return GML_ERR_CANCELED;
	}
	return GML_ERR_IO;
}

int gml_err_map(int code)
{
	if (code == 0)
		return 0;
	return code < 0 ? errmap_lmdb(code) : errmap_errno(code);
}
