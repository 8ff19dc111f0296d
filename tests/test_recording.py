"""Recording is switched off and on, in threads, generators and coroutines too."""

import asyncio
import inspect
import threading

import pytest

import autograd_core as ac
from tests.leaves import leaf

pytestmark = pytest.mark.usefixtures("there")


def test_recording_state_is_per_context():
    x = leaf([1.0])
    with ac.no_grad():
        assert not (x * 2).requires_grad
        with ac.enable_grad():
            assert (x * 2).requires_grad
        seen = []
        thread = threading.Thread(target=lambda: seen.append(ac.is_recording()))
        thread.start()
        thread.join()
        assert seen == [True]
    assert ac.is_recording()

    @ac.no_grad()
    def frozen():
        return x * 2

    assert not frozen().requires_grad


def test_no_grad_can_be_entered_again_and_stands_around_generators():
    x = ac.Tensor([1.0], requires_grad=True)
    silent = ac.no_grad()

    @silent
    def values():
        while True:
            got = yield x * 2
            assert not (x * got).requires_grad

    running = values()
    with silent, silent:
        assert not (x * 2).requires_grad
    assert not next(running).requires_grad
    assert (x * 2).requires_grad
    assert not running.send(3).requires_grad
    assert (x * 2).requires_grad


def states(switch):
    """Functions of every kind that say whether they record, decorated."""

    @switch
    async def plain():
        await asyncio.sleep(0)
        return ac.is_recording()

    @switch
    async def several():
        try:
            yield ac.is_recording()
        except ValueError:
            yield ac.is_recording()

    @switch
    def caught():
        try:
            yield ac.is_recording()
        except ValueError:
            yield ac.is_recording()
        finally:
            left.append(ac.is_recording())

    left = []
    return plain, several, caught, left


def test_recording_belongs_to_the_block_in_coroutines_too():
    plain, several, caught, left = states(ac.no_grad())

    async def run():
        found = [await plain(), ac.is_recording()]
        running = several()
        found += [await anext(running), ac.is_recording()]
        found += [await running.athrow(ValueError()), ac.is_recording()]
        await running.aclose()
        first, second = await asyncio.gather(plain(), asyncio.sleep(0, ac.is_recording()))
        return [*found, first, second, ac.is_recording()]

    assert asyncio.run(run()) == [False, True, False, True, False, True, False, True, True]
    running = caught()
    assert [next(running), ac.is_recording()] == [False, True]
    assert [running.throw(ValueError()), ac.is_recording()] == [False, True]
    running.close()
    assert left == [False]
    assert ac.is_recording()


def test_a_coroutine_that_is_decorated_is_one():
    plain, several, caught, _ = states(ac.enable_grad())
    assert inspect.iscoroutinefunction(plain)
    assert inspect.isasyncgenfunction(several)
    assert inspect.isgeneratorfunction(caught)
    with ac.no_grad():
        assert asyncio.run(plain())
