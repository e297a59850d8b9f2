// SPDX-License-Identifier: Apache-2.0
#include "errmap.h"
#include <errno.h>

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
	/* the quota of the gateway's own account on the disk: for clients the store is full */
	case EDQUOT:
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
	return code == 0 ? 0 : errmap_errno(code);
}
