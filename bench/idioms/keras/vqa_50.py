"""A question about a small image: two inputs, as in Keras's guide to the functional API."""

import keras
from keras import layers


def build():
    image = keras.Input(shape=(50, 50, 3), name="image")
    x = layers.Conv2D(16, kernel_size=5, activation="relu")(image)
    x = layers.MaxPooling2D(pool_size=2)(x)
    x = layers.Conv2D(32, kernel_size=3, activation="relu")(x)
    x = layers.MaxPooling2D(pool_size=2)(x)
    x = layers.Flatten()(x)
    seen = layers.Dense(64)(x)

    question = keras.Input(shape=(20,), dtype="int32", name="question")
    words = layers.Embedding(1000, 32)(question)
    asked = layers.LSTM(64)(words)

    answer = layers.Dense(894)(layers.concatenate([seen, asked]))
    return keras.Model({"image": image, "question": question}, answer)


def train(model, batches, learning_rate):
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    stream = (batch for batch in batches)
    # The history has the mean loss of every epoch: epochs of one step give each batch's own.
    history = model.fit(stream, steps_per_epoch=1, epochs=len(batches), shuffle=False, verbose=0)
    return history.history["loss"]


def predict(model, inputs):
    return model.predict(inputs, verbose=0)
