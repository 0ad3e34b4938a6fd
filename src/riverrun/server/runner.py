"""The task in which a handler runs, which most handlers never need.

A handler is first stepped in place, where its request was parsed. Most finish in that one step,
and creating and scheduling a task for them would cost more than they do. One that has to wait is
carried on by a runner: a task that was parked until then.

Inside the first step, the runner's task already is the current task, and its context the current
context, so ``asyncio.timeout``, task groups and context variables work as in any task. A runner is
used again only while its context is as it was, so no handler sees what another has set.
"""

from __future__ import annotations

import asyncio
from asyncio import _enter_task, _leave_task  # documented under "Extending asyncio"
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from types import coroutine
from typing import Any, TypeAlias

Done: TypeAlias = Callable[[BaseException | None], None]
Handling: TypeAlias = Coroutine[Any, Any, None]

PARKED_RUNNERS = 64
NOT_STEPPED = object()


class RunnerPool:
    """Runs handlers, in place as far as they get."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.context = copy_context()  # what every handler begins with
        self.variables = tuple(self.context.items())
        self._parked: list[Runner] = []
        self._closed = False

    def run(self, handling: Handling, done: Done) -> Runner | None:
        """Step `handling`. Return None if it has finished, else who carries it on.

        What it raises in its first step is raised here; `done` is called, with what it raised or
        None, only if it finishes later.
        """
        if not self._parked:
            return Runner(self, handling, done)
        runner = self._parked[-1]
        loop, task = self._loop, runner.task
        try:
            _enter_task(loop, task)
        except RuntimeError:  # this is another task's step
            return Runner(self, handling, done)
        try:
            awaited = runner.context.run(handling.send, None)
        except StopIteration:
            _leave_task(loop, task)
            if (runner.context or task.cancelling()) and not runner.pristine():
                self._parked.pop().retire()
            return None
        except BaseException:
            _leave_task(loop, task)
            self._parked.pop().retire()
            raise
        _leave_task(loop, task)
        self._parked.pop()
        runner.carry_on(handling, awaited, done)
        return runner

    def park(self, runner: Runner) -> None:
        """Keep `runner` for another handler, if it is as good as new."""
        if self._closed or len(self._parked) >= PARKED_RUNNERS or not runner.pristine():
            runner.retire()
        else:
            self._parked.append(runner)

    def forget(self, runner: Runner) -> None:
        """The task of `runner` has ended, by whatever hand."""
        if runner in self._parked:
            self._parked.remove(runner)

    def close(self) -> None:
        """Let the parked runners go; running ones go when they are done."""
        self._closed = True
        while self._parked:
            self._parked.pop().retire()


class Runner:
    """A task that carries on one handler at a time.

    Its first handler it starts itself, since a task is not entered before it has been scheduled.
    """

    __slots__ = (
        "_awaited",
        "_done",
        "_handling",
        "_pool",
        "_retired",
        "_wake",
        "context",
        "task",
    )

    def __init__(self, pool: RunnerPool, handling: Handling, done: Done) -> None:
        loop = asyncio.get_running_loop()
        self._pool = pool
        self._wake: asyncio.Future[None] | None = None
        self._retired = False
        self._handling: Handling | None = handling
        self._awaited: object = NOT_STEPPED
        self._done = done
        self.context = pool.context.copy()
        self.task = loop.create_task(self._run(), context=self.context)
        self.task.add_done_callback(self._task_done, context=pool.context)

    def carry_on(self, handling: Handling, awaited: object, done: Done) -> None:
        """Carry on `handling`, which has been stepped and waits for `awaited`."""
        self._handling = handling
        self._awaited = awaited
        self._done = done
        self._signal()

    def cancel(self) -> None:
        """Cancel the handler that runs."""
        self.task.cancel()

    def retire(self) -> None:
        """End the task; nothing runs in it."""
        self._retired = True
        self._signal()

    def pristine(self) -> bool:
        """Whether the context is as it was, and no cancel is outstanding."""
        context = self.context
        variables = self._pool.variables
        if len(context) != len(variables) or self.task.cancelling():
            return False
        return all(context.get(variable) is value for variable, value in variables)

    def _signal(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._retired:
            interrupt = None
            if self._handling is None:
                self._wake = loop.create_future()
                try:
                    await self._wake
                except asyncio.CancelledError as error:
                    interrupt = error  # meant for the handler, stepped and not yet carried on
                if self._handling is None:
                    return
            failure: BaseException | None = None
            try:
                if self._awaited is NOT_STEPPED:
                    await self._handling  # in a crowd that waits most do: one frame less for each
                else:
                    await _carry_on(self._handling, self._awaited, interrupt)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 - handed on
                failure = error
            self._handling = self._awaited = None
            # Not from within this task: what follows may step the next handler in place.
            loop.call_soon(self._done, failure, context=self._pool.context)
            if self.task.cancelling():
                return
            loop.call_soon(self._pool.park, self)

    def _task_done(self, _task: asyncio.Task[None]) -> None:
        self._pool.forget(self)
        if self._handling is not None:
            # Cancelled before it was ever entered.
            self._handling.close()
            self._handling = None
            self._done(asyncio.CancelledError())


@coroutine
def _carry_on(
    handling: Handling, awaited: object, error: BaseException | None
) -> Generator[object, None, None]:
    """Go on with a coroutine that has yielded `awaited`, or first throw `error` into it."""
    while True:
        if error is not None:
            try:
                awaited = handling.throw(error)
            except StopIteration:
                return
        try:
            yield awaited
        except GeneratorExit:
            handling.close()
            raise
        except BaseException as raised:  # noqa: BLE001 - thrown into the handler
            error = raised
        else:
            break
    yield from handling
