"""Data: made samples are seeded and fit; the user's own files are read as they are, and every fault has its place."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bench.data import (
    PM25_COLUMNS,
    made_samples,
    make_weights,
    prepare,
    read_mnist,
    read_pm25,
    user_samples,
)
from bench.parity import STEPS
from bench.reference import MARGINS, margins
from bench.tensors import Array, read_tensors
from bench.workload import Workload, inputs, load_workloads, output_shape, state_shapes, weight_shapes
from knowledge.faults import BadInput, Fault

WORKLOADS = load_workloads()
MNIST, PM25 = WORKLOADS["mnist-cnn"], WORKLOADS["pm25-lstm"]


def faults_of(call: Callable[[], object]) -> tuple[Fault, ...]:
    with pytest.raises(BadInput) as caught:
        call()
    return caught.value.faults


# --- made ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=list(WORKLOADS))
def test_made_samples_fit_their_workload_and_follow_their_seed(workload: Workload) -> None:
    samples = made_samples(workload, 7)
    taken, targets = samples.take(6)
    again, _ = samples.take(6)
    same, _ = made_samples(workload, 7).take(6)
    other, _ = made_samples(workload, 8).take(6)
    assert list(taken) == list(inputs(workload))
    for name, given in inputs(workload).items():
        assert taken[name].shape == (6, *given.shape)
        if given.tokens is None:
            assert taken[name].dtype == np.float32
            assert np.abs(taken[name]).max() <= 1
        else:
            assert taken[name].dtype == np.int32
            assert 0 <= taken[name].min() < taken[name].max() < given.tokens
        assert not np.array_equal(again[name], taken[name])
        np.testing.assert_array_equal(same[name], taken[name])
        assert not np.array_equal(other[name], taken[name])
    output = output_shape(workload)
    if workload.loss == "softmax-cross-entropy":
        assert targets.shape == (6, *output[:-1])
        assert targets.dtype == np.int32
        assert 0 <= targets.min() < targets.max() < output[-1]
    else:
        assert targets.shape == (6, *output)
        assert targets.dtype == np.float32


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=list(WORKLOADS))
def test_initial_weights_are_seeded_and_no_bias_is_zero(workload: Workload) -> None:
    weights = make_weights(workload, 7)
    shapes = weight_shapes(workload) | state_shapes(workload)
    assert {name: tensor.shape for name, tensor in weights.items()} == shapes
    assert all(tensor.dtype == np.float32 and (tensor != 0).all() for tensor in weights.values())
    for name, tensor in make_weights(workload, 7).items():
        np.testing.assert_array_equal(weights[name], tensor)


def test_kernels_are_glorot_s_and_a_recurrence_is_orthogonal() -> None:
    last = make_weights(MNIST, 7)["dense.weight"]
    limit = (6 / sum(last.shape)) ** 0.5
    assert 0.9 * limit < np.abs(last).max() <= limit
    loop = make_weights(WORKLOADS["dynamic-rnn"], 7)["loop.weight"]
    np.testing.assert_allclose(loop @ loop.T, np.eye(128), atol=1e-5)


def test_text_is_continued_by_its_targets_and_can_be_learned() -> None:
    workload = WORKLOADS["transformer-lm"]
    taken, targets = made_samples(workload, 0).take(200)
    text = taken["text"]
    np.testing.assert_array_equal(text[:, 1:], targets[:, :-1])
    after = targets[text == 3]
    share = np.bincount(after).max() / len(after)
    assert 0.4 < share < 0.6  # half of the time the successor is fixed


def test_prepared_files_are_what_the_reference_trained_on(tmp_path: Path) -> None:
    prepared = prepare(PM25, 0, tmp_path)
    assert prepared.made
    batches = read_tensors(prepared.batches_manifest)
    assert batches["inputs.input"].shape == (STEPS, 72, 24, 8)
    np.testing.assert_array_equal(batches["inputs.input"], prepared.reference.inputs["input"])
    np.testing.assert_array_equal(batches["targets"], prepared.reference.targets)
    weights = read_tensors(prepared.weights_manifest)
    for name, tensor in make_weights(PM25, 0).items():
        np.testing.assert_array_equal(weights[name], tensor)
    assert prepared.network_json.read_bytes().startswith(b'{"schema":"advisor/network/2"')
    assert prepared.reference.safe_steps == STEPS == len(prepared.reference.losses)


# --- MNIST -----------------------------------------------------------------------------------------------------------

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx(array: Array) -> bytes:
    return struct.pack(f">I{array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def digits(count: int = 5) -> tuple[Array, Array]:
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, 28, 28)), random.integers(0, 10, count)


def write_mnist(folder: Path, images: bytes, labels: bytes, suffix: str = "") -> None:
    for name, content in ((IMAGES, images), (LABELS, labels)):
        (folder / (name + suffix)).write_bytes(gzip.compress(content) if suffix else content)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("point_at", ["folder", "file"])
def test_mnist_files_are_read_plain_and_compressed(tmp_path: Path, suffix: str, point_at: str) -> None:
    pixels, classes = digits()
    write_mnist(tmp_path, idx(pixels), idx(classes), suffix)
    samples = user_samples(MNIST, tmp_path if point_at == "folder" else tmp_path / (IMAGES + suffix))
    taken, targets = samples.take(7)
    found = taken["input"]
    np.testing.assert_array_equal(found[:5, 0], (pixels / np.float32(255)).astype(np.float32))
    np.testing.assert_array_equal(targets[:5], classes)
    np.testing.assert_array_equal(found[5:], found[:2])  # files start over at their end
    assert (found.dtype, targets.dtype) == (np.float32, np.int32)


def test_mnist_s_other_file_names_are_known_too(tmp_path: Path) -> None:
    pixels, classes = digits()
    (tmp_path / "train-images.idx3-ubyte").write_bytes(idx(pixels))
    (tmp_path / "train-labels.idx1-ubyte").write_bytes(idx(classes))
    assert len(read_mnist(tmp_path).inputs) == 5


PIXELS, CLASSES = digits()


@pytest.mark.parametrize(
    ("images", "labels", "file", "problem"),
    [
        (idx(PIXELS)[:-1], idx(CLASSES), IMAGES, "its header promises 3920 bytes and it has only 3919"),
        (idx(PIXELS) + b"x", idx(CLASSES), IMAGES, "its header promises 3920 bytes and it has more"),
        (idx(PIXELS), b"", LABELS, "is no IDX file of the right kind"),
        (idx(PIXELS), idx(CLASSES)[:6], LABELS, "ends after 6 bytes, within its header"),
        (idx(CLASSES), idx(CLASSES), IMAGES, "is no IDX file of the right kind"),
        (b"<html>not found, sorry</html>", idx(CLASSES), IMAGES, "is no IDX file of the right kind"),
        (struct.pack(">4I", 0x803, 2**32 - 1, 28, 28), idx(CLASSES), IMAGES, "claims 4294967295 x 28 x 28"),
        (struct.pack(">4I", 0x803, 10**6, 1024, 1024), idx(CLASSES), IMAGES, "claims 1000000 x 1024 x 1024"),
        (idx(PIXELS), idx(CLASSES[:4]), IMAGES, "5 images, but 4 labels"),
        (idx(PIXELS[:0]), idx(CLASSES[:0]), IMAGES, "holds no images"),
        (idx(PIXELS), idx(np.array([1, 2, 30, 4, 5])), LABELS, "label 30 of image 2 is not a digit"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_broken_mnist_files_are_named(
    tmp_path: Path, images: bytes, labels: bytes, file: str, problem: str, suffix: str
) -> None:
    write_mnist(tmp_path, images, labels, suffix)
    (fault,) = faults_of(lambda: read_mnist(tmp_path))
    assert Path(fault.file).name == file + suffix
    assert fault.problem.startswith(problem)
    assert fault.mend


def test_both_broken_mnist_files_are_named_at_once(tmp_path: Path) -> None:
    write_mnist(tmp_path, b"", b"")
    assert [Path(fault.file).name for fault in faults_of(lambda: read_mnist(tmp_path))] == [IMAGES, LABELS]


def test_a_compressed_file_that_is_not_one_is_named(tmp_path: Path) -> None:
    write_mnist(tmp_path, idx(PIXELS), idx(CLASSES))
    (tmp_path / IMAGES).rename(tmp_path / f"{IMAGES}.gz")
    (fault,) = faults_of(lambda: read_mnist(tmp_path))
    assert fault.problem.startswith("cannot be read")


def test_missing_mnist_files_are_named_with_what_to_put_where(tmp_path: Path) -> None:
    (fault,) = faults_of(lambda: user_samples(MNIST, tmp_path))
    assert IMAGES in fault.problem
    assert fault.mend


def test_a_folder_that_is_not_there_is_named_and_not_the_one_around_it(tmp_path: Path) -> None:
    (fault,) = faults_of(lambda: user_samples(MNIST, tmp_path / "nowhere"))
    assert (fault.file, fault.problem) == (str(tmp_path / "nowhere"), "there is no such folder")


def test_images_of_another_size_do_not_fit_the_workload(tmp_path: Path) -> None:
    write_mnist(tmp_path, idx(PIXELS[:, :20, :20]), idx(CLASSES))
    (fault,) = faults_of(lambda: user_samples(MNIST, tmp_path))
    assert fault.problem == "its samples are 1 x 20 x 20, mnist-cnn takes 1 x 28 x 28"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("conv-32", "conv-32 trains on made data; own files are read for mnist and pm25"),
        ("vqa-50", "vqa-50 trains on made data; own files are read for mnist and pm25"),
    ],
)
def test_a_data_set_that_cannot_be_read_is_said(tmp_path: Path, name: str, problem: str) -> None:
    (fault,) = faults_of(lambda: user_samples(WORKLOADS[name], tmp_path))
    assert fault.problem == problem


def test_files_of_one_input_do_not_feed_a_network_of_two(tmp_path: Path) -> None:
    two = msgspec.structs.replace(WORKLOADS["vqa-50"], data="mnist")
    (fault,) = faults_of(lambda: user_samples(two, tmp_path))
    assert fault.problem == "vqa-50 takes image, question; the file holds one input of numbers"


def test_the_blank_border_of_real_digits_does_not_spoil_a_batch(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    pixels = np.zeros((400, 28, 28), np.uint8)
    pixels[:, 6:22, 6:22] = random.integers(0, 256, (400, 16, 16))
    write_mnist(tmp_path, idx(pixels), idx(random.integers(0, 10, 400)))
    weights = {name: tensor.astype(np.float64) for name, tensor in make_weights(MNIST, 0).items()}
    taken, _ = user_samples(MNIST, tmp_path).take(200)
    assert (margins(MNIST, weights, taken) > MARGINS[0]).mean() > 0.1


# --- Beijing PM2.5 ---------------------------------------------------------------------------------------------------

HEADER = "No,year,month,day,hour,pm2.5,DEWP,TEMP,PRES,cbwd,Iws,Is,Ir"


def hours(count: int, missing: tuple[int, ...] = ()) -> list[str]:
    winds = ("NW", "cv", "NE", "SE")
    return [
        f"{n + 1},2010,1,{n // 24 + 1},{n % 24},{'NA' if n in missing else 10 + n},-{n},{n % 7}.5,1020,{winds[n % 4]},"
        f"{n}.79,0,{n % 2}"
        for n in range(count)
    ]


def write_csv(folder: Path, lines: list[str], header: str = HEADER) -> Path:
    path = folder / "PRSA_data_2010.1.1-2014.12.31.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_pm25_becomes_windows_of_scaled_columns_and_the_next_hour(tmp_path: Path) -> None:
    path = write_csv(tmp_path, hours(40))
    samples = read_pm25(path)
    assert samples.inputs.shape == (16, 24, len(PM25_COLUMNS))
    assert samples.targets.shape == (16, 1)
    assert samples.inputs.min() == 0
    assert samples.inputs.max() == 1
    concentration = (np.arange(40) / 39).astype(np.float32)
    for start in (0, 15):
        np.testing.assert_allclose(samples.inputs[start, :, 0], concentration[start : start + 24], rtol=1e-6)
        np.testing.assert_allclose(samples.targets[start, 0], concentration[start + 24], rtol=1e-6)
    # NW, cv, NE, SE, of the alphabet's NE, NW, SE, cv
    np.testing.assert_allclose(samples.inputs[0, :4, 4], [1 / 3, 1, 0, 2 / 3], rtol=1e-6)
    assert samples.inputs[0, :, 3].max() == 0  # a column that never changes


def test_hours_without_a_concentration_belong_to_no_sample(tmp_path: Path) -> None:
    write_csv(tmp_path, hours(80, missing=(0, 1, 40)))
    samples = user_samples(PM25, tmp_path)
    assert len(read_pm25(tmp_path).inputs) == (38 - 24) + (39 - 24)
    assert np.isfinite(samples.take(100)[0]["input"]).all()


@pytest.mark.parametrize(
    ("line", "key", "problem"),
    [
        ("1,2010,1,1,0,abc,0,0,0,NW,0,0,0", "pm2.5", "'abc' is not a number"),
        ("1,2010,1,1,0,5,NA,0,0,NW,0,0,0", "DEWP", "'NA' is not a number"),
        ("1,2010,1,1,0,inf,0,0,0,NW,0,0,0", "pm2.5", "'inf' is not a number"),
        ("1,2010,1,1,0,nan,0,0,0,NW,0,0,0", "pm2.5", "'nan' is not a number"),
        ("1,2010,1,1,0,5,0,-1e308,0,NW,0,0,0", "TEMP", "'-1e308' is not a number below 1,000,000 in size"),
        ("1,2010,1,1,0,5,0,0,0,XX,0,0,0", "cbwd", "'XX' is not one of NE, NW, SE, cv"),
        ("1,2010", "", "has 2 columns, the header 13"),
    ],
)
def test_a_broken_line_is_named_with_its_number_and_column(tmp_path: Path, line: str, key: str, problem: str) -> None:
    path = write_csv(tmp_path, [*hours(30), line])
    (fault,) = faults_of(lambda: read_pm25(path))
    assert (fault.file, fault.line, fault.key, fault.problem) == (str(path), 32, key, problem)


def test_many_faults_are_told_up_to_a_limit(tmp_path: Path) -> None:
    path = write_csv(tmp_path, ["x"] * 1000)
    faults = faults_of(lambda: read_pm25(path))
    assert [fault.line for fault in faults[:3]] == [2, 3, 4]
    assert len(faults) == 21
    assert "more faults" in faults[-1].problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the header lacks pm2.5, DEWP"),
        (b"a,b\n1,2\n", "the header lacks pm2.5, DEWP"),
        (b"\xff\xfe\x00", "cannot be read"),
        (HEADER.encode(), "holds 0 hours; one sample needs 25"),
        (b'"' + HEADER.encode() + b"\n1,2", "cannot be read"),
    ],
)
def test_another_file_is_named_for_what_it_is_not(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    (fault,) = faults_of(lambda: read_pm25(path))
    assert fault.problem.startswith(problem)
    assert fault.mend


def test_no_whole_window_is_said(tmp_path: Path) -> None:
    path = write_csv(tmp_path, hours(60, missing=tuple(range(0, 60, 10))))
    (fault,) = faults_of(lambda: read_pm25(path))
    assert fault.problem == "no 25 hours in a row have a concentration"


@pytest.mark.parametrize(("files", "problem"), [((), "there is no .csv"), (("a.csv", "b.csv"), "there are 2 .csv")])
def test_a_folder_has_to_hold_one_csv_file(tmp_path: Path, files: tuple[str, ...], problem: str) -> None:
    for name in files:
        (tmp_path / name).write_text("")
    (fault,) = faults_of(lambda: read_pm25(tmp_path))
    assert fault.problem.startswith(problem)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    (fault,) = faults_of(lambda: read_pm25(tmp_path / "nothing.csv"))
    assert fault.problem == "cannot be read: No such file or directory"
