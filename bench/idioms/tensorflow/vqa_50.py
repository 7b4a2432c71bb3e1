"""A question about a small image: two inputs, after TensorFlow's "Core APIs" guides."""

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


class Model(tf.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = Conv2D(3, 16, kernel_size=5)
        self.conv2 = Conv2D(16, 32, kernel_size=3)
        self.seen = Dense(32 * 10 * 10, 64)
        self.embedding = tf.Variable(tf.random.normal([1000, 32], stddev=0.02))
        self.asked = LSTM(32, 64)
        self.answer = Dense(64 + 64, 894)

    @tf.function
    def __call__(self, image, question):
        x = tf.nn.relu(self.conv1(image))
        x = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")
        x = tf.nn.relu(self.conv2(x))
        x = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")
        seen = self.seen(tf.reshape(x, [-1, 32 * 10 * 10]))
        asked = self.asked(tf.gather(self.embedding, question))
        return self.answer(tf.concat([seen, asked], axis=1))


def build():
    return Model()


def train(model, batches, learning_rate):
    @tf.function
    def train_step(inputs, answers):
        with tf.GradientTape() as tape:
            logits = model(**inputs)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=answers, logits=logits)
            loss = tf.reduce_mean(losses)
        variables = model.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            # The embedding's gradient has only the rows that were looked up.
            variable.assign_sub(learning_rate * tf.convert_to_tensor(gradient))
        return loss

    return [float(train_step(inputs, answers)) for inputs, answers in batches]


def predict(model, inputs):
    return model(**inputs).numpy()
