"""Dashboard, alerts and the table of metrics against the real exposition, and against Prometheus' own tool."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from station.indicators import LIMITS, Limit
from station.meters import PREFIX
from tests.conftest import tool
from tests.handlers.scrape import Scrape, scrape
from tests.handlers.site import Box, build, take_down, until
from tests.operations.promql import names_in

DOCS = Path(__file__).resolve().parents[2] / "docs" / "operations"
ALERTS = (DOCS / "alerts.yml").read_text(encoding="utf-8")
BOARD: dict[str, Any] = json.loads((DOCS / "grafana-dashboard.json").read_text(encoding="utf-8"))
# Those that Prometheus itself adds to each series, or makes.
ADDED = {"instance", "job", "le"}
MADE = {"up"}
INDICATORS = ("latency", "reconnects", "speed", "success", "memory", "cpu", "disk")


@pytest.fixture
def exposed(io_loop: IOLoop, tmp_path: Path) -> Scrape:
    """What a station tells that has all that it may tell of."""

    async def tell() -> Scrape:
        box = await build(tmp_path / "upload", ["--webhook=http://127.0.0.1:9/", "--on-completed=true"])
        try:
            return await told(box)
        finally:
            await take_down(box)

    found: Scrape = io_loop.run_sync(tell)
    return found


async def told(box: Box) -> Scrape:
    vitals = box.station.monitor.vitals  # two looks at a processor within one tick of its clock tell nothing
    await until(lambda: vitals.read().cpu is not None, "it is known how busy the processors are")
    return await scrape(box)


def panels() -> list[dict[str, Any]]:
    return [panel for panel in BOARD["panels"] if panel["type"] != "row"]


def asked_by_board() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def asked_by_alerts() -> dict[str, str]:
    names = re.findall(r"^ +- alert: (\w+)$", ALERTS, re.MULTILINE)
    expressions = re.findall(r"^ +expr: (.+)$", ALERTS, re.MULTILINE)
    assert len(names) == len(expressions) == len(set(names)) > 10
    return dict(zip(names, expressions, strict=True))


def plain(expression: str) -> str:
    """Without Grafana's variables."""
    return expression.replace("$__rate_interval", "5m").replace("$instance", ".*")


# ---- every name used exists ----


def test_each_metric_and_label_that_is_asked_for_is_told(exposed: Scrape) -> None:
    for expression in [*asked_by_board(), *asked_by_alerts().values()]:
        names = names_in(plain(expression))
        assert names.metrics, expression
        for metric, labels in names.metrics.items():
            assert metric in MADE or metric in exposed.labels, f"{metric} of {expression}"
            assert labels <= exposed.labels.get(metric, set()) | ADDED, f"{labels} of {expression}"
        borne = set.union(*(exposed.labels.get(metric, set()) for metric in names.metrics))
        assert names.grouped <= borne | ADDED, expression


def test_each_value_of_a_label_that_is_asked_for_is_told(exposed: Scrape) -> None:
    values = {pair for _, labels in exposed.values for pair in labels}
    for expression in [*asked_by_board(), *asked_by_alerts().values()]:
        for label, operator, text in re.findall(r'(\w+)(!=|=~|=)"([^"]*)"', plain(expression)):
            if label not in ADDED:
                wanted = text.split("|") if operator == "=~" else [text]
                assert {(label, each) for each in wanted} <= values, expression


def test_each_metric_is_on_the_dashboard(exposed: Scrape) -> None:
    asked = {metric for expression in asked_by_board() for metric in names_in(plain(expression)).metrics}
    shown = {re.sub(r"_(bucket|sum|count|total)$", "", metric) for metric in asked}
    assert {name for name in exposed.types if name.startswith(PREFIX)} - shown == set()


@pytest.mark.parametrize(
    ("expression", "metrics", "grouped"),
    [
        ("a_b > 0.2", {"a_b": set()}, set()),
        (
            'sum by (x, y) (rate(a:b{c="d{e",f!~"g"}[5m:1m])) / on (z) h offset 5m',
            {"a:b": {"c", "f"}, "h": set()},
            {"x", "y", "z"},
        ),
        ("1e6 < a and b unless c or clamp_min(d, 1)", {"a": set(), "b": set(), "c": set(), "d": set()}, set()),
    ],
)
def test_names_are_read_as_prometheus_does(expression: str, metrics: dict[str, set[str]], grouped: set[str]) -> None:
    names = names_in(expression)
    assert (names.metrics, names.grouped) == (metrics, grouped)


# ---- thresholds ----


@pytest.mark.parametrize("at", range(len(INDICATORS)))
def test_a_panel_has_the_colours_of_the_operators_page(at: int) -> None:
    limit, panel = LIMITS[INDICATORS[at]], panels()[at]
    steps = [(step["color"], step["value"]) for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    worse = [("green", None), ("orange", limit.threshold), ("red", limit.warning)]
    better = [("red", None), ("orange", limit.warning), ("green", limit.threshold)]
    assert steps == (better if limit.better == "higher" else worse)


@pytest.mark.parametrize(
    ("alert", "indicator"),
    [
        ("UploadStationSlowConnections", "latency"),
        ("UploadStationReconnects", "reconnects"),
        ("UploadStationSlowUploads", "speed"),
        ("UploadStationFailingUploads", "success"),
        ("UploadStationMemory", "memory"),
        ("UploadStationProcessor", "cpu"),
    ],
)
def test_an_alert_has_the_threshold_of_the_operators_page(alert: str, indicator: str) -> None:
    limit: Limit = LIMITS[indicator]
    first = asked_by_alerts()[alert].split(" and ")[0]
    found = re.search(r" ([<>]) ([0-9.e]+)$", first)
    assert found is not None
    sign, number = found.groups()
    share = 100 if limit.unit == "%" else 1
    assert float(number) * share == pytest.approx(limit.threshold)
    assert sign == ("<" if limit.better == "higher" else ">")


def test_each_alert_speaks_both_languages() -> None:
    rules = ALERTS.split("- alert: ")[1:]
    for rule in rules:
        for key, sounds in (
            ("summary", r"[a-z]{3}"),
            ("summary_zh", r"[\u4e00-\u9fff]{2}"),
            ("description", r"[a-z]{3}"),
        ):
            (words,) = re.findall(rf'^ +{key}: "(.+)"$', rule, re.MULTILINE)
            assert re.search(sounds, words), words
        assert re.search(r"severity: (warning|critical)\}", rule)


# ---- the dashboard is one that Grafana takes ----


def test_the_dashboard_can_be_imported_anywhere() -> None:
    assert BOARD["schemaVersion"] >= 36
    assert "id" not in BOARD
    assert [each["name"] for each in BOARD["templating"]["list"]] == ["datasource", "instance"]
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels():
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert {source["uid"] for source in sources} == {"${datasource}"}
        assert panel["title"]
        assert panel["description"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_no_panel_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        grid = panel["gridPos"]
        cells = {
            (x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


# ---- the table of the docs ----


def test_the_table_of_metrics_is_what_is_told(exposed: Scrape) -> None:
    page = (DOCS / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|(.*?)\| .+ \|$", page, re.MULTILINE)
    documented = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    real = {}
    for name, kind in exposed.types.items():
        sample = {"counter": "_total", "histogram": "_count"}.get(kind, "")
        whole = f"{name}_total" if kind == "counter" else name
        # The processor's share has no value in the first seconds.
        real[whole] = kind, exposed.labels.get(name + sample, set())
    assert documented == {name: told for name, told in real.items() if name.startswith(PREFIX)}


# ---- what Prometheus itself says ----


@pytest.fixture(scope="session")
def promtool() -> str:
    return tool("promtool", purpose="the alerts and the exposition")


def run(*command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=given, text=True, capture_output=True, check=False)


def test_prometheus_takes_the_alerts(promtool: str) -> None:
    done = run(promtool, "check", "rules", str(DOCS / "alerts.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_understands_each_question_of_the_dashboard(promtool: str, tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": plain(each)} for number, each in enumerate(asked_by_board())]
    path = tmp_path / "board.json"  # JSON is YAML
    path.write_text(json.dumps({"groups": [{"name": "board", "rules": rules}]}))
    done = run(promtool, "check", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_has_nothing_to_say_against_the_exposition(promtool: str, exposed: Scrape) -> None:
    ours = "".join(line for line in exposed.text.splitlines(keepends=True) if PREFIX in line)
    done = run(promtool, "check", "metrics", given=ours)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


HOURS = 3
EACH = "1m"
QUIET = {
    'up{job="upload-station",instance="box"}': "1",
    f'{PREFIX}healthy{{instance="box"}}': "1",
    f'{PREFIX}journal_failing{{instance="box"}}': "0",
    f'{PREFIX}round_trip_seconds_bucket{{instance="box",le="0.05"}}': "0+9",
    f'{PREFIX}round_trip_seconds_bucket{{instance="box",le="0.2"}}': "0+10",
    f'{PREFIX}round_trip_seconds_bucket{{instance="box",le="0.5"}}': "0+10",
    f'{PREFIX}round_trip_seconds_bucket{{instance="box",le="+Inf"}}': "0+10",
    f'{PREFIX}joins_total{{instance="box",transport="websocket",kind="resumed"}}': "0+0.5",
    f'{PREFIX}joins_total{{instance="box",transport="websocket",kind="fresh"}}': "0+100",
    f'{PREFIX}subscribers{{instance="box",transport="websocket"}}': "10",
    f'{PREFIX}file_size_bytes_sum{{instance="box"}}': "0+50000000",
    f'{PREFIX}upload_duration_seconds_sum{{instance="box"}}': "0+10",
    f'{PREFIX}files_total{{instance="box",outcome="completed"}}': "0+50",
    f'{PREFIX}files_total{{instance="box",outcome="failed"}}': "0+1",
    f'{PREFIX}box_memory_ratio{{instance="box"}}': "0.7",
    f'{PREFIX}box_cpu_ratio{{instance="box"}}': "0.6",
    f'{PREFIX}disk_free_bytes{{instance="box"}}': "400000000000-1000000",
    f'{PREFIX}disk_total_bytes{{instance="box"}}': "1000000000000",
    f'{PREFIX}requests_refused_total{{instance="box",code="INSUFFICIENT_STORAGE"}}': "0",
    f'{PREFIX}requests_refused_total{{instance="box",code="NOT_FOUND"}}': "0+100",
    f'{PREFIX}loop_delay_seconds_bucket{{instance="box",le="0.1"}}': "0+1200",
    f'{PREFIX}loop_delay_seconds_bucket{{instance="box",le="0.5"}}': "0+1200",
    f'{PREFIX}loop_delay_seconds_bucket{{instance="box",le="+Inf"}}': "0+1200",
    f'{PREFIX}journal_commit_seconds_bucket{{instance="box",le="0.1"}}': "0+99",
    f'{PREFIX}journal_commit_seconds_bucket{{instance="box",le="1"}}': "0+100",
    f'{PREFIX}journal_commit_seconds_bucket{{instance="box",le="+Inf"}}': "0+100",
    f'{PREFIX}letters{{instance="box",hook="webhook",state="dead"}}': "0",
    f'{PREFIX}letters{{instance="box",hook="webhook",state="waiting"}}': "5",
}
"""A box at which all is well, as Prometheus notes it each minute: constants, or from+step."""
TROUBLE = {
    "UploadStationDown": {'up{job="upload-station",instance="box"}': "0"},
    "UploadStationUnhealthy": {f'{PREFIX}healthy{{instance="box"}}': "0"},
    "UploadStationCannotRecord": {f'{PREFIX}journal_failing{{instance="box"}}': "1"},
    "UploadStationSlowConnections": {
        f'{PREFIX}round_trip_seconds_bucket{{instance="box",le="0.05"}}': "0",
        f'{PREFIX}round_trip_seconds_bucket{{instance="box",le="0.2"}}': "0+4",
    },
    "UploadStationReconnects": {
        f'{PREFIX}joins_total{{instance="box",transport="websocket",kind="resumed"}}': "0+1.2"  # 72 an hour, of ten
    },
    "UploadStationSlowUploads": {f'{PREFIX}file_size_bytes_sum{{instance="box"}}': "0+9000000"},
    "UploadStationFailingUploads": {f'{PREFIX}files_total{{instance="box",outcome="failed"}}': "0+3"},
    "UploadStationMemory": {f'{PREFIX}box_memory_ratio{{instance="box"}}': "0.81"},
    "UploadStationProcessor": {f'{PREFIX}box_cpu_ratio{{instance="box"}}': "0.71"},
    "UploadStationDiskFillsUp": {f'{PREFIX}disk_free_bytes{{instance="box"}}': "400000000000-60000000"},
    "UploadStationNoRoom": {f'{PREFIX}requests_refused_total{{instance="box",code="INSUFFICIENT_STORAGE"}}': "0+1"},
    "UploadStationLoopDelay": {f'{PREFIX}loop_delay_seconds_bucket{{instance="box",le="0.1"}}': "0+900"},
    "UploadStationSlowDisk": {f'{PREFIX}journal_commit_seconds_bucket{{instance="box",le="0.1"}}': "0+10"},
    "UploadStationDeadLetters": {f'{PREFIX}letters{{instance="box",hook="webhook",state="dead"}}': "1"},
}


def noted(values: str) -> str:
    """All the notes of the time, in promtool's words."""
    count = HOURS * 60
    if "x" in values:
        return values
    return f"{values}x{count}" if re.search(r"\d[+-]", values) else f"{values}+0x{count}"


def play(
    promtool: str, folder: Path, trouble: dict[str, str], question: str, expected: dict[str, int]
) -> subprocess.CompletedProcess[str]:
    """Have promtool play the time through, and compare what it answers at its end: values by labels."""
    given = [{"series": name, "values": noted(values)} for name, values in {**QUIET, **trouble}.items()]
    rows = [{"labels": f"{{{labels}}}", "value": value} for labels, value in sorted(expected.items())]
    asked = {"expr": question, "eval_time": f"{HOURS}h", "exp_samples": rows}
    played = {"interval": EACH, "input_series": given, "promql_expr_test": [asked]}
    path = folder / "played.json"
    path.write_text(
        json.dumps({"rule_files": [str(DOCS / "alerts.yml")], "evaluation_interval": EACH, "tests": [played]})
    )
    return run(promtool, "test", "rules", str(path))


def fires(promtool: str, folder: Path, trouble: dict[str, str], expected: set[str]) -> subprocess.CompletedProcess[str]:
    """Which alerts are on at the end."""
    question = "count by (alertname) (ALERTS{alertstate='firing'})"
    return play(promtool, folder, trouble, question, {f'alertname="{name}"': 1 for name in expected})


def test_a_quiet_box_sets_no_alert_off(promtool: str, tmp_path: Path) -> None:
    done = fires(promtool, tmp_path, {}, set())
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", asked_by_alerts())
def test_each_alert_goes_off_by_itself_for_its_own_trouble(promtool: str, tmp_path: Path, alert: str) -> None:
    done = fires(promtool, tmp_path, TROUBLE[alert], {alert})
    assert done.returncode == 0, done.stdout + done.stderr


ONE_SMALL_FILE = {
    f'{PREFIX}file_size_bytes_sum{{instance="box"}}': "0+0x150 5+0x30",
    f'{PREFIX}upload_duration_seconds_sum{{instance="box"}}': "0+0x150 0.07+0x30",
}
ONE_REFUSED_OF_ONE = {
    f'{PREFIX}files_total{{instance="box",outcome="completed"}}': "0",
    f'{PREFIX}files_total{{instance="box",outcome="failed"}}': "0+0x150 1+0x30",
}


@pytest.mark.parametrize(
    ("indicator", "query", "trouble", "value"),
    [
        ("speed", "A", {}, 5_000_000),
        ("speed", "A", ONE_SMALL_FILE, None),
        ("success", "A", {}, 98),
        ("success", "B", {}, None),
        ("success", "A", ONE_REFUSED_OF_ONE, None),
        ("success", "B", ONE_REFUSED_OF_ONE, 0),
    ],
)
def test_few_bytes_and_few_files_are_judged_as_on_the_operators_page(
    promtool: str, tmp_path: Path, indicator: str, query: str, trouble: dict[str, str], value: int | None
) -> None:
    targets = {target["refId"]: plain(target["expr"]) for target in panels()[INDICATORS.index(indicator)]["targets"]}
    expected = {} if value is None else {'instance="box"': value}
    done = play(promtool, tmp_path, trouble, f"round({targets[query]})", expected)
    assert done.returncode == 0, done.stdout + done.stderr


def test_few_files_are_never_red() -> None:
    [override] = panels()[INDICATORS.index("success")]["fieldConfig"]["overrides"]
    assert override["matcher"] == {"id": "byFrameRefID", "options": "B"}
    [thresholds] = override["properties"]
    steps = [(step["color"], step["value"]) for step in thresholds["value"]["steps"]]
    assert steps == [("orange", None), ("green", LIMITS["success"].threshold)]
