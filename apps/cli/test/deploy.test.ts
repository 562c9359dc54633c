import { existsSync, readFileSync } from "node:fs";
import { repositoryPath } from "@longwave/testkit";
import { parseYaml } from "@longwave/tts";
import { expect, test } from "vitest";
import { settingDefinitions } from "../src/config.ts";
import { jobsDefinitions } from "../src/jobs/jobs-settings.ts";

const read = (path: string) => readFileSync(repositoryPath(path), "utf8");
const isSetting = (variable: string) => {
  const name = variable.replace("LONGWAVE_", "").toLowerCase();
  return name.startsWith("jobs_")
    ? Object.hasOwn(jobsDefinitions, name.slice(5))
    : Object.hasOwn(settingDefinitions, name);
};

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Record<string, never>;
}

/** What Kubernetes' own schemas ask of these kinds, as far as a server would refuse the manifest without it. */
const required: Readonly<Record<string, { apiVersion: string; spec: readonly string[] }>> = {
  Service: { apiVersion: "v1", spec: ["selector", "ports"] },
  StatefulSet: { apiVersion: "apps/v1", spec: ["serviceName", "selector", "template"] },
};

test("the manifests have what Kubernetes requires, and their parts fit together", () => {
  const { kind, items } = JSON.parse(read("deploy/kubernetes/station.json")) as {
    kind: string;
    items: Manifest[];
  };
  expect(kind).toBe("List");
  for (const item of items) {
    const schema = required[item.kind];
    expect(schema, item.kind).toBeDefined();
    expect(item.apiVersion).toBe(schema!.apiVersion);
    expect(item.metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
    for (const field of schema!.spec) expect(item.spec, `${item.kind}.${field}`).toHaveProperty(field);
  }
  const service = items.find((item) => item.kind === "Service")!.spec as unknown as {
    selector: object;
    ports: { targetPort: string }[];
  };
  const set = items.find((item) => item.kind === "StatefulSet")!.spec as unknown as {
    serviceName: string;
    selector: { matchLabels: object };
    template: {
      metadata: { labels: object };
      spec: {
        terminationGracePeriodSeconds: number;
        containers: {
          ports: { name: string; containerPort: number }[];
          env: { name: string }[];
          volumeMounts: { name: string; mountPath: string }[];
          [probe: string]: unknown;
        }[];
        volumes: { name: string }[];
      };
    };
    volumeClaimTemplates: { metadata: { name: string } }[];
  };
  const { labels } = set.template.metadata;
  expect(set.selector.matchLabels).toEqual(labels);
  expect(service.selector).toEqual(labels);
  expect(items.map((item) => item.metadata.name)).toContain(set.serviceName);
  const [container] = set.template.spec.containers;
  const ports = container!.ports.map(({ name }) => name);
  for (const { targetPort } of service.ports) expect(ports).toContain(targetPort);
  const volumes = [...set.template.spec.volumes, ...set.volumeClaimTemplates.map((each) => each.metadata)];
  for (const { name } of container!.volumeMounts) expect(volumes.map((each) => each.name)).toContain(name);
  for (const { name } of container!.env) expect(isSetting(name), name).toBe(true);
  const reference = read("docs/reference/http.md");
  for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
    const { httpGet } = container![probe] as { httpGet: { path: string; port: string } };
    expect(reference, probe).toContain(`### GET ${httpGet.path}\n`);
    expect(ports).toContain(httpGet.port);
  }
});

test("the container and the compose file use settings, commands and paths that exist", () => {
  const docker = read("deploy/Dockerfile");
  const compose = read("deploy/compose.yaml");
  const variables = [...`${docker}${compose}`.matchAll(/\bLONGWAVE_[A-Z]+/g)].map(([name]) => name);
  expect(variables.length).toBeGreaterThan(4);
  for (const name of variables) expect(isSetting(name), name).toBe(true);
  const reference = read("docs/reference/cli.md");
  for (const [, command] of docker.matchAll(/"apps\/cli\/dist\/main\.js", "(\w+)"/g)) {
    expect(reference).toContain(`## longwave ${command}\n`);
  }
  expect(reference).toContain(`## longwave ${/^CMD \["(\w+)"\]$/m.exec(docker)?.[1]}\n`);
  const stages = [...docker.matchAll(/^FROM \S+ AS (\w+)$/gm)].map(([, name]) => name);
  for (const [, from] of docker.matchAll(/--from=(\w+)/g)) expect(stages).toContain(from);
  const named = /dockerfile: (\S+)/.exec(compose)?.[1];
  expect(existsSync(repositoryPath(named!))).toBe(true);
  const data = /^VOLUME (\S+)$/m.exec(docker)?.[1];
  expect(compose).toContain(`data:${data}\n`);
  expect(docker).toContain(`LONGWAVE_ARCHIVE=${data}/`);
});

test("the workers' manifest names settings, commands and volumes that exist", () => {
  const { kind, apiVersion, spec } = JSON.parse(read("deploy/kubernetes/workers.json"));
  expect([kind, apiVersion]).toEqual(["Deployment", "apps/v1"]);
  const { metadata, spec: pod } = spec.template;
  expect(metadata.labels).toEqual(spec.selector.matchLabels);
  const [container] = pod.containers;
  for (const { name } of container.env) expect(isSetting(name), name).toBe(true);
  expect(read("docs/reference/cli.md")).toContain(`### longwave ${container.args.join(" ")}\n`);
  const volumes = pod.volumes.map(({ name }: { name: string }) => name);
  for (const { name } of container.volumeMounts) expect(volumes).toContain(name);
});

/** The keys of the Compose specification that we use, and what each holds: a typing error fails here without its schema. */
const composeKeys: Readonly<Record<string, RegExp>> = {
  build: /^\{"context":".*","dockerfile":".*"\}$/,
  image: /^"[a-z][a-z0-9./:-]*"$/,
  init: /^(true|false)$/,
  restart: /^"(no|always|on-failure|unless-stopped)"$/,
  stop_grace_period: /^"\d+s"$/,
  ports: /^\["(\d+\.){3}\d+:\d+:\d+\/(tcp|udp)"|"\d+:\d+\/(tcp|udp)"/,
  command: /^\["/,
  depends_on: /^\["/,
  environment: /^\{"/,
  volumes: /^\["[^"]+:\/[^"]+"/,
  healthcheck: /^\{"disable":true\}$/,
  mem_limit: /^"\d+[mg]"$/,
  cpus: /^[\d.]+$/,
};

test("the compose files use keys of the specification, and services and volumes that they define", () => {
  for (const name of ["compose.yaml", "compose.workers.yaml"]) {
    const file = parseYaml(read(`deploy/${name}`), name) as {
      services: Record<string, Record<string, unknown>>;
      volumes: Record<string, unknown>;
    };
    expect(Object.keys(file), name).toEqual(["services", "volumes"]);
    for (const [service, values] of Object.entries(file.services)) {
      for (const [key, value] of Object.entries(values)) {
        expect(composeKeys[key], `${service}.${key}`).toBeDefined();
        expect(JSON.stringify(value), `${service}.${key}`).toMatch(composeKeys[key]!);
      }
      for (const other of (values["depends_on"] ?? []) as string[])
        expect(file.services).toHaveProperty(other);
      for (const volume of (values["volumes"] ?? []) as string[])
        if (!volume.startsWith(".")) expect(file.volumes).toHaveProperty(volume.split(":")[0]!);
      for (const variable of Object.keys((values["environment"] ?? {}) as object))
        expect(isSetting(variable), variable).toBe(true);
    }
  }
});

/** Every instruction of the Dockerfile reference. */
const instructions = new Set(
  (
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER " +
    "VOLUME WORKDIR"
  ).split(" "),
);

test("the Dockerfile has the form of the Dockerfile reference", () => {
  const joined = read("deploy/Dockerfile")
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .replaceAll(/\\\n\s*/g, " ");
  const lines = joined.split("\n").filter((line) => line.trim() !== "");
  expect(lines[0]).toMatch(/^FROM /);
  const words = lines.map((line) => /^([A-Z]+) (.+)$/.exec(line)!.slice(1, 3) as [string, string]);
  for (const [instruction, rest] of words) {
    expect(instructions.has(instruction), instruction).toBe(true);
    // Forms for exec are JSON: single quotes would be run by a shell.
    const list = /^(?:--\S+ )*(?:CMD )?(\[.*)$/.exec(rest)?.[1];
    if (list !== undefined)
      expect(
        JSON.parse(list).every((word: unknown) => typeof word === "string"),
        rest,
      ).toBe(true);
    if (instruction === "EXPOSE") expect(rest).toMatch(/^\d+\/(tcp|udp)$/);
    if (instruction === "FROM") expect(rest).toMatch(/^[a-z0-9./:-]+(@sha256:[0-9a-f]{64})?( AS [a-z]+)?$/);
    if (instruction === "ENV") expect(rest).toMatch(/^([A-Z_]+=\S+\s*)+$/);
  }
  const last = (name: string) => words.findLast(([instruction]) => instruction === name)?.[1];
  expect(last("USER")).toBe("node");
  const compose = parseYaml(read("deploy/compose.yaml")) as { services: { station: { ports: string[] } } };
  const exposed = words.filter(([instruction]) => instruction === "EXPOSE").map(([, port]) => port);
  for (const port of compose.services.station.ports) expect(exposed).toContain(port.split(":").at(-1));
});
