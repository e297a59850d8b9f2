# SPDX-License-Identifier: Apache-2.0
# NFS: a plugin for the nfs-ganesha that is installed.
pkglib_LTLIBRARIES += libfsalgemel.la
libfsalgemel_la_SOURCES = \
	fsal/access.c \
	fsal/acl.c \
	fsal/attr.c \
	fsal/compat.h \
	fsal/errmap.c \
	fsal/errmap.h \
	fsal/export.c \
	fsal/fattr.c \
	fsal/file.c \
	fsal/fsal.h \
	fsal/handle.c \
	fsal/io.c \
	fsal/maintenance.c \
	fsal/module.c \
	fsal/op.c \
	fsal/open.c \
	fsal/readdir.c \
	fsal/table.c \
	fsal/wire.c \
	fsal/xattr.c
# -iquote: ganesha's headers and ours must find ganesha's config.h, which automake's -I. would hide.
libfsalgemel_la_CPPFLAGS = -D_GNU_SOURCE $(GML_ASSERT_CPPFLAGS) -iquote $(GANESHA_HEADERS) -I$(top_srcdir)/gateway/include -I$(top_srcdir) \
	-isystem $(GANESHA_HEADERS)/include -isystem $(GANESHA_HEADERS)/mdcache $(NTIRPC_CFLAGS)
libfsalgemel_la_LIBADD = libgemel.la
# Not linked with ganesha's library: then the plugin could not refuse another release by a message of its own (module.c).
libfsalgemel_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared
$(libfsalgemel_la_OBJECTS): $(GANESHA_HEADERS)/stamp
# Looks at each make whether ganesha was upgraded; leaves the file alone when not.
$(GANESHA_HEADERS)/stamp: ganesha-headers-check
	$(AM_V_GEN)CC='$(CC)' $(top_srcdir)/tools/ganesha-headers installed '$(GANESHA_HEADERS)'
ganesha-headers-check:
.PHONY: ganesha-headers-check
distclean-local: clean-ganesha-headers
clean-ganesha-headers:
	-rm -rf ganesha-headers
.PHONY: clean-ganesha-headers
EXTRA_DIST += fsal/README.md
