/* The engines of this program; for engine.c and tests only. */
#ifndef GML_META_ENGINES_H
#define GML_META_ENGINES_H

#include "engine.h"

extern const struct gml_engine gml_engine_lmdb; /* lmdb/ */

#endif
