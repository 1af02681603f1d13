"""The error table: one row owns a code, its HTTP status, whether a retry helps, and its words in Chinese and English.

HTTP answers and pushed events read the same row (contract, section 3). Nothing here knows who asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Kind(StrEnum):
    """Who can mend it: the line, by itself; whoever sends the file; or the station's people (`contact`)."""

    NETWORK = "network"
    FILE = "file"
    SYSTEM = "system"


NETWORK, FILE, SYSTEM = Kind


@dataclass(frozen=True, slots=True)
class Row:
    """`zh` and `en` are (what happened, what to do); `{contact}` in the advice names who to ask."""

    code: str
    status: int
    retry: bool
    kind: Kind
    zh: tuple[str, str]
    en: tuple[str, str]

    def message(self, language: str) -> str:
        return self._words(language)[0]

    def solution(self, language: str, contact: str = "") -> str:
        who = contact or ("现场工作人员" if language.startswith("zh") else "the person who runs this station")
        return self._words(language)[1].format(contact=who)

    def _words(self, language: str) -> tuple[str, str]:
        return self.zh if language.startswith("zh") else self.en


# fmt: off
_ROWS = (
    Row("UPLOAD_FAILED",            500, True,  SYSTEM,  ("上传失败", "请重试；若仍失败，请联系{contact}"), ("The upload failed.", "Try again; if it fails again, ask {contact}.")),
    Row("FILE_SIZE_EXCEEDED",       413, False, FILE,    ("文件太大", "请压缩或裁剪后再上传"), ("The file is too large.", "Compress or shorten it, then send it again.")),
    Row("UNSUPPORTED_FORMAT",       415, False, FILE,    ("不支持这种文件格式", "请换成支持的格式"), ("This kind of file is not accepted.", "Convert it to an accepted format.")),
    Row("NETWORK_ERROR",            408, True,  NETWORK, ("网络连接中断", "请检查网络连接后重试"), ("The network connection was lost.", "Check the connection and try again.")),
    Row("REQUEST_TIMEOUT",          408, True,  NETWORK, ("数据太久没有到达", "请检查网络连接后重试"), ("No data arrived for too long.", "Check the connection and try again.")),
    Row("SERVER_ERROR",             500, True,  SYSTEM,  ("服务器出现内部错误", "请稍后重试；若仍失败，请联系{contact}"), ("The station had a fault of its own.", "Try again later; if it fails again, ask {contact}.")),
    Row("INSUFFICIENT_STORAGE",     507, True,  SYSTEM,  ("存储空间不足", "请联系{contact}清理空间后重试"), ("The station's disk is full.", "Ask {contact} to free some space, then try again.")),
    Row("CHECKSUM_MISMATCH",        422, True,  FILE,    ("收到的内容与声明的不一致", "请重新上传"), ("What arrived is not what was promised.", "Send the file again.")),
    Row("REJECTED",                 422, False, FILE,    ("文件未通过检查", "请联系{contact}了解原因"), ("The file was refused by a check.", "Ask {contact} why.")),
    Row("VALIDATION_ERROR",         400, False, SYSTEM,  ("请求的内容不正确", "请检查后再发送"), ("The request is not right.", "Correct it and send it again.")),
    Row("NO_FILES",                 400, False, FILE,    ("没有选择文件", "请先选择要上传的文件"), ("No file was sent.", "Choose a file first.")),
    Row("TOO_MANY_FILES",           400, False, FILE,    ("文件数量太多", "请分几次上传"), ("There are too many files.", "Send them in several batches.")),
    Row("SESSION_NOT_FOUND",        404, False, FILE,    ("找不到这次上传", "请重新开始上传"), ("There is no such upload session.", "Start a new upload.")),
    Row("FILE_NOT_FOUND",           404, False, SYSTEM,  ("找不到这个文件", "请刷新页面后重试"), ("There is no such file.", "Reload the page and try again.")),
    Row("NOT_FOUND",                404, False, SYSTEM,  ("找不到这个页面", "请检查网址"), ("There is nothing at this address.", "Check the address.")),
    Row("METHOD_NOT_ALLOWED",       405, False, SYSTEM,  ("不支持这种请求方式", "请查看接口文档"), ("This address does not take that method.", "See the protocol's documentation.")),
    Row("REQUEST_TOO_LARGE",        413, False, SYSTEM,  ("请求内容太大", "请减少请求的内容"), ("The request is too large.", "Send less in one request.")),
    Row("SESSION_CLOSED",           409, False, FILE,    ("这次上传已经结束", "请重新开始上传"), ("This upload session is over.", "Start a new upload.")),
    Row("UPLOAD_ALREADY_COMPLETED", 409, False, FILE,    ("文件已经上传完成", "无需再次上传"), ("The file has already arrived.", "There is nothing more to do.")),
    Row("UPLOAD_CANCELLED",         409, False, FILE,    ("上传已取消", "如需要请重新上传"), ("The upload was cancelled.", "Send the file again if you want it stored.")),
    Row("NOT_RESUMABLE",            409, False, FILE,    ("这种上传方式不能暂停", "可以取消后重新上传"), ("This kind of upload cannot be paused.", "Cancel it and send it again instead.")),
    Row("OFFSET_MISMATCH",          409, True,  NETWORK, ("续传位置不一致", "请查询位置后继续"), ("The offset is not where the upload stands.", "Ask for the offset and go on from there.")),
    Row("UPLOAD_LOCKED",            423, True,  NETWORK, ("文件正在由另一个请求上传", "请稍后重试"), ("Another request is sending this file.", "Try again in a moment.")),
    Row("LENGTH_MISMATCH",          400, False, FILE,    ("前后声明的文件长度不一致", "请重新上传"), ("What was said of the file's length does not agree.", "Send the file again from the start.")),
    Row("UPLOAD_GONE",              410, False, FILE,    ("这次续传已失效", "请重新上传这个文件"), ("This upload is no longer here.", "Send the file again from the start.")),
    Row("NOT_APPENDABLE",           403, False, SYSTEM,  ("这个上传由其他部分合成，不能追加", "请重新上传这个文件"), ("This upload is made of others; nothing can be added to it.", "Send the file again from the start.")),
    Row("UNSUPPORTED_VERSION",      412, False, SYSTEM,  ("不支持这个协议版本", "请更新上传程序"), ("This version of the protocol is not spoken here.", "Use a client that speaks tus 1.0.0.")),
    Row("UNSUPPORTED_MEDIA_TYPE",   415, False, SYSTEM,  ("请求的 Content-Type 不正确", "请更新上传程序"), ("The request's Content-Type is not the right one.", "See the protocol's documentation.")),
    Row("RATE_LIMIT_EXCEEDED",      429, True,  NETWORK, ("请求太频繁", "请稍后重试"), ("There were too many requests.", "Wait a moment and try again.")),
    Row("TOO_MANY_TRIES",           429, True,  FILE,    ("试错次数太多", "请过几分钟再试"), ("There were too many wrong tries.", "Wait some minutes, then try again.")),
    Row("TOO_MANY_CONNECTIONS",     503, True,  NETWORK, ("连接数已满", "请稍后重试"), ("The station is busy.", "Wait a moment and try again.")),
    Row("UNAUTHORIZED",             401, False, SYSTEM,  ("需要管理员口令", "请联系{contact}"), ("The operator's token is needed.", "Ask {contact}.")),
    Row("PIN_REQUIRED",             401, False, FILE,    ("需要上传口令", "请输入现场公布的口令"), ("A PIN is needed to send files.", "Enter the PIN that is shown at the station.")),
    Row("PIN_WRONG",                401, False, FILE,    ("口令不对", "请核对后再输入"), ("That is not the PIN.", "Check it and enter it again.")),
    Row("CODE_UNKNOWN",             404, False, FILE,    ("没有这个数字码，或者它已经用过或过期", "请输入屏幕上现在显示的数字码"), ("There is no such code, or it was used or has expired.", "Enter the code that the screen shows now.")),
    Row("FORBIDDEN_ORIGIN",         403, False, SYSTEM,  ("不允许从其他网站发起请求", "请直接打开本站页面"), ("Requests from other sites are not allowed.", "Open the station's own page.")),
    Row("FORBIDDEN_HOST",           421, False, FILE,    ("不认识这个网址", "请用本站的地址访问；如需新增网址请联系{contact}"), ("The station does not answer to this host name.", "Use the station's own address, or ask {contact} to allow this name.")),
)
# fmt: on
ERRORS: Mapping[str, Row] = MappingProxyType({row.code: row for row in _ROWS})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that went wrong: a row of the table and what is particular about it (never a path or a trace)."""

    code: str
    details: str | None = None
    retry_after: int | None = None

    @property
    def row(self) -> Row:
        return ERRORS[self.code]

    def pushed(self, language: str) -> dict[str, Any]:
        """The `error` of an event: `{code, message, details?}`."""
        error = {"code": self.code, "message": self.row.message(language)}
        return error if self.details is None else {**error, "details": self.details}

    def refusal(self) -> Refused:
        """To be raised where this problem is the answer."""
        return Refused(self.code, self.details, retry_after=self.retry_after)

    def answered(self, language: str, contact: str, timestamp: str, request_id: str) -> dict[str, Any]:
        """The body of an HTTP error."""
        return {
            "error": self.code,
            "message": self.row.message(language),
            "details": self.details,
            "solution": self.row.solution(language, contact),
            "timestamp": timestamp,
            "requestId": request_id,
        }


class Refused(Exception):
    """A request cannot be carried out; carries the Problem to answer with."""

    def __init__(self, code: str, details: str | None = None, *, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.problem = Problem(code, details, retry_after)
