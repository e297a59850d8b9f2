// SPDX-License-Identifier: Apache-2.0
/* Every operation of the S3 API, and which one a request means: method, what the path names, and
 * subresource. */
#include "call.h"

#include <pthread.h>
#include <stdlib.h>
#include "gateway/base/assert.h"

#define NOTHING {NULL, NULL}, NULL
#define QUERY(name) {name, NULL}, NULL
#define QUERIES(a, b) {a, b}, NULL
#define QUERY_HEADER(name, header) {name, NULL}, header
#define HEADER(header) {NULL, NULL}, header
#define NONE S3_MODE_NONE, NULL, S3_OK, GML_ACTION_NONE
#define ABSENT(error, action) S3_MODE_ABSENT, NULL, S3_ERR_##error, GML_ACTION_##action
#define NOW(handler) S3_MODE_NOW, handler, S3_OK, GML_ACTION_NONE
#define WORK(handler) S3_MODE_WORK, handler, S3_OK, GML_ACTION_NONE
#define XML(handler) S3_MODE_XML, handler, S3_OK, GML_ACTION_NONE
#define BODY(handler) S3_MODE_BODY, handler, S3_OK, GML_ACTION_NONE
/* The same for handlers that serve several actions. */
#define NOW_FOR(handler, action) S3_MODE_NOW, handler, S3_OK, GML_ACTION_##action
#define WORK_FOR(handler, action) S3_MODE_WORK, handler, S3_OK, GML_ACTION_##action
#define XML_FOR(handler, action) S3_MODE_XML, handler, S3_OK, GML_ACTION_##action

/* The first matching row counts: rows with more conditions come before those with fewer. */
static const struct s3_operation route_table[] = {
	{"WriteGetObjectResponse", S3_POST, S3_OBJECT, HEADER("x-amz-request-route"), NONE},
	/* the service */
	{"ListDirectoryBuckets", S3_GET, S3_SERVICE, QUERY("max-directory-buckets"), NONE},
	{"ListBuckets", S3_GET, S3_SERVICE, NOTHING, WORK(s3_list_buckets)},
	/* buckets */
	{"CreateSession", S3_GET, S3_BUCKET, QUERY("session"), NONE},
	{"GetBucketAbac", S3_GET, S3_BUCKET, QUERY("abac"), NONE},
	{"GetBucketAccelerateConfiguration", S3_GET, S3_BUCKET, QUERY("accelerate"),
	 NOW_FOR(s3_get_bucket_constant, GET_BUCKET_ACCELERATE)},
	{"GetBucketAcl", S3_GET, S3_BUCKET, QUERY("acl"), NOW_FOR(s3_get_acl, GET_BUCKET_ACL)},
	{"GetBucketAnalyticsConfiguration", S3_GET, S3_BUCKET, QUERIES("analytics", "id"),
	 ABSENT(NO_SUCH_CONFIGURATION, GET_BUCKET_ANALYTICS)},
	{"ListBucketAnalyticsConfigurations", S3_GET, S3_BUCKET, QUERY("analytics"),
	 NOW_FOR(s3_list_configurations, GET_BUCKET_ANALYTICS)},
	{"GetBucketCors", S3_GET, S3_BUCKET, QUERY("cors"), ABSENT(NO_SUCH_CORS, GET_BUCKET_CORS)},
	{"GetBucketEncryption", S3_GET, S3_BUCKET, QUERY("encryption"),
	 ABSENT(NO_SUCH_ENCRYPTION, GET_BUCKET_ENCRYPTION)},
	{"GetBucketIntelligentTieringConfiguration", S3_GET, S3_BUCKET,
	 QUERIES("intelligent-tiering", "id"), ABSENT(NO_SUCH_CONFIGURATION, GET_BUCKET_TIERING)},
	{"ListBucketIntelligentTieringConfigurations", S3_GET, S3_BUCKET,
	 QUERY("intelligent-tiering"), NOW_FOR(s3_list_configurations, GET_BUCKET_TIERING)},
	{"GetBucketInventoryConfiguration", S3_GET, S3_BUCKET, QUERIES("inventory", "id"),
	 ABSENT(NO_SUCH_CONFIGURATION, GET_BUCKET_INVENTORY)},
	{"ListBucketInventoryConfigurations", S3_GET, S3_BUCKET, QUERY("inventory"),
	 NOW_FOR(s3_list_configurations, GET_BUCKET_INVENTORY)},
	{"GetBucketLifecycleConfiguration", S3_GET, S3_BUCKET, QUERY("lifecycle"),
	 ABSENT(NO_SUCH_LIFECYCLE, GET_BUCKET_LIFECYCLE)},
	{"GetBucketLocation", S3_GET, S3_BUCKET, QUERY("location"),
	 NOW_FOR(s3_get_bucket_location, GET_BUCKET_LOCATION)},
	{"GetBucketLogging", S3_GET, S3_BUCKET, QUERY("logging"),
	 NOW_FOR(s3_get_bucket_constant, GET_BUCKET_LOGGING)},
	{"GetBucketMetadataConfiguration", S3_GET, S3_BUCKET, QUERY("metadataConfiguration"), NONE},
	{"GetBucketMetadataTableConfiguration", S3_GET, S3_BUCKET, QUERY("metadataTable"), NONE},
	{"GetBucketMetricsConfiguration", S3_GET, S3_BUCKET, QUERIES("metrics", "id"),
	 ABSENT(NO_SUCH_CONFIGURATION, GET_BUCKET_METRICS)},
	{"ListBucketMetricsConfigurations", S3_GET, S3_BUCKET, QUERY("metrics"),
	 NOW_FOR(s3_list_configurations, GET_BUCKET_METRICS)},
	{"GetBucketNotificationConfiguration", S3_GET, S3_BUCKET, QUERY("notification"),
	 NOW_FOR(s3_get_bucket_constant, GET_BUCKET_NOTIFICATION)},
	{"GetObjectLockConfiguration", S3_GET, S3_BUCKET, QUERY("object-lock"),
	 ABSENT(NO_SUCH_LOCK, GET_BUCKET_LOCK)},
	{"GetBucketOwnershipControls", S3_GET, S3_BUCKET, QUERY("ownershipControls"),
	 NOW_FOR(s3_get_bucket_ownership, GET_BUCKET_OWNERSHIP)},
	{"GetBucketPolicy", S3_GET, S3_BUCKET, QUERY("policy"),
	 NOW_FOR(s3_get_bucket_policy, GET_BUCKET_POLICY)},
	{"GetBucketPolicyStatus", S3_GET, S3_BUCKET, QUERY("policyStatus"),
	 NOW_FOR(s3_get_bucket_policy_status, GET_BUCKET_POLICY_STATUS)},
	{"GetPublicAccessBlock", S3_GET, S3_BUCKET, QUERY("publicAccessBlock"),
	 NOW_FOR(s3_get_public_access_block, GET_BUCKET_PUBLIC_ACCESS)},
	{"GetBucketReplication", S3_GET, S3_BUCKET, QUERY("replication"),
	 ABSENT(NO_SUCH_REPLICATION, GET_BUCKET_REPLICATION)},
	{"GetBucketRequestPayment", S3_GET, S3_BUCKET, QUERY("requestPayment"),
	 NOW_FOR(s3_get_bucket_constant, GET_BUCKET_PAYMENT)},
	{"GetBucketTagging", S3_GET, S3_BUCKET, QUERY("tagging"),
	 NOW_FOR(s3_get_bucket_tagging, GET_BUCKET_TAGGING)},
	{"GetBucketVersioning", S3_GET, S3_BUCKET, QUERY("versioning"),
	 NOW_FOR(s3_get_bucket_constant, GET_BUCKET_VERSIONING)},
	{"GetBucketWebsite", S3_GET, S3_BUCKET, QUERY("website"),
	 ABSENT(NO_SUCH_WEBSITE, GET_BUCKET_WEBSITE)},
	{"ListMultipartUploads", S3_GET, S3_BUCKET, QUERY("uploads"), WORK(s3_list_uploads)},
	{"ListObjectVersions", S3_GET, S3_BUCKET, QUERY("versions"), WORK(s3_list_versions)},
	{"ListObjectsV2", S3_GET, S3_BUCKET, QUERY("list-type"), WORK(s3_list_objects_v2)},
	{"ListObjects", S3_GET, S3_BUCKET, NOTHING, WORK(s3_list_objects)},
	{"HeadBucket", S3_HEAD, S3_BUCKET, NOTHING, NOW_FOR(s3_head_bucket, HEAD_BUCKET)},
	{"PutBucketAbac", S3_PUT, S3_BUCKET, QUERY("abac"), NONE},
	{"PutBucketAccelerateConfiguration", S3_PUT, S3_BUCKET, QUERY("accelerate"), NONE},
	{"PutBucketAcl", S3_PUT, S3_BUCKET, QUERY("acl"), XML_FOR(s3_put_acl, PUT_BUCKET_ACL)},
	{"PutBucketAnalyticsConfiguration", S3_PUT, S3_BUCKET, QUERY("analytics"), NONE},
	{"PutBucketCors", S3_PUT, S3_BUCKET, QUERY("cors"), NONE},
	{"PutBucketEncryption", S3_PUT, S3_BUCKET, QUERY("encryption"), NONE},
	{"PutBucketIntelligentTieringConfiguration", S3_PUT, S3_BUCKET,
	 QUERY("intelligent-tiering"), NONE},
	{"PutBucketInventoryConfiguration", S3_PUT, S3_BUCKET, QUERY("inventory"), NONE},
	{"PutBucketLifecycleConfiguration", S3_PUT, S3_BUCKET, QUERY("lifecycle"), NONE},
	{"PutBucketLogging", S3_PUT, S3_BUCKET, QUERY("logging"),
	 XML_FOR(s3_put_bucket_constant, PUT_BUCKET_LOGGING)},
	{"UpdateBucketMetadataAnnotationTableConfiguration", S3_PUT, S3_BUCKET,
	 QUERY("metadataAnnotationTable"), NONE},
	{"UpdateBucketMetadataInventoryTableConfiguration", S3_PUT, S3_BUCKET,
	 QUERY("metadataInventoryTable"), NONE},
	{"UpdateBucketMetadataJournalTableConfiguration", S3_PUT, S3_BUCKET,
	 QUERY("metadataJournalTable"), NONE},
	{"PutBucketMetricsConfiguration", S3_PUT, S3_BUCKET, QUERY("metrics"), NONE},
	{"PutBucketNotificationConfiguration", S3_PUT, S3_BUCKET, QUERY("notification"),
	 XML_FOR(s3_put_bucket_constant, PUT_BUCKET_NOTIFICATION)},
	{"PutObjectLockConfiguration", S3_PUT, S3_BUCKET, QUERY("object-lock"), NONE},
	{"PutBucketOwnershipControls", S3_PUT, S3_BUCKET, QUERY("ownershipControls"),
	 XML_FOR(s3_put_bucket_ownership, PUT_BUCKET_OWNERSHIP)},
	{"PutBucketPolicy", S3_PUT, S3_BUCKET, QUERY("policy"),
	 XML_FOR(s3_put_bucket_policy, PUT_BUCKET_POLICY)},
	{"PutPublicAccessBlock", S3_PUT, S3_BUCKET, QUERY("publicAccessBlock"),
	 XML_FOR(s3_put_public_access_block, PUT_BUCKET_PUBLIC_ACCESS)},
	{"PutBucketReplication", S3_PUT, S3_BUCKET, QUERY("replication"), NONE},
	{"PutBucketRequestPayment", S3_PUT, S3_BUCKET, QUERY("requestPayment"),
	 XML_FOR(s3_put_bucket_constant, PUT_BUCKET_PAYMENT)},
	{"PutBucketTagging", S3_PUT, S3_BUCKET, QUERY("tagging"),
	 XML(s3_put_bucket_tagging)}, /* its tags are part of the question */
	{"PutBucketVersioning", S3_PUT, S3_BUCKET, QUERY("versioning"), NONE},
	{"PutBucketWebsite", S3_PUT, S3_BUCKET, QUERY("website"), NONE},
	{"CreateBucket", S3_PUT, S3_BUCKET, NOTHING, XML(s3_create_bucket)},
	{"DeleteObjects", S3_POST, S3_BUCKET, QUERY("delete"), XML(s3_delete_objects)},
	{"CreateBucketMetadataConfiguration", S3_POST, S3_BUCKET, QUERY("metadataConfiguration"),
	 NONE},
	{"CreateBucketMetadataTableConfiguration", S3_POST, S3_BUCKET, QUERY("metadataTable"),
	 NONE},
	{"PostObject", S3_POST, S3_BUCKET, NOTHING, NONE},
	{"DeleteBucketAnalyticsConfiguration", S3_DELETE, S3_BUCKET, QUERY("analytics"),
	 ABSENT(NO_SUCH_CONFIGURATION, PUT_BUCKET_ANALYTICS)},
	{"DeleteBucketCors", S3_DELETE, S3_BUCKET, QUERY("cors"),
	 NOW_FOR(s3_delete_bucket_document, PUT_BUCKET_CORS)},
	{"DeleteBucketEncryption", S3_DELETE, S3_BUCKET, QUERY("encryption"),
	 NOW_FOR(s3_delete_bucket_document, PUT_BUCKET_ENCRYPTION)},
	{"DeleteBucketIntelligentTieringConfiguration", S3_DELETE, S3_BUCKET,
	 QUERY("intelligent-tiering"), ABSENT(NO_SUCH_CONFIGURATION, PUT_BUCKET_TIERING)},
	{"DeleteBucketInventoryConfiguration", S3_DELETE, S3_BUCKET, QUERY("inventory"),
	 ABSENT(NO_SUCH_CONFIGURATION, PUT_BUCKET_INVENTORY)},
	{"DeleteBucketLifecycle", S3_DELETE, S3_BUCKET, QUERY("lifecycle"),
	 NOW_FOR(s3_delete_bucket_document, PUT_BUCKET_LIFECYCLE)},
	{"DeleteBucketMetadataConfiguration", S3_DELETE, S3_BUCKET, QUERY("metadataConfiguration"),
	 NONE},
	{"DeleteBucketMetadataTableConfiguration", S3_DELETE, S3_BUCKET, QUERY("metadataTable"),
	 NONE},
	{"DeleteBucketMetricsConfiguration", S3_DELETE, S3_BUCKET, QUERY("metrics"),
	 ABSENT(NO_SUCH_CONFIGURATION, PUT_BUCKET_METRICS)},
	{"DeleteBucketOwnershipControls", S3_DELETE, S3_BUCKET, QUERY("ownershipControls"),
	 WORK_FOR(s3_delete_bucket_ownership, PUT_BUCKET_OWNERSHIP)},
	{"DeleteBucketPolicy", S3_DELETE, S3_BUCKET, QUERY("policy"),
	 WORK_FOR(s3_delete_bucket_policy, DELETE_BUCKET_POLICY)},
	{"DeletePublicAccessBlock", S3_DELETE, S3_BUCKET, QUERY("publicAccessBlock"),
	 WORK_FOR(s3_delete_public_access_block, PUT_BUCKET_PUBLIC_ACCESS)},
	{"DeleteBucketReplication", S3_DELETE, S3_BUCKET, QUERY("replication"),
	 NOW_FOR(s3_delete_bucket_document, PUT_BUCKET_REPLICATION)},
	{"DeleteBucketTagging", S3_DELETE, S3_BUCKET, QUERY("tagging"),
	 WORK_FOR(s3_delete_bucket_tagging, PUT_BUCKET_TAGGING)},
	{"DeleteBucketWebsite", S3_DELETE, S3_BUCKET, QUERY("website"),
	 NOW_FOR(s3_delete_bucket_document, DELETE_BUCKET_WEBSITE)},
	{"DeleteBucket", S3_DELETE, S3_BUCKET, NOTHING, WORK(s3_delete_bucket)},
	/* objects */
	{"GetObjectAcl", S3_GET, S3_OBJECT, QUERY("acl"), NOW_FOR(s3_get_acl, GET_OBJECT_ACL)},
	{"GetObjectAnnotation", S3_GET, S3_OBJECT, QUERIES("annotation", "annotationName"), NONE},
	{"ListObjectAnnotations", S3_GET, S3_OBJECT, QUERY("annotation"), NONE},
	{"GetObjectAttributes", S3_GET, S3_OBJECT, QUERY("attributes"),
	 NOW(s3_get_object_attributes)},
	{"GetObjectLegalHold", S3_GET, S3_OBJECT, QUERY("legal-hold"), NOW(s3_unsupported_lock)},
	{"GetObjectRetention", S3_GET, S3_OBJECT, QUERY("retention"), NOW(s3_unsupported_lock)},
	{"GetObjectTagging", S3_GET, S3_OBJECT, QUERY("tagging"), NOW(s3_get_object_tagging)},
	{"GetObjectTorrent", S3_GET, S3_OBJECT, QUERY("torrent"), NONE},
	{"ListParts", S3_GET, S3_OBJECT, QUERY("uploadId"), WORK(s3_list_parts)},
	{"GetObject", S3_GET, S3_OBJECT, NOTHING, NOW(s3_get_object)},
	{"HeadObject", S3_HEAD, S3_OBJECT, NOTHING, NOW(s3_get_object)},
	{"PutObjectAcl", S3_PUT, S3_OBJECT, QUERY("acl"), XML_FOR(s3_put_acl, PUT_OBJECT_ACL)},
	{"PutObjectAnnotation", S3_PUT, S3_OBJECT, QUERY("annotation"), NONE},
	{"UpdateObjectEncryption", S3_PUT, S3_OBJECT, QUERY("encryption"), NONE},
	{"PutObjectLegalHold", S3_PUT, S3_OBJECT, QUERY("legal-hold"), NOW(s3_unsupported_lock)},
	{"RenameObject", S3_PUT, S3_OBJECT, QUERY("renameObject"), NONE},
	{"PutObjectRetention", S3_PUT, S3_OBJECT, QUERY("retention"), NOW(s3_unsupported_lock)},
	{"PutObjectTagging", S3_PUT, S3_OBJECT, QUERY("tagging"), XML(s3_put_object_tagging)},
	{"UploadPartCopy", S3_PUT, S3_OBJECT, QUERY_HEADER("uploadId", "x-amz-copy-source"),
	 WORK(s3_upload_part_copy)},
	{"UploadPart", S3_PUT, S3_OBJECT, QUERY("uploadId"), BODY(s3_upload_part)},
	{"CopyObject", S3_PUT, S3_OBJECT, HEADER("x-amz-copy-source"), WORK(s3_copy_object)},
	{"PutObject", S3_PUT, S3_OBJECT, NOTHING, BODY(s3_put_object)},
	{"RestoreObject", S3_POST, S3_OBJECT, QUERY("restore"), NONE},
	{"SelectObjectContent", S3_POST, S3_OBJECT, QUERY("select"), NONE},
	{"CreateMultipartUpload", S3_POST, S3_OBJECT, QUERY("uploads"), WORK(s3_create_upload)},
	{"CompleteMultipartUpload", S3_POST, S3_OBJECT, QUERY("uploadId"), XML(s3_complete_upload)},
	{"DeleteObjectAnnotation", S3_DELETE, S3_OBJECT, QUERY("annotation"), NONE},
	{"DeleteObjectTagging", S3_DELETE, S3_OBJECT, QUERY("tagging"),
	 WORK(s3_delete_object_tagging)},
	{"AbortMultipartUpload", S3_DELETE, S3_OBJECT, QUERY("uploadId"), WORK(s3_abort_upload)},
	{"DeleteObject", S3_DELETE, S3_OBJECT, NOTHING, WORK(s3_delete_object)},
};
#define ROUTE_COUNT (sizeof(route_table) / sizeof(route_table[0]))

const struct s3_operation *s3_operations(size_t *count_out)
{
	*count_out = ROUTE_COUNT;
	return route_table;
}

/* ---- the table, prepared for one look per request ---- */

#define ROUTE_NAMES_MAX 64

/* Every name of a subresource has a bit. */
static struct {
	pthread_once_t once;
	unsigned nnames;
	struct gml_span names[ROUTE_NAMES_MAX];
	uint64_t by_first[256];	       /* names that begin with this byte */
	uint64_t queries[ROUTE_COUNT]; /* what a row wants to be there */
	uint64_t others;	       /* subresources of whatever scope and method */
	size_t first[S3_METHOD_OTHER + 1]
		    [S3_OBJECT + 1]; /* rows of a method and scope: from `first` to before `end` */
	size_t end[S3_METHOD_OTHER + 1][S3_OBJECT + 1];
} route_index = {.once = PTHREAD_ONCE_INIT};

static uint64_t route_name_bit(const char *name)
{
	struct gml_span span = gml_span_text(name);
	unsigned i = 0;
	while (i < route_index.nnames && !gml_span_equal(route_index.names[i], span))
		i++;
	if (i == ROUTE_NAMES_MAX)
		abort(); /* the table outgrew the index */
	if (i == route_index.nnames) {
		route_index.names[route_index.nnames++] = span;
		route_index.by_first[(unsigned char)name[0]] |= (uint64_t)1 << i;
	}
	return (uint64_t)1 << i;
}

/* Has the row what its mode runs or answers, and nothing besides? */
static bool route_row_is_whole(const struct s3_operation *row)
{
	bool runs = row->handler != NULL && row->absent == S3_OK;
	if ((row->query[1] != NULL && row->query[0] == NULL) || row->method >= S3_OPTIONS)
		return false;
	switch (row->mode) {
	case S3_MODE_NONE:
		return row->handler == NULL && row->absent == S3_OK;
	case S3_MODE_ABSENT:
		return row->handler == NULL && row->absent != S3_OK;
	case S3_MODE_NOW:
	case S3_MODE_WORK:
	case S3_MODE_XML:
		return runs;
	case S3_MODE_BODY:
		return runs && row->scope == S3_OBJECT;
	}
	return false;
}

/* Would a row above match whatever this one does? Then it would never be found. */
static bool route_row_is_hidden(size_t at)
{
	const struct s3_operation *row = &route_table[at];
	for (size_t i = 0; i < at; i++) {
		const struct s3_operation *above = &route_table[i];
		if (above->method == row->method && above->scope == row->scope &&
		    (route_index.queries[i] & ~route_index.queries[at]) == 0 &&
		    (above->header == NULL ||
		     (row->header != NULL && strcmp(above->header, row->header) == 0)))
			return true;
	}
	return false;
}

static void route_index_init(void)
{
	for (size_t i = 0; i < ROUTE_COUNT; i++) {
		const struct s3_operation *row = &route_table[i];
		size_t *first = &route_index.first[row->method][row->scope];
		size_t *end = &route_index.end[row->method][row->scope];
		if (*end == 0)
			*first = i;
		*end = i + 1;
		for (unsigned j = 0; j < 2 && row->query[j]; j++)
			route_index.queries[i] |= route_name_bit(row->query[j]);
		gml_assert(route_row_is_whole(row) && !route_row_is_hidden(i));
		if (row->query[0] && strcmp(row->query[0], "list-type") != 0)
			route_index.others |= route_name_bit(row->query[0]);
	}
}

/* The subresources that the query names. */
static uint64_t route_named(const struct s3_call *call)
{
	uint64_t named = 0;
	for (size_t i = 0; i < call->nparams; i++) {
		struct gml_span name = call->params[i].name;
		uint64_t maybe =
			name.len > 0 ? route_index.by_first[(unsigned char)gml_span_chars(name)[0]]
				     : 0;
		for (; maybe != 0; maybe &= maybe - 1)
			if (gml_span_equal(route_index.names[__builtin_ctzll(maybe)], name))
				named |= maybe & -maybe;
	}
	return named;
}

static const struct s3_operation *route_find(const struct s3_call *call, enum s3_method method,
					     uint64_t named)
{
	size_t end = route_index.end[method][call->scope];
	for (size_t i = route_index.first[method][call->scope]; i < end; i++) {
		const struct s3_operation *row = &route_table[i];
		if (row->method != method || row->scope != call->scope ||
		    (route_index.queries[i] & ~named) != 0 ||
		    (row->header && !s3_has_header(call, row->header)))
			continue;
		/* A subresource that exists, but not for this method or not of an object (a
		 * bucket), must not be taken for the plain operation: "DELETE
		 * /bucket/key?versioning" must not delete the key. */
		return row->query[0] || (named & route_index.others) == 0 ? row : NULL;
	}
	return NULL;
}

/* For the Allow header of a refusal (RFC 9110, 15.5.6). */
static void route_allow(struct s3_call *call, uint64_t named)
{
	static const struct {
		enum s3_method method;
		const char *name;
	} methods[] = {{S3_GET, "GET"},
		       {S3_HEAD, "HEAD"},
		       {S3_PUT, "PUT"},
		       {S3_POST, "POST"},
		       {S3_DELETE, "DELETE"}};
	const char *list = "";
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (route_find(call, methods[i].method, named))
			list = s3_arena_printf(&call->arena, "%s%s%s", list, list[0] ? ", " : "",
					       methods[i].name);
	call->allow = list;
}

bool s3_route_is_subresource(struct gml_span name)
{
	for (size_t i = 0; i < ROUTE_COUNT; i++)
		if (route_table[i].query[0] && gml_span_is(name, route_table[i].query[0]))
			return true;
	return gml_span_is(name, "partNumber");
}

/* Cases in which S3 gives a more precise answer than "method not allowed". */
static enum s3_error route_missing(struct s3_call *call)
{
	static const char *const lists[] = {"uploads", "versions"};
	for (size_t i = 0; i < 2 && call->method == S3_GET && call->scope == S3_OBJECT; i++)
		if (s3_param(call, lists[i], NULL))
			return s3_refuse(
				call, S3_ERR_INVALID_REQUEST,
				"A key has no list of %s: ask its bucket, with the key as prefix.",
				lists[i]);
	if (s3_for_other_service(call))
		return s3_refuse(call, S3_ERR_METHOD_NOT_ALLOWED,
				 "This server has S3 only. POST / is a call of another service of "
				 "AWS, such as IAM or STS.");
	return S3_ERR_METHOD_NOT_ALLOWED;
}

enum s3_error s3_route(struct s3_call *call)
{
	enum s3_error error;
	uint64_t named;
	gml_assert(call->operation == NULL);
	if (call->method == S3_OPTIONS)
		/* a CORS preflight; no bucket has a CORS configuration */
		return S3_ERR_ACCESS_FORBIDDEN;
	pthread_once(&route_index.once, route_index_init);
	named = route_named(call);
	call->operation = route_find(call, call->method, named);
	if (call->operation)
		return S3_OK;
	error = route_missing(call);
	if (error == S3_ERR_METHOD_NOT_ALLOWED)
		route_allow(call, named);
	return error;
}
