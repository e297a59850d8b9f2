/* gemel bucket … */
#include "cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct gml_span bucket_span(const char *text)
{
	return (struct gml_span){text, strlen(text)};
}

static json_t *bucket_json(struct cmd *cmd, const struct gml_bucket *bucket)
{
	struct gml_user user;
	char mode[8];

	snprintf(mode, sizeof(mode), "%04o", bucket->mode);
	return json_pack("{s:s, s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:s, s:o}", "name", bucket->name, "owner",
			 gml_user_by_uid(cmd->store, bucket->uid, &user) == 0 ? user.name : "-", "uid", (json_int_t)bucket->uid, "mode", mode, "objects",
			 (json_int_t)bucket->objects, "bytes", (json_int_t)bucket->bytes, "quota_objects", (json_int_t)bucket->quota_objects, "quota_bytes",
			 (json_int_t)bucket->quota_bytes, "durability", bucket->relaxed ? "relaxed" : "strict", "created", cmd_json_time(bucket->created));
}

static int bucket_relaxed(const char *text, bool *out)
{
	*out = strcmp(text, "relaxed") == 0;
	return *out || strcmp(text, "strict") == 0 ? 0 : cmd_wrong("%s: durability is strict or relaxed", text);
}

static int bucket_create(struct cmd *cmd)
{
	struct gml_bucket bucket;
	struct gml_user user;
	uint32_t mode = 0;
	bool relaxed = false;
	const char *text;
	int rc;

	const char *owner = cmd_option(cmd, "owner");
	if (owner == NULL)
		return cmd_wrong("--owner is needed: the user whom the bucket will belong to");
	if ((rc = gml_user_get(cmd->store, owner, &user)) != 0)
		return cmd_fail_rc(rc, owner);
	if ((text = cmd_option(cmd, "mode")) != NULL) {
		char *end;
		unsigned long value = strtoul(text, &end, 8);
		if (*text == 0 || *end || value > 07777)
			return cmd_wrong("--mode %s: not an octal mode", text);
		mode = (uint32_t)value;
	}
	if ((text = cmd_option(cmd, "durability")) != NULL && (rc = bucket_relaxed(text, &relaxed)) != 0)
		return rc;
	cmd->op.cred.uid = user.uid;
	cmd->op.cred.gid = user.gid;
	rc = gml_bucket_create(&cmd->op, cmd->store, bucket_span(cmd->args[0]), mode, &bucket);
	if (rc == GML_ERR_BUCKETNAME)
		return cmd_wrong("%s: a bucket's name has 3 to 63 lower-case letters, digits, '-' and '.', as S3 demands", cmd->args[0]);
	if (rc == 0 && relaxed)
		rc = gml_bucket_set_relaxed(&cmd->op, cmd->store, bucket_span(cmd->args[0]), true);
	if (rc != 0)
		return cmd_fail_rc(rc, cmd->args[0]);
	bucket.relaxed = relaxed;
	return cmd_print_object(cmd, bucket_json(cmd, &bucket));
}

static int bucket_show(struct cmd *cmd)
{
	struct gml_bucket bucket;
	int rc = gml_bucket_head(&cmd->op, cmd->store, bucket_span(cmd->args[0]), &bucket);

	return rc ? cmd_fail_rc(rc, cmd->args[0]) : cmd_print_object(cmd, bucket_json(cmd, &bucket));
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
	int rc = gml_bucket_list(&cmd->op, cmd->store, (struct gml_span){"", 0}, bucket_each, &list);
	json_t *rows = json_array();

	for (size_t i = 0; i < list.n; i++)
		json_array_append_new(rows, bucket_json(cmd, &list.buckets[i]));
	free(list.buckets);
	if (rc == 0)
		return cmd_print_rows(cmd, rows);
	json_decref(rows);
	return cmd_fail_rc(rc, "buckets");
}

static int bucket_delete(struct cmd *cmd)
{
	int rc = gml_bucket_delete(&cmd->op, cmd->store, bucket_span(cmd->args[0]));

	if (rc == GML_ERR_NOTEMPTY)
		return cmd_fail("%s is not empty: a bucket goes when its keys and directories are gone", cmd->args[0]);
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : cmd_print_nothing(cmd);
}

static int bucket_quota(struct cmd *cmd)
{
	struct gml_bucket bucket;
	const char *text;
	int rc = gml_bucket_head(&cmd->op, cmd->store, bucket_span(cmd->args[0]), &bucket);

	if (rc != 0)
		return cmd_fail_rc(rc, cmd->args[0]);
	if ((text = cmd_option(cmd, "bytes")) != NULL && cmd_number("bytes", text, INT64_MAX, &bucket.quota_bytes) != 0)
		return CMD_USAGE;
	if ((text = cmd_option(cmd, "objects")) != NULL && cmd_number("objects", text, INT64_MAX, &bucket.quota_objects) != 0)
		return CMD_USAGE;
	rc = gml_bucket_set_quota(&cmd->op, cmd->store, bucket_span(cmd->args[0]), bucket.quota_bytes, bucket.quota_objects);
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : cmd_print_object(cmd, bucket_json(cmd, &bucket));
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
	return rc ? cmd_fail_rc(rc, cmd->args[0]) : cmd_print_object(cmd, bucket_json(cmd, &bucket));
}

const struct cmd_verb cmd_bucket_verbs[] = {
	{"bucket",
	 "create",
	 "NAME",
	 "Make a bucket; it shows at both doors at once.",
	 CMD_STORE,
	 bucket_create,
	 {{"owner", "USER", "whom it belongs to"},
	  {"mode", "MODE", "octal mode of its top directory (default 0700: its owner only)"},
	  {"durability", "HOW", "strict (default) or relaxed; see bucket durability"}}},
	{"bucket", "list", "", "List all buckets with their use.", CMD_STORE, bucket_list, {{0}}},
	{"bucket", "show", "NAME", "Show one bucket.", CMD_STORE, bucket_show, {{0}}},
	{"bucket",
	 "quota",
	 "NAME",
	 "Limit a bucket (0 lifts a limit).",
	 CMD_STORE,
	 bucket_quota,
	 {{"bytes", "N", "most bytes of content; K, M, G, T"}, {"objects", "N", "most objects"}}},
	{"bucket",
	 "durability",
	 "NAME HOW",
	 "strict: changes are durable when they are answered; relaxed: a power cut may lose the last second of them.",
	 CMD_STORE,
	 bucket_durability,
	 {{0}}},
	{"bucket", "delete", "NAME", "Delete an empty bucket.", CMD_STORE, bucket_delete, {{0}}},
	{0},
};
