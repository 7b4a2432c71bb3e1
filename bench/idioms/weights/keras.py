"""What a Keras model is made of, for `bench/idioms/runner.py`."""

import keras
import numpy as np
from keras import layers as kinds

CHANNELS_LAST = True
BACKBONE = "backbone.weights.h5"


def parts(model, layers):
    """(kind, {suffix: (read, write)}) of every layer with weights, models inside models unfolded."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from parts(layer, layers)
        elif isinstance(layer, kinds.Conv2D):
            yield "conv2d", named(weight=image_kernel(layer.kernel), bias=same(layer.bias))
        elif isinstance(layer, kinds.LSTM):
            cell = layer.cell
            kernels = {"kernel": same(cell.kernel), "recurrent": same(cell.recurrent_kernel)}
            yield "lstm", named(bias=same(cell.bias), **kernels)
        elif isinstance(layer, kinds.Embedding):
            yield "embedding", named(weight=same(layer.embeddings))
        elif isinstance(layer, kinds.LayerNormalization):
            yield "layer-norm", named(weight=same(layer.gamma), bias=same(layer.beta))
        elif isinstance(layer, kinds.BatchNormalization):
            state = {"mean": same(layer.moving_mean), "variance": same(layer.moving_variance)}
            yield "batch-norm", named(weight=same(layer.gamma), bias=same(layer.beta), **state)
        elif isinstance(layer, kinds.MultiHeadAttention):
            yield "attention", attention(layer)
        elif hasattr(layer, "kernel"):
            yield "dense", named(weight=same(layer.kernel), bias=same(layer.bias))
        elif layer.weights:
            (weight,) = layer.weights
            yield "positions", named(weight=same(weight))


def named(**tensors):
    """{suffix: (read, write)}; a bias that a layer goes without is left out."""
    return {suffix: access for suffix, access in tensors.items() if access is not None}


def same(variable):
    """(read, write) of a variable in the canonical layout."""
    return None if variable is None else (lambda: numpy(variable), variable.assign)


def image_kernel(variable):
    """(read, write) of a convolution's kernel: height, width, in, out."""
    return lambda: numpy(variable).transpose(3, 2, 0, 1), lambda array: variable.assign(array.transpose(2, 3, 1, 0))


def attention(layer):
    """Queries, keys and values as one, heads as one."""
    inner = layer.query_dense, layer.key_dense, layer.value_dense
    kernels = [dense.kernel for dense in inner]  # features, heads, features of a head
    biases = [dense.bias for dense in inner]  # heads, features of a head
    out = layer.output_dense
    width = out.bias.shape[0]
    return {
        "qkv.weight": joined(kernels, (width, -1)),
        "qkv.bias": joined(biases, (-1,)),
        "out.weight": joined([out.kernel], (-1, width)),
        "out.bias": same(out.bias),
    }


def joined(variables, shape):
    """(read, write) of variables that are one tensor along its last axis, once each is brought into `shape`."""

    def read():
        return np.concatenate([numpy(variable).reshape(shape) for variable in variables], axis=-1)

    def write(array):
        pieces = np.split(array, len(variables), axis=-1)
        for place, variable in enumerate(variables):
            variable.assign(pieces[place].reshape(variable.shape))

    return read, write


def numpy(variable):
    return keras.ops.convert_to_numpy(variable)


def save(model, path):
    model.save_weights(path)
