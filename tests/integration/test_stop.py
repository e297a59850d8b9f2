# SPDX-License-Identifier: Apache-2.0
"""An orderly stop is one, whatever the disk and the clients do: every process puts away what it has, and none is killed."""
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

import nfs4
from harness import Gemel

FLUSH_MS = 4000  # longer than nginx's master waits after SIGTERM


def start(scratch, name, monkeypatch, options=None):
    """A server whose disk becomes slow when the file server.home/slow appears."""
    server = Gemel(scratch / name, options={"run.jemalloc": "no", **(options or {})})  # the one library that nginx would get instead
    library = server.home / "slow_disk.so"
    subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, Path(__file__).with_name("slow_disk.c"), "-ldl"], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("SLOW_DISK", str(server.home / "slow"))
    monkeypatch.setenv("SLOW_DISK_MS", str(FLUSH_MS))
    server.start()
    monkeypatch.delenv("LD_PRELOAD")
    return server


def log(server, name):
    return (server.home / "log" / name).read_text(errors="replace")


def assert_orderly(server):
    """Every process said that it ended by itself, with the store closed. assert_clean sees nginx's alerts."""
    said = log(server, "nginx-error.log")
    assert "signal 9" not in said and "exited on signal" not in said, said
    assert said.count("exited with code 0") == said.count("start worker process "), said
    said = log(server, "nfs.log")
    assert said.index("the store is closed") < said.index("NFS EXIT: regular exit")
    assert "killed" not in (server.home / "serve.log").read_text()
    server.assert_clean()


def write_both(server):
    """Something that each server has to put away: ids that it leased, and a pack."""
    server.s3().put_object(Bucket="demo", Key="k", Body=b"x" * 1000)
    server.s3().put_object(Bucket="demo", Key="large", Body=b"x" * (1 << 20))
    client = nfs4.Client(server.nfs_port)
    top = client.handle("demo")
    assert client.compound(nfs4.putfh(top), nfs4.create_directory("dir"))[0] == nfs4.OK


@pytest.mark.parametrize("how", ["SIGTERM", "Ctrl-C"])
def test_stop_with_a_slow_disk(scratch, monkeypatch, how):
    server = start(scratch, f"slow-stop-{how}", monkeypatch)
    write_both(server)
    (server.home / "slow").touch()
    flushes = time.monotonic()
    if how == "Ctrl-C":  # the terminal tells its whole process group
        os.killpg(server.process.pid, signal.SIGINT)
        server.process.wait(120)
    server.stop()
    assert time.monotonic() - flushes > FLUSH_MS / 1000, "no flush was slow: this test tests nothing"
    assert_orderly(server)
    (server.home / "slow").unlink()
    server.check_store()
    server.start()
    assert server.s3().get_object(Bucket="demo", Key="k")["Body"].read() == b"x" * 1000
    server.stop()
    assert "recovery: " not in (server.home / "serve.log").read_text(), "something was left for recovery"


def get(server, key, size=1 << 16):
    """A connection that has asked for an object and reads nothing yet."""
    url = server.s3(signature_version="s3v4").generate_presigned_url("get_object", Params={"Bucket": "demo", "Key": key})
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    connection.connect(("127.0.0.1", server.s3_port))
    connection.settimeout(60)
    connection.sendall(f"GET {url[url.index('/demo'):]} HTTP/1.1\r\nHost: 127.0.0.1:{server.s3_port}\r\n\r\n".encode())
    head = connection.recv(1000)
    assert head.startswith(b"HTTP/1.1 200")
    return connection, head


def test_a_running_request_is_finished(fresh):
    size = 32 << 20
    fresh.s3().put_object(Bucket="demo", Key="big", Body=bytes(size))
    connection, got = get(fresh, "big")
    fresh.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 20
    while "shutting down" not in log(fresh, "nginx-error.log"):
        assert time.monotonic() < deadline, "nginx does not shut down"
        time.sleep(0.02)
    while got.count(b"\r\n\r\n") == 0:
        got += connection.recv(1 << 16)
    left = size - len(got[got.index(b"\r\n\r\n") + 4:])
    while left > 0:
        piece = connection.recv(1 << 20)
        assert piece, f"cut {left} bytes before the end"
        left -= len(piece)
    connection.close()
    fresh.stop()
    assert_orderly(fresh)


def test_a_client_that_reads_nothing_is_not_waited_for(fresh):
    fresh.s3().put_object(Bucket="demo", Key="big", Body=bytes(32 << 20))
    connection, _ = get(fresh, "big")
    idle = socket.create_connection(("127.0.0.1", fresh.s3_port))
    fresh.stop()  # within harness.py's 60 s
    assert_orderly(fresh)
    connection.close()
    idle.close()
