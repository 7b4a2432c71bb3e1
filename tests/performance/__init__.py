"""Performance: prints ratios and their bounds, asserts no time. `python -m tests.performance [words]`."""
