"""GradBench's protocol, for any set of evals.

In: messages, one JSON object a line; out: one response a line, with the message's ``id``.
``define`` names a module (an eval) and is where everything is compiled: each of its functions is
run on the module's examples, small inputs of the same kinds as the real ones.  ``evaluate`` names a
function and gives its input; it is run at least ``min_runs`` times and for at least
``min_seconds``, and the response has the result of the last run and the time of every run.
Reading the input and writing the result are not timed.  Other messages are acknowledged.

A module is anything with ``FUNCTIONS`` (name -> ``Function``) and ``EXAMPLES`` (a tuple of inputs
as they come from JSON).
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np

Message = dict[str, Any]


def plain(result: Any) -> Any:
    """A result as JSON has it: numbers and nested lists."""
    if isinstance(result, (tuple, list)):
        return [plain(part) for part in result]
    return np.asarray(result).tolist()


@dataclass(frozen=True)
class Function:
    """A function of an eval.

    Args:
        read: arguments from the input of an ``evaluate`` message.
        run: what is timed.
        write: the result as it goes into the response.
    """

    read: Callable[[Any], tuple[Any, ...]]
    run: Callable[..., Any]
    write: Callable[[Any], Any] = plain


@dataclass
class Tool:
    """What answers messages.

    Args:
        name: what the tool calls itself.
        find: the module of an eval by its name, or None.
        clock: nanoseconds, for the times of runs.
        version: name and version, for the ``config`` of the response to ``start``.
    """

    name: str
    find: Callable[[str], Any]
    clock: Callable[[], int] = time.perf_counter_ns
    version: str = ""

    def respond(self, message: Message) -> Message:
        """The response to a message; errors of a function become ``success: false``."""
        answer: Message = {"id": message["id"]}
        try:
            if message["kind"] == "start":
                answer |= {"tool": self.name, "config": self.version or self.name}
            elif message["kind"] == "define":
                answer |= self.define(message["module"])
            elif message["kind"] == "evaluate":
                answer |= self.evaluate(message)
        except Exception:
            answer |= {"success": False, "error": traceback.format_exc()}
        return answer

    def define(self, name: str) -> Message:
        """Import a module and run its functions on its examples, which compiles them."""
        found = self.find(name)
        if found is None:
            return {"success": False, "error": f"no module {name!r}"}
        timings = []
        for label, function in found.FUNCTIONS.items():
            start = self.clock()
            for example in found.EXAMPLES:
                function.write(function.run(*function.read(example)))
            took = self.clock() - start
            timings.append({"name": f"compile {label}", "nanoseconds": took})
        return {"success": True, "timings": timings}

    def evaluate(self, message: Message) -> Message:
        """Run a function as often as the input asks."""
        found = self.find(message["module"])
        if found is None or message["function"] not in found.FUNCTIONS:
            what = f"{message['module']}.{message['function']}"
            return {"success": False, "error": f"no function {what}"}
        function = found.FUNCTIONS[message["function"]]
        given = message["input"]
        limits = given if isinstance(given, dict) else {}
        arguments = function.read(given)
        result, times = self.runs(
            function.run, arguments, limits.get("min_runs", 1), limits.get("min_seconds", 0.0)
        )
        timings = [{"name": "evaluate", "nanoseconds": t} for t in times]
        return {"success": True, "output": function.write(result), "timings": timings}

    def runs(
        self, run: Callable[..., Any], arguments: tuple[Any, ...], count: int, seconds: float
    ) -> tuple[Any, list[int]]:
        """The last result, and the nanoseconds of every run."""
        times: list[int] = []
        while not times or len(times) < count or sum(times) < seconds * 1e9:
            start = self.clock()
            result = run(*arguments)
            times.append(self.clock() - start)
        return result, times

    def session(self, lines: Iterable[str]) -> Iterator[str]:
        """Responses to messages, as lines."""
        for line in lines:
            if line.strip():
                yield json.dumps(self.respond(json.loads(line)))


def serve(tool: Tool, lines: TextIO = sys.stdin, out: TextIO = sys.stdout) -> None:
    """Answer until the input ends; whatever functions print goes to standard error."""
    with contextlib.redirect_stdout(sys.stderr), contextlib.suppress(BrokenPipeError):
        for line in tool.session(lines):
            print(line, file=out, flush=True)
