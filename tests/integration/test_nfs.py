# SPDX-License-Identifier: Apache-2.0
"""What a Linux client expects of a local file system, over NFSv4.2."""
import hashlib


from harness import Gemel

PY = "/usr/bin/python3"


def python(kernel, directory, script, **kwargs):
    prelude = f"import os, errno, stat, sys, time, fcntl\nos.chdir({directory!r})\n" + '''
def fails(number, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except OSError as error:
        assert error.errno == number, f"{function.__name__}{args}: {error}, expected {errno.errorcode[number]}"
        return
    raise AssertionError(f"{function.__name__}{args} did not fail with {errno.errorcode[number]}")
def put(name, data=b"x"):
    with open(name, "wb") as f:
        f.write(data)
def get(name):
    with open(name, "rb") as f:
        return f.read()
'''
    return kernel.run(f"{PY} - <<'END_OF_SCRIPT'\n{prelude}{script}\nEND_OF_SCRIPT", **kwargs).text


def test_names(kernel, place):
    python(kernel, place, r'''
os.mkdir("d"); put("f", b"1"); os.link("f", "l"); os.symlink("f", "s"); os.mkfifo("p")
assert os.stat("f").st_nlink == 2 and os.stat("f").st_ino == os.stat("l").st_ino
assert os.readlink("s") == "f" and get("s") == b"1" and stat.S_ISFIFO(os.lstat("p").st_mode)
assert os.stat("d").st_nlink == 2
os.mkdir("d/e"); assert os.stat("d").st_nlink == 3
fails(errno.EEXIST, os.mkdir, "d"); fails(errno.EEXIST, os.link, "f", "l"); fails(errno.ENOTEMPTY, os.rmdir, "d")
fails(errno.ENOTDIR, os.rmdir, "f"); fails(errno.EISDIR, os.unlink, "d"); fails(errno.ENOENT, os.unlink, "none"); fails(errno.ENAMETOOLONG, os.mkdir, "n" * 256)
fails(errno.EINVAL, os.rename, "d", "d/e/x")
put("g", b"2"); os.rename("g", "f"); assert get("f") == b"2" and get("l") == b"1" and os.stat("l").st_nlink == 1
os.link("f", "h"); os.rename("f", "h"); assert get("f") == b"2" and get("h") == b"2"  # same file: nothing is done
fails(errno.EISDIR, os.rename, "f", "d"); fails(errno.ENOTDIR, os.rename, "d", "f")
os.mkdir("e2"); os.rename("d/e", "e2"); assert os.listdir("d") == []  # replaces an empty directory
os.mkdir("full"); put("full/x"); fails(errno.ENOTEMPTY, os.rename, "e2", "full")
os.rename("full", "moved"); assert get("moved/x") == b"x"
for n in range(255, 250, -1): put("n" * n)
assert sum(1 for n in os.listdir() if set(n) == {"n"}) == 5
''')


def test_attributes(kernel, place):
    python(kernel, place, r'''
put("f"); os.chmod("f", 0o640); assert stat.S_IMODE(os.stat("f").st_mode) == 0o640
os.chown("f", 1234, 2345); s = os.stat("f"); assert (s.st_uid, s.st_gid) == (1234, 2345)
os.utime("f", ns=(1_000_000_007, 2_000_000_009)); s = os.stat("f"); assert (s.st_atime_ns, s.st_mtime_ns) == (1_000_000_007, 2_000_000_009)
TICK = 0.01  # times are the kernel's coarse clock's, as on any Linux file system: it moves every 1 to 10 ms
before = os.stat(".").st_mtime_ns; time.sleep(TICK); put("g"); assert os.stat(".").st_mtime_ns > before
before = os.stat("f").st_ctime_ns; time.sleep(TICK); os.chmod("f", 0o600); assert os.stat("f").st_ctime_ns > before
os.chmod(".", 0o2775); os.chown(".", 0, 777); os.mkdir("sub"); s = os.stat("sub"); assert s.st_gid == 777 and s.st_mode & stat.S_ISGID
os.truncate("f", 10); assert get("f") == b"x" + bytes(9)
v = os.statvfs("."); assert v.f_blocks > 0 and 0 < v.f_bavail <= v.f_blocks and v.f_files > 0
''')


def test_open_modes(kernel, place):
    python(kernel, place, r'''
fd = os.open("x", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600); fails(errno.EEXIST, os.open, "x", os.O_CREAT | os.O_EXCL)
os.write(fd, b"hello"); os.close(fd)
os.close(os.open("x", os.O_WRONLY | os.O_TRUNC)); assert os.stat("x").st_size == 0
fd = os.open("x", os.O_WRONLY | os.O_APPEND); os.write(fd, b"ab"); os.write(fd, b"cd"); os.close(fd); assert get("x") == b"abcd"
fd = os.open("r", os.O_CREAT | os.O_RDWR, 0o444); os.write(fd, b"creator may write"); os.fsync(fd); os.close(fd); assert get("r") == b"creator may write"
''')


def test_removed_while_open(gemel, kernel, place):
    python(kernel, place, r'''
fd = os.open("gone", os.O_CREAT | os.O_RDWR); os.write(fd, b"still here"); os.fsync(fd); os.unlink("gone")
time.sleep(18)  # beyond the reaper's age
assert os.pread(fd, 100, 0) == b"still here"; os.pwrite(fd, b"S", 0); os.fsync(fd); assert os.pread(fd, 5, 0) == b"Still"; os.close(fd)
assert [n for n in os.listdir() if not n.startswith(".nfs")] == []
''')


def test_readdir_survives_changes(gemel, kernel, place):
    """Entries that stay are seen exactly once, whatever is created, removed and renamed meanwhile, over either protocol."""
    key = place.split("/mnt/gemel/")[1]
    kernel.run(f"cd {place} && seq -f 'stay%05.0f' 5000 | xargs touch && seq -f 'go%05.0f' 1000 | xargs touch", timeout=200)
    s3 = gemel.s3()
    names = python(kernel, place, r'''
with os.scandir(".") as entries:
    seen = []
    for i, entry in enumerate(entries):
        seen.append(entry.name)
        if i % 500 == 0:
            for n in range(i // 5, i // 5 + 50):
                if os.path.exists(f"go{n:05}"): os.unlink(f"go{n:05}")
                put(f"new{i}-{n}")
            os.rename("stay00001", "stay00001x"); os.rename("stay00001x", "stay00001")
stay = [n for n in seen if n.startswith("stay") and n[:9] != "stay00001"]
assert len(stay) == len(set(stay)) == 4999, (len(stay), len(set(stay)))
print(len(seen))
''', timeout=200)
    assert int(names) >= 5000
    keys = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="demo", Prefix=key + "/stay") for o in page["Contents"]]
    assert keys == [f"{key}/stay{i:05}" for i in range(1, 5001)]


def test_sparse_files(gemel, kernel, place):
    python(kernel, place, r'''
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def fallocate(fd, mode, off, length):
    if libc.fallocate(fd, mode, ctypes.c_int64(off), ctypes.c_int64(length)): raise OSError(ctypes.get_errno(), "fallocate")
M = 1 << 20
fd = os.open("s", os.O_CREAT | os.O_RDWR)
os.pwrite(fd, b"a" * 4096, 0); os.pwrite(fd, b"b" * 4096, 8 * M); os.ftruncate(fd, 16 * M); os.fsync(fd)
assert os.fstat(fd).st_blocks * 512 < 4 * M
assert os.lseek(fd, 0, os.SEEK_DATA) == 0 and 4096 <= os.lseek(fd, 0, os.SEEK_HOLE) <= 8 * M
assert 8 * M - 65536 <= os.lseek(fd, 2 * M, os.SEEK_DATA) <= 8 * M and os.lseek(fd, 9 * M, os.SEEK_HOLE) == 9 * M
fails(errno.ENXIO, os.lseek, fd, 12 * M, os.SEEK_DATA)
fallocate(fd, 3, 8 * M, 4096); os.fsync(fd); assert os.pread(fd, 4096, 8 * M) == bytes(4096) and os.fstat(fd).st_size == 16 * M
fallocate(fd, 0, 16 * M, 4 * M); assert os.fstat(fd).st_size == 20 * M and os.fstat(fd).st_blocks * 512 >= 4 * M
fallocate(fd, 3, 0, 20 * M); assert os.pread(fd, 100, 0) == bytes(100)
os.close(fd)
''')
    key = place.split("/mnt/gemel/")[1] + "/s"
    assert gemel.s3().get_object(Bucket="demo", Key=key)["Body"].read() == bytes(20 << 20)


def test_punching_what_s3_wrote(gemel, kernel, place):
    key = place.split("/mnt/gemel/")[1] + "/o"
    data = bytes(range(256)) * 16384
    gemel.s3().put_object(Bucket="demo", Key=key, Body=data)
    gemel.s3().copy_object(Bucket="demo", Key=key + "2", CopySource={"Bucket": "demo", "Key": key})
    kernel.run(f"cd {place} && fallocate -p -o 100000 -l 1500000 o && printf Z | dd of=o bs=1 seek=3000000 conv=notrunc status=none")
    expected = bytearray(data)
    expected[100000:1600000] = bytes(1500000)
    expected[3000000] = ord("Z")
    assert gemel.s3().get_object(Bucket="demo", Key=key)["Body"].read() == bytes(expected)
    assert gemel.s3().get_object(Bucket="demo", Key=key + "2")["Body"].read() == data  # the copy shares no change


def test_xattrs_are_user_metadata(gemel, kernel, place):
    key = place.split("/mnt/gemel/")[1] + "/x"
    s3 = gemel.s3()
    s3.put_object(Bucket="demo", Key=key, Body=b"x", Metadata={"color": "blue"}, Tagging="team=a")
    python(kernel, place, r'''
assert os.getxattr("x", "user.s3.meta.color") == b"blue" and os.getxattr("x", "user.s3.tag.team") == b"a"
os.setxattr("x", "user.s3.meta.size", b"large"); os.setxattr("x", "user.other", b"o" * 5000); os.removexattr("x", "user.s3.meta.color")
assert sorted(n for n in os.listxattr("x") if n.startswith("user.")) == ["user.other", "user.s3.meta.size", "user.s3.tag.team"]
assert os.getxattr("x", "user.other") == b"o" * 5000
fails(errno.ENODATA, os.getxattr, "x", "user.none"); fails(errno.ENODATA, os.removexattr, "x", "user.none")
fails(errno.EEXIST, os.setxattr, "x", "user.other", b"1", os.XATTR_CREATE); fails(errno.ENODATA, os.setxattr, "x", "user.none", b"1", os.XATTR_REPLACE)
''')
    assert s3.head_object(Bucket="demo", Key=key)["Metadata"] == {"size": "large"}


def test_share_reservations_and_locks(kernel, place):
    python(kernel, place, r'''
put("l"); a = os.open("l", os.O_RDWR)
fcntl.lockf(a, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 0)
pid = os.fork()
if pid == 0:
    b = os.open("l", os.O_RDWR)
    try:
        fcntl.lockf(b, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 5)
    except OSError as error:
        fcntl.lockf(b, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 10)
        os._exit(0 if error.errno in (errno.EAGAIN, errno.EACCES) else 2)
    os._exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
''')


def test_mmap_and_direct_io(gemel, kernel, place):
    python(kernel, place, r'''
import mmap
put("m", b"a" * 20000)
with open("m", "r+b") as f:
    with mmap.mmap(f.fileno(), 0) as m:
        m[10000:10003] = b"xyz"; m.flush()
assert get("m")[9999:10004] == b"axyza"
fd = os.open("m", os.O_RDWR | os.O_DIRECT); buf = mmap.mmap(-1, 4096); buf.write(b"D" * 4096)
os.pwritev(fd, [buf], 4096); os.close(fd); assert get("m")[4096:8192] == b"D" * 4096
''')


def test_server_side_copy_falls_back(kernel, place):
    """COPY and CLONE are refused by the server, so the client must fall back and still get it right."""
    kernel.run(f"cd {place} && head -c 5000000 /dev/urandom > a && cp --reflink=auto a b && cmp a b && python3 -c \"import os; s=os.open('a',os.O_RDONLY); d=os.open('c',os.O_CREAT|os.O_WRONLY); n=0\nwhile n<5000000: n+=os.copy_file_range(s,d,5000000-n)\" && cmp a c; cp --reflink=always a d && exit 1; true")


def test_cross_bucket_rename_copies(gemel, kernel, bucket):
    target = kernel.mount(gemel.nfs_port, "/", target="/mnt/all")
    try:
        kernel.run(f"echo hi > {target}/demo/cross && mv {target}/demo/cross {target}/{bucket}/cross && cat {target}/{bucket}/cross && ! test -e {target}/demo/cross")
        assert gemel.s3().get_object(Bucket=bucket, Key="cross")["Body"].read() == b"hi\n"
    finally:
        kernel.umount(target)


def test_handles_survive_a_restart(fresh, kernel, fresh_mounted):
    kernel.run(f"cd {fresh_mounted} && mkdir d && echo before > d/f && exec 9< d/f && ls d")
    fresh.stop()
    fresh.start()
    assert kernel.run(f"cd {fresh_mounted}/d && cat f && echo after > g && ls", timeout=90).text.split() == ["before", "f", "g"]


def test_two_servers_of_one_address(scratch, kernel):
    """Started in the same second, on two ports: one client mounts both and must not take them for one server (RFC 8881 2.10.5; NFSv4.0 knows servers apart by client ids only)."""
    servers = [Gemel(scratch / f"twin{i}") for i in range(2)]
    for server in servers:
        server.start(wait=False)
    for server in servers:
        server.wait_ready()
    for version in ("4.0", "4.1", "4.2"):
        targets = []
        try:
            for i, server in enumerate(servers):
                targets.append(kernel.mount(server.nfs_port, "/demo", target=f"/mnt/twin{i}", version=version))
            for i, target in enumerate(targets):
                kernel.run(f"echo {i} > {target}/{version}")
            for i, server in enumerate(servers):
                assert server.s3().get_object(Bucket="demo", Key=version)["Body"].read() == b"%d\n" % i
        finally:
            for target in targets:
                kernel.umount(target)
    for server in servers:
        server.stop()
        server.assert_clean()


def test_many_files_hash_alike(gemel, kernel, place):
    kernel.run(f"cd {place} && for d in a b c; do mkdir $d; for i in $(seq 100); do head -c $((i * 777)) /dev/urandom > $d/$i; done; done", timeout=120)
    text = kernel.run(f"cd {place} && sha256sum */*").text
    key = place.split("/mnt/gemel/")[1]
    s3 = gemel.s3()
    for line in text.splitlines():
        value, name = line.split(None, 1)
        assert hashlib.sha256(s3.get_object(Bucket="demo", Key=f"{key}/{name}")["Body"].read()).hexdigest() == value


def test_store_is_whole(gemel):
    gemel.check_store()
