//! How much the system inside this process logs.

use clap::Args;

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// The flag and its variable.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LogLevel {
    /// What the system logs on standard error: error, warn, info, debug or trace [default: warn;
    /// info for dev]
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL", hide_env_values = true, value_parser = level)]
    log_level: Option<String>,
}

impl LogLevel {
    /// What was asked for, else the command's own default. A variable that is set to nothing asks for
    /// nothing.
    pub(crate) fn or<'l>(&'l self, default: &'l str) -> &'l str {
        let asked = self.log_level.as_deref();
        asked.filter(|level| !level.is_empty()).unwrap_or(default)
    }
}

fn level(text: &str) -> Result<String, String> {
    let level = text.trim().to_lowercase();
    if level.is_empty() || LEVELS.contains(&level.as_str()) {
        return Ok(level);
    }
    Err(format!("must be one of {}", LEVELS.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_programs_ways_to_write_a_level_are_understood() {
        let asked = |text: &str| LogLevel {
            log_level: level(text).ok(),
        };
        assert_eq!(asked("DEBUG").or("warn"), "debug");
        assert_eq!(asked("").or("warn"), "warn");
        assert_eq!(LogLevel::default().or("info"), "info");
        assert!(level("loud").unwrap_err().contains("error, warn, info"));
    }
}
