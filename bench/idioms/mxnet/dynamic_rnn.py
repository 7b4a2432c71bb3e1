"""A loop whose length changes: a Block runs as Python, as Gluon's guide to hybridize() says."""

from mxnet import autograd, gluon, init, nd
from mxnet.gluon import nn


class Loop(nn.Block):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.step = nn.Dense(128)
            self.head = nn.Dense(10)

    def forward(self, h, steps):
        for _ in range(steps):
            h = self.step(h)
        return self.head(h)


def build():
    net = Loop()
    net.initialize(init.Xavier())  # no hybridize(): the length is known at the call only
    return net


def train(net, batches, learning_rate):
    loss_fn = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate})
    losses = []
    for starts, labels, steps in batches:
        with autograd.record():
            loss = loss_fn(net(nd.array(starts), steps), nd.array(labels))
        loss.backward()
        trainer.step(batch_size=len(labels))
        losses.append(loss.mean().asscalar())
    return losses


def predict(net, starts, steps):
    return net(nd.array(starts), steps).asnumpy()
