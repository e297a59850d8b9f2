// SPDX-License-Identifier: Apache-2.0
/* Core error → FSAL status. */
#include "fsal_types.h"

#include <gemel/err.h>

#include "errmap.h"

/* Every code is named, even if a default should ever come. */
#pragma GCC diagnostic error "-Wswitch-enum"

fsal_errors_t gml_fsal_error(int rc)
{
	switch ((enum gml_err)rc) {
	case GML_ERR_OK:
		return ERR_FSAL_NO_ERROR;
	case GML_ERR_NOENT:
	case GML_ERR_NOBUCKET:
	case GML_ERR_NOVERSION:
	case GML_ERR_NOUPLOAD:
		return ERR_FSAL_NOENT;
	case GML_ERR_EXIST:
	case GML_ERR_BUCKETEXISTS:
	case GML_ERR_BUCKETOWNED:
		return ERR_FSAL_EXIST;
	case GML_ERR_NOTDIR:
		return ERR_FSAL_NOTDIR;
	case GML_ERR_ISDIR:
		return ERR_FSAL_ISDIR;
	case GML_ERR_NOTEMPTY:
		return ERR_FSAL_NOTEMPTY;
	case GML_ERR_ACCESS:
		return ERR_FSAL_ACCESS;
	case GML_ERR_PERM:
		return ERR_FSAL_PERM;
	case GML_ERR_INVAL:
	case GML_ERR_BUCKETNAME:
	case GML_ERR_BADPART:
	case GML_ERR_PARTORDER:
	case GML_ERR_PARTSMALL:
		return ERR_FSAL_INVAL;
	case GML_ERR_NAMETOOLONG:
		return ERR_FSAL_NAMETOOLONG;
	case GML_ERR_NOSPC:
		return ERR_FSAL_NOSPC;
	case GML_ERR_DQUOT:
		return ERR_FSAL_DQUOT;
	case GML_ERR_ROFS:
		return ERR_FSAL_ROFS;
	case GML_ERR_XDEV:
		return ERR_FSAL_XDEV;
	/* NFS4ERR_STALE to the client, like ERR_FSAL_STALE. ERR_FSAL_STALE makes FSAL_MDCACHE drop
	 * the object with the open files and locks of all clients, while one client may still use
	 * an inode that is STALE for others; and LOOKUP would turn it into NOENT. */
	case GML_ERR_STALE:
		return ERR_FSAL_FHEXPIRED;
	case GML_ERR_BADHANDLE:
		return ERR_FSAL_BADHANDLE;
	case GML_ERR_FBIG:
		return ERR_FSAL_FBIG;
	case GML_ERR_MLINK:
		return ERR_FSAL_MLINK;
	case GML_ERR_IO:
	case GML_ERR_CORRUPT:
	case GML_ERR_FORMAT:
		return ERR_FSAL_IO;
	case GML_ERR_NOXATTR:
		return ERR_FSAL_NOXATTR;
	case GML_ERR_TOOBIG:
	case GML_ERR_XATTRFULL:
		return ERR_FSAL_XATTR2BIG;
	case GML_ERR_NXIO:
		return ERR_FSAL_NXIO;
	case GML_ERR_NOTSUP:
		return ERR_FSAL_NOTSUPP;
	/* Clients repeat these requests by themselves. NFSv4 has no error for a lack of memory. */
	case GML_ERR_NOMEM:
	case GML_ERR_BUSY:
	case GML_ERR_AGAIN:
	case GML_ERR_COLD:
	case GML_ERR_CONFLICT:
	case GML_ERR_LOCKED:
	case GML_ERR_CANCELED:
		return ERR_FSAL_DELAY;
	/* No NFS operation produces these. */
	case GML_ERR_PRECONDITION:
	case GML_ERR_NOTMODIFIED:
	case GML_ERR_BADDIGEST:
	case GML_ERR_NOUSER:
	case GML_ERR_NOKEY:
	case GML_ERR_UIDTAKEN:
	case GML_ERR_NOGROUP:
	case GML_ERR_NOROLE:
	case GML_ERR_NOPOLICY:
	case GML_ERR_BADPOLICY:
	case GML_ERR_NOACL:
	case GML_ERR_INUSE:
	case GML_ERR_LIMIT:
	case GML_ERR_COUNT_:
		break;
	}
	return ERR_FSAL_SERVERFAULT;
}
