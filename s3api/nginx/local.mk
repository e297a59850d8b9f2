# SPDX-License-Identifier: Apache-2.0
# The nginx module. Its headers are nginx's own (package nginx-dev), plus those that nginx's configure generates here once, in nginx-objs.
pkglib_LTLIBRARIES += ngx_http_gemel_module.la
NGINX_OBJS = $(abs_builddir)/nginx-objs
ngx_http_gemel_module_la_SOURCES = \
	s3api/nginx/ngx_http_gemel_module.c s3api/nginx/ngx_modules.c \
	s3api/nginx/frontend.c s3api/nginx/frontend.h \
	s3api/nginx/async_task.c s3api/nginx/async_task.h \
	s3api/nginx/request.c s3api/nginx/request.h \
	s3api/nginx/request_body.c s3api/nginx/answer.c s3api/nginx/error_page.c s3api/nginx/access_log.c
ngx_http_gemel_module_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-isystem $(NGINX_SRC)/src/core -isystem $(NGINX_SRC)/src/event -isystem $(NGINX_SRC)/src/event/modules -isystem $(NGINX_SRC)/src/event/quic \
	-isystem $(NGINX_SRC)/src/os/unix -isystem $(NGINX_SRC)/src/http -isystem $(NGINX_SRC)/src/http/modules \
	-isystem $(NGINX_SRC)/src/http/v2 -isystem $(NGINX_SRC)/src/http/v3 -isystem $(NGINX_OBJS)
ngx_http_gemel_module_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared
ngx_http_gemel_module_la_LIBADD = libs3.la libgemel.la

$(ngx_http_gemel_module_la_OBJECTS): nginx-objs/ngx_auto_config.h
nginx-objs/ngx_auto_config.h: $(srcdir)/s3api/nginx/headers.sh $(NGINX_SRC)/src/core/nginx.h
	$(AM_V_GEN)bash $(srcdir)/s3api/nginx/headers.sh $(NGINX) $(NGINX_SRC) $(NGINX_OBJS)
EXTRA_DIST += s3api/nginx/README.md s3api/nginx/headers.sh
distclean-local: clean-nginx-objs
clean-nginx-objs:
	rm -rf nginx-objs
.PHONY: clean-nginx-objs
