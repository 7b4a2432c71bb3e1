"""LeNet on MNIST, as the CNN of MXNet's tutorial on handwritten digits."""

from mxnet import autograd, gluon, init, nd
from mxnet.gluon import nn


def build():
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(channels=20, kernel_size=5, activation="tanh"),
        nn.MaxPool2D(pool_size=2),
        nn.Conv2D(channels=50, kernel_size=5, activation="tanh"),
        nn.MaxPool2D(pool_size=2),
        nn.Dense(500, activation="tanh"),  # flattens the images
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
