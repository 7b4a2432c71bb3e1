"""A loop whose length is a tensor: TensorFlow's "Better performance with tf.function"."""

import math

import tensorflow as tf


def xavier_init(shape):
    limit = math.sqrt(6 / sum(shape))
    return tf.random.uniform(shape, -limit, limit)


class Recurrence(tf.Module):
    """h = h W + b, `steps` times."""

    def __init__(self, features):
        super().__init__()
        self.w = tf.Variable(xavier_init([features, features]))
        self.b = tf.Variable(tf.zeros([features]))

    def __call__(self, h, steps):
        for _ in tf.range(steps):
            h = h @ self.w + self.b
        return h


class Dense(tf.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.w = tf.Variable(xavier_init([in_features, out_features]))
        self.b = tf.Variable(tf.zeros([out_features]))

    def __call__(self, x):
        return x @ self.w + self.b


class Model(tf.Module):
    def __init__(self):
        super().__init__()
        self.loop = Recurrence(128)
        self.dense = Dense(128, 10)

    @tf.function
    def __call__(self, h, steps):
        return self.dense(self.loop(h, steps))


def build():
    return Model()


def train(model, batches, learning_rate):
    @tf.function
    def train_step(starts, labels, steps):
        with tf.GradientTape() as tape:
            logits = model(starts, steps)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_mean(losses)
        variables = model.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            variable.assign_sub(learning_rate * gradient)
        return loss

    # A Python number would be traced anew at every length.
    return [
        float(train_step(starts, labels, tf.constant(steps))) for starts, labels, steps in batches
    ]


def predict(model, starts, steps):
    return model(starts, tf.constant(steps)).numpy()
