export {
  applyFmtp,
  type FmtpTarget,
  formatOpusFmtp,
  type OpusFmtp,
  parseOpusFmtp,
} from "./opus-fmtp.ts";
export { parseRed, type RedBlock, writeRed } from "./red.ts";
export {
  OpusRtpDepacketizer,
  type OpusRtpDepacketizerOptions,
  type OpusRtpHandler,
  rtpIgnored,
  rtpMalformed,
} from "./rtp-depacketizer.ts";
export { OpusRtpPacketizer, type OpusRtpPacketizerOptions, rtpHeaderBytes } from "./rtp-packetizer.ts";
