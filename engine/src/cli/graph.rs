//! `tidegate graph`: draws the pipeline of a configuration.

use super::exit::{Exit, Failure, output};
use super::pipeline::PipelineArgs;
use crate::config::{Draft, Settings};
use crate::plan::{Graph, Plan};
use crate::registries::Registries;
use clap::{Args, ValueEnum};
use flow::Kinds;
use std::io::Write;
use std::path::PathBuf;

/// Output format of the drawing.
#[derive(Clone, Copy, ValueEnum)]
enum FormatArg {
    Text,
    Dot,
    Mermaid,
    Json,
}

/// Options of `graph`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tidegate graph desk.toml\n  \
    tidegate graph --preset split --format dot | dot -Tsvg > pipeline.svg\n\
    The input files need not exist.")]
pub(crate) struct GraphArgs {
    /// Configuration file; the defaults if left out.
    config: Option<PathBuf>,
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Output format: text for people, Graphviz dot, Mermaid, or one JSON object.
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &GraphArgs, registries: &Registries) -> Result<Exit, Failure> {
    let draft = match &args.config {
        Some(path) => Draft::load(path, registries),
        None => Settings::of(registries.clone()).into(),
    };
    let settings = args.pipeline.apply(draft)?;
    let plan = flow::planned(|| Plan::build(&settings, settings.space(1), Kinds::NONE)).0?;
    let graph = Graph::of(&settings, &plan);
    let text = match args.format {
        FormatArg::Text => graph.text(),
        FormatArg::Dot => graph.dot(),
        FormatArg::Mermaid => graph.mermaid(),
        FormatArg::Json => graph.json() + "\n",
    };
    output(std::io::stdout().write_all(text.as_bytes()), Exit::Done)
}
