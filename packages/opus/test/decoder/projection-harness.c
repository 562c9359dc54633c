/* Encodes ambisonics with libopus' projection encoder (mapping family 3, RFC 8486) and decodes the packets with its
 * projection decoder. Usage: projection-harness OUT CHANNELS celt|silk BITRATE < PCM (16-bit, interleaved, 48 kHz)
 * The projection encoder always takes CELT; for "silk" the same streams come from the multistream encoder, unmixed, so that
 * the decoders' integer arithmetic and the matrix can be compared exactly.
 * Writes OUT.packets: u32 size and an OpusHead with the demixing matrix, then per packet u32 size, u32 final range of the
 * decoder, bytes (little-endian); OUT.int16 and OUT.float: the two decodes, raw. */
#include <opus/opus.h>
#include <opus/opus_multistream.h>
#include <opus/opus_projection.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { frames = 960, most_channels = 38 };

static opus_int16 in[frames * most_channels], shorts[frames * most_channels];
static float floats[frames * most_channels];
static unsigned char head[21 + 2 * most_channels * most_channels], packet[1275 * most_channels];

static FILE *output(const char *stem, const char *extension) {
  char path[4096];
  snprintf(path, sizeof(path), "%s.%s", stem, extension);
  FILE *file = fopen(path, "wb");
  if (file == NULL) exit(3);
  return file;
}

static void put32(FILE *file, uint32_t value) {
  unsigned char bytes[4] = {value & 255, value >> 8 & 255, value >> 16 & 255, value >> 24};
  fwrite(bytes, 1, 4, file);
}

int main(int count, char **arguments) {
  if (count != 5) return 2;
  int channels = atoi(arguments[2]), streams, coupled, error;
  OpusProjectionEncoder *encoder = opus_projection_ambisonics_encoder_create(
      48000, channels, 3, &streams, &coupled, OPUS_APPLICATION_AUDIO, &error);
  if (error != OPUS_OK) return 4;
  opus_projection_encoder_ctl(encoder, OPUS_SET_BITRATE(atoi(arguments[4])));
  unsigned char mapping[most_channels];
  for (int i = 0; i < most_channels; i++) mapping[i] = i;
  OpusMSEncoder *speech = opus_multistream_encoder_create(
      48000, streams + coupled, streams, coupled, mapping, OPUS_APPLICATION_VOIP, &error);
  if (error != OPUS_OK) return 4;
  opus_multistream_encoder_ctl(speech, OPUS_SET_BITRATE(atoi(arguments[4])));
  opus_multistream_encoder_ctl(speech, OPUS_SET_BANDWIDTH(OPUS_BANDWIDTH_WIDEBAND));
  opus_multistream_encoder_ctl(speech, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
  int silk = strcmp(arguments[3], "silk") == 0;
  if (silk && streams + coupled != channels) return 4;
  opus_int32 matrix_size, pre_skip;
  opus_projection_encoder_ctl(encoder, OPUS_PROJECTION_GET_DEMIXING_MATRIX_SIZE(&matrix_size));
  opus_projection_encoder_ctl(encoder, OPUS_PROJECTION_GET_DEMIXING_MATRIX(head + 21, matrix_size));
  opus_projection_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(&pre_skip));
  memcpy(head, "OpusHead", 8);
  head[8] = 1;
  head[9] = channels;
  head[10] = pre_skip & 255;
  head[11] = pre_skip >> 8;
  head[12] = 48000 & 255;
  head[13] = 48000 >> 8;
  head[18] = 3;
  head[19] = streams;
  head[20] = coupled;

  OpusProjectionDecoder *to_shorts =
      opus_projection_decoder_create(48000, channels, streams, coupled, head + 21, matrix_size, &error);
  OpusProjectionDecoder *to_floats =
      opus_projection_decoder_create(48000, channels, streams, coupled, head + 21, matrix_size, &error);
  if (error != OPUS_OK) return 5;
  FILE *packets = output(arguments[1], "packets");
  FILE *short_file = output(arguments[1], "int16");
  FILE *float_file = output(arguments[1], "float");
  put32(packets, 21 + matrix_size);
  fwrite(head, 1, 21 + matrix_size, packets);
  while (fread(in, 2 * channels, frames, stdin) == frames) {
    int size = silk ? opus_multistream_encode(speech, in, frames, packet, sizeof(packet))
                    : opus_projection_encode(encoder, in, frames, packet, sizeof(packet));
    if (size < 0) return 6;
    if (opus_projection_decode(to_shorts, packet, size, shorts, frames, 0) != frames) return 7;
    if (opus_projection_decode_float(to_floats, packet, size, floats, frames, 0) != frames) return 7;
    opus_uint32 range;
    opus_projection_decoder_ctl(to_shorts, OPUS_GET_FINAL_RANGE(&range));
    put32(packets, size);
    put32(packets, range);
    fwrite(packet, 1, size, packets);
    fwrite(shorts, 2 * channels, frames, short_file);
    fwrite(floats, 4 * channels, frames, float_file);
  }
  fclose(packets);
  fclose(short_file);
  fclose(float_file);
  return 0;
}
