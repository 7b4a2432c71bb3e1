"""A loop whose length is an input: a layer of one's own, after Keras's guide to new layers."""

import keras
import numpy as np
from keras import layers, ops


class Recurrence(layers.Layer):
    """h = h W + b, as many times as the batch says."""

    def build(self, h_shape, steps_shape):
        units = h_shape[-1]
        self.kernel = self.add_weight(shape=(units, units), initializer="orthogonal")
        self.bias = self.add_weight(shape=(units,), initializer="zeros")

    def call(self, h, steps):
        def step(_, h):
            return ops.matmul(h, self.kernel) + self.bias

        return ops.fori_loop(0, steps[0], step, h)


def build():
    h = keras.Input(shape=(128,), name="h")
    steps = keras.Input(shape=(), dtype="int32", name="steps")
    return keras.Model({"h": h, "steps": steps}, layers.Dense(10)(Recurrence()(h, steps)))


def with_steps(h, steps):
    """Inputs of a Keras model have one entry per sample."""
    return {"h": h, "steps": np.full(len(h), steps, dtype="int32")}


def train(model, batches, learning_rate):
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # compiled, a loop of unknown length has no gradient on JAX
    )
    stream = ((with_steps(starts, steps), labels) for starts, labels, steps in batches)
    # The history has the mean loss of every epoch: epochs of one step give each batch's own.
    history = model.fit(stream, steps_per_epoch=1, epochs=len(batches), shuffle=False, verbose=0)
    return history.history["loss"]


def predict(model, starts, steps):
    return model.predict(with_steps(starts, steps), verbose=0)
