# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += gemel
gemel_SOURCES = gateway/jobs/jobs.c gateway/jobs/jobs.h
