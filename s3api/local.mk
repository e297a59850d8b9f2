# SPDX-License-Identifier: Apache-2.0
include s3api/proto/local.mk
include s3api/nginx/local.mk
