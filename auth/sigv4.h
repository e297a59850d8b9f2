// SPDX-License-Identifier: Apache-2.0
/* AWS Signature Version 4 (and 2) as pure functions over spans: no store, no server, no I/O.
 * Comparisons are constant-time. Any thread. S3 API reference: "Authenticating Requests (AWS
 * Signature Version 4)", "Signature Calculations: … chunked upload", "… trailing headers", "query
 * parameters". */
#ifndef GML_AUTH_SIGV4_H
#define GML_AUTH_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "gateway/base/http_header.h"
#include "gateway/base/span.h"

/* Whether "+" in a path stands for a space. The code that decodes the key must agree with it, or a
 * signature for one key would be valid for another. AWS reads it as a space. */
#define AUTH_PATH_PLUS true

#define AUTH_PARAMS_MAX 256u /* query parameters of a request */
struct auth_param {
	struct gml_span name, value; /* raw */
};
/* Query parameters as spans of the raw query, in order; empty ones between two "&" are left out;
 * the value of one without "=" is empty and begins where its name ends. Returns their number, or -1
 * if there are more than AUTH_PARAMS_MAX. */
int auth_query_split(struct gml_span query, struct auth_param params[AUTH_PARAMS_MAX]);
/* Does a query parameter of that name, in any case, sign the request or say how it is signed, in
 * version 4 or 2? */
bool auth_param_signs(struct gml_span name);

/* What is signed. `path` and `query` are the raw target split at the first '?', undecoded. */
struct auth_request {
	struct gml_span method, path, query;
	const struct gml_http_header *headers; /* as received; duplicates kept, in order */
	size_t nheaders;
	/* `query` as auth_query_split splits it, from callers that need it themselves; NULL: it is
	 * split when needed. */
	const struct auth_param *params;
	size_t nparams;
	/* Virtual-host style: bucket taken from Host (SigV2's CanonicalizedResource needs it);
	 * empty otherwise. */
	struct gml_span bucket;
};

enum auth_result {
	AUTH_OK,
	AUTH_NONE,	/* no credentials in the request: anonymous */
	AUTH_MALFORMED, /* AuthorizationHeaderMalformed / AuthorizationQueryParametersError */
	/* several mechanisms at once, or required parts missing: InvalidRequest /
	 * InvalidArgument */
	AUTH_INCOMPLETE,
	AUTH_REGION,   /* wrong region: AuthorizationHeaderMalformed with the expected Region */
	AUTH_EXPIRED,  /* presigned URL past its time: AccessDenied "Request has expired" */
	AUTH_SKEW,     /* RequestTimeTooSkewed */
	AUTH_MISMATCH, /* SignatureDoesNotMatch */
	/* host or an x-amz-* header that must be signed is not; or no valid date, or a V2 query
	 * lacks a part: AccessDenied */
	AUTH_UNSIGNED_HEADER,
};

enum auth_payload {
	AUTH_PAYLOAD_SIGNED,	       /* x-amz-content-sha256 holds the hex digest of the body */
	AUTH_PAYLOAD_UNSIGNED,	       /* UNSIGNED-PAYLOAD, presigned, SigV2 */
	AUTH_PAYLOAD_CHUNKED,	       /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD */
	AUTH_PAYLOAD_CHUNKED_TRAILER,  /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER */
	AUTH_PAYLOAD_UNSIGNED_TRAILER, /* STREAMING-UNSIGNED-PAYLOAD-TRAILER */
};

/* Step 1: what the request claims. Spans are borrowed from the request (access_key perhaps from
 * key_buf: do not copy a credential). */
struct auth_credential {
	enum { AUTH_V4_HEADER = 1, AUTH_V4_QUERY, AUTH_V2_HEADER, AUTH_V2_QUERY } kind;
	/* raw; percent-decoded into key_buf where the query encoded it */
	struct gml_span access_key;
	char key_buf[129];
	struct gml_span date, region, service, signed_headers,
		signature; /* v4: of the credential scope */
	char amz_date[17]; /* YYYYMMDDTHHMMSSZ */
	int64_t time;	   /* s since the epoch */
	int64_t expires;   /* query kinds: s (v2: absolute time) */
	enum auth_payload payload;
	uint8_t sha256[32]; /* AUTH_PAYLOAD_SIGNED */
	const char *detail; /* static English text for the error message, or NULL */
	/* AUTH_INCOMPLETE: header or parameter to blame (InvalidArgument with ArgumentName); NULL:
	 * InvalidRequest */
	const char *argument;
	struct gml_span unsigned_header; /* AUTH_UNSIGNED_HEADER: which, for <HeadersNotSigned> */
	struct gml_span content_sha256;	 /* the payload line of the canonical request */
	/* X-Amz-Security-Token, raw; empty when absent. Signed like the rest; there is no STS:
	 * InvalidToken */
	struct gml_span token;
};
/* Pure; no secret needed. AUTH_NONE fills `payload` and `sha256` (from x-amz-content-sha256),
 * nothing else: an anonymous body may be hashed or aws-chunked too. Every other result than AUTH_OK
 * sets `detail`. Results: AUTH_OK, NONE, MALFORMED, INCOMPLETE, UNSIGNED_HEADER. */
enum auth_result auth_parse(const struct auth_request *request,
			    struct auth_credential *credential_out);

/* Chunk signing goes on from the request's signature. */
struct auth_stream {
	uint8_t signing_key[32];
	char previous[65]; /* hex of the last signature */
	char amz_date[17];
	char scope[128]; /* date/region/service/aws4_request */
};

/* Recently derived signing keys. Any thread; holds secrets, which free erases. new: NULL when out
 * of memory. */
struct auth_key_cache;
struct auth_key_cache *auth_key_cache_new(void);
void auth_key_cache_free(struct auth_key_cache *cache); /* NULL is fine */

/* What a request is held against. */
struct auth_requirements {
	struct gml_span secret;	     /* of the access key */
	struct gml_span region;	     /* the one served; any when empty */
	int64_t now;		     /* s since the epoch; skew allowed 900 s */
	struct auth_key_cache *keys; /* may be NULL */
};

/* Step 2: verify against the secret. expires 1..604800. stream_out (may be NULL) is for chunked
 * payloads. canonical (its ptr may be NULL): gets the canonical request or string to sign, for the
 * SignatureDoesNotMatch document; truncated to fit, NUL-terminated. */
enum auth_result auth_verify(const struct auth_request *request,
			     const struct auth_credential *credential,
			     const struct auth_requirements *requirements,
			     struct auth_stream *stream_out, struct gml_buf canonical);

/* One chunk of a signed aws-chunked body: sha256 of its data, its chunk-signature (64 hex).
 * Advances the stream. false: mismatch. */
bool auth_stream_chunk(struct auth_stream *stream, const uint8_t sha256[32],
		       const char signature[64]);
/* The trailer block of …-TRAILER: sha256 of the canonical trailer lines ("name:value\n" …), and
 * x-amz-trailer-signature. */
bool auth_stream_trailer(struct auth_stream *stream, const uint8_t sha256[32],
			 const char signature[64]);

/* Who signs a request, for where and when. */
struct auth_signer {
	struct gml_span access_key, secret, region;
	const char *amz_date; /* YYYYMMDDTHHMMSSZ, as header x-amz-date has it */
};
/* Sign a request (tests, quickstart's probe, clients of ours): writes the Authorization header
 * value. Header host and x-amz-date, x-amz-content-sha256 must be among the headers. -1: one is
 * missing, or the value does not fit into `cap` bytes. */
int auth_sign(const struct auth_request *request, const struct auth_signer *signer, char *out,
	      size_t cap);

#endif
