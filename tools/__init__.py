"""Writers of files, for developers: `python -m tools.coverage`, `python -m tools.stub`."""
