"""A question about a large image: two branches in a HybridBlock, after Gluon's guide to layers."""

from mxnet import autograd, gluon, init, nd
from mxnet.gluon import nn, rnn


class Answerer(nn.HybridBlock):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.see = nn.HybridSequential()
            self.see.add(
                nn.Conv2D(channels=16, kernel_size=11, strides=4, activation="relu"),
                nn.MaxPool2D(pool_size=2),
                nn.Conv2D(channels=32, kernel_size=3, activation="relu"),
                nn.MaxPool2D(pool_size=2),
                nn.Dense(64),
            )
            self.words = nn.Embedding(1000, 32)
            self.lstm = rnn.LSTM(64, layout="NTC")
            self.answer = nn.Dense(894)

    def hybrid_forward(self, F, image, question):
        outputs = self.lstm(self.words(question))
        last = F.squeeze(F.slice_axis(outputs, axis=1, begin=-1, end=None), axis=1)
        return self.answer(F.concat(self.see(image), last, dim=1))


def build():
    net = Answerer()
    net.initialize(init.Xavier())
    net.hybridize()
    return net


def train(net, batches, learning_rate):
    loss_fn = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate})
    losses = []
    for inputs, answers in batches:
        with autograd.record():
            outputs = net(nd.array(inputs["image"]), nd.array(inputs["question"]))
            loss = loss_fn(outputs, nd.array(answers))
        loss.backward()
        trainer.step(batch_size=len(answers))
        losses.append(loss.mean().asscalar())
    return losses


def predict(net, inputs):
    return net(nd.array(inputs["image"]), nd.array(inputs["question"])).asnumpy()
