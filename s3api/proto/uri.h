// SPDX-License-Identifier: Apache-2.0
/* Request targets and hosts: how a URL names a bucket and a key ("Virtual hosting of buckets" of
 * the S3 user guide, RFC 3986). Pure; any thread. */
#ifndef GML_S3_URI_H
#define GML_S3_URI_H

#include <stdbool.h>
#include <gemel/types.h>
#include "auth/sigv4.h"

#define S3_URI_PARAMS_MAX 128

struct s3_param {
	struct gml_span name,
		value; /* decoded; the value is empty with NULL ptr where there is no '=' */
};
/* Split "a=b&c" and decode; what holds an escape goes to `text` (room for query.len bytes), the
 * rest is borrowed from the query. Returns the number of parameters, or -1: malformed escape, or
 * more than `max`. raw (may be NULL) gets the same undecoded. */
int s3_uri_query(struct gml_span query, char *text, struct s3_param *params, struct auth_param *raw,
		 int max);

enum s3_host {
	S3_HOST_SERVER,	 /* an address, one of the domains, or nothing: the path names the bucket */
	S3_HOST_BUCKET,	 /* bucket "." domain: *bucket_out, borrowed from `host` */
	S3_HOST_UNKNOWN, /* some other name */
};
/* The meaning of a Host header's value, with or without port and the root's dot, in any case. Of
 * the NULL-terminated domains (NULL: none) the longest wins. An address is dotted IPv4, or IPv6 in
 * brackets with or without a zone (RFC 3986 3.2.2, RFC 6874). */
enum s3_host s3_uri_host(struct gml_span host, const char *const *domains,
			 struct gml_span *bucket_out);

#endif
