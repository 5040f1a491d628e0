"""The power goes at any call by which a command changes something: what was not synced is lost, the journal is
replayed, the device boots; it is in the old state or the new one, and the next command completes."""
import pytest

import striking
from operations import OPERATIONS

POINTS = 12
# A point that never comes: the power goes when the command has ended, and what it said must hold.
AFTERWARDS = striking.Point("0.change0", "(after the end)", "nothing", "")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_power_cut(operation, bench):
    points = [point for point in bench.points(operation) if point.kind != "nothing"]
    tally = striking.Tally(operation.name, "power cut", possible=len(points) + 1)

    def strike(point):
        bench.begin(operation)
        _, struck = bench.trace("cut", operation.command, operation.shop, point.number, bench.disk.top)
        tally.struck += len(struck) or point == AFTERWARDS
        state = bench.boot(operation)
        striking.require(point != AFTERWARDS or state == "new", "it was done, and is undone")
        # What a boot made of a verdict that was not carried out is not changed by a watch.
        bench.go_on(operation, {operation.final_level, *operation.boots_to})
        return state

    striking.try_each(tally, [*striking.sample(points, POINTS), AFTERWARDS], strike)
    striking.conclude(tally)
