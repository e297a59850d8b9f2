include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/crash/local.mk
include tests/fault/local.mk
