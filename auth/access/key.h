// SPDX-License-Identifier: Apache-2.0
/* The keys of conditions: what a policy may ask about a request. One table.
 *
 * Pure; any thread; no blocking. Names compare without regard to the case of ASCII letters, what
 * follows the slash of a key with a tag's name included (IAM JSON policy elements: Condition). */
#ifndef GML_AUTH_ACCESS_KEY_H
#define GML_AUTH_ACCESS_KEY_H

#include "gateway/base/span.h"

/* What the value of a key is, as AWS documents it. */
enum auth_key_type {
	AUTH_KEY_STRING,
	AUTH_KEY_NUMBER,
	AUTH_KEY_DATE,
	AUTH_KEY_BOOL,
	AUTH_KEY_IP,
	AUTH_KEY_ARN,
};

/* Who knows the value. */
enum auth_key_source {
	AUTH_KEY_PRINCIPAL, /* struct auth_principal */
	AUTH_KEY_REQUEST,   /* the context; the same for whatever the request asks about */
	AUTH_KEY_RESOURCE,  /* the context; differs from object to object */
};

/* AUTH_KEY(id, name, type, source, many): `many` if a request may have several values. A name that
 * ends with a slash is followed by the name of a tag. */
#define AUTH_KEYS(AUTH_KEY)                                                                        \
	AUTH_KEY(USERNAME, "aws:username", STRING, PRINCIPAL, false)                               \
	AUTH_KEY(USERID, "aws:userid", STRING, PRINCIPAL, false)                                   \
	AUTH_KEY(PRINCIPAL_ARN, "aws:PrincipalArn", ARN, PRINCIPAL, false)                         \
	AUTH_KEY(PRINCIPAL_TYPE, "aws:PrincipalType", STRING, PRINCIPAL, false)                    \
	AUTH_KEY(PRINCIPAL_ACCOUNT, "aws:PrincipalAccount", STRING, PRINCIPAL, false)              \
	AUTH_KEY(PRINCIPAL_TAG, "aws:PrincipalTag/", STRING, REQUEST, false)                       \
	AUTH_KEY(SOURCE_IP, "aws:SourceIp", IP, REQUEST, false)                                    \
	AUTH_KEY(SECURE_TRANSPORT, "aws:SecureTransport", BOOL, REQUEST, false)                    \
	AUTH_KEY(CURRENT_TIME, "aws:CurrentTime", DATE, REQUEST, false)                            \
	AUTH_KEY(EPOCH_TIME, "aws:EpochTime", DATE, REQUEST, false)                                \
	AUTH_KEY(TOKEN_ISSUE_TIME, "aws:TokenIssueTime", DATE, REQUEST, false)                     \
	AUTH_KEY(MULTI_FACTOR_AUTH_PRESENT, "aws:MultiFactorAuthPresent", BOOL, REQUEST, false)    \
	AUTH_KEY(USER_AGENT, "aws:UserAgent", STRING, REQUEST, false)                              \
	AUTH_KEY(REFERER, "aws:Referer", STRING, REQUEST, false)                                   \
	AUTH_KEY(REQUEST_TAG, "aws:RequestTag/", STRING, REQUEST, false)                           \
	AUTH_KEY(RESOURCE_TAG, "aws:ResourceTag/", STRING, RESOURCE, false)                        \
	AUTH_KEY(TAG_KEYS, "aws:TagKeys", STRING, REQUEST, true)                                   \
	AUTH_KEY(REQUESTED_REGION, "aws:RequestedRegion", STRING, REQUEST, false)                  \
	AUTH_KEY(RESOURCE_ACCOUNT, "aws:ResourceAccount", STRING, REQUEST, false)                  \
	AUTH_KEY(S3_RESOURCE_ACCOUNT, "s3:ResourceAccount", STRING, REQUEST, false)                \
	AUTH_KEY(PREFIX, "s3:prefix", STRING, REQUEST, false)                                      \
	AUTH_KEY(DELIMITER, "s3:delimiter", STRING, REQUEST, false)                                \
	AUTH_KEY(MAX_KEYS, "s3:max-keys", NUMBER, REQUEST, false)                                  \
	AUTH_KEY(LOCATION_CONSTRAINT, "s3:locationconstraint", STRING, REQUEST, false)             \
	AUTH_KEY(ACL, "s3:x-amz-acl", STRING, REQUEST, false)                                      \
	AUTH_KEY(GRANT_READ, "s3:x-amz-grant-read", STRING, REQUEST, false)                        \
	AUTH_KEY(GRANT_WRITE, "s3:x-amz-grant-write", STRING, REQUEST, false)                      \
	AUTH_KEY(GRANT_READ_ACP, "s3:x-amz-grant-read-acp", STRING, REQUEST, false)                \
	AUTH_KEY(GRANT_WRITE_ACP, "s3:x-amz-grant-write-acp", STRING, REQUEST, false)              \
	AUTH_KEY(GRANT_FULL_CONTROL, "s3:x-amz-grant-full-control", STRING, REQUEST, false)        \
	AUTH_KEY(COPY_SOURCE, "s3:x-amz-copy-source", STRING, REQUEST, false)                      \
	AUTH_KEY(METADATA_DIRECTIVE, "s3:x-amz-metadata-directive", STRING, REQUEST, false)        \
	AUTH_KEY(CONTENT_SHA256, "s3:x-amz-content-sha256", STRING, REQUEST, false)                \
	AUTH_KEY(SSE, "s3:x-amz-server-side-encryption", STRING, REQUEST, false)                   \
	AUTH_KEY(SSE_KEY, "s3:x-amz-server-side-encryption-aws-kms-key-id", ARN, REQUEST, false)   \
	AUTH_KEY(SSE_CUSTOMER, "s3:x-amz-server-side-encryption-customer-algorithm", STRING,       \
		 REQUEST, false)                                                                   \
	AUTH_KEY(STORAGE_CLASS, "s3:x-amz-storage-class", STRING, REQUEST, false)                  \
	AUTH_KEY(OBJECT_OWNERSHIP, "s3:x-amz-object-ownership", STRING, REQUEST, false)            \
	AUTH_KEY(WEBSITE_REDIRECT, "s3:x-amz-website-redirect-location", STRING, REQUEST, false)   \
	AUTH_KEY(EXISTING_OBJECT_TAG, "s3:ExistingObjectTag/", STRING, RESOURCE, false)            \
	AUTH_KEY(REQUEST_OBJECT_TAG, "s3:RequestObjectTag/", STRING, REQUEST, false)               \
	AUTH_KEY(REQUEST_OBJECT_TAG_KEYS, "s3:RequestObjectTagKeys", STRING, REQUEST, true)        \
	AUTH_KEY(BUCKET_TAG, "s3:BucketTag/", STRING, REQUEST, false)                              \
	AUTH_KEY(OBJECT_CREATION, "s3:ObjectCreationOperation", BOOL, REQUEST, false)              \
	AUTH_KEY(VERSION_ID, "s3:VersionId", STRING, REQUEST, false)                               \
	AUTH_KEY(AUTH_TYPE, "s3:authType", STRING, REQUEST, false)                                 \
	AUTH_KEY(SIGNATURE_VERSION, "s3:signatureversion", STRING, REQUEST, false)                 \
	AUTH_KEY(SIGNATURE_AGE, "s3:signatureAge", NUMBER, REQUEST, false)                         \
	AUTH_KEY(TLS_VERSION, "s3:TlsVersion", NUMBER, REQUEST, false)                             \
	AUTH_KEY(LOCK_MODE, "s3:object-lock-mode", STRING, REQUEST, false)                         \
	AUTH_KEY(LOCK_UNTIL, "s3:object-lock-retain-until-date", DATE, REQUEST, false)             \
	AUTH_KEY(LOCK_DAYS, "s3:object-lock-remaining-retention-days", NUMBER, REQUEST, false)     \
	AUTH_KEY(LEGAL_HOLD, "s3:object-lock-legal-hold", STRING, REQUEST, false)                  \
	AUTH_KEY(IF_MATCH, "s3:if-match", STRING, REQUEST, false)                                  \
	AUTH_KEY(IF_NONE_MATCH, "s3:if-none-match", STRING, REQUEST, false)                        \
	AUTH_KEY(IAM_RESOURCE_TAG, "iam:ResourceTag/", STRING, RESOURCE, false)                    \
	AUTH_KEY(POLICY_ARN, "iam:PolicyARN", ARN, REQUEST, false)                                 \
	AUTH_KEY(PERMISSIONS_BOUNDARY, "iam:PermissionsBoundary", ARN, REQUEST, false)             \
	AUTH_KEY(EXTERNAL_ID, "sts:ExternalId", STRING, REQUEST, false)                            \
	AUTH_KEY(ROLE_SESSION_NAME, "sts:RoleSessionName", STRING, REQUEST, false)                 \
	AUTH_KEY(DURATION, "sts:DurationSeconds", NUMBER, REQUEST, false)                          \
	AUTH_KEY(DOOR, "gemel:Door", STRING, REQUEST, false)                                       \
	AUTH_KEY(NFS_SECURITY, "gemel:NfsSecurity", STRING, REQUEST, false)

#define AUTH_KEY_ENUM(id, name, type, source, many) AUTH_KEY_##id,
/* AUTH_KEY_OTHER: a key that has no row; its name says which. */
enum auth_key { AUTH_KEYS(AUTH_KEY_ENUM) AUTH_KEY_OTHER, AUTH_KEY_COUNT };
#undef AUTH_KEY_ENUM

/* A set of keys, one bit each, as auth_policy_needs answers it. */
typedef uint64_t auth_key_set;
_Static_assert(AUTH_KEY_COUNT <= 64, "auth_key_set has a bit for each key");
#define AUTH_KEY_BIT(key) ((auth_key_set)1 << (key))

/* Which row a name of a policy belongs to; AUTH_KEY_OTHER if none. */
enum auth_key auth_key_find(struct gml_span name);
/* Of a row: its name with AWS's capitals (static), what its values are, who knows them, and whether
 * there may be several. Not for AUTH_KEY_OTHER. */
const char *auth_key_name(enum auth_key key);
enum auth_key_type auth_key_type(enum auth_key key);
enum auth_key_source auth_key_source(enum auth_key key);
bool auth_key_many(enum auth_key key);
/* What follows the slash of a key that names a tag; empty for other keys. */
struct gml_span auth_key_tag(enum auth_key key, struct gml_span name);
/* A key of AWS's that no row has: no request to Gemel has a value for it. */
bool auth_key_foreign(struct gml_span name);
/* PREFIX:NAME, without what would end a variable? */
bool auth_key_valid(struct gml_span name);

#endif
