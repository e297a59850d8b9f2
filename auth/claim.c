// SPDX-License-Identifier: Apache-2.0
/* auth_parse: which mechanism a request uses and what it claims. Refuses whatever a signature could not be checked for;
 * needs no secret. */
#include "auth/claim.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>
#include "gateway/base/calendar.h"
#include "gateway/base/hex.h"

#define CLAIM_EXPIRES_MAX 604800
#define CLAIM_ONE_MECHANISM                                                                        \
	"Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "    \
	"query string parameter "                                                                  \
	"or the Authorization header should be specified"
#define CLAIM_BAD_DATE "AWS authentication requires a valid Date or x-amz-date header"
#define CLAIM_QUERY_PARTS                                                                          \
	"Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "   \
	"X-Amz-Signature, "                                                                        \
	"X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
#define CLAIM_NOT_SIGNED "There were headers present in the request which were not signed"

/* Authentication parameters of a query, raw. ptr NULL: absent. */
struct claim_query {
	struct gml_span algorithm, credential, date, expires, signed_headers, signature, token,
		sha256;
	struct gml_span v2_key, v2_expires, v2_signature;
	bool repeated; /* one of them came twice */
};

enum auth_result auth_refuse(struct auth_claim *claim, enum auth_result result, const char *detail)
{
	claim->detail = detail;
	return result;
}

#define CLAIM_QUERY(name, member)                                                                  \
	{                                                                                          \
		GML_LIT(name), offsetof(struct claim_query, member)                                \
	}
static const struct {
	struct gml_span name;
	size_t into;
} claim_query_names[] = {
	CLAIM_QUERY("X-Amz-Algorithm", algorithm),
	CLAIM_QUERY("X-Amz-Credential", credential),
	CLAIM_QUERY("X-Amz-Date", date),
	CLAIM_QUERY("X-Amz-Expires", expires),
	CLAIM_QUERY("X-Amz-SignedHeaders", signed_headers),
	CLAIM_QUERY("X-Amz-Signature", signature),
	CLAIM_QUERY("X-Amz-Security-Token", token),
	CLAIM_QUERY("X-Amz-Content-Sha256", sha256),
	CLAIM_QUERY("AWSAccessKeyId", v2_key),
	CLAIM_QUERY("Expires", v2_expires),
	CLAIM_QUERY("Signature", v2_signature),
	CLAIM_QUERY("x-amz-security-token", token),
};

bool auth_param_signs(struct gml_span name)
{
	for (size_t i = 0; i < sizeof(claim_query_names) / sizeof(claim_query_names[0]); i++)
		if (gml_span_equal_nocase(name, claim_query_names[i].name))
			return true;
	return false;
}

static void claim_query_read(const struct auth_param *params, size_t nparams,
			     struct claim_query *query)
{
	memset(query, 0, sizeof(*query));
	for (size_t i = 0; i < nparams; i++)
		for (size_t j = 0; j < sizeof(claim_query_names) / sizeof(claim_query_names[0]);
		     j++) {
			struct gml_span *into =
				(struct gml_span *)((char *)query + claim_query_names[j].into);
			if (!gml_span_equal(params[i].name, claim_query_names[j].name))
				continue;
			query->repeated |= into->ptr != NULL;
			*into = params[i].value;
			break;
		}
}

/* ---- payload ---- */

static enum auth_result claim_bad_payload(struct auth_claim *claim)
{
	claim->argument = "x-amz-content-sha256";
	return auth_refuse(claim, AUTH_INCOMPLETE,
			   "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
			   "STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
			   "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
			   "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value.");
}

/* chunks: whether signed chunks have a signature to start from. */
static enum auth_result claim_payload(struct auth_claim *claim, struct gml_span text, bool chunks)
{
	claim->content_sha256 = text;
	if (text.len == 64 && gml_unhex(text.ptr, 32, claim->sha256))
		claim->payload = AUTH_PAYLOAD_SIGNED;
	else if (gml_span_equal(text, GML_LIT("UNSIGNED-PAYLOAD")))
		claim->payload = AUTH_PAYLOAD_UNSIGNED;
	else if (gml_span_equal(text, GML_LIT("STREAMING-UNSIGNED-PAYLOAD-TRAILER")))
		claim->payload = AUTH_PAYLOAD_UNSIGNED_TRAILER;
	else if (chunks && gml_span_equal(text, GML_LIT("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")))
		claim->payload = AUTH_PAYLOAD_CHUNKED;
	else if (chunks &&
		 gml_span_equal(text, GML_LIT("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")))
		claim->payload = AUTH_PAYLOAD_CHUNKED_TRAILER;
	else
		return claim_bad_payload(claim);
	return AUTH_OK;
}

/* Value of x-amz-content-sha256; empty if absent; false if it came twice. */
static bool claim_payload_header(const struct auth_request *request, struct gml_span *out)
{
	size_t count;
	const struct auth_header *header =
		auth_header_find(request, GML_LIT("x-amz-content-sha256"), &count);
	*out = header != NULL ? gml_span_trim(header->value) : gml_span_of(NULL, 0);
	return count <= 1;
}

/* Where nothing but the transport vouches for the body: anonymous requests and version 2. */
static enum auth_result claim_payload_plain(const struct auth_request *request,
					    struct auth_claim *claim)
{
	struct gml_span text;
	claim->payload = AUTH_PAYLOAD_UNSIGNED;
	if (!claim_payload_header(request, &text))
		return claim_bad_payload(claim);
	return text.len > 0 ? claim_payload(claim, text, false) : AUTH_OK;
}

/* ---- version 4 ---- */

static bool claim_is_digits(struct gml_span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (gml_span_at(text, i) < '0' || gml_span_at(text, i) > '9')
			return false;
	return text.len > 0;
}

/* Cut the last component off a "/"-separated list. */
static bool claim_rsplit(struct gml_span *rest, bool encoded, struct gml_span *last_out)
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

bool auth_claim_credential(struct auth_claim *claim, struct gml_span credential, bool encoded)
{
	struct gml_span rest = credential, terminator;
	int len;
	if (!claim_rsplit(&rest, encoded, &terminator) ||
	    !claim_rsplit(&rest, encoded, &claim->service) ||
	    !claim_rsplit(&rest, encoded, &claim->region) ||
	    !claim_rsplit(&rest, encoded, &claim->date))
		return false;
	if (!gml_span_equal(terminator, GML_LIT("aws4_request")) || claim->date.len != 8 ||
	    !claim_is_digits(claim->date))
		return false;
	if (claim->region.len == 0 || claim->region.len > AUTH_REGION_MAX ||
	    memchr(claim->region.ptr, '%', claim->region.len) != NULL || rest.len == 0)
		return false;
	claim->access_key = rest;
	if (encoded && memchr(rest.ptr, '%', rest.len) != NULL) {
		len = auth_decode(rest, true, claim->key_buf, AUTH_KEY_MAX);
		if (len < 0)
			return false;
		claim->access_key = gml_span_of(claim->key_buf, (size_t)len);
	}
	return claim->access_key.len <= AUTH_KEY_MAX;
}

static bool claim_signs(const struct auth_claim *claim, struct gml_span name)
{
	struct gml_span list = claim->signed_headers, one;
	while (auth_signed_next(&list, &one))
		if (gml_span_equal_nocase(one, name))
			return true;
	return false;
}

static bool claim_list_valid(struct gml_span list)
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

/* S3 wants host and every x-amz-* header signed. The payload header is bound by the canonical request's last line
 * already; in a presigned request an unsigned one may only say what is assumed anyway. */
static enum auth_result claim_check_signed(const struct auth_request *request,
					   struct auth_claim *claim)
{
	if (!claim_signs(claim, GML_LIT("host"))) {
		claim->unsigned_header = GML_LIT("host");
		return auth_refuse(claim, AUTH_UNSIGNED_HEADER, CLAIM_NOT_SIGNED);
	}
	for (size_t i = 0; i < request->nheaders; i++) {
		const struct auth_header *header = &request->headers[i];
		if (header->name.len <= 6 || strncasecmp(header->name.ptr, "x-amz-", 6) != 0 ||
		    claim_signs(claim, header->name))
			continue;
		if (gml_span_equal_nocase(header->name, GML_LIT("x-amz-content-sha256")) &&
		    gml_span_equal(gml_span_trim(header->value), claim->content_sha256))
			continue;
		claim->unsigned_header = header->name;
		return auth_refuse(claim, AUTH_UNSIGNED_HEADER, CLAIM_NOT_SIGNED);
	}
	return AUTH_OK;
}

/* Checks that both places of a version 4 signature share. */
static enum auth_result claim_check_v4(const struct auth_request *request, struct auth_claim *claim)
{
	uint8_t signature[32];
	if (claim->signature.len != 64 || !gml_unhex(claim->signature.ptr, 32, signature))
		return auth_refuse(claim, AUTH_MALFORMED,
				   "The signature must be 64 hexadecimal digits.");
	if (!claim_list_valid(claim->signed_headers))
		return auth_refuse(claim, AUTH_MALFORMED,
				   "SignedHeaders must be a list of header names in lower case, "
				   "separated by semicolons.");
	if (!gml_span_equal(claim->service, GML_LIT("s3")))
		return auth_refuse(claim, AUTH_MALFORMED,
				   "The credential scope names another service. This endpoint "
				   "belongs to \"s3\".");
	if (memcmp(claim->date.ptr, claim->amz_date, 8) != 0)
		return auth_refuse(
			claim, AUTH_MALFORMED,
			"Invalid credential date. This date is not the same as X-Amz-Date.");
	return claim_check_signed(request, claim);
}

/* The string to sign has it as the client wrote it. */
static bool claim_date_iso(struct gml_span text, struct auth_claim *claim)
{
	if (!gml_date_basic_parse(text, &claim->time))
		return false;
	memcpy(claim->amz_date, text.ptr, sizeof(claim->amz_date) - 1);
	return true;
}

static bool claim_request_date(const struct auth_request *request, struct auth_claim *claim)
{
	size_t count;
	const struct auth_header *header = auth_header_find(request, GML_LIT("x-amz-date"), &count);
	struct gml_span text;
	if (header == NULL)
		header = auth_header_find(request, GML_LIT("date"), &count);
	if (header == NULL || count != 1)
		return false;
	text = gml_span_trim(header->value);
	return claim_date_iso(text, claim) || (gml_date_mail_parse(text, &claim->time) &&
					       gml_date_basic(claim->time, claim->amz_date));
}

/* "Credential=…, SignedHeaders=…, Signature=…" in any order. */
static enum auth_result claim_v4_components(struct auth_claim *claim, struct gml_span text,
					    struct gml_span *credential)
{
	while (text.len > 0) {
		struct gml_span value = gml_span_trim(gml_span_cut(&text, ',')), name;
		struct gml_span *into = NULL;
		if (value.len == 0)
			continue;
		if (gml_span_find(value, '=') == value.len)
			return auth_refuse(claim, AUTH_MALFORMED,
					   "The authorization header is malformed; expecting "
					   "name=value components.");
		name = gml_span_cut(&value, '=');
		if (gml_span_equal(name, GML_LIT("Credential")))
			into = credential;
		else if (gml_span_equal(name, GML_LIT("SignedHeaders")))
			into = &claim->signed_headers;
		else if (gml_span_equal(name, GML_LIT("Signature")))
			into = &claim->signature;
		if (into == NULL || into->ptr != NULL)
			return auth_refuse(claim, AUTH_MALFORMED,
					   "The authorization header is malformed; it has "
					   "components other than one "
					   "each of Credential, SignedHeaders and Signature.");
		*into = value;
	}
	if (credential->ptr == NULL || claim->signed_headers.ptr == NULL ||
	    claim->signature.ptr == NULL)
		return auth_refuse(claim, AUTH_MALFORMED,
				   "The authorization header is malformed; the authorization "
				   "header requires three "
				   "components: Credential, SignedHeaders, and Signature.");
	return AUTH_OK;
}

static enum auth_result claim_v4_header(const struct auth_request *request,
					struct auth_claim *claim, struct gml_span text)
{
	struct gml_span credential = {NULL, 0}, sha256;
	const struct auth_header *token =
		auth_header_find(request, GML_LIT("x-amz-security-token"), NULL);
	enum auth_result rc = claim_v4_components(claim, text, &credential);
	claim->kind = AUTH_V4_HEADER;
	if (rc != AUTH_OK)
		return rc;
	if (!auth_claim_credential(claim, credential, false))
		return auth_refuse(claim, AUTH_MALFORMED,
				   "The authorization header is malformed; the Credential is "
				   "mal-formed; expecting "
				   "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
	if (!claim_request_date(request, claim))
		return auth_refuse(claim, AUTH_UNSIGNED_HEADER, CLAIM_BAD_DATE);
	if (!claim_payload_header(request, &sha256))
		return claim_bad_payload(claim);
	if (sha256.ptr == NULL)
		return auth_refuse(
			claim, AUTH_INCOMPLETE,
			"Missing required header for this request: x-amz-content-sha256");
	rc = claim_payload(claim, sha256, true);
	if (rc != AUTH_OK)
		return rc;
	if (token != NULL)
		claim->token = gml_span_trim(token->value);
	return claim_check_v4(request, claim);
}

static enum auth_result claim_expires(struct auth_claim *claim, struct gml_span text)
{
	if (text.len > 1 && gml_span_at(text, 0) == '-' && claim_is_digits(gml_span_from(text, 1)))
		return auth_refuse(claim, AUTH_MALFORMED, "X-Amz-Expires must be non-negative");
	if (!claim_is_digits(text))
		return auth_refuse(claim, AUTH_MALFORMED, "X-Amz-Expires should be a number");
	for (size_t i = 0; i < text.len && claim->expires <= CLAIM_EXPIRES_MAX; i++)
		claim->expires = claim->expires * 10 + (gml_span_at(text, i) - '0');
	if (claim->expires > CLAIM_EXPIRES_MAX)
		return auth_refuse(
			claim, AUTH_MALFORMED,
			"X-Amz-Expires must be less than a week (in seconds); that is, the given "
			"X-Amz-Expires must be less than 604800 seconds");
	if (claim->expires == 0)
		return auth_refuse(claim, AUTH_MALFORMED,
				   "X-Amz-Expires must be at least one second");
	return AUTH_OK;
}

static enum auth_result claim_v4_query(const struct auth_request *request, struct auth_claim *claim,
				       const struct claim_query *query)
{
	struct gml_span sha256 = query->sha256;
	enum auth_result rc;
	claim->kind = AUTH_V4_QUERY;
	if (query->repeated || query->algorithm.ptr == NULL || query->credential.ptr == NULL ||
	    query->signature.ptr == NULL || query->date.ptr == NULL ||
	    query->signed_headers.ptr == NULL || query->expires.ptr == NULL)
		return auth_refuse(claim, AUTH_MALFORMED, CLAIM_QUERY_PARTS);
	if (!gml_span_equal(query->algorithm, GML_LIT("AWS4-HMAC-SHA256")))
		return auth_refuse(claim, AUTH_MALFORMED,
				   "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
	if (!auth_claim_credential(claim, query->credential, true))
		return auth_refuse(
			claim, AUTH_MALFORMED,
			"Error parsing the X-Amz-Credential parameter; the Credential is "
			"mal-formed; "
			"expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
	if (!claim_date_iso(query->date, claim))
		return auth_refuse(
			claim, AUTH_MALFORMED,
			"X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
	rc = claim_expires(claim, query->expires);
	if (rc != AUTH_OK)
		return rc;
	claim->signed_headers = query->signed_headers;
	claim->signature = query->signature;
	if (query->token.ptr != NULL)
		claim->token = query->token;
	if (sha256.ptr == NULL && claim_signs(claim, GML_LIT("x-amz-content-sha256")) &&
	    !claim_payload_header(request, &sha256))
		return claim_bad_payload(claim);
	rc = claim_payload(claim, sha256.ptr != NULL ? sha256 : GML_LIT("UNSIGNED-PAYLOAD"), true);
	return rc == AUTH_OK ? claim_check_v4(request, claim) : rc;
}

/* ---- version 2 ---- */

static enum auth_result claim_v2_header(const struct auth_request *request,
					struct auth_claim *claim, struct gml_span text)
{
	const struct auth_header *token =
		auth_header_find(request, GML_LIT("x-amz-security-token"), NULL);
	const char *colon;
	size_t at;
	claim->kind = AUTH_V2_HEADER;
	text = gml_span_trim(text);
	colon = text.len > 0 ? memrchr(text.ptr, ':', text.len) : NULL;
	at = colon != NULL ? (size_t)(colon - gml_span_chars(text)) : 0;
	if (at == 0 || at > AUTH_KEY_MAX) {
		claim->argument = "Authorization";
		return auth_refuse(
			claim, AUTH_INCOMPLETE,
			"AWS authorization header is invalid. Expected AwsAccessKeyId:signature");
	}
	claim->access_key = gml_span_of(text.ptr, at);
	claim->signature = gml_span_from(text, at + 1);
	if (!claim_request_date(request, claim))
		return auth_refuse(claim, AUTH_UNSIGNED_HEADER, CLAIM_BAD_DATE);
	if (token != NULL)
		claim->token = gml_span_trim(token->value);
	return claim_payload_plain(request, claim);
}

static enum auth_result claim_v2_query(const struct auth_request *request, struct auth_claim *claim,
				       const struct claim_query *query)
{
	int len;
	claim->kind = AUTH_V2_QUERY;
	if (query->repeated || query->v2_key.len == 0 || query->v2_expires.len == 0 ||
	    query->v2_signature.len == 0)
		return auth_refuse(claim, AUTH_UNSIGNED_HEADER,
				   "Query-string authentication requires the Signature, Expires "
				   "and AWSAccessKeyId parameters");
	len = auth_decode(query->v2_key, true, claim->key_buf, AUTH_KEY_MAX);
	if (len <= 0 || !claim_is_digits(query->v2_expires) || query->v2_expires.len > 12)
		return auth_refuse(claim, AUTH_UNSIGNED_HEADER,
				   "Invalid date (should be seconds since epoch) or access key");
	claim->access_key = gml_span_of(claim->key_buf, (size_t)len);
	for (size_t i = 0; i < query->v2_expires.len; i++)
		claim->expires = claim->expires * 10 + (gml_span_at(query->v2_expires, i) - '0');
	claim->date = query->v2_expires;
	claim->signature = query->v2_signature;
	if (query->token.ptr != NULL)
		claim->token = query->token;
	return claim_payload_plain(request, claim);
}

/* ---- dispatch ---- */

static enum auth_result claim_header(const struct auth_request *request, struct auth_claim *claim,
				     struct gml_span text)
{
	struct gml_span scheme, rest;
	text = gml_span_trim(text.len > 0 ? text : GML_LIT(""));
	scheme = gml_span_of(text.ptr, gml_span_find(text, ' '));
	rest = gml_span_from(text, scheme.len);
	if (gml_span_equal(scheme, GML_LIT("AWS4-HMAC-SHA256")))
		return claim_v4_header(request, claim, rest);
	if (gml_span_equal(scheme, GML_LIT("AWS")))
		return claim_v2_header(request, claim, rest);
	if (scheme.len >= 4 && memcmp(scheme.ptr, "AWS4", 4) == 0)
		return auth_refuse(claim, AUTH_INCOMPLETE,
				   "The authorization mechanism you have provided is not "
				   "supported. Please use AWS4-HMAC-SHA256.");
	claim->argument = "Authorization";
	return auth_refuse(claim, AUTH_INCOMPLETE, "Unsupported Authorization Type");
}

enum auth_result auth_parse(const struct auth_request *request, struct auth_claim *claim)
{
	struct auth_param params[AUTH_PARAMS_MAX];
	struct claim_query query;
	size_t authorizations;
	const struct auth_header *header;
	int nparams;
	bool v4, v2;
	memset(claim, 0, sizeof(*claim));
	if (request->nheaders > AUTH_HEADERS_MAX)
		return auth_refuse(claim, AUTH_INCOMPLETE, "Too many request headers");
	if (request->path.len > AUTH_TARGET_MAX ||
	    request->query.len > AUTH_TARGET_MAX - request->path.len)
		return auth_refuse(claim, AUTH_INCOMPLETE, "The request target is too long");
	nparams = auth_query_params(request, params);
	if (nparams < 0)
		return auth_refuse(claim, AUTH_INCOMPLETE, "Too many query parameters");
	claim_query_read(params, (size_t)nparams, &query);
	header = auth_header_find(request, GML_LIT("authorization"), &authorizations);

	v4 = query.algorithm.ptr != NULL || query.credential.ptr != NULL ||
	     query.signature.ptr != NULL;
	v2 = query.v2_key.ptr != NULL || query.v2_signature.ptr != NULL;
	if (authorizations > 1 || (authorizations > 0) + v4 + v2 > 1) {
		claim->argument = "Authorization";
		return auth_refuse(claim, AUTH_INCOMPLETE, CLAIM_ONE_MECHANISM);
	}
	if (header != NULL)
		return claim_header(request, claim, header->value);
	if (v4)
		return claim_v4_query(request, claim, &query);
	if (v2)
		return claim_v2_query(request, claim, &query);
	if (claim_payload_plain(request, claim) != AUTH_OK)
		return AUTH_INCOMPLETE;
	return AUTH_NONE;
}
