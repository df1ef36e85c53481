"""Fixtures of tests/tasks that these tests need too."""

from tests.tasks.conftest import three_languages  # noqa: F401
