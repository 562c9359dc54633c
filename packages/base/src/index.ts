export { type Clock, sleepUs, VirtualClock } from "./clock.ts";
export { crc32c } from "./crc32c.ts";
export type { DatagramSocket } from "./datagram-socket.ts";
export {
  BaseError,
  type ErrorKind,
  exitCodeOf,
  httpStatusOf,
  isLongwaveError,
  LongwaveError,
} from "./errors.ts";
export { type Hooks, type LogLevel, silentHooks } from "./hooks.ts";
export { HttpStore, type HttpStoreOptions } from "./http-store.ts";
export {
  checkKey,
  createObject,
  MemoryStore,
  type ObjectInfo,
  type ObjectStore,
  type ObjectWriter,
  type PutCondition,
  requireCondition,
  StoreError,
} from "./object-store.ts";
export type { OnnxRuntime, OnnxSession, OnnxTensor } from "./onnx-runtime.ts";
export {
  type OpfsDirectory,
  type OpfsFile,
  OpfsStore,
  type OpfsStoreOptions,
  type OpfsWritable,
  type StoreLocks,
} from "./opfs-store.ts";
export { type Random, SeededRandom } from "./random.ts";
export { SampleRing } from "./ring-buffer.ts";
export { S3Store, type S3StoreOptions } from "./s3/s3-store.ts";
export type { S3Credentials } from "./s3/sign-request.ts";
export {
  serveTasks,
  type TaskOutcome,
  TaskPool,
  type TaskPoolOptions,
  type TaskPort,
  type TaskWorker,
} from "./task-pool.ts";
