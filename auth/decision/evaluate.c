// SPDX-License-Identifier: Apache-2.0
/* Questions to sets. Each is answered in three values: what is asked about one resource is never
 * MAYBE; what is asked about all below a prefix may be. */
#include "auth/decision/set_inside.h"

/* A question, and what has decided it. */
struct evaluation {
	const struct auth_policy_set *const *sets;
	size_t count;
	const struct auth_access *access;
	bool below; /* about all resources that begin with access->resource */
	/* The statement that made the last answer TRUE. */
	const struct auth_policy_set *set;
	const struct auth_index_entry *entry;
};

/* NotResource, of all resources below. */
static enum auth_truth evaluate_others(const struct auth_statement *statement,
				       const struct auth_access *access)
{
	enum auth_truth any = AUTH_FALSE;
	for (size_t i = 0; i < statement->nresources && any != AUTH_TRUE; i++) {
		enum auth_truth one = auth_pattern_match_below(&statement->resources[i],
							       access->resource, access);
		any = one > any ? one : any;
	}
	return auth_truth_not(any);
}

static enum auth_truth evaluate_covers(const struct evaluation *evaluation,
				       const struct auth_index_entry *entry)
{
	const struct auth_access *access = evaluation->access;
	if (entry->resource == NULL)
		return evaluation->below ? evaluate_others(entry->statement, access)
					 : auth_statement_covers(entry->statement, access);
	return evaluation->below
		       ? auth_pattern_match_below(entry->resource, access->resource, access)
		       : auth_pattern_match(entry->resource, AUTH_MATCH_ARN, access->resource,
					    access);
}

/* Does the statement speak of the request? */
static enum auth_truth evaluate_entry(const struct evaluation *evaluation,
				      const struct auth_index_entry *entry)
{
	const struct auth_access *access = evaluation->access;
	enum auth_truth covers, holds;
	if (!auth_statement_names(entry->policy, entry->statement, access->principal))
		return AUTH_FALSE;
	covers = evaluate_covers(evaluation, entry);
	if (covers == AUTH_FALSE)
		return AUTH_FALSE;
	holds = auth_statement_holds(entry->statement, access);
	return holds < covers ? holds : covers;
}

/* The greatest answer of a node's statements, `any` so far. */
static enum auth_truth evaluate_node(struct evaluation *evaluation, const struct auth_index *index,
				     size_t node, enum auth_truth any)
{
	const struct auth_index_entry **entries = index->entries + index->nodes[node].first;
	for (size_t i = 0; i < index->nodes[node].count && any != AUTH_TRUE; i++) {
		enum auth_truth one = evaluate_entry(evaluation, entries[i]);
		if (one > any) {
			any = one;
			evaluation->entry = entries[i];
		}
	}
	return any;
}

/* The greatest answer of an index's statements, `any` so far. */
static enum auth_truth evaluate_index(struct evaluation *evaluation, const struct auth_index *index,
				      enum auth_truth any)
{
	struct gml_span subject = evaluation->access->resource;
	size_t node, end;
	if (index->nnodes == 0)
		return any;
	for (int32_t at = auth_index_find(index, subject); at >= 0 && any != AUTH_TRUE;
	     at = index->nodes[at].parent)
		any = evaluate_node(evaluation, index, (size_t)at, any);
	if (!evaluation->below)
		return any;
	/* What begins with more than the prefix can match some of what is below, never all. */
	end = auth_index_within(index, subject, &node);
	for (; node < end && any == AUTH_FALSE; node++)
		any = evaluate_node(evaluation, index, node, any);
	return any;
}

static enum auth_truth evaluate_role(struct evaluation *evaluation, enum set_role role)
{
	enum auth_truth any = AUTH_FALSE;
	for (size_t i = 0; i < evaluation->count && any != AUTH_TRUE; i++) {
		const struct auth_policy_set *set = evaluation->sets[i];
		uint16_t class = set->classes[evaluation->access->action];
		enum auth_truth one =
			evaluate_index(evaluation, &set->class[class].roles[role], any);
		if (one > any) {
			any = one;
			evaluation->set = set;
		}
	}
	return any;
}

static bool evaluate_is_capped(const struct evaluation *evaluation, enum set_role role)
{
	for (size_t i = 0; i < evaluation->count; i++)
		if (evaluation->sets[i]->caps[role])
			return true;
	return false;
}

static struct auth_decision evaluate_decision(const struct evaluation *evaluation,
					      enum auth_verdict verdict)
{
	const struct auth_index_entry *entry = evaluation->entry;
	return (struct auth_decision){
		.verdict = verdict,
		.origin = evaluation->set->sources[entry->source].origin,
		.kind = entry->policy->kind,
		.statement = (int)(entry->statement - entry->policy->statements),
		.sid = entry->statement->sid,
	};
}

/* A policy of the kind that does not allow. */
static struct auth_decision evaluate_cap(const struct evaluation *evaluation, enum set_role role)
{
	static const enum auth_policy_kind kinds[SET_ROLES] = {
		[SET_BOUNDARY] = AUTH_POLICY_BOUNDARY,
		[SET_SESSION] = AUTH_POLICY_SESSION,
		[SET_KEY] = AUTH_POLICY_KEY,
	};
	struct auth_decision decision = {AUTH_VERDICT_CAPPED, NULL, kinds[role], -1, {NULL, 0}};
	for (size_t i = 0; i < evaluation->count && decision.origin == NULL; i++)
		for (size_t j = 0; j < evaluation->sets[i]->nsources; j++)
			if (evaluation->sets[i]->sources[j].policy->kind == kinds[role]) {
				decision.origin = evaluation->sets[i]->sources[j].origin;
				break;
			}
	return decision;
}

struct auth_decision auth_policy_evaluate(const struct auth_policy_set *const *sets, size_t count,
					  const struct auth_access *access)
{
	struct evaluation evaluation = {.sets = sets, .count = count, .access = access};
	if (access->resource.len == 0) /* it had no room: no Deny can be missed */
		return (struct auth_decision){.verdict = AUTH_VERDICT_DENY, .statement = -1};
	/* What is not known denies, and allows nothing. */
	if (evaluate_role(&evaluation, SET_DENY) != AUTH_FALSE)
		return evaluate_decision(&evaluation, AUTH_VERDICT_DENY);
	for (int role = SET_BOUNDARY; role < SET_ROLES; role++)
		if (evaluate_is_capped(&evaluation, (enum set_role)role) &&
		    evaluate_role(&evaluation, (enum set_role)role) != AUTH_TRUE)
			return evaluate_cap(&evaluation, (enum set_role)role);
	if (evaluate_role(&evaluation, SET_GRANT) == AUTH_TRUE)
		return evaluate_decision(&evaluation, AUTH_VERDICT_ALLOW);
	return (struct auth_decision){.verdict = AUTH_VERDICT_NONE, .statement = -1};
}

/* Is the request allowed? */
static enum auth_truth evaluate_truth(struct evaluation *evaluation)
{
	enum auth_truth all = evaluate_role(evaluation, SET_GRANT);
	for (int role = SET_BOUNDARY; role < SET_ROLES && all != AUTH_FALSE; role++)
		if (evaluate_is_capped(evaluation, (enum set_role)role)) {
			enum auth_truth one = evaluate_role(evaluation, (enum set_role)role);
			all = one < all ? one : all;
		}
	if (all != AUTH_FALSE) {
		enum auth_truth one = auth_truth_not(evaluate_role(evaluation, SET_DENY));
		all = one < all ? one : all;
	}
	return all;
}

/* Values of a question about more than one resource. `arg` is the access that was given. */
static struct auth_values evaluate_values(void *arg, enum auth_key key, struct gml_span name)
{
	const struct auth_access *given = arg;
	if (given->values == NULL ||
	    (key != AUTH_KEY_OTHER && auth_key_source(key) == AUTH_KEY_RESOURCE))
		return (struct auth_values){NULL, AUTH_VALUES_VARY};
	return given->values(given->arg, key, name);
}

/* The given request as one about more than one resource. */
static struct auth_access evaluate_asked(const struct auth_access *given)
{
	struct auth_access asked = *given;
	asked.values = evaluate_values;
	asked.arg = (void *)given;
	return asked;
}

enum auth_below auth_policy_below(const struct auth_policy_set *const *sets, size_t count,
				  const struct auth_access *access, struct gml_span bucket,
				  struct gml_span prefix)
{
	static const enum auth_below answers[] = {
		[AUTH_FALSE] = AUTH_BELOW_NONE,
		[AUTH_MAYBE] = AUTH_BELOW_DEPENDS,
		[AUTH_TRUE] = AUTH_BELOW_ALL,
	};
	char arn[AUTH_ARN_MAX];
	struct auth_access asked = evaluate_asked(access);
	struct evaluation evaluation = {
		.sets = sets, .count = count, .access = &asked, .below = true};
	asked.resource = auth_access_arn(arn, sizeof(arn), bucket, true, prefix);
	return asked.resource.len > 0 ? answers[evaluate_truth(&evaluation)] : AUTH_BELOW_DEPENDS;
}

/* Does an action have the same statements as the one before it? */
static bool evaluate_same(const struct evaluation *evaluation, int action)
{
	if (action == 0 || auth_action_kinds(action) != auth_action_kinds(action - 1))
		return false;
	for (size_t i = 0; i < evaluation->count; i++)
		if (evaluation->sets[i]->classes[action] !=
		    evaluation->sets[i]->classes[action - 1])
			return false;
	return true;
}

bool auth_policy_could(const struct auth_policy_set *const *sets, size_t count,
		       const struct auth_access *access, struct gml_span bucket,
		       struct gml_span prefix)
{
	char arn[AUTH_ARN_MAX];
	struct auth_access asked = evaluate_asked(access);
	struct evaluation evaluation = {.sets = sets, .count = count, .access = &asked};
	struct gml_span below = auth_access_arn(arn, sizeof(arn), bucket, true, prefix);
	if (below.len == 0) /* longer than S3's names: not known */
		return true;
	for (int action = 0; action < auth_action_count(); action++) {
		unsigned kinds = auth_action_kinds(action);
		if (evaluate_same(&evaluation, action))
			continue;
		asked.action = action;
		asked.resource = below;
		evaluation.below = true;
		if ((kinds & AUTH_RESOURCE_OBJECT) && evaluate_truth(&evaluation) != AUTH_FALSE)
			return true;
		asked.resource.len = below.len - 1; /* without the slash */
		evaluation.below = false;
		if (prefix.len == 0 && (kinds & AUTH_RESOURCE_BUCKET) &&
		    evaluate_truth(&evaluation) != AUTH_FALSE)
			return true;
	}
	return false;
}

/* ---- ranges of keys -------------------------------------------------------------------------- */

/* Is the request refused, whatever grants it: does a Deny match, or does a cap not allow it? */
static enum auth_truth evaluate_refused(struct evaluation *evaluation)
{
	enum auth_truth any = evaluate_role(evaluation, SET_DENY);
	for (int role = SET_BOUNDARY; role < SET_ROLES && any != AUTH_TRUE; role++)
		if (evaluate_is_capped(evaluation, (enum set_role)role)) {
			enum auth_truth one =
				auth_truth_not(evaluate_role(evaluation, (enum set_role)role));
			any = one > any ? one : any;
		}
	return any;
}

struct auth_spread auth_policy_spread(const struct auth_policy_set *const *sets, size_t count,
				      const struct auth_access *access,
				      const struct auth_range *range)
{
	char arn[AUTH_ARN_MAX];
	struct auth_access asked = evaluate_asked(access);
	struct evaluation evaluation = {
		.sets = sets, .count = count, .access = &asked, .below = range->below};
	asked.resource = auth_access_arn(arn, sizeof(arn), range->bucket, true, range->key);
	if (asked.resource.len == 0)
		return (struct auth_spread){AUTH_MAYBE, AUTH_MAYBE};
	return (struct auth_spread){evaluate_truth(&evaluation), evaluate_refused(&evaluation)};
}

/* An action of S3 on objects. */
static bool evaluate_is_object(int action)
{
	return (auth_action_kinds(action) & AUTH_RESOURCE_OBJECT) &&
	       gml_span_starts(gml_span_text(auth_action_name(action)), GML_LIT("s3:"));
}

struct auth_reach auth_policy_reach(const struct auth_policy_set *const *sets, size_t count,
				    const struct auth_access *access,
				    const struct auth_range *range)
{
	char arn[AUTH_ARN_MAX];
	struct auth_access asked = evaluate_asked(access);
	struct evaluation evaluation = {
		.sets = sets, .count = count, .access = &asked, .below = range->below};
	struct auth_reach reach = {.shut = true};
	asked.resource = auth_access_arn(arn, sizeof(arn), range->bucket, true, range->key);
	if (asked.resource.len == 0)
		return (struct auth_reach){.could = true, .shut = false};
	for (int action = 0; action < auth_action_count() && (!reach.could || reach.shut);
	     action++) {
		if (!evaluate_is_object(action) || (action > 0 && evaluate_is_object(action - 1) &&
						    evaluate_same(&evaluation, action)))
			continue;
		asked.action = action;
		if (!reach.sure) {
			enum auth_truth one = evaluate_truth(&evaluation);
			reach.could = reach.could || one != AUTH_FALSE;
			reach.sure = one == AUTH_TRUE;
		}
		reach.shut = reach.shut && evaluate_refused(&evaluation) == AUTH_TRUE;
	}
	return reach;
}
