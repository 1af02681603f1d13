"""The client's sentences, in Chinese and English, and what a fault is in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from client.errors import ERRORS
from client.faults import Hopeless, Refusal, Unfit

# fmt: off
SENTENCES: Mapping[str, tuple[str, str]] = MappingProxyType({
    "session": ("本次上传：{link}", "Session: {link}"),
    "stored": ("{name}：已保存（{size}）{path}", "{name}: stored ({size}) as {path}"),
    "before": ("{name}：之前已保存", "{name}: was stored before"),
    "failed": ("{name}：失败。{why}", "{name}: failed. {why}"),
    "waits": ("{name}：等待重试。{why}", "{name}: waiting to try again. {why}"),
    "paused": ("{name}：已被暂停", "{name}: paused by somebody"),
    "goes_on": ("{name}：从 {size} 处继续", "{name}: going on from {size}"),
    "summary": ("{total} 个文件，已保存 {done} 个", "{done} of {total} files stored"),
    "resume": ("已到达的部分都会保留。继续上传请运行：\n  {command}", "What arrived is kept. To go on, run:\n  {command}"),
    "unreachable": ("连不上 {base}：{why}", "Cannot reach {base}: {why}"),
    "untrusted": ("它的证书不受信任（{reason}）。请向站点的管理者索取证书（PEM），用 --cacert 给出", "Its certificate is not trusted ({reason}). Ask who runs it for the certificate (PEM), and give that with --cacert."),
    "other_name": ("它的证书属于别的名称（{reason}）。请用证书上的名称作为地址", "Its certificate is for another name ({reason}). Use a name that is in the certificate as the address."),
    "out_of_date": ("它的证书已过期或尚未生效（{reason}）。请检查本机的时钟；若时钟无误，请站点的管理者更换证书", "Its certificate has expired or is not valid yet ({reason}). Check this computer's clock; if that is right, who runs the station must renew it."),
    "wants_https": ("它似乎只接受 https。请改用 {reason}", "It seems to want https. Give {reason} as its address."),
    "mute": ("结果写不出去：{reason}", "What happens cannot be written: {reason}"),
    "gave_up": ("已放弃等待：{why}", "Waited in vain: {why}"),
    "code": ("没有这个数字码，或者它已经用过或过期", "There is no such code, or it was used or has expired."),
    "tries": ("试错次数太多，请过几分钟再试", "There were too many wrong tries; wait some minutes."),
    "is_folder": ("这是文件夹；要上传其中的文件请加 --recursive", "It is a folder; --recursive sends what is in it."),
    "not_regular": ("这不是普通文件", "It is not a regular file."),
    "unreadable": ("无法读取：{reason}", "It cannot be read: {reason}."),
    "disappeared": ("上传过程中文件不见了", "It disappeared while it was being sent."),
    "changed": ("上传过程中文件被改动，请重新上传", "It was changed while it was being sent; send it again."),
    "differs": ("站点保存的内容与本地文件不一致", "What the station stored is not what this file holds."),
    "cancelled": ("已被取消（{reason}）", "It was cancelled ({reason})."),
    "nothing": ("没有可上传的文件", "There is nothing to send."),
    "pin": ("上传口令：", "PIN of the station: "),
    "pin_missing": ("请用 --pin 或环境变量 UPLOAD_STATION_PIN 给出口令", "Give it with --pin or UPLOAD_STATION_PIN."),
    "no_session": ("站点没有给出会话", "The station named no session."),
    "total": ("合计", "Total"),
    # Of `watch`.
    "joined": ("{link}：{status}，{done}/{total} 个文件已保存", "{link}: {status}, {done} of {total} files stored"),
    "upload-started": ("{name}：开始（{size}）", "{name}: started ({size})"),
    "upload-started-again": ("{name}：从 {at} 处继续（{size}）", "{name}: goes on from {at} ({size})"),
    "upload-progress": ("{name}：{progress}%，{speed}/秒", "{name}: {progress} %, {speed}/s"),
    "upload-completed": ("{name}：已保存（{size}）{path}", "{name}: stored ({size}) as {path}"),
    "upload-failed": ("{name}：失败。{why}", "{name}: failed. {why}"),
    "upload-cancelled": ("{name}：已取消（{reason}）", "{name}: cancelled ({reason})"),
    "session-cancelled": ("本次上传已取消（{reason}）", "The session was cancelled ({reason})"),
    "session-completed": ("结束：保存 {done}，失败 {failed}，取消 {cancelled}", "Over: {done} stored, {failed} failed, {cancelled} cancelled"),
    "session-error": ("故障：{why}", "Fault: {why}"),
    "reconnecting": ("连接中断，正在重连：{why}", "The connection was lost, trying again: {why}"),
})
# fmt: on


class Words:
    """The sentences in one language."""

    def __init__(self, language: str) -> None:
        """`language`: zh or en."""
        self.language = language

    def __call__(self, key: str, **fields: object) -> str:
        return self._chosen(SENTENCES[key]).format(**fields)

    def why(self, fault: BaseException | None) -> str:
        """For people: with details, and what to do."""
        message = self.message(fault)
        return fault.worded(message) if isinstance(fault, Refusal) else message

    def message(self, fault: BaseException | None) -> str:
        """In a sentence. Of what a station says the words are its own only where its language is the one asked for."""
        if isinstance(fault, Unfit | Hopeless):
            return self(fault.key, reason=fault.reason)
        if isinstance(fault, Refusal) and fault.code == "UPLOAD_CANCELLED" and not fault.message:
            return self("cancelled", reason=fault.details)
        if isinstance(fault, Refusal) and fault.is_pushed and fault.code in ERRORS:
            return self._chosen(ERRORS[fault.code])
        return fault.message or fault.code if isinstance(fault, Refusal) else str(fault)

    def _chosen(self, both: tuple[str, str]) -> str:
        zh, en = both
        return zh if self.language == "zh" else en


def language_of(environment: Mapping[str, str]) -> str:
    """What the user's system is set to: zh, or else en."""
    chosen = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "zh" if chosen.lower().startswith("zh") else "en"
