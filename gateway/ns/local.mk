# SPDX-License-Identifier: Apache-2.0
include gateway/ns/core/local.mk
include gateway/ns/posix/local.mk
include gateway/ns/object/local.mk
include gateway/ns/store/local.mk
