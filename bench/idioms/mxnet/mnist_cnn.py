"""A CNN for MNIST, as in Gluon's crash course and MXNet's tutorial on handwritten digits."""

from mxnet import autograd, gluon, init, nd
from mxnet.gluon import nn


def build():
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(channels=32, kernel_size=3, activation="relu"),
        nn.MaxPool2D(pool_size=2),
        nn.Conv2D(channels=64, kernel_size=3, activation="relu"),
        nn.MaxPool2D(pool_size=2),
        nn.Dense(10),  # flattens the images
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
        trainer.step(batch_size=len(images))
        losses.append(loss.mean().asscalar())
    return losses


def predict(net, images):
    return net(nd.array(images)).asnumpy()
