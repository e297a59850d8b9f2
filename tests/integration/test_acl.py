# SPDX-License-Identifier: Apache-2.0
"""Access control lists: nfs4_getfacl and nfs4_setfacl of a kernel client, the wire, and S3 beside them."""
import itertools

import pytest

import nfs4
from nfs4 import ACL, ACLSUPPORT, ANONYMOUS, GUARDED, MODE, MODE_UMASK, OK, SUPPORTED, WRITE, Client, fattr, getattr_acl, putfh, u32
from test_permissions import s3_can

ALICE, BOB, EVE = 1001, 1002, 1003
STAFF = 500
ALLOW, DENY = 0, 1
FILE, DIRECTORY, NO_PROPAGATE, INHERIT_ONLY, GROUP, INHERITED = 1, 2, 4, 8, 0x40, 0x80
READ_DATA, WRITE_DATA, APPEND, READ_ATTRS, WRITE_ATTRS, EXECUTE, DELETE_CHILD, DELETE, READ_ACL, WRITE_ACL = 1, 2, 4, 8, 16, 32, 64, 0x10000, 0x20000, 0x40000
ACCESS_READ, ACCESS_LOOKUP, ACCESS_MODIFY, ACCESS_EXTEND, ACCESS_DELETE, ACCESS_EXECUTE = 1, 2, 4, 8, 16, 32


@pytest.fixture(scope="module")
def people(gemel):
    return {
        "alice": gemel.s3(*gemel.new_user("alice", ALICE, groups=[STAFF])),
        "bob": gemel.s3(*gemel.new_user("bob", BOB)),
        "eve": gemel.s3(*gemel.new_user("eve", EVE)),
    }


@pytest.fixture
def root(gemel, kernel):
    target = kernel.mount(gemel.nfs_port, "/", target="/mnt/acl", options="actimeo=0")
    yield target
    kernel.umount(target)


@pytest.fixture
def bucket(gemel, people):
    return gemel.new_bucket(owner="alice", mode="0755")


@pytest.fixture
def run(kernel):
    """A script as alice (umask 022), bob or eve; the result."""
    who = {"alice": (ALICE, (STAFF,)), "bob": (BOB, ()), "eve": (EVE, ())}

    def call(person, script, check=True):
        uid, groups = who[person]
        return kernel.run("umask 022; " + script, uid=uid, gid=uid, groups=groups, check=check)

    return call


def can(run, person, script):
    return run(person, script, check=False).rc == 0


def entries(run, path, person="alice"):
    return run(person, f"nfs4_getfacl -c {path}").text.split()


# ---- nfs4-acl-tools, on a kernel client


def test_get_and_set(run, root, bucket, people):
    path = f"{root}/{bucket}/f"
    run("alice", f"echo text > {path}")
    assert entries(run, path) == ["A::OWNER@:rwatTnNcCoy", "A:g:GROUP@:rtncy", "A::EVERYONE@:rtncy"]
    run("alice", f"chmod 600 {path}")
    assert not can(run, "bob", f"cat {path}") and not s3_can(people["bob"].get_object, Bucket=bucket, Key="f")
    run("alice", f"nfs4_setfacl -a A::{BOB}:R {path}")
    assert entries(run, path)[0].startswith(f"A::{BOB}:r")
    assert can(run, "bob", f"cat {path}") and s3_can(people["bob"].get_object, Bucket=bucket, Key="f")
    assert not can(run, "bob", f"echo more >> {path}")
    assert not can(run, "eve", f"cat {path}") and not s3_can(people["eve"].get_object, Bucket=bucket, Key="f")
    # Who may not change it, and who may.
    assert not can(run, "bob", f"nfs4_setfacl -a A::{EVE}:R {path}")
    run("alice", f"nfs4_setfacl -a A::{BOB}:C {path}")
    run("bob", f"nfs4_setfacl -a A::{EVE}:r {path}")
    assert can(run, "eve", f"cat {path}")
    run("alice", f"nfs4_setfacl -s A::OWNER@:rw {path}")
    assert entries(run, path) == ["A::OWNER@:rw"]
    assert run("alice", f"stat -c %a {path}").text.strip() == "400"  # a mode's `w` is `w` and `a`


def test_deny(run, root, bucket, people):
    """The first entry that names a right decides."""
    path = f"{root}/{bucket}/f"
    run("alice", f"echo text > {path} && chmod 644 {path} && nfs4_setfacl -a D::{BOB}:r {path}")
    assert not can(run, "bob", f"cat {path}") and not s3_can(people["bob"].get_object, Bucket=bucket, Key="f")
    assert can(run, "eve", f"cat {path}") and s3_can(people["eve"].get_object, Bucket=bucket, Key="f")
    assert run("alice", f"stat -c %a {path}").text.strip() == "644"


def test_chmod(run, root, bucket):
    """A mode bounds what others are allowed, and does not take their entries away (RFC 8881 6.4.1)."""
    path = f"{root}/{bucket}/f"
    run("alice", f"echo text > {path} && nfs4_setfacl -a A::{BOB}:rwa {path} && chmod 644 {path}")
    assert can(run, "bob", f"cat {path}") and not can(run, "bob", f"echo more >> {path}")
    run("alice", f"chmod 600 {path}")
    assert not can(run, "bob", f"cat {path}")
    assert run("alice", f"stat -c %a {path}").text.strip() == "600"
    run("alice", f"nfs4_setfacl -s A::OWNER@:rwa,A::{BOB}:rwa {path}")
    assert run("alice", f"stat -c %a {path}").text.strip() == "600"
    assert can(run, "bob", f"echo more >> {path}")


def test_groups(run, root, bucket):
    path = f"{root}/{bucket}/f"
    run("bob", "true")
    run("alice", f"echo text > {path} && chmod 600 {path} && nfs4_setfacl -a A:g:{STAFF}:rwa {path} && nfs4_setfacl -a D:g:GROUP@:x {path}")
    assert f"A:g:{STAFF}:rwa" in entries(run, path) and "D:g:GROUP@:x" in entries(run, path)
    assert not can(run, "bob", f"cat {path}")


def test_who_is_unknown(run, root, bucket):
    """A name that nobody has is refused; the anonymous user does not get what was meant for it."""
    path = f"{root}/{bucket}/f"
    run("alice", f"echo text > {path} && chmod 600 {path}")
    for who in ("nosuchuser@example.org", "nosuchuser", "ANONYMUS@"):
        assert not can(run, "alice", f"nfs4_setfacl -a A::{who}:r {path}"), who
    run("alice", f"nfs4_setfacl -a A::65534:r {path}")
    assert entries(run, path)[0] in ("A::65534:r", "A::nobody:r")


def test_public_is_shown(gemel, run, root, bucket):
    path = f"{root}/{bucket}/f"
    run("alice", f"echo text > {path} && nfs4_setfacl -a A::ANONYMOUS@:r {path} && nfs4_setfacl -a A::AUTHENTICATED@:r {path}")
    assert {"A::ANONYMOUS@:r", "A::AUTHENTICATED@:r"} <= set(entries(run, path))


def test_inheritance(gemel, kernel, run, root, bucket, people):
    """What is made in a shared directory is shared, whatever the umask and the protocol."""
    shared = f"{root}/{bucket}/shared"
    run("alice", f"mkdir {shared} && nfs4_setfacl -a A:fd:{BOB}:RWX {shared}")
    run("alice", f"echo nfs > {shared}/file && mkdir {shared}/dir && echo nfs > {shared}/dir/file && ln -s file {shared}/link")
    people["alice"].put_object(Bucket=bucket, Key="shared/s3/deep/object", Body=b"s3")
    people["alice"].copy_object(Bucket=bucket, Key="shared/s3/copy", CopySource=f"{bucket}/shared/file")
    for path in ("file", "dir/file", "s3/deep/object", "s3/copy"):
        assert can(run, "bob", f"echo more >> {shared}/{path}"), path
        assert not can(run, "eve", f"echo more >> {shared}/{path}"), path
        assert s3_can(people["bob"].get_object, Bucket=bucket, Key="shared/" + path)
        assert run("alice", f"stat -c %a {shared}/{path}").text.strip() == "644"
    # nfs4_getfacl does not show that an entry is inherited; the tests of the wire look at that.
    assert any(entry.startswith(f"A:fd:{BOB}:rwaDx") for entry in entries(run, f"{shared}/s3/deep"))
    assert any(entry.startswith(f"A::{BOB}:rwa") for entry in entries(run, f"{shared}/dir/file"))
    run("bob", f"touch {shared}/s3/deep/of-bob && rm {shared}/file {shared}/link")
    people["bob"].put_object(Bucket=bucket, Key="shared/s3/deep/object", Body=b"by bob")
    assert run("alice", f"stat -c %U%u {shared}/s3/deep/object").text.strip().endswith(str(ALICE))  # as cp would
    assert can(run, "bob", f"cat {shared}/s3/deep/object")
    # A program that asks for a private file gets one.
    run("alice", f"python3 -c \"import os; os.close(os.open('{shared}/private', os.O_CREAT | os.O_WRONLY, 0o600))\"")
    assert not can(run, "bob", f"cat {shared}/private")
    # A client that does not send its umask apart has applied it.
    old = kernel.mount(gemel.nfs_port, "/", target="/mnt/acl41", version="4.1")
    run("alice", f"echo nfs > {old}/{bucket}/shared/old")
    kernel.umount(old)
    assert can(run, "bob", f"cat {shared}/old") and not can(run, "bob", f"echo more >> {shared}/old")


def test_recursive(run, root, bucket):
    tree = f"{root}/{bucket}/tree"
    run("alice", f"mkdir -p {tree}/a/b && echo 1 > {tree}/f && echo 2 > {tree}/a/b/f && nfs4_setfacl -R -a A:fd:{BOB}:RX {tree}")
    assert can(run, "bob", f"cat {tree}/f {tree}/a/b/f")
    run("alice", f"nfs4_setfacl -R -x A:fd:{BOB}:RX {tree}", check=False)
    assert not any(str(BOB) in entry for entry in entries(run, tree))


def test_setgid(run, root, bucket, people):
    shared = f"{root}/{bucket}/team"
    run("alice", f"mkdir {shared} && chgrp {STAFF} {shared} && chmod 2775 {shared}")
    people["alice"].put_object(Bucket=bucket, Key="team/a/object", Body=b"s3")
    assert run("alice", f"stat -c '%g %a' {shared}/a {shared}/a/object").text.split() == [str(STAFF), "2755", str(STAFF), "644"]


def test_same_answer_at_both_doors(run, root, bucket, people):
    """Each kind of entry about bob, in a directory and on a file: S3 and NFS agree."""
    disagreements = []
    for number, (kind, rights, group) in enumerate(itertools.product("AD", ("r", "rx", "rwax", "wax", "rwaDx"), ("dir", "file"))):
        base = f"{root}/{bucket}/{number}"
        run("alice", f"mkdir {base} && echo data > {base}/f && chmod 755 {base} && chmod 644 {base}/f && "
                     f"nfs4_setfacl -a {kind}::{BOB}:{rights} {base if group == 'dir' else base + '/f'}")
        deeds = {
            "read": (lambda: s3_can(people["bob"].get_object, Bucket=bucket, Key=f"{number}/f"), f"cat {base}/f"),
            "list": (lambda: s3_can(people["bob"].list_objects_v2, Bucket=bucket, Prefix=f"{number}/"), f"ls -l {base}/"),
            "create": (lambda: s3_can(people["bob"].put_object, Bucket=bucket, Key=f"{number}/s3", Body=b"x"), f"echo x > {base}/nfs"),
            "delete": (lambda: s3_can(people["bob"].delete_object, Bucket=bucket, Key=f"{number}/f"), f"echo data > {base}/f; rm -f {base}/f"),
        }
        for deed, (by_s3, by_nfs) in deeds.items():
            a = by_s3()
            if deed == "delete" and a:
                run("alice", f"echo data > {base}/f")
            b = can(run, "bob", by_nfs) if deed != "delete" else can(run, "bob", f"rm {base}/f < /dev/null")
            if a != b:
                disagreements.append(f"{deed} with {kind}::{rights} on {group}: S3 {a}, NFS {b}")
    assert not disagreements, "\n".join(disagreements)


# ---- the wire


@pytest.fixture
def wire(gemel, bucket):
    """(alice's client, bob's client, the bucket's handle)"""
    alice, bob = Client(gemel.nfs_port, uid=ALICE, gid=ALICE), Client(gemel.nfs_port, uid=BOB, gid=BOB)
    yield alice, bob, alice.handle(bucket)
    alice.close()
    bob.close()


def make(client, directory, name="f", attributes=fattr({MODE: u32(0o600)})):
    """A new file; its handle."""
    status, stateid, handle = client.open(directory, name, WRITE, create=GUARDED, attributes=attributes)
    assert status == OK, status
    assert client.compound(putfh(handle), nfs4.close(stateid))[0] == OK
    return handle


def set_acl(client, handle, *aces):
    return client.compound(putfh(handle), nfs4.setattr({ACL: nfs4.acl(*aces)}))[0]


def get_acl(client, handle):
    status, results = client.compound(putfh(handle), getattr_acl())
    return results[-1] if status == OK else status


def mode_of(client, handle):
    status, results = client.compound(putfh(handle), nfs4.getattr(MODE))
    assert status == OK
    return int.from_bytes(results[-1], "big")


def test_what_is_supported(wire):
    alice, _, root = wire
    status, [_, supported] = alice.compound(putfh(root), nfs4.getattr(SUPPORTED))
    words = [int.from_bytes(supported[i : i + 4], "big") for i in range(4, len(supported), 4)]
    assert status == OK
    assert all(words[number // 32] >> number % 32 & 1 for number in (ACL, ACLSUPPORT, MODE, MODE_UMASK))
    status, [_, support] = alice.compound(putfh(root), nfs4.getattr(ACLSUPPORT))
    assert (status, support) == (OK, u32(3))  # allow and deny


def test_round_trip(wire):
    alice, bob, root = wire
    file = make(alice, root)
    aces = [
        (ALLOW, 0, READ_DATA | READ_ACL, str(BOB)), (DENY, GROUP, WRITE_DATA, "77"), (ALLOW, 0, 0x1F07FF, "OWNER@"),
        (ALLOW, GROUP, READ_DATA, "GROUP@"), (ALLOW, 0, READ_DATA, "EVERYONE@"), (ALLOW, 0, READ_DATA, "AUTHENTICATED@"), (ALLOW, INHERITED, READ_DATA, "ANONYMOUS@"),
    ]
    assert set_acl(alice, file, *aces) == OK
    assert get_acl(alice, file) == aces
    assert get_acl(bob, file) == aces
    assert mode_of(alice, file) == 0o744
    assert set_acl(alice, file) == OK  # no entry: denies everything
    assert get_acl(alice, file) == [] and mode_of(alice, file) == 0
    assert get_acl(bob, file) == nfs4.ACCESS
    many = [(ALLOW, 0, READ_DATA, str(10000 + i)) for i in range(500)]
    assert set_acl(alice, file, *many) == OK
    assert get_acl(alice, file) == many


@pytest.mark.parametrize("aces, status", [
    ([(2, 0, READ_DATA, "OWNER@")], nfs4.ATTRNOTSUPP),  # audit
    ([(3, 0, READ_DATA, "OWNER@")], nfs4.ATTRNOTSUPP),  # alarm
    ([(7, 0, READ_DATA, "OWNER@")], nfs4.ATTRNOTSUPP),
    ([(ALLOW, 0x10, READ_DATA, "OWNER@")], nfs4.ATTRNOTSUPP),  # a flag of audit entries
    ([(ALLOW, 0x100, READ_DATA, "OWNER@")], nfs4.ATTRNOTSUPP),
    ([(ALLOW, 0, 0x800, "OWNER@")], nfs4.ATTRNOTSUPP),
    ([(ALLOW, 0, 1 << 31, "OWNER@")], nfs4.ATTRNOTSUPP),
    ([(ALLOW, FILE, READ_DATA, "OWNER@")], nfs4.INVAL),  # of a file
    ([(ALLOW, INHERIT_ONLY, READ_DATA, "OWNER@")], nfs4.INVAL),
    ([(ALLOW, 0, READ_DATA, "nobody-knows@example.org")], nfs4.BADOWNER),
    ([(ALLOW, GROUP, READ_DATA, "nobody-knows@example.org")], nfs4.BADOWNER),
    ([(ALLOW, 0, READ_DATA, "4294967295")], nfs4.BADOWNER),
    ([(ALLOW, 0, READ_DATA, str(i)) for i in range(501)], nfs4.FBIG),
])
def test_what_is_refused(wire, aces, status):
    alice, _, root = wire
    file = make(alice, root)
    before = get_acl(alice, file)
    assert set_acl(alice, file, *aces) == status
    assert get_acl(alice, file) == before
    status, _, _ = alice.open(root, "g", WRITE, create=GUARDED, attributes=fattr({ACL: nfs4.acl(*aces)}))
    assert status != OK


def test_malformed(wire):
    alice, _, root = wire
    file = make(alice, root)
    for bytes_of in (u32(1), u32(0xFFFFFFFF), u32(1, ALLOW, 0, READ_DATA, 0), u32(1, ALLOW, 0, READ_DATA, 1 << 20), nfs4.acl((ALLOW, 0, 1, "OWNER@"))[:-4], b"\0"):
        assert alice.compound(putfh(file), nfs4.setattr({ACL: bytes_of}))[0] not in (OK, nfs4.DELAY)
    assert mode_of(alice, file) == 0o600


def test_mode_and_acl_in_one(wire):
    alice, bob, root = wire
    file = make(alice, root)
    aces = [(ALLOW, 0, READ_DATA, str(BOB)), (ALLOW, 0, READ_DATA | WRITE_DATA | APPEND, "OWNER@")]
    assert alice.compound(putfh(file), nfs4.setattr({MODE: u32(0o1777), ACL: nfs4.acl(*aces)}))[0] == OK
    assert get_acl(alice, file) == aces and mode_of(alice, file) == 0o1600
    made = make(alice, root, "made", fattr({MODE: u32(0o1777), ACL: nfs4.acl(*aces)}))
    assert get_acl(alice, made) == aces and mode_of(alice, made) == 0o1600
    assert alice.compound(putfh(root), nfs4.create_directory("dir", fattr({ACL: nfs4.acl(*aces)})))[0] == OK
    made = alice.handle_of(root, "dir")
    assert get_acl(alice, made) == aces and mode_of(alice, made) == 0o600
    assert bob.compound(putfh(file), nfs4.setattr({ACL: nfs4.acl(*aces)}))[0] == nfs4.PERM
    assert bob.compound(putfh(file), nfs4.setattr({MODE: u32(0o777)}))[0] == nfs4.PERM


def umask(mode, mask):
    return fattr({MODE_UMASK: u32(mode, mask)})


def test_mode_umask(wire):
    """RFC 8275."""
    alice, bob, root = wire
    assert mode_of(alice, make(alice, root, "f", umask(0o666, 0o027))) == 0o640
    shared = [(ALLOW, FILE | DIRECTORY, READ_DATA | WRITE_DATA | APPEND | EXECUTE, str(BOB)), (ALLOW, 0, 0x1F01FF, "OWNER@")]
    assert alice.compound(putfh(root), nfs4.create_directory("d", fattr({ACL: nfs4.acl(*shared)})))[0] == OK
    directory = alice.handle_of(root, "d")
    both = make(alice, directory, "both", umask(0o666, 0o077))
    assert get_acl(alice, both)[0] == (ALLOW, INHERITED, READ_DATA | WRITE_DATA | APPEND, str(BOB))
    assert mode_of(alice, both) == 0o600
    applied = make(alice, directory, "applied", fattr({MODE: u32(0o640)}))
    assert get_acl(alice, applied)[0] == (ALLOW, INHERITED, READ_DATA, str(BOB))
    stated = make(alice, directory, "unstated", fattr({}))
    assert get_acl(alice, stated)[0] == (ALLOW, INHERITED, shared[0][2], str(BOB)) and mode_of(alice, stated) == 0o600
    assert mode_of(alice, make(alice, root, "unstated", fattr({}))) == 0o600
    for attributes in (umask(0o10666, 0), umask(0o666, 0o1000), fattr({MODE: u32(0o644), MODE_UMASK: u32(0o644, 0)})):
        assert alice.open(directory, "no", WRITE, create=GUARDED, attributes=attributes)[0] == nfs4.INVAL
    assert alice.compound(putfh(both), (34, ANONYMOUS + umask(0o666, 0), nfs4.nothing))[0] == nfs4.INVAL


def granted(client, handle):
    status, results = client.compound(putfh(handle), nfs4.access())
    assert status == OK
    return results[-1]


def test_access(wire):
    alice, bob, root = wire
    file = make(alice, root)
    assert granted(bob, file) == 0
    for rights, bits in ((READ_DATA, ACCESS_READ), (WRITE_DATA, ACCESS_MODIFY | ACCESS_EXTEND), (APPEND, ACCESS_EXTEND), (EXECUTE, ACCESS_EXECUTE), (READ_DATA | EXECUTE, ACCESS_READ | ACCESS_EXECUTE)):
        assert set_acl(alice, file, (ALLOW, 0, rights, str(BOB))) == OK
        assert granted(bob, file) == bits, rights
    assert alice.compound(putfh(root), nfs4.create_directory("d"))[0] == OK
    directory = alice.handle_of(root, "d")
    for rights, bits in (
        (READ_DATA, ACCESS_READ), (EXECUTE, ACCESS_LOOKUP), (APPEND, ACCESS_EXTEND), (DELETE_CHILD, ACCESS_MODIFY | ACCESS_DELETE),
        (WRITE_DATA, ACCESS_EXTEND | ACCESS_MODIFY | ACCESS_DELETE),
    ):
        assert set_acl(alice, directory, (ALLOW, 0, rights, str(BOB))) == OK
        assert granted(bob, directory) == bits, rights


def test_append_only(wire):
    alice, bob, root = wire
    file = make(alice, root)
    assert set_acl(alice, file, (ALLOW, 0, APPEND, str(BOB)), (ALLOW, 0, READ_DATA | WRITE_DATA, "OWNER@")) == OK
    status, stateid, _ = bob.open(root, "f", WRITE)
    assert status == OK
    assert bob.compound(putfh(file), nfs4.write(stateid, 0, b"first"))[0] == OK
    assert bob.compound(putfh(file), nfs4.write(stateid, 5, b" more"))[0] == OK
    assert bob.compound(putfh(file), nfs4.write(stateid, 3, b"x"))[0] == nfs4.ACCESS
    assert bob.compound(putfh(file), nfs4.setattr_size(0, stateid))[0] == nfs4.ACCESS
    assert bob.compound(putfh(file), nfs4.close(stateid))[0] == OK


def test_readdir_with_acls(wire):
    alice, bob, root = wire
    assert alice.compound(putfh(root), nfs4.create_directory("d", fattr({MODE: u32(0o755)})))[0] == OK
    directory = alice.handle_of(root, "d")
    plain, listed = make(alice, directory, "plain"), make(alice, directory, "listed")
    aces = [(ALLOW, 0, READ_DATA | READ_ACL, str(BOB))]
    assert set_acl(alice, listed, *aces) == OK
    status, results = alice.compound(putfh(directory), nfs4.readdir_full((1 << ACL,)))
    assert status == OK
    found = {name: nfs4.Reader(value).acl() for _, name, value in results[-1][1]}
    assert found == {b"plain": get_acl(alice, plain), b"listed": aces}


def test_take_ownership(wire):
    alice, bob, root = wire
    file = make(alice, root)
    owner = nfs4.setattr({36: nfs4.opaque(str(BOB))})
    assert bob.compound(putfh(file), owner)[0] == nfs4.PERM
    assert set_acl(alice, file, (ALLOW, 0, 0x80000, str(BOB))) == OK
    assert bob.compound(putfh(file), owner)[0] == OK
    status, results = bob.compound(putfh(file), nfs4.getattr(36))
    assert (status, results[-1]) == (OK, nfs4.opaque(str(BOB)))
    assert bob.compound(putfh(file), nfs4.setattr({36: nfs4.opaque(str(EVE))}))[0] == nfs4.PERM
