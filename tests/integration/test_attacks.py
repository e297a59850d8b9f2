# SPDX-License-Identifier: Apache-2.0
"""Attacks on rights, each by somebody with a small right of his own: what is not granted stays closed at both doors."""
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from nfs4 import (
    ACCESS, ANONYMOUS, MODE, OK, PERM, Client, create_directory, create_symlink, fattr, getattr, link, listxattrs, lookup, putfh, read, remove, rename,
    savefh, setattr_mode, u32, write,
)
from test_permissions import s3_can

OWNER, MALLORY = 1801, 1802
SECRET = b"the secret"
XDEV = 18
MODE_700 = fattr({MODE: u32(0o700)})


@pytest.fixture(scope="module")
def people(gemel):
    return {name: gemel.s3(*gemel.new_user(name, uid), signature_version="s3v4") for name, uid in (("owner", OWNER), ("mallory", MALLORY))}


@pytest.fixture
def bucket(gemel, people):
    """secret/f and pub/f, the owner's; closed to others by the mode of the bucket."""
    name = gemel.new_bucket(owner="owner", mode="0700")
    people["owner"].put_object(Bucket=name, Key="secret/f", Body=SECRET)
    people["owner"].put_object(Bucket=name, Key="pub/f", Body=b"for all")
    return name


@pytest.fixture
def may(gemel):
    """Sets mallory's policy; it goes with the test."""
    def put(bucket, *rules):
        statements = [{"Effect": effect, "Action": actions, "Resource": [f"arn:aws:s3:::{bucket}/{key}" for key in keys], **more}
                      for effect, actions, keys, *rest in rules for more in [rest[0] if rest else {}]]
        gemel.gemel("policy", "put", "own", "--user", "mallory", "--file", "-", stdin=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    yield put
    gemel.gemel("policy", "delete", "own", "--user", "mallory", check=False)


@pytest.fixture
def wire(gemel):
    client = Client(gemel.nfs_port, uid=MALLORY, gid=MALLORY)
    yield client
    client.close()


@pytest.fixture
def known(gemel):
    """Handles, as somebody who may see all has leaked them."""
    client = Client(gemel.nfs_port)
    yield client.handle
    client.close()


def reads(wire, handle):
    return wire.compound(putfh(handle), read(ANONYMOUS, 0, 100))[0] == OK


def test_made_up_handles(gemel, people, bucket, wire, known, may):
    """A handle of a readable file is changed byte by byte, in the hope for one of the secret file."""
    may(bucket, ("Allow", "s3:GetObject", ["pub/*"]))
    handle = known(bucket, "pub", "f")
    assert reads(wire, handle)
    for at in range(len(handle)):
        for change in (1, 0x80, 0xFF):
            forged = bytes([*handle[:at], handle[at] ^ change, *handle[at + 1:]])
            status, results = wire.compound(putfh(forged), read(ANONYMOUS, 0, 100))
            # ganesha looks at some bits of its own first bytes only: what is left is the handle of the same file.
            assert status != OK or at < 4 and results[-1] == b"for all", (at, change)


def test_a_leaked_handle(people, bucket, wire, known, may):
    """Whoever knows the right handle of a file in a closed bucket has no right by that."""
    handle = known(bucket, "secret", "f")
    for rules in ((), (("Allow", "s3:GetObject", ["pub/*"]),)):
        if rules:
            may(bucket, *rules)
        assert not reads(wire, handle)
        assert wire.compound(putfh(handle), getattr(1))[0] == ACCESS


def test_a_drop_box_shows_nothing(gemel, people, bucket, wire, known, may):
    """Who may put files into a directory is led there by the policy, and finds files whose modes are open to all: the directories above,
    which have no x for him, close them as before."""
    people["owner"].put_object(Bucket=bucket, Key="home/box/theirs", Body=SECRET)
    may(bucket, ("Allow", "s3:PutObject", ["home/box/*"]))
    box = wire.handle(bucket, "home", "box")
    assert wire.make(box, "mine") == OK
    assert not reads(wire, known(bucket, "home", "box", "theirs"))
    assert not s3_can(people["mallory"].get_object, Bucket=bucket, Key="home/box/theirs")
    assert wire.compound(putfh(box), remove("theirs"))[0] == ACCESS


def test_copies_as_deputies(people, bucket, may):
    """CopyObject and UploadPartCopy read for whom they work, not for the gateway; no way of writing the source's name helps."""
    may(bucket, ("Allow", ["s3:PutObject", "s3:GetObject"], ["pub/*"]))
    mallory = people["mallory"]
    sources = [f"{bucket}/secret/f", f"/{bucket}/secret/f", f"{bucket}/pub/../secret/f", f"{bucket}/pub/%2e%2e/secret/f", f"{bucket}//secret/f",
               f"arn:aws:s3:::{bucket}/secret/f"]
    for source in sources:
        for call, arguments in ((mallory.copy_object, {}), (mallory.copy_object, {"MetadataDirective": "REPLACE"})):
            with pytest.raises(mallory.exceptions.ClientError) as refused:
                call(Bucket=bucket, Key="pub/copy", CopySource=source, **arguments)
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403, 404, 501), source
    upload = mallory.create_multipart_upload(Bucket=bucket, Key="pub/parts")["UploadId"]
    for source in sources:
        for more in ({}, {"CopySourceRange": "bytes=0-3"}):
            with pytest.raises(mallory.exceptions.ClientError) as refused:
                mallory.upload_part_copy(Bucket=bucket, Key="pub/parts", UploadId=upload, PartNumber=1, CopySource=source, **more)
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403, 404, 501), source
    assert "Contents" not in people["owner"].list_objects_v2(Bucket=bucket, Prefix="pub/copy")


def test_another_users_upload(people, bucket, may):
    """Who may write a key does not get at the upload that somebody else has begun for it, though he knows its id."""
    may(bucket, ("Allow", ["s3:GetObject"], ["pub/*"]))
    upload = people["owner"].create_multipart_upload(Bucket=bucket, Key="secret/new")["UploadId"]
    place = {"Bucket": bucket, "Key": "secret/new", "UploadId": upload}
    mallory = people["mallory"]
    assert not s3_can(mallory.upload_part, **place, PartNumber=1, Body=b"x") and not s3_can(mallory.list_parts, **place)
    assert not s3_can(mallory.abort_multipart_upload, **place)
    with pytest.raises(mallory.exceptions.ClientError):  # the id of one key for another, which he may write
        mallory.upload_part(Bucket=bucket, Key="pub/x", UploadId=upload, PartNumber=1, Body=b"x")


def test_an_upload_whose_right_has_ended(gemel, people, bucket, may):
    """Who has begun an upload adds nothing to it once the object may not be put any more; it can be given up."""
    may(bucket, ("Allow", "s3:PutObject", ["pub/*"]))
    mallory = people["mallory"]
    for end in (lambda: may(bucket, ("Allow", "s3:PutObject", ["other/*"])), lambda: may(bucket, ("Deny", "s3:PutObject", ["*"]))):
        place = {"Bucket": bucket, "Key": "pub/new", "UploadId": mallory.create_multipart_upload(Bucket=bucket, Key="pub/new")["UploadId"]}
        assert s3_can(mallory.upload_part, **place, PartNumber=1, Body=b"x")
        end()
        assert not s3_can(mallory.upload_part, **place, PartNumber=2, Body=b"x")
        assert not s3_can(mallory.upload_part_copy, **place, PartNumber=2, CopySource=f"{bucket}/pub/f")
        assert s3_can(mallory.abort_multipart_upload, **place)
        may(bucket, ("Allow", "s3:PutObject", ["pub/*"]))


def fetched(url, method="GET", data=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, data=data), timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_presigned(gemel, people, bucket, may):
    """A presigned URL is worth what its signer may do now; it cannot be bent to another key, method or time."""
    may(bucket, ("Allow", "s3:GetObject", ["pub/*"]))
    sign = lambda client, call, key, **more: client.generate_presigned_url(call, Params={"Bucket": bucket, "Key": key}, **more)
    mine, theirs = sign(people["mallory"], "get_object", "pub/f"), sign(people["mallory"], "get_object", "secret/f")
    assert fetched(mine) == 200 and fetched(theirs) == 403
    assert fetched(mine.replace("/pub/f", "/secret/f")) == 403 and fetched(mine, "PUT", b"x") == 403 and fetched(mine, "DELETE") == 403
    assert fetched(mine + "&versionId=null") == 403 and fetched(mine.replace("Expires=", "Expires=9")) in (400, 403)
    given = sign(people["owner"], "get_object", "secret/f")
    assert fetched(given) == 200
    may(bucket, ("Deny", "s3:GetObject", ["*"]))
    assert fetched(mine) == 403
    gemel.gemel("user", "update", "owner", "--disable")
    try:
        assert fetched(given) == 403
    finally:
        gemel.gemel("user", "update", "owner", "--enable")


def slowly(url, between):
    """PUT, with something between the two halves of the body; the status."""
    place = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=30)
    connection.putrequest("PUT", f"{place.path}?{place.query}")
    connection.putheader("Content-Length", "8")
    connection.endheaders(b"half")
    time.sleep(0.3)
    between()
    connection.send(b"rest")
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_body_that_never_ends(gemel, people):
    """Who is disabled does not go on writing with a request that has begun before, however long its body takes."""
    key = gemel.new_user("slow", 1805)
    name, s3 = gemel.new_bucket(owner="slow"), gemel.s3(*key, signature_version="s3v4")
    url = s3.generate_presigned_url("put_object", Params={"Bucket": name, "Key": "f"})
    upload = s3.create_multipart_upload(Bucket=name, Key="f")["UploadId"]
    part = s3.generate_presigned_url("upload_part", Params={"Bucket": name, "Key": "f", "UploadId": upload, "PartNumber": 1})
    for words in (("user", "update", "slow"), ("key", "update", key[0])):
        for place in (url, part):
            assert slowly(place, lambda: None) == 200
            assert slowly(place, lambda: gemel.gemel(*words, "--disable")) == 403, words
            gemel.gemel(*words, "--enable")
    assert slowly(url, lambda: gemel.gemel("key", "delete", key[0])) == 403


def test_presigned_by_version_2(gemel, people, bucket):
    """Version 2 signs some parameters of a query only, by their names as they stand: others, and escaped names, do not change what a URL does."""
    old = gemel.s3(*gemel.new_user("old", 1804, sigv2=True), signature_version="s3")
    name = gemel.new_bucket(owner="old")
    old.put_object(Bucket=name, Key="f", Body=b"x")
    place = {"Bucket": name, "Key": "f"}
    url = old.generate_presigned_url("get_object", Params=place)
    assert fetched(url) == 200
    for more in ("acl", "%61cl", "ta%67ging", "attributes", "response-content-typ%65=text/html"):
        assert fetched(f"{url}&{more}") == 403, more
    for more in ("tagging", "ta%67ging", "%61cl"):
        assert fetched(old.generate_presigned_url("put_object", Params=place) + f"&{more}", "PUT", b"<Tagging/>") == 403, more
    listing = old.generate_presigned_url("list_objects_v2", Params={"Bucket": name})
    assert fetched(listing) == 200
    for more in ("policyStatus", "publicAccessBlock", "ownershipControls", "encryption", "uplo%61ds"):
        assert fetched(f"{listing}&{more}") == 403, more
    assert old.get_object_tagging(**place)["TagSet"] == []


def test_wildcards_in_variables(gemel, people, bucket, may):
    """A tag of the caller stands in the policy's resource; the value * is a star and no pattern."""
    may(bucket, ("Allow", "s3:GetObject", ["${aws:PrincipalTag/area}/*"]))
    for area, opened in (("pub", True), ("*", False), ("?ub", False), ("p*", False)):
        gemel.gemel("user", "tag", "mallory", "--set", f"area={area}", check=False)
        said = gemel.gemel("user", "show", "mallory")
        if f"{area}" in json.dumps(said):  # the value was accepted
            assert s3_can(people["mallory"].get_object, Bucket=bucket, Key="pub/f") is opened, area
            assert not s3_can(people["mallory"].get_object, Bucket=bucket, Key="secret/f"), area


def test_symlinks(people, bucket, wire, known, may):
    """A symbolic link in the readable prefix to the secret file: S3 does not follow it, and a client of NFS asks for the file itself."""
    may(bucket, ("Allow", ["s3:GetObject", "s3:PutObject", "s3:ListBucket"], ["pub/*"]))
    folder = wire.handle(bucket, "pub")
    assert wire.compound(putfh(folder), create_symlink("way", "../secret/f"))[0] == OK
    with pytest.raises(people["mallory"].exceptions.ClientError) as refused:
        people["mallory"].get_object(Bucket=bucket, Key="pub/way")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404)
    assert not reads(wire, known(bucket, "secret", "f"))
    status, _ = wire.compound(putfh(known(bucket, "secret")), lookup("f"))
    assert status != OK


def test_names_in_a_readable_prefix(people, bucket, wire, known, may):
    """The secret file, or its directory, gets a name where the policy lets read: by a link, by a rename, by a rename of the directory."""
    may(bucket, ("Allow", ["s3:PutObject", "s3:DeleteObject"], ["*"]), ("Allow", "s3:GetObject", ["pub/*"]))
    pub, secret, root, file = known(bucket, "pub"), known(bucket, "secret"), known(bucket), known(bucket, "secret", "f")
    assert wire.compound(putfh(file), savefh(), putfh(pub), link("l"))[0] == ACCESS
    assert wire.compound(putfh(secret), savefh(), putfh(pub), rename("f", "r"))[0] == ACCESS
    assert wire.compound(putfh(root), savefh(), putfh(pub), rename("secret", "d"))[0] == ACCESS
    assert not reads(wire, file)
    for key in ("pub/l", "pub/r", "pub/d/f", "secret/f"):
        assert not s3_can(people["mallory"].get_object, Bucket=bucket, Key=key), key


def test_links_in_a_moved_directory(gemel, people, bucket, wire, known, may):
    """Who may read all, write below box/, and has a directory of his own by the modes, links a file that he may only read into that, and
    moves the directory to where the policy lets write."""
    gemel.gemel("bucket", "create", name := f"{bucket}-home", "--owner", "owner", "--mode", "0777")
    people["owner"].put_object(Bucket=name, Key="secret/f", Body=SECRET)
    people["owner"].put_object(Bucket=name, Key="box/z", Body=b"z")
    may(name, ("Allow", "s3:GetObject", ["*"]), ("Allow", ["s3:PutObject", "s3:PutObjectAcl", "s3:DeleteObject", "gemel:Chown"], ["box/*"]))
    root, file, box = known(name), known(name, "secret", "f"), known(name, "box")
    assert wire.compound(putfh(root), create_directory("mine", MODE_700))[0] == OK
    mine = known(name, "mine")
    assert wire.compound(putfh(mine), create_directory("deep", MODE_700))[0] == OK
    deep = known(name, "mine", "deep")
    assert wire.compound(putfh(file), savefh(), putfh(deep), link("l"))[0] == OK
    assert wire.compound(putfh(root), savefh(), putfh(box), rename("mine", "mine"))[0] == ACCESS
    assert wire.compound(putfh(mine), savefh(), putfh(box), rename("deep", "deep"))[0] == ACCESS
    for change in (write(ANONYMOUS, 0, b"x"), setattr_mode()):
        assert wire.compound(putfh(file), change)[0] in (ACCESS, PERM)
    assert people["owner"].get_object(Bucket=name, Key="secret/f")["Body"].read() == SECRET
    # Without the link it moves, and so does a file with two names that he owns.
    assert wire.compound(putfh(deep), remove("l"))[0] == OK and wire.make(deep, "own") == OK
    assert wire.compound(putfh(known(name, "mine", "deep", "own")), savefh(), putfh(deep), link("again"))[0] == OK
    assert wire.compound(putfh(root), savefh(), putfh(box), rename("mine", "mine"))[0] == OK
    people["mallory"].put_object(Bucket=name, Key=f"low/{'d/' * 64}x", Body=b"")
    assert wire.compound(putfh(root), savefh(), putfh(box), rename("low", "low"))[0] == XDEV


def test_tags_as_keys(people, bucket, may):
    """A policy opens what has a tag: who may write objects may not give them the tag along the way, by a header or by a copy."""
    opened = {"Condition": {"StringEquals": {"s3:ExistingObjectTag/open": "yes"}}}
    may(bucket, ("Allow", "s3:GetObject", ["*"], opened), ("Allow", "s3:PutObject", ["pub/*"]))
    mallory = people["mallory"]
    assert not s3_can(mallory.put_object, Bucket=bucket, Key="pub/new", Body=b"x", Tagging="open=yes")
    assert not s3_can(mallory.put_object_tagging, Bucket=bucket, Key="secret/f", Tagging={"TagSet": [{"Key": "open", "Value": "yes"}]})
    assert not s3_can(mallory.get_object, Bucket=bucket, Key="secret/f")


def test_conditions_as_oracles(people, bucket, may):
    """Who may not replace an object learns nothing of it from a condition."""
    may(bucket, ("Allow", "s3:PutObject", ["pub/*"]), ("Deny", "s3:PutObject", ["pub/*"], {"Condition": {"StringEquals": {"s3:ExistingObjectTag/kept": "yes"}}}))
    people["owner"].put_object_tagging(Bucket=bucket, Key="pub/f", Tagging={"TagSet": [{"Key": "kept", "Value": "yes"}]})
    tag = people["owner"].head_object(Bucket=bucket, Key="pub/f")["ETag"]
    for condition in ({"IfMatch": tag}, {"IfMatch": '"0"'}, {"IfNoneMatch": "*"}, {}):
        assert not s3_can(people["mallory"].put_object, Bucket=bucket, Key="pub/f", Body=b"x", **condition), condition


def test_names_of_tags(people, bucket, wire, known, may):
    """Who may read a file but not its tags does not get their names by LISTXATTRS either."""
    people["owner"].put_object(Bucket=bucket, Key="pub/t", Body=b"x", Tagging="merger=acme")
    file = known(bucket, "pub", "t")
    for actions, names in ((["s3:GetObject"], []), (["s3:GetObject", "s3:GetObjectTagging"], [b"s3.tag.merger"])):
        may(bucket, ("Allow", actions, ["pub/*"]))
        status, results = wire.compound(putfh(file), listxattrs())
        assert status == OK and results[-1][1:] == (names, True)


def test_a_policy_that_takes_long(gemel, people, bucket):
    """Policies of buckets are anybody's who has one: requests of others do not wait while such a policy is asked."""
    place = f"arn:aws:s3:::{bucket}/*"
    def put(values):
        text = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": place, "Condition": {"StringLike": {"aws:UserAgent": values}}}
        people["owner"].put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [text]}))
    with pytest.raises(people["owner"].exceptions.ClientError, match="200 question marks"):
        put([f"*{'a?' * 450}b{number}" for number in range(18)])
    long = gemel.s3(*gemel.new_user("long", 1803), signature_version="s3v4", user_agent="a" * 7000)
    for values in ([f"*{'a?' * 199}b"], [f"*a*a*a*a*a*a*a*b{number}" for number in range(700)]):
        put(values)
        begun = time.monotonic()
        assert not s3_can(long.get_object, Bucket=bucket, Key="pub/f")
        assert time.monotonic() - begun < 0.25
