# SPDX-License-Identifier: Apache-2.0
"""pynfs, the conformance suite of NFSv4 servers, against a gateway with a bucket of mode 0755."""
import json
import subprocess
import sys

from harness import Gemel


def build(checkout, python, log):
    """Make the modules that pynfs generates from the protocol's XDR, once."""
    if (checkout / "nfs4.0/xdrdef/nfs4_const.py").exists() and (checkout / "nfs4.1/xdrdef/nfs4_const.py").exists():
        return
    # pynfs starts "python3" for each of its parts.
    path = {"PATH": f"{python.parent}:/usr/bin:/bin"}
    subprocess.run(["python3", "setup.py", "build"], cwd=checkout, env=path, stdout=log, stderr=log, check=True)


def run(version, checkout, python, scratch, tests):
    """{code: None or why it failed} of each test that ran."""
    server = Gemel(scratch / "gateway")
    server.allowed.append(r"CRIT :Bad Minor Version")  # ganesha's word for a client that asks for NFSv4.50
    bucket = server.new_bucket(mode="0755")
    report = scratch / "report.json"
    with open(scratch / "log", "w") as log:
        build(checkout, python, log)
        server.start()
        command = [str(python), "./testserver.py", f"127.0.0.1:{server.nfs_port}/{bucket}", "--maketree", "--rundeps",
                   "--hidepass", f"--json={report}", *(tests or ["all"])]
        print("$", *command, file=sys.stderr, flush=True)
        try:
            subprocess.run(command, cwd=checkout / f"nfs{version}", stdout=log, stderr=log, check=True, timeout=3600)
        finally:
            server.stop()
    server.assert_clean()
    cases = [case for case in json.loads(report.read_text())["testcase"] if "skipped" not in case]
    return {case["code"]: " ".join(str(case["failure"].get("message", "")).split()) if "failure" in case else None for case in cases}
