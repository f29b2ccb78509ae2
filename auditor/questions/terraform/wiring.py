"""What expressions of a plan's configuration refer to in the end: through outputs and variables of modules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from auditor.questions.terraform.configuration import INSTANCE, references, without_instances
from auditor.questions.terraform.values import Values, mapping

MOST_STEPS = 32
_OUTPUT = re.compile(rf"(module\.[^.\[]+(?:{INSTANCE})?)\.([^.\[]+)")
_VARIABLE = re.compile(r"var\.([^.\[]+)")
_LAST_MODULE = re.compile(rf"module\.[^.\[]+(?:{INSTANCE})?\.$")


@dataclass(frozen=True, slots=True)
class Wiring:
    """``outputs``: module without instances, dot, output → what it refers to inside; ``inputs``: the same of a variable
    of the module → what it refers to outside."""

    outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def followed(self, module: str, reference: str, steps: int = MOST_STEPS) -> Iterator[str]:
        """The addresses of resources that a reference in ``module`` (with its instances and a dot, or empty) may mean.

        Nothing where it ends in a local value, or in an instance that only apply tells.
        """
        if not steps:
            return
        output, variable = _OUTPUT.fullmatch(reference), _VARIABLE.match(reference)
        if output is not None:
            inside = f"{module}{output[1]}."
            for name in self.outputs.get(without_instances(inside) + output[2], ()):
                yield from self.followed(inside, name, steps - 1)
        elif variable is not None:
            outside = _LAST_MODULE.sub("", module)
            for name in self.inputs.get(without_instances(module) + variable[1], ()):
                yield from self.followed(outside, name, steps - 1)
        else:
            yield module + reference


def wired(plan: Values) -> Wiring:
    """The wiring of a plan; empty for one without its configuration."""
    outputs: dict[str, tuple[str, ...]] = {}
    inputs: dict[str, tuple[str, ...]] = {}
    _read(mapping(mapping(plan.get("configuration")).get("root_module")), "", outputs, inputs)
    return Wiring(outputs, inputs)


def _read(module: Values, prefix: str, outputs: dict[str, tuple[str, ...]], inputs: dict[str, tuple[str, ...]]) -> None:
    for name, output in mapping(module.get("outputs")).items():
        outputs[f"{prefix}{name}"] = references(mapping(mapping(output).get("expression")))
    for name, call in mapping(module.get("module_calls")).items():
        inside = f"{prefix}module.{name}."
        for variable, expression in mapping(mapping(call).get("expressions")).items():
            inputs[f"{inside}{variable}"] = references(mapping(expression))
        _read(mapping(mapping(call).get("module")), inside, outputs, inputs)
