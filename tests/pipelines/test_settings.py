import pytest

from annotations.errors import InputError
from detection.settings import DetectorSettings, DetectSettings
from pipelines.settings import change


def test_changes_are_yaml_over_defaults():
    changed = change(DetectSettings, ["confidences={light: 0.1}", "overlap=0.4"], confidence=0.3)
    assert (changed.confidence, changed.overlap) == (0.3, 0.4)
    assert changed.confidences == {"light": 0.1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("confidence", "key=value"),
        ("confidense=1", "did you mean 'confidence'"),
        ("confidence=2", "less than or equal to 1"),
        ("confidences={light: .nan}", "confidences.light"),
    ],
)
def test_a_wrong_change_is_named(text, words):
    with pytest.raises(InputError, match=words):
        change(DetectSettings, [text])


def test_no_number_is_infinite():
    with pytest.raises(InputError, match="hold_out: Input should be a finite number"):
        change(DetectorSettings, ["hold_out=.inf"])
