// SPDX-License-Identifier: Apache-2.0
/* gemel.conf: `key = value` lines in [sections], '#' comments. Unknown names and bad values are
 * refused with file and line. conf/gemel.conf documents every option. */
#ifndef GML_CMD_CONF_H
#define GML_CMD_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_STRING,
	CONF_PATH,
	CONF_BOOL,
	CONF_NUMBER,
	CONF_SIZE,
	CONF_PORT,
	CONF_ADDRESS,
	CONF_CHOICE,
	CONF_NAME,
	CONF_DOMAINS
};

/* X(section, name, type, default, minimum, maximum or choices) CONF_NUMBER, CONF_SIZE, CONF_PORT:
 * range; CONF_NAME, CONF_PATH: minimum 1 refuses an empty one; CONF_CHOICE: `choices` lists the
 * words. */
#define CONF_MAP(X)                                                                                \
	X(store, home, CONF_PATH, "/var/lib/gemel", 1, 0, "")                                      \
	X(store, metadata_max, CONF_SIZE, "1T", 1 << 26, (uint64_t)1 << 46, "")                    \
	X(run, user, CONF_NAME, "", 0, 0, "")                                                      \
	X(run, jemalloc, CONF_BOOL, "yes", 0, 0, "")                                               \
	X(s3, enable, CONF_BOOL, "yes", 0, 0, "")                                                  \
	X(s3, address, CONF_ADDRESS, "127.0.0.1", 0, 0, "")                                        \
	X(s3, port, CONF_PORT, "7480", 1, 65535, "")                                               \
	X(s3, region, CONF_NAME, "us-east-1", 1, 0, "")                                            \
	X(s3, domains, CONF_DOMAINS, "", 0, 0, "")                                                 \
	X(s3, object_ownership, CONF_CHOICE, "BucketOwnerEnforced", 0, 0,                          \
	  "BucketOwnerEnforced BucketOwnerPreferred ObjectWriter")                                 \
	X(s3, workers, CONF_NUMBER, "1", 1, 64, "")                                                \
	X(s3, threads, CONF_NUMBER, "64", 4, 1024, "")                                             \
	X(s3, connections, CONF_NUMBER, "4096", 64, 1000000, "")                                   \
	X(s3, connections_per_address, CONF_NUMBER, "1024", 1, 65535, "")                          \
	X(s3, send_timeout, CONF_NUMBER, "300", 1, 86400, "")                                      \
	X(s3, receive_timeout, CONF_NUMBER, "300", 1, 86400, "")                                   \
	X(s3, keepalive_timeout, CONF_NUMBER, "75", 1, 86400, "")                                  \
	X(s3, object_size_max, CONF_SIZE, "5G", 1, (uint64_t)5 << 30, "")                          \
	X(s3, tls_certificate, CONF_PATH, "", 0, 0, "")                                            \
	X(s3, tls_key, CONF_PATH, "", 0, 0, "")                                                    \
	X(nfs, enable, CONF_BOOL, "yes", 0, 0, "")                                                 \
	X(nfs, address, CONF_ADDRESS, "127.0.0.1", 0, 0, "")                                       \
	X(nfs, port, CONF_PORT, "2049", 1, 65535, "")                                              \
	X(nfs, v3, CONF_BOOL, "no", 0, 0, "")                                                      \
	X(nfs, squash, CONF_CHOICE, "root", 0, 0, "root none all")                                 \
	X(nfs, access, CONF_CHOICE, "rw", 0, 0, "rw ro")                                           \
	X(nfs, threads, CONF_NUMBER, "0", 0, 1024, "")                                             \
	X(nfs, lease, CONF_NUMBER, "30", 5, 120, "")                                               \
	X(nfs, grace, CONF_NUMBER, "45", 5, 240, "")                                               \
	X(identity, nss, CONF_BOOL, "no", 0, 0, "")                                                \
	X(identity, nss_seconds, CONF_NUMBER, "30", 1, 60, "")                                     \
	X(log, level, CONF_CHOICE, "info", 0, 0, "error warn info debug")                          \
	X(log, access, CONF_BOOL, "yes", 0, 0, "")

enum conf_option {
#define CONF_ENUM(section, name, type, dflt, lo, hi, choices) CONF_##section##_##name,
	CONF_MAP(CONF_ENUM)
#undef CONF_ENUM
		CONF_COUNT_
};

#define CONF_VALUE_MAX 1024
#define CONF_IN_FORCE "gemel.conf" /* under run/: what is served */
#define CONF_ERRORS_MAX 20
#define CONF_ERRORS_SIZE 65536
struct conf {
	char file[1024]; /* where it came from; empty: defaults only */
	char value[CONF_COUNT_][CONF_VALUE_MAX];
	unsigned line[CONF_COUNT_]; /* where each was set; 0: it has its default */
};

void conf_defaults(struct conf *conf);
/* Reads `file` over the defaults. 0, or -1 with what is wrong in err[cap]: a line ("gemel.conf:12:
 * …") for each of the first CONF_ERRORS_MAX errors, the last without a newline; if there are more,
 * one line has their number. CONF_ERRORS_SIZE bytes hold all of it. */
int conf_read(struct conf *conf, const char *file, char *err, size_t cap);
/* Errors that no single line shows: options that must be set together, and the files that options
 * name, with the rights of this process. Result as of conf_read. */
int conf_check(const struct conf *conf, char *err, size_t cap);
/* Writes the values of all options to `file` (mode 0600, replaced atomically), for conf_read. 0, or
 * an errno. */
int conf_write(const struct conf *conf, const char *file);
/* Writes "FILE:LINE: section.name = value" into out[cap]; without a line when the option has its
 * default. Returns out. */
const char *conf_where(const struct conf *conf, enum conf_option option, char *out, size_t cap);

const char *conf_string(const struct conf *conf, enum conf_option option);
bool conf_bool(const struct conf *conf, enum conf_option option);
uint64_t conf_number(const struct conf *conf,
		     enum conf_option option);	/* numbers, ports, sizes in bytes */
const char *conf_name(enum conf_option option); /* "section.name" */
/* HOME/NAME into out[cap]; false if it does not fit. */
bool conf_home_path(const struct conf *conf, const char *name, char *out, size_t cap);

#endif
