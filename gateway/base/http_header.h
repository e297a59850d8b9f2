// SPDX-License-Identifier: Apache-2.0
/* A header of a request or an answer (RFC 9110, section 5), as it is signed, read and sent. */
#ifndef GML_BASE_HTTP_HEADER_H
#define GML_BASE_HTTP_HEADER_H

#include <gemel/types.h>

struct gml_http_header {
	struct gml_span name, value; /* names in any case, unless whoever holds them says more */
};

#endif
