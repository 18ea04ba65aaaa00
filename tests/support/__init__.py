"""What several test suites share: functions, strategies, local servers, tiny models."""
