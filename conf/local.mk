# SPDX-License-Identifier: Apache-2.0
# Defaults and templates that `gemel serve` renders; the unit for systemd.
dist_pkgdata_DATA += conf/gemel.conf conf/ganesha.conf.in conf/nginx.conf.in
nodist_pkgdata_DATA = conf/gemel.service
EXTRA_DIST += conf/gemel.service.in
CLEANFILES += conf/gemel.service
conf/gemel.service: conf/gemel.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) conf && sed -e 's|@bindir[@]|$(bindir)|g' -e 's|@sysconfdir[@]|$(sysconfdir)|g' $(srcdir)/conf/gemel.service.in > $@
