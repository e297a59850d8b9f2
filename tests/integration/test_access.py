# SPDX-License-Identifier: Apache-2.0
"""gemel access explain and list: what they say is what requests are answered."""
import json

import pytest
from botocore.exceptions import ClientError

from test_conditions import granted


@pytest.fixture(scope="module")
def people(gemel):
    return {name: gemel.s3(*gemel.new_user(name, uid)) for name, uid in (("xena", 1601), ("yuri", 1602))}


@pytest.fixture(scope="module")
def lab(gemel, people):
    """xena's bucket: open/o for all, closed/c for her; yuri reads granted/ by a grant."""
    name = gemel.new_bucket(owner="xena", mode="0755")
    for key in ("open/o", "closed/c", "granted/g"):
        people["xena"].put_object(Bucket=name, Key=key, Body=b"x")
    gemel.gemel("grant", "reader", f"s3://{name}/granted", "--to", "user:yuri")
    return name


def explain(gemel, who, action, place, *words):
    return gemel.gemel("access", "explain", who, action, place, *words)


def test_it_says_what_decided(gemel, people, lab):
    mine = explain(gemel, "xena", "s3:GetObject", f"s3://{lab}/open/o")
    assert mine["answer"] == "granted" and mine["because"] == "mode bits allow it" and (mine["mode"], mine["uid"]) == ("0644", 1601)
    theirs = explain(gemel, "yuri", "s3:GetObject", f"s3://{lab}/granted/g")
    assert theirs["answer"] == "granted"
    refused = explain(gemel, "yuri", "s3:PutObject", f"s3://{lab}/open/new")
    assert refused["answer"] == "refused" and refused["because"] == "nothing allows it" and "gemel grant" in refused["would_help"]
    over = explain(gemel, "yuri", "s3:PutObject", f"s3://{lab}/open/o")  # replacing a name asks its directory, and so it says
    assert over["because"] == "nothing allows it" and over["mode"] == "0755" and "directory" in over["modes_of"] and "directory" in over["would_help"]
    assert explain(gemel, "yuri", "s3:GetObject", f"s3://{lab}/none")["because"] == "there is nothing at this place"


def test_a_listing_of_nothing(gemel, people, lab):
    """A prefix that is not there: who may list it gets an empty list, and who may not is refused."""
    for who, s3 in people.items():
        for prefix in ("granted/none/", "granted/none/x", "granted/n", "none/", "open/n"):
            said = explain(gemel, who, "s3:ListBucket", f"s3://{lab}/{prefix}")["answer"]
            assert granted(s3.list_objects_v2, Bucket=lab, Prefix=prefix) is (said == "granted"), (who, prefix)
    assert explain(gemel, "yuri", "s3:ListBucket", f"s3://{lab}/granted/none/")["answer"] == "granted"
    assert "ends with '/'" in explain(gemel, "yuri", "s3:GetObject", f"s3://{lab}/granted")["would_help"]


def test_a_statement_is_named(gemel, people, lab, tmp_path):
    file = tmp_path / "p.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{lab}/closed/*", "Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]}))
    gemel.gemel("policy", "put", "inside", "--file", str(file), "--user", "xena")
    denied = explain(gemel, "xena", "s3:GetObject", f"s3://{lab}/closed/c", "--from", "192.0.2.7")
    assert denied["answer"] == "refused" and denied["because"] == "a policy denies it" and denied["statement"] == 1 and "inside" in denied["policy"]
    for door in ("s3", "nfs"):
        assert explain(gemel, "xena", "s3:GetObject", f"s3://{lab}/closed/c", "--from", "192.0.2.7", "--door", door)["answer"] == "refused"
        assert explain(gemel, "xena", "s3:GetObject", f"s3://{lab}/closed/c", "--from", "10.1.2.3", "--door", door)["answer"] == "granted"
    gemel.gemel("policy", "delete", "inside", "--user", "xena")


def test_it_agrees_with_requests(gemel, people, lab):
    for who, s3 in people.items():
        for key in ("open/o", "closed/c", "granted/g", "open/new", "granted/new"):
            calls = [("s3:PutObject", lambda s3=s3, key=key: granted(s3.put_object, Bucket=lab, Key=key, Body=b"x"))]
            if not key.endswith("new"):
                calls = [("s3:GetObject", lambda s3=s3, key=key: granted(s3.get_object, Bucket=lab, Key=key))] + calls
            for action, call in calls:
                said = explain(gemel, who, action, f"s3://{lab}/{key}")["answer"]
                assert call() is (said == "granted"), (who, key, action)
        listing = granted(s3.list_objects_v2, Bucket=lab, Prefix="granted/")
        assert listing is (explain(gemel, who, "s3:ListBucket", f"s3://{lab}/granted/")["answer"] == "granted"), who


def test_list(gemel, people, lab):
    rows = {row["who"]: row for row in gemel.gemel("access", "list", f"s3://{lab}/granted/g")}
    assert rows["xena"]["read"] != "-" and rows["xena"]["write"] != "-"
    assert rows["yuri"]["read"] != "-" and rows["yuri"]["write"] == rows["yuri"]["delete"] == "-"
    assert "anonymous" not in rows


def test_anonymous_by_a_policy_of_the_bucket(gemel, people, lab, tmp_path):
    file = tmp_path / "b.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{lab}/open/*"}]}))
    gemel.gemel("policy", "put", "--file", str(file), "--bucket", lab)
    assert explain(gemel, "anonymous", "s3:GetObject", f"s3://{lab}/open/o")["answer"] == "granted"
    assert explain(gemel, "anonymous", "s3:GetObject", f"s3://{lab}/closed/c")["answer"] == "refused"
    rows = {row["who"]: row for row in gemel.gemel("access", "list", f"s3://{lab}/open/o")}
    assert rows["anonymous"]["read"] != "-" and rows["anonymous"]["list"] == "-"
    gemel.gemel("bucket", "public-access", lab, "RestrictPublicBuckets")
    kept = explain(gemel, "anonymous", "s3:GetObject", f"s3://{lab}/open/o")
    assert kept["answer"] == "refused" and "a public access block keeps it" in kept["because"] and lab in kept["policy"], kept
    none = explain(gemel, "anonymous", "s3:GetObject", f"s3://{lab}/closed/c")
    assert "public access block" not in none["because"] and "policy put --bucket" in none["would_help"] and "gemel grant" not in none["would_help"]
    gemel.gemel("bucket", "public-access", lab, "none")
    gemel.gemel("policy", "delete", "--bucket", lab)
    with pytest.raises(ClientError):
        people["yuri"].get_bucket_policy(Bucket=lab)


@pytest.mark.parametrize("words, said", [
    (["xena", "s3:Frobnicate", "s3://demo/k"], "it can be s3:GetObject"),
    (["xena", "GetObject", "s3://demo/k"], "s3:GetObjectAttributes"),
    (["group:some", "s3:GetObject", "s3://demo/k"], "shows the users of a group"),
    (["xena", "s3:GetObject", "demo/k"], "a place is s3://BUCKET"),
    (["zoe", "s3:GetObject", "s3://demo/k"], "'gemel user list' shows the users"),
    (["xena", "s3:GetObject", "s3://no-such/k"], "'gemel bucket list' shows the buckets"),
    (["xena", "s3:GetObject", "s3://demo/k", "--door", "smb"], "it is s3 or nfs"),
    (["xena", "s3:GetObject", "s3://demo/k", "--from", "here"], "an address is like"),
])
def test_wrong_words(gemel, people, words, said):
    wrong = gemel.gemel("access", "explain", *words, check=False, json_out=False)
    assert wrong.returncode in (1, 2) and said in wrong.stderr, wrong.stderr
