"""Lambda `status`: reads one prediction."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import clients
from handlers.clients import TABLE
from handlers.job import key_of, prediction
from handlers.web import Event, ProblemError, Reply, account_of, reply

_dynamodb: Any = clients.dynamodb()


def handler(event: Event, _context: LambdaContext) -> Reply:
    """Answers GET /v1/predictions/{id}."""
    try:
        account = account_of(event, _dynamodb)
        job = event["rawPath"].rsplit("/", 1)[1]
        found = _dynamodb.get_item(TableName=TABLE, Key=key_of(account, job))
        if "Item" not in found:
            raise ProblemError(404, "Not found", "There is no such prediction.")
        return reply(200, prediction(found["Item"]))
    except ProblemError as problem:
        return problem.reply
