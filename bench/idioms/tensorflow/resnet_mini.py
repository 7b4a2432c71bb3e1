"""A small residual network with batch normalisation, after TensorFlow's "Core APIs" guides."""

import math

import tensorflow as tf


def xavier_init(shape):
    fan_in, fan_out = (math.prod(shape[:-2]) * features for features in shape[-2:])
    limit = math.sqrt(6 / (fan_in + fan_out))
    return tf.random.uniform(shape, -limit, limit)


class Conv2D(tf.Module):
    def __init__(self, in_channels, out_channels, kernel_size, strides=1):
        super().__init__()
        self.strides = strides
        self.w = tf.Variable(xavier_init([kernel_size, kernel_size, in_channels, out_channels]))

    def __call__(self, x):
        # With strides of two, padding="SAME" would pad two sides of the image only.
        side = [self.w.shape[0] // 2] * 2
        return tf.nn.conv2d(x, self.w, strides=self.strides, padding=[[0, 0], side, side, [0, 0]])


class BatchNorm(tf.Module):
    def __init__(self, channels):
        super().__init__()
        self.scale = tf.Variable(tf.ones([channels]))
        self.offset = tf.Variable(tf.zeros([channels]))
        self.mean = tf.Variable(tf.zeros([channels]), trainable=False)
        self.variance = tf.Variable(tf.ones([channels]), trainable=False)

    def __call__(self, x, training):
        mean, variance = self.mean, self.variance
        if training:
            mean, variance = tf.nn.moments(x, axes=[0, 1, 2])
            self.mean.assign_add(0.1 * (mean - self.mean))
            self.variance.assign_add(0.1 * (variance - self.variance))
        return tf.nn.batch_normalization(x, mean, variance, self.offset, self.scale, 1e-5)


class ConvNorm(tf.Module):
    def __init__(self, in_channels, out_channels, kernel_size, strides=1):
        super().__init__()
        self.conv = Conv2D(in_channels, out_channels, kernel_size, strides)
        self.norm = BatchNorm(out_channels)

    def __call__(self, x, training):
        return self.norm(self.conv(x), training)


class Block(tf.Module):
    def __init__(self, in_channels, out_channels, strides=1):
        super().__init__()
        self.first = ConvNorm(in_channels, out_channels, 3, strides)
        self.second = ConvNorm(out_channels, out_channels, 3)
        self.shortcut = ConvNorm(in_channels, out_channels, 1, strides) if strides > 1 else None

    def __call__(self, x, training):
        residual = self.second(tf.nn.silu(self.first(x, training)), training)
        if self.shortcut:
            x = self.shortcut(x, training)
        return tf.nn.silu(residual + x)


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
        self.stem = ConvNorm(3, 16, 3)
        self.block1 = Block(16, 16)
        self.block2 = Block(16, 32, strides=2)
        self.dense = Dense(32, 10)

    @tf.function
    def __call__(self, x, training=False):
        x = tf.nn.silu(self.stem(x, training))
        x = self.block1(x, training)
        x = self.block2(x, training)
        return self.dense(tf.reduce_mean(x, axis=[1, 2]))


def build():
    return Model()


def train(model, batches, learning_rate):
    @tf.function
    def train_step(images, labels):
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_mean(losses)
        variables = model.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            variable.assign_sub(learning_rate * gradient)
        return loss

    return [float(train_step(images, labels)) for images, labels in batches]


def predict(model, images):
    return model(images).numpy()
