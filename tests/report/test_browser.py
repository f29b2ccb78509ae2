"""The HTML report in headless Chromium: clicks, filters, deep links, print, accessibility, and no request at all."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.report import render
from tests.report.chromium import browser
from tests.report.estates import hostile, many, ordinary, shared

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
VIEWS = [
    "summary",
    "findings",
    "access",
    "keys",
    "principals",
    "grants",
    "paths",
    "coverage",
    "reasons",
    "key-0",
    "principal-0",
]


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found = {}
    for name, build in (("ordinary", ordinary), ("hostile", hostile), ("many", many), ("shared", shared)):
        path = tmp_path_factory.mktemp(name) / "report.html"
        path.write_bytes(render(build(), "html")["report.html"])
        found[name] = path.as_uri()
    return found


def show(driver: Any, address: str, view: str = "summary") -> None:
    driver.get("about:blank")
    driver.get(f"{address}#{view}")


def click(driver: Any, selector: str) -> None:
    visible(driver, selector)
    element = driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])].find(e => e.checkVisibility())", selector
    )
    assert element is not None, selector
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def visible(driver: Any, selector: str, seconds: float = 3.0) -> int:
    """How many are visible, waiting a little for the first: the page follows its hash in an event."""
    end = time.monotonic() + seconds
    script = "return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility()).length"
    while not (number := int(driver.execute_script(script, selector))) and time.monotonic() < end:
        time.sleep(0.05)
    return number


def assert_quiet(driver: Any) -> None:
    assert [entry for entry in driver.get_log("browser") if "favicon" not in entry["message"]] == []
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            address = message["params"]["request"]["url"]
            assert address.startswith(("file:", "about:", "data:", "blob:")), address


@pytest.mark.parametrize("name", ["ordinary", "hostile"])
def test_walk_from_summary_to_why(driver: Any, pages: dict[str, str], name: str) -> None:
    show(driver, pages[name])
    assert driver.execute_script("return document.documentElement.dataset.ready") == "yes"
    click(driver, "#summary .legend a")
    assert visible(driver, "#findings .finding") >= 1
    click(driver, "#findings .finding summary")
    click(driver, "#findings .finding .facts a[href^='#key-']")
    assert visible(driver, ".page[id^=key-]") == 1
    click(driver, ".page.on a[href^='#principal-']")
    assert visible(driver, ".page[id^=principal-]") == 1
    click(driver, ".page.on a.cell")
    assert visible(driver, "dialog#why .causes li") >= 1
    assert "why=" in driver.current_url
    click(driver, "dialog#why .close")
    assert visible(driver, "dialog#why", seconds=0.2) == 0
    click(driver, "nav a[href='#access']")
    click(driver, "#heat button.cell")
    assert visible(driver, "dialog#why .causes li") >= 1
    assert driver.execute_script("return document.querySelectorAll('dialog#why mark').length") >= 1
    assert driver.execute_script("return window.hacked") is None
    assert_quiet(driver)


def test_filters_sort_and_group(driver: Any, pages: dict[str, str]) -> None:
    show(driver, pages["ordinary"], "findings")
    assert visible(driver, ".finding") == 4
    driver.execute_script(
        "const f=document.getElementById('finding-filters');f.elements.q.value='ledger';"
        "f.dispatchEvent(new Event('input'))"
    )
    driver.execute_script("return new Promise(done => setTimeout(done, 200))")
    assert visible(driver, ".finding") == 1
    assert "q=ledger" in driver.current_url
    show(driver, pages["ordinary"], "findings?severity=high&group=rule")
    assert visible(driver, ".finding") == 1
    assert visible(driver, ".group") == 1
    show(driver, pages["ordinary"], "keys")
    names = "return [...document.querySelectorAll('#key-index tbody th')].map(e => e.textContent)"
    click(driver, "#key-index thead .dt-column-order")
    time.sleep(0.2)
    first = driver.execute_script(names)
    assert first == sorted(first)
    assert "sort=0.asc" in driver.current_url
    click(driver, "#key-index thead .dt-column-order")
    time.sleep(0.2)
    assert driver.execute_script(names) == first[::-1]
    show(driver, pages["ordinary"], "keys?q=ledger&sort=0.desc")
    assert driver.execute_script(names) == ["alias/ledger"]
    assert_quiet(driver)


def test_a_finding_about_several_keys_stands_in_the_group_of_each(driver: Any, pages: dict[str, str]) -> None:
    show(driver, pages["shared"], "findings?group=key&q=about+several")
    visible(driver, "#findings tr.group")
    rows = driver.execute_script(
        "return [...document.querySelectorAll('#finding-table tbody tr')].map(e => e.className === 'group'"
        " ? e.querySelector('th').firstChild.textContent.split('  ')[0] : '')"
    )
    assert sorted(filter(None, rows)) == [*(f"alias/number-{number}" for number in range(5)), "more than 12 keys"]
    assert rows.count("") == 3 + 2 + 2
    assert "4 of 320 findings" in driver.execute_script("return document.getElementById('finding-count').textContent")
    click(driver, "#findings tr.finding:not([id]) summary")
    assert visible(driver, "#findings tr.finding:not([id]) .body") == 1
    show(driver, pages["shared"], "findings?group=key&q=about+several")
    last = "const rows = document.querySelectorAll('#findings tr.finding:not([id])'); return rows[rows.length - 1]"
    driver.execute_script(f"{last}.querySelector('details').open = true".replace("return ", ""))
    time.sleep(0.2)
    assert "Fingerprint" in driver.execute_script(f"{last}.textContent")
    show(driver, pages["shared"], "findings?group=rule&q=about+several")
    visible(driver, "#findings tr.group")
    assert visible(driver, "#findings tr.finding") == 4
    assert_quiet(driver)


def test_deep_links_open_the_same_view(driver: Any, pages: dict[str, str]) -> None:
    show(driver, pages["ordinary"], "key-2")
    assert driver.execute_script("return document.querySelector('.page.on').id") == "key-2"
    show(driver, pages["ordinary"], "finding-1")
    assert driver.execute_script("return document.querySelector('#finding-1 details').open") is True
    show(driver, pages["ordinary"], "access?cap=0&q=writer")
    assert driver.execute_script("return document.querySelector('#heat-filters').elements.cap.value") == "0"
    show(driver, pages["ordinary"], "access")
    click(driver, "#heat button.cell")
    assert visible(driver, "dialog#why .causes li") >= 1
    shared = driver.current_url
    assert "why=" in shared
    driver.get("about:blank")
    driver.get(shared)
    assert visible(driver, "dialog#why .causes li") >= 1
    click(driver, "dialog#why h2 a[href^='#key-']")
    assert visible(driver, ".page[id^=key-]") == 1
    assert visible(driver, "dialog#why", seconds=0.2) == 0


SAID = "return document.getElementById('said').textContent"
COUNT = "return document.getElementById('finding-count').textContent"


@pytest.mark.parametrize(
    ("address", "list_of"),
    [
        ("key-99", "#key-index"),
        ("principal-99", "#principal-index"),
        ("finding-99", "#finding-table"),
        ("x", "#summary"),
    ],
)
def test_an_address_of_another_report_shows_the_list_and_says_so(
    driver: Any, pages: dict[str, str], address: str, list_of: str
) -> None:
    show(driver, pages["ordinary"], address)
    assert visible(driver, list_of) == 1
    assert driver.execute_script(SAID) == f"Nothing in this report is at “#{address}”."
    show(driver, pages["ordinary"], "findings")
    assert driver.execute_script(SAID) == ""
    assert_quiet(driver)


def test_a_filter_that_no_finding_has_matches_none(driver: Any, pages: dict[str, str]) -> None:
    show(driver, pages["ordinary"], "findings?rule=rule-of-last-year")
    visible(driver, "#finding-count")
    assert driver.execute_script(COUNT) == "0 of 4 findings"
    show(driver, pages["ordinary"], "findings?group=nonsense")
    assert driver.execute_script(COUNT) == "4 of 4 findings"
    assert_quiet(driver)


def test_going_back_leaves_no_dialog_open(driver: Any, pages: dict[str, str]) -> None:
    show(driver, pages["ordinary"], "findings")
    driver.execute_script("location.hash = '#key-0'")
    click(driver, ".page.on a.cell")
    assert visible(driver, "dialog#why .causes li") >= 1
    driver.back()
    assert visible(driver, "#finding-table") == 1
    time.sleep(0.2)
    assert visible(driver, "dialog#why", seconds=0.2) == 0
    assert driver.current_url.endswith("#findings")


def test_the_link_past_the_navigation_stays_in_the_view(driver: Any, pages: dict[str, str]) -> None:
    show(driver, pages["ordinary"], "findings")
    driver.execute_script("document.querySelector('.skip').focus(); document.querySelector('.skip').click()")
    time.sleep(0.2)
    assert visible(driver, "#finding-table") == 1
    assert driver.execute_script("return document.activeElement.id") == "main"
    click(driver, "#finding-table summary")
    click(driver, "#finding-table .facts a")
    assert visible(driver, ".page.on") == 1
    assert driver.execute_script("return document.activeElement.id") == "main"


def test_numbers_stand_with_the_right_form(driver: Any, pages: dict[str, str]) -> None:
    show(driver, pages["ordinary"], "access?q=writer")
    visible(driver, "#heat button.cell")
    note = driver.execute_script("return document.getElementById('heat-note').textContent")
    assert note == "1 principal in 1 row of equal access, 4 keys."


def test_what_the_page_has_no_room_for_is_built_from_the_island(driver: Any, pages: dict[str, str]) -> None:
    show(driver, pages["many"], "finding-310")
    assert driver.execute_script("return document.querySelector('#finding-310 details').open") is True
    text = driver.execute_script("return document.querySelector('#finding-310').textContent")
    for words in ("number-310 said the summary", "Fix", "Fingerprint", "kind: accepted-risk", "First seen", "was low"):
        assert words in text
    show(driver, pages["many"], "findings")
    assert visible(driver, ".finding") == 50
    assert "320 of 320" in driver.execute_script("return document.getElementById('finding-count').textContent")
    show(driver, pages["many"], "keys?q=number-319")
    click(driver, "#key-index tbody th a")
    click(driver, ".page.on a.cell")
    assert visible(driver, "dialog#why .causes li") >= 1
    show(driver, pages["many"], "access")
    matrix = driver.execute_script("return document.querySelector('#matrix').closest('.dt-container').textContent")
    assert "of 320" in matrix
    assert_quiet(driver)


def test_a_page_made_on_demand_has_facts_and_findings_and_says_what_it_lacks(
    driver: Any, pages: dict[str, str]
) -> None:
    show(driver, pages["shared"], "key-319")
    assert visible(driver, "#built-key .page") == 1
    text = "return document.querySelector('#built-key .page').innerText.replace(/\\s+/g, ' ')"
    page = driver.execute_script(text)
    for words in ("ENCRYPT_DECRYPT", "AWS_KMS", "Grants not read", "grants.csv", "keys.csv"):
        assert words in page
    assert "Not read for this key: grants, tags. What rests on it is unknown." in page
    click(driver, "#built-key ul.plain a[href='#finding-319']")
    assert visible(driver, "#finding-319 details[open]") == 1
    assert_quiet(driver)


def test_paper_has_every_row_although_the_screen_has_pages(driver: Any, pages: dict[str, str]) -> None:
    show(driver, pages["many"], "findings")
    rows = "return document.querySelectorAll('#finding-table tbody tr').length"
    assert visible(driver, ".finding") == 50
    driver.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert driver.execute_script(rows) == 320
    driver.execute_script("dispatchEvent(new Event('afterprint'))")
    assert driver.execute_script(rows) == 50
    show(driver, pages["many"], "summary")
    driver.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert driver.execute_script(rows) == 320
    assert driver.execute_script("return document.querySelectorAll('#key-index tbody tr').length") == 320
    assert driver.execute_script("return document.querySelector('#finding-310 .body') !== null")


def test_arrow_keys_move_between_cells_of_the_heat_map(driver: Any, pages: dict[str, str]) -> None:
    from selenium.webdriver.common.keys import Keys

    show(driver, pages["ordinary"], "access")
    visible(driver, "#heat button.cell")
    driver.execute_script("document.querySelector('#heat button.cell').focus()")
    focused = "const c = document.activeElement.closest('td'); return [c.parentNode.sectionRowIndex, c.cellIndex]"
    row, column = driver.execute_script(focused)
    driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert driver.execute_script(focused) == [row, column + 1]
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert visible(driver, "dialog#why .causes li") >= 1
    driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert visible(driver, "dialog#why", seconds=0.2) == 0


def test_no_text_becomes_markup(driver: Any, pages: dict[str, str]) -> None:
    show(driver, pages["ordinary"])
    driver.execute_cdp_cmd(
        "Runtime.evaluate", {"expression": "document.getElementById('said').innerHTML = '<img src=x onerror=hacked=9>'"}
    )
    assert driver.execute_script("return document.getElementById('said').children.length") == 0
    assert driver.execute_script("return document.getElementById('said').textContent").startswith("<img")
    assert_quiet(driver)


def test_csv_of_the_view_holds_what_is_shown(driver: Any, pages: dict[str, str]) -> None:
    show(driver, pages["ordinary"], "keys?q=ledger")
    visible(driver, "#key-index tbody th")
    driver.execute_script("window.saved=[]; URL.createObjectURL = blob => { saved.push(blob.text()); return 'blob:x' }")
    driver.execute_script("HTMLAnchorElement.prototype.click = () => {}")
    driver.execute_script("document.querySelector('[data-csv-of=key-index]').click()")
    lines = driver.execute_script("return saved[0]").split("\r\n")
    assert lines[0].startswith('"Key","Account","Region"')
    assert len(lines) == 2
    assert "alias/ledger" in lines[1]


def test_prints_as_paged_evidence(driver: Any, pages: dict[str, str]) -> None:
    show(driver, pages["ordinary"])
    content = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    assert content.startswith(b"%PDF")
    assert driver.execute_script("return document.querySelectorAll('#key-index tbody tr').length") == 4
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") >= 7


def test_nothing_is_wider_than_the_paper(driver: Any, pages: dict[str, str]) -> None:
    """A4 less its margins is 695 CSS pixels; whatever is wider makes the browser shrink every page."""
    show(driver, pages["ordinary"])
    metrics = {"width": 695, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        driver.execute_script("dispatchEvent(new Event('beforeprint'))")
        width = driver.execute_script("return document.documentElement.scrollWidth")
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert width <= 695


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["ordinary", "hostile"])
def test_no_accessibility_violation(driver: Any, pages: dict[str, str], name: str, theme: str) -> None:
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    )
    for view in VIEWS:
        show(driver, pages[name], view)
        driver.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
        found = driver.execute_async_script(
            "const done=arguments[1];axe.run(document,{runOnly:arguments[0]}).then(r=>done(r.violations.map(v=>"
            "[v.id,v.nodes.length,v.nodes[0].html.slice(0,200),v.nodes[0].failureSummary])),e=>done([['failed',String(e)]]))",
            TAGS,
        )
        assert found == [], (view, theme)


def test_reads_without_script(driver: Any, pages: dict[str, str]) -> None:
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(driver, pages["ordinary"])
        text = driver.find_element("tag name", "main").text
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    for words in ("alias/ledger", "Who can use it", "Sign-off", "Exceptions register"):
        assert words in text


def test_without_script_every_letter_leads_to_its_reason(pages: dict[str, str]) -> None:
    import re
    from urllib.parse import unquote, urlparse

    page = Path(unquote(urlparse(pages["ordinary"]).path)).read_text(encoding="utf-8")
    linked = set(re.findall(r'class="cell h\d" href="#(reason-\d+)"', page))
    assert linked
    assert linked == set(re.findall(r'<article class="reason" id="(reason-\d+)"', page))
