"""The system of template.yaml on ministack with AUTH=true: the bootstraps in its Lambda, and a preview GPU.

Functions reach DynamoDB through microburst, which passes everything on until a test orders a fault.
"""

import hashlib
import io
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from processes import answers, children, environment, eventually, free_port, running
from relay import Edge, Relay

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ("submit", "status", "callback", "dispatch", "sweep", "warm")
REGION = "eu-central-1"
NAME = "ryla-test"
# What ministack takes for the root user of the account.
ROOT_USER = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
# With which the functions sign in at the GPU; it takes any.
MODAL_KEY, MODAL_SECRET = "wk-canary-of-the-aws-tests", "ws-canary-of-the-aws-tests"
# Its Runtime API and its gateway answer in two small writes: with Nagle each call costs 40 ms more than it need.
PATCH = "import socketserver\nsocketserver.StreamRequestHandler.disable_nagle_algorithm = True\n"


@dataclass(frozen=True)
class Credentials:
    """What a function signs its calls with."""

    access_key_id: str
    secret_access_key: str
    session_token: str


class Stack:
    """The deployed system, as its operator sees it."""

    def __init__(self, pid: int, port: int, faults_port: int, edge: Edge, work: Path) -> None:
        """`pid` and `port` are the emulator's, `faults_port` is microburst's."""
        self.pid = pid
        self.endpoint = f"http://127.0.0.1:{port}"
        self.faults_url = f"http://127.0.0.1:{faults_port}/_microburst"
        self.port = port
        self.edge = edge
        self.work = work
        self.gpu_url = ""
        self.outputs: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Base URL of the API, the custom domain."""
        return self.edge.url

    def client(self, service: str, credentials: Credentials | None = None) -> Any:  # noqa: ANN401  (boto3 has no types)
        """An AWS client; of the operator, unless credentials say otherwise."""
        as_whom = credentials or Credentials("test", "test", "")
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id=as_whom.access_key_id,
            aws_secret_access_key=as_whom.secret_access_key,
            aws_session_token=as_whom.session_token or None,
            config=Config(
                signature_version="s3v4" if service == "s3" else None,
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": 1},
                read_timeout=70,
            ),
        )

    @cached_property
    def table(self) -> str:
        """Name of the table."""
        return self.outputs["TableName"]

    @cached_property
    def bucket(self) -> str:
        """Name of the bucket."""
        return self.outputs["BucketName"]

    @cached_property
    def dead_letters(self) -> str:
        """URL of the dead letter queue."""
        resources = self.client("cloudformation").describe_stack_resources(StackName=NAME)["StackResources"]
        (found,) = [r["PhysicalResourceId"] for r in resources if r["LogicalResourceId"] == "DeadLetterQueue"]
        return str(found)

    def deploy(self, gpu_url: str) -> None:
        """Creates the stack from template.yaml, with the bootstraps in place of the sources."""
        self.gpu_url = gpu_url
        s3, formation = self.client("s3"), self.client("cloudformation")
        s3.create_bucket(Bucket="artefacts", CreateBucketConfiguration={"LocationConstraint": REGION})
        template = (ROOT / "template.yaml").read_text()
        for name in FUNCTIONS:
            s3.put_object(Bucket="artefacts", Key=f"{name}.zip", Body=archive(name, self.work))
            template, replaced = re.subn(
                rf"CodeUri: functions/{name}\n", f"CodeUri: s3://artefacts/{name}.zip\n", template
            )
            assert replaced == 1, name
        parameters = {
            "Architecture": "x86_64",
            "PublicUrl": self.url,
            "ModalJobsUrl": gpu_url,
            "ModalKey": MODAL_KEY,
            "ModalSecret": MODAL_SECRET,
            "UseModal": "true",
            "LogLevel": "debug",
            # Short enough for a test to see each of them come to an end.
            "FirstDueS": "5",
            "SilenceS": "3",
            "DispatchTimeoutS": "5",
        }
        formation.create_stack(
            StackName=NAME,
            TemplateBody=template,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        stack = eventually("the stack is created", self._settled, 180)
        if stack["StackStatus"] != "CREATE_COMPLETE":
            events = formation.describe_stack_events(StackName=NAME)["StackEvents"]
            reasons = [(e["LogicalResourceId"], e.get("ResourceStatusReason")) for e in events]
            message = f"{stack['StackStatus']}: {reasons}"
            raise RuntimeError(message)
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        self._mend()
        (api,) = self.client("apigatewayv2").get_apis()["Items"]
        self.edge.to(self.port, f"{api['ApiId']}.execute-api.localhost:{self.port}")

    def _mend(self) -> None:
        """Puts right what the emulator makes of a template that AWS reads otherwise."""
        functions = self.client("lambda")
        (mapping,) = functions.list_event_source_mappings()["EventSourceMappings"]
        # The parameter arrives as the text "5", which its poller cannot compare with a number.
        functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": 5})
        # The bucket refuses plain HTTP, and plain HTTP is what the emulator speaks: seen to bite once, then taken away.
        assert self.invoke("dispatch", {"Records": []})[0] is None
        with pytest.raises(ClientError, match="AccessDenied"):
            self.client("s3", self.credentials("dispatch")).put_object(Bucket=self.bucket, Key="o/plain-http", Body=b"")
        self.client("s3").delete_bucket_policy(Bucket=self.bucket)

    def _settled(self) -> dict[str, Any] | None:
        (stack,) = self.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    def new_key(self, account: str) -> str:
        """Stores an API key as docs/DEPLOY.md says and returns it."""
        key = f"ryla_{secrets.token_hex(16)}"
        digest = hashlib.sha256(key.encode()).hexdigest()
        item = {"pk": {"S": f"KEY#{digest}"}, "sk": {"S": "KEY"}, "v": {"N": "1"}, "account": {"S": account}}
        self.client("dynamodb").put_item(TableName=self.table, Item=item)
        return key

    def row(self, account: str, job: str) -> dict[str, Any]:
        """The job's row."""
        key = {"pk": {"S": f"JOB#{account}#{job}"}, "sk": {"S": "JOB"}}
        reply = self.client("dynamodb").get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return dict(reply.get("Item") or {})

    def invoke(self, function: str, event: object) -> tuple[str | None, Any]:
        """Calls the function by its alias; what went wrong, if anything did, and its reply."""
        reply = self.client("lambda").invoke(
            FunctionName=f"{NAME}-{function}", Qualifier="live", Payload=json.dumps(event).encode()
        )
        return reply.get("FunctionError"), json.loads(reply["Payload"].read() or b"null")

    def bootstraps(self, function: str) -> list[int]:
        """The function's running processes."""
        name = f"{NAME}-{function}"
        return [pid for pid in children(self.pid) if environment(pid).get("AWS_LAMBDA_FUNCTION_NAME") == name]

    def credentials(self, function: str) -> Credentials:
        """What the function's running process signs with."""
        held = environment(self.bootstraps(function)[0])
        return Credentials(held["AWS_ACCESS_KEY_ID"], held["AWS_SECRET_ACCESS_KEY"], held["AWS_SESSION_TOKEN"])

    def faults(self, *rules: dict[str, Any]) -> None:
        """Orders these faults in place of any earlier one."""
        ask(f"{self.faults_url}/fired", "DELETE")
        ask(f"{self.faults_url}/rules", "POST", list(rules))

    def fired(self) -> list[dict[str, Any]]:
        """Which faults have happened."""
        fired = ask(f"{self.faults_url}/fired")
        assert isinstance(fired, list)
        return fired


def ask(url: str, method: str = "GET", body: object = None) -> object:
    """JSON there and back."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
        text = reply.read()
    return json.loads(text) if text else None


def archive(name: str, work: Path) -> bytes:
    """The function's zip: its stripped binary under the name that Lambda looks for."""
    built = Path(os.environ["CARGO_TARGET"]) / "debug" / f"ryla-{name}"
    stripped = work / f"bootstrap-{name}"
    subprocess.run([shutil.which("strip") or "strip", "-o", str(stripped), str(built)], check=True)  # noqa: S603
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
        entry = zipfile.ZipInfo("bootstrap")
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o755 << 16
        zipped.writestr(entry, stripped.read_bytes())
    return out.getvalue()


@contextmanager
def deployed(work: Path) -> Iterator[Stack]:
    """Starts everything, deploys, and ends everything."""
    port, faults_port = free_port(), free_port()
    (work / "sitecustomize.py").write_text(PATCH)
    plain = {
        "PATH": os.environ["PATH"],
        "HOME": str(work),
        "TMPDIR": str(work),
        "PYTHONUTF8": "1",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        **ROOT_USER,
    }
    emulator = {
        **plain,
        "PYTHONPATH": str(work),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        # Not 127.0.0.1: an address below `execute-api.` is no host name, and the functions read theirs as a URL.
        "MINISTACK_HOST": "localhost",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        "GATEWAY_PORT": str(port),
        # The bootstraps inherit these two.
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{faults_port}",
    }
    with ExitStack() as ends:
        edge = Edge(work)
        ends.callback(edge.close)
        ministack = ends.enter_context(running([sys.executable, "-m", "ministack"], work / "ministack.log", emulator))
        # The functions sign the Host that they call, which is microburst's; it passes its upstream's on.
        behind = Relay()
        ends.callback(behind.close)
        behind.to(port, f"127.0.0.1:{faults_port}")
        proxy = [sys.executable, "-m", "microburst", "--upstream", behind.url, "--no-resign"]
        microburst = ends.enter_context(running([*proxy, "--port", str(faults_port)], work / "microburst.log", plain))
        gpu_command = [str(Path(os.environ["CARGO_TARGET"]) / "debug/examples/preview_gpu"), str(edge.ca_file)]
        gpu_log = work / "gpu.log"
        gpu = ends.enter_context(running(gpu_command, gpu_log, plain))
        eventually("ministack listens", lambda: answers(port, ministack))
        eventually("microburst listens", lambda: answers(faults_port, microburst))
        gpu_url = eventually("the GPU says its address", lambda: re.match(r"http://\S+(?=\n)", gpu_log.read_text()))
        assert gpu.poll() is None
        stack = Stack(ministack.pid, port, faults_port, edge, work)
        stack.deploy(gpu_url[0])
        yield stack


__all__ = [
    "FUNCTIONS",
    "MODAL_KEY",
    "MODAL_SECRET",
    "NAME",
    "REGION",
    "ROOT",
    "Credentials",
    "Stack",
    "ask",
    "deployed",
]
