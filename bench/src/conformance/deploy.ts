// npm run conformance -- deploy [--compose-schema FILE] [--kubernetes-models FOLDER]: the files of deploy/ beside official schemas.
// Neither schema is part of this repository. compose-spec.json is the folder schema/ of github.com/compose-spec/compose-spec (Apache-2.0);
// kubernetes-models (MIT) holds the schemas of Kubernetes' OpenAPI, and ajv beside it judges both:
//   mkdir /tmp/models && cd /tmp/models && npm init -y && npm install --ignore-scripts kubernetes-models
//   npm run conformance -- deploy --compose-schema compose-spec.json --kubernetes-models /tmp/models/node_modules
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseYaml } from "@longwave/tts";

const root = fileURLToPath(new URL("../../../deploy/", import.meta.url));
const option = (name: string, variable: string) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? process.env[variable] : process.argv[at + 1];
};
const composeSchema = option("--compose-schema", "LONGWAVE_COMPOSE_SCHEMA");
const models = option("--kubernetes-models", "LONGWAVE_KUBERNETES_MODELS");
let failures = 0;

function row(what: string, problems: readonly string[]): void {
  if (problems.length > 0) failures++;
  console.log(`${what}: ${problems.length === 0 ? "fits" : `DOES NOT FIT\n  ${problems.join("\n  ")}`}`);
}

interface Ajv {
  compile(
    schema: object,
  ): ((value: unknown) => boolean) & { errors?: readonly { instancePath: string; message: string }[] };
}

if (composeSchema === undefined || models === undefined || !existsSync(join(models, "ajv"))) {
  console.log("compose files: skipped, name --compose-schema and --kubernetes-models (for ajv)");
} else {
  const { default: AjvOfSchema } = createRequire(import.meta.url)(join(models, "ajv")) as {
    default: new (options: object) => Ajv;
  };
  const ajv = new AjvOfSchema({ strict: false, allErrors: true, validateFormats: false });
  const schema = {
    ...JSON.parse(readFileSync(composeSchema, "utf8")),
    $schema: "http://json-schema.org/draft-07/schema#",
  };
  const fits = ajv.compile(schema);
  const judge = (value: unknown) =>
    fits(value) ? [] : (fits.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  if (judge({ services: { a: { imagine: "b" } } }).length === 0)
    row("a compose file with an unknown key", ["it fits"]);
  for (const name of readdirSync(root).filter((each) => each.endsWith(".yaml")))
    row(`deploy/${name}`, judge(parseYaml(readFileSync(join(root, name), "utf8"), name)));
}

if (models === undefined) console.log("Kubernetes manifests: skipped, name --kubernetes-models");
else {
  for (const file of readdirSync(join(root, "kubernetes"))) {
    const whole = JSON.parse(readFileSync(join(root, "kubernetes", file), "utf8"));
    for (const manifest of whole.kind === "List" ? whole.items : [whole])
      row(`deploy/kubernetes/${file}, ${manifest.kind}`, await problemsOf(manifest));
  }
  const wrong = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "a" },
    spec: { ports: [{ port: "x" }] },
  };
  if ((await problemsOf(wrong)).length === 0) row("a service with a bad port", ["it fits"]);
}
process.exitCode = failures === 0 ? 0 : 1;

async function problemsOf(manifest: { apiVersion: string; kind: string }): Promise<string[]> {
  const { apiVersion, kind } = manifest;
  const path = join(models!, "kubernetes-models", apiVersion, `${kind}.js`);
  if (!existsSync(path)) return [`there is no ${kind} in ${apiVersion}`];
  const { [kind]: Model } = (await import(pathToFileURL(path).href)) as Record<
    string,
    new (
      value: object,
    ) => { validate(): void }
  >;
  try {
    new Model!(manifest).validate();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}
