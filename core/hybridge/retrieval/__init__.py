"""Pure functions over ranked lists: fusion, diversity, relevance."""
