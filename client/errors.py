"""The errors in words, Chinese and English. Made from station/errors.py; a test holds both together."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# fmt: off
ERRORS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "UPLOAD_FAILED": ("上传失败", "The upload failed."),
    "FILE_SIZE_EXCEEDED": ("文件太大", "The file is too large."),
    "UNSUPPORTED_FORMAT": ("不支持这种文件格式", "This kind of file is not accepted."),
    "NETWORK_ERROR": ("网络连接中断", "The network connection was lost."),
    "REQUEST_TIMEOUT": ("数据太久没有到达", "No data arrived for too long."),
    "SERVER_ERROR": ("服务器出现内部错误", "The station had a fault of its own."),
    "INSUFFICIENT_STORAGE": ("存储空间不足", "The station's disk is full."),
    "CHECKSUM_MISMATCH": ("收到的内容与声明的不一致", "What arrived is not what was promised."),
    "REJECTED": ("文件未通过检查", "The file was refused by a check."),
    "VALIDATION_ERROR": ("请求的内容不正确", "The request is not right."),
    "NO_FILES": ("没有选择文件", "No file was sent."),
    "TOO_MANY_FILES": ("文件数量太多", "There are too many files."),
    "SESSION_NOT_FOUND": ("找不到这次上传", "There is no such upload session."),
    "FILE_NOT_FOUND": ("找不到这个文件", "There is no such file."),
    "NOT_FOUND": ("找不到这个页面", "There is nothing at this address."),
    "METHOD_NOT_ALLOWED": ("不支持这种请求方式", "This address does not take that method."),
    "REQUEST_TOO_LARGE": ("请求内容太大", "The request is too large."),
    "SESSION_CLOSED": ("这次上传已经结束", "This upload session is over."),
    "UPLOAD_ALREADY_COMPLETED": ("文件已经上传完成", "The file has already arrived."),
    "UPLOAD_CANCELLED": ("上传已取消", "The upload was cancelled."),
    "NOT_RESUMABLE": ("这种上传方式不能暂停", "This kind of upload cannot be paused."),
    "OFFSET_MISMATCH": ("续传位置不一致", "The offset is not where the upload stands."),
    "UPLOAD_LOCKED": ("文件正在由另一个请求上传", "Another request is sending this file."),
    "LENGTH_MISMATCH": ("前后声明的文件长度不一致", "What was said of the file's length does not agree."),
    "UPLOAD_GONE": ("这次续传已失效", "This upload is no longer here."),
    "NOT_APPENDABLE": ("这个上传由其他部分合成，不能追加", "This upload is made of others; nothing can be added to it."),
    "UNSUPPORTED_VERSION": ("不支持这个协议版本", "This version of the protocol is not spoken here."),
    "UNSUPPORTED_MEDIA_TYPE": ("请求的 Content-Type 不正确", "The request's Content-Type is not the right one."),
    "RATE_LIMIT_EXCEEDED": ("请求太频繁", "There were too many requests."),
    "TOO_MANY_TRIES": ("试错次数太多", "There were too many wrong tries."),
    "TOO_MANY_CONNECTIONS": ("连接数已满", "The station is busy."),
    "UNAUTHORIZED": ("需要管理员口令", "The operator's token is needed."),
    "PIN_REQUIRED": ("需要上传口令", "A PIN is needed to send files."),
    "PIN_WRONG": ("口令不对", "That is not the PIN."),
    "CODE_UNKNOWN": ("没有这个数字码，或者它已经用过或过期", "There is no such code, or it was used or has expired."),
    "FORBIDDEN_ORIGIN": ("不允许从其他网站发起请求", "Requests from other sites are not allowed."),
    "FORBIDDEN_HOST": ("不认识这个网址", "The station does not answer to this host name."),
})
# fmt: on
