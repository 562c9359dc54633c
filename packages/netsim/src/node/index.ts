export { UdpProxy, type UdpProxyOptions } from "./udp-proxy.ts";
