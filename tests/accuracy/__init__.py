"""Every function against mpmath, over its whole domain."""
