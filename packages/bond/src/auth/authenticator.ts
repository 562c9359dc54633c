import type { BondCrypto } from "../crypto/crypto-port.ts";
import { WireFault } from "../wire/wire-fault.ts";
import {
  type AuthenticationTarget,
  digestBytes,
  flagBytes,
  maxRetries,
  type PeerAuthentication,
  retryUs,
  usesSessionKeyFlag,
} from "./authentication.ts";
import { EapCode, EapolFrame, EapolType, EapType, eapFrame, SrpSubtype, sized } from "./eapol.ts";
import type { LoginGuard } from "./login-guard.ts";
import { PassphraseExchange, srpHeader } from "./passphrase-exchange.ts";
import { SrpServer } from "./srp.ts";
import type { SrpCredential, SrpUsers } from "./srp-users.ts";

/** What the waiting end knows and shares between its links. */
export interface AuthenticatorOptions {
  readonly users: SrpUsers;
  readonly guard: LoginGuard;
  /** As `SrpCredentials.isPadded`. */
  readonly isPadded: boolean;
  /** Address of the peer, for the guard. */
  address(): string;
}

/**
 * Peers of version 2 (librist up to 0.2.7) count themselves as strangers 4.5 s after the last exchange: at 3 s they ask for another
 * one with a single frame, and when that is lost they never send again. So the next exchange begins before.
 */
const renewUs = 2_000_000;

type Step = "idle" | "identity" | "challenge" | "key" | "proof";

/**
 * The waiting end of EAP-SRP (TR-06-2 section 5.6): asks for the identity, challenges, and lets the peer in when M1 shows that
 * it knows the password. It follows the version of the peer's answers.
 */
export class Authenticator implements PeerAuthentication {
  readonly isCaller = false;
  readonly #crypto: BondCrypto;
  readonly #options: AuthenticatorOptions;
  readonly #target: AuthenticationTarget;
  readonly #hasOwnSecret: boolean;
  readonly #passphrases: PassphraseExchange;
  readonly #frame = new EapolFrame();
  #step: Step = "idle";
  #identifier = 0;
  #version: 2 | 3 = 3;
  #username = "";
  #credential: SrpCredential | undefined;
  #clientKey: Uint8Array = new Uint8Array(0);
  #server: SrpServer | undefined;
  #sessionKey: Uint8Array = new Uint8Array(0);
  #isAuthenticated = false;
  /** When the next exchange is due. */
  #renewAtUs = Number.POSITIVE_INFINITY;
  #last: Uint8Array | undefined;
  #lastUs = 0;
  #retries = 0;

  constructor(
    crypto: BondCrypto,
    options: AuthenticatorOptions,
    secret: Uint8Array | undefined,
    target: AuthenticationTarget,
  ) {
    this.#crypto = crypto;
    this.#options = options;
    this.#hasOwnSecret = secret !== undefined;
    this.#target = target;
    this.#passphrases = new PassphraseExchange(crypto, target, false, secret);
  }

  get isAuthenticated(): boolean {
    return this.#isAuthenticated;
  }

  restart(nowUs: number): void {
    this.#isAuthenticated = false;
    this.#askIdentity(nowUs);
  }

  onTimer(nowUs: number): void {
    if (this.#isAuthenticated) this.#passphrases.onTimer(nowUs);
    if (this.#isAuthenticated && this.#step === "idle" && nowUs >= this.#renewAtUs) this.#askIdentity(nowUs);
    if (this.#last === undefined || nowUs - this.#lastUs < retryUs) return;
    if (this.#retries++ >= maxRetries) {
      this.#finish();
      return;
    }
    this.#lastUs = nowUs;
    this.#target.send(this.#last);
  }

  take(bytes: Uint8Array, start: number, end: number, nowUs: number): boolean {
    const frame = this.#frame;
    if (frame.parse(bytes, start, end) !== WireFault.none) return false;
    if (this.#options.guard.isLocked(this.#options.address(), nowUs)) return false;
    if (frame.type === EapolType.start) {
      if (this.#step === "idle") this.#askIdentity(nowUs);
      return true;
    }
    if (frame.type === EapolType.logoff) {
      this.#isAuthenticated = false;
      this.#step = "idle";
      return true;
    }
    if (frame.code === EapCode.failure) return false;
    const isCurrent = frame.identifier === this.#identifier;
    if (frame.code === EapCode.success) {
      if (isCurrent && this.#step === "proof") this.#finish();
      return true;
    }
    if (frame.eapType === EapType.srp && frame.subtype === SrpSubtype.passphrase) {
      return this.#takePassphrase();
    }
    if (frame.code === EapCode.request) return false;
    if (!isCurrent) return this.#isOtherKey() && this.#takeKey(nowUs);
    if (frame.eapType === EapType.identity) return this.#step === "identity" && this.#takeIdentity(nowUs);
    if (frame.subtype === SrpSubtype.challenge) return this.#step === "challenge" && this.#takeKey(nowUs);
    if (frame.subtype === SrpSubtype.serverKey) return this.#step === "key" && this.#takeProof(nowUs);
    if (frame.subtype !== SrpSubtype.serverValidator || this.#step !== "proof") return false;
    this.#finish();
    this.#target.send(eapFrame(this.#version, EapCode.success, (this.#identifier + 1) & 0xff));
    return true;
  }

  #takePassphrase(): boolean {
    if (!this.#isAuthenticated || this.#version !== 3) return false;
    if (this.#frame.code === EapCode.response) return this.#passphrases.take(this.#frame, this.#sessionKey);
    this.#passphrases.answer(this.#frame.identifier, this.#sessionKey);
    return true;
  }

  #askIdentity(nowUs: number): void {
    this.#identifier = this.#crypto.randomBytes(1)[0]!;
    this.#step = "identity";
    this.#version = 3;
    this.#request(nowUs, Uint8Array.of(EapType.identity));
  }

  #takeIdentity(nowUs: number): boolean {
    const name = this.#frame.body();
    if (name.length === 0 || name.length > 255) return false;
    this.#username = new TextDecoder().decode(name);
    const wanted = this.#frame.version >= 3 ? 3 : 2;
    // Unknown names get a challenge too, which nobody can answer: who exists is not told.
    this.#credential = this.#options.users.find(this.#username, wanted) ?? {
      salt: this.#crypto.randomBytes(digestBytes),
      verifier: this.#crypto.randomBytes(256),
      version: wanted,
    };
    this.#version = this.#credential.version;
    this.#step = "challenge";
    const none = new Uint8Array(0);
    this.#next(
      nowUs,
      srpHeader(SrpSubtype.challenge),
      sized(none),
      sized(this.#credential.salt),
      sized(none),
    );
    return true;
  }

  /**
   * True for another answer to the challenge before: a challenge that was repeated is answered twice, with a fresh key each time, and
   * the peer's proof will be made with the last one.
   */
  #isOtherKey(): boolean {
    const { identifier, eapType, subtype } = this.#frame;
    if (this.#step !== "key" || identifier !== ((this.#identifier - 1) & 0xff)) return false;
    if (eapType !== EapType.srp || subtype !== SrpSubtype.challenge) return false;
    const key = this.#frame.body();
    return key.length !== this.#clientKey.length || key.some((byte, i) => byte !== this.#clientKey[i]);
  }

  #takeKey(nowUs: number): boolean {
    if (!this.#options.guard.takeExchange(nowUs)) return false;
    this.#clientKey = this.#frame.body();
    if (this.#clientKey.length === 0 || this.#clientKey.length > 256) return false;
    const variant = { hasZeroState: this.#version === 2, isPadded: this.#options.isPadded };
    this.#server = new SrpServer(this.#crypto, this.#username, this.#credential!, variant);
    this.#step = "key";
    this.#next(nowUs, srpHeader(SrpSubtype.serverKey), this.#server.publicKey);
    return true;
  }

  #takeProof(nowUs: number): boolean {
    const body = this.#frame.body();
    const proof = body.subarray(flagBytes, flagBytes + digestBytes);
    const answer = this.#server!.prove(this.#clientKey, proof);
    if (answer === undefined) return this.#refuse(nowUs);
    this.#sessionKey = this.#server!.sessionKey;
    const flags = new Uint8Array(flagBytes);
    if (this.#version === 3) {
      if ((body[flagBytes - 1]! & usesSessionKeyFlag) !== 0)
        this.#target.setPassphrase("receive", this.#sessionKey);
      if (!this.#hasOwnSecret) flags[flagBytes - 1] = usesSessionKeyFlag;
    }
    this.#step = "proof";
    this.#next(nowUs, srpHeader(SrpSubtype.serverValidator), flags, answer);
    if (this.#version === 3 && !this.#hasOwnSecret) this.#target.setPassphrase("send", this.#sessionKey);
    // The peer has proven itself; whether it believes us is its own affair.
    if (!this.#isAuthenticated) this.#target.onResult(true, this.#username);
    this.#isAuthenticated = true;
    this.#renewAtUs = this.#version === 2 ? nowUs + renewUs : Number.POSITIVE_INFINITY;
    this.#options.guard.forgive(this.#options.address());
    return true;
  }

  #refuse(nowUs: number): boolean {
    const address = this.#options.address();
    const isLocked = this.#options.guard.countFailure(address, nowUs);
    this.#target.send(eapFrame(this.#version, EapCode.failure, this.#identifier));
    this.#target.onResult(
      false,
      `wrong name or password${isLocked ? "; the address is locked for a minute" : ""}`,
    );
    this.#isAuthenticated = false;
    this.#finish();
    return false;
  }

  #finish(): void {
    this.#step = "idle";
    this.#last = undefined;
  }

  #next(nowUs: number, ...parts: Uint8Array[]): void {
    this.#identifier = (this.#identifier + 1) & 0xff;
    this.#request(nowUs, ...parts);
  }

  #request(nowUs: number, ...parts: Uint8Array[]): void {
    this.#last = eapFrame(this.#version, EapCode.request, this.#identifier, ...parts);
    this.#lastUs = nowUs;
    this.#retries = 0;
    this.#target.send(this.#last);
  }
}
