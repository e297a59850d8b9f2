// SPDX-License-Identifier: Apache-2.0
#include "auth/policy/principal.h"

static bool principal_is_account(struct gml_span text)
{
	uint64_t number;
	return text.len == 12 && gml_span_u64(text, UINT64_MAX, &number);
}

/* user/NAME, role/NAME, assumed-role/ROLE/SESSION, federated-user/NAME */
static bool principal_resource(struct gml_span service, struct gml_span resource)
{
	struct gml_span rest = resource, type = gml_span_cut(&rest, '/');
	if (rest.len == 0)
		return false;
	if (gml_span_is(service, "iam"))
		return gml_span_is(type, "user") || gml_span_is(type, "role");
	if (gml_span_is(type, "assumed-role"))
		return gml_span_find(rest, '/') > 0 && gml_span_find(rest, '/') + 1 < rest.len;
	return gml_span_is(type, "federated-user");
}

/* arn:aws:iam::ACCOUNT:…, arn:aws:sts::ACCOUNT:… */
static bool principal_arn(struct gml_span text, struct auth_party *out)
{
	struct gml_span rest = text, service, account;
	if (!gml_span_is(gml_span_cut(&rest, ':'), "arn") ||
	    !gml_span_is(gml_span_cut(&rest, ':'), "aws"))
		return false;
	service = gml_span_cut(&rest, ':');
	if ((!gml_span_is(service, "iam") && !gml_span_is(service, "sts")) ||
	    gml_span_cut(&rest, ':').len > 0)
		return false;
	account = gml_span_cut(&rest, ':');
	if (!principal_is_account(account))
		return false;
	*out = gml_span_is(service, "iam") && gml_span_is(rest, "root")
		       ? (struct auth_party){AUTH_PARTY_ACCOUNT, account}
		       : (struct auth_party){AUTH_PARTY_ARN, text};
	return out->kind == AUTH_PARTY_ACCOUNT || principal_resource(service, rest);
}

static const char *principal_aws(struct gml_span value, struct auth_party *out)
{
	if (gml_span_is(value, "*")) {
		*out = (struct auth_party){.kind = AUTH_PARTY_EVERYONE};
		return NULL;
	}
	if (gml_span_find(value, '*') < value.len || gml_span_find(value, '?') < value.len)
		return "a principal is named in full: \"*\" alone is everyone, and wildcards in a "
		       "name are not allowed";
	if (principal_is_account(value)) {
		*out = (struct auth_party){AUTH_PARTY_ACCOUNT, value};
		return NULL;
	}
	if (principal_arn(value, out))
		return NULL;
	return "a principal is \"*\", an account of twelve digits, "
	       "arn:aws:iam::ACCOUNT:user/NAME, …:role/NAME, …:root, or "
	       "arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION";
}

const char *auth_party_compile(struct gml_span type, struct gml_span value, struct auth_party *out)
{
	if (gml_span_is(type, "AWS"))
		return principal_aws(value, out);
	if (value.len == 0)
		return "a principal has a name";
	*out = (struct auth_party){gml_span_is(type, "CanonicalUser") ? AUTH_PARTY_CANONICAL
								      : AUTH_PARTY_NOBODY,
				   value};
	return NULL;
}

static bool principal_same(struct gml_span a, struct gml_span b)
{
	return a.len > 0 && gml_span_equal(a, b);
}

bool auth_party_names(const struct auth_party *party, const struct auth_principal *who)
{
	switch (party->kind) {
	case AUTH_PARTY_EVERYONE:
		return true;
	case AUTH_PARTY_ACCOUNT:
		return principal_same(party->name, who->account);
	case AUTH_PARTY_ARN:
		return principal_same(party->name, who->arn) ||
		       principal_same(party->name, who->role);
	case AUTH_PARTY_CANONICAL:
		return principal_same(party->name, who->canonical);
	case AUTH_PARTY_NOBODY:
		return false;
	}
	return false;
}

bool auth_party_names_exactly(const struct auth_party *party, const struct auth_principal *who)
{
	switch (party->kind) {
	case AUTH_PARTY_ACCOUNT:
		return who->type == AUTH_PRINCIPAL_ACCOUNT && auth_party_names(party, who);
	case AUTH_PARTY_ARN:
		return principal_same(party->name, who->arn);
	case AUTH_PARTY_EVERYONE:
	case AUTH_PARTY_CANONICAL:
	case AUTH_PARTY_NOBODY:
		return auth_party_names(party, who);
	}
	return false;
}
