"""./quickstart as a newcomer runs it (the packages are there already)."""
import os
import socket
import stat
import subprocess

from harness import TOP

PORTS = ["--s3-port", "17480", "--nfs-port", "12049"]


def quickstart(home, *words, timeout=280):
    env = {**os.environ, "GEMEL_HOME": str(home)}
    return subprocess.run([str(TOP / "quickstart"), *words], env=env, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)


def test_quickstart(scratch):
    import boto3

    home = scratch / "quickstart"
    done = quickstart(home, *PORTS, "--detach")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        env = dict(line.split("=", 1) for line in (home / "demo.env").read_text().split())
        assert stat.S_IMODE((home / "demo.env").stat().st_mode) == 0o600
        assert set(env) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_REGION", "GEMEL_NFS_PORT", "GEMEL_NFS_EXPORT"}
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
    assert done.returncode == 1 and "17490" in done.stderr


def test_bad_words(scratch):
    assert quickstart(scratch / "q", "--s3-port", "x").returncode == 1
    assert quickstart(scratch / "q", "--nonsense").returncode == 2
    assert "--detach" in quickstart(scratch / "q", "--help").stdout
