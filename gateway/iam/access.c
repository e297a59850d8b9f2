// SPDX-License-Identifier: Apache-2.0
#include "access.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <gemel/err.h>
#include <gemel/principal.h>
#include "gateway/base/assert.h"
#include "gateway/base/span.h"
#include "access_cache.h"
#include "access_load.h"
#include "access_values.h"
#include "epoch.h"
#include "store.h"

/* ---- actions ---- */

static pthread_once_t access_actions_once = PTHREAD_ONCE_INIT;
static int16_t access_actions[GML_ACTION_COUNT][2]; /* of anything else, of a directory */

static void access_actions_find(void)
{
	for (int i = 0; i < GML_ACTION_COUNT; i++)
		for (int directory = 0; directory < 2; directory++)
			access_actions[i][directory] = (int16_t)auth_action_find(
				gml_span_text(gml_action_name((enum gml_action)i, directory)));
}

int gml_access_action(const struct gml_access_question *question)
{
	pthread_once(&access_actions_once, access_actions_find);
	return access_actions[question->action][question->directory];
}

/* ---- what applies ---- */

void gml_access_release(struct gml_access_held *held)
{
	gml_access_entry_unref(held->caller);
	gml_access_entry_unref(held->bucket);
}

static void access_key_span(struct access_key *key, enum access_kind kind, struct gml_span name)
{
	key->bytes[0] = (uint8_t)kind;
	key->len = 1 + (name.len < sizeof(key->bytes) ? name.len : sizeof(key->bytes) - 1);
	memcpy(key->bytes + 1, name.ptr, key->len - 1);
}

static void access_key_caller(struct access_key *key, const struct gml_principal *principal)
{
	uint32_t uid = principal->cred.uid;
	if (principal->user != NULL)
		access_key_span(key, ACCESS_USER, gml_span_text(principal->user));
	else
		access_key_span(key, ACCESS_UID, gml_span_of(&uid, sizeof(uid)));
}

static void access_key_bucket(struct access_key *key, gml_ino root)
{
	uint64_t line = gml_line_id(root);
	access_key_span(key, ACCESS_BUCKET, gml_span_of(&line, sizeof(line)));
}

/* An entry that is not remembered: it is read, and remembered. *out: a reference. */
static int access_load(const struct access_source *source, const struct access_key *key,
		       const struct gml_principal *principal, gml_ino root,
		       struct access_entry **out)
{
	struct access_entry *entry = gml_access_entry_new(key);
	int rc;
	gml_assert(principal != NULL || key->bytes[0] == ACCESS_BUCKET);
	if (entry == NULL)
		return GML_ERR_NOMEM;
	if (key->bytes[0] == ACCESS_BUCKET)
		rc = gml_access_load_bucket(source, root, entry);
	else if (principal->user != NULL)
		rc = gml_access_load_user(source, gml_span_text(principal->user), entry);
	else
		rc = gml_access_load_uid(source, principal->cred.uid, entry);
	if (rc != 0) {
		gml_access_entry_unref(entry);
		return rc;
	}
	entry->asof = source->now;
	if (source->remember)
		gml_access_install(source->access, entry);
	*out = entry;
	return 0;
}

/* Reads what `held` lacks. A snapshot that is older than the epoch may not be remembered as of it,
 * so readers read in one of their own. A write transaction sees each change that has a number. */
static int access_read(struct gml_store *store, struct gml_txn *txn, uint64_t now,
		       const struct gml_access_question *question, struct gml_access_held *held,
		       bool wants_caller)
{
	const struct gml_access_epoch *epoch = gml_store_access_epoch(store);
	struct access_source source = {.access = gml_store_access(store),
				       .txn = txn,
				       .now = now,
				       .remember = gml_access_epoch_settled(epoch, now)};
	struct gml_txn *own = NULL;
	struct access_key key;
	int rc = txn->writable ? 0 : gml_meta_read_begin(gml_store_meta(store), &own);
	if (own != NULL)
		source.txn = own;
	held->firm = source.remember;
	if (rc == 0 && wants_caller && held->caller == NULL) {
		access_key_caller(&key, question->principal);
		rc = access_load(&source, &key, question->principal, GML_INO_NONE, &held->caller);
	}
	if (rc == 0 && !gml_ino_is_none(question->root) && held->bucket == NULL) {
		access_key_bucket(&key, question->root);
		rc = access_load(&source, &key, NULL, question->root, &held->bucket);
	}
	gml_meta_read_end(own);
	return rc;
}

/* Whether anybody has a policy, for a first question as of this epoch. */
static int access_any_read(struct gml_store *store, struct gml_txn *txn, uint64_t now, bool *out)
{
	const struct gml_access_epoch *epoch = gml_store_access_epoch(store);
	bool settled = gml_access_epoch_settled(epoch, now);
	struct gml_txn *own = NULL;
	int rc = txn->writable ? 0 : gml_meta_read_begin(gml_store_meta(store), &own);
	if (rc == 0)
		rc = gml_rec_policy_any(own != NULL ? own : txn, out);
	gml_meta_read_end(own);
	if (rc == 0 && settled)
		gml_access_any_set(gml_store_access(store), now, *out);
	return rc;
}

/* *out false: no policy says anything. */
static int access_applies(struct gml_store *store, struct gml_txn *txn, uint64_t now,
			  const struct gml_principal *principal, bool *out)
{
	enum access_any any;
	*out = false;
	if (principal->authn == GML_AUTHN_LOCAL)
		return 0;
	any = gml_access_any(gml_store_access(store), now);
	if (any == ACCESS_ANY_UNKNOWN)
		return access_any_read(store, txn, now, out);
	*out = any == ACCESS_ANY_SOME;
	return 0;
}

bool gml_access_is_silent(struct gml_store *store, const struct gml_principal *principal)
{
	uint64_t now = gml_access_epoch_now(gml_store_access_epoch(store));
	return principal->authn == GML_AUTHN_LOCAL ||
	       gml_access_any(gml_store_access(store), now) == ACCESS_ANY_NONE;
}

static void access_gather(struct gml_access_held *held)
{
	const struct access_entry *entries[] = {held->caller, held->bucket};
	for (size_t i = 0; i < 2; i++)
		if (entries[i] != NULL && entries[i]->set != NULL)
			held->sets[held->count++] = entries[i]->set;
	held->both = held->bucket != NULL && held->bucket->facts.both;
	held->who = held->caller != NULL
			    ? held->caller->who
			    : (struct auth_principal){.type = AUTH_PRINCIPAL_ANONYMOUS};
}

int gml_access_hold(struct gml_store *store, struct gml_txn *txn,
		    const struct gml_access_question *question, struct gml_access_held *held)
{
	struct gml_access *access = gml_store_access(store);
	uint64_t now = gml_access_epoch_now(gml_store_access_epoch(store));
	bool caller = question->principal->authn != GML_AUTHN_ANONYMOUS, applies;
	struct access_key key;
	int rc = access_applies(store, txn, now, question->principal, &applies);
	*held = (struct gml_access_held){.asof = now, .firm = true};
	if (rc != 0 || !applies)
		return rc;
	if (caller) {
		access_key_caller(&key, question->principal);
		held->caller = gml_access_find(access, &key, now);
	}
	if (!gml_ino_is_none(question->root)) {
		access_key_bucket(&key, question->root);
		held->bucket = gml_access_find(access, &key, now);
	}
	if ((caller && held->caller == NULL) ||
	    (!gml_ino_is_none(question->root) && held->bucket == NULL))
		rc = access_read(store, txn, now, question, held, caller);
	if (rc == 0)
		access_gather(held);
	return rc;
}

/* Does a public access block keep the bucket's policy from granting to this caller? */
static bool access_restricted(const struct gml_access_held *held)
{
	return held->who.type == AUTH_PRINCIPAL_ANONYMOUS && held->bucket != NULL &&
	       held->bucket->facts.is_public &&
	       (held->bucket->facts.public_access & GML_RESTRICT_PUBLIC_BUCKETS);
}

/* ---- the question ---- */

static struct gml_span access_bucket_name(const struct gml_access_question *question,
					  const struct gml_access_held *held)
{
	return held->bucket != NULL ? gml_span_text(held->bucket->bucket) : question->bucket;
}

/* The resource of an action, as its kinds have it. */
#define ACCESS_ARN_MAX (AUTH_ARN_MAX - GML_KEY_MAX + GML_PATH_LEN_MAX)

static struct gml_span access_resource(char buf[ACCESS_ARN_MAX], int action,
				       const struct gml_access_question *question,
				       const struct gml_access_held *held)
{
	unsigned kinds = auth_action_kinds(action);
	if (kinds & AUTH_RESOURCE_OBJECT)
		return auth_access_arn(buf, ACCESS_ARN_MAX, access_bucket_name(question, held),
				       true, question->key);
	if (kinds & AUTH_RESOURCE_BUCKET)
		return auth_access_arn(buf, ACCESS_ARN_MAX, access_bucket_name(question, held),
				       false, gml_span_of(NULL, 0));
	return GML_LIT("arn:aws:s3:::*");
}

/* What evaluation is given, but the resource and the action. */
static struct auth_access access_asked(const struct gml_access_held *held, struct gml_txn *txn,
				       const struct gml_access_question *question,
				       struct access_values *values)
{
	gml_access_values_init(values, txn, question, held);
	return (struct auth_access){.principal = &held->who,
				    .action = gml_access_action(question),
				    .values = gml_access_value,
				    .arg = values};
}

static int access_decide(const struct gml_access_held *held, struct gml_txn *txn,
			 const struct gml_access_question *question, struct auth_decision *out)
{
	struct access_values values;
	struct auth_access asked = access_asked(held, txn, question, &values);
	struct auth_decision decision;
	char arn[ACCESS_ARN_MAX];
	*out = (struct auth_decision){.verdict = AUTH_VERDICT_NONE, .statement = -1};
	if (held->count == 0 || asked.action == AUTH_ACTION_NONE)
		return 0;
	asked.resource = access_resource(arn, asked.action, question, held);
	gml_assert(asked.resource.len > 0); /* the lengths are within their limits */
	decision = auth_policy_evaluate(held->sets, held->count, &asked);
	if (values.rc == 0)
		*out = decision;
	return values.rc;
}

int gml_held_decide(const struct gml_access_held *held, struct gml_txn *txn,
		    const struct gml_access_question *question, struct auth_decision *out)
{
	int rc = access_decide(held, txn, question, out);
	if (out->verdict == AUTH_VERDICT_ALLOW && access_restricted(held))
		*out = (struct auth_decision){.verdict = AUTH_VERDICT_NONE, .statement = -1};
	return rc;
}

int gml_held_withheld(const struct gml_access_held *held, struct gml_txn *txn,
		      const struct gml_access_question *question, struct auth_decision *out)
{
	int rc = access_decide(held, txn, question, out);
	if (out->verdict != AUTH_VERDICT_ALLOW || !access_restricted(held))
		*out = (struct auth_decision){.verdict = AUTH_VERDICT_NONE, .statement = -1};
	return rc;
}

int gml_held_spread(const struct gml_access_held *held, struct gml_txn *txn,
		    const struct gml_access_question *question, struct auth_spread *out)
{
	struct access_values values;
	struct auth_access asked = access_asked(held, txn, question, &values);
	const struct auth_range range = {access_bucket_name(question, held), question->key, true};
	*out = (struct auth_spread){AUTH_FALSE, AUTH_FALSE};
	if (held->count == 0 || asked.action == AUTH_ACTION_NONE)
		return 0;
	*out = auth_policy_spread(held->sets, held->count, &asked, &range);
	if (access_restricted(held))
		out->allowed = AUTH_FALSE;
	return values.rc;
}

int gml_held_reach(const struct gml_access_held *held, struct gml_txn *txn,
		   const struct gml_access_question *question, struct auth_reach *out)
{
	struct access_values values;
	struct auth_access asked = access_asked(held, txn, question, &values);
	const struct auth_range range = {access_bucket_name(question, held), question->key,
					 question->directory};
	*out = (struct auth_reach){.could = false};
	if (held->count == 0)
		return 0;
	*out = auth_policy_reach(held->sets, held->count, &asked, &range);
	if (access_restricted(held))
		out->could = out->sure = false;
	return values.rc;
}

int gml_held_could(const struct gml_access_held *held, struct gml_txn *txn,
		   const struct gml_access_question *question, bool *out)
{
	struct access_values values;
	struct auth_access asked = access_asked(held, txn, question, &values);
	*out = held->count > 0 && !access_restricted(held) &&
	       auth_policy_could(held->sets, held->count, &asked,
				 access_bucket_name(question, held), question->key);
	return values.rc;
}

int gml_access_bucket(struct gml_store *store, struct gml_txn *txn, gml_ino root,
		      struct gml_access_bucket *out)
{
	const struct gml_access_question question = {.root = root};
	uint64_t now = gml_access_epoch_now(gml_store_access_epoch(store));
	struct gml_access_held held = {.count = 0};
	struct access_key key;
	int rc = 0;
	access_key_bucket(&key, root);
	held.bucket = gml_access_find(gml_store_access(store), &key, now);
	if (held.bucket == NULL)
		rc = access_read(store, txn, now, &question, &held, false);
	gml_assert(rc != 0 || held.bucket != NULL);
	if (rc == 0)
		*out = held.bucket->facts;
	gml_access_release(&held);
	return rc;
}
