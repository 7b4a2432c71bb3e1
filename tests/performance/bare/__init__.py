"""mnist-cnn trained by a few lines of each framework and nothing else: what the harness is held against.

Each file runs alone in its framework's environment: `python FILE material.npz THREADS`. It reads numbers of steps from
standard input, trains that many, and prints "loss" and the last step's. Nothing of this project is imported.
"""
