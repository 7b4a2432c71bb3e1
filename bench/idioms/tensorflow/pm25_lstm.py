"""An LSTM that forecasts the next hour's PM2.5, after TensorFlow's "Core APIs" guides."""

import math

import tensorflow as tf


def xavier_init(shape):
    limit = math.sqrt(6 / sum(shape))
    return tf.random.uniform(shape, -limit, limit)


class LSTM(tf.Module):
    """TensorFlow without Keras has no recurrent layers: the four gates are one product."""

    def __init__(self, in_features, units):
        super().__init__()
        self.units = units
        self.kernel = tf.Variable(xavier_init([in_features, 4 * units]))
        self.recurrent_kernel = tf.Variable(xavier_init([units, 4 * units]))
        self.bias = tf.Variable(tf.zeros([4 * units]))

    def __call__(self, x):
        hidden = cell = tf.zeros([tf.shape(x)[0], self.units])
        for features in tf.unstack(x, axis=1):
            gates = features @ self.kernel + hidden @ self.recurrent_kernel + self.bias
            i, f, g, o = tf.split(gates, 4, axis=1)
            cell = tf.sigmoid(f) * cell + tf.sigmoid(i) * tf.tanh(g)
            hidden = tf.sigmoid(o) * tf.tanh(cell)
        return hidden


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
        self.lstm = LSTM(8, 50)
        self.dense = Dense(50, 1)

    @tf.function
    def __call__(self, x):
        return self.dense(self.lstm(x))


def build():
    return Model()


def train(model, batches, learning_rate):
    @tf.function
    def train_step(series, concentration):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.math.squared_difference(model(series), concentration))
        variables = model.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            variable.assign_sub(learning_rate * gradient)
        return loss

    return [float(train_step(series, concentration)) for series, concentration in batches]


def predict(model, series):
    return model(series).numpy()
