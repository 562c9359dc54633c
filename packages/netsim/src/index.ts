export { NetsimError, type NetsimErrorCode } from "./errors.ts";
export { EventLog } from "./event-log.ts";
export {
  Experiment,
  type ExperimentAction,
  type ExperimentLink,
  type ExperimentOptions,
  type ExperimentReport,
} from "./experiment.ts";
export { ImpairedPath, ipUdpHeaderBytes, type PathCounters } from "./impaired-path.ts";
export { burstLoss, checkModel, type GilbertElliott, type LinkModel } from "./link-model.ts";
export { LinkTrace, type TraceSample, traceCsv } from "./link-trace.ts";
export { renderTrace } from "./render-trace.ts";
export { findScenario, type Scenario, scenarios } from "./scenarios.ts";
export { type TestStreamReport, TestStreamSink, testPayloadBytes, writeTestPayload } from "./test-stream.ts";
export { type DatagramObserver, type VirtualLink, VirtualNetwork } from "./virtual-network.ts";
