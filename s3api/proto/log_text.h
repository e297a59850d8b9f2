// SPDX-License-Identifier: Apache-2.0
/* What of a request may stand in a log line. The result is printable ASCII without quotes and
 * backslashes, so a line of JSON is valid whatever a client sends. Pure; any thread. */
#ifndef GML_S3_LOG_TEXT_H
#define GML_S3_LOG_TEXT_H

#include <gemel/types.h>

/* Bytes that are not percent-encoded: of a text, '%' and space as well; of a name they are, so that
 * it is unambiguous. */
enum s3_log_kind { S3_LOG_TEXT = 1, S3_LOG_NAME = 2 };
/* The text, percent-encoded where needed; as much of it as fits before `limit`. Returns the end of
 * what was written, which is not terminated. */
unsigned char *s3_log_text(unsigned char *out, const unsigned char *limit, struct gml_span text,
			   enum s3_log_kind kind);
/* The raw target as a text, without the query parameters that sign the request: some of them are
 * secrets. At most `cap` bytes. Returns as s3_log_text. */
unsigned char *s3_log_target(unsigned char *out, size_t cap, struct gml_span target);

#endif
