"""MXNet's Gluon, hybridised."""

import sys

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon
from mxnet.gluon import nn

material = np.load(sys.argv[1])

net = nn.HybridSequential()
net.add(
    nn.Conv2D(32, 3, in_channels=1),
    nn.Activation("relu"),
    nn.MaxPool2D(2),
    nn.Conv2D(64, 3, in_channels=32),
    nn.Activation("relu"),
    nn.MaxPool2D(2),
    nn.Flatten(),
    nn.Dense(10, in_units=1600),
)
net.initialize(mx.init.Zero())
for layer, name in ((0, "conv1"), (3, "conv2"), (7, "dense")):
    weight = material[name + ".weight"]
    net[layer].weight.set_data(mx.nd.array(weight.T if name == "dense" else weight))
    net[layer].bias.set_data(mx.nd.array(material[name + ".bias"]))
net.hybridize()
loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": float(material["learning_rate"])})
inputs = [mx.nd.array(batch) for batch in material["inputs"]]
targets = [mx.nd.array(batch) for batch in material["targets"]]
batches = list(zip(inputs, targets, strict=True))
size = len(inputs[0])

place = 0


def train(steps):
    global place
    for _ in range(steps):
        x, y = batches[place]
        place = (place + 1) % len(batches)
        with autograd.record():
            loss = loss_of(net(x), y)
        loss.backward()
        trainer.step(size)
    mx.nd.waitall()
    return loss.mean().asscalar()
