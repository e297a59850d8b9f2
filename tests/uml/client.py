# SPDX-License-Identifier: Apache-2.0
"""A real Linux NFS client without privileges over the host's kernel: user-mode-linux on the host's own files (hostfs).

Needs a network namespace of its own (tests/netns makes one): the client is attached by a tap device.
"""
import base64
import json
import os
import shlex
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEER = "192.0.2.1"  # TEST-NET-1: the servers' side of the tap device
ADDRESS = "192.0.2.2"
PORT = 7070


@dataclass
class Result:
    rc: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self):
        return self.stdout.decode("utf-8", "surrogateescape")


class ClientError(AssertionError):
    pass


def module_tree(directory):
    """A tree for `modprobe -d`: DIR/lib/modules → the packaged modules."""
    lib = directory / "lib"
    lib.mkdir(parents=True, exist_ok=True)
    link = lib / "modules"
    if not link.is_symlink():
        link.symlink_to("/usr/lib/uml/modules")
    return directory


def preload(directory):
    """What user-mode-linux needs on processors with more state than it knows; see xstate.c."""
    library = directory / "xstate.so"
    subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, HERE / "xstate.c"], check=True)
    return library


def pin(number):
    """Its kernel and its processes run in turn, never at once: on one processor they change places three times as fast."""
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[number % len(processors)]})


class KernelClient:
    """Boots on construction; `close` powers it off. `index` tells several clients of a network apart (1, 2, …); it runs on the processor of that number from the last one down."""

    def __init__(self, directory, index=1, memory="768M", processor=0):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.tap = f"gmltap{index}"
        self.peer = f"192.0.{index + 1}.1" if index > 1 else PEER
        self.address = f"192.0.{index + 1}.2" if index > 1 else ADDRESS
        self._ip("tuntap", "add", self.tap, "mode", "tap")
        self._ip("addr", "add", f"{self.peer}/24", "dev", self.tap)
        self._ip("link", "set", self.tap, "up")
        self.log = open(self.directory / "console.log", "wb")
        self.process = subprocess.Popen(
            [
                "linux.uml", f"mem={memory}", "root=/dev/root", "rootfstype=hostfs", "rw", f"init={HERE / 'init'}",
                f"vec0:transport=tap,ifname={self.tap},depth=128,gro=1", "con=null", "con0=null,fd:1", "panic=-1",
                f"umid={self.tap}-{os.getpid()}", f"uml_dir={self.directory}/",
                f"gemel_dir={module_tree(self.directory)}", f"gemel_addr={self.address}",
                f"gemel_agent={HERE / 'agent.py'}",
            ],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True, preexec_fn=lambda: pin(-index - processor),
            env={**os.environ, "TMPDIR": "/dev/shm", "LD_PRELOAD": str(preload(self.directory))},
        )
        self._wait_up()

    @staticmethod
    def _ip(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def _wait_up(self, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection((self.address, PORT), timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        self.close()
        raise ClientError("the user-mode-linux client did not come up; its console: " + str(self.directory / "console.log"))

    def run(self, script, *, uid=0, gid=0, groups=(), timeout=60, check=True, cwd="/"):
        """Run a bash script in the client; raises with its output unless it exits 0 (check=False: returns the Result)."""
        request = {"script": script, "uid": uid, "gid": gid, "groups": list(groups), "timeout": timeout, "cwd": cwd}
        with socket.create_connection((self.address, PORT), timeout=timeout + 30) as connection:
            connection.sendall(json.dumps(request).encode() + b"\n")
            line = connection.makefile("rb").readline()
        if not line:
            raise ClientError(f"the client closed the connection while running: {script}")
        answer = json.loads(line)
        result = Result(answer["rc"], base64.b64decode(answer["out"]), base64.b64decode(answer["err"]))
        if check and result.rc != 0:
            raise ClientError(f"exit {result.rc} of: {script}\n{result.text}\n{result.stderr.decode(errors='replace')}")
        return result

    def mount(self, port, path="/", target="/mnt/gemel", version="4.2", options=""):
        """mount -t nfs4; returns the target directory."""
        words = f"vers={version},port={port},proto=tcp,sec=sys,clientaddr={self.address},timeo=100,retrans=3,hard"
        if options:
            words += "," + options
        target_q = shlex.quote(target)
        self.run(f"mkdir -p {target_q} && mount -t nfs4 -o {words} {shlex.quote(self.peer + ':' + path)} {target_q}", timeout=90)
        return target

    def umount(self, target="/mnt/gemel"):
        """Away it goes, in use or without a server, so that what failed here does not hang the next test; unless it is gone already."""
        target_q = shlex.quote(target)
        self.run(f"grep -qF {shlex.quote(f' {target} ')} /proc/mounts || exit 0; timeout 60 umount {target_q} || umount -f -l {target_q}", timeout=90)

    def close(self):
        if self.process.poll() is None:
            try:
                with socket.create_connection((self.address, PORT), timeout=5) as connection:
                    connection.sendall(json.dumps({"script": "sync; echo o > /proc/sysrq-trigger", "timeout": 10}).encode() + b"\n")
                    self.process.wait(10)  # no answer comes: the power goes off
            except (OSError, subprocess.TimeoutExpired):
                pass
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, 9)
                self.process.wait()
        self.log.close()
        subprocess.run(["ip", "link", "del", self.tap], capture_output=True)
