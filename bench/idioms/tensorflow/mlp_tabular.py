"""Rows of a table, as TensorFlow's "Multilayer perceptrons ... with Core APIs"."""

import math

import tensorflow as tf


def xavier_init(shape):
    limit = math.sqrt(6 / sum(shape))
    return tf.random.uniform(shape, -limit, limit)


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
        sizes = [28, 300, 300, 300, 300]
        self.hidden = [Dense(*pair) for pair in zip(sizes, sizes[1:])]
        self.out = Dense(300, 2)

    @tf.function
    def __call__(self, x):
        for layer in self.hidden:
            x = tf.nn.relu(layer(x))
        return self.out(x)


def build():
    return Model()


def train(model, batches, learning_rate):
    @tf.function
    def train_step(rows, labels):
        with tf.GradientTape() as tape:
            logits = model(rows)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_mean(losses)
        variables = model.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            variable.assign_sub(learning_rate * gradient)
        return loss

    return [float(train_step(rows, labels)) for rows, labels in batches]


def predict(model, rows):
    return model(rows).numpy()
