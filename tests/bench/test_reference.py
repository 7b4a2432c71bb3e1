"""The float64 reference against numerical derivatives and independent code; batches with safe margins."""

from collections.abc import Iterator
from typing import get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate2d
from scipy.special import expit, log_softmax, softmax
from scipy.stats import norm

from bench import reference
from bench.data import made_samples, make_weights
from bench.tensors import Array
from bench.workload import (
    Add,
    Attention,
    BatchNorm,
    Concat,
    Conv2d,
    Dense,
    Embedding,
    Flatten,
    Gelu,
    Input,
    Layer,
    LayerNorm,
    Lstm,
    MaxPool2d,
    Mean,
    Positions,
    Recurrence,
    Relu,
    Silu,
    Tanh,
    Tokens,
    Workload,
    load_workloads,
    steps_of,
    trained_weights,
    weight_shapes,
)

SHIPPED = load_workloads()


def small(
    *layers: Layer,
    shape: tuple[int, ...] | None = None,
    inputs: dict[str, Input] | None = None,
    loss: str = "mse",
    batch: int = 5,
) -> Workload:
    base = SHIPPED["mnist-cnn" if loss == "softmax-cross-entropy" else "pm25-lstm"]
    return msgspec.structs.replace(base, layers=layers, input=shape, inputs=inputs or {}, batch=batch)


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
    "padded, strided, without a bias, bent": small(
        Conv2d(id="c1", channels=3, kernel=3, stride=2, padding=1, bias=False),
        Tanh(id="t"),
        Conv2d(id="c2", channels=2, kernel=2, padding=2),
        Silu(id="s"),
        Mean(id="m"),
        Dense(id="d", units=2, bias=False),
        shape=(2, 6, 5),
    ),
    "residual with batch-norm": small(
        Conv2d(id="c1", channels=3, kernel=1),
        BatchNorm(id="n1"),
        Silu(id="s1"),
        Conv2d(id="c2", channels=3, kernel=3, padding=1),
        BatchNorm(id="n2"),
        Add(id="a", sources=("n2", "s1")),
        Mean(id="m"),
        BatchNorm(id="n3"),
        Dense(id="d", units=3),
        shape=(2, 4, 4),
        loss="softmax-cross-entropy",
    ),
    "transformer on patches": small(
        Conv2d(id="c", channels=4, kernel=2, stride=2),
        Tokens(id="t"),
        Positions(id="p"),
        LayerNorm(id="n"),
        Attention(id="at", heads=2),
        Add(id="a", sources=("at", "p")),
        Dense(id="d1", units=5),
        Gelu(id="g"),
        Mean(id="m"),
        LayerNorm(id="n2"),
        Dense(id="d2", units=3),
        shape=(1, 6, 4),
        loss="softmax-cross-entropy",
    ),
    "next token": small(
        Embedding(id="e", tokens=7, units=4),
        Attention(id="a", heads=2, causal=True),
        Dense(id="d", units=7),
        inputs={"text": Input(shape=(6,), tokens=7)},
        loss="softmax-cross-entropy",
    ),
    "recurrence": small(Dense(id="d1", units=3), Recurrence(id="r", steps=(4, 2)), Dense(id="d2", units=2), shape=(4,)),
    "two inputs, half of it frozen": small(
        Conv2d(id="c", channels=3, kernel=3, sources=("image",), trained=False),
        Relu(id="r"),
        MaxPool2d(id="p", size=2),
        Flatten(id="f"),
        Dense(id="d1", units=3),
        Embedding(id="e", tokens=5, units=3, sources=("words",)),
        Dense(id="d2", units=2, trained=False),
        Lstm(id="l", units=3),
        Concat(id="b", sources=("d1", "l")),
        Dense(id="d3", units=4),
        inputs={"image": Input(shape=(1, 6, 6)), "words": Input(shape=(4,), tokens=5)},
        loss="softmax-cross-entropy",
    ),
    "pool before relu": small(
        MaxPool2d(id="p", size=3), Relu(id="r"), Flatten(id="f"), Dense(id="d", units=2), shape=(2, 7, 6)
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_the_numerical_derivatives_of_the_loss(name: str) -> None:
    workload = NETWORKS[name]
    weights = {key: tensor.astype(np.float64) for key, tensor in make_weights(workload, 3).items()}
    inputs, targets = made_samples(workload, 3).take(workload.batch)
    steps = steps_of(workload, 1)
    _, gradients = reference.loss_and_gradients(workload, weights, inputs, targets, steps)
    assert gradients.keys() == trained_weights(workload)
    step = 1e-6
    for key, gradient in gradients.items():
        tensor = weights[key]
        numerical = np.empty_like(tensor)
        for place in np.ndindex(tensor.shape):
            losses = []
            for sign in (1, -1):
                moved = tensor.copy()
                moved[place] += sign * step
                losses.append(reference.loss_and_gradients(workload, weights | {key: moved}, inputs, targets, steps)[0])
            numerical[place] = (losses[0] - losses[1]) / (2 * step)
        np.testing.assert_allclose(gradient, numerical, rtol=1e-5, atol=1e-9, err_msg=key)


def test_every_kind_of_layer_is_differentiated() -> None:
    tried = {type(layer) for workload in NETWORKS.values() for layer in workload.layers}
    assert tried == set(get_args(Layer))


@pytest.mark.parametrize("name", NETWORKS)
def test_float32_weights_are_computed_with_in_float32(name: str) -> None:
    workload = NETWORKS[name]
    weights = make_weights(workload, 3)
    inputs, targets = made_samples(workload, 3).take(workload.batch)
    assert reference.outputs(workload, weights, inputs).dtype == np.float32
    _, gradients = reference.loss_and_gradients(workload, weights, inputs, targets)
    assert {gradient.dtype for gradient in gradients.values()} == {np.dtype(np.float32)}


def test_convolutions_pad_with_zeros_all_around_and_stride_from_the_corner() -> None:
    random = np.random.default_rng(0)
    x, kernel = random.random((1, 1, 6, 5)), random.random((1, 1, 3, 3))
    layer = Conv2d(id="c", channels=1, kernel=3, stride=2, padding=1, bias=False)
    y, _ = reference.forward(layer, {"c.weight": kernel}, x)
    whole = correlate2d(x[0, 0], kernel[0, 0], mode="same")
    np.testing.assert_allclose(y[0, 0], whole[::2, ::2])


def test_gelu_and_silu_are_scipy_s() -> None:
    x = np.linspace(-5, 5, 101)[None]
    np.testing.assert_allclose(reference.forward(Gelu(id="g"), {}, x)[0], x * norm.cdf(x))
    np.testing.assert_allclose(reference.forward(Silu(id="s"), {}, x)[0], x * expit(x))


def test_attention_follows_its_formula_head_by_head() -> None:
    random = np.random.default_rng(0)
    weights = {"a.qkv.weight": random.normal(size=(4, 12)), "a.qkv.bias": random.normal(size=12)}
    weights |= {"a.out.weight": random.normal(size=(4, 4)), "a.out.bias": random.normal(size=4)}
    x = random.normal(size=(1, 3, 4))
    q, k, v = np.split(x[0] @ weights["a.qkv.weight"] + weights["a.qkv.bias"], 3, axis=1)
    for causal in (False, True):
        mixed = np.zeros((3, 4))
        for columns in (slice(0, 2), slice(2, 4)):
            for t in range(3):
                seen = slice(0, t + 1 if causal else 3)
                shares = softmax(q[t, columns] @ k[seen, columns].T / np.sqrt(2))
                mixed[t, columns] = shares @ v[seen, columns]
        y, _ = reference.forward(Attention(id="a", heads=2, causal=causal), weights, x)
        np.testing.assert_allclose(y[0], mixed @ weights["a.out.weight"] + weights["a.out.bias"])


def test_normalisation_uses_the_biased_variance_and_inference_the_stored_state() -> None:
    random = np.random.default_rng(0)
    weights = {"n.weight": random.random(3), "n.bias": random.random(3)}
    x = random.normal(size=(4, 3))
    y, _ = reference.forward(LayerNorm(id="n"), weights, x)
    expected = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(y, expected * weights["n.weight"] + weights["n.bias"])
    weights |= {"n.mean": random.random(3), "n.variance": random.random(3)}
    layer = BatchNorm(id="n")
    trained, _ = reference.forward(layer, weights, x)
    np.testing.assert_allclose(
        trained, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5) * weights["n.weight"] + weights["n.bias"]
    )
    stored, _ = reference.forward(layer, weights, x, training=False)
    normal = (x - weights["n.mean"]) / np.sqrt(weights["n.variance"] + 1e-5)
    np.testing.assert_allclose(stored, normal * weights["n.weight"] + weights["n.bias"])


def test_a_recurrence_runs_as_often_as_its_batch_says() -> None:
    workload = NETWORKS["recurrence"]
    found = reference.train(workload, make_weights(workload, 0), made_samples(workload, 0), 3)
    assert found.steps["r"].tolist() == [4, 2, 4]
    h, kernel, bias = np.ones((1, 2)), np.array([[0.0, 1.0], [2.0, 0.0]]), np.array([0.0, 1.0])
    y, _ = reference.forward(Recurrence(id="r", steps=(1,)), {"r.weight": kernel, "r.bias": bias}, h, steps=2)
    np.testing.assert_allclose(y, (h @ kernel + bias) @ kernel + bias)


def test_frozen_layers_and_state_stay_as_they_are() -> None:
    for name in ("two inputs, half of it frozen", "residual with batch-norm"):
        workload = NETWORKS[name]
        found = reference.train(workload, make_weights(workload, 0), made_samples(workload, 0), 2)
        assert found.first_update.keys() == weight_shapes(workload).keys()
        for tensor, after in found.first_update.items():
            moved = not np.array_equal(after, found.weights[tensor])
            assert moved == (tensor in trained_weights(workload)), tensor


def test_the_outputs_are_inference_on_the_first_batch_with_the_initial_weights() -> None:
    workload = NETWORKS["residual with batch-norm"]
    weights = make_weights(workload, 0)
    found = reference.train(workload, weights, made_samples(workload, 0), 2)
    first = {name: batches[0] for name, batches in found.inputs.items()}
    wide = {name: tensor.astype(np.float64) for name, tensor in weights.items()}
    np.testing.assert_array_equal(found.outputs, reference.outputs(workload, wide, first))
    alone = reference.outputs(workload, wide, {name: batch[:1] for name, batch in first.items()})
    np.testing.assert_allclose(found.outputs[:1], alone)  # no other sample has a part in it


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
        weights = {
            name: tensor - workload.optimiser.learning_rate * gradients[name] for name, tensor in weights.items()
        }
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


def test_decisions_below_everything_trained_do_not_count() -> None:
    frozen = msgspec.structs.replace(SAME, trained=False)
    near = np.array([[[[2, 2 - NEAR], [0, -1]]]])
    for layers, counts in (((SAME, MaxPool2d(id="p", size=2)), True), ((frozen, MaxPool2d(id="p", size=2)), False)):
        workload = small(*layers, Flatten(id="f"), Dense(id="d", units=1), shape=(1, 2, 2))
        weights = {**ONE, "d.weight": np.ones((1, 1)), "d.bias": np.ones(1)}
        assert np.isfinite(reference.margins(workload, weights, {"input": near})).all() == counts


@pytest.mark.parametrize(("gap", "margin"), [(1e-3, 1e-4), (6e-5, 3e-5), (2e-5, 1e-5), (5e-6, None)])
def test_batches_have_the_largest_margin_there_is(gap: float, margin: float | None) -> None:
    layers = (SAME, MaxPool2d(id="p", size=2), Flatten(id="f"), Dense(id="d", units=5))
    workload = small(*layers, shape=(1, 2, 2), loss="softmax-cross-entropy")
    inputs = np.array([[[[3, 3 * (1 - gap)], [0, 0]]]] * 5, np.float32)
    weights = {"c.weight": np.ones((1, 1, 1, 1)), "d.weight": np.full((1, 5), 0.1), "d.bias": np.zeros(5)}
    slow = msgspec.structs.replace(workload, optimiser=msgspec.structs.replace(workload.optimiser, learning_rate=1e-6))
    single = {name: tensor.astype(np.float32) for name, tensor in weights.items()}
    found = reference.train(slow, single, Counted(inputs), 3)
    assert found.margin == margin
    assert found.safe_steps == (0 if margin is None else 3)


def test_the_margin_after_batch_norm_is_that_of_the_whole_batch() -> None:
    workload = small(
        SAME, BatchNorm(id="n"), Relu(id="r"), Flatten(id="f"), Dense(id="d", units=1), shape=(1, 2, 2), batch=4
    )
    weights = {name: tensor.astype(np.float64) for name, tensor in make_weights(workload, 0).items()}
    batch = reference.draw(workload, weights, made_samples(workload, 0))
    assert batch.margin is not None
    assert reference.margins(workload, weights, batch.inputs).min() > batch.margin


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
