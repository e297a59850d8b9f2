# SPDX-License-Identifier: Apache-2.0
"""Starts `gemel serve` on a store of its own and hands out clients for it."""
import atexit
import itertools
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("GEMEL_BUILD") or TOP / "build")
PROGRAM = BUILD / "inst" / "bin" / "gemel"

_ports = itertools.count(20000, 2)
_names = itertools.count(1)

# Lines that no server may write, whatever the test does.
ALARM = re.compile(r"\[(alert|emerg)\]|\bCRIT\b|AddressSanitizer|UndefinedBehavior|runtime error:|Assertion|assertion failed|SIGSEGV|signal 11|core dumped")


_servers = []


@atexit.register
def end_what_is_left():
    """A test that fails leaves its servers running."""
    for server in _servers:
        server.kill_all()


def is_dead(pid):
    """True when no thread is left: the first one is a zombie while others still hold files and sockets."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "X" or state == "Z" and len(os.listdir(f"/proc/{pid}/task")) <= 1
    except (FileNotFoundError, ProcessLookupError):
        return True


class Gemel:
    """One store and its servers. `user` demo has uid 0 unless told otherwise, so the tests can look at everything."""

    def __init__(self, home, *, uid=0, options=None):
        self.home = Path(home)
        self.home.mkdir(parents=True)
        self.s3_port = next(_ports)
        self.nfs_port = self.s3_port + 1
        self.conf = self.home / "gemel.conf"
        self.process = None
        self.allowed = []  # patterns of alarming lines that this test provokes on purpose
        values = {
            "store.home": self.home, "store.metadata_max": "64G", "s3.port": self.s3_port, "s3.address": "0.0.0.0", "nfs.address": "0.0.0.0",
            "nfs.port": self.nfs_port, "nfs.squash": "none", "nfs.lease": 10, "nfs.grace": 15, "s3.domains": "s3.gemel.test", **(options or {}),
        }
        self.write_conf(values)
        self.gemel("store", "create", json_out=False)
        self.access_key, self.secret = self.new_user("demo", uid)
        self.gemel("bucket", "create", "demo", "--owner", "demo")

    def write_conf(self, values):
        self.values = values
        sections = {}
        for dotted, value in values.items():
            section, name = dotted.split(".")
            sections.setdefault(section, []).append(f"{name} = {value}")
        self.conf.write_text("".join(f"[{s}]\n" + "\n".join(lines) + "\n" for s, lines in sections.items()))

    # ---- the program
    def gemel(self, *words, json_out=True, check=True, stdin=None):
        """Run `gemel WORDS…`; its JSON output, or the finished process when json_out is False."""
        command = [str(PROGRAM), "-c", str(self.conf), *(["--json"] if json_out else []), *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=120)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout) if json_out and done.stdout.strip() else done

    def new_user(self, name, uid, gid=None, groups=(), sigv2=False):
        """Make a user with one key; (access key, secret)."""
        self.gemel("user", "create", name, "--uid", uid, "--gid", uid if gid is None else gid, *(["--groups", ",".join(map(str, groups))] if groups else []))
        key = self.gemel("key", "create", name, *(["--sigv2"] if sigv2 else []))
        return key["id"], key["secret"]

    def new_bucket(self, owner="demo", mode=None):
        name = f"bucket-{next(_names)}"
        self.gemel("bucket", "create", name, "--owner", owner, *(["--mode", mode] if mode else []))
        return name

    # ---- life
    def start(self, wait=True):
        assert self.process is None or self.process.poll() is not None
        if self not in _servers:
            _servers.append(self)
        with open(self.home / "serve.log", "ab") as log:
            self.said = log.tell()
            self.process = subprocess.Popen([str(PROGRAM), "-c", str(self.conf), "serve"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            # Both: the servers may answer before the supervisor has seen it, and until then he takes their death for a start in vain.
            if self.gemel("status", json_out=False, check=False).returncode == 0 and b" is ready at " in (self.home / "serve.log").read_bytes()[self.said:]:
                return
            time.sleep(0.05)
        raise AssertionError("the servers did not come up:\n" + self.logs())

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill_all()
                raise AssertionError("gemel serve did not stop within 60 s:\n" + self.logs())
        assert self.process is None or self.process.returncode in (0, -signal.SIGKILL), f"gemel serve ended with {self.process.returncode}:\n{self.logs()}"

    def pids(self):
        """{"s3": [master, workers…], "nfs": [pid], "serve": [pid]} of what lives now."""
        found = {"serve": [self.process.pid] if self.process and self.process.poll() is None else [], "s3": [], "nfs": []}
        mark = str(self.home).encode()
        parents = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                line = (entry / "cmdline").read_bytes()
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents[int(entry.name)] = (parent, line)
        for pid, (parent, line) in parents.items():
            if mark not in line:
                continue
            if b"nginx" in line:
                found["s3"].append(pid)
            elif b"ganesha" in line:
                found["nfs"].append(pid)
        masters = set(found["s3"])
        found["s3"] += [pid for pid, (parent, line) in parents.items() if parent in masters and b"nginx" in line and pid not in masters]
        return found

    def kill(self, which, signal_number=signal.SIGKILL):
        """Kill one kind of process: "s3", "nfs" or "serve"; the pids it had."""
        pids = self.pids()[which]
        for pid in pids:
            try:
                os.kill(pid, signal_number)
            except ProcessLookupError:
                pass
        if which == "serve" and self.process:
            self.process.wait(10)
        return pids

    def kill_all(self):
        """All at once, as a power button would (but for the page cache)."""
        killed = [pid for which in ("serve", "s3", "nfs") for pid in self.kill(which)]
        deadline = time.monotonic() + 10
        while not all(is_dead(pid) for pid in killed):  # a process that is being ended has no command line, but still its files and locks
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def check_store(self):
        """`gemel store check`; fails the test on a problem. What a killed process left unpublished may take the supervisor's next round (10 s) to go."""
        for _ in range(4):
            done = self.gemel("store", "check", "--data", json_out=False, check=False)
            problems = [line for line in done.stdout.splitlines() if line.startswith("problem: ")]
            if not problems or not all("recovery removes it" in line for line in problems):
                break
            time.sleep(5)
        assert done.returncode == 0, done.stdout + done.stderr
        return self.gemel("store", "check")

    # ---- logs
    def logs(self):
        text = ""
        for path in [self.home / "serve.log", *sorted((self.home / "log").glob("*"))]:
            if path.is_file():
                text += f"--- {path.name}\n" + path.read_text(errors="replace")[-4000:]
        return text

    def assert_clean(self):
        """No server wrote an alarming line, and no secret stands in a log."""
        for path in [self.home / "serve.log", *sorted((self.home / "log").glob("*"))]:
            if not path.is_file():
                continue
            for line in path.read_text(errors="replace").splitlines():
                if ALARM.search(line) and not any(re.search(p, line) for p in self.allowed):
                    raise AssertionError(f"{path.name}: {line}")
                assert self.secret not in line, f"{path.name} holds a secret"

    # ---- clients
    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.s3_port}"

    def s3(self, access_key=None, secret=None, endpoint=None, region="us-east-1", **config):
        """A boto3 client with boto3's defaults (but no hidden retries: an error is to be seen)."""
        import boto3
        from botocore.config import Config

        config.setdefault("retries", {"total_max_attempts": 1})
        config.setdefault("max_pool_connections", 64)
        return boto3.client(
            "s3", endpoint_url=endpoint or self.endpoint, region_name=region, aws_access_key_id=access_key or self.access_key,
            aws_secret_access_key=secret or self.secret, config=Config(**config),
        )

    def environment(self, access_key=None, secret=None):
        """Environment for the aws command line."""
        return {
            **os.environ, "AWS_ACCESS_KEY_ID": access_key or self.access_key, "AWS_SECRET_ACCESS_KEY": secret or self.secret, "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def nfs_url(self, path, version=4):
        return f"nfs://127.0.0.1{path}?version={version}&nfsport={self.nfs_port}"
