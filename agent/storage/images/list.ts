/** The images of all pools, from the live model. */
import type { Image, Input, OperatingSystem, Output } from "../../../lib/contract/mod.ts";
import { systemGuesser } from "../../../lib/vm/create/guesses.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import type { OperatingSystems } from "../../hosts/operating_systems.ts";
import { log } from "../../log.ts";
import { isActivePool, requireStorageKnown } from "../shared.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { imageKind, ImageRoles } from "./roles.ts";

/** Names whose guess is remembered. */
const MOST_GUESSES = 20_000;

export class ImageList {
  readonly #host: LibvirtHost;
  readonly #systems: OperatingSystems;
  readonly #guesses = new Map<string, OperatingSystem | undefined>();
  #guess: ReturnType<typeof systemGuesser> | undefined;

  constructor(host: LibvirtHost, systems: OperatingSystems) {
    this.#host = host;
    this.#systems = systems;
  }

  /**
   * The images of the library; pools that do not answer are named. What is not whole yet is left out.
   *
   * @throws {ContractError} StorageUnknown
   */
  async get({ vmDisks = false }: Input<"list_images"> = {}): Promise<Output<"list_images">> {
    const { inventory } = this.#host;
    requireStorageKnown(this.#host);
    const { storage } = inventory;
    const unread: Output<"list_images">["unread"] = [];
    // A pool whose server is away lets only itself wait.
    const read = await Promise.all(
      storage.records().filter(isActivePool).map(async ({ name: pool }) => {
        try {
          return await storage.volumes(pool);
        } catch (error) {
          if (!(error instanceof LibvirtError)) throw error;
          log.debug("the images of a pool could not be read", { pool, error });
          unread.push({ pool, reason: error.message });
          return [];
        }
      }),
    );
    const volumes = read.flat();
    const roles = await ImageRoles.read(this.#host, volumes);
    const systemOf = await this.#guesser();
    const images = volumes.flatMap((volume): Image[] => {
      const role = roles.of(volume), kind = imageKind(volume);
      if (kind === undefined || !(role === "library" || vmDisks && role === "vm")) return [];
      const { pool, name, path, format, allocation, capacity } = volume;
      const system = systemOf(name);
      return [{
        pool,
        name,
        path,
        kind,
        ...(format !== undefined && { format }),
        sizeBytes: allocation,
        virtualBytes: capacity,
        usedBy: roles.usage.of(volume),
        isBase: roles.isBase(volume),
        ...(system && { osId: system.id, osName: system.name }),
      }];
    });
    return { images, unread };
  }

  /** Returns a function that guesses the system of an image by its name, each name once. */
  async #guesser(): Promise<(name: string) => OperatingSystem | undefined> {
    const systems = await this.#systems.list();
    this.#guess ??= systemGuesser(systems);
    const byId = new Map(systems.map((system) => [system.id, system]));
    const guess = this.#guess, guesses = this.#guesses;
    return (name) => {
      if (!guesses.has(name)) {
        if (guesses.size >= MOST_GUESSES) guesses.clear();
        guesses.set(name, byId.get(guess(name) ?? ""));
      }
      return guesses.get(name);
    };
  }
}
