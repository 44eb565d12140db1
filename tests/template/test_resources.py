"""What stands in template.yaml besides permissions: functions, state, queue, API, CDN, alarms."""

import re
import tomllib

import pytest

from cloudformation import ROOT, Template, Tree
from grants import FUNCTIONS

TIMEOUTS = {"submit": 29, "status": 29, "callback": 15, "dispatch": 30, "sweep": 55, "warm": 50}
MASTER_K1 = "k1:{{resolve:secretsmanager:${MasterSecretK1}}}"
MASTER_K2 = "k2:{{resolve:secretsmanager:${MasterSecretK2}}}"


def function_properties(template: Template, function: str) -> Tree:
    shared: Tree = template.tree["Globals"]["Function"]
    return {**shared, **template.properties(f"{function.capitalize()}Function")}


# Functions


def test_there_are_exactly_the_functions_that_exist_as_crates(template: Template) -> None:
    declared = {name.removesuffix("Function").lower() for name in template.of_type("AWS::Serverless::Function")}
    crates = {manifest.parent.name for manifest in (ROOT / "functions").glob("*/Cargo.toml")}
    assert declared == crates == set(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_built_from_the_crate_of_its_name(template: Template, function: str) -> None:
    properties = function_properties(template, function)
    metadata = template.resources[f"{function.capitalize()}Function"]["Metadata"]
    manifest = tomllib.loads((ROOT / properties["CodeUri"] / "Cargo.toml").read_text())
    assert properties["CodeUri"] == f"functions/{function}"
    assert metadata == {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": manifest["package"]["name"]}}
    assert properties["Runtime"] == "provided.al2023"
    assert properties["Handler"] == "bootstrap"
    assert properties["Architectures"] == [{"Ref": "Architecture"}]
    assert template.parameters["Architecture"]["Default"] == "arm64"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_its_time_and_memory(template: Template, function: str) -> None:
    properties = template.evaluate(function_properties(template, function))
    assert properties["Timeout"] == TIMEOUTS[function]
    assert 256 <= properties["MemorySize"] <= 512


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_deployment_with_a_new_release_moves_the_alias(template: Template, function: str) -> None:
    properties = function_properties(template, function)
    assert properties["AutoPublishAlias"] == "live"
    assert properties["AutoPublishAliasAllProperties"] is True
    # Lambda publishes only what has changed, CloudFormation replaces a version only with its description.
    assert "${Release}" in properties["Description"]["Fn::Sub"]
    assert "${Release}" in properties["VersionDescription"]["Fn::Sub"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_logs_for_30_days_into_its_own_group(template: Template, function: str) -> None:
    name = f"{function.capitalize()}Logs"
    assert function_properties(template, function)["LoggingConfig"] == {"LogGroup": {"Ref": name}}
    assert template.resources[name]["Type"] == "AWS::Logs::LogGroup"


def test_every_log_group_forgets_after_30_days(template: Template) -> None:
    groups = template.of_type("AWS::Logs::LogGroup")
    assert len(groups) == len(FUNCTIONS) + 1
    assert {group["Properties"]["RetentionInDays"] for group in groups.values()} == {30}


def test_concurrency_is_reserved_only_on_demand(template: Template) -> None:
    def reserved(**chosen: str) -> set[str]:
        return {
            function
            for function in FUNCTIONS
            if "ReservedConcurrentExecutions" in template.evaluate(function_properties(template, function), **chosen)
        }

    assert reserved() == set()
    assert reserved(ReserveConcurrency="true") == {"callback", "dispatch", "sweep"}


# State


def test_the_table_has_the_keys_and_indexes_of_the_design(template: Template) -> None:
    table = template.properties("Table")
    types = {item["AttributeName"]: item["AttributeType"] for item in table["AttributeDefinitions"]}
    assert types == {"pk": "S", "sk": "S", "gpk": "S", "gsk": "S", "due": "S", "due_at": "N"}

    def keys(schema: list[Tree]) -> list[tuple[str, str]]:
        return [(key["AttributeName"], key["KeyType"]) for key in schema]

    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    assert keys(table["KeySchema"]) == [("pk", "HASH"), ("sk", "RANGE")]
    assert set(indexes) == {"by-account", "due"}
    assert keys(indexes["by-account"]["KeySchema"]) == [("gpk", "HASH"), ("gsk", "RANGE")]
    assert indexes["by-account"]["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert keys(indexes["due"]["KeySchema"]) == [("due", "HASH"), ("due_at", "RANGE")]
    assert indexes["due"]["Projection"]["ProjectionType"] == "INCLUDE"
    assert set(indexes["due"]["Projection"]["NonKeyAttributes"]) == {"deadline_at", "due_tries"}


def test_the_table_is_kept_encrypted_recoverable_and_forgets_by_itself(template: Template) -> None:
    table = template.properties("Table")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["DeletionProtectionEnabled"] is True
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


@pytest.mark.parametrize("name", ["Table", "Bucket"])
def test_state_outlives_its_stack(template: Template, name: str) -> None:
    assert template.resources[name]["DeletionPolicy"] == "Retain"
    assert template.resources[name]["UpdateReplacePolicy"] == "Retain"
    # A name of our own would keep the stack from being made again beside what was retained.
    assert f"{name}Name" not in template.properties(name)


def test_the_bucket_is_private_and_encrypted(template: Template) -> None:
    bucket = template.properties("Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_objects_expire_by_their_prefix(template: Template) -> None:
    rules = template.properties("Bucket")["LifecycleConfiguration"]["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    expiry = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    assert expiry == {f"{place}/r{days}/": days for place in ("o", "in") for days in (1, 7, 30, 365)}
    (unfinished,) = (rule for rule in rules if "AbortIncompleteMultipartUpload" in rule)
    assert unfinished["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert "Prefix" not in unfinished


def test_retention_days_are_the_classes_that_expire(template: Template) -> None:
    prefixes = (rule.get("Prefix", "") for rule in template.properties("Bucket")["LifecycleConfiguration"]["Rules"])
    classes = {int(found[1]) for prefix in prefixes if (found := re.fullmatch(r"o/r(\d+)/", prefix))}
    assert set(template.parameters["RetentionDays"]["AllowedValues"]) == classes


def bucket_statements(template: Template, **chosen: str) -> list[Tree]:
    policy = template.evaluate(template.properties("BucketPolicy"), **chosen)
    statements: list[Tree] = policy["PolicyDocument"]["Statement"]
    return statements


def test_the_bucket_refuses_plain_http(template: Template) -> None:
    (deny,) = bucket_statements(template)
    assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", "s3:*")
    assert deny["Resource"] == [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}]
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


# Queue and schedule


def test_the_queue_hides_a_message_six_times_as_long_as_dispatch_can_run(template: Template) -> None:
    queue = template.properties("Queue")
    longest = template.parameters["DispatchTimeoutS"]["MaxValue"]
    assert template.properties("DispatchFunction")["Timeout"] == {"Ref": "DispatchTimeoutS"}
    assert queue["VisibilityTimeout"] == 180
    assert queue["VisibilityTimeout"] >= 6 * longest


def test_a_message_that_fails_five_times_is_kept_for_two_weeks(template: Template) -> None:
    redrive = template.properties("Queue")["RedrivePolicy"]
    letters = template.properties("DeadLetterQueue")
    assert redrive == {"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}, "maxReceiveCount": 5}
    assert letters["MessageRetentionPeriod"] == 14 * 24 * 3600
    # The age counts from the first send, so a message must reach the second queue before it is too old for it.
    assert template.properties("Queue")["MessageRetentionPeriod"] < letters["MessageRetentionPeriod"]


def test_both_queues_are_encrypted(template: Template) -> None:
    queues = template.of_type("AWS::SQS::Queue")
    assert len(queues) == 2
    assert all(queue["Properties"]["SqsManagedSseEnabled"] is True for queue in queues.values())


def test_dispatch_reports_single_failures_and_has_a_limit(template: Template) -> None:
    mapping = template.properties("DispatchMessages")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["Queue", "Arn"]}
    assert mapping["FunctionName"] == {"Ref": "DispatchFunction.Alias"}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 10
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "DispatchConcurrency"}}
    assert template.parameters["DispatchConcurrency"]["MinValue"] == 2
    # Delayed polls go through the function's own queue; Lambda would stop that as a loop.
    assert template.properties("DispatchFunction")["RecursiveLoop"] == "Allow"


@pytest.mark.parametrize("function", ["sweep", "warm"])
def test_a_tick_is_due_each_minute_and_is_never_retried(template: Template, function: str) -> None:
    name = function.capitalize()
    schedule = template.properties(f"{name}Schedule")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["Target"]["Arn"] == {"Ref": f"{name}Function.Alias"}
    assert schedule["Target"]["RoleArn"] == {"Fn::GetAtt": [f"{name}ScheduleRole", "Arn"]}
    assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 0
    # The scheduler invokes asynchronously, and Lambda has retries of its own there.
    assert template.properties(f"{name}Function")["EventInvokeConfig"]["MaximumRetryAttempts"] == 0
    assert TIMEOUTS[function] < 60


def test_without_a_budget_warm_neither_runs_nor_is_missed(template: Template) -> None:
    state = template.properties("WarmSchedule")["State"]
    for budget, on in [("5", True), ("0.5", True), ("0", False)]:
        assert template.evaluate(state, WarmIdleUsdPerDay=budget) == ("ENABLED" if on else "DISABLED")
        for alarm in ("IdleBudgetAlarm", "LeaseAlarm", "WarmStateAlarm"):
            assert template.condition(template.resources[alarm]["Condition"], WarmIdleUsdPerDay=budget) is on


def test_the_only_zero_that_the_budget_takes_is_the_one_that_switches_warm_off(template: Template) -> None:
    pattern = template.parameters["WarmIdleUsdPerDay"]["AllowedPattern"]
    for budget in ("0", "5", "0.5", "12.50", "99999"):
        assert re.search(pattern, budget), budget
    for budget in ("0.0", "00", "0.", "+5", "-1", "05", "5.", " 0", "", "1e3", "100000"):
        assert not re.search(pattern, budget), budget


# HTTP API


def test_no_route_comes_from_a_sam_event(template: Template) -> None:
    assert all("Events" not in f["Properties"] for f in template.of_type("AWS::Serverless::Function").values())
    assert not [kind for kind in ("AWS::Serverless::HttpApi", "AWS::Serverless::Api") if template.of_type(kind)]


def test_integrations_call_the_alias_with_payload_2_0(template: Template) -> None:
    for name, resource in template.of_type("AWS::ApiGatewayV2::Integration").items():
        integration = resource["Properties"]
        function = name.removesuffix("Integration")
        assert integration["IntegrationType"] == "AWS_PROXY"
        assert integration["PayloadFormatVersion"] == "2.0"
        assert integration["IntegrationUri"] == {"Ref": f"{function}Function.Alias"}
        # The function must give up first, so that the caller gets its answer and not the gateway's.
        assert integration["TimeoutInMillis"] > 1000 * TIMEOUTS[function.lower()]


def test_only_this_api_may_call_the_functions_behind_it(template: Template) -> None:
    permissions = template.of_type("AWS::Lambda::Permission")
    behind = {name.removesuffix("Integration") for name in template.of_type("AWS::ApiGatewayV2::Integration")}
    assert {name.removesuffix("Permission") for name in permissions} == behind == {"Submit", "Status", "Callback"}
    for name, resource in permissions.items():
        permission = resource["Properties"]
        assert permission["FunctionName"] == {"Ref": f"{name.removesuffix('Permission')}Function.Alias"}
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert permission["SourceArn"]["Fn::Sub"].endswith(":${Api}/*")


def test_the_stage_deploys_itself_and_throttles(template: Template) -> None:
    stage = template.properties("ApiStage")
    assert stage["StageName"] == "$default"
    assert stage["AutoDeploy"] is True
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": {"Ref": "ThrottleRate"},
        "ThrottlingBurstLimit": {"Ref": "ThrottleBurst"},
    }


def test_the_access_log_names_no_path_query_header_or_caller(template: Template) -> None:
    written = set(
        re.findall(r"\$context\.([A-Za-z.]+)", template.properties("ApiStage")["AccessLogSettings"]["Format"])
    )
    assert written == {
        "requestTime",
        "requestId",
        "routeKey",
        "status",
        "responseLength",
        "responseLatency",
        "integrationLatency",
        "error.responseType",
    }


# CDN


def test_without_cdn_there_is_none_and_outputs_come_from_the_api(template: Template) -> None:
    kinds = [name for name, resource in template.resources.items() if "CloudFront" in resource["Type"]]
    assert len(kinds) == 3
    assert {template.resources[name].get("Condition") for name in kinds} == {"UseCdn"}
    environment = template.environment("StatusFunction")
    assert not template.condition("UseCdn")
    assert template.evaluate(environment["OUTPUT_BASE_URL"]) == {"Fn::GetAtt": ["Api", "ApiEndpoint"]}


def test_the_base_urls_follow_the_parameters(template: Template) -> None:
    environment = template.environment("SubmitFunction")
    domain = "https://pictures.example.com"
    assert template.evaluate(environment["PUBLIC_URL"]) == {"Fn::GetAtt": ["Api", "ApiEndpoint"]}
    assert template.evaluate(environment["PUBLIC_URL"], PublicUrl=domain) == domain
    assert template.evaluate(environment["OUTPUT_BASE_URL"], PublicUrl=domain) == domain
    cdn = {"Fn::Sub": "https://${Distribution.DomainName}"}
    assert template.evaluate(environment["OUTPUT_BASE_URL"], PublicUrl=domain, Cdn="true") == cdn
    for name, output in (("PUBLIC_URL", "ApiUrl"), ("OUTPUT_BASE_URL", "OutputBaseUrl")):
        assert template.tree["Outputs"][output]["Value"] == environment[name]


def test_the_cdn_reads_outputs_and_nothing_else(template: Template) -> None:
    (_, allow) = bucket_statements(template, Cdn="true")
    assert (allow["Effect"], allow["Action"]) == ("Allow", "s3:GetObject")
    assert allow["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allow["Resource"] == {"Fn::Sub": "${Bucket.Arn}/o/*"}
    assert allow["Condition"]["StringEquals"]["AWS:SourceArn"]["Fn::Sub"].endswith(":distribution/${Distribution}")
    access = template.properties("OutputAccess")["OriginAccessControlConfig"]
    assert (access["SigningBehavior"], access["SigningProtocol"]) == ("always", "sigv4")


def test_the_cdn_forwards_no_header_query_or_cookie_and_forgets_within_an_hour(template: Template) -> None:
    behavior = template.properties("Distribution")["DistributionConfig"]["DefaultCacheBehavior"]
    caching = template.properties("OutputCaching")["CachePolicyConfig"]
    key = caching["ParametersInCacheKeyAndForwardedToOrigin"]
    assert behavior["CachePolicyId"] == {"Ref": "OutputCaching"}
    assert "OriginRequestPolicyId" not in behavior
    assert behavior["ViewerProtocolPolicy"] == "https-only"
    assert behavior["AllowedMethods"] == ["GET", "HEAD"]
    assert key["HeadersConfig"] == {"HeaderBehavior": "none"}
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "none"}
    assert key["CookiesConfig"] == {"CookieBehavior": "none"}
    assert caching["MinTTL"] == 0
    assert caching["DefaultTTL"] <= caching["MaxTTL"] <= 3600


# Secrets


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("k1", MASTER_K1),
        ("k2-then-k1", f"{MASTER_K2},{MASTER_K1}"),
        ("k2", MASTER_K2),
        ("k1-then-k2", f"{MASTER_K1},{MASTER_K2}"),
    ],
)
def test_the_first_master_secret_is_the_one_that_signs(template: Template, keys: str, expected: str) -> None:
    assert keys in template.parameters["SigningKeys"]["AllowedValues"]
    value = template.evaluate(template.environment("CallbackFunction")["MASTER_SECRETS"], SigningKeys=keys)
    assert value == {"Fn::Sub": expected}
    for name in ("MasterSecretK1", "MasterSecretK2"):
        used = name in expected
        assert template.condition(template.resources[name]["Condition"], SigningKeys=keys) is used


def test_master_secrets_are_made_by_aws_and_cannot_break_their_own_list(template: Template) -> None:
    secrets = template.of_type("AWS::SecretsManager::Secret")
    assert len(secrets) == 2
    for secret in secrets.values():
        generated = secret["Properties"]["GenerateSecretString"]
        assert generated["PasswordLength"] >= 43  # 256 bits in letters and digits
        assert {":", ",", " "} & set(generated["ExcludeCharacters"]) == {":", ","}


def test_parameters_that_are_secret_are_not_echoed_nor_put_out(template: Template) -> None:
    hidden = {name for name, parameter in template.parameters.items() if parameter.get("NoEcho") is True}
    assert hidden == {"ModalKey", "ModalSecret"}
    outputs = repr(template.tree["Outputs"])
    assert [name for name in (*hidden, "MasterSecret") if name in outputs] == []


# Alarms and outputs


def test_the_alarms_watch_what_nobody_would_notice(template: Template) -> None:
    watched = {
        name: (alarm["Properties"]["MetricName"], alarm["Properties"]["Dimensions"][0]["Value"])
        for name, alarm in template.of_type("AWS::CloudWatch::Alarm").items()
        if isinstance(alarm["Properties"]["Namespace"], str)
    }
    assert watched == {
        "DeadLetterAlarm": (
            "ApproximateNumberOfMessagesVisible",
            {"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]},
        ),
        "OldestMessageAlarm": ("ApproximateAgeOfOldestMessage", {"Fn::GetAtt": ["Queue", "QueueName"]}),
        "DispatchErrorsAlarm": ("Errors", {"Ref": "DispatchFunction"}),
        "SweepErrorsAlarm": ("Errors", {"Ref": "SweepFunction"}),
        "SweepMissingAlarm": ("Invocations", {"Ref": "SweepFunction"}),
    }
    missing = template.properties("SweepMissingAlarm")
    assert (missing["ComparisonOperator"], missing["TreatMissingData"]) == ("LessThanThreshold", "breaching")


def test_what_only_a_log_line_says_raises_an_alarm_as_well(template: Template) -> None:
    counted = {
        filter_["Properties"]["MetricTransformations"][0]["MetricName"]: (
            filter_["Properties"]["LogGroupName"]["Ref"],
            filter_["Properties"]["FilterPattern"],
        )
        for filter_ in template.of_type("AWS::Logs::MetricFilter").values()
    }
    assert counted == {
        "DeadRows": ("SweepLogs", '{ $.event = "dead" || ($.event = "newer" && $.level = "ERROR") }'),
        "BackendAlarms": ("DispatchLogs", "{ $.alarm IS TRUE }"),
        "UnmappedFailures": ("CallbackLogs", "{ $.unmapped IS TRUE }"),
    }
    for name in ("DeadRowAlarm", "BackendAlarm", "UnmappedAlarm"):
        alarm = template.properties(name)
        assert alarm["MetricName"] in counted
        assert alarm["Namespace"] == {"Fn::Sub": "RYLA/${AWS::StackName}"}
        assert (alarm["Threshold"], alarm["TreatMissingData"]) == (0, "notBreaching")


def test_what_warm_says_of_itself_raises_alarms(template: Template) -> None:
    names = ("IdleBudgetAlarm", "LeaseAlarm", "WarmStateAlarm")
    budget, lease, state = (template.properties(name) for name in names)
    namespace = template.environment("WarmFunction")["METRICS_NAMESPACE"]
    source = (ROOT / "functions/warm/src/metrics.rs").read_text()
    for alarm in (budget, lease, state):
        assert alarm["Namespace"] == namespace == {"Fn::Sub": "RYLA/${AWS::StackName}"}
        assert f'metric("{alarm["MetricName"]}"' in source
        assert "Dimensions" not in alarm
    assert (budget["ComparisonOperator"], budget["Threshold"]) == ("GreaterThanOrEqualToThreshold", 100)
    # Silence is the fault: a tick that says nothing has renewed nothing. Three of them are a lease's life.
    assert (lease["TreatMissingData"], lease["EvaluationPeriods"], lease["Threshold"]) == ("breaching", 3, 0)
    assert template.resources["LeaseAlarm"]["DependsOn"] == "WarmSchedule"
    # Where there is silence the alarm before speaks.
    assert (state["TreatMissingData"], state["EvaluationPeriods"], state["Threshold"]) == ("notBreaching", 3, 0)


def test_the_stack_tells_what_an_operator_needs(template: Template) -> None:
    assert set(template.tree["Outputs"]) == {"ApiUrl", "TableName", "BucketName", "QueueUrl", "OutputBaseUrl"}
