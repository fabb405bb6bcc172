"""Single behaviours of the facade, as recorded from TensorFlow."""

import pytest

import srcad.tf as tf
from tests.tf_recorded import cases_arrays, cases_ops, differentiated, harness, suites, values

PROGRAMS = suites.conformance()
RECORDING = harness.load("conformance")


def test_all_cases_are_recorded():
    """Each case has its recording, and no recording is left over."""
    assert set(PROGRAMS) == set(RECORDING[0]) - {"tensorflow"}
    assert len(PROGRAMS) >= 150


@pytest.mark.parametrize("name", PROGRAMS)
def test_case(name):
    """A case gives what TensorFlow gave."""
    harness.check(name, PROGRAMS[name], tf, RECORDING)


SMOOTH = {k: v for k, v in (cases_ops.TABLE | cases_arrays.TABLE).items() if k != "reduce_max_tie"}


@pytest.mark.parametrize("name", SMOOTH)
def test_third_order(name):
    """Three nested tapes agree with differences of two."""
    exact, differences = differentiated.third_order(tf, *SMOOTH[name])
    assert exact == pytest.approx(differences, rel=1e-5, abs=1e-5)


ELSEWHERE = ["nn.ctc_loss", "strings.join", "raw_ops.AddV2", "keras.layers.LSTM", "distribute"]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_missing_is_named(name):
    """What is not there is named in the error."""
    where, _, last = name.rpartition(".")

    def look_up():
        place = tf
        for part in where.split(".") if where else []:
            place = getattr(place, part)
        return getattr(place, last)

    with pytest.raises(Exception, match=last if not where else "|".join(name.split("."))) as info:
        look_up()()
    assert len(str(info.value)) > len(last)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (1.0, 1.1),
        (1, 1.0),
        (None, 0.0),
        ("tf.Tensor(1)", "tf.Tensor(2)"),
        ({"list": [1.0]}, {"tuple": [1.0]}),
        ({"list": [1.0]}, {"list": [1.0, 2.0]}),
        ({"dict": {"a": 1.0}}, {"dict": {"b": 1.0}}),
        ({"raises": ["ValueError"], "message": "a"}, {"raises": ["TypeError"], "message": "a"}),
        ({"raises": ["ValueError"], "message": "a"}, {"raises": ["ValueError"], "message": "b"}),
        (2.0, {"raises": ["ValueError"]}),
    ],
)
def test_differences_are_found(found, expected):
    """The comparison is able to fail."""
    with pytest.raises(values.Difference):
        values.compare(found, expected, "here", ({}, {}))


@pytest.mark.parametrize("change", [{"dtype": "float64"}, {"shape": [1]}, {"data": [1.001]}])
def test_differences_of_arrays_are_found(change):
    """... for arrays too."""
    tensor = {"dtype": "float32", "shape": [], "data": [1.0]}
    values.compare({"tensor": dict(tensor)}, {"tensor": tensor}, "here", ({}, {}))
    with pytest.raises(values.Difference):
        values.compare({"tensor": tensor | change}, {"tensor": tensor}, "here", ({}, {}))
