"""Memory runs out at any allocation that suture asks for itself or through jansson; reads and writes move less than was
asked for, or are interrupted. Left out is what curl, OpenSSL, zstd, libfsverity, libsystemd and the C library ask for
on their own: how those end is theirs; see shim.c."""
import pytest

import striking
import support
from operations import OPERATIONS

POINTS = 8
# In the full run. What jansson asks for grows with the documents, and is much of the same.
MOST = {"program": 60, "jansson": 30}

pytestmark = pytest.mark.skipif(b"__asan_init" in (support.BUILD / "suture").read_bytes(),
                                reason="NOT TESTED: the address sanitizer has an allocator of its own")


@pytest.mark.parametrize("caller", ["program", "jansson"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_out_of_memory(operation, caller, bench):
    bench.begin(operation)
    _, allocations, _, _ = bench.run_preloaded(operation, FAULT_CALLER=caller)
    assert bench.judge(operation) == "new" and allocations > 20
    tally = striking.Tally(operation.name, f"out of memory ({caller})", possible=allocations)

    def strike(number):
        bench.begin(operation)
        answer, _, struck, _ = bench.run_preloaded(operation, FAULT_CALLER=caller, FAULT_ALLOCATION=number)
        tally.struck += struck
        state = bench.judge(operation, operation.instead)
        striking.judge_answer(tally, answer, state, operation.fine, "memory")
        bench.go_on(operation, {operation.final_level, *operation.instead})
        return state

    striking.try_each(tally, striking.sample(range(1, allocations + 1), POINTS, MOST[caller]), strike)
    striking.conclude(tally)
    assert not tally.unnamed, "\n".join(tally.unnamed)


@pytest.mark.parametrize("how", ["one", "half", "interrupted"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_short_transfers(operation, how, bench):
    """All of them in one run: it succeeds, and with the same result."""
    injection = "reads and writes " + {"one": "of one byte less", "half": "of half", "interrupted": "interrupted"}[how]
    tally = striking.Tally(operation.name, injection)

    def strike(_):
        bench.begin(operation)
        answer, _, struck, tally.possible = bench.run_preloaded(operation, FAULT_TRANSFER=how)
        tally.struck = int(struck > 0)
        striking.require(answer.status == 0 or answer.error in operation.fine, answer.error, answer.message)
        state = bench.judge(operation)
        striking.require(state == "new", "it says that it is done, and it is not")
        bench.go_on(operation)
        return state

    striking.try_each(tally, ["all"], strike)
    striking.conclude(tally)
