# SPDX-License-Identifier: Apache-2.0
"""The finer rules of POSIX and of the Linux VFS on a kernel mount, one mount for the module; and what S3 sees of it."""
import os
import time

import pytest

import nfs4
from test_nfs import python
from uml.client import KernelClient

BUCKET = "posix"
USER = {"uid": 1234, "gid": 1234}


@pytest.fixture(scope="module")
def mount(gemel, kernel):
    gemel.gemel("bucket", "create", BUCKET, "--owner", "demo", "--mode", "0755")
    target = kernel.mount(gemel.nfs_port, f"/{BUCKET}", target="/mnt/posix", options="actimeo=0")
    yield target
    kernel.umount(target)


@pytest.fixture
def place(kernel, mount, request):
    """An empty directory of this test, open to all."""
    name = f"{mount}/{request.node.name}"
    kernel.run(f"mkdir -m 1777 {name}")
    return name


def key(place, name):
    return place.split("/mnt/posix/")[1] + "/" + name


def test_times(kernel, place):
    """Which operations set which times (POSIX, "File Times Update")."""
    python(kernel, place, r'''
def times(name): s = os.lstat(name); return s.st_mtime_ns, s.st_ctime_ns
def changes(what, function, **want):
    before = {n: times(n) for n in want}
    time.sleep(0.01)  # the clock of file times moves every 1 to 10 ms
    function()
    for n, (m, c) in want.items():
        after = times(n)
        assert (after[0] > before[n][0], after[1] > before[n][1]) == (m, c), f"{what}: {n}: mtime {before[n][0]} -> {after[0]}, ctime {before[n][1]} -> {after[1]}"
os.mkdir("d"); os.mkdir("e"); put("f"); put("d/g")
changes("write", lambda: put("f", b"more"), f=(True, True), d=(False, False))
changes("chmod", lambda: os.chmod("f", 0o600), f=(False, True))
changes("chown", lambda: os.chown("f", 5, 5), f=(False, True))
changes("read", lambda: get("f"), f=(False, False))
changes("link", lambda: os.link("f", "d/l"), f=(False, True), d=(True, True))
changes("unlink", lambda: os.unlink("d/l"), f=(False, True), d=(True, True))
changes("mkdir", lambda: os.mkdir("d/s"), d=(True, True))
changes("rmdir", lambda: os.rmdir("d/s"), d=(True, True))
changes("rename", lambda: os.rename("d/g", "e/g"), d=(True, True), e=(True, True))
changes("symlink", lambda: os.symlink("x", "d/y"), d=(True, True))
changes("setxattr", lambda: os.setxattr("f", "user.a", b"1"), f=(False, True))
changes("truncate", lambda: os.truncate("f", 2), f=(True, True))
changes("O_TRUNC", lambda: os.close(os.open("f", os.O_WRONLY | os.O_TRUNC)), f=(True, True))
changes("O_CREAT of what is there", lambda: os.close(os.open("f", os.O_RDWR | os.O_CREAT)), f=(False, False))
changes("rename onto itself", lambda: os.rename("f", "f"), f=(False, False))
''')


def test_sentinel_dates(kernel, place, gemel):
    """Dates that the store's 64 bits of nanoseconds cannot hold become the nearest that they can, as on a local file system: tools that copy them succeed. S3 shows valid dates of them."""
    python(kernel, place, r'''
import subprocess
last, first = 9223372036, -9223372036
for i, t in enumerate((-62135596800, first - 1, first, -2208988800, -1, 0, 2**31, 2**33, last - 1, last, last + 1, 253402300799)):
    put(f"t{i}"); os.mkdir(f"d{i}"); os.symlink("x", f"l{i}")
    for name in (f"t{i}", f"d{i}", f"l{i}"):
        os.utime(name, ns=(t * 10**9 + 123456789, t * 10**9 + 987654321), follow_symlinks=False)
        got = os.lstat(name)
        want = (first * 10**9,) * 2 if t <= first else (last * 10**9,) * 2 if t >= last else (t * 10**9 + 123456789, t * 10**9 + 987654321)
        assert (got.st_atime_ns, got.st_mtime_ns) == want, (name, t, got.st_atime_ns, got.st_mtime_ns)
subprocess.run(["touch", "-d", "9999-12-31", "forever"], check=True)
subprocess.run(["touch", "-d", "0001-01-01", "never"], check=True)
subprocess.run(["cp", "-p", "forever", "copy"], check=True)
subprocess.run("tar cf - forever never | (mkdir x; cd x; tar xf -)", shell=True, check=True)
assert os.stat("copy").st_mtime == os.stat("x/forever").st_mtime == last and os.stat("x/never").st_mtime == first
with open("forever", "r+b") as f:  # opened for writing, and nothing written
    pass
assert os.stat("forever").st_mtime == last
''')
    s3, prefix = gemel.s3(), key(place, "")
    listed = {o["Key"].removeprefix(prefix): o["LastModified"] for o in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]}
    assert listed["forever"].isoformat() == "2262-04-11T23:47:16+00:00" and listed["never"].isoformat() == "1677-09-21T00:12:44+00:00"
    for name in ("forever", "never", *(f"t{i}" for i in range(12))):
        head = s3.head_object(Bucket=BUCKET, Key=prefix + name)
        assert head["LastModified"] == listed[name]
        with pytest.raises(s3.exceptions.ClientError) as error:
            s3.get_object(Bucket=BUCKET, Key=prefix + name, IfModifiedSince=listed[name])
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 304
        assert s3.get_object(Bucket=BUCKET, Key=prefix + name, IfUnmodifiedSince=listed[name])["Body"].read() == (b"" if name in ("forever", "never") else b"x")


def test_set_id_bits(kernel, place):
    """A write and a change of owner take setuid and setgid away (unless root's write); S3's PUT makes a plain new file."""
    python(kernel, place, r'''
def mode(name): return oct(os.stat(name).st_mode & 0o7777)
put("prog"); os.chown("prog", 1234, 1234); os.chmod("prog", 0o6775); assert mode("prog") == "0o6775"
os.chown("prog", 1235, 1234); assert mode("prog") == "0o775", mode("prog")
os.chmod("prog", 0o2664); os.chown("prog", 1234, 1234); assert mode("prog") == "0o2664", mode("prog")  # no execute bit for the group: not set-id
os.chmod("prog", 0o6777)
''')
    python(kernel, place, r'''
def mode(name): return oct(os.stat(name).st_mode & 0o7777)
put("prog", b"other bytes"); assert mode("prog") == "0o777", mode("prog")
os.chmod("prog", 0o4755); os.truncate("prog", 1); assert mode("prog") == "0o755", mode("prog")
os.mkdir("team"); os.chmod("team", 0o2775); os.chown("team", -1, 2000); assert mode("team") == "0o2775", mode("team")  # a directory keeps it
os.chmod("prog", 0o6775); os.chown("prog", -1, 2000); assert mode("prog") == "0o775", mode("prog")
''', groups=[2000], **USER)


def test_sticky_and_umask(kernel, place):
    kernel.run(f"cd {place} && echo x > roots && mkdir -m 777 sub && chmod 666 roots")
    kernel.run(f"cd {place} && rm -f roots", check=False, **USER)
    kernel.run(f"cd {place} && mv roots mine", check=False, **USER)
    kernel.run(f"cd {place} && echo y > mine && mv mine roots", check=False, **USER)
    assert kernel.run(f"cat {place}/roots").text == "x\n"
    kernel.run(f"cd {place} && echo y > own && mv own own2 && rm own2", **USER)
    text = kernel.run(f"cd {place}/sub && umask 027 && touch f && mkdir d && umask 0 && touch g && stat -c %a f d g", **USER).text.split()
    assert text == ["640", "750", "666"]
    assert kernel.run(f"cd {place}/sub && chgrp 777 . && chmod 2777 . && touch h && mkdir i && stat -c '%g %a' h i").text.split() == ["777", "644", "777", "2755"]
    python(kernel, place, r'''
fails(errno.EPERM, os.chmod, "roots", 0o777); fails(errno.EPERM, os.chown, "roots", 1234, 1234)
fd = os.open("excl", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400); os.write(fd, b"1"); os.close(fd)
fails(errno.EEXIST, os.open, "excl", os.O_CREAT | os.O_EXCL | os.O_WRONLY); fails(errno.EACCES, os.open, "excl", os.O_WRONLY)
os.symlink("nowhere", "dangling"); fails(errno.EEXIST, os.open, "dangling", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
''', **USER)


def test_node_types(kernel, place, gemel):
    python(kernel, place, r'''
import socket
os.mknod("chr", stat.S_IFCHR | 0o600, os.makedev(1, 3)); os.mknod("blk", stat.S_IFBLK | 0o600, os.makedev(259, 70000)); os.mkfifo("fifo", 0o640)
s = socket.socket(socket.AF_UNIX); s.bind("sock")
assert os.stat("chr").st_rdev == os.makedev(1, 3) and stat.S_ISCHR(os.stat("chr").st_mode)
assert os.stat("blk").st_rdev == os.makedev(259, 70000) and stat.S_ISBLK(os.stat("blk").st_mode)
assert stat.S_ISFIFO(os.stat("fifo").st_mode) and stat.S_ISSOCK(os.stat("sock").st_mode)
with open("chr", "wb") as f: f.write(b"to /dev/null")
os.symlink("t" * 1000, "long"); assert os.readlink("long") == "t" * 1000 and os.lstat("long").st_size == 1000
''')
    python(kernel, place, 'fails(errno.EPERM, os.mknod, "c", stat.S_IFCHR | 0o600, os.makedev(1, 3))', **USER)
    assert "Contents" not in gemel.s3().list_objects_v2(Bucket=BUCKET, Prefix=key(place, ""))  # none of them is an object
    gemel.s3().put_object(Bucket=BUCKET, Key=key(place, "fifo"), Body=b"a file")
    assert kernel.run(f"cat {place}/fifo").text == "a file"


def test_hard_links_across_the_doors(kernel, place, gemel):
    s3 = gemel.s3()
    s3.put_object(Bucket=BUCKET, Key=key(place, "one"), Body=b"first", Metadata={"m": "1"})
    kernel.run(f"cd {place} && ln one two && mkdir d && ln one d/three")
    for name in ("two", "d/three"):
        got = s3.get_object(Bucket=BUCKET, Key=key(place, name))
        assert got["Body"].read() == b"first" and got["Metadata"] == {"m": "1"}
    kernel.run(f"cd {place} && printf second > two")
    tags = {s3.head_object(Bucket=BUCKET, Key=key(place, name))["ETag"] for name in ("one", "two", "d/three")}
    assert len(tags) == 1 and s3.get_object(Bucket=BUCKET, Key=key(place, "d/three"))["Body"].read() == b"second"
    s3.put_object(Bucket=BUCKET, Key=key(place, "one"), Body=b"third")  # a PUT is a new file under the name: the links keep theirs
    assert kernel.run(f"cd {place} && cat one two d/three && stat -c %h one two").text == "thirdsecondsecond1\n2\n"
    s3.delete_object(Bucket=BUCKET, Key=key(place, "two"))
    assert kernel.run(f"cd {place} && stat -c %h d/three && cat d/three").text == "1\nsecond"


def test_rename_over_open_files(kernel, place):
    python(kernel, place, r'''
put("a", b"old a"); put("b", b"old b")
a, b = os.open("a", os.O_RDWR), os.open("b", os.O_RDWR)
os.rename("b", "a")
assert get("a") == b"old b" and os.pread(a, 9, 0) == b"old a" and os.pread(b, 9, 0) == b"old b"
os.pwrite(a, b"OLD", 0); os.fsync(a); os.pwrite(b, b"OLD", 0); os.fsync(b)
assert os.pread(a, 9, 0) == b"OLD a" and get("a") == b"OLD b" and os.fstat(b).st_nlink == 1
os.close(a); os.close(b)
assert sorted(n for n in os.listdir() if not n.startswith(".nfs")) == ["a"]
libc = __import__("ctypes").CDLL(None, use_errno=True)
put("p"); put("q")
assert libc.renameat2(-100, b"p", -100, b"q", 1) == -1  # RENAME_NOREPLACE: NFS has none; refused, or done right by the client
assert os.path.exists("p") and os.path.exists("q")
''')


def test_xattr_tools(kernel, place):
    kernel.run(f"cd {place} && touch f && mkdir d && setfattr -n user.one -v 1 f && setfattr -n user.two -v 0x00ff0a f && setfattr -n user.empty f && setfattr -n user.dir -v x d")
    assert sorted(kernel.run(f"cd {place} && getfattr -d -e hex f").text.split()) == sorted(["#", "file:", "f", "user.empty=0x", "user.one=0x31", "user.two=0x00ff0a"])
    kernel.run(f"cd {place} && setfattr -x user.one f")
    assert kernel.run(f"cd {place} && getfattr f").text.split()[3:] == ["user.empty", "user.two"] and kernel.run(f"cd {place} && getfattr -n user.dir --only-values d").text == "x"
    for script in ("setfattr -n user.$(head -c 300 /dev/zero | tr '\\0' n) -v 1 f", "setfattr -n trusted.x -v 1 f"):
        assert kernel.run(f"cd {place} && {script}", check=False).rc != 0, script
    kernel.run(f"cd {place} && chown 0:0 f && chmod 644 f")
    assert kernel.run(f"cd {place} && setfattr -n user.one -v 1 f", check=False, **USER).rc != 0


def test_xattr_limits(kernel, place):
    """What is too much says so: E2BIG for a value, ENOSPC for one attribute more than a file may have. The mount lives on."""
    python(kernel, place, r'''
put("f")
for size in (8191, 8192, 20000, 65536):
    os.setxattr("f", "user.v", b"v" * size)
    assert os.getxattr("f", "user.v") == b"v" * size
fails(errno.E2BIG, os.setxattr, "f", "user.v", b"v" * 65537)
fails(errno.E2BIG, os.setxattr, "f", "user.s3.meta.a", b"v" * 3000)
assert os.getxattr("f", "user.v") == b"v" * 65536
os.removexattr("f", "user.v")
for i in range(4096):
    os.setxattr("f", f"user.n{i:04}", b"v")
fails(errno.ENOSPC, os.setxattr, "f", "user.more", b"v")
assert sorted(name for name in os.listxattr("f") if name.startswith("user.")) == [f"user.n{i:04}" for i in range(4096)]
os.removexattr("f", "user.n0007")
os.setxattr("f", "user.more", b"v")
os.mkdir("d")
for i in range(15):
    os.setxattr("d", f"user.n{i}", b"v" * 65536)
fails(errno.ENOSPC, os.setxattr, "d", "user.more", b"v" * 65536)
''')


def test_allocation(kernel, place, gemel):
    python(kernel, place, r'''
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def fallocate(fd, mode, off, length):
    if libc.fallocate(fd, mode, ctypes.c_int64(off), ctypes.c_int64(length)): raise OSError(ctypes.get_errno(), "fallocate")
M = 1 << 20
fd = os.open("f", os.O_CREAT | os.O_RDWR); os.pwrite(fd, bytes(range(256)) * 16, 0); os.fsync(fd)
try:
    fallocate(fd, 1, 0, 4 * M)  # KEEP_SIZE: NFS cannot say it
except OSError as error: assert error.errno == errno.EOPNOTSUPP
assert os.fstat(fd).st_size == 4096
fallocate(fd, 3, 100, 200); assert os.pread(fd, 4096, 0) == bytes(range(100)) + bytes(200) + (bytes(range(256)) * 16)[300:]
fallocate(fd, 3, 4000, 10 * M); assert os.fstat(fd).st_size == 4096 and os.pread(fd, 96, 4000) == bytes(96)
fallocate(fd, 0, 0, 100); assert os.fstat(fd).st_size == 4096 and os.pread(fd, 10, 0) == bytes(range(10))
fallocate(fd, 0, 8192, 4096); assert os.fstat(fd).st_size == 12288 and os.pread(fd, 9000, 4096) == bytes(8192)
os.ftruncate(fd, 5 * M); os.pwrite(fd, b"end", 5 * M - 3); os.fsync(fd)
assert os.lseek(fd, 0, os.SEEK_HOLE) < 5 * M - 4096 and os.lseek(fd, M, os.SEEK_DATA) >= 4 * M and os.lseek(fd, 5 * M - 1, os.SEEK_HOLE) == 5 * M
fails(errno.ENXIO, os.lseek, fd, 5 * M, os.SEEK_DATA); fails(errno.ENXIO, os.lseek, fd, 5 * M, os.SEEK_HOLE)
os.close(fd)
''')
    s3 = gemel.s3()
    s3.put_object(Bucket=BUCKET, Key=key(place, "o"), Body=b"x" * 100000)  # what S3 wrote is all data
    python(kernel, place, r'''
fd = os.open("o", os.O_RDONLY); assert os.lseek(fd, 0, os.SEEK_HOLE) == 100000 and os.lseek(fd, 5, os.SEEK_DATA) == 5; os.close(fd)
assert os.stat("o").st_blocks * 512 >= 100000
''')


def test_holes_take_no_room(kernel, place, gemel):
    """`fallocate -p` lowers st_blocks, of files of either protocol, open and closed, small and large; so does a truncation that makes a hole."""
    gemel.s3().put_object(Bucket=BUCKET, Key=key(place, "object"), Body=os.urandom(1 << 19))
    kernel.run(f"""cd {place}
head -c 262144 /dev/urandom > small; head -c 4194304 /dev/urandom > large; echo x > grown; truncate -s 1000000 grown
kib() {{ echo $(($(stat -c %b "$1") / 2)); }}
for f in small large object; do
	size=$(stat -c %s $f); before=$(kib $f)
	fallocate -p -o 65536 -l 131072 $f
	after=$(kib $f)
	[ $((before - after)) -ge 112 ] && [ $((before - after)) -le 144 ] || {{ echo "$f: $before KiB, then $after" >&2; exit 1; }}
	[ "$(stat -c %s $f)" = "$size" ]
	for i in 4 6; do fallocate -p -o $((i * 65536)) -l 65536 $f; done
done
[ $(kib object) -le 288 ] && [ $(kib grown) -le 16 ]
""", timeout=120)


def test_reading_leaves_the_access_time(kernel, place, gemel):
    """As on a file system mounted noatime: it is what was set, or the time of creation, over whichever protocol it is read; utimes sets it."""
    python(kernel, place, r'''
put("f", b"x" * 5000); os.utime("f", ns=(1_000_000_000, 2_000_000_000)); os.mkdir("d"); put("d/f"); os.utime("d", ns=(1_000_000_000, 2_000_000_000))
''')
    before = gemel.s3().head_object(Bucket=BUCKET, Key=key(place, "f"))
    gemel.s3().get_object(Bucket=BUCKET, Key=key(place, "f"))["Body"].read()
    kernel.run("echo 3 > /proc/sys/vm/drop_caches")
    python(kernel, place, r'''
c = os.stat("f").st_ctime_ns; get("f"); os.listdir("d")
assert os.stat("f").st_atime_ns == 1_000_000_000 and os.stat("d").st_atime_ns == 1_000_000_000 and os.stat("f").st_ctime_ns == c
''')
    assert before["ETag"] == gemel.s3().head_object(Bucket=BUCKET, Key=key(place, "f"))["ETag"]
    python(kernel, place, r'''
os.utime("f", ns=(3_000_000_000, 2_000_000_000)); assert os.stat("f").st_atime_ns == 3_000_000_000
os.utime("f"); assert abs(os.stat("f").st_atime - time.time()) < 60
''')


def test_a_file_removed_while_open_is_no_key(kernel, place, gemel):
    """The client renames it to .nfs…; S3 lists it no more, a backup does not take it, and who knows the name can still reach it."""
    s3 = gemel.s3()
    listed = lambda **more: [o["Key"] for o in s3.list_objects_v2(Bucket=BUCKET, Prefix=key(place, ""), **more).get("Contents", [])]
    kernel.run(f"""cd {place} && echo stays > kept && echo goes > f
{{ sleep 600 & echo $! > /run/silly; }} 3<f >/dev/null 2>&1; rm f""")
    silly = kernel.run(f"ls -A {place}").text.split()
    assert len(silly) == 2 and silly[0].startswith(".nfs"), silly
    assert listed() == listed(Delimiter="/") == [key(place, "kept")]
    assert [o["Key"] for o in s3.list_objects(Bucket=BUCKET, Prefix=key(place, ".nfs")).get("Contents", [])] == []
    assert s3.get_object(Bucket=BUCKET, Key=key(place, silly[0]))["Body"].read() == b"goes\n"
    s3.put_object(Bucket=BUCKET, Key=key(place, ".nfs" + "0" * 24), Body=b"")  # not the file's own number: a key
    assert len(listed()) == 2
    s3.delete_object(Bucket=BUCKET, Key=key(place, silly[0]))  # as after a crash of the client
    kernel.run("kill $(cat /run/silly)")
    assert silly[0] not in kernel.run(f"ls -A {place}").text


def test_statfs_is_true(kernel, gemel, mount):
    """What df says is what the disk below has, or the bucket's quota."""
    below = os.statvfs(gemel.home)
    words = kernel.run(f"stat -f -c '%b %f %a %S' {mount}").text.split()
    blocks, free, available, size = map(int, words)
    assert blocks * size == pytest.approx(below.f_blocks * below.f_frsize, rel=0.01)
    assert free * size == pytest.approx(below.f_bfree * below.f_frsize, rel=0.05) and available * size == pytest.approx(below.f_bavail * below.f_frsize, rel=0.05)
    name = gemel.new_bucket()
    gemel.gemel("bucket", "quota", name, "--bytes", "100M", "--objects", 50)
    gemel.s3().put_object(Bucket=name, Key="k", Body=bytes(30 << 20))
    target = kernel.mount(gemel.nfs_port, f"/{name}", target="/mnt/quota")
    try:
        blocks, free, available, size, files, free_files = map(int, kernel.run(f"stat -f -c '%b %f %a %S %c %d' {target}").text.split())
        assert blocks * size == 100 << 20 and free * size == available * size == 70 << 20
        assert (files, free_files) == (50, 49)
    finally:
        kernel.umount(target)


def test_long_names_and_big_directories(kernel, place, gemel):
    python(kernel, place, r'''
names = ["n" * 255, "é" * 127 + "x", "\x01", " ", "a\nb", "\udcff\udcfe"]
for n in names: put(n, n.encode("utf-8", "surrogateescape"))
assert sorted(os.listdir()) == sorted(names)
for n in names: assert get(n) == n.encode("utf-8", "surrogateescape")
fails(errno.ENAMETOOLONG, put, "n" * 256)
deep = "/".join(["d" * 200] * 5)
os.makedirs(deep); put(deep + "/f" ); assert get(deep + "/f") == b"x"
os.mkdir("big")
''')
    s3, names = gemel.s3(), [f"f{i:05}" for i in range(10000)]
    wire = nfs4.Client(gemel.nfs_port)  # the kernel takes half a minute for as many
    big = wire.handle(BUCKET, place.rpartition("/")[2], "big")
    for name in names:
        assert wire.make(big, name) == nfs4.OK
    wire.close()
    for command in ("ls -U", "ls -1fA --color=never"):
        listed = kernel.run(f"{command} {place}/big", timeout=60).text.split()
        assert len(listed) == 10000 and sorted(listed) == names
    keys = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=key(place, "big/f")) for o in page["Contents"]]
    assert keys == [key(place, "big/" + name) for name in names]
    for at in range(0, 10000, 1000):
        s3.delete_objects(Bucket=BUCKET, Delete={"Quiet": True, "Objects": [{"Key": k} for k in keys[at : at + 1000]]})
    assert kernel.run(f"ls -A {place}/big").text == ""


def test_locks_between_two_clients(kernel, gemel, scratch, place):
    """Conflicts, a lock that waits for the other machine's release, downgrades, and GETLK naming the holder's range."""
    second = KernelClient(scratch / "uml2", index=2, memory="256M")
    try:
        target = second.mount(gemel.nfs_port, f"/{BUCKET}", target="/mnt/second")
        there = place.replace("/mnt/posix", target)
        python(kernel, place, 'put("l", b"0" * 100); os.chmod("l", 0o666)')
        kernel.run(f"""cd {place} && cat > /run/hold.py <<'END'
import fcntl, os, sys, time
fd = os.open("l", os.O_RDWR)
fcntl.lockf(fd, fcntl.LOCK_EX, 10, 0)
open("held", "w").close()
while not os.path.exists("let-go"): time.sleep(0.05)
os.pwrite(fd, b"1", 0); os.fsync(fd)
fcntl.lockf(fd, fcntl.LOCK_SH, 10, 0)
open("shared", "w").close()
while not os.path.exists("let-go-all"): time.sleep(0.05)
os.pwrite(fd, b"2", 0); os.fsync(fd)
fcntl.lockf(fd, fcntl.LOCK_UN, 10, 0)
END
setsid /usr/bin/python3 /run/hold.py > /run/hold.log 2>&1 < /dev/null & 
for i in $(seq 100); do test -e held && break; sleep 0.05; done; test -e held""")
        python(second, there, r'''
import struct
fd = os.open("l", os.O_RDWR)
for kind in (fcntl.LOCK_EX, fcntl.LOCK_SH):
    try: fcntl.lockf(fd, kind | fcntl.LOCK_NB, 5, 5)
    except OSError as error: assert error.errno in (errno.EAGAIN, errno.EACCES)
    else: raise AssertionError("the lock of the other client was not seen")
fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 10); fcntl.lockf(fd, fcntl.LOCK_UN, 10, 10)
kind, whence, start, length, pid = struct.unpack("hhqqi", fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0) + bytes(4))[:28])
assert (kind, start, length) == (fcntl.F_WRLCK, 0, 10), (kind, start, length)
put("let-go")
fcntl.lockf(fd, fcntl.LOCK_SH, 10, 0)  # waits
assert os.pread(fd, 1, 0) == b"1", os.pread(fd, 1, 0)
fcntl.lockf(fd, fcntl.LOCK_UN, 10, 0)
put("let-go-all")
fcntl.lockf(fd, fcntl.LOCK_EX, 10, 0)  # waits
assert os.pread(fd, 1, 0) == b"2", os.pread(fd, 1, 0)
''', timeout=90)
        assert kernel.run("cat /run/hold.log").text == ""
        second.umount(target)
    finally:
        second.close()


def test_unlinked_open_file_through_a_restart(fresh, kernel, fresh_mounted):
    """The kernel client renames such a file to .nfs…; one removed over the other protocol has no name at all, and lives on too."""
    kernel.run(f"""cd {fresh_mounted} && cat > /run/orphan.py <<'END'
import os, time
fds = [os.open(n, os.O_CREAT | os.O_RDWR) for n in ("here", "there")]
for fd in fds: os.write(fd, b"kept " * 1000); os.fsync(fd)
os.unlink("here")
open("/run/ready", "w").close()
while not os.path.exists("/run/go"): time.sleep(0.1)
for fd in fds:
    assert os.pread(fd, 5000, 0) == b"kept " * 1000
    os.pwrite(fd, b"new", 0); os.fsync(fd)
    assert os.pread(fd, 8, 0) == b"newt kep", os.pread(fd, 8, 0)
print("good")
END
rm -f /run/go /run/ready; setsid /usr/bin/python3 /run/orphan.py > /run/orphan.log 2>&1 < /dev/null &
for i in $(seq 100); do test -e /run/ready && break; sleep 0.05; done; test -e /run/ready""")
    fresh.s3().delete_object(Bucket="demo", Key="there")
    fresh.kill("nfs")
    fresh.wait_ready()
    time.sleep(18)  # beyond the age at which nameless files are reaped
    kernel.run("touch /run/go; for i in $(seq 600); do grep -q . /run/orphan.log && break; sleep 0.1; done", timeout=90)
    assert kernel.run("cat /run/orphan.log").text == "good\n"
    assert [o["Key"] for o in fresh.s3().list_objects_v2(Bucket="demo").get("Contents", []) if not o["Key"].startswith(".nfs")] == []
    kernel.umount(fresh_mounted)
    fresh.check_store()


def test_store_is_whole(gemel):
    gemel.check_store()
