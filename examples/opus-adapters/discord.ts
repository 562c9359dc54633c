// What a bot does: 16-bit sound in Buffers to packets and back, with one packet lost on the way.
import { OpusEncoder } from "@longwave/opus/discord";

const sender = new OpusEncoder(48000, 2);
const receiver = new OpusEncoder(48000, 2);
sender.setBitrate(64000);
sender.applyEncoderCTL(4024, 3001); // OPUS_SET_SIGNAL: voice
sender.applyEncoderCTL(4012, 1); // in-band FEC
sender.applyEncoderCTL(4014, 20); // expected loss, percent

const packets = Array.from({ length: 25 }, (_, packet) => {
  const pcm = Buffer.alloc(960 * 4);
  for (let i = 0; i < 1920; i++) pcm.writeInt16LE(8000 * Math.sin((packet * 960 + (i >> 1)) / 40), 2 * i);
  return sender.encode(pcm);
});

let heard = 0;
packets.forEach((packet, i) => {
  if (i === 11) return; // lost
  if (i === 12) heard += receiver.conceal(960, packet).length; // recovered from the packet behind it
  heard += receiver.decode(packet).length;
});
console.log(`${heard / 4} frames heard of ${packets.length * 960}`);
