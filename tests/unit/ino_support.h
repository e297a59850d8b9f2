// SPDX-License-Identifier: Apache-2.0
/* Inodes in tests. */
#ifndef GML_INO_SUPPORT_H
#define GML_INO_SUPPORT_H

#include <gemel/types.h>

/* The inode of that number in the view that the test is about. */
#ifndef TEST_VIEW
#define TEST_VIEW 0
#endif
#define INO(num) gml_ino_of(TEST_VIEW, (num))

#define assert_ino_equal(a, b) assert_string_equal(gml_ino_text(a), gml_ino_text(b))
#define assert_ino_not_equal(a, b) assert_string_not_equal(gml_ino_text(a), gml_ino_text(b))

#endif
