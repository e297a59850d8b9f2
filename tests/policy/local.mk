# SPDX-License-Identifier: Apache-2.0
TESTS += tests/policy/compare tests/policy/evaluator_test tests/policy/decision_test
EXTRA_DIST += tests/policy/README.md tests/policy/compare tests/policy/decision.py tests/policy/decision_test tests/policy/doors.py tests/policy/evaluator.py \
	tests/policy/evaluator_test tests/policy/generate.py tests/policy/matrix tests/policy/mount_agent.py tests/policy/worlds.py
