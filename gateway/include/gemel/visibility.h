// SPDX-License-Identifier: Apache-2.0
/* libgemel exports what a public header declares between GML_API_BEGIN and GML_API_END, and hides
 * everything else. */
#ifndef GEMEL_VISIBILITY_H
#define GEMEL_VISIBILITY_H
#define GML_API_BEGIN _Pragma("GCC visibility push(default)")
#define GML_API_END _Pragma("GCC visibility pop")
#endif
