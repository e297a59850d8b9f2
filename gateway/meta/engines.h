// SPDX-License-Identifier: Apache-2.0
/* The engines of this program; for engine.c and tests only. */
#ifndef GML_META_ENGINES_H
#define GML_META_ENGINES_H

#include "engine.h"

extern const struct gml_engine gml_engine_lmdb;	  /* lmdb/ */
extern const struct gml_engine gml_engine_memory; /* memory/; test builds only */
/* The same without snapshot numbers, counts and checks; it tests callers without hints. */
extern const struct gml_engine gml_engine_memory_plain;

#endif
