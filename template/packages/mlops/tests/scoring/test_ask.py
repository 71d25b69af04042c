"""What a person sees of an endpoint's answer."""

from mlops.scoring.ask import table_of


def test_the_answer_of_several_classes_shows_the_likeliest_first() -> None:
    body = {"predictions": ["b"], "probabilities": [{"a": 0.25, "b": 0.7, "c": 0.05}]}
    columns, rows = table_of(body)
    assert columns == ("row", "prediction", "probability")
    assert rows == [("0", "b", "b 0.7000, a 0.2500, c 0.0500")]


def test_an_amount_has_no_probability() -> None:
    assert table_of({"predictions": [12.25, -3]}) == (
        ("row", "prediction"),
        [("0", "12.25"), ("1", "-3")],
    )


def test_a_yes_or_no_shows_its_probability() -> None:
    assert table_of({"predictions": [1], "probabilities": [0.51234]})[1] == [("0", "1", "0.5123")]
