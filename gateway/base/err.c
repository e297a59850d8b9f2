// SPDX-License-Identifier: Apache-2.0
#include <gemel/err.h>

static const struct {
	const char *name, *text;
	int retryable;
} err_table[] = {
#define ERR_ROW(name, text, retryable) {#name, text, retryable},
	GML_ERR_MAP(ERR_ROW)
#undef ERR_ROW
};

const char *gml_err_text(int rc)
{
	return rc >= 0 && rc < GML_ERR_COUNT_ ? err_table[rc].text : "unknown error";
}

const char *gml_err_name(int rc)
{
	return rc >= 0 && rc < GML_ERR_COUNT_ ? err_table[rc].name : "UNKNOWN";
}

int gml_err_retryable(int rc)
{
	return rc >= 0 && rc < GML_ERR_COUNT_ ? err_table[rc].retryable : 0;
}
