//! Lambda `callback`: takes the reports of GPU workers. Its part of the API's router; holds no logic
//! of its own.

use ryla_api::{Api, ApiParts, Function, Serve};
use ryla_backends::modal::callbacks::ModalCallbacks;
use ryla_engine::settings::Settings;
use ryla_engine::wait::Expected;
use ryla_engine::wiring::Ports;
use std::sync::Arc;

/// The largest picture that fits into a Lambda's reply of 6 MB once it is base64.
pub const MAX_OUTPUT_BYTES: u64 = 4_500_000;

/// This function's part of the API.
pub fn api(ports: Ports, settings: Arc<Settings>) -> Api {
    Api::new(ApiParts {
        serve: Serve::Only(Function::Callback),
        ports,
        settings,
        expected: Expected::default(),
        callbacks: Some(Arc::new(ModalCallbacks)),
        max_output_bytes: MAX_OUTPUT_BYTES,
    })
}
