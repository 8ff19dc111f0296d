"""Make ``import autograd`` mean ``import autograd_core.hips``, for the programs of `hips_suite`."""

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

OURS = "autograd_core.hips"


class Alias(MetaPathFinder, Loader):
    """Finds a module of HIPS autograd in this library."""

    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] != "autograd":
            return None
        return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = importlib.import_module(OURS + spec.name.removeprefix("autograd"))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module):
        module.__spec__ = module.__spec__.loader_state


def pytest_configure():
    """Install it; pytest calls this for ``-p tests.hips_alias``."""
    sys.meta_path.insert(0, Alias())
