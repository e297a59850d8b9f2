// SPDX-License-Identifier: Apache-2.0
/* Which uids are refused (gml_uid_refused): this process's copy, as of an access epoch. */
#ifndef GML_IAM_ROSTER_H
#define GML_IAM_ROSTER_H

struct gml_roster;

/* Empty; lives as long as the open store. */
int gml_roster_new(struct gml_roster **out);
void gml_roster_free(struct gml_roster *roster); /* NULL is fine */

#endif
