"""How well what is seen of answers tells their kinds apart: rank AUC, and a small logistic regression. Pure."""

import random
from collections.abc import Mapping, Sequence
from math import exp
from statistics import fmean, pstdev

SHUFFLES = 200
STEPS, RATE = 150, 0.5  # of the descent

Labelled = Sequence[tuple[str, float]]


def worst_auc(seen: Labelled) -> tuple[float, str]:
    """The best that one number can do to tell a kind from all others, in whichever direction: AUC, and which kind.

    0.5 tells nothing, 1.0 everything.
    """
    aucs = _aucs([kind for kind, _ in seen], _ranks([value for _, value in seen]))
    return max((max(auc, 1 - auc), kind) for kind, auc in aucs.items())


def auc_by_chance(seen: Labelled, *, quantile: float = 0.99, seed: int = 7) -> float:
    """What `worst_auc` exceeds once in a hundred times if the numbers have nothing to do with the kinds."""
    chance = random.Random(seed)  # noqa: S311 - statistics
    kinds, ranks = [kind for kind, _ in seen], _ranks([value for _, value in seen])
    found = []
    for _ in range(SHUFFLES):
        chance.shuffle(kinds)
        found.append(max(max(auc, 1 - auc) for auc in _aucs(kinds, ranks).values()))
    return sorted(found)[int(SHUFFLES * quantile)]


def learnt_auc(seen: Sequence[tuple[bool, Sequence[float]]], *, seed: int = 7) -> float:
    """AUC, on a half that it has not seen, of a logistic regression over all features and their squares.

    Each is (whether it is what is looked for, features).
    """
    rows = [(wanted, [*features, *(each * each for each in features)]) for wanted, features in seen]
    random.Random(seed).shuffle(rows)  # noqa: S311 - statistics
    scaled = list(zip((wanted for wanted, _ in rows), _scaled([row for _, row in rows]), strict=True))
    learning, judging = scaled[: len(scaled) // 2], scaled[len(scaled) // 2 :]
    weights = _fit(learning)
    scores = [(str(wanted), sum(w * x for w, x in zip(weights, row, strict=True))) for wanted, row in judging]
    return _aucs([kind for kind, _ in scores], _ranks([score for _, score in scores]))["True"]


def _aucs(kinds: Sequence[str], ranks: Sequence[float]) -> Mapping[str, float]:
    """Of each kind against all others: the chance that one of it ranks above one of them (Mann and Whitney)."""
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for kind, rank in zip(kinds, ranks, strict=True):
        sums[kind] = sums.get(kind, 0.0) + rank
        counts[kind] = counts.get(kind, 0) + 1
    total = len(ranks)
    return {kind: (sums[kind] - count * (count + 1) / 2) / (count * (total - count)) for kind, count in counts.items()}


def _ranks(values: Sequence[float]) -> list[float]:
    """From 1; equals share the middle of their ranks."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + 1 + end) / 2
        start = end
    return ranks


def _scaled(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    """Mean 0 and deviation 1 in each column; what never varies is 0. A constant is added."""
    columns = [(fmean(column), pstdev(column) or 1.0) for column in zip(*rows, strict=True)]
    return [[1.0, *((x - mean) / spread for x, (mean, spread) in zip(row, columns, strict=True))] for row in rows]


def _fit(rows: Sequence[tuple[bool, Sequence[float]]]) -> list[float]:
    """Weights by plain gradient descent; both outcomes weigh the same, however many there are."""
    share = sum(wanted for wanted, _ in rows) / len(rows)
    weights = [0.0] * len(rows[0][1])
    for _ in range(STEPS):
        slope = [0.0] * len(weights)
        for wanted, row in rows:
            z = sum(w * x for w, x in zip(weights, row, strict=True))
            error = 1 / (1 + exp(-max(-30.0, min(30.0, z)))) - wanted
            error /= 2 * (share if wanted else 1 - share)
            for place, x in enumerate(row):
                slope[place] += error * x
        weights = [w - RATE * s / len(rows) for w, s in zip(weights, slope, strict=True)]
    return weights
