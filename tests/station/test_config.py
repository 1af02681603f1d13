"""Every option by every way: flag, file, environment; which wins; and what cannot be understood."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import pytest

from station.config import Config, idle, load, misspelt

GIB = 1024**3

# A text for each option, and what it means. Each differs from the default.
VALUES: dict[str, tuple[str, Any]] = {
    "port": ("9000", 9000),
    "address": ("127.0.0.1", "127.0.0.1"),
    "upload_dir": ("/srv/photos", Path("/srv/photos")),
    "categories": ("family, school", ("family", "school")),
    "allowed_types": ("jpg,png", ("jpg", "png")),
    "max_file_size": ("2GiB", 2 * GIB),
    "max_files": ("7", 7),
    "max_retries": ("0", 0),
    "retry_grace": ("1min", 60.0),
    "settle_linger": ("500ms", 0.5),
    "session_timeout": ("1h", 3600.0),
    "session_retention": ("7d", 604_800.0),
    "upload_expiry": ("2h", 7200.0),
    "delete_by_uploader": ("on", True),
    "progress_interval": ("0.25", 0.25),
    "progress_step": ("0.5", 0.5),
    "progress_max_silence": ("3s", 3.0),
    "min_free_space": ("1 GiB", GIB),
    "durability": ("process", "process"),
    "checksum": ("sha256", "sha256"),
    "ws_compression": ("on", True),
    "heartbeat": ("5s", 5.0),
    "body_idle_timeout": ("90s", 90.0),
    "body_min_rate": ("2k", 2048),
    "drain_size": ("1MB", 1024**2),
    "drain_time": ("5s", 5.0),
    "max_connections": ("100", 100),
    "max_sessions": ("50", 50),
    "max_open_files": ("5000", 5000),
    "outbox_size": ("64k", 65_536),
    "allowed_hosts": ("station.example other.example", ("station.example", "other.example")),
    "allowed_origins": ("https://intranet.example", ("https://intranet.example",)),
    "language": ("en", "en"),
    "contact": ("Ms Li = desk 2 # left", "Ms Li = desk 2 # left"),
    "upload_pin": ("2468 abc", "2468 abc"),
    "kiosk_url": ("HTTP://192.168.1.5:8005/", "http://192.168.1.5:8005"),
    "kiosk_idle": ("2min", 120.0),
    "wifi_name": ("访客; 2", "访客; 2"),
    "wifi_password": ("let me in", "let me in"),
    "mdns": ("Kiosk-2.local", "kiosk-2"),
    "admin_token": ("open sesame", "open sesame"),
    "history_age": ("90d", 7_776_000.0),
    "history_size": ("1GiB", GIB),
    "metrics_open": ("off", False),
    "on_completed": (" /bin/sh -c 'new files' ", "/bin/sh -c 'new files'"),
    "before_publish": ("sh --fdpass -", "sh --fdpass -"),
    "hook_timeout": ("2min", 120.0),
    "hook_patience": ("1h", 3600.0),
    "webhook": (" https://intranet.example/uploads ", "https://intranet.example/uploads"),
    "webhook_secret": ("whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"),
    "webhook_events": ("upload-completed, session-completed", ("upload-completed", "session-completed")),
    "trusted_proxies": ("127.0.0.1 10.0.0.0/8, ::1", ("127.0.0.1/32", "10.0.0.0/8", "::1/128")),
    "tls_cert": ("/etc/station/chain.pem", "/etc/station/chain.pem"),
    "tls_key": ("/etc/station/key.pem", "/etc/station/key.pem"),
    "log_format": ("json", "json"),
}

# Section 4 of the contract.
FIXED: dict[str, Any] = {
    "port": 8005,
    "address": "",
    "upload_dir": Path("upload"),
    "categories": ("personal", "scenic"),
    "allowed_types": (),
    "max_file_size": 10 * GIB,
    "max_files": 1000,
    "max_retries": 3,
    "retry_grace": 30,
    "settle_linger": 2,
    "session_timeout": 30 * 60,
    "session_retention": 24 * 3600,
    "upload_expiry": 24 * 3600,
    "progress_interval": 0.5,
    "progress_step": 1,
    "progress_max_silence": 2,
    "min_free_space": 256 * 1024**2,
    "durability": "full",
    "checksum": "blake3",
    "ws_compression": False,
    "body_idle_timeout": 60,
    "max_connections": 5000,
    "allowed_hosts": (),
    "allowed_origins": (),
    "language": "zh-CN",
    "contact": "",
    "upload_pin": "",
    "admin_token": "",
}


def complaint(capsys: pytest.CaptureFixture[str], arguments: list[str], environment: dict[str, str]) -> str:
    """What it says on leaving."""
    with pytest.raises(SystemExit) as left:
        load(arguments, environment)
    assert left.value.code == 2
    return capsys.readouterr().err


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return tmp_path / "station.conf"


# ---- all options ----


def test_the_options_that_the_contract_fixes_have_its_defaults() -> None:
    config = load([], {})
    assert {name: getattr(config, name) for name in FIXED} == FIXED


def test_who_uploads_may_not_delete_what_is_stored_unless_the_operator_allows_it() -> None:
    assert load([], {}).delete_by_uploader is False


def test_this_file_knows_every_option() -> None:
    names = [item.name for item in fields(Config)]
    assert names == list(VALUES)
    assert FIXED.keys() <= set(names)


@pytest.mark.parametrize("name", VALUES)
def test_an_option_can_be_given_by_flag_by_file_and_by_the_environment(name: str, conf: Path) -> None:
    text, value = VALUES[name]
    dashed, variable = name.replace("_", "-"), f"UPLOAD_STATION_{name.upper()}"
    beside = {"UPLOAD_STATION_WEBHOOK": ""} if name.startswith("webhook_") else {}
    configs = [
        load([f"--{dashed}={text}"], beside),
        load([f"--{name}={text}"], beside),
        load([f"--{dashed}", text], beside),
        load([], {variable: text, **beside}),
    ]
    for line in (f"{name} = {text}\n", f"{dashed}={text}"):
        conf.write_text(line)
        configs.append(load([f"--config={conf}"], beside))
    assert configs == [replace(Config(), **{name: value})] * 6
    assert configs[0] != Config()


# ---- which wins ----


@pytest.mark.parametrize(
    ("flag", "environment", "file", "port"),
    [
        (None, None, None, 8005),
        (None, None, 1, 1),
        (None, 2, 1, 2),
        (3, 2, 1, 3),
        (3, None, 1, 3),
        (3, 2, None, 3),
    ],
)
def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    flag: int | None, environment: int | None, file: int | None, port: int, conf: Path
) -> None:
    arguments = [] if flag is None else [f"--port={flag}"]
    if file is not None:
        conf.write_text(f"port={file}\n")
        arguments.append(f"--config={conf}")
    variables = {} if environment is None else {"UPLOAD_STATION_PORT": str(environment)}
    assert load(arguments, variables).port == port


def test_a_flag_may_empty_what_the_file_fills(conf: Path) -> None:
    conf.write_text("contact = Ms Li\n")
    assert load([f"--config={conf}", "--contact="], {}).contact == ""


def test_other_variables_are_none_of_its_business() -> None:
    assert load([], {"PORT": "1", "UPLOAD_STATION_NONSENSE": "x", "upload_station_port": "2"}) == Config()


def test_variables_that_are_misspelt_are_found_and_no_others() -> None:
    ours = {f"UPLOAD_STATION_{name.upper()}": "" for name in (*VALUES, "to", "pin")}
    assert misspelt(ours | {"PATH": "", "upload_station_prot": ""}) == []
    wrong = {"UPLOAD_STATION_UPLOADPIN": "2468", "UPLOAD_STATION_CONFIG": "station.conf", "UPLOAD_STATION_": ""}
    assert misspelt(ours | wrong) == sorted(wrong)


def test_a_station_that_a_hook_starts_takes_its_facts_for_no_options() -> None:
    assert misspelt({"UPLOAD_STATION_RUN": "0", "UPLOAD_STATION_FILE_NAME": "a.mp4"}) == []


@pytest.mark.parametrize("name", ["webhook_secret", "webhook_events"])
def test_what_is_for_a_webhook_is_told_when_none_is_named(name: str) -> None:
    given = {f"UPLOAD_STATION_{name.upper()}": VALUES[name][0]}
    assert idle(load([], given)) == [name]
    assert idle(load(["--webhook="], given)) == [name]
    assert idle(load(["--webhook=http://127.0.0.1/"], given)) == []


def test_an_empty_secret_is_none() -> None:
    assert idle(load([], {"UPLOAD_STATION_WEBHOOK_SECRET": ""})) == []


# ---- the file ----


def test_a_file_may_hold_comments_blanks_and_any_text(conf: Path) -> None:
    conf.write_text(
        "# where\n\n   # indented\nport=1\n  contact =  李老师 # 二楼  \nupload_dir = /srv/a = b\n", "utf-8"
    )
    config = load([f"--config={conf}"], {})
    assert (config.port, config.contact, config.upload_dir) == (1, "李老师 # 二楼", Path("/srv/a = b"))


def test_the_later_of_two_lines_wins(conf: Path) -> None:
    conf.write_text("port=1\nport=2\n")
    assert load([f"--config={conf}"], {}).port == 2


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("admin_tokn = sesame", "admin_token"),
        ("admin-tokn = sesame", "admin_token"),
        ("webhook: https://bob:sesame@x/?a=b", "webhook"),
        ("upload_pin sesame", "upload_pin"),
        ("port", "port"),
        ("c2VzYW1lsesame==", ""),
        ("sesame", ""),
        ("https://bob:sesame@x/?a=b", ""),
        ("[sesame]", ""),
        ("=sesame", ""),
    ],
)
def test_a_line_that_is_no_option_is_told_by_its_number_without_being_repeated(
    line: str, meant: str, conf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conf.write_text(f"port=1\n{line}\n")
    said = complaint(capsys, [f"--config={conf}"], {})
    assert f"{conf}, line 2: this is no option" + (f"; is `{meant} = …` meant?\n" if meant else "\n") in said
    assert "sesame" not in said


def test_a_file_that_cannot_be_read_is_named(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"cannot read {conf}" in complaint(capsys, [f"--config={conf}"], {})
    conf.write_bytes(b"contact=\xff\xfe\n")
    assert f"cannot read {conf}" in complaint(capsys, [f"--config={conf}"], {})
    assert "cannot read" in complaint(capsys, [f"--config={conf.parent}"], {})


# ---- what cannot be understood ----

BAD = [
    ("port", "eighty"),
    ("port", "65536"),
    ("port", "-1"),
    ("port", ""),
    ("categories", ""),
    ("categories", "../up"),
    ("categories", ".station"),
    ("categories", "a/b"),
    ("categories", "-x"),
    ("categories", "a" * 65),
    ("max_file_size", "huge"),
    ("max_file_size", "-1"),
    ("max_file_size", "10 XB"),
    ("max_file_size", "9" * 400),
    ("retry_grace", "9" * 400),
    ("port", "9" * 5000),
    ("max_files", "0"),
    ("max_files", "1.5"),
    ("max_retries", "-1"),
    ("max_retries", "٣x"),
    ("progress_step", "much"),
    ("progress_step", "inf"),
    ("retry_grace", "soon"),
    ("retry_grace", "-5"),
    ("settle_linger", "inf"),
    ("session_timeout", "nan"),
    ("progress_step", "101"),
    ("progress_step", "nan"),
    ("durability", "maybe"),
    ("checksum", "md5"),
    ("ws_compression", "perhaps"),
    ("heartbeat", "0"),
    ("max_connections", "7"),
    ("max_sessions", "0"),
    ("language", "fr"),
    ("upload_pin", "123"),
    ("upload_pin", "x" * 65),
    ("upload_pin", "12\t34"),
    ("kiosk_url", "192.168.1.5:8005"),
    ("kiosk_url", "ftp://192.168.1.5"),
    ("kiosk_url", "http://192.168.1.5/station"),
    ("kiosk_url", "http://x@evil.example"),
    ("kiosk_url", "http://192.168.1.5:x"),
    ("kiosk_idle", "0"),
    ("wifi_name", "客" * 11),
    ("wifi_password", "1234567"),
    ("wifi_password", "密码密码密码密码"),
    ("mdns", "my station"),
    ("mdns", "kiosk.example"),
    ("mdns", "-kiosk"),
    ("mdns", "k" * 61),
    ("on_completed", "sort-in 'new files"),
    ("on_completed", "/nowhere/print-photo"),
    ("before_publish", "no-such-scanner --fdpass"),
    ("before_publish", "/etc"),
    ("hook_timeout", "0"),
    ("webhook_events", ""),
    ("webhook", "intranet.example/uploads"),
    ("webhook", "ftp://intranet.example/uploads"),
    ("webhook", "https://intranet.example/up loads"),
    ("trusted_proxies", "10.0.0.5/8"),
    ("trusted_proxies", "nginx"),
    ("trusted_proxies", "10.0.0.1 10.0.0.256"),
    ("log_format", "xml"),
]


@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_value_that_makes_no_sense_ends_it_with_a_sentence(
    name: str, text: str, conf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    variable = f"UPLOAD_STATION_{name.upper()}"
    conf.write_text(f"\n{name}={text}\n")
    for arguments, environment, source in (
        ([f"--{name}={text}"], {}, f"error: --{name.replace('_', '-')}: "),
        ([], {variable: text}, f"{variable}: "),
        ([f"--config={conf}"], {}, f"{conf}, line 2: "),
    ):
        said = complaint(capsys, arguments, environment)
        assert source in said
        assert "Traceback" not in said
        assert "invalid literal" not in said
        assert "convert" not in said
        assert len(said.split(source)[1].split()) >= 3


def test_a_pin_that_cannot_be_one_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    assert "x y\tz" not in complaint(capsys, ["--upload-pin=x y\tz"], {})


def test_nor_is_the_password_in_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert "sesame" not in complaint(capsys, ["--webhook=ftp://me:sesame@intranet.example/"], {})


def test_nor_is_a_wifis_password(capsys: pytest.CaptureFixture[str]) -> None:
    assert "sesame" not in complaint(capsys, ["--wifi-password=sesame"], {})


@pytest.mark.parametrize(
    "text", ["https://files.example", "http://[fd00::5]:8005", "http://kiosk.local", "http://kiosk:80"]
)
def test_the_public_address_may_be_any_host(text: str) -> None:
    assert load([f"--kiosk-url={text}/"], {}).kiosk_url == text


@pytest.mark.parametrize("arguments", [["--prot=1"], ["port=1"], ["--port"]])
def test_an_unknown_flag_ends_it(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "usage: upload-station" in complaint(capsys, arguments, {})


def test_an_option_is_named_as_the_documentation_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    for flag in ("--kiosk-url", "--kiosk_url"):
        assert "error: --kiosk-url: " in complaint(capsys, [f"{flag}=here"], {})
    said = complaint(capsys, ["--kiosk-url"], {})
    assert "--kiosk_url" not in said
    assert len(said.splitlines()) == 4, "the usage is short"


def test_help_lists_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        load(["--help"], {})
    assert left.value.code == 0
    text = capsys.readouterr().out
    missing = [name for name in VALUES if f"--{name.replace('_', '-')}" not in text]
    assert missing == []
    assert not [name for name in VALUES if "_" in name and f"--{name}" in text]
    assert "UPLOAD_STATION_<NAME>" in text


def test_options_never_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Config().port = 1  # type: ignore[misc]
