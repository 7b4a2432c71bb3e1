"""A frozen body under a new head, after Gluon's guides to saved parameters and deployment."""

from mxnet import autograd, gluon, init, nd
from mxnet.gluon import nn


def backbone():
    body = nn.HybridSequential()
    body.add(
        nn.Conv2D(channels=32, kernel_size=3, padding=1, activation="relu"),
        nn.MaxPool2D(pool_size=2),
        nn.Conv2D(channels=64, kernel_size=3, padding=1, activation="relu"),
        nn.MaxPool2D(pool_size=2),
        nn.Flatten(),
    )
    body.initialize(init.Xavier())
    return body


def build(path):
    body = backbone()
    body.load_parameters(path)
    body.collect_params().setattr("grad_req", "null")
    head = nn.HybridSequential()
    head.add(nn.Dense(64, activation="tanh"), nn.Dense(5))
    head.initialize(init.Xavier())
    net = nn.HybridSequential()
    net.add(body, head)
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
