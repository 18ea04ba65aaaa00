"""Everyday questions that few collections answer, to learn from what is no answer."""

from __future__ import annotations

OFF_TOPIC = (
    "How do I reset the password of my router?",
    "What is a good recipe for banana bread?",
    "Which visa do I need to work in Japan?",
    "How much does a litre of milk cost?",
    "How do I tie a bow tie?",
    "Can my dog eat grapes?",
    "How do I remove a red wine stain from a carpet?",
    "When does the next train to Bristol leave?",
    "What is the best way to learn the guitar?",
    "How many calories are in an avocado?",
    "Where can I renew my driving licence?",
    "Why does my knee hurt after running?",
    "How do I knit a scarf for a beginner?",
    "Which smartphone has the longest battery life?",
    "What should I wear to a summer wedding?",
    "How can I get my toddler to sleep through the night?",
    "Is it safe to use bleach in a washing machine?",
    "How do I merge two cells of a spreadsheet?",
    "How do I write a cover letter for a bakery job?",
    "Which tomatoes grow well on a balcony?",
    "How do I cancel my gym membership?",
    "What does my horoscope say about love?",
    "How do I unlock the last level of this video game?",
    "Can I return shoes that I bought online?",
    "What is the refund policy of your shop?",
    "How long should I boil an egg?",
    "Which films are on at the cinema tonight?",
    "How do I adjust the brakes of my bicycle?",
    "What is the wifi password of the hotel?",
    "Do you deliver pizza on Sundays?",
)
"""They are compared with a collection's own questions; leave out what it does answer."""
