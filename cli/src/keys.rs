//! `ryla keys`: makes API keys for a deployed system. A key is shown once; the table only ever holds
//! its hash, and the command that stores it is printed and not run, since this command has no rights in
//! an AWS account.

use crate::say;
use clap::{Args, Subcommand};
use ryla_domain::V;
use ryla_domain::id::{AccountId, base32};
use ryla_engine::port::{Entropy, KeyHash};
use ryla_engine::system::OsEntropy;
use serde_json::json;

/// Make API keys
#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key and show, once, the key and the command that stores its hash
    New {
        /// The account that the key belongs to, `[a-z0-9][a-z0-9-]{0,39}`
        #[arg(long, value_name = "NAME")]
        account: AccountId,
        /// The system's table
        #[arg(long, value_name = "TABLE", default_value = "ryla", value_parser = table)]
        table: String,
    },
}

impl Keys {
    /// Runs it.
    pub(crate) fn run(self) {
        let Action::New { account, table } = self.action;
        let key = random("ryla_");
        say::line(format!(
            "API key of {account}, shown only now:\n\n  {key}\n\nThis stores its SHA-256:\n\n{}",
            put_item(&key, &account, &table)
        ));
    }
}

/// 160 bits of the operating system's randomness as 32 characters behind a prefix.
pub(crate) fn random(prefix: &str) -> String {
    let mut bytes = [0; 20];
    OsEntropy.fill(&mut bytes);
    format!("{prefix}{}", base32(&bytes))
}

/// The command that stores the key as the system looks it up; names need no quotes of the shell.
fn put_item(key: &str, account: &AccountId, table: &str) -> String {
    let item = json!({
        "pk": { "S": format!("KEY#{}", KeyHash::of(key)) },
        "sk": { "S": "KEY" },
        "v": { "N": V.to_string() },
        "account": { "S": account.as_str() },
    });
    format!(
        "  aws dynamodb put-item --table-name {table} \\\n    --condition-expression \
         'attribute_not_exists(pk)' \\\n    --item '{item}'"
    )
}

/// `DynamoDB`'s own rule for names.
fn table(text: &str) -> Result<String, String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    if (3..=255).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("must be 3 to 255 letters, digits, `_`, `.` or `-`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_base32_characters_and_never_the_same() {
        let key = random("ryla_");
        let rest = key.strip_prefix("ryla_").unwrap();
        assert_eq!(rest.len(), 32);
        assert!(
            rest.bytes()
                .all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
        );
        assert_ne!(random("ryla_"), key);
    }

    #[test]
    fn the_command_stores_the_hash_as_the_system_looks_it_up_and_not_the_key() {
        let command = put_item("abc", &"acme".parse().unwrap(), "ryla");
        let expected = r#"  aws dynamodb put-item --table-name ryla \
    --condition-expression 'attribute_not_exists(pk)' \
    --item '{"account":{"S":"acme"},"pk":{"S":"KEY#ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},"sk":{"S":"KEY"},"v":{"N":"1"}}'"#;
        assert_eq!(command, expected);
    }

    #[test]
    fn a_table_name_cannot_carry_shell() {
        assert!(table("ryla-Jobs_1.x").is_ok());
        for wrong in ["", "ab", "x; rm -rf", "$(id)"] {
            assert!(table(wrong).is_err(), "{wrong}");
        }
    }
}
