"""Keeps the two kinds of test run apart.

`pytest` runs everything except tests/ape, without ape's pytest plugin (it would start a chain for every run).
`ape test` runs tests/ape only, with the plugin, and treats warnings of ape's own dependencies as warnings.
"""

from __future__ import annotations

from pathlib import Path

import pytest

APE_TESTS = Path(__file__).parent / "tests" / "ape"


def _started_by_ape(config: pytest.Config) -> bool:
    return "ape_test" in (config.invocation_params.plugins or ())


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    config = pluginmanager.get_plugin("pytestconfig")
    if (
        isinstance(config, pytest.Config)
        and not _started_by_ape(config)
        and pluginmanager.has_plugin("ape_test")
    ):
        pluginmanager.unregister(name="ape_test")


def pytest_configure(config: pytest.Config) -> None:
    if _started_by_ape(config):
        config.addinivalue_line("filterwarnings", "default")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if _started_by_ape(config):
        related = collection_path.is_relative_to(APE_TESTS) or APE_TESTS.is_relative_to(collection_path)
        return None if related else True
    return True if collection_path == APE_TESTS else None
