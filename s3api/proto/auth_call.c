// SPDX-License-Identifier: Apache-2.0
/* The requester: signature, access key, user. */
#include "call.h"

#include <stdio.h>
#include "auth/canonical.h"
#include "auth/sigv2.h"
#include "gateway/base/assert.h"
#include "gateway/base/calendar.h"

_Static_assert((int)AUTH_KEY_MAX == (int)GML_ACCESS_KEY_MAX &&
		       (int)AUTH_SECRET_MAX >= (int)GML_SECRET_MAX,
	       "every key that the store keeps can sign");

/* What is signed; borrowed from the call. */
static struct auth_request auth_request_of(const struct s3_call *call)
{
	return (struct auth_request){
		.method = call->method_text,
		.path = call->path,
		.query = call->query,
		.headers = call->headers,
		.nheaders = call->nsent,
		.params = call->raw_params,
		.nparams = call->nparams,
		.bucket = call->virtual_host ? call->bucket : gml_span_of(NULL, 0),
	};
}

static void auth_detail_date(struct s3_call *call, const char *name, int64_t seconds)
{
	char text[25];
	if (seconds < GML_DATE_FIRST || seconds > GML_DATE_LAST)
		return;
	gml_date_iso(seconds, text);
	s3_detail(call, name, gml_span_text(text));
}

static enum s3_error auth_expired(struct s3_call *call, const struct auth_credential *credential)
{
	if (credential->kind == AUTH_V4_QUERY) {
		s3_detail_number(call, "X-Amz-Expires", (uint64_t)credential->expires);
		if (credential->expires <= INT64_MAX - credential->time)
			auth_detail_date(call, "Expires", credential->time + credential->expires);
	} else {
		auth_detail_date(call, "Expires", credential->expires);
	}
	auth_detail_date(call, "ServerTime", call->now);
	return s3_refuse(call, S3_ERR_ACCESS_DENIED, "Request has expired");
}

/* A clock that is wrong in a request that is sent at once; the far future in one that was signed
 * for later. */
static enum s3_error auth_skewed(struct s3_call *call, const struct auth_credential *credential)
{
	if (credential->kind == AUTH_V4_QUERY) {
		s3_detail(call, "X-Amz-Date", gml_span_text(credential->amz_date));
		auth_detail_date(call, "Expires", credential->time + credential->expires);
		auth_detail_date(call, "ServerTime", call->now);
		return s3_refuse(call, S3_ERR_ACCESS_DENIED, "Request is not yet valid");
	}
	s3_detail(call, "RequestTime", gml_span_text(credential->amz_date));
	auth_detail_date(call, "ServerTime", call->now);
	s3_detail_number(call, "MaxAllowedSkewMilliseconds", 900000);
	return S3_ERR_REQUEST_TIME_TOO_SKEWED;
}

static enum s3_error auth_mismatch(struct s3_call *call, const struct auth_credential *credential,
				   const char *canonical)
{
	bool v2 = credential->kind == AUTH_V2_HEADER || credential->kind == AUTH_V2_QUERY;
	s3_detail(call, "AWSAccessKeyId", credential->access_key);
	s3_detail(call, v2 ? "StringToSign" : "CanonicalRequest", gml_span_text(canonical));
	s3_detail(call, "SignatureProvided", credential->signature);
	return S3_ERR_SIGNATURE_DOES_NOT_MATCH;
}

static enum s3_error auth_region(struct s3_call *call, const struct auth_credential *credential)
{
	s3_detail(call, "Region", gml_span_text(call->config->region));
	return s3_refuse(call,
			 credential->kind == AUTH_V4_QUERY ? S3_ERR_AUTH_QUERY_PARAMETERS
							   : S3_ERR_AUTH_HEADER_MALFORMED,
			 "%s; the region '%.*s' is wrong; expecting '%s'",
			 credential->kind == AUTH_V4_QUERY
				 ? "Error parsing the X-Amz-Credential parameter"
				 : "The authorization header is malformed",
			 (int)(credential->region.len < 64 ? credential->region.len : 64),
			 gml_span_chars(credential->region), call->config->region);
}

static enum s3_error auth_incomplete(struct s3_call *call, const struct auth_credential *credential)
{
	enum s3_error error = S3_ERR_INVALID_REQUEST;
	if (credential->argument) {
		struct gml_span value = {NULL, 0};
		s3_detail(call, "ArgumentName", gml_span_text(credential->argument));
		/* Even a malformed Authorization value may hold a credential: it is not echoed. */
		if (strcasecmp(credential->argument, "authorization") != 0)
			value = s3_header(call, credential->argument);
		if (value.ptr)
			s3_detail(call, "ArgumentValue", value);
		error = S3_ERR_INVALID_ARGUMENT;
	}
	return credential->detail ? s3_refuse(call, error, "%s", credential->detail) : error;
}

/* A form upload is signed in its fields, which this code does not read: the answer must say so, and
 * not that the request is unsigned. */
static bool auth_is_form(const struct s3_call *call)
{
	return call->method == S3_POST && call->scope == S3_BUCKET && !call->operation->query[0];
}

static enum s3_error auth_failed(struct s3_call *call, enum auth_result result,
				 const struct auth_credential *credential)
{
	enum s3_error error;
	switch (result) {
	case AUTH_OK:
		return S3_OK;
	case AUTH_NONE: /* a form */
		return S3_ERR_NOT_IMPLEMENTED;
	case AUTH_MALFORMED:
		error = credential->kind == AUTH_V4_QUERY ? S3_ERR_AUTH_QUERY_PARAMETERS
							  : S3_ERR_AUTH_HEADER_MALFORMED;
		return credential->detail ? s3_refuse(call, error, "%s", credential->detail)
					  : error;
	case AUTH_INCOMPLETE:
		return auth_incomplete(call, credential);
	case AUTH_REGION:
		return auth_region(call, credential);
	case AUTH_EXPIRED:
		return auth_expired(call, credential);
	case AUTH_SKEW:
		return auth_skewed(call, credential);
	case AUTH_MISMATCH:
		return auth_mismatch(call, credential, "");
	case AUTH_UNSIGNED_HEADER:
		s3_detail(call, "HeadersNotSigned", credential->unsigned_header);
		return s3_refuse(call, S3_ERR_ACCESS_DENIED,
				 "There were headers present in the request which were not signed");
	}
	return S3_ERR_INTERNAL_ERROR;
}

static enum gml_authn auth_kind(const struct auth_credential *credential)
{
	switch (credential->kind) {
	case AUTH_V4_HEADER:
		return GML_AUTHN_SIGV4;
	case AUTH_V4_QUERY:
		return GML_AUTHN_SIGV4_PRESIGNED;
	case AUTH_V2_HEADER:
		return GML_AUTHN_SIGV2;
	case AUTH_V2_QUERY:
		return GML_AUTHN_SIGV2_PRESIGNED;
	}
	return GML_AUTHN_ANONYMOUS;
}

static void auth_adopt(struct s3_call *call, const struct auth_credential *credential)
{
	gml_assert(!call->authenticated && call->access_key.len > 0);
	gml_principal_of_user(&call->user, call->access_key, auth_kind(credential),
			      &call->op.principal);
	call->authenticated = true;
	call->signed_at = credential->time;
}

/* A request without a signature. Rights decide about it as about others (gemel/action.h); what
 * needs a requester with a name, or is not implemented, is refused here. */
static enum s3_error auth_anonymous(struct s3_call *call, const struct auth_credential *credential)
{
	if (call->scope == S3_SERVICE || call->operation->mode == S3_MODE_NONE ||
	    call->operation->handler == s3_create_bucket ||
	    call->operation->handler == s3_create_upload)
		return S3_ERR_ACCESS_DENIED;
	if (credential->payload == AUTH_PAYLOAD_CHUNKED ||
	    credential->payload == AUTH_PAYLOAD_CHUNKED_TRAILER)
		return S3_ERR_ACCESS_DENIED; /* chunks cannot be signed without a key */
	gml_principal_anonymous(&call->op.principal);
	call->anonymous = true;
	call->payload = credential->payload;
	memcpy(call->payload_sha256, credential->sha256, sizeof(call->payload_sha256));
	return S3_OK;
}

static bool auth_is_stream(enum auth_payload payload)
{
	return payload == AUTH_PAYLOAD_CHUNKED || payload == AUTH_PAYLOAD_CHUNKED_TRAILER;
}

static enum s3_error auth_check_key(struct s3_call *call, const struct auth_credential *credential,
				    const struct gml_key *key)
{
	if ((key->flags & GML_KEY_DISABLED) || (key->expires != 0 && gml_now() >= key->expires)) {
		s3_detail(call, "AWSAccessKeyId", credential->access_key);
		return S3_ERR_INVALID_ACCESS_KEY_ID;
	}
	if ((credential->kind == AUTH_V2_HEADER || credential->kind == AUTH_V2_QUERY) &&
	    !(key->flags & GML_KEY_SIGV2))
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "The authorization mechanism you have provided is not supported. "
				 "Please use AWS4-HMAC-SHA256.");
	return S3_OK;
}

/* Verify again, for the canonical text that the client can compare. */
static enum s3_error auth_explain(struct s3_call *call, const struct auth_request *request,
				  const struct auth_credential *credential,
				  const struct auth_requirements *requirements)
{
	char canonical[4096];
	auth_verify(request, credential, requirements, NULL,
		    (struct gml_buf){canonical, sizeof(canonical)});
	return auth_mismatch(call, credential, canonical);
}

static enum s3_error auth_verify_key(struct s3_call *call, const struct auth_request *request,
				     const struct auth_credential *credential,
				     const struct gml_key *key)
{
	const struct auth_requirements requirements = {
		.secret = {key->secret, strnlen(key->secret, sizeof(key->secret))},
		.region = {call->config->region, strlen(call->config->region)},
		.now = call->now,
		.keys = call->config->signing_keys,
	};
	enum auth_result result;
	if (auth_is_stream(credential->payload)) {
		call->stream = s3_arena_alloc(&call->arena, sizeof(*call->stream));
		if (!call->stream)
			return S3_ERR_SERVICE_UNAVAILABLE;
	}
	result = auth_verify(request, credential, &requirements, call->stream,
			     (struct gml_buf){NULL, 0});
	if (result == AUTH_MISMATCH)
		return auth_explain(call, request, credential, &requirements);
	return auth_failed(call, result, credential);
}

/* For the access log, whether the signature is right or not. */
static void auth_note(struct s3_call *call, const struct auth_credential *credential)
{
	if (credential->access_key.len == 0 || credential->access_key.len > GML_ACCESS_KEY_MAX)
		return;
	call->auth = credential->kind == AUTH_V4_QUERY || credential->kind == AUTH_V2_QUERY
			     ? "query"
			     : "header";
	call->access_key = credential->access_key;
	if (credential->access_key.ptr == credential->key_buf)
		call->access_key = s3_arena_copy(&call->arena, call->access_key);
}

static enum s3_error auth_unsigned_param(struct s3_call *call, struct gml_span name)
{
	return s3_refuse(call, S3_ERR_ACCESS_DENIED,
			 "Signature version 2 does not sign the parameter '%.*s'. Please use "
			 "AWS4-HMAC-SHA256.",
			 (int)(name.len < 64 ? name.len : 64), gml_span_chars(name));
}

/* Version 2 signs some parameters only, and knows them by their raw names. The others must not make
 * another request of a signed one: not the escaped name of one that it would sign, and, in a signed
 * URL, which others have, no subresource that came after version 2. */
static enum s3_error auth_check_v2(struct s3_call *call, const struct auth_credential *credential)
{
	bool url = credential->kind == AUTH_V2_QUERY;
	if (!url && credential->kind != AUTH_V2_HEADER)
		return S3_OK;
	for (size_t i = 0; i < call->nparams; i++) {
		struct gml_span name = call->params[i].name;
		bool newer =
			url && s3_route_is_subresource(name) && !gml_span_is(name, "list-type");
		if ((newer || auth_v2_signs(name)) && !auth_v2_signs(call->raw_params[i].name))
			return auth_unsigned_param(call, name);
	}
	return S3_OK;
}

static enum s3_error auth_look_up(struct s3_call *call, struct gml_span id, struct gml_key *key)
{
	int rc = gml_key_lookup(call->config->store, id, key, &call->user);
	if (rc == GML_ERR_NOKEY || rc == GML_ERR_NOUSER || rc == GML_ERR_INVAL ||
	    rc == GML_ERR_NAMETOOLONG) {
		s3_detail(call, "AWSAccessKeyId", id);
		return S3_ERR_INVALID_ACCESS_KEY_ID;
	}
	return s3_error_from(rc);
}

enum s3_error s3_authenticate_again(struct s3_call *call)
{
	enum gml_authn authn = call->op.principal.authn;
	struct gml_key key;
	enum s3_error error =
		call->authenticated ? auth_look_up(call, call->access_key, &key) : S3_OK;
	bool disabled;
	if (error || !call->authenticated)
		return error;
	disabled = key.flags & GML_KEY_DISABLED;
	explicit_bzero(&key, sizeof(key));
	if (disabled) {
		s3_detail(call, "AWSAccessKeyId", call->access_key);
		return S3_ERR_INVALID_ACCESS_KEY_ID;
	}
	gml_principal_of_user(&call->user, call->access_key, authn, &call->op.principal);
	return call->user.flags & GML_USER_DISABLED ? S3_ERR_ACCESS_DENIED : S3_OK;
}

enum s3_error s3_authenticate(struct s3_call *call)
{
	const struct auth_request request = auth_request_of(call);
	struct auth_credential credential;
	struct gml_key key;
	enum auth_result result;
	enum s3_error error;
	result = auth_parse(&request, &credential);
	auth_note(call, &credential);
	if (result == AUTH_NONE && !auth_is_form(call))
		return auth_anonymous(call, &credential);
	if (result != AUTH_OK)
		return auth_failed(call, result, &credential);
	if (credential.token.len > 0)
		return S3_ERR_INVALID_TOKEN; /* there are no temporary credentials */
	error = auth_look_up(call, credential.access_key, &key);
	if (error)
		return error;
	error = auth_check_key(call, &credential, &key);
	if (!error)
		error = auth_verify_key(call, &request, &credential, &key);
	if (!error)
		error = auth_check_v2(call, &credential);
	explicit_bzero(&key, sizeof(key));
	if (error)
		return error;
	if (call->user.flags & GML_USER_DISABLED)
		return S3_ERR_ACCESS_DENIED;
	auth_adopt(call, &credential);
	_Static_assert(sizeof(call->payload_sha256) == sizeof(credential.sha256), "one hash");
	call->payload = credential.payload;
	memcpy(call->payload_sha256, credential.sha256, sizeof(call->payload_sha256));
	return S3_OK;
}
