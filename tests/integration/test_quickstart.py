"""./quickstart as a newcomer runs it (the packages are there already)."""
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from harness import TOP

PORTS = ["--s3-port", "17480", "--nfs-port", "12049"]


def quickstart(home, *words, timeout=280):
    env = {**os.environ, "GEMEL_HOME": str(home)}
    return subprocess.run([str(TOP / "quickstart"), *words], env=env, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)


def test_quickstart(scratch):
    import boto3

    home = scratch / "quick start"
    done = quickstart(home, *PORTS, "--detach")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        env = dict(line.split("=", 1) for line in (home / "demo.env").read_text().split())
        assert stat.S_IMODE((home / "demo.env").stat().st_mode) == 0o600
        assert set(env) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_REGION", "GEMEL_NFS_PORT", "GEMEL_NFS_EXPORT"}
        told = next(line for line in done.stdout.splitlines() if "set -a" in line)  # as printed, it works
        assert subprocess.run(["sh", "-c", told + '; echo "$AWS_ENDPOINT_URL"'], capture_output=True, text=True, check=True).stdout.strip() == env["AWS_ENDPOINT_URL"]
        assert env["AWS_SECRET_ACCESS_KEY"] not in done.stdout and env["AWS_ENDPOINT_URL"] in done.stdout and "mount -t nfs4" in done.stdout
        s3 = boto3.client("s3", endpoint_url=env["AWS_ENDPOINT_URL"], region_name=env["AWS_REGION"], aws_access_key_id=env["AWS_ACCESS_KEY_ID"], aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"])
        assert b"Written through S3" in s3.get_object(Bucket="demo", Key="hello.txt")["Body"].read()
        s3.put_object(Bucket="demo", Key="kept", Body=b"kept")
        assert quickstart(home, "--detach").returncode == 1  # runs already
    finally:
        stopped = quickstart(home, "--stop")
    assert stopped.returncode == 0 and "Stopped" in stopped.stdout
    # the second start finds everything, and takes seconds
    done = quickstart(home, "--detach", timeout=60)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        assert s3.get_object(Bucket="demo", Key="kept")["Body"].read() == b"kept"
    finally:
        quickstart(home, "--stop")


def test_a_taken_port(scratch):
    with socket.create_server(("127.0.0.1", 17490)):
        done = quickstart(scratch / "quickstart-taken", "--s3-port", "17490", "--nfs-port", "12059", "--detach")
    assert done.returncode == 1 and "port 17490 is taken" in done.stderr


def test_the_home_of_another_user(scratch):
    """Nothing of it is touched, nor is it said that nothing runs there."""
    store = scratch / "quickstart-theirs" / "store"
    store.mkdir(parents=True)
    try:
        os.chown(store, 65534, 65534)
    except PermissionError:
        pytest.skip("only root can give a directory away")
    for words in (["--detach"], ["--stop"]):
        done = quickstart(store.parent, *words)
        assert done.returncode == 1 and "belongs to nobody" in done.stderr and os.listdir(store.parent) == ["store"]


def test_bad_words(scratch):
    assert quickstart(scratch / "q", "--s3-port", "x").returncode == 1
    assert quickstart(scratch / "q", "--nonsense").returncode == 2
    assert "--detach" in quickstart(scratch / "q", "--help").stdout

class Forward:
    """Accepts connections at (address, port) and joins each with one to `target`."""

    def __init__(self, address, port, target):
        import threading

        self.listener = socket.create_server((address, port))
        self.target = target
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        import threading

        while True:
            try:
                one, _ = self.listener.accept()
            except OSError:
                return
            two = socket.create_connection(self.target)
            for a, b in ((one, two), (two, one)):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    @staticmethod
    def pump(a, b):
        try:
            while data := a.recv(1 << 16):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other direction ended first

    def close(self):
        self.listener.close()


def test_the_lines_of_the_readme(scratch, kernel):
    """README.md's own lines as they stand, but for var/ and Python's path: S3 here, the mount on another machine whose port 2049 leads to the door."""
    text = (TOP / "README.md").read_text()
    shell = [line.strip() for line in text.split("Then:")[1].split("```python")[0].splitlines() if line.strip()]
    python = text.split("```python\n")[1].split("```")[0]
    assert [line.split()[0] for line in shell] == ["set", "aws", "mount", "cat"], shell
    home = scratch / "readme"
    done = quickstart(home, "--detach")  # the ports of the README are free here
    assert done.returncode == 0, done.stdout + done.stderr
    forward = Forward(kernel.peer, 12990, ("127.0.0.1", 2049))
    try:
        here = [line.replace("var/demo.env", f"{home}/demo.env") for line in shell[:2]]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        env = {**clean, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
        script = "\n".join(["set -e", *here, "python3 - <<'END'", python, "END"])
        subprocess.run(["bash", "-c", script], cwd=TOP, env=env, check=True, capture_output=True, timeout=120)
        kernel.run(f"""cat > /run/forward.py <<'END'
import socket, threading
def pump(a, b):
    try:
        while data := a.recv(1 << 16): b.sendall(data)
        b.shutdown(1)
    except OSError: pass
listener = socket.create_server(("127.0.0.1", 2049))
while True:
    one, _ = listener.accept()
    two = socket.create_connection(("{kernel.peer}", 12990))
    for pair in ((one, two), (two, one)): threading.Thread(target=pump, args=pair, daemon=True).start()
END
setsid /usr/bin/python3 /run/forward.py > /dev/null 2>&1 < /dev/null & echo $! > /run/forward.pid; sleep 0.5""")
        try:
            assert kernel.run("\n".join(["set -e", *shell[2:]])).text == text
            assert kernel.run("cat /mnt/a/b").text == "seen at /mnt/a/b at once"
            kernel.run("umount /mnt")
        finally:
            kernel.run("kill $(cat /run/forward.pid)")
    finally:
        forward.close()
        quickstart(home, "--stop")
