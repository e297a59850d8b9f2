# SPDX-License-Identifier: Apache-2.0
"""Requests and replies that could get too big for ganesha, for the session or for the client: each must come in pieces or as an error. A reply that cannot be encoded ends the connection, and a kernel client asks for it for ever."""
import pytest

import nfs4
from nfs4 import GRACE, NOSPC, OK, TOOSMALL, XATTR2BIG, Client, putfh

REP_TOO_BIG = 10066


@pytest.fixture(scope="module")
def wire(gemel):
    client = Client(gemel.nfs_port)
    yield client
    client.close()


def list_all(client, file, room):
    """(all names in order, number of replies)"""
    names, cookie, end, replies = [], 0, False, 0
    while not end:
        status, results = client.compound(putfh(file), nfs4.listxattrs(cookie, room))
        assert status == OK, (status, cookie, replies)
        cookie, some, end = results[-1]
        assert some or end
        assert 16 + sum(4 + len(name) + -len(name) % 4 for name in some) <= room
        names, replies = names + some, replies + 1
    return sorted(names), replies


def test_listxattrs_by_cookie(gemel, wire):
    """As many attributes as a file may have; one reply of ganesha names 1024 at most. One more is refused."""
    root = wire.handle("demo")
    wire.make(root, "attributes")
    file = wire.handle("demo", "attributes")
    assert wire.compound(putfh(file), nfs4.listxattrs())[1][-1] == (0, [], True)
    wanted = [b"n%04d" % i + b"x" * (i % 5) for i in range(4096)]
    for name in wanted:
        assert wire.compound(putfh(file), nfs4.setxattr(name, b"v"))[0] == OK
    assert wire.compound(putfh(file), nfs4.setxattr("one more", b"v"))[0] == NOSPC
    assert list_all(wire, file, 1 << 17) == (wanted, 4)
    for room in (16384, 4096, 1000, 100):
        names, replies = list_all(wire, file, room)
        assert names == wanted and replies > 4096 * 12 // room
    small = Client(gemel.nfs_port, largest_reply=2048)
    names, replies = list_all(small, file, 65536)
    assert names == wanted and replies > 4096 * 12 // 2048
    small.close()
    assert wire.compound(putfh(file), nfs4.listxattrs(0, 16))[0] == TOOSMALL
    assert wire.compound(putfh(file), nfs4.listxattrs(0, 24))[0] == TOOSMALL
    cookie, [name], end = wire.compound(putfh(file), nfs4.listxattrs(0, 28))[1][-1]
    assert name in wanted and len(name) <= 8 and not end and cookie != 0
    assert wire.compound(putfh(file), nfs4.listxattrs((1 << 64) - 1))[1][-1][1:] == ([], True)


def test_listxattrs_while_names_come_and_go(gemel, wire):
    """A name that is there all the time is listed once, whatever else is removed or set between two replies."""
    wire.make(wire.handle("demo"), "busy names")
    file = wire.handle("demo", "busy names")
    stays = {b"s%03d" % i for i in range(100)}
    for name in (*stays, *(b"a%03d" % i for i in range(100))):
        assert wire.compound(putfh(file), nfs4.setxattr(name, b"v"))[0] == OK
    gone, seen, cookie, end = [b"a%03d" % i for i in range(100)], [], 0, False
    while not end:
        cookie, names, end = wire.compound(putfh(file), nfs4.listxattrs(cookie, 200))[1][-1]
        seen += names
        for name in [name for name in names if name not in stays] + gone[:3]:  # some that were listed, the last one as well, and some that were not
            if name in gone:
                gone.remove(name)
                assert wire.compound(putfh(file), nfs4.removexattr(name))[0] == OK
        assert wire.compound(putfh(file), nfs4.setxattr(b"0%d" % len(seen), b"v"))[0] == OK
    assert len(seen) == len(set(seen)) and stays <= set(seen), sorted(stays - set(seen))


def test_values_of_any_length(gemel, wire):
    """Attributes of up to 64 KiB, among other operations; what is longer is too big, not garbage, and the connection lives."""
    wire.make(wire.handle("demo"), "values")
    file = wire.handle("demo", "values")
    for size in (0, 1, 1023, 1024, 1025, 8191, 8192, 8193, 40000, 65535, 65536):
        value = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        assert wire.compound(putfh(file), nfs4.setxattr("before", b"1"), nfs4.setxattr("v", value), nfs4.setxattr("after", b"2"))[0] == OK, size
        status, results = wire.compound(putfh(file), nfs4.getxattr("before"), nfs4.getxattr("v"), nfs4.getxattr("after"), nfs4.listxattrs())
        assert status == OK and results[1:4] == [b"1", value, b"2"], size
        assert sorted(results[4][1]) == [b"after", b"before", b"v"]
    for size in (65537, 100000, 1 << 19):
        assert wire.compound(putfh(file), nfs4.setxattr("v", b"x" * size))[0] == XATTR2BIG
    for name in ("s3.meta.a", "s3.tag.a"):
        assert wire.compound(putfh(file), nfs4.setxattr(name, b"x" * 9000))[0] == XATTR2BIG
    status, results = wire.compound(putfh(file), nfs4.getxattr("v"))
    assert status == OK and results[-1] == value


def test_a_long_value_is_the_first_request_after_a_restart(fresh):
    """What is sent before any operation has reached the plugin: a session's handshake does not."""
    client = Client(fresh.nfs_port)
    client.make(client.handle("demo"), "value")
    file = client.handle("demo", "value")
    assert client.compound(putfh(file), nfs4.setxattr("v", b"x" * 40000))[0] == OK
    client.close()
    fresh.stop()
    fresh.start()
    client = Client(fresh.nfs_port)
    assert client.compound(putfh(file), nfs4.setxattr("v", b"y" * 50000))[0] in (OK, GRACE)  # it was decoded
    assert client.compound(putfh(file), nfs4.getxattr("v"))[1][-1] in (b"x" * 40000, b"y" * 50000)
    client.close()


def test_readdir_of_long_names(gemel, wire):
    """Names of 255 bytes with every attribute that the server has, through replies and sessions of any size."""
    wire.compound(putfh(wire.handle("demo")), nfs4.create_directory("long"))
    directory = wire.handle("demo", "long")
    wanted = {(b"%03d" % i).ljust(255, b"n") for i in range(300)}
    for name in wanted:
        assert wire.make(directory, name) == OK
    _, [_, words] = wire.compound(putfh(directory), (9, nfs4.u32(1, 1), lambda reply: (reply.bitmap(), nfs4.Reader(reply.opaque()).bitmap())[1]))
    small = Client(gemel.nfs_port, largest_reply=4096)
    settable_only = (0, (1 << 16) | (1 << 22), 1 << 17)  # TIME_ACCESS_SET, TIME_MODIFY_SET and MODE_UMASK cannot be read
    everything = [word & ~settable_only[i] for i, word in enumerate(words)]
    for client, room in ((wire, 1 << 20), (wire, 32768), (wire, 2048), (small, 2048), (small, 1 << 20)):
        for attributes in ((0, 0), everything):
            names, cookie, verifier, end = [], 0, bytes(8), False
            while not end:
                status, results = client.compound(putfh(directory), nfs4.readdir(cookie, verifier, room, attributes))
                assert status == OK, (room, len(attributes), status)
                verifier, entries, end = results[-1]
                assert entries or end
                names += [name for _, name in entries]
                cookie = entries[-1][0] if entries else cookie
            assert len(names) == 300 and set(names) == wanted
    assert wire.compound(putfh(directory), nfs4.readdir(room=100))[0] == TOOSMALL
    small.close()


def test_longest_link_and_read_in_a_small_session(gemel, wire):
    """READLINK, READ, GETXATTR: what the session's reply has no room for is an error, or shorter."""
    root, target = wire.handle("demo"), "t" * 4095
    assert wire.compound(putfh(root), nfs4.create_symlink("link", target))[0] == OK
    wire.make(root, "data")
    file, link = wire.handle("demo", "data"), wire.handle("demo", "link")
    assert wire.compound(putfh(file), nfs4.write(nfs4.ANONYMOUS, 0, b"x" * 10000), nfs4.setxattr("value", b"v" * 8000))[0] == OK
    assert wire.compound(putfh(link), nfs4.readlink())[1][-1] == target.encode()
    small = Client(gemel.nfs_port, largest_reply=2048)
    for handle, op in ((link, nfs4.readlink()), (file, nfs4.getxattr("value"))):
        assert small.compound(putfh(handle), op)[0] == REP_TOO_BIG
        assert wire.compound(putfh(handle), op)[0] == OK
    status, results = small.compound(putfh(file), nfs4.read(nfs4.ANONYMOUS, 0, 10000))
    assert status == REP_TOO_BIG or (status == OK and 0 < len(results[-1]) < 2048)
    assert small.compound(putfh(file), nfs4.read(nfs4.ANONYMOUS, 0, 100))[0] == OK
    small.close()
