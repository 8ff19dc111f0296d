"""Scripts that write generated files: `python -m tools.coverage`, `python -m tools.stub`."""
