# SPDX-License-Identifier: Apache-2.0
"""What AWS documents of each operation, asked with boto3's defaults: answers, error codes and statuses, paging."""
import base64
import datetime
import hashlib
import os
import zlib

import pytest
from botocore.exceptions import ClientError

MIB = 1 << 20


def fails(code, status, call, **kwargs):
    """The call fails with this S3 code and HTTP status; the error's document."""
    with pytest.raises(ClientError) as caught:
        call(**kwargs)
    response = caught.value.response
    got = (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"])
    assert got == (code, status), f"{call.__name__}({kwargs}): {got}, expected {(code, status)}"
    return response


# ---- buckets


def test_bucket_errors(gemel, s3, other, bucket):
    for call, extra in (
        (s3.list_objects_v2, {}), (s3.list_objects, {}), (s3.list_multipart_uploads, {}), (s3.get_bucket_location, {}), (s3.delete_bucket, {}), (s3.get_object, {"Key": "k"}), (s3.put_object, {"Key": "k", "Body": b"x"}),
        (s3.delete_object, {"Key": "k"}), (s3.create_multipart_upload, {"Key": "k"}), (s3.get_object_attributes, {"Key": "k", "ObjectAttributes": ["ETag"]}), (s3.get_object_tagging, {"Key": "k"}), (s3.get_bucket_acl, {}),
        (s3.copy_object, {"Key": "k", "CopySource": f"{bucket}/k"}), (s3.get_bucket_policy, {}), (s3.get_bucket_versioning, {}), (s3.delete_objects, {"Delete": {"Objects": [{"Key": "k"}]}}),
    ):
        if call == s3.copy_object:
            s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        fails("NoSuchBucket", 404, call, Bucket="no-such-bucket", **extra)
    fails("404", 404, s3.head_bucket, Bucket="no-such-bucket")
    fails("BucketNotEmpty", 409, s3.delete_bucket, Bucket=bucket)
    fails("BucketAlreadyExists", 409, other.create_bucket, Bucket=bucket)
    fails("AccessDenied", 403, other.delete_bucket, Bucket=bucket)
    for name in ("ab", "Upper", "a_b", "a..b", "-ab", "ab-", "192.168.1.1", "x" * 64, "xn--abc", "abc-s3alias", "a.-b"):
        with pytest.raises(ClientError) as caught:
            raw_create(s3, name)
        assert caught.value.response["Error"]["Code"] == "InvalidBucketName" and caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400, name
    fails("IllegalLocationConstraintException", 400, s3.create_bucket, Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    assert s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "us-east-1"


def raw_create(s3, name):
    """boto3 refuses some bad names itself: send them all the same."""
    import boto3
    from botocore.config import Config

    client = boto3.client("s3", endpoint_url=s3.meta.endpoint_url, region_name="us-east-1", aws_access_key_id=s3._request_signer._credentials.access_key,
        aws_secret_access_key=s3._request_signer._credentials.secret_key, config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}))
    for handler in ("before-parameter-build.s3",):
        from botocore.handlers import validate_bucket_name

        client.meta.events.unregister(handler, validate_bucket_name)
    client.create_bucket(Bucket=name)


def test_delete_with_uploads(gemel, s3):
    """Uploads that nobody finished do not hold a bucket, which lists as empty: as on AWS they go with it. A key does, and then they stay."""
    bucket = gemel.new_bucket()
    uploads = [(f"k{i}", s3.create_multipart_upload(Bucket=bucket, Key=f"k{i}")["UploadId"]) for i in range(40)]
    for key, upload in uploads[::7]:
        s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=3, Body=os.urandom(100000))
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    fails("BucketNotEmpty", 409, s3.delete_bucket, Bucket=bucket)
    assert len(s3.list_multipart_uploads(Bucket=bucket)["Uploads"]) == 40
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)
    fails("NoSuchBucket", 404, s3.list_multipart_uploads, Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    fails("NoSuchUpload", 404, s3.list_parts, Bucket=bucket, Key=uploads[0][0], UploadId=uploads[0][1])
    gemel.check_store()


def test_create_again(s3, bucket):
    """In us-east-1 one's own bucket may be created again (AWS: "for legacy compatibility"), elsewhere it is BucketAlreadyOwnedByYou; neither touches what is in it."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"kept")
    try:
        s3.create_bucket(Bucket=bucket)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "BucketAlreadyOwnedByYou" and error.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"


def test_list_buckets_by_pages(gemel):
    paged = gemel.s3(*gemel.new_user("paged", 4002))
    names = sorted(f"pages-{i:02}{kind}" for i in range(6) for kind in ("", ".x", "-y"))
    for name in names:
        paged.create_bucket(Bucket=name)
    for size in (1, 5, 18, 1000):
        assert [b["Name"] for page in paged.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": size}) for b in page["Buckets"]] == names
    assert [b["Name"] for b in paged.list_buckets(Prefix="pages-03")["Buckets"]] == [n for n in names if n.startswith("pages-03")]
    assert all(b["CreationDate"] for b in paged.list_buckets()["Buckets"])
    for name in names:
        paged.delete_bucket(Bucket=name)


# ---- reading


def test_object_errors(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    assert fails("NoSuchKey", 404, s3.get_object, Bucket=bucket, Key="none")["Error"]["Key"] == "none"
    fails("404", 404, s3.head_object, Bucket=bucket, Key="none")
    fails("NoSuchKey", 404, s3.get_object_tagging, Bucket=bucket, Key="none")
    fails("NoSuchKey", 404, s3.get_object_attributes, Bucket=bucket, Key="none", ObjectAttributes=["ETag"])
    fails("NoSuchKey", 404, s3.copy_object, Bucket=bucket, Key="c", CopySource=f"{bucket}/none")
    fails("InvalidArgument", 400, s3.get_object, Bucket=bucket, Key="k", VersionId="not-a-version")
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"0123456789"
    assert s3.delete_object(Bucket=bucket, Key="none")["ResponseMetadata"]["HTTPStatusCode"] == 204
    fails("KeyTooLongError", 400, s3.put_object, Bucket=bucket, Key="é" * 513, Body=b"")


def test_ranges(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    for value, want in (("bytes=0-0", b"0"), ("bytes=2-5", b"2345"), ("bytes=5-", b"56789"), ("bytes=-3", b"789"), ("bytes=-100", b"0123456789"), ("bytes=8-100", b"89")):
        got = s3.get_object(Bucket=bucket, Key="k", Range=value)
        assert got["Body"].read() == want and got["ResponseMetadata"]["HTTPStatusCode"] == 206 and got["ContentLength"] == len(want) and got["ContentRange"].endswith("/10"), value
        assert s3.head_object(Bucket=bucket, Key="k", Range=value)["ContentLength"] == len(want)
    for value in ("bytes=10-", "bytes=10-20", "bytes=-0"):
        error = fails("InvalidRange", 416, s3.get_object, Bucket=bucket, Key="k", Range=value)
        assert error["Error"]["ActualObjectSize"] == "10" and error["Error"]["RangeRequested"] == value
        fails("416", 416, s3.head_object, Bucket=bucket, Key="k", Range=value)
    fails("InvalidRange", 416, s3.get_object, Bucket=bucket, Key="empty", Range="bytes=0-0")
    for value in ("bytes=5-2", "lines=1-2", "bytes=a-b", "bytes= 0-1", "bytes=0 -1", "bytes=0-0,1-2", "nonsense"):  # RFC 9110, 14.2: what cannot be understood is ignored
        got = s3.get_object(Bucket=bucket, Key="k", Range=value)
        assert got["Body"].read() == b"0123456789" and got["ResponseMetadata"]["HTTPStatusCode"] == 200, value
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["AcceptRanges"] == "bytes" and "ContentRange" not in got


def test_read_conditions(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    changed = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    before, after = changed - datetime.timedelta(hours=1), changed + datetime.timedelta(seconds=1)
    for call, codes in ((s3.get_object, ("304", "PreconditionFailed")), (s3.head_object, ("304", "412"))):
        for headers in ({"IfNoneMatch": etag}, {"IfNoneMatch": "*"}, {"IfModifiedSince": changed}, {"IfNoneMatch": etag, "IfModifiedSince": before}):
            answer = fails(codes[0], 304, call, Bucket=bucket, Key="k", **headers)
            assert answer["ResponseMetadata"]["HTTPHeaders"]["etag"] == etag
        for headers in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": before}, {"IfMatch": '"other"', "IfUnmodifiedSince": after}):
            fails(codes[1], 412, call, Bucket=bucket, Key="k", **headers)
        for headers in ({"IfMatch": etag}, {"IfMatch": "*"}, {"IfMatch": etag, "IfUnmodifiedSince": before}, {"IfNoneMatch": '"other"'}, {"IfNoneMatch": '"other"', "IfModifiedSince": after}, {"IfModifiedSince": before}, {"IfMatch": f'"a", {etag}'}):
            assert call(Bucket=bucket, Key="k", **headers)["ETag"] == etag, headers
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag.strip('"'))["ETag"] == etag  # AWS takes an ETag without its quotes


def test_headers_and_overrides(s3, bucket):
    when = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    kept = {"CacheControl": "max-age=3", "ContentDisposition": 'attachment; filename="a b"', "ContentEncoding": "gzip", "ContentLanguage": "de, en", "ContentType": "text/x; charset=utf-8", "Expires": when}
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"UPPER": "v", "a-b": "1, 2"}, WebsiteRedirectLocation="/there", **kept)
    for got in (s3.get_object(Bucket=bucket, Key="k"), s3.head_object(Bucket=bucket, Key="k")):
        for name, value in kept.items():
            if name != "Expires":
                assert got[name] == value, name
        assert got["ResponseMetadata"]["HTTPHeaders"]["expires"] == "Wed, 02 Jan 2030 03:04:05 GMT"
        assert got["Metadata"] == {"upper": "v", "a-b": "1, 2"} and got["WebsiteRedirectLocation"] == "/there"
    overrides = {"ResponseCacheControl": "no-store", "ResponseContentDisposition": "inline", "ResponseContentEncoding": "br", "ResponseContentLanguage": "fr", "ResponseContentType": "a/b"}
    got = s3.get_object(Bucket=bucket, Key="k", **overrides)
    assert {name: got[name.replace("Response", "")] for name in overrides} == overrides
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    assert s3.head_object(Bucket=bucket, Key="plain")["ContentType"] == "binary/octet-stream"


# ---- writing


def test_write_conditions(s3, bucket):
    put = lambda **more: s3.put_object(Bucket=bucket, Key="k", Body=os.urandom(8), **more)
    put.__name__ = "put_object"
    fails("NoSuchKey", 404, put, IfMatch='"any"')
    etag = put(IfNoneMatch="*")["ETag"]
    fails("PreconditionFailed", 412, put, IfNoneMatch="*")
    fails("PreconditionFailed", 412, put, IfMatch='"other"')
    etag = put(IfMatch=etag)["ETag"]
    assert s3.head_object(Bucket=bucket, Key="k")["ETag"] == etag
    fails("NotImplemented", 501, put, IfNoneMatch=etag)  # as AWS: only "*"
    fails("NotImplemented", 501, put, IfMatch=etag, IfNoneMatch="*")  # and never both
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    complete = {"Bucket": bucket, "Key": "k", "UploadId": upload, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part}]}}
    fails("PreconditionFailed", 412, s3.complete_multipart_upload, IfNoneMatch="*", **complete)
    fails("PreconditionFailed", 412, s3.complete_multipart_upload, IfMatch='"other"', **complete)
    etag = s3.complete_multipart_upload(IfMatch=etag, **complete)["ETag"]
    fails("PreconditionFailed", 412, s3.delete_object, Bucket=bucket, Key="k", IfMatch='"other"')
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
    fails("404", 404, s3.head_object, Bucket=bucket, Key="k")


def test_copies(s3, bucket):
    source = {"Bucket": bucket, "Key": "dir/sö urce+1"}
    s3.put_object(Body=b"content", Metadata={"a": "1"}, ContentType="x/y", Tagging="t=1&u=2", CacheControl="c", **source)
    copy = lambda **more: s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, **more)
    copy.__name__ = "copy_object"
    tags = lambda: {t["Key"]: t["Value"] for t in s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"]}
    head = lambda: s3.head_object(Bucket=bucket, Key="copy")
    result = copy()["CopyObjectResult"]
    assert (head()["Metadata"], head()["ContentType"], head()["CacheControl"], tags()) == ({"a": "1"}, "x/y", "c", {"t": "1", "u": "2"})
    assert result["ETag"] == head()["ETag"] == f'"{hashlib.md5(b"content").hexdigest()}"' and result["LastModified"] == head()["LastModified"]
    s3.put_object(Body=b"content", WebsiteRedirectLocation="/there", Metadata={"a": "1"}, ContentType="x/y", Tagging="t=1&u=2", CacheControl="c", **source)
    copy()  # the redirection belongs to the name, and is not copied
    assert "WebsiteRedirectLocation" not in head() and (head()["Metadata"], head()["CacheControl"]) == ({"a": "1"}, "c")
    copy(WebsiteRedirectLocation="/elsewhere")
    assert head()["WebsiteRedirectLocation"] == "/elsewhere" and head()["Metadata"] == {"a": "1"}
    copy(Metadata={"b": "2"})  # without the directive, what the request says of metadata is ignored
    assert head()["Metadata"] == {"a": "1"}
    copy(MetadataDirective="REPLACE", Metadata={"b": "2"}, ContentType="z/z")
    assert (head()["Metadata"], head()["ContentType"], head().get("CacheControl"), tags()) == ({"b": "2"}, "z/z", None, {"t": "1", "u": "2"})
    copy(TaggingDirective="REPLACE", Tagging="v=3")
    assert (head()["Metadata"], tags()) == ({"a": "1"}, {"v": "3"})
    copy(TaggingDirective="REPLACE")
    assert tags() == {}
    fails("InvalidArgument", 400, copy, MetadataDirective="NONSENSE")
    fails("InvalidRequest", 400, s3.copy_object, Bucket=bucket, Key=source["Key"], CopySource=source)
    s3.copy_object(Bucket=bucket, Key=source["Key"], CopySource=source, MetadataDirective="REPLACE", Metadata={"self": "1"})
    assert s3.get_object(**source)["Metadata"] == {"self": "1"} and s3.get_object(**source)["Body"].read() == b"content"
    etag, when = result["ETag"], s3.head_object(**source)["LastModified"]
    for headers in ({"CopySourceIfMatch": '"other"'}, {"CopySourceIfNoneMatch": etag}, {"CopySourceIfModifiedSince": when}, {"CopySourceIfUnmodifiedSince": when - datetime.timedelta(hours=1)}):
        fails("PreconditionFailed", 412, copy, **headers)
    copy(CopySourceIfMatch=etag, CopySourceIfUnmodifiedSince=when - datetime.timedelta(hours=1))
    copy(ChecksumAlgorithm="SHA256")
    assert head()["ContentLength"] == 7
    assert s3.head_object(Bucket=bucket, Key="copy", ChecksumMode="ENABLED")["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(b"content").digest()).decode()
    fails("InvalidArgument", 400, s3.copy_object, Bucket=bucket, Key="x", CopySource="nonsense")
    s3.meta.events.register("before-sign.s3.CopyObject", lambda request, **_: request.headers.add_header("x-amz-copy-source-range", "bytes=0-1"), unique_id="range")
    try:
        fails("NotImplemented", 501, copy)  # a range is for UploadPartCopy: the whole instead of it would be a surprise
    finally:
        s3.meta.events.unregister("before-sign.s3.CopyObject", unique_id="range")


def test_delete_many(s3, bucket):
    for i in range(5):
        s3.put_object(Bucket=bucket, Key=f"k{i}", Body=b"x")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k0"}, {"Key": "none"}, {"Key": "k1", "VersionId": "null"}, {"Key": "k" * 1025}]})
    assert sorted(d["Key"] for d in answer["Deleted"]) == ["k0", "k1", "none"] and [e["Code"] for e in answer["Errors"]] == ["KeyTooLongError"]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Quiet": True, "Objects": [{"Key": "k2"}, {"Key": "k3", "ETag": '"wrong"'}]})
    assert "Deleted" not in answer and [(e["Key"], e["Code"]) for e in answer["Errors"]] == [("k3", "PreconditionFailed")]
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k3", "k4"]


def test_checksums_on_read(s3, bucket):
    body = os.urandom(100000)
    crc = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    s3.put_object(Bucket=bucket, Key="k", Body=body)  # boto3's default: CRC32 in a trailer
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumCRC32"] == crc
    quiet = s3.meta.client if hasattr(s3.meta, "client") else s3
    raw = {k for k in quiet.head_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPHeaders"] if k.startswith("x-amz-checksum")}
    assert raw <= {"x-amz-checksum-crc32", "x-amz-checksum-type"}
    assert s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumType"] == "FULL_OBJECT"
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED", Range="bytes=0-9")
    assert got["Body"].read() == body[:10]


# ---- multipart


def test_multipart_errors(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    names = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    etags = {n: s3.upload_part(PartNumber=n, Body=bytes([n]) * size, **names)["ETag"] for n, size in ((1, 5 * MIB), (2, 100), (3, 5 * MIB), (10, 7))}
    complete = lambda *numbers, **more: s3.complete_multipart_upload(MultipartUpload={"Parts": [{"PartNumber": n, "ETag": etags.get(n, '"x"')} for n in numbers]}, **names, **more)
    complete.__name__ = "complete_multipart_upload"

    def wrong(code, status, *numbers, **more):
        fails(code, status, lambda **k: complete(*numbers, **k), **more)

    wrong("InvalidPart", 400, 1, 4)
    wrong("InvalidPartOrder", 400, 3, 1)
    wrong("EntityTooSmall", 400, 1, 2, 3)
    wrong("MalformedXML", 400)
    wrong("InvalidArgument", 400, 0)
    wrong("InvalidArgument", 400, -4)
    fails("InvalidPart", 400, s3.complete_multipart_upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": '"0123"'}]}, **names)
    for number in (0, 10001, -1):
        fails("InvalidArgument", 400, s3.upload_part, PartNumber=number, Body=b"", **names)
    nowhere = {**names, "UploadId": "no-such-upload"}
    fails("NoSuchUpload", 404, s3.upload_part, PartNumber=1, Body=b"", **nowhere)
    fails("NoSuchUpload", 404, s3.list_parts, **nowhere)
    fails("NoSuchUpload", 404, s3.abort_multipart_upload, **nowhere)
    fails("NoSuchUpload", 404, s3.complete_multipart_upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": "x"}]}, **nowhere)
    fails("NoSuchUpload", 404, s3.list_parts, **{**names, "Key": "another"})
    fails("404", 404, s3.head_object, Bucket=bucket, Key="k")  # nothing is visible yet
    done = complete(1, 3, 10)
    digest = hashlib.md5(b"".join(bytes.fromhex(etags[n].strip('"')) for n in (1, 3, 10))).hexdigest()
    assert done["ETag"] == f'"{digest}-3"' and done["Bucket"] == bucket and done["Key"] == "k"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"\1" * 5 * MIB + b"\3" * 5 * MIB + b"\n" * 7
    for number, want in ((1, 5 * MIB), (2, 5 * MIB), (3, 7)):
        got = s3.get_object(Bucket=bucket, Key="k", PartNumber=number)
        assert (got["ContentLength"], got["PartsCount"], got["ResponseMetadata"]["HTTPStatusCode"]) == (want, 3, 206)
        assert s3.head_object(Bucket=bucket, Key="k", PartNumber=number)["ContentLength"] == want
    fails("InvalidPartNumber", 416, s3.get_object, Bucket=bucket, Key="k", PartNumber=4)
    fails("InvalidRequest", 400, s3.get_object, Bucket=bucket, Key="k", PartNumber=1, Range="bytes=0-1")


def test_complete_again(s3, bucket):
    """A client that lost the answer to CompleteMultipartUpload asks again, and hears the same as long as the object is there."""
    names = {"Bucket": bucket, "Key": "k"}

    def upload():
        names["UploadId"] = s3.create_multipart_upload(Bucket=bucket, Key="k", Metadata={"a": "b"})["UploadId"]
        return {"MultipartUpload": {"Parts": [{"PartNumber": n, "ETag": s3.upload_part(PartNumber=n, Body=body, **names)["ETag"]} for n, body in ((1, b"1" * 5 * MIB), (2, b"2"))]}, **names}

    def said(answer):
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    asked = upload()
    answer = said(s3.complete_multipart_upload(IfNoneMatch="*", **asked))
    made = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    assert said(s3.complete_multipart_upload(IfNoneMatch="*", **asked)) == answer and s3.head_object(Bucket=bucket, Key="k")["LastModified"] == made
    fails("InvalidRequest", 400, s3.complete_multipart_upload, MpuObjectSize=7, **asked)
    fails("BadDigest", 400, s3.complete_multipart_upload, ChecksumCRC64NVME="AAAAAAAAAAA=", **asked)
    fails("NoSuchUpload", 404, s3.complete_multipart_upload, **{**asked, "MultipartUpload": {"Parts": asked["MultipartUpload"]["Parts"][:1]}})
    fails("NoSuchUpload", 404, s3.complete_multipart_upload, **{**asked, "Key": "another"})
    fails("NoSuchUpload", 404, s3.abort_multipart_upload, **names)
    aborted = upload()  # the same parts for the same key
    s3.abort_multipart_upload(**names)
    fails("NoSuchUpload", 404, s3.complete_multipart_upload, **aborted)
    s3.put_object(Bucket=bucket, Key="k", Body=b"another")
    fails("NoSuchUpload", 404, s3.complete_multipart_upload, **asked)
    s3.delete_object(Bucket=bucket, Key="k")
    fails("NoSuchUpload", 404, s3.complete_multipart_upload, **asked)


def test_part_checksums(s3, bucket):
    """A composite checksum is made of what the client says of each part, at UploadPart and at CompleteMultipartUpload; a whole one is not."""
    quiet = boto3_quiet(s3)
    for algorithm, kind in (("SHA256", "COMPOSITE"), ("CRC32", "COMPOSITE"), ("CRC32", "FULL_OBJECT")):
        names = {"Bucket": bucket, "Key": "k", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm, ChecksumType=kind)["UploadId"]}
        if kind == "COMPOSITE":
            assert "actual checksum Type: null" in fails("InvalidRequest", 400, quiet.upload_part, PartNumber=1, Body=b"part", **names)["Error"]["Message"]
        else:
            quiet.upload_part(PartNumber=1, Body=b"part", **names)
        answer = s3.upload_part(PartNumber=1, Body=b"part", ChecksumAlgorithm=algorithm, **names)
        field = f"Checksum{algorithm}"
        complete = lambda **part: s3.complete_multipart_upload(MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": answer["ETag"], **part}]}, **names)
        complete.__name__ = "complete_multipart_upload"
        fails("InvalidArgument", 400, complete, **{field: "nonsense"})
        fails("InvalidArgument", 400, complete, **{field: answer[field], "ChecksumSHA1": base64.b64encode(b"1" * 20).decode()})
        if kind == "COMPOSITE":
            assert "part 1 in the request" in fails("InvalidRequest", 400, complete)["Error"]["Message"]
            complete(**{field: answer[field]})
        else:
            complete()
        assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumType"] == kind


def test_part_checksums_that_nobody_chose(s3, bucket):
    """boto3 sends a CRC32 with each part, whatever the upload says, and whoever gives back at the end what it answered is right; a wrong value of the kind that is kept is not."""
    for chosen in ({}, {"ChecksumAlgorithm": "CRC64NVME"}):
        names = {"Bucket": bucket, "Key": "k", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="k", **chosen)["UploadId"]}
        parts = []
        for number, body in ((1, b"1" * (5 << 20)), (2, b"end")):
            answer = s3.upload_part(PartNumber=number, Body=body, **names)
            assert answer["ChecksumCRC32"]
            parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32": answer["ChecksumCRC32"]})
        wrong = [{**part, "ChecksumCRC64NVME": "AAAAAAAAAAA="} for part in parts]
        for part in wrong:
            del part["ChecksumCRC32"]
        fails("InvalidPart", 400, s3.complete_multipart_upload, MultipartUpload={"Parts": wrong}, **names)
        fails("InvalidPart", 400, s3.complete_multipart_upload, MultipartUpload={"Parts": [{**part, "ETag": '"' + "0" * 32 + '"'} for part in parts]}, **names)
        s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **names)
        assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=-4")["Body"].read() == b"1end"


def boto3_quiet(s3):
    """A client that sends no checksum on its own."""
    import boto3
    from botocore.config import Config

    keys = s3._request_signer._credentials
    return boto3.client("s3", endpoint_url=s3.meta.endpoint_url, region_name="us-east-1", aws_access_key_id=keys.access_key, aws_secret_access_key=keys.secret_key,
        config=Config(retries={"total_max_attempts": 1}, request_checksum_calculation="when_required", signature_version="s3v4"))


def test_part_copies(s3, bucket):
    body = os.urandom(6 * MIB)
    s3.put_object(Bucket=bucket, Key="source", Body=body)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    names = {"Bucket": bucket, "Key": "k", "UploadId": upload, "CopySource": f"{bucket}/source"}
    first = s3.upload_part_copy(PartNumber=1, CopySourceRange=f"bytes=100-{5 * MIB + 99}", **names)["CopyPartResult"]["ETag"]
    second = s3.upload_part_copy(PartNumber=2, **names)["CopyPartResult"]["ETag"]
    assert first == f'"{hashlib.md5(body[100 : 5 * MIB + 100]).hexdigest()}"' and second == f'"{hashlib.md5(body).hexdigest()}"'
    for value in (f"bytes=0-{6 * MIB}", "bytes=5-2", "bytes=0-", "0-5", f"bytes={7 * MIB}-{8 * MIB}"):
        with pytest.raises(ClientError) as caught:
            s3.upload_part_copy(PartNumber=3, CopySourceRange=value, **names)
        assert caught.value.response["Error"]["Code"] in ("InvalidArgument", "InvalidRange"), value
    fails("PreconditionFailed", 412, s3.upload_part_copy, PartNumber=3, CopySourceIfMatch='"x"', **names)
    s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body[100 : 5 * MIB + 100] + body


def test_lists_of_uploads_and_parts(s3, bucket):
    uploads = [(key, s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]) for key in ("b", "a/1", "a/2", "a/2", "c+d e", "a/2", "ü")]
    want = sorted(uploads, key=lambda u: u[0].encode())  # of one key: in the order in which they began
    for size in (1, 2, 3, 1000):
        got = [(u["Key"], u["UploadId"]) for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": size}) for u in page.get("Uploads", [])]
        assert got == want, size
    page = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [u["Key"] for u in page["Uploads"]] == ["b", "c+d e", "ü"] and [p["Prefix"] for p in page["CommonPrefixes"]] == ["a/"]
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=bucket, Prefix="a/2")["Uploads"]] == ["a/2"] * 3
    fails("InvalidArgument", 400, s3.list_multipart_uploads, Bucket=bucket, MaxUploads=-1)
    names = {"Bucket": bucket, "Key": "b", "UploadId": uploads[0][1]}
    numbers = [1, 2, 5, 9, 100, 10000]
    for n in reversed(numbers):
        s3.upload_part(PartNumber=n, Body=b"p" * n, **names)
    s3.upload_part(PartNumber=5, Body=b"again", **names)
    sizes = {**{n: n for n in numbers}, 5: 5}
    for size in (1, 4, 6, 1000):
        parts = [p for page in s3.get_paginator("list_parts").paginate(PaginationConfig={"PageSize": size}, **names) for p in page.get("Parts", [])]
        assert [(p["PartNumber"], p["Size"]) for p in parts] == sorted(sizes.items()), size
    assert parts[2]["ETag"] == f'"{hashlib.md5(b"again").hexdigest()}"'
    assert [p["PartNumber"] for p in s3.list_parts(PartNumberMarker=9, **names)["Parts"]] == [100, 10000]
    for key, upload in uploads:
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    s3.delete_bucket(Bucket=bucket)


def test_attributes(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA256")["UploadId"]
    parts = []
    for n, size in ((1, 5 * MIB), (2, 5 * MIB), (3, 10)):
        answer = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=n, Body=bytes([n]) * size, ChecksumAlgorithm="SHA256")
        parts.append({"PartNumber": n, "ETag": answer["ETag"], "ChecksumSHA256": answer["ChecksumSHA256"]})
    s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
    ask = lambda *what, **more: s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=what, **more)
    assert set(ask("ETag")) - {"ResponseMetadata"} == {"ETag", "LastModified"} and not ask("ETag")["ETag"].startswith('"')
    every = ask("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")
    assert every["ObjectSize"] == 10 * MIB + 10 and every["StorageClass"] == "STANDARD" and every["Checksum"]["ChecksumType"] == "COMPOSITE"
    got = every["ObjectParts"]
    assert got["TotalPartsCount"] == 3 and [(p["PartNumber"], p["Size"], p["ChecksumSHA256"]) for p in got["Parts"]] == [(p["PartNumber"], s, p["ChecksumSHA256"]) for p, s in zip(parts, (5 * MIB, 5 * MIB, 10))]
    page = ask("ObjectParts", MaxParts=2)["ObjectParts"]
    assert page["IsTruncated"] and [p["PartNumber"] for p in page["Parts"]] == [1, 2] and page["NextPartNumberMarker"] == 2
    assert [p["PartNumber"] for p in ask("ObjectParts", PartNumberMarker=2)["ObjectParts"]["Parts"]] == [3]
    fails("InvalidArgument", 400, s3.get_object_attributes, Bucket=bucket, Key="k", ObjectAttributes=["Nonsense"])
    sums = b"".join(base64.b64decode(p["ChecksumSHA256"]) for p in parts)
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(sums).digest()).decode() + "-3"


# ---- lists


def test_lists(s3, bucket):
    keys = ["a", "a--b", "a--b--c", "ab/1", "abc/2", "abd/3", "abd/4", "x", "y&<z>", "z z", "z+z", "zé"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    page = s3.list_objects_v2(Bucket=bucket, Delimiter="--")
    assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["a--"] and page["KeyCount"] == len(keys) - 1
    page = s3.list_objects_v2(Bucket=bucket, Prefix="ab", Delimiter="/")  # a prefix that ends inside a component
    assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["ab/", "abc/", "abd/"] and "Contents" not in page
    assert [p["Prefix"] for p in s3.list_objects_v2(Bucket=bucket, Prefix="abd", Delimiter="/")["CommonPrefixes"]] == ["abd/"]
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix="abd/", Delimiter="/")["Contents"]] == ["abd/3", "abd/4"]
    for style in ("list_objects", "list_objects_v2"):
        for size in (1, 3, 1000):
            for encoding in ({}, {"EncodingType": "url"}) if style == "list_objects_v2" else ({},):  # its paginator takes the encoded key for the next marker
                pages = list(s3.get_paginator(style).paginate(Bucket=bucket, PaginationConfig={"PageSize": size}, **encoding))
                got = [o["Key"] for page in pages for o in page["Contents"]]
                if encoding:
                    import urllib.parse

                    got = [urllib.parse.unquote_plus(k) for k in got]
                assert got == keys, (style, size, encoding)
                assert all(len(page["Contents"]) <= size for page in pages)
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["IsTruncated"] is False
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000
    fails("InvalidArgument", 400, s3.list_objects_v2, Bucket=bucket, MaxKeys=-1)
    fails("InvalidArgument", 400, s3.list_objects_v2, Bucket=bucket, EncodingType="base64")
    fails("InvalidArgument", 400, s3.list_objects_v2, Bucket=bucket, ContinuationToken="nonsense")
    assert "Owner" not in s3.list_objects_v2(Bucket=bucket)["Contents"][0] and "Owner" in s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"][0]
    page = s3.list_objects(Bucket=bucket, MaxKeys=2, Delimiter="/")
    assert page["NextMarker"] == page["Contents"][-1]["Key"]


def test_tokens_across_changes(s3, bucket):
    """A list goes on behind the last key that was told, whatever was removed and made meanwhile."""
    for i in range(20):
        s3.put_object(Bucket=bucket, Key=f"k{i:02}", Body=b"x")
    page = s3.list_objects_v2(Bucket=bucket, MaxKeys=10)
    for key in ("k09", "k10", "k03"):
        s3.delete_object(Bucket=bucket, Key=key)
    for key in ("k095", "k00a", "k19a"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    rest = s3.list_objects_v2(Bucket=bucket, ContinuationToken=page["NextContinuationToken"], StartAfter="k00")
    assert [o["Key"] for o in rest["Contents"]] == ["k095", *(f"k{i}" for i in range(11, 20)), "k19a"]


# ---- what is not there must say so

ANSWERED = {
    "PutBucketPolicy", "GetBucketOwnershipControls", "PutBucketOwnershipControls", "DeleteBucketOwnershipControls", "GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock",
    "AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CreateBucket", "CreateMultipartUpload", "DeleteBucket", "DeleteObject", "DeleteObjectTagging", "DeleteObjects", "GetBucketAcl", "GetBucketLocation", "GetObject",
    "GetObjectAcl", "GetObjectAttributes", "GetObjectTagging", "HeadBucket", "HeadObject", "ListBuckets", "ListMultipartUploads", "ListObjectVersions", "ListObjects", "ListObjectsV2", "ListParts", "PutBucketAcl", "PutObject", "PutObjectAcl",
    "PutBucketTagging", "PutObjectTagging", "UploadPart", "UploadPartCopy",
}
# Configuration that nobody can set here: the answer tells that it is not set, as AWS does; to set nothing, and to delete what is not there, succeeds.
CONSTANT = {
    "GetBucketAccelerateConfiguration", "GetBucketLogging", "GetBucketNotification", "GetBucketNotificationConfiguration", "GetBucketRequestPayment", "GetBucketVersioning",
    "ListBucketAnalyticsConfigurations", "ListBucketIntelligentTieringConfigurations", "ListBucketInventoryConfigurations", "ListBucketMetricsConfigurations", "PutBucketLogging", "PutBucketNotification",
    "PutBucketNotificationConfiguration", "DeleteBucketCors", "DeleteBucketEncryption", "DeleteBucketLifecycle", "DeleteBucketPolicy", "DeleteBucketReplication", "DeleteBucketTagging", "DeleteBucketWebsite",
}
LOCKLESS = {"GetObjectLegalHold", "GetObjectRetention", "PutObjectLegalHold", "PutObjectRetention"}
ABSENT = {
    "GetBucketCors": "NoSuchCORSConfiguration", "GetBucketEncryption": "ServerSideEncryptionConfigurationNotFoundError", "GetBucketLifecycle": "NoSuchLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "NoSuchLifecycleConfiguration", "GetBucketPolicy": "NoSuchBucketPolicy", "GetBucketPolicyStatus": "NoSuchBucketPolicy", "GetBucketReplication": "ReplicationConfigurationNotFoundError",
    "GetBucketTagging": "NoSuchTagSet", "GetBucketWebsite": "NoSuchWebsiteConfiguration", "GetObjectLockConfiguration": "ObjectLockConfigurationNotFoundError",
    **{f"{verb}Bucket{kind}Configuration": "NoSuchConfiguration" for verb in ("Get", "Delete") for kind in ("Analytics", "IntelligentTiering", "Inventory", "Metrics")},
}


def sample(shape, name=""):
    """The least that botocore takes for a shape."""
    kind = shape.type_name
    if kind == "structure":
        members = {m: sample(shape.members[m], m) for m in shape.required_members}
        if not members and shape.members and getattr(shape, "is_tagged_union", False):
            first = next(iter(shape.members))
            members = {first: sample(shape.members[first], first)}
        return members
    if kind == "list":
        return [sample(shape.member)]
    if kind == "map":
        return {}
    if kind in ("integer", "long"):
        return 1
    if kind == "boolean":
        return True
    if kind == "blob":
        return b"x"
    if kind == "timestamp":
        return datetime.datetime(2030, 1, 1)
    return shape.enum[0] if getattr(shape, "enum", None) else "x" * shape.metadata.get("min", 1)


def test_every_other_operation_is_refused(s3, bucket):
    """All that boto3 knows of S3: what is not done here is never answered with success."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    model, tried = s3.meta.service_model, 0
    from botocore import xform_name

    for name in sorted(set(model.operation_names) - ANSWERED):
        if name in ("WriteGetObjectResponse", "CreateSession", "ListDirectoryBuckets", "SelectObjectContent"):
            continue  # boto3 sends them elsewhere, or cannot parse any error
        params = sample(model.operation_model(name).input_shape)
        params.update({key: value for key, value in (("Bucket", bucket), ("Key", "k")) if key in params})
        call = getattr(s3, xform_name(name))
        tried += 1
        try:
            answer = call(**params)
        except ClientError as error:
            got = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
            assert got == ((ABSENT[name], 404) if name in ABSENT else ("InvalidRequest", 400) if name in LOCKLESS else ("NotImplemented", 501)), (name, got)
        else:
            assert name in CONSTANT, (name, answer)
    assert tried > 60
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket) and s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    for extra in ({"ServerSideEncryption": "AES256"}, {"ServerSideEncryption": "aws:kms"}):
        fails("NotImplemented", 501, s3.put_object, Bucket=bucket, Key="k", Body=b"y", **extra)
    for extra in ({"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": datetime.datetime(2030, 1, 1)}, {"ObjectLockLegalHoldStatus": "ON"}):
        fails("InvalidRequest", 400, s3.put_object, Bucket=bucket, Key="k", Body=b"y", **extra)


def test_store_is_whole(gemel):
    gemel.check_store()
