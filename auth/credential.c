// SPDX-License-Identifier: Apache-2.0
/* auth_parse: which mechanism a request uses and what it states about its signature. Refuses
 * requests whose signature cannot be checked; needs no secret. */
#include "auth/credential.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>
#include "gateway/base/assert.h"
#include "gateway/base/calendar.h"
#include "gateway/base/hex.h"

#define CREDENTIAL_EXPIRES_MAX 604800
#define CREDENTIAL_ONE_MECHANISM                                                                   \
	"Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "    \
	"query string parameter "                                                                  \
	"or the Authorization header should be specified"
#define CREDENTIAL_BAD_DATE "AWS authentication requires a valid Date or x-amz-date header"
#define CREDENTIAL_QUERY_PARTS                                                                     \
	"Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "   \
	"X-Amz-Signature, "                                                                        \
	"X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
#define CREDENTIAL_NOT_SIGNED "There were headers present in the request which were not signed"

/* Authentication parameters of a query, raw. ptr NULL: absent. */
struct credential_query {
	struct gml_span algorithm, scope, date, expires, signed_headers, signature, token, sha256;
	struct gml_span v2_key, v2_expires, v2_signature;
	bool repeated; /* one of them came twice */
};

enum auth_result auth_refuse(struct auth_credential *credential, enum auth_result result,
			     const char *detail)
{
	gml_assert(result != AUTH_OK && result != AUTH_NONE && detail != NULL);
	credential->detail = detail;
	return result;
}

#define CREDENTIAL_QUERY(name, member)                                                             \
	{                                                                                          \
		GML_LIT(name), offsetof(struct credential_query, member)                           \
	}
static const struct {
	struct gml_span name;
	size_t into;
} credential_query_names[] = {
	CREDENTIAL_QUERY("X-Amz-Algorithm", algorithm),
	CREDENTIAL_QUERY("X-Amz-Credential", scope),
	CREDENTIAL_QUERY("X-Amz-Date", date),
	CREDENTIAL_QUERY("X-Amz-Expires", expires),
	CREDENTIAL_QUERY("X-Amz-SignedHeaders", signed_headers),
	CREDENTIAL_QUERY("X-Amz-Signature", signature),
	CREDENTIAL_QUERY("X-Amz-Security-Token", token),
	CREDENTIAL_QUERY("X-Amz-Content-Sha256", sha256),
	CREDENTIAL_QUERY("AWSAccessKeyId", v2_key),
	CREDENTIAL_QUERY("Expires", v2_expires),
	CREDENTIAL_QUERY("Signature", v2_signature),
	CREDENTIAL_QUERY("x-amz-security-token", token),
};

bool auth_param_signs(struct gml_span name)
{
	for (size_t i = 0; i < sizeof(credential_query_names) / sizeof(credential_query_names[0]);
	     i++)
		if (gml_span_equal_nocase(name, credential_query_names[i].name))
			return true;
	return false;
}

static void credential_query_read(const struct auth_param *params, size_t nparams,
				  struct credential_query *query)
{
	memset(query, 0, sizeof(*query));
	for (size_t i = 0; i < nparams; i++)
		for (size_t j = 0;
		     j < sizeof(credential_query_names) / sizeof(credential_query_names[0]); j++) {
			struct gml_span *into =
				(struct gml_span *)((char *)query + credential_query_names[j].into);
			if (!gml_span_equal(params[i].name, credential_query_names[j].name))
				continue;
			query->repeated |= into->ptr != NULL;
			*into = params[i].value;
			break;
		}
}

/* ---- payload ---- */

static enum auth_result credential_bad_payload(struct auth_credential *credential)
{
	credential->argument = "x-amz-content-sha256";
	return auth_refuse(credential, AUTH_INCOMPLETE,
			   "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
			   "STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
			   "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
			   "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value.");
}

/* chunks: whether signed chunks have a signature to start from. */
static enum auth_result credential_payload(struct auth_credential *credential, struct gml_span text,
					   bool chunks)
{
	credential->content_sha256 = text;
	if (text.len == 64 && gml_unhex(text.ptr, 32, credential->sha256))
		credential->payload = AUTH_PAYLOAD_SIGNED;
	else if (gml_span_equal(text, GML_LIT("UNSIGNED-PAYLOAD")))
		credential->payload = AUTH_PAYLOAD_UNSIGNED;
	else if (gml_span_equal(text, GML_LIT("STREAMING-UNSIGNED-PAYLOAD-TRAILER")))
		credential->payload = AUTH_PAYLOAD_UNSIGNED_TRAILER;
	else if (chunks && gml_span_equal(text, GML_LIT("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")))
		credential->payload = AUTH_PAYLOAD_CHUNKED;
	else if (chunks &&
		 gml_span_equal(text, GML_LIT("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")))
		credential->payload = AUTH_PAYLOAD_CHUNKED_TRAILER;
	else
		return credential_bad_payload(credential);
	return AUTH_OK;
}

/* Value of x-amz-content-sha256; empty if absent; false if it came twice. */
static bool credential_payload_header(const struct auth_request *request, struct gml_span *out)
{
	size_t count;
	const struct gml_http_header *header =
		auth_header_find(request, GML_LIT("x-amz-content-sha256"), &count);
	*out = header != NULL ? gml_span_trim(header->value) : gml_span_of(NULL, 0);
	return count <= 1;
}

/* Only the transport protects the body: anonymous requests and version 2. */
static enum auth_result credential_payload_plain(const struct auth_request *request,
						 struct auth_credential *credential)
{
	struct gml_span text;
	credential->payload = AUTH_PAYLOAD_UNSIGNED;
	if (!credential_payload_header(request, &text))
		return credential_bad_payload(credential);
	return text.len > 0 ? credential_payload(credential, text, false) : AUTH_OK;
}

/* ---- version 4 ---- */

static bool credential_is_digits(struct gml_span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (gml_span_at(text, i) < '0' || gml_span_at(text, i) > '9')
			return false;
	return text.len > 0;
}

/* Cut the last component off a "/"-separated list. */
static bool credential_rsplit(struct gml_span *rest, bool encoded, struct gml_span *last_out)
{
	for (size_t at = rest->len; at-- > 0;) {
		const char *p = gml_span_chars(*rest) + at;
		size_t skip = 1;
		if (*p != '/') {
			if (*p != '%' || !encoded || rest->len - at < 3 || p[1] != '2' ||
			    (p[2] != 'F' && p[2] != 'f'))
				continue;
			skip = 3;
		}
		*last_out = gml_span_of(p + skip, rest->len - at - skip);
		rest->len = at;
		return true;
	}
	return false;
}

_Static_assert(sizeof(((struct auth_credential *)NULL)->key_buf) > AUTH_KEY_MAX,
	       "a decoded key has its NUL");
bool auth_credential_scope(struct auth_credential *credential, struct gml_span text, bool encoded)
{
	struct gml_span rest = text, terminator;
	int len;
	if (!credential_rsplit(&rest, encoded, &terminator) ||
	    !credential_rsplit(&rest, encoded, &credential->service) ||
	    !credential_rsplit(&rest, encoded, &credential->region) ||
	    !credential_rsplit(&rest, encoded, &credential->date))
		return false;
	if (!gml_span_equal(terminator, GML_LIT("aws4_request")) || credential->date.len != 8 ||
	    !credential_is_digits(credential->date))
		return false;
	if (credential->region.len == 0 || credential->region.len > AUTH_REGION_MAX ||
	    memchr(credential->region.ptr, '%', credential->region.len) != NULL || rest.len == 0)
		return false;
	credential->access_key = rest;
	if (encoded && memchr(rest.ptr, '%', rest.len) != NULL) {
		len = auth_decode(rest, true, credential->key_buf, AUTH_KEY_MAX);
		if (len < 0)
			return false;
		credential->access_key = gml_span_of(credential->key_buf, (size_t)len);
	}
	return credential->access_key.len <= AUTH_KEY_MAX;
}

static bool credential_signs(const struct auth_credential *credential, struct gml_span name)
{
	struct gml_span list = credential->signed_headers, one;
	while (auth_signed_next(&list, &one))
		if (gml_span_equal_nocase(one, name))
			return true;
	return false;
}

static bool credential_list_valid(struct gml_span list)
{
	struct gml_span name;
	size_t count = 0;
	while (auth_signed_next(&list, &name)) {
		if (name.len == 0 || ++count > AUTH_SIGNED_MAX)
			return false;
		for (size_t i = 0; i < name.len; i++) {
			char c = gml_span_at(name, i);
			if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			      (c != '\0' && strchr("-_.!#$&'*+^`|~", c) != NULL)))
				return false;
		}
	}
	return count > 0;
}

/* S3 requires host and every x-amz-* header signed. The canonical request's last line already
 * covers the payload header; in a presigned request an unsigned one may only repeat what is
 * assumed. */
static enum auth_result credential_check_signed(const struct auth_request *request,
						struct auth_credential *credential)
{
	if (!credential_signs(credential, GML_LIT("host"))) {
		credential->unsigned_header = GML_LIT("host");
		return auth_refuse(credential, AUTH_UNSIGNED_HEADER, CREDENTIAL_NOT_SIGNED);
	}
	for (size_t i = 0; i < request->nheaders; i++) {
		const struct gml_http_header *header = &request->headers[i];
		if (header->name.len <= 6 || strncasecmp(header->name.ptr, "x-amz-", 6) != 0 ||
		    credential_signs(credential, header->name))
			continue;
		if (gml_span_equal_nocase(header->name, GML_LIT("x-amz-content-sha256")) &&
		    gml_span_equal(gml_span_trim(header->value), credential->content_sha256))
			continue;
		credential->unsigned_header = header->name;
		return auth_refuse(credential, AUTH_UNSIGNED_HEADER, CREDENTIAL_NOT_SIGNED);
	}
	return AUTH_OK;
}

/* Checks that both places of a version 4 signature share. */
static enum auth_result credential_check_v4(const struct auth_request *request,
					    struct auth_credential *credential)
{
	uint8_t signature[32];
	if (credential->signature.len != 64 || !gml_unhex(credential->signature.ptr, 32, signature))
		return auth_refuse(credential, AUTH_MALFORMED,
				   "The signature must be 64 hexadecimal digits.");
	if (!credential_list_valid(credential->signed_headers))
		return auth_refuse(credential, AUTH_MALFORMED,
				   "SignedHeaders must be a list of header names in lower case, "
				   "separated by semicolons.");
	if (!gml_span_equal(credential->service, GML_LIT("s3")))
		return auth_refuse(credential, AUTH_MALFORMED,
				   "The credential scope names another service. This endpoint "
				   "belongs to \"s3\".");
	/* What auth_credential_scope and credential_date_iso accepted. */
	gml_assert(credential->date.len == 8 && strlen(credential->amz_date) == 16);
	if (memcmp(credential->date.ptr, credential->amz_date, 8) != 0)
		return auth_refuse(
			credential, AUTH_MALFORMED,
			"Invalid credential date. This date is not the same as X-Amz-Date.");
	return credential_check_signed(request, credential);
}

/* The string to sign has it as the client wrote it. */
static bool credential_date_iso(struct gml_span text, struct auth_credential *credential)
{
	if (!gml_date_basic_parse(text, &credential->time))
		return false;
	gml_assert(text.len == sizeof(credential->amz_date) - 1);
	memcpy(credential->amz_date, text.ptr, sizeof(credential->amz_date) - 1);
	return true;
}

static bool credential_request_date(const struct auth_request *request,
				    struct auth_credential *credential)
{
	size_t count;
	const struct gml_http_header *header =
		auth_header_find(request, GML_LIT("x-amz-date"), &count);
	struct gml_span text;
	if (header == NULL)
		header = auth_header_find(request, GML_LIT("date"), &count);
	if (header == NULL || count != 1)
		return false;
	text = gml_span_trim(header->value);
	return credential_date_iso(text, credential) ||
	       (gml_date_mail_parse(text, &credential->time) &&
		gml_date_basic(credential->time, credential->amz_date));
}

/* "Credential=…, SignedHeaders=…, Signature=…" in any order. */
static enum auth_result credential_v4_components(struct auth_credential *credential,
						 struct gml_span text, struct gml_span *scope)
{
	while (text.len > 0) {
		struct gml_span value = gml_span_trim(gml_span_cut(&text, ',')), name;
		struct gml_span *into = NULL;
		if (value.len == 0)
			continue;
		if (gml_span_find(value, '=') == value.len)
			return auth_refuse(credential, AUTH_MALFORMED,
					   "The authorization header is malformed; expecting "
					   "name=value components.");
		name = gml_span_cut(&value, '=');
		if (gml_span_equal(name, GML_LIT("Credential")))
			into = scope;
		else if (gml_span_equal(name, GML_LIT("SignedHeaders")))
			into = &credential->signed_headers;
		else if (gml_span_equal(name, GML_LIT("Signature")))
			into = &credential->signature;
		if (into == NULL || into->ptr != NULL)
			return auth_refuse(credential, AUTH_MALFORMED,
					   "The authorization header is malformed; it has "
					   "components other than one "
					   "each of Credential, SignedHeaders and Signature.");
		*into = value;
	}
	if (scope->ptr == NULL || credential->signed_headers.ptr == NULL ||
	    credential->signature.ptr == NULL)
		return auth_refuse(credential, AUTH_MALFORMED,
				   "The authorization header is malformed; the authorization "
				   "header requires three "
				   "components: Credential, SignedHeaders, and Signature.");
	return AUTH_OK;
}

static enum auth_result credential_v4_header(const struct auth_request *request,
					     struct auth_credential *credential,
					     struct gml_span text)
{
	struct gml_span scope = {NULL, 0}, sha256;
	const struct gml_http_header *token =
		auth_header_find(request, GML_LIT("x-amz-security-token"), NULL);
	enum auth_result rc = credential_v4_components(credential, text, &scope);
	credential->kind = AUTH_V4_HEADER;
	if (rc != AUTH_OK)
		return rc;
	if (!auth_credential_scope(credential, scope, false))
		return auth_refuse(credential, AUTH_MALFORMED,
				   "The authorization header is malformed; the Credential is "
				   "mal-formed; expecting "
				   "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
	if (!credential_request_date(request, credential))
		return auth_refuse(credential, AUTH_UNSIGNED_HEADER, CREDENTIAL_BAD_DATE);
	if (!credential_payload_header(request, &sha256))
		return credential_bad_payload(credential);
	if (sha256.ptr == NULL)
		return auth_refuse(
			credential, AUTH_INCOMPLETE,
			"Missing required header for this request: x-amz-content-sha256");
	rc = credential_payload(credential, sha256, true);
	if (rc != AUTH_OK)
		return rc;
	if (token != NULL)
		credential->token = gml_span_trim(token->value);
	return credential_check_v4(request, credential);
}

static enum auth_result credential_expires(struct auth_credential *credential, struct gml_span text)
{
	if (text.len > 1 && gml_span_at(text, 0) == '-' &&
	    credential_is_digits(gml_span_from(text, 1)))
		return auth_refuse(credential, AUTH_MALFORMED,
				   "X-Amz-Expires must be non-negative");
	if (!credential_is_digits(text))
		return auth_refuse(credential, AUTH_MALFORMED, "X-Amz-Expires should be a number");
	for (size_t i = 0; i < text.len && credential->expires <= CREDENTIAL_EXPIRES_MAX; i++)
		credential->expires = credential->expires * 10 + (gml_span_at(text, i) - '0');
	if (credential->expires > CREDENTIAL_EXPIRES_MAX)
		return auth_refuse(
			credential, AUTH_MALFORMED,
			"X-Amz-Expires must be less than a week (in seconds); that is, the given "
			"X-Amz-Expires must be less than 604800 seconds");
	if (credential->expires == 0)
		return auth_refuse(credential, AUTH_MALFORMED,
				   "X-Amz-Expires must be at least one second");
	return AUTH_OK;
}

static enum auth_result credential_v4_query(const struct auth_request *request,
					    struct auth_credential *credential,
					    const struct credential_query *query)
{
	struct gml_span sha256 = query->sha256;
	enum auth_result rc;
	credential->kind = AUTH_V4_QUERY;
	if (query->repeated || query->algorithm.ptr == NULL || query->scope.ptr == NULL ||
	    query->signature.ptr == NULL || query->date.ptr == NULL ||
	    query->signed_headers.ptr == NULL || query->expires.ptr == NULL)
		return auth_refuse(credential, AUTH_MALFORMED, CREDENTIAL_QUERY_PARTS);
	if (!gml_span_equal(query->algorithm, GML_LIT("AWS4-HMAC-SHA256")))
		return auth_refuse(credential, AUTH_MALFORMED,
				   "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
	if (!auth_credential_scope(credential, query->scope, true))
		return auth_refuse(
			credential, AUTH_MALFORMED,
			"Error parsing the X-Amz-Credential parameter; the Credential is "
			"mal-formed; "
			"expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
	if (!credential_date_iso(query->date, credential))
		return auth_refuse(
			credential, AUTH_MALFORMED,
			"X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
	rc = credential_expires(credential, query->expires);
	if (rc != AUTH_OK)
		return rc;
	credential->signed_headers = query->signed_headers;
	credential->signature = query->signature;
	if (query->token.ptr != NULL)
		credential->token = query->token;
	if (sha256.ptr == NULL && credential_signs(credential, GML_LIT("x-amz-content-sha256")) &&
	    !credential_payload_header(request, &sha256))
		return credential_bad_payload(credential);
	rc = credential_payload(credential,
				sha256.ptr != NULL ? sha256 : GML_LIT("UNSIGNED-PAYLOAD"), true);
	return rc == AUTH_OK ? credential_check_v4(request, credential) : rc;
}

/* ---- version 2 ---- */

static enum auth_result credential_v2_header(const struct auth_request *request,
					     struct auth_credential *credential,
					     struct gml_span text)
{
	const struct gml_http_header *token =
		auth_header_find(request, GML_LIT("x-amz-security-token"), NULL);
	const char *colon;
	size_t at;
	credential->kind = AUTH_V2_HEADER;
	text = gml_span_trim(text);
	colon = text.len > 0 ? memrchr(text.ptr, ':', text.len) : NULL;
	at = colon != NULL ? (size_t)(colon - gml_span_chars(text)) : 0;
	if (at == 0 || at > AUTH_KEY_MAX) {
		credential->argument = "Authorization";
		return auth_refuse(
			credential, AUTH_INCOMPLETE,
			"AWS authorization header is invalid. Expected AwsAccessKeyId:signature");
	}
	credential->access_key = gml_span_of(text.ptr, at);
	credential->signature = gml_span_from(text, at + 1);
	if (!credential_request_date(request, credential))
		return auth_refuse(credential, AUTH_UNSIGNED_HEADER, CREDENTIAL_BAD_DATE);
	if (token != NULL)
		credential->token = gml_span_trim(token->value);
	return credential_payload_plain(request, credential);
}

static enum auth_result credential_v2_query(const struct auth_request *request,
					    struct auth_credential *credential,
					    const struct credential_query *query)
{
	int len;
	credential->kind = AUTH_V2_QUERY;
	if (query->repeated || query->v2_key.len == 0 || query->v2_expires.len == 0 ||
	    query->v2_signature.len == 0)
		return auth_refuse(credential, AUTH_UNSIGNED_HEADER,
				   "Query-string authentication requires the Signature, Expires "
				   "and AWSAccessKeyId parameters");
	len = auth_decode(query->v2_key, true, credential->key_buf, AUTH_KEY_MAX);
	if (len <= 0 || !credential_is_digits(query->v2_expires) || query->v2_expires.len > 12)
		return auth_refuse(credential, AUTH_UNSIGNED_HEADER,
				   "Invalid date (should be seconds since epoch) or access key");
	credential->access_key = gml_span_of(credential->key_buf, (size_t)len);
	for (size_t i = 0; i < query->v2_expires.len; i++)
		credential->expires =
			credential->expires * 10 + (gml_span_at(query->v2_expires, i) - '0');
	credential->date = query->v2_expires;
	credential->signature = query->v2_signature;
	if (query->token.ptr != NULL)
		credential->token = query->token;
	return credential_payload_plain(request, credential);
}

/* ---- dispatch ---- */

static enum auth_result credential_header(const struct auth_request *request,
					  struct auth_credential *credential, struct gml_span text)
{
	struct gml_span scheme, rest;
	text = gml_span_trim(text.len > 0 ? text : GML_LIT(""));
	scheme = gml_span_of(text.ptr, gml_span_find(text, ' '));
	rest = gml_span_from(text, scheme.len);
	if (gml_span_equal(scheme, GML_LIT("AWS4-HMAC-SHA256")))
		return credential_v4_header(request, credential, rest);
	if (gml_span_equal(scheme, GML_LIT("AWS")))
		return credential_v2_header(request, credential, rest);
	if (scheme.len >= 4 && memcmp(scheme.ptr, "AWS4", 4) == 0)
		return auth_refuse(credential, AUTH_INCOMPLETE,
				   "The authorization mechanism you have provided is not "
				   "supported. Please use AWS4-HMAC-SHA256.");
	credential->argument = "Authorization";
	return auth_refuse(credential, AUTH_INCOMPLETE, "Unsupported Authorization Type");
}

/* What auth_parse promises with that result. */
static bool credential_is_whole(const struct auth_credential *credential, enum auth_result result)
{
	if (result == AUTH_NONE)
		return credential->kind == 0 && credential->access_key.len == 0;
	if (result != AUTH_OK)
		return credential->detail != NULL &&
		       (result == AUTH_MALFORMED || result == AUTH_INCOMPLETE ||
			result == AUTH_UNSIGNED_HEADER);
	return credential->kind != 0 && credential->access_key.len > 0 &&
	       credential->access_key.len <= AUTH_KEY_MAX && credential->detail == NULL &&
	       (credential->kind >= AUTH_V2_HEADER || credential->signature.len == 64);
}

static enum auth_result credential_parse(const struct auth_request *request,
					 struct auth_credential *credential)
{
	struct auth_param params[AUTH_PARAMS_MAX];
	struct credential_query query;
	size_t authorizations;
	const struct gml_http_header *header;
	int nparams;
	bool v4, v2;
	memset(credential, 0, sizeof(*credential));
	if (request->nheaders > AUTH_HEADERS_MAX)
		return auth_refuse(credential, AUTH_INCOMPLETE, "Too many request headers");
	if (request->path.len > AUTH_TARGET_MAX ||
	    request->query.len > AUTH_TARGET_MAX - request->path.len)
		return auth_refuse(credential, AUTH_INCOMPLETE, "The request target is too long");
	nparams = auth_query_params(request, params);
	if (nparams < 0)
		return auth_refuse(credential, AUTH_INCOMPLETE, "Too many query parameters");
	credential_query_read(params, (size_t)nparams, &query);
	header = auth_header_find(request, GML_LIT("authorization"), &authorizations);

	v4 = query.algorithm.ptr != NULL || query.scope.ptr != NULL || query.signature.ptr != NULL;
	v2 = query.v2_key.ptr != NULL || query.v2_signature.ptr != NULL;
	if (authorizations > 1 || (authorizations > 0) + v4 + v2 > 1) {
		credential->argument = "Authorization";
		return auth_refuse(credential, AUTH_INCOMPLETE, CREDENTIAL_ONE_MECHANISM);
	}
	if (header != NULL)
		return credential_header(request, credential, header->value);
	if (v4)
		return credential_v4_query(request, credential, &query);
	if (v2)
		return credential_v2_query(request, credential, &query);
	if (credential_payload_plain(request, credential) != AUTH_OK)
		return AUTH_INCOMPLETE;
	return AUTH_NONE;
}

enum auth_result auth_parse(const struct auth_request *request, struct auth_credential *credential)
{
	enum auth_result rc = credential_parse(request, credential);
	gml_assert(credential_is_whole(credential, rc));
	return rc;
}
