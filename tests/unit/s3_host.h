// SPDX-License-Identifier: Apache-2.0
/* A host for s3api/proto in memory: a store in a temporary directory, one user, and requests whose
 * bodies come in pieces of any size or break off. */
#ifndef GML_TEST_S3_HOST_H
#define GML_TEST_S3_HOST_H

#include <stdbool.h>
#include "s3api/proto/s3.h"

struct s3_host {
	char dir[64];
	struct gml_store *store;
	struct s3_config *config;
	struct gml_op admin;
	char access[129], secret[129]; /* of the user "alice", uid 1000 */
};
/* Aborts the test program on failure. The store is in memory where there is such a directory, or in
 * `parent`. */
void s3_host_open(struct s3_host *host, const char *region);
void s3_host_open_in(struct s3_host *host, const char *parent, const char *region);
void s3_host_close(struct s3_host *host);
/* One more user with a key. */
void s3_host_user(struct s3_host *host, const char *name, uint32_t uid, uint32_t flags,
		  char access[129], char secret[129]);

#define S3_HOST_HEADERS 24
struct s3_host_request {
	const char *method, *target;
	const char *headers[S3_HOST_HEADERS]; /* "name: value"; ends with NULL */
	const void *body;
	size_t body_len;
	const char *access, *secret; /* NULL: alice; access "": anonymous */
	const char *sha256;	     /* x-amz-content-sha256; NULL: of the body */
	bool length_unknown;	     /* as with chunked transfer coding */
	size_t split;		     /* bytes per piece; 0: all at once */
	bool abort;		     /* break off behind abort_after bytes of the body */
	size_t abort_after;
};
struct s3_host_answer {
	int status;
	char code[48]; /* the error's, or "" */
	bool close, has_body;
	bool worked; /* a thread was asked for before the answer */
	int64_t content_length;
	char *headers; /* "name: value\n" …, heap */
	char *body;    /* heap, NUL-terminated */
	size_t body_len;
};
/* True while a call of s3.h runs, for tests that let the call's allocations fail; then no call at
 * all is status 0. */
extern _Thread_local bool s3_host_inside;
/* Sign, send, read the whole answer. Frees what *out held before: start with zeros. */
void s3_host_send(struct s3_host *host, const struct s3_host_request *request,
		  struct s3_host_answer *out);
void s3_host_answer_release(struct s3_host_answer *answer);
/* Value of a header of the answer into a static buffer; NULL: absent. */
const char *s3_host_header(const struct s3_host_answer *answer, const char *name);
/* Text of the first <tag> of the body into a static buffer; NULL: absent. */
const char *s3_host_element(const struct s3_host_answer *answer, const char *tag);

#endif
