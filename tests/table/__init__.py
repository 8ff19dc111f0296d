"""The op table: a row for each operation, its cases, and what is checked of them."""
