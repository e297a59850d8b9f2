// SPDX-License-Identifier: Apache-2.0
/* GetObjectAttributes. */
#include "call.h"

enum {
	ATTRIBUTE_ETAG = 1,
	ATTRIBUTE_CHECKSUM = 2,
	ATTRIBUTE_PARTS = 4,
	ATTRIBUTE_CLASS = 8,
	ATTRIBUTE_SIZE = 16
};

static enum s3_error attributes_read(struct s3_call *call, unsigned *out)
{
	static const char *const names[] = {"ETag", "Checksum", "ObjectParts", "StorageClass",
					    "ObjectSize"};
	_Static_assert(ATTRIBUTE_SIZE == 1 << (sizeof(names) / sizeof(names[0]) - 1),
		       "a name's place is its bit");
	*out = 0;
	for (size_t i = 0; i < call->nheaders; i++) {
		struct gml_span rest = call->headers[i].value;
		if (!gml_span_is(call->headers[i].name, "x-amz-object-attributes"))
			continue;
		while (rest.len > 0) {
			struct gml_span name = gml_span_trim_space(gml_span_cut(&rest, ','));
			unsigned j = 0;
			while (j < 5 && !gml_span_is(name, names[j]))
				j++;
			if (j == 5)
				return s3_refuse_argument(call, "x-amz-object-attributes", name,
							  "Invalid attribute name specified.");
			*out |= 1u << j;
		}
	}
	if (*out == 0)
		return s3_refuse(call, S3_ERR_INVALID_REQUEST,
				 "The x-amz-object-attributes header specifying the attributes to "
				 "be retrieved is "
				 "either missing or empty");
	return S3_OK;
}

static enum s3_error attributes_number(struct s3_call *call, const char *name, uint32_t cap,
				       uint32_t *out)
{
	struct gml_span text = s3_header(call, name);
	uint64_t value;
	if (!text.ptr)
		return S3_OK;
	if (!gml_span_u64(text, INT32_MAX, &value))
		return s3_refuse_argument(call, name, text,
					  "The value must be an integer between 0 and 2147483647.");
	*out = value < cap ? (uint32_t)value : cap;
	return S3_OK;
}

static enum s3_error attributes_parts(struct s3_call *call, const struct gml_object_info *info)
{
	struct s3_xml *xml = &call->xml;
	uint32_t max = 1000, marker = 0, last = 0, shown = 0;
	enum s3_error error = attributes_number(call, "x-amz-max-parts", 1000, &max);
	if (!error)
		error = attributes_number(call, "x-amz-part-number-marker", GML_PART_MAX, &marker);
	if (error)
		return error;
	s3_xml_open(xml, "ObjectParts");
	s3_xml_number(xml, "PartsCount", info->nparts);
	s3_xml_number(xml, "PartNumberMarker", marker);
	for (uint32_t i = marker + 1; i <= info->nparts && shown < max; i++, shown++) {
		struct gml_object_checksum checksum = {0};
		uint64_t off, len;
		int rc = gml_object_part(call->object, i, &off, &len, &checksum);
		if (rc != 0)
			return s3_error_from(rc);
		s3_xml_open(xml, "Part");
		s3_xml_number(xml, "PartNumber", i);
		s3_xml_number(xml, "Size", len);
		s3_xml_checksum(xml, &checksum, 0, false);
		s3_xml_close(xml, "Part");
		last = i;
	}
	s3_xml_number(xml, "NextPartNumberMarker", last);
	s3_xml_number(xml, "MaxParts", max);
	s3_xml_bool(xml, "IsTruncated", marker + shown < info->nparts);
	s3_xml_close(xml, "ObjectParts");
	return S3_OK;
}

enum s3_error s3_get_object_attributes(struct s3_call *call)
{
	const struct gml_object_info *info;
	struct s3_xml *xml = &call->xml;
	unsigned wanted;
	enum s3_error error = attributes_read(call, &wanted);
	if (!error)
		error = s3_object_find(call, GML_ACTION_GET_OBJECT_ATTRIBUTES);
	if (error)
		return error;
	info = gml_object_info(call->object);
	s3_answer_date(call, "Last-Modified", info->mtime);
	s3_xml_begin(xml, "GetObjectAttributesResponse", true);
	if (wanted & ATTRIBUTE_ETAG)
		s3_xml_string(xml, "ETag",
			      info->etag); /* this answer alone has it without quotes */
	if ((wanted & ATTRIBUTE_CHECKSUM) && info->checksum.algorithm != GML_CHECKSUM_NONE) {
		s3_xml_open(xml, "Checksum");
		s3_xml_checksum(xml, &info->checksum, info->nparts, true);
		s3_xml_close(xml, "Checksum");
	}
	if ((wanted & ATTRIBUTE_PARTS) && info->nparts > 0 &&
	    (error = attributes_parts(call, info)) != S3_OK)
		return error;
	if (wanted & ATTRIBUTE_CLASS)
		s3_xml_class(xml, info->headers[GML_HDR_STORAGE_CLASS]);
	if (wanted & ATTRIBUTE_SIZE)
		s3_xml_number(xml, "ObjectSize", info->size);
	s3_xml_close(xml, "GetObjectAttributesResponse");
	return s3_answer_xml(call, 200);
}
