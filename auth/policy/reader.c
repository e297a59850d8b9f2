// SPDX-License-Identifier: Apache-2.0
#include "auth/policy/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "auth/policy/near.h"
#include "auth/policy/place.h"

bool auth_reader_fail(struct auth_reader *reader, const char *format, ...)
{
	va_list args;
	memcpy(reader->error->place, reader->place, sizeof(reader->place));
	va_start(args, format);
	vsnprintf(reader->error->text, sizeof(reader->error->text), format, args);
	va_end(args);
	auth_place_clean(reader->error->place);
	auth_place_clean(reader->error->text);
	reader->errors++;
	if (reader->wrong != NULL)
		reader->wrong(reader->arg, reader->error);
	return false;
}

bool auth_reader_memory(struct auth_reader *reader)
{
	reader->error->memory = true;
	return auth_reader_fail(reader, "out of memory");
}

/* jansson tells duplicates and nesting only by their codes. */
static bool reader_syntax(struct auth_reader *reader, const json_error_t *wrong)
{
	reader->error->line = wrong->line > 0 ? (unsigned)wrong->line : 1;
	reader->error->column = wrong->column > 0 ? (unsigned)wrong->column : 1;
	snprintf(reader->place, sizeof(reader->place), "line %u column %u", reader->error->line,
		 reader->error->column);
	if (json_error_code(wrong) == json_error_out_of_memory)
		return auth_reader_memory(reader);
	if (json_error_code(wrong) == json_error_duplicate_key)
		return auth_reader_fail(reader, "an element stands twice in one object: %s",
					wrong->text);
	return auth_reader_fail(reader, "this is no JSON: %s", wrong->text);
}

bool auth_reader_load(struct auth_reader *reader, struct gml_span text, json_t **out)
{
	json_error_t wrong;
	*out = json_loadb(text.len > 0 ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &wrong);
	return *out != NULL || reader_syntax(reader, &wrong);
}

/* A part of the place was written behind reader->at; `added` bytes of it, had there been room. */
static size_t reader_added(struct auth_reader *reader, int added)
{
	size_t before = reader->at, room = sizeof(reader->place) - before;
	reader->at += added < 0 ? 0 : (size_t)added < room ? (size_t)added : room - 1;
	return before;
}

size_t auth_reader_enter(struct auth_reader *reader, const char *name)
{
	return reader_added(reader,
			    snprintf(reader->place + reader->at, sizeof(reader->place) - reader->at,
				     "%s%s", reader->at > 0 ? "." : "", name));
}

size_t auth_reader_enter_item(struct auth_reader *reader, size_t index)
{
	return reader_added(reader, snprintf(reader->place + reader->at,
					     sizeof(reader->place) - reader->at, "[%zu]", index));
}

void auth_reader_leave(struct auth_reader *reader, size_t at)
{
	reader->at = at;
	reader->place[at] = '\0';
}

bool auth_reader_next(struct auth_reader *reader, size_t at, bool good, bool *all)
{
	auth_reader_leave(reader, at);
	*all = *all && good;
	return good || (reader->wrong != NULL && !reader->error->memory &&
			reader->errors < AUTH_POLICY_ERRORS_MAX);
}

/* The name `name` is none of `names`. */
static bool reader_unknown(struct auth_reader *reader, const char *name, const char *const names[])
{
	struct gml_near near = {.word = name};
	char question[AUTH_NEAR_MAX];
	for (size_t i = 0; names[i] != NULL; i++)
		gml_near_offer(&near, names[i]);
	return auth_reader_fail(reader, "there is no such element here%s",
				auth_near_question(near.best, question));
}

bool auth_reader_members(struct auth_reader *reader, const json_t *object,
			 const char *const names[])
{
	bool all = true;
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)object, name, value)
	{
		size_t i = 0, at = reader->at;
		while (names[i] != NULL && strcmp(name, names[i]) != 0)
			i++;
		if (names[i] != NULL)
			continue;
		auth_reader_enter(reader, name);
		if (!auth_reader_next(reader, at, reader_unknown(reader, name, names), &all))
			return false;
	}
	return all;
}

static bool reader_copy(struct auth_reader *reader, struct gml_span text, struct gml_span *out)
{
	*out = auth_arena_copy(reader->arena, text);
	return out->ptr != NULL || auth_reader_memory(reader);
}

bool auth_reader_text(struct auth_reader *reader, const json_t *value, struct gml_span *out)
{
	if (!json_is_string(value))
		return auth_reader_fail(reader, "a string is wanted here");
	return reader_copy(reader, gml_span_of(json_string_value(value), json_string_length(value)),
			   out);
}

/* The shortest of the usual forms that stands for the same number. */
static void reader_real(double number, char out[40])
{
	snprintf(out, 40, "%.15g", number);
	if (strtod(out, NULL) != number)
		snprintf(out, 40, "%.17g", number);
}

bool auth_reader_scalar(struct auth_reader *reader, const json_t *value, struct gml_span *out)
{
	char number[40];
	switch (json_typeof(value)) {
	case JSON_STRING:
		return auth_reader_text(reader, value, out);
	case JSON_TRUE:
		*out = GML_LIT("true");
		return true;
	case JSON_FALSE:
		*out = GML_LIT("false");
		return true;
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
		return reader_copy(reader, gml_span_text(number), out);
	case JSON_REAL:
		reader_real(json_real_value(value), number);
		return reader_copy(reader, gml_span_text(number), out);
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_NULL:
		break;
	}
	return auth_reader_fail(reader, "a string, a number, true or false is wanted here");
}

size_t auth_reader_count(const json_t *value)
{
	return json_is_array(value) ? json_array_size(value) : 1;
}

const json_t *auth_reader_item(struct auth_reader *reader, const json_t *value, size_t index)
{
	if (!json_is_array(value))
		return value;
	auth_reader_enter_item(reader, index);
	return json_array_get(value, index);
}
