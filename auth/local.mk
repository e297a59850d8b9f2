# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libauth.la
libauth_la_SOURCES = \
	auth/canonical.c auth/canonical.h \
	auth/credential.c auth/credential.h \
	auth/digest.c auth/digest.h \
	auth/signing.c auth/signing.h \
	auth/sigv2.c auth/sigv2.h \
	auth/sigv4.c auth/sigv4.h
libauth_la_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)
libauth_la_LIBADD = libbase.la $(OPENSSL_LIBS)
EXTRA_DIST += auth/README.md
