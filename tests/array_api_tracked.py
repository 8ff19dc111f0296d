"""`autograd_core` with every new floating array tracked, for the Array API's test suite.

    git clone https://github.com/data-apis/array-api-tests && cd array-api-tests
    PYTHONPATH=… ARRAY_API_TESTS_MODULE=tests.array_api_tracked pytest array_api_tests

What writes in place on a leaf, or shares memory with another library, is not legal for a tracked
Tensor, and may fail there.
"""

import functools
import sys
import types

import autograd_core as ac
from autograd_core.interface import creation


def tracked(make):
    @functools.wraps(make)
    def made(*args, **settings):
        out = make(*args, **settings)
        if not isinstance(out, ac.Tensor) or out.requires_grad or out.dtype.kind not in "fc":
            return out
        # not a leaf: x[i] = v then makes a new Tensor, as it does for all that was computed
        return ac.copy(ac.Tensor(out.data, requires_grad=True))

    return made


class Namespace(types.ModuleType):
    def __getattr__(self, name):
        value = getattr(ac, name)
        return tracked(value) if name in creation.__all__ else value


sys.modules[__name__].__class__ = Namespace
__array_api_version__ = ac.__array_api_version__
