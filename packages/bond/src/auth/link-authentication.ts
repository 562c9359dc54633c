import type { BondCrypto } from "../crypto/crypto-port.ts";
import { PreSharedKey } from "../crypto/psk.ts";
import { badOption } from "../errors.ts";
import type { FaultCounters } from "../link/fault-counters.ts";
import type { Path } from "../link/path.ts";
import type { RistUri } from "../wire/rist-uri.ts";
import { Authenticatee, type SrpCredentials } from "./authenticatee.ts";
import type { AuthenticationTarget, PeerAuthentication } from "./authentication.ts";
import { Authenticator } from "./authenticator.ts";
import { LoginGuard } from "./login-guard.ts";
import { type SrpUsers, singleSrpUser } from "./srp-users.ts";

/** Options of authentication that senders and receivers share (Main profile). */
export interface SrpOptions {
  /**
   * EAP-SRP: who we are where we call, and the one who may call where we wait without `srpUsers`; default from the address
   * (`?username=&password=`).
   */
  readonly srp?: SrpCredentials;
  /** EAP-SRP where we wait: who may call; default from the address, else everybody. */
  readonly srpUsers?: SrpUsers;
}

/** Passphrase and key length of a link, as far as configured. */
export interface LinkSecret {
  readonly passphrase: Uint8Array | undefined;
  readonly isAes256: boolean;
}

/** Gives the links of one sender or receiver their side of EAP-SRP, where options or addresses ask for it. */
export class LinkAuthentication {
  readonly #crypto: BondCrypto;
  readonly #options: SrpOptions;
  readonly #faults: FaultCounters;
  readonly #guard = new LoginGuard();
  readonly #usersOf = new Map<RistUri, SrpUsers>();

  constructor(crypto: BondCrypto, options: SrpOptions, faults: FaultCounters) {
    this.#crypto = crypto;
    this.#options = options;
    this.#faults = faults;
  }

  /**
   * Checks that a profile and an address can do what is asked.
   * @throws BondError `bond/bad-option`
   */
  check(uri: RistUri, isMain: boolean): void {
    if (!this.isWanted(uri)) return;
    if (!isMain) throw badOption("srp", "set", "absent in the Simple profile, which cannot authenticate");
  }

  /** True where a link of this address must authenticate. */
  isWanted(uri: RistUri): boolean {
    if (uri.username !== undefined || this.#options.srp !== undefined) return true;
    return uri.isListening && this.#options.srpUsers !== undefined;
  }

  /** Puts the right end of the exchange on `path`. */
  attach(path: Path, uri: RistUri, secret: LinkSecret, name: string): void {
    if (!this.isWanted(uri)) return;
    const target = this.#targetOf(path, secret, name);
    path.authentication = uri.isListening
      ? this.#authenticator(path, uri, secret, target)
      : this.#authenticatee(uri, secret, target);
  }

  #authenticatee(uri: RistUri, secret: LinkSecret, target: AuthenticationTarget): PeerAuthentication {
    const isPadded = uri.isSrpPadded ?? this.#options.srp?.isPadded ?? false;
    const username = uri.username ?? this.#options.srp!.username;
    const password = uri.password ?? this.#options.srp!.password;
    return new Authenticatee(this.#crypto, { username, password, isPadded }, secret.passphrase, target);
  }

  #authenticator(
    path: Path,
    uri: RistUri,
    secret: LinkSecret,
    target: AuthenticationTarget,
  ): PeerAuthentication {
    let users = this.#options.srpUsers ?? this.#usersOf.get(uri);
    if (users === undefined) {
      const username = uri.username ?? this.#options.srp!.username;
      users = singleSrpUser(this.#crypto, username, uri.password ?? this.#options.srp!.password);
      this.#usersOf.set(uri, users);
    }
    const isPadded = uri.isSrpPadded ?? this.#options.srp?.isPadded ?? false;
    const options = { users, guard: this.#guard, isPadded, address: () => path.address };
    return new Authenticator(this.#crypto, options, secret.passphrase, target);
  }

  #targetOf(path: Path, secret: LinkSecret, name: string): AuthenticationTarget {
    return {
      send: (frame) => path.sendEapol(frame),
      setPassphrase: (direction, passphrase) => {
        const key = new PreSharedKey(this.#crypto, passphrase, secret.isAes256);
        if (direction === "send") path.tunnel?.setSendKey(key);
        else path.tunnel?.setReceiveKey(key);
      },
      onResult: (isSuccess, reason) => {
        this.#faults.reportAuthentication(name, isSuccess, reason);
      },
    };
  }
}
