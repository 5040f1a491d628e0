"""JSON that parsers read differently. Every file here is signed so that it would verify if it were read in the way that is
feared; so a refusal is due to the reading.

The public suite leaves this out."""
import json

import pytest

import simulator
from simulator import canonical

ROLES = simulator.TOP_LEVEL


def release_value(repository, role, value, canonical_value):
    """A new version of a role, in which the field "x" has the value that is written `value` and signed as
    `canonical_value`."""
    def edit(_):
        signed = {**repository.signed[role], "x": 12345678901}
        form = canonical(signed).replace(b"12345678901", canonical_value)
        text = json.dumps(signed).encode().replace(b"12345678901", value)
        signatures = [key.signature(form) for key in repository.signers[role]]
        return b'{"signatures": %s, "signed": %s}' % (json.dumps(signatures).encode(), text)
    repository.release_edited(role, edit)


def check_refused(client, repository, role):
    assert client.refresh() == 1
    assert client.version(role) == (1 if role == "root" else None)


DEEP = 100_000
BAD_VALUES = {
    "a real": (b"1.5", b"1.5"), "a whole real": (b"1.0", b"1"), "an exponent": (b"1e3", b"1000"), "a capital exponent": (b"1E3", b"1000"),
    "a small real": (b"0.1e1", b"1"), "2^64": (b"18446744073709551616", b"18446744073709551616"),
    "2^64 for 0": (b"18446744073709551616", b"0"), "a huge number": (b"1" * 400, b"1" * 400), "a huge exponent": (b"1e999", b"1e999"),
    "a leading zero": (b"01", b"1"), "a plus": (b"+1", b"1"), "hexadecimal": (b"0x10", b"16"), "no number": (b"NaN", b"NaN"),
    "infinity": (b"Infinity", b"Infinity"), "minus alone": (b"-", b"0"),
    "a NUL": (b'"a\\u0000b"', b'"a\0b"'), "a NUL that ends a text": (b'"a\\u0000b"', b'"a"'), "a raw NUL": (b'"a\0b"', b'"a\0b"'),
    "a NUL in a name": (b'{"a\\u0000b": 1}', b'{"a\0b":1}'), "a NUL in a name that ends it": (b'{"a\\u0000b": 1}', b'{"a":1}'),
    "half a surrogate": (b'"\\ud800"', b'"\xed\xa0\x80"'), "the other half": (b'"\\udc00"', b'"\xed\xb0\x80"'),
    "surrogates swapped": (b'"\\ude00\\ud83d"', b'"\xed\xb8\x80\xed\xa0\xbd"'), "half, then text": (b'"\\ud83dx"', b'"\xed\xa0\xbdx"'),
    "a raw newline": (b'"a\nb"', b'"a\nb"'), "a raw tab": (b'"a\tb"', b'"a\tb"'), "a raw control": (b'"a\x01b"', b'"a\x01b"'),
    "no UTF-8": (b'"\xff"', b'"\xff"'), "overlong": (b'"\xc0\xaf"', b'"/"'), "overlong NUL": (b'"\xc0\x80"', b'"\xc0\x80"'),
    "a surrogate in UTF-8": (b'"\xed\xa0\x80"', b'"\xed\xa0\x80"'), "beyond Unicode": (b'"\xf4\x90\x80\x80"', b'"\xf4\x90\x80\x80"'),
    "cut UTF-8": (b'"\xe2\x82"', b'"\xe2\x82"'), "latin": (b'"\xe4"', '"ä"'.encode()),
    "an unknown escape": (b'"\\x41"', b'"A"'), "a short escape": (b'"\\u41"', b'"A"'), "an open text": (b'"a', b'"a"'),
    "single quotes": (b"'a'", b'"a"'), "a comma too many": (b"[1,]", b"[1]"), "a comma in an object": (b'{"a":1,}', b'{"a":1}'),
    "a comment": (b"/* 2 */1", b"1"), "a line comment": (b"1 // x\n", b"1"), "another case": (b"True", b"true"), "half a word": (b"nul", b"null"),
    "undefined": (b"undefined", b"null"), "a name without quotes": (b"{a: 1}", b'{"a":1}'), "a number for a name": (b"{1: 1}", b'{"1":1}'),
    "a form feed between": (b"\x0c1", b"1"), "a hard space between": (b"\xc2\xa01", b"1"),
    "the same name twice": (b'{"a": 1, "a": 1}', b'{"a":1}'), "a name twice, the last": (b'{"a": 1, "a": 2}', b'{"a":2}'),
    "a name twice, the first": (b'{"a": 1, "a": 2}', b'{"a":1}'), "a name twice, both": (b'{"a": 1, "a": 2}', b'{"a":1,"a":2}'),
    "a name twice, once escaped": (b'{"a": 1, "\\u0061": 2}', b'{"a":2}'),
    "a slash twice, once escaped": (b'{"/": 1, "\\/": 1}', b'{"/":1}'), "an empty name twice": (b'{"": 1, "": 1}', b'{"":1}'),
    "a name twice, non-BMP": ('{"😀": 1, "\\ud83d\\ude00": 2}'.encode(), '{"😀":2}'.encode()),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", BAD_VALUES)
def test_a_value_that_is_read_differently_is_refused(client, repository, role, name):
    release_value(repository, role, *BAD_VALUES[name])
    check_refused(client, repository, role)


@pytest.mark.parametrize("role", ["root", "snapshot", "targets"])
@pytest.mark.parametrize("value", [b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b"[" * DEEP, b'[{"":' * DEEP],
                         ids=["arrays", "objects", "open", "open objects"])
def test_deep_nesting_is_refused(client, repository, role, value):
    if role == "root":
        value = value[:50_000]
    release_value(repository, role, value, value)
    check_refused(client, repository, role)


NESTED = b"[" * 20 + b"]" * 20
GOOD_VALUES = {
    "0": (b"0", b"0"), "negative": (b"-17", b"-17"), "2^53 + 1": (b"9007199254740993", b"9007199254740993"),
    "2^63 - 1": (b"9223372036854775807", b"9223372036854775807"), "-2^63": (b"-9223372036854775808", b"-9223372036854775808"),
    "words": (b"[true, false, null]", b"[true,false,null]"), "empty": (b'[{}, [], ""]', b'[{},[],""]'), "nested": (NESTED, NESTED),
    "spaces": (b' \t\r\n[ 1 \n,\t2 ] ', b"[1,2]"), "escapes": (b'"\\"\\\\\\/\\b\\f\\n\\r\\t"', b'"\\"\\\\/\b\f\n\r\t"'),
    "an escaped letter": (b'"\\u0041\\u00e4"', '"Aä"'.encode()), "controls": (b'"\\u0001\\u001f\\u007f"', b'"\x01\x1f\x7f"'),
    "capital digits": (b'"\\u00E4"', '"ä"'.encode()), "UTF-8": ('"ä€😀"'.encode(), '"ä€😀"'.encode()),
    "surrogates": (b'"\\ud83d\\ude00"', '"😀"'.encode()), "the last character": (b'"\\udbff\\udfff"', b'"\xf4\x8f\xbf\xbf"'),
    "no characters": (b'"\\uffff\\ufffe"', b'"\xef\xbf\xbf\xef\xbf\xbe"'), "a BOM inside": (b'"\\ufeff"', b'"\xef\xbb\xbf"'),
    "two forms of a letter": ('{"é": 1, "e\u0301": 2}'.encode(), '{"e\u0301":2,"é":1}'.encode()),
    "order of non-BMP": ('{"\uffff": 1, "😀": 2, "\ue000": 3}'.encode(), '{"\ue000":3,"\uffff":1,"😀":2}'.encode()),
    "order of escaped non-BMP": (b'{"\\ud83d\\ude00": 2, "\\uff5e": 1}', '{"\uff5e":1,"😀":2}'.encode()),
    "order by what is meant": (b'{"a]": 1, "a\\\\": 2, "a[": 3, "a#": 4, "a\\"": 5, "a!": 6}',
                               b'{"a!":6,"a\\"":5,"a#":4,"a[":3,"a\\\\":2,"a]":1}'),
    "order of beginnings": (b'{"aa": 1, "a": 2, "": 3, "a ": 4, "A": 5}', b'{"":3,"A":5,"a":2,"a ":4,"aa":1}'),
    "order of numbers": (b'{"10": 1, "9": 2, "1": 3}', b'{"1":3,"10":1,"9":2}'),
    "order of controls": (b'{"b": 1, "\\u0001": 2, "\\t": 3, "\\u007f": 4}', b'{"\x01":2,"\t":3,"b":1,"\x7f":4}'),
    "special names": (b'{"__proto__": 1, "constructor": {"a": 1}}', b'{"__proto__":1,"constructor":{"a":1}}'),
    "a long text": (b'"' + b"x" * 10_000 + b'"', b'"' + b"x" * 10_000 + b'"'),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", GOOD_VALUES)
def test_a_value_that_is_unusual_but_clear_is_accepted(client, repository, role, name):
    release_value(repository, role, *GOOD_VALUES[name])
    assert client.refresh() == 0, client.stderr
    assert client.version(role) == 2


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("canonical_value", [
    '{"😀":2,"\uffff":1}'.encode(), b'{"\\ud83d\\ude00":2,"\\uffff":1}', '{"\uffff": 1, "😀": 2}'.encode()],
    ids=["order of UTF-16", "escaped", "with blanks"])
def test_another_form_than_the_canonical_does_not_verify(client, repository, role, canonical_value):
    release_value(repository, role, '{"\uffff": 1, "😀": 2}'.encode(), canonical_value)
    check_refused(client, repository, role)


def twice(name, first=None):
    """The member `name` of the outermost object twice, the second time as it should be."""
    def edit(text):
        value = json.loads(text)[name]
        other = json.dumps(value if first is None else first(value)).encode()
        return b'{"%s": %s,' % (name.encode(), other) + text.lstrip()[1:]
    return edit


def newer(signed):
    return {**signed, "version": signed["version"] + 1}


BAD_FILES = {
    "a BOM": lambda text: b"\xef\xbb\xbf" + text,
    "UTF-16": lambda text: text.decode().encode("utf-16"),
    "a letter behind it": lambda text: text + b"x",
    "a NUL behind it": lambda text: text + b"\0",
    "a NUL and more behind it": lambda text: text + b"\0" + text,
    "itself behind it": lambda text: text + text,
    "a bracket behind it": lambda text: text + b"}",
    "a comma behind it": lambda text: text + b",",
    "a comment behind it": lambda text: text + b"// end",
    "in an array": lambda text: b"[" + text + b"]",
    "in a text": lambda text: json.dumps(text.decode()).encode(),
    "the last byte is missing": lambda text: text.rstrip()[:-1],
    "half": lambda text: text[:len(text) // 2],
    "something before it": lambda text: b";" + text,
    "a prefix against inclusion": lambda text: b")]}',\n" + text,
    "signed twice": twice("signed"), "signed twice, newer first": twice("signed", newer),
    "signatures twice": twice("signatures"), "signatures twice, none first": twice("signatures", lambda _: []),
    "signed twice, once escaped": lambda text: text.replace(b'"signatures"', b'"si\\u0067ned": {}, "signatures"', 1),
    "the version twice": lambda text: text.replace(b'"_type"', b'"version": 99, "_type"', 1),
    "the version twice, once escaped": lambda text: text.replace(b'"_type"', b'"\\u0076ersion": 99, "_type"', 1),
    "the type twice": lambda text: text.replace(b'"_type"', b'"_type": "root", "_type"', 1),
    "a keyid twice in a signature": lambda text: text.replace(b'"keyid"', b'"keyid": "", "keyid"', 1),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_read_differently_is_refused(client, repository, role, name):
    repository.release_edited(role, BAD_FILES[name])
    check_refused(client, repository, role)


GOOD_FILES = {
    "blanks around it": lambda text: b" \r\n\t" + text + b"\n\n ",
    "signed comes first": lambda text: json.dumps(dict(reversed(json.loads(text).items()))).encode(),
    "the names escaped": lambda text: text.replace(b'"signed"', b'"\\u0073igned"').replace(b'"version"', b'"versio\\u006E"'),
    "all members reversed": lambda text: json.dumps(
        {"signed": dict(reversed(json.loads(text)["signed"].items())), "signatures": json.loads(text)["signatures"]}).encode(),
    "in one line": lambda text: json.dumps(json.loads(text), separators=(",", ":")).encode(),
    "a member more": lambda text: b'{"x": {"y": [1]},' + text.lstrip()[1:],
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", GOOD_FILES)
def test_a_file_that_is_unusual_but_clear_is_accepted(client, repository, role, name):
    repository.release_edited(role, GOOD_FILES[name])
    assert client.refresh() == 0, client.stderr
    assert client.bytes(role) == repository.files[repository.path(role)]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("version", [b"2.0", b"2e0", b'"2"', b"18446744073709551618", b"4294967298.0", b"-2", b"null", b"[2]", b"true"], ids=repr)
def test_a_version_that_is_no_integer_is_refused(client, repository, role, version):
    def edit(_):
        signed = {**repository.signed[role], "version": 12345678901}
        form = canonical(signed).replace(b"12345678901", version)
        text = json.dumps(signed).encode().replace(b"12345678901", version)
        signatures = [key.signature(form) for key in repository.signers[role]]
        return b'{"signatures": %s, "signed": %s}' % (json.dumps(signatures).encode(), text)

    repository.release_edited(role, edit)
    check_refused(client, repository, role)


@pytest.mark.parametrize("version", [2 ** 31, 2 ** 32 + 2, 2 ** 53 + 1, 2 ** 63 - 1])
@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_large_versions_are_versions(client, repository, role, version):
    repository.signed[role]["version"] = version - 1
    repository.release_any(role)
    assert client.refresh() == 0, client.stderr
    assert client.version(role) == version
    repository.signed[role]["version"] = 2
    repository.release_any(role)
    assert client.refresh() == 1


def test_the_largest_version_of_a_root_overflows_nothing(make_client, repository):
    repository.root["version"] = 2 ** 63 - 2
    repository.release_root()
    client = make_client(repository, init=False)
    client.init(repository.files[f"metadata/{2 ** 63 - 1}.root.json"])
    client.refresh()
    assert not [path for path in client.server.requests if path.startswith("metadata/-")]


@pytest.mark.parametrize("value", [b"[" + b"[]," * 1_000_000 + b"[]]", b"[" + b"{}," * 1_000_000 + b"{}]", b"[" + b"0," * 2_000_000 + b"0]",
                                   b"{" + b",".join(b'"%d":0' % n for n in range(300_000)) + b"}", b'"' + b"\\u0041" * 700_000 + b'"',
                                   b'["' + b'","' * 1_200_000 + b'"]'],
                         ids=["arrays", "objects", "numbers", "names", "escapes", "texts"])
def test_many_small_things_take_bounded_time_and_memory(client, repository, value):
    repository.targets["version"] += 1
    repository.serve("targets", b'{"signatures": [], "signed": {"_type": "targets", "x": %s}}' % value)
    repository.list_in_snapshot("targets")
    repository.release_snapshot()
    assert client.refresh(timeout=30) == 1
    assert client.peak_mib < 1500


def test_many_names_with_one_hash_value_are_no_trap(client, repository):
    """Names that begin alike, as many as fit."""
    repository.targets["version"] += 1
    names = b",".join(b'"%s%06d":0' % (b"A" * 10, n) for n in range(200_000))
    repository.serve("targets", b'{"signatures": [], "signed": {%s}}' % names)
    repository.list_in_snapshot("targets")
    repository.release_snapshot()
    assert client.refresh(timeout=30) == 1


def test_many_signatures_are_no_trap(client, repository):
    def edit(text):
        document = json.loads(text)
        document["signatures"] = [{"keyid": f"{n:064x}", "sig": "00" * 64} for n in range(20_000)] + document["signatures"]
        return json.dumps(document).encode()

    repository.release_edited("targets", edit)
    status = client.refresh(timeout=30)  # may be too many, but ends soon
    assert client.version("targets") == (2 if status == 0 else None)


def test_many_keys_are_no_trap(client, repository):
    delegations = {"keys": {}, "roles": []}
    for number in range(3000):
        key = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": f"{number:064x}"}}
        delegations["keys"][simulator.digest(canonical(key))] = key
    for number in range(3000):
        delegations["roles"].append({"name": f"role{number}", "keyids": list(delegations["keys"])[:3], "threshold": 1,
                                     "terminating": False, "paths": ["none"]})
    repository.targets["delegations"] = delegations
    repository.release("targets")
    client.download("file", timeout=30)
