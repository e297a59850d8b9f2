# SPDX-License-Identifier: Apache-2.0
"""HTTPS over S3: a certificate of one's own authority, real clients that verify it, and what is refused."""
import os
import signal
import socket
import ssl
import subprocess
import time

import pytest

from harness import PROGRAM, Gemel
from test_conditions import allow, granted


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def certificate(place, name="server", days=2):
    """A certificate for 127.0.0.1, by the authority in `place`; (certificate, key)."""
    key, request, cert, extensions = (place / f"{name}.{kind}" for kind in ("key", "csr", "pem", "ext"))
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
    openssl("x509", "-req", "-in", request, "-CA", place / "ca.pem", "-CAkey", place / "ca.key", "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", cert)
    return cert, key


@pytest.fixture(scope="module")
def keys(scratch):
    place = scratch / "tls-keys"
    place.mkdir()
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", place / "ca.key", "-out", place / "ca.pem", "-days", "2", "-subj", "/CN=Test authority")
    certificate(place)
    certificate(place, "other")
    openssl("ec", "-in", place / "server.key", "-aes256", "-passout", "pass:secret", "-out", place / "locked.key")
    return place


@pytest.fixture(scope="module")
def secure(scratch, keys):
    server = Gemel(scratch / "tls", options={"s3.tls_certificate": keys / "server.pem", "s3.tls_key": keys / "server.key"})
    server.start()
    yield server
    server.stop()
    server.assert_clean()


def client(server, keys):
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3", endpoint_url=f"https://127.0.0.1:{server.s3_port}", verify=str(keys / "ca.pem"), region_name="us-east-1", aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret, config=Config(retries={"total_max_attempts": 1}))


def test_boto3(secure, keys):
    s3 = client(secure, keys)
    for size in (0, 5000, 20 << 20):
        body = os.urandom(size)
        s3.put_object(Bucket="demo", Key="k", Body=body)
        assert s3.get_object(Bucket="demo", Key="k")["Body"].read() == body
    assert secure.gemel("status")["s3"]["answers"]


def test_curl(secure, keys):
    url = f"https://127.0.0.1:{secure.s3_port}/demo/by-curl"
    login = f'user = "{secure.access_key}:{secure.secret}"\n'
    curl = ["curl", "-sS", "-f", "-K", "-", "--cacert", str(keys / "ca.pem"), "--aws-sigv4", "aws:amz:us-east-1:s3", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
    subprocess.run([*curl, "-X", "PUT", "--data-binary", "over TLS", url], input=login, text=True, check=True, capture_output=True)
    for version in ("--tlsv1.2", "--tlsv1.3"):
        assert subprocess.run([*curl, version, "--tls-max", version[-3:], url], input=login, text=True, check=True, capture_output=True).stdout == "over TLS"
    untrusting = subprocess.run(["curl", "-sS", url], capture_output=True, text=True)
    assert untrusting.returncode == 60, untrusting.stderr  # the authority is not the system's


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_protocols_are_refused(secure, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", secure.s3_port), timeout=10) as connection, pytest.raises(ssl.SSLError, match="(?i)protocol|version|alert"):
        context.wrap_socket(connection)


def test_plain_http_gets_an_s3_error(secure):
    with socket.create_connection(("127.0.0.1", secure.s3_port), timeout=10) as connection:
        connection.sendall(b"GET /demo/k HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400") and b"<Code>BadRequest</Code><Message>Plain HTTP was spoken to a port that serves HTTPS.</Message>" in answer


def served(server, seconds=10):
    """The certificate that the server shows now."""
    return ssl.get_server_certificate(("127.0.0.1", server.s3_port), timeout=seconds)


def test_a_renewed_certificate_is_served_after_sighup(secure, keys):
    """Certificates are renewed under their old names: gemel.conf has not changed, and all the same the server must read them again."""
    before = served(secure)
    certificate(keys)
    os.kill(secure.process.pid, signal.SIGHUP)
    # nginx starts its new workers before it tells the old ones to stop: until those have heard it, either kind may answer
    deadline, in_a_row = time.monotonic() + 20, 0
    while in_a_row < 20:
        assert time.monotonic() < deadline, "the certificate from before the reload is still served"
        in_a_row = in_a_row + 1 if served(secure) != before else 0
        time.sleep(0.02)
    client(secure, keys).head_bucket(Bucket="demo")


def test_a_reload_with_a_bad_certificate_changes_nothing(secure, keys):
    before, values = served(secure), dict(secure.values)
    secure.allowed.append("SSL_CTX_use_PrivateKey")
    try:
        for name, value in (("s3.tls_key", keys / "other.key"), ("s3.tls_certificate", keys / "nowhere.pem")):
            secure.write_conf({**values, name: value})
            os.kill(secure.process.pid, signal.SIGHUP)
            deadline = time.monotonic() + 10
            while str(value) not in (secure.home / "serve.log").read_text() and time.monotonic() < deadline:
                time.sleep(0.1)
            assert f"{secure.conf}:" in (secure.home / "serve.log").read_text()
            secure.write_conf(values)
        secure.kill("s3")  # the next one starts with a configuration that is good
        secure.wait_ready()
        assert served(secure) == before
    finally:
        secure.write_conf(values)


def run(*words):
    return subprocess.run([str(PROGRAM), *map(str, words)], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("certificate_file, key_file, line, what", [
    ("nowhere.pem", "server.key", 4, "No such file"),
    ("server.pem", "nowhere.key", 5, "No such file"),
    (".", "server.key", 4, "is not a regular file"),
    ("server.pem", "", 4, "or neither"),
    ("", "server.key", 5, "or neither"),
    ("server.pem", "other.key", 5, "not the key of s3.tls_certificate"),
    ("server.key", "server.key", 4, "no certificate in PEM"),
    ("server.pem", "server.pem", 5, "no private key in PEM"),
    ("server.pem", "locked.key", 5, "has a passphrase"),
])
def test_bad_files_are_refused_with_file_and_line(scratch, keys, tmp_path, certificate_file, key_file, line, what):
    conf = tmp_path / "g.conf"
    path = lambda name: keys / name if name else ""
    conf.write_text(f"[store]\nhome = {tmp_path}/home\n[s3]\ntls_certificate = {path(certificate_file)}\ntls_key = {path(key_file)}\nport = 17999\n[nfs]\nport = 17998\n")
    (tmp_path / "home").mkdir()
    assert run("-c", conf, "store", "create").returncode == 0
    done = run("-c", conf, "serve")
    assert done.returncode == 1 and f"{conf}:{line}: s3.tls_" in done.stderr and what in done.stderr, done.stderr
    done = run("-c", conf, "config", "check")
    assert done.returncode == 1 and f"{conf}:{line}: s3.tls_" in done.stderr and what in done.stderr, done.stderr


def test_conditions_of_policies(secure, keys, tmp_path):
    import boto3
    from botocore.config import Config

    key, secret = secure.new_user("cleo", 1501)
    vault = secure.new_bucket(mode="0700")
    owner = client(secure, keys)
    owner.put_object(Bucket=vault, Key="a/x", Body=b"x")
    s3 = boto3.client("s3", endpoint_url=f"https://127.0.0.1:{secure.s3_port}", verify=str(keys / "ca.pem"), region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret,
                      config=Config(retries={"total_max_attempts": 1}))
    for condition, right in (({"Bool": {"aws:SecureTransport": "true"}}, True), ({"NumericGreaterThanEquals": {"s3:TlsVersion": "1.2"}}, True), ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, False)):
        allow(secure, tmp_path, vault, condition)
        assert granted(s3.get_object, Bucket=vault, Key="a/x") is right, condition
