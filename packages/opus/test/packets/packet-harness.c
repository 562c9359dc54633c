/* Runs libopus on requests from stdin, for packets.test.ts. A request is: op, a, b, size (u32 little-endian each), then size
 * bytes. The answer is a result (i32), a count (u32) of bytes, and the bytes. */
#include <opus/opus.h>
#include <opus/opus_multistream.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char in[1 << 20], out[1 << 20];

static void answer(int32_t result, uint32_t count) {
  fwrite(&result, 4, 1, stdout);
  fwrite(&count, 4, 1, stdout);
  fwrite(out, 1, count, stdout);
}

int main(void) {
  uint32_t head[4];
  OpusRepacketizer *rp = opus_repacketizer_create();
  while (fread(head, 4, 4, stdin) == 4) {
    uint32_t op = head[0], a = head[1], b = head[2], size = head[3];
    if (size > sizeof(in) || fread(in, 1, size, stdin) != size) return 1;
    if (op == 0) { /* parse: frame lengths as u16 */
      unsigned char toc;
      const unsigned char *frames[48];
      opus_int16 lengths[48];
      int offset;
      int count = opus_packet_parse(in, size, &toc, frames, lengths, &offset);
      if (count > 0) memcpy(out, lengths, 2 * count);
      answer(count, count > 0 ? 2 * count : 0);
    } else if (op == 1) { /* pad to a */
      memcpy(out, in, size);
      int result = opus_packet_pad(out, size, a);
      answer(result, result == OPUS_OK ? a : 0);
    } else if (op == 2) { /* unpad */
      memcpy(out, in, size);
      int result = opus_packet_unpad(out, size);
      answer(result, result > 0 ? result : 0);
    } else if (op == 3) { /* repacketize: packets with u32 lengths in front; frames a to b */
      uint32_t at = 0, length;
      int result = OPUS_OK;
      opus_repacketizer_init(rp);
      while (at + 4 <= size && result == OPUS_OK) {
        memcpy(&length, in + at, 4);
        result = opus_repacketizer_cat(rp, in + at + 4, length);
        at += 4 + length;
      }
      if (result == OPUS_OK) result = opus_repacketizer_out_range(rp, a, b, out, sizeof(out));
      answer(result, result > 0 ? result : 0);
    } else if (op == 4) { /* multistream pad of b streams to a */
      memcpy(out, in, size);
      int result = opus_multistream_packet_pad(out, size, a, b);
      answer(result, result == OPUS_OK ? a : 0);
    } else if (op == 5) { /* multistream unpad of b streams */
      memcpy(out, in, size);
      int result = opus_multistream_packet_unpad(out, size, b);
      answer(result, result > 0 ? result : 0);
    } else if (op == 6) { /* duration at rate a */
      answer(opus_packet_get_nb_samples(in, size, a), 0);
    }
  }
  return 0;
}
