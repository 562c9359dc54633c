/* libopusfile's op_pcm_seek: time of a seek and one second of reading, and whether the samples are those of the sequential
   decode. usage: seek-peer FILE ROUNDS; prints: median ms, p95 ms, wrong, rounds. */
#include <opusfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static long read_frames(OggOpusFile *file, opus_int16 *into, long frames) {
  long done = 0;
  while (done < frames) {
    int count = op_read_stereo(file, into + 2 * done, (int)(2 * (frames - done) > 11520 ? 11520 : 2 * (frames - done)));
    if (count <= 0) break;
    done += count;
  }
  return done;
}

int main(int argc, char **argv) {
  OggOpusFile *file = argc == 3 ? op_open_file(argv[1], NULL) : NULL;
  if (!file) return 1;
  int rounds = atoi(argv[2]);
  long frames = (long)op_pcm_total(file, -1);
  opus_int16 *all = malloc(4 * (size_t)frames), second[2 * 48000];
  double *times = malloc(sizeof(double) * rounds);
  op_set_dither_enabled(file, 0);
  if (!all || !times || read_frames(file, all, frames) != frames) return 1;
  unsigned state = 7;
  int wrong = 0;
  for (int i = 0; i < rounds; i++) {
    state = state * 1664525u + 1013904223u;
    long from = (long)((double)state / 4294967296.0 * (frames - 48000));
    double began = now();
    if (op_pcm_seek(file, from) != 0 || read_frames(file, second, 48000) != 48000) return 1;
    times[i] = now() - began;
    if (memcmp(second, all + 2 * from, sizeof second)) wrong++;
  }
  qsort(times, rounds, sizeof(double), by_size);
  printf("%f %f %d %d\n", times[rounds / 2], times[rounds * 95 / 100], wrong, rounds);
  return 0;
}
