/* Request targets and hosts: how a URL names a bucket and a key ("Virtual hosting of buckets" of the S3 user guide, RFC
 * 3986). Pure; any thread. */
#ifndef GML_S3_URI_H
#define GML_S3_URI_H

#include <stdbool.h>
#include <gemel/types.h>
#include "auth/sigv4.h"

#define S3_URI_PARAMS_MAX 128

/* Percent-decode into out, which has room for in.len bytes; returns the length or -1 on a malformed escape. plus: '+'
 * stands for a space (query values). */
long s3_uri_decode(struct gml_span in, bool plus, char *out);
/* Percent-encode all but unreserved characters (and '/', when keep_slash) into out[3 * in.len]; returns the length. */
size_t s3_uri_encode(struct gml_span in, bool keep_slash, char *out);

struct s3_param {
	struct gml_span name, value; /* decoded; the value is empty with NULL ptr where there is no '=' */
};
/* Split "a=b&c" and decode; what holds an escape goes to `text` (room for query.len bytes), the rest is borrowed from
 * the query. Returns the number of parameters, or -1: malformed escape, or more than `max`. raw (may be NULL) gets the
 * same undecoded. */
int s3_uri_query(struct gml_span query, char *text, struct s3_param *params, struct auth_param *raw, int max);

/* The bucket that a Host header's value names: `host` without port is bucket "." domain for one of the NULL-terminated
 * domains (longest wins, any case). Empty: path style. */
struct gml_span s3_uri_host_bucket(struct gml_span host, const char *const *domains);

#endif
