// SPDX-License-Identifier: Apache-2.0
/* Reading and checking gemel.conf. */
#include "conf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../base/near.h"
#include "tls.h"

#define CONF_SKIP "]" /* no section can be called so */

struct conf_row {
	const char *section, *name, *dotted, *dflt;
	enum conf_type type;
	uint64_t lo, hi;
	const char *choices;
};

static const struct conf_row conf_table[] = {
#define CONF_ROW(section, name, type, dflt, lo, hi, choices)                                       \
	{#section, #name, #section "." #name, dflt, type, lo, hi, choices},
	CONF_MAP(CONF_ROW)
#undef CONF_ROW
};

/* "5G" → bytes. Suffixes K, M, G, T are powers of 1024. */
static int conf_parse_size(const char *text, bool suffix_ok, uint64_t *out)
{
	char *end;
	unsigned shift = 0;
	if (!isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	unsigned long long number = strtoull(text, &end, 10);
	if (errno != 0)
		return -1;
	if (suffix_ok && *end) {
		const char *at = strchr("KMGT", toupper((unsigned char)*end));
		if (at == NULL || end[1] != 0)
			return -1;
		shift = 10 * (unsigned)(at - "KMGT" + 1);
		end++;
	}
	if (*end || number > UINT64_MAX >> shift)
		return -1;
	*out = (uint64_t)number << shift;
	return 0;
}

static bool conf_is_name(const char *text, const char *extra)
{
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && strchr(extra, *c) == NULL)
			return false;
	return true;
}

static bool conf_is_choice(const char *text, const char *choices)
{
	size_t len = strlen(text);
	for (const char *at = choices; *at;) {
		size_t word = strcspn(at, " ");
		if (word == len && memcmp(at, text, len) == 0)
			return true;
		at += word + (at[word] == ' ');
	}
	return false;
}

static bool conf_is_address(const char *text)
{
	uint8_t raw[16];
	return inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1;
}

/* The error of the value as static text, or NULL. The caller prints the range of a number. */
static const char *conf_wrong(const struct conf_row *row, const char *value)
{
	uint64_t number;
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == '"' || *c == '\\' || *c == ';' || *c == '{' ||
		    *c == '}' || *c == '$')
			return "holds a character that is not allowed here";
	switch (row->type) {
	case CONF_STRING:
		return NULL;
	case CONF_PATH:
		if (value[0] == 0 && row->lo > 0)
			return "must not be empty";
		return value[0] == 0 || value[0] == '/' ? NULL : "must be an absolute path";
	case CONF_BOOL:
		return conf_is_choice(value, "yes no") ? NULL : "must be yes or no";
	case CONF_NUMBER:
	case CONF_PORT:
	case CONF_SIZE:
		if (conf_parse_size(value, row->type == CONF_SIZE, &number) != 0)
			return row->type == CONF_SIZE
				       ? "must be a number of bytes, optionally with K, M, G or T"
				       : "must be a number";
		return number < row->lo || number > row->hi ? "is out of range" : NULL;
	case CONF_ADDRESS:
		return conf_is_address(value) ? NULL : "must be an IPv4 or IPv6 address";
	case CONF_CHOICE:
		return conf_is_choice(value, row->choices) ? NULL
							   : "must be one of the allowed words";
	case CONF_NAME:
		if (value[0] == 0 && row->lo > 0)
			return "must not be empty";
		return conf_is_name(value, "._-")
			       ? NULL
			       : "must consist of letters, digits, '.', '_' and '-'";
	case CONF_DOMAINS:
		return conf_is_name(value, "._- ")
			       ? NULL
			       : "must be host names without ports, separated by spaces";
	}
	return "has an unknown type";
}

static int conf_assign(struct conf *conf, const struct conf_row *row, const char *value, char *err,
		       size_t cap)
{
	const char *wrong =
		strlen(value) >= CONF_VALUE_MAX ? "is too long" : conf_wrong(row, value);
	if (wrong == NULL) {
		strcpy(conf->value[row - conf_table], value);
		return 0;
	}
	if (row->type == CONF_CHOICE)
		snprintf(err, cap, "%s = %s: %s: %s", row->dotted, value, wrong, row->choices);
	else if (strcmp(wrong, "is out of range") == 0)
		snprintf(err, cap, "%s = %s: is out of range: %llu to %llu", row->dotted, value,
			 (unsigned long long)row->lo, (unsigned long long)row->hi);
	else
		snprintf(err, cap, "%s = %s: %s", row->dotted, value, wrong);
	return -1;
}

void conf_defaults(struct conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	for (size_t i = 0; i < CONF_COUNT_; i++)
		strcpy(conf->value[i], conf_table[i].dflt);
}

static const struct conf_row *conf_find(const char *section, size_t section_len, const char *name)
{
	for (size_t i = 0; i < CONF_COUNT_; i++)
		if (strlen(conf_table[i].section) == section_len &&
		    memcmp(conf_table[i].section, section, section_len) == 0 &&
		    strcmp(conf_table[i].name, name) == 0)
			return &conf_table[i];
	return NULL;
}

static char *conf_trim(char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	for (size_t len = strlen(text); len > 0 && isspace((unsigned char)text[len - 1]); len--)
		text[len - 1] = 0;
	return text;
}

/* The table is in the order of sections. */
static bool conf_begins_section(size_t i)
{
	return i == 0 || strcmp(conf_table[i - 1].section, conf_table[i].section) != 0;
}

static int conf_section(const char *name, char *err, size_t cap)
{
	struct gml_near near = {.word = name};
	char question[128];
	for (size_t i = 0; i < CONF_COUNT_; i++) {
		if (strcmp(conf_table[i].section, name) == 0)
			return 0;
		if (conf_begins_section(i))
			gml_near_offer(&near, conf_table[i].section);
	}
	snprintf(err, cap, "no section is called [%s]%s", name,
		 gml_near_question(&near, "", question, sizeof(question)));
	return -1;
}

/* No option of `section` has this name: one of another section, with the section before it, or
 * misspelt? */
static void conf_unknown(const char *section, const char *name, char *err, size_t cap)
{
	struct gml_near here = {.word = name}, anywhere = {.word = name};
	char question[128];
	for (size_t i = 0; i < CONF_COUNT_; i++) {
		const struct conf_row *row = &conf_table[i];
		if (strcmp(row->name, name) == 0 || strcmp(row->dotted, name) == 0) {
			snprintf(err, cap, "%s%s%s has no option '%s': write '%s' under [%s]",
				 *section ? "section [" : "the part before the first section",
				 section, *section ? "]" : "", name, row->name, row->section);
			return;
		}
		gml_near_offer(strcmp(row->section, section) == 0 ? &here : &anywhere, row->name);
	}
	gml_near_question(here.best ? &here : &anywhere, "", question, sizeof(question));
	snprintf(err, cap, "%s%s%s has no option '%s'%s",
		 *section ? "section [" : "the part before the first section", section,
		 *section ? "]" : "", name, question);
}

/* A line "[name]". The options of an unknown section are not checked: CONF_SKIP stands for it. */
static int conf_line_section(char *text, size_t len, char section[64], char *err, size_t cap)
{
	strcpy(section, CONF_SKIP);
	if (text[len - 1] != ']' || len - 2 >= 64) {
		snprintf(err, cap, "a section must be written [name]");
		return -1;
	}
	text[len - 1] = 0;
	if (conf_section(text + 1, err, cap) != 0)
		return -1;
	strcpy(section, text + 1);
	return 0;
}

/* Line `number`; `section` carries over. */
static int conf_line(struct conf *conf, char *line, unsigned number, char section[64], char *err,
		     size_t cap)
{
	char *text = conf_trim(line);
	size_t len = strlen(text);
	if (len == 0 || text[0] == '#')
		return 0;
	if (text[0] == '[')
		return conf_line_section(text, len, section, err, cap);
	if (strcmp(section, CONF_SKIP) == 0)
		return 0;
	char *equals = strchr(text, '=');
	if (equals == NULL) {
		snprintf(err, cap, "expected 'name = value'");
		return -1;
	}
	*equals = 0;
	char *name = conf_trim(text);
	const struct conf_row *row = conf_find(section, strlen(section), name);
	if (row == NULL) {
		conf_unknown(section, name, err, cap);
		return -1;
	}
	conf->line[row - conf_table] = number;
	return conf_assign(conf, row, conf_trim(equals + 1), err, cap);
}

/* Errors as lines of one text, up to CONF_ERRORS_MAX of them. */
struct conf_errors {
	char *text;
	size_t cap, len;
	unsigned count;
};

static void conf_error(struct conf_errors *errors, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void conf_error(struct conf_errors *errors, const char *format, ...)
{
	va_list args;
	errors->count++;
	if (errors->count > CONF_ERRORS_MAX || errors->len + 1 >= errors->cap)
		return;
	if (errors->len > 0)
		errors->text[errors->len++] = '\n';
	va_start(args, format);
	int len = vsnprintf(errors->text + errors->len, errors->cap - errors->len, format, args);
	va_end(args);
	if (len > 0)
		errors->len += (size_t)len < errors->cap - errors->len
				       ? (size_t)len
				       : errors->cap - errors->len - 1;
}

/* 0 without errors, else -1; errors that did not fit are counted. */
static int conf_errors_end(struct conf_errors *errors, const char *file)
{
	unsigned left_out = errors->count > CONF_ERRORS_MAX ? errors->count - CONF_ERRORS_MAX : 0;
	if (left_out > 0) {
		errors->count = 0;
		conf_error(errors, "%s: %u more errors follow", file, left_out);
	}
	return errors->count > 0 ? -1 : 0;
}

/* Reads one line without its end. False at the end of the file; *whole is false when the line was
 * too long and is skipped. */
static bool conf_next(FILE *stream, char *line, size_t cap, bool *whole)
{
	int c = 0;
	if (fgets(line, (int)cap, stream) == NULL)
		return false;
	*whole = strchr(line, '\n') != NULL || feof(stream);
	while (!*whole && c != '\n' && c != EOF)
		c = fgetc(stream);
	return true;
}

int conf_read(struct conf *conf, const char *file, char *err, size_t cap)
{
	char line[4096], section[64] = "", why[512];
	struct conf_errors errors = {.text = err, .cap = cap};
	bool whole;
	if (strlen(file) >= sizeof(conf->file)) {
		snprintf(err, cap, "the path of the configuration is too long");
		return -1;
	}
	strcpy(conf->file, file);
	FILE *stream = fopen(file, "re");
	if (stream == NULL) {
		snprintf(err, cap, "%s: %s", file, strerror(errno));
		return -1;
	}
	for (unsigned number = 1; conf_next(stream, line, sizeof(line), &whole); number++) {
		if (!whole)
			conf_error(&errors, "%s:%u: the line is too long", file, number);
		else if (conf_line(conf, line, number, section, why, sizeof(why)) != 0)
			conf_error(&errors, "%s:%u: %s", file, number, why);
	}
	if (ferror(stream))
		conf_error(&errors, "%s: %s", file, strerror(errno));
	fclose(stream);
	return conf_errors_end(&errors, file);
}

int conf_write(const struct conf *conf, const char *file)
{
	char path[sizeof(conf->file) + CONF_VALUE_MAX];
	int error = 0;
	snprintf(path, sizeof(path), "%s.new", file);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "w");
	if (stream == NULL) {
		error = errno;
		if (fd >= 0)
			close(fd);
		return error;
	}
	for (size_t i = 0; i < CONF_COUNT_; i++) {
		if (conf_begins_section(i))
			fprintf(stream, "[%s]\n", conf_table[i].section);
		fprintf(stream, "%s = %s\n", conf_table[i].name, conf->value[i]);
	}
	bool whole = ferror(stream) == 0;
	if (fclose(stream) != 0 || !whole || rename(path, file) != 0)
		error = errno ? errno : EIO;
	return error;
}

const char *conf_where(const struct conf *conf, enum conf_option option, char *out, size_t cap)
{
	if (conf->line[option])
		snprintf(out, cap, "%s:%u: %s = %s", conf->file, conf->line[option],
			 conf_name(option), conf->value[option]);
	else
		snprintf(out, cap, "%s: %s", conf->file, conf_name(option));
	return out;
}

/* A file that an option names must exist, be a file, and be readable. */
static bool conf_check_file(const struct conf *conf, enum conf_option option,
			    struct conf_errors *errors)
{
	unsigned before = errors->count;
	char where[2 * CONF_VALUE_MAX + 128];
	struct stat st;
	int fd = open(conf->value[option], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		conf_error(errors, "%s: %s", conf_where(conf, option, where, sizeof(where)),
			   strerror(errno));
	else if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		conf_error(errors, "%s: it is not a regular file",
			   conf_where(conf, option, where, sizeof(where)));
	if (fd >= 0)
		close(fd);
	return errors->count == before;
}

static void conf_check_tls(const struct conf *conf, struct conf_errors *errors)
{
	static const enum conf_option options[2] = {CONF_s3_tls_certificate, CONF_s3_tls_key};
	bool given[2], good = true, key;
	char where[2 * CONF_VALUE_MAX + 128];
	const char *wrong;
	for (int i = 0; i < 2; i++)
		given[i] = conf->value[options[i]][0] != 0;
	if (given[0] != given[1])
		conf_error(errors, "%s: set both s3.tls_certificate and s3.tls_key, or neither",
			   conf_where(conf, options[given[1]], where, sizeof(where)));
	for (int i = 0; i < 2; i++)
		good = (!given[i] || conf_check_file(conf, options[i], errors)) && good;
	if (!good || !given[0] || !given[1])
		return;
	wrong = tls_wrong(conf->value[options[0]], conf->value[options[1]], &key);
	if (wrong != NULL)
		conf_error(errors, "%s: %s", conf_where(conf, options[key], where, sizeof(where)),
			   wrong);
}

static bool conf_is_any(const char *address)
{
	return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

/* S3 and NFS at one address and port. */
static bool conf_ports_clash(const struct conf *conf)
{
	const char *s3 = conf->value[CONF_s3_address], *nfs = conf->value[CONF_nfs_address];
	return conf_bool(conf, CONF_s3_enable) && conf_bool(conf, CONF_nfs_enable) &&
	       conf_number(conf, CONF_s3_port) == conf_number(conf, CONF_nfs_port) &&
	       (strcmp(s3, nfs) == 0 || conf_is_any(s3) || conf_is_any(nfs));
}

int conf_check(const struct conf *conf, char *err, size_t cap)
{
	struct conf_errors errors = {.text = err, .cap = cap};
	char where[2 * CONF_VALUE_MAX + 128];
	if (conf_ports_clash(conf))
		conf_error(&errors, "%s: S3 and NFS have the same port: give one of them another",
			   conf_where(conf,
				      conf->line[CONF_nfs_port] ? CONF_nfs_port : CONF_s3_port,
				      where, sizeof(where)));
	if (conf_number(conf, CONF_nfs_threads) == 1)
		conf_error(
			&errors,
			"%s: nfs-ganesha needs 2 or more threads; 0 lets gemel choose the number",
			conf_where(conf, CONF_nfs_threads, where, sizeof(where)));
	conf_check_tls(conf, &errors);
	return conf_errors_end(&errors, conf->file);
}

const char *conf_string(const struct conf *conf, enum conf_option option)
{
	return conf->value[option];
}

bool conf_bool(const struct conf *conf, enum conf_option option)
{
	return strcmp(conf->value[option], "yes") == 0;
}

uint64_t conf_number(const struct conf *conf, enum conf_option option)
{
	uint64_t number = 0;
	if (conf_parse_size(conf->value[option], conf_table[option].type == CONF_SIZE, &number) !=
	    0)
		return 0; /* impossible: every value was checked when it was set */
	return number;
}

const char *conf_name(enum conf_option option)
{
	return conf_table[option].dotted;
}

bool conf_home_path(const struct conf *conf, const char *name, char *out, size_t cap)
{
	int len = snprintf(out, cap, "%s/%s", conf->value[CONF_store_home], name);
	return len > 0 && (size_t)len < cap;
}
