# SPDX-License-Identifier: Apache-2.0
"""A raw NFSv4.2 client (RFC 8881, 7862, 8276) over one connection, for what no kernel client sends: deny modes, repeated exclusive creates, I/O without an open file.

`Client(port).compound(op, …)` sends SEQUENCE and the ops, and returns (status, [result of each op that succeeded]). The functions below make ops.
"""
import itertools
import os
import socket
import struct

OK, NOENT, ACCESS, EXIST, NOSPC, ROFS, STALE = 0, 2, 13, 17, 28, 30, 70
LOCKED, NOTSUPP, TOOSMALL, DELAY, DENIED, GRACE, SHARE_DENIED, XATTR2BIG = 10012, 10004, 10005, 10008, 10010, 10013, 10015, 10096
INVAL, FBIG, PERM, ATTRNOTSUPP, BADOWNER, BAD_STATEID = 22, 27, 1, 10032, 10039, 10025
READ, WRITE, BOTH = 1, 2, 3
UNCHECKED, GUARDED, EXCLUSIVE = 0, 1, 3
ANONYMOUS = bytes(16)
SUPPORTED, ACL, ACLSUPPORT, MODE, MODE_UMASK = 0, 12, 13, 33, 81
CURRENT = struct.pack(">I", 1) + bytes(12)  # the stateid of the operation before, in this compound


def u32(*values):
    return struct.pack(f">{len(values)}I", *values)


def u64(*values):
    return struct.pack(f">{len(values)}Q", *values)


def opaque(data):
    data = data.encode() if isinstance(data, str) else data
    return u32(len(data)) + data + bytes(-len(data) % 4)


def bitmap(attributes):
    words = [0] * (max(attributes, default=-1) // 32 + 1)
    for attribute in attributes:
        words[attribute // 32] |= 1 << attribute % 32
    return u32(len(words), *words)


def fattr(values):
    """Attributes to set: number → its bytes."""
    return bitmap(values) + opaque(b"".join(values[number] for number in sorted(values)))


MODE_600 = fattr({MODE: u32(0o600)})


def acl(*entries):
    """Entries are (type, flags, rights, who)."""
    return u32(len(entries)) + b"".join(u32(*entry[:3]) + opaque(entry[3]) for entry in entries)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        piece = self.data[self.at : self.at + size]
        assert len(piece) == size, "the reply is too short"
        self.at += size
        return piece

    def u32(self):
        return struct.unpack(">I", self.take(4))[0]

    def u64(self):
        return struct.unpack(">Q", self.take(8))[0]

    def opaque(self):
        size = self.u32()
        data = self.take(size)
        self.take(-size % 4)
        return data

    def bitmap(self):
        return [self.u32() for _ in range(self.u32())]

    def acl(self):
        return [(self.u32(), self.u32(), self.u32(), self.opaque().decode()) for _ in range(self.u32())]


def nothing(reply):
    return None


def skip(size):
    return lambda reply: reply.take(size)


def open_result(reply):
    stateid = reply.take(16)
    reply.take(20 + 4)
    reply.bitmap()
    kind = reply.u32()
    assert kind in (0, 3), "a delegation was given"
    if kind == 3 and reply.u32() in (1, 2):
        reply.u32()
    return stateid


def exchange_id_result(reply):
    """(client id, sequence, (minor and major id of the server's owner), the server's scope)"""
    clientid, sequence = reply.u64(), reply.u32()
    reply.take(8)
    owner = reply.u64(), reply.opaque()
    scope = reply.opaque()
    assert reply.u32() in (0, 1)  # the implementation's name would follow; nothing does in this compound
    return clientid, sequence, owner, scope


# ---- operations: (number, arguments, how to read the result)
def putrootfh():
    return 24, b"", nothing


def putfh(handle):
    return 22, opaque(handle), nothing


def lookup(name):
    return 15, opaque(name), nothing


def getfh():
    return 10, b"", Reader.opaque


def getattr(*attributes):
    """Attributes by number; their values as they stand on the wire."""
    return 9, bitmap(attributes), lambda reply: (reply.bitmap(), reply.opaque())[1]


def getattr_acl():
    return 9, bitmap([ACL]), lambda reply: (reply.bitmap(), Reader(reply.opaque()).acl())[1]


def setattr(values, stateid=ANONYMOUS):
    """number → bytes of the attribute"""
    return 34, stateid + fattr(values), Reader.bitmap


def nverify_type():
    return 17, u32(1, 1 << 1) + opaque(u32(7)), nothing  # a socket: nothing here is one


def access(mask=0x3F):
    return 3, u32(mask), lambda reply: (reply.u32(), reply.u32())[1]


def lookupp():
    return 16, b"", nothing


def savefh():
    return 32, b"", nothing


def restorefh():
    return 31, b"", nothing


def close(stateid):
    return 4, u32(0) + stateid, skip(16)


def open_downgrade(stateid, access, deny=0):
    return 21, stateid + u32(0, access, deny), skip(16)


def read(stateid, offset, count):
    return 25, stateid + u64(offset) + u32(count), lambda reply: (reply.u32(), reply.opaque())[1]


def write(stateid, offset, data, stable=2):
    return 38, stateid + u64(offset) + u32(stable) + opaque(data), skip(16)


def commit():
    return 5, u64(0) + u32(0), skip(8)


def setattr_mode(stateid=ANONYMOUS):
    return 34, stateid + MODE_600, Reader.bitmap


def setattr_mtime(seconds, fraction=0):
    return 34, ANONYMOUS + u32(2, 0, 1 << 22) + opaque(u32(1) + struct.pack(">qI", seconds, fraction)), Reader.bitmap


def getattr_mtime():
    """(seconds, nanoseconds)"""
    return 9, u32(2, 0, 1 << 21), lambda reply: (reply.bitmap(), struct.unpack(">qI", reply.opaque()))[1]


def setattr_size(size, stateid=ANONYMOUS):
    return 34, stateid + u32(1, 1 << 4) + opaque(u64(size)), Reader.bitmap


def create_directory(name, attributes=MODE_600):
    return 6, u32(2) + opaque(name) + attributes, lambda reply: (reply.take(20), reply.bitmap())


def create_symlink(name, target):
    return 6, u32(5) + opaque(target) + opaque(name) + MODE_600, lambda reply: (reply.take(20), reply.bitmap())


def remove(name):
    return 28, opaque(name), skip(20)


def rename(old, new):
    return 29, opaque(old) + opaque(new), skip(40)


def link(name):
    return 11, opaque(name), skip(20)


def allocate(offset, length, stateid=ANONYMOUS):
    return 59, stateid + u64(offset, length), nothing


def deallocate(offset, length, stateid=ANONYMOUS):
    return 62, stateid + u64(offset, length), nothing


def seek(offset, what=0, stateid=ANONYMOUS):
    return 69, stateid + u64(offset) + u32(what), lambda reply: (reply.u32(), reply.u64())[1]


def lock(stateid, clientid, offset, length, owner="locker"):
    """A write lock by a new lock owner."""
    return 12, u32(2, 0) + u64(offset, length) + u32(1, 0) + stateid + u32(0) + u64(clientid) + opaque(owner), skip(16)


def unlock(stateid, offset, length):
    return 14, u32(2, 0) + stateid + u64(offset, length), skip(16)


def lockt(clientid, offset, length, owner="tester"):
    return 13, u32(2) + u64(offset, length) + u64(clientid) + opaque(owner), nothing


def copy(source, target, length):
    return 60, source + target + u64(0, 0, length) + u32(1, 1, 0), nothing


def clone(source, target, length):
    return 71, source + target + u64(0, 0, length), nothing


def read_plus(stateid, offset, count):
    return 68, stateid + u64(offset) + u32(count), nothing


def setxattr(name, value):
    return 73, u32(0) + opaque(name) + opaque(value), skip(20)


def removexattr(name):
    return 75, opaque(name), skip(20)


def getxattr(name):
    return 72, opaque(name), Reader.opaque


def listxattrs(cookie=0, room=65536):
    """(cookie, names, is it the end)"""
    return 74, u64(cookie) + u32(room), lambda reply: (reply.u64(), [reply.opaque() for _ in range(reply.u32())], bool(reply.u32()))


def readdir(cookie=0, verifier=bytes(8), room=65536, attributes=(0, 0)):
    """(verifier, [(cookie, name)], is it the end)"""

    def result(reply):
        verifier, entries, end = readdir_full(attributes)[2](reply)
        return verifier, [entry[:2] for entry in entries], end

    return 26, u64(cookie) + verifier + u32(room, room, len(attributes), *attributes), result


def readdir_full(attributes, cookie=0, verifier=bytes(8), room=65536):
    """As readdir; entries are (cookie, name, bytes of the attributes)."""

    def result(reply):
        verifier, entries = reply.take(8), []
        while reply.u32():
            entries.append((reply.u64(), reply.opaque(), (reply.bitmap(), reply.opaque())[1]))
        return verifier, entries, bool(reply.u32())

    return 26, u64(cookie) + verifier + u32(room, room, len(attributes), *attributes), result


def readlink():
    return 27, b"", Reader.opaque


class Client:
    def __init__(self, port, name=None, uid=0, gid=0, largest_reply=1 << 20, reclaims=False):
        """`reclaims`: the caller reclaims, and then sends `reclaim_complete` itself."""
        self.name = name or os.urandom(8).hex()
        self.credential = u32(1) + opaque(u32(0) + opaque("wire") + u32(uid, gid, 0))
        self.xids = itertools.count(1)
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        owner = os.urandom(8) + opaque(self.name) + u32(0, 0, 0)
        status, [(self.clientid, sequence, self.server_owner, self.server_scope)] = self.call((42, owner, exchange_id_result))
        assert status == OK
        channel = u32(0, 1 << 20, largest_reply, min(largest_reply, 4096), 16, 8, 0)
        session = u64(self.clientid) + u32(sequence, 0) + channel + channel + u32(0x40000000, 1, 0)
        status, [self.session] = self.call((43, session, skip(16)))
        assert status == OK
        self.sequence = itertools.count(1)
        if not reclaims:
            self.reclaim_complete()

    def reclaim_complete(self):
        status, _ = self.compound((58, u32(0), nothing))
        assert status == OK

    def close(self):
        self.connection.close()

    def call(self, *ops, minor=2):
        body = opaque("") + u32(minor, len(ops)) + b"".join(u32(number) + args for number, args, _ in ops)
        message = u32(next(self.xids), 0, 2, 100003, 4, 1) + self.credential + u32(0, 0) + body
        self.connection.sendall(u32(0x80000000 | len(message)) + message)
        reply = Reader(self.receive())
        _, kind, accepted = reply.u32(), reply.u32(), reply.u32()
        assert (kind, accepted) == (1, 0)
        reply.u32()
        reply.opaque()
        assert reply.u32() == 0, "the call was not accepted"
        status, results = reply.u32(), []
        reply.opaque()
        for (number, _, parse), _ in zip(ops, range(reply.u32())):
            assert reply.u32() == number
            if reply.u32() != OK:
                break
            results.append(parse(reply))
        return status, results

    def receive(self):
        data, last = b"", False
        while not last:
            mark = struct.unpack(">I", self.exactly(4))[0]
            last = bool(mark & 0x80000000)
            data += self.exactly(mark & 0x7FFFFFFF)
        return data

    def exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.connection.recv(size - len(data))
            assert piece, "the server closed the connection"
            data += piece
        return data

    def compound(self, *ops):
        sequence = self.session + u32(next(self.sequence), 0, 0, 0)
        status, results = self.call((53, sequence, skip(36)), *ops)
        return status, results[1:]

    # ---- compounds
    def handle(self, *path):
        status, results = self.compound(putrootfh(), *(lookup(name) for name in path), getfh())
        assert status == OK, (path, status)
        return results[-1]

    def handle_of(self, directory, name):
        status, results = self.compound(putfh(directory), lookup(name), getfh())
        assert status == OK, (name, status)
        return results[-1]

    def open(self, directory, name, access=BOTH, deny=0, owner="o", create=None, verifier=bytes(8), attributes=MODE_600):
        """(status, stateid, handle)"""
        if create is None:
            how = u32(0)
        elif create == EXCLUSIVE:
            how = u32(1, EXCLUSIVE) + verifier + attributes
        else:
            how = u32(1, create) + attributes
        args = u32(0, access | 0x400, deny) + u64(self.clientid) + opaque(owner) + how + u32(0) + opaque(name)
        status, results = self.compound(putfh(directory), (18, args, open_result), getfh())
        return (status, *results[1:]) if status == OK else (status, None, None)

    def open_handle(self, handle, access=BOTH, owner="o", claim=4):
        """By handle: CLAIM_FH (4), or CLAIM_PREVIOUS (1), a reclaim; (status, stateid)."""
        args = u32(0, access | 0x400, 0) + u64(self.clientid) + opaque(owner) + u32(0, claim) + (u32(0) if claim == 1 else b"")
        status, results = self.compound(putfh(handle), (18, args, open_result))
        return status, results[-1]

    def make(self, directory, name):
        """Create a file and close it, in one compound; the status."""
        args = u32(0, WRITE | 0x400, 0) + u64(self.clientid) + opaque("make") + u32(1, GUARDED) + MODE_600 + u32(0) + opaque(name)
        return self.compound(putfh(directory), (18, args, open_result), close(CURRENT))[0]
