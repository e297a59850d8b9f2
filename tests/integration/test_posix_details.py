# SPDX-License-Identifier: Apache-2.0
"""What programs on a mount with default options rely on, alone and while S3 works in the same directories."""
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from test_malformed import Wire
from test_nfs import python

MIB = 1 << 20
USER = {"uid": 1234, "gid": 1234}


def key(place, name=""):
    return place.split("/mnt/gemel/")[1] + "/" + name


@pytest.fixture
def s3(gemel):
    return gemel.s3()


@pytest.fixture
def shared(kernel, mounted, place):
    """`place`, which everybody may enter and write; afterwards nobody else may enter the bucket again."""
    kernel.run(f"chmod o+x {mounted} && chmod 1777 {place}")
    yield place
    kernel.run(f"chmod o-x {mounted}")


# ---- files replaced and removed


def test_replace_by_rename(kernel, place, s3):
    """Write beside, rename over, read: no read gives what was there before, and the lock file is gone each time. An open file keeps its own content."""
    kernel.run(rf"""set -e; cd {place}; mkdir d1 d2
for i in $(seq 1 25); do head -c $((i * 37)) /dev/urandom | base64 > foo.lock; cp foo.lock /run/want; mv foo.lock foo; cmp foo /run/want; test ! -e foo.lock; done
echo old > d1/a; cat d1/a; echo new > d2/b; cat d2/b; mv d2/b d1/a; test "$(cat d1/a)" = new; test ! -e d2/b
touch file; mv file file.rename; test ! -e file; test -e file.rename
exec 5>>open1; echo a >&5; mv open1 open2; echo b >&5; exec 5>&-; test "$(cat open2)" = "$(printf 'a\nb')"
exec 6<open2; mv d1/a open2; test "$(cat <&6)" = "$(printf 'a\nb')"; test "$(cat open2)" = new""")
    assert s3.get_object(Bucket="demo", Key=key(place, "open2"))["Body"].read() == b"new\n"


def test_both_doors_remove_one_tree(kernel, place, s3):
    kernel.run(f"cd {place} && mkdir -p t/a t/b t/c && for d in a b c; do for i in $(seq 150); do : > t/$d/f$i; done; done")
    with ThreadPoolExecutor(3) as pool:
        removed = [pool.submit(s3.delete_object, Bucket="demo", Key=key(place, f"t/{d}/f{i}")) for i in range(1, 151, 2) for d in "abc"]
        kernel.run(f"rm -rf {place}/t")
        for one in removed:
            one.result()
    assert kernel.run(f"ls -A {place}").text == "" and s3.list_objects_v2(Bucket="demo", Prefix=key(place, "t"))["KeyCount"] == 0


def test_changes_during_a_get(gemel, kernel, place, s3):
    """A GET that has begun gives the whole old object, or ends short; never other bytes under the old ETag. The next GET has the new ones."""
    size, name = 12 * MIB, key(place, "b")
    wire, target = Wire(gemel), f"/demo/{quote(name)}"

    def slow_get(change):
        """The body of a GET that waits in its first bytes until `change` is done; None when it ends short."""
        s3.put_object(Bucket="demo", Key=name, Body=b"A" * size)
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            connection.settimeout(30)
            connection.connect(("127.0.0.1", gemel.s3_port))
            head = "".join(f"{k}: {v}\r\n" for k, v in wire.signed("GET", target).items())
            connection.sendall(f"GET {target} HTTP/1.1\r\n{head}\r\n".encode())
            first = connection.recv(20000)
            change()
            head, _, body = first.partition(b"\r\n\r\n")
            assert re.search(rb"(?i)content-length: (\d+)", head)[1] == b"%d" % size
            pieces = [body]
            got = len(body)
            while got < size:
                try:
                    piece = connection.recv(MIB)
                except ConnectionResetError:
                    piece = b""
                if not piece:
                    return None
                pieces.append(piece)
                got += len(piece)
            return b"".join(pieces)

    old, now = b"A" * size, lambda: s3.get_object(Bucket="demo", Key=name)["Body"].read()
    assert slow_get(lambda: kernel.run(f"truncate -s 1000 {place}/b")) in (None, old) and now() == b"A" * 1000
    assert slow_get(lambda: kernel.run(f"cd {place}; head -c {size} /dev/zero | tr '\\0' B > c; mv c b")) == old and now() == b"B" * size
    assert slow_get(lambda: s3.put_object(Bucket="demo", Key=name, Body=b"C" * size)) == old and now() == b"C" * size
    assert slow_get(lambda: kernel.run(f"rm {place}/b")) == old
    with pytest.raises(ClientError):
        now()


def test_directories_move_below_an_upload(kernel, place, s3):
    """An upload belongs to its key: a rename or removal of the directory does not touch it, and Complete makes the directories anew."""
    name, prefix = key(place, "d/e/obj"), key(place)
    s3.put_object(Bucket="demo", Key=name, Body=b"old")
    begin = lambda k: {"Bucket": "demo", "Key": k, "UploadId": s3.create_multipart_upload(Bucket="demo", Key=k)["UploadId"]}
    part = lambda n, body, names: {"PartNumber": n, "ETag": s3.upload_part(PartNumber=n, Body=body, **names)["ETag"]}
    names = begin(name)
    parts = [part(1, b"n" * 5 * MIB, names)]
    assert kernel.run(f"cd {place} && cat d/e/obj && find . -type f | wc -l").text == "old1\n"
    kernel.run(f"mv {place}/d {place}/moved")
    parts.append(part(2, b"tail", names))
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **names)
    assert kernel.run(f"cd {place} && ls && stat -c %s d/e/obj && cat moved/e/obj").text.split() == ["d", "moved", str(5 * MIB + 4), "old"]
    names = begin(prefix + "gone/x")
    part(1, b"1", names)
    s3.put_object(Bucket="demo", Key=prefix + "gone/y", Body=b"")
    kernel.run(f"rm -r {place}/gone")
    s3.abort_multipart_upload(**names)
    names = begin(prefix + "file/x")
    parts = [part(1, b"1", names)]
    kernel.run(f"echo content > {place}/file")
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **names)  # a file stands where a directory is to be: over S3 they coexist
    assert [s3.get_object(Bucket="demo", Key=prefix + k)["Body"].read() for k in ("file", "file/x")] == [b"content\n", b"1"]
    kernel.run(f"ls {place}")  # or the client may hold on to what `file` was a moment ago (docs/mounting.md)
    assert kernel.run(f"cat {place}/.gml~f~file {place}/file/x").text == "content\n1"


# ---- names


def test_errors_of_directory_calls(kernel, place):
    python(kernel, place, r'''
os.makedirs("full/sub"); os.mkdir("empty"); os.mkdir("empty2"); put("file"); os.symlink("full", "ln"); os.symlink("loop", "loop"); os.symlink("nowhere", "dangling")
fails(errno.ENOTDIR, os.rmdir, "ln"); fails(errno.ENOTEMPTY, os.rename, "empty", "full"); os.rename("full", "empty2")
fails(errno.EINVAL, os.rename, "empty2", "empty2/sub/x"); fails(errno.EEXIST, os.mkdir, "ln"); fails(errno.ENOTDIR, os.mkdir, "file/x"); fails(errno.ENOENT, os.rename, "none", "x")
fails(errno.ELOOP, get, "loop"); fails(errno.EPERM, os.link, "empty", "hl"); fails(errno.EINVAL, os.readlink, "file"); fails(errno.EISDIR, os.truncate, "empty", 0); fails(errno.EEXIST, os.symlink, "x", "file")
fails(errno.EEXIST, os.open, "dangling", os.O_CREAT | os.O_EXCL | os.O_WRONLY); fails(errno.EINVAL, os.rmdir, "."); fails(errno.ENOTEMPTY, os.rmdir, "empty2/sub/..")
os.link("file", "hl"); os.rename("file", "hl"); assert os.path.exists("file") and os.path.exists("hl")
put("empty/f"); os.unlink("empty/f"); os.rmdir("empty")
here = os.getcwd(); os.mkdir("here"); os.chdir("here"); os.rmdir("../here")
try: put("x")
except OSError as error: assert error.errno in (errno.ENOENT, errno.ESTALE), error
else: raise AssertionError("a file was made in a removed directory")
os.chdir(here); before = os.stat(".").st_nlink; os.mkdir("more"); assert os.stat(".").st_nlink == before + 1
''')


ODD = ["caf\u00e9.txt", "cafe\u0301.txt", "._caf\u00e9.txt", ".DS_Store", "a:b", "back\\slash", "pi|pe", "q?m*<>\"", "dot.", "space ", " lead", "CON", "folder#1#", "folder%231%23", "plus+and&", "new\nline", "tab\there", "\U0001f600", "~lock~", "-rf", "\x7fdel", "Åse", "ÅSE"]


def test_odd_names_at_both_doors(gemel, kernel, place, s3):
    """What other systems would fold, trim or forbid: the same bytes over both protocols, each name once, and removable over the other protocol."""
    wire, latin = Wire(gemel), f"/demo/{quote(key(place, 'n/caf'))}%E9.txt"
    python(kernel, place, f'os.mkdir("n")\nfor n in {ODD!r}: put("n/" + n, n.encode())\nput(b"n/caf\\xe9.txt", b"latin")')
    listed = [o["Key"].removeprefix(key(place, "n/")) for page in s3.get_paginator("list_objects_v2").paginate(Bucket="demo", Prefix=key(place, "n/"), PaginationConfig={"PageSize": 5}) for o in page["Contents"]]
    assert len(listed) == len(set(listed)) == len(ODD) + 1 and set(ODD) <= set(listed)
    for name in ODD:
        assert s3.get_object(Bucket="demo", Key=key(place, "n/" + name))["Body"].read() == name.encode(), name
        s3.delete_object(Bucket="demo", Key=key(place, "n/" + name))
    assert wire.send("GET", latin)[2] == b"latin" and wire.send("DELETE", latin)[0] == 204  # no UTF-8 at all
    assert kernel.run(f"ls -A {place}/n").text == ""
    for name in ODD:
        s3.put_object(Bucket="demo", Key=key(place, "m/" + name), Body=name.encode())
    python(kernel, place, f'assert sorted(os.listdir(b"m")) == sorted(n.encode() for n in {ODD!r})\nfor n in {ODD!r}: assert get("m/" + n) == n.encode(), n; os.unlink("m/" + n)\nos.rmdir("m")')
    assert s3.list_objects_v2(Bucket="demo", Prefix=key(place, "m"))["KeyCount"] == 0


def test_hard_links_in_a_big_directory(kernel, place, s3):
    """Many names of few files, over several READDIR replies, made over both protocols: each name once, whoever lists."""
    python(kernel, place, 'for i in range(8): put(f"f{i}", b"%d" % i)\nfor i in range(300): os.link(f"f{i % 8}", f"l{i:04}")\nos.mkdir("sub")\nfor i in range(40): os.mkdir(f"sub/d{i}")')
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: s3.put_object(Bucket="demo", Key=key(place, f"s3-{i:04}"), Body=b""), range(300)))
    want = sorted([*(f"f{i}" for i in range(8)), *(f"l{i:04}" for i in range(300)), *(f"s3-{i:04}" for i in range(300)), "sub"])
    kernel.run("echo 2 > /proc/sys/vm/drop_caches")
    for command in ("ls -1U", "ls -lU | awk 'NR > 1 { print $9 }'", "find . -mindepth 1 -maxdepth 1 -printf '%f\\n'"):
        assert sorted(kernel.run(f"cd {place} && {command}").text.split()) == want, command
    assert kernel.run(f"cd {place} && ls -U sub | wc -l && stat -c %h f0 sub").text.split() == ["40", "39", "42"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="demo", Prefix=key(place), Delimiter="/", PaginationConfig={"PageSize": 111})
    listed = [x.get("Key") or x["Prefix"] for page in pages for x in page.get("Contents", []) + page.get("CommonPrefixes", [])]
    assert len(listed) == len(want) and {k.removeprefix(key(place)).rstrip("/") for k in listed} == set(want)


# ---- content and attributes


def test_calls_on_open_files(kernel, place, s3):
    python(kernel, place, r'''
data = os.urandom(1 << 20); put("a", data)
src, dst = os.open("a", os.O_RDONLY), os.open("s", os.O_WRONLY | os.O_CREAT); at = 0
while at < 1 << 20: at += os.sendfile(dst, src, at, 1 << 20)
os.close(dst); assert get("s") == data
fd = os.open("t", os.O_RDWR | os.O_CREAT | os.O_SYNC); os.write(fd, b"123456"); os.ftruncate(fd, 3); os.ftruncate(fd, 6); os.lseek(fd, 0, 0); assert os.read(fd, 9) == b"123\0\0\0"
os.chmod("t", 0); os.write(fd, b"7"); os.close(fd)  # rights are asked at open
before = os.stat("t"); time.sleep(0.02); os.utime("t"); after = os.stat("t"); assert after.st_mtime_ns > before.st_mtime_ns and after.st_ctime_ns > before.st_ctime_ns
''')
    assert s3.get_object(Bucket="demo", Key=key(place, "t"))["Body"].read() == b"123\0\0\0007"
    kernel.run(f"cd {place} && cp --sparse=always a c && cmp a c && truncate -s 3M c && cp --sparse=always c d && cmp c d")


def test_etag_of_what_nfs_wrote(kernel, place, s3):
    """One tag wherever it is told; it stays while nothing changes, and changes with the bytes, also when size and mtime are put back. It does not look like an MD5, which SDKs would compare."""
    kernel.run(f"cd {place} && echo one > a && echo two > b")
    tag = lambda name="a": s3.head_object(Bucket="demo", Key=key(place, name))["ETag"]
    first = tag()
    assert first != tag("b") and re.fullmatch(r'"[^"]+-[^"]+"', first)
    assert s3.get_object(Bucket="demo", Key=key(place, "a"))["ETag"] == first == s3.list_objects_v2(Bucket="demo", Prefix=key(place, "a"))["Contents"][0]["ETag"]
    assert s3.get_object_attributes(Bucket="demo", Key=key(place, "a"), ObjectAttributes=["ETag"])["ETag"].strip('"') == first.strip('"')
    kernel.run(f"cd {place} && cat a && ls -l")
    assert tag() == first
    seen = {first}
    for i in range(6):
        kernel.run(f"cd {place} && touch -r a /run/ref && printf 'on{i}\\n' | dd of=a conv=notrunc status=none && touch -r /run/ref a")
        assert tag() not in seen
        seen.add(tag())
    assert s3.get_object(Bucket="demo", Key=key(place, "a"), IfMatch=tag())["Body"].read() == b"on5\n"
    s3.copy_object(Bucket="demo", Key=key(place, "copy"), CopySource={"Bucket": "demo", "Key": key(place, "a")}, CopySourceIfMatch=tag())
    with pytest.raises(ClientError):
        s3.copy_object(Bucket="demo", Key=key(place, "copy"), CopySource={"Bucket": "demo", "Key": key(place, "a")}, CopySourceIfMatch=first)


def test_groups(kernel, shared):
    """Supplementary groups count up to AUTH_SYS's sixteenth; a directory with setgid passes on its group, also what others make in it."""
    kernel.run(f"cd {shared} && mkdir proj && chgrp 5000 proj && chmod 2775 proj")
    made = kernel.run(f"cd {shared}/proj && umask 002 && echo a > f && mkdir d && echo b > d/g && stat -c '%a %g' f d d/g", groups=[5000], **USER)
    assert made.text.splitlines() == ["664 5000", "2775 5000", "664 5000"]
    assert kernel.run(f"touch {shared}/proj/no", uid=1235, gid=1235, check=False).rc != 0
    kernel.run(f"touch {shared}/proj/yes", uid=1235, gid=1235, groups=[*range(6000, 6015), 5000])
    kernel.run(f"cd {shared} && echo 1 > c && chmod 6755 c && chgrp 5000 c && test \"$(stat -c '%a %g' c)\" = '755 5000'", groups=[5000], **USER)
    for deed in ("chgrp 7777 c", "chown 1 c"):
        assert kernel.run(f"cd {shared} && {deed}", groups=[5000], check=False, **USER).rc != 0, deed


# ---- what a mount shows of S3 at once, whatever the client caches (docs/mounting.md)


@pytest.mark.parametrize("options", ["", "lookupcache=positive", "lookupcache=none"])
def test_seen_at_once(gemel, kernel, s3, bucket, options):
    """open, ls and find ask the server; with lookupcache=positive so does whoever names what was absent, with lookupcache=none everybody who names anything."""
    target = kernel.mount(gemel.nfs_port, f"/{bucket}", target="/mnt/seen", options=options)
    try:
        for i in range(4):
            d = f"d{i}"
            for name in ("over", "over2", "gone", "gone2"):
                s3.put_object(Bucket=bucket, Key=f"{d}/{name}", Body=b"old")
            kernel.run(f"cd {target}/{d} && cat over over2 && stat over over2 gone gone2 && ! test -e new && ! test -e new2 && ls -l && find . -type f -size 3c")
            for name in ("over", "over2", "new", "new2"):
                s3.put_object(Bucket=bucket, Key=f"{d}/{name}", Body=b"the new")
            for name in ("gone", "gone2"):
                s3.delete_object(Bucket=bucket, Key=f"{d}/{name}")
            if options == "lookupcache=none":
                assert kernel.run(f"cd {target}/{d} && stat -c %s over && ! test -e gone && test -e new").text == "7\n"
            if options:
                assert kernel.run(f"cat {target}/{d}/new").text == "the new"
            assert kernel.run(f"cat {target}/{d}/over2").text == "the new"
            assert kernel.run(f"cat {target}/{d}/gone2", check=False).rc != 0
            assert kernel.run(f"ls -1 {target}/{d}").text.split() == ["new", "new2", "over", "over2"]
            assert kernel.run(f"cat {target}/{d}/new2").text == "the new"  # the listing brought it
            assert sorted(kernel.run(f"find {target}/{d} -type f -size 7c -printf '%f\\n'").text.split()) == ["new", "new2", "over", "over2"]
    finally:
        kernel.umount(target)


# ---- programs


def test_git(kernel, shared):
    """An ordinary user's repository: commits, merge, gc, clone, worktree, push; and every object is right."""
    kernel.run(r"""set -e; export HOME=$PWD/home; mkdir home; git config --global user.email a@example.com; git config --global user.name n; git config --global init.defaultBranch main; git config --global gc.auto 0
git init -q r; cd r; for i in $(seq 1 12); do mkdir -p d$((i % 3)); head -c 300 /dev/urandom | base64 > d$((i % 3))/f$i; done
git add -A; git commit -qm one; git checkout -qb side; echo x >> d1/f1; git commit -qam two; git checkout -q main; echo y >> d2/f2; git commit -qam three; git merge -q side -m merge; git gc -q --prune=now; git fsck --full --strict
cd ..; git clone -q r c; cd c; git fsck --full; git worktree add -q -b side ../w origin/side; cd ../w; test -z "$(git status --porcelain)"; git push -q origin HEAD:refs/heads/new
cd ../r; test "$(git log --oneline new | wc -l)" = 2; test "$(git log --oneline main | wc -l)" = 4; cd ..; rm -rf c w r""", cwd=shared, timeout=120, **USER)


def test_tar_and_rsync(kernel, place):
    """What they bring is there with all its attributes, and a second rsync finds nothing to do."""
    kernel.run(r"""set -e; S=$(mktemp -d /run/srcXXXX); cd $S; mkdir -p a/b/c ro; echo 1 > a/f; ln a/f a/hard; ln -s ../f a/b/sym; ln -s /no/where a/dangling; mkfifo a/fifo; truncate -s 3M a/sparse; echo tail >> a/sparse
echo x > ro/file; chmod 400 ro/file; chmod 4711 a/hard; echo l > a/$(printf 'n%.0s' $(seq 1 255)); printf y > $'a/new\nline'; printf z > 'a/ lead and trail '
for i in $(seq 1 14); do mkdir -p deep/$((i % 4))/$i; echo $i > deep/$((i % 4))/$i/f; done; find . -exec touch -h -d '2001-02-03 04:05:06.789012345' {} +; chmod 555 ro
tar --format=posix -cf /run/x.tar .; mkdir $T/t; tar -xpf /run/x.tar -C $T/t; rsync -aHSX $S/ $T/r/; test -z "$(rsync -aHSX -i --delete $S/ $T/r/)"; test -z "$(rsync -aHSXc -i $S/ $T/r/)"
tell() { (cd $1; find . ! -type d -printf '%p %y %m %s %T@ %n %l\n' -o -printf '%p %m %T@\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum); }
tell $S > /run/want; for got in t r; do tell $T/$got > /run/got; diff /run/want /run/got; done
chmod -R u+w $S $T/t $T/r; rm -rf $S $T/t $T/r""".replace("$T", place), timeout=120)


def test_store_is_whole(gemel):
    gemel.check_store()
