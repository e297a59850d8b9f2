# SPDX-License-Identifier: Apache-2.0
"""One decision for both protocols: uid, gids and mode bits bind S3 as they bind NFS."""
import itertools
import threading

import pytest

import nfs4
from test_nfs import python

ALICE, BOB, EVE = 1001, 1002, 1003
STAFF = 500


@pytest.fixture(scope="module")
def people(gemel):
    return {
        "alice": (ALICE, (STAFF,), gemel.s3(*gemel.new_user("alice", ALICE, groups=[STAFF]))),
        "bob": (BOB, (STAFF,), gemel.s3(*gemel.new_user("bob", BOB, groups=[STAFF]))),
        "eve": (EVE, (), gemel.s3(*gemel.new_user("eve", EVE))),
    }


@pytest.fixture
def root(gemel, kernel):
    target = kernel.mount(gemel.nfs_port, "/", target="/mnt/perm", options="actimeo=0")
    yield target
    kernel.umount(target)


def s3_can(call, *args, **kwargs):
    from botocore.exceptions import ClientError

    try:
        answer = call(*args, **kwargs)
        if "Body" in answer:
            answer["Body"].read()
        return True
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error
        return False


def test_same_answer_at_both_doors(gemel, kernel, people, root):
    """Every directory mode × file mode × person × deed: S3 and NFS agree."""
    bucket = gemel.new_bucket(owner="alice", mode="0755")
    disagreements = []
    for dir_mode, file_mode in itertools.product((0o755, 0o750, 0o700, 0o770, 0o777, 0o711), (0o644, 0o640, 0o600, 0o666, 0o000)):
        place = f"d{dir_mode:o}-{file_mode:o}"
        base = f"{root}/{bucket}/{place}"
        kernel.run(f"mkdir {base} && echo data > {base}/f && chown -R {ALICE}:{STAFF} {base} && chmod {file_mode:o} {base}/f && chmod {dir_mode:o} {base}")
        for name, (uid, groups, s3) in people.items():
            nfs = lambda script: kernel.run(script, uid=uid, gid=uid, groups=groups, check=False).rc == 0
            deeds = {
                "read": (lambda: s3_can(s3.get_object, Bucket=bucket, Key=f"{place}/f"), f"cat {base}/f"),
                "list": (lambda: s3_can(s3.list_objects_v2, Bucket=bucket, Prefix=place + "/"), f"ls {base}/"),
                "create": (lambda: s3_can(s3.put_object, Bucket=bucket, Key=f"{place}/s3-{name}", Body=b"x"), f"echo x > {base}/nfs-{name}"),
            }
            for deed, (by_s3, by_nfs) in deeds.items():
                a, b = by_s3(), nfs(by_nfs)
                if deed == "read" and uid == ALICE and file_mode == 0:
                    continue  # NFS lets the owner read an open file whatever its mode; S3 has no open
                if a != b:
                    disagreements.append(f"{name} {deed} in {dir_mode:o}/{file_mode:o}: S3 {a}, NFS {b}")
    assert not disagreements, "\n".join(disagreements)


def test_delete_needs_the_directory(gemel, kernel, people, root):
    bucket = gemel.new_bucket(owner="alice", mode="0755")
    alice, eve = people["alice"][2], people["eve"][2]
    alice.put_object(Bucket=bucket, Key="f", Body=b"x")
    assert not s3_can(eve.delete_object, Bucket=bucket, Key="f")
    assert kernel.run(f"rm -f {root}/{bucket}/f", uid=EVE, gid=EVE, check=False).rc != 0
    assert not s3_can(eve.put_object, Bucket=bucket, Key="f", Body=b"mine")
    kernel.run(f"chmod 1777 {root}/{bucket}")
    assert not s3_can(eve.delete_object, Bucket=bucket, Key="f")  # sticky
    kernel.run(f"chmod 0777 {root}/{bucket}")
    assert s3_can(eve.delete_object, Bucket=bucket, Key="f")


def test_private_by_default(gemel, kernel, people, root):
    alice, eve = people["alice"][2], people["eve"][2]
    alice.create_bucket(Bucket="alices-own")
    alice.put_object(Bucket="alices-own", Key="secret", Body=b"x")
    for call, kwargs in ((eve.get_object, {"Key": "secret"}), (eve.head_bucket, {}), (eve.list_objects_v2, {}), (eve.put_object, {"Key": "x", "Body": b""}), (eve.delete_object, {"Key": "secret"}), (eve.delete_bucket, {})):
        assert not s3_can(call, Bucket="alices-own", **kwargs), call
    see = lambda uid: kernel.run(f"ls {root}", uid=uid, gid=uid).text.split()
    assert "alices-own" in see(ALICE) and "alices-own" not in see(EVE)
    assert "alices-own" in [b["Name"] for b in alice.list_buckets()["Buckets"]]
    assert "alices-own" not in [b["Name"] for b in eve.list_buckets()["Buckets"]]
    assert kernel.run(f"cat {root}/alices-own/secret", uid=EVE, gid=EVE, check=False).rc != 0


def unreadable(gemel, people, mode):
    """A bucket of alice's with this mode, and in it the object `f`, which nobody else may read; its name and the ETag."""
    bucket = gemel.new_bucket(owner="alice", mode=mode)
    tag = people["alice"][2].put_object(Bucket=bucket, Key="f", Body=b"x")["ETag"]
    client = nfs4.Client(gemel.nfs_port, uid=ALICE, gid=ALICE)
    assert client.compound(nfs4.putfh(client.handle(bucket, "f")), nfs4.setattr_mode())[0] == nfs4.OK
    client.close()
    return bucket, tag


def test_conditions_are_no_oracle(gemel, people):
    """Who may not write is refused before the conditions are looked at: they would confirm a guess at a name or a digest."""
    bucket, tag = unreadable(gemel, people, "0711")
    for key in ("f", "none"):
        for condition in ({"IfNoneMatch": "*"}, {"IfMatch": tag}, {"IfMatch": '"0"'}):
            assert not s3_can(people["eve"][2].put_object, Bucket=bucket, Key=key, Body=b"", **condition), (key, condition)


def test_a_copied_range_tells_no_size(gemel, people):
    bucket, _ = unreadable(gemel, people, "0755")
    eve, mine = people["eve"][2], gemel.new_bucket(owner="eve")
    upload = eve.create_multipart_upload(Bucket=mine, Key="copy")["UploadId"]
    for last in (0, 100):
        assert not s3_can(eve.upload_part_copy, Bucket=mine, Key="copy", UploadId=upload, PartNumber=1, CopySource=f"{bucket}/f", CopySourceRange=f"bytes=0-{last}"), last


def test_revocation_binds_open_files(gemel, kernel, people, root):
    """chmod takes effect for reads of a file that is open already."""
    bucket = gemel.new_bucket(owner="alice", mode="0755")
    alice = people["alice"][2]
    alice.put_object(Bucket=bucket, Key="f", Body=b"x" * 3000000)
    python = f"""
import mmap, os, time
os.setgroups([{STAFF}]); os.setgid({BOB}); os.setuid({BOB})
fd = os.open('{root}/{bucket}/f', os.O_RDONLY | os.O_DIRECT)
buf = mmap.mmap(-1, 4096)
os.preadv(fd, [buf], 0)
print('opened', flush=True)
open('/run/opened', 'w').close()
deadline = time.time() + 30
while time.time() < deadline:
    try:
        os.preadv(fd, [buf], 1 << 20)
    except PermissionError:
        print('denied'); break
    time.sleep(0.1)
"""
    kernel.run("rm -f /run/opened && chmod 1777 /run")
    result = []
    thread = threading.Thread(target=lambda: result.append(kernel.run(f"/usr/bin/python3 -c \"{python}\"", timeout=60)))
    thread.start()
    kernel.run("until test -e /run/opened; do sleep 0.1; done")
    kernel.run(f"chmod 600 {root}/{bucket}/f")
    thread.join()
    assert result[0].text.split() == ["opened", "denied"]


def test_owner_and_mode_of_what_s3_makes(gemel, kernel, people, root):
    bucket = gemel.new_bucket(owner="alice", mode="2775")
    kernel.run(f"chgrp {STAFF} {root}/{bucket} && chmod 2775 {root}/{bucket}")
    people["bob"][2].put_object(Bucket=bucket, Key="d/e/f", Body=b"x")
    text = kernel.run(f"stat -c '%u %g %a' {root}/{bucket}/d {root}/{bucket}/d/e {root}/{bucket}/d/e/f").text.split("\n")
    assert text[:3] == [f"{BOB} {STAFF} 2755", f"{BOB} {STAFF} 2755", f"{BOB} {STAFF} 644"]


def test_mkdir_at_the_root(gemel, kernel, people, root):
    """Who may create buckets may do so over NFS; names follow S3's rules."""
    kernel.run(f"mkdir {root}/alices-mkdir", uid=ALICE, gid=ALICE)
    assert "alices-mkdir" in [b["Name"] for b in people["alice"][2].list_buckets()["Buckets"]]
    for name in ("Upper", "ab", "under_score", "x" * 64):
        assert kernel.run(f"mkdir {root}/{name}", uid=ALICE, gid=ALICE, check=False).rc != 0, name
    assert kernel.run(f"mkdir {root}/strangers", uid=4711, gid=4711, check=False).rc != 0
    assert kernel.run(f"touch {root}/a-file", check=False).rc != 0
    gemel.gemel("user", "update", "eve", "--no-buckets")
    assert kernel.run(f"mkdir {root}/eves", uid=EVE, gid=EVE, check=False).rc != 0
    assert not s3_can(people["eve"][2].create_bucket, Bucket="eves")
    python(kernel, root, 'os.mkdir("sealed", 0); assert stat.S_IMODE(os.stat("sealed").st_mode) == 0; os.rmdir("sealed")', uid=ALICE, gid=ALICE)
    kernel.run(f"rmdir {root}/alices-mkdir", uid=ALICE, gid=ALICE)


def test_quota_binds_both_doors(gemel, kernel, root):
    bucket = gemel.new_bucket()
    gemel.gemel("bucket", "quota", bucket, "--bytes", "1M")
    s3 = gemel.s3()
    s3.put_object(Bucket=bucket, Key="half", Body=bytes(600000))
    with pytest.raises(s3.exceptions.ClientError) as error:
        s3.put_object(Bucket=bucket, Key="more", Body=bytes(600000))
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 409, 507)
    assert kernel.run(f"head -c 600000 /dev/zero > {root}/{bucket}/more", check=False).rc != 0
    usage = gemel.gemel("bucket", "show", bucket)
    assert usage["bytes"] <= 1 << 20


@pytest.mark.parametrize("squash", ["root", "all"])
def test_squash(scratch, kernel, squash):
    from harness import Gemel

    server = Gemel(scratch / f"squash-{squash}", options={"nfs.squash": squash})
    server.start()
    try:
        server.gemel("bucket", "create", "open", "--owner", "demo", "--mode", "0777")
        target = kernel.mount(server.nfs_port, "/open", target="/mnt/squash")
        kernel.run(f"touch {target}/r && stat -c %u {target}/r | grep -qvx 0")
        kernel.run(f"chown 5 {target}/r; stat -c %u {target}/r | grep -qvx 5")  # ganesha makes it a chown to nobody when all are squashed
        kernel.umount(target)
    finally:
        server.stop()
    server.assert_clean()


def test_read_only_export(scratch, kernel):
    """Also what ganesha itself lets through on read-only exports: ALLOCATE, DEALLOCATE and extended attributes."""
    from harness import Gemel

    server = Gemel(scratch / "read-only", options={"nfs.access": "ro"})
    server.start()
    try:
        server.s3().put_object(Bucket="demo", Key="f", Body=b"data" * 10000)
        target = kernel.mount(server.nfs_port, "/demo", target="/mnt/ro")
        for script in ("touch new", "echo x > f", "rm f", "mkdir d", "mv f g", "chmod 600 f", "truncate -s 1 f", "fallocate -p -o 0 -l 4096 f", "fallocate -l 100000 f", "setfattr -n user.a -v b f", "ln f l", "ln -s f s"):
            assert kernel.run(f"cd {target} && {script}", check=False).rc != 0, script
        assert kernel.run(f"cat {target}/f").stdout == b"data" * 10000
        kernel.umount(target)
    finally:
        server.stop()
    server.assert_clean()
