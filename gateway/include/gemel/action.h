// SPDX-License-Identifier: Apache-2.0
/* Actions: one row for each kind of decision, with its name in policies and the right that grants
 * it today. gml_authorize (gateway/iam/authorize.h) answers every row. */
#ifndef GEMEL_ACTION_H
#define GEMEL_ACTION_H

#include <stdbool.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* GML_ACTION(id, action, rule, bits)
 *
 * action: S3's or IAM's name; gemel:… only where they have none. Several rows may have one action:
 *   OPEN and READ are both s3:GetObject, but the mode bits treat them differently.
 * rule and bits: the right that grants it today, as gateway/iam/authorize.c applies it.
 *   MODE    all of `bits` in the mode of the inode, for the caller's class
 *   ANY     one of `bits`
 *   IO      one of `bits`, or the caller owns the inode: an open file stays usable for its owner
 *   OWNER   the caller owns the inode; else PERM
 *   CHOWN   the caller owns the inode and may set the requested uid and gid; else PERM
 *   NAME    w and x on the directory and, if the name exists, the sticky bit's rule (PERM)
 *   CHILD   `bits` on the directory: to remove some name of it
 *   SHOWN   only the path to it, unless the inode has an ACL
 *   REACH   only the path to it
 *   SEEN    the bucket's owner, an administrator, or r or x on its root
 *   MINE    the bucket's owner or an administrator; not root
 *   BUCKET  the bucket's owner, an administrator or root
 *   UPLOAD  the uid that began the upload, the bucket's owner, or root
 *   CREATE  a user that may make buckets, an administrator or root
 *   ADMIN   an administrator; else PERM
 *   ROOT    root; else PERM
 * Bits: R 4, W 2, X 1; C 8: changes something: ROFS where changes are forbidden.
 * An inode with an ACL is asked for rights (gemel/acl.h) instead of mode bits: READ_DATA,
 *   WRITE_DATA and EXECUTE, or the rights that authorize.c names for the action.
 *
 * Where a row refuses a request of S3, grants may allow it (gateway/iam/grant.h). Besides policies
 * they alone allow something to anonymous callers.
 *
 * Of a directory, s3:GetObject is s3:ListBucket (gml_action_name). */
#define GML_ACTIONS(GML_ACTION)                                                                    \
	/* objects, by key */                                                                      \
	GML_ACTION(FIND_OBJECT, "s3:ListBucket", REACH, 0) /* facts; another row decides more */   \
	GML_ACTION(GET_OBJECT, "s3:GetObject", MODE, 4)                                            \
	GML_ACTION(GET_OBJECT_ATTRIBUTES, "s3:GetObjectAttributes", MODE, 4)                       \
	GML_ACTION(GET_OBJECT_ACL, "s3:GetObjectAcl", SHOWN, 0)                                    \
	GML_ACTION(GET_OBJECT_TAGGING, "s3:GetObjectTagging", MODE, 4)                             \
	GML_ACTION(PUT_OBJECT, "s3:PutObject", NAME, 8)                                            \
	GML_ACTION(STATE_ACL, "s3:PutObjectAcl", NAME, 8)	  /* of a new object */            \
	GML_ACTION(STATE_TAGGING, "s3:PutObjectTagging", NAME, 8) /* of a new object */            \
	GML_ACTION(PUT_OBJECT_ACL, "s3:PutObjectAcl", OWNER, 8)                                    \
	GML_ACTION(PUT_OBJECT_TAGGING, "s3:PutObjectTagging", MODE, 8 | 2)                         \
	GML_ACTION(DELETE_OBJECT_TAGGING, "s3:DeleteObjectTagging", MODE, 8 | 2)                   \
	GML_ACTION(DELETE_OBJECT, "s3:DeleteObject", NAME, 8)                                      \
	GML_ACTION(LIST_OBJECTS, "s3:ListBucket", MODE, 4 | 1)                                     \
	GML_ACTION(LIST_VERSIONS, "s3:ListBucketVersions", MODE, 4 | 1)                            \
	GML_ACTION(KNOW_MISSING, "s3:ListBucket", MODE, 4) /* 404 rather than 403 */               \
	/* uploads */                                                                              \
	GML_ACTION(UPLOAD_PART, "s3:PutObject", UPLOAD, 8)                                         \
	GML_ACTION(COMPLETE_UPLOAD, "s3:PutObject", UPLOAD, 8)                                     \
	GML_ACTION(ABORT_UPLOAD, "s3:AbortMultipartUpload", UPLOAD, 8)                             \
	GML_ACTION(LIST_PARTS, "s3:ListMultipartUploadParts", UPLOAD, 0)                           \
	GML_ACTION(LIST_UPLOADS, "s3:ListBucketMultipartUploads", MODE, 4 | 1)                     \
	GML_ACTION(SEE_UPLOAD, "s3:ListBucketMultipartUploads", UPLOAD, 0)                         \
	/* buckets */                                                                              \
	GML_ACTION(CREATE_BUCKET, "s3:CreateBucket", CREATE, 8)                                    \
	GML_ACTION(DELETE_BUCKET, "s3:DeleteBucket", BUCKET, 8)                                    \
	GML_ACTION(ASK_BUCKETS, "s3:ListAllMyBuckets", REACH, 0) /* which there are */             \
	GML_ACTION(LIST_BUCKETS, "s3:ListAllMyBuckets", MINE, 0)                                   \
	GML_ACTION(SHOW_BUCKET, "s3:ListAllMyBuckets", SEEN, 0) /* in READDIR of the root */       \
	GML_ACTION(HEAD_BUCKET, "s3:ListBucket", SEEN, 0)                                          \
	GML_ACTION(GET_BUCKET_TAGGING, "s3:GetBucketTagging", SEEN, 0)                             \
	GML_ACTION(GET_BUCKET_ACL, "s3:GetBucketAcl", BUCKET, 0)                                   \
	GML_ACTION(GET_BUCKET_LOCATION, "s3:GetBucketLocation", SEEN, 0)                           \
	GML_ACTION(GET_BUCKET_VERSIONING, "s3:GetBucketVersioning", SEEN, 0)                       \
	GML_ACTION(GET_BUCKET_LOCK, "s3:GetBucketObjectLockConfiguration", SEEN, 0)                \
	GML_ACTION(GET_BUCKET_CORS, "s3:GetBucketCORS", SEEN, 0)                                   \
	GML_ACTION(GET_BUCKET_ENCRYPTION, "s3:GetEncryptionConfiguration", SEEN, 0)                \
	GML_ACTION(GET_BUCKET_LIFECYCLE, "s3:GetLifecycleConfiguration", SEEN, 0)                  \
	GML_ACTION(GET_BUCKET_LOGGING, "s3:GetBucketLogging", SEEN, 0)                             \
	GML_ACTION(GET_BUCKET_NOTIFICATION, "s3:GetBucketNotification", SEEN, 0)                   \
	GML_ACTION(GET_BUCKET_REPLICATION, "s3:GetReplicationConfiguration", SEEN, 0)              \
	GML_ACTION(GET_BUCKET_PAYMENT, "s3:GetBucketRequestPayment", SEEN, 0)                      \
	GML_ACTION(GET_BUCKET_WEBSITE, "s3:GetBucketWebsite", SEEN, 0)                             \
	GML_ACTION(GET_BUCKET_ACCELERATE, "s3:GetAccelerateConfiguration", SEEN, 0)                \
	GML_ACTION(GET_BUCKET_ANALYTICS, "s3:GetAnalyticsConfiguration", SEEN, 0)                  \
	GML_ACTION(GET_BUCKET_TIERING, "s3:GetIntelligentTieringConfiguration", SEEN, 0)           \
	GML_ACTION(GET_BUCKET_INVENTORY, "s3:GetInventoryConfiguration", SEEN, 0)                  \
	GML_ACTION(GET_BUCKET_METRICS, "s3:GetMetricsConfiguration", SEEN, 0)                      \
	GML_ACTION(PUT_BUCKET_TAGGING, "s3:PutBucketTagging", BUCKET, 8)                           \
	GML_ACTION(PUT_BUCKET_ACL, "s3:PutBucketAcl", BUCKET, 8)                                   \
	GML_ACTION(PUT_BUCKET_CORS, "s3:PutBucketCORS", BUCKET, 8)                                 \
	GML_ACTION(PUT_BUCKET_ENCRYPTION, "s3:PutEncryptionConfiguration", BUCKET, 8)              \
	GML_ACTION(PUT_BUCKET_LIFECYCLE, "s3:PutLifecycleConfiguration", BUCKET, 8)                \
	GML_ACTION(PUT_BUCKET_LOGGING, "s3:PutBucketLogging", BUCKET, 8)                           \
	GML_ACTION(PUT_BUCKET_NOTIFICATION, "s3:PutBucketNotification", BUCKET, 8)                 \
	GML_ACTION(PUT_BUCKET_OWNERSHIP, "s3:PutBucketOwnershipControls", BUCKET, 8)               \
	GML_ACTION(GET_BUCKET_POLICY, "s3:GetBucketPolicy", BUCKET, 0)                             \
	GML_ACTION(GET_BUCKET_POLICY_STATUS, "s3:GetBucketPolicyStatus", BUCKET, 0)                \
	GML_ACTION(PUT_BUCKET_POLICY, "s3:PutBucketPolicy", BUCKET, 8)                             \
	GML_ACTION(GET_BUCKET_PUBLIC_ACCESS, "s3:GetBucketPublicAccessBlock", BUCKET, 0)           \
	GML_ACTION(GET_BUCKET_OWNERSHIP, "s3:GetBucketOwnershipControls", BUCKET, 0)               \
	GML_ACTION(DELETE_BUCKET_POLICY, "s3:DeleteBucketPolicy", BUCKET, 8)                       \
	GML_ACTION(PUT_BUCKET_PUBLIC_ACCESS, "s3:PutBucketPublicAccessBlock", BUCKET, 8)           \
	GML_ACTION(PUT_BUCKET_REPLICATION, "s3:PutReplicationConfiguration", BUCKET, 8)            \
	GML_ACTION(PUT_BUCKET_PAYMENT, "s3:PutBucketRequestPayment", BUCKET, 8)                    \
	GML_ACTION(DELETE_BUCKET_WEBSITE, "s3:DeleteBucketWebsite", BUCKET, 8)                     \
	GML_ACTION(PUT_BUCKET_ANALYTICS, "s3:PutAnalyticsConfiguration", BUCKET, 8)                \
	GML_ACTION(PUT_BUCKET_TIERING, "s3:PutIntelligentTieringConfiguration", BUCKET, 8)         \
	GML_ACTION(PUT_BUCKET_INVENTORY, "s3:PutInventoryConfiguration", BUCKET, 8)                \
	GML_ACTION(PUT_BUCKET_METRICS, "s3:PutMetricsConfiguration", BUCKET, 8)                    \
	GML_ACTION(SET_QUOTA, "gemel:PutBucketQuota", ADMIN, 8)                                    \
	GML_ACTION(SET_RELAXED, "gemel:PutBucketDurability", ADMIN, 8)                             \
	GML_ACTION(SET_ACCESS, "gemel:PutBucketAccess", ADMIN, 8)                                  \
	/* names, over NFS */                                                                      \
	GML_ACTION(LOOKUP, "s3:ListBucket", MODE, 1) /* LOOKUPP as well */                         \
	GML_ACTION(READDIR, "s3:ListBucket", MODE, 4)                                              \
	GML_ACTION(KNOW_NAME, "s3:ListBucket", REACH, 0) /* that it denotes nothing */             \
	GML_ACTION(CREATE, "s3:PutObject", NAME, 8)	 /* OPEN that creates, mknod, symlink */   \
	GML_ACTION(MAKE_DIRECTORY, "s3:PutObject", NAME, 8)                                        \
	GML_ACTION(MAKE_DEVICE, "gemel:MakeDevice", ROOT, 8)                                       \
	GML_ACTION(LINK, "s3:PutObject", NAME, 8)                                                  \
	GML_ACTION(REMOVE, "s3:DeleteObject", NAME, 8)                                             \
	GML_ACTION(RENAME_FROM, "s3:DeleteObject", NAME, 8)                                        \
	GML_ACTION(RENAME_TO, "s3:PutObject", NAME, 8)                                             \
	GML_ACTION(RENAME_OVER, "s3:DeleteObject", NAME, 8)                                        \
	GML_ACTION(MOVE_DIRECTORY, "s3:DeleteObject", MODE, 8 | 2) /* its ".." changes */          \
	/* inodes, over NFS */                                                                     \
	GML_ACTION(GETATTR, "s3:GetObject", REACH, 0)                                              \
	GML_ACTION(READLINK, "s3:GetObject", REACH, 0)                                             \
	GML_ACTION(ACCESS_READ, "s3:GetObject", MODE, 4)                                           \
	GML_ACTION(ACCESS_WRITE, "s3:PutObject", MODE, 2)                                          \
	GML_ACTION(ACCESS_EXTEND, "s3:PutObject", ANY, 2)                                          \
	GML_ACTION(ACCESS_DELETE, "s3:DeleteObject", CHILD, 2)                                     \
	GML_ACTION(ACCESS_EXECUTE, "s3:GetObject", MODE, 1)                                        \
	GML_ACTION(SET_MODE, "s3:PutObjectAcl", OWNER, 8)                                          \
	GML_ACTION(GET_ACL, "s3:GetObjectAcl", SHOWN, 0)                                           \
	GML_ACTION(SET_ACL, "s3:PutObjectAcl", OWNER, 8)                                           \
	GML_ACTION(SET_OWNER, "gemel:Chown", CHOWN, 8)                                             \
	GML_ACTION(SET_TIMES, "s3:PutObject", OWNER, 8)                                            \
	GML_ACTION(SET_TIMES_NOW, "s3:PutObject", IO, 8 | 2)                                       \
	GML_ACTION(SET_SIZE, "s3:PutObject", IO, 8 | 2)                                            \
	GML_ACTION(GET_XATTR, "s3:GetObject", MODE, 4)                                             \
	GML_ACTION(SET_XATTR, "s3:PutObject", MODE, 8 | 2)                                         \
	/* files, over NFS */                                                                      \
	GML_ACTION(OPEN_READ, "s3:GetObject", ANY, 4 | 1) /* RFC 8881 18.16.3: or to execute it */ \
	GML_ACTION(OPEN_WRITE, "s3:PutObject", ANY, 8 | 2)                                         \
	GML_ACTION(OPEN_UPDATE, "s3:GetObject", MODE, 4)    /* an OPEN for both reads as well */   \
	GML_ACTION(OPEN_EMPTY, "s3:PutObject", MODE, 8 | 2) /* the truncation in an OPEN */        \
	GML_ACTION(READ, "s3:GetObject", IO, 4 | 1)                                                \
	GML_ACTION(SEEK, "s3:GetObject", IO, 4)                                                    \
	GML_ACTION(WRITE, "s3:PutObject", IO, 8 | 2)  /* ALLOCATE and DEALLOCATE as well */        \
	GML_ACTION(APPEND, "s3:PutObject", IO, 8 | 2) /* WRITE behind the end */                   \
	GML_ACTION(COMMIT, "s3:PutObject", REACH, 0)                                               \
	/* administration */                                                                       \
	GML_ACTION(CREATE_USER, "iam:CreateUser", ADMIN, 8)                                        \
	GML_ACTION(UPDATE_USER, "iam:UpdateUser", ADMIN, 8)                                        \
	GML_ACTION(DELETE_USER, "iam:DeleteUser", ADMIN, 8)                                        \
	GML_ACTION(CREATE_KEY, "iam:CreateAccessKey", ADMIN, 8)                                    \
	GML_ACTION(UPDATE_KEY, "iam:UpdateAccessKey", ADMIN, 8)                                    \
	GML_ACTION(DELETE_KEY, "iam:DeleteAccessKey", ADMIN, 8)                                    \
	GML_ACTION(CREATE_GROUP, "iam:CreateGroup", ADMIN, 8)                                      \
	GML_ACTION(DELETE_GROUP, "iam:DeleteGroup", ADMIN, 8)                                      \
	GML_ACTION(ADD_TO_GROUP, "iam:AddUserToGroup", ADMIN, 8)                                   \
	GML_ACTION(REMOVE_FROM_GROUP, "iam:RemoveUserFromGroup", ADMIN, 8)                         \
	GML_ACTION(CREATE_ROLE, "iam:CreateRole", ADMIN, 8)                                        \
	GML_ACTION(UPDATE_ROLE, "iam:UpdateRole", ADMIN, 8)                                        \
	GML_ACTION(DELETE_ROLE, "iam:DeleteRole", ADMIN, 8)                                        \
	GML_ACTION(TAG_USER, "iam:TagUser", ADMIN, 8)                                              \
	GML_ACTION(UNTAG_USER, "iam:UntagUser", ADMIN, 8)                                          \
	GML_ACTION(TAG_ROLE, "iam:TagRole", ADMIN, 8)                                              \
	GML_ACTION(UNTAG_ROLE, "iam:UntagRole", ADMIN, 8)                                          \
	GML_ACTION(PUT_POLICY, "iam:CreatePolicy", ADMIN, 8)                                       \
	GML_ACTION(DELETE_POLICY, "iam:DeletePolicy", ADMIN, 8)                                    \
	GML_ACTION(ATTACH_USER_POLICY, "iam:AttachUserPolicy", ADMIN, 8)                           \
	GML_ACTION(DETACH_USER_POLICY, "iam:DetachUserPolicy", ADMIN, 8)                           \
	GML_ACTION(PUT_USER_POLICY, "iam:PutUserPolicy", ADMIN, 8)                                 \
	GML_ACTION(DELETE_USER_POLICY, "iam:DeleteUserPolicy", ADMIN, 8)                           \
	GML_ACTION(PUT_USER_BOUNDARY, "iam:PutUserPermissionsBoundary", ADMIN, 8)                  \
	GML_ACTION(DELETE_USER_BOUNDARY, "iam:DeleteUserPermissionsBoundary", ADMIN, 8)            \
	GML_ACTION(ATTACH_GROUP_POLICY, "iam:AttachGroupPolicy", ADMIN, 8)                         \
	GML_ACTION(DETACH_GROUP_POLICY, "iam:DetachGroupPolicy", ADMIN, 8)                         \
	GML_ACTION(PUT_GROUP_POLICY, "iam:PutGroupPolicy", ADMIN, 8)                               \
	GML_ACTION(DELETE_GROUP_POLICY, "iam:DeleteGroupPolicy", ADMIN, 8)                         \
	GML_ACTION(ATTACH_ROLE_POLICY, "iam:AttachRolePolicy", ADMIN, 8)                           \
	GML_ACTION(DETACH_ROLE_POLICY, "iam:DetachRolePolicy", ADMIN, 8)                           \
	GML_ACTION(PUT_ROLE_POLICY, "iam:PutRolePolicy", ADMIN, 8)                                 \
	GML_ACTION(DELETE_ROLE_POLICY, "iam:DeleteRolePolicy", ADMIN, 8)                           \
	GML_ACTION(PUT_ROLE_BOUNDARY, "iam:PutRolePermissionsBoundary", ADMIN, 8)                  \
	GML_ACTION(DELETE_ROLE_BOUNDARY, "iam:DeleteRolePermissionsBoundary", ADMIN, 8)            \
	GML_ACTION(PUT_ROLE_TRUST, "iam:UpdateAssumeRolePolicy", ADMIN, 8)                         \
	GML_ACTION(PUT_ACCOUNT_PUBLIC_ACCESS, "s3:PutAccountPublicAccessBlock", ADMIN, 8)

#define GML_ACTION_ENUM(id, action, rule, bits) GML_ACTION_##id,
enum gml_action { GML_ACTION_NONE, GML_ACTIONS(GML_ACTION_ENUM) GML_ACTION_COUNT };
#undef GML_ACTION_ENUM

/* The name that a policy knows the action by, of a directory or of anything else; "" for what is no
 * action. Static.
 * Errors: none. Threads: any. Blocks: no. Durable: n/a. On failure: n/a. */
const char *gml_action_name(enum gml_action action, bool directory);

GML_API_END

#endif
