/** The form for a new machine: what was chosen, what the server says of it, and what it comes to. */
import { batch, computed, signal } from "@preact/signals";
import type { ConfigCheck, NewDisk, NewNic, OperatingSystem, VmConfig } from "../contract/mod.ts";
import { type Failure, failureOf } from "../format/failure.ts";
import { freeName, guessSystem } from "../format/new_vm.ts";
import { api } from "./api.ts";

/** What was chosen; what is left out is the server's choice. */
export type Wish = Partial<VmConfig>;

/** What a machine is first started from. */
export const SOURCES = ["iso", "image", "network", "none"] as const;
export type Source = typeof SOURCES[number];

/** Where the form begins. */
export interface CreateStart {
  readonly wish: Wish;
  readonly check: ConfigCheck | null;
  readonly systems: readonly OperatingSystem[];
  /** Names that machines have. */
  readonly taken: readonly string[];
}

/** Milliseconds of rest after a change before the server is asked. */
const REST_MS = 250;

/** Fields that follow the operating system until somebody chooses otherwise. */
type Followed = "name" | "system" | "disk";

/** What a wish is first started from. */
function sourceOf({ disks, bootOrder }: Wish): Source {
  if (disks?.[0]?.path !== undefined) return "image";
  return bootOrder?.[0] === "network" ? "network" : "iso";
}

export class CreateModel {
  readonly wish = signal<Wish>({});
  /** What the server says of the wish; null before its first answer. */
  readonly check = signal<ConfigCheck | null>(null);
  readonly source = signal<Source>("iso");
  readonly submitting = signal(false);
  /** Why it could not be created. */
  readonly failure = signal<Failure | null>(null);
  readonly #systems: readonly OperatingSystem[];
  readonly #taken: ReadonlySet<string>;
  readonly #chosen = new Set<Followed>();
  /** Fields somebody has been at: errors of the others are not shown before the first attempt. */
  readonly #touched = signal<ReadonlySet<string>>(new Set());
  readonly #attempted = signal(false);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  constructor(start: CreateStart) {
    this.#systems = start.systems;
    this.#taken = new Set(start.taken);
    this.wish.value = start.wish;
    this.source.value = sourceOf(start.wish);
    this.#take(start.check);
  }

  /** What the wish last came to: what is wrong now does not empty the fields around it. */
  readonly resolved = signal<ConfigCheck["resolved"]>(null);
  /** The chosen operating system. */
  readonly system = computed(() => this.#systems.find(({ id }) => id === this.wish.value.osVariant));
  /** The disks of the form: always a list. */
  readonly disks = computed<readonly NewDisk[]>(() => this.wish.value.disks ?? []);
  readonly nics = computed<readonly NewNic[]>(() => this.wish.value.nics ?? []);

  /** Changes fields; `undefined` gives a field back to the server. */
  set(change: { readonly [K in keyof VmConfig]?: VmConfig[K] | undefined }): void {
    const wish: Record<string, unknown> = { ...this.wish.peek(), ...change };
    for (const [field, value] of Object.entries(change)) if (value === undefined) delete wish[field];
    batch(() => {
      this.wish.value = wish;
      this.#touched.value = new Set([...this.#touched.peek(), ...Object.keys(change)]);
      this.failure.value = null;
    });
    this.#checkSoon();
  }

  /** Names the machine. */
  name(name: string): void {
    this.#chosen.add("name");
    this.set({ name });
  }

  /** Chooses an operating system, and what suits it where nothing else was chosen. */
  chooseSystem(osVariant: string | undefined, guessed = false): void {
    if (!guessed) this.#chosen.add("system");
    const system = this.#systems.find(({ id }) => id === osVariant);
    const [first, ...others] = this.disks.peek();
    this.set({
      osVariant,
      osType: system?.osType,
      ...(!this.#chosen.has("name") && { name: freeName(osVariant ?? "vm", this.#taken) }),
      ...(system && first?.sizeGb !== undefined && !this.#chosen.has("disk") && {
        disks: [{ ...first, sizeGb: system.defaults.diskSizeGb }, ...others],
      }),
    });
  }

  /** Chooses the CD to install from. */
  chooseIso(isoPath: string | undefined): void {
    this.set({ isoPath });
    this.#guess(isoPath);
  }

  /** Chooses what it is started from, and clears what belongs to the other ways. */
  chooseSource(source: Source): void {
    const [first, ...others] = this.disks.peek();
    const sizeGb = this.system.peek()?.defaults.diskSizeGb ?? 20;
    const main: NewDisk = source === "image"
      ? { path: first?.path ?? "", ...(first?.copyAs !== undefined && { copyAs: first.copyAs }) }
      : first === undefined || first.path !== undefined
      ? { sizeGb }
      : first;
    this.source.value = source;
    this.set({
      isoPath: source === "iso" ? this.wish.peek().isoPath : undefined,
      disks: [main, ...others],
      bootOrder: source === "network" ? ["network", "disk"] : undefined,
    });
    this.#touched.value = new Set([...this.#touched.peek()].filter((field) => field !== "disks"));
  }

  /** Changes one disk, or removes it. */
  changeDisk(index: number, change: NewDisk | null): void {
    if (index === 0) this.#chosen.add("disk");
    const disks = this.disks.peek().flatMap((disk, at) =>
      at !== index ? [disk] : change === null ? [] : [change]
    );
    this.set({ disks });
    if (change?.path) this.#guess(change.path);
  }

  /** Changes one network card, or removes it. */
  changeNic(index: number, change: NewNic | null): void {
    this.set({
      nics: this.nics.peek().flatMap((nic, at) => at !== index ? [nic] : change === null ? [] : [change]),
    });
  }

  /** What is wrong with a field, once somebody has been at it or has tried to create the machine. */
  error(field: string): string | undefined {
    const found = this.check.value?.errors.find((error) => error.field === field);
    if (!found) return undefined;
    return this.#attempted.value || this.#touched.value.has(field.split(".")[0]!) ? found.message : undefined;
  }

  /** What is worth knowing about a field. */
  warning(field: string): string | undefined {
    return this.check.value?.warnings.find((warning) => warning.field === field)?.message;
  }

  /** Creates the machine. @returns its id; null when it could not be: `failure` or the fields say why */
  async submit(): Promise<string | null> {
    if (this.submitting.peek()) return null;
    this.#attempted.value = true;
    this.submitting.value = true;
    this.failure.value = null;
    try {
      await this.#ask(); // what is known to be wrong is said at its field, not by a failed attempt
      if (this.failure.peek() !== null || (this.check.peek()?.errors.length ?? 0) > 0) return null;
      const { id } = await api.createVm(this.wish.peek() as VmConfig);
      return id;
    } catch (error) {
      this.failure.value = failureOf(error);
      await this.#ask();
      return null;
    } finally {
      this.submitting.value = false;
    }
  }

  #take(check: ConfigCheck | null): void {
    batch(() => {
      this.check.value = check;
      if (check?.resolved) this.resolved.value = check.resolved;
    });
  }

  #guess(path: string | undefined): void {
    if (path === undefined || this.#chosen.has("system")) return;
    const guessed = guessSystem(path, this.#systems);
    if (guessed !== undefined && guessed !== this.wish.peek().osVariant) this.chooseSystem(guessed, true);
  }

  #checkSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), REST_MS);
  }

  /** Asks the server; an answer that a later question has overtaken is dropped. */
  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    const question = ++this.#asked;
    try {
      const check = await api.checkVmConfig({ config: this.wish.peek() });
      if (question === this.#asked) this.#take(check);
    } catch (error) {
      if (question === this.#asked) this.failure.value = failureOf(error);
    }
  }
}
