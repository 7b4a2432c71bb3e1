"""A small vision transformer; Gluon 1.9 has no attention layer: a HybridBlock stands in."""

from mxnet import autograd, gluon, init, nd
from mxnet.gluon import nn


class Attention(nn.HybridBlock):
    def __init__(self, width, heads, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.scale = heads, (width // heads) ** -0.5
        with self.name_scope():
            self.qkv = nn.Dense(3 * width, flatten=False)
            self.out = nn.Dense(width, flatten=False)

    def hybrid_forward(self, F, x):
        q, k, v = (self.split_heads(F, y) for y in F.split(self.qkv(x), num_outputs=3, axis=2))
        scores = F.batch_dot(q, k, transpose_b=True) * self.scale
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

    def hybrid_forward(self, F, x):
        x = x + self.attention(self.norm1(x))
        return x + self.narrow(self.gelu(self.wide(self.norm2(x))))


class VisionTransformer(nn.HybridBlock):
    def __init__(self, places=64, width=64, classes=10, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.patches = nn.Conv2D(width, kernel_size=4, strides=4)
            self.positions = self.params.get("positions", shape=(1, places, width))
            self.blocks = nn.HybridSequential()
            self.blocks.add(Block(width, heads=4), Block(width, heads=4), nn.LayerNorm())
            self.head = nn.Dense(classes)

    def hybrid_forward(self, F, images, positions):
        x = F.transpose(F.reshape(self.patches(images), (0, 0, -1)), (0, 2, 1))
        x = self.blocks(F.broadcast_add(x, positions))  # (batch, places, width)
        return self.head(F.mean(x, axis=1))


def build():
    net = VisionTransformer()
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
