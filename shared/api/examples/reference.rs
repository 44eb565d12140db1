//! Writes what the documentation takes from code: docs/openapi.json, the tables of docs/API.md, and
//! .env.example. Run from the repository's root.

use ryla_api::reference::{api_md, openapi_json};
use ryla_engine::settings::env_example;

fn main() -> std::io::Result<()> {
    std::fs::write("docs/openapi.json", openapi_json())?;
    let page = std::fs::read_to_string("docs/API.md")?;
    std::fs::write("docs/API.md", api_md(&page))?;
    std::fs::write(".env.example", env_example())
}
