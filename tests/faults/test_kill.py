"""Killed at any call by which it changes a file, the mounts or the processes: the old state or the new one, and the
next command completes."""
import pytest

import striking
from operations import OPERATIONS

# How many points of each operation are tried in a normal run: evenly over all calls.
POINTS = 12


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_killed(operation, bench):
    points = [point for point in bench.points(operation) if point.kind != "nothing"]
    tally = striking.Tally(operation.name, "kill -9", possible=len(points))

    def strike(point):
        bench.begin(operation)
        _, struck = bench.trace("kill", operation.command, operation.shop, point.number)
        tally.struck += len(struck)
        state = bench.judge(operation)
        bench.go_on(operation)
        return state

    striking.try_each(tally, striking.sample(points, POINTS), strike)
    striking.conclude(tally)
