// SPDX-License-Identifier: Apache-2.0
/* ListParts and ListMultipartUploads. */
#include "call.h"
#include "gateway/base/assert.h"
#include "gateway/base/hex.h"

#define MULTIPART_PAGE 1000

/* ---- ListParts ---- */

void s3_part_etag(const uint8_t md5[16], char out[33])
{
	gml_hex(md5, 16, out);
}

void s3_answer_part_etag(struct s3_call *call, const uint8_t md5[16])
{
	char etag[33];
	s3_part_etag(md5, etag);
	s3_answer_etag(call, etag);
}

struct parts_page {
	struct s3_call *call;
	struct s3_xml parts;
	bool checksums; /* the upload has an algorithm */
	uint32_t last;
};

static bool parts_one(void *arg, const struct gml_part *part)
{
	struct parts_page *page = arg;
	struct s3_xml *xml = &page->parts;
	char etag[33];
	gml_assert(part->number > page->last && part->number <= GML_PART_MAX);
	s3_part_etag(part->md5, etag);
	s3_xml_open(xml, "Part");
	s3_xml_number(xml, "PartNumber", part->number);
	s3_xml_date(xml, "LastModified", part->mtime);
	s3_xml_etag(xml, "ETag", etag);
	if (page->checksums)
		s3_xml_checksum(xml, &part->checksum, 0, false);
	s3_xml_number(xml, "Size", part->size);
	s3_xml_close(xml, "Part");
	page->last = part->number;
	return true;
}

static void parts_write(struct s3_call *call, const struct gml_upload *upload,
			const struct gml_part_query *query, const struct parts_page *page,
			bool truncated)
{
	struct s3_xml *xml = &call->xml;
	gml_assert(!truncated || query->max == 0 || page->last > query->after); /* a client ends */
	s3_xml_begin(xml, "ListPartsResult", true);
	s3_xml_text(xml, "Bucket", call->bucket);
	s3_xml_text(xml, "Key", call->key);
	s3_xml_text(xml, "UploadId", query->upload.id);
	s3_xml_owner(call, xml, "Initiator", upload->uid);
	s3_xml_owner(call, xml, "Owner", upload->owner);
	s3_xml_class(xml, gml_span_text(upload->storage_class));
	s3_xml_number(xml, "PartNumberMarker", query->after);
	s3_xml_number(xml, "NextPartNumberMarker", page->last);
	s3_xml_number(xml, "MaxParts", query->max);
	if (upload->checksum_algorithm) {
		s3_xml_string(xml, "ChecksumAlgorithm",
			      gml_checksum_name((enum gml_checksum)upload->checksum_algorithm));
		s3_xml_string(xml, "ChecksumType",
			      upload->checksum_composite ? "COMPOSITE" : "FULL_OBJECT");
	}
	s3_xml_bool(xml, "IsTruncated", truncated);
	s3_xml_raw(xml, gml_span_of(page->parts.buf, page->parts.len));
	s3_xml_close(xml, "ListPartsResult");
	xml->failed |= page->parts.failed;
}

enum s3_error s3_list_parts(struct s3_call *call)
{
	struct parts_page page = {.call = call};
	struct gml_part_query query = {.max = MULTIPART_PAGE};
	struct gml_upload upload;
	bool truncated = false;
	enum s3_error error = s3_param_number(call, "max-parts", MULTIPART_PAGE, &query.max);
	int rc;
	if (!error)
		error = s3_param_number(call, "part-number-marker", GML_PART_MAX, &query.after);
	if (!error)
		error = s3_upload_find(call, GML_ACTION_LIST_PARTS, &query.upload, &upload);
	if (error)
		return error;
	page.checksums = upload.checksum_algorithm != GML_CHECKSUM_NONE;
	rc = gml_part_list(&call->op, call->config->store, &query, parts_one, &page, &truncated);
	error = s3_upload_error(call, rc);
	if (!error) {
		parts_write(call, &upload, &query, &page, truncated);
		error = s3_answer_xml(call, 200);
	}
	s3_xml_release(&page.parts);
	return error;
}

/* ---- ListMultipartUploads ---- */

struct uploads_page {
	struct s3_call *call;
	struct gml_list_query query;
	struct s3_xml uploads, prefixes;
	bool url, truncated;
	char last_key[GML_KEY_MAX];
	size_t last_len;
	char last_id[GML_UPLOAD_ID_LEN + 1];
};

static bool uploads_one(void *arg, const struct gml_upload *upload)
{
	struct uploads_page *page = arg;
	struct s3_xml *xml = upload->common_prefix ? &page->prefixes : &page->uploads;
	if (!upload->common_prefix) {
		s3_xml_open(xml, "Upload");
		s3_xml_key(xml, "Key", upload->key, page->url);
		s3_xml_string(xml, "UploadId", upload->id);
		s3_xml_owner(page->call, xml, "Initiator", upload->uid);
		s3_xml_owner(page->call, xml, "Owner", upload->owner);
		s3_xml_class(xml, gml_span_text(upload->storage_class));
		s3_xml_date(xml, "Initiated", upload->initiated);
		if (upload->checksum_algorithm) {
			s3_xml_string(
				xml, "ChecksumAlgorithm",
				gml_checksum_name((enum gml_checksum)upload->checksum_algorithm));
			s3_xml_string(xml, "ChecksumType",
				      upload->checksum_composite ? "COMPOSITE" : "FULL_OBJECT");
		}
		s3_xml_close(xml, "Upload");
	} else {
		s3_xml_open(xml, "CommonPrefixes");
		s3_xml_key(xml, "Prefix", upload->key, page->url);
		s3_xml_close(xml, "CommonPrefixes");
	}
	gml_assert(upload->key.len > 0 && upload->key.len <= sizeof(page->last_key));
	page->last_len =
		upload->key.len < sizeof(page->last_key) ? upload->key.len : sizeof(page->last_key);
	memcpy(page->last_key, upload->key.ptr, page->last_len);
	memcpy(page->last_id, upload->id, sizeof(page->last_id));
	return true;
}

static struct gml_span uploads_param(const struct s3_call *call, const char *name)
{
	struct gml_span value;
	return s3_param(call, name, &value) && value.ptr ? value : GML_LIT("");
}

static enum s3_error uploads_read(struct s3_call *call, struct uploads_page *page)
{
	enum s3_error error;
	page->call = call;
	page->query.bucket = call->bucket;
	page->query.prefix = uploads_param(call, "prefix");
	page->query.delimiter = uploads_param(call, "delimiter");
	page->query.after = uploads_param(call, "key-marker");
	/* Without a key marker an id marker has no meaning: S3 ignores it. */
	page->query.after_id =
		page->query.after.len > 0 ? uploads_param(call, "upload-id-marker") : GML_LIT("");
	page->query.max = MULTIPART_PAGE;
	error = s3_param_number(call, "max-uploads", MULTIPART_PAGE, &page->query.max);
	return error ? error : s3_param_encoding(call, &page->url);
}

static void uploads_write(struct uploads_page *page)
{
	struct s3_call *call = page->call;
	struct s3_xml *xml = &call->xml;
	gml_assert(!page->truncated || (page->last_len > 0 && page->last_id[0] != '\0'));
	s3_xml_begin(xml, "ListMultipartUploadsResult", true);
	s3_xml_text(xml, "Bucket", call->bucket);
	s3_xml_key(xml, "KeyMarker", page->query.after, page->url);
	s3_xml_text(xml, "UploadIdMarker", page->query.after_id);
	/* The markers come as a pair, and S3 documents no id for a page that ends in a common
	 * prefix. That of the first upload under it can be sent back: the next page begins after
	 * the prefix, whatever the id, and without the delimiter it goes on within. */
	if (page->truncated) {
		s3_xml_key(xml, "NextKeyMarker", gml_span_of(page->last_key, page->last_len),
			   page->url);
		s3_xml_string(xml, "NextUploadIdMarker", page->last_id);
	}
	if (page->query.prefix.len > 0)
		s3_xml_key(xml, "Prefix", page->query.prefix, page->url);
	if (page->query.delimiter.len > 0)
		s3_xml_key(xml, "Delimiter", page->query.delimiter, page->url);
	if (page->url)
		s3_xml_string(xml, "EncodingType", "url");
	s3_xml_number(xml, "MaxUploads", page->query.max);
	s3_xml_bool(xml, "IsTruncated", page->truncated);
	s3_xml_raw(xml, gml_span_of(page->uploads.buf, page->uploads.len));
	s3_xml_raw(xml, gml_span_of(page->prefixes.buf, page->prefixes.len));
	s3_xml_close(xml, "ListMultipartUploadsResult");
	xml->failed |= page->uploads.failed | page->prefixes.failed;
}

enum s3_error s3_list_uploads(struct s3_call *call)
{
	struct uploads_page *page = s3_arena_alloc(&call->arena, sizeof(*page));
	enum s3_error error = page ? uploads_read(call, page) : S3_ERR_SERVICE_UNAVAILABLE;
	int rc;
	if (error)
		return error;
	rc = gml_upload_list(&call->op, call->config->store, &page->query, uploads_one, page,
			     &page->truncated);
	error = rc == GML_ERR_NOUPLOAD
			? s3_refuse_argument(call, "upload-id-marker", page->query.after_id,
					     "Invalid uploadId marker")
			: s3_error_from(rc);
	if (page->query.max == 0)
		page->truncated = false;
	if (!error) {
		uploads_write(page);
		error = s3_answer_xml(call, 200);
	}
	s3_xml_release(&page->uploads);
	s3_xml_release(&page->prefixes);
	return error;
}
