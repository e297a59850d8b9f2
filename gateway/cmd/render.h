// SPDX-License-Identifier: Apache-2.0
/* Configuration templates: @NAME@ is replaced by a value. */
#ifndef GML_CMD_RENDER_H
#define GML_CMD_RENDER_H

#include <stdbool.h>
#include <stddef.h>

struct render_var {
	const char *name;
	const char *value;
};

/* Renders `template_path` to `out_path` (mode 0600, replaced atomically). A @NAME@ that `vars`
 * (ended by a NULL name) lacks is an error. *changed_out: the file is new or differs from what was
 * there. 0, or -1 with the reason in err[cap]. */
int render_file(const char *template_path, const char *out_path, const struct render_var *vars,
		bool *changed_out, char *err, size_t cap);

#endif
