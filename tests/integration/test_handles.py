# SPDX-License-Identifier: Apache-2.0
"""Handles outlive names, and nobody can make one: what has lost its name is STALE, but to the client that has it open; what lies in a bucket answers only who may search the bucket."""
import struct
import threading

import pytest

import nfs4
from harness import Gemel
from nfs4 import ACCESS, ANONYMOUS, BOTH, DELAY, DENIED, GRACE, GUARDED, OK, READ, STALE, UNCHECKED, Client, putfh

MODE, SIZE, TYPE = 33, 4, 1
BADHANDLE = 10001
HANDLE = 32  # bytes of our part of a handle, at its end


@pytest.fixture
def clients(gemel):
    """Two clients of their own."""
    pair = Client(gemel.nfs_port), Client(gemel.nfs_port)
    yield pair
    for client in pair:
        client.close()


def write_file(client, directory, name, data):
    """Makes a file, closed; its handle."""
    status, stateid, handle = client.open(directory, name, create=UNCHECKED)
    assert status == OK
    assert client.compound(putfh(handle), nfs4.setattr_size(0, stateid), nfs4.write(stateid, 0, data), nfs4.close(stateid))[0] == OK
    return handle


def ops_on_a_file():
    return {
        "GETATTR": [nfs4.getattr(TYPE, SIZE, MODE)], "NVERIFY": [nfs4.nverify_type()], "SETATTR mode": [nfs4.setattr_mode()], "SETATTR size": [nfs4.setattr_size(1)], "READ": [nfs4.read(ANONYMOUS, 0, 4)],
        "WRITE": [nfs4.write(ANONYMOUS, 0, b"x")], "COMMIT": [nfs4.commit()], "ALLOCATE": [nfs4.allocate(0, 10)], "DEALLOCATE": [nfs4.deallocate(0, 1)], "GETXATTR": [nfs4.getxattr("a")],
        "SETXATTR": [nfs4.setxattr("b", b"x")], "LISTXATTRS": [nfs4.listxattrs()], "REMOVEXATTR": [nfs4.removexattr("a")],
    }


def ops_on_a_directory():
    return {
        "GETATTR": [nfs4.getattr(TYPE)], "SETATTR": [nfs4.setattr_mode()], "LOOKUP": [nfs4.lookup("in")], "LOOKUP of what never was": [nfs4.lookup("nothing")], "LOOKUPP": [nfs4.lookupp()], "READDIR": [nfs4.readdir()],
        "CREATE": [nfs4.create_directory("sub")], "REMOVE": [nfs4.remove("in")], "LISTXATTRS": [nfs4.listxattrs()], "SETXATTR": [nfs4.setxattr("b", b"x")], "ACCESS": [nfs4.access()],
    }


def assert_all(client, handle, ops, want):
    for what, op in ops.items():
        assert client.compound(putfh(handle), *op)[0] == want, what


def link_of(client, handle, directory):
    return client.compound(putfh(handle), nfs4.savefh(), putfh(directory), nfs4.link("made-by-link"))[0]


@pytest.mark.parametrize("way", ["s3 put", "s3 delete", "rename", "remove"])
def test_what_lost_its_name(gemel, clients, way):
    """Nobody has it open: everything is STALE, so a client looks the name up again, and changes by path reach the file that bears the name now."""
    one, two = clients
    root, s3 = one.handle("demo"), gemel.s3()
    name = "lost-" + way.replace(" ", "-")
    handle = write_file(one, root, name, b"older")
    assert one.compound(putfh(handle), nfs4.setxattr("a", b"1"))[0] == OK
    if way == "s3 put":
        s3.put_object(Bucket="demo", Key=name, Body=b"newer")
    elif way == "s3 delete":
        s3.delete_object(Bucket="demo", Key=name)
    elif way == "rename":
        write_file(two, root, name + ".new", b"newer")
        assert two.compound(putfh(root), nfs4.savefh(), putfh(root), nfs4.rename(name + ".new", name))[0] == OK
    else:
        assert two.compound(putfh(root), nfs4.remove(name))[0] == OK
    assert_all(one, handle, ops_on_a_file(), STALE)
    assert link_of(one, handle, root) == STALE
    assert one.compound(putfh(handle), nfs4.access())[0] == STALE
    assert one.open_handle(handle)[0] == STALE
    if way in ("s3 put", "rename"):
        fresh = one.handle("demo", name)
        assert fresh != handle
        assert one.compound(putfh(fresh), nfs4.read(ANONYMOUS, 0, 10))[1][-1] == b"newer"


def test_a_directory_made_anew(clients):
    one, two = clients
    root = one.handle("demo")
    assert one.compound(putfh(root), nfs4.create_directory("anew"))[0] == OK
    handle = one.handle("demo", "anew")
    assert two.compound(putfh(root), nfs4.remove("anew"))[0] == OK
    assert two.compound(putfh(root), nfs4.create_directory("anew"))[0] == OK
    assert two.make(two.handle("demo", "anew"), "in") == OK
    assert_all(one, handle, ops_on_a_directory(), STALE)
    for create in (None, UNCHECKED, GUARDED):
        assert one.open(handle, "in", READ, create=create)[0] == STALE, create


def test_a_link_that_was_replaced(gemel, clients):
    one, two = clients
    root = one.handle("demo")
    assert one.compound(putfh(root), nfs4.create_symlink("sym", "older"))[0] == OK
    handle = one.handle("demo", "sym")
    assert one.compound(putfh(handle), nfs4.readlink()) == (OK, [None, b"older"])
    gemel.s3().put_object(Bucket="demo", Key="sym", Body=b"newer")
    assert one.compound(putfh(handle), nfs4.readlink())[0] == STALE
    assert one.compound(putfh(handle), nfs4.getattr(TYPE))[0] == STALE


def test_open_without_a_name(gemel, clients):
    """It stays whole for the client that has it open. For all others it is STALE, and that must not cost the opener anything: FSAL_MDCACHE would drop an object that it sees answer STALE, with all opens and locks."""
    one, two = clients
    root, s3 = one.handle("demo"), gemel.s3()
    write_file(one, root, "opened", b"older")
    assert one.open(root, "opened", READ, owner="first")[0] == OK
    status, stateid, handle = one.open(root, "opened", owner="first")
    assert status == OK
    status, results = one.compound(putfh(handle), nfs4.lock(stateid, one.clientid, 0, 2))
    assert status == OK
    s3.put_object(Bucket="demo", Key="opened", Body=b"newer")
    fresh = two.handle("demo", "opened")
    for _ in range(2):
        assert_all(two, handle, ops_on_a_file(), STALE)
        assert two.open_handle(handle)[0] == STALE
        # What the opener's system calls on the open file send: with a stateid, or with nothing but the handle.
        status, results = one.compound(
            putfh(handle), nfs4.getattr(SIZE), nfs4.setattr_mode(), nfs4.setxattr("a", b"1"), nfs4.getxattr("a"), nfs4.setattr_size(5, stateid), nfs4.write(stateid, 0, b"O"), nfs4.commit(), nfs4.read(stateid, 0, 10),
        )
        assert (status, len(results)) == (OK, 9), results
        assert results[-1] == b"Older" and results[1] == struct.pack(">Q", 5)
        # By path: another file is meant.
        assert one.open_handle(handle, owner="first")[0] == STALE
        assert one.open_handle(handle, READ, owner="second")[0] == STALE
        assert one.compound(putfh(handle), nfs4.setattr_size(0))[0] == STALE
        assert link_of(one, handle, root) == link_of(two, handle, root) == STALE
        assert one.compound(putfh(handle), nfs4.lockt(one.clientid, 0, 1))[0] == DENIED  # the lock is there still
    status, results = one.compound(putfh(handle), nfs4.open_downgrade(stateid, READ))
    assert status == OK
    stateid = results[-1]
    assert one.compound(putfh(handle), nfs4.getattr(TYPE), nfs4.close(stateid))[0] in (OK, 10037)  # locks are held
    assert one.compound(putfh(fresh), nfs4.read(ANONYMOUS, 0, 10))[1][-1] == b"newer"


def test_closed_for_good(gemel, clients):
    one, _ = clients
    root = one.handle("demo")
    write_file(one, root, "closed", b"older")
    status, stateid, handle = one.open(root, "closed")
    assert status == OK
    gemel.s3().delete_object(Bucket="demo", Key="closed")
    assert one.compound(putfh(handle), nfs4.getattr(TYPE), nfs4.close(stateid))[0] == OK
    assert_all(one, handle, ops_on_a_file(), STALE)


def test_names_that_exist_are_never_stale(gemel, clients):
    """LOOKUP or OPEN by name, and what follows in the same compound, while the name is given to one file after another."""
    one, _ = clients
    root, s3, stop, failures = one.handle("demo"), gemel.s3(), threading.Event(), []
    s3.put_object(Bucket="demo", Key="busy", Body=b"0")

    def replace():
        while not stop.is_set():
            try:
                s3.put_object(Bucket="demo", Key="busy", Body=b"0")
            except Exception as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=replace) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for i in range(1500):
            status, _ = one.compound(putfh(root), nfs4.lookup("busy"), nfs4.getfh(), nfs4.getattr(TYPE, SIZE), nfs4.access(), nfs4.read(ANONYMOUS, 0, 1), nfs4.listxattrs())
            assert status == OK, i
            status, stateid, handle = one.open(root, "busy", READ, create=UNCHECKED if i % 2 else None)
            assert status == OK, i
            status, results = one.compound(putfh(handle), nfs4.getattr(SIZE), nfs4.read(stateid, 0, 10), nfs4.close(stateid))
            assert status == OK and results[2] == b"0", i
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures


def forged(handle, ino):
    """The handle of another inode, as somebody makes it who knows all but the store's secret: the number stands before the code."""
    return handle[:-16] + struct.pack(">Q", ino) + handle[-8:]


def test_made_up_handles(gemel):
    """Somebody who may not search the bucket, with handles that somebody else passed on: not even the kind of a file is told. And with all inode numbers there are, made into handles: no look at any."""
    gemel.new_user("secretive", 4001)
    bucket = gemel.new_bucket(owner="secretive", mode="0700")
    root_client, stranger = Client(gemel.nfs_port), Client(gemel.nfs_port, uid=4444, gid=4444)
    gemel.s3().put_object(Bucket=bucket, Key="dir/in", Body=b"secret", Metadata={"a": "secret"})
    top = root_client.handle(bucket)
    directory, file = root_client.handle(bucket, "dir"), root_client.handle(bucket, "dir", "in")
    assert root_client.compound(putfh(top), nfs4.create_symlink("link", "secret"))[0] == OK
    link = root_client.handle(bucket, "link")
    status, stateid, opened = root_client.open(directory, "in", BOTH)
    assert status == OK and opened == file
    assert root_client.compound(putfh(file), nfs4.lock(stateid, root_client.clientid, 0, 2))[0] == OK
    assert_all(stranger, file, ops_on_a_file(), ACCESS)
    directory_ops = ops_on_a_directory()
    del directory_ops["ACCESS"]  # answers that there are no rights
    assert_all(stranger, directory, directory_ops, ACCESS)
    assert stranger.compound(putfh(link), nfs4.readlink())[0] == ACCESS
    assert stranger.compound(putfh(link), nfs4.getattr(TYPE))[0] == ACCESS
    lockt, saved = nfs4.lockt(stranger.clientid, 0, 1), [putfh(file), nfs4.savefh(), putfh(top)]
    for ops in ([putfh(file)], [putfh(file), nfs4.savefh()], [*saved, nfs4.restorefh()]):  # where LOCKT is about the file …
        assert stranger.compound(*ops, lockt)[0] == stranger.compound(*ops, nfs4.lookupp())[0] == ACCESS, ops
    for ops in ([putfh(file), putfh(top)], saved, [*saved, nfs4.savefh(), nfs4.restorefh()]):  # … and where another handle is current
        assert stranger.compound(*ops, nfs4.lookupp())[0] == OK, ops
    for handle in (file, directory, link):
        status, results = stranger.compound(putfh(handle), nfs4.access())
        assert status == ACCESS or results[-1] == 0
    assert link_of(stranger, file, directory) == link_of(stranger, link, top) == ACCESS
    for access in (READ, BOTH):
        assert stranger.open_handle(file, access)[0] == ACCESS
    assert stranger.open(directory, "in", READ)[0] == ACCESS
    # The root of a bucket answers everybody: a client that mounts the bucket asks.
    assert stranger.compound(putfh(top), nfs4.getattr(TYPE, MODE))[0] == OK
    assert stranger.compound(putfh(top), nfs4.readdir())[0] == ACCESS
    start, last = stranger.handle(), struct.unpack(">Q", link[-16:-8])[0]
    assert forged(start, last)[:-8] == link[:-8]
    for ino in range(2, last + 2):
        for client in (stranger, root_client):
            assert client.compound(putfh(forged(start, ino)), nfs4.getattr(TYPE))[0] == BADHANDLE, ino
    assert root_client.compound(putfh(file), nfs4.read(stateid, 0, 10))[1][-1] == b"secret"
    root_client.close()
    stranger.close()


def test_altered_handles(gemel):
    """A file that everybody may read, in a bucket that nobody else may search: one bit of each byte of its handle, its beginnings, and what is longer."""
    gemel.new_user("discreet", 4005)
    bucket = gemel.new_bucket(owner="discreet", mode="0700")
    gemel.s3().put_object(Bucket=bucket, Key="in", Body=b"secret")
    client = Client(gemel.nfs_port)
    handle, others = client.handle(bucket, "in"), client.handle("demo")
    look = nfs4.getattr(TYPE)
    assert client.compound(putfh(handle), look)[0] == OK
    for at in range(len(handle) - HANDLE, len(handle)):
        altered = handle[:at] + bytes([handle[at] ^ 1 << at % 8]) + handle[at + 1 :]
        of_store = 1 <= at - (len(handle) - HANDLE) < 8
        assert client.compound(putfh(altered), look)[0] == (STALE if of_store else BADHANDLE), at
    for altered in (handle[:-8] + others[-8:], *(handle[:length] for length in range(len(handle))), handle + b"\0"):
        assert client.compound(putfh(altered), look)[0] in (BADHANDLE, STALE), altered
    assert client.compound(putfh(handle), look)[0] == OK
    client.close()


def test_handle_of_another_store(gemel, fresh):
    """Stale: the client looks for the file anew. After a restart, the store knows its handles."""
    here, there = Client(gemel.nfs_port), Client(fresh.nfs_port)
    fresh.s3().put_object(Bucket="demo", Key="f", Body=b"here")
    handle = there.handle("demo", "f")
    assert here.compound(putfh(handle), nfs4.getattr(TYPE))[0] == STALE
    there.close()
    fresh.stop()
    fresh.start()
    there = Client(fresh.nfs_port)
    assert there.handle("demo", "f") == handle
    assert there.compound(putfh(handle), nfs4.getattr(TYPE))[0] == OK
    for client in (here, there):
        client.close()


def test_states_of_other_clients(gemel):
    """LOCK, LOCKU, CLOSE and OPEN_DOWNGRADE with a state that another client got: refused, and its owner goes on."""
    gemel.new_user("keeper", 4011)
    bucket = gemel.new_bucket(owner="keeper", mode="0700")
    keeper, stranger = Client(gemel.nfs_port, uid=4011, gid=4011), Client(gemel.nfs_port, uid=4012, gid=4012)
    top = keeper.handle(bucket)
    status, stateid, file = keeper.open(top, "kept", BOTH, create=nfs4.UNCHECKED)
    assert status == OK and keeper.compound(putfh(file), nfs4.write(stateid, 0, b"kept"))[0] == OK
    assert keeper.compound(putfh(top), nfs4.remove("kept"))[0] == OK
    for op in (nfs4.lock(stateid, stranger.clientid, 0, 2), nfs4.open_downgrade(stateid, READ), nfs4.close(stateid)):
        for ops in ([putfh(file), op], [putfh(file), nfs4.savefh(), putfh(top), nfs4.restorefh(), op]):
            assert stranger.compound(*ops)[0] == ACCESS, op
    assert keeper.compound(putfh(file), nfs4.lock(stateid, keeper.clientid, 0, 2))[0] == OK
    assert keeper.compound(putfh(file), nfs4.read(stateid, 0, 10))[1][-1] == b"kept"
    assert keeper.compound(putfh(file), nfs4.write(stateid, 0, b"more"))[0] == OK
    status, others, other = keeper.open(top, "closed", BOTH, create=nfs4.UNCHECKED)
    assert keeper.compound(putfh(other), nfs4.close(others))[0] == OK
    keeper.close()
    stranger.close()


def test_reclaim_of_what_lost_its_name(scratch):
    """The server dies and comes back: the client that had the file open goes on with it. One of NFSv4.0, which cannot say whether it still has it open, is told to wait; all others get STALE at once."""
    server = Gemel(scratch / "reclaim", options={"nfs.grace": 5, "nfs.lease": 5})
    server.start()
    holder, other = Client(server.nfs_port), Client(server.nfs_port)
    root = holder.handle("demo")
    write_file(holder, root, "kept", b"older")
    status, _, handle = holder.open(root, "kept", owner="keeper")
    assert status == OK
    server.s3().put_object(Bucket="demo", Key="kept", Body=b"newer")
    holder.close()
    other.close()
    server.kill_all()
    server.start()
    again, other = Client(server.nfs_port, name=holder.name, reclaims=True), Client(server.nfs_port)
    old = lambda *ops: other.call(*ops, minor=0)[0]
    assert old(putfh(handle), nfs4.getattr(TYPE)) == DELAY
    assert other.compound(putfh(handle), nfs4.getattr(TYPE))[0] == STALE
    assert other.open_handle(handle)[0] in (STALE, GRACE)
    status, stateid = again.open_handle(handle, BOTH, owner="keeper", claim=1)
    assert status == OK
    again.reclaim_complete()
    status, results = again.compound(putfh(handle), nfs4.getattr(SIZE), nfs4.read(stateid, 0, 10))
    assert status == OK and results[-1] == b"older"
    assert other.compound(putfh(handle), nfs4.getattr(TYPE))[0] == STALE
    assert again.compound(putfh(handle), nfs4.close(stateid))[0] == OK
    again.close()
    other.close()
    server.stop()
    server.assert_clean()


# ---- the kernel's client: system calls by path reach the file that bears the name

BY_PATH = {
    "chmod": ("chmod 600 F", "stat -c %a F", "600"),
    "chown": ("chown 5:5 F", "stat -c %u F", "5"),
    "setxattr": ("setfattr -n user.a -v 1 F", "getfattr --only-values -n user.a F", "1"),
    "removexattr": ("setfattr -x user.s3.meta.gone F", "getfattr -d F", ""),
    "utimes": ("touch -d @1 F", "stat -c %Y F", "1"),
    "truncate": ("truncate -c -s 2 F", "stat -c %s F", "2"),
    "link": ("ln F F.link", "cat F.link", "newer"),
    "read": ("cat F > F.copy", "cat F.copy", "newer"),
    "append": ("printf x >> F", "cat F", "newerx"),
}


@pytest.mark.parametrize("way", ["s3", "rename"])
def test_changes_by_path(gemel, kernel, mounted, clients, way):
    """The kernel has looked the name up; another client or S3 replaces the file; a system call by path must change the new one."""
    _, two = clients
    s3 = gemel.s3()
    top = f"{mounted}/by-path-{way}"
    kernel.run(f"mkdir {top}")
    directory = two.handle("demo", f"by-path-{way}")
    for what, (do, look, want) in BY_PATH.items():
        assert two.compound(putfh(directory))[0] == OK  # keeps its lease: with S3 it asks nothing else in here
        path, key = f"{top}/{what}", f"by-path-{way}/{what}"
        kernel.run(f"printf older > {path}; setfattr -n user.s3.meta.gone -v 1 {path}; stat {path}; sleep 0.3; stat {path}")
        if way == "s3":
            s3.put_object(Bucket="demo", Key=key, Body=b"newer", Metadata={"gone": "1"})
        else:
            fresh = write_file(two, directory, what + ".new", b"newer")
            assert two.compound(putfh(fresh), nfs4.setxattr("s3.meta.gone", b"1"))[0] == OK
            assert two.compound(putfh(directory), nfs4.savefh(), putfh(directory), nfs4.rename(what + ".new", what))[0] == OK
        kernel.run(do.replace("F", path))
        assert kernel.run(f"ls {top} > /dev/null; {look.replace('F', path)}").text.strip() == want, what
    kernel.run(f"mkdir {top}/dir && stat {top}/dir")
    assert two.compound(putfh(directory), nfs4.remove("dir"))[0] == OK
    assert two.compound(putfh(directory), nfs4.create_directory("dir"))[0] == OK
    kernel.run(f"chmod 711 {top}/dir && ls {top} > /dev/null && test $(stat -c %a {top}/dir) = 711")
    kernel.run(f"printf x > {top}/gone && stat {top}/gone")
    s3.delete_object(Bucket="demo", Key=f"by-path-{way}/gone")
    result = kernel.run(f"chmod 711 {top}/gone", check=False)
    assert result.rc == 1 and b"No such file" in result.stderr


def test_an_open_file_goes_on(gemel, kernel, mounted):
    """All that a process can do with a descriptor, after S3 replaced the file under it; but for fstat(2): glibc asks by an empty path, and Linux (6.1) itself says ESTALE when the link count is 0."""
    gemel.s3().put_object(Bucket="demo", Key="descriptor", Body=b"older")
    kernel.run("rm -f /run/opened /run/replaced; mkfifo /run/replaced")
    python = f"""
import fcntl, os
fd = os.open('{mounted}/descriptor', os.O_RDWR)
fcntl.lockf(fd, fcntl.LOCK_EX)
open('/run/opened', 'w').close()
open('/run/replaced').read()
os.fchmod(fd, 0o640); os.fchown(fd, 7, 7); os.utime(fd, (3, 3)); os.setxattr(fd, 'user.k', b'v')
assert os.getxattr(fd, 'user.k') == b'v' and os.lseek(fd, 0, os.SEEK_END) == 5
os.pwrite(fd, b'O', 0); os.fsync(fd); os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
assert os.pread(fd, 9, 0) == b'Older'
os.ftruncate(fd, 3); os.posix_fallocate(fd, 0, 8); assert os.lseek(fd, 0, os.SEEK_END) == 8
fcntl.lockf(fd, fcntl.LOCK_UN)
os.close(fd)
"""
    result = []
    thread = threading.Thread(target=lambda: result.append(kernel.run(f"/usr/bin/python3 -c \"{python}\"", timeout=60, check=False)))
    thread.start()
    kernel.run("until test -e /run/opened; do sleep 0.1; done")
    gemel.s3().put_object(Bucket="demo", Key="descriptor", Body=b"newer")
    kernel.run("echo > /run/replaced")
    thread.join()
    assert result[0].rc == 0, result[0].stderr
    assert gemel.s3().get_object(Bucket="demo", Key="descriptor")["Body"].read() == b"newer"
    assert kernel.run(f"ls {mounted} > /dev/null; stat -c %a {mounted}/descriptor").text.strip() == "644"


def test_store_is_whole(gemel):
    gemel.check_store()
