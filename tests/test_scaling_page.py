"""docs/scaling.md: its program runs on one rank, and what it prints of errors is what they say."""

import re
from pathlib import Path

from tests.test_distributed import SAID

PAGE = (Path(__file__).parent.parent / "docs" / "scaling.md").read_text()


def test_the_program_runs():
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(block, {})


def test_the_errors_are_those_of_the_tests():
    for name in ("raises", "shapes"):
        for words in SAID[name]:
            assert words.split("\n")[0].strip() in PAGE, words
