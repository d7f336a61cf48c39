/** Hosts that are served besides the local one, whose libvirt the settings name. */
import type { DatabaseSync } from "node:sqlite";
import type { LibvirtLogin } from "../../ffi/address.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import type { Migration } from "../store/migrations.ts";
import { SEALED } from "../sealing/places.ts";
import type { Unread } from "../sealing/sealed_values.ts";
import type { Store } from "../store/store.ts";
import { PEER_MIGRATION } from "./linked/peer_records.ts";
import { VM_OWNER_MIGRATION } from "./linked/vm_owners.ts";

export const HOST_MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE hosts (
     id    TEXT PRIMARY KEY CHECK (id <> 'local'),
     label TEXT NOT NULL,
     uri   TEXT NOT NULL,    -- of its libvirt
     added INTEGER NOT NULL  -- ms since 1970
   ) STRICT, WITHOUT ROWID;`,
  "ALTER TABLE hosts ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1;",
  `ALTER TABLE hosts ADD COLUMN peer_key TEXT; -- of its KVM Manager, where it is linked
   ${PEER_MIGRATION}`,
  VM_OWNER_MIGRATION,
  "ALTER TABLE hosts ADD COLUMN login TEXT; -- JSON: a user of its libvirt, the password, since when",
];

/** Login for a host's libvirt. The password leaves the database for that libvirt alone. */
export interface StoredLogin extends LibvirtLogin {
  /** Milliseconds since 1970, when the password was given. */
  readonly since: number;
}

/** A login whose password is kept as it is. */
export type UnreadLogin = Omit<StoredLogin, "password"> & { readonly unread: Unread };

/** A host as it is kept. */
export interface StoredHost {
  readonly id: string;
  /** Display name. */
  readonly label: string;
  /** libvirt's connection URI; of a linked host, the address of its KVM Manager. */
  readonly uri: string;
  /** Login, if its libvirt asks for one. */
  readonly login?: StoredLogin;
  /** The same where its password cannot be read now: libvirt is not signed in to. */
  readonly unreadLogin?: UnreadLogin;
  /** Public key of its KVM Manager, where it is linked. */
  readonly peerKey?: string;
  /** Milliseconds since 1970. */
  readonly added: number;
  /** Whether it is served. */
  readonly isEnabled: boolean;
}

export class HostRecords {
  #hosts: readonly StoredHost[] = [];

  /** @param onRead called whenever the database was opened and read */
  constructor(private readonly store: Store, private readonly onRead: () => void = () => {}) {
    store.attach((database) => this.#read(database));
  }

  /** All of them, the one that was added first before the others. */
  all(): readonly StoredHost[] {
    return this.#hosts;
  }

  get(id: string): StoredHost | undefined {
    return this.#hosts.find((host) => host.id === id);
  }

  /** Keeps a host, or changes what is kept of it. @throws {ContractError} StoreUnavailable, EncryptionKeyMissing */
  put(host: StoredHost): void {
    if (host.id === LOCAL_HOST) throw new Error("the settings name the local host's libvirt");
    const { id, label, uri, added, isEnabled, peerKey = null, login = host.unreadLogin } = host;
    const sealed = login && JSON.stringify(this.store.secrets.closed(SEALED.hosts, id, login));
    this.#write(() =>
      this.store.database!.prepare(
        "INSERT OR REPLACE INTO hosts (id, label, uri, added, enabled, peer_key, login) VALUES (?, ?, ?, ?, ?, ?, ?)",
      ).run(
        id,
        label,
        uri,
        added,
        isEnabled ? 1 : 0,
        peerKey,
        sealed ?? null,
      )
    );
    this.#hosts = inOrder([...this.#hosts.filter((each) => each.id !== id), host]);
  }

  /** Forgets a host. @throws {ContractError} StoreUnavailable */
  remove(id: string): void {
    this.#write(() => this.store.database!.prepare("DELETE FROM hosts WHERE id = ?").run(id));
    this.#hosts = this.#hosts.filter((each) => each.id !== id);
  }

  #write(run: () => void): void {
    if (this.store.write(run)) return;
    throw new ContractError("StoreUnavailable", { reason: this.store.trouble ?? "it is closed" });
  }

  #loginIn(id: string, text: string): Pick<StoredHost, "login" | "unreadLogin"> {
    // Rows are ours alone: the database is checked when it is opened, and no other program writes it.
    const login = this.store.secrets.opened<StoredLogin | UnreadLogin>(SEALED.hosts, id, JSON.parse(text));
    return "unread" in login ? { unreadLogin: login } : { login };
  }

  #read(database: DatabaseSync): void {
    const rows = database.prepare("SELECT id, label, uri, added, enabled, peer_key, login FROM hosts").all();
    this.#hosts = inOrder(rows.map(({ id, label, uri, added, enabled, peer_key: peerKey, login }) => ({
      id: String(id),
      label: String(label),
      uri: String(uri),
      added: Number(added),
      ...(peerKey !== null && { peerKey: String(peerKey) }),
      ...(login !== null && this.#loginIn(String(id), String(login))),
      isEnabled: Number(enabled) === 1,
    })));
    this.onRead();
  }
}

const inOrder = (hosts: readonly StoredHost[]): readonly StoredHost[] =>
  hosts.toSorted((a, b) => a.added - b.added || (a.id < b.id ? -1 : 1));
