// SPDX-License-Identifier: Apache-2.0
/* What the files of operations share. */
#ifndef TESTS_FAULT_ACT_H
#define TESTS_FAULT_ACT_H

#include "scene.h"

struct gml_span scene_span(const char *text);
struct gml_span scene_bucket(void);

/* An operation on this item ended. A refused one has not happened; after IO it may have. Returns rc. */
int scene_done(struct scene *scene, struct story_item *item, int rc);
void scene_wrong(struct scene *scene, const char *what);
struct story_value scene_content(struct scene *scene, size_t len, uint64_t seed);
/* The next state is this text, or nothing; asked for. */
void scene_text(struct scene *scene, struct story_item *item, const char *text);
void scene_gone(struct scene *scene, struct story_item *item);
/* Where a path's directory and inode are; its last component. */
int scene_ino(struct scene *scene, const struct story_item *item, gml_ino *ino_out);
int scene_put(struct scene *scene, struct story_item *item, size_t len, uint64_t seed);

/* ---- act_data.c ---- */
int act_put_new(struct scene *scene);
int act_put_headers(struct scene *scene);
int act_put_big(struct scene *scene);
int act_delete(struct scene *scene);
int act_copy(struct scene *scene);
int act_copy_checksum(struct scene *scene);
int act_list(struct scene *scene);
int act_read(struct scene *scene);
int act_file(struct scene *scene);
int act_file_empty(struct scene *scene);
int act_overwrite(struct scene *scene);
int act_truncate(struct scene *scene);
int act_sparse(struct scene *scene);
int act_attributes(struct scene *scene);

#endif
