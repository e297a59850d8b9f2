// SPDX-License-Identifier: Apache-2.0
/* Access control lists: their form, their evaluation and what they have to do with modes (RFC 8881
 * 6). Pure: no store, no allocation, no blocking; any thread.
 *
 * An inode without an ACL is governed by its mode alone. An inode with one has the mode that the
 * ACL gives (6.3.2): whoever changes one changes the other by the functions here. An ACL that says
 * what a mode says is not stored (gml_acl_says_mode).
 *
 * In modes, the functions consider the nine low bits. A `mode` of theirs may have others. */
#ifndef GML_IAM_ACL_H
#define GML_IAM_ACL_H

#include <gemel/acl.h>
#include <gemel/op.h>
#include <gemel/types.h>

/* ---- form ------------------------------------------------------------------------------------ */
/* May a client set this ACL? NOTSUP: an entry that cannot be enforced: an unknown type, `who`,
 * flag or right. INVAL: an entry that says nothing: inheritance of what is no directory, or
 * INHERIT_ONLY or NO_PROPAGATE without inheritance; an id where none belongs, or the one that
 * chown(2) takes for none. TOOBIG: more than GML_ACL_ENTRIES_MAX entries. */
int gml_acl_check(const struct gml_acl *acl, bool directory);

/* Encoded: a version, the number of entries, the entries (docs/on-disk-format.md, "INODE"). Never
 * empty: an empty span says that there is no ACL. */
#define GML_ACL_BYTES_MAX ((size_t)4 + (size_t)10 * GML_ACL_ENTRIES_ROOM)
/* Encodes an ACL that gml_acl_check or the functions below made sure of. Returns the length. */
size_t gml_acl_encode(const struct gml_acl *acl, uint8_t out[GML_ACL_BYTES_MAX]);
/* The one reader is bounds-checked. CORRUPT: what is no ACL, or has more entries than the functions
 * here make; *out is undefined then. */
int gml_acl_decode(struct gml_span encoded, struct gml_acl *out);

/* ---- evaluation (6.2.1) ---------------------------------------------------------------------- */
/* A question to the ACL of an inode. `want`: the rights that matter; reading stops when each of
 * them is decided. */
struct gml_acl_question {
	const struct gml_principal *who;
	uint32_t uid, gid; /* of the inode: OWNER@ and GROUP@ */
	uint32_t want;
	/* Only entries that S3 shows as grants (iam/grant.h) allow something; ANONYMOUS@ is
	 * AllUsers then. */
	bool grants;
	bool ignore_public; /* of grants: AllUsers and AuthenticatedUsers are nobody */
};
/* Of the rights asked for, those that the first entry about the caller which names them allows, and
 * those that it denies. What is neither is not granted, except where a rule of authorize.c says
 * otherwise. */
struct gml_acl_answer {
	uint32_t allowed, denied;
};
/* CORRUPT: `encoded` is no ACL; nothing is allowed then. */
int gml_acl_ask(struct gml_span encoded, const struct gml_acl_question *question,
		struct gml_acl_answer *out);
/* Does an entry allow one of `rights` to anybody? False for what is no ACL. */
bool gml_acl_allows_any(struct gml_span encoded, uint32_t rights);

/* ---- ACLs and modes (6.3, 6.4) --------------------------------------------------------------- */
/* The rights that stand for bits of one class of a mode: 4 read, 2 write, 1 execute. */
uint32_t gml_acl_rights_of(unsigned bits, bool directory);
/* The mode that the ACL gives (6.3.2). */
uint32_t gml_acl_mode(const struct gml_acl *acl);
/* The ACL that says what the mode says (6.4.2), for inodes without ACL. */
void gml_acl_of_mode(uint32_t mode, bool directory, struct gml_acl *out);
/* Is it exactly that ACL? Then the mode alone says the same. */
bool gml_acl_says_mode(const struct gml_acl *acl, bool directory);
/* chmod of an inode with an ACL (6.4.1.1). Afterwards gml_acl_mode is `mode`; what other callers
 * are allowed is reduced to the bits of the group, and for AUTHENTICATED and ANONYMOUS to those of
 * others as well; entries that are only inherited stay as they are. The same mode once more changes
 * nothing more. `out` may not be `acl`. */
void gml_acl_chmod(const struct gml_acl *acl, uint32_t mode, bool directory, struct gml_acl *out);

/* The mode that a new inode is asked to have. */
struct gml_new_mode {
	uint32_t mode;
	uint32_t umask;
	/* The umask came apart from the mode (RFC 8275), or the caller asked for no mode: what is
	 * inherited counts, the umask does not, and the mode is an upper bound of it. Otherwise the
	 * mode is applied to what is inherited (6.4.3). */
	bool has_umask;
};
/* What inodes have that S3 makes, and those that a client asks no mode for. */
#define GML_NEW_FILE_MODE ((struct gml_new_mode){0666, 0022, true})
#define GML_NEW_DIRECTORY_MODE ((struct gml_new_mode){0777, 0022, true})

/* The ACL of a new inode in a directory with this ACL, before gml_acl_says_mode. False: nothing is
 * inherited; *out is undefined, and the inode has mode & ~umask. `out` may not be `dir`. */
bool gml_acl_inherit(const struct gml_acl *dir, const struct gml_new_mode *mode, bool directory,
		     struct gml_acl *out);

#endif
