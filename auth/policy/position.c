// SPDX-License-Identifier: Apache-2.0
/* jansson keeps no positions. So the text is walked again, by a scanner that relies on its being
 * JSON but for its bounds, and only into what the wanted place begins with. */
#include "auth/policy/position.h"

#include "auth/policy/place.h"
#include "auth/policy/reader.h"

#define POSITION_DEPTH_MAX 8 /* more than any place of a policy has */

struct position {
	struct gml_span text;
	size_t at; /* how many bytes were passed */
	unsigned line, column;
	const char *wanted;
	struct auth_reader path; /* of the value that comes next */
	unsigned depth;
	bool found;
};

static char position_peek(const struct position *position)
{
	return position->at < position->text.len ? gml_span_at(position->text, position->at) : '\0';
}

/* A character is counted at its first byte. */
static void position_pass(struct position *position)
{
	char c = position_peek(position);
	if (position->at == position->text.len)
		return;
	position->at++;
	if (c == '\n') {
		position->line++;
		position->column = 1;
	} else if (((unsigned char)c & 0xc0) != 0x80) {
		position->column++;
	}
}

static void position_space(struct position *position)
{
	while (gml_char_is_space(position_peek(position)))
		position_pass(position);
}

/* Passes a string; what was passed, with its quotes. */
static struct gml_span position_string(struct position *position)
{
	size_t begin = position->at;
	position_pass(position);
	while (position->at < position->text.len && position_peek(position) != '"') {
		if (position_peek(position) == '\\')
			position_pass(position);
		position_pass(position);
	}
	position_pass(position);
	return gml_span_of(gml_span_chars(position->text) + begin, position->at - begin);
}

/* Passes a value without looking into it. */
static void position_skip(struct position *position)
{
	unsigned depth = 0;
	do {
		char c;
		position_space(position);
		c = position_peek(position);
		if (depth == 0 && memchr(",]}", c, 4) != NULL) /* its end, or that of the text */
			return;
		if (c == '{' || c == '[')
			depth++;
		if (c == '}' || c == ']')
			depth--;
		if (c == '"')
			position_string(position);
		else
			position_pass(position);
	} while (position->at < position->text.len);
}

/* Is the value that comes next the wanted one, or may that be in it? Places are cut and cleaned as
 * those of errors are. */
static bool position_leads(struct position *position)
{
	char place[AUTH_PLACE_MAX];
	size_t len;
	memcpy(place, position->path.place, sizeof(place));
	auth_place_clean(place);
	len = strlen(place);
	position->found = strcmp(place, position->wanted) == 0;
	return position->found || strncmp(place, position->wanted, len) == 0;
}

static void position_value(struct position *position);

/* The value of a member or an item, whose own position is `line` and `column`. */
static void position_inside(struct position *position, unsigned line, unsigned column)
{
	if (!position_leads(position)) {
		position_skip(position);
	} else if (position->found) {
		position->line = line;
		position->column = column;
	} else {
		position_value(position);
	}
}

static void position_member(struct position *position)
{
	unsigned line = position->line, column = position->column;
	struct gml_span token = position_string(position);
	json_t *name = json_loadb(token.ptr, token.len, JSON_DECODE_ANY, NULL);
	size_t at = position->path.at;
	position_space(position);
	position_pass(position); /* the colon */
	position_space(position);
	if (name == NULL) {
		position_skip(position);
		return;
	}
	auth_reader_enter(&position->path, json_string_value(name));
	json_decref(name);
	position_inside(position, line, column);
	auth_reader_leave(&position->path, at);
}

static void position_items(struct position *position, bool object)
{
	for (size_t i = 0; !position->found; i++) {
		size_t at = position->path.at;
		position_pass(position); /* what opens the list, or a comma */
		position_space(position);
		if (object && position_peek(position) == '"') {
			position_member(position);
		} else if (!object && position_peek(position) != ']') {
			auth_reader_enter_item(&position->path, i);
			position_inside(position, position->line, position->column);
			auth_reader_leave(&position->path, at);
		}
		position_space(position);
		if (!position->found && position_peek(position) != ',') {
			position_pass(position);
			return;
		}
	}
}

static void position_value(struct position *position)
{
	char c = position_peek(position);
	if ((c != '{' && c != '[') || position->depth == POSITION_DEPTH_MAX) {
		position_skip(position);
		return;
	}
	position->depth++;
	position_items(position, c == '{');
	position->depth--;
}

bool auth_position_find(struct gml_span document, const char *place, unsigned *line,
			unsigned *column)
{
	struct position position = {
		.text = document, .line = 1, .column = 1, .wanted = place, .path = {.at = 0}};
	position_space(&position);
	position.found = place[0] == '\0';
	if (!position.found)
		position_value(&position);
	*line = position.found ? position.line : 0;
	*column = position.found ? position.column : 0;
	return position.found;
}
