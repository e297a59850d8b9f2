# SPDX-License-Identifier: Apache-2.0
"""Stores that released versions made (tests/stores) are served, with everything that is in them; older ones are refused.

Run as a program, it makes the store of the present version: see tests/stores/README.md."""
import hashlib
import json
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import nfs4  # noqa: E402
from harness import TOP, Gemel  # noqa: E402
from nfs4 import ANONYMOUS, OK, Client, putfh  # noqa: E402

STORES = TOP / "tests" / "stores"
LEFT_OUT = ("run/", "meta/lock.mdb", "meta/redo.tail")
LONG = "long/" + "n" * 700 + "/" + "m" * 200
PART = 5 << 20


def body(key, size):
    """Bytes that follow from the key."""
    return hashlib.shake_128(key.encode()).digest(size)


OBJECTS = {"small": 100, "empty": 0, "dir/in a directory": 3000, "dir/sub/deeper": 17, "block": 40000, LONG: 10, "naïve/ключ": 5, "double//slash": 6}
READ = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}'
LIMITED = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:user/demo"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::limited/*"}}'
WHOLE = bytes(PART) + body("multipart", 1000)


def fill(gemel):
    s3 = gemel.s3()
    for key, size in OBJECTS.items():
        s3.put_object(Bucket="demo", Key=key, Body=body(key, size))
    s3.put_object(Bucket="demo", Key="described", Body=b"d", ContentType="text/x-test", CacheControl="no-cache", Metadata={"colour": "blue", "long": "v" * 500}, Tagging="k=v&a=b", ChecksumAlgorithm="SHA256")
    upload = s3.create_multipart_upload(Bucket="demo", Key="multipart")["UploadId"]
    parts = []
    for number, data in ((1, WHOLE[:PART]), (2, WHOLE[PART:])):
        tag = s3.upload_part(Bucket="demo", Key="multipart", UploadId=upload, PartNumber=number, Body=data)["ETag"]
        parts.append({"PartNumber": number, "ETag": tag})
    s3.complete_multipart_upload(Bucket="demo", Key="multipart", UploadId=upload, MultipartUpload={"Parts": parts})
    s3.copy_object(Bucket="demo", Key="copy", CopySource={"Bucket": "demo", "Key": "block"})
    upload = s3.create_multipart_upload(Bucket="demo", Key="unfinished")["UploadId"]
    s3.upload_part(Bucket="demo", Key="unfinished", UploadId=upload, PartNumber=7, Body=b"part")
    s3.put_bucket_tagging(Bucket="demo", Tagging={"TagSet": [{"Key": "team", "Value": "tests"}]})
    gemel.gemel("bucket", "create", "limited", "--owner", "demo")
    gemel.gemel("bucket", "quota", "limited", "--bytes", 1000, "--objects", 5)
    gemel.gemel("bucket", "durability", "limited", "relaxed")
    s3.put_object(Bucket="limited", Key="one", Body=b"1234")
    gemel.new_user("gone", 4321)
    gemel.gemel("user", "delete", "gone", "--yes")
    gemel.gemel("group", "create", "Team")
    gemel.gemel("group", "add", "Team", "demo")
    gemel.gemel("user", "tag", "demo", "--set", "stage=kept")
    gemel.gemel("role", "create", "reader", "--description", "reads", "--max-session", 7200)
    gemel.gemel("policy", "put", "Read", "--file", "-", stdin=READ)
    gemel.gemel("policy", "attach", "Read", "--group", "Team")
    gemel.gemel("policy", "boundary", "Read", "--role", "reader")
    gemel.gemel("policy", "put", "own", "--user", "demo", "--file", "-", stdin=READ)
    gemel.gemel("policy", "put", "--bucket", "limited", "--file", "-", stdin=LIMITED)
    gemel.gemel("bucket", "public-access", "limited", "BlockPublicAcls")
    gemel.gemel("account", "public-access", "BlockPublicPolicy")
    client = Client(gemel.nfs_port)
    root, directory = client.handle("demo"), client.handle("demo", "dir")
    status, stateid, handle = client.open(root, "written", create=nfs4.UNCHECKED)
    assert status == OK
    assert client.compound(putfh(handle), nfs4.setattr_size(0, stateid), nfs4.write(stateid, 0, b"over NFS"), nfs4.write(stateid, 100000, b"far"), nfs4.close(stateid))[0] == OK
    assert client.compound(putfh(handle), nfs4.setxattr("note", b"an xattr"))[0] == OK
    assert client.compound(putfh(handle), nfs4.savefh(), putfh(directory), nfs4.link("another name"))[0] == OK
    assert client.compound(putfh(root), nfs4.create_symlink("symlink", "dir/sub"))[0] == OK
    assert client.compound(putfh(root), nfs4.create_directory("empty directory"))[0] == OK
    client.close()


def read_s3(s3):
    for key, size in OBJECTS.items():
        assert s3.get_object(Bucket="demo", Key=key)["Body"].read() == body(key, size), key
    found = s3.get_object(Bucket="demo", Key="described", ChecksumMode="ENABLED")
    assert found["ContentType"] == "text/x-test" and found["CacheControl"] == "no-cache"
    assert found["Metadata"] == {"colour": "blue", "long": "v" * 500} and "ChecksumSHA256" in found
    assert {t["Key"]: t["Value"] for t in s3.get_object_tagging(Bucket="demo", Key="described")["TagSet"]} == {"k": "v", "a": "b"}
    found = s3.get_object(Bucket="demo", Key="multipart")
    assert found["Body"].read() == WHOLE and found["ETag"].endswith('-2"')
    assert s3.get_object(Bucket="demo", Key="copy")["Body"].read() == body("block", OBJECTS["block"])
    listed = {entry["Key"] for entry in s3.list_objects_v2(Bucket="demo")["Contents"]}
    assert listed == {*OBJECTS, "described", "multipart", "copy", "written", "dir/another name", "empty directory/"}
    uploads = s3.list_multipart_uploads(Bucket="demo")["Uploads"]
    assert [upload["Key"] for upload in uploads] == ["unfinished"]
    assert [part["PartNumber"] for part in s3.list_parts(Bucket="demo", Key="unfinished", UploadId=uploads[0]["UploadId"])["Parts"]] == [7]
    assert s3.get_bucket_tagging(Bucket="demo")["TagSet"] == [{"Key": "team", "Value": "tests"}]


def read_nfs(client):
    for path in (("written",), ("dir", "another name")):
        handle = client.handle("demo", *path)
        assert client.compound(putfh(handle), nfs4.read(ANONYMOUS, 0, 8), nfs4.read(ANONYMOUS, 99999, 9)) == (OK, [None, b"over NFS", b"\0far"])
        assert client.compound(putfh(handle), nfs4.getxattr("note")) == (OK, [None, b"an xattr"])
    assert client.compound(putfh(client.handle("demo", "symlink")), nfs4.readlink()) == (OK, [None, b"dir/sub"])
    assert client.compound(putfh(client.handle("demo", "dir", "sub", "deeper")), nfs4.read(ANONYMOUS, 0, 99)) == (OK, [None, body("dir/sub/deeper", 17)])


class Kept(Gemel):
    """A copy of a kept store, in place of a new one."""

    def __init__(self, home, archive):
        self.archive = archive
        super().__init__(home)

    def gemel(self, *words, **options):
        if words == ("store", "create"):
            with tarfile.open(self.archive) as tar:
                tar.extractall(self.home)
        elif words[:2] in (("user", "create"), ("bucket", "create")):
            pass  # they are there
        else:
            return super().gemel(*words, **options)


@pytest.mark.parametrize("archive", sorted(p for p in STORES.glob("v*.tar.gz") if p.name != "v2.tar.gz"), ids=lambda p: p.name)
def test_a_released_store_is_served(scratch, archive):
    assert archive.stat().st_size < 200 << 10
    gemel = Kept(scratch / f"kept-{archive.name}", archive)
    gemel.check_store()
    gemel.start()
    try:
        s3 = gemel.s3()
        read_s3(s3)
        client = Client(gemel.nfs_port)
        read_nfs(client)
        shown = gemel.gemel("bucket", "show", "limited")
        assert (shown["objects"], shown["bytes"], shown["quota_objects"], shown["quota_bytes"], shown["durability"]) == (1, 4, 5, 1000, "relaxed")
        assert gemel.gemel("group", "show", "team")["members"] == ["demo"] and gemel.gemel("user", "show", "demo")["tags"] == {"stage": "kept"}
        assert gemel.gemel("role", "show", "reader")["max_session"] == 7200
        used = gemel.gemel("policy", "show", "read")
        assert (used["attached_to"], used["boundary_of"]) == (["group/Team"], ["role/reader"]) and gemel.gemel("policy", "get", "own", "--user", "demo") == json.loads(READ)
        assert gemel.gemel("policy", "get", "--bucket", "limited") == json.loads(LIMITED)
        assert (shown["policy"], shown["public_access_block"]) == ("not public", "BlockPublicAcls") and gemel.gemel("account", "show")["public_access_block"] == "BlockPublicPolicy"
        # It takes changes: of a name with several, and of what a quota limits.
        assert client.compound(putfh(client.handle("demo")), nfs4.remove("written"))[0] == OK
        assert client.compound(putfh(client.handle("demo", "dir", "another name")), nfs4.read(ANONYMOUS, 0, 8)) == (OK, [None, b"over NFS"])
        client.close()
        s3.put_object(Bucket="demo", Key="small", Body=b"anew")
        assert s3.get_object(Bucket="demo", Key="small")["Body"].read() == b"anew"
        s3.delete_object(Bucket="demo", Key="copy")
        with pytest.raises(s3.exceptions.ClientError):
            s3.put_object(Bucket="limited", Key="two", Body=bytes(2000))
    finally:
        gemel.stop()
    gemel.check_store()
    gemel.assert_clean()


def test_a_store_of_version_2_is_refused(scratch):
    """And it is told how its data is carried over; nothing of it changes."""
    with tempfile.TemporaryDirectory(dir=scratch) as home:
        with tarfile.open(STORES / "v2.tar.gz") as tar:
            tar.extractall(home)
        conf = Path(home) / "gemel.conf"
        conf.write_text(f"[store]\nhome = {home}\n[s3]\nport = 20998\n[nfs]\nport = 20999\n")
        before = {path: path.read_bytes() for path in Path(home).rglob("*") if path.is_file()}
        for words in (("store", "check"), ("serve",), ("bucket", "list")):
            done = Gemel.gemel(RunOnly(conf), *words, json_out=False, check=False)
            assert done.returncode == 1
            assert "made by Gemel 0.1" in done.stderr and "copy each bucket over S3 or NFS" in done.stderr, done.stderr
        assert all(path.read_bytes() == data for path, data in before.items())


class RunOnly:
    def __init__(self, conf):
        self.conf = conf


def make(target):
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        gemel = Gemel(Path(home) / "made")
        gemel.start()
        try:
            fill(gemel)
        finally:
            gemel.stop()
        gemel.check_store()
        store = gemel.home / "store"

        def keep(member):
            name = member.name.removeprefix("store/")
            member.uid = member.gid = member.mtime = 0
            member.uname = member.gname = ""
            return None if any(name.startswith(out) for out in LEFT_OUT) else member

        with tarfile.open(target, "w:gz", compresslevel=9) as tar:
            tar.add(store, "store", filter=keep)
        print(f"{target}: {Path(target).stat().st_size} bytes")


if __name__ == "__main__":
    make(sys.argv[1])
