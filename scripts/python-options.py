#!/usr/bin/env python3
"""Writes the options of a capture as a Python type, from the OpenAPI document on standard input."""

import json
import sys

HEAD = '''"""Options of a capture. Generated: curl SERVER/openapi.json | scripts/python-options.py."""

from __future__ import annotations

from typing import Any, Literal, TypedDict, Union

'''


def type_of(schema):
    kinds = [kind for kind in [schema.get("type")] if kind] if isinstance(schema.get("type"), str) else schema.get("type", [])
    kinds = [kind for kind in kinds if kind != "null"]
    if "oneOf" in schema:
        return "Union[" + ", ".join(type_of(one) for one in schema["oneOf"]) + "]"
    if "enum" in schema:
        return "Literal[" + ", ".join(json.dumps(word) for word in schema["enum"]) + "]"
    if kinds == ["array"]:
        return f"list[{type_of(schema['items'])}]"
    if kinds == ["object"] and isinstance(schema.get("additionalProperties"), dict):
        return f"dict[str, {type_of(schema['additionalProperties'])}]"
    return {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}.get("".join(kinds), "dict[str, Any]")


def main():
    properties = json.load(sys.stdin)["components"]["schemas"]["Options"]["properties"]
    rows = [f'        "{name}": {type_of(schema)},\n' for name, schema in sorted(properties.items())]
    body = 'Options = TypedDict(\n    "Options",\n    {\n' + "".join(rows) + "    },\n    total=False,\n)\n"
    sys.stdout.write(HEAD + body + '"""Every option is described in the reference of the server, /docs."""\n')


main()
