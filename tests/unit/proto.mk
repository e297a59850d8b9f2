# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/proto_test tests/unit/proto_s3_test
tests_unit_proto_test_SOURCES = tests/unit/proto_test.c
tests_unit_proto_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_proto_test_LDADD = libs3.la libauth.la libgemel.la $(CMOCKA_LIBS)
tests_unit_proto_s3_test_SOURCES = tests/unit/proto_s3_test.c tests/unit/s3_expect.h tests/unit/s3_host.c tests/unit/s3_host.h
tests_unit_proto_s3_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_proto_s3_test_LDADD = libs3.la libauth.la libgemel.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/proto_fault_test
tests_unit_proto_fault_test_SOURCES = tests/unit/proto_fault_test.c tests/unit/s3_host.c tests/unit/s3_host.h
tests_unit_proto_fault_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_proto_fault_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
tests_unit_proto_fault_test_LDADD = libs3.la libauth.la libgemel.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/proto_answers_test
tests_unit_proto_answers_test_SOURCES = tests/unit/proto_answers_test.c tests/unit/s3_expect.h tests/unit/s3_host.c tests/unit/s3_host.h
tests_unit_proto_answers_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_proto_answers_test_LDADD = libs3.la libauth.la libgemel.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/proto_labels_test
tests_unit_proto_labels_test_SOURCES = tests/unit/proto_labels_test.c tests/unit/s3_expect.h tests/unit/s3_host.c tests/unit/s3_host.h
tests_unit_proto_labels_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_proto_labels_test_LDADD = libs3.la libauth.la libgemel.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/proto_gate_test
tests_unit_proto_gate_test_SOURCES = tests/unit/proto_gate_test.c tests/unit/s3_expect.h tests/unit/s3_host.c tests/unit/s3_host.h
tests_unit_proto_gate_test_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_proto_gate_test_LDADD = libs3.la libauth.la libgemel.la $(CMOCKA_LIBS) -lpthread
