"""The five tutorials on the facade: results and printed forms as TensorFlow gives them."""

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import srcad.tf as tf
from tests import tf_documents
from tests.tf_documents import doc002_minimum, doc003_training, doc004_advanced, fixed, plots
from tests.tf_recorded import harness, suites

PROGRAMS = suites.documents()
RECORDING = harness.load("documents")

# printed forms as the documents show them, character by character
SHOWN = {
    "doc000_basics.control_flow": (
        "<tf.Tensor: shape=(1, 1), dtype=float32, numpy=array([[-0.5131821]], dtype=float32)>\n"
        "<tf.Tensor: shape=(1, 1), dtype=bool, numpy=array([[ True]])>\n"
    ),
    "doc001_derivatives.by_differences": "7.999999999999119\n",
    "doc001_derivatives.gradient_by_differences": "(8.999999999993236, 41.999999999994486)\n",
    "doc001_derivatives.one_gradient": "tf.Tensor(9.0, shape=(), dtype=float32)\n",
    "doc001_derivatives.second_call_fails": (
        "A non-persistent GradientTape can only be used to compute one set of gradients"
        " (or jacobians)\n"
    ),
    "doc001_derivatives.persistent": (
        "tf.Tensor(9.0, shape=(), dtype=float32) tf.Tensor(42.0, shape=(), dtype=float32)\n"
    ),
    "doc001_derivatives.constants": "[None, None]\n",
    "doc001_derivatives.descent": (
        "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=-0.3333333>\n"
    ),
    "doc001_derivatives.descent_by_optimizer": (
        "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=-0.3333333>\n"
    ),
    "doc002_minimum.minimum_by_steps": "y = 0 ; x = 0.999998569\n",
    "doc002_minimum.minimum_by_minimize": "y = 0 ; x = 0.999998569\n",
    "doc002_minimum.derivative_in_function": "(-2, 1)\n(0, 0)\n",
    "doc003_training.square": "<tf.Tensor: shape=(), dtype=float32, numpy=6.0>\n",
    "doc004_advanced.stop_recording": (
        "dz/dx: tf.Tensor(4.0, shape=(), dtype=float32)\ndz/dy: None\n"
    ),
    "doc004_advanced.higher_order": "dy_dx: 3.0\nd2y_dx2: 6.0\n",
    "doc004_advanced.input_gradient": "[TensorShape([5, 10]), TensorShape([10])]\n",
}


def test_all_programs_are_recorded():
    """Each program has its recording, and no recording is left over."""
    assert set(PROGRAMS) == set(RECORDING[0]) - {"tensorflow"}
    assert len(PROGRAMS) >= 60 and len(tf_documents.MODULES) == 7


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    """A program gives what TensorFlow gave."""
    harness.check(name, PROGRAMS[name], tf, RECORDING)


@pytest.mark.parametrize("name", SHOWN)
def test_printed_form(name):
    """A program prints what the document shows."""
    _, texts = harness.run(PROGRAMS[name], tf)
    assert texts.get("stdout", "") + texts.get("stderr", "") == SHOWN[name]


def test_derivative_compiles():
    """002 In [7], a tape inside a function, compiles."""
    f = doc002_minimum.make_derivative(tf)
    assert [float(v) for v in f(tf.constant(3.0))] == [4.0, 4.0]
    assert f.compiled


def test_minimisation_compiles():
    """002 In [10], a loop with a tape and an optimizer, compiles."""
    f, x = doc002_minimum.make_minimizef(tf)
    assert abs(float(f())) < 1e-6 and abs(float(x) - 1.0) < 1e-5
    assert f.compiled


def test_minimisation_of_function_compiles():
    """002 In [11], ``minimize`` of another function in a loop, compiles."""
    train, x = doc002_minimum.make_train(tf)
    assert abs(float(train(1000))) < 1e-6 and abs(float(x) - 1.0) < 1e-5
    assert train.compiled


def test_training_step_compiles():
    """003's training step, with layers, loss and optimizer, compiles."""
    model = doc003_training.make_fixed_model(tf)
    loss = tf.keras.losses.CategoricalCrossentropy(from_logits=True)
    step = doc003_training.make_step(tf, model, loss, tf.keras.optimizers.SGD(1e-3))
    x, y = fixed.numbers(3, 64, 32), fixed.uniform(4, 64, 10)
    first, second = (float(step(tf.constant(x), tf.constant(y))) for _ in range(2))
    assert second < first
    assert step.compiled


@pytest.fixture
def plt():
    """Plots that are drawn nowhere."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    pyplot = importlib.import_module("matplotlib.pyplot")
    yield pyplot
    pyplot.close("all")


def test_curve(plt):
    """004's curve and its derivative are drawn from tensors."""
    y, slope = plots.curve(tf, plt)
    assert y.shape == slope.shape == (201,)
    assert y[100] == pytest.approx(0.5) and slope[100] == pytest.approx(0.25)


def test_images(plt):
    """004's pictures of jacobians are drawn from tensors."""
    shown, limit = plots.images(tf, plt)
    assert [shape for shape, _ in shown] == [(7, 7), (54, 45)]
    assert shown[1][1] == pytest.approx((-limit, limit))


LOAD = """
import sys
import srcad.tf as tf
v = tf.Variable(2.0)
loaded = tf.saved_model.load(sys.argv[1])
with tf.GradientTape() as t:
    output = loaded.call_custom_grad(v * v)
print(t.gradient(output, v))
"""


def _save(folder: Path) -> Path:
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=True)
    tf.saved_model.save(doc004_advanced.make_module(tf), str(folder), options=options)
    return folder


def test_saved_gradient_in_fresh_process(tmp_path):
    """A saved custom gradient is alive in a process that knows nothing of it."""
    folder = _save(tmp_path / "saved_model")
    command = [sys.executable, "-c", LOAD, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.stdout == "tf.Tensor(2.0, shape=(), dtype=float32)\n", done.stderr


def test_tampered_model_is_refused(tmp_path):
    """A changed file of a saved model is refused."""
    folder = _save(tmp_path / "saved_model")
    files = [p for p in folder.rglob("*") if p.is_file() and p.stat().st_size]
    assert files
    for path in files:
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        with pytest.raises(Exception, match=r"."):
            tf.saved_model.load(str(folder))
        path.write_bytes(content)
    tf.saved_model.load(str(folder))
