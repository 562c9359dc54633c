/** What an exchange asks of the link that it runs over. */
export interface AuthenticationTarget {
  /** Sends one EAPOL frame to the peer. */
  send(frame: Uint8Array): void;
  /** From now on what this end sends, or receives, is encrypted under this passphrase. */
  setPassphrase(direction: "send" | "receive", passphrase: Uint8Array): void;
  /** Tells once per exchange how it ended. */
  onResult(isSuccess: boolean, reason: string): void;
}

/** Either end of EAP-SRP on one link. Until `isAuthenticated` nothing but its frames may pass. */
export interface PeerAuthentication {
  readonly isAuthenticated: boolean;
  /** The calling end: it reports before it is admitted, because librist makes no state for a peer that only authenticates. */
  readonly isCaller: boolean;
  /** Takes one EAPOL frame `bytes[start, end)`; returns false where it is malformed or out of place. */
  take(bytes: Uint8Array, start: number, end: number, nowUs: number): boolean;
  /** Repeats what was not answered; call it every 10 to 100 ms. */
  onTimer(nowUs: number): void;
  /** The peer is another one, or starts over. */
  restart(nowUs: number): void;
}

/** An unanswered frame is repeated after this time, so often (TR-06-2 leaves it open; librist's numbers). */
export const retryUs = 500_000;
export const maxRetries = 5;
/** Failed exchanges until a peer has to wait, and how long. */
export const maxFailures = 3;
export const lockUs = 60_000_000;
/** Proofs and keys inside frames are SHA-256 digests behind four bytes of flags. */
export const digestBytes = 32;
export const flagBytes = 4;
/** Flag (of the fourth byte) of M1 and M2: what I send from now on is encrypted under the session key. */
export const usesSessionKeyFlag = 0x01;
