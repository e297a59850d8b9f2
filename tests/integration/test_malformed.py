# SPDX-License-Identifier: Apache-2.0
"""Malformed, oversized, truncated, wrongly signed: the right error, and nothing changed."""
import base64
import hashlib
import re
import socket
import time
import zlib
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class Wire:
    """Requests by hand: signed by botocore, sent over a socket of ours."""

    def __init__(self, gemel, access_key=None, secret=None):
        self.gemel = gemel
        self.credentials = Credentials(access_key or gemel.access_key, secret or gemel.secret)

    def signed(self, method, target, body=b"", headers=None, sha256=None):
        url = f"http://127.0.0.1:{self.gemel.s3_port}{target}"
        request = AWSRequest(method=method, url=url, data=body, headers={"Host": f"127.0.0.1:{self.gemel.s3_port}", **(headers or {})})
        payload = sha256 or hashlib.sha256(body).hexdigest()
        auth = S3SigV4Auth(self.credentials, "s3", "us-east-1")
        auth.payload = lambda r: payload
        auth.add_auth(request)
        return dict(request.headers.items())

    def presigned(self, method, target, expires=60):
        """The target with a signature in its query."""
        request = AWSRequest(method=method, url=f"http://127.0.0.1:{self.gemel.s3_port}{target}")
        S3SigV4QueryAuth(self.credentials, "s3", "us-east-1", expires=expires).add_auth(request)
        url = urlsplit(request.url)
        return f"{url.path}?{url.query}"

    def send_presigned(self, method, target, body=b"", extra="", **kwargs):
        head = f"{method} {self.presigned(method, target, **kwargs)} HTTP/1.1\r\nHost: 127.0.0.1:{self.gemel.s3_port}\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
        return self.raw(head.encode("latin-1") + body)

    def raw(self, data, pieces=1, half_close=False, seconds=20):
        """Send bytes; (status, headers, body) of the answer, or None when the connection ends without one."""
        with socket.create_connection(("127.0.0.1", self.gemel.s3_port), timeout=seconds) as connection:
            size = max(1, len(data) // pieces)
            try:
                for at in range(0, len(data), size):
                    connection.sendall(data[at : at + size])
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the server answered and closed before it had read all; its answer is read below
            return self.answer(connection)

    @staticmethod
    def answer(connection):
        data = b""
        try:
            while b"\r\n\r\n" not in data:
                piece = connection.recv(65536)
                if not piece:
                    return None
                data += piece
            head, _, body = data.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = {}
            for line in lines[1:]:
                name, _, value = line.partition(":")
                headers[name.strip().lower()] = value.strip()
            length = int(headers.get("content-length", "0"))
            while len(body) < length:
                piece = connection.recv(65536)
                if not piece:
                    break
                body += piece
        except ConnectionResetError:
            return None
        return int(lines[0].split()[1]), headers, body

    def send(self, method, target, body=b"", headers=None, sha256=None, change=None, length=None, **kwargs):
        signed = self.signed(method, target, body, headers, sha256)
        if body or method == "PUT":
            signed["Content-Length"] = str(len(body) if length is None else length)
        if change:
            signed.update(change)
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in signed.items() if v is not None) + "\r\n"
        return self.raw(head.encode("latin-1") + body, **kwargs)


def code(answer):
    assert answer is not None, "the connection was closed without an answer"
    status, headers, body = answer
    match = re.search(rb"<Code>([^<]+)</Code>", body)
    assert match, f"{status}: no S3 error document: {body[:200]!r}"
    assert headers["content-type"] == "application/xml" and headers.get("x-amz-request-id")
    return status, match.group(1).decode()


@pytest.fixture
def wire(gemel):
    return Wire(gemel)


@pytest.fixture(autouse=True)
def unchanged(gemel):
    """Whatever a test sends, key `steady` and the count of keys stay."""
    s3 = gemel.s3()
    s3.put_object(Bucket="demo", Key="steady", Body=b"steady")
    before = [(o["Key"], o["ETag"]) for o in s3.list_objects_v2(Bucket="demo")["Contents"]]
    yield
    after = [(o["Key"], o["ETag"]) for o in s3.list_objects_v2(Bucket="demo")["Contents"]]
    assert after == before
    assert s3.get_object(Bucket="demo", Key="steady")["Body"].read() == b"steady"


def test_signatures(gemel, wire):
    good = wire.signed("GET", "/demo/steady")["Authorization"]
    flipped = good[:-1] + ("0" if good[-1] != "0" else "1")
    assert code(wire.send("GET", "/demo/steady", change={"Authorization": flipped})) == (403, "SignatureDoesNotMatch")
    assert code(wire.send("GET", "/demo/steady", change={"Authorization": None})) == (403, "AccessDenied")
    assert code(Wire(gemel, secret="x" * 40).send("GET", "/demo/steady")) == (403, "SignatureDoesNotMatch")
    assert code(Wire(gemel, access_key="NOSUCHKEY").send("GET", "/demo/steady")) == (403, "InvalidAccessKeyId")
    assert code(wire.send("GET", "/demo/steady", change={"Authorization": "AWS4-HMAC-SHA256 nonsense"}))[0] == 400
    assert code(wire.send("GET", "/demo/steady", change={"X-Amz-Date": "20200101T000000Z"})) == (400, "AuthorizationHeaderMalformed")  # the scope has another day
    wrong_region = good.replace("/us-east-1/", "/eu-west-9/")
    assert code(wire.send("GET", "/demo/steady", change={"Authorization": wrong_region}))[1] in ("AuthorizationHeaderMalformed", "SignatureDoesNotMatch")
    assert code(wire.send("PUT", "/demo/new", b"body", change={"X-Amz-Meta-Unsigned": "1"}))[0] == 403


def test_methods(gemel, wire):
    """What S3 has no operation for; and nothing is done."""
    for method, target in (("POST", "/demo/steady"), ("PUT", "/"), ("DELETE", "/"), ("POST", "/"), ("DELETE", "/demo?versions"), ("PUT", "/demo?location"), ("PUT", "/demo?uploads"), ("PATCH", "/demo/steady")):
        assert code(wire.send(method, target)) == (405, "MethodNotAllowed"), (method, target)
    for method, target, allowed in (("POST", "/demo/steady", "GET, HEAD, PUT, DELETE"), ("PUT", "/demo?location", "GET"), ("PATCH", "/demo/steady?tagging", "GET, PUT, DELETE"), ("DELETE", "/", "GET"), ("DELETE", "/demo/steady?versions", "")):
        assert wire.send(method, target)[1]["allow"] == allowed, (method, target)
    import boto3  # a client of another service, which has the endpoint for all of them
    from botocore.exceptions import ClientError

    sts = boto3.client("sts", endpoint_url=gemel.endpoint, region_name="us-east-1", aws_access_key_id="X", aws_secret_access_key="y")
    with pytest.raises(ClientError, match=r"\(MethodNotAllowed\).*GetCallerIdentity.*This server has S3 only"):
        sts.get_caller_identity()
    for subresource in ("uploads", "versions"):  # where S3 has more to say
        assert code(wire.send("GET", f"/demo/steady?{subresource}")) == (400, "InvalidRequest"), subresource
    for subresource in ("policy", "versioning", "lifecycle", "cors", "website", "location", "versions", "delete", "session", "object-lock", "requestPayment"):  # a bucket's, asked of an object
        for method in ("GET", "PUT", "DELETE") if subresource != "versions" else ("PUT", "DELETE"):
            assert code(wire.send(method, f"/demo/steady?{subresource}", b"other" if method == "PUT" else b"")) == (405, "MethodNotAllowed"), (method, subresource)
    empty = gemel.new_bucket()
    for subresource in ("retention", "legal-hold", "annotation", "torrent", "attributes", "uploadId=x", "renameObject"):  # an object's, asked of a bucket
        for method in ("GET", "PUT", "DELETE"):
            assert code(wire.send(method, f"/{empty}?{subresource}")) == (405, "MethodNotAllowed"), (method, subresource)
    for method, target in (
        ("DELETE", "/demo/steady?brand-new"), ("PUT", "/demo/steady?brand-new"), ("DELETE", "/demo?brand-new"), ("DELETE", "/demo/steady?append"), ("DELETE", "/demo/steady?partNumber=1"), ("PUT", "/demo/steady?append"), ("DELETE", f"/{empty}?list-type=2"),
        ("PUT", "/demo/steady?tagging&policy"), ("DELETE", "/demo/steady?tagging&uploadId=x"),
    ):
        assert code(wire.send(method, target)) == (501, "NotImplemented"), (method, target)


def test_clocks(gemel, wire, monkeypatch):
    import datetime

    import botocore.auth

    for minutes, right in ((-16, False), (16, False), (-14, True), (14, True)):
        when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *a, **k: when)
        answer = wire.send("GET", "/demo/steady")
        assert answer[0] == 200 if right else code(answer) == (403, "RequestTimeTooSkewed"), minutes


def test_presigned_parameters(gemel, wire):
    s3 = gemel.s3(signature_version="s3v4")
    url = urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": "demo", "Key": "steady"}, ExpiresIn=60))
    ask = lambda query: Wire(gemel).raw(f"GET {url.path}?{query} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
    assert ask(url.query)[0] == 200
    for old, new in (
        ("X-Amz-Expires=60", "X-Amz-Expires=604801"), ("X-Amz-Expires=60", "X-Amz-Expires=-1"), ("X-Amz-Expires=60", "X-Amz-Expires=soon"), ("X-Amz-Expires=60", ""), ("AWS4-HMAC-SHA256", "AWS4-HMAC-MD5"),
        ("X-Amz-SignedHeaders=host", ""), ("X-Amz-Date=", "X-Amz-Date=x"), ("%2Faws4_request", ""), ("X-Amz-Signature=", "Nothing="),
    ):
        assert old in url.query
        status, error = code(ask(url.query.replace(old, new)))
        assert (status, error) == (400, "AuthorizationQueryParametersError"), (old, new, status, error)
    both = Wire(gemel).raw(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: AWS4-HMAC-SHA256 x\r\n\r\n".encode())
    assert code(both)[0] == 400  # one way to sign, not two


def test_presigned_headers_in_the_query(gemel, wire):
    """Several SDKs put x-amz-* headers into the URL they sign, and S3 reads them there: each is done or refused, and never ignored."""
    s3 = gemel.s3()
    put = lambda query, **kwargs: wire.send_presigned("PUT", f"/demo/new?{query}", b"abc", **kwargs)
    for query, want in (
        ("x-amz-server-side-encryption=AES256", (501, "NotImplemented")), ("x-amz-object-lock-mode=GOVERNANCE", (400, "InvalidRequest")), ("x-amz-acl=public-read", (400, "AccessControlListNotSupported")),
        ("X-Amz-Storage-Class=NOPE", (400, "InvalidStorageClass")), ("x-amz-expected-bucket-owner=99", (403, "AccessDenied")), ("x-amz-meta-a=b%0D%0Ac", (400, "BadRequest")), ("x-amz-meta-%20=b", (400, "BadRequest")),
        ("x-amz-copy-source=demo%2Fno-such-key", (404, "NoSuchKey")), ("x-amz-meta-a=" + "m" * 2048, (400, "MetadataTooLarge")),
    ):
        assert code(put(query)) == want, query
    assert code(wire.send("PUT", "/demo/new?x-amz-acl=public-read", b"abc")) == (400, "AccessControlListNotSupported")
    # A signer knows no body: it signs the checksum of none, and AWS takes no notice.
    assert put("x-amz-meta-Name=%C3%A4%20b%2Bc&x-amz-tagging=k%3Dv&x-amz-acl=private&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&x-id=PutObject")[0] == 200
    head = s3.head_object(Bucket="demo", Key="new")
    assert list(head["Metadata"]) == ["name"] and head["ContentLength"] == 3 and s3.get_object_tagging(Bucket="demo", Key="new")["TagSet"] == [{"Key": "k", "Value": "v"}]
    assert wire.send_presigned("PUT", "/demo/new?x-amz-copy-source=demo%2Fsteady")[0] == 200 and s3.get_object(Bucket="demo", Key="new")["Body"].read() == b"steady"
    assert wire.send_presigned("GET", "/demo/steady?x-amz-checksum-mode=ENABLED")[1]["x-amz-checksum-crc32"]
    # Unsigned, it does nothing.
    target = wire.presigned("PUT", "/demo/new")
    assert code(wire.raw(f"PUT {target}&x-amz-meta-a=b HTTP/1.1\r\nHost: 127.0.0.1:{gemel.s3_port}\r\nContent-Length: 0\r\n\r\n".encode())) == (403, "SignatureDoesNotMatch")
    s3.delete_object(Bucket="demo", Key="new")


def test_presigned_for_later(wire, monkeypatch):
    """AWS takes a clock that goes 15 minutes ahead, and says of more that the URL is not valid yet."""
    import datetime

    import botocore.auth

    for minutes, want in ((14, 200), (16, 403), (24 * 60, 403)):
        when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *a, **k: when)
        answer = wire.send_presigned("GET", "/demo/steady", expires=604800)
        assert answer[0] == want, minutes
        if want == 403:
            assert code(answer) == (403, "AccessDenied") and b"Request is not yet valid" in answer[2] and b"<ServerTime>" in answer[2]


def test_a_disabled_key_is_refused_at_once(gemel):
    key = gemel.gemel("key", "create", "demo")
    s3 = gemel.s3(key["id"], key["secret"])
    s3.head_object(Bucket="demo", Key="steady")
    gemel.gemel("key", "update", key["id"], "--disable")
    with pytest.raises(s3.exceptions.ClientError):
        s3.head_object(Bucket="demo", Key="steady")


def test_presigned_expiry(gemel):
    s3 = gemel.s3(signature_version="s3v4")
    url = urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": "demo", "Key": "steady"}, ExpiresIn=1))
    time.sleep(2.1)
    answer = Wire(gemel).raw(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
    assert code(answer) == (403, "AccessDenied")
    tampered = url.query.replace("X-Amz-Expires=1", "X-Amz-Expires=1000")
    assert code(Wire(gemel).raw(f"GET {url.path}?{tampered} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())) == (403, "SignatureDoesNotMatch")


def test_version_2_is_off_and_says_so(gemel):
    """boto3 presigns with Signature Version 2 for endpoints that are not AWS's, unless told otherwise."""
    url = urlsplit(gemel.s3().generate_presigned_url("get_object", Params={"Bucket": "demo", "Key": "steady"}, ExpiresIn=60))
    assert "X-Amz-Signature" not in url.query
    answer = Wire(gemel).raw(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
    assert code(answer) == (400, "InvalidRequest") and b"AWS4-HMAC-SHA256" in answer[2]


def test_metadata_beyond_ascii(gemel, wire):
    """What is not US-ASCII is answered as RFC 2047 has it, as AWS does; the rest as it is, also what a client encoded itself."""
    put = lambda value, sent=None: wire.send("PUT", "/demo/new", b"x", {"x-amz-meta-a": value}, change={"x-amz-meta-a": value.encode().decode("latin-1") if sent is None else sent})
    for value in ("caf\u00e9", "\u4f60\u597d, =?", "\U0001f600" * 40, "plain =?", "=?UTF-8?Q?caf=C3=A9?="):
        assert put(value)[0] == 200
        want = value if value.isascii() else f"=?UTF-8?B?{base64.b64encode(value.encode()).decode()}?="
        assert wire.send("GET", "/demo/new")[1]["x-amz-meta-a"] == want
        assert gemel.s3().head_object(Bucket="demo", Key="new")["Metadata"] == {"a": want}
    assert put("x" * 2045 + "\u00e9")[0] == 200 and code(put("x" * 2046 + "\u00e9")) == (400, "MetadataTooLarge")  # the limit is of the bytes that came
    gemel.s3().delete_object(Bucket="demo", Key="new")


def test_version_2_signs_headers_in_the_query(gemel):
    """boto3 puts x-amz-* headers into such a URL and signs them as headers. What nobody signed is refused."""
    from botocore.auth import HmacV1Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    key = gemel.gemel("key", "create", "demo", "--sigv2")
    s3, wire = gemel.s3(key["id"], key["secret"]), Wire(gemel)

    def put(extra="", **params):
        url = urlsplit(s3.generate_presigned_url("put_object", Params={"Bucket": "demo", "Key": "new", **params}, ExpiresIn=60))
        return wire.raw(f"PUT {url.path}?{url.query}{extra} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 3\r\n\r\nabc".encode())

    assert put(Metadata={"b": "1 + 2", "a": "\"x\""}, ACL="private")[0] == 200
    assert s3.head_object(Bucket="demo", Key="new")["Metadata"] == {"b": "1 + 2", "a": "\"x\""}
    assert code(put(ServerSideEncryption="AES256")) == (501, "NotImplemented")
    for extra in ("&x-amz-meta-a=b", "&x-amz-acl=public-read", "&x-amz-copy-source=demo/steady"):
        assert code(put(extra)) == (403, "SignatureDoesNotMatch"), extra
    for extra in ("&x%2Damz-acl=public-read", "&%78-amz-copy-source=demo/steady"):  # names that version 2 does not recognise
        assert code(put(extra)) == (400, "BadRequest"), extra
    # Signed in its headers, a request's query is not: nothing there is a header, whatever stands beside it.
    request = AWSRequest("PUT", f"{gemel.endpoint}/demo/new")
    HmacV1Auth(Credentials(key["id"], key["secret"])).add_auth(request)
    signed = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    for extra, want in (("", 200), ("&X%2DAmz-Algorithm=x", 200), ("&%41WSAccessKeyId=x", 200), ("&X-Amz-Algorithm=x", 400), ("&AWSAccessKeyId=x", 400)):
        answer = wire.raw(f"PUT /demo/new?x-amz-copy-source=demo/steady&x-amz-meta-a=b{extra} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n{signed}\r\nabc".encode())
        assert answer[0] == want and s3.head_object(Bucket="demo", Key="new")["Metadata"].get("a") != "b", extra
    s3.delete_object(Bucket="demo", Key="new")


def test_digests(wire):
    body = b"some content"
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert code(wire.send("PUT", "/demo/new", body, {"Content-MD5": md5})) == (400, "BadDigest")
    assert code(wire.send("PUT", "/demo/new", body, {"Content-MD5": "nonsense"})) == (400, "InvalidDigest")
    assert code(wire.send("PUT", "/demo/new", body, sha256="0" * 64)) == (400, "XAmzContentSHA256Mismatch")
    wrong = base64.b64encode(zlib.crc32(b"other").to_bytes(4, "big")).decode()
    assert code(wire.send("PUT", "/demo/new", body, {"x-amz-checksum-crc32": wrong})) == (400, "BadDigest")
    assert code(wire.send("PUT", "/demo/new", body, {"x-amz-checksum-crc32": "short"}))[0] == 400
    right = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    assert code(wire.send("PUT", "/demo/new", body, {"x-amz-checksum-crc32": right, "x-amz-checksum-sha1": "x"}))[0] == 400


def chunked(body, size=65536, trailers=b""):
    out = b""
    for at in range(0, len(body), size):
        piece = body[at : at + size]
        out += b"%x\r\n" % len(piece) + piece + b"\r\n"
    return out + b"0\r\n" + trailers + b"\r\n"


def trailer_put(wire, target, content, wire_body, declared=None, **kwargs):
    headers = {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": str(len(content) if declared is None else declared), "X-Amz-Trailer": "x-amz-checksum-crc32"}
    return wire.send("PUT", target, wire_body, headers, sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER", **kwargs)


@pytest.mark.parametrize("pieces", [1, 3, 500])
def test_chunked_bodies(gemel, wire, pieces):
    content = bytes(range(256)) * 300
    crc = base64.b64encode(zlib.crc32(content).to_bytes(4, "big"))
    good = chunked(content, 10000, b"x-amz-checksum-crc32:" + crc + b"\r\n")
    status, headers, _ = trailer_put(wire, "/demo/chunked", content, good, pieces=pieces)
    assert status == 200
    assert gemel.s3().get_object(Bucket="demo", Key="chunked")["Body"].read() == content
    gemel.s3().delete_object(Bucket="demo", Key="chunked")
    wrong = chunked(content, 10000, b"x-amz-checksum-crc32:AAAAAA==\r\n")
    assert code(trailer_put(wire, "/demo/chunked", content, wrong, pieces=pieces)) == (400, "BadDigest")
    assert code(trailer_put(wire, "/demo/chunked", content, good, declared=len(content) + 1, pieces=pieces))[0] == 400
    assert code(trailer_put(wire, "/demo/chunked", content, good, declared=len(content) - 1, pieces=pieces))[0] == 400
    for length in ("x", "12x", "-1", ""):
        assert code(trailer_put(wire, "/demo/chunked", content, good, declared=length, pieces=pieces)) == (411, "MissingContentLength"), length
    for garbage in (b"zz\r\n" + good, good.replace(b"\r\n", b"\n", 1), b"ffffffffffffffffff\r\n" + good, good[:-3], good[:-40], b""):
        answer = trailer_put(wire, "/demo/chunked", content, garbage, pieces=pieces, half_close=True)
        assert answer is None or code(answer)[0] == 400, garbage[:20]
    missing = chunked(content, 10000)
    assert code(trailer_put(wire, "/demo/chunked", content, missing, pieces=pieces)) == (400, "MalformedTrailerError")


def test_truncated_body(wire):
    """The client promises more than it sends and goes away."""
    for length, sent in ((100, 10), (1 << 20, 100000), (1 << 20, 0)):
        wire.send("PUT", "/demo/new", b"x" * sent, sha256="UNSIGNED-PAYLOAD", length=length, half_close=True)


def test_aborted_uploads_leave_nothing(gemel, wire):
    import os

    for _ in range(20):
        signed = wire.signed("PUT", "/demo/new", b"", sha256="UNSIGNED-PAYLOAD")
        signed["Content-Length"] = str(4 << 20)
        head = "PUT /demo/new HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in signed.items()) + "\r\n"
        with socket.create_connection(("127.0.0.1", gemel.s3_port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.sendall(head.encode() + os.urandom(1 << 20))
    time.sleep(1)
    report = gemel.check_store()
    assert report["problems"] == 0


def test_oversized(wire):
    assert code(wire.send("PUT", "/demo/new", b"", sha256="UNSIGNED-PAYLOAD", length=(5 << 30) + 1)) == (400, "EntityTooLarge")
    assert code(wire.send("PUT", "/demo/new", b"x", {"x-amz-meta-big": "m" * 3000})) == (400, "MetadataTooLarge")
    answer = wire.raw(b"GET /demo/steady HTTP/1.1\r\nHost: localhost\r\nX-Big: " + b"y" * 400000 + b"\r\n\r\n")
    assert code(answer)[0] == 400
    answer = wire.raw(b"GET /demo/" + b"y" * 400000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert code(answer)[0] in (400, 414)
    keys = "".join(f"<Object><Key>k{i}</Key></Object>" for i in range(1001))
    assert code(delete_many(wire, f"<Delete>{keys}</Delete>".encode())) == (400, "MalformedXML")
    assert code(delete_many(wire, b"<Delete>" + b"<a>" * 10000)) == (400, "MalformedXML")
    assert code(delete_many(wire, b"<Delete>" + b" " * (5 << 20) + b"</Delete>"))[0] == 400


def delete_many(wire, body):
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    return wire.send("POST", "/demo?delete", body, {"Content-MD5": md5})


@pytest.mark.parametrize("body", [b"", b"<", b"<Delete>", b"not xml", b"<Delete></Delete>", b"<Other/>", b"<!DOCTYPE x [<!ENTITY e 'x'>]><Delete><Object><Key>&e;</Key></Object></Delete>", b"\xff\xfe\x00"])
def test_malformed_xml(wire, body):
    assert code(delete_many(wire, body)) == (400, "MalformedXML")


@pytest.mark.parametrize(
    "request_line", ["GET /../x HTTP/1.1", "GET /demo/../../x HTTP/1.1", "GET /demo/%zz HTTP/1.1", "GET /demo/%00 HTTP/1.1", "GET /demo/%2 HTTP/1.1", "GET  HTTP/1.1", "\x16\x03\x01", "GET /demo/steady HTTP/3.7", "FOO /demo/steady HTTP/1.1"])
def test_malformed_request_lines(wire, request_line):
    answer = wire.raw(request_line.encode("latin-1") + b"\r\nHost: localhost\r\n\r\n")
    status, _ = code(answer)
    assert 400 <= status < 600


def test_malformed_framing(wire):
    for extra in (b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length: -1\r\n", b"Content-Length: x\r\n", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n"):
        answer = wire.raw(b"PUT /demo/new HTTP/1.1\r\nHost: localhost\r\n" + extra + b"\r\nhello")
        assert code(answer)[0] in (400, 403, 501), extra


def test_missing_length(gemel, wire):
    signed = wire.signed("PUT", "/demo/new", b"", sha256="UNSIGNED-PAYLOAD")
    head = "PUT /demo/new HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in signed.items()) + "Transfer-Encoding: chunked\r\n\r\n"
    answer = wire.raw(head.encode() + b"5\r\nhello\r\n0\r\n\r\n")
    assert code(answer) == (411, "MissingContentLength")
    for target in ("/demo/new", "/demo/new?partNumber=1&uploadId=" + gemel.s3().create_multipart_upload(Bucket="demo", Key="new")["UploadId"]):
        assert code(wire.send("PUT", target, change={"Content-Length": None})) == (411, "MissingContentLength"), target
    assert wire.send("PUT", f"/{gemel.new_bucket()}", change={"Content-Length": None})[0] == 200  # there, no body has a meaning


def test_unknown_subresources_are_refused(gemel):
    wire = Wire(gemel)
    for method, target in [
        ("PUT", "/demo?lifecycle"), ("PUT", "/demo?website"), ("PUT", "/demo?replication"), ("PUT", "/demo?encryption"), ("PUT", "/demo?cors"),
        ("PUT", "/demo?versioning"), ("PUT", "/demo?object-lock"), ("POST", "/demo/steady?restore"), ("POST", "/demo/steady?select&select-type=2"),
    ]:
        assert code(wire.send(method, target, b"<x/>")) == (501, "NotImplemented"), target
    for target in ("/demo?acl", "/demo/steady?acl"):
        assert code(wire.send("PUT", target, b"", {"x-amz-acl": "public-read"})) == (400, "AccessControlListNotSupported")
        assert code(wire.send("PUT", target, b"<x/>")) == (400, "MalformedXML")
    assert code(wire.send("PUT", "/demo/new", b"x", {"x-amz-server-side-encryption": "aws:kms"}))[0] in (400, 501)
    assert code(wire.send("PUT", "/demo/new", b"x", {"x-amz-acl": "public-read"}))[0] in (400, 501)


def test_form_uploads_are_refused(wire):
    """A browser signs a form in its fields: the request itself looks anonymous."""
    fields = "".join(f'--X\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in (("key", "new"), ("x-amz-algorithm", "AWS4-HMAC-SHA256"), ("policy", "e30="), ("file", "content")))
    body = (fields + "--X--\r\n").encode()
    head = f"POST /demo HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=X\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert code(wire.raw(head + body)) == (501, "NotImplemented")
    assert code(wire.raw(head.replace(b"POST /demo", b"PUT /demo/new") + body)) == (403, "AccessDenied")


def test_expect_continue(gemel, wire):
    """100 Continue comes only when the body is wanted; after an early error the connection is not confused."""
    good = wire.signed("PUT", "/demo/expect", b"", sha256="UNSIGNED-PAYLOAD")
    for headers, want in ((good, 100), ({**good, "Authorization": good["Authorization"][:-1] + ("0" if good["Authorization"][-1] != "0" else "1")}, 403)):
        with socket.create_connection(("127.0.0.1", gemel.s3_port), timeout=10) as connection:
            head = "PUT /demo/expect HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
            connection.sendall(head.encode())
            if want == 100:
                assert connection.recv(1000).startswith(b"HTTP/1.1 100")
                connection.sendall(b"hello")
                assert Wire.answer(connection)[0] == 200
            else:
                assert code(Wire.answer(connection))[0] == want
    gemel.s3().delete_object(Bucket="demo", Key="expect")


def test_slow_and_silent_clients_do_not_hold_the_door(gemel):
    """Two hundred connections that send half a request line; a real request is answered meanwhile."""
    held = [socket.create_connection(("127.0.0.1", gemel.s3_port)) for _ in range(200)]
    try:
        for connection in held:
            connection.sendall(b"GET /demo/st")
        assert gemel.s3().get_object(Bucket="demo", Key="steady")["Body"].read() == b"steady"
    finally:
        for connection in held:
            connection.close()
