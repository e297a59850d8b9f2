# SPDX-License-Identifier: Apache-2.0
"""gemel policy lint: what it says, how it says it, and its exit status."""
import json
import subprocess

import pytest

from harness import PROGRAM

GOOD = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}]}


def lint(*words, text=None):
    return subprocess.run([str(PROGRAM), "policy", "lint", *map(str, words)], capture_output=True, text=True, timeout=60, input=text)


def written(path, policy):
    path.write_text(policy if isinstance(policy, str) else json.dumps(policy))
    return path


def test_nothing_wrong(tmp_path):
    file = written(tmp_path / "p.json", GOOD)
    said = lint(file)
    assert said.returncode == 0 and said.stdout == f"{file}: nothing is wrong with it\n" and said.stderr == ""
    assert json.loads(lint(file, "--json").stdout) == []
    assert lint("-", text=json.dumps(GOOD)).stdout == "-: nothing is wrong with it\n"


@pytest.mark.parametrize("words, policy, place, problem", [
    ([], {**GOOD, "Statement": [{**GOOD["Statement"][0], "Effect": "allow"}]}, "Statement[0].Effect", '"allow" is not allowed: it is "Allow" or "Deny"'),
    ([], {**GOOD, "Statement": [{**GOOD["Statement"][0], "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "10.0.0.0/64"]}}}]},
     "Statement[0].Condition.IpAddress.aws:SourceIp[1]", '"10.0.0.0/64" is not allowed: an address is like 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32'),
    (["--kind", "bucket"], GOOD, "Statement[0]", "there is neither Principal nor NotPrincipal"),
    (["--kind=bucket", "--bucket=c"], {**GOOD, "Statement": [{**GOOD["Statement"][0], "Principal": "*"}]}, "Statement[0].Resource",
     '"arn:aws:s3:::b/*" is not allowed: a bucket\'s policy speaks of this bucket and what is in it only'),
])
def test_an_error_has_a_place(tmp_path, words, policy, place, problem):
    file = written(tmp_path / "p.json", policy)
    said = lint(file, *words, "--json")
    assert said.returncode == 1 and said.stderr == ""
    [error] = json.loads(said.stdout)
    assert (error["severity"], error["line"], error["place"], error["problem"]) == ("error", 1, place, problem) and error["column"] > 1
    said = lint(file, *words)
    assert said.returncode == 1 and said.stdout.splitlines()[0].split() == ["severity", "line", "column", "place", "problem"]
    assert place in said.stdout and problem in said.stdout


def test_all_errors_at_once(tmp_path):
    policy = """{"Version": "2012-10-17",
 "Statement": [
  {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObjct", "s3:ListObjects"], "Resource": "arn:aws:s3:::b/*"},
  {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*",
   "Condition": {"StringEqual": {"s3:prefix": "a"}, "StringLike": {"s3:prefx": "a"}}}]}"""
    said = lint(written(tmp_path / "p.json", policy), "--kind", "bucket", "--json")
    assert said.returncode == 1
    assert [(e["severity"], e["line"], e["column"], e["problem"]) for e in json.loads(said.stdout)] == [
        ("error", 3, 52, '"s3:GetObjct" is not allowed: there is no such action; did you mean \'s3:GetObject\'?'),
        ("error", 3, 67, '"s3:ListObjects" is not allowed: there is no such action; did you mean \'s3:ListBucket\'?'),
        ("error", 5, 18, "there is no such operator; did you mean 'StringEquals'?"),
        ("error", 5, 68, '"s3:prefx" is not allowed: there is no such key; did you mean \'s3:prefix\'?'),
    ]


def test_more_errors_than_are_told(tmp_path):
    said = lint(written(tmp_path / "p.json", {**GOOD, "Statement": list(range(200))}), "--json")
    errors = json.loads(said.stdout)
    assert len(errors) == 101 and errors[-1] == {"severity": "error", "line": None, "column": None, "place": "",
                                                 "problem": "there may be more errors: these are as many as are looked for"}
    many = {**GOOD["Statement"][0], "Action": [f"s3:None{i}" for i in range(150)]}
    said = lint(written(tmp_path / "w.json", {**GOOD, "Statement": [many]}), "--json")
    warnings = json.loads(said.stdout)
    assert said.returncode == 0 and len(warnings) == 101 and warnings[-1]["problem"] == "there are 50 warnings more"


def test_no_json_has_line_and_column(tmp_path):
    said = lint(written(tmp_path / "p.json", '{"Version": "2012-10-17",\n "Statement" []}'), "--json")
    [error] = json.loads(said.stdout)
    assert said.returncode == 1 and error["severity"] == "error" and error["line"] == 2 and error["column"] > 1
    assert error["place"] == f"line 2 column {error['column']}" and error["problem"].startswith("this is no JSON: ")


def test_warnings_do_not_fail(tmp_path):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObjct", "ec2:*"], "Resource": "*"},
                                                     {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": "*"}]}
    both = [{"severity": "warning", "line": 1, "column": 72, "place": "Statement[0].Action[0]", "problem": "there is no action s3:GetObjct; did you mean 's3:GetObject'?"},
            {"severity": "warning", "line": 1, "column": 87, "place": "Statement[0].Action[1]", "problem": "Gemel has no service ec2: nothing asks for this action"}]
    said = lint(written(tmp_path / "i.json", {**policy, "Statement": policy["Statement"][:1]}), "--json")
    assert said.returncode == 0 and json.loads(said.stdout) == both
    said = lint(written(tmp_path / "b.json", {**policy, "Statement": policy["Statement"][1:]}), "--kind", "bucket", "--json")
    assert said.returncode == 0
    assert [(w["place"], w["problem"]) for w in json.loads(said.stdout)] == [
        ("Statement[0].Principal", '"*" is everyone, anonymous callers included: this makes the policy public')]


@pytest.mark.parametrize("words, said", [
    (["--kind", "buckt"], "gemel: --kind buckt: the kinds are identity, bucket, boundary, session, key and trust; did you mean 'bucket'?"),
    (["--bucket", "b"], "gemel: --bucket b: only policies of buckets speak of one bucket: --kind bucket"),
])
def test_wrong_words(tmp_path, words, said):
    wrong = lint(written(tmp_path / "p.json", GOOD), *words)
    assert wrong.returncode == 2 and wrong.stderr.startswith(said) and wrong.stdout == ""


def test_files_that_cannot_be_read(tmp_path):
    missing = lint(tmp_path / "none")
    assert missing.returncode == 1 and missing.stderr == f"gemel: {tmp_path}/none: No such file or directory\n"
    folder = lint(tmp_path)
    assert folder.returncode == 1 and "Is a directory" in folder.stderr
    large = lint(written(tmp_path / "large", " " * 200000))
    assert large.returncode == 1 and "too large for a policy" in large.stderr
    [error] = json.loads(lint(written(tmp_path / "long", " " * 70000), "--json").stdout)
    assert error["place"] == "" and error["problem"] == "it has more than 65536 bytes"


def simulated(policy, *words):
    said = subprocess.run([str(PROGRAM), "policy", "simulate", *words, "--file", "-", "--json"], capture_output=True, text=True, timeout=60, input=json.dumps(policy))
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


def test_simulate():
    policy = {"Version": "2012-10-17", "Statement": [
        {"Sid": "Home", "Effect": "Allow", "Action": "s3:*Object", "Resource": "arn:aws:s3:::b/${aws:username}/*"},
        {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]}
    here = ["--context", "aws:SourceIp=10.1.2.3"]
    mine = simulated(policy, "s3:GetObject", "s3://b/ann/x", "--user", "ann", *here)
    assert mine["answer"] == "allow"
    assert [(row["statement"], row["sid"], row["effect"], row["matches"]) for row in mine["statements"]] == [(0, "Home", "Allow", True), (1, "", "Deny", False)]
    assert mine["statements"][1]["obstacle"] == "Statement[1].Action" and mine["statements"][1]["wanted"] == "s3:DeleteObject"
    assert simulated(policy, "s3:GetObject", "s3://b/bob/x", "--user", "ann", *here)["answer"] == "nothing"
    assert simulated(policy, "s3:DeleteObject", "s3://b/ann/x", "--user", "ann", *here)["answer"] == "allow"
    assert simulated(policy, "s3:DeleteObject", "s3://b/ann/x", "--user", "ann", "--context", "aws:SourceIp=192.0.2.1")["answer"] == "deny"
    tags = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {
        "ForAllValues:StringEquals": {"aws:TagKeys": ["${aws:RequestTag/x}", "a", "q"]}}}]}
    many = ["--context", "aws:TagKeys=a,aws:RequestTag/x=p,aws:TagKeys=b,aws:RequestTag/x=q"]
    assert simulated(tags, "s3:PutObject", "s3://b/k", *many)["answer"] == "nothing"
    assert simulated(tags, "s3:PutObject", "s3://b/k", many[0], many[1].replace("=b", "=q"))["answer"] == "allow"
    anyone = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}]}
    assert simulated(anyone, "s3:ListBucket", "s3://b", "--bucket-policy")["answer"] == "allow"


@pytest.mark.parametrize("words, said", [
    (["s3:GetObjct", "s3://b/k"], "there is no such action"),
    (["s3:GetObject", "b/k"], "a resource is s3://BUCKET or s3://BUCKET/KEY"),
    (["s3:GetObject", "s3://b/k", "--context", "aws:SourceIp"], "KEY=VALUE is wanted"),
    (["s3:GetObject", "s3://b/k", "--context", "aws:SourcIp=10.0.0.1"], "no request has such a condition key"),
    (["s3:GetObject", "s3://b/k", "--context", "aws:UserName=ann"], "follow from --user"),
])
def test_simulate_wrong_words(words, said):
    wrong = subprocess.run([str(PROGRAM), "policy", "simulate", *words, "--file", "-"], capture_output=True, text=True, timeout=60, input=json.dumps(GOOD))
    assert wrong.returncode == 2 and said in wrong.stderr, wrong.stderr
