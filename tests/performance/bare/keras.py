"""Keras on TensorFlow: compile and fit on a tf.data set."""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf

material = np.load(sys.argv[1])
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[2]))
tf.config.threading.set_inter_op_parallelism_threads(int(sys.argv[2]))

model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(32, 3),
        keras.layers.ReLU(),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(64, 3),
        keras.layers.ReLU(),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(10),
    ]
)
rows = material["dense.weight"].reshape(64, 5, 5, 10).transpose(1, 2, 0, 3).reshape(1600, 10)
kernels = [material[name].transpose(2, 3, 1, 0) for name in ("conv1.weight", "conv2.weight")]
model.set_weights(
    [kernels[0], material["conv1.bias"], kernels[1], material["conv2.bias"], rows, material["dense.bias"]]
)
model.compile(
    optimizer=keras.optimizers.SGD(float(material["learning_rate"])),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
inputs, targets = np.moveaxis(material["inputs"], -3, -1), material["targets"]
options = tf.data.Options()
options.autotune.enabled = False  # as the adapter, and for its reason: the tuner wakes at odd times
batches = tf.data.Dataset.from_tensor_slices((inputs, targets)).repeat().with_options(options)


def train(steps):
    return model.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False).history["loss"][-1]
