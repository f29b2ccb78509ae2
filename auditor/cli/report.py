"""``kms-audit report``: render a result again."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.options import ANY_PATH, FILE, FOLDER, FORMAT_HELP, TEXT, global_options


@click.command("report")
@click.argument("result", type=FILE)
@click.option("-f", "--format", "formats", multiple=True, metavar="FORMAT", help=FORMAT_HELP)
@click.option("-o", "--output", type=ANY_PATH, help="One file; format by suffix, `-` is stdout.")
@click.option("--output-dir", type=FOLDER, help="A folder for several files (default: beside RESULT).")
@click.option(
    "--framework", type=TEXT, metavar="ID", help="Arrange by the controls of a framework, such as cis-aws or pci-dss."
)
@global_options
def command(
    result: Path, formats: tuple[str, ...], output: Path | None, output_dir: Path | None, framework: str | None
) -> int:
    """Render RESULT (a result.json) again, in any format. Nothing is evaluated or judged anew."""
    from auditor.audit.baseline import read_baseline
    from auditor.audit.publishing import publish, publish_framework
    from auditor.cli.running import form_of, spare, write_one
    from auditor.cli.settings import check_one_file, read_config
    from auditor.cli.terminal import result as show
    from auditor.errors import UsageError

    read_config()
    check_one_file(output, formats)
    if framework and formats:
        told = "Leave -f away; -o NAME.csv writes one of them."
        raise UsageError("A framework is always written as HTML and CSV.", told)
    report = read_baseline(result)
    if framework:
        files = publish_framework(report, framework, output_dir or result.parent, output)
    elif output is not None:
        spare(output, () if form_of(output, formats) == "json" else (result,))
        write_one(report, output, formats)
        return 0
    else:
        files = publish(report, output_dir or result.parent, formats)
    show("\n".join(map(str, files)))
    return 0
