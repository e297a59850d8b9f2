// SPDX-License-Identifier: Apache-2.0
/* One condition of a statement: an operator, a key, and values (IAM JSON policy elements: Condition
 * operators).
 *
 * Pure; any thread; no blocking. */
#ifndef GML_AUTH_POLICY_CONDITION_H
#define GML_AUTH_POLICY_CONDITION_H

#include "auth/access/pattern.h"
#include "auth/access/value.h"

/* What is compared. */
enum auth_compare {
	AUTH_COMPARE_STRING,
	AUTH_COMPARE_STRING_NOCASE,
	AUTH_COMPARE_STRING_LIKE,
	AUTH_COMPARE_NUMBER,
	AUTH_COMPARE_DATE,
	AUTH_COMPARE_BOOL,
	AUTH_COMPARE_BINARY,
	AUTH_COMPARE_NETWORK,
	AUTH_COMPARE_ARN,
	AUTH_COMPARE_NULL,
};

/* How a value of the request lies to one of the policy. */
enum auth_relation { AUTH_EQUAL, AUTH_LESS, AUTH_LESS_EQUAL, AUTH_GREATER, AUTH_GREATER_EQUAL };

enum auth_quantifier {
	AUTH_PLAIN,
	AUTH_FOR_ANY, /* ForAnyValue: one value of the request at least */
	AUTH_FOR_ALL, /* ForAllValues: every value of the request, also when there is none */
};

struct auth_operator {
	enum auth_compare compare;
	enum auth_relation relation;
	enum auth_quantifier quantifier;
	bool negated;	/* …Not… */
	bool if_exists; /* …IfExists: holds where the key is absent */
};

union auth_operand {
	struct auth_pattern pattern; /* strings, ARNs, Bool */
	struct auth_number number;
	struct auth_date date;
	struct auth_network network;
	struct gml_span bytes;
	bool null;
};

struct auth_condition {
	struct auth_operator how;
	struct gml_span operator_name, key_name; /* as the policy has them */
	enum auth_key key;
	const union auth_operand *operands;
	const struct gml_span *values; /* the operands as the policy has them */
	size_t count;
};

/* The operator of a name such as "ForAnyValue:StringLikeIfExists". false: there is none. */
bool auth_operator_find(struct gml_span name, struct auth_operator *out);
/* The names of operators, without what may stand around them; NULL behind the last one. */
const char *auth_operator_name(size_t index);
/* A name without what stands around it, as far as that is spelled right but for case. */
struct gml_span auth_operator_bare(struct gml_span name);

/* Compiles one value, which `arena` must outlive. `variables`: ${…} is one. Returns NULL, or what
 * is wrong as the end of a sentence (static). */
const char *auth_operand_compile(struct auth_arena *arena, const struct auth_operator *how,
				 struct gml_span text, bool variables, union auth_operand *out);

/* Are its operands patterns? */
bool auth_condition_has_patterns(const struct auth_condition *condition);
/* The keys that it asks for. */
auth_key_set auth_condition_needs(const struct auth_condition *condition);
/* Does it hold? MAYBE: a value is not known. */
enum auth_truth auth_condition_holds(const struct auth_condition *condition,
				     const struct auth_access *access);

#endif
