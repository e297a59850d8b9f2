# SPDX-License-Identifier: Apache-2.0
"""NFSv4.2 on the wire, by a client that keeps no manners: what the kernel's client never sends, or checks by itself before it would."""
import os

import pytest

import nfs4
from harness import Gemel
from nfs4 import ANONYMOUS, BAD_STATEID, BOTH, DENIED, EXCLUSIVE, EXIST, GUARDED, INVAL, LOCKED, NOENT, NOTSUPP, OK, READ, ROFS, SHARE_DENIED, UNCHECKED, WRITE, Client, putfh


@pytest.fixture
def wire(gemel):
    client = Client(gemel.nfs_port)
    yield client
    client.close()


def test_share_reservations(gemel, wire):
    other = Client(gemel.nfs_port)
    root = wire.handle("demo")
    assert wire.open(root, "shared", READ, owner="a", create=UNCHECKED)[0] == OK
    status, mine, file = wire.open(root, "shared", BOTH, deny=WRITE, owner="a")
    assert status == OK
    for client, owner in ((wire, "b"), (other, "c")):
        assert client.open(root, "shared", WRITE, owner=owner)[0] == SHARE_DENIED
        assert client.open(root, "shared", READ, deny=READ, owner=owner)[0] == SHARE_DENIED  # who has it open may read
        status, reader, _ = client.open(root, "shared", READ, owner=owner)
        assert status == OK
        assert client.compound(putfh(file), nfs4.close(reader))[0] == OK
    assert wire.compound(putfh(file), nfs4.write(mine, 0, b"by the one who denies"))[0] == OK
    assert other.compound(putfh(file), nfs4.write(ANONYMOUS, 0, b"by nobody"))[0] in (LOCKED, SHARE_DENIED)
    assert other.compound(putfh(file), nfs4.setattr_size(0))[0] in (LOCKED, SHARE_DENIED)
    assert other.compound(putfh(file), nfs4.deallocate(0, 10))[0] in (LOCKED, SHARE_DENIED)
    status, results = wire.compound(putfh(file), nfs4.open_downgrade(mine, READ, 0))
    assert status == OK
    status, writer, _ = other.open(root, "shared", WRITE, owner="c")
    assert status == OK
    assert other.compound(putfh(file), nfs4.close(writer))[0] == OK
    assert wire.compound(putfh(file), nfs4.close(results[-1]))[0] == OK
    assert gemel.s3().get_object(Bucket="demo", Key="shared")["Body"].read() == b"by the one who denies"
    status, denier, _ = other.open(root, "shared", READ, deny=BOTH, owner="d")
    assert status == OK
    assert wire.open(root, "shared", READ, owner="a")[0] == SHARE_DENIED
    gemel.s3().put_object(Bucket="demo", Key="shared", Body=b"S3 replaces the file")  # a new inode: nobody denies anything there
    assert wire.open(root, "shared", READ, owner="a")[0] == OK
    other.close()


@pytest.mark.parametrize("access, deny, again, status", [
    (BOTH, READ, (READ, 0), SHARE_DENIED), (BOTH, WRITE, (WRITE, 0), SHARE_DENIED), (READ, BOTH, (READ, BOTH), SHARE_DENIED), (READ, 0, (READ, READ), SHARE_DENIED),
    (WRITE, 0, (BOTH, WRITE), SHARE_DENIED), (READ, WRITE, (READ, WRITE), OK), (READ, WRITE, (READ, 0), OK), (WRITE, READ, (WRITE, READ), OK), (BOTH, 0, (BOTH, 0), OK), (READ, 0, (READ, WRITE), OK),
])
def test_an_owner_s_own_deny_mode_counts(gemel, wire, access, deny, again, status):
    """OPEN of a file that the same owner has open (RFC 7530 16.16, RFC 8881 18.16): what is refused leaves the open as it was, what is granted is one open with it."""
    other, root, name = Client(gemel.nfs_port), wire.handle("demo"), f"own-{access}-{deny}-{again[0]}-{again[1]}"
    got, stateid, file = wire.open(root, name, access, deny=deny, owner="o", create=UNCHECKED)
    assert got == OK
    got, second, _ = wire.open(root, name, again[0], deny=again[1], owner="o")
    assert got == status
    deny |= again[1] if status == OK else 0
    for bit in (READ, WRITE):
        got, theirs, _ = other.open(root, name, bit, owner="p")
        assert got == (SHARE_DENIED if deny & bit else OK)
        if got == OK:
            assert other.compound(putfh(file), nfs4.close(theirs))[0] == OK
    assert wire.compound(putfh(file), nfs4.close(second or stateid))[0] == OK
    assert other.open(root, name, BOTH, deny=BOTH, owner="p")[0] == OK
    other.close()


def test_a_stateid_is_its_client_s(gemel, wire):
    """RFC 8881 8.2.4: also when the other client has the file open, too."""
    other, root = Client(gemel.nfs_port), wire.handle("demo")
    status, mine, file = wire.open(root, "two", BOTH, create=UNCHECKED)
    assert status == OK
    status, theirs, _ = other.open(root, "two", READ)
    assert status == OK
    status, results = wire.compound(putfh(file), nfs4.lock(mine, wire.clientid, 0, 100))
    assert status == OK
    locked = results[-1]
    for op in (nfs4.lock(mine, other.clientid, 200, 1), nfs4.unlock(locked, 0, 100), nfs4.open_downgrade(mine, READ), nfs4.read(mine, 0, 1), nfs4.write(mine, 0, b"x")):
        assert other.compound(putfh(file), op)[0] == BAD_STATEID
    assert other.compound(putfh(file), nfs4.close(mine))[0] in (OK, BAD_STATEID)  # ganesha: OK for what nobody has; closes nothing
    assert other.compound(putfh(file), nfs4.lockt(other.clientid, 50, 1))[0] == DENIED
    assert other.compound(putfh(file), nfs4.read(ANONYMOUS, 0, 1))[0] == OK
    assert other.compound(putfh(file), nfs4.close(theirs))[0] == OK
    assert wire.compound(putfh(file), nfs4.write(mine, 0, b"x"))[0] == OK
    assert wire.compound(putfh(file), nfs4.unlock(locked, 0, 100))[0] == OK
    assert wire.compound(putfh(file), nfs4.close(mine))[0] == OK
    other.close()


def test_names_with_a_zero_byte(gemel, wire):
    root = wire.handle("demo")
    wire.make(root, "zero")
    for op in (nfs4.lookup(b"zero\0x"), nfs4.remove(b"zero\0x"), nfs4.create_directory(b"new\0x"), nfs4.create_symlink("new", b"to\0x")):
        assert wire.compound(putfh(root), op)[0] == INVAL
    assert wire.compound(putfh(root), nfs4.savefh(), putfh(root), nfs4.rename("zero", b"new\0x"))[0] == INVAL
    assert wire.open(root, b"new\0x", create=UNCHECKED)[0] == INVAL
    assert wire.compound(putfh(root), nfs4.lookup("zero"))[0] == OK
    assert wire.compound(putfh(root), nfs4.lookup("new"))[0] == NOENT


def test_read_behind_any_end(gemel, wire):
    """Nothing and "end of file" (RFC 8881 18.22.3), also where no file can be."""
    wire.make(wire.handle("demo"), "short")
    file = wire.handle("demo", "short")
    assert wire.compound(putfh(file), nfs4.write(ANONYMOUS, 0, b"short"))[0] == OK
    whole = lambda reply: (reply.u32(), reply.opaque())
    for offset in (5, 1 << 40, (1 << 62) - 1, 1 << 62, (1 << 62) + 1, (1 << 63) - 4, (1 << 63) + 4, (1 << 64) - 4096, (1 << 64) - 1):
        assert wire.compound(putfh(file), (25, ANONYMOUS + nfs4.u64(offset) + nfs4.u32(4096), whole)) == (OK, [None, (1, b"")]), offset


def test_servers_are_told_apart(gemel, scratch):
    """Two servers on one address have two owners and two scopes, and give no client the same id; a server keeps its own through a restart (RFC 8881 2.10.4)."""
    other = Gemel(scratch / "other")
    other.start()
    here, there = Client(gemel.nfs_port), Client(other.nfs_port)
    assert here.server_owner != there.server_owner and here.server_scope != there.server_scope
    assert here.clientid >> 32 != there.clientid >> 32
    assert here.server_owner == Client(gemel.nfs_port).server_owner
    other.stop()
    other.start()
    again = Client(other.nfs_port)
    assert (again.server_owner, again.server_scope) == (there.server_owner, there.server_scope)
    assert again.clientid >> 32 != there.clientid >> 32
    other.stop()
    other.assert_clean()


def test_exclusive_create_survives_a_restart(scratch):
    """The verifier is kept with the file: a client that repeats its request (it never saw the answer) gets its file, and nobody else does."""
    server = Gemel(scratch / "exclusive", options={"nfs.grace": 5, "nfs.lease": 5})
    server.start()
    verifier = os.urandom(8)
    client = Client(server.nfs_port)
    root = client.handle("demo")
    status, stateid, file = client.open(root, "only", create=EXCLUSIVE, verifier=verifier)
    assert status == OK
    assert client.open(root, "only", create=EXCLUSIVE, verifier=os.urandom(8), owner="z")[0] == EXIST
    assert client.open(root, "only", create=GUARDED, owner="z")[0] == EXIST
    status, stateid, again = client.open(root, "only", create=EXCLUSIVE, verifier=verifier)
    assert (status, again) == (OK, file)
    assert client.compound(putfh(file), nfs4.write(stateid, 0, b"x"), nfs4.close(stateid))[0] == OK
    client.close()
    server.kill_all()
    server.start()
    client = Client(server.nfs_port)
    for _ in range(40):
        status, stateid, again = client.open(root, "only", create=EXCLUSIVE, verifier=verifier)
        if status != 10013:  # grace: the first client might still come back
            break
        import time

        time.sleep(0.5)
    assert (status, again) == (OK, file)
    assert client.open(root, "only", create=EXCLUSIVE, verifier=os.urandom(8), owner="z")[0] == EXIST
    client.close()
    server.stop()
    server.assert_clean()


def test_what_is_not_done_is_refused(gemel, wire):
    """READ_PLUS (which ganesha would answer with success and nothing), COPY and CLONE: clients fall back to READ and WRITE."""
    root = wire.handle("demo")
    _, source, a = wire.open(root, "from", create=UNCHECKED, owner="s")
    _, target, b = wire.open(root, "to", create=UNCHECKED, owner="t")
    assert wire.compound(putfh(a), nfs4.write(source, 0, b"data"))[0] == OK
    assert wire.compound(putfh(a), nfs4.read_plus(source, 0, 4))[0] == NOTSUPP
    for op in (nfs4.copy, nfs4.clone):
        assert wire.compound(putfh(a), nfs4.savefh(), putfh(b), op(source, target, 4))[0] == NOTSUPP
    status, results = wire.compound(putfh(a), nfs4.read(source, 0, 100))
    assert status == OK and results[-1] == b"data"


def test_read_only_export(scratch):
    """Also what ganesha lets through by itself: ALLOCATE, DEALLOCATE, SETXATTR, REMOVEXATTR. Nothing at all changes."""
    server = Gemel(scratch / "ro-wire", options={"nfs.access": "ro"})
    server.start()
    s3 = server.s3()
    s3.put_object(Bucket="demo", Key="f", Body=b"data" * 1000, Metadata={"a": "b"})
    before = s3.head_object(Bucket="demo", Key="f")
    client = Client(server.nfs_port)
    root, file = client.handle("demo"), client.handle("demo", "f")
    on_file = {
        "WRITE": nfs4.write(ANONYMOUS, 0, b"x"), "WRITE unstable": nfs4.write(ANONYMOUS, 0, b"x", 0), "SETATTR mode": nfs4.setattr_mode(), "SETATTR size": nfs4.setattr_size(1), "ALLOCATE": nfs4.allocate(0, 100000),
        "DEALLOCATE": nfs4.deallocate(0, 100), "SETXATTR": nfs4.setxattr("new", b"x"), "SETXATTR of S3": nfs4.setxattr("s3.meta.a", b"x"), "REMOVEXATTR": nfs4.removexattr("s3.meta.a"),
    }
    on_root = {"CREATE": nfs4.create_directory("d"), "CREATE symlink": nfs4.create_symlink("s", "f"), "REMOVE": nfs4.remove("f")}
    for what, (handle, op) in {**{k: (file, v) for k, v in on_file.items()}, **{k: (root, v) for k, v in on_root.items()}}.items():
        assert client.compound(putfh(handle), op)[0] == ROFS, what
    assert client.compound(putfh(root), nfs4.savefh(), putfh(root), nfs4.rename("f", "g"))[0] == ROFS
    assert client.compound(putfh(file), nfs4.savefh(), putfh(root), nfs4.link("g"))[0] == ROFS
    for create in (None, UNCHECKED, GUARDED, EXCLUSIVE):
        for access in (WRITE, BOTH):
            assert client.open(root, "f" if create is None else "new", access, create=create)[0] == ROFS, (create, access)
    assert client.open(root, "new", READ, create=UNCHECKED)[0] == ROFS
    status, stateid, _ = client.open(root, "f", READ)
    assert status == OK
    assert client.compound(putfh(file), nfs4.write(stateid, 0, b"x"))[0] != OK
    status, results = client.compound(putfh(file), nfs4.read(stateid, 0, 8))
    assert status == OK and results[-1] == b"datadata"
    after = s3.head_object(Bucket="demo", Key="f")
    assert (after["ETag"], after["LastModified"], after["Metadata"], after["ContentLength"]) == (before["ETag"], before["LastModified"], {"a": "b"}, 4000)
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="demo")["Contents"]] == ["f"]
    client.close()
    server.stop()
    server.assert_clean()


def test_truncation_in_an_open(gemel):
    """OPEN with a size of 0 asks for `w` of the owner too, whether the server knows the file already (by handle) or not (by name); SETATTR does not."""
    gemel.new_user("trunc", 1777)
    bucket = gemel.new_bucket(owner="trunc", mode="0777")
    client = Client(gemel.nfs_port, uid=1777, gid=1777)
    root = client.handle(bucket)
    emptied = nfs4.u32(1, 1 << 4) + nfs4.opaque(nfs4.u64(0))

    def chmod(file, mode):
        set_mode = 34, ANONYMOUS + nfs4.u32(2, 0, 1 << 1) + nfs4.opaque(nfs4.u32(mode)), nfs4.Reader.bitmap
        assert client.compound(putfh(file), set_mode)[0] == OK

    def open_empty(owner, access=READ):
        args = nfs4.u32(0, access | 0x400, 0) + nfs4.u64(client.clientid) + nfs4.opaque(owner) + nfs4.u32(1, UNCHECKED) + emptied + nfs4.u32(0) + nfs4.opaque("f")
        status, results = client.compound(putfh(root), (18, args, nfs4.open_result))
        return status, results[-1] if status == OK else None

    def size(file):
        _, results = client.compound(putfh(file), nfs4.getattr(4))
        return int.from_bytes(results[-1], "big")

    status, state, file = client.open(root, "f", create=EXCLUSIVE, verifier=os.urandom(8))
    assert status == OK and client.compound(putfh(file), nfs4.write(state, 0, b"text"))[0] == OK
    assert client.compound(putfh(file), nfs4.close(state))[0] == OK
    chmod(file, 0o444)
    assert open_empty("a")[0] == nfs4.ACCESS and size(file) == 4
    chmod(file, 0o644)
    status, state = open_empty("a")
    assert status == OK and size(file) == 0
    assert client.compound(putfh(file), nfs4.write(ANONYMOUS, 0, b"more"))[0] == OK and size(file) == 4
    # The same owner once more: it has the file open already.
    status, state = open_empty("a")
    assert status == OK and size(file) == 0
    assert client.compound(putfh(file), nfs4.write(ANONYMOUS, 0, b"more"))[0] == OK
    chmod(file, 0o444)
    assert open_empty("a")[0] == nfs4.ACCESS and size(file) == 4
    assert client.compound(putfh(file), nfs4.setattr_size(0))[0] == OK and size(file) == 0
    assert client.compound(putfh(file), nfs4.close(state))[0] == OK
    client.close()
