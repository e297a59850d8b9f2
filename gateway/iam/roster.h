// SPDX-License-Identifier: Apache-2.0
/* Which uids are refused, in all processes (run/roster). */
#ifndef GML_IAM_ROSTER_H
#define GML_IAM_ROSTER_H

#include <stdint.h>
#include <gemel/store.h>

struct gml_roster;

/* run/roster below the store's directory: made when missing, mapped shared. Lives as long as the
 * open store. */
int gml_roster_open(int dirfd, struct gml_roster **out);
void gml_roster_close(struct gml_roster *roster); /* NULL is fine */
/* A change of users, inside its transaction, after the last check: its number. Call gml_roster_done
 * when the commit has returned, also with an error after which the change cannot become visible. */
uint64_t gml_roster_begin(struct gml_roster *roster);
void gml_roster_done(struct gml_roster *roster, uint64_t change); /* 0: it never began */
/* Changes that were begun before the call by processes that died count as done: if one is not
 * visible now, it never will be. Any thread, not in a transaction. Blocks on other writers while a
 * change is open. Durability: none. */
int gml_roster_resolve(struct gml_store *store);

#endif
