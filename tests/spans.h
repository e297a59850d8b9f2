// SPDX-License-Identifier: Apache-2.0
/* Spans in tests, spelled shortly. */
#ifndef GML_TEST_SPANS_H
#define GML_TEST_SPANS_H

#include "gateway/base/span.h"

#define STR(text) gml_span_text(text)	 /* of a NUL-terminated string */
#define SPAN(p, n) gml_span_of((p), (n)) /* of n bytes */

#endif
