"""An LSTM that forecasts the next hour's PM2.5, after rnn.LSTM's page in Gluon's reference."""

from mxnet import autograd, gluon, init, nd
from mxnet.gluon import nn, rnn


class Forecaster(nn.HybridBlock):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.lstm = rnn.LSTM(50, layout="NTC")
            self.head = nn.Dense(1)

    def hybrid_forward(self, F, series):
        outputs = self.lstm(series)  # (batch, hours, units)
        last = F.slice_axis(outputs, axis=1, begin=-1, end=None)
        return self.head(last)


def build():
    net = Forecaster()
    net.initialize(init.Xavier())
    net.hybridize()
    return net


def train(net, batches, learning_rate):
    loss_fn = gluon.loss.L2Loss(weight=2)  # L2Loss is half the squared error
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate})
    losses = []
    for series, concentration in batches:
        with autograd.record():
            loss = loss_fn(net(nd.array(series)), nd.array(concentration))
        loss.backward()
        trainer.step(batch_size=len(series))
        losses.append(loss.mean().asscalar())
    return losses


def predict(net, series):
    return net(nd.array(series)).asnumpy()
