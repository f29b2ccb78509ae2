"""All formats of one report: the same counts, the same bytes twice, the schemas of others, and hostile texts."""

from __future__ import annotations

import copy
import csv
import io
import json
import re
import tempfile
import zipfile
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from auditor.model.finding import ControlMapping, Evidence, FindingState, Remediation
from auditor.model.policy import Layer, StatementRef
from auditor.model.report import Report
from auditor.report import FORMATS, read_result, render, workbook
from auditor.report.counts import counts_of
from auditor.report.csv_files import guarded
from auditor.report.html import SCRIPTS, pretty
from auditor.report.island_findings import findings_beyond
from auditor.report.markdown import escaped
from auditor.report.plain import INVISIBLE, one_line
from tests.report.asff_limits import assert_accepted
from tests.report.estates import ACCOUNT, BIG_SID, empty, hostile, many, ordinary

REPORTS = {"ordinary": ordinary, "hostile": hostile}
LARGE = {"many": many}


@cache
def report(name: str) -> Report:
    return (REPORTS | LARGE)[name]()


@cache
def files(name: str, form: str) -> dict[str, bytes]:
    return render(report(name), form)


def table(name: str, file: str) -> list[dict[str, str]]:
    csv.field_size_limit(10_000_000)
    return list(csv.DictReader(io.StringIO(files(name, "csv")[file].decode(), newline="")))


def island(name: str) -> dict[str, list[object]]:
    text = files(name, "html")["report.html"].decode()
    found = re.search(r'<script type="application/json" id="island">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found.group(1))


@pytest.mark.parametrize("form", sorted(FORMATS))
@pytest.mark.parametrize("name", REPORTS)
def test_same_report_gives_the_same_bytes(name: str, form: str) -> None:
    assert render(report(name), form) == files(name, form)


@pytest.mark.parametrize("form", sorted(FORMATS))
@pytest.mark.parametrize("name", REPORTS)
def test_result_renders_again_without_a_difference(name: str, form: str) -> None:
    assert render(read_result(files(name, "json")["result.json"]), form) == files(name, form)


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_an_empty_estate_has_every_format(form: str) -> None:
    written = render(empty(), form)
    assert all(written.values())
    if form == "html":
        assert "No rule that was evaluated found anything" in written["report.html"].decode()


@pytest.mark.parametrize("name", REPORTS)
def test_counts_agree_across_formats(name: str) -> None:
    from openpyxl import load_workbook

    one, counts = report(name), counts_of(report(name))
    assert json.loads(files(name, "json")["result.json"].decode("utf-8", "surrogatepass"))["counts"] == counts.as_dict()
    book = load_workbook(io.BytesIO(files(name, "xlsx")["access-review.xlsx"]))
    expected = {
        "findings": counts.findings,
        "access": counts.access_rows,
        "keys": len(one.snapshot.keys),
        "principals": counts.principals,
        "grants": counts.grants,
        "gaps": counts.gaps,
    }
    for view, number in expected.items():
        assert len(table(name, f"{view}.csv")) == number, view
        assert book[view].max_row - 1 == number, view
    assert len(json.loads(files(name, "sarif")["report.sarif"])["runs"][0]["results"]) == counts.findings
    assert len(json.loads(files(name, "asff")["findings.asff.json"])["Findings"]) == counts.findings
    assert len(json.loads(files(name, "ocsf")["findings.ocsf.json"])) == counts.findings
    markdown = files(name, "markdown")["summary.md"].decode()
    assert f"| high | {counts.high} |" in markdown
    page = files(name, "html")["report.html"].decode()
    assert page.count('<tr class="finding"') + len(island(name)["f"]) == counts.findings


@pytest.mark.parametrize("name", REPORTS)
def test_island_holds_every_row_of_access(name: str) -> None:
    data = island(name)
    rows = sum(
        len(data["v"][cell]) // 3
        for number in data["r"]
        for cell in data["R"][number][1::2]  # type: ignore[index]
    )
    assert rows == counts_of(report(name)).access_rows


@pytest.mark.parametrize("name", [*REPORTS, "many"])
def test_asff_fits_the_service_call_by_call(name: str) -> None:
    written = files(name, "asff")
    calls = [json.loads(content) for file, content in written.items() if file.startswith("asff/")]
    for call in calls:
        assert_accepted(call)
    together = sorted(item["Id"] for call in calls for item in call["Findings"])
    assert together == sorted(item["Id"] for item in json.loads(written["findings.asff.json"])["Findings"])
    assert len(calls) == {"many": 5}.get(name, 2)


def test_asff_takes_texts_of_any_length_and_any_number() -> None:
    text = "word " * 1_000
    one = report("ordinary").findings[0]
    arns = tuple(f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{number}" for number in range(60))
    mappings = tuple(ControlMapping(text, str(number), text, "text") for number in range(60))
    evidence = tuple(Evidence(text, text) for _ in range(60))
    long = replace(one, title=text, summary=text, subject=text, keys=arns, mappings=mappings, evidence=evidence)
    bare = replace(one, title="", summary="", subject="", account="x", region="?", keys=(), evidence=(), mappings=())
    mended = [replace(item, remediation=Remediation(told)) for item, told in ((long, text), (bare, ""))]
    for finding in mended:
        written = render(replace(report("ordinary"), findings=(finding,)), "asff")
        call = json.loads(written[f"asff/{ACCOUNT}-eu-west-1-1.json"])
        assert_accepted(call)
    resources = json.loads(written["findings.asff.json"])["Findings"][0]["Resources"]
    assert [(item["Type"], item["Id"]) for item in resources] == [("Other", "x")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REPORTS)
def test_ocsf_fits_the_models(name: str) -> None:
    from py_ocsf_models.events.findings.detection_finding import DetectionFinding

    for entry in json.loads(files(name, "ocsf")["findings.ocsf.json"]):
        DetectionFinding.model_validate(entry)


@pytest.mark.parametrize("name", REPORTS)
def test_result_fits_its_published_schema(name: str) -> None:
    import jsonschema

    import auditor.report

    schema = json.loads((Path(auditor.report.__file__).parent / "result.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads(files(name, "json")["result.json"].decode("utf-8", "surrogatepass"))
    jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)
    checker = jsonschema.Draft202012Validator(schema)
    for spoil in (
        lambda bad: bad["access"]["profiles"].append(["x"]),
        lambda bad: bad["findings"][0].update(severity="dreadful"),
        lambda bad: bad["snapshot"]["keys"][0].pop("arn"),
        lambda bad: bad["principals"][0].update(colour="red"),
        lambda bad: bad["counts"].pop("grants"),
    ):
        bad = copy.deepcopy(document)
        spoil(bad)
        assert not checker.is_valid(bad)


def test_published_schema_is_that_of_the_model() -> None:
    import auditor.report
    from auditor.report.schema import schema_text

    published = (Path(auditor.report.__file__).parent / "result.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "write it anew: python -m auditor.report.schema"


@pytest.mark.parametrize("name", REPORTS)
def test_sarif_fits_the_schema_of_the_standard(name: str) -> None:
    import jsonschema

    schema = json.loads((Path(__file__).parent / "vendor" / "sarif-schema-2.1.0.json").read_text())
    checker = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    log = json.loads(files(name, "sarif")["report.sarif"])
    assert [error.message for error in checker.iter_errors(log)] == []
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not checker.is_valid(log)


@pytest.mark.parametrize("name", REPORTS)
def test_sarif_has_what_the_standard_requires(name: str) -> None:
    log = json.loads(files(name, "sarif")["report.sarif"])
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result, finding in zip(run["results"], report(name).findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9%/._~-]+", uri)
        assert len(result["suppressions"]) == (finding.state is FindingState.ACCEPTED)


def test_sarif_says_nothing_of_suppressions_where_nothing_was_accepted() -> None:
    unreviewed = replace(report("ordinary"), findings=report("ordinary").findings[:1])
    (run,) = json.loads(render(unreviewed, "sarif")["report.sarif"])["runs"]
    assert "suppressions" not in run["results"][0]


def test_sarif_tells_which_rules_could_not_look() -> None:
    log = json.loads(files("ordinary", "sarif")["report.sarif"])
    told = [note["message"]["text"] for note in log["runs"][0]["invocations"][0]["toolExecutionNotifications"]]
    assert "Rule rotation-disabled was not evaluated: orders" in told
    assert "Rule orders could not look at 1 subject" in told


@pytest.mark.parametrize("form", ["csv", "html", "json", "xlsx", "sarif", "ocsf", "asff"])
def test_every_format_has_the_evidence_and_its_statement(form: str) -> None:
    """In the page itself and, above its limit, in the island."""
    ref = StatementRef(Layer.KEY_POLICY, "default", ACCOUNT, 2, "Loose")
    findings = [
        replace(item, evidence=(Evidence("condition", f"StringLike {n}", ref),))
        for n, item in enumerate(report("many").findings)
    ]
    written = render(replace(report("many"), findings=tuple(findings)), form)
    text = next(iter(written.values()))
    if form == "xlsx":
        with zipfile.ZipFile(io.BytesIO(text)) as book:
            text = book.read("xl/sharedStrings.xml")
    for value in ("StringLike 7", "StringLike 317"):
        if form == "json":
            assert json.dumps(value) in text.decode()
        else:
            assert f"{value} ({ref})" in text.decode()


def test_no_cell_of_a_table_runs_as_a_formula() -> None:
    for file in files("hostile", "csv"):
        for row in table("hostile", file):
            for value in row.values():
                assert not value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")), value
                assert not value.lstrip("\u200b\u202e ").startswith("="), value


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@a", "\t=1", " =1", "\u200b=1", "\u202e@x", "\u2003@x", "\u3000\u00ad\x0b＝1", "\r"]
)
def test_guard_marks_formulas(text: str) -> None:
    assert str(guarded(text)).startswith("'")


@pytest.mark.parametrize("text", ["a=1", "arn:aws:x", "", "'x", "1-2"])
def test_guard_leaves_other_texts_alone(text: str) -> None:
    assert guarded(text) == text


def test_workbook_has_no_formula_and_no_link() -> None:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(files("hostile", "xlsx")["access-review.xlsx"]))
    for sheet in book:
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" and cell.hyperlink is None for cell in row)
    assert book["access"].data_validations.dataValidation


def test_workbook_is_made_for_review_and_paper() -> None:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(files("ordinary", "xlsx")["access-review.xlsx"]))
    words = " ".join(str(cell.value) for row in book["summary"].iter_rows() for cell in row)
    assert "how to review" in words
    assert "approved by (name, date)" in words
    for name in ("access", "keys", "principals", "grants", "findings"):
        sheet = book[name]
        head = [cell.value for cell in sheet[1]]
        assert head[-4:] == ["decision", "reviewer", "review_date", "comment"]
        kinds = {item.type: item.sqref for item in sheet.data_validations.dataValidation}
        assert kinds.keys() == {"list", "date"}
        assert sheet.print_title_rows == "$1:$1"
        assert "ab" * 32 in sheet.oddFooter.left.text
        assert sheet.freeze_panes == "B2"


@pytest.mark.parametrize("name", ["ordinary", "hostile"])
def test_workbook_of_many_rows_says_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MANY_ROWS", 0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    large = [workbook.workbook_bytes(report(name)) for _ in range(2)]
    assert large[0] == large[1] != files(name, "xlsx")["access-review.xlsx"]
    assert _said(large[0]) == _said(files(name, "xlsx")["access-review.xlsx"])
    assert not list(tmp_path.iterdir())


def _said(content: bytes) -> dict[str, Any]:
    from openpyxl import load_workbook

    return {
        sheet.title: [[(cell.value, cell.data_type, cell.font.b) for cell in row] for row in sheet.iter_rows()]
        for sheet in load_workbook(io.BytesIO(content))
    }


def test_a_cell_holds_no_more_than_excel_takes() -> None:
    """Excel counts UTF-16 units, of which some characters are two."""
    texts = ("x" * 40_000, "😀" * 20_000, "x" + "😀" * 20_000, "😀" * 16_000, "y" * 32_000)
    keys = tuple(replace(key, description=text) for key, text in zip(many().snapshot.keys, texts, strict=False))
    written = render(replace(many(), snapshot=replace(many().snapshot, keys=keys)), "xlsx")["access-review.xlsx"]
    cells = [cell for row in _said(written)["keys"][1:] for cell, _, _ in row if isinstance(cell, str)]
    found = {cell for cell in cells if len(cell) > 10_000}
    cut = {"x" * 32_000 + "…", "😀" * 16_000 + "…", "x" + "😀" * 15_999 + "…"}
    assert found == {*cut, "😀" * 16_000, "y" * 32_000}


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[dict[str, str | None]] = []
        self.suspicious: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.scripts.append(dict(attrs))
        if tag in ("img", "iframe", "object", "embed", "link", "base"):
            self.suspicious.append(tag)
        for name, value in attrs:
            if (
                name.startswith("on")
                or name == "style"
                or (name in ("src", "href") and not (value or "").startswith("#"))
            ):
                self.suspicious.append(f"{tag} {name}={value}")


@pytest.mark.parametrize("name", REPORTS)
def test_page_holds_its_own_scripts_and_no_handler(name: str) -> None:
    elements = _Elements()
    elements.feed(files(name, "html")["report.html"].decode())
    in_head, at_end = [{}], [{} for _ in SCRIPTS[1:]]
    assert elements.scripts == [*in_head, {"type": "application/json", "id": "island"}, *at_end]
    assert elements.suspicious == []


@pytest.mark.parametrize("form", [form for form in FORMATS if form not in ("json", "xlsx")])
def test_no_format_passes_on_what_hides_or_reorders_text(form: str) -> None:
    for file, content in files("hostile", form).items():
        text = content.decode("utf-8")
        if form == "html":
            text = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
        if form == "csv":  # verbatim for machines, but for what UTF-8 or CSV cannot carry
            assert "\0" not in text
            continue
        if form == "markdown":  # its own joiners keep mentions and links from forming
            text = text.replace("@\u2060", "@").replace(":\u2060//", "://")
        assert not INVISIBLE.search(text), (file, INVISIBLE.search(text))


def test_script_and_server_spell_out_the_same_characters() -> None:
    from auditor.report.html import templates_folder

    script = (templates_folder() / "scripts" / "island.js").read_text(encoding="utf-8")
    found = re.search(r"replace\(/\[(.*?)\]/gu", script)
    assert found
    theirs = re.compile("[" + re.sub(r"\\u\{(\w+)\}", lambda m: f"\\U{m[1]:0>8}", found[1]) + "]")
    for code in (*range(0x3000), *range(0xD7F0, 0x10000), *range(0xDFFF0, 0xE1010)):
        assert bool(theirs.match(chr(code))) == bool(INVISIBLE.match(chr(code))), hex(code)


def test_page_spells_out_marks_that_reorder_text() -> None:
    page = files("hostile", "html")["report.html"].decode()
    body = page[page.index("<body>") : page.index('<script type="application/json"')]
    assert "\u202e" not in body
    assert "⟦U+202E⟧" in body
    assert BIG_SID not in body.replace(BIG_SID[:20_000], "")


def test_policy_of_the_page_names_hashes_only() -> None:
    page = files("ordinary", "html")["report.html"].decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert "unsafe" not in policy.group(1)
    assert "default-src &#39;none&#39;" in policy.group(1)
    assert "require-trusted-types-for" in policy.group(1)


def test_markdown_makes_no_link_and_no_html() -> None:
    text = files("hostile", "markdown")["summary.md"].decode()
    assert "<script" not in text
    assert "](javascript" not in text
    assert "\u202e" not in text


def test_a_foreign_file_is_refused() -> None:
    with pytest.raises(ValueError, match="not a result"):
        read_result(b"{}")


def test_snippet_of_a_finding_is_an_entry_of_the_register(tmp_path: Path) -> None:
    from datetime import date

    from auditor.suppressions import apply, load_suppressions

    page = files("ordinary", "html")["report.html"].decode()
    snippets = re.findall(r"<pre tabindex=\"0\">(- rule: .*?)</pre>", page, re.DOTALL)
    assert len(snippets) == len(report("ordinary").findings)
    text = (
        "\n".join(snippets).replace("expires: …", "expires: 2026-12-20").replace("…", "somebody").replace("&#34;", '"')
    )
    path = tmp_path / "accepted.yaml"
    path.write_text(text, encoding="utf-8")
    applied = apply(report("ordinary").findings, load_suppressions(path), date(2026, 11, 24))
    assert {finding.state for finding in applied.findings} <= {FindingState.ACCEPTED, FindingState.RESOLVED}


def test_rendering_into_a_used_folder_leaves_no_batch_of_an_earlier_result(tmp_path: Path) -> None:
    from auditor.audit.publishing import publish

    before = {path.name for path in publish(report("ordinary"), tmp_path, ["asff"])}
    kept = tmp_path / "asff" / "notes.json"
    kept.write_text("{}")
    stale = tmp_path / "asff" / f"{ACCOUNT}-eu-west-1-9.json"
    stale.write_text("{}")
    assert {path.name for path in publish(report("ordinary"), tmp_path, ["asff"])} == before
    assert {path.name for path in (tmp_path / "asff").iterdir()} == before - {"findings.asff.json"} | {kept.name}
    publish(report("ordinary"), tmp_path, ["csv"])
    assert (tmp_path / "asff" / f"{ACCOUNT}-eu-west-1-1.json").exists()


def test_the_page_carries_every_script_and_library() -> None:
    from auditor.report.html import templates_folder

    files = {path.relative_to(templates_folder()).as_posix() for path in templates_folder().rglob("*.js")}
    assert sorted(SCRIPTS) == sorted(files)


@pytest.mark.parametrize("text", ["[" * 100_000, "no JSON", ""])
def test_a_policy_that_is_no_document_is_shown_as_it_is(text: str) -> None:
    assert pretty(text) == text


def test_a_policy_is_shown_with_indentation() -> None:
    assert pretty('{"Sid":"ä","a":[1]}') == '{\n  "Sid": "ä",\n  "a": [\n    1\n  ]\n}'


@pytest.mark.parametrize(
    ("text", "limit", "line"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("a\n\t b\r", 9, "a b"),
        ("a\u202eb", 20, "a⟦U+202E⟧b"),
        ("", 3, ""),
    ],
)
def test_one_line_is_no_longer_than_it_may_be(text: str, limit: int, line: str) -> None:
    assert one_line(text, limit) == line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a&b <i>", "a&amp;b &lt;i\\>"),
        ("[x](http://y) `z`", "\\[x\\]\\(http:\u2060//y\\) \\`z\\`"),
        ("@all", "@\u2060all"),
        ("a|b\\", "a\\|b\\\\"),
        ("*_~#!{}", "\\*\\_\\~\\#\\!\\{\\}"),
        ("x" * 300, "x" * 239 + "…"),
    ],
)
def test_markdown_shows_a_text_literally(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_of_many_keys_the_data_names_some_and_counts_the_others() -> None:
    arns = tuple(f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{number}" for number in range(14))
    words: list[str] = []

    def intern(text: str) -> int:
        words.append(text)
        return len(words) - 1

    for number, last in ((12, arns[11]), (13, "and 1 more"), (14, "and 2 more")):
        finding = replace(report("ordinary").findings[0], keys=arns[:number], principals=())
        ((*_, keys, principals, _, _),) = findings_beyond(replace(report("ordinary"), findings=(finding,)), 0, intern)
        assert (len(keys), words[-1 - keys[-1]], principals) == (min(number, 13), last, [])
