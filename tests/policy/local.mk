# SPDX-License-Identifier: Apache-2.0
TESTS += tests/policy/evaluator_test
EXTRA_DIST += tests/policy/README.md tests/policy/evaluator.py tests/policy/evaluator_test
