# SPDX-License-Identifier: Apache-2.0
"""The S3 calls about a bucket's policy: what is kept, what is answered, and who may."""
import json

import pytest
from botocore.exceptions import ClientError


def policy(bucket, **statement):
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:user/bob"}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*", **statement}]}


def refused(call, **words):
    """(status, code, message) of a call that is refused."""
    with pytest.raises(ClientError) as caught:
        call(**words)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


@pytest.fixture(scope="module")
def people(gemel):
    return {name: gemel.s3(*gemel.new_user(name, uid)) for name, uid in (("polly", 1301), ("paul", 1302))}


def test_what_is_put_comes_back(gemel, people):
    s3, bucket = people["polly"], gemel.new_bucket(owner="polly")
    assert refused(s3.get_bucket_policy, Bucket=bucket)[:2] == (404, "NoSuchBucketPolicy")
    assert refused(s3.get_bucket_policy_status, Bucket=bucket)[:2] == (404, "NoSuchBucketPolicy")
    text = json.dumps(policy(bucket), indent=3)
    assert s3.put_bucket_policy(Bucket=bucket, Policy=text)["ResponseMetadata"]["HTTPStatusCode"] == 204
    answer = s3.get_bucket_policy(Bucket=bucket)
    assert answer["Policy"] == text and answer["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/json"
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"] == {"IsPublic": False}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy(bucket, Principal="*")))
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"] == {"IsPublic": True}
    assert s3.delete_bucket_policy(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(s3.get_bucket_policy, Bucket=bucket)[:2] == (404, "NoSuchBucketPolicy")
    s3.delete_bucket_policy(Bucket=bucket)  # no error, as at AWS


@pytest.mark.parametrize("text, message", [
    ("{", "line 1 column "),
    ("[]", "JSON object"),
    (policy("other"), "Statement[0].Resource: "),
    (policy("BUCKET", Effect="allow"), "Statement[0].Effect: "),
    (policy("BUCKET", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/64"}}), "Statement[0].Condition.IpAddress.aws:SourceIp"),
    ({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}, "neither Principal nor NotPrincipal"),
    (policy("BUCKET", Action=["s3:GetObject"] * 2000), ""),
])
def test_a_bad_policy_changes_nothing(gemel, people, text, message):
    s3, bucket = people["polly"], gemel.new_bucket(owner="polly")
    good = json.dumps(policy(bucket))
    s3.put_bucket_policy(Bucket=bucket, Policy=good)
    text = (text if isinstance(text, str) else json.dumps(text)).replace("BUCKET", bucket)
    status, code, said = refused(s3.put_bucket_policy, Bucket=bucket, Policy=text)
    assert (status, code) == (400, "MalformedPolicy") and message in said, said
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == good


def test_only_who_may(gemel, people):
    bucket = gemel.new_bucket(owner="polly", mode="0755")
    text = json.dumps(policy(bucket))
    people["polly"].put_bucket_policy(Bucket=bucket, Policy=text)
    paul = people["paul"]
    for call, words in ((paul.get_bucket_policy, {}), (paul.get_bucket_policy_status, {}), (paul.put_bucket_policy, {"Policy": text}), (paul.delete_bucket_policy, {})):
        assert refused(call, Bucket=bucket, **words)[:2] == (403, "AccessDenied")
        assert refused(call, Bucket=bucket + "-none", **words)[:2] == (404, "NoSuchBucket")
    assert gemel.s3().get_bucket_policy(Bucket=bucket)["Policy"] == text  # the administrator


def test_one_policy_at_both_places(gemel, people, tmp_path):
    """What the program sets, S3 answers; and the other way round."""
    bucket = gemel.new_bucket(owner="polly")
    text = json.dumps(policy(bucket))
    people["polly"].put_bucket_policy(Bucket=bucket, Policy=text)
    assert gemel.gemel("policy", "get", "--bucket", bucket, json_out=False).stdout.strip() == text
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(policy(bucket, Action="s3:PutObject")))
    gemel.gemel("policy", "put", "--file", str(file), "--bucket", bucket)
    assert people["polly"].get_bucket_policy(Bucket=bucket)["Policy"] == file.read_text()


def test_a_request_of_an_absent_configuration_asks_its_own_right(gemel, people):
    bucket = gemel.new_bucket(owner="polly", mode="0700")
    assert refused(people["polly"].get_bucket_cors, Bucket=bucket)[:2] == (404, "NoSuchCORSConfiguration")
    assert refused(people["paul"].get_bucket_cors, Bucket=bucket)[:2] == (403, "AccessDenied")
    assert refused(people["paul"].put_object, Bucket=bucket, Key="k", Body=b"x" * 100)[:2] == (403, "AccessDenied")
    assert refused(people["paul"].put_object, Bucket=bucket + "-none", Key="k", Body=b"x" * 100)[:2] == (404, "NoSuchBucket")
