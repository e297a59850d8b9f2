# SPDX-License-Identifier: Apache-2.0
"""What S3 answers where nothing is stored, at its limits, and to what is said beside the point: asked with boto3's defaults, and raw where boto3 would not ask."""
import os
from urllib.parse import quote

import pytest

from test_malformed import Wire, code
from test_nfs import python
from test_s3 import fails

CLASSES = ("REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "GLACIER_IR", "DEEP_ARCHIVE")


# ---- locks that are not there


def test_bypass_without_locks(s3, bucket):
    """Suites clean up with it: there is nothing to bypass."""
    for i in range(4):
        s3.put_object(Bucket=bucket, Key=f"k{i}", Body=b"x")
    assert s3.delete_object(Bucket=bucket, Key="k0", BypassGovernanceRetention=True)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.delete_object(Bucket=bucket, Key="k1", BypassGovernanceRetention=True, MFA="20899872 301749")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert len(s3.delete_objects(Bucket=bucket, BypassGovernanceRetention=True, Delete={"Objects": [{"Key": "k2"}, {"Key": "k3"}]})["Deleted"]) == 2
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for call, more in ((s3.get_object_retention, {}), (s3.get_object_legal_hold, {}), (s3.put_object_legal_hold, {"LegalHold": {"Status": "ON"}}),
                       (s3.put_object_retention, {"Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": "2100-01-01"}})):
        assert fails("InvalidRequest", 400, call, Bucket=bucket, Key="k", **more)["Error"]["Message"] == "Bucket is missing Object Lock Configuration"
        fails("NoSuchBucket", 404, call, Bucket="no-such-bucket", Key="k", **more)
    fails("InvalidRequest", 400, s3.put_object, Bucket=bucket, Key="k", Body=b"y", ObjectLockLegalHoldStatus="ON")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


# ---- limits


def test_metadata_up_to_its_sum(gemel, s3, bucket):
    """2 KiB of names and values together; a name may have nearly all of it, and goes over a copy and an upload."""
    name = "n" * 2047
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={name: "v"})
    s3.copy_object(Bucket=bucket, Key="c", CopySource={"Bucket": bucket, "Key": "k"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m", Metadata={name: "v"})["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=b"x")
    s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    for key in ("k", "c", "m"):
        assert s3.head_object(Bucket=bucket, Key=key)["Metadata"] == {name: "v"}, key
    many = {f"n{i:02}": "v" * 61 for i in range(32)}  # 32 * 64
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata=many)
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == many
    for metadata in ({name + "n": "v"}, {**many, "x": ""}, {"a": "v" * 2048}):
        fails("MetadataTooLarge", 400, s3.put_object, Bucket=bucket, Key="k", Body=b"x", Metadata=metadata)
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == many
    for key in ("k", "c", "m"):
        s3.delete_object(Bucket=bucket, Key=key)
    gemel.check_store()


def test_long_names_beside_nfs(gemel, kernel, mounted, s3):
    """What Linux cannot say as an attribute's name is not listed there; it stays with the object, whatever NFS does to the others and to the file."""
    name = "n" * 1000
    s3.put_object(Bucket="demo", Key="long", Body=b"x", Metadata={name: "v", "short": "s"}, Tagging=quote("€" * 128) + "=1&t=2")
    python(kernel, mounted, '''
names = lambda: sorted(n for n in os.listxattr("long") if n.startswith("user."))
assert names() == ["user.s3.meta.short", "user.s3.tag.t"], names()
os.setxattr("long", "user.s3.meta.short", b"changed"); os.setxattr("long", "user.mine", b"1"); os.removexattr("long", "user.s3.tag.t")
os.chmod("long", 0o600); os.rename("long", "moved")
''')
    head = s3.head_object(Bucket="demo", Key="moved")
    assert head["Metadata"] == {name: "v", "short": "changed"} and head["TagCount"] == 1
    kernel.run("rm moved", cwd=mounted)
    gemel.check_store()


def test_header_section(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", CacheControl="c" * 6000)
    assert s3.head_object(Bucket=bucket, Key="k")["CacheControl"] == "c" * 6000
    for headers in ({"CacheControl": "c" * 8192}, {"CacheControl": "c" * 3000, "ContentDisposition": "d" * 3000, "ContentLanguage": "l" * 2500}):
        fails("RequestHeaderSectionTooLarge", 400, s3.put_object, Bucket=bucket, Key="k", Body=b"y", **headers)
        fails("RequestHeaderSectionTooLarge", 400, s3.create_multipart_upload, Bucket=bucket, Key="k", **headers)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


@pytest.mark.parametrize("character,units", [("a", 1), ("é", 1), ("€", 1), ("🍋", 2)])
def test_tags_by_characters(s3, bucket, character, units):
    """Tags are counted as UTF-16 counts ("Categorizing your objects using tags")."""
    key, value = character * (128 // units), character * (256 // units)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    calls = ((lambda tags: s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags}), lambda: s3.get_object_tagging(Bucket=bucket, Key="k")),
             (lambda tags: s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags}), lambda: s3.get_bucket_tagging(Bucket=bucket)))
    for put, get in calls:
        put.__name__ = "put tagging"
        put([{"Key": key, "Value": value}])
        assert get()["TagSet"] == [{"Key": key, "Value": value}]
        for tag in ({"Key": key + character, "Value": ""}, {"Key": "k", "Value": value + character}):
            fails("InvalidTag", 400, put, tags=[tag])
        assert get()["TagSet"] == [{"Key": key, "Value": value}]


# ---- labels and checksums


def test_content_encoding_as_sent(s3, bucket):
    for sent, want in (("deflate, gzip", "deflate, gzip"), ("deflate,gzip", "deflate,gzip"), ("aws-chunked, deflate, gzip", "deflate, gzip")):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentEncoding=sent)  # boto3 adds aws-chunked where it sends a trailer
        assert s3.head_object(Bucket=bucket, Key="k")["ContentEncoding"] == want, sent


def listed_classes(s3, bucket, key):
    attributes = s3.get_object_attributes(Bucket=bucket, Key=key, ObjectAttributes=["StorageClass"])["StorageClass"]
    lists = [s3.list_objects(Bucket=bucket, Prefix=key)["Contents"][0], s3.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"][0], s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"][0]]
    heads = [call(Bucket=bucket, Key=key).get("StorageClass", "STANDARD") for call in (s3.get_object, s3.head_object)]
    return {attributes, *(entry["StorageClass"] for entry in lists), *heads}


def test_storage_classes_are_labels(s3, bucket):
    for label in (*CLASSES, "STANDARD"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"content", StorageClass=label)
        assert listed_classes(s3, bucket, "k") == {label}
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"content"  # at once, whatever the label
        s3.copy_object(Bucket=bucket, Key="c", CopySource={"Bucket": bucket, "Key": "k"})
        assert listed_classes(s3, bucket, "c") == {"STANDARD"}
        s3.copy_object(Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "k"}, StorageClass="GLACIER_IR")
        assert listed_classes(s3, bucket, "k") == {"GLACIER_IR"}
        upload = s3.create_multipart_upload(Bucket=bucket, Key="m", StorageClass=label)["UploadId"]
        part = s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=b"x")
        assert s3.list_parts(Bucket=bucket, Key="m", UploadId=upload)["StorageClass"] == label
        assert s3.list_multipart_uploads(Bucket=bucket)["Uploads"][0]["StorageClass"] == label
        s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
        assert listed_classes(s3, bucket, "m") == {label}
    for label in ("NOPE", "glacier", "OUTPOSTS"):
        fails("InvalidStorageClass", 400, s3.put_object, Bucket=bucket, Key="k", Body=b"x", StorageClass=label)
        fails("InvalidStorageClass", 400, s3.create_multipart_upload, Bucket=bucket, Key="k", StorageClass=label)
        fails("InvalidStorageClass", 400, s3.copy_object, Bucket=bucket, Key="x", CopySource={"Bucket": bucket, "Key": "k"}, StorageClass=label)


def test_checksums_of_uploads(gemel, s3, bucket):
    plain = gemel.s3(signature_version="s3v4", request_checksum_calculation="when_required")
    upload = plain.create_multipart_upload(Bucket=bucket, Key="none")["UploadId"]
    part = plain.upload_part(Bucket=bucket, Key="none", UploadId=upload, PartNumber=1, Body=b"x")
    listed, parts = plain.list_multipart_uploads(Bucket=bucket)["Uploads"][0], plain.list_parts(Bucket=bucket, Key="none", UploadId=upload)
    assert not [name for name in (*listed, *parts, *parts["Parts"][0]) if "Checksum" in name]
    done = plain.complete_multipart_upload(Bucket=bucket, Key="none", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert done["ChecksumType"] == "FULL_OBJECT" and done["ChecksumCRC64NVME"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="crc32", ChecksumAlgorithm="CRC32")["UploadId"]  # as its upload_file does
    bodies = [os.urandom(5 << 20), b"tail"]
    parts = [{"PartNumber": n, **{k: v for k, v in s3.upload_part(Bucket=bucket, Key="crc32", UploadId=upload, PartNumber=n, Body=body).items() if k in ("ETag", "ChecksumCRC32")}} for n, body in enumerate(bodies, 1)]
    assert s3.list_parts(Bucket=bucket, Key="crc32", UploadId=upload)["ChecksumAlgorithm"] == "CRC32"
    s3.complete_multipart_upload(Bucket=bucket, Key="crc32", UploadId=upload, MultipartUpload={"Parts": parts})
    for number, body in enumerate(bodies, 1):
        got = s3.get_object(Bucket=bucket, Key="crc32", PartNumber=number, ChecksumMode="ENABLED")
        assert (got["ChecksumType"], got["ChecksumCRC32"]) == ("COMPOSITE", parts[number - 1]["ChecksumCRC32"]) and got["Body"].read() == body
        assert s3.head_object(Bucket=bucket, Key="crc32", PartNumber=number, ChecksumMode="ENABLED")["ChecksumType"] == "COMPOSITE"


# ---- configuration


def test_absent_configuration(s3, other, bucket):
    for call in (s3.delete_bucket_cors, s3.delete_bucket_lifecycle, s3.delete_bucket_policy, s3.delete_bucket_tagging, s3.delete_bucket_website, s3.delete_bucket_encryption, s3.delete_bucket_replication, s3.delete_public_access_block):
        assert call(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204, call.__name__
        fails("NoSuchBucket", 404, call, Bucket="no-such-bucket")
        fails("AccessDenied", 403, getattr(other, call.__name__), Bucket=bucket)
    for kind in ("analytics", "inventory", "metrics", "intelligent_tiering"):
        answer = getattr(s3, f"list_bucket_{kind}_configurations")(Bucket=bucket)
        assert answer["IsTruncated"] is False and not [name for name in answer if name.endswith("List")]
        fails("NoSuchConfiguration", 404, getattr(s3, f"get_bucket_{kind}_configuration"), Bucket=bucket, Id="x")
        fails("NoSuchConfiguration", 404, getattr(s3, f"delete_bucket_{kind}_configuration"), Bucket=bucket, Id="x")


def test_configuration_as_it_is(s3, bucket):
    payer = lambda value: {"Bucket": bucket, "RequestPaymentConfiguration": {"Payer": value}}
    s3.put_bucket_request_payment(**payer("BucketOwner"))
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    fails("NotImplemented", 501, s3.put_bucket_request_payment, **payer("Requester"))
    fails("NotImplemented", 501, s3.put_bucket_logging, Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "log/"}})
    fails("NotImplemented", 501, s3.put_bucket_notification_configuration, Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [{"QueueArn": "arn:aws:sqs:us-east-1:1:q", "Events": ["s3:ObjectCreated:*"]}]})
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner" and "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)


def test_bucket_tags(fresh):
    """They are durable, go with their bucket, and the store check knows them."""
    s3 = fresh.s3()
    tags = [{"Key": "project", "Value": "gemel"}, {"Key": "name with spaces", "Value": ""}, {"Key": "é", "Value": "€ +-=._:/@"}]
    names = [f"tagged-{i}" for i in range(3)]
    s3.create_bucket(Bucket=names[0])
    fails("NoSuchTagSet", 404, s3.get_bucket_tagging, Bucket=names[0])
    assert s3.put_bucket_tagging(Bucket=names[0], Tagging={"TagSet": tags})["ResponseMetadata"]["HTTPStatusCode"] == 204
    s3.create_bucket(Bucket=names[1], CreateBucketConfiguration={"Tags": tags[:1]})
    s3.create_bucket(Bucket=names[2], CreateBucketConfiguration={"Tags": tags[:1]})
    fails("InvalidTag", 400, s3.create_bucket, Bucket="never-made", CreateBucketConfiguration={"Tags": [{"Key": "aws:x", "Value": ""}]})
    fails("404", 404, s3.head_bucket, Bucket="never-made")
    fails("BadRequest", 400, s3.put_bucket_tagging, Bucket=names[0], Tagging={"TagSet": [{"Key": str(i), "Value": ""} for i in range(51)]})
    s3.put_bucket_tagging(Bucket=names[0], Tagging={"TagSet": [{"Key": str(i), "Value": ""} for i in range(50)]})
    s3.put_bucket_tagging(Bucket=names[0], Tagging={"TagSet": tags})
    s3.delete_bucket(Bucket=names[2])
    s3.create_bucket(Bucket=names[2])
    fails("NoSuchTagSet", 404, s3.get_bucket_tagging, Bucket=names[2])
    fresh.kill_all()
    fresh.start()
    s3 = fresh.s3()
    assert s3.get_bucket_tagging(Bucket=names[0])["TagSet"] == tags and s3.get_bucket_tagging(Bucket=names[1])["TagSet"] == tags[:1]
    fresh.check_store()
    s3.delete_bucket_tagging(Bucket=names[0])
    fails("NoSuchTagSet", 404, s3.get_bucket_tagging, Bucket=names[0])


# ---- parameters


def test_parameters(gemel, s3, bucket):
    """Those that S3 does not know are ignored, unless they look like a subresource that it may have tomorrow."""
    wire = Wire(gemel)
    for query in ("v=2", "cache=1&brand=new", "id=7", "x-id=PutObject"):
        assert wire.send("PUT", f"/{bucket}/k?{query}", b"x")[0] == 200 and wire.send("DELETE", f"/{bucket}/k?{query}")[0] == 204, query
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for query, want in (("brand-new", (501, "NotImplemented")), ("brand-new=", (501, "NotImplemented")), ("policy=1", (405, "MethodNotAllowed")), ("partNumber=1", None)):
        for method in ("PUT", "DELETE"):
            got = code(wire.send(method, f"/{bucket}/k?{query}", b"y" if method == "PUT" else b""))
            assert got == want if want else got[0] in (400, 501), (method, query, got)
    for query in ("uploads", "versions", "uploads=", "versions&prefix=a"):
        assert code(wire.send("GET", f"/{bucket}/k?{query}")) == (400, "InvalidRequest"), query
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_no_operation_falls_through(gemel, s3, bucket):
    """Every subresource in botocore's model of S3, of whatever method: PUT and DELETE with it never are PUT and DELETE of the object or the bucket."""
    wire = Wire(gemel)
    s3.put_object(Bucket=bucket, Key="k", Body=b"kept")
    empty = gemel.new_bucket()
    names = set()
    for operation in s3.meta.service_model.operation_names:
        uri = s3.meta.service_model.operation_model(operation).http["requestUri"]
        names.add(uri.partition("?")[2].partition("&")[0].partition("=")[0])
    assert {"tagging", "uploads", "policy", "restore", "intelligent-tiering"} <= names and len(names) > 30
    for name in sorted(names - {"", "x-id"}):
        for value in ("", "=", "=1"):
            for method in ("PUT", "DELETE"):
                wire.send(method, f"/{bucket}/k?{name}{value}", b"<x/>" if method == "PUT" else b"")
                wire.send(method, f"/{empty}?{name}{value}", b"<x/>" if method == "PUT" else b"")
                assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept", (method, name, value)
                s3.head_bucket(Bucket=empty)


def test_upload_markers(s3, bucket):
    ids = {key: s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in ("a/1", "a/2", "b", "c/1", "c/2", "d")}
    for marker in ("x", "0" * 31, "0" * 33, "g" * 32):
        assert fails("InvalidArgument", 400, s3.list_multipart_uploads, Bucket=bucket, KeyMarker="a/1", UploadIdMarker=marker)["Error"]["ArgumentName"] == "upload-id-marker"
    assert len(s3.list_multipart_uploads(Bucket=bucket, UploadIdMarker="x")["Uploads"]) == 6  # alone it is ignored
    page = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/", MaxUploads=1)
    assert page["NextKeyMarker"] == "a/" and page["NextUploadIdMarker"] == ids["a/1"]
    for size in (1, 2, 3):
        seen = []
        for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}):
            seen += [u["Key"] for u in page.get("Uploads", [])] + [p["Prefix"] for p in page.get("CommonPrefixes", [])]
        assert sorted(seen) == ["a/", "b", "c/", "d"], size
    for key, upload in ids.items():
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)


def test_unknown_elements_are_refused(gemel, s3, bucket):
    """In every document, whatever the element says."""
    wire = Wire(gemel)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    tag = "<Tag><Key>a</Key><Value>b</Value>{}</Tag>"
    for target, body in ((f"/{bucket}/k?tagging", f"<Tagging><TagSet>{tag}</TagSet></Tagging>"), (f"/{bucket}?tagging", f"<Tagging><TagSet>{tag}</TagSet></Tagging>"), (f"/{bucket}/k?tagging", "<Tagging><TagSet/>{}</Tagging>"),
                         (f"/{bucket}?requestPayment", "<RequestPaymentConfiguration><Payer>BucketOwner</Payer>{}</RequestPaymentConfiguration>")):
        assert wire.send("PUT", target, body.format("").encode())[0] in (200, 204), body
        assert code(wire.send("PUT", target, body.format("<More/>").encode())) == (400, "MalformedXML"), body
