# SPDX-License-Identifier: Apache-2.0
"""An evaluator of IAM policies, written from AWS's documents and from nothing else.

`parse` turns the text of a policy into a Policy or raises PolicyError; `evaluate` decides a request by the policies
that apply to it. README.md has what the documents leave open and how it is read here."""
import base64
import binascii
import ipaddress
import json
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal

VERSIONS = ("2008-10-17", "2012-10-17")
KINDS = ("identity", "bucket", "boundary", "session")
CAPS = ("boundary", "session")
ELEMENTS = {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
ANY, ONE = object(), object()  # the wildcards * and ? among the pieces of a pattern


class PolicyError(Exception):
    """A policy that cannot be accepted: where in it, and what is wrong there."""

    def __init__(self, place, what):
        super().__init__(f"{place}: {what}")
        self.place = place


class Number(str):
    """A JSON number, as the policy writes it."""


# JSON

def load(text):
    """The JSON value in TEXT. Numbers stay as they are written; keys may not repeat."""
    def members(pairs):
        keys = [key for key, _ in pairs]
        for key in keys:
            if keys.count(key) > 1:
                raise PolicyError("policy", f"the key {key!r} occurs twice in one object")
        return dict(pairs)

    def constant(name):
        raise PolicyError("policy", f"{name} is not JSON")

    try:
        value = json.loads(text, object_pairs_hook=members, parse_int=Number, parse_float=Number, parse_constant=constant)
        json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is no character
    except (ValueError, RecursionError) as wrong:
        raise PolicyError("policy", f"not JSON: {wrong}") from None
    return value


def is_text(value):
    return isinstance(value, str) and not isinstance(value, Number)


def one_or_many(value, place, least=1):
    """[(place, member)] of an element that takes one value or a list of them."""
    if isinstance(value, list):
        if len(value) < least:
            raise PolicyError(place, "an empty list")
        return [(f"{place}[{index}]", member) for index, member in enumerate(value)]
    return [(place, value)]


def texts(value, place):
    found = one_or_many(value, place)
    for where, member in found:
        if not is_text(member):
            raise PolicyError(where, "a string is needed")
    return found


# Patterns: lists of literal strings, ANY, ONE and variables

class Variable:
    def __init__(self, key, default):
        self.key, self.default = key, default


def variable(body, place):
    """What ${BODY} stands for: a literal or a Variable."""
    if body in ("*", "?", "$"):
        return body
    key, comma, default = body.partition(",")
    if not key:
        raise PolicyError(place, "an empty policy variable")
    if " " in key:
        raise PolicyError(place, "a space in the name of a policy variable")
    if not comma:
        return Variable(key, None)
    quoted = re.fullmatch(r" '([^']*)'", default)
    if not quoted:
        raise PolicyError(place, "the default of a policy variable stands in single quotes, after a comma and a space")
    return Variable(key, quoted.group(1))


def pattern(text, place, wildcards, variables):
    """The pieces of TEXT. Without `wildcards` * and ? are literal, without `variables` ${…} is."""
    pieces, at = [], 0
    while at < len(text):
        if variables and text.startswith("${", at):
            end = text.find("}", at)
            if end < 0:
                raise PolicyError(place, "a policy variable without closing brace")
            pieces.append(variable(text[at + 2:end], place))
            at = end + 1
            continue
        char = text[at]
        pieces.append({"*": ANY, "?": ONE}.get(char, char) if wildcards else char)
        at += 1
    return pieces


def resolve(pieces, context):
    """PIECES with the values of their variables, which are literal; None if one has no value."""
    found = []
    for piece in pieces:
        if isinstance(piece, Variable):
            values = context.get(piece.key.lower(), [])
            piece = values[0] if len(values) == 1 else piece.default if not values else None
            if piece is None:
                return None
        found.append(piece)
    return found


def like(pieces, text):
    """Do PIECES match all of TEXT? By the set of places that can be reached in it."""
    places = {0}
    for piece in pieces:
        if not places:
            return False
        if piece is ANY:
            places = set(range(min(places), len(text) + 1))
        elif piece is ONE:
            places = {place + 1 for place in places if place < len(text)}
        else:
            places = {place + len(piece) for place in places if text.startswith(piece, place)}
    return len(text) in places


def split_arn(pieces):
    """The six components of an ARN; a colon inside of a variable separates nothing. None if it has fewer."""
    parts = [[]]
    for piece in pieces:
        if piece == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(piece)
    return parts if len(parts) == 6 else None


def arn_like(pieces, text, context):
    """Each component of the pattern against the one of TEXT."""
    parts, given = split_arn(pieces), text.split(":", 5)
    if parts is None or len(given) != 6:
        return False
    resolved = [resolve(part, context) for part in parts]
    return all(part is not None and like(part, value) for part, value in zip(resolved, given))


# Elements

def action_patterns(value, place):
    found = []
    for where, text in texts(value, place):
        if "${" in text:
            raise PolicyError(where, "policy variables belong into Resource and Condition")
        if text != "*" and not re.fullmatch(r"[A-Za-z0-9*?-]+:[A-Za-z0-9*?]+", text):
            raise PolicyError(where, "an action is * or SERVICE:NAME")
        found.append(pattern(text.lower(), where, True, False))
    return found


def resource_patterns(value, place, variables):
    found = []
    for where, text in texts(value, place):
        pieces = pattern(text, where, True, variables)
        if text != "*":
            parts = split_arn(pieces)
            if parts is None or parts[0] != list("arn"):
                raise PolicyError(where, "a resource is * or arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE")
            if any(isinstance(piece, Variable) for part in parts[:5] for piece in part):
                raise PolicyError(where, "policy variables belong after the fifth colon of an ARN")
            if not parts[2] or ANY in parts[2] or ONE in parts[2]:
                raise PolicyError(where, "the service of an ARN is written in full")
        found.append(pieces)
    return found


PRINCIPAL = re.compile(r"""[0-9]{12} | arn:aws:iam::[0-9]{12}:(root | (user|role)/[^*?]+)
                           | arn:aws:sts::[0-9]{12}:(assumed-role/[^*?/]+/[^*?/]+ | federated-user/[^*?/]+)""", re.VERBOSE)


def principals(value, place):
    """The principals of type AWS that VALUE names, "*" among them; those of other types match nobody here."""
    if value == "*":
        return ["*"]
    if not isinstance(value, dict) or not value:
        raise PolicyError(place, "a principal is * or an object that names some")
    found = []
    for kind, names in value.items():
        if kind not in ("AWS", "Service", "Federated", "CanonicalUser"):
            raise PolicyError(f"{place}.{kind}", "no kind of principal")
        for where, name in texts(names, f"{place}.{kind}"):
            if kind == "AWS" and name != "*" and not PRINCIPAL.fullmatch(name):
                raise PolicyError(where, "not the name of a principal")
            if kind == "AWS":
                found.append(f"arn:aws:iam::{name}:root" if name.isdigit() else name)
    return found


# Conditions

def number(text):
    return Decimal(text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else None


DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d))?)?)?", re.ASCII)


def date(text):
    """Seconds since 1970 of a W3C date (https://www.w3.org/TR/NOTE-datetime), of which a year is one, or of seconds."""
    if re.fullmatch(r"[0-9]{1,3}|[0-9]{5,}", text):
        return Decimal(text)
    found = DATE.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
                          tzinfo=timezone.utc)
    except ValueError:
        return None
    since = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    seconds = Decimal(since.days * 86400 + since.seconds) + Decimal("0" + (fraction or ""))
    if zone and zone != "Z":
        hours, minutes = int(zone[1:3]), int(zone[4:])
        if hours > 23 or minutes > 59:
            return None
        offset = timedelta(hours=hours, minutes=minutes).seconds
        seconds -= -offset if zone[0] == "-" else offset
    return seconds


def boolean(text):
    return {"true": True, "false": False}.get(text.lower())


def network(text):
    if not re.fullmatch(r"[0-9A-Fa-f:.]+(/[0-9]+)?", text):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def address(text):
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def binary(text):
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def inside(net, host):
    return net.version == host.version and host in net


# name → (how the policy's value is read, how the request's is, whether the two match)
TYPED = {
    "NumericEquals": (number, number, lambda ours, theirs: theirs == ours),
    "NumericLessThan": (number, number, lambda ours, theirs: theirs < ours),
    "NumericLessThanEquals": (number, number, lambda ours, theirs: theirs <= ours),
    "NumericGreaterThan": (number, number, lambda ours, theirs: theirs > ours),
    "NumericGreaterThanEquals": (number, number, lambda ours, theirs: theirs >= ours),
    "DateEquals": (date, date, lambda ours, theirs: theirs == ours),
    "DateLessThan": (date, date, lambda ours, theirs: theirs < ours),
    "DateLessThanEquals": (date, date, lambda ours, theirs: theirs <= ours),
    "DateGreaterThan": (date, date, lambda ours, theirs: theirs > ours),
    "DateGreaterThanEquals": (date, date, lambda ours, theirs: theirs >= ours),
    "Bool": (boolean, boolean, lambda ours, theirs: theirs == ours),
    "IpAddress": (network, address, inside),
    "BinaryEquals": (binary, str.encode, lambda ours, theirs: theirs == ours),
}
TEXTUAL = ("StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike")
NEGATED = {
    "StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase", "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals", "DateNotEquals": "DateEquals", "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals", "ArnNotLike": "ArnLike",
}
SETS = ("ForAllValues", "ForAnyValue")


class Condition:
    """One key of one operator: do the values of the request's key satisfy it?"""

    def __init__(self, operator, key, place, variables):
        qualifier, colon, name = operator.rpartition(":")
        self.key = key.lower()
        self.set = qualifier if colon else None
        self.if_exists = name.endswith("IfExists")
        name = name.removesuffix("IfExists")
        self.negated = name in NEGATED
        self.operator = NEGATED.get(name, name)
        self.variables = variables
        self.values = []
        known = self.operator in TYPED or self.operator in TEXTUAL or self.operator == "Null" and not self.if_exists
        if not known or (colon and qualifier not in SETS):
            raise PolicyError(place, "no condition operator")

    def add(self, value, place):
        """Add VALUE, an alternative to the others."""
        if isinstance(value, bool):
            value = "true" if value else "false"
        if not isinstance(value, str):
            raise PolicyError(place, "a condition's value is a string, a number or a boolean")
        if self.operator in TEXTUAL:
            wild = self.operator in ("StringLike", "ArnLike", "ArnEquals")
            self.values.append(pattern(value, place, wild, self.variables))
            return
        read = boolean if self.operator == "Null" else TYPED[self.operator][0]
        read_value = read(value)
        if read_value is None:
            raise PolicyError(place, f"no value for {self.operator}")
        self.values.append(read_value)

    def matches(self, value, context):
        """Does one VALUE of the request match one of ours? (Or none of them, if negated.)"""
        return any(self.one(ours, value, context) for ours in self.values) != self.negated

    def one(self, ours, value, context):
        if self.operator in ("ArnEquals", "ArnLike"):
            return arn_like(ours, value, context)
        if self.operator in TEXTUAL:
            pieces = resolve(ours, context)
            if pieces is None:
                return False
            if self.operator == "StringLike":
                return like(pieces, value)
            literal = "".join(pieces)
            fold = str.lower if self.operator == "StringEqualsIgnoreCase" else str
            return fold(literal) == fold(value)
        _, read, compare = TYPED[self.operator]
        theirs = read(value)
        return theirs is not None and compare(ours, theirs)

    def holds(self, context):
        values = context.get(self.key, [])
        empty = not any(values)  # no value, or nothing but empty strings: "null" in the documents
        if self.operator == "Null":
            return self.set == "ForAllValues" if self.set else any(value == empty for value in self.values)
        if not values and self.if_exists:
            return True
        if self.set == "ForAllValues":
            return empty or all(self.matches(value, context) for value in values)
        if self.set == "ForAnyValue":
            return not empty and any(self.matches(value, context) for value in values)
        return any(self.one(ours, value, context) for ours in self.values for value in values) != self.negated


def conditions(value, place, variables):
    if not isinstance(value, dict):
        raise PolicyError(place, "an object is needed")
    found = []
    for operator, keys in value.items():
        where = f"{place}.{operator}"
        if not isinstance(keys, dict):
            raise PolicyError(where, "an object of condition keys is needed")
        for key, values in keys.items():
            condition = Condition(operator, key, where, variables)
            if not re.fullmatch(r"[A-Za-z0-9-]+:[^*?${}]+", key):
                raise PolicyError(f"{where}.{key}", "a condition key is SERVICE:NAME")
            for at, member in one_or_many(values, f"{where}.{key}", least=0):
                condition.add(member, at)
            found.append(condition)
    return found


# Statements and policies

def either(statement, name, place, needed=True):
    """(the element NAME or its opposite, whether it is the opposite)."""
    opposite = f"Not{name}"
    if name in statement and opposite in statement:
        raise PolicyError(place, f"{name} and {opposite} exclude each other")
    if needed and name not in statement and opposite not in statement:
        raise PolicyError(place, f"{name} or {opposite} is missing")
    negated = opposite in statement
    return (opposite if negated else name), negated


class Statement:
    def __init__(self, value, place, kind, version):
        if not isinstance(value, dict):
            raise PolicyError(place, "a statement is an object")
        for name in value:
            if name not in ELEMENTS:
                raise PolicyError(f"{place}.{name}", "no element of a statement")
        variables = version == "2012-10-17"
        self.sid = value.get("Sid", "")
        if not is_text(self.sid) or kind != "bucket" and not re.fullmatch(r"[A-Za-z0-9]*", self.sid):
            raise PolicyError(f"{place}.Sid", "letters and digits only")
        if value.get("Effect") not in ("Allow", "Deny"):
            raise PolicyError(f"{place}.Effect", "Allow or Deny is needed")
        self.effect = value["Effect"]
        name, self.not_principal = either(value, "Principal", place, kind == "bucket")
        if kind != "bucket" and name in value:
            raise PolicyError(f"{place}.{name}", "only the policy of a bucket names principals")
        if self.not_principal and self.effect == "Allow":
            raise PolicyError(f"{place}.{name}", "it may only deny")
        self.principals = principals(value[name], f"{place}.{name}") if kind == "bucket" else None
        name, self.not_action = either(value, "Action", place)
        self.actions = action_patterns(value[name], f"{place}.{name}")
        name, self.not_resource = either(value, "Resource", place)
        self.resources = resource_patterns(value[name], f"{place}.{name}", variables)
        self.conditions = conditions(value.get("Condition", {}), f"{place}.Condition", variables)

    def names(self, principal):
        """Does the statement hold for PRINCIPAL?"""
        if self.principals is None:
            return True
        arn = principal.get("arn", "")
        if self.not_principal:
            # The account's ARN exempts the account itself, not each user in it; the role's not each session.
            return not {arn, "*"}.intersection(self.principals)
        own = {"*"}
        if principal["type"] != "Anonymous":
            own |= {arn, role_of(arn), f"arn:aws:iam::{principal['account']}:root"}
        return bool(own.intersection(self.principals))

    def applies(self, request, context):
        if not self.names(request["principal"]):
            return False
        action = request["action"].lower()
        if any(like(one, action) for one in self.actions) == self.not_action:
            return False
        resource = request["resource"]
        if any(one == [ANY] or arn_like(one, resource, context) for one in self.resources) == self.not_resource:
            return False
        return all(condition.holds(context) for condition in self.conditions)


class Policy:
    def __init__(self, document, kind):
        if kind not in KINDS:
            raise ValueError(kind)
        if not isinstance(document, dict):
            raise PolicyError("policy", "an object is needed")
        for name in document:
            if name not in ("Version", "Id", "Statement"):
                raise PolicyError(name, "no element of a policy")
        version = document.get("Version", "2008-10-17")
        if version not in VERSIONS:
            raise PolicyError("Version", f"one of {', '.join(VERSIONS)} is needed")
        if not is_text(document.get("Id", "")) or "Id" in document and kind != "bucket":
            raise PolicyError("Id", "a string is needed, and only the policy of a bucket has it")
        listed = one_or_many(document.get("Statement", []), "Statement")
        self.kind = kind
        self.statements = [Statement(value, place, kind, version) for place, value in listed]
        sids = [statement.sid for statement in self.statements if statement.sid]
        if kind != "bucket" and len(set(sids)) < len(sids):
            raise PolicyError("Statement", "two statements with the same Sid")

    def decide(self, request, context):
        effects = {statement.effect for statement in self.statements if statement.applies(request, context)}
        return "deny" if "Deny" in effects else "allow" if effects else "none"


def parse(document, kind):
    """The policy in DOCUMENT, JSON text or a value that `load` made of one."""
    return Policy(load(document) if is_text(document) else document, kind)


# Requests

def role_of(arn):
    """The role's ARN of a session's; None of anything else."""
    found = re.fullmatch(r"arn:aws:sts::(\d*):assumed-role/([^/]+)/.+", arn)
    return f"arn:aws:iam::{found.group(1)}:role/{found.group(2)}" if found else None


def context_of(request):
    """{lower case key: values} of a request, its principal's keys included."""
    context = {key.lower(): list(values) for key, values in request.get("context", {}).items()}
    principal = request["principal"]
    arn, kind = principal.get("arn", ""), principal["type"]
    keys = {
        "aws:username": principal.get("username", "") if kind == "User" else "",
        "aws:userid": principal.get("userid", ""),
        "aws:principalarn": "" if kind == "Anonymous" else role_of(arn) or arn,
        "aws:principaltype": kind,
        "aws:principalaccount": principal.get("account", ""),
    }
    context.update({key: [value] for key, value in keys.items() if value})
    return context


def combine(kinds, decisions):
    """The result of all policies: a Deny ends it, each kind of cap has to allow, and a grant is needed."""
    if "deny" in decisions:
        return "deny"
    allowing = {kind for kind, decision in zip(kinds, decisions) if decision == "allow"}
    if any(kind in CAPS and kind not in allowing for kind in kinds):
        return "capped"
    return "allow" if allowing.difference(CAPS) else "none"


def evaluate(case):
    """The answer to CASE, both as in README.md."""
    policies, errors = [], []
    for entry in case["policies"]:
        try:
            policies.append(parse(entry["document"], entry["kind"]))
            errors.append(None)
        except PolicyError as wrong:
            errors.append(str(wrong))
    if any(errors):
        return {"errors": errors, "decisions": None, "result": None}
    context = context_of(case["request"])
    decisions = [policy.decide(case["request"], context) for policy in policies]
    return {"errors": errors, "decisions": decisions, "result": combine([policy.kind for policy in policies], decisions)}
