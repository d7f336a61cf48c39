/** Invitations: who shows one may link to this host once. They end with their time, and with the process. */
import { ContractError, type Role } from "../../../lib/contract/mod.ts";
import type { Clock } from "../../clock.ts";
import { newSecret, secretHash } from "../../access/secret.ts";

/** Invitations at once. */
const MOST = 20;

interface Open {
  readonly role: Role;
  /** The user who invited. */
  readonly by: string;
  /** Whether the one that joins is linked here as well. */
  readonly both: boolean;
  /** Of the monotonic clock. */
  readonly endsAt: number;
}

export class Invitations {
  /** By digest of the secret; the oldest first. */
  readonly #open = new Map<string, Open>();

  constructor(private readonly clock: Clock) {}

  /** Makes one. @param ms how long it is good for @returns its secret @throws {ContractError} TooManyRequests */
  make(role: Role, by: string, ms: number, both = false): string {
    this.#forgetEnded();
    if (this.#open.size >= MOST) {
      throw new ContractError("TooManyRequests", { what: "invitations", limit: MOST });
    }
    const secret = newSecret();
    this.#open.set(secretHash(secret), { role, by, both, endsAt: this.clock.monotonic() + ms });
    return secret;
  }

  /** Takes one in: it is used up. @throws {ContractError} InvitationRefused */
  redeem(secret: string): Pick<Open, "role" | "by" | "both"> {
    this.#forgetEnded();
    const digest = secretHash(secret), found = this.#open.get(digest);
    if (found === undefined) throw new ContractError("InvitationRefused");
    this.#open.delete(digest);
    return found;
  }

  #forgetEnded(): void {
    const now = this.clock.monotonic();
    for (const [digest, { endsAt }] of this.#open) if (endsAt <= now) this.#open.delete(digest);
  }
}
