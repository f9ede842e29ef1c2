"""A template is destroyed when it is wiped, and says how long it lived."""

import copy
import pickle

import numpy as np
import pytest

from recognition.templates import Template, TemplateError

MILLISECOND = 1_000_000


class Stopwatch:
    """A clock that stands still until it is told otherwise, in nanoseconds."""

    def __init__(self):
        self.now = 5_000_000_000_000

    def __call__(self):
        return self.now


def a_buffer():
    """An embedding of length 5."""
    return np.array([3, 0, 4], np.float32)


def a_template(**changes):
    return Template(a_buffer(), **{"model_digest": "ab" * 32, **changes})


def test_a_template_is_of_unit_length_and_remembers_the_length_before():
    template = a_template()
    np.testing.assert_array_equal(template.values, np.array([0.6, 0, 0.8], np.float32))
    assert template.values.dtype == np.float32
    assert template.dimension == 3
    assert template.norm_before == 5.0
    assert template.model_digest == "ab" * 32


def test_the_numbers_stay_in_the_buffer_that_was_handed_over():
    """So that there is one place to wipe."""
    buffer = a_buffer()
    template = Template(buffer, model_digest="ab")
    assert np.shares_memory(template.values, buffer)
    np.testing.assert_array_equal(buffer, np.array([0.6, 0, 0.8], np.float32))


def test_a_wipe_overwrites_the_numbers_also_where_they_are_still_looked_at():
    buffer = a_buffer()
    template = Template(buffer, model_digest="ab")
    still_looked_at = template.values
    assert still_looked_at.any()
    template.wipe()
    assert template.wiped
    assert not buffer.any()
    assert not still_looked_at.any()


def test_nobody_can_read_a_wiped_template():
    template = a_template()
    template.wipe()
    with pytest.raises(TemplateError, match="expected a live template, found one that was wiped"):
        _ = template.values


def test_nobody_can_change_a_template():
    with pytest.raises(ValueError, match="read-only"):
        a_template().values[0] = 1


@pytest.mark.parametrize(
    ("nanoseconds", "milliseconds"),
    [
        (0, 0),
        (1, 1),
        (MILLISECOND, 1),
        (MILLISECOND + 1, 2),
        (1500 * MILLISECOND, 1500),
    ],
)
def test_the_life_runs_from_the_filling_to_the_wipe_and_is_rounded_up(nanoseconds, milliseconds):
    """A record may say that a template lived a little longer than it did, never shorter."""
    stopwatch = Stopwatch()
    template = a_template(monotonic_ns=stopwatch)
    stopwatch.now += nanoseconds
    assert template.age_ms == milliseconds
    template.wipe()
    assert template.life_ms == milliseconds


def test_wiping_again_changes_nothing():
    stopwatch = Stopwatch()
    template = a_template(monotonic_ns=stopwatch)
    stopwatch.now += 2 * MILLISECOND
    template.wipe()
    stopwatch.now += 7 * MILLISECOND
    template.wipe()
    assert template.life_ms == template.age_ms == 2


def test_a_life_that_has_not_ended_is_not_stated():
    with pytest.raises(TemplateError, match="still alive"):
        _ = a_template().life_ms


def test_printing_a_template_shows_no_number_of_it():
    template = a_template()
    for shown in (repr(template), str(template), f"{template}"):
        assert shown == "<Template, 3 numbers, live>"
    template.wipe()
    assert repr(template) == "<Template, 3 numbers, wiped>"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_template_is_neither_copied_nor_pickled(duplicate):
    """No wipe would reach the copy."""
    with pytest.raises(TypeError, match="neither copied nor pickled"):
        duplicate(a_template())


@pytest.mark.parametrize(
    ("embedding", "found"),
    [
        (np.array([3, 0, 4], np.float64), "float64 of shape"),
        (np.array([[3, 0, 4]], np.float32), r"shape \(1, 3\)"),
        (np.array([], np.float32), r"shape \(0,\)"),
        (np.zeros(9, np.float32)[:3], "borrowed memory"),
        (np.frombuffer(b"\0" * 12, np.float32), "borrowed memory, read-only"),
    ],
)
def test_an_array_whose_wipe_would_not_destroy_it_is_refused(embedding, found):
    with pytest.raises(TemplateError, match=found):
        Template(embedding, model_digest="ab")


def test_a_read_only_array_is_refused():
    embedding = a_buffer()
    embedding.flags.writeable = False
    with pytest.raises(TemplateError, match="own memory, read-only"):
        Template(embedding, model_digest="ab")


@pytest.mark.parametrize("numbers", [[0, 0, 0], [3, np.nan, 4], [np.inf, 0, 4]])
def test_an_embedding_without_a_direction_is_refused_and_overwritten(numbers):
    embedding = np.array(numbers, np.float32)
    with pytest.raises(TemplateError, match="expected an embedding with a direction"):
        Template(embedding, model_digest="ab")
    assert not embedding.any()
