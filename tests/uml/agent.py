# SPDX-License-Identifier: Apache-2.0
"""Runs inside the user-mode-linux client: executes commands that the test sends over TCP.

One JSON line in, one JSON line out: {"script", "uid", "gid", "groups", "cwd", "timeout"} → {"rc", "out", "err"}.
"""
import base64
import json
import os
import socketserver
import subprocess
import sys

PORT = 7070


def run(request):
    def become():
        os.setgroups(request.get("groups") or [])
        os.setgid(request.get("gid", 0))
        os.setuid(request.get("uid", 0))

    process = subprocess.Popen(
        ["/bin/bash", "-c", request["script"]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=request.get("cwd", "/"),
        preexec_fn=become,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/run", "LC_ALL": "C.UTF-8"},
    )
    try:
        out, err = process.communicate(timeout=request.get("timeout", 60))
        rc = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        try:
            out, err = process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            out, err = b"", b""
        rc, err = 124, err + b"\ntimed out in the client"
    return {"rc": rc, "out": base64.b64encode(out).decode(), "err": base64.b64encode(err).decode()}


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            try:
                answer = run(json.loads(line))
            except Exception as error:  # told to the test, which fails on it
                answer = {"rc": 125, "out": "", "err": base64.b64encode(repr(error).encode()).decode()}
            self.wfile.write(json.dumps(answer).encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    Server((sys.argv[1], PORT), Handler).serve_forever()
