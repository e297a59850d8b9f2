// SPDX-License-Identifier: Apache-2.0
/* Inodes as text. */
#include <inttypes.h>
#include <stdio.h>
#include <gemel/types.h>

_Static_assert(GML_INO_TEXT >= sizeof("18446744073709551615:18446744073709551615"),
	       "every inode has its whole text");

const char *gml_ino_format(gml_ino ino, char buf[GML_INO_TEXT])
{
	if (ino.view == 0)
		snprintf(buf, GML_INO_TEXT, "%" PRIu64, ino.num);
	else
		snprintf(buf, GML_INO_TEXT, "%" PRIu64 ":%" PRIu64, ino.view, ino.num);
	return buf;
}
