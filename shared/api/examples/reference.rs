//! Writes what the documentation takes from code: docs/openapi.json and the tables of docs/API.md.
//! Run from the repository's root.

use ryla_api::reference::{BEGIN, END, openapi_json, tables};

fn main() -> std::io::Result<()> {
    std::fs::write("docs/openapi.json", openapi_json())?;
    let page = std::fs::read_to_string("docs/API.md")?;
    let head = page.split(BEGIN).next().unwrap_or_default();
    let tail = page.split(END).nth(1).unwrap_or_default();
    std::fs::write(
        "docs/API.md",
        format!("{head}{BEGIN}\n{}\n{END}{tail}", tables()),
    )
}
