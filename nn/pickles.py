"""A stack machine for pickles that builds plain values and asks for everything else.

A pickle is a program: it may name any function and call it. Here a name has the meaning that a
subclass gives it or is an error; nothing is imported, and no attribute is ever looked up.
"""

from __future__ import annotations

import pickletools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NoReturn

__all__: list[str] = []

PLAIN = (str, int, float, complex, bool, bytes, type(None))

# The opcodes, as pickletools describes them
PUSHED = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE",
    "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8",
}  # fmt: skip
NEW: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_SET": set,
}  # fmt: skip
# Longer integers are in no state. Some pickles are made to take minutes: with huge integers, which
# are slow to print, or with keys of the same hash.
BITS, KEY_BITS = 4096, 60
WITHOUT_EFFECT = ("PROTO", "FRAME", "STOP")


class Machine:
    """Interprets a pickle. Subclasses define what its names mean, what a call of such a meaning
    returns, and what persistent ids stand for.

    A pickle that no Pickler writes raises one of IndexError, KeyError, TypeError and ValueError.
    """

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stack under each mark
        self.memo: dict[int, Any] = {}

    def named(self, name: str) -> Any:
        """What the global `name`, "module name", stands for."""
        raise NotImplementedError

    def called(self, function: Any, arguments: Any) -> Any:
        raise NotImplementedError

    def persistent(self, key: Any) -> Any:
        raise NotImplementedError

    def refuse(self, what: str) -> NoReturn:
        raise NotImplementedError

    def run(self, pickle: bytes) -> Any:
        for opcode, argument, _ in pickletools.genops(pickle):
            name = opcode.name
            if name in PUSHED:
                if isinstance(argument, int) and argument.bit_length() > BITS:
                    raise ValueError(f"an integer of more than {BITS} bits")
                self.stack.append(argument)
            elif name in NEW:
                self.stack.append(NEW[name]())
            elif name in OPCODES:
                OPCODES[name](self, argument)
            elif name not in WITHOUT_EFFECT:
                self.refuse(f"the pickle opcode {name}")
        (result,) = self.stack
        return result

    # The opcodes; their argument is None where they have none

    def mark(self, _: Any) -> None:
        self.below.append(self.stack)
        self.stack = []

    def marked(self) -> list[Any]:
        """Pop the items above the last mark."""
        items, self.stack = self.stack, self.below.pop()
        return items

    def tuple_of_marked(self, _: Any) -> None:
        items = self.marked()
        self.stack.append(tuple(items))

    def frozen_set(self, _: Any) -> None:
        items = self.marked()
        self.stack.append(frozenset(map(plain, items)))

    def last(self, count: int) -> tuple[Any, ...]:
        if len(self.stack) < count:
            raise IndexError("the stack of the pickle is too short")
        items = tuple(self.stack[-count:])
        del self.stack[-count:]
        return items

    def push_tuple(self, count: int) -> None:
        self.stack.append(self.last(count))

    def put(self, index: int | None) -> None:
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]

    def get(self, index: int) -> None:
        self.stack.append(self.memo[index])

    def append(self, _: Any) -> None:
        (item,) = self.last(1)
        self.extend([item])

    def appends(self, _: Any) -> None:
        self.extend(self.marked())

    def extend(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise TypeError("an item is appended to what is not a list")
        self.stack[-1].extend(items)

    def set_item(self, _: Any) -> None:
        self.update(self.last(2))

    def set_items(self, _: Any) -> None:
        self.update(self.marked())

    def update(self, items: Any) -> None:
        if type(self.stack[-1]) not in (dict, OrderedDict):
            raise TypeError("an item is set in what is not a dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            self.stack[-1][plain(key)] = value

    def add_items(self, _: Any) -> None:
        items = self.marked()
        if type(self.stack[-1]) is not set:
            raise TypeError("an item is added to what is not a set")
        self.stack[-1].update(map(plain, items))

    def new_dict(self, _: Any) -> None:
        items = self.marked()
        self.stack.append({})
        self.update(items)

    def new_list(self, _: Any) -> None:
        items = self.marked()
        self.stack.append(items)

    def name(self, name: str) -> None:
        self.stack.append(self.named(name))

    def name_on_stack(self, _: Any) -> None:
        module, name = self.last(2)
        if type(module) is not str or type(name) is not str:
            raise TypeError("the name of a global is not a text")
        self.stack.append(self.named(f"{module} {name}"))

    def call(self, _: Any) -> None:
        function, arguments = self.last(2)
        self.stack.append(self.called(function, arguments))

    def instance(self, name: str) -> None:
        self.refuse(dotted(name))

    def persistent_id(self, _: Any) -> None:
        (key,) = self.last(1)
        self.stack.append(self.persistent(key))

    def attributes(self, _: Any) -> None:
        """Only a state_dict has attributes, its `_metadata`. They are left out."""
        target, attributes = self.last(2)
        if type(target) is not OrderedDict or type(attributes) not in (dict, OrderedDict):
            self.refuse(f"the attributes of a {type(target).__name__}")
        self.stack.append(target)

    def pop(self, _: Any) -> None:
        self.last(1)

    def pop_marked(self, _: Any) -> None:
        self.marked()


OPCODES: dict[str, Callable[[Machine, Any], None]] = {
    "MARK": Machine.mark, "POP": Machine.pop, "POP_MARK": Machine.pop_marked,
    "TUPLE": Machine.tuple_of_marked, "DICT": Machine.new_dict, "LIST": Machine.new_list,
    "TUPLE1": lambda machine, _: machine.push_tuple(1),
    "TUPLE2": lambda machine, _: machine.push_tuple(2),
    "TUPLE3": lambda machine, _: machine.push_tuple(3),
    "FROZENSET": Machine.frozen_set, "ADDITEMS": Machine.add_items,
    "APPEND": Machine.append, "APPENDS": Machine.appends,
    "SETITEM": Machine.set_item, "SETITEMS": Machine.set_items,
    "PUT": Machine.put, "BINPUT": Machine.put, "LONG_BINPUT": Machine.put, "MEMOIZE": Machine.put,
    "GET": Machine.get, "BINGET": Machine.get, "LONG_BINGET": Machine.get,
    "GLOBAL": Machine.name, "STACK_GLOBAL": Machine.name_on_stack, "INST": Machine.instance,
    "REDUCE": Machine.call, "BUILD": Machine.attributes, "BINPERSID": Machine.persistent_id,
}  # fmt: skip


def plain(key: Any) -> Any:
    """`key`, if it may be a key of a dict or in a set: a plain value, or a tuple of them. hash() of
    deeper tuples is recursive; it would overflow the stack of the process."""
    for part in key if type(key) is tuple else (key,):
        if type(part) not in PLAIN:
            raise TypeError(f"a {type(part).__name__} is a key or in a set")
        if isinstance(part, int) and part.bit_length() > KEY_BITS:
            raise ValueError(f"an integer of more than {KEY_BITS} bits is a key or in a set")
    return key


def plain_items(items: Any) -> list[Any]:
    """The items of a list or a tuple, for a set."""
    if type(items) not in (list, tuple):
        raise TypeError(f"a set is made of a {type(items).__name__}")
    return [plain(item) for item in items]


def dotted(name: str) -> str:
    """The name of a global for an error message."""
    name = name.replace(" ", ".")
    return name if name.isprintable() and len(name) <= 100 else f"{name[:100]!r}"
