# SPDX-License-Identifier: Apache-2.0
# Sanitizers: --enable-asan, --enable-ubsan, --enable-tsan, --enable-fuzz
AC_DEFUN([GML_SANITIZERS], [
gml_sanitizers=
AC_ARG_ENABLE([asan], [AS_HELP_STRING([--enable-asan], [AddressSanitizer])], [AS_IF([test "$enableval" = yes], [gml_sanitizers="$gml_sanitizers,address"])])
AC_ARG_ENABLE([ubsan], [AS_HELP_STRING([--enable-ubsan], [UndefinedBehaviorSanitizer])], [AS_IF([test "$enableval" = yes], [gml_sanitizers="$gml_sanitizers,undefined"])])
AC_ARG_ENABLE([tsan], [AS_HELP_STRING([--enable-tsan], [ThreadSanitizer])], [AS_IF([test "$enableval" = yes], [gml_sanitizers="$gml_sanitizers,thread"])])
AC_ARG_ENABLE([fuzz], [AS_HELP_STRING([--enable-fuzz], [build the fuzz targets with libFuzzer (CC=clang)])], [enable_fuzz=$enableval], [enable_fuzz=no])
AM_CONDITIONAL([ENABLE_FUZZ], [test "$enable_fuzz" = yes])
gml_sanitizers=${gml_sanitizers#,}
AS_IF([test "$enable_fuzz" = yes], [gml_sanitizers="${gml_sanitizers:+$gml_sanitizers,}fuzzer-no-link"])
AS_IF([test -n "$gml_sanitizers"], [GML_SAN_CFLAGS="-fsanitize=$gml_sanitizers -fno-omit-frame-pointer"])
AM_CONDITIONAL([SANITIZED], [test -n "$gml_sanitizers"])
AC_SUBST([GML_SAN_CFLAGS])
gml_sanitizers=${gml_sanitizers:-none}
])

# Warnings and hardening, on by default.
AC_DEFUN([GML_HARDENING], [
GML_CFLAGS="-std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror=implicit-function-declaration -fstack-protector-strong -fvisibility=hidden"
AS_IF([test "$gml_sanitizers" = none], [GML_CFLAGS="$GML_CFLAGS -D_FORTIFY_SOURCE=2 -fstack-clash-protection"])
AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [treat warnings as errors])], [AS_IF([test "$enableval" = yes], [GML_CFLAGS="$GML_CFLAGS -Werror"])])
GML_LDFLAGS="-Wl,-z,relro,-z,now"
GML_CFLAGS="$GML_CFLAGS -fno-plt" # all is bound at the start: calls into libraries need no stubs
# Link-time optimisation of what the servers load; a GET of 4 KiB gains 7 %. Objects hold both forms: programs, the tests above all, link the plain one in no time
# (libtool drops -fno-lto for libraries).
AC_ARG_ENABLE([lto], [AS_HELP_STRING([--disable-lto], [no link-time optimisation of the libraries])], [], [enable_lto=yes])
AS_IF([test "$gml_sanitizers" != none], [enable_lto=no])
AS_IF([test "$enable_lto" = yes], [
  AC_CACHE_CHECK([whether $CC makes fat objects for link-time optimisation], [gml_cv_lto], [
    gml_saved=$CFLAGS
    CFLAGS="$CFLAGS -flto=auto -ffat-lto-objects -Werror"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [gml_cv_lto=yes], [gml_cv_lto=no])
    CFLAGS=$gml_saved])
  enable_lto=$gml_cv_lto])
AS_IF([test "$enable_lto" = yes], [GML_CFLAGS="$GML_CFLAGS -flto=auto -ffat-lto-objects"; GML_LDFLAGS="$GML_LDFLAGS -fno-lto"])
AC_SUBST([GML_CFLAGS])
AC_SUBST([GML_LDFLAGS])
])

# The nginx that will run, and its headers (package nginx-dev).
AC_DEFUN([GML_NGINX], [
AC_ARG_WITH([nginx-src], [AS_HELP_STRING([--with-nginx-src=DIR], [nginx headers and configure [/usr/share/nginx/src]])], [NGINX_SRC=$withval], [NGINX_SRC=/usr/share/nginx/src])
AC_PATH_PROG([NGINX], [nginx], [], [$PATH:/usr/sbin:/sbin])
NGINX_VERSION=
AS_IF([test -z "$NGINX"], [gml_missing="$gml_missing nginx-light"], [NGINX_VERSION=`$NGINX -v 2>&1 | sed -n 's,.*nginx/\([[0-9.]]*\).*,\1,p'`])
AS_IF([test ! -r "$NGINX_SRC/src/core/nginx.h"], [gml_missing="$gml_missing nginx-dev"], [
  nginx_dev=`sed -n 's/^#define NGINX_VERSION *"\(.*\)"/\1/p' "$NGINX_SRC/src/core/nginx.h"`
  AS_IF([test -n "$NGINX_VERSION" && test "$nginx_dev" != "$NGINX_VERSION"],
    [AC_MSG_ERROR([nginx $NGINX_VERSION is installed, but $NGINX_SRC is for $nginx_dev: install the nginx-dev of the same version])])])
AC_SUBST([NGINX])
AC_SUBST([NGINX_SRC])
AC_SUBST([NGINX_VERSION])
])

# The ganesha that will run; its FSAL headers are prepared by tools/ganesha-headers at build time.
AC_DEFUN([GML_GANESHA], [
AC_PATH_PROG([GANESHA], [ganesha.nfsd], [], [$PATH:/usr/bin:/usr/sbin:/sbin])
GANESHA_VERSION=
AS_IF([test -z "$GANESHA"], [gml_missing="$gml_missing nfs-ganesha"], [GANESHA_VERSION=`$GANESHA -v 2>&1 | sed -n 's/.*NFS-Ganesha Release = V\([[0-9.]]*\).*/\1/p' | head -n 1`])
AC_ARG_WITH([ganesha-headers], [AS_HELP_STRING([--with-ganesha-headers=DIR], [prepared ganesha headers [made by tools/ganesha-headers]])], [GANESHA_HEADERS=$withval], [GANESHA_HEADERS='$(abs_builddir)/ganesha-headers'])
GML_NEED([NTIRPC], [libntirpc], [libntirpc-dev])
# The warnings of other people's headers are not ours.
NTIRPC_CFLAGS=`echo " $NTIRPC_CFLAGS" | sed 's/ -I/ -isystem /g'`
AC_CHECK_HEADER([gssapi/gssapi.h], [], [gml_missing="$gml_missing libkrb5-dev"])
AC_CHECK_HEADER([urcu-bp.h], [], [gml_missing="$gml_missing liburcu-dev"])
AC_SUBST([GANESHA])
AC_SUBST([GANESHA_VERSION])
AC_SUBST([GANESHA_HEADERS])
])
