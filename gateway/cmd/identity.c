// SPDX-License-Identifier: Apache-2.0
#include "identity.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *const cmd_identity_kinds[] = {"", "user", "group", "role"};

int cmd_wrong_name(const char *name, const char *whose, int max)
{
	return cmd_wrong("'%s' cannot be %s name: it has 1 to %d letters, digits, '_', '+', "
			 "'=', ',', '.', '@' and '-'",
			 name, whose, max);
}

int cmd_fail_members(const char *name, const char *has, const json_t *array, const char *advice)
{
	static const char more[] = " …";
	size_t i, used = 0, count = json_array_size(array);
	char text[512] = "";
	const size_t room = sizeof(text) - sizeof(more);
	json_t *item;
	json_array_foreach(array, i, item)
	{
		const char *between = i == 0 ? "" : i + 1 < count ? ", " : " and ";
		int len = snprintf(text + used, room - used, "%s%s", between,
				   json_string_value(item));
		if (len < 0 || (size_t)len >= room - used) {
			memcpy(text + used, more, sizeof(more));
			break;
		}
		used += (size_t)len;
	}
	return cmd_fail("%s %s: %s; %s", name, has, text, advice);
}

static bool identity_policy(void *arg, const struct gml_policy *policy)
{
	return json_array_append_new(arg, json_string(policy->name)) == 0;
}

static bool identity_inline(void *arg, struct gml_span name, struct gml_span document)
{
	(void)document;
	return json_array_append_new(arg, json_stringn(name.ptr, name.len)) == 0;
}

int cmd_policies_of(const struct cmd *cmd, const struct gml_identity *identity, json_t *attached,
		    json_t *inlined)
{
	int rc = gml_policy_attached(cmd->store, identity, identity_policy, attached);
	return rc != 0 ? rc
		       : gml_policy_inline_list(cmd->store, identity, identity_inline, inlined);
}

int cmd_fail_policies(const struct cmd *cmd, enum gml_identity_kind kind, const char *name)
{
	const struct gml_identity identity = {kind, name};
	json_t *names = json_array();
	int rc = cmd_policies_of(cmd, &identity, names, names);
	rc = rc != 0 ? cmd_fail_rc(rc, name)
		     : cmd_fail_members(name, "has policies", names,
					"'gemel policy list' tells which are attached and which "
					"its own; detach or delete them first");
	json_decref(names);
	return rc;
}

/* ---- tags ---- */

static bool identity_tag(void *arg, const struct gml_meta_pair *tag)
{
	char key[4 * GML_IAM_TAG_KEY_MAX + 1];
	snprintf(key, sizeof(key), "%.*s", (int)tag->name.len, (const char *)tag->name.ptr);
	return json_object_set_new(arg, key, json_stringn(tag->value.ptr, tag->value.len)) == 0;
}

json_t *cmd_tags_json(const struct cmd *cmd, enum gml_identity_kind kind, const char *name)
{
	const struct gml_identity identity = {kind, name};
	json_t *tags = json_object();
	int rc = gml_tags_list(cmd->store, &identity, identity_tag, tags);
	if (rc == 0)
		return tags;
	json_decref(tags);
	cmd_fail_rc(rc, name);
	return NULL;
}

/* Cuts "A=B,C=D" or "A,C" into pairs. Exit status. */
static int identity_pairs(const char *option, const char *text, bool values,
			  struct gml_meta_pair *out, size_t *count_out)
{
	*count_out = 0;
	while (text != NULL) {
		size_t len = strcspn(text, ","), key = strcspn(text, ",=");
		if (*count_out == GML_TAGS_PER_IDENTITY)
			return cmd_wrong("--%s: more than %d tags", option, GML_TAGS_PER_IDENTITY);
		if (key == 0 || values != (text[key] == '='))
			return cmd_wrong("--%s %.*s: not %s", option, (int)len, text,
					 values ? "KEY=VALUE" : "the key of a tag");
		out[*count_out].name = (struct gml_span){text, key};
		out[*count_out].value = values ? (struct gml_span){text + key + 1, len - key - 1}
					       : (struct gml_span){"", 0};
		*count_out += 1;
		text = text[len] == ',' ? text + len + 1 : NULL;
	}
	return CMD_OK;
}

static int identity_tag_fail(int rc, const char *name)
{
	if (rc == GML_ERR_LIMIT)
		return cmd_fail("%s: it would have more than %d tags", name, GML_TAGS_PER_IDENTITY);
	if (rc == GML_ERR_INVAL)
		return cmd_fail("%s: a key has 1 to %d and a value up to %d letters, digits, "
				"spaces, '_', '.', ':', '/', '=', '+', '-' and '@'; no key begins "
				"with aws:, and none is given twice, in upper or lower case",
				name, GML_IAM_TAG_KEY_MAX, GML_IAM_TAG_VALUE_MAX);
	return cmd_fail_rc(rc, name);
}

/* A key that is not there was misspelt: nothing is removed then. */
static int identity_has_tags(struct cmd *cmd, enum gml_identity_kind kind,
			     const struct gml_meta_pair *pairs, size_t count)
{
	json_t *tags = cmd_tags_json(cmd, kind, cmd->args[0]), *value;
	int status = tags == NULL ? CMD_FAILED : CMD_OK;
	for (size_t i = 0; status == CMD_OK && i < count; i++) {
		bool there = false;
		const char *key;
		json_object_foreach(tags, key, value) there |=
			strlen(key) == pairs[i].name.len &&
			strncasecmp(key, pairs[i].name.ptr, pairs[i].name.len) == 0;
		if (!there)
			status = cmd_fail("%s has no tag '%.*s'; 'gemel %s show %s' shows its tags",
					  cmd->args[0], (int)pairs[i].name.len,
					  (const char *)pairs[i].name.ptr, cmd->verb->noun,
					  cmd->args[0]);
	}
	json_decref(tags);
	return status;
}

int cmd_tag(struct cmd *cmd, enum gml_identity_kind kind)
{
	const struct gml_identity identity = {kind, cmd->args[0]};
	const char *set = cmd_option(cmd, "set"), *remove = cmd_option(cmd, "remove");
	struct gml_meta_pair pairs[GML_TAGS_PER_IDENTITY];
	size_t count;
	json_t *tags;
	int rc = set ? identity_pairs("set", set, true, pairs, &count)
		     : identity_pairs("remove", remove, false, pairs, &count);
	if (rc != CMD_OK)
		return rc;
	if (remove && (rc = identity_has_tags(cmd, kind, pairs, count)) != CMD_OK)
		return rc;
	rc = set ? gml_tags_set(&cmd->op, cmd->store, &identity, pairs, count)
		 : gml_tags_remove(&cmd->op, cmd->store, &identity, pairs, count);
	if (rc != 0)
		return identity_tag_fail(rc, cmd->args[0]);
	tags = cmd_tags_json(cmd, kind, cmd->args[0]);
	return tags == NULL ? CMD_FAILED : cmd_print_object(cmd, tags);
}
