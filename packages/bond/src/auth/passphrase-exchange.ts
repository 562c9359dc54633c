import type { BondCrypto } from "../crypto/crypto-port.ts";
import type { AuthenticationTarget } from "./authentication.ts";
import { maxRetries, retryUs } from "./authentication.ts";
import { EapCode, type EapolFrame, EapType, eapFrame, SrpSubtype } from "./eapol.ts";

/** Flags of an answer: "the session key", or "what follows, AES-256-CTR under the session key" (else AES-128). */
const sessionKeyFlag = 0x80;
const aes256Flag = 0x40;
/** Identifiers of our requests: bit 7 tells the calling end's from the waiting end's, bit 6 that it is a request. */
const callerBit = 0x80;
const requestBit = 0x40;
const version = 3;

/**
 * After EAP version 3 has succeeded each end may ask the other under which passphrase it sends (subtype 16): the session
 * key, or one of its own, which then travels encrypted.
 */
export class PassphraseExchange {
  readonly #crypto: BondCrypto;
  readonly #target: AuthenticationTarget;
  readonly #isCaller: boolean;
  /** Our own passphrase; absent: the session key. */
  readonly #own: Uint8Array | undefined;
  #identifier = 0;
  #askedUs = -1;
  #asked = 0;

  constructor(
    crypto: BondCrypto,
    target: AuthenticationTarget,
    isCaller: boolean,
    own: Uint8Array | undefined,
  ) {
    this.#crypto = crypto;
    this.#target = target;
    this.#isCaller = isCaller;
    this.#own = own;
  }

  /** Asks the peer, with repeats. */
  ask(nowUs: number): void {
    this.#identifier = ((this.#identifier + 1) & 0x3f) | requestBit | (this.#isCaller ? callerBit : 0);
    this.#asked = 0;
    this.#request(nowUs);
  }

  onTimer(nowUs: number): void {
    if (this.#askedUs < 0 || nowUs - this.#askedUs < retryUs) return;
    if (this.#asked > maxRetries) this.#askedUs = -1;
    else this.#request(nowUs);
  }

  /** Answers the peer's request. */
  answer(identifier: number, sessionKey: Uint8Array): void {
    const own = this.#own;
    const flags = Uint8Array.of(own === undefined ? sessionKeyFlag : aes256Flag);
    const sealed = own === undefined ? new Uint8Array(0) : this.#apply(identifier, sessionKey, own);
    this.#target.send(
      eapFrame(version, EapCode.response, identifier, srpHeader(SrpSubtype.passphrase), flags, sealed),
    );
  }

  /** Takes the peer's answer, asked for or not. Returns false where it is empty. */
  take(frame: EapolFrame, sessionKey: Uint8Array): boolean {
    const body = frame.body();
    if (body.length < 1) return false;
    this.#askedUs = -1;
    const isSessionKey = (body[0]! & sessionKeyFlag) !== 0;
    if (!isSessionKey && body.length < 2) return false;
    const key = (body[0]! & aes256Flag) !== 0 ? sessionKey : sessionKey.subarray(0, 16);
    const passphrase = isSessionKey ? sessionKey : this.#apply(frame.identifier, key, body.subarray(1));
    this.#target.setPassphrase("receive", passphrase);
    this.#target.send(eapFrame(version, EapCode.success, frame.identifier));
    return true;
  }

  #request(nowUs: number): void {
    this.#askedUs = nowUs;
    this.#asked++;
    this.#target.send(eapFrame(version, EapCode.request, this.#identifier, srpHeader(SrpSubtype.passphrase)));
  }

  #apply(identifier: number, key: Uint8Array, bytes: Uint8Array): Uint8Array {
    const iv = new Uint8Array(16);
    iv[15] = identifier;
    const result = new Uint8Array(bytes.length);
    this.#crypto.createCipher(key).apply(iv, bytes, 0, bytes.length, result, 0);
    return result;
  }
}

/** Type and subtype of an SRP packet. */
export function srpHeader(subtype: number): Uint8Array {
  return Uint8Array.of(EapType.srp, subtype);
}
