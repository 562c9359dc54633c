import { existsSync, readFileSync } from "node:fs";
import { repositoryPath } from "@longwave/testkit";
import { expect, test } from "vitest";
import { settingDefinitions } from "../src/config.ts";

const read = (path: string) => readFileSync(repositoryPath(path), "utf8");
const isSetting = (variable: string) =>
  Object.hasOwn(settingDefinitions, variable.replace("LONGWAVE_", "").toLowerCase());

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
