# SPDX-License-Identifier: Apache-2.0
"""Policies bind boto3 and a kernel mount alike: the ways over NFS, listings, links, renames, and revocation."""
import json
import time

import pytest

from test_permissions import s3_can

OWNER, ANN = 1201, 1202
BELOW = 1.0  # seconds: how soon a change of a policy holds


@pytest.fixture(scope="module")
def people(gemel):
    return {"owner": gemel.s3(*gemel.new_user("owner", OWNER)), "ann": gemel.s3(*gemel.new_user("ann", ANN))}


@pytest.fixture
def root(gemel, kernel):
    target = kernel.mount(gemel.nfs_port, "/", target="/mnt/policies", options="actimeo=0")
    yield target
    kernel.umount(target)


@pytest.fixture
def bucket(gemel, people):
    """home/ann/f, home/bob/f, pub/f and secret/f, its owner's, closed to others."""
    name = gemel.new_bucket(owner="owner", mode="0700")
    for key in ("home/ann/f", "home/bob/f", "pub/f", "secret/f"):
        people["owner"].put_object(Bucket=name, Key=key, Body=key.encode())
    return name


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(bucket, effect, actions, *keys, **more):
    return {"Effect": effect, "Action": actions, "Resource": [f"arn:aws:s3:::{bucket}/{key}" for key in keys] or f"arn:aws:s3:::{bucket}", **more}


@pytest.fixture
def own(gemel):
    """Sets ann's own policy; it goes with the test."""
    def put(*statements):
        gemel.gemel("policy", "put", "own", "--user", "ann", "--file", "-", stdin=policy(*statements))
    yield put
    gemel.gemel("policy", "delete", "own", "--user", "ann", check=False)


def test_same_answer_at_both_doors(gemel, kernel, people, root, bucket, own):
    own(statement(bucket, "Allow", ["s3:GetObject", "s3:PutObject"], "home/ann/*"), statement(bucket, "Deny", "s3:PutObject", "home/ann/fixed*"),
        statement(bucket, "Allow", "s3:ListBucket", Condition={"StringLike": {"s3:prefix": "pub/*"}}))
    ann, base = people["ann"], f"{root}/{bucket}"
    differ = []
    for key in ("home/ann/f", "home/ann/fixed", "home/bob/f", "pub/f", "secret/f"):
        folder = key.rpartition("/")[0]
        for what, by_s3, script in (
            ("read", lambda: s3_can(ann.get_object, Bucket=bucket, Key=key), f"cat {base}/{key}"),
            ("write", lambda: s3_can(ann.put_object, Bucket=bucket, Key=key, Body=b"new"), f"echo new > {base}/{key}"),
            ("list", lambda: s3_can(ann.list_objects_v2, Bucket=bucket, Prefix=folder + "/"), None),
        ):
            if what == "read" and key.endswith("fixed"):
                continue  # there is no such key
            answer = by_s3()
            if script is not None and answer != (kernel.run(script, uid=ANN, gid=ANN, check=False).rc == 0):
                differ.append((what, key, answer))
    assert not differ
    # The way shows what leads to something granted, and nothing beside it.
    shown = lambda path: kernel.run(f"ls {base}/{path}", uid=ANN, gid=ANN).text.split()
    assert shown("") == ["home", "pub"] and shown("home") == ["ann"] and shown("pub") == ["f"]
    assert bucket in kernel.run(f"ls {root}", uid=ANN, gid=ANN).text.split()
    assert kernel.run(f"ls {base}/secret", uid=ANN, gid=ANN, check=False).rc != 0
    assert set(kernel.run(f"ls {base}", uid=OWNER, gid=OWNER).text.split()) == {"home", "pub", "secret"}


def test_denials_bind_the_owner_and_root(gemel, kernel, people, root, bucket):
    gemel.gemel("policy", "put", "--bucket", bucket, "--file", "-", stdin=policy(statement(bucket, "Deny", "s3:GetObject", "secret/*", Principal="*")))
    assert not s3_can(people["owner"].get_object, Bucket=bucket, Key="secret/f")
    for uid in (OWNER, 0):
        assert kernel.run(f"cat {root}/{bucket}/secret/f", uid=uid, gid=uid, check=False).rc != 0
        assert kernel.run(f"cat {root}/{bucket}/pub/f", uid=uid, gid=uid).text == "pub/f"
    gemel.gemel("policy", "delete", "--bucket", bucket)
    assert kernel.run(f"cat {root}/{bucket}/secret/f", uid=OWNER, gid=OWNER).text == "secret/f"


def test_a_bucket_that_demands_both(gemel, kernel, people, root, bucket, own):
    ann, owner, base = people["ann"], people["owner"], f"{root}/{bucket}"
    nfs = lambda script, uid=ANN: kernel.run(script, uid=uid, gid=uid, check=False).rc == 0
    reads = lambda key: (s3_can(ann.get_object, Bucket=bucket, Key=key), nfs(f"cat {base}/{key}"))
    writes = lambda key: (s3_can(ann.put_object, Bucket=bucket, Key=key, Body=b"new"), nfs(f"echo new > {base}/{key}"))
    explained = lambda key, *more: gemel.gemel("access", "explain", "ann", "s3:GetObject", f"s3://{bucket}/{key}", *more)
    kernel.run(f"chmod 755 {base} {base}/pub; chmod 700 {base}/secret; chmod 644 {base}/pub/f", uid=OWNER, gid=OWNER)
    assert reads("pub/f") == (True, True)
    shown = gemel.gemel("bucket", "access", bucket, "both")
    assert shown["access"] == "both" == gemel.gemel("bucket", "show", bucket)["access"]
    # A mode without a policy, of others and of the owner.
    assert reads("pub/f") == (False, False) and "demands that a policy allows it" in explained("pub/f")["because"]
    assert not s3_can(owner.get_object, Bucket=bucket, Key="pub/f") and not nfs(f"cat {base}/pub/f", OWNER) and not nfs(f"cat {base}/pub/f", 0)
    assert not s3_can(owner.delete_bucket_policy, Bucket=bucket) and bucket in [one["Name"] for one in owner.list_buckets()["Buckets"]]
    assert nfs(f"stat {base}") and not nfs(f"ls {base}", OWNER)
    # Both; and a policy without a mode.
    own(statement(bucket, "Allow", ["s3:GetObject", "s3:PutObject"], "*"))
    assert reads("pub/f") == (True, True) and explained("pub/f")["because"] == "a policy allows it, and an ACL, mode bits or ownership do"
    assert explained("pub/f", "--door", "nfs")["answer"] == "granted"
    assert reads("secret/f") == (False, False) and writes("pub/f") == (False, False)
    assert "a policy alone does" in explained("secret/f")["because"] and explained("secret/f")["policy"]
    # An owner and its policy.
    gemel.gemel("grant", "admin", f"s3://{bucket}", "--to", "user:owner")
    kernel.run(f"chmod 777 {base}/pub; chmod 666 {base}/pub/f", uid=OWNER, gid=OWNER)
    assert writes("pub/f") == (True, True) and writes("pub/new") == (True, True)
    assert s3_can(owner.get_object, Bucket=bucket, Key="secret/f") and nfs(f"cat {base}/secret/f && mv {base}/pub {base}/public", OWNER)
    assert s3_can(owner.delete_bucket_policy, Bucket=bucket) and not s3_can(ann.delete_bucket_policy, Bucket=bucket)
    gemel.gemel("revoke", "admin", f"s3://{bucket}", "--from", "user:owner")
    assert not nfs(f"cat {base}/secret/f", OWNER)
    assert gemel.gemel("bucket", "access", bucket, "either")["access"] == "either"
    kernel.run("echo 2 > /proc/sys/vm/drop_caches")  # the client keeps ACCESS's no while the directory is the same
    assert nfs(f"cat {base}/secret/f", OWNER)
    refused = gemel.gemel("bucket", "access", bucket, "neither", json_out=False, check=False)
    assert (refused.returncode, "either" in refused.stderr) == (2, True)


def test_guests(gemel, kernel, root, bucket):
    """A uid that is no user's: mode bits and ACL entries are for it, and of policies those that name everyone."""
    guest, base = 1299, f"{root}/{bucket}"
    reads = lambda: kernel.run(f"echo 2 > /proc/sys/vm/drop_caches; setpriv --reuid={guest} --regid={guest} --clear-groups cat {base}/pub/f", check=False).rc == 0
    own = lambda script: kernel.run(script, uid=OWNER, gid=OWNER)

    def names(principal, effect="Allow"):
        gemel.gemel("policy", "put", "--bucket", bucket, "--file", "-", stdin=policy(statement(bucket, effect, "s3:GetObject", "pub/*", Principal=principal)))
    assert not reads()
    own(f"chmod 755 {base}; chmod 644 {base}/pub/f")
    assert reads()
    names("*", "Deny")
    assert not reads()
    gemel.gemel("policy", "delete", "--bucket", bucket)
    own(f"chmod 640 {base}/pub/f")
    assert not reads()
    own(f"nfs4_setfacl -a A::{guest}:rtncy {base}/pub/f")
    assert reads()
    own(f"chmod 700 {base}")
    assert not reads()
    for principal, granted in (({"AWS": "000000000000"}, False), ({"AWS": f"arn:aws:iam::000000000000:user/{guest}"}, False), ("*", True)):
        names(principal)
        assert reads() is granted, principal
    gemel.gemel("bucket", "public-access", bucket, "RestrictPublicBuckets")
    assert not reads()
    assert kernel.run(f"mkdir {root}/guests-own", uid=guest, gid=guest, check=False).rc != 0
    explained = gemel.gemel("access", "explain", f"uid:{guest}", "s3:GetObject", f"s3://{bucket}/pub/f", "--door", "nfs")
    assert explained["answer"] == "refused"


def test_what_a_new_object_states(gemel, people, bucket, own):
    """Grants and tags of a new object take rights of their own, and so do tags that are copied."""
    ann, owner = people["ann"], people["owner"]
    owner.put_object(Bucket=bucket, Key="pub/tagged", Body=b"x", Tagging="a=b", Metadata={"m": "1"})
    source = {"Bucket": bucket, "Key": "pub/tagged"}
    calls = {
        "s3:PutObjectAcl": [(ann.put_object, {"Body": b"new", "ACL": "bucket-owner-full-control"}), (ann.create_multipart_upload, {"ACL": "private"}),
                            (ann.copy_object, {"CopySource": f"{bucket}/pub/f", "ACL": "private"})],
        "s3:PutObjectTagging": [(ann.put_object, {"Body": b"new", "Tagging": "a=b"}), (ann.create_multipart_upload, {"Tagging": "a=b"}),
                                (ann.copy_object, {"CopySource": f"{bucket}/pub/f", "TaggingDirective": "REPLACE", "Tagging": "a=b"})],
    }
    copies = [{"CopySource": source}, {"CopySource": source, "MetadataDirective": "REPLACE", "Metadata": {"m": "2"}}]
    own(statement(bucket, "Allow", ["s3:GetObject", "s3:PutObject"], "pub/*"))
    new = {"Bucket": bucket, "Key": "pub/new"}
    for call, more in sum(calls.values(), []):
        assert not s3_can(call, **new, **more), more
    assert s3_can(ann.put_object, **new, Body=b"new") and not any(s3_can(ann.copy_object, **new, **copy) for copy in copies)
    assert s3_can(ann.copy_object, **new, CopySource=source, MetadataDirective="REPLACE", TaggingDirective="REPLACE")
    for action in calls:
        own(statement(bucket, "Allow", ["s3:GetObject", "s3:PutObject", action], "pub/*"))
        for name, listed in calls.items():
            assert {s3_can(call, **new, **more) for call, more in listed} == {name == action}, (action, name)
    assert not any(s3_can(ann.copy_object, **new, **copy) for copy in copies)
    own(statement(bucket, "Allow", ["s3:GetObject*", "s3:PutObject*"], "pub/*"))
    assert all(s3_can(ann.copy_object, **new, **copy) for copy in copies)
    assert ann.get_object_tagging(**new)["TagSet"] == [{"Key": "a", "Value": "b"}]
    # Who may write by the modes may state them, unless a policy denies it.
    assert s3_can(owner.put_object, **new, Body=b"x", Tagging="a=b", ACL="private")
    gemel.gemel("policy", "put", "--bucket", bucket, "--file", "-", stdin=policy(statement(bucket, "Deny", "s3:PutObjectTagging", "*", Principal="*")))
    assert not s3_can(owner.put_object, **new, Body=b"x", Tagging="a=b") and s3_can(owner.put_object, **new, Body=b"x")


def test_the_list_of_buckets(people, bucket, own):
    assert bucket not in [one["Name"] for one in people["ann"].list_buckets()["Buckets"]]
    own({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})
    assert bucket in [one["Name"] for one in people["ann"].list_buckets()["Buckets"]]
    own({"Effect": "Deny", "Action": "s3:ListAllMyBuckets", "Resource": "*"})
    with pytest.raises(people["ann"].exceptions.ClientError, match="AccessDenied"):
        people["ann"].list_buckets()


def test_hard_links_and_renames(gemel, kernel, people, root, bucket, own):
    base = f"{root}/{bucket}"
    run = lambda script: kernel.run(script, uid=ANN, gid=ANN, check=False).rc
    moves = ["s3:PutObject", "s3:DeleteObject"]
    own(statement(bucket, "Allow", moves, "*"), statement(bucket, "Allow", "s3:GetObject", "pub/*"))
    assert run(f"mv {base}/secret/f {base}/pub/g") != 0 and run(f"ln {base}/secret/f {base}/pub/g") != 0
    assert not s3_can(people["ann"].get_object, Bucket=bucket, Key="secret/f")
    assert run(f"mv {base}/pub/f {base}/pub/g") == 0 and run(f"cat {base}/pub/g") == 0
    assert run(f"mv {base}/home/bob {base}/pub/bob") != 0
    assert run(f"mv {base}/home/bob {base}/home/bill") == 0
    # One name is denied: the file is, under each of its names.
    kernel.run(f"ln {base}/secret/f {base}/pub/h", uid=OWNER, gid=OWNER)
    assert s3_can(people["ann"].get_object, Bucket=bucket, Key="pub/h") and run(f"cat {base}/pub/h") == 0
    own(statement(bucket, "Allow", "s3:GetObject", "pub/*"), statement(bucket, "Deny", "s3:GetObject", "secret/*"))
    assert run(f"cat {base}/pub/h") != 0 and not s3_can(people["ann"].get_object, Bucket=bucket, Key="pub/h")


def test_a_right_ends_at_both_doors(gemel, kernel, people, root, bucket, own):
    """An open file, too, within a second."""
    own(statement(bucket, "Allow", "s3:GetObject", "pub/*"))
    reader = f"""
import mmap, os, time
buffer = mmap.mmap(-1, 4096)
file = os.open({f"{root}/{bucket}/pub/f"!r}, os.O_RDONLY | os.O_DIRECT)
open("/tmp/policies.ready", "w").close()
while True:
    try:
        os.preadv(file, [buffer], 0)
    except PermissionError:
        print(time.time())
        break
    time.sleep(0.01)
"""
    kernel.run("rm -f /tmp/policies.ready /tmp/policies.out")
    kernel.run(f"cat > /tmp/policies.py <<'EOF'\n{reader}\nEOF")
    kernel.run("(python3 /tmp/policies.py > /tmp/policies.out 2>&1 &) ; for i in $(seq 100); do [ -e /tmp/policies.ready ] && break; sleep 0.1; done; [ -e /tmp/policies.ready ]", uid=ANN, gid=ANN)
    assert s3_can(people["ann"].get_object, Bucket=bucket, Key="pub/f")
    gemel.gemel("policy", "delete", "own", "--user", "ann")
    ended = time.monotonic()
    assert not s3_can(people["ann"].get_object, Bucket=bucket, Key="pub/f")
    while not kernel.run("cat /tmp/policies.out", check=False).text.strip():
        assert time.monotonic() - ended < BELOW, "the open file is still read"
        time.sleep(0.05)
    float(kernel.run("cat /tmp/policies.out").text)
