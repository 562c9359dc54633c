export type { SrpCredentials } from "./auth/authenticatee.ts";
export type { SrpOptions } from "./auth/link-authentication.ts";
export { createSrpVerifier, type SrpVerifier } from "./auth/srp.ts";
export {
  formatSrpLine,
  parseSrpFile,
  type SrpCredential,
  type SrpUsers,
  singleSrpUser,
} from "./auth/srp-users.ts";
export {
  type ConfigKey,
  configTables,
  configVersion,
  latencyProfiles,
  linkKeys,
  topKeys,
} from "./config/config-schema.ts";
export { type BondConfig, loadConfig, receiverOptionsOf, senderOptionsOf } from "./config/load-config.ts";
export { type BondCrypto, type CounterCipher, portableCrypto } from "./crypto/crypto-port.ts";
export { Sha256 } from "./crypto/sha256.ts";
export type { BondEnvironment, BondSocket, SocketRequest } from "./environment.ts";
export { BondError, type BondErrorCode } from "./errors.ts";
export {
  defaultLifecycle,
  type LifecycleOptions,
  type LinkState,
  type LinkTransition,
} from "./link/link-lifecycle.ts";
export type { RistProfile } from "./link/path.ts";
export type { NackFormat } from "./receiver/nack-writer.ts";
export type { ReceivedPacket } from "./receiver/packet-queue.ts";
export {
  createReceiverOn as createReceiver,
  type PacketHandler,
  type PacketInfo,
  type Receiver,
} from "./receiver/receiver.ts";
export type { ReceiverOptions } from "./receiver/receiver-options.ts";
export type { ReceiverLinkStats, ReceiverStats } from "./receiver/receiver-stats.ts";
export { defaultScheduler, type SchedulerMode, type SchedulerOptions } from "./sender/scheduler.ts";
export { maxPayloadBytes } from "./sender/send-buffer.ts";
export { createSenderOn as createSender, type Sender } from "./sender/sender.ts";
export type { SenderLinkOptions, SenderOptions } from "./sender/sender-options.ts";
export type { SenderLinkStats, SenderStats } from "./sender/sender-stats.ts";
export type { ReceiverSnapshot, SenderSnapshot } from "./stats/link-snapshot.ts";
export { renderPrometheus } from "./stats/prometheus.ts";
export {
  type BudgetState,
  type StatsRecord,
  StatsRecorder,
  type StatsSurroundings,
  statsSchemaVersion,
} from "./stats/stats-record.ts";
export { parseRistUri, type RistUri, redact } from "./wire/rist-uri.ts";
