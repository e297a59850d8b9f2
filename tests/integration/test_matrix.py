# SPDX-License-Identifier: Apache-2.0
"""A sample of tests/policy/matrix: S3, a kernel mount and an independent evaluator answer alike."""
import random
import sys
from pathlib import Path

import pytest

POLICY = Path(__file__).resolve().parent.parent / "policy"


@pytest.mark.parametrize("seed", [1, pytest.param(random.SystemRandom().getrandbits(31), id="new")])
def test_sample(fresh, kernel, seed):
    sys.path.insert(0, str(POLICY))
    try:
        from doors import Matrix
    finally:
        sys.path.remove(str(POLICY))
    print(f"seed {seed}: tests/policy/matrix --seed {seed} --changes 1 --round 350 --cells 700")
    matrix = Matrix(fresh, kernel, seed, changes=1)
    wrong = [story for _ in range(2) for _, story in matrix.round(350)]
    assert not wrong, "\n".join(wrong[:3])
    assert matrix.count["answers"] > 500 and matrix.count["granted"] > 80, matrix.count
