// SPDX-License-Identifier: Apache-2.0
/* S3's error codes: one table, and the only mapping from the core's codes. Pure; any thread. "Error
 * responses" of the S3 API reference. */
#ifndef GML_S3_ERROR_H
#define GML_S3_ERROR_H

#include <gemel/err.h>

/* X(name, S3 code, HTTP status, message) */
#define S3_ERROR_MAP(X)                                                                            \
	X(ACCESS_DENIED, "AccessDenied", 403, "Access Denied")                                     \
	X(ACCESS_FORBIDDEN, "AccessForbidden", 403,                                                \
	  "CORSResponse: CORS is not enabled for this bucket.")                                    \
	X(ACL_NOT_SUPPORTED, "AccessControlListNotSupported", 400,                                 \
	  "The bucket does not allow ACLs")                                                        \
	X(ACL_WITH_OWNERSHIP, "InvalidBucketAclWithObjectOwnership", 400,                          \
	  "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")        \
	X(ATTRIBUTES_TOO_LARGE, "ExtendedAttributesTooLarge", 400,                                 \
	  "The file under this key has extended attributes, which the new object would keep, and " \
	  "they leave no room "                                                                    \
	  "for its metadata and tags. Remove some of them over NFS, or delete the object first.")  \
	X(AUTH_HEADER_MALFORMED, "AuthorizationHeaderMalformed", 400,                              \
	  "The authorization header is malformed")                                                 \
	X(AUTH_QUERY_PARAMETERS, "AuthorizationQueryParametersError", 400,                         \
	  "The authorization query parameters are malformed")                                      \
	X(BAD_DIGEST, "BadDigest", 400,                                                            \
	  "The Content-MD5 you specified did not match what we received.")                         \
	X(BAD_REQUEST, "BadRequest", 400, "Bad Request")                                           \
	X(BUCKET_ALREADY_EXISTS, "BucketAlreadyExists", 409,                                       \
	  "The requested bucket name is not available. The bucket namespace is shared by all "     \
	  "users of the system. "                                                                  \
	  "Please select a different name and try again.")                                         \
	X(BUCKET_ALREADY_OWNED_BY_YOU, "BucketAlreadyOwnedByYou", 409,                             \
	  "Your previous request to create the named bucket succeeded and you already own it.")    \
	X(BUCKET_NOT_EMPTY, "BucketNotEmpty", 409,                                                 \
	  "The bucket you tried to delete is not empty. What a listing leaves out counts as "      \
	  "well: symbolic links, "                                                                 \
	  "and files that were removed over NFS while a client has them open.")                    \
	X(CONDITIONAL_CONFLICT, "ConditionalRequestConflict", 409,                                 \
	  "The conditional request cannot succeed due to a conflicting operation against this "    \
	  "resource.")                                                                             \
	X(ENTITY_TOO_LARGE, "EntityTooLarge", 400,                                                 \
	  "Your proposed upload exceeds the maximum allowed size")                                 \
	X(ENTITY_TOO_SMALL, "EntityTooSmall", 400,                                                 \
	  "Your proposed upload is smaller than the minimum allowed size")                         \
	X(ILLEGAL_LOCATION, "IllegalLocationConstraintException", 400,                             \
	  "The location constraint is incompatible with the region that serves this endpoint.")    \
	X(INCOMPLETE_BODY, "IncompleteBody", 400, "The request body terminated unexpectedly")      \
	X(INSUFFICIENT_STORAGE, "InsufficientStorage", 507, "No space is left in the store.")      \
	X(INTERNAL_ERROR, "InternalError", 500,                                                    \
	  "We encountered an internal error. Please try again.")                                   \
	X(INVALID_ACCESS_KEY_ID, "InvalidAccessKeyId", 403,                                        \
	  "The AWS Access Key Id you provided does not exist in our records.")                     \
	X(INVALID_ARGUMENT, "InvalidArgument", 400, "Invalid Argument")                            \
	X(INVALID_BUCKET_NAME, "InvalidBucketName", 400, "The specified bucket is not valid.")     \
	X(INVALID_CHUNK_SIZE, "InvalidChunkSizeError", 403,                                        \
	  "Only the last chunk is allowed to have a size less than 8192 bytes")                    \
	X(INVALID_DIGEST, "InvalidDigest", 400, "The Content-MD5 you specified was invalid.")      \
	X(INVALID_PART, "InvalidPart", 400,                                                        \
	  "One or more of the specified parts could not be found. The part may not have been "     \
	  "uploaded, or the "                                                                      \
	  "specified "                                                                             \
	  "entity tag may not match the part's entity tag.")                                       \
	X(INVALID_PART_NUMBER, "InvalidPartNumber", 416,                                           \
	  "The requested partnumber is not satisfiable")                                           \
	X(INVALID_PART_ORDER, "InvalidPartOrder", 400,                                             \
	  "The list of parts was not in ascending order. Parts must be ordered by part number.")   \
	X(INVALID_RANGE, "InvalidRange", 416, "The requested range is not satisfiable")            \
	X(INVALID_REDIRECT, "InvalidRedirectLocation", 400,                                        \
	  "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")   \
	X(INVALID_REQUEST, "InvalidRequest", 400, "Invalid Request")                               \
	X(INVALID_STORAGE_CLASS, "InvalidStorageClass", 400,                                       \
	  "The storage class you specified is not valid")                                          \
	X(INVALID_TAG, "InvalidTag", 400, "The tag provided was not a valid tag.")                 \
	X(INVALID_TOKEN, "InvalidToken", 400,                                                      \
	  "The provided token is malformed or otherwise invalid.")                                 \
	X(INVALID_URI, "InvalidURI", 400, "Couldn't parse the specified URI.")                     \
	X(KEY_TOO_LONG, "KeyTooLongError", 400, "Your key is too long")                            \
	X(MALFORMED_POLICY, "MalformedPolicy", 400,                                                \
	  "Policies must be valid JSON of a bucket policy.")                                       \
	X(MALFORMED_TRAILER, "MalformedTrailerError", 400,                                         \
	  "The request contained trailing data that was not well-formed or did not conform to "    \
	  "our published schema.")                                                                 \
	X(MALFORMED_XML, "MalformedXML", 400,                                                      \
	  "The XML you provided was not well-formed or did not validate against our published "    \
	  "schema")                                                                                \
	X(MAX_MESSAGE_LENGTH, "MaxMessageLengthExceeded", 400, "Your request was too big.")        \
	X(METADATA_TOO_LARGE, "MetadataTooLarge", 400,                                             \
	  "Your metadata headers exceed the maximum allowed metadata size")                        \
	X(METHOD_NOT_ALLOWED, "MethodNotAllowed", 405,                                             \
	  "The specified method is not allowed against this resource.")                            \
	X(MISSING_CONTENT_LENGTH, "MissingContentLength", 411,                                     \
	  "You must provide the Content-Length HTTP header.")                                      \
	X(MISSING_REQUEST_BODY, "MissingRequestBodyError", 400, "Request body is empty.")          \
	X(NOT_IMPLEMENTED, "NotImplemented", 501,                                                  \
	  "A header or parameter you provided implies functionality that is not implemented")      \
	X(NOT_MODIFIED, "NotModified", 304, "Not Modified")                                        \
	X(NO_SUCH_BUCKET, "NoSuchBucket", 404, "The specified bucket does not exist")              \
	X(NO_SUCH_BUCKET_POLICY, "NoSuchBucketPolicy", 404, "The bucket policy does not exist")    \
	X(NO_SUCH_CONFIGURATION, "NoSuchConfiguration", 404,                                       \
	  "The specified configuration does not exist.")                                           \
	X(NO_SUCH_CORS, "NoSuchCORSConfiguration", 404, "The CORS configuration does not exist")   \
	X(NO_SUCH_ENCRYPTION, "ServerSideEncryptionConfigurationNotFoundError", 404,               \
	  "The server side encryption configuration was not found")                                \
	X(NO_SUCH_KEY, "NoSuchKey", 404, "The specified key does not exist.")                      \
	X(NO_SUCH_LIFECYCLE, "NoSuchLifecycleConfiguration", 404,                                  \
	  "The lifecycle configuration does not exist")                                            \
	X(NO_SUCH_LOCK, "ObjectLockConfigurationNotFoundError", 404,                               \
	  "Object Lock configuration does not exist for this bucket")                              \
	X(NO_SUCH_OWNERSHIP, "OwnershipControlsNotFoundError", 404,                                \
	  "The bucket ownership controls were not found")                                          \
	X(NO_SUCH_PUBLIC_ACCESS_BLOCK, "NoSuchPublicAccessBlockConfiguration", 404,                \
	  "The public access block configuration was not found")                                   \
	X(NO_SUCH_REPLICATION, "ReplicationConfigurationNotFoundError", 404,                       \
	  "The replication configuration was not found")                                           \
	X(NO_SUCH_TAG_SET, "NoSuchTagSet", 404, "The TagSet does not exist")                       \
	X(NO_SUCH_UPLOAD, "NoSuchUpload", 404,                                                     \
	  "The specified upload does not exist. The upload ID may be invalid, or the upload may "  \
	  "have been aborted or "                                                                  \
	  "completed.")                                                                            \
	X(NO_SUCH_VERSION, "NoSuchVersion", 404, "The specified version does not exist.")          \
	X(NO_SUCH_WEBSITE, "NoSuchWebsiteConfiguration", 404,                                      \
	  "The specified bucket does not have a website configuration")                            \
	X(OPERATION_ABORTED, "OperationAborted", 409,                                              \
	  "A conflicting conditional operation is currently in progress against this resource. "   \
	  "Please try again.")                                                                     \
	X(PRECONDITION_FAILED, "PreconditionFailed", 412,                                          \
	  "At least one of the pre-conditions you specified did not hold")                         \
	X(QUOTA_EXCEEDED, "QuotaExceeded", 403, "The quota of this bucket is exceeded.")           \
	X(REQUEST_HEADER_TOO_LARGE, "RequestHeaderSectionTooLarge", 400,                           \
	  "Your request header section exceeds the maximum allowed request header section size.")  \
	X(REQUEST_TIMEOUT, "RequestTimeout", 400,                                                  \
	  "Your socket connection to the server was not read from or written to within the "       \
	  "timeout period.")                                                                       \
	X(REQUEST_TIME_TOO_SKEWED, "RequestTimeTooSkewed", 403,                                    \
	  "The difference between the request time and the current time is too large.")            \
	X(SERVICE_UNAVAILABLE, "ServiceUnavailable", 503, "Service is unable to handle request.")  \
	X(SHA256_MISMATCH, "XAmzContentSHA256Mismatch", 400,                                       \
	  "The provided 'x-amz-content-sha256' header does not match what was computed.")          \
	X(SIGNATURE_DOES_NOT_MATCH, "SignatureDoesNotMatch", 403,                                  \
	  "The request signature we calculated does not match the signature you provided. Check "  \
	  "your key and signing "                                                                  \
	  "method.")                                                                               \
	X(SLOW_DOWN, "SlowDown", 503, "Please reduce your request rate.")

enum s3_error {
	S3_OK,
#define S3_ERROR_ENUM(name, code, status, message) S3_ERR_##name,
	S3_ERROR_MAP(S3_ERROR_ENUM)
#undef S3_ERROR_ENUM
		S3_ERROR_COUNT_
};

/* Out of the table: InternalError's. Static storage. */
const char *s3_error_code(enum s3_error error);
const char *s3_error_message(enum s3_error error);
int s3_error_status(enum s3_error error);

/* What a core result means to an S3 client; S3_OK for 0. NOENT is NoSuchKey: who asked for
 * something else maps it itself. */
enum s3_error s3_error_from(int rc);
/* What an HTTP status that the host made by itself means. */
enum s3_error s3_error_from_http(int status);

#endif
