# SPDX-License-Identifier: Apache-2.0
"""gemel grant and revoke: the policies that they make, and what they say."""
import json

import pytest
from botocore.exceptions import ClientError

ROLES = ["reader", "writer", "trainer", "curator", "auditor", "admin"]


def policies_of(gemel, kind, name):
    return [row["name"] for row in gemel.gemel("policy", "list", f"--{kind}", name)]


def document(gemel, name):
    return json.loads(gemel.gemel("policy", "get", name, json_out=False).stdout)


@pytest.fixture(scope="module", autouse=True)
def people(gemel):
    gemel.gemel("group", "create", "grantees")
    return {name: gemel.s3(*gemel.new_user(name, uid)) for name, uid in (("greta", 1401), ("gus", 1402))}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("place, where", [("", "bucket"), ("/data", "directory"), ("/data/", "below"), ("/run-*", "prefix")])
def test_a_grant_is_a_valid_policy(gemel, tmp_path, role, place, where):
    bucket = gemel.new_bucket()
    made = gemel.gemel("grant", role, f"s3://{bucket}{place}", "--to", "user:greta")
    assert made["to"] == "user:greta" and made["role"] == role and policies_of(gemel, "user", "greta") == [made["policy"]]
    file = tmp_path / "p.json"
    file.write_text(json.dumps(document(gemel, made["policy"])))
    assert gemel.gemel("policy", "lint", str(file)) == []
    keys = {resource for statement in document(gemel, made["policy"])["Statement"] for resource in statement["Resource"]}
    base = f"arn:aws:s3:::{bucket}"
    wanted = {"bucket": {f"{base}/*"}, "directory": {f"{base}/data", f"{base}/data/*"}, "below": {f"{base}/data/*"}, "prefix": {f"{base}/run-*"}}[where]
    beside = {"bucket": f"{base}/checkpoints/*", "directory": f"{base}/data/checkpoints/*", "below": f"{base}/data/checkpoints/*", "prefix": f"{base}/run-checkpoints/*"}
    assert keys == {base, *wanted, *([beside[where]] if role == "trainer" else [])}
    prefixes = [statement["Condition"] for statement in document(gemel, made["policy"])["Statement"] if "Condition" in statement]
    within = {"directory": "data/*", "below": "data/*", "prefix": "run-*"}
    assert prefixes == ([{"StringLike": {"s3:prefix": [within[where]]}}] if place else [])
    gemel.gemel("revoke", role, f"s3://{bucket}{place}", "--from", "user:greta")
    assert policies_of(gemel, "user", "greta") == []
    assert made["policy"] not in [row["name"] for row in gemel.gemel("policy", "list")]


def test_two_have_one_policy_and_the_last_takes_it_away(gemel):
    place = f"s3://{gemel.new_bucket()}/sets"
    for whom in ("user:greta", "user:gus", "group:grantees", "user:gus"):  # twice is once
        policy = gemel.gemel("grant", "reader", place, "--to", whom)["policy"]
    assert sorted(gemel.gemel("policy", "show", policy)["attached_to"]) == ["group/grantees", "user/greta", "user/gus"]
    for whom in ("user:greta", "group:grantees", "user:gus"):
        assert policy in [row["name"] for row in gemel.gemel("policy", "list")]
        gemel.gemel("revoke", "reader", place, "--from", whom)
    assert policy not in [row["name"] for row in gemel.gemel("policy", "list")]
    again = gemel.gemel("revoke", "reader", place, "--from", "user:gus", check=False, json_out=False)
    assert again.returncode == 1 and "gus is no reader of" in again.stderr


def test_a_bucket_that_is_called_like_all(gemel):
    gemel.gemel("bucket", "create", "all-buckets", "--owner", "greta")
    one = gemel.gemel("grant", "reader", "s3://all-buckets", "--to", "user:greta")["policy"]
    every = gemel.gemel("grant", "reader", "s3://*", "--to", "user:greta")["policy"]
    assert policies_of(gemel, "user", "greta") == sorted([one, every]) and one != every
    gemel.gemel("revoke", "reader", "s3://all-buckets", "--from", "user:greta")
    assert policies_of(gemel, "user", "greta") == [every]
    gemel.gemel("revoke", "reader", "s3://*", "--from", "user:greta")


def test_a_listing_shows_no_neighbours(gemel, people):
    bucket, keys = gemel.new_bucket(), {}
    for name in ("data/x", "data2/y"):
        gemel.s3().put_object(Bucket=bucket, Key=name, Body=b"")
    gemel.gemel("grant", "reader", f"s3://{bucket}/data", "--to", "user:gus")
    for prefix in ("data/", "data"):
        try:
            keys[prefix] = [entry["Key"] for entry in people["gus"].list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
        except ClientError as error:
            keys[prefix] = error.response["Error"]["Code"]
    assert keys == {"data/": ["data/x"], "data": "AccessDenied"}
    gemel.gemel("revoke", "reader", f"s3://{bucket}/data", "--from", "user:gus")


def test_keys_that_look_like_patterns(gemel):
    bucket = gemel.new_bucket()
    policy = gemel.gemel("grant", "reader", f"s3://{bucket}/a?$b/", "--to", "user:greta")["policy"]
    assert document(gemel, policy)["Statement"][0]["Resource"] == [f"arn:aws:s3:::{bucket}/a${{?}}${{$}}b/*"]
    gemel.gemel("revoke", "reader", f"s3://{bucket}/a?$b/", "--from", "user:greta")


@pytest.mark.parametrize("words, said", [
    (["redaer", "s3://b", "--to", "user:greta"], "did you mean 'reader'?"),
    (["reader", "b/x", "--to", "user:greta"], "a place is s3://BUCKET"),
    (["reader", "s3://b/*/x", "--to", "user:greta"], "'*' stands at the end"),
    (["reader", "s3://b", "--to", "greta"], "it is user:NAME, group:NAME or role:NAME"),
    (["reader", "s3://b"], "--to is missing"),
    (["reader", "s3://no-such-bucket", "--to", "user:greta"], "'gemel bucket list' shows the buckets"),
    (["reader", "s3://*", "--to", "user:nobody-here"], "'gemel user list' shows the users"),
])
def test_wrong_words(gemel, words, said):
    wrong = gemel.gemel("grant", *words, check=False, json_out=False)
    assert wrong.returncode in (1, 2) and said in wrong.stderr, wrong.stderr
