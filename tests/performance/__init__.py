"""How fast things are, as ratios against the plainest program that does the same. Asserts nothing.

python -m tests.performance
"""
