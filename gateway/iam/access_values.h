// SPDX-License-Identifier: Apache-2.0
/* The values of condition keys: of the transport, of the caller, of the object's tags; and those
 * that the request states, from its context. */
#ifndef GML_IAM_ACCESS_VALUES_H
#define GML_IAM_ACCESS_VALUES_H

#include "access_cache.h"

#define ACCESS_VALUES_MAX 128 /* of all keys of one question */

struct access_values {
	struct gml_txn *txn;
	const struct gml_access_question *question;
	const struct access_entry *caller, *bucket; /* NULL: anonymous; none */
	struct gml_span spans[ACCESS_VALUES_MAX];
	size_t used;
	char address[48], moment[25], seconds[24];
	int rc; /* a tag could not be read: the question has no answer */
};

void gml_access_values_init(struct access_values *values, struct gml_txn *txn,
			    const struct gml_access_question *question,
			    const struct gml_access_held *held);
/* auth_values_fn; `arg` is a struct access_values. A key that has more values than there is room
 * for is not known (AUTH_VALUES_VARY), which allows nothing and denies. */
struct auth_values gml_access_value(void *arg, enum auth_key key, struct gml_span name);

#endif
