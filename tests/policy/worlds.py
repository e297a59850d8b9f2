# SPDX-License-Identifier: Apache-2.0
"""Random worlds for decision.py: two buckets of one tree, callers of every kind, modes, ACLs and policies.

`Worlds(seed).world()` returns (World, {name: Who}); `questions` are all that may be asked of one. Names and policies are
such that a store can be set up so, and be asked over S3 and through a mount."""
import json
import random

from decision import (ACCOUNT, APPEND_DATA, DELETE, DELETE_CHILD, EXECUTE, READ_ACL, READ_ATTRIBUTES, READ_DATA, WRITE_ACL, WRITE_DATA, Bucket, Entry,
                      Inode, Who, World)

TREE = ("", "pub/", "pub/f", "pub/g", "own/", "own/f", "own/deep/", "own/deep/g", "team/", "team/f", "tmp/", "tmp/f")
NEW = ("pub/new", "own/new", "tmp/new", "own/deep/new")
UIDS = {"ann": 1001, "bob": 1002, "eve": 1003}
GROUPS = (50, 60)
MODES = {True: (0o755, 0o755, 0o700, 0o750, 0o770, 0o711, 0o1777, 0o555), False: (0o644, 0o644, 0o600, 0o640, 0o660, 0o666, 0o444, 0o000)}
MASKS = (READ_DATA, READ_DATA | EXECUTE, WRITE_DATA | APPEND_DATA, EXECUTE, DELETE, DELETE_CHILD, READ_ACL | READ_ATTRIBUTES, WRITE_ACL,
         READ_DATA | WRITE_DATA | APPEND_DATA | EXECUTE)
ACTIONS = ("*", "s3:*", "s3:Get*", "s3:GetObject", "s3:Put*", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", ["s3:GetObject", "s3:ListBucket"],
           ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "s3:*Tagging", "s3:*Acl")
ONE_PATH = ("read", "write", "put", "delete", "stat", "list", "chmod", "get_acl", "get_tags", "put_tags", "mkdir", "create")
TWO_PATHS = ("rename", "link", "copy")
OF_DIRECTORIES = {"list": (True,), "stat": (True, False), "delete": (True, False), "chmod": (True, False), "get_acl": (True, False), "rename": (True, False)}
OF_NEW = ("put", "create", "mkdir")


class Worlds:
    def __init__(self, seed, buckets=("b", "c")):
        """BUCKETS: their names; the second demands both."""
        self.random = random.Random(seed)
        self.buckets = buckets
        self.mostly_first = (buckets[0], *buckets)

    def chance(self, share):
        return self.random.random() < share

    def pick(self, choices):
        return self.random.choice(choices)

    def acl(self):
        who = ("OWNER@", "GROUP@", "EVERYONE@", "AUTHENTICATED@", "user:1002", "user:1003", "group:50", "group:60")
        found = [Entry(self.chance(0.7), self.pick(who), self.pick(MASKS), self.chance(0.1)) for _ in range(self.random.randrange(1, 5))]
        return found + [Entry(True, "EVERYONE@", READ_ATTRIBUTES | READ_ACL)]

    def inode(self, directory):
        return Inode(self.pick((1001, 1001, 1002)), self.pick((1001, *GROUPS)), self.pick(MODES[directory]), directory,
                     self.acl() if self.chance(0.25) else None, {} if directory or self.chance(0.5) else {"class": self.pick(("red", "blue"))})

    def resource(self, bucket):
        path = self.pick(TREE)
        return f"arn:aws:s3:::{bucket}" + self.pick(("*", "/*", "/" + path, f"/{path}*", "/" + path[:1] + "*", "/*/" + path[-1:], "/own/*", "/${aws:username}/*"))

    def statement(self, bucket, allow):
        found = {"Effect": "Allow" if self.chance(allow) else "Deny", "Action": self.pick(ACTIONS)}
        name = "NotResource" if self.chance(0.07) else "Resource"
        found[name] = [*(f"arn:aws:s3:::{bucket}" for _ in range(self.chance(0.7))), *(self.resource(bucket) for _ in range(self.pick((1, 1, 2))))] if self.chance(0.8) else "*"
        if self.chance(0.3):
            found["Condition"] = self.pick((
                {"StringLike": {"s3:prefix": [self.pick(TREE) + self.pick(("", "*"))]}}, {"StringEqualsIfExists": {"s3:ExistingObjectTag/class": "red"}},
                {"StringEquals": {"s3:ExistingObjectTag/class": "red"}}, {"IpAddress": {"aws:SourceIp": self.pick(("127.0.0.0/8", "192.0.2.0/24", "10.0.0.0/8"))}},
                {"StringNotEquals": {"aws:username": self.pick(("ann", "bob"))}}))
        return found

    def policy(self, allow, bucket=None):
        """The text of a policy; that of BUCKET names principals, and a resource that each action may be done to."""
        statements = [self.statement(bucket or self.pick(self.mostly_first), allow) for _ in range(self.pick((1, 1, 2, 3)))]
        arn = f"arn:aws:iam::{ACCOUNT}:"
        for statement in statements if bucket else ():
            statement["Principal"] = self.pick(("*", {"AWS": arn + "user/bob"}, {"AWS": [arn + "user/bob", arn + "user/eve"]}, {"AWS": arn + "role/job"}))
            if "Resource" in statement:
                statement["Resource"] = [f"arn:aws:s3:::{bucket}/*"] if statement["Resource"] == "*" else statement["Resource"]
                statement["Resource"] += [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/zz"]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    def callers(self):
        found = {"anonymous": Who(anonymous=True), "guest": Who(uid=1004, gid=60), "root": Who(uid=0, gid=0, root=True),
                 "session": Who(uid=1002, gid=1002, arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/job/run1")}
        for name, uid in UIDS.items():
            found[name] = Who(uid=uid, gid=uid, gids=frozenset({self.pick(GROUPS)} if self.chance(0.5) else ()), arn=f"arn:aws:iam::{ACCOUNT}:user/{name}",
                              disabled=self.chance(0.03))
        for who in found.values():
            if who.arn:
                who.policies += [("identity", self.policy(0.75)) for _ in range(self.pick((0, 1, 1, 2)))]
                who.policies += [("boundary", self.policy(0.9))] * self.chance(0.15)
        found["session"].policies += [("session", self.policy(0.9))] * self.chance(0.4)
        return found

    def world(self):
        first, second = self.buckets
        inodes = {f"{bucket}/{path}".rstrip("/"): self.inode(path.endswith("/") or not path) for bucket in self.buckets for path in TREE}
        if self.chance(0.5):
            inodes[f"{first}/pub/link"] = inodes[f"{first}/own/f"]
        buckets = {first: Bucket(inodes[first].uid, self.policy(0.7, first) if self.chance(0.6) else None),
                   second: Bucket(inodes[second].uid, self.policy(0.8, second) if self.chance(0.6) else None, both=True)}
        return World(buckets, inodes), self.callers()

    def question(self, where):
        """(verb, path, to) that makes sense in WHERE."""
        verb = self.pick(ONE_PATH + TWO_PATHS)
        bucket = self.pick(self.mostly_first)
        paths = [path for path, inode in where.inodes.items() if path.startswith(bucket + "/") and inode.directory in OF_DIRECTORIES.get(verb, (False,))]
        new = [f"{bucket}/{path}" for path in NEW]
        if verb in TWO_PATHS:
            path = self.pick(paths)
            return verb, path, self.pick([other for other in new if not other.startswith(path + "/")])
        return verb, self.pick(new + (paths if verb == "put" else []) if verb in OF_NEW else paths), None
