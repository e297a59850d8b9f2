// SPDX-License-Identifier: Apache-2.0
/* Public access blocks and object ownership. */
#include <string.h>
#include <gemel/account.h>
#include <gemel/err.h>
#include <gemel/op.h>
#include "gateway/base/span.h"
#include "gateway/meta/engine.h"
#include "gateway/meta/record/record.h"
#include "authorize.h"
#include "epoch.h"
#include "store.h"

int gml_account_get(struct gml_store *store, struct gml_account *out)
{
	struct gml_txn *txn = NULL;
	int rc = gml_meta_read_begin(gml_store_meta(store), &txn);
	if (rc == 0)
		rc = gml_rec_account_get(txn, out);
	gml_meta_read_end(txn);
	return rc == GML_ERR_NOENT ? 0 : rc;
}

struct account_change {
	struct gml_access_change access;
	const struct gml_account *account;
};

static int account_set_fn(struct gml_txn *txn, void *arg)
{
	struct account_change *change = arg;
	gml_access_change_begin(&change->access);
	return gml_rec_account_put(txn, change->account);
}

int gml_account_set(struct gml_op *op, struct gml_store *store, const struct gml_account *account)
{
	struct account_change change = {.access.store = store, .account = account};
	int rc = gml_may_administer(op, GML_ACTION_PUT_ACCOUNT_PUBLIC_ACCESS);
	if (rc == 0 && (account->public_access & ~(uint32_t)GML_PUBLIC_ACCESS_ALL) != 0)
		rc = GML_ERR_INVAL;
	return rc != 0 ? rc : gml_access_change_commit(&change.access, account_set_fn, &change);
}

/* ---- documents of buckets ---- */

static const char *const account_settings[] = {"BlockPublicAcls", "IgnorePublicAcls",
					       "BlockPublicPolicy", "RestrictPublicBuckets"};
#define ACCOUNT_SETTINGS (sizeof(account_settings) / sizeof(*account_settings))

void gml_public_access_format(uint32_t settings, char out[GML_PUBLIC_ACCESS_TEXT])
{
	char *end = out;
	for (size_t i = 0; i < ACCOUNT_SETTINGS; i++) {
		if (!(settings >> i & 1))
			continue;
		if (end != out)
			*end++ = ',';
		end = stpcpy(end, account_settings[i]);
	}
	*end = '\0';
}

int gml_public_access_parse(struct gml_span document, uint32_t *settings_out)
{
	*settings_out = 0;
	while (document.len > 0) {
		bool more = gml_span_find(document, ',') < document.len;
		struct gml_span name = gml_span_cut(&document, ',');
		size_t i = 0;
		while (i < ACCOUNT_SETTINGS && !gml_span_is(name, account_settings[i]))
			i++;
		if (i == ACCOUNT_SETTINGS || (more && document.len == 0))
			return GML_ERR_INVAL;
		*settings_out |= 1u << i;
	}
	return 0;
}

static const char *const account_ownerships[] = {"BucketOwnerEnforced", "BucketOwnerPreferred",
						 "ObjectWriter"};

const char *gml_ownership_format(enum gml_ownership ownership)
{
	return account_ownerships[ownership];
}

int gml_ownership_parse(struct gml_span document, enum gml_ownership *out)
{
	for (size_t i = 0; i < sizeof(account_ownerships) / sizeof(*account_ownerships); i++)
		if (gml_span_is(document, account_ownerships[i])) {
			*out = (enum gml_ownership)i;
			return 0;
		}
	return GML_ERR_INVAL;
}
