"""The catalogue of codes: what ships holds together, and one that does not stops with a reason."""

from __future__ import annotations

from importlib.resources import files

import pytest

from domain.watchlists.accepted import (
    CODE_COLUMNS,
    AcceptedValuesError,
    accepted_values,
    plain,
    read_accepted_values,
)

SHIPPED = files("domain.watchlists").joinpath("accepted_values.toml").read_text(encoding="utf-8")

CODES = {
    "category": ["W1", "W2", "W3", "W4", "W5", "W6", "BLUE"],
    "image_basis": ["custody-image", "missing-person-file", "other-lawful"],
    "necessity": ["locate-wanted", "locate-missing", "prevent-harm", "safeguard"],
    "attempted_means": [
        "address-check",
        "known-associates",
        "phone",
        "intelligence-check",
        "media-appeal",
        "patrol",
    ],
    "attempted_result": ["not-found", "refused", "exhausted"],
    "nexus": ["intelligence-location", "hotspot-pattern", "event-attendance", "access-route"],
    "age_band": ["18+", "13-17", "<13"],
    "vulnerable": ["yes", "no"],
    "response_code": ["stop-and-speak", "arrest-on-identification", "safeguard"],
}


@pytest.mark.parametrize("column", CODES)
def test_the_codes_that_ship_are_those_of_the_specification(column: str) -> None:
    assert list(accepted_values().codes[column]) == CODES[column]


def test_the_source_systems_that_ship_name_custody_and_the_record_management_system() -> None:
    assert {"custody", "athena"} <= accepted_values().codes["source_system"].keys()


def test_every_code_says_what_it_means() -> None:
    catalogue = accepted_values()
    assert catalogue.codes.keys() == set(CODE_COLUMNS)
    for codes in catalogue.codes.values():
        for code, meaning in codes.items():
            assert len(meaning.split()) >= 2, code


def test_victims_and_witnesses_are_off_unless_someone_asks_for_them() -> None:
    assert accepted_values().off_categories == {"W6", "BLUE"}
    assert accepted_values().wanted_categories == {"W1", "W2"}
    assert accepted_values().default_categories == ["W1", "W2", "W3", "W4", "W5"]


def test_the_catalogue_says_its_version_and_where_it_comes_from() -> None:
    assert accepted_values().version
    assert "section 1" in accepted_values().source


def test_nobody_can_change_a_catalogue_that_was_read() -> None:
    catalogue = accepted_values()
    with pytest.raises(TypeError):
        catalogue.codes["category"]["W7"] = "somebody else"  # type: ignore[index]
    with pytest.raises(TypeError):
        catalogue.forbidden["colour"] = "a colour"  # type: ignore[index]


def test_a_force_may_give_its_own_catalogue() -> None:
    own = read_accepted_values(SHIPPED.replace("athena =", "niche ="))
    assert list(own.codes["source_system"]) == ["custody", "niche"]
    assert "niche" not in accepted_values().codes["source_system"]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("name", "a name"),
        ("Forename", "a name"),
        ("SURNAME", "a name"),
        ("alias", "a name"),
        ("subject_name", "a name"),
        ("dob", "a date of birth"),
        ("D.O.B.", "a date of birth"),
        ("date_of_birth", "a date of birth"),
        ("Date-of Birth", "a date of birth"),
        ("birth date", "a date of birth"),
        ("address", "an address"),
        ("Home Address", "an address"),
        ("post code", "an address"),
        ("postcode", "an address"),
        ("notes", "free text"),
        ("officer-notes", "free text"),
        ("comment", "free text"),
        ("description", "free text"),
        ("Free Text", "free text"),
        ("phone number", "a contact or vehicle"),
        ("nationality", "a protected characteristic"),
        ("ethnicity", "a protected characteristic"),
        ("gender", "a protected characteristic"),
        ("sex", "a protected characteristic"),
        ("PNC-ID", "a number kept on a person elsewhere"),
        ("cro", "a number kept on a person elsewhere"),
        ("nominal", "a number kept on a person elsewhere"),
        ("\ufeffname", "a name"),
    ],
)
def test_a_forbidden_column_is_found_out_however_it_is_written(column: str, kind: str) -> None:
    catalogue = accepted_values()
    word = catalogue.forbidden_word(column)
    assert word is not None
    assert catalogue.forbidden[word] == kind


@pytest.mark.parametrize("column", ["colour", "renamed", "essex", "", "__"])
def test_a_column_without_a_forbidden_word_is_not_called_one(column: str) -> None:
    """``essex`` holds the letters of ``sex`` but is another word."""
    assert accepted_values().forbidden_word(column) is None


def test_a_name_is_compared_without_case_spaces_and_signs() -> None:
    assert plain(" Date-of_BIRTH ") == "dateofbirth"


BROKEN = {
    "no TOML": ("version =", "expected a catalogue in TOML"),
    "no version": (SHIPPED.replace("version =", "# "), "the text version"),
    "a version that is a number": (
        SHIPPED.replace(f'"{accepted_values().version}"', "2", 1),
        "the text version",
    ),
    "no source": (SHIPPED.replace("source =", "# ", 1), "the text source"),
    "an unknown key": ('colour = "red"\n' + SHIPPED, "found colour"),
    "no table for a column": (SHIPPED.replace("[nexus]", "[nexus.other]"), "under nexus"),
    "a column that is a text": ('nexus = "x"\n' + SHIPPED.replace("[nexus]", "[x]"), "found x"),
    "a column without codes": (
        SHIPPED[: SHIPPED.index("[nexus]")] + "[nexus]\n" + SHIPPED[SHIPPED.index("[age_band]") :],
        "expected codes under nexus, found none",
    ),
    "a code that is free text": (
        SHIPPED.replace("athena =", '"the second floor" ='),
        "found 'the second floor'",
    ),
    "a code too long to be one": (SHIPPED.replace("athena =", f"{'a' * 25} ="), "1 to 24"),
    "a code without a meaning": (
        SHIPPED.replace('W1 = "wanted by the courts"', 'W1 = " "'),
        "what W1 means under category",
    ),
    "a code with a number for a meaning": (
        SHIPPED.replace('W1 = "wanted by the courts"', "W1 = 1"),
        "what W1 means under category",
    ),
    "another word for yes": (SHIPPED.replace("yes =", "ja ="), "found ja, no"),
    "an off category that is none": (
        SHIPPED.replace('"W6", "BLUE"]', '"W9"]'),
        "category: W9",
    ),
    "off categories that are no list": (
        SHIPPED.replace('["W6", "BLUE"]', "5"),
        "off_categories",
    ),
    "no defaults": (SHIPPED.replace("[defaults]", "[nexus.x]"), "nexus"),
    "a forbidden name that is a number": (SHIPPED.replace('["dob",', "[1,"), "'a date of birth'"),
    "forbidden names that are no list": (
        SHIPPED.replace('"an address" = [', '"an address" = "address"\n"x" = ['),
        "'an address'",
    ),
    "no forbidden columns": (
        SHIPPED[: SHIPPED.index("[forbidden_columns]")],
        "a table forbidden_columns",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_catalogue_that_is_not_as_it_must_be_stops_with_the_reason(case: str) -> None:
    text, words = BROKEN[case]
    assert text != SHIPPED
    with pytest.raises(AcceptedValuesError) as refused:
        read_accepted_values(text)
    assert words in str(refused.value)


def test_the_catalogue_that_the_broken_ones_were_made_of_is_whole() -> None:
    """Otherwise the cases above might be refused for another reason."""
    assert read_accepted_values(SHIPPED) == accepted_values()
