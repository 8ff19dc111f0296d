"""Python's built-in types and functions under HIPS autograd's names. Lists, tuples and dicts of
Tensors are Python's own; `isinstance` and `type` look at the value of a Tensor."""

from __future__ import annotations

import builtins

from autograd_core.hips.primitives import notrace_primitive

dict, list, tuple = builtins.dict, builtins.list, builtins.tuple
isinstance = notrace_primitive(builtins.isinstance)
type = notrace_primitive(builtins.type)
