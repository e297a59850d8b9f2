// SPDX-License-Identifier: Apache-2.0
/* Everything that a public header declares between GML_API_BEGIN and GML_API_END is exported from libgemel; all else is hidden. */
#ifndef GEMEL_VISIBILITY_H
#define GEMEL_VISIBILITY_H
#define GML_API_BEGIN _Pragma("GCC visibility push(default)")
#define GML_API_END _Pragma("GCC visibility pop")
#endif
