# SPDX-License-Identifier: Apache-2.0
# Unit tests mirror the sources: one program per room, cmocka.
if HAVE_CMOCKA
include tests/unit/base.mk
include tests/unit/auth.mk
include tests/unit/policy.mk
include tests/unit/meta.mk
include tests/unit/data.mk
include tests/unit/store.mk
include tests/unit/ns.mk
include tests/unit/object.mk
include tests/unit/fsal.mk
include tests/unit/proto.mk
include tests/unit/cmd.mk
# Quick ones once more, on the metadata engine in memory.
TESTS += tests/unit/on_memory
# Those of names and content once more, with their bucket in another view.
TESTS += tests/unit/in_view
endif
EXTRA_DIST += tests/unit/on_memory tests/unit/in_view tests/spans.h
