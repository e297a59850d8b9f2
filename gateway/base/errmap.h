// SPDX-License-Identifier: Apache-2.0
/* errno -> enum gml_err, the only translation in the core. An engine maps the codes of its library
 * itself. */
#ifndef GML_BASE_ERRMAP_H
#define GML_BASE_ERRMAP_H

#include <gemel/err.h>

/* `code`: a positive errno; 0 stays 0. Never returns 0 for another code; what it does not
 * know is IO. Any thread, no blocking. */
int gml_err_map(int code);

#endif
