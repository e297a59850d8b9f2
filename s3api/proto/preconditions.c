// SPDX-License-Identifier: Apache-2.0
/* Conditional requests: headers into struct gml_conditions; the core decides. */
#include "call.h"
#include "gateway/base/calendar.h"

bool s3_conditions_date(struct gml_span text, int64_t *ns_out)
{
	int64_t seconds;
	if (!text.ptr || !gml_date_http_parse(text, &seconds))
		return false;
	*ns_out = gml_ns_of_seconds(seconds);
	if (*ns_out == 0)
		*ns_out = 1; /* 0 means "no condition"; within the same second */
	return true;
}

static int64_t conditions_date(const struct s3_call *call, const char *name)
{
	int64_t ns;
	return s3_conditions_date(s3_header(call, name), &ns) ? ns : 0;
}

void s3_conditions_read(const struct s3_call *call, struct gml_conditions *out)
{
	out->if_match = s3_header(call, "if-match");
	out->if_none_match = s3_header(call, "if-none-match");
	out->if_modified_since = conditions_date(call, "if-modified-since");
	out->if_unmodified_since = conditions_date(call, "if-unmodified-since");
}

void s3_conditions_read_source(const struct s3_call *call, struct gml_conditions *out)
{
	out->if_match = s3_header(call, "x-amz-copy-source-if-match");
	out->if_none_match = s3_header(call, "x-amz-copy-source-if-none-match");
	out->if_modified_since = conditions_date(call, "x-amz-copy-source-if-modified-since");
	out->if_unmodified_since = conditions_date(call, "x-amz-copy-source-if-unmodified-since");
}

enum s3_error s3_conditions_write(struct s3_call *call, struct gml_conditions *out)
{
	static const char *const unsupported[] = {"if-modified-since", "if-unmodified-since"};
	*out = (struct gml_conditions){0};
	for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++)
		if (s3_has_header(call, unsupported[i])) {
			s3_detail(call, "Header", gml_span_text(unsupported[i]));
			return S3_ERR_NOT_IMPLEMENTED;
		}
	out->if_match = s3_header(call, "if-match");
	out->if_none_match = s3_header(call, "if-none-match");
	/* Either "create" or "replace": both at once contradict each other. */
	if (out->if_none_match.ptr &&
	    (out->if_match.ptr || !gml_span_is(out->if_none_match, "*"))) {
		s3_detail(call, "Header", GML_LIT("If-None-Match"));
		return S3_ERR_NOT_IMPLEMENTED;
	}
	return S3_OK;
}
