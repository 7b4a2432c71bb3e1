"""What a tf.Module is made of, for `bench/idioms/runner.py`. TensorFlow has no layers: classes are known by name."""

import tensorflow as tf

CHANNELS_LAST = True
BACKBONE = "backbone"

# Class in the idioms -> kind of layer, and its variables: attribute -> suffix of the canonical tensor.
KINDS = {
    "Conv2D": ("conv2d", {"w": "weight", "b": "bias"}),
    "Dense": ("dense", {"w": "weight", "b": "bias"}),
    "Recurrence": ("dense", {"w": "weight", "b": "bias"}),
    "LayerNorm": ("layer-norm", {"scale": "weight", "offset": "bias"}),
    "BatchNorm": ("batch-norm", {"scale": "weight", "offset": "bias", "mean": "mean", "variance": "variance"}),
    "LSTM": ("lstm", {"kernel": "kernel", "recurrent_kernel": "recurrent", "bias": "bias"}),
}


def parts(model, layers):
    """(kind, {suffix: (read, write)}) of every layer, in the order of the assignments in `__init__`.

    A variable outside a layer is a table of vectors, and named after its kind: embedding or positions.
    """
    kind, suffixes = KINDS.get(type(model).__name__, (None, {}))
    if kind is not None:
        variables = {suffix: getattr(model, name, None) for name, suffix in suffixes.items()}
        yield kind, {suffix: access(variable) for suffix, variable in variables.items() if variable is not None}
        return
    for name, value in vars(model).items():
        for inner in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(inner, tf.Module):
                yield from parts(inner, layers)
            elif isinstance(inner, tf.Variable):
                yield name, {"weight": access(inner)}


def access(variable):
    """(read, write) of a variable; a convolution's kernel is height, width, in, out."""
    if len(variable.shape) == 4:
        return (
            lambda: variable.numpy().transpose(3, 2, 0, 1),
            lambda array: variable.assign(array.transpose(2, 3, 1, 0)),
        )
    return variable.numpy, variable.assign


def save(model, path):
    tf.train.Checkpoint(model=model).write(path)
