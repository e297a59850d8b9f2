# SPDX-License-Identifier: Apache-2.0
# Fuzz targets: NAME_fuzz.c. `make check` replays tests/fuzz/corpus/NAME; with --enable-fuzz (CC=clang) there is also a libFuzzer program:
#   tests/fuzz/NAME_fuzz -max_len=4096 tests/fuzz/corpus/NAME
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/README.md

check_PROGRAMS += tests/fuzz/sigv4_replay tests/fuzz/chunked_replay
tests_fuzz_sigv4_replay_SOURCES = tests/fuzz/sigv4_fuzz.c tests/fuzz/replay.c tests/fuzz/fuzz.h
tests_fuzz_sigv4_replay_CPPFLAGS = $(AM_CPPFLAGS) -DGML_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/sigv4"'
tests_fuzz_sigv4_replay_LDADD = libauth.la
tests_fuzz_chunked_replay_SOURCES = tests/fuzz/chunked_fuzz.c s3api/proto/chunked.c tests/fuzz/replay.c tests/fuzz/fuzz.h
tests_fuzz_chunked_replay_CPPFLAGS = $(AM_CPPFLAGS) -DGML_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/chunked"'
tests_fuzz_chunked_replay_LDADD = libauth.la

if ENABLE_FUZZ
noinst_PROGRAMS += tests/fuzz/sigv4_fuzz tests/fuzz/chunked_fuzz
tests_fuzz_sigv4_fuzz_SOURCES = tests/fuzz/sigv4_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_sigv4_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_sigv4_fuzz_LDADD = libauth.la
tests_fuzz_chunked_fuzz_SOURCES = tests/fuzz/chunked_fuzz.c s3api/proto/chunked.c tests/fuzz/fuzz.h
tests_fuzz_chunked_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_chunked_fuzz_LDADD = libauth.la
endif

check_PROGRAMS += tests/fuzz/s3_request_replay
tests_fuzz_s3_request_replay_SOURCES = tests/fuzz/s3_request_fuzz.c tests/unit/s3_host.c tests/unit/s3_host.h tests/fuzz/replay.c tests/fuzz/fuzz.h
tests_fuzz_s3_request_replay_CPPFLAGS = $(AM_CPPFLAGS) -DGML_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/s3_request"'
tests_fuzz_s3_request_replay_LDADD = libs3.la libauth.la libgemel.la
if ENABLE_FUZZ
noinst_PROGRAMS += tests/fuzz/s3_request_fuzz
tests_fuzz_s3_request_fuzz_SOURCES = tests/fuzz/s3_request_fuzz.c tests/unit/s3_host.c tests/unit/s3_host.h tests/fuzz/fuzz.h
tests_fuzz_s3_request_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_s3_request_fuzz_LDADD = libs3.la libauth.la libgemel.la
endif

check_PROGRAMS += tests/fuzz/policy_replay
tests_fuzz_policy_replay_SOURCES = tests/fuzz/policy_fuzz.c tests/fuzz/replay.c tests/fuzz/fuzz.h
tests_fuzz_policy_replay_CPPFLAGS = $(AM_CPPFLAGS) -DGML_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/policy"'
tests_fuzz_policy_replay_LDADD = libpolicy.la libbase.la
if ENABLE_FUZZ
noinst_PROGRAMS += tests/fuzz/policy_fuzz
tests_fuzz_policy_fuzz_SOURCES = tests/fuzz/policy_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_policy_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_policy_fuzz_LDADD = libpolicy.la libbase.la
endif

check_PROGRAMS += tests/fuzz/acl_replay
tests_fuzz_acl_replay_SOURCES = tests/fuzz/acl_fuzz.c gateway/iam/acl.c gateway/iam/acl_mode.c tests/fuzz/replay.c tests/fuzz/fuzz.h
tests_fuzz_acl_replay_CPPFLAGS = $(AM_CPPFLAGS) -DGML_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/acl"'
if ENABLE_FUZZ
noinst_PROGRAMS += tests/fuzz/acl_fuzz
tests_fuzz_acl_fuzz_SOURCES = tests/fuzz/acl_fuzz.c gateway/iam/acl.c gateway/iam/acl_mode.c tests/fuzz/fuzz.h
tests_fuzz_acl_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
