// SPDX-License-Identifier: Apache-2.0
/* gemel bucket … */
#include "cmd.h"

#include <gemel/account.h>
#include <gemel/inode.h>
#include <gemel/upload.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "document.h"

static struct gml_span bucket_span(const char *text)
{
	return (struct gml_span){text, strlen(text)};
}

static json_t *bucket_json(struct cmd *cmd, const struct gml_bucket *bucket)
{
	struct gml_user user;
	char mode[8];
	snprintf(mode, sizeof(mode), "%04o", bucket->mode);
	return json_pack(
		"{s:s, s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:s, s:o}", "name", bucket->name, "owner",
		gml_user_by_uid(cmd->store, bucket->uid, &user) == 0 ? user.name : "-", "uid",
		(json_int_t)bucket->uid, "mode", mode, "objects", (json_int_t)bucket->objects,
		"bytes", (json_int_t)bucket->bytes, "quota_objects",
		(json_int_t)bucket->quota_objects, "quota_bytes", (json_int_t)bucket->quota_bytes,
		"durability", bucket->relaxed ? "relaxed" : "strict", "created",
		cmd_json_time(bucket->created));
}

static int bucket_relaxed(const char *text, bool *out)
{
	*out = strcmp(text, "relaxed") == 0;
	return *out || strcmp(text, "strict") == 0
		       ? 0
		       : cmd_wrong("%s: durability is strict or relaxed", text);
}

/* The name is checked first: other missing arguments must not hide a bad name. */
static int bucket_name(const struct cmd *cmd)
{
	if (gml_bucket_name_check(bucket_span(cmd->args[0])) == 0)
		return CMD_OK;
	return cmd_wrong(
		"'%s' cannot be a bucket's name: it has 3 to 63 lower-case letters, digits, '-' "
		"and '.', begins and ends each part between dots with a letter or digit, and is "
		"neither an IP address nor one of the names that S3 reserves (xn--…, sthree-…, "
		"…-s3alias, …--ol-s3)",
		cmd->args[0]);
}

/* Owner and mode of a bucket's top directory, in one change. */
static int bucket_set(struct cmd *cmd, const struct gml_setattr *set, struct gml_bucket *bucket)
{
	struct gml_span name = bucket_span(cmd->args[0]);
	int rc = gml_bucket_head(&cmd->op, cmd->store, name, bucket);
	gml_principal_for(&cmd->op.principal, 0, 0); /* uid 0 may change another user's bucket */
	if (rc == 0)
		rc = gml_inode_setattr(&cmd->op, cmd->store, bucket->root, set, NULL);
	if (rc == 0)
		rc = gml_bucket_head(&cmd->op, cmd->store, name, bucket);
	return rc;
}

/* Reads --owner and --mode. Exit status, after printing the error. */
static int bucket_options(struct cmd *cmd, struct gml_setattr *set)
{
	const char *owner = cmd_option(cmd, "owner"), *mode = cmd_option(cmd, "mode");
	struct gml_user user;
	int rc;
	if (mode != NULL) {
		if (cmd_mode("mode", mode, &set->mode) != 0)
			return CMD_USAGE;
		set->mask |= GML_SET_MODE;
	}
	if (owner == NULL)
		return CMD_OK;
	if ((rc = gml_user_get(cmd->store, owner, &user)) != 0)
		return cmd_fail_rc(rc, owner);
	set->mask |= GML_SET_UID | GML_SET_GID;
	set->uid = user.uid;
	set->gid = user.gid;
	return CMD_OK;
}

/* A document, as text; what it is when there is none. */
static int bucket_document(struct cmd *cmd, enum gml_bucket_document kind, const char *none,
			   json_t **out)
{
	size_t len;
	void *buf;
	int rc = gml_bucket_document_get(&cmd->op, cmd->store, bucket_span(cmd->args[0]), kind,
					 &buf, &len);
	*out = rc == 0 && len > 0 ? json_stringn(buf, len) : json_string(none);
	free(buf);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

/* What S3 knows of the access to it, into `object`. */
static int bucket_access(struct cmd *cmd, json_t *object)
{
	json_t *blocks = NULL, *ownership = NULL, *access = NULL;
	bool is_public = false;
	int rc = gml_bucket_policy_status(&cmd->op, cmd->store, bucket_span(cmd->args[0]),
					  &is_public);
	json_object_set_new(object, "policy",
			    json_string(rc == GML_ERR_NOENT ? "none"
					: is_public	    ? "public"
							    : "not public"));
	if (rc == 0 || rc == GML_ERR_NOENT)
		rc = bucket_document(cmd, GML_BUCKET_PUBLIC_ACCESS_BLOCK, "none", &blocks);
	if (rc == 0)
		rc = bucket_document(cmd, GML_BUCKET_OWNERSHIP, "BucketOwnerEnforced", &ownership);
	if (rc == 0)
		rc = bucket_document(cmd, GML_BUCKET_ACCESS, "either", &access);
	if (access != NULL)
		json_object_set_new(object, "access", access);
	if (blocks != NULL)
		json_object_set_new(object, "public_access_block", blocks);
	if (ownership != NULL)
		json_object_set_new(object, "ownership", ownership);
	return rc;
}

static int bucket_print(struct cmd *cmd, const struct gml_bucket *bucket)
{
	json_t *object = bucket_json(cmd, bucket);
	int rc = bucket_access(cmd, object);
	if (rc == 0)
		return cmd_print_object(cmd, object);
	json_decref(object);
	return cmd_fail_rc(rc, cmd->args[0]);
}

static int bucket_create(struct cmd *cmd)
{
	struct gml_setattr set = {0};
	struct gml_bucket_new what = {0};
	struct gml_bucket bucket;
	const char *text;
	int status, rc;
	if ((status = bucket_name(cmd)) != CMD_OK)
		return status;
	if (cmd_option(cmd, "owner") == NULL)
		return cmd_wrong("--owner USER is missing: name the user who will own the bucket");
	if ((text = cmd_option(cmd, "durability")) != NULL &&
	    (status = bucket_relaxed(text, &what.relaxed)) != CMD_OK)
		return status;
	if ((status = bucket_options(cmd, &set)) != CMD_OK)
		return status;
	gml_principal_for(&cmd->op.principal, set.uid, set.gid);
	what.has_mode = set.mask & GML_SET_MODE;
	what.mode = set.mode;
	rc = gml_bucket_create(&cmd->op, cmd->store, bucket_span(cmd->args[0]), &what, &bucket);
	if (rc == GML_ERR_BUCKETOWNED || rc == GML_ERR_BUCKETEXISTS)
		return cmd_fail("%s: there is a bucket of this name already; 'gemel bucket show "
				"%s' shows its owner",
				cmd->args[0], cmd->args[0]);
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : bucket_print(cmd, &bucket);
}

static int bucket_update(struct cmd *cmd)
{
	struct gml_setattr set = {0};
	struct gml_bucket bucket;
	int status = bucket_options(cmd, &set), rc;
	if (status != CMD_OK)
		return status;
	rc = bucket_set(cmd, &set, &bucket);
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : bucket_print(cmd, &bucket);
}

static int bucket_show(struct cmd *cmd)
{
	struct gml_bucket bucket;
	int rc = gml_bucket_head(&cmd->op, cmd->store, bucket_span(cmd->args[0]), &bucket);
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : bucket_print(cmd, &bucket);
}

/* text NULL: without one. */
static int bucket_set_document(struct cmd *cmd, enum gml_bucket_document kind, const char *text)
{
	const struct gml_span none = {NULL, 0};
	int rc = gml_bucket_document_set(&cmd->op, cmd->store, bucket_span(cmd->args[0]), kind,
					 text != NULL ? bucket_span(text) : none);
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : bucket_show(cmd);
}

static int bucket_public_access(struct cmd *cmd)
{
	char text[GML_PUBLIC_ACCESS_TEXT];
	uint32_t settings;
	int status = cmd_public_access(cmd->args[1], &settings);
	if (status != CMD_OK)
		return status;
	gml_public_access_format(settings, text);
	return bucket_set_document(cmd, GML_BUCKET_PUBLIC_ACCESS_BLOCK, text);
}

static int bucket_ownership(struct cmd *cmd)
{
	enum gml_ownership ownership;
	if (gml_ownership_parse(bucket_span(cmd->args[1]), &ownership) != 0)
		return cmd_wrong("'%s': not BucketOwnerEnforced (ACLs of S3 are off), "
				 "BucketOwnerPreferred or ObjectWriter",
				 cmd->args[1]);
	return bucket_set_document(cmd, GML_BUCKET_OWNERSHIP, cmd->args[1]);
}

static int bucket_demands(struct cmd *cmd)
{
	if (strcmp(cmd->args[1], GML_ACCESS_BOTH) == 0)
		return bucket_set_document(cmd, GML_BUCKET_ACCESS, GML_ACCESS_BOTH);
	if (strcmp(cmd->args[1], "either") == 0)
		return bucket_set_document(cmd, GML_BUCKET_ACCESS, NULL);
	return cmd_wrong("'%s': access is either (a policy, or an ACL, mode bits or ownership) or "
			 "both",
			 cmd->args[1]);
}

struct bucket_rows {
	struct cmd *cmd;
	struct gml_bucket *buckets;
	size_t n, room;
};

static bool bucket_each(void *arg, const struct gml_bucket *bucket)
{
	struct bucket_rows *list = arg;
	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		struct gml_bucket *more = reallocarray(list->buckets, room, sizeof(*more));
		if (more == NULL)
			return false;
		list->buckets = more;
		list->room = room;
	}
	list->buckets[list->n++] = *bucket;
	return true;
}

static int bucket_list(struct cmd *cmd)
{
	struct bucket_rows list = {.cmd = cmd};
	int rc =
		gml_bucket_list(&cmd->op, cmd->store, (struct gml_span){"", 0}, bucket_each, &list);
	json_t *rows = json_array();
	for (size_t i = 0; i < list.n; i++)
		json_array_append_new(rows, bucket_json(cmd, &list.buckets[i]));
	free(list.buckets);
	if (rc == 0)
		return cmd_print_rows(cmd, rows);
	json_decref(rows);
	return cmd_fail_rc(rc, "buckets");
}

static bool bucket_upload(void *arg, const struct gml_upload *upload)
{
	(void)upload;
	*(unsigned *)arg += 1;
	return true;
}

/* Unfinished uploads are no visible keys, but they hold uploaded bytes. Exit status. */
static int bucket_confirm(struct cmd *cmd, struct gml_span name)
{
	const struct gml_list_query query = {.bucket = name, .max = 1000};
	unsigned uploads = 0;
	bool more = false;
	char what[256];
	int rc = gml_upload_list(&cmd->op, cmd->store, &query, bucket_upload, &uploads, &more);
	if (rc != 0)
		return cmd_fail_rc(rc, cmd->args[0]);
	if (uploads == 0)
		return CMD_OK;
	snprintf(what, sizeof(what),
		 "%s holds %u%s unfinished multipart upload%s, which would be deleted with it",
		 cmd->args[0], uploads, more ? " or more" : "", uploads == 1 ? "" : "s");
	return cmd_confirm(cmd, what, "Delete the bucket?");
}

static int bucket_delete(struct cmd *cmd)
{
	struct gml_span name = bucket_span(cmd->args[0]);
	struct gml_bucket bucket;
	int status, rc = gml_bucket_head(&cmd->op, cmd->store, name, &bucket);
	if (rc == 0 && bucket.objects == 0 && (status = bucket_confirm(cmd, name)) != CMD_OK)
		return status;
	if (rc == 0)
		rc = gml_bucket_delete(&cmd->op, cmd->store, name);
	if (rc == GML_ERR_NOTEMPTY)
		return cmd_fail("%s is not empty: delete its keys and directories first, hidden "
				"ones over NFS included",
				cmd->args[0]);
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : cmd_print_nothing(cmd);
}

static int bucket_quota(struct cmd *cmd)
{
	struct gml_bucket bucket;
	const char *text;
	int rc = gml_bucket_head(&cmd->op, cmd->store, bucket_span(cmd->args[0]), &bucket);
	if (rc != 0)
		return cmd_fail_rc(rc, cmd->args[0]);
	if ((text = cmd_option(cmd, "bytes")) != NULL &&
	    cmd_amount("bytes", text, INT64_MAX, &bucket.quota_bytes) != 0)
		return CMD_USAGE;
	if ((text = cmd_option(cmd, "objects")) != NULL &&
	    cmd_amount("objects", text, INT64_MAX, &bucket.quota_objects) != 0)
		return CMD_USAGE;
	rc = gml_bucket_set_quota(&cmd->op, cmd->store, bucket_span(cmd->args[0]),
				  bucket.quota_bytes, bucket.quota_objects);
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : bucket_print(cmd, &bucket);
}

static int bucket_durability(struct cmd *cmd)
{
	struct gml_bucket bucket;
	bool relaxed;
	int rc = bucket_relaxed(cmd->args[1], &relaxed);
	if (rc != 0)
		return rc;
	rc = gml_bucket_set_relaxed(&cmd->op, cmd->store, bucket_span(cmd->args[0]), relaxed);
	if (rc == 0)
		rc = gml_bucket_head(&cmd->op, cmd->store, bucket_span(cmd->args[0]), &bucket);
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : bucket_print(cmd, &bucket);
}

const struct cmd_verb cmd_bucket_verbs[] = {
	{"bucket",
	 "create",
	 "NAME",
	 "Make a bucket; S3 and NFS show it at once.",
	 CMD_STORE,
	 bucket_create,
	 {{"owner", "USER", "the user who will own it"},
	  {"mode", "MODE", "octal mode of its top directory (default 0700: its owner only)"},
	  {"durability", "HOW", "strict (default) or relaxed; see bucket durability"}},
	 .needs = "--owner USER"},
	{"bucket",
	 "update",
	 "NAME",
	 "Change the owner or mode of a bucket; its contents keep theirs.",
	 CMD_STORE,
	 bucket_update,
	 {{"owner", "USER", "the new owner; the group becomes that user's gid"},
	  {"mode", "MODE", "octal mode of its top directory"}},
	 .changes = true},
	{"bucket", "list", "", "List all buckets with their usage.", CMD_STORE, bucket_list, {{0}}},
	{"bucket", "show", "NAME", "Show one bucket.", CMD_STORE, bucket_show, {{0}}},
	{"bucket",
	 "quota",
	 "NAME",
	 "Limit a bucket (0 removes a limit).",
	 CMD_STORE,
	 bucket_quota,
	 {{"bytes", "N", "maximum of bytes of content; K, M, G, T"},
	  {"objects", "N", "maximum of objects; K, M, G, T"}},
	 .changes = true},
	{"bucket",
	 "durability",
	 "NAME HOW",
	 "strict: acknowledged changes are durable; relaxed: a power cut may lose the last second "
	 "of them.",
	 CMD_STORE,
	 bucket_durability,
	 {{0}}},
	{"bucket",
	 "access",
	 "NAME HOW",
	 "either: a policy, or an ACL, mode bits or ownership grant access (default); both: a "
	 "policy and one of these.",
	 CMD_STORE,
	 bucket_demands,
	 {{0}}},
	{"bucket",
	 "public-access",
	 "NAME SETTINGS",
	 "Block public access to a bucket: all, none, or some of BlockPublicAcls, "
	 "IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets, with commas between.",
	 CMD_STORE,
	 bucket_public_access,
	 {{0}}},
	{"bucket",
	 "ownership",
	 "NAME HOW",
	 "Who owns the objects that others write: BucketOwnerEnforced, BucketOwnerPreferred, "
	 "ObjectWriter.",
	 CMD_STORE,
	 bucket_ownership,
	 {{0}}},
	{"bucket",
	 "delete",
	 "NAME",
	 "Delete an empty bucket.",
	 CMD_STORE,
	 bucket_delete,
	 {{"yes", NULL, "delete unfinished uploads as well, without a confirmation"}}},
	{0},
};
