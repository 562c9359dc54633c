"""Read Longwave archives from Python: the Zarr v2 codec "longwave-opus", over the libopus of the system.

    import zarr, longwave_opus
    pcm = zarr.open("archive/rec/<id>/pcm", mode="r")     # imported with --v2-compat
    second = pcm[48000:96000]

Against Longwave's own decoder the samples are equal for SILK and differ by at most 1 elsewhere on sound that is not
clipped: builds of libopus round differently. A chunk that starts from a stored decoder state (bit 4 of its flags) is
approximate at its head, because libopus cannot load that state.

Layout of a chunk: docs/design/archive.md. Needs numpy, numcodecs and libopus; licence: MIT.
"""

import ctypes
import ctypes.util
import struct
import zlib

import numpy
from numcodecs.abc import Codec
from numcodecs.registry import register_codec

_opus = ctypes.CDLL(ctypes.util.find_library("opus") or "libopus.so.0")
_opus.opus_decoder_create.restype = ctypes.c_void_p
_opus.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
_SET_GAIN, _RESET_STATE = 4034, 4028
_LOSS, _SEGMENT, _END_TRIM = 1, 2, 3


def _varints(data, count):
    values, at = [], 0
    for _ in range(count):
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        values.append(value)
    return values


def _frames(packet):
    """Sample frames at 48 kHz by the first bytes of a packet (RFC 6716 section 3.1)."""
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        size = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:
        size = (480, 960)[config & 1]
    else:
        size = 120 << (config & 3)
    return size * (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 0)[code]


class LongwaveOpus(Codec):
    codec_id = "longwave-opus"

    def __init__(self, format=1, profile="opus-1", segments=((0, 0),), chunk_frames=0):
        if format != 1:
            raise ValueError(f"chunk format {format} is not known")
        self.format, self.profile, self.segments, self.chunk_frames = format, profile, segments, chunk_frames

    def encode(self, buf):
        raise NotImplementedError("archives are written by Longwave")

    def decode(self, buf, out=None):
        data = bytes(memoryview(buf).cast("B"))
        if data[:4] != b"LWOC" or data[4] != 1:
            raise ValueError("this is no chunk of format 1")
        compression, channels = data[6], data[7]
        pre_count, own_count = struct.unpack_from("<II", data, 8)
        first_packet, _ = struct.unpack_from("<QQ", data, 16)
        trim_head, valid = struct.unpack_from("<II", data, 32)
        sizes = struct.unpack_from("<5I", data, 40)
        sections, at = [], 72
        for number, size in enumerate(sizes):
            section = data[at : at + size]
            sections.append(zlib.decompress(section, -15) if number < 4 and compression in (1, 3, 4, 5) and size else section)
            at += size
        lengths = _varints(sections[0], pre_count + own_count)
        events = {}
        for at in range(0, len(sections[2]), 16):
            packet, kind, a, b = struct.unpack_from("<IBxxxII", sections[2], at)
            events.setdefault(packet, []).append((kind, a, b))
        pcm = self._decode(sections[4], lengths, events, channels, pre_count, first_packet, trim_head, valid)
        # The last chunk is filled up: Zarr version 2 wants every chunk whole.
        result = pcm.tobytes().ljust(2 * channels * self.chunk_frames, b"\0")
        if out is not None:
            target = numpy.frombuffer(memoryview(out).cast("B"), dtype=numpy.uint8)
            target[:] = 0
            target[: len(result)] = numpy.frombuffer(result, dtype=numpy.uint8)
            return out
        return result

    def _decode(self, packets, lengths, events, channels, pre_count, first_packet, trim_head, valid):
        error = ctypes.c_int()
        decoder = _opus.opus_decoder_create(48000, channels, ctypes.byref(error))
        if error.value != 0:
            raise RuntimeError(f"libopus: error {error.value}")
        block = numpy.zeros(5760 * channels, dtype=numpy.int16)
        pointer = block.ctypes.data_as(ctypes.c_void_p)
        pieces, at, skip, left = [], 0, trim_head, valid
        try:
            self._gain(decoder, first_packet - pre_count)
            for number, length in enumerate(lengths):
                packet = packets[at : at + length]
                at += length
                loss = trim = 0
                for kind, a, b in events.get(number, ()):
                    if kind == _LOSS:
                        loss = a
                    elif kind == _END_TRIM:
                        trim = a
                    elif kind == _SEGMENT:
                        _opus.opus_decoder_ctl(ctypes.c_void_p(decoder), _RESET_STATE)
                        self._gain(decoder, first_packet - pre_count + number)
                        if number > pre_count:
                            skip = a
                frames = loss or _frames(packet)
                got = -1
                if not loss:
                    got = _opus.opus_decode(ctypes.c_void_p(decoder), packet, length, pointer, 5760, 0)
                if got < 0:
                    got = _opus.opus_decode(ctypes.c_void_p(decoder), None, 0, pointer, frames, 0)
                if number < pre_count:
                    continue
                cut = min(skip, frames)
                skip -= cut
                kept = block[cut * channels : (frames - trim) * channels].reshape(-1, channels)[:left]
                left -= len(kept)
                pieces.append(kept.copy())
        finally:
            _opus.opus_decoder_destroy(decoder)
        return numpy.concatenate(pieces) if pieces else numpy.zeros((0, channels), dtype=numpy.int16)

    def _gain(self, decoder, packet):
        gain = 0
        for first, q8 in self.segments:
            if first <= packet:
                gain = q8
        _opus.opus_decoder_ctl(ctypes.c_void_p(decoder), _SET_GAIN, ctypes.c_int(gain))


register_codec(LongwaveOpus)
