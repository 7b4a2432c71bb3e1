"""The float64 reference against numerical derivatives and independent code; batches with safe margins."""

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate2d
from scipy.special import expit, log_softmax

from bench import reference
from bench.data import made_samples, make_weights
from bench.tensors import Array
from bench.workload import (
    Conv2d,
    Dense,
    Flatten,
    Layer,
    Lstm,
    MaxPool2d,
    Relu,
    Workload,
    load_workloads,
)

SHIPPED = load_workloads()


def small(*layers: Layer, shape: tuple[int, ...], loss: str = "mse", batch: int = 5) -> Workload:
    base = SHIPPED["mnist-cnn" if loss == "softmax-cross-entropy" else "pm25-lstm"]
    return msgspec.structs.replace(base, layers=layers, input=shape, batch=batch)


NETWORKS = {
    "cnn": small(
        Conv2d(id="c1", channels=3, kernel=2),
        Relu(id="r1"),
        MaxPool2d(id="p1", size=2),
        Conv2d(id="c2", channels=4, kernel=2),
        Relu(id="r2"),
        Flatten(id="f"),
        Dense(id="d", units=3),
        shape=(2, 8, 7),
        loss="softmax-cross-entropy",
    ),
    "lstm": small(Lstm(id="l", units=4), Dense(id="d", units=2), shape=(5, 3)),
    "pool before relu": small(
        MaxPool2d(id="p", size=3), Relu(id="r"), Flatten(id="f"), Dense(id="d", units=2), shape=(2, 7, 6)
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_the_numerical_derivatives_of_the_loss(name: str) -> None:
    workload = NETWORKS[name]
    weights = {key: tensor.astype(np.float64) for key, tensor in make_weights(workload, 3).items()}
    inputs, targets = made_samples(workload, 3).take(workload.batch)
    _, gradients = reference.loss_and_gradients(workload, weights, inputs, targets)
    assert gradients.keys() == weights.keys()
    step = 1e-6
    for key, tensor in weights.items():
        numerical = np.empty_like(tensor)
        for place in np.ndindex(tensor.shape):
            losses = []
            for sign in (1, -1):
                moved = tensor.copy()
                moved[place] += sign * step
                losses.append(reference.loss_and_gradients(workload, weights | {key: moved}, inputs, targets)[0])
            numerical[place] = (losses[0] - losses[1]) / (2 * step)
        np.testing.assert_allclose(gradients[key], numerical, rtol=1e-5, atol=1e-9, err_msg=key)


def test_a_convolution_is_scipy_s_cross_correlation() -> None:
    random = np.random.default_rng(0)
    x, kernel, bias = random.random((2, 3, 6, 5)), random.random((4, 3, 3, 3)), random.random(4)
    y, _ = reference.forward(Conv2d(id="c", channels=4, kernel=3), {"c.weight": kernel, "c.bias": bias}, x)
    for n in range(2):
        for out in range(4):
            expected = sum(correlate2d(x[n, i], kernel[out, i], mode="valid") for i in range(3)) + bias[out]
            np.testing.assert_allclose(y[n, out], expected)


def test_an_lstm_follows_its_textbook_equations_unit_by_unit() -> None:
    random = np.random.default_rng(0)
    kernel, recurrent, bias = random.normal(size=(2, 12)), random.normal(size=(3, 12)), random.normal(size=12)
    x = random.normal(size=(1, 4, 2))
    hidden, cell = np.zeros(3), np.zeros(3)
    for t in range(4):
        z = [float(x[0, t] @ kernel[:, j] + hidden @ recurrent[:, j] + bias[j]) for j in range(12)]
        cell = np.array([expit(z[3 + u]) * cell[u] + expit(z[u]) * np.tanh(z[6 + u]) for u in range(3)])
        hidden = np.array([expit(z[9 + u]) * np.tanh(cell[u]) for u in range(3)])
    weights = {"l.kernel": kernel, "l.recurrent": recurrent, "l.bias": bias}
    y, _ = reference.forward(Lstm(id="l", units=3), weights, x)
    np.testing.assert_allclose(y[0], hidden)


def test_the_losses_are_the_means_that_scipy_and_hand_give() -> None:
    logits = Flatten(id="f")
    outputs = np.array([[1.0, -2.0, 0.5], [700.0, 0.0, -700.0]])
    targets = np.array([2, 0], np.int32)
    classes = small(logits, shape=(3,), loss="softmax-cross-entropy")
    loss, _ = reference.loss_and_gradients(classes, {}, {"input": outputs}, targets)
    assert loss == pytest.approx(-log_softmax(outputs, axis=1)[[0, 1], targets].mean())
    values = small(logits, shape=(3,))
    loss, _ = reference.loss_and_gradients(values, {}, {"input": outputs[:1]}, np.array([[1.0, 0.0, 0.0]]))
    assert loss == pytest.approx((0 + 4 + 0.25) / 3)


def test_training_takes_plain_gradient_steps_on_one_batch_each() -> None:
    workload = NETWORKS["lstm"]
    start = make_weights(workload, 0)
    found = reference.train(workload, start, made_samples(workload, 0), 3)
    weights: dict[str, reference.Floats] = {name: tensor.astype(np.float64) for name, tensor in start.items()}
    for step in range(3):
        inputs = {"input": found.inputs["input"][step]}
        loss, gradients = reference.loss_and_gradients(workload, weights, inputs, found.targets[step])
        assert found.losses[step] == loss
        weights = {name: tensor - 0.01 * gradients[name] for name, tensor in weights.items()}
        if step == 0:
            for name, tensor in weights.items():
                np.testing.assert_array_equal(found.first_update[name], tensor)
    assert found.inputs["input"].shape == (3, 5, 5, 3)
    assert found.safe_steps == 3


def test_no_steps_are_no_training() -> None:
    with pytest.raises(ValueError, match="steps is 0"):
        reference.train(NETWORKS["lstm"], {}, made_samples(NETWORKS["lstm"], 0), 0)


# --- margins ---------------------------------------------------------------------------------------------------------

SAME = Conv2d(id="c", channels=1, kernel=1, bias=False)  # times one: something trained below the decisions
ONE: dict[str, reference.Floats] = {"c.weight": np.ones((1, 1, 1, 1))}
POOL = small(SAME, MaxPool2d(id="p", size=2), shape=(1, 2, 2))
RELU = small(SAME, Relu(id="r"), shape=(1, 2, 2))
BOTH = small(SAME, Relu(id="r"), MaxPool2d(id="p", size=2), shape=(1, 2, 2))
FAR, NEAR = 1.0, 1e-5  # against values of about 1


@pytest.mark.parametrize(
    ("workload", "values", "safe"),
    [
        (POOL, [2, 1, 0, -1], True),
        (POOL, [2, 2 - NEAR, 0, -1], False),  # the two largest nearly tie
        (POOL, [2, 1, 1 - NEAR, -1], True),  # others may
        (POOL, [2, 2, 0, -1], True),  # the same number twice: equal receptive fields
        (POOL, [2, 2, 2 - NEAR, -1], False),
        (RELU, [2, 1, -1, -2], True),
        (RELU, [2, 1, NEAR, -2], False),
        (RELU, [2, 1, -NEAR, -2], False),
        (BOTH, [2, NEAR, -NEAR, -2], True),  # what ReLU does below the maximum is lost
        (BOTH, [NEAR, -1, -1, -2], False),
        (BOTH, [-NEAR, -1, -1, -2], False),
        (BOTH, [-1, -1 - NEAR, -1, -2], True),  # a dead window hands nothing on
        (BOTH, [2, 2 - NEAR, -1, -2], False),
    ],
)
def test_a_sample_is_safe_when_no_decision_that_counts_is_close(
    workload: Workload, values: list[float], safe: bool
) -> None:
    anchor = [[[[3, -3], [-3, -3]]]]  # a safe sample that sets the scale
    inputs = np.concatenate([np.array(anchor, float), np.reshape(np.array(values, float), (1, 1, 2, 2))])
    closest = reference.margins(workload, ONE, {"input": inputs})
    assert (closest > reference.MARGINS[0]).tolist() == [True, safe]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_a_rounding_error_turns_no_decision_of_a_safe_sample(seed: int) -> None:
    workload = NETWORKS["cnn"]
    weights = {name: tensor.astype(np.float64) for name, tensor in make_weights(workload, seed).items()}
    batch = reference.draw(workload, weights, made_samples(workload, seed))
    assert batch.margin == reference.MARGINS[0]
    inputs, targets = batch.inputs, batch.targets
    _, exact = reference.loss_and_gradients(workload, weights, inputs, targets)
    random = np.random.default_rng(seed)
    shaken = {name: tensor * (1 + 1e-6 * random.uniform(-1, 1, tensor.shape)) for name, tensor in weights.items()}
    _, rounded = reference.loss_and_gradients(workload, shaken, inputs, targets)
    for name, gradient in exact.items():
        assert np.linalg.norm(rounded[name] - gradient) <= 1e-4 * np.linalg.norm(gradient), name


def test_a_batch_is_filled_with_safe_samples_in_their_order() -> None:
    workload = msgspec.structs.replace(POOL, batch=3)
    inputs = np.array([[[[n, 1], [0, -1 if n % 2 else n - NEAR]]] for n in range(2, 12)], np.float32)
    taken = reference.draw(workload, ONE, Counted(inputs))
    assert [int(x[0, 0, 0]) for x in taken.inputs["input"]] == [3, 5, 7]
    assert taken.targets.tolist() == [1, 3, 5]
    assert taken.margin == reference.MARGINS[0]


def test_data_without_safe_samples_fills_the_batch_and_says_so() -> None:
    inputs = np.array([[[[n, n - NEAR], [0, 0]]] for n in range(1, 5)], np.float32)
    batch = reference.draw(POOL, ONE, Counted(inputs))
    assert (len(batch.inputs["input"]), len(batch.targets), batch.margin) == (5, 5, None)


class Counted:
    """Samples from an array, over and over; a target is its sample's place."""

    def __init__(self, inputs: Array) -> None:
        self._inputs = inputs
        self._places = self._count()

    def _count(self) -> Iterator[int]:
        while True:
            yield from range(len(self._inputs))

    def take(self, count: int) -> tuple[dict[str, Array], Array]:
        places = [next(self._places) for _ in range(count)]
        return {"input": self._inputs[places]}, np.array(places, np.int32)
