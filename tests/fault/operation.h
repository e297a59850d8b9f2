// SPDX-License-Identifier: Apache-2.0
/* What the files of operations share. */
#ifndef TESTS_FAULT_OPERATION_H
#define TESTS_FAULT_OPERATION_H

#include "fixture.h"
#include "tests/spans.h"

struct gml_span fixture_bucket(void);

/* An operation on this item ended. A refused one has not happened; after IO it may have. Returns
 * rc. */
int fixture_result(struct fixture *fixture, struct model_item *item, int rc);
void fixture_wrong(struct fixture *fixture, const char *what);
struct model_value fixture_content(struct fixture *fixture, size_t len, uint64_t seed);
/* The next state is this text, or nothing; asked for. */
void fixture_text(struct fixture *fixture, struct model_item *item, const char *text);
void fixture_gone(struct fixture *fixture, struct model_item *item);
/* Where a path's directory and inode are; its last component. */
int fixture_ino(struct fixture *fixture, const struct model_item *item, gml_ino *ino_out);
int fixture_put(struct fixture *fixture, struct model_item *item, size_t len, uint64_t seed);

/* ---- operation_data.c ---- */
int operation_put_new(struct fixture *fixture);
int operation_put_headers(struct fixture *fixture);
int operation_put_big(struct fixture *fixture);
int operation_delete(struct fixture *fixture);
int operation_copy(struct fixture *fixture);
int operation_copy_checksum(struct fixture *fixture);
int operation_list(struct fixture *fixture);
int operation_read(struct fixture *fixture);
int operation_file(struct fixture *fixture);
int operation_file_empty(struct fixture *fixture);
int operation_overwrite(struct fixture *fixture);
int operation_truncate(struct fixture *fixture);
int operation_sparse(struct fixture *fixture);
int operation_attributes(struct fixture *fixture);

#endif
