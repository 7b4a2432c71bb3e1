"""A small GPT; Gluon 1.9 has no attention layer, so one is written as its guide to layers does."""

import numpy as np
from mxnet import autograd, gluon, init, nd
from mxnet.gluon import nn


class Attention(nn.HybridBlock):
    def __init__(self, width, heads, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.scale = heads, (width // heads) ** -0.5
        with self.name_scope():
            self.qkv = nn.Dense(3 * width, flatten=False)
            self.out = nn.Dense(width, flatten=False)

    def hybrid_forward(self, F, x, mask):
        q, k, v = (self.split_heads(F, y) for y in F.split(self.qkv(x), num_outputs=3, axis=2))
        scores = F.batch_dot(q, k, transpose_b=True) * self.scale
        scores = F.broadcast_add(scores, mask)
        y = F.batch_dot(F.softmax(scores), v)  # (batch x heads, places, width of a head)
        y = F.transpose(F.reshape(y, (-4, -1, self.heads, 0, 0)), (0, 2, 1, 3))
        return self.out(F.reshape(y, (0, 0, -3)))

    def split_heads(self, F, y):
        y = F.transpose(F.reshape(y, (0, 0, self.heads, -1)), (0, 2, 1, 3))
        return F.reshape(y, (-3, 0, 0))


class Block(nn.HybridBlock):
    def __init__(self, width, heads, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.norm1 = nn.LayerNorm()
            self.attention = Attention(width, heads)
            self.norm2 = nn.LayerNorm()
            self.wide = nn.Dense(4 * width, flatten=False)
            self.gelu = nn.GELU()
            self.narrow = nn.Dense(width, flatten=False)

    def hybrid_forward(self, F, x, mask):
        x = x + self.attention(self.norm1(x), mask)
        return x + self.narrow(self.gelu(self.wide(self.norm2(x))))


class LanguageModel(nn.HybridBlock):
    def __init__(self, characters=65, length=64, width=64, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.embedding = nn.Embedding(characters, width)
            self.positions = self.params.get("positions", shape=(1, length, width))
            future = np.triu(np.full((1, length, length), -1e9, "float32"), k=1)
            self.mask = self.params.get_constant("mask", future)
            self.block1 = Block(width, heads=4)
            self.block2 = Block(width, heads=4)
            self.norm = nn.LayerNorm()
            self.next = nn.Dense(characters, flatten=False)

    def hybrid_forward(self, F, text, positions, mask):
        x = F.broadcast_add(self.embedding(text), positions)
        x = self.block2(self.block1(x, mask), mask)
        return self.next(self.norm(x))


def build():
    net = LanguageModel()
    net.initialize(init.Xavier())
    net.hybridize()
    return net


def train(net, batches, learning_rate):
    loss_fn = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate})
    losses = []
    for text, following in batches:
        with autograd.record():
            loss = loss_fn(net(nd.array(text)), nd.array(following))
        loss.backward()
        trainer.step(batch_size=len(following))
        losses.append(loss.mean().asscalar())
    return losses


def predict(net, text):
    return net(nd.array(text)).asnumpy()
