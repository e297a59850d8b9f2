# SPDX-License-Identifier: Apache-2.0
libgemel_la_SOURCES += gateway/net/probe.c
