// SPDX-License-Identifier: Apache-2.0
/* A JSON document that is read with its places known, for what is said about errors.
 *
 * One thread. Functions that return bool return false after they have filled the error. A reader
 * stops at the first one, unless it has somebody to tell each of them. */
#ifndef GML_AUTH_POLICY_READER_H
#define GML_AUTH_POLICY_READER_H

#include <jansson.h>
#include "auth/access/arena.h"
#include "auth/policy/policy.h"

struct auth_reader {
	struct auth_arena *arena; /* what is kept of the document goes there */
	struct auth_policy_error *error;
	char place[sizeof(((struct auth_policy_error *)NULL)->place)];
	size_t at;		    /* length of `place`; what does not fit is left out */
	auth_policy_wrong_fn wrong; /* NULL: the first error is the only one */
	void *arg;
	unsigned errors;
};

/* Reads a text. Duplicate names of one object are refused. The caller releases *out. */
bool auth_reader_load(struct auth_reader *reader, struct gml_span text, json_t **out);
/* Says what is wrong at the present place; false. */
bool auth_reader_fail(struct auth_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same when memory ran out. */
bool auth_reader_memory(struct auth_reader *reader);
/* Goes into a member of an object, or into an item of an array, and back: `at` is what the place
 * was before. */
size_t auth_reader_enter(struct auth_reader *reader, const char *name);
size_t auth_reader_enter_item(struct auth_reader *reader, size_t index);
void auth_reader_leave(struct auth_reader *reader, size_t at);
/* Goes back after one of several parts that do not depend on each other. `good`: it was read; *all
 * becomes false if it was not. Returns whether the next part is to be read. */
bool auth_reader_next(struct auth_reader *reader, size_t at, bool good, bool *all);

/* Refuses members that are not among `names`, which NULL ends. */
bool auth_reader_members(struct auth_reader *reader, const json_t *object,
			 const char *const names[]);
/* A string. */
bool auth_reader_text(struct auth_reader *reader, const json_t *value, struct gml_span *out);
/* A string, a number or a boolean, as text. */
bool auth_reader_scalar(struct auth_reader *reader, const json_t *value, struct gml_span *out);
/* How many values an array has, or 1 for anything else. */
size_t auth_reader_count(const json_t *value);
/* One of them; enters it. */
const json_t *auth_reader_item(struct auth_reader *reader, const json_t *value, size_t index);

#endif
