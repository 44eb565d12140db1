//! Fills a `ComfyUI` graph from a job's params: `infra/workflows/*.json`, compiled in. It is for adapters that hand over a
//! whole graph (comfyui), of which there is none yet; the preview GPU reads it too. The Python Modal app fills the
//! same files (`ryla_modal/workflow.py`), and both must give the bytes of
//! `tests/fixtures/v1/workflows`. It draws nothing, knows no clock and does no I/O.

mod files;
mod input;
mod motion;

use input::Spec;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The version of the files that this build reads.
const VERSION: u8 = 1;

/// One workflow file, as far as filling needs it.
#[derive(Debug, Deserialize)]
pub struct Workflow {
    v: u8,
    inputs: BTreeMap<String, Spec>,
    #[serde(default)]
    aliases: BTreeMap<String, Alias>,
    bindings: Vec<Binding>,
    outputs: Vec<Output>,
    graph: BTreeMap<String, Node>,
}

/// Which node's file becomes the output of a slot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Output {
    /// Slot of the job's output.
    pub slot: u32,
    /// Id of the node in the graph and in `ComfyUI`'s history.
    pub node: String,
    /// What its file is.
    pub kind: Kind,
}

/// What an output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A still picture.
    Image,
    /// An MP4.
    Video,
}

/// Why no graph could be made. Messages name fields, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// No file of that name was compiled in.
    #[error("there is no workflow {0}")]
    Unknown(String),
    /// The file does not hold to the format; the tests read every file that was compiled in.
    #[error("the workflow {0} cannot be read")]
    Unreadable(String),
    /// A param that the workflow does not take as it is.
    #[error("{field} {problem}")]
    Param {
        /// Name of the param.
        field: String,
        /// What is wrong, without the field's name.
        problem: &'static str,
    },
}

impl FillError {
    fn param(field: &str, problem: &'static str) -> Self {
        Self::Param {
            field: field.to_owned(),
            problem,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Alias {
    r#for: String,
    divide: f64,
}

#[derive(Debug, Deserialize)]
struct Node {
    class_type: String,
    inputs: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Binding {
    to: (String, String),
    #[serde(flatten)]
    source: Source,
}

/// Where a binding's value comes from; the order matters, since `from` alone fits most.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Source {
    Join {
        join: Vec<String>,
        separator: String,
    },
    Motion {
        motion: Motion,
    },
    Map {
        from: String,
        map: BTreeMap<String, Value>,
        r#else: Option<String>,
    },
    Times {
        from: String,
        times: f64,
        #[serde(default)]
        plus: f64,
        #[serde(default)]
        whole: bool,
    },
    Copy {
        from: String,
    },
}

#[derive(Debug, Deserialize)]
struct Motion {
    seed: String,
    preset: String,
    seconds: String,
    fps: f64,
}

/// Names of all workflows, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    files::FILES.iter().map(|(name, _)| *name)
}

impl Workflow {
    /// Reads the file of that name.
    pub fn load(name: &str) -> Result<Self, FillError> {
        let (_, text) = files::FILES
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| FillError::Unknown(name.to_owned()))?;
        serde_json::from_str(text)
            .ok()
            .filter(|workflow: &Self| workflow.v == VERSION)
            .ok_or_else(|| FillError::Unreadable(name.to_owned()))
    }

    /// Whose files become the job's outputs.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Whether it has an input of that name.
    pub fn takes(&self, name: &str) -> bool {
        self.inputs.contains_key(name)
    }

    /// Params that are files; [`Workflow::fill`] wants the name of each under which `ComfyUI` knows it.
    pub fn file_params(&self) -> impl Iterator<Item = &str> {
        self.inputs
            .iter()
            .filter(|(_, spec)| matches!(spec, Spec::File {}))
            .map(|(name, _)| name.as_str())
    }

    /// The graph for `POST /prompt`. `prefix` is the file name prefix of this attempt, which no other may share. Unlike the
    /// Python side it stops at the first problem: the domain has read the params already.
    pub fn fill(
        &self,
        params: &Map<String, Value>,
        files: &BTreeMap<String, String>,
        prefix: &str,
    ) -> Result<Value, FillError> {
        let values = self.resolve(params, files)?;
        let mut graph: Map<String, Value> = Map::new();
        for (id, node) in &self.graph {
            let mut inputs = node.inputs.clone();
            for binding in self.bindings.iter().filter(|binding| binding.to.0 == *id) {
                inputs.insert(binding.to.1.clone(), binding.source.value(&values)?);
            }
            if self.outputs.iter().any(|output| output.node == *id) {
                inputs.insert("filename_prefix".to_owned(), prefix.into());
            }
            let filled = Map::from_iter([
                ("class_type".to_owned(), node.class_type.clone().into()),
                ("inputs".to_owned(), inputs.into()),
            ]);
            graph.insert(id.clone(), filled.into());
        }
        let mut graph = Value::Object(graph);
        graph.sort_all_objects();
        Ok(graph)
    }

    /// Every input's value, checked, with the defaults filled in.
    fn resolve(
        &self,
        params: &Map<String, Value>,
        files: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<&str, Value>, FillError> {
        let mut given: BTreeMap<&str, Value> = params
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        for (alias, rule) in &self.aliases {
            if let Some(number) = given.remove(alias.as_str()) {
                let number = number
                    .as_u64()
                    .and_then(|number| u32::try_from(number).ok())
                    .ok_or_else(|| FillError::param(alias, "must be a whole number"))?;
                let quotient = Value::from(f64::from(number) / rule.divide);
                if given.insert(&rule.r#for, quotient).is_some() {
                    return Err(FillError::param(alias, "says the same as another param"));
                }
            }
        }
        if let Some(name) = given.keys().find(|name| !self.inputs.contains_key(**name)) {
            return Err(FillError::param(name, "is no parameter of this model"));
        }
        self.inputs
            .iter()
            .map(|(name, spec)| {
                let value = match (spec, given.remove(name.as_str())) {
                    (Spec::File {}, _) => files.get(name).map(|file| Ok(file.as_str().into())),
                    (spec, Some(value)) => Some(spec.check(value)),
                    (spec, None) => spec.default_value().map(Ok),
                };
                match value {
                    Some(Ok(value)) => Ok((name.as_str(), value)),
                    Some(Err(problem)) => Err(FillError::param(name, problem)),
                    None => Err(FillError::param(name, "is required")),
                }
            })
            .collect()
    }
}

impl Source {
    fn value(&self, values: &BTreeMap<&str, Value>) -> Result<Value, FillError> {
        let get = |name: &String| {
            values
                .get(name.as_str())
                .ok_or_else(|| FillError::param(name, "is not among the inputs"))
        };
        let number = |name: &String| {
            get(name)?
                .as_f64()
                .ok_or_else(|| FillError::param(name, "must be a number"))
        };
        let text = |name: &String| {
            get(name)?
                .as_str()
                .ok_or_else(|| FillError::param(name, "must be a text"))
        };
        match self {
            Self::Copy { from } => get(from).cloned(),
            Self::Join { join, separator } => {
                let parts = join.iter().map(text).collect::<Result<Vec<_>, _>>()?;
                let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                Ok(parts.join(separator).into())
            }
            Self::Map { from, map, r#else } => match (map.get(text(from)?), r#else) {
                (Some(value), _) => Ok(value.clone()),
                (None, Some(other)) => get(other).cloned(),
                (None, None) => Err(FillError::param(from, "is none of the choices")),
            },
            Self::Times {
                from,
                times,
                plus,
                whole,
            } => {
                let product = number(from)? * times + plus;
                Ok(if *whole {
                    nearest(product).into()
                } else {
                    product.into()
                })
            }
            Self::Motion { motion } => {
                let seed = get(&motion.seed)?
                    .as_u64()
                    .ok_or_else(|| FillError::param(&motion.seed, "must be a whole number"))?;
                let frames = nearest(number(&motion.seconds)? * motion.fps);
                motion::portrait(seed, text(&motion.preset)?, frames)
                    .map(Value::from)
                    .ok_or_else(|| FillError::param(&motion.preset, "is none of the choices"))
            }
        }
    }
}

/// The nearest whole number; the ranges of the inputs keep it small and above zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "frames, thousands at most; a cast from f64 saturates"
)]
fn nearest(number: f64) -> u32 {
    (number + 0.5).floor() as u32
}

#[cfg(test)]
mod tests;
