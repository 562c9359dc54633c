import type { Command } from "commander";
import { download, exportGraphs, listModels, verify } from "../speech/model.ts";

/** `longwave model`: get and check models of the native speech engine. */
export function registerModel(program: Command): void {
  const model = program.command("model").description("list, download, export and verify speech models");

  model
    .command("list")
    .description("list the models that can be downloaded")
    .option("--json", "one JSON object")
    .action(listModels);

  model
    .command("download")
    .description("download a model; goes on where it broke off, checks every sum")
    .argument("[name]", "the model; see longwave model list", "english")
    .option("--out-dir <directory>", "where models are kept", "models")
    .option("--hf-repo <owner/name>", "repository of the weights, where it is not the publisher's")
    .option("--hf-token <token>", "token of the hub (or HF_TOKEN), for the weights with voice cloning")
    .option("--voice <name...>", "predefined voices to fetch; default the model's own")
    .option("--json", "one JSON object")
    .action(download);

  model
    .command("export")
    .description("write a model as ONNX graphs that use its weights where they are")
    .requiredOption("--models-dir <directory>", "the model's folder")
    .option("--out-dir <directory>", "where the graphs go; default the model's folder")
    .option("--int8", "quantise the language model's projections to 8 bits")
    .option("--json", "one JSON object")
    .action(exportGraphs);

  model
    .command("verify")
    .description(
      "one pass through every module, and every voice of the manifest (exit code 3 on any failure)",
    )
    .argument("<directory>", "the model's folder")
    .option("--json", "one JSON object")
    .action(verify);
}
