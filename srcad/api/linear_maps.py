"""What ``vjp`` and ``linearize`` give besides the value: linear maps that are functions themselves.

In: the function and the point; how the map is run from the interpreter.  Out: a callable that runs
so, and that every transform takes like a function of the user: to it the map is the program
``vjp(f, *args)[1](seed)``, in the differentiable language (``nested_later``).

Invariant: the point is a copy.  Nothing of the machinery of function objects is made before a
transform asks for it, so that a pullback costs no more than the closure it stands for.

Limits: a transform sees arrays that ``f`` captures as they are then; if they have changed since the
map was made, it is refused, and so is a function that draws random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from srcad.api.function import Transformed
from srcad.errors import NoDerivative
from srcad.specs import Spec

if TYPE_CHECKING:
    from srcad.compiler import Program

LAZY = ("inner", "_own", "cache", "quick", "plans", "routes", "ready", "lowered")


class LinearMap(Transformed):
    """A linear function of one kind; its subclasses say which."""

    def __init__(
        self,
        f: Any,
        point: Callable[[], tuple[Any, ...]],
        call: Callable[..., Any] | None = None,
        obstacle: Callable[[], str] = str,
        **options: Any,
    ) -> None:
        self.f, self.find, self.direct, self.obstacle = f, point, call, obstacle
        self.__name__ = f"{self.label}({getattr(f, '__name__', 'f')})"
        self.given = options
        self.enter(self.called)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The map applied."""
        if kwargs or self.direct is None:
            return super().__call__(*args, **kwargs)
        return self.direct(*args)

    def __getattr__(self, name: str) -> Any:
        if name not in LAZY:
            raise AttributeError(name)
        known = self.__name__
        super().__init__(self.function(), **self.given)
        self.__name__ = known
        return self.__dict__[name]

    def function(self) -> Callable[..., Any]:
        """The map in the differentiable language."""
        raise NotImplementedError

    @cached_property
    def point(self) -> tuple[Any, ...]:
        """Where the map was made."""
        return self.find()

    def program(self, specs: dict[str, Spec]) -> Program:
        """See ``Transformed.program``."""
        self.check()
        return super().program(specs)

    def check(self) -> None:
        """Refuse to be transformed where the map would not be the same.

        Raises:
            NoDerivative: it would not.
        """
        reason = self.obstacle()
        if reason:
            raise NoDerivative(
                f"{self.__name__} as a function to transform: {reason}",
                why="the map is the one at the point where it was made",
                instead="make it in the function that you transform",
            )

    def state(self) -> tuple[Any, ...]:
        """See ``Transformed.state``."""
        return (self.f, Fixed(self.point), self.given)


class Fixed:
    """A function of nothing (which can be pickled)."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self) -> Any:
        """The value."""
        return self.value


class Pullback(LinearMap):
    """Cotangents of the arguments, from one of the result."""

    label = "pullback"

    def function(self) -> Callable[..., Any]:
        """The map in the differentiable language."""
        from srcad.api.higher import vjp

        f, point = self.f, self.point

        def pullback(seed: Any) -> Any:
            return vjp(f, *point)[1](seed)

        return pullback


class Linearized(LinearMap):
    """The tangent of the result, from those of the arguments."""

    label = "linearized"

    def function(self) -> Callable[..., Any]:
        """The map in the differentiable language."""
        from srcad.api.higher import jvp

        f, point = self.f, self.point

        def linearized(*tangents: Any) -> Any:
            return jvp(f, point, tangents)[1]

        return linearized
