/** The KVM Managers that may act on this host. */
import type { DatabaseSync } from "node:sqlite";
import { ContractError, type Role } from "../../../lib/contract/mod.ts";
import type { Store } from "../../store/store.ts";

export const PEER_MIGRATION = `CREATE TABLE peers (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,        -- its host's, as it told it
  public_key TEXT NOT NULL UNIQUE, -- what it is known by
  role       TEXT NOT NULL,        -- the most that it may do
  invited_by TEXT NOT NULL,
  created    INTEGER NOT NULL      -- ms since 1970
) STRICT, WITHOUT ROWID;`;

export interface PeerRecord {
  readonly id: string;
  /** The name of its host, as it told it. */
  readonly name: string;
  /** 32 bytes as base64url. */
  readonly publicKey: string;
  /** The most that it may do. */
  readonly role: Role;
  readonly invitedBy: string;
  /** Milliseconds since 1970. */
  readonly created: number;
}

export class PeerRecords {
  #peers: readonly PeerRecord[] = [];

  constructor(private readonly store: Store) {
    store.attach((database) => this.#read(database));
  }

  all(): readonly PeerRecord[] {
    return this.#peers;
  }

  withKey(publicKey: string): PeerRecord | undefined {
    return this.#peers.find((peer) => peer.publicKey === publicKey);
  }

  /** Keeps a peer, in the place of one with its id or its key. @throws {ContractError} StoreUnavailable */
  put(peer: PeerRecord): void {
    const { id, name, publicKey, role, invitedBy, created } = peer;
    this.#write(() =>
      this.store.database!.prepare(
        "INSERT OR REPLACE INTO peers (id, name, public_key, role, invited_by, created) VALUES (?, ?, ?, ?, ?, ?)",
      ).run(id, name, publicKey, role, invitedBy, created)
    );
    this.#peers = [
      ...this.#peers.filter((each) => each.id !== id && each.publicKey !== publicKey),
      peer,
    ];
  }

  /** @throws {ContractError} PeerNotFound, StoreUnavailable */
  remove(id: string): void {
    if (!this.#peers.some((each) => each.id === id)) throw new ContractError("PeerNotFound", { peerId: id });
    this.#write(() => this.store.database!.prepare("DELETE FROM peers WHERE id = ?").run(id));
    this.#peers = this.#peers.filter((each) => each.id !== id);
  }

  #write(run: () => void): void {
    if (this.store.write(run)) return;
    throw new ContractError("StoreUnavailable", { reason: this.store.trouble ?? "it is closed" });
  }

  #read(database: DatabaseSync): void {
    const rows = database.prepare(
      "SELECT id, name, public_key, role, invited_by, created FROM peers ORDER BY created, id",
    ).all();
    this.#peers = rows.map((row) => ({
      id: String(row.id),
      name: String(row.name),
      publicKey: String(row.public_key),
      // Written by us alone: the database is checked when it is opened
      role: String(row.role) as Role,
      invitedBy: String(row.invited_by),
      created: Number(row.created),
    }));
  }
}
