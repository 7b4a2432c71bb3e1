"""An LSTM that forecasts the next hour's PM2.5, as Keras's example on weather forecasting."""

import keras
from keras import layers


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(24, 8)),
            layers.LSTM(50),
            layers.Dense(1),
        ]
    )


def train(model, batches, learning_rate):
    model.compile(optimizer=keras.optimizers.SGD(learning_rate), loss="mse")
    stream = (batch for batch in batches)
    # The history has the mean loss of every epoch: epochs of one step give each batch's own.
    history = model.fit(stream, steps_per_epoch=1, epochs=len(batches), shuffle=False, verbose=0)
    return history.history["loss"]


def predict(model, series):
    return model.predict(series, verbose=0)
