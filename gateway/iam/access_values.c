// SPDX-License-Identifier: Apache-2.0
#include "access_values.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <gemel/err.h>
#include "auth/access/action.h"
#include "gateway/base/calendar.h"
#include "gateway/base/span.h"
#include "gateway/base/tags.h"
#include "name.h"

void gml_access_values_init(struct access_values *values, struct gml_txn *txn,
			    const struct gml_access_question *question,
			    const struct gml_access_held *held)
{
	values->txn = txn;
	values->question = question;
	values->caller = held->caller;
	values->bucket = held->bucket;
	values->used = 0;
	values->rc = 0;
}

static const struct auth_values values_none;
static const struct auth_values values_unknown = {NULL, AUTH_VALUES_VARY};

/* `count` values that were put behind those in use. The same ones once more, for another statement
 * or variable, take no more room. */
static struct auth_values values_take(struct access_values *values, size_t count)
{
	const struct gml_span *new = &values->spans[values->used];
	for (size_t i = 0; count > 0 && i + count <= values->used; i++) {
		size_t same = 0;
		while (same < count && gml_span_equal(values->spans[i + same], new[same]))
			same++;
		if (same == count)
			return (struct auth_values){&values->spans[i], count};
	}
	values->used += count;
	return (struct auth_values){new, count};
}

static struct auth_values values_one(struct access_values *values, struct gml_span value)
{
	if (values->used == ACCESS_VALUES_MAX)
		return values_unknown;
	values->spans[values->used] = value;
	return values_take(values, 1);
}

static struct auth_values values_text(struct access_values *values, const char *text)
{
	return text != NULL ? values_one(values, gml_span_text(text)) : values_none;
}

/* ---- the transport ---- */

static struct auth_values values_address(struct access_values *values)
{
	const struct gml_context *context = values->question->context;
	int family = context->source_len == 4 ? AF_INET : AF_INET6;
	if (context->source_len == 0)
		return values_none;
	return values_text(values, inet_ntop(family, context->source, values->address,
					     sizeof(values->address)));
}

static struct auth_values values_moment(struct access_values *values)
{
	gml_date_iso(gml_seconds_of_ns(gml_now()), values->moment);
	return values_text(values, values->moment);
}

static struct auth_values values_seconds(struct access_values *values)
{
	snprintf(values->seconds, sizeof(values->seconds), "%lld",
		 (long long)gml_seconds_of_ns(gml_now()));
	return values_text(values, values->seconds);
}

static const char *values_protocol(enum gml_protocol protocol)
{
	switch (protocol) {
	case GML_PROTOCOL_NFS:
		return "nfs";
	case GML_PROTOCOL_S3:
		return "s3";
	case GML_PROTOCOL_LOCAL:
		break;
	}
	return "local";
}

/* What the way of authentication says: s3:authType, s3:signatureversion, gemel:NfsSecurity. */
struct values_authn {
	const char *type, *version, *nfs;
};

static const struct values_authn *values_authn(enum gml_authn authn)
{
	static const struct values_authn none = {NULL, NULL, NULL},
					 v4 = {"REST-HEADER", "AWS4-HMAC-SHA256", NULL},
					 v4_query = {"REST-QUERY-STRING", "AWS4-HMAC-SHA256", NULL},
					 v2 = {"REST-HEADER", "AWS", NULL},
					 v2_query = {"REST-QUERY-STRING", "AWS", NULL},
					 sys = {NULL, NULL, "sys"}, krb5 = {NULL, NULL, "krb5"},
					 krb5i = {NULL, NULL, "krb5i"},
					 krb5p = {NULL, NULL, "krb5p"};
	switch (authn) {
	case GML_AUTHN_SIGV4:
		return &v4;
	case GML_AUTHN_SIGV4_PRESIGNED:
		return &v4_query;
	case GML_AUTHN_SIGV2:
		return &v2;
	case GML_AUTHN_SIGV2_PRESIGNED:
		return &v2_query;
	case GML_AUTHN_SYS:
		return &sys;
	case GML_AUTHN_KRB5:
		return &krb5;
	case GML_AUTHN_KRB5I:
		return &krb5i;
	case GML_AUTHN_KRB5P:
		return &krb5p;
	case GML_AUTHN_ANONYMOUS:
	case GML_AUTHN_LOCAL:
		break;
	}
	return &none;
}

/* ---- tags ---- */

struct values_tag {
	struct gml_span key, value;
	bool found;
};

static bool values_tag_one(void *arg, struct gml_span key, struct gml_span value)
{
	struct values_tag *tag = arg;
	if (!gml_span_equal_nocase(key, tag->key))
		return true;
	tag->value = value;
	tag->found = true;
	return false;
}

static struct auth_values values_principal_tag(struct access_values *values, struct gml_span key)
{
	struct values_tag tag = {.key = key};
	if (values->caller == NULL || values->caller->tags == NULL)
		return values_none;
	if (gml_rec_pairs_each(gml_span_of(values->caller->tags, values->caller->tags_len),
			       values_tag_one, &tag) != 0)
		values->rc = GML_ERR_CORRUPT;
	return tag.found ? values_one(values, tag.value) : values_none;
}

/* Keys in a policy are found in any case; the names of xattrs are what they are. */
static bool values_object_tag_one(void *arg, struct gml_span name, struct gml_span value)
{
	const struct gml_span prefix = GML_LIT(GML_OBJECT_TAG_PREFIX);
	if (!gml_span_starts(name, prefix))
		return true;
	return values_tag_one(arg, gml_span_from(name, prefix.len), value);
}

static struct auth_values values_object_tag(struct access_values *values, struct gml_span key)
{
	const struct gml_inode *inode = values->question->inode;
	struct values_tag tag = {.key = key};
	int rc;
	if (inode == NULL || !(inode->flags & GML_INODE_XATTRS))
		return values_none;
	rc = gml_rec_xattr_each(values->txn, inode->ino, gml_span_of(NULL, 0),
				values_object_tag_one, &tag);
	if (rc != 0) {
		values->rc = rc;
		return values_unknown;
	}
	return tag.found ? values_one(values, tag.value) : values_none;
}

static struct auth_values values_bucket_tag(struct access_values *values, struct gml_span name)
{
	struct values_tag tag = {.key = name};
	struct gml_span rest, key, value;
	if (values->bucket == NULL || values->bucket->tags == NULL)
		return values_none;
	rest = gml_span_of(values->bucket->tags, values->bucket->tags_len);
	while (!tag.found && gml_tags_next(&rest, &key, &value))
		values_tag_one(&tag, key, value);
	if (!tag.found && rest.len > 0) {
		values->rc = GML_ERR_CORRUPT;
		return values_unknown;
	}
	return tag.found ? values_one(values, tag.value) : values_none;
}

/* Of what the action is about: a bucket, or an object. */
static struct auth_values values_resource_tag(struct access_values *values, struct gml_span key)
{
	unsigned kinds = auth_action_kinds(gml_access_action(values->question));
	return kinds & AUTH_RESOURCE_OBJECT ? values_object_tag(values, key)
					    : values_bucket_tag(values, key);
}

/* ---- the request ---- */

/* Another request could have another value (struct gml_access_question). */
static void values_vary(struct access_values *values)
{
	if (values->question->varies != NULL)
		*values->question->varies = true;
}

static struct auth_values values_stated(struct access_values *values, struct gml_span name)
{
	const struct gml_context *context = values->question->context;
	size_t room = ACCESS_VALUES_MAX - values->used, count;
	struct gml_span *spans = values->spans + values->used;
	if (context->condition == NULL)
		return values_none;
	values_vary(values);
	count = context->condition(context->condition_arg, name, spans, room);
	return count > room ? values_unknown : values_take(values, count);
}

/* A listing over NFS is one of its directory. Who may know that there is no such key is who may
 * list it, whatever prefix the request states. */
static struct auth_values values_prefix(struct access_values *values, struct gml_span name)
{
	const struct gml_access_question *question = values->question;
	bool missing = question->action == GML_ACTION_KNOW_MISSING && question->key.len > 0;
	struct auth_values stated = missing ? values_none : values_stated(values, name);
	if (!missing && (stated.count != 0 || question->context->condition != NULL ||
			 question->key.ptr == NULL))
		return stated;
	if (question->below)
		return values_unknown;
	if (!(auth_action_kinds(gml_access_action(question)) & AUTH_RESOURCE_BUCKET))
		return values_none; /* what is about an object has no prefix */
	return values_one(values, question->key);
}

/* Keys that the core knows and whose values differ from request to request of one caller over one
 * protocol. What only the request knows varies as well, where it states anything. */
static const auth_key_set values_varying =
	AUTH_KEY_BIT(AUTH_KEY_SOURCE_IP) | AUTH_KEY_BIT(AUTH_KEY_SECURE_TRANSPORT) |
	AUTH_KEY_BIT(AUTH_KEY_CURRENT_TIME) | AUTH_KEY_BIT(AUTH_KEY_EPOCH_TIME) |
	AUTH_KEY_BIT(AUTH_KEY_RESOURCE_TAG) | AUTH_KEY_BIT(AUTH_KEY_EXISTING_OBJECT_TAG) |
	AUTH_KEY_BIT(AUTH_KEY_AUTH_TYPE) | AUTH_KEY_BIT(AUTH_KEY_SIGNATURE_VERSION) |
	AUTH_KEY_BIT(AUTH_KEY_NFS_SECURITY);

struct auth_values gml_access_value(void *arg, enum auth_key key, struct gml_span name)
{
	struct access_values *values = arg;
	const struct gml_access_question *question = values->question;
	const struct values_authn *authn = values_authn(question->principal->authn);
	if (AUTH_KEY_BIT(key) & values_varying)
		values_vary(values);
	switch (key) {
	case AUTH_KEY_SOURCE_IP:
		return values_address(values);
	case AUTH_KEY_SECURE_TRANSPORT:
		return values_text(values, question->context->secure ? "true" : "false");
	case AUTH_KEY_CURRENT_TIME:
		return values_moment(values);
	case AUTH_KEY_EPOCH_TIME:
		return values_seconds(values);
	case AUTH_KEY_PRINCIPAL_TAG:
		return values_principal_tag(values, auth_key_tag(key, name));
	case AUTH_KEY_RESOURCE_TAG:
		return values_resource_tag(values, auth_key_tag(key, name));
	case AUTH_KEY_EXISTING_OBJECT_TAG:
		return values_object_tag(values, auth_key_tag(key, name));
	case AUTH_KEY_BUCKET_TAG:
		return values_bucket_tag(values, auth_key_tag(key, name));
	case AUTH_KEY_RESOURCE_ACCOUNT:
	case AUTH_KEY_S3_RESOURCE_ACCOUNT:
		return values_text(values, GML_IAM_ACCOUNT);
	case AUTH_KEY_AUTH_TYPE:
		return values_text(values, authn->type);
	case AUTH_KEY_SIGNATURE_VERSION:
		return values_text(values, authn->version);
	case AUTH_KEY_DOOR:
		return values_text(values, values_protocol(question->context->protocol));
	case AUTH_KEY_NFS_SECURITY:
		return values_text(values, authn->nfs);
	case AUTH_KEY_PREFIX:
		return values_prefix(values, name);
	default: /* what only the request knows; keys of struct auth_principal do not come here */
		return values_stated(values, name);
	}
}
