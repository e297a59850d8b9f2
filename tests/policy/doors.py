# SPDX-License-Identifier: Apache-2.0
"""Worlds of worlds.py, asked of a served store: over S3 with boto3, through a kernel mount (mount_agent.py), and of decision.py.

`Matrix(gemel, kernel, seed).round(cells)` sets a world up or changes it, asks about CELLS cells, and returns what disagrees. A cell
is a caller, a verb and one or two paths; it is asked at each door that has the verb."""
import dataclasses
import json
import random
import struct
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from botocore import UNSIGNED
from botocore.exceptions import ClientError

import decision
from worlds import MODES, Worlds

AGENT = Path(__file__).resolve().parent / "mount_agent.py"
EACCES, EPERM, ENOENT = 13, 1, 2
TARGET = "/mnt/matrix"
BOTH = ("read", "create", "mkdir", "delete", "list", "get_acl", "get_tags", "put_tags")
BY_S3 = (*BOTH, "put", "copy")
BY_NFS = (*BOTH, "write", "stat", "rmdir", "rename", "link", "symlink", "chmod", "get_xattr", "put_xattr")
NEW = ("create", "mkdir", "symlink")
TWO = ("rename", "link", "copy")
# What root is denied, who undoes what answers changed. Links and renames want s3:GetObject: where root lacks it, there are none.
LISTING = ("s3:ListBucket",)
READING = (["s3:GetObject", "s3:ListBucket"], "s3:Get*", "s3:GetObject", "s3:ListBucket")


class Cell(NamedTuple):
    who: str
    verb: str
    path: str
    to: str = None


class Remembering(decision.World):
    """Policies do not change while one round's questions are asked."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.memory = {}

    def remembered(self, name, who, *rest):
        key = (name, id(who), *rest[:-1])
        if key not in self.memory:
            self.memory[key] = getattr(super(), name)(who, *rest)
        return self.memory[key]

    def leads(self, who, path, context):
        return self.remembered("leads", who, path, context)

    def known(self, who, path, context):
        return self.remembered("known", who, path, context)

    def passes(self, who, directory, context):
        return self.remembered("passes", who, directory, context)


def acl_value(inode):
    """The ACL as the attribute has it (RFC 8881 6.2.1), but for what is only handed down: files that are made again would get it."""
    entries = [entry for entry in inode.acl if not entry.inherit_only]
    value = struct.pack(">I", len(entries))
    for entry in entries:
        kind, _, number = entry.who.partition(":")
        name = (number or kind).encode()
        flags = 0x40 if kind in ("group", "GROUP@") else 0
        value += struct.pack(">IIII", 0 if entry.allow else 1, flags, entry.mask, len(name)) + name + bytes(-len(name) % 4)
    return value.hex()


def spare_root(text, denied):
    """The policy without denials that root would need to be spared, but those of DENIED."""
    document = json.loads(text)
    for statement in document["Statement"]:
        if statement["Effect"] == "Deny" and statement["Action"] not in denied:
            names = statement.setdefault("Condition", {}).setdefault("StringNotEquals", {})
            listed = names.get("aws:username", [])
            names["aws:username"] = [*(listed if isinstance(listed, list) else [listed]), "demo"]
    return json.dumps(document)


class Person:
    """What the store knows of a user: its policies by where they are, its membership, its key."""

    def __init__(self, who):
        policies = [text for kind, text in who.policies if kind == "identity"]
        self.own = policies[0] if policies else None
        self.team = policies[1] if len(policies) > 1 else None
        self.boundary = next((text for kind, text in who.policies if kind == "boundary"), None)
        self.member, self.key, self.disabled = True, True, who.disabled
        self.gids = sorted(who.gids)

    def policies(self):
        found = [("identity", self.own)] if self.own else []
        found += [("identity", self.team)] if self.team and self.member else []
        return found + ([("boundary", self.boundary)] if self.boundary else [])


class Store:
    """Users and policies in the store: only what changed is set."""

    def __init__(self, gemel):
        self.gemel, self.set, self.clients, self.keys = gemel, {}, {}, {}
        self.endpoint = f"http://192.0.2.1:{gemel.s3_port}"
        self.clients["anonymous"] = gemel.s3(endpoint=self.endpoint, signature_version=UNSIGNED)
        self.clients["root"] = gemel.s3(endpoint=self.endpoint)

    def user(self, name, who):
        key = self.gemel.new_user(name, who.uid, who.gid)
        self.keys[name] = key[0]
        self.clients[name] = self.gemel.s3(*key, endpoint=self.endpoint)
        self.gemel.gemel("group", "create", f"team-{name}")
        self.gemel.gemel("group", "add", f"team-{name}", name)

    def changed(self, what, value):
        if self.set.get(what) == value:
            return False
        self.set[what] = value
        return True

    def put(self, what, text, *words):
        """A policy in its place, or away."""
        if not self.changed((what, *words), text):
            return
        if text is None:
            self.gemel.gemel("policy", "delete", *([what] if what else []), *words)
        else:
            self.gemel.gemel("policy", "put", *([what] if what else []), *words, "--file", "-", stdin=text)

    def person(self, name, person):
        user = "demo" if name == "root" else name
        self.put("own", person.own, "--user", user)
        if name == "root":
            return
        self.put("team", person.team, "--group", f"team-{name}")
        if self.changed((name, "member"), person.member) or (name, "was member") not in self.set:
            if (name, "was member") in self.set:
                self.gemel.gemel("group", "add" if person.member else "remove", f"team-{name}", name)
            self.set[name, "was member"] = True
        self.boundary(name, person.boundary)
        if self.changed((name, "gids"), person.gids):
            self.gemel.gemel("user", "update", name, "--groups", ",".join(map(str, person.gids)))
        if self.changed((name, "disabled"), person.disabled):
            self.gemel.gemel("user", "update", name, "--disable" if person.disabled else "--enable")
        if self.changed((name, "key"), person.key):
            self.gemel.gemel("key", "update", self.keys[name], "--enable" if person.key else "--disable")

    def boundary(self, name, text):
        if not self.changed((name, "boundary"), text):
            return
        if text is None:
            self.gemel.gemel("policy", "boundary", "--remove", "--user", name)
            return
        self.gemel.gemel("policy", "put", f"limits-{name}", "--file", "-", stdin=text)
        self.gemel.gemel("policy", "boundary", f"limits-{name}", "--user", name)


class Matrix:
    def __init__(self, gemel, kernel, seed, changes=3):
        """CHANGES rounds follow on each new world."""
        self.gemel, self.kernel, self.seed, self.changes = gemel, kernel, seed, changes
        self.store, self.number, self.left, self.fresh = Store(gemel), 0, 0, 0
        self.random = random.Random(seed)
        self.count = Counter()
        self.setup = []

    # ---- worlds

    def new_world(self):
        self.number += 1
        self.moves = self.random.random() < 0.6
        self.worlds = Worlds(self.random.getrandbits(32), (f"m{self.number}-b", f"m{self.number}-c"))
        where, callers = self.worlds.world()
        del callers["session"]
        if not self.moves:
            where.inodes.pop(f"m{self.number}-b/pub/link", None)
        for bucket in where.buckets.values():
            bucket.both = bucket.both and self.random.random() < 0.6
            bucket.policy = bucket.policy and self.spared(bucket.policy)
        self.where = where
        callers["root"] = dataclasses.replace(callers["root"], arn=f"arn:aws:iam::{decision.ACCOUNT}:user/demo",
                                              policies=[("identity", self.root_policy())] * (self.needs_all() or self.worlds.chance(0.5)))
        self.where, self.callers = where, callers
        self.people = {name: Person(who) for name, who in callers.items() if who.arn}
        if not self.store.keys:
            for name in self.people:
                if name != "root":
                    self.store.user(name, callers[name])
        for name, bucket in where.buckets.items():
            owner = next(other for other, who in callers.items() if who.uid == where.inodes[name].uid)
            self.gemel.gemel("bucket", "create", name, "--owner", owner)
            if bucket.both:
                self.gemel.gemel("bucket", "access", name, "both")
        self.setup, made = [], {}
        for path, inode in where.inodes.items():
            if id(inode) in made:
                self.setup.append(("link", made[id(inode)], path))
                continue
            made[id(inode)] = path
            self.setup += [("mkdir" if inode.directory else "file", path)] if "/" in path else []
        for path in made.values():
            self.setup += self.facts(path)

    def needs_all(self):
        """Where both are demanded root can undo nothing without an Allow."""
        return any(bucket.both for bucket in self.where.buckets.values())

    def root_policy(self):
        document = json.loads(self.spared(self.worlds.policy(0.7)))
        document["Statement"] += [{"Effect": "Allow", "Action": "*", "Resource": "*"}] * self.needs_all()
        return json.dumps(document)

    def spared(self, text):
        return spare_root(text, LISTING if self.moves else READING)

    def facts(self, path, tags=True):
        """What gives an inode its owner, mode, ACL and tags."""
        inode = self.where.inodes[path]
        found = [("own", path, inode.uid, inode.gid, inode.mode)]
        found += [("acl", path, acl_value(inode))] if inode.acl is not None else []
        return found + ([("tag", path, name, value) for name, value in inode.tags.items()] if tags else [])

    def change(self):
        """Tags, membership, policies, keys, users, modes, ACLs, names of directories, hard links."""
        self.setup = []
        possible = [self.change_policy, self.change_bucket, self.change_rights, self.change_user] + [self.change_directory, self.change_link] * self.moves
        for one in (self.change_tags, self.change_team, *self.random.sample(possible, 3)):
            one()

    def files(self):
        return [path for path, inode in self.where.inodes.items() if not inode.directory]

    def change_tags(self):
        for path in self.random.sample(self.files(), 4):
            tags = self.where.inodes[path].tags
            value = self.random.choice([one for one in ("red", "blue", None) if one != tags.get("class")])
            self.setup.append(("tag", path, "class", value))
            tags.pop("class", None)
            tags.update({"class": value} if value else {})

    def change_team(self):
        person = self.people[self.random.choice(sorted(set(self.people) - {"root"}))]
        person.member = not person.member

    def change_policy(self):
        person = self.people[self.random.choice(sorted(set(self.people) - {"root"}))]
        person.own = self.worlds.policy(0.75) if self.random.random() < 0.8 else None

    def change_bucket(self):
        bucket = self.random.choice(sorted(self.where.buckets))
        self.where.buckets[bucket].policy = self.spared(self.worlds.policy(0.7, bucket)) if self.random.random() < 0.8 else None

    def change_rights(self):
        for path in self.random.sample(sorted(self.where.inodes), 5):
            inode = self.where.inodes[path]
            if inode.acl is None and self.random.random() < 0.6:
                inode.mode = self.random.choice(MODES[inode.directory])
            else:
                inode.acl = self.worlds.acl()
            self.setup += self.facts(path, tags=False)

    def change_directory(self):
        """A directory moves into another one, or back."""
        bucket = self.random.choice(sorted(self.where.buckets))
        old, new = (f"{bucket}/own/deep", f"{bucket}/pub/deep") if f"{bucket}/own/deep" in self.where.inodes else (f"{bucket}/pub/deep", f"{bucket}/own/deep")
        self.setup.append(("rename", old, new))
        moved = {path: new + path[len(old):] for path in self.where.inodes if path == old or path.startswith(old + "/")}
        self.where.inodes = {moved.get(path, path): inode for path, inode in self.where.inodes.items()}

    def change_link(self):
        bucket = sorted(self.where.buckets)[0]
        path = f"{bucket}/pub/link"
        if path in self.where.inodes:
            del self.where.inodes[path]
            self.setup.append(("unlink", path))
        else:
            self.where.inodes[path] = self.where.inodes[f"{bucket}/own/f"]
            self.setup.append(("link", f"{bucket}/own/f", path))

    def change_user(self):
        person = self.people[self.random.choice(sorted(set(self.people) - {"root"}))]
        if self.random.random() < 0.5:
            person.key = not person.key
        else:
            person.disabled = not person.disabled

    def apply(self):
        for name, person in self.people.items():
            self.store.person(name, person)
            self.callers[name] = dataclasses.replace(self.callers[name], policies=person.policies(), disabled=person.disabled)
        for name, bucket in self.where.buckets.items():
            self.store.put("", bucket.policy, "--bucket", name)

    # ---- cells

    def cells(self):
        """All that can be asked."""
        files = self.files()
        folders = [path for path, inode in self.where.inodes.items() if inode.directory]
        inner = [path for path in folders if "/" in path]
        over = {"list": folders, "stat": files + inner, "rmdir": [one for one in inner if any(path.startswith(one + "/") for path in self.where.inodes)],
                "chmod": [path for path in files + inner if self.where.inodes[path].acl is None], "get_acl": files}
        for who in self.callers:
            for verb in dict.fromkeys(BY_S3 + BY_NFS):
                if verb in NEW:
                    yield from (Cell(who, verb, self.new(folder)) for folder in folders)
                elif verb in TWO and (self.moves or verb == "copy"):
                    for path in files + (inner if verb == "rename" else []):
                        places = [folder for folder in folders if folder.partition("/")[0] == path.partition("/")[0] and not (folder + "/").startswith(path + "/")]
                        yield Cell(who, verb, path, self.new(self.random.choice(places)))
                elif verb not in TWO:
                    yield from (Cell(who, verb, path) for path in over.get(verb, files))

    def new(self, folder):
        self.fresh += 1
        return f"{folder}/new{self.fresh}"

    def chosen(self, cells):
        found = list(self.cells())
        return self.random.sample(found, min(cells, len(found)))

    # ---- what is expected

    def by_s3(self, where, cell):
        person = self.people.get(cell.who)
        if person is not None and not person.key:
            return False
        verb = {"list": "list_keys"}.get(cell.verb, cell.verb)
        return where.may(self.callers[cell.who], verb, cell.path, cell.to, {"aws:SourceIp": ["192.0.2.1"]}).granted

    def by_nfs(self, where, cell):
        context, who = {"aws:SourceIp": ["192.0.2.2"]}, self.callers[cell.who]
        if who.disabled or not where.way(who, cell.path, context) or cell.to is not None and not where.way(who, cell.to, context):
            return False
        if cell.verb == "list":
            names = where.readdir(who, cell.path, context)
            return False if names is None else sorted(name.rpartition("/")[2] for name in names)
        if cell.verb in ("delete", "rmdir", "rename") and self.is_sticky(where, who, cell.path):
            return False
        # Linux asks for r or w of a file before it asks for its attributes.
        verbs = {"get_tags": ("read", "get_tags"), "put_tags": ("write", "put_tags"), "get_xattr": ("read",), "put_xattr": ("write",), "symlink": ("create",),
                 "rmdir": ("delete",)}.get(cell.verb, (cell.verb,))
        return all(where.may(who, verb, cell.path, cell.to, context).granted for verb in verbs)

    @staticmethod
    def is_sticky(where, who, path):
        """Linux refuses by itself, whatever the server allows."""
        directory, inode = where.inodes[path.rpartition("/")[0]], where.inodes[path]
        return directory.mode & 0o1000 and who.uid not in (0, directory.uid, inode.uid)

    # ---- asking

    def undo(self, cell):
        if cell.verb in ("create", "symlink"):
            return [("unlink", cell.path)]
        if cell.verb == "mkdir":
            return [("rmdir", cell.path)]
        if cell.verb == "rename":
            return [("rename", cell.to, cell.path)]
        if cell.verb == "link":
            return [("unlink", cell.to)]
        if cell.verb == "put_tags":
            return [("tag", cell.path, "probe", None)]
        if cell.verb == "put_xattr":
            return []
        if cell.verb == "delete":
            others = [path for path in self.where.paths_of(cell.path) if path != cell.path]
            return [("link", others[0], cell.path)] if others else [("file", cell.path), *self.facts(cell.path)]
        return []

    def ask_mount(self, cells):
        callers = {name: (f"{TARGET}-{name}", (who.uid, who.gid, sorted(who.gids))) for name, who in self.callers.items() if name != "anonymous"}
        job = {"base": f"{TARGET}-undo", "setup": self.setup, "callers": callers,
               "questions": [(cell.who, cell.verb, cell.path, cell.to, self.undo(cell)) for cell in cells]}
        where = self.gemel.home / "matrix-job.json", self.gemel.home / "matrix-answers.json"
        where[0].write_text(json.dumps(job))
        hard = "/proc/sys/fs/protected_hardlinks"  # the client's own rule
        before = self.kernel.run(f"cat {hard}; echo 0 > {hard}").text.strip()
        # A client shows all its users the ACL and the attributes that it has read for one of them: each gets a mount of its own.
        places = [f"{TARGET}-undo", *(place for place, _ in callers.values())]
        try:
            for place in places:
                self.kernel.mount(self.gemel.nfs_port, "/", target=place, options="noac,lookupcache=none,nosharecache")
            self.kernel.run(f"/usr/bin/python3 {AGENT} {where[0]} {where[1]}", timeout=1200)
        finally:
            self.kernel.run(f"echo {before} > {hard}")
            for place in places:
                self.kernel.umount(place)
        answers = json.loads(where[1].read_text())
        for cell, answer in zip(cells, answers):
            assert isinstance(answer, list) or answer in (0, EACCES, EPERM, ENOENT), (cell, answer)
        return [answer if isinstance(answer, list) else answer == 0 for answer in answers]

    def ask_s3(self, cell):
        bucket, _, key = cell.path.partition("/")
        place = {"Bucket": bucket, "Key": key}
        client = self.store.clients[cell.who]
        tags = [{"Key": name, "Value": value} for name, value in (self.where.inodes[cell.path].tags if cell.path in self.where.inodes else {}).items()]
        calls = {
            "read": lambda: client.get_object(**place)["Body"].read(), "put": lambda: client.put_object(**place, Body=b"", IfMatch='"0"'),
            "create": lambda: client.put_object(**place, Body=b""), "mkdir": lambda: client.put_object(Bucket=bucket, Key=key + "/", Body=b""),
            "delete": lambda: client.delete_object(**place, IfMatch='"0"'), "get_acl": lambda: client.get_object_acl(**place),
            "list": lambda: client.list_objects_v2(Bucket=bucket, Prefix=key + "/" if key else "", Delimiter="/"),
            "get_tags": lambda: client.get_object_tagging(**place), "put_tags": lambda: client.put_object_tagging(**place, Tagging={"TagSet": tags}),
            "copy": lambda: client.copy_object(Bucket=cell.to.partition("/")[0], Key=cell.to.partition("/")[2], CopySource=cell.path),
        }
        try:
            calls[cell.verb]()
            assert cell.verb not in ("put", "delete"), (cell, "a condition that does not hold was not looked at")
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 412:
                return True
            assert status == 403, (cell, error)
            return False
        made = {"create": cell.path, "mkdir": cell.path + "/", "copy": cell.to}.get(cell.verb)
        if made:
            self.store.clients["root"].delete_object(Bucket=made.partition("/")[0], Key=made.partition("/")[2])
        return True

    def round(self, cells):
        """Asks about CELLS cells of a new or changed world; a text for each answer that is not as expected."""
        if self.left == 0:
            self.new_world()
            self.left = self.changes
        else:
            self.change()
            self.left -= 1
        self.apply()
        asked = self.chosen(cells)
        by_nfs = [cell for cell in asked if cell.verb in BY_NFS and cell.who != "anonymous"]
        by_s3 = [cell for cell in asked if cell.verb in BY_S3 and cell.who != "guest"]
        said = {("nfs", cell): answer for cell, answer in zip(by_nfs, self.ask_mount(by_nfs))}
        with ThreadPoolExecutor(8) as pool:
            said.update({("s3", cell): answer for cell, answer in zip(by_s3, pool.map(self.ask_s3, by_s3))})
        return self.compare(asked, said)

    def compare(self, asked, said):
        doors = {"nfs": (Remembering(self.where.buckets, self.where.inodes, True), self.by_nfs), "s3": (Remembering(self.where.buckets, self.where.inodes), self.by_s3)}
        wrong = []
        for cell in asked:
            answers = {}
            for door, (where, expected) in doors.items():
                if (door, cell) not in said:
                    continue
                answers[door] = said[door, cell]
                self.count["answers"] += 1
                self.count["granted"] += answers[door] is not False
                wish = expected(where, cell)
                if wish != answers[door]:
                    wrong.append(((cell.verb, door), self.story(cell, door, answers[door], wish)))
            self.count["cells"] += bool(answers)
            if len(answers) == 2:
                self.count["asked of both"] += 1
                self.count["answered alike"] += (answers["nfs"] is not False) == answers["s3"]
        return wrong

    def story(self, cell, door, answer, wish):
        who = self.callers[cell.who]
        inodes = {path: self.where.inodes[path] for one in (cell.path, cell.to) if one for path in self.where.inodes if path == one or one.startswith(path + "/")}
        return "\n  ".join([
            f"{cell}: {door} said {answer}, expected {wish}", f"caller {dataclasses.replace(who, policies=[])}", *(f"{kind} policy {text}" for kind, text in who.policies),
            f"bucket policy {self.where.buckets[cell.path.partition('/')[0]].policy}",
            *(f"{path}: {inode.uid}:{inode.gid} {inode.mode:o} {inode.tags or ''} {inode.acl or ''}" for path, inode in inodes.items()),
            f"other names: {[path for path in self.where.paths_of(cell.path) if path != cell.path]}"])
