# SPDX-License-Identifier: Apache-2.0
libpolicy_la_SOURCES += \
	auth/decision/evaluate.c \
	auth/decision/explain.c auth/decision/explain.h \
	auth/decision/index.c auth/decision/index.h \
	auth/decision/set.c auth/decision/set.h auth/decision/set_inside.h
EXTRA_DIST += auth/decision/README.md
