import { workerData } from "node:worker_threads";
import { runReadWorker } from "./node-read-pool.ts";

await runReadWorker(workerData);
