# SPDX-License-Identifier: Apache-2.0
"""The whole decision about a request, policies (evaluator.py) and POSIX together, for whichever protocol asks.

A World has buckets and inodes; `World.may(who, verb, path)` answers with a Verdict. README.md has the rules."""
from dataclasses import dataclass, field
from typing import NamedTuple

import evaluator
from evaluator import ANY, ONE, combine, context_of

ACCOUNT = "000000000000"

# Bits of an NFSv4 access mask (RFC 8881 6.2.1.3.1). Directories know some of them by other names.
READ_DATA, WRITE_DATA, APPEND_DATA, READ_NAMED, WRITE_NAMED, EXECUTE, DELETE_CHILD, READ_ATTRIBUTES, WRITE_ATTRIBUTES = (
    1 << bit for bit in range(9))
DELETE, READ_ACL, WRITE_ACL, WRITE_OWNER = (1 << bit for bit in range(16, 20))
LIST, ADD_FILE, ADD_DIRECTORY = READ_DATA, WRITE_DATA, APPEND_DATA
ALWAYS = READ_ATTRIBUTES | READ_ACL  # what a mode gives everybody, and
OWNERS = WRITE_ATTRIBUTES | WRITE_ACL  # the owner
BY_MODE = {4: READ_DATA | READ_NAMED, 2: WRITE_DATA | APPEND_DATA | WRITE_NAMED | DELETE_CHILD, 1: EXECUTE}


@dataclass
class Entry:
    """One entry of an ACL. `who` is OWNER@, GROUP@, EVERYONE@, AUTHENTICATED@, ANONYMOUS@, user:UID or group:GID."""
    allow: bool
    who: str
    mask: int
    inherit_only: bool = False


@dataclass
class Inode:
    uid: int
    gid: int
    mode: int
    directory: bool = False
    acl: list = None
    tags: dict = field(default_factory=dict)


@dataclass
class Bucket:
    uid: int
    policy: object = None  # the text of its policy
    both: bool = False     # policy and POSIX are needed
    read_only: bool = False


@dataclass
class Who:
    """A caller. Without `arn` it is a guest or anonymous: for policies nobody. `policies`: (kind, text), those of groups
    and roles as identity, those of keys as session."""
    uid: int = 65534
    gid: int = 65534
    gids: frozenset = frozenset()
    arn: str = ""
    policies: list = field(default_factory=list)
    anonymous: bool = False
    root: bool = False
    disabled: bool = False

    def principal(self):
        if not self.arn:
            return {"type": "Anonymous", "arn": "", "userid": "anonymous", "username": "", "account": "anonymous"}
        kind, name = ("AssumedRole", "") if ":assumed-role/" in self.arn else ("User", self.arn.rpartition("/")[2])
        return {"type": kind, "arn": self.arn, "userid": name or self.arn.rpartition("/")[2], "username": name, "account": ACCOUNT}


class Verdict(NamedTuple):
    granted: bool
    why: str


REFUSED = ("deny", "capped")


class Ask(NamedTuple):
    """One question: an action on a path, what POSIX says to it, and for s3:ListBucket the prefix."""
    action: str
    path: str
    posix: bool
    prefix: str = None
    changes: bool = True
    owner: bool = False  # the bucket's owner may by himself
    name: bool = False   # about this name of the inode, not about the inode
    tags: bool = True    # policies see the tags of the inode


# POSIX: ACLs and modes

def entry_names(entry, inode, who):
    kind, _, number = entry.who.partition(":")
    return {
        "OWNER@": lambda: not who.anonymous and who.uid == inode.uid, "GROUP@": lambda: in_group(who, inode.gid), "EVERYONE@": lambda: not who.anonymous, "ANONYMOUS@": lambda: who.anonymous,
        "AUTHENTICATED@": lambda: not who.anonymous, "user": lambda: not who.anonymous and who.uid == int(number),
        "group": lambda: in_group(who, int(number)),
    }[kind]()


def in_group(who, gid):
    return not who.anonymous and (who.gid == gid or gid in who.gids)


def acl_allows(inode, who, wanted):
    """RFC 8881 6.2.1: entries in order, until each wanted bit is allowed or one is denied."""
    for entry in inode.acl:
        if entry.inherit_only or not entry_names(entry, inode, who):
            continue
        if not entry.allow and entry.mask & wanted:
            return False
        if entry.allow:
            wanted &= ~entry.mask
        if not wanted:
            return True
    return not wanted


def acl_says(inode, who, bit):
    """Does the first entry about WHO that names BIT allow it? None: there is no such entry."""
    if who.root:
        return True
    named = [entry for entry in inode.acl if entry.mask & bit and not entry.inherit_only and entry_names(entry, inode, who)]
    return named[0].allow if named else None


def mode_mask(inode, who):
    """The mask that the mode gives the caller's class; a class is exclusive."""
    owner = not who.anonymous and who.uid == inode.uid
    bits = inode.mode >> (6 if owner else 3 if in_group(who, inode.gid) else 0)
    return ALWAYS | (OWNERS if owner else 0) | sum(mask for bit, mask in BY_MODE.items() if bits & bit)


def has(inode, who, wanted):
    """Does ACL or mode give WHO all WANTED bits of INODE?"""
    if who.root:
        return not wanted & EXECUTE or inode.directory or inode.mode & 0o111 != 0
    if inode.acl is not None:
        # The owner may always read and change the ACL, or could not mend it.
        owned = OWNERS | ALWAYS if not who.anonymous and who.uid == inode.uid else 0
        return acl_allows(inode, who, wanted & ~owned)
    return not wanted & ~mode_mask(inode, who)


def owns(inode, who):
    return who.root or not who.anonymous and who.uid == inode.uid


def mode_of(acl):
    """The mode that an ACL shows (RFC 8881 6.3.2): of each special identifier and EVERYONE@, in order."""
    mode = 0
    for shift, special in ((6, "OWNER@"), (3, "GROUP@"), (0, "EVERYONE@")):
        allowed = decided = 0
        for entry in acl:
            if entry.inherit_only or entry.who not in (special, "EVERYONE@"):
                continue
            allowed |= entry.mask & ~decided if entry.allow else 0
            decided |= entry.mask
        write = WRITE_DATA | APPEND_DATA
        bits = (4 if allowed & READ_DATA else 0) | (2 if allowed & write == write else 0) | (1 if allowed & EXECUTE else 0)
        mode |= bits << shift
    return mode


def grant_mask(permission, directory):
    """S3's permissions of a grant (ACL overview of S3's user guide), bit by bit."""
    read = READ_DATA | READ_NAMED | READ_ATTRIBUTES | (EXECUTE if directory else 0)
    write = ADD_FILE | ADD_DIRECTORY | DELETE_CHILD | EXECUTE if directory else 0  # of an object it means nothing
    masks = {"READ": read, "WRITE": write, "READ_ACP": READ_ACL, "WRITE_ACP": WRITE_ACL}
    return sum(masks.values()) & ~EXECUTE | (EXECUTE if directory else 0) if permission == "FULL_CONTROL" else masks[permission]


def acl_of_grants(grants, directory):
    """The entries of (who, permission) GRANTS; AllUsers and AuthenticatedUsers by their names in S3."""
    special = {"AllUsers": ("EVERYONE@", "ANONYMOUS@"), "AuthenticatedUsers": ("AUTHENTICATED@",)}
    return [Entry(True, name, grant_mask(permission, directory)) for who, permission in grants for name in special.get(who, (who,))]


# What policies say of all keys below a place

OBJECT_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:GetObjectTagging", "s3:PutObjectTagging", "s3:DeleteObjectTagging", "s3:GetObjectAcl",
                  "s3:PutObjectAcl", "s3:GetObjectVersion", "s3:AbortMultipartUpload", "s3:RestoreObject")
OTHER = "\U0010ffff"  # stands for each character that no pattern has
YES, NO, MAYBE = True, False, None
LISTING = ("s3:prefix", "s3:delimiter", "s3:max-keys")


def depends(key):
    """Does the value of the condition KEY depend on the object or on the single request?"""
    return key.startswith("s3:") or key.startswith(("aws:requesttag/", "aws:resourcetag/", "aws:tagkeys"))


class Machine:
    """One pattern, read character by character; a state is the set of places in it."""

    def __init__(self, pieces):
        self.pieces = [char for piece in pieces for char in (piece if isinstance(piece, str) else [piece])]

    def rest(self, places):
        found = set(places)
        for place in sorted(places):
            while place < len(self.pieces) and self.pieces[place] is ANY:
                place += 1
                found.add(place)
        return frozenset(found)

    def start(self):
        return self.rest({0})

    def step(self, places, char):
        found = set()
        for place in places:
            piece = self.pieces[place] if place < len(self.pieces) else None
            if piece is ANY:
                found.add(place)
            if piece is ONE or piece == char or piece is ANY:
                found.add(place + (piece is not ANY))
        return self.rest(found)

    def accepts(self, places):
        return len(self.pieces) in places


class Rule:
    """A statement as a condition on a text (a key, or the prefix of a listing): every group has to match, a group by one
    of its patterns or, negated, by none. `certain` is MAYBE if other things decide as well."""

    def __init__(self, allow, certain, groups):
        self.allow, self.certain, self.groups = allow, certain, groups

    def holds(self, states):
        matched = all(any(machine.accepts(states[machine]) for machine in machines) != negated for machines, negated in self.groups)
        return self.certain if matched else NO


def resolved(pieces, context):
    """(pieces, is that certain): a variable that depends on the request may be anything; None: there is no value."""
    unsure = [isinstance(piece, evaluator.Variable) and depends(piece.key.lower()) for piece in pieces]
    found = evaluator.resolve([ANY if doubt else piece for piece, doubt in zip(pieces, unsure)], context)
    return found, not any(unsure)


def resource_group(statement, context):
    """(machines over BUCKET/KEY, are they certain) of a statement's resources."""
    machines, certain = [], True
    for pieces in statement.resources:
        parts = [[ANY]] * 6 if pieces == [ANY] else evaluator.split_arn(pieces)
        if all(evaluator.like(part, name) for part, name in zip(parts, ("arn", "aws", "s3", "", ""))):
            last, sure = resolved(parts[5], context)
            certain = certain and sure
            machines += [Machine(last)] if last is not None else []
    return machines, certain


def prefix_group(condition, context):
    """The machines of a condition on s3:prefix; None if it is not one of texts."""
    if condition.set or condition.operator not in ("StringEquals", "StringLike"):
        return None, False
    found = [resolved(pieces, context) for pieces in condition.values]
    return [Machine(pieces) for pieces, _ in found if pieces is not None], all(sure for _, sure in found)


def rule_of(statement, action, bucket, request, context):
    """The Rule of a statement for ACTION on what is below; None if it does not concern it."""
    if not statement.names(request["principal"]):
        return None
    if any(evaluator.like(one, action.lower()) for one in statement.actions) == statement.not_action:
        return None
    machines, certain = resource_group(statement, context)
    certain = YES if certain else MAYBE
    groups = [(machines, statement.not_resource)]
    if action == "s3:ListBucket":
        matched = any(evaluator.arn_like(one, f"arn:aws:s3:::{bucket}", context) or one == [ANY] for one in statement.resources)
        if matched == statement.not_resource:
            return None
        groups = []
    for condition in statement.conditions:
        known = None
        if action == "s3:ListBucket" and condition.key == "s3:prefix":
            known, sure = prefix_group(condition, context)
            if known is not None:
                groups.append((known, condition.negated))
                certain = certain if sure else MAYBE
        if known is not None:
            continue
        values = [piece for value in condition.values if isinstance(value, list) for piece in value]
        listing = condition.key in LISTING and action != "s3:ListBucket"  # no request about an object has it
        if depends(condition.key) and not listing or any(isinstance(piece, evaluator.Variable) and depends(piece.key.lower()) for piece in values):
            certain = MAYBE
        elif not condition.holds(context):
            return None
    return Rule(statement.effect == "Allow", certain, groups)


def policy_answer(rules, states):
    """(could it allow, does it, could it deny, does it)"""
    found = [(rule.allow, rule.holds(states)) for rule in rules]
    return ((True, YES) in found or (True, MAYBE) in found, (True, YES) in found,
            (False, YES) in found or (False, MAYBE) in found, (False, YES) in found)


class Answer(NamedTuple):
    """What the policies say to one text: `could` where it depends on more, `does` for certain."""
    could_grant: bool
    does_grant: bool
    could_allow_caps: bool
    does_allow_caps: bool
    could_deny: bool
    does_deny: bool


def answers_below(policies, action, bucket, start, request, context):
    """The Answers that occur for texts which begin with START (of a key: BUCKET/…)."""
    rules = [(kind, [rule for statement in policy.statements if (rule := rule_of(statement, action, bucket, request, context))])
             for kind, policy in policies]
    machines = [machine for _, listed in rules for rule in listed for group, _ in rule.groups for machine in group]
    alphabet = {char for machine in machines for char in machine.pieces if isinstance(char, str)} | {OTHER}
    state = tuple(machine.start() for machine in machines)
    for char in start:
        state = tuple(machine.step(places, char) for machine, places in zip(machines, state))
    seen, waiting = {state}, [state]
    while waiting:
        state = waiting.pop()
        yield answer_of(rules, dict(zip(machines, state)))
        for char in alphabet:
            following = tuple(machine.step(places, char) for machine, places in zip(machines, state))
            if following not in seen:
                seen.add(following)
                waiting.append(following)


def answer_of(rules, states):
    found = [(kind in evaluator.CAPS, *policy_answer(listed, states)) for kind, listed in rules]
    return Answer(
        any(could for cap, could, _, _, _ in found if not cap), any(does for cap, _, does, _, _ in found if not cap),
        all(could for cap, could, _, _, _ in found if cap), all(does for cap, _, does, _, _ in found if cap),
        any(could for *_, could, _ in found), any(does for *_, does in found))


# The world

class World:
    def __init__(self, buckets, inodes, by_handle=False):
        """BUCKETS by name; INODES by path, BUCKET or BUCKET/DIR/…; hard links are one Inode under several paths. BY_HANDLE: NFS asks."""
        self.buckets, self.inodes, self.by_handle = buckets, inodes, by_handle
        self.texts = {}

    def parsed(self, text, kind):
        if (text, kind) not in self.texts:
            self.texts[text, kind] = evaluator.parse(text, kind)
        return self.texts[text, kind]

    def policies(self, who, bucket):
        """(kind, Policy) of all policies that apply to WHO in BUCKET."""
        own = [(kind, self.parsed(text, kind)) for kind, text in who.policies]
        text = self.buckets[bucket].policy if bucket in self.buckets else None
        return own + ([("bucket", self.parsed(text, "bucket"))] if text else [])

    def ask_policies(self, who, action, resource, context, bucket):
        """evaluator's result for one resource."""
        request = {"principal": who.principal(), "action": action, "resource": f"arn:aws:s3:::{resource}", "context": context}
        policies = self.policies(who, bucket)
        keys = context_of(request)
        return combine([kind for kind, _ in policies], [policy.decide(request, keys) for _, policy in policies])

    def paths_of(self, path):
        """All paths of the inode at PATH."""
        inode = self.inodes.get(path)
        return [other for other, one in self.inodes.items() if one is inode] if inode is not None else [path]

    def below(self, who, action, path, context):
        """The Answers for keys that begin with PATH; of s3:ListBucket, for prefixes below it."""
        bucket, _, key = path.partition("/")
        request = {"principal": who.principal(), "action": action, "context": context}
        start = (key + "/" if key else "") if action == "s3:ListBucket" else path
        return answers_below(self.policies(who, bucket), action, bucket, start, request, context_of(request))

    # The way

    def open_below(self, who, actions, path, context):
        """(could policies grant one of ACTIONS on a key that begins with PATH, is there one that they do not refuse)"""
        found = [one for action in actions for one in self.below(who, action, path, context)]
        left = [one for one in found if one.could_allow_caps and not one.does_deny]
        return any(one.could_grant for one in left), bool(left)

    def listed(self, who, path, context):
        """What policies say to the listing of the directory PATH."""
        bucket, _, key = path.partition("/")
        return self.ask_policies(who, "s3:ListBucket", bucket, {**context, "s3:prefix": [key + "/" if key else ""]}, bucket)

    def leads(self, who, path, context):
        """(do policies let WHO know of the directory PATH and go through it, do they refuse it)"""
        listed = self.listed(who, path, context)
        grant, left = self.open_below(who, OBJECT_ACTIONS, path + "/", context)
        deeper, _ = self.open_below(who, ("s3:ListBucket",), path, context)
        granted = listed == "allow" or grant or deeper
        # The root of a bucket always answers: it is a client's mount point.
        return granted, not granted and listed in REFUSED and not left and "/" in path

    def shows(self, who, path, context):
        """The same of the file PATH: what lists its directory shows it, and what allows any action on it."""
        listed = self.listed(who, path.rpartition("/")[0], context)
        found = [next(iter(self.below(who, action, path, context))) for action in OBJECT_ACTIONS]
        left = [one for one in found if one.could_allow_caps and not one.does_deny]
        granted = listed == "allow" or any(one.could_grant for one in left)
        return granted, not granted and listed in REFUSED and not left

    def known(self, who, path, context):
        """GETATTR, by policies or x on the way. Of a file each of its paths counts."""
        inode, bucket = self.inodes.get(path), self.buckets[path.partition("/")[0]]
        if inode is None and self.searched(who, path):
            return Verdict(True, "it is known that there is nothing")
        if inode is None:
            asked = [(self.shows(who, path, context)[0] or self.leads(who, path, context)[0], False)]
        elif inode.directory:
            asked = [self.leads(who, path, context)]
        else:
            asked = [self.shows(who, one, context) for one in self.paths_of(path)]
        if any(refused for _, refused in asked):
            return Verdict(False, "policies refuse all of it")
        parent = self.inodes[path.rpartition("/")[0]] if inode is not None and "/" in path else None
        searched = self.open_way(who, path) and (parent is None or has(parent, who, EXECUTE))
        policy = any(granted for granted, _ in asked)
        return Verdict(policy and searched if bucket.both else policy or searched, "it is known")

    def passes(self, who, directory, context):
        """May WHO look up names in DIRECTORY?"""
        granted, refused = self.leads(who, directory, context)
        search = self.searched(who, directory) and has(self.inodes[directory], who, EXECUTE)
        if self.buckets[directory.partition("/")[0]].both:
            return granted and search
        return not refused and (granted or search)

    def way(self, who, path, context):
        """May WHO reach PATH? (The client of a mount looks up each name, S3 walks the key.)"""
        names = path.split("/")
        steps = ["/".join(names[:count]) for count in range(1, len(names) + 1)]
        return all(self.passes(who, directory, context) and self.known(who, child, context).granted
                   for directory, child in zip(steps, steps[1:]) if directory in self.inodes)

    def open_way(self, who, path):
        """The same for an inode: over NFS, which asks about inodes, one of a file's ways is enough."""
        return any(self.searched(who, one) for one in (self.paths_of(path) if self.by_handle else (path,)))

    def searched(self, who, path):
        """Has each directory on the way x?"""
        names = path.split("/")
        return not who.anonymous and all(has(self.inodes[directory], who, EXECUTE) for count in range(1, len(names))
                   if (directory := "/".join(names[:count])) in self.inodes)

    # One question

    def answer(self, who, ask, context):
        bucket = ask.path.partition("/")[0]
        where = self.buckets.get(bucket)
        keys = dict(context)
        if ask.prefix is not None:
            keys["s3:prefix"] = [ask.prefix]
        inode = self.inodes.get(ask.path)
        if inode is not None and "/" in ask.path and ask.tags:
            keys.update({f"s3:ExistingObjectTag/{name}": [value] for name, value in inode.tags.items()})
        if who.disabled:
            return Verdict(False, "disabled")
        of_bucket = ask.prefix is not None or "/" not in ask.path
        slash = "/" if not of_bucket and inode is not None and inode.directory else ""
        names = [ask.path] if ask.name else self.paths_of(ask.path)
        paths = [bucket] if of_bucket else [path + slash for path in names]
        results = [self.ask_policies(who, ask.action, path, keys, bucket) for path in paths]
        if "deny" in results:
            return Verdict(False, "denied by a policy")
        if where is not None and where.read_only and ask.changes:
            return Verdict(False, "read-only")
        if "capped" in results:
            return Verdict(False, "not allowed by a boundary, session or key")
        return self.granted(who, ask, where, "allow" in results)

    def granted(self, who, ask, bucket, policy):
        owner = ask.owner and bucket is not None and not who.anonymous and who.uid == bucket.uid
        if bucket is not None and bucket.both:
            granted = policy and (ask.posix or owner)
            return Verdict(granted, "policy and POSIX" if granted else "both are needed")
        if policy:
            return Verdict(True, "policy")
        if ask.posix:
            return Verdict(True, "POSIX")
        return Verdict(owner, "the bucket's owner" if owner else "nothing grants it")

    # Verbs: each a list of questions, which all have to be granted; a question may have alternatives

    def may(self, who, verb, path, to=None, context=None):
        """May WHO do VERB to PATH (and TO)?"""
        context = context or {}
        verdict = Verdict(True, "")
        for alternatives in getattr(self, f"verb_{verb}")(who, path, to, context):
            found = [self.answer(who, ask, context) if isinstance(ask, Ask) else ask for ask in alternatives]
            verdict = next((one for one in found if one.granted), found[0])
            if not verdict.granted:
                return verdict
        return verdict

    def posix(self, who, path, wanted):
        """What POSIX says: the bits, and x on the whole way. Where only a policy leads, only policies grant."""
        inode = self.inodes.get(path)
        return inode is not None and not who.anonymous and self.open_way(who, path) and has(inode, who, wanted)

    def parent(self, path):
        """The nearest directory above PATH that is there."""
        path = path.rpartition("/")[0]
        while path not in self.inodes:
            path = path.rpartition("/")[0]
        return path

    def name(self, who, path, bit):
        """May WHO make PATH, or with DELETE_CHILD remove it?"""
        parent, inode = self.parent(path), self.inodes.get(path)
        directory = self.inodes[parent]
        if not self.posix(who, parent, EXECUTE):
            return False
        if bit != DELETE_CHILD:
            return has(directory, who, bit)
        own = acl_says(inode, who, DELETE) if inode.acl is not None else None
        child = acl_says(directory, who, DELETE_CHILD) if directory.acl is not None else has(directory, who, DELETE_CHILD)
        if own:
            return True
        if child is None and own is None:  # neither is mentioned: adding stands for `w` (RFC 8881 6.2.1.3.2)
            child = has(directory, who, ADD_FILE)
        sticky = directory.mode & 0o1000 and not owns(directory, who) and not owns(inode, who)
        return bool(child) and not sticky

    def verb_read(self, who, path, to, context):
        return [[Ask("s3:GetObject", path, self.posix(who, path, READ_DATA), changes=False)]]

    def verb_write(self, who, path, to, context):
        return [[Ask("s3:PutObject", path, self.posix(who, path, WRITE_DATA))]]

    def verb_put(self, who, path, to, context):
        """PUT over S3 gives the name to another inode, as `mv` does."""
        made = self.name(who, path, ADD_FILE) and (path not in self.inodes or self.name(who, path, DELETE_CHILD))
        # AWS does not have the tags of what is there (a new object has none of them); what is replaced has its own.
        return [[Ask("s3:PutObject", path, made, name=True, tags=False)], [Ask("s3:PutObject", path, made, name=True)]]

    def verb_create(self, who, path, to, context):
        return [[Ask("s3:PutObject", path, self.name(who, path, ADD_FILE))]]

    def verb_mkdir(self, who, path, to, context):
        return [[Ask("s3:PutObject", path + "/", self.name(who, path, ADD_DIRECTORY))]]

    def verb_delete(self, who, path, to, context):
        return [[Ask("s3:DeleteObject", path, self.name(who, path, DELETE_CHILD), name=True)]]

    def verb_stat(self, who, path, to, context):
        """GETATTR, after LOOKUP of each name."""
        return [[Verdict(self.way(who, path, context) and not who.disabled, "the way")]]

    def verb_list(self, who, path, to, context):
        key = path.partition("/")[2]
        return [[Ask("s3:ListBucket", path, self.posix(who, path, LIST), prefix=key + "/" if key else "", changes=False)]]

    def entries(self, who, path, context=None):
        """The names that READDIR of PATH shows: all to who may list it, else those that lead to something granted."""
        return self.readdir(who, path, context or {}) or []

    def readdir(self, who, path, context):
        """The same; None: it is refused."""
        names = [name for name in self.inodes if name.rpartition("/")[0] == path]
        if who.disabled or self.may(who, "list", path, None, context).granted:
            return None if who.disabled else names
        if self.listed(who, path, context) in REFUSED or not self.leads(who, path, context)[0]:
            return None
        if self.buckets[path.partition("/")[0]].both:
            return [name for name in names if self.known(who, name, context).granted] if self.posix(who, path, LIST) else None
        ways = {True: self.leads, False: self.shows}
        return [name for name in names if any(ways[self.inodes[name].directory](who, one, context)[0] for one in self.paths_of(name))]

    def verb_list_keys(self, who, path, to, context):
        """A listing of S3 tells of each key what it is: as READDIR and LOOKUP."""
        key = path.partition("/")[2]
        return [[Ask("s3:ListBucket", path, self.posix(who, path, LIST | EXECUTE), prefix=key + "/" if key else "", changes=False)]]

    def verb_link(self, who, path, to, context):
        return self.carried(who, path, to, context) + self.linked(who, path, to, context) + [[Ask("s3:PutObject", to, self.name(who, to, ADD_FILE))]]

    def verb_rename(self, who, path, to, context):
        if self.inodes[path].directory:
            return self.rename_directory(who, path, to, context)
        asks = self.carried(who, path, to, context) + (self.linked(who, path, to, context) if len(self.paths_of(path)) > 1 else []) + [
            [Ask("s3:DeleteObject", path, self.name(who, path, DELETE_CHILD), name=True)],
            [Ask("s3:PutObject", to, self.name(who, to, ADD_FILE))]]
        if to in self.inodes:
            asks.append([Ask("s3:DeleteObject", to, self.name(who, to, DELETE_CHILD), name=True)])
        return asks

    def rename_directory(self, who, path, to, context):
        """It moves all below it; what policies say is asked of all keys there together."""
        asks = [self.all_below(who, "s3:DeleteObject", path, self.name(who, path, DELETE_CHILD), context),
                self.all_below(who, "s3:PutObject", to, self.name(who, to, ADD_DIRECTORY), context),
                self.all_below(who, "s3:GetObject", path, True, context), self.gains_nothing(who, path, to, context)]
        if path.rpartition("/")[0] != to.rpartition("/")[0]:  # its ".." changes
            asks.append(self.all_below(who, "s3:DeleteObject", path, self.posix(who, path, ADD_DIRECTORY), context))
        return [[Verdict(ask.granted and not who.disabled, ask.why)] for ask in asks]

    def all_below(self, who, action, path, posix, context):
        """Policies grant what they allow for all keys below PATH, and refuse what they might refuse for some."""
        found = list(self.below(who, action, path + "/", context))
        bucket = self.buckets[path.partition("/")[0]]
        if any(one.could_deny or not one.does_allow_caps for one in found):
            return Verdict(False, "policies differ below the directory")
        if bucket.read_only and action != "s3:GetObject":
            return Verdict(False, "read-only")
        policy = all(one.does_grant for one in found)
        return Verdict(policy and posix if bucket.both else policy or posix, "all below")

    def gains_nothing(self, who, path, to, context):
        """Where a policy could let WHO read something below TO, one has to let him read all below PATH as it is."""
        gains = any(one.could_grant and one.could_allow_caps and not one.does_deny for one in self.below(who, "s3:GetObject", to + "/", context))
        read = all(one.does_grant for one in self.below(who, "s3:GetObject", path + "/", context))
        return Verdict(read or not gains or who.root, "nobody gains by moving")

    def carried(self, who, path, to, context):
        """Nobody gains by moving: s3:GetObject is wanted where policies speak of it at either place."""
        bucket = path.partition("/")[0]
        if self.inodes[path].directory:
            return []
        tags = {f"s3:ExistingObjectTag/{name}": [value] for name, value in self.inodes[path].tags.items()}
        if all(self.ask_policies(who, "s3:GetObject", one, {**context, **tags}, bucket) == "none" for one in (*self.paths_of(path), to)):
            return []
        reads = self.posix(who, path, READ_DATA) or owns(self.inodes[path], who) and self.searched(who, path)
        return [[Ask("s3:GetObject", path, reads, changes=False)]]

    def linked(self, who, path, to, context):
        """A further name gives nothing: what policies allow there of a file has to be its maker's already."""
        inode, bucket = self.inodes[path], self.buckets[path.partition("/")[0]]
        tags = {f"s3:ExistingObjectTag/{name}": [value] for name, value in inode.tags.items()}
        mine = owns(inode, who) and self.open_way(who, path)
        there = self.searched(who, to) and has(self.inodes[self.parent(to)], who, EXECUTE)
        asks = []
        for action, wanted, owner in (("s3:PutObject", WRITE_DATA, True), ("s3:PutObjectAcl", WRITE_ACL, False), ("gemel:Chown", WRITE_OWNER, True),
                                      ("s3:GetObjectAcl", READ_ACL, False), ("s3:GetObjectAttributes", READ_DATA, False), ("s3:GetObjectTagging", READ_DATA, False),
                                      ("s3:PutObjectTagging", WRITE_DATA, False), ("s3:DeleteObjectTagging", WRITE_DATA, False)):
            right = has(inode, who, wanted) or owner and owns(inode, who)
            allowed = self.ask_policies(who, action, to, {**context, **tags}, to.partition("/")[0]) == "allow"
            if allowed and (not bucket.both or there and right):
                asks.append([Ask(action, path, self.open_way(who, path) and right or owner and mine)])
        return asks

    def verb_copy(self, who, path, to, context):
        """The tags of the source are copied."""
        tags = self.verb_get_tags(who, path, None, context) if self.inodes[path].tags else []
        tags += [[Ask("s3:PutObjectTagging", to, self.name(who, to, ADD_FILE), name=True)]] if tags else []
        return self.verb_read(who, path, None, context) + tags + self.verb_put(who, to, None, context)

    def verb_chmod(self, who, path, to, context):
        return [[Ask("s3:PutObjectAcl", path, self.posix(who, path, WRITE_ACL))]]

    def verb_chown(self, who, path, to, context):
        return [[Ask("gemel:Chown", path, who.root and self.posix(who, path, 0))]]

    def verb_get_acl(self, who, path, to, context):
        return [[Ask("s3:GetObjectAcl", path, self.posix(who, path, READ_ACL), changes=False)]]

    def verb_get_tags(self, who, path, to, context):
        return [[Ask("s3:GetObjectTagging", path, self.posix(who, path, READ_DATA), changes=False)]]

    def verb_put_tags(self, who, path, to, context):
        return [[Ask("s3:PutObjectTagging", path, self.posix(who, path, WRITE_DATA))]]

    def verb_delete_bucket(self, who, path, to, context):
        return [[Ask("s3:DeleteBucket", path, who.root, owner=True)]]

    def verb_see_bucket(self, who, path, to, context):
        """Does READDIR of the root show it? If any action on it could be granted, or r or x do."""
        inode, bucket = self.inodes[path], self.buckets[path]
        grant, _ = self.leads(who, path, context)
        left = not (self.listed(who, path, context) in REFUSED and not self.open_below(who, OBJECT_ACTIONS, path + "/", context)[1])
        own = owns(inode, who) or has(inode, who, LIST) or has(inode, who, EXECUTE)
        shown = grant and own if bucket.both else grant or own
        return [[Verdict(left and shown and not who.disabled, "something in it could be granted" if grant else "POSIX")]]
