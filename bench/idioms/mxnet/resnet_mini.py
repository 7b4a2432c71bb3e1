"""A small residual network with batch normalisation, after Gluon's BasicBlockV1."""

from mxnet import autograd, gluon, init, nd
from mxnet.gluon import nn


class Block(nn.HybridBlock):
    def __init__(self, channels, strides=1, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.body = nn.HybridSequential()
            self.body.add(
                nn.Conv2D(channels, kernel_size=3, strides=strides, padding=1, use_bias=False),
                nn.BatchNorm(),
                nn.Swish(),
                nn.Conv2D(channels, kernel_size=3, padding=1, use_bias=False),
                nn.BatchNorm(),
            )
            self.shortcut = None
            if strides != 1:
                self.shortcut = nn.HybridSequential()
                self.shortcut.add(
                    nn.Conv2D(channels, kernel_size=1, strides=strides, use_bias=False),
                    nn.BatchNorm(),
                )
            self.silu = nn.Swish()

    def hybrid_forward(self, F, x):
        shortcut = self.shortcut(x) if self.shortcut else x
        return self.silu(self.body(x) + shortcut)


def build():
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(16, kernel_size=3, padding=1, use_bias=False),
        nn.BatchNorm(),
        nn.Swish(),
        Block(16),
        Block(32, strides=2),
        nn.GlobalAvgPool2D(),
        nn.Dense(10),
    )
    net.initialize(init.Xavier())
    net.hybridize()
    return net


def train(net, batches, learning_rate):
    loss_fn = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate})
    losses = []
    for images, labels in batches:
        with autograd.record():
            loss = loss_fn(net(nd.array(images)), nd.array(labels))
        loss.backward()
        trainer.step(batch_size=len(labels))
        losses.append(loss.mean().asscalar())
    return losses


def predict(net, images):
    return net(nd.array(images)).asnumpy()
