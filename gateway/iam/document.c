// SPDX-License-Identifier: Apache-2.0
#include "document.h"
#include <stdlib.h>
#include <string.h>
#include <gemel/account.h>
#include <gemel/err.h>
#include "gateway/base/span.h"
#include "gateway/base/tags.h"

enum auth_policy_kind gml_document_kind(enum gml_policy_kind kind)
{
	static const enum auth_policy_kind kinds[GML_POLICY_KINDS] = {
		[GML_POLICY_IDENTITY] = AUTH_POLICY_IDENTITY,
		[GML_POLICY_BUCKET] = AUTH_POLICY_BUCKET,
		[GML_POLICY_BOUNDARY] = AUTH_POLICY_BOUNDARY,
		[GML_POLICY_SESSION] = AUTH_POLICY_SESSION,
		[GML_POLICY_KEY] = AUTH_POLICY_KEY,
		[GML_POLICY_TRUST] = AUTH_POLICY_TRUST,
	};
	return kinds[kind];
}

int gml_document_check(enum gml_policy_kind kind, struct gml_span document)
{
	const struct gml_span none = {NULL, 0};
	struct auth_policy_error error;
	struct auth_policy *policy;
	if (!auth_policy_parse(gml_document_kind(kind), document, none, &policy, &error))
		return error.memory ? GML_ERR_NOMEM : GML_ERR_BADPOLICY;
	auth_policy_unref(policy);
	return 0;
}

size_t gml_policy_size(struct gml_span document)
{
	size_t size = 0;
	for (size_t i = 0; i < document.len; i++)
		size += !gml_char_is_space(gml_span_at(document, i));
	return size;
}

int gml_document_copy(struct gml_span document, void **buf_out, size_t *len_out)
{
	void *buf = malloc(document.len + 1);
	*buf_out = buf;
	if (buf == NULL)
		return GML_ERR_NOMEM;
	if (document.len > 0)
		memcpy(buf, document.ptr, document.len);
	*len_out = document.len;
	return 0;
}

/* ---- documents of buckets ---- */

static int document_look_policy(struct gml_span bucket, struct gml_span document,
				struct gml_document_facts *out)
{
	struct auth_policy_error error;
	struct auth_policy *policy;
	if (!auth_policy_parse(AUTH_POLICY_BUCKET, document, bucket, &policy, &error))
		return error.memory ? GML_ERR_NOMEM : GML_ERR_BADPOLICY;
	out->is_public = auth_policy_is_public(policy);
	auth_policy_unref(policy);
	return 0;
}

void gml_document_look(enum gml_bucket_document kind, struct gml_span bucket,
		       struct gml_span document, struct gml_document_facts *out)
{
	enum gml_ownership ownership;
	uint32_t settings;
	*out = (struct gml_document_facts){
		.decides = kind == GML_BUCKET_POLICY || kind == GML_BUCKET_OWNERSHIP ||
			   kind == GML_BUCKET_PUBLIC_ACCESS_BLOCK || kind == GML_BUCKET_ACCESS ||
			   kind == GML_BUCKET_TAGGING};
	if (document.ptr == NULL)
		return;
	if (kind == GML_BUCKET_POLICY)
		out->rc = document_look_policy(bucket, document, out);
	else if (kind == GML_BUCKET_OWNERSHIP)
		out->rc = gml_ownership_parse(document, &ownership);
	else if (kind == GML_BUCKET_PUBLIC_ACCESS_BLOCK)
		out->rc = gml_public_access_parse(document, &settings);
	else if (kind == GML_BUCKET_TAGGING)
		out->rc = gml_tags_valid(document) ? 0 : GML_ERR_INVAL;
	else if (kind == GML_BUCKET_ACCESS)
		out->rc = gml_span_equal(document, GML_LIT(GML_ACCESS_BOTH)) ? 0 : GML_ERR_INVAL;
}

int gml_document_public_access(struct gml_txn *txn, gml_ino root, uint32_t *settings_out)
{
	struct gml_account account;
	struct gml_span document;
	uint32_t settings = 0;
	int rc = gml_rec_account_get(txn, &account);
	if (rc == 0 || rc == GML_ERR_NOENT)
		rc = gml_rec_config_get(txn, root, GML_BUCKET_PUBLIC_ACCESS_BLOCK, &document);
	if (rc == 0 && gml_public_access_parse(document, &settings) != 0)
		rc = GML_ERR_CORRUPT;
	*settings_out = account.public_access | settings;
	return rc == GML_ERR_NOENT ? 0 : rc;
}

int gml_document_may(struct gml_txn *txn, gml_ino root, const struct gml_document_facts *facts)
{
	uint32_t settings = 0;
	int rc = facts->rc;
	if (rc == 0 && facts->is_public)
		rc = gml_document_public_access(txn, root, &settings);
	return rc == 0 && (settings & GML_BLOCK_PUBLIC_POLICY) ? GML_ERR_ACCESS : rc;
}
