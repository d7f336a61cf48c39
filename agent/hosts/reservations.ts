/** Names, addresses and host devices that VMs of a host will have soon. Two VMs must not get the same. */

/** Something taken for a while. */
export class Reservations {
  readonly #taken = new Map<string, string>();

  /** Takes `key` for `owner` until disposed of; when it is taken already, gives its owner's name instead. */
  take(kind: "name" | "mac" | "host-device", key: string, owner: string): Disposable | string {
    const id = `${kind}:${key}`;
    const has = this.#taken.get(id);
    if (has !== undefined) return has;
    this.#taken.set(id, owner);
    return { [Symbol.dispose]: () => void this.#taken.delete(id) };
  }
}
