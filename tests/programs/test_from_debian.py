"""Fixes from an archive of Debian packages: found, proposed with what they fix, drafted; and only what its key signed."""
import gzip
import hashlib
import json
import shutil
import subprocess

import pytest

import support

ARCHITECTURE = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
ENTRY = """{name} ({version}) stable-security; urgency=high

  * {text}

 -- Nobody <nobody@example.org>  {date}

"""


class Archive:
    """dists/ and pool/ as apt wants them, signed by a key of its own."""

    def __init__(self, path):
        self.path, self.debs, self.home = path / "archive", path / "debs", path / "gnupg"
        self.debs.mkdir(parents=True)
        self.home.mkdir(mode=0o700)
        self.gpg("--quick-generate-key", "archive", "ed25519", "sign", "never")
        (path / "key.gpg").write_bytes(self.gpg("--export").stdout)
        self.sources = path / "sources.list"
        self.sources.write_text(f"deb [signed-by={path}/key.gpg] file:{self.path} secure main\n")

    def gpg(self, *arguments):
        return subprocess.run(["gpg", "--homedir", self.home, "--batch", "--passphrase", "", *arguments],
                              capture_output=True, check=True, timeout=60)

    def close(self):
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=False, timeout=60)

    def deb(self, name, version, files, source=None, changes=()):
        """Build a package; `changes` are its changelog, the newest first."""
        top = self.debs / f"{name}_{version.replace(':', '%3a')}"
        for path, content in files.items():
            if callable(content):
                content(top / path)
            else:
                support.write(top / path, content)
        changelog = "".join(ENTRY.format(name=source or name, version=v, text=text, date="Tue, 01 Jan 2030 00:00:00 +0000")
                            for v, text in changes)
        support.write(top / f"usr/share/doc/{name}/changelog.Debian.gz", gzip.compress(changelog.encode()))
        control = f"Package: {name}\nVersion: {version}\nArchitecture: {ARCHITECTURE}\nMaintainer: N <n@example.org>\n" \
                  f"Description: of a test\n" + (f"Source: {source}\n" if source else "")
        support.write(top / "DEBIAN/control", control)
        deb = self.debs / f"{name}_{version.replace(':', '%3a')}_{ARCHITECTURE}.deb"
        support.run("dpkg-deb", "--root-owner-group", "-b", top, deb)
        shutil.rmtree(top)
        return deb

    def publish(self, *debs):
        pool, dist = self.path / "pool", self.path / "dists/secure"
        shutil.rmtree(self.path, ignore_errors=True)
        pool.mkdir(parents=True)
        for deb in debs:
            shutil.copy(deb, pool)
        index = support.run("dpkg-scanpackages", "--multiversion", "pool", cwd=self.path).stdout.encode()
        name = f"main/binary-{ARCHITECTURE}/Packages"
        support.write(dist / name, index)
        support.write(dist / f"{name}.gz", gzip.compress(index))
        sums = "".join(f" {hashlib.sha256((dist / n).read_bytes()).hexdigest()} {(dist / n).stat().st_size} {n}\n"
                       for n in (name, f"{name}.gz"))
        release = f"Codename: secure\nSuite: secure\nArchitectures: {ARCHITECTURE}\nComponents: main\n" \
                  f"Date: Tue, 01 Jan 2019 00:00:00 UTC\nSHA256:\n{sums}"
        support.write(dist / "Release", release)
        (dist / "InRelease").unlink(missing_ok=True)
        self.gpg("--clearsign", "-o", str(dist / "InRelease"), str(dist / "Release"))


def fix_library(answer):
    return lambda path: (path.parent.mkdir(parents=True, exist_ok=True),
                         support.make_library(path, "fix_answer", answer))


OLD = ("1:1.0-1", "First release.")
NEW = ("1:1.0-1+deb1", "Fix CVE-2030-4711 (\"a hole in fix\").")


@pytest.fixture
def archive(work):
    if not shutil.which("gpg"):
        pytest.skip("gpg is not installed")
    archive = Archive(work / "debian")
    yield archive
    archive.close()


@pytest.fixture
def shop(archive, work):
    """A baseline of three packages, two of one source, and an archive that fixes that source and has the third as it is."""
    tree = work / "tree"
    support.make_baseline(tree)
    installed = [
        archive.deb("dpkg", "1.21", {"usr/share/dpkg-x": "x"}),
        archive.deb("libfix", OLD[0], {"usr/lib/libfix.so": fix_library("old")}, "fix", [OLD]),
        archive.deb("fix-data", OLD[0], {"usr/share/fix-data": "old"}, "fix", [OLD]),
    ]
    (tree / "var/lib/dpkg/updates").mkdir(parents=True)
    (tree / "var/lib/dpkg/info").mkdir()
    (tree / "var/lib/dpkg/status").touch()
    support.run("dpkg", f"--root={tree}", "--force-all", "--force-script-chrootless", "-i", *installed)
    fixed = [
        archive.deb("libfix", NEW[0], {"usr/lib/libfix.so": fix_library("new")}, "fix", [NEW, OLD]),
        archive.deb("fix-data", NEW[0], {"usr/share/fix-data": "new"}, "fix", [NEW, OLD]),
    ]
    other = archive.deb("elsewhere", "9", {"usr/share/elsewhere": "x"})
    archive.publish(*installed, *fixed, other)
    publisher = support.Publisher(work / "shop", None)
    publisher("init")
    publisher("baseline", "--tree", tree)
    publisher.tree, publisher.archive = tree, archive
    return publisher


def from_debian(shop, *more, check=True):
    done = shop("from-debian", "secure", "--tree", shop.tree, "--sources", shop.archive.sources, *more, check=check)
    return json.loads(done.stdout) if "--json" in more and done.returncode == 0 else done


def test_what_is_proposed(shop):
    proposal, = from_debian(shop, "--json")["proposals"]
    assert proposal["component"] == "fix"
    assert [(p["name"], p["old_version"], p["new_version"]) for p in proposal["packages"]] == \
        [(name, OLD[0], NEW[0]) for name in ("fix-data", "libfix")]
    assert proposal["fixes"] == [{"id": "CVE-2030-4711", "title": "a hole in fix"}]
    assert sorted(proposal["files"]) == ["/usr/lib/libfix.so", "/usr/share/fix-data"]
    assert proposal["findings"] == []
    said = from_debian(shop).stdout
    assert "CVE-2030-4711  a hole in fix" in said and "1 update of testos-1-x86-64, 0 more" in said
    assert not list((shop.path / "drafts").rglob("manifest.json"))
    assert not list(shop.path.rglob("scratch"))


def test_what_is_drafted_is_not_proposed_again(shop):
    proposal, = from_debian(shop, "--draft", "--fast", "--json")["proposals"]
    assert proposal["component"] == "fix"
    for step in ("draft", "release"):
        assert from_debian(shop, "--json")["proposals"] == [], step
        assert "0 updates of testos-1-x86-64, 1 more" in from_debian(shop).stdout
        if step == "draft":
            shop("release")
    component, = shop.manifest()["components"]
    assert component["name"] == "fix" and component["new_version"] == NEW[0]
    assert component["packages"] == ["fix-data", "libfix"]
    # The next fix of the same source is proposed again.
    later = ("1:1.0-1+deb2", "Fix CVE-2030-4712.")
    newer = shop.archive.deb("libfix", later[0], {"usr/lib/libfix.so": fix_library("ne2")}, "fix", [later, NEW, OLD])
    shop.archive.publish(newer)
    proposal, = from_debian(shop, "--json")["proposals"]
    assert {f["id"] for f in proposal["fixes"]} == {"CVE-2030-4711", "CVE-2030-4712"}


def test_a_slip_is_told_and_not_drafted(shop):
    bad = shop.archive.deb("libfix", NEW[0], {"usr/lib/libfix.so": lambda path: (
        path.parent.mkdir(parents=True), support.make_library(path, "another_answer", "new"))}, "fix", [NEW, OLD])
    shop.archive.publish(bad)
    proposal, = from_debian(shop, "--json")["proposals"]
    assert proposal["findings"][0]["check"] == "abi" and "fix_answer" in proposal["findings"][0]["finding"]
    done = from_debian(shop, "--draft", check=False)
    assert done.returncode == 40 and "abi: /usr/lib/libfix.so" in done.stderr
    assert "1 of 1 updates could not be drafted" in done.stderr


def test_what_nobody_signed_is_not_looked_at(shop):
    packages = next((shop.archive.path / "dists").rglob("Packages"))
    text = packages.read_text().replace(NEW[0], "1:9")
    packages.write_text(text)
    packages.with_suffix(".gz").write_bytes(gzip.compress(text.encode()))
    done = from_debian(shop, check=False)
    assert done.returncode != 0 and "cannot fetch the package indexes" in done.stderr
    shop.archive.publish()
    (shop.archive.path / "dists/secure/InRelease").write_text(
        (shop.archive.path / "dists/secure/InRelease").read_text().replace("2019", "2018"))
    done = from_debian(shop, check=False)
    assert done.returncode != 0 and "cannot fetch the package indexes" in done.stderr


def test_a_package_that_is_not_what_the_index_says(shop):
    for deb in (shop.archive.path / "pool").glob("libfix*deb1*.deb"):
        support.flip(deb, deb.stat().st_size // 2)
    proposal, = from_debian(shop, "--json")["proposals"]
    assert "cannot fetch libfix=" in proposal["error"] and "files" not in proposal
    assert "no improvement: cannot fetch libfix" in from_debian(shop).stdout


@pytest.mark.parametrize("arguments, status, says", [
    (["--tree", "/nonexistent"], 1, "nonexistent"),
    ([], 2, "name the suites"),
])
def test_wrong_words(shop, arguments, status, says):
    words = ["secure"] if arguments else []
    done = shop("from-debian", *words, *(arguments or ["--tree", shop.tree]), check=False)
    assert (done.returncode, says in done.stderr) == (status, True), done.stderr


def test_a_suite_that_the_sources_do_not_have(shop):
    done = shop("from-debian", "other", "--tree", shop.tree, "--sources", shop.archive.sources, check=False)
    assert done.returncode == 24 and "no suite 'other'" in done.stderr
