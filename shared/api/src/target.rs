//! Where a request goes: the path with `/v1` doubled or missing put right, matched against the table
//! of routes.

use crate::problem::Refusal;
use crate::routes::{Function, ROUTES, Route};
use matchit::Router;
use std::collections::HashMap;

/// A route and the parameters of its path.
pub(crate) struct Target {
    pub(crate) route: &'static Route,
    /// The path as the route knows it.
    pub(crate) path: String,
    parameters: HashMap<String, String>,
}

impl Target {
    /// A parameter of the path, percent-decoded; empty where the route has none of that name.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }
}

/// Finds routes, all of them or those of one function. A function knows the others' routes as well:
/// the gateway's catch-alls send it whatever fits nowhere, and its 405 must name every method.
pub(crate) struct Targets {
    by_path: Router<Vec<&'static Route>>,
    only: Option<Function>,
}

impl Targets {
    pub(crate) fn new(only: Option<Function>) -> Self {
        let mut by_path: Router<Vec<&'static Route>> = Router::new();
        for route in ROUTES {
            if let Ok(found) = by_path.at_mut(route.path) {
                found.value.push(route);
            } else if by_path.insert(route.path, vec![route]).is_err() {
                // Two routes of the table that cannot be told apart: a test walks the whole table.
                tracing::error!(path = route.path, "route conflicts with another");
            }
        }
        Self { by_path, only }
    }

    pub(crate) fn find(&self, method: &str, path: &str) -> Result<Target, Refusal> {
        let path = normalised(path);
        let found = self.by_path.at(&path).map_err(|_| Refusal::NoRoute)?;
        let route = found.value.iter().find(|route| route.method == method);
        let Some(route) = route else {
            let allowed = found.value.iter().map(|route| route.method).collect();
            return Err(Refusal::Method(allowed));
        };
        if self.only.is_some_and(|only| route.function != only) {
            return Err(Refusal::NoRoute);
        }
        let parameters = found
            .params
            .iter()
            .map(|(name, value)| {
                let decoded = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
                (name.to_owned(), decoded.into_owned())
            })
            .collect();
        Ok(Target {
            route,
            path: path.clone(),
            parameters,
        })
    }
}

/// One variable means two things to two official clients, so that a base URL with or without `/v1`
/// must do: `/v1/v1/x` and `/x` both mean `/v1/x`.
fn normalised(path: &str) -> String {
    let mut rest = path.trim_end_matches('/');
    if rest.starts_with("/o/") {
        return rest.to_owned();
    }
    while let Some(inner) = rest.strip_prefix("/v1") {
        if !inner.starts_with('/') {
            break;
        }
        rest = inner;
    }
    format!("/v1{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_table_is_found_by_its_own_path() {
        let targets = Targets::new(None);
        for route in ROUTES {
            let path = route.path.replace(['{', '}'], "x");
            let target = targets.find(route.method, &path).ok().unwrap();
            assert_eq!(target.route.operation, route.operation, "{path}");
        }
    }

    #[test]
    fn a_doubled_or_missing_v1_is_put_right() {
        for path in [
            "/v1/predictions",
            "/v1/v1/predictions",
            "/predictions",
            "/v1/v1/v1/predictions",
            "/predictions/",
        ] {
            assert_eq!(normalised(path), "/v1/predictions", "{path}");
        }
        assert_eq!(normalised("/o/r7/x/1-0.jpg"), "/o/r7/x/1-0.jpg");
        assert_eq!(normalised("/v1x"), "/v1/v1x");
    }

    #[test]
    fn a_function_serves_its_own_routes_only() {
        let callback = Targets::new(Some(Function::Callback));
        assert!(matches!(
            callback.find("GET", "/v1/predictions"),
            Err(Refusal::NoRoute)
        ));
        assert!(callback.find("POST", "/v1/callbacks/modal/a/b/1").is_ok());
        let status = Targets::new(Some(Function::Status));
        assert!(status.find("GET", "/v1/predictions").is_ok());
        assert!(matches!(
            status.find("POST", "/v1/predictions"),
            Err(Refusal::NoRoute)
        ));
    }

    #[test]
    fn a_function_names_every_method_of_a_path_also_those_that_others_serve() {
        let status = Targets::new(Some(Function::Status));
        let Err(Refusal::Method(allowed)) = status.find("PATCH", "/v1/predictions/my-own-id")
        else {
            panic!("PATCH is not a method of any route");
        };
        assert_eq!(allowed, ["PUT", "DELETE", "GET"]);
    }
}
