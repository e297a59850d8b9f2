# SPDX-License-Identifier: Apache-2.0
"""Finer points of S3 that tools rely on: what they send beside boto3's defaults, and what they read out of the answers."""
import base64
import datetime
import email.utils
import hashlib
import hmac
import os
import re
import socket
import threading
import time
import urllib.request
import xml.etree.ElementTree as ET
import zlib
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, unquote_plus

import pytest
from botocore.exceptions import ClientError

from test_malformed import Wire, chunked, code
from test_s3 import fails

MIB = 1 << 20


@pytest.fixture(scope="module")
def s3(gemel):
    return gemel.s3(signature_version="s3v4")


@pytest.fixture
def wire(gemel):
    return Wire(gemel)


def b64(data):
    return base64.b64encode(data).decode()


def head_of(method, target, signed, **more):
    """A request's head: the signed headers, and others that nobody signed."""
    headers = {**signed, **more}
    return (f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value is not None) + "\r\n").encode()


def send_as(wire, method, signed_target, sent_target, body=b""):
    """Signs one spelling of a target, and sends another one: clients encode for the signature what they leave as it is on the wire."""
    signed = wire.signed(method, signed_target, body)
    return wire.raw(head_of(method, sent_target, signed, **{"Content-Length": len(body)}) + body)


def at_once(count, function):
    """What `count` threads got that called the function with their number at the same moment."""
    barrier = threading.Barrier(count)

    def work(i):
        barrier.wait()
        try:
            return function(i)["ResponseMetadata"]["HTTPStatusCode"]
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"]

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(work, range(count)))


# ---- bodies


def test_refused_before_the_body(gemel, wire, bucket):
    """What the head decides is answered without "100 Continue"; and a client that sends its body all the same can read the answer."""
    gemel.s3().put_object(Bucket=bucket, Key="there", Body=b"1")
    for target, headers, want in (("/no-such-bucket/k", {}, (404, "NoSuchBucket")), (f"/{bucket}/there", {"If-None-Match": "*"}, (412, "PreconditionFailed")), (f"/{bucket}/none", {"If-Match": '"x"'}, (404, "NoSuchKey"))):
        signed = wire.signed("PUT", target, b"", headers, sha256="UNSIGNED-PAYLOAD")
        with socket.create_connection(("127.0.0.1", gemel.s3_port), timeout=10) as connection:
            connection.sendall(head_of("PUT", target, signed, **{"Content-Length": MIB, "Expect": "100-continue"}))
            assert code(wire.answer(connection)) == want
    for size in (MIB, 24 * MIB):
        assert code(Wire(gemel, secret="x" * 40).send("PUT", f"/{bucket}/there", bytes(size))) == (403, "SignatureDoesNotMatch"), size
    assert gemel.s3().get_object(Bucket=bucket, Key="there")["Body"].read() == b"1"


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_empty_marker_with_a_trailing_checksum(gemel, wire, bucket, framing):
    """SDKs write the marker of a directory as a stream of no bytes with a checksum behind it; some let HTTP's own chunks carry it. The connection stays in step."""
    body = b"0\r\nx-amz-checksum-crc64nvme:AAAAAAAAAAA=\r\n\r\n"
    headers = {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": "0", "X-Amz-Trailer": "x-amz-checksum-crc64nvme"}
    signed = wire.signed("PUT", f"/{bucket}/dir/", b"", headers, sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    extra = {"Content-Length": len(body)} if framing == "length" else {"Transfer-Encoding": "chunked"}
    with socket.create_connection(("127.0.0.1", gemel.s3_port), timeout=10) as connection:
        connection.sendall(head_of("PUT", f"/{bucket}/dir/", signed, Expect="100-continue", **extra))
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        connection.sendall(body if framing == "length" else chunked(body))
        assert wire.answer(connection)[0] == 200
        connection.sendall(head_of("GET", f"/{bucket}/dir/", wire.signed("GET", f"/{bucket}/dir/")))
        status, answered, got = wire.answer(connection)
        assert (status, got, answered["content-length"]) == (200, b"", "0") and "content-encoding" not in answered


def test_trailing_checksums(s3, wire, bucket):
    """Whatever the algorithm: compared before anything is visible, kept, and told to those who ask."""
    body = b"hello checksums\n" * 1000
    sums = {"crc32": zlib.crc32(body).to_bytes(4, "big"), "sha1": hashlib.sha1(body).digest(), "sha256": hashlib.sha256(body).digest()}

    def put(name, value, announced=None):
        headers = {"X-Amz-Decoded-Content-Length": str(len(body)), "X-Amz-Trailer": announced or name, "Content-Encoding": "aws-chunked"}
        trailer = f"{name}:{value}\r\n".encode() if value is not None else b""
        return wire.send("PUT", f"/{bucket}/k", chunked(body, trailers=trailer), headers, sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER")

    for algorithm, digest in sums.items():
        name, wrong = f"x-amz-checksum-{algorithm}", b64(bytes([digest[0] ^ 1]) + digest[1:])
        assert code(put(name, wrong)) == (400, "BadDigest"), algorithm
        assert code(wire.send("PUT", f"/{bucket}/k", body, {name: wrong})) == (400, "BadDigest"), algorithm
        assert code(put(name, None))[0] == 400 and code(put(name, b64(b"too long" * 9)))[0] == 400, algorithm
        fails("404", 404, s3.head_object, Bucket=bucket, Key="k")
        assert put(name, b64(digest))[1][name] == b64(digest)
        head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert (head[f"Checksum{algorithm.upper()}"], head["ChecksumType"]) == (b64(digest), "FULL_OBJECT")
        assert s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum"])["Checksum"][f"Checksum{algorithm.upper()}"] == b64(digest)
        s3.delete_object(Bucket=bucket, Key="k")
    assert code(put("x-amz-checksum-crc32", b64(sums["crc32"]), announced="x-amz-checksum-sha256"))[0] == 400
    assert code(wire.send("PUT", f"/{bucket}/k", body, {"x-amz-checksum-crc32": b64(sums["crc32"]), "x-amz-checksum-sha256": b64(sums["sha256"])}))[0] == 400
    fails("404", 404, s3.head_object, Bucket=bucket, Key="k")


# ---- reading


def test_ranges_at_the_edges(s3, wire, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    for value, want in (
        ("bytes=0-", b"0123456789"), ("bytes=0-9", b"0123456789"), ("bytes=-10", b"0123456789"), ("bytes=9-", b"9"), ("bytes=3-99999999999999999999", b"3456789"), ("bytes=-99999999999999999999", b"0123456789"),
        ("bytes=", None), ("bytes=-", None), ("bytes", None), ("bytes=5", None),
    ):
        status, headers, body = wire.send("GET", f"/{bucket}/k", headers={"Range": value})
        if want is None:
            assert (status, body) == (200, b"0123456789") and "content-range" not in headers, value
        else:
            first = 10 - len(want)
            assert (status, body, headers["content-range"]) == (206, want, f"bytes {first}-9/10"), value
        head = wire.send("HEAD", f"/{bucket}/k", headers={"Range": value}, change={"Connection": "close"})
        assert (head[0], head[1].get("content-range"), head[1]["content-length"]) == (status, headers.get("content-range"), headers["content-length"]), value
    assert code(wire.send("GET", f"/{bucket}/k", headers={"Range": "bytes=99999999999999999999-"})) == (416, "InvalidRange")


def test_parts_by_their_number(s3, wire, bucket):
    """Numbered anew from 1 when they become an object, whatever numbers they were uploaded under; a plain object is its own part 1."""
    bodies = [os.urandom(5 * MIB), os.urandom(5 * MIB + 1), os.urandom(77)]
    names = {"Bucket": bucket, "Key": "k", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]}
    parts = [{"PartNumber": n, "ETag": s3.upload_part(PartNumber=n, Body=body, **names)["ETag"]} for n, body in zip((2, 5, 9), bodies)]
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **names)
    total, at = sum(map(len, bodies)), 0
    for number, body in enumerate(bodies, 1):
        got = s3.get_object(Bucket=bucket, Key="k", PartNumber=number)
        assert got["Body"].read() == body and got["ContentRange"] == f"bytes {at}-{at + len(body) - 1}/{total}" and got["PartsCount"] == 3
        at += len(body)
    assert "PartsCount" not in s3.head_object(Bucket=bucket, Key="k")
    for number in ("0", "-1", "x", "10001"):
        assert code(wire.send("GET", f"/{bucket}/k?partNumber={number}"))[0] == 400, number
    s3.put_object(Bucket=bucket, Key="plain", Body=b"plain")
    got = s3.get_object(Bucket=bucket, Key="plain", PartNumber=1)
    assert got["Body"].read() == b"plain" and got["ResponseMetadata"]["HTTPStatusCode"] == 206
    fails("InvalidPartNumber", 416, s3.get_object, Bucket=bucket, Key="plain", PartNumber=2)


def test_conditions_in_every_spelling(s3, wire, bucket):
    """The three date formats of RFC 9110, 5.6.7; what is no date is ignored; weak tags and lists of tags; which condition counts when there are several."""
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["ETag"]
    shown = wire.send("GET", f"/{bucket}/k")[1]["last-modified"]
    changed = email.utils.parsedate_to_datetime(shown).timestamp()
    before, parts = email.utils.formatdate(changed - 3600, usegmt=True), time.gmtime(changed)
    for headers, want in (
        ({"If-Modified-Since": time.strftime("%A, %d-%b-%y %H:%M:%S GMT", parts)}, 304), ({"If-Modified-Since": time.strftime("%a %b %e %H:%M:%S %Y", parts)}, 304), ({"If-Modified-Since": "garbage"}, 200), ({"If-Unmodified-Since": "garbage"}, 200),
        ({"If-None-Match": f'"a", {tag}'}, 304), ({"If-None-Match": "W/" + tag}, 304), ({"If-None-Match": tag.strip('"')}, 304), ({"If-None-Match": '"a","b"'}, 200),
        ({"If-None-Match": tag, "If-Modified-Since": before}, 304), ({"If-None-Match": '"x"', "If-Modified-Since": shown}, 200), ({"If-Match": '"x"', "If-Unmodified-Since": shown}, 412),
        ({"Range": "bytes=1-2", "If-Range": tag}, 206), ({"Range": "bytes=1-2", "If-Range": '"x"'}, 200), ({"Range": "bytes=1-2", "If-None-Match": tag}, 304), ({"Range": "bytes=50-", "If-Match": '"x"'}, 412),
    ):
        for method in ("GET", "HEAD"):
            status, answered, body = wire.send(method, f"/{bucket}/k", headers=headers, change={"Connection": "close"})
            assert status == want, (method, headers)
            if status == 304:
                assert (answered["etag"], answered["last-modified"], body) == (tag, shown, b""), headers


def test_overrides_of_a_presigned_url(s3, wire, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789", ContentDisposition="inline", CacheControl="max-age=1", ContentType="text/a")
    asked = {
        "ResponseContentDisposition": "attachment; filename=\"my own.txt\"; filename*=UTF-8''%e2%82%ac.txt", "ResponseContentType": "application/x-b", "ResponseCacheControl": "no-store", "ResponseContentLanguage": "de",
        "ResponseContentEncoding": "identity", "ResponseExpires": "Thu, 01 Dec 2033 16:00:00 GMT",
    }
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k", **asked}, ExpiresIn=60)
    for headers, want in (({}, b"0123456789"), ({"Range": "bytes=2-4"}, b"234")):
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            assert answer.read() == want
            for name, value in asked.items():
                header = re.sub("(?<!^)([A-Z])", r"-\1", name.removeprefix("Response"))
                assert answer.headers.get_all(header) == [value], header
    assert s3.head_object(Bucket=bucket, Key="k", ResponseContentType="application/x-b")["ContentType"] == "application/x-b"
    assert "x-evil" not in wire.send("GET", f"/{bucket}/k?response-content-type=a%0D%0AX-Evil%3A1")[1]
    anonymous = f"GET /{bucket}/k?response-content-type=x HTTP/1.1\r\nHost: 127.0.0.1:{s3.meta.endpoint_url.rpartition(':')[2]}\r\n\r\n"
    assert code(wire.raw(anonymous.encode()))[0] in (400, 403)


# ---- lists


def test_pages_of_keys_and_prefixes(s3, bucket):
    """A full page that ends the list says so; a truncated one is full, and its token leads to the rest; markers may lie within a prefix."""
    for key in ("asdf", "boo/bar", "boo/baz/xyzzy", "cquux/thud", "cquux/bla", "d/1", "d/2", "e"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    items = lambda page: sorted([o["Key"] for o in page.get("Contents", [])] + [p["Prefix"] for p in page.get("CommonPrefixes", [])])
    for call, take, give in ((s3.list_objects_v2, "NextContinuationToken", "ContinuationToken"), (s3.list_objects, "NextMarker", "Marker")):
        for size in (1, 2, 3, 5, 1000):
            seen, ask = [], {"Bucket": bucket, "Delimiter": "/", "MaxKeys": size}
            for _ in range(10):
                page = call(**ask)
                seen += items(page)
                if not page["IsTruncated"]:
                    break
                assert len(items(page)) == size
                ask[give] = page[take]
            assert seen == ["asdf", "boo/", "cquux/", "d/", "e"], (call.__name__, size)
            assert take not in page
    page = s3.list_objects(Bucket=bucket, Delimiter="/", Marker="boo/", MaxKeys=1)
    assert items(page) == ["cquux/"] and page["IsTruncated"]
    for ask, want in (({"Delimiter": "/", "Marker": "d/", "MaxKeys": 1}, ["e"]), ({"Prefix": "d/", "MaxKeys": 2}, ["d/1", "d/2"]), ({"Prefix": "d", "Delimiter": "/", "MaxKeys": 1}, ["d/"]), ({"Marker": "cquux/bla"}, ["cquux/thud", "d/1", "d/2", "e"])):
        page = s3.list_objects(Bucket=bucket, **ask)
        assert items(page) == want and not page["IsTruncated"], ask


def texts(body, name):
    return [element.text for element in ET.fromstring(body).iter() if element.tag.rpartition("}")[2] == name]


def test_encoded_lists(s3, wire, bucket):
    """encoding-type=url in every list; without it the keys are as they are."""
    keys = ["a+ b.txt", "a%2Fb.txt", "ТОРКАЙ.png", "q?&=<>'\".x", "file(3)~*.png", "t\u0001c", "d/e"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="up +é")["UploadId"]
    for query, want in (("encoding-type=url", keys), ("encoding-type=url&list-type=2", keys), ("encoding-type=url&versions=", keys), ("encoding-type=url&uploads=", ["up +é"])):
        status, _, body = wire.send("GET", f"/{bucket}?{query}")
        got = texts(body, "Key")
        assert status == 200 and texts(body, "EncodingType") == ["url"] and sorted(map(unquote_plus, got)) == sorted(want), query
        assert all(re.fullmatch(r"[A-Za-z0-9_.~/*%+-]*", key) for key in got), got
        bad = query.replace("=url", "=xml")
        assert code(wire.send("GET", f"/{bucket}?{bad}")) == (400, "InvalidArgument"), bad
    body = wire.send("GET", f"/{bucket}?list-type=2&start-after=a%252")[2]
    assert b"<EncodingType>" not in body and "<Key>a%2Fb.txt</Key>".encode() in body and "<Key>ТОРКАЙ.png</Key>".encode() in body
    assert b"<Delimiter" not in wire.send("GET", f"/{bucket}?delimiter=&list-type=2")[2]
    s3.abort_multipart_upload(Bucket=bucket, Key="up +é", UploadId=upload)


# ---- paths and signatures


def test_paths_left_unencoded(s3, wire, bucket):
    for key in ("dag=1/2022-11-26T13:51:14Z.parquet", "a@b,c", "x!'()*", "k=v&w", "semi;colon", "til~de", "dollar$"):
        signed = f"/{bucket}/" + quote(key, safe="/-_.~")
        assert send_as(wire, "PUT", signed, f"/{bucket}/{key}", key.encode())[0] == 200, key
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    for key in ("p+q", "p q", "ünï"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert send_as(wire, "GET", f"/{bucket}/p%20q", f"/{bucket}/p+q")[2] == b"p q"  # a raw plus is a space, as on AWS
    assert send_as(wire, "GET", f"/{bucket}/p%2Bq", f"/{bucket}/%70%2bq")[2] == b"p+q"
    assert send_as(wire, "GET", f"/{bucket}/" + quote("ünï"), f"/{bucket}/ünï")[2] == "ünï".encode()
    for query, signed in (("prefix=p%2Bq&list-type=2", "list-type=2&prefix=p%2Bq"), ("list-type=2&delimiter", "delimiter=&list-type=2"), ("location", "location="), ("list-type=2&prefix=a/b", "list-type=2&prefix=a%2Fb")):
        assert send_as(wire, "GET", f"/{bucket}?{signed}", f"/{bucket}?{query}")[0] == 200, query


def test_what_need_not_be_signed(s3, wire, bucket):
    """Proxies add headers on the way; x-amz-* ones change what is done, and must be signed."""
    url = lambda: wire.presigned("PUT", f"/{bucket}/k")
    put = lambda extra: wire.raw(f"PUT {url()} HTTP/1.1\r\nHost: {s3.meta.endpoint_url.partition('//')[2]}\r\n{extra}Content-Length: 1\r\n\r\n1".encode())
    for extra in ("x-amz-meta-a: b\r\n", "x-amz-acl: private\r\n"):
        assert code(put(extra))[0] == 403, extra
    assert put("X-Amzn-Trace-Id: Root=1-2\r\nX-Forwarded-For: 10.0.0.1\r\nVia: 1.1 p\r\nContent-Type: a/b\r\nCookie: c=d\r\n")[0] == 200
    assert s3.head_object(Bucket=bucket, Key="k")["ContentType"] == "a/b"


def test_signed_by_hand(gemel, wire, bucket):
    """Date in the place of X-Amz-Date; inner spaces of values are folded (SigV4, "Trimall"); Host has to be signed; the scope is of the day."""
    gemel.s3().put_object(Bucket=bucket, Key="k", Body=b"x")
    now = datetime.datetime.now(datetime.timezone.utc)
    empty = hashlib.sha256(b"").hexdigest()
    mac = lambda key, text: hmac.new(key, text.encode(), hashlib.sha256)
    base = {"host": f"127.0.0.1:{gemel.s3_port}", "x-amz-content-sha256": empty, "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ")}

    def get(headers, signed=None, day=None):
        names, day = sorted(signed or headers), day or now.strftime("%Y%m%d")
        canonical = "\n".join(["GET", f"/{bucket}/k", "", *(f"{name}:{' '.join(headers[name].split())}" for name in names), "", ";".join(names), empty])
        scope, key = f"{day}/us-east-1/s3/aws4_request", b"AWS4" + gemel.secret.encode()
        for word in scope.split("/"):
            key = mac(key, word).digest()
        text = "\n".join(["AWS4-HMAC-SHA256", now.strftime("%Y%m%dT%H%M%SZ"), scope, hashlib.sha256(canonical.encode()).hexdigest()])
        line = f"AWS4-HMAC-SHA256 Credential={gemel.access_key}/{scope}, SignedHeaders={';'.join(names)}, Signature={mac(key, text).hexdigest()}"
        return wire.raw(head_of("GET", f"/{bucket}/k", {**headers, "Authorization": line}))

    assert get(base)[0] == 200
    assert get({"host": base["host"], "x-amz-content-sha256": empty, "date": email.utils.format_datetime(now, usegmt=True)})[0] == 200
    assert get({**base, "x-custom": "  a   b  c "})[0] == 200
    assert code(get(base, signed=["x-amz-content-sha256", "x-amz-date"]))[0] in (400, 403)
    assert code(get(base, day=(now - datetime.timedelta(days=1)).strftime("%Y%m%d")))[0] in (400, 403)


def test_headers_that_tools_send_by_habit(s3, wire, bucket):
    """Taken when what they ask is so already, refused when it is not; never ignored."""
    put = lambda **headers: wire.send("PUT", f"/{bucket}/k", b"x", {name.replace("_", "-"): value for name, value in headers.items()})
    for headers in (
        {"x_amz_acl": "private"}, {"x_amz_acl": "bucket-owner-full-control"}, {"x_amz_request_payer": "requester"}, {"x_amz_user_agent": "x"}, {"Content_Type": ""}, {"amz_sdk_invocation_id": "1", "amz_sdk_request": "attempt=1; max=3"},
        {"x_amz_tagging": "a=b&c=d%20e"},
    ):
        assert put(**headers)[0] == 200, headers
    assert s3.head_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPHeaders"]["x-amz-tagging-count"] == "2"
    for headers in ({"x_amz_acl": "public-read"}, {"x_amz_acl": "nonsense"}, {"x_amz_grant_read": 'id="x"'}, {"x_amz_tagging": "a=b&a=c"}):
        assert code(put(**headers))[0] == 400, headers
    assert put(Expires="0", Cache_Control="no-cache", Content_Language="de, en")[0] == 200
    answered = wire.send("GET", f"/{bucket}/k")[1]
    assert (answered["expires"], answered["cache-control"], answered["content-language"]) == ("0", "no-cache", "de, en")  # "0" is no date, and comes back all the same


# ---- writing


def test_complete_at_once(gemel, s3, bucket):
    """A client that asks again before it had its answer: every one of them succeeds, with one object. Of several uploads that must be first, one is."""
    clients = [gemel.s3() for _ in range(6)]
    upload = lambda: s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    names = {"Bucket": bucket, "Key": "k", "UploadId": upload()}
    bodies = [os.urandom(5 * MIB), b"end"]
    parts = [{"PartNumber": n, "ETag": s3.upload_part(PartNumber=n, Body=body, **names)["ETag"]} for n, body in enumerate(bodies, 1)]
    assert at_once(6, lambda i: clients[i].complete_multipart_upload(MultipartUpload={"Parts": parts}, **names)) == [200] * 6
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"".join(bodies)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="k")
    uploads = [upload() for _ in range(6)]
    tags = [s3.upload_part(Bucket=bucket, Key="k", UploadId=u, PartNumber=1, Body=b"%d" % n)["ETag"] for n, u in enumerate(uploads)]
    got = at_once(6, lambda i: clients[i].complete_multipart_upload(Bucket=bucket, Key="k", UploadId=uploads[i], MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tags[i]}]}, IfNoneMatch="*"))
    assert got.count(200) == 1 and set(got) <= {200, 409, 412}, got


def test_swap_by_one_of_many(gemel, s3, bucket):
    """If-Match with one tag from eight clients at once: one of them wins, and its bytes are there."""
    clients = [gemel.s3() for _ in range(8)]
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"0")["ETag"]
    for round_ in range(4):
        bodies = [b"%d-%d" % (round_, i) for i in range(8)]
        got = at_once(8, lambda i: clients[i].put_object(Bucket=bucket, Key="k", Body=bodies[i], IfMatch=tag))
        assert got.count(200) == 1 and set(got) <= {200, 409, 412}, got
        answer = s3.get_object(Bucket=bucket, Key="k")
        assert answer["Body"].read() in bodies and answer["ETag"] != tag
        tag = answer["ETag"]
    fails("NotImplemented", 501, s3.put_object, Bucket=bucket, Key="k", Body=b"", IfNoneMatch="true")
    s3.put_object(Bucket=bucket, Key="k", Body=b"unquoted", IfMatch=tag.strip('"'))


def test_markers_keep_what_they_are_told(s3, bucket):
    """File systems on S3 keep owner, mode and times of a directory in the metadata of its marker, and change them by a copy onto itself."""
    kept = {"uid": "1000", "gid": "1000", "mode": "16877", "mtime": "1700000000"}
    for key in ("t/", "t//", "t/u/", "/"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"", ContentType="application/x-directory", Metadata=kept)
        head = s3.head_object(Bucket=bucket, Key=key)
        assert (head["ContentType"], head["Metadata"], head["ContentLength"]) == ("application/x-directory", kept, 0), key
    changed = {**kept, "mode": "16832"}
    s3.copy_object(Bucket=bucket, Key="t/", CopySource=f"{bucket}/t/", Metadata=changed, MetadataDirective="REPLACE", ContentType="application/x-directory")
    head = s3.head_object(Bucket=bucket, Key="t/")
    assert (head["ContentType"], head["Metadata"]) == ("application/x-directory", changed)
    page = s3.list_objects_v2(Bucket=bucket, Prefix="t/", Delimiter="/")
    assert [o["Key"] for o in page["Contents"]] == ["t/"] and [p["Prefix"] for p in page["CommonPrefixes"]] == ["t//", "t/u/"]


def test_directories_of_data_tools(s3, bucket):
    """Their way: markers for each level, a HEAD and a list of one key to tell file from directory, a sweep of what is below that leaves the marker."""
    for key in ("a/", "a/b/", "a/b/c/"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"", ContentType="application/x-directory")
    for key in ("a/b/f", "a/empty", "ds/y=2020/p", "big"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"hello")

    def kind(path):
        try:
            s3.head_object(Bucket=bucket, Key=path)
            return "file"
        except ClientError:
            return "directory" if s3.list_objects_v2(Bucket=bucket, Prefix=path + "/", MaxKeys=1)["KeyCount"] else None

    assert [kind(p) for p in ("a", "a/b/c", "a/b/f", "ds", "ds/y=2020", "zz", "a/b/f/x")] == ["directory", "directory", "file", "directory", "directory", None, None]
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix="a/")["Contents"]] == ["a/", "a/b/", "a/b/c/", "a/b/f", "a/empty"]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in ("a/b/", "a/b/c/", "a/b/f", "a/empty")]})
    assert kind("a") == "directory" and s3.list_objects_v2(Bucket=bucket, Prefix="a/")["KeyCount"] == 1
    s3.delete_object(Bucket=bucket, Key="a/")
    assert kind("a") is None and kind("ds") == "directory"


# ---- removing


def test_delete_many_by_hand(s3, wire, bucket):
    """The list wants one digest, which must be right; escapes, CDATA and numeric references name keys; a thousand at most."""
    keys = ["a&b", "c<d>", "e'f\"g", "h i", "ü", "t\tn"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    md5 = lambda body: {"Content-MD5": b64(hashlib.md5(body).digest())}
    post = lambda body, headers: wire.send("POST", f"/{bucket}?delete", body, headers)
    names = ("a&amp;b", "<![CDATA[c<d>]]>", "e&apos;f&quot;g", "h&#32;i", "&#xfc;", "t&#9;n", "never")
    body = ("<Delete>" + "".join(f"<Object><Key>{name}</Key></Object>" for name in names) + "</Delete>").encode()
    for headers, want in (({}, None), (md5(body + b"!"), "BadDigest"), ({"Content-MD5": "nonsense"}, "InvalidDigest"), ({"x-amz-checksum-crc32": "AAAAAA=="}, "BadDigest")):
        status, error = code(post(body, headers))
        assert status == 400 and error == (want or error), headers
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == len(keys)
    status, _, answer = post(body, md5(body))
    assert status == 200 and sorted(texts(answer, "Key")) == sorted([*keys, "never"]) and b"<Error>" not in answer
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    many = lambda count: ("<Delete><Quiet>true</Quiet>" + "".join(f"<Object><Key>n{i}</Key></Object>" for i in range(count)) + "</Delete>").encode()
    status, _, answer = post(many(1000), {"x-amz-checksum-crc32": b64(zlib.crc32(many(1000)).to_bytes(4, "big"))})
    assert status == 200 and b"<Deleted>" not in answer
    assert code(post(many(1001), md5(many(1001)))) == (400, "MalformedXML")


def test_delete_on_conditions(s3, wire, bucket):
    """Done or refused, never ignored."""
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["ETag"]
    delete = lambda key, **headers: wire.send("DELETE", f"/{bucket}/{key}", headers={name.replace("_", "-"): value for name, value in headers.items()})
    for headers in ({"If_Match": '"x"'}, {"x_amz_if_match_size": "3"}, {"x_amz_if_match_last_modified_time": "Sun, 06 Nov 1994 08:49:37 GMT"}):
        assert code(delete("k", **headers))[0] in (412, 501), headers
    assert s3.get_object(Bucket=bucket, Key="k")["ETag"] == tag
    assert delete("k", If_Match=tag)[0] == 204
    fails("404", 404, s3.head_object, Bucket=bucket, Key="k")


def test_size_promised_for_an_upload(s3, bucket):
    names = {"Bucket": bucket, "Key": "k", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="k", Tagging="t=1", Metadata={"q": "w"}, ContentType="a/b", CacheControl="no-cache")["UploadId"]}
    parts = {"Parts": [{"PartNumber": 1, "ETag": s3.upload_part(PartNumber=1, Body=b"12345", **names)["ETag"]}]}
    fails("InvalidRequest", 400, s3.complete_multipart_upload, MultipartUpload=parts, MpuObjectSize=6, **names)
    s3.complete_multipart_upload(MultipartUpload=parts, MpuObjectSize=5, **names)
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["Metadata"], head["ContentType"], head["CacheControl"]) == ({"q": "w"}, "a/b", "no-cache")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "t", "Value": "1"}]


def test_nul_cuts_no_key(s3, wire, bucket):
    assert code(wire.send("PUT", f"/{bucket}/a%00b", b"nul"))[0] == 400
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_store_is_whole(gemel):
    gemel.check_store()
