// SPDX-License-Identifier: Apache-2.0
/* Tables for people, JSON for scripts. */
#include "cmd.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

json_t *cmd_json_time(int64_t ns)
{
	char text[32];
	struct tm tm;
	time_t seconds = (time_t)(ns / 1000000000);
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

/* The members of an object, as "KEY=TEXT,KEY=TEXT". */
static void output_members(const json_t *object, char *buf, size_t cap)
{
	size_t used = 0;
	const char *key;
	json_t *item;
	buf[0] = 0;
	json_object_foreach((json_t *)object, key, item)
	{
		int len = snprintf(buf + used, cap - used, "%s%s=%s", used ? "," : "", key,
				   json_is_string(item) ? json_string_value(item) : "-");
		if (len < 0 || (size_t)len >= cap - used)
			break;
		used += (size_t)len;
	}
}

/* A value as text for a table cell; buf serves scalars. */
static const char *output_cell(const json_t *value, char *buf, size_t cap)
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		snprintf(buf, cap, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		snprintf(buf, cap, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_array(value)) {
		size_t i, used = 0;
		json_t *item;
		char one[64];
		buf[0] = 0;
		json_array_foreach(value, i, item)
		{
			int len = snprintf(buf + used, cap - used, "%s%s", i ? "," : "",
					   output_cell(item, one, sizeof(one)));
			if (len < 0 || (size_t)len >= cap - used)
				break;
			used += (size_t)len;
		}
	} else if (json_is_object(value))
		output_members(value, buf, cap);
	else
		snprintf(buf, cap, "-");
	return buf;
}

static int output_json(json_t *value)
{
	int rc = json_dumpf(value, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	fputc('\n', stdout);
	json_decref(value);
	return rc == 0 ? CMD_OK : cmd_fail("cannot write JSON");
}

int cmd_print_nothing(const struct cmd *cmd)
{
	return cmd->json ? output_json(json_object()) : CMD_OK;
}

int cmd_print_object(const struct cmd *cmd, json_t *object)
{
	const char *key;
	json_t *value;
	char buf[512];
	if (cmd->json)
		return output_json(object);
	json_object_foreach(object, key, value)
		printf("%-20s %s\n", key, output_cell(value, buf, sizeof(buf)));
	json_decref(object);
	return CMD_OK;
}

#define OUTPUT_COLUMNS 16
int cmd_print_rows(const struct cmd *cmd, json_t *rows)
{
	size_t width[OUTPUT_COLUMNS] = {0}, columns, i;
	const char *key;
	json_t *row, *value;
	char buf[512];
	if (cmd->json)
		return output_json(rows);
	json_array_foreach(rows, i, row)
	{
		columns = 0;
		json_object_foreach(row, key, value)
		{
			size_t head = strlen(key),
			       len = strlen(output_cell(value, buf, sizeof(buf)));
			if (columns < OUTPUT_COLUMNS) {
				width[columns] = width[columns] < head ? head : width[columns];
				width[columns] = width[columns] < len ? len : width[columns];
				columns++;
			}
		}
	}
	if (json_array_size(rows) > 0) {
		columns = 0;
		json_object_foreach(json_array_get(rows, 0), key,
				    value) if (columns < OUTPUT_COLUMNS)
			printf("%-*s  ", (int)width[columns++], key);
		putchar('\n');
	}
	json_array_foreach(rows, i, row)
	{
		columns = 0;
		json_object_foreach(row, key, value) if (columns < OUTPUT_COLUMNS) printf(
			"%-*s  ", (int)width[columns++], output_cell(value, buf, sizeof(buf)));
		putchar('\n');
	}
	json_decref(rows);
	return CMD_OK;
}
