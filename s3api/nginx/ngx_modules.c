// SPDX-License-Identifier: Apache-2.0
/* What nginx looks for in a dynamic module. */
#include <ngx_config.h>
#include <ngx_core.h>

extern ngx_module_t ngx_http_gemel_module;

#pragma GCC visibility push(default)
extern ngx_module_t *ngx_modules[];
extern char *ngx_module_names[];
extern char *ngx_module_order[];
#pragma GCC visibility pop

ngx_module_t *ngx_modules[] = {&ngx_http_gemel_module, NULL};
char *ngx_module_names[] = {"ngx_http_gemel_module", NULL};
/* Our filters run between the copy filter and the range filter's neighbours: nginx inserts a module
 * before the first loaded one that follows it here. */
char *ngx_module_order[] = {"ngx_http_gemel_module", "ngx_http_copy_filter_module", NULL};
