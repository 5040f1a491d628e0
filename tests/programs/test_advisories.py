"""What suture-publish writes for people and scanners: OSV, CSAF, a page and a feed of each baseline.

CSAF is held against its own schema and the specification's tests, by a validator from npm that shares no line with ours. No
package has the OSV schema: docs/schema/advisory-osv.json is ours, taken field by field from the specification 1.7, and stricter,
as it has only what we write; it leaves open what the published one closes, the prefixes of ids and the names of ecosystems that
are registered there.
"""
import html.parser
import json
import os
import re
import subprocess
import xml.etree.ElementTree as xml

import pytest

import schema
import support
from test_signing import company, people, sign_root  # noqa: F401

ATOM = "{http://www.w3.org/2005/Atom}"
URL = "https://updates.example/os"
CONFIG = f"[Publisher]\nName=Example OS\nUrl={URL}/\nContact=security@os.example\n"
HOSTILE = "</h4><script>alert(1)</script>\u202egnp\u2066\x07\x9b & \"'"
FIXES = """# what we know
[CVE-2030-0001]
Title=Too long a name
Severity=critical
Impact=Whoever sends a certificate may run code as the service that reads it.
Credit=Zoë of <Example> & Sons
Advisory=https://advisories.example/1?a=b&c=d
[TEMP-7]
Severity=low
"""


class Advised:
    """A publisher with advisories, and what they say."""

    def __init__(self, publisher, config=CONFIG):
        self.publisher, self.top = publisher, publisher.public / "advisories"
        support.write(publisher.path / "advisories.conf", config)

    def __call__(self, *arguments, **options):
        return self.publisher(*arguments, **options)

    def write(self):
        return json.loads(self("advisories", "--json").stdout)

    @property
    def baseline(self):
        path, = (path for path in self.top.iterdir() if path.is_dir())
        return path

    def json(self, kind, level):
        path, = self.baseline.glob(f"{kind}/*-{level}.json")
        return json.loads(path.read_text())

    def osv(self, level="a"):
        document = self.json("osv", level)
        schema.check("advisory-osv", document)
        return document

    def csaf(self, level="a"):
        return self.json("csaf", level)

    def page(self):
        return Page((self.baseline / "index.html").read_text())

    def feed(self):
        return xml.parse(self.baseline / "feed.atom").getroot()

    def files(self):
        return {str(path.relative_to(self.top)): (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns)
                for path in self.top.rglob("*") if path.is_file()}


class Page(html.parser.HTMLParser):
    VOID = ("meta", "link")

    def __init__(self, source):
        super().__init__()
        self.source, self.tags, self.ids, self.open, self.words = source, [], {}, [], []
        self.feed(source)
        self.close()
        assert not self.open, f"never closed: {self.open}"
        self.text = " ".join("".join(self.words).split())  # no-break spaces are spaces, too

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        for name, value in attrs:
            if name == "id":
                assert value not in self.ids, f"the id {value} stands twice"
                self.ids[value] = tag
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def links(self):
        return [attributes["href"] for tag, attributes in self.tags if tag in ("a", "link")]


@pytest.fixture(scope="session")
def known_shop(scratch, trees):
    """Level (a) with all that can be known of its fixes."""
    publisher = support.Publisher(scratch / "known-shop", trees).start()
    support.write(scratch / "fixes", FIXES)
    publisher.build("a", "--fixes", scratch / "fixes")
    publisher("release")
    return publisher


@pytest.fixture
def advised(known_shop, work):
    support.run("cp", "-a", known_shop.path, work / "known-shop")
    advised = Advised(support.Publisher(work / "known-shop", known_shop.trees))
    advised.write()
    return advised


@pytest.fixture(scope="session")
def csaf_validator():
    done = subprocess.run([support.SOURCE / "tests/programs/csaf/install.sh"], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        pytest.skip(f"NOT TESTED: the CSAF validator cannot be had: {done.stderr.strip()}")

    def check(*paths):
        environment = {**os.environ, "NODE_OPTIONS": "--no-warnings"}
        said = support.run("node", f"{done.stdout.strip()}/validate.js", *paths, env=environment, timeout=120).stdout
        results = json.loads(said)
        assert len(results) == len(paths) and all(result["tests"] >= 60 for result in results.values())
        return results
    return check


def times(level):
    return level["rollout"][0]["from"], (level["recall"] or {}).get("at")


def channel(publisher):
    path = max(publisher.public.glob("targets/*/*.channel.json"), key=lambda path: path.stat().st_mtime_ns)
    return json.loads(path.read_text())


# What is known of a fix


def test_the_fixes_file(known_shop):
    fixes = {fix["id"]: fix for component in known_shop.manifest()["components"] for fix in component["fixes"]}
    assert fixes["CVE-2030-0001"] == {
        "id": "CVE-2030-0001", "title": "Too long a name", "severity": "critical", "credit": "Zoë of <Example> & Sons",
        "impact": "Whoever sends a certificate may run code as the service that reads it.",
        "url": "https://advisories.example/1?a=b&c=d"}
    assert fixes["TEMP-7"] == {"id": "TEMP-7", "title": None, "severity": "low"}


def test_a_device_shows_it(known_shop, work):
    support.run("cp", "-a", known_shop.trees / "baseline", work / "known")
    device = support.Device(work / "known", known_shop.public.as_uri()).trust(known_shop)
    device("check")
    fix = device("status")["offer"]["components"][0]["fixes"][0]
    assert fix["credit"] == "Zoë of <Example> & Sons" and fix["impact"].startswith("Whoever sends")


@pytest.mark.parametrize("text, message", [
    ("Title=x\n", ":1: neither a section nor"),
    ("[CVE-1]\nTitel=x\n", ":2: unknown key 'Titel'"),
    ("[CVE/1]\n", ":1: 'CVE/1' is not an identifier"),
    ("[CVE-1]\nSeverity=grave\n", ":2: Severity= takes low, moderate, high or critical"),
    ("[CVE-1]\nTitle=\n", ":2: Title= takes a line of text"),
    ("[CVE-1]\n\nImpact=" + 1025 * "x" + "\n", ":3: Impact= takes a line of text of at most 1024 bytes"),
    ("[CVE-1]\nCredit=" + 257 * "x" + "\n", ":2: Credit= takes a line of text of at most 256 bytes"),
    ("[CVE-1]\nCredit=a\x1b[31m\n", ":2: Credit= takes a line of text"),
    ("[CVE-1]\nAdvisory=http://e.example/\n", ":2: Advisory= takes an https URL"),
], ids=["no section", "key", "id", "severity", "empty", "long", "long credit", "control", "url"])
def test_fixes_files_that_are_none(own_shop, work, text, message):
    support.write(work / "wrong", text)
    done = own_shop.build("b", "--fixes", work / "wrong", check=False)
    assert done.returncode == 22 and f"{work}/wrong{message}" in done.stderr, done.stderr
    assert not list(own_shop.path.glob("drafts/*/manifest.json"))


# The documents


def test_osv(advised):
    document = advised.osv()
    baseline = advised.baseline.name
    released, _ = times(channel(advised.publisher)["levels"][0])
    assert document["id"] == f"SUTURE-{baseline}-a" and (advised.baseline / f"osv/{document['id']}.json").exists()
    assert document["upstream"] == ["CVE-2030-0001", "TEMP-7"] and "aliases" not in document
    assert document["published"] == document["modified"] == released and "withdrawn" not in document
    affected, = document["affected"]
    assert affected["package"] == {"ecosystem": f"Suture:{baseline}", "name": "fix"}
    assert affected["ranges"] == [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}]
    assert affected["versions"] == ["1"] and affected["database_specific"]["level"] == "a"
    assert document["credits"] == [{"name": "Zoë of <Example> & Sons", "type": "REPORTER"}]
    assert [reference["url"] for reference in document["references"]] == [
        f"{URL}/advisories/{baseline}/index.html#level-a", "https://advisories.example/1?a=b&c=d"]
    assert r"Zoë" not in document["details"] and "CVE-2030-0001 in fix: Too long a name" in document["details"]


def test_registered_names(known_shop, work):
    """With a registered prefix and ecosystem, the documents are what public databases take in."""
    support.run("cp", "-a", known_shop.path, work / "registered")
    publisher = support.Publisher(work / "registered", known_shop.trees)
    baseline = next(publisher.path.glob("baselines/*.json")).stem
    advised = Advised(publisher, CONFIG + f"Prefix=OSV\n[{baseline}]\nEcosystem=Debian:12\n[other]\nEcosystem=Debian:13\n")
    advised.write()
    document = advised.osv()
    assert document["id"].startswith("OSV-") and document["affected"][0]["package"]["ecosystem"] == "Debian:12"
    assert advised.csaf()["document"]["tracking"]["id"] == document["id"]


def test_csaf(advised):
    document = advised.csaf()
    baseline = advised.baseline.name
    head = document["document"]
    assert head["category"] == "csaf_vex" and head["aggregate_severity"] == {"text": "critical"}
    assert head["publisher"] == {"category": "vendor", "name": "Example OS", "namespace": URL,
                                 "contact_details": "security@os.example"}
    assert head["tracking"]["status"] == "final" and head["tracking"]["version"] == "1"
    assert (advised.baseline / f"csaf/suture-{baseline}-a.json").exists()
    first, second = document["vulnerabilities"]
    assert first["cve"] == "CVE-2030-0001" and second["ids"] == [{"system_name": "Example OS", "text": "TEMP-7"}]
    assert first["product_status"] == {"known_affected": [baseline], "fixed": [f"{baseline}:a"]}
    assert [r["category"] for r in first["remediations"]] == ["vendor_fix"]
    assert first["threats"][0]["details"].startswith("Whoever sends")
    assert first["acknowledgments"] == [{"names": ["Zoë of <Example> & Sons"]}] and "acknowledgments" not in second


def test_csaf_is_valid(advised, csaf_validator):
    """Released, recalled, and cumulative with a component more; the validator does find what is wrong."""
    advised.publisher.release("b")
    advised("recall", "--level=a", "--reason=It breaks <b>sound</b>")
    paths = sorted(advised.baseline.glob("csaf/*.json"))
    assert len(paths) == 2
    for path, result in csaf_validator(*paths).items():
        assert result["errors"] == [], path
        # Nobody here knows scores; all else that the specification recommends is there.
        assert {warning["message"] for warning in result["warnings"]} == {"missing score"}, result["warnings"]
    document = json.loads(paths[0].read_text())
    document["vulnerabilities"][0]["product_status"]["fixed"] = ["nobody"]
    document["document"]["tracking"]["status"] = "finished"
    paths[0].write_text(json.dumps(document))
    errors = csaf_validator(paths[0])[str(paths[0])]["errors"]
    assert {"csaf_2_0_strict", "mandatoryTest_6_1_1"} <= {error["test"] for error in errors}


def test_a_fix_of_two_components(advised, csaf_validator):
    """It is one vulnerability, with what both say of it."""
    publisher = advised.publisher
    support.write(publisher.path / "fixes", "[CVE-2030-0001]\nCredit=Another\nImpact=It reads memory.\n")
    publisher("build", "--tree", publisher.trees / "baseline", "--fixed", publisher.trees / "fixed-b", "--component", "other",
              "--new-version", "2", "--fixes", publisher.path / "fixes")
    publisher("release")
    first, *rest = advised.csaf("b")["vulnerabilities"]
    assert first["cve"] == "CVE-2030-0001" and all("cve" not in vulnerability for vulnerability in rest)
    assert len(first["threats"]) == 2 and [a["names"] for a in first["acknowledgments"]][1] == ["Another"]
    result, = csaf_validator(next(advised.baseline.glob("csaf/*-b.json"))).values()
    assert result["errors"] == []
    assert advised.osv("b")["upstream"] == ["CVE-2030-0001", "TEMP-7"]
    assert "versions" not in advised.osv("b")["affected"][1]


def test_a_level_without_fixes(own_shop):
    """CSAF is about vulnerabilities; the rest says that there are none."""
    advised = Advised(own_shop)
    own_shop("build", "--tree", own_shop.trees / "baseline", "--fixed", own_shop.trees / "fixed-a", "--component", "fix",
             "--new-version", "3")
    own_shop("release")
    assert not list(advised.baseline.glob("csaf/*-b.json")) and advised.osv("b")["upstream"] == []
    assert advised.feed().findtext(f"{ATOM}entry/{ATOM}summary") == "It names no new fixes."
    assert advised.page().source.count('href="csaf/') == 1


def test_a_recall(advised):
    before = advised.csaf()
    advised("recall", "--level=a", "--reason=It breaks sound")
    released, recalled = times(channel(advised.publisher)["levels"][0])
    assert recalled >= released
    osv, csaf, baseline = advised.osv(), advised.csaf(), advised.baseline.name
    assert osv["withdrawn"] == osv["modified"] == recalled and osv["published"] == released
    assert osv["details"].startswith("This improvement was recalled: It breaks sound\n")
    tracking = csaf["document"]["tracking"]
    assert tracking["version"] == "2" and tracking["current_release_date"] == recalled
    assert tracking["revision_history"][0] == before["document"]["tracking"]["revision_history"][0]
    assert tracking["revision_history"][1] == {"date": recalled, "number": "2",
                                               "summary": "The level was recalled: It breaks sound"}
    for vulnerability in csaf["vulnerabilities"]:
        assert "fixed" not in vulnerability["product_status"]
        assert vulnerability["product_status"]["known_affected"] == [baseline]
        assert [r["category"] for r in vulnerability["remediations"]] == ["none_available"]
    assert "Recalled on" in advised.page().text and "It breaks sound. Devices leave this level" in advised.page().text


# The feed


def test_the_feed(advised):
    """RFC 4287: what an Atom feed, and each entry, has to have."""
    def ids():
        return [entry.findtext(f"{ATOM}id") for entry in advised.feed().iter(f"{ATOM}entry")]
    first = ids()
    advised.publisher.release("b")
    advised("recall", "--level=a", "--reason=It breaks <b>sound</b>")
    feed = advised.feed()
    assert feed.tag == f"{ATOM}feed" and feed.findtext(f"{ATOM}author/{ATOM}name") == "Example OS"
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links == {"self": f"{URL}/advisories/{advised.baseline.name}/feed.atom",
                     "alternate": f"{URL}/advisories/{advised.baseline.name}/index.html"}
    entries = feed.findall(f"{ATOM}entry")
    for part in (feed, *entries):
        assert part.findtext(f"{ATOM}title") and re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                                              r"[0-9a-f]{12}", part.findtext(f"{ATOM}id"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", part.findtext(f"{ATOM}updated"))
    assert [entry.find(f"{ATOM}category").get("term") for entry in entries] == ["release", "recall", "release"]
    assert entries[1].findtext(f"{ATOM}summary") == "It breaks <b>sound</b>"
    assert feed.findtext(f"{ATOM}updated") == max(entry.findtext(f"{ATOM}updated") for entry in entries)
    assert len(set(ids())) == 3 and ids()[-1] == first[0], "an entry keeps its id"
    assert entries[0].findtext(f"{ATOM}summary") == "Fixes CVE-2030-0002."


# The page


def test_the_page(advised):
    publisher = advised.publisher
    page = advised.page()
    text = page.text
    assert "About the security content of Test OS 1" in text and "1 (a)" in text and "From 1 to 2" in text
    for word in ("Too long a name", "Severity: critical", "Impact: Whoever sends", "Credit: Zoë of <Example> & Sons", "TEMP-7",
                 "Published by Example OS, security@os.example", "Offered to 100 % of the devices from"):
        assert word in text, word
    for file in publisher.manifest()["components"][0]["files"]:
        assert file["path"] in text
        for facts in (file["before"], file["after"]):
            if facts:
                assert f"{facts['size']} bytes SHA-256 {facts['sha256']}" in text
                assert not facts["build_id"] or f"build-id {facts['build_id']}" in text
    assert "not there" in text, "a file that is new"
    for link in page.links():
        assert link.startswith(("https://", "#")) or (advised.baseline / link).exists(), link
    assert "https://advisories.example/1?a=b&c=d" in page.links()
    index = Page((advised.top / "index.html").read_text())
    assert "Test OS 1" in index.text and f"{advised.baseline.name}/index.html" in index.links()


def test_levels_are_not_told_twice(advised):
    advised.publisher.release("b")
    page = advised.page()
    assert page.text.count("Too long a name") == 1 and page.text.index("1 (b)") < page.text.index("Too long a name")
    assert "It also has fix of 1 (a)." in page.text and "Followed by 1 (b)" in page.text
    assert {"level-a", "level-b"} <= set(page.ids)


def test_the_state_of_a_rollout(advised):
    advised("rollout", "set", "--force", "--group=canary", "1% now, 100% 2099-01-01 08:00Z")
    text = advised.page().text
    assert ", to 100 % of the devices from 1 January 2099, 08:00 UTC." in text
    assert "First to the machines of: canary." in text
    advised("rollout", "pause")
    assert "Paused since" in advised.page().text
    advised("rollout", "resume")
    assert "Paused since" not in advised.page().text


def test_hostile_texts_are_texts(own_shop, csaf_validator):
    """A title is what a changelog says: no markup, no control characters, nothing that turns the line around."""
    own_shop.build("b")
    draft, = own_shop.path.glob("drafts/*/manifest.json")
    manifest = json.loads(draft.read_text())
    manifest["components"][-1]["fixes"][0]["title"] = HOSTILE
    manifest["components"][-1]["new_version"] = "<img src=x onerror=alert(1)>"
    draft.write_text(json.dumps(manifest))
    advised = Advised(own_shop, CONFIG.replace("Example OS", "<script>alert(1)</script>"))
    own_shop("release")
    pages = [advised.page(), Page((advised.top / "index.html").read_text())]
    for page in pages:
        assert not {tag for tag, _ in page.tags} & {"script", "img", "style", "iframe", "object", "base", "form"}
        assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
    assert "</h4><script>alert(1)</script>\ufffdgnp\ufffd\ufffd\ufffd & \"'" in pages[0].text
    texts = [path.read_text() for path in advised.top.rglob("*") if path.is_file()]
    for text in texts:
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    assert advised.feed() is not None
    assert r"\<script\>" in advised.osv("b")["details"]
    result, = csaf_validator(next(advised.baseline.glob("csaf/*-b.json"))).values()
    assert result["errors"] == []


# When it is written


def test_the_same_again_touches_nothing(advised):
    before = advised.files()
    assert advised.write() == {"changes": [], "unchanged": len(before)}
    assert advised.files() == before
    assert "6 files are as they were." in advised("advisories").stdout


def test_they_are_made_of_what_is_published_alone(advised, work):
    """Another workspace with the same repository and configuration writes the same bytes."""
    before = {name: data for name, (data, *_) in advised.files().items()}
    support.run("rm", "-r", advised.top)
    changes = advised.write()["changes"]
    assert {change["path"] for change in changes} == set(before) and {c["change"] for c in changes} == {"written"}
    assert {name: data for name, (data, *_) in advised.files().items()} == before


def test_what_is_no_more_is_removed(advised):
    stray = ["old/index.html", f"{advised.baseline.name}/osv/SUTURE-zz.json", "style.css.tmp"]
    before = advised.files()
    for path in stray:
        support.write(advised.top / path, "x")
    os.symlink("/etc/passwd", advised.top / "link")
    removed = advised.write()["changes"]
    assert sorted(removed, key=lambda change: change["path"]) == [
        {"path": path, "change": "removed"} for path in sorted([*stray, "link"])]
    assert advised.files() == before and not (advised.top / "old").exists()


def test_a_damaged_file_is_written_again(advised):
    before = advised.files()
    path = advised.baseline / "index.html"
    path.write_text(path.read_text()[:-1])
    assert advised.write()["changes"] == [{"path": f"{advised.baseline.name}/index.html", "change": "written"}]
    assert {name: data for name, (data, *_) in advised.files().items()} == {name: data for name, (data, *_) in before.items()}


def test_they_follow_each_publication(advised):
    support.run("rm", "-r", advised.top)
    advised("refresh")
    assert advised.page().ids.keys() >= {"level-a"}
    advised.publisher.release("b", "--rollout=10")
    assert "level-b" in advised.page().ids
    advised("rollout", "set", "--level=b", "100% now")
    assert "to 100 % of the devices" in advised.page().text
    advised("recall", "--level=b", "--reason=Wrong")
    assert "withdrawn" in advised.osv("b")


def test_they_follow_signatures_from_elsewhere(company, people):  # noqa: F811
    support.write(company.path / "advisories.conf", CONFIG)
    company("advisories")
    assert "Nothing is released yet" in (company.public / "advisories/index.html").read_text()
    (company.public / "advisories/index.html").unlink()
    sign_root(company, people, "alice", "carol")
    assert (company.public / "advisories/index.html").exists()


def test_without_a_configuration(own_shop):
    done = own_shop("advisories", check=False)
    assert done.returncode == 22 and "there is no advisories.conf in the workspace" in done.stderr
    own_shop("refresh")
    assert not (own_shop.public / "advisories").exists()


@pytest.mark.parametrize("text, message", [
    ("", "advisories.conf: [Publisher] says no Name="),
    ("[Publisher]\nName=x\n", "advisories.conf: [Publisher] says no Url="),
    ("[Publisher]\nUrl=ftp://e.example\n", ":2: Url= takes an https:// or http:// URL, not 'ftp://e.example'"),
    ("[Publisher]\nUrl=https://e.example/?x\n", ":2: Url= takes an https"),
    ("[Publisher]\nUrl=https:///x\n", ":2: Url= takes an https"),
    ("[Publisher]\nName=\n", ":2: Name= takes a name"),
    ("[Publisher]\nName=a\nName=b\n", ":3: Name= is there already"),
    ("[Publisher]\nPrefix=x y\n", ":2: Prefix= takes capital letters and digits"),
    ("[Publisher]\nColour=red\n", ":2: unknown key 'Colour'"),
    ("[a/b]\n", ":1: [a/b] is neither [Publisher] nor a baseline"),
    ("[debian-12]\nUrl=https://e.example\n", ":2: unknown key 'Url'"),
    ("[debian-12]\nEcosystem=\n", ":2: Ecosystem= takes a package ecosystem"),
], ids=["empty", "no url", "scheme", "query", "no host", "no name", "twice", "prefix", "key", "section", "other key", "ecosystem"])
def test_configurations_that_are_none(own_shop, text, message):
    """The verb says what is wrong; a publication goes out all the same, and says so, too."""
    support.write(own_shop.path / "advisories.conf", text)
    done = own_shop("advisories", check=False)
    assert done.returncode == 22 and message in done.stderr, done.stderr
    done = own_shop("refresh")
    assert "warning: what was published is in force, but the advisories are not up to date: " in done.stderr
    assert message in done.stderr


def test_a_release_does_not_depend_on_them(own_shop):
    """Whatever is in the way of the files."""
    support.write(own_shop.path / "advisories.conf", CONFIG)
    support.write(own_shop.public / "advisories", "in the way")
    own_shop.build("b")
    done = own_shop("release")
    assert "Released" in done.stdout and "the advisories are not up to date" in done.stderr
    assert channel(own_shop)["current"] == "b"
    assert own_shop("advisories", check=False).returncode != 0


def test_several_baselines(own_shop, work):
    support.run("cp", "-a", own_shop.trees / "baseline", work / "second")
    support.write(work / "second/etc/os-release", 'ID=testos\nVERSION_ID=2\nPRETTY_NAME="Test OS 2"\n')
    advised = Advised(own_shop)
    own_shop("baseline", "--tree", work / "second")
    first, = (path.name for path in advised.top.iterdir() if path.is_dir())
    second = first.replace("-1-", "-2-")
    own_shop("build", "--tree", work / "second", "--baseline", second, "--fixed", own_shop.trees / "fixed-b",
             "--component", "other", "--new-version", "2", "--cve", "CVE-2030-0009")
    own_shop("release", "--baseline", second)
    assert {path.name for path in advised.top.iterdir() if path.is_dir()} == {first, second}
    index = Page((advised.top / "index.html").read_text())
    assert "Test OS 1" in index.text and "Test OS 2" in index.text
