# SPDX-License-Identifier: Apache-2.0
"""Condition keys that an S3 request states: each, once as the policy wants it and once not."""
import json
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

BODY = b"0123456789"


@pytest.fixture(scope="module")
def cleo(gemel):
    """A user whom no mode bits allow anything here; her key and its secret."""
    return gemel.new_user("cleo", 1501)


@pytest.fixture(scope="module")
def vault(gemel):
    """A bucket that is closed to others, with two objects."""
    name = gemel.new_bucket(mode="0700")
    for key in ("a/x", "b/y"):
        gemel.s3().put_object(Bucket=name, Key=key, Body=BODY, Tagging="level=open" if key == "a/x" else "level=secret")
    return name


def allow(gemel, tmp_path, vault, condition, actions="s3:*"):
    """cleo's only policy: the actions on the vault and all in it, on a condition."""
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": [f"arn:aws:s3:::{vault}", f"arn:aws:s3:::{vault}/*"], "Condition": condition}]}))
    gemel.gemel("policy", "put", "only", "--file", str(file), "--user", "cleo")


def granted(call, **words):
    try:
        answer = call(**words)
        if hasattr(answer.get("Body"), "read"):
            answer["Body"].read()
        return True
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error.response
        return False



def test_tags_of_the_bucket(gemel, tmp_path, vault, cleo):
    owner, s3 = gemel.s3(), gemel.s3(*cleo)
    allow(gemel, tmp_path, vault, {"StringEquals": {"s3:BucketTag/stage": "test"}})
    for tags, want in (([("a", ""), ("stage", "test")], True), ([("stage", "live")], False), ([("stage", "test")], True), ([], False)):
        owner.put_bucket_tagging(Bucket=vault, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags]})
        assert {tag["Key"]: tag["Value"] for tag in owner.get_bucket_tagging(Bucket=vault)["TagSet"]} == dict(tags)
        assert granted(s3.get_object, Bucket=vault, Key="a/x") == want
        assert granted(s3.list_objects_v2, Bucket=vault) == want
    owner.delete_bucket_tagging(Bucket=vault)
    with pytest.raises(ClientError, match="NoSuchTagSet"):
        owner.get_bucket_tagging(Bucket=vault)


# condition; call of the client; words that fit; words that do not
CASES = [
    ({"StringLike": {"s3:prefix": "a/*"}}, "list_objects_v2", {"Prefix": "a/"}, {"Prefix": "b/"}),
    ({"StringLike": {"s3:prefix": "a/*"}}, "list_objects_v2", {"Prefix": "a/"}, {}),
    ({"StringEquals": {"s3:delimiter": "/"}}, "list_objects", {"Delimiter": "/"}, {"Delimiter": "-"}),
    ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, "list_objects_v2", {"MaxKeys": 10}, {"MaxKeys": 11}),
    ({"StringEquals": {"s3:ExistingObjectTag/level": "open"}}, "get_object", {"Key": "a/x"}, {"Key": "b/y"}),
    ({"StringEquals": {"s3:RequestObjectTag/team": "red"}}, "put_object", {"Key": "n", "Body": BODY, "Tagging": "team=red"}, {"Key": "n", "Body": BODY, "Tagging": "team=blue"}),
    ({"StringEquals": {"s3:RequestObjectTag/team": "red"}}, "put_object_tagging", {"Key": "a/x", "Tagging": {"TagSet": [{"Key": "team", "Value": "red"}, {"Key": "level", "Value": "open"}]}},
     {"Key": "a/x", "Tagging": {"TagSet": [{"Key": "team", "Value": "blue"}]}}),
    ({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["team", "kind"]}}, "put_object", {"Key": "n", "Body": BODY, "Tagging": "team=red&kind=x"}, {"Key": "n", "Body": BODY, "Tagging": "team=red&other=x"}),
    ({"StringEquals": {"aws:RequestTag/cost": "7"}}, "put_bucket_tagging", {"Tagging": {"TagSet": [{"Key": "cost", "Value": "7"}]}}, {"Tagging": {"TagSet": [{"Key": "cost", "Value": "8"}]}}),
    ({"StringEquals": {"s3:x-amz-storage-class": "STANDARD_IA"}}, "put_object", {"Key": "n", "Body": BODY, "StorageClass": "STANDARD_IA"}, {"Key": "n", "Body": BODY}),
    ({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}, "put_object", {"Key": "n", "Body": BODY, "ACL": "bucket-owner-full-control"}, {"Key": "n", "Body": BODY}),
    ({"Null": {"s3:if-none-match": "false"}}, "put_object", {"Key": "once-SERIAL", "Body": BODY, "IfNoneMatch": "*"}, {"Key": "once-SERIAL", "Body": BODY}),
    ({"Bool": {"s3:ObjectCreationOperation": "true"}}, "put_object", {"Key": "n", "Body": BODY}, None),
    ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, "get_object", {"Key": "a/x"}, None),
    ({"StringEquals": {"s3:authType": "REST-HEADER"}}, "get_object", {"Key": "a/x"}, None),
    ({"NumericLessThan": {"s3:signatureAge": "600000"}}, "get_object", {"Key": "a/x"}, None),
    ({"StringEquals": {"gemel:Door": "s3"}}, "get_object", {"Key": "a/x"}, None),
    ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, "get_object", {"Key": "a/x"}, None),
    ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, "get_object", None, {"Key": "a/x"}),
    ({"Bool": {"aws:SecureTransport": "true"}}, "get_object", None, {"Key": "a/x"}),
    ({"StringEquals": {"gemel:Door": "nfs"}}, "get_object", None, {"Key": "a/x"}),
    ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, "get_object", None, {"Key": "a/x"}),
]


@pytest.mark.parametrize("condition, call, fits, differs", CASES, ids=[f"{next(iter(next(iter(c[0].values()))))}-{c[1]}-{i}" for i, c in enumerate(CASES)])
def test_a_key(gemel, tmp_path, cleo, vault, condition, call, fits, differs):
    allow(gemel, tmp_path, vault, condition)
    s3 = gemel.s3(*cleo)
    serial = str(time.monotonic_ns())
    for words, right in ((fits, True), (differs, False)):
        if words is not None:
            words = {name: value.replace("SERIAL", serial) if isinstance(value, str) else value for name, value in words.items()}
            assert granted(getattr(s3, call), Bucket=vault, **words) is right, words


def test_copy_source_has_one_spelling(gemel, tmp_path, cleo, vault):
    allow(gemel, tmp_path, vault, {"StringLike": {"s3:x-amz-copy-source": f"{vault}/a/*"}}, ["s3:PutObject", "s3:PutObjectTagging"])
    file = tmp_path / "read.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectTagging"], "Resource": f"arn:aws:s3:::{vault}/*"}]}))
    gemel.gemel("policy", "put", "read", "--file", str(file), "--user", "cleo")
    s3 = gemel.s3(*cleo)
    # boto3 encodes what it is given
    s3.meta.events.register("before-sign.s3.CopyObject", lambda request, **_: request.headers.replace_header("x-amz-copy-source", source))
    for source, right in ((f"{vault}/a/x", True), (f"/{vault}/a/x", True), (f"{vault}/%61/x", True), (f"{vault}/b/y", False), (f"{vault}/%62/y", False)):
        assert granted(s3.copy_object, Bucket=vault, Key="copy", CopySource="replaced/above") is right, source
    gemel.gemel("policy", "delete", "read", "--user", "cleo")


def test_user_agent_and_referer(gemel, tmp_path, cleo, vault):
    allow(gemel, tmp_path, vault, {"StringLike": {"aws:UserAgent": "trainer/*"}, "StringEquals": {"aws:Referer": "https://lab.example/"}})

    def ask(agent, referer):
        s3 = boto3.client("s3", endpoint_url=gemel.endpoint, region_name="us-east-1", aws_access_key_id=cleo[0], aws_secret_access_key=cleo[1],
                          config=Config(user_agent=agent, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}))
        s3.meta.events.register("before-sign.s3.GetObject", lambda request, **_: request.headers.add_header("Referer", referer))
        return granted(s3.get_object, Bucket=vault, Key="a/x")

    assert ask("trainer/1", "https://lab.example/")
    assert not ask("other/1", "https://lab.example/")
    assert not ask("trainer/1", "https://elsewhere.example/")


def test_presigned(gemel, tmp_path, cleo, vault):
    import urllib.error
    import urllib.request

    s3 = gemel.s3(*cleo, signature_version="s3v4")

    def fetch():
        try:
            return urllib.request.urlopen(s3.generate_presigned_url("get_object", Params={"Bucket": vault, "Key": "a/x"})).read() == BODY
        except urllib.error.HTTPError as error:
            assert error.code == 403
            return False

    allow(gemel, tmp_path, vault, {"StringEquals": {"s3:authType": "REST-QUERY-STRING"}})
    assert fetch() and not granted(s3.get_object, Bucket=vault, Key="a/x")
    allow(gemel, tmp_path, vault, {"StringEquals": {"s3:authType": "REST-HEADER"}})
    assert not fetch() and granted(s3.get_object, Bucket=vault, Key="a/x")
    allow(gemel, tmp_path, vault, {"StringEquals": {"s3:x-amz-content-sha256": "UNSIGNED-PAYLOAD"}})
    assert fetch() and not granted(s3.get_object, Bucket=vault, Key="a/x")


def test_tags_without_content(gemel, tmp_path, cleo, vault):
    allow(gemel, tmp_path, vault, {"StringEquals": {"s3:ExistingObjectTag/kind": "shown"}}, "s3:GetObjectTagging")
    for key, kind in (("t/shown", "shown"), ("t/hidden", "hidden")):
        gemel.s3().put_object(Bucket=vault, Key=key, Body=BODY, Tagging=f"kind={kind}")
    s3 = gemel.s3(*cleo)
    assert s3.get_object_tagging(Bucket=vault, Key="t/shown")["TagSet"] == [{"Key": "kind", "Value": "shown"}]
    assert not granted(s3.get_object_tagging, Bucket=vault, Key="t/hidden")
    assert not granted(s3.get_object, Bucket=vault, Key="t/shown")


def test_who_may_list_a_key_learns_that_it_is_missing(gemel, tmp_path, cleo, vault):
    allow(gemel, tmp_path, vault, {"StringLike": {"s3:prefix": "a/*"}}, "s3:ListBucket")
    s3 = gemel.s3(*cleo)

    def status(key):
        with pytest.raises(ClientError) as refused:
            s3.head_object(Bucket=vault, Key=key)
        return refused.value.response["ResponseMetadata"]["HTTPStatusCode"]

    assert [status(key) for key in ("a/none", "a/none/below", "b/none", "none")] == [404, 404, 403, 403]
    # a prefix that such a request states is not asked about
    s3.meta.events.register("before-call.s3.HeadObject", lambda params, **_: params.update(url=f"{params['url']}?prefix=a/"))
    assert [status(key) for key in ("a/none", "b/none")] == [404, 403]
