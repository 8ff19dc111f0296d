"""The modules here are programs that tests start on several ranks; some need mpi4py at import."""

collect_ignore_glob = ["*.py"]
