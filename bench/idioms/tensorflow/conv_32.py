"""A first CNN on 32 x 32 images: layers and training step as in TensorFlow's "Core APIs" guides."""

import math

import tensorflow as tf


def xavier_init(shape):
    fan_in, fan_out = (math.prod(shape[:-2]) * features for features in shape[-2:])
    limit = math.sqrt(6 / (fan_in + fan_out))
    return tf.random.uniform(shape, -limit, limit)


class Conv2D(tf.Module):
    def __init__(self, in_channels, out_channels, kernel_size):
        super().__init__()
        self.w = tf.Variable(xavier_init([kernel_size, kernel_size, in_channels, out_channels]))
        self.b = tf.Variable(tf.zeros([out_channels]))

    def __call__(self, x):
        return tf.nn.conv2d(x, self.w, strides=1, padding="VALID") + self.b


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
        self.conv1 = Conv2D(3, 32, kernel_size=3)
        self.conv2 = Conv2D(32, 16, kernel_size=3)
        self.dense = Dense(16 * 6 * 6, 10)

    @tf.function
    def __call__(self, x):
        x = tf.nn.relu(self.conv1(x))
        x = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")
        x = tf.nn.relu(self.conv2(x))
        x = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")
        return self.dense(tf.reshape(x, [-1, 16 * 6 * 6]))


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
