// The arrows of docs/design/architecture.md as rules.
const arrows = {
  base: [],
  kernels: ["base"],
  dsp: ["base", "kernels"],
  media: ["base", "dsp"],
  opus: ["base", "kernels"],
  archive: ["base", "kernels", "media"],
  fingerprint: ["base", "kernels", "dsp"],
  catalog: ["base", "fingerprint"],
  bond: ["base"],
  netsim: ["base", "bond"],
  tts: ["base", "kernels", "dsp", "media"],
  station: [
    "base",
    "kernels",
    "dsp",
    "media",
    "opus",
    "archive",
    "fingerprint",
    "catalog",
    "bond",
    "netsim",
    "tts",
  ],
};

const packageRules = Object.entries(arrows).map(([name, allowed]) => ({
  name: `arrows-of-${name}`,
  comment: `${name} may import ${allowed.join(", ") || "nothing"} and nothing else of Longwave.`,
  severity: "error",
  from: { path: `^packages/${name}/src/` },
  to: {
    path: "^(packages|apps|testkit|bench|examples)/",
    pathNot: [name, ...allowed].map((each) => `^packages/${each}/src/`),
  },
}));

export default {
  forbidden: [
    ...packageRules,
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "nobody-imports-apps",
      severity: "error",
      from: { path: "^(packages|testkit|bench)/" },
      to: { path: "^apps/" },
    },
    {
      name: "node-only-in-node-folders",
      comment: "Libraries run in browsers: node: imports belong to src/node/ and apps/.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/", pathNot: "^packages/[^/]+/src/node/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "only-public-doors",
      comment: "Other packages are entered through their exports only.",
      severity: "error",
      from: { path: "^((?:packages|apps)/[^/]+)/" },
      to: { path: "^packages/[^/]+/src/", pathNot: ["/index[.]ts$", "^$1/"] },
    },
    {
      name: "resolvable",
      severity: "error",
      from: { path: "^(packages|apps)/[^/]+/src/" },
      to: { couldNotResolve: true, pathNot: "/generated/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/(dist|generated|node_modules|assembly)/" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["longwave-source", "import", "node", "default"],
      extensions: [".ts", ".tsx", ".mjs", ".js"],
    },
  },
};
