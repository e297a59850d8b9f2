include s3api/proto/local.mk
include s3api/nginx/local.mk
