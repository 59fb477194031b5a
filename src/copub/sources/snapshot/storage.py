"""Where a snapshot lies: a local folder, or a bucket that speaks S3, through pyarrow alike."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.fs as pafs

from copub.errors import InputError

_REGION = "us-east-1"  # where OpenAlex keeps its bucket
_SECONDS = 30
AHEAD = 8 << 20
"""Bytes fetched at once from a file that is read from end to end: buckets answer slowly and send fast."""


def open_source(source: str) -> tuple[pafs.FileSystem, str]:
    """Return the file system of a source and the path of the source on it.

    Buckets are read without an account unless the environment names one (``AWS_ACCESS_KEY_ID``,
    ``AWS_PROFILE``, ``AWS_WEB_IDENTITY_TOKEN_FILE``); ``AWS_REGION`` and ``AWS_ENDPOINT_URL`` are
    obeyed.

    Raises
    ------
    InputError : the address is neither a path nor ``s3://…``.
    """
    scheme, mark, rest = source.partition("://")
    if not mark:
        return pafs.LocalFileSystem(), str(Path(source).expanduser().absolute())
    if scheme != "s3":
        raise InputError(
            f"addresses that begin with {scheme}:// are unknown",
            where="--from",
            hint="name a folder or s3://bucket/folder",
        )
    account = any(os.environ.get(f"AWS_{key}") for key in ("ACCESS_KEY_ID", "PROFILE", "WEB_IDENTITY_TOKEN_FILE"))
    filesystem = pafs.S3FileSystem(
        anonymous=not account,
        region=os.environ.get("AWS_REGION") or _REGION,
        endpoint_override=os.environ.get("AWS_ENDPOINT_URL"),
        connect_timeout=_SECONDS,
        request_timeout=_SECONDS,
    )
    return filesystem, rest.strip("/")
