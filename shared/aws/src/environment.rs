//! What Lambda sets for the SDK: credentials, region, and where a test moves a service's endpoint. The
//! SDK's own chain of sources also asks profiles, STS, ECS and IMDS, none of which a Lambda has; building
//! and linking it cost every cold start a client and every artefact half a megabyte.

use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::meta::region::ProvideRegion;
use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// The region that Lambda names.
pub(crate) async fn region() -> Option<Region> {
    EnvironmentVariableRegionProvider::new().region().await
}

/// The settings of the environment but the region, without clients, time-outs and retries.
pub(crate) fn settings() -> aws_types::sdk_config::Builder {
    let credentials = EnvironmentVariableCredentialsProvider::new();
    SdkConfig::builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .service_config(Variables)
}

/// `AWS_ENDPOINT_URL_DYNAMODB` before `AWS_ENDPOINT_URL`, and all other settings alike.
#[derive(Debug)]
struct Variables;

impl LoadServiceConfig for Variables {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the SDK's own variables, which are no settings of ours"
        )]
        let variable = |name: &str| std::env::var(name).ok();
        names(key.env(), key.service_id()).find_map(|name| variable(&name))
    }
}

fn names(setting: &str, service: &str) -> impl Iterator<Item = String> {
    let service = service.to_ascii_uppercase().replace([' ', '-'], "_");
    [format!("{setting}_{service}"), setting.to_owned()].into_iter()
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_services_own_endpoint_goes_before_the_one_of_all() {
        let found: Vec<String> = names("AWS_ENDPOINT_URL", "dynamodb").collect();
        assert_eq!(found, ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"]);
    }
}
