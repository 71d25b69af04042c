from typing import Any

from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier


def make_model(_params: Any, seed: int) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(max_depth=3, random_state=seed)


def make_baseline(_seed: int) -> LogisticRegression:
    return LogisticRegression()
