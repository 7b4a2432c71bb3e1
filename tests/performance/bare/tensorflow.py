"""TensorFlow without Keras, its step a tf.function."""

import sys

import numpy as np
import tensorflow as tf

material = np.load(sys.argv[1])
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[2]))
tf.config.threading.set_inter_op_parallelism_threads(int(sys.argv[2]))

rate = float(material["learning_rate"])
kernel1 = tf.Variable(material["conv1.weight"].transpose(2, 3, 1, 0))
bias1 = tf.Variable(material["conv1.bias"])
kernel2 = tf.Variable(material["conv2.weight"].transpose(2, 3, 1, 0))
bias2 = tf.Variable(material["conv2.bias"])
rows = material["dense.weight"].reshape(64, 5, 5, 10).transpose(1, 2, 0, 3).reshape(1600, 10)
kernel3 = tf.Variable(rows)
bias3 = tf.Variable(material["dense.bias"])
variables = [kernel1, bias1, kernel2, bias2, kernel3, bias3]


@tf.function
def step(inputs, targets):
    with tf.GradientTape() as tape:
        x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(inputs, kernel1, 1, "VALID"), bias1))
        x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel2, 1, "VALID"), bias2))
        x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        x = tf.nn.bias_add(tf.matmul(tf.reshape(x, [-1, 1600]), kernel3), bias3)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=x))
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        variable.assign_sub(rate * gradient)
    return loss


inputs = [tf.constant(batch) for batch in np.moveaxis(material["inputs"], -3, -1)]
targets = [tf.constant(batch) for batch in material["targets"]]
batches = list(zip(inputs, targets, strict=True))

place = 0


def train(steps):
    global place
    for _ in range(steps):
        inputs, targets = batches[place]
        place = (place + 1) % len(batches)
        loss = step(inputs, targets)
    return float(loss)
