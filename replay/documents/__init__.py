"""Strict reading of JSON and YAML: nothing is guessed, every number keeps its digits, and every error says where."""

from replay.documents.numbers import Numeral, dump_json, overflows
from replay.documents.overlaying import overlaid
from replay.documents.spelling import json_type, spelling
from replay.documents.strict_json import (
    Finding,
    FindingName,
    ParsedJson,
    canonical_json,
    is_rewritten_alike,
    is_sound_json,
    parse_json,
    parse_known,
    parse_plain,
    plain_json,
)
from replay.documents.strict_yaml import Document, check_json, read_yaml
from replay.documents.text import shown
from replay.documents.validation import explain, invalid, validated

__all__ = [
    "Document",
    "Finding",
    "FindingName",
    "Numeral",
    "ParsedJson",
    "canonical_json",
    "check_json",
    "dump_json",
    "explain",
    "invalid",
    "is_rewritten_alike",
    "is_sound_json",
    "json_type",
    "overflows",
    "overlaid",
    "parse_json",
    "parse_known",
    "parse_plain",
    "plain_json",
    "read_yaml",
    "shown",
    "spelling",
    "validated",
]
