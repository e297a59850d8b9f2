# SPDX-License-Identifier: Apache-2.0
"""docs/access.md: its examples print what they say, its policies are right, and a refused user sees what it says."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from harness import PROGRAM

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
LENA, ANN = 2000, 2101


def examples():
    """[(command, [expected lines])] of the page: a command is behind "$ ", with its document if it has one."""
    section = (DOCS / "access.md").read_text().split("\n## Examples\n")[1].split("\n## ")[0]
    found, document = [], False
    for line in re.findall(r"^    (.*)$", section, re.MULTILINE):
        if line.startswith("$ "):
            found.append((line[2:], []))
            document = line.endswith("<<'END'")
        elif document:
            found[-1] = (f"{found[-1][0]}\n{line}", [])
            document = line != "END"
        else:
            found[-1][1].append(line)
    return found


def says(printed, expected):
    """"…" stands for any lines."""
    pattern = "".join(".*" if line == "…" else re.escape(line) + "\n" for line in expected)
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in printed.splitlines()), re.DOTALL)


def test_examples_print_what_the_page_says(gemel, tmp_path):
    gemel.gemel("user", "create", "lena", "--uid", LENA)
    gemel.gemel("bucket", "create", "lab", "--owner", "lena")
    for key in ("datasets/x.csv", "home/ann/notes", "public/readme"):
        gemel.s3().put_object(Bucket="lab", Key=key, Body=b"for everyone\n")
    program = tmp_path / "bin/gemel"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {PROGRAM} -c {gemel.conf} "$@"\n')
    program.chmod(0o755)
    told = examples()
    assert len(told) > 30
    for command, expected in told:
        done = subprocess.run(["bash", "-c", command.replace("http://127.0.0.1:7480", gemel.endpoint)], capture_output=True, text=True, cwd=tmp_path, timeout=60,
                              env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"})
        assert says(done.stdout + done.stderr, expected), f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", ["access.md", "access-compared.md"])
def test_policies_of_the_pages_are_right(tmp_path, page):
    documents = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)]
    assert documents
    for document in documents:
        kind = "bucket" if "Principal" in document["Statement"][0] else "identity"
        said = subprocess.run([PROGRAM, "policy", "lint", "-", "--kind", kind], input=json.dumps(document), capture_output=True, text=True, timeout=60)
        assert said.stdout == "-: nothing is wrong with it\n", said.stdout


def test_commands_in_place_of_iam(gemel, tmp_path):
    (tmp_path / "homes.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lab/*"}]}))
    commands = re.findall(r"^    gemel (.*?) +# ", (DOCS / "access-compared.md").read_text(), re.MULTILINE)
    assert len(commands) == 10
    for command in commands:
        done = subprocess.run([PROGRAM, "-c", gemel.conf, *command.split()], capture_output=True, text=True, cwd=tmp_path, timeout=60)
        assert done.returncode == 0, f"{command}: {done.stderr}"


def test_an_export_rule_as_a_policy(gemel):
    bucket = gemel.new_bucket()
    gemel.s3().put_object(Bucket=bucket, Key="k", Body=b"x")
    text = re.search(r"```json\n(.*?)```", (DOCS / "access-compared.md").read_text(), re.DOTALL).group(1)
    gemel.gemel("policy", "put", "--bucket", bucket, "--file", "-", stdin=text.replace(":lab", f":{bucket}"))
    answer = lambda action, door, source: gemel.gemel("access", "explain", "demo", action, f"s3://{bucket}/k", "--door", door, "--from", source)["answer"]
    for action, door, source, expected in (
        ("s3:PutObject", "nfs", "10.1.2.3", "granted"), ("s3:PutObject", "nfs", "192.0.2.1", "refused"), ("s3:DeleteObject", "nfs", "192.0.2.1", "refused"),
        ("s3:GetObject", "nfs", "192.0.2.1", "granted"), ("s3:PutObject", "s3", "192.0.2.1", "granted"),
    ):
        assert answer(action, door, source) == expected, (action, door, source)


def code(call, **words):
    with pytest.raises(ClientError) as refused:
        call(**words)
    return refused.value.response["ResponseMetadata"]["HTTPStatusCode"], refused.value.response["Error"]["Code"]


def test_what_a_refused_user_sees_over_s3(gemel):
    key, secret = gemel.new_user("rita", 2102)
    rita, owner = gemel.s3(key, secret), gemel.s3(*gemel.new_user("owner", 2103))
    owner.create_bucket(Bucket="shut")
    owner.put_object(Bucket="shut", Key="k", Body=b"x")
    for client in (rita, gemel.s3(signature_version=UNSIGNED)):
        assert code(client.get_object, Bucket="shut", Key="k") == (403, "AccessDenied") == code(client.get_object, Bucket="shut", Key="none")
        assert code(client.head_object, Bucket="shut", Key="k") == (403, "403")
    assert code(owner.put_bucket_acl, Bucket="shut", ACL="public-read") == (400, "AccessControlListNotSupported")
    gemel.gemel("bucket", "public-access", "shut", "all")
    public = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shut/*"}]}
    assert code(owner.put_bucket_policy, Bucket="shut", Policy=json.dumps(public)) == (403, "AccessDenied")
    gemel.gemel("key", "update", key, "--disable")
    assert code(rita.list_buckets) == (403, "InvalidAccessKeyId")
    gemel.gemel("key", "update", key, "--enable")
    gemel.gemel("user", "update", "rita", "--disable")
    assert code(rita.list_buckets) == (403, "AccessDenied")


def test_what_a_refused_user_sees_over_nfs(gemel, kernel):
    gemel.new_user("nina", ANN)
    bucket = gemel.new_bucket(mode="0755")
    for name in ("open/f", "shut/f"):
        gemel.s3().put_object(Bucket=bucket, Key=name, Body=b"x")
    root = kernel.mount(gemel.nfs_port, f"/{bucket}", target="/mnt/refused", options="actimeo=0")
    try:
        kernel.run(f"chmod 700 {root}/shut; mkdir {root}/sticky; chmod 1777 {root}/sticky; touch {root}/sticky/f")
        said = lambda script: kernel.run(f"({script}) 2>&1", uid=ANN, gid=ANN, check=False).text
        assert "Permission denied" in said(f"cat {root}/shut/f") and "Permission denied" in said(f"echo y > {root}/open/f")
        for script in (f"chmod 777 {root}/open/f", f"chown {ANN} {root}/open/f", f"rm -f {root}/sticky/f"):
            assert "Operation not permitted" in said(script), script
    finally:
        kernel.umount(root)
