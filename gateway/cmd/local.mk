# SPDX-License-Identifier: Apache-2.0
gemel_SOURCES += gateway/cmd/main.c gateway/cmd/cmd.h gateway/cmd/output.c gateway/cmd/conf.c gateway/cmd/conf.h gateway/cmd/user.c gateway/cmd/key.c gateway/cmd/bucket.c \
	gateway/cmd/store.c gateway/cmd/status.c gateway/cmd/serve.c gateway/cmd/serve_conf.c gateway/cmd/serve.h gateway/cmd/child.c gateway/cmd/child.h gateway/cmd/render.c gateway/cmd/render.h gateway/cmd/tls.c gateway/cmd/tls.h
gemel_SOURCES += gateway/cmd/words.c gateway/cmd/words.h gateway/cmd/help.c gateway/cmd/help.h gateway/cmd/near.c gateway/cmd/near.h gateway/cmd/account.c gateway/cmd/document.c gateway/cmd/document.h gateway/cmd/group.c gateway/cmd/identity.c gateway/cmd/identity.h gateway/cmd/policy.c gateway/cmd/policy_lint.c gateway/cmd/policy_simulate.c gateway/cmd/grant.c gateway/cmd/access.c gateway/cmd/ready.c gateway/cmd/ready.h gateway/cmd/role.c gateway/cmd/nfs.c gateway/cmd/nfs_read.c gateway/cmd/nfs_read.h
gemel_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(OPENSSL_CFLAGS) -DGEMEL_NGINX='"$(NGINX)"' -DGEMEL_GANESHA='"$(GANESHA)"' -DGEMEL_GANESHA_VERSION='"$(GANESHA_VERSION)"'
gemel_LDADD = libgemel.la $(JANSSON_LIBS) $(OPENSSL_LIBS) $(JEMALLOC_LIBS)
