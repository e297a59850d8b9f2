// SPDX-License-Identifier: Apache-2.0
#include "error.h"

/* Every code of the core is named, even if a default should ever come. */
#pragma GCC diagnostic error "-Wswitch-enum"

static const struct {
	const char *code, *message;
	int status;
} error_table[] = {[S3_OK] = {"", "", 200},
#define S3_ERROR_ROW(name, code, status, message) [S3_ERR_##name] = {code, message, status},
		   S3_ERROR_MAP(S3_ERROR_ROW)
#undef S3_ERROR_ROW
};

static enum s3_error error_in_table(enum s3_error error)
{
	return (unsigned)error < S3_ERROR_COUNT_ ? error : S3_ERR_INTERNAL_ERROR;
}

const char *s3_error_code(enum s3_error error)
{
	return error_table[error_in_table(error)].code;
}

const char *s3_error_message(enum s3_error error)
{
	return error_table[error_in_table(error)].message;
}

int s3_error_status(enum s3_error error)
{
	return error_table[error_in_table(error)].status;
}

enum s3_error s3_error_from(int rc)
{
	switch ((enum gml_err)rc) {
	case GML_ERR_OK:
		return S3_OK;
	case GML_ERR_NOENT:
	case GML_ERR_NOTDIR:
	case GML_ERR_STALE:
		return S3_ERR_NO_SUCH_KEY;
	case GML_ERR_ACCESS:
	case GML_ERR_PERM:
	case GML_ERR_ROFS:
	case GML_ERR_NOUSER:
	case GML_ERR_NOGROUP:
	case GML_ERR_NOROLE:
		return S3_ERR_ACCESS_DENIED;
	case GML_ERR_NOTEMPTY:
		return S3_ERR_BUCKET_NOT_EMPTY;
	case GML_ERR_INVAL:
		return S3_ERR_INVALID_ARGUMENT;
	case GML_ERR_ISDIR:
	case GML_ERR_XDEV:
		return S3_ERR_INVALID_REQUEST;
	case GML_ERR_NAMETOOLONG:
		return S3_ERR_KEY_TOO_LONG;
	case GML_ERR_NOSPC:
		return S3_ERR_INSUFFICIENT_STORAGE;
	case GML_ERR_DQUOT:
		return S3_ERR_QUOTA_EXCEEDED;
	case GML_ERR_FBIG:
		return S3_ERR_ENTITY_TOO_LARGE;
	case GML_ERR_TOOBIG:
		return S3_ERR_METADATA_TOO_LARGE;
	case GML_ERR_XATTRFULL:
		return S3_ERR_ATTRIBUTES_TOO_LARGE;
	case GML_ERR_NXIO:
		return S3_ERR_INVALID_RANGE;
	case GML_ERR_NOMEM:
	case GML_ERR_LOCKED:
		return S3_ERR_SERVICE_UNAVAILABLE;
	case GML_ERR_BUSY:
	case GML_ERR_AGAIN:
	case GML_ERR_COLD:
		return S3_ERR_SLOW_DOWN;
	case GML_ERR_NOTSUP:
		return S3_ERR_NOT_IMPLEMENTED;
	case GML_ERR_NOBUCKET:
		return S3_ERR_NO_SUCH_BUCKET;
	case GML_ERR_BUCKETNAME:
		return S3_ERR_INVALID_BUCKET_NAME;
	case GML_ERR_BUCKETEXISTS:
		return S3_ERR_BUCKET_ALREADY_EXISTS;
	case GML_ERR_BUCKETOWNED:
		return S3_ERR_BUCKET_ALREADY_OWNED_BY_YOU;
	case GML_ERR_NOACL:
		return S3_ERR_ACL_NOT_SUPPORTED;
	case GML_ERR_NOVERSION:
		return S3_ERR_NO_SUCH_VERSION;
	case GML_ERR_NOUPLOAD:
		return S3_ERR_NO_SUCH_UPLOAD;
	case GML_ERR_BADPART:
		return S3_ERR_INVALID_PART;
	case GML_ERR_PARTORDER:
		return S3_ERR_INVALID_PART_ORDER;
	case GML_ERR_PARTSMALL:
		return S3_ERR_ENTITY_TOO_SMALL;
	case GML_ERR_PRECONDITION:
		return S3_ERR_PRECONDITION_FAILED;
	case GML_ERR_CONFLICT:
		return S3_ERR_CONDITIONAL_CONFLICT;
	case GML_ERR_NOTMODIFIED:
		return S3_ERR_NOT_MODIFIED;
	case GML_ERR_BADDIGEST:
		return S3_ERR_BAD_DIGEST;
	case GML_ERR_NOPOLICY:
		return S3_ERR_NO_SUCH_BUCKET_POLICY;
	case GML_ERR_BADPOLICY:
		return S3_ERR_MALFORMED_POLICY;
	case GML_ERR_NOKEY:
		return S3_ERR_INVALID_ACCESS_KEY_ID;
	case GML_ERR_EXIST:
	case GML_ERR_UIDTAKEN:
	case GML_ERR_INUSE:
	case GML_ERR_LIMIT:
	case GML_ERR_CANCELED:
		return S3_ERR_OPERATION_ABORTED;
	case GML_ERR_BADHANDLE:
	case GML_ERR_MLINK:
	case GML_ERR_IO:
	case GML_ERR_NOXATTR:
	case GML_ERR_CORRUPT:
	case GML_ERR_FORMAT:
	case GML_ERR_COUNT_:
		return S3_ERR_INTERNAL_ERROR;
	}
	return S3_ERR_INTERNAL_ERROR;
}

enum s3_error s3_error_from_http(int status)
{
	switch (status) {
	case 403:
		return S3_ERR_ACCESS_DENIED;
	case 404:
		return S3_ERR_NO_SUCH_KEY;
	case 405:
		return S3_ERR_METHOD_NOT_ALLOWED;
	case 408:
		return S3_ERR_REQUEST_TIMEOUT;
	case 411:
		return S3_ERR_MISSING_CONTENT_LENGTH;
	case 412:
		return S3_ERR_PRECONDITION_FAILED;
	case 413:
		return S3_ERR_ENTITY_TOO_LARGE;
	case 414:
	case 431:
	case 494:
		return S3_ERR_REQUEST_HEADER_TOO_LARGE;
	case 416:
		return S3_ERR_INVALID_RANGE;
	case 501:
	case 505:
		return S3_ERR_NOT_IMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504:
		return S3_ERR_SLOW_DOWN;
	default:
		return status >= 500 ? S3_ERR_INTERNAL_ERROR : S3_ERR_BAD_REQUEST;
	}
}
