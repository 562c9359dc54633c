export { impairmentCommands, type SystemAbilities, type SystemCommand } from "./impairment-commands.ts";
export {
  type NamespaceEnd,
  NamespaceLink,
  type NamespaceLinkOptions,
  NetworkNamespaces,
} from "./network-namespaces.ts";
export { UdpProxy, type UdpProxyOptions } from "./udp-proxy.ts";
