"""The summary of the tests says how many inputs were fuzzed, and what the worst of them took."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    passed = terminalreporter.getreports("passed")
    fuzzed = [value for report in passed for name, value in report.user_properties if name == "fuzzed"]
    if fuzzed:
        inputs, longest, grown = zip(*fuzzed, strict=True)
        terminalreporter.write_line(
            f"fuzzed inputs: {sum(inputs):,}, in {len(fuzzed)} passed tests; the slowest took {max(longest):.1f} s, "
            f"memory grew by at most {max(grown) / 1e6:,.0f} MB"
        )
