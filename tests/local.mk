# SPDX-License-Identifier: Apache-2.0
include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/crash/local.mk
include tests/fault/local.mk
include tests/policy/local.mk
