"""A small GPT for the next character, after TensorFlow's "Core APIs" guides."""

import math

import tensorflow as tf

TOKENS, LENGTH, FEATURES, HEADS, BLOCKS = 65, 64, 64, 4, 2


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


class CausalSelfAttention(tf.Module):
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
        past = tf.linalg.band_part(tf.ones([length, length], tf.bool), -1, 0)
        attention = tf.nn.softmax(tf.where(past, scores, -1e9))
        x = tf.einsum("bhqk,bkhd->bqhd", attention, v)
        return self.out(tf.reshape(x, [-1, length, features]))


class Block(tf.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = LayerNorm(FEATURES)
        self.attention = CausalSelfAttention(FEATURES, HEADS)
        self.norm2 = LayerNorm(FEATURES)
        self.up = Dense(FEATURES, 4 * FEATURES)
        self.down = Dense(4 * FEATURES, FEATURES)

    def __call__(self, x):
        x += self.attention(self.norm1(x))
        return x + self.down(tf.nn.gelu(self.up(self.norm2(x))))


class Model(tf.Module):
    def __init__(self):
        super().__init__()
        self.embedding = tf.Variable(tf.random.normal([TOKENS, FEATURES], stddev=0.02))
        self.positions = tf.Variable(tf.random.normal([LENGTH, FEATURES], stddev=0.02))
        self.blocks = [Block() for _ in range(BLOCKS)]
        self.norm = LayerNorm(FEATURES)
        self.head = Dense(FEATURES, TOKENS)

    @tf.function
    def __call__(self, text):
        x = tf.gather(self.embedding, text) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def build():
    return Model()


def train(model, batches, learning_rate):
    @tf.function
    def train_step(text, following):
        with tf.GradientTape() as tape:
            logits = model(text)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=following, logits=logits)
            loss = tf.reduce_mean(losses)
        variables = model.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            # The embedding's gradient has only the rows that were looked up.
            variable.assign_sub(learning_rate * tf.convert_to_tensor(gradient))
        return loss

    return [float(train_step(text, following)) for text, following in batches]


def predict(model, text):
    return model(text).numpy()
