// SPDX-License-Identifier: Apache-2.0
#include "auth/policy/resource.h"

/* The part of an ARN before the next colon, and the colon. */
static struct gml_span resource_part(struct gml_span *rest)
{
	return gml_span_cut(rest, ':');
}

static bool resource_wild(struct gml_span part)
{
	return gml_span_find(part, '*') < part.len || gml_span_find(part, '?') < part.len;
}

const char *auth_resource_compile(struct auth_arena *arena, struct gml_span text, bool variables,
				  struct auth_pattern *out)
{
	static const char *const form =
		"a resource is \"*\" or an ARN, arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE; of a "
		"bucket arn:aws:s3:::BUCKET, of objects arn:aws:s3:::BUCKET/KEY";
	struct gml_span rest = text, partition, service;
	unsigned flags = AUTH_PATTERN_WILD | (variables ? AUTH_PATTERN_VARIABLES : 0);
	if (!gml_span_is(text, "*")) {
		size_t colons = 0;
		if (!gml_span_is(resource_part(&rest), "arn"))
			return form;
		partition = resource_part(&rest);
		service = resource_part(&rest);
		for (size_t i = 0; i < rest.len; i++)
			colons += gml_span_at(rest, i) == ':';
		if (colons < 2 || service.len == 0)
			return form;
		if (!resource_wild(partition) && !gml_span_is(partition, "aws"))
			return "the only partition is aws: arn:aws:…";
		if (resource_wild(service) || gml_span_find(service, '$') < service.len)
			return "the service of an ARN is written in full, as arn:aws:s3:::…";
		if (variables)
			for (int part = 0; part < 2; part++) {
				struct gml_span before = resource_part(&rest);
				if (gml_span_find(before, '$') < before.len)
					return "variables are allowed behind the fifth colon of an "
					       "ARN only";
			}
	}
	return auth_pattern_compile(arena, text, flags, out);
}

/* The same with variables that may stand for anything. */
static bool resource_widen(struct auth_arena *arena, const struct auth_pattern *resource,
			   struct auth_pattern *out)
{
	struct auth_token *tokens = auth_arena_new(arena, resource->count, sizeof(*tokens));
	if (tokens == NULL)
		return false;
	for (size_t i = 0; i < resource->count; i++) {
		tokens[i] = resource->tokens[i];
		if (tokens[i].kind == AUTH_TOKEN_VARIABLE)
			tokens[i].kind = AUTH_TOKEN_ANY;
	}
	*out = *resource;
	out->tokens = tokens;
	return true;
}

bool auth_resource_in_bucket(struct auth_arena *arena, const struct auth_pattern *resource,
			     struct gml_span bucket)
{
	static const struct auth_principal anonymous = {AUTH_PRINCIPAL_ANONYMOUS};
	const struct auth_access nobody = {.principal = &anonymous};
	char arn[AUTH_ARN_MAX];
	struct auth_pattern wide;
	struct gml_span below = auth_access_arn(arn, sizeof(arn), bucket, true,
						gml_span_of(NULL, 0)),
			itself = below;
	if (below.len == 0 || !resource_widen(arena, resource, &wide))
		return false;
	itself.len--;
	return auth_pattern_match(&wide, AUTH_MATCH_ARN, itself, &nobody) != AUTH_FALSE ||
	       auth_pattern_match_below(&wide, below, &nobody) != AUTH_FALSE;
}

/* Of S3: what has a slash is an object's, what has none a bucket's; a wildcard may stand for it. */
static unsigned resource_kinds_s3(const struct auth_pattern *resource, struct gml_span name)
{
	bool slash = false, wild = resource->literal == false;
	if (gml_span_is(name, "*"))
		return AUTH_RESOURCE_ACCOUNT | AUTH_RESOURCE_BUCKET | AUTH_RESOURCE_OBJECT;
	for (size_t i = 0; i < resource->count; i++)
		slash |=
			resource->tokens[i].kind == AUTH_TOKEN_TEXT &&
			gml_span_find(resource->tokens[i].text, '/') < resource->tokens[i].text.len;
	if (slash)
		return AUTH_RESOURCE_OBJECT;
	return AUTH_RESOURCE_BUCKET | (wild ? AUTH_RESOURCE_OBJECT : 0);
}

static unsigned resource_kinds_iam(struct gml_span name)
{
	static const struct {
		struct gml_span type;
		unsigned kind;
	} types[] = {
		{GML_LIT("user/"), AUTH_RESOURCE_USER},
		{GML_LIT("group/"), AUTH_RESOURCE_GROUP},
		{GML_LIT("role/"), AUTH_RESOURCE_ROLE},
		{GML_LIT("policy/"), AUTH_RESOURCE_POLICY},
	};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (gml_span_starts(name, types[i].type))
			return types[i].kind;
	return resource_wild(gml_span_of(name.ptr, gml_span_find(name, '/')))
		       ? AUTH_RESOURCE_ANY &
				 ~(unsigned)(AUTH_RESOURCE_BUCKET | AUTH_RESOURCE_OBJECT)
		       : AUTH_RESOURCE_OTHER;
}

unsigned auth_resource_kinds(const struct auth_pattern *resource)
{
	struct gml_span rest = resource->text, service, account;
	if (resource->everything)
		return AUTH_RESOURCE_ANY;
	resource_part(&rest);
	resource_part(&rest);
	service = resource_part(&rest);
	resource_part(&rest);
	account = resource_part(&rest);
	if (gml_span_is(service, "s3") && (account.len == 0 || resource_wild(account)))
		return resource_kinds_s3(resource, rest);
	if (gml_span_is(service, "iam") || gml_span_is(service, "sts"))
		return resource_kinds_iam(rest);
	return AUTH_RESOURCE_OTHER;
}
