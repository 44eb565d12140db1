"""How clients are made, once for each process."""

import os
from typing import Any

import boto3
from botocore.config import Config

TABLE = os.environ["TABLE_NAME"]
BUCKET = os.environ["BUCKET_NAME"]
PUBLIC_URL = os.environ["PUBLIC_URL"]

# What the SDK of RYLA is set to: three tries, and time-outs that fit into the function's own.
_CONFIG = Config(
    connect_timeout=1.5,
    read_timeout=8,
    retries={"mode": "standard", "total_max_attempts": 3},
    signature_version="v4",
)


def dynamodb() -> Any:  # noqa: ANN401  (boto3 has no types)
    """The low-level client: attribute values are written out, since the resource's conversions cost time."""
    return boto3.client("dynamodb", config=_CONFIG)


def sqs() -> Any:  # noqa: ANN401
    """SQS."""
    return boto3.client("sqs", config=_CONFIG)


def s3() -> Any:  # noqa: ANN401
    """S3; checksums only where an operation demands them, or presigned URLs would ask the worker for some."""
    own = Config(
        signature_version="s3v4",
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.client("s3", config=_CONFIG.merge(own))
