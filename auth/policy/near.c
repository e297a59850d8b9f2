// SPDX-License-Identifier: Apache-2.0
#include "auth/policy/near.h"

#include <stdio.h>
#include "auth/access/action.h"
#include "auth/access/key.h"
#include "auth/policy/condition.h"

/* Calls of S3's API that are no actions, with the action that each needs (S3 User Guide: Required
 * permissions for S3 API operations). */
static const struct near_call {
	const char *call, *action;
} near_calls[] = {
	{"s3:CompleteMultipartUpload", "s3:PutObject"},
	{"s3:CopyObject", "s3:PutObject"},
	{"s3:CreateMultipartUpload", "s3:PutObject"},
	{"s3:DeleteBucketCors", "s3:PutBucketCORS"},
	{"s3:DeleteBucketEncryption", "s3:PutEncryptionConfiguration"},
	{"s3:DeleteBucketLifecycle", "s3:PutLifecycleConfiguration"},
	{"s3:DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls"},
	{"s3:DeleteBucketReplication", "s3:PutReplicationConfiguration"},
	{"s3:DeleteBucketTagging", "s3:PutBucketTagging"},
	{"s3:DeleteObjects", "s3:DeleteObject"},
	{"s3:DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock"},
	{"s3:GetBucketEncryption", "s3:GetEncryptionConfiguration"},
	{"s3:GetBucketLifecycle", "s3:GetLifecycleConfiguration"},
	{"s3:GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"},
	{"s3:GetBucketReplication", "s3:GetReplicationConfiguration"},
	{"s3:GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration"},
	{"s3:GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"},
	{"s3:HeadBucket", "s3:ListBucket"},
	{"s3:HeadObject", "s3:GetObject"},
	{"s3:ListBuckets", "s3:ListAllMyBuckets"},
	{"s3:ListMultipartUploads", "s3:ListBucketMultipartUploads"},
	{"s3:ListObjects", "s3:ListBucket"},
	{"s3:ListObjectsV2", "s3:ListBucket"},
	{"s3:ListObjectVersions", "s3:ListBucketVersions"},
	{"s3:ListParts", "s3:ListMultipartUploadParts"},
	{"s3:PutBucketEncryption", "s3:PutEncryptionConfiguration"},
	{"s3:PutBucketLifecycle", "s3:PutLifecycleConfiguration"},
	{"s3:PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"},
	{"s3:PutBucketReplication", "s3:PutReplicationConfiguration"},
	{"s3:PutObjectLockConfiguration", "s3:PutBucketObjectLockConfiguration"},
	{"s3:PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"},
	{"s3:UploadPart", "s3:PutObject"},
	{"s3:UploadPartCopy", "s3:PutObject"},
};
#define NEAR_CALLS (sizeof(near_calls) / sizeof(near_calls[0]))

/* The part of a name that is compared. */
static const char *near_part(const char *name, bool service)
{
	return service ? name : strchr(name, ':') + 1;
}

/* A word as text; false: it is too long to be near anything. */
static bool near_word(struct gml_span name, char out[GML_NEAR_WORD_MAX + 1])
{
	if (name.len == 0 || name.len > GML_NEAR_WORD_MAX)
		return false;
	memcpy(out, name.ptr, name.len);
	out[name.len] = '\0';
	return true;
}

const char *auth_near_action(struct gml_span name)
{
	bool service = gml_span_find(name, ':') < name.len;
	char word[GML_NEAR_WORD_MAX + 1];
	struct gml_near near = {.word = word};
	const char *found = NULL, *before;
	if (!near_word(name, word))
		return NULL;
	for (size_t i = 0; i < NEAR_CALLS; i++)
		if (strcasecmp(word, near_part(near_calls[i].call, service)) == 0)
			return near_calls[i].action;
	for (int row = 0; row < auth_action_count(); row++) {
		before = near.best;
		gml_near_offer(&near, near_part(auth_action_name(row), service));
		if (near.best != before)
			found = auth_action_name(row);
	}
	return found;
}

const char *auth_near_key(struct gml_span name)
{
	size_t slash = gml_span_find(name, '/');
	char word[GML_NEAR_WORD_MAX + 1];
	struct gml_near near = {.word = word};
	if (!near_word(gml_span_of(name.ptr, slash < name.len ? slash + 1 : name.len), word))
		return NULL;
	for (int key = 0; key < AUTH_KEY_OTHER; key++)
		gml_near_offer(&near, auth_key_name((enum auth_key)key));
	return near.best;
}

const char *auth_near_operator(struct gml_span name)
{
	char word[GML_NEAR_WORD_MAX + 1];
	struct gml_near near = {.word = word};
	if (!near_word(auth_operator_bare(name), word))
		return NULL;
	for (size_t i = 0; auth_operator_name(i) != NULL; i++)
		gml_near_offer(&near, auth_operator_name(i));
	return near.best;
}

const char *auth_near_question(const char *name, char out[AUTH_NEAR_MAX])
{
	return gml_near_question(&(struct gml_near){.best = name}, "", out, AUTH_NEAR_MAX);
}
