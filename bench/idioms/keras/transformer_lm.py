"""A small GPT for the next character, after Keras's example "... with a miniature GPT"."""

import keras
from keras import layers

TOKENS, LENGTH, FEATURES, HEADS, BLOCKS = 65, 64, 64, 4, 2


class PositionEmbedding(layers.Layer):
    def build(self, input_shape):
        self.embeddings = self.add_weight(shape=input_shape[1:], initializer="uniform")

    def call(self, x):
        return x + self.embeddings


def transformer_block(x):
    normed = layers.LayerNormalization(epsilon=1e-5)(x)
    attention = layers.MultiHeadAttention(HEADS, key_dim=FEATURES // HEADS)
    x = layers.add([x, attention(normed, normed, use_causal_mask=True)])
    normed = layers.LayerNormalization(epsilon=1e-5)(x)
    hidden = layers.Dense(4 * FEATURES, activation="gelu")(normed)
    return layers.add([x, layers.Dense(FEATURES)(hidden)])


def build():
    text = keras.Input(shape=(LENGTH,), dtype="int32")
    x = layers.Embedding(TOKENS, FEATURES)(text)
    x = PositionEmbedding()(x)
    for _ in range(BLOCKS):
        x = transformer_block(x)
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    return keras.Model(text, layers.Dense(TOKENS)(x))


def train(model, batches, learning_rate):
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    stream = (batch for batch in batches)
    # The history has the mean loss of every epoch: epochs of one step give each batch's own.
    history = model.fit(stream, steps_per_epoch=1, epochs=len(batches), shuffle=False, verbose=0)
    return history.history["loss"]


def predict(model, text):
    return model.predict(text, verbose=0)
