/** Why a datagram or a part of it was refused. Parsers return one of these and never throw. */
export const WireFault = {
  none: 0,
  /** Shorter than its fixed part. */
  short: 1,
  /** A version field that this protocol does not have. */
  version: 2,
  /** Bits that must be zero are not. */
  reserved: 3,
  /** An EtherType, packet type or code that is unknown. */
  type: 4,
  /** A length field that points behind the end. */
  overrun: 5,
  /** Encrypted although no passphrase is set, clear although one is, or decrypted to nonsense. */
  key: 6,
} as const;

export type WireFault = (typeof WireFault)[keyof typeof WireFault];

/** Names of the faults, by number, for counters and logs. */
export const wireFaultNames: readonly string[] = Object.keys(WireFault);
