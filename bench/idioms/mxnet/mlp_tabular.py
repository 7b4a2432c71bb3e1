"""Rows of a table through dense layers, as in Gluon's crash course, "Create a neural network"."""

from mxnet import autograd, gluon, init, nd
from mxnet.gluon import nn


def build():
    net = nn.HybridSequential()
    net.add(
        nn.Dense(300, activation="relu"),
        nn.Dense(300, activation="relu"),
        nn.Dense(300, activation="relu"),
        nn.Dense(300, activation="relu"),
        nn.Dense(2),
    )
    net.initialize(init.Xavier())
    net.hybridize()
    return net


def train(net, batches, learning_rate):
    loss_fn = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate})
    losses = []
    for rows, labels in batches:
        with autograd.record():
            loss = loss_fn(net(nd.array(rows)), nd.array(labels))
        loss.backward()
        trainer.step(batch_size=len(labels))
        losses.append(loss.mean().asscalar())
    return losses


def predict(net, rows):
    return net(nd.array(rows)).asnumpy()
