/** Which places of a host are used, and by whom. A place is a path with every link followed, or `volume:pool/name`. */
import type { StorageUser } from "../../lib/contract/mod.ts";

/** One use of a place. */
export interface PlaceUse {
  readonly user: StorageUser;
  readonly place: string;
}

const isBelow = (place: string, folder: string) => place.startsWith(folder === "/" ? folder : `${folder}/`);

export class UsedPlaces {
  /** Place → its users by name, which is a VM's alone on a host. */
  readonly #users = new Map<string, Map<string, StorageUser>>();

  add(place: string, ...users: readonly StorageUser[]): void {
    let there = this.#users.get(place);
    if (there === undefined) this.#users.set(place, there = new Map());
    for (const user of users) there.set(user.name, user);
  }

  /** Every place that is used. */
  places(): string[] {
    return [...this.#users.keys()];
  }

  /** Who uses what is at a place itself. */
  at(place: string): StorageUser[] {
    return [...this.#users.get(place)?.values() ?? []];
  }

  /** Who uses what lies below a folder. */
  below(folder: string): PlaceUse[] {
    return [...this.#users].flatMap(([place, users]) =>
      isBelow(place, folder) ? [...users.values()].map((user) => ({ user, place })) : []
    );
  }

  /** Who uses places whose text begins so. */
  beginning(start: string): StorageUser[] {
    return [...this.#users].flatMap(([place, users]) => place.startsWith(start) ? [...users.values()] : []);
  }
}

/** Each user once, by name. */
export const byName = (users: readonly StorageUser[]): StorageUser[] =>
  [...new Map(users.map((user) => [user.name, user])).values()].sort((a, b) => a.name < b.name ? -1 : 1);
