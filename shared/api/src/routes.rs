//! Every route of the API, once: the router matches on this table, openapi.json is made from it, and
//! the template's routes are tested against it.

/// The Lambda that serves a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Creates, cancels, repeats, removes.
    Submit,
    /// Reads.
    Status,
    /// Takes workers' callbacks.
    Callback,
}

impl Function {
    /// Its name in template.yaml and openapi.json.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Status => "status",
            Self::Callback => "callback",
        }
    }
}

/// What a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Creates a prediction of the model in the path.
    CreateForModel,
    /// Creates a prediction of the model in the body.
    Create,
    /// Creates a prediction of the deployment in the path.
    CreateForDeployment,
    /// Creates a prediction under the caller's id.
    Put,
    /// Cancels one.
    Cancel,
    /// Repeats a failed one.
    Retry,
    /// Removes one's data.
    Delete,
    /// Reads one.
    Get,
    /// Lists them.
    List,
    /// Lists models.
    ListModels,
    /// Reads a model.
    GetModel,
    /// Lists a model's versions.
    ListVersions,
    /// Reads a version.
    GetVersion,
    /// Says whose key it is.
    GetAccount,
    /// What is kept warm, for operators.
    GetWarm,
    /// This API as OpenAPI.
    OpenApi,
    /// Whether it is up.
    Health,
    /// Serves a picture.
    GetOutput,
    /// Takes a worker's callback.
    Callback,
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The holder of an API key.
    Key,
    /// Anybody.
    Open,
    /// A worker that signs.
    Signature,
}

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// HTTP method.
    pub method: &'static str,
    /// Path with parameters in braces.
    pub path: &'static str,
    /// What it does.
    pub operation: Operation,
    /// The Lambda that serves it.
    pub function: Function,
    /// Who may call it.
    pub access: Access,
    /// One line for the documentation.
    pub summary: &'static str,
}

const fn route(
    method: &'static str,
    path: &'static str,
    operation: Operation,
    function: Function,
    access: Access,
    summary: &'static str,
) -> Route {
    Route {
        method,
        path,
        operation,
        function,
        access,
        summary,
    }
}

/// Every route.
pub const ROUTES: &[Route] = &[
    route(
        "POST",
        "/v1/models/{owner}/{name}/predictions",
        Operation::CreateForModel,
        Function::Submit,
        Access::Key,
        "Create a prediction of a model",
    ),
    route(
        "POST",
        "/v1/predictions",
        Operation::Create,
        Function::Submit,
        Access::Key,
        "Create a prediction of the model or version named in the body",
    ),
    route(
        "POST",
        "/v1/deployments/{owner}/{name}/predictions",
        Operation::CreateForDeployment,
        Function::Submit,
        Access::Key,
        "Create a prediction of a deployment (each model has one of its own name)",
    ),
    route(
        "PUT",
        "/v1/predictions/{id}",
        Operation::Put,
        Function::Submit,
        Access::Key,
        "Create a prediction under an id of your own; repeating it is harmless",
    ),
    route(
        "POST",
        "/v1/predictions/{id}/cancel",
        Operation::Cancel,
        Function::Submit,
        Access::Key,
        "Cancel a prediction",
    ),
    route(
        "POST",
        "/v1/predictions/{id}/retry",
        Operation::Retry,
        Function::Submit,
        Access::Key,
        "Create a new prediction with the input of a failed or canceled one",
    ),
    route(
        "DELETE",
        "/v1/predictions/{id}",
        Operation::Delete,
        Function::Submit,
        Access::Key,
        "Remove a finished prediction's outputs and input; its figures stay",
    ),
    route(
        "GET",
        "/v1/predictions/{id}",
        Operation::Get,
        Function::Status,
        Access::Key,
        "Read a prediction; with ?wait=n, once it has ended or n seconds are over",
    ),
    route(
        "GET",
        "/v1/predictions",
        Operation::List,
        Function::Status,
        Access::Key,
        "List predictions, newest first",
    ),
    route(
        "GET",
        "/v1/models",
        Operation::ListModels,
        Function::Status,
        Access::Key,
        "List models",
    ),
    route(
        "GET",
        "/v1/models/{owner}/{name}",
        Operation::GetModel,
        Function::Status,
        Access::Key,
        "Read a model and its schema",
    ),
    route(
        "GET",
        "/v1/models/{owner}/{name}/versions",
        Operation::ListVersions,
        Function::Status,
        Access::Key,
        "List a model's versions",
    ),
    route(
        "GET",
        "/v1/models/{owner}/{name}/versions/{id}",
        Operation::GetVersion,
        Function::Status,
        Access::Key,
        "Read a version and its schema",
    ),
    route(
        "GET",
        "/v1/account",
        Operation::GetAccount,
        Function::Status,
        Access::Key,
        "Read the account of the API key",
    ),
    route(
        "GET",
        "/v1/warm",
        Operation::GetWarm,
        Function::Status,
        Access::Key,
        "Read what is kept warm, and why (keys of operators; to others there is no such route)",
    ),
    route(
        "GET",
        "/v1/openapi.json",
        Operation::OpenApi,
        Function::Status,
        Access::Open,
        "This API as an OpenAPI document",
    ),
    route(
        "GET",
        "/v1/health",
        Operation::Health,
        Function::Status,
        Access::Open,
        "Whether the API is up",
    ),
    route(
        "GET",
        "/o/{retention}/{token}/{file}",
        Operation::GetOutput,
        Function::Status,
        Access::Open,
        "Read an output: who has the URL has the picture",
    ),
    route(
        "POST",
        "/v1/callbacks/{backend}/{account}/{job}/{attempt}",
        Operation::Callback,
        Function::Callback,
        Access::Signature,
        "A GPU worker reports on its run",
    ),
];
