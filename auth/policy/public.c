// SPDX-License-Identifier: Apache-2.0
/* Whether a bucket's policy is public (S3 User Guide: The meaning of "public"). A statement that
 * allows something to everyone is, unless a condition ties it to fixed principals or networks. */
#include "auth/policy/statement.h"

/* Keys whose fixed values say who asks, or for whom. Services of AWS that Gemel has not give no
 * value to some of them, so that what they allow is allowed to nobody. */
static bool public_key_binds(const struct auth_condition *condition)
{
	static const char *const others[] = {"aws:PrincipalOrgID", "aws:SourceArn",
					     "aws:SourceVpc",	   "aws:SourceVpce",
					     "aws:SourceOwner",	   "aws:SourceAccount"};
	switch (condition->key) {
	case AUTH_KEY_USERNAME:
	case AUTH_KEY_USERID:
	case AUTH_KEY_PRINCIPAL_ARN:
	case AUTH_KEY_PRINCIPAL_ACCOUNT:
		return true;
	case AUTH_KEY_OTHER:
		for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
			if (gml_span_is_nocase(condition->key_name, others[i]))
				return true;
		return false;
	default: /* what else a request says, anybody can say */
		return false;
	}
}

/* Is a range of addresses no wider than S3 takes for a fixed one: /8 of IPv4, /32 of IPv6, or
 * within the private ranges of RFC 1918? */
static bool public_network_binds(const struct auth_network *network)
{
	static const char *const private_ranges[] = {"10.0.0.0/8", "172.16.0.0/12",
						     "192.168.0.0/16"};
	struct auth_network mapped, range;
	bool four = auth_network_parse(GML_LIT("::ffff:0:0/96"), &mapped) &&
		    auth_network_contains(&mapped, network);
	if (network->bits >= (four ? 96 + 8 : 32))
		return true;
	for (size_t i = 0; i < sizeof(private_ranges) / sizeof(*private_ranges); i++)
		if (auth_network_parse(gml_span_text(private_ranges[i]), &range) &&
		    auth_network_contains(&range, network))
			return true;
	return false;
}

/* Anonymous callers have this as aws:userid and aws:PrincipalAccount. */
static bool public_is_anybody(const struct auth_condition *condition,
			      const union auth_operand *operand)
{
	return (condition->key == AUTH_KEY_USERID ||
		condition->key == AUTH_KEY_PRINCIPAL_ACCOUNT) &&
	       gml_span_is_nocase(operand->pattern.text, "anonymous");
}

static bool public_operand_binds(const struct auth_condition *condition,
				 const union auth_operand *operand)
{
	switch (condition->how.compare) {
	case AUTH_COMPARE_STRING:
	case AUTH_COMPARE_STRING_NOCASE:
	case AUTH_COMPARE_STRING_LIKE:
	case AUTH_COMPARE_ARN:
		return public_key_binds(condition) && operand->pattern.literal &&
		       !public_is_anybody(condition, operand);
	case AUTH_COMPARE_NETWORK:
		return condition->key == AUTH_KEY_SOURCE_IP &&
		       public_network_binds(&operand->network);
	case AUTH_COMPARE_NUMBER:
	case AUTH_COMPARE_DATE:
	case AUTH_COMPARE_BOOL:
	case AUTH_COMPARE_BINARY:
	case AUTH_COMPARE_NULL:
		break;
	}
	return false;
}

static bool public_condition_binds(const struct auth_condition *condition)
{
	const struct auth_operator *how = &condition->how;
	/* These hold where the key is absent. */
	if (how->negated || how->if_exists || how->quantifier == AUTH_FOR_ALL)
		return false;
	for (size_t i = 0; i < condition->count; i++)
		if (!public_operand_binds(condition, &condition->operands[i]))
			return false;
	return true;
}

bool auth_statement_is_public(const struct auth_statement *statement)
{
	bool everyone = false; /* NotPrincipal does not allow */
	for (size_t i = 0; i < statement->nparties; i++)
		everyone = everyone || statement->parties[i].kind == AUTH_PARTY_EVERYONE;
	if (!statement->allow || !everyone)
		return false;
	for (size_t i = 0; i < statement->nconditions; i++)
		if (public_condition_binds(&statement->conditions[i]))
			return false;
	return true;
}

bool auth_policy_is_public(const struct auth_policy *policy)
{
	for (size_t i = 0; policy->kind == AUTH_POLICY_BUCKET && i < policy->nstatements; i++)
		if (auth_statement_is_public(&policy->statements[i]))
			return true;
	return false;
}
