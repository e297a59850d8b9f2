# SPDX-License-Identifier: Apache-2.0
include gateway/include/local.mk
include gateway/base/local.mk
include gateway/meta/local.mk
include gateway/data/local.mk
include gateway/iam/local.mk
include gateway/ns/local.mk
include gateway/net/local.mk
include gateway/jobs/local.mk
include gateway/cmd/local.mk
