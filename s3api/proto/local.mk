# SPDX-License-Identifier: Apache-2.0
# S3 as a protocol, without a server. The host (nginx module, tests) links it with libgemel.
noinst_LTLIBRARIES += libs3.la
# The names of condition keys: the library of policies, which has them too, is inside libgemel.
libs3_la_SOURCES = \
	auth/access/key.c auth/access/key.h \
	s3api/proto/acl.c \
	s3api/proto/arena.c s3api/proto/arena.h \
	s3api/proto/auth_call.c \
	s3api/proto/body.c s3api/proto/body.h \
	s3api/proto/bucket.c \
	s3api/proto/bucket_access.c \
	s3api/proto/bucket_config.c \
	s3api/proto/bucket_policy.c \
	s3api/proto/call.c s3api/proto/call.h \
	s3api/proto/chunked.c s3api/proto/chunked.h \
	s3api/proto/condition.c \
	s3api/proto/copy_source.c \
	s3api/proto/error.c s3api/proto/error.h \
	s3api/proto/grants.c \
	s3api/proto/hasher.c s3api/proto/hasher.h \
	s3api/proto/health.c s3api/proto/health.h \
	s3api/proto/integrity.c \
	s3api/proto/list.c \
	s3api/proto/log_text.c s3api/proto/log_text.h \
	s3api/proto/multipart.c \
	s3api/proto/multipart_complete.c \
	s3api/proto/multipart_list.c \
	s3api/proto/object_attributes.c \
	s3api/proto/object_copy.c \
	s3api/proto/object_delete.c \
	s3api/proto/object_get.c \
	s3api/proto/object_put.c \
	s3api/proto/object_tags.c \
	s3api/proto/preconditions.c \
	s3api/proto/range.c s3api/proto/range.h \
	s3api/proto/request.c \
	s3api/proto/response.c \
	s3api/proto/route.c \
	s3api/proto/s3.h \
	s3api/proto/unsupported.c \
	s3api/proto/uri.c s3api/proto/uri.h \
	s3api/proto/user_metadata.c \
	s3api/proto/xml_read.c s3api/proto/xml_read.h \
	s3api/proto/xml_write.c s3api/proto/xml_write.h
libs3_la_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(EXPAT_CFLAGS)
libs3_la_LIBADD = libauth.la $(EXPAT_LIBS) $(OPENSSL_LIBS)
EXTRA_DIST += s3api/README.md
