"""The published JSON schemas, held strictly: what is not in them may not be said."""
import functools
import json
import pathlib

import jsonschema

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "docs/schema"


def seal(part):
    """Readers pass over what they do not know; a test does not."""
    if isinstance(part, list):
        return [seal(item) for item in part]
    if not isinstance(part, dict):
        return part
    sealed = {name: seal(value) for name, value in part.items()}
    return {**sealed, "additionalProperties": False} if "properties" in part and "type" in part else sealed


@functools.cache
def validator(name):
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(seal(schema))


def check(name, document):
    errors = [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator(name).iter_errors(document)]
    assert not errors, errors
