// SPDX-License-Identifier: Apache-2.0
/* The canonical forms that signatures are made over. Pure; any thread.
 *
 * S3's rules, which differ from other AWS services: the path is decoded once and encoded once
 * (clients disagree about what to escape on the wire), never normalised; query parameters are
 * decoded, encoded again and sorted by name, then value; "+" in a query is a space; a parameter
 * without "=" has the empty value. */
#ifndef GML_AUTH_CANONICAL_H
#define GML_AUTH_CANONICAL_H

#include <stdbool.h>
#include "auth/digest.h"
#include "auth/sigv4.h"

/* Limits of the examined parts; a request beyond them is refused, not cut. */
#define AUTH_TARGET_MAX 32768u /* bytes of path and query */
#define AUTH_SIGNED_MAX 256u   /* signed header names */
#define AUTH_HEADERS_MAX 512u  /* headers of a request */
#define AUTH_KEY_MAX 128u      /* bytes of an access key id */
#define AUTH_SECRET_MAX 256u   /* bytes of a secret */
#define AUTH_REGION_MAX 64u    /* bytes of a region name */

/* Where canonical text goes: into a digest, and as far as it fits into a buffer for the error
 * document. Begin the digest first; flush last. */
struct auth_sink {
	struct auth_digest *digest;
	char *out; /* may be NULL */
	size_t cap, len;
	size_t staged;
	char stage[1024];
};
void auth_sink_init(struct auth_sink *sink, struct auth_digest *digest, struct gml_buf out);
void auth_sink_put(struct auth_sink *sink, const void *buf, size_t len);
void auth_sink_span(struct auth_sink *sink, struct gml_span span);
void auth_sink_char(struct auth_sink *sink, char c);
void auth_sink_flush(struct auth_sink *sink);

/* The request's parameters into params, split unless the caller has done that. Their number, or -1:
 * too many. */
int auth_query_params(const struct auth_request *request,
		      struct auth_param params[AUTH_PARAMS_MAX]);

/* Percent-decode; "+" is a space if `plus`. Malformed escapes stay as they are. Returns the length,
 * or -1 if it does not fit into cap. */
int auth_decode(struct gml_span raw, bool plus, char *out, size_t cap);

/* CanonicalURI, CanonicalQueryString (params are sorted in place; the one named `skip`, if any, is
 * left out), one line of CanonicalHeaders ("name:value,value\n"). */
void auth_canonical_path(struct auth_sink *sink, struct gml_span path);
void auth_canonical_query(struct auth_sink *sink, struct auth_param *params, size_t nparams,
			  struct gml_span skip);
void auth_canonical_header(struct auth_sink *sink, const struct auth_request *request,
			   struct gml_span name);

/* Next name of a SignedHeaders list, which is separated by ";" ("%3B" in a query). false at the
 * end. */
bool auth_signed_next(struct gml_span *list, struct gml_span *name_out);

/* First header of that name (any case), and how many there are. NULL if none. count_out may be
 * NULL. */
const struct gml_http_header *auth_header_find(const struct auth_request *request,
					       struct gml_span name, size_t *count_out);

#endif
