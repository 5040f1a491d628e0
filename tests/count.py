#!/usr/bin/python3
"""Count the cases of all JUnit files in a directory; print what failed and what was skipped.

    count.py DIR [FAILED-STAGE]...

A stage that failed without a failing case (it did not build, say) counts as one failure. The last line is
"N passed, N failed, N skipped"; the exit status is 1 unless something passed and nothing failed."""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def read_cases(path):
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{path.stem}: {case.get('classname') or ''} {case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            yield "failed", name, ""
        elif case.find("skipped") is not None:
            yield "skipped", name, case.find("skipped").get("message") or ""
        else:
            yield "passed", name, ""


def main():
    results, failed_stages = pathlib.Path(sys.argv[1]), sys.argv[2:]
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    stages_with_failures = set()
    for path in sorted(results.glob("*.xml")):
        for outcome, name, reason in read_cases(path):
            counts[outcome] += 1
            if outcome != "passed":
                print(f"{outcome}: {name}{': ' if reason else ''}{reason}")
            if outcome == "failed":
                stages_with_failures.add(path.stem)
    for stage in failed_stages:
        if not any(name == stage or name.startswith(f"{stage}-") for name in stages_with_failures):
            counts["failed"] += 1
            print(f"failed: stage {stage}")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 0 if counts["passed"] and not counts["failed"] else 1


sys.exit(main())
