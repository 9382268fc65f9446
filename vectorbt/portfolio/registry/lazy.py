"""Attributes that are computed when they are first asked for."""

from vectorbt import _typing as tp

T = tp.TypeVar("T")


class lazy(tp.Generic[T]):  # a decorator, as functools.cached_property
    """Decorator of a method without arguments, whose result becomes an attribute.

    It takes no lock. `functools.cached_property` holds one of the class in Python 3.11: a process that is forked while
    another thread computes such an attribute would wait for it for ever. Two threads may compute it at the same time,
    so it has to be the same every time.

    Args:
        function (callable): Method."""

    def __init__(self, function: tp.Callable[[tp.Any], T]) -> None:
        self._function = function
        self._name = function.__name__
        self.__doc__ = function.__doc__

    def __get__(self, instance: tp.Any, owner: tp.Any = None) -> T:
        if instance is None:
            return self  # type: ignore[return-value]  # for whoever looks at the class
        value = instance.__dict__[self._name] = self._function(instance)
        return value
