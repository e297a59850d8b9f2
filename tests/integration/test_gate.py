# SPDX-License-Identifier: Apache-2.0
"""What the S3 server answers before any operation: host names, /healthz, what is not HTTP; its time-outs; and what the logs of a quiet server hold."""
import json
import signal
import socket
import ssl
import subprocess
import time

import pytest
from botocore.exceptions import ClientError


def raw(gemel, data, close=False, source=None):
    """Send bytes to the S3 port, from the loopback address `source`; all that comes back."""
    with socket.create_connection(("127.0.0.1", gemel.s3_port), timeout=30, source_address=source and (source, 0)) as connection:
        connection.sendall(data)
        if close:
            connection.shutdown(socket.SHUT_WR)
        got = b""
        while piece := connection.recv(65536):
            got += piece
    return got


def health(gemel, host="127.0.0.1"):
    answer = raw(gemel, f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Type: application/json" in head, answer
    return int(head.split()[1]), json.loads(body)


def wait_health(gemel, status, seconds=60):
    deadline = time.monotonic() + seconds
    while (now := health(gemel))[0] != status:
        assert time.monotonic() < deadline, now
        time.sleep(0.2)
    return now[1]


# ---- host names

def test_no_bucket_is_made_for_an_unknown_host(gemel):
    """What a client means as PUT of a key, in a domain that nobody told the server of."""
    s3 = gemel.s3()
    for request in ("PUT /not-a-bucket HTTP/1.1\r\nHost: demo.unknown.test", "PUT http://demo.unknown.test/not-a-bucket HTTP/1.1\r\nHost: 127.0.0.1"):
        answer = raw(gemel, f"{request}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 400 ") and b"<Code>InvalidRequest</Code>" in answer and b"s3.domains" in answer, answer
    with pytest.raises(ClientError, match="NotFound|404"):
        s3.head_bucket(Bucket="not-a-bucket")


@pytest.mark.parametrize("request_line, operation, bucket", [
    ("GET /demo/k HTTP/1.0\r\n", "GetObject", "demo"),
    ("GET /demo/k HTTP/1.1\r\nHost: LOCALHOST.:80\r\n", "GetObject", "demo"),
    ("GET /demo/k HTTP/1.1\r\nHost: [::1]:80\r\n", "GetObject", "demo"),
    ("GET /k HTTP/1.1\r\nHost: Demo.S3.Gemel.Test.:80\r\n", "GetObject", "demo"),
    ("GET http://demo.s3.gemel.test:81/k HTTP/1.1\r\nHost: 127.0.0.1\r\n", "GetObject", "demo"),  # RFC 9112 3.2.2: the target's name counts
    ("GET http://127.0.0.1/demo/k HTTP/1.1\r\nHost: other.s3.gemel.test\r\n", "GetObject", "demo"),
    ("GET http://demo.s3.gemel.test/ HTTP/1.0\r\n", "ListObjects", "demo"),
])
def test_what_names_the_bucket(gemel, request_line, operation, bucket):
    log = gemel.home / "log" / "s3-access.log"
    before = log.stat().st_size
    assert b" 403 " in raw(gemel, f"{request_line}Connection: close\r\n\r\n".encode()).split(b"\r\n")[0]
    line = lines_since(log, before)[-1]
    assert (line["operation"], line["bucket"]) == (operation, bucket)


def lines_since(log, offset, count=1):
    deadline = time.monotonic() + 20
    while True:
        lines = [json.loads(line) for line in log.read_bytes()[offset:].splitlines()]
        if len(lines) >= count:
            return lines
        assert time.monotonic() < deadline, lines
        time.sleep(0.05)


# ---- health

def test_health_follows_the_doors(fresh):
    for host in ("127.0.0.1", "balancer.check", "demo.s3.gemel.test"):
        assert health(fresh, host) == (200, {"status": "ok", "s3": "ok", "nfs": "ok", "store": "ok"})
    assert fresh.kill("serve")  # else it starts the server again at once
    assert fresh.kill("nfs")
    assert wait_health(fresh, 503) == {"status": "unavailable", "s3": "ok", "nfs": "no answer", "store": "ok"}
    assert raw(fresh, b"HEAD /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 503 ")
    fresh.start()
    assert wait_health(fresh, 200)["nfs"] == "ok"


def test_health_without_the_nfs_door(fresh):
    fresh.write_conf({**fresh.values, "nfs.enable": "no"})
    fresh.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 60
    while health(fresh) != (200, {"status": "ok", "s3": "ok", "nfs": "off", "store": "ok"}):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_health_is_not_a_bucket(gemel):
    s3 = gemel.s3()
    s3.create_bucket(Bucket="healthz")
    s3.put_object(Bucket="healthz", Key="k", Body=b"x")
    assert [o["Key"] for o in s3.list_objects(Bucket="healthz")["Contents"]] == ["k"]
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="healthz")["Contents"]] == ["k"]
    s3.head_bucket(Bucket="healthz")
    assert health(gemel)[0] == 200
    s3.delete_object(Bucket="healthz", Key="k")
    s3.delete_bucket(Bucket="healthz")


# ---- what is not HTTP

def lines_of(gemel, peer, count):
    """Lines of the access log, at least `count`, about an address that only one test uses."""
    deadline = time.monotonic() + 20
    while True:
        lines = [line for line in map(json.loads, (gemel.home / "log" / "s3-access.log").read_bytes().splitlines()) if line["peer"] == peer]
        if len(lines) >= count:
            return lines
        assert time.monotonic() < deadline, lines
        time.sleep(0.05)


def test_what_is_not_http_leaves_one_line(gemel):
    peer = "127.0.0.77"
    context = ssl._create_unverified_context()
    with socket.create_connection(("127.0.0.1", gemel.s3_port), timeout=10, source_address=(peer, 0)) as connection, pytest.raises(ssl.SSLError):
        context.wrap_socket(connection)
    strange = (b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\xff\xfe garbage", b"*1\r\n$4\r\nPING\r\n", b"no line end")
    malformed = (b"GET /demo/%zz HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /cut off")
    for i, data in enumerate((*strange, *malformed)):
        answer = raw(gemel, data, close=True, source=peer)
        line = lines_of(gemel, peer, i + 2)[-1]
        if data in strange:
            assert line["status"] == 400 and line["problem"] == "What was sent is not HTTP.", (data, line)
            assert answer == b"" or (answer.startswith(b"HTTP/1.1 400 ") and b"<Code>BadRequest</Code><Message>What was sent is not HTTP.</Message>" in answer), answer
        else:
            assert line["status"] >= 400 and "problem" not in line, line  # malformed, but HTTP
    raw(gemel, b"GET /last HTTP/1.0\r\n\r\n", source=peer)
    lines = lines_of(gemel, peer, len(strange) + len(malformed) + 2)
    assert len(lines) == len(strange) + len(malformed) + 2, "more than one line for a connection"
    assert lines[0]["problem"] == "TLS was spoken to a port that serves plain HTTP."
    assert f"client: {peer}" not in (gemel.home / "log" / "nginx-error.log").read_text()


def test_a_quiet_start_has_no_complaints_of_our_own_probes(fresh):
    """`gemel serve` and `gemel status` ask the NFS server whether it lives; so does /healthz. quickstart reads a file with `gemel nfs read`; libnfs is another client."""
    fresh.s3().put_object(Bucket="demo", Key="k", Body=b"x")
    assert subprocess.run(["nfs-cat", fresh.nfs_url("/demo/k")], capture_output=True, check=True).stdout == b"x"
    assert fresh.gemel("nfs", "read", "/demo/k")["content"] == "x"
    for _ in range(3):
        assert fresh.gemel("status")["good"]
        health(fresh)
    fresh.stop()
    said = (fresh.home / "log" / "nfs.log").read_text()
    assert "NFS SERVER INITIALIZED" in said
    quiet = said[:said.index("NFS EXIT: stopping")]
    for word in ("errno", "set dead", "CRIT", "ERROR", "svc_vc"):
        assert word not in quiet, [line for line in quiet.splitlines() if word in line]


# ---- time-outs

def test_timeouts_are_options(fresh):
    rendered = (fresh.home / "run" / "nginx.conf").read_text()
    assert "send_timeout 300s;" in rendered and "client_body_timeout 300s;" in rendered and "keepalive_timeout 75s;" in rendered
    fresh.stop()
    fresh.write_conf({**fresh.values, "s3.send_timeout": 1, "s3.receive_timeout": 1, "s3.keepalive_timeout": 1})
    fresh.start()
    fresh.s3().put_object(Bucket="demo", Key="big", Body=bytes(16 << 20))
    url = fresh.s3(signature_version="s3v4").generate_presigned_url("get_object", Params={"Bucket": "demo", "Key": "big"})
    reader, writer, idle = (socket.socket() for _ in range(3))
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    for connection in (reader, writer, idle):
        connection.connect(("127.0.0.1", fresh.s3_port))
        connection.settimeout(30)
    host = f"Host: 127.0.0.1:{fresh.s3_port}\r\n"
    reader.sendall(f"GET {url[url.index('/demo'):]} HTTP/1.1\r\n{host}\r\n".encode())
    put = fresh.s3(signature_version="s3v4").generate_presigned_url("put_object", Params={"Bucket": "demo", "Key": "slow"})
    writer.sendall(f"PUT {put[put.index('/demo'):]} HTTP/1.1\r\n{host}Content-Length: 10\r\n\r\nabc".encode())
    idle.sendall(f"GET /demo/none HTTP/1.1\r\n{host}\r\n".encode())
    assert writer.recv(65536).startswith(b"HTTP/1.1 400 ")  # RequestTimeout, when it had paused too long
    got = b""
    while piece := idle.recv(65536):
        got += piece
    assert got.startswith(b"HTTP/1.1 403 ") and b"keep-alive" in got.lower()
    line = next(line for line in iter_lines(fresh) if line.get("operation") == "GetObject" and line.get("key") == "big")
    assert line["body_sent"] < 16 << 20  # it was cut
    for connection in (reader, writer, idle):
        connection.close()


def iter_lines(gemel):
    """The access log's lines as they come."""
    log, seen = gemel.home / "log" / "s3-access.log", 0
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lines = log.read_text().splitlines()
        for line in lines[seen:]:
            yield json.loads(line)
        seen = len(lines)
        time.sleep(0.1)
    raise AssertionError("the line did not come")
