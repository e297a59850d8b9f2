# SPDX-License-Identifier: Apache-2.0
"""s3-tests, Ceph's suite of S3 servers, against a gateway with the users that it asks for."""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from harness import Gemel

# The API of IAM and of STS, notifications (SNS) and S3 Select are absent, and so are their files here.
FILES = ["test_s3.py", "test_headers.py"]
USERS = {"s3 main": 1001, "s3 alt": 1002, "s3 tenant": 1003, "iam": 1004, "iam root": 1005, "iam alt root": 1006}


def configuration(server):
    """The text of its configuration file; its users are made here."""
    lines = ["[DEFAULT]", "host = 127.0.0.1", f"port = {server.s3_port}", "is_secure = False",
             "[fixtures]", "bucket prefix = conformance-{random}-"]
    for section, uid in USERS.items():
        name = section.replace(" ", "-")
        key, secret = server.new_user(name, uid, sigv2=True)
        lines += [f"[{section}]", f"user_id = {uid:012}", f"display_name = {name}", f"email = {name}@example.com",
                  "tenant =", f"access_key = {key}", f"secret_key = {secret}"]
    return "\n".join(lines) + "\n"


def read(report):
    """{"file::test": None or why it failed} of each test that ran."""
    results = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname').rpartition('.')[2]}::{case.get('name')}"
        wrong = case.find("failure") if case.find("error") is None else case.find("error")
        if case.find("skipped") is None:
            results.setdefault(name, None)
        if wrong is not None:
            results[name] = " ".join(wrong.get("message", "").split())[:300]
    return results


def selection(checkout, tests):
    """The arguments of pytest for TESTS, which may hold *; nothing of pytest's own stands for that."""
    if not tests:
        return [f"s3tests/functional/{name}" for name in FILES]
    expressions = [re.compile(re.escape(test).replace(r"\*", ".*")) for test in tests]
    chosen = []
    for file in FILES:
        text = (checkout / "s3tests/functional" / file).read_text()
        for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE):
            if any(expression.fullmatch(f"{file[:-3]}::{name}") for expression in expressions):
                chosen.append(f"s3tests/functional/{file}::{name}")
    if not chosen:
        sys.exit(f"no test has a name like {' '.join(tests)}; they are called FILE::TEST, as test_s3::test_bucket_list_empty")
    return chosen


def run(checkout, python, scratch, tests):
    """{test: None or why it failed} of each test that ran."""
    chosen = selection(checkout, tests)
    # The suite is of a time when buckets had ACLs unless told otherwise.
    server = Gemel(scratch / "gateway", options={"s3.object_ownership": "ObjectWriter"})
    config, report = scratch / "s3tests.conf", scratch / "report.xml"
    config.write_text(configuration(server))
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=120", f"--junitxml={report}", *chosen]
    print("$", f"S3TEST_CONF={config}", *command, file=sys.stderr, flush=True)
    server.start()
    with open(scratch / "log", "w") as log:
        try:
            done = subprocess.run(command, cwd=checkout, env={**os.environ, "S3TEST_CONF": str(config), "PYTHONDONTWRITEBYTECODE": "1"},
                                  stdout=log, stderr=log, timeout=3600)
        finally:
            server.stop()
    server.assert_clean()
    if done.returncode not in (0, 1):  # 1: some test failed
        sys.exit(f"pytest ended with {done.returncode}; what it said is in {scratch / 'log'}")
    return read(report)
