# SPDX-License-Identifier: Apache-2.0
"""Grants of S3: ACL calls, object ownership, public access blocks and anonymous requests; NFS sees the same entries."""
import http.client
import itertools
import json
import re

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

import nfs4
from harness import Gemel
from nfs4 import OK, Client, getattr_acl, putfh
from test_permissions import s3_can

ALICE, BOB, EVE = 1001, 1002, 1003
GROUPS = "http://acs.amazonaws.com/groups/global/"
ALL_USERS, AUTHENTICATED = GROUPS + "AllUsers", GROUPS + "AuthenticatedUsers"
ALLOW, GROUP = 0, 0x40
READ_DATA, WRITE_DATA, APPEND, DELETE_CHILD, READ_ACL, WRITE_ACL = 1, 2, 4, 64, 0x20000, 0x40000


@pytest.fixture(scope="module")
def people(gemel):
    return {
        "alice": gemel.s3(*gemel.new_user("alice", ALICE)), "bob": gemel.s3(*gemel.new_user("bob", BOB)),
        "eve": gemel.s3(*gemel.new_user("eve", EVE)), "nobody": gemel.s3(signature_version=UNSIGNED),
    }


_names = itertools.count(1)


@pytest.fixture
def bucket(people):
    """Alice's, with ACLs."""
    name = f"grants-{next(_names)}"
    people["alice"].create_bucket(Bucket=name, ObjectOwnership="ObjectWriter")
    return name


def code(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
        return None
    except ClientError as error:
        return error.response["Error"]["Code"]


def user(uid):
    return {"Type": "CanonicalUser", "ID": f"{uid:012}"}


def group(uri):
    return {"Type": "Group", "URI": uri}


def shown(answer):
    """{(grantee, permission)} of an answer."""
    return {(grant["Grantee"].get("URI") or int(grant["Grantee"]["ID"]), grant["Permission"]) for grant in answer["Grants"]}


OWNED = {(ALICE, "FULL_CONTROL")}


@pytest.mark.parametrize("canned, grants", [
    ("private", OWNED),
    ("public-read", OWNED | {(ALL_USERS, "READ")}),
    ("public-read-write", OWNED | {(ALL_USERS, "READ"), (ALL_USERS, "WRITE")}),
    ("authenticated-read", OWNED | {(AUTHENTICATED, "READ")}),
    ("bucket-owner-read", OWNED | {(ALICE, "READ")}),
    ("bucket-owner-full-control", OWNED),
])
def test_canned(people, bucket, canned, grants):
    alice = people["alice"]
    by_put = "put"
    alice.put_object(Bucket=bucket, Key=by_put, Body=b"x", ACL=canned)
    alice.put_object(Bucket=bucket, Key="set", Body=b"x")
    alice.put_object_acl(Bucket=bucket, Key="set", ACL=canned)
    alice.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/set", ACL=canned)
    upload = alice.create_multipart_upload(Bucket=bucket, Key="upload", ACL=canned)["UploadId"]
    part = alice.upload_part(Bucket=bucket, Key="upload", UploadId=upload, PartNumber=1, Body=b"x")
    alice.complete_multipart_upload(Bucket=bucket, Key="upload", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    for key in (by_put, "set", "copy", "upload"):
        answer = alice.get_object_acl(Bucket=bucket, Key=key)
        assert shown(answer) == grants, key
        assert answer["Owner"]["ID"] == f"{ALICE:012}" and answer["Owner"]["DisplayName"] == "alice"
        assert s3_can(people["nobody"].get_object, Bucket=bucket, Key=key) == (ALL_USERS in dict(grants))
        assert s3_can(people["bob"].get_object, Bucket=bucket, Key=key) == (not set(dict(grants)) <= {ALICE})
    of_buckets = OWNED if canned.startswith("bucket-owner") else grants
    alice.put_bucket_acl(Bucket=bucket, ACL=canned)
    assert shown(alice.get_bucket_acl(Bucket=bucket)) == of_buckets
    other = f"grants-{next(_names)}"
    alice.create_bucket(Bucket=other, ACL=canned, ObjectOwnership="BucketOwnerPreferred")
    assert shown(alice.get_bucket_acl(Bucket=other)) == of_buckets
    assert s3_can(people["nobody"].list_objects_v2, Bucket=other) == (ALL_USERS in dict(of_buckets))


PERMISSIONS = {
    "READ": ("GrantRead", {"get"}, {"list"}), "WRITE": ("GrantWrite", set(), {"put", "delete"}), "READ_ACP": ("GrantReadACP", {"get acl"}, {"get acl"}),
    "WRITE_ACP": ("GrantWriteACP", {"put acl"}, {"put acl"}),
    "FULL_CONTROL": ("GrantFullControl", {"get", "get acl", "put acl"}, {"list", "put", "delete", "get acl", "put acl"}),
}


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_permissions(people, bucket, permission):
    """Each permission gives what S3 says, and nothing else, of an object and of a bucket."""
    alice, bob = people["alice"], people["bob"]
    argument, of_object, of_bucket = PERMISSIONS[permission]
    if permission != "WRITE":  # boto3 has no such argument of an object
        alice.put_object(Bucket=bucket, Key="dir/key", Body=b"x", **{argument: f'id="{BOB:012}"'})
    else:
        alice.put_object(Bucket=bucket, Key="dir/key", Body=b"x")
        alice.put_object_acl(Bucket=bucket, Key="dir/key", GrantWrite=f"id={BOB}")
    assert shown(alice.get_object_acl(Bucket=bucket, Key="dir/key")) - OWNED == {(BOB, permission)}
    deeds = {
        "get": lambda: s3_can(bob.get_object, Bucket=bucket, Key="dir/key") and s3_can(bob.head_object, Bucket=bucket, Key="dir/key"),
        "get acl": lambda: s3_can(bob.get_object_acl, Bucket=bucket, Key="dir/key"),
        "put acl": lambda: s3_can(bob.put_object_acl, Bucket=bucket, Key="dir/key", ACL="private"),
    }
    assert {name for name, deed in deeds.items() if deed()} == of_object
    alice.put_bucket_acl(Bucket=bucket, **{"GrantFullControl": f"id={ALICE}", argument: f"id={ALICE}, id={BOB}"})
    alice.put_object(Bucket=bucket, Key="other/of-alice", Body=b"x")
    deeds = {
        "list": lambda: s3_can(bob.list_objects_v2, Bucket=bucket, Prefix="other/") and s3_can(bob.head_bucket, Bucket=bucket),
        "put": lambda: s3_can(bob.put_object, Bucket=bucket, Key="other/dir/of-bob", Body=b"x"),
        "get": lambda: s3_can(bob.get_object, Bucket=bucket, Key="other/of-alice"),
        "delete": lambda: s3_can(bob.delete_object, Bucket=bucket, Key="other/of-alice"),
        "get acl": lambda: s3_can(bob.get_bucket_acl, Bucket=bucket),
        "put acl": lambda: s3_can(bob.put_bucket_acl, Bucket=bucket, ACL="private"),
    }
    assert {name for name, deed in deeds.items() if deed()} == of_bucket
    assert s3_can(alice.list_objects_v2, Bucket=bucket)


def test_document(people, bucket):
    alice = people["alice"]
    alice.put_object(Bucket=bucket, Key="k", Body=b"x")
    owner = {"ID": f"{ALICE:012}"}
    grants = [{"Grantee": user(BOB), "Permission": "READ"}, {"Grantee": user(BOB), "Permission": "READ_ACP"}, {"Grantee": group(AUTHENTICATED), "Permission": "READ"}]
    alice.put_object_acl(Bucket=bucket, Key="k", AccessControlPolicy={"Owner": owner, "Grants": grants})
    answer = alice.get_object_acl(Bucket=bucket, Key="k")
    assert shown(answer) == {(BOB, "READ"), (BOB, "READ_ACP"), (AUTHENTICATED, "READ")}
    assert next(grant["Grantee"] for grant in answer["Grants"] if grant["Grantee"].get("ID"))["DisplayName"] == "bob"
    # The owner is not in it, and can do everything all the same, as its account could.
    assert s3_can(alice.get_object, Bucket=bucket, Key="k") and s3_can(alice.put_object_acl, Bucket=bucket, Key="k", ACL="private")
    # What is read can be put.
    alice.put_object_acl(Bucket=bucket, Key="k", AccessControlPolicy={"Owner": answer["Owner"], "Grants": answer["Grants"]})
    assert shown(alice.get_object_acl(Bucket=bucket, Key="k")) == shown(answer)


def test_refused(people, bucket):
    alice, bob = people["alice"], people["bob"]
    alice.put_object(Bucket=bucket, Key="k", Body=b"x")

    def put(grants, owner=ALICE, client=alice):
        return code(client.put_object_acl, Bucket=bucket, Key="k", AccessControlPolicy={"Owner": {"ID": f"{owner:012}"}, "Grants": grants})

    def grant(grantee, permission="READ"):
        return [{"Grantee": grantee, "Permission": permission}]

    assert put(grant(user(BOB), "EVERYTHING")) == "MalformedXML"
    assert put(grant({"Type": "CanonicalUser", "ID": "bob"})) == "InvalidArgument"
    assert put(grant({"Type": "CanonicalUser", "ID": "4294967295"})) == "InvalidArgument"
    assert put(grant(group(GROUPS + "Somebody"))) == "InvalidArgument"
    assert put(grant(group("http://acs.amazonaws.com/groups/s3/LogDelivery"))) == "NotImplemented"
    assert put(grant({"Type": "AmazonCustomerByEmail", "EmailAddress": "bob@example.com"})) == "MethodNotAllowed"
    assert put(grant(user(BOB)), owner=BOB) == "AccessDenied"
    assert put(grant(user(BOB)), client=bob) == "AccessDenied"
    assert put(grant(user(BOB)) * 101) == "InvalidRequest"
    assert code(alice.put_object_acl, Bucket=bucket, Key="k") == "MissingRequestBodyError"
    assert code(alice.put_object_acl, Bucket=bucket, Key="k", ACL="public") == "InvalidArgument"
    assert code(alice.put_object_acl, Bucket=bucket, Key="k", ACL="aws-exec-read") == "NotImplemented"
    assert code(alice.put_bucket_acl, Bucket=bucket, ACL="log-delivery-write") == "NotImplemented"
    assert code(alice.put_object_acl, Bucket=bucket, Key="k", ACL="private", GrantRead=f"id={BOB}") == "InvalidRequest"
    assert code(alice.put_object_acl, Bucket=bucket, Key="k", GrantRead="somebody") == "InvalidArgument"
    assert code(alice.put_object, Bucket=bucket, Key="new", Body=b"x", ACL="none") == "InvalidArgument"
    assert code(alice.put_object_acl, Bucket=bucket, Key="none", ACL="private") == "NoSuchKey"
    assert code(alice.get_object_acl, Bucket=bucket, Key="none") == "NoSuchKey"
    assert code(alice.create_bucket, Bucket="grants-never", ObjectOwnership="Somebody") == "InvalidArgument"
    assert shown(alice.get_object_acl(Bucket=bucket, Key="k")) == OWNED


def test_ownership(people, gemel):
    alice, bob, nobody = people["alice"], people["bob"], people["nobody"]
    bucket = f"grants-{next(_names)}"
    alice.create_bucket(Bucket=bucket)

    def ownership():
        return alice.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"][0]["ObjectOwnership"]

    def own(name, client=alice):
        return code(client.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": name}]})

    assert ownership() == "BucketOwnerEnforced"
    assert code(alice.put_object, Bucket=bucket, Key="k", Body=b"x", ACL="public-read") == "AccessControlListNotSupported"
    assert code(alice.put_object, Bucket=bucket, Key="k", Body=b"x", GrantRead=f"uri={ALL_USERS}") == "AccessControlListNotSupported"
    assert code(alice.put_bucket_acl, Bucket=bucket, ACL="public-read") == "AccessControlListNotSupported"
    for acl in ("private", "bucket-owner-full-control"):
        assert code(alice.put_object, Bucket=bucket, Key="k", Body=b"x", ACL=acl) is None
    assert shown(alice.get_bucket_acl(Bucket=bucket)) == shown(alice.get_object_acl(Bucket=bucket, Key="k")) == OWNED
    assert own("ObjectWriter", bob) == "AccessDenied" and code(bob.get_bucket_ownership_controls, Bucket=bucket) == "AccessDenied"
    assert own("Nobody") == "MalformedXML"
    assert own("ObjectWriter") is None and ownership() == "ObjectWriter"
    assert code(alice.put_bucket_acl, Bucket=bucket, ACL="public-read-write") is None
    assert code(bob.put_object, Bucket=bucket, Key="bobs", Body=b"x", ACL="bucket-owner-full-control") is None
    assert alice.get_object_acl(Bucket=bucket, Key="bobs")["Owner"]["ID"] == f"{BOB:012}"
    assert own("BucketOwnerPreferred") is None
    assert code(bob.put_object, Bucket=bucket, Key="alices", Body=b"x", ACL="bucket-owner-full-control") is None
    assert alice.get_object_acl(Bucket=bucket, Key="alices")["Owner"]["ID"] == f"{ALICE:012}"
    for words, owner in (({"ACL": "bucket-owner-full-control"}, ALICE), ({"ACL": "private"}, BOB), ({}, BOB)):
        upload = {"Bucket": bucket, "Key": "large", "UploadId": bob.create_multipart_upload(Bucket=bucket, Key="large", **words)["UploadId"]}
        listed = [bob.list_parts(**upload), next(u for u in bob.list_multipart_uploads(Bucket=bucket)["Uploads"] if u["UploadId"] == upload["UploadId"])]
        assert [(each["Owner"]["ID"], each["Initiator"]["ID"]) for each in listed] == [(f"{owner:012}", f"{BOB:012}")] * 2
        bob.abort_multipart_upload(**upload)
    assert s3_can(nobody.list_objects_v2, Bucket=bucket)
    assert own("BucketOwnerEnforced") == "InvalidBucketAclWithObjectOwnership"
    alice.put_bucket_acl(Bucket=bucket, ACL="private")
    assert own("BucketOwnerEnforced") is None
    alice.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:user/bob"}, "Action": "s3:PutBucketOwnershipControls", "Resource": f"arn:aws:s3:::{bucket}"}]}))
    assert own("ObjectWriter", bob) is None and own("BucketOwnerEnforced", bob) is None  # of the ACL it need not know
    assert code(bob.get_bucket_acl, Bucket=bucket) == "AccessDenied"
    assert code(alice.delete_bucket_ownership_controls, Bucket=bucket) is None
    assert code(alice.get_bucket_ownership_controls, Bucket=bucket) == "OwnershipControlsNotFoundError"
    assert code(alice.put_bucket_acl, Bucket=bucket, ACL="public-read") == "AccessControlListNotSupported"
    assert code(alice.create_bucket, Bucket="grants-never", ACL="public-read") == "InvalidBucketAclWithObjectOwnership"
    of_nfs = gemel.new_bucket(owner="alice")
    assert code(alice.get_bucket_ownership_controls, Bucket=of_nfs) == "OwnershipControlsNotFoundError"


def test_default_ownership(scratch):
    server = Gemel(scratch / "ownership", options={"s3.object_ownership": "ObjectWriter"})
    server.start()
    try:
        s3 = server.s3()
        s3.create_bucket(Bucket="open", ACL="public-read")
        assert s3_can(server.s3(signature_version=UNSIGNED).list_objects_v2, Bucket="open")
        assert s3.get_bucket_ownership_controls(Bucket="open")["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "ObjectWriter"}]
    finally:
        server.stop()


def test_public_access_block(people, bucket):
    alice, bob, nobody = people["alice"], people["bob"], people["nobody"]
    settings = {"BlockPublicAcls": False, "IgnorePublicAcls": False, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}

    def block(**changed):
        alice.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=changed)
        assert alice.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {**settings, **changed}

    assert code(alice.get_public_access_block, Bucket=bucket) == "NoSuchPublicAccessBlockConfiguration"
    alice.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    alice.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert s3_can(nobody.get_object, Bucket=bucket, Key="k") and s3_can(bob.list_objects_v2, Bucket=bucket)
    block(IgnorePublicAcls=True)
    for client in (nobody, bob):
        assert not s3_can(client.get_object, Bucket=bucket, Key="k") and not s3_can(client.list_objects_v2, Bucket=bucket)
    assert s3_can(alice.get_object, Bucket=bucket, Key="k")
    block(BlockPublicAcls=True, RestrictPublicBuckets=True)
    assert s3_can(nobody.get_object, Bucket=bucket, Key="k")
    for acl in ("public-read", "public-read-write", "authenticated-read"):
        assert code(alice.put_object, Bucket=bucket, Key="k", Body=b"x", ACL=acl) == "AccessDenied"
        assert code(alice.put_object_acl, Bucket=bucket, Key="k", ACL=acl) == "AccessDenied"
        assert code(alice.put_bucket_acl, Bucket=bucket, ACL=acl) == "AccessDenied"
        assert code(alice.create_multipart_upload, Bucket=bucket, Key="k", ACL=acl) == "AccessDenied"
    assert code(alice.put_object, Bucket=bucket, Key="new", Body=b"x", GrantRead=f"id={BOB}") is None
    for client in (bob, nobody):
        assert code(client.put_public_access_block, Bucket=bucket, PublicAccessBlockConfiguration={}) == "AccessDenied"
        assert code(client.get_public_access_block, Bucket=bucket) == "AccessDenied"
        assert code(client.delete_public_access_block, Bucket=bucket) == "AccessDenied"
    alice.delete_public_access_block(Bucket=bucket)
    assert code(alice.get_public_access_block, Bucket=bucket) == "NoSuchPublicAccessBlockConfiguration"
    alice.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")


def test_anonymous(gemel, people, bucket):
    alice, nobody = people["alice"], people["nobody"]
    private = gemel.new_bucket(owner="alice", mode="0777")
    alice.put_object(Bucket=private, Key="k", Body=b"x")
    for call, more in ((nobody.get_object, {"Key": "k"}), (nobody.head_bucket, {}), (nobody.list_objects_v2, {}), (nobody.get_bucket_location, {}), (nobody.get_bucket_policy, {}),
                       (nobody.put_object, {"Key": "n", "Body": b"x"}), (nobody.delete_object, {"Key": "k"}), (nobody.create_multipart_upload, {"Key": "n"}), (nobody.delete_bucket, {})):
        assert not s3_can(call, Bucket=private, **more), call
    assert code(nobody.list_buckets) == "AccessDenied" and code(nobody.create_bucket, Bucket="grants-never") == "AccessDenied"
    assert code(nobody.get_object, Bucket="grants-never", Key="k") == "NoSuchBucket"
    alice.put_object(Bucket=bucket, Key="a/b", Body=b"open", ACL="public-read")
    assert nobody.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"open"
    assert code(nobody.get_object, Bucket=bucket, Key="a/none") == "AccessDenied"
    assert not s3_can(nobody.get_object_acl, Bucket=bucket, Key="a/b")
    alice.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    assert code(nobody.get_object, Bucket=bucket, Key="a/none") == "NoSuchKey"
    assert [item["Key"] for item in nobody.list_objects_v2(Bucket=bucket)["Contents"]] == ["a/b"]
    nobody.put_object(Bucket=bucket, Key="a/by-nobody", Body=b"new")
    assert "a/by-nobody" in [item["Key"] for item in alice.list_objects_v2(Bucket=bucket)["Contents"]]
    assert code(nobody.create_multipart_upload, Bucket=bucket, Key="up") == "AccessDenied"
    assert {entry["Code"] for entry in nobody.delete_objects(Bucket=private, Delete={"Objects": [{"Key": "k"}]}).get("Errors", [])} == {"AccessDenied"}
    nobody.delete_object(Bucket=bucket, Key="a/by-nobody")
    # A body that says its digest is held to it.
    connection = http.client.HTTPConnection("127.0.0.1", gemel.s3_port)
    connection.request("PUT", f"/{bucket}/digest", b"x", {"x-amz-content-sha256": "0" * 64})
    answer = connection.getresponse()
    assert answer.status == 400 and re.search(b"<Code>XAmzContentSHA256Mismatch", answer.read())
    connection.request("PUT", f"/{bucket}/digest", b"x", {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "x-amz-decoded-content-length": "1"})
    answer = connection.getresponse()
    assert answer.status in (400, 403) and answer.read()  # chunks cannot be signed without a key
    connection.close()


def test_new_content_is_private(people, bucket):
    alice, nobody = people["alice"], people["nobody"]
    alice.put_object(Bucket=bucket, Key="k", Body=b"open", ACL="public-read")
    assert s3_can(nobody.get_object, Bucket=bucket, Key="k")
    alice.put_object(Bucket=bucket, Key="k", Body=b"secret")
    assert not s3_can(nobody.get_object, Bucket=bucket, Key="k")


def test_again(people, bucket):
    """us-east-1 answers success to who has the bucket already, and resets its grants."""
    alice = people["alice"]
    alice.put_bucket_acl(Bucket=bucket, ACL="public-read")
    alice.create_bucket(Bucket=bucket)
    assert shown(alice.get_bucket_acl(Bucket=bucket)) == OWNED
    alice.create_bucket(Bucket=bucket, ACL="authenticated-read")
    assert shown(alice.get_bucket_acl(Bucket=bucket)) == OWNED | {(AUTHENTICATED, "READ")}


# ---- NFS beside it


@pytest.fixture
def wire(gemel, bucket):
    client = Client(gemel.nfs_port, uid=ALICE, gid=ALICE)
    yield client, client.handle(bucket)
    client.close()


def entries(client, handle):
    status, results = client.compound(putfh(handle), getattr_acl())
    assert status == OK
    return results[-1]


def test_nfs_sees_the_grants(people, bucket, wire):
    client, root = wire
    alice = people["alice"]
    alice.put_object(Bucket=bucket, Key="k", Body=b"x", GrantRead=f'id="{BOB}", uri="{ALL_USERS}"', GrantReadACP=f'uri="{AUTHENTICATED}"')
    found = entries(client, client.handle_of(root, "k"))
    assert {(ALLOW, 0, READ_DATA, str(BOB)), (ALLOW, 0, READ_DATA, "EVERYONE@"), (ALLOW, 0, READ_DATA, "ANONYMOUS@"), (ALLOW, 0, READ_ACL, "AUTHENTICATED@")} <= set(found)
    alice.put_bucket_acl(Bucket=bucket, GrantFullControl=f"id={ALICE}", GrantWrite=f"id={BOB}", GrantWriteACP=f"id={EVE}")
    assert {(ALLOW, 0, WRITE_DATA | APPEND | DELETE_CHILD, str(BOB)), (ALLOW, 0, WRITE_ACL, str(EVE))} <= set(entries(client, root))


def test_s3_sees_what_nfs_sets(people, bucket, wire):
    """And what S3 cannot show is not lost."""
    client, root = wire
    alice, bob, eve, nobody = (people[name] for name in ("alice", "bob", "eve", "nobody"))
    alice.put_object(Bucket=bucket, Key="k", Body=b"x")
    file = client.handle_of(root, "k")
    kept = [(1, 0, READ_DATA, str(EVE)), (ALLOW, GROUP, READ_DATA, "77"), (ALLOW, GROUP, READ_DATA, "GROUP@")]
    aces = kept + [(ALLOW, 0, READ_DATA, str(BOB)), (ALLOW, 0, READ_DATA | WRITE_DATA | APPEND | READ_ACL | WRITE_ACL, "OWNER@"), (ALLOW, 0, READ_DATA, "ANONYMOUS@")]
    assert client.compound(putfh(file), nfs4.setattr({nfs4.ACL: nfs4.acl(*aces)}))[0] == OK
    assert shown(alice.get_object_acl(Bucket=bucket, Key="k")) == OWNED | {(BOB, "READ"), (ALL_USERS, "READ")}
    assert s3_can(bob.get_object, Bucket=bucket, Key="k") and s3_can(nobody.get_object, Bucket=bucket, Key="k")
    assert not s3_can(eve.get_object, Bucket=bucket, Key="k")  # denied
    alice.put_object_acl(Bucket=bucket, Key="k", ACL="private")
    assert [ace for ace in entries(client, file) if ace in kept] == kept
    assert not s3_can(bob.get_object, Bucket=bucket, Key="k") and not s3_can(nobody.get_object, Bucket=bucket, Key="k")


def test_kernel(gemel, kernel, people, bucket):
    """nfs4_getfacl and nfs4_setfacl beside GetObjectAcl and PutObjectAcl."""
    alice, bob = people["alice"], people["bob"]
    root = kernel.mount(gemel.nfs_port, "/", target="/mnt/grants", options="actimeo=0")
    alice.put_object(Bucket=bucket, Key="k", Body=b"text", ACL="public-read")

    def run(script, check=True):
        return kernel.run(script, uid=ALICE, gid=ALICE, groups=(), check=check)

    path = f"{root}/{bucket}/k"
    assert {"A::ANONYMOUS@:r", "A::EVERYONE@:r"} <= set(run(f"nfs4_getfacl -c {path}").text.split())
    assert run(f"stat -c %a {path}").text.strip() == "644"
    run(f"nfs4_setfacl -x A::ANONYMOUS@:r {path} && nfs4_setfacl -a A::{BOB}:r {path}")
    assert shown(alice.get_object_acl(Bucket=bucket, Key="k")) == OWNED | {(BOB, "READ")}
    assert s3_can(bob.get_object, Bucket=bucket, Key="k") and not s3_can(people["nobody"].get_object, Bucket=bucket, Key="k")
    kernel.umount(root)
