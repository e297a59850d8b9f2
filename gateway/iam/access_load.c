// SPDX-License-Identifier: Apache-2.0
#include "access_load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gemel/err.h>
#include "auth/access/arena.h"
#include "gateway/base/span.h"
#include "document.h"
#include "grant.h"
#include "name.h"

#define LOAD_USER_ARN "arn:aws:iam::" GML_IAM_ACCOUNT ":user/"
#define LOAD_ROOT_ARN "arn:aws:iam::" GML_IAM_ACCOUNT ":root"

/* The policies of a set while they are gathered. */
struct load {
	const struct access_source *source;
	struct auth_arena arena; /* origins */
	struct auth_policy_source *list;
	size_t count, room;
	const struct gml_rec_identity *identity; /* whose are gathered */
	char whose[32 + GML_GROUP_NAME_MAX];	 /* "user ann", for people */
	int rc;
};

static void load_release(struct load *load)
{
	for (size_t i = 0; i < load->count; i++)
		auth_policy_unref(load->list[i].policy);
	free(load->list);
	auth_arena_release(&load->arena);
}

/* Adds a policy, whose reference becomes the load's. */
static int load_add(struct load *load, struct auth_policy *policy, const char *origin)
{
	struct gml_span copy = auth_arena_copy(&load->arena, gml_span_text(origin));
	if (load->count == load->room) {
		size_t room = load->room != 0 ? load->room * 2 : 8;
		struct auth_policy_source *list = reallocarray(load->list, room, sizeof(*list));
		if (list != NULL) {
			load->list = list;
			load->room = room;
		}
	}
	if (load->arena.failed || load->count == load->room) {
		auth_policy_unref(policy);
		return GML_ERR_NOMEM;
	}
	load->list[load->count++] = (struct auth_policy_source){policy, copy.ptr};
	return 0;
}

/* A document that was valid when it was set. */
static int load_parse(struct gml_txn *txn, enum auth_policy_kind kind, struct gml_span document,
		      const char *origin, struct auth_policy **out)
{
	const struct gml_span none = {NULL, 0};
	struct auth_policy_error error;
	if (auth_policy_parse(kind, document, none, out, &error))
		return 0;
	if (error.memory)
		return GML_ERR_NOMEM;
	gml_txn_log(txn, GML_LOG_ERROR,
		    "%s cannot be read, so what it may concern is refused: %s%s%s", origin,
		    error.place, error.place[0] != '\0' ? ": " : "", error.text);
	return GML_ERR_CORRUPT;
}

/* ---- managed policies: parsed once for all that have them ---- */

static int load_managed_new(const struct access_source *source, enum auth_policy_kind kind,
			    const struct access_key *key, struct gml_span name,
			    struct access_entry **out)
{
	struct access_entry *entry = gml_access_entry_new(key);
	char origin[16 + GML_POLICY_NAME_MAX];
	struct gml_policy policy;
	struct gml_span document;
	int rc = entry == NULL ? GML_ERR_NOMEM
			       : gml_rec_policy_get(source->txn, name, &policy, &document);
	snprintf(origin, sizeof(origin), "policy %.*s", (int)name.len, (const char *)name.ptr);
	if (rc == GML_ERR_NOENT)
		rc = GML_ERR_CORRUPT; /* attached, and not there */
	if (rc == 0)
		rc = load_parse(source->txn, kind, document, origin, &entry->policy);
	if (rc != 0) {
		gml_access_entry_unref(entry);
		return rc;
	}
	entry->bytes += auth_policy_size(entry->policy);
	entry->asof = source->now;
	if (source->remember)
		gml_access_install(source->access, entry);
	*out = entry;
	return 0;
}

/* *out: a reference of the caller's. */
static int load_managed(const struct access_source *source, enum auth_policy_kind kind,
			struct gml_span name, struct auth_policy **out)
{
	struct access_entry *entry = NULL;
	struct access_key key = {.len = 1 + name.len};
	int rc = 0;
	key.bytes[0] = kind == AUTH_POLICY_BOUNDARY ? ACCESS_BOUNDARY : ACCESS_POLICY;
	if (name.len > GML_POLICY_NAME_MAX)
		return GML_ERR_CORRUPT;
	memcpy(key.bytes + 1, name.ptr, name.len);
	if (source->remember)
		entry = gml_access_find(source->access, &key, source->now);
	if (entry == NULL)
		rc = load_managed_new(source, kind, &key, name, &entry);
	if (rc != 0)
		return rc;
	*out = auth_policy_ref(entry->policy);
	gml_access_entry_unref(entry);
	return 0;
}

/* ---- the policies of an identity ---- */

static bool load_attached(void *arg, struct gml_span name)
{
	struct load *load = arg;
	struct auth_policy *policy;
	char origin[GML_ACCESS_ORIGIN_MAX];
	load->rc = load_managed(load->source, AUTH_POLICY_IDENTITY, name, &policy);
	if (load->rc != 0)
		return false;
	snprintf(origin, sizeof(origin), "policy %.*s of %s", (int)name.len, (const char *)name.ptr,
		 load->whose);
	load->rc = load_add(load, policy, origin);
	return load->rc == 0;
}

static bool load_inline(void *arg, struct gml_span name, struct gml_span document)
{
	struct load *load = arg;
	struct auth_policy *policy;
	char origin[GML_ACCESS_ORIGIN_MAX];
	snprintf(origin, sizeof(origin), "own policy %.*s of %s", (int)name.len,
		 (const char *)name.ptr, load->whose);
	load->rc = load_parse(load->source->txn, AUTH_POLICY_IDENTITY, document, origin, &policy);
	if (load->rc == 0)
		load->rc = load_add(load, policy, origin);
	return load->rc == 0;
}

static int load_identity(struct load *load, const struct gml_rec_identity *identity,
			 const char *kind)
{
	struct gml_txn *txn = load->source->txn;
	int rc;
	load->identity = identity;
	snprintf(load->whose, sizeof(load->whose), "%s %.*s", kind, (int)identity->name.len,
		 (const char *)identity->name.ptr);
	rc = gml_rec_attached_each(txn, identity, load_attached, load);
	if (rc == 0 && load->rc == 0)
		rc = gml_rec_inline_each(txn, identity, load_inline, load);
	return rc != 0 ? rc : load->rc;
}

static bool load_group(void *arg, struct gml_span name)
{
	struct load *load = arg;
	const struct gml_rec_identity group = {GML_IDENTITY_GROUP, name};
	load->rc = load_identity(load, &group, "group");
	return load->rc == 0;
}

static int load_boundary(struct load *load, const struct gml_rec_identity *user)
{
	char name[GML_POLICY_NAME_MAX + 1], origin[GML_ACCESS_ORIGIN_MAX];
	struct auth_policy *policy;
	int rc = gml_rec_boundary_get(load->source->txn, user, name);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? 0 : rc;
	rc = load_managed(load->source, AUTH_POLICY_BOUNDARY, gml_span_text(name), &policy);
	if (rc != 0)
		return rc;
	snprintf(origin, sizeof(origin), "boundary %s of user %.*s", name, (int)user->name.len,
		 (const char *)user->name.ptr);
	return load_add(load, policy, origin);
}

/* Makes the set of what was gathered; none of no policies. */
static int load_set(struct load *load, struct access_entry *entry)
{
	if (load->count == 0)
		return 0;
	entry->set = auth_policy_set_new(load->list, load->count);
	if (entry->set == NULL)
		return GML_ERR_NOMEM;
	entry->bytes += auth_policy_set_size(entry->set);
	return 0;
}

/* ---- callers ---- */

static int load_tags(struct gml_txn *txn, const struct gml_rec_identity *user,
		     struct access_entry *entry)
{
	struct gml_span pairs;
	int rc = gml_rec_tags_get(txn, user, &pairs);
	if (rc == 0)
		rc = gml_document_copy(pairs, &entry->tags, &entry->tags_len);
	entry->bytes += entry->tags_len;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static void load_who(const struct gml_user *user, struct access_entry *entry)
{
	snprintf(entry->arn, sizeof(entry->arn), LOAD_USER_ARN "%s", user->name);
	snprintf(entry->userid, sizeof(entry->userid), "%s", user->id);
	snprintf(entry->username, sizeof(entry->username), "%s", user->name);
	snprintf(entry->canonical, sizeof(entry->canonical), "%012u", user->uid);
	entry->who = (struct auth_principal){
		.type = AUTH_PRINCIPAL_USER,
		.arn = gml_span_text(entry->arn),
		.userid = gml_span_text(entry->userid),
		.username = gml_span_text(entry->username),
		.account = GML_LIT(GML_IAM_ACCOUNT),
		.canonical = gml_span_text(entry->canonical),
	};
}

static int load_found(const struct access_source *source, const struct gml_user *user,
		      struct access_entry *entry)
{
	const struct gml_rec_identity identity = {GML_IDENTITY_USER,
						  gml_iam_span(user->name, sizeof(user->name))};
	struct load load = {.source = source};
	int rc = load_tags(source->txn, &identity, entry);
	load_who(user, entry);
	if (rc == 0)
		rc = load_identity(&load, &identity, "user");
	if (rc == 0)
		rc = gml_rec_member_each_of(source->txn, identity.name, load_group, &load);
	if (rc == 0)
		rc = load.rc;
	if (rc == 0)
		rc = load_boundary(&load, &identity);
	if (rc == 0)
		rc = load_set(&load, entry);
	load_release(&load);
	return rc;
}

int gml_access_load_user(const struct access_source *source, struct gml_span name,
			 struct access_entry *entry)
{
	struct gml_user user;
	int rc = gml_rec_user_get(source->txn, name, &user);
	/* Deleted since the request began: a caller without any right. */
	if (rc == GML_ERR_NOENT)
		return 0;
	return rc != 0 ? rc : load_found(source, &user, entry);
}

int gml_access_load_uid(const struct access_source *source, uint32_t uid,
			struct access_entry *entry)
{
	struct gml_user user;
	int rc = gml_rec_user_by_uid(source->txn, uid, &user);
	if (rc == 0)
		return load_found(source, &user, entry);
	if (rc == GML_ERR_NOENT && uid == 0)
		entry->who = (struct auth_principal){.type = AUTH_PRINCIPAL_ACCOUNT,
						     .arn = GML_LIT(LOAD_ROOT_ARN),
						     .userid = GML_LIT(GML_IAM_ACCOUNT),
						     .account = GML_LIT(GML_IAM_ACCOUNT)};
	return rc == GML_ERR_NOENT ? 0 : rc;
}

/* ---- buckets ---- */

static int load_bucket_policy(struct load *load, gml_ino root, struct access_entry *entry)
{
	char origin[32 + GML_BUCKET_NAME_MAX];
	struct auth_policy *policy;
	struct gml_span document;
	int rc = gml_rec_config_get(load->source->txn, root, GML_BUCKET_POLICY, &document);
	if (rc != 0)
		return rc == GML_ERR_NOENT ? 0 : rc;
	snprintf(origin, sizeof(origin), "policy of bucket %s", entry->bucket);
	rc = load_parse(load->source->txn, AUTH_POLICY_BUCKET, document, origin, &policy);
	if (rc != 0)
		return rc;
	entry->facts.has_policy = true;
	entry->facts.is_public = auth_policy_is_public(policy);
	return load_add(load, policy, origin);
}

static int load_bucket_tags(struct gml_txn *txn, gml_ino root, struct access_entry *entry)
{
	struct gml_span document;
	int rc = gml_rec_config_get(txn, root, GML_BUCKET_TAGGING, &document);
	if (rc == 0)
		rc = gml_document_copy(document, &entry->tags, &entry->tags_len);
	entry->bytes += entry->tags_len;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

static int load_both(struct gml_txn *txn, gml_ino root, struct access_entry *entry)
{
	int rc = gml_rec_policy_bucket_has(txn, root, GML_BUCKET_ACCESS);
	entry->facts.both = rc == 0;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_access_load_bucket(const struct access_source *source, gml_ino root,
			   struct access_entry *entry)
{
	struct load load = {.source = source};
	int rc = gml_rec_line_name(source->txn, gml_line_id(root), entry->bucket);
	if (rc == 0)
		rc = load_both(source->txn, root, entry);
	if (rc == 0)
		rc = gml_document_public_access(source->txn, root, &entry->facts.public_access);
	if (rc == 0)
		rc = gml_grants_ownership(source->txn, root, &entry->facts.ownership);
	if (rc == 0)
		rc = load_bucket_tags(source->txn, root, entry);
	if (rc == 0)
		rc = load_bucket_policy(&load, root, entry);
	if (rc == 0)
		rc = load_set(&load, entry);
	load_release(&load);
	return rc;
}
