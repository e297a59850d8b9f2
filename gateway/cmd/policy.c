// SPDX-License-Identifier: Apache-2.0
/* gemel policy …: policies of their own, of users, groups and roles, and of buckets. */
#include "cmd.h"

#include <gemel/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "document.h"
#include "identity.h"

/* ---- whose policy ---------------------------------------------------------------------------- */

/* What the options name. */
struct policy_of {
	struct gml_identity identity; /* name NULL: none */
	const char *bucket;	      /* NULL: none */
};

/* Reads --user, --group, --role and --bucket, of which at most one is given. Exit status. */
static int policy_of(const struct cmd *cmd, struct policy_of *of)
{
	const char *name;
	*of = (struct policy_of){.bucket = cmd_option(cmd, "bucket")};
	for (int kind = GML_IDENTITY_USER; kind <= GML_IDENTITY_ROLE; kind++) {
		if ((name = cmd_option(cmd, cmd_identity_kinds[kind])) == NULL)
			continue;
		if (of->identity.name != NULL || of->bucket != NULL)
			return cmd_wrong("--%s: a policy is of one of --user, --group, --role and "
					 "--bucket",
					 cmd_identity_kinds[kind]);
		of->identity = (struct gml_identity){(enum gml_identity_kind)kind, name};
	}
	return CMD_OK;
}

/* The same for a verb that wants --user, --group or --role. */
static int policy_whose(const struct cmd *cmd, struct policy_of *of)
{
	int status = policy_of(cmd, of);
	if (status == CMD_OK && of->identity.name == NULL)
		return cmd_wrong("--user, --group or --role is missing: whose policy it is");
	return status;
}

/* The argument: a policy's name, which a bucket's policy does not have. Exit status. */
static int policy_named(const struct cmd *cmd, const struct policy_of *of)
{
	const char *name = cmd->args[0];
	if (of->bucket != NULL)
		return name == NULL ? CMD_OK
				    : cmd_wrong("'%s': the policy of a bucket has no name", name);
	if (name == NULL)
		return cmd_wrong("the NAME of the policy is missing");
	return gml_policy_name_check(name) == 0
		       ? CMD_OK
		       : cmd_wrong_name(name, "a policy's", GML_POLICY_NAME_MAX);
}

static struct gml_span policy_bucket(const struct policy_of *of)
{
	return (struct gml_span){of->bucket, strlen(of->bucket)};
}

/* What the identity or the policy was called that is not there. */
static int policy_fail(const struct cmd *cmd, const struct policy_of *of, int rc)
{
	bool policy = rc == GML_ERR_NOPOLICY || of->identity.name == NULL;
	const char *what = of->bucket != NULL ? of->bucket
			   : policy	      ? cmd->args[0]
					      : of->identity.name;
	return cmd_fail_rc(rc, what);
}

/* ---- put ------------------------------------------------------------------------------------- */

static int policy_too_long(const struct policy_of *of, const struct cmd_document *document)
{
	static const int most[] = {GML_POLICY_MANAGED_MAX, GML_POLICY_INLINE_USER_MAX,
				   GML_POLICY_INLINE_GROUP_MAX, GML_POLICY_INLINE_ROLE_MAX};
	size_t size = gml_policy_size(document->span);
	if (of->identity.name == NULL)
		return cmd_fail("%s: it has %zu bytes without white space, and a policy may have "
				"%d",
				document->path, size, most[0]);
	return cmd_fail("%s: it has %zu bytes without white space, and all policies of one %s "
			"together may have %d: attach policies of their own instead",
			document->path, size, cmd_identity_kinds[of->identity.kind],
			most[of->identity.kind]);
}

static json_t *policy_json(const struct gml_policy *policy)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", policy->name, "id", policy->id,
			 "description", policy->description, "created",
			 cmd_json_time(policy->created), "updated", cmd_json_time(policy->updated));
}

static int policy_put_managed(struct cmd *cmd, const struct cmd_document *document,
			      struct gml_policy *policy)
{
	const char *text = cmd_option(cmd, "description");
	strcpy(policy->name, cmd->args[0]);
	if (text != NULL && strlen(text) > GML_DESCRIPTION_MAX)
		return cmd_wrong("--description: more than %d bytes", GML_DESCRIPTION_MAX);
	if (text != NULL)
		strcpy(policy->description, text);
	return gml_policy_put(&cmd->op, cmd->store, policy, document->span);
}

static int policy_put_document(struct cmd *cmd, const struct policy_of *of,
			       const struct cmd_document *document)
{
	struct gml_policy policy = {0};
	int rc;
	if (of->bucket != NULL)
		rc = gml_bucket_document_set(&cmd->op, cmd->store, policy_bucket(of),
					     GML_BUCKET_POLICY, document->span);
	else if (of->identity.name != NULL)
		rc = gml_policy_inline_put(&cmd->op, cmd->store, &of->identity, cmd->args[0],
					   document->span);
	else
		rc = policy_put_managed(cmd, document, &policy);
	if (rc == GML_ERR_BADPOLICY)
		return cmd_document_fail(
			document, of->bucket ? GML_POLICY_BUCKET : GML_POLICY_IDENTITY, of->bucket);
	if (rc == GML_ERR_LIMIT)
		return policy_too_long(of, document);
	if (rc == GML_ERR_INVAL)
		return cmd_wrong("--description: it is UTF-8 without control characters");
	if (rc == GML_ERR_ACCESS)
		return cmd_fail("%s: the policy is public, and a public access block forbids that; "
				"'gemel bucket public-access' and 'gemel account public-access' "
				"change it",
				of->bucket);
	if (rc != 0)
		return policy_fail(cmd, of, rc);
	return policy.name[0] ? cmd_print_object(cmd, policy_json(&policy))
			      : cmd_print_nothing(cmd);
}

static int policy_put(struct cmd *cmd)
{
	struct cmd_document document = {0};
	struct policy_of of;
	int status = policy_of(cmd, &of);
	if (status == CMD_OK)
		status = policy_named(cmd, &of);
	if (status == CMD_OK && cmd_option(cmd, "description") != NULL &&
	    (of.bucket || of.identity.name))
		status = cmd_wrong("--description: only policies of their own have one");
	if (status == CMD_OK)
		status = cmd_document_read(cmd, "file", false, &document);
	if (status == CMD_OK)
		status = policy_put_document(cmd, &of, &document);
	free(document.text);
	return status;
}

/* ---- get ------------------------------------------------------------------------------------- */

struct policy_found {
	const char *name;
	void *buf;
	size_t len;
};

static bool policy_find_inline(void *arg, struct gml_span name, struct gml_span document)
{
	struct policy_found *found = arg;
	if (strlen(found->name) != name.len || strncasecmp(found->name, name.ptr, name.len) != 0)
		return true;
	found->buf = malloc(document.len + 1);
	if (found->buf != NULL)
		memcpy(found->buf, document.ptr, document.len);
	found->len = document.len;
	return false;
}

static int policy_get_inline(struct cmd *cmd, const struct gml_identity *identity, void **buf,
			     size_t *len)
{
	struct policy_found found = {.name = cmd->args[0]};
	int rc = gml_policy_inline_list(cmd->store, identity, policy_find_inline, &found);
	*buf = found.buf;
	*len = found.len;
	if (rc == 0 && found.buf == NULL)
		rc = found.len > 0 ? GML_ERR_NOMEM : GML_ERR_NOPOLICY;
	return rc;
}

static int policy_get(struct cmd *cmd)
{
	struct gml_policy policy;
	struct policy_of of;
	void *buf = NULL;
	size_t len = 0;
	int rc, status = policy_of(cmd, &of);
	if (status == CMD_OK)
		status = policy_named(cmd, &of);
	if (status != CMD_OK)
		return status;
	if (of.bucket != NULL)
		rc = gml_bucket_document_get(&cmd->op, cmd->store, policy_bucket(&of),
					     GML_BUCKET_POLICY, &buf, &len);
	else if (of.identity.name != NULL)
		rc = policy_get_inline(cmd, &of.identity, &buf, &len);
	else
		rc = gml_policy_get(cmd->store, cmd->args[0], &policy, &buf, &len);
	if (rc == GML_ERR_NOENT)
		return cmd_fail("%s: the bucket has no policy", of.bucket);
	return rc ? policy_fail(cmd, &of, rc) : cmd_document_print(cmd, buf, len);
}

/* ---- list, show ------------------------------------------------------------------------------ */

static bool policy_each(void *arg, const struct gml_policy *policy)
{
	return json_array_append_new(arg, policy_json(policy)) == 0;
}

static bool policy_row(json_t *rows, struct gml_span name, const char *how)
{
	return json_array_append_new(rows,
				     json_pack("{s:o, s:s}", "name",
					       json_stringn(name.ptr, name.len), "how", how)) == 0;
}

static bool policy_row_managed(void *arg, const struct gml_policy *policy)
{
	return policy_row(arg, (struct gml_span){policy->name, strlen(policy->name)}, "attached");
}

static bool policy_row_inline(void *arg, struct gml_span name, struct gml_span document)
{
	(void)document;
	return policy_row(arg, name, "inline");
}

static int policy_rows_of(struct cmd *cmd, const struct gml_identity *identity, json_t *rows)
{
	char boundary[GML_POLICY_NAME_MAX + 1] = "";
	int rc = gml_policy_attached(cmd->store, identity, policy_row_managed, rows);
	if (rc == 0)
		rc = gml_policy_inline_list(cmd->store, identity, policy_row_inline, rows);
	if (rc == 0 && identity->kind != GML_IDENTITY_GROUP)
		rc = gml_policy_boundary_get(cmd->store, identity, boundary);
	if (rc == 0 && boundary[0])
		policy_row(rows, (struct gml_span){boundary, strlen(boundary)}, "boundary");
	return rc;
}

static int policy_list(struct cmd *cmd)
{
	json_t *rows = json_array();
	struct policy_of of;
	int rc, status = policy_of(cmd, &of);
	rc = status != CMD_OK	? 0
	     : of.identity.name ? policy_rows_of(cmd, &of.identity, rows)
				: gml_policy_list(cmd->store, policy_each, rows);
	if (status == CMD_OK && rc == 0)
		return cmd_print_rows(cmd, rows);
	json_decref(rows);
	return status != CMD_OK ? status
				: cmd_fail_rc(rc, of.identity.name ? of.identity.name : "policies");
}

/* Those that have a policy, "user/ann". */
struct policy_uses {
	json_t *attached, *boundary;
};

static bool policy_use(void *arg, enum gml_policy_use use, const struct gml_identity *identity)
{
	struct policy_uses *uses = arg;
	char text[GML_GROUP_NAME_MAX + 8];
	snprintf(text, sizeof(text), "%s/%s", cmd_identity_kinds[identity->kind], identity->name);
	return json_array_append_new(use == GML_POLICY_USE_ATTACHED ? uses->attached
								    : uses->boundary,
				     json_string(text)) == 0;
}

static int policy_show(struct cmd *cmd)
{
	struct policy_uses uses = {json_array(), json_array()};
	const char *name = cmd->args[0];
	struct gml_policy policy;
	json_t *object;
	int rc = gml_policy_get(cmd->store, name, &policy, NULL, NULL);
	if (rc == 0)
		rc = gml_policy_uses(cmd->store, name, policy_use, &uses);
	if (rc != 0) {
		json_decref(uses.attached);
		json_decref(uses.boundary);
		return cmd_fail_rc(rc, name);
	}
	object = policy_json(&policy);
	json_object_set_new(object, "attached_to", uses.attached);
	json_object_set_new(object, "boundary_of", uses.boundary);
	return cmd_print_object(cmd, object);
}

/* ---- delete ---------------------------------------------------------------------------------- */

static int policy_in_use(struct cmd *cmd, const char *name)
{
	struct policy_uses uses = {json_array(), json_array()};
	int rc = gml_policy_uses(cmd->store, name, policy_use, &uses);
	if (rc != 0)
		rc = cmd_fail_rc(rc, name);
	else if (json_array_size(uses.attached) > 0)
		rc = cmd_fail_members(name, "is attached to", uses.attached,
				      "'gemel policy detach' detaches it");
	else
		rc = cmd_fail_members(name, "is the boundary of", uses.boundary,
				      "'gemel policy boundary' gives them another or none");
	json_decref(uses.attached);
	json_decref(uses.boundary);
	return rc;
}

static int policy_delete(struct cmd *cmd)
{
	const struct gml_span none = {NULL, 0};
	struct policy_of of;
	int rc, status = policy_of(cmd, &of);
	if (status == CMD_OK)
		status = policy_named(cmd, &of);
	if (status != CMD_OK)
		return status;
	if (of.bucket != NULL)
		rc = gml_bucket_document_set(&cmd->op, cmd->store, policy_bucket(&of),
					     GML_BUCKET_POLICY, none);
	else if (of.identity.name != NULL)
		rc = gml_policy_inline_delete(&cmd->op, cmd->store, &of.identity, cmd->args[0]);
	else
		rc = gml_policy_delete(&cmd->op, cmd->store, cmd->args[0]);
	if (rc == GML_ERR_INUSE)
		return policy_in_use(cmd, cmd->args[0]);
	return rc ? policy_fail(cmd, &of, rc) : cmd_print_nothing(cmd);
}

/* ---- attach, detach, boundary ---------------------------------------------------------------- */

static int policy_attach(struct cmd *cmd)
{
	struct policy_of of;
	int rc, status = policy_whose(cmd, &of);
	if (status != CMD_OK)
		return status;
	rc = gml_policy_attach(&cmd->op, cmd->store, &of.identity, cmd->args[0]);
	if (rc == GML_ERR_LIMIT)
		return cmd_fail("%s has %d policies attached already, and may not have more",
				of.identity.name, GML_POLICIES_PER_IDENTITY);
	return rc ? policy_fail(cmd, &of, rc) : cmd_print_nothing(cmd);
}

static int policy_detach(struct cmd *cmd)
{
	struct policy_of of;
	int rc, status = policy_whose(cmd, &of);
	if (status != CMD_OK)
		return status;
	rc = gml_policy_detach(&cmd->op, cmd->store, &of.identity, cmd->args[0]);
	if (rc == GML_ERR_NOENT)
		return cmd_fail("%s is not attached to %s", cmd->args[0], of.identity.name);
	return rc ? policy_fail(cmd, &of, rc) : cmd_print_nothing(cmd);
}

static int policy_boundary(struct cmd *cmd)
{
	const char *name = cmd->args[0];
	bool remove = cmd_option(cmd, "remove");
	struct policy_of of;
	int rc, status = policy_whose(cmd, &of);
	if (status == CMD_OK && remove == (name != NULL))
		status = cmd_wrong("either the NAME of a policy or --remove is wanted");
	if (status != CMD_OK)
		return status;
	rc = gml_policy_boundary_set(&cmd->op, cmd->store, &of.identity, name);
	return rc ? policy_fail(cmd, &of, rc) : cmd_print_nothing(cmd);
}

/* clang-format off */
#define POLICY_OF \
	{"user", "USER", "the policy of a user"}, \
	{"group", "GROUP", "the policy of a group"}, \
	{"role", "ROLE", "the policy of a role"}
#define POLICY_OF_BUCKET \
	{"bucket", "BUCKET", "the policy of a bucket, which has no NAME"}
/* clang-format on */

const struct cmd_verb cmd_policy_verbs[] = {
	{"policy",
	 "put",
	 "[NAME]",
	 "Set a policy: one to attach, or that of a user, group, role or bucket alone.",
	 CMD_STORE,
	 policy_put,
	 {{"file", "FILE", "the document, in AWS's language (- for standard input)"},
	  POLICY_OF,
	  POLICY_OF_BUCKET,
	  {"description", "TEXT", "what a policy to attach is for"}},
	 .needs = "--file FILE"},
	{"policy",
	 "get",
	 "[NAME]",
	 "Print the document of a policy.",
	 CMD_STORE,
	 policy_get,
	 {POLICY_OF, POLICY_OF_BUCKET}},
	{"policy",
	 "list",
	 "",
	 "List the policies that can be attached, or those of a user, group or role.",
	 CMD_STORE,
	 policy_list,
	 {POLICY_OF}},
	{"policy",
	 "show",
	 "NAME",
	 "Show a policy that can be attached, and who has it.",
	 CMD_STORE,
	 policy_show,
	 {{0}}},
	{"policy",
	 "attach",
	 "NAME",
	 "Attach a policy to a user, group or role.",
	 CMD_STORE,
	 policy_attach,
	 {POLICY_OF}},
	{"policy", "detach", "NAME", "Detach a policy.", CMD_STORE, policy_detach, {POLICY_OF}},
	{"policy",
	 "boundary",
	 "[NAME]",
	 "Make a policy the boundary of a user or role, beyond which it may do nothing.",
	 CMD_STORE,
	 policy_boundary,
	 {{"user", "USER", "the boundary of a user"},
	  {"role", "ROLE", "the boundary of a role"},
	  {"remove", NULL, "it has no boundary then"}}},
	{"policy",
	 "delete",
	 "[NAME]",
	 "Delete a policy.",
	 CMD_STORE,
	 policy_delete,
	 {POLICY_OF, POLICY_OF_BUCKET}},
	{"policy",
	 "lint",
	 "FILE",
	 "Check a policy: what is wrong, and what is hardly meant.",
	 CMD_NO_CONF,
	 cmd_policy_lint,
	 {{"kind", "KIND",
	   "identity (of a user, group or role; the default), bucket, boundary, session, key or "
	   "trust (of a role)"},
	  {"bucket", "NAME", "the bucket whose policy it is to be (with --kind bucket)"}}},
	{"policy",
	 "simulate",
	 "ACTION RESOURCE",
	 "Ask a policy about a request: what it says, and why each statement does or does not.",
	 CMD_NO_CONF,
	 cmd_policy_simulate,
	 {{"file", "FILE", "the document (- for standard input)"},
	  {"bucket-policy", NULL, "it is the policy of the resource's bucket"},
	  {"user", "NAME", "who asks; without it, an anonymous caller"},
	  {"context", "KEY=VALUE,…", "what else the request has, as aws:SourceIp=10.0.0.1"}},
	 .needs = "--file FILE"},
	{0},
};
