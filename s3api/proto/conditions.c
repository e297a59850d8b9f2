/* Conditional requests: headers into struct gml_conditions; the core decides. */
#include "call.h"

#include <stdio.h>
#include "date.h"

static struct gml_span conditions_header(const struct s3_call *call, const char *prefix, const char *name)
{
	char full[64];
	snprintf(full, sizeof(full), "%s%s", prefix, name);
	return s3_header(call, full);
}

bool s3_conditions_date(struct gml_span text, int64_t *ns_out)
{
	if (!text.ptr || !s3_date_parse(text, ns_out))
		return false;
	if (*ns_out == 0)
		*ns_out = 1; /* 0 means "no condition"; within the same second */
	return true;
}

static int64_t conditions_date(const struct s3_call *call, const char *prefix, const char *name)
{
	int64_t ns;
	return s3_conditions_date(conditions_header(call, prefix, name), &ns) ? ns : 0;
}

void s3_conditions_read(const struct s3_call *call, const char *prefix, struct gml_conditions *out)
{
	out->if_match = conditions_header(call, prefix, "if-match");
	out->if_none_match = conditions_header(call, prefix, "if-none-match");
	out->if_modified_since = conditions_date(call, prefix, "if-modified-since");
	out->if_unmodified_since = conditions_date(call, prefix, "if-unmodified-since");
}

enum s3_error s3_conditions_write(struct s3_call *call, struct gml_conditions *out)
{
	static const char *const unsupported[] = {"if-modified-since", "if-unmodified-since"};
	*out = (struct gml_conditions){0};
	for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++)
		if (s3_has_header(call, unsupported[i])) {
			s3_detail(call, "Header", s3_span(unsupported[i]));
			return S3_ERR_NOT_IMPLEMENTED;
		}
	out->if_match = s3_header(call, "if-match");
	out->if_none_match = s3_header(call, "if-none-match");
	if (out->if_none_match.ptr && !s3_span_is(out->if_none_match, "*")) {
		s3_detail(call, "Header", s3_span("If-None-Match"));
		return S3_ERR_NOT_IMPLEMENTED;
	}
	return S3_OK;
}
