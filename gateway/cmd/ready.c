// SPDX-License-Identifier: Apache-2.0
#include "ready.h"

#include <gemel/checksum.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "document.h"

/* ---- roles ---- */

/* Actions of a role, with commas between. */
struct ready_actions {
	const char *objects;	 /* on the keys of the place */
	const char *checkpoints; /* on those below its directory "checkpoints" */
	const char *listing;	 /* on the bucket, for prefixes within the place */
	const char *bucket;	 /* in place of `listing`, when the place is all of the bucket */
};

#define READ                                                                                       \
	"s3:GetObject,s3:GetObjectVersion,s3:GetObjectAttributes,s3:GetObjectVersionAttributes,"   \
	"s3:GetObjectTagging,s3:GetObjectVersionTagging"
#define WRITE                                                                                      \
	"s3:PutObject,s3:PutObjectTagging,s3:DeleteObject,s3:DeleteObjectTagging,"                 \
	"s3:AbortMultipartUpload,s3:ListMultipartUploadParts"
#define CURATE                                                                                     \
	"s3:DeleteObjectVersion,s3:PutObjectVersionTagging,s3:DeleteObjectVersionTagging,"         \
	"s3:GetObjectAcl,s3:PutObjectAcl,s3:GetObjectRetention,s3:PutObjectRetention,"             \
	"s3:GetObjectLegalHold,s3:PutObjectLegalHold"
#define AUDIT                                                                                      \
	"s3:GetObjectAcl,s3:GetObjectVersionAcl,s3:GetObjectTagging,s3:GetObjectVersionTagging,"   \
	"s3:GetObjectRetention,s3:GetObjectLegalHold"
#define LIST "s3:ListBucket,s3:ListBucketVersions"
#define LIST_UPLOADS LIST ",s3:ListBucketMultipartUploads"

/* clang-format off */
const struct ready_role ready_roles[] = {
	{"reader", "reads and lists"},
	{"writer", "reads, lists, writes and deletes"},
	{"trainer", "reads and lists; writes and deletes below checkpoints/"},
	{"curator", "as a writer; also versions, retention and ACLs"},
	{"auditor", "lists; reads ACLs, tags and settings, and no content"},
	{"admin", "everything"},
	{0},
};
static const struct ready_actions ready_actions[] = {
	{READ, NULL, LIST, LIST ",s3:GetBucketLocation"},
	{READ "," WRITE, NULL, LIST_UPLOADS, LIST_UPLOADS ",s3:GetBucketLocation"},
	{READ, WRITE, LIST_UPLOADS, LIST_UPLOADS ",s3:GetBucketLocation"},
	{READ "," WRITE "," CURATE, NULL, LIST_UPLOADS, LIST_UPLOADS ",s3:GetBucketLocation"},
	{AUDIT, NULL, LIST_UPLOADS,
	 LIST_UPLOADS ",s3:GetBucket*,s3:GetEncryptionConfiguration,"
	 "s3:GetLifecycleConfiguration,s3:GetReplicationConfiguration"},
	{"s3:*", NULL, LIST_UPLOADS, "s3:*"},
};
/* clang-format on */
_Static_assert(sizeof(ready_roles) / sizeof(*ready_roles) ==
		       sizeof(ready_actions) / sizeof(*ready_actions) + 1,
	       "a row for each role");

const struct ready_role *ready_role_find(const char *name)
{
	for (const struct ready_role *role = ready_roles; role->name; role++)
		if (strcmp(role->name, name) == 0)
			return role;
	return NULL;
}

/* ---- places ---- */

bool ready_place_parse(const char *text, struct ready_place *out, const char **problem_out)
{
	struct gml_span bucket, key;
	size_t len;
	*out = (struct ready_place){.directory = false};
	*problem_out = "a place is s3://BUCKET, s3://BUCKET/DIRECTORY or s3://BUCKET/PREFIX*";
	if (!cmd_place_split(text, &bucket, &key) || bucket.len >= sizeof(out->bucket))
		return false;
	memcpy(out->bucket, bucket.ptr, bucket.len);
	len = key.len;
	if (len > READY_PREFIX_MAX) {
		*problem_out = "a key has at most 1024 bytes";
		return false;
	}
	if (len > 0)
		memcpy(out->prefix, key.ptr, len);
	if (len > 0 && out->prefix[len - 1] == '*')
		out->prefix[len - 1] = 0;
	else
		out->directory = len > 0 && out->prefix[len - 1] != '/';
	if (strchr(out->prefix, '*') != NULL) {
		*problem_out = "'*' stands at the end of a place only";
		return false;
	}
	if (strcmp(out->bucket, "*") == 0 && out->prefix[0]) {
		*problem_out = "s3://* is every bucket, and all that is in them";
		return false;
	}
	return true;
}

void ready_place_format(const struct ready_place *place, char *out)
{
	size_t len = strlen(place->prefix);
	const char *star = len == 0 || place->directory || place->prefix[len - 1] == '/' ? "" : "*";
	snprintf(out, READY_PREFIX_MAX + 80, "s3://%s%s%s%s", place->bucket, len > 0 ? "/" : "",
		 place->prefix, star);
}

/* ---- policies ---- */

void ready_policy_name(const struct ready_role *role, const struct ready_place *place,
		       char out[GML_POLICY_NAME_MAX + 1])
{
	char text[READY_PREFIX_MAX + 80];
	/* No name of a bucket has an '@'. */
	const char *bucket = strcmp(place->bucket, "*") == 0 ? "@all-buckets" : place->bucket;
	uint8_t hash[GML_CHECKSUM_SIZE_MAX];
	int len = snprintf(out, GML_POLICY_NAME_MAX + 1, "grant-%s-%s", role->name, bucket);
	if (place->prefix[0] == 0)
		return;
	ready_place_format(place, text);
	gml_sha256(text, strlen(text), hash);
	len += snprintf(out + len, 2, "@");
	for (int i = 0; i < 8; i++)
		len += snprintf(out + len, 3, "%02x", hash[i]);
}

/* "a,b" as a list. */
static json_t *ready_list(const char *words)
{
	json_t *list = json_array();
	while (*words) {
		size_t len = strcspn(words, ",");
		json_array_append_new(list, json_stringn(words, len));
		words += len + (words[len] == ',');
	}
	return list;
}

/* `text` as policies spell it, where * ? and $ mean themselves. */
static size_t ready_quote(const char *text, char *out)
{
	char *end = out;
	for (; *text; text++) {
		if (strchr("*?$", *text))
			end += sprintf(end, "${%c}", *text);
		else
			*end++ = *text;
	}
	*end = 0;
	return (size_t)(end - out);
}

#define READY_QUOTED (READY_PREFIX_MAX * 4 + 128)

/* The patterns of keys of the place, each after `before`. below: a directory within it, and ""
 * all that is below the place itself. */
static json_t *ready_patterns(const struct ready_place *place, const char *before,
			      const char *below)
{
	char text[READY_QUOTED];
	json_t *list = json_array();
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", before);
	len += ready_quote(place->prefix, text + len);
	if (place->directory && below == NULL)
		json_array_append_new(list, json_string(text));
	snprintf(text + len, sizeof(text) - len, "%s%s*", place->directory ? "/" : "",
		 below != NULL ? below : "");
	json_array_append_new(list, json_string(text));
	return list;
}

static void ready_statement(json_t *statements, const char *actions, json_t *resources,
			    json_t *prefixes)
{
	json_t *statement = json_pack("{s:s, s:o, s:o}", "Effect", "Allow", "Action",
				      ready_list(actions), "Resource", resources);
	if (prefixes != NULL)
		json_object_set_new(statement, "Condition",
				    json_pack("{s:{s:o}}", "StringLike", "s3:prefix", prefixes));
	json_array_append_new(statements, statement);
}

char *ready_policy(const struct ready_role *role, const struct ready_place *place)
{
	const struct ready_actions *actions = &ready_actions[role - ready_roles];
	bool whole = place->prefix[0] == 0;
	char bucket[96], keys[112];
	json_t *statements = json_array(), *policy;
	char *text;
	snprintf(bucket, sizeof(bucket), "arn:aws:s3:::%s", place->bucket);
	snprintf(keys, sizeof(keys), "%s/", bucket);
	ready_statement(statements, actions->objects, ready_patterns(place, keys, NULL), NULL);
	if (actions->checkpoints != NULL)
		ready_statement(statements, actions->checkpoints,
				ready_patterns(place, keys, "checkpoints/"), NULL);
	/* Not the key of a directory: as a prefix it begins the names of its neighbours, too. */
	ready_statement(statements, whole ? actions->bucket : actions->listing,
			json_pack("[s]", bucket), whole ? NULL : ready_patterns(place, "", ""));
	policy = json_pack("{s:s, s:o}", "Version", "2012-10-17", "Statement", statements);
	text = json_dumps(policy, JSON_COMPACT);
	json_decref(policy);
	return text;
}
