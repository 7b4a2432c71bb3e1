"""A small vision transformer, after TensorFlow's "Core APIs" guides."""

import math

import tensorflow as tf

FEATURES, HEADS, BLOCKS = 64, 4, 2


class Conv2D(tf.Module):
    def __init__(self, in_channels, out_channels, kernel_size, strides):
        super().__init__()
        self.strides = strides
        shape = [kernel_size, kernel_size, in_channels, out_channels]
        self.w = tf.Variable(tf.random.normal(shape, stddev=0.02))
        self.b = tf.Variable(tf.zeros([out_channels]))

    def __call__(self, x):
        return tf.nn.conv2d(x, self.w, strides=self.strides, padding="VALID") + self.b


class LayerNorm(tf.Module):
    def __init__(self, features):
        super().__init__()
        self.scale = tf.Variable(tf.ones([features]))
        self.offset = tf.Variable(tf.zeros([features]))

    def __call__(self, x):
        mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, self.offset, self.scale, 1e-5)


class Dense(tf.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.w = tf.Variable(tf.random.normal([in_features, out_features], stddev=0.02))
        self.b = tf.Variable(tf.zeros([out_features]))

    def __call__(self, x):
        return x @ self.w + self.b


class SelfAttention(tf.Module):
    def __init__(self, features, heads):
        super().__init__()
        self.heads = heads
        self.qkv = Dense(features, 3 * features)
        self.out = Dense(features, features)

    def __call__(self, x):
        _, length, features = x.shape
        qkv = tf.reshape(self.qkv(x), [-1, length, 3, self.heads, features // self.heads])
        q, k, v = tf.unstack(qkv, axis=2)
        scores = tf.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(features // self.heads)
        attention = tf.nn.softmax(scores)
        x = tf.einsum("bhqk,bkhd->bqhd", attention, v)
        return self.out(tf.reshape(x, [-1, length, features]))


class Block(tf.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = LayerNorm(FEATURES)
        self.attention = SelfAttention(FEATURES, HEADS)
        self.norm2 = LayerNorm(FEATURES)
        self.up = Dense(FEATURES, 4 * FEATURES)
        self.down = Dense(4 * FEATURES, FEATURES)

    def __call__(self, x):
        x += self.attention(self.norm1(x))
        return x + self.down(tf.nn.gelu(self.up(self.norm2(x))))


class Model(tf.Module):
    def __init__(self):
        super().__init__()
        self.patches = Conv2D(3, FEATURES, kernel_size=4, strides=4)
        self.positions = tf.Variable(tf.random.normal([8 * 8, FEATURES], stddev=0.02))
        self.blocks = [Block() for _ in range(BLOCKS)]
        self.norm = LayerNorm(FEATURES)
        self.head = Dense(FEATURES, 10)

    @tf.function
    def __call__(self, images):
        x = tf.reshape(self.patches(images), [-1, 8 * 8, FEATURES]) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(tf.reduce_mean(self.norm(x), axis=1))


def build():
    return Model()


def train(model, batches, learning_rate):
    @tf.function
    def train_step(images, labels):
        with tf.GradientTape() as tape:
            logits = model(images)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_mean(losses)
        variables = model.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            variable.assign_sub(learning_rate * gradient)
        return loss

    return [float(train_step(images, labels)) for images, labels in batches]


def predict(model, images):
    return model(images).numpy()
