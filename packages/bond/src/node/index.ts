export { type InterfaceHint, interfaceOf, watchInterfaces } from "./interface-watch.ts";
export { IsolatedReceiver, IsolatedSender, type IsolationOptions } from "./isolated-link.ts";
export { nodeCrypto, nodeCryptoWithoutAllocation } from "./node-crypto.ts";
export { StatsPublisher, type StatsPublisherOptions } from "./stats-publisher.ts";
export { createReceiver, createSender, nodeEnvironment } from "./udp-ends.ts";
export { UdpSocket } from "./udp-socket.ts";
