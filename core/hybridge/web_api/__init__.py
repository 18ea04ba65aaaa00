"""What every web API needs: a hidden key, errors that say what to do, retries within a deadline."""
