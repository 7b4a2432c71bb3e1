"""A loop of constant length, unrolled into a graph as in Gluon's guide to hybridize()."""

from mxnet import autograd, gluon, init, nd
from mxnet.gluon import nn


class Loop(nn.HybridBlock):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.step = nn.Dense(128, in_units=128)
            self.head = nn.Dense(10)

    def hybrid_forward(self, F, h):
        for _ in range(20):
            h = self.step(h)
        return self.head(h)


def build():
    net = Loop()
    net.initialize(init.Xavier())
    net.hybridize()
    return net


def train(net, batches, learning_rate):
    loss_fn = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate})
    losses = []
    for starts, labels in batches:
        with autograd.record():
            loss = loss_fn(net(nd.array(starts)), nd.array(labels))
        loss.backward()
        trainer.step(batch_size=len(labels))
        losses.append(loss.mean().asscalar())
    return losses


def predict(net, starts):
    return net(nd.array(starts)).asnumpy()
