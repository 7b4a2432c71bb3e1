"""What a PyTorch model is made of, for `bench/idioms/runner.py`."""

import torch
from torch import nn

CHANNELS_LAST = False
BACKBONE = "backbone.pt"


def parts(model, layers):
    """(kind, {suffix: (read, write)}) of every module with weights of its own, in the order of definition."""
    inside = set()  # what belongs to a part already named
    for module in model.modules():
        if module in inside:
            continue
        if isinstance(module, nn.Conv2d):
            yield "conv2d", named(weight=module.weight, bias=module.bias)
        elif isinstance(module, nn.Linear):
            yield "dense", named(weight=module.weight.T, bias=module.bias)
        elif isinstance(module, nn.Embedding):
            yield "embedding", named(weight=module.weight)
        elif isinstance(module, nn.LayerNorm):
            yield "layer-norm", named(weight=module.weight, bias=module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            state = {"mean": module.running_mean, "variance": module.running_var}
            yield "batch-norm", named(weight=module.weight, bias=module.bias, **state)
        elif isinstance(module, nn.LSTM):
            module.bias_hh_l0.requires_grad_(False).zero_()  # the second bias vector
            kernels = {"kernel": module.weight_ih_l0.T, "recurrent": module.weight_hh_l0.T}
            yield "lstm", named(bias=module.bias_ih_l0, **kernels)
        elif isinstance(module, nn.MultiheadAttention):
            inside.update(module.modules())
            tensors = {
                "qkv.weight": module.in_proj_weight.T,
                "qkv.bias": module.in_proj_bias,
                "out.weight": module.out_proj.weight.T,
                "out.bias": module.out_proj.bias,
            }
            yield "attention", named(**tensors)
        else:
            for parameter in module.parameters(recurse=False):
                yield "positions", named(weight=parameter[0] if parameter.dim() == 3 else parameter)


def named(**tensors):
    """{suffix: (read, write)}; a bias that a layer goes without is left out."""
    return {suffix: access(tensor) for suffix, tensor in tensors.items() if tensor is not None}


def access(tensor):
    """(read, write) of a tensor, or of a view of one."""
    view = tensor.detach()

    def write(array):
        view.copy_(torch.from_numpy(array))

    return view.numpy, write


def save(model, path):
    torch.save(model.state_dict(), path)
