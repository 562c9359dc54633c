export { parseYaml, type YamlMap, type YamlValue } from "../config/yaml-subset.ts";
