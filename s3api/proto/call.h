// SPDX-License-Identifier: Apache-2.0
/* One request from inside: what the files of s3api/proto share about struct s3_call.
 *
 * Invariants
 *  1. Handlers return S3_OK with the answer (or the next step) prepared, or an error code; only
 *     call.c turns an error into an answer.
 *  2. Everything a handler keeps lives in call->arena or in a member that s3_call_free releases.
 *  3. Handlers of mode NOW and BODY run on the host's event loop: no commits, no locks, no disk.
 *  4. Nothing of a body becomes visible before s3_body_end has checked every digest the client
 *     named. */
#ifndef GML_S3_CALL_H
#define GML_S3_CALL_H

#include <gemel/checksum.h>
#include <gemel/grant.h>
#include <gemel/inode.h>
#include <gemel/object.h>
#include <gemel/principal.h>
#include <gemel/upload.h>
#include "arena.h"
#include "auth/sigv4.h"
#include "body.h"
#include "error.h"
#include "gateway/base/span.h"
#include "hasher.h"
#include "health.h"
#include "s3.h"
#include "uri.h"
#include "xml_read.h"
#include "xml_write.h"

struct s3_config {
	struct gml_store *store;
	char *region;
	char **domains;	  /* NULL-terminated */
	char **own_names; /* "localhost" and the machine's; the same */
	uint64_t object_size_max;
	uint32_t xml_body_max;
	enum gml_ownership object_ownership; /* of new buckets */
	char *server_id;
	struct s3_hasher *hasher; /* MD5 of large bodies beside the rest */
	struct auth_key_cache *signing_keys;
	struct s3_health *health;
	gml_log_fn log;
	void *log_arg;
};

enum s3_method { S3_GET, S3_HEAD, S3_PUT, S3_POST, S3_DELETE, S3_OPTIONS, S3_METHOD_OTHER };
enum s3_scope { S3_SERVICE, S3_BUCKET, S3_OBJECT };

struct s3_call;
typedef enum s3_error (*s3_handler)(struct s3_call *call);

enum s3_mode {
	S3_MODE_NONE,	/* not implemented */
	S3_MODE_ABSENT, /* configuration that no bucket here can have: answers `absent` */
	/* handler answers in s3_call_new, or sets work and step S3_WORK because content is cold */
	S3_MODE_NOW,
	S3_MODE_WORK, /* handler runs in s3_call_work */
	S3_MODE_XML,  /* the body is collected and verified, then the handler runs */
	S3_MODE_BODY, /* handler runs in s3_call_new, begins the body and sets call->work */
};
struct s3_operation {
	const char *name;
	enum s3_method method;
	enum s3_scope scope;
	const char *query[2]; /* parameters that must be present; NULL: none */
	const char *header;   /* header that must be present; NULL: none */
	enum s3_mode mode;
	s3_handler handler;
	enum s3_error absent;
	/* of operations on buckets, asked for by s3_check_bucket; of others, by handlers that serve
	 * several; NONE: the core names it */
	enum gml_action action;
};
/* route.c: all of them, in matching order; and the one for a request, or an error
 * (METHOD_NOT_ALLOWED, ACCESS_FORBIDDEN, INVALID_REQUEST). */
const struct s3_operation *s3_operations(size_t *count_out);
enum s3_error s3_route(struct s3_call *call);
/* Does any operation bear the name in its query? */
bool s3_route_is_subresource(struct gml_span name);

struct s3_detail {
	const char *name;
	struct gml_span value;
};
#define S3_DETAILS_MAX 12

struct s3_call {
	const struct s3_config *config;
	struct s3_arena arena;
	enum s3_step step;
	const struct s3_operation *operation;
	const char *allow; /* METHOD_NOT_ALLOWED: the methods that are */
	int64_t now;	   /* s */

	/* the request; headers with lower-case names, after the `nsent` that came as such those of
	 * the signed query */
	enum s3_method method;
	enum s3_scope scope;
	struct gml_span method_text, path, query; /* raw */
	struct gml_http_header *headers;
	size_t nheaders, nsent, headers_max;
	struct s3_param *params; /* decoded */
	struct auth_param *raw_params;
	size_t nparams;
	int64_t body_length;
	bool tls, virtual_host;
	struct gml_span tls_version; /* as s3:TlsVersion has it; NULL ptr: none, or not known */
	struct gml_span bucket, key; /* decoded */
	/* What the request sets, once it is parsed: tags of the object or bucket, and the location
	 * of a new bucket. Policies may ask for them (s3_condition). */
	const struct gml_meta_pair *tags;
	uint32_t ntags;
	struct gml_span location;

	/* who asks */
	struct gml_op op;
	struct gml_user user;
	bool authenticated, anonymous; /* one of them, or nothing is done */
	int64_t signed_at;	       /* s */
	struct gml_span access_key;    /* as the request states it; with `auth` for the log */
	const char *auth;
	char request_id[GML_REQUEST_ID_MAX + 1];
	enum auth_payload payload;
	uint8_t payload_sha256[32];
	struct auth_stream *stream; /* signed chunks; arena */

	/* what is going on */
	s3_handler work;
	struct s3_body body;
	void *state;		   /* the operation's own; arena */
	struct gml_bucket *target; /* the bucket, when it was looked up; arena */
	struct gml_object *object; /* its content is the answer when `content` says so */
	uint64_t range_off, range_len;

	/* the answer */
	enum { S3_CONTENT_NONE, S3_CONTENT_XML, S3_CONTENT_OBJECT, S3_CONTENT_TEXT } content;
	struct gml_span text; /* S3_CONTENT_TEXT; static or arena */
	struct s3_xml xml;
	struct s3_response response;
	struct gml_http_header *answer_headers;
	size_t answer_cap;
	enum s3_error error;
	const char *message; /* overrides the table's */
	struct s3_detail details[S3_DETAILS_MAX];
	unsigned ndetails;
	uint32_t owner_uid; /* the last owner that was named */
	const char *owner_name;

	struct gml_http_header first_headers[32];
	max_align_t first[3072 / sizeof(max_align_t)];
};

/* ---- request.c ---- */
/* Copy and take apart. Errors: INVALID_URI, BAD_REQUEST, REQUEST_HEADER_TOO_LARGE, KEY_TOO_LONG,
 * INVALID_BUCKET_NAME. */
enum s3_error s3_request_read(struct s3_call *call, const struct s3_request *request);
/* Value of the first header of that (lower-case) name; NULL ptr: none. */
struct gml_span s3_header_of(const struct s3_call *call, struct gml_span name);
static inline struct gml_span s3_header(const struct s3_call *call, const char *name)
{
	return s3_header_of(call, gml_span_text(name));
}
static inline bool s3_has_header(const struct s3_call *call, const char *name)
{
	return s3_header(call, name).ptr != NULL;
}
/* Decoded value of a query parameter; false: absent. value_out may be NULL. */
bool s3_param_of(const struct s3_call *call, struct gml_span name, struct gml_span *value_out);
static inline bool s3_param(const struct s3_call *call, const char *name,
			    struct gml_span *value_out)
{
	return s3_param_of(call, gml_span_text(name), value_out);
}
/* A number in 0..limit from a query parameter; absent: unchanged. Larger ones than `cap` are cut to
 * it. INVALID_ARGUMENT otherwise. */
enum s3_error s3_param_number(struct s3_call *call, const char *name, uint32_t cap,
			      uint32_t *value);
/* A number in lo..hi that must be there. INVALID_ARGUMENT. */
enum s3_error s3_param_ranged(struct s3_call *call, const char *name, uint32_t lo, uint32_t hi,
			      uint32_t *out);
/* encoding-type=url asked for? INVALID_ARGUMENT for other types. */
enum s3_error s3_param_encoding(struct s3_call *call, bool *url_out);

/* ---- unsupported.c: headers and parameters of features that are not implemented ---- */
enum s3_error s3_check_supported(struct s3_call *call);
/* Also the handler of what is about a lock: INVALID_REQUEST, for no bucket has object lock. */
enum s3_error s3_unsupported_lock(struct s3_call *call);
/* x-amz-expected-bucket-owner; that there is a bucket, before a body is read; and for an operation
 * on a bucket whose row has an action, whether the caller may do it, with the bucket in
 * call->target. */
enum s3_error s3_check_bucket(struct s3_call *call);
/* `value` names the owner with that uid? */
bool s3_owner_matches(struct gml_span value, uint32_t uid);

/* ---- auth_call.c ---- */
enum s3_error s3_authenticate(struct s3_call *call);
/* When the body has been read, which may have taken as long as the requester likes: refuses one
 * whose key or user was deleted or disabled meanwhile, and goes on as what the user is now. A key
 * may have expired. */
enum s3_error s3_authenticate_again(struct s3_call *call);

/* ---- condition.c ---- */
/* The values of the condition keys that the request states: gml_condition_fn, `arg` is the call. */
size_t s3_condition(void *arg, struct gml_span name, struct gml_span *values, size_t max);

/* ---- response.c ---- */
/* POST / is the call of another service of AWS, from a client that has one endpoint for all. Its
 * protocol wraps errors in ErrorResponse. */
bool s3_for_other_service(const struct s3_call *call);
/* Text for the error message; returns `error`. */
enum s3_error s3_refuse(struct s3_call *call, enum s3_error error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* INVALID_ARGUMENT with ArgumentName and ArgumentValue. */
enum s3_error s3_refuse_argument(struct s3_call *call, const char *name, struct gml_span value,
				 const char *message);
/* One more element of the error document; the value is copied. */
void s3_detail(struct s3_call *call, const char *name, struct gml_span value);
void s3_detail_number(struct s3_call *call, const char *name, uint64_t value);
/* The value must outlive the call's answer (arena, static). Control characters: dropped, with
 * false. */
bool s3_answer_header(struct s3_call *call, const char *name, struct gml_span value);
/* The same for a value of our own making, which needs no look. */
bool s3_answer_put(struct s3_call *call, struct gml_span name, struct gml_span value);
static inline bool s3_answer_own_header(struct s3_call *call, const char *name,
					struct gml_span value)
{
	return s3_answer_put(call, gml_span_text(name), value);
}
void s3_answer_etag(struct s3_call *call, const char *etag);
void s3_answer_date(struct s3_call *call, const char *name, int64_t ns);
/* x-amz-checksum-… and x-amz-checksum-type; nothing for NONE. nparts: of a composite one. */
void s3_answer_checksum(struct s3_call *call, const struct gml_object_checksum *checksum,
			uint32_t nparts, bool type);
/* Base64 of the value (with -N for composites) into out[64]; false for NONE. */
bool s3_checksum_text(const struct gml_object_checksum *checksum, uint32_t nparts, char out[64]);
/* <ChecksumCRC32>…</ChecksumCRC32>, and <ChecksumType>. */
void s3_xml_checksum(struct s3_xml *xml, const struct gml_object_checksum *checksum,
		     uint32_t nparts, bool type);
/* <Owner> or the like: ID and DisplayName of a uid. */
void s3_xml_owner(struct s3_call *call, struct s3_xml *xml, const char *tag, uint32_t uid);
void s3_owner_id(uint32_t uid, char out[13]);
/* Finished answers. */
enum s3_error
s3_answer_empty(struct s3_call *call,
		int status); /* no content: 204 without, others with Content-Length: 0 */
enum s3_error s3_answer_xml(struct s3_call *call, int status); /* call->xml is complete */
/* call->text, which is complete, of that Content-Type. */
enum s3_error s3_answer_text(struct s3_call *call, int status, const char *type);
/* forget what was prepared; the headers of every answer */
void s3_answer_begin(struct s3_call *call);
void s3_answer_error(struct s3_call *call, enum s3_error error);
void s3_request_id(char out[17]);

/* ---- health.c ---- */
/* Is it an unsigned GET or HEAD of /healthz, by whatever host name? Then it becomes a request of
 * the server's state. */
bool s3_health_asked(struct s3_call *call);
/* Answers it, from a look that is a second old at most; step is S3_WORK when it needs a new one. */
enum s3_error s3_get_health(struct s3_call *call);

/* ---- preconditions.c ---- */
/* If-Match and the like; of the target, or of the source of a copy (x-amz-copy-source-if-…). Dates
 * that are none are ignored (RFC 9110 13.1.3). */
void s3_conditions_read(const struct s3_call *call, struct gml_conditions *out);
void s3_conditions_read_source(const struct s3_call *call, struct gml_conditions *out);
/* One date for such a condition; false: not a date. */
bool s3_conditions_date(struct gml_span text, int64_t *ns_out);
/* The conditions of a write: If-Match: etag or *, If-None-Match: *. NOT_IMPLEMENTED for others. */
enum s3_error s3_conditions_write(struct s3_call *call, struct gml_conditions *out);

/* ---- user_metadata.c: content headers, metadata and tags of a request ---- */
/* Content headers, x-amz-meta-*, x-amz-tagging. Spans are the call's. METADATA_TOO_LARGE,
 * INVALID_TAG, INVALID_ARGUMENT, INVALID_REDIRECT. */
enum s3_error s3_meta_read(struct s3_call *call, struct gml_object_new *out);
/* Content headers and metadata only / tags only. */
enum s3_error s3_meta_read_headers(struct s3_call *call, struct gml_object_new *out);
enum s3_error s3_meta_read_tags(struct s3_call *call, struct gml_object_new *out);
/* Tags of an object, of a bucket. */
#define S3_TAGS_MAX 10
#define S3_BUCKET_TAGS_MAX 50
/* Check one set of tags: at most `max`, lengths, characters, no name twice. INVALID_TAG,
 * BAD_REQUEST. */
enum s3_error s3_tags_check(struct s3_call *call, const struct gml_meta_pair *tags, uint32_t ntags,
			    uint32_t max);
/* The checked tags of a request's body, <Tagging>, in the arena. MALFORMED_XML, and those of
 * s3_tags_check. */
enum s3_error s3_tags_read_xml(struct s3_call *call, uint32_t max, struct gml_meta_pair **tags_out,
			       uint32_t *ntags_out);
/* The same of one list of <Tag> in a document. */
enum s3_error s3_tags_read_list(struct s3_call *call, const struct s3_doc *doc, s3_node list,
				uint32_t max, struct gml_meta_pair **tags_out, uint32_t *ntags_out);
/* The tags as the document that a bucket keeps (gateway/base/tags.h). */
void s3_tags_write_document(struct s3_xml *out, const struct gml_meta_pair *tags, uint32_t ntags);
/* The whole document. */
void s3_tags_write_xml(struct s3_xml *xml, const struct gml_meta_pair *tags, uint32_t ntags);
/* Tags of an inode into the arena, in name order. */
enum s3_error s3_tags_load(struct s3_call *call, gml_ino ino, struct gml_meta_pair **tags_out,
			   uint32_t *ntags_out);
/* x-amz-storage-class: absent and STANDARD are NULL. INVALID_STORAGE_CLASS. */
enum s3_error s3_meta_read_class(struct s3_call *call, struct gml_span *out);
/* <StorageClass>; empty: STANDARD. */
void s3_xml_class(struct s3_xml *xml, struct gml_span storage_class);
/* Header's name for an enum gml_header. */
const char *s3_meta_header_name(enum gml_header header);
#define S3_TAG_XATTR "user.s3.tag."

/* ---- grants.c ---- */
/* Does the request have x-amz-acl or x-amz-grant-…? */
bool s3_grants_stated(const struct s3_call *call);
/* What they state, in the arena; NULL: nothing. INVALID_ARGUMENT, INVALID_REQUEST,
 * METHOD_NOT_ALLOWED, NOT_IMPLEMENTED. */
enum s3_error s3_grants_read_headers(struct s3_call *call, struct gml_grants **out);
/* The same, if objects of the bucket can get it: ACL_NOT_SUPPORTED, ACCESS_DENIED,
 * NO_SUCH_BUCKET. */
enum s3_error s3_grants_check(struct s3_call *call, struct gml_grants **out);
/* <AccessControlPolicy> in the body, of an owner. MALFORMED_XML, ACCESS_DENIED (another owner), and
 * those of the headers. */
enum s3_error s3_grants_read_body(struct s3_call *call, uint32_t uid, struct gml_grants **out);
/* The whole document. */
void s3_grants_write(struct s3_call *call, const struct gml_grants *grants, uint32_t uid);

/* ---- copy_source.c ---- */
struct s3_copy_source {
	struct gml_object_ref object;
	struct gml_conditions cond;
};
/* x-amz-copy-source and its conditions. INVALID_ARGUMENT, INVALID_BUCKET_NAME, KEY_TOO_LONG,
 * NOT_IMPLEMENTED. */
enum s3_error s3_copy_source_read(struct s3_call *call, struct s3_copy_source *out);
/* "bucket/key" of such a header, decoded, into the arena. INVALID_ARGUMENT. */
enum s3_error s3_copy_source_name(struct s3_call *call, struct gml_span raw, struct gml_span *out);
/* What the core's answer to a copy means: 412 for every condition, the source's name in the
 * error. */
enum s3_error s3_copy_error(struct s3_call *call, const struct s3_copy_source *source, int rc);

/* ---- object lookups ---- */
/* The object that the request names, current version. */
static inline struct gml_object_ref s3_object_ref(const struct s3_call *call)
{
	return (struct gml_object_ref){.bucket = call->bucket, .key = call->key};
}
/* versionId: absent or "null" pass. */
enum s3_error s3_check_version(struct s3_call *call);
/* Open call->key without data into call->object, if the caller may do `action` to it. */
enum s3_error s3_object_find(struct s3_call *call, enum gml_action action);

/* ---- operations ---- */
/* bucket.c */
enum s3_error s3_list_buckets(struct s3_call *call);
enum s3_error s3_create_bucket(struct s3_call *call);
enum s3_error s3_head_bucket(struct s3_call *call);
enum s3_error s3_delete_bucket(struct s3_call *call);
enum s3_error s3_get_bucket_location(struct s3_call *call);
/* bucket_config.c */
enum s3_error s3_get_bucket_constant(struct s3_call *call);
enum s3_error s3_put_bucket_constant(struct s3_call *call);
enum s3_error s3_list_configurations(struct s3_call *call);
enum s3_error s3_delete_bucket_document(struct s3_call *call);
enum s3_error s3_get_bucket_tagging(struct s3_call *call);
enum s3_error s3_put_bucket_tagging(struct s3_call *call);
enum s3_error s3_delete_bucket_tagging(struct s3_call *call);
/* bucket_policy.c */
enum s3_error s3_get_bucket_policy(struct s3_call *call);
enum s3_error s3_get_bucket_policy_status(struct s3_call *call);
enum s3_error s3_put_bucket_policy(struct s3_call *call);
enum s3_error s3_delete_bucket_policy(struct s3_call *call);
/* acl.c */
enum s3_error s3_get_acl(struct s3_call *call);
enum s3_error s3_put_acl(struct s3_call *call);
/* bucket_access.c */
enum s3_error s3_get_bucket_ownership(struct s3_call *call);
enum s3_error s3_put_bucket_ownership(struct s3_call *call);
enum s3_error s3_delete_bucket_ownership(struct s3_call *call);
enum s3_error s3_get_public_access_block(struct s3_call *call);
enum s3_error s3_put_public_access_block(struct s3_call *call);
enum s3_error s3_delete_public_access_block(struct s3_call *call);
/* list.c */
enum s3_error s3_list_objects(struct s3_call *call);
enum s3_error s3_list_objects_v2(struct s3_call *call);
enum s3_error s3_list_versions(struct s3_call *call);
/* object_get.c, object_attributes.c, object_tags.c */
enum s3_error s3_get_object(struct s3_call *call);
enum s3_error s3_get_object_attributes(struct s3_call *call);
enum s3_error s3_get_object_tagging(struct s3_call *call);
enum s3_error s3_put_object_tagging(struct s3_call *call);
enum s3_error s3_delete_object_tagging(struct s3_call *call);
/* object_put.c, object_copy.c, object_delete.c */
/* What the core's answer to a conditional write means: names the condition. */
enum s3_error s3_put_error(struct s3_call *call, const struct gml_conditions *cond, int rc);
enum s3_error s3_put_object(struct s3_call *call);
enum s3_error s3_copy_object(struct s3_call *call);
enum s3_error s3_delete_object(struct s3_call *call);
enum s3_error s3_delete_objects(struct s3_call *call);
/* multipart.c, multipart_complete.c, multipart_list.c */
/* The upload that the request names, for who may do `action` with it; NO_SUCH_UPLOAD. Spans are the
 * call's. */
enum s3_error s3_upload_find(struct s3_call *call, enum gml_action action,
			     struct gml_upload_ref *ref_out, struct gml_upload *upload_out);
enum s3_error s3_upload_error(struct s3_call *call, int rc);
void s3_part_etag(const uint8_t md5[16], char out[33]);
void s3_answer_part_etag(struct s3_call *call, const uint8_t md5[16]);
enum s3_error s3_create_upload(struct s3_call *call);
enum s3_error s3_upload_part(struct s3_call *call);
enum s3_error s3_upload_part_copy(struct s3_call *call);
enum s3_error s3_complete_upload(struct s3_call *call);
enum s3_error s3_abort_upload(struct s3_call *call);
enum s3_error s3_list_parts(struct s3_call *call);
enum s3_error s3_list_uploads(struct s3_call *call);

#endif
