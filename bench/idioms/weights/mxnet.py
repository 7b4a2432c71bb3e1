"""What a Gluon model is made of, for `bench/idioms/runner.py`."""

import mxnet
from mxnet import gluon
from mxnet.gluon import nn, rnn

CHANNELS_LAST = False
BACKBONE = "backbone.params"


def parts(block, layers):
    """(kind, {suffix: (read, write)}) of every block with weights of its own, in the order of definition."""
    if isinstance(block, nn.Conv2D):
        yield "conv2d", named(weight=block.weight, bias=block.bias)
    elif isinstance(block, nn.Dense):
        yield "dense", named(weight=(block.weight, transpose), bias=block.bias)
    elif isinstance(block, nn.Embedding):
        yield "embedding", named(weight=block.weight)
    elif isinstance(block, nn.LayerNorm):
        yield "layer-norm", named(weight=block.gamma, bias=block.beta)
    elif isinstance(block, nn.BatchNorm):
        state = {"mean": block.running_mean, "variance": block.running_var}
        yield "batch-norm", named(weight=block.gamma, bias=block.beta, **state)
    elif isinstance(block, rnn.LSTM):
        second = block.l0_h2h_bias
        second.set_data(mxnet.nd.zeros(second.shape))
        second.grad_req = "null"
        kernels = {"kernel": (block.l0_i2h_weight, transpose), "recurrent": (block.l0_h2h_weight, transpose)}
        yield "lstm", named(bias=block.l0_i2h_bias, **kernels)
    else:
        for parameter in block._reg_params.values():
            if not isinstance(parameter, gluon.Constant):
                yield "positions", named(weight=(parameter, without_batch) if len(parameter.shape) == 3 else parameter)
        for child in block._children.values():
            yield from parts(child, layers)


def transpose(array):
    return array.T


def without_batch(array):
    """(1, T, D) <-> (T, D)."""
    return array[0] if array.ndim == 3 else array[None]


def named(**tensors):
    """{suffix: (read, write)}; a bias that a layer goes without is left out.

    A tensor is a parameter, or a pair of it and the function that turns its layout into the canonical one and back.
    """
    pairs = {suffix: given if isinstance(given, tuple) else (given, None) for suffix, given in tensors.items()}
    return {suffix: access(*pair) for suffix, pair in pairs.items() if pair[0] is not None}


def access(parameter, turn):
    def read():
        array = parameter.data().asnumpy()
        return turn(array) if turn else array

    def write(array):
        parameter.set_data(mxnet.nd.array(turn(array) if turn else array))

    return read, write


def settle(block, inputs):
    """Gluon learns the number of inputs of a layer from the first batch."""
    block(mxnet.nd.array(inputs))


def save(block, path):
    block.save_parameters(path)
