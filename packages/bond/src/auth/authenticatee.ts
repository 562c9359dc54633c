import type { BondCrypto } from "../crypto/crypto-port.ts";
import { readU16 } from "../wire/byte-order.ts";
import { WireFault } from "../wire/wire-fault.ts";
import {
  type AuthenticationTarget,
  digestBytes,
  flagBytes,
  lockUs,
  maxFailures,
  maxRetries,
  type PeerAuthentication,
  retryUs,
  usesSessionKeyFlag,
} from "./authentication.ts";
import { EapCode, EapolFrame, EapolType, EapType, eapFrame, SrpSubtype, startFrame } from "./eapol.ts";
import { PassphraseExchange, srpHeader } from "./passphrase-exchange.ts";
import { isKnownGroup, SrpClient } from "./srp.ts";

/** Name and password of the calling end. */
export interface SrpCredentials {
  readonly username: string;
  readonly password: string;
  /** k and u padded as RFC 5054 says (librist from 0.2.16); default false, as librist up to 0.2.15. */
  readonly isPadded?: boolean;
}

/** Starts that were not answered follow each other at this distance after the first few. */
const slowRetryUs = 2_000_000;

/**
 * The calling end of EAP-SRP (TR-06-2 section 5.6): START, identity, A, M1, then M2 proves the server. It speaks version 3
 * and follows a server that challenges in version 2.
 */
export class Authenticatee implements PeerAuthentication {
  readonly isCaller = true;
  readonly #crypto: BondCrypto;
  readonly #credentials: SrpCredentials;
  readonly #target: AuthenticationTarget;
  readonly #hasOwnSecret: boolean;
  readonly #passphrases: PassphraseExchange;
  readonly #frame = new EapolFrame();
  #client: SrpClient | undefined;
  #version = 3;
  #isAuthenticated = false;
  #startedUs = Number.NEGATIVE_INFINITY;
  #starts = 0;
  #failures = 0;
  #lockedUntilUs = 0;

  /** @param secret the configured passphrase; absent: the session key encrypts (version 3) */
  constructor(
    crypto: BondCrypto,
    credentials: SrpCredentials,
    secret: Uint8Array | undefined,
    target: AuthenticationTarget,
  ) {
    this.#crypto = crypto;
    this.#credentials = credentials;
    this.#hasOwnSecret = secret !== undefined;
    this.#target = target;
    this.#passphrases = new PassphraseExchange(crypto, target, true, secret);
  }

  get isAuthenticated(): boolean {
    return this.#isAuthenticated;
  }

  restart(): void {
    this.#isAuthenticated = false;
    this.#client = undefined;
    this.#starts = 0;
    this.#startedUs = Number.NEGATIVE_INFINITY;
  }

  onTimer(nowUs: number): void {
    if (this.#isAuthenticated) {
      this.#passphrases.onTimer(nowUs);
      return;
    }
    const waitUs = this.#starts > maxRetries ? slowRetryUs : retryUs;
    if (nowUs < this.#lockedUntilUs || nowUs - this.#startedUs < waitUs) return;
    this.#startedUs = nowUs;
    this.#starts++;
    this.#target.send(startFrame(3));
  }

  take(bytes: Uint8Array, start: number, end: number, nowUs: number): boolean {
    const frame = this.#frame;
    if (frame.parse(bytes, start, end) !== WireFault.none || frame.type !== EapolType.eap) return false;
    if (frame.code === EapCode.failure) return this.#fail("the server refuses the name or password", nowUs);
    if (frame.code === EapCode.success) return true;
    if (nowUs < this.#lockedUntilUs) return false;
    // An exchange is under way: no new START meanwhile.
    this.#startedUs = nowUs;
    if (frame.code === EapCode.response) {
      const isAnswer = frame.subtype === SrpSubtype.passphrase && this.#isAuthenticated;
      return isAnswer && this.#version === 3 && this.#passphrases.take(frame, this.#client!.sessionKey);
    }
    if (frame.eapType === EapType.identity) {
      const name = new TextEncoder().encode(this.#credentials.username);
      this.#answer(Uint8Array.of(EapType.identity), name);
      return true;
    }
    if (frame.subtype === SrpSubtype.challenge) return this.#takeChallenge(nowUs);
    if (this.#client === undefined) return false;
    if (frame.subtype === SrpSubtype.serverKey) return this.#takeServerKey(nowUs);
    if (frame.subtype === SrpSubtype.serverValidator) return this.#takeServerProof(nowUs);
    if (frame.subtype !== SrpSubtype.passphrase || !this.#isAuthenticated) return false;
    this.#passphrases.answer(frame.identifier, this.#client.sessionKey);
    return true;
  }

  /** {name length, name, salt length, salt, g length, g, N}; no g is the 2048-bit group. */
  #takeChallenge(nowUs: number): boolean {
    const body = this.#frame.body();
    let at = 0;
    const read = (): Uint8Array | undefined => {
      if (at + 2 > body.length) return undefined;
      const length = readU16(body, at);
      at += 2 + length;
      return at > body.length ? undefined : body.subarray(at - length, at);
    };
    const name = read();
    const salt = read();
    const g = read();
    if (name === undefined || salt === undefined || g === undefined || salt.length === 0) return false;
    if (g.length > 0 && !isKnownGroup(g, body.subarray(at))) {
      return this.#fail("the server wants a group other than the 2048-bit one of RFC 5054", nowUs);
    }
    this.#version = this.#frame.version;
    const { username, password, isPadded = false } = this.#credentials;
    const variant = { hasZeroState: this.#version === 2, isPadded };
    this.#client = new SrpClient(this.#crypto, username, password, salt, variant);
    this.#answer(srpHeader(SrpSubtype.challenge), this.#client.publicKey);
    return true;
  }

  #takeServerKey(nowUs: number): boolean {
    const proof = this.#client!.prove(this.#frame.body());
    if (proof === undefined) return this.#fail("the server's key is no valid one", nowUs);
    const flags = new Uint8Array(flagBytes);
    if (this.#version === 3 && !this.#hasOwnSecret) flags[flagBytes - 1] = usesSessionKeyFlag;
    this.#answer(srpHeader(SrpSubtype.serverKey), flags, proof);
    return true;
  }

  #takeServerProof(nowUs: number): boolean {
    const body = this.#frame.body();
    const proof = body.subarray(flagBytes, flagBytes + digestBytes);
    if (!this.#client!.verify(proof)) return this.#fail("the server does not know the password", nowUs);
    const { identifier } = this.#frame;
    const { sessionKey } = this.#client!;
    if (this.#version === 3) {
      this.#target.send(eapFrame(3, EapCode.success, identifier, new Uint8Array(2)));
      const isEncrypted = (body[flagBytes - 1]! & usesSessionKeyFlag) !== 0;
      if (isEncrypted) this.#target.setPassphrase("receive", sessionKey);
      if (!this.#hasOwnSecret) this.#target.setPassphrase("send", sessionKey);
      if (!isEncrypted && !this.#hasOwnSecret) this.#passphrases.ask(nowUs);
    } else this.#answer(srpHeader(SrpSubtype.serverValidator));
    if (!this.#isAuthenticated) this.#target.onResult(true, this.#credentials.username);
    this.#isAuthenticated = true;
    this.#failures = 0;
    this.#starts = 0;
    return true;
  }

  #answer(...parts: Uint8Array[]): void {
    this.#target.send(eapFrame(this.#version, EapCode.response, this.#frame.identifier, ...parts));
  }

  #fail(reason: string, nowUs: number): boolean {
    this.restart();
    this.#version = 3;
    this.#startedUs = nowUs;
    this.#failures++;
    if (this.#failures >= maxFailures) {
      this.#failures = 0;
      this.#lockedUntilUs = nowUs + lockUs;
    }
    this.#target.onResult(false, reason);
    return false;
  }
}
