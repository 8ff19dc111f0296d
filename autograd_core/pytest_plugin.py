"""A pytest plugin that adds a section to the report of a wrong gradient: how to reproduce it.

pytest loads it automatically if this package is installed.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

__all__ = ["pytest_runtest_makereport"]

MARK = "To see it again:"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Generator[None, Any, Any]:
    """Add a section to the report of a test that raised a GradientError."""
    report = yield
    error = call.excinfo.value if call.excinfo is not None else None
    text = str(error)
    if type(error).__name__ == "GradientError" and MARK in text:
        report.sections.append((f"gradient: {MARK.lower()}", text.split(MARK, 1)[1].strip("\n")))
    return report
