// SPDX-License-Identifier: Apache-2.0
/* S3 as a protocol, without a server: one struct s3_call is one request from its header to the last
 * byte of its answer. A host (nginx adapter, test adapter) drives it.
 *
 *      s3_call_new ── header, authentication, routing; never blocks on disk or locks (≤ 50 µs)
 *          │ step
 *          ├─ S3_RESPOND: the answer is ready
 *          ├─ S3_WORK:    s3_call_work on a thread that may block, then examine the step again
 *          └─ S3_BODY:    (send 100 Continue if the client waits for it,) s3_call_body for each
 *                         piece of the body, in order, then s3_call_body_end; all on threads that
 *                         may block; then examine the step again
 *      answer: s3_call_response, then s3_call_run for the content
 *      s3_call_free ── at any time when no call is inside; aborts an unfinished operation; may
 *                      block (unlink)
 *
 * A call may be used by one thread at a time. s3_call_new copies what it needs of the request.
 */
#ifndef GML_S3_H
#define GML_S3_H

#include <gemel/object.h>
#include "gateway/base/http_header.h"

struct s3_request {
	struct gml_span method,
		target; /* target: raw path and query as on the wire (origin form) */
	/* in order, duplicates kept; values without surrounding white space */
	const struct gml_http_header *headers;
	size_t nheaders;
	int64_t body_length; /* -1: chunked transfer coding, length unknown; 0: none */
	struct gml_span
		source; /* the client's address, network order: 4 or 16 bytes; empty: none */
	/* "1.2" or "1.3"; empty: another one; NULL ptr: the connection is not encrypted. Static. */
	struct gml_span tls_version;
};

/* Configuration, shared by all calls, immutable. */
struct s3_config;
struct s3_config_options {
	struct gml_store *store;
	const char *region;		     /* e.g. "us-east-1" */
	enum gml_ownership object_ownership; /* of new buckets that state none */
	/* host names of the server, whose subdomains are buckets (virtual-host style),
	 * NULL-terminated, may be NULL. "localhost" and what the machine is called are such names,
	 * too. Requests for any other name are refused. */
	const char *const *domains;
	uint64_t object_size_max; /* per PUT; 0 = 5 GiB (S3's limit for one PUT) */
	/* bytes of a request's XML; 0 = 2 MiB (CompleteMultipartUpload of 10,000 parts with
	 * checksums fits) */
	uint32_t xml_body_max;
	const char *server_id; /* x-amz-id-2 prefix / Server header; NULL = "Gemel" */
	/* where NFS is served, for GET /healthz; NULL: nowhere */
	const char *nfs_address;
	unsigned nfs_port;
	gml_log_fn log;
	void *log_arg;
};
/* Errors: INVAL, NOMEM. The configuration is the caller's; `store` must outlive it. */
int s3_config_new(const struct s3_config_options *options, struct s3_config **out);
/* NULL is accepted; no call may be left. Waits for a running examination of /healthz. */
void s3_config_free(struct s3_config *config);

enum s3_step { S3_RESPOND, S3_WORK, S3_BODY };

struct s3_call;
/* NULL only when out of memory. Bad requests become calls whose answer is the error. */
struct s3_call *s3_call_new(const struct s3_config *config, const struct s3_request *request);
enum s3_step s3_call_step(const struct s3_call *call);
void s3_call_work(struct s3_call *call);
/* One piece; returns 0, or 1: the answer is ready early, stop reading (the host closes the
 * connection or drains). */
int s3_call_body(struct s3_call *call, const void *buf, size_t len);
void s3_call_body_end(struct s3_call *call);
/* The host could not read the whole body (connection cut, timeout): nothing will become visible.
 * Then free. */
void s3_call_abort(struct s3_call *call);
void s3_call_free(struct s3_call *call); /* NULL is fine */

struct s3_response {
	int status;
	/* complete but for Date, Connection and Content-Length; borrowed from the call */
	const struct gml_http_header *headers;
	size_t nheaders;
	/* bytes of the body (for HEAD: what GET would send); -1: no Content-Length header at all
	 * (204, 304) */
	int64_t content_length;
	bool has_body; /* false for HEAD, 204, 304: send the header only */
	bool close;    /* the connection must not be reused */
};
const struct s3_response *s3_call_response(const struct s3_call *call);
/* The next run of the body from offset `pos` of it (0 .. content_length). A mem run is borrowed
 * until s3_call_free, a file run until s3_call_run is called for a later offset. Blocks on open(2)
 * at most. Non-zero: cut the connection. */
int s3_call_run(struct s3_call *call, uint64_t pos, struct gml_run *out);
/* True if s3_call_run from pos may have to read cold metadata or open many files: the host should
 * call it on a thread. */
bool s3_call_run_blocks(const struct s3_call *call, uint64_t pos);

/* For access logs: operation ("REST.GET.OBJECT" style is not needed: "GetObject"), bucket, key
 * (raw), error code or NULL, request id, user name or NULL; the access key that the request states,
 * known or not, and where it does so: "header", "query", NULL for anonymous and unreadable ones. */
struct s3_log_info {
	const char *operation, *error_code, *request_id, *user, *auth;
	struct gml_span access_key, bucket, key;
};
void s3_call_log_info(const struct s3_call *call, struct s3_log_info *out);

/* An error that the host itself answers, outside any call: malformed request line, header too
 * large, time-out. */
struct s3_host_error {
	/* What the host would send. It is mapped to S3's code (400 InvalidURI or BadRequest …, 405
	 * MethodNotAllowed, 411 MissingContentLength, 413 EntityTooLarge, 414 → 400
	 * RequestHeaderSectionTooLarge-like, 501 NotImplemented, 503 SlowDown). */
	int http_status;
	const char *message; /* NULL: that of the code */
	struct gml_span resource;
};
/* Its XML document into `buf`; returns the length. *status_out: status to send. request_id_out: 16
 * upper-case hex digits + NUL. */
size_t s3_error_document(const struct s3_host_error *host, struct gml_buf buf, int *status_out,
			 char request_id_out[17]);

#endif
