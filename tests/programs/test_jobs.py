"""Deltas as jobs: planned, made here or by Slurm, found again, and looked at before they are used."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import slurm
import support

# The same input gives the same image then.
THEN = {"SOURCE_DATE_EPOCH": "1700000000"}


@pytest.fixture
def two(work, trees):
    """A publisher of two baselines, the same but for their names."""
    publisher = support.Publisher(work / "shop", trees).start()
    second = work / "second"
    shutil.copytree(trees / "baseline", second, symlinks=True)
    os_release = second / "etc/os-release"
    os_release.write_text(os_release.read_text().replace("VERSION_ID=1", "VERSION_ID=2"))
    publisher("baseline", "--tree", second)
    publisher.second = second
    return publisher


def names(publisher):
    return sorted(path.stem for path in (publisher.path / "baselines").iterdir())


def build_later(publisher, level="a", *more):
    for name in names(publisher):
        tree = publisher.trees / "baseline" if "-1-" in name else publisher.second
        publisher("build", "--later", "--baseline", name, "--tree", tree, "--fixed", publisher.trees / f"fixed-{level}",
                  "--component", support.COMPONENT[level], "--new-version", "2", *more, env=THEN)


def plan(publisher, *more):
    return json.loads(publisher("plan", "--json", *more).stdout)


def release(publisher, *more, check=True):
    return [publisher("release", "--baseline", name, *more, check=check) for name in names(publisher)]


def results(publisher):
    return {path.name: path.read_bytes() for path in (publisher.path / "deltas").iterdir()}


def deltas(publisher, level="a"):
    return [[(delta["object"], delta["sources"]) for component in json.loads(path.read_text())["components"]
             for delta in component["deltas"]] for path in sorted(publisher.manifest_of(level))]


def test_what_is_made_later_is_the_same(work, trees, shop):
    publisher = support.Publisher(work / "shop", trees).start()
    publisher.build("a", env=THEN)
    at_once = json.loads(next(publisher.path.glob("drafts/*/manifest.json")).read_text())["components"]
    shutil.rmtree(publisher.path / "deltas")
    publisher.build("a", "--later", env=THEN)
    later = json.loads(next(publisher.path.glob("drafts/*/manifest.json")).read_text())["components"]
    assert later[0]["deltas"] == [] and later[0]["image"] == at_once[0]["image"]
    publisher("plan")
    publisher("run")
    publisher("release")
    assert publisher.manifest("a")["components"] == at_once
    publisher("check")


def test_several_baselines_at_a_time(two):
    build_later(two)
    refused = release(two, check=False)
    assert {done.returncode for done in refused} == {40}
    assert all("2 of 2 deltas of component 'fix' are still to be made" in done.stderr for done in refused)
    planned = plan(two)
    # The images differ: each names its baseline. The jobs have numbers, and a file each.
    assert [job["index"] for job in planned["jobs"]] == [1, 2, 3, 4] and planned["done"] == 0
    assert {job["baseline"] for job in planned["jobs"]} == set(names(two))
    for job in planned["jobs"]:
        document = json.loads((two.path / f"jobs/{job['index']}.json").read_text())
        assert document["key"] == job["key"] and document["type"] == "suture-delta-job"
        assert len(document["sources"]) == job["sources"]
    done = two("run", "--jobs=2").stdout
    assert "4 jobs: 4 done, 0 were there." in done
    assert plan(two) == {"jobs": [], "done": 4}
    assert "0 jobs" in two("run").stdout
    release(two)
    two("check")
    assert not any(path.name.startswith(".") for path in (two.path / "deltas").iterdir())


def test_a_second_time_everything_is_there(two):
    build_later(two)
    plan(two)
    two("run", "--jobs=2")
    before = results(two)
    assert "4 jobs: 0 done, 4 were there." in two("run").stdout
    # Somebody who builds at once finds them, too: the store would show what he made.
    for path in (two.path / "deltas").iterdir():
        os.utime(path, (1, 1))
    name = names(two)[0]
    two("build", "--baseline", name, "--tree", two.trees / "baseline", "--fixed", two.trees / "fixed-a", "--component", "fix",
        "--new-version", "2", env=THEN)
    assert results(two) == before
    assert all(path.stat().st_mtime == 1 for path in (two.path / "deltas").iterdir())
    release(two)


def test_one_by_one(two):
    build_later(two)
    plan(two)
    jobs = two.path / "jobs"
    assert "1 jobs: 1 done" in two("run", "--index=3").stdout
    assert "2 jobs: 1 done, 1 were there." in two("run", jobs / "3.json", jobs / "1.json").stdout
    assert len(plan(two)["jobs"]) == 2
    for arguments, status in ((["--index=9"], 24), (["--index=1", jobs / "1.json"], 2), ([jobs / "none"], 24)):
        assert two("run", *arguments, check=False).returncode == status


def test_a_store_that_is_shared(two, work):
    store = work / "store"
    build_later(two)
    plan(two, "--store", store)
    two("run", "--store", store, "--jobs=2")
    assert not (two.path / "deltas").exists() or not list((two.path / "deltas").iterdir())
    assert {done.returncode for done in release(two, check=False)} == {40}
    release(two, "--store", store)


def test_two_machines_do_the_same(two):
    """At the same moment, in the same store."""
    build_later(two)
    plan(two)
    command = [support.BUILD / "suture-publish", "-C", two.path, "run", "--jobs=2"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    for process in both:
        process.stdout.close()
    assert plan(two)["jobs"] == []
    release(two)


def test_one_that_fails_does_not_stop_the_others(two):
    build_later(two)
    planned = plan(two)
    library = two.second / "usr/lib/libfix.so"
    before = support.flip(library, 100)
    done = two("run", check=False)
    assert done.returncode == 31 and "1 of 4 jobs failed" in done.stderr
    assert "'/usr/lib/libfix.so' in the tree has changed since the baseline was recorded" in done.stderr
    assert done.stdout.count("done in") == 3
    left = plan(two)
    assert len(left["jobs"]) == 1 and left["jobs"][0]["key"] in {job["key"] for job in planned["jobs"]}
    library.write_bytes(before)
    two("run")
    release(two)


def large(publisher):
    """Files that take a while."""
    for tree, number in ((publisher.trees / "baseline", 5), (publisher.second, 5), (publisher.trees / "fixed-a", 6)):
        support.write(tree / "usr/lib/large", b"".join(
            support.hashlib.sha256(f"{number if i % 9 == 0 else 5} {i}".encode()).digest() for i in range(60_000)))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_killed_in_the_middle(two, work, how):
    trees = work / "trees"
    shutil.copytree(two.trees, trees, symlinks=True)
    two.trees = trees
    large(two)
    two("baseline", "--tree", trees / "baseline")
    two("baseline", "--tree", two.second)
    build_later(two)
    plan(two)
    process = subprocess.Popen([support.BUILD / "suture-publish", "-C", two.path, "run", "--jobs=2"], stderr=subprocess.PIPE)
    until = time.monotonic() + 30
    while not list((two.path / "deltas").glob(".*.delta")) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(how)
    said = process.communicate(timeout=30)[1].decode()
    assert process.returncode == (-9 if how == signal.SIGKILL else 42), said
    # Whoever made a delta is gone with it; what has a name is whole.
    time.sleep(0.3)
    if how == signal.SIGTERM:
        assert not list((two.path / "deltas").glob(".*"))
    left = plan(two)
    assert len(left["jobs"]) + left["done"] == 4 and left["jobs"]
    two("run", "--jobs=2", timeout=120)
    release(two)
    two("check")


def test_results_that_are_not_what_they_say(two):
    """Each is found out before it is used, and made anew."""
    build_later(two)
    planned = plan(two)
    two("run")
    whole = results(two)
    record = two.path / "deltas" / f"{planned['jobs'][0]['key']}.json"
    other = two.path / "deltas" / f"{planned['jobs'][1]['key']}.json"
    sha256 = json.loads(record.read_text())["object"]["sha256"]
    damages = {
        "is damaged": lambda: record.write_text("{}"),
        "its bytes are not those": lambda: support.flip(two.path / "deltas" / sha256, 100),
        "it is gone": lambda: (two.path / "deltas" / sha256).unlink(),
        "it is the delta of something else": lambda: shutil.copy(other, record),
    }
    for message, damage in damages.items():
        damage()
        done = two("release", "--baseline", names(two)[0], check=False)
        assert done.returncode == 30 and message in done.stderr, (message, done.stderr)
        assert [job["key"] for job in plan(two)["jobs"]] == [planned["jobs"][0]["key"]]
        assert "1 jobs: 1 done" in two("run").stdout
        assert results(two) == whole
    release(two)
    two("check")


def test_jobs_that_are_not_what_they_say(two):
    build_later(two)
    plan(two)
    path = two.path / "jobs/1.json"
    text = path.read_text()
    for changed, message in ((text.replace('"fast": false', '"fast": true'), "the job's key is not that of what it says"),
                             (text[:-20], "job '"), (text.replace("/usr/lib/libfix.so", "/../etc/shadow"), "'path'")):
        path.write_text(changed)
        done = two("run", "--index=1", check=False)
        assert done.returncode in (29,) and message in done.stderr, done.stderr
    # Built again, the image is another one, which the former jobs do not make.
    path.write_text(text)
    document = json.loads(text)
    pathlib.Path(document["target"]["path"]).write_bytes(b"another")
    done = two("run", "--index=1", check=False)
    assert done.returncode == 30 and results(two) == {}


def test_from_an_earlier_image(two):
    build_later(two)
    plan(two)
    two("run", "--jobs=2")
    release(two)
    shutil.copy(two.trees / "fixed-a/usr/share/fix/added.txt", two.path / "added")
    changed = two.path / "fixed-c"
    shutil.copytree(two.trees / "fixed-a", changed, symlinks=True)
    support.write(changed / "usr/share/fix/added.txt", "newer\n", 0o640)
    for name in names(two):
        tree = two.trees / "baseline" if "-1-" in name else two.second
        two("build", "--later", "--baseline", name, "--tree", tree, "--fixed", changed, "--component", "fix", "--new-version", "3")
    planned = plan(two)["jobs"]
    assert [job["from_earlier_image"] for job in planned] == [False, False, True] * 2
    two("run", "--jobs=2")
    release(two)
    assert all(len(of_one) == 3 and "image" in of_one[2][1][0] for of_one in deltas(two, "b"))
    two("check")


def test_a_component_that_is_built_again(two):
    """At once, after it was put off: nothing is left to be planned."""
    build_later(two)
    for name in names(two):
        tree = two.trees / "baseline" if "-1-" in name else two.second
        two("build", "--baseline", name, "--tree", tree, "--fixed", two.trees / "fixed-a", "--component", "fix", "--new-version", "2")
    assert plan(two) == {"jobs": [], "done": 0}
    release(two)


@pytest.fixture
def cluster():
    why = slurm.missing()
    if why:
        pytest.skip(f"NOT TESTED: no Slurm: {why}")
    top = pathlib.Path(tempfile.mkdtemp(prefix="slurm.", dir="/var/tmp"))
    top.chmod(0o755)
    cluster = slurm.Slurm(top)
    yield cluster
    cluster.stop()
    shutil.rmtree(top)


def test_a_job_array_of_slurm(two, cluster):
    build_later(two)
    said = two("plan", "--slurm").stdout
    script = two.path / "jobs/array.sh"
    assert said.endswith(f"sbatch {script}\n")
    cluster.submit(script)
    logs = {path.stem: path.read_text() for path in (two.path / "jobs").glob("*.log")}
    assert sorted(logs) == ["1", "2", "3", "4"] and all("1 jobs: 1 done" in log for log in logs.values()), logs
    assert plan(two, "--slurm") == {"jobs": [], "done": 4} and not script.exists()
    release(two)
    two("check")
