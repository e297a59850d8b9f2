# SPDX-License-Identifier: Apache-2.0
"""Random cases for policies: a request, and policies of which each part is likely to be close to what the request asks.

`Generator(seed).case()` returns one as README.md describes it. Condition values, resources and actions are made from
those of the request (equal, a pattern of it, a near miss), so that statements apply about as often as they do not."""
import json
import random
import re

ACCOUNT = "000000000000"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
BUCKETS = ("b", "data", "data-2")
KEYS = ("a", "a/b", "a/bc", "a/b/c.txt", "A/b", "home/ann/x", "home/bob/y", "home/ann", "ann", "team/x/log", "x*y", "q?z", "d$e", "t:1/x",
        "\u00e9t\u00e9/\u00fc", "a//b", "/", "logs/2024/01/02", "a b+c", "\u6587/\U0001f600")
LITERAL_KEYS = ("${aws:username}", "${aws:username}/x", "home/${*}")  # of requests whose policies know no variables
OBJECT_ACTIONS = ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:GetObjectAcl", "s3:PutObject", "s3:PutObjectAcl",
                  "s3:PutObjectTagging", "s3:PutObjectRetention", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload")
BUCKET_ACTIONS = ("s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucket", "s3:CreateBucket")
IAM_ACTIONS = ("iam:CreateAccessKey", "iam:ListAccessKeys", "iam:GetUser", "sts:AssumeRole")
NAMES = ("ann", "bob", "Ann")
ROLES = ("job", "ann")
SESSIONS = ("run1", "run2")

WORDS = ("", "a", "b", "x", "ann", "Ann", "team/x", "a/b", "home/ann/", "red", "RED", "curl/8.1", "https://x.test/?q=*", "$", "gr\u00fcn", "*", "a b")
NUMBERS = ("0", "1", "9", "10", "11", "10.0", "2.5", "2.50", "-1", "1000", "9007199254740992", "9007199254740993", "0.1", "0.10000000000000001", "x", "")
ADDRESSES = ("10.0.0.1", "10.0.1.1", "10.255.0.7", "11.0.0.1", "192.168.7.9", "203.0.113.255", "2001:db8::1", "2001:db8:0:1::5", "fe80::1", "::1", "x")
NETWORKS = ("10.0.0.0/8", "10.0.0.7/16", "10.0.0.0/24", "10.0.0.0/31", "10.0.0.1/32", "0.0.0.0/0", "192.168.0.0/16", "203.0.113.0/24", "2001:db8::/32",
            "2001:DB8::/64", "2001:db8:0:1::/64", "::/0", "::1/128", "fe80::/10")
DATES = ("2024-01-02T03:04:05Z", "2024-01-02T03:04:06Z", "2024-01-02T03:04:05.5Z", "2024-01-02T04:04:05+01:00", "2024-01-01T22:04:05-05:00",
         "2024-01-02", "2024-01", "1704164645", "1704164646", "1704153600", "2024", "1704067200",
         "2024-02-29T00:00:00Z", "2023-12-31T23:59:59Z", "2024-01-02T03:04Z", "x")
# Values that are equal or close to each other.
CLOSE = (("9", "10", "10.0", "11"), ("2.5", "2.50"), ("0.1", "0.10000000000000001"), ("9007199254740992", "9007199254740993"), ("-1", "0", "1"),
         ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05.5Z", "2024-01-02T03:04:06Z", "2024-01-02T04:04:05+01:00", "2024-01-01T22:04:05-05:00",
          "1704164645", "1704164646"), ("2024-01-02", "1704153600"), ("2024-01", "2024", "1704067200"))
TEXT, NUMBER, ADDRESS, DATE, BOOL, ARN = "text", "number", "address", "date", "bool", "arn"
POOLS = {TEXT: WORDS, NUMBER: NUMBERS, ADDRESS: ADDRESSES, DATE: DATES, BOOL: ("true", "false")}

CONTEXT = {
    "aws:SourceIp": ADDRESS, "aws:SecureTransport": BOOL, "aws:CurrentTime": DATE, "aws:EpochTime": DATE, "aws:TokenIssueTime": DATE,
    "aws:MultiFactorAuthPresent": BOOL, "aws:UserAgent": TEXT, "aws:Referer": TEXT, "aws:PrincipalTag/team": TEXT, "aws:PrincipalTag/Cost Center": TEXT,
    "aws:RequestTag/class": TEXT, "aws:ResourceTag/class": TEXT, "s3:prefix": TEXT, "s3:delimiter": TEXT, "s3:max-keys": NUMBER,
    "s3:x-amz-acl": TEXT, "s3:x-amz-grant-read": TEXT, "s3:x-amz-copy-source": TEXT, "s3:x-amz-metadata-directive": TEXT,
    "s3:x-amz-content-sha256": TEXT, "s3:x-amz-server-side-encryption": TEXT, "s3:x-amz-storage-class": TEXT, "s3:ExistingObjectTag/team": TEXT,
    "s3:RequestObjectTag/team": TEXT, "s3:VersionId": TEXT, "s3:authType": TEXT, "s3:signatureversion": TEXT, "s3:signatureAge": NUMBER,
    "s3:TlsVersion": NUMBER, "s3:object-lock-mode": TEXT, "s3:object-lock-retain-until-date": DATE,
    "s3:object-lock-remaining-retention-days": NUMBER, "s3:object-lock-legal-hold": TEXT, "s3:if-match": TEXT, "s3:if-none-match": TEXT,
    "gemel:Door": TEXT, "gemel:NfsSecurity": TEXT,
}
MULTI = {"aws:TagKeys": TEXT, "s3:RequestObjectTagKeys": TEXT}
OWN = {"aws:username": TEXT, "aws:userid": TEXT, "aws:PrincipalArn": ARN, "aws:PrincipalType": TEXT, "aws:PrincipalAccount": TEXT}
TYPES = {**CONTEXT, **MULTI, **OWN}

STRINGS = ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike")
COMPARED = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
OPERATORS = {
    TEXT: STRINGS + ("StringLike", "StringNotLike", "BinaryEquals"), NUMBER: tuple("Numeric" + name for name in COMPARED),
    DATE: tuple("Date" + name for name in COMPARED), BOOL: ("Bool",), ADDRESS: ("IpAddress", "NotIpAddress"),
    ARN: ("ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike") + STRINGS,
}
ALL_OPERATORS = sorted({name for names in OPERATORS.values() for name in names})


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    def pick(self, choices):
        return self.random.choice(choices)

    def some(self, most, make):
        """1 to MOST of what MAKE makes; mostly one, and then often without a list around it."""
        found = [make() for _ in range(1 + self.random.randrange(most) * self.chance(0.5))]
        return found[0] if len(found) == 1 and self.chance(0.5) else found

    # The request

    def principal(self):
        kind = self.random.choices(("User", "AssumedRole", "Account", "Anonymous"), (60, 25, 5, 10))[0]
        found = {"type": kind, "arn": "", "userid": "anonymous", "username": "", "account": "anonymous"}
        if kind == "User":
            name = self.pick(NAMES)
            found.update(arn=f"arn:aws:iam::{ACCOUNT}:user/{name}", userid=f"AIDA{name}", username=name)
        elif kind == "AssumedRole":
            role, session = self.pick(ROLES), self.pick(SESSIONS)
            found.update(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}", userid=f"AROA{role}:{session}")
        elif kind == "Account":
            found.update(arn=ROOT, userid=ACCOUNT)
        if kind != "Anonymous":
            found["account"] = ACCOUNT
        return found

    def request(self, old):
        kind = self.random.choices(("object", "bucket", "iam"), (75, 20, 5))[0]
        bucket = f"arn:aws:s3:::{self.pick(BUCKETS)}"
        keys = KEYS + LITERAL_KEYS if old else KEYS
        action, resource = {
            "object": (self.pick(OBJECT_ACTIONS), f"{bucket}/{self.pick(keys)}"),
            "bucket": (self.pick(BUCKET_ACTIONS), bucket),
            "iam": (self.pick(IAM_ACTIONS), f"arn:aws:iam::{ACCOUNT}:user/{self.pick(NAMES)}"),
        }[kind]
        context = {}
        for key, kind in CONTEXT.items():
            if self.chance(0.3):
                context[self.cased(key) if self.chance(0.1) else key] = [self.pick(POOLS[kind])]
        for key in MULTI:
            if self.chance(0.6):
                context[key] = [self.pick(WORDS) for _ in range(self.pick((0, 1, 1, 2, 2, 3)))]
        return {"principal": self.principal(), "action": action, "resource": resource, "context": context}

    def cased(self, text):
        return "".join(self.pick((char.lower(), char.upper())) if char.isascii() else char for char in text)

    # Patterns

    def near(self, text):
        """TEXT with a small fault."""
        at = self.random.randrange(len(text) + 1)
        return self.pick((text[:at] + "z" + text[at:], text[:at] + text[at + 1:], text.swapcase(), text + "/", "z" + text[1:]))

    def glob(self, text):
        """A pattern that mostly matches TEXT."""
        start = self.random.randrange(len(text) + 1)
        end = self.random.randrange(start, len(text) + 1)
        found = self.random.choices((
            text, text[:start] + "*", "*" + text[start:], text[:start] + "*" + text[end:], text[:start] + "?" + text[start + 1:],
            text[:start] + "?" * (end - start) + text[end:], text[:start] + "*" + text[start:end] + "*" + text[end:], "*", self.near(text)),
            (25, 15, 8, 15, 10, 5, 8, 8, 10))[0]
        return self.near(found) if self.chance(0.05) else found

    def variable_in(self, text, request):
        """TEXT with a variable in place of a part, or with one more."""
        at = self.random.randrange(len(text) + 1)
        end = self.random.randrange(at, len(text) + 1)
        values = [(key, values[0]) for key, values in request["context"].items() if len(values) == 1 and values[0] and " " not in key]
        principal = request["principal"]
        values += [(key, value) for key in MULTI for value in request["context"].get(key, []) if len(request["context"][key]) > 1 and value]
        values += [("aws:username", principal["username"])] * 3 * bool(principal["username"])
        values += [("aws:userid", principal["userid"]), ("aws:PrincipalAccount", principal["account"])]
        within = [(key, value) for key, value in values if value in text]
        roll = self.random.random()
        if within and roll < 0.6:
            key, value = self.pick(within)
            default = self.pick(("", ", 'other'"))
            key = self.cased(key) if self.chance(0.2) else key
            return text.replace(value, "${" + key + default + "}", 1)
        literal = {"*": "${*}", "?": "${?}", "$": "${$}"}
        if roll < 0.75 and any(char in text for char in literal):
            char = self.pick([char for char in literal if char in text])
            return text.replace(char, literal[char], 1)
        middle = text[at:end]
        if roll < 0.9 and not set("'{}*?") & set(middle):
            return text[:at] + "${aws:PrincipalTag/none, '" + middle + "'}" + text[end:]
        other = self.pick(("aws:PrincipalTag/none", "s3:VersionId", "aws:username", self.pick(values)[0]))
        return text[:at] + "${" + other + "}" + text[end:]

    def templated(self, text, request, old):
        """A pattern of TEXT; the variables of policies that know them."""
        if self.chance(0.3) and not old:
            return self.variable_in(self.glob(text) if self.chance(0.3) else text, request)
        return self.glob(text)

    # Statements

    def actions(self, request, bucket):
        def one():
            if self.chance(0.15):
                return self.pick(("*", "s3:*", "s3:*" if bucket else "iam:*"))
            asked = request["action"] if self.chance(0.8) else self.pick(OBJECT_ACTIONS)
            service, name = (self.pick(OBJECT_ACTIONS) if bucket and asked in IAM_ACTIONS else asked).split(":")
            made = self.glob(name).replace("/", "") or "*"
            if bucket and not self.is_known(made):
                made = name
            found = f"{service}:{made}"
            return self.cased(found) if self.chance(0.2) else found
        return self.some(3, one)

    @staticmethod
    def is_known(glob):
        """Does a pattern match an action on objects or buckets? The policy of a bucket may name no others."""
        glob = re.compile(re.escape(glob).replace(r"\*", ".*").replace(r"\?", "."))
        return any(glob.fullmatch(action.partition(":")[2]) for action in OBJECT_ACTIONS + BUCKET_ACTIONS)

    def resources(self, request, old, bucket):
        def one():
            if self.chance(0.1):
                return "*"
            *head, last = request["resource"].split(":", 5)
            if self.chance(0.15):
                last = f"{self.pick(BUCKETS)}/{self.pick(KEYS)}"
            if self.chance(0.1):
                at = self.random.randrange(3, 5)
                head[at] = self.pick(("*", "", head[at], "?*", "eu"))
            return ":".join([*head, self.templated(last, request, old)])
        found = self.some(3, one)
        if bucket:  # each action has to have a resource it can be done to
            found = (found if isinstance(found, list) else [found]) + ["arn:aws:s3:::zz", "arn:aws:s3:::zz/*"]
        return found

    def principals(self, request, negated):
        """The value of Principal or NotPrincipal; the latter names with somebody all that he is part of."""
        if not negated and self.chance(0.25):
            return self.pick(("*", {"AWS": "*"}))
        named = []
        for _ in range(self.random.randrange(1, 3)):
            own = self.chance(0.5) and request["principal"]["arn"]
            user = f"arn:aws:iam::{ACCOUNT}:user/{self.pick(NAMES)}"
            role, session = self.pick(ROLES), self.pick(SESSIONS)
            if own and ":assumed-role/" in own:
                role, session = own.split("/")[1:]
            elif own and own != ROOT:
                user = own
            lineage = self.pick(([user, ROOT], [f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}", f"arn:aws:iam::{ACCOUNT}:role/{role}", ROOT],
                                 [self.pick((ACCOUNT, ROOT))], ["111122223333"]))
            named += lineage if negated else lineage[:2] if self.chance(0.1) else [self.pick(lineage)]
        self.random.shuffle(named)
        found = {"AWS": named[0] if len(named) == 1 and self.chance(0.5) else named}
        if self.chance(0.05):
            found["Service"] = "ecs.amazonaws.com"
        return found

    def value(self, kind, operator, request, given, old):
        """A value for OPERATOR, close to GIVEN, the request's."""
        if operator == "BinaryEquals":
            return self.pick(("YQ==", "YW5u", "", "eA=="))
        if operator.startswith("String") or operator.startswith("Arn"):
            text = given if given is not None and self.chance(0.8) else self.pick(WORDS)
            if operator.startswith("Arn"):
                return self.arn(text if text.count(":") >= 5 else f"arn:aws:iam::{ACCOUNT}:user/ann", request, old)
            text = self.templated(text, request, old) if self.chance(0.7) else text
            return int(text) if text in ("1", "9", "10") and self.chance(0.5) else text
        if operator.startswith("Numeric"):
            text = self.close(given, NUMBERS[:-2])
            return json.loads(text) if len(text) < 9 and self.chance(0.4) else text
        if operator.startswith("Date"):
            return self.close(given, DATES[:-1])
        if operator == "Bool":
            return self.pick(("true", "false", True, False))
        return given if kind == ADDRESS and given not in (None, "x") and self.chance(0.2) else self.pick(NETWORKS)

    def close(self, given, pool):
        """One of POOL, mostly equal or close to GIVEN."""
        near = [one for group in CLOSE if given in group for one in group if one in pool] or [given if given in pool else pool[0]]
        return self.pick(near) if self.chance(0.7) else self.pick(pool)

    def arn(self, text, request, old):
        parts = text.split(":", 5)
        for at in range(1, 6):
            if self.chance(0.4):
                parts[at] = self.templated(parts[at], request, old)
        if sum(self.colons(part) for part in parts[:5]):
            return text  # a fault put a colon into a component
        return ":".join(parts)

    @staticmethod
    def colons(part):
        outside, _, rest = part.partition("${")
        while rest:
            rest = rest.partition("}")[2]
            more, _, rest = rest.partition("${")
            outside += more
        return outside.count(":")

    def condition(self, request, old):
        """(operator, key, value or values)"""
        known = {key.lower() for key in request["context"]}
        present = [key for key in TYPES if key.lower() in known or key in OWN]
        key = self.pick(present) if self.chance(0.8) else self.pick(sorted(TYPES))
        kind = TYPES[key]
        values = self.values_of(key, request)
        written = self.cased(key) if self.chance(0.1) else key
        qualifier = self.pick(("ForAllValues:", "ForAnyValue:")) if self.chance(0.85 if key in MULTI else 0.12) else ""
        if self.chance(0.1):
            qualifier = qualifier if self.chance(0.1) else ""
            return f"{qualifier}Null", written, self.pick(("true", "false", True, False, ["true"], ["true", "false"]))
        operator = self.pick(OPERATORS[kind]) if self.chance(0.9) else self.pick(ALL_OPERATORS)
        found = self.some(3, lambda: self.value(kind, operator, request, self.pick(values) if values else None, old))
        found = [] if self.chance(0.02) else found
        return qualifier + operator + "IfExists" * self.chance(0.2), written, found

    @staticmethod
    def values_of(key, request):
        principal = request["principal"]
        own = {"aws:username": principal["username"], "aws:userid": principal["userid"], "aws:PrincipalArn": principal["arn"],
               "aws:PrincipalType": principal["type"], "aws:PrincipalAccount": principal["account"]}
        if key in own:
            return [own[key]]
        return next((values for given, values in request["context"].items() if given.lower() == key.lower()), [])

    def statement(self, kind, request, old, number):
        cap = kind in ("boundary", "session")
        found = {"Effect": "Deny" if self.chance(0.1 if cap else 0.25) else "Allow"}
        if self.chance(0.2):
            found["Sid"] = self.pick(("one", "two words")) if kind == "bucket" else f"s{number}"
        broad = found["Effect"] == "Allow" and self.chance(0.5 if cap else 0.15)
        name = "NotAction" if self.chance(0.12) else "Action"
        found[name] = "*" if broad and name == "Action" else self.actions(request, kind == "bucket")
        name = "NotResource" if self.chance(0.12) else "Resource"
        found[name] = "*" if broad and name == "Resource" else self.resources(request, old, kind == "bucket")
        if kind == "bucket":
            name = "NotPrincipal" if found["Effect"] == "Deny" and self.chance(0.4) else "Principal"
            found[name] = self.principals(request, name == "NotPrincipal")
        if self.chance(0.55):
            block = found["Condition"] = {}
            for _ in range(self.pick((1, 1, 1, 2, 3))):
                operator, key, value = self.condition(request, old)
                keys = block.setdefault(operator, {})
                if key.lower() not in [other.lower() for other in keys]:
                    keys[key] = value
        items = list(found.items())
        self.random.shuffle(items)
        return dict(items)

    def policy(self, kind, request, old):
        statements = [self.statement(kind, request, old, number) for number in range(self.pick((1, 1, 1, 2, 2, 3)))]
        found = {"Statement": statements[0] if len(statements) == 1 and self.chance(0.5) else statements}
        if not old or self.chance(0.5):
            found = {"Version": "2008-10-17" if old else "2012-10-17", **found}
        if kind == "bucket" and self.chance(0.2):
            found["Id"] = "a policy"
        return found

    # Cases

    def written(self, document):
        """DOCUMENT as it is put into the case: itself, or JSON text."""
        if self.chance(0.8):
            return document
        return json.dumps(document, ensure_ascii=self.chance(0.5), indent=self.pick((None, 1, "\t")))

    def case(self):
        old = self.chance(0.1)
        request = self.request(old)
        kinds = ["identity"] * self.pick((0, 1, 1, 1, 2)) + ["bucket"] * self.chance(0.5) + ["boundary"] * self.chance(0.25)
        kinds += ["session"] * self.pick((0, 0, 0, 1, 1, 2))
        self.random.shuffle(kinds)
        policies = [{"kind": kind, "document": self.policy(kind, request, old)} for kind in kinds]
        if policies and self.chance(0.12):
            entry = self.pick(policies)
            entry["document"] = self.spoiled(entry["document"], entry["kind"])
        for entry in policies:
            if isinstance(entry["document"], dict):
                entry["document"] = self.written(entry["document"])
        return {"policies": policies, "request": request}

    # Policies that have to be refused

    def spoiled(self, document, kind):
        """DOCUMENT with one fault that makes it unacceptable."""
        listed = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
        statement = self.pick(listed)
        faults = [name for name in dir(self) if name.startswith("spoil_")]
        changed = getattr(self, self.pick(faults))(document, statement, kind)
        return document if changed is None else changed

    def spoil_text(self, document, statement, kind):
        text = json.dumps(document)
        return self.pick((text[:-1], text[:self.random.randrange(len(text))], text + "x", text.replace(":", " ", 1), text[:-1] + ",}", "", "[]",
                          "null", '"x"', text.replace('"Effect"', '"Effect": "Allow", "Effect"', 1), text[:-1] + ', "Id": NaN}',
                          text[:-1] + ', "Statement": []}', "[" * 5000 + "]" * 5000, text[:-1] + ', "Id": "\\ud800"}', "\ufeff" + text))

    def spoil_policy(self, document, statement, kind):
        key, value = self.pick((("Version", "2012-10-18"), ("Version", 2012), ("Version", None), ("Statement", []), ("Statement", "x"),
                                ("Statement", None), ("Id", 5), ("Id", "x" if kind != "bucket" else []), ("Other", "x"), ("statement", []), ("Effect", "Allow")))
        document[key] = value

    def spoil_statement(self, document, statement, kind):
        name = self.pick(("Effect", "Action", "Resource"))
        statement.pop(name, None)
        statement.pop("Not" + name, None)

    def spoil_element(self, document, statement, kind):
        name, value = self.pick((("Effect", "allow"), ("Effect", "ALLOW"), ("Effect", ["Allow"]), ("effect", "Allow"), ("Other", "x"), ("Sid", 5),
                                 ("Condition", "x"), ("Condition", []), ("Condition", {"StringEquals": "x"})))
        statement[name] = value

    def spoil_action(self, document, statement, kind):
        statement.pop("NotAction", None)
        statement["Action"] = self.pick((5, None, {}, [[]], ["s3:*", None], "GetObject", ["*", "s3.GetObject"], "s3:Get Object", ":GetObject", "s3:", ""))

    def spoil_resource(self, document, statement, kind):
        statement.pop("NotResource", None)
        statement["Resource"] = self.pick((5, None, {}, [[]], ["*", 5], "b/k", "arn:aws:s3", "arn:aws:s3:::b".replace(":", "/"), "ARN:aws:s3:::b", "",
                                            "arn:aws::::b", "arn:aws:s?:::b", "arn:aws:*:::b"))

    def spoil_pair(self, document, statement, kind):
        name = self.pick(("Action", "Resource"))
        statement[name] = statement["Not" + name] = "*"

    def spoil_principal(self, document, statement, kind):
        if kind != "bucket":
            statement[self.pick(("Principal", "NotPrincipal"))] = self.pick(("*", {"AWS": ROOT}))
        elif self.chance(0.3):
            statement.pop("Principal", None)
            statement.pop("NotPrincipal", None)
        elif self.chance(0.2):
            statement["Principal"] = statement["NotPrincipal"] = "*"
        elif self.chance(0.2):
            statement.pop("Principal", None)
            statement.update(Effect="Allow", NotPrincipal={"AWS": ROOT})
        else:
            statement.pop("NotPrincipal", None)
            part = self.pick((f"arn:aws:iam::{ACCOUNT}:user/*", f"arn:aws:iam::{ACCOUNT}:user/a?n", "arn:aws:iam::*:root", "ann", "", "00000000000",
                              f"arn:aws:sts::{ACCOUNT}:assumed-role/job/*"))
            statement["Principal"] = self.pick((part, {"AWS": part}, {"AWS": [ROOT, part]}, {"User": "ann"}, [ROOT], 5, {"AWS": 5}))

    def spoil_sid(self, document, statement, kind):
        if kind == "bucket":  # which may have any, and the same twice
            statement["Sid"] = self.pick((5, [], None))
        elif self.chance(0.5):
            statement["Sid"] = self.pick(("a b", "a-b", "\u00e9"))
        else:
            statement["Sid"] = "same"
            document["Statement"] = [statement, {**statement, "Effect": "Deny"}]

    def spoil_operator(self, document, statement, kind):
        operator = self.pick(("StringEqual", "String", "NullIfExists", "Equals", "ForEach:StringEquals", "ForAllValues:", "ForAllValues", "",
                              "ForAllValues:ForAnyValue:StringEquals", "IfExists", "StringEqualsIfExistsIfExists", "BoolNotEquals", "NumericLike"))
        statement.setdefault("Condition", {})[operator] = {"aws:username": "true"}

    def spoil_value(self, document, statement, kind):
        operator, value = self.pick((
            ("StringEquals", None), ("StringEquals", {}), ("StringEquals", [[]]), ("StringLike", ["a", None]), ("NumericEquals", "ten"), ("NumericEquals", "1O"),
            ("NumericEquals", ""), ("NumericLessThan", "${aws:username}"), ("DateEquals", "today"), ("DateEquals", "2024-02-30"), ("DateEquals", "2024-13"),
            ("DateLessThan", "2024-01-02T25:00:00Z"), ("DateLessThan", "2024-01-02T03:04:05"), ("Bool", "yes"), ("Bool", ""), ("Bool", 1), ("Null", "x"),
            ("IpAddress", "10.0.0.0/33"), ("IpAddress", "10.0.0"), ("IpAddress", "10.0.0.256"), ("IpAddress", "10.0.0.0/"), ("NotIpAddress", "2001:db8::/129"),
            ("IpAddress", "2001:db8:::1"), ("IpAddress", "x"), ("BinaryEquals", "?"), ("BinaryEquals", "YQ=")))
        statement["Condition"] = {operator: {"aws:username": value}}

    def spoil_key(self, document, statement, kind):
        statement["Condition"] = {"StringEquals": {self.pick(("username", "", ":", "aws:", ":x")): "x"}}

    def spoil_variable(self, document, statement, kind):
        text = self.pick(("${aws:username", "${}", "${aws: username}", "${aws:username, none}", "${aws:username,'none'}", "${aws:username, 'none}"))
        document["Version"] = "2012-10-17"
        statement.pop("NotResource", None)
        statement["Resource"] = f"arn:aws:s3:::b/{text}"
        if self.chance(0.4):
            statement["Resource"] = "*"
            statement["Condition"] = {self.pick(("StringEquals", "StringLike", "ForAnyValue:StringNotEquals")): {"s3:prefix": text}}
