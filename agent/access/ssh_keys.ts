/** SSH public keys of accounts: what cloud-init is given for a new VM unless something else is said. No secrets. */
import type { DatabaseSync } from "node:sqlite";
import { type CloudInit, ContractError } from "../../lib/contract/mod.ts";
import { MOST_SSH_KEYS } from "../../lib/contract/cloud_init_bounds.ts";
import { sshKeyFault } from "../../lib/vm/cloud_init/ssh_key.ts";
import type { Principal } from "../access.ts";
import type { Migration } from "../store/migrations.ts";
import type { Store } from "../store/store.ts";

export const SSH_KEY_MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE ssh_keys (
     owner TEXT PRIMARY KEY,  -- id of the account; uid:N for a user of the host at the socket
     keys  TEXT NOT NULL      -- JSON: public keys, as in authorized_keys
   ) STRICT;`,
];

type Owner = Pick<Principal, "userId" | "uid" | "name">;
type Asker = Owner & Pick<Principal, "via">;

const ownerOf = ({ userId, uid, name }: Owner): string =>
  userId ?? (uid === undefined ? `name:${name}` : `uid:${uid}`);

export class AccountSshKeys {
  readonly #keys = new Map<string, readonly string[]>();

  constructor(private readonly store: Store) {
    store.attach((database) => this.#read(database));
  }

  /** Somebody's keys. */
  of(owner: Owner): readonly string[] {
    return this.#keys.get(ownerOf(owner)) ?? [];
  }

  /**
   * An empty list is kept, too: none.
   *
   * @throws {ContractError} NotByToken for an API token, which may have fewer rights than its account: the keys come into VMs;
   * InvalidInput for what is no public key; StoreUnavailable
   */
  set(owner: Asker, keys: readonly string[]): void {
    if (owner.via === "token") throw new ContractError("NotByToken");
    for (const [index, key] of keys.entries()) {
      const fault = sshKeyFault(key), field = `sshKeys.${index}`;
      if (fault !== undefined) {
        throw new ContractError("InvalidInput", { reason: `${field} ${fault}`, field });
      }
    }
    if (!this.#write(ownerOf(owner), keys)) {
      throw new ContractError("StoreUnavailable", { reason: this.store.trouble ?? "it is not open" });
    }
  }

  /**
   * Takes note of the first keys that somebody has given a VM, where none were ever set or cleared. An API token's are not its
   * account's.
   */
  remember(owner: Asker, { form }: CloudInit): void {
    if (owner.via === "token" || this.#keys.has(ownerOf(owner))) return;
    const keys = new Set(form?.users?.flatMap(({ sshKeys = [] }) => sshKeys.map((key) => key.trim())));
    const news = [...keys].slice(0, MOST_SSH_KEYS);
    if (news.length > 0) this.#write(ownerOf(owner), news);
  }

  /** An account is gone. */
  forget(userId: string): void {
    if (!this.#keys.delete(userId)) return;
    this.store.keep(`SSH keys of ${userId}`, () => {
      if (this.#keys.has(userId)) return; // somebody has that id again
      this.store.database!.prepare("DELETE FROM ssh_keys WHERE owner = ?").run(userId);
    });
  }

  /** @returns whether it was written */
  #write(owner: string, keys: readonly string[]): boolean {
    const isWritten = this.store.write(() => {
      this.store.database!.prepare("INSERT OR REPLACE INTO ssh_keys (owner, keys) VALUES (?, ?)")
        .run(owner, JSON.stringify(keys));
    });
    if (isWritten) this.#keys.set(owner, keys);
    return isWritten;
  }

  #read(database: DatabaseSync): void {
    for (const { owner, keys } of database.prepare("SELECT owner, keys FROM ssh_keys").all()) {
      this.#keys.set(String(owner), JSON.parse(String(keys)) as string[]);
    }
  }
}
