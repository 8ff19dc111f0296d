"""Programs that tests/test_distributed*.py run on several ranks."""
