// SPDX-License-Identifier: Apache-2.0
#include "auth/access/access.h"

static const struct gml_span access_anonymous = GML_LIT("anonymous");
static const struct gml_span access_types[] = {
	[AUTH_PRINCIPAL_ANONYMOUS] = GML_LIT("Anonymous"),
	[AUTH_PRINCIPAL_USER] = GML_LIT("User"),
	[AUTH_PRINCIPAL_SESSION] = GML_LIT("AssumedRole"),
	[AUTH_PRINCIPAL_ACCOUNT] = GML_LIT("Account"),
};

static struct auth_values access_one(const struct gml_span *value)
{
	return (struct auth_values){value, value->len > 0 ? 1 : 0};
}

struct auth_values auth_access_values(const struct auth_access *access, enum auth_key key,
				      struct gml_span name)
{
	const struct auth_principal *who = access->principal;
	switch (key) {
	case AUTH_KEY_USERNAME:
		return access_one(&who->username);
	case AUTH_KEY_USERID:
		return access_one(who->type == AUTH_PRINCIPAL_ANONYMOUS ? &access_anonymous
									: &who->userid);
	case AUTH_KEY_PRINCIPAL_ARN: /* of a session: its role's, as AWS has it */
		return access_one(who->role.len > 0 ? &who->role : &who->arn);
	case AUTH_KEY_PRINCIPAL_TYPE:
		return access_one(&access_types[who->type]);
	case AUTH_KEY_PRINCIPAL_ACCOUNT:
		return access_one(who->type == AUTH_PRINCIPAL_ANONYMOUS ? &access_anonymous
									: &who->account);
	default: /* the others are the context's */
		break;
	}
	if (access->values == NULL)
		return (struct auth_values){NULL, 0};
	return access->values(access->arg, key, name);
}

struct gml_span auth_access_arn(char *buf, size_t cap, struct gml_span bucket, bool object,
				struct gml_span key)
{
	static const struct gml_span head = GML_LIT("arn:aws:s3:::");
	size_t tail = object ? 1 + key.len : 0;
	char *end = buf;
	if (cap < head.len || cap - head.len < bucket.len || cap - head.len - bucket.len < tail)
		return gml_span_of(NULL, 0);
	end = mempcpy(end, head.ptr, head.len);
	if (bucket.len > 0)
		end = mempcpy(end, bucket.ptr, bucket.len);
	if (object)
		*end++ = '/';
	if (object && key.len > 0)
		end = mempcpy(end, key.ptr, key.len);
	return gml_span_of(buf, (size_t)(end - buf));
}
